//! The bombs, made here: small to store, or streamed from nothing.

use std::io::{self, Cursor, Read, Write};

use super::{Bomb, Bytes, LESS};

const MB: usize = 1 << 20;
const GB: u64 = 1 << 30;

/// All of them.
pub(super) fn all() -> Vec<Bomb> {
    let file = |name, bytes, ends| Bomb { name, bytes: Bytes::File(bytes), ends };
    // Rows of a megabyte each expand quickly, also in a debug build.
    let row = [&b"1,"[..], &vec![b'x'; MB], b"\n"].concat();
    let rows = |times: usize| [b"a,b\n".to_vec(), row.repeat((times / LESS).max(1))].concat();
    let small = rows(1);
    let sixty = rows(60);
    let whole = gzip(&small);
    let ratio = gzip_of(b"a,b\n", &row, 1000 / LESS);
    let zipped = zip(&[("a.csv", &small)]);
    let nested = (0..4).fold(zipped.clone(), |inner, _| {
        let names: Vec<String> = (0..16).map(|at| format!("{at}.zip")).collect();
        zip(&names.iter().map(|name| (&**name, &*inner)).collect::<Vec<_>>())
    });
    let tars = (0..4).fold(whole.clone(), |inner, _| gzip(&tar("in.tar.gz", &inner)));
    let wide = |cell: &str| (0..100_000).map(|_| cell).collect::<Vec<_>>().join(",");
    let many: Vec<String> = (0..20_000).map(|at| format!("{at}.csv")).collect();
    let mut bombs = vec![
        file("truncated.csv.gz", whole[..whole.len() - 9].to_vec(), "gzip_truncated"),
        file("truncated.csv.bz2", bzip2(&rows(3))[..40].to_vec(), "bzip2_truncated"),
        file("ratio.csv.gz", ratio.clone(), "expands_too_far"),
        file("ratio.csv.zst", zstd(&rows(320)), "expands_too_far"),
        file("ratio.csv.bz2", bzip2(&rows(40)).repeat(10), "expands_too_far"),
        file("twice.gz", gzip(&ratio), "compressed_twice"),
        file("ratio.zip", zip(&[("a.csv", &rows(320))]), "expands_too_far"),
        file(
            "many.zip",
            zip(&["a", "b", "c", "d", "e", "f", "g"].map(|name| (name, &*sixty))),
            "expands_too_far",
        ),
        file("nested.zip", nested, "nested_too_deep"),
        file("nested.tar.gz", tars, "nested_too_deep"),
        file(
            "members.zip",
            zip(&many.iter().map(|name| (&**name, &b""[..])).collect::<Vec<_>>()),
            "too_many_members",
        ),
        file("columns.csv", [wide("c"), wide("1")].join("\n").into_bytes(), "too_many_columns"),
        file("columns.json", format!("[[{}]]", wide("1")).into_bytes(), "too_many_columns"),
        file("deep.json", [vec![b'['; MB], vec![b']'; MB]].concat(), "too_deep"),
        file("deep.jsonl", "{\"a\":".repeat(MB).into_bytes(), "invalid_json"),
        file("deep.xml", "<a>".repeat(MB).into_bytes(), "too_deep"),
        file("entities.xml", entities(), "invalid_xml"),
        file("loop.pdf", pdf_that_loops(), "document_damaged"),
        file("forms.pdf", pdf_of_forms(), "document_limit"),
        file("stream.pdf", pdf_stream(), "document_limit"),
        file(
            "texts.xlsx",
            workbook("xl/sharedStrings.xml", "<sst><si><t>", "0", "</t></si></sst>"),
            "takes_too_much_memory",
        ),
        file(
            "sheets.xlsx",
            workbook(
                "xl/workbook.xml",
                "<workbook><sheets>",
                "<sheet name=\"a\" sheetId=\"1\"/>",
                "</sheets></workbook>",
            ),
            "takes_too_much_memory",
        ),
        file(
            "formats.xlsx",
            workbook(
                "xl/styles.xml",
                "<styleSheet><cellXfs>",
                "<xf numFmtId=\"0\"/>",
                "</cellXfs></styleSheet>",
            ),
            "takes_too_much_memory",
        ),
        file("cells.ods", spreadsheet(), "takes_too_much_memory"),
        file("text.docx", word(), "document_limit"),
        file("block.avro", avro(), "takes_too_much_memory"),
        file(
            "footer.parquet",
            [b"PAR1\x15\x04", &[0u8; 64][..], b"\xff\xff\xff\x7fPAR1"].concat(),
            "damaged",
        ),
        file("size.tar", tar_that_lies(), "tar_truncated"),
    ];
    for (name, _, _, ends) in STREAMS {
        let bytes = Bytes::Stream(GB);
        bombs.push(Bomb { name, bytes, ends });
    }
    bombs
}

