//! Step 2: given what opening the object showed, take the entry, or settle it without work.

use jiff::Timestamp;

use super::{Evidence, Rules, Settled, Sight, Why};
use crate::catalog::Dedup;
use crate::failure::{Disposition, Failure};
use crate::format::Expected;
use crate::ledger::entry::{Entry, EntryKey, State, Work};
use crate::object::{ObjectVersion, Sequencer};

/// What a claim led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Write this entry; then the work is ours.
    Take(Box<Entry>),
    /// Nothing is to be done.
    Settle(Settled),
}

fn leave(why: Why) -> Claim {
    Claim::Settle(Settled { why, next: None })
}

fn close(why: Why, next: Entry) -> Claim {
    Claim::Settle(Settled { why, next: Some(Box::new(next)) })
}

/// Who claims, and when.
#[derive(Clone, Debug)]
pub struct Claimant<'a> {
    /// The worker's name, unique to it.
    pub owner: &'a str,
    /// The present moment.
    pub now: Timestamp,
}

/// Step 2, after [`Plan::Open`](super::Plan::Open): what opening the object showed, and what follows.
pub fn claim(
    key: &EntryKey,
    entry: Option<&Entry>,
    evidence: &Evidence,
    sight: &Sight,
    rules: &Rules,
    by: &Claimant<'_>,
) -> Claim {
    let found = match sight {
        Sight::Absent => return claim_absence(key, entry, evidence, rules, by),
        Sight::Present(version) => version,
    };
    let (unpark, force) = match evidence {
        Evidence::Look { unpark, force, .. } => (*unpark, *force),
        _ => (false, false),
    };
    let same_content =
        entry.is_some_and(|e| e.version.as_ref().is_some_and(|v| v.etag == found.etag));
    let same_definition = entry.is_some_and(|e| e.fingerprint == rules.fingerprint);
    let looked = match evidence {
        Evidence::Created { etag: None, version_id: None, .. } => true,
        Evidence::Created { sequencer: Some(_), .. } => {
            entry.is_some_and(|e| e.sequencer.is_none() || !e.sequencer_exact)
        }
        _ => true,
    };

    let mut next = match entry {
        Some(entry) => entry.clone(),
        None => blank(rules, by),
    };
    next.updated = by.now;
    learn_sequencer(&mut next, evidence, found, looked);
    next.version = Some(found.clone());

    if let Some(entry) = entry
        && same_content
        && !entry.removing
        && !force
    {
        let unchanged = next.version == entry.version
            && next.sequencer == entry.sequencer
            && next.sequencer_exact == entry.sequencer_exact;
        let settled = match &entry.state {
            State::Done => Some(Why::Duplicate),
            State::Skipped { .. } => Some(Why::SeenBefore),
            State::Parked { .. } if looked && same_definition && !unpark => Some(Why::Parked),
            State::Failed { .. } if looked && same_definition && !unpark => Some(Why::Failed),
            _ => None,
        };
        if let Some(why) = settled {
            return if unchanged { leave(why) } else { close(why, next) };
        }
    }
    // A removal in between makes the same content a new object to the reader downstream.
    let continues = same_content
        && same_definition
        && entry.is_some_and(|e| !e.removing && !matches!(e.state, State::Removed));
    if rules.dedup == Dedup::Ever && next.seen.contains(&found.etag) && !force {
        next.state = State::Skipped {
            reason: format!("its content (ETag {}) was ingested once before", found.etag),
        };
        next.fingerprint.clone_from(&rules.fingerprint);
        next.attempts = 0;
        if !continues {
            // That of another content: a replay of this one must not take it up.
            next.reference = None;
            next.checkpoint = None;
        }
        next.removing = false;
        return close(Why::SeenBefore, next);
    }

    if !continues || next.reference.is_none() {
        next.generation = next.epoch + 1;
        next.reference = Some(reference(key, found, rules, next.generation));
        next.checkpoint = None;
    }
    if force {
        // All of it is wanted again, the part before the checkpoint too.
        next.checkpoint = None;
    }
    next.removing = false;
    next.fingerprint.clone_from(&rules.fingerprint);

    if let Some(size) = found.size
        && size > rules.max_size
    {
        next.attempts = 0;
        next.state = State::Parked { failure: too_large(key, size, rules.max_size) };
        return close(Why::TooLarge, next);
    }
    let unfinished =
        match entry {
            Some(Entry {
                state: State::Running { .. } | State::Waiting { .. }, attempts, ..
            }) if continues => *attempts,
            _ => 0,
        };
    take(key, next, Work::Ingest, unfinished, rules, by)
}

