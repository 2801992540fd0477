//! What is known of a table besides its sheet: the columns that the definition names, and those of the file
//! before.

use std::collections::VecDeque;
use std::ops::Range;

use super::super::{Hints, known};
use super::above;
use super::columns;
use super::sheet_row::SheetRow;
use crate::catalog::Field;

/// Names of the definition that a row has at least by which a sheet is told from others: one alone may be
/// a word of a cover.
const NAMES: usize = 2;

/// What is known.
pub(super) struct Known {
    /// The hash over the names of the columns of the file before.
    before: Option<String>,
    fields: Vec<Field>,
}

impl Known {
    pub(super) fn of(hints: Hints<'_>) -> Self {
        let before = hints.expected.and_then(|expected| expected.header.clone());
        Self { before, fields: hints.fields.to_vec() }
    }

    /// The row that is known to be the header, and why. `found`: the rows that seem to be it. If their names
    /// are known, they are: a word of a name may stand above them, too.
    pub(super) fn header(
        &self,
        rows: &VecDeque<SheetRow>,
        found: &Range<usize>,
    ) -> Option<(usize, &'static str)> {
        if self.fields.is_empty() && self.before.is_none() {
            return None;
        }
        if !found.is_empty()
            && let Some(why) = self.recognises(rows, found.clone())
        {
            return (found.len() == 1).then_some((found.start, why));
        }
        let most = rows.len().min(above::MOST);
        (0..most).find_map(|at| Some((at, self.recognises(rows, at..at + 1)?)))
    }

    fn recognises(&self, rows: &VecDeque<SheetRow>, at: Range<usize>) -> Option<&'static str> {
        let header: Vec<&SheetRow> = rows.range(at.clone()).collect();
        let why = |names: Vec<String>| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            known::recognises(&names, self.before.as_deref(), &self.fields)
        };
        let alone = why(columns::named(&header, [].into_iter()));
        // Those of the file before may have come from its rows.
        let of_rows = || why(columns::named(&header, rows.range(at.end..)));
        alone.or_else(|| self.before.as_ref().and_then(|_| of_rows()))
    }

    /// Whether a sheet could be told by its columns.
    pub(super) fn tells_sheets(&self) -> bool {
        self.fields.len() >= NAMES
    }

    /// Whether one of the first rows names the columns of the definition.
    pub(super) fn is_defined(&self, rows: &VecDeque<SheetRow>) -> bool {
        rows.iter().take(above::MOST).any(|row| {
            let names = columns::named(&[row], [].into_iter());
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            known::recognises(&names, None, &self.fields).is_some()
                && known::defined(&names, &self.fields) >= NAMES
        })
    }
}
