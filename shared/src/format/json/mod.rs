//! JSON and JSON Lines: objects become rows, with their values exactly as they are written.
//!
//! * A document: the elements of its array are the rows, or of an array within it (`format.rows`, or
//!   the only array of objects among its members, see [`names`]), or it is one row. Objects may follow
//!   one another as documents, and so may arrays of objects. A mistake ends the file, as nobody knows
//!   what comes after it.
//! * JSON Lines: each line that is not blank is a row; a mistake spoils its line alone.
//!
//! What a row becomes is in [`cells`]. An object that has a key twice is a row with a fault: parsers
//! differ on which value they take, so somebody should be asked. So is a row with half of a
//! character (`"\ud800"`): it could not be written as UTF-8, and most readers downstream would refuse
//! the whole batch for it. The same holds for a number beyond 1.8e308.

mod cells;
mod document;
mod json_lines;
mod path;
mod problem;
pub(super) mod sniff;
mod token;

pub use problem::JsonProblem;

use self::cells::Cells;
use self::document::DocumentReader;
use self::json_lines::LinesReader;
use self::path::RowsPath;
use super::input::Input;
use super::lines::Lines;
use super::window::Window;
use super::{
    Compression, Detected, FormatError, Head, Limit, Limits, Position, Reader, Row, RowFault,
};
use crate::catalog::{self, FormatKind};

/// Rows longer than this are never allowed: places in a row are 32-bit.
const MAX_ROW: usize = 1 << 30;

/// Opens a document, or several one after the other.
pub(super) fn open(
    input: Input,
    compression: Compression,
    settings: &catalog::Format,
    mut limits: Limits,
    mut evidence: Vec<String>,
) -> Result<(Box<dyn Reader>, Detected), FormatError> {
    limits.max_row_bytes = limits.max_row_bytes.min(MAX_ROW);
    let mut window = Window::open(input, limits.max_row_bytes)?;
    if settings.kind.is_none()
        && settings.rows.is_none()
        && let Some(why) = sniff::lines_behind_others(window.bytes(), window.ended())
    {
        evidence.push(why);
        return lines(window, compression, limits, evidence);
    }
    let (path, within) = match &settings.rows {
        Some(stated) => {
            evidence.push(format!("rows: at {stated:?}, stated"));
            (RowsPath::parse(stated), None)
        }
        None => {
            let found = sniff::rows(&mut window, limits.max_nesting)?;
            evidence.push(found.evidence);
            (found.path, found.within)
        }
    };
    let mut reader = DocumentReader::open(window, path, settings.rows.clone(), within, limits);
    reader.look()?;
    let columns = reader.head().columns.clone();
    let detected = Detected::of_values(compression, FormatKind::Json, columns, evidence);
    Ok((Box::new(reader), detected))
}

/// Opens a file of JSON Lines.
pub(super) fn open_lines(
    input: Input,
    compression: Compression,
    mut limits: Limits,
    evidence: Vec<String>,
) -> Result<(Box<dyn Reader>, Detected), FormatError> {
    limits.max_row_bytes = limits.max_row_bytes.min(MAX_ROW);
    lines(Window::open(input, limits.max_row_bytes)?, compression, limits, evidence)
}

fn lines(
    window: Window,
    compression: Compression,
    limits: Limits,
    mut evidence: Vec<String>,
) -> Result<(Box<dyn Reader>, Detected), FormatError> {
    evidence.push("rows: one for each line".to_owned());
    let mut reader = LinesReader::open(window, limits);
    reader.look()?;
    let columns = reader.head().columns.clone();
    let detected = Detected::of_values(compression, FormatKind::Jsonl, columns, evidence);
    Ok((Box::new(reader), detected))
}

/// Goes on with a file of JSON Lines at the end of a row.
pub(super) fn resume_lines(
    input: Input,
    at: Position,
    mut limits: Limits,
) -> Result<Box<dyn Reader>, FormatError> {
    limits.max_row_bytes = limits.max_row_bytes.min(MAX_ROW);
    let window = Window::open(input, limits.max_row_bytes)?;
    let mut reader = LinesReader::resume(window, at, limits);
    reader.look()?;
    Ok(Box::new(reader))
}

/// Where a row is: in the file, and in the window.
#[derive(Clone, Copy, Debug)]
struct Place {
    begins: Lines,
    start: usize,
    end: usize,
}

impl Default for Place {
    fn default() -> Self {
        Self { begins: Lines::from(0), start: 0, end: 0 }
    }
}

impl Place {
    fn row<'a>(
        &self,
        number: u64,
        bytes: &'a [u8],
        cells: &'a Cells,
        head: &'a Head,
        fault: Option<RowFault>,
    ) -> Row<'a> {
        Row {
            encoding: None,
            head,
            number,
            line: self.begins.line,
            byte_offset: self.begins.offset,
            raw: bytes,
            data: cells.data(bytes),
            spans: cells.spans(),
            fault,
            valid: fault.is_none(),
        }
    }
}

fn too_deep(place: &Lines, limits: &Limits) -> FormatError {
    FormatError::TooDeep {
        line: place.line,
        byte_offset: place.offset,
        limit: Limit { setting: "max_nesting", value: limits.max_nesting as u64 },
    }
}

#[cfg(test)]
mod tests;
