//! Connections and sources as values: validated, with every default filled in.

use serde::{Deserialize, Serialize};

/// How a bucket is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The stable key, `[A-Za-z0-9_-]+`.
    pub key: String,
    /// A name for people.
    pub name: String,
    /// The bucket's region; `None`: where Inlet runs.
    pub region: Option<String>,
    /// Whether Inlet may write into the connection's buckets.
    pub access: Access,
    /// The account that must own the bucket; every call states it.
    pub bucket_owner: Option<String>,
    /// Another S3-compatible store.
    pub endpoint: Option<String>,
    /// `https://host/bucket/key` in place of `https://bucket.host/key`.
    pub path_style: bool,
}

/// What a connection allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Inlet never writes into the connection's buckets.
    #[default]
    Read,
    /// Object actions may write.
    ReadWrite,
}

/// Which objects are taken, how they are read, and where their records go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The stable key, `[A-Za-z0-9_-]+`.
    pub key: String,
    /// The key of the connection.
    pub connection: String,
    /// The bucket.
    pub bucket: String,
    /// Which keys of the bucket.
    pub path: super::PathPattern,
    /// The table of every file, where the path does not capture `{table}`; `None`: the file's name
    /// without its extensions. See [`Source::table`].
    pub table: Option<String>,
    /// What a file means for its table.
    pub mode: Mode,
    /// Bytes of an object (as stored) above which it is not read; [`MAX_OBJECT_SIZE`] by default.
    pub max_size: u64,
    /// Which repeated contents are left out.
    pub dedup: Dedup,
    /// What the removal of an object means downstream.
    pub on_remove: OnRemove,
    /// How the bytes are read.
    pub format: Format,
    /// Columns that are renamed, typed or checked, in the order of the definition. Columns that are
    /// not named go through as they are.
    pub fields: Vec<Field>,
    /// What happens to rows that cannot become records.
    pub rejects: RejectPolicy,
    /// When the source is refreshed.
    pub refresh: RefreshSchedule,
    /// Where the records go: at least one destination, no two the same.
    pub deliver: Vec<Destination>,
}

/// The largest object that S3 holds, 50 TiB: no limit in practice, because objects are streamed.
pub const MAX_OBJECT_SIZE: u64 = 50 << 40;

/// What a file means for its table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The file is the whole table.
    Snapshot,
    /// The file adds to the table: the default, because it never takes rows away.
    #[default]
    Append,
    /// Each file is a document: its text and what it says of itself.
    Document,
}

/// Which repeated contents of the same key are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dedup {
    /// The content that was completed last.
    #[default]
    Current,
    /// Any content that was ever completed.
    Ever,
}

/// What the removal of an object means downstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnRemove {
    /// A removal is delivered.
    #[default]
    Delete,
    /// The records stay; the ledger alone notes the removal.
    Keep,
}

/// How the bytes are read. What is `None` is detected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Format {
    /// The kind of file.
    pub kind: Option<FormatKind>,
    /// The byte between cells.
    pub delimiter: Option<u8>,
    /// Whether the first row names the columns (default: it does). Without, columns are `column_1`,
    /// `column_2` and so on.
    pub header: Option<bool>,
    /// Lines to leave out before the header.
    pub skip_lines: u32,
    /// A row for each page of a PDF, in place of one for the document (default: no).
    pub pages: Option<bool>,
    /// Bytes of text (as JSON) above which a document goes on in a further row;
    /// [`Format::MAX_TEXT`] by default.
    pub max_text: Option<u64>,
}

impl Format {
    /// Bytes of a document's text in one row, where nothing is stated: a record that holds them can
    /// be delivered.
    pub const MAX_TEXT: u64 = 200_000;
}

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FormatKind {
    /// Rows of delimited cells.
    Csv,
    /// A document for people to read: PDF, Word (.docx), HTML, Markdown or plain text.
    Document,
}

/// One column that the source says something about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The column's name in the file.
    pub column: String,
    /// The field's name downstream; by default the column's.
    pub name: String,
    /// What the field is to the table.
    pub role: Option<Role>,
    /// How the cell is read.
    pub kind: FieldType,
    /// A strptime pattern; only for dates and date-times.
    pub format: Option<String>,
    /// An empty cell is a reject, and so is the whole file if the column is missing.
    pub required: bool,
}

/// What a field is to its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The unique identifier of a row. Implies `required`.
    Id,
    /// What people call the row.
    Name,
    /// A user; [`FieldType::Email`] unless the definition gives a type.
    User,
}

/// How a cell becomes a JSON value. An empty cell is `null`, in every type but text, where it is
/// the empty string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldType {
    /// A string, exactly as written.
    #[default]
    Text,
    /// Digits with an optional sign; a JSON number, exact at any length.
    Integer,
    /// Digits with an optional fraction; a JSON string, exact as written (a JSON number would lose
    /// digits in most readers).
    Decimal,
    /// A JSON number, finite, as written.
    Number,
    /// `true`/`false`, `yes`/`no`, `1`/`0`, `t`/`f`, `y`/`n`, in any case; a JSON boolean.
    Boolean,
    /// A calendar date; a string `YYYY-MM-DD`.
    Date,
    /// A date and time; an RFC 3339 string, in UTC when the input names an offset, else without one.
    Datetime,
    /// An email address; a string, trimmed.
    Email,
}

/// What happens to rows that cannot become records.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RejectPolicy {
    /// The policy.
    pub policy: OnReject,
    /// More rejects than this fail the object.
    pub max_count: Option<u64>,
    /// A greater share of rejects among the rows fails the object (looked at when the object ends).
    pub max_ratio: Option<f64>,
}

// A share is never NaN: it is between 0 and 1.
impl Eq for RejectPolicy {}

/// What is done with one reject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnReject {
    /// Written, with its reason and its raw bytes, beside the ledger; the other rows go on.
    #[default]
    Quarantine,
    /// Counted; the other rows go on.
    Skip,
    /// The first one fails the object.
    Fail,
}

/// When a source is refreshed, besides once a day by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshSchedule {
    /// Full refreshes: an EventBridge Scheduler expression, `cron(…)` or `rate(…)`.
    pub schedule: Option<String>,
    /// Looks for new and changed files between them.
    pub poll: Option<String>,
    /// The IANA name of the schedule's time zone.
    pub timezone: Option<String>,
}

/// Where records go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "kebab-case")]
pub enum Destination {
    /// The home's own destination: the stack's records queue on AWS, the directory `out` on one
    /// machine. Where a source names no destination, its records go here.
    #[default]
    Home,
    /// A queue; `None`: the stack's own records queue.
    Sqs {
        /// The queue's URL.
        queue_url: Option<String>,
    },
    /// Files on this machine; `None`: the home's own `out` directory.
    File {
        /// The directory.
        directory: Option<String>,
    },
}
