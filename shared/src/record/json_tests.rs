//! Rows of typed formats: cells that are JSON values, and heads that change.

use serde_json::json;

use super::mappings::tests::field;
use super::tests::{Converted, convert_all, plan};
use super::*;
use crate::catalog::{
    Field, FieldType, Format, FormatKind, MissingColumns, RecordSettings, RejectPolicy, Role,
    UnknownColumns,
};
use crate::format::listed::{self, Listed};
use crate::format::{self, Head, Hints, Limits, Part, Rows};

fn row(head: usize, cells: &[&str]) -> Listed {
    (head, cells.iter().map(|cell| (*cell).to_owned()).collect())
}

fn fit(rows: &Rows, fields: &[Field], settings: &RecordSettings) -> Mappings {
    Mappings::of_head(fields, settings, rows.head(), true).expect("fits")
}

fn run_with(
    heads: Vec<Head>,
    rows: Vec<Listed>,
    fields: &[Field],
    settings: &RecordSettings,
) -> Converted {
    let mut rows = listed::rows(heads, rows);
    let mut mappings = fit(&rows, fields, settings);
    convert_all(&mut rows, &mut mappings, &plan())
}

fn run(heads: Vec<Head>, rows: Vec<Listed>, fields: &[Field]) -> Converted {
    run_with(heads, rows, fields, &RecordSettings::default())
}

/// The values of the only batch, as they are written.
fn written(converted: &Converted) -> String {
    let batches = converted.batches();
    String::from_utf8(batches[0].json.clone()).expect("UTF-8")
}

#[test]
fn a_table_without_rows_and_without_a_required_column_fails() {
    let fields = [Field { required: true, ..field("b", "b", FieldType::Text) }];
    let member = |name: &str| Some(Part { member: Some(name.to_owned()), sheet: None });
    for (first, last, fits) in [
        (&["a", "b"][..], &["a", "b"][..], true),
        (&["a"], &["a"], false),
        (&["a", "b"], &[], true),
        (&[], &["a", "b"], true),
        (&[], &[], false),
    ] {
        let first = listed::head(0, first, member("1"));
        let mappings = Mappings::of_head(&fields, &RecordSettings::default(), &first, true);
        let checked =
            mappings.expect("fits").check_without_rows(&listed::head(1, last, member("2")));
        assert_eq!(checked.is_ok(), fits, "{first:?} {last:?}");
    }
    let heads = vec![listed::head(0, &["a"], None)];
    let error = run(heads, vec![], &fields).ended.expect_err("no b").cause;
    assert_eq!(error.failure().code, "missing_column");
}

fn reasons(converted: &Converted) -> Vec<(u64, String, serde_json::Value)> {
    converted.reasons()
}

#[test]
fn untyped_values_go_through_digit_by_digit() {
    let cells =
        ["1.10", "123456789012345678901234567890", "{\"a\":[1e5,null]}", "\"\\u00e9\"", "-0"];
    let heads = vec![listed::head(0, &["a", "b", "c", "d", "e"], None)];
    let renamed = Field { kind: None, ..field("b", "big", FieldType::Text) };
    let converted = run(heads, vec![row(0, &cells)], &[renamed]);
    let expected = concat!(
        r#""values":{"a":1.10,"big":123456789012345678901234567890,"#,
        r#""c":{"a":[1e5,null]},"d":"\u00e9","e":-0}}"#
    );
    assert!(written(&converted).ends_with(expected), "{}", written(&converted));
}

