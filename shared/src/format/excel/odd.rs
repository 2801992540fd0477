//! Cells of an xlsx workbook that are not read as they stand by the crate that reads all others.
//!
//! * Formulas without a stored value. A program that writes a workbook without calculating it leaves the values
//!   out; the next spreadsheet program that opens the file fills them in. Read as they are they would be blank,
//!   which is a value lost in silence.
//! * Whole numbers of more digits than floating point keeps (numbers of accounts and orders, written by
//!   programs): the crate `calamine` makes floating point of them, and of 1234567890123456789 another number.

use std::collections::HashMap;
use std::io::{BufReader, Read, Seek};

use calamine::{DataRef, XlsxCellReader};
use memchr::memchr_iter;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use super::super::Spool;
use super::container;
use super::formula_errors::target;
use super::guard::Problem;
use super::workbook;

/// What such a cell is said to hold.
pub(super) const NO_VALUE: &str = "a formula without a stored value";

/// Such cells of a sheet, or a workbook, at most.
const MOST: usize = 1 << 20;
/// Digits that floating point may not keep.
const EXACT: usize = 16;
/// Bytes of a tag, and of what tells of a number behind it, at most.
const TAG: usize = 32;
/// Bytes of a part that are looked at in one piece.
const PIECE: usize = 64 << 10;

/// What the parts of a workbook may hold: most that are exported hold neither, and need no second look at
/// their cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) formulas: bool,
    pub(super) long_numbers: bool,
}

/// Looks through all parts that may be sheets.
pub(super) fn held(spool: &mut Spool) -> Result<Held, Problem> {
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
    let mut held = Held::default();
    for index in parts {
        let mut part = archive.by_index(index).map_err(damaged)?;
        let mut kept = 0;
        loop {
            let read = part.read(&mut piece[kept..])?;
            let end = kept + read;
            held.look_at(&piece[..end]);
            if read == 0 || (held.formulas && held.long_numbers) {
                break;
            }
            // A tag may lie in this piece and the next.
            let from = end.saturating_sub(TAG);
            piece.copy_within(from..end, 0);
            kept = end - from;
        }
    }
    Ok(held)
}

fn damaged(error: zip::result::ZipError) -> Problem {
    Problem::Damaged(error.to_string())
}

impl Held {
    /// Looks for something like `<f>`, `<f t="shared">`, `<f/>` or `<x:f>`, and `<v>1234567890123456</v>`.
    fn look_at(&mut self, xml: &[u8]) {
        let begins = |at: usize| at > 0 && matches!(xml[at - 1], b'<' | b':');
        let ends = |after: &u8| matches!(after, b'>' | b'/') || after.is_ascii_whitespace();
        self.formulas = self.formulas
            || memchr_iter(b'f', xml).any(|at| begins(at) && xml.get(at + 1).is_some_and(ends));
        self.long_numbers = self.long_numbers
            || memchr_iter(b'v', xml).any(|at| {
                begins(at) && xml.get(at + 1) == Some(&b'>') && begins_long_number(&xml[at + 2..])
            });
    }
}

fn begins_long_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    digits.len() >= EXACT && digits[..EXACT].iter().all(u8::is_ascii_digit)
}

/// The number that a value is, if floating point does not keep it: its digits.
fn long_number(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let whole = digits.bytes().all(|digit| digit.is_ascii_digit()) && !digits.starts_with('0');
    (digits.len() >= EXACT && whole && text.parse::<f64>().ok()?.to_string() != text)
        .then_some(text)
}

/// Whole numbers of a sheet that floating point does not keep, row and column from 0, in their order.
pub(super) type LongNumbers = Vec<((u32, u32), Box<str>)>;

/// Those of each sheet, by its name.
pub(super) fn long_numbers(spool: &mut Spool) -> Result<HashMap<String, LongNumbers>, Problem> {
    let mut archive = ZipArchive::new(spool).map_err(damaged)?;
    let mut members = HashMap::new();
    for (index, name) in archive.file_names().enumerate() {
        members.insert(container::plain_name(&name.map_err(damaged)?), index);
    }
    let mut text_of = |name: &str| -> Result<String, Problem> {
        let mut text = String::new();
        if let Some(index) = members.get(name) {
            archive.by_index(*index).map_err(damaged)?.read_to_string(&mut text)?;
        }
        Ok(text)
    };
    let (book, relations) = (text_of("xl/workbook.xml")?, text_of("xl/_rels/workbook.xml.rels")?);
    let mut found = HashMap::new();
    let mut count = 0;
    for (name, relation) in sheets(&book)? {
        let Some(path) = target(&relations, &relation)? else { continue };
        let path = container::plain_name(&path);
        let member = members.get(&path).or_else(|| members.get(&format!("xl/{path}")));
        let Some(index) = member else { continue };
        let part = BufReader::new(archive.by_index(*index).map_err(damaged)?);
        found.insert(name, long_numbers_in(part, &mut count)?);
    }
    Ok(found)
}

