//! One TOML file into one connection or one source, with every default filled in.
//!
//! The functions here say which keys a definition has and what each may be; what is wrong is noted in
//! the [`Document`], and the definition goes on with a default, so that the rest is checked too.

use std::collections::HashMap;

use super::definition::{
    Access, Connection, Dedup, Destination, Field, FieldType, Format, FormatKind, MAX_OBJECT_SIZE,
    Mode, OnReject, OnRemove, RefreshSchedule, RejectPolicy, Role, Source,
};
use super::path::PathPattern;
use super::problem::Complaint;
use super::reader::{Document, Found, Position, Table};
use super::{schedule, size};

/// A definition and the places in its file that checks across files name. An empty key was missing
/// or wrong, which is noted already.
pub(super) struct Placed<T> {
    pub(super) file: String,
    pub(super) value: T,
    pub(super) key_at: Position,
    pub(super) connection_at: Position,
}

/// Where each key of a source belongs, to help with one that stands under the wrong header.
const SOURCE_KEYS: [(&str, &[&str]); 4] = [
    (
        "at the top, above the first [header]",
        &["key", "connection", "bucket", "path", "table", "mode", "max_size", "dedup", "on_remove"],
    ),
    ("in [format]", &["kind", "delimiter", "header", "skip_lines", "pages", "max_text"]),
    ("in [rejects]", &["policy", "max_count", "max_ratio"]),
    ("in [refresh]", &["schedule", "poll", "timezone"]),
];

pub(super) fn connection(document: &Document<'_>) -> Option<Placed<Connection>> {
    let mut top = document.root()?;
    let key = key(&mut top, "key = \"acme\"");
    let value = Connection {
        name: text(&mut top, "name").unwrap_or_else(|| key.value.clone()),
        region: parsed(&mut top, "region", region),
        access: choice(
            &mut top,
            "access",
            &[("read", Some(Access::Read)), ("read-write", Some(Access::ReadWrite))],
        ),
        bucket_owner: parsed(&mut top, "bucket_owner", account),
        endpoint: parsed(&mut top, "endpoint", url),
        path_style: flag(&mut top, "path_style").unwrap_or_default(),
        key: key.value,
    };
    if let Some(mut auth) = top.table("auth") {
        const NOT_YET: Option<()> = None;
        let mode = auth.choice(
            "mode",
            &[
                ("default", Some(())),
                ("role", NOT_YET),
                ("access-key", NOT_YET),
                ("access-grants", NOT_YET),
            ],
        );
        // The keys of another mode are not wrong in themselves.
        if mode.is_some() {
            auth.finish(&[]);
        }
    }
    top.finish(&[("in [auth], which takes mode = \"default\" only", &["mode"])]);
    let file = document.name().to_owned();
    Some(Placed { file, value, key_at: key.at, connection_at: key.at })
}

pub(super) fn source(document: &Document<'_>) -> Option<Placed<Source>> {
    let mut top = document.root()?;
    let key = key(&mut top, "key = \"deals\"");
    let connection = required(&mut top, "connection", "name the key of a connection");
    let bucket = top.parsed("bucket", bucket).map(|found| found.value);
    if bucket.is_none() && !top.has("bucket") {
        top.missing("bucket", "name the bucket");
    }
    let mode = top.choice(
        "mode",
        &[
            ("snapshot", Some(Mode::Snapshot)),
            ("append", Some(Mode::Append)),
            ("document", Some(Mode::Document)),
        ],
    );
    let documents = mode.as_ref().is_some_and(|mode| mode.value == Mode::Document);
    let path = parsed(&mut top, "path", path).unwrap_or_else(|| match documents {
        true => PathPattern::document_files(),
        false => PathPattern::supported_files(),
    });
    let table = top.string("table");
    if let Some(table) = table.as_ref().filter(|_| path.has_capture("table")) {
        let message = "the table is named twice: by table and by {table} in path";
        top.note(table.at, message, "remove one of the two");
    }
    let mut format = top.table("format").map(format).unwrap_or_default();
    if let Some(mode) = mode.as_ref().filter(|mode| mode.value == Mode::Document) {
        if format.kind.is_some_and(|kind| kind != FormatKind::Document) {
            let message = "mode = \"document\" with another format.kind";
            top.note(mode.at, message, "remove format.kind, or use another mode");
        }
        // A text file alone does not say whether it is a table or a document: the mode does.
        format.kind = Some(FormatKind::Document);
    }
    let value = Source {
        key: key.value,
        connection: connection.value,
        bucket: bucket.unwrap_or_default(),
        path,
        table: table.map(|table| table.value),
        mode: mode.map(|mode| mode.value).unwrap_or_default(),
        max_size: top.bytes("max_size", size::parse).unwrap_or(MAX_OBJECT_SIZE),
        dedup: choice(
            &mut top,
            "dedup",
            &[("current", Some(Dedup::Current)), ("ever", Some(Dedup::Ever))],
        ),
        on_remove: choice(
            &mut top,
            "on_remove",
            &[("delete", Some(OnRemove::Delete)), ("keep", Some(OnRemove::Keep))],
        ),
        format,
        fields: top.table("fields").map(fields).unwrap_or_default(),
        rejects: top.table("rejects").map(rejects).unwrap_or_default(),
        refresh: top.table("refresh").map(refresh).unwrap_or_default(),
        deliver: deliver(&mut top),
    };
    top.finish(&SOURCE_KEYS);
    let file = document.name().to_owned();
    Some(Placed { file, value, key_at: key.at, connection_at: connection.at })
}

