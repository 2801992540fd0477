//! One cell of a sheet as a JSON value.

use std::io::Write;

use calamine::{CellErrorType, DataRef, ExcelDateTime};

/// What a cell is, as far as it helps to tell a header from data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    /// A date, a time or a duration.
    Moment,
    Bool,
    Error(&'static str),
}

/// The day of 1900-02-29, which spreadsheets count and no calendar has.
const LEAP_DAY: f64 = 60.0;

/// What a cell holds whose number is none: `1e400` in a file that a program wrote.
const NO_NUMBER: &str = "a number beyond all that a spreadsheet can hold";

/// The day after the last that spreadsheets know, 9999-12-31.
const DAYS: f64 = 2_958_466.0;

/// Appends a cell; `None` if it is blank. `timed`: its number format shows a time of day.
pub(super) fn write(value: &DataRef<'_>, timed: bool, out: &mut Vec<u8>) -> Option<Kind> {
    match value {
        DataRef::Empty => None,
        DataRef::String(text) => write_text(text, out),
        DataRef::SharedString(text) => write_text(text, out),
        DataRef::Int(number) => {
            write_display(number, out);
            Some(Kind::Number)
        }
        DataRef::Float(number) => Some(write_float(*number, out)),
        DataRef::Bool(value) => {
            out.extend_from_slice(if *value { b"true" } else { b"false" });
            Some(Kind::Bool)
        }
        DataRef::DateTime(moment) => Some(write_moment(moment, timed, out)),
        DataRef::DateTimeIso(text) => write_text(text, out).map(|_| Kind::Moment),
        DataRef::DurationIso(text) => match iso_duration(text) {
            Some(duration) => write_text(&duration, out).map(|_| Kind::Moment),
            None => write_text(text, out).map(|_| Kind::Moment),
        },
        DataRef::Error(error) => {
            let shown = shown(error);
            write_error(shown, out);
            Some(Kind::Error(shown))
        }
    }
}

/// Appends an error, as it is shown.
pub(super) fn write_error(shown: &str, out: &mut Vec<u8>) {
    write_text(shown, out);
}

/// The error that a text is: in OpenDocument errors are written as text.
pub(super) fn error_type(text: &str) -> Option<CellErrorType> {
    Some(match text {
        "#DIV/0!" => CellErrorType::Div0,
        "#N/A" => CellErrorType::NA,
        "#NAME?" => CellErrorType::Name,
        "#NULL!" => CellErrorType::Null,
        "#NUM!" => CellErrorType::Num,
        "#REF!" => CellErrorType::Ref,
        "#VALUE!" => CellErrorType::Value,
        _ => return None,
    })
}

fn shown(error: &CellErrorType) -> &'static str {
    match error {
        CellErrorType::Div0 => "#DIV/0!",
        CellErrorType::NA => "#N/A",
        CellErrorType::Name => "#NAME?",
        CellErrorType::Null => "#NULL!",
        CellErrorType::Num => "#NUM!",
        CellErrorType::Ref => "#REF!",
        CellErrorType::Value => "#VALUE!",
        CellErrorType::GettingData => "#DATA!",
    }
}

// Nobody who looks at a sheet can tell an empty text from no text.
fn write_text(text: &str, out: &mut Vec<u8>) -> Option<Kind> {
    if text.is_empty() {
        return None;
    }
    // Writing JSON of a text into a vector cannot fail.
    serde_json::to_writer(&mut *out, text).ok()?;
    Some(Kind::Text)
}

fn write_display(value: impl std::fmt::Display, out: &mut Vec<u8>) {
    // Nor can this.
    let _ = write!(out, "{value}");
}

/// The shortest digits that mean this number and no other; whole numbers without a fraction.
fn write_float(number: f64, out: &mut Vec<u8>) -> Kind {
    if !number.is_finite() {
        // Not a number of JSON, not one that a spreadsheet writes, and not the one that was meant.
        write_error(NO_NUMBER, out);
        return Kind::Error(NO_NUMBER);
    }
    if number == 0.0 {
        out.push(b'0');
    } else if number.fract() == 0.0 && number.abs() < 1e21 {
        write_display(number, out);
    } else {
        let _ = serde_json::to_writer(&mut *out, &number);
    }
    Kind::Number
}

