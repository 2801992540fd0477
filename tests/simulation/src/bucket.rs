//! Buckets with the semantics of S3: strongly consistent, versioned or not, with pinned reads.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use inlet::catalog::Connection;
use inlet::object::{
    Body, ETag, Listed, ObjectError, ObjectErrorKind, ObjectId, ObjectVersion, Objects, Opened, Pin,
};
use jiff::Timestamp;

use crate::faults::Fault;
use crate::life::Life;
use crate::world::lock;

/// One version of one object, or a delete marker.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its place among all writes.
    pub ordinal: u64,
    /// The version id, in a versioned bucket.
    pub id: Option<String>,
    /// The tag.
    pub etag: ETag,
    /// The bytes.
    pub bytes: Bytes,
    /// When it was written, in whole seconds, as S3 says it.
    pub modified: Timestamp,
    /// Whether it is a delete marker.
    pub marker: bool,
}

/// All buckets.
#[derive(Default)]
pub struct Store {
    versioned: Mutex<HashMap<String, bool>>,
    objects: Mutex<BTreeMap<ObjectId, Vec<Stored>>>,
    written: Mutex<Vec<(ObjectId, Stored)>>,
}

impl Store {
    /// Adds a bucket.
    pub fn create(&self, bucket: &str, versioned: bool) {
        lock(&self.versioned).insert(bucket.to_owned(), versioned);
    }

    /// Whether the bucket keeps versions.
    pub fn is_versioned(&self, bucket: &str) -> bool {
        lock(&self.versioned).get(bucket).copied().unwrap_or(false)
    }

    /// Writes an object (or a delete marker).
    pub fn put(
        &self,
        object: &ObjectId,
        etag: &str,
        bytes: Bytes,
        now: Timestamp,
        marker: bool,
    ) -> Stored {
        let versioned = self.is_versioned(&object.bucket);
        let mut written = lock(&self.written);
        let ordinal = written.len() as u64 + 1;
        let stored = Stored {
            ordinal,
            id: versioned.then(|| format!("v{ordinal}")),
            etag: ETag::new(etag),
            bytes,
            modified: Timestamp::constant(now.as_second(), 0),
            marker,
        };
        written.push((object.clone(), stored.clone()));
        let mut objects = lock(&self.objects);
        let versions = objects.entry(object.clone()).or_default();
        if !versioned {
            versions.clear();
        }
        versions.push(stored.clone());
        stored
    }

    /// Removes an object of a bucket without versions.
    pub fn delete(&self, object: &ObjectId) {
        lock(&self.objects).remove(object);
    }

    /// Destroys one version.
    pub fn destroy(&self, object: &ObjectId, id: &str) {
        if let Some(versions) = lock(&self.objects).get_mut(object) {
            versions.retain(|version| version.id.as_deref() != Some(id));
        }
    }

    /// All versions of an object, the current one last.
    pub fn versions(&self, object: &ObjectId) -> Vec<Stored> {
        lock(&self.objects).get(object).cloned().unwrap_or_default()
    }

    /// What a reader without a version id sees.
    pub fn current(&self, object: &ObjectId) -> Option<Stored> {
        self.versions(object).pop().filter(|version| !version.marker)
    }

    /// Every object and marker that was ever written, in the order of writing.
    pub fn written(&self) -> Vec<(ObjectId, Stored)> {
        lock(&self.written).clone()
    }

    fn open(&self, object: &ObjectId, pin: &Pin) -> Result<Stored, ObjectErrorKind> {
        let current = self.current(object);
        match pin {
            Pin::Current => current.ok_or(ObjectErrorKind::Gone),
            Pin::Match(etag) => match current {
                None => Err(ObjectErrorKind::Gone),
                Some(version) if version.etag == *etag => Ok(version),
                Some(_) => Err(ObjectErrorKind::Changed),
            },
            Pin::Version(id) => self
                .versions(object)
                .into_iter()
                .find(|version| version.id.as_ref() == Some(id) && !version.marker)
                .ok_or(ObjectErrorKind::Gone),
        }
    }
}

/// The buckets as one worker reaches them.
#[derive(Clone)]
pub struct SimObjects {
    store: Arc<Store>,
    life: Arc<Life>,
}

impl SimObjects {
    /// `store` as `life` reaches it.
    pub fn new(store: Arc<Store>, life: Arc<Life>) -> Self {
        Self { store, life }
    }
}

