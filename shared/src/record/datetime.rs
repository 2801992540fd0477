//! Dates and times: read by hand in their usual form, by `jiff` in any other.
//!
//! Each function takes a trimmed, non-empty cell and appends a JSON string, or says that the cell is
//! none (having appended nothing). Of several patterns the first that fits counts; without any, the
//! usual form does.

use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use super::buffer::Buffer;

/// A calendar date as `YYYY-MM-DD`. Without a pattern (or with `%Y-%m-%d`) the cell must be written
/// exactly like that.
pub(super) fn date(out: &mut Buffer, cell: &[u8], patterns: &[String]) -> bool {
    if patterns.is_empty() {
        return plain_date(out, cell);
    }
    patterns.iter().any(|pattern| match pattern.as_str() {
        "%Y-%m-%d" => plain_date(out, cell),
        pattern => {
            let parsed = BrokenDownTime::parse(pattern, cell).and_then(|parts| parts.to_date());
            let Some(date) = parsed.ok().filter(is_plausible) else { return false };
            out.push(b'"');
            write_date(out, date);
            out.push(b'"');
            true
        }
    })
}

/// A date of a file that has types, as its reader wrote it: `YYYY-MM-DD`, or midnight of that day.
pub(super) fn typed_date(out: &mut Buffer, cell: &[u8]) -> bool {
    let Some((date, rest)) = iso_date(cell) else { return false };
    let midnight = match rest {
        [] => true,
        [b'T', clock @ ..] => match iso_clock(clock) {
            Some((0, 0, 0, fraction, [] | [b'Z'])) => fraction.iter().all(|digit| *digit == b'0'),
            _ => false,
        },
        _ => false,
    };
    if midnight {
        super::json::string(out, date);
    }
    midnight
}

/// A date and time of a file that has types, as its reader wrote it; of a date alone, its midnight.
pub(super) fn typed_datetime(out: &mut Buffer, cell: &[u8], zone: Option<&TimeZone>) -> bool {
    match iso_date(cell) {
        Some((date, [])) => iso_datetime(out, &[date, &b"T00:00:00"[..]].concat(), zone).is_some(),
        Some(_) => iso_datetime(out, cell, zone).is_some(),
        None => false,
    }
}

fn plain_date(out: &mut Buffer, cell: &[u8]) -> bool {
    let whole = matches!(iso_date(cell), Some((_, [])));
    if whole {
        super::json::string(out, cell);
    }
    whole
}

/// A date and time as RFC 3339 has it: in UTC (`Z`) if the cell names an offset or `zone` says which
/// one is meant, else without one. Without a pattern a cell is RFC 3339 or `YYYY-MM-DD HH:MM`, with
/// optional seconds, fraction and offset.
pub(super) fn datetime(
    out: &mut Buffer,
    cell: &[u8],
    patterns: &[String],
    zone: Option<&TimeZone>,
) -> bool {
    if patterns.is_empty() {
        return iso_datetime(out, cell, zone).is_some();
    }
    patterns.iter().any(|pattern| patterned_datetime(out, cell, pattern, zone).is_some())
}

/// A time of day as `HH:MM:SS`, with the fraction of the seconds. Without a pattern the seconds and
/// their fraction are optional.
pub(super) fn time(out: &mut Buffer, cell: &[u8], patterns: &[String]) -> bool {
    if patterns.is_empty() {
        return iso_time(out, cell).is_some();
    }
    patterns.iter().any(|pattern| {
        let parsed = BrokenDownTime::parse(pattern, cell).and_then(|parts| parts.to_time());
        let Ok(time) = parsed else { return false };
        out.push(b'"');
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        write_clock(out, hour as u8, minute as u8, second as u8);
        write_fraction(out, fraction(time.subsec_nanosecond()).as_slice());
        out.push(b'"');
        true
    })
}

/// The instant of a local time in a zone. Of the two that an hour has when clocks go back the first
/// is taken; a time that clocks pass over when they go forward does not exist.
fn resolve(zone: &TimeZone, local: DateTime) -> Option<DateTime> {
    let offset = match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Fold { before, .. } => before,
        AmbiguousOffset::Gap { .. } => return None,
    };
    in_utc(local, offset.seconds())
}

/// The ten bytes of a date that exists, and what follows them.
#[inline]
fn iso_date(text: &[u8]) -> Option<(&[u8; 10], &[u8])> {
    let (date, rest) = text.split_first_chunk::<10>()?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = date else { return None };
    let year = u32::from(two(*y1, *y2)?) * 100 + u32::from(two(*y3, *y4)?);
    let month = two(*m1, *m2)?;
    let day = two(*d1, *d2)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    (year > 0 && day >= 1 && day <= days).then_some((date, rest))
}

