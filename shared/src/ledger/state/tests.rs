//! The state machine against a bucket: every short history, in every order of its events.

use super::*;
use crate::failure::{Disposition, Failure};
use crate::ledger::{Completion, EntryKey, Work};
use crate::object::ObjectId;

pub(super) fn rules() -> Rules {
    Rules {
        dedup: Dedup::Current,
        max_size: 1_000,
        fingerprint: "f".into(),
        max_attempts: 3,
        lease: SignedDuration::from_secs(60),
    }
}

pub(super) fn key() -> EntryKey {
    EntryKey::new("deals", ObjectId::new("drop", "a.csv"))
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::new(second, 0).unwrap()
}

pub(super) fn by(owner: &str, second: i64) -> Claimant<'_> {
    Claimant { owner, now: at(second) }
}

pub(super) fn version(etag: &str, n: i64, versioned: bool) -> ObjectVersion {
    ObjectVersion {
        etag: ETag::new(etag),
        version_id: versioned.then(|| format!("v{n}")),
        size: Some(1),
        last_modified: Some(at(n)),
    }
}

fn created(etag: &str, n: i64, versioned: bool) -> Evidence {
    Evidence::Created {
        etag: Some(ETag::new(etag)),
        version_id: versioned.then(|| format!("v{n}")),
        sequencer: Some(Sequencer::new(format!("{n:04X}"))),
    }
}

fn removed(n: i64) -> Evidence {
    Evidence::Removed { sequencer: Some(Sequencer::new(format!("{n:04X}"))) }
}

const LOOK: Evidence = Evidence::Look { unpark: false, force: false, sequencer: None };
const FORCE: Evidence = Evidence::Look { unpark: false, force: true, sequencer: None };

/// A bucket with one key: each version ever written, and which is current.
struct Bucket {
    versioned: bool,
    versions: Vec<ObjectVersion>,
    current: Option<ObjectVersion>,
}

impl Bucket {
    fn open(&self, pin: &Pin) -> Result<Sight, ()> {
        match pin {
            Pin::Current => Ok(self.current.clone().map_or(Sight::Absent, Sight::Present)),
            Pin::Match(etag) => match &self.current {
                None => Ok(Sight::Absent),
                Some(v) if v.etag == *etag => Ok(Sight::Present(v.clone())),
                Some(_) => Err(()),
            },
            Pin::Version(id) => {
                let found = self.versions.iter().find(|v| v.version_id.as_ref() == Some(id));
                found.map(|v| Sight::Present(v.clone())).ok_or(())
            }
        }
    }
}

/// What went downstream: the tag of each content, or a removal.
#[derive(Default)]
struct World {
    entry: Option<Entry>,
    downstream: Vec<Option<ETag>>,
    now: i64,
}

impl World {
    /// One worker takes one event to its end, as `ingest` does.
    fn take(&mut self, bucket: &Bucket, evidence: &Evidence) {
        let mut evidence = evidence.clone();
        for _ in 0..5 {
            self.now += 100;
            let entry = self.entry.as_ref();
            let claim = match plan(entry, &evidence, at(self.now)) {
                Plan::Settle(settled) => Claim::Settle(settled),
                Plan::Wait(_) => panic!("nobody holds the entry"),
                Plan::Remove => {
                    let Evidence::Removed { sequencer } = &evidence else { panic!() };
                    claim_removal(&key(), entry, sequencer.as_ref(), &rules(), &by("w", self.now))
                }
                Plan::Open(pin) => match bucket.open(&pin) {
                    Ok(sight) => {
                        claim(&key(), entry, &evidence, &sight, &rules(), &by("w", self.now))
                    }
                    Err(()) => {
                        let sequencer = match &evidence {
                            Evidence::Created { sequencer, .. } => sequencer.clone(),
                            _ => None,
                        };
                        evidence = Evidence::Look { unpark: false, force: false, sequencer };
                        continue;
                    }
                },
            };
            match claim {
                Claim::Settle(Settled { next, .. }) => {
                    if let Some(next) = next {
                        self.entry = Some(*next);
                    }
                }
                Claim::Take(taken) => {
                    let epoch = taken.epoch;
                    let State::Running { work, .. } = &taken.state else { panic!() };
                    let next = match work {
                        Work::Remove => {
                            self.downstream.push(None);
                            remove(&taken, "w", epoch, at(self.now))
                        }
                        Work::Ingest => {
                            let etag = taken.version.clone().unwrap().etag;
                            self.downstream.push(Some(etag.clone()));
                            complete(&taken, "w", epoch, &rules(), done(&etag, self.now))
                        }
                    };
                    self.entry = Some(next.expect("the worker holds the entry"));
                }
            }
            return;
        }
        panic!("no decision after five turns");
    }
}

