//! Apache Parquet: tables of typed columns, read from the end of the file.
//!
//! The crate `parquet` decodes the pages; this module puts rows together ([`shape`]) with JSON for
//! each value ([`value`]). Lists are arrays, groups objects, and maps objects whose keys are text.
//! Bytes that are not UTF-8 are base64.
//!
//! Memory: one page of each column at a time, within [`Limits::max_pages_bytes`].

mod column;
mod deltas;
mod expansion;
mod footer;
mod pages;
mod shape;
mod value;

use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};

use self::column::Column;
use self::expansion::Unbounded;
use self::pages::{Budget, Source};
use self::shape::Field;
use self::value::Meaning;
use super::contained::contained;
use super::input::Input;
use super::values::{Place, Values};
use super::{
    Compression, Detected, Form, FormatError, Head, Limit, Limits, Position, Reader, Row, RowFault,
    Spool, header,
};
use crate::catalog;

const KIND: &str = "Parquet file";

/// The rows of a Parquet file.
pub(super) struct Table {
    file: SerializedFileReader<Source>,
    fields: Vec<Field>,
    meanings: Vec<Meaning>,
    budget: Arc<Budget>,
    limits: Limits,
    head: Arc<Head>,
    /// The row group to begin next.
    next_group: usize,
    columns: Vec<Column>,
    /// Rows of the row group that are still to come.
    left: u64,
    values: Values,
    not_text: bool,
    rows: u64,
    ended: bool,
}

fn damaged(row: u64, problem: impl std::fmt::Display) -> FormatError {
    FormatError::Damaged { kind: KIND, row, problem: problem.to_string().into() }
}

/// Opens a Parquet file.
pub(super) fn open(
    input: Input,
    compression: Compression,
    limits: Limits,
    mut evidence: Vec<String>,
) -> Result<(Table, Detected), FormatError> {
    let mut spool = Spool::fill(input, &limits)?;
    footer::check(&mut spool)?;
    let budget = Arc::new(Budget::new(limits.max_pages_bytes));
    let source = Source::new(spool, Arc::clone(&budget));
    // The crate panics on some damaged files; nothing of what it was doing is used after that.
    let opened = contained(|| SerializedFileReader::new(source));
    let file = match opened {
        Ok(Ok(file)) => file,
        Ok(Err(error)) => return Err(failed(0, &error, &budget)),
        Err(problem) => return Err(damaged(0, problem)),
    };
    let metadata = file.metadata();
    budget.begin_pages(Unbounded::of(metadata));
    let schema = metadata.file_metadata().schema();
    let (fields, meanings) = shape::fields(schema).map_err(|problem| damaged(0, problem))?;
    if fields.len() > limits.max_columns {
        let limit = Limit { setting: "max_columns", value: limits.max_columns as u64 };
        return Err(FormatError::RowTooLarge { row: 1, limit });
    }
    let count: i64 = metadata.row_groups().iter().map(|group| group.num_rows().max(0)).sum();
    evidence.push(format!(
        "parquet: {} row groups with {count} rows, by the footer",
        metadata.num_row_groups()
    ));
    let names: Vec<String> =
        schema.get_fields().iter().map(|field| field.name().to_owned()).collect();
    let columns = header::unique(&names);
    let head = Head { number: 0, columns: columns.clone(), form: Form::Json, part: None };
    let kind = catalog::FormatKind::Parquet;
    let detected =
        Detected { has_header: true, ..Detected::of_values(compression, kind, columns, evidence) };
    let table = Table {
        file,
        fields,
        meanings,
        budget,
        limits,
        head: Arc::new(head),
        next_group: 0,
        columns: Vec::new(),
        left: 0,
        values: Values::default(),
        not_text: false,
        rows: 0,
        ended: false,
    };
    Ok((table, detected))
}

/// What an error of the crate means.
fn failed(row: u64, error: &ParquetError, budget: &Budget) -> FormatError {
    if budget.is_passed() {
        return FormatError::TakesTooMuch {
            problem: format!("the pages of the {KIND} take more memory after row {row}").into(),
            limit: Limit { setting: "max_pages_bytes", value: budget.most() },
        };
    }
    damaged(row, error)
}

impl Table {
    fn next_row(&mut self) -> Result<bool, ParquetError> {
        while self.left == 0 {
            // A row group that says less than its columns hold would lose rows in silence.
            for column in &mut self.columns {
                if column.fill()? {
                    return Err(general("a row group has more rows than it says"));
                }
            }
            self.columns.clear();
            if self.next_group == self.file.num_row_groups() {
                return Ok(false);
            }
            let group = self.file.get_row_group(self.next_group)?;
            self.next_group += 1;
            if group.num_columns() != self.meanings.len() {
                return Err(general("a row group has not the columns of the schema"));
            }
            self.left = u64::try_from(group.metadata().num_rows())
                .map_err(|_| general("a row group has a negative number of rows"))?;
            for (index, meaning) in self.meanings.iter().enumerate() {
                self.columns.push(Column::new(&*group, index, *meaning, &self.budget)?);
            }
        }
        for column in &mut self.columns {
            if !column.fill()? {
                return Err(general("a column has fewer rows than its row group"));
            }
            if column.rep_level() != 0 {
                return Err(general("the lists of two columns do not fit"));
            }
        }
        self.left -= 1;
        self.values.begin();
        for field in &self.fields {
            field.write(&mut self.columns, self.values.out(), self.limits.max_row_bytes)?;
            self.values.end_cell();
        }
        self.values.end();
        self.not_text = false;
        for column in &mut self.columns {
            self.not_text |= column.take_not_text();
        }
        Ok(true)
    }
}

fn general(problem: &str) -> ParquetError {
    ParquetError::General(problem.to_owned())
}

impl Reader for Table {
    fn advance(&mut self) -> Result<bool, FormatError> {
        if self.ended {
            return Ok(false);
        }
        // See above: a panic ends the file.
        let found = contained(|| self.next_row());
        self.ended = !matches!(found, Ok(Ok(true)));
        match found {
            Ok(Ok(true)) => {
                self.rows += 1;
                if self.values.len() > self.limits.max_row_bytes {
                    self.ended = true;
                    let value = self.limits.max_row_bytes as u64;
                    let limit = Limit { setting: "max_row_bytes", value };
                    return Err(FormatError::RowTooLarge { row: self.rows, limit });
                }
                Ok(true)
            }
            Ok(Ok(false)) => Ok(false),
            Ok(Err(error)) => Err(failed(self.rows, &error, &self.budget)),
            Err(problem) => Err(damaged(self.rows, problem)),
        }
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
#[cfg(test)]
mod written_tests;
