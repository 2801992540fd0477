//! A sorted run of values in a temporary file, with what says quickly that a value is not in it.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use super::{ENTRIES, ENTRY, Entry, HASH, PAGE, Value, first, row_of};

/// Bits of the filter for each value, and how many of them a value sets: one in a hundred of others looks
/// as if it were there (<https://doi.org/10.1145/362686.362692>).
const FILTER_BITS: u64 = 10;
const FILTER_HASHES: u64 = 7;

/// Values in order, which are never changed.
pub(super) struct Run {
    /// How often values were put together into it.
    pub(super) level: u32,
    file: File,
    values: u64,
    /// The first bits of the first value of each page.
    index: Vec<u64>,
    filter: Vec<u64>,
}

impl Run {
    /// Writes values that come in order.
    pub(super) fn write(
        values: usize,
        level: u32,
        entries: impl Iterator<Item = io::Result<Entry>>,
    ) -> io::Result<Self> {
        let bits = (values as u64 * FILTER_BITS).max(64);
        let words = usize::try_from(bits.div_ceil(64)).map_err(io::Error::other)?;
        let mut filter = vec![0; words];
        let mut index = Vec::with_capacity(values / ENTRIES + 1);
        let file = tempfile::tempfile()?;
        let mut out = BufWriter::with_capacity(64 * PAGE, &file);
        let mut written = 0_u64;
        for entry in entries {
            let entry = entry?;
            if written.is_multiple_of(ENTRIES as u64) {
                index.push(first(&entry));
            }
            for (word, bit) in places(&entry, words) {
                filter[word] |= bit;
            }
            written += 1;
            out.write_all(&entry)?;
        }
        out.flush()?;
        drop(out);
        Ok(Self { level, file, values: written, index, filter })
    }

    /// Makes one run of several.
    pub(super) fn merge(runs: &[Run], level: u32) -> io::Result<Self> {
        let values: u64 = runs.iter().map(|run| run.values).sum();
        let mut inputs = Vec::with_capacity(runs.len());
        for run in runs {
            let mut input = BufReader::with_capacity(32 * PAGE, &run.file);
            input.seek(SeekFrom::Start(0))?;
            inputs.push((next(&mut input)?, input));
        }
        let merged = std::iter::from_fn(|| {
            let least = inputs.iter_mut().filter(|(entry, _)| entry.is_some());
            let (entry, input) = least.min_by_key(|(entry, _)| *entry)?;
            let taken = entry.take()?;
            match next(input) {
                Ok(following) => *entry = following,
                Err(error) => return Some(Err(error)),
            }
            Some(Ok(taken))
        });
        Self::write(usize::try_from(values).map_err(io::Error::other)?, level, merged)
    }

    /// The row that has the value.
    pub(super) fn find(&mut self, value: &Value) -> io::Result<Option<u64>> {
        let words = self.filter.len();
        if !places(&value.0, words).all(|(word, bit)| self.filter[word] & bit != 0) {
            return Ok(None);
        }
        // Values with the same first bits may lie in pages that follow one another.
        let begins = self.index.partition_point(|begin| *begin < value.first()).saturating_sub(1);
        let pages =
            self.index[begins..].iter().take_while(|begin| **begin <= value.first()).count();
        for page in begins..begins + pages {
            let at = page as u64 * ENTRIES as u64;
            let here = (self.values - at).min(ENTRIES as u64) as usize;
            let mut bytes = [0; PAGE];
            self.file.seek(SeekFrom::Start(at * ENTRY as u64))?;
            self.file.read_exact(&mut bytes[..here * ENTRY])?;
            let mut entries = bytes[..here * ENTRY].chunks_exact(ENTRY);
            if let Some(entry) = entries.find(|entry| entry[..HASH] == value.0) {
                return Ok(Some(row_of(entry)));
            }
        }
        Ok(None)
    }
}

/// The places of a value in a filter of that many words: of the bits that are not in its first ones, by
/// which runs are in order.
fn places(hash: &[u8], words: usize) -> impl Iterator<Item = (usize, u64)> {
    let bits = words as u64 * 64;
    let part = |from: usize| {
        hash.get(from..)
            .and_then(|rest| rest.first_chunk::<8>())
            .copied()
            .map_or(0, u64::from_le_bytes)
    };
    let (one, other) = (part(8), part(16) | 1);
    (0..FILTER_HASHES).map(move |n| {
        let at = one.wrapping_add(n.wrapping_mul(other)) % bits;
        ((at / 64) as usize, 1 << (at % 64))
    })
}

fn next(input: &mut impl Read) -> io::Result<Option<Entry>> {
    let mut entry = [0; ENTRY];
    match input.read_exact(&mut entry) {
        Ok(()) => Ok(Some(entry)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    fn entry(value: &Value, row: u64) -> Entry {
        let mut entry = [0; ENTRY];
        entry[..HASH].copy_from_slice(&value.0);
        entry[HASH..].copy_from_slice(&row.to_le_bytes());
        entry
    }

    fn value(number: u64) -> Value {
        let mut hash = [0; HASH];
        hash.copy_from_slice(&Sha256::digest(number.to_le_bytes())[..HASH]);
        Value(hash)
    }

    fn run(numbers: impl Iterator<Item = u64>) -> Run {
        let mut entries: Vec<Entry> = numbers.map(|n| entry(&value(n), n + 1)).collect();
        entries.sort_unstable();
        Run::write(entries.len(), 0, entries.into_iter().map(Ok)).expect("written")
    }

    #[test]
    fn what_is_in_any_of_many_runs_is_in_the_one_that_they_become() {
        let runs: Vec<Run> = (0..5).map(|of| run((0..3_000).filter(|n| n % 5 == of))).collect();
        let mut merged = Run::merge(&runs, 1).expect("merged");
        for number in 0..3_000 {
            assert_eq!(merged.find(&value(number)).expect("readable"), Some(number + 1));
        }
        for number in 3_000..6_000 {
            assert_eq!(merged.find(&value(number)).expect("readable"), None);
        }
    }

    #[test]
    fn the_filter_knows_most_of_what_is_not_there() {
        let run = run(0..10_000);
        let words = run.filter.len();
        let seems = |number: u64| {
            places(&value(number).0, words).all(|(word, bit)| run.filter[word] & bit != 0)
        };
        assert!((0..10_000).all(seems));
        let wrong = (10_000..20_000).filter(|number| seems(*number)).count();
        assert!(wrong < 200, "{wrong} of 10,000");
    }

    #[test]
    fn values_that_begin_alike_are_told_apart_across_pages() {
        // The same first 64 bits, in more than a page.
        let alike = |n: u64| {
            let mut hash = [9; HASH];
            hash[16..].copy_from_slice(&n.to_be_bytes());
            Value(hash)
        };
        let entries = (0..300).map(|n| Ok(entry(&alike(n), n + 1)));
        let mut run = Run::write(300, 0, entries).expect("written");
        for n in 0..300 {
            assert_eq!(run.find(&alike(n)).expect("readable"), Some(n + 1));
        }
        assert_eq!(run.find(&alike(300)).expect("readable"), None);
    }
}
