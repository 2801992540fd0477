//! The table that a file belongs to.

use super::definition::Source;
use super::path::{COMPRESSIONS, Captures};

/// Extensions of formats, which a table's name leaves out.
const FORMATS: [&str; 20] = [
    "csv", "tsv", "txt", "json", "jsonl", "ndjson", "xml", "xlsx", "xlsm", "xlsb", "xls", "ods",
    "parquet", "avro", "pdf", "docx", "html", "htm", "md", "markdown",
];

/// Extensions of archives, one of which may stand behind it.
const ARCHIVES: [&str; 3] = ["zip", "tar", "tgz"];

impl Source {
    /// The table of the object `key`, which the source's path matched with `captures`: what `{table}`
    /// captured, else the source's `table`, else the file's name without its extensions
    /// (`2026/deals.eu.csv.gz` → `deals.eu`).
    ///
    /// The name is as it stands in the key; who makes a file or an address of it has to escape it.
    pub fn table(&self, captures: &Captures<'_>, key: &str) -> String {
        let named = captures.get("table").or(self.table.as_deref());
        named.unwrap_or_else(|| stem(key)).to_owned()
    }

    /// The table of a member of the archive `key`: the archive's, where the path or the definition
    /// names it, else the name of the member without its extensions.
    pub fn table_of_member(&self, key: &str, member: &str) -> String {
        match self.path.matches(key) {
            Some(captures) if captures.get("table").is_some() => self.table(&captures, key),
            Some(captures) if self.table.is_some() => self.table(&captures, key),
            _ => stem(member).to_owned(),
        }
    }
}

fn stem(key: &str) -> &str {
    let name = key.rsplit('/').next().unwrap_or(key);
    without(without(without(name, &COMPRESSIONS), &ARCHIVES), &FORMATS)
}

/// The name without its extension, if that is one of these and not the whole name.
fn without<'n>(name: &'n str, extensions: &[&str]) -> &'n str {
    match name.rsplit_once('.') {
        Some((rest, extension))
            if !rest.is_empty() && extensions.iter().any(|e| e.eq_ignore_ascii_case(extension)) =>
        {
            rest
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_a_table_of_its_own_unless_the_table_is_named() {
        let table = |more: &str| {
            let toml = format!("key = 's'\nconnection = 'c'\nbucket = 'bucket'\n{more}");
            let source = Source::from_toml("s.toml", &toml).expect("a definition");
            source.table_of_member("x/all.zip", "2026/deals.csv.gz")
        };
        assert_eq!(table(""), "deals");
        assert_eq!(table("table = 'sales'"), "sales");
        assert_eq!(table("path = '{table}/*.zip'"), "x");
    }

    #[test]
    fn a_stem_loses_one_compression_and_one_format() {
        for (key, table) in [
            ("daily/deals.csv", "deals"),
            ("deals.2026.CSV.gz", "deals.2026"),
            ("deals.csv.zst", "deals"),
            ("exports/deals.tar.gz", "deals"),
            ("deals.tgz", "deals"),
            ("deals.csv.zip", "deals"),
            ("a/b/Größe 1+2.tsv", "Größe 1+2"),
            ("deals.gz", "deals"),
            ("deals.2026.ndjson.gz", "deals.2026"),
            ("deals.xml", "deals"),
            ("contracts/2026-01.PDF", "2026-01"),
            ("deals.parquet", "deals"),
            ("deals.csv.csv", "deals.csv"),
            ("deals.dat", "deals.dat"),
            (".csv", ".csv"),
            ("README", "README"),
        ] {
            assert_eq!(stem(key), table, "{key}");
        }
    }
}
