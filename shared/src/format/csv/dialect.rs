//! How the cells of a file are written: which delimiter, which quote, which escape.
//!
//! What the definition does not state is found by reading a sample under each candidate for real, and
//! the one wins whose rows have the most consistent width and the cells that look most like cells.
//! Counting cells, not delimiters, keeps quoted text from voting. A candidate under which most rows
//! have a single cell is out, or every candidate that does not occur would be perfectly consistent.
//! Only the first 64 KiB vote, so that files of one table do not differ by what lies far below; what
//! does not fit there is a reject, never another dialect.

use serde::{Deserialize, Serialize};

use super::candidate::{Candidate, candidate, delimiters, quotings};
use super::class::ColumnClass;
use super::doubled;
use super::known::Known;
use super::sample::{Sample, View};
use super::within;
use crate::catalog;

/// Bytes of a file that are looked at.
pub(super) const SAMPLE: usize = 64 << 10;

/// How delimited cells are written, and what is known of their table: all that is needed to go on
/// with a file in its middle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialect {
    /// What stands between cells.
    pub delimiter: String,
    /// What stands around a cell that holds a delimiter or line end; `None`: nothing does.
    pub quote: Option<char>,
    /// What makes a quote a character like others.
    pub escape: Escape,
    /// What comment lines begin with.
    pub comment: Option<Comment>,
    /// Lines at the end of the file that are left out, if the definition says so. `None`: rows that
    /// look like a footer are rejects.
    pub skip_footer_lines: Option<u32>,
    /// The header as it is in the file, to know it again where it is repeated.
    pub header: Option<String>,
    /// The offset at which another table begins whose rows have as many cells.
    pub table_ends: Option<u64>,
    /// What the columns hold, to tell a row from text in a quoted cell that is never closed.
    pub classes: Vec<ColumnClass>,
}

/// What makes a quote a character like others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Escape {
    /// Another quote.
    #[default]
    Doubled,
    /// Another quote, or this character, within quotes.
    Quoted(char),
    /// The same, and outside of quotes the character also escapes delimiters, quotes and line ends.
    Everywhere(char),
}

/// Lines that are no rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// What they begin with.
    pub prefix: String,
    /// The definition says so. If not, a line that begins like this and has as many cells as the
    /// table is a reject.
    pub stated: bool,
}

impl Default for Dialect {
    /// Commas and double quotes.
    fn default() -> Self {
        Self {
            delimiter: ",".to_owned(),
            quote: Some('"'),
            escape: Escape::Doubled,
            comment: None,
            skip_footer_lines: None,
            header: None,
            table_ends: None,
            classes: Vec::new(),
        }
    }
}

impl Dialect {
    /// The delimiter, if rows are of the common kind that the index finds: one byte between cells,
    /// doubled double quotes, no comments.
    pub(super) fn common(&self) -> Option<u8> {
        match self.delimiter.as_bytes() {
            [delimiter]
                if self.quote == Some('"')
                    && self.escape == Escape::Doubled
                    && self.comment.is_none() =>
            {
                Some(*delimiter)
            }
            _ => None,
        }
    }

    /// Whether a line, which is no row of quoted cells, is blank: white space between tabs are cells.
    pub(super) fn is_blank(&self, line: &[u8]) -> bool {
        line.trim_ascii().is_empty() && !(self.delimiter == "\t" && line.contains(&b'\t'))
    }

    /// Whether it can be meant: no two roles for one character.
    pub(super) fn is_possible(&self) -> bool {
        let ends_line = |c: char| matches!(c, '\n' | '\r' | '\0');
        let escape = match self.escape {
            Escape::Doubled => None,
            Escape::Quoted(escape) | Escape::Everywhere(escape) => Some(escape),
        };
        let marks = [self.quote, escape];
        !self.delimiter.is_empty()
            && self.delimiter.len() <= 8
            && !self.delimiter.contains(ends_line)
            && marks
                .iter()
                .flatten()
                .all(|mark| mark.is_ascii() && !ends_line(*mark) && !self.delimiter.contains(*mark))
            && (self.quote.is_none() || self.quote != escape)
    }
}

/// A delimiter for people.
pub(super) fn name(delimiter: &str) -> String {
    match delimiter {
        "," => "comma".to_owned(),
        ";" => "semicolon".to_owned(),
        "\t" => "tab".to_owned(),
        "|" => "pipe".to_owned(),
        " " => "space".to_owned(),
        ":" => "colon".to_owned(),
        ", " => "comma and space".to_owned(),
        other => format!("{other:?}"),
    }
}

/// A dialect that was found, the sample read under it, and why.
pub(super) struct Found {
    pub(super) dialect: Dialect,
    pub(super) sample: Sample,
    pub(super) evidence: Vec<String>,
}

