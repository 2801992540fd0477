//! Rows that cannot become records: where, why, and what they were.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::buffer::Buffer;
use super::json;
use crate::catalog::{FieldType, Source};
use crate::format::{JsonProblem, Part, RowFault};

/// Bytes of a raw row that a reject keeps.
const RAW_CAP: usize = 64 << 10;

/// Defines the codes: a name, its word, and what is said to people when nothing more is known.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident: $word:literal, $meaning:literal;)*) => {
        /// Why a row cannot become a record. The words are stable: destinations and people rely on
        /// them; `docs/rejects.md` lists them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum RejectCode {
            $($(#[$doc])* $name,)*
        }

        impl RejectCode {
            /// Every code there is.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// What it means, without anything of the column. Messages never quote a cell: they go to
            /// places (logs, the ledger) where the data itself does not belong; the raw row is in the
            /// reject.
            pub(super) fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => $meaning,)*
                }
            }
        }
    };
}

codes! {
    /// The row has fewer cells than the header.
    TooFewCells: "too_few_cells", "fewer cells than the header";
    /// The row has more cells than the header.
    TooManyCells: "too_many_cells", "more cells than the header";
    /// A quoted cell is never closed. The reject holds what stands before the place at which the
    /// table goes on, or everything from the row's beginning.
    UnterminatedQuote: "unterminated_quote", "a quote is opened and never closed";
    /// Text follows a closing quote, so the row could be read in several ways.
    AmbiguousQuote: "ambiguous_quote", "text follows a closing quote: double the quotes within a quoted cell";
    /// The row is the header once more.
    RepeatedHeader: "repeated_header", "the header once more: the file seems to be put together from several";
    /// The row begins like the comments of the file, and has as many cells as a row.
    PossibleComment: "possible_comment", "begins like the comments of the file, but has as many cells as a row: state format.comment";
    /// The row belongs to a second table below the first.
    OtherTable: "other_table", "a second table begins above this row, with a header of its own: give it a file of its own";
    /// The row is among the last of the file, and sums up or counts the others.
    PossibleFooter: "possible_footer", "sums up, counts or explains the rows above: state format.skip_footer_lines (0: it is a row)";
    /// A cell of a sheet holds an error, such as `#REF!`, in place of a value.
    CellError: "cell_error", "a cell holds an error, or a formula without a value, in place of a value";
    /// A cell is not in UTF-8, or has an escape that is half of a character.
    InvalidUtf8: "invalid_utf8", "not in UTF-8";
    /// The row does not have a column that it must have.
    MissingColumn: "missing_column", "the row does not have the column";
    /// The row has a column that it must not have.
    UnknownColumn: "unknown_column", "the column is not one that rows may have";
    /// Two columns of the row differ from the one that is named only in case and white space.
    AmbiguousColumn: "ambiguous_column", "several columns of the row could be it";
    /// Two columns of the row would become the same field.
    DuplicateField: "duplicate_field", "two columns of the row become the same field";
    /// A cell that must have a value has none.
    MissingValue: "missing_value", "a required value is empty";
    /// An object or a list stands where the definition wants a single value.
    NestedValue: "nested_value", "an object or a list where a single value is wanted";
    /// Not digits with an optional sign.
    InvalidInteger: "invalid_integer", "not an integer: digits with an optional sign";
    /// Not digits with an optional sign and fraction.
    InvalidDecimal: "invalid_decimal", "not a decimal: digits with an optional sign and a fraction after a point";
    /// Not a finite number.
    InvalidNumber: "invalid_number", "not a finite number with a decimal point";
    /// Not one of the words for true and false.
    InvalidBoolean: "invalid_boolean", "not a boolean: true/false, yes/no, 1/0, t/f or y/n";
    /// Not a date, not one of the calendar, or not in one of the column's patterns.
    InvalidDate: "invalid_date", "not a date of the calendar in the pattern %Y-%m-%d";
    /// Not a date and time, not in one of the column's patterns, or one that its time zone passed over.
    InvalidDatetime: "invalid_datetime", "not a date and time: RFC 3339, or YYYY-MM-DD HH:MM:SS";
    /// Not a time of day, or not in one of the column's patterns.
    InvalidTime: "invalid_time", "not a time of day: HH:MM or HH:MM:SS";
    /// Not an email address.
    InvalidEmail: "invalid_email", "not an email address";
    /// Not an absolute URL.
    InvalidUrl: "invalid_url", "not an absolute URL, such as https://example.com/";
    /// Not a UUID.
    InvalidUuid: "invalid_uuid", "not a UUID";
    /// Not JSON.
    InvalidJson: "invalid_json", "not one JSON value";
    /// The value is not one of `allowed`.
    ValueNotAllowed: "value_not_allowed", "not one of the allowed values";
    /// The text does not match `pattern`.
    PatternMismatch: "pattern_mismatch", "the text does not match the pattern";
    /// The value is below `min` or above `max`.
    OutOfRange: "out_of_range", "not between min and max";
    /// The text is shorter than `min_length` or longer than `max_length`.
    WrongLength: "wrong_length", "not between min_length and max_length";
    /// The value of a unique column is that of an earlier row.
    DuplicateValue: "duplicate_value", "an earlier row has the same value";
    /// The record is larger than a message to the destination may be.
    RecordTooLarge: "record_too_large", "the record is larger than a batch may be";
}

