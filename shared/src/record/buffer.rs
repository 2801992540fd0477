//! A byte buffer for very many very short writes.
//!
//! A `Vec` copies each cell with a call of `memcpy`, which for ten bytes costs more than the bytes.
//! Here the room behind the text is initialised in advance, so that short pieces are copied as whole
//! words that may reach beyond their end: the next piece overwrites what is too much.

/// Bytes behind the text that are always there to be written over.
const SLACK: usize = 16;

/// Text, and room behind it.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    length: usize,
}

impl Buffer {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self { bytes: vec![0; capacity + SLACK], length: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn capacity(&self) -> usize {
        self.bytes.len().saturating_sub(SLACK)
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    pub(super) fn into_vec(mut self) -> Vec<u8> {
        self.bytes.truncate(self.length);
        self.bytes
    }

    /// Takes back all but the first `length` bytes.
    pub(super) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    #[inline(always)]
    pub(super) fn push(&mut self, byte: u8) {
        self.room(1)[0] = byte;
        self.length += 1;
    }

    /// Appends a piece of any length.
    #[inline]
    pub(super) fn extend_from_slice(&mut self, piece: &[u8]) {
        self.room(piece.len())[..piece.len()].copy_from_slice(piece);
        self.length += piece.len();
    }

    /// Appends a piece that was prepared for quick copying.
    #[inline(always)]
    pub(super) fn extend_from_padded(&mut self, piece: &Padded) {
        self.extend_from_padded_with(piece, 0);
    }

    /// The same, when `more` bytes are going to follow: makes room for all at once.
    #[inline(always)]
    pub(super) fn extend_from_padded_with(&mut self, piece: &Padded, more: usize) {
        let (words, _) = self.room(piece.length + more).as_chunks_mut::<SLACK>();
        for (to, from) in words.iter_mut().zip(&piece.words) {
            *to = *from;
        }
        self.length += piece.length;
    }

    /// The room behind the text: at least `needed` bytes, and [`SLACK`].
    #[inline(always)]
    pub(super) fn room(&mut self, needed: usize) -> &mut [u8] {
        if self.bytes.len() - self.length < needed + SLACK {
            self.grow(needed);
        }
        &mut self.bytes[self.length..]
    }

    /// Says that `length` bytes of the room were written.
    #[inline(always)]
    pub(super) fn advance(&mut self, length: usize) {
        debug_assert!(self.length + length <= self.bytes.len());
        self.length += length;
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, needed: usize) {
        self.bytes.resize((2 * self.bytes.len()).max(self.length + needed + SLACK), 0);
    }
}

/// A constant piece, in whole words.
#[derive(Clone, Debug, Default)]
pub(super) struct Padded {
    words: Vec<[u8; SLACK]>,
    length: usize,
}

impl Padded {
    pub(super) fn new(piece: &[u8]) -> Self {
        let word = |part: &[u8]| {
            let mut word = [0; SLACK];
            word[..part.len()].copy_from_slice(part);
            word
        };
        Self { words: piece.chunks(SLACK).map(word).collect(), length: piece.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_follow_each_other() {
        for capacity in [0, 10, 1000] {
            let mut buffer = Buffer::with_capacity(capacity);
            let mut expected = Vec::new();
            for length in 0..100_u8 {
                let piece: Vec<u8> = (0..length).collect();
                buffer.extend_from_slice(&piece);
                buffer.push(b'x');
                buffer.extend_from_padded(&Padded::new(&piece));
                expected.extend([piece.as_slice(), b"x", piece.as_slice()].concat());
                assert_eq!(buffer.as_slice(), expected);
            }
            buffer.truncate(7);
            buffer.truncate(9);
            assert_eq!((buffer.len(), buffer.into_vec()), (7, expected[..7].to_vec()));
        }
    }
}