/// Hour, minute, second, the digits of its fraction, and what follows them.
type Clock<'a> = (u8, u8, u8, &'a [u8], &'a [u8]);

fn iso_clock(text: &[u8]) -> Option<Clock<'_>> {
    let [h1, h2, b':', m1, m2, rest @ ..] = text else { return None };
    let (hour, minute) = (two(*h1, *h2)?, two(*m1, *m2)?);
    let (second, fraction, rest) = match rest {
        [b':', s1, s2, rest @ ..] => {
            let (fraction, rest) = split_fraction(rest)?;
            (two(*s1, *s2)?, fraction, rest)
        }
        rest => (0, &[][..], rest),
    };
    (hour < 24 && minute < 60 && second < 60).then_some((hour, minute, second, fraction, rest))
}

fn iso_time(out: &mut Buffer, cell: &[u8]) -> Option<()> {
    let (hour, minute, second, fraction, []) = iso_clock(cell)? else { return None };
    out.push(b'"');
    write_clock(out, hour, minute, second);
    write_fraction(out, fraction);
    out.push(b'"');
    Some(())
}

fn iso_datetime(out: &mut Buffer, cell: &[u8], zone: Option<&TimeZone>) -> Option<()> {
    let (date, rest) = iso_date(cell)?;
    let [b'T' | b't' | b' ', rest @ ..] = rest else { return None };
    let (hour, minute, second, fraction, rest) = iso_clock(rest)?;
    let offset = match rest {
        [] => None,
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let (hours, minutes) = match rest {
                [h1, h2, b':', m1, m2] | [h1, h2, m1, m2] => (two(*h1, *h2)?, two(*m1, *m2)?),
                [h1, h2] => (two(*h1, *h2)?, 0),
                _ => return None,
            };
            if hours > 23 || minutes > 59 {
                return None;
            }
            let minutes = i32::from(hours) * 60 + i32::from(minutes);
            Some(if *sign == b'-' { -minutes } else { minutes })
        }
        _ => return None,
    };
    let utc = match (offset, zone) {
        (Some(0), _) | (None, None) => None,
        (Some(minutes), _) => Some(in_utc(civil(date, hour, minute, second)?, minutes * 60)?),
        (None, Some(zone)) => Some(resolve(zone, civil(date, hour, minute, second)?)?),
    };
    out.push(b'"');
    match utc {
        None => {
            out.extend_from_slice(date);
            write_time(out, hour, minute, second, fraction);
        }
        Some(utc) => {
            write_date(out, utc.date());
            write_time(out, utc.hour() as u8, utc.minute() as u8, utc.second() as u8, fraction);
        }
    }
    out.extend_from_slice(if offset.is_some() || zone.is_some() { b"Z\"" } else { b"\"" });
    Some(())
}

fn civil(date: &[u8; 10], hour: u8, minute: u8, second: u8) -> Option<DateTime> {
    let text = std::str::from_utf8(date).ok()?;
    let date: Date = text.parse().ok()?;
    Some(date.at(hour as i8, minute as i8, second as i8, 0))
}

fn patterned_datetime(
    out: &mut Buffer,
    cell: &[u8],
    pattern: &str,
    zone: Option<&TimeZone>,
) -> Option<()> {
    let parts = BrokenDownTime::parse(pattern, cell).ok()?;
    // The name of a zone cannot be dropped, and is not looked up.
    if parts.iana_time_zone().is_some() {
        return None;
    }
    let (datetime, utc) = match (parts.timestamp(), parts.offset()) {
        (Some(timestamp), _) => (Offset::UTC.to_datetime(timestamp), true),
        (None, Some(offset)) => (in_utc(parts.to_datetime().ok()?, offset.seconds())?, true),
        (None, None) => match (parts.to_datetime().ok()?, zone) {
            (local, Some(zone)) => (resolve(zone, local)?, true),
            (local, None) => (local, false),
        },
    };
    if !is_plausible(&datetime.date()) {
        return None;
    }
    let fraction = fraction(datetime.subsec_nanosecond());
    out.push(b'"');
    write_date(out, datetime.date());
    let (hour, minute, second) = (datetime.hour(), datetime.minute(), datetime.second());
    write_time(out, hour as u8, minute as u8, second as u8, &fraction);
    out.extend_from_slice(if utc { b"Z\"" } else { b"\"" });
    Some(())
}

