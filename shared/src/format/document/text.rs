//! The text of a document: put together by the reader of its kind, kept in memory or on disk, and
//! given out again in parts.

use std::io::{Read, Seek, SeekFrom, Write};

use tempfile::SpooledTempFile;

use crate::format::{FormatError, Limit, Limits};

/// Bytes of text that are kept in memory.
const IN_MEMORY: usize = 4 << 20;

/// Bytes that are collected before they are kept.
const BUFFER: usize = 64 << 10;

/// What stands between two pieces of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    /// Nothing.
    #[default]
    None,
    /// The end of a line.
    Line,
    /// The end of a paragraph: an empty line.
    Paragraph,
}

/// The text of a document, as it is put together.
pub(super) struct Text {
    by_page: bool,
    file: SpooledTempFile,
    buffer: String,
    kept: u64,
    /// What comes before the next piece. It is written with that piece, so that no page begins or
    /// ends with an empty line.
    gap: Gap,
    /// Where the page begins, and where those before it end.
    page: u64,
    ends: Vec<u64>,
    most: u64,
}

impl Text {
    /// `by_page`: pages stand alone; else a paragraph ends where a page ends.
    pub(super) fn new(by_page: bool, limits: &Limits) -> Self {
        Self {
            by_page,
            file: SpooledTempFile::new(IN_MEMORY),
            buffer: String::with_capacity(BUFFER),
            kept: 0,
            gap: Gap::None,
            page: 0,
            ends: Vec::new(),
            most: limits.max_text_bytes,
        }
    }

    /// Appends text as it is.
    pub(super) fn push(&mut self, text: &str) -> Result<(), FormatError> {
        if text.is_empty() {
            return Ok(());
        }
        let gap = std::mem::take(&mut self.gap);
        if self.len() > self.page {
            match gap {
                Gap::None => {}
                Gap::Line => self.buffer.push('\n'),
                Gap::Paragraph => self.buffer.push_str("\n\n"),
            }
        }
        self.buffer.push_str(text);
        if self.len() > self.most {
            return Err(FormatError::DocumentLimit {
                what: "bytes of text",
                limit: Limit { setting: "max_text_bytes", value: self.most },
            });
        }
        if self.buffer.len() >= BUFFER { self.keep() } else { Ok(()) }
    }

    /// Appends one character.
    pub(super) fn push_char(&mut self, character: char) -> Result<(), FormatError> {
        self.push(character.encode_utf8(&mut [0; 4]))
    }

