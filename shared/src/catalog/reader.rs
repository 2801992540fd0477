//! Reads TOML tables value by value, notes each problem with its place, and goes on.
//!
//! Deserializing into a struct stops at the first problem. Here a [`Document`] collects problems
//! while its [`Table`]s are asked for the keys that the caller knows; what nobody asked for is an
//! unknown key. A value that is missing or wrong is `None`, and the caller goes on with a default:
//! the result of a document with problems is never used.

use std::cell::RefCell;

use toml::de::{DeTable, DeValue};

use super::problem::{Complaint, Problem, nearest, one_of};

/// Line and column, both from 1.
pub(super) type Position = (u32, u32);

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Found<T> {
    pub(super) value: T,
    pub(super) at: Position,
}

/// What a setting that takes either was given.
#[derive(Clone, Debug)]
pub(super) enum NameOrNumber {
    Name(String),
    Number(u32),
}

/// One TOML file, and the problems found in it so far.
pub(super) struct Document<'t> {
    name: &'t str,
    text: &'t str,
    root: DeTable<'t>,
    readable: bool,
    problems: RefCell<Vec<Problem>>,
}

impl<'t> Document<'t> {
    /// Parses `text`; `name` is the file's name in the problems.
    pub(super) fn parse(name: &'t str, text: &'t str) -> Self {
        let (root, errors) = DeTable::parse_recoverable(text);
        // After a duplicate key all the rest is as it stands in the file. After another error it is
        // a guess, and problems in it would mislead.
        let readable = errors.iter().all(|error| error.message() == "duplicate key");
        let document =
            Self { name, text, root: root.into_inner(), readable, problems: RefCell::default() };
        for error in errors {
            let at = document.position(error.span().map_or(text.len(), |span| span.start));
            let complaint = if error.message() == "duplicate key" {
                Complaint::new("the key is given twice", "remove one of the two")
            } else {
                Complaint::new(
                    format!("this is not TOML: {}", error.message()),
                    "check the quotes and brackets of this line",
                )
            };
            document.note(at, complaint);
        }
        document
    }

    /// The top-level table; `None` if the file is not TOML.
    pub(super) fn root(&self) -> Option<Table<'_>> {
        self.readable.then(|| Table::new(self, "at the top level".to_owned(), (1, 1), &self.root))
    }

    pub(super) fn name(&self) -> &'t str {
        self.name
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }

    fn note(&self, (line, column): Position, complaint: Complaint) {
        let Complaint { message, remedy } = complaint;
        let file = self.name.to_owned();
        self.problems.borrow_mut().push(Problem { file, line, column, message, remedy });
    }

    fn position(&self, offset: usize) -> Position {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        let number = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
        (number(before.matches('\n').count()), number(line.chars().count()))
    }
}

/// A single value as it is written, without the quotes of a string.
fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.clone().into_owned()),
        DeValue::Integer(digits) if digits.radix() == 10 => Some(digits.as_str().to_owned()),
        DeValue::Integer(digits) => {
            let value = i128::from_str_radix(digits.as_str(), digits.radix()).ok()?;
            Some(value.to_string())
        }
        DeValue::Float(digits) => Some(digits.as_str().to_owned()),
        DeValue::Boolean(value) => Some(value.to_string()),
        DeValue::Datetime(value) => Some(value.to_string()),
        DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

/// One table of a document.
pub(super) struct Table<'d> {
    document: &'d Document<'d>,
    place: String,
    at: Position,
    entries: &'d DeTable<'d>,
    known: Vec<&'static str>,
}

impl<'d> Table<'d> {
    fn new(
        document: &'d Document<'d>,
        place: String,
        at: Position,
        entries: &'d DeTable<'d>,
    ) -> Self {
        Self { document, place, at, entries, known: Vec::new() }
    }

    /// Where the table begins.
    pub(super) fn at(&self) -> Position {
        self.at
    }

    /// Whether the key is given, be it right or wrong.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Notes a problem at `at`.
    pub(super) fn note(&self, at: Position, message: impl Into<String>, remedy: impl Into<String>) {
        self.document.note(at, Complaint::new(message, remedy));
    }

    fn find(&mut self, key: &'static str) -> Option<Found<&'d DeValue<'d>>> {
        self.known.push(key);
        let value = self.entries.get(key)?;
        let at = self.document.position(value.span().start);
        Some(Found { value: value.get_ref(), at })
    }

