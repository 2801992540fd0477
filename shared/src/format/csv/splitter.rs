//! One row of any dialect: delimiters of several bytes, other quotes, backslashes.
//!
//! This is the definition of what a row means; the [`Index`](super::index) only finds the plain ones
//! faster. By hand, because no crate splits at delimiters of two characters, and none says that text
//! follows a closing quote: `csv-core` reads on, and the row comes out bent. Where there is nothing
//! to say, rows are those of `csv-core`; a test compares the two.

use memchr::{memchr, memchr2, memchr3};

use super::dialect::{Dialect, Escape};
use crate::format::row::Span;

/// Splits rows into cells, which it copies without their quotes and escapes.
pub(super) struct Splitter {
    delimiter: Vec<u8>,
    quote: Option<u8>,
    /// Escapes within quotes.
    escape: Option<u8>,
    /// Escapes outside of quotes, too.
    everywhere: bool,
    max_columns: usize,
    output: Vec<u8>,
    spans: Vec<Span>,
    quoted: Vec<bool>,
}

/// What one row came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A row of so many bytes, without its line end.
    Row(usize),
    /// The row does not end in the bytes.
    More,
    /// The file ends within a quoted cell.
    Open,
    /// Text follows a closing quote. Taken as a part of its cell, the row has so many bytes.
    Stray(usize),
    /// More cells than there may be.
    TooWide,
}

enum End {
    Delimiter(usize),
    Line(usize),
    More,
}

enum Quoted {
    Closed(usize),
    Open,
    More,
}

impl Splitter {
    pub(super) fn new(dialect: &Dialect, max_columns: usize) -> Self {
        let (escape, everywhere) = match dialect.escape {
            Escape::Doubled => (None, false),
            Escape::Quoted(escape) => (u8::try_from(escape).ok(), false),
            Escape::Everywhere(escape) => (u8::try_from(escape).ok(), true),
        };
        Self {
            delimiter: dialect.delimiter.as_bytes().to_vec(),
            quote: dialect.quote.and_then(|quote| u8::try_from(quote).ok()),
            escape,
            everywhere,
            max_columns,
            output: Vec::new(),
            spans: Vec::new(),
            quoted: Vec::new(),
        }
    }

    /// The text of the cells of the row that was split last.
    pub(super) fn output(&self) -> &[u8] {
        &self.output
    }

    /// Where its cells are in the output.
    pub(super) fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Its cells, and whether each was quoted.
    pub(super) fn cells(&self) -> impl Iterator<Item = (&[u8], bool)> {
        let text = |span: &Span| &self.output[span.start as usize..span.end as usize];
        self.spans.iter().map(text).zip(self.quoted.iter().copied())
    }

    /// Whether a plain cell of it holds a quote, which may be one that lost its partner.
    pub(super) fn has_loose_quote(&self) -> bool {
        let Some(quote) = self.quote else { return false };
        self.cells().any(|(text, quoted)| !quoted && memchr(quote, text).is_some())
    }

    /// Splits the row at the beginning of `bytes`; `ended`: nothing follows them.
    pub(super) fn row(&mut self, bytes: &[u8], ended: bool) -> Found {
        self.output.clear();
        self.spans.clear();
        self.quoted.clear();
        let (mut at, mut stray) = (0, false);
        loop {
            if at == bytes.len() && !ended {
                return Found::More;
            }
            if self.spans.len() == self.max_columns {
                return Found::TooWide;
            }
            let start = self.output.len();
            let quoted = self.quote.is_some() && bytes.get(at).copied() == self.quote;
            if quoted {
                match self.quoted(bytes, at + 1, ended) {
                    Quoted::Closed(next) => at = next,
                    Quoted::Open => return Found::Open,
                    Quoted::More => return Found::More,
                }
            }
            let closed = self.output.len();
            let end = self.plain(bytes, at, ended);
            stray |= quoted && !self.output[closed..].trim_ascii().is_empty();
            let span = Span { start: start as u32, end: self.output.len() as u32 };
            self.spans.push(span);
            self.quoted.push(quoted);
            match end {
                End::Delimiter(next) => at = next,
                End::Line(end) if stray => return Found::Stray(end),
                End::Line(end) => return Found::Row(end),
                End::More => return Found::More,
            }
        }
    }

