//! The state machine: pure functions from (entry, event, now) to (decision, next entry).
//!
//! The work on one object for one source takes these steps; each is a function here, and each write
//! between them is a compare-and-swap on the version of the entry that the decision was made from:
//!
//! 1. [`plan`]: what does this event ask for, given the entry? Nothing, to wait for another worker,
//!    to open the object, or to deliver its removal.
//! 2. [`claim`]: given what opening it showed, take the entry (raise the epoch, take a lease), or
//!    settle it without work.
//! 3. [`renew`] while the work goes on, and one of [`complete`], [`remove`], [`pause`] and [`fail`] at
//!    its end. All of them require that the entry is still held by the same owner in the same epoch.
//!
//! # What is newer?
//!
//! S3 orders the events of a key by their sequencer, and tells it in events alone: a listing or a
//! read tells none. So there are two kinds of evidence. An event with a sequencer is compared with
//! the entry's. Everything else, and an event that cannot be compared, is decided by *looking*: the
//! entry is read first, then the object as it is now, and the claim is conditional on that very
//! version of the entry. S3 is strongly consistent, so whatever the entry says was true before the
//! look, and the look is newer; if another worker writes in between, the claim fails and all is
//! decided anew. A version that was found by looking leaves `sequencer_exact` false: an event with a
//! greater sequencer than the entry's may then still be the older one, and is decided by looking too.

mod claim;
mod end;

use jiff::{SignedDuration, Timestamp};

pub use claim::{Claim, Claimant, claim, claim_removal, expect, is_suspect};
pub use end::{complete, fail, fail_unopened, orphan, pause, remove, renew};

use super::entry::{Entry, State};
use crate::catalog::{Dedup, Source};
use crate::object::{ETag, ObjectVersion, Pin, Sequencer};

/// How the ledger treats one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Which repeated contents are left out.
    pub dedup: Dedup,
    /// Bytes above which an object is parked unread.
    pub max_size: u64,
    /// The source's definition, as [`Source::fingerprint`] says it.
    pub fingerprint: String,
    /// Claims of one version before it is given up.
    pub max_attempts: u32,
    /// How long a claim holds without being renewed.
    pub lease: SignedDuration,
}

impl Rules {
    /// A claim holds this long unless it is renewed.
    pub const LEASE: SignedDuration = SignedDuration::from_secs(60);
    /// Claims of one version before it is given up; the queue's own bound is the same.
    pub const MAX_ATTEMPTS: u32 = 5;

    /// The rules of `source`.
    pub fn of(source: &Source) -> Self {
        Self {
            dedup: source.dedup,
            max_size: source.max_size,
            fingerprint: source.fingerprint(),
            max_attempts: Self::MAX_ATTEMPTS,
            lease: Self::LEASE,
        }
    }
}

/// What an event says of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// A version was written.
    Created {
        /// The tag, if the event names it.
        etag: Option<ETag>,
        /// The version id, in a bucket with versions.
        version_id: Option<String>,
        /// The place among the key's events.
        sequencer: Option<Sequencer>,
    },
    /// The object was removed: deleted, expired, or hidden by a delete marker. (The destruction of
    /// one version among others is not this but a reason to look.)
    Removed {
        /// The place among the key's events.
        sequencer: Option<Sequencer>,
    },
    /// Something calls for a look at the object as it is now.
    Look {
        /// Take up again what was parked (a restore was completed).
        unpark: bool,
        /// Deliver it even if nothing changed (a full refresh, a replay).
        force: bool,
        /// The sequencer of an event that led here: the object is as new as that or newer.
        sequencer: Option<Sequencer>,
    },
}

/// What opening the object showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// This version.
    Present(ObjectVersion),
    /// No object.
    Absent,
}

/// What an event asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Nothing is to be done.
    Settle(Settled),
    /// Another worker holds the entry until then; come back.
    Wait(Timestamp),
    /// Open the object so, and [`claim`].
    Open(Pin),
    /// Claim the removal with [`claim_removal`].
    Remove,
}

/// Nothing is to be done, and why. `next` is what the entry should learn from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Why.
    pub why: Why,
    /// The entry to write, if it changes.
    pub next: Option<Box<Entry>>,
}

