//! The mappings of one file: one for each head that its rows have.

use std::collections::HashMap;
use std::sync::Arc;

use super::error::RecordError;
use super::mapping::{Declared, Definition, Mapping, loosely};
use super::rule::{Rule, Unfit};
use crate::catalog::{Field, FormatKind, RecordSettings, Source};
use crate::format::{Detected, Head, Limits, Part, Rows};

/// Heads, and columns of all of them, that are kept at hand. Beyond, all are made anew.
const KEPT_HEADS: usize = 256;
const KEPT_COLUMNS: usize = 1 << 16;
/// Notes that are kept.
const KEPT_NOTES: usize = 100;

/// How the rows of a file become records: the definition of a source, fitted to each head that rows
/// of the file have.
#[derive(Clone, Debug)]
pub struct Mappings {
    definition: Definition,
    pub(super) max_unique_bytes: u64,
    pub(super) current: Arc<Mapping>,
    pub(super) head: u32,
    kept: HashMap<u32, Arc<Mapping>>,
    kept_columns: usize,
    notes: Vec<String>,
    /// The columns of the first head, in case that there is never a row.
    first_columns: Vec<String>,
    /// Without a row and a column, the file says that there are none: it is a list, and it is closed.
    may_be_closed: bool,
}

impl Mappings {
    /// Fits the fields of a definition to a file that was opened. The first head is fitted at once, so
    /// that a table which lacks a required column fails before any row of it is read.
    pub fn new(
        fields: &[Field],
        settings: &RecordSettings,
        rows: &Rows,
        detected: &Detected,
    ) -> Result<Self, RecordError> {
        let mut mappings = Self::of_head(fields, settings, rows.head(), detected.has_header)?;
        mappings.may_be_closed = matches!(detected.kind, FormatKind::Json | FormatKind::Xml);
        Ok(mappings)
    }

    /// The same with all that a source says.
    pub fn of(source: &Source, rows: &Rows, detected: &Detected) -> Result<Self, RecordError> {
        let mut mappings = Self::new(&source.fields, &source.records, rows, detected)?;
        mappings.max_unique_bytes = Limits::of(&source.limits).max_unique_bytes;
        Ok(mappings)
    }

    pub(super) fn of_head(
        fields: &[Field],
        settings: &RecordSettings,
        head: &Head,
        has_header: bool,
    ) -> Result<Self, RecordError> {
        let wrong = |column: &str, problems: Vec<Unfit>| {
            let problem = problems.into_iter().next().map(|first| first.message);
            let problem = problem.unwrap_or_else(|| "it is invalid".to_owned());
            RecordError::Definition { column: column.to_owned(), problem }
        };
        let declared = fields.iter().map(|field| {
            let rule = Rule::new(field, settings).map_err(|e| wrong(&field.column, e))?;
            let loose = loosely(&field.column);
            Ok(Declared { field: field.clone(), rule: Arc::new(rule), loose })
        });
        let definition = Definition {
            declared: declared.collect::<Result<_, _>>()?,
            others: Arc::new(Rule::of_others(settings).map_err(|e| wrong("", e))?),
            settings: settings.clone(),
            has_header,
        };
        let first = Arc::new(fit(&definition, head)?);
        let mut mappings = Self {
            definition,
            max_unique_bytes: Limits::default().max_unique_bytes,
            current: Arc::clone(&first),
            head: head.number,
            kept: HashMap::new(),
            kept_columns: 0,
            notes: Vec::new(),
            first_columns: head.columns.clone(),
            may_be_closed: false,
        };
        mappings.keep(head.number, first);
        Ok(mappings)
    }

    /// What people may want to know about the fit, so far: columns taken under another spelling,
    /// optional columns that are absent.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Whether what becomes of a row depends on the rows before it, because a column is unique. Then
    /// work that is taken up again needs them all: give [`convert`](super::convert()) the rows from
    /// the beginning of the file.
    pub fn need_every_row(&self) -> bool {
        self.definition.declared.iter().any(|declared| declared.rule.unique)
    }

