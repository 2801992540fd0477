#[cfg(feature = "local")]
mod passes;
#[cfg(feature = "local")]
mod stretches;
mod wishes;

use jiff::Timestamp;

use super::*;
use crate::failure::Disposition;
use crate::ledger::{Entry, State, Work};
use crate::object::{ETag, Listed, ObjectVersion};

fn listed(etag: &str) -> Listed {
    Listed { key: "a.csv".into(), etag: ETag::new(etag), size: 1, last_modified: None }
}

fn entry(state: State, etag: &str) -> Entry {
    Entry {
        state,
        version: Some(ObjectVersion {
            etag: ETag::new(etag),
            version_id: None,
            size: None,
            last_modified: None,
        }),
        sequencer: None,
        sequencer_exact: false,
        epoch: 1,
        attempts: 0,
        reference: None,
        generation: 0,
        removing: false,
        expected: None,
        checkpoint: None,
        fingerprint: "f".into(),
        done: None,
        seen: Vec::new(),
        updated: at(0),
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::new(second, 0).unwrap()
}

fn failure() -> Failure {
    Failure::new("x", "x", "x", Disposition::Retry)
}

fn running(until: i64) -> State {
    State::Running { owner: "w".into(), until: at(until), work: Work::Ingest }
}

#[test]
fn a_look_is_ordered_where_bucket_and_ledger_disagree() {
    let cases = [
        ("new", Some(listed("1")), None, Some(Found::New)),
        ("in agreement", Some(listed("1")), Some(entry(State::Done, "1")), None),
        ("changed", Some(listed("2")), Some(entry(State::Done, "1")), Some(Found::Changed)),
        ("gone", None, Some(entry(State::Done, "1")), Some(Found::Gone)),
        ("gone, and told", None, Some(entry(State::Removed, "1")), None),
        ("back again", Some(listed("1")), Some(entry(State::Removed, "1")), Some(Found::New)),
        ("being worked on", Some(listed("1")), Some(entry(running(2_000), "1")), None),
        ("worker lost", Some(listed("1")), Some(entry(running(999), "1")), Some(Found::Stale)),
        (
            "left behind",
            Some(listed("1")),
            Some(entry(State::Waiting { failure: failure() }, "1")),
            Some(Found::Stale),
        ),
        ("parked", Some(listed("1")), Some(entry(State::Parked { failure: failure() }, "1")), None),
        (
            "gone while failed",
            None,
            Some(entry(State::Failed { failure: failure() }, "1")),
            Some(Found::Gone),
        ),
    ];
    for (name, listed, entry, expected) in cases {
        let found = reconcile(listed.as_ref(), entry.as_ref(), false, "f", at(1_000));
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn a_mended_definition_wakes_what_it_had_failed() {
    let failed = entry(State::Failed { failure: failure() }, "1");
    assert_eq!(reconcile(Some(&listed("1")), Some(&failed), false, "f", at(1_000)), None);
    let found = reconcile(Some(&listed("1")), Some(&failed), false, "mended", at(1_000));
    assert_eq!(found, Some(Found::Stale));
}

#[test]
fn a_full_refresh_orders_what_is_in_agreement_too() {
    let done = entry(State::Done, "1");
    let found = reconcile(Some(&listed("1")), Some(&done), true, "f", at(1_000));
    assert_eq!(found, Some(Found::Forced));
    assert_eq!(reconcile(None, Some(&entry(State::Removed, "1")), true, "f", at(1_000)), None);
}

#[test]
fn what_is_back_after_a_removal_that_failed_is_looked_at() {
    let failed = Entry { removing: true, ..entry(State::Failed { failure: failure() }, "1") };
    let found = reconcile(Some(&listed("1")), Some(&failed), false, "f", at(1_000));
    assert_eq!(found, Some(Found::New));
}

/// airbyte #5365: a slow upload that finishes late has a time older than the last look, and was
/// skipped for ever. (S3 dates an upload in parts by its beginning.) Times are no matter here.
#[test]
fn a_slow_upload_that_ends_late_with_an_old_time_is_found() {
    let late = Listed { last_modified: Some(at(-86_400)), ..listed("1") };
    assert_eq!(reconcile(Some(&late), None, false, "f", at(1_000)), Some(Found::New));
    let done = entry(State::Done, "0");
    assert_eq!(reconcile(Some(&late), Some(&done), false, "f", at(1_000)), Some(Found::Changed));
}
