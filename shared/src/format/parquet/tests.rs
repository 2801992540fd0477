#![allow(clippy::unwrap_used, reason = "a test says where it failed")]

use std::collections::BTreeMap;

use super::super::{Hints, open};
use super::*;

/// What reading a file came to: each row as a JSON array.
pub(super) fn read(bytes: Vec<u8>, limits: Limits) -> Result<(Detected, Vec<String>), FormatError> {
    let settings = catalog::Format::default();
    let (mut rows, detected) =
        open(std::io::Cursor::new(bytes), Hints::default(), &settings, limits)?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        assert_eq!(row.number(), lines.len() as u64 + 1);
        assert_eq!(row.len(), row.head().columns.len());
        let raw: serde_json::Value = serde_json::from_slice(row.raw()).expect("JSON");
        assert_eq!(raw.as_array().map(Vec::len), Some(row.len()));
        lines.push(String::from_utf8(row.raw().to_vec()).expect("UTF-8"));
    }
    assert_eq!(rows.position().row, lines.len() as u64);
    Ok((detected, lines))
}

fn fixtures() -> Option<BTreeMap<String, Vec<u8>>> {
    let Ok(folder) = std::env::var("INLET_FIXTURES") else {
        eprintln!("skipped: INLET_FIXTURES is not set");
        return None;
    };
    let mut files = BTreeMap::new();
    for folder in ["", "/aes256", "/geospatial"].map(|sub| format!("{folder}/parquet{sub}")) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.contains(".parquet") && !name.ends_with(".json") {
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    Some(files)
}

#[test]
fn every_parquet_file_of_others_is_read_or_refused_clearly() {
    let Some(files) = fixtures() else { return };
    let mut refused = BTreeMap::new();
    for (name, bytes) in &files {
        match read(bytes.clone(), Limits::default()) {
            Ok((detected, lines)) => {
                let columns = detected.columns.join(", ");
                let columns: String = columns.chars().take(60).collect();
                println!("{name:50} {:5} rows of {columns}", lines.len());
            }
            Err(error) => {
                println!("{name:50} {error}");
                if name.ends_with(".encrypted") {
                    assert_eq!(error.code(), "encrypted", "{name}");
                } else {
                    refused.insert(name.as_str(), error.code());
                }
            }
        }
    }
    let expected = BTreeMap::from([
        ("datapage_v1-corrupt-checksum.parquet", "damaged"),
        // A list in its footer is of another type than the format says.
        ("dict-page-offset-zero.parquet", "damaged"),
        // A map with a text of 2^30 bytes.
        ("large_string_map.brotli.parquet", "takes_too_much_memory"),
        ("nation.dict-malformed.parquet", "damaged"),
        ("rle-dict-uncompressed-corrupt-checksum.parquet", "damaged"),
    ]);
    assert_eq!(refused, expected);
}

#[test]
fn the_values_are_those_that_other_programs_read() {
    let Some(files) = fixtures() else { return };
    let folder = std::env::var("INLET_FIXTURES").unwrap();
    for name in [
        "delta_binary_packed",
        "delta_byte_array",
        "delta_encoding_optional_column",
        "delta_encoding_required_column",
    ] {
        let (_, lines) =
            read(files[&format!("{name}.parquet")].clone(), Limits::default()).unwrap();
        let expected = std::fs::File::open(format!("{folder}/parquet/{name}_expect.csv")).unwrap();
        let settings = catalog::Format::default();
        let (mut rows, _) = open(expected, Hints::default(), &settings, Limits::default()).unwrap();
        let mut count = 0;
        while let Some(row) = rows.next().unwrap() {
            let found: Vec<serde_json::Value> = serde_json::from_str(&lines[count]).unwrap();
            let found: Vec<String> = found
                .iter()
                .map(|value| match value {
                    serde_json::Value::Null => String::new(),
                    serde_json::Value::String(text) => text.clone(),
                    other => other.to_string(),
                })
                .collect();
            let expected: Vec<String> =
                row.cells().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
            assert_eq!(found, expected, "{name}");
            count += 1;
        }
        assert_eq!(count, lines.len(), "{name}");
    }
}

#[test]
fn nested_values_are_put_together_from_their_levels() {
    let Some(files) = fixtures() else { return };
    let rows = |name: &str| read(files[name].clone(), Limits::default()).unwrap().1;
    assert_eq!(rows("nested_lists.snappy.parquet")[0], r#"[[[["a","b"],["c"]],[null,["d"]]],1]"#);
    assert_eq!(
        rows("list_columns.parquet"),
        [
            r#"[[1,2,3],["abc","efg","hij"]]"#,
            r#"[[null,1],null]"#,
            r#"[[4],["efg",null,"hij","xyz"]]"#
        ]
    );
    assert_eq!(rows("old_list_structure.parquet"), [r#"[[[1,2],[3,4]]]"#]);
    assert_eq!(rows("null_list.parquet"), [r#"[[]]"#]);
    let nullable = rows("nullable.impala.parquet");
    assert_eq!(
        nullable[2..4],
        [
            r#"[3,[],[null],{},[null,null],{"A":null,"b":null,"C":{"d":[]},"g":{}}]"#,
            r#"[4,null,[],{},[],{"A":null,"b":null,"C":{"d":null},"g":null}]"#
        ]
    );
    assert_eq!(
        rows("nested_maps.snappy.parquet")[2..4],
        [r#"[{"c":null},1,1.0]"#, r#"[{"d":{}},1,1.0]"#]
    );
}

#[test]
fn a_file_that_is_cut_short_or_changed_is_an_error_or_rows_and_nothing_else() {
    let Some(files) = fixtures() else { return };
    for name in [
        "alltypes_plain.snappy.parquet",
        "nested_lists.snappy.parquet",
        "nullable.impala.parquet",
        "lz4_raw_compressed.parquet",
        "datapage_v2.snappy.parquet",
    ] {
        let file = &files[name];
        for length in (0..file.len()).step_by(5) {
            // Nothing at all is a table without rows.
            if let Ok((_, rows)) = read(file[..length].to_vec(), Limits::default()) {
                assert!(length < 5 && rows.is_empty(), "{name} {length}");
            }
        }
        for at in (4..file.len()).step_by(3) {
            let mut changed = file.clone();
            changed[at] ^= 0x55;
            let _ = read(changed, Limits::default());
        }
    }
}

#[test]
fn pages_beyond_the_limit_are_refused() {
    let Some(files) = fixtures() else { return };
    let limits = Limits { max_pages_bytes: 1 << 10, ..Limits::default() };
    let error = read(files["delta_byte_array.parquet"].clone(), limits).unwrap_err();
    assert_eq!(error.code(), "takes_too_much_memory", "{error}");
    assert!(error.to_string().contains("max_pages_bytes = 1024"), "{error}");
}
