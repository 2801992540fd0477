//! Whether a text is certainly a table of delimited cells, though its name says that it is something else.

use super::dialect;
use super::known::Known;
use super::sample::View;
use crate::catalog;
use crate::format::Limits;

/// Rows that it has to have.
const ROWS: usize = 3;

/// Whether every row of a sample has as many cells, two or more, and no line begins like JSON or XML.
/// `whole`: the sample is the whole text.
pub(in crate::format) fn is_table(sample: &[u8], whole: bool) -> bool {
    let mut lines = sample.split(|byte| matches!(byte, b'\n' | b'\r'));
    let other = |line: &[u8]| {
        matches!(line.trim_ascii_start().first(), Some(b'{' | b'}' | b'[' | b']' | b'<'))
    };
    if lines.any(other)
        || std::str::from_utf8(sample).is_err_and(|error| error.error_len().is_some())
    {
        return false;
    }
    let view = View { bytes: sample, whole, max_columns: Limits::default().max_columns };
    let found = dialect::detect(view, &catalog::Format::default(), None, Known::default()).sample;
    let (rows, width) = (found.rows.len(), found.width());
    rows >= ROWS && width > 1 && found.rows.iter().all(|row| row.width == width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_the_same_cells_everywhere_is_certainly_a_table() {
        assert!(is_table(b"id,name\n1,Ann\n2,Bob\n", true));
        assert!(is_table(b"id;name\n1;\"{x}\"\n2;Bob", true));
        for other in [
            &b"id,name\n1,Ann\n"[..],
            b"id,name\n1,Ann\n2\n",
            b"id\n1\n2\n3\n",
            b"# x, y\n{\"a\": 1, \"b\": 2}\n{\"a\": 1, \"b\": 2}\n",
            b"\"a\": 1,\n\"b\": 2,\n}",
            b"a,b\n1,\xff\n2,x\n",
            b"",
        ] {
            assert!(!is_table(other, true), "{}", other.escape_ascii());
        }
    }
}