/// The digits of a fraction of a second, without the zeros at their end.
fn fraction(nanoseconds: i32) -> Vec<u8> {
    let digits = format!("{nanoseconds:09}");
    digits.trim_end_matches('0').into()
}

fn in_utc(local: DateTime, offset_seconds: i32) -> Option<DateTime> {
    let offset = jiff::SignedDuration::from_secs(offset_seconds.into());
    local.checked_sub(offset).ok().filter(|utc| utc.year() > 0)
}

/// A year of two digits where the pattern has `%Y` is a mistake, not antiquity.
fn is_plausible(date: &Date) -> bool {
    date.year() >= 1000
}

/// The digits after a `.`, if there is one, and what follows.
fn split_fraction(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let [b'.' | b',', rest @ ..] = text else { return Some((&[], text)) };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits > 0).then(|| rest.split_at(digits))
}

#[inline]
fn two(tens: u8, ones: u8) -> Option<u8> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| tens * 10 + ones)
}

fn write_date(out: &mut Buffer, date: Date) {
    let year = date.year().unsigned_abs();
    write_two(out, (year / 100) as u8);
    write_two(out, (year % 100) as u8);
    out.push(b'-');
    write_two(out, date.month() as u8);
    out.push(b'-');
    write_two(out, date.day() as u8);
}

fn write_time(out: &mut Buffer, hour: u8, minute: u8, second: u8, fraction: &[u8]) {
    out.push(b'T');
    write_clock(out, hour, minute, second);
    write_fraction(out, fraction);
}

fn write_clock(out: &mut Buffer, hour: u8, minute: u8, second: u8) {
    write_two(out, hour);
    out.push(b':');
    write_two(out, minute);
    out.push(b':');
    write_two(out, second);
}

fn write_fraction(out: &mut Buffer, fraction: &[u8]) {
    if !fraction.is_empty() {
        out.push(b'.');
        out.extend_from_slice(fraction);
    }
}

fn write_two(out: &mut Buffer, value: u8) {
    out.extend_from_slice(&[b'0' + value / 10 % 10, b'0' + value % 10]);
}

#[cfg(test)]
mod tests {
    use super::*;

    type Write = fn(&mut Buffer, &[u8], &[String]) -> bool;

    fn local(out: &mut Buffer, cell: &[u8], patterns: &[String]) -> bool {
        datetime(out, cell, patterns, None)
    }

    fn in_paris(out: &mut Buffer, cell: &[u8], patterns: &[String]) -> bool {
        let zone = TimeZone::get("Europe/Paris").expect("it is among those that come along");
        datetime(out, cell, patterns, Some(&zone))
    }

    #[track_caller]
    fn is(write: Write, cell: &str, pattern: Option<&str>, expected: Option<&str>) {
        let patterns: Vec<String> =
            pattern.iter().flat_map(|pattern| pattern.split('|')).map(str::to_owned).collect();
        let mut out = Buffer::default();
        let written = write(&mut out, cell.as_bytes(), &patterns);
        assert!(written || out.len() == 0, "nothing is written of {cell:?}, which is refused");
        let found = written
            .then(|| serde_json::from_slice::<String>(out.as_slice()).expect("a JSON string"));
        assert_eq!(found.as_deref(), expected, "{cell:?}");
    }

    #[test]
    fn dates_exist_in_the_calendar() {
        for cell in ["2026-02-01", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"] {
            is(date, cell, None, Some(cell));
            is(date, cell, Some("%Y-%m-%d"), Some(cell));
        }
        for cell in [
            "2023-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-04-31",
            "2026-01-00",
            "2026-1-1",
            "26-01-01",
            "2026/01/01",
            "2026-01-01 ",
            "2026-01-01T00:00",
            "0000-01-01",
            "+026-01-01",
            "２026-01-01",
            "",
        ] {
            is(date, cell, None, None);
        }
    }

    #[test]
    fn every_day_of_four_centuries_agrees_with_a_calendar() {
        for year in 1900..2300 {
            for month in 1..=12 {
                for day in 1..=31 {
                    let cell = format!("{year}-{month:02}-{day:02}");
                    let exists = Date::new(year, month, day).is_ok();
                    assert_eq!(iso_date(cell.as_bytes()).is_some(), exists, "{cell}");
                }
            }
        }
    }

