//! The journal of one machine: a table beside the ledger's.

use async_trait::async_trait;
use rusqlite::{OptionalExtension, params};

use super::{Journal, Progress};
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{LedgerError, PutError, Version};

#[async_trait]
impl Journal for SqliteLedger {
    async fn read(&self, source: &str) -> Result<Option<(Progress, Version)>, LedgerError> {
        let of = source.to_owned();
        let row = self
            .database
            .with(move |db| {
                db.prepare_cached("select version, progress from refreshes where source = ?")?
                    .query_row(params![of], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
                    .optional()
            })
            .await
            .map_err(|e| self.failed(format!("read the refresh of {source}"), e.cause))?;
        let Some((version, text)) = row else { return Ok(None) };
        let progress = serde_json::from_str(&text)
            .map_err(|e| self.failed(format!("understand the refresh of {source}"), e))?;
        Ok(Some((progress, Version(version))))
    }

    async fn write_if(
        &self,
        source: &str,
        expected: Version,
        progress: &Progress,
    ) -> Result<Version, PutError> {
        let text = serde_json::to_string(progress)
            .map_err(|e| self.failed(format!("encode the refresh of {source}"), e))?;
        let (of, next) = (source.to_owned(), expected.next().0);
        let changed = self
            .database
            .with(move |db| {
                if expected == Version::NONE {
                    let insert =
                        "insert into refreshes (source, version, progress) values (?, ?, ?)
                                  on conflict do nothing";
                    db.prepare_cached(insert)?.execute(params![of, next, text])
                } else {
                    let update = "update refreshes set version = ?2, progress = ?3
                                  where source = ?1 and version = ?4";
                    db.prepare_cached(update)?.execute(params![of, next, text, expected.0])
                }
            })
            .await
            .map_err(|e| self.failed(format!("write the refresh of {source}"), e.cause))?;
        if changed == 1 { Ok(expected.next()) } else { Err(PutError::Conflict) }
    }
}
