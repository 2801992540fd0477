//! The first rows of a file, read under one dialect: what detection looks at.

use std::collections::BTreeMap;

use super::class::{self, Class, ColumnClass};
use super::dialect::Dialect;
use super::splitter::{Found, Splitter};

/// Rows that are looked at.
const ROWS: usize = 1000;

/// Lines before a header, at most.
pub(super) const PREAMBLE: usize = 20;

/// Such lines of two cells that follow one another, at most: more are a table.
pub(super) const NOTES: usize = 6;

/// The beginning of a file.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) bytes: &'a [u8],
    /// Nothing follows them.
    pub(super) whole: bool,
    /// Cells that a row may have.
    pub(super) max_columns: usize,
}

#[cfg(test)]
impl<'a> View<'a> {
    pub(super) fn whole(bytes: &'a [u8]) -> Self {
        Self { bytes, whole: true, max_columns: 100 }
    }
}

/// The rows of a sample, without a last one that may be cut.
#[derive(Default)]
pub(super) struct Sample {
    pub(super) rows: Vec<SampleRow>,
    cells: Vec<SampleCell>,
    text: Vec<u8>,
    /// What is between the delimiters of first rows with a fault, whatever their quotes say.
    pieces: Vec<(usize, Vec<Class>)>,
}

/// One row of a sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct SampleRow {
    /// Where its bytes are, without the line end, and where the next line begins.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) next: usize,
    /// Physical lines before it, and the one that follows it.
    pub(super) line: u64,
    pub(super) next_line: u64,
    /// Its cells; 0: it has a fault.
    pub(super) width: usize,
    /// It has more cells than there may be.
    pub(super) too_wide: bool,
    /// It begins with `#`, and not with a quote.
    pub(super) hash: bool,
    pub(super) blank_before: bool,
    first: usize,
}

#[derive(Clone, Copy, Debug)]
struct SampleCell {
    class: Class,
    quoted: bool,
    start: usize,
    end: usize,
}

impl Sample {
    /// Reads as far as whole rows go.
    pub(super) fn read(view: View<'_>, dialect: &Dialect) -> Self {
        let View { bytes, whole, max_columns } = view;
        let mut sample = Self::default();
        let mut splitter = Splitter::new(dialect, max_columns);
        let (mut at, mut line, mut blank) = (0, 0, false);
        let comment = dialect.comment.as_ref().map(|comment| comment.prefix.as_bytes());
        while sample.rows.len() < ROWS && at < bytes.len() {
            let rest = &bytes[at..];
            let ending = line_end(rest);
            if ending > 0 {
                blank = true;
                (at, line) = (at + ending, line + 1);
                continue;
            }
            let line_length = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            if dialect.is_blank(&rest[..line_length]) {
                blank = true;
                at += line_length;
                continue;
            }
            if comment.is_some_and(|comment| rest.starts_with(comment)) {
                at += line_length;
                let ending = line_end(&bytes[at..]);
                (at, line) = (at + ending, line + u64::from(ending > 0));
                continue;
            }
            let found = splitter.row(rest, whole);
            let (length, sound) = match found {
                Found::Row(length) => (length, true),
                // A row that may be cut does not vote.
                Found::More => break,
                // A wrong quote is one row's.
                Found::Open | Found::Stray(_) | Found::TooWide => (line_length, false),
            };
            let end = at + length;
            let ending = line_end(&bytes[end..]);
            if bytes.len() < end + 2 && !whole && ending < 2 {
                // The line end may be cut.
                break;
            }
            let inner = super::count_lines(&rest[..length]);
            let next_line = line + inner + u64::from(ending > 0);
            sample.rows.push(SampleRow {
                start: at,
                end,
                next: end + ending,
                line,
                next_line,
                too_wide: found == Found::TooWide,
                width: if sound { splitter.spans().len() } else { 0 },
                hash: rest.starts_with(b"#"),
                blank_before: blank,
                first: sample.cells.len(),
            });
            if sound {
                for (text, quoted) in splitter.cells() {
                    let start = sample.text.len();
                    sample.text.extend_from_slice(text);
                    let end = sample.text.len();
                    sample.cells.push(SampleCell { class: class::class(text), quoted, start, end });
                }
            } else if sample.rows.len() <= PREAMBLE {
                let pieces = pieces(&rest[..length], dialect.delimiter.as_bytes());
                sample.pieces.push((sample.rows.len() - 1, pieces));
            }
            (at, line, blank) = (end + ending, next_line, false);
        }
        sample
    }

