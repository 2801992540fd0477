//! The values of unique columns that were seen: any number of them, in bounded memory.
//!
//! A value is kept as 192 bits of its SHA-256, with the row that has it. No two different texts with the
//! same 192 bits are known, nor can anybody make them, so that what counts as the same value is the
//! same value.
//!
//! The entries lie in pages by their first bits, half of them free. A look at one page tells whether a
//! value was seen; when pages fill, there are twice as many, each page splitting into two neighbours.
//! Up to [`IN_MEMORY`] bytes the pages are in memory, beyond in a temporary file. A key of its own for
//! each file keeps a hostile one from filling single pages.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use sha2::{Digest, Sha256};

use crate::failure::{Disposition, Failure};

/// Bytes of one entry: the hash, and the number of the row (which is never 0).
const ENTRY: usize = 32;
const HASH: usize = 24;
/// Bytes of one page.
const PAGE: usize = 4096;
/// Entries of one page.
const ENTRIES: u64 = (PAGE / ENTRY) as u64;
/// Bytes of all pages that stay in memory.
const IN_MEMORY: u64 = 32 << 20;

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
    /// The power of two that is the number of pages.
    bits: u32,
    values: u64,
    pages: Pages,
    max_bytes: u64,
}

/// A value, ready to be looked for.
#[derive(Clone, Copy)]
pub(super) struct Value([u8; HASH]);

enum Pages {
    Memory(Vec<u8>),
    File(File),
}

impl Unique {
    /// Nothing seen yet. At most `max_bytes` are used.
    pub(super) fn new(max_bytes: u64) -> Self {
        let key = *uuid::Uuid::new_v4().as_bytes();
        Self { key, bits: 0, values: 0, pages: Pages::Memory(Vec::new()), max_bytes }
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
        if self.values == 0 {
            return Ok(None);
        }
        let mut page = [0; PAGE];
        let at = self.page_of(value);
        self.pages.read(at, &mut page)?;
        Ok(find(&page, value).ok())
    }

    /// Remembers the value of a row, if no row has it yet.
    pub(super) fn insert(&mut self, value: &Value, row: u64) -> Result<(), UniqueError> {
        if let Pages::Memory(memory) = &mut self.pages
            && memory.is_empty()
        {
            memory.resize(PAGE, 0);
        }
        loop {
            let mut page = [0; PAGE];
            let at = self.page_of(value);
            self.pages.read(at, &mut page)?;
            let half_full = self.values >= (ENTRIES / 2) << self.bits;
            match find(&page, value) {
                Ok(_) => return Ok(()),
                Err(Some(free)) if !half_full => {
                    let entry = &mut page[free..free + ENTRY];
                    entry[..HASH].copy_from_slice(&value.0);
                    entry[HASH..].copy_from_slice(&row.to_le_bytes());
                    self.pages.write(at, free, &page[free..free + ENTRY])?;
                    self.values += 1;
                    return Ok(());
                }
                Err(_) => self.grow()?,
            }
        }
    }

    /// The place of the page that a value would be in: the first bits of its hash.
    fn page_of(&self, value: &Value) -> u64 {
        let first = value.0.first_chunk::<8>().copied().map_or(0, u64::from_be_bytes);
        let page = first.checked_shr(64 - self.bits).unwrap_or(0);
        page * PAGE as u64
    }

