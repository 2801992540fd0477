//! The text of PDF.
//!
//! `hayro-syntax` reads the syntax and `hayro-font` maps the codes of characters to Unicode; both parse
//! what is asked for, when it is asked for, and are kept well. (`pdf-extract` panics where it meets the
//! unexpected, by its author's choice; `lopdf` holds every object of the file in memory, bounded by
//! stream but not in all; `pdf_oxide` brings a world of its own.) What no crate does, and what is
//! here: bounds on everything that a file may ask for, looked at *before* it is asked for, because work
//! that loops cannot be stopped from outside; and the order of words, lines and paragraphs.
//!
//! ```text
//!  inspect ──► open ──► tree ──► page ──► layout
//!  the raw     hayro,   pages,   content  words, lines,
//!  bytes       no page  no loop  streams  paragraphs
//! ```
//!
//! Text comes in the order in which the pages draw it, which is nearly always the order of reading.

mod fonts;
mod inspect;
mod layout;
mod metadata;
mod page;
mod streams;
mod tree;

use std::io::Read;

use hayro_syntax::Pdf;
use hayro_syntax::object::{Dict, ObjRef};

use super::Meta;
use super::text::Text;
use crate::format::contained::contained;
use crate::format::spool::Spool;
use crate::format::{FormatError, Limit, Limits};

/// Reads a PDF.
pub(super) fn read(
    spool: Spool,
    text: &mut Text,
    limits: &Limits,
    evidence: &mut Vec<String>,
) -> Result<Meta, FormatError> {
    let data = whole(spool)?;
    // The crates promise not to panic and are tested on broken files; a promise that somebody else
    // makes is not one of ours. What is half done when they do is thrown away.
    contained(|| extract(data, text, limits, evidence))
        .unwrap_or_else(|problem| Err(damaged(problem)))
}

fn damaged(problem: impl Into<Box<str>>) -> FormatError {
    FormatError::DocumentDamaged { kind: "PDF", problem: problem.into() }
}

fn over(what: &'static str, setting: &'static str, value: u64) -> FormatError {
    FormatError::DocumentLimit { what, limit: Limit { setting, value } }
}

/// The file in memory, with room for what is appended to it.
fn whole(mut spool: Spool) -> Result<Vec<u8>, FormatError> {
    let length = usize::try_from(spool.len()).unwrap_or(usize::MAX);
    let mut data = Vec::new();
    data.try_reserve_exact(length.saturating_add(APPENDED))
        .map_err(|cause| FormatError::Read(cause.into()))?;
    spool.read_to_end(&mut data).map_err(FormatError::Read)?;
    Ok(data)
}

fn extract(
    data: Vec<u8>,
    text: &mut Text,
    limits: &Limits,
    evidence: &mut Vec<String>,
) -> Result<Meta, FormatError> {
    let bytes = data.len() as u64;
    let entry = inspect::inspect(&data, limits)?;
    let pdf = open(data, &entry)?;
    let root: Dict<'_> = pdf
        .xref()
        .get(entry.root.into())
        .ok_or_else(|| damaged("its catalog is not in the file"))?;
    let pages = tree::pages(&root, pdf.xref(), limits)?;
    let mut reading = page::Reading::new(text, limits);
    for (index, page) in pages.iter().enumerate() {
        reading.page(index + 1, page)?;
    }
    if reading.unknown > 0 {
        evidence.push(format!(
            "{} of {} characters have no Unicode in the file (U+FFFD)",
            reading.unknown,
            reading.unknown + reading.known
        ));
    }
    let mut meta = metadata::meta(&pdf, &root);
    meta.bytes = bytes;
    meta.pages = Some(pages.len() as u64);
    Ok(meta)
}

/// Bytes that [`open`] appends at most.
const APPENDED: usize = 1024;

/// Opens the file, without a look at its pages.
///
/// The crate walks the tree of pages when it opens a file. It passes over loops, but a tree of
/// arrays that share their entries can have exponentially many pages, and nothing bounds them. So the
/// file is given an update, as an editor would append it, whose catalog has no pages; the real catalog
/// is found by its number, and its tree is walked in [`tree`], counting.
fn open(mut data: Vec<u8>, entry: &inspect::Entry) -> Result<Pdf, FormatError> {
    use std::fmt::Write as _;
    // Object numbers that no file has: they may have at most 8,388,607 objects.
    const CATALOG: u32 = 4_000_000_001;
    const PAGES: u32 = 4_000_000_002;
    let base = data.len();
    let mut update = String::with_capacity(APPENDED);
    let mut places = [0; 2];
    update.push('\n');
    places[0] = base + update.len();
    _ = write!(update, "{CATALOG} 0 obj\n<</Type/Catalog/Pages {PAGES} 0 R>>\nendobj\n");
    places[1] = base + update.len();
    _ = write!(update, "{PAGES} 0 obj\n<</Type/Pages/Count 0/Kids[]>>\nendobj\n");
    let table = base + update.len();
    _ = write!(update, "xref\n{CATALOG} 2\n");
    for place in places {
        _ = write!(update, "{place:010} 00000 n\r\n");
    }
    _ = write!(update, "trailer\n<</Size {PAGES}/Root {CATALOG} 0 R");
    if let Some(ObjRef { obj_number, gen_number }) = entry.info {
        _ = write!(update, "/Info {obj_number} {gen_number} R");
    }
    match entry.table {
        Some(before) => _ = write!(update, "/Prev {before}>>\nstartxref\n{table}\n%%EOF\n"),
        // No table that can be read: the crate looks for the objects itself when there is none here.
        None => _ = write!(update, ">>\nstartxref\n{}\n%%EOF\n", places[0] - 1),
    }
    data.extend_from_slice(update.as_bytes());
    Pdf::new(data).map_err(|error| match error {
        hayro_syntax::LoadPdfError::Decryption(_) => FormatError::DocumentEncrypted { kind: "PDF" },
        hayro_syntax::LoadPdfError::Invalid => damaged("its objects cannot be found"),
    })
}

#[cfg(test)]
pub(super) mod tests;