    fn wrong_type(&self, key: &str, found: &Found<&DeValue<'_>>, expected: &str) {
        let given = found.value.type_str();
        let remedy = match (expected, found.value) {
            ("a string", DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_)) => {
                "put it in quotes"
            }
            ("true or false" | "a whole number" | "a number", DeValue::String(_)) => {
                "write it without quotes"
            }
            ("an array of tables", DeValue::Table(_)) => "write its header with [[ and ]]",
            _ => "",
        };
        self.note(found.at, format!("{key} must be {expected}, not a TOML {given}"), remedy);
    }

    /// Notes that a required key is missing.
    pub(super) fn missing(&self, key: &str, remedy: &str) {
        self.note(self.at, format!("{key} is missing {}", self.place), remedy);
    }

    /// A string that is not empty.
    pub(super) fn string(&mut self, key: &'static str) -> Option<Found<String>> {
        let found = self.find(key)?;
        match found.value {
            DeValue::String(text) if text.is_empty() => {
                self.note(found.at, format!("{key} is empty"), "give it a value or remove it");
                None
            }
            DeValue::String(text) => Some(Found { value: text.clone().into_owned(), at: found.at }),
            _ => {
                self.wrong_type(key, &found, "a string");
                None
            }
        }
    }

    /// Where the value of a key stands; where the table begins, if it is not there.
    pub(super) fn at_of(&self, key: &str) -> Position {
        let value = self.entries.get(key);
        value.map_or(self.at, |value| self.document.position(value.span().start))
    }

    /// A single value in the words of a file: a string, which may be empty, or a number, a date, a
    /// boolean as it is written.
    pub(super) fn scalar(&mut self, key: &'static str) -> Option<String> {
        let found = self.find(key)?;
        let text = scalar(found.value);
        if text.is_none() {
            self.wrong_type(key, &found, "a single value");
        }
        text
    }

    /// A list of single values, as [`Table::scalar`] has them; one alone is a list of one.
    pub(super) fn scalars(&mut self, key: &'static str) -> Option<Vec<String>> {
        let found = self.find(key)?;
        let DeValue::Array(items) = found.value else {
            let text = scalar(found.value);
            if text.is_none() {
                self.wrong_type(key, &found, "a list of values");
            }
            return text.map(|text| vec![text]);
        };
        let mut texts = Vec::new();
        for item in items.iter() {
            let at = self.document.position(item.span().start);
            match scalar(item.get_ref()) {
                Some(text) => texts.push(text),
                None => {
                    let item = Found { value: item.get_ref(), at };
                    self.wrong_type(&format!("each value of {key}"), &item, "a single value");
                    return None;
                }
            }
        }
        Some(texts)
    }

    /// A string that `parse` accepts.
    pub(super) fn parsed<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Complaint>,
    ) -> Option<Found<T>> {
        let Found { value, at } = self.string(key)?;
        match parse(&value) {
            Ok(value) => Some(Found { value, at }),
            Err(complaint) => {
                self.document.note(at, complaint);
                None
            }
        }
    }

    /// One of a list of words. A word without a value is known, but not supported yet.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&'static str, Option<T>)],
    ) -> Option<Found<T>> {
        let supported = || words.iter().filter(|(_, value)| value.is_some()).map(|(word, _)| *word);
        self.parsed(key, |text| match words.iter().find(|(word, _)| *word == text) {
            Some((_, Some(value))) => Ok(*value),
            Some((word, None)) => Err(Complaint::new(
                format!("not supported yet: {key} = \"{word}\""),
                format!("use {}", one_of(supported())),
            )),
            None => Err(Complaint::new(
                format!("unknown {key} \"{text}\", it can be {}", one_of(supported())),
                nearest(text, supported())
                    .map(|word| format!("did you mean \"{word}\"?"))
                    .unwrap_or_default(),
            )),
        })
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, key: &'static str) -> Option<Found<bool>> {
        let found = self.find(key)?;
        if let DeValue::Boolean(value) = found.value {
            return Some(Found { value: *value, at: found.at });
        }
        self.wrong_type(key, &found, "true or false");
        None
    }

    /// A whole number from 0 to `max`.
    pub(super) fn whole(&mut self, key: &'static str, max: u64) -> Option<u64> {
        let found = self.find(key)?;
        let DeValue::Integer(digits) = found.value else {
            self.wrong_type(key, &found, "a whole number");
            return None;
        };
        let value = i128::from_str_radix(digits.as_str(), digits.radix()).ok();
        match value.and_then(|value| u64::try_from(value).ok()).filter(|value| *value <= max) {
            Some(value) => Some(value),
            None if digits.as_str().starts_with('-') => {
                self.note(found.at, format!("{key} is negative"), "use 0 or more");
                None
            }
            None => {
                self.note(found.at, format!("{key} is too large"), format!("use at most {max}"));
                None
            }
        }
    }

    /// A name, or a whole number from 1 to `max`.
    pub(super) fn name_or_number(&mut self, key: &'static str, max: u32) -> Option<NameOrNumber> {
        match self.entries.get(key).map(|value| value.get_ref()) {
            Some(DeValue::Integer(_)) => {
                let at = self.find(key)?.at;
                let number = u32::try_from(self.whole(key, max.into())?).ok()?;
                if number == 0 {
                    self.note(at, format!("{key} is 0"), "count from 1");
                    return None;
                }
                Some(NameOrNumber::Number(number))
            }
            None | Some(DeValue::String(_)) => {
                self.string(key).map(|found| NameOrNumber::Name(found.value))
            }
            Some(_) => {
                let found = self.find(key)?;
                self.wrong_type(key, &found, "a name or a number");
                None
            }
        }
    }

    /// `true` as 1, `false` as 0, or a whole number.
    pub(super) fn flag_or_whole(&mut self, key: &'static str, most: u64) -> Option<Found<u64>> {
        match self.entries.get(key).map(|value| value.get_ref()) {
            Some(DeValue::Integer(_)) => {
                let at = self.find(key)?.at;
                self.whole(key, most).map(|value| Found { value, at })
            }
            _ => self.boolean(key).map(|found| Found { value: found.value.into(), at: found.at }),
        }
    }

    /// A share, from 0 to 1.
    pub(super) fn share(&mut self, key: &'static str) -> Option<f64> {
        let found = self.find(key)?;
        let digits = match found.value {
            DeValue::Float(digits) => digits.as_str(),
            DeValue::Integer(digits) => digits.as_str(),
            _ => {
                self.wrong_type(key, &found, "a number");
                return None;
            }
        };
        match digits.parse::<f64>() {
            Ok(value) if (0.0..=1.0).contains(&value) => Some(value),
            _ => {
                let message = format!("{key} = {digits} is not between 0 and 1");
                self.note(found.at, message, "0.01 means one row in a hundred");
                None
            }
        }
    }

    /// A number of bytes: a whole number, or a text such as `"100MB"` that `parse` accepts.
    pub(super) fn bytes(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<u64, Complaint>,
    ) -> Option<u64> {
        match self.entries.get(key).map(|value| value.get_ref()) {
            Some(DeValue::Integer(_)) => {
                let at = self.find(key)?.at;
                let value = self.whole(key, u64::MAX)?;
                if value == 0 {
                    self.note(at, format!("{key} is 0"), "remove it to have no limit");
                }
                Some(value)
            }
            None | Some(DeValue::String(_)) => self.parsed(key, parse).map(|found| found.value),
            Some(_) => {
                let found = self.find(key)?;
                self.wrong_type(key, &found, "a number of bytes or a text such as \"100MB\"");
                None
            }
        }
    }

    /// A table under `key`.
    pub(super) fn table(&mut self, key: &'static str) -> Option<Table<'d>> {
        let found = self.find(key)?;
        self.as_table(key, format!("in [{key}]"), &found)
    }

    /// The tables of an array of tables, in their order.
    pub(super) fn tables(&mut self, key: &'static str) -> Option<Found<Vec<Table<'d>>>> {
        let found = self.find(key)?;
        let DeValue::Array(items) = found.value else {
            self.wrong_type(key, &found, "an array of tables");
            return None;
        };
        let tables = items.iter().filter_map(|item| {
            let at = self.document.position(item.span().start);
            let item = Found { value: item.get_ref(), at };
            self.as_table(key, format!("in [[{key}]]"), &item)
        });
        Some(Found { value: tables.collect(), at: found.at })
    }

    /// Every entry as a table, in the order of the file, for tables whose keys are free.
    pub(super) fn each(self, name: &str) -> Vec<(String, Table<'d>)> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let tables = entries.into_iter().filter_map(|(key, value)| {
            let at = self.document.position(key.span().start);
            let key = key.get_ref().as_ref();
            let found = Found { value: value.get_ref(), at };
            let place = format!("in [{name}] \"{key}\"");
            Some((key.to_owned(), self.as_table(&format!("[{name}] \"{key}\""), place, &found)?))
        });
        tables.collect()
    }

    fn as_table(
        &self,
        name: &str,
        place: String,
        found: &Found<&'d DeValue<'d>>,
    ) -> Option<Table<'d>> {
        if let DeValue::Table(entries) = found.value {
            return Some(Table::new(self.document, place, found.at, entries));
        }
        self.wrong_type(name, found, "a table");
        None
    }

    /// Notes every key that was not asked for. `homes` are keys of the other tables: a key that
    /// stands under the wrong header is a common slip in TOML.
    pub(super) fn finish(self, homes: &[(&str, &[&str])]) {
        for (key, _) in self.entries.iter() {
            let name = key.get_ref().as_ref();
            if self.known.contains(&name) {
                continue;
            }
            let home = homes.iter().find(|(_, keys)| keys.contains(&name));
            let remedy = match (nearest(name, self.known.iter().copied()), home) {
                (_, Some((home, _))) => format!("it belongs {home}"),
                (Some(word), None) => format!("did you mean \"{word}\"?"),
                (None, None) => format!("it can be {}", one_of(self.known.iter().copied())),
            };
            let at = self.document.position(key.span().start);
            self.note(at, format!("unknown key \"{name}\" {}", self.place), remedy);
        }
    }
}