/// Why an event asks for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Downstream has this content already.
    Duplicate,
    /// A newer event came before.
    Stale,
    /// Downstream knows of the removal already.
    AlreadyRemoved,
    /// This version is parked, and nothing has changed.
    Parked,
    /// This version was given up, and nothing has changed.
    Failed,
    /// `dedup = "ever"`: this content was completed once before.
    SeenBefore,
    /// There is no such object, and there never was one that Inlet knew.
    Unknown,
    /// The object is larger than the source allows; it is parked now.
    TooLarge,
    /// The last attempt that was allowed has been made; the entry is Failed now.
    Exhausted,
}

impl Why {
    /// A stable word for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Why::Duplicate => "duplicate",
            Why::Stale => "stale",
            Why::AlreadyRemoved => "already_removed",
            Why::Parked => "parked",
            Why::Failed => "failed",
            Why::SeenBefore => "seen_before",
            Why::Unknown => "no_such_object",
            Why::TooLarge => "too_large",
            Why::Exhausted => "attempts_exhausted",
        }
    }
}

fn settle(why: Why) -> Plan {
    Plan::Settle(Settled { why, next: None })
}

/// Step 1: what does `evidence` ask for?
pub fn plan(entry: Option<&Entry>, evidence: &Evidence, now: Timestamp) -> Plan {
    let Some(entry) = entry else {
        return match evidence {
            Evidence::Created { etag, version_id, .. } => Plan::Open(pin(etag, version_id)),
            Evidence::Removed { .. } => Plan::Remove,
            Evidence::Look { .. } => Plan::Open(Pin::Current),
        };
    };
    let order = match evidence {
        Evidence::Look { .. } => Order::Unknown,
        Evidence::Created { sequencer, .. } | Evidence::Removed { sequencer } => {
            compare(entry, sequencer.as_ref())
        }
    };
    if order == Order::Older {
        return settle(Why::Stale);
    }
    if let State::Running { until, .. } = &entry.state
        && *until > now
    {
        return Plan::Wait(*until);
    }
    match (evidence, order) {
        (_, Order::Unknown) => Plan::Open(Pin::Current),
        (Evidence::Created { .. }, Order::Same) => match &entry.state {
            State::Done => settle(Why::Duplicate),
            State::Skipped { .. } => settle(Why::SeenBefore),
            State::Removed => settle(Why::Stale),
            State::Parked { .. } => settle(Why::Parked),
            State::Failed { .. } => settle(Why::Failed),
            State::Waiting { .. } | State::Running { .. } => Plan::Open(match &entry.version {
                Some(known) => pin(&Some(known.etag.clone()), &known.version_id),
                None => Pin::Current,
            }),
        },
        (Evidence::Created { etag, version_id, sequencer }, _) => {
            match (&entry.state, &entry.version) {
                // The same content written again: downstream has it.
                (State::Done, Some(known)) if Some(&known.etag) == etag.as_ref() => {
                    let mut next = entry.clone();
                    if let Some(version) = &mut next.version {
                        version.version_id = version_id.clone();
                    }
                    next.sequencer = sequencer.clone();
                    next.sequencer_exact = sequencer.is_some();
                    Plan::Settle(Settled { why: Why::Duplicate, next: Some(Box::new(next)) })
                }
                _ => Plan::Open(pin(etag, version_id)),
            }
        }
        (Evidence::Removed { .. }, Order::Same) => match &entry.state {
            State::Removed => settle(Why::AlreadyRemoved),
            _ => Plan::Remove,
        },
        (Evidence::Removed { sequencer }, _) => match &entry.state {
            State::Removed => {
                let mut next = entry.clone();
                next.sequencer = sequencer.clone();
                next.sequencer_exact = true;
                Plan::Settle(Settled { why: Why::AlreadyRemoved, next: Some(Box::new(next)) })
            }
            _ => Plan::Remove,
        },
        (Evidence::Look { .. }, _) => Plan::Open(Pin::Current),
    }
}

/// How an event stands to the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Older,
    Same,
    Newer,
    Unknown,
}

fn compare(entry: &Entry, event: Option<&Sequencer>) -> Order {
    match (entry.sequencer.as_ref(), event) {
        (Some(known), Some(event)) if event < known => Order::Older,
        (Some(_), Some(_)) if !entry.sequencer_exact => Order::Unknown,
        (Some(known), Some(event)) if event == known => Order::Same,
        (Some(_), Some(_)) => Order::Newer,
        _ => Order::Unknown,
    }
}

fn pin(etag: &Option<ETag>, version_id: &Option<String>) -> Pin {
    match (version_id, etag) {
        (Some(id), _) => Pin::Version(id.clone()),
        (None, Some(etag)) => Pin::Match(etag.clone()),
        (None, None) => Pin::Current,
    }
}

#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;
