//! Objects in S3, and in stores that speak its language.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use aws_config::{Region, SdkConfig};
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::EncodingType;
use bytes::Bytes;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use super::{
    Body, ETag, Listed, ObjectError, ObjectErrorKind, ObjectId, ObjectVersion, Objects, Opened, Pin,
};
use crate::aws::{causes, said};
use crate::catalog::Connection;

/// How often one read is taken up again where it broke, as long as no byte comes in between.
const RESUMES: u32 = 5;

/// Objects in S3. Keeps one client for each way of reaching a store, so that connections are reused.
pub struct S3Objects {
    config: SdkConfig,
    clients: Mutex<HashMap<Reach, Client>>,
}

/// What makes two connections need different clients.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Reach {
    region: Option<String>,
    endpoint: Option<String>,
    path_style: bool,
}

impl S3Objects {
    /// Clients are made from `config` when they are first needed.
    pub fn new(config: SdkConfig) -> Self {
        Self { config, clients: Mutex::default() }
    }

    fn client(&self, connection: &Connection) -> Client {
        let reach = Reach {
            region: connection.region.clone(),
            endpoint: connection.endpoint.clone(),
            path_style: connection.path_style,
        };
        // Nothing that can panic happens while the lock is held.
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients
            .entry(reach)
            .or_insert_with_key(|reach| {
                let mut config = aws_sdk_s3::config::Builder::from(&self.config);
                if let Some(region) = &reach.region {
                    config = config.region(Region::new(region.clone()));
                }
                if let Some(endpoint) = &reach.endpoint {
                    config = config.endpoint_url(endpoint);
                }
                if reach.path_style {
                    config = config.force_path_style(true);
                }
                Client::from_conf(config.build())
            })
            .clone()
    }
}

/// The request for `object` as `pin` says. `ExpectedBucketOwner` makes sure that the bucket is still
/// the one that the connection means.
fn request(
    client: &Client,
    connection: &Connection,
    object: &ObjectId,
    pin: &Pin,
) -> GetObjectFluentBuilder {
    let request = client
        .get_object()
        .bucket(&object.bucket)
        .key(&object.key)
        .set_expected_bucket_owner(connection.bucket_owner.clone());
    match pin {
        Pin::Version(id) => request.version_id(id),
        Pin::Match(etag) => request.if_match(format!("\"{etag}\"")),
        Pin::Current => request,
    }
}

#[async_trait]
impl Objects for S3Objects {
    async fn open(
        &self,
        connection: &Connection,
        object: &ObjectId,
        pin: &Pin,
    ) -> Result<Opened, ObjectError> {
        let client = self.client(connection);
        let answer =
            request(&client, connection, object, pin).send().await.map_err(|e| fault(object, e))?;
        let invalid = |what: &str| {
            ObjectError::new(
                object,
                ObjectErrorKind::Invalid(format!("the store's answer names no {what}")),
            )
        };
        let etag = ETag::new(answer.e_tag().ok_or_else(|| invalid("ETag"))?);
        let size = answer
            .content_length()
            .and_then(|n| u64::try_from(n).ok())
            .ok_or_else(|| invalid("length"))?;
        let version = ObjectVersion {
            // Buckets without versioning have no ids, or the id "null".
            version_id: answer.version_id().filter(|id| *id != "null").map(str::to_owned),
            etag: etag.clone(),
            size: Some(size),
            last_modified: answer.last_modified().and_then(timestamp),
        };
        let pin = match &version.version_id {
            Some(id) => Pin::Version(id.clone()),
            None => Pin::Match(etag),
        };
        let body = S3Body {
            client,
            connection: connection.clone(),
            object: object.clone(),
            pin,
            stream: Some(answer.body),
            at: 0,
            size,
            resumes: 0,
        };
        Ok(Opened { version, body: Box::new(body) })
    }

