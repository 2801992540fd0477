//! Rows that are put together from values, as JSON: for formats that say of which type a value is.

use super::row::Span;
use super::{Head, Row};

/// One row: its cells as the elements of a JSON array in one buffer, which is used again and again.
#[derive(Debug, Default)]
pub(super) struct Values {
    data: Vec<u8>,
    spans: Vec<Span>,
    start: usize,
}

/// Where a row is in its file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The row's number among all rows of the file, from 1.
    pub(super) number: u64,
    /// Its line, from 1, in formats with lines.
    pub(super) line: Option<u64>,
    /// The offset of its first byte, in formats in which rows have one.
    pub(super) byte_offset: Option<u64>,
}

impl Values {
    /// Begins a row.
    pub(super) fn begin(&mut self) {
        self.data.clear();
        self.spans.clear();
        self.data.push(b'[');
        self.start = 1;
    }

    /// Takes the JSON of the next cell: append one value, then [`Values::end_cell`].
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.data
    }

    /// Ends a cell. If nothing was written, the row does not have the column.
    pub(super) fn end_cell(&mut self) {
        let absent = self.data.len() == self.start;
        let end = self.data.len();
        if absent {
            self.spans.push(Span { start: self.start as u32, end: end as u32 });
            // An array has no holes.
            self.data.extend_from_slice(b"null");
        } else {
            self.spans.push(Span { start: self.start as u32, end: end as u32 });
        }
        self.data.push(b',');
        self.start = self.data.len();
    }

    /// Ends the row.
    pub(super) fn end(&mut self) {
        match self.data.last_mut() {
            Some(last) if *last == b',' => *last = b']',
            _ => self.data.push(b']'),
        }
    }

    /// Bytes of the row.
    pub(super) fn len(&self) -> usize {
        self.data.len()
    }

    /// The row. `raw`: its bytes in the file, if it has any there.
    pub(super) fn row<'a>(
        &'a self,
        head: &'a Head,
        place: Place,
        raw: Option<&'a [u8]>,
    ) -> Row<'a> {
        Row {
            head,
            number: place.number,
            line: place.line.unwrap_or(0),
            byte_offset: place.byte_offset.unwrap_or(u64::MAX),
            raw: raw.unwrap_or(&self.data),
            data: &self.data,
            spans: &self.spans,
            fault: None,
            encoding: None,
            valid: true,
        }
    }
}
