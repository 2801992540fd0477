//! Which pass a source's own schedule asks for: pure.

use jiff::Timestamp;

use super::{Kind, Progress};
use crate::catalog::RefreshSchedule;

/// The pass that is due now, besides those that somebody asked for. A source that was never refreshed
/// is compared at once: what lay in its bucket before its notices came is taken too.
pub fn due(
    schedule: &RefreshSchedule,
    progress: Option<&Progress>,
    now: Timestamp,
) -> Option<Kind> {
    let Some(first) = progress.and_then(|progress| progress.first_began) else {
        return Some(Kind::Compare);
    };
    let full_began = progress.and_then(|progress| progress.full_began);
    if schedule.full_fired(full_began.unwrap_or(first), now) {
        return Some(Kind::Full);
    }
    let began = |pass: &Option<super::Pass>| pass.as_ref().map(|pass| pass.began);
    let last = progress.and_then(|progress| began(&progress.pass).max(began(&progress.last)));
    schedule.poll_fired(last.unwrap_or(first), now).then_some(Kind::Compare)
}
