//! Which form is it? And what is around it?

use super::malformed::{Cause, Malformed};
use super::{IgnoreReason, Notice, dead_letter, eventbridge, json, order, s3};
use json::Members;

/// How many texts may lie within texts. The deepest that makes sense is three: a dead letter with
/// an SQS event with an SNS notification with S3's event.
const MOST_ENVELOPES: u8 = 4;

/// Reads a body.
pub(super) fn body(text: &str) -> Result<Vec<Notice>, Cause> {
    layer(text, 0)
}

/// Reads the text that lies within `depth` envelopes.
fn layer(text: &str, depth: u8) -> Result<Vec<Notice>, Cause> {
    json::check(text).map_err(|error| Cause::NotJson(error.to_string()))?;
    let members = Members::of(text).ok_or_else(no_object)?;
    match members.raw("Records") {
        Some(records) => batch(records, depth),
        None => one(text, &members, depth),
    }
}

/// Reads the text that lies within one envelope more.
fn inner(text: &str, depth: u8) -> Result<Vec<Notice>, Cause> {
    if depth == MOST_ENVELOPES {
        return Err(Cause::TooDeep(MOST_ENVELOPES));
    }
    layer(text, depth + 1)
}

/// Reads the records of a batch, each alone.
fn batch(records: &str, depth: u8) -> Result<Vec<Notice>, Cause> {
    let records = json::elements(records)
        .ok_or_else(|| Cause::UnknownShape("`Records` is no list".to_owned()))?;
    if records.is_empty() {
        return Ok(vec![Notice::ignored(IgnoreReason::NoRecords)]);
    }
    let mut notices = Vec::with_capacity(records.len());
    for record in records {
        let members = Members::of(record).ok_or_else(no_object);
        match members.and_then(|members| one(record, &members, depth)) {
            Ok(found) => notices.extend(found),
            Err(cause) => {
                notices.push(Notice::Malformed(Malformed { cause, raw: record.to_owned() }));
            }
        }
    }
    Ok(notices)
}

/// Reads one object: a body, or a record of one. A record may stand alone, so that a malformed one
/// can be sent again.
fn one(text: &str, members: &Members<'_>, depth: u8) -> Result<Vec<Notice>, Cause> {
    let has = |name| members.raw(name).is_some();
    if let Some(kind) = members.string("type").filter(|kind| kind.starts_with("inlet.")) {
        return match kind.as_str() {
            order::TYPE => Ok(vec![Notice::Look(order::read(text)?)]),
            dead_letter::TYPE => inner(&dead_letter::body(members)?, depth),
            _ => Err(Cause::UnsupportedVersion(Cause::quote(&kind))),
        };
    }
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    if members.string("Event").as_deref() == Some("s3:TestEvent") {
        return Ok(vec![Notice::ignored(IgnoreReason::TestEvent)]);
    }
    if let (Some(source), Some(kind)) = (members.string("source"), members.string("detail-type")) {
        return Ok(vec![eventbridge::read(&source, &kind, text)?]);
    }
    let source = members.string("eventSource").or_else(|| members.string("EventSource"));
    if has("s3") && has("eventName") || source.as_deref().is_some_and(s3::is_source) {
        return Ok(vec![s3::read(text)?]);
    }
    if let Some(notification) = members.raw("Sns") {
        return sns(&Members::of(notification).ok_or_else(no_object)?, depth);
    }
    if has("Type") && (has("TopicArn") || has("Message")) {
        return sns(members, depth);
    }
    if source.as_deref() == Some("aws:sqs") {
        return inner(&members.string("body").ok_or(Cause::Missing("body"))?, depth);
    }
    if let Some(source) = source {
        return Err(Cause::NotFromS3(Cause::quote(&source)));
    }
    // A CloudWatch alarm, which likes to share a topic with other things
    // (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html).
    if has("AlarmName") && has("NewStateValue") {
        return Ok(vec![Notice::ignored(IgnoreReason::OtherService("CloudWatch".to_owned()))]);
    }
    Err(unknown(members))
}

/// Reads an SNS message
/// (<https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>).
fn sns(members: &Members<'_>, depth: u8) -> Result<Vec<Notice>, Cause> {
    match members.string("Type").as_deref() {
        Some("Notification") => {
            inner(&members.string("Message").ok_or(Cause::Missing("Message"))?, depth)
        }
        // Not ignored: until somebody confirms, no event comes through this topic.
        Some("SubscriptionConfirmation") => {
            Err(Cause::Unconfirmed(Cause::quote(&members.string("TopicArn").unwrap_or_default())))
        }
        Some("UnsubscribeConfirmation") => Ok(vec![Notice::ignored(IgnoreReason::Unsubscribed)]),
        _ => Err(unknown(members)),
    }
}

fn no_object() -> Cause {
    Cause::UnknownShape("it is no JSON object".to_owned())
}

/// Says what the shape is, as far as it helps to recognise the sender.
fn unknown(members: &Members<'_>) -> Cause {
    const MOST_NAMES: usize = 8;
    let names: Vec<String> = members.names().take(MOST_NAMES).map(Cause::quote).collect();
    Cause::UnknownShape(if names.is_empty() {
        "it is an empty object".to_owned()
    } else {
        format!("its members are {}", names.join(", "))
    })
}
