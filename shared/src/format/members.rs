//! Compressed bytes as they are found in buckets: several members in a row, perhaps padded with zeros.
//!
//! Tools concatenate compressed files (`cat a.gz b.gz`), bgzip, pbzip2 and pzstd write thousands of
//! small members; a decoder that stops after the first would lose the rest in silence. (A member is
//! called frame in zstd, stream in bzip2 and xz.) Zeros after the last member are padding (tapes,
//! block stores) and are allowed, as `gzip` itself allows them; anything else is an error. Each
//! member's checksum is verified, so a cut or damaged file never ends like a whole one.

use std::io::{self, BufRead, Read};

use bzip2::bufread::BzDecoder;
use flate2::bufread::GzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::Stream;
use zstd::stream::raw::DParameter;
use zstd::stream::zio;

use super::{Compression, FormatError, Limit};

/// What zstd says of a frame that needs more memory than it may have.
const ZSTD_WINDOW: &str = "Frame requires too much memory for decoding";

/// The expanded bytes of a compressed file.
pub(super) struct Members<R> {
    compression: Compression,
    /// Bytes of memory that a decoder may take for what it must remember.
    memory: u64,
    state: State<R>,
    members: u64,
    expanded: u64,
}

enum State<R> {
    /// Within a member.
    Member(Box<Decoder<R>>),
    /// Before a member, or at the end.
    Between(R),
    /// Only while a state is taken out to be replaced, and after an error.
    Taken,
}

/// The decoder of one member: it reads no byte beyond, and ends only where the checksum is right.
enum Decoder<R> {
    Stored(R),
    Gzip(GzDecoder<R>),
    Zstd(zio::Reader<R, zstd::stream::raw::Decoder<'static>>),
    Bzip2(BzDecoder<R>),
    Xz(XzDecoder<R>),
}

impl<R: BufRead> Decoder<R> {
    fn new(compression: Compression, input: R, memory: u64) -> io::Result<Self> {
        Ok(match compression {
            Compression::None => Self::Stored(input),
            Compression::Gzip => Self::Gzip(GzDecoder::new(input)),
            Compression::Zstd => {
                let mut decoder = zstd::stream::raw::Decoder::new()?;
                decoder.set_parameter(DParameter::WindowLogMax(memory.ilog2().clamp(10, 31)))?;
                let mut frame = zio::Reader::new(input, decoder);
                frame.set_single_frame();
                Self::Zstd(frame)
            }
            Compression::Bzip2 => Self::Bzip2(BzDecoder::new(input)),
            Compression::Xz => {
                Self::Xz(XzDecoder::new_stream(input, Stream::new_stream_decoder(memory, 0)?))
            }
        })
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stored(input) => input.read(into),
            Self::Gzip(decoder) => decoder.read(into),
            Self::Zstd(decoder) => decoder.read(into),
            Self::Bzip2(decoder) => decoder.read(into),
            Self::Xz(decoder) => decoder.read(into),
        }
    }

    fn into_inner(self) -> R {
        match self {
            Self::Stored(input) => input,
            Self::Gzip(decoder) => decoder.into_inner(),
            Self::Zstd(decoder) => decoder.into_inner(),
            Self::Bzip2(decoder) => decoder.into_inner(),
            Self::Xz(decoder) => decoder.into_inner(),
        }
    }
}

impl<R: BufRead> Members<R> {
    pub(super) fn new(compression: Compression, input: R, memory: u64) -> Self {
        let memory = memory.max(1);
        Self { compression, memory, state: State::Between(input), members: 0, expanded: 0 }
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
                        Some(0) if self.members > 0 => {
                            self.skip_padding(&mut input)?;
                            self.state = State::Between(input);
                        }
                        Some(byte) if self.members == 0 || self.may_begin_with(byte) => {
                            self.members += 1;
                            let decoder = Decoder::new(self.compression, input, self.memory)
                                .map_err(|cause| self.error(cause))?;
                            self.state = State::Member(Box::new(decoder));
                        }
                        Some(_) => return Err(self.trailing()),
                    }
                }
                State::Taken => return Err(self.truncated()),
            }
        }
    }

    /// Whether a further member may begin with this byte.
    fn may_begin_with(&self, byte: u8) -> bool {
        match self.compression {
            Compression::None => false,
            Compression::Gzip => byte == 0x1f,
            Compression::Zstd => byte == 0x28 || byte & 0xf0 == 0x50,
            Compression::Bzip2 => byte == b'B',
            Compression::Xz => byte == 0xfd,
        }
    }

    /// Passes over zeros: up to the end of the file, or, as xz pads each stream, up to the next.
    fn skip_padding(&self, input: &mut R) -> Result<(), FormatError> {
        loop {
            let bytes = input.fill_buf().map_err(|cause| self.error(cause))?;
            if bytes.is_empty() {
                return Ok(());
            }
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            let other = bytes.get(zeros).copied();
            input.consume(zeros);
            match other {
                None => {}
                Some(byte) if self.compression == Compression::Xz && self.may_begin_with(byte) => {
                    return Ok(());
                }
                Some(_) => return Err(self.trailing()),
            }
        }
    }

    fn truncated(&self) -> FormatError {
        FormatError::Truncated { compression: self.compression, expanded: self.expanded }
    }

    fn trailing(&self) -> FormatError {
        FormatError::Trailing { compression: self.compression, expanded: self.expanded }
    }

    fn error(&self, cause: io::Error) -> FormatError {
        let (compression, expanded) = (self.compression, self.expanded);
        let cause = match FormatError::of_input(cause) {
            Ok(error) => return error,
            Err(cause) => cause,
        };
        if cause.kind() == io::ErrorKind::UnexpectedEof {
            return self.truncated();
        }
        let xz = cause.get_ref().and_then(|inner| inner.downcast_ref());
        let said = cause.to_string();
        if matches!(xz, Some(liblzma::stream::Error::MemLimit)) || said == ZSTD_WINDOW {
            let limit = Limit { setting: "max_decoder_bytes", value: self.memory };
            return FormatError::DecoderMemory { compression, limit };
        }
        // What follows a whole member and is not even the beginning of another.
        let no_member = said == "invalid gzip header"
            || said == "Unknown frame descriptor"
            || said == "bzip2: bz2 header missing"
            || matches!(xz, Some(liblzma::stream::Error::Format));
        if self.members > 1 && no_member {
            return self.trailing();
        }
        FormatError::Corrupt { compression, expanded, cause: said }
    }
}