fn unavailable(object: &ObjectId) -> impl FnOnce(&'static str) -> ObjectError {
    let object = object.clone();
    move |cause| ObjectError::new(&object, ObjectErrorKind::Unavailable(cause.into()))
}

#[async_trait]
impl Objects for SimObjects {
    async fn open(
        &self,
        _: &Connection,
        object: &ObjectId,
        pin: &Pin,
    ) -> Result<Opened, ObjectError> {
        let open = || self.store.open(object, pin).map_err(|kind| ObjectError::new(object, kind));
        let what = || format!("open {object} {pin:?}");
        let stored = self.life.call(what, open, unavailable(object)).await?;
        self.life.log(|| format!("  {} {:?} of write {}", stored.etag, stored.id, stored.ordinal));
        let version = ObjectVersion {
            etag: stored.etag.clone(),
            version_id: stored.id.clone(),
            size: Some(stored.bytes.len() as u64),
            last_modified: Some(stored.modified),
        };
        // One long answer, which nothing interrupts, or one request for each range of bytes.
        let ranged = self.life.world.draw(fastrand::Rng::bool);
        let current = self.store.current(object).map(|current| current.ordinal);
        let (objects, object) = (self.clone(), object.clone());
        let body = Box::new(SimBody { objects, object, stored, ranged, at: 0, current });
        Ok(Opened { version, body })
    }

    async fn list(
        &self,
        _: &Connection,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Vec<Listed>, ObjectError> {
        let page = self.life.world.draw(|rng| rng.usize(1..6));
        let list = || {
            let objects = lock(&self.store.objects);
            Ok(objects
                .iter()
                .filter(|(object, _)| object.bucket == bucket && object.key.starts_with(prefix))
                .filter(|(object, _)| after.is_none_or(|after| object.key.as_str() > after))
                .filter_map(|(object, versions)| Some((object, versions.last()?)))
                .filter(|(_, current)| !current.marker)
                .map(|(object, current)| Listed {
                    key: object.key.clone(),
                    etag: current.etag.clone(),
                    size: current.bytes.len() as u64,
                    last_modified: Some(current.modified),
                })
                .take(page)
                .collect::<Vec<_>>())
        };
        let of = ObjectId::new(bucket, prefix);
        self.life.call(|| format!("list {of} after {after:?}"), list, unavailable(&of)).await
    }
}

struct SimBody {
    objects: SimObjects,
    object: ObjectId,
    stored: Stored,
    ranged: bool,
    at: usize,
    /// Which write was the current one when this was last looked at.
    current: Option<u64>,
}

#[async_trait]
impl Body for SimBody {
    async fn next(&mut self) -> Result<Option<Bytes>, ObjectError> {
        let (life, store) = (&self.objects.life, &self.objects.store);
        let what = || format!("read {} from {}", self.object, self.at);
        life.begin(&what).await;
        let pin = match &self.stored.id {
            Some(id) => Pin::Version(id.clone()),
            None => Pin::Match(self.stored.etag.clone()),
        };
        let current = store.current(&self.object).map(|current| current.ordinal);
        if current != std::mem::replace(&mut self.current, current) {
            life.world.count(Fault::ChangedWhileRead);
        }
        if self.at == self.stored.bytes.len() {
            return Ok(None);
        }
        if self.ranged
            && let Err(kind) = store.open(&self.object, &pin)
        {
            life.log(|| format!("{} ✗ {kind}", what()));
            return Err(ObjectError::new(&self.object, kind));
        }
        if life.world.strikes(Fault::ReadBroken) {
            life.log(|| format!("{} ✗ broken", what()));
            return Err(unavailable(&self.object)("the connection was cut"));
        }
        let left = self.stored.bytes.len() - self.at;
        let n = life.world.draw(|rng| rng.usize(1..=left.max(400) / 2)).min(left);
        life.end(&what).await;
        life.log(|| format!("{} ✓ {n} bytes", what()));
        self.at += n;
        Ok(Some(self.stored.bytes.slice(self.at - n..self.at)))
    }

    async fn seek(&mut self, offset: u64) -> Result<(), ObjectError> {
        self.objects.life.log(|| format!("go to byte {offset} of {}", self.object));
        self.at = usize::try_from(offset).unwrap_or(usize::MAX).min(self.stored.bytes.len());
        self.ranged = true;
        Ok(())
    }
}
