//! Which entries a replay takes: pure.

use jiff::Timestamp;

use crate::ledger::{Entry, State};

/// What an entry must fit to be ordered again; all that is given counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Entries of this source.
    pub source: Option<String>,
    /// A bucket, and what the key begins with.
    pub prefix: Option<(String, String)>,
    /// Entries that were written at this time or later.
    pub since: Option<Timestamp>,
    /// Entries that were written before this time.
    pub until: Option<Timestamp>,
    /// Entries in one of these states.
    pub states: States,
    /// Entries of which rows were refused. The whole object is read again: downstream a version of it
    /// is whole or nothing, so the rows that were refused come with the others, in its place.
    pub rejects: bool,
}

/// A choice of states, by their names. None: all but `removed`, because of what is gone nothing can be
/// delivered again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct States(Vec<&'static str>);

impl States {
    /// The states that can be chosen.
    pub const NAMES: [&'static str; 6] =
        ["waiting", "running", "done", "skipped", "parked", "failed"];

    /// These states; names that are none of [`States::NAMES`] are left out.
    pub fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let known = |name: &str| Self::NAMES.into_iter().find(|known| *known == name);
        Self(names.into_iter().filter_map(known).collect())
    }

    fn takes(&self, state: &State) -> bool {
        match self.0.as_slice() {
            [] => !matches!(state, State::Removed),
            chosen => chosen.contains(&state.name()),
        }
    }
}

/// Whether rows of the object were refused, beside others or so that all of it was.
fn had_rejects(entry: &Entry) -> bool {
    match &entry.state {
        State::Failed { failure } => {
            matches!(failure.code.as_str(), "too_many_rejects" | "row_rejected")
        }
        _ => entry.done.as_ref().is_some_and(|done| done.counters.rejects > 0),
    }
}

impl Filter {
    /// Whether nothing is said at all, so that everything would be taken.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn takes_source(&self, source: &str, bucket: &str) -> bool {
        self.source.as_deref().is_none_or(|only| only == source)
            && self.prefix.as_ref().is_none_or(|(of, _)| of == bucket)
    }

    pub(super) fn key_prefix(&self) -> &str {
        self.prefix.as_ref().map_or("", |(_, prefix)| prefix)
    }

    pub(super) fn takes(&self, entry: &Entry) -> bool {
        self.states.takes(&entry.state)
            && self.since.is_none_or(|since| entry.updated >= since)
            && self.until.is_none_or(|until| entry.updated < until)
            && (!self.rejects || had_rejects(entry))
    }
}
