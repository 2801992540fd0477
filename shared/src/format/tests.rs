//! Rows from bytes: what a row is, what it is not, and that the way the bytes arrive changes
//! nothing.

use std::io::{self, Read, Write};

use flate2::write::GzEncoder;

use super::*;

/// Gives its bytes in pieces of a given size.
struct Pieces {
    bytes: Vec<u8>,
    at: usize,
    size: usize,
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.size.min(into.len()).min(self.bytes.len() - self.at);
        into[..n].copy_from_slice(&self.bytes[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

/// A row as a test looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    number: u64,
    line: u64,
    offset: u64,
    raw: Vec<u8>,
    cells: Vec<Vec<u8>>,
    fault: Option<RowFault>,
    after: Position,
}

fn settings() -> catalog::Format {
    catalog::Format::default()
}

fn headless() -> catalog::Format {
    catalog::Format { header: Some(false), delimiter: Some(",".to_owned()), ..settings() }
}

fn read_with(
    input: impl Read + Send + 'static,
    settings: &catalog::Format,
    limits: Limits,
) -> Result<(Vec<Seen>, Detected), FormatError> {
    let (mut rows, detected) = open(input, Hints::default(), settings, limits)?;
    Ok((rest(&mut rows)?, detected))
}

fn rest(rows: &mut Rows) -> Result<Vec<Seen>, FormatError> {
    let mut seen = Vec::new();
    while let Some(row) = rows.next()? {
        seen.push(Seen {
            number: row.number(),
            line: row.line().expect("a line"),
            offset: row.byte_offset().expect("a place"),
            raw: row.raw().to_vec(),
            cells: row.cells().map(<[u8]>::to_vec).collect(),
            fault: row.fault(),
            after: Position::default(),
        });
        let after = rows.position();
        if let Some(last) = seen.last_mut() {
            last.after = after;
        }
    }
    Ok(seen)
}

fn read(bytes: &[u8], settings: &catalog::Format) -> (Vec<Seen>, Detected) {
    read_with(io::Cursor::new(bytes.to_vec()), settings, Limits::default()).expect("readable")
}

fn error(bytes: &[u8]) -> FormatError {
    read_with(io::Cursor::new(bytes.to_vec()), &settings(), Limits::default()).expect_err("refused")
}

fn cells(row: &Seen) -> Vec<String> {
    row.cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("compresses")
}

#[test]
fn a_row_knows_its_number_line_offset_and_bytes() {
    let (rows, detected) = read(
        b"\xef\xbb\xbfid,note\r\n1,\"two\nlines\"\r\n\r\n2,\"say \"\"hi\"\"\"\r3,x",
        &settings(),
    );
    assert_eq!(detected.columns, ["id", "note"]);
    let facts: Vec<_> =
        rows.iter().map(|row| (row.number, row.line, row.offset, cells(row))).collect();
    let row = |id: &str, note: &str| vec![id.to_owned(), note.to_owned()];
    assert_eq!(
        facts,
        [
            (1, 2, 12, row("1", "two\nlines")),
            (2, 5, 29, row("2", "say \"hi\"")),
            (3, 6, 44, row("3", "x")),
        ]
    );
    assert_eq!(rows[1].raw, b"2,\"say \"\"hi\"\"\"");
    assert_eq!(rows[0].after, Position { byte_offset: 27, line: 4, row: 1, encoding: None });
    assert_eq!(rows[2].after, Position { byte_offset: 47, line: 6, row: 3, encoding: None });
}

#[test]
fn files_without_rows_have_none() {
    for bytes in [&b""[..], b"\xef\xbb\xbf", b"\n\r\n\r", b"a,b\n", b"a,b", b"\n\na,b\r\n\n"] {
        let (rows, detected) = read(bytes, &settings());
        assert!(rows.is_empty());
        let header = bytes.contains(&b'a');
        assert_eq!(detected.columns.len(), if header { 2 } else { 0 });
    }
}

#[test]
fn without_a_header_the_first_row_is_data() {
    let settings = catalog::Format { header: Some(false), ..settings() };
    let (mut rows, detected) = open(
        io::Cursor::new(&b"\n1;2;3\n4;5;6\n"[..]),
        Hints::default(),
        &settings,
        Limits::default(),
    )
    .expect("opens");
    assert_eq!(detected.columns, ["column_1", "column_2", "column_3"]);
    assert_eq!(detected.dialect.map(|dialect| dialect.delimiter).as_deref(), Some(";"));
    assert_eq!(rows.position(), Position { byte_offset: 1, line: 2, row: 0, encoding: None });
    let row = rows.next().expect("reads").expect("a row");
    assert_eq!((row.number(), row.line(), row.cell(0)), (1, Some(2), &b"1"[..]));
    assert_eq!(rows.position(), Position { byte_offset: 7, line: 3, row: 1, encoding: None });
}

#[test]
fn what_was_found_is_said_with_its_reasons() {
    let (_, detected) = read(&gzip(b"\xef\xbb\xbfa;a;\n1;2;3\n"), &settings());
    let json = serde_json::to_value(&detected).expect("serializes");
    let expected = serde_json::json!({
        "compression": "gzip", "archive": null, "encoding": "utf-8", "kind": "csv", "has_header": true,
        "dialect": {
            "delimiter": ";", "quote": "\"", "escape": "doubled", "comment": null,
            "skip_footer_lines": null, "header": "a;a;", "table_ends": null, "classes": ["number", "number", "number"],
        },
        "columns": ["a", "a_2", "column_3"],
        "evidence": [
            "compression gzip: the first bytes are 1f 8b",
            "encoding utf-8: the file begins with its byte order mark",
            "delimiter semicolon: 2 of 2 sampled rows have 3 cells (confidence 1.00)",
            "header: the first row, which differs from what stands below it in 2 columns (confidence 0.99)",
            "columns: 2 names were empty or repeated and were changed",
        ],
    });
    assert_eq!(json, expected);
}

#[test]
fn lines_before_the_header_are_passed_over() {
    let skip = |lines| catalog::Format { skip_lines: lines, ..settings() };
    let bytes = b"A \"title\r\n\rid;n\n1;2\n";
    let (rows, detected) = read(bytes, &skip(2));
    assert_eq!(detected.columns, ["id", "n"]);
    assert_eq!((rows.len(), rows[0].line, rows[0].offset), (1, 4, 16));
    let (rows, detected) = read(bytes, &skip(9));
    assert_eq!((rows.len(), detected.columns.len()), (0, 0));
    // Lines longer than the buffer.
    let mut long = vec![b'x'; 700_000];
    long.extend_from_slice(b"\na,b\n1,2\n");
    let (rows, detected) = read(&long, &skip(1));
    assert_eq!((detected.columns, rows[0].offset), (vec!["a".into(), "b".into()], 700_005));
}

#[test]
fn an_unclosed_quote_at_the_end_is_a_fault_and_not_a_row() {
    for (bytes, lines) in [
        (&b"a,b\n1,2\n3,\"x\ny\n"[..], 3),
        (b"a,b\n1,2\n\"3\"\"4\n", 2),
        (b"a,b\n1,2\n\"3\"x,\"4", 1),
        (b"a,b\n1,2\n\"", 1),
    ] {
        let (rows, _) = read(bytes, &headless());
        let last = rows.last().expect("the faulty row");
        assert_eq!(last.fault, Some(RowFault::UnterminatedQuote { lines }), "{last:?}");
        assert_eq!(last.raw, bytes[8..]);
        assert!(last.cells.is_empty());
        assert_eq!((rows.len(), last.line), (3, 3));
    }
    // A quote that closes at the end, and one within a plain cell, are none.
    for bytes in [&b"a,b\n1,\"2\""[..], b"a,b\n1,\"2\"\"\"", b"a,b\n1,2\"", b"a,b\n1,\"2\" "] {
        let (rows, _) = read(bytes, &headless());
        assert!(rows.iter().all(|row| row.fault.is_none() && row.cells.len() == 2), "{rows:?}");
    }
}

#[test]
fn limits_are_errors_that_name_them() {
    let read = |bytes: &[u8], limits| {
        read_with(io::Cursor::new(bytes.to_vec()), &headless(), limits).map(|(rows, _)| rows.len())
    };
    let limits = Limits { max_row_bytes: 100, max_columns: 5, ..Limits::default() };
    let row =
        |length: usize| [b"a,b\n".to_vec(), vec![b'x'; length], b"\r\nc,d\n".to_vec()].concat();
    assert_eq!(read(&row(100), limits).expect("just fits"), 3);
    for length in [101, 102, 103, 1000, 1_000_000] {
        let error = read(&row(length), limits).expect_err("too long");
        assert_eq!(error.code(), "row_too_long");
        assert!(error.to_string().contains("line 2 (byte 4)"), "{error}");
        assert!(error.to_string().contains("max_row_bytes = 100"), "{error}");
    }
    for bytes in [&b"1,2\n1,2,3,4,5\n"[..], b"1,2\n1,\"2\"\"\",3,4,5"] {
        assert_eq!(read(bytes, limits).expect("just fits"), 2);
    }
    for bytes in [&b"1,2\n1,2,3,4,5,6\n"[..], b"1,2\n1,\"2\"\"\",3,4,5,6", b"1,2\n\"\"\"\",,,,,\n"]
    {
        let error = read(bytes, limits).expect_err("too wide");
        assert!(error.to_string().contains("max_columns = 5"), "{error}");
    }
    let limits = Limits { max_expanded_bytes: Some(999), ..Limits::default() };
    let input = io::Cursor::new(gzip(&b"a,b\n".repeat(250)));
    let error = read_with(input, &headless(), limits).expect_err("expands to 1000 bytes");
    assert_eq!(error.code(), "expands_too_far");
    assert!(error.remedy().contains("max_expanded_bytes"), "{}", error.remedy());
    // A row longer than the buffer's first size is no error by itself.
    assert_eq!(read(&row(3_000_000), Limits::default()).expect("grows"), 3);
}

#[test]
fn other_files_are_refused_by_name() {
    assert_eq!(error(b"ORC\x0a").code(), "unsupported_format");
    assert_eq!(error(b"\xff\xfe\0\0a\0\0\0").code(), "unsupported_encoding");
    assert_eq!(error(&gzip(b"ORC\x0a")).code(), "unsupported_format");
    assert_eq!(error(&gzip(&gzip(b"a,b"))).code(), "compressed_twice");
    assert_eq!(error(b"a,\"b\n1,2\n").code(), "invalid_header");
    assert_eq!(error(b"caf\xff\xff,b\n1,2\n").code(), "invalid_header");
}

#[test]
fn gzip_is_known_by_its_bytes_and_read_to_its_end() {
    let one = gzip(b"a,b\n1,2\n");
    let two = gzip(b"3,4\n");
    let empty = gzip(b"");
    let (rows, detected) = read(&one, &settings());
    assert_eq!((rows.len(), detected.compression), (1, Compression::Gzip));
    for parts in [vec![&one, &two], vec![&empty, &one, &empty, &two, &empty]] {
        let bytes: Vec<u8> = parts.into_iter().flatten().copied().collect();
        assert_eq!(read(&bytes, &settings()).0.len(), 2);
        let padded = [bytes.clone(), vec![0; 100_000]].concat();
        assert_eq!(read(&padded, &settings()).0.len(), 2);
        for garbage in [&b"x"[..], b"\0\0x", b"a,b\n", b"\x1fx rest of a line, long enough"] {
            let error = error(&[&bytes[..], garbage].concat());
            assert_eq!(error.code(), "gzip_trailing_bytes", "{garbage:?}: {error}");
        }
    }
    assert!(read(&empty, &settings()).0.is_empty());
}

#[test]
fn every_cut_and_every_flipped_checksum_of_a_gzip_is_an_error() {
    let rows: String = (0..200).map(|n| format!("{n},{}\n", n * 7919 % 1000)).collect();
    let whole = [gzip(b"a,b\n1,2\n"), gzip(rows.as_bytes())].concat();
    let first = gzip(b"a,b\n1,2\n").len();
    for cut in 1..whole.len() {
        // A cut between two members leaves a whole file.
        if cut != first {
            assert_eq!(error(&whole[..cut]).code(), "gzip_truncated", "cut at {cut}");
        }
    }
    for at in whole.len() - 8..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        assert_eq!(error(&damaged).code(), "gzip_corrupt", "flipped at {at}");
    }
}

#[test]
fn an_input_that_fails_is_not_a_damaged_file() {
    struct Fails(Vec<u8>);
    impl Read for Fails {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was cut"));
            }
            let n = into.len().min(self.0.len());
            into[..n].copy_from_slice(&self.0[..n]);
            self.0.drain(..n);
            Ok(n)
        }
    }
    let compressed = gzip(b"a,b\n1,2\n");
    for bytes in [b"a,b\n1,2\n".to_vec(), compressed[..12].to_vec(), compressed[..5].to_vec()] {
        let error =
            read_with(Fails(bytes), &settings(), Limits::default()).expect_err("the input fails");
        assert_eq!(error.code(), "read_failed");
        assert!(error.to_string().contains("the connection was cut"), "{error}");
    }
}

