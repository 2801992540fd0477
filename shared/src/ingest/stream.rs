//! The bytes of one object, through rows and records, to acknowledged batches.
//!
//! ```text
//! body ─► (task) ─► chunks ─► (thread) rows, records ─► batches ─► sends, several at a time
//! ```
//!
//! Every arrow is a bounded channel: a slow destination slows the reading down, and memory does not
//! grow with the object. A small object needs neither channels nor a thread: it is read whole and
//! converted in place, see [`small`](super::small).
//!
//! When the time is up the work is put down at the end of a batch: what came out before is delivered
//! to its end, what comes after is thrown away, and another invocation goes on from there.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures::stream::{self, FuturesUnordered};
use futures::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Ports, small};
use crate::catalog::{Connection, Source};
use crate::delivery::{Delivery, Event, Subject};
use crate::failure::{Disposition, Failure};
use crate::format::{self, Detected, Expected, Hints, Limits, Shape};
use crate::ledger::{Checkpoint, Entry};
use crate::object::{Body, ObjectError, Opened, Pin};
use crate::observe::Happening;
use crate::record::{
    BatchLimits, ConvertError, Counters, Mappings, Mark, Output, Plan, RejectContext, Stopped,
    check, convert,
};
use crate::rejects;

/// Chunks of the body that are read ahead of the parser.
const READ_AHEAD: usize = 8;
/// Batches that may wait for a send.
const OUTPUT_AHEAD: usize = 2;
/// Notes about one file that are kept.
const MAX_NOTES: usize = 20;
/// Sends of one event before the work on its object is given up for this time.
const SENDS: u32 = 5;

/// How the rows of one object become batches.
pub(super) struct Conversion {
    pub(super) source: Source,
    pub(super) reference: String,
    pub(super) table: String,
    /// The object's key.
    pub(super) name: String,
    pub(super) object_json: String,
    pub(super) batches: BatchLimits,
    /// Where the work goes on, if it was begun before.
    pub(super) from: Option<Checkpoint>,
    /// Nothing is to come out but rejects.
    pub(super) only_checks: bool,
    /// What a file of the table is expected to be like.
    pub(super) expected: Option<Expected>,
    /// What is found out about the file.
    pub(super) reading: Arc<Reading>,
}

/// What was found out about a file while it was read.
#[derive(Default)]
pub(super) struct Reading {
    /// What it is, for who goes on in its middle and for the file that comes next.
    detected: OnceLock<Detected>,
    /// What people should know, complete at its end.
    notes: OnceLock<Vec<String>>,
}

/// How the work on an object came out.
#[derive(Debug)]
pub(super) enum Progress {
    /// All of it is delivered.
    Whole(Whole),
    /// The time was up: all before this place is delivered.
    Paused(Checkpoint),
}

/// An object that was delivered to its end.
#[derive(Debug)]
pub(super) struct Whole {
    /// What was in it.
    pub(super) counters: Counters,
    /// Where its rejects lie.
    pub(super) rejects: Vec<String>,
    /// How it was written.
    pub(super) shape: Option<Shape>,
    /// What people should know about how it was read.
    pub(super) notes: Vec<String>,
}

/// What came out of a conversion, and how the delivery of it ended.
struct Ended {
    converted: Result<Counters, Failure>,
    delivered: Result<Delivered, Failure>,
}

/// What was delivered and acknowledged.
struct Delivered {
    /// The rejects, not visible yet.
    rejects: Option<Box<dyn rejects::RejectWriter>>,
    /// The place at which it was put down; `None`: nothing is left.
    paused: Option<Mark>,
}

/// The way of one object, from its bytes to acknowledged batches.
pub(super) struct Way<'a> {
    pub(super) ports: &'a Ports,
    pub(super) source: &'a Source,
    pub(super) connection: &'a Connection,
    pub(super) subject: &'a Subject,
    /// As it was claimed: with the checkpoint, and the epoch that names the rejects.
    pub(super) entry: &'a Entry,
    pub(super) batches: BatchLimits,
    pub(super) pause: Option<Instant>,
}

