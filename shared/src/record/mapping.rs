//! Which cell becomes which field.

use std::collections::HashMap;

use super::buffer::{Buffer, Padded};
use super::json;
use crate::catalog::{Field, FieldType, Role};
use crate::failure::{Disposition, Failure};

/// Which cell of a row becomes which field of a record, and how.
///
/// Fields come in the order of the file's columns. A column is found by its name as the definition
/// writes it, else by a name that differs only in case and white space (which is noted). Columns that
/// the definition does not name go through as text under their own names.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// Cells that a row must have.
    pub(super) width: usize,
    pub(super) fields: Vec<Output>,
    /// The place in `fields` of the unique identifier.
    pub(super) id: Option<usize>,
    notes: Vec<String>,
}

/// One field of the records.
#[derive(Clone, Debug)]
pub(super) struct Output {
    /// Which cell.
    pub(super) cell: usize,
    /// The column's name in the file.
    pub(super) column: String,
    /// The field's name downstream.
    pub(super) name: String,
    /// What stands before the value: a comma (but for the first), the key, a colon.
    pub(super) prefix: Padded,
    /// The same with the quote that opens a string.
    pub(super) quoted_prefix: Padded,
    pub(super) kind: FieldType,
    pub(super) pattern: Option<String>,
    pub(super) required: bool,
}

/// Why the columns of a file do not fit the definition of its source.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A required column is not in the file.
    #[error("the required column {column:?} is not in the file, whose columns are {}", list(.found))]
    MissingColumn {
        /// The column.
        column: String,
        /// The columns of the file.
        found: Vec<String>,
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
}

impl RecordError {
    /// The stable word for this cause.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingColumn { .. } => "missing_column",
            Self::AmbiguousColumn { .. } => "ambiguous_column",
            Self::DuplicateField { .. } => "duplicate_field",
            Self::SeveralIds { .. } => "several_ids",
        }
    }

    /// The same in the shape that the ledger and the command line show.
    pub fn failure(&self) -> Failure {
        let remedy = match self {
            Self::MissingColumn { column, .. } => format!(
                "Add the column to the file, or correct [fields]; if the columns found look wrong, check format.delimiter and format.header for {column:?}"
            ),
            Self::AmbiguousColumn { .. } => {
                "Write the column in [fields] exactly as it is in the file".to_owned()
            }
            Self::DuplicateField { second, .. } => {
                format!("Give the column {second:?} another name with `as` in [fields]")
            }
            Self::SeveralIds { .. } => "Give the role \"id\" to one column".to_owned(),
        };
        // Neither a second attempt nor time changes it: a new file or definition does.
        Failure::new(self.code(), self.to_string(), remedy, Disposition::DeadLetter)
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

impl Mapping {
    /// Fits the fields of a definition to the columns of a file.
    ///
    /// A file without any column is empty and has no rows, so nothing is required of it.
    pub fn new(columns: &[String], fields: &[Field]) -> Result<Self, RecordError> {
        let mut notes = Vec::new();
        let mut of_column: Vec<Vec<&Field>> = vec![Vec::new(); columns.len()];
        for field in fields {
            let required = field.required || field.role == Some(Role::Id);
            match find(columns, &field.column)? {
                Some(at) => {
                    if columns[at] != field.column {
                        notes.push(format!(
                            "the column {:?} was taken for {:?}",
                            columns[at], field.column
                        ));
                    }
                    of_column[at].push(field);
                }
                None if columns.is_empty() => {}
                None if required => {
                    return Err(RecordError::MissingColumn {
                        column: field.column.clone(),
                        found: columns.to_vec(),
                    });
                }
                None => notes.push(format!(
                    "the optional column {:?} is not in the file: records are without {:?}",
                    field.column, field.name
                )),
            }
        }

        let mut outputs = Vec::new();
        let mut id = None;
        for (cell, (column, fields)) in columns.iter().zip(&of_column).enumerate() {
            if fields.is_empty() {
                outputs.push(Output::new(cell, column, None));
            }
            for field in fields {
                if field.role == Some(Role::Id)
                    && let Some(first) = id.replace(outputs.len())
                {
                    let first: &Output = &outputs[first];
                    return Err(RecordError::SeveralIds {
                        first: first.column.clone(),
                        second: column.clone(),
                    });
                }
                outputs.push(Output::new(cell, column, Some(field)));
            }
        }
        let mut names = HashMap::new();
        for (at, output) in outputs.iter_mut().enumerate() {
            if let Some(first) = names.insert(output.name.clone(), output.column.clone()) {
                return Err(RecordError::DuplicateField {
                    name: output.name.clone(),
                    first,
                    second: output.column.clone(),
                });
            }
            let mut prefix = Buffer::default();
            if at > 0 {
                prefix.push(b',');
            }
            json::string(&mut prefix, output.name.as_bytes());
            prefix.push(b':');
            output.prefix = Padded::new(prefix.as_slice());
            prefix.push(b'"');
            output.quoted_prefix = Padded::new(prefix.as_slice());
        }
        Ok(Self { width: columns.len(), fields: outputs, id, notes })
    }

    /// What people may want to know about the fit: columns taken under another spelling, optional
    /// columns that are absent.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The names of the fields, in the order in which they are written.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| field.name.as_str())
    }
}

