//! How the last file of each series was written, for the one that comes next.

use async_trait::async_trait;

use super::LedgerError;
use crate::format::Shape;

/// One [`Shape`] for each series of files of a source
/// ([`Source::series`](crate::catalog::Source::series)). The storage is that of the ledger, but nothing hangs on
/// it: who writes last is remembered, and what is lost is written again by the next file.
#[async_trait]
pub trait Shapes: Send + Sync {
    /// The shape that was kept last; `None`: no file of the series was completed yet.
    async fn last(&self, source: &str, series: &str) -> Result<Option<Shape>, LedgerError>;

    /// Keeps `shape` in place of what was kept before.
    async fn keep(&self, source: &str, series: &str, shape: &Shape) -> Result<(), LedgerError>;
}
