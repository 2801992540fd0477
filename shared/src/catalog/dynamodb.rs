//! The catalog of a stack: a DynamoDB table.
//!
//! One item for each connection (`pk` = `connection`) and source (`pk` = `source`), with its key as
//! `sk` and its definition as JSON; and one item `catalog` / `revision` that every change replaces
//! last, so that a worker asks for one small item to learn that nothing has changed.
//!
//! An [`apply`](DynamoCatalog::apply) is not one transaction (DynamoDB's takes 100 items), but its
//! order keeps every moment consistent: connections come before the sources that name them, and go
//! after them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{Catalog, CatalogError, CatalogStore, Connection, HOME_CONNECTION, Source};
use crate::aws::said;

/// How long a worker uses the catalog before it asks for the revision.
const FRESH: Duration = Duration::from_secs(5);

/// A catalog in a DynamoDB table with the keys `pk` and `sk`, both strings.
pub struct DynamoCatalog {
    client: Client,
    table: String,
    drop_bucket: Option<String>,
    cached: Mutex<Option<Cached>>,
}

struct Cached {
    revision: Option<String>,
    asked: Instant,
    catalog: Arc<Catalog>,
}

/// What an [`apply`](DynamoCatalog::apply) changed, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// New ones.
    pub added: Vec<String>,
    /// Those with another definition than before.
    pub changed: Vec<String>,
    /// Those that are gone.
    pub removed: Vec<String>,
}

impl DynamoCatalog {
    /// The catalog in `table`; `drop_bucket` is the bucket of the built-in source `drop`.
    pub fn new(client: Client, table: impl Into<String>, drop_bucket: Option<String>) -> Self {
        Self { client, table: table.into(), drop_bucket, cached: Mutex::default() }
    }

    fn failed(&self, action: &str, cause: impl ToString) -> CatalogError {
        CatalogError {
            place: self.table.clone(),
            action: action.to_owned(),
            cause: cause.to_string(),
        }
    }

    /// The stored catalog, unless it is the one that is known.
    async fn newer_than(&self, known: Option<&Cached>) -> Result<Option<Cached>, CatalogError> {
        let asked = Instant::now();
        let revision = self.revision().await?;
        if known.is_some_and(|known| known.revision == revision) {
            return Ok(None);
        }
        // Read after the revision: a change in between is read anew next time.
        let catalog = Arc::new(self.read().await?);
        Ok(Some(Cached { revision, asked, catalog }))
    }

    async fn revision(&self) -> Result<Option<String>, CatalogError> {
        const ACTION: &str = "say its revision";
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", text("catalog"))
            .key("sk", text("revision"))
            .consistent_read(true)
            .send()
            .await
            .map_err(|e| self.failed(ACTION, said(&e)))?;
        match answer.item.as_ref().map(|item| item.get("revision")) {
            None => Ok(None),
            Some(Some(AttributeValue::S(revision))) => Ok(Some(revision.clone())),
            Some(other) => Err(self.failed(ACTION, format!("it is {other:?}"))),
        }
    }

