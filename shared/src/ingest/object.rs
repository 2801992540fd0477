//! One object for one source: from the notice to an entry that says how it ended.

use std::time::Duration;

use super::lease::Lost;
use super::{Ended, Ingest, MAX_RECEIVES, Outcome, Time};
use crate::catalog::Match;
use crate::failure::{Disposition, Failure};
use crate::format::Shape;
use crate::ledger::state::{self, Claim, Claimant, Evidence, Plan, Rules, Settled, Sight, Why};
use crate::ledger::{Entry, EntryKey, PutError, State, Stored, Version};
use crate::notice::{Change, Notice, Order, OrderReason};
use crate::object::{ObjectError, ObjectErrorKind, ObjectId, Opened, Pin, Sequencer};
use crate::observe::Happening;
use crate::queue::Message;

/// Decisions about one object before it is left to a later message: each one more than the first
/// means that another worker wrote in between.
const TURNS: u32 = 20;
/// A message waits at most this long for another worker's lease before it looks again.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// Waits after which a message is given up: days.
const MAX_WAITS: u32 = 10_000;

/// What is to be done.
pub(super) struct Job<'a> {
    pub(super) target: &'a Match<'a>,
    pub(super) notice: &'a Notice,
    pub(super) message: &'a Message,
    pub(super) time: Time,
    /// Nothing else is done in this process meanwhile.
    pub(super) alone: bool,
}

/// What is to be ingested.
pub(super) struct Found {
    pub(super) opened: Opened,
    /// How the file of the series before was written.
    pub(super) before: Option<Shape>,
}

/// How one turn ended.
pub(super) enum Turn {
    /// Decide again, from this evidence.
    Again(Evidence),
    /// The job has ended.
    End(Outcome),
    /// The job must be done alone.
    Suspect,
}

impl Ingest {
    pub(super) async fn object(&self, job: Job<'_>) -> Ended {
        let Some(object) = job.notice.object() else { return Ended::With(Outcome::Acknowledge) };
        let key = EntryKey::new(&job.target.source.key, object.clone());
        let rules = Rules::of(job.target.source);
        let mut evidence = evidence(job.notice);
        for _ in 0..TURNS {
            match self.turn(&job, &key, &rules, evidence).await {
                Turn::End(outcome) => return Ended::With(outcome),
                Turn::Suspect => return Ended::Suspect,
                Turn::Again(next) => evidence = next,
            }
        }
        let failure = Failure::new(
            "contended",
            format!("{key} was written by others {TURNS} times in a row"),
            "It is tried again by itself",
            Disposition::Retry,
        );
        let of = Some((object, key.source.as_str()));
        Ended::With(self.fail(job.message, &job.message.body, &failure, of).await)
    }

    async fn turn(&self, job: &Job<'_>, key: &EntryKey, rules: &Rules, evidence: Evidence) -> Turn {
        let ledger = &self.ports.ledger;
        let stored = match ledger.get(key).await {
            Ok(stored) => stored,
            Err(error) => return Turn::End(self.unclaimed(job, key, &Failure::from(&error)).await),
        };
        let entry = stored.as_ref().map(|s| &s.entry);
        let version = stored.as_ref().map_or(Version::NONE, |s| s.version);
        let now = self.ports.clock.now();
        let by = Claimant { owner: &self.owner, now };

        // How the file before was written.
        let mut before = None;
        let (claim, opened) = match state::plan(entry, &evidence, now) {
            Plan::Settle(settled) => (Claim::Settle(settled), None),
            Plan::Wait(until) => return Turn::End(self.wait(job, key, until).await),
            Plan::Remove => {
                let sequencer = match &evidence {
                    Evidence::Removed { sequencer } => sequencer.as_ref(),
                    _ => None,
                };
                (state::claim_removal(key, entry, sequencer, rules, &by), None)
            }
            Plan::Open(pin) => {
                let series = job.target.source.series(&key.object.key);
                let shape = self.ports.shapes.last(&key.source, &series);
                let (opened, shape) = tokio::join!(self.open(job, key, &pin), shape);
                before = match shape {
                    Ok(shape) => shape,
                    Err(e) => return Turn::End(self.unclaimed(job, key, &Failure::from(&e)).await),
                };
                match opened {
                    Ok(opened) => {
                        let sight = Sight::Present(opened.version.clone());
                        (state::claim(key, entry, &evidence, &sight, rules, &by), Some(opened))
                    }
                    Err(error) => match (&error.kind, &pin) {
                        (ObjectErrorKind::Gone, Pin::Current | Pin::Match(_)) => {
                            (state::claim(key, entry, &evidence, &Sight::Absent, rules, &by), None)
                        }
                        // What the event tells of is no more: look at what is there instead.
                        (ObjectErrorKind::Gone, Pin::Version(_))
                        | (ObjectErrorKind::Changed, _) => {
                            return Turn::Again(look_after(&evidence));
                        }
                        _ => {
                            let failure = Failure::from(&error);
                            return self
                                .unopened(job, key, rules, stored.as_ref(), evidence, &failure)
                                .await;
                        }
                    },
                }
            }
        };
        match claim {
            Claim::Settle(Settled { why, next }) => {
                if let Some(next) = next {
                    if let Some(failure) = ended(why, &next)
                        && let Err(failure) = self.tell_failed(job, key, &next, &failure).await
                    {
                        return Turn::End(self.unclaimed(job, key, &failure).await);
                    }
                    match ledger.put_if(key, version, &next).await {
                        Ok(_) => {}
                        Err(PutError::Conflict) => return Turn::Again(evidence),
                        Err(PutError::Ledger(error)) => {
                            return Turn::End(
                                self.unclaimed(job, key, &Failure::from(&error)).await,
                            );
                        }
                    }
                }
                let (source, object) = (&key.source, &key.object);
                self.see(&Happening::Settled { source, object, why });
                Turn::End(Outcome::Acknowledge)
            }
            Claim::Take(next) if !job.alone && state::is_suspect(entry, &next) => Turn::Suspect,
            Claim::Take(mut next) => {
                state::expect(entry, &mut next, before.as_ref().map(Shape::expected));
                match ledger.put_if(key, version, &next).await {
                    Ok(version) => {
                        let stored = Stored { entry: *next, version };
                        let found = opened.map(|opened| Found { opened, before });
                        self.work(job, key, rules, stored, found, &evidence).await
                    }
                    Err(PutError::Conflict) => Turn::Again(evidence),
                    Err(PutError::Ledger(error)) => {
                        Turn::End(self.unclaimed(job, key, &Failure::from(&error)).await)
                    }
                }
            }
        }
    }