#[test]
fn a_delimiter_that_cannot_be_one_is_refused() {
    for delimiter in ["\"", "\n", "\r", "", "a\""] {
        let settings = catalog::Format { delimiter: Some(delimiter.to_owned()), ..settings() };
        let error = read_with(io::Cursor::new(b"a".to_vec()), &settings, Limits::default());
        assert_eq!(error.expect_err("refused").code(), "invalid_dialect");
    }
}

/// Pseudo-random numbers with a seed, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % limit
    }

    fn text(&mut self, alphabet: &[u8], length: usize) -> Vec<u8> {
        (0..length).map(|_| alphabet[self.below(alphabet.len())]).collect()
    }
}

/// Reads with a buffer so small that rows are cut by its end.
fn read_small(bytes: &[u8]) -> (Vec<Seen>, Detected) {
    let limits = Limits { max_row_bytes: 301, ..Limits::default() };
    let settings = catalog::Format { encoding: Some(Encoding::UTF_8), ..headless() };
    read_with(io::Cursor::new(bytes.to_vec()), &settings, limits).expect("readable")
}

#[test]
fn places_are_those_of_the_bytes() {
    let mut random = Random(42);
    for alphabet in
        [&b"a,\"\n"[..], b"ab,,\"\"\n\r", b"aaaaaaaa,\n\"", b"a,\r\n", b"\",\"\"\r\na\xc3\xa9"]
    {
        for _ in 0..2_000 {
            let length = random.below(300);
            let bytes = random.text(alphabet, length);
            let (rows, _) = read_small(&bytes);
            check_places(&bytes, &rows);
        }
    }
}

