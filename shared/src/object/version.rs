//! Names of objects and of their versions.

use std::cmp::Ordering;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A bucket and a key, the key decoded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectId {
    /// The bucket's name.
    pub bucket: String,
    /// The key as S3 stores it: UTF-8, neither form-encoded nor percent-encoded.
    pub key: String,
}

impl ObjectId {
    /// The object `key` of `bucket`.
    pub fn new(bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self { bucket: bucket.into(), key: key.into() }
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// An entity tag without its quotes. Opaque: only equality means something, because it is an MD5
/// only for some objects
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ETag(String);

impl ETag {
    /// Takes an entity tag in either of the two forms in which S3 gives it, with quotes (HTTP) or
    /// without (notifications).
    pub fn new(text: &str) -> Self {
        Self(text.trim_matches('"').to_owned())
    }

    /// The tag without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One version of an object, as far as it is known. Notices know the tag and perhaps the size; an
/// opened object knows all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectVersion {
    /// The entity tag.
    pub etag: ETag,
    /// The version id; `None` in a bucket without versioning.
    pub version_id: Option<String>,
    /// Bytes.
    pub size: Option<u64>,
    /// When the store says that this version was written.
    pub last_modified: Option<Timestamp>,
}

/// Orders the events of one key.
///
/// A hexadecimal number of no fixed width. AWS says to pad the shorter one and compare
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>);
/// zeros go on the left, which is the numeric order. A sequencer that is not hexadecimal (other
/// stores, test events) is compared the same way, as text.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sequencer(String);

impl Sequencer {
    /// The sequencer as the notice gives it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Ord for Sequencer {
    fn cmp(&self, other: &Self) -> Ordering {
        let a = self.0.trim_start_matches('0').to_ascii_uppercase();
        let b = other.0.trim_start_matches('0').to_ascii_uppercase();
        a.len().cmp(&b.len()).then_with(|| a.cmp(&b))
    }
}

impl PartialOrd for Sequencer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Sequencer {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Sequencer {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequencers_of_different_width_compare_as_numbers() {
        let short = Sequencer::new("0A1B2C3D4E5F6789");
        let long = Sequencer::new("0066DA1CBF104C0D51");
        assert!(short < long, "a longer number is greater, leading zeros aside");
        assert_eq!(Sequencer::new("00ff"), Sequencer::new("FF"));
        assert!(Sequencer::new("0A") > Sequencer::new("09"));
    }

    #[test]
    fn an_etag_is_the_same_with_and_without_quotes() {
        assert_eq!(ETag::new("\"abc-2\""), ETag::new("abc-2"));
    }
}
