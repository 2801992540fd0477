//! What [`read`] makes of bodies.

#![allow(clippy::unwrap_used, reason = "a test says where it failed")]

use serde_json::{Value, json};

use super::*;
use crate::failure::{Disposition, Failure};

/// One S3 record, as S3 writes it.
fn record(name: &str, object: Value) -> Value {
    json!({
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-1",
        "eventTime": "2026-02-01T03:04:05.678Z", "eventName": name,
        "userIdentity": {"principalId": "AWS:EXAMPLE"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "s3": {
            "s3SchemaVersion": "1.0", "configurationId": "inlet",
            "bucket": {"name": "acme-drop", "arn": "arn:aws:s3:::acme-drop"},
            "object": object,
        },
    })
}

fn put(key: &str) -> Value {
    record("ObjectCreated:Put", json!({"key": key, "size": 7, "eTag": "e1", "sequencer": "0A"}))
}

fn batch(records: &[Value]) -> String {
    json!({ "Records": records }).to_string()
}

fn sns(message: &str) -> String {
    json!({"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": message})
        .to_string()
}

fn eventbridge(kind: &str, detail: Value) -> String {
    json!({
        "version": "0", "id": "1", "detail-type": kind, "source": "aws.s3", "account": "1",
        "time": "2026-02-01T03:04:05Z", "region": "eu-west-1", "resources": [], "detail": detail,
    })
    .to_string()
}

fn dead_letter(body: &str) -> DeadLetter {
    let cause = Failure::new("not_json", "what", "do", Disposition::DeadLetter);
    DeadLetter::new(cause, "2026-02-01T03:04:05Z".parse().unwrap(), body)
}

/// The one notice of a body.
fn only(body: &str) -> Notice {
    let mut notices = read(body).unwrap();
    assert_eq!(notices.len(), 1, "{body}");
    notices.remove(0)
}

fn object(body: &str) -> ObjectNotice {
    match only(body) {
        Notice::Object(notice) => notice,
        other => panic!("{other:?}"),
    }
}

fn ignored(body: &str) -> Ignored {
    match only(body) {
        Notice::Ignored(ignored) => ignored,
        other => panic!("{other:?}"),
    }
}

/// The code of the one record's cause.
fn refused(record: Value) -> &'static str {
    match only(&batch(&[record])) {
        Notice::Malformed(malformed) => malformed.cause.code(),
        other => panic!("{other:?}"),
    }
}

/// The code of the body's cause.
fn refused_body(body: &str) -> &'static str {
    read(body).unwrap_err().cause.code()
}

#[test]
fn a_put_says_all_there_is() {
    let body = batch(&[record(
        "ObjectCreated:Put",
        json!({"key": "a+b%2Bc.csv", "size": 1234, "eTag": "abc", "versionId": "v1", "sequencer": "0A1B"}),
    )]);
    let expected = ObjectNotice {
        event: Event {
            object: ObjectId::new("acme-drop", "a b+c.csv"),
            name: "ObjectCreated:Put".to_owned(),
            version_id: Some("v1".to_owned()),
            etag: Some(ETag::new("abc")),
            size: Some(1234),
            sequencer: Some(Sequencer::new("0A1B")),
            time: Some("2026-02-01T03:04:05.678Z".parse().unwrap()),
        },
        change: Change::Created,
    };
    assert_eq!(object(&body), expected);
}

