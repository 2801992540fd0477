//! What a file took and what it became, over all its layers and members together: a bomb may be
//! folded as often as it likes, and be spread over as many members.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{FormatError, Limit, Limits};

/// Counts for one file. All that is opened within it counts here, too.
#[derive(Debug)]
pub(super) struct Meter {
    limits: Limits,
    stored: AtomicU64,
    expanded: AtomicU64,
    members: AtomicU64,
}

impl Meter {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            stored: AtomicU64::new(0),
            expanded: AtomicU64::new(0),
            members: AtomicU64::new(0),
        }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Counts bytes of the file itself.
    pub(super) fn store(&self, bytes: u64) {
        self.stored.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts bytes that came out of a decoder.
    pub(super) fn expand(&self, bytes: u64) -> Result<(), FormatError> {
        let expanded = self.expanded.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        check(expanded, self.stored.load(Ordering::Relaxed), &self.limits)
    }

    /// Counts a member of an archive.
    pub(super) fn member(&self) -> Result<(), FormatError> {
        let most = self.limits.max_members;
        if self.members.fetch_add(1, Ordering::Relaxed) >= most {
            let limit = Limit { setting: "max_members", value: most };
            return Err(FormatError::TooManyMembers { limit });
        }
        Ok(())
    }
}

fn check(expanded: u64, stored: u64, limits: &Limits) -> Result<(), FormatError> {
    let passed = match limits.max_expanded_bytes {
        Some(most) if expanded > most => Some(Limit { setting: "max_expanded_bytes", value: most }),
        _ if expanded > limits.ratio_from && expanded / stored.max(1) >= limits.max_ratio => {
            Some(Limit { setting: "max_ratio", value: limits.max_ratio })
        }
        _ => None,
    };
    match passed {
        Some(limit) => Err(FormatError::ExpandsTooFar { expanded, compressed: stored, limit }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bomb_is_stopped_and_a_repetitive_file_is_not() {
        let limits = Limits::default();
        assert!(check(10 << 20, 10_000, &limits).is_ok(), "small: any ratio");
        assert!(check(1 << 30, 10 << 20, &limits).is_ok(), "100:1 is ordinary");
        let error = check(1 << 30, 1 << 20, &limits).expect_err("a bomb");
        assert!(error.to_string().contains("max_ratio = 500"), "{error}");
        let limits = Limits { max_expanded_bytes: Some(100), ..limits };
        let error = check(101, 50, &limits).expect_err("too much");
        assert!(error.to_string().contains("max_expanded_bytes = 100"), "{error}");
    }

    #[test]
    fn what_members_expand_to_adds_up() {
        let meter = Meter::new(Limits { max_expanded_bytes: Some(100), ..Limits::default() });
        meter.store(50);
        assert!(meter.expand(60).is_ok());
        assert!(meter.expand(60).is_err());
    }
}
