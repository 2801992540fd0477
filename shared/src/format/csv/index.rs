//! Where the bytes that can end a cell are: the delimiter, quotes and line ends.
//!
//! Looking at bytes one at a time is what makes CSV slow. Here 64 bytes at a time are compared with
//! the four that matter, in a loop that compilers turn into vector instructions, and the places
//! that match are listed; the splitter then goes from place to place. Blocks are small, so that the
//! list and the bytes it speaks of stay in the fastest cache.

/// Bytes listed at a time.
const BLOCK: usize = 8 << 10;

/// The places in a buffer that matter to the splitter, in order, found as they are asked for.
pub(super) struct Index {
    delimiter: u8,
    places: Box<[u32; BLOCK]>,
    count: usize,
    next: usize,
    /// Bytes of the buffer that have been looked at.
    seen: usize,
}

impl Index {
    pub(super) fn new(delimiter: u8) -> Self {
        Self { delimiter, places: Box::new([0; BLOCK]), count: 0, next: 0, seen: 0 }
    }

    /// Begins again at `from`, because the buffer or the place in it changed.
    pub(super) fn restart(&mut self, from: usize) {
        self.count = 0;
        self.next = 0;
        self.seen = from;
    }

    /// Passes over all places before `to`.
    pub(super) fn skip_to(&mut self, to: usize) {
        while self.next < self.count && (self.places[self.next] as usize) < to {
            self.next += 1;
        }
        if self.next == self.count && self.seen < to {
            self.seen = to;
        }
    }

    /// The next place in `buffer`; `None` at its end.
    #[inline(always)]
    pub(super) fn next(&mut self, buffer: &[u8]) -> Option<usize> {
        while self.next == self.count {
            if self.seen >= buffer.len() {
                return None;
            }
            self.list(buffer);
        }
        let place = self.places[self.next % BLOCK];
        self.next += 1;
        Some(place as usize)
    }

    /// Lists the places of the next block.
    #[inline(never)]
    fn list(&mut self, buffer: &[u8]) {
        let end = buffer.len().min(self.seen + BLOCK);
        let mut base = self.seen;
        let mut count = 0;
        let (chunks, rest) = buffer[self.seen..end].as_chunks::<64>();
        for chunk in chunks {
            let mut mask = matches(chunk, self.delimiter);
            while mask != 0 {
                // `count` is below BLOCK: a block has no more places than bytes.
                self.places[count % BLOCK] = base as u32 + mask.trailing_zeros();
                count += 1;
                mask &= mask - 1;
            }
            base += 64;
        }
        for (at, byte) in rest.iter().enumerate() {
            if *byte == self.delimiter || matches!(*byte, b'"' | b'\n' | b'\r') {
                self.places[count % BLOCK] = (base + at) as u32;
                count += 1;
            }
        }
        self.count = count;
        self.next = 0;
        self.seen = end;
    }
}

/// One bit for each byte that matters, the first byte lowest.
#[inline(always)]
fn matches(chunk: &[u8; 64], delimiter: u8) -> u64 {
    let mut marks = [0_u8; 64];
    for (mark, byte) in marks.iter_mut().zip(chunk) {
        let hit = (*byte == delimiter) | (*byte == b'"') | (*byte == b'\n') | (*byte == b'\r');
        *mark = u8::from(hit);
    }
    let mut mask = 0;
    let (words, _) = marks.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        // Eight bytes of 0 or 1 become eight bits: the product brings byte n's bit to bit 56 + n.
        let bits = u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        mask |= bits << (8 * at);
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_listed_once_in_order() {
        let mut seed = 7_u64;
        for length in [0, 1, 63, 64, 65, 1000, BLOCK - 1, BLOCK, 3 * BLOCK + 17] {
            let bytes: Vec<u8> = (0..length)
                .map(|_| {
                    seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    b"a;\"\n\rbcd\xff\xbb"[(seed >> 33) as usize % 10]
                })
                .collect();
            let expected: Vec<usize> =
                (0..length).filter(|at| b";\"\n\r".contains(&bytes[*at])).collect();
            let mut index = Index::new(b';');
            let mut found = Vec::new();
            while let Some(place) = index.next(&bytes) {
                found.push(place);
            }
            assert_eq!(found, expected, "{length} bytes");
        }
    }
}
