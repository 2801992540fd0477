//! `inlet` as a newcomer uses it, on one machine.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

fn inlet(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_inlet")).args(arguments).output().expect("inlet runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

/// A copy of the samples, without what a run left in them.
fn samples() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    for part in ["connections", "sources", "buckets"] {
        copy(&from.join(part), &directory.path().join(part));
    }
    directory
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("the samples are there") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

fn events(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("a line is an event")).collect()
}

fn count(events: &[Value], kind: &str) -> usize {
    events.iter().filter(|event| event["type"] == kind).count()
}

#[test]
fn a_first_run_over_the_samples_and_a_second_and_one_after_a_change() {
    let directory = samples();
    let dir = directory.path().display().to_string();
    let deals = directory.path().join("out/deals/deals.ndjson");
    let orders = directory.path().join("out/orders/orders.ndjson");

    let first = inlet(&["dev", &dir, "--once"]);
    let said = text(&first.stdout);
    assert_eq!(first.status.code(), Some(1), "a file is broken: {said}");
    assert!(said.contains("orders-2026-02.csv.gz"), "{said}");
    assert!(said.contains("cut short"), "{said}");
    let records: Vec<_> = events(&deals);
    assert_eq!(count(&records, "inlet.records.v1"), 1);
    let values = &records[0]["data"]["records"][0]["values"];
    assert_eq!(values["name"], "Bäckerei Süßkorn");
    let quoted = records[0]["data"]["records"].as_array().expect("records");
    assert!(quoted.iter().any(|r| r["values"]["Notes"].as_str().is_some_and(|n| n.contains('\n'))));
    let counts = &records[1]["data"];
    assert_eq!((&counts["rows"], &counts["rejects"]), (&24.into(), &1.into()));
    assert_eq!(count(&events(&orders), "inlet.object.completed.v1"), 1);
    assert_eq!(count(&events(&orders), "inlet.object.failed.v1"), 1);
    let reject = fs::read_dir(directory.path().join("out/rejects/deals"))
        .expect("rejects")
        .next()
        .expect("one file")
        .expect("an entry");
    assert!(fs::read_to_string(reject.path()).expect("rejects").contains("2026-02-30"));

    let (before_deals, before_orders) =
        (fs::read(&deals).expect("deals"), fs::read(&orders).expect("orders"));
    let second = inlet(&["dev", &dir, "--once"]);
    assert!(text(&second.stdout).contains("0 ingested"), "{}", text(&second.stdout));
    assert_eq!(second.status.code(), Some(1), "the broken file is still broken");
    assert_eq!(fs::read(&deals).expect("deals"), before_deals);
    assert_eq!(fs::read(&orders).expect("orders"), before_orders);

    let file = directory.path().join("buckets/acme-drop/crm/deals.csv");
    let mut content = fs::read(&file).expect("deals.csv");
    content.extend_from_slice(b"D-9999;Neu;new@example.com;1.00;2026-01-01;;Open;\r\n");
    fs::write(&file, content).expect("a change");
    let third = inlet(&["dev", &dir, "--once"]);
    assert!(text(&third.stdout).contains("1 ingested (24 records"), "{}", text(&third.stdout));
    assert_eq!(fs::read(&orders).expect("orders"), before_orders, "only the changed file is taken");
    assert_eq!(count(&events(&deals), "inlet.object.completed.v1"), 2);

    fs::remove_file(&file).expect("a removal");
    let fourth = inlet(&["dev", &dir, "--once"]);
    assert!(text(&fourth.stdout).contains("1 removed"), "{}", text(&fourth.stdout));
    assert_eq!(count(&events(&deals), "inlet.object.removed.v1"), 1);

    let explained = inlet(&["explain", "s3://acme-drop/shop/orders-2026-02.csv.gz", "--dir", &dir]);
    let explained = text(&explained.stdout);
    assert!(explained.contains("failed since"), "{explained}");
    assert!(explained.contains("gzip_truncated"), "{explained}");
}

/// An `inlet dev` under way, ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().expect("it is killed");
        self.0.wait().expect("it ends");
    }
}

