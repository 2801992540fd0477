//! **refresh**: what the notices missed.
//!
//! Lists the objects of a source, page by page in key order, beside an ordered scan of the ledger, and
//! orders a look wherever the two disagree: objects that the ledger does not know or knows with
//! another content, entries whose object is gone, work that was left behind. A full refresh orders
//! everything. The orders go through the same queue and the same ledger as any notice.
//!
//! [`refresh`] does one stretch of it, [`carry_out`] a whole pass, in as many stretches and
//! invocations as it needs: after each stretch the [`Journal`] says how far the pass came, and whoever
//! comes next goes on there.
//!
//! Promises: memory does not grow with the bucket; a page that cannot be read is never passed over,
//! and what cannot be read now is where the next stretch begins; each stretch comes further in the
//! order of keys, or ends with an error. Never: a refresh reads no object, writes no entry, and
//! concludes nothing from a key that it did not see; the worker that takes the order looks again.

mod carry;
mod due;
mod journal;
mod pass;
mod reconcile;
mod walk;

#[cfg(feature = "aws")]
mod dynamodb;
#[cfg(feature = "local")]
mod sqlite;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

pub use carry::{Carried, carry_out, note, release, tick};
pub use due::due;
pub use journal::Journal;
pub use pass::{Kind, Lease, Pass, Progress, Wish};
pub use reconcile::{Found, reconcile};
pub(crate) use walk::Walk;

use crate::catalog::{Catalog, Source};
use crate::clock::Clock;
use crate::failure::Failure;
use crate::ledger::Ledger;
use crate::notice::{Order, OrderReason};
use crate::object::{ObjectId, Objects};
use crate::queue::Queue;

/// Orders that are sent together.
const ORDERS: usize = 100;

/// What a refresh stands on.
#[derive(Clone)]
pub struct Ports {
    /// What became of each object.
    pub ledger: Arc<dyn Ledger>,
    /// What there is.
    pub objects: Arc<dyn Objects>,
    /// Where the orders go.
    pub queue: Arc<dyn Queue>,
    /// How far each refresh came.
    pub journal: Arc<dyn Journal>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// What a refresh found and ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
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
    /// Objects in agreement, for which nothing was ordered.
    pub agreed: u64,
}

impl Report {
    /// How many orders were given.
    pub fn orders(&self) -> u64 {
        self.new + self.changed + self.gone + self.stale + self.forced
    }

    /// Counts one key.
    pub(crate) fn count(&mut self, listed: bool, found: Option<Found>) {
        self.listed += u64::from(listed);
        match found {
            None => self.agreed += u64::from(listed),
            Some(Found::New) => self.new += 1,
            Some(Found::Changed) => self.changed += 1,
            Some(Found::Gone) => self.gone += 1,
            Some(Found::Stale) => self.stale += 1,
            Some(Found::Forced) => self.forced += 1,
        }
    }

    fn add(&mut self, other: Report) {
        self.listed += other.listed;
        self.new += other.new;
        self.changed += other.changed;
        self.gone += other.gone;
        self.stale += other.stale;
        self.forced += other.forced;
        self.agreed += other.agreed;
    }
}

/// How far one stretch came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stretch {
    /// What was found on the way.
    pub report: Report,
    /// The last key that is done with: its order was sent, if it needed one. The next stretch begins
    /// behind it. `None`: there is none yet.
    pub after: Option<String>,
    /// There is nothing behind it.
    pub ended: bool,
    /// Why it ended before the time was over.
    pub failure: Option<Failure>,
}

/// Refreshes one source of `catalog`, from behind the key `after` until `until`; at least one key, if
/// there is one. Whatever goes wrong, what was done before counts.
pub async fn refresh(
    ports: &Ports,
    catalog: &Catalog,
    source: &Source,
    full: bool,
    after: Option<&str>,
    until: Option<Instant>,
) -> Stretch {
    let mut stretch = Stretch { after: after.map(str::to_owned), ..Stretch::default() };
    let walk = Walk::begin(ports, catalog, source, full, after).await;
    let mut open = Open::default();
    let walked = match walk {
        Ok(walk) => go(ports, source, full, walk, until, &mut open, &mut stretch).await,
        Err(failure) => Err(failure),
    };
    // What was found before a failure is ordered all the same.
    let sent = open.send(ports, &mut stretch).await;
    stretch.ended = matches!((&walked, &sent), (Ok(true), Ok(())));
    stretch.failure = walked.err().or(sent.err());
    stretch
}

/// Walks until the time is over; answers whether the walk has ended.
async fn go(
    ports: &Ports,
    source: &Source,
    full: bool,
    mut walk: Walk<'_>,
    until: Option<Instant>,
    open: &mut Open,
    stretch: &mut Stretch,
) -> Result<bool, Failure> {
    while let Some(step) = walk.next().await? {
        open.report.count(step.listed, step.found);
        if step.found.is_some() {
            let object = ObjectId::new(&source.bucket, &step.key);
            let mut order = Order::new(object, OrderReason::Refresh);
            order.source = Some(source.key.clone());
            order.force = full;
            order.etag = step.etag;
            open.orders.push(order);
        }
        open.last = Some(step.key);
        if open.orders.len() == ORDERS {
            open.send(ports, stretch).await?;
        }
        if until.is_some_and(|until| until <= Instant::now()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What was found since orders were sent last.
#[derive(Default)]
struct Open {
    orders: Vec<Order>,
    report: Report,
    last: Option<String>,
}

impl Open {
    async fn send(&mut self, ports: &Ports, stretch: &mut Stretch) -> Result<(), Failure> {
        if !self.orders.is_empty() {
            let sent = ports.queue.order(&self.orders, Duration::ZERO).await;
            // Unsent: the next stretch finds them again, behind what is done with.
            sent.map_err(|error| Failure::from(&error))?;
            self.orders.clear();
        }
        stretch.report.add(std::mem::take(&mut self.report));
        if let Some(last) = self.last.take() {
            stretch.after = Some(last);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
