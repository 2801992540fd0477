//! Why a file could not be read as rows: what, where, and what to do about it.

use std::io;

use super::json::JsonProblem;
use super::{Archive, Compression};
use crate::failure::{Disposition, Failure};

/// A limit that a file passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The name of the setting.
    pub setting: &'static str,
    /// Its value.
    pub value: u64,
}

/// Why a file could not be read (further).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The bytes did not come. The cause is the reader's own.
    #[error("reading stopped: {0}")]
    Read(#[source] io::Error),
    /// The compressed file ends before its end.
    #[error(
        "the {compression} file is cut short: it ends after {expanded} expanded bytes without its checksum"
    )]
    Truncated {
        /// How it is compressed.
        compression: Compression,
        /// Bytes that came out before.
        expanded: u64,
    },
    /// The compressed file is damaged.
    #[error("the {compression} file is damaged after {expanded} expanded bytes: {cause}")]
    Corrupt {
        /// How it is compressed.
        compression: Compression,
        /// Bytes that came out before.
        expanded: u64,
        /// What the decoder said.
        cause: String,
    },
    /// Something that is neither compressed data nor padding follows compressed data.
    #[error("other bytes follow the {compression} data, after {expanded} expanded bytes")]
    Trailing {
        /// How it is compressed.
        compression: Compression,
        /// Bytes that came out before.
        expanded: u64,
    },
    /// What comes out of the compressed file is compressed again.
    #[error("the file is compressed twice: {inner} within {outer}")]
    CompressedTwice {
        /// How the file is compressed.
        outer: Compression,
        /// How what comes out of it is.
        inner: Compression,
    },
    /// The file was compressed so that a decoder needs too much memory.
    #[error("the {compression} file takes more memory to decode than {} = {} bytes", .limit.setting, .limit.value)]
    DecoderMemory {
        /// How it is compressed.
        compression: Compression,
        /// The limit.
        limit: Limit,
    },
    /// The archive ends before its end.
    #[error("the {archive} archive is cut short: {cause}")]
    ArchiveTruncated {
        /// What archive it is.
        archive: Archive,
        /// What is missing.
        cause: String,
    },
    /// The archive is damaged.
    #[error("the {archive} archive is damaged: {cause}")]
    ArchiveCorrupt {
        /// What archive it is.
        archive: Archive,
        /// What is wrong.
        cause: String,
    },
    /// The archive has no member that is read.
    #[error("the {archive} archive has no member that is read: {why}")]
    NoMembers {
        /// What archive it is.
        archive: Archive,
        /// What it has instead.
        why: String,
    },
    /// The archive has too many members.
    #[error("the archive has more than {} = {} members", .limit.setting, .limit.value)]
    TooManyMembers {
        /// The limit.
        limit: Limit,
    },
    /// A member of the archive has too long a name.
    #[error("a member of the archive has a name of {length} bytes, over the limit {} = {}", .limit.setting, .limit.value)]
    MemberName {
        /// Bytes of the name.
        length: u64,
        /// The limit.
        limit: Limit,
    },
    /// There are archives in archives in archives.
    #[error("the archive lies deeper than {} = {} archives within one another", .limit.setting, .limit.value)]
    NestedTooDeep {
        /// The limit.
        limit: Limit,
    },
    /// The member is encrypted.
    #[error("the member is encrypted")]
    MemberEncrypted,
    /// The member is stored in a way that is not read.
    #[error("the member is packed with {method}, which is not read")]
    MemberMethod {
        /// The way.
        method: String,
    },
    /// The member is not what the archive says of it.
    #[error("the member is damaged: {cause}")]
    MemberCorrupt {
        /// What is wrong.
        cause: String,
    },
    /// What went wrong in a member of an archive.
    #[error("member \"{member}\": {cause}")]
    Member {
        /// The member's path.
        member: String,
        /// What went wrong.
        #[source]
        cause: Box<FormatError>,
    },
    /// A compressed file expands beyond what is allowed.
    #[error("the file expands to more than {expanded} bytes from {compressed}, over the limit {} = {}", .limit.setting, .limit.value)]
    ExpandsTooFar {
        /// Bytes that came out.
        expanded: u64,
        /// Bytes that went in.
        compressed: u64,
        /// The limit.
        limit: Limit,
    },
    /// A file that must be kept whole is too large for that.
    #[error("the file has more than {} = {} bytes, and its format can only be read when it is at hand as a whole", .limit.setting, .limit.value)]
    TooLargeToSpool {
        /// The limit.
        limit: Limit,
    },
    /// The text is not in UTF-8.
    #[error("unsupported encoding {found}")]
    UnsupportedEncoding {
        /// The encoding.
        found: &'static str,
    },
    /// The file is of a kind that is not read.
    #[error("unsupported format: the file is {found}")]
    Unsupported {
        /// What it is.
        found: &'static str,
        /// What to do about it.
        remedy: &'static str,
    },
    /// The file is encrypted.
    #[error("the file is encrypted: {found}")]
    Encrypted {
        /// What it is.
        found: &'static str,
    },
    /// A file that is more than text is cut short, or damaged, or not what its beginning says.
    #[error("the {kind} cannot be read {place}: {problem}", place = after(*.row))]
    Damaged {
        /// The kind of file.
        kind: &'static str,
        /// Rows that were read before.
        row: u64,
        /// What its reader said.
        problem: Box<str>,
    },
    /// To read the file takes more memory than is allowed.
    #[error("{problem}, over the limit {} = {}", .limit.setting, .limit.value)]
    TakesTooMuch {
        /// What takes how much.
        problem: Box<str>,
        /// The limit.
        limit: Limit,
    },
    /// The workbook does not have the sheet.
    #[error("the workbook has no sheet {wanted}; it has {found}")]
    NoSuchSheet {
        /// The sheet of the definition.
        wanted: Box<str>,
        /// The sheets there are.
        found: Box<str>,
    },
    /// One row passes a limit.
    #[error("row {row} passes the limit {} = {}", .limit.setting, .limit.value)]
    RowTooLarge {
        /// The row's number.
        row: u64,
        /// The limit.
        limit: Limit,
    },
    /// One row is too long.
    #[error("the row that begins on line {line} (byte {byte_offset}) is longer than {} = {} bytes", .limit.setting, .limit.value)]
    RowTooLong {
        /// The row's first line.
        line: u64,
        /// The offset of its first byte.
        byte_offset: u64,
        /// The limit.
        limit: Limit,
    },
    /// One row has too many cells.
    #[error("the row that begins on line {line} (byte {byte_offset}) has more than {} = {} cells", .limit.setting, .limit.value)]
    TooManyColumns {
        /// The row's first line.
        line: u64,
        /// The offset of its first byte.
        byte_offset: u64,
        /// The limit.
        limit: Limit,
    },
    /// A text is not JSON.
    #[error("the file is not JSON on line {line}, column {column} (byte {byte_offset}): {problem}")]
    Json {
        /// The line.
        line: u64,
        /// The place in the line, in bytes, from 1.
        column: u64,
        /// The offset of the byte.
        byte_offset: u64,
        /// What is wrong there.
        problem: JsonProblem,
    },
    /// A text is not XML.
    #[error(
        "the file is not XML that can be read on line {line}, column {column} (byte {byte_offset}): {problem}"
    )]
    Xml {
        /// The line.
        line: u64,
        /// The place in the line, in bytes, from 1.
        column: u64,
        /// The offset of the byte.
        byte_offset: u64,
        /// What is wrong there.
        problem: String,
    },
    /// A text says of itself that it is in another encoding.
    #[error("unsupported encoding {declared:?}, which the file declares")]
    DeclaredEncoding {
        /// What it says.
        declared: String,
    },
    /// Things lie in each other, too many times.
    #[error("what lies in each other on line {line} (byte {byte_offset}) is deeper than {} = {}", .limit.setting, .limit.value)]
    TooDeep {
        /// The line.
        line: u64,
        /// The offset of the one that is too deep.
        byte_offset: u64,
        /// The limit.
        limit: Limit,
    },
    /// The path of the rows leads nowhere.
    #[error("nothing is at format.rows = {path:?}; the document begins with {}", names(.found))]
    RowsNotFound {
        /// The path.
        path: String,
        /// Names that are in the document.
        found: Vec<String>,
    },
    /// Where the rows are was found in the first bytes, and what follows could be rows as well.
    #[error("a second list that could be the rows begins on line {line} (byte {byte_offset})")]
    RowsAmbiguous {
        /// The line.
        line: u64,
        /// The offset of the first thing in it.
        byte_offset: u64,
    },
    /// The row that names the columns cannot be read.
    #[error("the header on line {line} (byte {byte_offset}) {problem}")]
    Header {
        /// The header's first line.
        line: u64,
        /// The offset of its first byte.
        byte_offset: u64,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A document asks for more than is allowed.
    #[error("the document has more {what} than {} = {}", .limit.setting, .limit.value)]
    DocumentLimit {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: Limit,
    },
    /// A document cannot be read without a password.
    #[error("the {kind} is encrypted")]
    DocumentEncrypted {
        /// What it is.
        kind: &'static str,
    },
    /// A document is damaged, cut short, or made to lead its readers astray.
    #[error("the {kind} is damaged: {problem}")]
    DocumentDamaged {
        /// What it is.
        kind: &'static str,
        /// What is wrong with it, and where.
        problem: Box<str>,
    },
    /// A text is not in UTF-8.
    #[error("the text is not UTF-8 on line {line} (byte {byte_offset})")]
    DocumentNotUtf8 {
        /// The line, from 1.
        line: u64,
        /// The offset of the first byte that is not.
        byte_offset: u64,
    },
    /// Settings that cannot be meant.
    #[error("the delimiter {delimiter:?} cannot separate cells{}", beside(.quote))]
    Dialect {
        /// The delimiter.
        delimiter: String,
        /// The quote, if there are quotes.
        quote: Option<char>,
    },
}

