#![allow(clippy::unwrap_used, reason = "a test says where it failed")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::{Hints, open};
use super::*;

mod above;
mod beyond;

fn read(
    bytes: Vec<u8>,
    settings: &catalog::Format,
) -> Result<(Detected, Vec<String>), FormatError> {
    read_within(bytes, settings, Limits::default())
}

/// What reading a file came to: one line a row.
fn read_within(
    bytes: Vec<u8>,
    settings: &catalog::Format,
    limits: Limits,
) -> Result<(Detected, Vec<String>), FormatError> {
    let (mut rows, detected) =
        open(std::io::Cursor::new(bytes), Hints::default(), settings, limits)?;
    let mut lines = Vec::new();
    let mut number = u32::MAX;
    loop {
        let position_before = rows.position().row;
        let Some(row) = rows.next()? else { break };
        assert_eq!(row.number(), position_before + 1);
        let mut line = String::new();
        if row.head().number != number {
            number = row.head().number;
            let sheet = row.head().part.as_ref().and_then(|part| part.sheet.clone());
            writeln!(line, "[{}] {:?}", sheet.unwrap_or_default(), row.head().columns).unwrap();
        }
        match row.fault() {
            Some(fault) => write!(line, "{:?} {fault:?} ", row.line()).unwrap(),
            None => assert_eq!(row.len(), row.head().columns.len()),
        }
        write!(line, "{:?}: {}", row.line().unwrap(), String::from_utf8_lossy(row.raw())).unwrap();
        // A workbook with a changed byte may be an archive of its parts.
        if detected.archive.is_none() {
            let raw: serde_json::Value = serde_json::from_slice(row.raw()).expect("JSON");
            assert!(raw.is_array());
        }
        lines.push(line);
    }
    Ok((detected, lines))
}

fn fixtures() -> Option<BTreeMap<String, Vec<u8>>> {
    let Ok(folder) = std::env::var("INLET_FIXTURES") else {
        eprintln!("skipped: INLET_FIXTURES is not set");
        return None;
    };
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(format!("{folder}/excel")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".md") {
            files.insert(name, std::fs::read(&path).unwrap());
        }
    }
    Some(files)
}

#[test]
fn every_workbook_of_others_is_read_or_refused_clearly() {
    let Some(files) = fixtures() else { return };
    let mut refused = BTreeMap::new();
    let mut table = String::new();
    for (name, bytes) in &files {
        let named = if name == "too_small.xls" { continue } else { name };
        match read(bytes.clone(), &catalog::Format::default()) {
            Ok((detected, lines)) => {
                let columns = detected.columns.join(", ");
                let columns: String = columns.chars().take(60).collect();
                writeln!(table, "{named:45} {:5} rows of {columns}", lines.len()).unwrap();
            }
            Err(error) => {
                writeln!(table, "{named:45} {error}").unwrap();
                refused.insert(name.as_str(), error.code());
            }
        }
    }
    println!("{table}");
    let expected = BTreeMap::from([
        // Sectors that lie beyond the end of the file.
        ("OOM_alloc3.xls", "damaged"),
        // A member is larger than the archive says.
        ("issue252.xlsx", "damaged"),
        ("issue_385.xls", "encrypted"),
        // 2^34 cells.
        ("issue_594_dos.ods", "takes_too_much_memory"),
        ("pass_protected.ods", "encrypted"),
        ("pass_protected.xlsb", "encrypted"),
        ("pass_protected.xlsx", "encrypted"),
    ]);
    assert_eq!(refused, expected);
}

#[test]
fn the_same_sheet_is_the_same_in_every_format() {
    let Some(files) = fixtures() else { return };
    for (names, rows) in [
        (["date.xls", "date.xlsb", "date.xlsx"], DATES),
        (["date_1904.xls", "date_1904.xlsb", "date_1904.xlsx"], DATES),
        (
            ["any_sheets.xls", "any_sheets.xlsb", "any_sheets.ods"],
            ["1: [1,2]", "2: [3,4]", "3: [5,6]"],
        ),
    ] {
        for name in names {
            let (_, lines) = read(files[name].clone(), &catalog::Format::default()).unwrap();
            for (line, row) in lines.iter().zip(rows) {
                assert!(line.ends_with(row), "{name}: {line}");
            }
        }
    }
}

const DATES: [&str; 3] =
    ["1: [\"2021-01-01\",15]", "2: [\"2021-01-02\",16]", "3: [\"255:10:10\",17]"];

