//! What is known of a table besides its rows: the columns that the definition or the file itself names, and
//! how the file before was written.

use super::directive;
use super::sample::{PREAMBLE, Sample, SampleRow};
use crate::catalog::Field;
use crate::format::{Expected, Hints, known};

/// How far the delimiter of the file before is preferred.
const EXPECTED: f64 = 1.3;
/// How far a delimiter is preferred under which a header is read that is known.
const HEADED: f64 = 2.0;

/// What is known.
#[derive(Clone, Copy, Default)]
pub(super) struct Known<'a> {
    expected: Option<&'a Expected>,
    fields: &'a [Field],
}

impl<'a> Known<'a> {
    pub(super) fn of(hints: Hints<'a>) -> Self {
        Self { expected: hints.expected, fields: hints.fields }
    }

    /// The first row that is known to be the header, and why.
    pub(super) fn header(&self, sample: &Sample) -> Option<(usize, &'static str)> {
        if let Some(at) = directive::header(sample) {
            return Some((at, "the line #Fields: names the columns"));
        }
        if self.fields.is_empty() && self.expected.is_none_or(|known| known.header.is_none()) {
            return None;
        }
        let rows = sample.rows.iter().take(PREAMBLE).enumerate();
        let mut found = rows.filter_map(|(at, row)| Some((at, self.recognises(sample, row)?)));
        found.next()
    }

    fn recognises(&self, sample: &Sample, row: &SampleRow) -> Option<&'static str> {
        if row.width == 0 {
            return None;
        }
        let cells: Option<Vec<&str>> =
            sample.text(row).map(|cell| std::str::from_utf8(cell).ok()).collect();
        let before = self.expected.and_then(|expected| expected.header.as_deref());
        known::recognises(&cells?, before, self.fields)
    }

    /// How far a delimiter is preferred for what is known.
    pub(super) fn prefers(&self, delimiter: &str, sample: &Sample) -> f64 {
        let before = self.expected.and_then(|expected| expected.delimiter.as_deref());
        let expected = if before == Some(delimiter) { EXPECTED } else { 1.0 };
        let headed = sample.width() > 1 && self.header(sample).is_some();
        expected * if headed { HEADED } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::catalog::Format;
    use crate::format::{Detected, Limits, Shape, open};

    fn opened(text: &str, hints: Hints<'_>) -> Detected {
        let text = text.to_owned();
        open(Cursor::new(text), hints, &Format::default(), Limits::default()).unwrap().1
    }

    fn fields(names: &[&str]) -> Vec<Field> {
        names.iter().map(|name| Field { column: (*name).to_owned(), ..Field::default() }).collect()
    }

    #[test]
    fn a_table_that_could_be_read_in_two_ways_is_read_as_the_file_before() {
        let before = opened("a;b\n1,5;2,5\n3,5;4,5\n", Hints::default());
        assert_eq!(before.columns, ["a", "b"]);
        let today = "a;b\nx,y;z\n1,2;3\n";
        let alone = opened("x,y;z\n1,2;3\n", Hints::default());
        assert_eq!(alone.columns.len(), 2);
        let expected = Shape::of(&before).expected();
        let hints = Hints { expected: Some(&expected), ..Hints::default() };
        let detected = opened(today, hints);
        assert_eq!(detected.dialect.unwrap().delimiter, ";");
        assert!(detected.has_header);
        // What is there counts for more than what was.
        let changed = opened("a,b\n1,x\n2,y\n3,z\n", hints);
        assert_eq!(changed.dialect.unwrap().delimiter, ",");
    }

    #[test]
    fn a_header_of_numbers_is_one_if_that_of_the_file_before_was_the_same() {
        let before = opened("sku,2024,2025\nx1,many,few\nx2,few,none\n", Hints::default());
        assert!(before.has_header, "{:?}", before.evidence);
        let text = "sku,2024,2025\nx1,10,3\n7,2100,2\n";
        let expected = Shape::of(&before).expected();
        let hints = Hints { expected: Some(&expected), ..Hints::default() };
        let detected = opened(text, hints);
        assert_eq!(detected.columns, ["sku", "2024", "2025"], "{:?}", detected.evidence);
    }

    #[test]
    fn the_columns_that_the_definition_names_show_where_the_header_is() {
        // All is text, and the title has as many cells as the table.
        let text = "Contacts, all of them\nname,city\nAnn,Rome\nBob,Oslo\n";
        let fields = fields(&["Name", "City"]);
        let detected = opened(text, Hints { fields: &fields, ..Hints::default() });
        assert_eq!(detected.columns, ["name", "city"], "{:?}", detected.evidence);

        // A column that went, and one that came.
        let text = "id,name,phone,note\n1,a,2,x\n";
        let fields = super::tests::fields(&["id", "name", "phone", "mail"]);
        let detected = opened(text, Hints { fields: &fields, ..Hints::default() });
        assert!(detected.has_header);
    }

    #[test]
    fn a_header_is_none_where_the_definition_says_so() {
        let fields = fields(&["column_1"]);
        let settings = Format { header: Some(false), ..Format::default() };
        let hints = Hints { fields: &fields, ..Hints::default() };
        let text = Cursor::new("column_1,b\n1,2\n");
        let detected = open(text, hints, &settings, Limits::default()).unwrap().1;
        assert!(!detected.has_header);
    }
}
