//! JSON in, rows out: what is a row, what is not, and that neither the way the bytes arrive nor where
//! they end bends any of it.

use std::io::{self, Cursor, Read};
use std::path::Path;

use serde_json::{Value, json};

use super::sniff;
use crate::catalog::{Format, FormatKind};
use crate::format::{
    Detected, Form, FormatError, Hints, JsonProblem, Limits, Position, RowFault, open, resume,
};

/// A row as a test looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    head: u32,
    columns: Vec<String>,
    cells: Vec<String>,
    line: u64,
    offset: u64,
    raw: Vec<u8>,
    fault: Option<(JsonProblem, u64)>,
    after: Position,
}

#[derive(Debug)]
struct Outcome {
    rows: Vec<Seen>,
    detected: Option<Detected>,
    error: Option<FormatError>,
}

fn stated(kind: FormatKind) -> Format {
    Format { kind: Some(kind), ..Format::default() }
}

fn at(path: &str) -> Format {
    Format { rows: Some(path.to_owned()), ..stated(FormatKind::Json) }
}

fn read_from(input: impl Read + Send + 'static, settings: &Format, limits: Limits) -> Outcome {
    let mut read = Outcome { rows: Vec::new(), detected: None, error: None };
    let mut rows = match open(input, Hints::default(), settings, limits) {
        Ok((rows, detected)) => {
            assert_eq!(rows.head().columns, detected.columns);
            read.detected = Some(detected);
            rows
        }
        Err(error) => {
            read.error = Some(error);
            return read;
        }
    };
    loop {
        match rows.next() {
            Ok(None) => return read,
            Err(error) => {
                read.error = Some(error);
                return read;
            }
            Ok(Some(row)) => {
                assert_eq!(row.number(), read.rows.len() as u64 + 1);
                assert_eq!(row.head().form, Form::Json);
                let fault = row.fault().map(|fault| match fault {
                    RowFault::Json { problem, at } => (problem, at),
                    other => panic!("{other:?}"),
                });
                let mut seen = Seen {
                    head: row.head().number,
                    columns: row.head().columns.clone(),
                    cells: Vec::new(),
                    line: row.line().expect("a line"),
                    offset: row.byte_offset().expect("a place"),
                    raw: row.raw().to_vec(),
                    fault,
                    after: Position::default(),
                };
                for cell in row.cells() {
                    let cell = String::from_utf8(cell.to_vec()).expect("UTF-8");
                    assert!(!cell.contains(['\n', '\r']), "{cell}");
                    seen.cells.push(cell);
                }
                if fault.is_none() {
                    assert_eq!(seen.cells.len(), seen.columns.len());
                } else {
                    assert!(row.is_empty());
                }
                seen.after = rows.position();
                read.rows.push(seen);
            }
        }
    }
}

fn read_with(text: impl AsRef<[u8]>, settings: &Format, limits: Limits) -> Outcome {
    read_from(Cursor::new(text.as_ref().to_vec()), settings, limits)
}

fn read(text: impl AsRef<[u8]>, settings: &Format) -> Vec<Seen> {
    let read = read_with(text, settings, Limits::default());
    assert!(read.error.is_none(), "{:?}", read.error);
    read.rows
}

fn document(text: impl AsRef<[u8]>) -> Vec<Seen> {
    read(text, &stated(FormatKind::Json))
}

fn lines(text: impl AsRef<[u8]>) -> Vec<Seen> {
    read(text, &stated(FormatKind::Jsonl))
}

fn error(text: impl AsRef<[u8]>, settings: &Format, limits: Limits) -> FormatError {
    read_with(text, settings, limits).error.expect("refused")
}

/// Rows as `column=cell` with spaces between.
fn shown(rows: &[Seen]) -> Vec<String> {
    let row = |row: &Seen| match row.fault {
        Some((problem, at)) => format!("{problem:?} {at}"),
        None => {
            let cells = row.columns.iter().zip(&row.cells);
            cells.map(|(column, cell)| format!("{column}={cell}")).collect::<Vec<_>>().join(" ")
        }
    };
    rows.iter().map(row).collect()
}

fn values(rows: &[Seen]) -> Vec<Value> {
    let row = |row: &Seen| {
        let cell = |cell: &String| serde_json::from_str::<Value>(cell).expect("valid JSON");
        row.columns.iter().cloned().zip(row.cells.iter().map(cell)).collect()
    };
    rows.iter().map(row).map(Value::Object).collect()
}

