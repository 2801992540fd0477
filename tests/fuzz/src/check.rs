//! What holds of every file, whatever its bytes.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Cursor, Read, Write};

use fastrand::Rng;
use inlet::catalog::{Encoding, Field, Format, FormatKind, RecordSettings, RejectPolicy};
use inlet::failure::Failure;
use inlet::format::{self, Compression, Detected, Form, Hints, Limits, Rows};
use inlet::record::{
    BatchLimits, Counters, Mappings, Mark, Output, Plan, RejectCode, RejectContext, convert, plain,
};
use serde::de::IgnoredAny;

use crate::json::{Line, Record};

/// Files above this size are not looked at in every way, but in one that their bytes choose.
const SMALL: usize = 2 << 10;
/// Bytes that are written for people before it is enough.
const WRITTEN: usize = 1 << 20;

/// How a file is read.
#[derive(Clone)]
pub struct Way {
    /// Its name.
    pub name: String,
    /// What is stated of it.
    pub format: Format,
    /// The columns that are known.
    pub fields: Vec<Field>,
    /// How cells become values.
    pub records: RecordSettings,
    /// What becomes of rows that are refused.
    pub rejects: RejectPolicy,
    /// What it may ask of the machine.
    pub limits: Limits,
    /// When a batch is full.
    pub batches: BatchLimits,
}

impl Way {
    /// A file of which nothing is known but its name. All limits of memory are those by default.
    pub fn of(name: &str) -> Self {
        let limits = Limits {
            max_expanded_bytes: Some(8 << 20),
            max_spooled_bytes: 8 << 20,
            max_document_expanded_bytes: 64 << 20,
            max_pdf_steps: 1_000_000,
            ..Limits::default()
        };
        Self {
            name: name.to_owned(),
            format: Format::default(),
            fields: Vec::new(),
            records: RecordSettings::default(),
            rejects: RejectPolicy::default(),
            limits,
            batches: BatchLimits { max_bytes: 240_000, max_records: 3 },
        }
    }

    /// The same for a kind that is stated.
    pub fn of_kind(name: &str, kind: FormatKind) -> Self {
        let mut way = Self::of(name);
        way.format.kind = Some(kind);
        way
    }

    fn open(&self, input: impl Read + Send + 'static) -> Result<(Rows, Detected), Failure> {
        let hints = Hints::named(&self.name);
        format::open(input, hints, &self.format, self.limits).map_err(|error| error.failure())
    }

    fn mappings(&self, rows: &Rows, detected: &Detected) -> Result<Mappings, Failure> {
        let mappings = Mappings::new(&self.fields, &self.records, rows, detected);
        mappings.map_err(|error| error.failure())
    }
}

/// All that holds of a file.
pub fn all(way: &Way, bytes: &[u8]) {
    let whole = whole(way, bytes);
    let luck = crc32fast::hash(bytes);
    let small = bytes.len() <= SMALL;
    if small || luck.is_multiple_of(4) {
        rows(way, bytes);
    }
    if small || luck % 4 == 1 {
        in_pieces(way, bytes, &whole, luck.into());
    }
    if small || luck % 4 == 2 {
        continued(way, bytes, &whole, luck.into());
    }
    if small || luck % 4 == 3 {
        written(way, bytes);
    }
}

/// A failure says what went wrong, and what to do.
pub fn told(failure: &Failure) {
    assert!(!failure.code.is_empty(), "{failure:?}");
    assert!(!failure.message.is_empty() && !failure.remedy.is_empty(), "{failure:?}");
    assert!(failure.code != "internal_error", "{failure:?}");
}

/// Bytes that come a few at a time.
pub struct Pieces {
    bytes: Cursor<Vec<u8>>,
    rng: Rng,
    most: usize,
}

impl Pieces {
    /// Pieces whose sizes follow from `seed`.
    pub fn new(bytes: &[u8], seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let most = match bytes.len() {
            ..=SMALL => *rng.choice(&[1, 2, 3, 7, 64, 1000]).unwrap_or(&1),
            _ => *rng.choice(&[100, 1000, 5000]).unwrap_or(&1),
        };
        Self { bytes: Cursor::new(bytes.to_vec()), rng, most }
    }
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let most = into.len().min(self.rng.usize(1..=self.most));
        self.bytes.read(&mut into[..most])
    }
}

