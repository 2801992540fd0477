//! What all parts of one history share: chance, time, the log and the counts of faults.

use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::faults::{Fault, FaultPlan};

/// One history's surroundings.
pub struct World {
    began: Instant,
    logging: bool,
    inner: Mutex<Inner>,
}

struct Inner {
    rng: Rng,
    faults: FaultPlan,
    counts: [u64; Fault::ALL.len()],
    log: String,
}

/// Locks, whatever a panic elsewhere left.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// A world that begins now. Without `logging` the log stays empty.
    pub fn new(rng: Rng, logging: bool) -> Arc<Self> {
        let inner = Inner {
            rng,
            faults: FaultPlan::none(),
            counts: [0; Fault::ALL.len()],
            log: String::new(),
        };
        Arc::new(Self { began: Instant::now(), logging, inner: Mutex::new(inner) })
    }

    /// From now on this goes wrong.
    pub fn plan(&self, faults: FaultPlan) {
        lock(&self.inner).faults = faults;
    }

    /// Something by chance.
    pub fn draw<T>(&self, from: impl FnOnce(&mut Rng) -> T) -> T {
        from(&mut lock(&self.inner).rng)
    }

    /// Whether the fault happens here and now; counts it if so.
    pub fn strikes(&self, fault: Fault) -> bool {
        let mut inner = lock(&self.inner);
        let chance = inner.faults.chance(fault);
        let strikes = chance > 0 && inner.rng.u16(..10_000) < chance;
        if strikes {
            inner.counts[fault as usize] += 1;
        }
        strikes
    }

    /// Counts a fault that came about by itself.
    pub fn count(&self, fault: Fault) {
        lock(&self.inner).counts[fault as usize] += 1;
    }

    /// How often each fault happened.
    pub fn counts(&self) -> [u64; Fault::ALL.len()] {
        lock(&self.inner).counts
    }

    /// Virtual time since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// The true time.
    pub fn now(&self) -> Timestamp {
        let began = Timestamp::constant(1_767_225_600, 0);
        let elapsed = SignedDuration::try_from(self.elapsed()).unwrap_or(SignedDuration::MAX);
        began.checked_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    /// Writes a line into the history.
    pub fn log(&self, who: &str, what: impl FnOnce() -> String) {
        if self.logging {
            let at = self.elapsed().as_secs_f64();
            let what = what();
            let mut inner = lock(&self.inner);
            writeln!(inner.log, "{at:>11.3}s  {who:<8} {what}").expect("a text takes any line");
        }
    }

    /// The history so far.
    pub fn history(&self) -> String {
        lock(&self.inner).log.clone()
    }
}
