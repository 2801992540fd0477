//! Files of text: delimited cells, JSON, XML, and the encodings of all of them.

use inlet::catalog::{Format, FormatKind, Mark, Source};
use inlet::format::{Detected, Hints, Rows, open};
use serde::de::IgnoredAny;

use crate::check::{self, Way};
use crate::choose::Choices;

/// The way of a source, if its settings can be meant.
fn stated(name: &str, toml: &str) -> Option<Way> {
    let text = format!("key = 'a'\nconnection = 'inlet'\nbucket = 'one'\n{toml}");
    match Source::from_toml("a.toml", &text) {
        Ok(source) => Some(Way {
            format: source.format,
            fields: source.fields,
            records: source.records,
            rejects: source.rejects,
            ..Way::of(name)
        }),
        Err(problems) => {
            assert!(!problems.to_string().is_empty());
            None
        }
    }
}

const ENCODINGS: [&str; 16] = [
    "utf-8",
    "utf-16le",
    "utf-16be",
    "windows-1252",
    "iso-8859-2",
    "shift_jis",
    "gbk",
    "gb18030",
    "big5",
    "euc-jp",
    "euc-kr",
    "iso-2022-jp",
    "koi8-r",
    "macintosh",
    "x-user-defined",
    "iso-8859-8",
];

/// Delimited cells under every setting that a definition may state.
pub fn csv(data: &[u8]) {
    let mut choices = Choices::new(data);
    let mut format = String::from("[format]\nkind = 'csv'\n");
    let mut state = |name: &str, values: &[&str], byte: u8| {
        // Zero says nothing.
        if let Some(at) = usize::from(byte).checked_sub(1) {
            format.push_str(&format!("{name} = {}\n", values[at % values.len()]));
        }
    };
    let delimiters = [
        "','",
        "';'",
        "\"\\t\"",
        "'|'",
        "':'",
        "' '",
        "'||'",
        "', '",
        "'::'",
        "\"\\u001f\"",
        "'§'",
        "'ab'",
        "'aa'",
        "'ä'",
        "'🦀'",
        "'\\'",
        "'0'",
    ];
    state("delimiter", &delimiters, choices.byte());
    state("quote", &["'\"'", "\"'\"", "'none'", "'|'", "'a'"], choices.byte());
    state("escape", &["'\\'", "'none'", "'!'", "'\"'"], choices.byte());
    state("comment", &["'#'", "'none'", "'/'", "';'"], choices.byte());
    state("header", &["true", "false", "1", "2", "3"], choices.byte());
    state("units_row", &["true", "false"], choices.byte());
    state("preamble", &["true", "false"], choices.byte());
    state("skip_lines", &["1", "2", "7"], choices.byte());
    state("skip_footer_lines", &["0", "1", "2", "9"], choices.byte());
    let encodings = ENCODINGS.map(|name| format!("'{name}'"));
    state("encoding", &encodings.each_ref().map(String::as_str), choices.byte());
    let records = choices.one(&[
        "",
        "[records]\nshort_rows = 'fill'\nlong_rows = 'cut'\n",
        "[records]\ntrim = true\nnull_values = ['', 'NULL', '-']\n",
        "[records]\nunknown_columns = 'drop'\nmissing_columns = 'null'\n[fields]\na = { type = 'integer' }\n",
        "[records]\nmissing_columns = 'reject'\n[fields]\na = { unique = true }\nb = { as = 'c' }\n",
        "[fields]\na = { role = 'id', as = 'i' }\nb = { type = 'decimal', default = '1' }\n",
        "[rejects]\npolicy = 'skip'\n",
        "[rejects]\npolicy = 'fail'\n",
        "[rejects]\nmax_count = 1\n",
        "[rejects]\nmax_ratio = 0.5\n",
    ]);
    if let Some(way) = stated("a.csv", &(format + records)) {
        check::all(&way, choices.rest());
    }
}

/// Delimited cells of which nothing is stated: the sniffer of dialects, headers, preambles, footers.
pub fn dialect(data: &[u8]) {
    let mut choices = Choices::new(data);
    let name = choices.one(&["a.csv", "a.tsv", "a", "a.txt", "a.psv"]);
    check::all(&Way::of_kind(name, FormatKind::Csv), choices.rest());
}

/// Any text without a word, by its content and its name.
pub fn sniff(data: &[u8]) {
    let mut choices = Choices::new(data);
    let name = choices.one(&[
        "",
        "a.csv",
        "a.json",
        "a.jsonl",
        "a.xml",
        "a.txt",
        "a.html",
        "a.md",
        "a.xlsx",
        "a.parquet",
        "a.pdf",
        "a.zip",
        "a.docx",
        "a.gz",
        "a.csv.gz",
        "a.avro",
    ]);
    check::all(&Way::of(name), choices.rest());
}

