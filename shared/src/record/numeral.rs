//! Numbers as other countries write them, and their order, without floating point.

use std::cmp::Ordering;

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numerals {
    /// What stands before the fraction.
    pub(super) decimal: char,
    /// What may stand between groups of digits.
    pub(super) group: Option<char>,
}

impl Numerals {
    /// A point, and no groups.
    pub(super) const PLAIN: Self = Self { decimal: '.', group: None };

    /// The number with a point and without groups, if it is one of these numerals as far as they are
    /// concerned. `1.234.567,89` becomes `1234567.89`.
    ///
    /// Groups are of three digits, or all of two but the last, as in India. The first may be shorter,
    /// and begins with no zero, which nobody groups: `0.500` is half of something. Anything else is
    /// more likely another number than a sloppy one.
    pub(super) fn plain<'t>(&self, text: &str, into: &'t mut Vec<u8>) -> Option<&'t [u8]> {
        into.clear();
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        into.extend_from_slice(&text.as_bytes()[..text.len() - unsigned.len()]);
        let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
            Some(at) => unsigned.split_at(at),
            None => (unsigned, ""),
        };
        let (whole, fraction) = match mantissa.split_once(self.decimal) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        match self.group {
            Some(group) => self.ungroup(whole, group, into)?,
            None => into.extend_from_slice(digits(whole)?),
        }
        if let Some(fraction) = fraction {
            into.push(b'.');
            into.extend_from_slice(digits(fraction)?);
        }
        // What an exponent is, is said by who reads the number.
        into.extend_from_slice(exponent.as_bytes());
        Some(into)
    }

    fn ungroup(&self, whole: &str, group: char, into: &mut Vec<u8>) -> Option<()> {
        // A space between groups is mostly one that does not break.
        let separates =
            |c: char| c == group || (group == ' ' && matches!(c, '\u{a0}' | '\u{202f}'));
        let Some((before, last)) = whole.rsplit_once(separates) else {
            into.extend_from_slice(digits(whole)?);
            return Some(());
        };
        let mut groups = before.split(separates);
        let first = groups.next()?;
        // The second group tells by which of the two ways all of them are made.
        let size =
            if groups.clone().next().is_some_and(|second| second.len() == 2) { 2 } else { 3 };
        let fits = (1..=size).contains(&first.len())
            && !first.starts_with('0')
            && groups.all(|group| group.len() == size)
            && last.len() == 3;
        for group in before.split(separates).chain([last]) {
            into.extend_from_slice(digits(group).filter(|_| fits)?);
        }
        Some(())
    }
}

fn digits(text: &str) -> Option<&[u8]> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then_some(text.as_bytes())
}

/// Compares two numbers (digits with an optional sign, fraction and exponent) exactly.
pub(super) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (Scientific::of(a), Scientific::of(b));
    match (a.sign(), b.sign()) {
        (1, 1) => a.magnitude(&b),
        (-1, -1) => b.magnitude(&a),
        (a, b) => a.cmp(&b),
    }
}

/// The same bytes for equal numbers.
pub(super) fn canonical(number: &[u8]) -> Vec<u8> {
    let Scientific { negative, mut digits, exponent } = Scientific::of(number);
    if digits.is_empty() {
        return b"0".to_vec();
    }
    if negative {
        digits.insert(0, b'-');
    }
    digits.push(b'e');
    digits.extend_from_slice(exponent.to_string().as_bytes());
    digits
}

