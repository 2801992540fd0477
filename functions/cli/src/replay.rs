//! `inlet replay`: what was settled, ordered again.

use std::time::Duration;

use clap::builder::PossibleValuesParser;
use inlet::ledger::{Entry, EntryKey, State};
use inlet::notice::{Order, OrderReason};
use inlet::object::ObjectId;
use inlet::replay::{Asked, Filter, Run, States, dead_letters, replay};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::home::Operated;
use crate::show::one_line;
use crate::{Ending, HomeArguments, home};

#[derive(clap::Args, Debug)]
pub(crate) struct Arguments {
    /// The objects, as s3://bucket/key
    #[arg(conflicts_with_all = ["prefix", "since", "until", "state"])]
    objects: Vec<String>,
    /// Only for this source
    #[arg(long, value_name = "KEY")]
    source: Option<String>,
    /// What the ledger knows under s3://bucket/prefix
    #[arg(long, value_name = "S3_URI")]
    prefix: Option<String>,
    /// What changed its state at this time or later (RFC 3339, or a date: its beginning in UTC)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// What changed its state before this time (RFC 3339, or a date: its end in UTC)
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// What is in one of these states; by default all but `removed`
    #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(States::NAMES))]
    state: Vec<String>,
    /// What had rejects, once the definition that refused the rows is mended
    #[arg(long, conflicts_with = "objects")]
    rejects: bool,
    /// What the dead letters are about; each letter goes when its objects were ordered
    #[arg(long, conflicts_with_all = ["objects", "source", "prefix", "since", "until", "state", "rejects"])]
    dead_letters: bool,
    /// With --dead-letters: deliver again what is done since
    #[arg(long, requires = "dead_letters")]
    force: bool,
    /// Show what would be ordered, and order nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(what: &Arguments, home: &HomeArguments) -> Result<(), Ending> {
    let filter = filter(what)?;
    if filter.is_empty() && what.objects.is_empty() && !what.dead_letters {
        return Err(Ending::Usage(
            "a replay of everything is not meant by saying nothing: name objects, or give --source, \
             --prefix, --since, --until, --state, --rejects or --dead-letters"
                .to_owned(),
        ));
    }
    let local = home.stack.is_none();
    let home = home::open(home).await?;
    if let Some(source) = &what.source {
        home.must_have(source)?;
    }
    let run = if what.dry_run { Run::Dry } else { Run::Real };
    if what.dead_letters {
        of_dead_letters(&home, what.force, run, local).await
    } else if what.objects.is_empty() {
        of_ledger(&home, &filter, run, local).await
    } else {
        of_objects(&home, &what.objects, what.source.as_deref(), run, local).await
    }
}

async fn of_objects(
    home: &Operated,
    objects: &[String],
    source: Option<&str>,
    run: Run,
    local: bool,
) -> Result<(), Ending> {
    let objects = objects.iter().map(|o| home::object(o)).collect::<Result<Vec<_>, _>>()?;
    let mut orders: Vec<Order> = Vec::new();
    for object in objects {
        if orders.iter().any(|order| order.object == object) {
            continue;
        }
        let matches = home.catalog.matching(&object.bucket, &object.key);
        if !matches.iter().any(|m| source.is_none_or(|source| source == m.source.key)) {
            return Err(Ending::Usage(match source {
                Some(source) => format!("source {source} does not take {object}"),
                None => format!("no source takes {object}"),
            }));
        }
        orders.push(by_name(object, source));
    }
    let mut absent = Vec::new();
    for order in &orders {
        if is_absent(home, &order.object, source).await? {
            absent.push(one_line(&order.object));
        }
    }
    if !absent.is_empty() {
        let absent = absent.join(", ");
        let text = format!("there is no such object: {absent}; nothing was ordered");
        return Err(Ending::Failed(Some(text)));
    }
    match run {
        Run::Dry => orders.iter().for_each(|order| say!("{}", one_line(&order.object))),
        Run::Real => home.refresh.queue.order(&orders, Duration::ZERO).await?,
    }
    say!("{}", told(orders.len() as u64, run, local));
    Ok(())
}

