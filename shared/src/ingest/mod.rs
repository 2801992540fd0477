//! **ingest**: the way of a file, told once.
//!
//! ```text
//! message ─► notices ─► sources ─► for each object and source (`object`):
//!     ledger: plan ─► open ─► claim ─► rows ─► records ─► batches ─► acknowledged ─► ledger: done
//! ```
//!
//! Promises: each message of a batch ends by itself, whatever the others do, and a panic in the work
//! on one object is that object's failure alone; notices of one object are taken one after the
//! other; a message is acknowledged only when everything that it asked for is settled in the ledger,
//! ordered anew, or in the dead letters with its cause. Never: this room knows neither Lambda nor a
//! terminal.

mod lease;
mod object;
mod small;
mod stream;
mod visibility;
mod work;

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use self::visibility::Hidden;
use crate::catalog::CatalogStore;
use crate::clock::Clock;
use crate::delivery::Deliveries;
use crate::failure::{Disposition, Failure};
use crate::ledger::{Ledger, Shapes};
use crate::notice::{self, DeadLetter, Malformed, Notice};
use crate::object::{ObjectId, Objects};
use crate::observe::{Happening, Observer};
use crate::queue::{Message, Queue};
use crate::record::BatchLimits;
use crate::rejects::Rejects;

pub use visibility::VISIBILITY;

/// Receives of a message after which a failure is final; the queue's own bound is the same.
pub const MAX_RECEIVES: u32 = 5;

/// Kept before a deadline for sending what is under way and writing how far the work came.
const LANDING: Duration = Duration::from_secs(20);

/// A batch closes at this many bytes of records, or at this many records. The same for all
/// destinations, because the ids of batches follow from it.
const BATCHES: BatchLimits = BatchLimits { max_bytes: 240_000, max_records: 1_000 };

/// Everything that the pipeline stands on.
#[derive(Clone)]
pub struct Ports {
    /// Connections and sources.
    pub catalog: Arc<dyn CatalogStore>,
    /// What became of each object.
    pub ledger: Arc<dyn Ledger>,
    /// How the last file of each series was written.
    pub shapes: Arc<dyn Shapes>,
    /// The bytes.
    pub objects: Arc<dyn Objects>,
    /// Where orders and dead letters go.
    pub queue: Arc<dyn Queue>,
    /// Where events go.
    pub deliveries: Arc<dyn Deliveries>,
    /// Where rejects go.
    pub rejects: Arc<dyn Rejects>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All that it asked for is settled: it can go.
    Acknowledge,
    /// It comes back after this.
    Return {
        /// How long it stays hidden.
        after: Duration,
    },
}

/// The pipeline.
pub struct Ingest {
    ports: Ports,
    /// This worker's name in the ledger.
    owner: String,
    /// Objects worked on at a time.
    slots: Arc<Semaphore>,
    batches: BatchLimits,
}

/// How the work that one notice asks for ended.
enum Ended {
    /// So.
    With(Outcome),
    /// It was not begun, because workers were lost on it: it is to be done alone.
    Suspect,
}

/// The messages of one batch, and how far they are.
struct Batch<'a> {
    messages: &'a [Message],
    hidden: &'a Hidden,
    outcomes: Vec<Outcome>,
    /// Notices of each message that have not ended.
    open: Vec<usize>,
    /// Some of them were received before. A worker may have been lost then, and may be lost again: what
    /// is done is acknowledged at once, so that it is not received once more for nothing.
    shaky: bool,
}

impl<'a> Batch<'a> {
    fn new(messages: &'a [Message], hidden: &'a Hidden) -> Self {
        let outcomes = vec![Outcome::Acknowledge; messages.len()];
        let shaky = messages.len() > 1 && messages.iter().any(|message| message.receives > 1);
        Self { messages, hidden, outcomes, open: vec![0; messages.len()], shaky }
    }

    /// One notice of a message has ended.
    async fn end(&mut self, member: usize, outcome: Outcome) {
        self.outcomes[member] = later(self.outcomes[member], outcome);
        self.open[member] -= 1;
        self.settle(member).await;
    }

