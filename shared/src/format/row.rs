//! One row, lent by its reader, and what it has in common with the rows around it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::json::JsonProblem;
use crate::catalog::Encoding;

/// What the rows that follow one another in a file have in common. A file of delimited cells has one
/// head; a workbook has one for each sheet, an archive at least one for each member, and JSON one for
/// each set of keys in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Tells the heads of one file apart: equal numbers, equal heads.
    pub number: u32,
    /// The names of the columns, each once.
    pub columns: Vec<String>,
    /// What the cells hold.
    pub form: Form,
    /// The part of the file that the rows are in; `None`: the file is one.
    pub part: Option<Arc<Part>>,
}

/// What the bytes of a cell are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Text as it is written in the file, without its quotes. It may be anything, UTF-8 or not.
    Text,
    /// One JSON value (RFC 8259), always valid and without line ends: the file itself says of which
    /// type the value is. A column that a row does not have has no cell in it.
    Json,
}

/// A part of a file that is a table of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Part {
    /// The path of the archive's member.
    pub member: Option<String>,
    /// The name of the workbook's sheet.
    pub sheet: Option<String>,
}

/// A place between two rows: what comes next is row `row + 1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Bytes before this place: decompressed, and of text in another encoding those in UTF-8.
    pub byte_offset: u64,
    /// The physical line that begins here, from 1.
    pub line: u64,
    /// Data rows before this place.
    pub row: u64,
    /// The encoding of the text, as far as it is known by now: `None` while all is ASCII.
    #[serde(default)]
    pub encoding: Option<Encoding>,
}

/// What is wrong with a row that could still be told apart from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RowFault {
    /// The file ended within a quoted cell.
    UnterminatedQuote {
        /// Physical lines from the row's first to the end of the file.
        lines: u64,
    },
    /// What is wrong with the JSON of the row.
    Json {
        /// What.
        problem: JsonProblem,
        /// Where, in bytes from the row's beginning.
        at: u64,
    },
    /// What the file calls text is not UTF-8.
    InvalidUtf8,
    /// A cell of a sheet holds an error, or a formula that was never calculated, in place of a value.
    CellError {
        /// The cell's row in the sheet, from 1.
        row: u32,
        /// The cell's column in the sheet, from 1.
        column: u32,
        /// The error, as spreadsheets show it: `#REF!`; or what else stands in place of a value.
        error: &'static str,
    },
    /// A quoted cell is not closed where the table goes on; the row has what stands before that place.
    UnclosedQuote,
    /// Text follows a closing quote.
    AmbiguousQuote,
    /// It is the header once more.
    RepeatedHeader,
    /// It begins like the file's comments, and has as many cells as a row.
    PossibleComment,
    /// It belongs to a second table below the first.
    OtherTable,
    /// It is among the last lines, and sums up or counts the rows.
    PossibleFooter,
}

/// Where one cell lies in the bytes of its row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// One row, borrowed from the reader until the next one is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    pub(super) head: &'a Head,
    pub(super) number: u64,
    /// 0: the format has no lines.
    pub(super) line: u64,
    /// `u64::MAX`: the format has no place for a row.
    pub(super) byte_offset: u64,
    pub(super) raw: &'a [u8],
    pub(super) data: &'a [u8],
    pub(super) spans: &'a [Span],
    pub(super) fault: Option<RowFault>,
    /// The encoding of the text, as far as it is known by now.
    pub(super) encoding: Option<Encoding>,
    /// Known to be UTF-8; if not, it may still be.
    pub(super) valid: bool,
}

impl<'a> Row<'a> {
    /// No row, after the last one.
    pub(super) fn none(head: &'a Head, number: u64) -> Self {
        Self {
            head,
            number,
            line: 0,
            byte_offset: u64::MAX,
            raw: &[],
            data: &[],
            spans: &[],
            fault: None,
            encoding: None,
            valid: true,
        }
    }

    /// The row's number among the data rows, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// What the row has in common with others.
    #[inline]
    pub fn head(&self) -> &'a Head {
        self.head
    }

    /// The physical line on which the row begins, from 1 (of a sheet: its row); `None` in formats that
    /// have no lines.
    pub fn line(&self) -> Option<u64> {
        (self.line > 0).then_some(self.line)
    }

    /// The offset of the row's first byte; `None` in formats in which a row has no place of its own.
    pub fn byte_offset(&self) -> Option<u64> {
        (self.byte_offset < u64::MAX).then_some(self.byte_offset)
    }

    /// The place before the row. In formats in which rows have no place of their own, its number alone
    /// counts.
    pub fn begins(&self) -> Position {
        let byte_offset = self.byte_offset().unwrap_or(0);
        let row = self.number.saturating_sub(1);
        Position { byte_offset, line: self.line, row, encoding: self.encoding }
    }

    /// The row as it is in the file, without the line end; where it has no bytes of its own there, its
    /// cells as a JSON array.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Whether the whole row is UTF-8. Then each cell is, too, as cells begin and end at ASCII
    /// characters; two cells side by side could complete a character that neither of them holds, so
    /// it is the row that is looked at, not its unquoted cells.
    #[inline]
    pub fn is_utf8(&self) -> bool {
        self.valid || std::str::from_utf8(self.raw).is_ok()
    }

    /// What is wrong with the row; a row with a fault has no cells.
    pub fn fault(&self) -> Option<RowFault> {
        self.fault
    }

    /// How many cells the row has.
    #[inline]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether the row has no cells: one with a fault, or a value without members.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The cell at `index` without its quotes; empty if the row has none there.
    #[inline]
    pub fn cell(&self, index: usize) -> &'a [u8] {
        match self.spans.get(index) {
            Some(span) => &self.data[span.start as usize..span.end as usize],
            None => &[],
        }
    }

    /// The cells in order.
    pub fn cells(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let data = self.data;
        self.spans.iter().map(move |span| &data[span.start as usize..span.end as usize])
    }
}
