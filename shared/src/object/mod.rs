//! **object**: the bytes of one version of one object, as a stream.
//!
//! Promises: a read is pinned to one version (by version id, else by `If-Match`), so that no two
//! bytes of it come from different versions; bytes arrive in bounded chunks, and nothing holds a
//! whole object. Never: this room never writes into, or deletes from, a bucket that it reads.

mod version;

#[cfg(feature = "local")]
pub mod directory;
#[cfg(feature = "aws")]
pub mod s3;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;

pub use version::{ETag, ObjectId, ObjectVersion, Sequencer};

use crate::catalog::Connection;
use crate::failure::{Disposition, Failure};

/// Which version to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pin {
    /// This version, current or not.
    Version(String),
    /// The current version, if it has this tag.
    Match(ETag),
    /// The current version, whichever it is.
    Current,
}

/// The storage of objects.
#[async_trait]
pub trait Objects: Send + Sync {
    /// Opens one version. All of the body comes from the version that the answer names, or the
    /// body ends with an error.
    async fn open(
        &self,
        connection: &Connection,
        object: &ObjectId,
        pin: &Pin,
    ) -> Result<Opened, ObjectError>;

    /// One page of the keys of `bucket` that begin with `prefix` and come after `after`, in byte
    /// order. An empty page is the end.
    async fn list(
        &self,
        connection: &Connection,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Vec<Listed>, ObjectError>;
}

/// One line of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The key.
    pub key: String,
    /// The current version's tag.
    pub etag: ETag,
    /// Bytes.
    pub size: u64,
    /// When the current version was written.
    pub last_modified: Option<Timestamp>,
}

/// An open object.
pub struct Opened {
    /// The version that the body is of.
    pub version: ObjectVersion,
    /// Its bytes.
    pub body: Box<dyn Body>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("version", &self.version).finish_non_exhaustive()
    }
}

/// A stream of bytes.
#[async_trait]
pub trait Body: Send {
    /// The next bytes (at most a few hundred KiB), or `None` after the last one. An early end is an
    /// error, never an end.
    async fn next(&mut self) -> Result<Option<Bytes>, ObjectError>;

    /// Goes to another place of the same version, in bytes from its beginning.
    async fn seek(&mut self, offset: u64) -> Result<(), ObjectError>;
}

/// What went wrong with an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{object} {kind}")]
pub struct ObjectError {
    /// Which object; for a listing, the bucket with the prefix as key.
    pub object: ObjectId,
    /// What it was.
    pub kind: ObjectErrorKind,
}

/// The outcomes that callers tell apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectErrorKind {
    /// No such object, or no such version.
    #[error("is not there")]
    Gone,
    /// The current version is another one than the pinned one.
    #[error("was overwritten by a newer version")]
    Changed,
    /// The credentials may not.
    #[error("could not be read: access denied ({0})")]
    Denied(String),
    /// In an archive class, and not restored.
    #[error("is archived in storage class {0} and has not been restored")]
    Archived(String),
    /// The bucket does not exist, or the request is wrong in itself.
    #[error("cannot be asked for: {0}")]
    Invalid(String),
    /// Throttled, timed out, or cut off: it may pass.
    #[error("could not be read for the moment: {0}")]
    Unavailable(String),
}

impl ObjectError {
    /// `kind` happened to `object`.
    pub fn new(object: &ObjectId, kind: ObjectErrorKind) -> Self {
        Self { object: object.clone(), kind }
    }
}

impl From<&ObjectError> for Failure {
    fn from(error: &ObjectError) -> Failure {
        let (code, remedy, disposition) = match &error.kind {
            ObjectErrorKind::Gone => (
                "gone",
                "Nothing is to be done, unless it was removed by mistake",
                Disposition::Retry,
            ),
            ObjectErrorKind::Changed => {
                ("changed", "The newer version is taken instead", Disposition::Retry)
            }
            ObjectErrorKind::Denied(_) => (
                "access_denied",
                "Grant s3:GetObject (and s3:GetObjectVersion in a versioned bucket) on the object, \
                 s3:ListBucket on its bucket, and kms:Decrypt if it has its own key; then `inlet replay`",
                Disposition::Park,
            ),
            ObjectErrorKind::Archived(_) => (
                "archived",
                "Restore the object; it is taken up when the restore is complete",
                Disposition::Park,
            ),
            ObjectErrorKind::Invalid(_) => (
                "invalid_request",
                "Check the bucket's name, region and endpoint in the source's connection",
                Disposition::Park,
            ),
            ObjectErrorKind::Unavailable(_) => {
                ("object_unavailable", "It is tried again by itself", Disposition::Retry)
            }
        };
        Failure::new(code, error.to_string(), remedy, disposition)
    }
}
