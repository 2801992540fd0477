//! Rules of fields over whole files: null values, defaults, checks, unique columns, ragged rows.

use std::io::Cursor;

use serde_json::{Value, json};

use super::mappings::tests::field;
use super::tests::{Converted, convert_all, plan, run_with};
use super::*;
use crate::catalog::{
    Field, FieldType, Format, LongRows, OnReject, Reading, RecordSettings, RejectPolicy, ShortRows,
    Source,
};
use crate::format::{self, Hints, Limits};

/// The source of these lines of TOML.
fn source(more: &str) -> Source {
    let text = format!("key = 's'\nconnection = 'inlet'\nbucket = 'drop'\n{more}");
    Source::from_toml("s.toml", &text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn run(more: &str, bytes: &str) -> Converted {
    let source = source(more);
    run_with(bytes.as_bytes(), &source.fields, &source.records, &plan())
}

fn values(converted: &Converted) -> Vec<Value> {
    converted.records().iter().map(|record| record["values"].clone()).collect()
}

fn codes(converted: &Converted) -> Vec<(u64, String)> {
    converted.reasons().into_iter().map(|(row, code, _)| (row, code)).collect()
}

#[track_caller]
fn refused(converted: &Converted, expected: &[(u64, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(row, code)| (*row, (*code).to_owned())).collect();
    assert_eq!(codes(converted), expected);
}

#[test]
fn null_values_are_of_the_source_or_of_a_field() {
    let converted = run(
        "[records]\nnull_values = ['', 'NULL']\n[fields]\nb = { null_values = 'N/A' }\n\
         c = { type = 'integer', null_values = [-1] }",
        "a,b,c,d\nNULL,NULL,-1,x\n, N/A ,,NULL\n null ,,5,\n",
    );
    assert_eq!(
        values(&converted),
        [
            json!({"a": null, "b": "NULL", "c": null, "d": "x"}),
            json!({"a": null, "b": null, "c": null, "d": null}),
            json!({"a": " null ", "b": "", "c": 5, "d": null}),
        ]
    );
}

#[test]
fn without_types_and_rules_text_is_as_written() {
    let text = "a,b,c\n007,1.10,123456789012345678901234567890\n 1.5 ,1e5,NULL\n";
    assert_eq!(
        values(&run("", text)),
        [
            json!({"a": "007", "b": "1.10", "c": "123456789012345678901234567890"}),
            json!({"a": " 1.5 ", "b": "1e5", "c": "NULL"}),
        ]
    );
}

#[test]
fn defaults_stand_where_there_is_no_value() {
    let converted = run(
        "[fields]\na = { default = 'none', required = true }\nb = { type = 'integer', default = 0 }\n\
         c = { type = 'date', default = 1970-01-01 }",
        "a,b\nx,1\n,\n",
    );
    assert_eq!(
        values(&converted),
        [
            json!({"a": "x", "b": 1, "c": "1970-01-01"}),
            json!({"a": "none", "b": 0, "c": "1970-01-01"}),
        ]
    );
}

#[test]
fn numbers_of_other_countries_and_other_words_for_true() {
    let converted = run(
        "[records]\ndecimal = ','\ngroup = '.'\ntrue_values = ['oui', 'VRAI']\nfalse_values = ['non', 'é']\n\
         [fields]\na = { type = 'decimal' }\nb = { type = 'boolean' }\nc = { type = 'number' }\n\
         d = { type = 'integer' }",
        "a;b;c;d\n1.234,50;Oui;-0,5;1.000\n1.50;non;1;1\n1;yes;1;1\n1,5;É;1;1,5\n1,5;É;2.000.000,25;7\n",
    );
    assert_eq!(
        values(&converted),
        [
            json!({"a": "1234.50", "b": true, "c": -0.5, "d": 1000}),
            json!({"a": "1.5", "b": false, "c": 2000000.25, "d": 7}),
        ]
    );
    refused(&converted, &[(2, "invalid_decimal"), (3, "invalid_boolean"), (4, "invalid_integer")]);
    let rejects = converted.rejects();
    assert!(
        rejects[0]["message"].as_str().is_some_and(|m| m.ends_with("decimal = ',', group = '.'"))
    );
    assert_eq!(rejects[1]["message"], "not a boolean: oui, VRAI or non, é");
}

#[test]
fn other_types() {
    let converted = run(
        "[records]\ntimezone = 'Europe/Paris'\n[fields]\nat = { type = 'datetime' }\n\
         t = { type = 'time' }\nu = { type = 'url' }\nid = { type = 'uuid', role = 'id' }\n\
         j = { type = 'json' }\nd = { type = 'date', format = ['%d/%m/%Y', '%Y-%m-%d'] }\n\
         s = { trim = true }",
        "at,t,u,id,j,d,s\n\
         2026-07-01 12:00,9:05,https://a.b/,67E5504410B1426F9247BB680E5FE0C8,\"{\"\"a\"\": [1.0]}\",01/02/2026,x\n\
         2026-07-01 12:00,09:05,https://a.b/,67E5504410B1426F9247BB680E5FE0C8,\"{\"\"a\"\": [1.0]}\",01/02/2026,\u{a0}x \n\
         2026-03-29 02:30,,,67E5504410B1426F9247BB680E5FE0C8,,,\n\
         ,,a.b,67E5504410B1426F9247BB680E5FE0C8,,,\n\
         ,,,67,,,\n\
         ,,,67E5504410B1426F9247BB680E5FE0C8,{a},,\n\
         ,,,67E5504410B1426F9247BB680E5FE0C8,,2026/01/01,\n",
    );
    assert_eq!(
        values(&converted),
        [json!({
            "at": "2026-07-01T10:00:00Z", "t": "09:05:00", "u": "https://a.b/",
            "id": "67e55044-10b1-426f-9247-bb680e5fe0c8", "j": {"a": [1.0]}, "d": "2026-02-01",
            "s": "x",
        })]
    );
    refused(
        &converted,
        &[
            (1, "invalid_time"),
            (3, "invalid_datetime"),
            (4, "invalid_url"),
            (5, "invalid_uuid"),
            (6, "invalid_json"),
            (7, "invalid_date"),
        ],
    );
    let message = &converted.rejects()[5]["message"];
    assert_eq!(message, "not a date of the calendar in the pattern %d/%m/%Y or %Y-%m-%d");
}

#[test]
fn white_space_of_any_script_around_typed_values_is_left_out() {
    let converted = run(
        "[fields]\ni = { type = 'integer' }\nd = { type = 'decimal', decimal = ',', group = ' ' }\n\
         n = { type = 'number', min = 0 }\nb = { type = 'boolean' }\nday = { type = 'date' }\n\
         at = { type = 'datetime' }\nt = { type = 'time' }\nu = { type = 'uuid' }\n\
         m = { type = 'email' }\nw = { type = 'url' }\nx = {}",
        "i,d,n,b,day,at,t,u,m,w,x\n\
         \u{a0}7\u{a0},\"\u{202f}1\u{a0}234,5\u{a0}\",\u{3000}1.5,yes\u{2003},\u{a0}2026-01-01 ,\
         2026-01-01 12:00\u{a0},\u{a0}09:05,67e55044-10b1-426f-9247-bb680e5fe0c8\u{a0},\
         \u{a0}a@b.c\u{a0},https://a.b/\u{a0},\u{a0}x\n\
         \u{a0},\u{a0},\u{a0},\u{a0},\u{a0},\u{a0},\u{a0},\u{a0},\u{a0},\u{a0},\u{a0}\n",
    );
    assert_eq!(
        values(&converted),
        [
            json!({
                "i": 7, "d": "1234.5", "n": 1.5, "b": true, "day": "2026-01-01",
                "at": "2026-01-01T12:00:00", "t": "09:05:00",
                "u": "67e55044-10b1-426f-9247-bb680e5fe0c8", "m": "a@b.c", "w": "https://a.b/",
                "x": "\u{a0}x",
            }),
            json!({
                "i": null, "d": null, "n": null, "b": null, "day": null, "at": null, "t": null,
                "u": null, "m": null, "w": null, "x": "\u{a0}",
            }),
        ]
    );
}

#[test]
fn a_space_that_does_not_break_is_no_value_where_one_is_required() {
    let text = "k,x\n\u{a0},1\n1,\u{a0}\n";
    let converted = run("[fields]\nk = { role = 'id' }\nx = { required = true }", text);
    refused(&converted, &[(1, "missing_value"), (2, "missing_value")]);
}

#[test]
fn checks_of_values() {
    let converted = run(
        "[fields]\na = { allowed = ['x', 'y'] }\nb = { pattern = '[A-Z]{2}-\\d+|none' }\n\
         c = { type = 'decimal', min = -1.5, max = 10 }\nd = { type = 'date', min = 2026-01-01 }\n\
         e = { min_length = 2, max_length = 3 }\nf = { type = 'integer', allowed = [1, 2] }\n\
         g = { type = 'datetime', max = '2026-01-01 12:00:00' }",
        "a,b,c,d,e,f,g\n\
         x,AB-1,-1.50,2026-01-01,éé,01,2026-01-01 12:00:00.000Z\n\
         z,AB-1,,,éé,,\n\
         x,xAB-1x,,,éé,,\n\
         x,none,-1.51,,éé,,\n\
         x,none,10.000000000000000000001,,éé,,\n\
         x,none,,2025-12-31,éé,,\n\
         x,none,,,é,,\n\
         x,none,,,éééé,,\n\
         x,none,,,éé,3,\n\
         x,none,,,éé,,2026-01-01 12:00:00.001\n",
    );
    assert_eq!(values(&converted).len(), 1);
    refused(
        &converted,
        &[
            (2, "value_not_allowed"),
            (3, "pattern_mismatch"),
            (4, "out_of_range"),
            (5, "out_of_range"),
            (6, "out_of_range"),
            (7, "wrong_length"),
            (8, "wrong_length"),
            (9, "value_not_allowed"),
            (10, "out_of_range"),
        ],
    );
    assert_eq!(converted.rejects()[2]["message"], "not between min = -1.5 and max = 10");
    assert_eq!(
        converted.rejects()[5]["message"],
        "not of min_length = 2 to max_length = 3 characters"
    );
}

#[test]
fn ragged_rows_are_rejects_or_as_the_policies_say() {
    let fields = [
        field("a", "a", FieldType::Text),
        Field { default: Some("7".to_owned()), ..field("b", "b", FieldType::Integer) },
    ];
    let text = "a,b,c\n1,2,3\n1\n1,2,3,4\n1,2\n";
    let plain = run_with(text.as_bytes(), &fields, &RecordSettings::default(), &plan());
    refused(&plain, &[(2, "too_few_cells"), (3, "too_many_cells"), (4, "too_few_cells")]);
    let settings = RecordSettings {
        short_rows: ShortRows::Fill,
        long_rows: LongRows::Cut,
        ..RecordSettings::default()
    };
    let converted = run_with(text.as_bytes(), &fields, &settings, &plan());
    let expected = [
        json!({"a": "1", "b": 2, "c": "3"}),
        json!({"a": "1", "b": 7, "c": null}),
        json!({"a": "1", "b": 2, "c": "3"}),
        json!({"a": "1", "b": 2, "c": null}),
    ];
    assert_eq!(values(&converted), expected);
}

fn unique(column: &str, kind: FieldType) -> Field {
    Field { unique: true, ..field(column, column, kind) }
}

#[test]
fn the_first_row_with_a_unique_value_keeps_it() {
    let fields = [
        unique("a", FieldType::Text),
        unique("b", FieldType::Integer),
        field("c", "c", FieldType::Date),
    ];
    let text = "a,b,c\n\
        x,1,\n\
        x,2,\n\
        y,01,\n\
        z,3,bad\n\
        z,3,\n\
        ,,\n\
        w,,\n\
        z,4,\n\
        v,2,\n";
    let converted = run_with(text.as_bytes(), &fields, &RecordSettings::default(), &plan());
    refused(
        &converted,
        &[
            (2, "duplicate_value"),
            (3, "duplicate_value"),
            // What is no record keeps no value, but for what is wrong with it itself.
            (4, "invalid_date"),
            (8, "duplicate_value"),
        ],
    );
    let messages: Vec<_> = converted.rejects().iter().map(|r| r["message"].clone()).collect();
    assert_eq!(messages[0], "row 1 has the same value");
    assert_eq!(messages[3], "row 5 has the same value");
    assert_eq!(converted.reasons()[1].2, "b");
}

#[test]
fn two_columns_may_have_the_same_value() {
    let fields = [unique("a", FieldType::Text), unique("b", FieldType::Text)];
    let converted = run_with(b"a,b\nx,x\ny,z\nz,y\n", &fields, &RecordSettings::default(), &plan());
    assert_eq!(values(&converted).len(), 3);
}

#[test]
fn unique_values_beyond_the_limit_end_the_file() {
    let source = source("[fields]\nn = { unique = true }\n[limits]\nmax_unique_bytes = '16KiB'");
    let text: String = (0..1000).fold("n\n".to_owned(), |text, n| text + &format!("{n}\n"));
    let (mut rows, detected) = format::open(
        Cursor::new(text.into_bytes()),
        Hints::default(),
        &Format::default(),
        Limits::default(),
    )
    .expect("opens");
    let mut mappings = Mappings::of(&source, &rows, &detected).expect("fits");
    let converted = convert_all(&mut rows, &mut mappings, &plan());
    let failure = converted.ended.expect_err("too many").cause.failure();
    assert_eq!(failure.code, "too_many_unique_values");
    assert!(failure.message.contains("max_unique_bytes = 16384"), "{}", failure.message);
}

#[test]
fn work_that_goes_on_knows_the_values_of_the_rows_before() {
    let text: String = (0..500).fold("n\n".to_owned(), |text, n| text + &format!("{}\n", n % 300));
    let fields = [unique("n", FieldType::Integer)];
    let settings = RecordSettings::default();
    let limits = BatchLimits { max_bytes: 10_000, max_records: 50 };
    let whole = run_with(text.as_bytes(), &fields, &settings, &Plan { limits, ..plan() });
    assert_eq!(whole.counters().records, 300);
    assert_eq!(whole.counters().rejects, 200);
    for (at, output) in whole.outputs.iter().enumerate() {
        let Output::Batch(batch) = output else { continue };
        let plan = Plan { limits, start: batch.counters, ..plan() };
        // From the beginning of the file, as `need_every_row` asks for.
        let rest = run_with(text.as_bytes(), &fields, &settings, &plan);
        assert!(rest.outputs == whole.outputs[at + 1..], "after batch {}", batch.number);
        assert_eq!(rest.counters(), whole.counters());
    }
}

#[test]
fn a_check_counts_what_a_conversion_counts() {
    let text = "n\n1\nx\n3\ny\n1\n";
    let fields = [unique("n", FieldType::Integer)];
    for (policy, max_count) in [
        (OnReject::Quarantine, None),
        (OnReject::Skip, None),
        (OnReject::Fail, None),
        (OnReject::Quarantine, Some(1)),
    ] {
        let rejects = RejectPolicy { policy, max_count, max_ratio: Some(0.9), strict: true };
        let plan = Plan { rejects, ..plan() };
        let (mut rows, detected) = format::open(
            Cursor::new(text.as_bytes().to_vec()),
            Hints::default(),
            &Format::default(),
            Limits::default(),
        )
        .expect("opens");
        let settings = RecordSettings::default();
        let mut mappings = Mappings::new(&fields, &settings, &rows, &detected).expect("fits");
        let mut lines = Vec::new();
        let checked = check(&mut rows, &mut mappings, &plan, &mut |rejects| {
            lines.extend(rejects.lines);
            Ok(())
        });
        let converted = run_with(text.as_bytes(), &fields, &settings, &plan);
        let mut written = Vec::new();
        for output in &converted.outputs {
            if let Output::Rejects(rejects) = output {
                written.extend_from_slice(&rejects.lines);
            }
        }
        assert_eq!(lines, written);
        let counters =
            checked.map_err(|failed| failed.counters).unwrap_or_else(|counters| counters);
        assert_eq!(Counters { batches: 0, ..converted.counters() }.records, counters.records);
        assert_eq!(converted.counters().rejects, counters.rejects);
        assert_eq!((converted.counters().rows, counters.batches), (counters.rows, 0));
    }
}

/// How a file of these bytes ends: with its number of rows, or with the failure.
fn ended(more: &str, name: &str, bytes: &[u8]) -> Result<u64, (String, String)> {
    let source = source(more);
    let input = Cursor::new(bytes.to_vec());
    let hints = Hints { fields: &source.fields, ..Hints::named(name) };
    let open = |input| format::open(input, hints, &source.format, Limits::default());
    let told = |failure: crate::failure::Failure| (failure.code, failure.message);
    let (mut rows, detected) = open(input.clone()).expect("opens");
    let mappings = Mappings::of(&source, &rows, &detected);
    let mut mappings = mappings.map_err(|error| told(error.failure()))?;
    let converted = convert_all(&mut rows, &mut mappings, &plan());
    let converted = converted.ended.map_err(|failed| told(failed.cause.failure()));

    // What people see beforehand is the same.
    let (mut rows, detected) = open(input).expect("opens");
    let mut mappings = Mappings::of(&source, &rows, &detected).expect("as before");
    let shown = plain::ndjson(&mut rows, &mut mappings, &mut Vec::new(), &mut |_| {});
    let shown = shown.map_err(|error| told(error.failure()));
    assert_eq!(shown.map(|c| c.rows), converted.clone().map(|c| c.rows));
    converted.map(|counters| counters.rows)
}

#[test]
fn an_empty_file_is_no_table_without_rows_if_columns_are_required() {
    let bom = "\u{feff}".as_bytes();
    for definition in [
        "[fields]\nkey = { role = 'id' }",
        "[fields]\nother = {}\nkey = { required = true }",
        "[fields]\nkey = {}\n[records]\nmissing_columns = 'reject'",
        "[fields]\nkey = { required = true }\n[format]\nheader = false",
    ] {
        for (name, bytes) in [
            ("a.csv", &b""[..]),
            ("a.csv", b"\n\r\n  \n"),
            ("a.csv", bom),
            ("a.jsonl", b""),
            ("a.jsonl", b"\n\n"),
        ] {
            let (code, message) = ended(definition, name, bytes).expect_err(name);
            assert_eq!(code, "missing_column", "{definition} {bytes:?}");
            let expected = "the required column \"key\" is not in the file, which is empty: \
                            it has neither a header nor a row";
            assert_eq!(message, expected);
        }
    }
    // Nothing is required, or what is has a default, or the file says itself that there is nothing.
    let default = "[fields]\nkey = { required = true, default = 'x' }";
    for definition in ["", "[fields]\nkey = {}", default] {
        for name in ["a.csv", "a.jsonl"] {
            assert_eq!(ended(definition, name, b"\n"), Ok(0), "{definition}");
        }
    }
    let required = "[fields]\nkey = { required = true }";
    assert_eq!(ended(required, "a.csv", b"key\n"), Ok(0));
    assert_eq!(ended(required, "a.json", b"[]"), Ok(0));
}

#[test]
fn plain_csv_is_under_the_same_rules() {
    let source =
        source("[fields]\nn = { unique = true, null_values = ['-'] }\nd = { default = 'a\"b' }");
    let (mut rows, detected) = format::open(
        Cursor::new(b"n,x\n1,a\n1,b\n-,c\n-,d\n".to_vec()),
        Hints::default(),
        &Format::default(),
        Limits::default(),
    )
    .expect("opens");
    let mut mappings = Mappings::of(&source, &rows, &detected).expect("fits");
    let (mut out, mut rejected) = (Vec::new(), Vec::new());
    plain::csv(&mut rows, &mut mappings, &mut out, &mut |reject| {
        rejected.push((reject.row, reject.code));
    })
    .expect("written");
    let expected = "n,x,d\r\n1,a,\"a\"\"b\"\r\n,c,\"a\"\"b\"\r\n,d,\"a\"\"b\"\r\n";
    assert_eq!(String::from_utf8_lossy(&out), expected);
    assert_eq!(rejected, [(2, RejectCode::DuplicateValue)]);
}

#[test]
fn a_stored_definition_that_cannot_be_meant_is_an_error() {
    let reading = Reading { timezone: Some("Mars/Base".to_owned()), ..Reading::default() };
    let at = Field { reading, ..field("at", "at", FieldType::Datetime) };
    let (rows, detected) = format::open(
        Cursor::new(b"at\n".to_vec()),
        Hints::default(),
        &Format::default(),
        Limits::default(),
    )
    .expect("opens");
    let error = Mappings::new(&[at], &RecordSettings::default(), &rows, &detected)
        .expect_err("no such zone");
    assert!(error.to_string().contains("\"Mars/Base\" is not a time zone"), "{error}");
}
