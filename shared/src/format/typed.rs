//! Values of typed formats (Parquet, Avro) as JSON, without losing a digit.
//!
//! Whole numbers are JSON numbers, exact at any size. Decimals are strings, since a JSON number
//! loses digits in most readers. Floating point numbers have the shortest digits that give the same
//! number again; those that JSON has no number for are the strings `"NaN"`, `"Infinity"` and
//! `"-Infinity"`. Times are RFC 3339 with as many digits as they need.

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes of a decimal: 64 hold 154 digits, more than any system keeps.
const DECIMAL_BYTES: usize = 64;

/// Digits behind the point.
pub(super) const MAX_SCALE: usize = 1024;

/// What a value that cannot be written is.
pub(super) type Problem = &'static str;

pub(super) fn display(value: impl std::fmt::Display, out: &mut Vec<u8>) {
    // Writing into a vector cannot fail.
    let _ = write!(out, "{value}");
}

/// A text with quotes.
pub(super) fn text(text: &str, out: &mut Vec<u8>) {
    // Nor can this.
    let _ = serde_json::to_writer(out, text);
}

/// Bytes that the file does not call text: text where they look like it, UTF-8 without control
/// characters, since many programs do not say; else base64.
pub(super) fn bytes(bytes: &[u8], out: &mut Vec<u8>) {
    let control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
    match std::str::from_utf8(bytes) {
        Ok(valid) if !bytes.iter().any(control) => text(valid, out),
        _ => base64(bytes, out),
    }
}

/// Bytes that the file calls text. `false`: they are none, and written as base64.
pub(super) fn declared_text(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(valid) => {
            text(valid, out);
            true
        }
        Err(_) => {
            base64(bytes, out);
            false
        }
    }
}

/// Bytes as base64.
pub(super) fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    // The room is exactly what padded base64 takes.
    let length = STANDARD.encode_slice(bytes, &mut out[start..]).unwrap_or(0);
    out.truncate(start + length);
    out.push(b'"');
}

pub(super) fn f64(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        let _ = serde_json::to_writer(out, &value);
    } else {
        not_finite(value, out);
    }
}

pub(super) fn f32(value: f32, out: &mut Vec<u8>) {
    if value.is_finite() {
        let _ = serde_json::to_writer(out, &value);
    } else {
        not_finite(value.into(), out);
    }
}

fn not_finite(value: f64, out: &mut Vec<u8>) {
    let word: &[u8] = if value.is_nan() {
        b"\"NaN\""
    } else if value > 0.0 {
        b"\"Infinity\""
    } else {
        b"\"-Infinity\""
    };
    out.extend_from_slice(word);
}

