//! Whole passes, in as many stretches and invocations as they need.

use std::time::Duration;

use tokio::time::Instant;

use super::pass::Claim;
use super::{Kind, Lease, Pass, Ports, Progress, Wish, due, refresh};
use crate::catalog::{Catalog, Source};
use crate::failure::{Disposition, Failure};
use crate::ledger::{PutError, Version};

/// How long a stretch is: what a crash costs, and how often the journal is written.
const STRETCH: Duration = Duration::from_secs(10);
/// How often a write is decided anew because somebody wrote in between.
const TURNS: u32 = 20;

/// How the refreshes of a source ended for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// There was nothing to do.
    Nothing,
    /// A pass went to its end.
    Ended(Pass),
    /// The time was over in the middle of this one; it goes on where it stands.
    Paused(Pass),
    /// Somebody else is at work; the wish is kept for afterwards.
    Held(Lease),
}

/// Carries out what is wished for, or was left in its middle, until it has ended or the time is over.
/// `owner` is unique to the caller.
///
/// # Errors
/// If the bucket cannot be listed, the ledger not scanned, the queue not written or the journal not
/// kept. How far the pass came is in the journal, and the next call goes on there.
pub async fn carry_out(
    ports: &Ports,
    catalog: &Catalog,
    source: &Source,
    mut wish: Option<Wish>,
    owner: &str,
    until: Option<Instant>,
) -> Result<Carried, Failure> {
    let mut carried = Carried::Nothing;
    // A wish that came while the pass was under way is next.
    loop {
        let (progress, version) = match claim(ports, source, wish.take(), owner).await? {
            Claimed::Ours(progress, version) => (progress, version),
            Claimed::Held(lease) if carried == Carried::Nothing => return Ok(Carried::Held(lease)),
            Claimed::Held(_) | Claimed::Nothing => return Ok(carried),
        };
        carried = pass(ports, catalog, source, *progress, version, owner, until).await?;
        if !matches!(carried, Carried::Ended(_)) {
            return Ok(carried);
        }
    }
}

/// What is due by the source's own schedule, wished for before, or left in its middle.
///
/// # Errors
/// As of [`carry_out`].
pub async fn tick(
    ports: &Ports,
    catalog: &Catalog,
    source: &Source,
    owner: &str,
    until: Option<Instant>,
) -> Result<Carried, Failure> {
    let read = ports.journal.read(&source.key).await.map_err(|error| Failure::from(&error))?;
    let progress = read.map(|(progress, _)| progress);
    let kind = due(&source.refresh, progress.as_ref(), ports.clock.now());
    if kind.is_none() && !progress.is_some_and(|progress| progress.is_open()) {
        return Ok(Carried::Nothing);
    }
    let wish = kind.map(|kind| Wish { kind, anew: false });
    carry_out(ports, catalog, source, wish, owner, until).await
}

/// Keeps the wish for a pass, for whoever comes next.
///
/// # Errors
/// If the journal cannot be kept.
pub async fn note(ports: &Ports, source: &Source, kind: Kind) -> Result<(), Failure> {
    for _ in 0..TURNS {
        let (progress, version) = read(ports, source).await?;
        let Some(next) = progress.wish(kind) else { return Ok(()) };
        match ports.journal.write_if(&source.key, version, &next).await {
            Ok(_) => return Ok(()),
            Err(PutError::Conflict) => {}
            Err(PutError::Ledger(error)) => return Err(Failure::from(&error)),
        }
    }
    Err(contended(source))
}

/// Gives up a pass that `owner` holds and will not go on with, so that nobody has to wait for the end
/// of its time.
///
/// # Errors
/// If the journal cannot be kept; then its time ends by itself.
pub async fn release(ports: &Ports, source: &Source, owner: &str) -> Result<(), Failure> {
    for _ in 0..TURNS {
        let (progress, version) = read(ports, source).await?;
        let Some(next) = progress.release(owner) else { return Ok(()) };
        match ports.journal.write_if(&source.key, version, &next).await {
            Ok(_) => return Ok(()),
            Err(PutError::Conflict) => {}
            Err(PutError::Ledger(error)) => return Err(Failure::from(&error)),
        }
    }
    Err(contended(source))
}