/// Step 2, after [`Plan::Remove`](super::Plan::Remove): take the entry for the delivery of the removal.
pub fn claim_removal(
    key: &EntryKey,
    entry: Option<&Entry>,
    sequencer: Option<&Sequencer>,
    rules: &Rules,
    by: &Claimant<'_>,
) -> Claim {
    let mut next = match entry {
        Some(entry) => entry.clone(),
        None => blank(rules, by),
    };
    let unfinished = match entry {
        Some(Entry {
            state: State::Running { .. } | State::Waiting { .. },
            removing: true,
            attempts,
            sequencer: known,
            ..
        }) if known.as_ref() == sequencer => *attempts,
        _ => 0,
    };
    if let Some(sequencer) = sequencer {
        next.sequencer = Some(sequencer.clone());
        next.sequencer_exact = true;
    } else {
        next.sequencer_exact = false;
    }
    next.updated = by.now;
    next.fingerprint.clone_from(&rules.fingerprint);
    take(key, next, Work::Remove, unfinished, rules, by)
}

/// The object is not there: a removal, unless nobody ever knew of it.
fn claim_absence(
    key: &EntryKey,
    entry: Option<&Entry>,
    evidence: &Evidence,
    rules: &Rules,
    by: &Claimant<'_>,
) -> Claim {
    let seen = match evidence {
        Evidence::Created { sequencer, .. } | Evidence::Removed { sequencer } => sequencer.as_ref(),
        Evidence::Look { sequencer, .. } => sequencer.as_ref(),
    };
    let mut next = match entry {
        None if seen.is_none() && matches!(evidence, Evidence::Look { .. }) => {
            return leave(Why::Unknown);
        }
        None => blank(rules, by),
        Some(entry) => entry.clone(),
    };
    let known = next.sequencer.clone();
    raise(&mut next.sequencer, seen);
    if let Some(Entry { state: State::Removed, .. }) = entry {
        return if next.sequencer == known {
            leave(Why::AlreadyRemoved)
        } else {
            next.sequencer_exact = false;
            next.updated = by.now;
            close(Why::AlreadyRemoved, next)
        };
    }
    // The removal's own event has a sequencer that is not known here.
    next.sequencer_exact = false;
    next.updated = by.now;
    next.fingerprint.clone_from(&rules.fingerprint);
    let unfinished = match entry {
        Some(Entry {
            state: State::Running { .. } | State::Waiting { .. },
            removing: true,
            attempts,
            ..
        }) => *attempts,
        _ => 0,
    };
    take(key, next, Work::Remove, unfinished, rules, by)
}

/// A version that begins anew is read as is `expected` of a file of its series by now; a repeat as it was
/// expected at first.
pub fn expect(before: Option<&Entry>, next: &mut Entry, expected: Option<Expected>) {
    if before.and_then(|before| before.reference.as_ref()) != next.reference.as_ref() {
        next.expected = expected;
    }
}

/// Whether work on the object may end the process that does it: a worker was lost on it. It is then
/// done alone, so that it takes no other with it. (Already after the first one: whoever shares a batch
/// with such files has few receives to spare.)
pub fn is_suspect(before: Option<&Entry>, next: &Entry) -> bool {
    let lost = before.is_some_and(|before| matches!(before.state, State::Running { .. }));
    lost && next.attempts > 1
}

pub(super) fn blank(rules: &Rules, by: &Claimant<'_>) -> Entry {
    Entry {
        state: State::Removed,
        version: None,
        sequencer: None,
        sequencer_exact: false,
        epoch: 0,
        attempts: 0,
        reference: None,
        generation: 0,
        removing: false,
        expected: None,
        checkpoint: None,
        fingerprint: rules.fingerprint.clone(),
        done: None,
        seen: Vec::new(),
        updated: by.now,
    }
}

