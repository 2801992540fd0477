//! Bugs, planted at the ports: each makes the pipeline behave as if one line of it were wrong. They
//! show that the checker would notice.

use std::sync::Arc;

use async_trait::async_trait;
use inlet::catalog::Destination;
use inlet::delivery::{Deliveries, Delivery, DeliveryError, Event};
use inlet::failure::Failure;
use inlet::ledger::{Entry, EntryKey, Ledger, LedgerError, PutError, Scan, State, Stored, Version};
use inlet::record::Counters;

/// A planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A worker writes that it is done, whoever holds the entry by now.
    CompletionWithoutEpoch,
    /// An event counts as delivered before the destination has said so.
    DoneBeforeAcknowledged,
    /// The lesser sequencer counts as the newer one.
    SequencerReversed,
    /// A takeover keeps the lease of the worker that was lost.
    LeaseKeptAtTakeover,
    /// A content counts as seen as soon as it is claimed.
    SeenAtClaim,
    /// Work that goes on from a checkpoint counts from nothing.
    CountersForgotten,
    /// The consumer takes no notice of generations: no bug of the pipeline, but what shows that the
    /// rule is needed.
    GenerationIgnored,
}

/// A ledger with a bug in front of it.
pub(crate) struct BuggyLedger {
    pub(crate) inner: Arc<dyn Ledger>,
    pub(crate) bug: Bug,
}

#[async_trait]
impl Ledger for BuggyLedger {
    async fn get(&self, key: &EntryKey) -> Result<Option<Stored>, LedgerError> {
        self.inner.get(key).await
    }

    async fn put_if(
        &self,
        key: &EntryKey,
        expected: Version,
        entry: &Entry,
    ) -> Result<Version, PutError> {
        let (mut entry, mut expected) = (entry.clone(), expected);
        match self.bug {
            Bug::CompletionWithoutEpoch if entry.state == State::Done => {
                expected =
                    self.inner.get(key).await?.map_or(Version::NONE, |stored| stored.version);
            }
            Bug::LeaseKeptAtTakeover => {
                let before = self.inner.get(key).await?.map(|stored| stored.entry);
                if let Some(Entry { state: State::Running { until: old, .. }, epoch, .. }) = before
                    && let State::Running { until, .. } = &mut entry.state
                    && entry.epoch > epoch
                {
                    *until = old;
                }
            }
            Bug::CountersForgotten => {
                if let Some(checkpoint) = &mut entry.checkpoint {
                    checkpoint.counters = Counters::default();
                }
            }
            Bug::SeenAtClaim if matches!(entry.state, State::Running { .. }) => {
                entry.seen.extend(entry.version.iter().map(|version| version.etag.clone()));
            }
            _ => {}
        }
        self.inner.put_if(key, expected, &entry).await
    }

    async fn scan(&self, source: &str, bucket: &str) -> Result<Box<dyn Scan>, LedgerError> {
        self.inner.scan(source, bucket).await
    }
}

/// Destinations whose errors nobody hears.
pub(crate) struct DeafDeliveries(pub(crate) Arc<dyn Deliveries>);

impl Deliveries for DeafDeliveries {
    fn to(&self, destination: &Destination) -> Result<Arc<dyn Delivery>, Failure> {
        Ok(Arc::new(DeafDelivery(self.0.to(destination)?)))
    }
}

struct DeafDelivery(Arc<dyn Delivery>);

#[async_trait]
impl Delivery for DeafDelivery {
    async fn send(&self, event: &Event) -> Result<(), DeliveryError> {
        let _unheard = self.0.send(event).await;
        Ok(())
    }

    fn concurrency(&self) -> usize {
        self.0.concurrency()
    }
}
