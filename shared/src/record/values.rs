//! One row as the values of one record. This is the hot loop of the product: cells go straight from
//! the read buffer into the batch.

use std::borrow::Cow;

use super::buffer::Buffer;
use super::json;
use super::mapping::{Mapping, Output, Way};
use super::mappings::Mappings;
use super::reject::{Reject, RejectCode};
use super::rule::{Scratch, Written, trim};
use super::token::{self, Token};
use super::unique::{Unique, UniqueError, Value};
use crate::catalog::{LongRows, RecordSettings, ShortRows};
use crate::format::{Form, Row, RowFault};

/// What is wrong with a row. Kept small; the words are found only when they are needed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) code: RejectCode,
    /// The place in the mapping of the field at fault.
    pub(super) field: Option<usize>,
    /// The row that has the value already; 0: none.
    pub(super) of_row: u64,
}

impl Fault {
    pub(super) fn of_row(code: RejectCode) -> Self {
        Self { code, field: None, of_row: 0 }
    }

    pub(super) fn of_field(code: RejectCode, field: usize) -> Self {
        Self { code, field: Some(field), of_row: 0 }
    }
}

/// What is needed to write rows, besides the mapping of each.
pub(super) struct Writing {
    settings: RecordSettings,
    pub(super) scratch: Scratch,
    /// The values of unique columns of the row that is written.
    claims: Vec<Claim>,
    unique: Unique,
}

/// The value of a unique column.
struct Claim {
    /// The place of the field in the mapping.
    at: usize,
    value: Value,
}

impl Writing {
    pub(super) fn new(mappings: &Mappings) -> Self {
        Self {
            settings: mappings.settings().clone(),
            scratch: Scratch::default(),
            claims: Vec::new(),
            unique: Unique::new(mappings.max_unique_bytes),
        }
    }

    /// Whether the row as a whole can become a record: it has as many cells as the header, and all
    /// of it is UTF-8. Its cells need not be looked at for that again, as they begin and end at
    /// ASCII characters.
    #[inline]
    pub(super) fn check(&self, mapping: &Mapping, row: &Row<'_>) -> Result<(), Fault> {
        if row.len() != mapping.width || row.fault().is_some() || mapping.refusal.is_some() {
            self.check_closely(mapping, row)?;
        }
        if !row.is_utf8() {
            return Err(not_utf8(mapping, row));
        }
        Ok(())
    }

    #[cold]
    fn check_closely(&self, mapping: &Mapping, row: &Row<'_>) -> Result<(), Fault> {
        // The head of a row with a fault is that of another row.
        if let Some(refusal) = mapping.refusal.as_ref().filter(|_| row.fault().is_none()) {
            return Err(Fault::of_row(refusal.code));
        }
        let short = row.len() < mapping.width;
        let code = match row.fault() {
            Some(fault) => RejectCode::of_row(fault),
            None if mapping.form == Form::Json => return Ok(()),
            None if short && self.settings.short_rows == ShortRows::Fill => return Ok(()),
            None if !short && self.settings.long_rows == LongRows::Cut => return Ok(()),
            None if short => RejectCode::TooFewCells,
            None => RejectCode::TooManyCells,
        };
        Err(Fault::of_row(code))
    }

    /// Appends the values of a checked row, `"id":"D-17","owner":null`, without braces; `most` bytes
    /// of them at most, and of a single cell. After an error `out` holds a part of them.
    #[inline]
    pub(super) fn write_values(
        &mut self,
        mapping: &Mapping,
        row: &Row<'_>,
        out: &mut Buffer,
        most: usize,
    ) -> Result<(), Fault> {
        if mapping.form == Form::Json {
            return self.write_json(mapping, row, out, most);
        }
        // What cannot become too large need not be looked at for that after each cell.
        let fits = row.raw().len().saturating_mul(6).saturating_add(mapping.overhead) <= most;
        if fits && row.len() >= mapping.width {
            self.write_text::<false>(mapping, row, out, most)?;
        } else {
            self.write_text::<true>(mapping, row, out, most)?;
        }
        for (at, constant) in mapping.constants.iter().enumerate() {
            if at > 0 || !mapping.fields.is_empty() {
                out.push(b',');
            }
            out.extend_from_padded(&constant.prefix);
            out.extend_from_slice(&constant.json);
        }
        Ok(())
    }

