//! One value of JSON as the cells of one row.
//!
//! * An object is a row with a cell for each key.
//! * An array is a row with the cells `column_1`, `column_2` and so on.
//! * Anything else is a row with the one cell `value`.
//!
//! Of several equal keys each is a cell, too: the second of `a` is `a_2`, as in a header. (RFC 8259, 4:
//! what software makes of them is unpredictable. So none is left out, and none takes the other's place.)
//!
//! Cells are the text of the values as it is in the file, every digit of it. Only where a value has
//! line ends in it, the white space of that row's values is left out.

use super::path::unescape;
use super::problem::JsonProblem;
use super::token::{Kind, Token};
use crate::format::header;
use crate::format::heads::Heads;
use crate::format::row::Span;

/// What is wrong with a row whose syntax is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CellsFault {
    pub(super) problem: JsonProblem,
    /// Bytes from the row's beginning.
    pub(super) at: usize,
}

/// The row has more cells than are allowed.
#[derive(Debug)]
pub(super) struct TooMany;

pub(super) struct Cells {
    max_columns: usize,
    depth: usize,
    /// Which keys, as they are written with their quotes, or how many elements: what the row's head
    /// follows from.
    shape: Vec<u8>,
    keys: Vec<Key>,
    /// Where each value is, from the row's beginning.
    spans: Vec<Span>,
    /// Where the container began that is a value.
    container: usize,
    /// A value is an object or an array.
    nested: bool,
    /// The cells without white space, if they have line ends.
    compact: Vec<u8>,
    compacted: bool,
    /// The first key that an object has more than once.
    repeated: Option<String>,
}

#[derive(Clone, Copy)]
struct Key {
    /// Bytes from the row's beginning.
    at: u32,
    /// Where it ends in the shape.
    end: u32,
}

const OBJECT: u8 = b'{';
const ARRAY: u8 = b'[';
const VALUE: u8 = b'v';

impl Cells {
    pub(super) fn new(max_columns: usize) -> Self {
        Self {
            max_columns,
            depth: 0,
            shape: Vec::new(),
            keys: Vec::new(),
            spans: Vec::new(),
            container: 0,
            nested: false,
            compact: Vec::new(),
            compacted: false,
            repeated: None,
        }
    }

    /// Begins a row.
    pub(super) fn begin(&mut self) {
        self.depth = 0;
        self.shape.clear();
        self.keys.clear();
        self.spans.clear();
        self.nested = false;
        self.compacted = false;
    }

    /// Takes the next token of the row that begins at `row` in the bytes; `true`: the row is
    /// complete.
    #[inline]
    pub(super) fn take(&mut self, token: Token, bytes: &[u8], row: usize) -> Result<bool, TooMany> {
        match token.kind {
            Kind::ObjectBegin | Kind::ArrayBegin => {
                match self.depth {
                    0 => self.shape.push(bytes[token.start]),
                    1 => {
                        self.container = token.start - row;
                        self.nested = true;
                    }
                    _ => {}
                }
                self.depth += 1;
            }
            Kind::ObjectEnd | Kind::ArrayEnd => {
                self.depth -= 1;
                if self.depth == 1 {
                    self.put(self.container, token.end - row)?;
                }
            }
            Kind::Key if self.depth == 1 => {
                self.shape.extend_from_slice(&bytes[token.start..token.end]);
                self.keys
                    .push(Key { at: (token.start - row) as u32, end: self.shape.len() as u32 });
            }
            Kind::Scalar if self.depth == 1 => self.put(token.start - row, token.end - row)?,
            Kind::Scalar if self.depth == 0 => {
                self.shape.push(VALUE);
                self.put(token.start - row, token.end - row)?;
            }
            Kind::Key | Kind::Scalar | Kind::End | Kind::More => {}
        }
        Ok(self.depth == 0)
    }

    #[inline]
    fn put(&mut self, start: usize, end: usize) -> Result<(), TooMany> {
        if self.spans.len() >= self.max_columns {
            return Err(TooMany);
        }
        self.spans.push(Span { start: start as u32, end: end as u32 });
        Ok(())
    }

    /// Ends a row whose bytes these are, and finds its head.
    #[inline]
    pub(super) fn finish(&mut self, row: &[u8], heads: &mut Heads) -> Result<(), CellsFault> {
        if self.shape.first() == Some(&ARRAY) {
            self.shape.extend_from_slice(&self.spans.len().to_ne_bytes());
        }
        let (shape, keys, count) = (&self.shape, &self.keys, self.spans.len());
        let repeated = &mut self.repeated;
        heads.find(shape, || match shape.first() {
            Some(&OBJECT) => names(shape, keys, repeated),
            Some(&ARRAY) => Ok(header::numbered_columns(count)),
            _ => Ok(vec!["value".to_owned()]),
        })?;
        if self.nested && memchr::memchr2(b'\n', b'\r', row).is_some() {
            self.compact(row);
        }
        Ok(())
    }

    #[cold]
    fn compact(&mut self, row: &[u8]) {
        self.compact.clear();
        for span in &mut self.spans {
            let cell = &row[span.start as usize..span.end as usize];
            span.start = self.compact.len() as u32;
            match memchr::memchr2(b'\n', b'\r', cell) {
                Some(_) => without_whitespace(cell, &mut self.compact),
                None => self.compact.extend_from_slice(cell),
            }
            span.end = self.compact.len() as u32;
        }
        self.compacted = true;
    }

    /// What was found out about the keys, for people.
    pub(super) fn remark(&self) -> Option<String> {
        self.repeated.as_ref().map(|key| {
            format!(
                "an object has the key {key:?} more than once: the second is the column \"{key}_2\""
            )
        })
    }

    /// Where the cells are in [`Cells::data`].
    pub(super) fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// What the cells are cut from.
    pub(super) fn data<'a>(&'a self, row: &'a [u8]) -> &'a [u8] {
        if self.compacted { &self.compact } else { row }
    }
}

/// The keys of an object. They are taken as they are, an empty one too: a key is a name that somebody
/// gave.
fn names(
    shape: &[u8],
    keys: &[Key],
    repeated: &mut Option<String>,
) -> Result<Vec<String>, CellsFault> {
    let mut names = Vec::with_capacity(keys.len());
    let mut start = 1;
    for key in keys {
        let written = &shape[start..key.end as usize];
        start = key.end as usize;
        let fault = |problem| CellsFault { problem, at: key.at as usize };
        let Some(name) = unescape(written) else { return Err(fault(JsonProblem::NotUtf8)) };
        names.push(name.into_owned());
    }
    let apart = header::apart(names.clone());
    if repeated.is_none() {
        *repeated =
            names.into_iter().zip(&apart).find(|(key, name)| key != *name).map(|(key, _)| key);
    }
    Ok(apart)
}

/// Appends a valid value without the white space between its tokens.
fn without_whitespace(value: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while at < value.len() {
        let start = at;
        if value[at] == b'"' {
            at += 1;
            while value[at] != b'"' {
                at += if value[at] == b'\\' { 2 } else { 1 };
            }
            at += 1;
        } else {
            while at < value.len() && !matches!(value[at], b'"' | b' ' | b'\t' | b'\n' | b'\r') {
                at += 1;
            }
        }
        out.extend_from_slice(&value[start..at]);
        while at < value.len() && value[at].is_ascii_whitespace() {
            at += 1;
        }
    }
}