/// A date `2024-05-01`, a date and time `2024-05-01T08:30:00`, a time of day `08:30:00` or a duration
/// `26:30:00`. A spreadsheet keeps them all as a number of days.
fn write_moment(moment: &ExcelDateTime, timed: bool, out: &mut Vec<u8>) -> Kind {
    let days = moment.as_f64();
    if moment.is_duration() && days.abs() < DAYS {
        write_display(format_args!("\"{}\"", duration(days)), out);
        return Kind::Moment;
    }
    if !(0.0..DAYS).contains(&days) {
        // A spreadsheet shows ##### here: the number is all there is.
        return write_float(days, out);
    }
    let (year, month, day, hour, minute, second, milli) = moment.to_ymd_hms_milli();
    // The system of 1904 begins later.
    if days.floor() == LEAP_DAY && year == 1900 {
        return write_float(days, out);
    }
    let fraction = if milli == 0 { String::new() } else { format!(".{milli:03}") };
    let time = format_args!("{hour:02}:{minute:02}:{second:02}{fraction}");
    // Day 0 is no day of the calendar in the system of 1900, and the first of it in that of 1904.
    let no_day = year < 1900 || (days < 1.0 && days > 0.0);
    if no_day {
        write_display(format_args!("\"{time}\""), out);
    } else if timed || (hour, minute, second, milli) != (0, 0, 0, 0) {
        write_display(format_args!("\"{year:04}-{month:02}-{day:02}T{time}\""), out);
    } else {
        write_display(format_args!("\"{year:04}-{month:02}-{day:02}\""), out);
    }
    Kind::Moment
}

fn duration(days: f64) -> String {
    let millis = (days.abs() * 86_400_000.0).round() as u64;
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let sign = if days < 0.0 { "-" } else { "" };
    let fraction = if millis == 0 { String::new() } else { format!(".{millis:03}") };
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{sign}{hours:02}:{minutes:02}:{seconds:02}{fraction}")
}

/// `PT26H30M00S` as `26:30:00`, whichever of its parts are written; `None`: it has years or months, or is
/// no duration.
fn iso_duration(text: &str) -> Option<String> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let rest = rest.strip_prefix('P').filter(|rest| rest.ends_with(['D', 'H', 'M', 'S']))?;
    let (days, rest) = rest.split_once('T').unwrap_or((rest, ""));
    let (days, none) = part(days, 'D')?;
    let (hours, rest) = part(rest, 'H')?;
    let (minutes, rest) = part(rest, 'M')?;
    let rest = rest.replace(',', ".");
    let (seconds, fraction) = match rest.strip_suffix('S').and_then(|rest| rest.split_once('.')) {
        Some((whole, fraction)) => (format!("{whole}S"), fraction),
        None => (rest.clone(), ""),
    };
    let (seconds, left) = part(&seconds, 'S')?;
    if !none.is_empty() || !left.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let minutes =
        days.checked_mul(24)?.checked_add(hours)?.checked_mul(60)?.checked_add(minutes)?;
    let all = minutes.checked_mul(60)?.checked_add(seconds)?;
    let (hours, minutes, seconds) = (all / 3600, all / 60 % 60, all % 60);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if negative && (all > 0 || !fraction.is_empty()) { "-" } else { "" };
    Some(format!("{sign}{hours:02}:{minutes:02}:{seconds:02}{point}{fraction}"))
}

/// The number before a unit, 0 if there is none, and what follows.
fn part(text: &str, unit: char) -> Option<(u64, &str)> {
    match text.split_once(unit) {
        Some((digits, rest)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some((digits.parse().ok()?, rest))
        }
        Some(_) => None,
        None => Some((0, text)),
    }
}

