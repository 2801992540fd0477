//! Rows of delimited cells, borrowed from one buffer.
//!
//! Most rows need no unquoting, so their cells are slices of the buffer: the [`Index`] lists the
//! places that may end a cell, and [`Reader::split`] goes from place to place. It knows plain cells
//! and quoted cells without quotes inside. A row with anything else (`""`, text after a closing
//! quote), and every row of a dialect other than one byte between cells and doubled double quotes, is
//! given to the [`Splitter`], which is the definition of what a row means.
//!
//! ## Rows that a person would ask about
//! A row that does not say what it means is never given as cells, but as a row with a [`RowFault`]:
//! * **Text after a closing quote** (`"say "hi" there"`), which could be read in several ways.
//! * **A quote that is never closed.** It would take in the rest of the file. Where a person would see
//!   the end of the row, so does Inlet: the row ends at the first line end (of its first 32) after
//!   which the next rows fit the table: as many cells as columns, no loose quotes, numbers and dates
//!   where the column has them; of three rows one may be broken, too. The search looks 64 KiB ahead.
//!   It begins when the file ends within quotes, when text follows the quote that closes at last, when
//!   the row passes the limit, and when 32 lines within one row each fit the table as if there were no
//!   quotes. If no such place is found, the row has all that the quotes hold. A single column has no
//!   form to go by, so this is not done there.
//! * **A repeated header**, as where files were put together end to end; of two columns or more.
//! * **Rows of a second table** with as many columns, if its header follows a blank line and is found
//!   in the sample; with another number of columns its rows do not fit by that.
//! * **A row that may be a comment**: it begins with `#` among comments, and has as many cells as the
//!   table. (Comments of another width are passed over, as blank lines are.)
//! * **A row that may be a footer**: among the last three, and it begins with `Total` or the like and
//!   leaves cells empty or has numbers, or it counts rows, as `(3 rows affected)`. With `skip_footer_lines` it is stated how
//!   many lines are no rows; 0 says that all are.
//!
//! All of this depends on the bytes alone, never on how they arrive or where reading began.

mod again;
mod candidate;
mod certain;
mod class;
mod dialect;
mod directive;
mod doubled;
mod footer;
mod general;
mod header_rows;
mod index;
mod known;
mod layout;
mod lead;
mod numbered;
mod open;
mod recover;
mod sample;
mod second;
mod set_off;
mod splitter;
mod within;

use std::sync::Arc;

use self::index::Index;
use self::splitter::Splitter;
use super::input::Input;
use super::row::Span;
use super::{Form, FormatError, Head, Limit, Limits, Position, Row, RowFault};
use crate::catalog::Encoding;

pub(super) use certain::is_table;
pub use class::ColumnClass;
pub use dialect::{Comment, Dialect, Escape};
pub(super) use open::{open, resume};

/// The buffer's first size. It grows only for a row that does not fit.
const BUFFER: usize = 256 << 10;

/// Rows longer than this are never allowed: places in the buffer are 32-bit.
const MAX_ROW: usize = 1 << 30;

/// Lines in one row from which it is looked at whether they are rows themselves.
const MANY_LINES: u64 = 32;

pub(super) struct Reader {
    input: Input,
    /// The encoding of the text, once it shows, and the offset behind which it counts.
    encoding: Option<Encoding>,
    encoding_from: u64,
    limits: Limits,
    buffer: Vec<u8>,
    /// Bytes of the buffer that are data.
    filled: usize,
    /// Bytes of the buffer, from its beginning, that are UTF-8: it is cheaper to look at a whole
    /// buffer than at each row. Rows beyond are looked at by themselves.
    valid: usize,
    /// The offset in the file of the buffer's first byte.
    base: u64,
    /// Nothing follows the data in the buffer.
    ended: bool,
    /// Where in the buffer the next row begins, and on which line of the file.
    start: usize,
    line: u64,
    rows: u64,
    index: Index,
    /// Where the cells of the current row are; only the first `cells` are of this row.
    spans: Vec<Span>,
    cells: usize,
    dialect: Dialect,
    /// The index finds rows of this dialect.
    common: bool,
    splitter: Splitter,
    /// Looks at rows ahead.
    probe: Splitter,
    current: Current,
    /// Rows of these lengths may be the header again.
    header_lengths: u64,
    /// The offset in the file at which another table begins.
    table_ends: u64,
    /// Bytes from the end of the file within which a row may be a footer.
    tail: usize,
    head: Arc<Head>,
}

