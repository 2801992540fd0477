//! Which zip is no archive of files but a document of an office, by the names of the parts that its first
//! bytes show.

use flate2::{Decompress, FlushDecompress, Status};

const LOCAL: &[u8] = b"PK\x03\x04";

/// Bytes that a part may expand to when its end is looked for.
const MOST: u64 = 8 << 20;

/// A document of an office, which is a zip of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Office {
    /// A table, of this kind.
    Workbook(&'static str),
    /// A document of Word.
    Word,
    /// Parts that say nothing are all that was seen; a workbook may have its own at any path.
    Package,
    /// None of these.
    Other(&'static str),
}

impl Office {
    /// What it is, for people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Workbook(name) | Self::Other(name) => name,
            Self::Word => "a Word document (.docx)",
            Self::Package => "an office document",
        }
    }
}

/// Which office's document the zip is, by the names of the parts that `sample` shows.
pub(super) fn of(sample: &[u8]) -> Option<Office> {
    let mut parts = Parts { left: sample };
    let (first, name) = parts.next()?;
    if name == b"mimetype" {
        let of = |kind: &[u8]| memchr::memmem::find(&first[..first.len().min(200)], kind).is_some();
        return Some(if of(b"opendocument.spreadsheet") {
            Office::Workbook("an OpenDocument spreadsheet (.ods)")
        } else if of(b"opendocument.text") {
            Office::Other("an OpenDocument text (.odt)")
        } else if of(b"opendocument") {
            Office::Other("an OpenDocument file")
        } else if of(b"epub") {
            Office::Other("an e-book (.epub)")
        } else {
            return None;
        });
    }
    let (mut package, mut foreign) = (false, false);
    let mut found = None;
    for name in std::iter::once(name).chain(parts.map(|(_, name)| name)) {
        // Some tools of Windows write their own separator.
        let name = String::from_utf8_lossy(name).replace('\\', "/");
        let is = |folder: &str, part: &str| name.starts_with(folder) || name.ends_with(part);
        let of = if name.ends_with("workbook.bin") {
            Office::Workbook("an Excel workbook (.xlsb)")
        } else if is("xl/", "workbook.xml") {
            Office::Workbook("an Excel workbook (.xlsx)")
        } else if is("word/", "document.xml") {
            Office::Word
        } else if is("ppt/", "presentation.xml") {
            Office::Other("a PowerPoint presentation (.pptx)")
        } else {
            match name.as_str() {
                "[Content_Types].xml" => package = true,
                "_rels/.rels" => found = found.or(Some(Office::Package)),
                other => {
                    let folders = ["_rels/", "docProps/", "customXml/"];
                    foreign |= !folders.iter().any(|folder| other.starts_with(folder));
                }
            }
            continue;
        };
        // The first part that tells, unless it is a better one.
        if found.is_none_or(|found| found == Office::Package) || of.name().contains(".xlsb") {
            found = Some(of);
        }
    }
    match package {
        true => found.or(Some(Office::Package)),
        // Files, among which there may be such names.
        false => found.filter(|_| !foreign),
    }
}

/// The parts of a zip, from header to header: what lies within a part is not looked at, as that may be a
/// zip, too.
struct Parts<'s> {
    /// What follows the part before.
    left: &'s [u8],
}

