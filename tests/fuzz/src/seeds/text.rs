//! Seeds that are text: tables, JSON, XML, HTML and encodings.

use super::{Seeds, behind, found};

pub(super) fn tables() -> Vec<String> {
    let table = "id,name,amount\n1,\"Ann, of\nmany\",1.50\n2,Bob,2\n3,\"say \"\"hi\"\"\",\n";
    let mut tables = vec![
        table.to_owned(),
        table.replace(',', "\t"),
        table.replace(',', ";").replace('\n', "\r\n"),
        table.replace(',', "||"),
        table.replace('\n', "\r"),
        format!("Report of 2026\n\n{table}Total,,3.5\n"),
        format!("# a comment\n{table}# another\n\n{table}"),
        "sep=;\na;b\n1;2,5\n3;4,5\n".to_owned(),
        "Q1,,Q2,\nsold,left,sold,left\n1,2,3,4\n5,6,7,8\n".to_owned(),
        "a,b\nkg,cm\n1,2\n3,4\n".to_owned(),
        "a;b\n'x;\\'y';2\n'z';3\n".to_owned(),
        "a,b\n\"open,1\n2,3\n4,5\n6,7\n".to_owned(),
        "a,b\n1,2,3\n4\n\"x\"y,5\n".to_owned(),
        "a,b\n1,2\n\nc,d\nx,y\n".to_owned(),
        "a b  c\n1 2  3\n".to_owned(),
        "x\n\n\"\"\n1\n".to_owned(),
        "#Version: 1.0\n#Fields: date time c-ip\n2026-01-01 10:00:00 ::1\n#Date: 2026\n".to_owned(),
    ];
    tables.push(table.repeat(3));
    tables
}

pub(crate) fn csv() -> Seeds {
    let mut seeds = behind(11, tables());
    seeds.extend(behind(11, found(&["csv", "tsv"])));
    for option in 0..11 {
        for value in 1..6 {
            let mut seed = seeds[usize::from(value) * 2].clone();
            seed[option] = value;
            seeds.push(seed);
        }
    }
    seeds
}

pub(crate) fn csv_written() -> Seeds {
    let cells = "a\u{1d}b\u{1e}1\u{1d}\"x\", 'y'\n;\u{1e}\u{1d}\\\u{1e}é\u{1d} z ";
    let mut seeds = Vec::new();
    for delimiter in 0..10 {
        seeds.push(
            [&[delimiter, delimiter & 1, delimiter % 3, 0, 0, 0, 1], cells.as_bytes()].concat(),
        );
    }
    seeds
}

pub(crate) fn dialect() -> Seeds {
    [behind(1, tables()), behind(1, found(&["csv", "tsv"]))].concat()
}

pub(crate) fn encoding() -> Seeds {
    let text = "name;city\nJosé;Málaga\nZoë;Köln\n日本;東京\n";
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let other: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let mut texts = vec![
        text.as_bytes().to_vec(),
        [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        [b"\xff\xfe".as_slice(), &wide].concat(),
        [b"\xfe\xff".as_slice(), &other].concat(),
        wide,
        b"name;city\nJos\xe9;M\xe1laga\nZo\xeb;K\xf6ln\n".to_vec(),
        b"\xce\xd2\xca\xc7;\xc4\xe3\xba\xc3\n".to_vec(),
        b"\x93\xfa\x96\x7b;\x93\x8c\x8b\x9e\n".to_vec(),
        b"\x1b$BF|K\\\x1b(B;x\n".to_vec(),
        b"<?xml version='1.0' encoding='iso-8859-1'?><t><r>\xe9</r></t>".to_vec(),
    ];
    texts.extend(["shift_jis", "gb18030", "euc-kr", "koi8-r"].map(|name| {
        let encoding = encoding_rs::Encoding::for_label(name.as_bytes()).expect("an encoding");
        encoding.encode("Привет, 日本 one;two\n").0.into_owned()
    }));
    let mut seeds = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        for kind in 0..4 {
            seeds.push([&[at as u8, kind], text.as_slice()].concat());
            seeds.push([&[0, kind], text.as_slice()].concat());
        }
    }
    seeds
}

pub(super) fn jsons() -> Vec<String> {
    let rows = r#"[{"a":1,"b":[1,{"c":null}],"d":"\u00e9\n"},{"a":-1.5e3,"e":true}]"#;
    vec![
        rows.to_owned(),
        format!("{{\"count\":2,\"items\":{rows}}}"),
        format!("{{\"a\":{{\"b\":{rows}}}}}"),
        "{\"a\":1}{\"a\":2} {\"b\":3}".to_owned(),
        "{\"a\":1,\"a\":2}".to_owned(),
        "[[1,2],[3,4]]".to_owned(),
        "[1,\"\\ud83e\\udd80\",\"\\ud800\",1e999,-0,0.10]".to_owned(),
        "{\"a\":1}\n{\"a\":\"x\",\"b\":[]}\n\n{\"c\":{}}\n".to_owned(),
        "{\"a\":1}\n{\"a\":\n[1,2]\n".to_owned(),
        "[".repeat(140),
    ]
}

pub(crate) fn json() -> Seeds {
    [behind(1, jsons()), behind(1, found(&["json"])), seeds_with(&jsons(), 1..6)].concat()
}

pub(super) fn seeds_with(inputs: &[String], firsts: std::ops::Range<u8>) -> Seeds {
    let with = |first: u8| inputs.iter().map(move |input| [&[first], input.as_bytes()].concat());
    firsts.flat_map(with).collect()
}

pub(crate) fn json_lines() -> Seeds {
    [behind(1, jsons()), behind(1, found(&["jsonl", "ndjson"])), seeds_with(&jsons(), 1..3)]
        .concat()
}

pub(super) fn xmls() -> Vec<String> {
    let texts = [
        "<?xml version='1.0'?><t><r a='1'><b>x &amp; y</b></r><r><c><![CDATA[<z>]]></c></r></t>",
        "<t xmlns:x='u'><x:r>1<!-- c --></x:r><x:r x:a='2'/>text<?pi?></t>",
        "<!DOCTYPE t [<!ENTITY e 'v'>]><a><b><c k='&e;'>&#233;</c><c>&lt;</c></b></a>",
        "<a><b><c><d>1</d><d>2</d></c><c><d/></c></b></a>",
        "<t><r><a>1</a></r><r><a>2</a><a>3</a></r></t><!-- end -->",
    ];
    texts.map(str::to_owned).to_vec()
}

pub(crate) fn xml() -> Seeds {
    [behind(1, xmls()), seeds_with(&xmls(), 1..6)].concat()
}

pub(crate) fn html() -> Seeds {
    let page = "<!doctype html><html lang=de><head><meta charset=utf-8><title>T &amp; t</title>\
        <meta name=author content=me><style>p{}</style><script>1<2</script></head><body><h1>Head</h1>\
        <p>one<br>two <b>three</b></p><ul><li>a<li>b</ul><table><tr><td>1<td>2<tr><td>3</table>\
        <pre> a\n b</pre><!-- c --><textarea>x</textarea>&nbsp;&copy;&#x41;</body></html>";
    [vec![page.as_bytes().to_vec()], found(&["html", "htm"])].concat()
}

pub(crate) fn plain() -> Seeds {
    let texts = [
        "# Title *x*\n\ntext\r\nmore\rend",
        "---\ntitle: A\nauthor: 'B'\n---\n# C\n",
        "Title\n===\n\n```\n# no\n```\n",
    ];
    [behind(1, texts), behind(1, found(&["md", "txt"]))].concat()
}
