//! Workbooks: the sheets of Excel's xlsx, xlsm, xlsb and xls files and of OpenDocument's ods.
//!
//! The crate `calamine` reads the cells, an xlsx or xlsb sheet one by one; this module finds the table
//! in a sheet ([`table`]), and gives its rows with the values that the cells have: a formula's is the
//! one that was last calculated. A row with an error in a cell (`#REF!`) has a fault. Sheets are never
//! mixed: each has a head of its own.
//!
//! * `format.sheet` names the sheet, or its place among the tabs from 1, or all visible ones (`"*"`).
//!   Else the first visible one with a table is read, and the evidence names the others.
//! * The header is found below titles; see [`table`]. With `format.skip_lines` the first row with
//!   values below these is the header, and with `format.header = false` it is the first row of data.
//! * A row without values is no row. A column without a name is `column_7` by its place in the
//!   sheet (G); one that has neither name nor value at the beginning of the sheet comes in with its
//!   first value, by another head.
//! * Numbers have the shortest digits that mean them. A cell that the sheet shows as a date or time is
//!   `2024-05-01`, `2024-05-01T08:30:00`, `08:30:00`, or `26:30:00` for a duration.

mod cell;
mod container;
mod formula_errors;
mod guard;
mod table;
mod workbook;

use std::collections::{HashMap, VecDeque};
use std::io::Seek;
use std::sync::Arc;

use self::cell::Kind;
use self::table::Outline;
use self::workbook::{Piece, Said, SheetName, Workbook};
use super::input::Input;
use super::values::{Place, Values};
use super::{
    Compression, Detected, Form, FormatError, Head, Limit, Limits, Part, Position, Reader, Row,
    RowFault, Spool, header,
};
use crate::catalog::{self, SheetChoice};

/// Bytes of the rows that are looked at together, besides the last of them.
const WINDOW_BYTES: usize = 1 << 20;

/// The rows of a workbook.
pub(super) struct Sheets {
    workbook: Workbook,
    settings: catalog::Format,
    limits: Limits,
    names: Vec<SheetName>,
    /// The sheets to read after this one, by their place.
    next: VecDeque<usize>,
    /// What came from the workbook and was not taken yet.
    piece: Piece,
    taken: usize,
    /// The sheet has no more pieces.
    ended: bool,
    /// The first rows of the sheet, which were looked at.
    window: VecDeque<SheetRow>,
    row: SheetRow,
    columns: Columns,
    values: Values,
    fault: Option<RowFault>,
    rows: u64,
}

/// The columns of the table, by their places in the sheet.
struct Columns {
    /// From 0, rising.
    places: Vec<u32>,
    /// The names in the header, where there are any.
    names: Vec<(u32, String)>,
    head: Arc<Head>,
}

