//! Path patterns: which keys a source takes, and what the key says of the table.
//!
//! | in a pattern | stands for |
//! |---|---|
//! | `*` | any characters but `/`; as a whole segment, at least one |
//! | `?` | one character but `/` |
//! | `**` | as a whole segment: any number of segments, also none; at the end, everything below |
//! | `{table}` | one or more characters but `/`, captured under this name |
//! | `{daily,weekly}` | one of these texts; `*` and `?` may stand in them |
//! | `.{csv}` | at the end of a pattern, a text and not a capture |
//! | `\*` | the character itself |
//!
//! The extension is compared without regard to ASCII case, everything else exactly. The extension is
//! what follows the last dot of the last segment; a compression before which another extension stands
//! takes that one with it (`*.csv.gz`, `*.csv{,.gz}`).
//!
//! Matching takes time linear in the length of the key (times that of the pattern), whatever the
//! pattern.

mod parse;
mod program;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use program::Program;

/// The pattern of a source that names none: every kind of file that Inlet reads, anywhere.
pub const SUPPORTED_FILES: &str = "**/*.{csv,tsv,json,jsonl,ndjson,xml,zip,tar,tgz,xlsx,xlsm,xlsb,xls,ods,parquet,avro,pdf,docx,html,htm}{,.gz,.zst,.bz2,.xz}";

/// The pattern of a source with `mode = "document"` that names none.
pub const DOCUMENT_FILES: &str = "**/*.{pdf,docx,html,htm,md,txt}";

/// Extensions of compressions; one of them may stand behind that of a format.
pub(super) const COMPRESSIONS: [&str; 4] = ["gz", "zst", "bz2", "xz"];

/// A pattern over keys, such as `daily/{table}/**/*.{csv,tsv}`.
///
/// Two patterns are equal when their texts are.
#[derive(Clone)]
pub struct PathPattern {
    text: String,
    prefix: String,
    captures: Vec<String>,
    program: Program,
}

impl PathPattern {
    /// Parses the text of a pattern.
    ///
    /// ```
    /// use inlet::catalog::PathPattern;
    ///
    /// let pattern = PathPattern::parse("daily/{table}/**/*.{csv,tsv}")?;
    /// let captures = pattern.matches("daily/deals/2026/02/01.CSV").unwrap();
    /// assert_eq!(captures.get("table"), Some("deals"));
    /// assert_eq!(pattern.literal_prefix(), "daily/");
    /// # Ok::<(), inlet::catalog::PathError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Says at which character the text is not a pattern, and why.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let parsed = parse::parse(text)?;
        Ok(Self {
            text: text.to_owned(),
            prefix: parse::literal_prefix(&parsed.pieces),
            program: Program::compile(&parsed.pieces),
            captures: parsed.captures,
        })
    }

    /// The pattern [`DOCUMENT_FILES`].
    pub fn document_files() -> Self {
        Self::parse(DOCUMENT_FILES).expect("DOCUMENT_FILES is a pattern")
    }

    /// The pattern [`SUPPORTED_FILES`].
    pub fn supported_files() -> Self {
        Self::parse(SUPPORTED_FILES).expect("SUPPORTED_FILES is a pattern")
    }

    /// What the pattern captures in `key` (a decoded key), or `None` if it does not match the whole
    /// of it. Where a capture could take more or less, an earlier one takes more.
    pub fn matches<'a>(&'a self, key: &'a str) -> Option<Captures<'a>> {
        if !key.starts_with(&self.prefix) {
            return None;
        }
        let spans = self.program.run(key, self.captures.len())?;
        let names = self.captures.iter().map(String::as_str);
        Some(Captures(names.zip(spans.into_iter().map(|span| &key[span])).collect()))
    }

    /// The text with which every matching key begins: what a listing asks the bucket for. It ends
    /// where the first special character or the extension begins.
    pub fn literal_prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether the pattern has a capture of this name.
    pub fn has_capture(&self, name: &str) -> bool {
        self.captures.iter().any(|capture| capture == name)
    }

    /// The text of the pattern.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for PathPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for PathPattern {}

impl fmt::Debug for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PathPattern({:?})", self.text)
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for PathPattern {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::parse(text)
    }
}

impl Serialize for PathPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for PathPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// What the captures of a pattern took from a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captures<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Captures<'a> {
    /// What the capture `name` took.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(capture, _)| *capture == name).map(|(_, text)| *text)
    }

    /// Names and texts, in the order of the pattern.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().copied()
    }
}

/// Why a text is not a path pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at character {position} of the pattern; {remedy}")]
pub struct PathError {
    /// The character, from 1.
    pub position: usize,
    /// What is wrong there.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

#[cfg(test)]
mod tests;
