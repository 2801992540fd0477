//! The text of Word documents (.docx): a zip archive of XML (ECMA-376, transitional and strict).
//!
//! Written by hand over `zip` and `quick-xml`: the crates for Word files build a model of the whole
//! document in memory to write it back (docx-rs and its relatives), or have not been kept for years
//! (dotext), while the text is a walk over one part of the archive. Elements are known by their local
//! names, which the strict and the transitional form share.
//!
//! In the text: paragraphs, text boxes, hyperlinks, insertions, tables (a line for each row, a tab between
//! cells), and after it the footnotes and endnotes, each with the number that stands at its place. Not in it:
//! what tracked changes deleted or moved away, comments, headers and footers, field codes.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use zip::ZipArchive;
use zip::result::ZipError;

use super::text::{Gap, Text};
use super::{Meta, said, time};
use crate::format::spool::Spool;
use crate::format::{FormatError, Limit, Limits};

/// Members of the archive. Real documents have hundreds with many pictures.
const MAX_MEMBERS: usize = 20_000;

/// Bytes of one piece of XML: a tag, or the text between two.
const MAX_PIECE: u64 = 8 << 20;

/// Notes whose numbers are remembered.
const MAX_NOTES: usize = 100_000;

/// Reads a Word document.
pub(super) fn read(spool: Spool, text: &mut Text, limits: &Limits) -> Result<Meta, FormatError> {
    let bytes = spool.len();
    let mut archive = Archive::open(spool, limits)?;
    let main = archive.relations("", "_rels/.rels")?.remove("officeDocument");
    let main = main.unwrap_or_else(|| "word/document.xml".to_owned());
    let mut meta = Meta { bytes, ..Meta::default() };
    let mut notes = Notes::default();
    let found = archive.part(&main, |xml| Body::new(text, &mut notes).read(xml, None))?;
    if !found {
        return Err(damaged(format!("it has no part {main}")));
    }
    let (folder, name) = main.rsplit_once('/').unwrap_or(("", &main));
    let beside = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let relations = archive.relations(&beside, &format!("{beside}_rels/{name}.rels"))?;
    for kind in [Note::Foot, Note::End] {
        if let Some(part) = relations.get(kind.relation()).filter(|_| notes.has(kind)) {
            archive.part(part, |xml| Body::new(text, &mut notes).read(xml, Some(kind)))?;
        }
    }
    archive.part("docProps/core.xml", |xml| core(xml, &mut meta))?;
    Ok(meta)
}

fn damaged(problem: impl Into<Box<str>>) -> FormatError {
    FormatError::DocumentDamaged { kind: "Word document", problem: problem.into() }
}

struct Archive<'l> {
    zip: ZipArchive<Spool>,
    /// Bytes that may still be expanded.
    left: u64,
    limits: &'l Limits,
}

impl<'l> Archive<'l> {
    fn open(mut spool: Spool, limits: &'l Limits) -> Result<Self, FormatError> {
        // The list of members is kept in memory, and each of them has this signature.
        if count(&mut spool, b"PK\x01\x02").map_err(FormatError::Read)? > MAX_MEMBERS {
            return Err(damaged(format!("it has more than {MAX_MEMBERS} members")));
        }
        let zip = ZipArchive::new(spool).map_err(|error| unzip(error, "the archive"))?;
        Ok(Self { zip, left: limits.max_document_expanded_bytes, limits })
    }

    /// Reads a part as XML; `false` if there is none of this name.
    fn part(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Xml<'_>) -> Result<(), FormatError>,
    ) -> Result<bool, FormatError> {
        let member = match self.zip.by_name(name) {
            Ok(member) => member,
            Err(ZipError::FileNotFound) => return Ok(false),
            Err(error) => return Err(unzip(error, name)),
        };
        let bounded =
            Bounded { inner: BufReader::new(member), left: self.left, piece: 0, over: None };
        let mut xml = Xml { name, reader: Reader::from_reader(bounded), limits: self.limits };
        xml.reader.config_mut().check_end_names = false;
        read(&mut xml)?;
        self.left = xml.reader.get_ref().left;
        Ok(true)
    }