/// A workbook of sheets with a name, whether they are hidden, and the XML of their rows.
fn xlsx(sheets: &[(&str, bool, &str)]) -> Vec<u8> {
    xlsx_with(sheets, "<sst uniqueCount=\"1\"><si><t>shared</t></si></sst>")
}

fn xlsx_with(sheets: &[(&str, bool, &str)], strings: &str) -> Vec<u8> {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut put = |name: &str, text: &str| {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    };
    put("[Content_Types].xml", "<Types/>");
    put(
        "_rels/.rels",
        "<Relationships><Relationship Id=\"a\" Type=\"http://x/relationships/officeDocument\" \
         Target=\"xl/workbook.xml\"/></Relationships>",
    );
    put("xl/sharedStrings.xml", strings);
    put(
        "xl/styles.xml",
        "<styleSheet><numFmts><numFmt numFmtId=\"200\" formatCode=\"yyyy\\-mm\\-dd hh:mm\"/></numFmts>\
         <cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"200\"/><xf numFmtId=\"46\"/>\
         </cellXfs></styleSheet>",
    );
    let (mut names, mut relations) = (String::new(), String::new());
    for (at, (name, hidden, rows)) in sheets.iter().enumerate() {
        let state = if *hidden { " state=\"hidden\"" } else { "" };
        write!(names, "<sheet name=\"{name}\"{state} r:id=\"r{at}\"/>").unwrap();
        write!(
            relations,
            "<Relationship Id=\"r{at}\" Type=\"http://x/relationships/worksheet\" \
             Target=\"worksheets/sheet{at}.xml\"/>"
        )
        .unwrap();
        let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
        put(&format!("xl/worksheets/sheet{at}.xml"), &sheet);
    }
    put("xl/workbook.xml", &format!("<workbook><sheets>{names}</sheets></workbook>"));
    let relations = format!("<Relationships>{relations}</Relationships>");
    put("xl/_rels/workbook.xml.rels", &relations);
    zip.finish().unwrap().into_inner()
}

/// The XML of rows that are written as `place=value`, with a blank between cells: text, numbers, `!`
/// before an error, `d`, `t` and `h` before a date, a date with time and a duration.
fn rows(drawn: &[&str]) -> String {
    let mut out = String::new();
    for row in drawn {
        out.push_str("<row>");
        for cell in row.split(' ').filter(|cell| !cell.is_empty()) {
            let (place, value) = cell.split_once('=').unwrap();
            let xml = match value.as_bytes()[0] {
                b'!' => format!("<c r=\"{place}\" t=\"e\"><f>1/0</f><v>{}</v></c>", &value[1..]),
                b'd' => format!("<c r=\"{place}\" s=\"1\"><v>{}</v></c>", &value[1..]),
                b't' => format!("<c r=\"{place}\" s=\"2\"><v>{}</v></c>", &value[1..]),
                b'h' => format!("<c r=\"{place}\" s=\"3\"><v>{}</v></c>", &value[1..]),
                b'0'..=b'9' => format!("<c r=\"{place}\"><f>A1</f><v>{value}</v></c>"),
                _ => format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{value}</t></is></c>"),
            };
            out.push_str(&xml);
        }
        out.push_str("</row>");
    }
    out
}

fn settings(toml: &str) -> catalog::Format {
    let toml = format!("key = 'a'\nconnection = 'inlet'\nbucket = 'one'\n[format]\n{toml}");
    catalog::Source::from_toml("deals.toml", &toml).unwrap().format
}

const DEALS: [&str; 5] = [
    "B2=Report",
    "B4=ID C4=Name D4=Closed E4=Time",
    "B5=1 C5=shared D5=d45943 E5=h1.5",
    "B7=2.5 C7=x D7=t45943.5 E7=d0.25",
    "B9=3 D9=t45943 F9=later",
];

#[test]
fn a_table_below_a_title_is_read_with_its_types() {
    let book = xlsx(&[("Cover", false, &rows(&["A1=Hello"])), ("Deals", false, &rows(&DEALS))]);
    let (detected, lines) = read(book, &catalog::Format::default()).unwrap();
    assert_eq!(
        lines,
        [
            "[Deals] [\"ID\", \"Name\", \"Closed\", \"Time\", \"column_6\"]\n\
             5: [1,\"shared\",\"2025-10-13\",\"36:00:00\",null]",
            "7: [2.5,\"x\",\"2025-10-13T12:00:00\",\"06:00:00\",null]",
            "9: [3,null,\"2025-10-13T00:00:00\",null,\"later\"]",
        ]
    );
    for said in [
        "sheet \"Deals\": the first visible one with a table",
        "skipped above the table: rows 2",
        "header: row 4 of the sheet, the first that is as wide as the table",
        "sheets that are not read: \"Cover\"; state format.sheet",
    ] {
        assert!(detected.evidence.iter().any(|found| found == said), "{:?}", detected.evidence);
    }
}

