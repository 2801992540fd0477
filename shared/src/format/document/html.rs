//! The text of HTML: what a reader sees, without scripts and styles.
//!
//! A tokenizer is enough for that, so there is no tree: tags are looked at as they come, and memory
//! does not grow with the file.

use std::io::{self, Read};

use html5gum::emitters::{Emitter, naive_next_state};
use html5gum::{Error, IoReader, State, Tokenizer};

use super::plain::Utf8;
use super::text::{Gap, Text};
use super::{Meta, said, time};
use crate::format::input::Input;
use crate::format::{FormatError, Limits, sniff};

/// Bytes of a title, a name or an attribute that are looked at.
const LONGEST: usize = 8 << 10;

/// Whether a file begins as HTML does.
pub(super) fn is_html(sample: &[u8]) -> bool {
    let mut rest = sample.strip_prefix(sniff::BOM).unwrap_or(sample).trim_ascii_start();
    // An XML declaration and comments may come first.
    loop {
        let end: &[u8] = match rest {
            [b'<', b'?', ..] => b"?>",
            [b'<', b'!', b'-', b'-', ..] => b"-->",
            _ => break,
        };
        let Some(at) = memchr::memmem::find(rest, end) else { return false };
        rest = rest[at + end.len()..].trim_ascii_start();
    }
    let begins = |with: &[u8]| {
        let next = rest.get(with.len());
        rest.get(..with.len()).is_some_and(|found| found.eq_ignore_ascii_case(with))
            && next.is_none_or(|next| *next == b'>' || next.is_ascii_whitespace())
    };
    begins(b"<!doctype html") || begins(b"<html")
}

/// Reads HTML.
pub(super) fn read(input: Input, text: &mut Text, limits: &Limits) -> Result<Meta, FormatError> {
    let mut source =
        Source { utf8: Utf8::new(input, limits), piece: Vec::new(), at: 0, failed: None };
    let mut seen = Seen::new(text);
    let ended = Tokenizer::new_with_emitter(IoReader::new(&mut source), &mut seen).finish();
    let Seen { failed, mut meta, title, .. } = seen;
    if let Some(error) = source.failed.or(failed) {
        return Err(error);
    }
    ended.map_err(FormatError::Read)?;
    meta.title = said(&title);
    meta.bytes = source.utf8.bytes;
    Ok(meta)
}

/// The bytes that the tokenizer reads: those of the file, known to be UTF-8.
struct Source {
    utf8: Utf8,
    piece: Vec<u8>,
    at: usize,
    /// Why there are no more. The tokenizer only passes on an [`io::Error`].
    failed: Option<FormatError>,
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() {
            self.piece.clear();
            self.at = 0;
            match self.utf8.next() {
                Ok(Some(piece)) => self.piece.extend_from_slice(piece.as_bytes()),
                Ok(None) => return Ok(0),
                Err(error) => {
                    self.failed = Some(error);
                    return Err(io::Error::other("the input failed"));
                }
            }
        }
        let n = into.len().min(self.piece.len() - self.at);
        into[..n].copy_from_slice(&self.piece[self.at..][..n]);
        self.at += n;
        Ok(n)
    }
}

/// What a tag does to the text around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    /// It stands within a line.
    Inline,
    /// It ends the line.
    Line,
    /// It ends the paragraph.
    Paragraph,
    /// A cell of a table.
    Cell,
    /// What is in it is not seen.
    Hidden,
}

fn flow(name: &[u8]) -> Flow {
    match name {
        b"address" | b"article" | b"aside" | b"blockquote" | b"body" | b"caption" | b"details"
        | b"div" | b"dl" | b"fieldset" | b"figcaption" | b"figure" | b"footer" | b"form"
        | b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" | b"header" | b"hr" | b"main" | b"nav"
        | b"ol" | b"p" | b"pre" | b"section" | b"table" | b"ul" => Flow::Paragraph,
        b"br" | b"dd" | b"dt" | b"legend" | b"li" | b"option" | b"summary" | b"tr" | b"tbody"
        | b"thead" | b"tfoot" => Flow::Line,
        b"td" | b"th" => Flow::Cell,
        b"script" | b"style" | b"template" | b"noscript" | b"iframe" | b"noembed" | b"noframes"
        | b"svg" | b"math" | b"object" | b"canvas" | b"audio" | b"video" => Flow::Hidden,
        _ => Flow::Inline,
    }
}

