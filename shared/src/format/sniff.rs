//! What a file is by its first bytes, whatever its name says.
//!
//! Everything here is a file that somebody dropped where rows were expected. Read as CSV it would
//! give rows of garbage, so it is refused by name instead.

use super::{FormatError, Hints, json, xml};
use crate::catalog::{self, FormatKind};

const CONVERT: &str = "Export the table as CSV";
const UNPACK: &str = "Upload the file uncompressed, or compressed with gzip";
const STATE_KIND: &str = "Export the table as CSV; if the file is CSV, state format.kind = \"csv\"";

/// Bytes of a file that are looked at.
pub(super) const SAMPLE: usize = 64 << 10;

/// The byte order mark of UTF-8.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";

/// Signatures that no text begins with.
const SIGNATURES: &[(&[u8], &str, &str)] = &[
    (b"PK\x03\x04", "a zip archive or an Excel workbook (.xlsx)", CONVERT),
    (b"PK\x05\x06", "an empty zip archive", CONVERT),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls)", CONVERT),
    (b"PAR1\x15", "a Parquet file", CONVERT),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", UNPACK),
    (b"\xfd7zXZ\x00", "compressed with xz", UNPACK),
    (b"\x1f\x8b", "gzip within gzip", "Upload the file compressed once"),
    (b"%PDF-", "a PDF document", CONVERT),
    (b"ORC\x0a", "an ORC file", CONVERT),
    (b"Obj\x01", "an Avro file", CONVERT),
    (b"SQLite format 3\0", "an SQLite database", CONVERT),
];

/// What kind of file begins with `sample` (decompressed), and why.
pub(super) fn kind(
    sample: &[u8],
    hints: Hints<'_>,
    settings: &catalog::Format,
    evidence: &mut Vec<String>,
) -> Result<FormatKind, FormatError> {
    // In a text of JSON a NUL has a place, and is a mistake there. In UTF-16 every other byte is one.
    let json = matches!(settings.kind, Some(FormatKind::Json | FormatKind::Jsonl));
    let utf16 = matches!(sample, [0, _, 0, ..] | [_, 0, _, 0, ..]);
    match memchr::memchr(0, sample) {
        Some(at) if json && !utf16 => check(&sample[..at])?,
        _ => check(sample)?,
    }
    if let Some(stated) = settings.kind {
        return Ok(stated);
    }
    let text = sample.strip_prefix(BOM).unwrap_or(sample);
    let whole = sample.len() < SAMPLE;
    let named = named(hints.name);
    if let Some((kind, why)) = json::sniff::kind(text, whole) {
        // One line tells nothing of those that follow.
        if kind == FormatKind::Json && named == Some(FormatKind::Jsonl) && has_one_line(text) {
            evidence.push("format jsonl: the name says so".to_owned());
            return Ok(FormatKind::Jsonl);
        }
        evidence.push(why);
        return Ok(kind);
    }
    let tag = text.trim_ascii_start().starts_with(b"<");
    if xml::detect::is_xml(text) || (tag && named == Some(FormatKind::Xml)) {
        evidence.push("format xml: the first bytes are elements of XML".to_owned());
        return Ok(FormatKind::Xml);
    }
    check_text(text)?;
    if let Some(kind) = named {
        evidence.push(match kind {
            FormatKind::Jsonl => "format jsonl: the name says so".to_owned(),
            FormatKind::Xml => "format xml: the name says so".to_owned(),
            _ => "format json: the name says so".to_owned(),
        });
        return Ok(kind);
    }
    Ok(FormatKind::Csv)
}

/// The kind that a name says, for texts that could be anything.
fn named(name: &str) -> Option<FormatKind> {
    let name = name.to_ascii_lowercase();
    let packed = [".gz", ".gzip", ".bz2", ".zst", ".xz"];
    let name = packed.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    match name.rsplit_once('.')?.1 {
        "json" | "geojson" => Some(FormatKind::Json),
        "jsonl" | "ndjson" => Some(FormatKind::Jsonl),
        "xml" => Some(FormatKind::Xml),
        _ => None,
    }
}