/// A table that is written in a dialect has the same cells when it is read in that dialect.
pub fn csv_written(data: &[u8]) {
    let mut choices = Choices::new(data);
    let delimiter = choices.one(&[",", ";", "\t", "|", "||", ", ", "§", "::", "\u{1f}", "~|"]);
    let quote = choices.one(&['"', '\'']);
    let escape = choices.one(&[None, Some('\\'), Some('!')]);
    let end = choices.one(&["\n", "\r\n", "\r"]);
    let (last_end, always) = (choices.one(&[true, false]), choices.one(&[false, true]));
    let columns = usize::from(choices.byte() % 6 + 1);
    // A NUL makes a file binary.
    let text = String::from_utf8_lossy(choices.rest()).replace('\0', "");
    let mut table: Vec<Vec<&str>> = Vec::new();
    for row in text.split('\u{1e}') {
        let mut cells: Vec<&str> = row.splitn(columns, '\u{1d}').collect();
        cells.resize(columns, "");
        table.push(cells);
    }
    let names: Vec<String> = (0..columns).map(|n| format!("c{n}")).collect();
    table.retain(|row| row.iter().zip(&names).any(|(cell, name)| cell != name));
    // Nor does what is drawn below a header pass for a row.
    let drawn = |cell: &&str| cell.trim().chars().all(|c| matches!(c, '-' | '=' | '+'));
    table.retain(|row| !row.iter().all(drawn) || row.iter().all(|cell| cell.trim().is_empty()));
    let mut file = names.join(delimiter);
    for row in &table {
        file.push_str(end);
        for (at, cell) in row.iter().enumerate() {
            if at > 0 {
                file.push_str(delimiter);
            }
            let mut special = vec![quote, '\r', '\n', '\u{feff}'];
            special.extend(escape);
            special.extend(delimiter.chars());
            if !always && !cell.contains(&special[..]) && (columns > 1 || !cell.trim().is_empty()) {
                file.push_str(cell);
                continue;
            }
            file.push(quote);
            for c in cell.chars() {
                match escape {
                    Some(escape) if c == escape || c == quote => file.push(escape),
                    None if c == quote => file.push(quote),
                    _ => {}
                }
                file.push(c);
            }
            file.push(quote);
        }
    }
    if last_end {
        file.push_str(end);
    }
    let mut way = Way::of("a.csv");
    way.format = Format {
        kind: Some(FormatKind::Csv),
        delimiter: Some(delimiter.to_owned()),
        quote: Some(Mark(Some(quote))),
        escape: Some(Mark(escape)),
        comment: Some(Mark(None)),
        header: Some(true),
        units_row: Some(false),
        preamble: Some(false),
        skip_footer_lines: Some(0),
        encoding: inlet::catalog::Encoding::for_label("utf-8"),
        ..Format::default()
    };
    let (mut rows, detected) = opened(&way, file.as_bytes()).expect("a table can be opened");
    assert_eq!(detected.columns, names, "{file:?}");
    for cells in &table {
        let row = rows.next().expect("it is whole").unwrap_or_else(|| panic!("few rows: {file:?}"));
        // Of what looks like the header of another table a person is asked, with the row as it is.
        let asked = row.fault() == Some(inlet::format::RowFault::OtherTable);
        if asked {
            continue;
        }
        assert_eq!(row.fault(), None, "{file:?}");
        let found: Vec<&[u8]> = row.cells().collect();
        let cells: Vec<&[u8]> = cells.iter().map(|cell| cell.as_bytes()).collect();
        assert_eq!(found, cells, "{file:?}");
    }
    assert!(rows.next().expect("it is whole").is_none(), "many rows: {file:?}");
    check::all(&way, file.as_bytes());
}

fn opened(way: &Way, bytes: &[u8]) -> Option<(Rows, Detected)> {
    let input = std::io::Cursor::new(bytes.to_vec());
    let opened = open(input, Hints::named(&way.name), &way.format, way.limits);
    opened.inspect_err(|error| check::told(&error.failure())).ok()
}

