//! The work on an entry that was claimed: under its lease, to the write that says how it ended.

use std::sync::Arc;
use std::time::Duration;

use super::lease::{Lease, Lost};
use super::object::{Found, Job, Turn, look_after};
use super::stream::{self, Progress, Way, Whole};
use super::{Ingest, MAX_RECEIVES, Outcome};
use crate::catalog::{OnRemove, Source};
use crate::delivery::{Event, Subject};
use crate::failure::{Disposition, Failure};
use crate::format::Shape;
use crate::ledger::state::{self, Evidence, Rules};
use crate::ledger::{Checkpoint, Completion, Entry, EntryKey, State, Stored, Work};
use crate::notice::{Order, OrderReason};
use crate::observe::Happening;

/// How long a destination may take to be told that an object failed: within what the function keeps
/// back before its deadline.
const TELLING: Duration = Duration::from_secs(3);

/// How work ended well.
enum Done {
    Whole {
        done: Completion,
        /// How the file was written, if that is news.
        shape: Option<Shape>,
    },
    Paused(Checkpoint),
    Removed,
}

impl Ingest {
    /// The entry is ours: do the work under the lease, and write how it ended.
    pub(super) async fn work(
        &self,
        job: &Job<'_>,
        key: &EntryKey,
        rules: &Rules,
        stored: Stored,
        found: Option<Found>,
        evidence: &Evidence,
    ) -> Turn {
        let entry = stored.entry.clone();
        let lease = Lease::new(
            Arc::clone(&self.ports.ledger),
            Arc::clone(&self.ports.clock),
            key.clone(),
            rules.clone(),
            &self.owner,
            stored,
        );
        let work = async {
            match found {
                Some(found) => self.ingest(job, key, &entry, found).await,
                None => self.deliver_removal(job, key, &entry).await.map(|()| Done::Removed),
            }
        };
        // In this order: work that has ended counts, whatever else has.
        let ended = tokio::select! {
            biased;
            ended = work => ended,
            // Whoever has the entry now says how it ends: nobody is told anything from here.
            () = lease.keep() => return Turn::End(self.lost(job, key, &Lost::Taken).await),
            () = job.time.end() => Err(Failure::new(
                "deadline",
                format!("the work on {key} did not end before the function's deadline"),
                "Give the function more memory (and with it more of a processor), or split the file",
                Disposition::Retry,
            )),
        };
        let (source, object) = (&key.source, &key.object);
        match ended {
            Ok(Done::Paused(checkpoint)) => {
                let (row, pauses) = (checkpoint.at.row, checkpoint.pauses);
                let written = lease
                    .write(|e, now| {
                        state::pause(e, &lease.owner, lease.epoch, checkpoint.clone(), now)
                    })
                    .await;
                if let Err(lost) = written {
                    return Turn::End(self.lost(job, key, &lost).await);
                }
                self.see(&Happening::Paused { source, object, row, pauses });
                Turn::End(self.go_on(job, key).await)
            }
            Ok(Done::Whole { done, shape }) => {
                let written = lease
                    .write(|e, _| {
                        state::complete(e, &lease.owner, lease.epoch, rules, done.clone())
                    })
                    .await;
                if let Err(lost) = written {
                    return Turn::End(self.lost(job, key, &lost).await);
                }
                self.see(&Happening::Completed {
                    source,
                    table: &job.target.table,
                    object,
                    counters: &done.counters,
                    rejects: &done.rejects,
                    drift: &done.drift,
                    notes: &done.notes,
                });
                if let Some(shape) = shape {
                    self.keep(key, job.target.source, &shape).await;
                }
                Turn::End(Outcome::Acknowledge)
            }
            Ok(Done::Removed) => {
                let written =
                    lease.write(|e, now| state::remove(e, &lease.owner, lease.epoch, now)).await;
                if let Err(lost) = written {
                    return Turn::End(self.lost(job, key, &lost).await);
                }
                self.see(&Happening::Removed { source, object });
                Turn::End(Outcome::Acknowledge)
            }
            Err(failure) => {
                let overwritten = failure.code == "changed" || failure.code == "gone";
                let last = job.message.receives >= MAX_RECEIVES && !overwritten;
                let Some(next) = state::fail(
                    &entry,
                    &lease.owner,
                    lease.epoch,
                    rules,
                    &failure,
                    last,
                    self.ports.clock.now(),
                ) else {
                    return Turn::End(self.lost(job, key, &Lost::Taken).await);
                };
                let again = matches!(next.state, State::Waiting { .. });
                if let State::Failed { failure } = &next.state
                    && let Err(failure) = self.tell_failed(job, key, &next, failure).await
                {
                    return Turn::End(self.unclaimed(job, key, &failure).await);
                }
                self.see(&Happening::Failed { source, object, failure: &failure, again });
                let written = lease
                    .write(|e, now| {
                        state::fail(e, &lease.owner, lease.epoch, rules, &failure, last, now)
                    })
                    .await;
                if let Err(lost) = written {
                    return Turn::End(self.lost(job, key, &lost).await);
                }
                match (again, overwritten) {
                    (true, true) => Turn::Again(look_after(evidence)),
                    (true, false) => Turn::End(Outcome::Return {
                        after: self.ports.queue.backoff(job.message.receives),
                    }),
                    (false, _) => Turn::End(Outcome::Acknowledge),
                }
            }
        }
    }

