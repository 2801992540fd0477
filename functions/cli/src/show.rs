//! What a person at a terminal sees of the pipeline.

use std::collections::HashMap;
use std::fmt::Display;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use inlet::failure::{Disposition, Failure};
use inlet::object::ObjectId;
use inlet::observe::{Happening, Observer};

/// The text on one line, whatever a key or a file put into it: line ends and other control
/// characters are written as in a string.
pub(crate) fn one_line(text: &(impl Display + ?Sized)) -> String {
    let mut line = String::new();
    for character in text.to_string().chars() {
        match character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
            true => line.extend(character.escape_default()),
            false => line.push(character),
        }
    }
    line
}

/// What happened, with the word for it. The message about a row ends with a word of its own, which
/// says more.
pub(crate) fn cause(failure: &Failure) -> String {
    match failure.code.as_str() {
        "row_rejected" => one_line(&failure.message),
        code => format!("{} ({code})", one_line(&failure.message)),
    }
}

/// Counts of what was seen.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) ingested: AtomicU64,
    pub(crate) records: AtomicU64,
    pub(crate) rejects: AtomicU64,
    pub(crate) skipped: AtomicU64,
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
        bar.set_message(one_line(&format!("{}/{}", object.bucket, object.key)));
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
                self.tally.skipped.fetch_add(counters.skipped, Ordering::Relaxed);
                let mut text = format!(
                    "ingested  {}  {} rows into {source}/{}",
                    one_line(object),
                    counters.records,
                    one_line(table)
                );
                if counters.skipped > 0 {
                    text.push_str(&format!(", {} skipped", counters.skipped));
                }
                if let Some(place) = rejects.last() {
                    text.push_str(&format!(
                        ", {} rejected: see {}",
                        counters.rejects,
                        one_line(place)
                    ));
                }
                for change in *drift {
                    text.push_str(&format!(
                        "\n  changed since the file before: {}",
                        one_line(change)
                    ));
                }
                for note in *notes {
                    text.push_str(&format!("\n  note    {}", one_line(note)));
                }
                self.line(&text);
            }
            Happening::Removed { source, object } => {
                self.end(source, object);
                self.tally.removed.fetch_add(1, Ordering::Relaxed);
                self.line(&format!("removed   {}  from {source}", one_line(object)));
            }
            Happening::Failed { source, object, failure, again } => {
                self.end(source, object);
                let what = match failure.disposition {
                    _ if *again => "again    ",
                    Disposition::Park => "parked   ",
                    _ => "failed   ",
                };
                self.line(&format!(
                    "{what} {}  in {source}\n          {}\n          {}",
                    one_line(object),
                    cause(failure),
                    one_line(&failure.remedy)
                ));
            }
            Happening::Settled { source, object, why } => {
                self.end(source, object);
                tracing::info!(source, object = %object, why = why.as_str(), "nothing to do");
            }
            Happening::Unmatched { object } => {
                self.line(&format!("left out  {}  no source takes it", one_line(object)));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_line_ends_stays_on_its_line() {
        let object = ObjectId::new("drop", "in/a\nb\u{1b}[1m é.csv");
        assert_eq!(one_line(&object), "s3://drop/in/a\\nb\\u{1b}[1m é.csv");
    }

    #[test]
    fn a_cause_has_one_word() {
        let of = |code, message| cause(&Failure::new(code, message, "", Disposition::DeadLetter));
        assert_eq!(
            of("row_rejected", "row 1: not a number (invalid_decimal)"),
            "row 1: not a number (invalid_decimal)"
        );
        assert_eq!(of("gzip_truncated", "cut short"), "cut short (gzip_truncated)");
    }
}