/// The names of the sheets, with their relations.
fn sheets(book: &str) -> Result<Vec<(String, String)>, Problem> {
    let mut reader = quick_xml::Reader::from_str(book);
    let mut sheets = Vec::new();
    loop {
        match reader.read_event()? {
            Event::Start(tag) | Event::Empty(tag) if is(&tag, "sheet") => {
                if let (Some(name), Some(relation)) =
                    (attribute(&tag, "name"), attribute(&tag, "id"))
                {
                    sheets.push((name, relation));
                }
            }
            Event::Eof => return Ok(sheets),
            _ => {}
        }
    }
}

fn is(tag: &BytesStart<'_>, name: &str) -> bool {
    AsRef::<[u8]>::as_ref(tag.local_name().as_ref()) == name.as_bytes()
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    tag.attributes().with_checks(false).flatten().find_map(|found| {
        let is_named = AsRef::<[u8]>::as_ref(found.key.local_name().as_ref()) == name.as_bytes();
        let value: &[u8] = AsRef::<[u8]>::as_ref(&*found.value);
        let value = is_named.then(|| String::from_utf8_lossy(value).into_owned())?;
        quick_xml::escape::unescape(&value).ok().map(|value| value.into_owned())
    })
}

/// The same of one sheet. `count`: those that were found so far.
fn long_numbers_in(part: impl std::io::BufRead, count: &mut usize) -> Result<LongNumbers, Problem> {
    let mut reader = quick_xml::Reader::from_reader(part);
    reader.config_mut().expand_empty_elements = true;
    let (mut row, mut column, mut in_value) = (0, 0, false);
    let mut found = LongNumbers::new();
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer)? {
            Event::Start(tag) if is(&tag, "row") => {
                let stated = attribute(&tag, "r").and_then(|number| number.parse::<u32>().ok());
                row = stated.map_or(row, |number| number.saturating_sub(1));
            }
            Event::End(tag) if AsRef::<[u8]>::as_ref(tag.local_name().as_ref()) == b"row" => {
                (row, column) = (row.saturating_add(1), 0);
            }
            Event::Start(tag) if is(&tag, "c") => {
                if let Some((stated_row, stated)) = attribute(&tag, "r").as_deref().and_then(place)
                {
                    (row, column) = (stated_row, stated);
                }
                in_value = attribute(&tag, "t").is_none_or(|of| of == "n");
            }
            Event::End(tag) if AsRef::<[u8]>::as_ref(tag.local_name().as_ref()) == b"c" => {
                (column, in_value) = (column.saturating_add(1), false);
            }
            Event::Text(text) if in_value => {
                if let Some(number) = long_number(AsRef::<[u8]>::as_ref(&*text)) {
                    found.push(((row, column), number.into()));
                    *count += 1;
                }
            }
            Event::Eof => return Ok(found),
            _ => {}
        }
        if *count > MOST {
            let problem = format!("more than {MOST} of its numbers are longer than floating point");
            return Err(Problem::Damaged(problem));
        }
    }
}

/// The row and the column, from 0, of a place like `AB12`.
fn place(place: &str) -> Option<(u32, u32)> {
    let digits = place.find(|letter: char| letter.is_ascii_digit())?;
    let (letters, row) = place.split_at(digits);
    let mut column = 0_u32;
    for letter in letters.bytes() {
        let letter = letter.to_ascii_uppercase();
        letter.is_ascii_uppercase().then_some(())?;
        column = column.checked_mul(26)?.checked_add(u32::from(letter - b'A') + 1)?;
    }
    Some((row.parse::<u32>().ok()?.checked_sub(1)?, column.checked_sub(1)?))
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
    use super::*;

    fn look_at(xml: &str) -> Held {
        let mut held = Held::default();
        held.look_at(xml.as_bytes());
        held
    }

    #[test]
    fn a_formula_is_seen_however_its_tag_is_written() {
        for xml in
            ["<c><f>A1</f></c>", "<f t=\"shared\" si=\"0\"/>", "<x:f>1</x:f>", "<f/>", "<f\n>"]
        {
            assert!(look_at(xml).formulas, "{xml}");
        }
        for xml in ["", "f", "<f", "<c r=\"F1\"><v>1</v></c>", "<font/>", "<if>"] {
            assert!(!look_at(xml).formulas, "{xml}");
        }
    }

    #[test]
    fn a_long_number_is_one_that_floating_point_does_not_keep() {
        for number in ["1234567890123456789", "-9007199254740993", "100000000000000000000001"] {
            assert_eq!(long_number(number.as_bytes()), Some(number));
            assert!(look_at(&format!("<c><v>{number}</v></c>")).long_numbers, "{number}");
        }
        for number in
            ["12345678901234600", "9007199254740992", "0.12345678901234567", "1E+20", "12"]
        {
            assert_eq!(long_number(number.as_bytes()), None, "{number}");
        }
        for xml in
            ["<v>123456789012345</v>", "<v>0.1234567890123456</v>", "<w>1234567890123456</w>"]
        {
            assert!(!look_at(xml).long_numbers, "{xml}");
        }
    }

    #[test]
    fn a_place_is_told_by_letters_and_digits() {
        assert_eq!(place("A1"), Some((0, 0)));
        assert_eq!(place("XFD1048576"), Some((1_048_575, 16_383)));
        for wrong in ["", "A", "1", "A0", "é1", "A1B", "AAAAAAAAAAAAAAAA1"] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
    }
}