/// Offsets and lines are those of the bytes, and nothing but line ends lies between rows.
fn check_places(bytes: &[u8], rows: &[Seen]) {
    let mut at = 0;
    for row in rows {
        let start = row.offset as usize;
        assert!(bytes[at..start].iter().all(|byte| matches!(byte, b'\r' | b'\n')));
        assert_eq!(&bytes[start..start + row.raw.len()], row.raw);
        let before = &bytes[..start];
        let line_ends = (0..before.len())
            .filter(|at| before[*at] == b'\n' || (before[*at] == b'\r' && bytes[at + 1] != b'\n'))
            .count();
        assert_eq!(row.line, line_ends as u64 + 1, "{:?}", String::from_utf8_lossy(bytes));
        at = start + row.raw.len();
        assert!(row.after.byte_offset as usize >= at);
    }
    assert!(bytes[at..].iter().all(|byte| matches!(byte, b'\r' | b'\n')));
}

#[test]
fn the_size_of_the_pieces_changes_nothing() {
    let mut random = Random(3);
    let limits = Limits { max_columns: 1 << 20, ..Limits::default() };
    for round in 0..2 {
        // Rows of all lengths, some of them longer than the buffer's first size.
        let mut bytes = b"h1,h2\r\n".to_vec();
        while bytes.len() < 500_000 {
            let length = match random.below(100) {
                0 => random.below(300_000),
                n => n,
            };
            bytes.extend(random.text(b"abcdefgh,", length));
            if random.below(4) == 0 {
                bytes.extend(b",\"q\"\"\r\nq\",\"plain\nquoted\"");
            }
            bytes.extend([&b"\n"[..], b"\r\n", b"\r", b"\n\n"][random.below(4)]);
        }
        if round % 2 == 1 {
            bytes.extend(b"1,\"open\n\n");
        }
        let input = io::Cursor::new(bytes.clone());
        let (whole, _) = read_with(input, &headless(), limits).expect("readable");
        check_places(&bytes, &whole);
        for size in [1, 7, 4096, 65_537] {
            let pieces = Pieces { bytes: bytes.clone(), at: 0, size };
            let (rows, _) = read_with(pieces, &headless(), limits).expect("readable");
            assert!(rows == whole, "pieces of {size}");
            let pieces = Pieces { bytes: gzip(&bytes), at: 0, size };
            let (rows, _) = read_with(pieces, &headless(), limits).expect("readable");
            assert!(rows == whole, "compressed, pieces of {size}");
        }
    }
}

