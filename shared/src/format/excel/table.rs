//! Where in a sheet the table is: which row names the columns, and what stands above it.
//!
//! Sheets are made to be looked at: above the table there may be a title, a date, a line that
//! groups columns. So the first rows are looked at together. The header is the first row that is
//! at least half as wide as the rows are as a rule, and a row whose cells group the columns of the
//! next gives way to it.

use std::ops::Range;

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
    /// Whether each cell is a unit.
    pub(super) units: bool,
    /// Whether the first text is what stands before a value above a table: `Account`, `From:`.
    pub(super) label: bool,
    /// Whether a text stands in two cells.
    pub(super) repeats: bool,
}

impl Outline {
    fn has(&self, column: u32) -> bool {
        self.cells.iter().any(|(at, _)| *at == column)
    }

    fn is_text(&self) -> bool {
        self.cells.iter().all(|(_, kind)| *kind == Kind::Text)
    }

    /// Whether it could name columns: texts, and years.
    fn is_names(&self) -> bool {
        let name = |kind| kind == Kind::Text || (self.years && kind == Kind::Number);
        self.cells.iter().all(|(_, kind)| name(*kind))
    }
}

/// What the first rows are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Which of the rows name the columns; none if it is empty.
    pub(super) header: Range<usize>,
    /// Which of the rows is the first that is a row of the table.
    pub(super) first: usize,
    /// Why.
    pub(super) evidence: Vec<String>,
}

/// What the definition says of the header.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stated {
    /// Whether there is one.
    pub(super) header: Option<bool>,
    /// Of how many rows.
    pub(super) rows: Option<u32>,
    /// How many rows stand above is stated, and they are left out.
    pub(super) skipped: bool,
    /// Whether a row of units is below it.
    pub(super) units: Option<bool>,
}

/// Whether there is something like a table: rows of more than one cell.
pub(super) fn is_table(rows: &[Outline]) -> bool {
    rows.iter().any(|row| row.cells.len() > 1)
}

/// Finds the header.
pub(super) fn layout(rows: &[Outline], stated: Stated) -> Layout {
    let mut evidence = Vec::new();
    if rows.is_empty() {
        return Layout { header: 0..0, first: 0, evidence };
    }
    if stated.header == Some(false) {
        evidence.push("no header: stated".to_owned());
        return Layout { header: 0..0, first: 0, evidence };
    }
    let mut header = if stated.skipped { 0..1 } else { find_header(rows, &mut evidence) };
    if let Some(count) = stated.rows.and_then(|count| usize::try_from(count).ok()) {
        header = of_rows(rows, header, count);
    }
    let row = rows[header.end - 1].row;
    if stated.header.is_none()
        && !stated.skipped
        && header.len() == 1
        && is_data(rows, header.start)
    {
        evidence
            .push(format!("no header: row {row} has the same kinds of cells as the rows below it"));
        return Layout { header: 0..0, first: header.start, evidence };
    }
    let why = match (stated.header, stated.skipped) {
        (_, true) => "the first after format.skip_lines",
        (Some(_), _) => "stated, and the first that is as wide as the table",
        (None, _) => "the first that is as wide as the table",
    };
    evidence.push(match header.len() {
        1 => format!("header: row {row} of the sheet, {why}"),
        _ => format!("header: rows {} to {row} of the sheet, joined", rows[header.start].row),
    });
    let mut first = header.end;
    if let Some(why) = units(rows, first, stated.units) {
        evidence.push(format!("units: row {} of the sheet, {why}", rows[first].row));
        first += 1;
    }
    Layout { header, first, evidence }
}

/// The header of so many rows, where one was found: those above it belong to it if the row below holds values.
fn of_rows(rows: &[Outline], found: Range<usize>, count: usize) -> Range<usize> {
    if found.len() >= count {
        return found.end - count..found.end;
    }
    let more = count - found.len();
    let names_below = rows.get(found.end).is_some_and(Outline::is_names);
    let follows = |at: usize| rows[at].row + 1 == rows[at + 1].row;
    if !names_below && found.start >= more && (found.start - more..found.start).all(follows) {
        return found.start - more..found.end;
    }
    found.start..found.end.saturating_add(more).min(rows.len())
}

/// Why the row below the header holds units and no data.
fn units(rows: &[Outline], at: usize, stated: Option<bool>) -> Option<&'static str> {
    let row = rows.get(at)?;
    if let Some(stated) = stated {
        return stated.then_some("stated");
    }
    let over_numbers = |column: &(u32, Kind)| {
        let mut below = rows[at + 1..].iter().take(10).flat_map(|row| &row.cells);
        below.any(|cell| *cell == (column.0, Kind::Number))
    };
    (row.units && row.row == rows[at - 1].row + 1 && row.cells.iter().all(over_numbers))
        .then_some("which holds nothing else, over numbers")
}

