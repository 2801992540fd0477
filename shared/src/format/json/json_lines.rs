//! JSON Lines: each line is a document and a row. A line that is wrong is wrong alone. A byte order
//! mark at the beginning of a line is passed over.

use std::sync::Arc;

use super::cells::{Cells, CellsFault};
use super::token::{Documents, Kind, Syntax, Tokenizer, skip_whitespace};
use super::{JsonProblem, Place};
use crate::format::heads::Heads;
use crate::format::lines::Lines;
use crate::format::window::Window;
use crate::format::{FormatError, Head, Limit, Limits, Position, Reader, Row, RowFault, sniff};

pub(super) struct LinesReader {
    window: Window,
    tokens: Tokenizer,
    limits: Limits,
    /// Where in the window the next line begins.
    at: usize,
    lines: Lines,
    rows: u64,
    place: Place,
    cells: Cells,
    fault: Option<RowFault>,
    heads: Heads,
    /// The current row was looked at but not given out yet.
    pending: bool,
}

impl LinesReader {
    pub(super) fn open(window: Window, limits: Limits) -> Self {
        Self {
            window,
            tokens: Tokenizer::new(Documents::One, limits.max_nesting),
            limits,
            at: 0,
            lines: Lines::from(0),
            rows: 0,
            place: Place::default(),
            cells: Cells::new(limits.max_columns),
            fault: None,
            heads: Heads::new(),
            pending: false,
        }
    }

    /// Goes on at the end of a row.
    pub(super) fn resume(mut window: Window, at: Position, limits: Limits) -> Self {
        window.know(at.encoding);
        let mut reader = Self::open(window, limits);
        if at.byte_offset > 0 {
            reader.lines = Lines::resume(at.byte_offset, at.line);
            reader.rows = at.row;
        }
        reader
    }

    /// Looks at the first row, whose head is then known.
    pub(super) fn look(&mut self) -> Result<(), FormatError> {
        self.pending = self.find_row()?;
        Ok(())
    }

    fn find_row(&mut self) -> Result<bool, FormatError> {
        while let Some((end, next)) = self.find_line()? {
            let mut begins = self.lines;
            let bytes = self.window.bytes();
            let mark = self.mark_at(end);
            let start = self.at + mark;
            begins.pass(&bytes[self.at..start]);
            self.lines.pass(&bytes[self.at..next]);
            self.at = next;
            if skip_whitespace(&bytes[..end], start) == end {
                continue;
            }
            if end - start > self.limits.max_row_bytes {
                return Err(self.row_too_long(&begins));
            }
            self.place = Place { begins, start, end };
            self.rows += 1;
            self.read(begins)?;
            return Ok(true);
        }
        Ok(false)
    }

    /// The length of a byte order mark with which the line begins that ends at `end`: where files
    /// were put together, each had one.
    fn mark_at(&self, end: usize) -> usize {
        match self.window.bytes()[self.at..end].starts_with(sniff::BOM) {
            true => sniff::BOM.len(),
            false => 0,
        }
    }

    /// Where the next line ends, and the one after it begins.
    fn find_line(&mut self) -> Result<Option<(usize, usize)>, FormatError> {
        let mut seen = 0;
        loop {
            let bytes = self.window.bytes();
            let from = self.at + seen;
            let ended = self.window.ended();
            match memchr::memchr2(b'\n', b'\r', &bytes[from..]) {
                Some(place) => {
                    let end = from + place;
                    match (bytes[end], bytes.get(end + 1)) {
                        (b'\r', Some(b'\n')) => return Ok(Some((end, end + 2))),
                        (b'\r', None) if !ended => {}
                        _ => return Ok(Some((end, end + 1))),
                    }
                    seen = end - self.at;
                }
                None if ended => {
                    let end = bytes.len();
                    return Ok((self.at < end).then_some((end, end)));
                }
                None => seen = bytes.len() - self.at,
            }
            if self.window.more(self.at)?.is_err() {
                return Err(self.row_too_long(&self.lines));
            }
            self.at = 0;
        }
    }

    /// Reads the line at the current place.
    fn read(&mut self, begins: Lines) -> Result<(), FormatError> {
        let Place { start, end, .. } = self.place;
        self.cells.begin();
        let fault = match self.window.not_utf8(start, end) {
            Some(at) => Some(CellsFault { problem: JsonProblem::NotUtf8, at: at - start }),
            None => {
                let line = &self.window.bytes()[start..end];
                match cells(line, &mut self.tokens, &mut self.cells) {
                    Err(Wrong::TooMany) => {
                        return Err(FormatError::TooManyColumns {
                            line: begins.line,
                            byte_offset: begins.offset,
                            limit: Limit {
                                setting: "max_columns",
                                value: self.limits.max_columns as u64,
                            },
                        });
                    }
                    Err(Wrong::Fault(fault)) => Some(fault),
                    Ok(()) => self.cells.finish(line, &mut self.heads).err(),
                }
            }
        };
        self.fault =
            fault.map(|fault| RowFault::Json { problem: fault.problem, at: fault.at as u64 });
        if self.fault.is_some() {
            self.heads.none();
            self.cells.begin();
        }
        Ok(())
    }

    #[cold]
    fn row_too_long(&self, begins: &Lines) -> FormatError {
        let value = self.limits.max_row_bytes as u64;
        FormatError::RowTooLong {
            line: begins.line,
            byte_offset: begins.offset,
            limit: Limit { setting: "max_row_bytes", value },
        }
    }
}

enum Wrong {
    TooMany,
    Fault(CellsFault),
}

fn wrong(Syntax { problem, at }: Syntax) -> Wrong {
    Wrong::Fault(CellsFault { problem, at })
}

/// Reads a line as one document.
fn cells(line: &[u8], tokens: &mut Tokenizer, cells: &mut Cells) -> Result<(), Wrong> {
    tokens.restart();
    let (mut at, mut odd) = (0, None);
    loop {
        let token = tokens.next(line, &mut at, true).map_err(wrong)?;
        if token.kind == Kind::End {
            return odd.map_or(Ok(()), |odd| Err(wrong(odd)));
        }
        odd = odd.or(tokens.odd());
        cells.take(token, line, 0).map_err(|_| Wrong::TooMany)?;
    }
}

impl Reader for LinesReader {
    fn advance(&mut self) -> Result<bool, FormatError> {
        if std::mem::take(&mut self.pending) {
            return Ok(true);
        }
        self.find_row()
    }

    fn row(&self) -> Row<'_> {
        let bytes = self.window.bytes().get(self.place.start..self.place.end).unwrap_or_default();
        let encoding = self.window.encoding_at(self.place.begins.offset);
        let row = self.place.row(self.rows, bytes, &self.cells, self.heads.current(), self.fault);
        Row { encoding, ..row }
    }

    fn position(&self) -> Position {
        let (place, row) = match self.pending {
            true => (&self.place.begins, self.rows - 1),
            false => (&self.lines, self.rows),
        };
        let encoding = self.window.encoding_at(place.offset);
        Position { byte_offset: place.offset, line: place.line, row, encoding }
    }

    fn head(&self) -> &Arc<Head> {
        self.heads.current()
    }

    fn remarks(&self) -> Vec<String> {
        self.cells.remark().into_iter().collect()
    }
}