#[test]
fn typed_fields_take_a_value_as_they_would_take_its_text() {
    let fields = [
        field("t", "t", FieldType::Text),
        field("i", "i", FieldType::Integer),
        field("d", "d", FieldType::Decimal),
        field("b", "b", FieldType::Boolean),
        field("date", "date", FieldType::Date),
        field("j", "j", FieldType::Json),
    ];
    let heads = vec![listed::head(0, &["t", "i", "d", "b", "date", "j"], None)];
    let rows = vec![
        row(0, &["1.50", "\" 007 \"", "1.50", "true", "\"2026-02-01\"", "{\"a\":1.0}"]),
        row(0, &["true", "12", "\"\\u0031\"", "\"yes\"", "null", "\"[1, 2]\""]),
        row(0, &["\"a\\\"b\"", "null", "\"\"", "0", "\"\"", "null"]),
    ];
    let converted = run(heads, rows, &fields);
    let values: Vec<_> = converted.records().iter().map(|r| r["values"].clone()).collect();
    assert_eq!(
        values,
        [
            json!({"t": "1.50", "i": 7, "d": "1.50", "b": true, "date": "2026-02-01", "j": {"a": 1.0}}),
            json!({"t": "true", "i": 12, "d": "1", "b": true, "date": null, "j": [1, 2]}),
            json!({"t": "a\"b", "i": null, "d": null, "b": false, "date": null, "j": null}),
        ]
    );
}

#[test]
fn small_and_large_numbers_of_a_typed_file_are_decimals() {
    let min = Some("0.000002".to_owned());
    let fields =
        [Field { role: Some(Role::Id), min, unique: true, ..field("d", "d", FieldType::Decimal) }];
    let heads = vec![listed::head(0, &["d"], None)];
    let cells =
        ["2.5e-6", "1e21", "1E+2", "100", "1e-6", "1e999999999", "\"1e5\"", "true", "100.0"];
    let converted = run(heads, cells.iter().map(|cell| row(0, &[cell])).collect(), &fields);
    let records = converted.records();
    let values: Vec<_> = records.iter().map(|record| record["values"]["d"].clone()).collect();
    assert_eq!(values, ["0.0000025", "1000000000000000000000", "100"]);
    assert_eq!(records[0]["id"], "0.0000025");
    let codes: Vec<_> = reasons(&converted).into_iter().map(|(row, code, _)| (row, code)).collect();
    let expected = [
        (4, "duplicate_value"),
        (5, "out_of_range"),
        (6, "invalid_decimal"),
        (7, "invalid_decimal"),
        (8, "invalid_decimal"),
        (9, "duplicate_value"),
    ];
    assert_eq!(codes, expected.map(|(row, code)| (row, code.to_owned())));
}

#[test]
fn what_no_text_of_the_type_could_be_is_a_reject() {
    let fields = [field("a", "a", FieldType::Text), field("i", "i", FieldType::Integer)];
    let heads = vec![listed::head(0, &["a", "i", "x"], None)];
    let rows = vec![
        row(0, &["{\"b\":1}", "1", "1"]),
        row(0, &["\"\"", "[1]", "1"]),
        row(0, &["\"\"", "1.5", "1"]),
        row(0, &["\"\"", "true", "1"]),
        row(0, &["\"\"", "1", "\"\\ud800\""]),
        row(0, &["\"\\udc00\"", "1", "1"]),
    ];
    let converted = run(heads, rows, &fields);
    let expected = [
        (1, "nested_value", json!("a")),
        (2, "nested_value", json!("i")),
        (3, "invalid_integer", json!("i")),
        (4, "invalid_integer", json!("i")),
        (5, "invalid_utf8", json!("x")),
        (6, "invalid_utf8", json!("a")),
    ];
    let expected: Vec<_> =
        expected.map(|(row, code, column)| (row, code.to_owned(), column)).into();
    assert_eq!(reasons(&converted), expected);
    assert_eq!(converted.rejects()[0]["raw"], "[{\"b\":1},1,1]");
    assert_eq!(converted.rejects()[0]["byte_offset"], json!(null));
}