/// The rows that name the columns.
fn find_header(rows: &[Outline], evidence: &mut Vec<String>) -> Range<usize> {
    let mut widths: Vec<usize> = rows.iter().map(|row| row.cells.len()).collect();
    widths.sort_unstable();
    // Below titles and notes there may be few rows, and sparse ones.
    let usual = widths[widths.len() * 3 / 4];
    let enough = if usual < 2 { 1 } else { usual.div_ceil(2).max(2) };
    let mut header = rows.iter().position(|row| row.cells.len() >= enough).unwrap_or(0);
    while let Some(next) = wider_block(rows, header) {
        header = next;
    }
    header = set_off(rows, usual).unwrap_or(header);
    if groups(rows, header).is_some() {
        header += 1;
    }
    let mut first = header;
    while first > 0 && groups(rows, first - 1) == Some(Groups::Joined) {
        first -= 1;
    }
    if first > 0 {
        let above: Vec<String> =
            rows[..first].iter().take(5).map(|row| row.row.to_string()).collect();
        let more = if first > 5 { " and more" } else { "" };
        evidence.push(format!("skipped above the table: rows {}{more}", above.join(", ")));
    }
    first..header + 1
}

/// The first row of texts that is about as wide as rows are as a rule, if what stands above it are lines of
/// labels and values, as statements and reports have them.
fn set_off(rows: &[Outline], usual: usize) -> Option<usize> {
    const MOST: usize = 20;
    let names =
        |row: &Outline| row.cells.len() >= 3 && row.is_text() && row.cells.len() * 4 >= usual * 3;
    let at = rows.iter().take(MOST + 1).position(names)?;
    let (above, width) = (&rows[..at], rows[at].cells.len());
    let most = if width >= 6 { 3 } else { 2 };
    let gap = rows[at].row > above.last()?.row + 1;
    let labels = above.iter().filter(|row| row.label).count();
    let below = rows.get(at + 1)?;
    (above.iter().all(|row| row.cells.len() <= most)
        && (gap || labels * 2 >= above.len())
        && below.cells.len() * 2 >= width
        && (gap || rows[at - 1].label || groups(rows, at - 1).is_none())
        && !has_table_of_two(above))
    .then_some(at)
}

/// Whether rows of two cells are a table among the lines: names over values of one kind, texts without a word
/// that statements use, or many rows.
fn has_table_of_two(lines: &[Outline]) -> bool {
    let two = |row: &Outline| row.cells.len() == 2;
    let follows =
        |one: &Outline, other: &Outline| two(one) && two(other) && other.row == one.row + 1;
    lines.chunk_by(follows).any(|run| {
        let labels = run.iter().filter(|row| row.label).count();
        if run.len() < 3 || labels * 2 >= run.len() {
            return false;
        }
        let value = |row: &Outline| row.cells[1].1;
        let alike = run[1..].iter().all(|row| value(row) == value(&run[1]));
        let of_texts = run.iter().all(Outline::is_text) && !run[1..].iter().any(|row| row.label);
        run.len() > 6 || (run[0].is_text() && alike && value(&run[1]) != Kind::Text) || of_texts
    })
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

/// What a row of headings over several columns each is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Groups {
    /// Its texts are a part of the names.
    Joined,
    /// It may as well be a title.
    Loose,
}

