//! CSV as people drop it: files with one defect or peculiarity each, and beside each the rows and
//! rejects that a person would write down. Every row of every file is accounted for.

use std::io::Cursor;

use inlet::catalog::{Format, Mark, OnReject, RecordSettings, RejectPolicy};
use inlet::format::{self, FormatError, Hints, Limits};
use inlet::record::{BatchLimits, Counters, Mappings, Output, Plan, RejectContext, convert};
use serde_json::{Map, Value};

/// What a file came to, as a person would write it down: cells with ` ¦ ` between them, rejects as
/// their lines and codes.
#[derive(Debug, PartialEq, Eq)]
struct Taken {
    columns: String,
    rows: Vec<String>,
    rejects: Vec<(u64, String)>,
}

struct Read {
    taken: Taken,
    evidence: Vec<String>,
    counters: Counters,
    raws: Vec<String>,
}

fn take(bytes: &[u8], settings: &Format) -> Result<Read, FormatError> {
    let input = Cursor::new(bytes.to_vec());
    let (mut rows, detected) = format::open(input, Hints::default(), settings, Limits::default())?;
    let mut mappings = Mappings::new(&[], &RecordSettings::default(), &rows, &detected)
        .expect("columns that are not named fit");
    let plan = Plan {
        object_ref: "file",
        rejects: RejectPolicy { policy: OnReject::Quarantine, ..RejectPolicy::default() },
        context: RejectContext { object_json: "{}", table: "t", parts: None },
        limits: BatchLimits { max_bytes: 200_000, max_records: 1000 },
        start: Counters::default(),
    };
    let mut read = Read {
        taken: Taken { columns: detected.columns.join(" ¦ "), rows: vec![], rejects: vec![] },
        evidence: detected.evidence,
        counters: Counters::default(),
        raws: Vec::new(),
    };
    let names = detected.columns;
    read.counters = convert(&mut rows, &mut mappings, &plan, &mut |output| {
        match output {
            Output::Batch(batch) => {
                let json = [b"[", batch.json.as_slice(), b"]"].concat();
                let records: Vec<Map<String, Value>> =
                    serde_json::from_slice(&json).expect("valid JSON");
                for record in records {
                    let text = |name| record["values"][name].as_str().expect("text").to_owned();
                    let cells: Vec<String> = names.iter().map(text).collect();
                    read.taken.rows.push(cells.join(" ¦ "));
                }
            }
            Output::Mark(_) => {}
            Output::Rejects(piece) => {
                for line in piece.lines.split_inclusive(|byte| *byte == b'\n') {
                    let reject: Value = serde_json::from_slice(line).expect("valid JSON");
                    let code = reject["code"].as_str().expect("a code").to_owned();
                    let line = reject["line"].as_u64().expect("a line");
                    read.taken.rejects.push((line, code));
                    read.raws.push(reject["raw"].as_str().unwrap_or_default().to_owned());
                }
            }
        }
        Ok(())
    })
    .unwrap_or_else(|failed| panic!("{failed}"));
    let counters = &read.counters;
    assert!(counters.account_for_every_row(), "{counters:?}");
    assert_eq!(counters.records, read.taken.rows.len() as u64);
    assert_eq!(counters.rejects, read.taken.rejects.len() as u64);
    Ok(read)
}

/// Reads the file and compares it with what a person would write down.
#[track_caller]
fn check(
    name: &str,
    settings: &Format,
    text: &str,
    columns: &str,
    rows: &[&str],
    rejects: &[(u64, &str)],
) -> Read {
    let read = take(text.as_bytes(), settings).unwrap_or_else(|error| panic!("{name}: {error}"));
    let expected = Taken {
        columns: columns.to_owned(),
        rows: rows.iter().map(|row| (*row).to_owned()).collect(),
        rejects: rejects.iter().map(|(line, code)| (*line, (*code).to_owned())).collect(),
    };
    assert_eq!(read.taken, expected, "{name}: {:#?}", read.evidence);
    read
}

#[track_caller]
fn detected(name: &str, text: &str, columns: &str, rows: &[&str], rejects: &[(u64, &str)]) -> Read {
    check(name, &Format::default(), text, columns, rows, rejects)
}

const CLEAN: [&str; 5] =
    ["1 ¦ Ann ¦ 2.5", "2 ¦ Bob ¦ 3.5", "3 ¦ Cid ¦ 4.5", "4 ¦ Dan ¦ 5.5", "5 ¦ Eve ¦ 6.5"];

/// The clean file, with a line put in the place of another.
fn with_line(at: usize, line: &str) -> String {
    let mut lines: Vec<String> = vec!["id,name,amount".to_owned()];
    lines.extend(CLEAN.iter().map(|row| row.replace(" ¦ ", ",")));
    line.clone_into(&mut lines[at]);
    lines.join("\n") + "\n"
}

/// Its rows without those of some numbers.
fn without(left_out: &[usize]) -> Vec<&'static str> {
    let rows = CLEAN.iter().enumerate().filter(|(at, _)| !left_out.contains(&(at + 1)));
    rows.map(|(_, row)| *row).collect()
}

#[test]
fn a_delimiter_too_many_or_too_few_is_one_reject() {
    let columns = "id ¦ name ¦ amount";
    for at in 1..=5 {
        let line = at as u64 + 1;
        let many = with_line(at, "9,Max,Moritz,7.5");
        detected("too many", &many, columns, &without(&[at]), &[(line, "too_many_cells")]);
        let few = with_line(at, "9,Max");
        detected("too few", &few, columns, &without(&[at]), &[(line, "too_few_cells")]);
        let other = with_line(at, "9;Max;7.5");
        detected("another delimiter", &other, columns, &without(&[at]), &[(line, "too_few_cells")]);
    }
}

#[test]
fn an_unescaped_quote_costs_one_row() {
    let columns = "id ¦ name ¦ amount";
    for at in 1..=5 {
        let line = at as u64 + 1;
        for broken in [
            "9,\"Max \"the\" Moritz\",7.5",
            "9,\"Max\" Moritz,7.5",
            "9,\"Max \"the\",\" Moritz\",7.5",
        ] {
            let text = with_line(at, broken);
            let read =
                detected(broken, &text, columns, &without(&[at]), &[(line, "ambiguous_quote")]);
            assert_eq!(read.raws, [broken]);
        }
        let inches = with_line(at, "9,5\" pipe,7.5");
        let mut rows = CLEAN.to_vec();
        rows[at - 1] = "9 ¦ 5\" pipe ¦ 7.5";
        detected("a quote in a plain cell is text", &inches, columns, &rows, &[]);
    }
}

