//! What stands before the table: titles, notes, comments.

use super::class::{Class, ColumnClass, class};
use super::known::Known;
use super::layout::Finder;
use super::sample::{NOTES, PREAMBLE, SampleRow};

impl Finder<'_> {
    /// The row that is known to be the header, if the definition does not say otherwise.
    pub(super) fn known_header(&self, known: Known<'_>) -> Option<(usize, &'static str)> {
        if self.stated.header == Some(false) || self.stated.header_rows.is_some() {
            return None;
        }
        known.header(self.sample).filter(|(at, _)| *at == 0 || self.seeks_preamble())
    }

    /// Whether lines before the table are looked for.
    fn seeks_preamble(&self) -> bool {
        let by_itself = self.stated.header != Some(false) && self.stated.skip_lines == 0;
        self.stated.preamble.unwrap_or(by_itself)
    }

    /// The first row of the table, and how many comments are before it.
    pub(super) fn first(&self) -> (usize, usize) {
        let by_itself = self.stated.header != Some(false) && self.stated.skip_lines == 0;
        let preamble = self.seeks_preamble();
        if preamble && let Some(header) = self.set_off_header() {
            return (header, 0);
        }
        let hashes = self.stated.comment.is_none() && by_itself;
        let (mut at, mut comments) = (0, 0);
        while at + 1 < self.rows().len() && at < PREAMBLE {
            let comment = || self.is_leading_comment(at) || (comments > 0 && self.goes_on(at));
            if hashes && self.rows()[at].hash && comment() {
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

    /// Whether a line below a comment, with delimiters in it as a row has them, is one, too: a mark and
    /// a blank, and a header that is no comment below.
    fn goes_on(&self, at: usize) -> bool {
        let rows = self.rows();
        let next = (at + 1..rows.len()).find(|next| !rows[*next].hash);
        self.sample.text(&rows[at]).next().is_some_and(|text| text.starts_with(b"# "))
            && next.is_some_and(|next| self.looks_like_header(next))
    }

    fn is_preamble(&self, at: usize) -> bool {
        let (row, next) = (&self.rows()[at], &self.rows()[at + 1]);
        let filled = self.sample.filled(row);
        if self.width < 2 || row.width == 0 {
            return false;
        }
        if row.width == 1 {
            // A word alone is a title only if it is set off, or a header follows; it may as well name
            // a column, and one with other marks in it several.
            let title = |text: &[u8]| {
                let marks = text.iter().any(|b| matches!(b, b',' | b';' | b'|' | b'\t'));
                (text.contains(&b' ') && !self.names_columns(text))
                    || (!marks && (next.blank_before || next.width == 1))
                    || (!marks && (self.is_certain_header(at + 1) || self.is_over_texts(at)))
            };
            return self.sample.classes(row).all(Class::is_text)
                && self.sample.text(row).all(title);
        }
        if self.is_block(at) || self.is_control(at) {
            return true;
        }
        let header = || {
            let last = self.rows().len().min(at + PREAMBLE);
            let next = (at + 1..last).find(|next| self.rows()[*next].width == self.width);
            // A line alone may be a header that lacks a name.
            let before = at > 0 && !self.rows()[at - 1].hash;
            next.is_some_and(|next| {
                let several = before || next > at + 1 || self.rows()[next].blank_before;
                let sure = several || self.has_blanks(row);
                if sure { self.looks_like_header(next) } else { self.is_certain_header(next) }
            })
        };
        if row.width == 2 && self.width > 2 {
            return header()
                && !self.is_narrow_table(at)
                && self.is_short(at)
                && !self.is_in_table_of_two(at);
        }
        // A title in the first of the cells of a spreadsheet, or one with commas in it.
        let title = filled <= 1 && self.is_padded_title(at);
        row.width == self.width && (title || self.is_prose(at))
    }

    /// Whether the first line is one of values for whoever takes the file in, of another width than the table
    /// (the kind of file, its version, when it was made), right above a header.
    fn is_control(&self, at: usize) -> bool {
        let (row, next) = (&self.rows()[at], &self.rows()[at + 1]);
        at == 0
            && row.width > 2
            && row.width != self.width
            && next.width == self.width
            && self.sample.classes(row).any(Class::is_value)
            && self.is_certain_header(at + 1)
            && self.votes(at + 1).header > 1
    }

    /// Whether a text holds as many names as there are columns, with another mark between them.
    fn names_columns(&self, text: &[u8]) -> bool {
        let marks = |mark: u8| {
            let names = text.windows(2).filter(|pair| pair[0] == mark && pair[1] != b' ');
            names.count()
        };
        self.width > 2
            && [b',', b';', b'|', b'\t'].into_iter().any(|mark| marks(mark) + 1 == self.width)
    }

    /// Whether a row of one cell is one of values, with another mark between them.
    pub(super) fn has_another_delimiter(&self, row: &SampleRow) -> bool {
        let text = self.sample.text(row).next().filter(|_| row.width == 1).unwrap_or_default();
        self.width > 2
            && [b',', b';', b'|', b'\t'].into_iter().any(|mark| {
                let pieces = || text.split(|byte| *byte == mark);
                pieces().count() >= self.width && pieces().any(|piece| class(piece).is_value())
            })
    }

    /// Whether what follows a single word are texts of three columns or more, in every row: it names
    /// none of them.
    fn is_over_texts(&self, at: usize) -> bool {
        let below = &self.rows()[at + 1..];
        let texts = |row: &SampleRow| row.width == self.width && !self.has_blanks(row);
        self.width > 2
            && below.len() > 1
            && below.iter().take(PREAMBLE).all(texts)
            && self.looks_like_header(at + 1)
    }

    /// Whether a few lines, set off from a header by a blank line, form no table themselves.
    fn is_block(&self, at: usize) -> bool {
        let rows = self.rows();
        let next = (at + 1..rows.len().min(at + 6)).find(|next| rows[*next].blank_before);
        next.is_some_and(|next| {
            let block = &rows[at..next];
            let ragged = block.iter().any(|row| row.width != block[0].width);
            let like_rows = |row: &SampleRow| row.width > self.width || self.is_like(row, next);
            !block.iter().any(like_rows)
                && (block.len() == 1 || ragged)
                && self.is_certain_header(next)
        })
    }

    /// Whether a row is the header that stands at `header` as well, or holds values as the rows below it do.
    fn is_like(&self, row: &SampleRow, header: usize) -> bool {
        let below = self.sample.column_classes(header + 1, self.width);
        let value = |(class, column): (Class, ColumnClass)| {
            (class == Class::Number && column == ColumnClass::Number)
                || (class == Class::Temporal && column == ColumnClass::Temporal)
        };
        row.width == self.width
            && (self.sample.text(row).eq(self.sample.text(&self.rows()[header]))
                || self.sample.classes(row).zip(below).any(value))
    }

    /// Whether rows of two cells that follow one another are few enough for notes.
    fn is_short(&self, at: usize) -> bool {
        let notes = |row: &&SampleRow| row.width == 2;
        let before = self.rows()[..at].iter().rev().take_while(notes).count();
        before + self.rows()[at..].iter().take_while(notes).count() <= NOTES
    }

    /// Whether the rows of two cells around a row are a table.
    fn is_in_table_of_two(&self, at: usize) -> bool {
        let rows = self.rows();
        let two = |row: &&SampleRow| row.width == 2;
        let before = rows[..at].iter().rev().take_while(two).count();
        let after = rows[at..].iter().take_while(two).count();
        self.has_table_of_two(&rows[at - before..at + after])
    }

    /// Whether rows of two cells that follow one another are a header and what it names.
    fn is_narrow_table(&self, at: usize) -> bool {
        let rows = self.rows()[at..].iter().take_while(|row| row.width == 2).count();
        let votes = self.votes(at);
        rows > 2 && votes.header > 0 && votes.data == 0
    }

    /// Whether a row is a sentence with delimiters in it: blanks follow them as nowhere below, and a
    /// header follows, perhaps below lines of one text.
    fn is_prose(&self, at: usize) -> bool {
        let rows = self.rows();
        let mut below = rows.iter().skip(at + 1).take(PREAMBLE);
        let next = (at + 1..rows.len()).find(|next| rows[*next].width != 1);
        self.has_blanks(&rows[at])
            && !below.any(|row| self.has_blanks(row))
            && next.is_some_and(|next| match rows[next].blank_before {
                true => self.looks_like_header(next),
                false => self.is_certain_header(next),
            })
    }

    /// Whether a blank follows a delimiter.
    fn has_blanks(&self, row: &SampleRow) -> bool {
        self.sample.text(row).skip(1).any(|text| text.starts_with(b" "))
    }

    /// Whether a row with little in its cells is followed by others like it, if at all, and a header.
    fn is_padded_title(&self, at: usize) -> bool {
        let rest = self.rows().iter().enumerate().skip(at + 1).take(PREAMBLE);
        let mut rest = rest.skip_while(|(_, row)| self.sample.filled(row) <= 1);
        // One of two cells is empty in a row, too.
        rest.next().is_some_and(|(next, _)| match self.width {
            2 => self.is_certain_header(next),
            _ => self.looks_like_header(next),
        })
    }
}
