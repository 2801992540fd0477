//! Files that are made to exhaust a machine: each ends with a clear error, within 256 MB of memory and
//! a minute.
//!
//! Each file is read by a process of its own, down to records as `inlet read` does it, and that process
//! says at its end how much memory it took at most. The table of results is printed:
//!
//! ```text
//! cargo test --release -p inlet --test bombs -- --nocapture
//! ```

mod files;

use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use inlet::catalog::{Format, RecordSettings};
use inlet::format::{self, Hints, Limits};
use inlet::record::Mappings;
use inlet::record::plain::{self, PlainError};

/// What the promise says, in KiB, as `/proc` counts.
const MEMORY: u64 = 256_000_000 / 1024;
/// On a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// A debug build expands so slowly that it is given smaller files and smaller limits.
const LESS: usize = if cfg!(debug_assertions) { 16 } else { 1 };
/// Names the file to a process that reads one.
const FILE: &str = "INLET_BOMB";
/// Before the one line that such a process says.
const SAID: &str = "bomb: ";

/// What the bytes of a bomb are.
enum Bytes {
    File(Vec<u8>),
    /// So many, which are not written anywhere.
    Stream(u64),
}

struct Bomb {
    name: &'static str,
    bytes: Bytes,
    /// The code of the error, or of the reject of the one row.
    ends: &'static str,
}

#[test]
fn every_bomb_ends_with_a_clear_error_in_bounded_memory_and_time() {
    let folder = tempfile::tempdir().expect("a directory");
    let mut table = format!("{:34} {:>9} {:>8} {:>7}  ends with\n", "", "stored", "peak", "time");
    let mut wrong = Vec::new();
    for bomb in files::all() {
        let path = folder.path().join(bomb.name);
        let stored = match &bomb.bytes {
            Bytes::File(bytes) => {
                std::fs::write(&path, bytes).expect("a file");
                bytes.len() as u64
            }
            Bytes::Stream(length) => *length,
        };
        let begun = Instant::now();
        let output = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "one_bomb", "--nocapture"])
            .env(FILE, &path)
            .output()
            .expect("this test runs");
        let took = begun.elapsed();
        let said = String::from_utf8_lossy(&output.stdout);
        let said = said.lines().find_map(|line| line.split_once(SAID)).map(|(_, said)| said);
        let (peak, code, error) = match said.map(|said| said.splitn(3, ' ').collect::<Vec<_>>()) {
            Some(said) if said.len() == 3 => (said[0].parse().ok(), said[1], said[2]),
            _ => (None, "none", "the process ended without a word"),
        };
        // Elsewhere than on Linux nobody says it.
        let shown =
            peak.map_or("?".to_owned(), |peak: u64| format!("{} MB", peak * 1024 / 1_000_000));
        let (name, seconds) = (bomb.name, took.as_secs_f64());
        writeln!(
            table,
            "{name:34} {:>6} kB {shown:>8} {seconds:>6.1}s  {code}: {error}",
            stored / 1000
        )
        .expect("memory");
        if code != bomb.ends || took > PATIENCE || peak.is_some_and(|peak| peak > MEMORY) {
            wrong.push(format!("{name}: {code} ({} wanted), {shown}, {seconds:.1} s", bomb.ends));
        }
    }
    println!("{table}");
    assert!(wrong.is_empty(), "{}\n{table}", wrong.join("\n"));
}

/// Reads the file that the environment names, if it does, and says how that ended.
#[test]
fn one_bomb() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let path = Path::new(&path);
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    let ended = match std::fs::File::open(path) {
        Ok(file) => read(file, &name),
        Err(_) => read(files::stream(&name), &name),
    };
    let (code, said) = match ended {
        Ok(None) => ("none", "all rows were read".to_owned()),
        Ok(Some((code, said))) => (code, said),
        Err(PlainError::Format(error)) => (error.code(), error.to_string()),
        Err(other) => ("none", other.failure().to_string()),
    };
    println!("\n{SAID}{} {code} {said}", peak().unwrap_or_default());
}

/// The code of a reject, and what it says.
type Refused = (&'static str, String);

/// As `inlet read` does it, to the first reject if there is one.
fn read(input: impl Read + Send + 'static, name: &str) -> Result<Option<Refused>, PlainError> {
    let most = Limits::default();
    let less = LESS as u64;
    let limits = Limits {
        ratio_from: most.ratio_from / less,
        max_workbook_bytes: most.max_workbook_bytes / less,
        max_text_bytes: most.max_text_bytes / less,
        max_pdf_stream_bytes: most.max_pdf_stream_bytes / less,
        ..most
    };
    let (mut rows, detected) = format::open(input, Hints::named(name), &Format::default(), limits)?;
    let settings = RecordSettings::default();
    let mut mappings = Mappings::new(&[], &settings, &rows, &detected)?;
    let mut refused = None;
    plain::ndjson(&mut rows, &mut mappings, &mut io::sink(), &mut |reject| {
        refused.get_or_insert_with(|| (reject.code.as_str(), reject.message.clone().into_owned()));
    })?;
    Ok(refused)
}

/// The most memory that this process took so far, in KiB.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}
