//! Cells that are JSON values: what they are, and what they say as text.

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::buffer::Buffer;

/// One JSON value, looked at from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Nothing: the row does not have the column.
    Absent,
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(&'a [u8]),
    /// A number, as written.
    Number(&'a [u8]),
    /// The inside of a string, escaped.
    String(&'a [u8]),
    /// An object or array.
    Nested,
}

impl<'a> Token<'a> {
    /// What a cell of [`Form::Json`](crate::format::Form::Json) is.
    #[inline]
    pub(super) fn of(cell: &'a [u8]) -> Self {
        match cell {
            [] => Self::Absent,
            [b'"', inside @ .., b'"'] => Self::String(inside),
            [b'{' | b'[', ..] => Self::Nested,
            [b'n', ..] => Self::Null,
            [b't' | b'f', ..] => Self::Boolean(cell),
            _ => Self::Number(cell),
        }
    }
}

/// The text of the inside of a string: itself, or `into`, where its escapes are undone. `None`: half of
/// a surrogate pair is escaped, which is no character.
pub(super) fn unescape<'t>(inside: &'t [u8], into: &'t mut Vec<u8>) -> Option<&'t [u8]> {
    let Some(mut escape) = memchr::memchr(b'\\', inside) else { return Some(inside) };
    into.clear();
    let mut rest = inside;
    loop {
        into.extend_from_slice(&rest[..escape]);
        let (&kind, after) = rest.get(escape + 1..)?.split_first()?;
        rest = after;
        match kind {
            b'b' => into.push(8),
            b'f' => into.push(12),
            b'n' => into.push(b'\n'),
            b'r' => into.push(b'\r'),
            b't' => into.push(b'\t'),
            b'u' => {
                let (character, after) = escaped(rest)?;
                rest = after;
                into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            other => into.push(other),
        }
        match memchr::memchr(b'\\', rest) {
            Some(next) => escape = next,
            None => break,
        }
    }
    into.extend_from_slice(rest);
    Some(into)
}

/// The character whose four digits (or twice four, with the second `\u` between) begin `text`.
fn escaped(text: &[u8]) -> Option<(char, &[u8])> {
    let unit = |text: &[u8]| {
        let digits = std::str::from_utf8(text.get(..4)?).ok()?;
        u16::from_str_radix(digits, 16).ok()
    };
    let first = unit(text)?;
    let mut units = vec![first];
    let mut length = 4;
    if (0xd800..0xdc00).contains(&first) && text.get(4..6) == Some(b"\\u") {
        units.push(unit(text.get(6..)?)?);
        length = 10;
    }
    match char::decode_utf16(units).collect::<Result<Vec<_>, _>>().ok()?[..] {
        [character] => Some((character, &text[length..])),
        _ => None,
    }
}

/// Appends a JSON value as it is; `false` (and nothing appended) if a string in it is no text. What a
/// queue refuses in a message is escaped.
pub(super) fn copy(out: &mut Buffer, value: &[u8]) -> bool {
    if memchr::memchr(b'\\', value).is_some() && !escapes_are_text(value) {
        return false;
    }
    let mut copied = 0;
    for at in memchr::memchr_iter(0xef, value) {
        // Outside of strings JSON is ASCII.
        let escape: &[u8] = match value.get(at + 1..at + 3) {
            Some(b"\xbf\xbe") => b"\\ufffe",
            Some(b"\xbf\xbf") => b"\\uffff",
            _ => continue,
        };
        out.extend_from_slice(&value[copied..at]);
        out.extend_from_slice(escape);
        copied = at + 3;
    }
    out.extend_from_slice(&value[copied..]);
    true
}

/// Whether all escapes of a valid JSON value are characters: no half of a surrogate pair is alone.
fn escapes_are_text(value: &[u8]) -> bool {
    let mut rest = value;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let Some((&kind, after)) = rest.get(at + 1..).and_then(<[u8]>::split_first) else {
            return false;
        };
        rest = after;
        if kind == b'u' {
            let Some((_, after)) = escaped(rest) else { return false };
            rest = after;
        }
    }
    true
}

/// Appends a text that is JSON as one value without line ends; `false` (and nothing appended) if it
/// is none. Its strings and numbers stay as they are written.
pub(super) fn parsed(out: &mut Buffer, text: &[u8]) -> bool {
    if serde_json::from_slice::<Valid>(text).is_err() {
        return false;
    }
    // White space outside of strings is for people.
    let mut compact = Vec::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    for byte in text {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
        } else if byte.is_ascii_whitespace() {
            continue;
        } else {
            in_string = *byte == b'"';
        }
        compact.push(*byte);
    }
    copy(out, &compact)
}

/// Any JSON value that readers can be expected to read: nested up to a depth, its strings being text
/// and its numbers finite. Nothing of it is kept.
struct Valid;

impl<'de> Deserialize<'de> for Valid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Valid {
    type Value = Self;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self, A::Error> {
        while values.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self, A::Error> {
        while entries.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(write: impl FnOnce(&mut Buffer) -> bool) -> Option<String> {
        let mut out = Buffer::default();
        let written = write(&mut out);
        assert!(written || out.len() == 0, "nothing is written of what is refused");
        written.then(|| String::from_utf8(out.into_vec()).expect("UTF-8"))
    }

    #[test]
    fn strings_say_what_serde_says() {
        for json in [
            r#""""#,
            r#""plain é""#,
            r#""a\"b\\c\/d\b\f\n\r\t""#,
            r#""\u00e9\uD83E\uDD80x\u0000""#,
            r#""\\u00e9""#,
        ] {
            let Token::String(inside) = Token::of(json.as_bytes()) else { panic!("{json}") };
            let mut into = Vec::new();
            let text = unescape(inside, &mut into).expect("text");
            let expected: String = serde_json::from_str(json).expect("valid");
            assert_eq!(std::str::from_utf8(text), Ok(expected.as_str()));
            assert_eq!(out(|out| copy(out, json.as_bytes())).as_deref(), Some(json));
        }
        for half in [r#""\ud800""#, r#""\udc00x""#, r#""\ud800\u0041""#, r#""x\ud83e""#] {
            let mut into = Vec::new();
            assert_eq!(unescape(&half.as_bytes()[1..half.len() - 1], &mut into), None, "{half}");
            assert_eq!(out(|out| copy(out, half.as_bytes())), None, "{half}");
        }
    }

    #[test]
    fn values_go_through_as_they_are() {
        for json in ["1.10", "-0", "123456789012345678901234567890", "[1,{\"a\":null}]", "true"] {
            assert_eq!(out(|out| copy(out, json.as_bytes())).as_deref(), Some(json));
        }
        let copied = out(|out| copy(out, "\"a\u{fffe}b\u{ffff}\u{feff}\"".as_bytes()));
        assert_eq!(copied.as_deref(), Some("\"a\\ufffeb\\uffff\u{feff}\""));
    }

    #[test]
    fn a_text_that_is_json_becomes_its_value() {
        let pretty = "{\n  \"a b\": [1.50, \"x\\\" y\", \"\\\\\"],\r\n\t\"c\" : null }";
        let compact = "{\"a b\":[1.50,\"x\\\" y\",\"\\\\\"],\"c\":null}";
        assert_eq!(out(|out| parsed(out, pretty.as_bytes())).as_deref(), Some(compact));
        let deep = [vec![b'['; 1000], vec![b']'; 1000]].concat();
        let deep = String::from_utf8(deep).expect("ASCII");
        for refused in ["", "{", "{'a':1}", "1 2", "NaN", "1e999", r#""\ud800""#, &deep, "[1,]"] {
            assert_eq!(out(|out| parsed(out, refused.as_bytes())), None, "{refused}");
        }
    }
}