/// What zstd says of a frame that needs a dictionary.
const ZSTD_DICTIONARY: &str = "Dictionary mismatch";

fn beside(quote: &Option<char>) -> String {
    quote.map(|quote| format!(" beside the quote {quote} and its escape")).unwrap_or_default()
}

impl FormatError {
    /// The same, in a member of an archive.
    pub(super) fn within(self, member: &str) -> Self {
        match self {
            // The archive itself did not come.
            Self::Read(cause) => Self::Read(cause),
            cause => Self::Member { member: member.to_owned(), cause: Box::new(cause) },
        }
    }

    /// The stable word for this cause.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read(_) => "read_failed",
            Self::Truncated { compression, .. } => match compression {
                Compression::Zstd => "zstd_truncated",
                Compression::Bzip2 => "bzip2_truncated",
                Compression::Xz => "xz_truncated",
                Compression::Gzip | Compression::None => "gzip_truncated",
            },
            Self::Corrupt { compression, .. } => match compression {
                Compression::Zstd => "zstd_corrupt",
                Compression::Bzip2 => "bzip2_corrupt",
                Compression::Xz => "xz_corrupt",
                Compression::Gzip | Compression::None => "gzip_corrupt",
            },
            Self::Trailing { compression, .. } => match compression {
                Compression::Zstd => "zstd_trailing_bytes",
                Compression::Bzip2 => "bzip2_trailing_bytes",
                Compression::Xz => "xz_trailing_bytes",
                Compression::Gzip | Compression::None => "gzip_trailing_bytes",
            },
            Self::CompressedTwice { .. } => "compressed_twice",
            Self::DecoderMemory { .. } => "decoder_memory",
            Self::ArchiveTruncated { archive: Archive::Zip, .. } => "zip_truncated",
            Self::ArchiveTruncated { archive: Archive::Tar, .. } => "tar_truncated",
            Self::ArchiveCorrupt { archive: Archive::Zip, .. } => "zip_corrupt",
            Self::ArchiveCorrupt { archive: Archive::Tar, .. } => "tar_corrupt",
            Self::NoMembers { .. } => "no_members",
            Self::TooManyMembers { .. } => "too_many_members",
            Self::MemberName { .. } => "member_name_too_long",
            Self::NestedTooDeep { .. } => "nested_too_deep",
            Self::MemberEncrypted => "encrypted",
            Self::MemberMethod { .. } => "unsupported_compression",
            Self::MemberCorrupt { .. } => "member_corrupt",
            Self::Member { cause, .. } => cause.code(),
            Self::ExpandsTooFar { .. } => "expands_too_far",
            Self::TooLargeToSpool { .. } => "too_large_to_spool",
            Self::UnsupportedEncoding { .. } => "unsupported_encoding",
            Self::Unsupported { .. } => "unsupported_format",
            Self::Encrypted { .. } => "encrypted",
            Self::Damaged { .. } => "damaged",
            Self::TakesTooMuch { .. } => "takes_too_much_memory",
            Self::NoSuchSheet { .. } => "no_such_sheet",
            Self::RowTooLarge { .. } => "row_too_large",
            Self::RowTooLong { .. } => "row_too_long",
            Self::TooManyColumns { .. } => "too_many_columns",
            Self::Json { .. } => "invalid_json",
            Self::Xml { .. } => "invalid_xml",
            Self::DeclaredEncoding { .. } => "unsupported_encoding",
            Self::TooDeep { .. } => "too_deep",
            Self::RowsNotFound { .. } => "rows_not_found",
            Self::RowsAmbiguous { .. } => "rows_ambiguous",
            Self::Header { .. } => "invalid_header",
            Self::DocumentLimit { .. } => "document_limit",
            Self::DocumentEncrypted { .. } => "document_encrypted",
            Self::DocumentDamaged { .. } => "document_damaged",
            Self::DocumentNotUtf8 { .. } => "invalid_utf8",
            Self::Dialect { .. } => "invalid_dialect",
        }
    }

    /// What the reader can do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Read(_) => "It is tried again".into(),
            Self::Truncated { compression, .. } => {
                format!("Upload the whole file again; `{}` tests it", compression.test())
            }
            Self::Corrupt { cause, .. } if cause == ZSTD_DICTIONARY => {
                "The file was compressed with a dictionary that is not in it: compress it without one"
                    .into()
            }
            Self::Corrupt { compression, .. } => {
                format!("Compress and upload the file again; `{}` tests it", compression.test())
            }
            Self::Trailing { compression, .. } => {
                format!("Upload the file without the bytes after its last {compression} data")
            }
            Self::CompressedTwice { .. } => "Upload the file compressed once".into(),
            Self::DecoderMemory { limit, .. } => {
                format!(
                    "Compress the file with a smaller window (a lower level), or raise {}",
                    limit.setting
                )
            }
            Self::ArchiveTruncated { archive, .. } => {
                format!("Upload the whole file again; `{}` tests it", archive.test())
            }
            Self::ArchiveCorrupt { archive, .. } => {
                format!("Pack and upload the file again; `{}` tests it", archive.test())
            }
            Self::NoMembers { .. } => {
                "Put a file into it that is read, or correct format.members".into()
            }
            Self::TooManyMembers { limit } => {
                format!("Split the archive, or raise {}", limit.setting)
            }
            Self::MemberName { limit, .. } => {
                format!("Rename the member, or raise {}", limit.setting)
            }
            Self::NestedTooDeep { limit } => {
                format!("Pack the files into one archive, or raise {}", limit.setting)
            }
            Self::MemberEncrypted => {
                "Pack the archive without a password; the bucket encrypts".into()
            }
            Self::MemberMethod { .. } => "Pack the archive with deflate, and without holes".into(),
            Self::MemberCorrupt { .. } => "Pack and upload the archive again".into(),
            Self::Member { cause, .. } => match **cause {
                Self::Unsupported { .. }
                | Self::Encrypted { .. }
                | Self::DocumentEncrypted { .. }
                | Self::MemberEncrypted
                | Self::MemberMethod { .. } => format!(
                    "{}; to leave such members out, name those that are read: format.members = \"**/*.csv\"",
                    cause.remedy()
                ),
                _ => cause.remedy(),
            },
            Self::ExpandsTooFar { limit, .. } => {
                format!("If the file is meant to be like this, raise {}", limit.setting)
            }
            Self::TooLargeToSpool { limit } => {
                format!("Split the file, or raise {}", limit.setting)
            }
            Self::Xml { .. } => {
                "Correct the file there and upload it again; if it is not XML, state format.kind"
                    .into()
            }
            Self::UnsupportedEncoding { .. } | Self::DeclaredEncoding { .. } => {
                "Save the file as UTF-8".into()
            }
            Self::Unsupported { remedy, .. } => (*remedy).into(),
            Self::Encrypted { .. } => "Upload the file without a password or key".into(),
            Self::Damaged { .. } => {
                "Open and save it with the program that it is from, and upload it again".into()
            }
            Self::TakesTooMuch { limit, .. } => format!(
                "Split the file, or export the table as CSV, or raise {} and the memory of the function",
                limit.setting
            ),
            Self::NoSuchSheet { .. } => "Correct format.sheet".into(),
            Self::RowTooLarge { limit, .. } => {
                format!("If the row is meant to be like this, raise {}", limit.setting)
            }
            Self::RowTooLong { limit, .. } => format!(
                "In CSV, look for a quote that is opened on this line and never closed; in JSON or XML, state the path to the rows in format.rows if they lie deeper. If the row is meant to be like this, raise {}",
                limit.setting
            ),
            Self::TooManyColumns { limit, .. } => {
                format!("Check format.delimiter: no row may have more than {} cells", limit.value)
            }
            Self::Json { .. } => {
                "Correct the file there and upload it again; if it is not JSON, state format.kind"
                    .into()
            }
            Self::TooDeep { limit, .. } => {
                format!("Upload the file with less nesting than {}", limit.value)
            }
            Self::RowsNotFound { .. } => {
                "Correct format.rows, the path to the rows, or the file".into()
            }
            Self::RowsAmbiguous { .. } => "State the path to the rows in format.rows".into(),
            Self::Header { problem, .. } if problem.contains("UTF-8") => {
                "State the encoding of the file as format.encoding (\"windows-1252\"), or save it as UTF-8"
                    .into()
            }
            Self::Header { problem, .. } if problem.contains("quote") => {
                "Correct the quotes; if the first line is a row, state format.header = false, and if the header is on a later one, format.skip_lines"
                    .into()
            }
            Self::Header { .. } => {
                "Correct the header, or state format.skip_lines if it is not on the first line"
                    .into()
            }
            Self::DocumentLimit { limit, .. } => {
                format!("Split the document, or raise {}", limit.setting)
            }
            Self::DocumentEncrypted { .. } => {
                "Save the document without a password or restrictions, and upload it again".into()
            }
            Self::DocumentDamaged { .. } => {
                "Open the document, save it anew, and upload it again".into()
            }
            Self::DocumentNotUtf8 { .. } => "Save the file as UTF-8".into(),
            Self::Dialect { .. } => {
                "State as delimiter one or two characters that are no line end, and as quote and escape \
                 ASCII characters that are not in it"
                    .into()
            }
        }
    }

    /// What becomes of the work.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Read(_) => Disposition::Retry,
            Self::Member { cause, .. } => cause.disposition(),
            // Another version of the file, of Inlet or of the definition may pass.
            Self::Unsupported { .. }
            | Self::UnsupportedEncoding { .. }
            | Self::DeclaredEncoding { .. }
            | Self::RowsNotFound { .. }
            | Self::RowsAmbiguous { .. }
            | Self::CompressedTwice { .. }
            | Self::NoMembers { .. }
            | Self::MemberEncrypted
            | Self::MemberMethod { .. }
            | Self::Encrypted { .. }
            | Self::DocumentEncrypted { .. }
            | Self::NoSuchSheet { .. }
            | Self::Dialect { .. } => Disposition::Park,
            _ => Disposition::DeadLetter,
        }
    }

    /// The same in the shape that the ledger and the command line show.
    pub fn failure(&self) -> Failure {
        Failure::new(self.code(), self.to_string(), self.remedy(), self.disposition())
    }
}

