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

/// Whether the first row under the other are words alone, as many as rows have cells, without this delimiter
/// (blanks may be within), and under this one it is not so.
fn names_columns(of: &Candidate, other: &Candidate) -> bool {
    let blank = of.dialect.delimiter == " ";
    (blank || of.agreeing <= other.agreeing)
        && has_names(other, if blank { None } else { Some(of) })
        && !has_names(of, Some(other))
}

/// Whether the first row under a delimiter are words alone, without another delimiter within.
fn has_names(of: &Candidate, without: Option<&Candidate>) -> bool {
    let mark = without.map(|other| other.dialect.delimiter.as_bytes());
    let holds = |text| mark.is_some_and(|mark| memchr::memmem::find(text, mark).is_some());
    let first = of.sample.rows.iter().find(|row| row.width == of.width);
    first.is_some_and(|row| {
        let mut cells = of.sample.classes(row).zip(of.sample.text(row));
        cells.all(|(class, text)| class == Class::Word && !holds(text))
    })
}

/// Whether every comma in a cell is the mark of a number.
fn commas_are_in_numbers(sample: &Sample) -> bool {
    let cells = sample.rows.iter().flat_map(|row| sample.classes(row).zip(sample.text(row)));
    let mut holding = cells.filter(|(_, text)| text.contains(&b',')).peekable();
    holding.peek().is_some() && holding.all(|(class, _)| class == Class::Number)
}
