//! Rows that a test lists, as the readers of typed formats give them.

use std::sync::Arc;

use super::values::{Place, Values};
use super::{AnyReader, Form, FormatError, Head, Part, Position, Reader, Row, Rows};

/// One row of a test: which of the heads it has, and its cells as JSON, none for a column that it does
/// not have.
pub(crate) type Listed = (usize, Vec<String>);

struct List {
    heads: Vec<Arc<Head>>,
    rows: Vec<Listed>,
    next: usize,
    values: Values,
}

/// A head of JSON values.
pub(crate) fn head(number: u32, columns: &[&str], part: Option<Part>) -> Head {
    let columns = columns.iter().map(|column| (*column).to_owned()).collect();
    Head { number, columns, form: Form::Json, part: part.map(Arc::new) }
}

/// These rows.
pub(crate) fn rows(heads: Vec<Head>, rows: Vec<Listed>) -> Rows {
    let heads = heads.into_iter().map(Arc::new).collect();
    let list = List { heads, rows, next: 0, values: Values::default() };
    Rows::of(AnyReader::Other(Box::new(list)), None)
}

impl List {
    /// The place in `rows` of the current row; before it, of the first.
    fn current(&self) -> usize {
        self.next.saturating_sub(1)
    }
}

impl Reader for List {
    fn advance(&mut self) -> Result<bool, FormatError> {
        let Some((_, cells)) = self.rows.get(self.next) else { return Ok(false) };
        self.values.begin();
        for cell in cells {
            self.values.out().extend_from_slice(cell.as_bytes());
            self.values.end_cell();
        }
        self.values.end();
        self.next += 1;
        Ok(true)
    }

    fn row(&self) -> Row<'_> {
        let place = Place { number: self.next as u64, line: None, byte_offset: None };
        self.values.row(self.head(), place, None)
    }

    fn position(&self) -> Position {
        Position { byte_offset: 0, line: 0, row: self.next as u64, encoding: None }
    }

    fn head(&self) -> &Arc<Head> {
        &self.heads[self.rows.get(self.current()).map_or(0, |row| row.0)]
    }
}
