//! `inlet explain`: where is my file?

use inlet::catalog::Source;
use inlet::ledger::{Entry, EntryKey, State, Work};
use inlet::object::{Listed, ObjectError, ObjectId};
use inlet::status::letters_about;

use crate::home::Operated;
use crate::show::{cause, one_line};
use crate::{Ending, HomeArguments, home};

pub(crate) async fn run(object: &str, home: &HomeArguments) -> Result<(), Ending> {
    let object = home::object(object)?;
    let home = home::open(home).await?;
    say!("{}", one_line(&object));
    let matches = home.catalog.matching(&object.bucket, &object.key);
    let takers: Vec<&str> = matches.iter().map(|taken| taken.source.key.as_str()).collect();
    for taken in &matches {
        let key = EntryKey::new(&taken.source.key, object.clone());
        say!("  source {}, table {}", taken.source.key, taken.table);
        let stored = home.ledger.get(&key).await?;
        if let Some(stored) = &stored {
            tell(&key, taken.source, &taken.connection.key, &stored.entry);
        }
        let entry = stored.as_ref().map(|stored| &stored.entry);
        let listed = home.listed(taken.connection, &object).await;
        if entry.is_none() {
            tell_unknown(&taken.source.key, &listed);
        }
        tell_bucket(listed, entry);
    }
    if matches.is_empty() {
        say!("  no source takes it");
    }
    tell_others(&home, &object, &takers).await?;
    tell_letters(&home, &object).await
}

fn tell(key: &EntryKey, source: &Source, connection: &str, entry: &Entry) {
    say!("    state      {} since {}", entry.state.name(), entry.updated);
    match &entry.state {
        State::Waiting { failure } | State::Parked { failure } | State::Failed { failure } => {
            say!("    cause      {}", cause(failure));
            say!("    to do      {}", one_line(&failure.remedy));
        }
        State::Running { owner, until, work } => {
            let work = match work {
                Work::Ingest => "delivering its records",
                Work::Remove => "delivering its removal",
            };
            say!("    held by    {owner} until {until}, {work}");
        }
        State::Skipped { reason } => say!("    because    {reason}"),
        State::Done | State::Removed => {}
    }
    if let Some(version) = &entry.version {
        say!("    dedup key  {}", one_line(&key.dedup_key(connection, &version.etag)));
        if let Some(id) = &version.version_id {
            say!("    version id {id}");
        }
        let size = version.size.map(|size| format!("{size} bytes"));
        let written = version.last_modified.map(|time| format!("written {time}"));
        let parts: Vec<String> = size.into_iter().chain(written).collect();
        if !parts.is_empty() {
            say!("    content    {}", parts.join(", "));
        }
    }
    match &entry.sequencer {
        Some(sequencer) if entry.sequencer_exact => {
            say!("    sequencer  {}", sequencer.as_str());
        }
        Some(sequencer) => {
            say!("    sequencer  {} or newer: it was found by looking", sequencer.as_str());
        }
        None => say!("    sequencer  none: it was found by looking, not by an event"),
    }
    say!("    claims     {}; of this version unfinished {}", entry.epoch, entry.attempts);
    if let Some(checkpoint) = &entry.checkpoint {
        say!(
            "    checkpoint {} rows read; put down {} times, and goes on there",
            checkpoint.counters.rows,
            checkpoint.pauses
        );
    }
    if let Some(reference) = &entry.reference {
        say!("    event ids  {reference}-…, generation {}", entry.generation);
    }
    if entry.fingerprint != source.fingerprint() {
        say!(
            "    definition changed since: a replay takes it in by the new one{}",
            match entry.state {
                State::Parked { .. } | State::Failed { .. } => ", and so does the next refresh",
                _ => "",
            }
        );
    }
    if let Some(done) = &entry.done {
        let c = &done.counters;
        say!(
            "    delivered  {} at {}: {} rows = {} records + {} rejects + {} skipped, in {} batches",
            done.etag,
            done.at,
            c.rows,
            c.records,
            c.rejects,
            c.skipped,
            c.batches
        );
        for place in &done.rejects {
            say!("    rejects    {}", one_line(place));
        }
        for change in &done.drift {
            say!("    changed    since the file before: {}", one_line(change));
        }
        for note in &done.notes {
            say!("    note       {}", one_line(note));
        }
    }
    if entry.seen.len() > 1 {
        say!("    contents   {} were delivered before (dedup = \"ever\")", entry.seen.len());
    }
}

