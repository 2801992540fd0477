//! `inlet explain`: where is my file?

use inlet::ledger::{Entry, EntryKey, State};

use crate::{Ending, HomeArguments, home};

pub(crate) async fn run(object: &str, home: &HomeArguments) -> Result<(), Ending> {
    let object = home::object(object)?;
    let home = home::open(home).await?;
    say!("{object}");
    let matches = home.catalog.matching(&object.bucket, &object.key);
    if matches.is_empty() {
        say!("  no source takes it; sources of the bucket {}:", object.bucket);
        let sources = home.catalog.sources().iter().filter(|s| s.bucket == object.bucket);
        let mut any = false;
        for source in sources {
            any = true;
            say!("    {}: {}", source.key, source.path);
        }
        if !any {
            say!("    none");
        }
    }
    for taken in matches {
        let key = EntryKey::new(&taken.source.key, object.clone());
        say!("  source {}, table {}", taken.source.key, taken.table);
        match home.ledger.get(&key).await? {
            None => say!(
                "    not known to the ledger: no notice of it has come. `inlet refresh {}` looks for it",
                taken.source.key
            ),
            Some(stored) => tell(&key, &taken.connection.key, &stored.entry),
        }
    }
    Ok(())
}

fn tell(key: &EntryKey, connection: &str, entry: &Entry) {
    say!("    state      {} since {}", entry.state.name(), entry.updated);
    match &entry.state {
        State::Waiting { failure } | State::Parked { failure } | State::Failed { failure } => {
            say!("    cause      {} ({})", failure.message, failure.code);
            say!("    to do      {}", failure.remedy);
        }
        State::Running { owner, until, .. } => say!("    held by    {owner} until {until}"),
        State::Skipped { reason } => say!("    because    {reason}"),
        State::Done | State::Removed => {}
    }
    if let Some(version) = &entry.version {
        say!("    version    {}", key.dedup_key(connection, &version.etag));
        if let Some(id) = &version.version_id {
            say!("    version id {id}");
        }
        if let Some(size) = version.size {
            say!("    size       {size} bytes");
        }
    }
    if let Some(sequencer) = &entry.sequencer {
        let exact = if entry.sequencer_exact { "" } else { " or newer" };
        say!("    sequencer  {}{exact}", sequencer.as_str());
    }
    if entry.attempts > 0 {
        say!("    attempts   {}", entry.attempts);
    }
    if let Some(reference) = &entry.reference {
        say!("    event ids  {reference}-…");
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
            say!("    rejects    {place}");
        }
    }
}
