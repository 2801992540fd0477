//! What a person at a terminal sees of the pipeline.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use inlet::failure::Disposition;
use inlet::object::ObjectId;
use inlet::observe::{Happening, Observer};

/// Counts of what was seen.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) ingested: AtomicU64,
    pub(crate) records: AtomicU64,
    pub(crate) rejects: AtomicU64,
    pub(crate) removed: AtomicU64,
}

/// One line for everything that ended, and a bar for each object under way if somebody looks.
pub(crate) struct Show {
    pub(crate) tally: Tally,
    bars: MultiProgress,
    under_way: Mutex<HashMap<(String, ObjectId), ProgressBar>>,
    interactive: bool,
}

impl Show {
    pub(crate) fn new() -> Self {
        Self {
            tally: Tally::default(),
            bars: MultiProgress::new(),
            under_way: Mutex::default(),
            interactive: std::io::stderr().is_terminal(),
        }
    }

    pub(crate) fn line(&self, text: &str) {
        self.bars.suspend(|| say!("{text}"));
    }

    fn begin(&self, source: &str, object: &ObjectId, size: Option<u64>) {
        if !self.interactive {
            return;
        }
        let bar = self.bars.add(ProgressBar::new(size.unwrap_or(0)));
        let style = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        bar.set_message(format!("{}/{}", object.bucket, object.key));
        let key = (source.to_owned(), object.clone());
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).insert(key, bar);
    }

    fn advance(&self, source: &str, object: &ObjectId, bytes: u64) {
        if !self.interactive {
            return;
        }
        let key = (source.to_owned(), object.clone());
        if let Some(bar) = self.under_way.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            bar.inc(bytes);
        }
    }

    fn end(&self, source: &str, object: &ObjectId) {
        let key = (source.to_owned(), object.clone());
        let bar = self.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Show {
    fn see(&self, happening: &Happening<'_>) {
        match happening {
            Happening::Started { source, object, size } => self.begin(source, object, *size),
            Happening::Progress { source, object, bytes } => self.advance(source, object, *bytes),
            Happening::Paused { source, object, .. } => self.end(source, object),
            Happening::Completed { source, table, object, counters, rejects, drift, notes } => {
                self.end(source, object);
                self.tally.ingested.fetch_add(1, Ordering::Relaxed);
                self.tally.records.fetch_add(counters.records, Ordering::Relaxed);
                self.tally.rejects.fetch_add(counters.rejects, Ordering::Relaxed);
                let mut text =
                    format!("ingested  {object}  {} rows into {source}/{table}", counters.records);
                if counters.skipped > 0 {
                    text.push_str(&format!(", {} skipped", counters.skipped));
                }
                if let Some(place) = rejects.last() {
                    text.push_str(&format!(", {} rejected: see {place}", counters.rejects));
                }
                for change in *drift {
                    text.push_str(&format!("\n  changed {change}, since the file before"));
                }
                for note in *notes {
                    text.push_str(&format!("\n  note    {note}"));
                }
                self.line(&text);
            }
            Happening::Removed { source, object } => {
                self.end(source, object);
                self.tally.removed.fetch_add(1, Ordering::Relaxed);
                self.line(&format!("removed   {object}  from {source}"));
            }
            Happening::Failed { source, object, failure, again } => {
                self.end(source, object);
                let what = match failure.disposition {
                    _ if *again => "again    ",
                    Disposition::Park => "parked   ",
                    _ => "failed   ",
                };
                self.line(&format!(
                    "{what} {object}  in {source}\n          {} ({})\n          {}",
                    failure.message, failure.code, failure.remedy
                ));
            }
            Happening::Settled { source, object, why } => {
                self.end(source, object);
                tracing::info!(source, object = %object, why = why.as_str(), "nothing to do");
            }
            Happening::Unmatched { object } => {
                self.line(&format!("left out  {object}  no source takes it"));
            }
            Happening::Returned { message, failure } => {
                tracing::info!(message, %failure, "tried again");
            }
            Happening::Buried { message, failure } => {
                tracing::info!(message, %failure, "dead letter");
            }
            _ => {}
        }
    }
}
