//! The decompressed bytes of a file, within limits.

use std::io::{self, BufReader, Cursor, Read};

use super::gzip::{self, Gzip};
use super::{Compression, FormatError, Limit, Limits};

/// Compressed bytes that are asked for at a time.
const COMPRESSED_BUFFER: usize = 64 << 10;

/// The bytes of a file as they come, counted.
pub(super) struct Raw {
    inner: io::Chain<Cursor<Vec<u8>>, Box<dyn Read + Send>>,
    bytes: u64,
}

/// The input itself failed, as opposed to what a decoder thinks of its bytes: both would otherwise
/// look like the same kind of [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct InputFailed(io::Error);

impl InputFailed {
    fn wrap(cause: io::Error) -> io::Error {
        io::Error::new(cause.kind(), Self(cause))
    }

    /// The input's own error, or else the error as it was.
    pub(super) fn unwrap(cause: io::Error) -> Result<io::Error, io::Error> {
        cause.downcast::<Self>().map(|failed| failed.0)
    }
}

impl Read for Raw {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.inner.read(into) {
                Ok(n) => {
                    self.bytes += n as u64;
                    return Ok(n);
                }
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(InputFailed::wrap(cause)),
            }
        }
    }
}

/// The decompressed bytes of a file.
pub(super) struct Input {
    /// Bytes that were looked at, and how many of them were read since.
    peeked: Vec<u8>,
    passed: usize,
    stream: Stream,
    limits: Limits,
    expanded: u64,
}

enum Stream {
    Plain(Raw),
    Gzip(Box<Gzip<BufReader<Raw>>>),
}

impl Input {
    /// Looks at the first bytes, not at a name, to tell whether the file is compressed.
    pub(super) fn open(
        mut input: Box<dyn Read + Send>,
        limits: Limits,
    ) -> Result<(Self, Compression), FormatError> {
        let mut head = Vec::with_capacity(2);
        (&mut input).take(2).read_to_end(&mut head).map_err(FormatError::Read)?;
        // No text begins with 1f, so that alone is a gzip file cut after its first byte.
        let compressed = head == gzip::MAGIC || head == gzip::MAGIC[..1];
        let compression = if compressed { Compression::Gzip } else { Compression::None };
        Ok((Self::new(head, input, compression, limits), compression))
    }

    /// Goes on at an offset in the decompressed bytes. `input` begins there, or at the beginning of
    /// the file if it is compressed: there is no way into the middle of a gzip stream.
    pub(super) fn resume(
        input: Box<dyn Read + Send>,
        compression: Compression,
        offset: u64,
        limits: Limits,
    ) -> Result<Self, FormatError> {
        let mut input = Self::new(Vec::new(), input, compression, limits);
        let mut left = if compression == Compression::None { 0 } else { offset };
        let mut passed = vec![0; COMPRESSED_BUFFER];
        while left > 0 {
            let most = usize::try_from(left).map_or(passed.len(), |left| left.min(passed.len()));
            let n = input.fill(&mut passed[..most])?;
            if n == 0 {
                let cause = "the file ends before the place at which to go on";
                return Err(FormatError::Read(io::Error::new(io::ErrorKind::UnexpectedEof, cause)));
            }
            left -= n as u64;
        }
        Ok(input)
    }

    fn new(
        head: Vec<u8>,
        input: Box<dyn Read + Send>,
        compression: Compression,
        limits: Limits,
    ) -> Self {
        let raw = Raw { inner: Cursor::new(head).chain(input), bytes: 0 };
        let stream = match compression {
            Compression::None => Stream::Plain(raw),
            Compression::Gzip => {
                let buffered = BufReader::with_capacity(COMPRESSED_BUFFER, raw);
                Stream::Gzip(Box::new(Gzip::new(buffered)))
            }
        };
        Self { peeked: Vec::new(), passed: 0, stream, limits, expanded: 0 }
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

    /// The first bytes, which are read again afterwards: `most` of them, or all there are.
    pub(super) fn peek(&mut self, most: usize) -> Result<&[u8], FormatError> {
        let mut head = vec![0; most];
        let length = self.fill(&mut head)?;
        head.truncate(length);
        (self.peeked, self.passed) = (head, 0);
        Ok(&self.peeked)
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
            Stream::Plain(raw) => raw.read(into).map_err(|cause| {
                FormatError::Read(InputFailed::unwrap(cause).unwrap_or_else(|e| e))
            }),
            Stream::Gzip(gzip) => {
                let n = gzip.read(into)?;
                self.expanded += n as u64;
                let compressed = gzip.input().map_or(0, |input| input.get_ref().bytes);
                check_expansion(self.expanded, compressed, &self.limits)?;
                Ok(n)
            }
        }
    }
}

fn check_expansion(expanded: u64, compressed: u64, limits: &Limits) -> Result<(), FormatError> {
    let passed = match limits.max_expanded_bytes {
        Some(most) if expanded > most => Some(Limit { setting: "max_expanded_bytes", value: most }),
        _ if expanded > Limits::RATIO_FROM && expanded / compressed.max(1) >= limits.max_ratio => {
            Some(Limit { setting: "max_ratio", value: limits.max_ratio })
        }
        _ => None,
    };
    match passed {
        Some(limit) => Err(FormatError::ExpandsTooFar { expanded, compressed, limit }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bomb_is_stopped_and_a_repetitive_file_is_not() {
        let limits = Limits::default();
        assert!(check_expansion(10 << 20, 10_000, &limits).is_ok(), "small: any ratio");
        assert!(check_expansion(1 << 30, 10 << 20, &limits).is_ok(), "100:1 is ordinary");
        let error = check_expansion(1 << 30, 1 << 20, &limits).expect_err("a bomb");
        assert!(error.to_string().contains("max_ratio = 500"), "{error}");
        let limits = Limits { max_expanded_bytes: Some(100), ..limits };
        let error = check_expansion(101, 50, &limits).expect_err("too much");
        assert!(error.to_string().contains("max_expanded_bytes = 100"), "{error}");
    }
}
