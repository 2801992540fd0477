//! Rows of delimited cells, borrowed from one buffer.
//!
//! Most rows need no unquoting, so their cells are slices of the buffer: the [`Index`] lists the
//! places that may end a cell, and [`Reader::split`] goes from place to place. It knows plain cells
//! and quoted cells without quotes inside. A row with anything else (`""`, text after a closing
//! quote) is given whole to `csv-core`, which is therefore the definition of what every row means;
//! a test compares the two on random input.

use std::sync::Arc;

use super::index::Index;
use super::input::Input;
use super::row::Span;
use super::unquote::{Unquoted, Unquoting};
use super::{
    Compression, Detected, Form, FormatError, Head, Limit, Limits, Position, Row, RowFault,
    dialect, header, sniff,
};
use crate::catalog::{self, Encoding};

/// The buffer's first size. It grows only for a row that does not fit.
const BUFFER: usize = 256 << 10;

/// Rows longer than this are never allowed: places in the buffer are 32-bit.
const MAX_ROW: usize = 1 << 30;

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
    unquoting: Unquoting,
    current: Current,
    /// The current row was looked at but not given out yet.
    pending: bool,
    head: Arc<Head>,
}

/// The row that was split last.
#[derive(Default)]
struct Current {
    start: usize,
    end: usize,
    line: u64,
    /// The cells are in the unquoted output, not in the buffer.
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

/// Opens a file of delimited cells and reads its header.
pub(super) fn open(
    input: Input,
    compression: Compression,
    settings: &catalog::Format,
    mut limits: Limits,
    mut evidence: Vec<String>,
) -> Result<(Reader, Detected), FormatError> {
    limits.max_row_bytes = limits.max_row_bytes.min(MAX_ROW);
    if let Some(delimiter) = settings.delimiter
        && (!delimiter.is_ascii() || matches!(delimiter, b'"' | b'\n' | b'\r' | 0))
    {
        return Err(FormatError::Delimiter { delimiter: delimiter.into() });
    }
    let mut reader = Reader::new(input, limits);
    reader.more()?;
    if reader.buffer[..reader.filled].starts_with(sniff::BOM) {
        reader.start = sniff::BOM.len();
        evidence.push("encoding utf-8: the file begins with its byte order mark".to_owned());
    }
    reader.skip_lines(settings.skip_lines)?;

    let has_header = settings.header.unwrap_or(true);
    let delimiter = match settings.delimiter {
        Some(delimiter) => {
            evidence.push(format!("delimiter {}: stated", dialect::name(delimiter)));
            delimiter
        }
        None => {
            let sample_end = reader.filled.min(reader.start + dialect::SAMPLE);
            let whole = reader.ended && sample_end == reader.filled;
            let sample = &reader.buffer[reader.start..sample_end];
            let (delimiter, why) = dialect::delimiter(sample, whole, has_header);
            evidence.push(why);
            delimiter
        }
    };
    reader.set_delimiter(delimiter);
    let (columns, renamed) = reader.columns(has_header)?;
    evidence.push(match (settings.header, has_header) {
        (None, _) => "header: the first row, by default".to_owned(),
        (Some(_), true) => "header: the first row, stated".to_owned(),
        (Some(_), false) => "no header: stated".to_owned(),
    });
    if renamed > 0 {
        evidence.push(format!("columns: {renamed} names were empty or repeated and were changed"));
    }

    reader.set_columns(columns.clone());
    let detected = Detected {
        compression,
        archive: None,
        encoding: None,
        kind: catalog::FormatKind::Csv,
        delimiter: delimiter.into(),
        has_header,
        columns,
        evidence,
    };
    Ok((reader, detected))
}

/// Goes on with a file that [`open`] opened before.
pub(super) fn resume(
    input: Input,
    detected: &Detected,
    at: Position,
    mut limits: Limits,
) -> Result<Reader, FormatError> {
    limits.max_row_bytes = limits.max_row_bytes.min(MAX_ROW);
    let Ok(delimiter) = u8::try_from(detected.delimiter) else {
        return Err(FormatError::Delimiter { delimiter: detected.delimiter });
    };
    let mut reader = Reader::new(input, limits);
    reader.set_delimiter(delimiter);
    reader.set_columns(detected.columns.clone());
    (reader.base, reader.line, reader.rows) = (at.byte_offset, at.line, at.row);
    reader.encoding = at.encoding;
    reader.more()?;
    Ok(reader)
}

impl Reader {
    fn new(input: Input, limits: Limits) -> Self {
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
            unquoting: Unquoting::new(b',', limits.max_columns),
            current: Current::default(),
            pending: false,
            head: Arc::new(Head { number: 0, columns: Vec::new(), form: Form::Text, part: None }),
        }
    }

    fn set_columns(&mut self, columns: Vec<String>) {
        self.head = Arc::new(Head { number: 0, columns, form: Form::Text, part: None });
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

    fn set_delimiter(&mut self, delimiter: u8) {
        self.index = Index::new(delimiter);
        self.index.restart(self.start);
        self.unquoting = Unquoting::new(delimiter, self.limits.max_columns);
    }

    /// Goes to the next row; `false` at the end.
    #[inline]
    pub(super) fn advance(&mut self) -> Result<bool, FormatError> {
        if std::mem::take(&mut self.pending) {
            self.rows += 1;
            return Ok(true);
        }
        let found = self.find_row()?;
        self.rows += u64::from(found);
        Ok(found)
    }

    /// The current row.
    #[inline]
    pub(super) fn row(&self) -> Row<'_> {
        let data: &[u8] = match self.current.unquoted {
            false => &self.buffer,
            true => self.unquoting.output(),
        };
        Row {
            head: &self.head,
            number: self.rows,
            line: self.current.line,
            byte_offset: self.base + self.current.start as u64,
            raw: &self.buffer[self.current.start..self.current.end],
            data,
            spans: &self.spans[..self.cells],
            fault: self.current.fault,
            encoding: self.encoding_at(self.current.start),
            valid: self.current.end <= self.valid,
        }
    }

