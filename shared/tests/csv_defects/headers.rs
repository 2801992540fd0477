//! Which row names the columns, if one does.

use inlet::catalog::Format;

use super::{CLEAN, check, detected, take};

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
fn what_stands_between_a_header_and_its_rows_is_no_row() {
    let columns = "ts ¦ station ¦ temp ¦ flag";
    let rows = ["2026-03-01T00:00:00Z ¦ ST1 ¦ 1.5 ¦ OK", "2026-03-01T01:00:00Z ¦ ST2 ¦ 1.7 ¦ "];
    let lines = rows.map(|row| row.replace(" ¦ ", ",")).join("\n");
    for between in ["UTC,,°C,", "[UTC],,[°C],", ",,degC,", "--,-------,----,-", "==,=,=,="] {
        let text = format!("ts,station,temp,flag\n{between}\n{lines}\n");
        detected(between, &text, columns, &rows, &[]);
    }
}
