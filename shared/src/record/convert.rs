//! Rows into batches of records, and rejects beside them.
//!
//! A batch ends before the record that would make it too large, so where batches end follows from
//! the bytes and the limits alone. Each batch says where the next one begins and what was counted up
//! to there; all rejects before that place were given out before the batch. Work that stops after a
//! batch can therefore go on from its end, and what follows is the same as if it had not stopped.

use serde::{Deserialize, Serialize};

use super::buffer::{Buffer, Padded};
use super::json;
use super::mapping::Mapping;
use super::reject::{Reject, RejectCode, RejectContext};
use super::values::Fault;
use crate::catalog::{FieldType, OnReject, RejectPolicy};
use crate::failure::{Disposition, Failure};
use crate::format::{FormatError, Position, Row, Rows};

/// Bytes of rejects that are collected before they are given out.
const REJECTS_PIECE: usize = 64 << 10;

/// Rows without a place at which the work could stop, after which one is made: a file may hold any
/// number of rejects between two records.
const SPAN: u64 = 65_536;

/// How the rows of one object become batches.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// Names the object and its version in the ids of records without an identifier of their own:
    /// `{object_ref}:{row}`.
    pub object_ref: &'a str,
    /// What happens to rows that cannot become records.
    pub rejects: RejectPolicy,
    /// What rejects say about the object.
    pub context: RejectContext<'a>,
    /// When a batch is full.
    pub limits: BatchLimits,
    /// What was counted before the first of these rows: zero, or the counters of the batch after
    /// which the work goes on. Batches are numbered from there.
    pub start: Counters,
}

/// When a batch is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Bytes of the records, with the commas between them.
    pub max_bytes: usize,
    /// Records.
    pub max_records: u32,
}

/// What became of the rows. `rows == records + rejects + skipped`, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Rows that were read.
    pub rows: u64,
    /// Rows that became records.
    pub records: u64,
    /// Rows that were refused, each with a reject.
    pub rejects: u64,
    /// Rows that were refused and left out, as the policy `skip` says.
    pub skipped: u64,
    /// Batches.
    pub batches: u64,
    /// Bytes read, decompressed.
    pub bytes_read: u64,
}

impl Counters {
    /// The promise that no row vanishes.
    pub fn account_for_every_row(&self) -> bool {
        self.rows == self.records + self.rejects + self.skipped
    }
}

/// What comes out of a conversion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Records.
    Batch(Batch),
    /// Rejects.
    Rejects(Rejects),
    /// Everything before a place was given out.
    Mark(Mark),
}

/// A place between two rows before which everything was given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The place.
    pub end: Position,
    /// What was counted up to there.
    pub counters: Counters,
}

impl Output {
    /// The place at which the work can stop when this was taken, and go on later.
    pub fn mark(&self) -> Option<Mark> {
        match self {
            Self::Batch(batch) => Some(Mark { end: batch.end, counters: batch.counters }),
            Self::Mark(mark) => Some(*mark),
            Self::Rejects(_) => None,
        }
    }
}

/// Records that are delivered together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The number of the batch within its object, from 1.
    pub number: u64,
    /// The row of the first record.
    pub first_row: u64,
    /// The row of the last record.
    pub last_row: u64,
    /// How many records.
    pub records: u32,
    /// The records as JSON objects with commas between them, without brackets.
    pub json: Vec<u8>,
    /// Where the next batch begins.
    pub end: Position,
    /// What was counted up to there, this batch included.
    pub counters: Counters,
}

/// Rejects that are written together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejects {
    /// Whole lines of JSON.
    pub lines: Vec<u8>,
    /// How many.
    pub count: u64,
    /// The row of the first.
    pub first_row: u64,
    /// The row of the last.
    pub last_row: u64,
}

/// Said by the taker of the output: it takes no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

/// A conversion that did not come to the end of the file.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub struct Failed {
    /// Why.
    pub cause: ConvertError,
    /// What was counted before. The records of a batch that was not full yet are among them, and
    /// were not given out.
    pub counters: Counters,
}

/// Why a conversion did not come to the end of the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// The rows ended with an error.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// A row was refused, and the policy is `fail`.
    #[error("row {row}{}{}: {message} ({code})", on_line(.line), in_column(.column))]
    Rejected {
        /// The row.
        row: u64,
        /// Its line, if the format has lines.
        line: Option<u64>,
        /// The column at fault.
        column: Option<Box<str>>,
        /// Why.
        code: RejectCode,
        /// Why, for people.
        message: String,
    },
    /// More rows were refused than the policy allows.
    #[error(
        "{count} of the first {rows} rows were refused, over the limit rejects.max_count = {max_count}"
    )]
    TooManyRejects {
        /// Refused rows.
        count: u64,
        /// Rows up to the last of them.
        rows: u64,
        /// The limit.
        max_count: u64,
    },
    /// A greater share of the rows was refused than the policy allows.
    #[error("{count} of {rows} rows were refused, over the limit rejects.max_ratio = {max_ratio}")]
    RejectRatio {
        /// Refused rows.
        count: u64,
        /// All rows.
        rows: u64,
        /// The limit.
        max_ratio: f64,
    },
    /// The taker of the output takes no more.
    #[error("the conversion was stopped")]
    Stopped,
}

