//! Events as lines of files on this machine: `OUT/<source>/<table>.ndjson`, one event a line.
//!
//! Each event is in its file once, whatever crashes: which events were written, and how long the file
//! was then, is noted in the home's database after each line. A line that was written but not noted is
//! cut off before the next one; an event that was noted is not written again. A file that was made
//! shorter by somebody else (or removed) starts anew.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use rusqlite::{OptionalExtension, params};
use tokio::sync::Mutex;

use super::{Deliveries, Delivery, DeliveryError, Event};
use crate::catalog::Destination;
use crate::failure::Failure;
use crate::local::Database;

/// What a table's name may not carry into a file's name.
const UNSAFE: &AsciiSet = &CONTROLS
    .add(b'/')
    .add(b'\\')
    .add(b'%')
    .add(b':')
    .add(b'*')
    .add(b'?')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'|');

/// Bytes of a file's name without its ending: file systems take 255 in all.
const LONGEST: usize = 240;

/// Files under one directory.
#[derive(Clone)]
pub struct FileDelivery {
    directory: PathBuf,
    /// What the notes call the directory: the same from wherever Inlet is started, and wherever the
    /// home is moved, or a file would be taken for one that was never written, and cut.
    name: String,
    database: Database,
    /// One writer at a time: lines never mix.
    writing: Arc<Mutex<()>>,
}

impl FileDelivery {
    /// Delivers into the directory `name` of the home `root`; what was written is noted in `database`.
    pub fn new(root: &Path, name: impl Into<String>, database: Database) -> Self {
        let name = name.into();
        Self { directory: root.join(&name), name, database, writing: Arc::default() }
    }

    /// Delivers into another directory of the same home.
    fn beside(&self, root: &Path, name: &str) -> Self {
        Self { directory: root.join(name), name: name.to_owned(), ..self.clone() }
    }

    /// The file of one table.
    pub fn path(&self, source: &str, table: &str) -> PathBuf {
        self.directory.join(relative(source, table))
    }

    async fn append(&self, path: PathBuf, event: &Event) -> Result<(), String> {
        let name = format!("{}/{}", self.name, relative(&event.source, &event.table));
        let (file, id) = (name.clone(), event.id.clone());
        let noted = self.database.with(move |db| {
            let length: Option<u64> = db
                .prepare_cached("select bytes from written where file = ?")?
                .query_row(params![file], |row| row.get(0))
                .optional()?;
            let delivered = db
                .prepare_cached("select 1 from delivered where file = ? and event = ?")?
                .exists(params![file, id])?;
            Ok((length, delivered))
        });
        let (noted, delivered) = noted.await.map_err(|e| e.to_string())?;
        let noted = noted.unwrap_or(0);
        let present = match fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => 0,
            Err(e) => return Err(e.to_string()),
        };
        let anew = present < noted;
        if delivered && !anew {
            return Ok(());
        }
        let start = if anew { 0 } else { noted };
        let mut line = Vec::with_capacity(event.body.len() + 1);
        line.extend_from_slice(event.body.as_bytes());
        line.push(b'\n');
        let end = start + line.len() as u64;
        tokio::task::spawn_blocking(move || write(&path, start, &line))
            .await
            .map_err(|e| e.to_string())?
            .map_err(|e| e.to_string())?;
        let id = event.id.clone();
        self.database
            .with(move |db| {
                let change = db.transaction()?;
                if anew {
                    change.execute("delete from delivered where file = ?", params![name])?;
                }
                change
                    .prepare_cached("insert or replace into written (file, bytes) values (?, ?)")?
                    .execute(params![name, end])?;
                change
                    .prepare_cached("insert or ignore into delivered (file, event) values (?, ?)")?
                    .execute(params![name, id])?;
                change.commit()
            })
            .await
            .map_err(|e| e.to_string())
    }
}

/// The file of one table below the directory.
fn relative(source: &str, table: &str) -> String {
    // Letters beyond ASCII stay as they are: encoded, each would take three times its room.
    let mut name: String = table
        .split_inclusive(|c: char| !c.is_ascii())
        .flat_map(|part| {
            let ascii = part.trim_end_matches(|c: char| !c.is_ascii());
            [utf8_percent_encode(ascii, UNSAFE).to_string(), part[ascii.len()..].to_owned()]
        })
        .collect();
    if name.starts_with('.') {
        name.replace_range(..1, "%2E");
    }
    if name.len() > LONGEST {
        name.truncate(name.floor_char_boundary(LONGEST - 33));
        name = format!("{name}-{}", crate::hash::short(&[table]));
    }
    format!("{source}/{name}.ndjson")
}

fn write(path: &Path, start: u64, line: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    cut(&file, start)?;
    (&file).write_all(line)
}

fn cut(file: &File, length: u64) -> io::Result<()> {
    if file.metadata()?.len() > length { file.set_len(length) } else { Ok(()) }
}

#[async_trait]
impl Delivery for FileDelivery {
    async fn send(&self, event: &Event) -> Result<(), DeliveryError> {
        let path = self.path(&event.source, &event.table);
        let _writing = self.writing.lock().await;
        self.append(path.clone(), event).await.map_err(|cause| DeliveryError {
            destination: path.display().to_string(),
            event: event.id.clone(),
            cause,
            passing: true,
        })
    }

