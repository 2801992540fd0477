//! The tools that come from Python, each in exactly one version, installed under `target/`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::{Failure, tail, target};

const REQUIREMENTS: &str = include_str!("../requirements.txt");
const OLDEST_PYTHON: (u32, u32) = (3, 11);

/// A Python environment with everything that `tests/requirements.txt` names.
#[derive(Debug)]
pub struct Venv {
    bin: PathBuf,
}

impl Venv {
    /// Finds the environment, or makes it: that downloads about 250 MB, once for each
    /// `requirements.txt` and Python.
    ///
    /// # Errors
    /// When there is no fitting Python or the tools cannot be installed; the error says what to do.
    pub fn prepare() -> Result<Self, Failure> {
        let python = python_version()?;
        let directory = target().join(format!("test-venv-{:016x}", fingerprint(&python)));
        fs::create_dir_all(target())?;
        // Held until the end, so that two test runs do not install into each other.
        let lock = File::create(directory.with_extension("lock"))?;
        lock.lock()?;

        // Written last: without it, an earlier attempt was cut short.
        let complete = directory.join("complete");
        if !complete.exists() {
            if directory.exists() {
                fs::remove_dir_all(&directory)?;
            }
            install(&directory)?;
            File::create(complete)?;
        }
        Ok(Self { bin: directory.join("bin") })
    }

    /// One of the environment's programs.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// The search path with the environment's programs first.
    pub(crate) fn search_path(&self) -> OsString {
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::iter::once(self.bin.clone()).chain(std::env::split_paths(&inherited));
        std::env::join_paths(paths).expect("paths from PATH hold no separator")
    }
}

fn python_version() -> Result<String, Failure> {
    let (major, minor) = OLDEST_PYTHON;
    let wanted = format!("install Python {major}.{minor} or newer, with its venv module");
    let output = Command::new("python3")
        .args(["-c", "import sys; print(*sys.version_info[:3], sys.executable)"])
        .output()
        .map_err(|error| format!("could not run python3 ({error}): {wanted}"))?;
    let version = text(&output.stdout);
    let mut numbers = version.split(' ').map_while(|number| number.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) if (major, minor) >= OLDEST_PYTHON => Ok(version),
        _ => Err(format!("python3 is too old ({}): {wanted}", version.trim_end()).into()),
    }
}

fn fingerprint(python: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (REQUIREMENTS, python).hash(&mut hasher);
    hasher.finish()
}

fn install(directory: &Path) -> Result<(), Failure> {
    eprintln!("preparing {} (once)", directory.display());
    run(
        Command::new("python3").args(["-m", "venv"]).arg(directory),
        "could not make a Python environment; on Debian and Ubuntu, install python3-venv",
    )?;
    let requirements = directory.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS)?;
    run(
        Command::new(directory.join("bin/python"))
            .args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"])
            .arg("--requirement")
            .arg(requirements),
        "could not install tests/requirements.txt; pip must reach a package index, or find the \
         packages where PIP_FIND_LINKS points",
    )
}

fn run(command: &mut Command, advice: &str) -> Result<(), Failure> {
    let Output { status, stdout, stderr } = command.output()?;
    if status.success() {
        return Ok(());
    }
    let said = text(&stdout) + &text(&stderr);
    Err(format!("{advice}\n{command:?} ended with {status}:\n{}", tail(&said)).into())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