impl Output {
    fn new(cell: usize, column: &str, field: Option<&Field>) -> Self {
        Self {
            cell,
            column: column.to_owned(),
            name: field.map_or(column, |field| &field.name).to_owned(),
            prefix: Padded::default(),
            quoted_prefix: Padded::default(),
            kind: field.map(|field| field.kind).unwrap_or_default(),
            pattern: field.and_then(|field| field.format.clone()),
            required: field.is_some_and(|field| field.required || field.role == Some(Role::Id)),
        }
    }
}

fn find(columns: &[String], wanted: &str) -> Result<Option<usize>, RecordError> {
    if let Some(at) = columns.iter().position(|column| column == wanted) {
        return Ok(Some(at));
    }
    let loose = loosely(wanted);
    let alike: Vec<usize> =
        (0..columns.len()).filter(|at| loosely(&columns[*at]) == loose).collect();
    match alike[..] {
        [] => Ok(None),
        [at] => Ok(Some(at)),
        _ => Err(RecordError::AmbiguousColumn {
            column: wanted.to_owned(),
            found: alike.iter().map(|at| columns[*at].clone()).collect(),
        }),
    }
}

/// A name without its case and white space.
fn loosely(name: &str) -> String {
    name.split_whitespace().collect::<String>().to_lowercase()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::record) fn columns(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    pub(in crate::record) fn field(column: &str, name: &str, kind: FieldType) -> Field {
        Field {
            column: column.to_owned(),
            name: name.to_owned(),
            role: None,
            kind,
            format: None,
            required: false,
        }
    }

    fn names(mapping: &Mapping) -> Vec<&str> {
        mapping.names().collect()
    }

    #[test]
    fn columns_go_through_or_are_renamed_in_the_order_of_the_file() {
        let fields =
            [field("Owner", "owner", FieldType::Email), field("Deal ID", "id", FieldType::Text)];
        let mapping =
            Mapping::new(&columns(&["Deal ID", "Extra", "Owner"]), &fields).expect("fits");
        assert_eq!(names(&mapping), ["id", "Extra", "owner"]);
        assert!(mapping.notes().is_empty());
    }

    #[test]
    fn a_column_is_found_by_its_exact_name_first() {
        let fields = [field("id", "key", FieldType::Text)];
        let mapping = Mapping::new(&columns(&["ID", "id"]), &fields).expect("fits");
        assert_eq!(names(&mapping), ["ID", "key"]);
        let mapping = Mapping::new(&columns(&[" Id "]), &fields).expect("fits");
        assert_eq!(names(&mapping), ["key"]);
        assert_eq!(mapping.notes(), ["the column \" Id \" was taken for \"id\""]);
        let error = Mapping::new(&columns(&["ID", "Id"]), &fields).expect_err("ambiguous");
        assert_eq!(error.code(), "ambiguous_column");
    }

    #[test]
    fn a_missing_column_fails_the_file_only_if_required() {
        let mut owner = field("Owner", "owner", FieldType::Text);
        let mapping = Mapping::new(&columns(&["a"]), std::slice::from_ref(&owner)).expect("fits");
        assert_eq!(names(&mapping), ["a"]);
        assert_eq!(mapping.notes().len(), 1);
        owner.required = true;
        let error = Mapping::new(&columns(&["a", "b"]), std::slice::from_ref(&owner))
            .expect_err("required");
        assert_eq!(
            error.to_string(),
            "the required column \"Owner\" is not in the file, whose columns are \"a\", \"b\""
        );
        assert!(Mapping::new(&[], &[owner]).is_ok(), "an empty file has no rows to be wrong");
    }

    #[test]
    fn two_columns_cannot_become_one_field() {
        let fields = [field("Deal ID", "id", FieldType::Text)];
        let error = Mapping::new(&columns(&["Deal ID", "id"]), &fields).expect_err("twice");
        assert_eq!(error.code(), "duplicate_field");
    }
}
