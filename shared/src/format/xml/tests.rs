//! XML in, rows out: what is a row and what its cells are, what is refused, and that neither the way
//! the bytes arrive nor where they end bends any of it.

use std::io::{self, Cursor, Read};

use serde_json::Value;

use crate::catalog::{Format, FormatKind};
use crate::format::{Detected, Form, FormatError, Hints, Limits, Position, open};

/// A row as a test looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    head: u32,
    columns: Vec<String>,
    cells: Vec<String>,
    line: u64,
    offset: u64,
    raw: String,
    after: Position,
}

#[derive(Debug)]
struct Outcome {
    remarks: Vec<String>,
    rows: Vec<Seen>,
    detected: Option<Detected>,
    error: Option<FormatError>,
}

fn detected() -> Format {
    Format { kind: Some(FormatKind::Xml), ..Format::default() }
}

fn at(path: &str) -> Format {
    Format { rows: Some(path.to_owned()), ..detected() }
}

fn read_from(input: impl Read + Send + 'static, settings: &Format, limits: Limits) -> Outcome {
    let mut outcome =
        Outcome { remarks: Vec::new(), rows: Vec::new(), detected: None, error: None };
    let mut rows = match open(input, Hints::default(), settings, limits) {
        Ok((rows, detected)) => {
            assert_eq!(rows.head().columns, detected.columns);
            outcome.detected = Some(detected);
            rows
        }
        Err(error) => {
            outcome.error = Some(error);
            return outcome;
        }
    };
    loop {
        match rows.next() {
            Ok(None) => {
                outcome.remarks = rows.remarks();
                return outcome;
            }
            Err(error) => {
                outcome.error = Some(error);
                return outcome;
            }
            Ok(Some(row)) => {
                assert_eq!(row.number(), outcome.rows.len() as u64 + 1);
                assert_eq!((row.head().form, row.fault()), (Form::Json, None));
                let mut seen = Seen {
                    head: row.head().number,
                    columns: row.head().columns.clone(),
                    cells: Vec::new(),
                    line: row.line().expect("a line"),
                    offset: row.byte_offset().expect("a place"),
                    raw: String::from_utf8(row.raw().to_vec()).expect("UTF-8"),
                    after: Position::default(),
                };
                assert!(seen.raw.starts_with('<') && seen.raw.ends_with('>'), "{}", seen.raw);
                for cell in row.cells() {
                    let cell = String::from_utf8(cell.to_vec()).expect("UTF-8");
                    assert!(!cell.contains(['\n', '\r']), "{cell}");
                    serde_json::from_str::<Value>(&cell).expect("valid JSON");
                    seen.cells.push(cell);
                }
                assert_eq!(seen.cells.len(), seen.columns.len());
                seen.after = rows.position();
                outcome.rows.push(seen);
            }
        }
    }
}

fn read_with(text: impl AsRef<[u8]>, settings: &Format, limits: Limits) -> Outcome {
    read_from(Cursor::new(text.as_ref().to_vec()), settings, limits)
}

fn read(text: impl AsRef<[u8]>, settings: &Format) -> Vec<Seen> {
    let outcome = read_with(text, settings, Limits::default());
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    outcome.rows
}

fn error(text: impl AsRef<[u8]>, settings: &Format) -> FormatError {
    read_with(text, settings, Limits::default()).error.expect("refused")
}

fn shown(rows: &[Seen]) -> Vec<String> {
    let row = |row: &Seen| {
        let cells = row.columns.iter().zip(&row.cells);
        cells.map(|(column, cell)| format!("{column}={cell}")).collect::<Vec<_>>().join(" ")
    };
    rows.iter().map(row).collect()
}