fn has_one_line(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    memchr::memchr2(b'\n', b'\r', text).is_none()
}

/// Refuses what is certainly not text in UTF-8.
fn check(sample: &[u8]) -> Result<(), FormatError> {
    for (signature, found, remedy) in SIGNATURES {
        if sample.starts_with(signature) {
            return Err(FormatError::Unsupported { found, remedy });
        }
    }
    // `BZh` and a digit could begin a text; the block that follows could not.
    let bzip2 = sample.len() >= 10 && sample.starts_with(b"BZh") && &sample[4..10] == b"1AY&SY";
    if bzip2 {
        return Err(FormatError::Unsupported { found: "compressed with bzip2", remedy: UNPACK });
    }
    if sample.len() > 262 && &sample[257..262] == b"ustar" {
        return Err(FormatError::Unsupported {
            found: "a tar archive",
            remedy: "Upload its files",
        });
    }
    check_encoding(sample)
}

fn check_encoding(sample: &[u8]) -> Result<(), FormatError> {
    // The mark of UTF-32 little endian begins with that of UTF-16.
    let found = if sample.starts_with(b"\xff\xfe\0\0") || sample.starts_with(b"\0\0\xfe\xff") {
        "utf-32 (by its byte order mark)"
    } else if sample.starts_with(b"\xff\xfe") {
        "utf-16le (by its byte order mark)"
    } else if sample.starts_with(b"\xfe\xff") {
        "utf-16be (by its byte order mark)"
    } else if memchr::memchr(0, sample).is_some() {
        return Err(FormatError::Unsupported {
            found: "binary, or text in utf-16 without a byte order mark (it contains NUL bytes)",
            remedy: "Export the table as CSV in UTF-8",
        });
    } else {
        return Ok(());
    };
    Err(FormatError::UnsupportedEncoding { found })
}

