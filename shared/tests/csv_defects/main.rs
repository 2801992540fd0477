//! CSV as people drop it: files with one defect or peculiarity each, and beside each the rows and
//! rejects that a person would write down. Every row of every file is accounted for.

mod above;
mod below;
mod delimiters;
mod headers;
mod quotes;
mod rows;

use std::io::Cursor;

use inlet::catalog::{Format, OnReject, RecordSettings, RejectPolicy};
use inlet::format::{self, FormatError, Hints, Limits};
use inlet::record::{BatchLimits, Counters, Mappings, Output, Plan, RejectContext, convert};
use serde_json::{Map, Value};

/// What a file came to, as a person would write it down: cells with ` ¦ ` between them, rejects as
/// their lines and codes.
#[derive(Debug, PartialEq, Eq)]
struct Taken {
    columns: String,
    rows: Vec<String>,
    rejects: Vec<(u64, String)>,
}

struct Read {
    taken: Taken,
    evidence: Vec<String>,
    counters: Counters,
    raws: Vec<String>,
}

fn take(bytes: &[u8], settings: &Format) -> Result<Read, FormatError> {
    let input = Cursor::new(bytes.to_vec());
    let (mut rows, detected) = format::open(input, Hints::default(), settings, Limits::default())?;
    let mut mappings = Mappings::new(&[], &RecordSettings::default(), &rows, &detected)
        .expect("columns that are not named fit");
    let plan = Plan {
        object_ref: "file",
        rejects: RejectPolicy { policy: OnReject::Quarantine, ..RejectPolicy::default() },
        context: RejectContext { object_json: "{}", table: "t", parts: None },
        limits: BatchLimits { max_bytes: 200_000, max_records: 1000 },
        start: Counters::default(),
    };
    let mut read = Read {
        taken: Taken { columns: detected.columns.join(" ¦ "), rows: vec![], rejects: vec![] },
        evidence: detected.evidence,
        counters: Counters::default(),
        raws: Vec::new(),
    };
    let names = detected.columns;
    read.counters = convert(&mut rows, &mut mappings, &plan, &mut |output| {
        match output {
            Output::Batch(batch) => {
                let json = [b"[", batch.json.as_slice(), b"]"].concat();
                let records: Vec<Map<String, Value>> =
                    serde_json::from_slice(&json).expect("valid JSON");
                for record in records {
                    let text = |name| record["values"][name].as_str().expect("text").to_owned();
                    let cells: Vec<String> = names.iter().map(text).collect();
                    read.taken.rows.push(cells.join(" ¦ "));
                }
            }
            Output::Mark(_) => {}
            Output::Rejects(piece) => {
                for line in piece.lines.split_inclusive(|byte| *byte == b'\n') {
                    let reject: Value = serde_json::from_slice(line).expect("valid JSON");
                    let code = reject["code"].as_str().expect("a code").to_owned();
                    let line = reject["line"].as_u64().expect("a line");
                    read.taken.rejects.push((line, code));
                    read.raws.push(reject["raw"].as_str().unwrap_or_default().to_owned());
                }
            }
        }
        Ok(())
    })
    .unwrap_or_else(|failed| panic!("{failed}"));
    let counters = &read.counters;
    assert!(counters.account_for_every_row(), "{counters:?}");
    assert_eq!(counters.records, read.taken.rows.len() as u64);
    assert_eq!(counters.rejects, read.taken.rejects.len() as u64);
    Ok(read)
}

/// Reads the file and compares it with what a person would write down.
#[track_caller]
fn check(
    name: &str,
    settings: &Format,
    text: &str,
    columns: &str,
    rows: &[&str],
    rejects: &[(u64, &str)],
) -> Read {
    let read = take(text.as_bytes(), settings).unwrap_or_else(|error| panic!("{name}: {error}"));
    let expected = Taken {
        columns: columns.to_owned(),
        rows: rows.iter().map(|row| (*row).to_owned()).collect(),
        rejects: rejects.iter().map(|(line, code)| (*line, (*code).to_owned())).collect(),
    };
    assert_eq!(read.taken, expected, "{name}: {:#?}", read.evidence);
    read
}

#[track_caller]
fn detected(name: &str, text: &str, columns: &str, rows: &[&str], rejects: &[(u64, &str)]) -> Read {
    check(name, &Format::default(), text, columns, rows, rejects)
}

const CLEAN: [&str; 5] =
    ["1 ¦ Ann ¦ 2.5", "2 ¦ Bob ¦ 3.5", "3 ¦ Cid ¦ 4.5", "4 ¦ Dan ¦ 5.5", "5 ¦ Eve ¦ 6.5"];

/// The clean file, with a line put in the place of another.
fn with_line(at: usize, line: &str) -> String {
    let mut lines: Vec<String> = vec!["id,name,amount".to_owned()];
    lines.extend(CLEAN.iter().map(|row| row.replace(" ¦ ", ",")));
    line.clone_into(&mut lines[at]);
    lines.join("\n") + "\n"
}

/// Its rows without those of some numbers.
fn without(left_out: &[usize]) -> Vec<&'static str> {
    let rows = CLEAN.iter().enumerate().filter(|(at, _)| !left_out.contains(&(at + 1)));
    rows.map(|(_, row)| *row).collect()
}
