//! Types of one token: each function takes a trimmed, non-empty cell and appends its JSON value, or
//! says that it is none (having appended nothing).

use super::buffer::Buffer;

/// Digits with an optional sign, as a JSON number of any length. JSON knows neither `+` nor leading
/// zeros, so they go.
pub(super) fn integer(out: &mut Buffer, cell: &[u8]) -> bool {
    let (negative, digits) = sign(cell);
    if digits.is_empty() || !all_digits(digits) {
        return false;
    }
    let digits = without_leading_zeros(digits);
    if negative && digits != b"0" {
        out.push(b'-');
    }
    out.extend_from_slice(digits);
    true
}

/// Digits with an optional sign and fraction, as a JSON string exactly as written.
pub(super) fn decimal(out: &mut Buffer, cell: &[u8]) -> bool {
    let (_, unsigned) = sign(cell);
    let (mut points, mut digits) = (0, 0);
    for byte in unsigned {
        points += usize::from(*byte == b'.');
        digits += usize::from(byte.is_ascii_digit());
    }
    let whole = digits > 0 && points <= 1 && digits + points == unsigned.len();
    if whole {
        super::json::string(out, cell);
    }
    whole
}

/// Zeros at most that a decimal is filled up with: enough for each number that a float can be.
const ZEROS: usize = 400;

/// A number of a file that knows numbers, as a JSON string: written out if it has an exponent, as
/// programs write what is small or large (`2.5e-6`), digit by digit.
pub(super) fn typed_decimal(out: &mut Buffer, number: &[u8]) -> bool {
    let at = number.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let Some(at) = at else { return decimal(out, number) };
    match written_out(&number[..at], &number[at + 1..]) {
        Some(text) => decimal(out, &text),
        None => false,
    }
}

/// The digits of a number with the point where its exponent says; `None`: that is too far away.
fn written_out(mantissa: &[u8], exponent: &[u8]) -> Option<Vec<u8>> {
    let (negative, unsigned) = sign(mantissa);
    let (whole, fraction) = split_once(unsigned, b'.');
    let fraction = fraction.unwrap_or_default();
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let (down, exponent) = sign(exponent);
    let shift = std::str::from_utf8(exponent).ok().filter(|text| all_digits(text.as_bytes()))?;
    let shift = shift.parse().ok().filter(|shift| *shift <= ZEROS)?;
    let (digits, point) = if down {
        ([&vec![b'0'; shift], whole, fraction].concat(), whole.len())
    } else {
        let (mut digits, point) = ([whole, fraction].concat(), whole.len() + shift);
        digits.resize(digits.len().max(point), b'0');
        (digits, point)
    };
    let (whole, fraction) = digits.split_at(point);
    let mut text = Vec::with_capacity(digits.len() + 3);
    if negative {
        text.push(b'-');
    }
    text.extend_from_slice(if whole.is_empty() { b"0" } else { without_leading_zeros(whole) });
    if !fraction.is_empty() {
        text.push(b'.');
        text.extend_from_slice(fraction);
    }
    Some(text)
}