    /// Whether a file may end without any row, `last` being the head that it ended with: an archive may
    /// hold a header in one member and nothing in the next.
    pub(super) fn check_without_rows(&self, last: &Head) -> Result<(), RecordError> {
        let first = &self.first_columns;
        if self.may_be_closed && first.is_empty() && last.columns.is_empty() {
            return Ok(());
        }
        let fits = |columns: &[String]| Mapping::check_without_rows(&self.definition, columns);
        fits(first).or_else(|error| fits(&last.columns).map_err(|_| error))
    }

    /// The names of the fields of rows like the first, in the order in which they are written.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.current.names()
    }

    pub(super) fn settings(&self) -> &RecordSettings {
        &self.definition.settings
    }

    /// The fields of the definition, by their names downstream.
    pub(super) fn declared_names(&self) -> impl Iterator<Item = &str> {
        self.definition.declared.iter().map(|declared| declared.field.name.as_str())
    }

    /// Goes over to the rows of another head.
    #[cold]
    pub(super) fn turn(&mut self, head: &Head) -> Result<(), RecordError> {
        let mapping = match self.kept.get(&head.number) {
            Some(mapping) => Arc::clone(mapping),
            None => {
                let mapping = Arc::new(fit(&self.definition, head)?);
                self.keep(head.number, Arc::clone(&mapping));
                mapping
            }
        };
        self.current = mapping;
        self.head = head.number;
        Ok(())
    }

    fn keep(&mut self, number: u32, mapping: Arc<Mapping>) {
        for note in &mapping.notes {
            if self.notes.len() < KEPT_NOTES && !self.notes.contains(note) {
                self.notes.push(note.clone());
            }
        }
        if self.kept.len() >= KEPT_HEADS || self.kept_columns + mapping.width > KEPT_COLUMNS {
            self.kept.clear();
            self.kept_columns = 0;
        }
        self.kept_columns += mapping.width;
        self.kept.insert(number, mapping);
    }
}

fn fit(definition: &Definition, head: &Head) -> Result<Mapping, RecordError> {
    Mapping::fit(definition, head).map_err(|cause| match &head.part {
        Some(part) => RecordError::InPart { part: name(part), cause: Box::new(cause) },
        None => cause,
    })
}