fn until(what: &str, mut met: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !met() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn while_it_watches_files_are_taken_as_they_come_change_and_go() {
    let directory = samples();
    let dir = directory.path().display().to_string();
    let mut running = Command::new(env!("CARGO_BIN_EXE_inlet"));
    running.args(["dev", &dir]).stdout(Stdio::null()).stderr(Stdio::null());
    let running = Running(running.spawn().expect("inlet runs"));
    let deals = directory.path().join("out/deals/deals.ndjson");
    until("the first file", || count(&events(&deals), "inlet.object.completed.v1") == 1);

    let file = directory.path().join("buckets/acme-drop/crm/new.csv");
    let new = directory.path().join("out/deals/new.ndjson");
    fs::write(&file, "Deal ID;Name;Owner;Amount;Created;Closed\nN-1;x;a@b.de;1;2026-01-01;\n")
        .expect("a file");
    until("the new file", || count(&events(&new), "inlet.object.completed.v1") == 1);
    fs::write(&file, "Deal ID;Name;Owner;Amount;Created;Closed\nN-2;x;a@b.de;1;2026-01-01;\n")
        .expect("a change");
    until("the change", || count(&events(&new), "inlet.object.completed.v1") == 2);
    fs::remove_file(&file).expect("a removal");
    until("the removal", || count(&events(&new), "inlet.object.removed.v1") == 1);

    let second = inlet(&["dev", &dir, "--once"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stderr).contains("another `inlet dev` runs"), "{}", text(&second.stderr));
    drop(running);
}

#[test]
fn while_it_watches_a_changed_definition_is_said_not_to_be_in_use() {
    let directory = samples();
    let dir = directory.path().display().to_string();
    let said = directory.path().join("said");
    let out = fs::File::create(&said).expect("a file");
    let mut running = Command::new(env!("CARGO_BIN_EXE_inlet"));
    running.args(["dev", &dir]).stdout(out).stderr(Stdio::null());
    let running = Running(running.spawn().expect("inlet runs"));
    let said = |text: &str| fs::read_to_string(&said).is_ok_and(|said| said.contains(text));
    until("the beginning", || said("watching "));

    let source = directory.path().join("sources/deals.toml");
    let text = fs::read_to_string(&source).expect("a source");
    fs::write(&source, format!("{text}\n[limits]\nmax_columns = 77\n")).expect("a change");
    until("the change", || said("sources/deals.toml changed: start `inlet dev` again to use it"));
    fs::write(&source, format!("{text}\n[limits]\nmax_colums = 77\n")).expect("a change");
    until("the mistake", || said("the definitions of the start stay in use: 1 problem in "));
    drop(running);
}

/// Killed at any moment and run again, it ends with each record once.
#[test]
fn a_killed_run_is_taken_up_without_a_row_lost_or_written_twice() {
    let directory = tempfile::tempdir().expect("a directory");
    for part in ["connections", "sources", "buckets/big"] {
        fs::create_dir_all(directory.path().join(part)).expect("a directory");
    }
    fs::write(directory.path().join("connections/c.toml"), "key = \"c\"\nname = \"C\"\n")
        .expect("a connection");
    let source = "key = \"s\"\nconnection = \"c\"\nbucket = \"big\"\ntable = \"t\"\n";
    fs::write(directory.path().join("sources/s.toml"), source).expect("a source");
    let (files, rows) = (8, 20_000);
    for n in 0..files {
        let mut body = String::from("id,name\n");
        for row in 0..rows {
            body.push_str(&format!("{n}-{row},some name or other\n"));
        }
        fs::write(directory.path().join(format!("buckets/big/{n}.csv")), body).expect("a file");
    }
    let dir = directory.path().display().to_string();
    let out = directory.path().join("out/s/t.ndjson");
    for kill in 1..=5_u64 {
        let mut run = Command::new(env!("CARGO_BIN_EXE_inlet"));
        run.args(["dev", &dir, "--once"]).stdout(Stdio::null()).stderr(Stdio::null());
        let running = Running(run.spawn().expect("inlet runs"));
        let size = |path: &Path| fs::metadata(path).map_or(0, |m| m.len());
        until("something to be written", || size(&out) > kill * 400_000);
        drop(running);
    }
    let last = inlet(&["dev", &dir, "--once"]);
    assert_eq!(last.status.code(), Some(0), "{} {}", text(&last.stdout), text(&last.stderr));
    let events = events(&out);
    assert_eq!(count(&events, "inlet.object.completed.v1"), files);
    let mut ids: Vec<String> = Vec::new();
    for event in &events {
        for record in event["data"]["records"].as_array().into_iter().flatten() {
            ids.push(record["values"]["id"].as_str().expect("an id").to_owned());
        }
    }
    assert_eq!(ids.len(), files * rows, "no row lost, and none written twice");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), files * rows);
}

