//! Step 3: what the owner of an entry writes while the work goes on and when it ends; and what is
//! written of work that nobody could begin.

use jiff::Timestamp;

use super::claim::{Claimant, blank, raise};
use super::{Evidence, Order, Rules, compare};
use crate::catalog::Dedup;
use crate::failure::{Disposition, Failure};
use crate::ledger::entry::{Checkpoint, Completion, Entry, State, Work};
use crate::object::ObjectVersion;

/// Step 3: the lease of a worker that still holds the entry, made new. `None`: it lost the entry.
pub fn renew(
    entry: &Entry,
    owner: &str,
    epoch: u64,
    rules: &Rules,
    now: Timestamp,
) -> Option<Entry> {
    let work = held(entry, owner, epoch)?;
    let mut next = entry.clone();
    next.state = State::Running { owner: owner.to_owned(), until: now + rules.lease, work };
    next.updated = now;
    Some(next)
}

/// Step 3: everything was delivered and acknowledged. `None`: the worker lost the entry.
pub fn complete(
    entry: &Entry,
    owner: &str,
    epoch: u64,
    rules: &Rules,
    done: Completion,
) -> Option<Entry> {
    held(entry, owner, epoch)?;
    let mut next = entry.clone();
    next.state = State::Done;
    next.attempts = 0;
    next.checkpoint = None;
    next.updated = done.at;
    if rules.dedup == Dedup::Ever && !next.seen.contains(&done.etag) {
        next.seen.push(done.etag.clone());
    }
    next.done = Some(done);
    Some(next)
}

/// Step 3: the work did not end in the time it had, and goes on later: downstream has everything up to
/// `checkpoint`. Progress was made, so the attempts begin anew; as every checkpoint lies behind the one
/// before, the work ends. `None`: the worker lost the entry, or made no progress.
pub fn pause(
    entry: &Entry,
    owner: &str,
    epoch: u64,
    checkpoint: Checkpoint,
    now: Timestamp,
) -> Option<Entry> {
    held(entry, owner, epoch)?;
    let begun = entry.checkpoint.as_ref().map_or(0, |before| before.at.row);
    if checkpoint.at.row <= begun {
        return None;
    }
    let mut next = entry.clone();
    next.state = State::Waiting {
        failure: Failure::new(
            "continues",
            format!(
                "the work was put down after row {}, before the invocation's deadline",
                checkpoint.at.row
            ),
            "It goes on by itself",
            Disposition::Retry,
        ),
    };
    next.attempts = 0;
    next.checkpoint = Some(checkpoint);
    next.updated = now;
    Some(next)
}

/// Step 3: the removal was delivered and acknowledged. `None`: the worker lost the entry.
pub fn remove(entry: &Entry, owner: &str, epoch: u64, now: Timestamp) -> Option<Entry> {
    held(entry, owner, epoch)?;
    let mut next = entry.clone();
    next.state = State::Removed;
    next.attempts = 0;
    next.done = None;
    next.reference = None;
    next.removing = false;
    next.updated = now;
    Some(next)
}

/// Step 3: the work ended with `failure`. `last`: there will be no further attempt. `None`: the worker
/// lost the entry.
pub fn fail(
    entry: &Entry,
    owner: &str,
    epoch: u64,
    rules: &Rules,
    failure: &Failure,
    last: bool,
    now: Timestamp,
) -> Option<Entry> {
    held(entry, owner, epoch)?;
    let mut next = entry.clone();
    next.updated = now;
    next.state = match failure.disposition {
        Disposition::Park => State::Parked { failure: failure.clone() },
        Disposition::DeadLetter => State::Failed { failure: failure.clone() },
        Disposition::Retry | Disposition::WaitUntil(_) => {
            if last || next.attempts >= rules.max_attempts {
                State::Failed { failure: failure.clone() }
            } else {
                State::Waiting { failure: failure.clone() }
            }
        }
    };
    Some(next)
}

/// The object could not even be opened, and nobody holds the entry: what the entry should learn from
/// it, if anything. `last`: there will be no further attempt.
pub fn fail_unopened(
    entry: Option<&Entry>,
    evidence: &Evidence,
    rules: &Rules,
    failure: &Failure,
    last: bool,
    by: &Claimant<'_>,
) -> Option<Entry> {
    let state = match failure.disposition {
        Disposition::Park => State::Parked { failure: failure.clone() },
        Disposition::DeadLetter => State::Failed { failure: failure.clone() },
        Disposition::Retry | Disposition::WaitUntil(_) if last => {
            State::Failed { failure: failure.clone() }
        }
        Disposition::Retry | Disposition::WaitUntil(_) => {
            State::Waiting { failure: failure.clone() }
        }
    };
    let mut next = match entry {
        Some(entry) => entry.clone(),
        None => blank(rules, by),
    };
    // An event that may be older than what the entry tells of says no more than a look.
    let newer = match evidence {
        Evidence::Created { sequencer, .. } => entry.is_none_or(|entry| {
            matches!(compare(entry, sequencer.as_ref()), Order::Newer | Order::Same)
        }),
        Evidence::Removed { .. } | Evidence::Look { .. } => false,
    };
    match evidence {
        Evidence::Created { etag: Some(etag), version_id, sequencer } if newer => {
            if next.version.as_ref().is_none_or(|known| known.etag != *etag) {
                next.version = Some(ObjectVersion {
                    etag: etag.clone(),
                    version_id: version_id.clone(),
                    size: None,
                    last_modified: None,
                });
                next.reference = None;
                next.removing = false;
            }
            next.sequencer_exact = entry.is_none_or(|entry| entry.sequencer_exact);
            raise(&mut next.sequencer, sequencer.as_ref());
        }
        // Nothing is known of what is there now; what the entry says of the version before stays
        // true. To wait is for what was begun and not ended: nobody may come back to the rest.
        _ => match entry.map(|entry| &entry.state) {
            None | Some(State::Waiting { .. } | State::Running { .. }) => {}
            Some(State::Parked { .. } | State::Failed { .. })
                if matches!(state, State::Parked { .. }) => {}
            Some(_) => return None,
        },
    }
    next.fingerprint.clone_from(&rules.fingerprint);
    next.updated = by.now;
    next.state = state;
    Some(next)
}

/// The worker is known to be gone (its machine says so): its lease ends now. `None`: nobody holds the
/// entry.
pub fn orphan(entry: &Entry, now: Timestamp) -> Option<Entry> {
    let State::Running { owner, work, .. } = &entry.state else { return None };
    let mut next = entry.clone();
    next.state = State::Running { owner: owner.clone(), until: now, work: *work };
    next.updated = now;
    Some(next)
}

/// The fence: who is not the owner in this epoch writes nothing.
fn held(entry: &Entry, owner: &str, epoch: u64) -> Option<Work> {
    match &entry.state {
        State::Running { owner: holder, work, .. } if holder == owner && entry.epoch == epoch => {
            Some(*work)
        }
        _ => None,
    }
}