/// The row that was split last.
#[derive(Default)]
struct Current {
    start: usize,
    end: usize,
    line: u64,
    /// The cells are in the splitter's output, not in the buffer.
    unquoted: bool,
    fault: Option<RowFault>,
}

/// What splitting came to.
enum Split {
    Row,
    /// The row does not end in the buffer.
    More,
    /// Quotes that only the full parser understands.
    Unquote,
    End,
}

impl Reader {
    fn new(input: Input, limits: Limits, dialect: Dialect) -> Self {
        Self {
            encoding: None,
            encoding_from: 0,
            input,
            limits,
            buffer: vec![0; BUFFER.min(limits.max_row_bytes + 2)],
            filled: 0,
            valid: 0,
            base: 0,
            ended: false,
            start: 0,
            line: 1,
            rows: 0,
            index: Index::new(b','),
            spans: vec![Span::default(); 64.min(limits.max_columns)],
            cells: 0,
            common: false,
            splitter: Splitter::new(&dialect, limits.max_columns),
            probe: Splitter::new(&dialect, limits.max_columns),
            dialect,
            current: Current::default(),
            header_lengths: 0,
            table_ends: u64::MAX,
            tail: 0,
            head: Arc::new(Head { number: 0, columns: Vec::new(), form: Form::Text, part: None }),
        }
    }

    /// Reads rows of this table from here on.
    fn set_table(&mut self, dialect: Dialect, columns: Vec<String>) {
        self.head = Arc::new(Head { number: 0, columns, form: Form::Text, part: None });
        self.common = dialect.common().is_some();
        self.index = Index::new(dialect.common().unwrap_or(b','));
        self.index.restart(self.start);
        self.splitter = Splitter::new(&dialect, self.limits.max_columns);
        self.probe = Splitter::new(&dialect, self.limits.max_columns);
        self.header_lengths = again::lengths(&dialect, self.head.columns.len());
        self.table_ends = dialect.table_ends.unwrap_or(u64::MAX);
        self.tail = footer::tail(&dialect, self.head.columns.len()).min(self.limits.max_row_bytes);
        self.dialect = dialect;
    }

    /// What was known of the encoding at a place in the buffer.
    #[inline(always)]
    fn encoding_at(&self, place: usize) -> Option<Encoding> {
        if self.base + place as u64 > self.encoding_from { self.encoding } else { None }
    }

    /// What all rows have in common.
    pub(super) fn head(&self) -> &Arc<Head> {
        &self.head
    }

    /// Goes to the next row; `false` at the end.
    #[inline]
    pub(super) fn advance(&mut self) -> Result<bool, FormatError> {
        let found = self.find_row()?;
        self.rows += u64::from(found);
        Ok(found)
    }

