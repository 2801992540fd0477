//! The pipeline on one machine, with a destination that misbehaves as it is told.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::*;
use crate::catalog::{Catalog, Destination, FixedCatalog};
use crate::clock::SystemClock;
use crate::delivery::{Delivery, DeliveryError, Event};
use crate::format::Shape;
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{EntryKey, Shapes, State};
use crate::local::Database;
use crate::object::directory::DirectoryObjects;
use crate::observe::Log;
use crate::queue::sqlite::SqliteQueue;
use crate::rejects::directory::DirectoryRejects;

/// What the destination does with the events of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Fine,
    Panics,
    Hangs,
    FailsTimes(u32),
    Refuses,
}

#[derive(Default)]
struct Moody {
    moods: Mutex<Vec<(String, Mood)>>,
    sends: AtomicU32,
    taken: Mutex<Vec<Value>>,
}

#[async_trait]
impl Delivery for Moody {
    async fn send(&self, event: &Event) -> Result<(), DeliveryError> {
        let body: Value = serde_json::from_str(&event.body).unwrap();
        let key = body["data"]["object"]["key"].as_str().unwrap().to_owned();
        let mood = {
            let mut moods = self.moods.lock().unwrap();
            let mood = moods.iter_mut().find(|(of, _)| *of == key).map(|(_, mood)| mood);
            match mood {
                Some(Mood::FailsTimes(0)) | None => Mood::Fine,
                Some(Mood::FailsTimes(n)) => {
                    *n -= 1;
                    Mood::FailsTimes(*n)
                }
                Some(mood) => *mood,
            }
        };
        self.sends.fetch_add(1, Ordering::SeqCst);
        let error = |passing| DeliveryError {
            destination: "moody".into(),
            event: event.id.clone(),
            cause: "no".into(),
            passing,
        };
        match mood {
            Mood::Fine => {
                self.taken.lock().unwrap().push(body);
                Ok(())
            }
            Mood::Panics => panic!("the destination's client panics"),
            Mood::Hangs => std::future::pending().await,
            Mood::FailsTimes(_) => Err(error(true)),
            Mood::Refuses => Err(error(false)),
        }
    }

    fn concurrency(&self) -> usize {
        4
    }
}

struct One(Arc<Moody>);

impl Deliveries for One {
    fn to(&self, _destination: &Destination) -> Result<Arc<dyn Delivery>, Failure> {
        Ok(self.0.clone())
    }
}

struct Home {
    directory: tempfile::TempDir,
    ledger: Arc<SqliteLedger>,
    queue: Arc<SqliteQueue>,
    moody: Arc<Moody>,
    ingest: Arc<Ingest>,
}

fn home() -> Home {
    home_of("path = \"*.csv\"")
}

fn home_of(more: &str) -> Home {
    let directory = tempfile::tempdir().unwrap();
    let connection = ("c.toml", "key = \"c\"\nname = \"C\"\n");
    let source = format!("key = \"s\"\nconnection = \"c\"\nbucket = \"drop-here\"\n{more}\n");
    let source = ("s.toml", source.as_str());
    let catalog = Catalog::from_toml(&[connection], &[source]).unwrap();
    let database = Database::open(&directory.path().join("inlet.db")).unwrap();
    fs::create_dir_all(directory.path().join("buckets/drop-here")).unwrap();
    let ledger = Arc::new(SqliteLedger::new(database.clone()));
    let queue = Arc::new(SqliteQueue::new(database.clone(), Arc::new(SystemClock)));
    let moody = Arc::new(Moody::default());
    let ports = Ports {
        catalog: Arc::new(FixedCatalog::new(catalog)),
        ledger: ledger.clone(),
        shapes: ledger.clone(),
        objects: Arc::new(DirectoryObjects::new(directory.path().join("buckets"), database)),
        queue: queue.clone(),
        deliveries: Arc::new(One(moody.clone())),
        rejects: Arc::new(DirectoryRejects::new(directory.path())),
        clock: Arc::new(SystemClock),
        observer: Arc::new(Log),
    };
    let ingest = Ingest::new(ports, "w", 4);
    Home { directory, ledger, queue, moody, ingest }
}

impl Home {
    fn put(&self, key: &str, mood: Mood) -> Value {
        self.put_content(key, mood, format!("id\n{key}\n").as_bytes())
    }

