//! One history, from its seed to the verdict.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use inlet::catalog::{Catalog, FixedCatalog, Source};
use inlet::failure::Failure;
use inlet::object::ObjectId;
use inlet::record::BatchLimits;
use inlet::refresh::{self, Carried, Kind, Wish, carry_out};
use inlet::replay::{self, dead_letters};
use tokio::time::{Instant, sleep};

use crate::bucket::{SimObjects, Store};
use crate::check::{self, Phase};
use crate::consumer::Consumer;
use crate::content::{Expected, source};
use crate::customer::Customer;
use crate::destination::Downstream;
use crate::faults::{Fault, FaultPlan};
use crate::ledger::{LedgerStore, SimLedger};
use crate::life::Life;
use crate::plant::Bug;
use crate::queue::{Broker, SimQueue};
use crate::worker;
use crate::world::World;

/// Virtual time within which everything must come to rest.
const PATIENCE: Duration = Duration::from_secs(6 * 3_600);

/// How a history ended.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Promises that were broken.
    pub broken: Vec<String>,
    /// How often each kind of fault happened.
    pub faults: [u64; Fault::ALL.len()],
    /// Messages that were received.
    pub received: u64,
    /// Events that arrived downstream.
    pub arrived: u64,
    /// Every call of every port, if it was asked for.
    pub history: String,
}

/// Everything in one history.
pub struct Simulation {
    /// Chance, time and log.
    pub world: Arc<World>,
    /// The sources.
    pub catalog: Catalog,
    /// The buckets.
    pub store: Arc<Store>,
    /// The ledger.
    pub ledger: Arc<LedgerStore>,
    /// The queue.
    pub broker: Arc<Broker>,
    /// What arrived.
    pub downstream: Arc<Downstream>,
    /// Who writes.
    pub customer: Arc<Customer>,
    /// Who reads.
    pub consumer: Consumer,
    /// Whether nothing in the plan justifies a repetition or a failure.
    pub calm: bool,
    /// The bug that is planted.
    pub bug: Option<Bug>,
    /// When a batch closes.
    pub batches: BatchLimits,
    /// Workers that are at work.
    pub busy: Arc<AtomicUsize>,
}

/// Plays the history of `seed`; with `logging` the verdict tells it.
pub fn play(seed: u64, bug: Option<Bug>, logging: bool) -> Verdict {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without any device can be built");
    runtime.block_on(async {
        let mut rng = Rng::with_seed(seed);
        let world = World::new(rng.fork(), logging);
        run(&world, &mut rng, bug).await
    })
}

async fn run(world: &Arc<World>, rng: &mut Rng, bug: Option<Bug>) -> Verdict {
    let faults = FaultPlan::draw(rng);
    let calm = faults.is_calm();
    let mut simulation = set_up(world, rng, bug, calm);
    world.plan(faults);
    let simulated = &simulation;
    for n in 0..rng.usize(2..=4) {
        tokio::spawn(worker::work(worker::Worker::of(simulated, n)));
    }
    let by_hand = Arc::new(Mutex::new(0_u32));
    let refreshes: Vec<_> =
        (0..rng.usize(..3)).map(|_| (rng.u64(..120), rng.u8(..3) == 0)).collect();
    let refreshing = async {
        for (n, (after, full)) in refreshes.into_iter().enumerate() {
            sleep(Duration::from_secs(after)).await;
            *crate::world::lock(&by_hand) += u32::from(full);
            refresh_perhaps(simulated, n, full).await;
        }
    };
    let replays: Vec<_> = (0..rng.usize(..2)).map(|_| rng.u64(..240)).collect();
    let replaying = async {
        for after in replays {
            sleep(Duration::from_secs(after)).await;
            let ordered = replay_letters(simulated, Life::immortal(world, "replay")).await;
            *crate::world::lock(&by_hand) += u32::from(ordered);
        }
    };
    tokio::join!(simulated.customer.work(rng.usize(2..=12)), refreshing, replaying);

    // The faults go on for a while, and then end.
    sleep(Duration::from_secs(rng.u64(..900))).await;
    world.log("world", || "the faults end".to_owned());
    world.plan(FaultPlan::none());
    let mut broken = Vec::new();
    // What was left of a refresh goes on, when it is sure that nobody is at work on it.
    sleep(Duration::from_secs(300)).await;
    let life = Life::immortal(world, "refresh");
    for source in simulation.catalog.sources() {
        let carried = carry(&simulation, &life, source, None, None).await;
        if !matches!(carried, Ok(Carried::Ended(_) | Carried::Nothing)) {
            broken.push(format!("promise 1: a refresh that was left does not go on: {carried:?}"));
        }
    }
    let rested = rest(&simulation, &mut broken).await;
    simulation.read();
    // Forced work on what was settled before may be left behind for the next refresh: see `Phase`.
    let forced = *crate::world::lock(&by_hand) > 0;
    if rested && simulation.customer.dropped() == 0 && !forced {
        broken.extend(check::objects(&simulation, Phase::Noticed));
    }
    if rested && calm && !forced {
        let repeated = simulation.consumer.repeated();
        broken.extend(
            repeated.into_iter().map(|id| format!("promise 2: {id} was sent twice for no reason")),
        );
    }
    // The first look may end what had used up its attempts; the second takes up what is still wrong.
    for (phase, looks) in [(Phase::Polled, 2), (Phase::Refreshed, 1)] {
        if !broken.is_empty() {
            break;
        }
        let life = Life::immortal(world, "refresh");
        for _ in 0..looks {
            sleep(Duration::from_secs(600)).await;
            let full = phase == Phase::Refreshed;
            broken.extend(refresh_all(&simulation, Arc::clone(&life), full).await.err());
            rest(&simulation, &mut broken).await;
        }
        simulation.read();
        broken.extend(check::objects(&simulation, phase));
        let again = refresh_all(&simulation, life, false).await;
        if again != Ok(0) {
            broken.push(format!("promise 8: after {phase:?} a poll still finds {again:?}"));
        }
        rest(&simulation, &mut broken).await;
    }
    broken.append(&mut simulation.consumer.wrong);
    broken.extend(check::letters(&simulation));
    broken.extend(check::rejects(&simulation));
    broken.extend(check::writes(&simulation.ledger.writes(), &simulation.store));
    Verdict {
        broken,
        faults: world.counts(),
        received: simulation.broker.received(),
        arrived: simulation.downstream.arrivals().len() as u64,
        history: world.history(),
    }
}

