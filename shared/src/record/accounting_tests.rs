//! Promise 7 over random tables, definitions, policies and defects: every row is a record, a reject or
//! skipped; each reject lies where it says.

use std::collections::BTreeSet;
use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use super::mappings::tests::field;
use super::tests::{Converted, convert_all, plan};
use super::*;
use crate::catalog::{
    Encoding, Field, FieldType, Format, LongRows, OnReject, RecordSettings, RejectPolicy, Role,
    ShortRows, UnknownColumns,
};
use crate::format::{self, Detected, Hints, Limits, Rows};

struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % most
    }

    fn one_in(&mut self, most: u64) -> bool {
        self.below(most) == 0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

const KINDS: [FieldType; 6] = [
    FieldType::Text,
    FieldType::Integer,
    FieldType::Decimal,
    FieldType::Date,
    FieldType::Email,
    FieldType::Boolean,
];

/// One case: a table and what a definition says of it.
struct Case {
    bytes: Vec<u8>,
    format: Format,
    fields: Vec<Field>,
    settings: RecordSettings,
    rejects: RejectPolicy,
    limits: BatchLimits,
}

fn cell(random: &mut Random, kind: FieldType) -> Vec<u8> {
    let good: &[&[u8]] = match kind {
        FieldType::Integer => &[b"1", b"-02", b"123456789012345678901234567890", b" 7 "],
        FieldType::Decimal => &[b"1.50", b"-0", b".5"],
        FieldType::Date => &[b"2026-02-01", b"1999-12-31"],
        FieldType::Email => &[b"a@b.c", b"x.y@z.org"],
        FieldType::Boolean => &[b"yes", b"0"],
        _ => &[b"x", "é漢🦀".as_bytes(), b"a b", b"\t", b"'", b"back\\slash"],
    };
    let odd: &[&[u8]] = &[
        b"",
        b" ",
        b"nonsense",
        b"2026-02-30",
        b"\"a,b\"",
        b"\"a\"\"b\"",
        b"\"two\nlines\"",
        b"\"three\r\nli\rnes\"",
        b"\xff",
        b"\"caf\xe9\"",
        b"a\"b",
        b"\"a\"b",
        b"NULL",
    ];
    let long = [b'l'; 200];
    match random.below(12) {
        0 | 1 => random.of(odd).to_vec(),
        2 if random.one_in(4) => long.to_vec(),
        _ => random.of(good).to_vec(),
    }
}

fn case(seed: u64) -> Case {
    let mut random = Random(seed);
    for _ in 0..8 {
        random.below(2);
    }
    let columns = 1 + random.below(5) as usize;
    let kinds: Vec<FieldType> = (0..columns).map(|_| random.of(&KINDS)).collect();
    let header = !random.one_in(5);
    let name = |at: usize| if header { format!("c{at}") } else { format!("column_{}", at + 1) };

    let mut bytes = Vec::new();
    if random.one_in(4) {
        bytes.extend_from_slice(b"\xef\xbb\xbf");
    }
    if header {
        let names: Vec<String> = (0..columns).map(name).collect();
        bytes.extend_from_slice(names.join(",").as_bytes());
        bytes.push(b'\n');
    }
    let rows = random.below(40);
    for row in 0..rows {
        let cells = match random.below(20) {
            0 => columns + 1,
            1 if columns > 1 => columns - 1,
            _ => columns,
        };
        for at in 0..cells {
            if at > 0 {
                bytes.push(b',');
            }
            let kind = kinds.get(at).copied().unwrap_or(FieldType::Text);
            bytes.extend(cell(&mut random, kind));
        }
        let end: &[u8] = random.of(&[b"\n", b"\n", b"\r\n", b"\r", b"\n\n"]);
        if row + 1 < rows || !random.one_in(3) {
            bytes.extend_from_slice(end);
        }
    }
    if random.one_in(6) {
        bytes.extend_from_slice(b"\"never closed\n,x");
    }

    let mut fields = Vec::new();
    for (at, kind) in kinds.iter().enumerate() {
        if random.one_in(4) {
            continue;
        }
        let mut one = field(&name(at), &format!("f{at}"), *kind);
        one.required = random.one_in(4);
        one.unique = random.one_in(5);
        if *kind == FieldType::Text && random.one_in(3) {
            one.max_length = Some(10);
            one.reading.null_values = Some(vec!["NULL".to_owned()]);
        }
        if *kind == FieldType::Integer && random.one_in(3) {
            one.min = Some("0".to_owned());
        }
        if random.one_in(8) && fields.iter().all(|f: &Field| f.role.is_none()) {
            one.role = Some(Role::Id);
            one.unique = true;
        }
        fields.push(one);
    }
    let settings = RecordSettings {
        unknown_columns: random.of(&[UnknownColumns::Pass, UnknownColumns::Drop]),
        short_rows: random.of(&[ShortRows::Reject, ShortRows::Fill]),
        long_rows: random.of(&[LongRows::Reject, LongRows::Cut]),
        ..RecordSettings::default()
    };
    let rejects = RejectPolicy {
        policy: random.of(&[
            OnReject::Quarantine,
            OnReject::Quarantine,
            OnReject::Skip,
            OnReject::Fail,
        ]),
        max_count: random.of(&[None, None, Some(0), Some(3)]),
        max_ratio: random.of(&[None, None, Some(0.1)]),
        strict: false,
    };
    let limits = BatchLimits {
        max_bytes: random.of(&[150, 400, 100_000]),
        max_records: random.of(&[1, 7, 1000]),
    };
    let format = Format {
        delimiter: Some(",".to_owned()),
        header: Some(header),
        // Otherwise bytes that are not UTF-8 would be taken for another encoding.
        encoding: Some(Encoding::UTF_8),
        ..Format::default()
    };
    Case { bytes, format, fields, settings, rejects, limits }
}

impl Case {
    /// `None`: the file as a whole is refused.
    fn open(&self) -> Option<(Rows, Detected, Mappings)> {
        let input = Cursor::new(self.bytes.clone());
        let (rows, detected) =
            format::open(input, Hints::default(), &self.format, Limits::default()).ok()?;
        let mappings = Mappings::new(&self.fields, &self.settings, &rows, &detected).ok()?;
        Some((rows, detected, mappings))
    }

    fn plan(&self) -> Plan<'static> {
        Plan { rejects: self.rejects.clone(), limits: self.limits, ..plan() }
    }

    /// The rejects are where they say, and are what they say.
    fn locate(&self, reject: &Value) {
        let at = reject["byte_offset"].as_u64().expect("CSV has places") as usize;
        let raw = match (reject["raw"].as_str(), reject["raw_base64"].as_str()) {
            (Some(text), _) => text.as_bytes().to_vec(),
            (_, Some(text)) => BASE64.decode(text).expect("base64"),
            _ => panic!("no raw row in {reject}"),
        };
        assert!(self.bytes[at..].starts_with(&raw), "{reject} is not at byte {at}");
        assert_eq!(reject["line"], line_at(&self.bytes[..at]), "{reject}");
        let after = self.bytes.get(at + raw.len());
        let ends = matches!(after, None | Some(b'\n' | b'\r'));
        assert!(ends, "{reject} is not the whole row");
    }
}

