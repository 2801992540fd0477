//! The promises, looked at when everything has come to rest.

use std::collections::{BTreeSet, HashMap};

use inlet::catalog::{Catalog, Dedup, OnRemove, Source};
use inlet::delivery::EventKind;
use inlet::ledger::state::Rules;
use inlet::ledger::{Entry, State, Work};
use inlet::object::ObjectId;
use jiff::SignedDuration;
use serde_json::Value;

use crate::bucket::Store;
use crate::content::Expected;
use crate::ledger::{Write, show};
use crate::simulation::Simulation;

/// When the look is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// All notices have come and no refresh since: it must not take one. (Only where no full refresh
    /// went before: of two workers with the same forced order the first may acknowledge it for both,
    /// and the second die over it. What it did again was done before; the entry says that it is being
    /// worked on until the next refresh.)
    Noticed,
    /// After a last look for what is new and changed.
    Polled,
    /// After a full refresh without faults: nothing is left of any fault.
    Refreshed,
}

/// Clocks may differ by this much.
const SKEW: SignedDuration = SignedDuration::from_secs(6);

/// Every object of every source, against the bucket.
pub fn objects(simulation: &Simulation, phase: Phase) -> Vec<String> {
    let mut wrong = Vec::new();
    let catalog = &simulation.catalog;
    for object in simulation.customer.objects() {
        for source in catalog.sources() {
            let takes = takes(catalog, source, object);
            let entry = simulation.ledger.entry(&source.key, &object.bucket, &object.key);
            if !takes {
                if entry.is_some() {
                    wrong.push(format!("{object} is not of {}, and has an entry", source.key));
                }
                continue;
            }
            if phase == Phase::Noticed && excused(simulation, entry.as_ref(), object) {
                continue;
            }
            if let Some(what) = object_of(simulation, phase, source, object, entry.as_ref()) {
                let entry = entry.as_ref().map_or("no entry".to_owned(), show);
                wrong.push(format!("{phase:?}: {object} of {}: {what}; {entry}", source.key));
            }
        }
    }
    wrong
}

/// Whether the source takes the object.
fn takes(catalog: &Catalog, source: &Source, object: &ObjectId) -> bool {
    catalog.matching(&object.bucket, &object.key).iter().any(|taken| taken.source.key == source.key)
}

/// A message about the object was given up by the queue itself, because workers died over it: then it
/// takes a refresh.
fn excused(simulation: &Simulation, entry: Option<&Entry>, object: &ObjectId) -> bool {
    let failed = entry.is_some_and(|entry| matches!(entry.state, State::Failed { .. }));
    let encoded = object.key.replace(' ', "+");
    let about = |body: &str| body.contains(&object.key) || body.contains(&encoded);
    failed
        || simulation.broker.redriven().iter().any(|body| about(body))
        || simulation.broker.letters().iter().any(|letter| about(&letter.body))
}

fn object_of(
    simulation: &Simulation,
    phase: Phase,
    source: &Source,
    object: &ObjectId,
    entry: Option<&Entry>,
) -> Option<String> {
    let held = simulation.consumer.held(&source.key, object);
    let told = held.and_then(|held| held.current.as_ref());
    let Some(current) = simulation.store.current(object) else {
        return match entry {
            None if told.is_none() => None,
            Some(Entry { state: State::Removed, .. }) => (told.is_some()
                && source.on_remove == OnRemove::Delete)
                .then(|| "promise 4: removed, but downstream still has it".to_owned()),
            _ => Some("promise 4: the object is gone, and not removed".to_owned()),
        };
    };
    let Some(entry) = entry else {
        return Some("promise 1: the ledger does not know the object".to_owned());
    };
    if entry.version.as_ref().map(|version| &version.etag) != Some(&current.etag) {
        return Some(format!("promise 3: the bucket has {}", current.etag));
    }
    let expected = simulation.expected(&source.key, current.etag.as_str())?;
    match (&entry.state, &expected) {
        (State::Done, Expected::Done { records, .. }) => match told {
            Some((etag, told)) if *etag == *current.etag.as_str() && told == records => None,
            _ => Some(format!(
                "promise 1: done, but downstream has {:?}",
                told.map(|(etag, told)| (etag, told.len()))
            )),
        },
        (State::Skipped { .. }, Expected::Done { .. }) => {
            let before = held.is_some_and(|held| held.completed.contains(current.etag.as_str()));
            (source.dedup != Dedup::Ever || !before)
                .then(|| "promise 1: left out, but never completed before".to_owned())
        }
        (State::Parked { failure }, Expected::Parked(code)) if failure.code == *code => None,
        (State::Failed { failure }, Expected::Failed(code)) if failure.code == *code => {
            unburied(simulation, source, object)
        }
        (State::Failed { .. }, _) if phase != Phase::Refreshed && !simulation.calm => {
            unburied(simulation, source, object)
        }
        _ => Some(format!("promise 1: expected {}", short(&expected))),
    }
}

fn short(expected: &Expected) -> String {
    match expected {
        Expected::Done { records, .. } => format!("{} records", records.len()),
        other => format!("{other:?}"),
    }
}