/// What was seen so far.
struct Seen<'t> {
    text: &'t mut Text,
    failed: Option<FormatError>,
    meta: Meta,
    title: String,
    in_title: bool,
    titled: bool,
    /// The element whose content is not seen, and how many of its name are open.
    hidden: Option<(Vec<u8>, u32)>,
    /// Elements in which white space is text.
    preformatted: u32,
    /// White space came since the last word.
    space: bool,
    /// Cells of the row so far.
    cells: u32,
    cell_empty: bool,
    /// The beginning of a character.
    partial: Vec<u8>,
    // The tag that is being read.
    name: Vec<u8>,
    last_start: Vec<u8>,
    is_end: bool,
    self_closing: bool,
    attribute: Vec<u8>,
    value: Vec<u8>,
    attributes: Attributes,
}

/// The attributes that say something of the document.
#[derive(Default)]
struct Attributes {
    name: Option<String>,
    content: Option<String>,
    lang: Option<String>,
}

impl<'t> Seen<'t> {
    fn new(text: &'t mut Text) -> Self {
        Self {
            text,
            failed: None,
            meta: Meta::default(),
            title: String::new(),
            in_title: false,
            titled: false,
            hidden: None,
            preformatted: 0,
            space: false,
            cells: 0,
            cell_empty: true,
            partial: Vec::new(),
            name: Vec::new(),
            last_start: Vec::new(),
            is_end: false,
            self_closing: false,
            attribute: Vec::new(),
            value: Vec::new(),
            attributes: Attributes::default(),
        }
    }

    fn characters(&mut self, text: &str) -> Result<(), FormatError> {
        if self.in_title {
            if self.title.len() < LONGEST {
                self.title.push_str(&text[..text.floor_char_boundary(LONGEST)]);
            }
            return Ok(());
        }
        if self.hidden.is_some() {
            return Ok(());
        }
        if self.preformatted > 0 {
            for (index, line) in text.split('\n').enumerate() {
                if index > 0 {
                    self.text.push("\n")?;
                }
                self.text.push(line)?;
            }
            return Ok(());
        }
        // White space is one space between words, and none at the ends of a line.
        let is_space = |character: char| matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0c');
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if is_space(first) {
                self.space = true;
                rest = rest.trim_start_matches(is_space);
                continue;
            }
            let (word, after) = rest.split_at(rest.find(is_space).unwrap_or(rest.len()));
            let begins = self.text.at_line_start() || (self.cells > 0 && self.cell_empty);
            if std::mem::take(&mut self.space) && !begins {
                self.text.push(" ")?;
            }
            self.cell_empty = false;
            self.text.push(word)?;
            rest = after;
        }
        Ok(())
    }

    fn tag(&mut self) -> Result<(), FormatError> {
        let name = std::mem::take(&mut self.name);
        let flow = flow(&name);
        if let Some((hidden, open)) = &mut self.hidden {
            if *hidden == name {
                *open = if self.is_end { *open - 1 } else { *open + u32::from(!self.self_closing) };
                if *open == 0 {
                    self.hidden = None;
                }
            }
        } else if name == b"title" {
            // Only the first one is the document's.
            self.in_title = !self.is_end && !self.titled;
            if self.is_end {
                self.titled = true;
            } else if self.titled {
                self.hidden = Some((name.clone(), 1));
            }
        } else if flow == Flow::Hidden {
            if !self.is_end && !self.self_closing {
                self.hidden = Some((name.clone(), 1));
            }
        } else {
            self.visible(&name, flow)?;
        }
        self.name = name;
        Ok(())
    }

    fn visible(&mut self, name: &[u8], flow: Flow) -> Result<(), FormatError> {
        match flow {
            Flow::Inline | Flow::Hidden => {}
            Flow::Line | Flow::Paragraph => {
                // Blocks within a cell are words of its line.
                if self.cells > 0
                    && !matches!(name, b"tr" | b"table" | b"tbody" | b"thead" | b"tfoot")
                {
                    self.space = !self.cell_empty;
                } else if name == b"br" && self.text.at_line_start() {
                    self.text.gap(Gap::Paragraph);
                } else {
                    self.cells = 0;
                    self.space = false;
                    self.text.gap(if flow == Flow::Line { Gap::Line } else { Gap::Paragraph });
                }
            }
            Flow::Cell if self.is_end => {}
            Flow::Cell => {
                self.space = false;
                if self.cells > 0 {
                    self.text.push("\t")?;
                }
                self.cells += 1;
                self.cell_empty = true;
            }
        }
        match (name, self.is_end) {
            (b"pre" | b"textarea", false) => self.preformatted += 1,
            (b"pre" | b"textarea", true) => self.preformatted = self.preformatted.saturating_sub(1),
            (b"html", false) => self.meta.language = self.attributes.lang.as_deref().and_then(said),
            (b"meta", false) => self.said(),
            _ => {}
        }
        Ok(())
    }

    /// What a `meta` element says.
    fn said(&mut self) {
        let Attributes { name: Some(name), content: Some(content), .. } = &self.attributes else {
            return;
        };
        let meta = &mut self.meta;
        match name.to_ascii_lowercase().as_str() {
            "author" | "dc.creator" if meta.author.is_none() => meta.author = said(content),
            "date" | "dcterms.created" | "article:published_time" if meta.created.is_none() => {
                meta.created = time(content);
            }
            "last-modified" | "dcterms.modified" | "article:modified_time"
                if meta.modified.is_none() =>
            {
                meta.modified = time(content);
            }
            _ => {}
        }
    }

    fn end_attribute(&mut self) {
        let value = || Some(String::from_utf8_lossy(&self.value).into_owned());
        match self.attribute.as_slice() {
            b"name" | b"property" if self.attributes.name.is_none() => {
                self.attributes.name = value()
            }
            b"content" if self.attributes.content.is_none() => self.attributes.content = value(),
            b"lang" | b"xml:lang" if self.attributes.lang.is_none() => {
                self.attributes.lang = value()
            }
            _ => {}
        }
        self.attribute.clear();
        self.value.clear();
    }

    fn note(&mut self, result: Result<(), FormatError>) {
        if let Err(error) = result
            && self.failed.is_none()
        {
            self.failed = Some(error);
        }
    }
}

