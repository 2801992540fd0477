//! How far each refresh came, where a crash does not forget it.

use async_trait::async_trait;

use super::Progress;
use crate::ledger::{LedgerError, PutError, Version};

/// One [`Progress`] for each source. The storage is that of the ledger.
#[async_trait]
pub trait Journal: Send + Sync {
    /// The progress as the last write left it (a strongly consistent read), with the version to
    /// compare at the next write; `None`: the source was never refreshed.
    async fn read(&self, source: &str) -> Result<Option<(Progress, Version)>, LedgerError>;

    /// Writes `progress` if the stored version is still `expected`, and answers its new version.
    ///
    /// `Ok` also when an earlier attempt of this very write took effect and only its answer was
    /// lost. [`PutError::Conflict`]: somebody else wrote.
    async fn write_if(
        &self,
        source: &str,
        expected: Version,
        progress: &Progress,
    ) -> Result<Version, PutError>;
}
