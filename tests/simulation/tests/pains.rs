//! What users of comparable software suffer from, as public issue threads tell it, one test each. The
//! numbers are those of the table in `docs/semantics.md`, which also names the tests that are elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use fastrand::Rng;
use inlet::catalog::{Catalog, Connection, FixedCatalog, Source};
use inlet::delivery::EventKind;
use inlet::ingest::{Ingest, Outcome, Ports};
use inlet::ledger::{Entry, State};
use inlet::object::{Body, Listed, ObjectError, ObjectErrorKind, ObjectId, Objects, Opened, Pin};
use inlet::observe::{Happening, Observer};
use inlet::queue::Message;
use inlet::record::BatchLimits;
use inlet::refresh::{self, Carried, Kind, Report, Wish};
use inlet_simulation::bucket::{SimObjects, Store};
use inlet_simulation::destination::{Downstream, SimDestination};
use inlet_simulation::ledger::{LedgerStore, SimLedger};
use inlet_simulation::life::Life;
use inlet_simulation::queue::{Broker, SimQueue};
use inlet_simulation::world::World;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

const SOURCE: &str = "key = 's'\nconnection = 'inlet'\nbucket = 'drop'\n[format]\ndelimiter = ','";

/// A bucket, a queue, a ledger and a destination in memory, where nothing goes wrong by chance.
struct Scene {
    world: Arc<World>,
    store: Arc<Store>,
    broker: Arc<Broker>,
    ledger: Arc<LedgerStore>,
    downstream: Arc<Downstream>,
    catalog: Catalog,
}

struct Silent;

impl Observer for Silent {
    fn see(&self, _: &Happening<'_>) {}
}

impl Scene {
    fn new(seed: u64, versioned: bool) -> Self {
        let store = Arc::new(Store::default());
        store.create("drop", versioned);
        let source = Source::from_toml("s.toml", SOURCE).expect("a definition");
        Self {
            world: World::new(Rng::with_seed(seed), false),
            store,
            broker: Arc::default(),
            ledger: Arc::default(),
            downstream: Arc::default(),
            catalog: Catalog::new(Vec::new(), vec![source]).expect("a catalog"),
        }
    }

    fn ports(&self, life: &Arc<Life>) -> Ports {
        let destination = SimDestination::new(Arc::clone(&self.downstream), Arc::clone(life), 2);
        let destination = Arc::new(destination);
        let ledger = Arc::new(SimLedger::new(Arc::clone(&self.ledger), Arc::clone(life)));
        Ports {
            catalog: Arc::new(FixedCatalog::new(self.catalog.clone())),
            ledger: ledger.clone(),
            shapes: ledger,
            objects: Arc::new(SimObjects::new(Arc::clone(&self.store), Arc::clone(life))),
            queue: Arc::new(SimQueue::new(Arc::clone(&self.broker), Arc::clone(life))),
            deliveries: destination.clone(),
            rejects: destination,
            clock: Arc::clone(life) as _,
            observer: Arc::new(Silent),
        }
    }

    fn life(&self, name: &str) -> Arc<Life> {
        Life::mortal(&self.world, name.to_owned())
    }

    /// Writes a file of `rows` rows and answers its notice.
    fn put(&self, key: &str, etag: &str, rows: usize, sequencer: &str) -> Value {
        let text: String = (1..=rows).map(|n| format!("{etag},{n}\n")).collect();
        let bytes = Bytes::from(format!("of,n\n{text}"));
        let object = ObjectId::new("drop", key);
        let stored = self.store.put(&object, etag, bytes, self.world.now(), false);
        notice("ObjectCreated:Put", key, etag, stored.id.as_deref(), sequencer)
    }

    fn send(&self, records: &[Value]) {
        self.broker.send(json!({ "Records": records }).to_string(), Duration::ZERO);
    }

    fn receive(&self) -> Vec<Message> {
        self.broker.receive(&self.world, 10, Duration::from_secs(75))
    }

