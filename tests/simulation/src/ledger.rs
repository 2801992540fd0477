//! A ledger in memory, which remembers every write, the journal of the refreshes, and the shapes.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::ops::Bound;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use inlet::format::Shape;
use inlet::ledger::{
    Entry, EntryKey, Ledger, LedgerError, PutError, Range, Scan, Shapes, Start, State, Stored,
    Version,
};
use inlet::refresh::{Journal, Progress};
use jiff::Timestamp;

use crate::life::Life;
use crate::world::lock;

/// Entries that a scan holds at a time.
const PAGE: usize = 3;

/// The table.
#[derive(Default)]
pub struct LedgerStore {
    entries: Mutex<BTreeMap<(String, String, String), Stored>>,
    writes: Mutex<Vec<Write>>,
    refreshes: Mutex<BTreeMap<String, (Progress, Version)>>,
    shapes: Mutex<BTreeMap<(String, String), Shape>>,
}

/// One write that took effect.
#[derive(Clone, Debug)]
pub struct Write {
    /// When, truly.
    pub at: Timestamp,
    /// Which worker.
    pub by: String,
    /// Of which entry.
    pub key: EntryKey,
    /// What was there.
    pub before: Option<Entry>,
    /// What is there since.
    pub after: Entry,
}

impl LedgerStore {
    /// The entry as it is.
    pub fn entry(&self, source: &str, bucket: &str, key: &str) -> Option<Entry> {
        let at = (source.to_owned(), bucket.to_owned(), key.to_owned());
        lock(&self.entries).get(&at).map(|stored| stored.entry.clone())
    }

    /// All writes, in their order.
    pub fn writes(&self) -> Vec<Write> {
        lock(&self.writes).clone()
    }

    fn put(
        &self,
        at: Timestamp,
        by: &str,
        key: &EntryKey,
        expected: Version,
        entry: &Entry,
    ) -> Result<Version, PutError> {
        let mut entries = lock(&self.entries);
        let place = place(key);
        let before = entries.get(&place);
        if before.map_or(Version::NONE, |stored| stored.version) != expected {
            return Err(PutError::Conflict);
        }
        let before = before.map(|stored| stored.entry.clone());
        let (key, by, after) = (key.clone(), by.to_owned(), entry.clone());
        lock(&self.writes).push(Write { at, by, key, before, after });
        entries.insert(place, Stored { entry: entry.clone(), version: expected.next() });
        Ok(expected.next())
    }
}

fn place(key: &EntryKey) -> (String, String, String) {
    (key.source.clone(), key.object.bucket.clone(), key.object.key.clone())
}

/// The table as one worker reaches it.
#[derive(Clone)]
pub struct SimLedger {
    store: Arc<LedgerStore>,
    life: Arc<Life>,
}

impl SimLedger {
    /// `store` as `life` reaches it.
    pub fn new(store: Arc<LedgerStore>, life: Arc<Life>) -> Self {
        Self { store, life }
    }
}

fn unavailable(action: &str) -> impl FnOnce(&'static str) -> LedgerError {
    let action = action.to_owned();
    move |cause| LedgerError { place: "in memory".into(), action, cause: cause.into() }
}

/// An entry in a few words.
pub(crate) fn show(entry: &Entry) -> String {
    let version = entry.version.as_ref().map_or("-", |version| version.etag.as_str());
    let seq = entry.sequencer.as_ref().map_or("-", |sequencer| sequencer.as_str());
    let exact = if entry.sequencer_exact { "" } else { "?" };
    let reference = entry.reference.as_deref().unwrap_or("-");
    let state = match &entry.state {
        State::Running { owner, work, .. } => format!("running {work:?} by {owner}"),
        State::Waiting { failure } | State::Parked { failure } | State::Failed { failure } => {
            format!("{} {}", entry.state.name(), failure.code)
        }
        state => state.name().to_owned(),
    };
    let (epoch, attempts) = (entry.epoch, entry.attempts);
    format!("[{state}; {version} at {seq}{exact}, ref {reference}, epoch {epoch}, try {attempts}]")
}

#[async_trait]
impl Ledger for SimLedger {
    async fn get(&self, key: &EntryKey) -> Result<Option<Stored>, LedgerError> {
        let read = || Ok(lock(&self.store.entries).get(&place(key)).cloned());
        let stored =
            self.life.call(|| format!("ledger get {key}"), read, unavailable("read")).await;
        if let Ok(Some(stored)) = &stored {
            self.life.log(|| format!("  {}", show(&stored.entry)));
        }
        stored
    }

