//! Rows that the index does not find: those of dialects other than the common one, and those whose quotes
//! only the [`Splitter`](super::Splitter) understands.

use super::sample::line_end;
use super::splitter::Found;
use super::{Reader, RowFault, Split, count_lines};
use crate::format::FormatError;

impl Reader {
    /// Splits the next row of any dialect, and passes over what is no row.
    #[inline(never)]
    pub(super) fn split_in_general(&mut self) -> Result<Split, FormatError> {
        loop {
            let buffer = &self.buffer[self.start..self.filled];
            if buffer.is_empty() {
                return Ok(if self.ended { Split::End } else { Split::More });
            }
            let ending = line_end(buffer);
            if ending > 0 {
                if buffer == b"\r" && !self.ended {
                    return Ok(Split::More);
                }
                self.start += ending;
                self.line += 1;
                continue;
            }
            let Some(comment) = &self.dialect.comment else { return self.split_slowly() };
            if !buffer.starts_with(comment.prefix.as_bytes()) {
                if !self.ended && comment.prefix.as_bytes().starts_with(buffer) {
                    return Ok(Split::More);
                }
                return self.split_slowly();
            }
            let end = match memchr::memchr2(b'\n', b'\r', buffer) {
                Some(end) => end,
                None if self.ended => buffer.len(),
                None => return Ok(Split::More),
            };
            if !comment.stated {
                let whole = matches!(self.splitter.row(&buffer[..end], true), Found::Row(_));
                if whole && self.splitter.spans().len() == self.head.columns.len() {
                    return Ok(self.faulty(end, RowFault::PossibleComment));
                }
            }
            self.start += end;
        }
    }

    /// Splits the next row with the splitter that knows all.
    #[inline(never)]
    pub(super) fn split_slowly(&mut self) -> Result<Split, FormatError> {
        let buffer = &self.buffer[self.start..self.filled];
        match self.splitter.row(buffer, self.ended) {
            Found::Row(length) => {
                if !self.finish_at(length) {
                    return Ok(Split::More);
                }
                self.current.unquoted = true;
                Ok(Split::Row)
            }
            Found::More => Ok(Split::More),
            Found::TooWide => Err(self.too_many_columns()),
            Found::Open => Ok(self.mend_open()),
            Found::Stray(length) => Ok(self.mend_stray(length)),
        }
    }

    /// Takes note of the row of `length` bytes that begins here; `false` if its line end may be cut.
    pub(super) fn finish_at(&mut self, length: usize) -> bool {
        let rest = &self.buffer[self.start + length..self.filled];
        if rest == b"\r" && !self.ended {
            return false;
        }
        let (end, next) = (self.start + length, self.start + length + line_end(rest));
        let inner = count_lines(&self.buffer[self.start..end]);
        self.finish(end, next, inner);
        if self.common {
            self.index.skip_to(next);
        }
        true
    }

    /// A row of `length` bytes that is given without cells.
    pub(super) fn faulty(&mut self, length: usize, fault: RowFault) -> Split {
        // The index may have gone on beyond it.
        self.index.restart(self.start);
        if !self.finish_at(length) {
            return Split::More;
        }
        self.cells = 0;
        self.current.fault = Some(fault);
        Split::Row
    }
}
