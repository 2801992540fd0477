//! The columns of a table in a sheet: where they are, and what they are called.

use std::sync::Arc;

use super::super::{Form, Head, Part, header};
use super::cell::Kind;
use super::sheet_row::SheetRow;

/// Only texts came in a column so far, only other values, or both.
const TEXTS: u8 = 1;
const VALUES: u8 = 2;

/// The columns of the table, by their places in the sheet.
pub(super) struct Columns {
    /// From 0, rising.
    pub(super) places: Vec<u32>,
    /// The names in the header, where there are any.
    names: Vec<(u32, String)>,
    pub(super) head: Arc<Head>,
    /// What came in each column.
    came: Vec<u8>,
}

impl Columns {
    /// None yet.
    pub(super) fn none() -> Self {
        let head = Head { number: 0, columns: Vec::new(), form: Form::Json, part: None };
        Self { places: Vec::new(), names: Vec::new(), head: Arc::new(head), came: Vec::new() }
    }

    /// Those that the rows of a header name, and those that some rows have, of the table after this.
    pub(super) fn follow<'r>(
        &self,
        header: &[&SheetRow],
        rows: impl Iterator<Item = &'r SheetRow>,
        part: Part,
    ) -> Self {
        let names = names(header);
        let mut places: Vec<u32> = names.iter().map(|(place, _)| *place).collect();
        for row in rows {
            places.extend(row.cells.iter().map(|cell| cell.column));
            // The header is at most as wide as a sheet; so is each row.
            places.sort_unstable();
            places.dedup();
        }
        let head = Head {
            number: self.head.number,
            columns: Vec::new(),
            form: Form::Json,
            part: Some(Arc::new(part)),
        };
        // The first head of all has the number 0.
        let first = self.head.part.is_none();
        let came = vec![0; places.len()];
        let mut columns = Self { places, names, head: Arc::new(head), came };
        columns.rename(u32::from(!first));
        columns
    }

    /// Whether the header names any.
    pub(super) fn are_named(&self) -> bool {
        !self.names.is_empty()
    }

    /// Takes in the columns of a row that are not known yet.
    pub(super) fn widen(&mut self, row: &SheetRow) {
        let known = |column: &u32| self.places.binary_search(column).is_ok();
        let more: Vec<u32> =
            row.cells.iter().map(|cell| cell.column).filter(|column| !known(column)).collect();
        if more.is_empty() {
            return;
        }
        for column in more {
            let at = self.places.partition_point(|place| *place < column);
            self.places.insert(at, column);
            self.came.insert(at, 0);
        }
        self.rename(1);
    }

    /// Remembers what came in the column that is the `at`th.
    pub(super) fn came(&mut self, at: usize, kind: Kind) {
        self.came[at] |= if kind == Kind::Text { TEXTS } else { VALUES };
    }

    /// Whether something came in the column at this place, and all of it was of the other sort.
    pub(super) fn differs(&self, place: u32, kind: Kind) -> bool {
        let sort = if kind == Kind::Text { TEXTS } else { VALUES };
        match self.places.binary_search(&place) {
            Ok(at) => self.came[at] != 0 && self.came[at] & sort == 0,
            Err(_) => true,
        }
    }

    /// Whether the header does not name the column at this place, and nothing came in it.
    pub(super) fn is_unused(&self, place: u32) -> bool {
        let came = self.places.binary_search(&place).is_ok_and(|at| self.came[at] != 0);
        !came && !self.names.iter().any(|(named, _)| *named == place)
    }

    /// Whether the row is the header once more.
    pub(super) fn are_named_by(&self, row: &SheetRow) -> bool {
        row.cells.len() == self.names.len()
            && row.cells.len() > 1
            && row.cells.iter().zip(&self.names).all(|(cell, (place, name))| {
                cell.column == *place
                    && cell.kind == Kind::Text
                    && on_one_line(&row.text(cell)) == *name
            })
    }

    /// Names the columns anew.
    fn rename(&mut self, step: u32) {
        let mut names = self.names.iter().peekable();
        let named: Vec<String> = self
            .places
            .iter()
            .map(|place| match names.next_if(|(at, _)| at == place) {
                Some((_, name)) if !name.is_empty() => name.clone(),
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

/// What the columns are called that the rows of a header name, and those that some rows have.
pub(super) fn named<'r>(
    header: &[&SheetRow],
    rows: impl Iterator<Item = &'r SheetRow>,
) -> Vec<String> {
    let part = Part { member: None, sheet: None };
    Columns::none().follow(header, rows, part).head.columns.clone()
}

/// The names that the rows of a header come to. A heading over several columns stands in the first of
/// them, and has a name below it there.
fn names(header: &[&SheetRow]) -> Vec<(u32, String)> {
    let mut places: Vec<u32> =
        header.iter().flat_map(|row| row.cells.iter().map(|cell| cell.column)).collect();
    places.sort_unstable();
    places.dedup();
    let name =
        |place: u32| {
            let mut parts: Vec<String> = Vec::new();
            for (row, below) in header.iter().zip(header.iter().skip(1).map(Some).chain([None])) {
                let cell = row.cells.iter().take_while(|cell| cell.column <= place).last();
                let over = |column: u32| {
                    below.is_some_and(|below| below.cells.iter().any(|cell| cell.column == column))
                };
                let part = cell
                    .filter(|cell| cell.column == place || (over(cell.column) && over(place)))
                    .map(|cell| on_one_line(&row.text(cell)));
                parts.extend(part.filter(|part| {
                    !part.is_empty() && parts.last().is_none_or(|last| last != part)
                }));
            }
            parts.join(" / ")
        };
    places.into_iter().map(|place| (place, name(place))).collect()
}

/// A name as it is read: people break it over several lines to keep its column narrow.
fn on_one_line(name: &str) -> String {
    let lines = name.split(['\n', '\r']).map(str::trim);
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