    fn concurrency(&self) -> usize {
        1
    }
}

/// The destinations of one machine.
pub struct LocalDeliveries {
    home: Arc<FileDelivery>,
    root: PathBuf,
}

impl LocalDeliveries {
    /// The home's own destination is `root/out`; directories that sources name are relative to `root`.
    pub fn new(root: impl Into<PathBuf>, database: Database) -> Self {
        let root = root.into();
        let home = Arc::new(FileDelivery::new(&root, "out", database));
        Self { home, root }
    }
}

impl Deliveries for LocalDeliveries {
    fn to(&self, destination: &Destination) -> Result<Arc<dyn Delivery>, Failure> {
        match destination {
            Destination::Home | Destination::File { directory: None } => {
                Ok(Arc::clone(&self.home) as Arc<dyn Delivery>)
            }
            // They share one lock: two workers may deliver into the same file.
            Destination::File { directory: Some(directory) } => {
                Ok(Arc::new(self.home.beside(&self.root, directory)))
            }
            // The same sources run in both homes: what goes to a queue there is a file here.
            Destination::Sqs { .. } => Ok(Arc::clone(&self.home) as Arc<dyn Delivery>),
        }
    }
}

impl std::fmt::Debug for LocalDeliveries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalDeliveries").field("root", &self.root).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::EventKind;

    fn event(id: &str) -> Event {
        Event {
            kind: EventKind::Records,
            id: id.into(),
            source: "deals".into(),
            table: "a/b".into(),
            body: format!("{{\"id\":\"{id}\"}}"),
        }
    }

    fn delivery(directory: &Path) -> FileDelivery {
        let database = Database::open(&directory.join("inlet.db")).unwrap();
        FileDelivery::new(directory, "out", database)
    }

    #[tokio::test]
    async fn an_event_sent_twice_is_written_once() {
        let directory = tempfile::tempdir().unwrap();
        let delivery = delivery(directory.path());
        for id in ["1", "2", "1"] {
            delivery.send(&event(id)).await.unwrap();
        }
        let text = fs::read_to_string(delivery.path("deals", "a/b")).unwrap();
        assert_eq!(text, "{\"id\":\"1\"}\n{\"id\":\"2\"}\n");
    }

    #[tokio::test]
    async fn a_line_cut_short_by_a_crash_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let delivery = delivery(directory.path());
        delivery.send(&event("1")).await.unwrap();
        let path = delivery.path("deals", "a/b");
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"id\":\"2").unwrap();
        delivery.send(&event("2")).await.unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"id\":\"1\"}\n{\"id\":\"2\"}\n");
    }

    #[tokio::test]
    async fn a_removed_file_starts_anew() {
        let directory = tempfile::tempdir().unwrap();
        let delivery = delivery(directory.path());
        delivery.send(&event("1")).await.unwrap();
        fs::remove_file(delivery.path("deals", "a/b")).unwrap();
        delivery.send(&event("1")).await.unwrap();
        let text = fs::read_to_string(delivery.path("deals", "a/b")).unwrap();
        assert_eq!(text, "{\"id\":\"1\"}\n");
    }

    #[tokio::test]
    async fn a_home_reached_by_another_path_keeps_what_was_delivered() {
        let directory = tempfile::tempdir().unwrap();
        delivery(directory.path()).send(&event("1")).await.unwrap();
        let other = directory.path().join(".").join("out").join("..");
        let delivery = delivery(&other);
        delivery.send(&event("1")).await.unwrap();
        delivery.send(&event("2")).await.unwrap();
        let text = fs::read_to_string(delivery.path("deals", "a/b")).unwrap();
        assert_eq!(text, "{\"id\":\"1\"}\n{\"id\":\"2\"}\n");
    }

    #[tokio::test]
    async fn a_long_table_name_is_delivered() {
        let directory = tempfile::tempdir().unwrap();
        let delivery = delivery(directory.path());
        assert!(delivery.path("deals", "日 %ü").ends_with("deals/日 %25ü.ndjson"));
        let tables = ["日".repeat(80), "%".repeat(250), "x".repeat(1_000), "x".repeat(1_001)];
        for table in &tables {
            delivery.send(&Event { table: table.clone(), ..event("1") }).await.unwrap();
        }
        assert_eq!(fs::read_dir(directory.path().join("out/deals")).unwrap().count(), 4);
    }

    #[tokio::test]
    async fn workers_that_share_a_named_directory_lose_no_line() {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::open(&directory.path().join("inlet.db")).unwrap();
        let deliveries = LocalDeliveries::new(directory.path(), database);
        let named = Destination::File { directory: Some("elsewhere".into()) };
        let sends = (0..50).map(|n| {
            let delivery = deliveries.to(&named).unwrap();
            async move { delivery.send(&event(&n.to_string())).await.unwrap() }
        });
        futures::future::join_all(sends).await;
        let path = directory.path().join("elsewhere/deals/a%2Fb.ndjson");
        assert_eq!(fs::read_to_string(path).unwrap().lines().count(), 50);
    }

    #[test]
    fn a_table_name_never_leads_out_of_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        let delivery = delivery(directory.path());
        let path = delivery.path("deals", "../../etc");
        assert_eq!(path.parent(), Some(directory.path().join("out/deals").as_path()));
    }
}