/// Files of 1 GB in one line.
const STREAMS: [(&str, &[u8], &[u8], &str); 5] = [
    ("line.csv", b"a,b\n1,2\n3,", &[b'x'; 4096], "row_too_long"),
    ("quote.csv", b"a\n\"", &[b'x'; 4096], "row_too_long"),
    ("string.json", b"[{\"a\":\"", &[b'x'; 4096], "row_too_long"),
    ("line.jsonl", b"{\"a\":1}\n{\"a\":\"", &[b'x'; 4096], "row_too_long"),
    ("text.xml", b"<r><a>1</a><a>", &[b'x'; 4096], "row_too_long"),
];

/// The bytes of a file that is not written anywhere.
pub(super) fn stream(name: &str) -> impl Read + Send + 'static {
    let (_, begin, piece, _) =
        STREAMS.into_iter().find(|(found, ..)| *found == name).expect("a file or a stream");
    begin.chain(Again { piece, at: 0 }.take(GB - begin.len() as u64))
}

/// A piece again and again.
struct Again {
    piece: &'static [u8],
    at: usize,
}

impl Read for Again {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = (&self.piece[self.at..]).read(into)?;
        self.at = (self.at + n) % self.piece.len();
        Ok(n)
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    gzip_of(bytes, b"", 0)
}

fn gzip_of(begin: &[u8], piece: &[u8], times: usize) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(begin).expect("memory");
    (0..times).for_each(|_| gzip.write_all(piece).expect("memory"));
    gzip.finish().expect("memory")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("memory")
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    bzip2.write_all(bytes).expect("memory");
    bzip2.finish().expect("memory")
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        // By its place, uncompressed, the kind of an OpenDocument file is told.
        let options = match *name {
            "mimetype" => zip::write::SimpleFileOptions::default()
                .compression_method(zip::CompressionMethod::Stored),
            _ => zip::write::SimpleFileOptions::default(),
        };
        zip.start_file(*name, options).expect("memory");
        zip.write_all(bytes).expect("memory");
    }
    zip.finish().expect("memory").into_inner()
}

fn header(name: &str, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_path(name).expect("a short name");
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    header
}

fn tar(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    tar.append(&header(name, bytes.len() as u64), bytes).expect("memory");
    tar.into_inner().expect("memory")
}

/// A member that says it is as large as can be.
fn tar_that_lies() -> Vec<u8> {
    [&header("a.csv", u64::MAX / 2).as_bytes()[..], &b"a,b\n1,2\n".repeat(128)].concat()
}

/// A billion laughs.
fn entities() -> Vec<u8> {
    let mut text = "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY e0 \"ha\">".to_owned();
    for at in 1..10 {
        let more = format!("&e{};", at - 1).repeat(10);
        text += &format!("<!ENTITY e{at} \"{more}\">");
    }
    (text + "]><a><b>&e9;</b><b>1</b></a>").into_bytes()
}

/// A PDF of these objects, the first of which is its catalog.
fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (at, object) in objects.iter().enumerate() {
        table += &format!("{:010} 00000 n \n", bytes.len());
        bytes.extend(format!("{} 0 obj\n", at + 1).bytes());
        bytes.extend(object);
        bytes.extend(b"\nendobj\n");
    }
    let end = bytes.len();
    let size = objects.len() + 1;
    let trailer = format!("trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{end}\n%%EOF\n");
    bytes.extend(table.bytes().chain(trailer.bytes()));
    bytes
}

fn pdf_that_loops() -> Vec<u8> {
    let kids = "[2 0 R 2 0 R]";
    pdf(&[
        b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
        format!("<</Type/Pages/Kids{kids}/Count 2>>").into_bytes(),
    ])
}

fn pdf_page(resources: &str, rest: &[Vec<u8>]) -> Vec<u8> {
    let mut objects = vec![
        b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>".to_vec(),
        format!("<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<<{resources}>>>>").into_bytes(),
    ];
    objects.extend_from_slice(rest);
    pdf(&objects)
}

