//! Dead letters: what could not be done, why, and the message that asked for it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::json::{self, Members};
use super::malformed::Cause;
use crate::failure::Failure;
use crate::object::ObjectId;

/// The `type` of a dead letter.
pub(super) const TYPE: &str = "inlet.dead_letter.v1";

/// Bytes of a message that a dead letter keeps: twice what S3 and SNS send at most. A queue takes 1 MiB,
/// and escaping may make six bytes of one.
const MAX_BODY: usize = 150_000;

/// A message in the dead letters. [`read`](super::read) takes it for the message that it keeps, so
/// that the queue's own redrive sends it again without any tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "inlet.dead_letter.v1")]
pub struct DeadLetter {
    /// Why the work ended.
    pub cause: Failure,
    /// The object, if the message could be read so far.
    #[serde(default)]
    pub object: Option<ObjectId>,
    /// The source whose work ended.
    #[serde(default)]
    pub source: Option<String>,
    /// How often it was tried.
    #[serde(default)]
    pub attempts: u32,
    /// The message's id in its queue.
    #[serde(default)]
    pub message_id: Option<String>,
    /// When it was given up.
    pub time: Timestamp,
    /// The message, exactly as it came.
    pub body: String,
}

impl DeadLetter {
    /// A dead letter with this body. If the body is a dead letter itself, one that was sent again
    /// and failed again, the message in it is kept in its place: envelopes do not pile up.
    pub fn new(cause: Failure, time: Timestamp, body: &str) -> Self {
        let kept = json::check(body).ok().and_then(|()| Members::of(body)).and_then(|members| {
            (members.string("type").as_deref() == Some(TYPE)).then(|| members.string("body"))?
        });
        let mut body = kept.unwrap_or_else(|| body.to_owned());
        let mut cause = cause;
        if body.len() > MAX_BODY {
            let end = body.floor_char_boundary(MAX_BODY);
            body.truncate(end);
            cause.message.push_str(" (the message is cut: it was too large for a dead letter)");
        }
        Self { cause, object: None, source: None, attempts: 0, message_id: None, time, body }
    }

    /// The dead letter as the body of a message.
    pub fn to_body(&self) -> String {
        serde_json::to_string(self).expect("texts, numbers and times are always JSON")
    }
}

/// The message that a dead letter keeps. The rest of the letter is not looked at, so that a letter
/// of any Inlet of this version can be sent again.
pub(super) fn body(letter: &Members<'_>) -> Result<String, Cause> {
    letter.string("body").ok_or(Cause::Missing("body"))
}
