//! Where in a file its table begins: what stands before the header, the header, what stands between
//! it and the data.
//!
//! A line is passed over only if it certainly is no row: a single text before rows of several cells,
//! a comment, a line of units or dashes right below the header. All of it is said in the evidence.
//! Whether the first row names the columns is told by comparing it with the rows below: text over
//! numbers does, a number over numbers does not. Where nothing can be told, it does.

use std::ops::Range;

use super::class::ColumnClass;
use super::dialect::{Comment, Dialect};
use super::directive;
use super::known::Known;
use super::sample::{PREAMBLE, Sample, SampleRow};
use crate::catalog;
use crate::format::{header, words};

/// Where the table begins and what its columns are.
pub(super) struct Layout {
    pub(super) columns: Vec<String>,
    pub(super) has_header: bool,
    /// The sampled rows that are the header; the first of them is the first row of the table.
    pub(super) header: Range<usize>,
    /// Bytes and lines of the sample before the first data row.
    pub(super) begins: (usize, u64),
    pub(super) comment: Option<Comment>,
    pub(super) classes: Vec<ColumnClass>,
    /// Where in the sample a second table begins whose rows have as many cells.
    pub(super) ends: Option<usize>,
    pub(super) evidence: Vec<String>,
}

/// Why the header cannot be read, and which sampled row it is.
pub(super) struct HeaderFault {
    pub(super) row: usize,
    pub(super) problem: &'static str,
}

/// Finds the table in a sample. `line`: the line of the file on which the sample begins.
pub(super) fn layout(
    sample: &Sample,
    dialect: &Dialect,
    stated: &catalog::Format,
    known: Known<'_>,
    line: u64,
) -> Result<Layout, HeaderFault> {
    let finder = Finder { sample, width: sample.width(), stated };
    let mut evidence = Vec::new();
    let certain = finder.known_header(known);
    let (mut first, comments) = match certain {
        Some((at, _)) => (at, sample.rows[..at].iter().take_while(|row| row.hash).count()),
        None => finder.first(),
    };
    let mut named = sample.rows.get(first).map(|_| finder.header_rows(first));
    // Titles stand above names. Right above rows without any, a line may be a row that is damaged.
    while certain.is_none()
        && named.as_ref().is_some_and(|(rows, _)| *rows == 0)
        && first > comments
        && !sample.rows[first].blank_before
    {
        first -= 1;
        named = named.map(|(_, why)| (0, why));
    }
    if first > comments {
        let (from, to) = (sample.rows[0].line + line, sample.rows[first - 1].next_line + line - 1);
        evidence.push(format!(
            "preamble: {} before the table are no rows (confidence 0.90)",
            if from == to { format!("line {from}") } else { format!("lines {from} to {to}") }
        ));
    }
    let Some(row) = sample.rows.get(first) else {
        return Ok(Layout {
            columns: Vec::new(),
            has_header: stated.header.unwrap_or(true),
            header: 0..0,
            begins: (0, 0),
            comment: dialect.comment.clone(),
            classes: Vec::new(),
            ends: None,
            evidence,
        });
    };

    let (rows, why) = match (certain, named) {
        (None, Some(named)) => named,
        (Some((_, why)), _) => (1, format!("header: {why}")),
        (None, None) => (0, String::new()),
    };
    evidence.push(why);
    let header = first..(first + rows).min(sample.rows.len());
    let columns = if header.is_empty() {
        header::numbered_columns(finder.data_width(first))
    } else {
        finder.names(&header, &mut evidence)?
    };
    let width = columns.len();
    let mut begins = (row.start, row.line);
    if let Some(last) = header.clone().last() {
        begins = (sample.rows[last].next, sample.rows[last].next_line);
    }
    let mut data = header.end;
    let mut units = stated.units_row != Some(false);
    while !header.is_empty()
        && let Some(row) = sample.rows.get(data)
    {
        let what = if finder.is_rule(row) {
            "a line of dashes below the header is no row (confidence 0.99):"
        } else if units && stated.units_row == Some(true) {
            "units: the row below the header, stated:"
        } else if units && row.width == width && finder.is_units(data) {
            "units: the row below the header holds nothing else (confidence 0.90):"
        } else {
            break;
        };
        units &= finder.is_rule(row);
        evidence.push(format!("{what} line {}", row.line + line));
        begins = (row.next, row.next_line);
        data += 1;
    }
    let comment = finder.comment(dialect, comments, data, width);
    if let Some(comment) = &comment {
        evidence.push(if comment.stated {
            format!("comments: lines that begin with {}, stated", comment.prefix)
        } else {
            let prefix = &comment.prefix;
            format!("comments: lines that begin with {prefix} and are no rows (confidence 0.80)")
        });
    }
    let second = finder.second_table(data, width).map(|second| &sample.rows[second]);
    if let Some(second) = second {
        let line = second.line + line;
        evidence
            .push(format!("a second table seems to begin on line {line}: its rows are rejects"));
    }
    let classes = sample.column_classes(data, width);
    let has_header = !header.is_empty();
    // Rows of another width are rejects by that.
    let ends = second.filter(|second| second.width == width).map(|second| second.start);
    Ok(Layout { columns, has_header, header, begins, comment, classes, ends, evidence })
}

/// Looks for the parts of the table in a sample.
pub(super) struct Finder<'a> {
    pub(super) sample: &'a Sample,
    /// The most frequent width.
    pub(super) width: usize,
    pub(super) stated: &'a catalog::Format,
}

