//! Where in a sheet the table is: which row names the columns, and what stands above it.
//!
//! Sheets are made to be looked at: above the table there may be a title, a date, a line that
//! groups columns. So the first rows are looked at together. The header is the first row that is
//! at least half as wide as the rows are as a rule, and a row whose cells group the columns of the
//! next gives way to it.

use super::cell::Kind;

/// Rows with values that are looked at.
pub(super) const WINDOW: usize = 100;

/// One row as far as it matters here: its place in the sheet, and the column and kind of each cell.
#[derive(Clone, Debug)]
pub(super) struct Outline {
    /// From 1.
    pub(super) row: u32,
    pub(super) cells: Vec<(u32, Kind)>,
    /// Whether numbers are such as years, which are often the names of columns.
    pub(super) years: bool,
}

/// What the first rows are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Which of the rows names the columns.
    pub(super) header: Option<usize>,
    /// Which of the rows is the first that is a row of the table.
    pub(super) first: usize,
    /// Why.
    pub(super) evidence: Vec<String>,
}

/// Whether there is something like a table: rows of more than one cell.
pub(super) fn is_table(rows: &[Outline]) -> bool {
    rows.iter().any(|row| row.cells.len() > 1)
}

/// Finds the header. `stated`: whether the definition says that there is one; `skipped`: it says how
/// many rows stand above.
pub(super) fn layout(rows: &[Outline], stated: Option<bool>, skipped: bool) -> Layout {
    let mut evidence = Vec::new();
    if rows.is_empty() {
        return Layout { header: None, first: 0, evidence };
    }
    if stated == Some(false) {
        evidence.push("no header: stated".to_owned());
        return Layout { header: None, first: 0, evidence };
    }
    let header = if skipped { 0 } else { find_header(rows, &mut evidence) };
    let row = rows[header].row;
    if stated.is_none() && !skipped && is_data(rows, header) {
        evidence
            .push(format!("no header: row {row} has the same kinds of cells as the rows below it"));
        return Layout { header: None, first: header, evidence };
    }
    let why = match (stated, skipped) {
        (_, true) => "the first after format.skip_lines",
        (Some(_), _) => "stated, and the first that is as wide as the table",
        (None, _) => "the first that is as wide as the table",
    };
    evidence.push(format!("header: row {row} of the sheet, {why}"));
    Layout { header: Some(header), first: header + 1, evidence }
}

fn find_header(rows: &[Outline], evidence: &mut Vec<String>) -> usize {
    let mut widths: Vec<usize> = rows.iter().map(|row| row.cells.len()).collect();
    widths.sort_unstable();
    // Below titles and notes there may be few rows, and sparse ones.
    let usual = widths[widths.len() * 3 / 4];
    let enough = if usual < 2 { 1 } else { usual.div_ceil(2).max(2) };
    let mut header = rows.iter().position(|row| row.cells.len() >= enough).unwrap_or(0);
    while let Some(next) = wider_block(rows, header) {
        header = next;
    }
    if groups_columns(rows, header) {
        evidence.push(format!("row {} groups the columns of the next", rows[header].row));
        header += 1;
    }
    if header > 0 {
        let above: Vec<String> =
            rows[..header].iter().take(5).map(|row| row.row.to_string()).collect();
        let more = if header > 5 { " and more" } else { "" };
        evidence.push(format!("skipped above the table: rows {}{more}", above.join(", ")));
    }
    header
}

/// The next block of rows without a blank row between, if it begins with a row of text that is wider
/// than the one or two rows of the block of `at`: these are notes above the table, then.
fn wider_block(rows: &[Outline], at: usize) -> Option<usize> {
    let next = (at + 1..rows.len()).find(|next| rows[*next].row > rows[next - 1].row + 1)?;
    let widest = rows[at..next].iter().map(|row| row.cells.len()).max()?;
    let first = &rows[next];
    let is_text = first.cells.iter().all(|(_, kind)| *kind == Kind::Text);
    let is_short = next - at <= 2 && rows.len() > next + 1;
    (is_short && is_text && first.cells.len() > widest).then_some(next)
}

