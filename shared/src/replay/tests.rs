//! Replays over a ledger and a queue in SQLite.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;

use super::*;
use crate::clock::SystemClock;
use crate::failure::{Disposition, Failure};
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{Completion, Version};
use crate::local::Database;
use crate::notice::{self, DeadLetter, Notice};
use crate::object::ETag;
use crate::queue::sqlite::SqliteQueue;
use crate::queue::{Message, QueueError};
use crate::record::Counters;

struct Home {
    _directory: tempfile::TempDir,
    ledger: Arc<SqliteLedger>,
    queue: Arc<SqliteQueue>,
    catalog: Catalog,
    ports: Ports,
}

fn home() -> Home {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::open(&directory.path().join("inlet.db")).unwrap();
    let connection = ("c.toml", "key = \"c\"\nname = \"C\"\n");
    let source = |key: &str, bucket: &str, path: &str| {
        format!("key = \"{key}\"\nconnection = \"c\"\nbucket = \"{bucket}\"\npath = \"{path}\"\n")
    };
    let (a, b) = (source("a", "one", "in/**"), source("b", "one", "**/*.csv"));
    let c = source("c", "two", "**");
    let sources = [("a.toml", a.as_str()), ("b.toml", b.as_str()), ("c.toml", c.as_str())];
    let ledger = Arc::new(SqliteLedger::new(database.clone()));
    let queue = Arc::new(SqliteQueue::new(database, Arc::new(SystemClock)));
    let ports = Ports {
        ledger: ledger.clone(),
        queue: queue.clone(),
        letters: queue.clone(),
        clock: Arc::new(SystemClock),
    };
    let catalog = Catalog::from_toml(&[connection], &sources).unwrap();
    Home { _directory: directory, ledger, queue, catalog, ports }
}

fn failure() -> Failure {
    Failure::new("gzip_truncated", "it is cut short", "upload it again", Disposition::DeadLetter)
}

fn states() -> [State; 6] {
    [
        State::Waiting { failure: failure() },
        State::Done,
        State::Skipped { reason: "x".into() },
        State::Parked { failure: failure() },
        State::Failed { failure: failure() },
        State::Removed,
    ]
}

fn entry(state: State, second: i64) -> Entry {
    let updated = Timestamp::new(second, 0).unwrap();
    serde_json::from_value(serde_json::json!({
        "state": state, "epoch": 1, "attempts": 0, "fingerprint": "f", "updated": updated,
    }))
    .unwrap()
}

impl Home {
    async fn put(&self, source: &str, bucket: &str, key: &str, entry: &Entry) {
        let key = EntryKey::new(source, ObjectId::new(bucket, key));
        self.ledger.put_if(&key, Version::NONE, entry).await.unwrap();
    }

    async fn replay(&self, filter: Filter, run: Run) -> (Replayed, Vec<String>) {
        let mut seen = Vec::new();
        let mut see = |key: &EntryKey, _: &Entry| {
            seen.push(format!("{} {}", key.source, key.object.key));
        };
        let replayed = replay(&self.ports, &self.catalog, &filter, run, &mut see).await.unwrap();
        assert_eq!(replayed.ordered, seen.len() as u64);
        (replayed, seen)
    }

    async fn ordered(&self) -> Vec<Order> {
        let mut orders = Vec::new();
        while let Some(message) = self.queue.receive(Duration::from_secs(60)).await.unwrap() {
            for notice in notice::read(&message.body).unwrap() {
                let Notice::Look(order) = notice else { panic!("{notice:?}") };
                orders.push(order);
            }
            self.queue.acknowledge(&message).await.unwrap();
        }
        orders
    }

    async fn bury(&self, letter: &DeadLetter) {
        self.queue.bury(letter).await.unwrap();
    }

    async fn letters(&self, force: bool, run: Run) -> (Letters, Vec<String>) {
        let mut seen = Vec::new();
        let mut see = |asked: Asked<'_>| {
            seen.push(match asked {
                Asked::Order { letter, key, stored } => format!(
                    "{} {} {} {}",
                    key.source,
                    key.object.key,
                    letter.map_or("-", |letter| &letter.cause.code),
                    stored.map_or("-", |stored| stored.entry.state.name()),
                ),
                Asked::Keep { why, .. } => format!("kept: {why}"),
            });
        };
        let report = dead_letters(&self.ports, &self.catalog, force, run, &mut see).await.unwrap();
        (report, seen)
    }
}

