//! Why a file could not be read as rows: what, where, and what to do about it.

use std::io;

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
        "the gzip file is cut short: it ends after {expanded} expanded bytes without its checksum"
    )]
    GzipTruncated {
        /// Bytes that came out before.
        expanded: u64,
    },
    /// The compressed file is damaged.
    #[error("the gzip file is damaged after {expanded} expanded bytes: {cause}")]
    GzipCorrupt {
        /// Bytes that came out before.
        expanded: u64,
        /// What the decoder said.
        cause: String,
    },
    /// Something that is neither a gzip member nor padding follows a gzip member.
    #[error("other bytes follow the gzip data, after {expanded} expanded bytes")]
    GzipTrailing {
        /// Bytes that came out before.
        expanded: u64,
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
    /// A setting that cannot be meant.
    #[error("the delimiter {delimiter:?} cannot separate cells")]
    Delimiter {
        /// The delimiter.
        delimiter: char,
    },
}

impl FormatError {
    /// The stable word for this cause.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read(_) => "read_failed",
            Self::GzipTruncated { .. } => "gzip_truncated",
            Self::GzipCorrupt { .. } => "gzip_corrupt",
            Self::GzipTrailing { .. } => "gzip_trailing_bytes",
            Self::ExpandsTooFar { .. } => "expands_too_far",
            Self::TooLargeToSpool { .. } => "too_large_to_spool",
            Self::UnsupportedEncoding { .. } => "unsupported_encoding",
            Self::Unsupported { .. } => "unsupported_format",
            Self::RowTooLong { .. } => "row_too_long",
            Self::TooManyColumns { .. } => "too_many_columns",
            Self::Header { .. } => "invalid_header",
            Self::DocumentLimit { .. } => "document_limit",
            Self::DocumentEncrypted { .. } => "document_encrypted",
            Self::DocumentDamaged { .. } => "document_damaged",
            Self::DocumentNotUtf8 { .. } => "invalid_utf8",
            Self::Delimiter { .. } => "invalid_delimiter",
        }
    }

    /// What the reader can do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Read(_) => "It is tried again".into(),
            Self::GzipTruncated { .. } => "Upload the whole file again; `gzip -t` tests it".into(),
            Self::GzipCorrupt { .. } => {
                "Compress and upload the file again; `gzip -t` tests it".into()
            }
            Self::GzipTrailing { .. } => {
                "Upload the file without the bytes after its last gzip member".into()
            }
            Self::ExpandsTooFar { limit, .. } => {
                format!("If the file is meant to be like this, raise {}", limit.setting)
            }
            Self::TooLargeToSpool { limit } => {
                format!("Split the file, or raise {}", limit.setting)
            }
            Self::UnsupportedEncoding { .. } => "Save the file as UTF-8".into(),
            Self::Unsupported { remedy, .. } => (*remedy).into(),
            Self::RowTooLong { limit, .. } => format!(
                "Look for a quote that is opened on this line and never closed: no row may be longer than {} bytes",
                limit.value
            ),
            Self::TooManyColumns { limit, .. } => {
                format!("Check format.delimiter: no row may have more than {} cells", limit.value)
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
            Self::Delimiter { .. } => {
                "State one ASCII character that is neither a quote nor a line end".into()
            }
        }
    }

    /// What becomes of the work.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Read(_) => Disposition::Retry,
            // Another version of the file, of Inlet or of the definition may pass.
            Self::Unsupported { .. }
            | Self::UnsupportedEncoding { .. }
            | Self::Delimiter { .. } => Disposition::Park,
            _ => Disposition::DeadLetter,
        }
    }

    /// The same in the shape that the ledger and the command line show.
    pub fn failure(&self) -> Failure {
        Failure::new(self.code(), self.to_string(), self.remedy(), self.disposition())
    }
}
