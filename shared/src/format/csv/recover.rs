//! Where a row ends whose quotes do not say so.

use super::sample::line_end;
use super::splitter::Found;
use super::{MANY_LINES, Reader, RowFault, Split, count_lines};

/// Bytes that are looked at from the row's beginning.
const WINDOW: usize = 64 << 10;

/// Line ends at which the row may end.
const PLACES: usize = 32;

/// Rows after such a place that are looked at.
const ROWS: usize = 3;

/// Where the table goes on.
enum Sync {
    /// After this many bytes, without the line end.
    At(usize),
    /// Nobody could tell.
    Nowhere,
    /// There are not enough bytes to look at.
    More,
}

impl Reader {
    /// The file ends within the quotes of this row.
    #[cold]
    pub(super) fn mend_open(&mut self) -> Split {
        match self.sync() {
            Sync::At(length) => self.faulty(length, RowFault::UnclosedQuote),
            Sync::More => Split::More,
            Sync::Nowhere => {
                let inner = count_lines(&self.buffer[self.start..self.filled]);
                self.cells = 0;
                self.finish(self.filled, self.filled, inner);
                self.index.restart(self.filled);
                self.current.fault = Some(RowFault::UnterminatedQuote { lines: inner + 1 });
                Split::Row
            }
        }
    }

    /// Text follows a closing quote of this row, which so has `length` bytes.
    #[cold]
    pub(super) fn mend_stray(&mut self, length: usize) -> Split {
        let row = &self.buffer[self.start..self.start + length];
        let quotes = memchr::memchr_iter(self.dialect.quote.map_or(0, |q| q as u8), row).count();
        let one_line = memchr::memchr2(b'\n', b'\r', row).is_none();
        let length = match one_line && quotes.is_multiple_of(2) {
            // All quotes of the line have a partner on it: whatever it means, it is one row.
            true => length,
            false => match self.sync() {
                Sync::At(length) => length,
                Sync::More => return Split::More,
                Sync::Nowhere => length,
            },
        };
        self.faulty(length, RowFault::AmbiguousQuote)
    }

    /// Whether the row that was split has swallowed other rows; then it ends before them.
    #[cold]
    pub(super) fn mend_swallowed(&mut self) {
        let (start, end) = (self.current.start, self.current.end);
        if !self.swallows(start, end) {
            return;
        }
        let (next, line) = (self.start, self.line);
        self.rewind();
        match self.sync() {
            Sync::At(length) => {
                // The line end is at hand: the row went on beyond it.
                self.faulty(length, RowFault::UnclosedQuote);
            }
            Sync::Nowhere | Sync::More => {
                (self.start, self.line) = (next, line);
                self.index.restart(next);
            }
        }
    }

    /// The row goes on beyond the buffer: whether it has swallowed other rows, or passes the limit
    /// for want of a quote. Then it ends before them.
    #[cold]
    pub(super) fn mend_long(&mut self) -> bool {
        let length = self.filled - self.start;
        let limit = length > self.limits.max_row_bytes;
        if length <= self.window() || !(limit || self.swallows(self.start, self.filled)) {
            return false;
        }
        let Sync::At(length) = self.sync() else { return false };
        matches!(self.faulty(length, RowFault::UnclosedQuote), Split::Row)
    }

    fn window(&self) -> usize {
        WINDOW.min(self.limits.max_row_bytes)
    }

    /// Whether the lines of a row, the first left out, are rows of the table themselves.
    fn swallows(&mut self, start: usize, end: usize) -> bool {
        if self.head.columns.len() < 2 {
            return false;
        }
        let bytes = &self.buffer[start..end.min(start + self.window())];
        let mut ends = line_ends(bytes);
        let Some((_, mut from)) = ends.next() else { return false };
        let mut lines = 0;
        for (line, next) in ends {
            let row = self.probe.row(&bytes[from..line], true);
            if !matches!(row, Found::Row(_))
                || !fits(&self.probe, &self.head.columns, &self.dialect.classes)
            {
                return false;
            }
            lines += 1;
            if lines + 1 >= MANY_LINES {
                return true;
            }
            from = next;
        }
        false
    }

    /// Looks for the first line end after which the table goes on.
    fn sync(&mut self) -> Sync {
        if self.head.columns.len() < 2 {
            return Sync::Nowhere;
        }
        let window = self.window();
        let length = self.filled - self.start;
        if length <= window && !self.ended {
            return Sync::More;
        }
        let whole = length <= window;
        let bytes = &self.buffer[self.start..self.start + length.min(window)];
        for (end, next) in line_ends(bytes).take(PLACES) {
            let mut after = Ahead {
                probe: &mut self.probe,
                columns: &self.head.columns,
                classes: &self.dialect.classes,
            };
            let plain =
                plain_cells(&bytes[..end], &self.dialect.delimiter) == self.head.columns.len();
            if after.goes_on(&bytes[next..], whole, plain) {
                return Sync::At(end);
            }
        }
        Sync::Nowhere
    }
}

/// The rows after a place.
struct Ahead<'a> {
    probe: &'a mut super::Splitter,
    columns: &'a [String],
    classes: &'a [super::ColumnClass],
}

impl Ahead<'_> {
    /// Whether the table goes on at the beginning of `bytes`: the next row fits, and at most one of
    /// those after it does not. One row alone must have values where the table has them, or the row
    /// before it the form of one, read without quotes: `plain`.
    fn goes_on(&mut self, bytes: &[u8], whole: bool, plain: bool) -> bool {
        let (mut at, mut seen, mut fitting) = (0, 0, 0);
        while seen < ROWS {
            let rest = &bytes[at..];
            if rest.is_empty() {
                break;
            }
            let ending = line_end(rest);
            if ending > 0 {
                at += ending;
                continue;
            }
            let fit = match self.probe.row(rest, whole) {
                Found::Row(length) => {
                    at += length;
                    fits(self.probe, self.columns, self.classes)
                }
                Found::Stray(length) => {
                    at += length;
                    false
                }
                Found::More => break,
                Found::Open | Found::TooWide => {
                    seen += 1;
                    break;
                }
            };
            seen += 1;
            fitting += usize::from(fit);
            if seen == 1 && !fit {
                return false;
            }
        }
        let typed = self.classes.iter().any(|class| *class != super::ColumnClass::Text);
        fitting + 1 >= seen
            && (fitting > 1 || (fitting == 1 && seen == 1 && whole && (typed || plain)))
    }
}

/// Whether the row that was split could be one of the table.
fn fits(probe: &super::Splitter, columns: &[String], classes: &[super::ColumnClass]) -> bool {
    probe.spans().len() == columns.len()
        && !probe.has_loose_quote()
        && probe.cells().zip(classes).all(|((text, _), class)| class.takes(text))
}

/// The cells of a line if quotes are characters like others; 0 if it is more than a line.
fn plain_cells(bytes: &[u8], delimiter: &str) -> usize {
    match memchr::memchr2(b'\n', b'\r', bytes) {
        None => memchr::memmem::find_iter(bytes, delimiter).count() + 1,
        Some(_) => 0,
    }
}

/// The line ends in `bytes`: where each begins, and where the next line does.
fn line_ends(bytes: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    memchr::memchr2_iter(b'\n', b'\r', bytes)
        .filter(|at| !(*at > 0 && bytes[*at] == b'\n' && bytes[*at - 1] == b'\r'))
        .map(|at| (at, at + line_end(&bytes[at..])))
}
