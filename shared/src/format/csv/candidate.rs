//! The dialects that a file may be written in, and how well it reads under each.

use memchr::memmem;

use super::class::{self, Class};
use super::dialect::{Dialect, Escape};
use super::doubled;
use super::known::Known;
use super::sample::{Sample, SampleRow, View};
use crate::catalog;

/// Candidates, the likelier to be meant first where two are as good: a comma also occurs in numbers
/// and prose (`1,5;2,5`), the others hardly do. With how far they are preferred.
const CANDIDATES: [(&str, f64); 23] = [
    ("\t", 1.02),
    (";", 1.01),
    ("|", 1.01),
    (",", 1.0),
    (", ", 1.0),
    ("; ", 1.0),
    ("||", 1.0),
    ("::", 1.0),
    (";;", 1.0),
    ("~|", 1.0),
    ("|~", 1.0),
    ("^|", 1.0),
    ("~~", 1.0),
    ("##", 1.0),
    ("@@", 1.0),
    ("\u{1f}", 1.0),
    ("\u{1}", 1.0),
    ("~", 0.97),
    ("^", 0.97),
    ("\u{a6}", 0.97),
    ("\u{a7}", 0.97),
    (":", 0.9),
    (" ", 0.9),
];

/// A dialect, and the sample read under it.
pub(super) struct Candidate {
    pub(super) dialect: Dialect,
    pub(super) sample: Sample,
    /// How well it reads.
    pub(super) score: f64,
    /// The cells of most rows, and how many rows have as many.
    pub(super) width: usize,
    pub(super) agreeing: usize,
}

/// The delimiters that occur, and how far they are preferred.
pub(super) fn delimiters(bytes: &[u8], stated: &catalog::Format) -> Vec<(String, f64)> {
    if let Some(delimiter) = &stated.delimiter {
        return vec![(delimiter.clone(), 1.0)];
    }
    let mut found = Vec::new();
    if bytes.trim_ascii().is_empty() {
        return found;
    }
    for (delimiter, preferred) in CANDIDATES {
        let count = memmem::find_iter(bytes, delimiter).count();
        if count == 0 {
            continue;
        }
        let mut preferred = preferred;
        if delimiter.len() == 2 && delimiter.is_ascii() {
            // The first character alone, or the second, speaks for itself.
            let alone = alone(bytes, delimiter, count);
            // One pair in a file is an empty cell.
            let doubled = delimiter.as_bytes()[0] == delimiter.as_bytes()[1];
            let certain = alone * 10 <= count && (count > 1 || !doubled);
            preferred *= if certain { 1.15 } else { 0.8 };
        }
        found.push((delimiter.to_owned(), preferred));
    }
    found
}

/// How often a character of a pair stands without the other.
fn alone(bytes: &[u8], pair: &str, count: usize) -> usize {
    let [first, second] = pair.as_bytes() else { return 0 };
    let of = |byte: u8| memchr::memchr_iter(byte, bytes).count();
    match second {
        // Blanks are everywhere.
        b' ' => of(*first) - count,
        _ if first == second => of(*first).saturating_sub(2 * count),
        _ => of(*first) + of(*second) - 2 * count,
    }
}

/// The quotes and escapes that occur.
pub(super) fn quotings(
    bytes: &[u8],
    stated: &catalog::Format,
    base: &Dialect,
) -> Vec<(Option<char>, Escape)> {
    let quotes: Vec<Option<char>> = match &stated.quote {
        Some(mark) => vec![mark.0],
        None => {
            let mut quotes = vec![Some('"')];
            if begins_cells(bytes, b'\'') {
                quotes.push(Some('\''));
            }
            if memchr::memchr(b'"', bytes).is_some() {
                quotes.push(None);
            }
            quotes
        }
    };
    let mut quotings = Vec::new();
    for quote in quotes {
        if stated.escape.is_some() {
            quotings.push((quote, base.escape));
            continue;
        }
        quotings.push((quote, Escape::Doubled));
        if let Some(quote) = quote {
            let escaped = [b'\\', u8::try_from(quote).unwrap_or(b'"')];
            if memmem::find(bytes, &escaped).is_some() {
                quotings.push((Some(quote), Escape::Quoted('\\')));
            }
        }
    }
    quotings
}

/// Whether the mark stands where a cell could begin.
fn begins_cells(bytes: &[u8], mark: u8) -> bool {
    memchr::memchr_iter(mark, bytes)
        .any(|at| at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] >= 0x80))
}