/// What came of a file.
#[derive(Default)]
pub struct Whole {
    /// What was found; `None`: it could not be opened.
    pub detected: Option<Detected>,
    /// What each batch was, but for its records, and a hash of these.
    batches: Vec<(u64, u64, u64, u32, u64)>,
    /// A hash of each reject.
    rejects: Vec<u64>,
    /// The places at which work can stop, with the batches and rejects before.
    marks: Vec<(Mark, usize, usize)>,
    /// Rows that were given out, as records or rejects, and the sum of their numbers.
    rows: u64,
    sum: u64,
    /// How it ended.
    pub end: Option<Result<Counters, (String, String, Counters)>>,
    /// What was found out on the way.
    remarks: Vec<String>,
}

impl Whole {
    /// What was counted if it was read to its end.
    pub fn counters(&self) -> Option<Counters> {
        self.end.as_ref()?.as_ref().ok().copied()
    }

    /// Why it was refused.
    pub fn code(&self) -> Option<&str> {
        self.end.as_ref()?.as_ref().err().map(|(code, ..)| code.as_str())
    }

    /// Whether it is compressed, and damaged.
    fn is_cut_by_its_decoder(&self) -> bool {
        let compressions = ["gzip_", "zstd_", "bzip2_", "xz_"];
        self.code().is_some_and(|code| compressions.iter().any(|name| code.starts_with(name)))
    }

    fn refused(mut self, failure: &Failure, counters: Counters) -> Self {
        told(failure);
        self.end = Some(Err((failure.code.clone(), failure.message.clone(), counters)));
        self
    }
}

fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// Reads a file at one go.
pub fn whole(way: &Way, bytes: &[u8]) -> Whole {
    let opened = way.open(Cursor::new(bytes.to_vec()));
    let mut whole = converted(way, opened, Counters::default());
    if let Some(counters) = whole.counters() {
        // Each row was given out once: there are as many as were read, and no two the same.
        assert_eq!(whole.rows + counters.skipped, counters.rows);
        if counters.skipped == 0 {
            let n = u128::from(counters.rows);
            assert_eq!(u128::from(whole.sum), n * (n + 1) / 2, "{counters:?}");
        }
    }
    if let Some(detected) = &mut whole.detected {
        let stored = serde_json::to_string(detected).expect("what was found is JSON");
        let again: Detected = serde_json::from_str(&stored).expect("JSON is what was found");
        assert_eq!(*detected, again);
        let names: HashSet<&str> = detected.columns.iter().map(String::as_str).collect();
        assert_eq!(names.len(), detected.columns.len(), "two columns of a name");
    }
    whole
}

