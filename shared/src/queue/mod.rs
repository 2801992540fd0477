//! **queue**: messages on their way to the notice room, and those that will go no further.
//!
//! Promises: a message that was sent is received at least once; one that is not acknowledged comes
//! back when its visibility ends; a dead letter stays until somebody takes it. Never: the queue reads
//! no message and decides nothing about one.

#[cfg(feature = "local")]
pub mod sqlite;
#[cfg(feature = "aws")]
pub mod sqs;

use std::time::Duration;

use async_trait::async_trait;

use crate::failure::{Disposition, Failure};
use crate::notice::{DeadLetter, Order};

/// One received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The queue's name for the message, the same each time it is received.
    pub id: String,
    /// What acknowledges or extends this receipt of it.
    pub receipt: String,
    /// What it says.
    pub body: String,
    /// How often it was received, this time included.
    pub receives: u32,
}

/// The queue of notices, with its dead letters.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Sends orders; each is received after `delay` at the earliest (at most fifteen minutes).
    /// After an error some may have been sent.
    async fn order(&self, orders: &[Order], delay: Duration) -> Result<(), QueueError>;

    /// Puts a message aside for people, with the cause.
    async fn bury(&self, letter: &DeadLetter) -> Result<(), QueueError>;

    /// Hides received messages for `visibility` from now on. Those that are no longer ours (they were
    /// acknowledged, or received again by another) are passed over.
    async fn extend(&self, messages: &[Message], visibility: Duration) -> Result<(), QueueError>;

    /// Removes a received message, before the whole batch that it came in is answered. One that is no
    /// longer ours is passed over.
    async fn acknowledge(&self, message: &Message) -> Result<(), QueueError>;

    /// How long a message whose work failed for the moment stays away after that many receives.
    fn backoff(&self, receives: u32) -> Duration {
        Duration::from_secs(2_u64.saturating_pow(receives).min(60))
    }
}

/// The queue could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("the queue {queue} could not {action}: {cause}")]
pub struct QueueError {
    /// Which queue.
    pub queue: String,
    /// What was tried.
    pub action: &'static str,
    /// What it said.
    pub cause: String,
}

impl From<&QueueError> for Failure {
    fn from(error: &QueueError) -> Failure {
        Failure::new(
            "queue_unavailable",
            error.to_string(),
            "It is tried again by itself; if it lasts, look at the queue and at the role's permissions",
            Disposition::Retry,
        )
    }
}
