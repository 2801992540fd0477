//! What is asserted of every reader and sniffer, and of whatever else comes from outside, whatever the
//! bytes: one function for each ([`TARGETS`]).
//!
//! Not only that nothing panics: every row is accounted for and given out once; batches, rejects and cells
//! are JSON; rows stand where they say; the same bytes a few at a time, or from a place in the middle on, come
//! to the same batches and rejects; what is written as CSV has the values of what is written as JSON; every
//! failure says what to do; and all of it within [`MEMORY`].
//!
//! A short run over made files and damage to them is part of the ordinary tests (`tests/damage.rs`). Searches
//! that are guided by coverage take as long as one likes, on stable Rust, with a C++ compiler and nothing else:
//!
//! ```text
//! tests/fuzz/run.sh                  # every target, a minute each
//! tests/fuzz/run.sh 600 csv xlsx     # these two, ten minutes each
//! tests/fuzz/run.sh csv FILE         # one input that was found
//! ```
//!
//! or, for those who have cargo-fuzz (which needs no nightly Rust so), `cargo fuzz run --fuzz-dir tests/fuzz
//! --features libfuzzer --sanitizer none --no-cfg-fuzzing csv`. What a search finds becomes a test beside the
//! code that was at fault.

pub mod binary;
pub mod check;
pub mod choose;
#[cfg(feature = "libfuzzer")]
pub mod guided;
pub mod json;
pub mod parts;
mod seeds;
pub mod text;
pub mod words;

use std::alloc::System;

use cap::Cap;

/// What is allocated, counted.
#[global_allocator]
static ALLOCATED: Cap<System> = Cap::new(System, 1 << 30);

/// Bytes that one input may take in memory, with what holds it up to look at.
pub const MEMORY: usize = 256 << 20;

/// Bytes that are allocated now: what stays after an input was tried.
pub fn held() -> usize {
    ALLOCATED.allocated()
}

/// One thing that takes bytes from outside.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// What holds of it.
    holds: fn(&[u8]),
    /// Where to begin.
    seeds: fn() -> Vec<Vec<u8>>,
}

impl Target {
    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }

    /// Looks whether what should hold holds.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub fn try_with(&self, data: &[u8]) {
        (self.holds)(data);
        // The most that there ever was: the first input that takes more is the one.
        let most = ALLOCATED.max_allocated();
        assert!(most < MEMORY, "{most} bytes of memory were taken at once");
    }

    /// Small inputs that make sense.
    pub fn seeds(&self) -> Vec<Vec<u8>> {
        (self.seeds)()
    }
}

const fn target(name: &'static str, holds: fn(&[u8]), seeds: fn() -> Vec<Vec<u8>>) -> Target {
    Target { name, holds, seeds }
}

/// All of them.
pub const TARGETS: &[Target] = &[
    target("csv", text::csv, seeds::csv),
    target("csv_written", text::csv_written, seeds::csv_written),
    target("dialect", text::dialect, seeds::dialect),
    target("encoding", text::encoding, seeds::encoding),
    target("sniff", text::sniff, seeds::sniff),
    target("json", text::json, seeds::json),
    target("json_lines", text::json_lines, seeds::json_lines),
    target("xml", text::xml, seeds::xml),
    target("html", text::html, seeds::html),
    target("plain", text::plain, seeds::plain),
    target("excel", binary::excel, seeds::excel),
    target("xlsx", binary::excel_parts, seeds::xlsx),
    target("xlsb", binary::excel_parts, seeds::xlsb),
    target("ods", binary::excel_parts, seeds::ods),
    target("xls", binary::excel_records, seeds::xls),
    target("docx", binary::docx, seeds::docx),
    target("pdf", binary::pdf, seeds::pdf),
    target("pdf_objects", binary::pdf_objects, seeds::pdf_objects),
    target("parquet", binary::parquet, seeds::parquet),
    target("parquet_footer", binary::parquet_footer, seeds::parquet_footer),
    target("avro", binary::avro, seeds::avro),
    target("avro_blocks", binary::avro_blocks, seeds::avro_blocks),
    target("gzip", binary::compressed, seeds::gzip),
    target("zstd", binary::compressed, seeds::zstd),
    target("bzip2", binary::compressed, seeds::bzip2),
    target("xz", binary::compressed, seeds::xz),
    target("recompressed", binary::recompressed, seeds::recompressed),
    target("zip", binary::archive, seeds::zip),
    target("tar", binary::archive, seeds::tar),
    target("members", binary::members, seeds::members),
    target("message", words::message, seeds::message),
    target("path", words::path, seeds::path),
    target("catalog", words::catalog, seeds::catalog),
    target("field", words::field, seeds::field),
    target("schedule", words::schedule, seeds::schedule),
];
