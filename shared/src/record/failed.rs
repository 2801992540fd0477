//! Conversions that did not come to the end of their file.

use super::error::RecordError;
use super::output::{Counters, Stopped};
use super::reject::RejectCode;
use super::unique::UniqueError;
use crate::failure::{Disposition, Failure};
use crate::format::FormatError;

/// A conversion that did not come to the end of the file.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub struct Failed {
    /// Why.
    pub cause: ConvertError,
    /// What was counted before. The records of a batch that was not full yet are among them, and
    /// were not given out.
    pub counters: Counters,
}

/// Why a conversion did not come to the end of the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// The rows ended with an error.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The columns of a part of the file do not fit the definition.
    #[error(transparent)]
    Record(Box<RecordError>),
    /// The values of unique columns cannot be remembered.
    #[error(transparent)]
    Unique(#[from] UniqueError),
    /// A row was refused, and the policy is `fail`.
    #[error("row {row}{}{}: {message} ({code})", on_line(.line), in_column(.column))]
    Rejected {
        /// The row.
        row: u64,
        /// Its line, if the format has lines.
        line: Option<u64>,
        /// The column at fault.
        column: Option<Box<str>>,
        /// Why.
        code: RejectCode,
        /// Why, for people.
        message: Box<str>,
    },
    /// More rows were refused than the policy allows.
    #[error(
        "{count} of the first {rows} rows were refused, over the limit rejects.max_count = {max_count}"
    )]
    TooManyRejects {
        /// Refused rows.
        count: u64,
        /// Rows up to the last of them.
        rows: u64,
        /// The limit.
        max_count: u64,
        /// Whether the policy keeps refused rows for people to look at.
        kept: bool,
    },
    /// A greater share of the rows was refused than the policy allows.
    #[error("{count} of {rows} rows were refused, over the limit rejects.max_ratio = {max_ratio}")]
    RejectRatio {
        /// Refused rows.
        count: u64,
        /// All rows.
        rows: u64,
        /// The limit.
        max_ratio: f64,
        /// Whether the policy keeps refused rows for people to look at.
        kept: bool,
    },
    /// The taker of the output takes no more.
    #[error("the conversion was stopped")]
    Stopped,
}

fn on_line(line: &Option<u64>) -> String {
    line.map(|line| format!(" on line {line}")).unwrap_or_default()
}

fn in_column(column: &Option<Box<str>>) -> String {
    column.as_ref().map(|column| format!(", column {column:?}")).unwrap_or_default()
}

impl From<RecordError> for ConvertError {
    fn from(error: RecordError) -> Self {
        Self::Record(Box::new(error))
    }
}

impl From<Stopped> for ConvertError {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

impl ConvertError {
    /// The same in the shape that the ledger and the command line show.
    pub fn failure(&self) -> Failure {
        let (code, remedy, disposition) = match self {
            Self::Format(error) => return error.failure(),
            Self::Record(error) => return error.failure(),
            Self::Unique(error) => return error.failure(),
            Self::Rejected { .. } => (
                "row_rejected",
                "Correct the row, or set rejects.policy = \"quarantine\" to let the others through",
                Disposition::DeadLetter,
            ),
            Self::TooManyRejects { kept, .. } | Self::RejectRatio { kept, .. } => (
                "too_many_rejects",
                match kept {
                    true => "Look at the rejects, and correct the file or the types in [fields]",
                    false => {
                        "Correct the file or the types in [fields]; to see the rejects, which \
                         rejects.policy = \"skip\" does not keep, set it to \"quarantine\""
                    }
                },
                Disposition::DeadLetter,
            ),
            Self::Stopped => ("stopped", "It is continued later", Disposition::Retry),
        };
        Failure::new(code, self.to_string(), remedy, disposition)
    }

    /// Whether a second attempt would end in the same way.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Format(error) => error.disposition() != Disposition::Retry,
            Self::Record(_) | Self::Unique(UniqueError::TooMany { .. }) => true,
            // These have given out their rejects, or nobody takes them.
            _ => false,
        }
    }
}