enum Claimed {
    Ours(Box<Progress>, Version),
    Held(Lease),
    Nothing,
}

async fn read(ports: &Ports, source: &Source) -> Result<(Progress, Version), Failure> {
    let read = ports.journal.read(&source.key).await.map_err(|error| Failure::from(&error))?;
    Ok(read.unwrap_or_else(|| (Progress::default(), Version::NONE)))
}

async fn claim(
    ports: &Ports,
    source: &Source,
    wish: Option<Wish>,
    owner: &str,
) -> Result<Claimed, Failure> {
    let place = format!("{}/{}", source.bucket, source.path);
    for _ in 0..TURNS {
        let (progress, version) = read(ports, source).await?;
        let claim = progress.claim(wish, &place, owner, ports.clock.now());
        let (next, claimed): (_, fn(Progress, Version) -> Claimed) = match claim {
            Claim::Nothing => return Ok(Claimed::Nothing),
            Claim::Held(lease, None) => return Ok(Claimed::Held(lease)),
            Claim::Held(_, Some(next)) => {
                (next, |progress, _| progress.lease.map_or(Claimed::Nothing, Claimed::Held))
            }
            Claim::Take(next) => {
                (next, |progress, version| Claimed::Ours(Box::new(progress), version))
            }
        };
        match ports.journal.write_if(&source.key, version, &next).await {
            Ok(version) => return Ok(claimed(next, version)),
            Err(PutError::Conflict) => {}
            Err(PutError::Ledger(error)) => return Err(Failure::from(&error)),
        }
    }
    Err(contended(source))
}

/// The pass that is ours, stretch by stretch.
async fn pass(
    ports: &Ports,
    catalog: &Catalog,
    source: &Source,
    mut progress: Progress,
    mut version: Version,
    owner: &str,
    until: Option<Instant>,
) -> Result<Carried, Failure> {
    loop {
        let Some(pass) = &progress.pass else { return Ok(Carried::Nothing) };
        let full = pass.kind == Kind::Full;
        let end = Instant::now() + STRETCH;
        let end = until.map_or(end, |until| until.min(end));
        let after = pass.after.as_deref();
        let stretch = refresh(ports, catalog, source, full, after, Some(end)).await;
        let over = until.is_some_and(|until| until <= Instant::now());
        let goes_on = !over && stretch.failure.is_none();
        let now = ports.clock.now();
        // A wish may have been kept meanwhile; nobody else writes what is ours.
        for turn in 1.. {
            let Some(next) = progress.advance(&stretch, owner, now, goes_on) else {
                return Err(taken_over(source));
            };
            match ports.journal.write_if(&source.key, version, &next).await {
                Ok(written) => {
                    (progress, version) = (next, written);
                    break;
                }
                Err(PutError::Conflict) if turn < TURNS => {
                    (progress, version) = read(ports, source).await?;
                }
                Err(PutError::Conflict) => return Err(contended(source)),
                Err(PutError::Ledger(error)) => return Err(Failure::from(&error)),
            }
        }
        if let Some(failure) = stretch.failure {
            return Err(failure);
        }
        match (stretch.ended, progress.last.clone(), progress.pass.clone()) {
            (true, Some(last), _) => return Ok(Carried::Ended(last)),
            (false, _, Some(pass)) if over => return Ok(Carried::Paused(pass)),
            _ => {}
        }
    }
}

fn contended(source: &Source) -> Failure {
    Failure::new(
        "contended",
        format!("the journal of source {} was written by others again and again", source.key),
        "It is tried again by itself",
        Disposition::Retry,
    )
}

fn taken_over(source: &Source) -> Failure {
    Failure::new(
        "taken_over",
        format!("another worker took over the refresh of source {}", source.key),
        "Nothing is to be done: it goes on there",
        Disposition::Retry,
    )
}