fn names(found: &[String]) -> String {
    match found {
        [] => "no names at all".to_owned(),
        found => found.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", "),
    }
}

fn after(row: u64) -> String {
    match row {
        0 => "before its first row".to_owned(),
        row => format!("after row {row}"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::catalog::Format;
    use crate::format::{Hints, Limits, open};

    /// The failure of the first rows of a file.
    fn failure(name: &str, bytes: &[u8]) -> Failure {
        let input = Cursor::new(bytes.to_vec());
        let limits = Limits { max_row_bytes: 1000, ..Limits::default() };
        match open(input, Hints::named(name), &Format::default(), limits) {
            Err(error) => error.failure(),
            Ok((mut rows, _)) => loop {
                match rows.next() {
                    Ok(row) => assert!(row.is_some(), "{name} is read to its end"),
                    Err(error) => break error.failure(),
                }
            },
        }
    }

    #[track_caller]
    fn told(name: &str, bytes: &[u8], code: &str, remedy: &str) {
        let failure = failure(name, bytes);
        assert_eq!(failure.code, code, "{failure:?}");
        assert!(failure.remedy.contains(remedy), "{failure:?}");
    }

    #[test]
    fn a_row_that_is_too_long_is_told_with_what_helps_in_its_format() {
        let long = "x".repeat(2000);
        for (name, text) in [
            ("a.csv", format!("a,b\n1,2\n3,\"{long}")),
            ("a.json", format!("[{{\"a\":\"{long}\"}}]")),
            ("a.jsonl", format!("{{\"a\":1}}\n{{\"a\":\"{long}\"}}\n")),
        ] {
            let code = "row_too_long";
            told(name, text.as_bytes(), code, "In CSV, look for a quote");
            told(name, text.as_bytes(), code, "in JSON or XML, state the path to the rows");
            told(name, text.as_bytes(), code, "raise max_row_bytes");
        }
    }

    #[test]
    fn a_header_that_cannot_be_read_is_told_with_the_setting_that_helps() {
        let mut bytes = b"caf\xe9,na\xefve\n".to_vec();
        bytes.extend("Zo\u{eb},M\u{fc}ller\n".repeat(50).into_bytes());
        told("a.csv", &bytes, "invalid_header", "format.encoding");
        told("a.csv", b"\"id,name\n1,x\n2,y\n", "invalid_header", "format.header = false");
    }

    #[test]
    fn a_frame_of_zstd_that_needs_a_dictionary_says_so() {
        // One segment of five bytes, made with the dictionary number 7.
        let frame = b"\x28\xb5\x2f\xfd\x21\x07\x05\x29\0\0a,b\n1";
        told("a.csv.zst", frame, "zstd_corrupt", "compress it without one");
    }
}
