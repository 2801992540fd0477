//! **refresh**: what the notices missed.
//!
//! Lists the objects of a source, page by page in key order, beside an ordered scan of the ledger, and
//! orders a look wherever the two disagree: objects that the ledger does not know or knows with
//! another content, entries whose object is gone, work that was left behind. A full refresh orders
//! everything. The orders go through the same queue and the same ledger as any notice.
//!
//! Promises: memory does not grow with the bucket; a page that cannot be read ends the refresh with an
//! error, and is never passed over. Never: a refresh reads no object, writes no entry, and concludes
//! nothing from a key that it did not see; the worker that takes the order looks again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::catalog::{Catalog, Connection, Source};
use crate::clock::Clock;
use crate::failure::{Disposition, Failure};
use crate::ledger::{Entry, Ledger, Range, State};
use crate::notice::{Order, OrderReason};
use crate::object::{Listed, ObjectId, Objects};
use crate::queue::Queue;

/// Orders that are sent together.
const ORDERS: usize = 100;
/// An entry that waits for its message is left alone for this long: the message is on its way.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

/// What a refresh stands on.
#[derive(Clone)]
pub struct Ports {
    /// What became of each object.
    pub ledger: Arc<dyn Ledger>,
    /// What there is.
    pub objects: Arc<dyn Objects>,
    /// Where the orders go.
    pub queue: Arc<dyn Queue>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// What a refresh found and ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Keys of the source that were listed.
    pub listed: u64,
    /// Objects that the ledger did not know.
    pub new: u64,
    /// Objects whose content is another one.
    pub changed: u64,
    /// Objects that are gone.
    pub gone: u64,
    /// Work that was left behind.
    pub stale: u64,
    /// Objects in agreement, ordered all the same because the refresh is full.
    pub forced: u64,
}

impl Report {
    /// How many orders were given.
    pub fn orders(&self) -> u64 {
        self.new + self.changed + self.gone + self.stale + self.forced
    }
}

/// Why an object is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The ledger does not know it.
    New,
    /// Its content is another one.
    Changed,
    /// It is gone.
    Gone,
    /// The work on it was left behind.
    Stale,
    /// Nothing is wrong with it; the refresh is full.
    Forced,
}

/// What bucket and ledger say of one key: is a look called for?
pub fn reconcile(
    listed: Option<&Listed>,
    entry: Option<&Entry>,
    full: bool,
    fingerprint: &str,
    now: Timestamp,
) -> Option<Found> {
    let Some(entry) = entry else { return listed.map(|_| Found::New) };
    match (&entry.state, listed) {
        // Its owner ends it, or its lease ends.
        (State::Running { until, .. }, _) if *until > now => full.then_some(Found::Forced),
        (State::Running { .. }, _) => Some(Found::Stale),
        (State::Removed, None) => None,
        (_, None) => Some(Found::Gone),
        (State::Removed, Some(_)) => Some(Found::New),
        // It is back, and what the entry tells of is the removal.
        (_, Some(_)) if entry.removing => Some(Found::New),
        (state, Some(listed)) => {
            if entry.version.as_ref().is_none_or(|known| known.etag != listed.etag) {
                return Some(Found::Changed);
            }
            match state {
                State::Waiting { .. } if now.duration_since(entry.updated) > PATIENCE => {
                    Some(Found::Stale)
                }
                // The definition was mended since: what it could not read before it may now.
                State::Parked { .. } | State::Failed { .. } if entry.fingerprint != fingerprint => {
                    Some(Found::Stale)
                }
                _ => full.then_some(Found::Forced),
            }
        }
    }
}