#[test]
fn rows_have_the_columns_that_they_have() {
    let heads = vec![
        listed::head(3, &["id", "a", "b"], None),
        listed::head(5, &["b", "c"], None),
        listed::head(7, &["ID", "a"], None),
        listed::head(9, &["Id", "ID"], None),
    ];
    let id = Field { role: Some(Role::Id), kind: None, ..field("id", "id", FieldType::Text) };
    let rows = vec![
        row(0, &["1", "", "\"x\""]),
        row(1, &["2", "3"]),
        row(2, &["\"2\"", "null"]),
        row(0, &["", "1", "1"]),
        row(0, &["null", "1", "1"]),
        row(3, &["1", "2"]),
        row(0, &["3", "", ""]),
    ];
    let converted = run(heads, rows, &[id]);
    let expected = [
        json!({"op": "upsert", "id": "1", "row": 1, "values": {"id": 1, "b": "x"}}),
        json!({"op": "upsert", "id": "2", "row": 3, "values": {"id": "2", "a": null}}),
        json!({"op": "upsert", "id": "3", "row": 7, "values": {"id": 3}}),
    ];
    assert_eq!(converted.records(), expected);
    let expected = [
        (2, "missing_column".to_owned(), json!("id")),
        (4, "missing_column".to_owned(), json!("id")),
        (5, "missing_value".to_owned(), json!("id")),
        (6, "ambiguous_column".to_owned(), json!("id")),
    ];
    assert_eq!(reasons(&converted), expected);
    let counters = converted.counters();
    assert_eq!((counters.rows, counters.records, counters.rejects), (7, 3, 4));
}

#[test]
fn absent_columns_are_left_out_or_null_or_have_their_default() {
    let fields = [
        field("a", "a", FieldType::Integer),
        Field { default: Some("0".to_owned()), ..field("b", "b", FieldType::Integer) },
    ];
    let with = |missing_columns| {
        let settings = RecordSettings { missing_columns, ..RecordSettings::default() };
        let heads = vec![listed::head(0, &["a", "b"], None), listed::head(1, &["x"], None)];
        let rows = vec![row(0, &["", ""]), row(1, &["1"])];
        run_with(heads, rows, &fields, &settings)
    };
    let values = |converted: &Converted| -> Vec<_> {
        converted.records().iter().map(|record| record["values"].clone()).collect()
    };
    assert_eq!(values(&with(MissingColumns::Pass)), [json!({"b": 0}), json!({"x": 1, "b": 0})]);
    let expected = [json!({"a": null, "b": 0}), json!({"x": 1, "a": null, "b": 0})];
    assert_eq!(values(&with(MissingColumns::Null)), expected);
    let refused = with(MissingColumns::Reject);
    assert_eq!(
        reasons(&refused),
        [
            (1, "missing_column".to_owned(), json!("a")),
            (2, "missing_column".to_owned(), json!("a")),
        ]
    );
}

#[test]
fn unknown_columns_of_a_row_are_its_own() {
    let fields = [field("a", "a", FieldType::Integer)];
    let with = |unknown_columns| {
        let settings = RecordSettings { unknown_columns, ..RecordSettings::default() };
        let heads = vec![listed::head(0, &["x", "a"], None)];
        run_with(heads, vec![row(0, &["", "1"]), row(0, &["null", "2"])], &fields, &settings)
    };
    let dropped = with(UnknownColumns::Drop);
    assert_eq!(dropped.records()[1]["values"], json!({"a": 2}));
    let refused = with(UnknownColumns::Reject);
    assert_eq!(refused.records().len(), 1);
    assert_eq!(reasons(&refused), [(2, "unknown_column".to_owned(), json!("x"))]);
}

#[test]
fn a_batch_is_of_one_part() {
    let part = |member: &str, sheet: Option<&str>| {
        let sheet = sheet.map(str::to_owned);
        Some(Part { member: Some(member.to_owned()), sheet })
    };
    let heads = vec![
        listed::head(0, &["n"], part("a", None)),
        listed::head(1, &["m"], part("a", None)),
        listed::head(2, &["n"], part("b", Some("s"))),
    ];
    let rows = vec![
        row(0, &["1"]),
        row(1, &["1"]),
        row(2, &["1"]),
        row(2, &["\"x\""]),
        row(2, &["1"]),
        row(0, &["1"]),
    ];
    let converted = run(heads, rows, &[field("n", "n", FieldType::Integer)]);
    let batches: Vec<_> = converted
        .batches()
        .iter()
        .map(|batch| {
            let member = batch.part.as_ref().and_then(|part| part.member.clone());
            (member.unwrap_or_default(), batch.first_row, batch.last_row, batch.end.row)
        })
        .collect();
    let expected = [("a", 1, 2, 2), ("b", 3, 5, 5), ("a", 6, 6, 6)];
    assert_eq!(batches, expected.map(|(member, a, b, end)| (member.to_owned(), a, b, end)));
    for batch in converted.batches() {
        assert_eq!(batch.counters.rows, batch.end.row);
        assert!(batch.counters.account_for_every_row());
    }
    let reject = &converted.rejects()[0];
    assert_eq!((&reject["member"], &reject["sheet"]), (&json!("b"), &json!("s")));
}

