//! The events that go downstream: CloudEvents 1.0 in the JSON format
//! (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>).
//!
//! # What a consumer does
//!
//! Events come at least once, and those of one object may overtake each other. A consumer that holds
//! to these rules ends with what lies in the bucket, whatever crashed, was repeated or came late:
//!
//! 1. Of one object of one source (`source` and `subject`), an event with a lower
//!    `data.object.generation` than one that was seen is ignored. It comes from a worker that had
//!    lost the object, without knowing, to one that had gone on to something newer.
//! 2. An event with a `source` and `id` that were seen is ignored. The same id always has the same
//!    records, and the same generation.
//! 3. The records of a version count when its `completed` has come, and take the place of the records
//!    of the version before. All events of a version have ids with the same beginning, up to the
//!    first `-`. `removed` takes the records away. `failed` changes nothing: the version before
//!    stays.
//!
//! The first two may be applied in either order, so any queue or table that drops known ids does.
//!
//! They are written by hand and not through the `cloudevents-sdk` crate, because that holds `data` as a
//! tree of values, and the records of a batch are bytes already.

use jiff::Timestamp;
use serde::Serialize;

use crate::failure::Failure;
use crate::format::{Drift, Part};
use crate::ledger::Completion;
use crate::object::{ETag, ObjectId, ObjectVersion, Sequencer};
use crate::record::Counters;

/// What an event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// Some records of an object.
    Records,
    /// All records of an object were delivered before this.
    Completed,
    /// The object is gone.
    Removed,
    /// The object could not be ingested.
    Failed,
}

impl EventKind {
    /// The CloudEvents `type`.
    pub fn as_str(self) -> &'static str {
        match self {
            EventKind::Records => "inlet.records.v1",
            EventKind::Completed => "inlet.object.completed.v1",
            EventKind::Removed => "inlet.object.removed.v1",
            EventKind::Failed => "inlet.object.failed.v1",
        }
    }
}

/// One event, encoded.
#[derive(Clone, Debug)]
pub struct Event {
    /// What it tells.
    pub kind: EventKind,
    /// Unique to the event, the same whenever it is sent again.
    pub id: String,
    /// The source's key.
    pub source: String,
    /// The table.
    pub table: String,
    /// The whole event as JSON, without a line break.
    pub body: String,
}

/// What the events of one piece of work are about.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The source's key.
    pub source: String,
    /// The connection's key.
    pub connection: String,
    /// The table that the object belongs to.
    pub table: String,
    /// What a file means for its table: `snapshot` or `append`.
    pub mode: crate::catalog::Mode,
    /// The object.
    pub object: ObjectId,
    /// Its version, as far as known.
    pub version: Option<ObjectVersion>,
    /// The version's sequencer, if known.
    pub sequencer: Option<Sequencer>,
    /// What the ids begin with.
    pub reference: String,
    /// Greater for all that is newer, of one object in one source.
    pub generation: u64,
}

#[derive(Serialize)]
struct Envelope<'a, D> {
    specversion: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    source: String,
    id: &'a str,
    subject: String,
    time: Timestamp,
    datacontenttype: &'static str,
    data: D,
}

#[derive(Serialize)]
struct Object<'a> {
    connection: &'a str,
    bucket: &'a str,
    key: &'a str,
    version_id: Option<&'a str>,
    etag: Option<&'a ETag>,
    sequencer: Option<&'a str>,
    size: Option<u64>,
    last_modified: Option<Timestamp>,
    generation: u64,
}

#[derive(Serialize)]
struct Records<'a> {
    table: &'a str,
    mode: crate::catalog::Mode,
    object: Object<'a>,
    /// The member of the archive that the records are of.
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<&'a str>,
    /// The sheet of the workbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    sheet: Option<&'a str>,
    batch: u64,
    first_row: u64,
    records: [u8; 0],
}

#[derive(Serialize)]
struct Completed<'a> {
    table: &'a str,
    mode: crate::catalog::Mode,
    object: Object<'a>,
    #[serde(flatten)]
    counters: Counters,
    rejects_at: &'a [String],
    /// What was different from the file before of its series.
    #[serde(skip_serializing_if = "<[Drift]>::is_empty")]
    drift: &'a [Drift],
    /// What else people should know about how the file was read.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'a [String],
}

#[derive(Serialize)]
struct Removed<'a> {
    table: &'a str,
    mode: crate::catalog::Mode,
    object: Object<'a>,
}

#[derive(Serialize)]
struct Failed<'a> {
    table: &'a str,
    mode: crate::catalog::Mode,
    object: Object<'a>,
    failure: &'a Failure,
}

impl Subject {
    /// The same for a part of the object that is a table of its own.
    pub fn of_table(&self, table: String) -> Self {
        Self { table, ..self.clone() }
    }

