//! What every ledger and every queue must do, whatever they are made of: the suites that each adapter
//! passes.

#![expect(clippy::unwrap_used, reason = "this is a test: what fails here is to fail it")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use inlet::catalog::{Encoding, Format, FormatKind};
use inlet::failure::{Disposition, Failure};
use inlet::format::{self, Drift, Expected, Hints, Limits, Position, Shape};
use inlet::ledger::{
    Checkpoint, Completion, Entry, EntryKey, Ledger, PutError, Range, Shapes, State, Version, Work,
};
use inlet::notice::{DeadLetter, Order, OrderReason};
use inlet::object::{ETag, ObjectId, ObjectVersion, Sequencer};
use inlet::queue::{DeadLetters, Letter, Queue};
use inlet::record::Counters;
use inlet::refresh::{Journal, Kind, Lease, Pass, Progress, Report};
use jiff::Timestamp;

/// Runs the whole suite; panics at the first thing that is not as it must be. The ledger may hold
/// other entries, but none of sources whose key begins with `suite-`.
pub async fn ledger(ledger: Arc<dyn Ledger>) {
    an_entry_comes_back_as_it_was_written(&*ledger).await;
    a_write_over_another_version_is_refused(&*ledger).await;
    of_many_writers_over_one_version_one_wins(&ledger).await;
    entries_of_other_sources_and_buckets_are_others(&*ledger).await;
    a_scan_comes_in_byte_order_and_sees_all(&*ledger).await;
    a_scan_of_a_range_sees_that_and_nothing_else(&*ledger).await;
    keys_of_every_kind_are_kept_apart(&*ledger).await;
}

fn key(source: &str, key: &str) -> EntryKey {
    EntryKey::new(source, ObjectId::new("bucket", key))
}

/// An entry with every field set, in each of the states.
fn entries() -> Vec<Entry> {
    let failure = Failure::new("x", "what \"happened\"", "do this", Disposition::Park);
    let states = [
        State::Waiting { failure: failure.clone() },
        State::Running { owner: "w".into(), until: at(60), work: Work::Ingest },
        State::Running { owner: "w".into(), until: at(61), work: Work::Remove },
        State::Done,
        State::Skipped { reason: "seen before".into() },
        State::Parked { failure: failure.clone() },
        State::Failed { failure },
        State::Removed,
    ];
    states.into_iter().map(entry).collect()
}

fn entry(state: State) -> Entry {
    Entry {
        state,
        version: Some(ObjectVersion {
            etag: ETag::new("etag-2"),
            version_id: Some("v1".into()),
            size: Some(u64::from(u32::MAX) * 1_000),
            last_modified: Some(at(-1)),
        }),
        sequencer: Some(Sequencer::new("0055AED6DCD90281E5")),
        sequencer_exact: true,
        epoch: 7,
        attempts: 2,
        reference: Some("r".into()),
        generation: 6,
        removing: true,
        expected: Some(Expected {
            encoding: Encoding::for_label("shift_jis"),
            delimiter: Some("\t".into()),
            header: Some("0123".into()),
        }),
        checkpoint: Some(checkpoint()),
        fingerprint: "f".into(),
        done: Some(Completion {
            etag: ETag::new("etag-1"),
            fingerprint: "e".into(),
            at: "2026-02-01T10:11:12.123456789Z".parse().unwrap(),
            counters: Counters {
                rows: 3,
                records: 1,
                rejects: 1,
                skipped: 1,
                ..Default::default()
            },
            rejects: vec!["s3://state/rejects/ü.ndjson".into()],
            drift: vec![
                Drift::ColumnAdded { column: "ü".into() },
                Drift::Width { before: 2, now: 3 },
                Drift::ColumnsMoved,
            ],
            notes: vec!["the column \" Id \" was taken for \"id\"".into()],
        }),
        seen: vec![ETag::new("a"), ETag::new("b")],
        updated: at(1),
    }
}