    /// If all of a message has ended: tells the queue what becomes of it, as far as that cannot wait
    /// for the slowest of the batch.
    async fn settle(&self, member: usize) {
        match (self.open[member], self.outcomes[member]) {
            (0, Outcome::Return { after }) => {
                self.hidden.set_aside(&self.messages[member], after).await;
            }
            (0, Outcome::Acknowledge) if self.shaky => {
                self.hidden.acknowledge(&self.messages[member]).await;
            }
            _ => {}
        }
    }
}

/// The time that an invocation has.
#[derive(Clone, Copy, Debug)]
struct Time {
    /// When work that is not done is put down, to go on in another invocation; `None`: never.
    pause: Option<Instant>,
    /// When work that could not be put down is given up.
    end: Option<Instant>,
}

impl Time {
    /// From now to `end`: the last fifth of it, and at most [`LANDING`], is kept for putting down.
    fn until(end: Option<Instant>) -> Self {
        let landing = |end: Instant| (end.duration_since(Instant::now()) / 5).min(LANDING);
        Self { pause: end.map(|end| end - landing(end)), end }
    }

    /// Returns at the end.
    async fn end(self) {
        match self.end {
            Some(end) => tokio::time::sleep_until(end).await,
            None => std::future::pending().await,
        }
    }
}

/// One notice of one message.
struct Unit {
    message: usize,
    notice: Notice,
}

impl Ingest {
    /// A worker named `owner` (unique to it) that works on up to `concurrency` objects at a time.
    pub fn new(ports: Ports, owner: impl Into<String>, concurrency: usize) -> Arc<Self> {
        Self::with_batches(ports, owner, concurrency, BATCHES)
    }

    /// The same with other batches. All workers must have the same: the ids of batches follow from
    /// where they end.
    pub fn with_batches(
        ports: Ports,
        owner: impl Into<String>,
        concurrency: usize,
        batches: BatchLimits,
    ) -> Arc<Self> {
        let slots = Arc::new(Semaphore::new(concurrency.max(1)));
        Arc::new(Self { ports, owner: owner.into(), slots, batches })
    }

    /// Takes a batch of messages and answers what becomes of each, in their order. Shortly before
    /// `deadline`, work that has not ended is put down and ordered anew; what cannot be put down until
    /// then is given up, and its message comes back.
    pub async fn messages(
        self: &Arc<Self>,
        messages: Vec<Message>,
        deadline: Option<Instant>,
    ) -> Vec<Outcome> {
        let time = Time::until(deadline);
        let messages: Arc<[Message]> = messages.into();
        let hidden = Arc::new(Hidden::new(Arc::clone(&self.ports.queue), &messages));
        let keeping = {
            let hidden = Arc::clone(&hidden);
            tokio::spawn(async move { hidden.keep().await })
        };
        let mut batch = Batch::new(&messages, &hidden);
        let mut work = JoinSet::new();
        let mut names = HashMap::new();
        let groups = self.sort(&messages, &mut batch.outcomes).await;
        groups.iter().flat_map(|(_, units)| units).for_each(|unit| batch.open[unit.message] += 1);
        for at in 0..messages.len() {
            batch.settle(at).await;
        }
        for (object, units) in groups {
            let members: Vec<usize> = units.iter().map(|unit| unit.message).collect();
            let (ingest, messages) = (Arc::clone(self), Arc::clone(&messages));
            let task = work.spawn(async move { ingest.group(units, &messages, time).await });
            names.insert(task.id(), (object, members));
        }
        let mut suspects = Vec::new();
        while let Some(ended) = work.join_next_with_id().await {
            let ended = match ended {
                Ok((_, ended)) => ended,
                Err(panic) => {
                    let Some((object, members)) = names.get(&panic.id()) else { continue };
                    let failure = panicked(object.as_ref(), &panic);
                    let mut ended = Vec::new();
                    for &member in members {
                        let message = &messages[member];
                        let outcome = self.fail(message, &message.body, &failure, None).await;
                        ended.push((member, Ok(outcome)));
                    }
                    ended
                }
            };
            for (member, ended) in ended {
                match ended {
                    Ok(outcome) => batch.end(member, outcome).await,
                    // Its message was received before, in vain. An attempt needs one that has all of
                    // its receives left, or the file ends in the dead letters before its attempts do.
                    Err(suspect) if messages[suspect.message].receives > 1 => {
                        self.put_off(&suspect, &mut batch).await;
                    }
                    Err(suspect) => suspects.push(suspect),
                }
            }
        }
        self.suspects(suspects, &mut batch, time).await;
        let outcomes = std::mem::take(&mut batch.outcomes);
        hidden.rest().await;
        keeping.abort();
        outcomes
    }

