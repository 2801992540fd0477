//! One row as the values of one record. This is the hot loop of the product: cells go straight from
//! the read buffer into the batch.

use std::borrow::Cow;

use super::buffer::Buffer;
use super::mapping::{Mapping, Output};
use super::reject::{Reject, RejectCode};
use super::{datetime, json, scalar};
use crate::catalog::FieldType;
use crate::format::{Row, RowFault};

/// What is wrong with a row. Kept small; the words are found only when they are needed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) code: RejectCode,
    /// The place in the mapping of the field at fault.
    pub(super) field: Option<usize>,
}

impl Fault {
    fn of_row(code: RejectCode) -> Self {
        Self { code, field: None }
    }
}

impl Mapping {
    /// Whether the row as a whole can become a record: it has as many cells as the header, and all
    /// of it is UTF-8. Its cells need not be looked at for that again, as they begin and end at
    /// ASCII characters.
    #[inline]
    pub(super) fn check(&self, row: &Row<'_>) -> Result<(), Fault> {
        if row.len() != self.width || row.fault().is_some() {
            return Err(Fault::of_row(match row.fault() {
                Some(RowFault::UnterminatedQuote { .. }) => RejectCode::UnterminatedQuote,
                Some(RowFault::CellError { .. }) => RejectCode::CellError,
                Some(RowFault::InvalidUtf8) => RejectCode::InvalidUtf8,
                None if row.len() < self.width => RejectCode::TooFewCells,
                None => RejectCode::TooManyCells,
            }));
        }
        if !row.is_utf8() {
            return Err(self.not_utf8(row));
        }
        Ok(())
    }

    #[cold]
    fn not_utf8(&self, row: &Row<'_>) -> Fault {
        let field =
            self.fields.iter().position(|field| std::str::from_utf8(row.cell(field.cell)).is_err());
        Fault { code: RejectCode::InvalidUtf8, field }
    }

    /// Appends the values of a checked row, `"id":"D-17","owner":null`, without braces. After an
    /// error `out` holds a part of them.
    #[inline]
    pub(super) fn write_values(&self, row: &Row<'_>, out: &mut Buffer) -> Result<(), Fault> {
        for (at, field) in self.fields.iter().enumerate() {
            let cell = row.cell(field.cell);
            if field.kind == FieldType::Text {
                if field.required && cell.trim_ascii_start().is_empty() {
                    return Err(Fault { code: RejectCode::MissingValue, field: Some(at) });
                }
                json::string_after(out, &field.quoted_prefix, cell);
                continue;
            }
            out.extend_from_padded(&field.prefix);
            if let Err(code) = field.write(cell, out) {
                return Err(Fault { code, field: Some(at) });
            }
        }
        Ok(())
    }

    /// The reject for a fault of a row.
    #[cold]
    pub(super) fn reject<'a>(&'a self, row: &Row<'a>, fault: Fault) -> Reject<'a> {
        let field = fault.field.map(|at| &self.fields[at]);
        let message = match (fault.code, row.fault()) {
            (RejectCode::TooFewCells | RejectCode::TooManyCells, _) => {
                Cow::Owned(format!("{} cells where the header has {}", row.len(), self.width))
            }
            (_, Some(RowFault::UnterminatedQuote { lines })) => Cow::Owned(format!(
                "a quote is opened and never closed: the row takes in the last {lines} lines of the file"
            )),
            (_, Some(RowFault::CellError { row, column, error })) => {
                let column = crate::format::column_letters(column);
                Cow::Owned(format!("the cell {column}{row} holds the error {error}"))
            }
            (code, None | Some(RowFault::InvalidUtf8)) => {
                code.message(field.and_then(|field| field.pattern.as_deref()))
            }
        };
        Reject {
            row: row.number(),
            line: row.line(),
            byte_offset: row.byte_offset(),
            column: field.map(|field| field.column.as_str()),
            code: fault.code,
            message,
            raw: row.raw(),
        }
    }
}

impl Output {
    /// Appends the JSON value of a cell. White space around it counts only in text.
    pub(super) fn write(&self, cell: &[u8], out: &mut Buffer) -> Result<(), RejectCode> {
        let trimmed = cell.trim_ascii();
        if trimmed.is_empty() {
            if self.required {
                return Err(RejectCode::MissingValue);
            }
            match self.kind {
                FieldType::Text => json::string(out, cell),
                _ => out.extend_from_slice(b"null"),
            }
            return Ok(());
        }
        let pattern = self.pattern.as_deref();
        let written = match self.kind {
            FieldType::Text => {
                json::string(out, cell);
                true
            }
            FieldType::Integer => scalar::integer(out, trimmed),
            FieldType::Decimal => scalar::decimal(out, trimmed),
            FieldType::Number => scalar::number(out, trimmed),
            FieldType::Boolean => scalar::boolean(out, trimmed),
            FieldType::Date => datetime::date(out, trimmed, pattern),
            FieldType::Datetime => datetime::datetime(out, trimmed, pattern),
            FieldType::Email => scalar::email(out, trimmed),
        };
        if written { Ok(()) } else { Err(RejectCode::of_type(self.kind)) }
    }
}