#[test]
fn an_element_becomes_the_cells_that_a_person_would_write_down() {
    for (row, expected) in [
        ("<r><a>1</a><b>x</b></r>", r#"a="1" b="x""#),
        ("<r id='7' x=\"&lt;\"><a>1</a></r>", r#"@id="7" @x="<" a="1""#),
        ("<r>text</r>", r##"#text="text""##),
        ("<r/>", ""),
        ("<r></r>", ""),
        ("<r a='1'/>", r#"@a="1""#),
        ("<r a='1'>text</r>", r##"@a="1" #text="text""##),
        // Text is exactly as written, white space included, where there is nothing else.
        ("<r><a> 007 </a><b/><c></c><d>\n</d></r>", r#"a=" 007 " b="" c="" d="\n""#),
        ("<r>\n  <a>1</a>\n</r>", r#"a="1""#),
        ("<r><a>say \"hi\" \\ é\t😀</a></r>", r#"a="say \"hi\" \\ é\t😀""#),
        ("<r><a>1\r\n2\r3</a></r>", r#"a="1\n2\n3""#),
        ("<r><a>&amp;&lt;&gt;&quot;&apos;&#233;&#x1F600;&#10;</a></r>", r#"a="&<>\"'é😀\n""#),
        ("<r><a><![CDATA[<b>&amp;]]> x</a></r>", r#"a="<b>&amp; x""#),
        ("<r><a>1<!-- no -->2<?no?>3</a></r>", r#"a="123""#),
        // Several of a name are an array, where the first of them is.
        ("<r><a>1</a><b>2</b><a>3</a><a/></r>", r#"a=["1","3",""] b="2""#),
        // Elements in elements.
        ("<r><a><b>1</b><c>2</c></a></r>", r#"a={"b":"1","c":"2"}"#),
        ("<r><a><b>1</b><b>2</b></a><a><b>3</b></a></r>", r#"a=[{"b":["1","2"]},{"b":"3"}]"#),
        ("<r><a cur='EUR'>12.50</a></r>", r##"a={"@cur":"EUR","#text":"12.50"}"##),
        ("<r><a cur='EUR'>\n</a></r>", r##"a={"@cur":"EUR"}"##),
        ("<r><a>x <b>y</b> z\n<i/>\n</a></r>", r##"a={"b":"y","i":"","#text":"x  z\n"}"##),
        ("<r>x<b>y</b> </r>", r##"b="y" #text="x""##),
        ("<r><a><r>1</r></a></r>", r#"a={"r":"1"}"#),
        // Nothing, said in so many words.
        (
            "<r xmlns:xsi='x'><a xsi:nil='true'/><b xsi:nil='true' x='1'/></r>",
            r##"@xmlns:xsi="x" a=null b={"@xsi:nil":"true","@x":"1"}"##,
        ),
        // Prefixes are kept as they are written.
        ("<r><n:a n:x='1'>2</n:a><a>3</a></r>", r##"n:a={"@n:x":"1","#text":"2"} a="3""##),
        ("<r><a-b.c_1>1</a-b.c_1><é>2</é></r>", r#"a-b.c_1="1" é="2""#),
    ] {
        let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<t>{row}</t>");
        assert_eq!(shown(&read(text, &at("t/r"))), [expected], "{row}");
        assert_eq!(shown(&read(row, &at("/r"))), [expected], "{row}");
    }
    let many: String = (0..100).map(|n| format!("<c{}>{n}</c{}>", n % 40, n % 40)).collect();
    let rows = read(format!("<r>{many}</r>"), &at("r"));
    assert_eq!(rows[0].columns.len(), 40);
    assert_eq!((&*rows[0].columns[3], &*rows[0].cells[3]), ("c3", r#"["3","43","83"]"#));
    assert_eq!((&*rows[0].columns[39], &*rows[0].cells[39]), ("c39", r#"["39","79"]"#));
}

#[test]
fn rows_are_the_elements_at_the_path_and_nothing_else() {
    let text = "<?xml version='1.0'?><!DOCTYPE c SYSTEM 'c.dtd'><c><meta><b>no</b></meta>\
                <b><n>1</n><b>in</b></b><x><b>no</b></x><b><n>2</n></b></c><!-- end -->\n";
    assert_eq!(shown(&read(text, &at("c/b"))), [r#"n="1" b="in""#, r#"n="2""#]);
    assert_eq!(shown(&read(text, &at("c/meta"))), [r#"b="no""#]);
    assert_eq!(shown(&read(text, &at("c/x/b"))), [r##"#text="no""##]);
    assert_eq!(read(text, &at("c")).len(), 1);
    for empty in ["<c/>", "<c></c>", "<c><meta/></c>"] {
        assert!(read(empty, &at("c/b")).is_empty(), "{empty}");
    }
    let error = error(text, &at("d/b"));
    assert_eq!(error.code(), "rows_not_found");
    assert!(error.to_string().contains(r#""c", "meta""#), "{error}");
    assert_eq!(super::tests::error("<c><d/></c>", &at("c/x/b")).code(), "rows_not_found");
}

#[test]
fn rows_are_found_where_a_person_would_see_them() {
    for (text, evidence, count) in [
        ("<c><b><n>1</n></b><b><n>2</n></b></c>", "the elements c/b, repeated", 2),
        ("<c><m>x</m><m>y</m><b><n>1</n></b><b><n>2</n></b></c>", "the elements c/b, repeated", 2),
        ("<c><b id='1'/><b id='2'/></c>", "the elements c/b, repeated", 2),
        (
            "<rss><channel><title>t</title><item><a/></item><item><a/></item></channel></rss>",
            "the elements rss/channel/item, repeated",
            2,
        ),
        (
            "<e><h><x/></h><body><rs><r><a>1</a></r><r><a>2</a></r></rs></body></e>",
            "the elements e/body/rs/r, repeated",
            2,
        ),
        // Authors are not rows.
        (
            "<c><b><n>1</n><author>x</author><author>y</author></b></c>",
            "the elements c/b, the only ones",
            1,
        ),
        ("<b><n>1</n><author>x</author><author>y</author></b>", "the elements b, the root", 1),
        ("<ids><id>1</id><id>2</id></ids>", "the elements ids/id, the only ones", 2),
    ] {
        let outcome = read_with(text, &Format::default(), Limits::default());
        assert_eq!(outcome.rows.len(), count, "{text}");
        let said = outcome.detected.expect("opens").evidence.join("; ");
        assert!(said.contains(evidence), "{text}: {said}");
        assert_eq!(read(text, &detected()).len(), count);
    }
}

#[test]
fn an_export_without_rows_is_no_record() {
    for text in [
        "<orders></orders>",
        "<c/>",
        "<orders count=\"0\" xmlns:a='b'/>",
        "<response><status>ok</status><orders/></response>",
        "<response><data/></response>",
        "<e><status>ok</status><count>0</count><body><orders/></body></e>",
    ] {
        let outcome = read_with(text, &detected(), Limits::default());
        assert!(outcome.error.is_none() && outcome.rows.is_empty(), "{text}: {outcome:?}");
        let said = outcome.detected.expect("opens").evidence.join("; ");
        assert!(said.contains("rows: none"), "{said}");
    }
    for text in [
        "<order id='1'/>",
        "<r>text</r>",
        "<customer><name>Ann</name><phones/></customer>",
        "<customer><status>ok</status><phone/></customer>",
        "<response><status>ok</status></response>",
        "<orders><order id='1'/></orders>",
    ] {
        assert_eq!(read(text, &detected()).len(), 1, "{text}");
    }
    assert_eq!(read("<rows><row/><row/></rows>", &detected()).len(), 2);
}

#[test]
fn one_record_is_found_where_two_would_be() {
    let order =
        "<order><id>1</id><lines><line><s>a</s></line><line><s>b</s></line></lines></order>";
    let flat = "<order><id>1</id><n>a</n></order>";
    let thing = "<thing><name>x</name><part><s>a</s></part><part><s>b</s></part></thing>";
    let row = "<row><a>1</a></row>";
    for (before, record, behind, path) in [
        ("<orders>", order, "</orders>", "orders/order"),
        ("<orders>", flat, "</orders>", "orders/order"),
        ("<OrderList>", order, "</OrderList>", "OrderList/order"),
        ("<export><orders>", order, "</orders></export>", "export/orders/order"),
        ("<export>", order, "</export>", "export/order"),
        ("<export>", thing, "</export>", "export/thing"),
        ("<export><head><d>x</d></head>", thing, "</export>", "export/thing"),
        ("<orders><header><d>x</d></header>", flat, "</orders>", "orders/order"),
        (
            "<response><meta><total>1</total></meta><data>",
            row,
            "</data></response>",
            "response/data/row",
        ),
        (
            "<s:Envelope xmlns:s='s'><s:Body><GetResp><Result>",
            "<Item><a>1</a></Item>",
            "</Result></GetResp></s:Body></s:Envelope>",
            "s:Envelope/s:Body/GetResp/Result/Item",
        ),
        (
            "<rss version='2.0'><channel><title>t</title><link>l</link>",
            "<item><title>a</title></item>",
            "</channel></rss>",
            "rss/channel/item",
        ),
        ("<r><g name='A'>", row, "</g></r>", "r/g"),
    ] {
        let find = |records: usize| {
            let text = format!("{before}{}{behind}", record.repeat(records));
            let outcome = read_with(&text, &detected(), Limits::default());
            assert!(outcome.error.is_none(), "{text}: {:?}", outcome.error);
            (outcome.rows, outcome.detected.expect("opens").evidence.join("; "))
        };
        let (one, evidence) = find(1);
        assert!(evidence.contains(&format!("the elements {path},")), "{evidence}");
        assert_eq!(one.len(), 1, "{evidence}");
        if path != "r/g" {
            let (two, _) = find(2);
            assert_eq!(two.len(), 2, "{evidence}");
            assert_eq!(two[0].cells, one[0].cells);
        }
    }
    // A record that is the root, whether it has one line or several.
    for lines in [1, 2] {
        let lines = "<line><s>a</s></line>".repeat(lines);
        let text = format!("<invoice><id>1</id><lines>{lines}</lines></invoice>");
        assert_eq!(read(text, &detected())[0].columns, ["id", "lines"]);
    }
    // What has an id, and yet is only around the rows.
    for text in [
        "<feed><id>1</id><title>t</title><entry><id>2</id></entry><entry><id>3</id></entry></feed>",
        "<orders><id>1</id><order><id>2</id></order><order><id>3</id></order></orders>",
    ] {
        assert_eq!(read(text, &detected()).len(), 2, "{text}");
    }
    let outcome = read_with(
        "<response><total>2</total><data><row><a/></row><row><a/></row></data></response>",
        &detected(),
        Limits::default(),
    );
    let said = outcome.detected.expect("opens").evidence.join("; ");
    assert!(said.ends_with("left out: total"), "{said}");
    let with_attributes =
        "<orders date='1'><order><id>1</id></order><order><id>2</id></order></orders>";
    let outcome = read_with(with_attributes, &detected(), Limits::default());
    let said = outcome.detected.expect("opens").evidence.join("; ");
    assert!(said.ends_with("left out: the attributes of orders"), "{said}");
}

#[test]
fn the_level_of_the_rows_does_not_depend_on_the_length_of_the_first_record() {
    let order = |parts: usize| {
        let part = "<part><sku>S</sku><qty>1</qty></part>".repeat(parts);
        move |before: &str, behind: &str| format!("{before}{part}{behind}")
    };
    for (before, behind) in [
        ("<order><id>1</id><parts>", "</parts></order>"),
        ("<order><customer>x</customer>", "</order>"),
        ("<order no='1'>", "</order>"),
    ] {
        for root in ["orders", "export"] {
            for parts in [2, 20_000] {
                let (first, second) = (order(parts)(before, behind), order(1)(before, behind));
                let text = format!("<{root}>{first}{second}</{root}>");
                assert_eq!(read(&text, &detected()).len(), 2, "{root} {before} {parts}");
            }
        }
    }
    // Where nothing tells but what comes later, it is not read as something else.
    let (first, second) = (order(20_000)("<x>", "</x>"), order(2)("<x>", "</x>"));
    let refused = error(format!("<export>{first}{second}</export>"), &detected());
    assert_eq!(refused.code(), "rows_ambiguous");
    let lists = format!("<f><as>{first}</as><bs><b><c/></b><b><c/></b></bs></f>");
    assert_eq!(error(lists, &detected()).code(), "rows_ambiguous");
    // A long list of texts before the rows, and a long text in what is before them.
    let codes = "<code>12345</code>".repeat(30_000);
    let text = format!("<file><codes>{codes}</codes><orders>{}</orders></file>", second.repeat(3));
    assert_eq!(read(text, &detected()).len(), 3);
    let logo = "x".repeat(600_000);
    let text = format!("<file><sender><logo>{logo}</logo></sender>{}</file>", second.repeat(3));
    assert_eq!(read(&text, &detected()).len(), 3);
    // No more is looked at than one row may have.
    let limits = Limits { max_row_bytes: 300_000, ..Limits::default() };
    let error = read_with(text, &detected(), limits).error.expect("refused");
    assert_eq!(error.code(), "row_too_long");
}

#[test]
fn of_elements_with_ever_other_names_not_all_are_remembered() {
    let names: String = (0..200_000).map(|n| format!("<e{n}/>")).collect();
    let text = format!("<t>{names}<b><id>1</id></b><b><id>2</id></b></t>");
    assert_eq!(super::detect::outline(text.as_bytes()).elements.len(), (1 << 16) + 1);
    // What was not seen is not left out in silence.
    let outcome = read_with(&text, &detected(), Limits { max_columns: 1000, ..Limits::default() });
    assert!(outcome.error.is_some() && outcome.rows.is_empty());
    assert_eq!(read(text, &at("t/b")).len(), 2);
}

#[test]
fn where_two_lists_could_be_the_rows_somebody_must_say_which() {
    let two = "<e>\n<c><x/></c>\n<c><x/></c>\n<o><x/></o>\n<o><x/></o></e>";
    let refused = error(two, &detected());
    assert!(
        matches!(refused, FormatError::RowsAmbiguous { line: 4, byte_offset: 28 }),
        "{refused}"
    );
    assert_eq!(read(two, &at("e/o")).len(), 2);
    // The second list comes only after the first bytes.
    let customer = "<c><n>1</n></c>\n";
    let many = customer.repeat(20_000);
    for order in ["<o><x/></o>", "<o id='1'/>"] {
        let late = format!("<e>{many}{order}<m/><m/>{order}</e>");
        let outcome = read_with(&late, &detected(), Limits::default());
        assert_eq!(outcome.rows.len(), 20_000);
        assert_eq!(outcome.error.expect("ambiguous").code(), "rows_ambiguous");
        assert_eq!(read(&late, &at("e/c")).len(), 20_000);
    }
    let single = format!("<e><meta><x/></meta><m/>{many}<m/><end><x/></end></e>");
    assert_eq!(read(single, &detected()).len(), 20_000);
}

#[test]
fn a_row_knows_its_line_offset_and_bytes() {
    let rows = read("\u{feff}<t>\r\n <r>\n<a>é</a></r>\r<r/><r>x</r>\n</t>", &at("t/r"));
    let facts: Vec<_> =
        rows.iter().map(|row| (row.line, row.offset, row.raw.as_str(), row.after)).collect();
    let place = |byte_offset, line, row| Position { byte_offset, line, row, encoding: None };
    assert_eq!(
        facts,
        [
            (2, 9, "<r>\n<a>é</a></r>", place(26, 3, 1)),
            (4, 27, "<r/>", place(31, 4, 2)),
            (4, 31, "<r>x</r>", place(39, 4, 3)),
        ]
    );
}

#[test]
fn what_is_not_xml_is_refused_with_its_place() {
    for (text, place, problem) in [
        ("", (1, 1), "no element"),
        ("  \n ", (2, 2), "no element"),
        ("a,b\n1,2\n", (1, 1), "outside of the root"),
        ("<t>\n<r><a>1</b></r></t>", (2, 8), "expected `</a>`"),
        ("<t>\n<r><a>1</a></r>", (2, 16), "ends before its elements do"),
        ("<t>\n<r><a>1", (2, 8), "ends before its elements do"),
        ("<t>\n<r><a>1</a", (2, 8), "not closed"),
        ("<t>\n<r a='1", (2, 1), "not closed"),
        ("<t><r/></t>\n<t/>", (2, 1), "second root"),
        ("<t><r/></t>\nx", (1, 12), "outside of the root"),
        ("<t><r/></t></t>", (1, 12), "does not match any open tag"),
        ("<t>\n<r a=1/></t>", (2, 1), "name=\"value\""),
        ("<t>\n<r a='1' a='2'/></t>", (2, 1), "twice"),
        ("<t>\n<r a='<'/></t>", (2, 1), "a < stands"),
        ("<t>\n<r 1='x'/></t>", (2, 1), "not the name"),
        ("<t>\n<1/></t>", (2, 1), "not the name"),
        ("<t>\n< r/></t>", (2, 1), "not the name"),
        ("<t>\n<r>x & y</r></t>", (2, 6), "not closed"),
        ("<t>\n<r>x&nbsp;y</r></t>", (2, 5), "a reference is neither"),
        ("<t>\n<r a='&nbsp;'/></t>", (2, 1), "a reference is neither"),
        ("<t>\n<r>&#xD800;</r></t>", (2, 4), "a character that there is not"),
        ("<t>\n<r>&#1;</r></t>", (2, 4), "control character"),
        ("<t>\n<r>\u{1}</r></t>", (2, 4), "control character"),
        ("<t>\n<r><!-- x</r></t>", (2, 4), "not closed"),
        ("<t>\n<r><![CDATA[x</r></t>", (2, 4), "not closed"),
        ("<t>\n<?xml version='1.0'?></t>", (2, 1), "has begun already"),
        ("<t><!DOCTYPE t></t>", (1, 4), "after the root began"),
    ] {
        let refused = error(text, &at("t/r"));
        let FormatError::Xml { line, column, byte_offset, problem: said } = &refused else {
            panic!("{text}: {refused}");
        };
        assert!(said.contains(problem), "{text}: {said}");
        assert_eq!((*line, *column), place, "{text}: {said}");
        let before = text.lines().take(*line as usize - 1).map(|line| line.len() as u64 + 1);
        assert_eq!(*byte_offset, before.sum::<u64>() + column - 1, "{text}");
        assert_eq!(refused.code(), "invalid_xml");
    }
    let stated = Format { encoding: crate::catalog::Encoding::for_label("utf-8"), ..at("t/r") };
    let refused = error(b"<t>\n<r>a</r><r>caf\xe9</r></t>", &stated);
    assert!(matches!(refused, FormatError::Xml { line: 2, column: 15, .. }), "{refused}");
}

#[test]
fn entities_are_not_expanded() {
    let mut bomb = "<!DOCTYPE lolz [<!ENTITY lol \"lol\">".to_owned();
    for n in 1..10 {
        let inner = format!("&lol{};", n - 1).repeat(10);
        bomb.push_str(&format!("<!ENTITY lol{n} \"{inner}\">"));
    }
    bomb.push_str("]><t><r>&lol9;</r></t>");
    let refused = error(&bomb, &at("t/r"));
    assert_eq!(refused.code(), "invalid_xml");
    assert!(refused.to_string().contains("could define entities"), "{refused}");
    let file = "<!DOCTYPE t [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><t><r>&x;</r></t>";
    assert_eq!(error(file, &at("t/r")).code(), "invalid_xml");
    // Without the definitions, too.
    assert_eq!(error("<!DOCTYPE t><t><r>&x;</r></t>", &at("t/r")).code(), "invalid_xml");
}

#[test]
fn text_that_says_it_is_in_another_encoding_is_refused() {
    for encoding in ["UTF-8", "utf-8", "US-ASCII", "UTF-16"] {
        let text = format!("<?xml version='1.0' encoding='{encoding}'?><t><r/></t>");
        assert_eq!(read(text, &at("t/r")).len(), 1);
    }
    let refused =
        error("<?xml version='1.0' encoding='ISO-8859-99'?><t><r/></t>", &Format::default());
    assert_eq!(refused.code(), "unsupported_encoding");
    assert!(refused.to_string().contains("ISO-8859-99"), "{refused}");
}

#[test]
fn limits_end_a_file_and_name_themselves() {
    let limits = Limits { max_row_bytes: 50, max_columns: 3, max_nesting: 5, ..Limits::default() };
    let long = format!("<t><r>1</r>\n<r>{}</r></t>", "x".repeat(50));
    let fits = format!("<t><r>1</r>\n<r>{}</r></t>", "x".repeat(43));
    assert_eq!(read_with(fits, &at("t/r"), limits).rows.len(), 2);
    for (text, code, says) in [
        (long.as_str(), "row_too_long", "line 2 (byte 12)"),
        ("<t><r/><r a='' b='' c=''><d/></r></t>", "too_many_columns", "(byte 7)"),
        ("<t><r><a><b><c><d/></c></b></a></r></t>", "too_deep", "(byte 15)"),
        ("<t><a><b><c><d><e/></d></c></b></a></t>", "too_deep", "max_nesting = 5"),
    ] {
        let outcome = read_with(text, &at("t/r"), limits);
        let error = outcome.error.expect("refused");
        assert_eq!(error.code(), code, "{text}: {error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    // A small row may not be many values: they take more memory than they have bytes.
    let crowd = format!("<t><r>{}</r></t>", "<a/>".repeat((1 << 20) + 1));
    let refused = error(crowd, &at("t/r"));
    assert!(refused.to_string().contains("more than a million"), "{refused}");
}

/// Bytes that are made as they are read.
struct Endless {
    begin: &'static [u8],
    piece: &'static [u8],
    at: usize,
    left: u64,
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let (source, start) = match self.at < self.begin.len() {
            true => (self.begin, self.at),
            false => (self.piece, (self.at - self.begin.len()) % self.piece.len()),
        };
        let n = into.len().min(source.len() - start).min(self.left as usize);
        into[..n].copy_from_slice(&source[start..][..n]);
        self.at += n;
        self.left -= n as u64;
        Ok(n)
    }
}

#[test]
fn what_does_not_end_is_an_error_within_bounded_memory() {
    let text: &'static [u8] = &[b'x'; 1 << 16];
    let tags: &'static [u8] =
        b"<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa>";
    for (begin, piece, code) in [
        (&b"<t><r>"[..], text, "row_too_long"),
        (b"<t><r a='", text, "row_too_long"),
        (b"<t><!--", text, "row_too_long"),
        (b"<t><", text, "row_too_long"),
        (b"<", text, "row_too_long"),
        (b"<t><r><![CDATA[", text, "row_too_long"),
        (b"<t><r>&", text, "row_too_long"),
        (b"<!DOCTYPE ", text, "row_too_long"),
        (b"", tags, "too_deep"),
    ] {
        let input = Endless { begin, piece, at: 0, left: 1 << 30 };
        let error = read_from(input, &at("t/r"), Limits::default()).error.expect("refused");
        assert_eq!(error.code(), code, "{error}");
    }
}

struct Pieces(Cursor<Vec<u8>>, usize);

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.1.min(into.len());
        self.0.read(&mut into[..n])
    }
}

const MIXED: &str = "\u{feff}<?xml version=\"1.0\"?>\r\n<!-- c --><t x='1'>\n<m>é</m><r id='&#233;'><a>1</a><a>&amp;</a>\
                     <b><![CDATA[<]]>]]</b></r>\r<r/>\n<r>x<?p q?>y</r></t>\n<!-- e -->";

#[test]
fn it_does_not_matter_in_which_pieces_the_bytes_come() {
    let whole = read(MIXED, &at("t/r"));
    assert_eq!(shown(&whole), [r#"@id="é" a=["1","&"] b="<]]""#, "", r##"#text="xy""##]);
    for size in 1..MIXED.len() {
        let pieces = Pieces(Cursor::new(MIXED.as_bytes().to_vec()), size);
        let outcome = read_from(pieces, &at("t/r"), Limits::default());
        assert!(outcome.error.is_none());
        assert_eq!(outcome.rows, whole, "pieces of {size}");
    }
    // Rows that lie across the ends of the buffer.
    let row = "<r id='1'><a>some text &amp; more</a><b>é</b></r>\n";
    let rows = read(format!("<t>{}</t>", row.repeat(20_000)), &at("t/r"));
    assert_eq!(rows.len(), 20_000);
    let (first, last) = (&rows[0], &rows[19_999]);
    assert_eq!((&first.cells, &first.raw), (&last.cells, &last.raw));
    assert_eq!((last.line, last.offset), (20_000, 3 + 19_999 * row.len() as u64));
}

#[test]
fn a_document_that_is_cut_gives_a_part_of_its_rows_and_an_error() {
    let whole = read(MIXED, &at("t/r"));
    let root_ends = MIXED.find("</t>").expect("there") + 4;
    for end in 0..MIXED.len() {
        let outcome = read_with(&MIXED.as_bytes()[..end], &at("t/r"), Limits::default());
        assert!(whole.starts_with(&outcome.rows), "cut at {end}");
        let complete = end == root_ends || end == root_ends + 1;
        assert_eq!(outcome.error.is_none(), complete, "cut at {end}: {:?}", outcome.error);
    }
}

#[test]
fn equal_names_in_equal_order_have_one_head() {
    let text = "<t><r><a/><b/></r><r><b/><a/></r><r><a/><b/></r><r a=''/><r><ab/></r></t>";
    let heads: Vec<u32> = read(text, &at("t/r")).iter().map(|row| row.head).collect();
    assert_eq!(heads, [0, 1, 0, 2, 3]);
}

fn random_element(random: &mut fastrand::Rng, name: &str, depth: usize) -> (String, Value) {
    const TEXTS: [(&str, &str); 6] =
        [("x", "x"), ("&lt;", "<"), ("é\"", "é\""), (" 1 ", " 1 "), ("\n", "\n"), ("&#65;", "A")];
    if depth > 3 || random.u8(0..3) == 0 {
        let (written, meant) = TEXTS[random.usize(0..TEXTS.len())];
        return (format!("<{name}>{written}</{name}>"), meant.into());
    }
    let mut written = format!("<{name} k='{depth}'>");
    let mut members = serde_json::Map::from_iter([("@k".to_owned(), depth.to_string().into())]);
    for child in ["a", "b", "c"] {
        let count = random.usize(0..4);
        let mut values = Vec::new();
        for _ in 0..count {
            let (text, value) = random_element(random, child, depth + 1);
            written.push_str(&text);
            written.push_str(["", "\n ", "<!-- x -->"][random.usize(0..3)]);
            values.push(value);
        }
        if count == 1 {
            members.insert(child.to_owned(), values.remove(0));
        } else if count > 1 {
            members.insert(child.to_owned(), values.into());
        }
    }
    (format!("{written}</{name}>"), Value::Object(members))
}

#[test]
fn elements_at_random_are_read_back_equal() {
    let mut random = fastrand::Rng::with_seed(5);
    for _ in 0..300 {
        let (text, meant) = random_element(&mut random, "r", 0);
        let rows = read(format!("<t>{text}</t>"), &at("t/r"));
        let cell = |cell: &String| serde_json::from_str::<Value>(cell).expect("valid JSON");
        let cells = rows[0].columns.iter().cloned().zip(rows[0].cells.iter().map(cell));
        let read = Value::Object(cells.collect());
        match meant {
            Value::Object(_) => assert_eq!(read, meant, "{text}"),
            meant => assert_eq!(read["#text"], meant, "{text}"),
        }
    }
}

#[test]
fn bytes_at_random_are_read_or_refused() {
    let mut random = fastrand::Rng::with_seed(13);
    let pieces: [&[u8]; 22] = [
        b"<t>",
        b"</t>",
        b"<r>",
        b"</r>",
        b"<r/>",
        b"<a b='c'>",
        b"</a>",
        b"<",
        b">",
        b"/",
        b"&amp;",
        b"&",
        b"x",
        b"<!--",
        b"-->",
        b"<![CDATA[",
        b"]]>",
        b"<?p",
        b"?>",
        b"\xff",
        b"<!DOCTYPE t",
        b"\n",
    ];
    for _ in 0..5_000 {
        let text: Vec<u8> = (0..random.usize(0..14))
            .flat_map(|_| pieces[random.usize(0..pieces.len())].iter().copied())
            .collect();
        for text in [text.clone(), [b"<t>", &text[..], b"</t>"].concat()] {
            read_with(&text, &at("t/r"), Limits::default());
            read_with(&text, &detected(), Limits::default());
            super::detect::is_xml(&text);
        }
    }
}

#[test]
fn behind_an_error_there_are_no_rows() {
    let text = b"<t><r>1</r><r><a/></r!><r>2</r><r>3</r></t>";
    let (settings, limits) = (at("t/r"), Limits::default());
    let input = std::io::Cursor::new(text.to_vec());
    let opened = crate::format::open(input, crate::format::Hints::default(), &settings, limits);
    let (mut rows, _) = opened.expect("opens");
    assert!(rows.next().expect("a row").is_some());
    assert!(rows.next().is_err());
    assert!(rows.next().expect("the end").is_none());
}

#[test]
fn what_is_beside_the_rows_is_not_left_out_in_silence() {
    let told = |text: &str, settings: &Format| {
        let outcome = read_with(text, settings, Limits::default());
        assert!(outcome.error.is_none() && !outcome.rows.is_empty(), "{outcome:?}");
        outcome.remarks
    };
    let users = "<user id='1'/><user id='2'/>";
    for (text, rows, names) in [
        (format!("<db><order id='1'/>{users}</db>"), "db/user", "order"),
        (format!("<db>{users}{users}<order id='1'/><note>x</note></db>"), "db/user", "order, note"),
        (
            format!("<db><head><id>1</id></head><users>{users}</users></db>"),
            "db/users/user",
            "head",
        ),
    ] {
        let remarks = told(&text, &detected());
        let remark = format!("beside the rows {rows} the document has {names}: left out");
        assert!(remarks.len() == 1 && remarks[0].starts_with(&remark), "{remarks:?}");
    }
    assert_eq!(told(&format!("<db>{users}</db>"), &detected()), [""; 0]);
    assert_eq!(told(&format!("<db><order/>{users}</db>"), &at("db/user")), [""; 0], "stated");
}
