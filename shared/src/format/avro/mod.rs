//! Apache Avro object container files: rows of a schema in compressed blocks, read as they come.
//!
//! Written by hand, because the crate `apache-avro` does not keep what this room promises: a value
//! that is cut short becomes null and a block that is cut short the end of the file, maps come in another
//! order each time, and neither what a block expands to nor how deeply values are nested has a limit
//! (a schema that contains itself ends the process). It writes the files of the tests.
//!
//! A record's fields are columns; a file of anything else has the one column `value`. Unions are the
//! value of their branch. Memory: one block, within [`Limits::max_block_bytes`].

mod codec;
mod schema;
mod value;

use std::collections::HashMap;
use std::sync::Arc;

use self::codec::Codec;
use self::schema::{Id, Schema, Type};
use self::value::Decoder;
use super::input::Input;
use super::values::{Place, Values};
use super::{
    Compression, Detected, Form, FormatError, Head, Limit, Limits, Position, Reader, Row, RowFault,
    header,
};
use crate::catalog;

const KIND: &str = "Avro file";
/// Bytes of the header: the schema and what else the writer noted.
const MAX_HEADER: usize = 16 << 20;

/// The rows of an Avro file.
pub(super) struct Container {
    input: Input,
    limits: Limits,
    schema: Schema,
    /// The type of each column.
    columns: Vec<Id>,
    codec: Codec,
    marker: [u8; 16],
    head: Arc<Head>,
    /// The current block, expanded; how much of it was read; how many rows are left in it.
    block: Vec<u8>,
    read: usize,
    left: u64,
    compressed: Vec<u8>,
    values: Values,
    not_text: bool,
    rows: u64,
    ended: bool,
}

fn damaged(row: u64, problem: impl std::fmt::Display) -> FormatError {
    FormatError::Damaged { kind: KIND, row, problem: problem.to_string().into() }
}

/// Opens an Avro file and reads its schema.
pub(super) fn open(
    mut input: Input,
    compression: Compression,
    limits: Limits,
    mut evidence: Vec<String>,
) -> Result<(Container, Detected), FormatError> {
    let mut magic = [0; 4];
    input.fill(&mut magic)?;
    if magic != *b"Obj\x01" {
        return Err(damaged(0, "it does not begin as an Avro file"));
    }
    let metadata = read_metadata(&mut input)?;
    let mut marker = [0; 16];
    exactly(&mut input, &mut marker, 0)?;
    let json = metadata.get("avro.schema").ok_or_else(|| damaged(0, "it has no schema"))?;
    let (schema, row) = Schema::parse(json)
        .map_err(|problem| damaged(0, format_args!("its schema has {problem}")))?;
    let codec = metadata.get("avro.codec").map(Vec::as_slice).unwrap_or(b"null");
    let codec = Codec::of(codec).ok_or(FormatError::Unsupported {
        found: "an Avro file with an unknown codec",
        remedy: "Write it with one of the codecs null, deflate, snappy, zstandard, bzip2 and xz",
    })?;
    evidence.push(format!("avro: codec {}, by the header", codec.name()));
    let (names, columns): (Vec<String>, Vec<Id>) = match schema.get(row) {
        Type::Record(members) => {
            members.iter().map(|member| (member.name.clone(), member.value)).unzip()
        }
        _ => (vec!["value".to_owned()], vec![row]),
    };
    if names.len() > limits.max_columns {
        let limit = Limit { setting: "max_columns", value: limits.max_columns as u64 };
        return Err(FormatError::RowTooLarge { row: 1, limit });
    }
    let names = header::unique(&names);
    let head = Head { number: 0, columns: names.clone(), form: Form::Json, part: None };
    let kind = catalog::FormatKind::Avro;
    let detected =
        Detected { has_header: true, ..Detected::of_values(compression, kind, names, evidence) };
    let container = Container {
        input,
        limits,
        schema,
        columns,
        codec,
        marker,
        head: Arc::new(head),
        block: Vec::new(),
        read: 0,
        left: 0,
        compressed: Vec::new(),
        values: Values::default(),
        not_text: false,
        rows: 0,
        ended: false,
    };
    Ok((container, detected))
}

fn read_metadata(input: &mut Input) -> Result<HashMap<String, Vec<u8>>, FormatError> {
    let mut metadata = HashMap::new();
    let mut total = 0;
    let mut text = |input: &mut Input| {
        let length = usize::try_from(long(input, 0)?).unwrap_or(usize::MAX);
        total = length.saturating_add(total).saturating_add(1);
        if total > MAX_HEADER {
            return Err(FormatError::TakesTooMuch {
                problem: format!("the header of the {KIND} has {total} bytes").into(),
                limit: Limit { setting: "bytes of a header", value: MAX_HEADER as u64 },
            });
        }
        let mut bytes = vec![0; length];
        exactly(input, &mut bytes, 0)?;
        Ok(bytes)
    };
    loop {
        let count = long(input, 0)?;
        if count == 0 {
            return Ok(metadata);
        }
        if count < 0 {
            long(input, 0)?;
        }
        for _ in 0..count.unsigned_abs() {
            let key = text(input)?;
            let value = text(input)?;
            metadata.insert(String::from_utf8_lossy(&key).into_owned(), value);
        }
    }
}

