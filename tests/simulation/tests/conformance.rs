//! The adapters in memory against the suites that every adapter passes.

use std::sync::Arc;

use fastrand::Rng;
use inlet_simulation::ledger::SimLedger;
use inlet_simulation::life::Life;
use inlet_simulation::queue::SimQueue;
use inlet_simulation::world::World;

#[tokio::test(start_paused = true)]
async fn the_ledger_in_memory_conforms() {
    let world = World::new(Rng::with_seed(1), false);
    let ledger = SimLedger::new(Arc::default(), Life::immortal(&world, "suite"));
    inlet_simulation::conformance::ledger(Arc::new(ledger)).await;
}

#[tokio::test(start_paused = true)]
async fn the_dead_letters_in_memory_conform() {
    let world = World::new(Rng::with_seed(1), false);
    let queue = SimQueue::new(Arc::default(), Life::immortal(&world, "suite"));
    inlet_simulation::conformance::dead_letters(&queue).await;
}

#[tokio::test(start_paused = true)]
async fn the_journal_in_memory_conforms() {
    let world = World::new(Rng::with_seed(1), false);
    let ledger = SimLedger::new(Arc::default(), Life::immortal(&world, "suite"));
    inlet_simulation::conformance::journal(&ledger).await;
}

#[tokio::test(start_paused = true)]
async fn the_shapes_in_memory_conform() {
    let world = World::new(Rng::with_seed(1), false);
    let ledger = SimLedger::new(Arc::default(), Life::immortal(&world, "suite"));
    inlet_simulation::conformance::shapes(&ledger).await;
}
