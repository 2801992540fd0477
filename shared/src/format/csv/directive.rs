//! Logs in the extended format of the W3C (<https://www.w3.org/TR/WD-logfile.html>), as web servers and
//! CloudFront write them: lines that begin with `#` are directives, and `#Fields:` names the columns of the
//! rows below it, with blanks between the names whatever is between the cells.

use super::sample::{Sample, SampleRow};

const FIELDS: &[u8] = b"#Fields:";

/// What is between the cells, if the first row has as many as the directives above it name.
pub(super) fn delimiter(bytes: &[u8]) -> Option<&'static str> {
    let mut lines =
        bytes.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !line.is_empty());
    let mut columns = None;
    let row = loop {
        let line = lines.next()?;
        if !line.starts_with(b"#") {
            break line;
        }
        columns = named(line.split(u8::is_ascii_whitespace)).map(|names| names.len()).or(columns);
    };
    let columns = columns?;
    let cells = |delimiter: &&str| row.split(|byte| delimiter.as_bytes() == [*byte]).count();
    ["\t", " "].into_iter().find(|delimiter| cells(delimiter) == columns)
}

/// The row that names the columns, if as many as the rows below it have.
pub(super) fn header(sample: &Sample) -> Option<usize> {
    let directives = sample.rows.iter().take_while(|row| row.hash).count();
    let at = (0..directives).rev().find(|at| names(sample, &sample.rows[*at]).is_some())?;
    let width = names(sample, &sample.rows[at])?.len();
    sample.rows.get(directives).is_none_or(|row| row.width == width).then_some(at)
}

/// The names in a row that is such a directive.
pub(super) fn names(sample: &Sample, row: &SampleRow) -> Option<Vec<String>> {
    let words = sample.text(row).flat_map(|cell| cell.split(u8::is_ascii_whitespace));
    if row.hash { named(words) } else { None }
}

fn named<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> Option<Vec<String>> {
    if !words.next()?.eq_ignore_ascii_case(FIELDS) {
        return None;
    }
    let names = words.filter(|word| !word.is_empty()).map(|word| str::from_utf8(word).ok());
    let names: Option<Vec<String>> = names.map(|name| name.map(str::to_owned)).collect();
    names.filter(|names| names.len() > 1)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use crate::catalog::Format;
    use crate::format::{Detected, Hints, Limits, open};

    fn read(text: &str) -> (Detected, Vec<Vec<String>>, Vec<String>) {
        let text = Cursor::new(text.to_owned());
        let (mut rows, detected) =
            open(text, Hints::default(), &Format::default(), Limits::default()).unwrap();
        let mut seen = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            assert_eq!(row.fault(), None);
            seen.push(row.cells().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect());
        }
        (detected, seen, rows.remarks())
    }

    #[test]
    fn a_log_of_a_web_server_has_the_columns_that_its_directive_names() {
        let agent = "Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64)";
        let head = "#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n\
            #Date: 2026-05-01 00:00:01\r\n#Fields: date time c-ip cs(User-Agent) sc-status\r\n";
        let row = |second: u32| format!("2026-05-01 00:00:0{second} 10.0.0.9 {agent} 200\r\n");
        for rows in 0..4 {
            let mut text = head.to_owned();
            text.extend((0..rows).map(row));
            // A server that starts anew says it all again.
            text.push_str(head);
            text.extend((rows..2 * rows).map(row));
            let (detected, seen, _) = read(&text);
            let names = ["date", "time", "c-ip", "cs(User-Agent)", "sc-status"];
            assert_eq!(detected.columns, names, "{text}\n{:?}", detected.evidence);
            assert_eq!(seen.len() as u32, 2 * rows, "{text}\n{:?}", detected.evidence);
            for (row, second) in seen.iter().zip(0..) {
                let time = format!("00:00:0{second}");
                assert_eq!(row[..], ["2026-05-01", &time, "10.0.0.9", agent, "200"]);
            }
        }
    }

    #[test]
    fn a_log_of_cloudfront_has_tabs_between_its_cells_and_none_between_its_names() {
        let text = "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes\n\
            2026-12-04\t21:02:31\tLAX1\t392\n2026-12-04\t21:02:32\tFRA 2\t-\n";
        let (detected, seen, _) = read(text);
        assert_eq!(detected.columns, ["date", "time", "x-edge-location", "sc-bytes"]);
        assert_eq!(seen[1], ["2026-12-04", "21:02:32", "FRA 2", "-"]);
        assert_eq!(seen.len(), 2);
    }

    #[test]
    fn a_directive_that_names_other_columns_names_none() {
        let (detected, seen, _) = read("#Fields: a b c\n1\t2\n3\t4\n5\t6\n");
        assert_eq!(detected.columns, ["column_1", "column_2"]);
        assert_eq!(seen.len(), 3);
    }
}
