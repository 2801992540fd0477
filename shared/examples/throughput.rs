//! How fast CSV becomes JSON Lines, per CPU second.
//!
//! ```text
//! cargo run --release -p inlet --no-default-features --example throughput [MB] [ONLY]
//! ```
//!
//! Makes a table of five columns (id, name, email, decimal, date) in memory, and takes it through:
//! a bare loop of `csv-core`, which copies cells and does nothing with them; the rows alone; plain
//! JSON lines; JSON lines with typed fields; and whole batches of records.

use std::io::{Cursor, Write};
use std::time::Instant;

use inlet::catalog::{Field, FieldType, Format, RecordSettings, RejectPolicy, Role};
use inlet::format::{self, Hints, Limits, Rows};
use inlet::record::{BatchLimits, Counters, Mappings, Plan, RejectContext, convert, plain};

const NAMES: [&str; 8] = [
    "Ada Lovelace",
    "Alan Turing",
    "Grace Hopper",
    "Edsger Dijkstra",
    "Barbara Liskov",
    "Tony Hoare",
    "Jos\u{e9} Mart\u{ed}nez",
    "Niklaus Wirth",
];

fn table(bytes: usize, quoted: bool) -> Vec<u8> {
    let mut table = b"id,name,email,amount,closed\n".to_vec();
    table.reserve(bytes + 200);
    let mut seed = 1_u64;
    let mut row = 0;
    while table.len() < bytes {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let random = seed >> 20;
        row += 1;
        let name = NAMES[(random % 8) as usize];
        let quote = if quoted { "\"" } else { "" };
        writeln!(
            table,
            "D-{row:07},{quote}{name}{quote},{quote}user{}@example.com{quote},{}.{:02},20{:02}-{:02}-{:02}",
            random % 100_000,
            random % 1_000_000,
            random % 100,
            10 + random % 20,
            1 + random % 12,
            1 + random % 28,
        )
        .expect("memory takes it");
    }
    table
}

/// Counts what is written and drops it, so that only the conversion is measured.
struct Sink(u64);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// CPU time of this process so far, where the system tells; else the time of day.
fn cpu_seconds(since: Instant) -> f64 {
    // Fields 14 and 15: user and system time, in hundredths of a second.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split(' ').collect();
    match (fields.get(12).and_then(|f| f.parse().ok()), fields.get(13).and_then(|f| f.parse().ok()))
    {
        (Some(user), Some(system)) => {
            let (user, system): (f64, f64) = (user, system);
            (user + system) / 100.0
        }
        _ => since.elapsed().as_secs_f64(),
    }
}

fn measure(name: &str, bytes: usize, mut work: impl FnMut() -> u64) {
    if std::env::args().nth(2).is_some_and(|only| !name.contains(&only)) {
        return;
    }
    let began = Instant::now();
    let mut best = f64::MAX;
    let mut rows = 0;
    for _ in 0..5 {
        let before = cpu_seconds(began);
        rows = work();
        best = best.min(cpu_seconds(began) - before);
    }
    println!(
        "{name:32} {rows:9} rows  {best:5.2} s  {:7.0} MB/s per CPU second",
        bytes as f64 / 1e6 / best
    );
}

fn fields() -> Vec<Field> {
    let field = |column: &str, kind| Field {
        column: column.to_owned(),
        name: column.to_owned(),
        kind: Some(kind),
        ..Field::default()
    };
    vec![
        Field { role: Some(Role::Id), ..field("id", FieldType::Text) },
        field("email", FieldType::Email),
        field("amount", FieldType::Decimal),
        field("closed", FieldType::Date),
    ]
}

fn open(table: &'static [u8], fields: &[Field]) -> (Rows, Mappings) {
    let (rows, detected) =
        format::open(Cursor::new(table), Hints::default(), &Format::default(), Limits::default())
            .expect("the table is readable");
    let settings = RecordSettings::default();
    let mappings = Mappings::new(fields, &settings, &rows, &detected).expect("the fields fit");
    (rows, mappings)
}

fn bare_loop(table: &[u8]) -> u64 {
    let mut parser = csv_core::Reader::new();
    let (mut output, mut ends) = (vec![0; 64 << 10], vec![0; 64]);
    let (mut at, mut rows) = (0, 0);
    loop {
        let (result, read, _, _) = parser.read_record(&table[at..], &mut output, &mut ends);
        at += read;
        match result {
            csv_core::ReadRecordResult::Record => rows += 1,
            csv_core::ReadRecordResult::End => return rows,
            _ => {}
        }
    }
}

fn main() {
    let megabytes: usize =
        std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(130);
    for quoted in [false, true] {
        let table: &'static [u8] = table(megabytes * 1_000_000, quoted).leak();
        println!(
            "{} MB, {} text",
            table.len() / 1_000_000,
            if quoted { "quoted" } else { "plain" }
        );
        measure("csv-core alone", table.len(), || bare_loop(table));
        measure("rows", table.len(), || {
            let (mut rows, _) = open(table, &[]);
            while rows.next().expect("readable").is_some() {}
            rows.position().row
        });
        for (name, fields) in [("JSON lines, text", vec![]), ("JSON lines, typed", fields())] {
            measure(name, table.len(), || {
                let (mut rows, mut mappings) = open(table, &fields);
                let counters = plain::ndjson(&mut rows, &mut mappings, &mut Sink(0), &mut |_| {});
                counters.expect("written").records
            });
        }
        measure("records in batches, typed", table.len(), || {
            let (mut rows, mut mappings) = open(table, &fields());
            let plan = Plan {
                object_ref: "bucket/key",
                rejects: RejectPolicy::default(),
                context: RejectContext { object_json: "{}", table: "table", parts: None },
                limits: BatchLimits { max_bytes: 900_000, max_records: 10_000 },
                start: Counters::default(),
            };
            let counters = convert(&mut rows, &mut mappings, &plan, &mut |_| Ok(()));
            counters.expect("converted").records
        });
    }
}
