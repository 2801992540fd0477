//! What stands above the table of a sheet, and what only seems to.

use super::super::super::{Hints, Shape, open};
use super::beyond::sheet;
use super::*;
use crate::catalog::Field;

fn fields(names: &[&str]) -> Vec<Field> {
    names.iter().map(|name| Field { column: (*name).to_owned(), ..Field::default() }).collect()
}

fn opened(book: Vec<u8>, hints: Hints<'_>, toml: &str) -> Detected {
    open(std::io::Cursor::new(book), hints, &settings(toml), Limits::default()).unwrap().1
}

#[test]
fn a_note_beside_a_row_costs_neither_the_header_nor_the_rows_above_it() {
    let drawn = ["A1=Name B1=City", "A2=Ann B2=Paris", "A3=Bob B3=Rome C3=moved", "A4=Cy B4=Oslo"];
    let (detected, lines) = sheet(&drawn, "");
    assert_eq!(detected.columns, ["Name", "City", "column_3"]);
    assert!(lines[0].ends_with("2: [\"Ann\",\"Paris\",null]"), "{lines:?}");
    assert_eq!(lines[1..], ["3: [\"Bob\",\"Rome\",\"moved\"]", "4: [\"Cy\",\"Oslo\",null]"]);
    let (detected, lines) = sheet(&["A1=Name", "A2=Ann", "A3=Bob B3=x", "A4=Cy"], "");
    assert_eq!((&detected.columns[..], lines.len()), (&["Name".into(), "column_2".into()][..], 3));
}

#[test]
fn a_small_table_above_a_wider_one_is_read_and_the_wider_one_rejected() {
    let wide = ["A5=Product B5=Price C5=Stock", "A6=w B6=1.5 C6=3", "A7=x B7=2.5 C7=4"];
    let (detected, lines) =
        sheet(&[&["A1=id B1=n", "A2=1 B2=a", "A3=2 B3=b"][..], &wide].concat(), "");
    assert_eq!(detected.columns[..2], ["id", "n"]);
    assert_eq!(lines.len(), 5);
    assert!(lines[1].starts_with("3: [2,\"b\""), "{lines:?}");
    assert!(lines[2..].iter().all(|line| line.contains("OtherTable")), "{lines:?}");
    let texts = ["A1=Key B1=Word", "A2=k B2=a", "A3=l B3=b"];
    let (_, lines) = sheet(&[&texts[..], &wide].concat(), "");
    assert!(lines[2..].iter().all(|line| line.contains("OtherTable")), "of texts: {lines:?}");
    // Labels and values are no table.
    let labels = ["A1=Customer B1=ACME", "A2=Period B2=2024"];
    let (detected, lines) = sheet(&[&labels[..], &wide].concat(), "");
    assert_eq!((detected.columns.len(), lines.len()), (3, 2));
}

#[test]
fn a_list_below_its_title_has_the_name_that_stands_over_it() {
    let addresses = ["A4=a@example.org", "A5=b@example.org", "A6=c@example.org"];
    let (detected, lines) = sheet(&[&["A1=Everybody", "A3=email"][..], &addresses].concat(), "");
    assert_eq!((&detected.columns[..], lines.len()), (&["email".to_owned()][..], 3));
}

#[test]
fn the_first_row_is_the_header_where_it_is_stated_that_nothing_is_above() {
    let drawn = ["A1=Customer B1=ACME", "A3=a B3=b C3=c", "A4=x B4=1 C4=2"];
    assert_eq!(sheet(&drawn, "").0.columns, ["a", "b", "c"]);
    let (detected, lines) = sheet(&drawn, "preamble = false");
    assert_eq!((&detected.columns[..2], lines.len()), (&["Customer".into(), "ACME".into()][..], 2));
}

