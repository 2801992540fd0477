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
mod document;
mod error;
mod gzip;
mod header;
mod index;
mod input;
mod row;
mod sniff;
mod spool;
mod unquote;
mod values;

use std::io::{self, Read};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use error::{FormatError, Limit};
pub use row::{Form, Head, Part, Position, Row, RowFault};

use self::input::Input;
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
    /// Bytes of a document.
    pub max_document_bytes: u64,
    /// Bytes that the parts of a document may expand to, in all.
    pub max_document_expanded_bytes: u64,
    /// Bytes of text of a document.
    pub max_text_bytes: u64,
    /// Pages of a PDF.
    pub max_pdf_pages: u64,
    /// Objects of a PDF, and entries of its tables of objects.
    pub max_pdf_objects: u64,
    /// Bytes that one stream of a PDF may expand to, and all those together that hold objects.
    pub max_pdf_stream_bytes: u64,
    /// Steps that the pages of a PDF may take: operators and characters.
    pub max_pdf_steps: u64,
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
            max_document_bytes: 100 << 20,
            max_document_expanded_bytes: 4 << 30,
            max_text_bytes: 64 << 20,
            max_pdf_pages: 20_000,
            max_pdf_objects: 1_000_000,
            max_pdf_stream_bytes: 32 << 20,
            max_pdf_steps: 100_000_000,
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
        catalog::FormatKind::Document => {
            let (document, detected) =
                document::open(input, compression, hints, settings, &limits, evidence)?;
            (AnyReader::Other(document), detected)
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

#[cfg(test)]
mod tests;
