//! Whether a character stands between cells by itself or doubled: `Ann||Lee` are two cells, or three of
//! which one is empty. Doubled it stands nowhere alone; a header, or a few rows, that have as many cells as
//! the others and the character once between two of them, show that it is the delimiter.

use super::candidate::Candidate;
use super::sample::{Sample, SampleRow};

/// Whether rows have the delimiter where it cannot be half of a doubled one, and as many cells as rows
/// where it may: the first of them, or two. One may be broken.
pub(super) fn stands_alone(sample: &Sample, width: usize) -> bool {
    let rows = || sample.rows.iter().filter(|row| row.width == width);
    let alone = rows().filter(|row| has_it_alone(sample, row)).count();
    alone > 1 || names_alone(sample, width)
}

/// Whether the first row of so many cells has the delimiter where it cannot be half of a doubled one.
fn names_alone(sample: &Sample, width: usize) -> bool {
    let first = sample.rows.iter().find(|row| row.width == width);
    first.is_some_and(|row| has_it_alone(sample, row))
}

/// Of doubled delimiters, every other cell between the single ones is empty.
fn has_it_alone(sample: &Sample, row: &SampleRow) -> bool {
    row.width.is_multiple_of(2) || sample.text(row).skip(1).step_by(2).any(|text| !text.is_empty())
}

/// Leaves out doubled delimiters where the character alone is one.
pub(super) fn leave_out_doubled(candidates: &mut Vec<Candidate>) {
    let share = |of: &Candidate| of.agreeing as f64 / of.sample.table_rows().max(1) as f64;
    let alone: Vec<(String, f64)> = candidates
        .iter()
        .filter(|of| of.dialect.delimiter.len() == 1 && stands_alone(&of.sample, of.width))
        .map(|of| {
            // Rows with a fault cost either.
            let named = names_alone(&of.sample, of.width);
            (of.dialect.delimiter.repeat(2), share(of) * if named { 1.1 } else { 1.0 })
        })
        .collect();
    candidates.retain(|of| {
        let double = &of.dialect.delimiter;
        !alone.iter().any(|(doubled, agree)| doubled == double && *agree >= share(of))
    });
}