/// Half precision, from its bits.
pub(super) fn f16(bits: u16, out: &mut Vec<u8>) {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    let value = match exponent {
        0 => sign * fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => sign * f32::INFINITY,
        31 => f32::NAN,
        exponent => sign * (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    };
    f32(value, out);
}

/// A decimal from its unscaled value.
pub(super) fn decimal(unscaled: i128, scale: usize, out: &mut Vec<u8>) {
    let digits = unscaled.unsigned_abs().to_string();
    decimal_digits(unscaled < 0, &digits, scale, out);
}

/// A decimal from its unscaled value as bytes of two's complement, the highest first.
pub(super) fn decimal_bytes(bytes: &[u8], scale: usize, out: &mut Vec<u8>) -> Result<(), Problem> {
    let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    if bytes.len() <= 16 {
        let mut value = [if negative { 0xff } else { 0 }; 16];
        value[16 - bytes.len()..].copy_from_slice(bytes);
        decimal(i128::from_be_bytes(value), scale, out);
        return Ok(());
    }
    if bytes.len() > DECIMAL_BYTES {
        return Err("a decimal has more than 64 bytes");
    }
    // The amount, and then its digits by dividing again and again.
    let mut amount = bytes.to_vec();
    if negative {
        let mut carry = true;
        for byte in amount.iter_mut().rev() {
            let (value, overflowed) = (!*byte).overflowing_add(u8::from(carry));
            (*byte, carry) = (value, overflowed);
        }
    }
    let mut digits = Vec::new();
    while amount.iter().any(|byte| *byte != 0) {
        let mut rest = 0u16;
        for byte in &mut amount {
            let value = rest << 8 | u16::from(*byte);
            *byte = (value / 10) as u8;
            rest = value % 10;
        }
        digits.push(char::from(b'0' + rest as u8));
    }
    let digits: String = if digits.is_empty() { "0".into() } else { digits.iter().rev().collect() };
    decimal_digits(negative, &digits, scale, out);
    Ok(())
}

fn decimal_digits(negative: bool, digits: &str, scale: usize, out: &mut Vec<u8>) {
    out.push(b'"');
    if negative {
        out.push(b'-');
    }
    if scale == 0 {
        out.extend_from_slice(digits.as_bytes());
    } else {
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        display(format_args!("{whole}.{fraction}"), out);
    }
    out.push(b'"');
}

/// A day, by its distance from 1970-01-01.
pub(super) fn date(days: i64, out: &mut Vec<u8>) {
    out.push(b'"');
    date_part(days, out);
    out.push(b'"');
}

/// A point in time by its distance from 1970-01-01T00:00:00, `per_second` units to the second.
pub(super) fn timestamp(units: i128, per_second: i128, utc: bool, out: &mut Vec<u8>) {
    let per_day = per_second * 86_400;
    out.push(b'"');
    // 64 bits of units, or days of 32 bits with nanoseconds of 64, are fewer days than 64 bits.
    date_part(units.div_euclid(per_day) as i64, out);
    out.push(b'T');
    time_part(units.rem_euclid(per_day), per_second, out);
    if utc {
        out.push(b'Z');
    }
    out.push(b'"');
}

/// A time of day; outside of a day it is written as the number that it is.
pub(super) fn time(units: i64, per_second: i128, out: &mut Vec<u8>) {
    let wide = i128::from(units);
    if !(0..per_second * 86_400).contains(&wide) {
        return display(units, out);
    }
    out.push(b'"');
    time_part(wide, per_second, out);
    out.push(b'"');
}

fn date_part(days: i64, out: &mut Vec<u8>) {
    // Days of the Gregorian calendar in eras of 400 years that begin in March.
    let days = i128::from(days) + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let day = day - (153 * shifted + 2) / 5 + 1;
    let year = era * 400 + year_of_era + i128::from(month <= 2);
    match year {
        0..=9999 => display(format_args!("{year:04}-{month:02}-{day:02}"), out),
        // ISO 8601 has a sign where four digits are not enough.
        _ => display(format_args!("{year:+07}-{month:02}-{day:02}"), out),
    }
}

fn time_part(units: i128, per_second: i128, out: &mut Vec<u8>) {
    let (seconds, fraction) = (units / per_second, units % per_second);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    display(format_args!("{hour:02}:{minute:02}:{second:02}"), out);
    if fraction > 0 {
        let width = per_second.ilog10() as usize;
        let digits = format!("{fraction:0width$}");
        display(format_args!(".{}", digits.trim_end_matches('0')), out);
    }
}

/// A UUID; bytes that are none as bytes.
pub(super) fn uuid(value: &[u8], out: &mut Vec<u8>) {
    match uuid::Uuid::from_slice(value) {
        Ok(uuid) => display(format_args!("\"{}\"", uuid.hyphenated()), out),
        Err(_) => bytes(value, out),
    }
}

/// A duration in months, days and milliseconds, by ISO 8601.
pub(super) fn interval(months: u32, days: u32, millis: u32, out: &mut Vec<u8>) {
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let fraction = if millis == 0 { String::new() } else { format!(".{millis:03}") };
    display(format_args!("\"P{months}M{days}DT{seconds}{fraction}S\""), out);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("JSON")
    }

    #[test]
    fn decimals_keep_every_digit() {
        let of = |unscaled, scale| written(|out| decimal(unscaled, scale, out));
        assert_eq!(of(12345, 2), "\"123.45\"");
        assert_eq!(of(-5, 3), "\"-0.005\"");
        assert_eq!(of(0, 2), "\"0.00\"");
        assert_eq!(of(i128::MIN, 0), "\"-170141183460469231731687303715884105728\"");
        let of = |bytes: &[u8], scale| {
            written(|out| decimal_bytes(bytes, scale, out).expect("a decimal"))
        };
        assert_eq!(of(&[0xff, 0x85], 2), "\"-1.23\"");
        assert_eq!(of(&[], 2), "\"0.00\"");
        assert_eq!(of(&[0; 17], 1), "\"0.0\"");
        assert_eq!(of(&[0xff; 20], 0), "\"-1\"");
        let mut large = [0; 17];
        large[0] = 1;
        assert_eq!(of(&large, 0), "\"340282366920938463463374607431768211456\"");
        large[0] = 0xff;
        assert_eq!(of(&large, 1), "\"-34028236692093846346337460743176821145.6\"");
        assert!(decimal_bytes(&[1; 65], 0, &mut Vec::new()).is_err());
    }

    #[test]
    fn times_have_the_digits_that_they_need() {
        let of = |units, per_second, utc| written(|out| timestamp(units, per_second, utc, out));
        assert_eq!(of(0, 1000, true), "\"1970-01-01T00:00:00Z\"");
        assert_eq!(of(-1, 1_000_000_000, false), "\"1969-12-31T23:59:59.999999999\"");
        assert_eq!(of(1_700_000_000_120, 1000, false), "\"2023-11-14T22:13:20.12\"");
        assert_eq!(of(i128::from(i64::MAX), 1000, true), "\"+292278994-08-17T07:12:55.807Z\"");
        assert_eq!(of(i128::from(i64::MIN), 1000, true), "\"-292275055-05-16T16:47:04.192Z\"");
        for (days, day) in [
            (0, "1970-01-01"),
            (11_016, "2000-02-29"),
            (-25_567, "1900-01-01"),
            (-719_528, "0000-01-01"),
            (-719_529, "-000001-12-31"),
            (2_932_896, "9999-12-31"),
            (2_932_897, "+010000-01-01"),
        ] {
            assert_eq!(written(|out| date(days, out)), format!("\"{day}\""));
        }
        assert_eq!(written(|out| time(3_723_000_001, 1_000_000, out)), "\"01:02:03.000001\"");
        assert_eq!(written(|out| time(-1, 1000, out)), "-1");
        assert_eq!(written(|out| time(86_400_000, 1000, out)), "86400000");
    }

    #[test]
    fn every_number_has_a_json_value() {
        assert_eq!(written(|out| f64(0.1, out)), "0.1");
        assert_eq!(written(|out| f32(0.1, out)), "0.1");
        assert_eq!(written(|out| f64(f64::NAN, out)), "\"NaN\"");
        assert_eq!(written(|out| f32(f32::NEG_INFINITY, out)), "\"-Infinity\"");
        for (bits, number) in [
            (0x3c00, "1.0"),
            (0xc000, "-2.0"),
            (0x0001, "5.9604645e-8"),
            (0x7bff, "65504.0"),
            (0x7c00, "\"Infinity\""),
            (0x7e00, "\"NaN\""),
        ] {
            assert_eq!(written(|out| f16(bits, out)), number);
        }
    }

    #[test]
    fn bytes_that_are_not_text_are_base64() {
        assert_eq!(written(|out| bytes("é\n".as_bytes(), out)), "\"é\\n\"");
        assert_eq!(written(|out| bytes(&[0xff, 0, 1, 2], out)), "\"/wABAg==\"");
        assert_eq!(written(|out| bytes(&[0, 0, 1], out)), "\"AAAB\"");
        assert!(declared_text(&[0], &mut Vec::new()) && !declared_text(&[0xff], &mut Vec::new()));
        assert_eq!(
            written(|out| uuid(&[0x11; 16], out)),
            "\"11111111-1111-1111-1111-111111111111\""
        );
    }
}