#[test]
fn read_prints_rows_and_says_what_it_rejects() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("x.csv");
    fs::write(&file, "\u{feff}id;name\n1;\"a\n\"\"b\"\"\"\n2;c;d\n").expect("a file");
    let path = file.display().to_string();
    let read = inlet(&["read", &path]);
    assert_eq!(text(&read.stdout), "{\"id\":\"1\",\"name\":\"a\\n\\\"b\\\"\"}\n");
    assert_eq!(read.status.code(), Some(1), "a row was rejected");
    let rejects = text(&read.stderr);
    assert!(rejects.contains("too_many_cells"), "{rejects}");
    assert!(rejects.contains("\"line\":4"), "{rejects}");

    let csv = inlet(&["read", &path, "--to", "csv"]);
    assert_eq!(text(&csv.stdout), "id,name\r\n1,\"a\n\"\"b\"\"\"\r\n");
}

#[test]
fn a_directory_an_empty_file_and_no_rows_are_told_as_what_they_are() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().display().to_string();
    for command in ["read", "preview"] {
        let refused = inlet(&[command, &path]);
        assert_eq!(refused.status.code(), Some(2));
        let said = text(&refused.stderr);
        assert!(said.contains("is a directory: name a file"), "{said}");
    }
    let file = directory.path().join("x.csv");
    fs::write(&file, "").expect("a file");
    let path = file.display().to_string();
    let empty = text(&inlet(&["preview", &path]).stdout);
    assert!(empty.contains("the file is empty") && !empty.contains("delimiter"), "{empty}");
    fs::write(&file, "a,b\n1,2\n").expect("a file");
    let none = text(&inlet(&["preview", &path, "--rows", "0"]).stdout);
    assert!(none.contains("columns: a, b") && !none.contains("first records"), "{none}");
}

/// A workbook (.xlsb) with a sheet of which it does not say where it is: the crate that reads workbooks
/// panics on it.
fn workbook_without_its_sheet() -> Vec<u8> {
    let wide = |text: &str| {
        let length = (text.len() as u32).to_le_bytes();
        [length.to_vec(), text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat()
    };
    // The record of a sheet (BrtBundleSh): shown, number 1, the name of its relation, its name.
    let sheet = [vec![0; 4], vec![1, 0, 0, 0], wide("r1"), wide("S")].concat();
    let book = [vec![0x9c, 1, sheet.len() as u8], sheet].concat();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in [
        ("[Content_Types].xml", &b"<Types/>"[..]),
        ("xl/workbook.bin", &book),
        ("xl/_rels/workbook.bin.rels", b"<Relationships/>"),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).expect("memory");
        zip.write_all(content).expect("memory");
    }
    zip.finish().expect("memory").into_inner()
}

#[test]
fn where_a_reader_panics_is_told_and_nothing_else_is_printed() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("x.xlsb");
    fs::write(&file, workbook_without_its_sheet()).expect("a file");
    let read = inlet(&["read", &file.display().to_string()]);
    let said = text(&read.stderr);
    assert!(said.contains("its reader gave up on it (calamine-"), "{said}");
    assert!(!said.contains("panicked") && !said.contains("backtrace"), "{said}");
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("x.csv");
    fs::write(&file, format!("id\n{}", "1\n".repeat(200_000))).expect("a file");
    let mut read = Command::new(env!("CARGO_BIN_EXE_inlet"));
    read.arg("read").arg(&file).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut read = read.spawn().expect("inlet runs");
    let mut first = [0; 10];
    read.stdout.take().expect("its output").read_exact(&mut first).expect("some output");
    let ended = read.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(0), "{}", text(&ended.stderr));
}

#[test]
fn validate_lists_everything_that_is_wrong() {
    let directory = samples();
    let source = directory.path().join("sources/deals.toml");
    let wrong = fs::read_to_string(&source).expect("a source").replace("mode =", "mood =")
        + "\n[format]\ndelimeter = \";\"\n";
    fs::write(&source, wrong).expect("a source");
    let dir = directory.path().display().to_string();
    let validated = inlet(&["validate", &dir]);
    assert_eq!(validated.status.code(), Some(2));
    let said = text(&validated.stderr);
    assert!(said.contains("2 problems"), "{said}");
    assert!(said.contains("sources/deals.toml:6:1"), "{said}");
    assert!(said.contains("delimiter"), "{said}");
    let run = inlet(&["dev", &dir, "--once"]);
    assert_eq!(run.status.code(), Some(2), "nothing runs on wrong definitions");
}
