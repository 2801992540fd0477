//! Whole files through mapping and conversion: what comes out, and that every row is accounted for.

use std::io::Cursor;

use serde_json::{Value, json};

use super::mappings::tests::field;
use super::*;
use crate::catalog::{Field, FieldType, Format, OnReject, RecordSettings, RejectPolicy, Role};
use crate::format::{self, Detected, Hints, Limits, Rows};

const CONTEXT: RejectContext<'static> =
    RejectContext { object_json: r#"{"bucket":"b","key":"k"}"#, table: "deals", parts: None };

pub(super) fn plan() -> Plan<'static> {
    Plan {
        object_ref: "b/k#etag=1",
        rejects: RejectPolicy::default(),
        context: CONTEXT,
        limits: BatchLimits { max_bytes: 200_000, max_records: 1000 },
        start: Counters::default(),
    }
}

fn open(bytes: &[u8]) -> (Rows, Detected) {
    format::open(
        Cursor::new(bytes.to_vec()),
        Hints::default(),
        &Format::default(),
        Limits::default(),
    )
    .expect("opens")
}

fn fitted(rows: &Rows, detected: &Detected, fields: &[Field]) -> Mappings {
    Mappings::new(fields, &RecordSettings::default(), rows, detected).expect("fits")
}

/// Everything that came out of one conversion.
pub(super) struct Converted {
    pub(super) outputs: Vec<Output>,
    pub(super) ended: Result<Counters, Failed>,
}

impl Converted {
    pub(super) fn batches(&self) -> Vec<&Batch> {
        let mut batches = Vec::new();
        for output in &self.outputs {
            if let Output::Batch(batch) = output {
                batches.push(batch);
            }
        }
        batches
    }

    pub(super) fn records(&self) -> Vec<Value> {
        let mut records = Vec::new();
        for batch in self.batches() {
            let json = [b"[", batch.json.as_slice(), b"]"].concat();
            let some: Vec<Value> = serde_json::from_slice(&json).expect("valid JSON");
            assert_eq!(some.len(), batch.records as usize);
            assert_eq!(some[0]["row"], batch.first_row);
            assert_eq!(some[some.len() - 1]["row"], batch.last_row);
            records.extend(some);
        }
        records
    }

    pub(super) fn rejects(&self) -> Vec<Value> {
        let mut rejects = Vec::new();
        for output in &self.outputs {
            if let Output::Rejects(piece) = output {
                let before = rejects.len();
                for line in piece.lines.split_inclusive(|byte| *byte == b'\n') {
                    rejects.push(serde_json::from_slice::<Value>(line).expect("valid JSON"));
                }
                assert_eq!((rejects.len() - before) as u64, piece.count);
                assert_eq!(rejects[before]["row"], piece.first_row);
                assert_eq!(rejects[rejects.len() - 1]["row"], piece.last_row);
            }
        }
        rejects
    }

    pub(super) fn reasons(&self) -> Vec<(u64, String, Value)> {
        let reason = |reject: Value| {
            let code = reject["code"].as_str().expect("a code").to_owned();
            (reject["row"].as_u64().expect("a row"), code, reject["column"].clone())
        };
        self.rejects().into_iter().map(reason).collect()
    }

    pub(super) fn counters(&self) -> Counters {
        match &self.ended {
            Ok(counters) => *counters,
            Err(failed) => failed.counters,
        }
    }
}

fn run(bytes: &[u8], fields: &[Field], plan: &Plan<'_>) -> Converted {
    run_with(bytes, fields, &RecordSettings::default(), plan)
}

pub(super) fn run_with(
    bytes: &[u8],
    fields: &[Field],
    settings: &RecordSettings,
    plan: &Plan<'_>,
) -> Converted {
    let (mut rows, detected) = open(bytes);
    let mut mappings = Mappings::new(fields, settings, &rows, &detected).expect("fits");
    convert_all(&mut rows, &mut mappings, plan)
}

pub(super) fn convert_all(rows: &mut Rows, mappings: &mut Mappings, plan: &Plan<'_>) -> Converted {
    let mut outputs = Vec::new();
    let ended = convert(rows, mappings, plan, &mut |output| {
        outputs.push(output);
        Ok(())
    });
    let converted = Converted { outputs, ended };
    let counters = converted.counters();
    assert!(counters.account_for_every_row(), "{counters:?}");
    converted
}

fn id(column: &str) -> Field {
    Field { role: Some(Role::Id), ..field(column, "id", FieldType::Text) }
}

fn deals() -> Vec<Field> {
    let required = |field: Field| Field { required: true, ..field };
    vec![
        id("Deal ID"),
        Field { role: Some(Role::User), ..field("Owner", "owner", FieldType::Email) },
        field("Closed", "closed_on", FieldType::Date),
        required(field("Seats", "seats", FieldType::Integer)),
    ]
}

