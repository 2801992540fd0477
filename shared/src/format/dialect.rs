//! Which byte separates the cells, when the definition does not say.
//!
//! Each candidate parses a sample for real, and the one whose rows have the most consistent width
//! wins. Counting cells, not delimiters, keeps quoted text from voting; a candidate under which most
//! rows have a single cell is out, or every candidate that does not occur would be perfectly
//! consistent.

use csv_core::{ReadRecordResult, ReaderBuilder};

/// Candidates, the likelier to be meant first where two are as consistent: a comma also occurs in
/// numbers and prose (`1,5;2,5`), the others hardly do.
const CANDIDATES: [u8; 4] = [b'\t', b';', b'|', b','];

/// Bytes of a file that are looked at.
pub(super) const SAMPLE: usize = 64 << 10;

/// Rows of a sample that are looked at.
const ROWS: usize = 1000;

/// Finds the delimiter of `sample` (`whole`: nothing follows it), and says why.
pub(super) fn delimiter(sample: &[u8], whole: bool, has_header: bool) -> (u8, String) {
    let mut best: Option<Score> = None;
    for delimiter in CANDIDATES {
        let Some(score) = score(sample, whole, has_header, delimiter) else { continue };
        // Of equals the first stays.
        if best.as_ref().is_none_or(|best| score.better_than(best)) {
            best = Some(score);
        }
    }
    match best {
        Some(score) => {
            let why = format!(
                "delimiter {}: {} of {} sampled rows have {} cells",
                name(score.delimiter),
                score.agreeing,
                score.rows,
                score.width
            );
            (score.delimiter, why)
        }
        None => (b',', "delimiter comma: the default, as rows have a single cell".to_owned()),
    }
}

/// A delimiter for people.
pub(super) fn name(delimiter: u8) -> String {
    match delimiter {
        b',' => "comma".to_owned(),
        b';' => "semicolon".to_owned(),
        b'\t' => "tab".to_owned(),
        b'|' => "pipe".to_owned(),
        other => format!("{:?}", char::from(other)),
    }
}

struct Score {
    delimiter: u8,
    /// Whether the header has more than one cell; if not, every other row would be too wide.
    header_splits: bool,
    width: usize,
    agreeing: usize,
    rows: usize,
}

impl Score {
    fn better_than(&self, other: &Self) -> bool {
        // Shares compared without division: a/b > c/d.
        let (mine, theirs) = (self.agreeing * other.rows, other.agreeing * self.rows);
        (self.header_splits, mine) > (other.header_splits, theirs)
    }
}

fn score(sample: &[u8], whole: bool, has_header: bool, delimiter: u8) -> Option<Score> {
    let widths = widths(sample, whole, delimiter);
    let first = *widths.first()?;
    let mut counts = std::collections::BTreeMap::<usize, usize>::new();
    for width in &widths {
        *counts.entry(*width).or_default() += 1;
    }
    // The most frequent width; of equally frequent ones the header's, then the widest.
    let (&width, &agreeing) =
        counts.iter().max_by_key(|(width, count)| (**count, **width == first, **width))?;
    if width < 2 {
        return None;
    }
    Some(Score {
        delimiter,
        header_splits: !has_header || first > 1,
        width,
        agreeing,
        rows: widths.len(),
    })
}

/// The number of cells of each row of the sample, without a last row that may be cut.
fn widths(sample: &[u8], whole: bool, delimiter: u8) -> Vec<usize> {
    let mut reader = ReaderBuilder::new().delimiter(delimiter).build();
    let mut widths = Vec::new();
    let mut output = vec![0; sample.len() + 1];
    let mut ends = vec![0; 1024];
    let (mut rest, mut cells) = (sample, 0);
    while widths.len() < ROWS {
        if rest.is_empty() && !whole {
            break;
        }
        let (result, read, _, ended) = reader.read_record(rest, &mut output, &mut ends);
        rest = &rest[read..];
        cells += ended;
        match result {
            ReadRecordResult::Record => {
                widths.push(cells);
                cells = 0;
            }
            ReadRecordResult::End => break,
            // At the end of the sample an empty slice follows, which is how this parser is told.
            ReadRecordResult::InputEmpty
            | ReadRecordResult::OutputFull
            | ReadRecordResult::OutputEndsFull => {}
        }
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sample: &str) -> char {
        delimiter(sample.as_bytes(), true, true).0.into()
    }

    #[test]
    fn the_most_consistent_width_wins() {
        assert_eq!(found("a,b,c\n1,2,3\n"), ',');
        assert_eq!(found("a;b\n1,5;2,5\n"), ';');
        assert_eq!(found("1,5;2,5\n3,5;4,5\n"), ';', "decimal commas without a header");
        assert_eq!(found("a\tb\n1\t2\n"), '\t');
        assert_eq!(found("a|b\n1|2\n"), '|');
        assert_eq!(found("a;b;c\n\"x,y\";1;2\n\"x,y,z\";1;2\n"), ';');
        assert_eq!(found("id,tags\n1,a;b\n2,a;b;c\n"), ',');
        assert_eq!(found("name,comment\nBob,hi; there\n"), ',');
        assert_eq!(found("a,b\n\"x\ny;z\",2\n"), ',', "a line end within quotes ends no row");
    }

    #[test]
    fn a_single_column_gets_a_comma() {
        assert_eq!(found("name\nBob\nAnn\n"), ',');
        assert_eq!(found(""), ',');
        assert_eq!(found("\n\n\n"), ',');
        assert_eq!(found("text\nhello, world\nplain\nplain\n"), ',');
        assert_eq!(found("header only;of two"), ';');
    }

    #[test]
    fn a_title_line_does_not_hide_the_delimiter() {
        assert_eq!(found("Report of May\na;b;c\n1;2;3\n4;5;6\n"), ';');
    }

    #[test]
    fn a_row_cut_by_the_sample_does_not_vote() {
        assert_eq!(widths(b"a,b\n1,2\n3", false, b','), [2, 2]);
        assert_eq!(widths(b"a,b\n1,2\n3", true, b','), [2, 2, 1]);
    }
}
