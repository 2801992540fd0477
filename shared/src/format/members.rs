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

    /// Passes over zeros: up to the end of the file, or, as xz pads each stream by four bytes or a multiple
    /// of it, up to the next. (<https://tukaani.org/xz/xz-file-format.txt>, 2.2)
    fn skip_padding(&self, input: &mut R) -> Result<(), FormatError> {
        let mut padding = 0;
        loop {
            let bytes = input.fill_buf().map_err(|cause| self.error(cause))?;
            if bytes.is_empty() {
                return Ok(());
            }
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            let other = bytes.get(zeros).copied();
            input.consume(zeros);
            padding += zeros;
            let padded = self.compression == Compression::Xz && padding.is_multiple_of(4);
            match other {
                None => {}
                Some(byte) if padded && self.may_begin_with(byte) => return Ok(()),
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

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;

    const ALL: [Compression; 4] =
        [Compression::Gzip, Compression::Zstd, Compression::Bzip2, Compression::Xz];

    fn compress(compression: Compression, bytes: &[u8]) -> Vec<u8> {
        match compression {
            Compression::None => bytes.to_vec(),
            Compression::Gzip => {
                let level = flate2::Compression::default();
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
                encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory")
            }
            Compression::Zstd => {
                let mut encoder = zstd::Encoder::new(Vec::new(), 3).expect("memory");
                encoder.include_checksum(true).expect("memory");
                encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory")
            }
            Compression::Bzip2 => {
                let level = bzip2::Compression::fast();
                let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), level);
                encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory")
            }
            Compression::Xz => {
                let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
                encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory")
            }
        }
    }

    fn expand_with(
        compression: Compression,
        bytes: &[u8],
        memory: u64,
    ) -> Result<Vec<u8>, FormatError> {
        let mut members = Members::new(compression, Cursor::new(bytes), memory);
        let (mut out, mut piece) = (Vec::new(), [0; 100]);
        loop {
            match members.read(&mut piece)? {
                0 => return Ok(out),
                n => out.extend_from_slice(&piece[..n]),
            }
        }
    }

    fn expand(compression: Compression, bytes: &[u8]) -> Result<Vec<u8>, FormatError> {
        expand_with(compression, bytes, 72 << 20)
    }

    fn text() -> Vec<u8> {
        (0..300).flat_map(|n| format!("{n},{}\n", n * 7919 % 1000).into_bytes()).collect()
    }

    #[test]
    fn all_members_are_read_and_padding_is_passed_over() {
        let text = text();
        for compression in ALL {
            let (one, empty) = (compress(compression, &text), compress(compression, b""));
            assert_eq!(expand(compression, &one).expect("whole"), text, "{compression}");
            let many = [&empty[..], &one, &empty, &one, &empty].concat();
            let twice = [&text[..], &text].concat();
            assert_eq!(expand(compression, &many).expect("whole"), twice, "{compression}");
            let padded = [many, vec![0; 10_000]].concat();
            assert_eq!(expand(compression, &padded).expect("whole"), twice, "{compression}");
            assert!(expand(compression, &empty).expect("whole").is_empty());
        }
        // Xz pads each stream by itself.
        let one = compress(Compression::Xz, &text);
        let padded = [&one[..], &[0; 8], &one].concat();
        assert_eq!(expand(Compression::Xz, &padded).expect("whole").len(), 2 * text.len());
        // Frames that say nothing, before, between and after.
        let frame = compress(Compression::Zstd, &text);
        let nothing = [&b"\x53\x2a\x4d\x18\x05\0\0\0"[..], b"12345"].concat();
        let frames = [&nothing[..], &frame, &nothing, &frame, &nothing].concat();
        assert_eq!(expand(Compression::Zstd, &frames).expect("whole").len(), 2 * text.len());
    }

    #[test]
    fn padding_between_xz_streams_that_is_no_multiple_of_four_is_not_passed_over() {
        let one = compress(Compression::Xz, &text());
        for zeros in [1, 2, 3, 5, 7] {
            let error = expand(Compression::Xz, &[&one[..], &vec![0; zeros], &one].concat());
            assert_eq!(error.expect_err("no padding").code(), "xz_trailing_bytes");
        }
    }

    #[test]
    fn what_follows_the_last_member_is_an_error() {
        for compression in ALL {
            let one = compress(compression, &text());
            for garbage in [
                &b"x"[..],
                b"a,b\n1,2\n",
                b"\0\0x",
                b"\x1fx rest of a line, long enough",
                &one[1..],
            ] {
                let error = expand(compression, &[&one[..], garbage].concat());
                let code = error.expect_err("garbage").code();
                assert_eq!(code, format!("{compression}_trailing_bytes"), "{garbage:?}");
            }
        }
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_an_error_or_changes_nothing() {
        let text = text();
        for compression in ALL {
            let whole = compress(compression, &text);
            for cut in 1..whole.len() {
                let error = expand(compression, &whole[..cut]).expect_err("cut");
                let code = error.code();
                assert_eq!(code, format!("{compression}_truncated"), "cut at {cut}: {error}");
            }
            for at in 0..whole.len() {
                let mut damaged = whole.clone();
                damaged[at] ^= 1 << (at % 8);
                if let Ok(out) = expand(compression, &damaged) {
                    // Fields that describe nothing: the time, the system.
                    assert_eq!(out, text, "{compression}, flipped at {at}");
                }
            }
        }
    }

    #[test]
    fn a_decoder_that_asks_for_too_much_memory_is_refused() {
        let text = text();
        let mut zstd = zstd::Encoder::new(Vec::new(), 1).expect("memory");
        zstd.window_log(27).expect("a window");
        let zstd = zstd.write_all(&text).and_then(|()| zstd.finish()).expect("memory");
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 6);
        let xz = xz.write_all(&text).and_then(|()| xz.finish()).expect("memory");
        for (compression, bytes) in [(Compression::Zstd, zstd), (Compression::Xz, xz)] {
            assert!(expand_with(compression, &bytes, 200 << 20).is_ok());
            let error = expand_with(compression, &bytes, 4 << 20).expect_err("too much");
            assert_eq!(error.code(), "decoder_memory", "{error}");
            assert!(error.to_string().contains("max_decoder_bytes = 4194304"), "{error}");
        }
    }
}
