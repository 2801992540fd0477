//! The values alone, as lines of JSON or as CSV, for people and pipes.

use std::io::{self, Write};

use super::buffer::Buffer;
use super::convert::Counters;
use super::mapping::Mapping;
use super::reject::Reject;
use crate::catalog::FieldType;
use crate::failure::{Disposition, Failure};
use crate::format::{FormatError, Row, Rows};

/// Bytes that are collected before they are written.
const PIECE: usize = 64 << 10;

/// Why not all rows were written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlainError {
    /// The rows ended with an error.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The output did not take them.
    #[error("writing failed: {0}")]
    Write(#[from] io::Error),
}

impl PlainError {
    /// The same in the shape that the ledger and the command line show.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Format(error) => error.failure(),
            Self::Write(_) => Failure::new(
                "write_failed",
                self.to_string(),
                "Check where the output goes",
                Disposition::Retry,
            ),
        }
    }
}

/// Writes each row as one line of JSON, `{"column":value,…}`.
pub fn ndjson(
    rows: &mut Rows,
    mapping: &Mapping,
    out: &mut dyn Write,
    rejected: &mut dyn FnMut(&Reject<'_>),
) -> Result<Counters, PlainError> {
    each(rows, mapping, out, rejected, |row, piece| {
        piece.push(b'{');
        mapping.write_values(row, piece)?;
        piece.extend_from_slice(b"}\n");
        Ok(())
    })
}

/// Writes the names of the fields and then each row as CSV after RFC 4180: commas, CRLF, and quotes
/// where they are needed. Values are those of the JSON form, a `null` being an empty cell.
pub fn csv(
    rows: &mut Rows,
    mapping: &Mapping,
    out: &mut dyn Write,
    rejected: &mut dyn FnMut(&Reject<'_>),
) -> Result<Counters, PlainError> {
    let mut header = Buffer::default();
    for (at, name) in mapping.names().enumerate() {
        if at > 0 {
            header.push(b',');
        }
        csv_cell(&mut header, name.as_bytes(), mapping.fields.len() == 1);
    }
    if header.len() > 0 {
        header.extend_from_slice(b"\r\n");
        out.write_all(header.as_slice())?;
    }
    let mut value = Buffer::default();
    each(rows, mapping, out, rejected, |row, piece| {
        for (at, field) in mapping.fields.iter().enumerate() {
            if at > 0 {
                piece.push(b',');
            }
            let cell = row.cell(field.cell);
            value.truncate(0);
            field
                .write(cell, &mut value)
                .map_err(|code| super::values::Fault { code, field: Some(at) })?;
            let text = match (field.kind, value.as_slice()) {
                (FieldType::Text, _) => cell,
                // The one type whose JSON string may hold escapes.
                (FieldType::Email, _) => cell.trim_ascii(),
                (_, b"null") => b"",
                (_, [b'"', text @ .., b'"']) => text,
                (_, text) => text,
            };
            csv_cell(piece, text, mapping.fields.len() == 1);
        }
        piece.extend_from_slice(b"\r\n");
        Ok(())
    })
}

/// Appends a cell; `alone`: it is the only one of its row, which must not look like a blank line.
fn csv_cell(out: &mut Buffer, text: &[u8], alone: bool) {
    let special = |byte: &u8| matches!(byte, b',' | b'"' | b'\r' | b'\n');
    let quoted = text.iter().any(special) || (alone && text.is_empty());
    if !quoted {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for part in text.split_inclusive(|byte| *byte == b'"') {
        out.extend_from_slice(part);
        if part.ends_with(b"\"") {
            out.push(b'"');
        }
    }
    out.push(b'"');
}

/// Takes each row through `write`, which appends it whole or names its fault.
#[inline(always)]
fn each(
    rows: &mut Rows,
    mapping: &Mapping,
    out: &mut dyn Write,
    rejected: &mut dyn FnMut(&Reject<'_>),
    mut write: impl FnMut(&Row<'_>, &mut Buffer) -> Result<(), super::values::Fault>,
) -> Result<Counters, PlainError> {
    let mut counters = Counters::default();
    let mut piece = Buffer::with_capacity(2 * PIECE);
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => break,
            Err(error) => {
                // What was read before the error is still good to see.
                out.write_all(piece.as_slice())?;
                return Err(error.into());
            }
        };
        let before = piece.len();
        counters.rows += 1;
        match mapping.check(&row).and_then(|()| write(&row, &mut piece)) {
            Ok(()) => counters.records += 1,
            Err(fault) => {
                piece.truncate(before);
                counters.rejects += 1;
                rejected(&mapping.reject(&row, fault));
            }
        }
        if piece.len() >= PIECE {
            out.write_all(piece.as_slice())?;
            piece.truncate(0);
        }
    }
    out.write_all(piece.as_slice())?;
    out.flush()?;
    counters.bytes_read = rows.position().byte_offset;
    Ok(counters)
}
