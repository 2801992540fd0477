//! Plain text and Markdown: the text as it is, with LF at the ends of lines.

use super::text::Text;
use super::{Meta, said, time, too_large};
use crate::format::input::Input;
use crate::format::{FormatError, Limits, sniff};

/// Bytes of a Markdown file in which its title is looked for.
const TITLE_WITHIN: usize = 64 << 10;

/// Reads a text.
pub(super) fn read(
    input: Input,
    markdown: bool,
    text: &mut Text,
    limits: &Limits,
) -> Result<Meta, FormatError> {
    let mut beginning = String::new();
    let mut after_cr = false;
    let mut utf8 = Utf8::new(input, limits);
    while let Some(piece) = utf8.next()? {
        // A CR at the end of a piece was written as LF; an LF that follows belongs to it.
        let piece = if after_cr { piece.strip_prefix('\n').unwrap_or(piece) } else { piece };
        after_cr = piece.ends_with('\r');
        let from = beginning.len();
        let room = TITLE_WITHIN.saturating_sub(from);
        if markdown && room > 0 {
            beginning.push_str(&piece[..piece.floor_char_boundary(room)]);
        }
        for (index, line) in piece.split('\r').enumerate() {
            match index {
                0 => text.push(line)?,
                _ => {
                    text.push("\n")?;
                    text.push(line.strip_prefix('\n').unwrap_or(line))?;
                }
            }
        }
    }
    let mut meta = if markdown { front_matter(&beginning) } else { Meta::default() };
    if markdown && meta.title.is_none() {
        meta.title = heading(&beginning);
    }
    meta.bytes = utf8.bytes;
    Ok(meta)
}

/// The bytes of a file as text, piece by piece, without a byte order mark.
pub(super) struct Utf8 {
    input: Input,
    buffer: Vec<u8>,
    /// Bytes at the beginning of the buffer that were given out.
    given: usize,
    /// All bytes so far, and lines before those in the buffer.
    pub(super) bytes: u64,
    lines: u64,
    limits: Limits,
    began: bool,
    ended: bool,
}

const PIECE: usize = 64 << 10;

impl Utf8 {
    pub(super) fn new(input: Input, limits: &Limits) -> Self {
        let buffer = Vec::with_capacity(PIECE);
        Self {
            input,
            buffer,
            given: 0,
            bytes: 0,
            lines: 0,
            limits: *limits,
            began: false,
            ended: false,
        }
    }

    /// The next piece of text; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<&str>, FormatError> {
        self.lines += memchr::memchr_iter(b'\n', &self.buffer[..self.given]).count() as u64;
        self.buffer.drain(..self.given);
        self.given = 0;
        while !self.ended {
            let had = self.buffer.len();
            self.buffer.resize(PIECE, 0);
            let n = self.input.read(&mut self.buffer[had..])?;
            self.buffer.truncate(had + n);
            self.ended = n == 0;
            self.bytes += n as u64;
            if self.bytes > self.limits.max_document_bytes {
                return Err(too_large(&self.limits));
            }
            if !self.began {
                // The first read may give fewer bytes than the mark has.
                if self.buffer.len() < sniff::BOM.len() && !self.ended {
                    continue;
                }
                self.began = true;
                if self.buffer.starts_with(sniff::BOM) {
                    self.buffer.drain(..sniff::BOM.len());
                }
            }
            match std::str::from_utf8(&self.buffer) {
                Ok(_) => self.given = self.buffer.len(),
                // A character may go on in the next piece.
                Err(error) if error.error_len().is_none() && !self.ended => {
                    self.given = error.valid_up_to();
                }
                Err(error) => return Err(self.invalid(error.valid_up_to())),
            }
            if self.given > 0 {
                let text = std::str::from_utf8(&self.buffer[..self.given]);
                return text.map(Some).map_err(|_| FormatError::DocumentDamaged {
                    kind: "text file",
                    problem: "it is not UTF-8".into(),
                });
            }
        }
        Ok(None)
    }

    fn invalid(&self, at: usize) -> FormatError {
        let line = self.lines + memchr::memchr_iter(b'\n', &self.buffer[..at]).count() as u64 + 1;
        let byte_offset = self.bytes - (self.buffer.len() - at) as u64;
        FormatError::DocumentNotUtf8 { line, byte_offset }
    }
}

/// What stands in the lines between `---` at the beginning, if there are such: `key: value` only.
fn front_matter(text: &str) -> Meta {
    let mut meta = Meta::default();
    let mut lines = text.lines();
    if lines.next().map(str::trim_end) != Some("---") {
        return meta;
    }
    let mut found = Meta::default();
    for line in lines {
        if matches!(line.trim_end(), "---" | "...") {
            meta = found;
            break;
        }
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        let unquoted = ['"', '\'']
            .iter()
            .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote))
            .unwrap_or(value);
        match key {
            "title" => found.title = said(unquoted),
            "author" => found.author = said(unquoted),
            "lang" | "language" => found.language = said(unquoted),
            "date" | "created" => found.created = time(unquoted),
            "updated" | "modified" => found.modified = time(unquoted),
            _ => {}
        }
    }
    meta
}

/// The first heading, outside of code.
fn heading(text: &str) -> Option<String> {
    let mut fence: Option<&str> = None;
    let mut before = "";
    for line in text.lines() {
        let line = line.trim();
        let opens = ["```", "~~~"].into_iter().find(|mark| line.starts_with(mark));
        match (fence, opens) {
            (Some(fenced), Some(mark)) if fenced == mark => fence = None,
            (None, Some(mark)) => fence = Some(mark),
            _ => {}
        }
        if fence.is_some() || opens.is_some() {
            before = "";
            continue;
        }
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        let rest = &line[level..];
        if (1..=6).contains(&level) && rest.starts_with([' ', '\t']) {
            let title = rest.trim().trim_end_matches('#');
            if let Some(title) = said(title) {
                return Some(title);
            }
        }
        let underlined = !line.is_empty() && line.bytes().all(|byte| byte == b'=');
        if underlined && !before.is_empty() {
            return said(before);
        }
        before = line;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_of_markdown_is_its_front_matter_or_its_first_heading() {
        for (text, title) in [
            ("# One\n# Two", Some("One")),
            ("text\n\n##  Second level ##\n", Some("Second level")),
            ("#hashtag\n\nUnder\n=====\n", Some("Under")),
            ("```sh\n# a comment\n```\n# Title", Some("Title")),
            ("no title\n", None),
            ("", None),
            ("#\n", None),
        ] {
            assert_eq!(heading(text).as_deref(), title, "{text:?}");
        }
        let meta = front_matter("---\ntitle: \"S3: it\"\nauthor: Ann\ndate: 2026-01-31\n---\n# x");
        assert_eq!(meta.title.as_deref(), Some("S3: it"));
        assert_eq!(meta.author.as_deref(), Some("Ann"));
        assert_eq!(meta.created.as_deref(), Some("2026-01-31"));
        assert_eq!(front_matter("---\ntitle: never closed\n").title, None);
    }
}
