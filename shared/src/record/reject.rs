//! Rows that cannot become records: where, why, and what they were.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::buffer::Buffer;
use super::json;
use crate::catalog::FieldType;

/// Bytes of a raw row that a reject keeps.
const RAW_CAP: usize = 64 << 10;

/// Why a row cannot become a record. The words are stable: destinations and people rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RejectCode {
    /// The row has fewer cells than the header.
    TooFewCells,
    /// The row has more cells than the header.
    TooManyCells,
    /// The file ended within a quoted cell; the reject holds everything from the row's beginning.
    UnterminatedQuote,
    /// A cell of a sheet holds an error, such as `#REF!`, in place of a value.
    CellError,
    /// A cell is not in UTF-8.
    InvalidUtf8,
    /// A cell that must have a value has none.
    MissingValue,
    /// Not digits with an optional sign.
    InvalidInteger,
    /// Not digits with an optional sign and fraction.
    InvalidDecimal,
    /// Not a finite number.
    InvalidNumber,
    /// Not one of the words for true and false.
    InvalidBoolean,
    /// Not a date, not one of the calendar, or not in the column's pattern.
    InvalidDate,
    /// Not a date and time, or not in the column's pattern.
    InvalidDatetime,
    /// Not an email address.
    InvalidEmail,
    /// The record is larger than a message to the destination may be.
    RecordTooLarge,
}

impl RejectCode {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooFewCells => "too_few_cells",
            Self::TooManyCells => "too_many_cells",
            Self::UnterminatedQuote => "unterminated_quote",
            Self::CellError => "cell_error",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::MissingValue => "missing_value",
            Self::InvalidInteger => "invalid_integer",
            Self::InvalidDecimal => "invalid_decimal",
            Self::InvalidNumber => "invalid_number",
            Self::InvalidBoolean => "invalid_boolean",
            Self::InvalidDate => "invalid_date",
            Self::InvalidDatetime => "invalid_datetime",
            Self::InvalidEmail => "invalid_email",
            Self::RecordTooLarge => "record_too_large",
        }
    }

    /// What a cell that is not of this type is.
    pub(super) fn of_type(kind: FieldType) -> Self {
        match kind {
            // Text is refused for its encoding alone.
            FieldType::Text => Self::InvalidUtf8,
            FieldType::Integer => Self::InvalidInteger,
            FieldType::Decimal => Self::InvalidDecimal,
            FieldType::Number => Self::InvalidNumber,
            FieldType::Boolean => Self::InvalidBoolean,
            FieldType::Date => Self::InvalidDate,
            FieldType::Datetime => Self::InvalidDatetime,
            FieldType::Email => Self::InvalidEmail,
        }
    }

    /// What was expected of a cell. Messages never quote the cell: they go to places (logs, the
    /// ledger) where the data itself does not belong; the raw row is in the reject.
    pub(super) fn message(self, pattern: Option<&str>) -> Cow<'static, str> {
        match (self, pattern) {
            (Self::InvalidDate, Some(pattern)) => {
                format!("not a date of the calendar in the pattern {pattern}").into()
            }
            (Self::InvalidDatetime, Some(pattern)) => {
                format!("not a date and time in the pattern {pattern}").into()
            }
            _ => self.expectation().into(),
        }
    }

    fn expectation(self) -> &'static str {
        match self {
            Self::TooFewCells => "fewer cells than the header",
            Self::TooManyCells => "more cells than the header",
            Self::UnterminatedQuote => "a quote is opened and never closed",
            Self::CellError => "a cell holds an error in place of a value",
            Self::InvalidUtf8 => "not in UTF-8",
            Self::MissingValue => "a required value is empty",
            Self::InvalidInteger => "not an integer: digits with an optional sign",
            Self::InvalidDecimal => {
                "not a decimal: digits with an optional sign and a fraction after a point"
            }
            Self::InvalidNumber => "not a finite number with a decimal point",
            Self::InvalidBoolean => "not a boolean: true/false, yes/no, 1/0, t/f or y/n",
            Self::InvalidDate => "not a date of the calendar in the pattern %Y-%m-%d",
            Self::InvalidDatetime => "not a date and time: RFC 3339, or YYYY-MM-DD HH:MM:SS",
            Self::InvalidEmail => "not an email address",
            Self::RecordTooLarge => "the record is larger than a batch may be",
        }
    }
}

impl std::fmt::Display for RejectCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One row that cannot become a record.
#[derive(Clone, Debug)]
pub struct Reject<'a> {
    /// The number of the row.
    pub row: u64,
    /// The line on which it begins, in formats that have lines.
    pub line: Option<u64>,
    /// The offset of its first byte, in formats in which rows have one.
    pub byte_offset: Option<u64>,
    /// The column of the first cell at fault.
    pub column: Option<&'a str>,
    /// Why.
    pub code: RejectCode,
    /// Why, for people; without the data.
    pub message: Cow<'static, str>,
    /// The row as it is in the file.
    pub raw: &'a [u8],
}