#[test]
fn a_row_becomes_a_typed_record() {
    let converted = run(
        b"Deal ID;Owner;Closed;Seats;Note\n007; a@b.c ;2026-02-01;+04;caf\xc3\xa9 \"x\"\nD-2;;;3;\n",
        &deals(),
        &plan(),
    );
    assert_eq!(
        converted.records(),
        [
            json!({"op": "upsert", "id": "007", "row": 1, "values": {
                "id": "007", "owner": "a@b.c", "closed_on": "2026-02-01", "seats": 4,
                "Note": "café \"x\""}}),
            json!({"op": "upsert", "id": "D-2", "row": 2, "values": {
                "id": "D-2", "owner": null, "closed_on": null, "seats": 3, "Note": ""}}),
        ]
    );
    let json = &converted.batches()[0].json;
    let start = r#"{"op":"upsert","id":"007","row":1,"values":{"id":"007","owner":"a@b.c","#;
    assert!(json.starts_with(start.as_bytes()), "{}", String::from_utf8_lossy(json));
}

#[test]
fn without_an_id_a_record_is_named_by_its_object_and_row() {
    let converted = run(b"a\nx\ny\n", &[], &Plan { object_ref: "b/\"k\"", ..plan() });
    let ids: Vec<_> = converted.records().iter().map(|record| record["id"].clone()).collect();
    assert_eq!(ids, ["b/\"k\":1", "b/\"k\":2"]);
}

#[test]
fn an_id_of_another_type_is_the_text_of_its_value() {
    let id = Field { kind: Some(FieldType::Integer), ..id("n") };
    let converted = run(b"n\n 007 \n", &[id], &plan());
    let record = &converted.records()[0];
    assert_eq!((&record["id"], &record["values"]["id"]), (&json!("7"), &json!(7)));
}

#[test]
fn what_cannot_become_a_record_is_a_reject_with_its_reason() {
    let bytes = b"Deal ID,Owner,Closed,Seats\n\
        1,a@b.c,2026-02-01,1\n\
        2,nobody,2026-02-01,1\n\
        3,,2026-02-30,1\n\
        4,,,\n\
        ,,,1\n\
        6,,\n\
        7,,,1,\n\
        8,\xff@b.c,,1\n\
        9,,,x\n\
        10,,,1\n\
        11,\"a,,\n\n";
    let converted = run(bytes, &deals(), &plan());
    let expected = [
        (2, "invalid_email", json!("Owner")),
        (3, "invalid_date", json!("Closed")),
        (4, "missing_value", json!("Seats")),
        (5, "missing_value", json!("Deal ID")),
        (6, "too_few_cells", json!(null)),
        (7, "too_many_cells", json!(null)),
        (8, "invalid_utf8", json!("Owner")),
        (9, "invalid_integer", json!("Seats")),
        (11, "unterminated_quote", json!(null)),
    ];
    let expected: Vec<_> =
        expected.into_iter().map(|(row, code, column)| (row, code.to_owned(), column)).collect();
    assert_eq!(converted.reasons(), expected);
    let rejects = converted.rejects();
    assert_eq!(rejects[0]["raw"], "2,nobody,2026-02-01,1");
    assert_eq!(rejects[0]["line"], 3);
    assert_eq!(rejects[0]["byte_offset"], 48);
    assert_eq!(rejects[0]["object"]["bucket"], "b");
    assert_eq!(rejects[4]["message"], "3 cells where the header has 4");
    assert_eq!(rejects[6]["raw_base64"], "OCz/QGIuYywsMQ==");
    assert_eq!(rejects[8]["raw"], "11,\"a,,\n\n");
    let counters = converted.ended.expect("the others go on");
    assert_eq!((counters.rows, counters.records, counters.rejects), (11, 2, 9));
    assert_eq!(counters.bytes_read, bytes.len() as u64);
}

#[test]
fn two_halves_of_a_character_in_two_cells_are_not_one() {
    let converted = run(b"\xef\xbb\xbfa,b\n\"\"\"\xc3\",\xa9\n\xc3,\xa9\n", &[], &plan());
    assert_eq!(converted.counters().rejects, 2);
}

