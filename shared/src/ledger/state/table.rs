//! The table of the state machine, made by asking it: `docs/ledger.md` shows it, and this test holds
//! the page to it. Every state meets every event.

use std::fmt::Write;

use super::tests::{at, by, done, key, rules, version};
use super::*;
use crate::failure::{Disposition, Failure};
use crate::ledger::{Checkpoint, Work};

const PAGE: &str = include_str!("../../../../docs/ledger.md");

/// The entry was written at this second, with this place among the key's events.
const SECOND: i64 = 1_000;
const SEQUENCER: i64 = 10;

fn failure(disposition: Disposition) -> Failure {
    Failure::new("x", "x", "x", disposition)
}

/// Every state of an entry about the content `a`, and what the page calls it.
fn states() -> Vec<(&'static str, Option<Entry>)> {
    let running = |until, work| State::Running { owner: "other".into(), until: at(until), work };
    let entry = |state: State| {
        let removing = matches!(state, State::Removed | State::Running { work: Work::Remove, .. });
        Some(Entry {
            state,
            version: Some(version("a", 1, false)),
            sequencer: Some(Sequencer::new(format!("{SEQUENCER:04X}"))),
            sequencer_exact: true,
            epoch: 1,
            attempts: 1,
            reference: Some("r".into()),
            generation: 1,
            expected: None,
            checkpoint: None,
            removing,
            fingerprint: "f".into(),
            done: None,
            seen: vec![ETag::new("seen")],
            updated: at(SECOND),
        })
    };
    let removed = entry(State::Removed).map(|entry| Entry { removing: false, ..entry });
    vec![
        ("none", None),
        ("Waiting", entry(State::Waiting { failure: failure(Disposition::Retry) })),
        ("Running, held", entry(running(SECOND + 60, Work::Ingest))),
        ("Running, lost", entry(running(SECOND - 1, Work::Ingest))),
        ("Removing, lost", entry(running(SECOND - 1, Work::Remove))),
        ("Done", entry(State::Done)),
        ("Skipped", entry(State::Skipped { reason: "seen before".into() })),
        ("Parked", entry(State::Parked { failure: failure(Disposition::Park) })),
        ("Failed", entry(State::Failed { failure: failure(Disposition::DeadLetter) })),
        ("Removed", removed),
    ]
}

/// What opening the object shows.
#[derive(Clone, Copy)]
enum There {
    Same,
    Other,
    Nothing,
}

/// What the page says of an event, the event, and what opening the object shows.
struct Case {
    name: &'static str,
    evidence: Evidence,
    there: There,
    /// The entry's version was found by looking: its sequencer says nothing of newer ones.
    looked: bool,
    rules: Rules,
}

fn cases() -> Vec<Case> {
    let created = |etag: &str, n: i64| Evidence::Created {
        etag: Some(ETag::new(etag)),
        version_id: None,
        sequencer: Some(Sequencer::new(format!("{n:04X}"))),
    };
    let removed =
        |n: i64| Evidence::Removed { sequencer: Some(Sequencer::new(format!("{n:04X}"))) };
    let look = |unpark, force| Evidence::Look { unpark, force, sequencer: None };
    let case =
        |name, evidence, there| Case { name, evidence, there, looked: false, rules: rules() };
    let mut cases = vec![
        case("created, older", created("a", SEQUENCER - 1), There::Same),
        case("created, the same event", created("a", SEQUENCER), There::Same),
        case("created, newer, same content", created("a", SEQUENCER + 1), There::Same),
        case("created, newer, other content", created("b", SEQUENCER + 1), There::Other),
        case("created, newer, but gone by now", created("b", SEQUENCER + 1), There::Nothing),
        case("created, not to be compared, same content", created("a", SEQUENCER + 1), There::Same),
        case(
            "created, not to be compared, other content",
            created("b", SEQUENCER + 1),
            There::Other,
        ),
        case(
            "created, not to be compared, gone by now",
            created("b", SEQUENCER + 1),
            There::Nothing,
        ),
        case("removed, older", removed(SEQUENCER - 1), There::Same),
        case("removed, the same event", removed(SEQUENCER), There::Nothing),
        case("removed, newer", removed(SEQUENCER + 1), There::Nothing),
        case("removed, not to be compared, gone", removed(SEQUENCER + 1), There::Nothing),
        case("removed, not to be compared, same content", removed(SEQUENCER + 1), There::Same),
        case("removed, not to be compared, other content", removed(SEQUENCER + 1), There::Other),
        case("look: same content", look(false, false), There::Same),
        case("look: other content", look(false, false), There::Other),
        case("look: gone", look(false, false), There::Nothing),
        case("look after a restore", look(true, false), There::Same),
        case("look, forced: same content", look(false, true), There::Same),
        case("look, forced: gone", look(false, true), There::Nothing),
        case("look: same content, other definition", look(false, false), There::Same),
        case("look: other content, too large", look(false, false), There::Other),
        case("look: other content, seen before, `ever`", look(false, false), There::Other),
        case("look: same content, attempts used up", look(false, false), There::Same),
    ];
    for case in &mut cases {
        case.looked = case.name.contains("not to be compared");
        match case.name {
            name if name.contains("definition") => case.rules.fingerprint = "g".into(),
            name if name.contains("too large") => case.rules.max_size = 0,
            name if name.contains("used up") => case.rules.max_attempts = 1,
            name if name.contains("ever") => case.rules.dedup = Dedup::Ever,
            _ => {}
        }
    }
    cases
}