#[test]
fn reading_goes_on_at_any_place_with_the_same_rows() {
    let mut random = Random(11);
    let mut bytes = b"\xef\xbb\xbfskipped\r\nh1;h2\r\n".to_vec();
    for _ in 0..200 {
        let length = random.below(40);
        bytes.extend(random.text(b"ab;;\"\"\r\n", length));
        bytes.extend(b"\n");
    }
    let settings = catalog::Format { skip_lines: 1, ..settings() };
    for (file, compressed) in [(bytes.clone(), false), (gzip(&bytes), true)] {
        let (rows, detected) =
            read_with(io::Cursor::new(file.clone()), &settings, Limits::default())
                .expect("readable");
        assert!(rows.len() > 10);
        for (at, row) in rows.iter().enumerate() {
            let from = if compressed { 0 } else { row.after.byte_offset as usize };
            let input = io::Cursor::new(file[from..].to_vec());
            let mut resumed = resume(
                input,
                Some(&detected),
                row.after,
                Hints::default(),
                &settings,
                Limits::default(),
            )
            .expect("resumes")
            .0;
            assert_eq!(resumed.position(), row.after);
            assert!(rest(&mut resumed).expect("readable") == rows[at + 1..], "after row {at}");
        }
    }
    let (_, detected) = read(&gzip(b"a,b\n1,2\n"), &catalog::Format::default());
    let beyond = Position { byte_offset: 100, line: 9, row: 8, encoding: None };
    let input = io::Cursor::new(gzip(b"a,b\n1,2\n"));
    let error =
        resume(input, Some(&detected), beyond, Hints::default(), &settings, Limits::default())
            .err()
            .expect("no such place");
    assert!(error.to_string().contains("ends before the place"), "{error}");
}

