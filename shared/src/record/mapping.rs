//! Which cell becomes which field, for rows of one shape.

use std::collections::HashMap;
use std::sync::Arc;

use super::buffer::{Buffer, Padded};
use super::error::{Columns, RecordError};
use super::json;
use super::reject::RejectCode;
use super::rule::{Rule, without_column};
use crate::catalog::{Field, RecordSettings, Role, UnknownColumns};
use crate::format::{Form, Head};

/// A field of the definition, ready for use.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) field: Field,
    pub(super) rule: Arc<Rule>,
    /// The column's name, without case and white space.
    pub(super) loose: String,
}

/// What a definition says of rows.
#[derive(Clone, Debug)]
pub(super) struct Definition {
    pub(super) declared: Vec<Declared>,
    /// The rule of columns that are not named.
    pub(super) others: Arc<Rule>,
    pub(super) settings: RecordSettings,
    /// The names of columns are those of a header, not made of their numbers.
    pub(super) has_header: bool,
}

/// Which cell of a row becomes which field of a record, and how.
///
/// Fields come in the order of the file's columns. A column is found by its name as the definition
/// writes it, else by a name that differs only in case and white space (which is noted).
#[derive(Clone, Debug)]
pub(super) struct Mapping {
    pub(super) form: Form,
    /// Cells that a row must have.
    pub(super) width: usize,
    pub(super) fields: Vec<Output>,
    /// Fields without a column, that have a value all the same.
    pub(super) constants: Vec<Constant>,
    /// The place in `fields` of the unique identifier.
    pub(super) id: Option<usize>,
    /// Bytes of a record at most, besides what becomes of the cells' own.
    pub(super) overhead: usize,
    /// Rows of this shape cannot become records.
    pub(super) refusal: Option<Refusal>,
    pub(super) notes: Vec<String>,
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
    /// What stands before the value: in text a comma (but for the first), the key, a colon.
    pub(super) prefix: Padded,
    /// The same with the quote that opens a string.
    pub(super) quoted_prefix: Padded,
    pub(super) way: Way,
    pub(super) required: bool,
    pub(super) rule: Arc<Rule>,
    /// The number of the field among those of the definition, if its values are unique.
    pub(super) unique: Option<usize>,
    /// What a row without a cell has.
    pub(super) absent: Result<Option<Vec<u8>>, RejectCode>,
    /// No row may have a cell.
    pub(super) refused: bool,
}

/// How much there is to do with a cell of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It is the value.
    Text,
    /// Its type alone says what becomes of it.
    Typed,
    /// All that rules say.
    Ruled,
}

/// A field whose value is the same in all rows of a shape.
#[derive(Clone, Debug)]
pub(super) struct Constant {
    pub(super) name: String,
    /// The key and a colon.
    pub(super) prefix: Padded,
    /// The value.
    pub(super) json: Vec<u8>,
}

/// Why no row of a shape can become a record.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) code: RejectCode,
    pub(super) column: String,
    pub(super) message: String,
}

impl Mapping {
    /// Fits a definition to the columns of a head.
    ///
    /// Where a header names the columns of all rows, one that does not fit is an error. In other
    /// files each row has columns of its own, and those that do not fit are rejects.
    pub(super) fn fit(definition: &Definition, head: &Head) -> Result<Self, RecordError> {
        match (Self::of_columns(definition, head), head.form) {
            (Err(error), Form::Json) => Ok(Self::refusing(head, &error)),
            (fitted, _) => fitted,
        }
    }

    fn refusing(head: &Head, error: &RecordError) -> Self {
        Self {
            form: head.form,
            width: head.columns.len(),
            fields: Vec::new(),
            constants: Vec::new(),
            id: None,
            overhead: 0,
            refusal: Some(Refusal {
                code: error.reject_code(),
                column: error.column().to_owned(),
                message: error.of_row(),
            }),
            notes: Vec::new(),
        }
    }