fn name(part: &Part) -> String {
    let member = part.member.as_ref().map(|member| format!("the member {member:?}"));
    let sheet = part.sheet.as_ref().map(|sheet| format!("the sheet {sheet:?}"));
    let names: Vec<String> = member.into_iter().chain(sheet).collect();
    names.join(", ")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::catalog::{FieldType, MissingColumns, UnknownColumns};
    use crate::format::Form;

    pub(in crate::record) fn field(column: &str, name: &str, kind: FieldType) -> Field {
        Field {
            column: column.to_owned(),
            name: name.to_owned(),
            kind: Some(kind),
            ..Field::default()
        }
    }

    fn head(columns: &[&str]) -> Head {
        let columns = columns.iter().map(|name| (*name).to_owned()).collect();
        Head { number: 0, columns, form: Form::Text, part: None }
    }

    fn fitted(columns: &[&str], fields: &[Field]) -> Result<Mappings, RecordError> {
        Mappings::of_head(fields, &RecordSettings::default(), &head(columns), true)
    }

    fn names(mappings: &Mappings) -> Vec<&str> {
        mappings.names().collect()
    }

    #[test]
    fn columns_go_through_or_are_renamed_in_the_order_of_the_file() {
        let fields =
            [field("Owner", "owner", FieldType::Email), field("Deal ID", "id", FieldType::Text)];
        let mappings = fitted(&["Deal ID", "Extra", "Owner"], &fields).expect("fits");
        assert_eq!(names(&mappings), ["id", "Extra", "owner"]);
        assert!(mappings.notes().is_empty());
    }

    #[test]
    fn a_column_is_found_by_its_exact_name_first() {
        let fields = [field("id", "key", FieldType::Text)];
        let mappings = fitted(&["ID", "id"], &fields).expect("fits");
        assert_eq!(names(&mappings), ["ID", "key"]);
        let mappings = fitted(&[" Id "], &fields).expect("fits");
        assert_eq!(names(&mappings), ["key"]);
        assert_eq!(mappings.notes(), ["the column \" Id \" was taken for \"id\""]);
        let error = fitted(&["ID", "Id"], &fields).expect_err("ambiguous");
        assert_eq!(error.code(), "ambiguous_column");
    }

    #[test]
    fn a_missing_column_fails_the_file_only_if_required() {
        let mut owner = field("Owner", "owner", FieldType::Text);
        let mappings = fitted(&["a"], std::slice::from_ref(&owner)).expect("fits");
        assert_eq!(names(&mappings), ["a"]);
        assert_eq!(mappings.notes().len(), 1);
        owner.required = true;
        let error = fitted(&["a", "b"], std::slice::from_ref(&owner)).expect_err("required");
        assert_eq!(
            error.to_string(),
            "the required column \"Owner\" is not in the file, whose columns are \"a\", \"b\""
        );
        assert!(fitted(&[], std::slice::from_ref(&owner)).is_ok(), "its end tells");
        owner.default = Some("nobody".to_owned());
        let mappings = fitted(&["a"], &[owner]).expect("it has a default");
        assert_eq!(names(&mappings), ["a", "owner"]);
    }

    #[test]
    fn the_first_row_of_a_file_without_header_is_not_told() {
        let mut owner = field("Owner", "owner", FieldType::Text);
        owner.required = true;
        let settings = RecordSettings::default();
        let head = head(&["column_1", "column_2"]);
        let error = Mappings::of_head(&[owner], &settings, &head, false).expect_err("required");
        assert_eq!(
            error.to_string(),
            "the required column \"Owner\" is not in the file, which has 2 columns and no header"
        );
        assert!(error.failure().remedy.contains("column_1"));
    }

    #[test]
    fn two_columns_cannot_become_one_field() {
        let fields = [field("Deal ID", "id", FieldType::Text)];
        let error = fitted(&["Deal ID", "id"], &fields).expect_err("twice");
        assert_eq!(error.code(), "duplicate_field");
    }

    #[test]
    fn unknown_and_missing_columns_are_as_the_policies_say() {
        let fields = [field("a", "a", FieldType::Text), field("b", "b", FieldType::Date)];
        let with = |unknown_columns, missing_columns| {
            let settings =
                RecordSettings { unknown_columns, missing_columns, ..RecordSettings::default() };
            Mappings::of_head(&fields, &settings, &head(&["x", "a"]), true)
        };
        let mappings = with(UnknownColumns::Pass, MissingColumns::Null).expect("fits");
        assert_eq!(names(&mappings), ["x", "a", "b"]);
        let mappings = with(UnknownColumns::Drop, MissingColumns::Pass).expect("fits");
        assert_eq!(names(&mappings), ["a"]);
        let error = with(UnknownColumns::Reject, MissingColumns::Pass).expect_err("x is there");
        assert_eq!(
            error.to_string(),
            "the column \"x\" of the file is not in [fields], and records.unknown_columns = \"reject\""
        );
        let error = with(UnknownColumns::Pass, MissingColumns::Reject).expect_err("b is not there");
        assert_eq!(error.code(), "missing_column");
    }

    #[test]
    fn the_mappings_of_many_heads_are_kept_within_bounds() {
        let mut mappings = fitted(&["a"], &[]).expect("fits");
        for number in 1..2000 {
            let columns: Vec<String> = (0..100).map(|column| format!("c{column}")).collect();
            let head = Head { number, columns, form: Form::Json, part: None };
            mappings.turn(&head).expect("fits");
            assert!(mappings.kept.len() <= KEPT_HEADS);
            assert!(mappings.kept_columns <= KEPT_COLUMNS);
            assert_eq!(mappings.current.width, 100);
        }
    }

    #[test]
    fn a_part_that_does_not_fit_is_named() {
        let mut owner = field("Owner", "owner", FieldType::Text);
        owner.required = true;
        let part = Part { member: Some("a/b.csv".to_owned()), sheet: None };
        let other = Head { part: Some(Arc::new(part)), number: 1, ..head(&["x"]) };
        let mut mappings = fitted(&["Owner"], &[owner]).expect("fits");
        let error = mappings.turn(&other).expect_err("no owner").to_string();
        assert!(error.starts_with("in the member \"a/b.csv\": the required"), "{error}");
    }
}