#[test]
fn places_of_rows_without_bytes_are_their_numbers() {
    let heads = vec![listed::head(0, &["n"], None)];
    let all = (0..10).map(|n| row(0, &[&n.to_string()])).collect();
    let mut rows = listed::rows(heads, all);
    let mut mappings = fit(&rows, &[], &RecordSettings::default());
    let limits = BatchLimits { max_bytes: 10_000, max_records: 3 };
    let converted = convert_all(&mut rows, &mut mappings, &Plan { limits, ..plan() });
    let ends: Vec<_> = converted.batches().iter().map(|b| (b.end.row, b.end.byte_offset)).collect();
    assert_eq!(ends, [(3, 0), (6, 0), (9, 0), (10, 0)]);
    assert_eq!(converted.counters().bytes_read, 0);
}

#[test]
fn plain_csv_of_values_has_one_header_and_refuses_what_is_not_under_it() {
    let heads = vec![
        listed::head(0, &["a", "b"], None),
        listed::head(1, &["b", "c"], None),
        listed::head(2, &["b"], None),
    ];
    let all = vec![
        row(0, &["\"x, \\\"y\\\"\\n\"", "1.50"]),
        row(1, &["2", ""]),
        row(1, &["2", "3"]),
        row(2, &["{\"k\":[1,2]}"]),
        row(0, &["null", "true"]),
    ];
    let optional = field("d", "declared", FieldType::Text);
    let mut rows = listed::rows(heads, all);
    let mut mappings = fit(&rows, &[optional], &RecordSettings::default());
    let (mut out, mut rejected) = (Vec::new(), Vec::new());
    let counters = plain::csv(&mut rows, &mut mappings, &mut out, &mut |reject| {
        rejected.push((reject.row, reject.code, reject.column.map(str::to_owned)));
    })
    .expect("written");
    assert_eq!(
        String::from_utf8_lossy(&out),
        "a,b,declared\r\n\"x, \"\"y\"\"\n\",1.50,\r\n,2,\r\n,\"{\"\"k\"\":[1,2]}\",\r\n,true,\r\n"
    );
    assert_eq!(rejected, [(3, RejectCode::UnknownColumn, Some("c".to_owned()))]);
    assert!(counters.account_for_every_row());
}

#[test]
fn a_damaged_first_row_does_not_take_the_columns_of_the_others_along() {
    let text = "{\"a\":1,}\n{\"a\":1}\n{\"a\":\"\\ud800\"}\n{\"a\":2}\n";
    let settings = Format { kind: Some(FormatKind::Jsonl), ..Format::default() };
    let csv = |text: &'static str| {
        let input = std::io::Cursor::new(text);
        let (mut rows, _) =
            format::open(input, Hints::default(), &settings, Limits::default()).expect("opens");
        let mut mappings = fit(&rows, &[], &RecordSettings::default());
        let (mut out, mut rejected) = (Vec::new(), Vec::new());
        let counters = plain::csv(&mut rows, &mut mappings, &mut out, &mut |reject| {
            rejected.push(reject.row);
        })
        .expect("written");
        assert!(counters.account_for_every_row());
        (String::from_utf8(out).expect("UTF-8"), rejected)
    };
    assert_eq!(csv(text), ("a\r\n1\r\n2\r\n".to_owned(), vec![1, 3]));
    // The row that has the names is refused for a value.
    let refused = "{\"a\":\"\\ud800\"}\n{\"a\":1}\n{\"a\":2}\n";
    assert_eq!(csv(refused), ("a\r\n1\r\n2\r\n".to_owned(), vec![1]));
    assert_eq!(csv("{\"a\":1,}\n{\"b\":}\n"), (String::new(), vec![1, 2]));
}

