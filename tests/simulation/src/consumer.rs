//! The consumer that Inlet's promises are made to. It holds to three rules and no more:
//!
//! 1. An event about an object (of one source) with a lower `generation` than one that it has seen is
//!    ignored: a worker that was slow told it, after another had gone on to something newer.
//! 2. An event with an id that it has seen is ignored.
//! 3. The records of a version count when the version's `completed` has come, and take the place of
//!    those of the version before; `removed` takes them away.
//!
//! It also looks at every event by itself, and notes what no event may be.

use std::collections::{BTreeMap, HashMap, HashSet};

use inlet::delivery::{Event, EventKind};
use inlet::object::ObjectId;
use serde_json::Value;

use crate::content::Expected;

/// What the consumer knows of one object of one source.
#[derive(Default)]
pub struct Held {
    generation: u64,
    staged: BTreeMap<String, BTreeMap<u64, Vec<(u64, Value)>>>,
    /// The tag and the records of what was completed last; `None`: nothing, or it was removed.
    pub current: Option<(String, Vec<(u64, Value)>)>,
    /// Every content that was ever completed.
    pub completed: HashSet<String>,
}

/// The consumer.
#[derive(Default)]
pub struct Consumer {
    /// Takes no notice of the first rule: a planted bug.
    careless: bool,
    taken: usize,
    seen: HashSet<(String, String)>,
    bodies: HashMap<(String, String), (String, u64, Value)>,
    sends: HashMap<(String, String), u32>,
    objects: BTreeMap<(String, ObjectId), Held>,
    /// What no event may be, and was.
    pub wrong: Vec<String>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl Consumer {
    /// A consumer that holds to the rules, but to the first one only if it is not `careless`.
    pub fn new(careless: bool) -> Self {
        Self { careless, ..Self::default() }
    }

    /// Takes what has arrived since the last time. `expected` says what must become of a content
    /// of a source, `record` what the record of one of its rows is.
    pub fn take(
        &mut self,
        arrivals: &[Event],
        expected: &dyn Fn(&str, &str) -> Option<Expected>,
        record: &dyn Fn(&str, u64) -> Option<Value>,
    ) {
        for event in &arrivals[self.taken..] {
            self.take_one(event, expected, record);
        }
        self.taken = arrivals.len();
    }

    /// What is known of an object.
    pub fn held(&self, source: &str, object: &ObjectId) -> Option<&Held> {
        self.objects.get(&(source.to_owned(), object.clone()))
    }

    /// Events of completed versions that came more than once. (What failed is tried again when the
    /// same content is written again.)
    pub fn repeated(&self) -> Vec<&str> {
        let repeated = self.sends.iter().filter(|(event, sends)| {
            let completed = event.1.split_once('-').is_some_and(|(reference, _)| {
                self.sends.contains_key(&(event.0.clone(), format!("{reference}-completed")))
            });
            **sends > 1 && completed
        });
        let mut repeated: Vec<_> = repeated.map(|((_, id), _)| id.as_str()).collect();
        repeated.sort_unstable();
        repeated
    }

    fn take_one(
        &mut self,
        event: &Event,
        expected: &dyn Fn(&str, &str) -> Option<Expected>,
        record: &dyn Fn(&str, u64) -> Option<Value>,
    ) {
        let id = (event.source.clone(), event.id.clone());
        *self.sends.entry(id.clone()).or_default() += 1;
        let body: Value = match serde_json::from_str(&event.body) {
            Ok(body) => body,
            Err(error) => return self.wrong.push(format!("{}: no JSON: {error}", event.id)),
        };
        let data = &body["data"];
        let object = ObjectId::new(text(&data["object"]["bucket"]), text(&data["object"]["key"]));
        let etag = text(&data["object"]["etag"]);
        let generation = data["object"]["generation"].as_u64().unwrap_or_default();
        let reference = event.id.split_once('-').map_or("", |(reference, _)| reference);

        let content = match event.kind {
            EventKind::Records => data["records"].clone(),
            EventKind::Completed => Value::from(
                ["rows", "records", "rejects", "skipped"].map(|n| data[n].clone()).to_vec(),
            ),
            EventKind::Removed | EventKind::Failed => Value::Null,
        };
        let told = (etag.clone(), generation, content);
        let known = self.bodies.entry(id.clone()).or_insert_with(|| told.clone());
        if *known != told {
            self.wrong.push(format!("promise 2: event {} came with two contents", event.id));
        }
        let mut rows = Vec::new();
        if event.kind == EventKind::Records {
            for told in data["records"].as_array().into_iter().flatten() {
                let row = told["row"].as_u64().unwrap_or_default();
                if record(&etag, row).as_ref() != Some(&told["values"]) {
                    self.wrong
                        .push(format!("promise 3: row {row} of {} is not of {etag}", event.id));
                }
                rows.push((row, told["values"].clone()));
            }
        }

        let held = self.objects.entry((event.source.clone(), object)).or_default();
        if generation < held.generation && !self.careless {
            return;
        }
        held.generation = generation;
        if !self.seen.insert(id) {
            return;
        }
        match event.kind {
            EventKind::Records => {
                let batch = data["batch"].as_u64().unwrap_or_default();
                held.staged.entry(reference.to_owned()).or_default().insert(batch, rows);
            }
            EventKind::Completed => {
                let batches = held.staged.remove(reference).unwrap_or_default();
                let records: Vec<_> = batches.into_values().flatten().collect();
                if let Some(wrong) = compare(data, &records, expected(&event.source, &etag)) {
                    self.wrong.push(format!("{} of {etag}: {wrong}", event.id));
                }
                held.completed.insert(etag.clone());
                held.current = Some((etag, records));
            }
            EventKind::Removed => held.current = None,
            EventKind::Failed => {}
        }
    }
}

/// What is wrong with a completion, if anything is.
fn compare(data: &Value, told: &[(u64, Value)], expected: Option<Expected>) -> Option<String> {
    let Some(Expected::Done { records, refused, kept }) = expected else {
        return Some(format!("completed, but expected {expected:?}"));
    };
    if *told != records {
        let (told, expected) = (told.len(), records.len());
        return Some(format!("promise 1: completed with {told} records of {expected}, or others"));
    }
    let count = |name: &str| data[name].as_u64().unwrap_or(u64::MAX);
    let refusals = if kept { (refused, 0) } else { (0, refused) };
    let wanted = (records.len() as u64 + refused, records.len() as u64, refusals.0, refusals.1);
    let counted = (count("rows"), count("records"), count("rejects"), count("skipped"));
    (counted != wanted).then(|| format!("promise 7: counted {counted:?}, expected {wanted:?}"))
}