    fn put_content(&self, key: &str, mood: Mood, content: &[u8]) -> Value {
        let path = self.directory.path().join("buckets/drop-here").join(key);
        let etag = crate::hash::hex(&Sha256::digest(content));
        fs::write(path, content).unwrap();
        self.moody.moods.lock().unwrap().push((key.to_owned(), mood));
        json!({"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": "drop-here"}, 
                "object": {"key": key, "eTag": etag, "sequencer": "0A"}}})
    }

    async fn state(&self, key: &str) -> Option<State> {
        let key = EntryKey::new("s", ObjectId::new("drop-here", key));
        self.ledger.get(&key).await.unwrap().map(|stored| stored.entry.state)
    }

    fn delivered(&self, key: &str, kind: &str) -> usize {
        let taken = self.moody.taken.lock().unwrap();
        let of = |e: &&Value| e["data"]["object"]["key"] == key && e["type"] == kind;
        taken.iter().filter(of).count()
    }

    async fn dead_letters(&self) -> Vec<Value> {
        let letters = self.queue.dead_letters().await.unwrap();
        letters.iter().map(|letter| serde_json::from_str(letter).unwrap()).collect()
    }
}

fn message(id: &str, receives: u32, records: &[Value]) -> Message {
    let body = json!({ "Records": records }).to_string();
    Message { id: id.into(), receipt: id.into(), body, receives }
}

const RECORDS: &str = "inlet.records.v1";
const COMPLETED: &str = "inlet.object.completed.v1";

#[tokio::test]
async fn a_panic_in_the_work_on_one_object_fails_that_object_alone() {
    let home = home();
    let batch = vec![
        message("1", 1, &[home.put("a.csv", Mood::Fine)]),
        message("2", 1, &[home.put("b.csv", Mood::Panics)]),
        message("3", 1, &[home.put("c.csv", Mood::Fine)]),
        Message { body: "{".into(), ..message("4", 1, &[]) },
    ];
    let outcomes = home.ingest.messages(batch, None).await;
    assert_eq!(outcomes[0], Outcome::Acknowledge);
    assert!(matches!(outcomes[1], Outcome::Return { .. }), "{outcomes:?}");
    assert_eq!(outcomes[2], Outcome::Acknowledge);
    assert_eq!(outcomes[3], Outcome::Acknowledge, "what can never be read is buried at once");
    for key in ["a.csv", "c.csv"] {
        assert_eq!(home.state(key).await, Some(State::Done));
        assert_eq!(home.delivered(key, COMPLETED), 1);
    }
    let letters = home.dead_letters().await;
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!(letters[0]["body"], "{");
}

#[tokio::test]
async fn work_that_does_not_end_before_the_deadline_comes_back_and_holds_up_nothing() {
    let home = home();
    let batch = vec![
        message("1", 1, &[home.put("slow.csv", Mood::Hangs)]),
        message("2", 1, &[home.put("quick.csv", Mood::Fine)]),
    ];
    let deadline = Instant::now() + Duration::from_millis(500);
    let outcomes = home.ingest.messages(batch, Some(deadline)).await;
    assert!(Instant::now() < deadline + Duration::from_secs(5), "the deadline is respected");
    assert!(matches!(outcomes[0], Outcome::Return { .. }), "{outcomes:?}");
    assert_eq!(outcomes[1], Outcome::Acknowledge);
    let Some(State::Waiting { failure }) = home.state("slow.csv").await else { panic!() };
    assert_eq!(failure.code, "deadline");
    assert_eq!(home.state("quick.csv").await, Some(State::Done));
}

#[tokio::test]
async fn of_a_strict_source_nothing_is_published_of_a_file_above_its_limit() {
    for (rows, large) in [(40, false), (40_000, true)] {
        let home = home_of(
            "[fields]\nn = { type = \"integer\" }\n[rejects]\nstrict = true\nmax_count = 1",
        );
        let table = |wrong: &str| {
            let rows: String = (0..rows).map(|n| format!("{n},some text\n")).collect();
            format!("n,text\n{rows}{wrong}")
        };
        let good = home.put_content("good.csv", Mood::Fine, table("x,1\n").as_bytes());
        let bad = home.put_content("bad.csv", Mood::Fine, table("x,1\ny,2\n").as_bytes());
        let batch = vec![message("1", 1, &[good]), message("2", 1, &[bad])];
        let outcomes = home.ingest.messages(batch, None).await;
        assert_eq!(outcomes, [Outcome::Acknowledge, Outcome::Acknowledge]);
        assert_eq!(home.state("good.csv").await, Some(State::Done), "large: {large}");
        assert!(home.delivered("good.csv", RECORDS) > 0);
        let Some(State::Failed { failure }) = home.state("bad.csv").await else { panic!() };
        assert_eq!(failure.code, "too_many_rejects");
        assert_eq!(home.delivered("bad.csv", RECORDS), 0, "large: {large}");
        assert!(failure.remedy.contains("The rejects so far"), "{failure}");
    }
}

