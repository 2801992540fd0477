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
//! Delimited cells are one of the kinds of files; each other has a module of its own: workbooks
//! (`excel`), Parquet and Avro. Their rows are values of types ([`Form::Json`]); see `typed` for how each
//! is written.
//!
//! ## What is a row of delimited cells
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

mod avro;
mod csv;
mod dialect;
mod error;
mod excel;
mod gzip;
mod header;
mod index;
mod input;
mod parquet;
mod row;
mod sniff;
mod spool;
mod typed;
mod unquote;
mod values;

use std::io::{self, Read};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use error::{FormatError, Limit};
pub use row::{Form, Head, Part, Position, Row, RowFault};

use self::input::Input;
use self::spool::Spool;
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
    /// Bytes of a file that is kept whole while it is read, in memory or on disk: of formats that
    /// begin at their end.
    pub max_spooled_bytes: u64,
    /// Bytes of memory that a workbook may take: its texts and styles, and in formats that are not
    /// read cell by cell (xls, ods) all of its cells. Estimated before it is read.
    pub max_workbook_bytes: u64,
    /// Bytes of memory that the pages of a Parquet file may take: one of each column, and its
    /// dictionary.
    pub max_pages_bytes: u64,
    /// Bytes of a block of an Avro file, compressed and expanded.
    pub max_block_bytes: u64,
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
            max_spooled_bytes: 2 << 30,
            max_workbook_bytes: 160 << 20,
            max_pages_bytes: 160 << 20,
            max_block_bytes: 64 << 20,
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
    /// The character between cells; NUL in formats without one.
    pub delimiter: char,
    /// Whether the first row named the columns.
    pub has_header: bool,
    /// The names of the columns, each once.
    pub columns: Vec<String>,
    /// What led to each of these, for people.
    pub evidence: Vec<String>,
}

impl Detected {
    /// Whether a place between two rows is a place in the bytes of the file, too.
    pub fn can_seek(&self) -> bool {
        self.compression == Compression::None && self.kind == catalog::FormatKind::Csv
    }

    /// The place in the stored bytes at which to begin reading for [`resume`] at `at`.
    pub fn seek(&self, at: Position) -> u64 {
        if self.can_seek() { at.byte_offset } else { 0 }
    }

    /// Whether it takes up little room, where it is kept with the place at which reading goes on.
    pub fn is_small(&self) -> bool {
        const SMALL: usize = 32 << 10;
        self.columns.iter().map(|name| name.len() + 3).sum::<usize>() < SMALL
    }
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

/// What is known of a file besides its bytes. Where the bytes decide, hints decide nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'a> {
    /// The key or file name; empty if unknown.
    pub name: &'a str,
}

/// One kind of file, read row by row.
trait Reader: Send {
    /// Goes to the next row; `false` at the end. An error ends the file.
    fn advance(&mut self) -> Result<bool, FormatError>;
    /// The current row.
    fn row(&self) -> Row<'_>;
    /// The place after the current row.
    fn position(&self) -> Position;
    /// The head of the current row; before the first row, that of the first.
    fn head(&self) -> &Arc<Head>;
}

/// The rows of one file, one at a time.
pub struct Rows {
    reader: AnyReader,
}

/// Delimited cells without a detour, as there are most of them; and all other kinds.
// There is one of these for a file: its size does not matter, and a detour for each row does.
#[allow(clippy::large_enum_variant)]
enum AnyReader {
    Csv(csv::Reader),
    Other(Box<dyn Reader>),
}

impl Rows {
    /// The next row; `None` at the end of the file. An error ends the file.
    // Not an `Iterator`: a row is lent, and only until the next call.
    #[allow(clippy::should_implement_trait)]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Row<'_>>, FormatError> {
        match &mut self.reader {
            AnyReader::Csv(csv) => Ok(if csv.advance()? { Some(csv.row()) } else { None }),
            AnyReader::Other(other) => Ok(if other.advance()? { Some(other.row()) } else { None }),
        }
    }

    /// The place after the row that was given last.
    pub fn position(&self) -> Position {
        match &self.reader {
            AnyReader::Csv(csv) => csv.position(),
            AnyReader::Other(other) => other.position(),
        }
    }

    /// The head of the row that was given last; before that, the head of the first row.
    pub fn head(&self) -> &Arc<Head> {
        match &self.reader {
            AnyReader::Csv(csv) => csv.head(),
            AnyReader::Other(other) => other.head(),
        }
    }
}

/// Opens a file: undoes its compression, finds out what it is where the settings do not say, and
/// reads up to its first row.
pub fn open(
    input: impl Read + Send + 'static,
    hints: Hints<'_>,
    settings: &catalog::Format,
    limits: Limits,
) -> Result<(Rows, Detected), FormatError> {
    let (mut input, compression) = Input::open(Box::new(input), limits)?;
    let mut evidence = Vec::new();
    if compression == Compression::Gzip {
        evidence.push("compression gzip: the first bytes are 1f 8b".to_owned());
    }
    let kind = sniff::kind(input.peek(sniff::SAMPLE)?, hints, settings, &mut evidence)?;
    let (reader, detected) = match kind {
        catalog::FormatKind::Csv => {
            let (csv, detected) = csv::open(input, compression, settings, limits, evidence)?;
            (AnyReader::Csv(csv), detected)
        }
        catalog::FormatKind::Excel => {
            let (sheets, detected) = excel::open(input, compression, settings, limits, evidence)?;
            (AnyReader::Other(Box::new(sheets)), detected)
        }
        catalog::FormatKind::Parquet => {
            let (table, detected) = parquet::open(input, compression, limits, evidence)?;
            (AnyReader::Other(Box::new(table)), detected)
        }
        catalog::FormatKind::Avro => {
            let (container, detected) = avro::open(input, compression, limits, evidence)?;
            (AnyReader::Other(Box::new(container)), detected)
        }
    };
    Ok((Rows { reader }, detected))
}

/// Goes on reading a file at a place that [`Rows::position`] gave before: the rows that follow are
/// the same, with the same numbers. With `detected` (what [`open`] found), `input` begins at
/// [`Detected::seek`] of that place; without, at the beginning of the file, and the rows before the
/// place are read and passed over. It must be the same version of the file.
pub fn resume(
    input: impl Read + Send + 'static,
    detected: Option<&Detected>,
    at: Position,
    hints: Hints<'_>,
    settings: &catalog::Format,
    limits: Limits,
) -> Result<(Rows, Detected), FormatError> {
    if let Some(detected) = detected
        && detected.kind == catalog::FormatKind::Csv
    {
        let reader = csv::resume(Box::new(input), detected, at, limits)?;
        return Ok((Rows { reader: AnyReader::Csv(reader) }, detected.clone()));
    }
    let (mut rows, detected) = open(input, hints, settings, limits)?;
    while rows.position().row < at.row {
        if rows.next()?.is_none() {
            let cause = "the file ends before the place at which to go on";
            return Err(FormatError::Read(io::Error::new(io::ErrorKind::UnexpectedEof, cause)));
        }
    }
    Ok((rows, detected))
}

/// The letters of a sheet's column (from 1), as spreadsheets show them: `A`, `Z`, `AA`.
pub fn column_letters(column: u32) -> String {
    let mut letters = Vec::new();
    let mut left = column;
    while left > 0 {
        left -= 1;
        letters.push(char::from(b'A' + (left % 26) as u8));
        left /= 26;
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests;
