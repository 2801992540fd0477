//! Where in a file its table begins: what stands before the header, the header, what stands between
//! it and the data.
//!
//! A line is passed over only if it certainly is no row: a single text before rows of several cells,
//! a comment, a line of units or dashes right below the header. All of it is said in the evidence.
//! Whether the first row names the columns is told by comparing it with the rows below: text over
//! numbers does, a number over numbers does not. Where nothing can be told, it does.

use std::collections::HashSet;
use std::ops::Range;

use super::class::{self, Class, ColumnClass};
use super::dialect::{Comment, Dialect};
use super::sample::{PREAMBLE, Sample, SampleRow};
use crate::catalog;
use crate::format::{header, words};

/// Rows that are compared with the first.
const COMPARED: usize = 200;

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
    line: u64,
) -> Result<Layout, HeaderFault> {
    let finder = Finder { sample, width: sample.width(), stated };
    let mut evidence = Vec::new();
    let (first, comments) = finder.first();
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

    let (rows, why) = finder.header_rows(first);
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

/// What speaks for the first row being a header, and what against it.
#[derive(Clone, Copy, Debug, Default)]
struct Votes {
    header: usize,
    data: usize,
}

struct Finder<'a> {
    sample: &'a Sample,
    /// The most frequent width.
    width: usize,
    stated: &'a catalog::Format,
}