fn on_line(line: &Option<u64>) -> String {
    line.map(|line| format!(" on line {line}")).unwrap_or_default()
}

fn in_column(column: &Option<Box<str>>) -> String {
    column.as_ref().map(|column| format!(", column {column:?}")).unwrap_or_default()
}

impl From<Stopped> for ConvertError {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

impl ConvertError {
    /// The same in the shape that the ledger and the command line show.
    pub fn failure(&self) -> Failure {
        let (code, remedy, disposition) = match self {
            Self::Format(error) => return error.failure(),
            Self::Rejected { .. } => (
                "row_rejected",
                "Correct the row, or set rejects.policy = \"quarantine\" to let the others through",
                Disposition::DeadLetter,
            ),
            Self::TooManyRejects { .. } | Self::RejectRatio { .. } => (
                "too_many_rejects",
                "Look at the rejects, and correct the file or the types in [fields]",
                Disposition::DeadLetter,
            ),
            Self::Stopped => ("stopped", "It is continued later", Disposition::Retry),
        };
        Failure::new(code, self.to_string(), remedy, disposition)
    }
}

/// Converts all rows that are left, giving out batches and rejects as they fill.
// Once for a file: the counts may be as large as they are.
#[allow(clippy::result_large_err)]
pub fn convert(
    rows: &mut Rows,
    mapping: &Mapping,
    plan: &Plan<'_>,
    emit: &mut dyn FnMut(Output) -> Result<(), Stopped>,
) -> Result<Counters, Failed> {
    let mut conversion = Conversion::new(mapping, plan, emit);
    let ended = conversion.run(rows);
    let counters = conversion.counters;
    debug_assert!(counters.account_for_every_row(), "{counters:?}");
    match ended {
        Ok(()) => Ok(counters),
        Err(cause) => Err(Failed { cause, counters }),
    }
}

struct Conversion<'a> {
    mapping: &'a Mapping,
    plan: &'a Plan<'a>,
    emit: &'a mut dyn FnMut(Output) -> Result<(), Stopped>,
    counters: Counters,
    /// The beginning of the ids of records without an identifier, as JSON.
    id_prefix: Vec<u8>,
    batch: Buffer,
    /// The beginning of each record.
    head: Padded,
    records: u32,
    first_row: u64,
    last_row: u64,
    rejects: Rejects,
    /// The row after the last place at which the work could stop.
    since: u64,
}

impl<'a> Conversion<'a> {
    fn new(
        mapping: &'a Mapping,
        plan: &'a Plan<'a>,
        emit: &'a mut dyn FnMut(Output) -> Result<(), Stopped>,
    ) -> Self {
        let mut id_prefix = Buffer::default();
        id_prefix.push(b'"');
        json::escape(&mut id_prefix, plan.object_ref.as_bytes());
        id_prefix.push(b':');
        Self {
            mapping,
            plan,
            emit,
            counters: plan.start,
            id_prefix: id_prefix.into_vec(),
            batch: Buffer::default(),
            head: Padded::new(b"{\"op\":\"upsert\",\"id\":"),
            records: 0,
            first_row: 0,
            last_row: 0,
            rejects: no_rejects(),
            since: plan.start.rows + 1,
        }
    }

    fn run(&mut self, rows: &mut Rows) -> Result<(), ConvertError> {
        loop {
            match rows.next() {
                Ok(Some(row)) => self.take(&row)?,
                Ok(None) => break,
                Err(error) => {
                    // A second attempt gives the same rejects again; otherwise these are the last.
                    if error.disposition() != Disposition::Retry {
                        self.give_rejects()?;
                    }
                    return Err(error.into());
                }
            }
        }
        let end = rows.position();
        self.counters.bytes_read = end.byte_offset;
        if self.records > 0 {
            self.give_batch(end)?;
        }
        self.give_rejects()?;
        let refused = self.counters.rejects + self.counters.skipped;
        match self.plan.rejects.max_ratio {
            Some(max_ratio) if refused as f64 > max_ratio * self.counters.rows as f64 => {
                Err(ConvertError::RejectRatio {
                    count: refused,
                    rows: self.counters.rows,
                    max_ratio,
                })
            }
            _ => Ok(()),
        }
    }