    /// The parts that another one refers to, by the last word of the relation's type.
    fn relations(
        &mut self,
        folder: &str,
        name: &str,
    ) -> Result<HashMap<String, String>, FormatError> {
        let mut found = HashMap::new();
        self.part(name, |xml| {
            xml.each(|event, depth| {
                let tag = match event {
                    Event::Start(tag) | Event::Empty(tag) => tag,
                    _ => return Ok(Next::On),
                };
                if depth > 2 || tag.local_name().as_ref() != "Relationship" {
                    return Ok(Next::On);
                }
                let attribute = |name| attribute(tag, name);
                let (kind, target) = (attribute("Type"), attribute("Target"));
                if let (Some(kind), Some(target)) = (kind, target)
                    && attribute("TargetMode").as_deref() != Some("External")
                    && found.len() < MAX_MEMBERS
                {
                    let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
                    found.entry(kind).or_insert_with(|| resolved(folder, &target));
                }
                Ok(Next::On)
            })
        })?;
        Ok(found)
    }
}

/// The name of a part that is named from another one in `folder`.
fn resolved(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut steps: Vec<&str> = Vec::new();
    for step in folder.split('/').chain(target.split('/')) {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    steps.join("/")
}

fn unzip(error: ZipError, what: &str) -> FormatError {
    match error {
        ZipError::Io(cause) if cause.kind() != io::ErrorKind::UnexpectedEof => {
            FormatError::Read(cause)
        }
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => {
            FormatError::DocumentEncrypted { kind: "Word document" }
        }
        other => damaged(format!("{what}: {other}")),
    }
}

/// How often `needle` stands in the file.
fn count(spool: &mut Spool, needle: &[u8]) -> io::Result<usize> {
    spool.seek(SeekFrom::Start(0))?;
    let mut buffer = vec![0; 64 << 10];
    let (mut kept, mut found) = (0, 0);
    loop {
        let n = spool.read(&mut buffer[kept..])?;
        if n == 0 {
            break;
        }
        let filled = kept + n;
        found += memchr::memmem::find_iter(&buffer[..filled], needle).count();
        // An occurrence may go on in the next piece; a whole one does not fit into what is kept.
        kept = filled.min(needle.len() - 1);
        buffer.copy_within(filled - kept..filled, 0);
    }
    spool.seek(SeekFrom::Start(0))?;
    Ok(found)
}

/// What is left of a part, within the limits of the document.
struct Bounded<R> {
    inner: R,
    /// Bytes that may still come.
    left: u64,
    /// Bytes since the last event.
    piece: u64,
    over: Option<Over>,
}

#[derive(Clone, Copy)]
enum Over {
    Expanded,
    Piece,
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(into)?;
        self.consume(n);
        Ok(n)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let over = match () {
            () if self.left == 0 => Some(Over::Expanded),
            () if self.piece > MAX_PIECE => Some(Over::Piece),
            () => None,
        };
        let bytes = self.inner.fill_buf()?;
        if over.is_some() && !bytes.is_empty() {
            self.over = over;
            return Err(io::Error::other("over a limit"));
        }
        Ok(bytes)
    }

    fn consume(&mut self, amount: usize) {
        self.left = self.left.saturating_sub(amount as u64);
        self.piece += amount as u64;
        self.inner.consume(amount);
    }
}

/// Whether to go on.
enum Next {
    On,
    /// Pass over what is in the element that just began.
    Skip,
}

/// One part, event by event.
struct Xml<'a> {
    name: &'a str,
    reader: Reader<Bounded<BufReader<zip::read::ZipFile<'a, Spool>>>>,
    limits: &'a Limits,
}