    /// Copies a quoted cell from behind its first quote.
    fn quoted(&mut self, bytes: &[u8], at: usize, ended: bool) -> Quoted {
        let Some(quote) = self.quote else { return Quoted::Closed(at) };
        let escape = self.escape.unwrap_or(quote);
        let (mut from, mut look) = (at, at);
        loop {
            let rest = &bytes[look..];
            let found = match escape == quote {
                true => memchr(quote, rest),
                false => memchr2(quote, escape, rest),
            };
            let Some(place) = found.map(|place| look + place) else {
                return if ended { Quoted::Open } else { Quoted::More };
            };
            let next = bytes.get(place + 1).copied();
            if next.is_none() && !ended {
                return Quoted::More;
            }
            let escapes = match bytes[place] == quote {
                // A doubled quote is one whatever else escapes.
                true => next == Some(quote),
                false => next == Some(quote) || next == Some(escape),
            };
            if escapes {
                self.output.extend_from_slice(&bytes[from..place]);
                (from, look) = (place + 1, place + 2);
            } else if bytes[place] == quote {
                self.output.extend_from_slice(&bytes[from..place]);
                return Quoted::Closed(place + 1);
            } else {
                look = place + 1;
            }
        }
    }

    /// Copies text up to the delimiter or line end.
    fn plain(&mut self, bytes: &[u8], at: usize, ended: bool) -> End {
        let first = self.delimiter.first().copied().unwrap_or(b'\n');
        let escape = self.escape.filter(|_| self.everywhere);
        let (mut from, mut look) = (at, at);
        loop {
            let rest = &bytes[look..];
            let found = match escape {
                None => memchr3(first, b'\n', b'\r', rest),
                Some(escape) => rest.iter().position(|byte| {
                    *byte == first || *byte == escape || matches!(byte, b'\n' | b'\r')
                }),
            };
            let Some(place) = found.map(|place| look + place) else {
                self.output.extend_from_slice(&bytes[from..]);
                return if ended { End::Line(bytes.len()) } else { End::More };
            };
            let byte = bytes[place];
            if matches!(byte, b'\n' | b'\r') {
                self.output.extend_from_slice(&bytes[from..place]);
                return End::Line(place);
            }
            if Some(byte) == escape {
                let next = bytes.get(place + 1).copied();
                if bytes.len() < place + 3 && !ended {
                    return End::More;
                }
                let special = |next| {
                    matches!(next, b'\n' | b'\r')
                        || next == first
                        || next == byte
                        || Some(next) == self.quote
                };
                look = place + 1;
                if next.is_some_and(special) {
                    self.output.extend_from_slice(&bytes[from..place]);
                    let crlf = next == Some(b'\r') && bytes.get(place + 2) == Some(&b'\n');
                    (from, look) = (place + 1, place + 2 + usize::from(crlf));
                }
                continue;
            }
            let rest = &bytes[place..];
            if rest.starts_with(&self.delimiter) {
                self.output.extend_from_slice(&bytes[from..place]);
                return End::Delimiter(place + self.delimiter.len());
            }
            if !ended && self.delimiter.starts_with(rest) {
                return End::More;
            }
            look = place + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(dialect: &Dialect, text: &str) -> (Found, Vec<String>) {
        let mut splitter = Splitter::new(dialect, 100);
        let found = splitter.row(text.as_bytes(), true);
        let text = |cell: (&[u8], bool)| String::from_utf8_lossy(cell.0).into_owned();
        (found, splitter.cells().map(text).collect())
    }

    fn dialect(delimiter: &str, quote: Option<char>, escape: Escape) -> Dialect {
        Dialect { delimiter: delimiter.to_owned(), quote, escape, ..Dialect::default() }
    }

    #[test]
    fn rows_of_all_dialects() {
        let backslash = Escape::Quoted('\\');
        let anywhere = Escape::Everywhere('\\');
        for (delimiter, quote, escape, text, cells) in [
            ("||", Some('"'), Escape::Doubled, "a||\"b||c\"|||d\n", &["a", "b||c", "|d"][..]),
            (", ", Some('"'), Escape::Doubled, "a,b, \"c, d\", \"\"", &["a,b", "c, d", ""]),
            ("~|", Some('\''), Escape::Doubled, "'it''s'~|~x|y", &["it's", "~x|y"]),
            (
                ",",
                Some('"'),
                backslash,
                "\"a\\\"b\\\\\",\"c\\n\"\"d\",e\\,f",
                &["a\"b\\", "c\\n\"d", "e\\", "f"],
            ),
            (
                ",",
                Some('"'),
                anywhere,
                "a\\,b,\\N,c\\\r\nd\\\\,\\\"e",
                &["a,b", "\\N", "c\r\nd\\", "\"e"],
            ),
            ("\t", None, Escape::Doubled, "\"a\t\"b\"\n", &["\"a", "\"b\""]),
            (" ", Some('"'), Escape::Doubled, "a  \"b c\"", &["a", "", "b c"]),
        ] {
            let (found, seen) = split(&dialect(delimiter, quote, escape), text);
            assert_eq!(seen, cells, "{text}");
            assert!(matches!(found, Found::Row(_)), "{text}: {found:?}");
        }
    }

    /// What `csv-core` alone makes of the bytes.
    fn reference(bytes: &[u8]) -> Vec<Vec<Vec<u8>>> {
        let mut parser = csv_core::Reader::new();
        let mut output = vec![0; bytes.len() + 1];
        let mut ends = vec![0; bytes.len() + 2];
        let (mut at, mut written, mut ended) = (0, 0, 0);
        let mut rows = Vec::new();
        loop {
            let (result, read, out, n) =
                parser.read_record(&bytes[at..], &mut output[written..], &mut ends[ended..]);
            at += read;
            written += out;
            ended += n;
            match result {
                csv_core::ReadRecordResult::Record => {
                    let mut start = 0;
                    let mut row = Vec::new();
                    for end in &ends[..ended] {
                        row.push(output[start..*end].to_vec());
                        start = *end;
                    }
                    rows.push(row);
                    (written, ended) = (0, 0);
                }
                csv_core::ReadRecordResult::End => return rows,
                _ => {}
            }
        }
    }

    #[test]
    fn rows_are_those_of_csv_core() {
        let mut seed = 42_u64;
        let mut random = |limit: usize| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 33) as usize % limit
        };
        for alphabet in
            [&b"a,\"\n"[..], b"ab,,\"\"\n\r", b"aaaaaaaa,\n\"", b"a,\r\n", b"\",\"\"\r\na"]
        {
            for _ in 0..5_000 {
                let length = random(200);
                let bytes: Vec<u8> =
                    (0..length).map(|_| alphabet[random(alphabet.len())]).collect();
                let expected = reference(&bytes);
                let mut splitter = Splitter::new(&Dialect::default(), 1000);
                let (mut at, mut rows, mut open) = (0, Vec::new(), false);
                while at < bytes.len() {
                    if matches!(bytes[at], b'\n' | b'\r') {
                        at += 1;
                        continue;
                    }
                    match splitter.row(&bytes[at..], true) {
                        Found::Row(length) | Found::Stray(length) => at += length,
                        Found::Open => (at, open) = (bytes.len(), true),
                        other => panic!("{other:?}"),
                    }
                    rows.push(splitter.cells().map(|(text, _)| text.to_vec()).collect::<Vec<_>>());
                }
                assert_eq!(rows.len(), expected.len());
                let sound = rows.len() - usize::from(open);
                assert_eq!(
                    rows[..sound],
                    expected[..sound],
                    "{:?}",
                    String::from_utf8_lossy(&bytes)
                );
                // In an open quote a line end is text, so a row that follows it adds nothing.
                let followed = [&bytes[..], b"\nz"].concat();
                let swallowed =
                    reference(&followed).last().is_none_or(|row| row != &[b"z".to_vec()]);
                assert_eq!(open, swallowed, "{:?}", String::from_utf8_lossy(&bytes));
            }
        }
    }

    #[test]
    fn quotes_that_do_not_pair_are_said() {
        let plain = Dialect::default();
        assert_eq!(split(&plain, "1,\"say \"hi\" there\",x\n2").0, Found::Stray(20));
        assert_eq!(split(&plain, "1,\"a\nb\n").0, Found::Open);
        assert_eq!(split(&plain, "1,\"a\" ,b\n").0, Found::Row(8), "blanks are no text");
        let row = split(&plain, "1,5\" pipe\n");
        assert_eq!(row, (Found::Row(9), vec!["1".to_owned(), "5\" pipe".to_owned()]));
    }

    #[test]
    fn a_row_that_is_cut_anywhere_asks_for_more() {
        for dialect in [
            dialect("||", Some('"'), Escape::Everywhere('\\')),
            dialect(",", Some('"'), Escape::Quoted('\\')),
        ] {
            let mut splitter = Splitter::new(&dialect, 100);
            let row = b"a\\||b||\"c\"\"\\\"d\"||,\"e\"\n";
            for cut in 0..row.len() - 1 {
                assert_eq!(splitter.row(&row[..cut], false), Found::More, "{cut}");
            }
        }
    }
}