/// Promise 8: what failed lies in the dead letters.
fn unburied(simulation: &Simulation, source: &Source, object: &ObjectId) -> Option<String> {
    let buried = simulation.broker.letters().iter().any(|letter| {
        letter.object.as_ref() == Some(object) && letter.source.as_ref() == Some(&source.key)
    });
    (!buried).then(|| "promise 8: failed, and not in the dead letters".to_owned())
}

/// Promise 8: every dead letter says why, and whatever nobody can read is among them.
pub fn letters(simulation: &Simulation) -> Vec<String> {
    let letters = simulation.broker.letters();
    let mut wrong: Vec<_> = letters
        .iter()
        .filter(|letter| letter.cause.code.is_empty() || letter.cause.remedy.is_empty())
        .map(|letter| format!("promise 8: a dead letter without a cause: {letter:?}"))
        .collect();
    let unreadable = letters.iter().filter(|letter| letter.object.is_none()).count();
    let given_up = simulation.broker.redriven().len();
    if unreadable + given_up < simulation.customer.unreadable() {
        wrong.push(format!(
            "promise 8: {} unreadable messages, and {unreadable} dead letters of such",
            simulation.customer.unreadable()
        ));
    }
    wrong
}

/// Promise 7: the rejects that a completion counts lie where it says.
pub fn rejects(simulation: &Simulation) -> Vec<String> {
    let files = simulation.downstream.rejects();
    let mut wrong = Vec::new();
    for event in simulation.downstream.arrivals() {
        if event.kind != EventKind::Completed {
            continue;
        }
        let body: Value = serde_json::from_str(&event.body).unwrap_or_default();
        let counted = body["data"]["rejects"].as_u64().unwrap_or_default();
        let places = body["data"]["rejects_at"].as_array().cloned().unwrap_or_default();
        let mut rows = BTreeSet::new();
        let mut lines = 0;
        for file in places.iter().filter_map(|place| files.get(place.as_str()?)) {
            for line in file.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let reject: Value = serde_json::from_slice(line).unwrap_or_default();
                rows.insert(reject["row"].as_u64());
                lines += 1;
            }
        }
        if rows.len() != lines {
            wrong.push(format!("promise 7: {} has a reject twice", event.id));
        }
        if lines as u64 != counted {
            wrong.push(format!("promise 7: {} counts {counted} rejects of {lines}", event.id));
        }
    }
    wrong
}

/// Every write of the ledger, against the one before.
pub fn writes(writes: &[Write], store: &Store) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut claims: HashMap<String, &Write> = HashMap::new();
    for write in writes {
        let mut say = |what: &str| {
            let before = write.before.as_ref().map_or("nothing".to_owned(), show);
            let (key, by, after) = (&write.key, &write.by, show(&write.after));
            wrong.push(format!("{what}: {key} by {by}: {before} became {after}"));
        };
        // What is another version, or removed, begins anew.
        if let Some(last) = claims.get(&write.key.to_string())
            && (write.after.version != last.after.version || write.after.state == State::Removed)
            && !matches!(write.after.state, State::Running { .. })
        {
            claims.remove(&write.key.to_string());
        }
        let Some(before) = &write.before else {
            if let State::Running { .. } = write.after.state {
                claims.insert(write.key.to_string(), write);
            }
            continue;
        };
        if write.after.epoch < before.epoch {
            say("a worker that had lost the entry wrote it");
        }
        let State::Running { work, until, .. } = &write.after.state else { continue };
        if write.after.epoch > before.epoch {
            if until.duration_since(write.after.updated) < Rules::LEASE {
                say("a claim took less than a whole lease, so that two workers may hold the entry");
            }
            if let State::Running { until, .. } = &before.state
                && *until > write.at + SKEW
            {
                say("a lease was not waited for");
            }
            let last = claims.insert(write.key.to_string(), write);
            if let Some(last) = last
                && *work == Work::Ingest
                && matches!(last.after.state, State::Running { work: Work::Ingest, .. })
            {
                if unchanged(last, write) && last.after.reference != write.after.reference {
                    say("promise 2: the same version was taken again with other ids");
                }
                if went_back(last, write, store) {
                    say("promise 3: an older version was taken after a newer one");
                }
            }
        }
    }
    wrong
}

/// Whether the second claim goes on with what the first had begun.
fn unchanged(first: &Write, second: &Write) -> bool {
    first.after.version == second.after.version
        && first.after.fingerprint == second.after.fingerprint
}

/// Whether the second claim is surely of an older write of the bucket. Where a version was destroyed
/// the older one is the newest again.
fn went_back(first: &Write, second: &Write, store: &Store) -> bool {
    if store.is_versioned(&first.key.object.bucket) {
        return false;
    }
    let written = store.written();
    let ordinals = |write: &Write| {
        let version = write.after.version.clone();
        let of = written.iter().filter(move |(object, stored)| {
            *object == write.key.object
                && version.as_ref().is_some_and(|v| {
                    v.etag == stored.etag && v.last_modified == Some(stored.modified)
                })
        });
        of.map(|(_, stored)| stored.ordinal).collect::<Vec<_>>()
    };
    match (ordinals(first).iter().min(), ordinals(second).iter().max()) {
        (Some(first), Some(second)) => second < first,
        _ => false,
    }
}
