//! The one file in which the home on one machine keeps its ledger, queue and catalog: SQLite, in
//! write-ahead mode, so that a crash at any moment leaves it whole.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

/// A database on this machine. Cheap to clone; all clones share one connection.
#[derive(Clone)]
pub struct Database {
    path: PathBuf,
    connection: Arc<Mutex<Connection>>,
}

/// The database could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {cause}", path = path.display())]
pub struct DatabaseError {
    /// Which file.
    pub path: PathBuf,
    /// What SQLite said.
    pub cause: String,
}

impl Database {
    /// Opens the file, and makes it and its tables if they are not there.
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        let fail = |cause: rusqlite::Error| DatabaseError {
            path: path.to_owned(),
            cause: cause.to_string(),
        };
        let connection = Connection::open(path).map_err(fail)?;
        connection.busy_timeout(Duration::from_secs(10)).map_err(fail)?;
        connection.execute_batch(SCHEMA).map_err(fail)?;
        for (table, column, definition) in ADDED {
            let known = "select count(*) from pragma_table_info(?) where name = ?";
            let known: u64 =
                connection.query_row(known, [table, column], |row| row.get(0)).map_err(fail)?;
            if known == 0 {
                let add = format!("alter table {table} add column {column} {definition}");
                connection.execute_batch(&add).map_err(fail)?;
            }
        }
        Ok(Self { path: path.to_owned(), connection: Arc::new(Mutex::new(connection)) })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` with the connection, on a thread that may block.
    pub(crate) async fn with<T, F>(&self, work: F) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let connection = Arc::clone(&self.connection);
        let outcome = tokio::task::spawn_blocking(move || {
            // A panic while it was held has rolled its transaction back: the connection is sound.
            work(&mut connection.lock().unwrap_or_else(PoisonError::into_inner))
        })
        .await;
        let fail = |cause: String| DatabaseError { path: self.path.clone(), cause };
        match outcome {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(fail(error.to_string())),
            Err(error) => Err(fail(error.to_string())),
        }
    }
}

/// Text columns compare as bytes (SQLite's BINARY collation over UTF-8), which is the order in which
/// S3 lists keys.
const SCHEMA: &str = "
pragma journal_mode = wal;
pragma synchronous = normal;
create table if not exists ledger (
    source  text not null,
    bucket  text not null,
    key     text not null,
    version integer not null,
    state   text not null,
    entry   text not null,
    primary key (source, bucket, key)
) without rowid;
create table if not exists refreshes (
    source   text primary key,
    version  integer not null,
    progress text not null
) without rowid;
create table if not exists shapes (
    source   text not null,
    series   text not null,
    shape    text not null,
    primary key (source, series)
) without rowid;
create table if not exists queue (
    id         integer primary key autoincrement,
    body       text not null,
    visible_at integer not null,
    receives   integer not null default 0,
    receipt    text
);
create index if not exists queue_by_time on queue (visible_at);
create table if not exists dead_letters (
    id   integer primary key autoincrement,
    body text not null
);
create table if not exists delivered (
    file  text not null,
    event text not null,
    primary key (file, event)
) without rowid;
create table if not exists written (
    file  text primary key,
    bytes integer not null
) without rowid;
create table if not exists tags (
    path  text primary key,
    stamp text not null,
    etag  text not null
) without rowid;
";

/// Columns that came later than their tables: table, column, definition.
const ADDED: [(&str, &str, &str); 3] = [
    ("dead_letters", "sent_at", "integer not null default 0"),
    ("dead_letters", "visible_at", "integer not null default 0"),
    ("dead_letters", "receipt", "text"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_an_older_inlet_gets_the_columns_that_it_lacks() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("inlet.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(
            "create table dead_letters (id integer primary key autoincrement, body text not null);
             insert into dead_letters (body) values ('x');",
        )
        .unwrap();
        drop(old);
        for _ in 0..2 {
            let database = Database::open(&path).unwrap();
            let connection = database.connection.lock().unwrap();
            let kept = "select count(*) from dead_letters where visible_at = 0 and sent_at = 0";
            let kept: u64 = connection.query_row(kept, [], |row| row.get(0)).unwrap();
            assert_eq!(kept, 1);
        }
    }
}