fn format(mut table: Table<'_>) -> Format {
    let format = Format {
        kind: table
            .choice(
                "kind",
                &[
                    ("csv", Some(FormatKind::Csv)),
                    ("document", Some(FormatKind::Document)),
                    ("json", None),
                    ("ndjson", None),
                    ("parquet", None),
                    ("xlsx", None),
                    ("xls", None),
                ],
            )
            .map(|kind| kind.value),
        delimiter: parsed(&mut table, "delimiter", delimiter),
        header: flag(&mut table, "header"),
        skip_lines: table
            .whole("skip_lines", u32::MAX.into())
            .and_then(|lines| u32::try_from(lines).ok())
            .unwrap_or_default(),
        pages: flag(&mut table, "pages"),
        max_text: max_text(&mut table),
    };
    table.not_yet("encoding", "remove it: files are read as UTF-8");
    table.finish(&SOURCE_KEYS);
    format
}

/// Records above 240 kB are not delivered, and a record is more than its text.
fn max_text(table: &mut Table<'_>) -> Option<u64> {
    const BOUNDS: std::ops::RangeInclusive<u64> = 1_000..=220_000;
    let bytes = table.bytes("max_text", size::parse)?;
    if !BOUNDS.contains(&bytes) {
        table.note(table.at(), format!("max_text is {bytes} bytes"), "use 1KB to 220KB");
        return None;
    }
    Some(bytes)
}

fn fields(table: Table<'_>) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut names: HashMap<String, String> = HashMap::new();
    let mut id: Option<String> = None;
    for (column, mut table) in table.each("fields") {
        let name = table.string("as");
        let role = table.choice(
            "role",
            &[("id", Some(Role::Id)), ("name", Some(Role::Name)), ("user", Some(Role::User))],
        );
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
                ("email", Some(FieldType::Email)),
            ],
        );
        let format = table.string("format");
        let required = table.boolean("required");

        let name_at = name.as_ref().map_or(table.at(), |name| name.at);
        let name = name.map_or_else(|| column.clone(), |name| name.value);
        if let Some(other) = names.insert(name.clone(), column.clone()) {
            let message = format!("\"{column}\" and \"{other}\" both become the field \"{name}\"");
            table.note(name_at, message, "give one of them another name with as = \"…\"");
        }
        let is_id = role.as_ref().is_some_and(|role| role.value == Role::Id);
        if let Some(role) = role.as_ref().filter(|_| is_id) {
            if let Some(other) = &id {
                let message = format!("\"{column}\" and \"{other}\" both have the role \"id\"");
                table.note(role.at, message, "keep it at the column that names a row uniquely");
            }
            id = Some(column.clone());
        }
        if let Some(required) = required.as_ref().filter(|required| is_id && !required.value) {
            table.note(
                required.at,
                "required = false with role = \"id\"",
                "every row needs its id",
            );
        }
        let role = role.map(|role| role.value);
        let typed = table.has("type");
        let kind = kind.map(|kind| kind.value).unwrap_or(match role {
            Some(Role::User) => FieldType::Email,
            _ => FieldType::Text,
        });
        let dated = matches!(kind, FieldType::Date | FieldType::Datetime);
        if let Some(format) = format.as_ref().filter(|_| !dated) {
            let remedy = if typed { "remove it" } else { "add type = \"date\" or \"datetime\"" };
            table.note(format.at, "format is for the types date and datetime", remedy);
        }
        table.finish(&[]);
        let format = format.map(|format| format.value);
        let required = is_id || required.is_some_and(|required| required.value);
        fields.push(Field { column, name, role, kind, format, required });
    }
    fields
}

fn rejects(mut table: Table<'_>) -> RejectPolicy {
    let policy = RejectPolicy {
        policy: choice(
            &mut table,
            "policy",
            &[
                ("quarantine", Some(OnReject::Quarantine)),
                ("skip", Some(OnReject::Skip)),
                ("fail", Some(OnReject::Fail)),
            ],
        ),
        max_count: table.whole("max_count", u64::MAX),
        max_ratio: table.share("max_ratio"),
    };
    table.not_yet("strict", "use policy = \"fail\" to stop at the first reject");
    table.finish(&SOURCE_KEYS);
    policy
}

fn refresh(mut table: Table<'_>) -> RefreshSchedule {
    let refresh = RefreshSchedule {
        schedule: parsed(&mut table, "schedule", schedule::parse),
        poll: parsed(&mut table, "poll", schedule::parse),
        timezone: parsed(&mut table, "timezone", schedule::timezone),
    };
    table.finish(&SOURCE_KEYS);
    refresh
}