impl Finder<'_> {
    fn rows(&self) -> &[SampleRow] {
        &self.sample.rows
    }

    /// The first row of the table, and how many comments are before it.
    fn first(&self) -> (usize, usize) {
        let by_itself = self.stated.header != Some(false) && self.stated.skip_lines == 0;
        let preamble = self.stated.preamble.unwrap_or(by_itself);
        let hashes = self.stated.comment.is_none() && by_itself;
        let (mut at, mut comments) = (0, 0);
        while at + 1 < self.rows().len() && at < PREAMBLE {
            if hashes && self.rows()[at].hash && self.is_leading_comment(at) {
                comments += 1;
            } else if !(preamble && self.is_preamble(at)) {
                break;
            }
            at += 1;
        }
        (at, comments)
    }

    fn is_leading_comment(&self, at: usize) -> bool {
        let row = &self.rows()[at];
        if self.width < 2 {
            // The name of a single column may begin with the mark, too.
            return self.sample.text(row).next().is_some_and(|text| text.starts_with(b"# "));
        }
        let header = (at + 1..self.rows().len()).find(|next| !self.rows()[*next].hash);
        row.width != self.width || header.is_some_and(|header| self.is_certain_header(header))
    }

    fn is_preamble(&self, at: usize) -> bool {
        let (row, next) = (&self.rows()[at], &self.rows()[at + 1]);
        let filled = self.sample.classes(row).filter(|class| *class != Class::Empty).count();
        if self.width < 2 || row.width == 0 {
            return false;
        }
        if row.width == 1 {
            // A word alone is a title only if it is set off, or a header follows; it may as well name
            // a column, and one with other marks in it several.
            let title = |text: &[u8]| {
                let marks = text.iter().any(|b| matches!(b, b',' | b';' | b'|' | b'\t'));
                text.contains(&b' ')
                    || (!marks && (next.blank_before || next.width == 1))
                    || (!marks && self.is_certain_header(at + 1))
            };
            return self.sample.classes(row).all(Class::is_text)
                && self.sample.text(row).all(title);
        }
        if self.is_block(at) {
            return true;
        }
        let header = || {
            let last = self.rows().len().min(at + PREAMBLE);
            (at + 1..last)
                .find(|next| self.rows()[*next].width == self.width)
                .is_some_and(|next| self.looks_like_header(next))
        };
        if row.width == 2 && self.width > 2 {
            return header() && !self.is_narrow_table(at);
        }
        // A title in the first of the cells of a spreadsheet, or one with commas in it.
        let title = filled <= 1 && self.width > 2 && self.is_padded_title(at);
        row.width == self.width && (title || self.is_prose(at))
    }

    /// Whether a few lines, set off from a header by a blank line, form no table themselves.
    fn is_block(&self, at: usize) -> bool {
        let rows = self.rows();
        let next = (at + 1..rows.len().min(at + 6)).find(|next| rows[*next].blank_before);
        next.is_some_and(|next| {
            let block = &rows[at..next];
            let ragged = block.iter().any(|row| row.width != block[0].width);
            let narrow = block.iter().all(|row| row.width <= self.width);
            narrow && (block.len() == 1 || ragged) && self.is_certain_header(next)
        })
    }

    /// Whether rows of two cells that follow one another are a header and what it names.
    fn is_narrow_table(&self, at: usize) -> bool {
        let rows = self.rows()[at..].iter().take_while(|row| row.width == 2).count();
        let votes = self.votes(at);
        rows > 2 && votes.header > 0 && votes.data == 0
    }

    /// Whether a row is a sentence with delimiters in it: blanks follow them as nowhere below, and a
    /// header follows.
    fn is_prose(&self, at: usize) -> bool {
        let blank = |row: &SampleRow| self.sample.text(row).skip(1).any(|t| t.starts_with(b" "));
        let mut below = self.rows().iter().skip(at + 1).take(PREAMBLE);
        blank(&self.rows()[at]) && !below.any(blank) && self.is_certain_header(at + 1)
    }

    /// Whether a row with little in its cells is followed by others like it, if at all, and a header.
    fn is_padded_title(&self, at: usize) -> bool {
        let filled = |row: &SampleRow| {
            self.sample.classes(row).filter(|class| *class != Class::Empty).count()
        };
        let rest = self.rows().iter().enumerate().skip(at + 1).take(PREAMBLE);
        let mut rest = rest.skip_while(|(_, row)| filled(row) <= 1);
        rest.next().is_some_and(|(next, _)| self.looks_like_header(next))
    }

    /// All cells are text and differ.
    fn looks_like_header(&self, at: usize) -> bool {
        let row = &self.rows()[at];
        let mut seen = HashSet::new();
        row.width == self.width
            && self.sample.classes(row).all(Class::is_text)
            && self.sample.text(row).all(|text| seen.insert(text))
    }

    /// All cells are text, and some stand over values.
    fn is_certain_header(&self, at: usize) -> bool {
        let votes = self.votes(at);
        self.looks_like_header(at) && votes.header > 0 && votes.data == 0
    }

    /// How many rows name the columns, and why.
    fn header_rows(&self, first: usize) -> (usize, String) {
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

    /// Compares a row with the rows of its width below it.
    fn votes(&self, at: usize) -> Votes {
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
        let same = |other: &SampleRow| self.sample.text(other).eq(self.sample.text(row));
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
        let years = self.is_years(row);
        for ((class, text), column) in
            self.sample.classes(row).zip(self.sample.text(row)).zip(&columns)
        {
            if class == Class::Empty {
                continue;
            }
            match common(column) {
                Some(common) if common == class => match class {
                    Class::Number if years => votes.header += 1,
                    _ => votes.data += 1,
                },
                Some(_) => votes.header += 1,
                None => votes.data += usize::from(column.iter().any(|(_, other)| *other == text)),
            }
        }
        votes
    }

    /// Whether the numbers in a row are years that follow one another beside a text: they name
    /// columns.
    fn is_years(&self, row: &SampleRow) -> bool {
        let text = |text: &[u8]| std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        let cells = self.sample.classes(row).zip(self.sample.text(row));
        let numbers: Option<Vec<u32>> =
            cells.filter(|(class, _)| *class == Class::Number).map(|(_, t)| text(t)).collect();
        numbers.is_some_and(|years| {
            let follow = years.windows(2).all(|pair| pair[1] == pair[0] + 1);
            years.len() > 1
                && years.len() < row.width
                && follow
                && years.iter().all(|year| (1900..=2100).contains(year))
        })
    }

    /// A row of groups over a row of names over values: `,Q1,,Q2,` over `id,sold,left,sold,left`, or
    /// `Q1,Q1,Q2,Q2` over `sold,left,sold,left`. Groups show by their gaps or by their repetition: a row
    /// of words below a plain header may as well be the first row of data, with a word for a number,
    /// and no row may vanish into the header.
    fn is_group_row(&self, at: usize) -> bool {
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
        let repeats = gaps == 0 && cells.len() * 2 <= groups.width;
        let form = repeats || (gaps > 1 && gaps + 1 < groups.width);
        form && texts(groups)
            && texts(names)
            && !self.sample.text(groups).eq(self.sample.text(names))
            && self.sample.classes(groups).zip(self.sample.classes(names)).all(named)
            && votes.header > 0
            && votes.data == 0
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
            let cells: Option<Vec<String>> = self.sample.text(row).map(text).collect();
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
        let names = header::unique(&written);
        let renamed = names.iter().zip(&written).filter(|(name, written)| name != written).count();
        if renamed > 0 {
            evidence
                .push(format!("columns: {renamed} names were empty or repeated and were changed"));
        }
        Ok(names)
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
    fn is_rule(&self, row: &SampleRow) -> bool {
        let dashes = |text: &[u8]| {
            let text = text.trim_ascii();
            text.len() > 1 && text.iter().all(|byte| matches!(byte, b'-' | b'=' | b'+'))
        };
        row.width > 0 && self.sample.text(row).all(dashes)
    }

    /// Each cell is a unit and stands over numbers.
    fn is_units(&self, at: usize) -> bool {
        let row = &self.rows()[at];
        let below = self.sample.column_classes(at + 1, row.width);
        let mut units = 0;
        for (text, class) in self.sample.text(row).zip(below) {
            let text = text.trim_ascii();
            if text.is_empty() {
                continue;
            }
            if class != ColumnClass::Number || !words::is_unit(text) {
                return false;
            }
            units += 1;
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

    /// Where a second header seems to stand: a row of text of another width, and rows like it.
    fn second_table(&self, from: usize, width: usize) -> Option<usize> {
        let rows = self.rows();
        (from.max(1)..rows.len().saturating_sub(1)).find(|at| {
            let (row, next) = (&rows[*at], &rows[*at + 1]);
            let text = self.sample.classes(row).all(Class::is_text);
            let other = row.width != width && row.width > 1 && row.width == next.width;
            text && (other || (row.width == width && self.is_second_header(*at)))
        })
    }

    /// Whether the row is set off by a blank line, and a header of other columns.
    fn is_second_header(&self, at: usize) -> bool {
        let row = &self.rows()[at];
        let first = self.rows().iter().find(|first| first.width == row.width);
        let again = first.is_some_and(|first| self.sample.text(first).eq(self.sample.text(row)));
        row.blank_before && !again && self.is_certain_header(at)
    }
}

/// What nine of ten cells of a column are, if it is more than a word.
fn common(column: &[(Class, &[u8])]) -> Option<Class> {
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