#[test]
fn policies() {
    let bytes = b"n\n1\nx\n3\ny\n5\n";
    let fields = [field("n", "n", FieldType::Integer)];
    let with = |policy, max_count, max_ratio| {
        let rejects = RejectPolicy { policy, max_count, max_ratio, strict: false };
        run(bytes, &fields, &Plan { rejects, ..plan() })
    };

    let skipped = with(OnReject::Skip, None, None);
    assert!(skipped.rejects().is_empty());
    let counters = skipped.counters();
    assert_eq!((counters.records, counters.rejects, counters.skipped), (3, 0, 2));

    let failed = with(OnReject::Fail, None, None);
    assert_eq!((failed.batches().len(), failed.rejects().len()), (0, 1));
    let error = failed.ended.expect_err("the first reject fails the object").cause;
    assert_eq!(
        error.to_string(),
        "row 2 on line 3, column \"n\": not an integer: digits with an optional sign (invalid_integer)"
    );
    assert_eq!(error.failure().code, "row_rejected");

    assert!(with(OnReject::Quarantine, Some(2), Some(0.4)).ended.is_ok());
    let failed = with(OnReject::Quarantine, Some(1), None);
    assert_eq!(failed.rejects().len(), 2, "what led to the failure is given out");
    let error = failed.ended.expect_err("more than one").cause;
    assert!(error.to_string().contains("rejects.max_count = 1"), "{error}");
    assert!(error.failure().remedy.starts_with("Look at the rejects"));
    for policy in [OnReject::Quarantine, OnReject::Skip] {
        let error = with(policy, None, Some(0.39)).ended.expect_err("0.4 of the rows").cause;
        assert!(error.to_string().contains("2 of 5 rows"), "{error}");
        let kept = policy == OnReject::Quarantine;
        assert_eq!(error.failure().remedy.starts_with("Look at the rejects"), kept);
    }
    let empty = run(
        b"n\n",
        &fields,
        &Plan {
            rejects: RejectPolicy {
                policy: OnReject::Quarantine,
                max_count: Some(0),
                max_ratio: Some(0.0),
                strict: false,
            },
            ..plan()
        },
    );
    assert_eq!(empty.ended.expect("an empty file is no failure").batches, 0);
}

#[test]
fn batches_close_by_bytes_and_by_count() {
    let bytes: Vec<u8> = (0..1000).fold(b"n\n".to_vec(), |mut bytes, n| {
        bytes.extend("x".repeat(n % 50).bytes().chain([b'y', b'\n']));
        bytes
    });
    for limits in [
        BatchLimits { max_bytes: 200_000, max_records: 7 },
        BatchLimits { max_bytes: 1000, max_records: 1000 },
        BatchLimits { max_bytes: 150, max_records: 2 },
        BatchLimits { max_bytes: 200_000, max_records: 0 },
    ] {
        let converted = run(&bytes, &[], &Plan { limits, ..plan() });
        assert_eq!(converted.records().len(), 1000);
        let batches = converted.batches();
        for (at, batch) in batches.iter().enumerate() {
            assert_eq!(batch.number, at as u64 + 1);
            assert!(batch.json.len() <= limits.max_bytes);
            assert!(batch.records <= limits.max_records.max(1));
            assert!(batch.counters.account_for_every_row());
            assert_eq!(batch.counters.batches, batch.number);
            assert_eq!(batch.counters.rows, batch.end.row);
            let Some(next) = batches.get(at + 1) else { continue };
            let first = next.json.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let first_record = first.len() / next.records as usize;
            let full = batch.records >= limits.max_records.max(1)
                || batch.json.len() + 2 * first_record + 60 > limits.max_bytes;
            assert!(full, "a batch closes only when it is full");
        }
        assert_eq!(converted.counters().batches, batches.len() as u64);
    }
}

#[test]
fn a_record_larger_than_a_batch_is_a_reject() {
    let limits = BatchLimits { max_bytes: 100, max_records: 1000 };
    let long = "x".repeat(100);
    let bytes = format!("n\n1\n{long}\n{long}\n2\n");
    let converted = run(bytes.as_bytes(), &[], &Plan { limits, ..plan() });
    let codes: Vec<_> = converted.reasons().into_iter().map(|(row, code, _)| (row, code)).collect();
    assert_eq!(codes, [(2, "record_too_large".to_owned()), (3, "record_too_large".to_owned())]);
    assert_eq!(converted.counters().records, 2);
}

#[test]
fn the_taker_can_stop() {
    let (mut rows, detected) = open(b"n\n1\n2\n3\n");
    let mut mappings = fitted(&rows, &detected, &[]);
    let limits = BatchLimits { max_bytes: 1000, max_records: 1 };
    let mut taken = 0;
    let ended = convert(&mut rows, &mut mappings, &Plan { limits, ..plan() }, &mut |_| {
        taken += 1;
        if taken == 2 { Err(Stopped) } else { Ok(()) }
    });
    assert!(matches!(ended, Err(Failed { cause: ConvertError::Stopped, .. })));
    assert_eq!(taken, 2);
}

#[test]
fn a_file_that_breaks_off_keeps_its_rejects_and_its_whole_batches() {
    let mut bytes = b"n\n1\nx\n3\n4\n".to_vec();
    bytes.extend(vec![b'9'; 20 << 20]);
    let limits = BatchLimits { max_bytes: 1000, max_records: 2 };
    let fields = [field("n", "n", FieldType::Integer)];
    let converted = run(&bytes, &fields, &Plan { limits, ..plan() });
    assert_eq!((converted.batches().len(), converted.rejects().len()), (1, 1));
    let error = converted.ended.expect_err("the row is too long").cause;
    assert_eq!(error.failure().code, "row_too_long");
}

