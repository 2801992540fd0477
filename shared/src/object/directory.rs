//! Directories as buckets: `ROOT/<bucket>/<key>`.
//!
//! An object's tag is the SHA-256 of its content, so that touching a file, or checking it out anew,
//! changes nothing. It is kept beside the file's size, time and inode, and computed anew only when
//! one of them has changed.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::{
    Body, ETag, Listed, ObjectError, ObjectErrorKind, ObjectId, ObjectVersion, Objects, Opened, Pin,
};
use crate::catalog::Connection;
use crate::local::Database;

/// Bytes that a body gives at a time.
const CHUNK: usize = 256 * 1024;
/// Keys that a page of a listing holds.
const PAGE: usize = 1_000;

/// Objects under a directory.
#[derive(Clone)]
pub struct DirectoryObjects {
    root: PathBuf,
    database: Database,
}

impl DirectoryObjects {
    /// Buckets are the directories in `root`; computed tags are kept in `database`.
    pub fn new(root: impl Into<PathBuf>, database: Database) -> Self {
        Self { root: root.into(), database }
    }

    fn path(&self, object: &ObjectId) -> Result<PathBuf, ObjectError> {
        let relative = Path::new(&object.bucket).join(&object.key);
        // No key leads out of its bucket.
        if relative.components().all(|part| matches!(part, Component::Normal(_)))
            && !object.bucket.contains('/')
        {
            Ok(self.root.join(relative))
        } else {
            Err(ObjectError::new(object, ObjectErrorKind::Gone))
        }
    }

    /// The open file's tag and state, from the notes or computed.
    async fn tag(&self, path: &Path, file: Arc<File>) -> Result<(ETag, Stamp), io::Error> {
        let stamp = Stamp::of(&file.metadata()?)?;
        let (name, known) = (path.display().to_string(), stamp.text.clone());
        let (n, k) = (name.clone(), known.clone());
        let noted: Option<String> = self
            .database
            .with(move |db| {
                db.prepare_cached("select etag from tags where path = ? and stamp = ?")?
                    .query_row(params![n, k], |row| row.get(0))
                    .optional()
            })
            .await
            .map_err(io::Error::other)?;
        if let Some(etag) = noted {
            return Ok((ETag::new(&etag), stamp));
        }
        let hashed = Arc::clone(&file);
        let etag = tokio::task::spawn_blocking(move || digest(&hashed)).await??;
        if Stamp::of(&file.metadata()?)? != stamp {
            return Err(io::Error::new(ErrorKind::WouldBlock, "it is still being written"));
        }
        let noted = etag.clone();
        self.database
            .with(move |db| {
                db.prepare_cached(
                    "insert or replace into tags (path, stamp, etag) values (?, ?, ?)",
                )?
                .execute(params![name, known, noted])
            })
            .await
            .map_err(io::Error::other)?;
        Ok((ETag::new(&etag), stamp))
    }
}

/// What tells that a file has changed without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    text: String,
    size: u64,
    modified: Timestamp,
}

impl Stamp {
    fn of(metadata: &Metadata) -> io::Result<Self> {
        let modified = Timestamp::try_from(metadata.modified()?).map_err(io::Error::other)?;
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        let size = metadata.len();
        Ok(Self { text: format!("{size} {modified} {inode}"), size, modified })
    }
}

fn digest(mut file: &File) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; CHUNK];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => hash.update(&buffer[..n]),
        }
    }
    Ok(crate::hash::hex(&hash.finalize()))
}

#[async_trait]
impl Objects for DirectoryObjects {
    async fn open(
        &self,
        _connection: &Connection,
        object: &ObjectId,
        pin: &Pin,
    ) -> Result<Opened, ObjectError> {
        let path = self.path(object)?;
        let fail = |e: io::Error| fault(object, &e);
        // Looked at before it is opened: to open a pipe may never end.
        if !fs::metadata(&path).map_err(fail)?.is_file() {
            return Err(ObjectError::new(object, ObjectErrorKind::Gone));
        }
        let file = Arc::new(File::open(&path).map_err(fail)?);
        let (etag, stamp) = self.tag(&path, Arc::clone(&file)).await.map_err(fail)?;
        match pin {
            Pin::Match(wanted) if *wanted != etag => {
                return Err(ObjectError::new(object, ObjectErrorKind::Changed));
            }
            // Directories have no versions.
            Pin::Version(_) => return Err(ObjectError::new(object, ObjectErrorKind::Gone)),
            Pin::Match(_) | Pin::Current => {}
        }
        (&*file).seek(SeekFrom::Start(0)).map_err(fail)?;
        let version = ObjectVersion {
            etag,
            version_id: None,
            size: Some(stamp.size),
            last_modified: Some(stamp.modified),
        };
        let body = FileBody { object: object.clone(), file, stamp, at: 0 };
        Ok(Opened { version, body: Box::new(body) })
    }

