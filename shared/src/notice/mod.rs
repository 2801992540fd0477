//! **notice**: what does one message of the queue say?
//!
//! [`read`] takes the body of one message, in any of the forms in which S3's events arrive, and
//! gives what it says in one vocabulary:
//!
//! | form | where it is read |
//! |---|---|
//! | S3's own (`Records[]`), also from other stores, also SNS with raw delivery | `s3` |
//! | EventBridge | `eventbridge` |
//! | SNS around it, SNS or SQS as Lambda shows them (`Records[].Sns`, `Records[].body`) | `envelope` |
//! | Inlet's own work orders ([`Order`]) and dead letters ([`DeadLetter`]) | `order`, `dead_letter` |
//!
//! Promises: a record that cannot be read leaves its siblings as they are; only what is known to be
//! harmless is ignored, and everything else that cannot be read is [`Malformed`], with its cause and
//! a remedy; the raw text of a malformed record is itself a body that [`read`] takes, so that what
//! lies in the dead letters can be sent again. The work is linear in the body's length, and nesting
//! is bounded. Never: this room asks no store, knows no source, and panics on no input.

mod dead_letter;
mod envelope;
mod eventbridge;
mod json;
mod key;
mod malformed;
mod order;
mod s3;
pub mod subscription;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::object::{ETag, ObjectId, Sequencer};

pub use dead_letter::DeadLetter;
pub use malformed::{Cause, Malformed};
pub use order::{Order, OrderReason};

/// Reads one message body. A body of several records gives several notices, in the order of the
/// body, and each of them stands alone.
///
/// # Errors
/// The body as a whole says nothing that can be read: it is no JSON, has no known shape, or its one
/// event cannot be read.
pub fn read(body: &str) -> Result<Vec<Notice>, Malformed> {
    envelope::body(body).map_err(|cause| Malformed { cause, raw: body.to_owned() })
}

/// What one record of a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The store says that an object changed.
    Object(ObjectNotice),
    /// Inlet's own work order: look at the object as it is now.
    Look(Order),
    /// Nothing to do, and why.
    Ignored(Ignored),
    /// One record among others that cannot be read.
    Malformed(Malformed),
}

impl Notice {
    /// The object that the notice names, if it names one.
    pub fn object(&self) -> Option<&ObjectId> {
        match self {
            Self::Object(notice) => Some(&notice.event.object),
            Self::Look(order) => Some(&order.object),
            Self::Ignored(ignored) => ignored.event.as_ref().map(|event| &event.object),
            Self::Malformed(_) => None,
        }
    }
}

/// An event at an object, as the store tells it. All but the object and the name is optional,
/// because removals and other stores leave it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The object.
    pub object: ObjectId,
    /// The event's name as S3 writes it, without `s3:`, such as `ObjectCreated:Put`; that of an
    /// EventBridge event is translated.
    pub name: String,
    /// The version that was created, removed or restored, or that of the delete marker. `None`: the
    /// event names none, as in a bucket without versioning. The text `null` is kept: it is the real
    /// id of what is written while versioning is suspended, and reads accept it. It alone pins
    /// nothing, because the next such write replaces the content under the same id: hold on to the
    /// entity tag too
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/AddingObjectstoVersionSuspendedBuckets.html>).
    #[serde(default)]
    pub version_id: Option<String>,
    /// The entity tag.
    #[serde(default)]
    pub etag: Option<ETag>,
    /// Bytes.
    #[serde(default)]
    pub size: Option<u64>,
    /// Orders the events of this key.
    #[serde(default)]
    pub sequencer: Option<Sequencer>,
    /// When it happened; for people, never for ordering.
    #[serde(default)]
    pub time: Option<Timestamp>,
}

/// An object changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectNotice {
    /// What the store tells.
    pub event: Event,
    /// What it means for the object's content.
    pub change: Change,
}

/// What an event means for the content that readers of the key see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// There is new content.
    Created,
    /// Content was removed.
    Removed {
        /// `true`: a delete marker was put on top, and the key reads as absent. `false` with a
        /// version id: that version was destroyed for ever, and others may remain, so that the key
        /// may still have content, even older one. `false` without: the one content of the key is
        /// gone.
        marker: bool,
    },
    /// An archived object can be read now.
    Restored,
}

/// Nothing is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// Why.
    pub reason: IgnoreReason,
    /// The event, if it named an object.
    pub event: Option<Event>,
}

/// Why there is nothing to do. A closed list: what is not on it is malformed, because to ignore the
/// unknown is to lose things silently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IgnoreReason {
    /// The message with which S3 tries a new notification configuration.
    TestEvent,
    /// A body with an empty list of records.
    NoRecords,
    /// An event that changes no content: tags, access lists, storage classes, replication.
    NoContentChange,
    /// An empty object whose key ends in `/`: the mark of a folder.
    Folder,
    /// An event of an AWS service that is not S3, which the text names.
    OtherService(String),
    /// SNS says that the queue was taken off a topic.
    Unsubscribed,
}

impl fmt::Display for IgnoreReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TestEvent => f.write_str("the test event of a notification configuration"),
            Self::NoRecords => f.write_str("the list of records is empty"),
            Self::NoContentChange => f.write_str("this type of event changes no content"),
            Self::Folder => f.write_str("an empty object that marks a folder"),
            Self::OtherService(name) => write!(f, "an event of {name}, not of S3"),
            Self::Unsubscribed => f.write_str("the queue was taken off an SNS topic"),
        }
    }
}

impl Notice {
    /// Nothing to do, and no object named.
    fn ignored(reason: IgnoreReason) -> Self {
        Self::Ignored(Ignored { reason, event: None })
    }

    /// The notice of an event with this effect; `None`: no content changed.
    fn of(event: Event, change: Option<Change>) -> Self {
        let reason = match change {
            None => IgnoreReason::NoContentChange,
            // Consoles and tools mark a folder with an empty object
            // (https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-folders.html). Its
            // removal is let through: the ledger, which never saw it, has nothing to remove.
            Some(Change::Created) if event.object.key.ends_with('/') && event.size == Some(0) => {
                IgnoreReason::Folder
            }
            Some(change) => return Self::Object(ObjectNotice { event, change }),
        };
        Self::Ignored(Ignored { reason, event: Some(event) })
    }
}

#[cfg(test)]
mod tests;
