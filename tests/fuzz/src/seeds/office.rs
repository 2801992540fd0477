//! Seeds of workbooks and documents.

use std::io::{Cursor, Read};

use super::{SMALL, Seeds, behind, found, found_up_to};
use crate::parts;

/// Parts with names in text.
pub(super) fn texts(parts: &[(&str, &str)]) -> Vec<u8> {
    parts::join(parts)
}

const TYPES: (&str, &str) = ("[Content_Types].xml", "<Types/>");

pub(super) fn relation(kind: &str, target: &str) -> String {
    format!(
        "<Relationships><Relationship Id=\"r1\" Type=\"http://x/relationships/{kind}\" \
         Target=\"{target}\"/></Relationships>"
    )
}

pub(super) fn xlsx_parts() -> Vec<u8> {
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
pub(super) fn unzipped(extensions: &[&str]) -> Seeds {
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
pub(super) fn records(records: &[(u16, Vec<u8>)]) -> Vec<u8> {
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

pub(super) fn wide(text: &str) -> Vec<u8> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let mut bytes = (units.len() as u32).to_le_bytes().to_vec();
    bytes.extend(units.into_iter().flat_map(u16::to_le_bytes));
    bytes
}

pub(super) fn of(pieces: &[&[u8]]) -> Vec<u8> {
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
