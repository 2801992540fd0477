//! Where searches begin: small inputs that make sense, written here, and the small ones among the files of
//! `INLET_FIXTURES`, if it is set.

use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;

use crate::parts;

/// Bytes of a file of others at most: small ones are tried more often in the same time.
const SMALL: u64 = 12 << 10;
/// Files of others for a target at most.
const MANY: usize = 60;

type Seeds = Vec<Vec<u8>>;

/// Inputs behind `zeros` bytes that decide nothing.
fn behind(zeros: usize, inputs: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Seeds {
    let behind = |input: &[u8]| [&vec![0; zeros], input].concat();
    inputs.into_iter().map(|input| behind(input.as_ref())).collect()
}

/// The small files of others with one of these extensions, the smallest first.
fn found(extensions: &[&str]) -> Seeds {
    found_up_to(extensions, SMALL)
}

fn found_up_to(extensions: &[&str], size: u64) -> Seeds {
    match std::env::var_os("INLET_FIXTURES") {
        Some(folder) => within(Path::new(&folder), extensions, size),
        None => Vec::new(),
    }
}

fn within(folder: &Path, extensions: &[&str], size: u64) -> Seeds {
    let mut files = Vec::new();
    walk(folder, extensions, size, &mut files);
    files.sort();
    let files = files.into_iter().take(MANY);
    files.map(|(_, path)| std::fs::read(path).expect("a file can be read")).collect()
}

fn walk(folder: &Path, extensions: &[&str], most: u64, files: &mut Vec<(u64, PathBuf)>) {
    for entry in std::fs::read_dir(folder).expect("a folder can be read") {
        let path = entry.expect("an entry can be read").path();
        let size = path.metadata().map_or(u64::MAX, |metadata| metadata.len());
        let extension = path.extension().unwrap_or_default();
        if path.is_dir() {
            walk(&path, extensions, most, files);
        } else if size <= most && extensions.iter().any(|of| extension == *of) {
            files.push((size, path));
        }
    }
}

fn tables() -> Vec<String> {
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

fn jsons() -> Vec<String> {
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

fn seeds_with(inputs: &[String], firsts: std::ops::Range<u8>) -> Seeds {
    let with = |first: u8| inputs.iter().map(move |input| [&[first], input.as_bytes()].concat());
    firsts.flat_map(with).collect()
}

pub(crate) fn json_lines() -> Seeds {
    [behind(1, jsons()), behind(1, found(&["jsonl", "ndjson"])), seeds_with(&jsons(), 1..3)]
        .concat()
}

fn xmls() -> Vec<String> {
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

pub(crate) fn sniff() -> Seeds {
    let mut seeds = behind(1, tables());
    seeds.extend(behind(1, jsons()));
    seeds.extend(behind(1, xmls()));
    seeds.extend(behind(1, html()));
    for binary in [gzip, zstd, bzip2, xz, parquet, avro] {
        seeds.extend(behind(1, binary().into_iter().take(2)));
    }
    for binary in [excel, pdf, zip, tar] {
        seeds.extend(binary().into_iter().take(2));
    }
    seeds
}

/// Parts with names in text.
fn texts(parts: &[(&str, &str)]) -> Vec<u8> {
    parts::join(parts)
}

const TYPES: (&str, &str) = ("[Content_Types].xml", "<Types/>");

fn relation(kind: &str, target: &str) -> String {
    format!(
        "<Relationships><Relationship Id=\"r1\" Type=\"http://x/relationships/{kind}\" \
         Target=\"{target}\"/></Relationships>"
    )
}

fn xlsx_parts() -> Vec<u8> {
    let rows = "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>ID</t></is></c>\
        <c r=\"B1\" t=\"s\"><v>0</v></c><c r=\"C1\" t=\"str\"><v>Closed</v></c></row>\
        <row r=\"2\"><c r=\"A2\"><v>1</v></c><c r=\"B2\" t=\"b\"><v>1</v></c><c r=\"C2\" s=\"1\"><v>45943</v></c></row>\
        <row r=\"4\"><c r=\"A4\"><f>1/0</f><v>2.5</v></c><c r=\"B4\" t=\"e\"><v>#DIV/0!</v></c>\
        <c r=\"C4\" s=\"2\"><v>45943.5</v></c></row>\
        <row r=\"5\"><c r=\"A5\" t=\"d\"><v>2026-02-01T10:00:00</v></c><c r=\"B5\" s=\"3\"><v>1.5</v></c></row>";
    let sheet = format!(
        "<worksheet><dimension ref=\"A1:C5\"/><sheetData>{rows}</sheetData>\
         <mergeCells count=\"1\"><mergeCell ref=\"A4:B4\"/></mergeCells></worksheet>"
    );
    texts(&[
        TYPES,
        ("_rels/.rels", &relation("officeDocument", "xl/workbook.xml")),
        (
            "xl/workbook.xml",
            "<workbook><workbookPr date1904=\"0\"/><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"r1\"/></sheets>\
             <definedNames><definedName name=\"n\">S!$A$1</definedName></definedNames></workbook>",
        ),
        ("xl/_rels/workbook.xml.rels", &relation("worksheet", "worksheets/sheet1.xml")),
        (
            "xl/sharedStrings.xml",
            "<sst count=\"2\" uniqueCount=\"2\"><si><t>Name</t></si><si><r><t>a</t></r></si></sst>",
        ),
        (
            "xl/styles.xml",
            "<styleSheet><numFmts><numFmt numFmtId=\"200\" formatCode=\"yyyy\\-mm\\-dd hh:mm\"/></numFmts>\
             <cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"200\"/><xf numFmtId=\"46\"/></cellXfs>\
             </styleSheet>",
        ),
        ("xl/worksheets/sheet1.xml", &sheet),
    ])
}

/// The members of zips of others as parts.
fn unzipped(extensions: &[&str]) -> Seeds {
    let mut seeds = Vec::new();
    for file in found(extensions) {
        let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(file)) else { continue };
        let mut members = Vec::new();
        for at in 0..archive.len() {
            let mut content = Vec::new();
            let Ok(mut member) = archive.by_index(at) else { continue };
            let Ok(name) = member.name().map(|name| name.into_owned()) else { continue };
            // Pictures and themes are not what is read.
            let wanted = member.size() < SMALL && !name.contains("theme");
            if wanted && member.read_to_end(&mut content).is_ok() {
                members.push((name, content));
            }
        }
        seeds.push(parts::join(&members));
    }
    seeds
}

pub(crate) fn xlsx() -> Seeds {
    let mut seeds = behind(2, [xlsx_parts()]);
    seeds.push([&[1, 1], xlsx_parts().as_slice()].concat());
    seeds.extend(behind(2, unzipped(&["xlsx", "xlsm"])));
    seeds
}

/// Records of xlsb.
fn records(records: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (kind, data) in records {
        match kind {
            ..128 => bytes.push(*kind as u8),
            _ => bytes.extend([*kind as u8 | 128, (kind >> 7) as u8]),
        }
        bytes.push(data.len() as u8);
        bytes.extend(data);
    }
    bytes
}

fn wide(text: &str) -> Vec<u8> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let mut bytes = (units.len() as u32).to_le_bytes().to_vec();
    bytes.extend(units.into_iter().flat_map(u16::to_le_bytes));
    bytes
}

fn of(pieces: &[&[u8]]) -> Vec<u8> {
    pieces.concat()
}

pub(crate) fn xlsb() -> Seeds {
    let long = u32::to_le_bytes;
    let cell = |column: u32, value: &[u8]| of(&[&long(column), &long(0), value]);
    let row = |row: u32| of(&[&long(row), &[0; 21]]);
    let workbook = records(&[
        (131, vec![]),
        (143, vec![]),
        (156, of(&[&long(0), &long(1), &wide("r1"), &wide("S")])),
        (144, vec![]),
        (132, vec![]),
    ]);
    let sheet = records(&[
        (129, vec![]),
        (148, of(&[&long(0), &long(2), &long(0), &long(2)])),
        (145, vec![]),
        (0, row(0)),
        (6, cell(0, &wide("a"))),
        (7, cell(1, &long(0))),
        (0, row(1)),
        (5, cell(0, &1.5_f64.to_le_bytes())),
        (2, cell(1, &long(0x4000_0002))),
        (3, cell(2, &[7])),
        (0, row(2)),
        (4, cell(0, &[1])),
        (146, vec![]),
        (130, vec![]),
    ]);
    let strings = records(&[
        (159, of(&[&long(1), &long(1)])),
        (19, of(&[&[0], &wide("shared")])),
        (160, vec![]),
    ]);
    let relations = relation("worksheet", "worksheets/sheet1.bin");
    let made = parts::join(&[
        ("[Content_Types].xml", b"<Types/>".as_slice()),
        ("_rels/.rels", relation("officeDocument", "xl/workbook.bin").as_bytes()),
        ("xl/workbook.bin", &workbook),
        ("xl/_rels/workbook.bin.rels", relations.as_bytes()),
        ("xl/sharedStrings.bin", &strings),
        ("xl/worksheets/sheet1.bin", &sheet),
    ]);
    [behind(2, [made]), behind(2, unzipped(&["xlsb"]))].concat()
}

pub(crate) fn ods() -> Seeds {
    let content = "<office:document-content><office:body><office:spreadsheet><table:table table:name=\"S\">\
        <table:table-row><table:table-cell office:value-type=\"string\"><text:p>a</text:p></table:table-cell>\
        <table:table-cell office:value-type=\"string\"><text:p>b</text:p></table:table-cell></table:table-row>\
        <table:table-row table:number-rows-repeated=\"2\"><table:table-cell office:value-type=\"float\" office:value=\"1\">\
        <text:p>1</text:p></table:table-cell><table:table-cell office:value-type=\"date\" office:date-value=\"2026-02-01\"/>\
        <table:table-cell table:number-columns-repeated=\"3\"/></table:table-row></table:table></office:spreadsheet>\
        </office:body></office:document-content>";
    let made = texts(&[
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", "<manifest:manifest/>"),
        ("content.xml", content),
    ]);
    [behind(2, [made]), behind(2, unzipped(&["ods"]))].concat()
}

pub(crate) fn xls() -> Seeds {
    let short = u16::to_le_bytes;
    let long = u32::to_le_bytes;
    let record = |kind: u16, data: &[u8]| of(&[&short(kind), &short(data.len() as u16), data]);
    let begin = |of_what: u16| record(0x809, &of(&[&short(0x600), &short(of_what), &[0; 12]]));
    let strings = of(&[&long(1), &long(1), &short(1), &[0], b"s"]);
    let globals = |place: u32| {
        of(&[
            &begin(5),
            &record(0x42, &short(1200)),
            &record(0xe0, &[0; 20]),
            &record(0x85, &of(&[&long(place), &[0, 0, 1, 0], b"S"])),
            &record(0xfc, &strings),
            &record(0x0a, &[]),
        ])
    };
    let cell =
        |row: u16, column: u16, value: &[u8]| of(&[&short(row), &short(column), &short(0), value]);
    let sheet = of(&[
        &begin(16),
        &record(0x200, &of(&[&long(0), &long(3), &short(0), &short(3), &[0; 2]])),
        &record(0xfd, &cell(0, 0, &long(0))),
        &record(0x204, &cell(0, 1, &of(&[&short(1), &[0], b"b"]))),
        &record(0x203, &cell(1, 0, &1.5_f64.to_le_bytes())),
        &record(0x27e, &cell(1, 1, &long(0x0000_0006))),
        &record(0x205, &cell(2, 0, &[1, 0])),
        &record(0x205, &cell(2, 1, &[7, 1])),
        &record(
            0xbd,
            &of(&[&short(2), &short(1), &short(0), &long(6), &short(0), &long(10), &short(2)]),
        ),
        &record(
            0x06,
            &cell(2, 2, &of(&[&2.5_f64.to_le_bytes(), &[0; 6], &short(3), &[0x1e, 1, 0]])),
        ),
        &record(0x0a, &[]),
    ]);
    let place = globals(0).len() as u32;
    let stream = [globals(place), sheet].concat();
    let mut seeds = behind(1, [parts::join(&[("/Workbook", &stream)])]);
    // Those of others are in files that are larger than what is in them.
    for file in found_up_to(&["xls"], 80 << 10) {
        let Ok(mut file) = cfb::CompoundFile::open(Cursor::new(file)) else { continue };
        for name in ["/Workbook", "/Book"] {
            let mut stream = Vec::new();
            let read = file.open_stream(name).and_then(|mut found| found.read_to_end(&mut stream));
            if read.is_ok() && stream.len() as u64 <= SMALL {
                seeds.extend(behind(1, [parts::join(&[(name, &stream)])]));
            }
        }
    }
    seeds
}

pub(crate) fn excel() -> Seeds {
    let zipped = |seed: Vec<u8>| parts::zip(&parts::split(&seed[2..]), true);
    let mut files: Seeds = [xlsx, xlsb, ods]
        .into_iter()
        .filter_map(|seeds| seeds().into_iter().next())
        .map(zipped)
        .collect();
    files.extend(xls().first().and_then(|seed| parts::compound(&parts::split(&seed[1..]))));
    files.extend(found(&["xlsx", "xlsb", "xls", "ods", "xlsm"]));
    behind(1, files)
}

pub(crate) fn docx() -> Seeds {
    let document = "<?xml version='1.0'?><w:document xmlns:w='x'><w:body><w:p><w:r><w:t xml:space='preserve'>One </w:t>\
        <w:tab/><w:br/><w:footnoteReference w:id='2'/></w:r></w:p><w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc>\
        <w:tc><w:p/></w:tc></w:tr></w:tbl><w:p><w:del><w:r><w:delText>x</w:delText></w:r></w:del><w:ins><w:r><w:t>&amp;&#52;\
        </w:t></w:r></w:ins></w:p><mc:AlternateContent><mc:Choice><w:p><w:r><w:t>box</w:t></w:r></w:p></mc:Choice><mc:Fallback/>\
        </mc:AlternateContent><w:sectPr/></w:body></w:document>";
    let made = texts(&[
        TYPES,
        ("_rels/.rels", &relation("officeDocument", "word/document.xml")),
        ("word/document.xml", document),
        ("word/_rels/document.xml.rels", &relation("footnotes", "footnotes.xml")),
        (
            "word/footnotes.xml",
            "<w:footnotes><w:footnote w:id='2'><w:p><w:r><w:t>note</w:t></w:r></w:p></w:footnote></w:footnotes>",
        ),
        (
            "docProps/core.xml",
            "<cp:coreProperties><dc:title>T</dc:title><dcterms:created>2026-02-01T00:00:00Z</dcterms:created></cp:coreProperties>",
        ),
    ]);
    [behind(1, [made]), behind(1, unzipped(&["docx"]))].concat()
}

const PAGE: &str = "BT /F1 12 Tf 72 720 Td (Hello) Tj ( world,) Tj 0 -14 Td [(th)5(is is)-300(line) -250 (two.)] TJ \
    0 -40 Td (A new\\056) ' T* <4142> Tj ET q 1 0 0 1 0 0 cm /X1 Do Q BI /W 1 /H 1 /BPC 8 ID x EI";

const CMAP: &str = "/CIDInit /ProcSet findresource begin 12 dict begin begincmap 1 begincodespacerange <00> <FF> \
    endcodespacerange 1 beginbfchar <41> <0042> endbfchar 1 beginbfrange <42> <44> <0061> endbfrange endcmap end";

pub(crate) fn pdf_objects() -> Seeds {
    let objects: &[(&str, &str)] = &[
        ("", "<</Type/Catalog/Pages 2 0 R/Lang(de)>>"),
        (
            "",
            "<</Type/Pages/Count 1/Kids[3 0 R]/Resources<</Font<</F1 4 0 R/F2 7 0 R>>/XObject<</X1 8 0 R>>>>>>",
        ),
        ("", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents[5 0 R 5 0 R]>>"),
        (
            "",
            "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding<</BaseEncoding/WinAnsiEncoding/Differences[65/a/b 99/c]>>/ToUnicode 6 0 R>>",
        ),
        ("/Type/X", PAGE),
        ("/Type/CMap", CMAP),
        (
            "",
            "<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/Identity-H/ToUnicode 6 0 R/DescendantFonts[<</Type/Font/Subtype/CIDFontType2/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/W[1[500 600]]>>]>>",
        ),
        (
            "/Type/XObject/Subtype/Form/BBox[0 0 1 1]/Resources<</Font<</F2 7 0 R>>>>",
            "BT /F2 9 Tf 1 0 0 1 10 10 Tm <0041> Tj ET",
        ),
        ("/Filter/ASCIIHexDecode", "41 42>"),
        ("/Type/ObjStm/N 1/First 5", "11 0 <</A 1>>"),
    ];
    let mut seeds = behind(1, [texts(objects)]);
    let mut by_page = seeds[0].clone();
    by_page[0] = 1;
    seeds.push(by_page);
    seeds
}

pub(crate) fn pdf() -> Seeds {
    let made = parts::pdf(&parts::split(&pdf_objects()[0][1..]));
    [behind(1, [made]), behind(1, found(&["pdf"]))].concat()
}

fn table_of_columns(properties: WriterProperties) -> Vec<u8> {
    let schema = "message s { required int32 a; optional byte_array b (UTF8); optional group l (LIST) { repeated group \
        list { optional double element; } } required int32 d (DATE); }";
    let schema = parquet::schema::parser::parse_message_type(schema).expect("a schema");
    let mut writer =
        SerializedFileWriter::new(Vec::new(), schema.into(), properties.into()).expect("memory");
    for _ in 0..2 {
        let mut group = writer.next_row_group().expect("memory");
        let mut at = 0;
        while let Some(mut column) = group.next_column().expect("a column") {
            let levels: &[i16] = &[1, 0, 1];
            match at {
                0 => column.typed::<Int32Type>().write_batch(&[1, -2, 3], None, None),
                1 => {
                    let texts = ["x", "yz"].map(ByteArray::from);
                    column.typed::<ByteArrayType>().write_batch(&texts, Some(levels), None)
                }
                2 => column.typed::<DoubleType>().write_batch(
                    &[0.5, 1.5],
                    Some(&[3, 3, 0, 1]),
                    Some(&[0, 1, 0, 0]),
                ),
                _ => column.typed::<Int32Type>().write_batch(&[0, 20_000, -1], None, None),
            }
            .expect("values");
            column.close().expect("a column");
            at += 1;
        }
        group.close().expect("a group");
    }
    writer.into_inner().expect("memory")
}

pub(crate) fn parquet() -> Seeds {
    use parquet::basic::{Compression, Encoding};
    use parquet::file::properties::WriterVersion;
    let properties = WriterProperties::builder;
    let mut files = vec![
        table_of_columns(properties().build()),
        table_of_columns(
            properties().set_dictionary_enabled(false).set_encoding(Encoding::PLAIN).build(),
        ),
        table_of_columns(properties().set_writer_version(WriterVersion::PARQUET_2_0).build()),
    ];
    for compression in
        [Compression::SNAPPY, Compression::LZ4_RAW, Compression::ZSTD(Default::default())]
    {
        files.push(table_of_columns(properties().set_compression(compression).build()));
    }
    files.extend(found(&["parquet"]));
    files
}

pub(crate) fn parquet_footer() -> Seeds {
    let halves = |file: Vec<u8>| {
        let length = file.len().checked_sub(8)?;
        let footer = u32::from_le_bytes(file[length..length + 4].try_into().ok()?) as usize;
        let at = length.checked_sub(footer)?;
        Some(parts::join(&[("", &file[..at]), ("", &file[at..length])]))
    };
    parquet().into_iter().filter_map(halves).collect()
}

const SCHEMA: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"long"},{"name":"b","type":["null","string"]},
    {"name":"c","type":{"type":"array","items":"double"}},{"name":"d","type":{"type":"map","values":"int"}},
    {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},{"name":"f","type":{"type":"fixed","name":"F","size":2}},
    {"name":"g","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},
    {"name":"h","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"i","type":["null","R"]}]}"#;

pub(crate) fn avro_blocks() -> Seeds {
    let row = b"\x02\x02\x04hi\x02\0\0\0\0\0\0\xf8\x3f\0\x02\x02k\x0e\0\x02\x01\x02\x02\xff\x06\0";
    let block = [b"\x02".as_slice(), row, row].concat();
    vec![
        parts::join(&[("", SCHEMA.as_bytes()), ("", &block), ("", &block)]),
        parts::join(&[("", br#""long""#.as_slice()), ("", b"\x02\x02\x04")]),
        parts::join(&[
            (
                "",
                br#"{"type":"record","name":"R","fields":[{"name":"n","type":"null"}]}"#.as_slice(),
            ),
            ("", b"\x09"),
        ]),
    ]
}

pub(crate) fn avro() -> Seeds {
    use apache_avro::{Codec, Schema, Writer, types::Record};
    let schema = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"long"},{"name":"b","type":"string"}]}"#;
    let schema = Schema::parse_str(schema).expect("a schema");
    let codecs = [
        Codec::Null,
        Codec::Deflate(Default::default()),
        Codec::Snappy,
        Codec::Zstandard(Default::default()),
        Codec::Bzip2(Default::default()),
        Codec::Xz(Default::default()),
    ];
    let written = |codec: Codec| {
        let mut writer = Writer::with_codec(&schema, Vec::new(), codec);
        for n in 0..5_i64 {
            let mut record = Record::new(&schema).expect("a record");
            record.put("a", n * n);
            record.put("b", format!("row {n}"));
            writer.append(record).expect("a row");
        }
        writer.into_inner().expect("a file")
    };
    let mut files: Seeds = codecs.map(written).to_vec();
    files.extend(avro_blocks().iter().map(|seed| parts::avro(&parts::split(seed))));
    files.extend(found(&["avro"]));
    files
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

pub(crate) fn gzip() -> Seeds {
    let table = &tables()[0];
    let plain = gzipped(table.as_bytes());
    let mut named = flate2::GzBuilder::new()
        .filename("a.csv")
        .comment("c")
        .extra(vec![1, 2])
        .write(Vec::new(), flate2::Compression::none());
    named.write_all(table.as_bytes()).expect("memory");
    let named = named.finish().expect("memory");
    let empty = gzipped(b"");
    let several = [plain.as_slice(), &empty, &named, &plain].concat();
    [vec![plain, several, named, empty], found(&["gz"])].concat()
}

pub(crate) fn zstd() -> Seeds {
    let table = tables()[0].repeat(3);
    let plain = zstd::encode_all(table.as_bytes(), 3).expect("memory");
    let skipped = [b"\x50\x2a\x4d\x18\x03\0\0\0abc".as_slice(), &plain, &plain].concat();
    let mut summed = zstd::Encoder::new(Vec::new(), 1).expect("memory");
    summed.include_checksum(true).expect("a setting");
    summed.write_all(table.as_bytes()).expect("memory");
    [vec![plain, skipped, summed.finish().expect("memory")], found(&["zst"])].concat()
}

pub(crate) fn bzip2() -> Seeds {
    let compress = |bytes: &[u8]| {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    };
    let plain = compress(tables()[0].as_bytes());
    let several = [plain.as_slice(), &compress(b""), &plain].concat();
    [vec![plain, several], found(&["bz2"])].concat()
}

pub(crate) fn xz() -> Seeds {
    let compress = |level: u32| {
        let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), level);
        encoder.write_all(tables()[0].as_bytes()).expect("memory");
        encoder.finish().expect("memory")
    };
    let several = [compress(0), vec![0; 4], compress(6)].concat();
    [vec![compress(0), several], found(&["xz"])].concat()
}

pub(crate) fn recompressed() -> Seeds {
    let how = |how: u8| {
        tables().into_iter().map(move |table| [&[how, how * 30], table.as_bytes()].concat())
    };
    (0..4).flat_map(how).collect()
}

fn files() -> Vec<u8> {
    let (table, json) = (&tables()[0], &jsons()[0]);
    parts::join(&[
        ("a.csv", table.as_bytes()),
        ("b/c.csv.gz", &gzipped(table.as_bytes())),
        ("b/.hidden", b"x"),
        ("d.json", json.as_bytes()),
        ("e.xml", xmls()[0].as_bytes()),
    ])
}

pub(crate) fn zip() -> Seeds {
    let files = files();
    let made = parts::split(&files);
    let stored = parts::zip(&made, false);
    let nested = parts::zip(&[(b"in.zip".as_slice(), &stored), (b"f.csv", b"a,b\n1,2\n")], true);
    let mut streamed = zip::ZipWriter::new_stream(Vec::new());
    let options = zip::write::SimpleFileOptions::default();
    streamed.start_file("a.csv", options).expect("memory");
    streamed.write_all(b"a,b\n1,2\n").expect("memory");
    streamed.start_file("b.csv", options.large_file(true)).expect("memory");
    streamed.write_all(b"a,b\n3,4\n").expect("memory");
    let streamed = streamed.finish().expect("memory").into_inner();
    [behind(1, [stored, parts::zip(&made, true), nested, streamed]), behind(1, found(&["zip"]))]
        .concat()
}

pub(crate) fn tar() -> Seeds {
    let files = files();
    let made = parts::split(&files);
    let plain = parts::tar(&made);
    let long = "x/".repeat(80) + "a.csv";
    let long = parts::tar(&[(long.as_bytes(), b"a,b\n1,2\n")]);
    let inputs = [plain.clone(), gzipped(&plain), long];
    [behind(1, &inputs), inputs.iter().map(|input| [&[1], input.as_slice()].concat()).collect()]
        .concat()
}

pub(crate) fn members() -> Seeds {
    let mut seeds = Vec::new();
    for how in 0..3 {
        for nested in 0..2 {
            seeds.push([&[how, nested], files().as_slice()].concat());
        }
    }
    seeds
}

pub(crate) fn message() -> Seeds {
    let record = r#"{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"eu-west-1","eventTime":"2026-02-01T00:00:00.000Z",
        "eventName":"ObjectCreated:Put","s3":{"s3SchemaVersion":"1.0","bucket":{"name":"b"},
        "object":{"key":"a+b%2Fc.csv","size":3,"eTag":"d41d8","versionId":"v","sequencer":"0055AED6DCD90281E5"}}}"#;
    let body = format!("{{\"Records\":[{record},{{\"eventSource\":\"aws:x\"}}]}}");
    let look = r#"{"type":"inlet.look.v1","bucket":"b","key":"k","reason":"replay","force":true,"etag":"e"}"#;
    let bridge = r#"{"version":"0","id":"i","detail-type":"Object Created","source":"aws.s3","time":"2026-02-01T00:00:00Z",
        "detail":{"version":"0","bucket":{"name":"b"},"object":{"key":"k","size":1,"etag":"e","sequencer":"00"},"reason":"PutObject"}}"#;
    let topic = format!("{{\"Type\":\"Notification\",\"Message\":{}}}", serde_json::json!(body));
    let letter =
        format!("{{\"type\":\"inlet.dead_letter.v1\",\"body\":{}}}", serde_json::json!(look));
    let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#;
    let mut seeds =
        behind(0, [&body, look, bridge, &topic, &letter, test, "[]", "{\"Records\":[]}"]);
    let events = concat!(env!("CARGO_MANIFEST_DIR"), "/../events");
    seeds.extend(within(Path::new(events), &["json"], SMALL));
    seeds
}

pub(crate) fn path() -> Seeds {
    behind(
        0,
        [
            "daily/{table}/**/*.{csv,tsv}\ndaily/deals/2026/02/01.CSV",
            "**/*.{csv,json}{,.gz,.zst}\na/b/c.csv.gz",
            "{a,b*c,?}/{x}-{y}.csv\nbxc/1-2.csv",
            "**\na/b",
            "a/**/b/*\na/b/c",
            "\\*\\{x\\}/é?*.csv\n*{x}/éa.csv",
        ],
    )
}

pub(crate) fn catalog() -> Seeds {
    let connection =
        "key = 'acme'\nname = 'Acme'\nregion = 'eu-west-1'\nbucket_owner = '123456789012'\n";
    let source = "key = 'deals'\nconnection = 'acme'\nbucket = 'acme-drop'\npath = 'x/{table}/*.csv'\nmode = 'snapshot'\n\
        max_size = '1GB'\ndedup = 'ever'\non_remove = 'keep'\n[format]\nkind = 'csv'\ndelimiter = ';'\nquote = '\"'\n\
        header = 2\nskip_lines = 1\nencoding = 'utf-16le'\nsheet = 1\n[fields]\n'A' = { as = 'a', role = 'id', unique = true }\n\
        B = { type = 'date', format = ['%d/%m/%Y'], min = '2020-01-01', default = '2026-01-01' }\n\
        C = { type = 'decimal', decimal = ',', group = '.', allowed = ['1', '2'] }\nD = { pattern = '[a-z]+', max_length = 3 }\n\
        [records]\nunknown_columns = 'drop'\nnull_values = ['NULL']\ntimezone = 'Europe/Paris'\n[rejects]\npolicy = 'skip'\n\
        max_ratio = 0.5\nstrict = true\n[refresh]\nschedule = 'cron(0 6 * * ? *)'\npoll = 'rate(15 minutes)'\n[limits]\n\
        max_row_bytes = '1MB'\n[[deliver]]\nto = 'sqs'\nqueue_url = 'https://q'\n[[deliver]]\nto = 'file'\n";
    let small = "key = 'a'\nconnection = 'inlet'\nbucket = 'b'\nmode = 'document'\nformat = { pages = true }\n";
    behind(
        0,
        [
            format!("{connection}\u{1c}{source}"),
            source.to_owned(),
            small.to_owned(),
            format!("{connection}\u{1c}{small}"),
        ],
    )
}

pub(crate) fn field() -> Seeds {
    let mut seeds = Vec::new();
    let values = "1\n-2.50\n1.234,5\n2026-02-01\n31/12/2026\n2026-02-01T10:00:00+01:00\n10:30\ntrue\na@b.c\nhttps://x.y/z\n\
        00000000-0000-0000-0000-00000000002a\n{\"a\":1}\n\n - \n1e5\n+007\n";
    for kind in 0..13 {
        seeds.push([&[kind, 0, 0], values.as_bytes()].concat());
        seeds.push([&[kind, 0, 6], values.as_bytes()].concat());
    }
    for (kind, set, settings) in [
        (6, 1, "%d/%m/%Y\n"),
        (7, 1, "%Y-%m-%dT%H:%M:%S%z\n"),
        (7, 129, "%d.%m.%Y %H:%M\nEurope/Paris\n"),
        (8, 1, "%I:%M %p\n"),
        (3, 96, ",\n.\n"),
        (2, 12, "0\n100\n"),
        (6, 12, "2020-01-01\n2030-01-01\n"),
        (1, 2, "[a-z]+\\d?\n"),
        (2, 16, "7\n"),
    ] {
        seeds.push([&[kind, set, 0], settings.as_bytes(), values.as_bytes()].concat());
    }
    let lines = "{\"a\":1}\n{\"a\":\"2026-02-01\"}\n{\"a\":null}\n{\"a\":[1]}\n{}\n{\"a\":true}\n{\"a\":1.50}\n";
    seeds.extend((0..13).map(|kind| [&[kind, 0, 32], lines.as_bytes()].concat()));
    seeds
}

pub(crate) fn schedule() -> Seeds {
    let texts = [
        "cron(0 6,18 * * ? *)",
        "cron(*/15 8-18 ? * MON-FRI *)",
        "cron(0 0 L * ? *)",
        "cron(0 0 ? * 6L 2026-2030)",
        "cron(0 0 15W JAN,jul ? *)",
        "cron(5 4 ? * 2#1 *)",
        "rate(1 hour)",
    ];
    let times = [1_770_000_000 + 40 * 366 * 86_400, 30_000, 5_000_000_u64];
    let times: Vec<u8> = times.iter().flat_map(|time| time.to_be_bytes()).collect();
    let seed = |zone: u8| texts.map(|text| [&[zone], times.as_slice(), text.as_bytes()].concat());
    (0..4).flat_map(seed).collect()
}
