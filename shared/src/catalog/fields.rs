//! What a source says of its columns and records: `[fields]`, `[records]` and `[limits]`.
//!
//! Which settings go together is known where they are used, so the room `record` is asked what is wrong
//! with a field, and `format` which limits there are.

use std::collections::{BTreeMap, HashMap};

use super::definition::{
    Field, FieldType, LongRows, MissingColumns, Reading, RecordSettings, Role, ShortRows,
    UnknownColumns,
};
use super::parse::{SOURCE_KEYS, choice, flag, text};
use super::problem::Complaint;
use super::reader::Table;
use super::size;
use crate::format::Limits;
use crate::record::{Unfit, problems_of_field, problems_of_reading};

pub(super) fn fields(table: Table<'_>, reading: &Reading) -> Vec<Field> {
    // What is wrong with it is said in its own place.
    let none = Reading::default();
    let reading = if problems_of_reading(reading).is_empty() { reading } else { &none };
    let mut fields: Vec<Field> = Vec::new();
    let mut names: HashMap<String, String> = HashMap::new();
    let mut id: Option<String> = None;
    for (column, mut table) in table.each("fields") {
        let field = field(&column, &mut table);
        let name_at = table.at_of("as");
        if let Some(other) = names.insert(field.name.clone(), column.clone()) {
            let name = &field.name;
            let message = format!("\"{column}\" and \"{other}\" both become the field \"{name}\"");
            table.note(name_at, message, "give one of them another name with as = \"…\"");
        }
        if field.role == Some(Role::Id) {
            if let Some(other) = &id {
                let message = format!("\"{column}\" and \"{other}\" both have the role \"id\"");
                let remedy = "keep it at the column that names a row uniquely";
                table.note(table.at_of("role"), message, remedy);
            }
            id = Some(column);
        }
        note_all(&table, problems_of_field(&field, reading));
        table.finish(&[]);
        fields.push(field);
    }
    fields
}

fn field(column: &str, table: &mut Table<'_>) -> Field {
    let role = table
        .choice(
            "role",
            &[("id", Some(Role::Id)), ("name", Some(Role::Name)), ("user", Some(Role::User))],
        )
        .map(|role| role.value);
    let kind = table.choice(
        "type",
        &[
            ("text", Some(FieldType::Text)),
            ("integer", Some(FieldType::Integer)),
            ("decimal", Some(FieldType::Decimal)),
            ("number", Some(FieldType::Number)),
            ("boolean", Some(FieldType::Boolean)),
            ("date", Some(FieldType::Date)),
            ("datetime", Some(FieldType::Datetime)),
            ("time", Some(FieldType::Time)),
            ("email", Some(FieldType::Email)),
            ("url", Some(FieldType::Url)),
            ("uuid", Some(FieldType::Uuid)),
            ("json", Some(FieldType::Json)),
        ],
    );
    let users = (role == Some(Role::User)).then_some(FieldType::Email);
    let required = table.boolean("required");
    if let Some(required) = required.as_ref().filter(|r| role == Some(Role::Id) && !r.value) {
        let message = "required = false with role = \"id\"";
        table.note(required.at, message, "every row needs its id");
    }
    Field {
        column: column.to_owned(),
        name: text(table, "as").unwrap_or_else(|| column.to_owned()),
        role,
        kind: kind.map(|kind| kind.value).or(users),
        format: table.scalars("format").unwrap_or_default(),
        required: role == Some(Role::Id) || required.is_some_and(|required| required.value),
        default: table.scalar("default"),
        unique: flag(table, "unique").unwrap_or_default(),
        allowed: table.scalars("allowed"),
        pattern: text(table, "pattern"),
        min: table.scalar("min"),
        max: table.scalar("max"),
        min_length: table.whole("min_length", u64::MAX),
        max_length: table.whole("max_length", u64::MAX),
        reading: reading(table),
    }
}

pub(super) fn records(mut table: Table<'_>) -> RecordSettings {
    let settings = RecordSettings {
        reading: reading(&mut table),
        unknown_columns: choice(
            &mut table,
            "unknown_columns",
            &[
                ("pass", Some(UnknownColumns::Pass)),
                ("drop", Some(UnknownColumns::Drop)),
                ("reject", Some(UnknownColumns::Reject)),
            ],
        ),
        missing_columns: choice(
            &mut table,
            "missing_columns",
            &[
                ("pass", Some(MissingColumns::Pass)),
                ("null", Some(MissingColumns::Null)),
                ("reject", Some(MissingColumns::Reject)),
            ],
        ),
        short_rows: choice(
            &mut table,
            "short_rows",
            &[("reject", Some(ShortRows::Reject)), ("fill", Some(ShortRows::Fill))],
        ),
        long_rows: choice(
            &mut table,
            "long_rows",
            &[("reject", Some(LongRows::Reject)), ("cut", Some(LongRows::Cut))],
        ),
    };
    note_all(&table, problems_of_reading(&settings.reading));
    table.finish(&SOURCE_KEYS);
    settings
}

fn reading(table: &mut Table<'_>) -> Reading {
    Reading {
        null_values: table.scalars("null_values"),
        true_values: table.scalars("true_values"),
        false_values: table.scalars("false_values"),
        decimal: table.parsed("decimal", character).map(|found| found.value),
        group: table.parsed("group", character).map(|found| found.value),
        trim: flag(table, "trim"),
        timezone: text(table, "timezone"),
    }
}

/// The limits that are given, by their names.
pub(super) fn limits(mut table: Table<'_>) -> BTreeMap<String, u64> {
    let mut limits = BTreeMap::new();
    for setting in Limits::SETTINGS {
        let value = match setting.bytes {
            true => table.bytes(setting.name, size::parse),
            false => {
                let value = table.whole(setting.name, u64::MAX);
                if value == Some(0) {
                    let message = format!("{} is 0", setting.name);
                    table.note(table.at_of(setting.name), message, "remove it for the default");
                }
                value
            }
        };
        if let Some(value) = value {
            limits.insert(setting.name.to_owned(), value);
        }
    }
    table.finish(&SOURCE_KEYS);
    limits
}

fn character(text: &str) -> Result<char, Complaint> {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => Ok(character),
        _ => Err(Complaint::new(format!("{text:?} is not one character"), "use one such as \",\"")),
    }
}

fn note_all(table: &Table<'_>, problems: Vec<Unfit>) {
    for Unfit { setting, message, remedy } in problems {
        table.note(table.at_of(setting), message, remedy);
    }
}