/// An order of an object by its name: delivered whatever became of it.
fn by_name(object: ObjectId, source: Option<&str>) -> Order {
    let mut order = Order::new(object, OrderReason::Replay);
    order.source = source.map(str::to_owned);
    order.force = true;
    order
}

/// Whether there is nothing to deliver of the object: neither its bucket has it, nor does the ledger of
/// a source that takes it know more of it than its removal. Where the bucket cannot be asked, whoever
/// takes the order looks.
async fn is_absent(
    home: &Operated,
    object: &ObjectId,
    source: Option<&str>,
) -> Result<bool, Ending> {
    for taken in home.catalog.matching(&object.bucket, &object.key) {
        if source.is_some_and(|source| source != taken.source.key) {
            continue;
        }
        let key = EntryKey::new(&taken.source.key, object.clone());
        let stored = home.ledger.get(&key).await?;
        if stored.is_some_and(|stored| !matches!(stored.entry.state, State::Removed)) {
            return Ok(false);
        }
        match home.listed(taken.connection, object).await {
            Ok(None) => {}
            Ok(Some(_)) => return Ok(false),
            Err(error) => {
                tracing::info!(%object, %error, "the bucket could not be asked");
                return Ok(false);
            }
        }
    }
    Ok(true)
}

async fn of_ledger(home: &Operated, filter: &Filter, run: Run, local: bool) -> Result<(), Ending> {
    let mut see = |key: &EntryKey, entry: &Entry| {
        if run == Run::Dry {
            let (key, state) = (one_line(key), entry.state.name());
            say!("{key}  {state} since {}{}", entry.updated, cause(&entry.state));
        }
    };
    let replayed = replay(&home.replay(), &home.catalog, filter, run, &mut see).await?;
    match (replayed.ordered, replayed.untaken) {
        (0, 0) => say!("{}: {}", told(0, run, local), nothing(home, filter)),
        (ordered, _) => say!("{}", told(ordered, run, local)),
    }
    if replayed.untaken > 0 {
        say!("{} left out: their sources take them no more", replayed.untaken);
    }
    Ok(())
}

/// Why a filter takes nothing.
fn nothing(home: &Operated, filter: &Filter) -> String {
    if let Some((bucket, _)) = &filter.prefix {
        let only = |key: &str| filter.source.as_deref().is_none_or(|source| source == key);
        if !home.catalog.sources().iter().any(|s| only(&s.key) && s.bucket == *bucket) {
            let reader = filter.source.as_deref().unwrap_or("no source");
            let not = if filter.source.is_some() { "does not read" } else { "reads" };
            return format!("{reader} {not} the bucket {bucket}");
        }
    }
    "nothing in the ledger matches".to_owned()
}

async fn of_dead_letters(
    home: &Operated,
    force: bool,
    run: Run,
    local: bool,
) -> Result<(), Ending> {
    let mut see = |asked: Asked<'_>| match asked {
        Asked::Order { letter, key, stored } if run == Run::Dry => {
            let state = stored.map_or("not in the ledger", |stored| stored.entry.state.name());
            let cause = letter.map_or_else(
                || "given up by the queue itself".to_owned(),
                |letter| format!("{} at {}", letter.cause.code, letter.time),
            );
            say!("{}  {cause}; now {state}", one_line(key));
        }
        Asked::Order { .. } => {}
        Asked::Keep { letter, why } => {
            say!("stays: letter {} of {}: {why}", letter.id, letter.sent);
        }
    };
    let report = dead_letters(&home.replay(), &home.catalog, force, run, &mut see).await?;
    say!("{} for {} dead letters", told(report.ordered, run, local), report.letters);
    if report.kept > 0 {
        say!("{} dead letters stay: nothing can be ordered for them", report.kept);
    }
    if report.newer > 0 {
        say!("{} dead letters stay: they came after this had begun", report.newer);
    }
    if report.incomplete {
        return Err(Ending::Failed(Some(
            "there are more dead letters, behind too many that stay; look at these first"
                .to_owned(),
        )));
    }
    Ok(())
}