fn converted(way: &Way, opened: Result<(Rows, Detected), Failure>, start: Counters) -> Whole {
    let mut whole = Whole::default();
    let (mut rows, detected) = match opened {
        Ok(opened) => opened,
        Err(failure) => return whole.refused(&failure, start),
    };
    whole.detected = Some(detected.clone());
    let mut mappings = match way.mappings(&rows, &detected) {
        Ok(mappings) => mappings,
        Err(failure) => return whole.refused(&failure, start),
    };
    let plan = Plan {
        object_ref: "r",
        rejects: way.rejects.clone(),
        context: RejectContext { object_json: "{}", table: "t", parts: None },
        limits: way.batches,
        start,
    };
    let (mut last_record, mut last_reject) = (0, 0);
    let ended = convert(&mut rows, &mut mappings, &plan, &mut |output| {
        let mark = output.mark();
        match output {
            Output::Batch(batch) => {
                let text = std::str::from_utf8(&batch.json).expect("a batch is UTF-8");
                let records: Vec<Record> =
                    serde_json::from_str(&format!("[{text}]")).expect("a batch is JSON");
                assert_eq!(records.len(), batch.records as usize);
                assert!(batch.records <= way.batches.max_records);
                assert!(batch.records == 1 || text.len() <= way.batches.max_bytes);
                assert_eq!(records.first().map(|record| record.row), Some(batch.first_row));
                assert_eq!(records.last().map(|record| record.row), Some(batch.last_row));
                for record in &records {
                    assert!(record.row > last_record, "row {} again", record.row);
                    last_record = record.row;
                    whole.sum += record.row;
                }
                whole.rows += records.len() as u64;
                whole.batches.push((
                    batch.number,
                    batch.first_row,
                    batch.last_row,
                    batch.records,
                    hash((&batch.json, &batch.part)),
                ));
            }
            Output::Rejects(rejects) => {
                let lines = rejects.lines.split_inclusive(|byte| *byte == b'\n');
                let before = whole.rejects.len();
                for line in lines {
                    let reject: Line = serde_json::from_slice(line).expect("a reject is JSON");
                    assert!(reject.row > last_reject, "row {} again", reject.row);
                    last_reject = reject.row;
                    assert!(!reject.message.is_empty());
                    assert!(RejectCode::ALL.iter().any(|code| code.as_str() == reject.code));
                    assert!(reject.raw.is_some() != reject.raw_base64.is_some());
                    whole.sum += reject.row;
                    whole.rejects.push(hash(line));
                }
                assert_eq!((whole.rejects.len() - before) as u64, rejects.count);
                whole.rows += rejects.count;
            }
            Output::Mark(_) => {}
        }
        if let Some(mark) = mark {
            assert!(mark.counters.account_for_every_row(), "{mark:?}");
            assert_eq!(mark.counters.rows, mark.end.row, "{mark:?}");
            whole.marks.push((mark, whole.batches.len(), whole.rejects.len()));
        }
        Ok(())
    });
    whole.remarks = rows.remarks();
    match ended {
        Ok(counters) => {
            assert!(counters.account_for_every_row(), "{counters:?}");
            assert_eq!(
                counters.records + counters.rejects - start.records - start.rejects,
                whole.rows
            );
            assert_eq!(counters.rejects - start.rejects, whole.rejects.len() as u64);
            assert_eq!(counters.batches - start.batches, whole.batches.len() as u64);
            whole.end = Some(Ok(counters));
            whole
        }
        Err(failed) => {
            assert!(failed.counters.account_for_every_row(), "{:?}", failed.counters);
            assert!(failed.counters.rejects - start.rejects >= whole.rejects.len() as u64);
            whole.refused(&failed.cause.failure(), failed.counters)
        }
    }
}

/// However the bytes come, it is the same.
fn in_pieces(way: &Way, bytes: &[u8], whole: &Whole, seed: u64) {
    let pieces = converted(way, way.open(Pieces::new(bytes, seed)), Counters::default());
    assert!(whole.detected.is_none() || pieces.detected == whole.detected, "in pieces");
    if whole.is_cut_by_its_decoder() {
        // How far a decoder comes before it sees that something is wrong depends on what it was given.
        assert_eq!(pieces.code(), whole.code(), "in pieces");
        assert!(pieces.batches.iter().zip(&whole.batches).all(|(one, other)| one == other));
        assert!(pieces.rejects.iter().zip(&whole.rejects).all(|(one, other)| one == other));
        return;
    }
    assert_eq!(pieces.end, whole.end, "in pieces");
    assert_eq!(pieces.batches, whole.batches, "in pieces");
    assert_eq!(pieces.rejects, whole.rejects, "in pieces");
    assert_eq!(pieces.marks, whole.marks, "in pieces");
    assert_eq!(pieces.remarks, whole.remarks, "in pieces");
}

