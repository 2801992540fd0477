//! XML: the elements at one path become rows.
//!
//! The `quick-xml` crate reads the events, one after the other. What it leaves to its user is done
//! here: that there is one root and that it ends, that names are names, that no more than one row is
//! held. What an element becomes is in [`element`].
//!
//! Entities beyond the five of XML, and document types that could define some, are refused: expanding
//! them is how a small file fills a memory.

mod beside;
pub(super) mod detect;
mod element;
mod level;
mod source;

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Error, XmlVersion};

use self::beside::Beside;
use self::element::Element;
use self::source::{Source, Stopped};
use super::heads::Heads;
use super::input::Input;
use super::lines::Lines;
use super::values::{self, Values};
use super::{
    Compression, Detected, FormatError, Head, Limit, Limits, Position, Reader, Row, sniff,
};
use crate::catalog::{self, FormatKind};

/// Rows longer than this are never allowed: places in a row are 32-bit, and a row of JSON may be
/// twice as long as it was in XML.
const MAX_ROW: usize = 1 << 30;

/// Names beside the rows that are remembered.
const BESIDE: usize = 1000;

/// Opens a document of XML.
pub(super) fn open(
    input: Input,
    compression: Compression,
    settings: &catalog::Format,
    mut limits: Limits,
    mut evidence: Vec<String>,
) -> Result<(Box<dyn Reader>, Detected), FormatError> {
    limits.max_row_bytes = limits.max_row_bytes.min(MAX_ROW);
    let mut source = Source::open(input, limits.max_row_bytes, sniff::BOM)?;
    let (path, whole) = match &settings.rows {
        Some(stated) => {
            evidence.push(format!("rows: the elements {stated}, stated"));
            (stated.trim_matches('/').split('/').map(str::to_owned).collect(), true)
        }
        None => find_rows(&mut source, &mut evidence)?,
    };
    let mut reader = XmlReader::new(source, path, settings.rows.clone(), limits);
    reader.doubtful = !whole;
    reader.pending = reader.find_row()?;
    let columns = reader.heads.current().columns.clone();
    let detected = Detected::of_values(compression, FormatKind::Xml, columns, evidence);
    Ok((Box::new(reader), detected))
}

/// The path of the rows by the first bytes, and whether these are the whole text. As long as they do
/// not tell, more of them are looked at: as many as one row may have.
fn find_rows(
    source: &mut Source,
    evidence: &mut Vec<String>,
) -> Result<(Vec<String>, bool), FormatError> {
    loop {
        let outline = detect::outline(source.sample());
        let whole = source.is_whole() && !outline.cut;
        let (path, why) = match outline.rows(whole) {
            level::Rows::Found { path, evidence } => (path, evidence),
            level::Rows::Open { .. } if !outline.cut && source.look_further()? => continue,
            level::Rows::Open { path, evidence } => (path, evidence),
            level::Rows::Ambiguous { offset } => {
                let mut place = source.place(0);
                let before = usize::try_from(offset).unwrap_or(usize::MAX);
                place.pass(source.sample().get(..before).unwrap_or_default());
                return Err(FormatError::RowsAmbiguous {
                    line: place.line,
                    byte_offset: place.offset,
                });
            }
        };
        evidence.push(why);
        return Ok((path, whole));
    }
}

struct XmlReader {
    events: quick_xml::Reader<Source>,
    /// The bytes of the current event.
    bytes: Vec<u8>,
    limits: Limits,
    path: Vec<String>,
    /// The path as it was stated; `None`: it was found in the first bytes.
    stated: Option<String>,
    /// Elements that are open around the rows, and how many of them, from the root, are the path's.
    depth: usize,
    matched: usize,
    /// The parent of rows was seen.
    found: bool,
    began: bool,
    ended: bool,
    /// Names beside the rows, to be told if the path leads nowhere.
    names: Vec<String>,
    /// The rows were found in the first bytes, and there are more.
    doubtful: bool,
    /// The elements around and beside the rows, by the hashes of their paths, and how many of each have
    /// attributes or children; those that are open, and whether they were counted.
    beside: HashMap<u64, usize>,
    open: Vec<(u64, bool)>,
    left_out: Beside,
    element: Element,
    values: Values,
    shape: Vec<u8>,
    heads: Heads,
    rows: u64,
    begins: Lines,
    raw_end: usize,
    /// The current row was looked at but not given out yet.
    pending: bool,
}