/// One row of a sheet, as it came.
#[derive(Clone, Debug, Default)]
struct SheetRow {
    /// From 0.
    row: u32,
    cells: Vec<SheetCell>,
    json: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct SheetCell {
    column: u32,
    kind: Kind,
    start: u32,
    end: u32,
}

/// Opens a workbook and finds the table in its first sheet.
pub(super) fn open(
    input: Input,
    compression: Compression,
    settings: &catalog::Format,
    limits: Limits,
    mut evidence: Vec<String>,
) -> Result<(Sheets, Detected), FormatError> {
    let mut spool = Spool::fill(input, &limits)?;
    let kind = container::kind(&mut spool)?;
    guard::check(&mut spool, kind, &limits)?;
    evidence.push(format!("kind: {}, by what the container holds", kind.name()));
    let errors = match kind {
        container::Kind::Xlsb => {
            formula_errors::of(&mut spool).map_err(|problem| problem.of(kind, &limits))?
        }
        _ => HashMap::new(),
    };
    spool.rewind().map_err(FormatError::Read)?;
    let mut workbook = Workbook::open(spool, kind, errors)?;
    let Said::Sheets(names) = workbook.listen(0)? else {
        return Err(FormatError::Damaged {
            kind: kind.name(),
            row: 0,
            problem: "its sheets were not told".into(),
        });
    };
    let head = Head { number: 0, columns: Vec::new(), form: Form::Json, part: None };
    let mut sheets = Sheets {
        workbook,
        settings: settings.clone(),
        limits,
        next: chosen(&names, settings.sheet.as_ref())?,
        names,
        piece: Piece::default(),
        taken: 0,
        ended: true,
        window: VecDeque::new(),
        row: SheetRow::default(),
        columns: Columns { places: Vec::new(), names: Vec::new(), head: Arc::new(head) },
        values: Values::default(),
        fault: None,
        rows: 0,
    };
    let read = match settings.sheet {
        Some(SheetChoice::All) => sheets.first_of_all(&mut evidence)?,
        Some(_) => sheets.next_sheet(&mut evidence)?,
        None => sheets.first_table(&mut evidence)?,
    };
    sheets.tell_others(read, &mut evidence);
    let columns = sheets.columns.head.columns.clone();
    let detected = Detected {
        has_header: !sheets.columns.names.is_empty(),
        ..Detected::of_values(compression, catalog::FormatKind::Excel, columns, evidence)
    };
    Ok((sheets, detected))
}

/// The sheets that may be read, in their order.
fn chosen(
    names: &[SheetName],
    choice: Option<&SheetChoice>,
) -> Result<VecDeque<usize>, FormatError> {
    let found = match choice {
        None | Some(SheetChoice::All) => {
            let visible =
                |(at, sheet): (usize, &SheetName)| (sheet.visible && sheet.has_cells).then_some(at);
            return Ok(names.iter().enumerate().filter_map(visible).collect());
        }
        Some(SheetChoice::Number(number)) => {
            (*number as usize).checked_sub(1).filter(|at| *at < names.len())
        }
        Some(SheetChoice::Name(name)) => names
            .iter()
            .position(|sheet| sheet.name == *name)
            // People do not see white space at the ends, and spreadsheets do not tell case apart.
            .or_else(|| names.iter().position(|sheet| same_name(&sheet.name, name))),
    };
    found.map(|at| VecDeque::from([at])).ok_or_else(|| FormatError::NoSuchSheet {
        wanted: match choice {
            Some(SheetChoice::Number(number)) => number.to_string().into(),
            Some(SheetChoice::Name(name)) => format!("\"{name}\"").into(),
            _ => "".into(),
        },
        found: list(names.iter()).into(),
    })
}

fn same_name(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// Some names, for people.
fn list<'n>(names: impl Iterator<Item = &'n SheetName>) -> String {
    let names: Vec<String> = names.map(|sheet| format!("\"{}\"", sheet.name)).collect();
    match names.len() {
        0 => "none".to_owned(),
        1..=20 => names.join(", "),
        more => format!("{} and {} more", names[..20].join(", "), more - 20),
    }
}

impl Sheets {
    /// Goes to the first visible sheet with a table; where none has one, to the first with a value.
    fn first_table(&mut self, evidence: &mut Vec<String>) -> Result<Option<usize>, FormatError> {
        let candidates = self.next.clone();
        let mut with_values = None;
        for at in candidates {
            self.begin(at)?;
            if table::is_table(&self.outlines()) {
                self.next.clear();
                let name = &self.names[at].name;
                evidence.push(format!("sheet \"{name}\": the first visible one with a table"));
                self.lay_out(at, evidence);
                return Ok(Some(at));
            }
            if with_values.is_none() && !self.window.is_empty() {
                with_values = Some(at);
            }
        }
        self.next.clear();
        let Some(at) = with_values else {
            evidence.push("no visible sheet has a value".to_owned());
            return Ok(None);
        };
        self.begin(at)?;
        let name = &self.names[at].name;
        evidence.push(format!("sheet \"{name}\": the first visible one with values"));
        self.lay_out(at, evidence);
        Ok(Some(at))
    }

    /// Goes to the first of all visible sheets that has rows.
    fn first_of_all(&mut self, evidence: &mut Vec<String>) -> Result<Option<usize>, FormatError> {
        evidence.push("sheets: all visible ones, stated".to_owned());
        self.next_sheet(evidence)
    }