    /// Makes the row a record or a reject.
    #[inline]
    fn take(&mut self, row: &Row<'_>) -> Result<(), ConvertError> {
        let before = self.batch.len();
        if let Err(fault) = self.write_record(row) {
            self.batch.truncate(before);
            return self.refuse(row, fault);
        }
        let comma = usize::from(self.records > 0);
        if self.batch.len() - before - comma > self.plan.limits.max_bytes {
            self.batch.truncate(before);
            return self.refuse(row, Fault { code: RejectCode::RecordTooLarge, field: None });
        }
        let full = self.batch.len() > self.plan.limits.max_bytes
            || self.records >= self.plan.limits.max_records;
        if full && self.records > 0 {
            let mut next = Buffer::with_capacity(self.batch.capacity());
            next.extend_from_slice(&self.batch.as_slice()[before + 1..]);
            self.batch.truncate(before);
            let end = row.begins();
            self.give_batch(end)?;
            self.batch = next;
        }
        if self.records == 0 {
            self.first_row = row.number();
        }
        self.last_row = row.number();
        self.records += 1;
        self.counters.records += 1;
        self.counters.rows += 1;
        Ok(())
    }

    #[inline]
    fn write_record(&mut self, row: &Row<'_>) -> Result<(), Fault> {
        self.mapping.check(row)?;
        let out = &mut self.batch;
        if self.records > 0 {
            out.push(b',');
        }
        out.extend_from_padded(&self.head);
        match self.mapping.id {
            Some(at) => {
                let field = &self.mapping.fields[at];
                let cell = row.cell(field.cell);
                let id = if field.kind == FieldType::Text { cell } else { cell.trim_ascii() };
                json::string(out, id);
            }
            None => {
                out.extend_from_slice(&self.id_prefix);
                json::number(out, row.number());
                out.push(b'"');
            }
        }
        out.extend_from_slice(b",\"row\":");
        json::number(out, row.number());
        out.extend_from_slice(b",\"values\":{");
        self.mapping.write_values(row, out)?;
        out.extend_from_slice(b"}}");
        Ok(())
    }

    /// Does with a row that is no record what the policy says.
    #[cold]
    fn refuse(&mut self, row: &Row<'_>, fault: Fault) -> Result<(), ConvertError> {
        if row.number() - self.since >= SPAN {
            self.make_place(row.begins())?;
        }
        let reject = self.mapping.reject(row, fault);
        self.counters.rows += 1;
        match self.plan.rejects.policy {
            OnReject::Skip => self.counters.skipped += 1,
            OnReject::Quarantine | OnReject::Fail => {
                self.counters.rejects += 1;
                self.collect(&reject);
            }
        }
        if self.plan.rejects.policy == OnReject::Fail {
            self.give_rejects()?;
            return Err(ConvertError::Rejected {
                row: reject.row,
                line: reject.line,
                column: reject.column.map(Into::into),
                code: reject.code,
                message: reject.message.into_owned(),
            });
        }
        let count = self.counters.rejects + self.counters.skipped;
        if let Some(max_count) = self.plan.rejects.max_count
            && count > max_count
        {
            self.give_rejects()?;
            return Err(ConvertError::TooManyRejects { count, rows: reject.row, max_count });
        }
        if self.rejects.lines.len() >= REJECTS_PIECE {
            self.give_rejects()?;
        }
        Ok(())
    }

    fn collect(&mut self, reject: &Reject<'_>) {
        if self.rejects.count == 0 {
            self.rejects.first_row = reject.row;
        }
        self.rejects.last_row = reject.row;
        self.rejects.count += 1;
        reject.write_line(&self.plan.context, &mut self.rejects.lines);
    }

    fn give_rejects(&mut self) -> Result<(), ConvertError> {
        if self.rejects.count > 0 {
            let rejects = std::mem::replace(&mut self.rejects, no_rejects());
            (self.emit)(Output::Rejects(rejects))?;
        }
        Ok(())
    }

    /// Gives out everything before `end`.
    fn make_place(&mut self, end: Position) -> Result<(), ConvertError> {
        if self.records > 0 {
            return self.give_batch(end);
        }
        self.give_rejects()?;
        self.counters.bytes_read = end.byte_offset;
        self.since = end.row + 1;
        (self.emit)(Output::Mark(Mark { end, counters: self.counters }))?;
        Ok(())
    }

    /// Gives out the batch, after the rejects that lie before its end.
    fn give_batch(&mut self, end: Position) -> Result<(), ConvertError> {
        self.give_rejects()?;
        self.counters.batches += 1;
        self.counters.bytes_read = end.byte_offset;
        self.since = end.row + 1;
        let batch = Batch {
            number: self.counters.batches,
            first_row: self.first_row,
            last_row: self.last_row,
            records: std::mem::take(&mut self.records),
            json: std::mem::take(&mut self.batch).into_vec(),
            end,
            counters: self.counters,
        };
        (self.emit)(Output::Batch(batch))?;
        Ok(())
    }
}

fn no_rejects() -> Rejects {
    Rejects { lines: Vec::new(), count: 0, first_row: 0, last_row: 0 }
}
