//! Stretches over a bucket and a queue that misbehave as they are told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::catalog::{Catalog, Connection};
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{EntryKey, Version};
use crate::local::Database;
use crate::notice::DeadLetter;
use crate::object::{ObjectError, ObjectErrorKind, ObjectId, Opened, Pin};
use crate::queue::{Message, Queue, QueueError};

/// Keys of a page.
pub(super) const PAGE: usize = 7;

/// The n-th call, from 0 on: does it fail, and how?
type Mood = Box<dyn FnMut(usize) -> Option<ObjectErrorKind> + Send>;

/// A bucket of which nothing is ever read.
pub(super) struct Bucket {
    pub(super) objects: Mutex<BTreeMap<String, Listed>>,
    pub(super) calls: Mutex<usize>,
    pub(super) mood: Mutex<Mood>,
    /// What was ordered by the time of each call.
    ordered: Mutex<Vec<usize>>,
    queue: Arc<Taking>,
}

#[async_trait]
impl Objects for Bucket {
    async fn open(
        &self,
        _: &Connection,
        object: &ObjectId,
        _: &Pin,
    ) -> Result<Opened, ObjectError> {
        panic!("a refresh reads no object, and so not {object}");
    }

    async fn list(
        &self,
        _: &Connection,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Vec<Listed>, ObjectError> {
        let call = {
            let mut calls = self.calls.lock().unwrap();
            *calls += 1;
            *calls - 1
        };
        self.ordered.lock().unwrap().push(self.queue.orders.lock().unwrap().len());
        tokio::time::sleep(Duration::from_millis(50)).await;
        if let Some(kind) = (self.mood.lock().unwrap())(call) {
            return Err(ObjectError::new(&ObjectId::new(bucket, prefix), kind));
        }
        let objects = self.objects.lock().unwrap();
        let behind = objects.values().filter(|l| after.is_none_or(|after| l.key.as_str() > after));
        Ok(behind.filter(|l| l.key.starts_with(prefix)).take(PAGE).cloned().collect())
    }
}

/// A queue that keeps what it takes, and refuses when it is told.
#[derive(Default)]
pub(super) struct Taking {
    pub(super) orders: Mutex<Vec<Order>>,
    pub(super) refuses: Mutex<Vec<usize>>,
    calls: Mutex<usize>,
}

#[async_trait]
impl Queue for Taking {
    async fn order(&self, orders: &[Order], _: Duration) -> Result<(), QueueError> {
        let call = {
            let mut calls = self.calls.lock().unwrap();
            *calls += 1;
            *calls - 1
        };
        if self.refuses.lock().unwrap().contains(&call) {
            let queue = "q".to_owned();
            return Err(QueueError { queue, action: "take orders", cause: "no".into() });
        }
        self.orders.lock().unwrap().extend_from_slice(orders);
        Ok(())
    }

    async fn bury(&self, _: &DeadLetter) -> Result<(), QueueError> {
        panic!("a refresh buries nothing");
    }

    async fn extend(&self, _: &[Message], _: Duration) -> Result<(), QueueError> {
        panic!("a refresh receives nothing");
    }

    async fn acknowledge(&self, _: &Message) -> Result<(), QueueError> {
        panic!("a refresh receives nothing");
    }
}

/// Virtual time.
struct Virtual(tokio::time::Instant);

impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        at(1_000_000) + SignedDuration::try_from(self.0.elapsed()).unwrap()
    }
}

pub(super) struct Home {
    pub(super) bucket: Arc<Bucket>,
    pub(super) queue: Arc<Taking>,
    pub(super) catalog: Catalog,
    pub(super) ports: Ports,
    _directory: tempfile::TempDir,
}

/// A bucket with so many files of a source, with as many files of nobody between them, and a ledger
/// that knows every third of them.
pub(super) async fn home(files: usize) -> Home {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::open(&directory.path().join("inlet.db")).unwrap();
    let connection = ("c.toml", "key = \"c\"\nname = \"C\"\n");
    let source = "key = \"s\"\nconnection = \"c\"\nbucket = \"drop\"\npath = \"in/**/*.csv\"\n";
    let catalog = Catalog::from_toml(&[connection], &[("s.toml", source)]).unwrap();
    let queue = Arc::new(Taking::default());
    let keys = (0..files).flat_map(|n| [key(n), format!("in/{n:05}.txt"), format!("out/{n}.csv")]);
    let line = |key: String| (key.clone(), Listed { key, ..listed("1") });
    let bucket = Arc::new(Bucket {
        objects: Mutex::new(keys.map(line).collect()),
        calls: Mutex::default(),
        mood: Mutex::new(Box::new(|_| None)),
        ordered: Mutex::default(),
        queue: queue.clone(),
    });
    let ledger = Arc::new(SqliteLedger::new(database));
    for n in (0..files).step_by(3) {
        let key = EntryKey::new("s", ObjectId::new("drop", key(n)));
        let known = Entry {
            fingerprint: catalog.source("s").unwrap().fingerprint(),
            ..entry(State::Done, "1")
        };
        ledger.put_if(&key, Version::NONE, &known).await.unwrap();
    }
    let ports = Ports {
        ledger: ledger.clone(),
        objects: bucket.clone(),
        queue: queue.clone(),
        journal: ledger,
        clock: Arc::new(Virtual(tokio::time::Instant::now())),
    };
    Home { bucket, queue, catalog, ports, _directory: directory }
}

pub(super) fn key(n: usize) -> String {
    format!("in/{n:05}.csv")
}

impl Home {
    pub(super) fn source(&self) -> &Source {
        self.catalog.source("s").unwrap()
    }

