//! What a file is by its first bytes, whatever its name says.
//!
//! Everything here is a file that somebody dropped where rows were expected. Read as CSV it would
//! give rows of garbage, so it is refused by name instead.

use super::office::{self, Office};
use super::{Archive, FormatError, Hints, csv, document, json, xml};
use crate::catalog::{self, FormatKind};

const CONVERT: &str = "Export the table as CSV";
const CONVERT_TABLE: &str = "Export the table as Parquet or CSV";
const UNPACK: &str = "Upload the file uncompressed, or compressed with gzip, zstd, bzip2 or xz";
const REPACK: &str = "Upload the files as a zip or tar archive";
const STATE_KIND: &str = "Export the table as CSV; if the file is CSV, state format.kind = \"csv\"";

/// Bytes of a file that are looked at.
pub(super) const SAMPLE: usize = 64 << 10;

/// The byte order mark of UTF-8.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";

const ARROW: &str = "an Arrow file (IPC or Feather)";

/// Signatures that no text begins with, of what is not read.
const SIGNATURES: &[(&[u8], &str, &str)] = &[
    (b"%PDF-", "a PDF document", CONVERT),
    (b"ORC\x0a", "an ORC file", CONVERT),
    (b"ARROW1\0\0", ARROW, CONVERT_TABLE),
    (b"FEA1\0\0\0\0", "a Feather file", CONVERT_TABLE),
    (b"SQLite format 3\0", "an SQLite database", CONVERT),
    (b"PK\x07\x08", "a part of a zip archive in parts", REPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", REPACK),
    (b"Rar!\x1a\x07", "a RAR archive", REPACK),
    (b"MSCF\0\0\0\0", "a cabinet archive", REPACK),
    (b"\x1f\x9d", "compressed with compress (.Z)", UNPACK),
    (b"\x04\x22\x4d\x18", "compressed with lz4", UNPACK),
    (b"\x5d\0\0", "compressed with lzma", UNPACK),
    (b"LZIP\x01", "compressed with lzip", UNPACK),
    (b"\xff\x06\0\0sNaPpY", "compressed with snappy", UNPACK),
    (b"\x89PNG\r\n\x1a\n", "an image (PNG)", CONVERT),
    (b"\xff\xd8\xff", "an image (JPEG)", CONVERT),
    (b"GIF89a", "an image (GIF)", CONVERT),
];

/// Signatures of what is no text, whether it is read or not: no encoding is looked for in it.
const BINARY: &[&[u8]] = &[
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"PK\x07\x08",
    b"ORC\x0a",
    b"ARROW1\0\0",
    b"FEA1\0\0\0\0",
    b"SQLite format 3\0",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\x1f\x9d",
    b"\x04\x22\x4d\x18",
    b"\x5d\0\0",
    b"\xff\x06\0\0sNaPpY",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF89a",
];

/// Whether the bytes are certainly no text in any encoding.
pub(super) fn is_binary(sample: &[u8]) -> bool {
    binary_kind(sample).is_some()
        || document::is_pdf(sample)
        || is_arrow_stream(sample)
        || BINARY.iter().any(|signature| sample.starts_with(signature))
}

/// Whether a stream of Arrow begins here: a mark, and the length of a message, which no text has.
fn is_arrow_stream(sample: &[u8]) -> bool {
    matches!(sample, [0xff, 0xff, 0xff, 0xff, _, _, _, 0, ..])
}

/// The archive that begins with `sample`, and how it was told. A document of an office is a zip, too,
/// but of parts, not of files.
pub(super) fn archive(sample: &[u8]) -> Option<(Archive, &'static str)> {
    if sample.starts_with(b"PK\x05\x06") {
        return Some((Archive::Zip, "archive zip: the first bytes are the end of an empty one"));
    }
    if sample.starts_with(b"PK\x03\x04") {
        let file = office::of(sample).is_none();
        return file.then_some((Archive::Zip, "archive zip: the first bytes are PK 03 04"));
    }
    super::archive::is_tar(sample)
        .then_some((Archive::Tar, "archive tar: the first block has the checksum of a member"))
}

/// What kind of file begins with `sample` (decompressed), and why.
pub(super) fn kind(
    sample: &[u8],
    hints: Hints<'_>,
    settings: &catalog::Format,
    evidence: &mut Vec<String>,
) -> Result<FormatKind, FormatError> {
    match settings.kind {
        // Which of them it is, and whether it is one, the document's own reader sees.
        Some(FormatKind::Document) => return Ok(FormatKind::Document),
        None => {
            if let Some(why) = document::recognised(sample, hints) {
                evidence.push(why.to_owned());
                return Ok(FormatKind::Document);
            }
        }
        Some(_) => {}
    }
    if let Some((kind, why)) = binary_kind(sample) {
        evidence.push(why.to_owned());
        return Ok(kind);
    }
    let json = may_be_json(sample, hints.name, settings);
    let utf16 = matches!(sample, [0, _, 0, ..] | [_, 0, _, 0, ..]);
    match memchr::memchr(0, sample) {
        // In UTF-16 every other byte is one.
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
    if let Some(found) = spreadsheet(text, hints.name) {
        let remedy =
            "Open it in a spreadsheet program, and save it as a workbook (.xlsx) or as CSV";
        return Err(FormatError::Unsupported { found, remedy });
    }
    if xml::detect::is_xml(text) || (tag && named == Some(FormatKind::Xml)) {
        evidence.push("format xml: the first bytes are elements of XML".to_owned());
        return Ok(FormatKind::Xml);
    }
    check_text(text)?;
    if named.is_some() && csv::is_table(text, whole) {
        evidence
            .push("format csv: all rows have the same cells, whatever the name says".to_owned());
        return Ok(FormatKind::Csv);
    }
    if let Some(kind) = named {
        evidence.push(match kind {
            FormatKind::Jsonl => "format jsonl: the name says so".to_owned(),
            FormatKind::Xml => "format xml: the name says so".to_owned(),
            _ => "format json: the name says so".to_owned(),
        });
        return Ok(kind);
    }
    if let Some(why) = document::sentences(text, whole, hints, settings) {
        evidence.push(why.to_owned());
        return Ok(FormatKind::Document);
    }
    Ok(FormatKind::Csv)
}

/// Tables that spreadsheet programs open and that lie neither in a workbook nor in rows of XML.
fn spreadsheet(text: &[u8], name: &str) -> Option<&'static str> {
    let begin = &text[..text.len().min(4 << 10)];
    let has = |what: &[u8]| memchr::memmem::find(begin, what).is_some();
    if has(b"urn:schemas-microsoft-com:office:spreadsheet") && has(b"Workbook") {
        return Some("an XML spreadsheet of Excel 2003");
    }
    let name = name.to_ascii_lowercase();
    let is_workbook = [".xls", ".xlsx"].iter().any(|end| name.ends_with(end));
    let tag = matches!(text.trim_ascii_start(), [b'<', b'a'..=b'z' | b'A'..=b'Z' | b'!', ..]);
    let begin = begin.to_ascii_lowercase();
    let table =
        [&b"<table"[..], b"<html"].iter().any(|it| memchr::memmem::find(&begin, it).is_some());
    (is_workbook && tag && table).then_some("HTML that is named as a workbook")
}

/// The kinds that say what they are. No text begins like them, so they win over a stated kind.
fn binary_kind(sample: &[u8]) -> Option<(FormatKind, &'static str)> {
    if let Some(Office::Workbook(_) | Office::Package) = office::of(sample) {
        return Some((FormatKind::Excel, "format excel: the first parts are those of a workbook"));
    }
    if sample.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return Some((FormatKind::Excel, "format excel: the first bytes are D0 CF 11 E0 (OLE)"));
    }
    // `PAR1` could be the name of a column; no text has a zero soon after it.
    let is_parquet = sample.starts_with(b"PAR1") || sample.starts_with(b"PARE");
    let binary = sample.starts_with(b"PAR1\x15")
        // All that is left of a file that was cut.
        || sample == b"PAR1"
        || memchr::memchr(0, &sample[..sample.len().min(64)]).is_some();
    if is_parquet && binary {
        return Some((FormatKind::Parquet, "format parquet: the first bytes are PAR1"));
    }
    sample
        .starts_with(b"Obj\x01")
        .then_some((FormatKind::Avro, "format avro: the first bytes are Obj 01"))
}