#[tokio::test]
async fn each_member_of_an_archive_is_a_table_of_its_own() {
    let home = home_of("");
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in [("2026/deals.csv", "id\n1\n2\n"), ("people.csv", "name\nAnn\n")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, name, content.as_bytes()).unwrap();
    }
    let notice = home.put_content("all.tar", Mood::Fine, &archive.into_inner().unwrap());
    let outcomes = home.ingest.messages(vec![message("1", 1, &[notice])], None).await;
    assert_eq!(outcomes, [Outcome::Acknowledge]);
    assert_eq!(home.state("all.tar").await, Some(State::Done));
    let taken = home.moody.taken.lock().unwrap().clone();
    let batches: Vec<_> = taken.iter().filter(|event| event["type"] == RECORDS).collect();
    let seen: Vec<_> = batches
        .iter()
        .map(|e| {
            (
                e["data"]["table"].clone(),
                e["data"]["member"].clone(),
                e["data"]["records"][0]["values"].clone(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (json!("deals"), json!("2026/deals.csv"), json!({"id": "1"})),
            (json!("people"), json!("people.csv"), json!({"name": "Ann"})),
        ]
    );
    let rows: Vec<_> =
        batches.iter().flat_map(|e| e["data"]["records"].as_array().unwrap()).collect();
    let ids: std::collections::HashSet<_> = rows.iter().map(|r| r["id"].to_string()).collect();
    assert_eq!(ids.len(), 3, "ids tell the members apart: {ids:?}");
}

#[tokio::test]
async fn a_destination_that_fails_for_a_moment_costs_no_attempt() {
    let home = home();
    let batch = vec![message("1", 1, &[home.put("a.csv", Mood::FailsTimes(2))])];
    assert_eq!(home.ingest.messages(batch, None).await, [Outcome::Acknowledge]);
    assert_eq!(home.state("a.csv").await, Some(State::Done));
}

#[tokio::test]
async fn a_destination_that_refuses_ends_in_a_dead_letter_with_the_cause() {
    let home = home();
    let batch = vec![message("1", 1, &[home.put("a.csv", Mood::Refuses)])];
    assert_eq!(home.ingest.messages(batch, None).await, [Outcome::Acknowledge]);
    let Some(State::Failed { failure }) = home.state("a.csv").await else { panic!() };
    assert_eq!(failure.code, "destination_refused");
    let letters = home.dead_letters().await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0]["cause"]["code"], "destination_refused");
    assert_eq!(letters[0]["object"]["key"], "a.csv");

    // When the cause is mended, the dead letter itself brings the object back.
    home.moody.moods.lock().unwrap().clear();
    let body = letters[0].to_string();
    let batch = vec![Message { body, ..message("2", 1, &[]) }];
    assert_eq!(home.ingest.messages(batch, None).await, [Outcome::Acknowledge]);
    assert_eq!(home.state("a.csv").await, Some(State::Done));
}

#[tokio::test]
async fn the_last_receive_of_a_message_ends_with_the_cause_in_the_dead_letters() {
    let home = home();
    let notice = home.put("a.csv", Mood::Hangs);
    let deadline = Instant::now() + Duration::from_millis(200);
    let last = message("1", MAX_RECEIVES, &[notice]);
    // The destination hangs for the notice of failure too: that is not what the message waits for.
    let outcomes = home.ingest.messages(vec![last], Some(deadline)).await;
    assert_eq!(outcomes, [Outcome::Acknowledge]);
    let letters = home.dead_letters().await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0]["cause"]["code"], "deadline");
    assert!(matches!(home.state("a.csv").await, Some(State::Failed { .. })));
}

#[tokio::test]
async fn notices_of_one_object_in_one_batch_are_taken_one_after_the_other() {
    let home = home();
    let created = home.put("a.csv", Mood::Fine);
    let mut removed = created.clone();
    removed["eventName"] = "ObjectRemoved:Delete".into();
    removed["s3"]["object"]["sequencer"] = "0B".into();
    let batch = vec![message("1", 1, &[created.clone(), created]), message("2", 1, &[removed])];
    let outcomes = home.ingest.messages(batch, None).await;
    assert_eq!(outcomes, [Outcome::Acknowledge, Outcome::Acknowledge]);
    assert_eq!(home.queue.waiting().await.unwrap(), 0, "nobody waited for a lease");
    assert_eq!(home.delivered("a.csv", COMPLETED), 1);
    assert_eq!(home.delivered("a.csv", "inlet.object.removed.v1"), 1);
    assert_eq!(home.state("a.csv").await, Some(State::Removed));
}

