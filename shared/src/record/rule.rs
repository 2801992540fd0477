//! What a definition says of one field, ready for use.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;

use jiff::tz::TimeZone;
use regex::{Regex, RegexBuilder};

use super::buffer::Buffer;
use super::numeral::{self, Numerals};
use super::reject::RejectCode;
use super::token::{self, Token};
use super::{datetime, json, scalar};
use crate::catalog::{Field, FieldType, MissingColumns, Reading, RecordSettings, Role};

/// Memory that one pattern may take, compiled and in use.
const PATTERN_BYTES: usize = 1 << 20;

/// A setting of a field that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    /// The setting.
    pub(crate) setting: &'static str,
    /// What is wrong with it.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) remedy: String,
}

fn unfit(setting: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Unfit {
    Unfit { setting, message: message.into(), remedy: remedy.into() }
}

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

/// What is wrong with how cells are read, as far as one setting tells.
pub(crate) fn problems_of_reading(reading: &Reading) -> Vec<Unfit> {
    let mut rule = Rule::default();
    let mut problems = Vec::new();
    rule.read(reading, &mut problems);
    problems
}

/// What is wrong with a field.
pub(crate) fn problems_of_field(field: &Field, reading: &Reading) -> Vec<Unfit> {
    let settings = RecordSettings { reading: reading.clone(), ..RecordSettings::default() };
    Rule::new(field, &settings).err().unwrap_or_default()
}

impl Rule {
    /// The rule of columns that the definition does not name.
    pub(super) fn of_others(settings: &RecordSettings) -> Result<Self, Vec<Unfit>> {
        Self::new(&Field::default(), settings)
    }

    /// The rule of a field.
    pub(super) fn new(field: &Field, settings: &RecordSettings) -> Result<Self, Vec<Unfit>> {
        let mut problems = inapplicable(field);
        let mut rule = Self {
            kind: field.kind,
            required: field.required || field.role == Some(Role::Id),
            unique: field.unique,
            formats: field.format.clone(),
            min_length: field.min_length,
            max_length: field.max_length,
            ..Self::default()
        };
        rule.read(&over(&field.reading, &settings.reading), &mut problems);
        for format in &field.format {
            if let Some(message) = rule.wrong_format(format) {
                problems.push(unfit("format", message, "write one such as \"%d.%m.%Y %H:%M\""));
            }
        }
        if let Some(pattern) = &field.pattern {
            match compile(pattern) {
                Ok(pattern) => rule.pattern = Some(pattern),
                Err(message) => {
                    let message = format!("pattern is not a regular expression: {message}");
                    problems.push(unfit("pattern", message, "check its brackets and escapes"));
                }
            }
        }
        if let (Some(min), Some(max)) = (field.min_length, field.max_length)
            && min > max
        {
            let message = format!("min_length = {min} is above max_length = {max}");
            problems.push(unfit("min_length", message, "no value can have such a length"));
        }
        if problems.is_empty() {
            rule.set_values(field, &mut problems);
        }
        rule.verbatim = rule.is_text() && rule.is_plain();
        if problems.is_empty() { Ok(rule) } else { Err(problems) }
    }

    /// What is wrong with a strptime pattern: one that cannot read what it writes reads nothing.
    fn wrong_format(&self, format: &str) -> Option<String> {
        let sample = jiff::civil::date(2026, 11, 23).at(16, 45, 56, 789_000_000);
        let sample = sample.to_zoned(TimeZone::UTC).ok()?;
        let text = match jiff::fmt::strtime::format(format, &sample) {
            Ok(text) => text,
            Err(error) => return Some(format!("{format:?} is not a pattern: {error}")),
        };
        let formats = [format.to_owned()];
        let mut out = Buffer::default();
        let (read, what) = match self.kind {
            Some(FieldType::Date) => (datetime::date(&mut out, text.as_bytes(), &formats), "date"),
            Some(FieldType::Time) => (datetime::time(&mut out, text.as_bytes(), &formats), "time"),
            Some(FieldType::Datetime) => {
                (datetime::datetime(&mut out, text.as_bytes(), &formats, None), "date and time")
            }
            // Said already.
            _ => return None,
        };
        (!read).then(|| format!("the pattern {format:?} does not hold a whole {what}"))
    }

    /// Takes in how cells are read.
    fn read(&mut self, reading: &Reading, problems: &mut Vec<Unfit>) {
        self.nulls = reading.null_values.clone();
        self.trim = reading.trim.unwrap_or_default();
        if let Some(nulls) = &mut self.nulls {
            for null in nulls {
                *null = null.trim().to_owned();
            }
        }
        match (&reading.true_values, &reading.false_values) {
            (None, None) => {}
            (Some(trues), Some(falses)) => {
                if let Some(both) = trues.iter().find(|word| falses.iter().any(|w| same(w, word))) {
                    let message = format!("{both:?} is both true and false");
                    problems.push(unfit("false_values", message, "remove it from one of the two"));
                }
                self.words = Some((trues.clone(), falses.clone()));
            }
            (given, _) => {
                let (given, other) = match given {
                    Some(_) => ("true_values", "false_values"),
                    None => ("false_values", "true_values"),
                };
                let remedy = format!("give {other} too");
                problems.push(unfit(given, format!("{given} stands without {other}"), remedy));
            }
        }
        if reading.decimal.is_some() || reading.group.is_some() {
            let numerals =
                Numerals { decimal: reading.decimal.unwrap_or('.'), group: reading.group };
            for (setting, character) in
                [("decimal", Some(numerals.decimal)), ("group", numerals.group)]
            {
                if character.is_some_and(|c| c.is_ascii_alphanumeric() || "+-".contains(c)) {
                    problems.push(unfit(
                        setting,
                        format!("{setting} is a character that numbers are made of"),
                        "use one such as \",\", \".\" or \" \"",
                    ));
                }
            }
            if numerals.group == Some(numerals.decimal) {
                let setting = if reading.group.is_some() { "group" } else { "decimal" };
                problems.push(unfit(
                    setting,
                    format!("decimal and group are both {:?}", numerals.decimal),
                    "give decimal = \",\" with group = \".\"",
                ));
            }
            self.numerals = Some(numerals).filter(|numerals| *numerals != Numerals::PLAIN);
        }
        if let Some(name) = &reading.timezone {
            match TimeZone::get(name) {
                Ok(zone) => self.zone = Some(zone),
                Err(_) => problems.push(unfit(
                    "timezone",
                    format!("{name:?} is not a time zone"),
                    "use a name such as \"Europe/Paris\" or \"UTC\"",
                )),
            }
        }
    }

    /// Takes in the settings that are values of the field's own type.
    fn set_values(&mut self, field: &Field, problems: &mut Vec<Unfit>) {
        let plain = Self { required: false, ..self.clone() };
        let mut value = |setting: &'static str, text: &str| {
            let (mut out, mut scratch) = (Buffer::default(), Scratch::default());
            match plain.convert(text.as_bytes(), &mut out, &mut scratch) {
                Ok(()) => Some(out.into_vec()),
                Err(code) => {
                    let message =
                        format!("{setting} {text:?} is no value: {}", plain.message(code));
                    problems.push(unfit(setting, message, "write it as it would be in the file"));
                    None
                }
            }
        };
        let default = field.default.as_ref().and_then(|text| value("default", text));
        let allowed: Option<HashSet<_>> = field
            .allowed
            .as_ref()
            .map(|texts| texts.iter().filter_map(|text| value("allowed", text)).collect());
        let bound = |json: Vec<u8>, text: &String| (comparable(&json).to_vec(), text.clone());
        let min = field.min.as_ref().and_then(|text| Some(bound(value("min", text)?, text)));
        let max = field.max.as_ref().and_then(|text| Some(bound(value("max", text)?, text)));
        if let (Some((least, min)), Some((most, max))) = (&min, &max)
            && self.compare(least, most) == Ordering::Greater
        {
            let message = format!("min = {min} is above max = {max}");
            problems.push(unfit("min", message, "no value can be between them"));
        }
        (self.allowed, self.min, self.max) = (allowed, min, max);
        if let (Some(json), Some(text)) = (default, &field.default) {
            if let Err(code) = self.check(text.as_bytes(), &json) {
                let message = format!("default {text:?} would be refused: {}", self.message(code));
                problems.push(unfit("default", message, "give one that the field allows"));
            }
            self.default = Some(json);
        }
    }

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
        let trimmed = cell.trim_ascii();
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
                    Some(text) => self.write(text, out, scratch),
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
            // A number of JSON has a point, whatever numbers in text have.
            Some(FieldType::Integer | FieldType::Decimal | FieldType::Number) => {
                self.convert_number(text, out)?;
            }
            _ => self.convert(text, out, scratch)?,
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
        if !self.is_text() {
            return cell.trim_ascii();
        }
        match (self.trim, std::str::from_utf8(cell)) {
            (true, Ok(text)) => text.trim().as_bytes(),
            _ => cell,
        }
    }

    fn is_null(&self, cell: &[u8]) -> bool {
        let trimmed = cell.trim_ascii();
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
            && !allowed.contains(json)
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

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        match self.kind {
            Some(FieldType::Integer | FieldType::Decimal | FieldType::Number) => {
                numeral::compare(a, b)
            }
            _ => a.cmp(b),
        }
    }

    /// What was expected of a cell. Messages never quote the cell: they go to places (logs, the
    /// ledger) where the data itself does not belong; the raw row is in the reject.
    pub(super) fn message(&self, code: RejectCode) -> Cow<'static, str> {
        let formats = || self.formats.join(" or ");
        let with = |text: String| Cow::Owned(text);
        match code {
            RejectCode::InvalidDate if !self.formats.is_empty() => {
                with(format!("not a date of the calendar in the pattern {}", formats()))
            }
            RejectCode::InvalidDatetime if !self.formats.is_empty() => {
                with(format!("not a date and time in the pattern {}", formats()))
            }
            RejectCode::InvalidDatetime if self.zone.is_some() => {
                with(format!("{}, that exists in the time zone", code.meaning()))
            }
            RejectCode::InvalidTime if !self.formats.is_empty() => {
                with(format!("not a time of day in the pattern {}", formats()))
            }
            RejectCode::InvalidBoolean => match &self.words {
                Some((trues, falses)) => {
                    with(format!("not a boolean: {} or {}", trues.join(", "), falses.join(", ")))
                }
                None => code.meaning().into(),
            },
            RejectCode::InvalidInteger | RejectCode::InvalidDecimal | RejectCode::InvalidNumber => {
                let Some(Numerals { decimal, group }) = self.numerals else {
                    return code.meaning().into();
                };
                let group = group.map(|group| format!(", group = {group:?}")).unwrap_or_default();
                with(format!("{}, with decimal = {decimal:?}{group}", code.meaning()))
            }
            RejectCode::OutOfRange => match (&self.min, &self.max) {
                (Some((_, min)), Some((_, max))) => {
                    with(format!("not between min = {min} and max = {max}"))
                }
                (Some((_, min)), None) => with(format!("below min = {min}")),
                (None, Some((_, max))) => with(format!("above max = {max}")),
                (None, None) => code.meaning().into(),
            },
            RejectCode::WrongLength => match (self.min_length, self.max_length) {
                (Some(min), Some(max)) => {
                    with(format!("not of min_length = {min} to max_length = {max} characters"))
                }
                (Some(min), None) => with(format!("shorter than min_length = {min} characters")),
                (None, Some(max)) => with(format!("longer than max_length = {max} characters")),
                (None, None) => code.meaning().into(),
            },
            _ => code.meaning().into(),
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

fn copied(out: &mut Buffer, value: &[u8]) -> Result<Written, RejectCode> {
    if token::copy(out, value) { Ok(Written::Own) } else { Err(RejectCode::InvalidUtf8) }
}

/// Whether two words are the same but for their case.
fn same(a: &str, b: &str) -> bool {
    let lower = |text: &str| text.trim().chars().flat_map(char::to_lowercase).collect::<Vec<_>>();
    a == b || lower(a) == lower(b)
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

/// Settings of one field over those of the source.
fn over(own: &Reading, source: &Reading) -> Reading {
    fn either<T: Clone>(own: &Option<T>, source: &Option<T>) -> Option<T> {
        own.as_ref().or(source.as_ref()).cloned()
    }
    Reading {
        null_values: either(&own.null_values, &source.null_values),
        true_values: either(&own.true_values, &source.true_values),
        false_values: either(&own.false_values, &source.false_values),
        decimal: either(&own.decimal, &source.decimal),
        group: either(&own.group, &source.group),
        trim: either(&own.trim, &source.trim),
        timezone: either(&own.timezone, &source.timezone),
    }
}

/// Settings that mean nothing for the type of the field.
fn inapplicable(field: &Field) -> Vec<Unfit> {
    use FieldType::{Boolean, Date, Datetime, Decimal, Email, Integer, Number, Text, Time, Url};
    let numbers = &[Integer, Decimal, Number][..];
    let ranges = &[Integer, Decimal, Number, Date, Datetime, Time][..];
    let texts = &[Text, Email, Url][..];
    let reading = &field.reading;
    let mut problems = Vec::new();
    for (setting, given, kinds, named) in [
        (
            "format",
            !field.format.is_empty(),
            &[Date, Datetime, Time][..],
            "types date, datetime and time",
        ),
        ("timezone", reading.timezone.is_some(), &[Datetime], "type datetime"),
        ("decimal", reading.decimal.is_some(), numbers, "types integer, decimal and number"),
        ("group", reading.group.is_some(), numbers, "types integer, decimal and number"),
        ("true_values", reading.true_values.is_some(), &[Boolean], "type boolean"),
        ("false_values", reading.false_values.is_some(), &[Boolean], "type boolean"),
        ("trim", reading.trim.is_some(), &[Text], "type text: all others are trimmed"),
        ("min", field.min.is_some(), ranges, "types of numbers, dates and times"),
        ("max", field.max.is_some(), ranges, "types of numbers, dates and times"),
        ("min_length", field.min_length.is_some(), texts, "types text, email and url"),
        ("max_length", field.max_length.is_some(), texts, "types text, email and url"),
    ] {
        let fits = kinds.contains(&field.kind.unwrap_or(Text));
        if !given || fits {
            continue;
        }
        let remedy = match field.kind {
            Some(_) => "remove it".to_owned(),
            None => format!("add one with type = \"…\", or remove {setting}"),
        };
        problems.push(unfit(setting, format!("{setting} is for the {named}"), remedy));
    }
    if field.role == Some(Role::Id) && field.default.is_some() {
        problems.push(unfit("default", "default with role = \"id\"", "every row needs its own id"));
    }
    problems
}

/// A pattern that takes whole texts.
fn compile(pattern: &str) -> Result<Regex, String> {
    let build = |pattern: &str| {
        let mut builder = RegexBuilder::new(pattern);
        builder.size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES).build()
    };
    // By itself first: what is around it must not make it whole.
    let built = build(pattern).and_then(|_| build(&format!("\\A(?:{pattern})\\z")));
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(most) => format!("it takes more than {most} bytes"),
        other => other.to_string().lines().last().unwrap_or_default().to_owned(),
    })
}