/// A finite number, as a JSON number with the digits as written. What JSON requires is filled in:
/// `.5` becomes `0.5`, `5.` becomes `5.0`; `+` and leading zeros go.
pub(super) fn number(out: &mut Buffer, cell: &[u8]) -> bool {
    let (negative, unsigned) = sign(cell);
    let exponent_at = unsigned.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let (mantissa, exponent) = match exponent_at {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let (whole, fraction) = split_once(mantissa, b'.');
    let digits = whole.len() + fraction.map_or(0, <[u8]>::len);
    if digits == 0 || !all_digits(whole) || !all_digits(fraction.unwrap_or_default()) {
        return false;
    }
    if let Some(exponent) = exponent {
        let (_, digits) = sign(exponent);
        if digits.is_empty() || !all_digits(digits) {
            return false;
        }
    }
    // Only a long or scaled number can be beyond what a reader's floating point holds.
    if (exponent.is_some() || whole.len() > 300) && !is_finite(cell) {
        return false;
    }
    if negative {
        out.push(b'-');
    }
    out.extend_from_slice(if whole.is_empty() { b"0" } else { without_leading_zeros(whole) });
    if let Some(fraction) = fraction {
        out.push(b'.');
        out.extend_from_slice(if fraction.is_empty() { b"0" } else { fraction });
    }
    if let Some(exponent) = exponent {
        out.push(b'e');
        out.extend_from_slice(exponent);
    }
    true
}

/// A JSON boolean.
pub(super) fn boolean(out: &mut Buffer, cell: &[u8]) -> bool {
    let is = |words: &[&[u8]]| words.iter().any(|word| cell.eq_ignore_ascii_case(word));
    if is(&[b"true", b"yes", b"1", b"t", b"y"]) {
        out.extend_from_slice(b"true");
    } else if is(&[b"false", b"no", b"0", b"f", b"n"]) {
        out.extend_from_slice(b"false");
    } else {
        return false;
    }
    true
}

/// An email address, as a JSON string. The test is what finds wrong columns and pasted lists, not
/// the grammar of RFC 5322: one `@` with something before it, a domain with a dot (or `localhost`),
/// and nothing that separates addresses.
pub(super) fn email(out: &mut Buffer, cell: &[u8]) -> bool {
    let mut at = None;
    // Where a part of the domain begins: after the `@` or a dot.
    let mut part = usize::MAX;
    let mut dots = 0;
    for (place, byte) in cell.iter().enumerate() {
        match EMAIL[usize::from(*byte)] {
            PLAIN => {}
            DOT if at.is_none() => {}
            DOT if part < place => {
                part = place + 1;
                dots += 1;
            }
            AT if at.is_none() && place > 0 => {
                at = Some(place);
                part = place + 1;
            }
            _ => return false,
        }
    }
    let Some(at) = at else { return false };
    let whole =
        part < cell.len() && (dots > 0 || cell[at + 1..].eq_ignore_ascii_case(b"localhost"));
    if whole {
        super::json::string(out, cell);
    }
    whole
}

/// An absolute URL, as a JSON string: a scheme, `://`, a host, and nothing that no URL has. As with
/// [`email`], this finds wrong columns, and is not the grammar.
pub(super) fn url(out: &mut Buffer, cell: &[u8]) -> bool {
    let whole = is_url(cell);
    if whole {
        super::json::string(out, cell);
    }
    whole
}

fn is_url(cell: &[u8]) -> bool {
    let Some(colon) = memchr::memchr(b':', cell) else { return false };
    let (scheme, rest) = cell.split_at(colon);
    let Some(rest) = rest.strip_prefix(b"://") else { return false };
    let of_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    if !scheme.first().is_some_and(u8::is_ascii_alphabetic) || !scheme.iter().all(of_scheme) {
        return false;
    }
    let never = |byte: &u8| byte.is_ascii_control() || b" \"<>\\^`{|}".contains(byte);
    let authority = rest.split(|byte| b"/?#".contains(byte)).next().unwrap_or_default();
    let host = authority.rsplit(|byte| *byte == b'@').next().unwrap_or_default();
    !host.is_empty() && host[0] != b':' && !rest.iter().any(never)
}

/// A UUID, in any of its forms, as a JSON string in the usual one.
pub(super) fn uuid(out: &mut Buffer, cell: &[u8]) -> bool {
    let Ok(uuid) = uuid::Uuid::try_parse_ascii(cell) else { return false };
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    super::json::string(out, uuid.hyphenated().encode_lower(&mut text).as_bytes());
    true
}

const PLAIN: u8 = 0;
const DOT: u8 = 1;
const AT: u8 = 2;
const NEVER: u8 = 3;

/// What a byte is in an address. Bytes beyond ASCII are plain.
static EMAIL: [u8; 256] = {
    let mut class = [PLAIN; 256];
    let mut byte = 0;
    while byte <= b' ' as usize {
        class[byte] = NEVER;
        byte += 1;
    }
    let separators = b",;:<>()\"\\\x7f";
    let mut at = 0;
    while at < separators.len() {
        class[separators[at] as usize] = NEVER;
        at += 1;
    }
    class[b'.' as usize] = DOT;
    class[b'@' as usize] = AT;
    class
};

fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    }
}

fn all_digits(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit)
}

fn without_leading_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    &digits[zeros.min(digits.len() - 1)..]
}

fn split_once(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(at, text) {
        Some(place) => (&text[..place], Some(&text[place + 1..])),
        None => (text, None),
    }
}

