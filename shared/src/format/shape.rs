//! How the files of one table are written, compared from one to the next.
//!
//! A table's files come from one export, so the file before is evidence of how the next one is to be
//! read, where its own bytes leave it open ([`Expected`]); and what is different about it is worth
//! saying ([`Drift`]), because exports are changed without a word to whoever reads them.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Detected;
use crate::catalog::{Encoding, FormatKind};
use crate::hash;

/// Bytes of names of columns beyond which they are not kept: nobody compares as many by name.
const MAX_NAMES: usize = 32 << 10;
/// Columns that are told of one by one.
const TOLD: usize = 20;

/// How a file was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// The kind of file.
    pub kind: FormatKind,
    /// The encoding of its text; `None`: it is no text, or is nothing but ASCII.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// The delimiter of its cells; `None`: it has none, or a single column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// Whether a header named the columns.
    pub header: bool,
    /// The names of its columns; empty where each row brings its own, or where they are too many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
}

/// What the next file of a table is expected to be like, in a few bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// The encoding of its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// The delimiter of its cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// A hash over the names in its header; `None`: it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
}

/// One thing that is different from the file before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Drift {
    /// Another kind of file.
    Kind {
        /// That of the file before.
        before: FormatKind,
        /// That of this file.
        now: FormatKind,
    },
    /// Another encoding.
    Encoding {
        /// That of the file before.
        before: Encoding,
        /// That of this file.
        now: Encoding,
    },
    /// Another delimiter.
    Delimiter {
        /// That of the file before.
        before: String,
        /// That of this file.
        now: String,
    },
    /// A header that came, or went.
    Header {
        /// Whether the file before had one.
        before: bool,
        /// Whether this file has one.
        now: bool,
    },
    /// Another number of columns, which have no names.
    Width {
        /// That of the file before.
        before: usize,
        /// That of this file.
        now: usize,
    },
    /// A column that the file before did not have.
    ColumnAdded {
        /// Its name.
        column: String,
    },
    /// A column that only the file before had.
    ColumnRemoved {
        /// Its name.
        column: String,
    },
    /// A column whose name is written with other letters (upper, lower) or spaces.
    ColumnRespelled {
        /// The name in the file before.
        before: String,
        /// The name in this file.
        now: String,
    },
    /// The same columns in another order.
    ColumnsMoved,
    /// More changes of columns than are told one by one.
    MoreColumns {
        /// How many more.
        count: usize,
    },
}

impl Shape {
    /// That of a file that was opened.
    pub fn of(detected: &Detected) -> Self {
        let dialect = detected.dialect.as_deref();
        let of_rows = !detected.has_header && dialect.is_none();
        let length: usize = detected.columns.iter().map(String::len).sum();
        let columns = if of_rows || length > MAX_NAMES { &[][..] } else { &detected.columns };
        Self {
            kind: detected.kind,
            encoding: detected.encoding,
            delimiter: dialect
                .filter(|_| detected.columns.len() > 1)
                .map(|dialect| dialect.delimiter.clone()),
            header: detected.has_header,
            columns: columns.to_vec(),
        }
    }

    /// What this file says of the next one. What it left open stays as it was known `before`.
    #[must_use]
    pub fn after(mut self, before: Option<&Shape>) -> Self {
        if let Some(before) = before.filter(|before| before.kind == self.kind) {
            self.encoding = self.encoding.or(before.encoding);
            self.delimiter = self.delimiter.or_else(|| before.delimiter.clone());
            if self.columns.is_empty() {
                self.header = before.header;
                self.columns.clone_from(&before.columns);
            }
        }
        self
    }

    /// What is expected of the next file.
    pub fn expected(&self) -> Expected {
        let named = self.header && !self.columns.is_empty();
        Expected {
            encoding: self.encoding,
            delimiter: self.delimiter.clone(),
            header: named.then(|| names(self.columns.iter().map(String::as_str))),
        }
    }

    /// What is different from the file before.
    pub fn drift(&self, before: &Shape) -> Vec<Drift> {
        let mut drift = Vec::new();
        if self.kind != before.kind {
            drift.push(Drift::Kind { before: before.kind, now: self.kind });
        }
        if let (Some(before), Some(now)) = (before.encoding, self.encoding)
            && before != now
        {
            drift.push(Drift::Encoding { before, now });
        }
        if let (Some(before), Some(now)) = (&before.delimiter, &self.delimiter)
            && before != now
        {
            drift.push(Drift::Delimiter { before: before.clone(), now: now.clone() });
        }
        // A file without columns is empty, or is of rows that each bring their own.
        if before.columns.is_empty() || self.columns.is_empty() {
            return drift;
        }
        match (before.header, self.header) {
            (true, true) => columns(&before.columns, &self.columns, &mut drift),
            (false, false) if before.columns.len() != self.columns.len() => {
                drift.push(Drift::Width { before: before.columns.len(), now: self.columns.len() });
            }
            (false, false) => {}
            (before, now) => drift.push(Drift::Header { before, now }),
        }
        drift
    }
}

