//! A short hash of what in a source decides the outcome of an object.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::definition::{Destination, Field, Format, Mode, RecordSettings, RejectPolicy, Source};

/// What the fingerprint is made of.
#[derive(Serialize)]
struct Decisive<'s> {
    connection: &'s str,
    bucket: &'s str,
    /// Only if it names the table: a path that takes more or fewer objects changes none of them.
    path: Option<&'s str>,
    table: Option<&'s str>,
    mode: Mode,
    max_size: u64,
    format: &'s Format,
    fields: Vec<&'s Field>,
    records: Option<&'s RecordSettings>,
    rejects: &'s RejectPolicy,
    deliver: Vec<String>,
    limits: Option<&'s BTreeMap<String, u64>>,
}

impl Source {
    /// Sixteen hexadecimal digits that change when the outcome of an object may change.
    ///
    /// In it: `connection`, `bucket`, `table`, `path` if it captures the table, `mode`, `max_size`,
    /// `format`, `fields`, `records`, `rejects`, `deliver` and `limits`. Not in it: `key`, other paths, `dedup`,
    /// `on_remove`, `refresh`, comments, whether a default is written out, and the order of fields
    /// and of destinations. A setting that is not given leaves no trace, so that settings which come
    /// with a later version of Inlet change the fingerprint of no source that does not use them.
    pub fn fingerprint(&self) -> String {
        let mut fields: Vec<&Field> = self.fields.iter().collect();
        fields.sort_by(|a, b| a.column.cmp(&b.column));
        let mut deliver: Vec<String> = self.deliver.iter().map(destination).collect();
        deliver.sort();
        let decisive = Decisive {
            connection: &self.connection,
            bucket: &self.bucket,
            path: Some(self.path.as_str()).filter(|_| self.path.has_capture("table")),
            table: self.table.as_deref(),
            mode: self.mode,
            max_size: self.max_size,
            format: &self.format,
            fields,
            records: Some(&self.records).filter(|records| **records != RecordSettings::default()),
            rejects: &self.rejects,
            deliver,
            limits: Some(&self.limits).filter(|limits| !limits.is_empty()),
        };
        let value = serde_json::to_value(decisive).expect("settings are always JSON");
        let digest = Sha256::digest(canonical(&value));
        digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

fn destination(destination: &Destination) -> String {
    canonical(&serde_json::to_value(destination).expect("settings are always JSON"))
}

/// JSON with the keys of objects sorted, and without those that are null.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(entries) => {
            let sorted: BTreeMap<_, _> = entries.iter().filter(|(_, v)| !v.is_null()).collect();
            let entries: Vec<_> = sorted
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), canonical(value)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test says where it failed")]

    use super::*;

    const TOP: &str = "key = 'deals'\nconnection = 'inlet'\nbucket = 'drop'\n";

    fn fingerprint(more: &str) -> String {
        Source::from_toml("deals.toml", &format!("{TOP}{more}")).unwrap().fingerprint()
    }

    #[test]
    fn a_fingerprint_is_stable() {
        // If this changes, every object of every source is processed again after the update.
        assert_eq!(fingerprint(""), "6eb52a182d4195eb");
    }

    #[test]
    fn what_means_nothing_changes_nothing() {
        let plain = fingerprint("");
        for same in [
            "# a comment",
            "mode = 'append'\n[format]\nskip_lines = 0\n[[deliver]]\nto = 'home'",
            "[records]\nunknown_columns = 'pass'\nshort_rows = 'reject'\n[rejects]\nstrict = false\n[limits]",
            "path = 'x/*.csv'",
            "on_remove = 'keep'\ndedup = 'ever'\n[refresh]\npoll = 'rate(1 hour)'",
        ] {
            assert_eq!(fingerprint(same), plain, "{same}");
        }
        assert_eq!(
            fingerprint("[fields]\na = { as = 'x' }\nb = { type = 'date' }"),
            fingerprint("[fields.b]\ntype = 'date'\n[fields.a]\nas = 'x'"),
        );
        assert_eq!(
            fingerprint("[[deliver]]\nto = 'home'\n[[deliver]]\nto = 'sqs'"),
            fingerprint("[[deliver]]\nto = 'sqs'\n[[deliver]]\nto = 'home'"),
        );
    }

    #[test]
    fn what_changes_an_outcome_changes_the_fingerprint() {
        let mut seen = vec![fingerprint("")];
        for different in [
            "mode = 'snapshot'",
            "table = 'x'",
            "path = '{table}/*'",
            "path = 'x/{table}/*'",
            "max_size = 10",
            "[format]\ndelimiter = ';'",
            "[format]\nheader = true",
            "[fields]\na = { as = 'x' }",
            "[fields]\na = { as = 'x', type = 'text' }",
            "[fields]\na = { as = 'x', null_values = ['-'] }",
            "[fields]\na = { as = 'x', default = '-' }",
            "[fields]\na = { as = 'x', unique = true }",
            "[fields]\na = { as = 'x', max_length = 3 }",
            "[records]\nnull_values = ['-']",
            "[records]\nunknown_columns = 'drop'",
            "[records]\nlong_rows = 'cut'",
            "[limits]\nmax_columns = 5",
            "[limits]\nmax_ratio = 5",
            "[rejects]\nmax_ratio = 0.5",
            "[rejects]\nstrict = true",
            "[[deliver]]\nto = 'sqs'",
        ] {
            let fingerprint = fingerprint(different);
            assert!(!seen.contains(&fingerprint), "{different}");
            seen.push(fingerprint);
        }
    }
}