fn is_finite(cell: &[u8]) -> bool {
    let parsed = std::str::from_utf8(cell).ok().and_then(|text| text.parse::<f64>().ok());
    parsed.is_some_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(write: fn(&mut Buffer, &[u8]) -> bool, cell: &str) -> Option<String> {
        let mut out = Buffer::default();
        let written = write(&mut out, cell.as_bytes());
        assert!(written || out.len() == 0, "nothing is written of {cell:?}, which is refused");
        written.then(|| {
            let text = String::from_utf8(out.into_vec()).expect("UTF-8");
            serde_json::from_str::<serde_json::Value>(&text).expect("valid JSON");
            text
        })
    }

    #[track_caller]
    fn all(write: fn(&mut Buffer, &[u8]) -> bool, expected: &[(&str, &str)], refused: &[&str]) {
        for (cell, expected) in expected {
            assert_eq!(json(write, cell).as_deref(), Some(*expected), "{cell:?}");
        }
        for cell in refused {
            assert_eq!(json(write, cell), None, "{cell:?}");
        }
    }

    #[test]
    fn integers() {
        all(
            integer,
            &[
                ("0", "0"),
                ("-0", "0"),
                ("007", "7"),
                ("+7", "7"),
                ("-0012", "-12"),
                ("000", "0"),
                ("123456789012345678901234567890", "123456789012345678901234567890"),
            ],
            &["-", "+", "1.0", "1e5", "1 000", "1,000", "--1", "x", "0x10", "١"],
        );
    }

    #[test]
    fn decimals_stay_as_written() {
        all(
            decimal,
            &[("1.50", "\"1.50\""), ("-0.10", "\"-0.10\""), ("007", "\"007\""), (".5", "\".5\"")],
            &[".", "-", "1.2.3", "1e5", "1,5", "NaN", "-."],
        );
    }

    #[test]
    fn numbers_with_an_exponent_are_written_out_as_decimals() {
        let small = format!("\"0.{}5\"", "0".repeat(323));
        let large = format!("\"17{}\"", "0".repeat(307));
        all(
            typed_decimal,
            &[
                ("2.5e-6", "\"0.0000025\""),
                ("1e21", "\"1000000000000000000000\""),
                ("-1.50E+1", "\"-15.0\""),
                ("1.5e3", "\"1500\""),
                ("123.45e-2", "\"1.2345\""),
                ("123.456e2", "\"12345.6\""),
                ("1.0e0", "\"1.0\""),
                ("0e5", "\"0\""),
                ("-0.0e-1", "\"-0.00\""),
                ("0.001e2", "\"0.1\""),
                ("1.10", "\"1.10\""),
                ("5e-324", &small),
                ("1.7e308", &large),
            ],
            // What fills memory with zeros is no amount of anything.
            &["1e401", "1e-401", "1e999999999", "1e-99999999999999999999999", "1e", "e5", "1e5x"],
        );
        let long = format!("1{}e-3", "0".repeat(1000));
        assert_eq!(json(typed_decimal, &long).map(|text| text.len()), Some(1001 + 3));
    }

    #[test]
    fn numbers_are_finite_json() {
        all(
            number,
            &[
                ("1", "1"),
                ("-1.5", "-1.5"),
                ("1e5", "1e5"),
                ("1E+05", "1e+05"),
                (".5", "0.5"),
                ("-.5", "-0.5"),
                ("5.", "5.0"),
                ("5.e3", "5.0e3"),
                ("+007.10", "7.10"),
                ("1e-400", "1e-400"),
            ],
            &[
                "", ".", "e5", "1e", "1e+", "1e400", "-1e400", "NaN", "inf", "1.2.3", "1,5", "0x1",
                "1e5.0",
            ],
        );
        assert_eq!(json(number, &"9".repeat(400)), None, "beyond floating point");
    }

    #[test]
    fn booleans_in_any_case() {
        for cell in ["true", "TRUE", "Yes", "1", "t", "Y"] {
            assert_eq!(json(boolean, cell).as_deref(), Some("true"), "{cell}");
        }
        for cell in ["false", "False", "NO", "0", "f", "n"] {
            assert_eq!(json(boolean, cell).as_deref(), Some("false"), "{cell}");
        }
        all(boolean, &[], &["2", "on", "tru", "vrai", "-1"]);
    }

    #[test]
    fn emails() {
        all(
            email,
            &[
                ("a@b.c", "\"a@b.c\""),
                ("first.last+tag@sub.example.com", "\"first.last+tag@sub.example.com\""),
                ("root@localhost", "\"root@localhost\""),
                ("é@exämple.fr", "\"é@exämple.fr\""),
            ],
            &[
                "",
                "@",
                "a@",
                "@b.c",
                "a@b",
                "a@@b.c",
                "a@b@c.d",
                "a b@c.d",
                "a@b.c, d@e.f",
                "a@b.c;d@e.f",
                "Bob <a@b.c>",
                "a@.c",
                "a@b.",
                "a@b..c",
                "a@b.c\u{7f}",
            ],
        );
    }

    #[test]
    fn urls() {
        all(
            url,
            &[
                ("https://example.com", "\"https://example.com\""),
                ("http://a.b:80/c?d=e#f", "\"http://a.b:80/c?d=e#f\""),
                ("s3://bucket/key", "\"s3://bucket/key\""),
                ("https://u:p@[::1]/\u{e9}", "\"https://u:p@[::1]/\u{e9}\""),
            ],
            &[
                "",
                "example.com",
                "//example.com",
                "https:",
                "https://",
                "https:///path",
                "https://u@/",
                "https://:80/",
                "1http://a.b",
                "http://a b",
                "http://a.b/<c>",
                "mailto:a@b.c",
            ],
        );
    }

    #[test]
    fn uuids() {
        let expected = "\"67e55044-10b1-426f-9247-bb680e5fe0c8\"";
        all(
            uuid,
            &[
                ("67e55044-10b1-426f-9247-bb680e5fe0c8", expected),
                ("67E55044-10B1-426F-9247-BB680E5FE0C8", expected),
                ("67e5504410b1426f9247bb680e5fe0c8", expected),
                ("{67e55044-10b1-426f-9247-bb680e5fe0c8}", expected),
            ],
            &[
                "",
                "67e55044",
                "67e55044-10b1-426f-9247-bb680e5fe0cg",
                "67e55044_10b1_426f_9247_bb680e5fe0c8",
            ],
        );
    }
}