impl Xml<'_> {
    /// Gives each event to `take`, with how many elements are open (a start tag's own one included).
    fn each(
        &mut self,
        mut take: impl FnMut(&Event<'_>, usize) -> Result<Next, FormatError>,
    ) -> Result<(), FormatError> {
        let mut buffer = Vec::new();
        let mut depth = 0_usize;
        // Elements that are open around the one that is passed over.
        let mut skipped: Option<usize> = None;
        loop {
            buffer.clear();
            self.reader.get_mut().piece = 0;
            let event = match self.reader.read_event_into(&mut buffer) {
                Ok(event) => event,
                Err(error) => return Err(self.failed(&error)),
            };
            match &event {
                Event::Eof if depth > 0 => {
                    return Err(damaged(format!("{} ends too early", self.name)));
                }
                Event::Eof => return Ok(()),
                Event::Start(_) => depth += 1,
                Event::DocType(_) => return Err(damaged(format!("{} has a DTD", self.name))),
                _ => {}
            }
            if skipped.is_none() && matches!(take(&event, depth)?, Next::Skip) {
                skipped = Some(depth - 1);
            }
            if let Event::End(_) = event {
                depth = depth.checked_sub(1).ok_or_else(|| {
                    damaged(format!("{} closes an element that is not open", self.name))
                })?;
                if skipped == Some(depth) {
                    skipped = None;
                }
            }
        }
    }

    fn failed(&self, error: &quick_xml::Error) -> FormatError {
        let limit = match self.reader.get_ref().over {
            Some(Over::Expanded) => Limit {
                setting: "max_document_expanded_bytes",
                value: self.limits.max_document_expanded_bytes,
            },
            Some(Over::Piece) => {
                let problem = format!("{} has a piece of more than {MAX_PIECE} bytes", self.name);
                return damaged(problem);
            }
            None => {
                let at = self.reader.error_position();
                return damaged(format!("{}, byte {at}: {error}", self.name));
            }
        };
        FormatError::DocumentLimit { what: "expanded bytes", limit }
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.attributes().filter_map(Result::ok);
    let attribute =
        found.into_iter().find(|attribute| attribute.key.local_name().as_ref() == name)?;
    quick_xml::escape::unescape(&attribute.value).ok().map(|text| text.into_owned())
}

/// The character or the word that a reference stands for.
fn referred(reference: &BytesRef<'_>) -> Option<String> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Some(character.to_string());
    }
    quick_xml::escape::resolve_predefined_entity(reference).map(str::to_owned)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Note {
    Foot,
    End,
}

impl Note {
    fn relation(self) -> &'static str {
        match self {
            Self::Foot => "footnotes",
            Self::End => "endnotes",
        }
    }

    fn element(self) -> &'static str {
        match self {
            Self::Foot => "footnote",
            Self::End => "endnote",
        }
    }
}

/// The numbers of notes, by the order in which the text refers to them.
#[derive(Default)]
struct Notes {
    numbers: HashMap<(Note, String), usize>,
}

impl Notes {
    fn has(&self, kind: Note) -> bool {
        self.numbers.keys().any(|(of, _)| *of == kind)
    }

    fn number(&mut self, kind: Note, id: String) -> Option<usize> {
        let next = self.numbers.len() + 1;
        if next > MAX_NOTES {
            return self.numbers.get(&(kind, id)).copied();
        }
        Some(*self.numbers.entry((kind, id)).or_insert(next))
    }
}

/// Text that is being taken out of one part.
struct Body<'t> {
    text: &'t mut Text,
    notes: &'t mut Notes,
    /// Tables around the current place, and whether the row has a cell before.
    tables: usize,
    cells: usize,
    cell_empty: bool,
    /// Within a cell, a paragraph before was not empty: a space comes before the next word.
    space: bool,
    in_text: bool,
}

impl<'t> Body<'t> {
    fn new(text: &'t mut Text, notes: &'t mut Notes) -> Self {
        text.gap(Gap::Paragraph);
        Self { text, notes, tables: 0, cells: 0, cell_empty: true, space: false, in_text: false }
    }

    /// Reads a part; of notes only those that the text refers to.
    fn read(mut self, xml: &mut Xml<'_>, notes: Option<Note>) -> Result<(), FormatError> {
        xml.each(|event, _| match event {
            Event::Start(tag) => {
                let local = tag.local_name();
                if notes.is_some_and(|kind| local.as_ref() == kind.element()) {
                    return self.note(notes, tag);
                }
                self.start(local.as_ref(), tag)
            }
            Event::Empty(tag) => {
                let local = tag.local_name();
                let next = self.start(local.as_ref(), tag);
                self.end(local.as_ref())?;
                next.map(|_| Next::On)
            }
            Event::End(tag) => self.end(tag.local_name().as_ref()).map(|()| Next::On),
            Event::Text(text) if self.in_text => {
                self.word(&text.xml10_content()).map(|()| Next::On)
            }
            Event::CData(text) if self.in_text => {
                self.word(&text.xml10_content()).map(|()| Next::On)
            }
            Event::GeneralRef(reference) if self.in_text => {
                let text =
                    referred(reference).ok_or_else(|| damaged("an entity is not defined"))?;
                self.word(&text).map(|()| Next::On)
            }
            _ => Ok(Next::On),
        })
    }

    fn note(&mut self, kind: Option<Note>, tag: &BytesStart<'_>) -> Result<Next, FormatError> {
        let number = kind
            .zip(attribute(tag, "id"))
            .and_then(|(kind, id)| self.notes.numbers.get(&(kind, id)));
        let Some(number) = number else { return Ok(Next::Skip) };
        self.text.gap(Gap::Paragraph);
        self.text.push(&format!("[{number}]"))?;
        self.space = true;
        Ok(Next::On)
    }