#[test]
fn a_row_with_an_error_in_a_cell_has_a_fault_that_names_the_cell() {
    let sheet = rows(&["A1=a B1=b", "A2=x B2=1", "A3=y B3=!#REF!", "A4=z B4=2"]);
    let (_, lines) = read(xlsx(&[("S", false, &sheet)]), &catalog::Format::default()).unwrap();
    assert_eq!(
        lines[1],
        "Some(3) CellError { row: 3, column: 2, error: \"#REF!\" } 3: [\"y\",\"#REF!\"]"
    );
    assert_eq!(lines.len(), 3);
    assert_eq!(super::super::column_letters(2), "B");
    assert_eq!(super::super::column_letters(28), "AB");
    assert_eq!(super::super::column_letters(16_384), "XFD");
}

#[test]
fn a_formula_that_was_never_calculated_is_no_blank_cell() {
    let text =
        |at: &str, text: &str| format!("<c r='{at}' t='inlineStr'><is><t>{text}</t></is></c>");
    let sheet = [
        format!("<row r='1'>{}{}</row>", text("A1", "name"), text("B1", "amount")),
        format!("<row r='2'>{}<c r='B2'><f>1+1</f><v>2</v></c></row>", text("A2", "calculated")),
        format!("<row r='3'>{}<c r='B3'><f>B2*2</f><v></v></c></row>", text("A3", "blank")),
        format!("<row r='4'>{}<c r='B4'><f t='shared' si='0'/></c></row>", text("A4", "shared")),
        format!(
            "<row r='5'>{}<c r='B5' t='str'><f>\"\"</f><v></v></c></row>",
            text("A5", "no text")
        ),
    ];
    let (_, lines) =
        read(xlsx(&[("S", false, &sheet.concat())]), &catalog::Format::default()).unwrap();
    assert_eq!(lines.len(), 4);
    assert!(lines[0].ends_with("2: [\"calculated\",2]"), "{lines:?}");
    for (line, cell) in [(&lines[1], 3), (&lines[2], 4)] {
        let fault = format!("CellError {{ row: {cell}, column: 2, error: \"a formula without");
        assert!(line.contains(&fault), "{line}");
    }
    assert!(lines[3].ends_with("5: [\"no text\",null]"), "{lines:?}");
}

#[test]
fn a_whole_number_of_any_length_keeps_its_digits() {
    let drawn =
        ["A1=id B1=n", "A2=a B2=1234567890123456789", "A3=b B3=42", "A4=c B4=99999999999999999999"];
    let book = xlsx(&[("R&amp;D", false, &rows(&drawn))]);
    let (_, lines) = read(book, &catalog::Format::default()).unwrap();
    assert!(lines[0].ends_with("2: [\"a\",1234567890123456789]"), "{lines:?}");
    assert!(lines[1].ends_with("3: [\"b\",42]"), "{lines:?}");
    assert!(lines[2].ends_with("4: [\"c\",99999999999999999999]"), "{lines:?}");
}

