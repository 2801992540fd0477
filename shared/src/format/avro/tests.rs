use apache_avro::types::Value;
use apache_avro::{
    Bzip2Settings, Codec, DeflateSettings, Schema, Writer, XzSettings, ZstandardSettings,
};

use super::super::{Hints, open};
use super::*;

/// What reading a file came to: its columns, and each row as a JSON array.
fn read(bytes: &[u8], limits: Limits) -> Result<(Vec<String>, Vec<String>), FormatError> {
    let settings = catalog::Format::default();
    let input = std::io::Cursor::new(bytes.to_vec());
    let (mut rows, detected) = open(input, Hints::default(), &settings, limits)?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        assert_eq!(row.number(), lines.len() as u64 + 1);
        let raw: serde_json::Value = serde_json::from_slice(row.raw()).expect("JSON");
        assert!(raw.is_array());
        let fault = row.fault().map(|fault| format!("{fault:?} ")).unwrap_or_default();
        lines.push(fault + std::str::from_utf8(row.raw()).expect("UTF-8"));
    }
    assert_eq!(rows.position().row, lines.len() as u64);
    Ok((detected.columns, lines))
}

fn written(schema: &str, codec: Codec, rows: Vec<Value>) -> Vec<u8> {
    let schema = Schema::parse_str(schema).expect("a schema");
    let mut writer = Writer::with_codec(&schema, Vec::new(), codec);
    for row in rows {
        writer.append(row).expect("a row");
    }
    writer.into_inner().expect("a file")
}

fn codecs() -> [Codec; 6] {
    [
        Codec::Null,
        Codec::Deflate(DeflateSettings::default()),
        Codec::Snappy,
        Codec::Zstandard(ZstandardSettings::default()),
        Codec::Bzip2(Bzip2Settings::default()),
        Codec::Xz(XzSettings::default()),
    ]
}

const PEOPLE: &str = r#"{"type": "record", "name": "Person", "namespace": "a.b", "fields": [
    {"name": "name", "type": "string"},
    {"name": "age", "type": ["null", "int"]}]}"#;

fn people(count: usize) -> Vec<Value> {
    let person = |at| {
        let age = match at % 3 {
            0 => Value::Union(0, Box::new(Value::Null)),
            _ => Value::Union(1, Box::new(Value::Int(at as i32))),
        };
        let name = Value::String(format!("Person \"{at}\""));
        Value::Record(vec![("name".into(), name), ("age".into(), age)])
    };
    (0..count).map(person).collect()
}

#[test]
fn every_codec_gives_the_same_rows() {
    let expected: Vec<String> = (0..5_000)
        .map(|at| match at % 3 {
            0 => format!("[\"Person \\\"{at}\\\"\",null]"),
            _ => format!("[\"Person \\\"{at}\\\"\",{at}]"),
        })
        .collect();
    for codec in codecs() {
        let file = written(PEOPLE, codec, people(5_000));
        let (columns, rows) = read(&file, Limits::default()).expect("a file");
        assert_eq!(columns, ["name", "age"]);
        assert_eq!(rows, expected, "{codec:?}");
    }
}

#[test]
fn every_type_is_written_without_losing_a_digit() {
    let schema = r#"{"type": "record", "name": "All", "fields": [
        {"name": "nothing", "type": "null"},
        {"name": "flag", "type": "boolean"},
        {"name": "large", "type": "long"},
        {"name": "float", "type": "float"},
        {"name": "nan", "type": "double"},
        {"name": "raw", "type": "bytes"},
        {"name": "fixed", "type": {"type": "fixed", "name": "Four", "size": 4}},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}},
        {"name": "list", "type": {"type": "array", "items": "int"}},
        {"name": "map", "type": {"type": "map", "values": "long"}},
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 2}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "time", "type": {"type": "long", "logicalType": "time-micros"}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "local", "type": {"type": "long", "logicalType": "local-timestamp-micros"}},
        {"name": "id", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "inner", "type": {"type": "record", "name": "Inner", "fields": [
            {"name": "again", "type": ["null", "Four", "Inner"]}]}}]}"#;
    let four = Value::Fixed(4, vec![0, 1, 2, 3]);
    let inner = |branch, value| {
        Value::Record(vec![("again".to_owned(), Value::Union(branch, Box::new(value)))])
    };
    let row = [
        ("nothing", Value::Null),
        ("flag", Value::Boolean(true)),
        ("large", Value::Long(i64::MAX)),
        ("float", Value::Float(0.1)),
        ("nan", Value::Double(f64::NAN)),
        ("raw", Value::Bytes(vec![0xff, 0xfe])),
        ("fixed", four.clone()),
        ("kind", Value::Enum(1, "B".into())),
        ("list", Value::Array(vec![Value::Int(-1), Value::Int(0), Value::Int(1)])),
        ("map", Value::Map([("k".to_owned(), Value::Long(7))].into())),
        ("price", Value::Decimal(vec![0xff, 0x85].into())),
        ("day", Value::Date(-1)),
        ("time", Value::TimeMicros(1)),
        ("at", Value::TimestampMillis(1_700_000_000_120)),
        ("local", Value::LocalTimestampMicros(0)),
        ("id", Value::Uuid("00000000-0000-0000-0000-00000000002a".parse().expect("a UUID"))),
        ("inner", inner(2, inner(1, four))),
    ];
    let row = row.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let file = written(schema, Codec::Null, vec![Value::Record(row)]);
    let (_, rows) = read(&file, Limits::default()).expect("a file");
    assert_eq!(
        rows,
        [concat!(
            r#"[null,true,9223372036854775807,0.1,"NaN","//4=","AAECAw==","B",[-1,0,1],{"k":7},"#,
            r#""-1.23","1969-12-31","00:00:00.000001","2023-11-14T22:13:20.12Z","#,
            r#""1970-01-01T00:00:00","00000000-0000-0000-0000-00000000002a","#,
            r#"{"again":{"again":"AAECAw=="}}]"#
        )]
    );
}

