//! **delivery**: events to destinations.
//!
//! Everything that goes downstream is a CloudEvent 1.0 in JSON ([`event`]). Promises: `send` answers
//! `Ok` only after the destination has acknowledged the event; an event that is sent again has the
//! id that it had before. Never: a delivery changes nothing in an event, and drops none.

pub mod event;

#[cfg(feature = "local")]
pub mod file;
#[cfg(feature = "aws")]
pub mod sqs;

use std::sync::Arc;

use async_trait::async_trait;

pub use event::{Event, EventKind, Subject};

use crate::catalog::Destination;
use crate::failure::{Disposition, Failure};

/// One destination.
#[async_trait]
pub trait Delivery: Send + Sync {
    /// Delivers one event. `Ok`: the destination has it. After an error it may have it all the same.
    async fn send(&self, event: &Event) -> Result<(), DeliveryError>;

    /// How many events of one object may be under way at a time.
    fn concurrency(&self) -> usize;
}

/// Finds the delivery for a destination that a source names.
pub trait Deliveries: Send + Sync {
    /// The delivery to `destination`, or why this home has none.
    fn to(&self, destination: &Destination) -> Result<Arc<dyn Delivery>, Failure>;
}

/// Bytes of an event that every destination takes. SQS takes 1 MiB
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>).
pub const MAX_EVENT_BYTES: usize = 1_000_000;

/// The destination did not acknowledge an event.
#[derive(Debug, thiserror::Error)]
#[error("{destination} did not take event {event}: {cause}")]
pub struct DeliveryError {
    /// Which destination.
    pub destination: String,
    /// The event's id.
    pub event: String,
    /// What it said.
    pub cause: String,
    /// Whether it may take the event later.
    pub passing: bool,
}

impl From<&DeliveryError> for Failure {
    fn from(error: &DeliveryError) -> Failure {
        if error.passing {
            Failure::new(
                "destination_unavailable",
                error.to_string(),
                "It is tried again by itself; if it lasts, check that the destination exists and that Inlet may send to it, then `inlet replay`",
                Disposition::Retry,
            )
        } else {
            Failure::new(
                "destination_refused",
                error.to_string(),
                "Check what the destination takes, then `inlet replay`; if it should take this, please report it",
                Disposition::DeadLetter,
            )
        }
    }
}
