//! Small objects, the most there are: read whole and converted in place, which costs neither a thread
//! nor a channel. What comes out has a bound too, because a few bytes may say much: an object that
//! turns out larger than it looked goes on as a stream, from the bytes that were read.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use async_trait::async_trait;
use bytes::{Buf, Bytes};

use super::stream::Conversion;
use crate::failure::Failure;
use crate::format;
use crate::object::{Body, ObjectError, Opened};
use crate::record::{Counters, Output, Stopped};

/// Bytes of an object, as stored, up to which it is small.
const MAX_BYTES: u64 = 256 << 10;
/// Bytes that may come out of a small object.
const MAX_OUTPUT: usize = 2 << 20;
/// What binary files begin with, besides bytes that no text has; they take long for their size.
const BINARY: [&[u8]; 3] = [b"%PDF", b"PAR1", b"Obj\x01"];

/// How an object was read.
pub(super) enum Read {
    /// Whole.
    Whole(Whole),
    /// Not at all: it is large, or its size is not known.
    Large(Box<dyn Body>),
}

/// All bytes of one object, in the pieces in which they came.
#[derive(Clone)]
pub(super) struct Whole(VecDeque<Bytes>);

/// Reads the object if it is small.
pub(super) async fn read(opened: Opened) -> Result<Read, Failure> {
    let mut body = opened.body;
    if opened.version.size.is_none_or(|size| size > MAX_BYTES) {
        return Ok(Read::Large(body));
    }
    let mut chunks = VecDeque::new();
    while let Some(chunk) = body.next().await.map_err(|error| Failure::from(&error))? {
        if !chunk.is_empty() {
            chunks.push_back(chunk);
        }
    }
    Ok(Read::Whole(Whole(chunks)))
}

/// Converts the object here and now. `None`: it holds more than it looked, or may do so.
pub(super) fn convert(
    conversion: &Conversion,
    whole: &Whole,
) -> Option<(Result<Counters, Failure>, Vec<Output>)> {
    if whole.0.front().is_some_and(|first| is_dense(first)) {
        return None;
    }
    let mut outputs = Vec::new();
    let (mut held, mut full) = (0, false);
    let mut emit = |output| {
        held += match &output {
            Output::Batch(batch) => batch.json.len(),
            Output::Rejects(rejects) => rejects.lines.len(),
            Output::Mark(_) => 0,
        };
        full = held > MAX_OUTPUT;
        outputs.push(output);
        if full { Err(Stopped) } else { Ok(()) }
    };
    // As on a thread of its own, a panic ends the work on this object alone.
    let unwinding = AssertUnwindSafe(|| conversion.run(whole.clone(), &mut emit));
    let converted = catch_unwind(unwinding).unwrap_or_else(|_| Err(conversion.panicked("")));
    (!full).then_some((converted, outputs))
}

/// Whether the file is compressed, or of another kind that is no text.
fn is_dense(first: &[u8]) -> bool {
    let beginning = &first[..first.len().min(512)];
    format::may_expand(first)
        || BINARY.iter().any(|signature| beginning.starts_with(signature))
        || beginning.iter().any(|byte| *byte < b'\t')
}

impl Whole {
    /// How many bytes.
    pub(super) fn len(&self) -> u64 {
        self.0.iter().map(|chunk| chunk.len() as u64).sum()
    }

    /// The same bytes as a stream.
    pub(super) fn into_body(self) -> Box<dyn Body> {
        Box::new(self)
    }
}

#[async_trait]
impl Body for Whole {
    async fn next(&mut self) -> Result<Option<Bytes>, ObjectError> {
        Ok(self.0.pop_front())
    }

    async fn seek(&mut self, _: u64) -> Result<(), ObjectError> {
        // The place was found before the bytes were read.
        Ok(())
    }
}

impl io::Read for Whole {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(chunk) = self.0.front_mut() else { return Ok(0) };
        let n = chunk.len().min(buffer.len());
        chunk.copy_to_slice(&mut buffer[..n]);
        if chunk.is_empty() {
            self.0.pop_front();
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Source;
    use crate::record::BatchLimits;

    fn conversion() -> Conversion {
        let toml = "key = 's'\nconnection = 'inlet'\nbucket = 'drop'\n[format]\ndelimiter = ','";
        Conversion {
            source: Source::from_toml("s.toml", toml).unwrap(),
            reference: "r".into(),
            table: "t".into(),
            name: "t.csv".into(),
            object_json: "{}".into(),
            batches: BatchLimits { max_bytes: 240_000, max_records: 2 },
            from: None,
            only_checks: false,
            expected: None,
            reading: std::sync::Arc::default(),
        }
    }

    fn whole(chunks: &[&[u8]]) -> Whole {
        Whole(chunks.iter().map(|chunk| Bytes::copy_from_slice(chunk)).collect())
    }

    #[test]
    fn a_small_object_is_converted_in_place_however_its_bytes_came() {
        let one = whole(&[b"a,b\n1,2\n3,4\n5,6\n"]);
        let many = whole(&[b"a", b",b\n1,2", b"\n3,4\n5", b",6\n"]);
        let (counters, outputs) = convert(&conversion(), &one).unwrap();
        assert_eq!(counters.unwrap().records, 3);
        assert_eq!(outputs.len(), 2, "two batches");
        assert_eq!(convert(&conversion(), &many).unwrap().1, outputs);
    }

    #[test]
    fn what_holds_more_than_it_looks_goes_on_as_a_stream_of_the_same_bytes() {
        // A long name for each of many short cells.
        let text = format!("{}\n{}", "n".repeat(10_000), "1\n".repeat(1_000));
        let large = whole(&[text.as_bytes()]);
        assert!(convert(&conversion(), &large).is_none());
        assert!(convert(&conversion(), &whole(&[&[0x1f, 0x8b]])).is_none(), "gzip");
        assert_eq!(large.len(), text.len() as u64, "nothing of it was used up");
    }
}
