//! `inlet read`: the rows of a file on standard output, its rejects on standard error.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use inlet::catalog::{OnReject, RecordSettings, RejectPolicy, Source};
use inlet::failure::Failure;
use inlet::format::{self, Hints, Limits};
use inlet::record::plain::{self, PlainError};
use inlet::record::{Counters, Mappings, Reject, RejectContext};
use serde_json::json;

use crate::{Ending, To};

pub(crate) fn run(file: &Path, source: Option<&Path>, to: To) -> Result<(), Ending> {
    let source = source.map(definition).transpose()?;
    let settings = source.as_ref().map(|source| source.format.clone()).unwrap_or_default();
    let limits = source.as_ref().map(|source| Limits::of(&source.limits)).unwrap_or_default();
    let name = file.display().to_string();
    if name.starts_with("s3://") {
        let text = format!("{name}: read takes files; `inlet preview` takes objects, too");
        return Err(Ending::Usage(text));
    }
    let input = open(file)?;
    let failed = |failure: Failure| Ending::Failed(Some(format!("{name}: {}", by_hand(failure))));
    let fields = source.as_ref().map_or(&[][..], |source| &source.fields);
    let hints = Hints { fields, ..Hints::named(&name) };
    let (mut rows, detected) =
        format::open(input, hints, &settings, limits).map_err(|error| failed(error.failure()))?;
    for evidence in &detected.evidence {
        tracing::info!("{name}: {evidence}");
    }
    let mappings = match &source {
        Some(source) => Mappings::of(source, &rows, &detected),
        None => Mappings::new(&[], &RecordSettings::default(), &rows, &detected),
    };
    let mut mappings = mappings.map_err(|error| failed(error.failure()))?;
    let object = json!({ "file": name }).to_string();
    let context = RejectContext { object_json: &object, table: "", parts: None };
    let mut line = Vec::new();
    let mut unwritten = None;
    let mut rejected = |reject: &Reject<'_>| {
        line.clear();
        reject.write_line(&context, &mut line);
        if let Err(error) = io::stderr().lock().write_all(&line) {
            unwritten = Some(error);
        }
    };
    let mut out = io::stdout().lock();
    let written = match to {
        To::Ndjson => plain::ndjson(&mut rows, &mut mappings, &mut out, &mut rejected),
        To::Csv => plain::csv(&mut rows, &mut mappings, &mut out, &mut rejected),
    };
    for note in mappings.notes().iter().chain(&rows.remarks()) {
        eprintln!("inlet: {name}: {note}");
    }
    if let Some(error) = unwritten {
        return Err(Ending::Failed(Some(format!("the rejects could not be written: {error}"))));
    }
    match written.and_then(|counters| out.flush().map(|()| counters).map_err(PlainError::from)) {
        Ok(counters) if counters.rejects == 0 => Ok(()),
        Ok(counters) => {
            let (rejects, rows) = (counters.rejects, counters.rows);
            let mut text = format!("{name}: {rejects} of {rows} rows were rejected");
            if let Some(consequence) = source.and_then(|s| consequence(&s.rejects, &counters)) {
                text.push_str("; ");
                text.push_str(&consequence);
            }
            Err(Ending::Failed(Some(text)))
        }
        // The reader has what it wanted, as in `inlet read … | head`.
        Err(PlainError::Write(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(failed(error.failure())),
    }
}

/// A file, or standard input as `-`.
pub(crate) fn open(file: &Path) -> Result<Box<dyn Read + Send>, Ending> {
    let name = file.display();
    if file == Path::new("-") {
        Ok(Box::new(io::stdin()))
    } else if file.is_dir() {
        Err(Ending::Usage(format!("{name} is a directory: name a file")))
    } else {
        Ok(Box::new(File::open(file).map_err(|e| Ending::Usage(format!("{name}: {e}")))?))
    }
}

/// A failure as it is told on the command line, where nothing is tried again by itself.
pub(crate) fn by_hand(mut failure: Failure) -> Failure {
    if failure.code == "read_failed" {
        failure.remedy = "Check that all of it can be read, and run this again".to_owned();
    }
    failure
}

/// What the policy of a definition makes of the rejects of a file, if it is not just to keep them.
pub(crate) fn consequence(policy: &RejectPolicy, counters: &Counters) -> Option<String> {
    let count = counters.rejects;
    if count == 0 {
        return None;
    }
    let of_all = "by the definition the whole file fails";
    if policy.policy == OnReject::Fail {
        return Some(format!("{of_all}: rejects.policy = \"fail\""));
    }
    if let Some(most) = policy.max_count.filter(|most| count > *most) {
        return Some(format!("{of_all}: rejects.max_count = {most}"));
    }
    if let Some(most) = policy.max_ratio.filter(|most| count as f64 > most * counters.rows as f64) {
        return Some(format!("{of_all}: rejects.max_ratio = {most}"));
    }
    let skips = policy.policy == OnReject::Skip;
    skips.then(|| "by the definition they are left out: rejects.policy = \"skip\"".to_owned())
}

pub(crate) fn definition(path: &Path) -> Result<Source, Ending> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|e| Ending::Usage(format!("{name}: {e}")))?;
    Source::from_toml(&name, &text).map_err(|problems| Ending::Usage(problems.to_string()))
}

#[cfg(test)]
mod tests {
    use inlet::format::FormatError;

    use super::*;

    #[test]
    fn on_the_command_line_nothing_is_said_to_be_tried_again() {
        let failure = FormatError::Read(io::Error::other("the disk is gone")).failure();
        let told = by_hand(failure).to_string();
        assert!(told.contains("the disk is gone") && !told.contains("tried again"), "{told}");
    }
}