impl<'s> Iterator for Parts<'s> {
    /// The part from its header on, and its name.
    type Item = (&'s [u8], &'s [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let part = self.left;
        if !part.starts_with(LOCAL) {
            return None;
        }
        let short = |at: usize| Some(u16::from_le_bytes([*part.get(at)?, *part.get(at + 1)?]));
        let (flags, method) = (short(6)?, short(8)?);
        let (low, high) = (short(18)?, short(20)?);
        let end_of_name = 30 + usize::from(short(26)?);
        let name = part.get(30..end_of_name)?;
        let data = part.get(end_of_name + usize::from(short(28)?)..).unwrap_or_default();
        // With this flag the length follows the data.
        let rest = match (flags & 8 != 0, method) {
            (false, _) => data.get((usize::from(high) << 16) | usize::from(low)..),
            (true, 8) => after_deflated(data),
            (true, _) => None,
        };
        self.left = rest.unwrap_or_default();
        Some((part, name))
    }
}

/// What follows deflated data of unknown length and the record behind it.
fn after_deflated(data: &[u8]) -> Option<&[u8]> {
    let mut inflate = Decompress::new(false);
    let mut into = vec![0; 32 << 10];
    while inflate.total_out() < MOST {
        let at = usize::try_from(inflate.total_in()).ok()?;
        let before = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(data.get(at..)?, &mut into, FlushDecompress::None).ok()?;
        if status == Status::StreamEnd {
            let rest = data.get(usize::try_from(inflate.total_in()).ok()?..)?;
            // The record has 12 to 24 bytes.
            let next = memchr::memmem::find(&rest[..rest.len().min(28)], LOCAL)?;
            return Some(&rest[next..]);
        }
        if before == (inflate.total_in(), inflate.total_out()) {
            return None;
        }
    }
    None
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::sniff;
    use super::*;

    /// The beginning of a member in a zip.
    fn part(name: &str) -> Vec<u8> {
        let mut part = b"PK\x03\x04".to_vec();
        part.extend([0; 22]);
        part.extend((name.len() as u16).to_le_bytes());
        part.extend([0; 2]);
        part.extend(name.as_bytes());
        part
    }

    /// The beginning of a zip with these members, which are empty.
    pub(in crate::format) fn zip(names: &[&str]) -> Vec<u8> {
        names.iter().flat_map(|name| part(name)).collect()
    }

    #[test]
    fn an_office_document_is_no_archive_of_files() {
        for (names, found) in [
            (&["[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"][..], Some(".xlsx")),
            (&["xl/worksheets/sheet1.xml"], Some(".xlsx")),
            (&["docProps/app.xml", "xl/workbook.bin"], Some(".xlsb")),
            (&["docProps\\app.xml", "xl\\charts\\chart1.xml"], Some(".xlsx")),
            (&["_rels/.rels", "word/document.xml"], Some(".docx")),
            (&["[Content_Types].xml", "3D/model.xml"], Some("office")),
            (&["sheet1.xml", "workbook.xml", "_rels/.rels", "[Content_Types].xml"], Some(".xlsx")),
            (&["a.csv", "xl/notes.csv"], None),
            (&["xl/notes.csv", "a.csv"], None),
            (&["mimetype"], None),
        ] {
            let sample = zip(names);
            assert_eq!(sniff::archive(&sample).is_none(), found.is_some(), "{names:?}");
            let named = of(&sample).map(Office::name).unwrap_or_default();
            assert!(named.contains(found.unwrap_or_default()), "{names:?}: {named}");
        }
        let ods = [zip(&["mimetype"]), b"application/vnd.oasis.opendocument.spreadsheet".to_vec()];
        assert!(of(&ods.concat()).is_some_and(|found| found.name().contains(".ods")));
    }

    #[test]
    fn what_lies_within_a_part_does_not_tell() {
        use std::io::Write;
        let inner = zip(&["[Content_Types].xml", "xl/workbook.xml"]);
        let header = |flags: u8, method: u8, length: usize| {
            let mut header = part("a.bin");
            (header[6], header[8]) = (flags, method);
            header[18..22].copy_from_slice(&(length as u32).to_le_bytes());
            header
        };
        // Level 0: deflated, and still there as it is.
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(0));
        encoder.write_all(&inner).expect("deflated");
        let deflated = encoder.finish().expect("deflated");
        let known = [header(0, 0, inner.len()), inner.clone(), part("b.csv")].concat();
        let streamed = [header(8, 8, 0), deflated.clone(), vec![1; 12], part("b.csv")].concat();
        let unknown = [header(8, 0, 0), inner, part("b.csv")].concat();
        for sample in [known, streamed, unknown] {
            assert_eq!(of(&sample), None);
        }
        let package = [header(8, 8, 0), deflated, vec![1; 16], part("xl/workbook.bin")].concat();
        assert_eq!(Parts { left: &package }.count(), 2);
    }
}
