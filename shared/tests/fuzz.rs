//! Damaged files of every kind, all the way to records: no panic, no hang, and every row accounted for.
//!
//! A short run with fixed numbers is part of the tests. A long one, on other numbers each time:
//!
//! ```text
//! INLET_FUZZ_SECONDS=1800 cargo test --release -p inlet --test fuzz -- --nocapture
//! ```
//!
//! What it finds it tells by a number, and `INLET_FUZZ_CASE=<number>` plays that one case. Seeds are small
//! files that are made here, and those of `INLET_FIXTURES` if it is set.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use inlet::catalog::{Format, RecordSettings, RejectPolicy};
use inlet::format::{self, Hints, Limits};
use inlet::record::{BatchLimits, Counters, Mappings, Plan, RejectContext, convert};

/// Cases of the short run.
const CASES: u64 = 10_000;
/// Bytes of a seed file at most: small ones are tried more often in the same time.
const SEED: usize = 64 << 10;
/// What one damaged file of that size may take. (In a debug build on a busy machine.)
const PATIENCE: Duration = Duration::from_secs(60);

struct Seed {
    name: String,
    bytes: Vec<u8>,
}

/// A file of each kind that is read, as ordinary as can be.
fn made() -> Vec<Seed> {
    let table =
        "id,name,amount\n1,\"Ann, of\nmany\",1.50\n2,Bob,2\n3,\"say \"\"hi\"\"\",\n".repeat(3);
    let json = r#"[{"a":1,"b":[1,{"c":null}],"d":"\u00e9\n"},{"a":-1.5e3,"e":true}]"#;
    let xml =
        "<?xml version='1.0'?><t><r a='1'><b>x &amp; y</b></r><r><c><![CDATA[<z>]]></c></r></t>";
    let mut seeds = Vec::new();
    let mut seed = |name: &str, bytes: &[u8]| {
        seeds.push(Seed { name: name.to_owned(), bytes: bytes.to_vec() });
    };
    seed("table.csv", table.as_bytes());
    seed("table.tsv", table.replace(',', "\t").as_bytes());
    seed("semicolons.csv", table.replace(',', ";").as_bytes());
    seed("latin.csv", b"name;city\nJos\xe9;M\xe1laga\nZo\xeb;K\xf6ln\n");
    let wide: Vec<u8> = table.encode_utf16().flat_map(u16::to_le_bytes).collect();
    seed("wide.csv", &[b"\xff\xfe".as_slice(), &wide].concat());
    seed("rows.json", json.as_bytes());
    seed("items.json", format!("{{\"count\":2,\"items\":{json}}}").as_bytes());
    seed("lines.jsonl", b"{\"a\":1}\n{\"a\":\"x\",\"b\":[]}\n\n{\"c\":{}}\n");
    seed("rows.xml", xml.as_bytes());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(table.as_bytes()).expect("memory");
    let gzip = gzip.finish().expect("memory");
    seed("table.csv.gz", &[gzip.as_slice(), gzip.as_slice()].concat());
    seed("table.csv.zst", &zstd::encode_all(table.as_bytes(), 3).expect("memory"));
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
    bzip2.write_all(table.as_bytes()).expect("memory");
    seed("table.csv.bz2", &bzip2.finish().expect("memory"));
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in
        [("a.csv", table.as_bytes()), ("b.csv.gz", &gzip), ("c.json", json.as_bytes())]
    {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append_data(&mut header, name, bytes).expect("memory");
    }
    seed("all.tar", &tar.into_inner().expect("memory"));
    seeds
}

fn found(folder: &Path, seeds: &mut Vec<Seed>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            found(&path, seeds);
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.len() <= SEED
        {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            seeds.push(Seed { name, bytes });
        }
    }
}