#[tokio::test]
async fn a_notice_that_meets_another_worker_is_ordered_anew() {
    let home = home();
    let notice = home.put("a.csv", Mood::Hangs);
    let first = {
        let (ingest, batch) =
            (home.ingest.clone(), vec![message("1", 1, std::slice::from_ref(&notice))]);
        tokio::spawn(async move { ingest.messages(batch, None).await })
    };
    while home.moody.sends.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let outcomes = home.ingest.messages(vec![message("2", 1, &[notice])], None).await;
    assert_eq!(outcomes, [Outcome::Acknowledge], "the message itself is done with");
    assert_eq!(home.queue.waiting().await.unwrap(), 1, "its notice is ordered anew");
    first.abort();
}

#[tokio::test]
async fn a_file_is_read_as_the_one_before_and_what_changed_is_told() {
    let home = home();
    // Letters of two encodings, in which few words tell one from the other.
    let (polish, _, _) = encoding_rs::WINDOWS_1250.encode(
        "id;imię;miasto\n1;Łukasz Żółć;Łódź\n2;Święty Jaźń;Kraków\n3;Gęślą;Wrocław\n4;Źdźbło;Gdańsk\n",
    );
    let (short, _, _) = encoding_rs::WINDOWS_1250.encode("id;imię;kraj\n5;Ľ;x\n");
    for (n, (key, content)) in
        [("people-1.csv", &polish), ("people-2.csv", &short)].iter().enumerate()
    {
        let put = home.put_content(key, Mood::Fine, content);
        let outcomes = home.ingest.messages(vec![message(&n.to_string(), 1, &[put])], None).await;
        assert_eq!(outcomes, [Outcome::Acknowledge]);
    }
    let values = |key: &str| {
        let taken = home.moody.taken.lock().unwrap();
        let of = |e: &&Value| e["data"]["object"]["key"] == key && e["type"] == RECORDS;
        taken.iter().find(of).unwrap()["data"]["records"][0]["values"].clone()
    };
    assert_eq!(values("people-2.csv"), json!({"id": "5", "imię": "Ľ", "kraj": "x"}));
    let told = |key: &str| {
        let taken = home.moody.taken.lock().unwrap();
        let of = |e: &&Value| e["data"]["object"]["key"] == key && e["type"] == COMPLETED;
        taken.iter().find(of).unwrap()["data"]["drift"].clone()
    };
    assert_eq!(told("people-1.csv"), Value::Null, "nothing came before");
    let drift = json!([{"change": "column_added", "column": "kraj"},
        {"change": "column_removed", "column": "miasto"}]);
    assert_eq!(told("people-2.csv"), drift);
    let entry = EntryKey::new("s", ObjectId::new("drop-here", "people-2.csv"));
    let entry = home.ledger.get(&entry).await.unwrap().unwrap().entry;
    assert_eq!(entry.done.unwrap().drift.len(), 2, "the ledger knows, too");
}

#[tokio::test]
async fn a_repeat_is_read_as_it_was_at_first_whatever_came_in_between() {
    let home = home();
    // Cells that a comma divides as well as a semicolon.
    let put = home.put_content("a.csv", Mood::Fine, b"1,5;2\n3,5;4\n");
    let one = vec![message("1", 1, &[put])];
    assert_eq!(home.ingest.messages(one, None).await, [Outcome::Acknowledge]);
    let other = Shape {
        kind: crate::catalog::FormatKind::Csv,
        encoding: None,
        delimiter: Some(",".into()),
        header: false,
        columns: vec!["column_1".into(), "column_2".into()],
    };
    home.ledger.keep("s", "a", &other).await.unwrap();
    let mut order = crate::notice::Order::new(
        ObjectId::new("drop-here", "a.csv"),
        crate::notice::OrderReason::Replay,
    );
    order.force = true;
    let again = Message { body: order.to_body(), ..message("2", 1, &[]) };
    assert_eq!(home.ingest.messages(vec![again], None).await, [Outcome::Acknowledge]);
    let taken = home.moody.taken.lock().unwrap();
    let records: Vec<&Value> = taken.iter().filter(|e| e["type"] == RECORDS).collect();
    assert_eq!(records.len(), 2, "delivered again");
    assert_eq!(records[0]["id"], records[1]["id"]);
    assert_eq!(records[0]["data"]["records"], records[1]["data"]["records"]);
}