    /// Works with these ports until the queue is empty; answers how long that took.
    async fn settle_with(&self, ports: &Ports, name: &str) -> Duration {
        let began = Instant::now();
        while self.broker.waiting() > 0 {
            let passed = began.elapsed();
            assert!(passed < Duration::from_secs(6 * 3_600), "messages go round for ever");
            self.broker.ready().await;
            let batch = self.receive();
            let ingest = Ingest::with_batches(ports.clone(), name, 2, BATCHES);
            let outcomes = ingest.messages(batch.clone(), None).await;
            for (message, outcome) in batch.iter().zip(outcomes) {
                if outcome == Outcome::Acknowledge {
                    self.broker.acknowledge(&self.world, message);
                }
            }
        }
        began.elapsed()
    }

    async fn settle(&self) -> Duration {
        self.settle_with(&self.ports(&self.life("w")), "w").await
    }

    /// Begins a refresh, or goes on with the one that was begun.
    async fn refresh_with(&self, objects: Arc<dyn Objects>, begin: bool) -> Result<Report, String> {
        let life = self.life("refresh");
        let ledger = Arc::new(SimLedger::new(Arc::clone(&self.ledger), Arc::clone(&life)));
        let (ports, journal) = (self.ports(&life), ledger.clone());
        let (queue, clock) = (ports.queue, ports.clock);
        let ports = refresh::Ports { ledger, objects, queue, journal, clock };
        let source = self.catalog.source("s").expect("the source");
        let wish = begin.then_some(Wish { kind: Kind::Compare, anew: true });
        match refresh::carry_out(&ports, &self.catalog, source, wish, "refresh", None).await {
            Ok(Carried::Ended(pass)) => Ok(pass.report),
            other => Err(format!("{other:?}")),
        }
    }

    async fn refresh(&self) -> Report {
        let objects = self.ports(&self.life("refresh")).objects;
        self.refresh_with(objects, true).await.expect("a refresh")
    }

    fn entry(&self, key: &str) -> Option<Entry> {
        self.ledger.entry("s", "drop", key)
    }

    fn state(&self, key: &str) -> String {
        self.entry(key).map_or("none".into(), |entry| entry.state.name().into())
    }

    /// Events of this kind about this key.
    fn events(&self, key: &str, kind: EventKind) -> Vec<Value> {
        let arrivals = self.downstream.arrivals();
        let of = arrivals.iter().filter(|event| event.kind == kind);
        let bodies = of.map(|event| serde_json::from_str(&event.body).expect("JSON"));
        bodies.filter(|body: &Value| body["data"]["object"]["key"] == key).collect()
    }