/// Damage as transport, tools and people do it.
fn damage(rng: &mut Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..rng.usize(1..=4) {
        if bytes.is_empty() {
            bytes.extend_from_slice(other);
            continue;
        }
        let at = rng.usize(..bytes.len());
        match rng.u8(..10) {
            0 => bytes[at] ^= 1 << rng.u8(..8),
            1 => bytes[at] = rng.u8(..),
            2 => bytes.truncate(at),
            3 => {
                bytes.remove(at);
            }
            4 => {
                let more = rng.usize(1..40);
                let byte = *rng.choice(b"\"',;\t\n\r{}[]<>&\\\0\xff 0").unwrap_or(&0);
                bytes.splice(at..at, std::iter::repeat_n(byte, more));
            }
            5 => {
                let end = (at + rng.usize(1..200)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = rng.usize(..=bytes.len());
                bytes.splice(to..to, piece);
            }
            6 => {
                let end = (at + rng.usize(1..200)).min(bytes.len());
                bytes.drain(at..end);
            }
            7 if !other.is_empty() => {
                let from = rng.usize(..other.len());
                let end = (from + rng.usize(1..400)).min(other.len());
                bytes.splice(at..at, other[from..end].iter().copied());
            }
            8 => {
                // A length or an offset that is out of all bounds.
                let wrong =
                    *rng.choice(&[0, 1, 0x7fff_ffff, 0xffff_ffff, 1 << 20]).unwrap_or(&0_u32);
                for (byte, value) in bytes[at..].iter_mut().zip(wrong.to_le_bytes()) {
                    *byte = value;
                }
            }
            _ => {
                let end = (at + rng.usize(1..64)).min(bytes.len());
                rng.fill(&mut bytes[at..end]);
            }
        }
    }
    bytes.truncate(4 * SEED);
}

/// Reads the file to its end or its error; answers what it came to.
fn play(name: &str, bytes: Vec<u8>) -> &'static str {
    let limits = Limits {
        max_expanded_bytes: Some(16 << 20),
        max_spooled_bytes: 16 << 20,
        max_columns: 2_000,
        max_row_bytes: 1 << 20,
        ..Limits::default()
    };
    let opened = format::open(Cursor::new(bytes), Hints::named(name), &Format::default(), limits);
    let (mut rows, detected) = match opened {
        Ok(opened) => opened,
        Err(error) => return told(&error.failure()),
    };
    let settings = RecordSettings::default();
    let mut mappings = match Mappings::new(&[], &settings, &rows, &detected) {
        Ok(mappings) => mappings,
        Err(error) => return told(&error.failure()),
    };
    let plan = Plan {
        object_ref: "r",
        rejects: RejectPolicy::default(),
        context: RejectContext { object_json: "{}", table: "t", parts: None },
        limits: BatchLimits { max_bytes: 240_000, max_records: 100 },
        start: Counters::default(),
    };
    let mut given = 0;
    let ended = convert(&mut rows, &mut mappings, &plan, &mut |output| {
        if let inlet::record::Output::Batch(batch) = output {
            let text = std::str::from_utf8(&batch.json).expect("a batch is UTF-8");
            let records: Vec<serde::de::IgnoredAny> =
                serde_json::from_str(&format!("[{text}]")).expect("a batch is JSON");
            assert_eq!(records.len(), batch.records as usize);
            given += u64::from(batch.records);
        }
        Ok(())
    });
    match ended {
        Ok(counters) => {
            assert!(counters.account_for_every_row(), "{counters:?}");
            assert_eq!(counters.records, given);
            "read"
        }
        Err(failed) => {
            assert!(failed.counters.account_for_every_row(), "{:?}", failed.counters);
            told(&failed.cause.failure())
        }
    }
}

/// Every failure says what, and what to do.
fn told(failure: &inlet::failure::Failure) -> &'static str {
    assert!(!failure.message.is_empty() && !failure.remedy.is_empty(), "{failure:?}");
    "refused"
}

fn case(number: u64, seeds: &[Seed]) -> (String, Vec<u8>) {
    let mut rng = Rng::with_seed(number);
    let seed = &seeds[rng.usize(..seeds.len())];
    let other = &seeds[rng.usize(..seeds.len())];
    let mut bytes = seed.bytes.clone();
    damage(&mut rng, &mut bytes, &other.bytes);
    (seed.name.clone(), bytes)
}

#[test]
fn no_damage_leads_to_a_panic_a_hang_or_a_lost_row() {
    let variable = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let mut seeds = made();
    if let Some(folder) = std::env::var_os("INLET_FIXTURES") {
        found(Path::new(&folder), &mut seeds);
    }
    let seconds = variable("INLET_FUZZ_SECONDS").map(Duration::from_secs);
    let first = match (variable("INLET_FUZZ_CASE"), seconds) {
        (Some(number), _) => number,
        (None, Some(_)) => Rng::new().u64(..) >> 1,
        (None, None) => 0,
    };
    let began = Instant::now();
    let next = AtomicU64::new(first);
    let work = || {
        let mut ends = BTreeMap::<&str, u64>::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let enough = match (variable("INLET_FUZZ_CASE"), seconds) {
                (Some(_), _) => number > first,
                (None, Some(seconds)) => began.elapsed() > seconds,
                (None, None) => number >= first + CASES,
            };
            if enough {
                return ends;
            }
            let (name, bytes) = case(number, &seeds);
            let started = Instant::now();
            let played = catch_unwind(AssertUnwindSafe(|| play(&name, bytes)));
            let end = played.unwrap_or_else(|_| panic!("INLET_FUZZ_CASE={number} ({name})"));
            let took = started.elapsed();
            assert!(took < PATIENCE, "INLET_FUZZ_CASE={number} ({name}) took {took:?}");
            *ends.entry(end).or_default() += 1;
        }
    };
    let ends = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        let mut ends = BTreeMap::<&str, u64>::new();
        for worker in workers {
            for (end, n) in worker.join().expect("no case fails") {
                *ends.entry(end).or_default() += n;
            }
        }
        ends
    });
    println!("{} seeds, {:.0} s: {ends:?}", seeds.len(), began.elapsed().as_secs_f64());
    if variable("INLET_FUZZ_CASE").is_none() {
        assert!(ends.contains_key("read") && ends.contains_key("refused"), "{ends:?}");
    }
}