    /// Some records of `part` of the object (`None`: it is one); `records` holds the objects of a JSON array, with commas and without brackets.
    ///
    /// # Errors
    /// Never in fact; encoding is fallible in type.
    pub fn records(
        &self,
        part: Option<&Part>,
        batch: u64,
        first_row: u64,
        records: &str,
        time: Timestamp,
    ) -> Result<Event, serde_json::Error> {
        let id = format!("{}-{batch}", self.reference);
        let data = Records {
            table: &self.table,
            mode: self.mode,
            object: self.object(),
            member: part.and_then(|part| part.member.as_deref()),
            sheet: part.and_then(|part| part.sheet.as_deref()),
            batch,
            first_row,
            records: [],
        };
        let mut event = self.event(EventKind::Records, id, time, data)?;
        // The records are JSON already. They are the last member of the last member, so they go in
        // before the closing brackets, and are copied once and parsed never.
        debug_assert!(event.body.ends_with("\"records\":[]}}"));
        event.body.truncate(event.body.len() - "]}}".len());
        event.body.reserve(records.len() + "]}}".len());
        event.body.push_str(records);
        event.body.push_str("]}}");
        Ok(event)
    }

    /// All of the object was delivered.
    ///
    /// # Errors
    /// Never in fact; encoding is fallible in type.
    pub fn completed(
        &self,
        done: &Completion,
        time: Timestamp,
    ) -> Result<Event, serde_json::Error> {
        let id = format!("{}-completed", self.reference);
        let data = Completed {
            table: &self.table,
            mode: self.mode,
            object: self.object(),
            counters: done.counters,
            rejects_at: &done.rejects,
            drift: &done.drift,
            notes: &done.notes,
        };
        self.event(EventKind::Completed, id, time, data)
    }

    /// The object is gone.
    ///
    /// # Errors
    /// Never in fact; encoding is fallible in type.
    pub fn removed(&self, time: Timestamp) -> Result<Event, serde_json::Error> {
        let id = format!("{}-removed", self.reference);
        let data = Removed { table: &self.table, mode: self.mode, object: self.object() };
        self.event(EventKind::Removed, id, time, data)
    }

    /// The object could not be ingested. `epoch` tells one failure of a version from the next.
    ///
    /// # Errors
    /// Never in fact; encoding is fallible in type.
    pub fn failed(
        &self,
        failure: &Failure,
        epoch: u64,
        time: Timestamp,
    ) -> Result<Event, serde_json::Error> {
        let id = format!("{}-failed-{epoch}", self.reference);
        let data = Failed { table: &self.table, mode: self.mode, object: self.object(), failure };
        self.event(EventKind::Failed, id, time, data)
    }

    fn object(&self) -> Object<'_> {
        let version = self.version.as_ref();
        Object {
            connection: &self.connection,
            bucket: &self.object.bucket,
            key: &self.object.key,
            version_id: version.and_then(|v| v.version_id.as_deref()),
            etag: version.map(|v| &v.etag),
            sequencer: self.sequencer.as_ref().map(Sequencer::as_str),
            size: version.and_then(|v| v.size),
            last_modified: version.and_then(|v| v.last_modified),
            generation: self.generation,
        }
    }

    fn event<D: Serialize>(
        &self,
        kind: EventKind,
        id: String,
        time: Timestamp,
        data: D,
    ) -> Result<Event, serde_json::Error> {
        let envelope = Envelope {
            specversion: "1.0",
            kind: kind.as_str(),
            source: format!("/inlet/{}", self.source),
            id: &id,
            subject: format!("{}/{}", self.object.bucket, self.object.key),
            time,
            datacontenttype: "application/json",
            data,
        };
        let body = serde_json::to_string(&envelope)?;
        Ok(Event { kind, source: self.source.clone(), table: self.table.clone(), body, id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Mode;

    fn subject() -> Subject {
        Subject {
            source: "deals".into(),
            connection: "acme".into(),
            table: "deals".into(),
            mode: Mode::Snapshot,
            object: ObjectId::new("acme-drop", "daily/ü \"x\".csv"),
            version: None,
            sequencer: Some(Sequencer::new("0A")),
            reference: "r".into(),
            generation: 1,
        }
    }

    #[test]
    fn a_batch_is_a_cloud_event() {
        let records = r#"{"op":"upsert","row":1},{"op":"upsert","row":2}"#;
        let event = subject().records(None, 3, 2001, records, Timestamp::UNIX_EPOCH).unwrap();
        let json: serde_json::Value = serde_json::from_str(&event.body).unwrap();
        assert_eq!(json["specversion"], "1.0");
        assert_eq!(json["type"], "inlet.records.v1");
        assert_eq!(json["source"], "/inlet/deals");
        assert_eq!(json["id"], "r-3");
        assert_eq!(json["subject"], "acme-drop/daily/ü \"x\".csv");
        assert_eq!(json["data"]["records"][1]["row"], 2);
        assert_eq!(json["data"]["first_row"], 2001);
        assert!(!event.body.contains('\n'));
    }
}