    /// The cells of a row.
    pub(super) fn text(&self, row: &SampleRow) -> impl Iterator<Item = &[u8]> + Clone {
        self.of(row).iter().map(|cell| &self.text[cell.start..cell.end])
    }

    /// What the cells of a row look like.
    pub(super) fn classes(&self, row: &SampleRow) -> impl Iterator<Item = Class> + Clone {
        self.of(row).iter().map(|cell| cell.class)
    }

    /// What is between the delimiters of a row with a fault.
    pub(super) fn pieces(&self, at: usize) -> &[Class] {
        let found = self.pieces.iter().find(|(row, _)| *row == at);
        found.map_or(&[], |(_, pieces)| pieces)
    }

    fn of(&self, row: &SampleRow) -> &[SampleCell] {
        &self.cells[row.first..row.first + row.width]
    }

    /// The most frequent width of rows; of equally frequent ones the first row's, then the widest.
    pub(super) fn width(&self) -> usize {
        let first = self.rows.first().map_or(0, |row| row.width);
        let counts = self.counts(0);
        let most = counts.iter().max_by_key(|(width, count)| (**count, **width == first, **width));
        let Some((most, _)) = most else { return 0 };
        let Some((wide, rows)) = self.wide() else { return *most };
        // Titles, notes and comments have one cell each, and there may be more than rows.
        let ones = self.counts(self.leading()).get(&1).copied().unwrap_or(0);
        if ones < rows { wide } else { *most }
    }

    /// How many rows have which width, without the first rows.
    fn counts(&self, from: usize) -> BTreeMap<usize, usize> {
        let mut counts = BTreeMap::new();
        for row in self.rows.iter().skip(from).filter(|row| row.width > 0) {
            *counts.entry(row.width).or_default() += 1;
        }
        counts
    }

    /// Cells that are not empty.
    pub(super) fn filled(&self, row: &SampleRow) -> usize {
        self.classes(row).filter(|class| *class != Class::Empty).count()
    }

    /// The most frequent width of two cells or more, and how many rows have it. Notes of two cells, or of
    /// empty ones behind these, before wider rows are left out.
    fn wide(&self) -> Option<(usize, usize)> {
        let first = self.rows.first().map_or(0, |row| row.width);
        let mut counts = self.counts(0);
        let before = self.rows.iter().take_while(|row| self.filled(row) < 3).count();
        let mut later = self.counts(before);
        let other = |row: &SampleRow| row.width < 2 || !later.contains_key(&row.width);
        let wider: usize = later.iter().filter(|(width, _)| **width > 2).map(|(_, n)| n).sum();
        if before <= NOTES && wider > 1 && self.rows[..before].iter().all(other) {
            std::mem::swap(&mut counts, &mut later);
        }
        counts.remove(&1);
        let most = counts.iter().max_by_key(|(width, count)| (**count, **width == first, **width));
        most.map(|(width, count)| (*width, *count))
    }

    /// Rows before the table, if they are few enough for a preamble.
    fn leading(&self) -> usize {
        let Some((wide, rows)) = self.wide() else { return 0 };
        let before = self.rows.iter().take_while(|row| row.width != wide).count();
        // One row is hardly a table below many titles.
        if before > PREAMBLE || (rows < 2 && before > 2) { 0 } else { before }
    }

    /// Rows that vote: without comments, and without what may be titles and notes at the beginning.
    pub(super) fn table_rows(&self) -> usize {
        self.voting().count()
    }

    /// Those of them that have `width` cells.
    pub(super) fn rows_of(&self, width: usize) -> usize {
        self.voting().filter(|row| row.width == width).count()
    }

