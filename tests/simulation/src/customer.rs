//! The people who write into the buckets, and the notices that the store sends about it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use inlet::object::ObjectId;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::bucket::Store;
use crate::content::Content;
use crate::faults::Fault;
use crate::queue::Broker;
use crate::world::{World, lock};

/// Everybody who writes.
pub struct Customer {
    world: Arc<World>,
    store: Arc<Store>,
    broker: Arc<Broker>,
    objects: Vec<ObjectId>,
    /// The sequencers tell the reverse of the truth: a planted bug.
    reversed: bool,
    /// Some stores tell no sequencers.
    sequencers: bool,
    contents: Mutex<BTreeMap<String, Content>>,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    events: u64,
    dropped: u64,
    unreadable: usize,
    held: Vec<Value>,
}

impl Customer {
    /// Customers who write these objects.
    pub fn new(
        world: &Arc<World>,
        store: &Arc<Store>,
        broker: &Arc<Broker>,
        objects: Vec<ObjectId>,
        reversed: bool,
    ) -> Self {
        let (world, store, broker) = (Arc::clone(world), Arc::clone(store), Arc::clone(broker));
        let (contents, told) = (Mutex::default(), Mutex::default());
        let sequencers = world.draw(|rng| rng.u8(..8) != 0);
        Self { world, store, broker, objects, reversed, sequencers, contents, told }
    }

    /// Every object that may ever be written.
    pub fn objects(&self) -> &[ObjectId] {
        &self.objects
    }

    /// The content with this tag.
    pub fn content(&self, etag: &str) -> Option<Content> {
        lock(&self.contents).get(etag).cloned()
    }

    /// Notices that never came.
    pub fn dropped(&self) -> u64 {
        lock(&self.told).dropped
    }

    /// Messages that nobody can read.
    pub fn unreadable(&self) -> usize {
        lock(&self.told).unreadable
    }

    /// Writes and deletes until all is done.
    pub async fn work(&self, changes: usize) {
        for _ in 0..changes {
            let pause = self.world.draw(|rng| match rng.u8(..8) {
                0..3 => rng.u64(..200),
                3..7 => rng.u64(..10_000),
                _ => rng.u64(..60_000),
            });
            sleep(Duration::from_millis(pause)).await;
            self.change();
        }
        let held = std::mem::take(&mut lock(&self.told).held);
        if !held.is_empty() {
            self.send(held);
        }
    }

    fn change(&self) {
        let object = self.objects[self.world.draw(|rng| rng.usize(..self.objects.len()))].clone();
        let versions = self.store.versions(&object);
        let versioned = self.store.is_versioned(&object.bucket);
        match self.world.draw(|rng| rng.u8(..20)) {
            0..10 => self.write(&object, None, "ObjectCreated:Put"),
            10..12 => {
                // Something that was written here before.
                let written = self.store.written();
                let before: Vec<_> =
                    written.iter().filter(|(o, v)| *o == object && !v.marker).collect();
                if !before.is_empty() {
                    let n = self.world.draw(|rng| rng.usize(..before.len()));
                    let etag = before[n].1.etag.as_str().to_owned();
                    self.write(&object, Some(etag), "ObjectCreated:Put");
                }
            }
            12 => {
                let n = self.world.draw(|rng| rng.usize(..self.objects.len()));
                if let Some(from) = self.store.current(&self.objects[n]) {
                    let etag = from.etag.as_str().to_owned();
                    self.write(&object, Some(etag), "ObjectCreated:Copy");
                }
            }
            13..17 if versioned => {
                let marker = self.store.put(&object, "", Bytes::new(), self.world.now(), true);
                self.world.log("customer", || format!("DELETES {object}, marker {:?}", marker.id));
                let marker = marker.id.as_deref();
                self.tell(&object, "ObjectRemoved:DeleteMarkerCreated", None, marker, None);
            }
            13..17 if !versions.is_empty() => {
                self.store.delete(&object);
                self.world.log("customer", || format!("DELETES {object}"));
                self.tell(&object, "ObjectRemoved:Delete", None, None, None);
            }
            17..19 if versioned && !versions.is_empty() => {
                // Most often the current one, whose end brings back the one before.
                let n = self
                    .world
                    .draw(|rng| rng.usize(..versions.len()).max(rng.usize(..versions.len())));
                let id = versions[n].id.clone().unwrap_or_default();
                self.store.destroy(&object, &id);
                self.world.log("customer", || format!("DESTROYS version {id} of {object}"));
                self.tell(&object, "ObjectRemoved:Delete", None, Some(&id), None);
            }
            19 => {
                let broken = json!({"Records": [{"eventSource": "aws:s3", "eventName": "Sneeze"}]});
                let body = if self.world.draw(fastrand::Rng::bool) {
                    "]".into()
                } else {
                    broken.to_string()
                };
                self.world.log("customer", || "sends what nobody can read".to_owned());
                lock(&self.told).unreadable += 1;
                self.broker.send(body, Duration::ZERO);
            }
            _ => {}
        }
    }