impl RejectCode {
    /// What a row is whose JSON is wrong.
    fn of_json(problem: JsonProblem) -> Self {
        match problem {
            JsonProblem::NotUtf8 | JsonProblem::UnpairedSurrogate => Self::InvalidUtf8,
            JsonProblem::NumberTooLarge => Self::InvalidNumber,
            _ => Self::InvalidJson,
        }
    }

    /// Why a row with this fault cannot become a record.
    pub(super) fn of_row(fault: RowFault) -> Self {
        match fault {
            RowFault::UnterminatedQuote { .. } | RowFault::UnclosedQuote => Self::UnterminatedQuote,
            RowFault::AmbiguousQuote => Self::AmbiguousQuote,
            RowFault::RepeatedHeader => Self::RepeatedHeader,
            RowFault::PossibleComment => Self::PossibleComment,
            RowFault::OtherTable => Self::OtherTable,
            RowFault::PossibleFooter => Self::PossibleFooter,
            RowFault::CellError { .. } => Self::CellError,
            RowFault::InvalidUtf8 => Self::InvalidUtf8,
            RowFault::Json { problem, .. } => Self::of_json(problem),
        }
    }

    /// What a cell that is not of this type is.
    pub(super) fn of_type(kind: Option<FieldType>) -> Self {
        match kind {
            // Text is refused for its encoding alone.
            None | Some(FieldType::Text) => Self::InvalidUtf8,
            Some(FieldType::Integer) => Self::InvalidInteger,
            Some(FieldType::Decimal) => Self::InvalidDecimal,
            Some(FieldType::Number) => Self::InvalidNumber,
            Some(FieldType::Boolean) => Self::InvalidBoolean,
            Some(FieldType::Date) => Self::InvalidDate,
            Some(FieldType::Datetime) => Self::InvalidDatetime,
            Some(FieldType::Time) => Self::InvalidTime,
            Some(FieldType::Email) => Self::InvalidEmail,
            Some(FieldType::Url) => Self::InvalidUrl,
            Some(FieldType::Uuid) => Self::InvalidUuid,
            Some(FieldType::Json) => Self::InvalidJson,
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
    /// The part of the file that the row is in.
    pub part: Option<&'a Part>,
    /// The column of the first cell at fault.
    pub column: Option<&'a str>,
    /// Why.
    pub code: RejectCode,
    /// Why, for people; without the data.
    pub message: Cow<'static, str>,
    /// The row as it is in the file; where it has no bytes of its own there, its cells as a JSON array.
    pub raw: &'a [u8],
}

/// What all rejects of an object have in common.
#[derive(Clone, Copy, Debug)]
pub struct RejectContext<'a> {
    /// The object, as a whole JSON value.
    pub object_json: &'a str,
    /// The table.
    pub table: &'a str,
    /// The source and the object's key, by which a part of the object may be another table; `None`: there
    /// is one table.
    pub parts: Option<(&'a Source, &'a str)>,
}

impl RejectContext<'_> {
    fn table_of(&self, part: Option<&Part>) -> Cow<'_, str> {
        match (self.parts, part) {
            (Some((source, key)), Some(part)) => Cow::Owned(source.table_of_part(key, part)),
            _ => Cow::Borrowed(self.table),
        }
    }
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
        json::string(out, context.table_of(self.part).as_bytes());
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
        let part = self.part.map(|part| (part.member.as_deref(), part.sheet.as_deref()));
        let (member, sheet) = part.unwrap_or_default();
        for (key, name) in [(&b",\"member\":"[..], member), (b",\"sheet\":", sheet)] {
            if let Some(name) = name {
                out.extend_from_slice(key);
                json::string(out, name.as_bytes());
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
            part: None,
            column: Some("a\"b"),
            code: RejectCode::InvalidDate,
            message: RejectCode::InvalidDate.meaning().into(),
            raw,
        };
        let context = RejectContext {
            object_json: r#"{"bucket":"b","key":"k"}"#,
            table: "deals",
            parts: None,
        };
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
    fn a_reject_of_an_archive_names_its_member_and_one_of_a_workbook_its_sheet() {
        let context = RejectContext { object_json: "{}", table: "", parts: None };
        let mut out = Vec::new();
        let part = Part { member: Some("a/b.xlsx".into()), sheet: Some("\"Q1\"".into()) };
        let code = RejectCode::MissingValue;
        Reject {
            row: 1,
            line: Some(2),
            byte_offset: None,
            part: Some(&part),
            column: None,
            code,
            message: code.meaning().into(),
            raw: b"[1]",
        }
        .write_line(&context, &mut out);
        let line: serde_json::Value = serde_json::from_slice(&out).expect("valid JSON");
        assert_eq!((&line["member"], &line["sheet"]), (&"a/b.xlsx".into(), &"\"Q1\"".into()));
    }

    #[test]
    fn the_word_of_a_code_is_its_serialized_form() {
        for code in RejectCode::ALL {
            let json = serde_json::to_string(code).expect("serializes");
            assert_eq!(json, format!("\"{code}\""));
        }
    }

    #[test]
    fn the_documentation_lists_every_code_and_no_other() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/rejects.md");
        let text = std::fs::read_to_string(path).expect("the page is there");
        let codes = text.split("\n## ").find(|part| part.starts_with("Codes")).expect("codes");
        let mut listed: Vec<&str> = codes
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
            .map(|(code, _)| code)
            .collect();
        listed.sort_unstable();
        let mut codes: Vec<&str> = RejectCode::ALL.iter().map(|code| code.as_str()).collect();
        codes.sort_unstable();
        assert_eq!(listed, codes);
    }
}
