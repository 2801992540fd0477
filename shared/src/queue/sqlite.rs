//! The notice queue of one machine: a table in SQLite, with visibility, redelivery and dead letters
//! as SQS has them.

use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{OptionalExtension, params};

use super::{Message, Queue, QueueError};
use crate::clock::Clock;
use crate::local::{Database, DatabaseError};
use crate::notice::{DeadLetter, Order};

/// A queue in a [`Database`].
#[derive(Clone)]
pub struct SqliteQueue {
    database: Database,
    clock: std::sync::Arc<dyn Clock>,
}

impl SqliteQueue {
    /// The queue in `database`.
    pub fn new(database: Database, clock: std::sync::Arc<dyn Clock>) -> Self {
        Self { database, clock }
    }

    fn failed(action: &'static str) -> impl FnOnce(DatabaseError) -> QueueError {
        move |error| QueueError {
            queue: error.path.display().to_string(),
            action,
            cause: error.cause,
        }
    }

    fn at(&self, delay: Duration) -> i64 {
        let delay = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
        self.clock.now().as_millisecond().saturating_add(delay)
    }

    /// Receives the message that has been visible longest, and hides it for `visibility`.
    ///
    /// # Errors
    /// If the database cannot be used.
    pub async fn receive(&self, visibility: Duration) -> Result<Option<Message>, QueueError> {
        let (now, until) = (self.at(Duration::ZERO), self.at(visibility));
        let receipt = uuid::Uuid::new_v4().to_string();
        self.database
            .with(move |db| {
                db.prepare_cached(
                    "update queue set visible_at = ?, receives = receives + 1, receipt = ?
                     where id = (select id from queue where visible_at <= ?
                                 order by visible_at, id limit 1)
                     returning id, body, receives, receipt",
                )?
                .query_row(params![until, receipt, now], |row| {
                    Ok(Message {
                        id: row.get::<_, i64>(0)?.to_string(),
                        body: row.get(1)?,
                        receives: row.get(2)?,
                        receipt: row.get(3)?,
                    })
                })
                .optional()
            })
            .await
            .map_err(Self::failed("give a message"))
    }

    /// Messages that are not acknowledged, visible or not.
    ///
    /// # Errors
    /// If the database cannot be used.
    pub async fn waiting(&self) -> Result<u64, QueueError> {
        self.database
            .with(|db| db.query_row("select count(*) from queue", [], |row| row.get(0)))
            .await
            .map_err(Self::failed("count its messages"))
    }

    /// Makes every message visible now: what an earlier process had received and not ended is
    /// nobody's any more.
    ///
    /// # Errors
    /// If the database cannot be used.
    pub async fn release_all(&self) -> Result<(), QueueError> {
        let now = self.at(Duration::ZERO);
        self.database
            .with(move |db| {
                db.execute("update queue set visible_at = min(visible_at, ?)", params![now])
            })
            .await
            .map(|_| ())
            .map_err(Self::failed("release its messages"))
    }

    /// All dead letters, oldest first.
    ///
    /// # Errors
    /// If the database cannot be used.
    pub async fn dead_letters(&self) -> Result<Vec<String>, QueueError> {
        self.database
            .with(|db| {
                db.prepare_cached("select body from dead_letters order by id")?
                    .query_map([], |row| row.get(0))?
                    .collect()
            })
            .await
            .map_err(Self::failed("give its dead letters"))
    }
}

#[async_trait]
impl Queue for SqliteQueue {
    async fn order(&self, orders: &[Order], delay: Duration) -> Result<(), QueueError> {
        let at = self.at(delay);
        let bodies: Vec<String> = orders.iter().map(Order::to_body).collect();
        self.database
            .with(move |db| {
                let change = db.transaction()?;
                for body in bodies {
                    change
                        .prepare_cached("insert into queue (body, visible_at) values (?, ?)")?
                        .execute(params![body, at])?;
                }
                change.commit()
            })
            .await
            .map_err(Self::failed("take orders"))
    }

    async fn bury(&self, letter: &DeadLetter) -> Result<(), QueueError> {
        let body = letter.to_body();
        self.database
            .with(move |db| db.execute("insert into dead_letters (body) values (?)", params![body]))
            .await
            .map(|_| ())
            .map_err(Self::failed("take a dead letter"))
    }

    async fn extend(&self, messages: &[Message], visibility: Duration) -> Result<(), QueueError> {
        let until = self.at(visibility);
        let receipts: Vec<String> = messages.iter().map(|m| m.receipt.clone()).collect();
        self.database
            .with(move |db| {
                let change = db.transaction()?;
                for receipt in receipts {
                    change
                        .prepare_cached("update queue set visible_at = ? where receipt = ?")?
                        .execute(params![until, receipt])?;
                }
                change.commit()
            })
            .await
            .map_err(Self::failed("extend the visibility of messages"))
    }

    async fn acknowledge(&self, message: &Message) -> Result<(), QueueError> {
        let (id, receipt) = (message.id.clone(), message.receipt.clone());
        self.database
            .with(move |db| {
                db.prepare_cached("delete from queue where id = ? and receipt = ?")?
                    .execute(params![id, receipt])
            })
            .await
            .map(|_| ())
            .map_err(Self::failed("acknowledge a message"))
    }
}