    /// All definitions of one kind, as JSON, by key.
    async fn definitions(&self, kind: &str) -> Result<BTreeMap<String, String>, CatalogError> {
        let action = format!("list its {kind}s");
        let mut found = BTreeMap::new();
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(kind))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|e| self.failed(&action, said(&e)))?;
            match (item.get("sk"), item.get("definition")) {
                (Some(AttributeValue::S(key)), Some(AttributeValue::S(definition))) => {
                    found.insert(key.clone(), definition.clone());
                }
                other => return Err(self.failed(&action, format!("an item holds {other:?}"))),
            }
        }
        Ok(found)
    }

    async fn read(&self) -> Result<Catalog, CatalogError> {
        // Sources first: a connection that one of them names is not gone yet.
        let sources: Vec<Source> = self.parse("source", self.definitions("source").await?)?;
        let connections: Vec<Connection> =
            self.parse("connection", self.definitions("connection").await?)?;
        let catalog =
            Catalog::new(connections, sources).map_err(|e| self.failed("be understood", e))?;
        Ok(match &self.drop_bucket {
            Some(bucket) => catalog.with_drop(bucket),
            None => catalog,
        })
    }

    fn parse<T: DeserializeOwned>(
        &self,
        kind: &str,
        definitions: BTreeMap<String, String>,
    ) -> Result<Vec<T>, CatalogError> {
        definitions
            .into_iter()
            .map(|(key, definition)| {
                serde_json::from_str(&definition)
                    .map_err(|e| self.failed(&format!("understand the {kind} {key}"), e))
            })
            .collect()
    }

    /// Makes the stored catalog equal to `catalog`, without its built-in parts; what is stored and not
    /// in it is removed. Answers what changed among connections and among sources.
    ///
    /// # Errors
    /// If the table cannot be used. Then a part may have been written; apply again.
    pub async fn apply(&self, catalog: &Catalog) -> Result<(Changes, Changes), CatalogError> {
        let mut connections = BTreeMap::new();
        for connection in catalog.connections() {
            let definition = serde_json::to_string(connection)
                .map_err(|e| self.failed("encode a connection", e))?;
            connections.insert(connection.key.clone(), definition);
        }
        let mut sources = BTreeMap::new();
        for source in catalog.sources() {
            let definition =
                serde_json::to_string(source).map_err(|e| self.failed("encode a source", e))?;
            sources.insert(source.key.clone(), definition);
        }
        let stored_connections = self.definitions("connection").await?;
        let stored_sources = self.definitions("source").await?;
        let mut of_connections = changes(&stored_connections, &connections);
        let of_sources = changes(&stored_sources, &sources);

        for key in of_connections.added.iter().chain(&of_connections.changed) {
            self.put("connection", key, &connections[key]).await?;
        }
        for key in of_sources.added.iter().chain(&of_sources.changed) {
            self.put("source", key, &sources[key]).await?;
        }
        for key in &of_sources.removed {
            self.delete("source", key).await?;
        }
        for key in &of_connections.removed {
            self.delete("connection", key).await?;
        }
        let revision = uuid::Uuid::new_v4().to_string();
        let item = HashMap::from([
            ("pk".to_owned(), text("catalog")),
            ("sk".to_owned(), text("revision")),
            ("revision".to_owned(), text(&revision)),
        ]);
        self.write(item).await?;
        // Everybody has this one without having written it.
        for list in [&mut of_connections.added, &mut of_connections.changed] {
            list.retain(|key| key != HOME_CONNECTION);
        }
        Ok((of_connections, of_sources))
    }

    async fn put(&self, kind: &str, key: &str, definition: &str) -> Result<(), CatalogError> {
        let item = HashMap::from([
            ("pk".to_owned(), text(kind)),
            ("sk".to_owned(), text(key)),
            ("definition".to_owned(), text(definition)),
        ]);
        self.write(item).await
    }

    async fn write(&self, item: HashMap<String, AttributeValue>) -> Result<(), CatalogError> {
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .send()
            .await
            .map(|_| ())
            .map_err(|e| self.failed("be written", said(&e)))
    }

    async fn delete(&self, kind: &str, key: &str) -> Result<(), CatalogError> {
        self.client
            .delete_item()
            .table_name(&self.table)
            .key("pk", text(kind))
            .key("sk", text(key))
            .send()
            .await
            .map(|_| ())
            .map_err(|e| self.failed("be written", said(&e)))
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn changes(stored: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>) -> Changes {
    let mut changes = Changes::default();
    for (key, definition) in wanted {
        match stored.get(key) {
            None => changes.added.push(key.clone()),
            Some(stored) if stored != definition => changes.changed.push(key.clone()),
            Some(_) => {}
        }
    }
    changes.removed = stored.keys().filter(|key| !wanted.contains_key(*key)).cloned().collect();
    changes
}

#[async_trait]
impl CatalogStore for DynamoCatalog {
    async fn current(&self) -> Result<Arc<Catalog>, CatalogError> {
        let mut cached = self.cached.lock().await;
        if let Some(known) = cached.as_ref()
            && known.asked.elapsed() < FRESH
        {
            return Ok(Arc::clone(&known.catalog));
        }
        let asked = Instant::now();
        let read = self.newer_than(cached.as_ref()).await;
        match (read, cached.as_mut()) {
            (Ok(Some(newer)), _) => {
                let catalog = Arc::clone(&newer.catalog);
                *cached = Some(newer);
                Ok(catalog)
            }
            (Ok(None), Some(known)) => {
                known.asked = asked;
                Ok(Arc::clone(&known.catalog))
            }
            // What was in force a moment ago is better than nothing: no file waits for this.
            (Err(error), Some(known)) => {
                tracing::error!(%error, "the catalog is used as it was");
                known.asked = asked;
                Ok(Arc::clone(&known.catalog))
            }
            (Err(error), None) => Err(error),
            (Ok(None), None) => Err(self.failed("be read", "it is neither there nor known")),
        }
    }
}
