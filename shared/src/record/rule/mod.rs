//! What a definition says of one field, ready for use: how a cell becomes its value.

mod define;
mod message;

pub(crate) use self::define::{Unfit, problems_of_field, problems_of_reading};

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;

use jiff::tz::TimeZone;
use regex::Regex;

use self::define::same;
use crate::catalog::{FieldType, MissingColumns};
use crate::record::buffer::Buffer;
use crate::record::numeral::{self, Numerals};
use crate::record::reject::RejectCode;
use crate::record::token::{self, Token};
use crate::record::{datetime, json, scalar};

/// How a cell becomes the value of a field.
#[derive(Clone, Debug, Default)]
pub(super) struct Rule {
    pub(super) kind: Option<FieldType>,
    pub(super) required: bool,
    pub(super) unique: bool,
    formats: Vec<String>,
    zone: Option<TimeZone>,
    nulls: Option<Vec<String>>,
    /// The words for true and those for false.
    words: Option<(Vec<String>, Vec<String>)>,
    numerals: Option<Numerals>,
    trim: bool,
    /// A text is the value, whatever it is.
    verbatim: bool,
    /// The value where there is none, as JSON.
    pub(super) default: Option<Vec<u8>>,
    /// The only values, as JSON.
    allowed: Option<HashSet<Vec<u8>>>,
    pattern: Option<Regex>,
    /// The least and the greatest value, as they are written downstream, and as the definition has
    /// them.
    min: Option<(Vec<u8>, String)>,
    max: Option<(Vec<u8>, String)>,
    min_length: Option<u64>,
    max_length: Option<u64>,
}

/// Buffers that are used again and again.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    text: Vec<u8>,
    number: Vec<u8>,
}

/// Whether a field has a value of its own, or what is in place of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Own,
    Filled,
}

impl Rule {
    /// Whether a cell's type alone says what becomes of it.
    pub(super) fn is_plain(&self) -> bool {
        let Self {
            kind: _,
            required: _,
            unique,
            formats: _,
            zone,
            nulls,
            words,
            numerals,
            trim,
            verbatim: _,
            default,
            allowed,
            pattern,
            min,
            max,
            min_length,
            max_length,
        } = self;
        let reading = zone.is_some()
            || nulls.is_some()
            || words.is_some()
            || numerals.is_some()
            || (*trim && self.is_text());
        !(reading
            || *unique
            || default.is_some()
            || allowed.is_some()
            || pattern.is_some()
            || min.is_some()
            || max.is_some()
            || min_length.is_some()
            || max_length.is_some())
    }

    /// Whether the text of a cell is the value.
    pub(super) fn is_text(&self) -> bool {
        matches!(self.kind, None | Some(FieldType::Text))
    }

    /// Whether values are checked beyond their type.
    fn has_checks(&self) -> bool {
        self.allowed.is_some()
            || self.pattern.is_some()
            || self.min_length.is_some()
            || self.max_length.is_some()
    }

    /// Appends the value of a cell whose type alone says what becomes of it.
    #[inline]
    pub(super) fn write_plain(&self, cell: &[u8], out: &mut Buffer) -> Result<(), RejectCode> {
        let trimmed = trim(cell);
        if trimmed.is_empty() {
            if self.required {
                return Err(RejectCode::MissingValue);
            }
            match self.is_text() {
                true => json::string(out, cell),
                false => out.extend_from_slice(b"null"),
            }
            return Ok(());
        }
        let written = match self.kind {
            None | Some(FieldType::Text) => {
                json::string(out, cell);
                true
            }
            Some(FieldType::Integer) => scalar::integer(out, trimmed),
            Some(FieldType::Decimal) => scalar::decimal(out, trimmed),
            Some(FieldType::Number) => scalar::number(out, trimmed),
            Some(FieldType::Boolean) => scalar::boolean(out, trimmed),
            Some(FieldType::Date) => datetime::date(out, trimmed, &self.formats),
            Some(FieldType::Email) => scalar::email(out, trimmed),
            Some(_) => return self.convert(trimmed, out, &mut Scratch::default()),
        };
        if written { Ok(()) } else { Err(RejectCode::of_type(self.kind)) }
    }

    /// Appends the value of a cell of text.
    pub(super) fn write(
        &self,
        cell: &[u8],
        out: &mut Buffer,
        scratch: &mut Scratch,
    ) -> Result<Written, RejectCode> {
        let cell = self.trimmed(cell);
        if self.is_null(cell) {
            return self.write_null(out);
        }
        let start = out.len();
        self.convert(cell, out, scratch)?;
        if trim(cell).is_empty() {
            // It stays as it is written, and is nobody's value: `required` says that there must be one.
            return Ok(Written::Filled);
        }
        self.check(cell, &out.as_slice()[start..])?;
        Ok(Written::Own)
    }

