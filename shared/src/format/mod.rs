//! **format**: the bytes of a file become rows.
//!
//! [`open`] takes any [`Read`] (on a thread that may block), undoes the compression, goes through the
//! members of an archive, recognises what the file is and in which encoding, and gives [`Rows`]: each
//! row borrowed from the read buffer, with its number, its physical line, its byte offset and its raw
//! bytes. What was found, and why, is in [`Detected`].
//!
//! Promises: memory is bounded by [`Limits`], not by the file; a file that is cut short, damaged or
//! of another kind ends in a [`FormatError`] that says what, where and what to do, never in rows that
//! look like data; the same bytes give the same rows however they arrive. Never: this room knows no
//! field, no type and no destination.
//!
//! Delimited cells are one of the kinds of files; each other has a module of its own: workbooks
//! (`excel`), Parquet, Avro, JSON, XML, and documents for people to read (`document`). Their rows are values
//! of types ([`Form::Json`]); see `typed` for how each is written.
//!
//! ## What is a row of delimited cells
//! * Cells follow RFC 4180, or another [`Dialect`]: a quote opens a quoted cell only at its beginning;
//!   within it `""` is a quote and line ends are text. A row whose quotes do not say what it means
//!   has a [`RowFault`] and no cells.
//! * A row ends with LF, CRLF or a lone CR. A blank line is not a row: it is passed over (and counts
//!   as a line).
//! * A *line* is physical: LF, CRLF and a lone CR each end one, within quotes too. The first is 1.
//! * A *byte offset* counts decompressed bytes from the beginning of the file, the byte order mark
//!   included; in a member of an archive, from the beginning of the member. Of text in another encoding
//!   it counts the bytes that the text has in UTF-8, without the mark; the raw row is in UTF-8, too.
//! * A *row number* counts data rows from 1, through all members of an archive; headers are not
//!   counted. (Lines begin anew in each member.)
//! * Each column has a name of its own: an empty one becomes `column_3` (its place), and the second
//!   of two equal ones `name_2`. Without a header columns are `column_1`, `column_2` and so on, as
//!   many as the first row has cells.

mod archive;
mod avro;
mod compression;
mod contained;
mod csv;
mod document;
mod encoding;
mod error;
mod excel;
mod header;
mod heads;
mod input;
mod json;
mod known;
mod lines;
#[cfg(test)]
pub(crate) mod listed;
mod members;
mod meter;
mod names;
mod office;
mod parquet;
mod row;
mod settings;
mod shape;
mod sniff;
mod spool;
mod typed;
mod values;
mod window;
mod words;
mod xml;

use std::io::{self, Read};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use archive::Archive;
pub use compression::Compression;
pub use csv::{ColumnClass, Comment, Dialect, Escape};
pub use error::{FormatError, Limit};
pub use json::JsonProblem;
pub use row::{Form, Head, Part, Position, Row, RowFault};
pub use settings::LimitSetting;
pub use shape::{Drift, Expected, Shape};

use self::encoding::Decided;
use self::input::Input;
use self::meter::Meter;
use self::spool::Spool;
use crate::catalog::{self, Encoding};