/// Finds the dialect of the beginning of a file. `hint`: a delimiter that the file's
/// name or its first line speaks for.
pub(super) fn detect(
    head: View<'_>,
    stated: &catalog::Format,
    hint: Option<&str>,
    known: Known<'_>,
) -> Found {
    let base = base(stated);
    let mut candidates = Vec::new();
    for (delimiter, preferred) in delimiters(head.bytes, stated) {
        for (quote, escape) in quotings(head.bytes, stated, &base) {
            let dialect = Dialect { delimiter: delimiter.clone(), quote, escape, ..base.clone() };
            if !dialect.is_possible() {
                continue;
            }
            let preferred = if hint == Some(delimiter.as_str()) { 1.3 } else { preferred };
            if let Some(candidate) = candidate(head, stated, dialect, preferred, known) {
                candidates.push(candidate);
            }
        }
    }
    doubled::leave_out_doubled(&mut candidates);
    within::put_back(&mut candidates);
    // Of equals the first stays.
    let mut best: Option<Candidate> = None;
    let mut second: f64 = 0.0;
    for candidate in candidates {
        match &best {
            Some(found) if candidate.score <= found.score => {
                if candidate.dialect.delimiter != found.dialect.delimiter {
                    second = second.max(candidate.score);
                }
            }
            _ => {
                if let Some(found) = &best
                    && found.dialect.delimiter != candidate.dialect.delimiter
                {
                    second = second.max(found.score);
                }
                best = Some(candidate);
            }
        }
    }
    let Some(best) = best else { return single(head, stated, &base) };
    let rows = best.sample.table_rows();
    let confidence = confidence(best.agreeing as f64 / rows.max(1) as f64, best.score, second);
    let mut evidence = vec![match &stated.delimiter {
        Some(_) => format!("delimiter {}: stated", name(&best.dialect.delimiter)),
        None => format!(
            "delimiter {}: {} of {} sampled rows have {} cells (confidence {confidence:.2})",
            name(&best.dialect.delimiter),
            best.agreeing,
            rows,
            best.width
        ),
    }];
    evidence.extend(quoting_evidence(&best.dialect, stated, &best.sample));
    Found { dialect: best.dialect, sample: best.sample, evidence }
}

/// What the definition states, on top of the usual.
fn base(stated: &catalog::Format) -> Dialect {
    let usual = Dialect::default();
    Dialect {
        delimiter: stated.delimiter.clone().unwrap_or(usual.delimiter),
        quote: match &stated.quote {
            Some(mark) => mark.0,
            None => usual.quote,
        },
        escape: match &stated.escape {
            Some(mark) => mark.0.map_or(Escape::Doubled, Escape::Everywhere),
            None => Escape::Doubled,
        },
        comment: stated
            .comment
            .as_ref()
            .and_then(|mark| mark.0)
            .map(|prefix| Comment { prefix: prefix.to_string(), stated: true }),
        skip_footer_lines: stated.skip_footer_lines,
        ..usual
    }
}

/// The dialect that the definition states in full, if one is not possible.
pub(super) fn stated(stated: &catalog::Format) -> Dialect {
    base(stated)
}

/// One column.
fn single(head: View<'_>, stated: &catalog::Format, base: &Dialect) -> Found {
    let mut best: Option<(usize, Dialect, Sample)> = None;
    for (quote, escape) in quotings(head.bytes, stated, base) {
        // Apostrophes stand around words in prose, too.
        if stated.quote.is_none() && quote != Some('"') {
            continue;
        }
        let dialect = Dialect { quote, escape, ..base.clone() };
        let sample = Sample::read(head, &dialect);
        let faults = sample.faults();
        if best.as_ref().is_none_or(|(least, ..)| faults < *least) {
            best = Some((faults, dialect, sample));
        }
    }
    let (dialect, sample) = match best {
        Some((_, dialect, sample)) => (dialect, sample),
        None => (base.clone(), Sample::read(head, base)),
    };
    let mut evidence = vec![match &stated.delimiter {
        Some(delimiter) => format!("delimiter {}: stated", name(delimiter)),
        None if head.bytes.trim_ascii().is_empty() => {
            "delimiter comma: the default, as there are no rows".to_owned()
        }
        None => {
            "delimiter comma: the default, as rows have a single cell (confidence 0.50)".to_owned()
        }
    }];
    evidence.extend(quoting_evidence(&dialect, stated, &sample));
    Found { dialect, sample, evidence }
}

fn quoting_evidence(dialect: &Dialect, stated: &catalog::Format, sample: &Sample) -> Vec<String> {
    let mut evidence = Vec::new();
    let quoted = sample.quoted_cells();
    match (&stated.quote, dialect.quote) {
        (Some(_), Some(quote)) => evidence.push(format!("quote {quote}: stated")),
        (Some(_), None) => evidence.push("no quotes: stated".to_owned()),
        (None, Some('"')) => {}
        (None, Some(quote)) => evidence.push(format!(
            "quote {quote}: it stands around {quoted} sampled cells (confidence 0.90)"
        )),
        (None, None) => evidence.push(
            "no quotes: double quotes stand in cells, and around none (confidence 0.80)".to_owned(),
        ),
    }
    match (&stated.escape, dialect.escape) {
        (Some(_), Escape::Doubled) => evidence.push("escape by doubled quotes: stated".to_owned()),
        (Some(_), Escape::Quoted(escape) | Escape::Everywhere(escape)) => {
            evidence.push(format!("escape {escape}: stated"));
        }
        (None, Escape::Doubled) => {}
        (None, Escape::Quoted(escape) | Escape::Everywhere(escape)) => evidence.push(format!(
            "escape {escape}: quotes within quoted cells follow it (confidence 0.90)"
        )),
    }
    evidence
}

