//! What stands above the table of a sheet, and what only seems to.

use super::beyond::sheet;

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
