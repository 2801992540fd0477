//! A rule out of a definition: what cannot be meant is told setting by setting.

use std::cmp::Ordering;
use std::collections::HashSet;

use jiff::tz::TimeZone;
use regex::{Regex, RegexBuilder};

use super::{Rule, Scratch, comparable};
use crate::catalog::{Field, FieldType, Reading, RecordSettings, Role};
use crate::record::buffer::Buffer;
use crate::record::datetime;
use crate::record::numeral::Numerals;

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
    pub(in crate::record) fn of_others(settings: &RecordSettings) -> Result<Self, Vec<Unfit>> {
        Self::new(&Field::default(), settings)
    }

    /// The rule of a field.
    pub(in crate::record) fn new(
        field: &Field,
        settings: &RecordSettings,
    ) -> Result<Self, Vec<Unfit>> {
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
            if let Some((message, remedy)) = rule.wrong_format(format) {
                problems.push(unfit("format", message, remedy));
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
    fn wrong_format(&self, format: &str) -> Option<(String, &'static str)> {
        let example = "write one such as \"%d.%m.%Y %H:%M\"";
        let sample = jiff::civil::date(2026, 11, 23).at(16, 45, 56, 789_000_000);
        let sample = sample.to_zoned(TimeZone::UTC).ok()?;
        let text = match jiff::fmt::strtime::format(format, &sample) {
            Ok(text) => text,
            Err(error) => return Some((format!("{format:?} is not a pattern: {error}"), example)),
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
        if read {
            return None;
        }
        if let Some(directive) = zone_by_name(format) {
            let message = format!("{directive} in the pattern {format:?} is not read");
            let remedy = "use %z for an offset such as +0100; a zone's name stands in timezone, not \
                          in the pattern";
            return Some((message, remedy));
        }
        Some((format!("the pattern {format:?} does not hold a whole {what}"), example))
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
        if field.allowed.as_ref().is_some_and(Vec::is_empty) {
            let message = "allowed = [] lets no value through";
            problems.push(unfit("allowed", message, "name the values, or remove it"));
        }
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
}

/// Whether two words are the same but for their case.
pub(super) fn same(a: &str, b: &str) -> bool {
    let lower = |text: &str| text.trim().chars().flat_map(char::to_lowercase).collect::<Vec<_>>();
    a == b || lower(a) == lower(b)
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

/// The directive of a strptime pattern that stands for the name of a time zone, if it has one.
fn zone_by_name(format: &str) -> Option<&'static str> {
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            continue;
        }
        // Between the sign and the letter there may be flags, a width and colons.
        let between = |c: &char| "-_0^#:".contains(*c) || c.is_ascii_digit();
        match characters.find(|c| !between(c)) {
            Some('Z') => return Some("%Z"),
            Some('Q') => return Some("%Q"),
            _ => {}
        }
    }
    None
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