/// What a file may ask of the machine. A limit that is passed ends the file with an error that
/// names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one row (at most 1 GiB). An unclosed quote swallows the rest of its file, so this
    /// also bounds what one wrong quote may hold in memory.
    pub max_row_bytes: usize,
    /// Cells of one row.
    pub max_columns: usize,
    /// Objects, arrays or elements within one another, in one document.
    pub max_nesting: usize,
    /// Bytes that a compressed file or an archive may expand to, all layers and members together.
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
    /// Times that a compressed file or an archive may expand, all layers and members together, looked
    /// at from `ratio_from` bytes on.
    pub max_ratio: u64,
    /// Bytes, in memory or on disk, that remember the values of unique columns: 32 for each value,
    /// and as much again between them.
    pub max_unique_bytes: u64,
    /// Expanded bytes from which the ratio counts: small files may be as repetitive as they like.
    pub ratio_from: u64,
    /// Bytes of memory that one decoder may take to remember what came before: the window of zstd,
    /// the dictionary of xz.
    pub max_decoder_bytes: u64,
    /// Members of an archive, those that are passed over and those of archives within it included.
    pub max_members: u64,
    /// Bytes of the path of a member.
    pub max_member_name_bytes: u64,
    /// Archives within one another: 1 is an archive of files.
    pub max_archive_nesting: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_row_bytes: 16 << 20,
            max_columns: 16_384,
            max_nesting: 128,
            max_expanded_bytes: None,
            max_spooled_bytes: 2 << 30,
            max_workbook_bytes: 160 << 20,
            max_pages_bytes: 160 << 20,
            max_block_bytes: 64 << 20,
            max_document_bytes: 100 << 20,
            max_document_expanded_bytes: 4 << 30,
            max_text_bytes: 64 << 20,
            max_pdf_pages: 20_000,
            max_pdf_objects: 1_000_000,
            max_pdf_stream_bytes: 32 << 20,
            max_pdf_steps: 100_000_000,
            // Real tables stay well below 200; deflate cannot pass 1032.
            max_ratio: 500,
            max_unique_bytes: 4 << 30,
            ratio_from: 256 << 20,
            // As much as `xz -9` and `zstd --ultra -21` ask for.
            max_decoder_bytes: 72 << 20,
            max_members: 10_000,
            max_member_name_bytes: 1024,
            max_archive_nesting: 2,
        }
    }
}

/// What was found in a file, and why it was taken for that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detected {
    /// How the bytes were compressed.
    pub compression: Compression,
    /// The archive that the file is; all that follows is then said of its first member.
    pub archive: Option<Archive>,
    /// The encoding of the text; `None` where it is no text, or nothing but ASCII came so far.
    pub encoding: Option<Encoding>,
    /// The kind of file.
    pub kind: catalog::FormatKind,
    /// How delimited cells are written; `None`: the kind has other cells.
    pub dialect: Option<Box<Dialect>>,
    /// Whether the first row named the columns.
    pub has_header: bool,
    /// The names of the columns, each once.
    pub columns: Vec<String>,
    /// What led to each of these, for people.
    pub evidence: Vec<String>,
}

impl Detected {
    /// A file whose rows bring the names of their columns along.
    fn of_values(
        compression: Compression,
        kind: catalog::FormatKind,
        columns: Vec<String>,
        evidence: Vec<String>,
    ) -> Self {
        Self {
            compression,
            archive: None,
            encoding: None,
            kind,
            dialect: None,
            has_header: false,
            columns,
            evidence,
        }
    }

    /// Whether reading can begin between two rows, in the decompressed bytes. Other kinds are read
    /// from their beginning.
    fn goes_on_in_the_middle(&self) -> bool {
        self.archive.is_none()
            && matches!(self.kind, catalog::FormatKind::Csv | catalog::FormatKind::Jsonl)
    }

    /// Whether the place between two rows that [`Rows::position`] gave is a place in the bytes of the
    /// file, too: those of no archive, uncompressed, and in UTF-8 so far.
    pub fn can_seek(&self, at: Position) -> bool {
        self.compression == Compression::None
            && self.goes_on_in_the_middle()
            && at.encoding.or(self.encoding).is_none_or(|encoding| encoding == Encoding::UTF_8)
    }

    /// The place in the stored bytes at which to begin reading for [`resume`] at `at`.
    pub fn seek(&self, at: Position) -> u64 {
        if self.can_seek(at) { at.byte_offset } else { 0 }
    }

    /// Whether it is of use, and takes up little room, where it is kept with the place at which reading
    /// goes on.
    pub fn is_worth_keeping(&self) -> bool {
        const SMALL: usize = 32 << 10;
        // The names are in the header, too, and each column has a class.
        let length = self.columns.iter().map(|name| 2 * name.len() + 20).sum::<usize>();
        self.goes_on_in_the_middle() && length < SMALL
    }
}

/// What is known of a file besides its bytes. Where the bytes decide, hints decide nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'a> {
    /// The key or file name; empty if unknown.
    pub name: &'a str,
    /// How the file is expected to be written, as the one before was; `None`: none came before.
    pub expected: Option<&'a Expected>,
    /// The columns of which the definition says something: the row that names them is the header.
    pub fields: &'a [catalog::Field],
}