/// What the machine makes of it, in few words.
fn outcome(entry: Option<&Entry>, case: &Case) -> String {
    let mut entry = entry.cloned();
    if let Some(entry) = &mut entry {
        entry.sequencer_exact = !case.looked;
    }
    let entry = entry.as_ref();
    let claim = match plan(entry, &case.evidence, at(SECOND)) {
        Plan::Settle(settled) => Claim::Settle(settled),
        Plan::Wait(_) => return "waits".into(),
        Plan::Remove => {
            let Evidence::Removed { sequencer } = &case.evidence else { unreachable!() };
            claim_removal(&key(), entry, sequencer.as_ref(), &case.rules, &by("w", SECOND))
        }
        Plan::Open(_) => {
            let other = if case.rules.dedup == Dedup::Ever { "seen" } else { "b" };
            let sight = match case.there {
                There::Same => Sight::Present(version("a", 1, false)),
                There::Other => Sight::Present(version(other, 2, false)),
                There::Nothing => Sight::Absent,
            };
            claim(&key(), entry, &case.evidence, &sight, &case.rules, &by("w", SECOND))
        }
    };
    let before = entry.map(|entry| entry.epoch).unwrap_or_default();
    match claim {
        Claim::Take(next) => {
            assert_eq!(next.epoch, before + 1, "a claim raises the epoch");
            assert!(matches!(&next.state, State::Running { owner, until, .. }
                if owner == "w" && *until == at(SECOND + 60)));
            match next.state {
                State::Running { work: Work::Ingest, .. } => "**ingests**".into(),
                _ => "**removes**".into(),
            }
        }
        Claim::Settle(Settled { why, next }) => {
            let state = next.as_ref().map(|next| (next.state.name(), &next.state));
            match (state, entry) {
                (Some((name, state)), Some(entry)) if *state != entry.state => {
                    format!("{name}: {}", why.as_str())
                }
                (Some((name, _)), None) => format!("{name}: {}", why.as_str()),
                _ => why.as_str().into(),
            }
        }
    }
}

/// What the owner may write, and what comes of it.
fn endings() -> String {
    let checkpoint = Checkpoint {
        at: crate::format::Position { byte_offset: 9, line: 3, row: 2, encoding: None },
        counters: crate::record::Counters::default(),
        rejects: Vec::new(),
        detected: None,
        pauses: 1,
    };
    let rules = rules();
    let fails = |entry: &Entry, disposition, last| {
        fail(entry, "other", 1, &rules, &failure(disposition), last, at(SECOND))
    };
    type End<'a> = &'a dyn Fn(&Entry) -> Option<Entry>;
    let ends: [(&str, End<'_>); 9] = [
        ("renew", &|entry| renew(entry, "other", 1, &rules, at(SECOND))),
        ("complete", &|entry| complete(entry, "other", 1, &rules, done(&ETag::new("a"), SECOND))),
        ("remove", &|entry| remove(entry, "other", 1, at(SECOND))),
        ("pause", &|entry| pause(entry, "other", 1, checkpoint.clone(), at(SECOND))),
        ("fail, may pass", &|entry| fails(entry, Disposition::Retry, false)),
        ("fail, for the last time", &|entry| fails(entry, Disposition::Retry, true)),
        ("fail, somebody must act", &|entry| fails(entry, Disposition::Park, false)),
        ("fail, for good", &|entry| fails(entry, Disposition::DeadLetter, false)),
        ("complete, by a worker of an older epoch", &|entry| {
            complete(entry, "other", 0, &rules, done(&ETag::new("a"), SECOND))
        }),
    ];
    let mut table = String::from("| write | of a Running entry | of any other |\n|---|---|---|\n");
    for (name, end) in ends {
        let mut of = [Vec::new(), Vec::new()];
        for (_, entry) in states() {
            let Some(entry) = entry else { continue };
            let running = matches!(entry.state, State::Running { .. });
            let next = end(&entry).map_or("refused", |next| {
                assert_eq!(next.epoch, entry.epoch, "only a claim raises the epoch");
                next.state.name()
            });
            of[usize::from(!running)].push(next);
        }
        for list in &mut of {
            list.dedup();
            assert_eq!(list.len(), 1, "{name} depends on more than the page says: {list:?}");
        }
        writeln!(table, "| {name} | {} | {} |", of[0][0], of[1][0]).unwrap();
    }
    table
}

fn table() -> String {
    let states = states();
    let mut table = String::from("| event |");
    states.iter().for_each(|(name, _)| write!(table, " {name} |").unwrap());
    table.push_str("\n|---|");
    states.iter().for_each(|_| table.push_str("---|"));
    table.push('\n');
    for case in cases() {
        write!(table, "| {} |", case.name).unwrap();
        for (_, entry) in &states {
            write!(table, " {} |", outcome(entry.as_ref(), &case)).unwrap();
        }
        table.push('\n');
    }
    table
}

#[test]
fn the_page_shows_what_the_machine_does_with_every_event_in_every_state() {
    for (what, table) in [("events", table()), ("endings", endings())] {
        assert!(PAGE.contains(&table), "docs/ledger.md should show these {what}:\n\n{table}");
    }
}