    /// Opens the object, if the store answers before the deadline.
    async fn open(&self, job: &Job<'_>, key: &EntryKey, pin: &Pin) -> Result<Opened, ObjectError> {
        tokio::select! {
            biased;
            opened = self.ports.objects.open(job.target.connection, &key.object, pin) => opened,
            () = job.time.end() => {
                let cause = "the store did not answer before the deadline".to_owned();
                Err(ObjectError::new(&key.object, ObjectErrorKind::Unavailable(cause)))
            }
        }
    }

    /// The object could not be opened.
    async fn unopened(
        &self,
        job: &Job<'_>,
        key: &EntryKey,
        rules: &Rules,
        stored: Option<&Stored>,
        evidence: Evidence,
        failure: &Failure,
    ) -> Turn {
        let last = job.message.receives >= MAX_RECEIVES;
        let by = Claimant { owner: &self.owner, now: self.ports.clock.now() };
        let entry = stored.map(|s| &s.entry);
        let (source, object) = (&key.source, &key.object);
        let Some(next) = state::fail_unopened(entry, &evidence, rules, failure, last, &by) else {
            // The entry has nothing to learn from it; the message alone ends or comes back.
            return Turn::End(self.unclaimed(job, key, failure).await);
        };
        let again = matches!(next.state, State::Waiting { .. });
        if matches!(next.state, State::Failed { .. })
            && let Err(failure) = self.tell_failed(job, key, &next, failure).await
        {
            return Turn::End(self.unclaimed(job, key, &failure).await);
        }
        let version = stored.map_or(Version::NONE, |s| s.version);
        match self.ports.ledger.put_if(key, version, &next).await {
            Ok(_) => {}
            Err(PutError::Conflict) => return Turn::Again(evidence),
            Err(PutError::Ledger(error)) => {
                return Turn::End(self.unclaimed(job, key, &Failure::from(&error)).await);
            }
        }
        self.see(&Happening::Failed { source, object, failure, again });
        Turn::End(if again {
            Outcome::Return { after: self.ports.queue.backoff(job.message.receives) }
        } else {
            Outcome::Acknowledge
        })
    }

    /// Another worker holds the entry: the notice is ordered anew for when the lease may have ended.
    /// A new message, and not this one hidden for longer, because each receive of this one counts
    /// towards the dead letters, and nothing is wrong with it.
    async fn wait(&self, job: &Job<'_>, key: &EntryKey, until: jiff::Timestamp) -> Outcome {
        let mut order = again(job.notice, &key.object);
        order.source = Some(key.source.clone());
        order.waits += 1;
        if order.waits > MAX_WAITS {
            let failure = Failure::new(
                "waited_too_long",
                format!("{key} was held by other workers for {MAX_WAITS} waits"),
                "Look at what holds it (`inlet explain`), then `inlet replay`",
                Disposition::DeadLetter,
            );
            return self.fail(job.message, &order.to_body(), &failure, None).await;
        }
        let left = until.duration_since(self.ports.clock.now());
        let left = Duration::try_from(left).unwrap_or(Duration::ZERO);
        // Most work ends long before its lease: look soon, then less and less often.
        let soon = Duration::from_secs(1 << order.waits.min(5));
        let delay = soon.min(left).clamp(Duration::from_secs(1), MAX_WAIT);
        match self.ports.queue.order(std::slice::from_ref(&order), delay).await {
            Ok(()) => {
                self.see(&Happening::Waiting { source: &key.source, object: &key.object });
                Outcome::Acknowledge
            }
            Err(error) => self.unclaimed(job, key, &Failure::from(&error)).await,
        }
    }