    fn of_columns(definition: &Definition, head: &Head) -> Result<Self, RecordError> {
        let columns = &head.columns;
        let found = || match (head.form, definition.has_header) {
            (Form::Text, false) => Columns::Counted(columns.len()),
            _ => Columns::Named(columns.clone()),
        };
        let names = Names::new(columns);
        let mut notes = Vec::new();
        let mut of_column: Vec<Vec<usize>> = vec![Vec::new(); columns.len()];
        let mut constants = Vec::new();
        for (at, declared) in definition.declared.iter().enumerate() {
            let Declared { field, rule, loose } = declared;
            if let Some(place) = names.find(&field.column, loose)? {
                if columns[place] != field.column {
                    notes.push(format!(
                        "the column {:?} was taken for {:?}",
                        columns[place], field.column
                    ));
                }
                of_column[place].push(at);
                continue;
            }
            // Of what has no column so far it is asked at the end of the file whether that is right.
            if head.form == Form::Text && columns.is_empty() {
                continue;
            }
            match without_column(rule, definition.settings.missing_columns) {
                Err(_) => {
                    let column = field.column.clone();
                    return Err(RecordError::MissingColumn { column, found: found() });
                }
                Ok(Some(json)) => constants.push(Constant::new(&field.name, json)),
                Ok(None) if head.form == Form::Text => notes.push(format!(
                    "the optional column {:?} is not in the file: records are without {:?}",
                    field.column, field.name
                )),
                Ok(None) => {}
            }
        }

        let unknown = definition.settings.unknown_columns;
        let mut outputs: Vec<Output> = Vec::new();
        let mut id = None;
        for (cell, (column, fields)) in columns.iter().zip(&of_column).enumerate() {
            match (fields.is_empty(), unknown, head.form) {
                (true, UnknownColumns::Drop, _) => {}
                (true, UnknownColumns::Reject, Form::Text) => {
                    let column = definition.has_header.then(|| column.clone());
                    let place = cell + 1;
                    return Err(RecordError::UnknownColumn { column, place });
                }
                (true, ..) => {
                    let mut output = Output::new(cell, column, column, &definition.others);
                    output.refused = unknown == UnknownColumns::Reject;
                    outputs.push(output);
                }
                (false, ..) => {}
            }
            for at in fields {
                let Declared { field, rule, .. } = &definition.declared[*at];
                if field.role == Some(Role::Id)
                    && let Some(first) = id.replace(outputs.len())
                {
                    return Err(RecordError::SeveralIds {
                        first: outputs[first].column.clone(),
                        second: column.clone(),
                    });
                }
                let mut output = Output::new(cell, column, &field.name, rule);
                output.unique = rule.unique.then_some(*at);
                output.absent = without_column(rule, definition.settings.missing_columns);
                outputs.push(output);
            }
        }
        let mut taken: HashMap<&str, &str> = HashMap::new();
        let of_constants = constants.iter().map(|constant| (&constant.name, &constant.name));
        for (name, column) in outputs.iter().map(|o| (&o.name, &o.column)).chain(of_constants) {
            if let Some(first) = taken.insert(name, column) {
                return Err(RecordError::DuplicateField {
                    name: name.clone(),
                    first: first.to_owned(),
                    second: column.clone(),
                });
            }
        }
        let overhead = constants.iter().map(Constant::len).sum::<usize>()
            + outputs.iter().map(Output::overhead).sum::<usize>();
        for (at, output) in outputs.iter_mut().enumerate() {
            output.set_prefix(at > 0 && head.form == Form::Text);
        }
        let (form, width) = (head.form, columns.len());
        Ok(Self { form, width, fields: outputs, constants, id, overhead, refusal: None, notes })
    }

