//! `inlet preview`: what a file was found to be and why, its first records and its first rejects.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use aws_config::BehaviorVersion;
use bytes::{Buf, Bytes};
use inlet::catalog::{Connection, RecordSettings, Source};
use inlet::format::{self, Detected, FormatError, Hints, Limits};
use inlet::object::s3::S3Objects;
use inlet::object::{Body, Objects, Pin};
use inlet::record::plain::{self, PlainError};
use inlet::record::{Counters, Mappings, Reject, RejectContext};
use serde::Serialize;
use serde_json::Value;
use tokio::runtime::Handle;

use crate::{Ending, home, read};

/// What a preview shows.
#[derive(Serialize)]
struct Preview {
    file: String,
    detected: Detected,
    /// Columns that were taken under another spelling, members that were passed over.
    notes: Vec<String>,
    /// As they are written: a tree of values would round numbers and sort fields.
    #[serde(skip)]
    records: Vec<String>,
    #[serde(skip)]
    rejects: Vec<String>,
    /// What was counted, if the file ended before there was enough to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    counters: Option<Counters>,
    /// Why reading ended early, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<inlet::failure::Failure>,
}

pub(crate) async fn run(
    file: &str,
    source: Option<&Path>,
    most: usize,
    json: bool,
) -> Result<(), Ending> {
    let source = source.map(read::definition).transpose()?;
    let input: Box<dyn Read + Send> = if file.starts_with("s3://") {
        Box::new(remote(file).await?)
    } else {
        read::open(Path::new(file))?
    };
    let name = file.to_owned();
    // Reading blocks, and the bytes of a remote object come from the runtime.
    let looked = tokio::task::spawn_blocking(move || look(name, input, source.as_ref(), most));
    let preview = looked.await??;
    if json {
        say!("{}", as_json(&preview)?);
    } else {
        show(&preview, most)?;
    }
    match &preview.failure {
        Some(_) => Err(Ending::Failed(None)),
        None => Ok(()),
    }
}

