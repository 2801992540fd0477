//! The header once more, as where files were put together: perhaps with a byte order mark before it, or with
//! quotes where the first has none.

use super::splitter::{Found, Splitter};
use super::{Dialect, Reader, RowFault};
use crate::format::sniff::BOM;

/// Lengths of rows that may be the header, a bit for each, of 64 in turn: to ask costs no more than to
/// compare two numbers.
pub(super) fn lengths(dialect: &Dialect, columns: usize) -> u64 {
    let Some(header) = &dialect.header else { return 0 };
    let bare = bare(header.as_bytes(), dialect).count();
    let marks = [0, BOM.len()];
    let forms = [header.len(), bare, bare + 2 * columns];
    let lengths = forms.iter().flat_map(|form| marks.map(|mark| form + mark));
    lengths.fold(0, |bits, length| bits | 1 << (length % 64))
}

/// What is left of a row without quotes and a byte order mark.
fn bare<'a>(row: &'a [u8], dialect: &Dialect) -> impl Iterator<Item = &'a u8> {
    let quote = dialect.quote;
    let row = row.strip_prefix(BOM).unwrap_or(row);
    row.iter().filter(move |byte| quote != Some(char::from(**byte)))
}

/// A cell of a row that begins with a byte order mark, as it would be without.
pub(super) fn without_mark(cell: &[u8]) -> &[u8] {
    let Some(cell) = cell.strip_prefix(BOM) else { return cell };
    match cell {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
        _ => cell,
    }
}

impl Reader {
    /// Marks the row that was split if it is the header.
    #[cold]
    pub(super) fn mark_repeated_header(&mut self) {
        let raw = &self.buffer[self.current.start..self.current.end];
        let Some(header) = self.dialect.header.as_ref().map(String::as_bytes) else { return };
        if !bare(raw, &self.dialect).eq(bare(header, &self.dialect)) {
            return;
        }
        let raw = raw.strip_prefix(BOM).unwrap_or(raw);
        if raw == header || cells(&mut self.probe, raw) == cells(&mut self.probe, header) {
            self.mark(RowFault::RepeatedHeader);
        }
    }
}

/// The cells of a row that is whole.
fn cells(splitter: &mut Splitter, row: &[u8]) -> Option<Vec<Vec<u8>>> {
    match splitter.row(row, true) {
        Found::Row(_) => Some(splitter.cells().map(|(text, _)| text.to_vec()).collect()),
        _ => None,
    }
}
