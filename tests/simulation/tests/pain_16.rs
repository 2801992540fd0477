//! In a process of its own, because its memory is measured.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use fastrand::Rng;
use inlet::catalog::{Catalog, Connection, Source};
use inlet::ledger::{
    Entry, EntryKey, Ledger, LedgerError, PutError, Range, Scan, State, Stored, Version,
};
use inlet::object::{
    ETag, Listed, ObjectError, ObjectErrorKind, ObjectId, ObjectVersion, Objects, Opened, Pin,
};
use inlet::refresh;
use inlet_simulation::ledger::SimLedger;
use inlet_simulation::life::Life;
use inlet_simulation::queue::SimQueue;
use inlet_simulation::world::World;

const SOURCE: &str = "key = 's'\nconnection = 'inlet'\nbucket = 'drop'";

/// Pain 16: beats #39116: the state of a poll takes 1 GB for a million objects.
#[tokio::test(start_paused = true)]
async fn pain_16_the_memory_of_a_refresh_does_not_grow_with_the_bucket() {
    const KEYS: u64 = 200_000;
    let objects = Arc::new(Endless { keys: KEYS, held: AtomicUsize::new(0) });
    let world = World::new(Rng::with_seed(16), false);
    let life = Life::immortal(&world, "refresh");
    let source = Source::from_toml("s.toml", SOURCE).expect("a definition");
    let catalog = Catalog::new(Vec::new(), vec![source]).expect("a catalog");
    let ports = refresh::Ports {
        ledger: Arc::new(EndlessLedger { keys: KEYS }),
        objects: objects.clone(),
        queue: Arc::new(SimQueue::new(Arc::default(), Arc::clone(&life))),
        journal: Arc::new(SimLedger::new(Arc::default(), Arc::clone(&life))),
        clock: life,
    };
    let source = catalog.source("s").expect("the source");
    let before = peak_memory();
    let all = refresh::refresh(&ports, &catalog, source, false, None, None).await;
    assert_eq!(all.failure, None);
    assert_eq!((all.report.listed, all.report.orders()), (KEYS, 0));
    assert_eq!(objects.held.load(Ordering::SeqCst), 1_000, "keys that were held at a time");
    if let (Some(before), Some(after)) = (before, peak_memory()) {
        assert!(after - before < 16 << 10, "{} kB more", after - before);
    }
}

/// A bucket of very many objects, made while it is listed.
struct Endless {
    keys: u64,
    held: AtomicUsize,
}

fn numbered(n: u64) -> String {
    format!("exports/of-a-customer/{n:09}.csv")
}

#[async_trait]
impl Objects for Endless {
    async fn open(
        &self,
        _: &Connection,
        object: &ObjectId,
        _: &Pin,
    ) -> Result<Opened, ObjectError> {
        Err(ObjectError::new(object, ObjectErrorKind::Gone))
    }

    async fn list(
        &self,
        _: &Connection,
        _: &str,
        _: &str,
        after: Option<&str>,
    ) -> Result<Vec<Listed>, ObjectError> {
        let from = after.map_or(0, |after| {
            let digits: String = after.chars().filter(char::is_ascii_digit).collect();
            digits.parse::<u64>().expect("a key of this bucket") + 1
        });
        let page: Vec<_> = (from..self.keys.min(from + 1_000))
            .map(|n| Listed {
                key: numbered(n),
                etag: ETag::new("e"),
                size: 1,
                last_modified: None,
            })
            .collect();
        self.held.fetch_max(page.len(), Ordering::SeqCst);
        Ok(page)
    }
}

/// A ledger that knows them all.
struct EndlessLedger {
    keys: u64,
}

struct EndlessScan {
    next: u64,
    keys: u64,
}

fn known() -> Entry {
    Entry {
        state: State::Done,
        version: Some(ObjectVersion {
            etag: ETag::new("e"),
            version_id: None,
            size: None,
            last_modified: None,
        }),
        sequencer: None,
        sequencer_exact: false,
        epoch: 1,
        attempts: 0,
        reference: None,
        generation: 1,
        expected: None,
        checkpoint: None,
        removing: false,
        fingerprint: String::new(),
        done: None,
        seen: Vec::new(),
        updated: jiff::Timestamp::UNIX_EPOCH,
    }
}

#[async_trait]
impl Scan for EndlessScan {
    async fn next(&mut self) -> Result<Option<(String, Entry)>, LedgerError> {
        let n = self.next;
        self.next += 1;
        Ok((n < self.keys).then(|| (numbered(n), known())))
    }
}

#[async_trait]
impl Ledger for EndlessLedger {
    async fn get(&self, _: &EntryKey) -> Result<Option<Stored>, LedgerError> {
        Ok(None)
    }

    async fn put_if(&self, _: &EntryKey, _: Version, _: &Entry) -> Result<Version, PutError> {
        Err(PutError::Conflict)
    }

    async fn scan(&self, _: &str, _: &str, _: Range<'_>) -> Result<Box<dyn Scan>, LedgerError> {
        Ok(Box::new(EndlessScan { next: 0, keys: self.keys }))
    }
}

/// The most memory that this process ever had, in kB, where the system tells it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