    /// The records of a key by their ids, however often they arrived.
    fn rows(&self, key: &str) -> std::collections::BTreeMap<String, Value> {
        let mut rows = std::collections::BTreeMap::new();
        for event in self.events(key, EventKind::Records) {
            for record in event["data"]["records"].as_array().expect("records") {
                let id = record["id"].as_str().expect("an id").to_owned();
                let before = rows.insert(id.clone(), record["values"].clone());
                assert!(before.is_none_or(|before| before == record["values"]), "{id} is two");
            }
        }
        rows
    }
}

const BATCHES: BatchLimits = BatchLimits { max_bytes: 240_000, max_records: 3 };

fn notice(kind: &str, key: &str, etag: &str, version: Option<&str>, sequencer: &str) -> Value {
    let mut object = json!({ "key": key, "eTag": etag, "sequencer": sequencer });
    if let Some(version) = version {
        object["versionId"] = version.into();
    }
    json!({ "eventVersion": "2.1", "eventSource": "aws:s3", "eventName": kind,
        "s3": { "bucket": { "name": "drop" }, "object": object } })
}

/// Starts a worker on all that waits, and ends it at `end`.
async fn interrupted(scene: &Scene, life: &Arc<Life>, end: impl Future<Output = ()>) {
    let ingest = Ingest::with_batches(scene.ports(life), &life.name, 2, BATCHES);
    let batch = scene.receive();
    tokio::select! {
        biased;
        () = end => life.kill(),
        _ = ingest.messages(batch, None) => {}
    }
}

/// Pain 1: aws-lambda-redshift-loader #233, #67, #235, #145, #126: files lost because a dead invocation
/// held the lock, or because the marker was written before the load.
#[tokio::test(start_paused = true)]
async fn pain_01_a_dead_invocation_holds_no_lock_and_marks_nothing_as_done() {
    let scene = Scene::new(1, false);
    scene.send(&[scene.put("a.csv", "e1", 20, "0A")]);
    let life = scene.life("dead");
    let first_batch = async {
        while scene.downstream.arrivals().is_empty() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    interrupted(&scene, &life, first_batch).await;
    assert_eq!(scene.state("a.csv"), "running", "nothing says that it is done");
    let took = scene.settle().await;
    assert!(took < Duration::from_secs(120), "taken up after {took:?}");
    assert_eq!(scene.state("a.csv"), "done");
    assert_eq!(scene.entry("a.csv").expect("an entry").epoch, 2);
    assert_eq!(scene.rows("a.csv").len(), 20);
}

/// Pain 2: powertools-lambda-python #738, #8049, #4759: a timeout leaves IN PROGRESS for ever, or its
/// expiry runs the work again; a lock written without an expiry.
#[tokio::test(start_paused = true)]
async fn pain_02_every_claim_has_an_end_and_its_end_repeats_nothing_that_is_done() {
    let scene = Scene::new(2, false);
    let created = scene.put("a.csv", "e1", 200, "0A");
    scene.send(std::slice::from_ref(&created));
    let life = scene.life("timed-out");
    interrupted(&scene, &life, sleep(Duration::from_millis(300))).await;
    scene.settle().await;
    assert_eq!(scene.state("a.csv"), "done");
    for write in scene.ledger.writes() {
        if let State::Running { until, .. } = write.after.state {
            let lease = until.duration_since(write.after.updated);
            assert!(lease.as_secs() <= 60, "a claim of {lease:?}");
        }
    }
    let events = scene.downstream.arrivals().len();
    sleep(Duration::from_secs(7 * 86_400)).await;
    scene.send(&[created]);
    scene.settle().await;
    assert_eq!(scene.downstream.arrivals().len(), events, "a week later nothing is done again");
}

/// Pain 3: airbyte #5365: a slow upload that finishes late is older than the cursor, and skipped for
/// ever. A refresh compares keys with the ledger, and has no cursor.
#[tokio::test(start_paused = true)]
async fn pain_03_an_upload_that_finishes_late_is_found() {
    let scene = Scene::new(3, false);
    scene.send(&[scene.put("b.csv", "e2", 1, "0B")]);
    scene.settle().await;
    assert_eq!(scene.refresh().await.orders(), 0);
    // Begun an hour before, visible only now, and its notice is lost.
    let object = ObjectId::new("drop", "a.csv");
    let before = scene.world.now() - jiff::SignedDuration::from_hours(1);
    scene.store.put(&object, "e1", Bytes::from_static(b"of,n\nlate,1\n"), before, false);
    assert_eq!(scene.refresh().await.new, 1);
    scene.settle().await;
    assert_eq!(scene.state("a.csv"), "done");
}

/// Pain 11: vector #4910, redpanda-connect #4468, data-prepper #4812: a slow object is processed again
/// because its message comes back meanwhile; messages that wait behind it come back too.
#[tokio::test(start_paused = true)]
async fn pain_11_messages_stay_hidden_while_they_are_worked_on_or_wait_for_it() {
    let scene = Scene::new(11, false);
    for n in 0..4 {
        scene.send(&[scene.put(&format!("{n}.csv"), &format!("e{n}"), 3_000, "0A")]);
    }
    let life = scene.life("slow");
    let ingest = Ingest::with_batches(scene.ports(&life), "slow", 1, BATCHES);
    let batch = scene.receive();
    assert_eq!(batch.len(), 4);
    let began = Instant::now();
    let again = AtomicUsize::new(0);
    let watch = async {
        loop {
            sleep(Duration::from_secs(1)).await;
            again.fetch_add(scene.receive().len(), Ordering::SeqCst);
        }
    };
    tokio::select! {
        outcomes = ingest.messages(batch, None) => assert_eq!(outcomes, [Outcome::Acknowledge; 4]),
        () = watch => {}
    }
    assert!(began.elapsed() > Duration::from_secs(150), "slow enough: {:?}", began.elapsed());
    assert_eq!(again.into_inner(), 0, "messages came back while they were worked on");
}

/// Pain 12: opentelemetry-collector-contrib #47045: the test event goes round until it expires.
#[tokio::test(start_paused = true)]
async fn pain_12_the_test_event_is_taken_and_gone() {
    let scene = Scene::new(12, false);
    let event = json!({ "Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "drop",
        "Time": "2026-01-01T00:00:00.000Z", "RequestId": "x", "HostId": "y" });
    scene.broker.send(event.to_string(), Duration::ZERO);
    scene.settle().await;
    assert_eq!(scene.broker.received(), 1);
    assert!(scene.broker.letters().is_empty() && scene.broker.redriven().is_empty());
}

/// Pain 13: opentelemetry-collector-contrib #45153: a message with several records is deleted although
/// one of them failed.
#[tokio::test(start_paused = true)]
async fn pain_13_a_message_stays_until_each_of_its_records_is_settled() {
    let scene = Scene::new(13, false);
    let created = ["a.csv", "b.csv", "c.csv"].map(|key| scene.put(key, key, 2, "0A"));
    scene.send(&created);
    let life = scene.life("w");
    let refuses = Fickle::new(
        scene.ports(&life).objects,
        "b.csv",
        ObjectErrorKind::Unavailable("503".into()),
    );
    let ports = Ports { objects: refuses.clone(), ..scene.ports(&life) };
    let batch = scene.receive();
    let ingest = Ingest::with_batches(ports.clone(), "w", 2, BATCHES);
    let outcomes = ingest.messages(batch, None).await;
    assert!(matches!(outcomes[0], Outcome::Return { .. }), "{outcomes:?}");
    assert_eq!(
        ["a.csv", "b.csv", "c.csv"].map(|key| scene.state(key)),
        ["done", "waiting", "done"]
    );
    refuses.mended.store(true, Ordering::SeqCst);
    scene.settle_with(&ports, "w").await;
    for key in ["a.csv", "b.csv", "c.csv"] {
        assert_eq!(scene.state(key), "done");
        assert_eq!(scene.events(key, EventKind::Completed).len(), 1, "{key} is delivered once");
    }
}

/// Pain 14: redpanda-connect #1090, #4474: an object that is gone before it is read is retried for ever,
/// or dropped without a word.
#[tokio::test(start_paused = true)]
async fn pain_14_an_object_that_is_gone_before_it_is_read_ends_and_says_so() {
    let scene = Scene::new(14, false);
    let created = scene.put("a.csv", "e1", 2, "0A");
    scene.store.delete(&ObjectId::new("drop", "a.csv"));
    scene.send(&[created]);
    scene.settle().await;
    assert_eq!(scene.broker.received(), 1, "tried once");
    assert_eq!(scene.state("a.csv"), "removed");
    assert_eq!(scene.events("a.csv", EventKind::Removed).len(), 1);
    assert!(scene.broker.letters().is_empty());
}

/// Pain 15: benthos #137: an empty file is put back into the queue for ever.
#[tokio::test(start_paused = true)]
async fn pain_15_an_empty_file_is_a_file_without_rows() {
    let scene = Scene::new(15, false);
    let object = ObjectId::new("drop", "a.csv");
    scene.store.put(&object, "e1", Bytes::new(), scene.world.now(), false);
    scene.send(&[notice("ObjectCreated:Put", "a.csv", "e1", None, "0A")]);
    scene.settle().await;
    assert_eq!(scene.broker.received(), 1);
    assert_eq!(scene.state("a.csv"), "done");
    let completed = scene.events("a.csv", EventKind::Completed);
    assert_eq!(completed.len(), 1);
    assert_eq!(completed[0]["data"]["rows"], 0);
}

/// Pain 17: beats #39065, #52721: a throttled listing moves the watermark past objects that were not
/// read.
#[tokio::test(start_paused = true)]
async fn pain_17_a_throttled_listing_passes_over_no_object() {
    for page in 0..8 {
        let scene = Scene::new(17, false);
        for n in 0..20 {
            scene.put(&format!("{n:02}.csv"), &format!("e{n}"), 1, "0A");
        }
        let life = scene.life("refresh");
        let throttled = Arc::new(Throttled {
            inner: scene.ports(&life).objects,
            page,
            listed: AtomicUsize::new(0),
        });
        let mut ended = scene.refresh_with(throttled.clone(), true).await;
        let reached = throttled.listed.load(Ordering::SeqCst) > page;
        assert_eq!(ended.is_err(), reached, "a page that was not read is an error: {ended:?}");
        for _ in 0..Throttled::TIMES {
            if ended.is_err() {
                ended = scene.refresh_with(throttled.clone(), false).await;
            }
        }
        ended.expect("the throttling has ended");
        scene.settle().await;
        for n in 0..20 {
            assert_eq!(scene.state(&format!("{n:02}.csv")), "done", "page {page}");
        }
    }
}

/// Pain 19: ClickHouse #111537, #112313, #114595: consumed rows lost in a power failure; files skipped
/// after a race. The worker is ended at each moment of its work in turn.
#[tokio::test(start_paused = true)]
async fn pain_19_no_row_is_lost_at_whichever_moment_the_power_fails() {
    for moment in (0..2_000).step_by(20) {
        let scene = Scene::new(19, false);
        scene.send(&[scene.put("a.csv", "e1", 30, "0A")]);
        let life = scene.life("w1");
        interrupted(&scene, &life, sleep(Duration::from_millis(moment))).await;
        scene.settle().await;
        assert_eq!(scene.state("a.csv"), "done", "at {moment} ms");
        assert_eq!(scene.rows("a.csv").len(), 30, "at {moment} ms");
    }
}

/// Pain 20: Snowpipe: recreating the pipe drops the load history, and REFRESH then duplicates.
#[tokio::test(start_paused = true)]
async fn pain_20_a_source_that_was_removed_and_comes_back_knows_its_files() {
    let mut scene = Scene::new(20, false);
    scene.send(&[scene.put("a.csv", "e1", 2, "0A")]);
    scene.settle().await;
    let events = scene.downstream.arrivals().len();
    let with = std::mem::replace(
        &mut scene.catalog,
        Catalog::new(Vec::new(), Vec::new()).expect("an empty catalog"),
    );
    scene.send(&[scene.put("a.csv", "e1", 2, "0B")]);
    scene.settle().await;
    scene.catalog = with;
    assert_eq!(scene.refresh().await.orders(), 0, "everything is known");
    scene.settle().await;
    assert_eq!(scene.downstream.arrivals().len(), events);
}

/// Pain 22: logstash-input-s3-sns-sqs #64: overwrites in a versioned bucket read the latest version
/// several times, and never the version of the event.
#[tokio::test(start_paused = true)]
async fn pain_22_each_event_reads_its_own_version() {
    let scene = Scene::new(22, true);
    let events: Vec<_> =
        (1..=3).map(|n| scene.put("a.csv", &format!("e{n}"), n, &format!("0{n}"))).collect();
    for event in &events {
        scene.send(std::slice::from_ref(event));
        scene.settle().await;
    }
    let completed = scene.events("a.csv", EventKind::Completed);
    let versions: Vec<_> = completed.iter().map(|e| &e["data"]["object"]["version_id"]).collect();
    assert_eq!(versions, ["v1", "v2", "v3"]);
    let rows: Vec<_> = completed.iter().map(|e| &e["data"]["rows"]).collect();
    assert_eq!(rows, [1, 2, 3]);
    // And late ones change nothing.
    scene.send(&events[..2]);
    scene.settle().await;
    assert_eq!(scene.events("a.csv", EventKind::Completed).len(), 3);
}

/// A file that ends every process that reads it (by its memory, say) ends as Failed with a cause. Others
/// that came in the same batch are not lost with it, and do not end in the dead letters.
#[tokio::test(start_paused = true)]
async fn files_that_end_their_worker_each_time_take_no_other_with_them() {
    // Who is ended by whom hangs on who comes first.
    for seed in 0..100 {
        of_ten_files_three_end_their_worker(seed).await;
    }
}

async fn of_ten_files_three_end_their_worker(seed: u64) {
    let scene = Scene::new(seed, false);
    for n in 0..10 {
        scene.send(&[scene.put(&format!("{n}.csv"), &format!("e{n}"), 9, "0A")]);
    }
    let began = Instant::now();
    let mut lives = 0;
    while scene.broker.waiting() > 0 {
        assert!(began.elapsed() < Duration::from_secs(3_600), "messages go round for ever");
        scene.broker.ready().await;
        lives += 1;
        let life = scene.life(&format!("w{lives}"));
        let deadly = Arc::new(Deadly { inner: scene.ports(&life).objects, life: life.clone() });
        let ports = Ports { objects: deadly, ..scene.ports(&life) };
        let ingest = Ingest::with_batches(ports, &life.name, 4, BATCHES);
        let batch = scene.receive();
        tokio::select! {
            biased;
            () = life.death() => {}
            outcomes = ingest.messages(batch.clone(), None) => {
                for (message, outcome) in batch.iter().zip(outcomes) {
                    if outcome == Outcome::Acknowledge {
                        scene.broker.acknowledge(&scene.world, message);
                    }
                }
            }
        }
    }
    for n in 0..10 {
        let key = format!("{n}.csv");
        let expected = if Deadly::KEYS.contains(&key.as_str()) { "failed" } else { "done" };
        assert_eq!(scene.state(&key), expected, "{key} after {lives} lives, seed {seed}");
    }
    assert!(scene.broker.redriven().is_empty(), "without a cause: {:?}", scene.broker.redriven());
    let causes: Vec<_> = scene.broker.letters().into_iter().map(|l| l.cause.code).collect();
    assert_eq!(causes, ["attempts_exhausted"; 3]);
}

/// Archived objects are parked, and taken up when S3 says that they are restored.
#[tokio::test(start_paused = true)]
async fn an_archived_object_is_parked_until_it_is_restored() {
    let scene = Scene::new(23, false);
    let created = scene.put("a.csv", "e1", 2, "0A");
    scene.send(std::slice::from_ref(&created));
    let life = scene.life("w");
    let archived = Fickle::new(
        scene.ports(&life).objects,
        "a.csv",
        ObjectErrorKind::Archived("GLACIER".into()),
    );
    let ports = Ports { objects: archived.clone(), ..scene.ports(&life) };
    scene.settle_with(&ports, "w").await;
    assert_eq!(scene.state("a.csv"), "parked");
    let opened = archived.opens.load(Ordering::SeqCst);
    scene.send(&[created]);
    scene.settle_with(&ports, "w").await;
    assert_eq!(archived.opens.load(Ordering::SeqCst), opened, "not asked for again");
    archived.mended.store(true, Ordering::SeqCst);
    scene.send(&[notice("ObjectRestore:Completed", "a.csv", "e1", None, "0B")]);
    scene.settle_with(&ports, "w").await;
    assert_eq!(scene.state("a.csv"), "done");
    assert_eq!(scene.rows("a.csv").len(), 2);
}

/// Access that is denied parks the object with what to grant; a newer version is tried again.
#[tokio::test(start_paused = true)]
async fn a_denied_object_is_parked_with_what_to_grant() {
    let scene = Scene::new(24, false);
    scene.send(&[scene.put("a.csv", "e1", 2, "0A")]);
    let life = scene.life("w");
    let denied =
        Fickle::new(scene.ports(&life).objects, "a.csv", ObjectErrorKind::Denied("no".into()));
    let ports = Ports { objects: denied.clone(), ..scene.ports(&life) };
    scene.settle_with(&ports, "w").await;
    let Some(State::Parked { failure }) = scene.entry("a.csv").map(|entry| entry.state) else {
        panic!("{}", scene.state("a.csv"));
    };
    assert_eq!(failure.code, "access_denied");
    assert!(failure.remedy.contains("s3:GetObject"), "{failure}");
    denied.mended.store(true, Ordering::SeqCst);
    scene.send(&[scene.put("a.csv", "e2", 3, "0B")]);
    scene.settle_with(&ports, "w").await;
    assert_eq!(scene.state("a.csv"), "done");
}

/// Objects of which one cannot be opened until that is mended.
struct Fickle {
    inner: Arc<dyn Objects>,
    key: &'static str,
    kind: ObjectErrorKind,
    mended: AtomicBool,
    opens: AtomicUsize,
}

impl Fickle {
    fn new(inner: Arc<dyn Objects>, key: &'static str, kind: ObjectErrorKind) -> Arc<Self> {
        let (mended, opens) = (AtomicBool::new(false), AtomicUsize::new(0));
        Arc::new(Self { inner, key, kind, mended, opens })
    }
}

#[async_trait]
impl Objects for Fickle {
    async fn open(
        &self,
        connection: &Connection,
        object: &ObjectId,
        pin: &Pin,
    ) -> Result<Opened, ObjectError> {
        if object.key == self.key && !self.mended.load(Ordering::SeqCst) {
            self.opens.fetch_add(1, Ordering::SeqCst);
            return Err(ObjectError::new(object, self.kind.clone()));
        }
        self.inner.open(connection, object, pin).await
    }

    async fn list(
        &self,
        connection: &Connection,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Vec<Listed>, ObjectError> {
        self.inner.list(connection, bucket, prefix, after).await
    }
}

/// Objects of which some end the process as soon as they are read.
struct Deadly {
    inner: Arc<dyn Objects>,
    life: Arc<Life>,
}

impl Deadly {
    const KEYS: [&str; 3] = ["2.csv", "5.csv", "8.csv"];
}

#[async_trait]
impl Objects for Deadly {
    async fn open(
        &self,
        connection: &Connection,
        object: &ObjectId,
        pin: &Pin,
    ) -> Result<Opened, ObjectError> {
        let opened = self.inner.open(connection, object, pin).await?;
        let body: Box<dyn Body> = if Self::KEYS.contains(&object.key.as_str()) {
            Box::new(DeadlyBody(Arc::clone(&self.life)))
        } else {
            opened.body
        };
        Ok(Opened { version: opened.version, body })
    }

    async fn list(
        &self,
        connection: &Connection,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Vec<Listed>, ObjectError> {
        self.inner.list(connection, bucket, prefix, after).await
    }
}

struct DeadlyBody(Arc<Life>);

#[async_trait]
impl Body for DeadlyBody {
    async fn next(&mut self) -> Result<Option<Bytes>, ObjectError> {
        self.0.kill();
        std::future::pending().await
    }

    async fn seek(&mut self, _: u64) -> Result<(), ObjectError> {
        Ok(())
    }
}

/// Objects whose listing fails at one page, more often than a refresh asks again at once.
struct Throttled {
    inner: Arc<dyn Objects>,
    page: usize,
    listed: AtomicUsize,
}

impl Throttled {
    const TIMES: usize = 20;
}

#[async_trait]
impl Objects for Throttled {
    async fn open(
        &self,
        connection: &Connection,
        object: &ObjectId,
        pin: &Pin,
    ) -> Result<Opened, ObjectError> {
        self.inner.open(connection, object, pin).await
    }

    async fn list(
        &self,
        connection: &Connection,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Vec<Listed>, ObjectError> {
        let n = self.listed.fetch_add(1, Ordering::SeqCst);
        if (self.page..self.page + Self::TIMES).contains(&n) {
            let kind = ObjectErrorKind::Unavailable("SlowDown".into());
            return Err(ObjectError::new(&ObjectId::new(bucket, prefix), kind));
        }
        self.inner.list(connection, bucket, prefix, after).await
    }
}
