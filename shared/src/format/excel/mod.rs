//! Workbooks: the sheets of Excel's xlsx, xlsm, xlsb and xls files and of OpenDocument's ods.
//!
//! The crate `calamine` reads the cells, an xlsx or xlsb sheet one by one; this module finds the table
//! in a sheet ([`table`]), and gives its rows with the values that the cells have: a formula's is the
//! one that was last calculated. A row with an error in a cell (`#REF!`) has a fault. Sheets are never
//! mixed: each has a head of its own.
//!
//! * `format.sheet` names the sheet, or its place among the tabs from 1, or all visible ones (`"*"`).
//!   Else the first visible one with the columns of the definition is read, or with a table, and the
//!   evidence names the others.
//! * The header is found below titles, and may be of several rows; see [`table`]. With `format.preamble = false` it is the
//!   first row with values, with `format.skip_lines` the first below these, and with `format.header = false` there is none.
//! * A row without values is no row. A column without a name is `column_7` by its place in the
//!   sheet (G); one that has neither name nor value at the beginning of the sheet comes in with its
//!   first value, by another head.
//! * A row at the end that sums up the others, and a second table below, are rejects; see [`beyond`].
//! * Numbers have the shortest digits that mean them. A cell that the sheet shows as a date or time is
//!   `2024-05-01`, `2024-05-01T08:30:00`, `08:30:00`, or `26:30:00` for a duration.

mod above;
mod beyond;
mod cell;
mod choice;
mod columns;
mod container;
mod formula_errors;
mod guard;
mod known;
mod odd;
mod sheet_row;
mod table;
mod workbook;

use std::collections::{HashMap, VecDeque};
use std::io::Seek;
use std::sync::Arc;

use self::cell::Kind;
use self::choice::{chosen, list};
use self::columns::Columns;
use self::known::Known;
use self::sheet_row::{SheetCell, SheetRow};
use self::table::{Outline, Stated};
use self::workbook::{Piece, Said, SheetName, Workbook};
use super::contained::contained;
use super::input::Input;
use super::values::{Place, Values};
use super::{
    Compression, Detected, FormatError, Head, Hints, Limit, Limits, Part, Position, Reader, Row,
    RowFault, Spool,
};
use crate::catalog::{self, SheetChoice};

/// Bytes of the rows that are looked at together, besides the last of them.
const WINDOW_BYTES: usize = 1 << 20;

/// The rows of a workbook.
pub(super) struct Sheets {
    workbook: Workbook,
    settings: catalog::Format,
    known: Known,
    limits: Limits,
    names: Vec<SheetName>,
    /// The sheets to read after this one, by their place.
    next: VecDeque<usize>,
    /// What came from the workbook and was not taken yet.
    piece: Piece,
    taken: usize,
    /// The sheet has no more pieces.
    ended: bool,
    /// The next rows of the sheet, which were looked at, and whether they are the last.
    window: VecDeque<SheetRow>,
    last: bool,
    row: SheetRow,
    /// The row that was taken before the current one of the table, if any, and how many there were.
    before: Option<u32>,
    taken_rows: u64,
    /// A second table has begun.
    other: bool,
    spare: Option<SheetRow>,
    columns: Columns,
    values: Values,
    fault: Option<RowFault>,
    rows: u64,
}

/// Opens a workbook and finds the table in its first sheet.
pub(super) fn open(
    input: Input,
    compression: Compression,
    hints: Hints<'_>,
    settings: &catalog::Format,
    limits: Limits,
    mut evidence: Vec<String>,
) -> Result<(Sheets, Detected), FormatError> {
    let mut spool = Spool::fill(input, &limits)?;
    // The crates that read the containers may panic on a damaged one, too.
    let damaged = |problem| FormatError::Damaged { kind: "workbook", row: 0, problem };
    let kind = contained(|| container::kind(&mut spool)).map_err(damaged)??;
    contained(|| guard::check(&mut spool, kind, &limits)).map_err(damaged)??;
    evidence.push(format!("kind: {}, by what the container holds", kind.name()));
    let errors = match kind {
        container::Kind::Xlsb => {
            formula_errors::of(&mut spool).map_err(|problem| problem.of(kind, &limits))?
        }
        _ => HashMap::new(),
    };
    let mut odd = workbook::Odd { errors, ..workbook::Odd::default() };
    if kind == container::Kind::Xlsx {
        let problem = |problem: guard::Problem| problem.of(kind, &limits);
        let held = odd::held(&mut spool).map_err(problem)?;
        odd.formulas = held.formulas;
        if held.long_numbers {
            odd.long_numbers = odd::long_numbers(&mut spool).map_err(problem)?;
        }
    }
    spool.rewind().map_err(FormatError::Read)?;
    let mut workbook = Workbook::open(spool, kind, odd)?;
    let Said::Sheets(names) = workbook.listen(0)? else {
        return Err(FormatError::Damaged {
            kind: kind.name(),
            row: 0,
            problem: "its sheets were not told".into(),
        });
    };
    let mut sheets = Sheets {
        workbook,
        settings: settings.clone(),
        known: Known::of(hints),
        limits,
        next: chosen(&names, settings.sheet.as_ref())?,
        names,
        piece: Piece::default(),
        taken: 0,
        ended: true,
        window: VecDeque::new(),
        last: true,
        row: SheetRow::default(),
        before: None,
        taken_rows: 0,
        other: false,
        spare: None,
        columns: Columns::none(),
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
        has_header: sheets.columns.are_named(),
        ..Detected::of_values(compression, catalog::FormatKind::Excel, columns, evidence)
    };
    Ok((sheets, detected))
}

