//! Definitions from TOML: what they become, and what is wrong with them.

#![allow(clippy::unwrap_used, reason = "a test says where it failed")]

use super::*;

fn source(text: &str) -> Source {
    Source::from_toml("sources/deals.toml", text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn problems_of_source(text: &str) -> String {
    Source::from_toml("deals.toml", text).unwrap_err().to_string()
}

/// The only problem of a source that is right but for `more`.
fn problem_of(more: &str) -> String {
    let problems =
        problems_of_source(&format!("key = 'a'\nconnection = 'inlet'\nbucket = 'one'\n{more}"));
    assert_eq!(problems.lines().count(), 1, "{problems}");
    problems
}

fn problems_of_connection(text: &str) -> String {
    Catalog::from_toml(&[("acme.toml", text)], &[]).unwrap_err().to_string()
}

#[test]
fn the_shortest_source_has_every_default() {
    let source = source("key = 'deals'\nconnection = 'inlet'\nbucket = 'acme-drop'\n");
    assert_eq!(source.path.as_str(), SUPPORTED_FILES);
    assert_eq!(source.mode, Mode::Append);
    assert_eq!(source.max_size, MAX_OBJECT_SIZE);
    assert_eq!(source.dedup, Dedup::Current);
    assert_eq!(source.on_remove, OnRemove::Delete);
    assert_eq!(source.format, Format::default());
    assert_eq!(source.rejects, RejectPolicy::default());
    assert_eq!(source.refresh, RefreshSchedule::default());
    assert_eq!(source.deliver, [Destination::Home]);
    assert!(source.table.is_none() && source.fields.is_empty());
}

const FULL: &str = r#"
key = "deals"
connection = "acme"
bucket = "acme-drop"
path = "daily-exports/{table}/**/*.{csv,tsv}"
mode = "snapshot"
max_size = "100MB"
dedup = "ever"
on_remove = "keep"
[format]
kind = "csv"
delimiter = "\t"
header = false
skip_lines = 2
[fields]
"Name"    = { role = "name" }
"Deal ID" = { as = "id", role = "id" }
"Owner"   = { as = "owner", role = "user" }
"Seller"  = { role = "user", type = "text" }
"Closed"  = { as = "closed_on", type = "date", format = "%d.%m.%Y", required = true }
[rejects]
policy = "skip"
max_count = 10
max_ratio = 0.01
[refresh]
schedule = "cron(0 6,18 * * ? *)"
poll = "rate(15 minutes)"
timezone = "Europe/Paris"
[[deliver]]
to = "sqs"
queue_url = "https://sqs.eu-west-1.amazonaws.com/123456789012/deals"
[[deliver]]
to = "file"
directory = "copies"
[[deliver]]
to = "home"
"#;

#[test]
fn every_setting_is_read() {
    let source = source(FULL);
    assert_eq!((source.mode, source.dedup), (Mode::Snapshot, Dedup::Ever));
    assert_eq!((source.max_size, source.on_remove), (100_000_000, OnRemove::Keep));
    assert_eq!(source.format.kind, Some(FormatKind::Csv));
    assert_eq!(source.format.delimiter.as_deref(), Some("\t"));
    assert_eq!((source.format.header, source.format.skip_lines), (Some(false), 2));
    let columns: Vec<_> = source.fields.iter().map(|field| field.column.as_str()).collect();
    assert_eq!(columns, ["Name", "Deal ID", "Owner", "Seller", "Closed"], "in their order");
    let kinds: Vec<_> = source.fields.iter().map(|field| field.kind).collect();
    use FieldType::{Date, Email, Text};
    let expected = [None, None, Some(Email), Some(Text), Some(Date)];
    assert_eq!(kinds, expected, "a user is an email unless typed");
    let required: Vec<_> = source.fields.iter().map(|field| field.required).collect();
    assert_eq!(required, [false, true, false, false, true], "an id is required");
    assert_eq!(source.fields[1].name, "id");
    assert_eq!(source.fields[3].name, "Seller");
    assert_eq!(source.fields[4].format, ["%d.%m.%Y"]);
    assert_eq!(source.rejects.policy, OnReject::Skip);
    assert_eq!((source.rejects.max_count, source.rejects.max_ratio), (Some(10), Some(0.01)));
    assert_eq!(source.refresh.timezone.as_deref(), Some("Europe/Paris"));
    assert_eq!(source.deliver.len(), 3);
    assert_eq!(source.deliver[1], Destination::File { directory: Some("copies".to_owned()) });
}

const RULES: &str = r#"
key = "deals"
connection = "inlet"
bucket = "acme-drop"
[records]
unknown_columns = "drop"
missing_columns = "null"
short_rows = "fill"
long_rows = "cut"
null_values = ["", "NULL"]
true_values = "oui"
false_values = ["non", "faux"]
decimal = ","
group = " "
trim = true
timezone = "Europe/Paris"
[fields]
a = { type = "integer", min = -1, max = 10, default = 0, unique = true, allowed = [0, 1] }
b = { type = "datetime", format = ["%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M"], timezone = "UTC" }
c = { pattern = "[a-z]+", min_length = 1, max_length = 20, null_values = "-", trim = false }
d = { type = "time", max = 12:00:00 }
e = { type = "date", min = 2026-01-01 }
f = { type = "decimal", decimal = ".", group = ",", default = "1,234.5" }
g = { type = "url" }
h = { type = "uuid" }
i = { type = "json", default = "[]" }
j = { type = "boolean", default = "oui" }
[limits]
max_row_bytes = "1MB"
max_columns = 200
max_ratio = 50
[rejects]
strict = true
max_count = 0
"#;

#[test]
fn every_rule_of_a_field_is_read() {
    let source = source(RULES);
    let records = &source.records;
    assert_eq!(records.unknown_columns, UnknownColumns::Drop);
    assert_eq!(records.missing_columns, MissingColumns::Null);
    assert_eq!((records.short_rows, records.long_rows), (ShortRows::Fill, LongRows::Cut));
    assert_eq!(records.reading.null_values.as_deref(), Some(&["".into(), "NULL".into()][..]));
    assert_eq!((records.reading.decimal, records.reading.group), (Some(','), Some(' ')));
    assert_eq!(records.reading.timezone.as_deref(), Some("Europe/Paris"));
    let a = &source.fields[0];
    assert_eq!((a.min.as_deref(), a.max.as_deref()), (Some("-1"), Some("10")));
    assert_eq!((a.default.as_deref(), a.unique), (Some("0"), true));
    assert_eq!(a.allowed.as_deref(), Some(&["0".to_owned(), "1".to_owned()][..]));
    assert_eq!(source.fields[1].format.len(), 2);
    assert_eq!(source.fields[1].reading.timezone.as_deref(), Some("UTC"));
    assert_eq!(source.fields[2].reading.null_values.as_deref(), Some(&["-".to_owned()][..]));
    assert_eq!(source.fields[3].max.as_deref(), Some("12:00:00"));
    assert_eq!(source.fields[4].min.as_deref(), Some("2026-01-01"));
    let limits = [("max_columns", 200), ("max_ratio", 50), ("max_row_bytes", 1_000_000)];
    let limits: Vec<_> = limits.map(|(name, value)| (name.to_owned(), value)).into();
    assert_eq!(source.limits.clone().into_iter().collect::<Vec<_>>(), limits);
    assert!(source.rejects.strict && source.rejects.max_count == Some(0));
    let json = serde_json::to_string(&source).unwrap();
    assert_eq!(serde_json::from_str::<Source>(&json).unwrap(), source, "{json}");
}

#[test]
fn each_mistake_in_a_rule_says_what_to_do() {
    for (more, expected) in [
        ("[records]\nunknown_colums = 'drop'", "did you mean \"unknown_columns\"?"),
        ("[records]\nunknown_columns = 'ignore'", "it can be \"pass\", \"drop\" or \"reject\""),
        ("[records]\ntimezone = 'Paris'", "5:12: \"Paris\" is not a time zone; use a name such"),
        ("[records]\ntrue_values = ['x']", "true_values stands without false_values; give false_v"),
        ("[records]\ntrue_values = 'x'\nfalse_values = 'X'", "6:16: \"x\" is both true and false"),
        ("[records]\ndecimal = ',,'", "\",,\" is not one character"),
        ("[records]\ndecimal = '5'", "decimal is a character that numbers are made of"),
        ("[records]\ngroup = '.'", "5:9: decimal and group are both '.'"),
        ("[records]\nnull_values = [['x']]", "each value of null_values must be a single value"),
        ("[records]\nmax_count = 5", "it belongs in [rejects]"),
        ("[limits]\nmax_rows = 5", "unknown key \"max_rows\" in [limits]"),
        ("[limits]\nmax_row_bytes = '5 kg'", "\"5 kg\" is not a size"),
        ("[limits]\nmax_columns = '5'", "max_columns must be a whole number, not a TOML string"),
        ("[limits]\nmax_columns = 0", "5:15: max_columns is 0"),
        ("[fields]\na = { pattern = '(' }", "5:17: pattern is not a regular expression: "),
        ("[fields]\na = { pattern = 'a)|(b' }", "pattern is not a regular expression"),
        ("[fields]\na = { pattern = '(a{1000}){1000}' }", "it takes more than 1048576 bytes"),
        ("[fields]\na = { type = 'date', format = '%d.%m' }", "does not hold a whole date"),
        ("[fields]\na = { type = 'date', format = ['%Y-%m-%d', '%!'] }", "is not a pattern"),
        (
            "[fields]\na = { type = 'datetime', format = '%Y-%m-%d %H:%M %Q' }",
            "%Q in the pattern \"%Y-%m-%d %H:%M %Q\" is not read; use %z for an offset",
        ),
        (
            "[fields]\na = { type = 'datetime', format = '%Y-%m-%d %H:%M %Z' }",
            "%Z in the pattern \"%Y-%m-%d %H:%M %Z\" is not read; use %z for an offset",
        ),
        (
            "[fields]\na = { type = 'date', min = '2026-13-01' }",
            "min \"2026-13-01\" is no value: not a d",
        ),
        (
            "[fields]\na = { min = 5 }",
            "5:13: min is for the types of numbers, dates and times; add one",
        ),
        ("[fields]\na = { type = 'integer', min = 5, max = 4 }", "min = 5 is above max = 4"),
        ("[fields]\na = { min_length = 5, max_length = 4 }", "min_length = 5 is above max_length"),
        (
            "[fields]\na = { type = 'date', decimal = ',' }",
            "decimal is for the types integer, decima",
        ),
        (
            "[fields]\na = { type = 'integer', trim = true }",
            "trim is for the type text: all others",
        ),
        (
            "[fields]\na = { type = 'integer', default = 'x' }",
            "default \"x\" is no value: not an integ",
        ),
        (
            "[fields]\na = { default = 'z', allowed = ['x'] }",
            "default \"z\" would be refused: not one of",
        ),
        ("[fields]\na = { type = 'integer', allowed = [1, 'x'] }", "allowed \"x\" is no value"),
        ("[fields]\na = { role = 'id', default = 'z' }", "every row needs its own id"),
        ("[fields]\na = { unique = 1 }", "unique must be true or false"),
        ("[fields]\na = { default = {} }", "default must be a single value, not a TOML table"),
    ] {
        let problem = problem_of(more);
        assert!(
            problem.contains(expected),
            "{more}\n  gave      {problem}\n  expected  {expected}"
        );
    }
}

#[test]
fn mistakes_in_rules_are_listed_together() {
    let text = "key = 'a'\nconnection = 'inlet'\nbucket = 'one'\n[records]\ntimezone = 'Paris'\n\
                [fields]\na = { type = 'date', trim = true, pattern = '(', format = '%Q' }\n\
                b = { type = 'datetime' }\n";
    let lines: Vec<String> = problems_of_source(text).lines().map(str::to_owned).collect();
    let places: Vec<&str> = lines.iter().filter_map(|line| line.split(": ").next()).collect();
    let expected = ["deals.toml:5:12", "deals.toml:7:29", "deals.toml:7:45", "deals.toml:7:59"];
    assert_eq!(places, expected, "{lines:#?}");
}

#[test]
fn documents_and_the_path_of_their_rows_can_be_stated() {
    for (word, kind) in [
        ("json", FormatKind::Json),
        ("jsonl", FormatKind::Jsonl),
        ("ndjson", FormatKind::Jsonl),
        ("xml", FormatKind::Xml),
    ] {
        let text = format!(
            "key = 'a'\nconnection = 'inlet'\nbucket = 'one'\n[format]\nkind = '{word}'\nrows = 'data.items'"
        );
        let format = source(&text).format;
        assert_eq!((format.kind, format.rows.as_deref()), (Some(kind), Some("data.items")));
    }
}

#[test]
fn a_source_of_documents_reads_every_file_as_one() {
    let top = "key = 'notes'\nconnection = 'inlet'\nbucket = 'drop'\n";
    let documents =
        source(&format!("{top}mode = 'document'\nformat = {{ pages = true, max_text = '100KB' }}"));
    assert_eq!(
        (documents.mode, documents.format.kind),
        (Mode::Document, Some(FormatKind::Document))
    );
    assert_eq!((documents.format.pages, documents.format.max_text), (Some(true), Some(100_000)));
    assert_eq!(documents.path.as_str(), DOCUMENT_FILES);
    let stated = source(&format!("{top}format.kind = 'document'"));
    assert_eq!((stated.mode, stated.format.kind), (Mode::Append, Some(FormatKind::Document)));
}

#[test]
fn a_connection_is_read_with_its_defaults() {
    let full = "key = 'acme'\nname = 'Acme Corp'\nregion = 'eu-west-1'\naccess = 'read-write'\n\
                bucket_owner = '123456789012'\nendpoint = 'http://localhost:9000'\n\
                path_style = true\nauth = { mode = 'default' }\n";
    let catalog = Catalog::from_toml(&[("a.toml", full), ("b.toml", "key = 'bare'")], &[]).unwrap();
    let acme = catalog.connection("acme").unwrap();
    assert_eq!((acme.name.as_str(), acme.access), ("Acme Corp", Access::ReadWrite));
    assert!(acme.path_style && acme.endpoint.is_some() && acme.bucket_owner.is_some());
    let bare = catalog.connection("bare").unwrap();
    assert_eq!((bare.name.as_str(), bare.access, bare.path_style), ("bare", Access::Read, false));
}

#[test]
fn definitions_survive_json() {
    for text in [FULL, "key = 'a'\nconnection = 'inlet'\nbucket = 'one'"] {
        let source = source(text);
        let json = serde_json::to_string(&source).unwrap();
        assert_eq!(serde_json::from_str::<Source>(&json).unwrap(), source, "{json}");
    }
    let catalog = Catalog::from_toml(&[("a.toml", "key = 'acme'")], &[]).unwrap();
    for connection in catalog.connections() {
        let json = serde_json::to_string(connection).unwrap();
        assert_eq!(&serde_json::from_str::<Connection>(&json).unwrap(), connection);
    }
}

#[test]
fn a_source_cannot_be_named_like_the_directory_of_all_rejects() {
    for key in ["rejects", "Rejects"] {
        let text = format!("key = \"{key}\"\nconnection = \"inlet\"\nbucket = \"acme-drop\"");
        let problems = Source::from_toml("s.toml", &text).unwrap_err().to_string();
        let expected = format!("s.toml:1:7: a source cannot have the key \"{key}\"");
        assert!(problems.starts_with(&expected), "{problems}");
    }
}

#[test]
fn ten_mistakes_are_listed_together_with_their_places() {
    let text = r#"key = "my deals"
conection = "acme"
bucket = "s3://acme-drop/daily"
path = "daily/{table"
mode = "snapshoot"
max_size = "100 megabytes"
[format]
delimeter = ";"
header = "yes"
skip_lines = -1
[fields]
"Deal ID" = { as = "id", role = "id" }
"Row"     = { as = "id", role = "id" }
[rejects]
max_ratio = 1.5
[refresh]
schedule = "0 6 * * *"
[[deliver]]
queue_url = "https://example.com/queue"
"#;
    let expected = r#"
deals.toml:1:1: connection is missing at the top level; name the key of a connection
deals.toml:1:7: "my deals" is not a key; use letters A-Z and a-z, digits, _ and - only
deals.toml:2:1: unknown key "conection" at the top level; did you mean "connection"?
deals.toml:3:10: "s3://acme-drop/daily" is not a bucket's name; write the bucket's name alone, and the folder in path
deals.toml:4:8: path "daily/{table": { is not closed at character 7; add }, or write \{ for the character itself
deals.toml:5:8: unknown mode "snapshoot", it can be "snapshot", "append" or "document"; did you mean "snapshot"?
deals.toml:6:12: "100 megabytes" is not a size; write a number of bytes, or a number with one of B, KB, MB, GB, TB, KiB, MiB, GiB, TiB, such as "100MB"
deals.toml:8:1: unknown key "delimeter" in [format]; did you mean "delimiter"?
deals.toml:9:10: header must be true or false, not a TOML string; write it without quotes
deals.toml:10:14: skip_lines is negative; use 0 or more
deals.toml:13:20: "Row" and "Deal ID" both become the field "id"; give one of them another name with as = "…"
deals.toml:13:33: "Row" and "Deal ID" both have the role "id"; keep it at the column that names a row uniquely
deals.toml:15:13: max_ratio = 1.5 is not between 0 and 1; 0.01 means one row in a hundred
deals.toml:17:12: "0 6 * * *" is not a schedule; write cron(…) with six fields, such as "cron(0 6 * * ? *)", or "rate(15 minutes)"
deals.toml:18:1: to is missing in [[deliver]]; write to = "home", "sqs" or "file"
"#;
    assert_eq!(problems_of_source(text), expected.trim());
}

#[test]
fn each_mistake_in_a_source_says_what_to_do() {
    for (more, expected) in [
        ("bucket = 'two'", "deals.toml:4:1: the key is given twice; remove one of the two"),
        ("mode = snapshot", "deals.toml:4:8: this is not TOML: "),
        (
            "mode = 'document'\nformat.kind = 'csv'",
            "4:8: mode = \"document\" with another format.kind",
        ),
        ("format.max_text = '1MB'", "max_text is 1000000 bytes; use 1KB to 220KB"),
        ("format.encoding = 'utf-32'", "\"utf-32\" is no encoding that is read; write a label"),
        ("format.kind = 'parket'", "unknown kind \"parket\""),
        ("format.sheet = 0", "sheet is 0; count from 1"),
        ("format.sheet = true", "sheet must be a name or a number, not a TOML boolean"),
        ("format.delimiter = '|||'", "delimiter \"|||\" is not one or two characters"),
        ("format.delimiter = \"\\n\"", "is not one or two characters"),
        ("format.quote = '«'", "is neither one ASCII character nor"),
        ("format.header = 30", "header"),
        ("format.header = '1'", "header must be true or false"),
        ("format.delimiter = ''", "delimiter is empty"),
        ("rejects.policy = 'drop'", "unknown policy \"drop\", it can be \"quarantine\", \"skip\""),
        ("rejects.max_ratio = nan", "max_ratio = nan is not between 0 and 1"),
        ("rejects.max_count = 1.5", "max_count must be a whole number, not a TOML float"),
        ("max_size = 0", "max_size is 0"),
        ("max_size = -5", "max_size is negative"),
        (
            "max_size = true",
            "max_size must be a number of bytes or a text such as \"100MB\", not a TOML boolean",
        ),
        ("format = 'csv'", "format must be a table, not a TOML string"),
        ("table = 'x'\npath = '{table}/*'", "4:9: the table is named twice"),
        ("refresh.timezone = ''", "timezone is empty"),
        ("refresh.poll = 'rate(5 weeks)'", "\"rate(5 weeks)\" is not a rate"),
        ("[rejects]\ndelimiter = ';'", "in [rejects]; it belongs in [format]"),
        (
            "[[deliver]]\nto = 'home'\nmode = 'append'",
            "6:1: unknown key \"mode\" in [[deliver]]; it belongs at the top",
        ),
        ("[[deliver]]\nto = 'webhook'\nurl = 'https://x'", "not supported yet: to = \"webhook\""),
        ("[[deliver]]\nto = 'sqs'\nqueue_url = 'deals'", "\"deals\" is not a URL"),
        ("[[deliver]]\nto = 'home'\n[[deliver]]\nto = 'home'", "7:6: the same destination"),
        ("[deliver]\nto = 'home'", "write its header with [[ and ]]"),
        ("deliver = []", "deliver names no destination"),
        ("[fields]\na = 'b'", "[fields] \"a\" must be a table"),
        (
            "[fields]\na = { typ = 'date' }",
            "unknown key \"typ\" in [fields] \"a\"; did you mean \"type\"?",
        ),
        ("[fields]\na = { type = 'integr' }", "did you mean \"integer\"?"),
        (
            "[fields]\na = { format = '%Y' }",
            "5:16: format is for the types date, datetime and time",
        ),
        ("[fields]\na = { role = 'id', required = false }", "every row needs its id"),
        ("[fields]\na = {}\nb = { as = 'a' }", "\"b\" and \"a\" both become the field \"a\""),
    ] {
        let problem = problem_of(more);
        assert!(
            problem.contains(expected),
            "{more}\n  gave      {problem}\n  expected  {expected}"
        );
    }
}

#[test]
fn a_sheet_is_a_name_a_number_or_all() {
    for (written, meant) in [
        ("'Deals'", SheetChoice::Name("Deals".to_owned())),
        ("'1'", SheetChoice::Name("1".to_owned())),
        ("2", SheetChoice::Number(2)),
        ("'*'", SheetChoice::All),
    ] {
        let text =
            format!("key = 'a'\nconnection = 'inlet'\nbucket = 'one'\nformat.sheet = {written}");
        assert_eq!(source(&text).format.sheet, Some(meant));
    }
}

#[test]
fn each_mistake_in_a_connection_says_what_to_do() {
    for (text, expected) in [
        ("name = 'Acme'", "acme.toml:1:1: key is missing at the top level; give a stable name"),
        ("key = 'a'\nauth = { mode = 'role', role_arn = 'x' }", "2:17: not supported yet: mode"),
        (
            "key = 'a'\nauth = { mode = 'default', role_arn = 'x' }",
            "2:28: unknown key \"role_arn\"",
        ),
        ("key = 'a'\naccess = 'write'", "unknown access \"write\", it can be \"read\" or"),
        ("key = 'a'\nregion = 'EU West'", "is not the code of a region"),
        (
            "key = 'a'\nbucket_owner = 123456789012",
            "bucket_owner must be a string, not a TOML integer; put it in quotes",
        ),
        ("key = 'a'\nbucket_owner = '123'", "write its twelve digits"),
        ("key = 'a'\nendpoint = 'localhost:9000'", "begin it with https://"),
        ("key = 'a'\nmode = 'default'", "it belongs in [auth]"),
    ] {
        let problem = problems_of_connection(text);
        assert!(
            problem.contains(expected),
            "{text}\n  gave      {problem}\n  expected  {expected}"
        );
        assert_eq!(problem.lines().count(), 1, "{problem}");
    }
}

#[test]
fn definitions_are_checked_across_files() {
    let a = "key = 'a'\nconnection = 'acne'\nbucket = 'one'\n";
    let b = "key = 'a'\nconnection = 'acme'\nbucket = 'two'\nmodes = 'append'\n";
    let acme = "key = 'acme'\n";
    let connections = [("connections/1.toml", acme), ("connections/2.toml", acme)];
    let sources = [("sources/a.toml", a), ("sources/b.toml", b)];
    let problems = Catalog::from_toml(&connections, &sources).unwrap_err();
    let expected = r#"
connections/2.toml:1:7: the connection "acme" is in connections/1.toml already; give one of them another key
sources/a.toml:2:14: there is no connection "acne"; did you mean "acme"?
sources/b.toml:1:7: the source "a" is in sources/a.toml already; give one of them another key
sources/b.toml:4:1: unknown key "modes" at the top level; did you mean "mode"?
"#;
    assert_eq!(problems.to_string(), expected.trim());
}

#[test]
fn a_broken_connection_is_not_also_an_unknown_one() {
    for broken in ["key = acme", "key = 'a c m e'", "key = 'acme'\nregion = 5"] {
        let source = "key = 'a'\nconnection = 'acme'\nbucket = 'one'\n";
        let problems =
            Catalog::from_toml(&[("acme.toml", broken)], &[("a.toml", source)]).unwrap_err();
        assert_eq!(problems.as_slice().len(), 1, "{problems}");
        assert_eq!(problems.as_slice()[0].file, "acme.toml");
    }
}

#[test]
fn columns_count_characters() {
    let problems = problem_of("[fields]\n'Größe' = { typ = 'date' }");
    assert!(problems.starts_with("deals.toml:5:13: "), "{problems}");
}

#[test]
fn the_dialect_of_a_file_can_be_stated_in_full() {
    let format = source(
        "key = 's'\nconnection = 'inlet'\nbucket = 'drop'\n[format]\ndelimiter = '~|'\nquote = \"'\"\n\
         escape = '\\'\ncomment = 'none'\nheader = 2\nunits_row = true\npreamble = false\n\
         skip_footer_lines = 3\n",
    )
    .format;
    assert_eq!(format.delimiter.as_deref(), Some("~|"));
    assert_eq!((format.quote, format.escape), (Some(Mark(Some('\''))), Some(Mark(Some('\\')))));
    assert_eq!(format.comment, Some(Mark(None)), "none is not the same as nothing said");
    assert_eq!((format.header, format.header_rows), (Some(true), Some(2)));
    assert_eq!((format.units_row, format.preamble), (Some(true), Some(false)));
    assert_eq!(format.skip_footer_lines, Some(3));
    let stored = serde_json::to_string(&format).unwrap();
    assert_eq!(serde_json::from_str::<Format>(&stored).unwrap(), format);
    for (header, stated) in
        [("true", Some(true)), ("false", Some(false)), ("0", Some(false)), ("1", Some(true))]
    {
        let text =
            format!("key = 's'\nconnection = 'inlet'\nbucket = 'drop'\nformat.header = {header}");
        let format = source(&text).format;
        assert_eq!((format.header, format.header_rows), (stated, None), "{header}");
    }
}
