//! **rejects**: where the rows lie that could not become records.
//!
//! One JSON Lines file for each object that had any (and for each invocation, if the work did not end
//! in one), named after the source, the reference of the version and the claim ([`name`]). Promises: a
//! file is
//! there whole or not at all; it is written as a stream. Never: a reject is written into the bucket
//! that it came from.

#[cfg(feature = "local")]
pub mod directory;
#[cfg(feature = "aws")]
pub mod s3;

use async_trait::async_trait;

use crate::failure::{Disposition, Failure};

/// The storage of rejects.
#[async_trait]
pub trait Rejects: Send + Sync {
    /// Begins the file `name`.
    async fn begin(&self, name: &str) -> Result<Box<dyn RejectWriter>, RejectsError>;
}

/// A file of rejects being written. Dropped before [`finish`](RejectWriter::finish), it leaves
/// nothing that a reader could take for whole.
#[async_trait]
pub trait RejectWriter: Send {
    /// Adds whole lines.
    async fn write(&mut self, lines: Vec<u8>) -> Result<(), RejectsError>;

    /// Makes the file visible and answers where it lies.
    async fn finish(self: Box<Self>) -> Result<String, RejectsError>;
}

/// The name of the file of one claim of one version of one object: what a worker writes that had lost
/// the object never takes the place of what its successor writes.
pub fn name(source: &str, reference: &str, epoch: u64) -> String {
    format!("rejects/{source}/{reference}-{epoch}.ndjson")
}

/// The rejects could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the rejects could not be written to {place}: {cause}")]
pub struct RejectsError {
    /// Where to.
    pub place: String,
    /// What the storage said.
    pub cause: String,
}

impl From<&RejectsError> for Failure {
    fn from(error: &RejectsError) -> Failure {
        Failure::new(
            "rejects_unavailable",
            error.to_string(),
            "It is tried again by itself; if it lasts, look at the place and its permissions",
            Disposition::Retry,
        )
    }
}
