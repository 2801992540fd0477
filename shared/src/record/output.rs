//! What a conversion is to do, and what comes out of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::reject::RejectContext;
use crate::catalog::RejectPolicy;
use crate::format::{Part, Position};

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
    /// The part of the file that all of its rows are in; `None`: the file is one.
    pub part: Option<Arc<Part>>,
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