/// A letter as a worker writes it for an object that it gave up.
fn letter(bucket: &str, key: &str, source: &str) -> DeadLetter {
    let object = ObjectId::new(bucket, key);
    let mut order = Order::new(object.clone(), OrderReason::Replay);
    order.source = Some(source.to_owned());
    order.force = true;
    let mut letter = DeadLetter::new(failure(), Timestamp::now(), &order.to_body());
    letter.object = Some(object);
    letter.source = Some(source.to_owned());
    letter
}

#[tokio::test]
async fn a_replay_takes_what_all_its_filters_take() {
    let home = home();
    for (at, state) in states().into_iter().enumerate() {
        let (key, entry) = (format!("in/{}.csv", state.name()), entry(state, at as i64 * 10));
        home.put("a", "one", &key, &entry).await;
        home.put("b", "one", &key, &entry).await;
    }
    home.put("b", "one", "other/done.csv", &entry(State::Done, 100)).await;
    home.put("c", "two", "in/done.csv", &entry(State::Done, 100)).await;

    let by = |change: fn(&mut Filter)| {
        let mut filter = Filter::default();
        change(&mut filter);
        home.replay(filter, Run::Dry)
    };
    let (_, all) = by(|_| {}).await;
    assert_eq!(all.len(), 12, "all but what is removed: {all:?}");
    let (_, of) = by(|f| f.source = Some("c".into())).await;
    assert_eq!(of, ["c in/done.csv"]);
    let (_, of) = by(|f| f.prefix = Some(("one".into(), "other/".into()))).await;
    assert_eq!(of, ["b other/done.csv"]);
    let (_, of) = by(|f| f.prefix = Some(("two".into(), String::new()))).await;
    assert_eq!(of, ["c in/done.csv"]);
    let (_, of) = by(|f| f.states = States::of(["failed", "parked"])).await;
    assert_eq!(of, ["a in/failed.csv", "a in/parked.csv", "b in/failed.csv", "b in/parked.csv"]);
    let (_, of) = by(|f| {
        f.source = Some("a".into());
        f.since = Timestamp::new(10, 0).ok();
        f.until = Timestamp::new(30, 0).ok();
    })
    .await;
    assert_eq!(of, ["a in/done.csv", "a in/skipped.csv"], "from 10 on, and before 30");
    assert!(home.ordered().await.is_empty(), "a dry run orders nothing");
}

#[tokio::test]
async fn of_files_with_rejects_those_alone_are_ordered() {
    let home = home();
    let done = |rejects: u64| {
        let mut entry = entry(State::Done, 0);
        let counters = Counters { rows: 3, records: 3 - rejects, rejects, ..Counters::default() };
        entry.done = Some(Completion {
            etag: ETag::new("e"),
            fingerprint: "f".into(),
            at: entry.updated,
            counters,
            rejects: Vec::new(),
            drift: Vec::new(),
            notes: Vec::new(),
        });
        entry
    };
    let refused = Failure::new("too_many_rejects", "x", "x", Disposition::DeadLetter);
    home.put("a", "one", "in/clean.csv", &done(0)).await;
    home.put("a", "one", "in/some.csv", &done(2)).await;
    home.put("a", "one", "in/all.csv", &entry(State::Failed { failure: refused }, 0)).await;
    let filter = Filter { source: Some("a".into()), rejects: true, ..Filter::default() };
    let (_, of) = home.replay(filter, Run::Real).await;
    assert_eq!(of, ["a in/all.csv", "a in/some.csv"]);
    assert_eq!(home.ordered().await.len(), 2);
}

#[tokio::test]
async fn what_is_done_is_ordered_by_force_and_what_is_not_only_until_it_is() {
    let home = home();
    for state in states() {
        home.put("c", "two", state.name(), &entry(state, 0)).await;
    }
    let filter = Filter { source: Some("c".into()), ..Filter::default() };
    home.replay(filter, Run::Real).await;
    let orders = home.ordered().await;
    let of: Vec<_> = orders.iter().map(|o| (o.object.key.as_str(), o.force, o.unpark)).collect();
    let expected = [
        ("done", true, false),
        ("failed", false, true),
        ("parked", false, true),
        ("skipped", true, false),
        ("waiting", false, true),
    ];
    assert_eq!(of, expected);
    assert!(orders.iter().all(|o| o.source.as_deref() == Some("c")));
}