    /// `CAREFUL`: the row may become too large, or be without its last cells.
    #[inline(always)]
    fn write_text<const CAREFUL: bool>(
        &mut self,
        mapping: &Mapping,
        row: &Row<'_>,
        out: &mut Buffer,
        most: usize,
    ) -> Result<(), Fault> {
        let start = out.len();
        for (at, field) in mapping.fields.iter().enumerate() {
            let cell = row.cell(field.cell);
            if CAREFUL {
                if cell.len() > most || out.len() - start > most {
                    return Err(Fault::of_field(RejectCode::RecordTooLarge, at));
                }
                if field.cell >= row.len() {
                    out.extend_from_padded(&field.prefix);
                    field.rule.write_null(out).map_err(|code| Fault::of_field(code, at))?;
                    continue;
                }
            }
            match field.way {
                Way::Text => {
                    if field.required && trim(cell).is_empty() {
                        return Err(Fault::of_field(RejectCode::MissingValue, at));
                    }
                    json::string_after(out, &field.quoted_prefix, cell);
                }
                Way::Typed => {
                    out.extend_from_padded(&field.prefix);
                    if let Err(code) = field.rule.write_plain(cell, out) {
                        return Err(Fault::of_field(code, at));
                    }
                }
                Way::Ruled => {
                    out.extend_from_padded(&field.prefix);
                    let start = out.len();
                    let written = field.rule.write(cell, out, &mut self.scratch);
                    self.claim(at, field, written, &out.as_slice()[start..])?;
                }
            }
        }
        Ok(())
    }

    fn write_json(
        &mut self,
        mapping: &Mapping,
        row: &Row<'_>,
        out: &mut Buffer,
        most: usize,
    ) -> Result<(), Fault> {
        let start = out.len();
        for (at, field) in mapping.fields.iter().enumerate() {
            let cell = row.cell(field.cell);
            if cell.len() > most || out.len() - start > most {
                return Err(Fault::of_field(RejectCode::RecordTooLarge, at));
            }
            if cell.is_empty() {
                match &field.absent {
                    Ok(None) => {}
                    Ok(Some(json)) => {
                        separate(out, start);
                        out.extend_from_padded(&field.prefix);
                        out.extend_from_slice(json);
                    }
                    Err(code) => return Err(Fault::of_field(*code, at)),
                }
                continue;
            }
            if field.refused {
                return Err(Fault::of_field(RejectCode::UnknownColumn, at));
            }
            separate(out, start);
            out.extend_from_padded(&field.prefix);
            let value = out.len();
            let written = field.rule.write_json(cell, out, &mut self.scratch);
            self.claim(at, field, written, &out.as_slice()[value..])?;
        }
        for constant in &mapping.constants {
            separate(out, start);
            out.extend_from_padded(&constant.prefix);
            out.extend_from_slice(&constant.json);
        }
        Ok(())
    }

    /// Notes a value as it was written, if it must be the only one.
    pub(super) fn claim(
        &mut self,
        at: usize,
        field: &Output,
        written: Result<Written, RejectCode>,
        json: &[u8],
    ) -> Result<(), Fault> {
        let written = written.map_err(|code| Fault::of_field(code, at))?;
        if let Some(number) = field.unique
            && written == Written::Own
            && json != b"null"
        {
            let value = self.unique.value(number, &field.rule.identity(json));
            self.claims.push(Claim { at, value });
        }
        Ok(())
    }

    /// Whether the row that was written has values that must be the only ones.
    #[inline]
    pub(super) fn has_claims(&self) -> bool {
        !self.claims.is_empty()
    }

    /// Whether a row, which is a record in all else if `written` says so, has values that no earlier
    /// one has; then they are its own from now on.
    pub(super) fn settle(
        &mut self,
        row: &Row<'_>,
        written: Result<(), Fault>,
    ) -> Result<Result<(), Fault>, UniqueError> {
        let mut claims = std::mem::take(&mut self.claims);
        let settled = match written {
            Ok(()) => self.settle_claims(row.number(), &claims),
            Err(fault) => Ok(Err(fault)),
        };
        claims.clear();
        self.claims = claims;
        settled
    }

    fn settle_claims(
        &mut self,
        row: u64,
        claims: &[Claim],
    ) -> Result<Result<(), Fault>, UniqueError> {
        for claim in claims {
            if let Some(of_row) = self.unique.row_of(&claim.value)? {
                let code = RejectCode::DuplicateValue;
                return Ok(Err(Fault { code, field: Some(claim.at), of_row }));
            }
        }
        for claim in claims {
            self.unique.insert(&claim.value, row)?;
        }
        Ok(Ok(()))
    }
}

