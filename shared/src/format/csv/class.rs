//! What a cell looks like: enough to tell a header from data and a delimiter from punctuation. Nothing
//! of it touches a value.

use serde::{Deserialize, Serialize};

/// What a cell looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Nothing, or a word that says so.
    Empty,
    /// A number in any notation, with a currency or percent sign or without.
    Number,
    /// A date, a time or both, in digits.
    Temporal,
    /// `true`, `false`, `yes` or `no`.
    Boolean,
    /// Text with digits or marks in it, by its pattern: `D-1001` is `a-9`.
    Shape(u32),
    /// Other text.
    Word,
}

/// What all sampled cells of a column are, as far as it helps to know a row again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnClass {
    /// Anything.
    #[default]
    Text,
    /// Numbers.
    Number,
    /// Dates or times.
    Temporal,
}

impl ColumnClass {
    /// Whether a cell could stand in the column.
    pub(super) fn takes(self, text: &[u8]) -> bool {
        match self {
            Self::Text => true,
            Self::Number => matches!(class(text), Class::Number | Class::Empty),
            Self::Temporal => matches!(class(text), Class::Temporal | Class::Empty),
        }
    }
}

impl Class {
    /// Whether the cell is a value of a type rather than text.
    pub(super) fn is_value(self) -> bool {
        matches!(self, Self::Number | Self::Temporal | Self::Boolean)
    }

    /// Whether it could name a column.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Shape(_) | Self::Word)
    }
}

/// What `text` looks like.
pub(super) fn class(text: &[u8]) -> Class {
    let text = text.trim_ascii();
    if is_null(text) {
        Class::Empty
    } else if is_number(text) {
        Class::Number
    } else if is_temporal(text) {
        Class::Temporal
    } else if ["true", "false", "yes", "no"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word.as_bytes()))
    {
        Class::Boolean
    } else {
        shape(text)
    }
}

fn is_null(text: &[u8]) -> bool {
    const WORDS: [&[u8]; 9] = [b"", b"null", b"\\n", b"na", b"n/a", b"#n/a", b"none", b"nan", b"-"];
    text.len() <= 4 && WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn is_number(text: &[u8]) -> bool {
    let text = strip(text, &[b"+", b"-"], &[]);
    let text = strip(text, CURRENCIES, CURRENCIES);
    let text = strip(text.trim_ascii(), &[b"+", b"-"], &[b"%"]).trim_ascii();
    let (mantissa, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&text[..at], strip(&text[at + 1..], &[b"+", b"-"], &[])),
        None => (text, &b"0"[..]),
    };
    if exponent.is_empty() || !exponent.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let digits = mantissa.iter().filter(|byte| byte.is_ascii_digit()).count();
    if digits == 0
        || !mantissa.iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b'\'' | b' '))
    {
        return false;
    }
    // One mark before the fraction; others in front of groups of three digits.
    let mut groups = mantissa.split(|byte| !byte.is_ascii_digit());
    let first = groups.next().unwrap_or_default();
    let groups: Vec<&[u8]> = groups.collect();
    match groups.split_last() {
        None => true,
        Some((_, grouped)) => {
            let marks = || mantissa.iter().filter(|byte| !byte.is_ascii_digit());
            let all_grouped = groups.iter().all(|group| group.len() == 3) && first.len() <= 3;
            let fraction = grouped.iter().all(|group| group.len() == 3)
                && (grouped.is_empty() || first.len() <= 3)
                && !matches!(marks().next_back(), Some(b' ' | b'\''))
                && marks().filter(|mark| Some(*mark) == marks().next_back()).count() == 1;
            fraction || (all_grouped && !first.is_empty())
        }
    }
}

const CURRENCIES: &[&[u8]] = &["$".as_bytes(), "€".as_bytes(), "£".as_bytes(), "¥".as_bytes()];

fn strip<'t>(text: &'t [u8], before: &[&[u8]], after: &[&[u8]]) -> &'t [u8] {
    let text = before.iter().find_map(|mark| text.strip_prefix(*mark)).unwrap_or(text);
    after.iter().find_map(|mark| text.strip_suffix(*mark)).unwrap_or(text)
}

