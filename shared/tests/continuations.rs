//! A file that takes longer than an invocation has: what arrives is the same, byte for byte, as when
//! it is read at one go.
//!
//! The clock of deadlines is a virtual one, on which each batch takes a second, so that an invocation
//! ends after the same number of batches on every machine. With `INLET_BYTES=1000000000` and
//! `--release -- --nocapture` the test tells what going on costs for a file of that size.

#![cfg(feature = "local")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use flate2::Compression;
use flate2::write::GzEncoder;
use inlet::catalog::{Catalog, Destination, FixedCatalog};
use inlet::clock::SystemClock;
use inlet::delivery::{Deliveries, Delivery, DeliveryError, Event, EventKind};
use inlet::failure::Failure;
use inlet::ingest::{Ingest, Outcome, Ports, VISIBILITY};
use inlet::ledger::sqlite::SqliteLedger;
use inlet::ledger::{Completion, EntryKey, Ledger, State};
use inlet::local::Database;
use inlet::notice::{Order, OrderReason};
use inlet::object::ObjectId;
use inlet::object::directory::DirectoryObjects;
use inlet::observe::Log;
use inlet::queue::Queue;
use inlet::queue::sqlite::SqliteQueue;
use inlet::rejects::directory::DirectoryRejects;
use sha2::{Digest, Sha256};

const SOURCE: &str = r#"
key = "s"
connection = "c"
bucket = "drop"
[fields]
amount = { type = "decimal" }
"#;

/// What a batch takes on the virtual clock.
const BATCH: Duration = Duration::from_secs(1);

/// A destination that remembers of each event what it was.
#[derive(Default)]
struct Memory {
    events: Mutex<BTreeMap<String, Vec<u8>>>,
}

#[async_trait]
impl Delivery for Memory {
    async fn send(&self, event: &Event) -> Result<(), DeliveryError> {
        // The time of the sending is not part of the data, nor is where the rejects lie.
        if event.kind == EventKind::Records {
            tokio::time::advance(BATCH).await;
            let data = event.body.find("\"data\":").expect("an event has data");
            let hash = Sha256::digest(&event.body.as_bytes()[data..]).to_vec();
            let mut events = self.events.lock().expect("the lock");
            if let Some(before) = events.insert(event.id.clone(), hash.clone()) {
                assert_eq!(before, hash, "{} was another one before", event.id);
            }
        }
        Ok(())
    }

    fn concurrency(&self) -> usize {
        4
    }
}

struct One(Arc<Memory>);

impl Deliveries for One {
    fn to(&self, _: &Destination) -> Result<Arc<dyn Delivery>, Failure> {
        Ok(self.0.clone())
    }
}

/// What came of one way of reading the file.
struct Run {
    events: BTreeMap<String, Vec<u8>>,
    done: Completion,
    rejects: Vec<u8>,
    pauses: u32,
    took: Duration,
}

/// Ingests `key` anew in invocations of the length `invocation`.
async fn run(buckets: &Path, key: &str, invocation: Option<Duration>) -> Run {
    let state = tempfile::tempdir().expect("a directory");
    let database = Database::open(&state.path().join("inlet.db")).expect("a database");
    let catalog =
        Catalog::from_toml(&[("c.toml", "key = \"c\"\nname = \"C\"\n")], &[("s.toml", SOURCE)]);
    let ledger = Arc::new(SqliteLedger::new(database.clone()));
    let queue = Arc::new(SqliteQueue::new(database.clone(), Arc::new(SystemClock)));
    let memory = Arc::new(Memory::default());
    let ports = Ports {
        catalog: Arc::new(FixedCatalog::new(catalog.expect("definitions"))),
        ledger: ledger.clone(),
        shapes: ledger.clone(),
        objects: Arc::new(DirectoryObjects::new(buckets, database)),
        queue: queue.clone(),
        deliveries: Arc::new(One(memory.clone())),
        rejects: Arc::new(DirectoryRejects::new(state.path())),
        clock: Arc::new(SystemClock),
        observer: Arc::new(Log),
    };
    let entry = EntryKey::new("s", ObjectId::new("drop", key));
    let order = Order::new(entry.object.clone(), OrderReason::Watch);
    queue.order(&[order], Duration::ZERO).await.expect("ordered");
    let began = Instant::now();
    let mut pauses = 0;
    for n in 0..1000 {
        let message = queue.receive(VISIBILITY).await.expect("the queue");
        let message =
            message.unwrap_or_else(|| panic!("nothing was ordered after {n} invocations"));
        // Each invocation is another worker.
        let ingest = Ingest::new(ports.clone(), format!("w{n}"), 1);
        let deadline = invocation.map(|length| tokio::time::Instant::now() + length);
        let outcomes = ingest.messages(vec![message.clone()], deadline).await;
        assert_eq!(outcomes, [Outcome::Acknowledge], "invocation {n}");
        queue.acknowledge(&message).await.expect("acknowledged");
        let stored = ledger.get(&entry).await.expect("the ledger").expect("an entry").entry;
        match (stored.state, stored.checkpoint) {
            (State::Done, None) => {
                let done = stored.done.expect("a completion");
                let mut rejects = Vec::new();
                for place in &done.rejects {
                    rejects.extend(fs::read(place).expect("rejects"));
                }
                let events = std::mem::take(&mut *memory.events.lock().expect("the lock"));
                return Run { events, done, rejects, pauses, took: began.elapsed() };
            }
            (State::Waiting { failure }, Some(checkpoint)) => {
                assert_eq!(failure.code, "continues", "{failure}");
                assert_eq!(stored.attempts, 0);
                pauses = checkpoint.pauses;
            }
            other => panic!("after invocation {n}: {other:?}"),
        }
    }
    panic!("no end after 1000 invocations")
}