/// Whether a text is to be read as JSON also if it holds NUL bytes: there each has a place, and is a mistake
/// of its row, while other texts are refused for it. The definition says so; or the name does, and the text
/// begins so.
pub(super) fn may_be_json(sample: &[u8], name: &str, settings: &catalog::Format) -> bool {
    let is_json = |kind| matches!(kind, Some(FormatKind::Json | FormatKind::Jsonl));
    let text = sample.strip_prefix(BOM).unwrap_or(sample).trim_ascii_start();
    let begins = matches!(text.first(), Some(b'{' | b'['));
    is_json(settings.kind) || (settings.kind.is_none() && begins && is_json(named(name)))
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
    if is_arrow_stream(sample) {
        return Err(FormatError::Unsupported { found: ARROW, remedy: CONVERT_TABLE });
    }
    if let Some(found) = office::of(sample) {
        return Err(FormatError::Unsupported { found: found.name(), remedy: CONVERT });
    }
    check_encoding(sample)
}

pub(super) fn check_encoding(sample: &[u8]) -> Result<(), FormatError> {
    // The mark of UTF-32 little endian begins with that of UTF-16.
    let found = if sample.starts_with(b"\xff\xfe\0\0") || sample.starts_with(b"\0\0\xfe\xff") {
        "utf-32 (by its byte order mark)"
    } else if memchr::memchr(0, sample).is_some() {
        return Err(FormatError::Unsupported {
            found: "binary, or text with NUL bytes",
            remedy: "Export the table as CSV in UTF-8, without NUL bytes",
        });
    } else {
        return Ok(());
    };
    Err(FormatError::UnsupportedEncoding { found })
}

