//! Where searches begin: small inputs that make sense, written here, and the small ones among the files of
//! `INLET_FIXTURES`, if it is set.

mod columns;
mod office;
mod packed;
mod text;
mod words;

use std::path::{Path, PathBuf};

pub(crate) use columns::{avro, avro_blocks, parquet, parquet_footer};
pub(crate) use office::{docx, excel, ods, pdf, pdf_objects, xls, xlsb, xlsx};
pub(crate) use packed::{bzip2, gzip, members, recompressed, tar, xz, zip, zstd};
pub(crate) use text::{csv, csv_written, dialect, encoding, html, json, json_lines, plain, xml};
use text::{jsons, tables, xmls};
pub(crate) use words::{catalog, field, message, path, schedule};

/// Bytes of a file of others at most: small ones are tried more often in the same time.
const SMALL: u64 = 12 << 10;
/// Files of others for a target at most.
const MANY: usize = 60;

type Seeds = Vec<Vec<u8>>;

/// Inputs behind `zeros` bytes that decide nothing.
fn behind(zeros: usize, inputs: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Seeds {
    let behind = |input: &[u8]| [&vec![0; zeros], input].concat();
    inputs.into_iter().map(|input| behind(input.as_ref())).collect()
}

/// The small files of others with one of these extensions, the smallest first.
fn found(extensions: &[&str]) -> Seeds {
    found_up_to(extensions, SMALL)
}

fn found_up_to(extensions: &[&str], size: u64) -> Seeds {
    match std::env::var_os("INLET_FIXTURES") {
        Some(folder) => within(Path::new(&folder), extensions, size),
        None => Vec::new(),
    }
}

fn within(folder: &Path, extensions: &[&str], size: u64) -> Seeds {
    let mut files = Vec::new();
    walk(folder, extensions, size, &mut files);
    files.sort();
    let files = files.into_iter().take(MANY);
    files.map(|(_, path)| std::fs::read(path).expect("a file can be read")).collect()
}

fn walk(folder: &Path, extensions: &[&str], most: u64, files: &mut Vec<(u64, PathBuf)>) {
    for entry in std::fs::read_dir(folder).expect("a folder can be read") {
        let path = entry.expect("an entry can be read").path();
        let size = path.metadata().map_or(u64::MAX, |metadata| metadata.len());
        let extension = path.extension().unwrap_or_default();
        if path.is_dir() {
            walk(&path, extensions, most, files);
        } else if size <= most && extensions.iter().any(|of| extension == *of) {
            files.push((size, path));
        }
    }
}

/// Some of each kind.
pub(crate) fn sniff() -> Seeds {
    let mut seeds = behind(1, tables());
    seeds.extend(behind(1, jsons()));
    seeds.extend(behind(1, xmls()));
    seeds.extend(behind(1, html()));
    for binary in [gzip, zstd, bzip2, xz, parquet, avro] {
        seeds.extend(behind(1, binary().into_iter().take(2)));
    }
    for binary in [excel, pdf, zip, tar] {
        seeds.extend(binary().into_iter().take(2));
    }
    seeds
}
