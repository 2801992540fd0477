//! A consumer as docs/semantics.md asks for it ("What a consumer does"), over all events that came:
//! what it has in the end is what Inlet has delivered.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

/// What the consumer knows, by subject (`bucket/key`); for one source.
#[derive(Debug, Default)]
pub struct Consumer<'a> {
    objects: BTreeMap<&'a str, Held<'a>>,
    seen: HashMap<(&'a str, &'a str), &'a Value>,
    /// Events that it left out because it had seen them.
    pub repeated: usize,
    /// What no event may be, and was.
    pub wrong: Vec<String>,
}

/// What it knows of one object.
#[derive(Debug, Default)]
struct Held<'a> {
    generation: u64,
    versions: HashMap<&'a str, Version<'a>>,
    /// The version that counts.
    current: Option<&'a str>,
}

/// What has come of one version.
#[derive(Debug, Default)]
struct Version<'a> {
    batches: BTreeMap<u64, &'a [Value]>,
    completed: Option<&'a Value>,
}

impl<'a> Consumer<'a> {
    /// Takes the events in their order.
    pub fn of(events: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut consumer = Self::default();
        for event in events {
            if let Err(wrong) = consumer.take(event) {
                consumer.wrong.push(wrong);
            }
        }
        consumer
    }

    fn take(&mut self, event: &'a Value) -> Result<(), String> {
        let text = |name: &str| {
            event[name].as_str().ok_or_else(|| format!("an event without {name}: {event}"))
        };
        let (source, id, subject) = (text("source")?, text("id")?, text("subject")?);
        let data = &event["data"];
        let number = |name: &str| {
            data[name].as_u64().ok_or_else(|| format!("event {id} of {subject} has no {name}"))
        };
        let generation = &data["object"]["generation"];
        let generation = generation.as_u64().ok_or_else(|| format!("{id} has no generation"))?;
        let reference = id.split_once('-').map_or(id, |(reference, _)| reference);

        let held = self.objects.entry(subject).or_default();
        if generation < held.generation {
            return Ok(());
        }
        held.generation = generation;
        if let Some(first) = self.seen.insert((source, id), data) {
            self.repeated += 1;
            return match first["records"] == data["records"] {
                true => Ok(()),
                false => Err(format!("event {id} of {subject} came with two contents")),
            };
        }
        let version = held.versions.entry(reference).or_default();
        match text("type")? {
            "inlet.records.v1" => {
                let records = data["records"].as_array();
                let records = records.ok_or_else(|| format!("event {id} has no records"))?;
                if version.batches.insert(number("batch")?, records).is_some() {
                    return Err(format!("two ids for batch {} of {subject}", data["batch"]));
                }
            }
            "inlet.object.completed.v1" => {
                version.completed = Some(data);
                held.current = Some(reference);
            }
            "inlet.object.removed.v1" => held.current = None,
            "inlet.object.failed.v1" => {}
            other => return Err(format!("event {id} of {subject} has the type {other}")),
        }
        Ok(())
    }

    /// The records that the consumer has of an object, in the order of their rows.
    ///
    /// # Errors
    /// When it has none, or not as many as the completion says, or one twice.
    pub fn records(&self, subject: &str) -> Result<Vec<&'a Value>, String> {
        let held = self.objects.get(subject).ok_or("nothing came")?;
        let version = held.current.and_then(|current| held.versions.get(current));
        let Some(Version { batches, completed: Some(completed) }) = version else {
            let came: usize = held.versions.values().map(|version| version.batches.len()).sum();
            return Err(format!("no completion came; {came} batches did"));
        };
        let records: Vec<_> = batches.values().flat_map(|batch| batch.iter()).collect();
        let told = |name: &str| completed[name].as_u64();
        if told("batches") != Some(batches.len() as u64)
            || told("records") != Some(records.len() as u64)
        {
            let (batches, records) = (batches.len(), records.len());
            return Err(format!("{records} records in {batches} batches of {completed}"));
        }
        let mut ids = HashSet::with_capacity(records.len());
        match records.iter().find(|record| !ids.insert(record["id"].as_str())) {
            Some(twice) => Err(format!("two records are {}", twice["id"])),
            None => Ok(records),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(kind: &str, id: &str, generation: u64, mut data: Value) -> Value {
        data["object"] = json!({"generation": generation});
        json!({"type": kind, "source": "/inlet/s", "subject": "b/k", "id": id, "data": data})
    }

    fn batch(reference: &str, number: u64, generation: u64, ids: &[&str]) -> Value {
        let records: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
        let id = format!("{reference}-{number}");
        event("inlet.records.v1", &id, generation, json!({"batch": number, "records": records}))
    }

    fn completed(reference: &str, generation: u64, batches: u64, records: u64) -> Value {
        let id = format!("{reference}-completed");
        let counts = json!({"batches": batches, "records": records});
        event("inlet.object.completed.v1", &id, generation, counts)
    }

    fn ids(events: &[Value]) -> Result<Vec<String>, String> {
        let consumer = Consumer::of(events);
        assert_eq!(consumer.wrong, [""; 0]);
        let records = consumer.records("b/k")?;
        Ok(records.iter().map(|record| record["id"].as_str().unwrap_or("").to_owned()).collect())
    }

    #[test]
    fn what_came_twice_and_in_any_order_counts_once() {
        let events = [
            batch("r", 2, 1, &["c"]),
            completed("r", 1, 2, 3),
            batch("r", 1, 1, &["a", "b"]),
            batch("r", 2, 1, &["c"]),
            completed("r", 1, 2, 3),
        ];
        assert_eq!(ids(&events), Ok(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]));
    }

    #[test]
    fn a_version_takes_the_place_of_the_one_before_and_an_older_one_never_comes_back() {
        let events = [
            batch("r", 1, 1, &["a"]),
            completed("r", 1, 1, 1),
            batch("s", 1, 2, &["b"]),
            completed("s", 2, 1, 1),
            batch("q", 1, 1, &["z"]),
            completed("q", 1, 1, 1),
        ];
        assert_eq!(ids(&events), Ok(vec!["b".to_owned()]));
    }

    #[test]
    fn what_is_missing_or_there_twice_or_not_complete_is_told() {
        let missing = [batch("r", 1, 1, &["a"]), completed("r", 1, 2, 2)];
        let twice = [batch("r", 1, 1, &["a", "a"]), completed("r", 1, 1, 2)];
        let incomplete = [batch("r", 1, 1, &["a"])];
        for events in [&missing[..], &twice, &incomplete, &[]] {
            assert!(ids(events).is_err(), "{events:?}");
        }
        let other = [batch("r", 1, 1, &["a"]), batch("r", 1, 1, &["b"])];
        assert_eq!(Consumer::of(&other).wrong.len(), 1, "one id, two contents");
    }
}
