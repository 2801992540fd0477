//! The last lines of a file, which may be no rows.

use super::class::ColumnClass;
use super::dialect::Dialect;
use super::sample::line_end;
use super::{Ending, Reader, RowFault};
use crate::format::{FormatError, words};

/// Lines at the end that are looked at.
const LINES: usize = 3;

/// Bytes from the end within which a footer is looked for.
const TAIL: usize = 4 << 10;

/// The same for each line that the definition leaves out.
const STATED: usize = 1 << 10;

/// Bytes from the end of the file within which a row may be a footer.
pub(super) fn tail(dialect: &Dialect, columns: usize) -> usize {
    match dialect.skip_footer_lines {
        Some(lines) => (lines as usize).saturating_mul(STATED).clamp(0, 64 * TAIL),
        None if columns > 1 => TAIL,
        None => 0,
    }
}

impl Reader {
    /// Looks whether the row that was split is a footer.
    #[cold]
    pub(super) fn near_the_end(&mut self) -> Result<Ending, FormatError> {
        if !self.ended {
            self.rewind();
            self.more()?;
            return Ok(Ending::Again);
        }
        let rest = &self.buffer[self.current.start..self.filled];
        if let Some(stated) = self.dialect.skip_footer_lines {
            let left = lines(rest).take(stated as usize + 1).count() <= stated as usize;
            return Ok(if left { Ending::Left } else { Ending::Row });
        }
        // Lines of delimiters alone, as spreadsheet programs write them below a table, hide no total.
        let filled = |line: &&[u8]| !self.has_only_delimiters(line);
        if self.current.fault.is_some() || lines(rest).filter(filled).nth(LINES).is_some() {
            return Ok(Ending::Row);
        }
        let raw = &self.buffer[self.current.start..self.current.end];
        // What follows a total is a footer, too, or no row of the table in any case.
        if words::counts_rows(raw) || ((self.sums_up() || self.is_note()) && self.ends_after()) {
            self.mark(RowFault::PossibleFooter);
        }
        Ok(Ending::Row)
    }

    fn has_only_delimiters(&self, line: &[u8]) -> bool {
        let delimiter = self.dialect.delimiter.as_bytes();
        line.iter().all(|byte| delimiter.contains(byte) || byte.is_ascii_whitespace())
    }

    /// Whether the row begins with a word for a sum, below other rows, and has something to sum up or
    /// cells left empty.
    fn sums_up(&self) -> bool {
        let row = self.row();
        let filled = row.cells().filter(|cell| !cell.trim_ascii().is_empty()).count();
        let first = row.cells().map(<[u8]>::trim_ascii).find(|cell| !cell.is_empty());
        let Some(first) = first.and_then(|cell| std::str::from_utf8(cell).ok()) else {
            return false;
        };
        let numbers = self.dialect.classes.contains(&ColumnClass::Number);
        words::is_total(first) && self.rows > 1 && (filled < row.len() || numbers)
    }

    /// Whether the row has a text and no more where the others have a number or a date in one of three
    /// cells or more.
    fn is_note(&self) -> bool {
        let row = self.row();
        let mut cells = row.cells();
        let first = cells.next().unwrap_or_default();
        let alone = cells.all(|cell| cell.trim_ascii().is_empty());
        let class = self.dialect.classes.first().copied().unwrap_or_default();
        row.len() > 2 && row.len() == self.head.columns.len() && alone && !class.takes(first)
    }

    /// Whether nothing follows the row but lines of other widths, of one text alone, or further totals.
    fn ends_after(&mut self) -> bool {
        let width = self.head.columns.len();
        let rest = &self.buffer[self.start..self.filled];
        for line in lines(rest) {
            let text = String::from_utf8_lossy(line).to_lowercase();
            let total = words::begins_with_total(text.trim_start_matches(['"', ' ']));
            self.probe.row(line, true);
            let filled = self.probe.cells().filter(|(text, _)| !text.trim_ascii().is_empty());
            let alone = width > 2 && filled.count() <= 1;
            if self.probe.spans().len() == width && !total && !alone {
                return false;
            }
        }
        true
    }
}

/// The lines that are not blank.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        while line_end(rest) > 0 {
            rest = &rest[line_end(rest)..];
        }
        if rest.is_empty() {
            return None;
        }
        let length = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let (line, after) = rest.split_at(length);
        rest = after;
        Some(line)
    })
    .filter(|line| !line.trim_ascii().is_empty())
}
