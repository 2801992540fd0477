//! Formulas of an xlsx workbook that have no stored value.
//!
//! A program that writes a workbook without calculating it leaves them out; the next spreadsheet program that
//! opens the file fills them in. Read as they are they would be blank, which is a value lost in silence.

use std::io::{Read, Seek};

use calamine::{DataRef, XlsxCellReader};
use memchr::memchr_iter;
use zip::ZipArchive;

use super::super::Spool;
use super::container;
use super::guard::Problem;
use super::workbook;

/// What such a cell is said to hold.
pub(super) const NO_VALUE: &str = "a formula without a stored value";

/// Such cells of a sheet at most.
const MOST: usize = 1 << 20;
/// Bytes of a part that are looked at in one piece.
const PIECE: usize = 64 << 10;

/// Whether a part of the workbook may hold a formula: most that are exported hold none, and need no second
/// look at their cells.
pub(super) fn are_in(spool: &mut Spool) -> Result<bool, Problem> {
    let damaged = |error: zip::result::ZipError| Problem::Damaged(error.to_string());
    let mut archive = ZipArchive::new(spool).map_err(damaged)?;
    let mut parts = Vec::new();
    for (index, name) in archive.file_names().enumerate() {
        let name = container::plain_name(&name.map_err(damaged)?);
        let is_other = ["sharedstrings.xml", "styles.xml", "theme1.xml", ".rels"]
            .iter()
            .any(|end| name.ends_with(end));
        if !is_other && name.ends_with("ml") {
            parts.push(index);
        }
    }
    let mut piece = vec![0; PIECE];
    for index in parts {
        let mut part = archive.by_index(index).map_err(damaged)?;
        // The end of one piece stands before the next: a tag may lie in both.
        let mut kept = 0;
        loop {
            let read = part.read(&mut piece[kept..])?;
            if has_formula(&piece[..kept + read]) {
                return Ok(true);
            }
            if read == 0 {
                break;
            }
            let end = kept + read;
            let from = end.saturating_sub(2);
            piece.copy_within(from..end, 0);
            kept = end - from;
        }
    }
    Ok(false)
}

/// Whether there is something like `<f>`, `<f t="shared">`, `<f/>` or `<x:f>`.
fn has_formula(xml: &[u8]) -> bool {
    memchr_iter(b'f', xml).any(|at| {
        let before = at.checked_sub(1).map(|before| xml[before]);
        let after = xml.get(at + 1);
        matches!(before, Some(b'<' | b':'))
            && after
                .is_some_and(|after| matches!(after, b'>' | b'/') || after.is_ascii_whitespace())
    })
}

/// The cells of a sheet whose formula has no value, row and column from 0, in their order.
pub(super) fn without_value<RS: Read + Seek>(
    mut cells: XlsxCellReader<'_, RS>,
) -> Result<Vec<(u32, u32)>, workbook::Problem> {
    let mut found = Vec::new();
    while let Some(cell) = cells.next_cell_with_formula_metadata()? {
        if cell.formula.is_some() && cell.value == DataRef::Empty {
            found.push(cell.pos);
        }
        if found.len() > MOST {
            let problem = format!("more than {MOST} of its formulas have no stored value");
            return Err(workbook::Problem::Damaged(problem.into()));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::has_formula;

    #[test]
    fn a_formula_is_seen_however_its_tag_is_written() {
        for xml in
            ["<c><f>A1</f></c>", "<f t=\"shared\" si=\"0\"/>", "<x:f>1</x:f>", "<f/>", "<f\n>"]
        {
            assert!(has_formula(xml.as_bytes()), "{xml}");
        }
        for xml in ["", "f", "<f", "<c r=\"F1\"><v>1</v></c>", "<font/>", "<if>"] {
            assert!(!has_formula(xml.as_bytes()), "{xml}");
        }
    }
}
