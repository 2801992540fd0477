//! Where in a sheet the table is: which row names the columns, and what stands above it.
//!
//! Sheets are made to be looked at: above the table there may be a title, a date, a line that
//! groups columns. So the first rows are looked at together. The header is a row that is about as
//! wide as the rows are as a rule, or begins a wider block, if what stands above it certainly is no
//! row ([`above`]), else the first row; and a row whose cells group the columns of the next gives way
//! to it. A row that is known by its names is the header in any case.

use std::ops::Range;

use super::above;
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
    /// Whether the first cell is of words alone: no code, no address.
    pub(super) plain: bool,
}

impl Outline {
    fn has(&self, column: u32) -> bool {
        self.cells.iter().any(|(at, _)| *at == column)
    }

    pub(super) fn is_text(&self) -> bool {
        self.cells.iter().all(|(_, kind)| *kind == Kind::Text)
    }

    /// Whether it could name columns: texts, and years.
    pub(super) fn is_names(&self) -> bool {
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

/// What the definition says of the header, and what is known of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stated {
    /// Whether there is one.
    pub(super) header: Option<bool>,
    /// Of how many rows.
    pub(super) rows: Option<u32>,
    /// How many rows stand above is stated, and they are left out.
    pub(super) skipped: bool,
    /// Whether there is anything above it.
    pub(super) preamble: Option<bool>,
    /// Whether a row of units is below it.
    pub(super) units: Option<bool>,
    /// Which of the rows has names that are known, and from where.
    pub(super) known: Option<(usize, &'static str)>,
}

impl Stated {
    /// The row that is known to be the header, if it is looked for there.
    fn known(&self) -> Option<(usize, &'static str)> {
        let is_free = self.header != Some(false) && self.rows.is_none();
        self.known.filter(|(at, _)| is_free && (*at == 0 || self.seeks()))
    }

    /// Whether the table is looked for below other rows.
    fn seeks(&self) -> bool {
        self.preamble.unwrap_or(!self.skipped)
    }
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
    let mut header = match stated.known() {
        Some((at, _)) => at..at + 1,
        None if stated.seeks() => find_header(rows),
        None if stated.skipped => 0..1,
        None => first_row(rows),
    };
    if let Some(count) = stated.rows.and_then(|count| usize::try_from(count).ok()) {
        header = of_rows(rows, header, count);
    }
    if header.start > 0 {
        let above: Vec<String> =
            rows[..header.start].iter().take(5).map(|row| row.row.to_string()).collect();
        let more = if header.start > 5 { " and more" } else { "" };
        evidence.push(format!("skipped above the table: rows {}{more}", above.join(", ")));
    }
    let row = rows[header.end - 1].row;
    if stated.header.is_none()
        && stated.known().is_none()
        && !stated.skipped
        && header.len() == 1
        && is_data(rows, header.start)
    {
        evidence
            .push(format!("no header: row {row} has the same kinds of cells as the rows below it"));
        return Layout { header: 0..0, first: header.start, evidence };
    }
    let why = match (stated.known(), stated.header, stated.skipped, stated.preamble) {
        (Some((_, why)), ..) => why,
        (None, _, true, _) => "the first after format.skip_lines",
        (None, _, _, Some(false)) => "the first, with format.preamble = false",
        (None, Some(_), ..) => "stated, and the first that is as wide as the table",
        (None, None, ..) => "the first that is as wide as the table",
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
fn find_header(rows: &[Outline]) -> Range<usize> {
    let mut widths: Vec<usize> = rows.iter().map(|row| row.cells.len()).collect();
    widths.sort_unstable();
    // Below titles and notes there may be few rows, and sparse ones.
    let usual = widths[widths.len() * 3 / 4];
    let enough = if usual < 2 { 1 } else { usual.div_ceil(2).max(2) };
    let wide = |least: usize| rows.iter().position(|row| row.cells.len() >= least);
    let wide_enough = wide(enough).unwrap_or(0);
    let mut blocks = vec![wide_enough];
    while let Some(next) = blocks.last().and_then(|at| wider_block(rows, *at)) {
        blocks.push(next);
    }
    // A single column below its title.
    let below_title = (usual == 1 && rows.len() > 2 && rows[1].row > rows[0].row + 1).then_some(1);
    let candidates = names_of_most(rows, usual).into_iter().chain(blocks.into_iter().rev());
    candidates
        .chain(wide(2).filter(|_| usual > 1))
        .chain(below_title)
        .filter(|at| *at > 0 || usual > 1)
        .map(|at| with_groups(rows, at))
        .find(|header| above::are_no_rows(rows, header.start, header.end - 1))
        .unwrap_or_else(|| first_row(rows))
}

/// The header that begins with the first row.
fn first_row(rows: &[Outline]) -> Range<usize> {
    0..if groups(rows, 0) == Some(Groups::Joined) { 2 } else { 1 }
}

/// The header whose last row is the one at `at`, or the next if that one groups its columns.
fn with_groups(rows: &[Outline], at: usize) -> Range<usize> {
    let last = if groups(rows, at).is_some() { at + 1 } else { at };
    let mut first = last;
    while first > 0 && groups(rows, first - 1) == Some(Groups::Joined) {
        first -= 1;
    }
    first..last + 1
}

/// The first row of texts that is about as wide as rows are as a rule.
fn names_of_most(rows: &[Outline], usual: usize) -> Option<usize> {
    let names =
        |row: &Outline| row.cells.len() >= 3 && row.is_text() && row.cells.len() * 4 >= usual * 3;
    rows.iter().take(above::MOST + 1).position(names).filter(|at| *at > 0)
}

/// The next block of rows without a blank row between, if it begins with a row of text that is wider
/// than the one or two rows of the block of `at`: these may be notes above the table, then.
fn wider_block(rows: &[Outline], at: usize) -> Option<usize> {
    let next = (at + 1..rows.len()).find(|next| rows[*next].row > rows[next - 1].row + 1)?;
    let widest = rows[at..next].iter().map(|row| row.cells.len()).max()?;
    let is_short = next - at <= 2 && rows.len() > next + 1;
    (is_short && rows[next].is_text() && rows[next].cells.len() > widest).then_some(next)
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
    let over_values = above::is_over_values(rows, at + 1);
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
        && (over_one == 0 || (names.repeats && over_values))
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

    /// One letter a cell: t text, l a label, r a text as in another cell, u a unit, c a code, n number, d date, y a year, a space nothing.
    fn rows(drawn: &[&str]) -> Vec<Outline> {
        let row = |(at, drawn): (usize, &&str)| {
            let cells: Vec<(u32, Kind)> = drawn
                .chars()
                .enumerate()
                .filter_map(|(column, letter)| {
                    let kind = match letter {
                        't' | 'l' | 'r' | 'u' | 'c' => Kind::Text,
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
                plain: !drawn.trim_start().starts_with(['c', 'n', 'd', 'y']),
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
    fn a_row_with_a_note_beside_it_is_not_the_header() {
        assert_eq!(header(&["lt", "tt", "ttt", "tt", "tt"]), Some(1));
        assert_eq!(header(&["lt", "ttt", "tt", "tt"]), Some(1), "in the first row of data");
        assert_eq!(header(&["lt", "tttt", "tt", "tt"]), Some(1), "two notes");
        assert_eq!(header(&["l", "t", "tt", "t"]), Some(1), "of a single column");
        assert_eq!(header(&["lt", "", "ttt", "tt", "tt"]), Some(1), "below a blank row");
        assert_eq!(header(&["ttt", "", "tttt", "ttt", "ttt"]), Some(1), "of three columns");
        assert_eq!(header(&["t", "", "lt", "tt", "ttt", "tt", "tt"]), Some(3), "below a title");
        assert_eq!(header(&["t", "", "cttt", "c", "c"]), Some(1), "of codes, below a blank row");
        assert_eq!(header(&["tt", "tc", "tc", "tc", "tcttt"]), Some(1), "in the last row");
        assert_eq!(header(&["t", "c", "c", "cttt", "ct"]), Some(1), "in half of the rows");
        let many = [&["lt", "tt", "ttt"][..], &["tt"; 200]].concat();
        assert_eq!(header(&many), Some(1));
    }

    #[test]
    fn a_header_that_is_narrower_than_each_row_is_not_passed_over() {
        assert_eq!(header(&["lt", "tttt", "tttt", "tttt"]), Some(1));
        assert_eq!(header(&["tt", "tttttt", "tttttt", "tttttt"]), Some(1));
        assert_eq!(header(&["tt", "tttt", "tttn", "tttt"]), Some(1), "a number among texts");
        assert_eq!(header(&["tt", "ttrr", "tttn", "tttt"]), Some(1), "a text that comes twice");
        assert_eq!(header(&[" t", "tn", "tn"]), Some(1), "beside numbers of rows");
        assert_eq!(header(&[" t", "tt", "tt"]), Some(1));
        // What it names no column of are texts, but for what certainly is a header.
        assert_eq!(header(&["   tt", "tttnn", "ttdnn", "ttdnn"]), Some(2));
        assert_eq!(header(&["   tt", "tttnn", "tttnn", "tttnn"]), Some(1));
    }

    #[test]
    fn a_small_table_above_a_wider_one_is_not_passed_over() {
        let wide = ["", "ttt", "tnn", "tnn"];
        let below = |above: &[&str]| header(&[above, &wide].concat());
        assert_eq!(below(&["tt", "nt", "nt"]), Some(1), "numbers beside texts");
        assert_eq!(below(&["tt", "nt"]), Some(1), "of one row");
        assert_eq!(below(&["lt", "dn"]), Some(1), "of one row");
        assert_eq!(below(&["tt", "tn", "tn"]), Some(1), "texts beside numbers");
        assert_eq!(below(&["t", "n", "n", "n"]), Some(1), "a list of numbers");
        let codes = ["t", "c", "c", "c", "c", "c", "c"];
        assert_eq!(below(&codes), Some(1), "a list of codes");
        let wider = ["", "tttttttt", "tnnnnnnn", "tnnnnnnn", "tnnnnnnn", "tnnnnnnn", "tnnnnnnn"];
        let below = |above: &[&str]| header(&[above, &wider].concat());
        assert_eq!(below(&["ttt", "tnn", "tnn"]), Some(1), "three columns above eight");
        assert_eq!(below(&["tt", "tt", "tt"]), Some(1), "of texts");
        assert_eq!(below(&["lt", "lt", "ln"]), Some(5), "labels and values");
        assert_eq!(below(&["t", "t", "t", "d"]), Some(6), "titles");
    }

    #[test]
    fn a_title_above_a_single_column_is_not_its_name() {
        assert_eq!(header(&["t", "", "t", "c", "c", "c"]), Some(3));
        assert_eq!(header(&["t", "", "t", "n", "n"]), Some(3));
        assert_eq!(header(&["t", "", "c", "c", "c"]), Some(1), "a blank row below the header");
        assert_eq!(header(&["t", "", "t", "t", "t"]), Some(1), "which it may be here, too");
    }

    #[test]
    fn nothing_is_passed_over_where_that_is_stated() {
        let rows = rows(&["t", "", "ttt", "tnn", "tnn"]);
        let stated = |preamble| Stated { preamble: Some(preamble), ..Stated::default() };
        assert_eq!(layout(&rows, stated(false)).header, 0..1);
        assert_eq!(layout(&rows, stated(true)).header, 1..2);
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
