//! The cells of a workbook, read on a thread of their own.
//!
//! The reader of an xlsx sheet borrows from its workbook, so the two cannot be handed around
//! together; and the crate that reads the formats panics on some damaged files. A thread holds both:
//! it sends the cells in pieces through a bounded channel, and a panic is the last that it says.

use std::collections::HashMap;
use std::io::BufReader;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use calamine::{
    Cell, DataRef, Ods, OdsError, Reader as _, SheetType, SheetVisible, Xls, XlsError, Xlsb,
    XlsbError, Xlsx, XlsxError,
};

use super::super::contained::contained;
use super::super::{FormatError, Spool};
use super::cell::{self, Kind};
use super::container;
use super::formula_errors::Errors;
use super::odd::{self, LongNumbers};

/// Bytes of a piece, besides the cell that passes it.
const PIECE_BYTES: usize = 128 << 10;
/// Cells of a piece.
const PIECE_CELLS: usize = 8 << 10;
/// Pieces that wait at most.
const PIECES: usize = 2;

/// A sheet by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SheetName {
    pub(super) name: String,
    pub(super) visible: bool,
    /// Not a chart or a dialog.
    pub(super) has_cells: bool,
}

/// Some cells of one sheet, one row after the other.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) cells: Vec<Found>,
    /// The values of the cells as JSON, one behind the other.
    pub(super) json: Vec<u8>,
}

/// One cell with a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// From 0.
    pub(super) row: u32,
    /// From 0.
    pub(super) column: u32,
    /// Where its JSON ends.
    pub(super) end: u32,
    pub(super) kind: Kind,
}

/// What the thread says.
pub(super) enum Said {
    /// The sheets, in their order: first of all.
    Sheets(Vec<SheetName>),
    /// Cells of the sheet that was asked for.
    Cells(Piece),
    /// The sheet has no more cells.
    End,
}

/// What is known of the cells that `calamine` does not read as they stand.
#[derive(Debug, Default)]
pub(super) struct Odd {
    /// Formulas of xlsb that came to an error, by sheet.
    pub(super) errors: HashMap<String, Errors>,
    /// Whether there are formulas in an xlsx, which may have no value.
    pub(super) formulas: bool,
    /// Whole numbers of xlsx that floating point does not keep, by sheet.
    pub(super) long_numbers: HashMap<String, LongNumbers>,
}

/// Why a workbook cannot be read.
pub(super) enum Problem {
    Encrypted,
    Damaged(Box<str>),
}

impl From<XlsxError> for Problem {
    fn from(error: XlsxError) -> Self {
        match error {
            XlsxError::Password => Self::Encrypted,
            other => Self::Damaged(other.to_string().into()),
        }
    }
}

impl From<XlsbError> for Problem {
    fn from(error: XlsbError) -> Self {
        match error {
            XlsbError::Password => Self::Encrypted,
            other => Self::Damaged(other.to_string().into()),
        }
    }
}

impl From<OdsError> for Problem {
    fn from(error: OdsError) -> Self {
        match error {
            OdsError::Password => Self::Encrypted,
            other => Self::Damaged(other.to_string().into()),
        }
    }
}

impl From<XlsError> for Problem {
    fn from(error: XlsError) -> Self {
        match error {
            XlsError::Password => Self::Encrypted,
            other => Self::Damaged(other.to_string().into()),
        }
    }
}

/// A workbook that is being read.
pub(super) struct Workbook {
    kind: container::Kind,
    asked: Option<SyncSender<usize>>,
    said: Option<Receiver<Result<Said, Problem>>>,
    thread: Option<JoinHandle<()>>,
}

impl Workbook {
    /// Begins to read.
    pub(super) fn open(spool: Spool, kind: container::Kind, odd: Odd) -> Result<Self, FormatError> {
        let (asked, to_read) = sync_channel(1);
        let (tell, said) = sync_channel(PIECES);
        let read = move || {
            let talk = Talk { to_read, tell };
            let file = BufReader::with_capacity(64 << 10, spool);
            let read = contained(|| match kind {
                container::Kind::Xlsx => xlsx(file, &odd, &talk),
                container::Kind::Xlsb => xlsb(file, &odd.errors, &talk),
                container::Kind::Ods => ods(file, &talk),
                container::Kind::Xls => xls(file, &talk),
            });
            match read {
                Ok(Ok(())) => {}
                // Nobody listens any more: nothing is left to say.
                Ok(Err(Unheard)) => {}
                Err(problem) => drop(talk.fail(Problem::Damaged(problem))),
            }
        };
        let thread = std::thread::Builder::new()
            .name("workbook".to_owned())
            .spawn(read)
            .map_err(FormatError::Read)?;
        Ok(Self { kind, asked: Some(asked), said: Some(said), thread: Some(thread) })
    }

