//! Workers as Lambda runs them: batches of messages in, an answer for each message out, and an end at
//! any moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use inlet::catalog::FixedCatalog;
use inlet::ingest::{Ingest, Outcome, Ports};
use inlet::ledger::Ledger;
use inlet::observe::{Happening, Observer};
use inlet::queue::Message;
use inlet::record::BatchLimits;
use tokio::time::{Instant, sleep, sleep_until};

use crate::bucket::{SimObjects, Store};
use crate::destination::{Downstream, SimDestination};
use crate::faults::Fault;
use crate::ledger::{LedgerStore, SimLedger};
use crate::life::Life;
use crate::plant::{Bug, BuggyLedger, DeafDeliveries};
use crate::queue::{Broker, SimQueue};
use crate::simulation::Simulation;
use crate::world::World;

/// One worker, which lives many lives.
pub struct Worker {
    n: usize,
    world: Arc<World>,
    catalog: Arc<FixedCatalog>,
    store: Arc<Store>,
    ledger: Arc<LedgerStore>,
    broker: Arc<Broker>,
    downstream: Arc<Downstream>,
    bug: Option<Bug>,
    calm: bool,
    batches: BatchLimits,
    busy: Arc<AtomicUsize>,
}

impl Worker {
    /// The worker with number `n`.
    pub fn of(simulation: &Simulation, n: usize) -> Self {
        Self {
            n,
            world: Arc::clone(&simulation.world),
            catalog: simulation.fixed_catalog(),
            store: Arc::clone(&simulation.store),
            ledger: Arc::clone(&simulation.ledger),
            broker: Arc::clone(&simulation.broker),
            downstream: Arc::clone(&simulation.downstream),
            bug: simulation.bug,
            calm: simulation.calm,
            batches: simulation.batches,
            busy: Arc::clone(&simulation.busy),
        }
    }

    fn ports(&self, life: &Arc<Life>) -> Ports {
        let destination = Arc::new(SimDestination::new(
            Arc::clone(&self.downstream),
            Arc::clone(life),
            self.world.draw(|rng| rng.usize(1..=4)),
        ));
        let shapes = Arc::new(SimLedger::new(Arc::clone(&self.ledger), Arc::clone(life)));
        let ledger: Arc<dyn Ledger> = shapes.clone();
        Ports {
            catalog: Arc::clone(&self.catalog) as _,
            ledger: match self.bug {
                Some(bug) => Arc::new(BuggyLedger { inner: ledger, bug }),
                None => ledger,
            },
            shapes,
            objects: Arc::new(SimObjects::new(Arc::clone(&self.store), Arc::clone(life))),
            queue: Arc::new(SimQueue::new(Arc::clone(&self.broker), Arc::clone(life))),
            deliveries: match self.bug {
                Some(Bug::DoneBeforeAcknowledged) => {
                    Arc::new(DeafDeliveries(Arc::clone(&destination) as _))
                }
                _ => Arc::clone(&destination) as _,
            },
            rejects: destination,
            clock: Arc::clone(life) as _,
            observer: Arc::new(Watch(Arc::clone(life))),
        }
    }
}

struct Watch(Arc<Life>);

impl Observer for Watch {
    fn see(&self, happening: &Happening<'_>) {
        if matches!(happening, Happening::Paused { .. }) {
            self.0.world.count(Fault::Paused);
        }
        if !matches!(happening, Happening::Progress { .. }) {
            self.0.log(|| format!("  {happening:?}"));
        }
    }
}

/// Works until the history ends.
pub async fn work(worker: Worker) {
    for run in 1.. {
        worker.broker.ready().await;
        sleep(Duration::from_millis(worker.world.draw(|rng| rng.u64(1..300)))).await;
        // The function's own time, and none on one machine.
        let timeout = worker.world.draw(|rng| match rng.u8(..5) {
            _ if worker.calm => None,
            0 => None,
            1 => Some(Duration::from_millis(rng.u64(5_100..10_000))),
            2 => Some(Duration::from_secs(rng.u64(20..60))),
            _ => Some(Duration::from_secs(rng.u64(60..900))),
        });
        let visibility = timeout.map_or(Duration::from_secs(75), |timeout| timeout * 6);
        let most = worker.world.draw(|rng| rng.usize(1..=5));
        let batch = worker.broker.receive(&worker.world, most, visibility);
        if batch.is_empty() {
            continue;
        }
        worker.busy.fetch_add(1, Ordering::SeqCst);
        live(&worker, format!("w{}.{run}", worker.n), batch, timeout).await;
        worker.busy.fetch_sub(1, Ordering::SeqCst);
    }
}

/// One invocation.
async fn live(worker: &Worker, name: String, batch: Vec<Message>, timeout: Option<Duration>) {
    let life = Life::mortal(&worker.world, name);
    for message in &batch {
        life.log(|| format!("receives {} ({}): {}", message.id, message.receives, message.body));
    }
    let concurrency = worker.world.draw(|rng| rng.usize(1..=4));
    let ports = worker.ports(&life);
    let ingest = Ingest::with_batches(ports, &life.name, concurrency, worker.batches);
    let end = timeout.map(|timeout| Instant::now() + timeout);
    let deadline = end.map(|end| end - Duration::from_secs(5));
    let expiry = async {
        match end {
            Some(end) => sleep_until(end).await,
            None => std::future::pending().await,
        }
    };
    let outcomes = tokio::select! {
        biased;
        () = life.death() => return,
        () = expiry => {
            life.log(|| "ENDS at its deadline".to_owned());
            worker.world.count(Fault::TimedOut);
            life.kill();
            return;
        }
        outcomes = ingest.messages(batch.clone(), deadline) => outcomes,
    };
    for (message, outcome) in batch.iter().zip(outcomes) {
        life.log(|| format!("message {}: {outcome:?}", message.id));
        if outcome == Outcome::Acknowledge && !worker.world.strikes(Fault::AcknowledgementLost) {
            worker.broker.acknowledge(&worker.world, message);
        }
    }
}