fn checkpoint() -> Checkpoint {
    let (_, mut detected) =
        format::open(&b"a;b\n1;2\n"[..], Hints::default(), &Format::default(), Limits::default())
            .unwrap();
    detected.columns.push("ü \"x\"".into());
    Checkpoint {
        at: Position {
            byte_offset: u64::MAX,
            line: 0,
            row: u64::from(u32::MAX) + 1,
            encoding: None,
        },
        counters: Counters { rows: 7, records: 7, ..Default::default() },
        rejects: vec!["s3://state/rejects/1.ndjson".into()],
        detected: Some(detected),
        pauses: 3,
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::new(second, 0).unwrap()
}

async fn an_entry_comes_back_as_it_was_written(ledger: &dyn Ledger) {
    let key = key("suite-round", "a.csv");
    assert_eq!(ledger.get(&key).await.unwrap(), None, "nothing is there before");
    let mut version = Version::NONE;
    let bare = Entry {
        version: None,
        sequencer: None,
        reference: None,
        expected: None,
        checkpoint: None,
        done: None,
        seen: Vec::new(),
        ..entry(State::Removed)
    };
    for entry in entries().into_iter().chain([bare]) {
        version = ledger.put_if(&key, version, &entry).await.unwrap();
        let stored = ledger.get(&key).await.unwrap().expect("it was written");
        assert_eq!(stored.entry, entry);
        assert_eq!(stored.version, version);
    }
}

async fn a_write_over_another_version_is_refused(ledger: &dyn Ledger) {
    let key = key("suite-swap", "a.csv");
    let (first, second) = (entry(State::Done), entry(State::Removed));
    let one = ledger.put_if(&key, Version::NONE, &first).await.unwrap();
    let refused = ledger.put_if(&key, Version::NONE, &second).await;
    assert!(matches!(refused, Err(PutError::Conflict)), "{refused:?}");
    let two = ledger.put_if(&key, one, &second).await.unwrap();
    assert!(two > one);
    let refused = ledger.put_if(&key, one, &first).await;
    assert!(matches!(refused, Err(PutError::Conflict)), "{refused:?}");
    assert_eq!(ledger.get(&key).await.unwrap().unwrap().entry, second, "nothing was changed");
}

async fn of_many_writers_over_one_version_one_wins(ledger: &Arc<dyn Ledger>) {
    let key = key("suite-race", "a.csv");
    let mut version = Version::NONE;
    for round in 0..5 {
        let mut writers = tokio::task::JoinSet::new();
        for n in 0..8 {
            let (ledger, key) = (Arc::clone(ledger), key.clone());
            writers.spawn(async move {
                let owner = format!("{round}-{n}");
                let state =
                    State::Running { owner: owner.clone(), until: at(60), work: Work::Ingest };
                (owner, ledger.put_if(&key, version, &entry(state)).await)
            });
        }
        let mut winners = Vec::new();
        while let Some(ended) = writers.join_next().await {
            match ended.unwrap() {
                (owner, Ok(version)) => winners.push((owner, version)),
                (_, Err(PutError::Conflict)) => {}
                (_, Err(error)) => panic!("{error}"),
            }
        }
        assert_eq!(winners.len(), 1, "{winners:?}");
        let stored = ledger.get(&key).await.unwrap().unwrap();
        assert!(
            matches!(&stored.entry.state, State::Running { owner, .. } if *owner == winners[0].0)
        );
        version = winners[0].1;
    }
}

async fn entries_of_other_sources_and_buckets_are_others(ledger: &dyn Ledger) {
    let keys = [
        EntryKey::new("suite-a", ObjectId::new("b", "k")),
        EntryKey::new("suite-a", ObjectId::new("c", "k")),
        EntryKey::new("suite-b", ObjectId::new("b", "k")),
    ];
    for (n, key) in keys.iter().enumerate() {
        let entry = Entry { epoch: n as u64, ..entry(State::Done) };
        ledger.put_if(key, Version::NONE, &entry).await.unwrap();
    }
    for (n, key) in keys.iter().enumerate() {
        assert_eq!(ledger.get(key).await.unwrap().unwrap().entry.epoch, n as u64);
    }
    let mut scan = ledger.scan("suite-a", "b", Range::ALL).await.unwrap();
    assert_eq!(scan.next().await.unwrap().map(|(key, _)| key).as_deref(), Some("k"));
    assert!(scan.next().await.unwrap().is_none(), "the other source and bucket are not in it");
}

async fn a_scan_comes_in_byte_order_and_sees_all(ledger: &dyn Ledger) {
    // More than any adapter takes in one page.
    let mut keys: Vec<String> =
        (0..700).map(|n| format!("daily/{:03}.csv", n * 11 % 700)).collect();
    for odd in [
        "daily.csv",
        "daily/",
        "Daily/1.csv",
        "daily-2.csv",
        "ä.csv",
        "日本/x.csv",
        "😀",
        "\u{ffff}",
    ] {
        keys.push(odd.to_owned());
    }
    for name in &keys {
        ledger.put_if(&key("suite-scan", name), Version::NONE, &entry(State::Done)).await.unwrap();
    }
    keys.sort_unstable();
    let mut scan = ledger.scan("suite-scan", "bucket", Range::ALL).await.unwrap();
    let mut seen = Vec::new();
    while let Some((key, entry)) = scan.next().await.unwrap() {
        assert_eq!(entry.state, State::Done);
        seen.push(key);
    }
    assert_eq!(seen, keys);
    let mut empty = ledger.scan("suite-nothing", "bucket", Range::ALL).await.unwrap();
    assert!(empty.next().await.unwrap().is_none());
}

/// Over the entries of the test before.
async fn a_scan_of_a_range_sees_that_and_nothing_else(ledger: &dyn Ledger) {
    let keys = async |range: Range<'_>| {
        let mut scan = ledger.scan("suite-scan", "bucket", range).await.unwrap();
        let mut seen = Vec::new();
        while let Some((key, _)) = scan.next().await.unwrap() {
            seen.push(key);
        }
        assert!(scan.next().await.unwrap().is_none(), "an end stays one");
        seen
    };
    let all = keys(Range::ALL).await;
    assert!(all.len() > 700);
    // From each key on, and from one that is not in the ledger.
    for at in [0, 1, 250, all.len() - 2, all.len() - 1] {
        assert_eq!(keys(Range { prefix: "", after: Some(&all[at]) }).await, all[at + 1..]);
    }
    let after = keys(Range { prefix: "", after: Some("daily/350.csv!") }).await;
    assert_eq!(after.first().map(String::as_str), Some("daily/351.csv"));
    let under = |prefix: &str| -> Vec<_> {
        all.iter().filter(|key| key.starts_with(prefix)).cloned().collect()
    };
    for prefix in ["daily", "daily/", "daily/6", "daily/699.csv", "日", "ä", "zz", "\u{ffff}"] {
        assert_eq!(keys(Range { prefix, after: None }).await, under(prefix), "{prefix}");
    }
    let of = |prefix, after| keys(Range { prefix, after: Some(after) });
    assert_eq!(of("daily/6", "daily/650.csv").await.len(), 49);
    assert_eq!(of("daily/6", "daily/699.csv").await, [""; 0], "behind the last one");
    assert_eq!(of("daily/6", "daily/1").await, under("daily/6"), "before the first one");
    assert_eq!(of("daily/6", "daily/7").await, [""; 0], "beyond the prefix");
}

