//! The parts of a JSON text as texts.
//!
//! A tree of values for the whole body would fail as a whole when one record has a number out of
//! range, a lone surrogate, or too many brackets. The parts are therefore found without looking
//! into them, without recursion and in one pass; each is then read alone. What is found is also the
//! exact text, which a dead letter can keep.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde_json::{Deserializer, Value};

/// Says whether the text is one JSON value.
pub(super) fn check(text: &str) -> Result<(), serde_json::Error> {
    serde_json::from_str::<IgnoredAny>(text).map(drop)
}

/// The members of an object: each name with the text of its value.
pub(super) struct Members<'a>(BTreeMap<String, &'a str>);

impl<'a> Members<'a> {
    /// The members of `text`; `None` if it is no object. Of a name that repeats, the last counts,
    /// and a name that is no Unicode is left out: none that is asked for is like that.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        let mut cursor = Cursor::open(text, '{')?;
        let mut members = BTreeMap::new();
        while !cursor.take('}') {
            if cursor.past_first {
                cursor.take(',').then_some(())?;
            }
            let name = cursor.value()?;
            cursor.take(':').then_some(())?;
            let value = cursor.value()?;
            if let Ok(name) = serde_json::from_str(name) {
                members.insert(name, value);
            }
        }
        Some(Self(members))
    }

    /// The text of a member's value.
    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied()
    }

    /// A member that is a string.
    pub(super) fn string(&self, name: &str) -> Option<String> {
        self.raw(name).and_then(|raw| serde_json::from_str(raw).ok())
    }

    /// The names, in alphabetical order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// The texts of an array's elements; `None` if it is no array.
pub(super) fn elements(text: &str) -> Option<Vec<&str>> {
    let mut cursor = Cursor::open(text, '[')?;
    let mut elements = Vec::new();
    while !cursor.take(']') {
        if cursor.past_first {
            cursor.take(',').then_some(())?;
        }
        elements.push(cursor.value()?);
    }
    Some(elements)
}

/// What is left of an array or an object.
struct Cursor<'a> {
    rest: &'a str,
    /// Whether a part was taken already, so that a comma must come before the next.
    past_first: bool,
}

impl<'a> Cursor<'a> {
    fn open(text: &'a str, bracket: char) -> Option<Self> {
        let mut cursor = Self { rest: text, past_first: false };
        cursor.take(bracket).then_some(cursor)
    }

    /// Goes past this character and the white space before it, if it is next.
    fn take(&mut self, expected: char) -> bool {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
        match self.rest.strip_prefix(expected) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Goes past one value and gives its text.
    fn value(&mut self) -> Option<&'a str> {
        let mut values = Deserializer::from_str(self.rest).into_iter::<IgnoredAny>();
        values.next()?.ok()?;
        let (value, rest) = self.rest.split_at_checked(values.byte_offset())?;
        self.rest = rest;
        self.past_first = true;
        Some(value.trim_start_matches([' ', '\t', '\n', '\r']))
    }
}

/// A field that should be a string and says something; anything else is as good as absent.
pub(super) fn string(value: Option<Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// A whole number, which some stores write as a string. Anything else is as good as absent: the
/// size in a notice is a hint, and the store says the real one when the object is opened.
pub(super) fn whole(value: Option<Value>) -> Option<u64> {
    match value {
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    }
}

/// The version `major.minor`, which some stores write as a number, if its major is not this one.
///
/// AWS asks readers to compare the major for equality, and to ignore what a new minor adds
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>).
/// Without a version, which other stores leave out, the fields have to speak for themselves.
pub(super) fn other_major(version: Option<&Value>, major: &str) -> Option<String> {
    let version = match version? {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    (version.split('.').next() != Some(major)).then_some(version)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test says where it failed")]

    use super::*;

    #[test]
    fn the_parts_are_the_exact_texts() {
        let text = r#" { "a" : [ 1.0 , {"b":"}"} ,null] , "c":"x" , "c" : "y\u00e9" } "#;
        let members = Members::of(text).unwrap();
        assert_eq!(members.names().collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(members.string("c").as_deref(), Some("yé"), "the last of a name counts");
        let parts = elements(members.raw("a").unwrap()).unwrap();
        assert_eq!(parts, ["1.0", r#"{"b":"}"}"#, "null"]);
        assert_eq!(elements("[]").unwrap(), [""; 0]);
        assert!(Members::of("{}").unwrap().names().next().is_none());
    }

    #[test]
    fn what_a_tree_would_refuse_is_passed_over() {
        let text = r#"["\ud800",1e999,{"\ud800":1,"k":2}]"#;
        assert!(serde_json::from_str::<Value>(text).is_err());
        let parts = elements(text).unwrap();
        assert_eq!(parts.len(), 3);
        assert_eq!(Members::of(parts[2]).unwrap().names().collect::<Vec<_>>(), ["k"]);
    }

    #[test]
    fn other_texts_have_no_parts() {
        for text in ["", "1", "\"{}\"", "[", "[1", "[1,", "[1 2]", "[,1]", "[1,]"] {
            assert!(elements(text).is_none(), "{text}");
        }
        for text in ["", "[]", "{", "{1:2}", r#"{"a"}"#, r#"{"a":}"#, r#"{"a":1 "b":2}"#] {
            assert!(Members::of(text).is_none_or(|found| found.names().next().is_none()), "{text}");
        }
    }

    #[test]
    fn the_majors_of_versions() {
        for version in [r#""2.0""#, r#""2.6""#, r#""2""#, "2.1", "2", "null"] {
            assert_eq!(other_major(Some(&serde_json::from_str(version).unwrap()), "2"), None);
        }
        assert_eq!(other_major(None, "2"), None);
        for version in [r#""3.0""#, r#""20.0""#, r#""""#, r#""v2""#, "[]"] {
            assert!(other_major(Some(&serde_json::from_str(version).unwrap()), "2").is_some());
        }
    }
}