fn set_up(world: &Arc<World>, rng: &mut Rng, bug: Option<Bug>, calm: bool) -> Simulation {
    let (store, broker) = (Arc::new(Store::default()), Arc::new(Broker::default()));
    let buckets = ["one", "two"];
    for bucket in buckets {
        store.create(bucket, rng.bool());
    }
    let sources = ["deals", "people", "visits"];
    let sources = sources[..rng.usize(1..=3)].iter().map(|key| {
        let bucket = buckets[usize::from(rng.u8(..4) == 0)];
        source(rng, key, bucket)
    });
    let catalog = Catalog::new(Vec::new(), sources.collect()).expect("the catalog is consistent");
    let keys = ["in/a.csv", "in/b c.csv", "in/x/d.csv", "other/e.csv"];
    let mut objects = Vec::new();
    for bucket in buckets {
        for key in &keys[..rng.usize(1..=keys.len())] {
            objects.push(ObjectId::new(bucket, *key));
        }
    }
    let reversed = bug == Some(Bug::SequencerReversed);
    let customer = Customer::new(world, &store, &broker, objects, reversed);
    Simulation {
        world: Arc::clone(world),
        catalog,
        store,
        ledger: Arc::default(),
        broker,
        downstream: Arc::default(),
        customer: Arc::new(customer),
        consumer: Consumer::new(bug == Some(Bug::GenerationIgnored)),
        calm,
        bug,
        batches: BatchLimits { max_bytes: 240_000, max_records: rng.u32(1..=15) },
        busy: Arc::default(),
    }
}

/// Refreshes every source; answers how many orders were given.
async fn refresh_all(simulation: &Simulation, life: Arc<Life>, full: bool) -> Result<u64, String> {
    let mut orders = 0;
    for source in simulation.catalog.sources() {
        let kind = if full { Kind::Full } else { Kind::Compare };
        let wish = Some(Wish { kind, anew: true });
        match carry(simulation, &life, source, wish, None).await {
            Ok(Carried::Ended(pass)) => orders += pass.report.orders(),
            Ok(other) => return Err(format!("nobody is at work any more, and yet: {other:?}")),
            Err(failure) => return Err(failure.to_string()),
        }
    }
    Ok(orders)
}