    /// The current row.
    #[inline]
    pub(super) fn row(&self) -> Row<'_> {
        let (data, spans) = match self.current.unquoted {
            false => (self.buffer.as_slice(), &self.spans[..self.cells]),
            true => (self.splitter.output(), self.splitter.spans()),
        };
        Row {
            head: &self.head,
            number: self.rows,
            line: self.current.line,
            byte_offset: self.base + self.current.start as u64,
            raw: &self.buffer[self.current.start..self.current.end],
            data,
            spans,
            fault: self.current.fault,
            encoding: self.encoding_at(self.current.start),
            valid: self.current.end <= self.valid,
        }
    }

    /// The place after the row that was given out last.
    pub(super) fn position(&self) -> Position {
        let byte_offset = self.base + self.start as u64;
        let encoding = self.encoding_at(self.start);
        Position { byte_offset, line: self.line, row: self.rows, encoding }
    }

    fn find_row(&mut self) -> Result<bool, FormatError> {
        loop {
            let split = match self.common {
                true => match self.split()? {
                    Split::Unquote => self.split_slowly()?,
                    other => other,
                },
                false => self.split_in_general()?,
            };
            match split {
                Split::Row => {
                    let length = self.current.end - self.current.start;
                    if length > self.limits.max_row_bytes {
                        return Err(self.row_too_long());
                    }
                    if self.is_blank(length) {
                        continue;
                    }
                    if self.line - self.current.line > MANY_LINES && self.current.fault.is_none() {
                        self.mend_swallowed();
                    }
                    if self.base + self.current.start as u64 >= self.table_ends {
                        self.mark(RowFault::OtherTable);
                    }
                    if (self.header_lengths >> (length % 64)) & 1 == 1 {
                        self.mark_repeated_header();
                    }
                    if self.filled - self.current.start < self.tail {
                        match self.near_the_end()? {
                            Ending::Row => {}
                            Ending::Again | Ending::Left => continue,
                        }
                    }
                    return Ok(true);
                }
                Split::End => return Ok(false),
                Split::More | Split::Unquote => {
                    if self.mend_long() {
                        return Ok(true);
                    }
                    self.more()?;
                }
            }
        }
    }

    /// Whether the row of `length` bytes that was split is a line of white space.
    #[inline]
    fn is_blank(&self, length: usize) -> bool {
        let start = self.current.start;
        length > 0
            && self.buffer[start] <= b' '
            && self.current.fault.is_none()
            && self.dialect.is_blank(&self.buffer[start..start + length])
    }

    /// Makes room behind the bytes of the row that began, and fills it.
    fn more(&mut self) -> Result<(), FormatError> {
        self.buffer.copy_within(self.start..self.filled, 0);
        self.base += self.start as u64;
        self.filled -= self.start;
        self.start = 0;
        self.index.restart(0);
        if self.filled == self.buffer.len() {
            // Two bytes more than a row may have: its line end.
            let most = self.limits.max_row_bytes + 2;
            if self.filled >= most {
                return Err(self.row_too_long());
            }
            self.buffer.resize(most.min(self.filled * 2), 0);
        }
        let read = self.input.fill(&mut self.buffer[self.filled..])?;
        if let Some((encoding, from)) = self.input.encoding() {
            (self.encoding, self.encoding_from) = (Some(encoding), from);
        }
        self.filled += read;
        self.ended = self.filled < self.buffer.len();
        self.valid = match std::str::from_utf8(&self.buffer[..self.filled]) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        Ok(())
    }

    /// Splits the next row where it is in the buffer, from one place that matters to the next.
    #[inline(always)]
    fn split(&mut self) -> Result<Split, FormatError> {
        let buffer = &self.buffer[..self.filled];
        let index = &mut self.index;
        let (mut line_ends, mut cells, mut from) = (0, 0, self.start);
        loop {
            // The cell that begins at `from`: its text, and the place that ends it.
            let mut place = index.next(buffer);
            let text_start;
            let text_end;
            if place == Some(from) && buffer[from] == b'"' {
                let close = loop {
                    match index.next(buffer) {
                        Some(place) if buffer[place] == b'"' => break place,
                        Some(place) => line_ends += u64::from(ends_line(buffer, place)),
                        None if self.ended => return Ok(Split::Unquote),
                        None => return Ok(Split::More),
                    }
                };
                place = index.next(buffer);
                match place {
                    Some(place) if place == close + 1 && buffer[place] != b'"' => {}
                    None if close + 1 == buffer.len() => {}
                    _ => return Ok(Split::Unquote),
                }
                (text_start, text_end) = (from + 1, close);
            } else {
                // Within a plain cell a quote is a character like others.
                while place.is_some_and(|place| buffer[place] == b'"') {
                    place = index.next(buffer);
                }
                (text_start, text_end) = (from, place.unwrap_or(buffer.len()));
            }

            let (row_end, next_row) = match place {
                None if !self.ended => return Ok(Split::More),
                None if self.start == buffer.len() => return Ok(Split::End),
                None => (buffer.len(), buffer.len()),
                Some(place) => match buffer[place] {
                    b'\n' => (place, place + 1),
                    b'\r' => match buffer.get(place + 1) {
                        Some(b'\n') => {
                            index.next(buffer);
                            (place, place + 2)
                        }
                        None if !self.ended => return Ok(Split::More),
                        _ => (place, place + 1),
                    },
                    _ => {
                        if !put(&mut self.spans, cells, text_start, text_end, &self.limits) {
                            return Err(self.too_many_columns());
                        }
                        cells += 1;
                        from = place + 1;
                        continue;
                    }
                },
            };
            if row_end == self.start {
                // A blank line.
                self.start = next_row;
                self.line += 1;
                from = next_row;
                continue;
            }
            if !put(&mut self.spans, cells, text_start, text_end, &self.limits) {
                return Err(self.too_many_columns());
            }
            self.cells = cells + 1;
            self.finish(row_end, next_row, line_ends);
            return Ok(Split::Row);
        }
    }

    /// Takes note of a row that was split.
    #[inline(always)]
    fn finish(&mut self, end: usize, next: usize, inner_line_ends: u64) {
        self.current =
            Current { start: self.start, end, line: self.line, unquoted: false, fault: None };
        self.line += inner_line_ends + u64::from(next > end);
        self.start = next;
    }

    /// The row that was split is given without cells.
    #[cold]
    fn mark(&mut self, fault: RowFault) {
        self.cells = 0;
        self.current.unquoted = false;
        self.current.fault = Some(fault);
    }

    /// Goes back to the beginning of the row that was split.
    fn rewind(&mut self) {
        (self.start, self.line) = (self.current.start, self.current.line);
        self.index.restart(self.start);
    }

    #[cold]
    fn row_too_long(&self) -> FormatError {
        let (line, byte_offset) = self.row_begins();
        let value = self.limits.max_row_bytes as u64;
        FormatError::RowTooLong {
            line,
            byte_offset,
            limit: Limit { setting: "max_row_bytes", value },
        }
    }

    #[cold]
    fn too_many_columns(&self) -> FormatError {
        let (line, byte_offset) = self.row_begins();
        let value = self.limits.max_columns as u64;
        FormatError::TooManyColumns {
            line,
            byte_offset,
            limit: Limit { setting: "max_columns", value },
        }
    }

    fn row_begins(&self) -> (u64, u64) {
        (self.line, self.base + self.start as u64)
    }
}

/// Notes where a cell is; `false` if there may not be as many.
#[inline(always)]
fn put(spans: &mut Vec<Span>, at: usize, start: usize, end: usize, limits: &Limits) -> bool {
    if at == spans.len() {
        if at >= limits.max_columns {
            return false;
        }
        spans.resize(limits.max_columns.min(at * 2 + 1), Span::default());
    }
    spans[at] = Span { start: start as u32, end: end as u32 };
    true
}

/// Whether the line end at `place` ends a line: a CR before LF leaves that to the LF.
fn ends_line(buffer: &[u8], place: usize) -> bool {
    match buffer[place] {
        b'\n' => true,
        b'\r' => buffer.get(place + 1) != Some(&b'\n'),
        _ => false,
    }
}

/// What the end of the file means for a row near it.
enum Ending {
    /// Nothing, or it has a fault now.
    Row,
    /// More bytes had to be read to know: the row comes again.
    Again,
    /// The definition leaves it out.
    Left,
}

fn count_lines(bytes: &[u8]) -> u64 {
    memchr::memchr2_iter(b'\n', b'\r', bytes).filter(|place| ends_line(bytes, *place)).count()
        as u64
}