async fn keys_of_every_kind_are_kept_apart(ledger: &dyn Ledger) {
    let long = "k".repeat(1_024);
    let names = [
        "a", "A", "a ", " a", "a/", "/a", "a%20b", "a b", "a+b", "a'b", "a\"b", "é", "e\u{301}",
        &long,
    ];
    for (n, name) in names.iter().enumerate() {
        let entry = Entry { epoch: n as u64, ..entry(State::Done) };
        ledger.put_if(&key("suite-keys", name), Version::NONE, &entry).await.unwrap();
    }
    for (n, name) in names.iter().enumerate() {
        let stored = ledger.get(&key("suite-keys", name)).await.unwrap().expect("it was written");
        assert_eq!(stored.entry.epoch, n as u64, "{name:?}");
    }
}

/// Runs the suite of the refreshes' journal. It may hold other sources, but none whose key begins with
/// `suite-`.
pub async fn journal(journal: &dyn Journal) {
    assert!(journal.read("suite-a").await.unwrap().is_none(), "nothing is there before");
    let report = Report { listed: u64::from(u32::MAX) * 2, new: 1, ..Report::default() };
    let pass = Pass {
        kind: Kind::Full,
        began: "2026-02-01T10:11:12.123456789Z".parse().unwrap(),
        updated: at(2),
        after: Some("ü/😀 \"x\".csv".into()),
        report,
        place: "bucket/in/**".into(),
        failure: Some("no".into()),
    };
    let whole = Progress {
        pass: Some(pass.clone()),
        lease: Some(Lease { owner: "w".into(), until: at(60) }),
        wanted: Some(Kind::Compare),
        last: Some(Pass { after: None, failure: None, ..pass }),
        first_began: Some(at(1)),
        full_began: Some(at(2)),
    };
    let mut version = Version::NONE;
    for progress in [&whole, &Progress::default(), &whole] {
        version = journal.write_if("suite-a", version, progress).await.unwrap();
        let read = journal.read("suite-a").await.unwrap().expect("it was written");
        assert_eq!(read, (progress.clone(), version));
    }
    for stale in [Version::NONE, Version(1)] {
        let refused = journal.write_if("suite-a", stale, &Progress::default()).await;
        assert!(matches!(refused, Err(PutError::Conflict)), "{refused:?}");
    }
    let refused = journal.write_if("suite-b", Version(1), &whole).await;
    assert!(matches!(refused, Err(PutError::Conflict)), "nothing is there to write over");
    assert_eq!(journal.read("suite-a").await.unwrap().unwrap().0, whole, "nothing was changed");
    assert!(journal.read("suite-b").await.unwrap().is_none(), "another source");
}