#[test]
fn a_file_of_values_has_one_column() {
    let file = written("\"string\"", Codec::Null, vec![Value::String("one".into())]);
    let (columns, rows) = read(&file, Limits::default()).expect("a file");
    assert_eq!((columns, rows), (vec!["value".to_owned()], vec!["[\"one\"]".to_owned()]));
}

#[test]
fn a_file_that_is_cut_short_anywhere_is_an_error_and_never_fewer_rows() {
    for codec in codecs() {
        let file = written(PEOPLE, codec, people(20));
        let (_, all) = read(&file, Limits::default()).expect("a file");
        // The block begins behind the header, which ends with the marker that also ends the file.
        let marker = &file[file.len() - 16..];
        let header = memchr::memmem::find(&file, marker).expect("a marker") + 16;
        for length in 5..file.len() {
            match read(&file[..length], Limits::default()) {
                Ok((_, rows)) => {
                    assert!(length == header && rows.is_empty(), "{codec:?} {length}");
                }
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    assert!(length != header, "{error}");
                }
            }
        }
        assert_eq!(all.len(), 20);
    }
}

#[test]
fn a_file_with_any_byte_changed_never_fails_otherwise_than_with_an_error() {
    let limits = Limits { max_block_bytes: 1 << 20, ..Limits::default() };
    for codec in codecs() {
        let file = written(PEOPLE, codec, people(20));
        for at in 0..file.len() {
            for change in [1, 0x80, 0xff] {
                let mut changed = file.clone();
                changed[at] ^= change;
                let _ = read(&changed, limits);
            }
        }
    }
}

/// A file with a block as it is given.
fn with_block(schema: &str, count: i64, block: &[u8]) -> Vec<u8> {
    let mut file = b"Obj\x01\x02\x16avro.schema".to_vec();
    long(schema.len() as i64, &mut file);
    file.extend_from_slice(schema.as_bytes());
    file.push(0);
    file.extend_from_slice(&[7; 16]);
    long(count, &mut file);
    long(block.len() as i64, &mut file);
    file.extend_from_slice(block);
    file.extend_from_slice(&[7; 16]);
    return file;

    fn long(value: i64, out: &mut Vec<u8>) {
        let mut value = ((value << 1) ^ (value >> 63)) as u64;
        while value >= 0x80 {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    }
}

fn error_of(file: &[u8]) -> String {
    read(file, Limits::default()).expect_err("an error").to_string()
}

#[test]
fn a_schema_that_contains_itself_without_end_ends_in_an_error() {
    let schema = r#"{"type":"record","name":"A","fields":[{"name":"a","type":"A"}]}"#;
    let error = error_of(&with_block(schema, 1, &[0]));
    assert!(error.contains("nested too deeply"), "{error}");
}

#[test]
fn rows_and_items_without_bytes_do_not_multiply() {
    let error = error_of(&with_block("\"null\"", i64::MAX, &[]));
    assert!(error.contains("more rows than it has bytes"), "{error}");
    // An array of 2^40 nulls.
    let schema = r#"{"type":"array","items":"null"}"#;
    let error = error_of(&with_block(schema, 1, &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0]));
    assert!(error.contains("max_row_bytes"), "{error}");
}

#[test]
fn text_that_is_not_utf8_is_the_fault_of_its_row_alone() {
    let file = with_block("\"string\"", 2, &[2, 0xff, 2, b'a']);
    let (_, rows) = read(&file, Limits::default()).expect("a file");
    assert_eq!(rows, ["InvalidUtf8 [\"/w==\"]", "[\"a\"]"]);
}

#[test]
fn a_block_that_expands_without_end_is_stopped() {
    let row = Value::String("a".repeat(10 << 20));
    for codec in codecs() {
        let file = written("\"string\"", codec, vec![row.clone()]);
        let limits = Limits { max_block_bytes: 1 << 20, ..Limits::default() };
        let error = read(&file, limits).expect_err("too large");
        assert_eq!(error.code(), "takes_too_much_memory", "{codec:?}: {error}");
        assert!(error.to_string().contains("max_block_bytes = 1048576"), "{error}");
    }
}
