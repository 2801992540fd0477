//! Whether the rows above a header are certainly none of a table: titles, notes, labels and values.
//!
//! A row that is passed over leaves no trace but a line of evidence. So it must be certain that nobody
//! misses it; where it is not, the first row of the sheet is the header, and all below it are rows.

use super::cell::Kind;
use super::table::Outline;

/// Rows above a header, at most: more are a list.
pub(super) const MOST: usize = 20;

/// Rows without a blank one among them, at most: more are a table, or a list.
const NOTES: usize = 6;

/// Rows below a header that are compared with it.
const COMPARED: usize = 20;

/// Whether what stands above the rows from `first` on, of which the one at `names` is the header, are no rows.
pub(super) fn are_no_rows(rows: &[Outline], first: usize, names: usize) -> bool {
    let (above, head, below) = (&rows[..first], &rows[names], &rows[names + 1..]);
    let Some(last) = above.last() else { return true };
    if above.len() > MOST {
        return false;
    }
    let width = head.cells.len();
    let widest = above.iter().map(|row| row.cells.len()).max().unwrap_or_default();
    let gap = rows[first].row > last.row + 1;
    let far = width > 2 * widest;
    // A note beside a row makes it no header: below one most rows are wider than what is above it.
    let wider = below.iter().filter(|row| row.cells.len() > widest).count();
    let over_values = is_over_values(rows, names);
    let goes_on = match gap || over_values {
        true => wider * 2 > below.len(),
        false => wider > 0 && wider * 4 >= below.len() * 3,
    };
    let alone = gap && below.is_empty();
    if widest == 1 {
        let beside = above.len() == 1 && is_name_beside(last, head, over_values);
        let words = head.is_names() && head.plain && above.len() <= NOTES;
        let follows = (over_values && (goes_on || far)) || (words && goes_on && !beside);
        let set_off = gap && (goes_on || alone || is_over_others(rows, names));
        return (follows || set_off) && !has_table(above, false);
    }
    let right_of = |row: &Outline| row.cells[0].0 > head.cells[0].0;
    let beside = far && above.iter().all(right_of) && has_name_of_values(rows, names);
    let firm = gap || over_values || beside || are_labels(above) || (far && above.len() > 1);
    (head.is_names() || beside)
        && width > widest
        && firm
        && (goes_on || alone || (far && over_values))
        && above.chunk_by(follows).all(|block| is_notes(block, width))
        && !has_table(above, gap || !far)
}

fn follows(one: &Outline, other: &Outline) -> bool {
    other.row == one.row + 1
}

/// Whether rows that follow one another are few, or narrow enough for labels and values.
fn is_notes(block: &[Outline], width: usize) -> bool {
    let most = if width >= 6 { 3 } else { 2 };
    block.len() <= 2
        || block.iter().all(|row| row.cells.len() <= most || row.cells.len() * 2 < width)
}

/// Whether the rows of several cells begin with the words that statements use. The first may as well be a
/// header, which has such words, too.
fn are_labels(above: &[Outline]) -> bool {
    let lines: Vec<&Outline> = above.iter().filter(|row| row.cells.len() > 1).collect();
    let labels = lines.iter().skip(1).filter(|row| row.label).count();
    lines.len() > 1 && labels * 2 + 1 >= lines.len()
}

/// Whether a cell alone right above a row may be the name of a column beside one without a name, as
/// programs write it that number their rows.
fn is_name_beside(cell: &Outline, head: &Outline, over_values: bool) -> bool {
    cell.cells[0].0 > head.cells[0].0
        && (!head.is_names() || (head.cells.len() == 2 && !over_values))
}

/// Whether a row is of names, and some column holds other values than texts below it.
pub(super) fn is_over_values(rows: &[Outline], at: usize) -> bool {
    rows[at].is_names() && has_name_of_values(rows, at)
}

fn has_name_of_values(rows: &[Outline], at: usize) -> bool {
    let value = |kind: &Kind| !matches!(kind, Kind::Text | Kind::Error(_));
    let names = rows[at].cells.iter().filter(|(_, kind)| *kind == Kind::Text || rows[at].years);
    names.into_iter().any(|(column, _)| {
        let below = rows[at + 1..].iter().take(COMPARED).flat_map(|row| &row.cells);
        let kinds: Vec<&Kind> =
            below.filter(|cell| cell.0 == *column).map(|(_, kind)| kind).collect();
        let values = kinds.iter().filter(|kind| value(kind)).count();
        values > 0 && values * 10 >= kinds.len() * 9
    })
}

/// The same, or texts of another sort: addresses or codes below a word.
fn is_over_others(rows: &[Outline], at: usize) -> bool {
    let head = &rows[at];
    let Some((first, _)) = head.cells.first() else { return false };
    let below = rows[at + 1..].iter().take(COMPARED);
    let below: Vec<&Outline> =
        below.filter(|row| row.cells.first().is_some_and(|cell| cell.0 == *first)).collect();
    let codes = below.iter().filter(|row| !row.plain).count();
    is_over_values(rows, at)
        || (head.is_names() && head.plain && codes > 1 && codes * 10 >= below.len() * 9)
}

/// Whether rows among the lines are a table: names over values of one kind, or many rows; and, if `texts`
/// count, names over texts without a word that statements use.
fn has_table(lines: &[Outline], texts: bool) -> bool {
    let alike = |one: &Outline, other: &Outline| {
        one.cells.len() == other.cells.len() && follows(one, other)
    };
    lines.chunk_by(alike).any(|run| {
        let Some((names, rows)) = run.split_first().filter(|(_, rows)| !rows.is_empty()) else {
            return false;
        };
        let over_values = |at: usize| {
            let (column, kind) = rows[0].cells[at];
            let same = |row: &Outline| row.cells[at] == (column, kind);
            names.cells[at].0 == column && kind != Kind::Text && rows.iter().all(same)
        };
        // What stands before a value is a text; and a title may stand over a date or two, or a year.
        if names.is_text() && over_values(0) {
            let few = if rows[0].cells[0].1 == Kind::Moment { 2 } else { 1 };
            return names.cells.len() > 1 || rows.len() > few;
        }
        let labels = run.iter().filter(|row| row.label).count();
        if run.len() < 3 || labels * 2 >= run.len() {
            return false;
        }
        let many = run.len() > NOTES;
        match names.cells.len() {
            // Titles may be many; of codes or addresses there are as many in a list alone.
            1 => many && names.plain && !rows.iter().any(|row| row.plain),
            width => {
                let of_texts =
                    run.iter().all(Outline::is_text) && !rows.iter().any(|row| row.label);
                (many && width == 2)
                    || (names.is_text() && (1..width).any(over_values))
                    || (texts && of_texts)
            }
        }
    })
}