    /// The entry was lost, or could not be written: the work may have been done, and is done again
    /// with the same ids when the message comes back. If another worker has it nothing is wrong with
    /// the message: it waits for how that one ends.
    pub(super) async fn lost(&self, job: &Job<'_>, key: &EntryKey, lost: &Lost) -> Outcome {
        match lost {
            Lost::Ledger(error) => self.unclaimed(job, key, &Failure::from(error)).await,
            Lost::Taken => self.wait(job, key, self.ports.clock.now() + Rules::LEASE).await,
        }
    }

    pub(super) async fn unclaimed(
        &self,
        job: &Job<'_>,
        key: &EntryKey,
        failure: &Failure,
    ) -> Outcome {
        self.fail(job.message, &job.message.body, failure, Some((&key.object, &key.source))).await
    }
}

/// The notice as an order, to be received anew.
pub(super) fn again(notice: &Notice, object: &ObjectId) -> Order {
    match notice {
        Notice::Look(order) => order.clone(),
        other => {
            let mut order = Order::new(object.clone(), OrderReason::Again);
            if let Notice::Object(notice) = other {
                order.notice = Some(notice.clone());
            }
            order
        }
    }
}

/// A settled entry that gives the object up for good says so to people too.
fn ended(why: Why, next: &Entry) -> Option<Failure> {
    match (why, &next.state) {
        (Why::Exhausted, State::Failed { failure }) => Some(failure.clone()),
        _ => None,
    }
}

/// What the notice says to the ledger.
fn evidence(notice: &Notice) -> Evidence {
    match notice {
        Notice::Object(notice) => of_event(notice),
        Notice::Look(order) => match &order.notice {
            Some(notice) => of_event(notice),
            None => Evidence::Look { unpark: order.unpark, force: order.force, sequencer: None },
        },
        Notice::Ignored(_) | Notice::Malformed(_) => {
            Evidence::Look { unpark: false, force: false, sequencer: None }
        }
    }
}

fn of_event(notice: &crate::notice::ObjectNotice) -> Evidence {
    let event = &notice.event;
    // The id `null` names a place that is overwritten, not a version: the tag pins it.
    let version_id = event.version_id.clone().filter(|id| id != "null");
    let sequencer = event.sequencer.clone();
    match notice.change {
        Change::Created => Evidence::Created { etag: event.etag.clone(), version_id, sequencer },
        // One version among others was destroyed: what is left, if anything, tells the bucket.
        // (`null` is a version among others, too, where versioning is suspended.)
        Change::Removed { marker: false } if event.version_id.is_some() => {
            Evidence::Look { unpark: false, force: false, sequencer }
        }
        Change::Removed { .. } => Evidence::Removed { sequencer },
        Change::Restored => Evidence::Look { unpark: true, force: false, sequencer: None },
    }
}

/// The event's own version is no more; what is there now is as new or newer.
pub(super) fn look_after(evidence: &Evidence) -> Evidence {
    let sequencer: Option<Sequencer> = match evidence {
        Evidence::Created { sequencer, .. } | Evidence::Removed { sequencer } => sequencer.clone(),
        Evidence::Look { sequencer, .. } => sequencer.clone(),
    };
    match evidence {
        Evidence::Look { unpark, force, .. } => {
            Evidence::Look { unpark: *unpark, force: *force, sequencer }
        }
        _ => Evidence::Look { unpark: false, force: false, sequencer },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice;

    #[test]
    fn the_destruction_of_the_null_version_is_no_removal_of_the_key() {
        // Of a bucket whose versioning is, or was, suspended: another version may be there still.
        let body = |version: &str| {
            format!(
                r#"{{"Records":[{{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"ObjectRemoved:Delete",
                "s3":{{"bucket":{{"name":"drop"}},"object":{{"key":"a.csv",{version}"sequencer":"0A"}}}}}}]}}"#
            )
        };
        let read = |text: &str| notice::read(text).unwrap().remove(0);
        assert!(matches!(
            evidence(&read(&body(r#""versionId":"null","#))),
            Evidence::Look { sequencer: Some(_), .. }
        ));
        assert!(matches!(evidence(&read(&body(""))), Evidence::Removed { .. }));
    }
}