    /// Work on which workers were lost: the first is done with nothing else under way, and before it is
    /// begun the others are ordered anew, so that none of them is lost with it.
    async fn suspects(&self, suspects: Vec<Unit>, batch: &mut Batch<'_>, time: Time) {
        let mut suspects = suspects.into_iter();
        let Some(first) = suspects.next() else { return };
        for other in suspects {
            self.put_off(&other, batch).await;
        }
        let message = &batch.messages[first.message];
        let outcome = match self.unit(&first.notice, message, time, true).await {
            Ended::With(outcome) => outcome,
            // It is alone, so there is nothing that could make it wait.
            Ended::Suspect => Outcome::Return { after: self.ports.queue.backoff(message.receives) },
        };
        batch.end(first.message, outcome).await;
    }

    /// Orders anew what one notice asks for.
    async fn put_off(&self, unit: &Unit, batch: &mut Batch<'_>) {
        let message = &batch.messages[unit.message];
        let outcome = match unit.notice.object() {
            Some(object) => self.not_begun(&unit.notice, object, message).await,
            None => Outcome::Acknowledge,
        };
        batch.end(unit.message, outcome).await;
    }

    /// Reads every message, settles what needs no object, and gathers the rest by object.
    async fn sort(
        &self,
        messages: &[Message],
        outcomes: &mut [Outcome],
    ) -> Vec<(Option<ObjectId>, Vec<Unit>)> {
        let mut groups: Vec<(Option<ObjectId>, Vec<Unit>)> = Vec::new();
        let mut places: HashMap<ObjectId, usize> = HashMap::new();
        for (at, message) in messages.iter().enumerate() {
            let notices = match notice::read(&message.body) {
                Ok(notices) => notices,
                Err(malformed) => {
                    outcomes[at] = self.bury_malformed(message, &malformed).await;
                    continue;
                }
            };
            for notice in notices {
                let object = match &notice {
                    Notice::Object(object) => object.event.object.clone(),
                    Notice::Look(order) => order.object.clone(),
                    Notice::Ignored(ignored) => {
                        self.see(&Happening::Ignored { message: &message.id, ignored });
                        continue;
                    }
                    Notice::Malformed(malformed) => {
                        let outcome = self.bury_malformed(message, malformed).await;
                        outcomes[at] = later(outcomes[at], outcome);
                        continue;
                    }
                };
                let unit = Unit { message: at, notice };
                match places.entry(object) {
                    Slot::Occupied(place) => groups[*place.get()].1.push(unit),
                    Slot::Vacant(place) => {
                        let object = place.key().clone();
                        place.insert(groups.len());
                        groups.push((Some(object), vec![unit]));
                    }
                }
            }
        }
        groups
    }

    /// The notices of one object, one after the other.
    async fn group(
        self: Arc<Self>,
        units: Vec<Unit>,
        messages: &[Message],
        time: Time,
    ) -> Vec<(usize, Result<Outcome, Unit>)> {
        let Ok(_slot) = self.slots.acquire().await else { return Vec::new() };
        let mut ended = Vec::with_capacity(units.len());
        for unit in units {
            let member = unit.message;
            let outcome = match self.unit(&unit.notice, &messages[member], time, false).await {
                Ended::With(outcome) => Ok(outcome),
                Ended::Suspect => Err(unit),
            };
            ended.push((member, outcome));
        }
        ended
    }

