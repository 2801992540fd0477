//! **status**: how things stand, for those who look after them.
//!
//! [`standing`] counts what the ledger says of one source, with the causes of what is not done;
//! [`agreement`] compares the ledger with the bucket as a refresh does, and orders nothing;
//! [`letters_about`] finds the dead letters of one object.
//!
//! Promises: both stream; memory grows neither with the ledger nor with the bucket. Never: this room
//! writes anything, or holds the content of a file.

mod letters;

pub use letters::{About, letters_about};
use serde::Serialize;

use crate::catalog::{Catalog, Source};
use crate::failure::Failure;
use crate::ledger::{Entry, Ledger, Range, State};
use crate::refresh::{Found, Journal, Pass, Ports, Report, Walk};

/// Causes that are told apart; further ones are counted together.
const CAUSES: usize = 50;

/// How one source stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// The source's key.
    pub source: String,
    /// Its bucket.
    pub bucket: String,
    /// The keys that it takes.
    pub path: String,
    /// Entries by their state.
    pub counts: Counts,
    /// Of those that are done, how many an older definition of the source made.
    pub done_by_older: u64,
    /// The entry that has been waiting longest.
    pub oldest_waiting: Option<Since>,
    /// The entry that has been worked on longest without a word.
    pub oldest_running: Option<Since>,
    /// Why entries wait, are parked or failed; the most frequent first.
    pub causes: Vec<Cause>,
    /// Entries with causes that are not listed, because there are too many.
    pub other_causes: u64,
    /// The refresh that ended last.
    pub refreshed: Option<Pass>,
    /// The refresh that is not ended.
    pub refreshing: Option<Pass>,
}

/// Entries by their state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// To be tried again.
    pub waiting: u64,
    /// Worked on.
    pub running: u64,
    /// Downstream has all of it.
    pub done: u64,
    /// Left out on purpose.
    pub skipped: u64,
    /// Not tried until something changes.
    pub parked: u64,
    /// Given up.
    pub failed: u64,
    /// Gone, and downstream knows.
    pub removed: u64,
}

/// An entry, and since when it is as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Since {
    /// The object's key.
    pub key: String,
    /// When its entry was written.
    pub since: jiff::Timestamp,
}

/// Why entries of one state are not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// The state: `waiting`, `parked` or `failed`.
    pub state: &'static str,
    /// The stable word for the cause.
    pub code: String,
    /// How many entries.
    pub count: u64,
    /// One of the objects.
    pub example: String,
    /// What happened to that one.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// Whether bucket and ledger agree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Agreement {
    /// What a refresh would order now.
    pub differences: Report,
    /// Some of the objects.
    pub examples: Vec<Difference>,
}

/// One object on which bucket and ledger disagree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its key.
    pub key: String,
    /// How.
    pub found: Found,
}

impl Agreement {
    /// Whether there is no difference.
    pub fn agrees(&self) -> bool {
        self.differences.orders() == 0
    }
}

/// Counts what the ledger and the journal say of `source`.
///
/// # Errors
/// If they cannot be read.
pub async fn standing(
    ledger: &dyn Ledger,
    journal: &dyn Journal,
    source: &Source,
) -> Result<Standing, Failure> {
    let progress = journal.read(&source.key).await.map_err(|error| Failure::from(&error))?;
    let (refreshed, refreshing) = progress.map_or((None, None), |(p, _)| (p.last, p.pass));
    let mut standing = Standing {
        source: source.key.clone(),
        bucket: source.bucket.clone(),
        path: source.path.to_string(),
        refreshed,
        refreshing,
        ..Standing::default()
    };
    let fingerprint = source.fingerprint();
    let scan = ledger.scan(&source.key, &source.bucket, Range::ALL).await;
    let mut scan = scan.map_err(|error| Failure::from(&error))?;
    while let Some((key, entry)) = scan.next().await.map_err(|error| Failure::from(&error))? {
        standing.count(key, &entry);
        let older = entry.fingerprint != fingerprint && matches!(entry.state, State::Done);
        standing.done_by_older += u64::from(older);
    }
    standing.causes.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.code.cmp(&b.code)));
    Ok(standing)
}

