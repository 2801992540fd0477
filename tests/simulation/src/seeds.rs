//! Many histories, and what came of them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::faults::Fault;
use crate::plant::Bug;
use crate::simulation::play;
use crate::world::lock;

/// What came of a range of seeds.
#[derive(Debug, Default)]
pub struct Summary {
    /// Histories that were played.
    pub played: u64,
    /// How often each kind of fault happened.
    pub faults: [u64; Fault::ALL.len()],
    /// Messages that were received.
    pub received: u64,
    /// Events that arrived downstream.
    pub arrived: u64,
    /// Seeds that broke a promise, with the first one that they broke.
    pub broken: Vec<(u64, String)>,
    /// How long it took.
    pub took: Duration,
}

/// Plays `count` histories from the seed `first` on, on all processors; stops after `enough` broken
/// ones.
pub fn play_all(first: u64, count: u64, bug: Option<Bug>, enough: usize) -> Summary {
    let began = Instant::now();
    let next = AtomicU64::new(first);
    let summary = Mutex::new(Summary::default());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count || lock(&summary).broken.len() >= enough {
                        return;
                    }
                    let verdict = play(seed, bug, false);
                    let mut summary = lock(&summary);
                    summary.played += 1;
                    summary.received += verdict.received;
                    summary.arrived += verdict.arrived;
                    for (sum, n) in summary.faults.iter_mut().zip(verdict.faults) {
                        *sum += n;
                    }
                    if let Some(what) = verdict.broken.into_iter().next() {
                        summary.broken.push((seed, what));
                    }
                }
            });
        }
    });
    let mut summary = summary.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    summary.took = began.elapsed();
    summary.broken.sort();
    summary
}

impl Summary {
    /// For people.
    pub fn show(&self) -> String {
        let seconds = self.took.as_secs_f64();
        let rate = self.played as f64 / seconds;
        let mut text = format!(
            "{} histories in {seconds:.1} s ({rate:.0} per second): {} messages received, {} events \
             arrived, {} histories broke a promise\n",
            self.played,
            self.received,
            self.arrived,
            self.broken.len(),
        );
        for (fault, n) in Fault::ALL.iter().zip(self.faults) {
            text.push_str(&format!("{n:>10} × {fault:?}\n"));
        }
        for (seed, what) in &self.broken {
            text.push_str(&format!("seed {seed}: {what}\n"));
        }
        text
    }
}