impl<'a> Hints<'a> {
    /// Nothing is known but the name.
    pub fn named(name: &'a str) -> Self {
        Self { name, ..Self::default() }
    }
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
    /// What was found out on the way, for people.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The rows of one file, one at a time.
pub struct Rows {
    reader: AnyReader,
    /// The encoding, as soon as it is decided on, and whether it was when the file was opened.
    decided: Decided,
    told: bool,
    /// There are no more rows. (Delimited cells know it themselves.)
    ended: bool,
}

/// Delimited cells without a detour, as there are most of them; and all other kinds.
// There is one of these for a file: its size does not matter, and a detour for each row does.
#[allow(clippy::large_enum_variant)]
enum AnyReader {
    Csv(Box<csv::Reader>),
    Other(Box<dyn Reader>),
}

impl Rows {
    fn of(reader: AnyReader, decided: Option<Decided>) -> Self {
        let decided = decided.unwrap_or_default();
        let told = decided.get().is_some();
        Self { reader, decided, told, ended: false }
    }

    /// The next row; `None` at the end of the file. An error ends the file.
    // Not an `Iterator`: a row is lent, and only until the next call.
    #[allow(clippy::should_implement_trait)]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Row<'_>>, FormatError> {
        match &mut self.reader {
            AnyReader::Csv(csv) => Ok(if csv.advance()? { Some(csv.row()) } else { None }),
            AnyReader::Other(other) => {
                Ok(if advance(&mut **other, &mut self.ended)? { Some(other.row()) } else { None })
            }
        }
    }

    /// Goes to the next row; `false` at the end.
    fn advance(&mut self) -> Result<bool, FormatError> {
        match &mut self.reader {
            AnyReader::Csv(csv) => csv.advance(),
            AnyReader::Other(other) => advance(&mut **other, &mut self.ended),
        }
    }

    /// The current row.
    fn row(&self) -> Row<'_> {
        match &self.reader {
            AnyReader::Csv(csv) => csv.row(),
            AnyReader::Other(other) => other.row(),
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

    /// What was found out since the file was opened, for people: members of an archive that were
    /// passed over, an encoding that showed late. It is complete at the end of the file.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = match &self.reader {
            AnyReader::Csv(_) => Vec::new(),
            AnyReader::Other(other) => other.remarks(),
        };
        let late = self.decided.get().filter(|found| !self.told && !found.why.is_empty());
        remarks.extend(late.map(|found| found.why.clone()));
        remarks
    }
}

/// Goes to the next row, and no further than to the first error: what a reader would find behind it is
/// nothing that was meant.
fn advance(reader: &mut dyn Reader, ended: &mut bool) -> Result<bool, FormatError> {
    if *ended {
        return Ok(false);
    }
    let advanced = reader.advance();
    *ended = !matches!(advanced, Ok(true));
    advanced
}

/// What a file and all that is within it are opened with.
#[derive(Clone)]
struct Opening {
    settings: Arc<catalog::Format>,
    limits: Limits,
    /// The key or file name, or the path of the member.
    name: String,
    /// The path of the member that is an archive itself, with a slash; empty outside of archives.
    within: String,
    expected: Option<Expected>,
    fields: Arc<[catalog::Field]>,
    /// Archives that may still lie within one another.
    archives_left: u32,
}

impl Opening {
    /// The path of a member from the file on, not from the archive that it is in.
    fn path_of(&self, member: &str) -> String {
        format!("{}{member}", self.within)
    }

    /// The same for a member.
    fn of_member(&self, member: &str) -> Self {
        let name = self.path_of(member);
        Self { within: format!("{name}/"), name, ..self.clone() }
    }
}

/// Whether a file that begins so may hold far more than it looks, or take long to open: it is
/// compressed, an archive, or no text at all.
pub fn may_expand(first: &[u8]) -> bool {
    Compression::of(first) != Compression::None
        || sniff::is_binary(first)
        || sniff::archive(first).is_some()
}

