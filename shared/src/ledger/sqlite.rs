//! The ledger of one machine: a table in SQLite.

use std::collections::VecDeque;

use async_trait::async_trait;
use rusqlite::{OptionalExtension, params};

use super::{
    Entry, EntryKey, Ledger, LedgerError, PutError, Range, Scan, Shapes, Start, Stored, Version,
};
use crate::format::Shape;
use crate::local::{Database, DatabaseError};

/// Entries that a scan holds at a time.
const PAGE: usize = 500;

/// A ledger in a [`Database`].
#[derive(Clone)]
pub struct SqliteLedger {
    pub(crate) database: Database,
}

impl SqliteLedger {
    /// The ledger in `database`.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    pub(crate) fn failed(&self, action: String, cause: impl ToString) -> LedgerError {
        LedgerError {
            place: self.database.path().display().to_string(),
            action,
            cause: cause.to_string(),
        }
    }
}

#[async_trait]
impl Ledger for SqliteLedger {
    async fn get(&self, key: &EntryKey) -> Result<Option<Stored>, LedgerError> {
        let k = key.clone();
        let row = self
            .database
            .with(move |db| {
                db.prepare_cached(
                    "select version, entry from ledger where source = ? and bucket = ? and key = ?",
                )?
                .query_row(params![k.source, k.object.bucket, k.object.key], |row| {
                    Ok((row.get::<_, u64>(0)?, row.get::<_, String>(1)?))
                })
                .optional()
            })
            .await
            .map_err(|e: DatabaseError| self.failed(format!("read {key}"), e.cause))?;
        let Some((version, text)) = row else { return Ok(None) };
        let entry = serde_json::from_str(&text)
            .map_err(|e| self.failed(format!("understand the entry of {key}"), e))?;
        Ok(Some(Stored { entry, version: Version(version) }))
    }

    async fn put_if(
        &self,
        key: &EntryKey,
        expected: Version,
        entry: &Entry,
    ) -> Result<Version, PutError> {
        let text = serde_json::to_string(entry)
            .map_err(|e| self.failed(format!("encode the entry of {key}"), e))?;
        let (k, state) = (key.clone(), entry.state.name());
        let changed = self
            .database
            .with(move |db| {
                let at = (k.source, k.object.bucket, k.object.key);
                if expected == Version::NONE {
                    db.prepare_cached(
                        "insert into ledger (source, bucket, key, version, state, entry)
                         values (?, ?, ?, ?, ?, ?) on conflict do nothing",
                    )?
                    .execute(params![
                        at.0,
                        at.1,
                        at.2,
                        expected.next().0,
                        state,
                        text
                    ])
                } else {
                    db.prepare_cached(
                        "update ledger set version = ?, state = ?, entry = ?
                         where source = ? and bucket = ? and key = ? and version = ?",
                    )?
                    .execute(params![
                        expected.next().0,
                        state,
                        text,
                        at.0,
                        at.1,
                        at.2,
                        expected.0
                    ])
                }
            })
            .await
            .map_err(|e: DatabaseError| self.failed(format!("write {key}"), e.cause))?;
        if changed == 1 { Ok(expected.next()) } else { Err(PutError::Conflict) }
    }

    async fn scan(
        &self,
        source: &str,
        bucket: &str,
        range: Range<'_>,
    ) -> Result<Box<dyn Scan>, LedgerError> {
        let (with, start) = match range.start() {
            Start::At(key) => (true, key),
            Start::After(key) => (false, key),
        };
        Ok(Box::new(SqliteScan {
            ledger: self.clone(),
            source: source.to_owned(),
            bucket: bucket.to_owned(),
            prefix: range.prefix.to_owned(),
            start: start.to_owned(),
            with,
            page: VecDeque::new(),
            ended: false,
        }))
    }
}

#[async_trait]
impl Shapes for SqliteLedger {
    async fn last(&self, source: &str, series: &str) -> Result<Option<Shape>, LedgerError> {
        let of = (source.to_owned(), series.to_owned());
        let text = self
            .database
            .with(move |db| {
                let select = "select shape from shapes where source = ? and series = ?";
                db.prepare_cached(select)?
                    .query_row(params![of.0, of.1], |row| row.get::<_, String>(0))
                    .optional()
            })
            .await
            .map_err(|e| self.failed(format!("read the shape of {source}/{series}"), e.cause))?;
        text.map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|e| self.failed(format!("understand the shape of {source}/{series}"), e))
    }

    async fn keep(&self, source: &str, series: &str, shape: &Shape) -> Result<(), LedgerError> {
        let text = serde_json::to_string(shape)
            .map_err(|e| self.failed(format!("encode the shape of {source}/{series}"), e))?;
        let of = (source.to_owned(), series.to_owned());
        self.database
            .with(move |db| {
                let insert = "insert into shapes (source, series, shape) values (?, ?, ?)
                              on conflict do update set shape = excluded.shape";
                db.prepare_cached(insert)?.execute(params![of.0, of.1, text])
            })
            .await
            .map_err(|e| self.failed(format!("write the shape of {source}/{series}"), e.cause))?;
        Ok(())
    }
}

struct SqliteScan {
    ledger: SqliteLedger,
    source: String,
    bucket: String,
    prefix: String,
    /// Where the next page begins.
    start: String,
    /// Whether the key there belongs to it.
    with: bool,
    page: VecDeque<(String, String)>,
    ended: bool,
}

#[async_trait]
impl Scan for SqliteScan {
    async fn next(&mut self) -> Result<Option<(String, Entry)>, LedgerError> {
        if self.page.is_empty() && !self.ended {
            let (source, bucket, start, with) =
                (self.source.clone(), self.bucket.clone(), self.start.clone(), self.with);
            self.page = self
                .ledger
                .database
                .with(move |db| {
                    db.prepare_cached(
                        "select key, entry from ledger
                         where source = ?1 and bucket = ?2 and key >= ?3 and (?4 or key > ?3)
                         order by key limit ?5",
                    )?
                    .query_map(params![source, bucket, start, with, PAGE], |row| {
                        Ok((row.get(0)?, row.get(1)?))
                    })?
                    .collect()
                })
                .await
                .map_err(|e: DatabaseError| {
                    self.ledger.failed(format!("scan source {}", self.source), e.cause)
                })?;
            self.ended = self.page.len() < PAGE;
        }
        let Some((key, text)) = self.page.pop_front() else { return Ok(None) };
        if !key.starts_with(&self.prefix) {
            self.page.clear();
            self.ended = true;
            return Ok(None);
        }
        let entry = serde_json::from_str(&text).map_err(|e| {
            self.ledger.failed(format!("understand the entry of {key} in {}", self.source), e)
        })?;
        self.start.clone_from(&key);
        self.with = false;
        Ok(Some((key, entry)))
    }
}
