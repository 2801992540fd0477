//! The content of an ods spreadsheet: cells and rows may say that they are repeated.

use quick_xml::events::BytesStart;

use super::xml::{Seen, walk};
use super::{Measured, Problem};

/// Bytes of a cell in a list of them, with its formula.
const CELL: u64 = 48;
/// Rows and columns of a sheet at most: more are cut off.
const ROWS: u64 = 1 << 20;
const COLUMNS: u64 = 1 << 14;

/// One sheet as it is read.
#[derive(Default)]
struct Sheet {
    /// Rows up to the last with a value, repeated ones too.
    rows: u64,
    blank_rows: u64,
    columns: u64,
    /// Bytes of texts in all cells.
    texts: u64,
    /// Cells as they are written.
    cells: u64,
    row: Row,
}

#[derive(Default)]
struct Row {
    repeats: u64,
    columns: u64,
    blank: u64,
    texts: u64,
    /// Bytes of the current cell, and how often it is repeated.
    text: u64,
    cell_repeats: u64,
}

impl Sheet {
    fn end_cell(&mut self) {
        let row = &mut self.row;
        let repeats = row.cell_repeats.min(COLUMNS);
        if row.text == 0 {
            row.blank = row.blank.saturating_add(repeats).min(COLUMNS);
        } else {
            row.columns = (row.columns + std::mem::take(&mut row.blank) + repeats).min(COLUMNS);
            row.texts = row.texts.saturating_add(row.text.saturating_mul(repeats));
        }
    }

    fn end_row(&mut self) {
        let row = std::mem::take(&mut self.row);
        let repeats = row.repeats.min(ROWS);
        if row.columns == 0 {
            self.blank_rows = (self.blank_rows + repeats).min(ROWS);
            return;
        }
        self.rows = (self.rows + std::mem::take(&mut self.blank_rows) + repeats).min(ROWS);
        self.columns = self.columns.max(row.columns);
        self.cells = self.cells.saturating_add(row.columns);
        self.texts = self.texts.saturating_add(row.texts.saturating_mul(repeats));
    }

    fn bytes(&self) -> u64 {
        (self.rows * self.columns + self.cells) * CELL + self.texts.saturating_mul(2)
    }
}

/// Bytes that all sheets take, and a second time the largest of them, which is copied to be read.
pub(super) fn bytes(member: &mut Measured<'_>, most: u64) -> Result<u64, Problem> {
    let (mut sum, mut largest) = (0u64, 0);
    let mut sheet = Sheet::default();
    // The elements that are open, by what they are.
    let mut open: Vec<Element> = Vec::new();
    // Office, body, spreadsheet, table, row, cell.
    walk(member.bounded(most), 6, |seen, _| {
        match seen {
            Seen::Begins(tag) => {
                let element = Element::of(tag);
                match element {
                    Element::Table => sheet = Sheet::default(),
                    Element::Row => {
                        sheet.row =
                            Row { repeats: number(tag, "number-rows-repeated"), ..Row::default() };
                    }
                    Element::Cell => {
                        sheet.row.cell_repeats = number(tag, "number-columns-repeated");
                        sheet.row.text = value(tag);
                    }
                    // What is in a cell is its text; spaces may say that they are repeated.
                    Element::Other if open.contains(&Element::Cell) => {
                        let spaces = number(tag, "c").max(1);
                        sheet.row.text = sheet.row.text.saturating_add(spaces);
                    }
                    Element::Other => {}
                }
                if open.len() < 256 {
                    open.push(element);
                } else {
                    return Err(Problem::Damaged("it is nested too deeply".to_owned()));
                }
            }
            Seen::Ends => match open.pop() {
                Some(Element::Cell) => sheet.end_cell(),
                Some(Element::Row) => sheet.end_row(),
                Some(Element::Table) => {
                    let bytes = sheet.bytes();
                    sum = sum.saturating_add(bytes);
                    largest = largest.max(bytes);
                }
                _ => {}
            },
            Seen::Text(bytes) => {
                if open.contains(&Element::Cell) {
                    sheet.row.text = sheet.row.text.saturating_add(bytes);
                }
            }
        }
        Ok(())
    })?;
    Ok(sum.saturating_add(largest))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Element {
    Table,
    Row,
    Cell,
    Other,
}

impl Element {
    fn of(tag: &BytesStart<'_>) -> Self {
        match AsRef::<[u8]>::as_ref(tag.local_name().as_ref()) {
            b"table" => Self::Table,
            b"table-row" => Self::Row,
            b"table-cell" | b"covered-table-cell" => Self::Cell,
            _ => Self::Other,
        }
    }
}

fn number(tag: &BytesStart<'_>, name: &str) -> u64 {
    let found = tag.attributes().with_checks(false).flatten().find(|attribute| {
        AsRef::<[u8]>::as_ref(attribute.key.local_name().as_ref()) == name.as_bytes()
    });
    let digits = found.and_then(|found| {
        let digits: &[u8] = AsRef::<[u8]>::as_ref(&*found.value);
        std::str::from_utf8(digits).ok().map(str::to_owned)
    });
    match digits {
        None => 1,
        // What is no number is an error of its reader.
        Some(digits) => digits.trim().parse().unwrap_or(u64::MAX),
    }
}

/// Bytes of the attributes that hold a value or a formula; none: the text of the cell is its value.
fn value(tag: &BytesStart<'_>) -> u64 {
    tag.attributes()
        .with_checks(false)
        .flatten()
        .filter(|attribute| {
            let name = attribute.key.local_name();
            let name: &[u8] = AsRef::<[u8]>::as_ref(name.as_ref());
            name == b"formula" || name.ends_with(b"value")
        })
        .map(|attribute| AsRef::<[u8]>::as_ref(&*attribute.value).len() as u64 + 1)
        .sum()
}