#[tokio::test]
async fn what_its_source_takes_no_more_is_counted_and_not_ordered() {
    let home = home();
    home.put("a", "one", "elsewhere/x.csv", &entry(State::Done, 0)).await;
    let filter = Filter { source: Some("a".into()), ..Filter::default() };
    let (replayed, _) = home.replay(filter, Run::Real).await;
    assert_eq!(replayed, Replayed { ordered: 0, untaken: 1 });
}

#[tokio::test]
async fn a_replay_of_more_than_a_page_orders_each_once() {
    let home = home();
    for n in 0..1_234 {
        home.put("c", "two", &format!("{n:05}"), &entry(State::Done, 0)).await;
    }
    let filter = Filter { source: Some("c".into()), ..Filter::default() };
    home.replay(filter, Run::Real).await;
    let keys: Vec<_> = home.ordered().await.into_iter().map(|o| o.object.key).collect();
    assert_eq!(keys.len(), 1_234);
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), 1_234);
}

#[tokio::test]
async fn dead_letters_are_ordered_and_forgotten_and_what_cannot_be_stays() {
    let home = home();
    home.put("a", "one", "in/x.csv", &entry(State::Failed { failure: failure() }, 0)).await;
    home.bury(&letter("one", "in/x.csv", "a")).await;
    let malformed = Failure::new("not_json", "it is no JSON", "x", Disposition::DeadLetter);
    home.bury(&DeadLetter::new(malformed, Timestamp::now(), "hello")).await;
    home.bury(&letter("one", "elsewhere/x.csv", "a")).await;
    // A message that failed as a whole: every source of the object.
    let order = Order::new(ObjectId::new("one", "in/y.csv"), OrderReason::Refresh);
    home.bury(&DeadLetter::new(failure(), Timestamp::now(), &order.to_body())).await;

    let expected = [
        "a in/x.csv gzip_truncated failed",
        "kept: the message is no JSON: expected value at line 1 column 1 (not_json)",
        "kept: the source a does not take s3://one/elsewhere/x.csv",
        "a in/y.csv gzip_truncated -",
        "b in/y.csv gzip_truncated -",
    ];
    let counts = Letters { letters: 2, ordered: 3, kept: 2, ..Letters::default() };
    let (report, seen) = home.letters(false, Run::Dry).await;
    assert_eq!((report, seen.as_slice()), (counts, expected.map(str::to_owned).as_slice()));
    assert_eq!(home.queue.depth().await.unwrap().dead_letters, 4, "a dry run leaves all");
    assert!(home.ordered().await.is_empty(), "and orders nothing");

    let (report, seen) = home.letters(false, Run::Real).await;
    assert_eq!((report, seen.as_slice()), (counts, expected.map(str::to_owned).as_slice()));
    let orders = home.ordered().await;
    assert_eq!(orders.len(), 3);
    assert!(orders.iter().all(|o| o.unpark && !o.force && o.reason == OrderReason::Replay));
    assert_eq!(home.queue.depth().await.unwrap().dead_letters, 2);
    let (again, _) = home.letters(false, Run::Real).await;
    assert_eq!((again.letters, again.kept), (0, 2), "those that stay can be seen at once");
}

/// elastic-serverless-forwarder #729: records that had been ingested polluted the replay queue.
/// The order says "take up what failed, and nothing that is done", so that not even a race between
/// the replay and a worker delivers twice; see also
/// `pain_18_the_dead_letter_of_a_file_that_is_done_since_delivers_nothing` of `inlet`'s own tests.
#[tokio::test]
async fn letters_about_the_same_are_one_order() {
    let home = home();
    for _ in 0..12 {
        home.bury(&letter("two", "x.csv", "c")).await;
    }
    for run in [Run::Dry, Run::Real] {
        let (report, seen) = home.letters(false, run).await;
        assert_eq!((report.letters, report.ordered, seen.len()), (12, 1, 1));
    }
    assert_eq!(home.ordered().await.len(), 1);
    let (report, _) = home.letters(false, Run::Real).await;
    assert_eq!(report, Letters::default(), "all of them are gone");
}

#[tokio::test]
async fn of_a_message_of_many_records_only_the_one_that_failed_is_ordered() {
    let home = home();
    let record = |key: &str| {
        serde_json::json!({"eventVersion": "2.1", "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": "two"}, "object": {"key": key, "sequencer": "0A"}}})
    };
    let body = serde_json::json!({"Records": [record("x"), record("y"), record("z")]}).to_string();
    let mut letter = DeadLetter::new(failure(), Timestamp::now(), &body);
    letter.object = Some(ObjectId::new("two", "y"));
    letter.source = Some("c".into());
    home.bury(&letter).await;
    home.letters(false, Run::Real).await;
    let keys: Vec<_> = home.ordered().await.into_iter().map(|o| o.object.key).collect();
    assert_eq!(keys, ["y"]);
}