    fn voting(&self) -> impl Iterator<Item = &SampleRow> {
        let leading = self.leading();
        let most = if leading <= NOTES { 2 } else { 1 };
        let note = move |at: usize, row: &SampleRow| {
            at < leading && self.filled(row) <= most && !(row.width == 1 && self.has_marks(row))
        };
        let rows = self.rows.iter().enumerate().filter(move |(at, row)| !note(*at, row));
        rows.map(|(_, row)| row).filter(|row| !row.hash || row.width > 1)
    }

    /// Whether delimiters of another dialect are in the single cell of a row: titles hardly have any.
    fn has_marks(&self, row: &SampleRow) -> bool {
        let marks = |text: &[u8]| {
            let joins = |pair: &&[u8]| pair[0] == b',' && !matches!(pair[1], b' ' | b'0'..=b'9');
            text.iter().any(|byte| matches!(byte, b';' | b'|' | b'\t'))
                || text.windows(2).filter(joins).count() > 1
        };
        self.of(row).iter().any(|cell| !cell.quoted && marks(&self.text[cell.start..cell.end]))
    }

    /// Whether `of` holds for so many percent of the cells, and for two at least; it gets a cell's
    /// place, the number of cells in its row, and its text, and says nothing of cells that are not
    /// meant.
    pub(super) fn mostly(
        &self,
        percent: usize,
        of: impl Fn(usize, usize, &[u8]) -> Option<bool>,
    ) -> bool {
        let (mut all, mut found) = (0, 0);
        for row in self.rows.iter().filter(|row| row.width > 1) {
            for (at, text) in self.text(row).enumerate() {
                let holds = of(at, row.width, text);
                all += usize::from(holds.is_some());
                found += usize::from(holds == Some(true));
            }
        }
        found > 1 && found * 100 >= all * percent
    }

    /// Rows with quotes that do not pair.
    pub(super) fn faults(&self) -> usize {
        self.rows.iter().filter(|row| row.width == 0).count()
    }

    /// Cells with quotes around them.
    pub(super) fn quoted_cells(&self) -> usize {
        self.cells.iter().filter(|cell| cell.quoted).count()
    }

    /// Rows of such cells.
    pub(super) fn quoted_rows(&self) -> usize {
        self.rows.iter().filter(|row| self.of(row).iter().any(|cell| cell.quoted)).count()
    }

    /// Whether quotes, and no apostrophes, stand around cells: one holds what ends a cell, or they stand
    /// around all cells of the first row or of a column.
    pub(super) fn quotes_are_meant(&self, dialect: &Dialect, width: usize) -> bool {
        let mut bytes = [0; 4];
        let quote = dialect.quote.map_or("", |quote| quote.encode_utf8(&mut bytes));
        let rows = || self.rows.iter().filter(|row| row.width == width);
        let all = |cells: &mut dyn Iterator<Item = &SampleCell>| {
            let mut filled = cells.filter(|cell| cell.class != Class::Empty).peekable();
            filled.peek().is_some() && filled.all(|cell| cell.quoted)
        };
        let first = self.rows.iter().find(|row| row.width > 1);
        self.quotes_hold(quote)
            || self.quotes_hold(&dialect.delimiter)
            || first.is_some_and(|row| all(&mut self.of(row).iter()))
            || (rows().count() > 1
                && (0..width).any(|at| all(&mut rows().skip(1).map(|row| &self.of(row)[at]))))
    }

    /// Whether the text is in a cell of one line that has quotes around it.
    pub(super) fn quotes_hold(&self, text: &str) -> bool {
        self.quotes_holding(text).next().is_some()
    }

    /// Cells of one line with quotes around them and the text in them.
    pub(super) fn quotes_holding(&self, text: &str) -> impl Iterator<Item = &[u8]> {
        let texts = self.cells.iter().filter(|cell| cell.quoted);
        texts.map(|cell| &self.text[cell.start..cell.end]).filter(move |cell| {
            memchr::memmem::find(cell, text.as_bytes()).is_some()
                && memchr::memchr2(b'\n', b'\r', cell).is_none()
        })
    }