#[test]
fn the_row_that_names_the_columns_of_the_definition_is_the_header() {
    let drawn = ["A1=Customer B1=ACME", "A2=Period B2=May", "A4=Name B4=City", "A5=Ann B5=Paris"];
    let book = || xlsx(&[("S", false, &rows(&drawn))]);
    let fields = fields(&["name", "City"]);
    let hints = Hints { fields: &fields, ..Hints::default() };
    assert_eq!(opened(book(), hints, "").columns, ["Name", "City"]);
    assert_eq!(opened(book(), Hints::default(), "").columns, ["Customer", "ACME"]);
    for toml in ["preamble = false", "header = 2", "header = false", "skip_lines = 1"] {
        assert_ne!(opened(book(), hints, toml).columns, ["Name", "City"], "{toml}");
    }
}

#[test]
fn a_label_that_is_the_only_name_of_the_definition_is_not_the_header() {
    let drawn = ["A1=Name B1=ACME", "A2=Period B2=2024", "A4=ID B4=Name C4=Sum", "A5=a B5=b C5=1"];
    let fields = fields(&["Name"]);
    let hints = Hints { fields: &fields, ..Hints::default() };
    let detected = opened(xlsx(&[("S", false, &rows(&drawn))]), hints, "");
    assert_eq!(detected.columns, ["ID", "Name", "Sum"]);
}

#[test]
fn the_row_with_the_names_of_the_file_before_is_the_header() {
    let before = ["A1=Name B1=City", "A2=Ann B2=5", "A3=Bob B3=7 C3=note"];
    let before = opened(xlsx(&[("S", false, &rows(&before))]), Hints::default(), "");
    assert_eq!(before.columns, ["Name", "City", "column_3"]);
    let expected = Shape::of(&before).expected();
    let today = ["A1=All B1=May", "A2=Name B2=City", "A3=Cy B3=Oslo", "A4=Di B4=Bonn C4=x"];
    let hints = Hints { expected: Some(&expected), ..Hints::default() };
    let today = opened(xlsx(&[("S", false, &rows(&today))]), hints, "");
    assert_eq!(today.columns, ["Name", "City", "column_3"]);
    assert!(today.evidence.iter().any(|why| why.ends_with("the names of the file before")));
}

#[test]
fn names_of_several_rows_that_the_definition_knows_are_not_torn_apart() {
    let drawn = ["A1=Region B1=Sold", "B2=May C2=June", "A3=Nord B3=1 C3=2", "A4=West B4=3 C4=4"];
    let book = || xlsx(&[("S", false, &rows(&drawn))]);
    let joined = ["Region", "Sold / May", "Sold / June"];
    for names in [&["Region"][..], &["Region", "Sold / May"]] {
        let fields = fields(names);
        let hints = Hints { fields: &fields, ..Hints::default() };
        assert_eq!(opened(book(), hints, "").columns, joined);
    }
}

#[test]
fn a_cover_is_passed_over_for_the_sheet_with_the_columns_of_the_definition() {
    let cover = rows(&["A1=About", "A2=Version B2=1.2", "A3=Author B3=Ann"]);
    let data = rows(&["A1=id B1=n C1=v", "A2=1 B2=a C2=2"]);
    let book = || xlsx(&[("Cover", false, &cover), ("Old", true, &data), ("Data", false, &data)]);
    let defined = fields(&["id", "v"]);
    let hints = Hints { fields: &defined, ..Hints::default() };
    let detected = opened(book(), hints, "");
    assert_eq!(detected.columns, ["id", "n", "v"]);
    let said = "sheet \"Data\": the first visible one with the columns of the definition";
    assert!(detected.evidence.iter().any(|why| why == said), "{:?}", detected.evidence);
    assert_ne!(opened(book(), hints, "sheet = 1").columns, ["id", "n", "v"]);
    // A name alone, or names that no sheet has, tell nothing.
    for names in [&["id"][..], &["x", "y"]] {
        let fields = fields(names);
        let hints = Hints { fields: &fields, ..Hints::default() };
        let detected = opened(book(), hints, "");
        assert!(detected.evidence.iter().any(|why| why.contains("\"Cover\": the first visible")));
    }
}