#[test]
fn one_row_with_a_wrong_single_quote_does_not_make_all_of_them_text() {
    for bad in ["'9','O'Brien','7.5'", "'9','Max,'7.5'"] {
        for at in 1..=5 {
            let quoted = |row: &str| format!("'{}'", row.replace(" ¦ ", "','"));
            let mut lines = vec![quoted("id ¦ name ¦ amount")];
            lines.extend(CLEAN.iter().map(|row| quoted(row)));
            bad.clone_into(&mut lines[at]);
            let text = lines.join("\n") + "\n";
            let rejects = [(at as u64 + 1, "ambiguous_quote")];
            detected(&text, &text, "id ¦ name ¦ amount", &without(&[at]), &rejects);
        }
    }
    // Quotes only where a delimiter is in a cell.
    let rows: Vec<String> = (0..9).map(|n| format!("{n},'Lee, N{n}',{n}.5")).collect();
    let mut text = format!("id,name,amount\n{}\n", rows.join("\n"));
    text = text.replace("'Lee, N4'", "'O'Brien, N4'");
    let rows: Vec<String> =
        (0..9).filter(|n| *n != 4).map(|n| format!("{n} ¦ Lee, N{n} ¦ {n}.5")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    detected("few", &text, "id ¦ name ¦ amount", &rows, &[(6, "ambiguous_quote")]);
    // A header of quoted names over many numbers.
    let text = format!("'x','y'\n{}", "1,2\n".repeat(60));
    detected("numbers", &text, "x ¦ y", &["1 ¦ 2"; 60], &[]);
    // Apostrophes are none.
    let text = "id,note\n1,'tis late\n2,it's\n3,'90s\n4,rock 'n' roll\n";
    let rows = ["1 ¦ 'tis late", "2 ¦ it's", "3 ¦ '90s", "4 ¦ rock 'n' roll"];
    detected("apostrophes", text, "id ¦ note", &rows, &[]);
}

#[test]
fn one_wrong_quote_among_escaped_ones_does_not_make_all_of_them_text() {
    for bad in ["1;\"Ann;x", "1;\"say \"hi\" there\";x"] {
        let mut text = format!("id;name;meta\n{bad}\n");
        let mut rows = Vec::new();
        for n in 2..=5 {
            text += &format!("{n};Bob;\"{{\\\"a\\\": {n}, \\\"b\\\": 2}}\"\n");
            rows.push(format!("{n} ¦ Bob ¦ {{\"a\": {n}, \"b\": 2}}"));
        }
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        detected(&text, &text, "id ¦ name ¦ meta", &rows, &[(2, "ambiguous_quote")]);
    }
}

#[test]
fn an_unclosed_quote_ends_where_a_person_would_see_it() {
    let columns = "id ¦ name ¦ amount";
    for at in 1..=4 {
        let text = with_line(at, "9,\"Max,7.5");
        let line = at as u64 + 1;
        let read =
            detected("unclosed", &text, columns, &without(&[at]), &[(line, "unterminated_quote")]);
        assert_eq!(read.raws, ["9,\"Max,7.5"]);
    }
    // Nothing follows the last row.
    let text = with_line(5, "9,\"Max,7.5");
    detected("the last", &text, columns, &without(&[5]), &[(6, "unterminated_quote")]);
    // The next quote closes it, and text follows.
    let text = with_line(2, "9,\"Max,7.5").replace("4,Dan", "4,\"Dan\"");
    detected("closed by the next", &text, columns, &without(&[2]), &[(3, "ambiguous_quote")]);
    // A cell of several lines, with a quote in it.
    let text = with_line(2, "9,\"Max\nand \"his\" friend,\nMoritz\",7.5");
    detected("several lines", &text, columns, &without(&[2]), &[(3, "ambiguous_quote")]);
    // A quote that a line of its own form closes, far below: the rows between are rows.
    let mut text = "id,name,amount\n1,\"Ann,2.5\n".to_owned();
    let mut rows = Vec::new();
    for n in 2..=200 {
        text += &format!("{n},Bob {n},1.5\n");
        rows.push(format!("{n} ¦ Bob {n} ¦ 1.5"));
    }
    text += "201,Eve\",6.5\n";
    rows.push("201 ¦ Eve\" ¦ 6.5".to_owned());
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    detected("swallowed rows", &text, columns, &rows, &[(2, "unterminated_quote")]);
    // Text of many lines is no table.
    let letter = "Dear Sir,\nas you know, we wait.\n".repeat(50);
    let text = format!("id,letter\n1,\"{letter}\"\n2,short\n");
    let rows = [format!("1 ¦ {letter}"), "2 ¦ short".to_owned()];
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    detected("a letter", &text, "id ¦ letter", &rows, &[]);
}

#[test]
fn a_wrong_quote_in_the_first_row_of_a_file_without_header_costs_that_row_alone() {
    let columns = "column_1 ¦ column_2 ¦ column_3";
    for (first, code) in [
        ("1,\"Ann,2.5", "unterminated_quote"),
        ("1,\"Ann\" of Rome,2.5", "ambiguous_quote"),
        ("\"1,Ann,2.5", "unterminated_quote"),
    ] {
        let text = format!("{first}\n2,Bob,3.5\n3,Cid,4.5\n4,Dan,5.5\n5,Eve,6.5\n");
        detected(first, &text, columns, &CLEAN[1..], &[(1, code)]);
    }
    // Names are names, whatever their quotes are like.
    for first in ["id,\"name,amount", "id,\"name\" x,amount"] {
        let text = format!("{first}\n1,Ann,2.5\n2,Bob,3.5\n");
        let error = take(text.as_bytes(), &Format::default()).map(|_| ()).unwrap_err();
        assert_eq!(error.code(), "invalid_header", "{first}: {error}");
    }
}

#[test]
fn an_unclosed_quote_in_a_table_of_texts_leaves_its_last_row() {
    for broken in ["\"Bob,Rome", "Bob,\"Rome"] {
        let text = format!("name,city\nAnn,Paris\n{broken}\nCid,Oslo\n");
        let rows = ["Ann ¦ Paris", "Cid ¦ Oslo"];
        detected(broken, &text, "name ¦ city", &rows, &[(3, "unterminated_quote")]);
    }
    // A text of two lines, each with the form of a row, is one cell all the same.
    let text = "name,city\nAnn,\"Paris\nBob, Rome\"\nCid,Oslo\n";
    detected("closed", text, "name ¦ city", &["Ann ¦ Paris\nBob, Rome", "Cid ¦ Oslo"], &[]);
}

#[test]
fn one_broken_row_of_few_does_not_hide_the_delimiter() {
    let rows = [["1", "Lee, Ann", "2,5", "Rome"], ["2", "Kim, Bob", "3,5", "Oslo"]];
    let columns = "id ¦ name ¦ amount ¦ city";
    for delimiter in [";", "\t", "|", ", ", "||", "^|"] {
        let quoted = |cell: &&str| match delimiter.starts_with(',') && cell.contains(',') {
            true => format!("\"{cell}\""),
            false => (*cell).to_owned(),
        };
        let line = |row: &[&str]| row.iter().map(quoted).collect::<Vec<_>>().join(delimiter);
        let good = rows.map(|row| line(&row));
        let header = line(&["id", "name", "amount", "city"]);
        let bad = [
            (line(&["3", "Max", "", "4,5", "Wien"]), "too_many_cells"),
            (line(&["3", "Max4,5", "Wien"]), "too_few_cells"),
            (line(&["3", "Max", "4,5", "Wien"]).replace("Max", "\"M\"ax"), "ambiguous_quote"),
        ];
        for (bad, code) in bad {
            for at in 0..3 {
                let mut lines = vec![good[0].as_str(), good[1].as_str()];
                lines.insert(at, &bad);
                let text = format!("{header}\n{}\n", lines.join("\n"));
                let rows = rows.map(|row| row.join(" ¦ "));
                let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
                detected(&text, &text, columns, &rows, &[(at as u64 + 2, code)]);
            }
        }
    }
    // A row with one character of two between its cells.
    let text = "id||name||city\n1||Ann||Rome\n2|Bob|Oslo\n3||Cid||Wien\n";
    let rows = ["1 ¦ Ann ¦ Rome", "3 ¦ Cid ¦ Wien"];
    detected("half", text, "id ¦ name ¦ city", &rows, &[(3, "too_few_cells")]);
}

#[test]
fn a_column_that_is_empty_does_not_double_the_delimiter() {
    for delimiter in [";", "|", "~", ":"] {
        // One middle name in ten, or none at all; then a row of another width.
        for names in [0, 1] {
            let mut text = format!("first{delimiter}middle{delimiter}last\n");
            let mut rows = Vec::new();
            for n in 0..30 {
                let middle = if n % 10 == 9 && names > 0 { "J" } else { "" };
                text += &format!("Ann{delimiter}{middle}{delimiter}{n}\n");
                rows.push(format!("Ann ¦ {middle} ¦ {n}"));
            }
            let mut rejects = Vec::new();
            if delimiter != ":" {
                text += &format!("Ann{delimiter}Lee\n");
                rejects.push((32, "too_few_cells"));
            }
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            detected(&text, &text, "first ¦ middle ¦ last", &rows, &rejects);
        }
    }
    for (header, row, columns, expected) in [
        ("id;a;b;c;d;e", "1;;;;;", "id ¦ a ¦ b ¦ c ¦ d ¦ e", "1 ¦  ¦  ¦  ¦  ¦ "),
        ("a|b|c|d|e", "N||12||5", "a ¦ b ¦ c ¦ d ¦ e", "N ¦  ¦ 12 ¦  ¦ 5"),
        ("\"id\"|\"a\"|\"b\"", "1||", "id ¦ a ¦ b", "1 ¦  ¦ "),
    ] {
        let text = format!("{header}\n{}", format!("{row}\n").repeat(20));
        detected(&text, &text, columns, &[expected; 20], &[]);
    }
    // Without a header, a few names show it.
    let text = "Ann;;1\n".repeat(20) + "Bob;J;2\nCid;K;3\n";
    let mut rows = vec!["Ann ¦  ¦ 1"; 20];
    rows.extend(["Bob ¦ J ¦ 2", "Cid ¦ K ¦ 3"]);
    detected("no header", &text, "column_1 ¦ column_2 ¦ column_3", &rows, &[]);
    // Doubled delimiters stay, though a broken row has as many cells between single ones.
    let text = "id||name\n1||Ann\n2|x|Bob\n3||Cid\n4||Dan\n5||Eve\n";
    let rows = ["1 ¦ Ann", "3 ¦ Cid", "4 ¦ Dan", "5 ¦ Eve"];
    detected("doubled", text, "id ¦ name", &rows, &[(3, "too_few_cells")]);
}

#[test]
fn a_header_of_years_or_days_is_no_row() {
    for (text, columns, rows) in [
        ("State,2010,2020\nOhio,11536504,11799448\nIowa,3046355,3190369\n", 3, 2),
        (
            "Country Name,Country Code,1960,1961,2022,2023\nAruba,ABW,54608,55811,,\nItaly,ITA,,,,7\n",
            6,
            2,
        ),
        ("State;2010;2020\nOhio;1,5;..\nIowa;..;3,5\nUtah;3,7;..\n", 3, 3),
        ("Code,Name,2010,2020\nOH,Ohio,11536504,n/a\nIA,Iowa,n/a,3190369\n", 4, 2),
        ("Employee;Dept;1;2;3;4;5\nAnn;IT;8;8;8;0;8\nBob;HR;8;7;8;8;8\n", 7, 2),
        (",2019,2020,2021\nOhio,1950,2011,1\nIowa,2,2000,3\n", 4, 2),
    ] {
        let read = take(text.as_bytes(), &Format::default()).expect("readable");
        let named = (read.taken.columns.split(" ¦ ").count(), read.taken.rows.len());
        assert_eq!(named, (columns, rows), "{text}{:?}", read.evidence);
        assert!(read.taken.columns.ends_with(['0', '1', '3', '5']), "{}", read.taken.columns);
        // The same below a title.
        let below = format!("A report\n\n{text}");
        let titled = take(below.as_bytes(), &Format::default()).expect("readable");
        assert_eq!(titled.taken, read.taken, "{below}{:?}", titled.evidence);
    }
    let rows = ["North ¦ 1 ¦ 2 ¦ 3", "South ¦ 4 ¦ 5 ¦ 6"];
    for above in [
        "Account,1234567890\nPeriod,2019 - 2021\nCurrency,EUR\n\n",
        "Sales report,,,\n,,,\n",
        "Sales report,,,\nAs of: 2024-12-31,,,\n,,,\n",
    ] {
        let text = format!("{above}Region,2019,2020,2021\nNorth,1,2,3\nSouth,4,5,6\n");
        detected(&text, &text, "Region ¦ 2019 ¦ 2020 ¦ 2021", &rows, &[]);
    }
}

#[test]
fn a_row_of_years_or_ranks_is_no_header() {
    for text in [
        "Ann,1990,2010\nBob,1985,2001\nCid,1991,2012\n",
        "Ann,2001,2002\nBob,1999,2003\n",
        "Ann,2001,2002,2003\nBob,1999,2000,2001\n",
        "Ann,1990,2010\nBob,,\n",
        "Ann,IT,2010,2020\nBob,IT,5,6\n",
        "Ann,1,2,3,4,5\nBob,2,1,3,5,4\n",
        "Ann,1,2,3,4,5\nBob,2,3,4,5,6\n",
        "Ann,1,2,3\nBob,8,8,8\n",
        "Store,10,20,30\nA,15,25,4\n",
    ] {
        let read = take(text.as_bytes(), &Format::default()).expect("readable");
        assert_eq!(read.taken.rows.len(), text.lines().count(), "{text}{:?}", read.evidence);
    }
}

#[test]
fn commas_and_blanks_within_cells_are_no_delimiters_though_a_row_is_broken() {
    let columns = "column_1 ¦ column_2 ¦ column_3 ¦ column_4";
    // Decimal commas, of which each row has as many.
    for (bad, code) in [
        ("02.01.2024;ACME;x;-2,00;112,34", "too_many_cells"),
        ("02.01.2024;\"AC\"ME;-2,00;112,34", "ambiguous_quote"),
    ] {
        let text = format!("01.01.2024;REWE;-12,34;100,00\n{bad}\n03.01.2024;EDEKA;-5,00;107,34\n");
        let rows = ["01.01.2024 ¦ REWE ¦ -12,34 ¦ 100,00", "03.01.2024 ¦ EDEKA ¦ -5,00 ¦ 107,34"];
        detected(&text, &text, columns, &rows, &[(2, code)]);
    }
    let text = "name^city^amount^note\nN0^Rome^0,50^x\nN1^Rome^1,50^x^\nN2^Rome^2,50^x\n";
    let rows = ["N0 ¦ Rome ¦ 0,50 ¦ x", "N2 ¦ Rome ¦ 2,50 ¦ x"];
    detected(text, text, "name ¦ city ¦ amount ¦ note", &rows, &[(3, "too_many_cells")]);
    // Blanks in names and phone numbers.
    let columns = "First Name ¦ Last Name ¦ Phone";
    let rows = ["Ann ¦ Lee ¦ +49 581 91505", "Cid ¦ Roe ¦ +49 500 91505"];
    for delimiter in [";", ",", "|", "\t", "^"] {
        for (bad, code) in [
            ("Bob ¦ +49 580 91505", "too_few_cells"),
            ("Bob ¦ Kim ¦ +49 580 91505 ¦ x", "too_many_cells"),
            ("Bob ¦ \"Kim ¦ +49 580 91505", "unterminated_quote"),
        ] {
            let text = [columns, rows[0], bad, rows[1], ""].join("\n").replace(" ¦ ", delimiter);
            detected(&text, &text, columns, &rows, &[(3, code)]);
        }
    }
    // Commas in prose: no row may pass for a title.
    let text = "term^definition\na0^Answer shipped\na1^Was color, Box fox\na2^Blue was, About color\n\
        a3^Lazy service, Size please\n";
    let rows = [
        "a0 ¦ Answer shipped",
        "a1 ¦ Was color, Box fox",
        "a2 ¦ Blue was, About color",
        "a3 ¦ Lazy service, Size please",
    ];
    detected("prose", text, "term ¦ definition", &rows, &[]);
    // Delimiters they are where others stand within their cells.
    let text = "id,tags\n1,2;3\n4,5;6\n";
    detected("numbers", text, "id ¦ tags", &["1 ¦ 2;3", "4 ¦ 5;6"], &[]);
    let text = "Report; May\nid,name,n\n1,Ann;Lee,2\n2,Bob;Kim,3\n3,Cid;Roe,4\n";
    let rows = ["1 ¦ Ann;Lee ¦ 2", "2 ¦ Bob;Kim ¦ 3", "3 ¦ Cid;Roe ¦ 4"];
    detected("below a title", text, "id ¦ name ¦ n", &rows, &[]);
}

#[test]
fn a_header_that_is_repeated_with_a_mark_or_other_quotes_is_no_row() {
    let columns = "id ¦ name ¦ amount";
    let rows = [CLEAN[0], CLEAN[1], CLEAN[2], CLEAN[3]];
    let mark = "\u{feff}";
    let (plain, quoted) = ("id,name,amount", "\"id\",\"name\",\"amount\"");
    for (first, again) in [(plain, quoted), (quoted, plain), (plain, plain), (quoted, quoted)] {
        for before in ["", mark] {
            let again = format!("{before}{again}");
            let lines = rows.map(|row| row.replace(" ¦ ", ","));
            let text = format!(
                "{mark}{first}\n{}\n{again}\n{}\n",
                lines[..2].join("\n"),
                lines[2..].join("\n")
            );
            let read = detected(&text, &text, columns, &rows, &[(4, "repeated_header")]);
            assert_eq!(read.raws, [again]);
        }
    }
    // It does not speak against the first one being the header.
    let text = format!("{mark}id,name\n0,N\n1,N\n2,N\n{mark}id,name\n3,N\n");
    let rows = ["0 ¦ N", "1 ¦ N", "2 ¦ N", "3 ¦ N"];
    detected("marked", &text, "id ¦ name", &rows, &[(5, "repeated_header")]);
    // Rows of the header's length, and of its letters, are rows.
    let text = "ab,cd,e\n12,34,5\na,bcd,e\nabc,d,e\n\"ab\",\"cd\",\"x\"\n67,89,0\n";
    let rows = ["12 ¦ 34 ¦ 5", "a ¦ bcd ¦ e", "abc ¦ d ¦ e", "ab ¦ cd ¦ x", "67 ¦ 89 ¦ 0"];
    let stated = Format { header: Some(true), ..Format::default() };
    check("rows", &stated, text, "ab ¦ cd ¦ e", &rows, &[]);
}

#[test]
fn blanks_between_cells_are_found_though_a_row_is_broken() {
    let rows: Vec<String> = (1..=12).map(|n| format!("{n} N{n} 2024-01-{n:02} {n}.5")).collect();
    let expected: Vec<String> = rows.iter().map(|row| row.replace(' ', " ¦ ")).collect();
    for (bad, code) in [
        ("7  N7 2024-01-07 7.5", "too_many_cells"),
        ("7 N72024-01-07 7.5", "too_few_cells"),
        ("7,N7,2024-01-07,7.5", "too_few_cells"),
        ("7 \"N\"7 2024-01-07 7.5", "ambiguous_quote"),
        ("7 \"N7 2024-01-07 7.5", "unterminated_quote"),
    ] {
        let mut lines = rows.clone();
        bad.clone_into(&mut lines[6]);
        let mut rows: Vec<&str> = expected.iter().map(String::as_str).collect();
        rows.remove(6);
        let text = format!("id name day amount\n{}\n", lines.join("\n"));
        detected(bad, &text, "id ¦ name ¦ day ¦ amount", &rows, &[(8, code)]);
    }
    // Texts of as many words each; quotes around a blank that is none between cells.
    let text = "first last city\nAnn Lee Paris\nBob Kim Rome\nCid Roe Oslo\n";
    let rows = ["Ann ¦ Lee ¦ Paris", "Bob ¦ Kim ¦ Rome", "Cid ¦ Roe ¦ Oslo"];
    detected("words", text, "first ¦ last ¦ city", &rows, &[]);
    let text = "name city\nAnn \"New York\"\nBob Rome\n";
    detected("quoted", text, "name ¦ city", &["Ann ¦ New York", "Bob ¦ Rome"], &[]);
    for prose in
        ["street name\nMain Street 5\nOak Lane 7\n", "a title of four\nand text of four\nbut no\n"]
    {
        let read = take(prose.as_bytes(), &Format::default()).expect("readable");
        assert!(!read.taken.columns.contains('¦'), "{prose}: {}", read.taken.columns);
    }
}

#[test]
fn lines_of_white_space_are_blank() {
    for blank in ["   ", "\t", " \t "] {
        let text = format!("{blank}\nid,name\n1,Ann\n{blank}\n2,Bob\n{blank}");
        detected(blank, &text, "id ¦ name", &["1 ¦ Ann", "2 ¦ Bob"], &[]);
        detected("nothing else", &format!("{blank}\n{blank}\n"), "", &[], &[]);
        let text = format!("name\nAnn\n{blank}\nBob\n");
        detected("one column", &text, "name", &["Ann", "Bob"], &[]);
    }
    let text = "id\tname\tnote\n1\tAnn\tx\n\t\t\n2\tBob\ty\n   \n";
    let rows = ["1 ¦ Ann ¦ x", " ¦  ¦ ", "2 ¦ Bob ¦ y"];
    detected("tabs are cells", text, "id ¦ name ¦ note", &rows, &[]);
    detected("quoted", "name\nAnn\n\"  \"\n", "name", &["Ann", "  "], &[]);
    let stated = Format { skip_footer_lines: Some(1), ..Format::default() };
    check(
        "footer",
        &stated,
        "id,name\n1,Ann\n2,Bob\n  \nend\n  \n",
        "id ¦ name",
        &["1 ¦ Ann", "2 ¦ Bob"],
        &[],
    );
}

#[test]
fn a_delimiter_at_the_end_of_the_header_alone_names_nothing() {
    let read =
        detected("header", "id,name,\n1,Ann\n2,Bob\n", "id ¦ name", &["1 ¦ Ann", "2 ¦ Bob"], &[]);
    assert!(read.evidence.iter().any(|e| e.contains("ends in a delimiter")), "{:?}", read.evidence);
    let text = "id,name,\n1,Ann\n2,Bob,x\n3,Cid,y\n";
    let rows = ["2 ¦ Bob ¦ x", "3 ¦ Cid ¦ y"];
    detected(
        "a column without a name",
        text,
        "id ¦ name ¦ column_3",
        &rows,
        &[(2, "too_few_cells")],
    );
    // Nobody can tell which name is none.
    let rejects = [(2, "too_few_cells"), (3, "too_few_cells")];
    detected("between", "id,,name\n1,Ann\n2,Bob\n", "id ¦ column_2 ¦ name", &[], &rejects);
    let rejects = [(2, "too_many_cells"), (3, "too_many_cells"), (4, "too_many_cells")];
    let text = "firstlast,city\nAnn,Lee,Paris\nBob,Kim,Rome\nCid,Roe,Oslo\n";
    detected("a name too few", text, "firstlast ¦ city", &[], &rejects);
}

#[test]
fn an_unclosed_quote_in_a_large_file_costs_one_row() {
    let mut text = "id,name,amount\n".to_owned();
    for n in 0..100_000 {
        text += &match n {
            17 => "17,\"broken,2.5\n".to_owned(),
            n => format!("{n},a name that is none,{n}.5\n"),
        };
    }
    for cut in [text.len(), text.len() - 1] {
        let read = take(&text.as_bytes()[..cut], &Format::default()).expect("readable");
        assert_eq!(read.taken.rejects, [(19, "unterminated_quote".to_owned())]);
        assert_eq!((read.counters.rows, read.counters.records), (100_000, 99_999));
    }
}

#[test]
fn lines_before_the_header_are_no_rows() {
    let lines = [
        "Quarterly report",
        "Generated 2024-05-01 by Ann",
        "",
        "Currency: EUR",
        "All data, without warranty",
    ];
    let columns = "id ¦ name ¦ amount";
    for count in 1..=5 {
        let text = format!("{}\n{}", lines[..count].join("\n"), with_line(1, "1,Ann,2.5"));
        let read = detected("preamble", &text, columns, &CLEAN, &[]);
        assert!(read.evidence.iter().any(|e| e.starts_with("preamble")), "{:?}", read.evidence);
    }
    for preamble in [
        "Customers, as of Monday, by Ann\n",
        "Umsätze,Giro,DE 12\nZeitraum,01.01.2024 - 31.01.2024\n\n",
        "Report\n",
        "Author,Bob\nDate,2024-01-01\n\n",
        "Sales,,\n,,\n",
        "\n\n",
        "# made by hand\n# on Monday, in vain\n",
    ] {
        let text = format!("{preamble}{}", with_line(1, "1,Ann,2.5"));
        detected(preamble, &text, columns, &CLEAN, &[]);
    }
    // As many lines as there are rows, and more.
    let few = "id,name,amount\n1,Ann,2.5\n2,Bob,3.5\n";
    for count in 1..=5 {
        let text = format!("{}\n{few}", lines[..count].join("\n"));
        detected("preamble of a few rows", &text, columns, &CLEAN[..2], &[]);
        let notes = ["Report,Sales", "Date,2024-05-01", "Author,Ann Lee", "Region,EMEA", "Part,3"];
        for between in ["", "\n"] {
            let text = format!("{}\n{between}{few}", notes[..count].join("\n"));
            detected("notes over a few rows", &text, columns, &CLEAN[..2], &[]);
        }
    }
    let texts = "first,last,city\nAnn,Lee,Paris\nBob,Kim,Rome\n";
    for preamble in
        ["PREAMBLE\n", "\"All, without warranty\"\n", "All data, as of Monday\n", "# a, b\n"]
    {
        let rows = ["Ann ¦ Lee ¦ Paris", "Bob ¦ Kim ¦ Rome"];
        detected(preamble, &format!("{preamble}{texts}"), "first ¦ last ¦ city", &rows, &[]);
    }
    let pairs = "key,value\na,1\nb,2\n";
    for preamble in
        ["Report,\n", "Report,\n,\n", "\"All data, without warranty\"\n", "# x\n# all, without y\n"]
    {
        detected(preamble, &format!("{preamble}{pairs}"), "key ¦ value", &["a ¦ 1", "b ¦ 2"], &[]);
    }
    // Names with another delimiter are no title.
    let read = take(b"the id;a name;amount\n1,Ann,2.5\n2,Bob,3.5\n", &Format::default())
        .expect("readable");
    assert!(!read.evidence.iter().any(|e| e.starts_with("preamble")), "{:?}", read.evidence);
    assert_eq!(
        read.taken.rejects[0].0,
        1 + u64::from(read.taken.rejects.len() == 2),
        "{:?}",
        read.taken
    );
    // A first row that is broken is no title.
    detected(
        "no title",
        "7\n1,1\n2,2\n3,3\n",
        "column_1 ¦ column_2",
        &["1 ¦ 1", "2 ¦ 2", "3 ¦ 3"],
        &[(1, "too_few_cells")],
    );
    let stated = Format { preamble: Some(false), ..Format::default() };
    let text = "Report\nid,name\n1,Ann\n";
    let read = take(text.as_bytes(), &stated).expect("readable");
    assert_eq!(read.taken.columns, "Report");
}

#[test]
fn headers_of_several_rows_are_joined() {
    let text = ",Q1,,Q2,\nid,sold,left,sold,left\n1,5,6,7,8\n2,6,7,8,9\n";
    detected(
        "groups",
        text,
        "id ¦ Q1 / sold ¦ Q1 / left ¦ Q2 / sold ¦ Q2 / left",
        &["1 ¦ 5 ¦ 6 ¦ 7 ¦ 8", "2 ¦ 6 ¦ 7 ¦ 8 ¦ 9"],
        &[],
    );
    let text = "Person,Person,Sum\nid,name,amount\n1,Ann,2.5\n";
    let settings = Format { header: Some(true), header_rows: Some(2), ..Format::default() };
    check(
        "stated",
        &settings,
        text,
        "Person / id ¦ Person / name ¦ Sum / amount",
        &["1 ¦ Ann ¦ 2.5"],
        &[],
    );
    let text = "id,amount\nIdentifier,in EUR\n1,5\n2,6\n";
    // It explains the names, or it is a row with words for numbers: nobody can tell, so it is kept.
    detected("explained", text, "id ¦ amount", &["Identifier ¦ in EUR", "1 ¦ 5", "2 ¦ 6"], &[]);
    check(
        "explained, stated",
        &settings,
        text,
        "id / Identifier ¦ amount / in EUR",
        &["1 ¦ 5", "2 ¦ 6"],
        &[],
    );
    let text = "id,name,n\nx1,Ann,5\n2,Bob,6\n3,Cid,7\n";
    detected(
        "a word for a number is data",
        text,
        "id ¦ name ¦ n",
        &["x1 ¦ Ann ¦ 5", "2 ¦ Bob ¦ 6", "3 ¦ Cid ¦ 7"],
        &[],
    );
    let text = "time,length,mass\n(s),(m),kg\n1,2,3\n2,3,4\n";
    detected("units", text, "time ¦ length ¦ mass", &["1 ¦ 2 ¦ 3", "2 ¦ 3 ¦ 4"], &[]);
    let settings = Format { units_row: Some(true), ..Format::default() };
    let text = "time,length\nof day,of way\n1,2\n";
    check("units, stated", &settings, text, "time ¦ length", &["1 ¦ 2"], &[]);
    let settings = Format { units_row: Some(false), ..Format::default() };
    let text = "time,length\n(s),(m)\n1,2\n3,4\n";
    check(
        "no units, stated",
        &settings,
        text,
        "time ¦ length",
        &["(s) ¦ (m)", "1 ¦ 2", "3 ¦ 4"],
        &[],
    );
    let text = "id\tname\n--\t----\n\n1\tAnn\n2\tBob\n\n(2 rows affected)\n";
    detected("a query tool", text, "id ¦ name", &["1 ¦ Ann", "2 ¦ Bob"], &[(7, "possible_footer")]);
}

#[test]
fn a_second_table_gives_no_wrong_rows() {
    let text = "id,name,amount\n1,Ann,2.5\n2,Bob,3.5\n\nsku,price\nA-1,5\nA-2,6\nA-3,6\nA-4,6\n";
    let read = detected(
        "two tables",
        text,
        "id ¦ name ¦ amount",
        &CLEAN[..2],
        &[
            (5, "too_few_cells"),
            (6, "too_few_cells"),
            (7, "too_few_cells"),
            (8, "too_few_cells"),
            (9, "too_few_cells"),
        ],
    );
    let said = |e: &String| e.contains("second table seems to begin on line 5");
    assert!(read.evidence.iter().any(said), "{:?}", read.evidence);
    let text =
        "sku,price\nA-1,5\nA-2,6\n\nid,name,amount\n1,Ann,2.5\n2,Bob,3.5\n3,Cid,1\n4,Dan,2\n";
    let rejects: Vec<(u64, &str)> = (5..=9).map(|line| (line, "too_many_cells")).collect();
    detected("the first narrower", text, "sku ¦ price", &["A-1 ¦ 5", "A-2 ¦ 6"], &rejects);
    let text = "id,name\n1,Ann\n2,Bob\n\nsku,price\nA-1,5\nA-2,6\n";
    let rejects = [(5, "other_table"), (6, "other_table"), (7, "other_table")];
    detected("of one width", text, "id ¦ name", &["1 ¦ Ann", "2 ¦ Bob"], &rejects);
    let text = "id,name\n1,Ann\n2,Bob\n\nPrices\nsku,price\nA-1,5\nA-2,6\n";
    let rejects =
        [(5, "too_few_cells"), (6, "other_table"), (7, "other_table"), (8, "other_table")];
    detected("with a title", text, "id ¦ name", &["1 ¦ Ann", "2 ¦ Bob"], &rejects);
    let text = "x,y\n1,5\n2,6\n\nname,city\nAnn,Paris\nBob,Rome\n";
    let rejects = [(5, "other_table"), (6, "other_table"), (7, "other_table")];
    detected("of texts", text, "x ¦ y", &["1 ¦ 5", "2 ¦ 6"], &rejects);
    let text = "name,city\nAnn,Paris\nBob,Rome\nx,y\n1,5\n2,6\n";
    let rejects = [(4, "other_table"), (5, "other_table"), (6, "other_table")];
    detected("not set off", text, "name ¦ city", &["Ann ¦ Paris", "Bob ¦ Rome"], &rejects);
    let text = "x,y\n1,5\n2,6\nnone,bad\n3,7\n4,8\n";
    let rows = ["1 ¦ 5", "2 ¦ 6", "none ¦ bad", "3 ¦ 7", "4 ¦ 8"];
    detected("a row of words", text, "x ¦ y", &rows, &[]);
    // Files put together end to end.
    let text = with_line(3, "id,name,amount");
    detected(
        "the header again",
        &text,
        "id ¦ name ¦ amount",
        &without(&[3]),
        &[(4, "repeated_header")],
    );
}

/// Airbyte #13171, #7012 (pain 6): a header-only file fails, and a file without a header loses its
/// first row.
#[test]
fn pain_6_a_file_without_header_keeps_its_first_row_and_a_header_alone_is_fine() {
    let plain = "column_1 ¦ column_2 ¦ column_3";
    let text = "1,Ann,2.5\n2,Bob,3.5\n3,Cid,4.5\n4,Dan,5.5\n5,Eve,6.5\n";
    detected("no header", text, plain, &CLEAN, &[]);
    detected(
        "a name over names",
        "name\nSmith, John\nDoe, Jane\n",
        "name",
        &[],
        &[(2, "too_many_cells"), (3, "too_many_cells")],
    );
    detected("blanks around names", "id , name\n1,Ann\n", "id ¦ name", &["1 ¦ Ann"], &[]);
    detected("addresses", "ann@x.com\nbob@y.org\n", "column_1", &["ann@x.com", "bob@y.org"], &[]);
    detected("one address", "ann@x.com\n", "column_1", &["ann@x.com"], &[]);
    detected("one row", "1,Ann,2.5\n", plain, &CLEAN[..1], &[]);
    detected(
        "dates",
        "2024-01-01,x\n2024-01-02,y\n",
        "column_1 ¦ column_2",
        &["2024-01-01 ¦ x", "2024-01-02 ¦ y"],
        &[],
    );
    detected(
        "codes",
        "A-1,Ann\nA-2,Bob\n",
        "column_1 ¦ column_2",
        &["A-1 ¦ Ann", "A-2 ¦ Bob"],
        &[],
    );
    detected(
        "words",
        "red,big\nblue,big\n",
        "column_1 ¦ column_2",
        &["red ¦ big", "blue ¦ big"],
        &[],
    );
    detected("header alone", "id,name,amount\n", "id ¦ name ¦ amount", &[], &[]);
    detected("header alone, no line end", "id,name,amount", "id ¦ name ¦ amount", &[], &[]);
    detected(
        "years as names",
        "country,2019,2020\nFR,1.5,2\nDE,2,3\n",
        "country ¦ 2019 ¦ 2020",
        &["FR ¦ 1.5 ¦ 2", "DE ¦ 2 ¦ 3"],
        &[],
    );
    detected(
        "all text",
        "name,city\nAnn,Paris\nBob,Rome\n",
        "name ¦ city",
        &["Ann ¦ Paris", "Bob ¦ Rome"],
        &[],
    );
    let settings = Format { header: Some(false), ..Format::default() };
    check(
        "stated",
        &settings,
        "name,city\nAnn,Paris\n",
        "column_1 ¦ column_2",
        &["name ¦ city", "Ann ¦ Paris"],
        &[],
    );
    let settings = Format { header: Some(true), ..Format::default() };
    check("stated", &settings, "1,2\n3,4\n", "1 ¦ 2", &["3 ¦ 4"], &[]);
}

#[test]
fn files_with_nothing_in_them_have_no_rows() {
    for text in ["", "\n", "\n\r\n\r", "\u{feff}", "\n\n\n\n\n\n"] {
        detected("nothing", text, "", &[], &[]);
    }
}

/// Airbyte #31968, #8867 (pain 5): a CR inside quotes breaks the sync.
#[test]
fn pain_5_line_ends_of_all_kinds_and_within_quotes() {
    let columns = "id ¦ name ¦ amount";
    let text = with_line(1, "1,Ann,2.5");
    for ending in ["\n", "\r\n", "\r"] {
        let text = text.replace('\n', ending);
        detected("line ends", &text, columns, &CLEAN, &[]);
        detected("no final line end", text.trim_end(), columns, &CLEAN, &[]);
        for inner in ["\r", "\n", "\r\n"] {
            let text = text.replace("Ann", &format!("\"A{inner}nn\""));
            let first = format!("1 ¦ A{inner}nn ¦ 2.5");
            let rows = [&[first.as_str()], &CLEAN[1..]].concat();
            detected("line ends within quotes", &text, columns, &rows, &[]);
        }
    }
    let mixed = "id,name,amount\r\n1,Ann,2.5\r2,Bob,3.5\n3,Cid,4.5\r\n\r\n4,Dan,5.5\n\r5,Eve,6.5";
    detected("mixed", mixed, columns, &CLEAN, &[]);
}

#[test]
fn delimiters_of_all_kinds() {
    let columns = "id ¦ name ¦ amount";
    for delimiter in
        [";", "\t", " ", "|", ":", "^", "~", ", ", "; ", "||", "::", ";;", "~|", "\u{1f}"]
    {
        let rows: Vec<String> = CLEAN.iter().map(|row| row.replace(" ¦ ", delimiter)).collect();
        let text = format!("{}\n{}\n", columns.replace(" ¦ ", delimiter), rows.join("\n"));
        let read = detected(delimiter, &text, columns, &CLEAN, &[]);
        assert!(read.evidence.iter().any(|e| e.contains("confidence")), "{:?}", read.evidence);
        let quoted = text.replace("Bob", &format!("\"B{delimiter}b\"\"s\""));
        let second = format!("2 ¦ B{delimiter}b\"s ¦ 3.5");
        let rows = [&CLEAN[..1], &[second.as_str()], &CLEAN[2..]].concat();
        detected("quoted delimiter", &quoted, columns, &rows, &[]);
        let stated = Format { delimiter: Some(delimiter.to_owned()), ..Format::default() };
        check("stated", &stated, &text, columns, &CLEAN, &[]);
    }
    for first in ["sep=;", "\"sep=;\""] {
        let text = format!("{first}\nid;name,amount\n1;Ann,2\n");
        detected("Excel's own line", &text, "id ¦ name,amount", &["1 ¦ Ann,2"], &[]);
    }
    let comma = "name;price\nAnn;1,5\nBob;2,5\n";
    detected("decimal commas", comma, "name ¦ price", &["Ann ¦ 1,5", "Bob ¦ 2,5"], &[]);
    // What is stated wins.
    let stated = Format { delimiter: Some(",".to_owned()), ..Format::default() };
    check(
        "stated",
        &stated,
        comma,
        "name;price",
        &[],
        &[(2, "too_many_cells"), (3, "too_many_cells")],
    );
    let trailing = "id,name\n1,Ann,\n2,Bob,\n";
    detected(
        "a delimiter at the end of each row",
        trailing,
        "id ¦ name ¦ column_3",
        &["1 ¦ Ann ¦ ", "2 ¦ Bob ¦ "],
        &[],
    );
}

#[test]
fn quotes_and_escapes_of_other_kinds() {
    let text = "id,name\n1,'Max, and Moritz'\n2,'it''s'\n3,Eve\n";
    detected(
        "single quotes",
        text,
        "id ¦ name",
        &["1 ¦ Max, and Moritz", "2 ¦ it's", "3 ¦ Eve"],
        &[],
    );
    let text = "id,name\n1,\"say \\\"hi\\\", you\"\n2,\"a\\\\b\"\n3,\"c\"\"d\"\n4,C:\\,\n";
    detected(
        "backslashes",
        text,
        "id ¦ name",
        &["1 ¦ say \"hi\", you", "2 ¦ a\\b", "3 ¦ c\"d"],
        &[(5, "too_many_cells")],
    );
    let stated =
        Format { escape: Some(Mark(Some('\\'))), quote: Some(Mark(None)), ..Format::default() };
    let text = "id,name\n1,Max\\, and\\\nMoritz\n2,\"Bob\"\n";
    check("stated", &stated, text, "id ¦ name", &["1 ¦ Max, and\nMoritz", "2 ¦ \"Bob\""], &[]);
    for quote in [Some('\''), Some('"'), None] {
        let stated = Format { quote: Some(Mark(quote)), ..Format::default() };
        let text = "id|name\n1|Ann\n2|Bob\n";
        check(
            "quotes stated that do not occur",
            &stated,
            text,
            "id ¦ name",
            &["1 ¦ Ann", "2 ¦ Bob"],
            &[],
        );
    }
    let stated = Format { delimiter: Some(" ".to_owned()), ..Format::default() };
    check("names, stated", &stated, "first last\nAnn 'Lee\n", "first ¦ last", &["Ann ¦ 'Lee"], &[]);
    let text = "id\tnote\n1\t\"loud\" shout\n2\t\"a\" b\n3\t\"c\" d\n4\tplain\n";
    detected(
        "no quotes",
        text,
        "id ¦ note",
        &["1 ¦ \"loud\" shout", "2 ¦ \"a\" b", "3 ¦ \"c\" d", "4 ¦ plain"],
        &[],
    );
    let text = "id,name\n1,Ann\n2,'O''Neil'\n3,Cid\n4,Dan\n";
    let rows = ["1 ¦ Ann", "2 ¦ O'Neil", "3 ¦ Cid", "4 ¦ Dan"];
    detected("a quote within single quotes", text, "id ¦ name", &rows, &[]);
    let text = "id,note\n1,it's\n2,'tis true\n3,dogs'\n";
    detected("apostrophes", text, "id ¦ note", &["1 ¦ it's", "2 ¦ 'tis true", "3 ¦ dogs'"], &[]);
}

#[test]
fn comments_are_no_rows() {
    let text =
        "id,name,amount\n1,Ann,2.5\n# the next is Bob\n2,Bob,3.5\n# that's \"all\n3,Cid,4.5\n";
    let read = detected("comments", text, "id ¦ name ¦ amount", &CLEAN[..3], &[]);
    assert!(read.evidence.iter().any(|e| e.starts_with("comments")), "{:?}", read.evidence);
    let text = "#id,name\n#1,Ann\n#2,Bob\n";
    detected("a column of numbers with a mark", text, "#id ¦ name", &["#1 ¦ Ann", "#2 ¦ Bob"], &[]);
    let stated = Format { comment: Some(Mark(Some('%'))), ..Format::default() };
    check("stated", &stated, "% x,y\nid,name\n%1,Ann\n2,Bob\n", "id ¦ name", &["2 ¦ Bob"], &[]);
    let stated = Format { comment: Some(Mark(None)), ..Format::default() };
    check(
        "none, stated",
        &stated,
        "id,name\n# x\n2,Bob\n",
        "id ¦ name",
        &["2 ¦ Bob"],
        &[(2, "too_few_cells")],
    );
    // Far below, where no sample reaches, a line that could be a row is asked about.
    let mut text = "id,name\n# made by hand\n".to_owned();
    for n in 0..20_000 {
        text += &format!("{n},somebody\n");
    }
    text += "# hello, world\n# bye\n";
    let read = take(text.as_bytes(), &Format::default()).expect("readable");
    assert_eq!(read.taken.rejects, [(20_003, "possible_comment".to_owned())]);
    assert_eq!(read.counters.records, 20_000);
}

#[test]
fn a_footer_is_asked_about_and_never_lost() {
    let columns = "id ¦ name ¦ amount";
    let text = with_line(1, "1,Ann,2.5");
    for (footer, codes) in [
        ("Total,,22.5", &["possible_footer"][..]),
        (",Total:,22.5", &["possible_footer"]),
        ("(5 rows affected)", &["possible_footer"]),
        ("Total,,22.5\nGenerated by Ann", &["possible_footer", "too_few_cells"]),
        ("\n5 rows\n", &["possible_footer"]),
    ] {
        let read =
            take(format!("{text}{footer}").as_bytes(), &Format::default()).expect("readable");
        assert_eq!(read.taken.rows, CLEAN, "{footer}");
        let found: Vec<&str> = read.taken.rejects.iter().map(|(_, code)| code.as_str()).collect();
        assert_eq!(found, codes, "{footer}");
    }
    let kept = Format { skip_footer_lines: Some(0), ..Format::default() };
    let rows = [&CLEAN[..], &["Total ¦  ¦ 22.5"]].concat();
    check("a row, stated", &kept, &format!("{text}Total,,22.5\n"), columns, &rows, &[]);
    let left_out = Format { skip_footer_lines: Some(2), ..Format::default() };
    check(
        "left out, stated",
        &left_out,
        &format!("{text}Total,,22.5\n\nby \"Ann\n"),
        columns,
        &CLEAN,
        &[],
    );
    let text2 = "Region,Jan,Feb\nNorth,1,2\nSouth,4,5\nTotal,5,7\n";
    detected(
        "full",
        text2,
        "Region ¦ Jan ¦ Feb",
        &["North ¦ 1 ¦ 2", "South ¦ 4 ¦ 5"],
        &[(4, "possible_footer")],
    );
    detected("alone", "key,value\nTotal,5\n", "key ¦ value", &["Total ¦ 5"], &[]);
    let read = take(format!("{text}as of Monday,,\n").as_bytes(), &Format::default());
    let read = read.expect("readable").taken;
    assert_eq!(
        (read.rows, read.rejects),
        (CLEAN.map(str::to_owned).to_vec(), vec![(7, "possible_footer".to_owned())])
    );
    let texts = "name,city,note\nAnn,Paris,x\nBob,,\n";
    detected(
        "a row with little in it",
        texts,
        "name ¦ city ¦ note",
        &["Ann ¦ Paris ¦ x", "Bob ¦  ¦ "],
        &[],
    );
    // In the middle a total is a row like others.
    let text = with_line(2, "Total,,22.5");
    let rows = [&CLEAN[..1], &["Total ¦  ¦ 22.5"], &CLEAN[2..]].concat();
    detected("not at the end", &text, columns, &rows, &[]);
}

/// Airbyte PR #32589, #36237 (pain 8): a sync "succeeded" while it skipped rows.
#[test]
fn pain_8_nothing_is_skipped_in_silence() {
    let text =
        "id,name,amount\n1,Ann,2.5\nbroken\n2,\"B\"ob,3.5\n3,Cid,4.5,x\n4,Dan,5.5\nTotal,,9\n";
    let read = detected(
        "all kinds",
        text,
        "id ¦ name ¦ amount",
        &[CLEAN[0], CLEAN[3]],
        &[
            (3, "too_few_cells"),
            (4, "ambiguous_quote"),
            (5, "too_many_cells"),
            (7, "possible_footer"),
        ],
    );
    assert_eq!((read.counters.rows, read.counters.skipped), (6, 0));
    assert_eq!(read.raws, ["broken", "2,\"B\"ob,3.5", "3,Cid,4.5,x", "Total,,9"]);
}

#[test]
fn a_table_below_what_a_statement_says_of_itself_is_found() {
    let table = "id,name,city,amount\n1,Ann,Paris,10.50\n2,Bob,Rome,11.00\n3,Cid,Oslo,12.75\n";
    let rows = ["1 ¦ Ann ¦ Paris ¦ 10.50", "2 ¦ Bob ¦ Rome ¦ 11.00", "3 ¦ Cid ¦ Oslo ¦ 12.75"];
    for above in [
        "Account,DE12\nHolder,Anna Berg\nFrom,2026-01-01\nTo,2026-01-31\n\n",
        "Account,DE12\nFrom,2026-01-01\nTo,2026-01-31\n\n",
        "Account,DE12,,\nHolder,Ann,,\nBalance,1234.56,,\n,,,\n",
        "Report January,,\n",
        "Report January,,,,\n",
        "Report January,,,,,\n",
        "Report January,,\nCreated by Anna,,\n",
        "Bank,Sparkasse\nKonto,DE12\nVon,2026-01-01\nBis,2026-01-31\nSaldo,1.5\n\n",
    ] {
        let text = format!("{above}{table}");
        detected(above, &text, "id ¦ name ¦ city ¦ amount", &rows, &[]);
    }
    // As two banks write them.
    let text = "\"Kontonummer:\";\"DE12 / Girokonto\";\n\n\"Von:\";\"01.01.2026\";\n\"Bis:\";\"31.01.2026\";\n\
        \"Kontostand vom 31.01.2026:\";\"1.000,00 EUR\";\n\n\"Buchungstag\";\"Wertstellung\";\"Text\";\"Betrag (EUR)\"\n\
        \"02.01.2026\";\"02.01.2026\";\"REWE\";\"-12,50\"\n\"03.01.2026\";\"03.01.2026\";\"ACME\";\"2.000,00\"\n";
    let columns = "Buchungstag ¦ Wertstellung ¦ Text ¦ Betrag (EUR)";
    let rows =
        ["02.01.2026 ¦ 02.01.2026 ¦ REWE ¦ -12,50", "03.01.2026 ¦ 03.01.2026 ¦ ACME ¦ 2.000,00"];
    detected("a bank", text, columns, &rows, &[]);
    let text = "Umsatzanzeige;Datei erstellt am: 01.02.2026 10:00\n;Letztes Update: aktuell\n\nIBAN;DE12 3456\nKontoname;Girokonto\n\
        Bank;ING\nKunde;Anna Berg\nZeitraum;01.01.2026 - 31.01.2026\nSaldo;1.234,56;EUR\n\nSortierung;Datum\n\n\
        In der Datei finden Sie alle gebuchten Umsätze.\n\nBuchung;Valuta;Empfänger;Text;Zweck;Saldo;Währung;Betrag;Währung\n\
        ";
    let columns =
        "Buchung ¦ Valuta ¦ Empfänger ¦ Text ¦ Zweck ¦ Saldo ¦ Währung ¦ Betrag ¦ Währung_2";
    let rows: Vec<String> = (10..20)
        .map(|day| {
            format!(
                "{day}.01.2026;{day}.01.2026;REWE;Lastschrift;Einkauf;1.2{day},56;EUR;-12,50;EUR"
            )
        })
        .collect();
    let text = format!("{}\n{}\n", text.trim_end(), rows.join("\n"));
    let rows: Vec<String> = rows.iter().map(|row| row.replace(';', " ¦ ")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    detected("another bank", &text, columns, &rows, &[]);
}

#[test]
fn a_line_for_whoever_takes_the_file_in_is_no_row_and_hides_no_header() {
    let table = "id;name;amount;city\n1;Ann;2,5;Rome\n2;Bob;3,5;Oslo\n3;Cid;4,5;Wien\n";
    let columns = "id ¦ name ¦ amount ¦ city";
    let rows = ["1 ¦ Ann ¦ 2,5 ¦ Rome", "2 ¦ Bob ¦ 3,5 ¦ Oslo", "3 ¦ Cid ¦ 4,5 ¦ Wien"];
    for line in
        ["FILE;20260105;3", "\"EXTF\";700;21;\"Buchungsstapel\";9;20260131140440439;;\"RE\""]
    {
        detected(line, &format!("{line}\n{table}"), columns, &rows, &[]);
    }
    // A row with a cell too few, in a file without a header, is one.
    let rows = ["2 ¦ Bob ¦ 3.5 ¦ x", "3 ¦ Cid ¦ 4.5 ¦ y", "4 ¦ Dan ¦ 5.5 ¦ z"];
    detected(
        "a row",
        "1,Ann,2.5\n2,Bob,3.5,x\n3,Cid,4.5,y\n4,Dan,5.5,z\n",
        "column_1 ¦ column_2 ¦ column_3 ¦ column_4",
        &rows,
        &[(1, "too_few_cells")],
    );
}

#[test]
fn rows_are_not_taken_for_what_stands_above_a_table() {
    // A page ends after two rows.
    let text =
        "id,name,v\n1,Ann,5\n2,Bob,6\nPage 1 of 2\n\nid,name,v\n3,Cid,7\n4,Dan,8\nPage 2 of 2\n";
    let rows = ["1 ¦ Ann ¦ 5", "2 ¦ Bob ¦ 6", "3 ¦ Cid ¦ 7", "4 ¦ Dan ¦ 8"];
    let rejects = [(4, "too_few_cells"), (6, "repeated_header"), (9, "too_few_cells")];
    detected("pages", text, "id ¦ name ¦ v", &rows, &rejects);
    // The first row is damaged, and there is no header.
    let rows = "Bob Ray,6.5,2026-01-01\nCid Poe,7.5,2026-01-02\nDan Orr,8.5,2026-01-03\n";
    let taken =
        ["Bob Ray ¦ 6.5 ¦ 2026-01-01", "Cid Poe ¦ 7.5 ¦ 2026-01-02", "Dan Orr ¦ 8.5 ¦ 2026-01-03"];
    for first in ["Ann Lee", "Ann Lee;5.5;2025-12-31"] {
        let text = format!("{first}\n{rows}");
        let columns = "column_1 ¦ column_2 ¦ column_3";
        detected(first, &text, columns, &taken, &[(1, "too_few_cells")]);
    }
    // A small table of two columns above a wider one.
    for first in [
        "name,date\nAnn,2026-01-01\nBob,2026-01-02\nCid,2026-01-03\n",
        "name,city\nAnn,Paris\nBob,Rome\nCid,Oslo\n",
    ] {
        let text = format!("{first}\na,b,c\nx,y,1\nz,w,2\n");
        let read = take(text.as_bytes(), &Format::default()).expect("a table");
        assert_eq!((read.counters.records, read.counters.rejects), (3, 3), "{:?}", read.taken);
    }
}

#[test]
fn what_stands_between_a_header_and_its_rows_is_no_row() {
    let columns = "ts ¦ station ¦ temp ¦ flag";
    let rows = ["2026-03-01T00:00:00Z ¦ ST1 ¦ 1.5 ¦ OK", "2026-03-01T01:00:00Z ¦ ST2 ¦ 1.7 ¦ "];
    let lines = rows.map(|row| row.replace(" ¦ ", ",")).join("\n");
    for between in ["UTC,,°C,", "[UTC],,[°C],", ",,degC,", "--,-------,----,-", "==,=,=,="] {
        let text = format!("ts,station,temp,flag\n{between}\n{lines}\n");
        detected(between, &text, columns, &rows, &[]);
    }
}

#[test]
fn lines_of_delimiters_alone_hide_no_total() {
    let text = "item,qty,amt\ni1,1,1.5\ni2,2,2.5\ni3,3,3.5\nTotal,6,7.5\n,,\n,,\n,,\n , ,\n";
    let read = take(text.as_bytes(), &Format::default()).expect("a table");
    assert_eq!(read.taken.rejects, [(5, "possible_footer".to_owned())]);
    // They are rows, too: nothing vanishes.
    assert_eq!(read.taken.rows.len(), 7);
}

#[test]
fn notes_at_the_end_are_asked_about_one_as_the_other() {
    let table = "id,qty,amt\n1,1,1.5\n2,2,2.5\n3,3,3.5\n";
    let text = format!("{table}\nPrepared by Ann,,\nPage 1,,\n");
    let rows = ["1 ¦ 1 ¦ 1.5", "2 ¦ 2 ¦ 2.5", "3 ¦ 3 ¦ 3.5"];
    let rejects = [(6, "possible_footer"), (7, "possible_footer")];
    detected("notes", &text, "id ¦ qty ¦ amt", &rows, &rejects);
}
