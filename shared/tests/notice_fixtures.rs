//! Other projects' event payloads: every object that they name is found, and no other.
//!
//! The folder that `INLET_FIXTURES` names holds `s3-events/<project>/*.json`, and
//! `s3-events/expected.tsv`, a line for each object named. Many of the payloads are not about S3.

#![allow(clippy::unwrap_used, reason = "a test says where it failed")]

use std::collections::BTreeMap;
use std::path::Path;

use inlet::notice::{Event, Notice, read};

/// bucket, key, event name, size, entity tag, version id, sequencer.
type Line = [String; 7];

#[test]
fn the_payloads_of_other_projects_are_understood() {
    let Some(folder) = std::env::var_os("INLET_FIXTURES") else {
        println!("skipped: INLET_FIXTURES names no folder of payloads");
        return;
    };
    let folder = Path::new(&folder).join("s3-events");
    let table = std::fs::read_to_string(folder.join("expected.tsv")).unwrap();
    let mut expected: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    for line in table.lines().skip(1) {
        let mut cells = line.split('\t').map(str::to_owned).collect::<Vec<_>>();
        cells.resize(10, String::new());
        let [file, _shape, name, bucket, _encoded, key, size, etag, version, sequencer]: [String;
            10] = cells.try_into().unwrap();
        let name = name.trim_start_matches("s3:").to_owned();
        let line = [bucket, key, name, size, etag, version, sequencer];
        expected.entry(file).or_default().push(line);
    }

    let mut files = 0;
    for project in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
        if !project.is_dir() {
            continue;
        }
        for path in std::fs::read_dir(&project).unwrap().map(|entry| entry.unwrap().path()) {
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            files += 1;
            let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
            let found = found(&std::fs::read_to_string(&path).unwrap(), &name);
            assert_eq!(found, expected.remove(&name).unwrap_or_default(), "{name}");
        }
    }
    assert!(expected.is_empty(), "expected.tsv names files that are not there: {expected:?}");
    println!("{files} files");
}

/// The objects that a body names.
fn found(body: &str, name: &str) -> Vec<Line> {
    let notices = read(body).unwrap_or_else(|malformed| {
        println!("{name}: {malformed}");
        Vec::new()
    });
    let line = |event: Event| {
        let text = |value: Option<String>| value.unwrap_or_default();
        [
            event.object.bucket,
            event.object.key,
            event.name,
            text(event.size.map(|size| size.to_string())),
            text(event.etag.map(|etag| etag.to_string())),
            text(event.version_id),
            text(event.sequencer.map(|sequencer| sequencer.as_str().to_owned())),
        ]
    };
    notices
        .into_iter()
        .filter_map(|notice| match notice {
            Notice::Object(notice) => Some(line(notice.event)),
            Notice::Ignored(ignored) => {
                println!("{name}: {}", ignored.reason);
                ignored.event.map(line)
            }
            Notice::Malformed(malformed) => {
                println!("{name}: {malformed}");
                None
            }
            Notice::Look(order) => panic!("{name}: {order:?}"),
        })
        .collect()
}
