//! A window that slides over the bytes of a file: what is read of one thing lies in one piece.

use super::FormatError;
use super::input::Input;
use crate::catalog::Encoding;

/// The first size. It grows only for something that does not fit.
const SIZE: usize = 256 << 10;

pub(super) struct Window {
    input: Input,
    buffer: Vec<u8>,
    /// Bytes of the buffer that are data.
    filled: usize,
    /// Bytes, from the beginning, that are UTF-8. It is cheaper to look at a whole buffer than at
    /// each piece of it; what lies beyond is looked at by itself.
    valid: usize,
    /// Nothing follows the data in the buffer.
    ended: bool,
    /// Bytes that may be kept at once.
    most: usize,
    /// The encoding as it was known where reading goes on.
    known: Option<Encoding>,
}

/// More would have to be kept at once than is allowed.
pub(super) struct Full;

impl Window {
    /// A window that keeps `most` bytes, and some more for what follows them.
    pub(super) fn open(input: Input, most: usize) -> Result<Self, FormatError> {
        let mut window = Self {
            input,
            buffer: vec![0; SIZE.min(most + 2)],
            filled: 0,
            valid: 0,
            ended: false,
            most: most + 2,
            known: None,
        };
        window.fill()?;
        Ok(window)
    }

    /// Takes note of the encoding that was known where reading goes on.
    pub(super) fn know(&mut self, encoding: Option<Encoding>) {
        self.known = encoding;
    }

    /// What is known of the encoding at an offset in the file.
    pub(super) fn encoding_at(&self, offset: u64) -> Option<Encoding> {
        let shown = self.input.encoding().filter(|(_, from)| offset > *from);
        shown.map(|(encoding, _)| encoding).or(self.known)
    }

    /// The bytes at hand.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    /// Whether nothing follows them.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// The first byte of `start..end` that is not UTF-8.
    pub(super) fn not_utf8(&self, start: usize, end: usize) -> Option<usize> {
        if end <= self.valid {
            return None;
        }
        let bytes = &self.buffer[start..end];
        std::str::from_utf8(bytes).err().map(|error| start + error.valid_up_to())
    }

    /// Lets go of the bytes before `keep`, which becomes the place 0, and adds what follows.
    pub(super) fn more(&mut self, keep: usize) -> Result<Result<(), Full>, FormatError> {
        self.buffer.copy_within(keep..self.filled, 0);
        self.filled -= keep;
        if self.filled == self.buffer.len() {
            if self.filled >= self.most {
                return Ok(Err(Full));
            }
            self.buffer.resize(self.most.min(self.filled * 2), 0);
        }
        self.fill()?;
        Ok(Ok(()))
    }

    fn fill(&mut self) -> Result<(), FormatError> {
        self.filled += self.input.fill(&mut self.buffer[self.filled..])?;
        self.ended = self.filled < self.buffer.len();
        self.valid = match std::str::from_utf8(self.bytes()) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        Ok(())
    }
}