/// Work that goes on from a place comes to the same as work that was never put down there.
fn continued(way: &Way, bytes: &[u8], whole: &Whole, seed: u64) {
    let Some(detected) = &whole.detected else { return };
    if whole.is_cut_by_its_decoder() {
        return;
    }
    let mut rng = Rng::with_seed(seed);
    for _ in 0..whole.marks.len().min(2) {
        let (mark, batches, rejects) = &whole.marks[rng.usize(..whole.marks.len())];
        let stored = serde_json::to_string(&mark.end).expect("a place is JSON");
        assert_eq!(mark.end, serde_json::from_str(&stored).expect("JSON is a place"));
        let known = rng.bool().then_some(detected);
        let from = match known {
            Some(detected) => detected.seek(mark.end),
            None => 0,
        };
        let from = usize::try_from(from).expect("a place in the bytes");
        assert!(from <= bytes.len(), "{mark:?} is beyond the end");
        let (input, hints) = (Pieces::new(&bytes[from..], seed), Hints::named(&way.name));
        let rest = match way.fields.iter().any(|field| field.unique) {
            // What is unique depends on all rows before.
            true => way.open(Cursor::new(bytes.to_vec())),
            false => format::resume(input, known, mark.end, hints, &way.format, way.limits)
                .map_err(|error| error.failure()),
        };
        let rest = converted(way, rest, mark.counters);
        let how = format!("from {mark:?}, known: {}", known.is_some());
        assert_eq!(rest.end, whole.end, "{how}");
        assert_eq!(rest.batches, whole.batches[*batches..], "{how}");
        assert_eq!(rest.rejects, whole.rejects[*rejects..], "{how}");
    }
}

/// Each row by itself: its number, its place, its cells.
fn rows(way: &Way, bytes: &[u8]) {
    let Ok((mut rows, detected)) = way.open(Cursor::new(bytes.to_vec())) else { return };
    let in_the_file = detected.compression == Compression::None
        && detected.archive.is_none()
        && matches!(detected.kind, FormatKind::Csv | FormatKind::Jsonl);
    let (mut number, mut offset) = (0, 0);
    loop {
        let before = rows.position();
        assert_eq!(before.row, number);
        assert!(detected.archive.is_some() || before.byte_offset >= offset, "a place goes back");
        offset = before.byte_offset;
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => break,
            Err(error) => {
                told(&error.failure());
                break;
            }
        };
        number += 1;
        assert_eq!(row.number(), number);
        assert!(row.len() <= way.limits.max_columns, "{} cells", row.len());
        if row.fault().is_some() {
            assert!(row.is_empty(), "a row with a fault has cells");
        }
        let utf8 = row.is_utf8();
        assert!(!utf8 || std::str::from_utf8(row.raw()).is_ok());
        for cell in row.cells() {
            match row.head().form {
                Form::Text => assert!(!utf8 || std::str::from_utf8(cell).is_ok()),
                Form::Json if cell.is_empty() => {}
                Form::Json => {
                    serde_json::from_slice::<IgnoredAny>(cell).expect("a cell is JSON");
                    assert!(!cell.contains(&b'\n') && !cell.contains(&b'\r'));
                }
            }
        }
        let encoding = row.begins().encoding.or(detected.encoding);
        if in_the_file && encoding.is_none_or(|encoding| encoding == Encoding::UTF_8) {
            let at = row.byte_offset().expect("rows of text have a place");
            let at = usize::try_from(at).expect("a place in the bytes");
            assert!(
                bytes.get(at..).is_some_and(|rest| rest.starts_with(row.raw())),
                "row {number} is not at {at}"
            );
        }
    }
    // After the end, or after an error, there are no more rows.
    assert!(!matches!(rows.next(), Ok(Some(_))), "a row after the end");
    assert_eq!(rows.position().row, number);
}

/// Takes some bytes, and then no more.
#[derive(Default)]
struct Enough(Vec<u8>);