    async fn list(
        &self,
        _connection: &Connection,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Vec<Listed>, ObjectError> {
        let place = ObjectId::new(bucket, prefix);
        let root = self.root.join(bucket);
        let (p, a) = (prefix.to_owned(), after.unwrap_or("").to_owned());
        let walked = tokio::task::spawn_blocking(move || {
            let mut keys = Vec::new();
            walk(&root, "", &p, &a, &mut keys).map(|()| keys)
        });
        let keys = match walked.await {
            Ok(Ok(keys)) => keys,
            Ok(Err(error)) => return Err(fault(&place, &error)),
            Err(error) => return Err(fault(&place, &io::Error::other(error))),
        };
        let mut page = Vec::with_capacity(keys.len());
        for key in keys {
            let object = ObjectId::new(bucket, &key);
            let path = self.path(&object)?;
            let tagged = match File::open(&path) {
                Ok(file) => self.tag(&path, Arc::new(file)).await,
                Err(error) => Err(error),
            };
            let (etag, stamp) = match tagged {
                Ok(tagged) => tagged,
                // Removed since; or being written, and then its own notice is still to come: a tag
                // that no entry has makes the caller look.
                Err(e) if e.kind() == ErrorKind::NotFound => continue,
                Err(e) => {
                    tracing::debug!(object = %object, cause = %e, "not tagged yet");
                    page.push(Listed {
                        key,
                        etag: ETag::new("unknown"),
                        size: 0,
                        last_modified: None,
                    });
                    continue;
                }
            };
            page.push(Listed { key, etag, size: stamp.size, last_modified: Some(stamp.modified) });
        }
        Ok(page)
    }
}

/// Gathers up to a page of keys after `after` that begin with `prefix`, in byte order of whole keys:
/// a directory sorts as its name with a slash behind it, so `a.csv` comes before `a/b.csv`.
fn walk(
    directory: &Path,
    base: &str,
    prefix: &str,
    after: &str,
    keys: &mut Vec<String>,
) -> io::Result<()> {
    let mut names = Vec::new();
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            tracing::warn!(path = %entry.path().display(), "left out: its name is not UTF-8");
            continue;
        };
        let kind = match fs::metadata(entry.path()) {
            Ok(metadata) => metadata.file_type(),
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            Err(e) if is_loop(&e) => continue,
            Err(e) => return Err(e),
        };
        if kind.is_file() {
            names.push(format!("{base}{name}"));
        } else if kind.is_dir() && !leads_back(&entry)? {
            names.push(format!("{base}{name}/"));
        }
        // What else there is (a pipe, a device) has no content of its own, and may block who opens it.
    }
    names.sort_unstable();
    for name in names {
        if keys.len() == PAGE {
            return Ok(());
        }
        if name.ends_with('/') {
            let passed = *name < *after && !after.starts_with(&name);
            let within = name.starts_with(prefix) || prefix.starts_with(&name);
            if !passed && within {
                let below = directory.join(&name[base.len()..]);
                walk(&below, &name, prefix, after, keys)?;
            }
        } else if *name > *after && name.starts_with(prefix) {
            keys.push(name);
        }
    }
    Ok(())
}

/// Whether an entry is a link to a directory that it is in: followed, it would never end.
fn leads_back(entry: &fs::DirEntry) -> io::Result<bool> {
    if !entry.file_type()?.is_symlink() {
        return Ok(false);
    }
    let path = entry.path();
    let (target, parent) = (path.canonicalize()?, path.parent().unwrap_or(&path).canonicalize()?);
    Ok(parent.starts_with(target))
}

/// A link to itself.
fn is_loop(error: &io::Error) -> bool {
    // `ErrorKind::FilesystemLoop` is not stable.
    #[cfg(unix)]
    const ELOOP: i32 = if cfg!(target_os = "linux") { 40 } else { 62 };
    #[cfg(not(unix))]
    const ELOOP: i32 = i32::MIN;
    error.raw_os_error() == Some(ELOOP)
}

struct FileBody {
    object: ObjectId,
    file: Arc<File>,
    stamp: Stamp,
    at: u64,
}

#[async_trait]
impl Body for FileBody {
    async fn next(&mut self) -> Result<Option<Bytes>, ObjectError> {
        let file = Arc::clone(&self.file);
        let read = tokio::task::spawn_blocking(move || {
            let mut buffer = BytesMut::zeroed(CHUNK);
            let n = (&*file).read(&mut buffer)?;
            buffer.truncate(n);
            io::Result::Ok(buffer.freeze())
        });
        let fail = |e: io::Error| fault(&self.object, &e);
        let bytes = read.await.map_err(|e| fail(io::Error::other(e)))?.map_err(fail)?;
        self.at += bytes.len() as u64;
        if !bytes.is_empty() {
            return Ok(Some(bytes));
        }
        // Written to in place while it was read: what was read is of no version.
        let now = Stamp::of(&self.file.metadata().map_err(fail)?).map_err(fail)?;
        if now != self.stamp || self.at != self.stamp.size {
            return Err(ObjectError::new(&self.object, ObjectErrorKind::Changed));
        }
        Ok(None)
    }

    async fn seek(&mut self, offset: u64) -> Result<(), ObjectError> {
        (&*self.file).seek(SeekFrom::Start(offset)).map_err(|e| fault(&self.object, &e))?;
        self.at = offset;
        Ok(())
    }
}

fn fault(object: &ObjectId, error: &io::Error) -> ObjectError {
    let kind = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => ObjectErrorKind::Gone,
        ErrorKind::PermissionDenied => ObjectErrorKind::Denied(error.to_string()),
        ErrorKind::InvalidFilename | ErrorKind::InvalidInput => {
            ObjectErrorKind::Invalid(error.to_string())
        }
        _ => ObjectErrorKind::Unavailable(error.to_string()),
    };
    ObjectError::new(object, kind)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_that_lead_back_and_pipes_are_no_objects() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("bucket/sub")).unwrap();
        fs::write(root.path().join("bucket/sub/a.csv"), "a").unwrap();
        symlink("..", root.path().join("bucket/sub/up")).unwrap();
        symlink("self", root.path().join("bucket/self")).unwrap();
        symlink("sub", root.path().join("bucket/other")).unwrap();
        let socket = root.path().join("bucket/socket.csv");
        let _socket = std::os::unix::net::UnixListener::bind(socket).unwrap();
        let mut keys = Vec::new();
        walk(&root.path().join("bucket"), "", "", "", &mut keys).unwrap();
        // A link to a directory beside it is followed, and that directory's own link back once.
        assert_eq!(keys, ["other/a.csv", "sub/a.csv"]);
    }
}