/// Reads the sample under a dialect; `None` if it cannot be meant.
pub(super) fn candidate(
    head: View<'_>,
    stated: &catalog::Format,
    dialect: Dialect,
    preferred: f64,
    known: Known<'_>,
) -> Option<Candidate> {
    let sample = Sample::read(head, &dialect);
    let width = sample.width();
    if width < 2 {
        return None;
    }
    let rows = sample.table_rows();
    let agreeing = sample.rows_of(width);
    let share = agreeing as f64 / rows.max(1) as f64;
    let weak = stated.delimiter.is_none() && matches!(dialect.delimiter.as_str(), ":" | " ");
    if weak && !weak_fits(head.bytes, &dialect.delimiter, &sample, width) {
        return None;
    }
    let faults = sample.faults();
    let quotes_fit = match dialect.quote {
        _ if stated.quote.is_some() => true,
        None => unquoted_fits(head, &dialect),
        Some('\'') => single_quotes_fit(head, &dialect, &sample),
        Some(_) => true,
    };
    if !quotes_fit {
        return None;
    }
    let all = sample.rows.len();
    // Rows that have to be taken for a preamble speak against a candidate.
    let kept = (rows as f64 / all.max(1) as f64).sqrt();
    let wide = 0.75 + 0.25 * (1.0 - 1.0 / width as f64);
    let preferred = match dialect.quote {
        Some('\'') if !sample.quotes_are_meant(&dialect, width) => preferred * 0.95,
        // Without them many rows would have a cell too many.
        Some('\'') if sample.quotes_holding(&dialect.delimiter).count() > 2 + 2 * faults => {
            preferred * 1.2
        }
        _ => preferred,
    };
    let half = stated.delimiter.is_none() && is_half(&dialect.delimiter, &sample, width);
    let preferred = if half { preferred * 0.5 } else { preferred };
    let preferred = preferred * known.prefers(&dialect.delimiter, &sample);
    let sound = 1.0 - faults as f64 / all.max(1) as f64;
    let score = share * share * kept * wide * sound * sample.looks(&dialect) * preferred;
    Some(Candidate { dialect, sample, score, width, agreeing })
}

/// Whether the delimiter is but half of one of two characters: the other half stands beside it nearly
/// everywhere.
fn is_half(delimiter: &str, sample: &Sample, width: usize) -> bool {
    let [half] = delimiter.as_bytes() else { return false };
    let alone = doubled::stands_alone(sample, width);
    // A piece of a quoted cell begins and ends anywhere.
    let piece = |text: &[u8]| memchr::memchr_iter(b'"', text).count() % 2 == 1;
    CANDIDATES.iter().any(|(pair, _)| match pair.as_bytes() {
        [first, second] if !pair.is_ascii() || (first != half && second != half) => false,
        [first, second] if first == second => {
            let empty = |odd| {
                sample.mostly(75, move |at, _, text| (at % 2 == odd).then_some(text.is_empty()))
            };
            !alone && empty(1) && !empty(0)
        }
        [first, second] if first == half => sample.mostly(90, |at, _, text| {
            (at > 0 && !piece(text)).then_some(text.first() == Some(second))
        }),
        [first, _] => sample.mostly(90, |at, width, text| {
            (at + 1 < width && !piece(text)).then_some(text.last() == Some(first))
        }),
        _ => false,
    })
}

/// A colon is in every time of day, a blank in every name: they are taken only if every row agrees (of
/// a table of several columns with blanks, all but a few), and the lines are not values or prose as they
/// are.
fn weak_fits(bytes: &[u8], delimiter: &str, sample: &Sample, width: usize) -> bool {
    let rows = || sample.rows.iter().filter(|row| !row.hash);
    let all = rows().count();
    let agreeing = rows().filter(|row| row.width == width).count();
    let blanks = delimiter == " ";
    let several = blanks && width > 2;
    let many = several || (blanks && agreeing > 8);
    let few = match many && rows().next().is_some_and(|row| row.width == width) {
        true => (agreeing / 10).max(1),
        false => 0,
    };
    // A quote around a blank is there for a reason.
    let quoted = blanks && sample.quotes_hold(" ");
    if sample.rows.len() < 2 || agreeing < 2 || all - agreeing > few {
        return false;
    }
    let line = |row: &SampleRow| &bytes[row.start..row.end];
    let times = rows().filter(|row| has_time(line(row))).count();
    if rows().any(|row| class::class(line(row)).is_value())
        || (times * 2 > sample.rows.len() && !(blanks && (quoted || width > 3)))
    {
        return false;
    }
    let values = sample.columns(width).iter().any(|column| {
        let mut cells = column.iter().skip(1).filter(|class| **class != Class::Empty).peekable();
        cells.peek().is_some() && cells.all(|class| class.is_value())
    });
    // Texts of as many words each, one below the other, are hardly prose.
    values || quoted || (several && agreeing > 3 && agreeing == all)
}

/// Whether a time of day is in a line.
fn has_time(line: &[u8]) -> bool {
    line.windows(5).any(|w| w[2] == b':' && [w[0], w[1], w[3], w[4]].iter().all(u8::is_ascii_digit))
}

/// Single quotes only if they stand around more cells than double quotes do, and all of them pair: where
/// they are certainly meant, in most rows that have any.
fn single_quotes_fit(head: View<'_>, dialect: &Dialect, sample: &Sample) -> bool {
    let (quoted, faults) = (sample.quoted_cells(), sample.faults());
    let double = Dialect { quote: Some('"'), ..dialect.clone() };
    let pair = faults == 0
        || (sample.quoted_rows() > 2 * faults && sample.quotes_are_meant(dialect, sample.width()));
    pair && quoted > 0 && quoted > Sample::read(head, &double).quoted_cells()
}

/// Without quotes at all only if quotes fail again and again, whatever escapes them, and hardly ever stand
/// around a cell.
fn unquoted_fits(head: View<'_>, dialect: &Dialect) -> bool {
    let escapes = [Escape::Doubled, Escape::Quoted('\\')];
    let escapes = escapes.iter().filter(|escape| {
        **escape == Escape::Doubled || memmem::find(head.bytes, b"\\\"").is_some()
    });
    escapes.into_iter().all(|escape| {
        let dialect = Dialect { quote: Some('"'), escape: *escape, ..dialect.clone() };
        let quoted = Sample::read(head, &dialect);
        quoted.faults() >= 3 && quoted.quoted_cells() < quoted.faults()
    })
}
