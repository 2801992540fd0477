//! Rows of a sheet that are no rows of its table: what sums up or explains it at its end, and a second
//! table below it.
//!
//! They are rejects, as of delimited files: nobody knows whether they are meant.

use std::collections::{HashSet, VecDeque};

use super::super::words;
use super::cell::Kind;
use super::columns::Columns;
use super::sheet_row::SheetRow;

/// Rows at the end that may be a footer.
pub(super) const ROWS: usize = 5;

/// Columns of a table below which a text alone is a note.
const NOTED: usize = 3;

/// Whether a row, one of the last, sums up or counts the others, or is a note below them. `after`: all
/// rows that follow; `gap`: a blank row is above; `below`: the row above is one of these, too.
pub(super) fn is_footer(
    row: &SheetRow,
    after: &VecDeque<SheetRow>,
    gap: bool,
    below: bool,
    columns: &Columns,
) -> bool {
    let Some(first) = row.cells.first() else { return false };
    let words: Vec<String> = row.cells.iter().map(|cell| row.text(cell)).collect();
    if words::counts_rows(words.join(" ").as_bytes()) {
        return true;
    }
    let width = columns.places.len();
    let ends = || {
        after.iter().all(|row| {
            let total = row.cells.first().is_some_and(|cell| words::is_total(&row.text(cell)));
            total || row.cells.len() < width
        })
    };
    let alone = row.cells.len() == 1 && first.kind == Kind::Text;
    let numbers = row.cells.iter().any(|cell| cell.kind == Kind::Number);
    let total = words::is_total(&words[0]) && (row.cells.len() < width || numbers);
    let note = width >= NOTED && ((alone && gap) || (below && row.cells.len() < width));
    (total || note) && ends()
}

/// Whether another table begins with a row below a blank one: names over values, where the rows above
/// have values, and what they name is of another kind than what is above.
pub(super) fn begins_table(row: &SheetRow, after: &VecDeque<SheetRow>, columns: &Columns) -> bool {
    match after.front() {
        // A title above the names.
        Some(names) if row.cells.len() == 1 && row.is_text() => {
            names.row <= row.row + 2
                && after.get(1).is_some_and(|values| is_header(names, values, columns))
        }
        Some(values) => is_header(row, values, columns),
        None => false,
    }
}

fn is_header(names: &SheetRow, values: &SheetRow, columns: &Columns) -> bool {
    let named = |place: u32| names.cells.iter().any(|cell| cell.column == place);
    let filled = |place: u32| values.cells.iter().any(|cell| cell.column == place);
    let odd = names.cells.iter().filter(|cell| {
        columns.differs(cell.column, cell.kind)
            || (columns.is_unused(cell.column) && filled(cell.column))
    });
    let odd = odd.count();
    let mut seen = HashSet::new();
    let distinct = names.cells.iter().all(|cell| seen.insert(names.value(cell)));
    names.cells.len() > 1
        && names.is_text()
        && values.row == names.row + 1
        && odd > 0
        && values.cells.iter().any(|cell| cell.kind != Kind::Text && named(cell.column))
        // Other names over values of the same kinds, if they stand over several.
        && ((odd > 1 && distinct)
            || values.cells.iter().any(|cell| columns.differs(cell.column, cell.kind)))
}