#[tokio::test]
async fn the_part_of_a_letter_that_cannot_be_read_becomes_a_letter_of_its_own() {
    let home = home();
    let body = serde_json::json!({"Records": [
        {"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
         "s3": {"bucket": {"name": "two"}, "object": {"key": "x", "sequencer": "0A"}}},
        {"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
         "s3": {"bucket": {"name": "two"}}},
    ]});
    home.bury(&DeadLetter::new(failure(), Timestamp::now(), &body.to_string())).await;
    let (report, _) = home.letters(false, Run::Real).await;
    assert_eq!((report.letters, report.ordered), (1, 1));
    let left = home.queue.dead_letters().await.unwrap();
    let left: DeadLetter = serde_json::from_str(&left[0]).unwrap();
    assert_eq!(left.cause.code, "missing_field");
    assert_eq!(left.body, body["Records"][1].to_string(), "that record alone");
}

/// A queue that takes no orders, and one that forgets nothing.
struct Broken(Arc<SqliteQueue>);

#[async_trait]
impl Queue for Broken {
    async fn order(&self, _: &[Order], _: Duration) -> Result<(), QueueError> {
        Err(broken())
    }

    async fn bury(&self, letter: &DeadLetter) -> Result<(), QueueError> {
        self.0.bury(letter).await
    }

    async fn extend(&self, messages: &[Message], time: Duration) -> Result<(), QueueError> {
        self.0.extend(messages, time).await
    }

    async fn acknowledge(&self, message: &Message) -> Result<(), QueueError> {
        self.0.acknowledge(message).await
    }
}

#[async_trait]
impl DeadLetters for Broken {
    async fn take(&self, visibility: Duration) -> Result<Vec<crate::queue::Letter>, QueueError> {
        self.0.take(visibility).await
    }

    async fn put_back(&self, letters: &[crate::queue::Letter]) -> Result<(), QueueError> {
        self.0.put_back(letters).await
    }

    async fn forget(&self, _: &[crate::queue::Letter]) -> Result<(), QueueError> {
        Err(broken())
    }

    async fn depth(&self) -> Result<crate::queue::Depth, QueueError> {
        self.0.depth().await
    }
}

fn broken() -> QueueError {
    QueueError { queue: "q".into(), action: "do it", cause: "no".into() }
}

#[tokio::test]
async fn a_letter_is_forgotten_only_after_its_order_was_sent() {
    let home = home();
    home.bury(&letter("two", "x", "c")).await;
    let broken = Arc::new(Broken(home.queue.clone()));
    let see = &mut |_: Asked<'_>| {};
    let unsent = Ports { queue: broken.clone(), ..home.ports.clone() };
    dead_letters(&unsent, &home.catalog, false, Run::Real, see).await.unwrap_err();
    assert_eq!(home.queue.depth().await.unwrap().dead_letters, 1, "nothing was lost");

    let unforgotten = Ports { letters: broken, ..home.ports.clone() };
    dead_letters(&unforgotten, &home.catalog, false, Run::Real, see).await.unwrap_err();
    assert_eq!(home.ordered().await.len(), 1);
    let (again, _) = home.letters(false, Run::Real).await;
    assert_eq!(again.ordered, 1, "ordered twice, at worst");
    assert_eq!(home.queue.depth().await.unwrap().dead_letters, 0);
}

/// A clock that stands still at its time.
struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

#[tokio::test]
async fn what_fails_again_while_the_letters_are_replayed_is_not_replayed_again() {
    let home = home();
    home.bury(&letter("two", "x", "c")).await;
    let before = Timestamp::now() - jiff::SignedDuration::from_secs(60);
    let ports = Ports { clock: Arc::new(At(before)), ..home.ports.clone() };
    let see = &mut |_: Asked<'_>| {};
    let report = dead_letters(&ports, &home.catalog, false, Run::Real, see).await.unwrap();
    assert_eq!(report, Letters { newer: 1, ..Letters::default() });
    assert!(home.ordered().await.is_empty());
    assert_eq!(home.letters(false, Run::Real).await.0.ordered, 1, "the next replay takes it");
}