fn push(into: &mut Vec<u8>, bytes: &[u8]) {
    let room = LONGEST.saturating_sub(into.len());
    into.extend_from_slice(&bytes[..bytes.len().min(room)]);
}

impl Emitter for &mut Seen<'_> {
    /// Nothing: the text goes its own way.
    type Token = std::convert::Infallible;

    fn set_last_start_tag(&mut self, last_start_tag: Option<&[u8]>) {
        self.last_start = last_start_tag.unwrap_or_default().to_vec();
    }

    fn emit_eof(&mut self) {}

    fn emit_error(&mut self, _error: Error) {}

    fn should_emit_errors(&mut self) -> bool {
        false
    }

    fn pop_token(&mut self) -> Option<Self::Token> {
        None
    }

    fn emit_string(&mut self, characters: &[u8]) {
        // After a failure the rest is passed over.
        if self.failed.is_none() {
            // The tokenizer reads in blocks, and a block may end within a character.
            let mut whole = std::mem::take(&mut self.partial);
            whole.extend_from_slice(characters);
            let valid = match std::str::from_utf8(&whole) {
                Ok(_) => whole.len(),
                Err(error) => error.valid_up_to(),
            };
            let rest = whole.split_off(valid);
            let result = self.characters(&String::from_utf8(whole).unwrap_or_default());
            self.note(result);
            self.partial = rest;
        }
    }

    fn init_start_tag(&mut self) {
        self.name.clear();
        self.is_end = false;
        self.self_closing = false;
        self.attributes = Attributes::default();
    }

    fn init_end_tag(&mut self) {
        self.init_start_tag();
        self.is_end = true;
    }

    fn emit_current_tag(&mut self) -> Option<State> {
        self.end_attribute();
        if self.failed.is_none() {
            let result = self.tag();
            self.note(result);
        }
        if self.is_end {
            return None;
        }
        self.last_start.clone_from(&self.name);
        naive_next_state(&self.name)
    }

    fn set_self_closing(&mut self) {
        self.self_closing = true;
    }

    fn push_tag_name(&mut self, name: &[u8]) {
        push(&mut self.name, name);
    }

    fn init_attribute(&mut self) {
        self.end_attribute();
    }

    fn push_attribute_name(&mut self, name: &[u8]) {
        push(&mut self.attribute, name);
    }

    fn push_attribute_value(&mut self, value: &[u8]) {
        push(&mut self.value, value);
    }

    fn current_is_appropriate_end_tag_token(&mut self) -> bool {
        self.is_end && !self.last_start.is_empty() && self.last_start == self.name
    }

    // Comments and document types are not looked at.
    fn init_comment(&mut self) {}
    fn emit_current_comment(&mut self) {}
    fn push_comment(&mut self, _comment: &[u8]) {}
    fn init_doctype(&mut self) {}
    fn emit_current_doctype(&mut self) {}
    fn set_force_quirks(&mut self) {}
    fn push_doctype_name(&mut self, _name: &[u8]) {}
    fn set_doctype_public_identifier(&mut self, _value: &[u8]) {}
    fn set_doctype_system_identifier(&mut self, _value: &[u8]) {}
    fn push_doctype_public_identifier(&mut self, _value: &[u8]) {}
    fn push_doctype_system_identifier(&mut self, _value: &[u8]) {}
}