fn cause(state: &State) -> String {
    match state {
        State::Waiting { failure } | State::Parked { failure } | State::Failed { failure } => {
            format!(" ({})", failure.code)
        }
        _ => String::new(),
    }
}

fn told(ordered: u64, run: Run, local: bool) -> String {
    match (run, local) {
        (Run::Dry, _) => format!("{ordered} would be ordered"),
        (Run::Real, true) if ordered > 0 => {
            format!("{ordered} ordered (a running `inlet dev` takes them up, or the next one)")
        }
        (Run::Real, _) => format!("{ordered} ordered"),
    }
}

fn filter(what: &Arguments) -> Result<Filter, Ending> {
    let since = what.since.as_deref().map(|text| time(text, false)).transpose()?;
    let until = what.until.as_deref().map(|text| time(text, true)).transpose()?;
    if let (Some(since), Some(until)) = (since, until)
        && since >= until
    {
        let text =
            format!("--since ({since}) is not before --until ({until}): nothing lies between");
        return Err(Ending::Usage(text));
    }
    Ok(Filter {
        source: what.source.clone(),
        prefix: what.prefix.as_deref().map(prefix).transpose()?,
        since,
        until,
        states: States::of(what.state.iter().map(String::as_str)),
        rejects: what.rejects,
    })
}

/// Reads `s3://bucket` or `s3://bucket/prefix`.
fn prefix(text: &str) -> Result<(String, String), Ending> {
    let (bucket, prefix) = match text.strip_prefix("s3://") {
        Some(rest) => rest.split_once('/').unwrap_or((rest, "")),
        None => ("", ""),
    };
    if bucket.is_empty() {
        return Err(Ending::Usage(format!("{text:?} is no prefix; write s3://bucket/prefix")));
    }
    Ok((bucket.to_owned(), prefix.to_owned()))
}

/// Reads a time. A date is its beginning, or its end: what is `until` a day is of that day too.
fn time(text: &str, end: bool) -> Result<Timestamp, Ending> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let day = text.parse::<Date>().ok().filter(|_| !text.contains(['T', ' ']));
    let day = day.and_then(|day| if end { day.checked_add(1.day()).ok() } else { Some(day) });
    let time = day.and_then(|day| day.to_zoned(TimeZone::UTC).ok()).map(|zoned| zoned.timestamp());
    time.ok_or_else(|| {
        Ending::Usage(format!(
            "{text:?} is no time; write 2026-02-01 or 2026-02-01T06:00:00Z (with Z or an offset)"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_its_whole_day() {
        let read = |text, end| time(text, end).ok().map(|time| time.to_string());
        assert_eq!(read("2026-02-28", false).as_deref(), Some("2026-02-28T00:00:00Z"));
        assert_eq!(read("2026-02-28", true).as_deref(), Some("2026-03-01T00:00:00Z"));
        assert_eq!(
            read("2026-02-28T01:00:00+01:00", true).as_deref(),
            Some("2026-02-28T00:00:00Z")
        );
        for wrong in ["", "yesterday", "2026-02-30", "2026-02-28T01:00:00"] {
            assert_eq!(read(wrong, false), None, "{wrong}");
        }
    }

    #[test]
    fn a_prefix_may_be_a_bucket_alone() {
        let read = |text| prefix(text).ok();
        assert_eq!(read("s3://b"), Some(("b".into(), String::new())));
        assert_eq!(read("s3://b/in/x"), Some(("b".into(), "in/x".into())));
        for wrong in ["", "b/x", "s3://", "s3:///x"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