    /// The place after the row that was given out last.
    pub(super) fn position(&self) -> Position {
        let (start, line) = match self.pending {
            true => (self.current.start, self.current.line),
            false => (self.start, self.line),
        };
        let byte_offset = self.base + start as u64;
        Position { byte_offset, line, row: self.rows, encoding: self.encoding_at(start) }
    }

    fn find_row(&mut self) -> Result<bool, FormatError> {
        loop {
            let split = match self.split()? {
                Split::Unquote => self.unquote()?,
                other => other,
            };
            match split {
                Split::Row => {
                    if self.current.end - self.current.start > self.limits.max_row_bytes {
                        return Err(self.row_too_long());
                    }
                    return Ok(true);
                }
                Split::End => return Ok(false),
                Split::More | Split::Unquote => self.more()?,
            }
        }
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
                        None if self.ended => return Ok(self.unterminated()),
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

    /// Splits the next row with the full parser.
    #[inline(never)]
    fn unquote(&mut self) -> Result<Split, FormatError> {
        let buffer = &self.buffer[self.start..self.filled];
        let Some(unquoted) = self.unquoting.row(buffer, self.ended, self.limits.max_columns) else {
            return Err(self.too_many_columns());
        };
        let length = match unquoted {
            Unquoted::Row { length, cells } => {
                self.cells = cells;
                length
            }
            Unquoted::More => return Ok(Split::More),
            Unquoted::Unterminated => return Ok(self.unterminated()),
        };
        if self.spans.len() < self.cells {
            self.spans.resize(self.cells, Span::default());
        }
        let mut start = 0;
        for (span, end) in self.spans.iter_mut().zip(self.unquoting.ends(self.cells)) {
            *span = Span { start, end: *end as u32 };
            start = *end as u32;
        }
        let end = self.start + length;
        let next =
            match (self.buffer[..self.filled].get(end), self.buffer[..self.filled].get(end + 1)) {
                (Some(b'\r'), Some(b'\n')) => end + 2,
                (Some(b'\r'), None) if !self.ended => return Ok(Split::More),
                (Some(_), _) => end + 1,
                (None, _) => end,
            };
        let inner = count_lines(&self.buffer[self.start..end]);
        self.finish(end, next, inner);
        self.current.unquoted = true;
        self.index.skip_to(next);
        Ok(Split::Row)
    }

    /// The file ended within a quoted cell: the rest of it is one row with a fault.
    #[inline(never)]
    fn unterminated(&mut self) -> Split {
        let inner = count_lines(&self.buffer[self.start..self.filled]);
        self.cells = 0;
        self.finish(self.filled, self.filled, inner);
        self.index.restart(self.filled);
        self.current.fault = Some(RowFault::UnterminatedQuote { lines: inner + 1 });
        Split::Row
    }

    /// Passes over physical lines.
    fn skip_lines(&mut self, mut lines: u32) -> Result<(), FormatError> {
        while lines > 0 {
            let buffer = &self.buffer[..self.filled];
            match memchr::memchr2(b'\n', b'\r', &buffer[self.start..]) {
                Some(at) => {
                    self.start += at;
                    let next = self.start + 1;
                    if buffer[self.start] == b'\r' && next == self.filled && !self.ended {
                        self.more()?;
                        continue;
                    }
                    let crlf = buffer[self.start] == b'\r' && buffer.get(next) == Some(&b'\n');
                    self.start = next + usize::from(crlf);
                    self.line += 1;
                    lines -= 1;
                }
                None => {
                    self.start = self.filled;
                    if self.ended {
                        return Ok(());
                    }
                    self.more()?;
                }
            }
        }
        if self.start > 0 && self.filled - self.start < dialect::SAMPLE && !self.ended {
            self.more()?;
        }
        Ok(())
    }

    /// The names of the columns, and how many are not as written; leaves the reader before the first
    /// data row.
    fn columns(&mut self, has_header: bool) -> Result<(Vec<String>, usize), FormatError> {
        if !self.find_row()? {
            return Ok((Vec::new(), 0));
        }
        if !has_header {
            self.pending = true;
            return Ok((header::numbered_columns(self.cells), 0));
        }
        let row = self.row();
        let problem =
            |problem| FormatError::Header { line: row.line, byte_offset: row.byte_offset, problem };
        if row.fault().is_some() {
            return Err(problem("has a quote that is never closed"));
        }
        let text = |cell| std::str::from_utf8(cell).ok().map(str::to_owned);
        let written: Option<Vec<String>> = row.cells().map(text).collect();
        let Some(written) = written else { return Err(problem("is not in UTF-8")) };
        let names = header::unique(&written);
        let renamed = names.iter().zip(&written).filter(|(name, written)| name != written).count();
        Ok((names, renamed))
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

fn count_lines(bytes: &[u8]) -> u64 {
    memchr::memchr2_iter(b'\n', b'\r', bytes).filter(|place| ends_line(bytes, *place)).count()
        as u64
}
