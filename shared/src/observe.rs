//! **observe**: what happens, as values. One [`Happening`] for everything that an operator or a person
//! at a terminal may want to know; whoever watches decides how to show it.
//!
//! Never: a happening carries no content of a file and no secret.

use crate::failure::Failure;
use crate::format::Drift;
use crate::ledger::state::Why;
use crate::notice::Ignored;
use crate::object::ObjectId;
use crate::record::Counters;

/// Something that happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Happening<'a> {
    /// A notice asks for nothing.
    Ignored {
        /// The message's id.
        message: &'a str,
        /// Why, and about which object.
        ignored: &'a Ignored,
    },
    /// No source takes the object.
    Unmatched {
        /// Which object.
        object: &'a ObjectId,
    },
    /// The ledger says that nothing is to be done.
    Settled {
        /// The source.
        source: &'a str,
        /// The object.
        object: &'a ObjectId,
        /// Why.
        why: Why,
    },
    /// Another worker has the object; the notice comes back.
    Waiting {
        /// The source.
        source: &'a str,
        /// The object.
        object: &'a ObjectId,
    },
    /// An object was claimed and is read from now on.
    Started {
        /// The source.
        source: &'a str,
        /// The object.
        object: &'a ObjectId,
        /// Its bytes, as stored.
        size: Option<u64>,
    },
    /// Bytes of it were read.
    Progress {
        /// The source.
        source: &'a str,
        /// The object.
        object: &'a ObjectId,
        /// Bytes since the last time.
        bytes: u64,
    },
    /// The time was up before its end; it goes on in another invocation.
    Paused {
        /// The source.
        source: &'a str,
        /// The object.
        object: &'a ObjectId,
        /// Rows up to which downstream has everything.
        row: u64,
        /// How often the work on it was put down.
        pauses: u32,
    },
    /// All of it is downstream.
    Completed {
        /// The source.
        source: &'a str,
        /// The table.
        table: &'a str,
        /// The object.
        object: &'a ObjectId,
        /// What was in it.
        counters: &'a Counters,
        /// Where its rejects lie.
        rejects: &'a [String],
        /// What was different from the file before of its series.
        drift: &'a [Drift],
        /// What else people should know about how it was read.
        notes: &'a [String],
    },
    /// Its removal is downstream.
    Removed {
        /// The source.
        source: &'a str,
        /// The object.
        object: &'a ObjectId,
    },
    /// The work on it ended without success; `again`: it will be tried again.
    Failed {
        /// The source.
        source: &'a str,
        /// The object.
        object: &'a ObjectId,
        /// Why, and what to do.
        failure: &'a Failure,
        /// Whether it will be tried again by itself.
        again: bool,
    },
    /// A message or record was put into the dead letters.
    Buried {
        /// The message's id.
        message: &'a str,
        /// Why.
        failure: &'a Failure,
    },
    /// A message goes back into the queue although no object is at fault.
    Returned {
        /// The message's id.
        message: &'a str,
        /// Why.
        failure: &'a Failure,
    },
}

/// Somebody who watches.
pub trait Observer: Send + Sync {
    /// Called for each happening, in the order of one object's; must not block.
    fn see(&self, happening: &Happening<'_>);
}

/// Writes each happening as one structured log line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log;

impl Observer for Log {
    fn see(&self, happening: &Happening<'_>) {
        match happening {
            Happening::Ignored { message, ignored } => match &ignored.event {
                Some(event) => {
                    tracing::info!(message_id = message, object = %event.object, reason = %ignored.reason, "ignored");
                }
                None => tracing::info!(message_id = message, reason = %ignored.reason, "ignored"),
            },
            Happening::Unmatched { object } => {
                tracing::info!(object = %object, "no source takes it");
            }
            Happening::Settled { source, object, why } => {
                tracing::info!(source, object = %object, why = why.as_str(), "nothing to do");
            }
            Happening::Waiting { source, object } => {
                tracing::info!(source, object = %object, "another worker has it");
            }
            Happening::Started { source, object, size } => {
                tracing::info!(source, object = %object, size, "started");
            }
            Happening::Progress { .. } => {}
            Happening::Paused { source, object, row, pauses } => {
                tracing::info!(source, object = %object, row, pauses, "goes on later");
            }
            Happening::Completed { source, table, object, counters, rejects, drift, notes } => {
                tracing::info!(
                    source,
                    table,
                    object = %object,
                    rows = counters.rows,
                    records = counters.records,
                    rejects = counters.rejects,
                    skipped = counters.skipped,
                    batches = counters.batches,
                    rejects_at = rejects.join(" "),
                    notes = notes.join("; "),
                    "completed"
                );
                for change in *drift {
                    tracing::warn!(source, table, object = %object, %change, "drift");
                }
            }
            Happening::Removed { source, object } => {
                tracing::info!(source, object = %object, "removed");
            }
            Happening::Failed { source, object, failure, again } => {
                tracing::warn!(
                    source,
                    object = %object,
                    code = failure.code,
                    cause = failure.message,
                    remedy = failure.remedy,
                    again,
                    "failed"
                );
            }
            Happening::Buried { message, failure } => {
                tracing::warn!(
                    message_id = message,
                    code = failure.code,
                    cause = failure.message,
                    "dead letter"
                );
            }
            Happening::Returned { message, failure } => {
                tracing::warn!(
                    message_id = message,
                    code = failure.code,
                    cause = failure.message,
                    "back to the queue"
                );
            }
        }
    }
}