    /// Ends the line or the paragraph, if there is something to end.
    pub(super) fn gap(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    /// Whether nothing stands on the line yet.
    pub(super) fn at_line_start(&self) -> bool {
        self.gap > Gap::None || self.len() == self.page
    }

    /// Ends the page.
    pub(super) fn end_page(&mut self) {
        if !self.by_page {
            return self.gap(Gap::Paragraph);
        }
        self.gap = Gap::None;
        self.page = self.len();
        self.ends.push(self.page);
    }

    fn len(&self) -> u64 {
        self.kept + self.buffer.len() as u64
    }

    fn keep(&mut self) -> Result<(), FormatError> {
        self.file.write_all(self.buffer.as_bytes()).map_err(FormatError::Read)?;
        self.kept += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// All the text. What is not on a page yet is on the last one.
    pub(super) fn finish(mut self) -> Result<Pages, FormatError> {
        let end = self.len();
        if end > self.page || self.ends.is_empty() {
            self.ends.push(end);
        }
        self.keep()?;
        Ok(Pages { file: self.file, ends: self.ends })
    }
}

/// The text of a document, to be read at any place.
pub(super) struct Pages {
    file: SpooledTempFile,
    /// Where each page ends.
    ends: Vec<u64>,
}

impl Pages {
    /// How many pages that stand alone, at least one.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// From where to where a page goes.
    pub(super) fn page(&self, index: usize) -> (u64, u64) {
        let from = match index.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or_default(),
            None => 0,
        };
        (from, self.ends.get(index).copied().unwrap_or(from))
    }

    /// Ends of the parts of a piece of text: none is longer than `most` bytes as JSON. An empty text
    /// has one part.
    pub(super) fn parts(
        &mut self,
        (from, to): (u64, u64),
        most: usize,
    ) -> Result<Vec<u64>, FormatError> {
        let mut ends = Vec::new();
        let mut at = from;
        let mut window = String::new();
        while at < to {
            // A character takes at least as many bytes in JSON as it has.
            self.read((at, to.min(at + most as u64)), &mut window)?;
            let whole = at + window.len() as u64 == to;
            at += cut(&window, most, whole) as u64;
            ends.push(at);
        }
        if ends.is_empty() {
            ends.push(to);
        }
        Ok(ends)
    }

    /// Reads a piece of text. A character that it would cut in two is left out.
    pub(super) fn read(
        &mut self,
        (from, to): (u64, u64),
        into: &mut String,
    ) -> Result<(), FormatError> {
        let mut bytes = std::mem::take(into).into_bytes();
        bytes.clear();
        self.file.seek(SeekFrom::Start(from)).map_err(FormatError::Read)?;
        (&mut self.file).take(to - from).read_to_end(&mut bytes).map_err(FormatError::Read)?;
        if let Err(error) = std::str::from_utf8(&bytes) {
            bytes.truncate(error.valid_up_to());
        }
        *into = String::from_utf8(bytes).unwrap_or_default();
        Ok(())
    }
}

/// How much of `text` makes a part: all of it if it is `whole` and not too long, else as much as there
/// is room for, up to the last end of a paragraph in the second half of that room, else of a line, else
/// of a word. At least one character.
fn cut(text: &str, most: usize, whole: bool) -> usize {
    let mut room = 0;
    let mut cost = 0;
    for (at, character) in text.char_indices() {
        cost += escaped_len(character);
        if cost > most && at > 0 {
            break;
        }
        room = at + character.len_utf8();
    }
    if whole && room == text.len() {
        return room;
    }
    let bytes = &text.as_bytes()[..room];
    let half = room / 2;
    let after =
        |found: Option<usize>, length: usize| found.map(|at| at + length).filter(|end| *end > half);
    after(memchr::memmem::rfind(bytes, b"\n\n"), 2)
        .or_else(|| after(memchr::memrchr(b'\n', bytes), 1))
        .or_else(|| after(memchr::memrchr(b' ', bytes), 1))
        .unwrap_or(room)
}

/// Bytes of a character within a JSON string as [`quote`] writes it.
fn escaped_len(character: char) -> usize {
    match character {
        '"' | '\\' | '\n' | '\r' | '\t' => 2,
        '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => 6,
        other => other.len_utf8(),
    }
}

/// Appends `text` as a JSON string, without characters that XML (and with it SQS) refuses.
pub(super) fn quote(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut plain = 0;
    for (at, character) in text.char_indices() {
        let length = character.len_utf8();
        if escaped_len(character) == length {
            continue;
        }
        out.extend_from_slice(&text.as_bytes()[plain..at]);
        plain = at + length;
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            other => out.extend_from_slice(format!("\\u{:04x}", u32::from(other)).as_bytes()),
        }
    }
    out.extend_from_slice(&text.as_bytes()[plain..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_end_where_paragraphs_end_and_make_up_the_whole() {
        let paragraph = "One sentence of \"some\" length.\n\n";
        let text = format!("{}{}", paragraph.repeat(40), "ä".repeat(700));
        let mut sink = Text::new(false, &Limits::default());
        sink.push(&text).expect("short");
        let mut pages = sink.finish().expect("kept");
        let whole = pages.page(0);
        let mut from = 0;
        let mut together = String::new();
        let ends = pages.parts(whole, 500).expect("parts");
        for end in &ends {
            let mut part = String::new();
            pages.read((from, *end), &mut part).expect("read");
            let mut json = Vec::new();
            quote(&part, &mut json);
            assert!(json.len() <= 502, "{}", json.len());
            assert_eq!(serde_json::from_slice::<String>(&json).expect("JSON"), part);
            together.push_str(&part);
            from = *end;
        }
        assert_eq!(together, text);
        let mut first = String::new();
        pages.read((0, ends[0]), &mut first).expect("read");
        assert!(first.ends_with(".\n\n"), "{first:?}");
    }

    #[test]
    fn gaps_stand_only_between_texts() {
        let mut text = Text::new(true, &Limits::default());
        text.gap(Gap::Paragraph);
        for piece in ["a", "b"] {
            text.push(piece).expect("short");
            text.gap(Gap::Line);
            text.gap(Gap::Paragraph);
        }
        text.end_page();
        text.push("c").expect("short");
        let mut pages = text.finish().expect("kept");
        let mut read = String::new();
        assert_eq!(pages.len(), 2);
        pages.read(pages.page(0), &mut read).expect("read");
        assert_eq!(read, "a\n\nb");
        pages.read(pages.page(1), &mut read).expect("read");
        assert_eq!(read, "c");
    }

    #[test]
    fn control_characters_are_escaped() {
        let mut json = Vec::new();
        quote("a\0\u{fffe}\u{ffff}\u{1f}é\"\\\t", &mut json);
        assert_eq!(json, "\"a\\u0000\\ufffe\\uffff\\u001fé\\\"\\\\\\t\"".as_bytes());
    }
}
