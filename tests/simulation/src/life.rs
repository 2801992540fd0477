//! One run of one worker, from its start to its end, its crash or its deadline. Every call of every
//! port goes through [`Life::call`], which is where time passes and where things go wrong.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use inlet::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use crate::faults::Fault;
use crate::world::{World, lock};

/// One run of one worker.
pub struct Life {
    /// Its name, in the history and in the ledger.
    pub name: String,
    /// Where it lives.
    pub world: Arc<World>,
    skew: SignedDuration,
    mortal: bool,
    state: Mutex<State>,
    ended: Notify,
}

struct State {
    dead: bool,
    thaws: Instant,
}

impl Life {
    /// A worker that may crash and stand still, whose clock may be wrong.
    pub fn mortal(world: &Arc<World>, name: String) -> Arc<Self> {
        let skew = if world.strikes(Fault::ClockSkewed) {
            SignedDuration::from_millis(world.draw(|rng| rng.i64(-3_000..=3_000)))
        } else {
            SignedDuration::ZERO
        };
        Self::new(world, name, skew, true)
    }

    /// Somebody who calls the same ports and only meets their errors.
    pub fn immortal(world: &Arc<World>, name: impl Into<String>) -> Arc<Self> {
        Self::new(world, name.into(), SignedDuration::ZERO, false)
    }

    fn new(world: &Arc<World>, name: String, skew: SignedDuration, mortal: bool) -> Arc<Self> {
        let state = State { dead: false, thaws: Instant::now() };
        let (world, state) = (Arc::clone(world), Mutex::new(state));
        Arc::new(Self { name, world, skew, mortal, state, ended: Notify::new() })
    }

    /// Returns when the worker has died.
    pub async fn death(&self) {
        let ended = self.ended.notified();
        if !lock(&self.state).dead {
            ended.await;
        }
    }

    /// Ends it: none of its calls goes on.
    pub fn kill(&self) {
        lock(&self.state).dead = true;
        self.ended.notify_waiters();
    }

    /// Goes on only if the worker is alive, and not before it goes on itself.
    pub async fn alive(&self) {
        loop {
            let thaws = {
                let state = lock(&self.state);
                if state.dead { None } else { Some(state.thaws) }
            };
            match thaws {
                None => pending().await,
                Some(thaws) if thaws > Instant::now() => sleep_until(thaws).await,
                Some(_) => return,
            }
        }
    }

    /// One call of a port: `effect` happens at one moment of it. `failed` is the port's own error for
    /// a cause.
    pub async fn call<T, E>(
        &self,
        what: impl Fn() -> String + Send,
        effect: impl FnOnce() -> Result<T, E> + Send,
        failed: impl FnOnce(&'static str) -> E + Send,
    ) -> Result<T, E>
    where
        T: Send,
        E: Send,
    {
        self.begin(&what).await;
        if self.world.strikes(Fault::Throttle) {
            self.log(|| format!("{} ✗ throttled", what()));
            return Err(failed("throttled"));
        }
        let done = effect();
        self.end(&what).await;
        if done.is_ok() && self.world.strikes(Fault::AnswerLost) {
            self.log(|| format!("{} ✗ done, but the answer was lost", what()));
            return Err(failed("the answer was lost"));
        }
        self.log(|| format!("{} {}", what(), if done.is_ok() { "✓" } else { "✗" }));
        done
    }

    /// The way there.
    pub async fn begin(&self, what: &(impl Fn() -> String + Send)) {
        self.alive().await;
        if self.mortal && self.world.strikes(Fault::CrashBefore) {
            self.log(|| format!("CRASHES before {}", what()));
            self.kill();
        }
        if self.mortal && self.world.strikes(Fault::Freeze) {
            let time = Duration::from_secs(self.world.draw(|rng| rng.u64(20..240)));
            self.log(|| format!("STANDS STILL for {time:?} before {}", what()));
            lock(&self.state).thaws = Instant::now() + time;
        }
        sleep(self.latency()).await;
        self.alive().await;
    }

    /// The way back.
    pub async fn end(&self, what: &(impl Fn() -> String + Send)) {
        if self.mortal && self.world.strikes(Fault::CrashAfter) {
            self.log(|| format!("CRASHES after {}", what()));
            self.kill();
        }
        self.alive().await;
    }

    fn latency(&self) -> Duration {
        Duration::from_millis(self.world.draw(|rng| match rng.u8(..64) {
            0 => rng.u64(1_000..20_000),
            1..8 => rng.u64(100..1_000),
            _ => rng.u64(..30),
        }))
    }

    /// Writes into the history.
    pub fn log(&self, what: impl FnOnce() -> String) {
        self.world.log(&self.name, what);
    }
}

impl Clock for Life {
    fn now(&self) -> Timestamp {
        self.world.now() + self.skew
    }
}