/// A comma, unless nothing stands before it.
fn separate(out: &mut Buffer, start: usize) {
    if out.len() > start {
        out.push(b',');
    }
}

#[cold]
fn not_utf8(mapping: &Mapping, row: &Row<'_>) -> Fault {
    let broken = |field: &Output| std::str::from_utf8(row.cell(field.cell)).is_err();
    Fault {
        field: mapping.fields.iter().position(broken),
        ..Fault::of_row(RejectCode::InvalidUtf8)
    }
}

impl Mapping {
    /// Appends the identifier of a row as a JSON string: the text of the value that the field has
    /// downstream, so that one thing has one identifier however a file writes it (`7`, `007`).
    #[inline]
    pub(super) fn write_id(&self, at: usize, row: &Row<'_>, out: &mut Buffer) -> Result<(), Fault> {
        let field = &self.fields[at];
        let cell = row.cell(field.cell);
        if !field.rule.is_text() {
            return self.write_typed_id(at, cell, out).map_err(|code| Fault::of_field(code, at));
        }
        if self.form == Form::Text {
            let id = if field.way == Way::Text { cell } else { field.rule.trimmed(cell) };
            json::string(out, id);
            return Ok(());
        }
        let mut unescaped = Vec::new();
        let text = match Token::of(cell) {
            Token::Number(text) | Token::Boolean(text) => Ok(text),
            Token::String(inside) => {
                token::unescape(inside, &mut unescaped).ok_or(RejectCode::InvalidUtf8)
            }
            Token::Nested => Err(RejectCode::NestedValue),
            Token::Absent => Err(RejectCode::MissingColumn),
            Token::Null => Err(RejectCode::MissingValue),
        };
        let text = text.map_err(|code| Fault::of_field(code, at))?;
        json::string(out, field.rule.trimmed(text));
        Ok(())
    }

    fn write_typed_id(&self, at: usize, cell: &[u8], out: &mut Buffer) -> Result<(), RejectCode> {
        let rule = &self.fields[at].rule;
        let (mut value, mut scratch) = (Buffer::default(), Scratch::default());
        let written = match self.form {
            Form::Text => rule.write(cell, &mut value, &mut scratch)?,
            Form::Json => rule.write_json(cell, &mut value, &mut scratch)?,
        };
        match (written, value.as_slice()) {
            (Written::Filled, _) | (_, b"null") => return Err(RejectCode::MissingValue),
            (_, text @ [b'"', ..]) => out.extend_from_slice(text),
            (_, other) => json::string(out, other),
        }
        Ok(())
    }

    /// The reject for a fault of a row.
    #[cold]
    pub(super) fn reject<'a>(&'a self, row: &Row<'a>, fault: Fault) -> Reject<'a> {
        let field = fault.field.map(|at| &self.fields[at]);
        let mut column = field.map(|field| field.column.as_str());
        let message = match (fault.code, row.fault(), &self.refusal) {
            (code, _, Some(refusal)) if code == refusal.code => {
                column = Some(refusal.column.as_str());
                Cow::Owned(refusal.message.clone())
            }
            (RejectCode::TooFewCells | RejectCode::TooManyCells, ..) => {
                Cow::Owned(format!("{} cells where the header has {}", row.len(), self.width))
            }
            (_, Some(RowFault::UnterminatedQuote { lines }), _) => Cow::Owned(format!(
                "a quote is opened and never closed: the row takes in the last {lines} lines of the file"
            )),
            (_, Some(RowFault::CellError { row, column, error }), _) => {
                let column = crate::format::column_letters(column);
                let what = if error.starts_with('#') { "the error " } else { "" };
                Cow::Owned(format!("the cell {column}{row} holds {what}{error}"))
            }
            (_, Some(RowFault::UnclosedQuote), _) => Cow::Borrowed(
                "a quote is opened and never closed: the row was taken to end where the next rows fit the table",
            ),
            (_, Some(RowFault::Json { problem, at }), _) => {
                Cow::Owned(format!("{problem} (byte {} of the row)", at + 1))
            }
            (RejectCode::DuplicateValue, ..) => {
                Cow::Owned(format!("row {} has the same value", fault.of_row))
            }
            (code, ..) => match field {
                Some(field) => field.rule.message(code),
                None => code.meaning().into(),
            },
        };
        Reject {
            row: row.number(),
            line: row.line(),
            byte_offset: row.byte_offset(),
            part: row.head().part.as_deref(),
            column,
            code: fault.code,
            message,
            raw: row.raw(),
        }
    }
}