impl Way<'_> {
    /// Reads `opened` from the place where the entry says that the work stands, and delivers its
    /// records, until the end of the file or until the time is up. On an error some batches may have
    /// been delivered: a repeat gives them the same ids.
    pub(super) async fn run(&self, mut opened: Opened) -> Result<Progress, Failure> {
        let from = self.entry.checkpoint.as_ref();
        if self.source.rejects.strict && from.is_none() {
            // Nothing of the file is published before all of it was looked at.
            let pin = match &opened.version.version_id {
                Some(id) => Pin::Version(id.clone()),
                None => Pin::Match(opened.version.etag.clone()),
            };
            let checked = self.convert(self.conversion(true)?, opened).await?;
            if checked.converted.is_err() || checked.delivered.is_err() {
                return self.end(checked, &Reading::default()).await;
            }
            let object = &self.subject.object;
            let again = self.ports.objects.open(self.connection, object, &pin).await;
            opened = again.map_err(|error| Failure::from(&error))?;
        }
        let conversion = self.conversion(false)?;
        let reading = Arc::clone(&conversion.reading);
        if let Some(offset) = conversion.offset() {
            opened.body.seek(offset).await.map_err(|error| Failure::from(&error))?;
        }
        let ended = self.convert(conversion, opened).await?;
        self.end(ended, &reading).await
    }

    fn conversion(&self, only_checks: bool) -> Result<Conversion, Failure> {
        Ok(Conversion {
            source: self.source.clone(),
            reference: self.subject.reference.clone(),
            table: self.subject.table.clone(),
            name: self.subject.object.key.clone(),
            object_json: object_json(self.subject)?,
            batches: self.batches,
            from: self.entry.checkpoint.clone(),
            only_checks,
            expected: self.entry.expected.clone(),
            reading: Arc::default(),
        })
    }

    /// Converts all of it, and delivers what comes out.
    async fn convert(&self, conversion: Conversion, opened: Opened) -> Result<Ended, Failure> {
        let deliveries = deliveries(self.ports, self.source)?;
        match small::read(opened).await? {
            small::Read::Whole(whole) => match small::convert(&conversion, &whole) {
                Some((converted, outputs)) => {
                    let (source, object) = (&self.subject.source, &self.subject.object);
                    let bytes = whole.len();
                    self.ports.observer.see(&Happening::Progress { source, object, bytes });
                    let delivered = self.deliver(&deliveries, &mut stream::iter(outputs)).await;
                    Ok(Ended { converted, delivered })
                }
                None => self.streamed(&deliveries, conversion, whole.into_body()).await,
            },
            small::Read::Large(body) => self.streamed(&deliveries, conversion, body).await,
        }
    }

    /// What the work came to, with its rejects written.
    async fn end(&self, ended: Ended, reading: &Reading) -> Result<Progress, Failure> {
        let delivered = ended.delivered?;
        let before = self.entry.checkpoint.as_ref();
        let mut rejects = before.map(|before| before.rejects.clone()).unwrap_or_default();
        let paused = delivered.paused;
        let outcome = ended.converted.map_err(|failure| located(failure, self.subject));
        let failed = outcome.as_ref().is_err_and(|f| f.disposition == Disposition::DeadLetter);
        // The rejects of a file that failed for good say why: they are kept too.
        if let Some(writer) = delivered.rejects
            && (paused.is_some() || outcome.is_ok() || failed)
        {
            rejects.push(writer.finish().await.map_err(|e| Failure::from(&e))?);
        }
        if let Some(Mark { end: at, counters }) = paused {
            let pauses = before.map_or(0, |before| before.pauses) + 1;
            let detected = reading.detected.get().filter(|detected| detected.is_worth_keeping());
            let detected = detected.map(|d| Detected { evidence: Vec::new(), ..d.clone() });
            return Ok(Progress::Paused(Checkpoint { at, counters, rejects, detected, pauses }));
        }
        match outcome {
            Ok(counters) => {
                let shape = reading.detected.get().map(Shape::of);
                let notes = reading.notes.get().cloned().unwrap_or_else(Vec::new);
                Ok(Progress::Whole(Whole { counters, rejects, shape, notes }))
            }
            Err(mut failure) => {
                if !rejects.is_empty() {
                    let places = rejects.join(", ");
                    failure.remedy = format!("{}. The rejects so far: {places}", failure.remedy);
                }
                Err(failure)
            }
        }
    }

    /// Reads, converts and delivers at the same time.
    async fn streamed(
        &self,
        deliveries: &[Arc<dyn Delivery>],
        conversion: Conversion,
        body: Box<dyn Body>,
    ) -> Result<Ended, Failure> {
        let broken: Arc<Mutex<Option<ObjectError>>> = Arc::default();
        let (chunks, input) = mpsc::channel(READ_AHEAD);
        let (outputs, mut output) = mpsc::channel(OUTPUT_AHEAD);

        let reading = read_ahead(self.ports, self.subject, body, chunks, Arc::clone(&broken));
        let conversion = Arc::new(conversion);
        let converting = Arc::clone(&conversion);
        let converting = tokio::task::spawn_blocking(move || {
            let input = ChunkReader { input, chunk: Bytes::new() };
            converting.run(input, &mut |output| outputs.blocking_send(output).map_err(|_| Stopped))
        });

        let delivering = async {
            let mut next = stream::poll_fn(|context| output.poll_recv(context));
            let delivered = self.deliver(deliveries, &mut next).await;
            // Whatever is still to come is not taken: the thread and the reading end too.
            output.close();
            delivered
        };
        let ((), delivered) = tokio::join!(reading, delivering);
        // When the output has ended, the conversion has.
        let converted =
            converting.await.unwrap_or_else(|panic| Err(conversion.panicked(&panic.to_string())));
        // The first cause counts: what the store said, then what the destination said, then the rows.
        if let Some(error) = broken.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(Failure::from(&error));
        }
        Ok(Ended { converted, delivered })
    }

    /// Sends what comes out of the conversion, several at a time, until its end or the end of the time.
    async fn deliver(
        &self,
        deliveries: &[Arc<dyn Delivery>],
        output: &mut (impl Stream<Item = Output> + Unpin),
    ) -> Result<Delivered, Failure> {
        let (ports, subject) = (self.ports, self.subject);
        let mut writer: Option<Box<dyn rejects::RejectWriter>> = None;
        let mut paused = None;
        let mut sends = FuturesUnordered::new();
        let at_once = deliveries.iter().map(|d| d.concurrency()).min().unwrap_or(1).max(1);
        loop {
            // Sends go on while the next batch is waited for.
            let next = tokio::select! {
                biased;
                Some(sent) = sends.next(), if !sends.is_empty() => {
                    sent?;
                    continue;
                }
                next = output.next(), if sends.len() < at_once => next,
            };
            let Some(next) = next else { break };
            let mark = next.mark();
            match next {
                Output::Batch(batch) => {
                    let records = std::str::from_utf8(&batch.json).map_err(not_text)?;
                    let of_part = batch.part.as_deref().map(|part| {
                        subject.of_table(self.source.table_of_part(&subject.object.key, part))
                    });
                    let subject = of_part.as_ref().unwrap_or(subject);
                    let event = subject
                        .records(
                            batch.part.as_deref(),
                            batch.number,
                            batch.first_row,
                            records,
                            ports.clock.now(),
                        )
                        .map_err(|e| internal(&e))?;
                    sends.push(send(deliveries, event));
                }
                Output::Rejects(rejected) => {
                    if writer.is_none() {
                        let name =
                            rejects::name(&subject.source, &subject.reference, self.entry.epoch);
                        writer =
                            Some(ports.rejects.begin(&name).await.map_err(|e| Failure::from(&e))?);
                    }
                    if let Some(writer) = &mut writer {
                        writer.write(rejected.lines).await.map_err(|e| Failure::from(&e))?;
                    }
                }
                Output::Mark(_) => {}
            }
            if mark.is_some() && self.pause.is_some_and(|pause| pause <= Instant::now()) {
                paused = mark;
                break;
            }
        }
        while let Some(sent) = sends.next().await {
            sent?;
        }
        Ok(Delivered { rejects: writer, paused })
    }
}