#[test]
fn documents_become_the_rows_that_a_person_would_write_down() {
    for (text, expected) in [
        ("[]", &[][..]),
        (r#"[{"a":1,"b":"x"},{"a":2,"b":null}]"#, &["a=1 b=\"x\"", "a=2 b=null"]),
        (r#"{"a":1,"b":[1,2]}"#, &["a=1 b=[1,2]"]),
        (r#"{"a":1}{"a":2} {"b":3}"#, &["a=1", "a=2", "b=3"]),
        ("{\n \"a\": 1\n}\n{\n \"a\": 2\n}\n", &["a=1", "a=2"]),
        (r#"{"count":2,"items":[{"a":1},{"a":2}],"next":null}"#, &["a=1", "a=2"]),
        (r#"{"count":0,"items":[]}"#, &[]),
        (r#"{"a":[{"x":1}],"b":[{"y":1}]}"#, &[r#"a=[{"x":1}] b=[{"y":1}]"#]),
        (r#"{"a":[{"x":1},2]}"#, &[r#"a=[{"x":1},2]"#]),
        (r#"{"a":[1,{"x":1}]}"#, &[r#"a=[1,{"x":1}]"#]),
        (r#"{"a":[[{"x":1}]]}"#, &[r#"a=[[{"x":1}]]"#]),
        (r#"{"a":{"b":[{"x":1}]}}"#, &[r#"a={"b":[{"x":1}]}"#]),
        (r#"{"a":[{"x":1}]}{"a":[{"x":2}]}"#, &[r#"a=[{"x":1}]"#, r#"a=[{"x":2}]"#]),
        ("[1,\"x\",null,true]", &["value=1", "value=\"x\"", "value=null", "value=true"]),
        ("[[1,2],[3],[]]", &["column_1=1 column_2=2", "column_1=3", ""]),
        ("[{},{\"a\":{}}]", &["", "a={}"]),
        ("42", &["value=42"]),
        ("\"x\"", &["value=\"x\""]),
        ("null", &["value=null"]),
        // Numbers keep every digit, and strings their escapes.
        (
            r#"[{"a":1.10,"b":-0,"c":12345678901234567890.123456789e-40,"d":"\u00e9\n"}]"#,
            &[r#"a=1.10 b=-0 c=12345678901234567890.123456789e-40 d="\u00e9\n""#],
        ),
        // Keys are what they mean, empty ones too.
        (r#"[{"\u0061":1,"b\"c":2,"":3}]"#, &[r#"a=1 b"c=2 =3"#]),
        // White space is left out where it has line ends.
        (
            "[{\"a\": {\r\n \"b\" : [1,\n\t2],\n \"c d\": \" \\\" \\n \"}, \"e\": [1, 2]}]",
            &["a={\"b\":[1,2],\"c d\":\" \\\" \\n \"} e=[1, 2]"],
        ),
        // One object that cannot be read rightly does not spoil the others.
        (
            r#"[{"a":1e999},{"a":1},{"a":"\ud800"},{"\udfff":1},{"a":2}]"#,
            &["NumberTooLarge 5", "a=1", "UnpairedSurrogate 6", "UnpairedSurrogate 2", "a=2"],
        ),
        (r#"[{"a":1},{"a":[1e999]}]"#, &["a=1", "NumberTooLarge 6"]),
        // A key that comes twice is two columns: neither value takes the other's place.
        (r#"[{"a":1,"\u0061":3}]"#, &["a=1 a_2=3"]),
        (r#"[{"a":1,"a_2":2,"a":3,"":4,"":5}]"#, &["a=1 a_2=2 a_3=3 =4 _2=5"]),
        ("\u{feff} [{\"a\":1}]", &["a=1"]),
    ] {
        assert_eq!(shown(&document(text)), expected, "{text}");
    }
}

#[test]
fn bytes_that_are_no_text_spoil_their_row_alone() {
    let rows = document(b"[{\"a\":\"\xe9\"},{\"a\":\"e\"},{\"\xff\":1}]");
    assert_eq!(shown(&rows), ["NotUtf8 6", "a=\"e\"", "NotUtf8 2"]);
    let rows = lines(b"{\"a\":\"\xe9\"}\n{\"a\":\"e\"}\n{\"a\":1}\xff\n");
    assert_eq!(shown(&rows), ["NotUtf8 6", "a=\"e\"", "NotUtf8 7"]);
}

#[test]
fn rows_lie_at_the_path_that_is_stated() {
    let nested = r#"{"items":[{"no":1}],"data":{"total":1,"items":[{"a":1},{"a":2}]},"a.b":{"c":[{"d":1}]}}"#;
    for (text, path, expected) in [
        (nested, "data.items", &["a=1", "a=2"][..]),
        (nested, "/data/items", &["a=1", "a=2"]),
        (nested, "/data/items/1", &["a=2"]),
        (nested, "data.items.0", &["a=1"]),
        (nested, "items", &["no=1"]),
        (nested, "data.total", &["value=1"]),
        (nested, "/a.b/c", &["d=1"]),
        (r#"{"a":1,"b":[{"c":1}]}"#, ".", &[r#"a=1 b=[{"c":1}]"#]),
        // Each element of an array on the way.
        (
            r#"[{"lines":[{"a":1}]},{"lines":[]},{"lines":[{"a":2},3]}]"#,
            "lines",
            &["a=1", "a=2", "value=3"],
        ),
        (r#"[{"lines":[1]},{"lines":[2]}]"#, "1.lines", &["value=2"]),
        // Each document.
        ("{\"x\":[1]}\n{\"x\":[2]}", "x", &["value=1", "value=2"]),
        // Nothing, as some say for none.
        (r#"{"items":null}"#, "items", &[]),
        (r#"{"items":[]}"#, "items", &[]),
        // What only looks alike is beside the way.
        (r#"{"b":{"a":[1]},"a":[2],"c":[{"a":[3]}]}"#, "a", &["value=2"]),
        (r#"{"d\u00e9":[1]}"#, "dé", &["value=1"]),
    ] {
        assert_eq!(shown(&read(text, &at(path))), expected, "{path} in {text}");
    }
    let error = error(nested, &at("data.rows"), Limits::default());
    assert_eq!(error.code(), "rows_not_found");
    assert!(error.to_string().ends_with(r#"begins with "items", "data", "a.b""#), "{error}");
}

#[test]
fn it_is_said_where_the_rows_were_found() {
    let evidence = |text: &str| {
        let read = read_with(text, &Format::default(), Limits::default());
        read.detected.expect("opens").evidence.join("; ")
    };
    let found = evidence(r#"{"count":1,"items":[{"a":1}],"next":null}"#);
    assert!(found.contains(r#"elements of "items""#), "{found}");
    assert!(found.contains(r#"left out: "count", "next""#), "{found}");
    let found = evidence(r#"{"a":[{"x":1}],"b":[{"y":1}]}"#);
    assert!(found.contains(r#""a", "b" are arrays of objects"#), "{found}");
    assert!(evidence("{\"a\":1}\n{\"a\":2}\n").contains("one for each line"));
    assert!(evidence("[1]").contains("elements of the array"));
    assert!(evidence("{}").contains("one, the document"));
    assert!(evidence("{}{}").contains("one for each document"));
}

#[test]
fn a_second_list_after_the_first_bytes_is_not_left_out_in_silence() {
    let row = "{\"a\":1},".repeat(50_000);
    let text = format!("{{\"items\":[{row}{{}}],\"more\":[{{\"b\":1}}]}}");
    let read = read_with(&text, &stated(FormatKind::Json), Limits::default());
    assert_eq!(read.rows.len(), 50_001);
    let error = read.error.expect("ambiguous");
    let place = text.find("{\"b\"").expect("there") as u64;
    assert!(
        matches!(error, FormatError::RowsAmbiguous { byte_offset, line: 1 } if byte_offset == place),
        "{error}"
    );
    assert_eq!(shown(&read_with(&text, &at("more"), Limits::default()).rows), ["b=1"]);
}

/// Rows of a file of this name, as if nobody had said anything about it.
fn named(text: impl AsRef<[u8]>, name: &str) -> (Vec<String>, Detected, Vec<String>) {
    let input = Cursor::new(text.as_ref().to_vec());
    let (mut rows, detected) =
        open(input, Hints::named(name), &Format::default(), Limits::default()).expect("opens");
    let mut shown = Vec::new();
    while let Some(row) = rows.next().expect("reads") {
        shown.push(match row.fault() {
            Some(RowFault::Json { problem, at }) => format!("{problem:?} {at}"),
            Some(fault) => panic!("{fault:?}"),
            None => {
                let cells = row.cells().map(|cell| String::from_utf8_lossy(cell).into_owned());
                let cells: Vec<String> = cells.collect();
                let columns = row.head().columns.iter().zip(&cells);
                let cells = columns.map(|(column, cell)| format!("{column}={cell}"));
                cells.collect::<Vec<_>>().join(" ")
            }
        });
    }
    (shown, detected, rows.remarks())
}

#[test]
fn a_damaged_first_line_spoils_itself_alone() {
    for (text, name, expected) in [
        ("{\"a\":NaN}\n{\"a\":1}\n", "a.jsonl", &["ExpectedValue 5", "a=1"][..]),
        ("{\"a\":NaN}\n{\"b\":NaN}\n", "a.jsonl", &["ExpectedValue 5", "ExpectedValue 5"]),
        ("{\"a\":\"x\ty\"}\n{\"a\":\"y\"}\n", "a.ndjson", &["ControlCharacter 7", "a=\"y\""]),
        (
            "{\"a\":1}\n{\"a\":\"x\ny\"}\n{\"a\":3}\n",
            "a.jsonl",
            &["a=1", "UnexpectedEnd 7", "ExpectedValue 0", "a=3"],
        ),
        ("{\"a\":\"x\ny\"}\n{\"a\":3}\n", "", &["UnexpectedEnd 7", "ExpectedValue 0", "a=3"]),
        ("x{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n", "a.json", &["ExpectedValue 0", "a=2", "a=3"]),
        (
            "2025-01-01 starting\n\n{\"a\":1}\n{\"a\":2}",
            "a.json",
            &["TrailingBytes 4", "a=1", "a=2"],
        ),
    ] {
        let (rows, detected, _) = named(text, name);
        assert_eq!(rows, expected, "{text}");
        assert_eq!(detected.kind, FormatKind::Jsonl, "{text}");
    }
    // What is longer than a line is a document still, and wrong as a whole.
    for text in [
        "[\n{\"a\":NaN},\n{\"a\":2}\n]",
        "{\"items\":[\n{\"a\":NaN},\n{\"a\":2}\n]}",
        "{\n\"a\":1,\n\"b\":NaN\n}\n{\n\"a\":1\n}",
        "{\"items\":[{\"a\":NaN},\n{\"a\":1}\n]}\n",
        "{\"a\":1},\n{\"a\":2},\n",
    ] {
        let read = read_with(text, &Format::default(), Limits::default());
        assert_eq!(read.error.expect("a mistake").code(), "invalid_json", "{text}");
    }
    // A table of text that has JSON in it is one.
    let found = super::super::open(
        Cursor::new(b"payload\n{}\n{}\n{}\n".to_vec()),
        Hints::named("a.csv"),
        &Format::default(),
        Limits::default(),
    );
    assert_eq!(found.expect("opens").1.kind, FormatKind::Csv);
}

#[test]
fn a_byte_order_mark_where_files_were_put_together_is_passed_over() {
    let text = "\u{feff}{\"a\":1}\n\u{feff}{\"a\":2}\r\n\u{feff}\n \n";
    for name in ["a.jsonl", "a.json", ""] {
        let (rows, detected, _) = named(text, name);
        assert_eq!(
            (&rows[..], detected.kind),
            (&["a=1", "a=2"].map(str::to_owned)[..], FormatKind::Jsonl)
        );
    }
    let rows = lines(text);
    let place = |row: &Seen| (row.line, row.offset, row.raw.clone());
    assert_eq!(place(&rows[0]), (1, 3, b"{\"a\":1}".to_vec()));
    assert_eq!(place(&rows[1]), (2, 14, b"{\"a\":2}".to_vec()));
    let documents = "\u{feff}{\n\"a\":1}\n\u{feff}{\n\"a\":2}\n";
    assert_eq!(shown(&document(documents)), ["a=1", "a=2"]);
    assert_eq!(shown(&document("[{\"a\":1}]\n\u{feff}[{\"a\":2}]\n")), ["a=1", "a=2"]);
    // Within a line it is no space.
    assert_eq!(shown(&lines("{\"a\":1}\n {\"a\":\u{feff}2}")), ["a=1", "ExpectedValue 6"]);
}

#[test]
fn an_export_without_rows_is_no_record() {
    for text in [
        r#"{"items":[],"count":0}"#,
        r#"{"next":null,"results":[]}"#,
        r#"{"data":[],"meta":{"n":1}}"#,
        r#"{"data":[],"errors":[]}"#,
        r#"{"@odata.context":"x","value":[]}"#,
        r#"{"status":"ok","company":"ACME","records":[]}"#,
        r#"{"type":"FeatureCollection","features":[]}"#,
        r#"{"orders":[]}"#,
        r#"{"results":[],"error":null}"#,
        r#"{"success":true,"data":[]}"#,
        r#"{"errors":[],"ok":true,"data":[]}"#,
    ] {
        let read = read_with(text, &Format::default(), Limits::default());
        assert!(read.error.is_none() && read.rows.is_empty(), "{text}: {:?}", read.rows);
        let evidence = read.detected.expect("opens").evidence.join("; ");
        assert!(evidence.contains("rows: none"), "{evidence}");
    }
    for text in [
        r#"{"id":1,"name":"Ann","tags":[]}"#,
        r#"{"id":1,"items":[]}"#,
        r#"{"name":"Ann","items":[]}"#,
        r#"{"tags":[]}"#,
        r#"{"items":[],"rows":[]}"#,
        r#"{"results":[],"errors":[{"code":1}]}"#,
        r#"{"results":[],"error":{"code":"X","message":"limit"}}"#,
        r#"{"error":"limit","results":[]}"#,
        r#"{"errors":["limit"],"results":[]}"#,
        r#"{"success":false,"data":[]}"#,
        r#"{"data":null,"errors":[{"message":"x"}]}"#,
        r#"{"data":{}}"#,
        "{}",
    ] {
        assert_eq!(read(text, &Format::default()).len(), 1, "{text}");
    }
}

#[test]
fn a_record_that_has_a_list_is_not_lost_for_its_list() {
    for text in [
        r#"{"id":"A1","lines":[{"s":1}]}"#,
        r#"{"id":7,"name":"Ann","addresses":[{"c":1},{"c":2}]}"#,
        r#"{"customerNo":"7","orders":[{"id":1},{"id":2}],"balance":12.5}"#,
        r#"{"customer":"Ann","shippingAddresses":[{"c":1}]}"#,
        r#"{"lines":[{"s":1}],"orderNumber":"7"}"#,
        r#"{"customer":"Ann","items":[{"s":1}],"total":3}"#,
        r#"{"id":"A1","items":[{"s":1}]}"#,
        r#"{"order":{"x":1},"lines":[{"s":1},{"s":2}]}"#,
    ] {
        let read = read_with(text, &Format::default(), Limits::default());
        assert_eq!(read.rows.len(), 1, "{text}");
        assert_eq!(read.rows[0].raw, text.as_bytes());
        let evidence = read.detected.expect("opens").evidence.join("; ");
        assert!(evidence.contains("it is a record"), "{evidence}");
    }
    for text in [
        r#"{"data":[{"a":1},{"a":2}],"meta":{"n":2}}"#,
        r#"{"next":null,"results":[{"a":1},{"a":2}]}"#,
        r#"{"users":[{"a":1},{"a":2}]}"#,
        r#"{"page":1,"request_id":"x","orders":[{"a":1},{"a":2}],"has_more":false}"#,
        r#"{"data":[{"a":1},{"a":2}],"links":[{"rel":"next"}],"total":2}"#,
        r#"{"links":[{"rel":"next"}],"data":[{"a":1},{"a":2}]}"#,
        r#"{"data":[{"a":1},{"a":2}],"errors":[]}"#,
        r#"{"content":[{"a":1},{"a":2}],"pageable":{"sort":{}},"totalElements":2,"number":0,"size":9}"#,
        r#"{"company":"ACME","data":[{"a":1},{"a":2}]}"#,
        r#"{"company":"ACME","employees":[{"a":1},{"a":2}]}"#,
        r#"{"report":"Sales","orders":[{"a":1},{"a":2}],"region":"EMEA"}"#,
        r#"{"id":"job-7","data":[{"a":1},{"a":2}]}"#,
    ] {
        assert_eq!(shown(&read(text, &Format::default())), ["a=1", "a=2"], "{text}");
    }
    let (_, _, remarks) = named(r#"{"company":"ACME","data":[{"a":1}],"links":[{}],"n":null}"#, "");
    let [remark] = &remarks[..] else { panic!("{remarks:?}") };
    assert!(
        remark.contains(r#"beside the rows of "data" the document has "company", "links""#),
        "{remark}"
    );
    assert!(named(r#"{"count":1,"data":[{"a":1}],"next":"x"}"#, "").2.is_empty());
}

#[test]
fn arrays_one_after_another_are_parts_of_one_table() {
    for text in [
        "[{\"a\":1},{\"a\":2}]\n[{\"a\":3}]\n",
        "[{\"a\":1},{\"a\":2}][{\"a\":3}]",
        "[\n{\"a\":1},\n{\"a\":2}]\n[\n]\n[{\"a\":3}]",
    ] {
        // Where there is but one line, the name says that it is one row.
        let names = ["a.json", "a.jsonl"];
        for name in &names[..text.lines().count().min(2)] {
            let (rows, detected, _) = named(text, name);
            let expected = ["a=1", "a=2", "a=3"].map(str::to_owned);
            assert_eq!((&rows[..], detected.kind), (&expected[..], FormatKind::Json), "{text}");
        }
    }
    assert_eq!(named("[1]\n[2]\n", "a.jsonl").1.kind, FormatKind::Jsonl);
    let odd = read_with("[{\"a\":1}]\n[2]\n", &stated(FormatKind::Json), Limits::default());
    assert!(matches!(odd.error, Some(FormatError::Json { byte_offset: 11, .. })), "{odd:?}");
}

#[test]
fn where_the_rows_are_does_not_depend_on_how_long_the_file_is() {
    let long = "x".repeat(600_000);
    let many = "{\"a\":1},".repeat(60_000);
    // Like the same file with a short text.
    let text = format!("{{\"meta\":{{\"logo\":\"{long}\"}},\"items\":[{{\"a\":1}},{{\"a\":2}}]}}");
    assert_eq!(shown(&read(text, &Format::default())), ["a=1", "a=2"]);
    let text = format!(
        "{{\"id\":1,\n\"logo\":\"{long}\",\"lines\":[{{\"a\":1}}]}}\n{{\"id\":2,\n\"lines\":[]}}"
    );
    assert_eq!(read(text, &Format::default()).len(), 2);
    for first in ["", "null,", "null,null,"] {
        let small = format!("{{\"data\":[{first}{{\"a\":1}},null]}}");
        let large = format!("{{\"data\":[{first}{many}{{\"a\":1}},null]}}");
        let (small, large) = (read(small, &Format::default()), read(large, &Format::default()));
        assert_eq!(small.len() + 60_000, large.len(), "{first}");
        assert_eq!(shown(&small)[0], shown(&large)[0]);
    }
    let empty = format!("{{\"items\":[],\"next\":\"{long}\"}}");
    assert!(read(empty, &Format::default()).is_empty());
    // Or else it is not read, as what was seen of it before shows something else.
    for (text, small) in [
        (format!("{{\"lines\":[{many}{{}}],\"id\":7}}"), r#"{"lines":[{"a":1}],"id":7}"#),
        (format!("{{\"items\":[{many}{{}}],\"name\":\"x\"}}"), r#"{"items":[{"a":1}],"name":"x"}"#),
        (format!("{{\"data\":[{many}1]}}"), r#"{"data":[{"a":1},1]}"#),
        (format!("{{\"data\":[{many}{{}}]}}{{\"data\":[]}}"), ""),
    ] {
        assert!(small.is_empty() || shown(&read(small, &Format::default()))[0].contains('['));
        let error = read_with(&text, &Format::default(), Limits::default()).error;
        assert_eq!(error.expect("ambiguous").code(), "rows_ambiguous");
    }
}

#[test]
fn a_row_knows_its_line_offset_and_bytes() {
    let rows = document("\u{feff}[\r\n  {\"a\":\r\n 1},\n\n\t2\r]\n");
    let facts: Vec<_> =
        rows.iter().map(|row| (row.line, row.offset, row.raw.as_slice(), row.after)).collect();
    let place = |byte_offset, line, row| Position { byte_offset, line, row, encoding: None };
    assert_eq!(
        facts,
        [(2, 8, &b"{\"a\":\r\n 1}"[..], place(18, 3, 1)), (5, 22, b"2", place(23, 5, 2)),]
    );
    let rows = lines("\u{feff}{\"a\":1}\r\n\n  \r{\"a\": 2 } \n7");
    let facts: Vec<_> =
        rows.iter().map(|row| (row.line, row.offset, row.raw.as_slice(), row.after)).collect();
    assert_eq!(
        facts,
        [
            (1, 3, &b"{\"a\":1}"[..], place(12, 2, 1)),
            (4, 16, b"{\"a\": 2 } ", place(27, 5, 2)),
            (5, 27, b"7", place(28, 5, 3)),
        ]
    );
}

#[test]
fn the_place_before_the_first_row_is_before_it() {
    for (kind, place) in [(FormatKind::Json, (1, 1)), (FormatKind::Jsonl, (0, 1))] {
        let (mut rows, _) = open(
            Cursor::new(b"[{\"a\":1}]".to_vec()),
            Hints::default(),
            &stated(kind),
            Limits::default(),
        )
        .expect("opens");
        let Position { byte_offset, line, row, .. } = rows.position();
        assert_eq!(((byte_offset, line), row), (place, 0));
        while rows.next().expect("reads").is_some() {}
        assert_eq!(rows.position().byte_offset, 9);
        assert_eq!(rows.position().row, 1);
    }
}

#[test]
fn reading_of_lines_goes_on_at_any_place_with_the_same_rows() {
    let text = MIXED_LINES.as_bytes();
    let outcome = read_with(text, &stated(FormatKind::Jsonl), Limits::default());
    let detected = outcome.detected.expect("opens");
    for (n, row) in outcome.rows.iter().enumerate() {
        let rest = Cursor::new(text[row.after.byte_offset as usize..].to_vec());
        let mut rows = resume(
            rest,
            Some(&detected),
            row.after,
            Hints::default(),
            &stated(FormatKind::Jsonl),
            Limits::default(),
        )
        .expect("goes on")
        .0;
        assert_eq!(rows.position().row, row.after.row);
        for expected in &outcome.rows[n + 1..] {
            let row = rows.next().expect("reads").expect("a row");
            assert_eq!(row.raw(), expected.raw);
            assert_eq!(
                (row.line(), row.byte_offset()),
                (Some(expected.line), Some(expected.offset))
            );
            assert_eq!(row.begins().row, row.number() - 1);
            if row.fault().is_none() {
                assert_eq!(row.head().columns, expected.columns);
            }
            assert_eq!(row.fault().is_some(), expected.fault.is_some());
            assert_eq!(rows.position(), expected.after);
        }
        assert!(rows.next().expect("reads").is_none());
    }
}

#[test]
fn a_path_leads_through_the_documents_of_lines_too() {
    let text = "{\"d\":[{\"a\":1}]}\n{\"d\":[{\"a\":2},{\"a\":3}]}\n";
    let path = Format { rows: Some("d".to_owned()), ..Format::default() };
    assert_eq!(shown(&read(text, &path)), ["a=1", "a=2", "a=3"]);
    let path = Format { kind: Some(FormatKind::Jsonl), ..path };
    assert_eq!(shown(&read(text, &path)), ["a=1", "a=2", "a=3"]);
    assert_eq!(read(text, &Format::default()).len(), 2);
}

#[test]
fn a_bad_line_is_bad_alone() {
    let text = concat!(
        "{\"a\":1}\n",
        "{\"a\":2\n",
        "\n",
        "{\"a\":3}}\n",
        "{\"a\":4}{\"a\":5}\n",
        "{\"a\":01}\n",
        "{\"a\":1,\"a\":1}\n",
        "not json\n",
        "[1,\"x\"]\n",
        "{\"a\":6}"
    );
    let rows = lines(text);
    assert_eq!(
        shown(&rows),
        [
            "a=1",
            "UnexpectedEnd 6",
            "TrailingBytes 7",
            "TrailingBytes 7",
            "BadNumber 6",
            "a=1 a_2=1",
            "ExpectedValue 0",
            "column_1=1 column_2=\"x\"",
            "a=6",
        ]
    );
    assert_eq!(rows[2].line, 4);
    assert_eq!(rows[1].raw, b"{\"a\":2");
    let deep = format!("{{\"a\":1}}\n{}{}\n{{\"a\":2}}\n", "[".repeat(200), "]".repeat(200));
    assert_eq!(shown(&lines(deep)), ["a=1", "TooDeep(128) 128", "a=2"]);
    assert_eq!(shown(&lines("x\n{\"a\":1}")), ["ExpectedValue 0", "a=1"]);
    assert!(lines("").is_empty() && lines("\n \r\n").is_empty());
}

#[test]
fn a_mistake_in_a_document_ends_it_with_its_place() {
    let read = read_with(
        "[\n {\"a\":1},\n {\"a\" 2},\n {\"a\":3}]",
        &stated(FormatKind::Json),
        Limits::default(),
    );
    assert_eq!(shown(&read.rows), ["a=1"]);
    let error = read.error.expect("a mistake");
    assert_eq!(
        error.to_string(),
        "the file is not JSON on line 3, column 7 (byte 18): a colon is expected after the key"
    );
    assert_eq!(error.code(), "invalid_json");
    // Beside the rows, too.
    let read = read_with(r#"{"a":[{"b":1}],"c":{"d":[1,]}}"#, &at("a"), Limits::default());
    assert_eq!(shown(&read.rows), ["b=1"]);
    assert!(matches!(read.error, Some(FormatError::Json { byte_offset: 27, .. })));
}

#[test]
fn equal_keys_in_equal_order_have_one_head() {
    let rows = document(
        r#"[{"a":1,"b":2},{"b":1,"a":2},{"a":3,"b":4},{"a":5},5,[1],[2],[1,2],{"ab":1},{"a":1,"b":2}]"#,
    );
    let heads: Vec<u32> = rows.iter().map(|row| row.head).collect();
    assert_eq!(heads, [0, 1, 0, 2, 3, 4, 4, 5, 6, 0]);
    let all_different: String = (0..1000).map(|n| format!("{{\"k{n}\":{n}}}\n")).collect();
    let rows = lines(all_different);
    assert!(rows.iter().enumerate().all(|(n, row)| row.columns == [format!("k{n}")]));
}

#[test]
fn limits_end_a_file_and_name_themselves() {
    let json = stated(FormatKind::Json);
    let limits = Limits { max_row_bytes: 100, max_columns: 3, max_nesting: 4, ..Limits::default() };
    let long = format!("[{{\"a\":1}},\n{{\"a\":\"{}\"}}]", "x".repeat(100));
    let fits = format!("[{{\"a\":1}},\n{{\"a\":\"{}\"}}]", "x".repeat(92));
    assert_eq!(read_with(fits, &json, limits).rows.len(), 2);
    for (text, kind, code, says) in [
        (long.as_str(), FormatKind::Json, "row_too_long", "line 2 (byte 10)"),
        (&long, FormatKind::Jsonl, "row_too_long", "line 2 (byte 10)"),
        (
            "[{},{\"a\":1,\"b\":1,\"c\":1,\"d\":1}]",
            FormatKind::Json,
            "too_many_columns",
            "(byte 4)",
        ),
        ("{}\n[1,2,3,4]", FormatKind::Jsonl, "too_many_columns", "line 2 (byte 3)"),
        ("[[[[[1]]]]]", FormatKind::Json, "too_deep", "max_nesting = 4"),
    ] {
        let error = error(text, &stated(kind), limits);
        assert_eq!(error.code(), code, "{text}: {error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    let beside = format!("{{\"a\":\"{}\",\"b\":[{{}}]}}", "x".repeat(1000));
    assert_eq!(error(beside, &at("b"), limits).code(), "row_too_long");
    // What lies beside the rows may be as long as it likes, piece by piece.
    let beside = format!("{{\"a\":[{}1],\"b\":[{{\"c\":1}}]}}", "1,  \n".repeat(1000));
    assert_eq!(shown(&read_with(beside, &at("b"), limits).rows), ["c=1"]);
}

/// Bytes that are made as they are read.
struct Endless {
    begin: &'static [u8],
    piece: &'static [u8],
    at: usize,
    left: u64,
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let (source, start) = match self.at < self.begin.len() {
            true => (self.begin, self.at),
            false => (self.piece, (self.at - self.begin.len()) % self.piece.len()),
        };
        let n = into.len().min(source.len() - start).min(self.left as usize);
        into[..n].copy_from_slice(&source[start..][..n]);
        self.at += n;
        self.left -= n as u64;
        Ok(n)
    }
}

#[test]
fn what_does_not_end_is_an_error_within_bounded_memory() {
    const GIB: u64 = 1 << 30;
    let text: &'static [u8] = &[b'x'; 1 << 16];
    let digits: &'static [u8] = &[b'1'; 1 << 16];
    let endless = |begin, piece| Endless { begin, piece, at: 0, left: GIB };
    for (input, kind, code) in [
        (endless(b"[{\"a\":\"", text), FormatKind::Json, "row_too_long"),
        (endless(b"{\"a\":\"", text), FormatKind::Jsonl, "row_too_long"),
        (endless(b"", b"["), FormatKind::Json, "too_deep"),
        (endless(b"", b"{\"a\":"), FormatKind::Json, "too_deep"),
        (endless(b"[", digits), FormatKind::Json, "row_too_long"),
    ] {
        let error = read_from(input, &stated(kind), Limits::default()).error.expect("refused");
        assert_eq!(error.code(), code, "{error}");
    }
}

/// Gives its bytes in pieces of a given size.
struct Pieces(Cursor<Vec<u8>>, usize);

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.1.min(into.len());
        self.0.read(&mut into[..n])
    }
}

const MIXED: &str = "\u{feff}[{\"id\":1,\"näme\":\"a\\\"b\\u00e9\"}, [1, -2.5e3],\r\n{\"x\": {\"y\":\n[true,\rfalse,null]}},\"s\", {\"d\":1,\"d\":2}, {\"e\":\"\\ud800\"}, 12 ]\n";

const MIXED_LINES: &str = "\u{feff}{\"id\":1,\"näme\":\"a\\\"b\"}\r\n\r\n[1, -2.5e3]\r{\"x\": \n\"s\"\n{\"d\":1,\"d\":2}\n 12 \n{\"e\":\"\\ud800\"}";

#[test]
fn it_does_not_matter_in_which_pieces_the_bytes_come() {
    for (text, kind) in [(MIXED, FormatKind::Json), (MIXED_LINES, FormatKind::Jsonl)] {
        let whole = read(text, &stated(kind));
        assert_eq!(whole.len(), 7);
        for size in 1..text.len() {
            let pieces = Pieces(Cursor::new(text.as_bytes().to_vec()), size);
            let read = read_from(pieces, &stated(kind), Limits::default());
            assert!(read.error.is_none());
            assert_eq!(read.rows, whole, "pieces of {size}");
        }
        // A window that holds hardly more than one row slides at every token.
        for most in 30..60 {
            let limits = Limits { max_row_bytes: most, ..Limits::default() };
            let read = read_with(text, &stated(kind), limits);
            let ok = match &read.error {
                None => read.rows == whole,
                Some(error) => error.code() == "row_too_long" && whole.starts_with(&read.rows),
            };
            assert!(ok, "window of {most}: {:?}", read.error);
            assert!(most < 36 || read.error.is_none(), "window of {most}: {:?}", read.error);
        }
    }
}

#[test]
fn a_document_that_is_cut_gives_a_part_of_its_rows_and_an_error() {
    let whole = document(MIXED);
    for end in 0..MIXED.trim_end().len() {
        let read =
            read_with(&MIXED.as_bytes()[..end], &stated(FormatKind::Json), Limits::default());
        assert!(whole.starts_with(&read.rows), "cut at {end}");
        match read.error {
            Some(FormatError::Json {
                byte_offset, problem: JsonProblem::UnexpectedEnd, ..
            }) => {
                assert_eq!(byte_offset, end as u64);
            }
            // The mark itself was cut.
            Some(FormatError::Json { byte_offset: 0, .. }) if end < 3 => {}
            other => panic!("cut at {end}: {other:?}"),
        }
    }
    let whole = lines(MIXED_LINES);
    for end in 0..MIXED_LINES.len() {
        let rows = lines(&MIXED_LINES.as_bytes()[..end]);
        let complete = rows.len().saturating_sub(1);
        assert_eq!(rows[..complete], whole[..complete], "cut at {end}");
    }
}

fn random_value(random: &mut fastrand::Rng, depth: usize) -> Value {
    match random.u8(0..if depth > 3 { 5 } else { 7 }) {
        0 => Value::Null,
        1 => random.bool().into(),
        2 => random.i64(..).into(),
        // An eighth is exact: how serde reads others is not at stake.
        3 => (f64::from(random.i32(..)) / 8.0).into(),
        4 => random_text(random).into(),
        5 => (0..random.usize(0..4)).map(|_| random_value(random, depth + 1)).collect(),
        _ => Value::Object(
            (0..random.usize(0..4))
                .map(|_| (random_text(random), random_value(random, depth + 1)))
                .collect(),
        ),
    }
}

fn random_text(random: &mut fastrand::Rng) -> String {
    const LETTERS: [char; 12] =
        ['a', 'b', '"', '\\', '\n', '{', ']', ',', 'é', '😀', '\u{0}', '\u{2028}'];
    (0..random.usize(0..5)).map(|_| LETTERS[random.usize(0..LETTERS.len())]).collect()
}

#[test]
fn what_serde_writes_is_read_back_equal() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..300 {
        let rows: Vec<Value> = (0..random.usize(0..8))
            .map(|_| {
                let members = (0..random.usize(0..5))
                    .map(|_| (random_text(&mut random), random_value(&mut random, 0)));
                Value::Object(members.collect())
            })
            .collect();
        let compact = serde_json::to_string(&rows).expect("writes");
        assert_eq!(values(&document(&compact)), rows, "{compact}");
        let pretty = serde_json::to_string_pretty(&rows).expect("writes");
        assert_eq!(values(&document(&pretty)), rows, "{pretty}");
        let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
        assert_eq!(values(&super::tests::lines(&lines)), rows, "{lines}");
        assert_eq!(values(&document(format!("{{}}{lines}")))[1..], rows, "{lines}");
        let nested = json!({"a": {"b": rows}, "c": [rows]}).to_string();
        assert_eq!(values(&read(&nested, &at("a.b"))), rows, "{nested}");
    }
}

#[test]
fn bytes_at_random_are_read_or_refused() {
    let mut random = fastrand::Rng::with_seed(11);
    let pieces: [&[u8]; 20] = [
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\"",
        b"\"a\"",
        b"1",
        b"-",
        b".5",
        b"e9",
        b"true",
        b"nul",
        b"\\u",
        b"\\ud800",
        b"\n",
        b" ",
        b"\xff",
        b"\xc3\xa9",
    ];
    for _ in 0..5_000 {
        let text: Vec<u8> = (0..random.usize(0..12))
            .flat_map(|_| pieces[random.usize(0..pieces.len())].iter().copied())
            .collect();
        let valid = serde_json::from_slice::<serde::de::IgnoredAny>(&text).is_ok();
        let read = read_with(&text, &stated(FormatKind::Json), Limits::default());
        let shown = String::from_utf8_lossy(&text);
        if valid {
            assert!(read.error.is_none(), "{shown}: {:?}", read.error);
        }
        if read.error.is_none() && read.rows.iter().all(|row| row.fault.is_none()) {
            let stream = serde_json::Deserializer::from_slice(&text).into_iter::<Value>();
            assert!(stream.map(|value| value.map(drop)).all(|ok| ok.is_ok()), "{shown}");
        }
        for row in read.rows.iter().filter(|row| row.fault.is_none()) {
            values(std::slice::from_ref(row));
        }
        read_with(&text, &stated(FormatKind::Jsonl), Limits::default());
        read_with(&text, &at("a"), Limits::default());
        let (kind, why) = match sniff::kind(&text, true) {
            Some(found) => found,
            None => continue,
        };
        assert!(matches!(kind, FormatKind::Json | FormatKind::Jsonl), "{why}");
        read_with(&text, &Format::default(), Limits::default());
    }
}

/// The texts of <https://github.com/nst/JSONTestSuite>, which `INLET_FIXTURES` holds.
#[test]
fn a_nul_in_a_text_that_is_named_as_json_has_its_place() {
    let settings = Format::default();
    let open = |text: &'static str, name| {
        open(Cursor::new(text), Hints::named(name), &settings, Limits::default())
    };
    let error = open("[\"\0\"]", "a.json").map(|_| ()).unwrap_err();
    assert!(matches!(error, FormatError::Json { byte_offset: 2, .. }), "{error}");
    let (mut rows, _) = open("{\"a\":1}\n{\"a\":\"\0\"}\n{\"a\":3}\n", "a.jsonl").expect("opens");
    let mut faults = Vec::new();
    while let Some(row) = rows.next().expect("reads") {
        faults.push(row.fault().is_some());
    }
    assert_eq!(faults, [false, true, false]);
    // Other texts are refused for it.
    assert!(open("a,b\n1,\0\n", "a.json").is_err());
    assert!(open("[\"\0\"]", "a.csv").is_err());
}

#[test]
fn the_texts_of_the_json_test_suite_are_accepted_and_refused_as_it_says() {
    let Some(fixtures) = std::env::var_os("INLET_FIXTURES") else {
        println!("skipped: INLET_FIXTURES does not name the folder of json-test-suite");
        return;
    };
    let folder = Path::new(&fixtures).join("json-test-suite/test_parsing");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    assert!(files.len() > 300);
    let mut counts = std::collections::BTreeMap::new();
    for path in files {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read(&path).expect("readable");
        let read = read_with(&text, &stated(FormatKind::Json), Limits::default());
        let outcome = match &read.error {
            None => format!("read, {}", shown(&read.rows).join(" | ")),
            Some(error) => format!("refused: {error}"),
        };
        println!("{name:70} {}", outcome.chars().take(120).collect::<String>());
        let faults = read.rows.iter().filter(|row| row.fault.is_some()).count();
        let accepted = read.error.is_none();
        match &name[..2] {
            "y_" => {
                assert!(accepted && faults == 0, "{name}: {outcome}");
            }
            "n_" => {
                let error = read.error.as_ref().unwrap_or_else(|| panic!("{name}: {outcome}"));
                let placed =
                    matches!(error, FormatError::Json { .. } | FormatError::TooDeep { .. });
                assert!(placed, "{name}: {outcome}");
            }
            _ => {}
        }
        *counts.entry((name[..2].to_owned(), accepted)).or_insert(0) += 1;
        // By its name alone, the same comes out.
        let opened =
            open(Cursor::new(text), Hints::named(&name), &Format::default(), Limits::default());
        match opened {
            Ok((mut rows, detected)) => {
                assert_ne!(detected.kind, FormatKind::Csv, "{name}");
                while let Ok(Some(_)) = rows.next() {}
            }
            Err(error) if name.starts_with("n_") => {
                let error = error.failure().to_string();
                assert!(error.contains("line ") || error.contains("byte "), "{name}: {error}");
            }
            Err(_) => {}
        }
    }
    println!("{counts:?}");
}