/// A takeover gets a whole lease of its own: with the old one's end, a third worker would take over
/// at once.
fn take(
    key: &EntryKey,
    mut next: Entry,
    work: Work,
    unfinished: u32,
    rules: &Rules,
    by: &Claimant<'_>,
) -> Claim {
    next.updated = by.now;
    // One attempt less after lost workers: the receive that would be the last is needed to say so.
    let lost = u32::from(matches!(next.state, State::Running { .. }));
    if unfinished + lost >= rules.max_attempts.max(lost + 1) {
        let last = match &next.state {
            State::Waiting { failure } => failure.message.clone(),
            _ => "its worker was lost each time".to_owned(),
        };
        next.state = State::Failed { failure: exhausted(key, unfinished, &last) };
        return close(Why::Exhausted, next);
    }
    next.epoch += 1;
    if work == Work::Remove {
        next.checkpoint = None;
    }
    if work == Work::Remove && !next.removing {
        // Written with the claim, so that a repeat has the same.
        next.removing = true;
        next.generation = next.epoch;
        if next.reference.is_none() {
            // A removal of what was never read.
            let (generation, object) = (next.generation.to_string(), &key.object);
            next.reference = Some(crate::hash::short(&[
                "removal",
                &key.source,
                &object.bucket,
                &object.key,
                &generation,
            ]));
        }
    }
    next.attempts = unfinished + 1;
    next.state = State::Running { owner: by.owner.to_owned(), until: by.now + rules.lease, work };
    Claim::Take(Box::new(next))
}

pub(super) fn raise(known: &mut Option<Sequencer>, seen: Option<&Sequencer>) {
    if let Some(seen) = seen
        && known.as_ref().is_none_or(|known| seen > known)
    {
        *known = Some(seen.clone());
    }
}

fn learn_sequencer(next: &mut Entry, evidence: &Evidence, found: &ObjectVersion, looked: bool) {
    match evidence {
        Evidence::Created { sequencer: Some(sequencer), etag, version_id } => {
            // Seen by looking, but it is the event's own version: then the sequencer is its own.
            let its_own = etag.as_ref() == Some(&found.etag)
                && version_id.as_ref() == found.version_id.as_ref();
            raise(&mut next.sequencer, Some(sequencer));
            next.sequencer_exact = !looked || its_own;
        }
        // The object is there now, so it is newer than what the event tells of.
        Evidence::Look { sequencer: Some(sequencer), .. }
        | Evidence::Removed { sequencer: Some(sequencer) } => {
            raise(&mut next.sequencer, Some(sequencer));
            next.sequencer_exact = false;
        }
        _ => {
            let same = next.version.as_ref().is_some_and(|known| {
                known.etag == found.etag && known.version_id == found.version_id
            });
            next.sequencer_exact = next.sequencer_exact && same && next.state != State::Removed;
        }
    }
}

/// What the ids of a version's records and batches begin with. The generation is in it because a
/// version can be the newest one more than once: when what came after it is destroyed, it is there
/// again, and to a consumer that has seen its ids before it would be nothing new.
fn reference(key: &EntryKey, version: &ObjectVersion, rules: &Rules, generation: u64) -> String {
    let written = match (&version.version_id, &version.last_modified) {
        (Some(id), _) => format!("version {id}"),
        (None, Some(time)) => format!("written {time}"),
        (None, None) => String::new(),
    };
    crate::hash::short(&[
        &key.source,
        &key.object.bucket,
        &key.object.key,
        version.etag.as_str(),
        &written,
        &rules.fingerprint,
        &generation.to_string(),
    ])
}

fn too_large(key: &EntryKey, size: u64, max: u64) -> Failure {
    Failure::new(
        "too_large",
        format!("{} has {size} bytes; source {} takes at most {max}", key.object, key.source),
        "Raise max_size in the source's definition, or split the file",
        Disposition::Park,
    )
}

fn exhausted(key: &EntryKey, attempts: u32, last: &str) -> Failure {
    Failure::new(
        "attempts_exhausted",
        format!("{key} was tried {attempts} times without success; the last time: {last}"),
        "Mend the cause, then order the object again with `inlet replay`",
        Disposition::DeadLetter,
    )
}