/// A table with everything in it that makes a row end elsewhere than its bytes say.
fn troubled(random: &mut Random) -> Vec<u8> {
    let mut text = b"made by hand\nid,name,amount\n# it goes on\n".to_vec();
    for n in 0..12_000 {
        let line = match random.below(60) {
            0 => format!("{n},\"open,1.5\n"),
            1 => format!("{n},\"a \"b\" c\",1.5\n"),
            2 => format!("{n},\"stray\" a\nnd more\",1.5\n"),
            3 => format!("{n},\"two\r\nlines, \"\"quoted\"\"\",2.5\r\n"),
            4 => "id,name,amount\n".to_owned(),
            5 => "# a comment, \"odd\n".to_owned(),
            6 => "\n\r\n\r".to_owned(),
            7 => format!("{n},too,many,cells\n"),
            8 => format!("{n},{},3.5\n", "long ".repeat(random.below(4_000))),
            9 => format!("{n},\"{}\",3.5\n", "Dear Sir,\n".repeat(random.below(300))),
            _ => format!("{n},name {n},{n}.25\n"),
        };
        text.extend_from_slice(line.as_bytes());
    }
    text.extend_from_slice(b"7,\"last,1.5\n8,x,2.5\nTotal,,9\n3 rows\n");
    text
}

#[test]
fn where_a_troubled_row_ends_does_not_depend_on_where_reading_began() {
    let mut random = Random(23);
    for comments in [false, true] {
        let mut bytes = troubled(&mut random);
        if !comments {
            // The common dialect, which the index reads.
            bytes = String::from_utf8(bytes).expect("text").replace('#', ";").into_bytes();
        }
        let settings = catalog::Format { delimiter: Some(",".to_owned()), ..settings() };
        let (whole, detected) = read(&bytes, &settings);
        assert_eq!(detected.dialect.as_ref().is_some_and(|d| d.comment.is_some()), comments);
        let faults = |fault| whole.iter().filter(|row| row.fault == Some(fault)).count();
        for fault in [
            RowFault::UnclosedQuote,
            RowFault::AmbiguousQuote,
            RowFault::RepeatedHeader,
            RowFault::PossibleFooter,
        ] {
            assert!(faults(fault) > 0, "{fault:?}");
        }
        assert!(whole.len() > 11_000, "{} rows", whole.len());
        for size in [1, 4096, 65_537] {
            let pieces = Pieces { bytes: bytes.clone(), at: 0, size };
            let (rows, _) = read_with(pieces, &settings, Limits::default()).expect("readable");
            assert!(rows == whole, "pieces of {size}");
        }
        for _ in 0..40 {
            let at = random.below(whole.len());
            let from = whole[at].after;
            let input = io::Cursor::new(bytes[from.byte_offset as usize..].to_vec());
            let (mut resumed, _) = resume(
                input,
                Some(&detected),
                from,
                Hints::default(),
                &settings,
                Limits::default(),
            )
            .expect("resumes");
            assert!(rest(&mut resumed).expect("readable") == whole[at + 1..], "after row {at}");
        }
    }
}