/// Why there is no entry: a refresh finds only what is there.
fn tell_unknown(source: &str, listed: &Result<Option<Listed>, ObjectError>) {
    match listed {
        Ok(Some(_)) => say!(
            "    not known to the ledger: no notice of it has come. `inlet refresh {source}` orders it"
        ),
        Ok(None) => {
            say!(
                "    not known to the ledger, and not in the bucket: is the key spelled like this?"
            );
        }
        Err(_) => say!("    not known to the ledger: no notice of it has come"),
    }
}

/// What lies in the bucket now, as a listing tells it.
fn tell_bucket(listed: Result<Option<Listed>, ObjectError>, entry: Option<&Entry>) {
    let listed = match listed {
        Ok(listed) => listed,
        Err(error) => {
            say!("    bucket     could not be asked: {error}");
            return;
        }
    };
    let known = entry.filter(|entry| !matches!(entry.state, State::Removed));
    let known = known.and_then(|entry| entry.version.as_ref());
    match (listed, known) {
        // Said already.
        (None, None) if entry.is_none() => {}
        (None, None) => say!("    bucket     there is no such object"),
        (None, Some(_)) => say!(
            "    bucket     the object is gone, and the ledger does not know it yet: its notice may be under way; a refresh finds it"
        ),
        (Some(Listed { etag, size, .. }), Some(known)) if known.etag == etag => {
            say!("    bucket     has this content ({size} bytes)");
        }
        (Some(Listed { etag, size, .. }), None) => {
            say!("    bucket     has it ({etag}, {size} bytes)")
        }
        (Some(Listed { etag, size, .. }), Some(_)) => say!(
            "    bucket     has another content ({etag}, {size} bytes): its notice may be under way; a refresh finds it"
        ),
    }
}

/// The sources that do not take it, with what they may know of it from when they did.
async fn tell_others(home: &Operated, object: &ObjectId, takers: &[&str]) -> Result<(), Ending> {
    let mut none = true;
    for source in home.catalog.sources() {
        if source.bucket != object.bucket {
            continue;
        }
        none = false;
        if takers.contains(&source.key.as_str()) {
            continue;
        }
        let why = if source.path.matches(&object.key).is_some() {
            "it takes only what no other source takes".to_owned()
        } else if !object.key.starts_with(source.path.literal_prefix()) {
            let prefix = source.path.literal_prefix();
            format!("its keys begin with {prefix:?} (path {})", source.path)
        } else {
            format!("the key does not fit its path {}", source.path)
        };
        say!("  not source {}: {why}", source.key);
        let key = EntryKey::new(&source.key, object.clone());
        if let Some(stored) = home.ledger.get(&key).await? {
            let (state, updated) = (stored.entry.state.name(), stored.entry.updated);
            say!("    but it did once: {state} since {updated}");
        }
    }
    if none {
        say!("  no source reads the bucket {}", object.bucket);
    }
    Ok(())
}

async fn tell_letters(home: &Operated, object: &ObjectId) -> Result<(), Ending> {
    if home.letters.depth().await?.dead_letters == 0 {
        return Ok(());
    }
    let about = letters_about(&*home.letters, object).await?;
    for (letter, own) in &about.letters {
        match own {
            Some(own) => {
                let source = own.source.as_deref().unwrap_or("no source in particular");
                say!("  dead letter of {} for {source}: {}", own.time, own.cause.code);
                say!("    {}", one_line(&own.cause.message));
                say!("    {}", one_line(&own.cause.remedy));
            }
            None => say!("  dead letter sent {}: the queue itself gave it up", letter.sent),
        }
    }
    if about.more {
        say!("  only {} dead letters were looked at, of more", about.looked_at);
    }
    Ok(())
}
