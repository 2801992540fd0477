//! Commas and blanks that stand within cells: `-12,34;100,00` are two numbers, `Ann Lee;Rome` a name and a
//! place. In a file of few rows, one of which is broken, there may be as many of them in each row as of the
//! delimiter.

use super::candidate::Candidate;
use super::class::Class;
use super::sample::Sample;

/// How far a delimiter falls behind that stands within the cells of another.
const WITHIN: f64 = 0.3;

/// Puts the delimiters last that stand within the cells of others.
pub(super) fn put_back(candidates: &mut [Candidate]) {
    let within: Vec<bool> =
        candidates.iter().map(|of| candidates.iter().any(|other| is_within(of, other))).collect();
    for (candidate, _) in candidates.iter_mut().zip(within).filter(|(_, within)| *within) {
        candidate.score *= WITHIN;
    }
}

/// Whether a delimiter stands within the cells of another that is more seldom in texts, and that most rows
/// agree on.
fn is_within(of: &Candidate, other: &Candidate) -> bool {
    let rank = |of: &Candidate| match of.dialect.delimiter.as_str() {
        " " | ":" => 2,
        "," | ", " => 1,
        _ => 0,
    };
    rank(other) < rank(of)
        && other.agreeing * 2 > other.sample.table_rows()
        && (names_columns(of, other)
            || (of.dialect.delimiter == "," && commas_are_in_numbers(&other.sample)))
}

/// Whether the first row under the other are words alone, as many as rows have cells: between them is no
/// comma, though blanks may be within.
fn names_columns(of: &Candidate, other: &Candidate) -> bool {
    let delimiter = of.dialect.delimiter.as_str();
    let sample = &other.sample;
    let Some(first) = sample.rows.iter().find(|row| row.width == other.width) else { return false };
    let holds = |text: &[u8]| memchr::memmem::find(text, delimiter.as_bytes()).is_some();
    sample.classes(first).all(|class| class == Class::Word)
        && (delimiter == " " || (of.agreeing <= other.agreeing && !sample.text(first).any(holds)))
}

/// Whether every comma in a cell is the mark of a number.
fn commas_are_in_numbers(sample: &Sample) -> bool {
    let cells = sample.rows.iter().flat_map(|row| sample.classes(row).zip(sample.text(row)));
    let mut holding = cells.filter(|(_, text)| text.contains(&b',')).peekable();
    holding.peek().is_some() && holding.all(|(class, _)| class == Class::Number)
}