/// Refuses XML and HTML, which a CSV file could only begin like by a rare accident.
fn check_text(sample: &[u8]) -> Result<(), FormatError> {
    let mut visible = sample.iter().copied().filter(|byte| !byte.is_ascii_whitespace());
    let found = match (visible.next(), visible.next()) {
        (Some(b'<'), Some(b'?' | b'!' | b'h' | b'H')) => "XML or HTML",
        _ => return Ok(()),
    };
    Err(FormatError::Unsupported { found, remedy: STATE_KIND })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(sample: &[u8], name: &str) -> Result<FormatKind, FormatError> {
        kind(sample, Hints { name }, &catalog::Format::default(), &mut Vec::new())
    }

    fn found(sample: &[u8]) -> String {
        kind_of(sample, "").err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn other_kinds_are_named() {
        for (sample, name) in [
            (&b"PK\x03\x04rest"[..], "zip"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1..", ".xls"),
            (b"PAR1\x15\x04", "Parquet"),
            (b"\x28\xb5\x2f\xfd\x04", "zstd"),
            (b"BZh91AY&SY\x00", "bzip2"),
            (b"\xfd7zXZ\x00\x00", "xz"),
            (b"%PDF-1.7\n", "PDF"),
            (b"\x1f\x8b\x08", "gzip within gzip"),
            (b"\xff\xfea\0,\0", "utf-16le"),
            (b"\xfe\xff\0a\0,", "utf-16be"),
            (b"\xff\xfe\0\0a\0\0\0", "utf-32"),
            (b"a\0,\0b\0", "NUL"),
            (b"a,b\n1,\x00\n", "NUL"),
            (b"<!DOCTYPE html>", "HTML"),
            (b"<html><body><p>x</p></body></html>", "HTML"),
            (b"<?xml version=\"1.0\"?><!DOCTYPE html PUBLIC ''><html></html>", "HTML"),
        ] {
            assert!(found(sample).contains(name), "{name}: {}", found(sample));
        }
    }

    #[test]
    fn text_that_looks_alike_is_text() {
        for sample in [
            &b""[..],
            b"PAR1,PAR2\n1,2\n",
            b"BZh9,size\n",
            b"PK,name\n",
            b"[id],name\n",
            b"{id},name\n",
            b"[1,2],name\n1,2\n",
            b"{\"a\":1},b\n1,2\n",
            b"[1];x\n[2];y\n",
            b"[a]\n[b]\n",
            b"\xef\xbb\xbfa,b\n",
        ] {
            let shown = String::from_utf8_lossy(sample);
            assert_eq!(kind_of(sample, "a.csv").ok(), Some(FormatKind::Csv), "{shown}");
        }
    }

    #[test]
    fn what_is_stated_is_not_looked_for() {
        for kind in [FormatKind::Csv, FormatKind::Json, FormatKind::Jsonl] {
            let settings = catalog::Format { kind: Some(kind), ..catalog::Format::default() };
            for sample in [&b"{\"a\":1}"[..], b"a,b", b"{}\n{}\n"] {
                let hints = Hints { name: "a.json" };
                let found = super::kind(sample, hints, &settings, &mut Vec::new());
                assert_eq!(found.ok(), Some(kind));
            }
        }
    }

    #[test]
    fn xml_is_known_by_its_elements() {
        use FormatKind::{Csv, Xml};
        for (sample, name, expected) in [
            (&b"<?xml version=\"1.0\"?>"[..], "", Xml),
            (b"\xef\xbb\xbf<?xml version='1.0'?><a/>", "a.csv", Xml),
            (b"\n<!-- c --><a><b>1</b></a>", "", Xml),
            (b"<a><b>1</b><b>2</", "", Xml),
            (b"<a x='1'/>", "", Xml),
            (b"<a", "a.xml", Xml),
            (b"<a>,name\n1,2\n", "", Csv),
            (b"<a></a>,<b></b>\n1,2\n", "", Csv),
            (b"<5,x\n", "", Csv),
            (b"<ada@example.com>,x\n<alan@example.com>,y\n", "", Csv),
        ] {
            let shown = String::from_utf8_lossy(sample);
            assert_eq!(kind_of(sample, name).ok(), Some(expected), "{name} {shown}");
        }
    }

    #[test]
    fn json_is_known_by_its_bytes_and_where_they_do_not_tell_by_its_name() {
        use FormatKind::{Csv, Json, Jsonl};
        for (sample, name, expected) in [
            (&b"{\"a\": 1}\n{\"a\": 2}\n"[..], "", Jsonl),
            (b"{\"a\": 1}\n\n{\"a\": 2}", "a.json", Jsonl),
            (b"{\"a\": 1}\n{\"a\": 2,}\n{\"a\": 3}\n", "", Jsonl),
            (b"[1]\r\n[2]\r\n", "", Jsonl),
            (b"\xef\xbb\xbf [\n {\"a\": 1}]", "", Json),
            (b"{\"a\": 1}", "", Json),
            (b"{\"a\": 1}\n", "a.jsonl", Jsonl),
            (b"{\"a\": 1}\n", "a.ndjson.gz", Jsonl),
            (b"{\"a\": 1}{\"a\": 2}", "", Json),
            (b"{\n\"a\": 1\n}\n{\n\"a\": 2\n}", "a.jsonl", Json),
            (b"[\n{\"a\": 1},\n{\"a\": 2}\n]", "a.jsonl", Json),
            (b"[", "", Json),
            (b"[{\"a\": 1}, {\"a\"", "", Json),
            (b"{\"a\": 1},\n{\"a\": 2},\n", "", Json),
            (b"[{\"a\": 1} {\"a\": 2}]", "", Json),
            (b"[1, 2, x]", "", Csv),
            (b"[1, 2, x]", "a.JSON", Json),
            (b"a,b\n1,2", "a.json", Json),
            (b"", "a.json", Json),
            (b"", "a.jsonl", Jsonl),
            (b"12\n13\n", "a.jsonl", Jsonl),
            (b"12\n13\n", "", Csv),
            (b"id\n1\n", "json", Csv),
        ] {
            let shown = String::from_utf8_lossy(sample);
            assert_eq!(kind_of(sample, name).ok(), Some(expected), "{name} {shown}");
        }
    }
}
