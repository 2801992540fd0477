//! Rows into batches of records, and rejects beside them.
//!
//! A batch ends before the record that would make it too large, so where batches end follows from
//! the bytes and the limits alone. Each batch says where the next one begins and what was counted up
//! to there; all rejects before that place were given out before the batch. Work that stops after a
//! batch can therefore go on from its end, and what follows is the same as if it had not stopped. A
//! batch ends, too, where the rows of another part of the file begin (an archive's member, a sheet).

use std::sync::Arc;

use super::buffer::{Buffer, Padded};
use super::failed::{ConvertError, Failed};
use super::json;
use super::mappings::Mappings;
use super::output::{Batch, Counters, Mark, Output, Plan, Rejects, Stopped};
use super::reject::{Reject, RejectCode};
use super::values::{Fault, Writing};
use crate::catalog::OnReject;
use crate::format::{Part, Position, Row, Rows};

/// Bytes of rejects that are collected before they are given out.
const REJECTS_PIECE: usize = 64 << 10;

/// Rows without a place at which the work could stop, after which one is made: a file may hold any
/// number of rejects between two records.
const SPAN: u64 = 65_536;

/// Converts all rows that are left, giving out batches and rejects as they fill.
///
/// Rows that `plan.start` counts already may be among them: of those only the values of unique columns
/// are taken in.
pub fn convert(
    rows: &mut Rows,
    mappings: &mut Mappings,
    plan: &Plan<'_>,
    emit: &mut dyn FnMut(Output) -> Result<(), Stopped>,
) -> Result<Counters, Failed> {
    Conversion::new(mappings, plan, emit, false).all(rows)
}

/// Converts all rows and gives out the rejects alone: what a `strict` source does with a whole file
/// before the first batch of it is delivered. Batches are neither built nor counted.
pub fn check(
    rows: &mut Rows,
    mappings: &mut Mappings,
    plan: &Plan<'_>,
    emit: &mut dyn FnMut(Rejects) -> Result<(), Stopped>,
) -> Result<Counters, Failed> {
    let mut rejects = |output| match output {
        Output::Rejects(rejects) => emit(rejects),
        Output::Batch(_) | Output::Mark(_) => Ok(()),
    };
    Conversion::new(mappings, plan, &mut rejects, true).all(rows)
}

struct Conversion<'a> {
    mappings: &'a mut Mappings,
    writing: Writing,
    /// Records are made only to see whether they can be.
    only_checks: bool,
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
    part: Option<Arc<Part>>,
    rejects: Rejects,
    /// The row after the last place at which the work could stop.
    since: u64,
}

impl<'a> Conversion<'a> {
    fn new(
        mappings: &'a mut Mappings,
        plan: &'a Plan<'a>,
        emit: &'a mut dyn FnMut(Output) -> Result<(), Stopped>,
        only_checks: bool,
    ) -> Self {
        let mut id_prefix = Buffer::default();
        id_prefix.push(b'"');
        json::escape(&mut id_prefix, plan.object_ref.as_bytes());
        id_prefix.push(b':');
        Self {
            writing: Writing::new(mappings),
            mappings,
            only_checks,
            plan,
            emit,
            counters: plan.start,
            id_prefix: id_prefix.into_vec(),
            batch: Buffer::default(),
            head: Padded::new(b"{\"op\":\"upsert\",\"id\":"),
            records: 0,
            first_row: 0,
            last_row: 0,
            part: None,
            rejects: no_rejects(),
            since: plan.start.rows + 1,
        }
    }

    fn all(mut self, rows: &mut Rows) -> Result<Counters, Failed> {
        let ended = self.run(rows);
        let counters = self.counters;
        debug_assert!(counters.account_for_every_row(), "{counters:?}");
        match ended {
            Ok(()) => Ok(counters),
            Err(cause) => Err(Failed { cause, counters }),
        }
    }