fn look(
    file: String,
    input: Box<dyn Read + Send>,
    source: Option<&Source>,
    most: usize,
) -> Result<Preview, Ending> {
    let settings = source.map(|source| source.format.clone()).unwrap_or_default();
    let limits = source.map(|source| Limits::of(&source.limits)).unwrap_or_default();
    let failed = |failure| Ending::Failed(Some(format!("{file}: {}", read::by_hand(failure))));
    let fields = source.map_or(&[][..], |source| &source.fields);
    let hints = Hints { fields, ..Hints::named(&file) };
    let mut input = BufReader::new(input);
    let empty = input.fill_buf().map_err(|e| failed(FormatError::Read(e).failure()))?.is_empty();
    let (mut rows, mut detected) =
        format::open(input, hints, &settings, limits).map_err(|error| failed(error.failure()))?;
    if empty {
        // Of nothing there is nothing else to say.
        detected.evidence = vec!["the file is empty".to_owned()];
    }
    let mappings = match source {
        Some(source) => Mappings::of(source, &rows, &detected),
        None => Mappings::new(&[], &RecordSettings::default(), &rows, &detected),
    };
    let mut mappings = mappings.map_err(|error| failed(error.failure()))?;
    let object = serde_json::json!({ "file": file }).to_string();
    let context = RejectContext { object_json: &object, table: "", parts: None };
    let mut rejects = Vec::new();
    let mut rejected = |reject: &Reject<'_>| {
        if rejects.len() < most {
            let mut line = Vec::new();
            reject.write_line(&context, &mut line);
            rejects.push(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
    };
    let mut first = First { lines: Vec::new(), most };
    let read = plain::ndjson(&mut rows, &mut mappings, &mut first, &mut rejected);
    let (counters, failure) = match read {
        Ok(counters) => (Some(counters), None),
        // Enough was seen.
        Err(PlainError::Write(_)) => (None, None),
        Err(error) => (None, Some(read::by_hand(error.failure()))),
    };
    let mut notes = mappings.notes().to_vec();
    notes.extend(rows.remarks());
    if let (Some(source), Some(counters)) = (source, &counters) {
        notes.extend(read::consequence(&source.rejects, counters));
    }
    let lines = first.lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let text = |line: &[u8]| String::from_utf8_lossy(line).into_owned();
    let records = lines.take(most).map(text).collect();
    Ok(Preview { file, detected, notes, records, rejects, counters, failure })
}

/// Prints it. Whoever asked for no records is not told that there are none.
fn show(preview: &Preview, most: usize) -> Result<(), Ending> {
    let Preview { file, detected, .. } = preview;
    say!("{file}");
    for evidence in &detected.evidence {
        say!("  {evidence}");
    }
    if !detected.columns.is_empty() {
        say!("  columns: {}", detected.columns.join(", "));
    }
    for note in &preview.notes {
        say!("  note: {note}");
    }
    if most > 0 {
        say!("first records:");
        for record in &preview.records {
            say!("  {record}");
        }
        if preview.records.is_empty() {
            say!("  none");
        }
    }
    if !preview.rejects.is_empty() {
        say!("first rejects:");
    }
    for reject in &preview.rejects {
        let reject: Value = serde_json::from_str(reject)?;
        let place = reject["line"].as_u64().map(|line| format!("line {line}"));
        let place = place.unwrap_or_else(|| format!("row {}", reject["row"]));
        let word = |key: &str| reject[key].as_str().unwrap_or_default().to_owned();
        let (code, message) = (word("code"), word("message"));
        let raw = match reject["raw_base64"].as_str() {
            Some(bytes) => format!("base64 {bytes}"),
            None => word("raw"),
        };
        say!("  {place}: {message} ({code}): {raw}");
    }
    if let Some(counters) = &preview.counters {
        let (rows, records, rejects) = (counters.rows, counters.records, counters.rejects);
        say!("the whole file: {rows} rows = {records} records + {rejects} rejects");
    }
    if let Some(failure) = &preview.failure {
        eprintln!("inlet: {file}: {failure}");
    }
    Ok(())
}

/// The preview as one JSON object, in which records and rejects stand as they are.
fn as_json(preview: &Preview) -> Result<String, Ending> {
    let mut text = serde_json::to_string_pretty(preview)?;
    text.truncate(text.strip_suffix("\n}").map_or(text.len(), str::len));
    for (name, lines) in [("records", &preview.records), ("rejects", &preview.rejects)] {
        let lines: Vec<String> = lines.iter().map(|line| format!("\n    {line}")).collect();
        let end = if lines.is_empty() { "" } else { "\n  " };
        text.push_str(&format!(",\n  \"{name}\": [{}{end}]", lines.join(",")));
    }
    text.push_str("\n}");
    Ok(text)
}

/// Takes lines until there are enough.
struct First {
    lines: Vec<u8>,
    most: usize,
}

impl Write for First {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lines.extend_from_slice(bytes);
        match self.lines.iter().filter(|byte| **byte == b'\n').count() > self.most {
            true => Err(io::ErrorKind::BrokenPipe.into()),
            false => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An object's bytes, for a thread that may block.
struct Remote {
    body: Box<dyn Body>,
    chunk: Bytes,
    runtime: Handle,
}

async fn remote(place: &str) -> Result<Remote, Ending> {
    let object = home::object(place)?;
    let objects = S3Objects::new(aws_config::load_defaults(BehaviorVersion::latest()).await);
    // The caller's own credentials, as everywhere on the command line.
    let opened = objects.open(&Connection::home(), &object, &Pin::Current).await?;
    Ok(Remote { body: opened.body, chunk: Bytes::new(), runtime: Handle::current() })
}

impl Read for Remote {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.runtime.block_on(self.body.next()).map_err(io::Error::other)? {
                Some(chunk) => self.chunk = chunk,
                None => return Ok(0),
            }
        }
        let n = self.chunk.len().min(into.len());
        self.chunk.copy_to_slice(&mut into[..n]);
        Ok(n)
    }
}
