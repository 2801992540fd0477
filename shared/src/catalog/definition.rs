//! Connections and sources as values: validated, with every default filled in.

use std::collections::BTreeMap;
use std::fmt;

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
    /// How cells become values, in all columns.
    #[serde(default, skip_serializing_if = "is_default")]
    pub records: RecordSettings,
    /// What happens to rows that cannot become records.
    pub rejects: RejectPolicy,
    /// When the source is refreshed.
    pub refresh: RefreshSchedule,
    /// Where the records go: at least one destination, no two the same.
    pub deliver: Vec<Destination>,
    /// What a file may ask of the machine, where it is not the default: values of the fields of
    /// [`format::Limits`](crate::format::Limits) by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, u64>,
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
    /// What stands between cells: one or two characters.
    pub delimiter: Option<String>,
    /// What stands around cells that hold a delimiter or a line end.
    pub quote: Option<Mark>,
    /// What makes a quote a character like others besides doubling it; stated, it does so to
    /// delimiters and line ends outside of quotes, too.
    pub escape: Option<Mark>,
    /// What lines that are comments begin with.
    pub comment: Option<Mark>,
    /// Whether the first row names the columns. Without a header columns are `column_1`, `column_2`
    /// and so on.
    pub header: Option<bool>,
    /// How many rows name the columns: the names of one column are joined with ` / `.
    pub header_rows: Option<u32>,
    /// Whether the row below the header holds units, and is no data.
    pub units_row: Option<bool>,
    /// Whether lines before the header (titles, notes) are looked for.
    pub preamble: Option<bool>,
    /// Lines to leave out at the end. `None`: rows that look like a footer are rejects.
    pub skip_footer_lines: Option<u32>,
    /// Lines to leave out before the header.
    pub skip_lines: u32,
    /// Where the rows are in a document: the keys of JSON (`data.items`, a JSON pointer, or `.`: the
    /// document itself), or the elements of XML (`catalog/book`). `None`: they are looked for.
    pub rows: Option<String>,
    /// The encoding of text.
    pub encoding: Option<super::Encoding>,
    /// Which members of an archive are read; `None`: all files that are not hidden. Of an archive
    /// within the archive the pattern takes the archive itself, and then its members by their path
    /// behind it (`may.zip/1.csv`).
    pub members: Option<super::PathPattern>,
    /// Which sheets of a workbook are read (default: the first visible one that has a table).
    pub sheet: Option<SheetChoice>,
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

    /// Whether anything is stated that only a table has.
    pub fn says_how_cells_are_written(&self) -> bool {
        let Self { delimiter, quote, escape, comment, header, header_rows, .. } = self;
        let Self { units_row, preamble, skip_footer_lines, skip_lines, .. } = self;
        delimiter.is_some()
            || quote.or(*escape).or(*comment).is_some()
            || header.or(*units_row).or(*preamble).is_some()
            || header_rows.or(*skip_footer_lines).is_some()
            || *skip_lines > 0
    }
}

/// Which sheets of a workbook are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SheetChoice {
    /// Every visible one, each as a table of its own.
    All,
    /// The one at this place among all tabs, hidden ones too, from 1.
    Number(u32),
    /// The one of this name.
    Name(String),
}

/// A character with a role in the text of a file; `None`: nothing has the role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Mark(pub Option<char>);

impl From<Mark> for String {
    fn from(mark: Mark) -> Self {
        mark.0.map_or_else(|| "none".to_owned(), Self::from)
    }
}

impl TryFrom<String> for Mark {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut characters = text.chars();
        match (text.as_str(), characters.next(), characters.next()) {
            ("none", ..) => Ok(Self(None)),
            (_, Some(mark), None) if mark.is_ascii() && !matches!(mark, '\n' | '\r' | '\0') => {
                Ok(Self(Some(mark)))
            }
            _ => Err(format!("{text:?} is neither one ASCII character nor \"none\"")),
        }
    }
}

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FormatKind {
    /// Rows of delimited cells.
    Csv,
    /// Documents of JSON.
    Json,
    /// A document of JSON on each line.
    Jsonl,
    /// A document of XML.
    Xml,
    /// A workbook: Excel's xlsx, xlsm, xlsb and xls, and OpenDocument's ods.
    Excel,
    /// Apache Parquet.
    Parquet,
    /// Apache Avro object container files.
    Avro,
    /// A document for people to read: PDF, Word (.docx), HTML, Markdown or plain text.
    Document,
}

impl fmt::Display for FormatKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FormatKind::Csv => "csv",
            FormatKind::Json => "json",
            FormatKind::Jsonl => "jsonl",
            FormatKind::Xml => "xml",
            FormatKind::Excel => "excel",
            FormatKind::Parquet => "parquet",
            FormatKind::Avro => "avro",
            FormatKind::Document => "document",
        })
    }
}

