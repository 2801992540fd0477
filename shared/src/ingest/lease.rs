//! Holding an entry of the ledger while the work on it goes on.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::ledger::state::{self, Rules};
use crate::ledger::{Entry, EntryKey, Ledger, LedgerError, PutError, State, Stored};

/// A claimed entry. Dropping it does not give it back: then the lease ends by itself.
pub(super) struct Lease {
    pub(super) key: EntryKey,
    pub(super) rules: Rules,
    pub(super) owner: String,
    pub(super) epoch: u64,
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    stored: Mutex<Stored>,
}

/// The entry cannot be written any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    /// Another worker has it.
    #[error("another worker took the entry over")]
    Taken,
    /// The ledger did not answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Lease {
    pub(super) fn new(
        ledger: Arc<dyn Ledger>,
        clock: Arc<dyn Clock>,
        key: EntryKey,
        rules: Rules,
        owner: &str,
        stored: Stored,
    ) -> Self {
        let epoch = stored.entry.epoch;
        let owner = owner.to_owned();
        Self { key, rules, owner, epoch, ledger, clock, stored: Mutex::new(stored) }
    }

    /// Renews the lease for as long as it is polled; returns when the entry is lost. A ledger that
    /// does not answer costs the entry only when the lease has run out.
    pub(super) async fn keep(&self) {
        let whole = Duration::try_from(self.rules.lease).unwrap_or(Duration::from_secs(60));
        loop {
            tokio::time::sleep(whole / 3).await;
            let renewed = self
                .write(|entry, now| state::renew(entry, &self.owner, self.epoch, &self.rules, now))
                .await;
            match renewed {
                Ok(()) => {}
                Err(Lost::Taken) => return,
                Err(Lost::Ledger(error)) => {
                    tracing::warn!(entry = %self.key, %error, "the lease was not renewed");
                    if self.ended().await {
                        return;
                    }
                }
            }
        }
    }

    /// Whether the lease has run out by this machine's clock.
    async fn ended(&self) -> bool {
        match &self.stored.lock().await.entry.state {
            State::Running { until, .. } => *until <= self.clock.now(),
            _ => true,
        }
    }

    /// Writes what `change` makes of the entry, if it is still ours.
    pub(super) async fn write<F>(&self, change: F) -> Result<(), Lost>
    where
        F: Fn(&Entry, Timestamp) -> Option<Entry> + Send + Sync,
    {
        let mut stored = self.stored.lock().await;
        loop {
            let next = change(&stored.entry, self.clock.now()).ok_or(Lost::Taken)?;
            match self.ledger.put_if(&self.key, stored.version, &next).await {
                Ok(version) => {
                    *stored = Stored { entry: next, version };
                    return Ok(());
                }
                Err(PutError::Ledger(error)) => return Err(error.into()),
                // Somebody wrote. If it was a takeover, `change` sees that the entry is not ours.
                Err(PutError::Conflict) => {
                    *stored = self.ledger.get(&self.key).await?.ok_or(Lost::Taken)?;
                }
            }
        }
    }
}
