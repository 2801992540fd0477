//! Documents for people to read: their text, and what they say of themselves.
//!
//! A document is one row, or one row for each page ([`catalog::Format::pages`]; only PDF has several).
//! Text that is longer than [`catalog::Format::max_text`] goes on in further rows, so that no document
//! is too large for a record: the parts of a text, put together, are the text.
//!
//! Which file is a document: one whose content can be nothing else (PDF, Word, HTML), a text that its
//! name calls Markdown, or HTML when a tag begins it, one named `.txt` that is made of sentences (`prose`),
//! and any text if the source says so (`mode = "document"` or `format.kind = "document"`), because a
//! text file alone may be a table as well.
//!
//! | column | holds |
//! |---|---|
//! | `text` | the text: UTF-8, lines end with LF, an empty line between paragraphs |
//! | `title`, `author`, `created`, `modified`, `language` | what the file says, else `null` |
//! | `pages` | how many pages a PDF has |
//! | `page` | which page this is, from 1 (by page only) |
//! | `part`, `parts` | which part of the text this is, from 1, and of how many |
//! | `has_text` | whether there is any text; a scanned PDF has none |
//! | `content_type`, `bytes` | what the file is, and its size |

mod docx;
mod html;
mod pdf;
mod plain;
mod prose;
mod text;

use std::sync::Arc;

use super::input::Input;
use super::office::{self, Office};
use super::spool::Spool;
use super::values::{Place, Values};
use super::{
    Compression, Detected, Form, FormatError, Head, Hints, Limit, Limits, Position, Reader, Row,
};
use crate::catalog;
use text::{Pages, Text};

/// Bytes of a title or an author that are kept.
const MAX_META: usize = 2_000;

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Pdf,
    Docx,
    Html,
    Markdown,
    Plain,
}

impl Kind {
    fn content_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Html => "text/html",
            Self::Markdown => "text/markdown",
            Self::Plain => "text/plain",
        }
    }
}

/// What a document says of itself.
#[derive(Debug, Default)]
struct Meta {
    title: Option<String>,
    author: Option<String>,
    created: Option<String>,
    modified: Option<String>,
    language: Option<String>,
    pages: Option<u64>,
    bytes: u64,
}