    /// Appends the value of a cell that is JSON.
    pub(super) fn write_json(
        &self,
        cell: &[u8],
        out: &mut Buffer,
        scratch: &mut Scratch,
    ) -> Result<Written, RejectCode> {
        let text = match Token::of(cell) {
            Token::Absent | Token::Null => return self.write_null(out),
            Token::Nested => match self.kind {
                Some(FieldType::Json) => return copied(out, cell),
                None if !self.has_checks() => return copied(out, cell),
                _ => return Err(RejectCode::NestedValue),
            },
            Token::String(_) if self.verbatim && !self.required => return copied(out, cell),
            Token::String(inside) => {
                let mut text = std::mem::take(&mut scratch.text);
                let written = match token::unescape(inside, &mut text) {
                    Some(text) => match self.write(text, out, scratch) {
                        Err(RejectCode::InvalidDate | RejectCode::InvalidDatetime) => {
                            self.write_typed(trim(text), out)
                        }
                        written => written,
                    },
                    None => Err(RejectCode::InvalidUtf8),
                };
                scratch.text = text;
                return written;
            }
            Token::Boolean(text) | Token::Number(text) => text,
        };
        if self.is_null(text) {
            return self.write_null(out);
        }
        let start = out.len();
        match self.kind {
            None => out.extend_from_slice(text),
            Some(FieldType::Boolean) if matches!(text, b"true" | b"false") => {
                out.extend_from_slice(text);
            }
            // What a text with an exponent means is not said; a number is one however it is written.
            Some(FieldType::Decimal) => {
                if !scalar::typed_decimal(out, text) {
                    return Err(RejectCode::InvalidDecimal);
                }
            }
            // A number of JSON has a point, whatever numbers in text have.
            Some(FieldType::Integer | FieldType::Number) => {
                self.convert_number(text, out)?;
            }
            _ => self.convert(text, out, scratch)?,
        }
        self.check(text, &out.as_slice()[start..])?;
        Ok(Written::Own)
    }

    /// Appends a date that is one in the file, and not a text: neither does it have to be written as
    /// `format` says of texts, nor does a date have to lack its midnight.
    fn write_typed(&self, text: &[u8], out: &mut Buffer) -> Result<Written, RejectCode> {
        let start = out.len();
        let written = match self.kind {
            Some(FieldType::Date) => datetime::typed_date(out, text),
            Some(FieldType::Datetime) => datetime::typed_datetime(out, text, self.zone.as_ref()),
            _ => false,
        };
        if !written {
            return Err(RejectCode::of_type(self.kind));
        }
        self.check(text, &out.as_slice()[start..])?;
        Ok(Written::Own)
    }

    /// Appends what stands where there is no value.
    pub(super) fn write_null(&self, out: &mut Buffer) -> Result<Written, RejectCode> {
        match &self.default {
            Some(default) => out.extend_from_slice(default),
            None if self.required => return Err(RejectCode::MissingValue),
            None => out.extend_from_slice(b"null"),
        }
        Ok(Written::Filled)
    }

