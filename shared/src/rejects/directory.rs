//! Rejects as files under a directory.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use async_trait::async_trait;

use super::{RejectWriter, Rejects, RejectsError};

/// Files under a directory. A file is written beside its name and renamed when it is whole.
#[derive(Clone, Debug)]
pub struct DirectoryRejects {
    root: PathBuf,
}

impl DirectoryRejects {
    /// Rejects go to `root/rejects/…`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }
}

#[async_trait]
impl Rejects for DirectoryRejects {
    async fn begin(&self, name: &str) -> Result<Box<dyn RejectWriter>, RejectsError> {
        let path = self.root.join(name);
        let partial = path.with_extension(format!("{}.partial", uuid::Uuid::new_v4()));
        let made = path.parent().map_or(Ok(()), fs::create_dir_all);
        match made.and_then(|()| File::create(&partial)) {
            Ok(file) => Ok(Box::new(FileWriter { path, partial, file, whole: false })),
            Err(error) => Err(failed(path, &error)),
        }
    }
}

fn failed(path: PathBuf, error: &io::Error) -> RejectsError {
    RejectsError { place: path.display().to_string(), cause: error.to_string() }
}

struct FileWriter {
    path: PathBuf,
    partial: PathBuf,
    file: File,
    whole: bool,
}

#[async_trait]
impl RejectWriter for FileWriter {
    async fn write(&mut self, lines: Vec<u8>) -> Result<(), RejectsError> {
        self.file.write_all(&lines).map_err(|e| failed(self.path.clone(), &e))
    }

    async fn finish(mut self: Box<Self>) -> Result<String, RejectsError> {
        let fail = |e: io::Error| failed(self.path.clone(), &e);
        self.file.sync_all().map_err(fail)?;
        fs::rename(&self.partial, &self.path).map_err(fail)?;
        let place = self.path.display().to_string();
        self.whole = true;
        Ok(place)
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        if !self.whole
            && let Err(error) = fs::remove_file(&self.partial)
        {
            tracing::warn!(path = %self.partial.display(), %error, "a partial file of rejects stays");
        }
    }
}