/// A refresh of every source by somebody who may die at any page, or have too little time; later
/// somebody else goes on.
async fn refresh_perhaps(simulation: &Simulation, n: usize, full: bool) {
    let (world, mut wish) = (&simulation.world, Some(full));
    for life in 0.. {
        let life = Life::mortal(world, format!("refresh{n}.{life}"));
        let time = world.draw(|rng| match rng.u8(..3) {
            0 => Duration::from_secs(rng.u64(..5)),
            _ => Duration::from_secs(rng.u64(5..900)),
        });
        let kind = wish.take().map(|full| if full { Kind::Full } else { Kind::Compare });
        let work = async {
            let mut left = false;
            for source in simulation.catalog.sources() {
                let wish = kind.map(|kind| Wish { kind, anew: false });
                let until = Some(Instant::now() + time);
                let carried = carry(simulation, &life, source, wish, until).await;
                left |= !matches!(carried, Ok(Carried::Ended(_) | Carried::Nothing));
            }
            left
        };
        let left = tokio::select! {
            biased;
            () = life.death() => true,
            left = work => left,
        };
        if !left || world.draw(|rng| rng.u8(..4)) == 0 {
            return;
        }
        sleep(Duration::from_secs(world.draw(|rng| rng.u64(..400)))).await;
    }
}

async fn carry(
    simulation: &Simulation,
    life: &Arc<Life>,
    source: &Source,
    wish: Option<Wish>,
    until: Option<Instant>,
) -> Result<Carried, Failure> {
    let ledger = Arc::new(SimLedger::new(Arc::clone(&simulation.ledger), Arc::clone(life)));
    let ports = refresh::Ports {
        ledger: Arc::clone(&ledger) as _,
        objects: Arc::new(SimObjects::new(Arc::clone(&simulation.store), Arc::clone(life))),
        queue: Arc::new(SimQueue::new(Arc::clone(&simulation.broker), Arc::clone(life))),
        journal: ledger,
        clock: Arc::clone(life) as _,
    };
    life.log(|| format!("refreshes {} ({wish:?})", source.key));
    let carried = carry_out(&ports, &simulation.catalog, source, wish, &life.name, until).await;
    life.log(|| format!("refreshed {}: {carried:?}", source.key));
    if matches!(carried, Ok(Carried::Paused(_)) | Err(_)) {
        simulation.world.count(Fault::RefreshInterrupted);
    }
    carried
}

/// Orders again what the dead letters are about; answers whether anything was ordered. It may fail in
/// the middle.
async fn replay_letters(simulation: &Simulation, life: Arc<Life>) -> bool {
    let queue = Arc::new(SimQueue::new(Arc::clone(&simulation.broker), Arc::clone(&life)));
    let ports = replay::Ports {
        ledger: Arc::new(SimLedger::new(Arc::clone(&simulation.ledger), Arc::clone(&life))),
        queue: Arc::clone(&queue) as _,
        letters: queue,
        clock: Arc::clone(&life) as _,
    };
    let mut ordered = false;
    let see = &mut |asked: replay::Asked<'_>| {
        ordered |= matches!(asked, replay::Asked::Order { .. });
        life.log(|| format!("  {asked:?}"));
    };
    let run = replay::Run::Real;
    let replayed = dead_letters(&ports, &simulation.catalog, false, run, see).await;
    life.log(|| format!("replays the dead letters: {replayed:?}"));
    ordered
}

/// Waits until nothing is under way.
async fn rest(simulation: &Simulation, broken: &mut Vec<String>) -> bool {
    let until = Instant::now() + PATIENCE;
    while simulation.broker.waiting() > 0 || simulation.busy.load(Ordering::SeqCst) > 0 {
        if Instant::now() > until {
            let waiting = simulation.broker.waiting();
            broken.push(format!("promise 8: {waiting} messages go round for ever"));
            return false;
        }
        sleep(Duration::from_secs(1)).await;
    }
    true
}

impl Simulation {
    /// What must become of the content with this tag for this source.
    pub fn expected(&self, source: &str, etag: &str) -> Option<Expected> {
        let (source, content) = (self.catalog.source(source)?, self.customer.content(etag)?);
        let n = etag.trim_start_matches('e').parse().ok()?;
        Some(content.expected(source, content.bytes(n).len() as u64))
    }

    /// The consumer reads what has arrived.
    fn read(&mut self) {
        let mut consumer = std::mem::take(&mut self.consumer);
        let expected = |source: &str, etag: &str| self.expected(source, etag);
        let record = |etag: &str, row: u64| self.customer.content(etag)?.record(row);
        consumer.take(&self.downstream.arrivals(), &expected, &record);
        self.consumer = consumer;
    }

    /// The catalog as a port.
    pub(crate) fn fixed_catalog(&self) -> Arc<FixedCatalog> {
        Arc::new(FixedCatalog::new(self.catalog.clone()))
    }
}
