//! Who claims which pass: pure.

use jiff::{SignedDuration, Timestamp};

use super::super::pass::Claim;
use super::*;

const COMPARE: Option<Wish> = Some(Wish { kind: Kind::Compare, anew: false });
const ANEW: Option<Wish> = Some(Wish { kind: Kind::Compare, anew: true });
const FULL: Option<Wish> = Some(Wish { kind: Kind::Full, anew: false });

/// The progress after a claim that must succeed.
fn taken(progress: &Progress, wish: Option<Wish>, owner: &str, now: i64) -> Progress {
    match progress.claim(wish, "b/in/**", owner, at(now)) {
        Claim::Take(next) => next,
        other => panic!("{other:?}"),
    }
}

fn pass(progress: &Progress) -> &Pass {
    progress.pass.as_ref().unwrap()
}

fn stretch(after: &str, ended: bool) -> Stretch {
    let report = Report { listed: 10, new: 1, ..Report::default() };
    Stretch { report, after: Some(after.into()), ended, failure: None }
}

/// A pass of this kind that was left at the key `m`.
fn left(kind: Kind) -> Progress {
    let wish = Some(Wish { kind, anew: false });
    let begun = taken(&Progress::default(), wish, "w", 0);
    begun.advance(&stretch("m", false), "w", at(10), false).unwrap()
}

#[test]
fn without_a_wish_and_without_a_pass_there_is_nothing_to_do() {
    let claim = Progress::default().claim(None, "b/in/**", "w", at(0));
    assert_eq!(claim, Claim::Nothing);
}

#[test]
fn a_pass_goes_on_where_it_was_left_and_its_counts_go_on_too() {
    let left = left(Kind::Compare);
    for wish in [None, COMPARE] {
        let next = taken(&left, wish, "x", 500);
        assert_eq!(pass(&next).after.as_deref(), Some("m"));
        assert_eq!(pass(&next).began, at(0));
        let ended = next.advance(&stretch("z", true), "x", at(510), true).unwrap();
        let last = ended.last.unwrap();
        assert_eq!((last.report.listed, last.report.new), (20, 2));
        assert_eq!((ended.pass, ended.lease, ended.wanted), (None, None, None));
    }
}

#[test]
fn who_asks_by_hand_for_a_comparison_gets_a_whole_one() {
    let next = taken(&left(Kind::Compare), ANEW, "x", 500);
    assert_eq!((pass(&next).after.as_deref(), pass(&next).began), (None, at(500)));
}

#[test]
fn a_full_refresh_takes_the_place_of_a_comparison_and_is_itself_continued() {
    let next = taken(&left(Kind::Compare), FULL, "x", 500);
    assert_eq!((pass(&next).kind, pass(&next).after.as_deref()), (Kind::Full, None));
    assert_eq!(next.full_began, Some(at(500)));

    let next = taken(&left(Kind::Full), FULL, "x", 500);
    assert_eq!((pass(&next).kind, pass(&next).after.as_deref()), (Kind::Full, Some("m")));

    let next = taken(&left(Kind::Full), ANEW, "x", 500);
    assert_eq!((pass(&next).kind, pass(&next).after.as_deref()), (Kind::Full, Some("m")));
    assert_eq!(next.wanted, Some(Kind::Compare), "what came behind its back is compared after it");
}

#[test]
fn a_wish_is_kept_while_somebody_else_is_at_work() {
    let held = taken(&Progress::default(), COMPARE, "w", 0);
    let Claim::Held(lease, Some(kept)) = held.claim(FULL, "b/in/**", "x", at(10)) else {
        panic!("two hold it");
    };
    assert_eq!((lease.owner.as_str(), kept.wanted), ("w", Some(Kind::Full)));
    assert_eq!(kept.pass, held.pass, "the pass is left as it is");
    let again = kept.claim(COMPARE, "b/in/**", "x", at(20));
    assert!(matches!(again, Claim::Held(_, None)), "kept already: {again:?}");
    // The one at work goes on, and the wish is next.
    let ended = kept.advance(&stretch("z", true), "w", at(30), true).unwrap();
    assert_eq!(pass(&taken(&ended, None, "w", 31)).kind, Kind::Full);
}

#[test]
fn a_dead_worker_is_taken_over_and_writes_nothing_more() {
    let held = taken(&Progress::default(), COMPARE, "w", 0);
    let held = held.advance(&stretch("c", false), "w", at(10), true).unwrap();
    assert!(matches!(held.claim(None, "b/in/**", "x", at(189)), Claim::Held(_, None)));
    let over = taken(&held, None, "x", 190);
    assert_eq!(pass(&over).after.as_deref(), Some("c"));
    assert_eq!(over.advance(&stretch("d", false), "w", at(191), true), None);
    let ended = over.advance(&stretch("z", true), "x", at(192), true).unwrap();
    assert_eq!(ended.advance(&stretch("d", false), "w", at(193), true), None);
}

#[test]
fn a_pass_over_another_place_begins_anew() {
    let left = left(Kind::Full);
    for wish in [None, COMPARE, FULL] {
        let Claim::Take(next) = left.claim(wish, "b/elsewhere/**", "x", at(500)) else {
            panic!("not taken");
        };
        assert_eq!((pass(&next).kind, pass(&next).after.as_deref()), (Kind::Full, None));
    }
}

#[test]
fn a_source_that_was_never_refreshed_is_due_at_once_and_then_by_its_schedule() {
    let schedule = |schedule: Option<&str>, poll: Option<&str>| crate::catalog::RefreshSchedule {
        schedule: schedule.map(str::to_owned),
        poll: poll.map(str::to_owned),
        timezone: None,
    };
    let none = schedule(None, None);
    assert_eq!(due(&none, None, at(0)), Some(Kind::Compare));
    assert_eq!(due(&none, Some(&Progress::default()), at(0)), Some(Kind::Compare), "only noted");

    let begun = taken(&Progress::default(), COMPARE, "w", 0);
    let ended = begun.advance(&stretch("z", true), "w", at(600), true).unwrap();
    assert_eq!(due(&none, Some(&ended), at(1_000_000)), None);
    let poll = schedule(None, Some("rate(15 minutes)"));
    assert_eq!(due(&poll, Some(&ended), at(899)), None);
    assert_eq!(due(&poll, Some(&ended), at(900)), Some(Kind::Compare), "from its beginning");
    let both = schedule(Some("rate(1 hour)"), Some("rate(15 minutes)"));
    assert_eq!(due(&both, Some(&ended), at(900)), Some(Kind::Compare));
    assert_eq!(due(&both, Some(&ended), at(3_600)), Some(Kind::Full));
    let full = taken(&ended, FULL, "w", 3_600);
    let full = full.advance(&stretch("z", true), "w", at(3_610), true).unwrap();
    assert_eq!(due(&both, Some(&full), at(3_700)), None);
    assert_eq!(due(&both, Some(&full), at(7_200)), Some(Kind::Full));
    let midnight = Timestamp::new(86_400, 0).unwrap();
    let daily = schedule(Some("cron(0 0 * * ? *)"), None);
    assert_eq!(due(&daily, Some(&full), midnight - SignedDuration::from_secs(1)), None);
    assert_eq!(due(&daily, Some(&full), midnight), Some(Kind::Full));
}