/// A file of all kinds of rows.
fn mixed(rows: usize) -> Vec<u8> {
    let mut bytes = b"id,n,text\n".to_vec();
    let mut seed = 5_u64;
    for row in 0..rows {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let line = match (seed >> 33) % 10 {
            0 => format!("{row},x,bad\n"),
            1 => format!("{row},1\n"),
            2 => format!("{row},2,\"quoted \"\"text\"\"\nof two lines\"\r\n"),
            3 => format!("\n{row},3,\"plain quoted\"\n\n"),
            _ => format!("{row},4,text {}\n", seed % 1000),
        };
        bytes.extend(line.into_bytes());
    }
    bytes
}

#[test]
fn work_that_goes_on_after_a_batch_gives_what_was_left() {
    let bytes = mixed(3000);
    let fields = [id("id"), field("n", "n", FieldType::Integer)];
    let limits = BatchLimits { max_bytes: 20_000, max_records: 100 };
    let whole = run(&bytes, &fields, &Plan { limits, ..plan() });
    assert!(whole.counters().rejects > 100 && whole.batches().len() > 10);
    let (_, detected) = open(&bytes);
    for (at, output) in whole.outputs.iter().enumerate() {
        let Output::Batch(batch) = output else { continue };
        let rest = Cursor::new(bytes[batch.end.byte_offset as usize..].to_vec());
        let mut rows = format::resume(
            rest,
            Some(&detected),
            batch.end,
            Hints::default(),
            &Format::default(),
            Limits::default(),
        )
        .expect("resumes")
        .0;
        let mut mappings = fitted(&rows, &detected, &fields);
        let mut outputs = Vec::new();
        let plan = Plan { limits, start: batch.counters, ..plan() };
        let counters = convert(&mut rows, &mut mappings, &plan, &mut |output| {
            outputs.push(output);
            Ok(())
        });
        assert!(outputs == whole.outputs[at + 1..], "after batch {}", batch.number);
        assert_eq!(counters.expect("to the end"), whole.counters());
    }
}

#[test]
fn plain_lines_hold_the_values_alone() {
    let (mut rows, detected) = open(b"a,b\n1,\"x \"\"y\"\"\"\n2\n3,\n");
    let mut mappings = fitted(&rows, &detected, &[]);
    let (mut out, mut rejected) = (Vec::new(), Vec::new());
    let counters = plain::ndjson(&mut rows, &mut mappings, &mut out, &mut |reject| {
        rejected.push((reject.line, reject.code));
    })
    .expect("written");
    let text = String::from_utf8(out).expect("UTF-8");
    assert_eq!(text, "{\"a\":\"1\",\"b\":\"x \\\"y\\\"\"}\n{\"a\":\"3\",\"b\":\"\"}\n");
    assert_eq!(rejected, [(Some(3), RejectCode::TooFewCells)]);
    assert!(counters.account_for_every_row());
    assert_eq!((counters.rows, counters.records, counters.rejects), (3, 2, 1));
}

#[test]
fn plain_csv_reads_back_as_the_same_cells() {
    let bytes = b"a;\"b;\"\n\" 1\";\"x \"\"y\"\"\"\n\"two\nlines\";,\n;\n";
    let written = csv_of(bytes, &[]);
    assert_eq!(
        String::from_utf8_lossy(&written),
        "a,b;\r\n 1,\"x \"\"y\"\"\"\r\n\"two\nlines\",\",\"\r\n,\r\n"
    );
    assert_eq!(csv_of(&written, &[]), written, "its own output is a fixed point");
    assert_eq!(
        csv_of(b"a\nx\n\"\"\n", &[]),
        b"a\r\nx\r\n\"\"\r\n",
        "an empty cell is no blank line"
    );
    let fields = [
        field("n", "number", FieldType::Number),
        field("d", "date", FieldType::Date),
        field("e", "email", FieldType::Email),
    ];
    let written = csv_of(b"n,d,e\n+.5,2026-01-31, a@b.c \n,,\n", &fields);
    let expected = "number,date,email\r\n0.5,2026-01-31,a@b.c\r\n,,\r\n";
    assert_eq!(String::from_utf8_lossy(&written), expected);
}

fn csv_of(bytes: &[u8], fields: &[Field]) -> Vec<u8> {
    let (mut rows, detected) = open(bytes);
    let mut mappings = fitted(&rows, &detected, fields);
    let mut out = Vec::new();
    plain::csv(&mut rows, &mut mappings, &mut out, &mut |reject| panic!("{reject:?}"))
        .expect("written");
    out
}