    /// The classes of the cells of each column of the rows of `width` cells.
    pub(super) fn columns(&self, width: usize) -> Vec<Vec<Class>> {
        let mut columns = vec![Vec::new(); width];
        for row in self.rows.iter().filter(|row| row.width == width) {
            for (column, class) in columns.iter_mut().zip(self.classes(row)) {
                column.push(class);
            }
        }
        columns
    }

    /// What the columns hold in the rows from `from` on; `Text` where cells differ. A row with one text
    /// alone may be a note.
    pub(super) fn column_classes(&self, from: usize, width: usize) -> Vec<ColumnClass> {
        let mut found: Vec<Option<ColumnClass>> = vec![None; width];
        for row in self.rows.iter().skip(from).filter(|row| row.width == width) {
            let filled = self.classes(row).filter(|class| *class != Class::Empty).count();
            if filled == 1 && width > 2 {
                continue;
            }
            for (column, class) in found.iter_mut().zip(self.classes(row)) {
                let class = match class {
                    Class::Empty => continue,
                    Class::Number => ColumnClass::Number,
                    Class::Temporal => ColumnClass::Temporal,
                    Class::Boolean | Class::Shape(_) | Class::Word => ColumnClass::Text,
                };
                *column = match column {
                    None => Some(class),
                    Some(before) if *before == class => continue,
                    Some(_) => Some(ColumnClass::Text),
                };
            }
        }
        found.into_iter().map(Option::unwrap_or_default).collect()
    }

    /// How much the cells look like cells, from 0 to 1.
    pub(super) fn looks(&self, dialect: &Dialect) -> f64 {
        let looks: f64 = self.cells.iter().map(|cell| self.cell_looks(cell, dialect)).sum();
        looks / self.cells.len().max(1) as f64
    }

    fn cell_looks(&self, cell: &SampleCell, dialect: &Dialect) -> f64 {
        let text = &self.text[cell.start..cell.end];
        if cell.quoted {
            return 1.0;
        }
        let looks = match cell.class {
            Class::Number | Class::Temporal | Class::Boolean => 1.0,
            Class::Empty => 0.97,
            Class::Word => 0.95,
            Class::Shape(_) => 0.9,
        };
        let trimmed = text.trim_ascii();
        if let [first @ (b'"' | b'\''), .., last] = trimmed
            && first == last
        {
            // Quotes that were not taken for quotes.
            return 0.3;
        }
        let others = |byte: &u8| {
            matches!(byte, b',' | b';' | b'|' | b'\t' | b'"')
                && !dialect.delimiter.as_bytes().contains(byte)
        };
        let clean = if !cell.class.is_value() && text.iter().any(others) { 0.65 } else { 1.0 };
        // A delimiter of two characters leaves its second behind.
        let blank = if text.len() > trimmed.len() && !trimmed.is_empty() { 0.95 } else { 1.0 };
        looks * clean * blank
    }
}

fn pieces(row: &[u8], delimiter: &[u8]) -> Vec<Class> {
    let ends = memchr::memmem::find_iter(row, delimiter).chain([row.len()]);
    let mut start = 0;
    let pieces = ends.map(|end| {
        let piece = class::class(&row[start..end]);
        start = end + delimiter.len();
        piece
    });
    pieces.collect()
}

/// The length of the line end at the beginning of `bytes`; 0 if there is none.
pub(super) fn line_end(bytes: &[u8]) -> usize {
    match bytes {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_cut_by_the_sample_does_not_vote() {
        let widths = |bytes: &[u8], whole| {
            let sample = Sample::read(View { bytes, whole, max_columns: 9 }, &Dialect::default());
            sample.rows.iter().map(|row| row.width).collect::<Vec<_>>()
        };
        assert_eq!(widths(b"a,b\n1,2\n3", false), [2, 2]);
        assert_eq!(widths(b"a,b\n1,2\n3", true), [2, 2, 1]);
    }

    #[test]
    fn a_wrong_quote_is_one_rows() {
        let sample = Sample::read(View::whole(b"a,b\n1,\"x\n2,y\n3,\"z\"\n"), &Dialect::default());
        let rows: Vec<_> = sample.rows.iter().map(|row| (row.line, row.width)).collect();
        assert_eq!(rows, [(0, 2), (1, 0), (2, 2), (3, 2)]);
    }
}
