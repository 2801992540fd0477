//! Where bucket and ledger disagree: pure.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::ledger::{Entry, State};
use crate::object::Listed;

/// An entry that waits for its message is left alone for this long: the message is on its way.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

/// Why an object is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// The ledger does not know it.
    New,
    /// Its content is another one.
    Changed,
    /// It is gone.
    Gone,
    /// The work on it was left behind.
    Stale,
    /// Nothing is wrong with it; the refresh is full.
    Forced,
}

/// What bucket and ledger say of one key: is a look called for?
pub fn reconcile(
    listed: Option<&Listed>,
    entry: Option<&Entry>,
    full: bool,
    fingerprint: &str,
    now: Timestamp,
) -> Option<Found> {
    let Some(entry) = entry else { return listed.map(|_| Found::New) };
    match (&entry.state, listed) {
        // Its owner ends it, or its lease ends.
        (State::Running { until, .. }, _) if *until > now => full.then_some(Found::Forced),
        (State::Running { .. }, _) => Some(Found::Stale),
        (State::Removed, None) => None,
        (_, None) => Some(Found::Gone),
        (State::Removed, Some(_)) => Some(Found::New),
        // It is back, and what the entry tells of is the removal.
        (_, Some(_)) if entry.removing => Some(Found::New),
        (state, Some(listed)) => {
            if entry.version.as_ref().is_none_or(|known| known.etag != listed.etag) {
                return Some(Found::Changed);
            }
            match state {
                State::Waiting { .. } if now.duration_since(entry.updated) > PATIENCE => {
                    Some(Found::Stale)
                }
                // The definition was mended since: what it could not read before it may now.
                State::Parked { .. } | State::Failed { .. } if entry.fingerprint != fingerprint => {
                    Some(Found::Stale)
                }
                _ => full.then_some(Found::Forced),
            }
        }
    }
}