/// Sends one event to every destination of the source.
pub(super) async fn send_to_all(
    ports: &Ports,
    source: &Source,
    event: &Event,
) -> Result<(), Failure> {
    send(&deliveries(ports, source)?, event.clone()).await
}

fn deliveries(ports: &Ports, source: &Source) -> Result<Vec<Arc<dyn Delivery>>, Failure> {
    source.deliver.iter().map(|destination| ports.deliveries.to(destination)).collect()
}

async fn send(deliveries: &[Arc<dyn Delivery>], event: Event) -> Result<(), Failure> {
    for delivery in deliveries {
        let mut sends = 1;
        while let Err(error) = delivery.send(&event).await {
            if !error.passing || sends == SENDS {
                return Err(Failure::from(&error));
            }
            // A passing fault must not cost what of a large file is already delivered.
            tokio::time::sleep(Duration::from_millis(100 << (2 * sends))).await;
            sends += 1;
        }
    }
    Ok(())
}

async fn read_ahead(
    ports: &Ports,
    subject: &Subject,
    mut body: Box<dyn Body>,
    chunks: mpsc::Sender<io::Result<Bytes>>,
    broken: Arc<Mutex<Option<ObjectError>>>,
) {
    loop {
        let chunk = match body.next().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return,
            Err(error) => {
                let text = error.to_string();
                *broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                // The reader must not take the end of the channel for the end of the file.
                if chunks.send(Err(io::Error::other(text))).await.is_err() {
                    tracing::debug!("the conversion had ended before the reading broke");
                }
                return;
            }
        };
        let bytes = chunk.len() as u64;
        if chunks.send(Ok(chunk)).await.is_err() {
            // The conversion has ended, with an error of its own.
            return;
        }
        let (source, object) = (&subject.source, &subject.object);
        ports.observer.see(&Happening::Progress { source, object, bytes });
    }
}

impl Conversion {
    /// The place from which to read; `None`: the beginning of the file. What is unique depends on all
    /// rows before, so these are looked at again.
    fn place(&self) -> Option<&Checkpoint> {
        self.from.as_ref().filter(|_| !self.source.fields.iter().any(|field| field.unique))
    }