#[test]
fn plain_lines_of_values_have_the_columns_of_each_row() {
    let heads = vec![listed::head(0, &["a", "b"], None), listed::head(1, &["c"], None)];
    let mut rows =
        listed::rows(heads, vec![row(0, &["", "1"]), row(1, &["[]"]), row(0, &["", ""])]);
    let mut mappings = fit(&rows, &[], &RecordSettings::default());
    let mut out = Vec::new();
    plain::ndjson(&mut rows, &mut mappings, &mut out, &mut |reject| panic!("{reject:?}"))
        .expect("written");
    assert_eq!(String::from_utf8_lossy(&out), "{\"b\":1}\n{\"c\":[]}\n{}\n");
}

#[test]
fn a_large_value_is_refused_before_it_is_copied() {
    let heads = vec![listed::head(0, &["a", "b"], None)];
    let long = format!("\"{}\"", "x".repeat(1000));
    let rows = vec![row(0, &["1", &long]), row(0, &["1", "2"])];
    let mut rows = listed::rows(heads, rows);
    let mut mappings = fit(&rows, &[], &RecordSettings::default());
    let limits = BatchLimits { max_bytes: 200, max_records: 100 };
    let converted = convert_all(&mut rows, &mut mappings, &Plan { limits, ..plan() });
    assert_eq!(reasons(&converted), [(1, "record_too_large".to_owned(), json!("b"))]);
    assert_eq!(converted.records().len(), 1);
}

#[test]
fn strict_limits_are_checked_over_values_too() {
    let heads = vec![listed::head(0, &["n"], None)];
    let all = vec![row(0, &["1"]), row(0, &["\"x\""])];
    let rejects = RejectPolicy { max_count: Some(0), strict: true, ..RejectPolicy::default() };
    let mut rows = listed::rows(heads, all);
    let mut mappings =
        fit(&rows, &[field("n", "n", FieldType::Integer)], &RecordSettings::default());
    let mut lines = 0;
    let ended = check(&mut rows, &mut mappings, &Plan { rejects, ..plan() }, &mut |rejects| {
        lines += rejects.count;
        Ok(())
    });
    let failed = ended.expect_err("one is too many");
    assert_eq!(failed.cause.failure().code, "too_many_rejects");
    assert_eq!((lines, failed.counters.records, failed.counters.batches), (1, 1, 0));
}

#[test]
fn a_row_with_an_error_in_a_cell_is_a_reject_that_names_the_cell() {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let kind = "http://x/relationships/";
    for (name, text) in [
        ("[Content_Types].xml", "<Types/>".to_owned()),
        (
            "_rels/.rels",
            format!(
                "<Relationships><Relationship Id='a' Type='{kind}officeDocument' Target='xl/workbook.xml'/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            "<workbook><sheets><sheet name='S' r:id='r'/></sheets></workbook>".to_owned(),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships><Relationship Id='r' Type='{kind}worksheet' Target='s.xml'/></Relationships>"
            ),
        ),
        (
            "xl/s.xml",
            "<worksheet><sheetData><row><c r='A1' t='inlineStr'><is><t>id</t></is></c></row>\
             <row><c r='A2'><v>7</v></c></row><row><c r='A3' t='e'><v>#REF!</v></c></row>\
             <row><c r='A4'><v>8</v></c></row></sheetData></worksheet>"
                .to_owned(),
        ),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).expect("written");
        zip.write_all(text.as_bytes()).expect("written");
    }
    let book = std::io::Cursor::new(zip.finish().expect("written").into_inner());
    let settings = crate::catalog::Format::default();
    let (hints, limits) = (crate::format::Hints::default(), crate::format::Limits::default());
    let (mut rows, _) = crate::format::open(book, hints, &settings, limits).expect("a workbook");
    let mut mappings = fit(&rows, &[], &RecordSettings::default());
    let converted = convert_all(&mut rows, &mut mappings, &plan());
    let rejects = format!("{:?}", converted.rejects());
    assert!(rejects.contains("cell_error"), "{rejects}");
    assert!(rejects.contains("the cell A3 holds the error #REF!"), "{rejects}");
    assert!(written(&converted).contains("\"values\":{\"id\":8}"), "{}", written(&converted));
}
