use std::collections::BTreeMap;

use super::super::{Hints, open};
use super::*;

/// What reading a file came to: each row as a JSON array.
fn read(bytes: Vec<u8>, limits: Limits) -> Result<(Detected, Vec<String>), FormatError> {
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
    for (name, bytes) in &files {
        match read(bytes.clone(), Limits::default()) {
            Ok((detected, lines)) => {
                println!("{name}: {} rows of {:?}", lines.len(), detected.columns);
                for line in lines.iter().take(4) {
                    let line: String = line.chars().take(400).collect();
                    println!("    {line}");
                }
            }
            Err(error) => println!("{name}: {}: {error}", error.code()),
        }
    }
}