/// Text in an encoding that is stated or found: it is what another decoder reads, or an error.
pub fn encoding(data: &[u8]) {
    let mut choices = Choices::new(data);
    let stated = choices.byte();
    let kind =
        choices.one(&[FormatKind::Document, FormatKind::Csv, FormatKind::Jsonl, FormatKind::Xml]);
    let mut way = Way::of_kind("a.txt", kind);
    if let Some(at) = usize::from(stated).checked_sub(1) {
        way.format.encoding = inlet::catalog::Encoding::for_label(ENCODINGS[at % ENCODINGS.len()]);
    }
    let bytes = choices.rest();
    check::all(&way, bytes);
    if kind != FormatKind::Document {
        return;
    }
    let Some((mut rows, detected)) = opened(&way, bytes) else { return };
    let mut text = String::new();
    while let Ok(Some(row)) = rows.next() {
        let at = row.head().columns.iter().position(|name| name == "text").expect("a text");
        let part: String = serde_json::from_slice(row.cell(at)).expect("a text");
        text.push_str(&part);
    }
    if detected.kind != FormatKind::Document || detected.archive.is_some() {
        return;
    }
    if detected.compression != inlet::format::Compression::None {
        return;
    }
    let name = detected.encoding.map_or("utf-8", |encoding| encoding.name());
    let decoder = encoding_rs::Encoding::for_label(name.as_bytes()).expect("a known encoding");
    let (decoded, wrong) = decoder.decode_with_bom_removal(bytes);
    assert!(!wrong, "{name}: malformed bytes became {text:?}");
    let decoded = decoded.replace("\r\n", "\n").replace('\r', "\n");
    // Two marks, one behind the other, are marks both.
    let decoded = decoded.strip_prefix('\u{feff}').unwrap_or(&decoded);
    assert_eq!(text.strip_prefix('\u{feff}').unwrap_or(&text), decoded, "{name}");
}

/// Documents of JSON. A parser that is not ours takes the same ones.
pub fn json(data: &[u8]) {
    let mut choices = Choices::new(data);
    let rows = choices.one(&[None, Some("."), Some("a"), Some("a.b"), Some("/a/0"), Some("items")]);
    let mut way = Way::of_kind("a.json", FormatKind::Json);
    way.format.rows = rows.map(str::to_owned);
    let bytes = choices.rest();
    check::all(&way, bytes);
    way.format.rows = Some(".".to_owned());
    way.format.encoding = inlet::catalog::Encoding::for_label("utf-8");
    agrees(&way, bytes);
}

/// Lines of JSON.
pub fn json_lines(data: &[u8]) {
    let mut choices = Choices::new(data);
    let rows = choices.one(&[None, Some("."), Some("a")]);
    let mut way = Way::of_kind("a.jsonl", FormatKind::Jsonl);
    way.format.rows = rows.map(str::to_owned);
    check::all(&way, choices.rest());
}

fn agrees(way: &Way, bytes: &[u8]) {
    // Byte order marks around documents, which are passed over, are none to theirs.
    let marked = bytes.windows(3).any(|mark| mark == b"\xef\xbb\xbf");
    if marked || inlet::format::may_expand(bytes) {
        return;
    }
    let ours = check::whole(way, bytes);
    let mut theirs = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
    let mut documents = 0;
    let valid = theirs.by_ref().inspect(|_| documents += 1).all(|document| document.is_ok());
    let valid = valid && documents > 0;
    match (ours.counters(), ours.code()) {
        // What theirs refuses ours may pass over as a reject: half a character, a key twice.
        (Some(counters), _) if counters.rejects == 0 && std::str::from_utf8(bytes).is_ok() => {
            assert!(valid, "a document was taken that is no JSON");
        }
        // Of documents one behind the other only objects are rows.
        (None, Some(code)) => {
            assert!(!valid || documents > 1 || code != "invalid_json", "JSON was refused");
        }
        _ => {}
    }
}

/// Documents of XML.
pub fn xml(data: &[u8]) {
    let mut choices = Choices::new(data);
    let rows = choices.one(&[None, Some("t/r"), Some("r"), Some("a/b/c"), Some("*"), Some("/t")]);
    let mut way = Way::of_kind("a.xml", FormatKind::Xml);
    way.format.rows = rows.map(str::to_owned);
    check::all(&way, choices.rest());
}

/// Pages of HTML.
pub fn html(data: &[u8]) {
    document("a.html", data);
}

/// Plain text and Markdown.
pub fn plain(data: &[u8]) {
    let mut choices = Choices::new(data);
    let name = choices.one(&["a.md", "a.txt"]);
    document(name, choices.rest());
}

fn document(name: &str, bytes: &[u8]) {
    let mut way = Way::of_kind(name, FormatKind::Document);
    way.format.max_text = Some(300);
    check::all(&way, bytes);
}
