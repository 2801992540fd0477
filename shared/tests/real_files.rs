//! Other projects' test files, read by this one. They are not part of the project: `INLET_FIXTURES`
//! names the folder that holds them, and without it these tests pass over them and say so.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use inlet::catalog::{Format, RecordSettings, RejectPolicy};
use inlet::format::{self, FormatError, Hints, Limits};
use inlet::record::{BatchLimits, Counters, Mappings, Output, Plan, RejectContext, convert, plain};
use serde_json::{Map, Value};

fn fixtures(folder: &str) -> Option<PathBuf> {
    match std::env::var_os("INLET_FIXTURES") {
        Some(fixtures) => Some(Path::new(&fixtures).join(folder)),
        None => {
            println!("skipped: INLET_FIXTURES does not name the folder of {folder}");
            None
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    for entry in entries {
        let path = entry.expect("a directory entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !path.file_name().is_some_and(|name| {
            let name = name.to_string_lossy();
            name.starts_with("LICENSE") || name.starts_with("COPYING")
        }) {
            found.push(path);
        }
    }
    found.sort();
    assert!(!found.is_empty(), "{folder:?} holds no files");
    found
}

/// The rows of a file as JSON objects, and how many were refused.
fn lines(bytes: Vec<u8>) -> (Vec<Value>, u64) {
    let (mut rows, detected) =
        format::open(Cursor::new(bytes), Hints::default(), &Format::default(), Limits::default())
            .expect("readable");
    let settings = RecordSettings::default();
    let mut mappings = Mappings::new(&[], &settings, &rows, &detected).expect("fits");
    let (mut out, mut refused) = (Vec::new(), 0);
    plain::ndjson(&mut rows, &mut mappings, &mut out, &mut |_| refused += 1).expect("written");
    let lines = out.split_inclusive(|byte| *byte == b'\n');
    (lines.map(|line| serde_json::from_slice(line).expect("valid JSON")).collect(), refused)
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

#[test]
fn csv_spectrum_reads_as_its_authors_expect() {
    let Some(folder) = fixtures("csv-spectrum") else { return };
    let tests = files(&folder.join("csvs"));
    assert!(tests.len() >= 11);
    for path in tests {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let expected = bytes(&folder.join("json").join(format!("{name}.json")));
        let expected: Value = serde_json::from_slice(&expected).expect("valid JSON");
        let mut text = String::from_utf8(bytes(&path)).expect("UTF-8");
        // A checkout that normalises line ends takes the CRs from the files that are about them.
        if name.ends_with("_crlf") && !text.contains('\r') {
            text = text.replace('\n', "\r\n");
        }
        let (lines, refused) = lines(text.into_bytes());
        assert_eq!((Value::Array(lines), refused), (expected, 0), "{name}");
    }
}

#[test]
fn compressed_files_of_several_members_are_read_whole() {
    let Some(folder) = fixtures("multi-member") else { return };
    let settings = Format { header: Some(false), ..Format::default() };
    for (name, expected) in [
        ("multiple.gz", &["ab"][..]),
        ("members.gz", &["Hello1", "Hello2"]),
        ("members-size-0.gz", &[]),
        ("multiple.bz2", &["ab"]),
    ] {
        let file = File::open(folder.join(name)).expect("the file is there");
        let (mut rows, _) =
            format::open(file, Hints::default(), &settings, Limits::default()).expect("readable");
        let mut found = Vec::new();
        while let Some(row) = rows.next().expect("readable") {
            found.push(String::from_utf8_lossy(row.cell(0)).into_owned());
        }
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn real_tables_have_the_rows_that_they_have() {
    let Some(folder) = fixtures("rust-csv") else { return };
    for (name, rows, refused) in [
        ("smallpop.csv", 10, 0),
        ("smallpop-no-headers.csv", 10, 0),
        ("smallpop-colon.csv", 10, 0),
        // Backslashes, a comment, and one row with a cell too few.
        ("strange.csv", 5, 1),
        ("nfl.csv", 9999, 0),
        ("game.csv", 100_000, 0),
        ("gtfs-mbta-stop-times.csv", 9999, 0),
        ("worldcitiespop.csv", 20_000, 0),
        ("uspop.csv", 100, 0),
        ("uspop-null.csv", 100, 0),
        ("uspop-latin1.csv", 100, 0),
    ] {
        let (lines, found) = lines(bytes(&folder.join(name)));
        assert_eq!((lines.len(), found), (rows, refused), "{name}");
    }
    let settings = Format::default();
    let file = File::open(folder.join("smallpop-colon.csv")).expect("the file is there");
    let (_, detected) =
        format::open(file, Hints::default(), &settings, Limits::default()).expect("readable");
    assert_eq!(detected.columns.len(), 4);
}

/// What one file came to.
enum Outcome {
    Read { dialect: String, header: bool, columns: usize, counters: Counters },
    Refused(FormatError),
}

/// Takes a file all the way, and checks that every row is accounted for.
fn take(name: &str, bytes: impl Read + Send + 'static) -> Outcome {
    let (mut rows, detected) =
        match format::open(bytes, Hints::named(name), &Format::default(), Limits::default()) {
            Ok(opened) => opened,
            Err(error) => return Outcome::Refused(error),
        };
    let mut mappings = Mappings::new(&[], &RecordSettings::default(), &rows, &detected)
        .expect("unmapped columns always fit");
    let plan = Plan {
        object_ref: "fixtures/file",
        rejects: RejectPolicy::default(),
        context: RejectContext { object_json: "{}", table: "t", parts: None },
        limits: BatchLimits { max_bytes: 200_000, max_records: 1000 },
        start: Counters::default(),
    };
    let (mut records, mut rejects) = (0, 0);
    let ended = convert(&mut rows, &mut mappings, &plan, &mut |output| {
        match output {
            Output::Batch(batch) => {
                let json = [b"[", batch.json.as_slice(), b"]"].concat();
                let batch: Vec<Map<String, Value>> =
                    serde_json::from_slice(&json).expect("valid JSON");
                records += batch.len() as u64;
            }
            Output::Mark(_) => {}
            Output::Rejects(piece) => {
                for line in piece.lines.split_inclusive(|byte| *byte == b'\n') {
                    serde_json::from_slice::<Value>(line).expect("valid JSON");
                    rejects += 1;
                }
            }
        }
        Ok(())
    });
    let counters = match ended {
        Ok(counters) => counters,
        Err(failed) => match failed.cause {
            inlet::record::ConvertError::Format(error) => return Outcome::Refused(error),
            other => panic!("{other}"),
        },
    };
    assert!(counters.account_for_every_row(), "{counters:?}");
    assert_eq!((counters.records, counters.rejects), (records, rejects));
    let dialect = match detected.dialect {
        Some(found) => format!("{:?} {:?} {:?}", found.delimiter, found.quote, found.escape),
        None => format!("{:?}", detected.kind),
    };
    Outcome::Read {
        dialect,
        header: detected.has_header,
        columns: detected.columns.len(),
        counters,
    }
}

/// Every file is read to its end, or refused with its cause; a table tells which.
#[test]
fn no_row_of_any_file_vanishes() {
    let folders = ["csv-spectrum", "duckdb-csv", "rust-csv", "json-test-suite", "parquet", "excel"];
    for folder in folders.into_iter().chain(["docx", "multi-member"]) {
        let Some(folder) = fixtures(folder) else { return };
        println!(
            "\n{:64} {:28} {:>5} {:>4} {:>6} {:>7} {:>7}",
            folder.display(),
            "how",
            "head",
            "cols",
            "rows",
            "records",
            "rejects"
        );
        for path in files(&folder) {
            let name = path.strip_prefix(&folder).unwrap_or(&path).display().to_string();
            match take(&name, File::open(&path).expect("the file is there")) {
                Outcome::Read { dialect, header, columns, counters } => println!(
                    "{name:64} {dialect:28} {header:>5} {columns:>4} {:>6} {:>7} {:>7}",
                    counters.rows, counters.records, counters.rejects
                ),
                Outcome::Refused(error) => {
                    let failure = error.failure();
                    assert!(!failure.remedy.is_empty(), "{name}: {failure:?}");
                    println!("{name:64} {}: {}", failure.code, failure.message);
                }
            }
        }
    }
}

#[test]
fn a_document_of_an_office_is_no_archive_of_files() {
    for folder in ["excel", "docx"] {
        let Some(folder) = fixtures(folder) else { return };
        let mut documents = 0;
        for path in files(&folder) {
            let file = bytes(&path);
            if !file.starts_with(b"PK\x03\x04") {
                continue;
            }
            documents += 1;
            let name = path.display().to_string();
            let hints = Hints::named(&name);
            match format::open(Cursor::new(file), hints, &Format::default(), Limits::default()) {
                Ok((_, detected)) => assert!(detected.archive.is_none(), "{name}"),
                Err(error) => {
                    let said = error.to_string();
                    assert!(!said.contains("member") && !said.contains("zip"), "{name}: {said}");
                }
            }
        }
        assert!(documents > 30, "{documents} documents in {folder:?}");
    }
}

/// Looked at by eye: whether there is a header, columns, records and rejects.
const DUCKDB: [(&str, bool, usize, u64, u64); 42] = [
    ("auto/14177.csv", true, 2, 5, 0),
    ("auto/backslash_escape.csv", false, 3, 3, 0),
    ("auto/date_format_bug_linux.csv", true, 1, 3, 0),
    ("auto/duplicate_header_columns.csv", true, 13, 2, 0),
    ("auto/early_out_error.csv", true, 3, 22, 0),
    ("auto/empty_header.csv", true, 3, 2, 0),
    ("auto/invalid_time.csv", false, 1, 1, 0),
    ("auto/issue_811.csv", true, 4, 4494, 0),
    ("auto/large_mixed_data.csv", true, 3, 27_003, 0),
    ("auto/leading_space_numerics.csv", false, 3, 3, 0),
    ("auto/missing_many_col.csv", true, 13, 2, 0),
    ("auto/mixed_single_line.csv", false, 2, 1, 0),
    // A row with a cell too few, and one with a cell too many.
    ("auto/mock_duckdb_test_data.csv", true, 5, 7, 2),
    ("auto/multi_column_string_mix_r_n.csv", false, 4, 9, 0),
    ("auto/multi_column_string_r.csv", false, 4, 9, 0),
    ("auto/multiple_skip_row.csv", true, 3, 1, 0),
    ("auto/no_header.csv", false, 3, 2, 0),
    ("auto/normalize_names_5.csv", true, 3, 2, 0),
    ("auto/normalize_names_6.csv", true, 3, 2, 0),
    ("auto/pipe_delim_quote.csv", false, 3, 3, 0),
    ("auto/product_codes_HS17_V202301.csv.gz", true, 2, 5384, 0),
    ("auto/sample.csv", true, 3, 3, 0),
    ("auto/semicolon_quote.csv", false, 3, 3, 0),
    ("auto/single_quote_backslash.csv", false, 3, 3, 0),
    ("auto/skip_row.csv", true, 3, 1, 0),
    ("auto/tab_single_quote.csv", false, 3, 3, 0),
    ("auto/tab_single_quote_varchar.csv", false, 3, 3, 0),
    ("auto/time.csv", true, 1, 3, 0),
    ("auto/time_date_timestamp_trailing.csv", true, 6, 3, 0),
    // `"Swing it" magistern` in a file without quotes: asked about.
    ("auto/titlebasicsdebug.tsv", true, 9, 3001, 1),
    ("auto/unnamed_columns.csv", false, 13, 2, 0),
    ("auto/various_time_formats.csv", false, 5, 1, 0),
    ("test/bgzf.gz", true, 13, 7, 0),
    ("test/big_header.csv", true, 4, 3, 0),
    ("test/concat.gz", true, 13, 14, 0),
    ("test/error_too_little.csv", true, 2, 5, 1),
    ("test/error_too_many.csv", true, 2, 5, 1),
    ("test/issue2518.csv", false, 5, 10, 0),
    ("test/new_line_string_rn_exc.csv", false, 4, 3, 0),
    ("test/test_null_csv.csv", false, 3, 1, 0),
    ("test/test_pipe.csv", false, 3, 10, 0),
    ("test/timestampoffset.csv", true, 1, 4, 0),
];

#[test]
fn dialects_and_headers_are_found_as_a_person_finds_them() {
    let Some(folder) = fixtures("duckdb-csv") else { return };
    for (name, header, columns, records, rejects) in DUCKDB {
        match take(name, File::open(folder.join(name)).expect("the file is there")) {
            Outcome::Read { dialect, header: found, columns: width, counters } => assert_eq!(
                (found, width, counters.records, counters.rejects),
                (header, columns, records, rejects),
                "{name}: {dialect}"
            ),
            Outcome::Refused(error) => panic!("{name}: {error}"),
        }
    }
}