#[test]
fn every_type_of_event_has_one_meaning() {
    let gone = Change::Removed { marker: false };
    let marker = Change::Removed { marker: true };
    for (name, change) in [
        ("ObjectCreated:Put", Change::Created),
        ("s3:ObjectCreated:Put", Change::Created),
        ("ObjectCreated:Post", Change::Created),
        ("ObjectCreated:Copy", Change::Created),
        ("ObjectCreated:CompleteMultipartUpload", Change::Created),
        ("ObjectRemoved:Delete", gone),
        ("ObjectRemoved:DeleteMarkerCreated", marker),
        ("LifecycleExpiration:Delete", gone),
        ("s3:LifecycleExpiration:DeleteMarkerCreated", marker),
        ("ObjectRestore:Completed", Change::Restored),
    ] {
        let notice = object(&batch(&[record(name, json!({"key": "k"}))]));
        assert_eq!(notice.change, change, "{name}");
        assert_eq!(notice.event.name, name.trim_start_matches("s3:"));
    }
    for name in [
        "ObjectRestore:Post",
        "ObjectRestore:Delete",
        "ObjectTagging:Put",
        "ObjectAcl:Put",
        "LifecycleTransition",
        "IntelligentTiering",
        "s3:Replication:OperationMissedThreshold",
        "ObjectAnnotation:Put",
        "ReducedRedundancyLostObject",
        "s3:ObjectAccessed:Head",
    ] {
        let ignored = ignored(&batch(&[record(name, json!({"key": "k"}))]));
        assert_eq!(ignored.reason, IgnoreReason::NoContentChange, "{name}");
        assert_eq!(ignored.event.unwrap().object.key, "k");
    }
    for name in ["ObjectRemoved:NoOP", "ObjectRestore", "Objectcreated:Put", "s3:", ":", "New:Put"]
    {
        assert_eq!(refused(record(name, json!({"key": "k"}))), "unknown_event", "{name}");
    }
}

