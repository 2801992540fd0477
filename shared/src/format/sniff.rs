//! What a file is by its first bytes, whatever its name says.
//!
//! Everything here is a file that somebody dropped where rows were expected. Read as CSV it would
//! give rows of garbage, so it is refused by name instead.

use super::{FormatError, Hints, document};
use crate::catalog;

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
    _hints: Hints<'_>,
    settings: &catalog::Format,
    evidence: &mut Vec<String>,
) -> Result<catalog::FormatKind, FormatError> {
    match settings.kind {
        // Which of them it is, and whether it is one, the document's own reader sees.
        Some(catalog::FormatKind::Document) => return Ok(catalog::FormatKind::Document),
        None => {
            if let Some(why) = document::recognised(sample) {
                evidence.push(why.to_owned());
                return Ok(catalog::FormatKind::Document);
            }
        }
        Some(_) => {}
    }
    check(sample, settings.kind.is_some())?;
    Ok(settings.kind.unwrap_or(catalog::FormatKind::Csv))
}

/// Refuses what is certainly not text in UTF-8, or not a table. `stated`: the definition says that
/// the file is CSV, so what could be text is taken for it.
fn check(sample: &[u8], stated: bool) -> Result<(), FormatError> {
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
    check_encoding(sample)?;
    if !stated {
        check_text(sample.strip_prefix(BOM).unwrap_or(sample))?;
    }
    Ok(())
}

pub(super) fn check_encoding(sample: &[u8]) -> Result<(), FormatError> {
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

/// Refuses JSON, XML and HTML, which a CSV file could only begin like by a rare accident.
fn check_text(sample: &[u8]) -> Result<(), FormatError> {
    let mut visible = sample.iter().copied().filter(|byte| !byte.is_ascii_whitespace());
    let found = match (visible.next(), visible.next()) {
        (Some(b'{'), Some(b'"' | b'}')) => "JSON",
        (Some(b'['), Some(b'{' | b'[' | b']')) => "JSON",
        (Some(b'<'), Some(b'?' | b'!' | b'h' | b'H')) => "XML or HTML",
        _ => return Ok(()),
    };
    Err(FormatError::Unsupported { found, remedy: STATE_KIND })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sample: &[u8]) -> String {
        check(sample, false).err().map(|error| error.to_string()).unwrap_or_default()
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
            (b"{\"a\": 1}\n{\"a\": 2}\n", "JSON"),
            (b"\xef\xbb\xbf [\n {\"a\": 1}]", "JSON"),
            (b"<?xml version=\"1.0\"?>", "XML"),
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
            b"\xef\xbb\xbfa,b\n",
        ] {
            assert_eq!(found(sample), "", "{}", String::from_utf8_lossy(sample));
        }
        assert!(check(b"{\"a\"},b", true).is_ok(), "the definition says that it is CSV");
    }
}
