//! `inlet status`: how things stand, and whether ledger and bucket agree.

use inlet::queue::Depth;
use inlet::refresh::{Found, Kind, Pass};
use inlet::status::{Agreement, Counts, Standing, agreement, standing};
use serde::Serialize;

use crate::show::one_line;
use crate::{Ending, HomeArguments, home};

/// Differences that are named for each source.
const EXAMPLES: usize = 10;

/// What is told.
#[derive(Debug, Serialize)]
struct Status {
    /// Nothing failed, no dead letter lies there, and (if it was looked at) ledger and bucket agree.
    ok: bool,
    sources: Vec<OfSource>,
    queue: Depth,
}

#[derive(Debug, Serialize)]
struct OfSource {
    #[serde(flatten)]
    standing: Standing,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<Agreement>,
}

pub(crate) async fn run(
    only: Option<&str>,
    check: bool,
    json: bool,
    home: &HomeArguments,
) -> Result<(), Ending> {
    let home = home::open(home).await?;
    if let Some(only) = only {
        home.must_have(only)?;
    }
    let mut sources = Vec::new();
    for source in home.catalog.sources() {
        if only.is_some_and(|only| only != source.key) {
            continue;
        }
        let standing = standing(&*home.ledger, &*home.refresh.journal, source).await?;
        let check = match check {
            true => Some(agreement(&home.refresh, &home.catalog, source, EXAMPLES).await?),
            false => None,
        };
        if !json {
            tell(&standing);
            if let Some(check) = &check {
                tell_check(check);
            }
        }
        sources.push(OfSource { standing, check });
    }
    let queue = home.letters.depth().await?;
    let ok = queue.dead_letters == 0
        && sources.iter().all(|s| s.standing.counts.failed == 0)
        && sources.iter().all(|s| s.check.as_ref().is_none_or(Agreement::agrees));
    if json {
        let status = Status { ok, sources, queue };
        let text = serde_json::to_string_pretty(&status)?;
        say!("{text}");
    } else {
        say!(
            "queue: {} waiting, {} in flight, {} dead letters",
            queue.waiting,
            queue.in_flight,
            queue.dead_letters
        );
        if check && queue.waiting + queue.in_flight > 0 {
            say!("  what these messages ask for may be among the differences");
        }
    }
    if ok { Ok(()) } else { Err(Ending::Failed(None)) }
}

fn tell(standing: &Standing) {
    say!("{}: s3://{}/{}", standing.source, standing.bucket, standing.path);
    say!("  {}", counts(&standing.counts));
    if standing.done_by_older > 0 {
        say!(
            "  {} done by an older definition; by the new one: `inlet replay --source {} --state done`",
            standing.done_by_older,
            standing.source
        );
    }
    for (what, oldest) in
        [("waiting", &standing.oldest_waiting), ("running", &standing.oldest_running)]
    {
        if let Some(oldest) = oldest {
            say!("  longest {what}: {} since {}", one_line(&oldest.key), oldest.since);
        }
    }
    for cause in &standing.causes {
        let example = one_line(&cause.example);
        say!("  {} {}: {}, such as {example}", cause.count, cause.state, cause.code);
        say!("    {}", one_line(&cause.message));
        say!("    {}", one_line(&cause.remedy));
    }
    if standing.other_causes > 0 {
        say!("  {} with other causes", standing.other_causes);
    }
    if let Some(pass) = &standing.refreshed {
        say!("  refreshed {}: {}", pass.updated, refresh(pass));
    }
    if let Some(pass) = &standing.refreshing {
        let at = one_line(pass.after.as_deref().unwrap_or("its beginning"));
        say!("  being refreshed since {}, now at {at}: {}", pass.began, refresh(pass));
        if let Some(failure) = &pass.failure {
            say!("    interrupted: {failure}");
        }
    }
}

fn counts(counts: &Counts) -> String {
    let all = [
        (counts.done, "done"),
        (counts.waiting, "waiting"),
        (counts.running, "running"),
        (counts.skipped, "skipped"),
        (counts.parked, "parked"),
        (counts.failed, "failed"),
        (counts.removed, "removed"),
    ];
    let some: Vec<_> = all
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, state)| format!("{count} {state}"))
        .collect();
    if some.is_empty() { "nothing known".to_owned() } else { some.join(", ") }
}

fn refresh(pass: &Pass) -> String {
    let full = if pass.kind == Kind::Full { ", full" } else { "" };
    format!("{} objects, {} ordered{full}", pass.report.listed, pass.report.orders())
}

fn tell_check(check: &Agreement) {
    let of = &check.differences;
    if check.agrees() {
        say!("  ledger and bucket agree on {} objects", of.listed);
        return;
    }
    say!(
        "  ledger and bucket DISAGREE: {} new, {} changed, {} gone, {} left behind, of {} objects",
        of.new,
        of.changed,
        of.gone,
        of.stale,
        of.listed
    );
    for difference in &check.examples {
        say!("    {:<11} {}", word(difference.found), one_line(&difference.key));
    }
    let more = of.orders().saturating_sub(check.examples.len() as u64);
    if more > 0 {
        say!("    and {more} more");
    }
}

fn word(found: Found) -> &'static str {
    match found {
        Found::New => "new",
        Found::Changed => "changed",
        Found::Gone => "gone",
        Found::Stale => "left behind",
        Found::Forced => "unchanged",
    }
}