pub(super) fn done(etag: &ETag, second: i64) -> Completion {
    Completion {
        etag: etag.clone(),
        fingerprint: "f".into(),
        at: at(second),
        counters: crate::record::Counters::default(),
        rejects: Vec::new(),
        drift: Vec::new(),
        notes: Vec::new(),
    }
}

/// All orders of `0..n`.
fn orders(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for order in orders(n - 1) {
        for place in 0..n {
            let mut longer = order.clone();
            longer.insert(place, n - 1);
            all.push(longer);
        }
    }
    all
}

#[test]
fn whatever_the_order_of_events_downstream_ends_as_the_bucket() {
    let mut runs = 0;
    for versioned in [false, true] {
        for length in 1..=4_u32 {
            for history in 0..3_u32.pow(length) {
                let mut bucket = Bucket { versioned, versions: Vec::new(), current: None };
                let mut events = Vec::new();
                for n in 0..length {
                    let number = i64::from(n) + 1;
                    match history / 3_u32.pow(n) % 3 {
                        2 => {
                            bucket.current = None;
                            events.push(removed(number));
                        }
                        content => {
                            let etag = ["A", "B"][content as usize];
                            let version = version(etag, number, versioned);
                            bucket.versions.push(version.clone());
                            bucket.current = Some(version);
                            events.push(created(etag, number, versioned));
                        }
                    }
                }
                for order in orders(events.len()) {
                    for look in 0..=events.len() {
                        for repeated in 0..events.len() {
                            run(&bucket, &events, &order, look, repeated);
                            runs += 1;
                        }
                    }
                }
            }
        }
    }
    assert!(runs > 50_000, "{runs} histories");
}

/// The events in one order, a refresh's look before the `look`th, one event twice.
fn run(bucket: &Bucket, events: &[Evidence], order: &[usize], look: usize, repeated: usize) {
    let mut world = World::default();
    for (place, &event) in order.iter().enumerate() {
        if place == look {
            world.take(bucket, &LOOK);
        }
        world.take(bucket, &events[event]);
    }
    world.take(bucket, &events[repeated]);
    let told = world.downstream.last().cloned().flatten();
    let truth = bucket.current.as_ref().map(|v| v.etag.clone());
    let story = || format!("{events:?} in order {order:?}, look at {look}: {:?}", world.downstream);
    assert_eq!(told, truth, "{}", story());
    for pair in world.downstream.windows(2) {
        assert_ne!(pair[0], pair[1], "delivered twice in a row: {}", story());
    }
    assert!(bucket.versioned || world.downstream.len() <= events.len() + 1, "{}", story());
}

