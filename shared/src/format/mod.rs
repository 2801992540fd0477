//! **format**: the bytes of a file become rows.
//!
//! [`open`] takes any [`Read`] (on a thread that may block), undoes the compression, recognises what
//! the file is, and gives [`Rows`]: each row borrowed from the read buffer, with its number, its
//! physical line, its byte offset and its raw bytes. What was found, and why, is in [`Detected`].
//!
//! Promises: memory is bounded by [`Limits`], not by the file; a file that is cut short, damaged or
//! of another kind ends in a [`FormatError`] that says what, where and what to do, never in rows that
//! look like data; the same bytes give the same rows however they arrive. Never: this room knows no
//! field, no type and no destination.
//!
//! ## What is a row
//! * Cells follow RFC 4180, leniently, as the `csv-core` crate reads them: a quote opens a quoted
//!   cell only at its beginning; within it `""` is a quote and line ends are text.
//! * A row ends with LF, CRLF or a lone CR. A blank line is not a row: it is passed over (and counts
//!   as a line).
//! * A *line* is physical: LF, CRLF and a lone CR each end one, within quotes too. The first is 1.
//! * A *byte offset* counts decompressed bytes from the beginning of the file, the byte order mark
//!   included.
//! * A *row number* counts data rows from 1; the header is not counted.
//! * Each column has a name of its own: an empty one becomes `column_3` (its place), and the second
//!   of two equal ones `name_2`. Without a header columns are `column_1`, `column_2` and so on, as
//!   many as the first row has cells.

mod csv;
mod dialect;
mod error;
mod gzip;
mod header;
mod index;
mod input;
mod sniff;
mod unquote;

use std::io::Read;

use serde::{Deserialize, Serialize};

pub use error::{FormatError, Limit};

use crate::catalog;

/// What a file may ask of the machine. A limit that is passed ends the file with an error that
/// names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one row (at most 1 GiB). An unclosed quote swallows the rest of its file, so this
    /// also bounds what one wrong quote may hold in memory.
    pub max_row_bytes: usize,
    /// Cells of one row.
    pub max_columns: usize,
    /// Bytes that a compressed file may expand to.
    pub max_expanded_bytes: Option<u64>,
    /// Times that a compressed file may expand, looked at from [`Limits::RATIO_FROM`] bytes on.
    pub max_ratio: u64,
}

impl Limits {
    /// Expanded bytes from which the ratio counts: small files may be as repetitive as they like.
    pub const RATIO_FROM: u64 = 256 << 20;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_row_bytes: 16 << 20,
            max_columns: 16_384,
            max_expanded_bytes: None,
            // Real tables stay well below 200; deflate cannot pass 1032.
            max_ratio: 500,
        }
    }
}

/// What was found in a file, and why it was taken for that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detected {
    /// How the bytes were compressed.
    pub compression: Compression,
    /// The kind of file.
    pub kind: catalog::FormatKind,
    /// The character between cells.
    pub delimiter: char,
    /// Whether the first row named the columns.
    pub has_header: bool,
    /// The names of the columns, each once.
    pub columns: Vec<String>,
    /// What led to each of these, for people.
    pub evidence: Vec<String>,
}

/// How the bytes of a file are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// Not at all.
    None,
    /// Gzip, of one member or several.
    Gzip,
}

/// A place between two rows: what comes next is row `row + 1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Decompressed bytes before this place.
    pub byte_offset: u64,
    /// The physical line that begins here, from 1.
    pub line: u64,
    /// Data rows before this place.
    pub row: u64,
}

/// What is wrong with a row that could still be told apart from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowFault {
    /// The file ended within a quoted cell.
    UnterminatedQuote {
        /// Physical lines from the row's first to the end of the file.
        lines: u64,
    },
}

/// Where one cell lies in the bytes of its row.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    end: u32,
}

/// One row, borrowed from the reader until the next one is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    number: u64,
    line: u64,
    byte_offset: u64,
    raw: &'a [u8],
    data: &'a [u8],
    spans: &'a [Span],
    fault: Option<RowFault>,
    /// Known to be UTF-8; if not, it may still be.
    valid: bool,
}

impl<'a> Row<'a> {
    /// The row's number among the data rows, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The physical line on which the row begins, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The offset of the row's first byte.
    pub fn byte_offset(&self) -> u64 {
        self.byte_offset
    }

    /// The row as it is in the file, without the line end.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Whether the whole row is UTF-8. Then each cell is, too, as cells begin and end at ASCII
    /// characters; two cells side by side could complete a character that neither of them holds, so
    /// it is the row that is looked at, not its unquoted cells.
    #[inline]
    pub fn is_utf8(&self) -> bool {
        self.valid || std::str::from_utf8(self.raw).is_ok()
    }

    /// What is wrong with the row; a row with a fault has no cells.
    pub fn fault(&self) -> Option<RowFault> {
        self.fault
    }

    /// How many cells the row has.
    #[inline]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether the row has no cells, which only a row with a fault has.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The cell at `index` without its quotes; empty if the row has none there.
    #[inline]
    pub fn cell(&self, index: usize) -> &'a [u8] {
        match self.spans.get(index) {
            Some(span) => &self.data[span.start as usize..span.end as usize],
            None => &[],
        }
    }

    /// The cells in order.
    pub fn cells(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let data = self.data;
        self.spans.iter().map(move |span| &data[span.start as usize..span.end as usize])
    }
}

/// The rows of one file, one at a time.
pub struct Rows {
    reader: csv::Reader,
}

impl Rows {
    /// The next row; `None` at the end of the file. An error ends the file.
    // Not an `Iterator`: a row is lent, and only until the next call.
    #[allow(clippy::should_implement_trait)]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Row<'_>>, FormatError> {
        if self.reader.advance()? { Ok(Some(self.reader.row())) } else { Ok(None) }
    }

    /// The place after the row that was given last.
    pub fn position(&self) -> Position {
        self.reader.position()
    }
}

/// Opens a file: undoes its compression, finds out what it is where the settings do not say, and
/// reads up to its first row.
pub fn open(
    input: impl Read + Send + 'static,
    settings: &catalog::Format,
    limits: Limits,
) -> Result<(Rows, Detected), FormatError> {
    let (reader, detected) = csv::open(Box::new(input), settings, limits)?;
    Ok((Rows { reader }, detected))
}

/// Goes on reading a file at a place that [`Rows::position`] gave before: the rows that follow are
/// the same, with the same numbers. `input` begins at that place, or, if the file is compressed, at
/// the beginning of the file; it must be the same version of the file.
pub fn resume(
    input: impl Read + Send + 'static,
    detected: &Detected,
    at: Position,
    limits: Limits,
) -> Result<Rows, FormatError> {
    let reader = csv::resume(Box::new(input), detected, at, limits)?;
    Ok(Rows { reader })
}

#[cfg(test)]
mod tests;