/// Fills `into`, or says that the file is cut short.
fn exactly(input: &mut Input, into: &mut [u8], row: u64) -> Result<(), FormatError> {
    if input.fill(into)? < into.len() {
        return Err(damaged(row, "it is cut short"));
    }
    Ok(())
}

fn long(input: &mut Input, row: u64) -> Result<i64, FormatError> {
    let mut first = [0];
    exactly(input, &mut first, row)?;
    long_after(first[0], input, row)
}

/// A number whose first byte was read.
fn long_after(first: u8, input: &mut Input, row: u64) -> Result<i64, FormatError> {
    let (mut value, mut byte) = (u64::from(first & 0x7f), [first]);
    let mut shift = 7;
    while byte[0] >= 0x80 {
        if shift > 63 {
            return Err(damaged(row, "a number has more than 64 bits"));
        }
        exactly(input, &mut byte, row)?;
        value |= u64::from(byte[0] & 0x7f) << shift;
        shift += 7;
    }
    Ok((value >> 1) as i64 ^ -((value & 1) as i64))
}

impl Container {
    /// Reads the next block; `false` at the end of the file.
    fn next_block(&mut self) -> Result<bool, FormatError> {
        let row = self.rows;
        let mut first = [0];
        // Only here may the file end.
        if self.input.fill(&mut first)? == 0 {
            return Ok(false);
        }
        let count = u64::try_from(long_after(first[0], &mut self.input, row)?)
            .map_err(|_| damaged(row, "a block has a negative number of rows"))?;
        let size = u64::try_from(long(&mut self.input, row)?)
            .map_err(|_| damaged(row, "a block has a negative size"))?;
        let most = self.limits.max_block_bytes;
        let too_large = |what| FormatError::TakesTooMuch {
            problem: format!("the block of the {KIND} after row {row} {what}").into(),
            limit: Limit { setting: "max_block_bytes", value: most },
        };
        if size > most {
            return Err(too_large(format!("has {size} bytes")));
        }
        self.compressed.clear();
        self.compressed.resize(size as usize, 0);
        exactly(&mut self.input, &mut self.compressed, row)?;
        let mut marker = [0; 16];
        exactly(&mut self.input, &mut marker, row)?;
        if marker != self.marker {
            return Err(damaged(row, "a block does not end with the marker of the file"));
        }
        self.block.clear();
        match self.codec.expand(&self.compressed, most as usize, &mut self.block) {
            Ok(true) => {}
            Ok(false) => return Err(too_large("expands to more bytes".to_owned())),
            Err(problem) => {
                return Err(damaged(row, format_args!("a block cannot be expanded: {problem}")));
            }
        }
        // Rows without a byte have no value, and could be as many as a few bytes can say.
        if count > self.block.len() as u64 {
            return Err(damaged(row, "a block says more rows than it has bytes"));
        }
        (self.read, self.left) = (0, count);
        Ok(true)
    }

    fn next_row(&mut self) -> Result<bool, FormatError> {
        while self.left == 0 {
            if self.read < self.block.len() {
                return Err(damaged(self.rows, "a block has more bytes than its rows"));
            }
            if !self.next_block()? {
                return Ok(false);
            }
        }
        self.left -= 1;
        let most = self.limits.max_row_bytes;
        let mut decoder = Decoder::new(&self.block[self.read..], &self.schema, most);
        self.values.begin();
        for column in &self.columns {
            decoder
                .write(*column, 0, self.values.out())
                .map_err(|problem| damaged(self.rows, problem))?;
            self.values.end_cell();
        }
        self.values.end();
        self.read = self.block.len() - decoder.left();
        self.not_text = decoder.not_text;
        self.rows += 1;
        if self.values.len() > most {
            let limit = Limit { setting: "max_row_bytes", value: most as u64 };
            return Err(FormatError::RowTooLarge { row: self.rows, limit });
        }
        Ok(true)
    }
}

impl Reader for Container {
    fn advance(&mut self) -> Result<bool, FormatError> {
        if self.ended {
            return Ok(false);
        }
        let found = self.next_row();
        self.ended = !matches!(found, Ok(true));
        found
    }

    fn row(&self) -> Row<'_> {
        let place = Place { number: self.rows, line: None, byte_offset: None };
        let row = self.values.row(&self.head, place, None);
        match self.not_text {
            false => row,
            true => Row { fault: Some(RowFault::InvalidUtf8), spans: &[], ..row },
        }
    }

    fn position(&self) -> Position {
        Position { row: self.rows, ..Position::default() }
    }

    fn head(&self) -> &Arc<Head> {
        &self.head
    }
}

#[cfg(test)]
mod tests;
