//! The values of unique columns that were seen: any number of them, in bounded memory.
//!
//! A value is kept as 192 bits of its SHA-256, with the row that has it. No two different texts with the
//! same 192 bits are known, nor can anybody make them, so that what counts as the same value is the
//! same value. A key of its own for each file keeps a hostile one from choosing where its values lie.
//!
//! New values go into pages in memory, by their first bits. When these are full they become a sorted
//! [`Run`] in a temporary file, written from its beginning to its end; of sixteen runs of like size one
//! is made. To look for a value costs a look into the page, and for each run one into its filter, which
//! nearly always says no: a file is read for a value that was seen, and for one in a hundred that were
//! not. So a million values or a hundred cost each about the same.

mod run;

use std::io;

use sha2::{Digest, Sha256};

use self::run::Run;
use crate::failure::{Disposition, Failure};

/// Bytes of one entry: the hash, and the number of the row (which is never 0).
const ENTRY: usize = 32;
const HASH: usize = 24;
/// Entries of one page.
const ENTRIES: usize = 128;
/// Bytes of one page.
const PAGE: usize = ENTRIES * ENTRY;
/// The power of two that is the number of pages in memory at most: 32 MiB.
const MAX_BITS: u32 = 13;
/// Runs of like size of which one is made.
const FAN: usize = 16;

/// Why a value cannot be remembered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UniqueError {
    /// There are too many.
    #[error(
        "the unique columns have more values than max_unique_bytes = {max_unique_bytes} bytes can hold ({values} so far)"
    )]
    TooMany {
        /// Values that were remembered.
        values: u64,
        /// The limit.
        max_unique_bytes: u64,
    },
    /// The temporary file failed.
    #[error("the temporary file with the values of unique columns failed: {0}")]
    File(#[from] io::Error),
}

impl UniqueError {
    /// The same in the shape that the ledger and the command line show.
    pub fn failure(&self) -> Failure {
        let (code, remedy, disposition) = match self {
            Self::TooMany { .. } => (
                "too_many_unique_values",
                "Raise limits.max_unique_bytes, or let the column not be unique",
                Disposition::DeadLetter,
            ),
            Self::File(_) => {
                ("temporary_file_failed", "Check the space for temporary files", Disposition::Retry)
            }
        };
        Failure::new(code, self.to_string(), remedy, disposition)
    }
}

/// Values and the rows that have them.
pub(super) struct Unique {
    key: [u8; 16],
    values: u64,
    max_bytes: u64,
    recent: Pages,
    /// The older a run, the further to the front, and the larger.
    runs: Vec<Run>,
}

/// A value, ready to be looked for.
#[derive(Clone, Copy)]
pub(super) struct Value([u8; HASH]);

/// One value with its row.
type Entry = [u8; ENTRY];

/// The values since the last run was written.
struct Pages {
    /// Twice as many as before whenever they are half full, so that hardly any overflows.
    bits: u32,
    values: usize,
    bytes: Vec<u8>,
}

impl Unique {
    /// Nothing seen yet. At most `max_bytes` are used.
    pub(super) fn new(max_bytes: u64) -> Self {
        let key = *uuid::Uuid::new_v4().as_bytes();
        Self { key, values: 0, max_bytes, recent: Pages::new(0), runs: Vec::new() }
    }

    /// A value of the field of this number.
    pub(super) fn value(&self, field: usize, value: &[u8]) -> Value {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update((field as u64).to_le_bytes());
        hash.update(value);
        let mut kept = [0; HASH];
        kept.copy_from_slice(&hash.finalize()[..HASH]);
        Value(kept)
    }

