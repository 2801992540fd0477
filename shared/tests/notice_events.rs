//! The events in `tests/events`, with which `sam local invoke` and `cargo lambda invoke` call the
//! ingest function: each says what the table says, and each is in the table.

#![allow(clippy::unwrap_used, reason = "a test says where it failed")]

use std::collections::BTreeMap;
use std::path::Path;

use inlet::notice::{Change, Notice, read};
use serde_json::Value;

/// File → what each notice of each of its messages says.
const EXPECTED: &[(&str, &[&str])] = &[
    (
        "batch",
        &[
            "ObjectCreated:Put created daily-exports/deals.csv",
            "body not_json",
            "ObjectRemoved:Delete removed daily-exports/users.csv",
            "ignored: the test event of a notification configuration",
            "ObjectCreated:Put created daily-exports/100% done+final.csv",
            "look at daily-exports/deals.csv for deals, forced",
        ],
    ),
    ("eventbridge-created", &["ObjectCreated:Put created daily-exports/100% done+final.csv"]),
    ("eventbridge-deleted", &["ObjectRemoved:DeleteMarkerCreated marked daily-exports/deals.csv"]),
    ("inlet-dead-letter", &["ObjectCreated:Put created daily-exports/deals.csv"]),
    ("inlet-look", &["look at daily-exports/deals.csv for deals, forced"]),
    ("not-json", &["body not_json"]),
    ("s3-copy", &["ObjectCreated:Copy created daily-exports/deals-copy.csv"]),
    ("s3-delete", &["ObjectRemoved:Delete removed daily-exports/deals.csv"]),
    ("s3-delete-marker", &["ObjectRemoved:DeleteMarkerCreated marked daily-exports/deals.csv"]),
    ("s3-folder", &["ignored: an empty object that marks a folder"]),
    ("s3-key-form-encoded", &["ObjectCreated:Put created a b+c=d&ü 100%.csv"]),
    ("s3-key-japanese", &["ObjectCreated:Put created 日本/x.csv"]),
    (
        "s3-lifecycle-expiration",
        &["LifecycleExpiration:DeleteMarkerCreated marked daily-exports/deals.csv"],
    ),
    ("s3-multipart", &["ObjectCreated:CompleteMultipartUpload created daily-exports/large.csv"]),
    ("s3-put", &["ObjectCreated:Put created daily-exports/deals.csv"]),
    (
        "s3-put-three-records-one-malformed",
        &[
            "ObjectCreated:Put created daily-exports/deals.csv",
            "record missing_field",
            "ObjectCreated:Put created daily-exports/users.csv",
        ],
    ),
    ("s3-restore-completed", &["ObjectRestore:Completed restored daily-exports/2019/deals.csv"]),
    ("s3-tagging", &["ignored: this type of event changes no content"]),
    ("s3-test-event", &["ignored: the test event of a notification configuration"]),
    ("sns-raw", &["ObjectCreated:Put created daily-exports/deals.csv"]),
    ("sns-wrapped", &["ObjectCreated:Put created daily-exports/deals.csv"]),
];

#[test]
fn every_event_says_what_the_table_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/events");
    let mut expected: BTreeMap<&str, &[&str]> = EXPECTED.iter().copied().collect();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let event: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let mut said = Vec::new();
        for message in event["Records"].as_array().unwrap() {
            for field in ["messageId", "receiptHandle", "md5OfBody", "eventSourceARN", "awsRegion"]
            {
                assert!(message[field].is_string(), "{name} has no {field}");
            }
            assert_eq!(message["eventSource"], "aws:sqs", "{name}");
            match read(message["body"].as_str().unwrap()) {
                Ok(notices) => said.extend(notices.iter().map(describe)),
                Err(malformed) => said.push(format!("body {}", malformed.cause.code())),
            }
        }
        let expected = expected.remove(name);
        assert_eq!(
            Some(said.iter().map(String::as_str).collect()),
            expected.map(Vec::from),
            "{name}"
        );
    }
    assert!(expected.is_empty(), "no such files: {expected:?}");
}

fn describe(notice: &Notice) -> String {
    if let Some(object) = notice.object() {
        assert_eq!(object.bucket, "acme-drop");
    }
    match notice {
        Notice::Object(notice) => {
            let change = match notice.change {
                Change::Created => "created",
                Change::Removed { marker: true } => "marked",
                Change::Removed { marker: false } => "removed",
                Change::Restored => "restored",
            };
            format!("{} {change} {}", notice.event.name, notice.event.object.key)
        }
        Notice::Look(order) => {
            let source = order.source.as_deref().unwrap_or("all");
            let force = if order.force { ", forced" } else { "" };
            format!("look at {} for {source}{force}", order.object.key)
        }
        Notice::Ignored(ignored) => format!("ignored: {}", ignored.reason),
        Notice::Malformed(malformed) => format!("record {}", malformed.cause.code()),
    }
}
