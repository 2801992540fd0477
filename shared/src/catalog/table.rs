//! The table that a file belongs to.

use super::definition::{SheetChoice, Source};
use super::path::{COMPRESSIONS, Captures};
use crate::format::Part;

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

    /// The table of a part of the object `key`.
    ///
    /// That of a member of an archive is the archive's, where the path or the definition names it, else
    /// the name of the member without its extensions. Where all sheets of a workbook are read, each is a
    /// table of its own: that of the file, a dot, and the name of the sheet (`sales.Q1`).
    pub fn table_of_part(&self, key: &str, part: &Part) -> String {
        let file = part.member.as_deref().unwrap_or(key);
        let mut table = self.named_table(key).unwrap_or_else(|| stem(file).to_owned());
        if let (Some(SheetChoice::All), Some(sheet)) = (&self.format.sheet, &part.sheet) {
            table.push('.');
            table.push_str(sheet);
        }
        table
    }

    /// What the object `key` has in common with the files that came before it, and are expected to be
    /// written alike: the table, where the path or the definition names it, else the file's name with
    /// `#` for each number in it (`deals-2026-02-01.csv` → `deals-#-#-#`).
    pub fn series(&self, key: &str) -> String {
        self.named_table(key).unwrap_or_else(|| {
            let mut series = String::new();
            for letter in stem(key).chars() {
                match letter.is_ascii_digit() {
                    true if series.ends_with('#') => {}
                    true => series.push('#'),
                    false => series.push(letter),
                }
            }
            series
        })
    }

    /// The table that the path or the definition names.
    fn named_table(&self, key: &str) -> Option<String> {
        let captures = self.path.matches(key)?;
        let named = captures.get("table").is_some() || self.table.is_some();
        named.then(|| self.table(&captures, key))
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
            let part = Part { member: Some("2026/deals.csv.gz".into()), sheet: None };
            source.table_of_part("x/all.zip", &part)
        };
        assert_eq!(table(""), "deals");
        assert_eq!(table("table = 'sales'"), "sales");
        assert_eq!(table("path = '{table}/*.zip'"), "x");
    }

    #[test]
    fn sheets_are_tables_of_their_own_where_all_are_read() {
        let table = |more: &str, member: Option<&str>| {
            let toml = format!("key = 's'\nconnection = 'c'\nbucket = 'bucket'\n{more}");
            let source = Source::from_toml("s.toml", &toml).expect("a definition");
            let part = Part { member: member.map(str::to_owned), sheet: Some("Q1".into()) };
            source.table_of_part("x/sales.xlsx", &part)
        };
        assert_eq!(table("[format]\nsheet = '*'", None), "sales.Q1");
        assert_eq!(table("table = 'all'\n[format]\nsheet = '*'", None), "all.Q1");
        assert_eq!(table("[format]\nsheet = '*'", Some("2026/north.xlsx")), "north.Q1");
        assert_eq!(table("[format]\nsheet = 'Q1'", None), "sales");
        assert_eq!(table("", None), "sales");
    }

    #[test]
    fn files_that_differ_by_a_date_are_of_one_series() {
        let series = |more: &str, key: &str| {
            let toml = format!("key = 's'\nconnection = 'c'\nbucket = 'bucket'\n{more}");
            Source::from_toml("s.toml", &toml).expect("a definition").series(key)
        };
        assert_eq!(series("", "in/deals-2026-02-01.csv.gz"), "deals-#-#-#");
        assert_eq!(series("", "in/deals_20260202.csv"), series("", "in/deals_20260203.csv"));
        assert_eq!(series("path = '{table}/*.csv'", "q1/x.csv"), "q1");
        assert_eq!(series("table = 'sales'", "q1/x.csv"), "sales");
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