    /// Splits every page into two.
    fn grow(&mut self) -> Result<(), UniqueError> {
        let pages = 1_u64 << self.bits;
        let bytes = 2 * pages * PAGE as u64;
        if bytes > self.max_bytes {
            let max_unique_bytes = self.max_bytes;
            return Err(UniqueError::TooMany { values: self.values, max_unique_bytes });
        }
        let mut grown = if bytes <= IN_MEMORY {
            Pages::Memory(Vec::with_capacity(usize::try_from(bytes).unwrap_or_default()))
        } else {
            Pages::File(tempfile::tempfile()?)
        };
        let mut collected = Vec::with_capacity(PAGE * 64);
        let mut page = [0; PAGE];
        for at in 0..pages {
            self.pages.read(at * PAGE as u64, &mut page)?;
            let mut halves = [[0; PAGE]; 2];
            let mut filled = [0; 2];
            for entry in page.chunks_exact(ENTRY).filter(|entry| is_taken(entry)) {
                let first = entry.first_chunk::<8>().copied().map_or(0, u64::from_be_bytes);
                let half = usize::from(first >> (63 - self.bits) & 1 == 1);
                halves[half][filled[half]..filled[half] + ENTRY].copy_from_slice(entry);
                filled[half] += ENTRY;
            }
            collected.extend_from_slice(&halves[0]);
            collected.extend_from_slice(&halves[1]);
            if collected.len() >= PAGE * 64 || at + 1 == pages {
                grown.append(&collected)?;
                collected.clear();
            }
        }
        self.pages = grown;
        self.bits += 1;
        Ok(())
    }
}

fn is_taken(entry: &[u8]) -> bool {
    entry[HASH..].iter().any(|byte| *byte != 0)
}

/// The row that has the value; else where in the page an entry is free, if one is.
fn find(page: &[u8; PAGE], value: &Value) -> Result<u64, Option<usize>> {
    for (at, entry) in page.chunks_exact(ENTRY).enumerate() {
        if !is_taken(entry) {
            return Err(Some(at * ENTRY));
        }
        if entry[..HASH] == value.0 {
            return Ok(entry.last_chunk::<8>().copied().map_or(0, u64::from_le_bytes));
        }
    }
    Err(None)
}

impl Pages {
    fn read(&mut self, at: u64, page: &mut [u8; PAGE]) -> io::Result<()> {
        match self {
            Self::Memory(memory) => {
                let at = usize::try_from(at).map_err(io::Error::other)?;
                let bytes = memory.get(at..at + PAGE);
                page.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
            Self::File(file) => {
                file.seek(SeekFrom::Start(at))?;
                file.read_exact(page)
            }
        }
    }

    /// Writes a part of a page.
    fn write(&mut self, at: u64, offset: usize, part: &[u8]) -> io::Result<()> {
        match self {
            Self::Memory(memory) => {
                let at = usize::try_from(at).map_err(io::Error::other)? + offset;
                let bytes = memory.get_mut(at..at + part.len());
                bytes.ok_or(io::ErrorKind::UnexpectedEof)?.copy_from_slice(part);
                Ok(())
            }
            Self::File(file) => {
                file.seek(SeekFrom::Start(at + offset as u64))?;
                file.write_all(part)
            }
        }
    }

    fn append(&mut self, pages: &[u8]) -> io::Result<()> {
        match self {
            Self::Memory(memory) => memory.extend_from_slice(pages),
            Self::File(file) => file.write_all(pages)?,
        }
        Ok(())
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
        // Some 40 MB of pages: the last of them are in a file.
        const VALUES: u64 = 700_000;
        let mut unique = Unique::new(1 << 30);
        remember(&mut unique, 0..100);
        assert!(matches!(unique.pages, Pages::Memory(_)));
        remember(&mut unique, 100..VALUES);
        assert!(matches!(unique.pages, Pages::File(_)));
        for value in (0..VALUES).step_by(97).chain(VALUES - 10..VALUES) {
            let hash = unique.value(0, &value.to_le_bytes());
            assert_eq!(unique.row_of(&hash).expect("readable"), Some(value + 1));
            unique.insert(&hash, 7).expect("the first row keeps it");
            assert_eq!(unique.row_of(&hash).expect("readable"), Some(value + 1));
        }
        assert_eq!(unique.values, VALUES);
        let other_field = unique.value(1, &0_u64.to_le_bytes());
        assert_eq!(unique.row_of(&other_field).expect("readable"), None);
    }

    #[test]
    fn what_is_too_much_is_an_error_that_names_the_setting() {
        let mut unique = Unique::new(3 * PAGE as u64);
        remember(&mut unique, 0..128);
        let hash = unique.value(0, b"one more");
        let error = unique.insert(&hash, 1).expect_err("full").to_string();
        assert!(error.contains("max_unique_bytes = 12288"), "{error}");
        assert!(error.contains("128 so far"), "{error}");
    }
}