/// `0.d1d2d3… × 10^exponent`, without zeros at either end of the digits.
struct Scientific {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Scientific {
    fn of(number: &[u8]) -> Self {
        let negative = number.first() == Some(&b'-');
        let unsigned = number.strip_prefix(b"-").or(number.strip_prefix(b"+")).unwrap_or(number);
        let at = unsigned.iter().position(|byte| matches!(byte, b'e' | b'E'));
        let (mantissa, exponent) = unsigned.split_at(at.unwrap_or(unsigned.len()));
        let point = memchr::memchr(b'.', mantissa).unwrap_or(mantissa.len());
        let mut digits: Vec<u8> = mantissa.iter().copied().filter(|byte| *byte != b'.').collect();
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        digits.drain(..zeros);
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        // What an exponent is too large for the scale is past every bound anyway.
        let written =
            std::str::from_utf8(exponent.get(1..).unwrap_or_default()).unwrap_or_default();
        let far = if written.starts_with('-') { i64::MIN / 4 } else { i64::MAX / 4 };
        let exponent = match written.trim_start_matches('+') {
            "" => 0,
            written => written.parse().unwrap_or(far).clamp(i64::MIN / 4, i64::MAX / 4),
        };
        let places = point as i64 - zeros as i64;
        Self { negative, digits, exponent: exponent.saturating_add(places) }
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is(decimal: char, group: Option<char>, text: &str, expected: Option<&str>) {
        let mut into = Vec::new();
        let plain = Numerals { decimal, group }.plain(text, &mut into);
        let plain = plain.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert_eq!(plain.as_deref(), expected, "{text:?}");
    }

    #[test]
    fn numerals_of_other_countries() {
        is(',', None, "-1,50", Some("-1.50"));
        is(',', None, "1.50", None);
        is(',', Some('.'), "1.234.567,89", Some("1234567.89"));
        is(',', Some('.'), "1234567,89", Some("1234567.89"));
        is(',', Some('.'), "1.50", None);
        is(',', Some('.'), ".123", None);
        is(',', Some('.'), "1234.567", None);
        is(',', Some('.'), "1,234.567", None);
        is('.', Some(','), "1,234.5", Some("1234.5"));
        is('.', Some(','), "12,34,567", Some("1234567"));
        is('.', Some(','), "12,34", None);
        is(',', Some(' '), "1\u{202f}234\u{a0}567,8", Some("1234567.8"));
        is('.', Some('\''), "+1'234e5", Some("+1234e5"));
        is('.', Some('.'), "x", None);
        is('.', None, "١", None);
    }

    #[test]
    fn fractions_in_other_numerals_are_no_groups() {
        for text in ["0.500", "00.500", "0.123.456", "01.234", "-0.500"] {
            is(',', Some('.'), text, None);
        }
        for text in ["0,123", "0,500", "+0,500", "000,500", ",500", "1,,234", "1,234,"] {
            is('.', Some(','), text, None);
        }
        is('.', Some(','), "0.500", Some("0.500"));
        is('.', Some(','), "007", Some("007"));
        is('.', Some(','), "100,000", Some("100000"));
    }

    #[test]
    fn groups_are_of_one_way_of_writing() {
        for (text, expected) in [
            ("1,23,456", Some("123456")),
            ("12,34,567", Some("1234567")),
            ("1,23,45,678", Some("12345678")),
            ("123,456,789", Some("123456789")),
            ("123,45,678", None),
            ("1,234,56,789", None),
            ("1,23,456,789", None),
            ("12,34,56", None),
            ("1234,567", None),
            ("12,3456", None),
        ] {
            is('.', Some(','), text, expected);
        }
    }

    #[test]
    fn numbers_are_compared_exactly() {
        let ordered = [
            "-1e400",
            "-10",
            "-9.5",
            "-1",
            "-0.001",
            "0",
            "0.0001",
            "1e-3",
            "0.5",
            ".51",
            "1",
            "1.0000000000000000000001",
            "9",
            "9.99e0",
            "10",
            "123456789012345678901234567890",
            "123456789012345678901234567891",
            "1e999999999999999999999",
        ];
        for (at, a) in ordered.iter().enumerate() {
            for (other, b) in ordered.iter().enumerate() {
                assert_eq!(compare(a.as_bytes(), b.as_bytes()), at.cmp(&other), "{a} {b}");
            }
        }
        for (a, b) in [("0", "-0.00"), ("1", "+01.0"), ("1500", "1.5e3"), ("0.10", "1e-1")] {
            assert_eq!(compare(a.as_bytes(), b.as_bytes()), Ordering::Equal, "{a} {b}");
        }
    }
}