/// Opens a file: undoes its compression, finds out what it is where the settings do not say, and
/// reads up to its first row.
pub fn open(
    input: impl Read + Send + 'static,
    hints: Hints<'_>,
    settings: &catalog::Format,
    limits: Limits,
) -> Result<(Rows, Detected), FormatError> {
    let (input, compression) = Input::open(Box::new(input), limits)?;
    let opening = Opening {
        settings: Arc::new(settings.clone()),
        limits,
        name: hints.name.to_owned(),
        within: String::new(),
        expected: hints.expected.cloned(),
        fields: hints.fields.into(),
        archives_left: limits.max_archive_nesting,
    };
    open_input(input, compression, &opening)
}

/// Opens a file within a file, whose meter counts for both.
fn open_within(
    input: Box<dyn Read + Send>,
    meter: Arc<Meter>,
    opening: &Opening,
) -> Result<(Rows, Detected), FormatError> {
    let (input, compression) = Input::open_within(input, meter)?;
    open_input(input, compression, opening)
}

fn open_input(
    mut input: Input,
    compression: Compression,
    opening: &Opening,
) -> Result<(Rows, Detected), FormatError> {
    let mut evidence = Vec::new();
    evidence.extend(compression.evidence().map(str::to_owned));
    if compression == Compression::None
        && let Some(compression) =
            Compression::cut_short(input.peek(Compression::HEAD)?, &opening.name)
    {
        return Err(FormatError::Truncated { compression, expanded: 0 });
    }
    if let Some((archive, why)) = sniff::archive(input.peek(sniff::SAMPLE)?) {
        evidence.push(why.to_owned());
        return archive::open(archive, compression, input, opening, evidence);
    }
    let (settings, limits) = (&*opening.settings, opening.limits);
    let (expected, fields) = (opening.expected.as_ref(), &*opening.fields);
    let hints = Hints { name: &opening.name, expected, fields };
    let (mut input, decided) = encoding::open(input, hints, settings, &mut evidence)?;
    let early = decided.get().is_some();
    let kind = sniff::kind(input.peek(sniff::SAMPLE)?, hints, settings, &mut evidence)?;
    let (reader, mut detected) = match kind {
        catalog::FormatKind::Csv => {
            let (csv, detected) = csv::open(input, compression, hints, settings, limits, evidence)?;
            (AnyReader::Csv(Box::new(csv)), detected)
        }
        catalog::FormatKind::Json => {
            let (json, detected) = json::open(input, compression, settings, limits, evidence)?;
            (AnyReader::Other(json), detected)
        }
        // A path leads through documents, whether each has a line of its own or not.
        catalog::FormatKind::Jsonl if settings.rows.is_some() => {
            let (json, detected) = json::open(input, compression, settings, limits, evidence)?;
            (AnyReader::Other(json), detected)
        }
        catalog::FormatKind::Jsonl => {
            let (lines, detected) = json::open_lines(input, compression, limits, evidence)?;
            (AnyReader::Other(lines), detected)
        }
        catalog::FormatKind::Xml => {
            let (xml, detected) = xml::open(input, compression, settings, limits, evidence)?;
            (AnyReader::Other(xml), detected)
        }
        catalog::FormatKind::Excel => {
            let (sheets, detected) =
                excel::open(input, compression, hints, settings, limits, evidence)?;
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
        catalog::FormatKind::Document => {
            let (document, detected) =
                document::open(input, compression, hints, settings, &limits, evidence)?;
            (AnyReader::Other(document), detected)
        }
    };
    if let Some(found) = decided.get() {
        detected.encoding = Some(found.encoding);
        if !early {
            detected.evidence.push(found.why.clone());
        }
    }
    Ok((Rows::of(reader, Some(decided)), detected))
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
    if let Some(detected) = detected.filter(|detected| detected.goes_on_in_the_middle()) {
        let offset = detected.seek(at);
        let input = Input::begin(Box::new(input), detected.compression, limits);
        let encoding = at.encoding.or(detected.encoding);
        let (mut input, decided) = encoding::resume(input, hints, offset, encoding);
        input.skip(at.byte_offset - offset)?;
        let reader = match detected.kind {
            catalog::FormatKind::Jsonl => AnyReader::Other(json::resume_lines(input, at, limits)?),
            _ => AnyReader::Csv(Box::new(csv::resume(input, detected, at, limits)?)),
        };
        return Ok((Rows::of(reader, Some(decided)), detected.clone()));
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
