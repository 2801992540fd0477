//! Which rows name the columns, told by comparing them with the rows below.

use std::collections::HashSet;

use super::again;
use super::class::{self, Class, ColumnClass};
use super::layout::Finder;
use super::sample::{PREAMBLE, SampleRow};

/// Rows that are compared with the first.
const COMPARED: usize = 200;

/// Of so many names one may be there twice.
pub(super) const REPEATED: usize = 6;

/// What speaks for the first row being a header, and what against it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Votes {
    pub(super) header: usize,
    pub(super) data: usize,
}

impl Finder<'_> {
    /// All cells are text, or numbers that name columns, and differ. (Of many a name may come again, as the
    /// currency beside two amounts.)
    pub(super) fn looks_like_header(&self, at: usize) -> bool {
        let row = &self.rows()[at];
        let mut seen = HashSet::new();
        row.width == self.width
            && (self.sample.classes(row).all(Class::is_text)
                || (self.sample.filled(row) == row.width && self.numbers_name(at)))
            && self.sample.text(row).filter(|text| !seen.insert(*text)).count() * REPEATED
                <= row.width
    }

    /// The same, and some stand over values.
    pub(super) fn is_certain_header(&self, at: usize) -> bool {
        let votes = self.votes(at);
        self.looks_like_header(at) && votes.header > 0 && votes.data == 0
    }

    /// How many rows name the columns, and why.
    pub(super) fn header_rows(&self, first: usize) -> (usize, String) {
        match (self.stated.header, self.stated.header_rows) {
            (Some(false), _) => return (0, "no header: stated".to_owned()),
            (_, Some(rows)) => {
                let rows = usize::try_from(rows).unwrap_or(usize::MAX).min(PREAMBLE);
                return (rows, format!("header: {rows} rows, stated"));
            }
            _ => {}
        }
        let stated = self.stated.header == Some(true);
        if self.rows()[first].width != 0 && self.is_group_row(first) {
            let why = "header: two rows, as names stand under groups and over values";
            return (2, format!("{why} (confidence 0.85)"));
        }
        if stated {
            return (1, "header: the first row, stated".to_owned());
        }
        let row = &self.rows()[first];
        if self.has_another_delimiter(row) {
            let why = "no header: the first row holds values, with another delimiter between them";
            return (0, format!("{why} (confidence 0.80)"));
        }
        let votes = self.votes(first);
        let total = votes.header + votes.data;
        let sure = |of: usize| 0.6 + 0.39 * of as f64 / total.max(1) as f64;
        if votes.header > votes.data {
            let why = format!(
                "header: the first row, which differs from what stands below it in {} columns",
                votes.header
            );
            return (1, format!("{why} (confidence {:.2})", sure(votes.header - votes.data)));
        }
        if votes.data > 0 {
            let why = format!(
                "no header: the first row is like those below it in {} columns",
                votes.data
            );
            return (0, format!("{why} (confidence {:.2})", sure(votes.data - votes.header)));
        }
        if row.width == 0 && self.has_values_of_its_columns(first) {
            let why = "no header: the first row has a wrong quote, and values as those below it";
            return (0, format!("{why} (confidence 0.80)"));
        }
        if self.sample.classes(row).any(Class::is_value) {
            return (
                0,
                "no header: there are values in the first row (confidence 0.60)".to_owned(),
            );
        }
        if self.sample.text(row).any(is_no_name) {
            return (0, "no header: the first row holds no names (confidence 0.60)".to_owned());
        }
        (1, "header: the first row, by default (confidence 0.50)".to_owned())
    }

    /// Whether a row with a fault has numbers and dates where the rows below it have them.
    fn has_values_of_its_columns(&self, at: usize) -> bool {
        let pieces = self.sample.pieces(at);
        let below = self.sample.column_classes(at + 1, self.width);
        let alike = |(piece, column): (&Class, ColumnClass)| match piece {
            Class::Number => column == ColumnClass::Number,
            Class::Temporal => column == ColumnClass::Temporal,
            _ => false,
        };
        pieces.len() == self.width && pieces.iter().zip(below).any(alike)
    }

    /// Compares a row with the rows of its width below it.
    pub(super) fn votes(&self, at: usize) -> Votes {
        let row = &self.rows()[at];
        let mut votes = Votes::default();
        if row.width == 0 {
            return votes;
        }
        let below: Vec<&SampleRow> = (self.rows().iter().skip(at + 1))
            .filter(|other| other.width == row.width && !self.is_rule(other))
            .take(COMPARED)
            .collect();
        // The header once more is no row to compare with, unless most rows are like that.
        let same = |other: &SampleRow| self.is_again(other, row);
        let repeated = below.iter().filter(|other| same(other)).count();
        let below: Vec<&SampleRow> = match repeated * 2 < below.len() {
            true => below.into_iter().filter(|other| !same(other)).collect(),
            false => below,
        };
        let columns: Vec<Vec<(Class, &[u8])>> = below.iter().fold(
            vec![Vec::with_capacity(below.len()); row.width],
            |mut columns, row| {
                let cells = self.sample.classes(row).zip(self.sample.text(row));
                columns.iter_mut().zip(cells).for_each(|(column, cell)| column.push(cell));
                columns
            },
        );
        let named = self.numbers_name(at);
        for ((class, text), column) in
            self.sample.classes(row).zip(self.sample.text(row)).zip(&columns)
        {
            if class == Class::Empty {
                continue;
            }
            match common(column) {
                _ if named && class == Class::Number => votes.header += 1,
                Some(common) if common == class => votes.data += 1,
                Some(_) => votes.header += 1,
                None => votes.data += usize::from(column.iter().any(|(_, other)| *other == text)),
            }
        }
        votes
    }

    /// Whether a row is the same as another, perhaps behind a byte order mark.
    pub(super) fn is_again(&self, other: &SampleRow, row: &SampleRow) -> bool {
        self.sample.text(other).map(again::without_mark).eq(self.sample.text(row))
    }

    /// A row of groups over a row of names over values: `,Q1,,Q2,` over `id,sold,left,sold,left`, or
    /// `Q1,Q1,Q2,Q2` over `sold,left,sold,left`. Groups show by their gaps or by their repetition: a row
    /// of words below a plain header may as well be the first row of data, with a word for a number,
    /// and no row may vanish into the header.
    pub(super) fn is_group_row(&self, at: usize) -> bool {
        let Some([groups, names]) = self.rows().get(at..at + 2) else { return false };
        if groups.width != names.width || groups.width < 2 {
            return false;
        }
        let texts = |row| self.sample.classes(row).all(|c: Class| c.is_text() || c == Class::Empty);
        let gaps = self.sample.classes(groups).filter(|class| *class == Class::Empty).count();
        let votes = self.votes(at + 1);
        let named = |(group, name): (Class, Class)| group != Class::Empty || name != Class::Empty;
        let mut cells: Vec<_> = self.sample.text(groups).collect();
        cells.dedup();
        let repeats = gaps == 0 && cells.len() * 2 <= groups.width + groups.width % 2;
        let form = repeats || (gaps > 1 && gaps + 1 < groups.width);
        form && texts(groups)
            && texts(names)
            && !self.sample.text(groups).eq(self.sample.text(names))
            && self.sample.classes(groups).zip(self.sample.classes(names)).all(named)
            && votes.header > 0
            && votes.data == 0
    }
}

/// What nine of ten cells of a column are, if it is more than a word.
pub(super) fn common(column: &[(Class, &[u8])]) -> Option<Class> {
    let filled: Vec<Class> =
        column.iter().map(|(class, _)| *class).filter(|class| *class != Class::Empty).collect();
    let first = *filled.first()?;
    [Some(first), filled.get(filled.len() / 2).copied()].into_iter().flatten().find(|class| {
        let alike = filled.iter().filter(|other| *other == class).count();
        *class != Class::Word && alike * 10 >= filled.len() * 9
    })
}

/// Text that names no column: an address, JSON or XML, or a long text.
fn is_no_name(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let address = memchr::memchr(b'@', text).is_some_and(|at| text[at..].contains(&b'.'));
    let markup = matches!(text.first(), Some(b'{' | b'[' | b'<'));
    let has = |mark: &[u8]| memchr::memmem::find(text, mark).is_some();
    let first = text.split(|byte| *byte == b' ').next().unwrap_or_default();
    let dated = first.len() < text.len() && class::class(first) == Class::Temporal;
    address || markup || dated || text.len() > 200 || has(b"://") || has(b": ")
}
