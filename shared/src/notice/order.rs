//! Inlet's own work orders.

use serde::{Deserialize, Serialize};

use super::ObjectNotice;
use super::malformed::Cause;
use crate::object::{ETag, ObjectId};

/// The `type` of an order. A reader ignores members that it does not know; what would change the
/// meaning of those that it knows is another version.
pub(super) const TYPE: &str = "inlet.look.v1";

/// Look at an object as it is now, whatever was said about it before.
///
/// Refreshes, replays and the local watcher write orders, and so does a worker that has to wait for
/// another's lease: the message then goes back for the one source that waits, with the notice that
/// it was about, so that the event's place among the events of its key is not lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "inlet.look.v1")]
pub struct Order {
    /// The one source that is to look; `None`: every source that the object matches.
    #[serde(default)]
    pub source: Option<String>,
    /// The object, its key not encoded.
    #[serde(flatten)]
    pub object: ObjectId,
    /// Why the order was given.
    pub reason: OrderReason,
    /// Whether content that was completed already is to be delivered again.
    #[serde(default)]
    pub force: bool,
    /// Whether to take up again what was parked or given up; what is done stays as it is.
    #[serde(default)]
    pub unpark: bool,
    /// The content of which the order's author knew, if it knew one: that of a listing.
    #[serde(default)]
    pub etag: Option<ETag>,
    /// How often the message was put back to wait for another worker's lease.
    #[serde(default)]
    pub waits: u32,
    /// The notice that waits, about the same object; `None`: nothing is known but the object.
    #[serde(default)]
    pub notice: Option<ObjectNotice>,
}

impl Order {
    /// An order for every source that the object matches.
    pub fn new(object: ObjectId, reason: OrderReason) -> Self {
        Self {
            source: None,
            object,
            reason,
            force: false,
            unpark: false,
            etag: None,
            waits: 0,
            notice: None,
        }
    }

    /// The order as the body of a message.
    pub fn to_body(&self) -> String {
        serde_json::to_string(self).expect("texts, numbers and flags are always JSON")
    }
}

/// Why an order was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderReason {
    /// A listing differs from the ledger.
    Refresh,
    /// Somebody wants it again.
    Replay,
    /// Work goes on: after a wait for a lease, or from a checkpoint.
    Again,
    /// The watcher of local directories saw a change.
    Watch,
}

/// Reads an order.
pub(super) fn read(text: &str) -> Result<Order, Cause> {
    let order: Order =
        serde_json::from_str(text).map_err(|error| Cause::unreadable("work order", &error))?;
    if order.object.bucket.is_empty() {
        return Err(Cause::Missing("bucket name"));
    }
    if order.object.key.is_empty() {
        return Err(Cause::Missing("object key"));
    }
    if order.notice.as_ref().is_some_and(|notice| notice.event.object != order.object) {
        let error = "its notice is about another object".to_owned();
        return Err(Cause::Unreadable { what: "work order", error });
    }
    Ok(order)
}
