//! The ledger's one value.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::format::{Detected, Drift, Expected, Position};
use crate::object::{ETag, ObjectId, ObjectVersion, Sequencer};
use crate::record::Counters;

/// Whose entry: a source and an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EntryKey {
    /// The source's key.
    pub source: String,
    /// The object.
    pub object: ObjectId,
}

impl EntryKey {
    /// The entry of `object` in `source`.
    pub fn new(source: impl Into<String>, object: ObjectId) -> Self {
        Self { source: source.into(), object }
    }

    /// The dedup key of one content of the object: `{connection}/{bucket}/{key}#etag={etag}`.
    pub fn dedup_key(&self, connection: &str, etag: &ETag) -> String {
        format!("{connection}/{}/{}#etag={etag}", self.object.bucket, self.object.key)
    }
}

impl fmt::Display for EntryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in source {}", self.object, self.source)
    }
}

/// What is known of one object in one source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Where the work on the newest known version stands.
    pub state: State,
    /// The newest known version; `None` if only a removal is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<ObjectVersion>,
    /// The greatest sequencer that is known to be no newer than `version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequencer: Option<Sequencer>,
    /// Whether `sequencer` is that of `version` itself. Not so when the version was found by looking
    /// at the bucket, which tells no sequencer: then an event with a greater one may still be older.
    #[serde(default)]
    pub sequencer_exact: bool,
    /// Raised by every claim; a write of an older epoch is refused.
    pub epoch: u64,
    /// Claims of this version that have not ended by themselves.
    pub attempts: u32,
    /// What the ids of records and batches begin with: a hash over the source's definition, the
    /// first version seen with this content and `generation`, so that every repeat has the same ids,
    /// and a content that comes back after another one has new ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The epoch in which `reference` was made: greater for all that is newer. Events carry it, so
    /// that a consumer can tell what a worker sends that had lost the entry without knowing.
    #[serde(default)]
    pub generation: u64,
    /// What the file was expected to be like when `reference` was made: kept with it, because
    /// a repeat under the same ids must read the same rows, whatever came in between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
    /// Where the work on this version stands, if it did not end in one invocation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Checkpoint>,
    /// The removal was begun: downstream may know of it, whatever the state says by now.
    #[serde(default)]
    pub removing: bool,
    /// The definition of the source under which the state was reached.
    pub fingerprint: String,
    /// The version that was completed last; survives until a removal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<Completion>,
    /// Each content that was ever completed, for `dedup = "ever"`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<ETag>,
    /// When the entry was written.
    pub updated: Timestamp,
}

impl Entry {
    /// What the ids of the events about it begin with. What was never opened has no reference yet;
    /// it can only fail, and that of one object must not pass for that of another.
    pub fn ids(&self, key: &EntryKey) -> String {
        self.reference.clone().unwrap_or_else(|| {
            let etag = self.version.as_ref().map_or("", |version| version.etag.as_str());
            let (object, epoch) = (&key.object, self.epoch.to_string());
            crate::hash::short(&[
                "unopened",
                &key.source,
                &object.bucket,
                &object.key,
                etag,
                &epoch,
            ])
        })
    }
}

/// A version that went downstream whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// Its content.
    pub etag: ETag,
    /// The definition under which it was read.
    pub fingerprint: String,
    /// When the last acknowledgement had come.
    pub at: Timestamp,
    /// What was in it.
    pub counters: Counters,
    /// Where its rejects lie, if there were any: one file for each invocation that had some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejects: Vec<String>,
    /// What was different from the file before of its series.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<Drift>,
    /// What else people should know about how it was read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A place in an object up to which downstream has everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The place.
    pub at: Position,
    /// What was counted up to there.
    pub counters: Counters,
    /// Where the rejects up to there lie.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejects: Vec<String>,
    /// How the file is read, so that reading can go on in its middle; `None`: that takes up too much
    /// room, and is found out again from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected: Option<Detected>,
    /// How often the work was put down so.
    pub pauses: u32,
}

/// Where the work on an object stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum State {
    /// To be tried again; nobody holds it.
    Waiting {
        /// Why the last attempt ended.
        failure: Failure,
    },
    /// A worker holds it.
    Running {
        /// Which worker.
        owner: String,
        /// Until when, unless it is renewed.
        until: Timestamp,
        /// What is being done.
        work: Work,
    },
    /// Downstream has all of it.
    Done,
    /// Left out on purpose.
    Skipped {
        /// Why.
        reason: String,
    },
    /// Not tried until something changes.
    Parked {
        /// Why, and what to do.
        failure: Failure,
    },
    /// Given up; the dead letters say so too.
    Failed {
        /// Why, and what to do.
        failure: Failure,
    },
    /// The object is gone, and downstream knows.
    Removed,
}

impl State {
    /// The state's name, as the command line and the table show it.
    pub fn name(&self) -> &'static str {
        match self {
            State::Waiting { .. } => "waiting",
            State::Running { .. } => "running",
            State::Done => "done",
            State::Skipped { .. } => "skipped",
            State::Parked { .. } => "parked",
            State::Failed { .. } => "failed",
            State::Removed => "removed",
        }
    }
}

/// What a claim is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Read the object and deliver its records.
    Ingest,
    /// Deliver the removal.
    Remove,
}