#[test]
fn a_live_lease_is_waited_for_and_a_dead_one_taken_over() {
    let event = created("A", 1, false);
    let sight = Sight::Present(version("A", 1, false));
    let Claim::Take(first) = claim(&key(), None, &event, &sight, &rules(), &by("one", 0)) else {
        panic!("a new object is taken");
    };
    assert_eq!(plan(Some(&first), &event, at(59)), Plan::Wait(at(60)));
    let pin = Pin::Match(ETag::new("A"));
    assert_eq!(plan(Some(&first), &event, at(60)), Plan::Open(pin));
    let taken = claim(&key(), Some(&first), &event, &sight, &rules(), &by("two", 61));
    let Claim::Take(second) = taken else { panic!("a dead lease is taken over") };
    assert_eq!((first.epoch, second.epoch), (1, 2));
    assert_eq!(first.reference, second.reference, "a repeat has the same ids");
    let State::Running { until, .. } = &second.state else { panic!() };
    assert_eq!(*until, at(121), "a takeover has a whole lease of its own");
    // The zombie writes nothing, not even with the newest entry in hand.
    let late = done(&ETag::new("A"), 62);
    assert_eq!(complete(&second, "one", 1, &rules(), late.clone()), None);
    assert_eq!(renew(&second, "one", 1, &rules(), at(62)), None);
    let failure = Failure::new("x", "x", "x", Disposition::Retry);
    assert_eq!(fail(&second, "one", 1, &rules(), &failure, false, at(62)), None);
    assert!(complete(&second, "two", 2, &rules(), late).is_some());
}

#[test]
fn attempts_are_bounded_and_a_new_version_starts_anew() {
    let event = created("A", 1, false);
    let sight = Sight::Present(version("A", 1, false));
    let mut entry = None;
    let passing = Failure::new("x", "x", "x", Disposition::Retry);
    // Each worker is lost, and the queue gives up a message at as many receives as there are attempts:
    // one of them is kept for the end, with its cause.
    let lost = rules().max_attempts - 1;
    for attempt in 1..=lost {
        let now = i64::from(attempt) * 100;
        let taken = claim(&key(), entry.as_ref(), &event, &sight, &rules(), &by("w", now));
        let Claim::Take(taken) = taken else { panic!("attempt {attempt}") };
        assert_eq!(taken.attempts, attempt);
        entry = Some(*taken);
    }
    // A worker that says how its attempt ended has one more.
    let last = fail(&entry.clone().unwrap(), "w", 2, &rules(), &passing, false, at(500));
    let again = claim(&key(), last.as_ref(), &event, &sight, &rules(), &by("w", 900));
    assert!(matches!(again, Claim::Take(entry) if entry.attempts == rules().max_attempts));
    let ended = claim(&key(), entry.as_ref(), &event, &sight, &rules(), &by("w", 1_000));
    let Claim::Settle(Settled { why: Why::Exhausted, next: Some(failed) }) = ended else {
        panic!("{ended:?}");
    };
    assert!(matches!(failed.state, State::Failed { .. }));
    assert_eq!(plan(Some(&failed), &event, at(2_000)), settle(Why::Failed));
    let newer = created("B", 2, false);
    let sight = Sight::Present(version("B", 2, false));
    let taken = claim(&key(), Some(&failed), &newer, &sight, &rules(), &by("w", 3_000));
    assert!(matches!(taken, Claim::Take(entry) if entry.attempts == 1));
}

fn ingested(rules: &Rules, entry: Option<&Entry>, etag: &str, n: i64) -> Entry {
    let sight = Sight::Present(version(etag, n, false));
    let event = created(etag, n, false);
    let taken = claim(&key(), entry, &event, &sight, rules, &by("w", n * 100));
    let Claim::Take(taken) = taken else { panic!("{taken:?}") };
    let done = done(&ETag::new(etag), n * 100);
    complete(&taken, "w", taken.epoch, rules, done).expect("the worker holds the entry")
}

