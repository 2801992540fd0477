//! What stands around the table of a sheet.

use super::*;

pub(super) fn sheet(drawn: &[&str], toml: &str) -> (Detected, Vec<String>) {
    read(xlsx(&[("S", false, &rows(drawn))]), &settings(toml)).unwrap()
}

#[test]
fn headings_over_several_columns_are_joined_with_the_names_below_them() {
    let sold = ["A1=Region B1=Sold D1=Left", "B2=May C2=June D2=May E2=June"];
    let values = ["A3=Nord B3=1 C3=2 D3=3 E3=4", "A4=West B4=5 C4=6 D4=7 E4=8"];
    let (detected, lines) = sheet(&[&sold[..], &values].concat(), "");
    let joined = ["Region", "Sold / May", "Sold / June", "Left / May", "Left / June"];
    assert_eq!(detected.columns, joined);
    assert_eq!(lines.len(), 2);
    // The names alone, if so it is stated; or more rows than anybody would guess.
    let years = ["B1=2023 D1=2024", "A2=Region B2=May C2=June D2=May E2=June"];
    let (detected, _) = sheet(&[&years[..], &values].concat(), "");
    assert_eq!(detected.columns[..3], ["Region", "2023 / May", "2023 / June"]);
    let plain = ["A1=Size B1=Size", "A2=kg B2=cm", "A3=1 B3=2"];
    assert_eq!(sheet(&plain, "header = 2").0.columns, ["Size / kg", "Size / cm"]);
}

#[test]
fn a_row_of_units_is_no_row() {
    let drawn = ["A1=Name B1=Weight", "B2=kg", "A3=x B3=1", "A4=y B4=2"];
    assert_eq!(sheet(&drawn, "").1.len(), 2);
    assert_eq!(sheet(&drawn, "units_row = false").1.len(), 3);
}

#[test]
fn a_row_that_sums_up_the_others_is_a_reject_unless_footers_are_stated() {
    let drawn = [
        "A1=Name B1=Weight C1=Price",
        "A2=x B2=1 C2=1",
        "A3=Total B3=2 C3=2",
        "A4=y B4=2 C4=2",
        "A5=Total B5=3",
        "A7=Source",
    ];
    // Rows in the test's XML have no numbers of their own, but their cells do.
    let (_, lines) = sheet(&drawn, "");
    assert_eq!(lines.len(), 5);
    assert!(!lines[1].contains("PossibleFooter"), "rows follow it: {}", lines[1]);
    assert!(lines[3].contains("Some(5) PossibleFooter"), "{}", lines[3]);
    assert!(lines[4].contains("Some(7) PossibleFooter"), "{}", lines[4]);
    let (_, lines) = sheet(&drawn, "skip_footer_lines = 2");
    assert_eq!(lines.len(), 3);
    let (_, lines) = sheet(&drawn, "skip_footer_lines = 0");
    assert!(lines.len() == 5 && !lines.concat().contains("Footer"), "{lines:?}");
}

#[test]
fn a_second_table_below_gives_no_rows_of_the_first() {
    let first = ["A1=ID B1=Name", "A2=1 B2=x", "A4=2 B4=y"];
    let second = ["A6=Stock", "A7=SKU B7=Price C7=Note", "A8=s B8=1.5 C8=x", "A9=t B9=2 C9=y"];
    let (_, lines) = sheet(&[&first[..], &second].concat(), "");
    assert_eq!(lines.len(), 6, "{lines:?}");
    assert!(lines[1].contains("[2,\"y\""), "a blank row alone divides nothing: {}", lines[1]);
    assert!(lines[2..].iter().all(|line| line.contains("OtherTable")), "{lines:?}");
    assert!(lines[4].contains("[\"s\",1.5,\"x\"]"), "{}", lines[4]);
    let (_, lines) = sheet(&[&first[..], &["A6=3 B6=z", "A7=4 B7=w"]].concat(), "");
    assert!(!lines.concat().contains("OtherTable"), "{lines:?}");
}

#[test]
fn a_cell_beyond_the_last_one_of_a_sheet_is_an_error_and_no_overflow() {
    let book = xlsx(&[("S", false, &rows(&["A1=a B1=b", "A2=1 ZZZ2=2"]))]);
    let error = read(book, &settings("")).unwrap_err().to_string();
    assert!(error.contains("XFD1048576"), "{error}");
}

#[test]
fn the_header_once_more_is_no_row() {
    let drawn = ["A1=ID B1=Name", "A2=1 B2=x", "A3=ID B3=Name", "A4=2 B4=y"];
    let (_, lines) = sheet(&drawn, "");
    assert!(lines.len() == 3 && lines[1].contains("RepeatedHeader"), "{lines:?}");
}

#[test]
fn a_list_of_sheets_or_relations_that_would_take_too_much_memory_is_refused() {
    use std::io::Write;
    let limits = Limits { max_workbook_bytes: 1 << 20, ..Limits::default() };
    for (part, begin, entry, end) in [
        ("xl/workbook.xml", "<workbook><sheets>", "<sheet name=\"a\"/>", "</sheets></workbook>"),
        ("xl/_rels/workbook.xml.rels", "<Relationships>", "<Relationship/>", "</Relationships>"),
    ] {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, text) in [
            ("[Content_Types].xml", "<Types/>".to_owned()),
            ("_rels/.rels", "<Relationships/>".to_owned()),
            (part, format!("{begin}{}{end}", entry.repeat(80_000))),
        ] {
            zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        let book = zip.finish().unwrap().into_inner();
        let error = read_within(book, &catalog::Format::default(), limits).unwrap_err();
        assert_eq!(error.code(), "takes_too_much_memory", "{part}: {error}");
    }
}

#[test]
fn white_space_and_line_breaks_are_no_part_of_a_name() {
    let text = |at: &str, text: &str| {
        format!("<c r='{at}' t='inlineStr'><is><t xml:space='preserve'>{text}</t></is></c>")
    };
    let names = [text("A1", "ID "), text("B1", " Unit&#10;price"), text("C1", "  ")].concat();
    let again = [text("A3", "ID "), text("B3", " Unit&#10;price"), text("C3", "  ")].concat();
    let values = rows(&["A2=1 B2=x C2=y"]);
    let sheet = format!("<row>{names}</row>{values}<row>{again}</row>");
    let (detected, lines) = read(xlsx(&[("S", false, &sheet)]), &settings("")).unwrap();
    assert_eq!(detected.columns, ["ID", "Unit price", "column_3"]);
    assert!(lines.len() == 2 && lines[1].contains("RepeatedHeader"), "{lines:?}");
}