fn deliver(top: &mut Table<'_>) -> Vec<Destination> {
    #[derive(Clone, Copy)]
    enum To {
        Home,
        Sqs,
        File,
    }
    let Some(tables) = top.tables("deliver") else { return vec![Destination::Home] };
    if tables.value.is_empty() {
        top.note(tables.at, "deliver names no destination", "remove it for the default one");
    }
    let mut destinations = Vec::new();
    for mut table in tables.value {
        let to = table.choice(
            "to",
            &[
                ("home", Some(To::Home)),
                ("sqs", Some(To::Sqs)),
                ("file", Some(To::File)),
                ("webhook", None),
                ("s3", None),
                ("dynamodb", None),
            ],
        );
        if !table.has("to") {
            table.missing("to", "write to = \"home\", \"sqs\" or \"file\"");
        }
        // Which keys a destination has is known only when it is known itself.
        let Some(to) = to else { continue };
        let destination = match to.value {
            To::Home => Destination::Home,
            To::Sqs => Destination::Sqs { queue_url: parsed(&mut table, "queue_url", url) },
            To::File => Destination::File { directory: text(&mut table, "directory") },
        };
        if destinations.contains(&destination) {
            table.note(to.at, "the same destination stands here twice", "remove one of the two");
        }
        destinations.push(destination);
        table.finish(&SOURCE_KEYS);
    }
    destinations
}

fn key(table: &mut Table<'_>, example: &str) -> Found<String> {
    let remedy = format!("give a stable name, such as {example}");
    let found = table.parsed("key", |text| {
        if is_key(text) {
            return Ok(text.to_owned());
        }
        Err(Complaint::new(
            format!("\"{text}\" is not a key"),
            "use letters A-Z and a-z, digits, _ and - only",
        ))
    });
    if !table.has("key") {
        table.missing("key", &remedy);
    }
    found.unwrap_or(Found { value: String::new(), at: table.at() })
}

fn is_key(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    !text.is_empty() && text.chars().all(allowed)
}

fn required(table: &mut Table<'_>, key: &'static str, remedy: &str) -> Found<String> {
    let found = table.string(key);
    if !table.has(key) {
        table.missing(key, remedy);
    }
    found.unwrap_or(Found { value: String::new(), at: table.at() })
}

fn text(table: &mut Table<'_>, key: &'static str) -> Option<String> {
    table.string(key).map(|found| found.value)
}

fn flag(table: &mut Table<'_>, key: &'static str) -> Option<bool> {
    table.boolean(key).map(|found| found.value)
}

fn parsed<T>(
    table: &mut Table<'_>,
    key: &'static str,
    parse: impl FnOnce(&str) -> Result<T, Complaint>,
) -> Option<T> {
    table.parsed(key, parse).map(|found| found.value)
}

fn choice<T: Copy + Default>(
    table: &mut Table<'_>,
    key: &'static str,
    words: &[(&'static str, Option<T>)],
) -> T {
    table.choice(key, words).map(|found| found.value).unwrap_or_default()
}

fn path(text: &str) -> Result<PathPattern, Complaint> {
    PathPattern::parse(text).map_err(|error| {
        let message = format!("path \"{text}\": {} at character {}", error.message, error.position);
        Complaint::new(message, error.remedy)
    })
}

fn bucket(text: &str) -> Result<String, Complaint> {
    if text.contains('/') {
        let remedy = "write the bucket's name alone, and the folder in path";
        return Err(Complaint::new(format!("\"{text}\" is not a bucket's name"), remedy));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if (3..=255).contains(&text.len()) && begins && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    Err(Complaint::new(
        format!("\"{text}\" is not a bucket's name"),
        "bucket names have at least three letters, digits, dots or hyphens",
    ))
}

fn delimiter(text: &str) -> Result<u8, Complaint> {
    match text.as_bytes() {
        [byte] if !b"\"\r\n".contains(byte) => Ok(*byte),
        _ => Err(Complaint::new(
            format!("delimiter {text:?} is not one byte that can stand between cells"),
            "use one such as \",\", \";\", \"|\" or \"\\t\"",
        )),
    }
}

fn region(text: &str) -> Result<String, Complaint> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    let message = format!("\"{text}\" is not the code of a region");
    Err(Complaint::new(message, "write a code such as \"eu-west-1\""))
}

fn account(text: &str) -> Result<String, Complaint> {
    if text.len() == 12 && text.chars().all(|c| c.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    let message = format!("\"{text}\" is not the id of an AWS account");
    Err(Complaint::new(message, "write its twelve digits"))
}

fn url(text: &str) -> Result<String, Complaint> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    if rest.is_some_and(|rest| !rest.is_empty() && !text.contains(char::is_whitespace)) {
        return Ok(text.to_owned());
    }
    let message = format!("\"{text}\" is not a URL");
    Err(Complaint::new(message, "begin it with https://"))
}