/// Whether the cells of a row are headings over several columns each: text with gaps, over a row of
/// text that fills them. A heading that takes up both rows has nothing below it.
fn groups(rows: &[Outline], at: usize) -> Option<Groups> {
    let [group, names, ..] = &rows[at..] else { return None };
    let last = names.cells.last()?.0;
    if !group.is_names() || !names.is_names() || group.cells.last()?.0 > last + 1 {
        return None;
    }
    let over_values = rows.get(at + 2).is_some_and(|below| !below.is_text());
    let next = group.cells.iter().skip(1).map(|(column, _)| *column).chain([last + 1]);
    let (mut over_two_rows, mut over_columns, mut over_one) = (0, 0, 0);
    for ((column, _), next) in group.cells.iter().zip(next) {
        let width = next.saturating_sub(*column).max(1);
        let named = (*column..next).filter(|column| names.has(*column)).count();
        match (named, width) {
            (0, 1) => over_two_rows += 1,
            (named, 2..) if named == width as usize => over_columns += 1,
            _ if names.has(*column) => over_one += 1,
            // Nothing stands below it, and next to it there is a gap: a sparse row.
            _ => return None,
        }
    }
    let follows = names.row == group.row + 1;
    // Names that come again tell nothing without what stands above them.
    let joined = over_columns > 0
        && (over_one == 0 || names.repeats)
        && over_columns + over_two_rows + over_one > 1;
    if follows && joined && (over_values || over_two_rows > 0 || names.repeats) {
        return Some(Groups::Joined);
    }
    let wider = over_two_rows == 0 && names.cells.len() > group.cells.len();
    (wider && over_columns > 0 && over_values && names.is_text()).then_some(Groups::Loose)
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

    /// One letter a cell: t text, l a label, r a text as in another cell, u a unit, n number, d date, y a year, a space nothing.
    fn rows(drawn: &[&str]) -> Vec<Outline> {
        let row = |(at, drawn): (usize, &&str)| {
            let cells: Vec<(u32, Kind)> = drawn
                .chars()
                .enumerate()
                .filter_map(|(column, letter)| {
                    let kind = match letter {
                        't' | 'l' | 'r' | 'u' => Kind::Text,
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
                units: drawn.chars().all(|letter| matches!(letter, 'u' | ' ')),
                label: drawn.starts_with('l'),
                repeats: drawn.matches('r').count() > 1,
            })
        };
        drawn.iter().enumerate().filter_map(row).collect()
    }

    fn header(drawn: &[&str]) -> Option<u32> {
        let rows = rows(drawn);
        layout(&rows, Stated::default()).header.last().map(|at| rows[at].row)
    }

    fn header_rows(drawn: &[&str], stated: Stated) -> (Range<u32>, u32) {
        let rows = rows(drawn);
        let found = layout(&rows, stated);
        let (header, first) = (&found.header, found.first);
        (rows[header.start].row..rows[header.end - 1].row + 1, rows[first].row)
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
    fn labels_and_values_above_a_table_are_no_rows_of_it() {
        let table = ["tttt", "tttn", "tttn"];
        let below = |above: &[&str]| header(&[above, &table].concat());
        assert_eq!(below(&["lt", "lt", "ln", ""]), Some(5), "an account");
        assert_eq!(below(&["tt", "tt", "td", "td", "td", ""]), Some(7), "a bank");
        assert_eq!(below(&["lt", "ld", "ld"]), Some(4), "without a blank row");
        assert_eq!(below(&["t  t", ""]), Some(3), "a company and a page");
        assert_eq!(below(&["t", "lt", "ld", "", "lt", ""]), Some(7), "a title, and two blocks");
        // Names over values of one kind are a table of their own.
        assert_eq!(below(&["tt", "td", "td", ""]), Some(1));
        assert_eq!(header(&["ttt", "tn", "tn", "", "tttt", "tttn"]), Some(1));
        assert_eq!(below(&["lt", "tt", "tt", ""]), Some(1), "names over texts are, too");
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
        let stated = |header| Stated { header: Some(header), ..Stated::default() };
        assert_eq!(layout(&rows, stated(true)).header, 0..1);
        assert_eq!(layout(&rows, stated(false)).header, 0..0);
    }

    #[test]
    fn headings_over_several_columns_are_a_part_of_the_names() {
        let found = |drawn: &[&str]| header_rows(drawn, Stated::default());
        assert_eq!(found(&[" t t ", "ttttt", "tnnnn", "tnnnn"]), (1..3, 3));
        assert_eq!(found(&[" y y ", "ttttt", "tnnnn", "tnnnn"]), (1..3, 3), "years");
        assert_eq!(found(&["tt t ", " tttt", "tnnnn", "tnnnn"]), (1..3, 3), "one over both rows");
        assert_eq!(found(&["tt t ", " tttt", "ttttt", "ttttt"]), (1..3, 3), "over texts");
        assert_eq!(found(&["tttt ", "   tt", "tnnnn", "tnnnn"]), (1..3, 3), "three over both");
        assert_eq!(found(&["t", "", " t t ", "ttttt", "tnnnn", "tnnnn"]), (3..5, 5), "a title");
        assert_eq!(found(&[" t   ", "ttttt", "tnnnn", "tnnnn"]), (2..3, 3), "a title in B");
        assert_eq!(found(&["tt   ", "ttttt", "tnnnn", "tnnnn"]), (2..3, 3), "a title and a date");
        assert_eq!(found(&["tttt", "t  t", "tntn", "tntn"]), (1..2, 2), "a sparse row of data");
        assert_eq!(found(&[" t t ", "trtrt", "ttttt", "ttttt"]), (1..3, 3), "names that repeat");
        assert_eq!(found(&[" t t", " rtr", "tnnn", "tnnn"]), (1..3, 3), "one over one column");
    }

    #[test]
    fn a_header_has_as_many_rows_as_are_stated() {
        let stated = |rows| Stated { header: Some(true), rows, ..Stated::default() };
        assert_eq!(header_rows(&["ttt", "ttt", "tnn", "tnn"], stated(Some(2))), (1..3, 3));
        assert_eq!(header_rows(&[" t t ", "ttttt", "tnnnn", "tnnnn"], stated(Some(1))), (2..3, 3));
        assert_eq!(header_rows(&["   t", "tttt", "ntnn", "ntnn"], stated(Some(2))), (1..3, 3));
        let drawn = ["t", "", "ttt", "ttt", "ttt", "tnn"];
        assert_eq!(header_rows(&drawn, stated(Some(3))), (3..6, 6));
    }

    #[test]
    fn units_below_the_header_are_no_row() {
        let with = |units| Stated { units, ..Stated::default() };
        assert_eq!(header_rows(&["ttt", " uu", "tnn", "tnn"], with(None)), (1..2, 3));
        assert_eq!(header_rows(&["ttt", " uu", "tnn", "tnn"], with(Some(false))), (1..2, 2));
        assert_eq!(header_rows(&["ttt", "uuu", "tnn", "tnn"], with(None)), (1..2, 2), "over text");
        assert_eq!(header_rows(&["ttt", "ttt", "tnn", "tnn"], with(Some(true))), (1..2, 3));
    }
}