    /// Goes to the next sheet that has values.
    fn next_sheet(&mut self, evidence: &mut Vec<String>) -> Result<Option<usize>, FormatError> {
        while let Some(at) = self.next.pop_front() {
            self.begin(at)?;
            if !self.window.is_empty() {
                evidence.push(format!("sheet \"{}\"", self.names[at].name));
                self.lay_out(at, evidence);
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Says which sheets are not read.
    fn tell_others(&self, read: Option<usize>, evidence: &mut Vec<String>) {
        let others = |visible| {
            let left = |(at, sheet): (usize, _)| {
                let sheet: &SheetName = sheet;
                let taken = Some(at) == read || self.next.contains(&at);
                (!taken && sheet.visible == visible && sheet.has_cells).then_some(sheet)
            };
            list(self.names.iter().enumerate().filter_map(left))
        };
        let all = self.settings.sheet == Some(SheetChoice::All);
        let (seen, hidden) = (others(true), others(false));
        if seen != "none" && !all {
            evidence.push(format!("sheets that are not read: {seen}; state format.sheet"));
        }
        if hidden != "none" {
            evidence.push(format!("hidden sheets that are not read: {hidden}"));
        }
    }

    /// Begins a sheet, and takes its first rows.
    fn begin(&mut self, at: usize) -> Result<(), FormatError> {
        // What is left of the sheet before is of no interest.
        while !self.ended {
            self.ended = matches!(self.workbook.listen(self.rows)?, Said::End);
        }
        self.window.clear();
        (self.piece, self.taken, self.ended) = (Piece::default(), 0, false);
        self.workbook.ask(at);
        let mut bytes = 0;
        while self.window.len() < table::WINDOW && bytes < WINDOW_BYTES {
            let mut row = SheetRow::default();
            if !self.take_row(&mut row)? {
                break;
            }
            bytes += row.json.len();
            if row.row >= self.settings.skip_lines {
                self.window.push_back(row);
            }
        }
        Ok(())
    }

    fn outlines(&self) -> Vec<Outline> {
        self.window.iter().map(SheetRow::outline).collect()
    }

    /// Finds the table in the first rows, and its columns.
    fn lay_out(&mut self, at: usize, evidence: &mut Vec<String>) {
        let skipped = self.settings.skip_lines > 0;
        let layout = table::layout(&self.outlines(), self.settings.header, skipped);
        evidence.extend(layout.evidence);
        let header = layout.header.map(|header| &self.window[header]);
        let names: Vec<(u32, String)> = header.map(SheetRow::names).unwrap_or_default();
        self.window.drain(..layout.first);
        let mut places: Vec<u32> = names.iter().map(|(place, _)| *place).collect();
        for row in &self.window {
            places.extend(row.cells.iter().map(|cell| cell.column));
            // The header is at most as wide as a sheet; so is each row.
            places.sort_unstable();
            places.dedup();
        }
        let part = Part { member: None, sheet: Some(self.names[at].name.clone()) };
        let head = Head {
            number: self.columns.head.number,
            columns: Vec::new(),
            form: Form::Json,
            part: Some(Arc::new(part)),
        };
        // The first head of all has the number 0.
        let first = self.columns.head.part.is_none();
        self.columns = Columns { places, names, head: Arc::new(head) };
        self.columns.rename(u32::from(!first));
    }

    /// Takes the next row that has values; `false` at the end of the sheet.
    fn take_row(&mut self, into: &mut SheetRow) -> Result<bool, FormatError> {
        into.cells.clear();
        into.json.clear();
        loop {
            while let Some(found) = self.piece.cells.get(self.taken) {
                if into.cells.is_empty() {
                    into.row = found.row;
                } else if into.row != found.row {
                    into.sort();
                    return Ok(true);
                }
                let start = match self.taken {
                    0 => 0,
                    before => self.piece.cells[before - 1].end,
                };
                let json = &self.piece.json[start as usize..found.end as usize];
                let cell = SheetCell {
                    column: found.column,
                    kind: found.kind,
                    start: into.json.len() as u32,
                    end: (into.json.len() + json.len()) as u32,
                };
                into.json.extend_from_slice(json);
                into.cells.push(cell);
                self.taken += 1;
                self.check_row(into)?;
            }
            if self.ended {
                into.sort();
                return Ok(!into.cells.is_empty());
            }
            match self.workbook.listen(self.rows)? {
                Said::Cells(piece) => (self.piece, self.taken) = (piece, 0),
                Said::End => self.ended = true,
                Said::Sheets(_) => {}
            }
        }
    }

    fn check_row(&self, row: &SheetRow) -> Result<(), FormatError> {
        let (setting, value) = if row.json.len() > self.limits.max_row_bytes {
            ("max_row_bytes", self.limits.max_row_bytes)
        } else if row.cells.len() > self.limits.max_columns {
            ("max_columns", self.limits.max_columns)
        } else {
            return Ok(());
        };
        let limit = Limit { setting, value: value as u64 };
        Err(FormatError::RowTooLarge { row: self.rows + 1, limit })
    }

    /// Puts the cells of the row under their columns.
    fn arrange(&mut self) {
        let row = &self.row;
        let known = |cell: &SheetCell| self.columns.places.binary_search(&cell.column).is_ok();
        if !row.cells.iter().all(known) {
            self.columns.places.extend(row.cells.iter().map(|cell| cell.column));
            self.columns.places.sort_unstable();
            self.columns.places.dedup();
            self.columns.rename(1);
        }
        self.fault = row.cells.iter().find_map(|cell| match cell.kind {
            Kind::Error(error) => {
                Some(RowFault::CellError { row: row.row + 1, column: cell.column + 1, error })
            }
            _ => None,
        });
        let mut cells = row.cells.iter().peekable();
        self.values.begin();
        for place in &self.columns.places {
            match cells.next_if(|cell| cell.column == *place) {
                Some(cell) => self
                    .values
                    .out()
                    .extend_from_slice(&row.json[cell.start as usize..cell.end as usize]),
                None => self.values.out().extend_from_slice(b"null"),
            }
            self.values.end_cell();
        }
        self.values.end();
    }
}

impl Columns {
    /// Names the columns anew.
    fn rename(&mut self, step: u32) {
        let mut names = self.names.iter().peekable();
        let named: Vec<String> = self
            .places
            .iter()
            .map(|place| match names.next_if(|(at, _)| at == place) {
                Some((_, name)) if !name.trim().is_empty() => name.clone(),
                _ => format!("column_{}", place + 1),
            })
            .collect();
        self.head = Arc::new(Head {
            number: self.head.number + step,
            columns: header::unique(&named),
            form: Form::Json,
            part: self.head.part.clone(),
        });
    }
}

impl SheetRow {
    /// Cells come in any order from some programs, and some say a cell twice: the last one counts.
    fn sort(&mut self) {
        if self.cells.windows(2).all(|pair| pair[0].column < pair[1].column) {
            return;
        }
        self.cells.sort_by_key(|cell| cell.column);
        self.cells.reverse();
        self.cells.dedup_by_key(|cell| cell.column);
        self.cells.reverse();
    }

    fn text(&self, cell: &SheetCell) -> String {
        let json = &self.json[cell.start as usize..cell.end as usize];
        match serde_json::from_slice::<String>(json) {
            Ok(text) => text,
            Err(_) => String::from_utf8_lossy(json).into_owned(),
        }
    }

    fn names(&self) -> Vec<(u32, String)> {
        self.cells.iter().map(|cell| (cell.column, self.text(cell))).collect()
    }

    fn outline(&self) -> Outline {
        let years = self.cells.iter().any(|cell| cell.kind == Kind::Number)
            && self.cells.iter().filter(|cell| cell.kind == Kind::Number).all(|cell| {
                let year = self.text(cell).parse::<u32>();
                year.is_ok_and(|year| (1900..=2100).contains(&year))
            });
        Outline {
            row: self.row + 1,
            cells: self.cells.iter().map(|cell| (cell.column, cell.kind)).collect(),
            years,
        }
    }
}

impl Reader for Sheets {
    fn advance(&mut self) -> Result<bool, FormatError> {
        loop {
            if let Some(row) = self.window.pop_front() {
                self.row = row;
            } else {
                let mut row = std::mem::take(&mut self.row);
                let found = !self.columns.places.is_empty() && self.take_row(&mut row)?;
                self.row = row;
                if !found {
                    if self.next_sheet(&mut Vec::new())?.is_none() {
                        self.window.clear();
                        return Ok(false);
                    }
                    continue;
                }
            }
            self.rows += 1;
            self.arrange();
            if self.values.len() > self.limits.max_row_bytes {
                let value = self.limits.max_row_bytes as u64;
                let limit = Limit { setting: "max_row_bytes", value };
                return Err(FormatError::RowTooLarge { row: self.rows, limit });
            }
            return Ok(true);
        }
    }

    fn row(&self) -> Row<'_> {
        let place =
            Place { number: self.rows, line: Some(u64::from(self.row.row) + 1), byte_offset: None };
        let row = self.values.row(&self.columns.head, place, None);
        match self.fault {
            None => row,
            fault => Row { fault, spans: &[], ..row },
        }
    }

    fn position(&self) -> Position {
        let line = u64::from(self.row.row) + 2;
        Position { byte_offset: 0, line, row: self.rows, encoding: None }
    }

    fn head(&self) -> &Arc<Head> {
        &self.columns.head
    }
}

#[cfg(test)]
mod tests;
