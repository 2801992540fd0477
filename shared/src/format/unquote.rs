//! Rows with quotes that are more than a pair around a cell, by the full parser of `csv-core`.
//!
//! Such a row is parsed whole, from its beginning, into a buffer of its own. What the parser makes of
//! it is what it means; this only adds whether the file ended within a quoted cell, of which the
//! parser says nothing.

use csv_core::ReadRecordResult;

/// The parser for rows with quotes that are more than a pair around a cell.
pub(super) struct Unquoting {
    parser: csv_core::Reader,
    output: Vec<u8>,
    ends: Vec<usize>,
}

/// What the full parser came to.
pub(super) enum Unquoted {
    /// A row of so many bytes, without its line end.
    Row { length: usize, cells: usize },
    /// The row does not end in the bytes.
    More,
    /// The file ended within a quoted cell.
    Unterminated,
}

impl Unquoting {
    pub(super) fn new(delimiter: u8, max_columns: usize) -> Self {
        let parser = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        Self { parser, output: Vec::new(), ends: vec![0; 64.min(max_columns)] }
    }

    /// The text of the cells of the row that was parsed last, one after the other.
    pub(super) fn output(&self) -> &[u8] {
        &self.output
    }

    /// Where each of the first `cells` cells ends in it.
    pub(super) fn ends(&self, cells: usize) -> &[usize] {
        &self.ends[..cells]
    }

    /// Parses one row at the beginning of `bytes`; `None` if it has more than `max_columns` cells.
    pub(super) fn row(
        &mut self,
        bytes: &[u8],
        ended: bool,
        max_columns: usize,
    ) -> Option<Unquoted> {
        self.parser.reset();
        // A parser that was reset takes a byte order mark for the file's own; one that has read
        // anything, even nothing, does not.
        self.parser.read_record(&[], &mut [0], &mut [0]);
        if self.output.len() <= bytes.len() {
            self.output.resize(bytes.len() + 1, 0);
        }
        let (mut read, mut written, mut cells) = (0, 0, 0);
        loop {
            if cells == self.ends.len() {
                if cells >= max_columns {
                    return None;
                }
                self.ends.resize(max_columns.min(cells * 2), 0);
            }
            let (result, consumed, output, ended_cells) = self.parser.read_record(
                &bytes[read..],
                &mut self.output[written..],
                &mut self.ends[cells..],
            );
            read += consumed;
            written += output;
            cells += ended_cells;
            match result {
                ReadRecordResult::Record => {
                    return Some(Unquoted::Row { length: read - 1, cells });
                }
                ReadRecordResult::OutputEndsFull => {}
                _ if read < bytes.len() => {}
                _ if !ended => return Some(Unquoted::More),
                _ => break,
            }
        }
        // The file ends here. The parser would call it a row in any case; a line end in its place
        // tells whether a quoted cell is open.
        if cells == self.ends.len() {
            if cells >= max_columns {
                return None;
            }
            self.ends.push(0);
        }
        let (result, _, _, ended_cells) =
            self.parser.read_record(b"\n", &mut self.output[written..], &mut self.ends[cells..]);
        match result {
            ReadRecordResult::Record => {
                Some(Unquoted::Row { length: read, cells: cells + ended_cells })
            }
            _ => Some(Unquoted::Unterminated),
        }
    }
}