#[test]
fn dedup_ever_leaves_out_what_was_completed_once_and_current_does_not() {
    for (dedup, left_out) in [(Dedup::Current, false), (Dedup::Ever, true)] {
        let rules = Rules { dedup, ..rules() };
        let first = ingested(&rules, None, "A", 1);
        let second = ingested(&rules, Some(&first), "B", 2);
        let back = Sight::Present(version("A", 3, false));
        let event = created("A", 3, false);
        let third = claim(&key(), Some(&second), &event, &back, &rules, &by("w", 400));
        match third {
            Claim::Settle(Settled { why: Why::SeenBefore, next: Some(entry) }) => {
                assert!(left_out);
                assert!(matches!(entry.state, State::Skipped { .. }));
            }
            Claim::Take(entry) => {
                assert!(!left_out);
                assert_ne!(entry.reference, first.reference, "another upload, other ids");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_etag_that_was_claimed_but_not_completed_is_not_seen() {
    let rules = Rules { dedup: Dedup::Ever, ..rules() };
    let event = created("A", 1, false);
    let sight = Sight::Present(version("A", 1, false));
    let Claim::Take(taken) = claim(&key(), None, &event, &sight, &rules, &by("w", 0)) else {
        panic!();
    };
    assert!(taken.seen.is_empty());
    let again = claim(&key(), Some(&taken), &event, &sight, &rules, &by("w", 100));
    assert!(matches!(again, Claim::Take(_)), "{again:?}");
}

#[test]
fn a_file_too_large_is_parked_until_the_limit_or_the_file_changes() {
    let mut large = version("A", 1, false);
    large.size = Some(1_001);
    let event = created("A", 1, false);
    let parked = claim(&key(), None, &event, &Sight::Present(large.clone()), &rules(), &by("w", 0));
    let Claim::Settle(Settled { why: Why::TooLarge, next: Some(parked) }) = parked else {
        panic!("{parked:?}");
    };
    let sight = Sight::Present(large);
    let again = claim(&key(), Some(&parked), &LOOK, &sight, &rules(), &by("w", 1));
    assert!(matches!(again, Claim::Settle(Settled { why: Why::Parked, .. })), "{again:?}");
    let raised = Rules { max_size: 2_000, fingerprint: "raised".into(), ..rules() };
    let again = claim(&key(), Some(&parked), &LOOK, &sight, &raised, &by("w", 1));
    assert!(matches!(again, Claim::Take(_)), "{again:?}");
}

#[test]
fn a_forced_look_delivers_again_with_the_same_ids() {
    let entry = ingested(&rules(), None, "A", 1);
    let sight = Sight::Present(version("A", 1, false));
    let looked = claim(&key(), Some(&entry), &LOOK, &sight, &rules(), &by("w", 200));
    assert!(matches!(looked, Claim::Settle(Settled { why: Why::Duplicate, .. })), "{looked:?}");
    let forced = claim(&key(), Some(&entry), &FORCE, &sight, &rules(), &by("w", 200));
    assert!(matches!(forced, Claim::Take(taken) if taken.reference == entry.reference));
}

#[test]
fn a_file_moved_out_and_back_has_new_ids() {
    // Its content and its time are what they were; downstream was told of the removal in between.
    let first = ingested(&rules(), None, "A", 1);
    let gone = claim(&key(), Some(&first), &LOOK, &Sight::Absent, &rules(), &by("w", 200));
    let Claim::Take(gone) = gone else { panic!("{gone:?}") };
    let gone = remove(&gone, "w", gone.epoch, at(200)).expect("the worker holds the entry");
    let sight = Sight::Present(version("A", 1, false));
    let back = claim(&key(), Some(&gone), &LOOK, &sight, &rules(), &by("w", 300));
    assert!(matches!(back, Claim::Take(back) if back.reference != first.reference));
    // So it is with a content that another one came in between of.
    let other = ingested(&rules(), Some(&first), "B", 2);
    let back = claim(&key(), Some(&other), &LOOK, &sight, &rules(), &by("w", 300));
    assert!(matches!(back, Claim::Take(back) if back.reference != first.reference));
}

#[test]
fn what_was_archived_is_taken_up_when_it_is_restored() {
    let event = created("A", 1, false);
    let archived = Failure::new("archived", "x", "x", Disposition::Park);
    let parked = fail_unopened(None, &event, &rules(), &archived, false, &by("w", 0));
    let parked = parked.expect("it is noted");
    assert!(matches!(parked.state, State::Parked { .. }));
    assert_eq!(plan(Some(&parked), &event, at(1)), settle(Why::Parked));
    let restored = Evidence::Look { unpark: true, force: false, sequencer: None };
    assert_eq!(plan(Some(&parked), &restored, at(2)), Plan::Open(Pin::Current));
    let sight = Sight::Present(version("A", 1, false));
    let taken = claim(&key(), Some(&parked), &restored, &sight, &rules(), &by("w", 2));
    assert!(matches!(taken, Claim::Take(_)), "{taken:?}");
}

#[test]
fn a_look_that_fails_leaves_what_was_done_as_it_was() {
    let entry = ingested(&rules(), None, "A", 1);
    let passing = Failure::new("object_unavailable", "x", "x", Disposition::Retry);
    let next = fail_unopened(Some(&entry), &LOOK, &rules(), &passing, false, &by("w", 200));
    assert_eq!(next, None);
}

#[test]
fn a_look_at_what_never_was_leaves_no_trace() {
    let looked = claim(&key(), None, &LOOK, &Sight::Absent, &rules(), &by("w", 0));
    assert_eq!(looked, Claim::Settle(Settled { why: Why::Unknown, next: None }));
}

#[test]
fn a_removal_and_its_repeat_have_one_id() {
    let Claim::Take(first) =
        claim_removal(&key(), None, Some(&Sequencer::new("1")), &rules(), &by("one", 0))
    else {
        panic!();
    };
    let again =
        claim_removal(&key(), Some(&first), Some(&Sequencer::new("1")), &rules(), &by("two", 100));
    let Claim::Take(again) = again else { panic!("{again:?}") };
    assert_eq!(first.reference, again.reference);
    assert_eq!(again.attempts, 2);
}

fn taken(entry: Option<&Entry>, evidence: &Evidence, sight: Sight, rules: &Rules) -> Entry {
    let claim = claim(&key(), entry, evidence, &sight, rules, &by("w", 10_000));
    let Claim::Take(taken) = claim else { panic!("{claim:?}") };
    *taken
}

#[test]
fn a_version_that_is_the_newest_once_more_has_other_ids_than_the_first_time() {
    // A consumer that has seen an id once takes it no more: it would keep the version in between,
    // which was destroyed, or nothing, where a delete marker was taken away.
    let first = Sight::Present(version("A", 1, true));
    let done = |taken: &Entry, etag: &str| {
        let done = done(&ETag::new(etag), 1);
        complete(taken, "w", taken.epoch, &rules(), done).expect("the worker holds the entry")
    };
    let a = done(&taken(None, &created("A", 1, true), first.clone(), &rules()), "A");
    let second = Sight::Present(version("B", 2, true));
    let b = done(&taken(Some(&a), &created("B", 2, true), second, &rules()), "B");
    let again = taken(Some(&b), &LOOK, first.clone(), &rules());
    assert_ne!(again.reference, a.reference);
    assert!(again.generation > b.generation && b.generation > a.generation);

    let removal = claim_removal(&key(), Some(&a), None, &rules(), &by("w", 10_000));
    let Claim::Take(removal) = removal else { panic!("{removal:?}") };
    assert!(removal.generation > a.generation, "a removal is newer than what it removes");
    let removed = remove(&removal, "w", removal.epoch, at(1)).expect("the worker holds the entry");
    let again = taken(Some(&removed), &LOOK, first, &rules());
    assert_ne!(again.reference, a.reference);
    assert!(again.generation > removal.generation);
}

#[test]
fn a_repeat_has_the_generation_that_the_first_attempt_had() {
    let sight = Sight::Present(version("A", 1, false));
    let first = taken(None, &created("A", 1, false), sight.clone(), &rules());
    let second = taken(Some(&first), &LOOK, sight.clone(), &rules());
    assert_eq!((second.epoch, second.generation), (2, first.generation));
    let done = done(&ETag::new("A"), 1);
    let done = complete(&second, "w", 2, &rules(), done).expect("the worker holds the entry");
    let forced = taken(Some(&done), &FORCE, sight, &rules());
    assert_eq!(forced.generation, first.generation, "its events are the same");
}

#[test]
fn what_is_back_after_a_removal_that_did_not_end_well_has_other_ids() {
    // Downstream may know of the removal although the worker was told that it does not.
    let a = ingested(&rules(), None, "A", 1);
    let removal = claim_removal(&key(), Some(&a), None, &rules(), &by("w", 10_000));
    let Claim::Take(removal) = removal else { panic!("{removal:?}") };
    let failure = Failure::new("destination_unavailable", "x", "x", Disposition::Retry);
    let waiting = fail(&removal, "w", removal.epoch, &rules(), &failure, false, at(1));
    let waiting = waiting.expect("the worker holds the entry");
    let failed = fail(&removal, "w", removal.epoch, &rules(), &failure, true, at(1));
    let failed = failed.expect("the worker holds the entry");
    for ended in [waiting, failed] {
        let back = taken(Some(&ended), &LOOK, Sight::Present(version("A", 1, false)), &rules());
        assert_ne!(back.reference, a.reference);
        assert!(!back.removing);
    }
}

#[test]
fn a_replay_of_what_was_left_out_has_not_the_ids_of_the_content_before() {
    let rules = Rules { dedup: Dedup::Ever, ..rules() };
    let a = ingested(&rules, None, "A", 1);
    let b = ingested(&rules, Some(&a), "B", 2);
    let again = Sight::Present(version("A", 3, false));
    let left_out =
        claim(&key(), Some(&b), &created("A", 3, false), &again, &rules, &by("w", 10_000));
    let Claim::Settle(Settled { why: Why::SeenBefore, next: Some(left_out) }) = left_out else {
        panic!("{left_out:?}");
    };
    let replayed = taken(Some(&left_out), &FORCE, again, &rules);
    assert_ne!(replayed.reference, b.reference);
}

#[test]
fn a_look_that_fails_leaves_what_was_parked_or_given_up_as_it_was() {
    // Else it would wait for a message that has no reason to come back.
    let passing = Failure::new("object_unavailable", "x", "x", Disposition::Retry);
    for disposition in [Disposition::Park, Disposition::DeadLetter] {
        let failure = Failure::new("unsupported_encoding", "x", "x", disposition);
        let sight = Sight::Present(version("A", 1, false));
        let taken = taken(None, &created("A", 1, false), sight, &rules());
        let ended = fail(&taken, "w", taken.epoch, &rules(), &failure, false, at(1));
        let ended = ended.expect("the worker holds the entry");
        let next = fail_unopened(Some(&ended), &LOOK, &rules(), &passing, false, &by("w", 200));
        assert_eq!(next, None, "{disposition:?}");
        // But why it rests may change, and that is no news for the dead letters.
        let denied = Failure::new("access_denied", "x", "x", Disposition::Park);
        let next = fail_unopened(Some(&ended), &LOOK, &rules(), &denied, false, &by("w", 200));
        assert!(next.is_some_and(|next| next.state == State::Parked { failure: denied }));
    }
}

#[test]
fn an_event_that_may_be_the_older_one_and_cannot_be_opened_changes_nothing() {
    // The entry knows a version from a look; its sequencer is that of an event before it.
    let sight = Sight::Present(version("B", 2, false));
    let looked = taken(None, &created("A", 1, false), sight, &rules());
    let looked = Entry { sequencer_exact: false, ..looked };
    let done = done(&ETag::new("B"), 2);
    let done = complete(&looked, "w", looked.epoch, &rules(), done);
    let done = done.expect("the worker holds the entry");
    let passing = Failure::new("object_unavailable", "x", "x", Disposition::Retry);
    let event = created("A", 2, false);
    let next = fail_unopened(Some(&done), &event, &rules(), &passing, false, &by("w", 200));
    assert_eq!(next, None);
}

#[test]
fn the_failures_of_two_objects_that_were_never_opened_have_different_ids() {
    let denied = Failure::new("access_denied", "x", "x", Disposition::DeadLetter);
    let event = created("A", 1, false);
    let entry = fail_unopened(None, &event, &rules(), &denied, true, &by("w", 1));
    let entry = entry.expect("it is noted");
    let other = EntryKey::new("deals", ObjectId::new("drop", "b.csv"));
    assert_ne!(entry.ids(&key()), entry.ids(&other));
    assert_eq!(entry.ids(&key()), entry.ids(&key()), "and a repeat has the same");
}
