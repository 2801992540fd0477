//! A home on one machine, as the operator's commands see it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A home with one source over one bucket.
pub(crate) struct Home(tempfile::TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        let home = Self(tempfile::tempdir().expect("a directory"));
        for part in ["connections", "sources", "buckets/drop"] {
            fs::create_dir_all(home.path(part)).expect("a directory");
        }
        home.write("connections/c.toml", b"key = \"c\"\nname = \"C\"\n");
        home.source("");
        home
    }

    /// Defines the source, with `more` at its end.
    pub(crate) fn source(&self, more: &str) {
        let source = "key = \"s\"\nconnection = \"c\"\nbucket = \"drop\"\npath = \"in/**\"\n";
        self.write("sources/s.toml", format!("{source}table = \"t\"\n{more}").as_bytes());
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a directory above")).expect("a directory");
        fs::write(path, bytes).expect("a file");
    }

    /// Puts a file into the bucket.
    pub(crate) fn put(&self, key: &str, bytes: &[u8]) {
        self.write(&format!("buckets/drop/{key}"), bytes);
    }

    fn directory(&self) -> &Path {
        self.0.path()
    }

    /// Runs `inlet` with these arguments over this home.
    pub(crate) fn inlet(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_inlet"));
        command.args(arguments).arg("--dir").arg(self.directory());
        Ran::of(command.output().expect("inlet runs"))
    }

    /// Runs `inlet dev --once` over this home.
    pub(crate) fn once(&self) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_inlet"));
        command.arg("dev").arg(self.directory()).arg("--once");
        Ran::of(command.output().expect("inlet runs"))
    }

    /// The events of the table.
    pub(crate) fn events(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path("out/s/t.ndjson")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("a line is an event")).collect()
    }

    /// How many events of this type there are about the object.
    pub(crate) fn count(&self, kind: &str, key: &str) -> usize {
        let about = |event: &&Value| event["type"] == kind && event["data"]["object"]["key"] == key;
        self.events().iter().filter(about).count()
    }
}

/// What a run of `inlet` said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
        let (out, err) = (text(output.stdout), text(output.stderr));
        Self { code: output.status.code(), out, err }
    }

    /// What it said, if it ended so.
    pub(crate) fn ended(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{} {}", self.out, self.err);
        self.out
    }
}
