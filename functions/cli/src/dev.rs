//! `inlet dev`: the home on one machine, running.

mod watch;

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use inlet::ingest::{Ingest, Outcome, VISIBILITY};
use inlet::ledger::state::orphan;
use inlet::ledger::{EntryKey, Ledger, PutError, Range, State};
use inlet::notice::{Order, OrderReason};
use inlet::object::ObjectId;
use inlet::queue::{Queue, QueueError};
use inlet::refresh::{refresh, tick};
use jiff::Timestamp;
use tokio::task::JoinSet;

use crate::Ending;
use crate::home::LocalHome;
use crate::show::{Show, one_line};

/// How often an idle worker asks the queue.
const IDLE: Duration = Duration::from_millis(50);
/// How often the directories are compared with the ledger, besides the watcher's notices.
const REFRESH: Duration = Duration::from_secs(60);

pub(crate) async fn run(dir: Option<PathBuf>, once: bool) -> Result<(), Ending> {
    let home = Arc::new(LocalHome::open(dir.as_deref())?);
    let _lock = lock(&home)?;
    let show = Arc::new(Show::new());
    // With the lock held, whatever an earlier process had under way is nobody's.
    home.queue.release_all().await?;
    release_orphans(&home).await?;
    // Before the first look, so that nothing falls between the two.
    let mut watcher = if once { None } else { Some(watch::Watcher::start(&home)?) };
    let refreshed = refresh_all(&home).await;
    let incomplete = refreshed.is_err();
    tell(refreshed);

    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let ingest = Ingest::new(home.ingest(show.clone()), &home.owner, workers);
    let busy = Arc::new(AtomicUsize::new(0));
    let mut working = JoinSet::new();
    for _ in 0..workers {
        let (home, ingest, busy) = (home.clone(), ingest.clone(), busy.clone());
        working.spawn(async move { work(&home, &ingest, &busy).await });
    }
    if !once {
        show.line(&format!(
            "watching {}; events go to {} (Ctrl-C ends)",
            home.root.join("buckets").display(),
            home.root.join("out").display()
        ));
    }
    // Made once: an interrupt while something else is done is not forgotten.
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    let mut next_refresh = tokio::time::Instant::now() + REFRESH;
    loop {
        if once && busy.load(Ordering::SeqCst) == 0 && home.queue.waiting().await? == 0 {
            break;
        }
        tokio::select! {
            ended = working.join_next() => match ended {
                Some(Ok(Err(error))) => return Err(error.into()),
                Some(Err(panic)) => return Err(panic.into()),
                Some(Ok(Ok(()))) | None => {}
            },
            order = watch::next(&mut watcher) => match order {
                watch::Seen::Object(object) => {
                    let order = Order::new(object, OrderReason::Watch);
                    home.queue.order(&[order], Duration::ZERO).await?;
                }
                watch::Seen::Much => tell(refresh_all(&home).await),
                watch::Seen::Definition(file) => {
                    if let Some(said) = redefined(&home, &file) {
                        show.line(&said);
                    }
                }
            },
            () = tokio::time::sleep_until(next_refresh), if !once => {
                tell(refresh_all(&home).await);
                next_refresh = tokio::time::Instant::now() + REFRESH;
            }
            () = tokio::time::sleep(IDLE), if once => {}
            _ = &mut interrupted => break,
        }
    }
    working.abort_all();
    let summed = summary(&home, &show).await;
    if incomplete { Err(Ending::Failed(None)) } else { summed }
}

/// What there is to say of a definition that changed: those of the start are in use until the end.
fn redefined(home: &LocalHome, file: &str) -> Option<String> {
    let file = one_line(file);
    match crate::home::load(&home.root) {
        Ok(catalog) if catalog == *home.catalog => None,
        Ok(_) => Some(format!("{file} changed: start `inlet dev` again to use it")),
        Err(Ending::Usage(why) | Ending::Failed(Some(why))) => {
            Some(format!("{file} changed, and the definitions of the start stay in use: {why}"))
        }
        Err(Ending::Failed(None)) => None,
    }
}

/// A refresh that did not come to its end is said, and made good by the next one.
fn tell(refreshed: Result<(), Ending>) {
    if let Err(Ending::Failed(Some(why)) | Ending::Usage(why)) = refreshed {
        eprintln!("inlet: {why}");
    }
}