fn pdf_object(dict: &str, bytes: &[u8]) -> Vec<u8> {
    let dict = format!("<<{dict}/Length {}>>stream\n", bytes.len());
    [dict.as_bytes(), bytes, b"\nendstream"].concat()
}

/// Forms that each show the next ten times.
fn pdf_of_forms() -> Vec<u8> {
    let mut objects = vec![pdf_object("", b"/X Do")];
    for next in 6..20 {
        let resources = format!("/Resources<</XObject<</X {next} 0 R>>>>");
        let dict = format!("/Type/XObject/Subtype/Form/BBox[0 0 9 9]{resources}");
        objects.push(pdf_object(&dict, b"/X Do ".repeat(10).as_slice()));
    }
    objects.push(pdf_object("/Type/XObject/Subtype/Form/BBox[0 0 9 9]", b"q Q"));
    pdf_page("/XObject<</X 5 0 R>>", &objects)
}

/// A page that expands to half a gigabyte, or less.
fn pdf_stream() -> Vec<u8> {
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    (0..512 / LESS).for_each(|_| zlib.write_all(&[b' '; MB]).expect("memory"));
    let bytes = zlib.finish().expect("memory");
    pdf_page("", &[pdf_object("/Filter/FlateDecode", &bytes)])
}

/// A member of which a piece makes up 256 MB, or less.
fn filled(zip: &mut zip::ZipWriter<Cursor<Vec<u8>>>, begin: &str, piece: &str, end: &str) {
    let pieces = piece.repeat(MB / piece.len());
    zip.write_all(begin.as_bytes()).expect("memory");
    (0..256 / LESS).for_each(|_| zip.write_all(pieces.as_bytes()).expect("memory"));
    zip.write_all(end.as_bytes()).expect("memory");
}

fn package(parts: &[(&str, &str)], part: &str, begin: &str, piece: &str, end: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, text) in parts {
        zip.start_file(*name, options).expect("memory");
        zip.write_all(text.as_bytes()).expect("memory");
    }
    zip.start_file(part, options).expect("memory");
    filled(&mut zip, begin, piece, end);
    zip.finish().expect("memory").into_inner()
}

fn workbook(part: &str, begin: &str, piece: &str, end: &str) -> Vec<u8> {
    package(
        &[("[Content_Types].xml", "<Types/>"), ("_rels/.rels", "<Relationships/>")],
        part,
        begin,
        piece,
        end,
    )
}

fn word() -> Vec<u8> {
    let begin = "<w:document xmlns:w=\"w\"><w:body>";
    let piece = format!("<w:p><w:r><w:t>{}</w:t></w:r></w:p>", "word ".repeat(12_000));
    package(
        &[("[Content_Types].xml", "<Types/>"), ("_rels/.rels", "<Relationships/>")],
        "word/document.xml",
        begin,
        &piece,
        "</w:body></w:document>",
    )
}

/// A few bytes that say a cell is in all places of a sheet.
fn spreadsheet() -> Vec<u8> {
    let cell = "<table:table-cell table:number-columns-repeated=\"16384\" office:value-type=\"float\" office:value=\"1\"/>";
    let row =
        format!("<table:table-row table:number-rows-repeated=\"1048576\">{cell}</table:table-row>");
    let begin = "<office:document-content xmlns:office=\"o\" xmlns:table=\"t\"><office:body><office:spreadsheet>";
    let end = "</office:spreadsheet></office:body></office:document-content>";
    let content = format!("{begin}<table:table table:name=\"a\">{row}</table:table>{end}");
    zip(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", b"<manifest/>"),
        ("content.xml", content.as_bytes()),
    ])
}

/// A block that says it has an exabyte.
fn avro() -> Vec<u8> {
    let schema = r#"{"type":"record","name":"r","fields":[{"name":"a","type":"string"}]}"#;
    let mut bytes = b"Obj\x01\x02\x16avro.schema".to_vec();
    // A length of two bytes, of seven bits each.
    let length = schema.len() as u8 * 2;
    assert!(length > 127 && schema.len() < 128);
    bytes.extend([length | 0x80, 1]);
    bytes.extend(schema.bytes());
    bytes.push(0);
    bytes.extend([7; 16]);
    // One row, in as many bytes as nine bytes can say.
    bytes.extend([2, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f]);
    bytes
}