/// What all rejects of an object have in common.
#[derive(Clone, Copy, Debug)]
pub struct RejectContext<'a> {
    /// The object, as a whole JSON value.
    pub object_json: &'a str,
    /// The table.
    pub table: &'a str,
}

impl Reject<'_> {
    /// Appends the reject as one line of JSON. Bytes that are not UTF-8 are kept as `raw_base64`; of
    /// a very long row its beginning is kept, with `"raw_truncated":true`.
    pub fn write_line(&self, context: &RejectContext<'_>, out: &mut Vec<u8>) {
        let mut line = Buffer::with_capacity(512 + self.raw.len().min(RAW_CAP));
        self.write(context, &mut line);
        out.extend_from_slice(line.as_slice());
    }

    fn write(&self, context: &RejectContext<'_>, out: &mut Buffer) {
        out.extend_from_slice(b"{\"object\":");
        out.extend_from_slice(context.object_json.as_bytes());
        out.extend_from_slice(b",\"table\":");
        json::string(out, context.table.as_bytes());
        for (key, value) in [
            (&b",\"row\":"[..], Some(self.row)),
            (b",\"line\":", self.line),
            (b",\"byte_offset\":", self.byte_offset),
        ] {
            out.extend_from_slice(key);
            match value {
                Some(value) => json::number(out, value),
                None => out.extend_from_slice(b"null"),
            }
        }
        out.extend_from_slice(b",\"column\":");
        match self.column {
            Some(column) => json::string(out, column.as_bytes()),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"code\":\"");
        out.extend_from_slice(self.code.as_str().as_bytes());
        out.extend_from_slice(b"\",\"message\":");
        json::string(out, self.message.as_bytes());
        let truncated = self.raw.len() > RAW_CAP;
        match text(self.raw) {
            Some(raw) => {
                out.extend_from_slice(b",\"raw\":");
                json::string(out, raw.as_bytes());
            }
            None => {
                let raw = &self.raw[..self.raw.len().min(RAW_CAP)];
                out.extend_from_slice(b",\"raw_base64\":\"");
                out.extend_from_slice(BASE64.encode(raw).as_bytes());
                out.push(b'"');
            }
        }
        if truncated {
            out.extend_from_slice(b",\"raw_truncated\":true");
        }
        out.extend_from_slice(b"}\n");
    }
}

/// The kept part of a raw row, if it is text. The cap may fall within a character, which is then
/// left out.
fn text(raw: &[u8]) -> Option<&str> {
    if raw.len() <= RAW_CAP {
        return std::str::from_utf8(raw).ok();
    }
    match std::str::from_utf8(&raw[..RAW_CAP]) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&raw[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(raw: &[u8]) -> serde_json::Value {
        let reject = Reject {
            row: 2,
            line: Some(3),
            byte_offset: Some(40),
            column: Some("a\"b"),
            code: RejectCode::InvalidDate,
            message: RejectCode::InvalidDate.message(None),
            raw,
        };
        let context = RejectContext { object_json: r#"{"bucket":"b","key":"k"}"#, table: "deals" };
        let mut out = Vec::new();
        reject.write_line(&context, &mut out);
        assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 1, "one line");
        serde_json::from_slice(&out).expect("valid JSON")
    }

    #[test]
    fn a_reject_says_where_why_and_what() {
        let expected = serde_json::json!({
            "object": {"bucket": "b", "key": "k"}, "table": "deals",
            "row": 2, "line": 3, "byte_offset": 40, "column": "a\"b", "code": "invalid_date",
            "message": "not a date of the calendar in the pattern %Y-%m-%d",
            "raw": "1,\"x\ny\",é",
        });
        assert_eq!(line("1,\"x\ny\",é".as_bytes()), expected);
    }

    #[test]
    fn bytes_that_are_no_text_are_kept_as_base64() {
        let line = line(b"caf\xe9,1");
        assert_eq!(line["raw_base64"], "Y2Fm6Swx");
        assert!(line.get("raw").is_none());
    }

    #[test]
    fn a_long_row_is_cut_at_a_character() {
        let line = line("é".repeat(RAW_CAP).as_bytes());
        assert_eq!(line["raw_truncated"], true);
        assert_eq!(line["raw"].as_str().map(str::len), Some(RAW_CAP));
        let text = format!("a{}", "é".repeat(RAW_CAP));
        let line = self::line(text.as_bytes());
        assert_eq!(line["raw"].as_str().map(str::len), Some(RAW_CAP - 1));
    }

    #[test]
    fn the_word_of_a_code_is_its_serialized_form() {
        for code in [RejectCode::TooFewCells, RejectCode::InvalidUtf8, RejectCode::RecordTooLarge] {
            let json = serde_json::to_string(&code).expect("serializes");
            assert_eq!(json, format!("\"{code}\""));
        }
    }
}