    #[test]
    fn dates_in_other_patterns() {
        is(date, "31/12/2026", Some("%d/%m/%Y"), Some("2026-12-31"));
        is(date, "12/31/26", Some("%m/%d/%y"), Some("2026-12-31"));
        is(date, "1 Feb 2026", Some("%d %b %Y"), Some("2026-02-01"));
        is(date, "31/02/2026", Some("%d/%m/%Y"), None);
        is(date, "31/12/26", Some("%d/%m/%Y"), None);
        is(date, "31/12/2026 10:00", Some("%d/%m/%Y"), None);
        is(date, "\u{7f}", Some("%d/%m/%Y"), None);
    }

    #[test]
    fn datetimes_keep_or_resolve_their_offset() {
        for (cell, expected) in [
            ("2026-02-01T10:20:30Z", "2026-02-01T10:20:30Z"),
            ("2026-02-01t10:20:30.125z", "2026-02-01T10:20:30.125Z"),
            ("2026-02-01T10:20:30+00:00", "2026-02-01T10:20:30Z"),
            ("2026-02-01T00:20:30+02:00", "2026-01-31T22:20:30Z"),
            ("2026-12-31 23:30:00-0130", "2027-01-01T01:00:00Z"),
            ("2026-02-01 10:20:30.123456789+01", "2026-02-01T09:20:30.123456789Z"),
            ("2026-02-01 10:20", "2026-02-01T10:20:00"),
            ("2026-02-01 10:20:30", "2026-02-01T10:20:30"),
            ("2026-02-01 10:20:30,5", "2026-02-01T10:20:30.5"),
        ] {
            is(local, cell, None, Some(expected));
        }
        for cell in [
            "2026-02-01",
            "2026-02-01T",
            "2026-02-01 24:00",
            "2026-02-01 10:60",
            "2026-02-01 10:20:61",
            // A leap second: no clock behind a database has it, and another second is not what was meant.
            "2026-06-30T23:59:60Z",
            "2026-02-01 10:20:30.",
            "2026-02-01 10:20 Z",
            "2026-02-01 10:20+25:00",
            "2026-02-30 10:20",
            "0001-01-01 00:00+01:00",
            "2026-02-01X10:20",
            "10:20",
        ] {
            is(local, cell, None, None);
        }
    }

    #[test]
    fn datetimes_in_other_patterns() {
        let pattern = Some("%d/%m/%Y %H:%M");
        is(local, "01/02/2026 10:20", pattern, Some("2026-02-01T10:20:00"));
        is(local, "01/02/2026", pattern, None);
        let pattern = Some("%d/%m/%Y %H:%M:%S%.f %z");
        is(local, "01/02/2026 00:20:30.250 +0200", pattern, Some("2026-01-31T22:20:30.25Z"));
        is(local, "1769904000", Some("%s"), Some("2026-02-01T00:00:00Z"));
    }

    #[test]
    fn of_several_patterns_the_first_that_fits_counts() {
        let patterns = Some("%d/%m/%Y|%Y-%m-%d|%m/%d/%Y");
        is(date, "03/04/2026", patterns, Some("2026-04-03"));
        is(date, "2026-04-03", patterns, Some("2026-04-03"));
        is(date, "12/31/2026", patterns, Some("2026-12-31"));
        is(date, "31.12.2026", patterns, None);
    }

    #[test]
    fn local_times_are_of_the_zone() {
        for (cell, expected) in [
            ("2026-01-15 12:00", Some("2026-01-15T11:00:00Z")),
            ("2026-07-15 12:00:00.5", Some("2026-07-15T10:00:00.5Z")),
            ("2026-07-15 12:00:00Z", Some("2026-07-15T12:00:00Z")),
            ("2026-07-15 12:00:00+05:00", Some("2026-07-15T07:00:00Z")),
            // Clocks go back from 3:00 to 2:00: the first of the two.
            ("2026-10-25 02:30", Some("2026-10-25T00:30:00Z")),
            // Clocks go forward from 2:00 to 3:00.
            ("2026-03-29 02:30", None),
        ] {
            is(in_paris, cell, None, expected);
        }
        is(in_paris, "15/07/2026 12:00", Some("%d/%m/%Y %H:%M"), Some("2026-07-15T10:00:00Z"));
        is(in_paris, "29/03/2026 02:30", Some("%d/%m/%Y %H:%M"), None);
    }

    #[test]
    fn times_of_day() {
        is(time, "09:05", None, Some("09:05:00"));
        is(time, "23:59:59.250", None, Some("23:59:59.250"));
        for cell in ["24:00", "9:05", "09:05Z", "09:05:", "0905", "09:60"] {
            is(time, cell, None, None);
        }
        is(time, "9:05 PM", Some("%I:%M %p"), Some("21:05:00"));
        is(time, "21h05", Some("%Hh%M"), Some("21:05:00"));
    }
}
