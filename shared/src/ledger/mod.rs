//! **ledger**: what became of each object, for each source.
//!
//! One [`Entry`] for each pair of source and object, and one way to change it: compare and swap. All
//! decisions are pure functions of values in [`state`]; no adapter decides anything.
//!
//! Promises: two workers never hold the same entry; a worker that lost its lease can write no more;
//! an older event never undoes a newer one; a scan of a source sees every entry, in the byte order
//! of its keys (the order in which S3 lists), a page at a time. Never: the ledger holds no content of
//! an object but the names of its columns and no secret, and nothing of it expires by itself.

mod entry;
mod shapes;
pub mod state;

#[cfg(feature = "aws")]
pub mod dynamodb;
#[cfg(feature = "local")]
pub mod sqlite;

use async_trait::async_trait;

pub use entry::{Checkpoint, Completion, Entry, EntryKey, State, Work};
pub use shapes::Shapes;

use crate::failure::{Disposition, Failure};

/// Which write an entry is at; [`Version::NONE`] before the first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u64);

impl Version {
    /// There is no entry yet.
    pub const NONE: Version = Version(0);

    /// The version that a write over this one makes.
    pub fn next(self) -> Version {
        Version(self.0 + 1)
    }
}

/// An entry as it was read, with the version to compare at the next write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The entry.
    pub entry: Entry,
    /// Its version.
    pub version: Version,
}

/// The storage of entries.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// The entry as the last write left it (a strongly consistent read), or `None`.
    async fn get(&self, key: &EntryKey) -> Result<Option<Stored>, LedgerError>;

    /// Writes `entry` if the stored version is still `expected`, and answers its new version.
    ///
    /// `Ok` also when an earlier attempt of this very write took effect and only its answer was
    /// lost. [`PutError::Conflict`]: somebody else wrote; read again and decide again.
    async fn put_if(
        &self,
        key: &EntryKey,
        expected: Version,
        entry: &Entry,
    ) -> Result<Version, PutError>;

    /// The entries of one source in one bucket whose keys `range` takes, in the byte order of their
    /// keys. What is written while the scan goes on may or may not be seen.
    async fn scan(
        &self,
        source: &str,
        bucket: &str,
        range: Range<'_>,
    ) -> Result<Box<dyn Scan>, LedgerError>;
}

/// Which keys a scan takes; by default all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range<'a> {
    /// What they begin with.
    pub prefix: &'a str,
    /// A key that they come after, which need not be in the ledger.
    pub after: Option<&'a str>,
}

impl<'a> Range<'a> {
    /// Every key.
    pub const ALL: Range<'static> = Range { prefix: "", after: None };

    /// Where the keys of the range begin: behind this key, or with this one itself.
    pub fn start(&self) -> Start<'a> {
        match self.after {
            Some(after) if after >= self.prefix => Start::After(after),
            _ => Start::At(self.prefix),
        }
    }
}

/// Where a range begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start<'a> {
    /// Behind this key.
    After(&'a str),
    /// With this key.
    At(&'a str),
}

/// A scan under way. Holds a bounded number of entries at a time.
#[async_trait]
pub trait Scan: Send {
    /// The next entry with its object's key, or `None` at the end.
    async fn next(&mut self) -> Result<Option<(String, Entry)>, LedgerError>;
}

/// The ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the ledger {place} could not {action}: {cause}")]
pub struct LedgerError {
    /// Which table or file.
    pub place: String,
    /// What was tried, and on what.
    pub action: String,
    /// What the storage answered.
    pub cause: String,
}

impl From<&LedgerError> for Failure {
    fn from(error: &LedgerError) -> Failure {
        Failure::new(
            "ledger_unavailable",
            error.to_string(),
            "It is tried again by itself; if it lasts, look at the table's throttling and at the role's permissions",
            Disposition::Retry,
        )
    }
}

/// Why a write did not happen.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// The stored version is another one.
    #[error("somebody else wrote the entry first")]
    Conflict,
    /// The storage failed; whether the write took effect is unknown.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}
