//! Which line a byte is on.

/// A place in a file, moved over its bytes as they are passed. LF, CRLF and a lone CR each end a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lines {
    /// The line, from 1.
    pub(super) line: u64,
    /// The offset of the place.
    pub(super) offset: u64,
    /// The offset of the line's first byte.
    begins: u64,
    /// The byte before is a CR: an LF that follows belongs to it.
    after_cr: bool,
}

impl Lines {
    /// The beginning of a file, `offset` bytes after its first: those are not part of the first line.
    pub(super) fn from(offset: u64) -> Self {
        Self { line: 1, offset, begins: offset, after_cr: false }
    }

    /// The beginning of a line.
    pub(super) fn resume(offset: u64, line: u64) -> Self {
        Self { line, offset, begins: offset, after_cr: false }
    }

    /// Passes over the bytes that follow.
    pub(super) fn pass(&mut self, bytes: &[u8]) {
        for place in memchr::memchr2_iter(b'\n', b'\r', bytes) {
            let pair = match place {
                0 => self.after_cr,
                _ => bytes[place - 1] == b'\r',
            };
            self.begins = self.offset + place as u64 + 1;
            if bytes[place] == b'\r' || !pair {
                self.line += 1;
            }
        }
        if let Some(last) = bytes.last() {
            self.after_cr = *last == b'\r';
        }
        self.offset += bytes.len() as u64;
    }

    /// The place in its line, in bytes, from 1.
    pub(super) fn column(&self) -> u64 {
        self.offset - self.begins + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_alike_however_the_bytes_are_cut() {
        let text = b"a\nbc\r\nd\re\r\r\n\nfg";
        for cut in 0..=text.len() {
            let mut lines = Lines::from(0);
            lines.pass(&text[..cut]);
            lines.pass(&text[cut..]);
            assert_eq!((lines.line, lines.column(), lines.offset), (7, 3, 15), "cut at {cut}");
        }
    }
}