    fn run(&mut self, rows: &mut Rows) -> Result<(), ConvertError> {
        self.part = rows.head().part.clone();
        match self.take_all(rows) {
            Ok(()) => {}
            // A second attempt gives the same rejects again; otherwise these are the last.
            Err(cause) if cause.is_final() => {
                self.give_rejects()?;
                return Err(cause);
            }
            Err(cause) => return Err(cause),
        }
        if self.counters.rows == 0 {
            self.mappings.check_without_rows(rows.head())?;
        }
        let end = rows.position();
        self.count_bytes(end);
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
                    kept: self.plan.rejects.policy != OnReject::Skip,
                })
            }
            _ => Ok(()),
        }
    }

    fn take_all(&mut self, rows: &mut Rows) -> Result<(), ConvertError> {
        while rows.position().row < self.plan.start.rows {
            let Some(row) = rows.next()? else { return Ok(()) };
            self.pass(&row)?;
        }
        while let Some(row) = rows.next()? {
            self.take(&row)?;
        }
        Ok(())
    }

    /// Takes in of a row that was counted before what later rows are compared with.
    fn pass(&mut self, row: &Row<'_>) -> Result<(), ConvertError> {
        self.turn(row)?;
        if self.mappings.need_every_row() {
            let written = self.write(row);
            // Whether it is a record was said before.
            let _ = self.writing.settle(row, written)?;
            self.batch.truncate(0);
        }
        Ok(())
    }

    /// Makes the row a record or a reject.
    #[inline]
    fn take(&mut self, row: &Row<'_>) -> Result<(), ConvertError> {
        if row.head().number != self.mappings.head {
            self.turn(row)?;
        }
        let before = self.batch.len();
        let mut written = self.write(row);
        if self.writing.has_claims() {
            written = self.writing.settle(row, written)?;
        }
        if let Err(fault) = written {
            self.batch.truncate(before);
            return self.refuse(row, fault);
        }
        if self.only_checks {
            self.batch.truncate(0);
            self.counters.rows += 1;
            self.counters.records += 1;
            return Ok(());
        }
        let full = self.batch.len() > self.plan.limits.max_bytes
            || self.records >= self.plan.limits.max_records;
        if full && self.records > 0 {
            let mut next = Buffer::with_capacity(self.batch.capacity());
            next.extend_from_slice(&self.batch.as_slice()[before + 1..]);
            self.batch.truncate(before);
            self.give_batch(row.begins())?;
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

    /// Goes over to the rows of another head, and perhaps of another part.
    #[cold]
    fn turn(&mut self, row: &Row<'_>) -> Result<(), ConvertError> {
        let head = row.head();
        if head.number != self.mappings.head {
            self.mappings.turn(head)?;
        }
        if head.part != self.part {
            if self.records > 0 {
                self.give_batch(row.begins())?;
            }
            self.part.clone_from(&head.part);
        }
        Ok(())
    }

    /// Appends the record of a row to the batch, whole or (with a fault) in part.
    #[inline]
    fn write(&mut self, row: &Row<'_>) -> Result<(), Fault> {
        let before = self.batch.len();
        self.write_record(row)?;
        let comma = usize::from(self.records > 0);
        if self.batch.len() - before - comma > self.plan.limits.max_bytes {
            return Err(Fault::of_row(RejectCode::RecordTooLarge));
        }
        Ok(())
    }

    #[inline]
    fn write_record(&mut self, row: &Row<'_>) -> Result<(), Fault> {
        let mapping = &self.mappings.current;
        self.writing.check(mapping, row)?;
        let out = &mut self.batch;
        if self.records > 0 {
            out.push(b',');
        }
        out.extend_from_padded(&self.head);
        match mapping.id {
            Some(at) => mapping.write_id(at, row, out)?,
            None => {
                out.extend_from_slice(&self.id_prefix);
                json::number(out, row.number());
                out.push(b'"');
            }
        }
        out.extend_from_slice(b",\"row\":");
        json::number(out, row.number());
        out.extend_from_slice(b",\"values\":{");
        self.writing.write_values(mapping, row, out, self.plan.limits.max_bytes)?;
        out.extend_from_slice(b"}}");
        Ok(())
    }

    /// Does with a row that is no record what the policy says.
    #[cold]
    fn refuse(&mut self, row: &Row<'_>, fault: Fault) -> Result<(), ConvertError> {
        if row.number() - self.since >= SPAN {
            self.make_place(row.begins())?;
        }
        let mapping = Arc::clone(&self.mappings.current);
        let reject = mapping.reject(row, fault);
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
                message: reject.message.into(),
            });
        }
        let count = self.counters.rejects + self.counters.skipped;
        if let Some(max_count) = self.plan.rejects.max_count
            && count > max_count
        {
            self.give_rejects()?;
            let kept = self.plan.rejects.policy != OnReject::Skip;
            return Err(ConvertError::TooManyRejects { count, rows: reject.row, max_count, kept });
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

    /// In some formats rows have no place among the bytes; then only the end of the file tells.
    fn count_bytes(&mut self, end: Position) {
        self.counters.bytes_read = self.counters.bytes_read.max(end.byte_offset);
    }

    /// Gives out everything before `end`.
    fn make_place(&mut self, end: Position) -> Result<(), ConvertError> {
        if self.records > 0 {
            return self.give_batch(end);
        }
        self.give_rejects()?;
        self.count_bytes(end);
        self.since = end.row + 1;
        (self.emit)(Output::Mark(Mark { end, counters: self.counters }))?;
        Ok(())
    }

    /// Gives out the batch, after the rejects that lie before its end.
    fn give_batch(&mut self, end: Position) -> Result<(), ConvertError> {
        self.give_rejects()?;
        self.counters.batches += 1;
        self.count_bytes(end);
        self.since = end.row + 1;
        let batch = Batch {
            number: self.counters.batches,
            part: self.part.clone(),
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
