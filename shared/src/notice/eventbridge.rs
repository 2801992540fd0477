//! S3's events as EventBridge carries them
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>).
//!
//! Unlike S3's own form, one event is one message, and keys are not encoded.

use serde::Deserialize;
use serde_json::Value;

use super::malformed::Cause;
use super::{Change, Event, IgnoreReason, Notice, json, s3};
use crate::object::{ObjectId, Sequencer};

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Envelope {
    time: Option<Value>,
    detail: Option<Detail>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Detail {
    event_version: Option<Value>,
    bucket: Option<Bucket>,
    object: Option<Object>,
    reason: Option<Value>,
    deletion_type: Option<Value>,
}

#[derive(Deserialize)]
struct Bucket {
    name: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Object {
    key: Option<Value>,
    size: Option<Value>,
    etag: Option<Value>,
    version_id: Option<Value>,
    sequencer: Option<Value>,
}

/// Reads an event from `source` of type `kind`.
pub(super) fn read(source: &str, kind: &str, text: &str) -> Result<Notice, Cause> {
    if source != "aws.s3" {
        // Only AWS's own services have names in `aws.`; an application's event may stand for an
        // object, so it is not ignored.
        return if source.starts_with("aws.") {
            Ok(Notice::ignored(IgnoreReason::OtherService(Cause::quote(source))))
        } else {
            Err(Cause::NotFromS3(Cause::quote(source)))
        };
    }
    let meaning = meaning(kind)?;
    let envelope: Envelope =
        serde_json::from_str(text).map_err(|error| Cause::unreadable("S3 event", &error))?;
    let detail = envelope.detail.ok_or(Cause::Missing("detail"))?;
    if let Some(version) = json::other_major(detail.event_version.as_ref(), "1") {
        return Err(Cause::UnsupportedVersion(Cause::quote(&version)));
    }
    let bucket = detail.bucket.and_then(|bucket| json::string(bucket.name));
    let bucket = bucket.ok_or(Cause::Missing("bucket name"))?;
    let object = detail.object.ok_or(Cause::Missing("object key"))?;
    let key = json::string(object.key).ok_or(Cause::Missing("object key"))?;
    let reason = json::string(detail.reason);
    // S3 always says which of the two it was. Should it not, the milder one is taken: it makes the
    // reader look at what is left of the object.
    let marker = json::string(detail.deletion_type).as_deref() == Some("Delete Marker Created");
    let (name, change) = match meaning {
        Meaning::Created => (created(reason.as_deref()), Some(Change::Created)),
        Meaning::Deleted => (deleted(reason.as_deref(), marker), Some(Change::Removed { marker })),
        Meaning::Restored => ("ObjectRestore:Completed", Some(Change::Restored)),
        Meaning::NoContentChange(name) => (name, None),
    };
    let event = Event {
        object: ObjectId::new(bucket, key),
        name: name.to_owned(),
        version_id: json::string(object.version_id),
        etag: s3::etag(object.etag),
        size: json::whole(object.size),
        sequencer: json::string(object.sequencer).map(Sequencer::new),
        time: json::string(envelope.time).and_then(|time| time.parse().ok()),
    };
    Ok(Notice::of(event, change))
}

enum Meaning {
    Created,
    Deleted,
    Restored,
    /// With the name that S3's own form has for it.
    NoContentChange(&'static str),
}

/// The types that S3 sends (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html>).
///
/// What CloudTrail tells of S3 (`AWS API Call via CloudTrail`) is refused, not ignored: it stands
/// for changed objects, in a form that says too little to read them.
fn meaning(kind: &str) -> Result<Meaning, Cause> {
    Ok(match kind {
        "Object Created" => Meaning::Created,
        "Object Deleted" => Meaning::Deleted,
        "Object Restore Completed" => Meaning::Restored,
        "Object Restore Initiated" => Meaning::NoContentChange("ObjectRestore:Post"),
        "Object Restore Expired" => Meaning::NoContentChange("ObjectRestore:Delete"),
        "Object Tags Added" => Meaning::NoContentChange("ObjectTagging:Put"),
        "Object Tags Deleted" => Meaning::NoContentChange("ObjectTagging:Delete"),
        "Object ACL Updated" => Meaning::NoContentChange("ObjectAcl:Put"),
        "Object Storage Class Changed" => Meaning::NoContentChange("LifecycleTransition"),
        "Object Access Tier Changed" => Meaning::NoContentChange("IntelligentTiering"),
        _ => return Err(Cause::UnknownEvent(Cause::quote(kind))),
    })
}

/// The name that S3's own form has for a creation.
fn created(reason: Option<&str>) -> &'static str {
    match reason {
        Some("PutObject") => "ObjectCreated:Put",
        Some("POST Object") => "ObjectCreated:Post",
        Some("CopyObject") => "ObjectCreated:Copy",
        Some("CompleteMultipartUpload") => "ObjectCreated:CompleteMultipartUpload",
        _ => "ObjectCreated",
    }
}

/// The name that S3's own form has for a removal.
fn deleted(reason: Option<&str>, marker: bool) -> &'static str {
    match (reason, marker) {
        (Some("Lifecycle Expiration"), false) => "LifecycleExpiration:Delete",
        (Some("Lifecycle Expiration"), true) => "LifecycleExpiration:DeleteMarkerCreated",
        (_, false) => "ObjectRemoved:Delete",
        (_, true) => "ObjectRemoved:DeleteMarkerCreated",
    }
}
