//! Text in UTF-8, out of bytes in some encoding.

use encoding_rs::{Decoder, DecoderResult};

use super::{Decided, Found, WINDOW, detect};
use crate::catalog::Encoding;
use crate::format::FormatError;
use crate::format::input::Input;

/// Bytes decoded at a time.
const PIECE: usize = 32 << 10;

/// What stands for a malformed sequence: a byte that is nowhere in UTF-8.
const MALFORMED: u8 = 0xff;

/// The bytes of a text in UTF-8.
pub(in crate::format) struct Text {
    input: Input,
    state: State,
    /// The offset of the first byte that is not ASCII, once there was one; until then, that of the
    /// next byte.
    first: u64,
}

enum State {
    /// Nothing but ASCII so far: the bytes are as they are in every encoding left.
    Ascii(Decided, Option<Encoding>),
    Utf8,
    Decoding(Box<Decoding>),
}

struct Decoding {
    decoder: Decoder,
    /// Bytes to decode, from `start` on.
    raw: Vec<u8>,
    start: usize,
    /// Nothing follows them.
    last: bool,
    ended: bool,
    /// Decoded bytes, of which those before `passed` were given out.
    out: Vec<u8>,
    filled: usize,
    passed: usize,
}

impl Text {
    /// Bytes that begin at this offset, are ASCII up to there, and may turn out to be anything.
    pub(super) fn undecided(
        input: Input,
        offset: u64,
        expected: Option<Encoding>,
        decided: Decided,
    ) -> Self {
        Self { input, state: State::Ascii(decided, expected), first: offset }
    }

    /// Bytes in a known encoding.
    pub(super) fn decoded(input: Input, encoding: Encoding) -> Self {
        let state = State::Decoding(Box::new(Decoding::new(encoding)));
        Self { input, state, first: 0 }
    }

    /// The encoding and the offset behind which it counts, once it shows.
    pub(in crate::format) fn encoding(&self) -> Option<(Encoding, u64)> {
        match &self.state {
            State::Ascii(..) => None,
            State::Utf8 => Some((Encoding::UTF_8, self.first)),
            State::Decoding(decoding) => Some((decoding.decoder.encoding().into(), self.first)),
        }
    }

    /// Some bytes; none at the end of the file.
    pub(in crate::format) fn read(&mut self, into: &mut [u8]) -> Result<usize, FormatError> {
        match &mut self.state {
            State::Utf8 => self.input.read(into),
            State::Decoding(decoding) => decoding.read(&mut self.input, into),
            State::Ascii(..) => {
                let read = self.input.read(into)?;
                if into[..read].is_ascii() {
                    self.first += read as u64;
                    return Ok(read);
                }
                let ascii = into[..read].iter().take_while(|byte| byte.is_ascii()).count();
                self.input.unread(&into[ascii..read]);
                self.first += ascii as u64;
                if ascii > 0 {
                    return Ok(ascii);
                }
                self.decide()?;
                self.read(into)
            }
        }
    }

    /// Decides by what begins with the first byte that is not ASCII.
    fn decide(&mut self) -> Result<(), FormatError> {
        let State::Ascii(decided, expected) = &self.state else { return Ok(()) };
        let window = self.input.peek(WINDOW)?;
        let (encoding, why) = detect::beyond_ascii(window, 0, window.len() < WINDOW, *expected);
        let why = format!("{why}, the first of them at byte {}", self.first);
        decided.get_or_init(|| Found { encoding, why });
        self.state = match encoding == Encoding::UTF_8 {
            true => State::Utf8,
            false => State::Decoding(Box::new(Decoding::new(encoding))),
        };
        Ok(())
    }
}

impl Decoding {
    fn new(encoding: Encoding) -> Self {
        let decoder = encoding.get().new_decoder_with_bom_removal();
        Self {
            decoder,
            raw: Vec::new(),
            start: 0,
            last: false,
            ended: false,
            out: vec![0; 2 * PIECE],
            filled: 0,
            passed: 0,
        }
    }

    fn read(&mut self, input: &mut Input, into: &mut [u8]) -> Result<usize, FormatError> {
        while self.passed == self.filled {
            if self.ended {
                return Ok(0);
            }
            self.decode(input)?;
        }
        let n = into.len().min(self.filled - self.passed);
        into[..n].copy_from_slice(&self.out[self.passed..][..n]);
        self.passed += n;
        Ok(n)
    }

    /// Decodes until there is something, or nothing is left.
    fn decode(&mut self, input: &mut Input) -> Result<(), FormatError> {
        (self.filled, self.passed) = (0, 0);
        if self.start == self.raw.len() && !self.last {
            self.raw.resize(PIECE, 0);
            let read = input.fill(&mut self.raw)?;
            self.raw.truncate(read);
            self.start = 0;
            self.last = read < PIECE;
        }
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
            &self.raw[self.start..],
            &mut self.out[..2 * PIECE - 1],
            self.last,
        );
        self.start += read;
        self.filled = written;
        match result {
            DecoderResult::InputEmpty => self.ended = self.last,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => {
                self.out[self.filled] = MALFORMED;
                self.filled += 1;
            }
        }
        Ok(())
    }
}