    async fn stretch(&self, after: Option<&str>, until: Option<Instant>) -> Stretch {
        refresh(&self.ports, &self.catalog, self.source(), false, after, until).await
    }

    /// Stretches until the end, each begun where the one before came to; answers the sum.
    async fn stretches(&self) -> (Report, usize) {
        let (mut report, mut after) = (Report::default(), None::<String>);
        for n in 1..1_000 {
            let stretch = self.stretch(after.as_deref(), None).await;
            assert!(stretch.after >= after, "never back");
            report.add(stretch.report);
            after = stretch.after;
            assert_eq!(stretch.ended, stretch.failure.is_none());
            if stretch.ended {
                return (report, n);
            }
        }
        panic!("it never ends");
    }

    pub(super) fn ordered(&self) -> Vec<String> {
        self.queue.orders.lock().unwrap().iter().map(|order| order.object.key.clone()).collect()
    }

    pub(super) fn pages(&self) -> usize {
        self.bucket.objects.lock().unwrap().keys().filter(|k| k.starts_with("in/")).count() / PAGE
    }
}

/// The keys that the ledger does not know.
pub(super) fn unknown(files: usize) -> Vec<String> {
    (0..files).filter(|n| n % 3 != 0).map(key).collect()
}

/// beats #39065 and #52721: a throttled listing moved the watermark past objects that were not read.
#[tokio::test(start_paused = true)]
async fn a_listing_that_is_throttled_at_any_page_passes_over_no_key() {
    let pages = home(60).await.pages();
    for page in 0..=pages {
        for refusals in [1, 3, 4, 9, 17] {
            let home = home(60).await;
            *home.bucket.mood.lock().unwrap() = Box::new(move |call| {
                (page..page + refusals)
                    .contains(&call)
                    .then(|| ObjectErrorKind::Unavailable("SlowDown".into()))
            });
            let (report, stretches) = home.stretches().await;
            assert_eq!(home.ordered(), unknown(60), "page {page}, refused {refusals} times");
            assert_eq!((report.listed, report.new), (60, 40), "each counted once");
            assert_eq!(stretches, 1 + refusals / 4, "asked for four times before it is an end");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_is_refused_for_good_ends_with_its_cause_and_what_came_before_is_ordered() {
    let home = home(60).await;
    *home.bucket.mood.lock().unwrap() =
        Box::new(|call| (call >= 5).then(|| ObjectErrorKind::Denied("no".into())));
    let stretch = home.stretch(None, None).await;
    assert_eq!(stretch.failure.unwrap().code, "access_denied");
    assert!(!stretch.ended);
    // Five pages of seven keys, every other one a file of the source.
    assert_eq!(stretch.after, Some(key(17)));
    assert_eq!(home.ordered(), unknown(18));
    assert_eq!(stretch.report.new, 12);
    assert_eq!(*home.bucket.calls.lock().unwrap(), 6, "what is denied is not asked for again");
}

#[tokio::test(start_paused = true)]
async fn orders_that_are_refused_are_found_again() {
    for refused in [vec![0], vec![1], vec![2], vec![0, 1, 2, 3]] {
        let home = home(400).await;
        home.queue.refuses.lock().unwrap().clone_from(&refused);
        let (report, _) = home.stretches().await;
        assert_eq!(home.ordered(), unknown(400), "refused {refused:?}");
        assert_eq!((report.listed, report.new), (400, 266), "counted when they were sent");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stretch_whose_time_is_over_comes_one_key_further_all_the_same() {
    let home = home(20).await;
    let mut after = None;
    let mut stretches = 0;
    loop {
        let stretch = home.stretch(after.as_deref(), Some(Instant::now())).await;
        assert_eq!(stretch.failure, None);
        if stretch.ended {
            break;
        }
        assert!(stretch.after > after, "a stretch without progress would be repeated for ever");
        after = stretch.after;
        stretches += 1;
    }
    assert_eq!(stretches, 40, "one for each key under the prefix, taken or not");
    assert_eq!(home.ordered(), unknown(20));
}

/// beats #39116: the state of a poll took a gigabyte for a million objects.
#[tokio::test(start_paused = true)]
async fn a_page_is_listed_only_when_the_one_before_is_done_with() {
    let home = home(2_000).await;
    home.stretches().await;
    let ordered = home.bucket.ordered.lock().unwrap();
    for (call, sent) in ordered.iter().enumerate() {
        // Half the keys are files of the source, and two thirds of these are unknown.
        let due = (call * PAGE / 2) * 2 / 3;
        assert!(sent + ORDERS + PAGE >= due, "at call {call}: {sent} sent of {due}");
    }
    assert_eq!(home.ordered().len(), unknown(2_000).len());
    let distinct: BTreeSet<_> = home.ordered().into_iter().collect();
    assert_eq!(distinct.len(), unknown(2_000).len(), "each once");
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_is_found_from_the_middle_too() {
    let home = home(30).await;
    home.bucket.objects.lock().unwrap().retain(|key, _| key.as_str() < "in/00020");
    let stretch = home.stretch(Some("in/00010"), None).await;
    assert_eq!((stretch.report.gone, stretch.report.new), (3, 7));
    assert!(home.ordered().iter().all(|key| key.as_str() > "in/00010"));
}

#[tokio::test(start_paused = true)]
async fn an_order_says_which_content_the_listing_told_of() {
    let home = home(3).await;
    home.bucket.objects.lock().unwrap().remove(&key(0));
    home.stretches().await;
    let orders = home.queue.orders.lock().unwrap();
    let etags: Vec<_> = orders.iter().map(|o| o.etag.as_ref().map(ETag::as_str)).collect();
    assert_eq!(etags, [None, Some("1"), Some("1")], "of what is gone there is none");
}
