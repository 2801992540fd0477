//! One TOML file into one connection or one source, with every default filled in.
//!
//! The functions here say which keys a definition has and what each may be; what is wrong is noted in
//! the [`Document`], and the definition goes on with a default, so that the rest is checked too.

use super::definition::{
    Access, Connection, Dedup, Destination, Format, FormatKind, MAX_OBJECT_SIZE, Mark, Mode,
    OnReject, OnRemove, RefreshSchedule, RejectPolicy, SheetChoice, Source,
};
use super::encoding::Encoding;
use super::path::PathPattern;
use super::problem::Complaint;
use super::reader::{Document, Found, NameOrNumber, Position, Table};
use super::{fields, schedule, size};

/// A definition and the places in its file that checks across files name. An empty key was missing
/// or wrong, which is noted already.
pub(super) struct Placed<T> {
    pub(super) file: String,
    pub(super) value: T,
    pub(super) key_at: Position,
    pub(super) connection_at: Position,
}

/// What is written beside the directories of the sources, under this name.
const REJECTS: &str = "rejects";

/// Where each key of a source belongs, to help with one that stands under the wrong header.
pub(super) const SOURCE_KEYS: [(&str, &[&str]); 5] = [
    (
        "at the top, above the first [header]",
        &["key", "connection", "bucket", "path", "table", "mode", "max_size", "dedup", "on_remove"],
    ),
    (
        "in [format]",
        &[
            "kind",
            "delimiter",
            "quote",
            "escape",
            "comment",
            "header",
            "units_row",
            "preamble",
            "skip_lines",
            "skip_footer_lines",
            "rows",
            "encoding",
            "members",
            "sheet",
            "pages",
            "max_text",
        ],
    ),
    (
        "in [records]",
        &["unknown_columns", "missing_columns", "short_rows", "long_rows", "null_values"],
    ),
    ("in [rejects]", &["policy", "max_count", "strict"]),
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
    // Some file systems do not tell capital letters from small ones.
    if key.value.eq_ignore_ascii_case(REJECTS) {
        let message = format!("a source cannot have the key \"{}\"", key.value);
        let remedy = "give it another: out/rejects/ holds the rejects of all sources";
        top.note(key.at, message, remedy);
    }
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
    let records = top.table("records").map(fields::records).unwrap_or_default();
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
        fields: top
            .table("fields")
            .map(|table| fields::fields(table, &records.reading))
            .unwrap_or_default(),
        records,
        rejects: top.table("rejects").map(rejects).unwrap_or_default(),
        refresh: top.table("refresh").map(refresh).unwrap_or_default(),
        deliver: deliver(&mut top),
        limits: top.table("limits").map(fields::limits).unwrap_or_default(),
    };
    top.finish(&SOURCE_KEYS);
    let file = document.name().to_owned();
    Some(Placed { file, value, key_at: key.at, connection_at: connection.at })
}

fn format(mut table: Table<'_>) -> Format {
    let header = table.flag_or_whole("header", 20).map(|found| found.value);
    let format = Format {
        kind: table
            .choice(
                "kind",
                &[
                    ("csv", Some(FormatKind::Csv)),
                    ("json", Some(FormatKind::Json)),
                    ("jsonl", Some(FormatKind::Jsonl)),
                    ("ndjson", Some(FormatKind::Jsonl)),
                    ("xml", Some(FormatKind::Xml)),
                    ("parquet", Some(FormatKind::Parquet)),
                    ("avro", Some(FormatKind::Avro)),
                    ("excel", Some(FormatKind::Excel)),
                    ("xlsx", Some(FormatKind::Excel)),
                    ("xlsb", Some(FormatKind::Excel)),
                    ("xls", Some(FormatKind::Excel)),
                    ("ods", Some(FormatKind::Excel)),
                    ("document", Some(FormatKind::Document)),
                ],
            )
            .map(|kind| kind.value),
        delimiter: parsed(&mut table, "delimiter", delimiter),
        quote: parsed(&mut table, "quote", mark),
        escape: parsed(&mut table, "escape", mark),
        comment: parsed(&mut table, "comment", mark),
        header: header.map(|rows| rows > 0),
        header_rows: header.filter(|rows| *rows > 1).and_then(|rows| u32::try_from(rows).ok()),
        units_row: flag(&mut table, "units_row"),
        preamble: flag(&mut table, "preamble"),
        skip_footer_lines: table
            .whole("skip_footer_lines", 256)
            .and_then(|lines| u32::try_from(lines).ok()),
        skip_lines: table
            .whole("skip_lines", u32::MAX.into())
            .and_then(|lines| u32::try_from(lines).ok())
            .unwrap_or_default(),
        rows: text(&mut table, "rows"),
        encoding: parsed(&mut table, "encoding", encoding),
        members: parsed(&mut table, "members", members),
        sheet: table.name_or_number("sheet", u32::MAX).map(|sheet| match sheet {
            NameOrNumber::Number(number) => SheetChoice::Number(number),
            NameOrNumber::Name(name) if name == "*" => SheetChoice::All,
            NameOrNumber::Name(name) => SheetChoice::Name(name),
        }),
        pages: flag(&mut table, "pages"),
        max_text: max_text(&mut table),
    };
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
        strict: flag(&mut table, "strict").unwrap_or_default(),
    };
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

pub(super) fn text(table: &mut Table<'_>, key: &'static str) -> Option<String> {
    table.string(key).map(|found| found.value)
}

pub(super) fn flag(table: &mut Table<'_>, key: &'static str) -> Option<bool> {
    table.boolean(key).map(|found| found.value)
}

fn parsed<T>(
    table: &mut Table<'_>,
    key: &'static str,
    parse: impl FnOnce(&str) -> Result<T, Complaint>,
) -> Option<T> {
    table.parsed(key, parse).map(|found| found.value)
}

pub(super) fn choice<T: Copy + Default>(
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

fn members(text: &str) -> Result<PathPattern, Complaint> {
    PathPattern::parse(text).map_err(|error| {
        let place = error.position;
        let message = format!("members \"{text}\": {} at character {place}", error.message);
        Complaint::new(message, error.remedy)
    })
}

fn encoding(label: &str) -> Result<Encoding, Complaint> {
    Encoding::for_label(label).ok_or_else(|| {
        Complaint::new(
            format!("\"{label}\" is no encoding that is read"),
            "write a label of the Encoding Standard, such as \"utf-8\", \"windows-1252\" or \"shift_jis\"",
        )
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

fn delimiter(text: &str) -> Result<String, Complaint> {
    if (1..=2).contains(&text.chars().count()) && !text.contains(['"', '\r', '\n', '\0']) {
        return Ok(text.to_owned());
    }
    Err(Complaint::new(
        format!("delimiter {text:?} is not one or two characters that can stand between cells"),
        "use one such as \",\", \";\", \"|\", \"\\t\" or \"||\"",
    ))
}

fn mark(text: &str) -> Result<Mark, Complaint> {
    let example = "use one such as \"'\", \"\\\\\" or \"#\", or \"none\"";
    Mark::try_from(text.to_owned()).map_err(|message| Complaint::new(message, example))
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
