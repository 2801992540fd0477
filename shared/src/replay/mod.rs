//! **replay**: what was settled, ordered again by hand.
//!
//! [`replay`] goes through the ledger and orders what a [`Filter`] takes; [`dead_letters`] takes the
//! dead letters and orders what they are about. The orders go through the same queue and the same
//! ledger as any notice, and what they deliver has the ids that it had.
//!
//! Promises: memory grows neither with the ledger nor with the dead letters; a letter is forgotten
//! only after its order was sent, so that a crash between the two orders it twice, which the ledger
//! makes harmless; what became done in the meantime is not delivered again, unless that was asked
//! for. Never: a replay reads no object and writes no entry.

mod filter;
mod letters;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

pub use filter::{Filter, States};
pub use letters::{Asked, Letters, dead_letters};

use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::failure::Failure;
use crate::ledger::{Entry, EntryKey, Ledger, Range, State};
use crate::notice::{Order, OrderReason};
use crate::object::ObjectId;
use crate::queue::{DeadLetters, Queue};

/// Orders that are sent together.
const ORDERS: usize = 100;

/// What a replay stands on.
#[derive(Clone)]
pub struct Ports {
    /// What became of each object.
    pub ledger: Arc<dyn Ledger>,
    /// Where the orders go.
    pub queue: Arc<dyn Queue>,
    /// The dead letters.
    pub letters: Arc<dyn DeadLetters>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// Whether the orders are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// Everything is looked at, and nothing sent.
    Dry,
    /// The orders are sent.
    Real,
}

/// What a replay did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Orders, sent or (in a dry run) to be sent.
    pub ordered: u64,
    /// Entries that the filter takes, of objects that their source takes no more: nothing to order.
    pub untaken: u64,
}

/// Orders everything in the ledger that `filter` takes, and shows it to `see`.
///
/// # Errors
/// If the ledger cannot be scanned or the queue not written. Orders that were sent before stand.
pub async fn replay(
    ports: &Ports,
    catalog: &Catalog,
    filter: &Filter,
    run: Run,
    see: &mut (dyn FnMut(&EntryKey, &Entry) + Send),
) -> Result<Replayed, Failure> {
    let mut replayed = Replayed::default();
    let mut orders = Vec::with_capacity(ORDERS);
    for source in catalog.sources() {
        if !filter.takes_source(&source.key, &source.bucket) {
            continue;
        }
        let range = Range { prefix: filter.key_prefix(), after: None };
        let scan = ports.ledger.scan(&source.key, &source.bucket, range).await;
        let mut scan = scan.map_err(|error| Failure::from(&error))?;
        while let Some((key, entry)) = scan.next().await.map_err(|error| Failure::from(&error))? {
            if !filter.takes(&entry) {
                continue;
            }
            if !catalog.takes(source, &key) {
                replayed.untaken += 1;
                continue;
            }
            let key = EntryKey::new(&source.key, ObjectId::new(&source.bucket, key));
            see(&key, &entry);
            replayed.ordered += 1;
            orders.push(of_entry(&key, &entry));
            if orders.len() == ORDERS {
                send(ports, run, &mut orders).await?;
            }
        }
    }
    send(ports, run, &mut orders).await?;
    Ok(replayed)
}

/// What is done or left out is delivered again, because that is what was asked for. What is not done
/// is to become so, once: if it is by the time the order is taken, nothing is delivered.
fn of_entry(key: &EntryKey, entry: &Entry) -> Order {
    let mut order = Order::new(key.object.clone(), OrderReason::Replay);
    order.source = Some(key.source.clone());
    match entry.state {
        State::Done | State::Skipped { .. } => order.force = true,
        _ => order.unpark = true,
    }
    order
}

async fn send(ports: &Ports, run: Run, orders: &mut Vec<Order>) -> Result<(), Failure> {
    if run == Run::Real && !orders.is_empty() {
        ports.queue.order(orders, Duration::ZERO).await.map_err(|error| Failure::from(&error))?;
    }
    orders.clear();
    Ok(())
}

#[cfg(test)]
#[cfg(feature = "local")]
mod tests;