impl Sheets {
    /// Goes to the first visible sheet that has the columns of the definition; where none has them, to the
    /// first with a table, else to the first with a value.
    fn first_table(&mut self, evidence: &mut Vec<String>) -> Result<Option<usize>, FormatError> {
        let candidates = self.next.clone();
        let named = self.settings.header != Some(false) && self.known.tells_sheets();
        if named && candidates.len() > 1 {
            for at in candidates.clone() {
                self.begin(at)?;
                if self.known.is_defined(&self.window) {
                    self.next.clear();
                    let name = &self.names[at].name;
                    let why = "the first visible one with the columns of the definition";
                    evidence.push(format!("sheet \"{name}\": {why}"));
                    self.lay_out(at, evidence);
                    return Ok(Some(at));
                }
            }
        }
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
        (self.before, self.taken_rows, self.other) = (None, 0, false);
        self.workbook.ask(at);
        self.last = false;
        self.look_ahead(table::WINDOW)
    }

    /// Takes rows until so many are looked at, or they are large.
    fn look_ahead(&mut self, rows: usize) -> Result<(), FormatError> {
        let mut bytes: usize = self.window.iter().map(|row| row.json.len()).sum();
        while self.window.len() < rows && bytes < WINDOW_BYTES && !self.last {
            let mut row = self.spare.take().unwrap_or_default();
            self.last = !self.take_row(&mut row)?;
            bytes += row.json.len();
            if !self.last && row.row >= self.settings.skip_lines {
                self.window.push_back(row);
            } else {
                self.spare = Some(row);
            }
        }
        Ok(())
    }

    /// Goes to the next row of the table; `false` at its end.
    fn next_row(&mut self) -> Result<bool, FormatError> {
        let stated = self.settings.skip_footer_lines.map(|rows| rows as usize);
        let ahead = stated.unwrap_or(0).max(beyond::ROWS) + 1;
        if self.window.len() < ahead {
            self.look_ahead(ahead)?;
        }
        if self.last && stated.is_some_and(|rows| self.window.len() <= rows) {
            self.window.clear();
        }
        let Some(row) = self.window.pop_front() else { return Ok(false) };
        self.spare = Some(std::mem::replace(&mut self.row, row));
        Ok(true)
    }

    fn outlines(&self) -> Vec<Outline> {
        self.window.iter().map(SheetRow::outline).collect()
    }

    /// Finds the table in the first rows, and its columns.
    fn lay_out(&mut self, at: usize, evidence: &mut Vec<String>) {
        let outlines = self.outlines();
        let mut stated = Stated {
            header: self.settings.header,
            rows: self.settings.header_rows,
            skipped: self.settings.skip_lines > 0,
            preamble: self.settings.preamble,
            units: self.settings.units_row,
            known: None,
        };
        let mut layout = table::layout(&outlines, stated);
        stated.known = self.known.header(&self.window, &layout.header);
        if stated.known.is_some() {
            layout = table::layout(&outlines, stated);
        }
        evidence.extend(layout.evidence);
        let header: Vec<&SheetRow> = self.window.range(layout.header).collect();
        let part = Part { member: None, sheet: Some(self.names[at].name.clone()) };
        let rows = self.window.range(layout.first..);
        self.columns = self.columns.follow(&header, rows, part);
        self.window.drain(..layout.first);
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
        let gap = self.before.is_some_and(|before| self.row.row > before + 1);
        self.fault = self.fault_of(gap);
        self.before = Some(self.row.row);
        self.taken_rows += 1;
        let row = &self.row;
        self.values.begin();
        if self.other {
            // Its columns are others, too.
            for cell in &row.cells {
                self.values.out().extend_from_slice(row.value(cell));
                self.values.end_cell();
            }
            self.values.end();
            return;
        }
        self.columns.widen(row);
        let mut cells = row.cells.iter().peekable();
        for at in 0..self.columns.places.len() {
            match cells.next_if(|cell| cell.column == self.columns.places[at]) {
                Some(cell) => {
                    self.values.out().extend_from_slice(row.value(cell));
                    if self.fault.is_none() {
                        self.columns.came(at, cell.kind);
                    }
                }
                None => self.values.out().extend_from_slice(b"null"),
            }
            self.values.end_cell();
        }
        self.values.end();
    }

    /// What is wrong with the row, below a blank one or not.
    fn fault_of(&mut self, gap: bool) -> Option<RowFault> {
        let (row, columns) = (&self.row, &self.columns);
        // All is said of a sheet whose header is stated not to be there: nothing is told apart.
        let looked = self.taken_rows > 0 && self.settings.header != Some(false);
        if looked && gap && beyond::begins_table(row, &self.window, columns) {
            self.other = true;
        }
        if self.other {
            return Some(RowFault::OtherTable);
        }
        let error = row.cells.iter().find_map(|cell| match cell.kind {
            Kind::Error(error) => {
                Some(RowFault::CellError { row: row.row + 1, column: cell.column + 1, error })
            }
            _ => None,
        });
        if error.is_some() {
            return error;
        }
        if columns.are_named_by(row) {
            return Some(RowFault::RepeatedHeader);
        }
        let near = self.last && self.window.len() < beyond::ROWS;
        let below = self.fault == Some(RowFault::PossibleFooter);
        let footer = self.settings.skip_footer_lines.is_none()
            && looked
            && near
            && beyond::is_footer(row, &self.window, gap, below, columns);
        footer.then_some(RowFault::PossibleFooter)
    }
}

impl Reader for Sheets {
    fn advance(&mut self) -> Result<bool, FormatError> {
        loop {
            if !self.next_row()? {
                if self.next_sheet(&mut Vec::new())?.is_none() {
                    self.window.clear();
                    return Ok(false);
                }
                continue;
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