impl Write for Enough {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > WRITTEN {
            return Err(std::io::Error::other("enough"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What is written as CSV are the same values as what is written as JSON.
fn written(way: &Way, bytes: &[u8]) {
    // What parses the lines here does not go deeper.
    let mut way = way.clone();
    way.limits.max_nesting = way.limits.max_nesting.min(100);
    let write = |as_csv: bool| {
        let (mut rows, detected) = way.open(Cursor::new(bytes.to_vec())).ok()?;
        let mut mappings = way.mappings(&rows, &detected).ok()?;
        let (mut out, mut refused) = (Enough::default(), Vec::new());
        let mut reject = |reject: &inlet::record::Reject<'_>| {
            assert!(!reject.message.is_empty());
            refused.push(reject.row);
        };
        let counters = match as_csv {
            true => plain::csv(&mut rows, &mut mappings, &mut out, &mut reject),
            false => plain::ndjson(&mut rows, &mut mappings, &mut out, &mut reject),
        };
        let counters = counters.inspect_err(|error| told(&error.failure())).ok()?;
        assert!(counters.account_for_every_row(), "{counters:?}");
        assert_eq!(counters.rejects, refused.len() as u64);
        Some((out.0, refused, counters))
    };
    let (Some((lines, not_lines, _)), Some((csv, not_csv, counters))) = (write(false), write(true))
    else {
        return;
    };
    let mut cells = cells(&csv).into_iter();
    let Some(header) = cells.next() else { return };
    let csv: Vec<Vec<String>> = cells.collect();
    assert_eq!(csv.len() as u64, counters.records, "lines of CSV");
    let numbers = |not: &[u64]| {
        let not: HashSet<u64> = not.iter().copied().collect();
        (1..=counters.rows).filter(move |row| !not.contains(row))
    };
    let lines = lines.split_inclusive(|byte| *byte == b'\n');
    let mut lines = numbers(&not_lines).zip(lines);
    for (row, cells) in numbers(&not_csv).zip(&csv) {
        assert_eq!(cells.len(), header.len(), "row {row}");
        let (_, line) =
            lines.find(|(number, _)| *number == row).expect("a line of each row of CSV");
        let line: crate::json::Members = serde_json::from_slice(line).expect("a line is JSON");
        for (name, cell) in header.iter().zip(cells) {
            // The parser of the test takes a byte order mark from the first name, wherever it stood.
            let marked = line.get(&format!("\u{feff}{name}"));
            let fits = |value: Option<&serde_json::Value>| match value {
                None | Some(serde_json::Value::Null) => cell.is_empty(),
                Some(serde_json::Value::String(text)) => cell == text,
                Some(other) => {
                    serde_json::from_str(cell).is_ok_and(|cell: serde_json::Value| cell == *other)
                }
            };
            let plain = line.get(name);
            assert!(
                fits(plain.or(marked)) || (marked.is_some() && fits(marked)),
                "{name} of row {row}: {cell:?}, {plain:?}, {marked:?}"
            );
        }
    }
}

/// The cells of CSV, by a reader that is not ours.
fn cells(csv: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv_core::Reader::new();
    let (mut text, mut ends) = (vec![0; csv.len() + 1], vec![0; csv.len() + 1]);
    let (mut lines, mut rest) = (Vec::new(), csv);
    loop {
        let (result, read, _, cells) = reader.read_record(rest, &mut text, &mut ends);
        // The end of the input has to be said.
        rest = &rest[read..];
        match result {
            csv_core::ReadRecordResult::Record => {
                let starts = std::iter::once(&0).chain(&ends[..cells]);
                let line = starts.zip(&ends[..cells]).map(|(start, end)| {
                    String::from_utf8(text[*start..*end].to_vec()).expect("CSV is UTF-8")
                });
                lines.push(line.collect());
            }
            csv_core::ReadRecordResult::End => return lines,
            csv_core::ReadRecordResult::InputEmpty => rest = &[],
            full => panic!("{full:?}: there is room for all of it"),
        }
    }
}

/// What is written in another way has the same rows.
pub fn same_rows(way: &Way, one: &[u8], other: &[u8]) {
    let (one, other) = (whole(way, one), whole(way, other));
    assert_eq!(one.counters(), other.counters());
    assert_eq!(one.batches, other.batches);
    assert_eq!(one.rejects, other.rejects);
    let columns = |whole: &Whole| whole.detected.as_ref().map(|found| found.columns.clone());
    assert_eq!(columns(&one), columns(&other));
}

/// The values of the only column of a file; `None`: it was not read to its end.
pub fn lines(way: &Way, bytes: &[u8]) -> Option<Vec<serde_json::Value>> {
    let (mut rows, detected) = way.open(Cursor::new(bytes.to_vec())).ok()?;
    let mut mappings = way.mappings(&rows, &detected).ok()?;
    let mut out = Enough::default();
    plain::ndjson(&mut rows, &mut mappings, &mut out, &mut |_| {}).ok()?;
    let lines = out.0.split_inclusive(|byte| *byte == b'\n');
    let values = lines.map(|line| {
        let line: crate::json::Members = serde_json::from_slice(line).expect("a line is JSON");
        line.get("a").cloned().unwrap_or_default()
    });
    Some(values.collect())
}