/// One column that the source says something about. What is not given in the definition leaves no
/// trace when a field is stored, so that stored fields and fingerprints outlive new settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Field {
    /// The column's name in the file.
    pub column: String,
    /// The field's name downstream; by default the column's.
    pub name: String,
    /// What the field is to the table.
    pub role: Option<Role>,
    /// How the cell is read; `None`: as it is in the file, which in text is [`FieldType::Text`], and
    /// in JSON and its like the value of whatever type.
    pub kind: Option<FieldType>,
    /// Strptime patterns, of which the first that fits counts; only for dates and times.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub format: Vec<String>,
    /// A cell without a value is a reject, and so is the whole file if its header is without the
    /// column.
    pub required: bool,
    /// The value where there is none, as it would be written in the file.
    pub default: Option<String>,
    /// No two rows of a file have the same value: the first keeps it.
    #[serde(skip_serializing_if = "is_default")]
    pub unique: bool,
    /// The only values that there are, as they would be written in the file.
    pub allowed: Option<Vec<String>>,
    /// A regular expression that the whole text of the cell must match.
    pub pattern: Option<String>,
    /// The least value, of numbers, dates and times.
    pub min: Option<String>,
    /// The greatest value, of numbers, dates and times.
    pub max: Option<String>,
    /// The least number of characters of a text.
    pub min_length: Option<u64>,
    /// The greatest number of characters of a text.
    pub max_length: Option<u64>,
    /// How the cell is read, where it is not as the source says.
    #[serde(skip_serializing_if = "is_default")]
    pub reading: Reading,
}

/// How cells are read: for all columns of a source, or for one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reading {
    /// Cells that have no value, white space around them left out. Without, that is an empty cell,
    /// in every type but text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub null_values: Option<Vec<String>>,
    /// The words for true, in place of the usual ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub true_values: Option<Vec<String>>,
    /// The words for false, in place of the usual ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub false_values: Option<Vec<String>>,
    /// What stands before the fraction of a number; a point by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal: Option<char>,
    /// What may stand between groups of three digits; nothing by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<char>,
    /// Whether white space around a text is left out. Around all other values it always is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trim: Option<bool>,
    /// The IANA name of the time zone of dates with times that name no offset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

/// How rows become records, as far as it is not said of one column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecordSettings {
    /// How cells are read.
    #[serde(skip_serializing_if = "is_default")]
    pub reading: Reading,
    /// Columns of the file that `fields` does not name.
    #[serde(skip_serializing_if = "is_default")]
    pub unknown_columns: UnknownColumns,
    /// Columns of `fields` that are not in the file, and are not required.
    #[serde(skip_serializing_if = "is_default")]
    pub missing_columns: MissingColumns,
    /// Rows with fewer cells than the header.
    #[serde(skip_serializing_if = "is_default")]
    pub short_rows: ShortRows,
    /// Rows with more cells than the header.
    #[serde(skip_serializing_if = "is_default")]
    pub long_rows: LongRows,
}

/// What becomes of columns that the definition does not name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownColumns {
    /// They go through as they are, under their own names.
    #[default]
    Pass,
    /// They are left out.
    Drop,
    /// A file with a header that names one fails; of other files, a row that has one is a reject.
    Reject,
}

/// What becomes of columns that the definition names and the file does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingColumns {
    /// The records are without the field.
    #[default]
    Pass,
    /// The field is null.
    Null,
    /// As if each of them were required.
    Reject,
}

/// What becomes of rows with fewer cells than the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShortRows {
    /// They are rejects.
    #[default]
    Reject,
    /// The fields whose cells are missing are null, or have their defaults.
    Fill,
}

/// What becomes of rows with more cells than the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LongRows {
    /// They are rejects.
    #[default]
    Reject,
    /// The cells beyond the header's are left out.
    Cut,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
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

/// How a cell becomes a JSON value. A cell without a value is `null`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldType {
    /// A string, exactly as written; an empty one is a value.
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
    /// A date and time; an RFC 3339 string, in UTC when the input names an offset or the definition
    /// a time zone, else without one.
    Datetime,
    /// A time of day; a string `HH:MM:SS`, with the fraction as written.
    Time,
    /// An email address; a string, trimmed.
    Email,
    /// An absolute URL with a host; a string, trimmed.
    Url,
    /// A UUID; a string in the usual form with hyphens and small letters.
    Uuid,
    /// A text that is JSON; its value.
    Json,
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
    /// The whole file is checked before any of it is delivered: one that passes a limit publishes
    /// nothing.
    #[serde(default, skip_serializing_if = "is_default")]
    pub strict: bool,
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
