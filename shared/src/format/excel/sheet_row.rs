//! One row of a sheet.

use std::collections::HashSet;

use super::super::words;
use super::cell::Kind;
use super::table::Outline;

/// One row of a sheet, as it came.
#[derive(Clone, Debug, Default)]
pub(super) struct SheetRow {
    /// From 0.
    pub(super) row: u32,
    pub(super) cells: Vec<SheetCell>,
    pub(super) json: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct SheetCell {
    pub(super) column: u32,
    pub(super) kind: Kind,
    pub(super) start: u32,
    pub(super) end: u32,
}

impl SheetRow {
    /// Cells come in any order from some programs, and some say a cell twice: the last one counts.
    pub(super) fn sort(&mut self) {
        if self.cells.windows(2).all(|pair| pair[0].column < pair[1].column) {
            return;
        }
        self.cells.sort_by_key(|cell| cell.column);
        self.cells.reverse();
        self.cells.dedup_by_key(|cell| cell.column);
        self.cells.reverse();
    }

    /// The JSON of a cell.
    pub(super) fn value(&self, cell: &SheetCell) -> &[u8] {
        &self.json[cell.start as usize..cell.end as usize]
    }

    pub(super) fn text(&self, cell: &SheetCell) -> String {
        let json = self.value(cell);
        match serde_json::from_slice::<String>(json) {
            Ok(text) => text,
            Err(_) => String::from_utf8_lossy(json).into_owned(),
        }
    }

    pub(super) fn is_text(&self) -> bool {
        self.cells.iter().all(|cell| cell.kind == Kind::Text)
    }

    pub(super) fn outline(&self) -> Outline {
        let years = self.cells.iter().any(|cell| cell.kind == Kind::Number)
            && self.cells.iter().filter(|cell| cell.kind == Kind::Number).all(|cell| {
                let year = self.text(cell).parse::<u32>();
                year.is_ok_and(|year| (1900..=2100).contains(&year))
            });
        let mut seen = HashSet::new();
        let texts = self.cells.iter().filter(|cell| cell.kind == Kind::Text);
        let repeats = !texts.map(|cell| self.value(cell)).all(|text| seen.insert(text));
        let unit = |cell| words::is_unit(self.text(cell).trim().as_bytes());
        Outline {
            row: self.row + 1,
            cells: self.cells.iter().map(|cell| (cell.column, cell.kind)).collect(),
            years,
            repeats,
            units: self.is_text() && self.cells.iter().all(unit),
            label: self.cells.first().is_some_and(|cell| {
                cell.kind == Kind::Text && words::is_label(self.text(cell).as_bytes())
            }),
            plain: self.cells.first().is_some_and(|cell| {
                let code = |letter: char| letter.is_numeric() || letter == '@';
                cell.kind == Kind::Text && !self.text(cell).contains(code)
            }),
        }
    }
}
