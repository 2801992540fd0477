//! What cannot be read, why, and what to do about it.

use crate::failure::{Disposition, Failure};

/// A message, or one record of it, that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct Malformed {
    /// Why it cannot be read.
    pub cause: Cause,
    /// The text that cannot be read, exactly as it came: the whole body, or the one record. Either
    /// is a body that [`read`](super::read) takes.
    pub raw: String,
}

impl From<&Malformed> for Failure {
    fn from(malformed: &Malformed) -> Self {
        let Malformed { cause, .. } = malformed;
        Self::new(cause.code(), cause.to_string(), cause.remedy(), Disposition::DeadLetter)
    }
}

/// Why a message cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// The text is no JSON.
    #[error("the message is no JSON: {0}")]
    NotJson(String),
    /// JSON that is no event that Inlet knows.
    #[error("the message has no known shape: {0}")]
    UnknownShape(String),
    /// Envelopes within envelopes, beyond the bound.
    #[error("the message lies in more than {0} envelopes")]
    TooDeep(u8),
    /// A form of a known event that Inlet is too old, or too new, for.
    #[error("the version {0} is not one that this Inlet reads")]
    UnsupportedVersion(String),
    /// An S3 event of a type that Inlet does not know.
    #[error("the type of event {0} is not known")]
    UnknownEvent(String),
    /// A record, or an event, of something that is not S3.
    #[error("the event comes from {0}, not from S3")]
    NotFromS3(String),
    /// A field without which the event says nothing.
    #[error("the event has no {0}")]
    Missing(&'static str),
    /// A field has another type than it should.
    #[error("the {what} cannot be read: {error}")]
    Unreadable {
        /// What cannot be read.
        what: &'static str,
        /// What the parser says.
        error: String,
    },
    /// The key is no UTF-8 once it is decoded.
    #[error("the key {0} is no UTF-8 once it is decoded")]
    KeyNotUtf8(String),
    /// SNS asks for the confirmation of a subscription.
    #[error("the subscription of the queue to the topic {0} waits for its confirmation")]
    Unconfirmed(String),
}

impl Cause {
    /// The stable word for the cause.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotJson(_) => "not_json",
            Self::UnknownShape(_) => "unknown_shape",
            Self::TooDeep(_) => "nested_too_deep",
            Self::UnsupportedVersion(_) => "unsupported_version",
            Self::UnknownEvent(_) => "unknown_event",
            Self::NotFromS3(_) => "not_from_s3",
            Self::Missing(_) => "missing_field",
            Self::Unreadable { .. } => "unreadable_field",
            Self::KeyNotUtf8(_) => "key_not_utf8",
            Self::Unconfirmed(_) => "subscription_unconfirmed",
        }
    }

    /// What the reader can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NotJson(_) | Self::UnknownShape(_) | Self::TooDeep(_) => {
                "Send S3 event notifications to the queue, directly, through SNS or through EventBridge, and stop what else writes there"
            }
            Self::UnsupportedVersion(_) => {
                "Deploy an Inlet that reads this version, then replay the message"
            }
            Self::UnknownEvent(_) => {
                "Take this type of event out of the bucket's notifications; if it stands for new or removed content, refresh the source"
            }
            Self::NotFromS3(_) => {
                "Take the queue off what sends these events, or give them a queue of their own"
            }
            Self::Missing(_) | Self::Unreadable { .. } => {
                "Correct what wrote the event; a refresh of the source finds the object meanwhile"
            }
            Self::KeyNotUtf8(_) => {
                "Rename the object, or correct what wrote the event: keys are UTF-8, form-encoded"
            }
            Self::Unconfirmed(_) => {
                "Open the SubscribeURL of the message, or subscribe the queue from its own account; until then no event comes this way"
            }
        }
    }

    /// Text of a message, short enough to stand in an error.
    pub(super) fn quote(text: &str) -> String {
        const LONGEST: usize = 120;
        let mut quoted: String = text.chars().take(LONGEST).collect();
        if quoted.len() < text.len() {
            quoted.push('…');
        }
        format!("{quoted:?}")
    }

    /// A part that serde refuses.
    pub(super) fn unreadable(what: &'static str, error: &serde_json::Error) -> Self {
        // The error may quote a value of the message, at any length.
        Self::Unreadable { what, error: Self::quote(&error.to_string()) }
    }
}
