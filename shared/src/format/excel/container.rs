//! What kind of container a file is: the members of a zip archive, the streams of an OLE file.

use std::io::{Read, Seek, SeekFrom};

use zip::ZipArchive;

use super::super::{FormatError, Spool};

/// Bytes of a zip archive's directory: more are no workbook.
const DIRECTORY: u64 = 16 << 20;

const WORKBOOK: &str = "workbook";

/// The formats of workbooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Xlsx,
    Xlsb,
    Ods,
    Xls,
}

impl Kind {
    /// The name for people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Xlsx => "Excel workbook (xlsx)",
            Self::Xlsb => "Excel workbook (xlsb)",
            Self::Ods => "OpenDocument spreadsheet (ods)",
            Self::Xls => "Excel workbook (xls)",
        }
    }
}

const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// Looks at what the container holds.
pub(super) fn kind(spool: &mut Spool) -> Result<Kind, FormatError> {
    let mut begin = [0; 8];
    spool.rewind().map_err(FormatError::Read)?;
    let length = read_up_to(spool, &mut begin).map_err(FormatError::Read)?;
    spool.rewind().map_err(FormatError::Read)?;
    if begin[..length] == *OLE {
        return ole_kind(spool);
    }
    zip_kind(spool)
}

fn read_up_to(from: &mut impl Read, into: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match from.read(&mut into[filled..])? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(filled)
}

fn zip_kind(spool: &mut Spool) -> Result<Kind, FormatError> {
    check_directory(spool)?;
    let archive = ZipArchive::new(spool).map_err(damaged)?;
    let mut found = Vec::new();
    for name in archive.file_names() {
        let name = plain_name(&name.map_err(damaged)?);
        found.push(name);
    }
    let has = |name: &str| found.iter().any(|found| found == name);
    let under = |folder: &str| found.iter().any(|found| found.starts_with(folder));
    let found = if has("xl/workbook.bin") {
        return Ok(Kind::Xlsb);
    } else if has("content.xml") && has("meta-inf/manifest.xml") {
        // Documents and presentations have the same members; the type is told by the first.
        let mut archive = archive;
        return match mimetype(&mut archive)?.as_str() {
            "application/vnd.oasis.opendocument.spreadsheet" => Ok(Kind::Ods),
            "application/vnd.oasis.opendocument.spreadsheet-template" => {
                Err(unsupported("an OpenDocument template"))
            }
            _ => Err(unsupported("an OpenDocument file, but not a spreadsheet")),
        };
    } else if under("word/") {
        "a Word document (.docx)"
    } else if under("ppt/") {
        "a PowerPoint presentation (.pptx)"
    } else if has("[content_types].xml") && has("_rels/.rels") {
        // The workbook may have any path; its reader follows the relations.
        return Ok(Kind::Xlsx);
    } else {
        "a zip archive that is not a workbook"
    };
    Err(unsupported(found))
}

/// The name of a member as readers of workbooks compare it.
pub(super) fn plain_name(name: &str) -> String {
    name.trim_start_matches('/').replace('\\', "/").to_ascii_lowercase()
}

fn mimetype(archive: &mut ZipArchive<&mut Spool>) -> Result<String, FormatError> {
    let mut found = String::new();
    let mut member = archive.by_name("mimetype").map_err(damaged)?;
    (&mut member).take(256).read_to_string(&mut found).map_err(damaged)?;
    Ok(found.trim().to_owned())
}

fn ole_kind(spool: &mut Spool) -> Result<Kind, FormatError> {
    let file = match cfb::CompoundFile::open(&mut *spool) {
        Ok(file) => file,
        // Old programs wrote files that are not quite as they should be: the workbook's reader,
        // which is more lenient, has the last word.
        Err(_) => {
            spool.rewind().map_err(FormatError::Read)?;
            return Ok(Kind::Xls);
        }
    };
    let mut names =
        file.read_root_storage().map(|entry| entry.name().to_ascii_lowercase()).collect::<Vec<_>>();
    names.sort_unstable();
    let has = |name: &str| names.binary_search_by(|found| found.as_str().cmp(name)).is_ok();
    let found = if has("workbook") || has("book") {
        return Ok(Kind::Xls);
    } else if has("encryptedpackage") {
        return Err(FormatError::Encrypted { found: "an Office file with a password" });
    } else if has("worddocument") {
        "an old Word document (.doc)"
    } else if has("powerpoint document") {
        "an old PowerPoint presentation (.ppt)"
    } else if has("__properties_version1.0") {
        "an Outlook message (.msg)"
    } else {
        "an OLE file that is not a workbook"
    };
    Err(unsupported(found))
}

fn unsupported(found: &'static str) -> FormatError {
    FormatError::Unsupported { found, remedy: "Upload a workbook, or the table as CSV" }
}

fn damaged(problem: impl std::fmt::Display) -> FormatError {
    FormatError::Damaged { kind: WORKBOOK, row: 0, problem: problem.to_string().into() }
}

/// Refuses a zip archive with a directory that would not fit into memory.
fn check_directory(spool: &mut Spool) -> Result<(), FormatError> {
    // The record at the end, with a comment of at most 64 KiB behind it.
    let length = spool.len().min((64 << 10) + 22);
    let mut end = vec![0; length as usize];
    spool.seek(SeekFrom::End(-(length as i64))).map_err(FormatError::Read)?;
    spool.read_exact(&mut end).map_err(FormatError::Read)?;
    spool.rewind().map_err(FormatError::Read)?;
    let Some(at) = memchr::memmem::rfind(&end, b"PK\x05\x06") else {
        return Err(damaged("the zip archive is cut short: its directory is missing"));
    };
    let size = end.get(at + 12..at + 16).and_then(|bytes| bytes.try_into().ok());
    match size.map(u32::from_le_bytes) {
        Some(size) if u64::from(size) <= DIRECTORY => Ok(()),
        // An archive beyond 4 GiB, or one that says so.
        Some(u32::MAX) => Err(unsupported("a zip archive of the large kind (zip64)")),
        Some(_) => Err(unsupported("a zip archive of very many members")),
        None => Err(damaged("the zip archive is cut short: its directory is missing")),
    }
}
