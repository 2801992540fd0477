//! Files, and what must become of them: the model that the pipeline is compared with.

use bytes::Bytes;
use fastrand::Rng;
use inlet::catalog::{Dedup, OnReject, OnRemove, Source};
use serde_json::{Value, json};

/// The content of a file.
#[derive(Clone, Debug)]
pub enum Content {
    /// Rows; those without a number are rejects.
    Rows(Vec<Row>),
    /// Not a byte.
    Empty,
    /// A required column is missing.
    WithoutColumn,
    /// Text in an encoding that is not read.
    Utf32,
}

/// One row.
#[derive(Clone, Debug)]
pub struct Row {
    name: String,
    number: Option<i64>,
}

/// What must become of a content for one source.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// It goes downstream.
    Done {
        /// The rows and values of its records.
        records: Vec<(u64, Value)>,
        /// Rows that are refused.
        refused: u64,
        /// Whether what is refused is kept.
        kept: bool,
    },
    /// It fails with this code.
    Failed(&'static str),
    /// It is parked with this code.
    Parked(&'static str),
}

impl Content {
    /// The content with number `n`.
    pub fn draw(rng: &mut Rng, n: usize) -> Self {
        match rng.u8(..20) {
            0 => Self::WithoutColumn,
            1 => Self::Utf32,
            2 => Self::Empty,
            3 => Self::Rows(Vec::new()),
            kind => {
                let refused = if kind < 8 { 6 } else { u32::MAX };
                let rows = (0..rng.usize(1..=30)).map(|row| Row {
                    name: format!("c{n}r{row}{}", if rng.u8(..5) == 0 { ", \"x\"" } else { "" }),
                    number: (rng.u32(..refused) != 0).then(|| rng.i64(-99..10_000)),
                });
                Self::Rows(rows.collect())
            }
        }
    }

    /// The bytes of the file.
    pub fn bytes(&self, n: usize) -> Bytes {
        match self {
            Self::Empty => Bytes::new(),
            Self::WithoutColumn => format!("name\nc{n}\n").into(),
            Self::Utf32 => {
                let text = format!("\u{feff}name,number\nc{n},1\n");
                let units = text.chars().map(u32::from);
                units.flat_map(u32::to_le_bytes).collect::<Vec<u8>>().into()
            }
            Self::Rows(rows) => {
                let mut text = "name,number\n".to_owned();
                for row in rows {
                    let name = row.name.replace('"', "\"\"");
                    let number = row.number.map_or("many".to_owned(), |n| n.to_string());
                    text.push_str(&format!("\"{name}\",{number}\n"));
                }
                text.into()
            }
        }
    }

    /// What must become of it.
    pub fn expected(&self, source: &Source, size: u64) -> Expected {
        if size > source.max_size {
            return Expected::Parked("too_large");
        }
        let rows = match self {
            // A column is required, so nothing at all is no table without rows.
            Self::Empty | Self::WithoutColumn => return Expected::Failed("missing_column"),
            Self::Utf32 => return Expected::Parked("unsupported_encoding"),
            Self::Rows(rows) => rows,
        };
        let refused = rows.iter().filter(|row| row.number.is_none()).count() as u64;
        if refused > 0 && source.rejects.policy == OnReject::Fail {
            return Expected::Failed("row_rejected");
        }
        if source.rejects.max_count.is_some_and(|most| refused > most) {
            return Expected::Failed("too_many_rejects");
        }
        let records = rows
            .iter()
            .zip(1..)
            .filter_map(|(row, n)| Some((n, json!({"name": row.name, "number": row.number?}))))
            .collect();
        let kept = source.rejects.policy == OnReject::Quarantine;
        Expected::Done { records, refused, kept }
    }

    /// The record of row `n`, if it becomes one.
    pub fn record(&self, n: u64) -> Option<Value> {
        let Self::Rows(rows) = self else { return None };
        let row = rows.get(usize::try_from(n).ok()?.checked_sub(1)?)?;
        Some(json!({"name": row.name, "number": row.number?}))
    }
}

/// A source over `bucket`.
pub fn source(rng: &mut Rng, key: &str, bucket: &str) -> Source {
    let mut toml = format!("key = '{key}'\nconnection = 'inlet'\nbucket = '{bucket}'\n");
    toml.push_str(if rng.u8(..3) == 0 { "path = '**/*.csv'\n" } else { "path = 'in/**/*.csv'\n" });
    let mut source = Source::from_toml("simulated.toml", &toml).expect("the definition is valid");
    source.max_size = if rng.u8(..4) == 0 { 300 } else { 1 << 20 };
    source.dedup = if rng.u8(..3) == 0 { Dedup::Ever } else { Dedup::Current };
    source.on_remove = if rng.u8(..4) == 0 { OnRemove::Keep } else { OnRemove::Delete };
    source.format.delimiter = Some(",".into());
    source.fields = fields(rng.bool());
    source.rejects.policy =
        [OnReject::Quarantine, OnReject::Quarantine, OnReject::Skip, OnReject::Fail]
            [rng.usize(..4)];
    if rng.u8(..4) == 0 && source.rejects.policy != OnReject::Fail {
        source.rejects.max_count = Some(2);
    }
    source
}

fn fields(identified: bool) -> Vec<inlet::catalog::Field> {
    let field = |column: &str| inlet::catalog::Field {
        column: column.to_owned(),
        name: column.to_owned(),
        required: true,
        ..inlet::catalog::Field::default()
    };
    let mut name = field("name");
    name.role = identified.then_some(inlet::catalog::Role::Id);
    let mut number = field("number");
    number.kind = Some(inlet::catalog::FieldType::Integer);
    vec![name, number]
}