/// How sure: as far as the rows agree, less as the next best comes close.
fn confidence(share: f64, score: f64, second: f64) -> f64 {
    let margin = if score > 0.0 { (1.0 - second / score).clamp(0.0, 1.0) } else { 0.0 };
    share * (0.5 + 0.5 * margin.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sample: &str) -> Dialect {
        detect(View::whole(sample.as_bytes()), &catalog::Format::default(), None, Known::default())
            .dialect
    }

    fn delimiter(sample: &str) -> String {
        found(sample).delimiter
    }

    #[test]
    fn the_most_consistent_width_wins() {
        assert_eq!(delimiter("a,b,c\n1,2,3\n"), ",");
        assert_eq!(delimiter("a;b\n1,5;2,5\n"), ";");
        assert_eq!(delimiter("1,5;2,5\n3,5;4,5\n"), ";", "decimal commas without a header");
        assert_eq!(delimiter("a\tb\n1\t2\n"), "\t");
        assert_eq!(delimiter("a|b\n1|2\n"), "|");
        assert_eq!(delimiter("a;b;c\n\"x,y\";1;2\n\"x,y,z\";1;2\n"), ";");
        assert_eq!(delimiter("id,tags\n1,a;b\n2,a;b;c\n"), ",");
        assert_eq!(delimiter("id,tags\n1,a;b\n2,c;d\n"), ",");
        assert_eq!(delimiter("name,comment\nBob,hi; there\n"), ",");
        assert_eq!(delimiter("a,b\n\"x\ny;z\",2\n"), ",", "a line end within quotes ends no row");
        assert_eq!(delimiter("at,n\n12:30,1\n12:31,2\n"), ",");
    }

    #[test]
    fn a_single_column_gets_a_comma() {
        assert_eq!(delimiter("name\nBob\nAnn\n"), ",");
        assert_eq!(delimiter(""), ",");
        assert_eq!(delimiter("\n\n\n"), ",");
        assert_eq!(delimiter("text\nhello, world\nplain\nplain\n"), ",");
        assert_eq!(delimiter("header only;of two"), ";");
        assert_eq!(delimiter("05:40\n21:30\n17:45"), ",", "times of day");
        assert_eq!(delimiter("2024-01-01 12:30\n2024-01-02 12:30\n"), ",");
        assert_eq!(delimiter("full name\nBob Smith\nAnn Lee\n"), ",");
    }

    #[test]
    fn delimiters_of_all_kinds_are_found() {
        for delimiter in [
            ",", ";", "\t", "|", ":", " ", "~", "^", "\u{1f}", "\u{1}", "\u{a7}", ", ", "; ", "||",
            "::", ";;", "~|", "|~", "^|", "~~", "##", "@@",
        ] {
            let rows =
                [["id", "name", "n"], ["1", "Ann", "2.5"], ["2", "Bob", ""], ["3", "Cid", "7"]];
            let text: String = rows.iter().map(|row| row.join(delimiter) + "\n").collect();
            assert_eq!(super::tests::delimiter(&text), delimiter, "{text}");
        }
        assert_eq!(delimiter("a|b||c\n1|2||3\n4|5||6\n"), "|", "an empty column is no delimiter");
    }

    #[test]
    fn quotes_and_escapes_are_found() {
        let single = found("id\tname\n1\t'a\tb'\n2\t'c'\n");
        assert_eq!((single.quote, single.escape), (Some('\''), Escape::Doubled));
        let backslash = found("id,name\n1,\"say \\\"hi\\\", you\"\n2,\"x\"\n");
        assert_eq!((backslash.quote, backslash.escape), (Some('"'), Escape::Quoted('\\')));
        let both = found("1|x|a\n2|y|'it\\'s \\'2\\''\n'3'|z|b\n");
        assert_eq!((both.quote, both.escape), (Some('\''), Escape::Quoted('\\')));
        let none = found("id\tnote\n1\t\"loud\" shout\n2\t\"a\" b\n3\t\"c\" d\n4\t\"x\n");
        assert_eq!(none.quote, None);
        let prose = found("id,note\n1,it's\n2,that's all\n");
        assert_eq!(prose.quote, Some('"'));
        let one = found("id,name\n1,\"Ann\n2,Bob\n3,Cid\n");
        assert_eq!(one.quote, Some('"'), "one broken row changes no dialect");
    }

    #[test]
    fn a_title_line_does_not_hide_the_delimiter() {
        assert_eq!(delimiter("Report of May\na;b;c\n1;2;3\n4;5;6\n"), ";");
    }
}