    /// One notice: every source that it concerns.
    async fn unit(&self, notice: &Notice, message: &Message, time: Time, alone: bool) -> Ended {
        let catalog = match self.ports.catalog.current().await {
            Ok(catalog) => catalog,
            Err(error) => {
                let failure = Failure::from(&error);
                return Ended::With(self.fail(message, &message.body, &failure, None).await);
            }
        };
        let Some(object) = notice.object() else { return Ended::With(Outcome::Acknowledge) };
        let only = match notice {
            Notice::Look(order) => order.source.as_deref(),
            _ => None,
        };
        let mut outcome = Outcome::Acknowledge;
        let mut taken = false;
        for target in catalog.matching(&object.bucket, &object.key) {
            if only.is_some_and(|only| only != target.source.key) {
                continue;
            }
            taken = true;
            if time.pause.is_some_and(|pause| pause <= Instant::now()) {
                return Ended::With(self.not_begun(notice, object, message).await);
            }
            let work = object::Job { target: &target, notice, message, time, alone };
            match self.object(work).await {
                Ended::With(ended) => outcome = later(outcome, ended),
                Ended::Suspect => return Ended::Suspect,
            }
        }
        if !taken {
            self.see(&Happening::Unmatched { object });
        }
        Ended::With(outcome)
    }

    /// There was no time even to begin: that is no attempt, and must not count towards the dead
    /// letters as each receive of this message does. So the notice is ordered anew.
    async fn not_begun(&self, notice: &Notice, object: &ObjectId, message: &Message) -> Outcome {
        let order = object::again(notice, object);
        match self.ports.queue.order(&[order], Duration::ZERO).await {
            Ok(()) => Outcome::Acknowledge,
            Err(error) => self.fail(message, &message.body, &Failure::from(&error), None).await,
        }
    }

    async fn bury_malformed(&self, message: &Message, malformed: &Malformed) -> Outcome {
        self.fail(message, &malformed.raw, &Failure::from(malformed), None).await
    }

    /// A failure that no entry of the ledger can tell: the message comes back, or at last is buried
    /// with the cause. `body` is what of it failed.
    async fn fail(
        &self,
        message: &Message,
        body: &str,
        failure: &Failure,
        object: Option<(&ObjectId, &str)>,
    ) -> Outcome {
        let buried = match failure.disposition {
            Disposition::DeadLetter | Disposition::Park => true,
            Disposition::Retry | Disposition::WaitUntil(_) => message.receives >= MAX_RECEIVES,
        };
        if !buried {
            self.see(&Happening::Returned { message: &message.id, failure });
            return Outcome::Return { after: self.ports.queue.backoff(message.receives) };
        }
        let mut letter = DeadLetter::new(failure.clone(), self.ports.clock.now(), body);
        letter.message_id = Some(message.id.clone());
        letter.attempts = message.receives;
        letter.object = object.map(|(object, _)| object.clone());
        letter.source = object.map(|(_, source)| source.to_owned());
        match self.ports.queue.bury(&letter).await {
            Ok(()) => {
                self.see(&Happening::Buried { message: &message.id, failure });
                Outcome::Acknowledge
            }
            // The queue's own redrive takes it in the end.
            Err(error) => {
                self.see(&Happening::Returned { message: &message.id, failure: &(&error).into() });
                Outcome::Return { after: self.ports.queue.backoff(message.receives) }
            }
        }
    }

    fn see(&self, happening: &Happening<'_>) {
        self.ports.observer.see(happening);
    }
}

/// A message comes back if any part of it must, as soon as the most urgent part asks.
fn later(a: Outcome, b: Outcome) -> Outcome {
    match (a, b) {
        (Outcome::Acknowledge, other) | (other, Outcome::Acknowledge) => other,
        (Outcome::Return { after: a }, Outcome::Return { after: b }) => {
            Outcome::Return { after: a.min(b) }
        }
    }
}

fn panicked(object: Option<&ObjectId>, panic: &tokio::task::JoinError) -> Failure {
    let object = object.map_or_else(|| "a message".to_owned(), ToString::to_string);
    Failure::new(
        "internal_error",
        format!("the work on {object} ended in a panic: {panic}"),
        "This is a fault in Inlet: please report it, with the file if you can share it",
        Disposition::Retry,
    )
}

#[cfg(test)]
#[cfg(feature = "local")]
mod tests;