/// Why a file that begins with `sample` can only be a document.
pub(super) fn recognised(sample: &[u8], hints: Hints<'_>) -> Option<&'static str> {
    let Some(kind) = certain(sample, hints) else { return named(sample, hints) };
    Some(match kind {
        Kind::Pdf => "document: the file begins with %PDF-",
        Kind::Docx => "document: the file is a zip archive with parts of a Word document",
        // A page of an error in place of a table is no document.
        _ if TABLES.contains(&extension(&lower(hints)).unwrap_or_default()) => return None,
        _ => "document: the file begins with a tag of HTML",
    })
}

/// Why a text is a document whose content could be a table as well, by its name.
fn named(sample: &[u8], hints: Hints<'_>) -> Option<&'static str> {
    let text = sample.strip_prefix(super::sniff::BOM).unwrap_or(sample).trim_ascii_start();
    // What has another content under such a name is told by its content.
    if super::sniff::is_binary(sample) || memchr::memchr(0, sample).is_some() || text.is_empty() {
        return None;
    }
    match extension(&lower(hints))? {
        "md" | "markdown" => Some("document: the name is one of Markdown"),
        "html" | "htm" | "xhtml" if matches!(text, [b'<', b'a'..=b'z' | b'A'..=b'Z', ..]) => {
            Some("document: the name is one of HTML, and it begins with a tag")
        }
        _ => None,
    }
}

/// Why a text that may be a table is one for people to read: it is named as a text, nothing is known of
/// its cells, and it is made of sentences. `whole`: nothing follows it.
pub(super) fn sentences(
    text: &[u8],
    whole: bool,
    hints: Hints<'_>,
    settings: &catalog::Format,
) -> Option<&'static str> {
    let table = settings.says_how_cells_are_written()
        || !hints.fields.is_empty()
        || hints.expected.is_some_and(|expected| expected.delimiter.is_some());
    let named = matches!(extension(&lower(hints)), Some("txt" | "text"));
    (named && !table && prose::is_prose(text, whole))
        .then_some("document: the name is one of texts, and it is made of sentences")
}

/// Extensions of tables that some programs write as HTML, or get HTML for in place of the table.
const TABLES: [&str; 8] = ["csv", "tsv", "xls", "xlsx", "json", "jsonl", "ndjson", "xml"];

/// Whether the file is a PDF.
pub(super) fn is_pdf(sample: &[u8]) -> bool {
    let first = &sample[..sample.len().min(1024)];
    memchr::memmem::find(first, b"%PDF-").is_some_and(|at| {
        // Some senders put a few lines before it. In a text it would stand between words.
        let before = first[..at].trim_ascii_start();
        before.is_empty() || before.ends_with(b"\n") || before.ends_with(b"\r")
    })
}

fn certain(sample: &[u8], hints: Hints<'_>) -> Option<Kind> {
    if is_pdf(sample) {
        return Some(Kind::Pdf);
    }
    match office::of(sample) {
        Some(Office::Word) => return Some(Kind::Docx),
        // The parts that tell are out of sight.
        Some(Office::Package) if extension(&lower(hints)) == Some("docx") => {
            return Some(Kind::Docx);
        }
        _ => {}
    }
    html::is_html(sample).then_some(Kind::Html)
}

fn lower(hints: Hints<'_>) -> String {
    hints.name.to_ascii_lowercase()
}

/// The extension of a name in lower case, before that of a compression.
fn extension(name: &str) -> Option<&str> {
    let packed = [".gz", ".gzip", ".bz2", ".zst", ".xz"];
    let name = packed.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    name.rsplit_once('.').map(|(_, extension)| extension)
}

fn kind(sample: &[u8], hints: Hints<'_>) -> Kind {
    match (certain(sample, hints), extension(&lower(hints))) {
        (Some(kind @ (Kind::Pdf | Kind::Docx)), _) => kind,
        (_, Some("md" | "markdown")) => Kind::Markdown,
        (_, Some("txt" | "text")) => Kind::Plain,
        (Some(kind), _) => kind,
        (None, Some("html" | "htm" | "xhtml")) => Kind::Html,
        (None, _) => Kind::Plain,
    }
}

/// Files that people drop among documents, and that are none that is read.
fn refuse_others(sample: &[u8]) -> Result<(), FormatError> {
    const SAVE_AS: &str = "Save the document as .docx or PDF, without a password";
    for (signature, found) in [
        (&b"PK\x03\x04"[..], "a zip archive, but not a Word document (.docx)"),
        (b"PK\x05\x06", "an empty zip archive"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "an old Office document (.doc), or one with a password",
        ),
        (b"{\\rtf", "a document in the Rich Text Format"),
        (b"%!PS", "a PostScript file"),
        (b"\x89PNG", "an image"),
        (b"\xff\xd8\xff", "an image"),
        (b"GIF8", "an image"),
        (b"II*\0", "an image"),
        (b"MM\0*", "an image"),
    ] {
        if sample.starts_with(signature) {
            return Err(FormatError::Unsupported { found, remedy: SAVE_AS });
        }
    }
    super::sniff::check_encoding(sample)
}

/// Opens a document and takes out its text.
pub(super) fn open(
    mut input: Input,
    compression: Compression,
    hints: Hints<'_>,
    settings: &catalog::Format,
    limits: &Limits,
    mut evidence: Vec<String>,
) -> Result<(Box<dyn Reader>, Detected), FormatError> {
    let sample = input.peek(super::sniff::SAMPLE)?;
    let kind = kind(sample, hints);
    if !matches!(kind, Kind::Pdf | Kind::Docx) {
        refuse_others(sample)?;
    }
    let mut text = Text::new(settings.pages.unwrap_or(false), limits);
    let meta = match kind {
        Kind::Pdf => pdf::read(spool(input, limits)?, &mut text, limits, &mut evidence)?,
        Kind::Docx => docx::read(spool(input, limits)?, &mut text, limits)?,
        Kind::Html => html::read(input, &mut text, limits)?,
        Kind::Markdown => plain::read(input, true, &mut text, limits)?,
        Kind::Plain => plain::read(input, false, &mut text, limits)?,
    };
    evidence.push(format!("content type {}", kind.content_type()));
    let reader = Document::new(text.finish()?, meta, kind, settings);
    let columns = reader.head.columns.clone();
    let kind = catalog::FormatKind::Document;
    let detected = Detected::of_values(compression, kind, columns, evidence);
    Ok((Box::new(reader), detected))
}

/// The document as a whole, within its limit.
fn spool(input: Input, limits: &Limits) -> Result<Spool, FormatError> {
    let own = Limits { max_spooled_bytes: limits.max_document_bytes, ..*limits };
    Spool::fill(input, &own).map_err(|error| match error {
        FormatError::TooLargeToSpool { .. } => too_large(limits),
        other => other,
    })
}

fn too_large(limits: &Limits) -> FormatError {
    FormatError::DocumentLimit {
        what: "bytes",
        limit: Limit { setting: "max_document_bytes", value: limits.max_document_bytes },
    }
}

/// A text that the document says of itself, on one line and not too long.
fn said(text: &str) -> Option<String> {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.retain(|character| !character.is_control());
    line.truncate(line.floor_char_boundary(MAX_META));
    (!line.is_empty()).then_some(line)
}

/// A time as RFC 3339, or a date, if `text` is one.
fn time(text: &str) -> Option<String> {
    let text = text.trim();
    let valid = text.parse::<jiff::Timestamp>().is_ok()
        || (text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok())
        || (text.len() >= 19 && text.is_ascii() && text.parse::<jiff::civil::DateTime>().is_ok());
    valid.then(|| text.to_owned())
}

/// The rows of a document.
struct Document {
    pages: Pages,
    meta: Meta,
    kind: Kind,
    by_page: bool,
    most: usize,
    head: Arc<Head>,
    values: Values,
    /// The current page, and the page after it if it has no further part.
    page: usize,
    next: usize,
    /// What is left of the page's text, and where its parts end.
    at: u64,
    ends: Vec<u64>,
    part: usize,
    text: String,
    has_text: bool,
    rows: u64,
}

impl Document {
    fn new(pages: Pages, meta: Meta, kind: Kind, settings: &catalog::Format) -> Self {
        let by_page = settings.pages.unwrap_or(false);
        let mut columns: Vec<String> =
            ["text", "title", "author", "created", "modified", "language", "pages"]
                .map(str::to_owned)
                .into();
        if by_page {
            columns.push("page".to_owned());
        }
        columns.extend(["part", "parts", "has_text", "content_type", "bytes"].map(str::to_owned));
        let most = settings.max_text.unwrap_or(catalog::Format::MAX_TEXT);
        Self {
            pages,
            meta,
            kind,
            by_page,
            most: usize::try_from(most).unwrap_or(usize::MAX).max(6),
            head: Arc::new(Head { number: 0, columns, form: Form::Json, part: None }),
            values: Values::default(),
            page: 0,
            next: 0,
            at: 0,
            ends: Vec::new(),
            part: 0,
            text: String::new(),
            has_text: false,
            rows: 0,
        }
    }

    fn begin_page(&mut self) -> Result<bool, FormatError> {
        if self.next >= self.pages.len() {
            return Ok(false);
        }
        self.page = self.next;
        self.next += 1;
        let text = self.pages.page(self.page);
        self.ends = self.pages.parts(text, self.most)?;
        self.at = text.0;
        self.part = 0;
        // Nearly always the first part tells it for all.
        let mut from = self.at;
        self.has_text = false;
        for end in &self.ends {
            self.pages.read((from, *end), &mut self.text)?;
            from = *end;
            self.has_text = self.text.contains(|character: char| !character.is_whitespace());
            if self.has_text {
                break;
            }
        }
        Ok(true)
    }

    fn fill(&mut self) {
        let Self { values, meta, .. } = self;
        values.begin();
        text::quote(&self.text, values.out());
        values.end_cell();
        for said in [&meta.title, &meta.author, &meta.created, &meta.modified, &meta.language] {
            match said {
                Some(said) => text::quote(said, values.out()),
                None => values.out().extend_from_slice(b"null"),
            }
            values.end_cell();
        }
        let mut cell = |value: String| {
            values.out().extend_from_slice(value.as_bytes());
            values.end_cell();
        };
        cell(meta.pages.map_or_else(|| "null".to_owned(), |pages| pages.to_string()));
        if self.by_page {
            cell((self.page + 1).to_string());
        }
        cell(self.part.to_string());
        cell(self.ends.len().to_string());
        cell(self.has_text.to_string());
        cell(format!("\"{}\"", self.kind.content_type()));
        cell(meta.bytes.to_string());
        values.end();
    }
}

impl Reader for Document {
    fn advance(&mut self) -> Result<bool, FormatError> {
        if self.part == self.ends.len() && !self.begin_page()? {
            return Ok(false);
        }
        let Some(end) = self.ends.get(self.part).copied() else { return Ok(false) };
        self.pages.read((self.at, end), &mut self.text)?;
        self.at = end;
        self.part += 1;
        self.rows += 1;
        self.fill();
        Ok(true)
    }

    fn row(&self) -> Row<'_> {
        let place = Place { number: self.rows, line: None, byte_offset: None };
        self.values.row(&self.head, place, None)
    }

    fn position(&self) -> Position {
        Position { row: self.rows, ..Position::default() }
    }

    fn head(&self) -> &Arc<Head> {
        &self.head
    }
}

#[cfg(test)]
mod tests;