#[test]
fn all_but_the_object_and_the_name_is_optional() {
    let bare = json!({"eventName": "ObjectRemoved:Delete",
        "s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}});
    let ObjectNotice { event, change } = object(&batch(&[bare]));
    assert_eq!(change, Change::Removed { marker: false });
    assert_eq!((event.version_id, event.etag, event.size), (None, None, None));
    assert_eq!((event.sequencer, event.time), (None, None));
}

#[test]
fn optional_fields_that_say_nothing_are_absent() {
    for (field, value) in [
        ("versionId", json!(null)),
        ("versionId", json!("")),
        ("eTag", json!("")),
        ("eTag", json!("\"\"")),
        ("eTag", json!(5)),
        ("size", json!("many")),
        ("size", json!(-1)),
        ("size", json!(1.5)),
        ("size", json!({"bytes": 1})),
        ("sequencer", json!("")),
        ("sequencer", json!(null)),
    ] {
        let event =
            object(&batch(&[record("ObjectCreated:Put", json!({"key": "k", field: value}))])).event;
        assert_eq!((event.version_id, event.etag), (None, None), "{field} {value}");
        assert_eq!((event.size, event.sequencer), (None, None), "{field} {value}");
    }
    let mut late = put("k");
    late["eventTime"] = json!("yesterday");
    assert_eq!(object(&batch(&[late])).event.time, None);
}

#[test]
fn fields_are_read_in_the_forms_of_other_stores() {
    let event = object(&batch(&[record(
        "ObjectCreated:Put",
        json!({"key": "k", "size": "18446744073709551615", "eTag": "\"e-2\"", "versionId": "null"}),
    )]))
    .event;
    assert_eq!(event.size, Some(u64::MAX));
    assert_eq!(event.etag, Some(ETag::new("e-2")));
    assert_eq!(event.version_id.as_deref(), Some("null"), "the id of an unversioned version");
    for source in ["aws:s3", "minio:s3", "ceph:s3"] {
        let mut other = put("k");
        other["eventSource"] = json!(source);
        assert_eq!(object(&batch(&[other])).event.object.key, "k");
    }
}

#[test]
fn the_major_version_counts_and_the_minor_does_not() {
    for version in [json!("2.0"), json!("2.6"), json!("2.99"), json!(2.1), json!(null)] {
        let mut versioned = put("k");
        versioned["eventVersion"] = version;
        versioned["novelty"] = json!({"deep": [1, 2]});
        assert_eq!(object(&batch(&[versioned])).event.object.key, "k");
    }
    for version in [json!("3.0"), json!("1.0"), json!("20.1"), json!("")] {
        let mut versioned = put("k");
        versioned["eventVersion"] = version;
        assert_eq!(refused(versioned), "unsupported_version");
    }
}

#[test]
fn one_bad_record_leaves_its_siblings() {
    let nameless = record("ObjectCreated:Put", json!({"size": 1}));
    let body = batch(&[put("a"), nameless.clone(), put("b"), json!(7)]);
    let notices = read(&body).unwrap();
    assert_eq!(notices.len(), 4);
    assert_eq!(notices[0].object().unwrap().key, "a");
    assert_eq!(notices[2].object().unwrap().key, "b");
    let Notice::Malformed(bad) = &notices[1] else { panic!("{notices:?}") };
    assert_eq!(bad.cause, Cause::Missing("object key"));
    assert_eq!(serde_json::from_str::<Value>(&bad.raw).unwrap(), nameless);
    assert!(matches!(&notices[3], Notice::Malformed(bad) if bad.raw == "7"));
}

#[test]
fn a_record_that_json_trees_refuse_leaves_its_siblings() {
    let good = put("a").to_string();
    for bad in [
        r#"{"s3":{"bucket":{"name":"\ud800"}}}"#.to_owned(),
        r#"{"s3":1e999}"#.to_owned(),
        format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)),
        format!(r#"{{"s3":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000)),
    ] {
        let notices = read(&format!(r#"{{"Records":[{good},{bad},{good}]}}"#)).unwrap();
        assert_eq!(notices.len(), 3);
        assert!(matches!(&notices[0], Notice::Object(_)));
        assert!(matches!(&notices[1], Notice::Malformed(malformed) if malformed.raw == bad));
        assert!(matches!(&notices[2], Notice::Object(_)));
    }
    // Trouble in a field that nobody reads is no trouble.
    let strange = good.replace("AWS:EXAMPLE", r"\ud800").replace("127.0.0.1", r"\udc00\udc00");
    assert_eq!(object(&format!(r#"{{"Records":[{strange}]}}"#)).event.object.key, "a");
}

#[test]
fn a_malformed_record_can_be_sent_again() {
    let mut foreign = put("k");
    foreign["eventSource"] = json!("aws:ses");
    for bad in [
        record("ObjectCreated:Put", json!({"key": ""})),
        record("New:Put", json!({"key": "k"})),
        foreign,
        json!({"eventSource": "aws:sqs", "body": "no json"}),
        json!({"EventSource": "aws:sns", "Sns": {"Type": "Notification", "Message": "{}"}}),
        json!({"eventSource": "aws:kinesis", "kinesis": {}}),
    ] {
        let Notice::Malformed(first) = only(&batch(&[bad])) else { panic!() };
        assert_eq!(read(&first.raw).unwrap_err(), first);
    }
    // What is repaired since then is read.
    assert_eq!(object(&put("k").to_string()).event.object.key, "k");
}

#[test]
fn records_without_an_object_are_malformed() {
    for object in
        [json!({}), json!({"key": ""}), json!({"key": null}), json!({"key": 5}), json!(null)]
    {
        assert_eq!(refused(record("ObjectCreated:Put", object)), "missing_field");
    }
    for bucket in [json!({}), json!({"name": ""}), json!(null)] {
        let mut homeless = put("k");
        homeless["s3"]["bucket"] = bucket;
        assert_eq!(refused(homeless), "missing_field");
    }
    let mut empty = put("k");
    empty["s3"] = json!(null);
    assert_eq!(refused(empty), "missing_field");
    let mut nameless = put("k");
    nameless["eventName"] = json!(null);
    assert_eq!(refused(nameless), "missing_field");
    let mut text = put("k");
    text["s3"] = json!("acme-drop/k");
    assert_eq!(refused(text), "unreadable_field");
    assert_eq!(refused(put("%FF")), "key_not_utf8");
    let mut foreign = put("k");
    foreign["eventSource"] = json!("aws:ses");
    assert_eq!(refused(foreign), "not_from_s3");
    assert_eq!(refused(json!({"Records": []})), "unknown_shape", "batches do not nest");
}

#[test]
fn the_mark_of_a_folder_is_ignored() {
    let mark = json!({"key": "daily-exports/", "size": 0});
    let folder = ignored(&batch(&[record("ObjectCreated:Put", mark.clone())]));
    assert_eq!(folder.reason, IgnoreReason::Folder);
    assert_eq!(folder.event.unwrap().object.key, "daily-exports/");
    // Its removal, an object with content, and one of unknown size are not.
    object(&batch(&[record("ObjectRemoved:Delete", mark)]));
    object(&batch(&[record("ObjectCreated:Put", json!({"key": "a/", "size": 3}))]));
    object(&batch(&[record("ObjectCreated:Put", json!({"key": "a/"}))]));
    object(&batch(&[record("ObjectCreated:Put", json!({"key": "a", "size": 0}))]));
}

#[test]
fn eventbridge_says_the_same_in_its_own_words() {
    let detail = |reason: &str, deletion: &str| {
        json!({
            "version": "0", "event-version": "1.3", "reason": reason, "deletion-type": deletion,
            "bucket": {"name": "acme-drop"}, "requester": "1",
            "object": {"key": "a+b%20c", "size": 5, "etag": "e", "version-id": "v", "sequencer": "0A"},
        })
    };
    let gone = Change::Removed { marker: false };
    let marker = Change::Removed { marker: true };
    for (kind, reason, deletion, name, change) in [
        ("Object Created", "PutObject", "", "ObjectCreated:Put", Change::Created),
        ("Object Created", "POST Object", "", "ObjectCreated:Post", Change::Created),
        ("Object Created", "CopyObject", "", "ObjectCreated:Copy", Change::Created),
        ("Object Created", "New", "", "ObjectCreated", Change::Created),
        ("Object Deleted", "DeleteObject", "Permanently Deleted", "ObjectRemoved:Delete", gone),
        (
            "Object Deleted",
            "DeleteObject",
            "Delete Marker Created",
            "ObjectRemoved:DeleteMarkerCreated",
            marker,
        ),
        (
            "Object Deleted",
            "Lifecycle Expiration",
            "Permanently Deleted",
            "LifecycleExpiration:Delete",
            gone,
        ),
        (
            "Object Deleted",
            "Lifecycle Expiration",
            "Delete Marker Created",
            "LifecycleExpiration:DeleteMarkerCreated",
            marker,
        ),
        ("Object Deleted", "", "", "ObjectRemoved:Delete", gone),
        ("Object Restore Completed", "", "", "ObjectRestore:Completed", Change::Restored),
    ] {
        let notice = object(&eventbridge(kind, detail(reason, deletion)));
        assert_eq!(notice.change, change, "{kind} {reason} {deletion}");
        assert_eq!(notice.event.name, name);
        assert_eq!(notice.event.object, ObjectId::new("acme-drop", "a+b%20c"), "not decoded");
        assert_eq!(notice.event.version_id.as_deref(), Some("v"));
        assert_eq!(notice.event.etag, Some(ETag::new("e")));
        assert_eq!(notice.event.size, Some(5));
        assert_eq!(notice.event.sequencer, Some(Sequencer::new("0A")));
        assert!(notice.event.time.is_some());
    }
    for kind in ["Object Tags Added", "Object ACL Updated", "Object Storage Class Changed"] {
        let ignored = ignored(&eventbridge(kind, detail("", "")));
        assert_eq!(ignored.reason, IgnoreReason::NoContentChange);
        assert_eq!(ignored.event.unwrap().object.bucket, "acme-drop");
    }
    let mut folder = detail("PutObject", "");
    folder["object"] = json!({"key": "a/", "size": 0});
    assert_eq!(ignored(&eventbridge("Object Created", folder)).reason, IgnoreReason::Folder);
}

#[test]
fn eventbridge_events_that_cannot_be_read() {
    let named =
        |bucket: &str, key: &str| json!({"bucket": {"name": bucket}, "object": {"key": key}});
    assert_eq!(
        refused_body(&eventbridge("AWS API Call via CloudTrail", json!({}))),
        "unknown_event"
    );
    assert_eq!(refused_body(&eventbridge("Object Created", json!(null))), "missing_field");
    assert_eq!(refused_body(&eventbridge("Object Created", json!([]))), "unreadable_field");
    assert_eq!(refused_body(&eventbridge("Object Created", json!("x"))), "unreadable_field");
    assert_eq!(refused_body(&eventbridge("Object Created", named("", "k"))), "missing_field");
    assert_eq!(refused_body(&eventbridge("Object Created", named("b", ""))), "missing_field");
    let mut newer = named("b", "k");
    newer["event-version"] = json!("2.0");
    assert_eq!(refused_body(&eventbridge("Object Created", newer)), "unsupported_version");
    let custom = eventbridge("Object Created", named("b", "k")).replace("aws.s3", "acme.files");
    assert_eq!(refused_body(&custom), "not_from_s3");
}

#[test]
fn envelopes_come_off() {
    let plain = batch(&[put("k")]);
    let sns_body = sns(&plain);
    let sns_lambda = batch(&[
        json!({"EventSource": "aws:sns", "Sns": serde_json::from_str::<Value>(&sns_body).unwrap()}),
    ]);
    let sqs = batch(&[json!({"messageId": "m", "eventSource": "aws:sqs", "body": sns_body})]);
    let letter = dead_letter(&sqs).to_body();
    let bridged = sns(&eventbridge(
        "Object Created",
        json!({"bucket": {"name": "acme-drop"}, "object": {"key": "k"}}),
    ));
    for body in [plain, sns_body, sns_lambda, sqs, letter, bridged] {
        assert_eq!(object(&body).event.object, ObjectId::new("acme-drop", "k"), "{body}");
    }
}

#[test]
fn several_messages_within_one_stand_alone() {
    let message = |body: String| json!({"eventSource": "aws:sqs", "body": body});
    let notices = read(&batch(&[
        message(batch(&[put("a"), put("b")])),
        message("no json".to_owned()),
        message(batch(&[])),
        message(batch(&[put("c")])),
    ]))
    .unwrap();
    let keys: Vec<_> =
        notices.iter().map(|notice| notice.object().map(|object| object.key.as_str())).collect();
    assert_eq!(keys, [Some("a"), Some("b"), None, None, Some("c")]);
    assert!(matches!(&notices[2], Notice::Malformed(bad) if bad.raw.contains("no json")));
}

#[test]
fn what_is_known_to_be_harmless_is_ignored() {
    let test =
        json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-02-01T00:00:00Z",
        "Bucket": "acme-drop", "RequestId": "1", "HostId": "2"})
        .to_string();
    let alarm = json!({"AlarmName": "a", "NewStateValue": "ALARM", "Trigger": {}}).to_string();
    let unsubscribed =
        json!({"Type": "UnsubscribeConfirmation", "TopicArn": "t", "Message": "You have…"});
    let schedule = eventbridge("Scheduled Event", json!({})).replace("aws.s3", "aws.events");
    for (body, reason) in [
        (test.clone(), IgnoreReason::TestEvent),
        (sns(&test), IgnoreReason::TestEvent),
        (batch(&[]), IgnoreReason::NoRecords),
        (alarm.clone(), IgnoreReason::OtherService("CloudWatch".to_owned())),
        (sns(&alarm), IgnoreReason::OtherService("CloudWatch".to_owned())),
        (unsubscribed.to_string(), IgnoreReason::Unsubscribed),
        (schedule, IgnoreReason::OtherService("\"aws.events\"".to_owned())),
    ] {
        assert_eq!(ignored(&body), Ignored { reason, event: None }, "{body}");
    }
}

#[test]
fn what_is_not_known_is_never_ignored() {
    for (body, code) in [
        ("", "not_json"),
        ("Hello", "not_json"),
        ("{\"Records\":[", "not_json"),
        ("{} {}", "not_json"),
        ("null", "unknown_shape"),
        ("7", "unknown_shape"),
        ("[]", "unknown_shape"),
        ("\"{}\"", "unknown_shape"),
        ("{}", "unknown_shape"),
        (r#"{"bucket":"b","key":"k"}"#, "unknown_shape"),
        (r#"{"Records":{}}"#, "unknown_shape"),
        (r#"{"Records":null}"#, "unknown_shape"),
        (r#"{"Event":"s3:Other"}"#, "unknown_shape"),
        (r#"{"invocationSchemaVersion":"1.0","tasks":[]}"#, "unknown_shape"),
        (r#"{"Type":"Notification","Message":{}}"#, "missing_field"),
        (r#"{"Type":"Notification","TopicArn":"t"}"#, "missing_field"),
        (r#"{"Type":"Notification","Message":"Hello"}"#, "not_json"),
        (r#"{"Type":"Other","Message":"Hello"}"#, "unknown_shape"),
        (r#"{"type":"inlet.records.v1"}"#, "unsupported_version"),
        (r#"{"type":"inlet.look.v2","bucket":"b","key":"k"}"#, "unsupported_version"),
        (r#"{"type":"inlet.dead_letter.v1"}"#, "missing_field"),
        (
            r#"{"Type":"SubscriptionConfirmation","TopicArn":"t","Message":"","SubscribeURL":"u"}"#,
            "subscription_unconfirmed",
        ),
    ] {
        let malformed = read(body).unwrap_err();
        assert_eq!(malformed.cause.code(), code, "{body}");
        assert_eq!(malformed.raw, body);
        let failure = Failure::from(&malformed);
        assert_eq!(failure.code, code);
        assert_eq!(failure.disposition, Disposition::DeadLetter);
        assert!(!failure.remedy.is_empty());
    }
}

#[test]
fn nesting_is_bounded() {
    let mut sns_body = batch(&[put("k")]);
    let mut letter = sns_body.clone();
    for depth in 1..=4 {
        sns_body = sns(&sns_body);
        assert_eq!(object(&sns_body).event.object.key, "k", "{depth}");
        letter = json!({"type": "inlet.dead_letter.v1", "body": letter}).to_string();
        assert_eq!(object(&letter).event.object.key, "k", "{depth}");
    }
    assert_eq!(refused_body(&sns(&sns_body)), "nested_too_deep");
    let letter = json!({"type": "inlet.dead_letter.v1", "body": letter}).to_string();
    assert_eq!(refused_body(&letter), "nested_too_deep");
    for open in ["[", "{\"Records\":[", "{\"a\":", "{\"Sns\":"] {
        assert_eq!(refused_body(&open.repeat(100_000)), "not_json");
    }
    let deep = format!(r#"{{"Records":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(only(&deep), Notice::Malformed(_)));
}

#[test]
fn errors_stay_short_whatever_the_message_holds() {
    let long = "ü".repeat(100_000);
    let mut unknown = put("k");
    unknown["eventName"] = json!(long);
    let mut typed = put("k");
    typed["s3"]["object"] = json!(long);
    for body in [
        unknown.to_string(),
        typed.to_string(),
        put(&format!("{long}%FF")).to_string(),
        json!({ long.as_str(): 1 }).to_string(),
        json!({"type": format!("inlet.{long}")}).to_string(),
        json!({"type": "inlet.look.v1", "bucket": "b", "key": "k", "reason": long}).to_string(),
    ] {
        let malformed = read(&body).unwrap_err();
        assert!(malformed.to_string().len() < 1_000, "{malformed}");
    }
}

#[test]
fn an_order_survives_the_way_there_and_back() {
    let waiting = object(&batch(&[record(
        "ObjectRemoved:DeleteMarkerCreated",
        json!({"key": "a+b", "versionId": "v", "sequencer": "0A1B"}),
    )]));
    let plain = Order::new(waiting.event.object.clone(), OrderReason::Refresh);
    let full = Order {
        source: Some("deals".to_owned()),
        reason: OrderReason::Again,
        force: true,
        waits: 3,
        notice: Some(waiting),
        ..plain.clone()
    };
    for order in [plain, full] {
        let body = order.to_body();
        assert_eq!(only(&body), Notice::Look(order.clone()), "{body}");
        assert_eq!(only(&dead_letter(&body).to_body()), Notice::Look(order));
    }
}

#[test]
fn the_shape_of_an_order_is_a_contract() {
    let written = Order::new(ObjectId::new("acme-drop", "a+b.csv"), OrderReason::Watch).to_body();
    let shape = json!({"type": "inlet.look.v1", "source": null, "bucket": "acme-drop",
        "key": "a+b.csv", "reason": "watch", "force": false, "unpark": false, "etag": null,
        "waits": 0, "notice": null});
    assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), shape);
    let short = r#"{"type":"inlet.look.v1","bucket":"b","key":"a+b","reason":"replay","new":1}"#;
    let expected = Order::new(ObjectId::new("b", "a+b"), OrderReason::Replay);
    assert_eq!(only(short), Notice::Look(expected));
}

#[test]
fn an_order_that_says_too_little_is_malformed() {
    for (change, code) in [
        (json!({"bucket": ""}), "missing_field"),
        (json!({"key": ""}), "missing_field"),
        (json!({"key": null}), "unreadable_field"),
        (json!({"reason": "boredom"}), "unreadable_field"),
        (json!({"waits": -1}), "unreadable_field"),
        (
            json!({"notice": {"event": {"object": {"bucket": "b", "key": "x"}, "name": "n"}, "change": "created"}}),
            "unreadable_field",
        ),
    ] {
        let mut order =
            json!({"type": "inlet.look.v1", "bucket": "b", "key": "k", "reason": "again"});
        for (name, value) in change.as_object().unwrap() {
            order[name] = value.clone();
        }
        assert_eq!(refused_body(&order.to_string()), code, "{order}");
    }
}

#[test]
fn a_dead_letter_keeps_the_message_as_it_came() {
    let body = "not { json \u{0} ü";
    let letter = DeadLetter {
        object: Some(ObjectId::new("b", "k")),
        source: Some("deals".to_owned()),
        attempts: 5,
        message_id: Some("m".to_owned()),
        ..dead_letter(body)
    };
    let written = letter.to_body();
    assert_eq!(serde_json::from_str::<DeadLetter>(&written).unwrap(), letter);
    let shape: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(shape["type"], "inlet.dead_letter.v1");
    assert_eq!(shape["cause"]["code"], "not_json");
    assert_eq!(shape["object"], json!({"bucket": "b", "key": "k"}));
    assert_eq!(shape["body"], body);
    // Sent again, it fails for the same cause, and does not grow.
    assert_eq!(refused_body(&written), "not_json");
    assert_eq!(dead_letter(&written).body, body);
}

#[test]
fn no_body_makes_it_panic() {
    let samples = [
        dead_letter(&sns(&batch(&[put("a+b%C3%BC"), put("c")]))).to_body(),
        eventbridge(
            "Object Deleted",
            json!({"bucket": {"name": "b"}, "object": {"key": "ü"}, "deletion-type": "x"}),
        ),
        Order::new(ObjectId::new("b", "k"), OrderReason::Again).to_body(),
    ];
    for sample in samples {
        for (at, char) in sample.char_indices() {
            let (before, after) = (&sample[..at], &sample[at + char.len_utf8()..]);
            drop(read(before));
            drop(read(after));
            for other in ["", "\"", "\\", "{", "}", "[", "]", ",", "0", "%", "ü", "\0"] {
                drop(read(&format!("{before}{other}{after}")));
            }
        }
    }
}

#[test]
fn a_message_too_large_for_a_dead_letter_is_cut_and_says_so() {
    use crate::failure::{Disposition, Failure};

    let cause = Failure::new("not_json", "x", "x", Disposition::DeadLetter);
    let letter = DeadLetter::new(cause, jiff::Timestamp::UNIX_EPOCH, &"\u{1}ü".repeat(400_000));
    assert!(letter.to_body().len() < 1_000_000);
    assert!(letter.cause.message.contains("cut"), "{}", letter.cause.message);
}
