//! What stands above a table.

use inlet::catalog::Format;

use super::{CLEAN, detected, take, with_line};

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
