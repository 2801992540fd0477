//! Which delimiter it is.

use inlet::catalog::Format;

use super::{CLEAN, check, detected};

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
