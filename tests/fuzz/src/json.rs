//! What is read of the JSON that comes out.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// A record of a batch.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "that they are there is looked at")]
pub struct Record {
    op: IgnoredAny,
    id: IgnoredAny,
    /// The number of its row.
    pub row: u64,
    values: Keys,
}

/// A line of rejects.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "that they are there is looked at")]
pub struct Line<'a> {
    object: IgnoredAny,
    table: IgnoredAny,
    /// The number of its row.
    pub row: u64,
    line: Option<u64>,
    byte_offset: Option<u64>,
    member: Option<IgnoredAny>,
    sheet: Option<IgnoredAny>,
    column: Option<IgnoredAny>,
    /// Why.
    #[serde(borrow)]
    pub code: Cow<'a, str>,
    /// Why, for people.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
    /// The row.
    pub raw: Option<IgnoredAny>,
    /// The row that is not UTF-8.
    pub raw_base64: Option<IgnoredAny>,
    raw_truncated: Option<bool>,
}

/// An object of which no key comes twice.
struct Keys;

/// The members of an object of which no key comes twice.
pub struct Members(HashMap<String, Value>);

impl Members {
    /// The value of a member.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

struct Once<V>(std::marker::PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for Once<V> {
    type Value = HashMap<String, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of which no key comes twice")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut members = HashMap::new();
        while let Some((key, value)) = map.next_entry::<String, V>()? {
            if members.contains_key(&key) {
                return Err(serde::de::Error::custom(format_args!("{key:?} comes twice")));
            }
            members.insert(key, value);
        }
        Ok(members)
    }
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Once::<IgnoredAny>(std::marker::PhantomData))?;
        Ok(Self)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Once(std::marker::PhantomData)).map(Self)
    }
}