/// Whether the cells of a row are headings over several columns each: text with gaps, over a row of
/// text that fills them, over rows that are not all text.
fn groups_columns(rows: &[Outline], at: usize) -> bool {
    let [group, names, below, ..] = &rows[at..] else { return false };
    let is_text = |row: &Outline| row.cells.iter().all(|(_, kind)| *kind == Kind::Text);
    let has = |row: &Outline, column| row.cells.iter().any(|(at, _)| *at == column);
    let (Some((first, _)), Some((last, _))) = (group.cells.first(), group.cells.last()) else {
        return false;
    };
    let gaps = (last - first) as usize + 1 > group.cells.len()
        || names.cells.last().is_some_and(|(column, _)| column > last);
    is_text(group)
        && is_text(names)
        && gaps
        && names.cells.len() > group.cells.len()
        && !is_text(below)
        // A title would stand alone: each group has its column.
        && group.cells.iter().all(|(column, _)| has(names, *column))
}

/// Whether a row that could be the header is a row like those below.
fn is_data(rows: &[Outline], at: usize) -> bool {
    let row = &rows[at];
    let below = &rows[at + 1..rows.len().min(at + 11)];
    let typed = row.cells.iter().any(|(_, kind)| !matches!(kind, Kind::Text));
    if !typed || row.years || below.is_empty() {
        return false;
    }
    row.cells.iter().all(|(column, kind)| {
        let mut kinds = below.iter().filter_map(|other| {
            other.cells.iter().find(|(at, _)| at == column).map(|(_, kind)| kind)
        });
        match kind {
            Kind::Error(_) => true,
            Kind::Text => kinds.next().is_none_or(|other| *other == Kind::Text),
            kind => kinds.next().is_none_or(|other| other == kind),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One letter a cell: t text, n number, d date, y a year, a space nothing.
    fn rows(drawn: &[&str]) -> Vec<Outline> {
        let row = |(at, drawn): (usize, &&str)| {
            let cells: Vec<(u32, Kind)> = drawn
                .chars()
                .enumerate()
                .filter_map(|(column, letter)| {
                    let kind = match letter {
                        't' => Kind::Text,
                        'n' | 'y' => Kind::Number,
                        'd' => Kind::Moment,
                        _ => return None,
                    };
                    Some((column as u32, kind))
                })
                .collect();
            (!cells.is_empty()).then(|| Outline {
                row: at as u32 + 1,
                cells,
                years: drawn.contains('y'),
            })
        };
        drawn.iter().enumerate().filter_map(row).collect()
    }

    fn header(drawn: &[&str]) -> Option<u32> {
        let rows = rows(drawn);
        layout(&rows, None, false).header.map(|at| rows[at].row)
    }

    #[test]
    fn the_header_is_the_first_row_as_wide_as_the_table() {
        assert_eq!(header(&["ttt", "tnd", "tnd"]), Some(1));
        assert_eq!(header(&["t", "", "ttt", "tnd", "tnd"]), Some(3), "a title");
        assert_eq!(header(&["tt", "td", "", "tttttt", "tndnnn", "tndnnn"]), Some(4), "notes");
        assert_eq!(header(&["ttt", "t", "ttt", "ttt"]), Some(1), "a sparse row of data");
        assert_eq!(header(&["tt", "tt", "tt", "tttttt", "tttttt"]), Some(4), "one row of data");
        assert_eq!(header(&["tt  t", "tt  n", "", "ttttt", "ttttn", "ttttn"]), Some(4), "a form");
        assert_eq!(header(&["ttt", "", "ttt", "ttt"]), Some(1), "a blank row below the header");
        assert_eq!(header(&["t", "t", "n"]), Some(1), "a list");
        assert_eq!(header(&["  ttt", "  tnn"]), Some(1), "not at the left");
        assert_eq!(header(&["tt"]), Some(1), "a header alone");
    }

    #[test]
    fn a_row_that_groups_columns_is_not_the_header() {
        assert_eq!(header(&[" t t ", "ttttt", "tnnnn", "tnnnn"]), Some(2));
        assert_eq!(header(&["t", " t t ", "ttttt", "tnnnn", "tnnnn"]), Some(3));
        assert_eq!(header(&["tt t", "tttt", "tttt"]), Some(1), "an unnamed column");
    }

    #[test]
    fn a_row_like_those_below_is_not_a_header() {
        assert_eq!(header(&["tnn", "tnn", "tnn"]), None);
        assert_eq!(header(&["tyy", "tnn", "tnn"]), Some(1), "years name columns");
        assert_eq!(header(&["tdd", "tnn", "tnn"]), Some(1), "dates over numbers do");
        let rows = rows(&["tnn", "tnn"]);
        assert_eq!(layout(&rows, Some(true), false).header, Some(0), "stated");
        assert_eq!(layout(&rows, Some(false), false).header, None, "stated");
    }
}
