//! A header below lines of labels and values, as statements of accounts and reports begin: the bank, the
//! account, from when to when, and then the table.

use super::class::Class;
use super::header_rows::REPEATED;
use super::layout::Finder;
use super::sample::{NOTES, PREAMBLE, SampleRow};
use crate::format::words;

impl Finder<'_> {
    /// The first row that names as many columns as the table has, if all above it are titles, or labels
    /// with a value or two.
    pub(super) fn set_off_header(&self) -> Option<usize> {
        let rows = self.rows();
        let last = rows.len().saturating_sub(1).min(PREAMBLE + 1);
        let at = (0..last).find(|at| self.names_all(*at))?;
        let above = &rows[..at];
        let most = if self.width >= 6 { 3 } else { 2 };
        let notes = above.iter().all(|row| {
            let filled = self.sample.filled(row);
            let short = row.width <= most || self.is_filled_up_to(row, filled);
            !row.hash && row.width > 0 && filled <= most && short
        });
        // Lines of one cell each are told otherwise.
        let padded = above.iter().any(|row| row.width > 1);
        let set_off = rows[at].blank_before || self.sample.filled(above.last()?) == 0;
        let votes = self.votes(at);
        let sure = set_off || (votes.header > 0 && votes.data == 0);
        let below = rows[at + 1..].iter().any(|row| row.width == self.width);
        (notes
            && padded
            && sure
            && below
            && votes.data == 0
            && !above.is_empty()
            && (0..at).all(|at| !self.is_group_row(at))
            && !self.has_table_of_two(above))
        .then_some(at)
    }

    fn is_filled_up_to(&self, row: &SampleRow, end: usize) -> bool {
        self.sample.classes(row).skip(end).all(|class| class == Class::Empty)
    }

    /// Whether each cell is a text of its own, or a number that names a column, but for an empty one at
    /// the end.
    fn names_all(&self, at: usize) -> bool {
        let row = &self.rows()[at];
        let filled = self.sample.filled(row);
        let mut seen = std::collections::HashSet::new();
        row.width == self.width
            && filled >= 3
            && filled + 1 >= row.width
            && self.is_filled_up_to(row, filled)
            && (self.sample.classes(row).take(filled).all(Class::is_text) || self.numbers_name(at))
            && self.sample.text(row).take(filled).filter(|text| !seen.insert(*text)).count()
                * REPEATED
                <= filled
    }

    /// Whether rows of two cells among the lines are a table: names over values of one kind, texts without a
    /// word that statements use, or many rows. Such rows must not pass for titles.
    pub(super) fn has_table_of_two(&self, lines: &[SampleRow]) -> bool {
        let two = |row: &SampleRow| self.sample.filled(row) == 2;
        lines.chunk_by(|one, other| two(one) && two(other) && !other.blank_before).any(|run| {
            let label =
                |row: &&SampleRow| self.sample.text(row).next().is_some_and(words::is_label);
            let labels = run.iter().filter(label).count();
            if run.len() < 3 || labels * 2 >= run.len() {
                return false;
            }
            let values = |row: &SampleRow| self.sample.classes(row).nth(1);
            let is_text = |row: &SampleRow| values(row).is_some_and(Class::is_text);
            let first = values(&run[1]);
            let alike = run[1..].iter().all(|row| values(row) == first);
            let over_values = is_text(&run[0]) && first.is_some_and(Class::is_value);
            let of_texts = run.iter().all(is_text) && !run[1..].iter().any(|row| label(&row));
            run.len() > NOTES || (alike && over_values) || of_texts
        })
    }
}
