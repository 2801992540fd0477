//! Gzip as it is found in buckets: several members in a row, perhaps padded with zeros.
//!
//! Tools concatenate gzip files (`cat a.gz b.gz`), and bgzip writes thousands of small members; a
//! decoder that stops after the first would lose the rest in silence. Zeros after the last member
//! are padding (tapes, block stores) and are allowed, as `gzip` itself allows them; anything else is
//! an error. Each member's checksum and length are verified, so a cut or damaged file never ends
//! like a whole one.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use super::FormatError;
use super::input::InputFailed;

/// The first byte of every member.
pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The expanded bytes of a gzip file.
pub(super) struct Gzip<R> {
    state: State<R>,
    members: u64,
    expanded: u64,
}

enum State<R> {
    /// Within a member.
    Member(Box<GzDecoder<R>>),
    /// Before a member, or at the end.
    Between(R),
    /// Only while a state is taken out to be replaced.
    Taken,
}

impl<R: BufRead> Gzip<R> {
    pub(super) fn new(input: R) -> Self {
        Self { state: State::Between(input), members: 0, expanded: 0 }
    }

    /// The compressed input.
    pub(super) fn input(&self) -> Option<&R> {
        match &self.state {
            State::Member(decoder) => Some(decoder.get_ref()),
            State::Between(input) => Some(input),
            State::Taken => None,
        }
    }

    /// Reads expanded bytes; 0 only at the end of the last member.
    pub(super) fn read(&mut self, into: &mut [u8]) -> Result<usize, FormatError> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            match std::mem::replace(&mut self.state, State::Taken) {
                State::Member(mut decoder) => match decoder.read(into) {
                    Ok(0) => self.state = State::Between(decoder.into_inner()),
                    Ok(n) => {
                        self.expanded += n as u64;
                        self.state = State::Member(decoder);
                        return Ok(n);
                    }
                    Err(cause) => return Err(self.error(cause)),
                },
                State::Between(mut input) => {
                    let first =
                        input.fill_buf().map_err(|cause| self.error(cause))?.first().copied();
                    match first {
                        None => {
                            self.state = State::Between(input);
                            return Ok(0);
                        }
                        Some(byte) if byte == MAGIC[0] => {
                            self.members += 1;
                            self.state = State::Member(Box::new(GzDecoder::new(input)));
                        }
                        Some(0) if self.members > 0 => {
                            self.skip_padding(&mut input)?;
                            self.state = State::Between(input);
                            return Ok(0);
                        }
                        Some(_) => {
                            return Err(FormatError::GzipTrailing { expanded: self.expanded });
                        }
                    }
                }
                State::Taken => return Err(FormatError::GzipTruncated { expanded: self.expanded }),
            }
        }
    }

    /// Passes over zeros up to the end of the file.
    fn skip_padding(&self, input: &mut R) -> Result<(), FormatError> {
        loop {
            let bytes = input.fill_buf().map_err(|cause| self.error(cause))?;
            if bytes.is_empty() {
                return Ok(());
            }
            if bytes.iter().any(|byte| *byte != 0) {
                return Err(FormatError::GzipTrailing { expanded: self.expanded });
            }
            let length = bytes.len();
            input.consume(length);
        }
    }

    fn error(&self, cause: io::Error) -> FormatError {
        let expanded = self.expanded;
        match InputFailed::unwrap(cause) {
            Ok(cause) => FormatError::Read(cause),
            Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
                FormatError::GzipTruncated { expanded }
            }
            Err(cause) if self.members > 1 && cause.to_string() == "invalid gzip header" => {
                FormatError::GzipTrailing { expanded }
            }
            Err(cause) => FormatError::GzipCorrupt { expanded, cause: cause.to_string() },
        }
    }
}