/// Rows of an ordinary table, now and then one that is refused, and once very many.
fn write_table(out: &mut impl Write, bytes: u64) {
    let mut written = 0;
    let mut write = |row: &str| {
        out.write_all(row.as_bytes()).expect("written");
        written += row.len() as u64;
        written
    };
    write("id,name,email,amount,closed_on\n");
    for n in 0_u64.. {
        let cents = n % 100;
        let amount = match n {
            _ if n % 9_973 == 0 => "unknown".to_owned(),
            60_000..200_000 => "many in a row".to_owned(),
            _ => format!("{}.{cents:02}", n * 7 % 100_000),
        };
        let row = format!(
            "{n},\"Deal, {n}\nof many\",user{n}@example.com,{amount},2026-02-{:02}\n",
            n % 28 + 1
        );
        if write(&row) >= bytes {
            return;
        }
    }
}

fn bytes() -> u64 {
    std::env::var("INLET_BYTES").map_or(16 << 20, |bytes| bytes.parse().expect("a number of bytes"))
}

async fn compare(buckets: &Path, key: &str) {
    let whole = run(buckets, key, None).await;
    assert_eq!(whole.pauses, 0);
    assert!(whole.done.counters.account_for_every_row());
    assert!(whole.done.counters.rejects > 100_000, "{:?}", whole.done.counters);
    let invocation = BATCH * u32::try_from(whole.done.counters.batches / 6).expect("a number");
    let parts = run(buckets, key, Some(invocation)).await;
    println!(
        "{key}: {} records, at one go in {:.2} s; in {} invocations in {:.2} s",
        whole.done.counters.records,
        whole.took.as_secs_f64(),
        parts.pauses + 1,
        parts.took.as_secs_f64(),
    );
    assert!(parts.pauses >= 5, "only {} continuations", parts.pauses);
    assert_eq!(parts.done.counters, whole.done.counters);
    assert!(parts.events == whole.events, "other ids or other records");
    assert!(parts.rejects == whole.rejects, "other rejects");
    assert!(parts.done.rejects.len() > 1, "rejects of several invocations");
}

#[tokio::test(start_paused = true)]
async fn a_large_file_goes_on_in_other_invocations_with_the_same_ids() {
    let buckets = tempfile::tempdir().expect("a directory");
    fs::create_dir(buckets.path().join("drop")).expect("a bucket");
    let file = File::create(buckets.path().join("drop/large.csv")).expect("a file");
    let mut out = BufWriter::new(file);
    write_table(&mut out, bytes());
    out.flush().expect("written");
    compare(buckets.path(), "large.csv").await;
}

#[tokio::test(start_paused = true)]
async fn a_large_gzip_file_goes_on_in_other_invocations_with_the_same_ids() {
    let buckets = tempfile::tempdir().expect("a directory");
    fs::create_dir(buckets.path().join("drop")).expect("a bucket");
    let file = File::create(buckets.path().join("drop/large.csv.gz")).expect("a file");
    let mut out = GzEncoder::new(BufWriter::new(file), Compression::fast());
    write_table(&mut out, bytes());
    out.finish().expect("compressed").flush().expect("written");
    compare(buckets.path(), "large.csv.gz").await;
}