/// What became of an event.
enum Step {
    Row,
    On,
    End,
}

/// What is wrong, before its place is known.
enum Wrong {
    /// At the beginning of the event.
    Here(String),
    TooLong,
    TooDeep,
    TooManyColumns,
    TooManyMembers,
    Encoding(String),
    Ambiguous,
}

fn here<T>(problem: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong::Here(problem.into()))
}

impl XmlReader {
    fn new(source: Source, path: Vec<String>, stated: Option<String>, limits: Limits) -> Self {
        let begins = source.place(0);
        let mut events = quick_xml::Reader::from_reader(source);
        events.config_mut().check_end_names = true;
        Self {
            events,
            bytes: Vec::new(),
            limits,
            path,
            stated,
            depth: 0,
            matched: 0,
            found: false,
            began: false,
            ended: false,
            names: Vec::new(),
            beside: HashMap::new(),
            open: Vec::new(),
            left_out: Beside::default(),
            doubtful: false,
            element: Element::default(),
            values: Values::default(),
            shape: Vec::new(),
            heads: Heads::new(),
            rows: 0,
            begins,
            raw_end: 0,
            pending: false,
        }
    }

    fn find_row(&mut self) -> Result<bool, FormatError> {
        if self.ended {
            return Ok(false);
        }
        let mut bytes = std::mem::take(&mut self.bytes);
        loop {
            let in_row = !self.element.is_complete();
            if !in_row {
                self.events.get_mut().mark();
            }
            let before = self.events.get_mut().kept().len();
            bytes.clear();
            let offset = self.events.buffer_position();
            let event = match self.events.read_event_into(&mut bytes) {
                Ok(event) => event,
                Err(error) => {
                    let after = self.events.error_position().saturating_sub(offset);
                    return Err(self.unreadable(&error, before, after));
                }
            };
            let step = self.take(event).and_then(|step| match step {
                Step::Row => self.end_row().map(|()| step),
                step => Ok(step),
            });
            match step {
                Ok(Step::Row) => {
                    self.bytes = bytes;
                    return Ok(true);
                }
                Ok(Step::On) => {}
                Ok(Step::End) => {
                    self.events.get_mut().mark();
                    self.ended = true;
                    return self.end().map(|()| false);
                }
                Err(wrong) => return Err(self.wrong(wrong, before)),
            }
        }
    }

    fn take(&mut self, event: Event<'_>) -> Result<Step, Wrong> {
        let in_row = !self.element.is_complete();
        match event {
            Event::Start(start) => {
                self.start(&start, in_row)?;
                Ok(Step::On)
            }
            Event::Empty(start) => {
                self.start(&start, in_row)?;
                self.close()
            }
            Event::End(_) => self.close(),
            Event::Text(text) if in_row => {
                let text = text.xml10_content();
                check_characters(&text)?;
                self.text(&text, true)
            }
            Event::CData(text) if in_row => {
                let text = text.xml10_content();
                check_characters(&text)?;
                self.text(&text, false)
            }
            Event::GeneralRef(reference) => {
                let text = match reference.resolve_char_ref() {
                    Ok(Some(character)) => String::from(character),
                    Ok(None) => match quick_xml::escape::resolve_predefined_entity(&reference) {
                        Some(text) => text.to_owned(),
                        None => return here(UNKNOWN_ENTITY),
                    },
                    Err(_) => return here("a reference to a character that there is not"),
                };
                check_characters(&text)?;
                if in_row {
                    return self.text(&text, false);
                }
                self.inside_root()
            }
            Event::CData(_) => self.inside_root(),
            Event::Text(text) if !text.trim_ascii().is_empty() => self.inside_root(),
            Event::Text(_) | Event::Comment(_) | Event::PI(_) => Ok(Step::On),
            Event::Decl(declaration) => {
                if self.events.get_mut().place(0).offset > sniff::BOM.len() as u64 || in_row {
                    return here("the declaration of XML stands where the text has begun already");
                }
                match declaration.encoding() {
                    None => Ok(Step::On),
                    Some(Ok(encoding)) if is_read(&encoding) => Ok(Step::On),
                    Some(Ok(encoding)) => Err(Wrong::Encoding(shortened(&encoding))),
                    Some(Err(_)) => here("the declaration of XML cannot be read"),
                }
            }
            Event::DocType(text) => {
                if self.began {
                    return here("a document type stands after the root began");
                }
                if text.contains('[') {
                    return here(
                        "the document type has definitions of its own, which are not read: they could define entities",
                    );
                }
                Ok(Step::On)
            }
            Event::Eof => Ok(Step::End),
        }
    }