/// The number of the line that begins after `before`.
fn line_at(before: &[u8]) -> u64 {
    let ends = before.iter().enumerate().filter(|(at, byte)| match byte {
        b'\n' => true,
        b'\r' => before.get(at + 1) != Some(&b'\n'),
        _ => false,
    });
    1 + ends.count() as u64
}

/// What holds of every conversion, however it ended.
fn account(case: &Case, converted: &Converted) {
    let counters = converted.counters();
    let records = converted.records();
    let rejects = converted.rejects();
    assert_eq!(counters.rejects, rejects.len() as u64);
    let mut seen = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for record in &records {
        assert!(seen.insert(record["row"].as_u64().expect("a row")), "one row, one record");
        let id = record["id"].as_str().expect("an id").to_owned();
        assert!(ids.insert(id), "{record} has the id of another");
    }
    for reject in &rejects {
        assert!(seen.insert(reject["row"].as_u64().expect("a row")), "one row, one reject");
        case.locate(reject);
    }
    assert!(seen.iter().next_back().is_none_or(|last| *last <= counters.rows));
    if let Ok(counters) = &converted.ended {
        assert_eq!(counters.records, records.len() as u64);
        assert_eq!(seen.len() as u64 + counters.skipped, counters.rows);
        assert_eq!(counters.bytes_read, case.bytes.len() as u64);
        if case.rejects.policy != OnReject::Skip {
            assert!(seen.iter().copied().eq(1..=counters.rows), "no row is missing");
        }
    }
}