/// Texts that are no table, and what they begin with.
const TEXTS: &[(&[u8], &str, &str)] = &[
    (b"{\\rtf", "a document in the Rich Text Format", "Save it as .docx or PDF"),
    (b"%!PS", "a PostScript file", "Save it as PDF"),
    (
        b"MIME-Version:",
        "a web archive or a message (MIME)",
        "Open it with the program that it is from, and save it as a workbook (.xlsx) or as CSV",
    ),
    (b"BEGIN:VCALENDAR", "a calendar (iCalendar)", CONVERT),
    (b"BEGIN:VCARD", "address cards (vCard)", CONVERT),
];

/// Refuses XML and HTML, which a CSV file could only begin like by a rare accident, and other texts
/// that are no table.
fn check_text(sample: &[u8]) -> Result<(), FormatError> {
    for (signature, found, remedy) in TEXTS {
        if sample.trim_ascii_start().starts_with(signature) {
            return Err(FormatError::Unsupported { found, remedy });
        }
    }
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
    use crate::format::Expected;

    fn kind_of(sample: &[u8], name: &str) -> Result<FormatKind, FormatError> {
        kind(sample, Hints::named(name), &catalog::Format::default(), &mut Vec::new())
    }

    fn found(sample: &[u8]) -> String {
        kind_of(sample, "a.csv").err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn other_kinds_are_named() {
        for (sample, name) in [
            (&b"7z\xbc\xaf\x27\x1c\0\x04"[..], "7z"),
            (b"Rar!\x1a\x07\x01\0", "RAR"),
            (b"\x1f\x9d\x90", ".Z"),
            (b"\x04\x22\x4d\x18d@", "lz4"),
            (b"ARROW1\0\0\xff\xff\xff\xff\x68\x01\0\0", "Arrow"),
            (b"\xff\xff\xff\xff\x68\x01\0\0\x10\0\0\0", "Arrow"),
            (b"FEA1\0\0\0\0\x01", "Feather"),
            (b"\xff\xfe\0\0a\0\0\0", "utf-32"),
            (b"a\0,\0\0\0", "NUL"),
            (b"a,b\n1,\x00\n", "NUL"),
            (b"<!DOCTYPE html>", "HTML"),
            (b"<html><body><p>x</p></body></html>", "HTML"),
            (b"<?xml version=\"1.0\"?><!DOCTYPE html PUBLIC ''><html></html>", "HTML"),
            (b"{\\rtf1\\ansi x\\par}", "Rich Text"),
            (b"MIME-Version: 1.0\r\nX-Document-Type: Workbook\r\n", "web archive"),
            (
                b"<?xml version=\"1.0\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\"/>",
                "XML spreadsheet",
            ),
            (b"BEGIN:VCARD\r\nVERSION:3.0\r\n", "vCard"),
        ] {
            assert!(found(sample).contains(name), "{name}: {}", found(sample));
        }
    }

    #[test]
    fn a_table_that_is_named_otherwise_is_a_table() {
        let table = b"id,name\n1,Ann\n2,Bob\n";
        for name in ["a.json", "a.jsonl.gz", "a.xml"] {
            assert_eq!(kind_of(table, name).ok(), Some(FormatKind::Csv), "{name}");
        }
        assert_eq!(kind_of(b"id: 1\nname: Ann\n", "a.json").ok(), Some(FormatKind::Json));
    }

    #[test]
    fn what_says_itself_what_it_is_needs_no_name() {
        use FormatKind::{Avro, Excel, Parquet};
        let xlsx = office::tests::zip(&["[Content_Types].xml", "xl/workbook.xml"]);
        for (sample, kind) in [
            (&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1.."[..], Excel),
            (&xlsx, Excel),
            (b"PAR1\x15\x04", Parquet),
            (b"PARE\x15\0", Parquet),
            (b"Obj\x01\x04", Avro),
        ] {
            assert_eq!(kind_of(sample, "a.csv").ok(), Some(kind), "{kind:?}");
            assert!(is_binary(sample), "{kind:?}");
        }
        assert_eq!(kind_of(b"PAR1", "a.parquet").ok(), Some(Parquet), "cut after its first bytes");
        assert!(!is_binary(b"PAR1,PAR2\n1,2\n"));
    }

    #[test]
    fn html_that_is_named_as_a_workbook_gives_no_rows_of_tags() {
        let error = kind_of(b"<table><tr><td>id</td></tr></table>", "a.xls").err();
        assert!(error.is_some_and(|error| error.to_string().contains("HTML")));
    }

    #[test]
    fn text_that_looks_alike_is_text() {
        for sample in [
            &b""[..],
            b"PAR1,PAR2\n1,2\n",
            b"ARROW1,FEA1\n1,2\n",
            b"FEA1,ARROW1\n1,2\n",
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
    fn a_letter_named_txt_is_a_document_unless_a_table_is_asked_for() {
        let letter = b"Dear Ms. Hopper,\n\nthank you for your letter, which I read with joy.\n";
        let stated = catalog::Format { header: Some(true), ..catalog::Format::default() };
        let fields = [catalog::Field::default()];
        let table = Expected { encoding: None, delimiter: Some(",".to_owned()), header: None };
        let named = Hints::named("a.txt");
        for (hints, settings, expected) in [
            (named, &catalog::Format::default(), FormatKind::Document),
            (Hints::named("A.TXT.gz"), &catalog::Format::default(), FormatKind::Document),
            (Hints::named("a.csv"), &catalog::Format::default(), FormatKind::Csv),
            (named, &stated, FormatKind::Csv),
            (Hints { fields: &fields, ..named }, &catalog::Format::default(), FormatKind::Csv),
            (
                Hints { expected: Some(&table), ..named },
                &catalog::Format::default(),
                FormatKind::Csv,
            ),
        ] {
            let found = super::kind(letter, hints, settings, &mut Vec::new());
            assert_eq!(found.ok(), Some(expected), "{hints:?} {settings:?}");
        }
    }

    #[test]
    fn what_is_stated_is_not_looked_for() {
        for kind in [FormatKind::Csv, FormatKind::Json, FormatKind::Jsonl] {
            let settings = catalog::Format { kind: Some(kind), ..catalog::Format::default() };
            for sample in [&b"{\"a\":1}"[..], b"a,b", b"{}\n{}\n"] {
                let hints = Hints::named("a.json");
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