    /// Text that is in no row must be in the root.
    fn inside_root(&self) -> Result<Step, Wrong> {
        match self.depth {
            0 => here("text stands outside of the root element"),
            _ => Ok(Step::On),
        }
    }

    fn text(&mut self, text: &str, plain: bool) -> Result<Step, Wrong> {
        self.element.text(text, plain).map_err(|_| Wrong::TooManyMembers)?;
        Ok(Step::On)
    }

    fn start(&mut self, start: &BytesStart<'_>, in_row: bool) -> Result<(), Wrong> {
        let name = start.name();
        let name: &str = name.as_ref();
        check_name(name)?;
        if self.depth + self.element.depth() >= self.limits.max_nesting {
            return Err(Wrong::TooDeep);
        }
        if !in_row {
            if self.depth == 0 && std::mem::replace(&mut self.began, true) {
                return here("a second root element begins");
            }
            if self.doubtful
                && let Some(parent) = self.depth.checked_sub(1)
            {
                self.count(parent)?;
            }
            let leads = self.matched == self.depth
                && self.path.get(self.depth).is_some_and(|step| step == name);
            // No rows are rows, too, if their parent is there.
            self.found |= leads && self.depth + 2 >= self.path.len();
            if !leads && self.matched == self.depth && self.stated.is_none() {
                self.left_out.note(name);
            }
            if !leads || self.depth + 1 < self.path.len() {
                self.pass_over(start)?;
                self.depth += 1;
                self.matched += usize::from(leads);
                return self.attributes(start, false);
            }
            self.begins = self.events.get_mut().place(0);
        }
        self.element.start(name.as_bytes());
        self.attributes(start, true)
    }

    /// Notes an element that is no row.
    fn pass_over(&mut self, start: &BytesStart<'_>) -> Result<(), Wrong> {
        let name = start.name();
        let name: &str = name.as_ref();
        if self.stated.is_some() {
            let told = self.names.len() < 20 && !self.found && self.depth < 2;
            if told && !self.names.iter().any(|known| known == name) {
                self.names.push(shortened(name));
            }
            return Ok(());
        }
        if self.doubtful && self.depth < self.path.len() {
            self.open.truncate(self.depth);
            let mut hasher = DefaultHasher::new();
            (self.open.last().map(|(hash, _)| hash), name).hash(&mut hasher);
            self.open.push((hasher.finish(), false));
            if !start.attributes_raw().trim_ascii().is_empty() {
                self.count(self.depth)?;
            }
        }
        Ok(())
    }