#[test]
fn whatever_the_table_every_row_is_accounted_for() {
    let (mut ended, mut failed, mut refused) = (0, 0, BTreeSet::new());
    for seed in 0..1500 {
        let case = case(seed);
        let Some((mut rows, _, mut mappings)) = case.open() else { continue };
        let converted = convert_all(&mut rows, &mut mappings, &case.plan());
        account(&case, &converted);
        match &converted.ended {
            Ok(_) => ended += 1,
            Err(_) => failed += 1,
        }
        for reject in converted.rejects() {
            refused.insert(reject["code"].as_str().expect("a code").to_owned());
        }

        // A check comes to the same.
        let Some((mut rows, _, mut mappings)) = case.open() else { continue };
        let checked = check(&mut rows, &mut mappings, &case.plan(), &mut |_| Ok(()));
        let (checked, is_ok) = match checked {
            Ok(counters) => (counters, true),
            Err(failed) => (failed.counters, false),
        };
        assert_eq!(is_ok, converted.ended.is_ok(), "seed {seed}");
        let expected = converted.counters();
        assert_eq!(
            (checked.rows, checked.records, checked.rejects, checked.skipped),
            (expected.rows, expected.records, expected.rejects, expected.skipped),
            "seed {seed}"
        );
    }
    assert!(ended > 500 && failed > 150, "{ended} ended, {failed} failed");
    assert!(refused.len() >= 12, "the defects are too few: {refused:?}");
}

#[test]
fn whatever_the_table_lines_and_csv_hold_the_same_rows() {
    for seed in 1500..1900 {
        let case = case(seed);
        let Some((mut rows, _, mut mappings)) = case.open() else { continue };
        let (mut lines, mut refused) = (Vec::new(), Vec::new());
        let counters = plain::ndjson(&mut rows, &mut mappings, &mut lines, &mut |reject| {
            refused.push((reject.row, reject.code));
        })
        .expect("written");
        let values: Vec<Value> = lines
            .split_inclusive(|byte| *byte == b'\n')
            .map(|line| serde_json::from_slice(line).expect("valid JSON"))
            .collect();
        assert!(counters.account_for_every_row());
        assert_eq!(counters.records, values.len() as u64);

        let Some((mut rows, _, mut mappings)) = case.open() else { continue };
        let (mut table, mut again) = (Vec::new(), Vec::new());
        plain::csv(&mut rows, &mut mappings, &mut table, &mut |reject| {
            again.push((reject.row, reject.code));
        })
        .expect("written");
        assert_eq!(refused, again, "seed {seed}");

        // The table reads back as the text of the values.
        let format =
            Format { delimiter: Some(",".to_owned()), header: Some(true), ..Format::default() };
        // A line without any cell is a blank one.
        if mappings.names().next().is_none() {
            continue;
        }
        let (mut rows, detected) =
            format::open(Cursor::new(table), Hints::default(), &format, Limits::default())
                .expect("opens");
        let mut mappings =
            Mappings::new(&[], &RecordSettings::default(), &rows, &detected).expect("fits");
        let mut back = Vec::new();
        plain::ndjson(&mut rows, &mut mappings, &mut back, &mut |reject| {
            panic!("seed {seed}: {reject:?}");
        })
        .expect("written");
        let text = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let back: Vec<Vec<String>> = back
            .split_inclusive(|byte| *byte == b'\n')
            .map(|line| {
                let line: Value = serde_json::from_slice(line).expect("valid JSON");
                line.as_object().expect("an object").values().map(text).collect()
            })
            .collect();
        assert_eq!(back.len(), values.len(), "seed {seed}");
        for (back, value) in back.iter().zip(&values) {
            let expected = value.as_object().expect("an object").values();
            // Numbers beyond floating point differ in the test's own reader alone.
            for (back, value) in back.iter().zip(expected) {
                assert!(*back == text(value) || value.is_number(), "seed {seed}: {back:?} {value}");
            }
        }
    }
}