    /// Whether a file that ended without a row, having these columns, had to have others.
    ///
    /// Where each row has columns of its own, no row says that one is missing: an export that broke off
    /// before its first row must not pass for a table that has none any more.
    pub(super) fn check_without_rows(
        definition: &Definition,
        columns: &[String],
    ) -> Result<(), RecordError> {
        let names = Names::new(columns);
        for Declared { field, rule, loose } in &definition.declared {
            let missing = names.find(&field.column, loose)?.is_none();
            if missing && without_column(rule, definition.settings.missing_columns).is_err() {
                let column = field.column.clone();
                let found = match columns {
                    [] => Columns::Nothing,
                    _ => Columns::Named(columns.to_vec()),
                };
                return Err(RecordError::MissingColumn { column, found });
            }
        }
        Ok(())
    }

    /// The names of the fields, in the order in which they are written.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let fields = self.fields.iter().map(|field| field.name.as_str());
        fields.chain(self.constants.iter().map(|constant| constant.name.as_str()))
    }
}

impl Output {
    fn new(cell: usize, column: &str, name: &str, rule: &Arc<Rule>) -> Self {
        let way = match (rule.is_plain(), rule.is_text()) {
            (true, true) => Way::Text,
            (true, false) => Way::Typed,
            (false, _) => Way::Ruled,
        };
        Self {
            cell,
            column: column.to_owned(),
            name: name.to_owned(),
            prefix: Padded::default(),
            quoted_prefix: Padded::default(),
            way,
            required: rule.required,
            rule: Arc::clone(rule),
            unique: None,
            absent: Ok(None),
            refused: false,
        }
    }

    fn set_prefix(&mut self, comma: bool) {
        let mut prefix = Buffer::default();
        if comma {
            prefix.push(b',');
        }
        json::string(&mut prefix, self.name.as_bytes());
        prefix.push(b':');
        self.prefix = Padded::new(prefix.as_slice());
        prefix.push(b'"');
        self.quoted_prefix = Padded::new(prefix.as_slice());
    }

    /// Bytes at most that the field takes besides its cell: its name, punctuation, and what stands
    /// where there is no value.
    fn overhead(&self) -> usize {
        let default = self.rule.default.as_ref().map_or(0, Vec::len);
        6 * self.name.len() + default + 64
    }
}

impl Constant {
    fn new(name: &str, json: Vec<u8>) -> Self {
        let mut prefix = Buffer::default();
        json::string(&mut prefix, name.as_bytes());
        prefix.push(b':');
        Self { name: name.to_owned(), prefix: Padded::new(prefix.as_slice()), json }
    }

    fn len(&self) -> usize {
        6 * self.name.len() + self.json.len() + 8
    }
}

/// The columns of a head by their names.
struct Names<'a> {
    columns: &'a [String],
    exact: HashMap<&'a str, usize>,
    loose: HashMap<String, Vec<usize>>,
}

impl<'a> Names<'a> {
    fn new(columns: &'a [String]) -> Self {
        let mut loose: HashMap<String, Vec<usize>> = HashMap::new();
        let mut exact = HashMap::new();
        for (at, column) in columns.iter().enumerate() {
            exact.entry(column.as_str()).or_insert(at);
            loose.entry(loosely(column)).or_default().push(at);
        }
        Self { columns, exact, loose }
    }

    fn find(&self, wanted: &str, loose: &str) -> Result<Option<usize>, RecordError> {
        if let Some(at) = self.exact.get(wanted) {
            return Ok(Some(*at));
        }
        match self.loose.get(loose).map(Vec::as_slice) {
            None | Some([]) => Ok(None),
            Some([at]) => Ok(Some(*at)),
            Some(alike) => Err(RecordError::AmbiguousColumn {
                column: wanted.to_owned(),
                found: alike.iter().map(|at| self.columns[*at].clone()).collect(),
            }),
        }
    }
}

/// A name without its case and white space.
pub(super) fn loosely(name: &str) -> String {
    name.split_whitespace().collect::<String>().to_lowercase()
}
