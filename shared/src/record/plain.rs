//! The values alone, as lines of JSON or as CSV, for people and pipes.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use super::buffer::Buffer;
use super::error::RecordError;
use super::mapping::{Mapping, Way};
use super::mappings::Mappings;
use super::output::Counters;
use super::reject::{Reject, RejectCode};
use super::token::{self, Token};
use super::unique::UniqueError;
use super::values::{Fault, Writing};
use crate::failure::{Disposition, Failure};
use crate::format::{Form, FormatError, Row, Rows};

/// Bytes that are collected before they are written.
const PIECE: usize = 64 << 10;

/// Why not all rows were written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlainError {
    /// The rows ended with an error.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The columns of a part of the file do not fit the definition.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The values of unique columns cannot be remembered.
    #[error(transparent)]
    Unique(#[from] UniqueError),
    /// The output did not take them.
    #[error("writing failed: {0}")]
    Write(#[from] io::Error),
}

impl PlainError {
    /// The same in the shape that the ledger and the command line show.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Format(error) => error.failure(),
            Self::Record(error) => error.failure(),
            Self::Unique(error) => error.failure(),
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
    mappings: &mut Mappings,
    out: &mut dyn Write,
    rejected: &mut dyn FnMut(&Reject<'_>),
) -> Result<Counters, PlainError> {
    each(rows, mappings, out, rejected, |writing, mapping, row, piece, _| {
        piece.push(b'{');
        writing.write_values(mapping, row, piece, usize::MAX)?;
        piece.extend_from_slice(b"}\n");
        Ok(())
    })
}

/// Writes the names of the fields and then each row as CSV after RFC 4180: commas, CRLF, and quotes
/// where they are needed. Values are those of the JSON form: strings as their text, a `null` and what
/// a row does not have as an empty cell, all else as its JSON.
///
/// The first line has the fields of rows like the first that is one, and those that the definition names. Later
/// rows may have others: one that has a value there is a reject.
pub fn csv(
    rows: &mut Rows,
    mappings: &mut Mappings,
    out: &mut dyn Write,
    rejected: &mut dyn FnMut(&Reject<'_>),
) -> Result<Counters, PlainError> {
    let declared: Vec<String> = match rows.head().form {
        Form::Json => mappings.declared_names().map(str::to_owned).collect(),
        Form::Text => Vec::new(),
    };
    // Of values each row has its own names, and a first one that is damaged may have none.
    let mut header = Header { names: None, declared, alone: false };
    if rows.head().form == Form::Text {
        let mut first = Buffer::default();
        header.write(mappings.names(), &mut first);
        out.write_all(first.as_slice())?;
    }
    let mut line = Line { head: None, places: Vec::new(), others: Vec::new() };
    let (mut value, mut text) = (Buffer::default(), Vec::new());
    let counters = each(rows, mappings, out, rejected, |writing, mapping, row, piece, kept| {
        if header.names.is_none() {
            header.write(mapping.names(), piece);
            *kept = piece.len();
        }
        let (names, alone) = (header.names.as_deref().unwrap_or_default(), header.alone);
        line.turn(names, mapping, row);
        let others = line.others.iter().find(|at| !row.cell(mapping.fields[**at].cell).is_empty());
        if let Some(at) = others {
            return Err(Fault::of_field(RejectCode::UnknownColumn, *at));
        }
        for (column, place) in line.places.iter().enumerate() {
            if column > 0 {
                piece.push(b',');
            }
            value.truncate(0);
            let place = match place {
                Place::Field(at) => *at,
                Place::Constant(at) => {
                    let json = &mapping.constants[*at].json;
                    csv_cell(piece, plain_text(json, &mut text), alone);
                    continue;
                }
                Place::Nothing => {
                    csv_cell(piece, b"", alone);
                    continue;
                }
            };
            let field = &mapping.fields[place];
            let cell = row.cell(field.cell);
            let fault = |code| Fault::of_field(code, place);
            if mapping.form == Form::Text && field.way != Way::Ruled && field.cell < row.len() {
                field.rule.write_plain(cell, &mut value).map_err(fault)?;
                let text = match field.way {
                    Way::Text => cell,
                    _ => plain_text(value.as_slice(), &mut text),
                };
                csv_cell(piece, text, alone);
                continue;
            }
            let written = match mapping.form {
                Form::Json if cell.is_empty() => {
                    let absent = field.absent.as_ref().map_err(|code| fault(*code))?;
                    csv_cell(
                        piece,
                        plain_text(absent.as_deref().unwrap_or(b"null"), &mut text),
                        alone,
                    );
                    continue;
                }
                Form::Json if field.refused => Err(RejectCode::UnknownColumn),
                Form::Json => field.rule.write_json(cell, &mut value, &mut writing.scratch),
                Form::Text if field.cell >= row.len() => field.rule.write_null(&mut value),
                Form::Text => field.rule.write(cell, &mut value, &mut writing.scratch),
            };
            writing.claim(place, field, written, value.as_slice())?;
            csv_cell(piece, plain_text(value.as_slice(), &mut text), alone);
        }
        piece.extend_from_slice(b"\r\n");
        Ok(())
    })?;
    if header.names.is_none() {
        let mut only = Buffer::default();
        header.write(mappings.names(), &mut only);
        out.write_all(only.as_slice())?;
        out.flush()?;
    }
    Ok(counters)
}

/// The first line.
struct Header {
    /// What it has, once it is written.
    names: Option<Vec<String>>,
    /// What it has in any case.
    declared: Vec<String>,
    /// It has one name only.
    alone: bool,
}

impl Header {
    fn write<'n>(&mut self, of_row: impl Iterator<Item = &'n str>, into: &mut Buffer) {
        let mut names: Vec<String> = of_row.map(str::to_owned).collect();
        let more = self.declared.iter().filter(|name| !names.contains(name));
        let more: Vec<String> = more.cloned().collect();
        names.extend(more);
        self.alone = names.len() == 1;
        for (at, name) in names.iter().enumerate() {
            if at > 0 {
                into.push(b',');
            }
            csv_cell(into, name.as_bytes(), self.alone);
        }
        if !names.is_empty() {
            into.extend_from_slice(b"\r\n");
        }
        self.names = Some(names);
    }
}

/// Where the cells of a line come from, in rows of one head.
struct Line {
    head: Option<u32>,
    places: Vec<Place>,
    /// Places in the mapping of fields that the first line does not have.
    others: Vec<usize>,
}

/// Where one cell of a line comes from.
enum Place {
    /// From this field of the mapping.
    Field(usize),
    /// From this constant.
    Constant(usize),
    /// The rows do not have it.
    Nothing,
}

impl Line {
    /// Goes over to the rows of another head.
    fn turn(&mut self, names: &[String], mapping: &Mapping, row: &Row<'_>) {
        let head = Some(row.head().number);
        if self.head == head {
            return;
        }
        self.head = head;
        let fields: HashMap<&str, usize> =
            mapping.fields.iter().enumerate().map(|(at, f)| (f.name.as_str(), at)).collect();
        let place = |name: &String| match fields.get(name.as_str()) {
            Some(at) => Place::Field(*at),
            None => match mapping.constants.iter().position(|constant| constant.name == *name) {
                Some(at) => Place::Constant(at),
                None => Place::Nothing,
            },
        };
        self.places = names.iter().map(place).collect();
        let known: HashSet<&str> = names.iter().map(String::as_str).collect();
        let unknown = |(_, name): &(usize, &str)| !known.contains(name);
        let all = mapping.fields.iter().map(|field| field.name.as_str()).enumerate();
        self.others = all.filter(unknown).map(|(at, _)| at).collect();
    }
}

/// The text of a JSON value: a string without quotes and escapes, nothing for `null`.
fn plain_text<'t>(json: &'t [u8], into: &'t mut Vec<u8>) -> &'t [u8] {
    match Token::of(json) {
        Token::Null | Token::Absent => b"",
        // Escapes that are no text were refused when the value was written.
        Token::String(inside) => token::unescape(inside, into).unwrap_or(inside),
        Token::Boolean(_) | Token::Number(_) | Token::Nested => json,
    }
}

/// Appends a cell; `alone`: it is the only one of its row, which must not look like a blank line.
fn csv_cell(out: &mut Buffer, text: &[u8], alone: bool) {
    let special = |byte: &u8| matches!(byte, b',' | b'"' | b'\r' | b'\n');
    let quoted = text.iter().any(special) || (alone && text.trim_ascii().is_empty());
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

/// Takes each row through `write`, which appends it whole or names its fault. What it appends up to the last
/// number that it gets stays there also if the row is refused.
#[inline(always)]
fn each(
    rows: &mut Rows,
    mappings: &mut Mappings,
    out: &mut dyn Write,
    rejected: &mut dyn FnMut(&Reject<'_>),
    mut write: impl FnMut(
        &mut Writing,
        &Mapping,
        &Row<'_>,
        &mut Buffer,
        &mut usize,
    ) -> Result<(), Fault>,
) -> Result<Counters, PlainError> {
    let mut counters = Counters::default();
    let mut writing = Writing::new(mappings);
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
        if row.head().number != mappings.head
            && let Err(error) = mappings.turn(row.head())
        {
            out.write_all(piece.as_slice())?;
            return Err(error.into());
        }
        let mapping = &*mappings.current;
        let mut kept = piece.len();
        counters.rows += 1;
        let mut written = writing.check(mapping, &row);
        if written.is_ok() {
            written = write(&mut writing, mapping, &row, &mut piece, &mut kept);
        }
        if writing.has_claims() {
            written = writing.settle(&row, written)?;
        }
        match written {
            Ok(()) => counters.records += 1,
            Err(fault) => {
                piece.truncate(kept);
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
    if counters.rows == 0 {
        mappings.check_without_rows(rows.head())?;
    }
    counters.bytes_read = rows.position().byte_offset;
    Ok(counters)
}