impl Standing {
    fn count(&mut self, key: String, entry: &Entry) {
        let counts = &mut self.counts;
        let count = match entry.state {
            State::Waiting { .. } => &mut counts.waiting,
            State::Running { .. } => &mut counts.running,
            State::Done => &mut counts.done,
            State::Skipped { .. } => &mut counts.skipped,
            State::Parked { .. } => &mut counts.parked,
            State::Failed { .. } => &mut counts.failed,
            State::Removed => &mut counts.removed,
        };
        *count += 1;
        let oldest = match entry.state {
            State::Waiting { .. } => Some(&mut self.oldest_waiting),
            State::Running { .. } => Some(&mut self.oldest_running),
            _ => None,
        };
        if let Some(oldest) = oldest
            && oldest.as_ref().is_none_or(|oldest| entry.updated < oldest.since)
        {
            *oldest = Some(Since { key: key.clone(), since: entry.updated });
        }
        let (State::Waiting { failure } | State::Parked { failure } | State::Failed { failure }) =
            &entry.state
        else {
            return;
        };
        let state = entry.state.name();
        let same = |cause: &&mut Cause| cause.state == state && cause.code == failure.code;
        let more = self.causes.len() < CAUSES;
        match self.causes.iter_mut().find(same) {
            Some(cause) => cause.count += 1,
            None if more => self.causes.push(Cause {
                state,
                code: failure.code.clone(),
                count: 1,
                example: key,
                message: failure.message.clone(),
                remedy: failure.remedy.clone(),
            }),
            None => self.other_causes += 1,
        }
    }
}

/// Compares the bucket with the ledger, as a refresh does; `examples` is how many differences are
/// named.
///
/// # Errors
/// If the bucket cannot be listed or the ledger not scanned.
pub async fn agreement(
    ports: &Ports,
    catalog: &Catalog,
    source: &Source,
    examples: usize,
) -> Result<Agreement, Failure> {
    let mut agreement = Agreement::default();
    let mut walk = Walk::begin(ports, catalog, source, false, None).await?;
    while let Some(step) = walk.next().await? {
        agreement.differences.count(step.listed, step.found);
        if let Some(found) = step.found
            && agreement.examples.len() < examples
        {
            agreement.examples.push(Difference { key: step.key, found });
        }
    }
    Ok(agreement)
}

#[cfg(test)]
#[cfg(feature = "local")]
mod tests {
    use super::*;
    use crate::failure::Disposition;
    use crate::ledger::sqlite::SqliteLedger;
    use crate::ledger::{EntryKey, Version};
    use crate::local::Database;
    use crate::object::ObjectId;

    fn failed(code: &str) -> State {
        State::Failed { failure: Failure::new(code, "what", "do", Disposition::DeadLetter) }
    }

    fn parked(code: &str) -> State {
        State::Parked { failure: Failure::new(code, "what", "do", Disposition::Park) }
    }

    fn waiting() -> State {
        State::Waiting { failure: Failure::new("x", "what", "do", Disposition::Retry) }
    }

    #[tokio::test]
    async fn the_counts_the_oldest_and_the_causes_are_told() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = SqliteLedger::new(Database::open(&directory.path().join("i.db")).unwrap());
        let source = "key = \"s\"\nconnection = \"inlet\"\nbucket = \"drop\"\npath = \"in/**\"\n";
        let source = Source::from_toml("s.toml", source).unwrap();
        let states = [
            (State::Done, 5),
            (State::Done, 6),
            (waiting(), 9),
            (waiting(), 3),
            (failed("a"), 1),
            (failed("b"), 1),
            (failed("b"), 1),
            (parked("b"), 1),
            (State::Removed, 1),
        ];
        for (n, (state, second)) in states.into_iter().enumerate() {
            let entry: Entry = serde_json::from_value(serde_json::json!({
                "state": state, "epoch": 1, "attempts": 0, "fingerprint": "f",
                "updated": jiff::Timestamp::new(second, 0).unwrap(),
            }))
            .unwrap();
            let key = EntryKey::new("s", ObjectId::new("drop", format!("in/{n}")));
            ledger.put_if(&key, Version::NONE, &entry).await.unwrap();
        }
        let standing = standing(&ledger, &ledger, &source).await.unwrap();
        let counts =
            Counts { waiting: 2, done: 2, parked: 1, failed: 3, removed: 1, ..Counts::default() };
        assert_eq!(standing.counts, counts);
        assert_eq!(standing.oldest_waiting.unwrap().key, "in/3");
        assert_eq!(standing.oldest_running, None);
        let causes: Vec<_> = standing
            .causes
            .iter()
            .map(|cause| (cause.state, cause.code.as_str(), cause.count, cause.example.as_str()))
            .collect();
        let expected = [
            ("failed", "b", 2, "in/5"),
            ("waiting", "x", 2, "in/2"),
            ("failed", "a", 1, "in/4"),
            ("parked", "b", 1, "in/7"),
        ];
        assert_eq!(causes, expected);
    }

    #[test]
    fn causes_without_an_end_are_counted_together() {
        let mut standing = Standing::default();
        for n in 0..1_000 {
            let state = failed(&format!("code-{n}"));
            let entry = serde_json::json!({
                "state": state, "epoch": 1, "attempts": 0, "fingerprint": "f",
                "updated": jiff::Timestamp::UNIX_EPOCH,
            });
            standing.count(n.to_string(), &serde_json::from_value(entry).unwrap());
        }
        assert_eq!((standing.causes.len(), standing.other_causes), (50, 950));
        assert_eq!(standing.counts.failed, 1_000);
    }
}