impl Finder<'_> {
    pub(super) fn rows(&self) -> &[SampleRow] {
        &self.sample.rows
    }

    /// The names of the columns, of one row or several.
    fn names(
        &self,
        header: &Range<usize>,
        evidence: &mut Vec<String>,
    ) -> Result<Vec<String>, HeaderFault> {
        let mut written: Vec<String> = Vec::new();
        for at in header.clone() {
            let row = &self.rows()[at];
            let fault = |problem| HeaderFault { row: at, problem };
            if row.width == 0 {
                return Err(fault(
                    "has a quote that is never closed, or text behind a closing quote",
                ));
            }
            let text = |cell| std::str::from_utf8(cell).ok().map(|text| text.trim().to_owned());
            let cells = match directive::header(self.sample) == Some(at) {
                true => directive::names(self.sample, row),
                false => self.sample.text(row).map(text).collect(),
            };
            let Some(mut cells) = cells else { return Err(fault("is not in UTF-8")) };
            if at + 1 < header.end {
                // A group's name stands over its first column only.
                for at in 1..cells.len() {
                    if cells[at].trim().is_empty() {
                        cells[at] = cells[at - 1].clone();
                    }
                }
            }
            written.resize(written.len().max(cells.len()), String::new());
            for (name, cell) in written.iter_mut().zip(cells) {
                let empty = (name.trim().is_empty(), cell.trim().is_empty());
                match empty {
                    (true, _) => *name = cell,
                    (false, true) => {}
                    (false, false) if header.len() > 1 && name.trim() == cell.trim() => {}
                    (false, false) => *name = format!("{} / {}", name.trim(), cell.trim()),
                }
            }
        }
        let more = self.nameless(header.end, written.len());
        if more > 0 {
            evidence.push(format!(
                "columns: {more} more than the header names, empty in all sampled rows"
            ));
            written.resize(written.len() + more, String::new());
        }
        if self.ends_in_delimiter(header, &written) {
            written.pop();
            evidence.push(
                "columns: the header ends in a delimiter, as no row does, which names nothing"
                    .to_owned(),
            );
        }
        let names = header::unique(&written);
        let renamed = names.iter().zip(&written).filter(|(name, written)| name != written).count();
        if renamed > 0 {
            evidence
                .push(format!("columns: {renamed} names were empty or repeated and were changed"));
        }
        Ok(names)
    }

    /// Whether the header has one empty name at its end, and the rows have one cell less.
    fn ends_in_delimiter(&self, header: &Range<usize>, names: &[String]) -> bool {
        let Some((last, named)) = names.split_last() else { return false };
        let rows = &self.rows()[header.end.min(self.rows().len())..];
        let of = |width| rows.iter().filter(|row| row.width == width).count();
        let less = of(named.len());
        last.is_empty() && less > 0 && less * 10 >= rows.len() * 9 && of(names.len()) == 0
    }

    /// Cells that all rows have beyond the header's, if nothing is in them: a delimiter at the end of
    /// each row.
    fn nameless(&self, from: usize, width: usize) -> usize {
        let rows = &self.rows()[from.min(self.rows().len())..];
        let extra = |row: &&SampleRow| row.width == width + 1;
        let empty = |row: &SampleRow| self.sample.text(row).last().is_some_and(<[u8]>::is_empty);
        let all = rows.iter().filter(extra).count();
        let certain = all > 0
            && all * 10 >= rows.len() * 9
            && !rows.iter().any(|row| row.width == width)
            && rows.iter().filter(extra).all(empty);
        usize::from(certain)
    }

    /// The number of cells of rows without a header: that of the first, unless hardly another row has
    /// as many.
    fn data_width(&self, first: usize) -> usize {
        let row = &self.rows()[first];
        let near = || self.rows().iter().skip(first).take(PREAMBLE);
        let like = |width: usize| near().filter(|row| row.width == width).count();
        let most =
            near().map(|row| row.width).max_by_key(|width| (like(*width), *width == row.width));
        match most {
            Some(width) if like(width) > like(row.width) || row.width == 0 => width,
            _ => row.width,
        }
    }

    /// All dashes, as under the header of some query tools.
    pub(super) fn is_rule(&self, row: &SampleRow) -> bool {
        let dashes = |text: &[u8]| {
            let text = text.trim_ascii();
            !text.is_empty() && text.iter().all(|byte| matches!(byte, b'-' | b'=' | b'+'))
        };
        // A dash alone often says that there is no value.
        let drawn = |text: &[u8]| text.trim_ascii().len() > 1;
        row.width > 0 && self.sample.text(row).all(dashes) && self.sample.text(row).any(drawn)
    }

    /// Each cell is a unit and stands over numbers, or a zone over times.
    fn is_units(&self, at: usize) -> bool {
        let row = &self.rows()[at];
        let below = self.sample.column_classes(at + 1, row.width);
        let mut units = 0;
        for (text, class) in self.sample.text(row).zip(below) {
            let text = text.trim_ascii();
            if text.is_empty() {
                continue;
            }
            match class {
                ColumnClass::Number if words::is_unit(text) => units += 1,
                ColumnClass::Temporal if words::is_zone(text) => {}
                _ => return false,
            }
        }
        units > 0
    }

    /// Comments, if there are lines that begin like them and none that is a row.
    fn comment(
        &self,
        dialect: &Dialect,
        leading: usize,
        data: usize,
        width: usize,
    ) -> Option<Comment> {
        if self.stated.comment.is_some() {
            return dialect.comment.clone();
        }
        let mut hashes = self.rows().iter().skip(data).filter(|row| row.hash).peekable();
        let found = leading > 0 || hashes.peek().is_some();
        let rows = hashes.any(|row| row.width == width);
        (found && !rows && width > 1 && self.stated.header != Some(false))
            .then(|| Comment { prefix: "#".to_owned(), stated: false })
    }
}