    /// Asks for the cells of a sheet, after the end of the one before.
    pub(super) fn ask(&mut self, sheet: usize) {
        // A thread that has ended says why when it is listened to.
        let _ = self.asked.as_ref().map(|asked| asked.send(sheet));
    }

    /// What the thread says next. `row`: rows that were read before, for the error.
    pub(super) fn listen(&mut self, row: u64) -> Result<Said, FormatError> {
        let problem = match self.said.as_ref().map(Receiver::recv) {
            Some(Ok(Ok(said))) => return Ok(said),
            Some(Ok(Err(Problem::Encrypted))) => {
                return Err(FormatError::Encrypted { found: "a workbook with a password" });
            }
            Some(Ok(Err(Problem::Damaged(problem)))) => problem,
            // It ended without a word, which it does not do while somebody listens.
            _ => "its reader is gone".into(),
        };
        Err(FormatError::Damaged { kind: self.kind.name(), row, problem })
    }
}

impl Drop for Workbook {
    fn drop(&mut self) {
        // Without anybody to talk to the thread ends; waiting for it keeps its memory from adding up.
        drop((self.asked.take(), self.said.take()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The listener is gone.
struct Unheard;

struct Talk {
    to_read: Receiver<usize>,
    tell: SyncSender<Result<Said, Problem>>,
}

impl Talk {
    fn say(&self, said: Said) -> Result<(), Unheard> {
        self.tell.send(Ok(said)).map_err(|_| Unheard)
    }

    fn fail(&self, problem: impl Into<Problem>) -> Unheard {
        let _ = self.tell.send(Err(problem.into()));
        Unheard
    }

    /// Tells the sheets, then reads those that are asked for.
    fn serve(
        &self,
        sheets: &[calamine::Sheet],
        mut read: impl FnMut(&str, &mut Cells<'_>) -> Result<(), Unheard>,
    ) -> Result<(), Unheard> {
        let names = sheets.iter().map(|sheet| SheetName {
            name: sheet.name.clone(),
            visible: sheet.visible == SheetVisible::Visible,
            has_cells: sheet.typ == SheetType::WorkSheet,
        });
        self.say(Said::Sheets(names.collect()))?;
        while let Ok(asked) = self.to_read.recv() {
            let Some(sheet) = sheets.get(asked) else { continue };
            let mut cells = Cells { talk: self, piece: Piece::default() };
            read(&sheet.name, &mut cells)?;
            cells.send()?;
            self.say(Said::End)?;
        }
        Ok(())
    }
}

/// Cells on their way.
struct Cells<'t> {
    talk: &'t Talk,
    piece: Piece,
}

impl Cells<'_> {
    fn put(
        &mut self,
        (row, column): (u32, u32),
        value: &DataRef<'_>,
        timed: bool,
    ) -> Result<(), Unheard> {
        match cell::write(value, timed, &mut self.piece.json) {
            Some(kind) => self.end_cell((row, column), kind),
            None => Ok(()),
        }
    }

    /// A whole number of any length.
    fn put_digits(&mut self, at: (u32, u32), digits: &str) -> Result<(), Unheard> {
        self.piece.json.extend_from_slice(digits.as_bytes());
        self.end_cell(at, Kind::Number)
    }

    fn put_error(&mut self, at: (u32, u32), error: &'static str) -> Result<(), Unheard> {
        cell::write_error(error, &mut self.piece.json);
        self.end_cell(at, Kind::Error(error))
    }

    fn end_cell(&mut self, (row, column): (u32, u32), kind: Kind) -> Result<(), Unheard> {
        if row >= ROWS || column >= COLUMNS {
            let problem = "a cell lies beyond XFD1048576, the last one of a sheet";
            return Err(self.talk.fail(Problem::Damaged(problem.into())));
        }
        let end = self.piece.json.len() as u32;
        self.piece.cells.push(Found { row, column, end, kind });
        if self.piece.json.len() >= PIECE_BYTES || self.piece.cells.len() >= PIECE_CELLS {
            self.send()?;
        }
        Ok(())
    }

    fn send(&mut self) -> Result<(), Unheard> {
        if self.piece.cells.is_empty() {
            return Ok(());
        }
        self.talk.say(Said::Cells(std::mem::take(&mut self.piece)))
    }
}

/// Rows and columns of a sheet at most, in Excel and in LibreOffice.
/// (<https://support.microsoft.com/en-us/office/1672b34d-7043-467e-8e27-269d656771c3>)
const ROWS: u32 = 1 << 20;
const COLUMNS: u32 = 1 << 14;

type File = BufReader<Spool>;

fn xlsx(file: File, odd: &Odd, talk: &Talk) -> Result<(), Unheard> {
    let mut book = Xlsx::new(file).map_err(|error| talk.fail(error))?;
    let sheets = book.sheets_metadata().to_vec();
    talk.serve(&sheets, |name, cells| {
        let mut blank = Vec::new();
        if odd.formulas
            && let Ok(reader) = book.worksheet_cells_reader(name)
        {
            blank = odd::without_value(reader).map_err(|problem| talk.fail(problem))?;
        }
        let mut blank = blank.into_iter().peekable();
        let mut long = odd.long_numbers.get(name).into_iter().flatten().peekable();
        let mut reader = match book.worksheet_cells_reader(name) {
            Ok(reader) => reader,
            Err(XlsxError::NotAWorksheet(_)) => return Ok(()),
            Err(error) => return Err(talk.fail(error)),
        };
        let timed: Vec<bool> = reader
            .styles()
            .iter()
            .map(|style| {
                style.number_format.as_ref().is_some_and(|it| cell::shows_time(&it.format_code))
            })
            .collect();
        while let Some((cell, style)) =
            reader.next_cell_with_style_id().map_err(|error| talk.fail(error))?
        {
            if blank.next_if_eq(&cell.get_position()).is_some() {
                cells.put_error(cell.get_position(), odd::NO_VALUE)?;
                continue;
            }
            if let Some((_, digits)) = long.next_if(|(at, _)| *at == cell.get_position())
                && matches!(cell.get_value(), DataRef::Float(_))
            {
                cells.put_digits(cell.get_position(), digits)?;
                continue;
            }
            let timed = timed.get(style).copied().unwrap_or(false);
            cells.put(cell.get_position(), cell.get_value(), timed)?;
        }
        Ok(())
    })
}

fn xlsb(file: File, errors: &HashMap<String, Errors>, talk: &Talk) -> Result<(), Unheard> {
    let mut book = Xlsb::new(file).map_err(|error| talk.fail(error))?;
    let sheets = book.sheets_metadata().to_vec();
    talk.serve(&sheets, |name, cells| {
        let mut reader = book.worksheet_cells_reader(name).map_err(|error| talk.fail(error))?;
        let mut errors = errors.get(name).into_iter().flatten().copied().peekable();
        while let Some(cell) = reader.next_cell().map_err(|error| talk.fail(error))? {
            let at = cell.get_position();
            while let Some((row, column, error)) =
                errors.next_if(|(row, column, _)| (*row, *column) < at)
            {
                cells.put_error((row, column), error)?;
            }
            cells.put(at, cell.get_value(), false)?;
        }
        errors.try_for_each(|(row, column, error)| cells.put_error((row, column), error))
    })
}

fn ods(file: File, talk: &Talk) -> Result<(), Unheard> {
    let mut book = Ods::new(file).map_err(|error| talk.fail(error))?;
    let sheets = book.sheets_metadata().to_vec();
    talk.serve(&sheets, |name, cells| {
        let range = book.worksheet_range(name).map_err(|error| talk.fail(error))?;
        whole(&range, cells, true)
    })
}

fn xls(file: File, talk: &Talk) -> Result<(), Unheard> {
    let mut book = Xls::new(file).map_err(|error| talk.fail(error))?;
    let sheets = book.sheets_metadata().to_vec();
    talk.serve(&sheets, |name, cells| {
        let range = book.worksheet_range(name).map_err(|error| talk.fail(error))?;
        whole(&range, cells, false)
    })
}

/// The cells of a sheet that is in memory.
fn whole(
    range: &calamine::Range<calamine::Data>,
    cells: &mut Cells<'_>,
    errors_as_text: bool,
) -> Result<(), Unheard> {
    let Some((top, left)) = range.start() else { return Ok(()) };
    for (row, column, value) in range.used_cells() {
        let at = (top + row as u32, left + column as u32);
        let value = match value {
            calamine::Data::Int(value) => DataRef::Int(*value),
            calamine::Data::Float(value) => DataRef::Float(*value),
            calamine::Data::String(value) => match cell::error_type(value) {
                Some(error) if errors_as_text => DataRef::Error(error),
                _ => DataRef::SharedString(value),
            },
            calamine::Data::Bool(value) => DataRef::Bool(*value),
            calamine::Data::DateTime(value) => DataRef::DateTime(*value),
            calamine::Data::DateTimeIso(value) => DataRef::DateTimeIso(value.clone()),
            calamine::Data::DurationIso(value) => DataRef::DurationIso(value.clone()),
            calamine::Data::Error(value) => DataRef::Error(value.clone()),
            calamine::Data::Empty => continue,
        };
        let cell = Cell::new(at, value);
        cells.put(cell.get_position(), cell.get_value(), false)?;
    }
    Ok(())
}
