//! The decompressed bytes of a file, within limits.

use std::io::{self, BufReader, Cursor, Read};
use std::sync::Arc;

use super::encoding::Text;
use super::members::Members;
use super::meter::Meter;
use super::{Compression, FormatError, Limits};
use crate::catalog::Encoding;

/// Compressed bytes that are asked for at a time.
const COMPRESSED_BUFFER: usize = 64 << 10;

/// The bytes of a file as they come, counted.
pub(super) struct Raw {
    inner: io::Chain<Cursor<Vec<u8>>, Box<dyn Read + Send>>,
    /// Where the bytes count; a member's were counted when they came out of its archive.
    meter: Option<Arc<Meter>>,
}

/// The input itself failed, as opposed to what a decoder thinks of its bytes: both would otherwise
/// look like the same kind of [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct InputFailed(io::Error);

impl Read for Raw {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.inner.read(into) {
                Ok(n) => {
                    if let Some(meter) = &self.meter {
                        meter.store(n as u64);
                    }
                    return Ok(n);
                }
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(io::Error::new(cause.kind(), InputFailed(cause))),
            }
        }
    }
}

impl FormatError {
    /// The input's own error, if it is that; else the error as it was. The input of a member is its
    /// archive, which has errors of its own.
    pub(super) fn of_input(cause: io::Error) -> Result<Self, io::Error> {
        let cause = match cause.downcast::<InputFailed>() {
            Ok(failed) => failed.0,
            Err(other) => return other.downcast::<Self>(),
        };
        Ok(Self::of_io(cause))
    }

    /// What an error means that comes out of a reader: what it carries, or that reading failed.
    pub(super) fn of_io(cause: io::Error) -> Self {
        cause.downcast::<Self>().unwrap_or_else(Self::Read)
    }
}

/// The decompressed bytes of a file, and of text those in UTF-8.
pub(super) struct Input {
    /// Bytes that were looked at, and how many of them were read since.
    peeked: Vec<u8>,
    passed: usize,
    stream: Stream,
    meter: Arc<Meter>,
}

enum Stream {
    Plain(Raw),
    Compressed(Box<Members<BufReader<Raw>>>),
    Text(Box<Text>),
}

impl Input {
    /// Looks at the first bytes, not at a name, to tell whether the file is compressed.
    pub(super) fn open(
        input: Box<dyn Read + Send>,
        limits: Limits,
    ) -> Result<(Self, Compression), FormatError> {
        let meter = Arc::new(Meter::new(limits));
        Self::detect(input, Some(Arc::clone(&meter)), meter)
    }

    /// The same for a file that is within another, whose meter counts for both.
    pub(super) fn open_within(
        input: Box<dyn Read + Send>,
        meter: Arc<Meter>,
    ) -> Result<(Self, Compression), FormatError> {
        Self::detect(input, None, meter)
    }

    fn detect(
        mut input: Box<dyn Read + Send>,
        stored: Option<Arc<Meter>>,
        meter: Arc<Meter>,
    ) -> Result<(Self, Compression), FormatError> {
        let mut head = Vec::with_capacity(Compression::HEAD);
        (&mut input)
            .take(Compression::HEAD as u64)
            .read_to_end(&mut head)
            .map_err(FormatError::of_io)?;
        let compression = Compression::of(&head);
        let raw = Raw { inner: Cursor::new(head).chain(input), meter: stored };
        let mut opened = Self::new(raw, compression, meter);
        if compression != Compression::None {
            let inner = Compression::of(opened.peek(Compression::HEAD)?);
            if inner != Compression::None {
                return Err(FormatError::CompressedTwice { outer: compression, inner });
            }
        }
        Ok((opened, compression))
    }

    /// The bytes of a file that was opened before, or of the rest of it.
    pub(super) fn begin(
        input: Box<dyn Read + Send>,
        compression: Compression,
        limits: Limits,
    ) -> Self {
        let meter = Arc::new(Meter::new(limits));
        let inner = Cursor::new(Vec::new()).chain(input);
        Self::new(Raw { inner, meter: Some(Arc::clone(&meter)) }, compression, meter)
    }