/// Refreshes one source of `catalog`.
///
/// # Errors
/// If the bucket cannot be listed, the ledger not scanned or the queue not written. Orders that were
/// given before stand; they do no harm.
pub async fn refresh(
    ports: &Ports,
    catalog: &Catalog,
    source: &Source,
    full: bool,
) -> Result<Report, Failure> {
    let connection = catalog.connection(&source.connection).ok_or_else(|| {
        Failure::new(
            "no_such_connection",
            format!("source {} names the connection {}", source.key, source.connection),
            "Apply the definitions again",
            Disposition::Park,
        )
    })?;
    let fingerprint = source.fingerprint();
    let mut listing = Listing::new(ports, connection, source);
    let mut scan = ports
        .ledger
        .scan(&source.key, &source.bucket, Range::ALL)
        .await
        .map_err(|error| Failure::from(&error))?;
    let mut report = Report::default();
    let mut orders = Vec::with_capacity(ORDERS);
    let mut object = next_of(&mut listing, catalog, source).await?;
    let mut entry = scan.next().await.map_err(|error| Failure::from(&error))?;
    loop {
        // The lesser key of the two comes next; an equal one is of both.
        let key = match (&object, &entry) {
            (None, None) => break,
            (Some(listed), None) => listed.key.clone(),
            (None, Some((key, _))) => key.clone(),
            (Some(listed), Some((key, _))) => listed.key.as_str().min(key).to_owned(),
        };
        let listed = match object.take_if(|listed| listed.key == key) {
            Some(listed) => {
                object = next_of(&mut listing, catalog, source).await?;
                report.listed += 1;
                Some(listed)
            }
            None => None,
        };
        let known = match entry.take_if(|(of, _)| *of == key) {
            Some((_, known)) => {
                entry = scan.next().await.map_err(|error| Failure::from(&error))?;
                Some(known)
            }
            None => None,
        };
        // An entry of a key that the source takes no more is no news of its object.
        if listed.is_none() && !catalog.takes(source, &key) {
            continue;
        }
        let now = ports.clock.now();
        let Some(found) = reconcile(listed.as_ref(), known.as_ref(), full, &fingerprint, now)
        else {
            continue;
        };
        match found {
            Found::New => report.new += 1,
            Found::Changed => report.changed += 1,
            Found::Gone => report.gone += 1,
            Found::Stale => report.stale += 1,
            Found::Forced => report.forced += 1,
        }
        let object = ObjectId::new(&source.bucket, key);
        let mut order = Order::new(object, OrderReason::Refresh);
        order.source = Some(source.key.clone());
        order.force = full;
        orders.push(order);
        if orders.len() == ORDERS {
            send(ports, &mut orders).await?;
        }
    }
    send(ports, &mut orders).await?;
    Ok(report)
}

async fn send(ports: &Ports, orders: &mut Vec<Order>) -> Result<(), Failure> {
    if !orders.is_empty() {
        ports.queue.order(orders, Duration::ZERO).await.map_err(|error| Failure::from(&error))?;
        orders.clear();
    }
    Ok(())
}

/// The next object that the source takes.
async fn next_of(
    listing: &mut Listing<'_>,
    catalog: &Catalog,
    source: &Source,
) -> Result<Option<Listed>, Failure> {
    while let Some(listed) = listing.next().await? {
        if catalog.takes(source, &listed.key) {
            return Ok(Some(listed));
        }
    }
    Ok(None)
}

/// The keys of a bucket under the source's prefix, in order, a page in memory at a time.
struct Listing<'a> {
    ports: &'a Ports,
    connection: &'a Connection,
    source: &'a Source,
    page: VecDeque<Listed>,
    after: Option<String>,
    ended: bool,
}

impl<'a> Listing<'a> {
    fn new(ports: &'a Ports, connection: &'a Connection, source: &'a Source) -> Self {
        Self { ports, connection, source, page: VecDeque::new(), after: None, ended: false }
    }

    async fn next(&mut self) -> Result<Option<Listed>, Failure> {
        if self.page.is_empty() && !self.ended {
            let prefix = self.source.path.literal_prefix();
            let page = self
                .ports
                .objects
                .list(self.connection, &self.source.bucket, prefix, self.after.as_deref())
                .await
                .map_err(|error| Failure::from(&error))?;
            self.after = page.last().map(|listed| listed.key.clone());
            self.ended = page.is_empty();
            self.page = page.into();
        }
        Ok(self.page.pop_front())
    }
}

#[cfg(test)]
mod tests;