    /// The row that has the value.
    pub(super) fn row_of(&mut self, value: &Value) -> Result<Option<u64>, UniqueError> {
        if let Ok(row) = self.recent.find(value) {
            return Ok(Some(row));
        }
        for run in &mut self.runs {
            if let Some(row) = run.find(value)? {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// Remembers the value of a row, that no row had before.
    pub(super) fn insert(&mut self, value: &Value, row: u64) -> Result<(), UniqueError> {
        // As much again is needed while runs become one.
        if (self.values + 1) * 2 * ENTRY as u64 > self.max_bytes {
            let max_unique_bytes = self.max_bytes;
            return Err(UniqueError::TooMany { values: self.values, max_unique_bytes });
        }
        while !self.recent.insert(value, row) {
            if self.recent.bits < MAX_BITS {
                self.recent.grow();
            } else {
                self.write_run()?;
            }
        }
        self.values += 1;
        Ok(())
    }

    /// Makes a run of the pages, and one of many runs.
    fn write_run(&mut self) -> Result<(), UniqueError> {
        let full = std::mem::replace(&mut self.recent, Pages::new(MAX_BITS));
        self.runs.push(Run::write(full.values, 0, full.sorted())?);
        loop {
            let Some(level) = self.runs.last().map(|run| run.level) else { return Ok(()) };
            let like = self.runs.iter().rev().take_while(|run| run.level == level).count();
            if like < FAN {
                return Ok(());
            }
            let first = self.runs.len() - like;
            let merged = Run::merge(&self.runs[first..], level + 1)?;
            self.runs.truncate(first);
            self.runs.push(merged);
        }
    }
}

impl Value {
    /// The first bits, by which values are in order.
    fn first(&self) -> u64 {
        first(&self.0)
    }
}

fn first(hash: &[u8]) -> u64 {
    hash.first_chunk::<8>().copied().map_or(0, u64::from_be_bytes)
}

/// The number of the row in an entry; 0: it is free.
fn row_of(entry: &[u8]) -> u64 {
    entry.last_chunk::<8>().copied().map_or(0, u64::from_le_bytes)
}

impl Pages {
    fn new(bits: u32) -> Self {
        Self { bits, values: 0, bytes: vec![0; PAGE << bits] }
    }

    /// The page that a value would be in: by the first bits of its hash.
    fn page_of(&self, hash: &[u8]) -> usize {
        let page = first(hash).checked_shr(64 - self.bits).unwrap_or(0);
        usize::try_from(page).unwrap_or(0) * PAGE
    }

    /// The row that has the value; else the place for it, if its page has one.
    fn find(&self, value: &Value) -> Result<u64, Option<usize>> {
        let page = self.page_of(&value.0);
        for (at, entry) in self.bytes[page..page + PAGE].chunks_exact(ENTRY).enumerate() {
            match row_of(entry) {
                0 => return Err(Some(page + at * ENTRY)),
                row if entry[..HASH] == value.0 => return Ok(row),
                _ => {}
            }
        }
        Err(None)
    }

    /// Puts in a value that is not there. `false`: there are too many.
    fn insert(&mut self, value: &Value, row: u64) -> bool {
        if self.values >= (ENTRIES / 2) << self.bits {
            return false;
        }
        let Err(Some(free)) = self.find(value) else { return false };
        self.bytes[free..free + HASH].copy_from_slice(&value.0);
        self.bytes[free + HASH..free + ENTRY].copy_from_slice(&row.to_le_bytes());
        self.values += 1;
        true
    }

    /// Splits every page into two.
    fn grow(&mut self) {
        let mut grown = Pages::new(self.bits + 1);
        for entry in self.bytes.chunks_exact(ENTRY).filter(|entry| row_of(entry) != 0) {
            let page = grown.page_of(entry);
            let mut places = grown.bytes[page..page + PAGE].chunks_exact_mut(ENTRY);
            // A page that is split has room for all that was in it.
            if let Some(free) = places.find(|place| row_of(place) == 0) {
                free.copy_from_slice(entry);
            }
        }
        grown.values = self.values;
        *self = grown;
    }

    /// All entries in order. Those of one page are smaller than those of the next.
    fn sorted(&self) -> impl Iterator<Item = Result<Entry, io::Error>> + '_ {
        self.bytes.chunks_exact(PAGE).flat_map(|page| {
            let taken = page.as_chunks::<ENTRY>().0.iter().filter(|entry| row_of(*entry) != 0);
            let mut entries: Vec<Entry> = taken.copied().collect();
            entries.sort_unstable();
            entries.into_iter().map(Ok)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remember(unique: &mut Unique, values: std::ops::Range<u64>) {
        for value in values {
            let hash = unique.value(0, &value.to_le_bytes());
            assert_eq!(unique.row_of(&hash).expect("readable"), None, "{value} is new");
            unique.insert(&hash, value + 1).expect("there is room");
        }
    }

    #[test]
    fn every_value_is_found_again_in_memory_and_in_a_file() {
        // A run, and some in memory.
        const VALUES: u64 = 700_000;
        let mut unique = Unique::new(1 << 30);
        remember(&mut unique, 0..100);
        assert!(unique.runs.is_empty());
        remember(&mut unique, 100..VALUES);
        assert_eq!(unique.runs.len(), 1);
        for value in (0..VALUES).step_by(97).chain(VALUES - 10..VALUES) {
            let hash = unique.value(0, &value.to_le_bytes());
            assert_eq!(unique.row_of(&hash).expect("readable"), Some(value + 1));
        }
        assert_eq!(unique.values, VALUES);
        let other_field = unique.value(1, &0_u64.to_le_bytes());
        assert_eq!(unique.row_of(&other_field).expect("readable"), None);
    }

    #[test]
    fn what_is_too_much_is_an_error_that_names_the_setting() {
        let mut unique = Unique::new(8192);
        remember(&mut unique, 0..128);
        let hash = unique.value(0, b"one more");
        let error = unique.insert(&hash, 1).expect_err("full").to_string();
        assert!(error.contains("max_unique_bytes = 8192"), "{error}");
        assert!(error.contains("128 so far"), "{error}");
    }
}
