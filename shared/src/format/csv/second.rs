//! Where a second table begins below the first.

use super::class::Class;
use super::header_rows::common;
use super::layout::Finder;
use super::sample::SampleRow;

/// Rows above and below that are compared.
const COMPARED: usize = 20;

impl Finder<'_> {
    /// Where a second header seems to stand: a row of text of another width, and rows like it.
    pub(super) fn second_table(&self, from: usize, width: usize) -> Option<usize> {
        let rows = self.rows();
        (from.max(1)..rows.len().saturating_sub(1)).find(|at| {
            let (row, next) = (&rows[*at], &rows[*at + 1]);
            let text = self.sample.classes(row).all(Class::is_text);
            let other = row.width != width && row.width > 1 && row.width == next.width;
            text && (other || (row.width == width && self.is_second_header(from, *at)))
        })
    }

    /// Whether the row is a header of other columns: one that is set off by a blank line, or by a title
    /// below one; or one of words alone, below which most columns hold what they did not above.
    fn is_second_header(&self, from: usize, at: usize) -> bool {
        let rows = self.rows();
        let row = &rows[at];
        let first = rows.iter().find(|first| first.width == row.width);
        let again = first.is_some_and(|first| self.is_again(row, first));
        if again {
            return false;
        }
        let title = &rows[at - 1];
        let titled = title.width == 1 && title.blank_before && row.width > 1;
        if row.blank_before || titled {
            let changed = || row.width > 1 && self.changes(from, at).is_some_and(|of| of > 0);
            return self.is_certain_header(at) || changed();
        }
        let words = |row: &SampleRow| {
            let word = |class: &Class| matches!(class, Class::Word | Class::Empty);
            self.sample.classes(row).filter(word).count()
        };
        let other = |next: &SampleRow| next.width == row.width && words(next) + 1 < next.width;
        words(row) == row.width
            && (other(&rows[at + 1]) || other(title))
            && self.changes(from, at).is_some_and(|of| of > 1 && of * 2 >= row.width)
            && rows[at + 1..].iter().filter(|next| next.width == row.width).count() > 1
    }

    /// How many columns hold values of one kind above the row or below it, and not on the other side;
    /// `None` if it is not a header of texts, or some column goes on with its values.
    fn changes(&self, from: usize, at: usize) -> Option<usize> {
        let rows = self.rows();
        let width = rows[at].width;
        let of = |row: &&SampleRow| row.width == width;
        let above: Vec<&SampleRow> =
            rows[from.min(at)..at].iter().rev().filter(of).take(COMPARED).collect();
        let below: Vec<&SampleRow> = rows[at + 1..].iter().filter(of).take(COMPARED).collect();
        if above.len() < 2 || below.is_empty() || !self.looks_like_header(at) {
            return None;
        }
        let mut changed = 0;
        for column in 0..width {
            let kind = |side: &[&SampleRow]| {
                let cell = |row: &&SampleRow| {
                    let (classes, texts) = (self.sample.classes(row), self.sample.text(row));
                    classes.zip(texts).nth(column)
                };
                let cells: Vec<(Class, &[u8])> = side.iter().filter_map(cell).collect();
                common(&cells)
            };
            match (kind(&above), kind(&below)) {
                (None, None) => {}
                (above, below) if above == below => return None,
                _ => changed += 1,
            }
        }
        Some(changed)
    }
}
