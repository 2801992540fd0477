//! One row that is broken, and lines that are no rows: the rows around them are what they are.

use inlet::catalog::{Format, Mark};

use super::{CLEAN, check, detected, take, with_line, without};

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