    fn new(raw: Raw, compression: Compression, meter: Arc<Meter>) -> Self {
        let stream = match compression {
            Compression::None => Stream::Plain(raw),
            _ => {
                let buffered = BufReader::with_capacity(COMPRESSED_BUFFER, raw);
                let memory = meter.limits().max_decoder_bytes;
                Stream::Compressed(Box::new(Members::new(compression, buffered, memory)))
            }
        };
        Self { peeked: Vec::new(), passed: 0, stream, meter }
    }

    /// The same bytes as text in UTF-8.
    pub(super) fn text(text: Text, meter: Arc<Meter>) -> Self {
        Self { peeked: Vec::new(), passed: 0, stream: Stream::Text(Box::new(text)), meter }
    }

    /// The encoding of the text and the offset behind which it counts, if it is one that is looked
    /// for on the way and shows by now.
    pub(super) fn encoding(&self) -> Option<(Encoding, u64)> {
        match &self.stream {
            Stream::Text(text) => text.encoding(),
            Stream::Plain(_) | Stream::Compressed(_) => None,
        }
    }

    /// What counts for the whole file.
    pub(super) fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// Passes over bytes.
    pub(super) fn skip(&mut self, mut left: u64) -> Result<(), FormatError> {
        let mut passed = vec![0; COMPRESSED_BUFFER];
        while left > 0 {
            let most = usize::try_from(left).map_or(passed.len(), |left| left.min(passed.len()));
            let n = self.fill(&mut passed[..most])?;
            if n == 0 {
                let cause = "the file ends before the place at which to go on";
                return Err(FormatError::Read(io::Error::new(io::ErrorKind::UnexpectedEof, cause)));
            }
            left -= n as u64;
        }
        Ok(())
    }

    /// Fills `into` as far as there are bytes; less than its length only at the end of the file.
    pub(super) fn fill(&mut self, into: &mut [u8]) -> Result<usize, FormatError> {
        let mut filled = 0;
        while filled < into.len() {
            let n = self.read(&mut into[filled..])?;
            if n == 0 {
                break;
            }
            filled += n;
        }
        Ok(filled)
    }

    /// The next bytes, which are read again afterwards: `most` of them, or all there are.
    pub(super) fn peek(&mut self, most: usize) -> Result<&[u8], FormatError> {
        let mut head = vec![0; most.max(self.peeked.len() - self.passed)];
        let length = self.fill(&mut head)?;
        head.truncate(length);
        (self.peeked, self.passed) = (head, 0);
        Ok(&self.peeked[..most.min(self.peeked.len())])
    }

    /// Takes back bytes that were read, to be read again.
    pub(super) fn unread(&mut self, bytes: &[u8]) {
        let mut peeked = bytes.to_vec();
        peeked.extend_from_slice(&self.peeked[self.passed..]);
        (self.peeked, self.passed) = (peeked, 0);
    }

    /// Some bytes; none at the end of the file.
    pub(super) fn read(&mut self, into: &mut [u8]) -> Result<usize, FormatError> {
        if self.passed < self.peeked.len() {
            let n = into.len().min(self.peeked.len() - self.passed);
            into[..n].copy_from_slice(&self.peeked[self.passed..][..n]);
            self.passed += n;
            if self.passed == self.peeked.len() {
                self.peeked = Vec::new();
                self.passed = 0;
            }
            return Ok(n);
        }
        match &mut self.stream {
            Stream::Plain(raw) => raw
                .read(into)
                .map_err(|cause| FormatError::of_input(cause).unwrap_or_else(FormatError::Read)),
            Stream::Compressed(members) => {
                let n = members.read(into)?;
                self.meter.expand(n as u64)?;
                Ok(n)
            }
            Stream::Text(text) => text.read(into),
        }
    }
}