    /// Reads the object and delivers all of it.
    async fn ingest(
        &self,
        job: &Job<'_>,
        key: &EntryKey,
        entry: &Entry,
        found: Found,
    ) -> Result<Done, Failure> {
        let Found { opened, before } = found;
        let subject = subject(job, key, entry);
        let etag = opened.version.etag.clone();
        self.see(&Happening::Started {
            source: &subject.source,
            object: &subject.object,
            size: opened.version.size,
        });
        let (source, pause) = (job.target.source, job.time.pause);
        let way = Way {
            ports: &self.ports,
            source,
            connection: job.target.connection,
            subject: &subject,
            entry,
            batches: self.batches,
            pause,
        };
        let whole = match way.run(opened).await? {
            Progress::Whole(whole) => whole,
            Progress::Paused(checkpoint) => return Ok(Done::Paused(checkpoint)),
        };
        let Whole { counters, rejects, notes, shape } = whole;
        let drift = match (&before, &shape) {
            (Some(before), Some(shape)) => shape.drift(before),
            _ => Vec::new(),
        };
        let shape = shape.map(|shape| shape.after(before.as_ref()));
        let shape = shape.filter(|shape| before.as_ref() != Some(shape));
        let fingerprint = entry.fingerprint.clone();
        let at = self.ports.clock.now();
        let done = Completion { etag, fingerprint, at, counters, rejects, drift, notes };
        let completed = subject.completed(&done, at).map_err(unencodable)?;
        stream::send_to_all(&self.ports, source, &completed).await?;
        let done = Completion { at: self.ports.clock.now(), ..done };
        Ok(Done::Whole { done, shape })
    }

    /// Keeps how the file was written for the one that comes next. The file is done whether this comes
    /// about or not: the next one is then compared with an older one.
    async fn keep(&self, key: &EntryKey, source: &Source, shape: &Shape) {
        let series = source.series(&key.object.key);
        if let Err(error) = self.ports.shapes.keep(&key.source, &series, shape).await {
            tracing::warn!(entry = %key, cause = %error, "how the file was written is not kept");
        }
    }

    /// Orders what is left of the work. A new message, because each receive of this one counts towards
    /// the dead letters. If it cannot be ordered this one comes back, and finds the same.
    async fn go_on(&self, job: &Job<'_>, key: &EntryKey) -> Outcome {
        let mut order = Order::new(key.object.clone(), OrderReason::Again);
        order.source = Some(key.source.clone());
        match self.ports.queue.order(&[order], Duration::ZERO).await {
            Ok(()) => Outcome::Acknowledge,
            Err(error) => self.unclaimed(job, key, &Failure::from(&error)).await,
        }
    }

    async fn deliver_removal(
        &self,
        job: &Job<'_>,
        key: &EntryKey,
        entry: &Entry,
    ) -> Result<(), Failure> {
        if job.target.source.on_remove == OnRemove::Keep {
            return Ok(());
        }
        let removed =
            subject(job, key, entry).removed(self.ports.clock.now()).map_err(unencodable)?;
        stream::send_to_all(&self.ports, job.target.source, &removed).await
    }

    /// Tells downstream and the dead letters that the object was given up. Only then the ledger may
    /// say so: a crash in between repeats the telling and forgets nothing.
    pub(super) async fn tell_failed(
        &self,
        job: &Job<'_>,
        key: &EntryKey,
        entry: &Entry,
        failure: &Failure,
    ) -> Result<(), Failure> {
        let now = self.ports.clock.now();
        let event: Event =
            subject(job, key, entry).failed(failure, entry.epoch, now).map_err(unencodable)?;
        // A destination that is itself the cause cannot be told, and may not even say so.
        let telling = stream::send_to_all(&self.ports, job.target.source, &event);
        match tokio::time::timeout(TELLING, telling).await {
            Ok(Ok(())) => {}
            Ok(Err(untold)) => {
                tracing::warn!(entry = %key, cause = %untold, "downstream was not told of the failure");
            }
            Err(_) => tracing::warn!(entry = %key, "downstream took no notice of the failure"),
        }
        let mut order = Order::new(key.object.clone(), OrderReason::Replay);
        order.source = Some(key.source.clone());
        order.force = true;
        let mut letter = crate::notice::DeadLetter::new(failure.clone(), now, &order.to_body());
        letter.object = Some(key.object.clone());
        letter.source = Some(key.source.clone());
        letter.attempts = entry.attempts.max(1);
        letter.message_id = Some(job.message.id.clone());
        self.ports.queue.bury(&letter).await.map_err(|error| Failure::from(&error))?;
        self.see(&Happening::Buried { message: &job.message.id, failure });
        Ok(())
    }
}

fn unencodable(error: serde_json::Error) -> Failure {
    Failure::new(
        "internal_error",
        format!("an event could not be encoded: {error}"),
        "This is a fault in Inlet: please report it",
        Disposition::DeadLetter,
    )
}

fn subject(job: &Job<'_>, key: &EntryKey, entry: &Entry) -> Subject {
    let removal = matches!(entry.state, State::Running { work: Work::Remove, .. });
    Subject {
        source: key.source.clone(),
        connection: job.target.connection.key.clone(),
        table: job.target.table.clone(),
        mode: job.target.source.mode,
        object: key.object.clone(),
        version: entry.version.clone(),
        sequencer: entry.sequencer.clone().filter(|_| entry.sequencer_exact || removal),
        reference: entry.ids(key),
        generation: entry.generation,
    }
}