#[test]
fn the_index_finds_the_rows_that_the_splitter_finds() {
    let mut random = Random(5);
    for round in 0..3_000 {
        let alphabet: &[u8] = match round % 3 {
            0 => b"ab,,\"\n",
            1 => b"a,\"\"\r\n\n",
            _ => b"1,2,\n3 \"",
        };
        let length = random.below(400);
        let bytes = [b"x,y\n".to_vec(), random.text(alphabet, length)].concat();
        let (fast, _) = read(&bytes, &headless());
        // A comment that no line begins with makes the dialect another one.
        let general = catalog::Format { comment: Some(catalog::Mark(Some('%'))), ..headless() };
        let (slow, _) = read(&bytes, &general);
        assert_eq!(fast, slow, "{:?}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn whatever_the_bytes_no_text_between_rows_is_lost() {
    let mut random = Random(99);
    for round in 0..6_000 {
        let alphabet: &[u8] = match round % 5 {
            0 => b"ab,;\"\n",
            1 => b"a1|\t\"'\\\r\n",
            2 => b"#a,1\n\n",
            3 => b" :~1a\n",
            _ => b"12.,-\n\"Total",
        };
        let length = random.below(200);
        let bytes = random.text(alphabet, length);
        let input = io::Cursor::new(bytes.clone());
        // A header that cannot be read is the only error there may be.
        let (rows, detected) = match read_with(input, &settings(), Limits::default()) {
            Ok(read) => read,
            Err(error) => {
                assert_eq!(error.code(), "invalid_header", "{error}");
                continue;
            }
        };
        let dialect = detected.dialect.as_deref();
        let comments = dialect.is_some_and(|dialect| dialect.comment.is_some());
        let tabs = dialect.is_some_and(|dialect| dialect.delimiter == "\t");
        // A line of white space is blank, unless the tabs in it stand between cells.
        let text = |line: &&[u8]| !line.trim_ascii().is_empty() || (tabs && line.contains(&b'\t'));
        let Some(first) = rows.first() else { continue };
        let mut at = first.offset as usize;
        for row in &rows {
            let between = &bytes[at..row.offset as usize];
            let lines = between.split(|byte| matches!(byte, b'\n' | b'\r'));
            for line in lines.filter(text) {
                assert!(comments && line[0] == b'#', "{:?}", String::from_utf8_lossy(&bytes));
            }
            assert_eq!(&bytes[row.offset as usize..][..row.raw.len()], row.raw);
            at = row.offset as usize + row.raw.len();
        }
    }
}

#[test]
fn a_wide_or_long_first_row_is_an_error_that_names_the_limit() {
    let wide = vec![b','; 100_000];
    assert_eq!(error(&wide).code(), "too_many_columns");
    let wide = [b"a,b\n1,2\n".to_vec(), wide].concat();
    assert_eq!(error(&wide).code(), "too_many_columns");
    assert_eq!(error(&vec![b'x'; 20 << 20]).code(), "row_too_long");
    // Longer than the sample, but no longer than it may be.
    let long = [b"id,name\n1,".to_vec(), vec![b'x'; 300_000], b"\n2,y\n".to_vec()].concat();
    assert_eq!(read(&long, &settings()).0.len(), 2);
    let long = [vec![b'x'; 300_000], b",name\n1,2\n2,y\n".to_vec()].concat();
    assert_eq!(read(&long, &settings()).1.columns.len(), 2);
}