    /// Counts the open element at a depth, which has attributes or children. If there are two around
    /// or beside the rows, then the rows are where they are only because the first bytes did not show
    /// it, and nobody knows which are meant.
    fn count(&mut self, depth: usize) -> Result<(), Wrong> {
        let Some((hash, counted)) = self.open.get_mut(depth) else { return Ok(()) };
        if std::mem::replace(counted, true) {
            return Ok(());
        }
        let hash = *hash;
        if self.beside.len() >= BESIDE && !self.beside.contains_key(&hash) {
            return Ok(());
        }
        let count = self.beside.entry(hash).or_default();
        *count += 1;
        if *count > 1 { Err(Wrong::Ambiguous) } else { Ok(()) }
    }

    fn attributes(&mut self, start: &BytesStart<'_>, in_row: bool) -> Result<(), Wrong> {
        let mut seen = HashSet::new();
        let mut attributes = start.attributes();
        // That compares each with each.
        attributes.with_checks(false);
        for attribute in attributes {
            let Ok(attribute) = attribute else {
                return here("an attribute is not written as name=\"value\"");
            };
            let name = attribute.key.into_inner();
            check_name(name)?;
            if !seen.insert(name) {
                return here(format!("the attribute {} stands there twice", shortened(name)));
            }
            if attribute.value.contains('<') {
                return here("a < stands in the value of an attribute");
            }
            let value = match attribute.normalized_value(XmlVersion::Implicit1_0) {
                Ok(value) => value,
                Err(_) => return here(UNKNOWN_ENTITY),
            };
            check_characters(&value)?;
            if in_row {
                let added = self.element.attribute(name.as_bytes(), &value);
                added.map_err(|_| Wrong::TooManyMembers)?;
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<Step, Wrong> {
        match self.element.depth() {
            0 => {
                self.depth -= 1;
                self.matched = self.matched.min(self.depth);
                Ok(Step::On)
            }
            1 => Ok(Step::Row),
            _ => {
                self.element.end().map_err(|_| Wrong::TooManyMembers)?;
                Ok(Step::On)
            }
        }
    }

    fn end_row(&mut self) -> Result<(), Wrong> {
        let columns = self.element.end_row(&mut self.values, &mut self.shape);
        if columns > self.limits.max_columns {
            return Err(Wrong::TooManyColumns);
        }
        self.raw_end = self.events.get_mut().kept().len();
        if self.raw_end > self.limits.max_row_bytes {
            return Err(Wrong::TooLong);
        }
        let shape = &self.shape;
        let found = self.heads.find(shape, || {
            let names = shape.split(|byte| *byte == b'"').take(columns);
            names.map(|name| String::from_utf8(name.to_vec())).collect::<Result<Vec<_>, _>>()
        });
        if found.is_err() {
            return here("a name is not in UTF-8");
        }
        self.rows += 1;
        Ok(())
    }

    /// The text is at its end: was it a whole document?
    fn end(&mut self) -> Result<(), FormatError> {
        let place = self.events.get_mut().place(0);
        let problem = match () {
            () if self.depth > 0 || !self.element.is_complete() => {
                "the text ends before its elements do"
            }
            () if !self.began => "there is no element in it",
            () if self.found || self.stated.is_none() => return Ok(()),
            () => {
                return Err(FormatError::RowsNotFound {
                    path: self.stated.clone().unwrap_or_default(),
                    found: std::mem::take(&mut self.names),
                });
            }
        };
        Err(xml(&place, problem))
    }

    #[cold]
    fn wrong(&mut self, wrong: Wrong, before: usize) -> FormatError {
        let begins = self.begins;
        let place = self.events.get_mut().place(before);
        let (line, byte_offset) = (place.line, place.offset);
        match wrong {
            Wrong::TooLong => self.row_too_long(),
            Wrong::Here(problem) => xml(&place, problem),
            Wrong::TooDeep => FormatError::TooDeep {
                line,
                byte_offset,
                limit: Limit { setting: "max_nesting", value: self.limits.max_nesting as u64 },
            },
            Wrong::TooManyColumns => FormatError::TooManyColumns {
                line: begins.line,
                byte_offset: begins.offset,
                limit: Limit { setting: "max_columns", value: self.limits.max_columns as u64 },
            },
            Wrong::TooManyMembers => xml(&place, "a row has more than a million elements"),
            Wrong::Encoding(declared) => FormatError::DeclaredEncoding { declared },
            Wrong::Ambiguous => FormatError::RowsAmbiguous { line, byte_offset },
        }
    }

    #[cold]
    fn unreadable(&mut self, error: &Error, before: usize, after: u64) -> FormatError {
        let in_row = !self.element.is_complete();
        let source = self.events.get_mut();
        match source.take_stopped() {
            Some(Stopped::Input(error)) => return error,
            Some(Stopped::TooLong) => {
                if !in_row {
                    self.begins = source.place(0);
                }
                return self.row_too_long();
            }
            None => {}
        }
        let read = &source.kept()[before.min(source.kept().len())..];
        let (after, problem) = match error {
            Error::Encoding(_) => {
                let valid = std::str::from_utf8(read).err().map_or(0, |error| error.valid_up_to());
                (valid, "the text is not in UTF-8".to_owned())
            }
            error => (usize::try_from(after).unwrap_or(0), shortened(&error.to_string())),
        };
        xml(&source.place(before + after), problem)
    }

    #[cold]
    fn row_too_long(&self) -> FormatError {
        let value = self.limits.max_row_bytes as u64;
        FormatError::RowTooLong {
            line: self.begins.line,
            byte_offset: self.begins.offset,
            limit: Limit { setting: "max_row_bytes", value },
        }
    }
}

const UNKNOWN_ENTITY: &str =
    "a reference is neither to a character nor one of &lt; &gt; &amp; &apos; &quot;";

fn xml(place: &Lines, problem: impl Into<String>) -> FormatError {
    FormatError::Xml {
        line: place.line,
        column: place.column(),
        byte_offset: place.offset,
        problem: problem.into(),
    }
}

/// Whether text in this encoding comes as UTF-8: it is decoded before, as its declaration says. Text
/// that is declared as UTF-16 and could be read up to its declaration is not in it any more.
fn is_read(encoding: &str) -> bool {
    let encoding = encoding.to_ascii_lowercase();
    encoding.starts_with("utf-16") || crate::catalog::Encoding::for_label(&encoding).is_some()
}

fn check_characters(text: &str) -> Result<(), Wrong> {
    let allowed = |byte: u8| byte >= 0x20 || matches!(byte, b'\t' | b'\n' | b'\r');
    match text.bytes().all(allowed) {
        true => Ok(()),
        false => here("a control character, which XML does not allow"),
    }
}

fn check_name(name: &str) -> Result<(), Wrong> {
    let letter = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | ':') || !c.is_ascii();
    let follows = |c: char| letter(c) || c.is_ascii_digit() || matches!(c, '-' | '.');
    match name.starts_with(letter) && name.chars().all(follows) {
        true => Ok(()),
        false => here("this is not the name of an element or an attribute"),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl Reader for XmlReader {
    fn advance(&mut self) -> Result<bool, FormatError> {
        if std::mem::take(&mut self.pending) {
            return Ok(true);
        }
        self.find_row()
    }

    fn row(&self) -> Row<'_> {
        let place = values::Place {
            number: self.rows,
            line: Some(self.begins.line),
            byte_offset: Some(self.begins.offset),
        };
        let raw = self.events.get_ref().kept().get(..self.raw_end);
        self.values.row(self.heads.current(), place, raw)
    }

    fn position(&self) -> Position {
        if self.pending {
            let Lines { line, offset, .. } = self.begins;
            return Position { byte_offset: offset, line, row: self.rows - 1, encoding: None };
        }
        let source = self.events.get_ref();
        let place = source.place(source.kept().len());
        Position { byte_offset: place.offset, line: place.line, row: self.rows, encoding: None }
    }

    fn head(&self) -> &Arc<Head> {
        self.heads.current()
    }

    fn remarks(&self) -> Vec<String> {
        self.left_out.remark(&self.path).into_iter().collect()
    }
}

#[cfg(test)]
mod tests;
