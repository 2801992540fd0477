//! Why the columns of a file do not fit the definition of its source.

use crate::failure::{Disposition, Failure};

use super::reject::RejectCode;

/// Why the columns of a file do not fit the definition of its source.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A required column is not in the file.
    #[error("the required column {column:?} is not in the file, {found}")]
    MissingColumn {
        /// The column.
        column: String,
        /// The columns of the file.
        found: Columns,
    },
    /// A column is in the file that the definition does not name, and must not be there.
    #[error("{} is not in [fields], and records.unknown_columns = \"reject\"", unknown(.column, *.place))]
    UnknownColumn {
        /// The column, if the file names it.
        column: Option<String>,
        /// Its place, from 1.
        place: usize,
    },
    /// Two columns differ from the one that is named only in case and white space.
    #[error("the column {column:?} could be any of {}", list(.found))]
    AmbiguousColumn {
        /// The column.
        column: String,
        /// The columns that it could be.
        found: Vec<String>,
    },
    /// Two columns would become the same field.
    #[error("the columns {first:?} and {second:?} would both become the field {name:?}")]
    DuplicateField {
        /// The field.
        name: String,
        /// The first column.
        first: String,
        /// The second.
        second: String,
    },
    /// Two fields have the role of the unique identifier.
    #[error("the columns {first:?} and {second:?} both have the role \"id\"")]
    SeveralIds {
        /// The first column.
        first: String,
        /// The second.
        second: String,
    },
    /// A field of the definition cannot be meant.
    #[error("the field {column:?} of the definition: {problem}")]
    Definition {
        /// The column of the field.
        column: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The columns of a part of the file do not fit.
    #[error("in {part}: {cause}")]
    InPart {
        /// The part: a member, a sheet.
        part: String,
        /// Why.
        cause: Box<RecordError>,
    },
}

/// The columns of a file, as far as they may be told: what is no header is data, and data does not
/// belong in messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Columns {
    /// Their names.
    Named(Vec<String>),
    /// How many there are.
    Counted(usize),
    /// There is neither a header nor a row.
    Nothing,
}

impl std::fmt::Display for Columns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Named(names) => write!(f, "whose columns are {}", list(names)),
            Self::Counted(1) => f.write_str("which has one column and no header"),
            Self::Counted(count) => write!(f, "which has {count} columns and no header"),
            Self::Nothing => f.write_str("which is empty: it has neither a header nor a row"),
        }
    }
}

impl RecordError {
    /// The stable word for this cause.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingColumn { .. } => "missing_column",
            Self::UnknownColumn { .. } => "unknown_column",
            Self::AmbiguousColumn { .. } => "ambiguous_column",
            Self::DuplicateField { .. } => "duplicate_field",
            Self::SeveralIds { .. } => "several_ids",
            Self::Definition { .. } => "invalid_definition",
            Self::InPart { cause, .. } => cause.code(),
        }
    }

    /// The same in the shape that the ledger and the command line show.
    pub fn failure(&self) -> Failure {
        // Neither a second attempt nor time changes it: a new file or definition does.
        Failure::new(self.code(), self.to_string(), self.remedy(), Disposition::DeadLetter)
    }

    fn remedy(&self) -> String {
        match self {
            Self::MissingColumn { column, found: Columns::Named(_) } => format!(
                "Add the column to the file, or correct [fields]; if the columns found look wrong, check format.delimiter and format.header for {column:?}"
            ),
            Self::MissingColumn { found: Columns::Nothing, .. } => {
                "See why nothing was written, and upload the file again; a table that has no rows is a header alone, or [] in JSON".to_owned()
            }
            Self::MissingColumn { .. } => {
                "Name the columns in [fields] as \"column_1\", \"column_2\" and so on; if the file has a header, set format.header = true".to_owned()
            }
            Self::UnknownColumn { .. } => {
                "Add the column to [fields], or set records.unknown_columns = \"pass\" or \"drop\"".to_owned()
            }
            Self::AmbiguousColumn { .. } => {
                "Write the column in [fields] exactly as it is in the file".to_owned()
            }
            Self::DuplicateField { second, .. } => {
                format!("Give the column {second:?} another name with `as` in [fields]")
            }
            Self::SeveralIds { .. } => "Give the role \"id\" to one column".to_owned(),
            Self::Definition { .. } => "Correct the definition; `inlet validate` checks it".to_owned(),
            Self::InPart { cause, .. } => cause.remedy(),
        }
    }

    /// The code of a row whose own columns do not fit.
    pub(super) fn reject_code(&self) -> RejectCode {
        match self {
            Self::MissingColumn { .. } | Self::Definition { .. } => RejectCode::MissingColumn,
            Self::UnknownColumn { .. } => RejectCode::UnknownColumn,
            Self::AmbiguousColumn { .. } => RejectCode::AmbiguousColumn,
            Self::DuplicateField { .. } | Self::SeveralIds { .. } => RejectCode::DuplicateField,
            Self::InPart { cause, .. } => cause.reject_code(),
        }
    }

    /// What is said of such a row: keys of other rows are none of its business.
    pub(super) fn of_row(&self) -> String {
        match self {
            Self::MissingColumn { .. } => self.reject_code().meaning().to_owned(),
            other => other.to_string(),
        }
    }

    /// The column that it is about.
    pub(super) fn column(&self) -> &str {
        match self {
            Self::MissingColumn { column, .. }
            | Self::AmbiguousColumn { column, .. }
            | Self::Definition { column, .. } => column,
            Self::UnknownColumn { column, .. } => column.as_deref().unwrap_or_default(),
            Self::DuplicateField { second, .. } | Self::SeveralIds { second, .. } => second,
            Self::InPart { cause, .. } => cause.column(),
        }
    }
}

fn unknown(column: &Option<String>, place: usize) -> String {
    match column {
        Some(column) => format!("the column {} of the file", list(std::slice::from_ref(column))),
        None => format!("column {place} of the file, which has no header,"),
    }
}

fn list(names: &[String]) -> String {
    // A file read with the wrong delimiter may have thousands of columns.
    const SHOWN: usize = 50;
    // Nor need the first row be a header at all.
    const LONGEST: usize = 60;
    let quoted = |name: &String| match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}…", &name[..end]),
        None => format!("{name:?}"),
    };
    let mut text = names.iter().take(SHOWN).map(quoted).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}