/// One worker: receives, works, acknowledges, until the process ends.
async fn work(
    home: &LocalHome,
    ingest: &Arc<Ingest>,
    busy: &AtomicUsize,
) -> Result<(), QueueError> {
    loop {
        // Busy before the message is received: between the two the queue must not look empty.
        busy.fetch_add(1, Ordering::SeqCst);
        let Some(message) = home.queue.receive(VISIBILITY).await? else {
            busy.fetch_sub(1, Ordering::SeqCst);
            tokio::time::sleep(IDLE).await;
            continue;
        };
        for outcome in ingest.messages(vec![message.clone()], None).await {
            if outcome == Outcome::Acknowledge {
                home.queue.acknowledge(&message).await?;
            }
        }
        busy.fetch_sub(1, Ordering::SeqCst);
    }
}

fn lock(home: &LocalHome) -> Result<File, Ending> {
    let path = home.root.join(".inlet").join("lock");
    let failed = |e: &dyn std::fmt::Display| {
        Ending::Failed(Some(format!("{} cannot be locked: {e}", path.display())))
    };
    let file = File::create(&path).map_err(|e| failed(&e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Ending::Failed(Some(format!(
            "another `inlet dev` runs over {}; end it first",
            home.root.display()
        )))),
        Err(std::fs::TryLockError::Error(e)) => Err(failed(&e)),
    }
}

/// Ends the leases of an earlier process, which cannot renew them.
async fn release_orphans(home: &LocalHome) -> Result<(), Ending> {
    for source in home.catalog.sources() {
        let mut scan = home.ledger.scan(&source.key, &source.bucket, Range::ALL).await?;
        while let Some((key, entry)) = scan.next().await? {
            if !matches!(entry.state, State::Running { .. }) {
                continue;
            }
            let key = EntryKey::new(&source.key, ObjectId::new(&source.bucket, key));
            let Some(stored) = home.ledger.get(&key).await? else { continue };
            let Some(next) = orphan(&stored.entry, Timestamp::now()) else { continue };
            match home.ledger.put_if(&key, stored.version, &next).await {
                Ok(_) | Err(PutError::Conflict) => {}
                Err(PutError::Ledger(error)) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

async fn refresh_all(home: &LocalHome) -> Result<(), Ending> {
    for source in home.catalog.sources() {
        let ports = home.refresh();
        let stretch = refresh(&ports, &home.catalog, source, false, None, None).await;
        if let Some(failure) = stretch.failure {
            return Err(failure.into());
        }
        // Its own schedule, if it has one; and what `inlet refresh` left in its middle.
        let open = ports.journal.read(&source.key).await?.is_some_and(|(p, _)| p.is_open());
        if open || source.refresh.schedule.is_some() {
            tick(&ports, &home.catalog, source, &home.owner, None).await?;
        }
    }
    Ok(())
}

/// Says what was done, and what is not as it should be; an object that failed is an error each time.
async fn summary(home: &LocalHome, show: &Show) -> Result<(), Ending> {
    let mut counts = [0_u64; 4];
    let mut wrong = Vec::new();
    for source in home.catalog.sources() {
        let mut scan = home.ledger.scan(&source.key, &source.bucket, Range::ALL).await?;
        while let Some((_, entry)) = scan.next().await? {
            match &entry.state {
                State::Done | State::Skipped { .. } => counts[0] += 1,
                State::Failed { failure } => {
                    counts[1] += 1;
                    wrong.push(format!("  failed  {}", one_line(&failure.message)));
                }
                State::Parked { failure } => {
                    counts[2] += 1;
                    wrong.push(format!("  parked  {}", one_line(&failure.message)));
                }
                State::Waiting { .. } | State::Running { .. } => counts[3] += 1,
                State::Removed => {}
            }
        }
    }
    let tally = &show.tally;
    let skipped = match tally.skipped.load(Ordering::Relaxed) {
        0 => String::new(),
        skipped => format!(", {skipped} skipped"),
    };
    say!(
        "{} ingested ({} records, {} rejected{skipped}), {} removed; in all {} done, {} failed, {} parked, {} waiting",
        tally.ingested.load(Ordering::Relaxed),
        tally.records.load(Ordering::Relaxed),
        tally.rejects.load(Ordering::Relaxed),
        tally.removed.load(Ordering::Relaxed),
        counts[0],
        counts[1],
        counts[2],
        counts[3],
    );
    for line in &wrong {
        say!("{line}");
    }
    say!("events: {}/<source>/<table>.ndjson", home.root.join("out").display());
    if counts[1] > 0 { Err(Ending::Failed(None)) } else { Ok(()) }
}