/// A hash over the names of columns, in their order.
pub(super) fn names<'a>(columns: impl Iterator<Item = &'a str>) -> String {
    hash::short(&columns.map(str::trim).collect::<Vec<_>>())
}

/// The name without what people change when they only write it anew.
fn loosely(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn columns(before: &[String], now: &[String], drift: &mut Vec<Drift>) {
    if before == now {
        return;
    }
    let known: HashMap<&str, usize> =
        before.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let present: HashMap<&str, usize> =
        now.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    // What is missing, by its loose spelling.
    let missing = before.iter().filter(|name| !present.contains_key(name.as_str()));
    let mut gone: Vec<Option<&String>> = missing.map(Some).collect();
    let mut loose: HashMap<String, usize> =
        gone.iter().enumerate().filter_map(|(at, name)| Some((loosely((*name)?), at))).collect();
    let mut changes = Vec::new();
    for name in now.iter().filter(|name| !known.contains_key(name.as_str())) {
        let respelled = loose.remove(&loosely(name)).and_then(|at| gone[at].take());
        changes.push(match respelled {
            Some(before) => Drift::ColumnRespelled { before: before.clone(), now: name.clone() },
            None => Drift::ColumnAdded { column: name.clone() },
        });
    }
    let gone = gone.into_iter().flatten();
    changes.extend(gone.map(|name| Drift::ColumnRemoved { column: name.clone() }));
    let common = |of: &[String], and: &HashMap<&str, usize>| -> Vec<String> {
        of.iter().filter(|name| and.contains_key(name.as_str())).cloned().collect()
    };
    if common(before, &present) != common(now, &known) {
        changes.push(Drift::ColumnsMoved);
    }
    let more = changes.len().saturating_sub(TOLD);
    drift.extend(changes.into_iter().take(TOLD));
    if more > 0 {
        drift.push(Drift::MoreColumns { count: more });
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Drift::Kind { before, now } => write!(f, "the format was {before} and is {now}"),
            Drift::Encoding { before, now } => write!(f, "the encoding was {before} and is {now}"),
            Drift::Delimiter { before, now } => {
                write!(f, "the delimiter was {before:?} and is {now:?}")
            }
            Drift::Header { before: true, .. } => {
                write!(f, "there was a header, and now there is none")
            }
            Drift::Header { .. } => write!(f, "there was no header, and now there is one"),
            Drift::Width { before, now } => {
                write!(f, "there were {before} columns, and now there are {now}")
            }
            Drift::ColumnAdded { column } => write!(f, "column {column:?} is new"),
            Drift::ColumnRemoved { column } => write!(f, "column {column:?} is gone"),
            Drift::ColumnRespelled { before, now } => {
                write!(f, "column {before:?} is now written {now:?}")
            }
            Drift::ColumnsMoved => write!(f, "the columns come in another order"),
            Drift::MoreColumns { count } => write!(f, "{count} more changes of columns"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(columns: &[&str]) -> Shape {
        Shape {
            kind: FormatKind::Csv,
            encoding: None,
            delimiter: Some(";".into()),
            header: true,
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn what_changed_between_two_files_is_told_and_nothing_else() {
        let before = shape(&["id", "Name", "amount"]);
        assert_eq!(before.drift(&before), []);

        let now = shape(&["amount", "id", " name", "note"]);
        let told: Vec<String> = now.drift(&before).iter().map(Drift::to_string).collect();
        assert_eq!(
            told,
            [
                "column \"Name\" is now written \" name\"",
                "column \"note\" is new",
                "the columns come in another order",
            ]
        );
        let gone = shape(&["id", "amount"]);
        assert_eq!(gone.drift(&before), [Drift::ColumnRemoved { column: "Name".into() }]);

        let comma = Shape {
            delimiter: Some(",".into()),
            encoding: Encoding::for_label("windows-1252"),
            ..before.clone()
        };
        let drift = comma.drift(&before);
        assert_eq!(drift, [Drift::Delimiter { before: ";".into(), now: ",".into() }]);
        let bare = Shape { header: false, ..before.clone() };
        assert_eq!(bare.drift(&before), [Drift::Header { before: true, now: false }]);
    }

    #[test]
    fn what_a_file_leaves_open_is_no_drift_and_is_not_forgotten() {
        let latin = Encoding::for_label("windows-1252");
        let before = Shape { encoding: latin, ..shape(&["id", "name"]) };
        // Nothing but a header, of one column: no delimiter, no byte that tells an encoding.
        let empty = Shape { delimiter: None, columns: Vec::new(), ..shape(&[]) };
        assert_eq!(empty.drift(&before), []);
        assert_eq!(empty.after(Some(&before)), before);
    }

    #[test]
    fn thousands_of_new_columns_are_not_told_one_by_one() {
        let many: Vec<String> = (0..3_000).map(|n| format!("c{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let drift = shape(&many).drift(&shape(&["id"]));
        assert_eq!(drift.len(), TOLD + 1);
        assert_eq!(drift.last(), Some(&Drift::MoreColumns { count: 3_001 - TOLD }));
    }
}