    async fn list(
        &self,
        connection: &Connection,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Vec<Listed>, ObjectError> {
        let place = ObjectId::new(bucket, prefix);
        let answer = self
            .client(connection)
            .list_objects_v2()
            .bucket(bucket)
            .prefix(prefix)
            .set_start_after(after.map(str::to_owned))
            // XML holds no control characters; a key may. One of them would make the page unreadable.
            .encoding_type(EncodingType::Url)
            .set_expected_bucket_owner(connection.bucket_owner.clone())
            .send()
            .await
            .map_err(|e| fault(&place, e))?;
        let encoded = answer.encoding_type() == Some(&EncodingType::Url);
        let line = |o: aws_sdk_s3::types::Object| {
            Some(Listed {
                etag: ETag::new(o.e_tag()?),
                size: u64::try_from(o.size()?).ok()?,
                last_modified: o.last_modified().and_then(timestamp),
                key: if encoded { decoded(&o.key?)? } else { o.key? },
            })
        };
        answer
            .contents
            .unwrap_or_default() // no element at all means an empty page
            .into_iter()
            .map(|o| {
                let what = format!("{o:?}");
                line(o).ok_or_else(|| {
                    let cause =
                        format!("its listing holds a line without key, ETag or size: {what}");
                    ObjectError::new(&place, ObjectErrorKind::Invalid(cause))
                })
            })
            .collect()
    }
}

struct S3Body {
    client: Client,
    connection: Connection,
    object: ObjectId,
    pin: Pin,
    stream: Option<ByteStream>,
    at: u64,
    size: u64,
    resumes: u32,
}

#[async_trait]
impl Body for S3Body {
    async fn next(&mut self) -> Result<Option<Bytes>, ObjectError> {
        loop {
            let stream = match &mut self.stream {
                Some(stream) => stream,
                // There is no range of no bytes.
                None if self.at >= self.size => return Ok(None),
                None => {
                    let answer = request(&self.client, &self.connection, &self.object, &self.pin)
                        .range(format!("bytes={}-", self.at))
                        .send()
                        .await
                        .map_err(|e| fault(&self.object, e))?;
                    // A store that takes no ranges begins at the beginning: those bytes would pass
                    // for the rest.
                    let from = format!("bytes {}-", self.at);
                    if !answer.content_range().is_some_and(|range| range.starts_with(&from)) {
                        let cause =
                            format!("the store gave {:?} for {from}", answer.content_range());
                        let kind = ObjectErrorKind::Unavailable(cause);
                        return Err(ObjectError::new(&self.object, kind));
                    }
                    self.stream.insert(answer.body)
                }
            };
            let cause = match stream.next().await {
                Some(Ok(bytes)) if bytes.is_empty() => continue,
                Some(Ok(bytes)) => {
                    self.at += bytes.len() as u64;
                    self.resumes = 0;
                    return Ok(Some(bytes));
                }
                None if self.at == self.size => return Ok(None),
                None => "the connection was closed early".to_owned(),
                Some(Err(error)) => causes(&error),
            };
            // A connection that breaks in the middle of a large object must not cost what has
            // been read: go on from here, with the same pin.
            self.stream = None;
            self.resumes += 1;
            if self.resumes > RESUMES || self.at >= self.size {
                let cause = format!("at byte {} of {}: {cause}", self.at, self.size);
                return Err(ObjectError::new(&self.object, ObjectErrorKind::Unavailable(cause)));
            }
        }
    }

    async fn seek(&mut self, offset: u64) -> Result<(), ObjectError> {
        // The next read asks for the bytes from there.
        self.stream = None;
        self.at = offset;
        Ok(())
    }
}

/// A key as a listing with `encoding-type=url` writes it: form-encoded, as in notifications. `None`: it
/// is not UTF-8, which no key is.
fn decoded(key: &str) -> Option<String> {
    let spaced = key.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(Cow::into_owned)
}

fn timestamp(time: &aws_sdk_s3::primitives::DateTime) -> Option<Timestamp> {
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}

/// S3's answers as outcomes
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList>).
fn fault<E>(object: &ObjectId, error: SdkError<E>) -> ObjectError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let status = error.raw_response().map(|r| r.status().as_u16());
    let code = error.as_service_error().and_then(|e| e.code()).map(str::to_owned);
    let text = || said(&error);
    let kind = match (code.as_deref(), status) {
        (Some("NoSuchKey" | "NoSuchVersion"), _) => ObjectErrorKind::Gone,
        (Some("NoSuchBucket"), _) => ObjectErrorKind::Invalid(text()),
        (Some("PreconditionFailed"), _) | (_, Some(412)) => ObjectErrorKind::Changed,
        (Some("InvalidObjectState"), _) => ObjectErrorKind::Archived(text()),
        (Some("InvalidRange"), _) | (_, Some(416)) => ObjectErrorKind::Changed,
        (Some("SlowDown" | "RequestTimeout" | "InternalError" | "ServiceUnavailable"), _)
        | (_, None | Some(408 | 429 | 500..)) => ObjectErrorKind::Unavailable(text()),
        (Some("ExpiredToken" | "RequestTimeTooSkewed"), _) => ObjectErrorKind::Unavailable(text()),
        // A delete marker was asked for by its id.
        (_, Some(404 | 405)) => ObjectErrorKind::Gone,
        (_, Some(401 | 403)) => ObjectErrorKind::Denied(text()),
        _ => ObjectErrorKind::Invalid(text()),
    };
    ObjectError::new(object, kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_a_listing_are_decoded_once() {
        for (encoded, key) in [
            ("a+b%2Bc%3Dd%26%C3%BC+100%25.csv", "a b+c=d&ü 100%.csv"),
            ("daily/x.csv", "daily/x.csv"),
            ("%252B", "%2B"),
            ("%01", "\u{1}"),
        ] {
            assert_eq!(decoded(encoded).as_deref(), Some(key));
        }
        assert_eq!(decoded("%FF"), None);
    }
}