    fn write(&self, object: &ObjectId, etag: Option<String>, event: &str) {
        let (etag, bytes) = {
            let mut contents = lock(&self.contents);
            let etag = etag.unwrap_or_else(|| {
                let n = contents.len();
                let content = self.world.draw(|rng| Content::draw(rng, n));
                contents.insert(format!("e{n}"), content);
                format!("e{n}")
            });
            let n = etag.trim_start_matches('e').parse().unwrap_or(0);
            let bytes = contents.get(&etag).map(|content| content.bytes(n)).unwrap_or_default();
            (etag, bytes)
        };
        let stored = self.store.put(object, &etag, bytes, self.world.now(), false);
        let (id, size) = (stored.id.clone(), stored.bytes.len());
        self.world
            .log("customer", || format!("WRITES {object}: {etag}, version {id:?}, {size} bytes"));
        self.tell(object, event, Some(&etag), stored.id.as_deref(), Some(size));
    }

    fn tell(
        &self,
        object: &ObjectId,
        name: &str,
        etag: Option<&str>,
        version: Option<&str>,
        size: Option<usize>,
    ) {
        let mut told = lock(&self.told);
        told.events += 1;
        let n = if self.reversed { u64::MAX - told.events } else { 0x0065_0000 + told.events };
        told.held.push(json!({
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "eventName": name,
            "s3": {
                "bucket": {"name": object.bucket},
                "object": {
                    "key": object.key.replace(' ', "+"),
                    "eTag": etag,
                    "versionId": version,
                    "size": size,
                    "sequencer": self.sequencers.then(|| format!("{n:016X}")),
                },
            },
        }));
        // Now and then one message tells of several events.
        if self.world.draw(|rng| rng.u8(..6)) != 0 {
            let held = std::mem::take(&mut told.held);
            drop(told);
            self.send(held);
        }
    }

    fn send(&self, events: Vec<Value>) {
        let world = &self.world;
        let soon = world.draw(|rng| rng.u64(..500));
        if world.strikes(Fault::NoticeDropped) {
            world.log("store", || "the notice is lost".to_owned());
            lock(&self.told).dropped += events.len() as u64;
            return;
        }
        let mut delay = soon;
        if world.strikes(Fault::NoticeReordered) {
            delay += world.draw(|rng| rng.u64(1_000..20_000));
        }
        if world.strikes(Fault::NoticeDelayed) {
            delay += world.draw(|rng| rng.u64(30_000..600_000));
        }
        let body = json!({"Records": events}).to_string();
        if world.strikes(Fault::NoticeDuplicated) {
            let later = world.draw(|rng| rng.u64(..30_000));
            self.broker.send(body.clone(), Duration::from_millis(delay + later));
        }
        self.broker.send(body, Duration::from_millis(delay));
    }
}