/// Dates and times of digits: `2024-01-31`, `31/1/24`, `12:30`, both, with AM, PM, a zone or without.
fn is_temporal(text: &[u8]) -> bool {
    if !text.first().is_some_and(u8::is_ascii_digit) || text.len() > 40 {
        return false;
    }
    let mut found = false;
    let parts =
        text.split(|byte| matches!(byte, b' ' | b'T' | b't')).filter(|part| !part.is_empty());
    for part in parts {
        if is_date(part) || is_time(part) {
            found = true;
        } else if !(found
            && [&b"am"[..], b"pm", b"utc"].iter().any(|w| part.eq_ignore_ascii_case(w)))
        {
            return false;
        }
    }
    found
}

fn is_date(part: &[u8]) -> bool {
    [b'-', b'/', b'.'].iter().any(|mark| {
        let groups: Vec<&[u8]> = part.split(|byte| byte == mark).collect();
        let digits =
            |group: &&[u8]| (1..=4).contains(&group.len()) && group.iter().all(u8::is_ascii_digit);
        groups.len() == 3
            && groups.iter().all(digits)
            && part.len() <= 10
            && groups.iter().filter(|group| group.len() > 2).count() <= 1
    })
}

fn is_time(part: &[u8]) -> bool {
    let part = strip(part, &[], &[b"Z", b"z"]);
    let clock =
        part.iter().position(|byte| matches!(byte, b'+' | b'-')).map_or(part, |at| &part[..at]);
    let zone = &part[clock.len()..];
    if !zone.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b':')) {
        return false;
    }
    let clock = clock.split(|byte| *byte == b'.').next().unwrap_or_default();
    let groups: Vec<&[u8]> = clock.split(|byte| *byte == b':').collect();
    let digits =
        |group: &&[u8]| (1..=2).contains(&group.len()) && group.iter().all(u8::is_ascii_digit);
    (2..=3).contains(&groups.len()) && groups.iter().all(digits)
}

/// The pattern of a text: letters and digits in runs, marks as they are.
fn shape(text: &[u8]) -> Class {
    let (mut hash, mut last, mut plain) = (0x811c_9dc5_u32, 0, true);
    for byte in text.iter().take(60) {
        let mark = match byte {
            b'0'..=b'9' => b'9',
            b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => b'a',
            other => *other,
        };
        plain &=
            matches!(mark, b'a' | b' ' | b'.' | b',' | b'\'' | b'-' | b'&' | b'_' | b'(' | b')');
        if mark != last {
            hash = (hash ^ u32::from(mark)).wrapping_mul(0x0100_0193);
            last = mark;
        }
    }
    if plain { Class::Word } else { Class::Shape(hash) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_known_by_their_looks() {
        let of = |text: &str| class(text.as_bytes());
        for number in [
            "1",
            "-1",
            "+1.5",
            "1,5",
            "1.000.000",
            "1,234.50",
            "1'234",
            "1 234,5",
            "007",
            "1e-9",
            "$ 5",
            "5 €",
            "-$5.20",
            "12.5%",
            ".5",
            "345.0",
        ] {
            assert_eq!(of(number), Class::Number, "{number}");
        }
        for temporal in [
            "2024-01-31",
            "31.12.2024",
            "1/2/24",
            "12:30",
            "12:30:05.123",
            "2024-01-31 12:30",
            "2024-01-31T12:30:00Z",
            "2020-12-30 01:25:58.745232+01",
            "02:15:00 PM",
            "90.01.01 00:12:00",
        ] {
            assert_eq!(of(temporal), Class::Temporal, "{temporal}");
        }
        for empty in ["", " ", "NULL", "\\N", "n/a", "-"] {
            assert_eq!(of(empty), Class::Empty, "{empty}");
        }
        for word in ["name", "Ann Lee", "Größe", "it's", "first_name", "Price (EUR)"] {
            assert_eq!(of(word), Class::Word, "{word}");
        }
        assert_eq!(of("D-1001"), of("X-2"));
        assert!(of("D-1001") != of("D1001"));
        for text in ["1.2.3.4", "5;2", "1,2,3", "a@b.c", "12:", "1-2"] {
            assert!(matches!(of(text), Class::Shape(_)), "{text}: {:?}", of(text));
        }
    }
}