    /// The place in the stored bytes from which to read; `None`: the beginning.
    fn offset(&self) -> Option<u64> {
        let from = self.place()?;
        let detected = from.detected.as_ref().filter(|detected| detected.can_seek(from.at))?;
        Some(detected.seek(from.at))
    }

    fn open(
        &self,
        input: impl Read + Send + 'static,
    ) -> Result<(format::Rows, Detected), format::FormatError> {
        let (expected, fields) = (self.expected.as_ref(), &*self.source.fields);
        let hints = Hints { name: &self.name, expected, fields };
        let (settings, limits) = (&self.source.format, Limits::of(&self.source.limits));
        match self.place() {
            None => format::open(input, hints, settings, limits),
            Some(from) => {
                format::resume(input, from.detected.as_ref(), from.at, hints, settings, limits)
            }
        }
    }

    /// The failure of a conversion that ended in a panic.
    pub(super) fn panicked(&self, panic: &str) -> Failure {
        Failure::new(
            "internal_error",
            format!("the conversion ended in a panic {panic}"),
            "This is a fault in Inlet: please report it, with the file if you can share it",
            Disposition::Retry,
        )
    }

    /// Reads all rows of `input`, and gives out batches and rejects as they fill. May block.
    pub(super) fn run(
        &self,
        input: impl Read + Send + 'static,
        emit: &mut dyn FnMut(Output) -> Result<(), Stopped>,
    ) -> Result<Counters, Failure> {
        let (mut rows, detected) = self.open(input).map_err(|e| e.failure())?;
        let mut mappings = Mappings::of(&self.source, &rows, &detected).map_err(|e| e.failure())?;
        let plan = Plan {
            object_ref: &self.reference,
            rejects: self.source.rejects.clone(),
            context: RejectContext {
                object_json: &self.object_json,
                table: &self.table,
                parts: Some((&self.source, &self.name)),
            },
            limits: self.batches,
            start: self.from.as_ref().map(|from| from.counters).unwrap_or_default(),
        };
        // Of two workers on one object each has its own; nobody else sets this one.
        self.reading.detected.get_or_init(|| detected);
        let converted = if self.only_checks {
            let mut only = |rejects| emit(Output::Rejects(rejects));
            check(&mut rows, &mut mappings, &plan, &mut only)
        } else {
            convert(&mut rows, &mut mappings, &plan, emit)
        };
        self.reading.notes.get_or_init(|| notes(mappings.notes(), rows.remarks()));
        converted.map_err(|failed| match failed.cause {
            ConvertError::Stopped => Failure::new(
                "stopped",
                "the delivery ended first",
                "It is tried again by itself",
                Disposition::Retry,
            ),
            cause => cause.failure(),
        })
    }
}

/// As many notes as there is room for where they are kept.
fn notes(of_fit: &[String], of_rows: Vec<String>) -> Vec<String> {
    let mut notes: Vec<String> = of_fit.iter().cloned().chain(of_rows).collect();
    let more = notes.len().saturating_sub(MAX_NOTES);
    notes.truncate(MAX_NOTES);
    if more > 0 {
        notes.push(format!("and {more} more; `inlet preview` shows all"));
    }
    notes
}

/// The chunks of a channel as a reader. The end of the channel is the end of the file: whoever
/// fills it says so if it is not.
struct ChunkReader {
    input: mpsc::Receiver<io::Result<Bytes>>,
    chunk: Bytes,
}

impl Read for ChunkReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.input.blocking_recv() {
                Some(chunk) => self.chunk = chunk?,
                None => return Ok(0),
            }
        }
        let n = self.chunk.len().min(buffer.len());
        self.chunk.copy_to_slice(&mut buffer[..n]);
        Ok(n)
    }
}

fn object_json(subject: &Subject) -> Result<String, Failure> {
    let version = subject.version.as_ref();
    let object = serde_json::json!({
        "connection": subject.connection,
        "bucket": subject.object.bucket,
        "key": subject.object.key,
        "version_id": version.and_then(|v| v.version_id.as_deref()),
        "etag": version.map(|v| v.etag.as_str()),
    });
    serde_json::to_string(&object).map_err(|e| internal(&e))
}

/// Says of which object a failure in its content is.
fn located(mut failure: Failure, subject: &Subject) -> Failure {
    failure.message = format!("{}: {}", subject.object, failure.message);
    failure
}

fn not_text(error: std::str::Utf8Error) -> Failure {
    internal(&error)
}

fn internal(error: &dyn std::error::Error) -> Failure {
    Failure::new(
        "internal_error",
        format!("a batch could not be encoded: {error}"),
        "This is a fault in Inlet: please report it",
        Disposition::DeadLetter,
    )
}