    /// The text of a cell as far as it counts.
    pub(super) fn trimmed<'t>(&self, cell: &'t [u8]) -> &'t [u8] {
        if self.trim || !self.is_text() { trim(cell) } else { cell }
    }

    fn is_null(&self, cell: &[u8]) -> bool {
        let trimmed = trim(cell);
        if trimmed.is_empty() && (!self.is_text() || self.required || self.default.is_some()) {
            return true;
        }
        let nulls = self.nulls.as_deref().unwrap_or_default();
        nulls.iter().any(|null| null.as_bytes() == trimmed)
    }

    /// Appends the JSON value of a text that is not null.
    fn convert(
        &self,
        text: &[u8],
        out: &mut Buffer,
        scratch: &mut Scratch,
    ) -> Result<(), RejectCode> {
        let Some(kind) = self.kind else {
            json::string(out, text);
            return Ok(());
        };
        let written = match kind {
            FieldType::Text => {
                json::string(out, text);
                true
            }
            FieldType::Integer | FieldType::Decimal | FieldType::Number => {
                let Some(numerals) = &self.numerals else { return self.convert_number(text, out) };
                let plain = std::str::from_utf8(text)
                    .ok()
                    .and_then(|text| numerals.plain(text, &mut scratch.number));
                return match plain {
                    Some(number) => self.convert_number(number, out),
                    None => Err(RejectCode::of_type(self.kind)),
                };
            }
            FieldType::Boolean => match &self.words {
                None => scalar::boolean(out, text),
                Some((trues, falses)) => {
                    let text = std::str::from_utf8(text).unwrap_or_default();
                    let is = |words: &[String]| words.iter().any(|word| same(word, text));
                    match (is(trues), is(falses)) {
                        (true, _) => out.extend_from_slice(b"true"),
                        (_, true) => out.extend_from_slice(b"false"),
                        _ => return Err(RejectCode::InvalidBoolean),
                    }
                    true
                }
            },
            FieldType::Date => datetime::date(out, text, &self.formats),
            FieldType::Datetime => datetime::datetime(out, text, &self.formats, self.zone.as_ref()),
            FieldType::Time => datetime::time(out, text, &self.formats),
            FieldType::Email => scalar::email(out, text),
            FieldType::Url => scalar::url(out, text),
            FieldType::Uuid => scalar::uuid(out, text),
            FieldType::Json => token::parsed(out, text),
        };
        if written { Ok(()) } else { Err(RejectCode::of_type(self.kind)) }
    }

    fn convert_number(&self, text: &[u8], out: &mut Buffer) -> Result<(), RejectCode> {
        let written = match self.kind {
            Some(FieldType::Integer) => scalar::integer(out, text),
            Some(FieldType::Decimal) => scalar::decimal(out, text),
            _ => scalar::number(out, text),
        };
        if written { Ok(()) } else { Err(RejectCode::of_type(self.kind)) }
    }

    /// Whether a value is one that the definition allows.
    fn check(&self, text: &[u8], json: &[u8]) -> Result<(), RejectCode> {
        if let Some(allowed) = &self.allowed
            && !self.is_among(allowed, text, json)
        {
            return Err(RejectCode::ValueNotAllowed);
        }
        if self.pattern.is_some() || self.min_length.is_some() || self.max_length.is_some() {
            let text = std::str::from_utf8(text).map_err(|_| RejectCode::InvalidUtf8)?;
            if self.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(text)) {
                return Err(RejectCode::PatternMismatch);
            }
            let length = text.chars().count() as u64;
            if self.min_length.is_some_and(|least| length < least)
                || self.max_length.is_some_and(|most| length > most)
            {
                return Err(RejectCode::WrongLength);
            }
        }
        let value = comparable(json);
        let below = |(min, _): &(Vec<u8>, _)| self.compare(value, min) == Ordering::Less;
        let above = |(max, _): &(Vec<u8>, _)| self.compare(value, max) == Ordering::Greater;
        if self.min.as_ref().is_some_and(below) || self.max.as_ref().is_some_and(above) {
            return Err(RejectCode::OutOfRange);
        }
        Ok(())
    }

    fn is_among(&self, allowed: &HashSet<Vec<u8>>, text: &[u8], json: &[u8]) -> bool {
        allowed.contains(json)
            || match self.kind {
                // Values of any type count by how they are written.
                None => {
                    let mut quoted = Buffer::default();
                    json::string(&mut quoted, text);
                    allowed.contains(quoted.as_slice())
                }
                Some(FieldType::Integer | FieldType::Decimal | FieldType::Number) => {
                    let number = unquoted(json);
                    allowed.iter().any(|one| numeral::compare(unquoted(one), number).is_eq())
                }
                Some(_) => false,
            }
    }

    /// What two equal values have in common, however they are written.
    pub(super) fn identity<'v>(&self, json: &'v [u8]) -> Cow<'v, [u8]> {
        match self.kind {
            Some(FieldType::Integer | FieldType::Decimal | FieldType::Number) => {
                Cow::Owned(numeral::canonical(unquoted(json)))
            }
            _ => Cow::Borrowed(json),
        }
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        match self.kind {
            Some(FieldType::Integer | FieldType::Decimal | FieldType::Number) => {
                numeral::compare(a, b)
            }
            _ => a.cmp(b),
        }
    }
}

/// What a field without a column becomes, if anything.
pub(super) fn without_column(
    rule: &Rule,
    missing: MissingColumns,
) -> Result<Option<Vec<u8>>, RejectCode> {
    match (&rule.default, missing) {
        (Some(default), _) => Ok(Some(default.clone())),
        (None, _) if rule.required => Err(RejectCode::MissingColumn),
        (None, MissingColumns::Reject) => Err(RejectCode::MissingColumn),
        (None, MissingColumns::Null) => Ok(Some(b"null".to_vec())),
        (None, MissingColumns::Pass) => Ok(None),
    }
}

/// A cell without the white space around it: programs and people put spaces there that do not break,
/// and others that look like any space.
#[inline]
pub(super) fn trim(cell: &[u8]) -> &[u8] {
    let seen = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    // As nearly all cells are.
    if seen(cell.first()) && seen(cell.last()) { cell } else { trim_slowly(cell) }
}

fn trim_slowly(cell: &[u8]) -> &[u8] {
    match std::str::from_utf8(cell) {
        Ok(text) => text.trim().as_bytes(),
        Err(_) => cell.trim_ascii(),
    }
}

fn copied(out: &mut Buffer, value: &[u8]) -> Result<Written, RejectCode> {
    if token::copy(out, value) { Ok(Written::Own) } else { Err(RejectCode::InvalidUtf8) }
}

/// A number without the quotes that a decimal has.
fn unquoted(json: &[u8]) -> &[u8] {
    match json {
        [b'"', number @ .., b'"'] => number,
        number => number,
    }
}

/// A value as it can be compared: without quotes, the mark of UTC, and zeros that end a fraction of a
/// second.
fn comparable(json: &[u8]) -> &[u8] {
    let [b'"', text @ .., b'"'] = json else { return json };
    let text = text.strip_suffix(b"Z").unwrap_or(text);
    match (memchr::memchr(b':', text), memchr::memrchr(b'.', text)) {
        (Some(_), Some(point)) => {
            let kept = text.iter().rposition(|byte| *byte != b'0').map_or(0, |last| last + 1);
            if kept == point + 1 { &text[..point] } else { &text[..kept] }
        }
        _ => text,
    }
}