    async fn put_if(
        &self,
        key: &EntryKey,
        expected: Version,
        entry: &Entry,
    ) -> Result<Version, PutError> {
        let (store, life) = (&self.store, &self.life);
        let put = || store.put(life.world.now(), &life.name, key, expected, entry);
        let what = || format!("ledger put {key} over {} {}", expected.0, show(entry));
        let failed = |cause| PutError::Ledger(unavailable("write")(cause));
        life.call(what, put, failed).await
    }

    async fn scan(
        &self,
        source: &str,
        bucket: &str,
        range: Range<'_>,
    ) -> Result<Box<dyn Scan>, LedgerError> {
        let (source, bucket) = (source.to_owned(), bucket.to_owned());
        let prefix = range.prefix.to_owned();
        let start = match range.start() {
            Start::At(key) => Bound::Included(key.to_owned()),
            Start::After(key) => Bound::Excluded(key.to_owned()),
        };
        let (ledger, page) = (self.clone(), VecDeque::new());
        Ok(Box::new(SimScan { ledger, source, bucket, prefix, start, page, ended: false }))
    }
}

struct SimScan {
    ledger: SimLedger,
    source: String,
    bucket: String,
    prefix: String,
    /// Where the next page begins.
    start: Bound<String>,
    page: VecDeque<(String, Entry)>,
    ended: bool,
}

#[async_trait]
impl Scan for SimScan {
    async fn next(&mut self) -> Result<Option<(String, Entry)>, LedgerError> {
        if self.page.is_empty() && !self.ended {
            let (store, life) = (&self.ledger.store, &self.ledger.life);
            let at = |key: String| (self.source.clone(), self.bucket.clone(), key);
            let from = self.start.clone().map(at);
            let (source, bucket, prefix) = (&self.source, &self.bucket, &self.prefix);
            let read = || {
                let entries = lock(&store.entries);
                let rest = entries.range((from, Bound::Unbounded));
                Ok(rest
                    .take_while(|((s, b, _), _)| s == source && b == bucket)
                    .filter(|((_, _, key), _)| key.starts_with(prefix))
                    .take(PAGE)
                    .map(|((_, _, key), stored)| (key.clone(), stored.entry.clone()))
                    .collect::<VecDeque<_>>())
            };
            self.page =
                life.call(|| format!("ledger scan {source}"), read, unavailable("scan")).await?;
            self.ended = self.page.len() < PAGE;
        }
        let next = self.page.pop_front();
        if let Some((key, _)) = &next {
            self.start = Bound::Excluded(key.clone());
        }
        Ok(next)
    }
}

#[async_trait]
impl Journal for SimLedger {
    async fn read(&self, source: &str) -> Result<Option<(Progress, Version)>, LedgerError> {
        let read = || Ok(lock(&self.store.refreshes).get(source).cloned());
        self.life.call(|| format!("journal read {source}"), read, unavailable("read")).await
    }

    async fn write_if(
        &self,
        source: &str,
        expected: Version,
        progress: &Progress,
    ) -> Result<Version, PutError> {
        let write = || {
            let mut refreshes = lock(&self.store.refreshes);
            let stored = refreshes.get(source).map_or(Version::NONE, |(_, version)| *version);
            if stored != expected {
                return Err(PutError::Conflict);
            }
            refreshes.insert(source.to_owned(), (progress.clone(), expected.next()));
            Ok(expected.next())
        };
        let what = || format!("journal write {source} over {}: {progress:?}", expected.0);
        let failed = |cause| PutError::Ledger(unavailable("write")(cause));
        self.life.call(what, write, failed).await
    }
}

#[async_trait]
impl Shapes for SimLedger {
    async fn last(&self, source: &str, series: &str) -> Result<Option<Shape>, LedgerError> {
        let place = (source.to_owned(), series.to_owned());
        let read = || Ok(lock(&self.store.shapes).get(&place).cloned());
        self.life.call(|| format!("shape of {source}/{series}"), read, unavailable("read")).await
    }

    async fn keep(&self, source: &str, series: &str, shape: &Shape) -> Result<(), LedgerError> {
        let write = || {
            let place = (source.to_owned(), series.to_owned());
            lock(&self.store.shapes).insert(place, shape.clone());
            Ok(())
        };
        self.life
            .call(|| format!("keep shape of {source}/{series}"), write, unavailable("write"))
            .await
    }
}
