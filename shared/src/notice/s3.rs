//! S3's own form: one record of `Records[]`
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>).
//!
//! Other stores write it too, and leave fields out; what is not needed to find the object and to
//! order its events is optional.

use serde::Deserialize;
use serde_json::Value;

use super::malformed::Cause;
use super::{Change, Event, Notice, json, key};
use crate::object::{ETag, ObjectId, Sequencer};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_version: Option<Value>,
    event_source: Option<Value>,
    event_name: Option<Value>,
    event_time: Option<Value>,
    s3: Option<Entity>,
}

#[derive(Deserialize)]
struct Entity {
    bucket: Option<Bucket>,
    object: Option<Object>,
}

#[derive(Deserialize)]
struct Bucket {
    name: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    key: Option<Value>,
    size: Option<Value>,
    e_tag: Option<Value>,
    version_id: Option<Value>,
    sequencer: Option<Value>,
}

/// Whether a record of this source is one of S3 (`aws:s3`), or of a store that writes S3's form
/// (`minio:s3`, `ceph:s3`).
pub(super) fn is_source(source: &str) -> bool {
    source.ends_with(":s3")
}

/// Reads one record.
pub(super) fn read(record: &str) -> Result<Notice, Cause> {
    let record: Record =
        serde_json::from_str(record).map_err(|error| Cause::unreadable("S3 record", &error))?;
    if let Some(source) = json::string(record.event_source)
        && !is_source(&source)
    {
        return Err(Cause::NotFromS3(Cause::quote(&source)));
    }
    if let Some(version) = json::other_major(record.event_version.as_ref(), "2") {
        return Err(Cause::UnsupportedVersion(Cause::quote(&version)));
    }
    let name = json::string(record.event_name).ok_or(Cause::Missing("event name"))?;
    let name = name.strip_prefix("s3:").unwrap_or(&name);
    let change = change(name)?;
    let entity = record.s3.ok_or(Cause::Missing("description of the object"))?;
    let bucket = entity.bucket.and_then(|bucket| json::string(bucket.name));
    let bucket = bucket.ok_or(Cause::Missing("bucket name"))?;
    let object = entity.object.ok_or(Cause::Missing("object key"))?;
    let encoded = json::string(object.key).ok_or(Cause::Missing("object key"))?;
    let event = Event {
        object: ObjectId::new(bucket, key::decode(&encoded)?),
        name: name.to_owned(),
        version_id: json::string(object.version_id),
        etag: etag(object.e_tag),
        size: json::whole(object.size),
        sequencer: json::string(object.sequencer).map(Sequencer::new),
        time: json::string(record.event_time).and_then(|time| time.parse().ok()),
    };
    Ok(Notice::of(event, change))
}

/// An entity tag, with or without its quotes.
pub(super) fn etag(value: Option<Value>) -> Option<ETag> {
    json::string(value).map(|text| ETag::new(&text)).filter(|etag| !etag.as_str().is_empty())
}

/// What an event of this name means for the content; `None`: it changes none
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html>).
///
/// A type that is not known is refused, and not looked at: of some stores a mere look is an event
/// again, which would never end.
fn change(name: &str) -> Result<Option<Change>, Cause> {
    let (family, kind) = name.split_once(':').unwrap_or((name, ""));
    Ok(match (family, kind) {
        ("ObjectCreated", _) => Some(Change::Created),
        // `ObjectRemoved` is not sent for what a lifecycle rule removes.
        ("ObjectRemoved" | "LifecycleExpiration", "Delete") => {
            Some(Change::Removed { marker: false })
        }
        ("ObjectRemoved" | "LifecycleExpiration", "DeleteMarkerCreated") => {
            Some(Change::Removed { marker: true })
        }
        ("ObjectRestore", "Completed") => Some(Change::Restored),
        // A restore was asked for, or its temporary copy expired: the object is archived.
        ("ObjectRestore", "Post" | "Delete") => None,
        (
            "IntelligentTiering"
            | "LifecycleTransition"
            | "ObjectAccessed"
            | "ObjectAcl"
            | "ObjectAnnotation"
            | "ObjectRetention"
            | "ObjectTagging"
            // S3 lost the object's only copy. What was delivered of it still holds: nobody
            // removed it.
            | "ReducedRedundancyLostObject"
            | "Replication",
            _,
        ) => None,
        _ => return Err(Cause::UnknownEvent(Cause::quote(name))),
    })
}