/// Runs the suite of dead letters over a queue that nobody else uses and nothing was sent to.
pub async fn dead_letters<Q: Queue + DeadLetters>(queue: &Q) {
    /// Longer than the suite takes.
    const HIDDEN: Duration = Duration::from_secs(300);
    let taken = async |enough: usize| {
        // A queue may give fewer than it has, but not for ever.
        let mut taken = Vec::new();
        for _ in 0..50 {
            if taken.len() >= enough {
                break;
            }
            let letters = queue.take(HIDDEN).await.unwrap();
            assert!(letters.len() <= 10, "ten at most");
            taken.extend(letters);
        }
        taken
    };
    let bodies =
        |letters: &[Letter]| letters.iter().map(|l| l.body.clone()).collect::<BTreeSet<_>>();
    assert_eq!(taken(1).await, [], "nothing is there before");

    let letters: Vec<_> = (0..23)
        .map(|n| {
            let failure = Failure::new("x", "what \"happened\"", "do this", Disposition::Park);
            let mut letter = DeadLetter::new(failure, at(n), &format!("body {n}: ü"));
            letter.object = Some(ObjectId::new("bucket", format!("{n}.csv")));
            letter
        })
        .collect();
    for letter in &letters {
        queue.bury(letter).await.unwrap();
    }
    let expected: BTreeSet<_> = letters.iter().map(DeadLetter::to_body).collect();
    assert_eq!(queue.depth().await.unwrap().dead_letters, 23);

    let all = taken(23).await;
    assert_eq!(all.len(), 23, "each once");
    assert_eq!(bodies(&all), expected);
    assert!(queue.take(HIDDEN).await.unwrap().is_empty(), "what was taken is hidden");
    assert_eq!(queue.depth().await.unwrap().dead_letters, 23, "and still there");

    queue.put_back(&all).await.unwrap();
    let again = taken(23).await;
    assert_eq!(bodies(&again), expected, "what was put back is seen again, at once");
    let sent = |letters: &[Letter]| {
        letters.iter().map(|l| (l.id.clone(), l.sent)).collect::<BTreeSet<_>>()
    };
    assert_eq!(sent(&again), sent(&all), "a letter keeps its id and its time");

    queue.forget(&again[..20]).await.unwrap();
    queue.put_back(&again[20..]).await.unwrap();
    let left = taken(3).await;
    assert_eq!(bodies(&left), bodies(&again[20..]), "what was forgotten is gone");
    queue.forget(&left).await.unwrap();
    assert_eq!(queue.depth().await.unwrap().dead_letters, 0);
    queue.forget(&[]).await.unwrap();
    queue.put_back(&[]).await.unwrap();

    let order = |n| Order::new(ObjectId::new("bucket", format!("{n}")), OrderReason::Replay);
    queue.order(&[order(1), order(2)], Duration::ZERO).await.unwrap();
    queue.order(&[order(3)], Duration::from_secs(600)).await.unwrap();
    let depth = queue.depth().await.unwrap();
    assert_eq!((depth.waiting, depth.in_flight), (3, 0), "a delayed message waits too");
}

/// Runs the suite of the shapes. It may hold those of other sources, but none whose key begins with
/// `suite-`.
pub async fn shapes(shapes: &dyn Shapes) {
    assert_eq!(shapes.last("suite-a", "t").await.unwrap(), None, "nothing is there before");
    let first = Shape {
        kind: FormatKind::Csv,
        encoding: Encoding::for_label("windows-1252"),
        delimiter: Some("\u{1f}".into()),
        header: true,
        columns: vec!["id".into(), "ü/😀 \"x\"".into(), String::new()],
    };
    let bare = Shape {
        kind: FormatKind::Parquet,
        encoding: None,
        delimiter: None,
        header: false,
        columns: Vec::new(),
    };
    for shape in [&first, &bare, &first] {
        shapes.keep("suite-a", "t", shape).await.unwrap();
        assert_eq!(shapes.last("suite-a", "t").await.unwrap().as_ref(), Some(shape));
    }
    shapes.keep("suite-a", "a.b/ü", &bare).await.unwrap();
    assert_eq!(shapes.last("suite-a", "t").await.unwrap(), Some(first), "that of another table");
    assert_eq!(shapes.last("suite-b", "t").await.unwrap(), None, "another source");
}
