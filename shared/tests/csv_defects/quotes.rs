//! Quotes that are wrong, and quotes and escapes of other kinds.

use inlet::catalog::{Format, Mark};

use super::{CLEAN, check, detected, take, with_line, without};

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