/// Whether a number format shows a time of day: an `h` or `s` outside quotes, brackets and escapes.
pub(super) fn shows_time(format: &str) -> bool {
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => while letters.next().is_some_and(|letter| letter != '"') {},
            '[' => while letters.next().is_some_and(|letter| letter != ']') {},
            '\\' | '_' | '*' => {
                letters.next();
            }
            'h' | 'H' | 's' | 'S' => return true,
            // What follows is for negative numbers.
            ';' => return false,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType::{DateTime, TimeDelta};

    use super::*;

    fn json(value: DataRef<'_>) -> String {
        let mut out = Vec::new();
        write(&value, false, &mut out);
        String::from_utf8(out).expect("JSON")
    }

    #[test]
    fn numbers_keep_their_shortest_digits() {
        for (number, written) in [
            (1.0, "1"),
            (-3.0, "-3"),
            (-0.0, "0"),
            (0.1, "0.1"),
            (1.13, "1.13"),
            (0.1 + 0.2, "0.30000000000000004"),
            (123_456_789_012_345.0, "123456789012345"),
            (1e15, "1000000000000000"),
            (1e300, "1e+300"),
        ] {
            assert_eq!(json(DataRef::Float(number)), written);
        }
    }

    #[test]
    fn what_no_spreadsheet_can_hold_is_an_error_and_no_text() {
        for number in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            let moment = |kind| DataRef::DateTime(ExcelDateTime::new(number, kind, false));
            for value in [DataRef::Float(number), moment(DateTime), moment(TimeDelta)] {
                let kind = write(&value, false, &mut Vec::new());
                assert!(matches!(kind, Some(Kind::Error(_))), "{value:?}");
            }
        }
    }

    #[test]
    fn the_leap_day_that_1900_did_not_have_is_the_number_of_it() {
        for (days, written) in [(60.0, "60"), (60.5, "60.5"), (61.0, "\"1900-03-01\"")] {
            let moment = ExcelDateTime::new(days, DateTime, false);
            assert_eq!(json(DataRef::DateTime(moment)), written);
        }
    }

    #[test]
    fn dates_are_those_of_their_system() {
        for (days, is_1904, written) in [
            (45_943.0, false, "\"2025-10-13\""),
            (45_943.541, false, "\"2025-10-13T12:59:02.400\""),
            (44_481.0, true, "\"2025-10-13\""),
            (0.0, true, "\"1904-01-01\""),
            (1.0, false, "\"1900-01-01\""),
            (59.0, false, "\"1900-02-28\""),
            (60.0, true, "\"1904-03-01\""),
            (61.0, false, "\"1900-03-01\""),
            (0.5, false, "\"12:00:00\""),
            (0.5, true, "\"12:00:00\""),
            (-1.0, false, "-1"),
            (3e6, false, "3000000"),
        ] {
            let moment = ExcelDateTime::new(days, DateTime, is_1904);
            assert_eq!(json(DataRef::DateTime(moment)), written, "{days} {is_1904}");
        }
    }

    #[test]
    fn durations_are_hours_minutes_and_seconds() {
        for (days, written) in [(1.5, "36:00:00"), (0.25, "06:00:00"), (-0.0625, "-01:30:00")] {
            let moment = ExcelDateTime::new(days, TimeDelta, false);
            assert_eq!(json(DataRef::DateTime(moment)), format!("\"{written}\""));
        }
        for (iso, written) in [
            ("PT08H05M00S", "08:05:00"),
            ("PT100H00M07.5S", "100:00:07.5"),
            ("-PT1H2M3S", "-01:02:03"),
            ("-PT1H", "-01:00:00"),
            ("PT0S", "00:00:00"),
            ("-PT0S", "00:00:00"),
            ("PT90M", "01:30:00"),
            ("PT1,250S", "00:00:01.25"),
            ("-PT0.5S", "-00:00:00.5"),
            ("P1DT2H", "26:00:00"),
            ("P1D", "24:00:00"),
            // How long these are is not said, or they are none.
            ("P1M", "P1M"),
            ("P1Y2DT3H", "P1Y2DT3H"),
            ("P", "P"),
            ("PT", "PT"),
            ("PTS", "PTS"),
            ("PT1", "PT1"),
            ("PT1S2H", "PT1S2H"),
            ("PT.5S", "PT.5S"),
            ("PT1.5M", "PT1.5M"),
            ("PT+1H", "PT+1H"),
            ("PT99999999999999999999H", "PT99999999999999999999H"),
            ("soon", "soon"),
        ] {
            assert_eq!(json(DataRef::DurationIso(iso.into())), format!("\"{written}\""));
        }
    }

    #[test]
    fn midnight_of_a_format_with_a_time_is_a_date_and_time() {
        let mut out = Vec::new();
        let moment = ExcelDateTime::new(45_943.0, DateTime, false);
        write(&DataRef::DateTime(moment), true, &mut out);
        assert_eq!(out, b"\"2025-10-13T00:00:00\"");
        for (format, timed) in [
            ("yyyy-mm-dd hh:mm", true),
            ("dd/mm/yyyy", false),
            ("dd \"hours\" mm", false),
            ("[$-409]d-mmm-yy;@", false),
            ("m/d/yy h:mm", true),
            ("d\\h", false),
        ] {
            assert_eq!(shows_time(format), timed, "{format}");
        }
    }
}