#[test]
fn the_error_of_a_formula_in_xlsb_is_not_lost() {
    use std::io::Write;
    let record = |kind: u16, data: &[u8]| {
        let mut bytes = match kind {
            0..0x80 => vec![kind as u8],
            kind => vec![kind as u8, (kind >> 8) as u8],
        };
        bytes.push(data.len() as u8);
        bytes.extend_from_slice(data);
        bytes
    };
    let wide = |text: &str| {
        let mut bytes = (text.len() as u32).to_le_bytes().to_vec();
        bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        bytes
    };
    let cell = |column: u32, value: &[u8]| [&column.to_le_bytes()[..], &[0; 4], value].concat();
    let row = |row: u32| record(0, &row.to_le_bytes());
    let workbook = [
        record(0x019c, &[&[0; 8][..], &wide("r1"), &wide("S")].concat()),
        record(0x0190, &[]),
        record(0x019d, &[]),
    ];
    let sheet = [
        record(0x0194, &[0; 16]),
        record(0x0191, &[]),
        row(0),
        record(6, &cell(0, &wide("a"))),
        record(6, &cell(1, &wide("b"))),
        row(1),
        record(6, &cell(0, &wide("x"))),
        record(11, &cell(1, &[0x2a, 0, 0, 0, 0, 0, 0])),
        row(2),
        record(6, &cell(0, &wide("y"))),
        record(5, &cell(1, &1f64.to_le_bytes())),
        record(0x0192, &[]),
    ];
    let relations =
        "<Relationships><Relationship Id=\"r1\" Target=\"worksheets/sheet1.bin\"/></Relationships>";
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in [
        ("[Content_Types].xml", b"<Types/>".to_vec()),
        ("xl/workbook.bin", workbook.concat()),
        ("xl/_rels/workbook.bin.rels", relations.as_bytes().to_vec()),
        ("xl/worksheets/sheet1.bin", sheet.concat()),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    let book = zip.finish().unwrap().into_inner();
    let (_, lines) = read(book, &catalog::Format::default()).unwrap();
    assert_eq!(
        lines,
        [
            "[S] [\"a\", \"b\"]\nSome(2) CellError { row: 2, column: 2, error: \"#N/A\" } 2: [\"x\",\"#N/A\"]",
            "3: [\"y\",1]"
        ]
    );
}

#[test]
fn a_sheet_of_xlsb_that_lies_elsewhere_does_not_fill_the_memory() {
    use std::io::Write;
    let wide = |text: &str| {
        let length = (text.len() as u32).to_le_bytes();
        [length.to_vec(), text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat()
    };
    let sheet = [vec![0; 8], wide("r1"), wide("S")].concat();
    let workbook = [vec![0x9c, 1, sheet.len() as u8], sheet, vec![0x90, 3, 0]].concat();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in [
        ("[Content_Types].xml", &b"<Types/>"[..]),
        ("xl/workbook.bin", &workbook),
        (
            "xl/_rels/workbook.bin.rels",
            b"<Relationships><Relationship Id=\"r1\" Target=\"theme/x.bin\"/></Relationships>",
        ),
        // A record of 256 MiB.
        ("xl/theme/x.bin", b"\x81\x01\xff\xff\xff\x7f"),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    let error = read(zip.finish().unwrap().into_inner(), &catalog::Format::default()).unwrap_err();
    assert!(error.to_string().contains("lies where none does"), "{error}");
}

#[test]
fn styles_of_xlsb_that_are_read_from_the_middle_of_a_record_do_not_fill_the_memory() {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in [
        ("[Content_Types].xml", &b"<Types/>"[..]),
        ("xl/workbook.bin", b"\x90\x03\0"),
        ("xl/_rels/workbook.bin.rels", b"<Relationships/>"),
        // In a record of ten bytes there is what looks like the list of formats, of 256 MiB.
        ("xl/styles.bin", b"\x01\x0a\x00\xe7\x04\xff\xff\xff\x7f\0\0\0"),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    let error = read(zip.finish().unwrap().into_inner(), &catalog::Format::default()).unwrap_err();
    assert!(error.to_string().contains("max_row_bytes"), "{error}");
}

#[test]
fn sheets_are_never_mixed() {
    let book = || {
        xlsx(&[
            ("One", false, &rows(&["A1=a B1=b", "A2=x B2=1"])),
            ("Secret", true, &rows(&["A1=s", "A2=secret"])),
            ("Empty", false, ""),
            ("Two", false, &rows(&["A1=c B1=f", "A2=y B2=2", "A3=z B3=3"])),
        ])
    };
    let one = "[One] [\"a\", \"b\"]\n2: [\"x\",1]";
    let two = ["[Two] [\"c\", \"f\"]\n2: [\"y\",2]", "3: [\"z\",3]"];
    for (stated, expected) in [
        ("", &[one][..]),
        ("sheet = 'One'", &[one]),
        ("sheet = ' two'", &two),
        ("sheet = 4", &two),
        ("sheet = 'Secret'", &["[Secret] [\"s\"]\n2: [\"secret\"]"]),
        ("sheet = 'Empty'", &[]),
        ("sheet = '*'", &[one, two[0], two[1]]),
    ] {
        let (_, lines) = read(book(), &settings(stated)).unwrap();
        assert_eq!(lines, expected, "{stated}");
    }
    for stated in ["sheet = 'Three'", "sheet = 5"] {
        let error = read(book(), &settings(stated)).unwrap_err();
        assert_eq!(error.code(), "no_such_sheet");
        assert!(
            error.to_string().ends_with(r#"it has "One", "Secret", "Empty", "Two""#),
            "{error}"
        );
    }
}

#[test]
fn what_is_stated_of_the_header_wins() {
    let book =
        || xlsx(&[("S", false, &rows(&["A1=Title", "A2=a B2=b", "A3=x B3=y", "A4=u B4=v"]))]);
    for (stated, header, first) in [
        ("", r#"["a", "b"]"#, "3: "),
        ("header = true", r#"["a", "b"]"#, "3: "),
        ("header = false", r#"["column_1", "column_2"]"#, "1: [\"Title\",null]"),
        ("skip_lines = 2", r#"["x", "y"]"#, "4: "),
        ("header = false\nskip_lines = 2", r#"["column_1", "column_2"]"#, "3: "),
    ] {
        let (_, lines) = read(book(), &settings(stated)).unwrap();
        assert!(lines[0].starts_with(&format!("[S] {header}\n{first}")), "{stated}: {}", lines[0]);
    }
}

#[test]
fn a_column_that_comes_late_changes_the_head_and_loses_nothing() {
    let mut drawn = vec!["A1=a C1=c".to_owned()];
    drawn.extend((2..300).map(|row| format!("A{row}={row} C{row}=x")));
    drawn.push("B300=late D300=later".to_owned());
    let drawn: Vec<&str> = drawn.iter().map(String::as_str).collect();
    let (_, lines) =
        read(xlsx(&[("S", false, &rows(&drawn))]), &catalog::Format::default()).unwrap();
    assert_eq!(lines[0], "[S] [\"a\", \"c\"]\n2: [2,\"x\"]");
    assert_eq!(
        lines[298],
        "[S] [\"a\", \"column_2\", \"c\", \"column_4\"]\n300: [null,\"late\",null,\"later\"]"
    );
}

#[test]
fn a_workbook_that_is_cut_short_or_changed_is_an_error_or_rows_and_nothing_else() {
    let book = xlsx(&[("Deals", false, &rows(&DEALS))]);
    for length in (9..book.len()).step_by(7) {
        let error = read(book[..length].to_vec(), &catalog::Format::default()).unwrap_err();
        // Without the name of a part it is an archive as any other.
        let codes = ["damaged", "unsupported_format", "zip_truncated"];
        assert!(codes.contains(&error.code()), "{length}: {error}");
    }
    for at in (0..book.len()).step_by(3) {
        let mut changed = book.clone();
        changed[at] ^= 0x55;
        let _ = read(changed, &catalog::Format::default());
    }
}

#[test]
fn workbooks_of_others_with_changed_bytes_end_in_an_error_or_rows() {
    let Some(files) = fixtures() else { return };
    for name in ["date.xls", "issue_419.xlsb", "date.ods", "biff5_write.xls"] {
        for at in (0..files[name].len()).step_by(97) {
            let mut changed = files[name].clone();
            changed[at] ^= 0xff;
            let _ = read(changed, &catalog::Format::default());
        }
    }
}

#[test]
fn a_workbook_that_would_take_too_much_memory_is_refused_before_it_is_read() {
    let row = rows(&["A1=a B1=b", "A2=x B2=1"]);
    let sheets = [("S", false, row.as_str())];
    let limits =
        Limits { max_workbook_bytes: 1 << 20, max_row_bytes: 1 << 16, ..Limits::default() };
    let error_of =
        |book| read_within(book, &catalog::Format::default(), limits).unwrap_err().to_string();
    let announced = "<sst uniqueCount=\"999999999999\"><si><t>x</t></si></sst>";
    let error = error_of(xlsx_with(&sheets, announced));
    assert!(error.contains("announces more texts than it has"), "{error}");

    let many = format!("<sst>{}</sst>", "<si><t>x</t></si>".repeat(20_000));
    let error = error_of(xlsx_with(&sheets, &many));
    assert!(error.contains("max_workbook_bytes = 1048576"), "{error}");

    let long = format!("<sst><si><t>{}</t></si></sst>", "x".repeat(1 << 17));
    let error = error_of(xlsx_with(&sheets, &long));
    assert!(error.contains("max_row_bytes = 65536"), "{error}");

    let runs = format!("<c><is>{}</is></c>", "<t>0123456789</t>".repeat(10_000));
    let sheet = rows(&["A1=a B1=b"]) + "<row>" + &runs + "</row>";
    let error = error_of(xlsx(&[("S", false, &sheet)]));
    assert!(error.contains("max_row_bytes = 65536"), "{error}");

    // Many cells, each small, may go on as long as they like.
    let drawn: Vec<String> = (1..5_000).map(|row| format!("A{row}=text B{row}={row}")).collect();
    let drawn: Vec<&str> = drawn.iter().map(String::as_str).collect();
    let book = xlsx(&[("S", false, &rows(&drawn))]);
    let (_, lines) = read_within(book, &settings("header = false"), limits).unwrap();
    assert_eq!(lines.len(), 4_999);
}

#[test]
fn other_containers_are_named() {
    use std::io::Write;
    let zip = |names: &[&str]| {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for name in names {
            zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(b"<x/>").unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    let presentation = zip(&["[Content_Types].xml", "ppt/presentation.xml"]);
    let error = read(presentation, &catalog::Format::default()).unwrap_err();
    assert!(error.to_string().contains("PowerPoint"), "{error}");
    let mut file = cfb::CompoundFile::create(std::io::Cursor::new(Vec::new())).unwrap();
    file.create_stream("/WordDocument").unwrap().write_all(b"text").unwrap();
    let error = read(file.into_inner().into_inner(), &catalog::Format::default()).unwrap_err();
    assert!(error.to_string().contains("old Word document"), "{error}");
    let mut file = cfb::CompoundFile::create(std::io::Cursor::new(Vec::new())).unwrap();
    file.create_stream("/EncryptedPackage").unwrap().write_all(b"secret").unwrap();
    let error = read(file.into_inner().into_inner(), &catalog::Format::default()).unwrap_err();
    assert_eq!(error.code(), "encrypted");
}

#[test]
fn a_workbook_is_read_in_an_archive_which_stays_an_archive() {
    use std::io::Write;
    let book = xlsx(&[("Deals", false, &rows(&["A1=id", "A2=7", "A3=!#REF!"]))]);
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    // Stored: the names of the workbook's parts are in sight.
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in
        [("may.xlsx", &book[..]), ("june.csv", b"id\n8\n"), ("xl/july.xlsx", &book)]
    {
        zip.start_file(name, stored).unwrap();
        zip.write_all(bytes).unwrap();
    }
    let bytes = zip.finish().unwrap().into_inner();
    let settings = catalog::Format::default();
    let (mut rows, detected) =
        open(std::io::Cursor::new(bytes), Hints::default(), &settings, Limits::default()).unwrap();
    assert_eq!(detected.archive, Some(super::super::Archive::Zip));
    assert_eq!(detected.kind, catalog::FormatKind::Excel);
    let mut seen = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let part = row.head().part.clone().unwrap();
        let sheet = part.sheet.clone().unwrap_or_default();
        let raw = String::from_utf8_lossy(row.raw());
        seen.push(format!("{} {} {sheet} {raw}", row.number(), part.member.clone().unwrap()));
    }
    assert_eq!(
        seen,
        [
            "1 may.xlsx Deals [7]",
            "2 may.xlsx Deals [\"#REF!\"]",
            "3 june.csv  8",
            "4 xl/july.xlsx Deals [7]",
            "5 xl/july.xlsx Deals [\"#REF!\"]",
        ]
    );
}

#[test]
fn reading_a_workbook_goes_on_between_any_two_rows() {
    let book = xlsx(&[
        ("A", false, &rows(&["A1=id", "A2=7", "A3=8"])),
        ("B", false, &rows(&["A1=name", "A2=x", "A4=y"])),
    ]);
    let settings = settings("sheet = '*'");
    let of = |rows: &mut super::super::Rows| {
        let mut seen = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            let raw = String::from_utf8_lossy(row.raw()).into_owned();
            let head = (row.head().number, row.head().columns.clone());
            seen.push((row.number(), row.line(), head, raw));
        }
        seen
    };
    let input = || std::io::Cursor::new(book.clone());
    let (mut rows, detected) =
        open(input(), Hints::default(), &settings, Limits::default()).unwrap();
    let whole = of(&mut rows);
    assert_eq!(whole.len(), 4);
    for done in 0..=whole.len() {
        let at = Position { row: done as u64, ..Position::default() };
        assert!(!detected.can_seek(at));
        let (mut rows, _) = super::super::resume(
            input(),
            Some(&detected),
            at,
            Hints::default(),
            &settings,
            Limits::default(),
        )
        .unwrap();
        assert_eq!(of(&mut rows), whole[done..], "after {done} rows");
    }
}