    fn start(&mut self, name: &str, tag: &BytesStart<'_>) -> Result<Next, FormatError> {
        match name {
            "t" => self.in_text = true,
            "tab" | "ptab" if self.tables > 0 => self.space = !self.cell_empty,
            "tab" | "ptab" => self.text.push("\t")?,
            "br" | "cr" if self.tables > 0 => self.space = !self.cell_empty,
            "br" if attribute(tag, "type").as_deref() == Some("page") => {
                self.text.gap(Gap::Paragraph);
            }
            "br" | "cr" if self.text.at_line_start() => {}
            "br" | "cr" => self.text.gap(Gap::Line),
            "noBreakHyphen" => self.word("\u{2011}")?,
            "footnoteReference" => self.refer(Note::Foot, tag)?,
            "endnoteReference" => self.refer(Note::End, tag)?,
            "p" if self.tables == 0 => self.paragraph(),
            "tbl" => {
                if self.tables == 0 {
                    self.text.gap(Gap::Paragraph);
                }
                self.tables += 1;
            }
            "tr" if self.tables == 1 => {
                self.text.gap(Gap::Line);
                self.cells = 0;
                self.space = false;
            }
            "tc" if self.tables == 1 => {
                if self.cells > 0 {
                    self.text.push("\t")?;
                }
                self.cells += 1;
                self.cell_empty = true;
                self.space = false;
            }
            // The same text in a form for older readers; and what is no longer in the document.
            "Fallback" | "moveFrom" | "del" => return Ok(Next::Skip),
            // How things look: tab stops are in it, too.
            _ if name.ends_with("Pr") => return Ok(Next::Skip),
            _ => {}
        }
        Ok(Next::On)
    }

    fn end(&mut self, name: &str) -> Result<(), FormatError> {
        match name {
            "t" => self.in_text = false,
            "p" if self.tables > 0 => self.space = !self.cell_empty,
            "p" => self.paragraph(),
            "tbl" => {
                self.tables = self.tables.saturating_sub(1);
                if self.tables == 0 {
                    self.space = false;
                    self.text.gap(Gap::Paragraph);
                }
            }
            "tr" if self.tables == 1 => self.text.gap(Gap::Line),
            _ => {}
        }
        Ok(())
    }

    fn paragraph(&mut self) {
        // The number of a note stands on the line of its first paragraph.
        if !self.space {
            self.text.gap(Gap::Paragraph);
        }
    }

    fn refer(&mut self, kind: Note, tag: &BytesStart<'_>) -> Result<(), FormatError> {
        let Some(id) = attribute(tag, "id") else { return Ok(()) };
        match self.notes.number(kind, id) {
            Some(number) => self.word(&format!("[{number}]")),
            None => Ok(()),
        }
    }

    fn word(&mut self, text: &str) -> Result<(), FormatError> {
        if text.is_empty() {
            return Ok(());
        }
        self.cell_empty = false;
        // The space between two paragraphs of a cell, but none where a cell begins.
        if std::mem::take(&mut self.space) && !text.starts_with(char::is_whitespace) {
            self.text.push(" ")?;
        }
        self.text.push(&clean(text))
    }
}

/// XML allows few control characters; line ends within a text are white space.
fn clean(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains(['\n', '\r', '\u{fffe}', '\u{ffff}']) {
        return text.replace(['\n', '\r'], " ").replace(['\u{fffe}', '\u{ffff}'], "").into();
    }
    text.into()
}

/// What the document says of itself.
fn core(xml: &mut Xml<'_>, meta: &mut Meta) -> Result<(), FormatError> {
    let mut value = String::new();
    xml.each(|event, depth| {
        match event {
            Event::Start(_) => value.clear(),
            Event::Text(text) if depth == 2 => value.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) if depth == 2 => {
                value.push_str(&referred(reference).unwrap_or_default());
            }
            Event::End(tag) if depth == 2 => match tag.local_name().as_ref() {
                "title" => meta.title = said(&value),
                "creator" => meta.author = said(&value),
                "language" => meta.language = said(&value),
                "created" => meta.created = time(&value),
                "modified" => meta.modified = time(&value),
                _ => {}
            },
            _ => {}
        }
        Ok(Next::On)
    })
}
