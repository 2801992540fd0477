//! Documents of every kind: what becomes of them, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test says where it failed")]

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};
use std::path::Path;

use serde_json::Value;

use crate::catalog;
use crate::format::{FormatError, Hints, Limits, open};

/// One row of a document.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) text: String,
    pub(super) fields: BTreeMap<String, Value>,
}

pub(super) fn settings() -> catalog::Format {
    catalog::Format { kind: Some(catalog::FormatKind::Document), ..catalog::Format::default() }
}

pub(super) fn read_with(
    name: &str,
    bytes: Vec<u8>,
    settings: &catalog::Format,
    limits: Limits,
) -> Result<Vec<Document>, FormatError> {
    let (mut rows, detected) = open(Cursor::new(bytes), Hints::named(name), settings, limits)?;
    assert_eq!(detected.kind, catalog::FormatKind::Document);
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        assert_eq!(row.number(), found.len() as u64 + 1);
        let whole: Vec<Value> = serde_json::from_slice(row.raw()).unwrap();
        let columns = row.head().columns.iter().cloned();
        let cells = row.cells().map(|cell| serde_json::from_slice(cell).unwrap());
        let fields: BTreeMap<String, Value> = columns.zip(cells).collect();
        assert_eq!(whole.len(), fields.len());
        let text = fields["text"].as_str().unwrap().to_owned();
        found.push(Document { text, fields });
    }
    assert_eq!(rows.position().row, found.len() as u64);
    Ok(found)
}

pub(super) fn documents(name: &str, bytes: Vec<u8>) -> Vec<Document> {
    read_with(name, bytes, &settings(), Limits::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn text_of(name: &str, bytes: &[u8]) -> String {
    let mut found = documents(name, bytes.to_vec());
    assert_eq!(found.len(), 1);
    found.remove(0).text
}

fn fails(name: &str, bytes: &[u8]) -> FormatError {
    read_with(name, bytes.to_vec(), &settings(), Limits::default()).expect_err("an error")
}

#[test]
fn a_text_is_itself_with_lf_at_the_ends_of_lines() {
    assert_eq!(
        text_of("a.txt", b"\xef\xbb\xbfone\r\ntwo\rthree\n\n  four \n"),
        "one\ntwo\nthree\n\n  four \n"
    );
    assert_eq!(text_of("a.txt", b""), "");
    let long = "ä\r\n".repeat(100_000);
    let found = read_with(
        "a.txt",
        long.into_bytes(),
        &catalog::Format { max_text: Some(220_000), ..settings() },
        Limits::default(),
    )
    .unwrap();
    let together: String = found.iter().map(|part| part.text.as_str()).collect();
    assert_eq!(together, "ä\n".repeat(100_000));
}

#[test]
fn a_long_text_goes_on_in_further_rows() {
    let text = "A line of \"text\".\n\n".repeat(50_000);
    let found = documents("a.txt", text.clone().into_bytes());
    assert!(found.len() > 4, "{}", found.len());
    let together: String = found.iter().map(|part| part.text.as_str()).collect();
    assert_eq!(together, text);
    for (index, part) in found.iter().enumerate() {
        assert_eq!(part.fields["part"], index + 1);
        assert_eq!(part.fields["parts"], found.len());
        assert!(serde_json::to_string(&part.text).unwrap().len() <= 200_002);
        assert_eq!(part.fields["bytes"], text.len());
    }
}

#[test]
fn markdown_has_the_title_that_stands_in_it() {
    let found = documents("notes.MD.gz", b"# Ten *notes*\n\ntext\n".to_vec());
    assert_eq!(found[0].fields["title"], "Ten *notes*");
    assert_eq!(found[0].fields["content_type"], "text/markdown");
    assert_eq!(found[0].text, "# Ten *notes*\n\ntext\n");
}

#[test]
fn a_text_in_another_encoding_becomes_utf_8() {
    assert_eq!(text_of("a.txt", b"\xff\xfeh\0\xe9\0\n\0"), "hé\n");
    let page = b"<html><meta charset=iso-8859-1><p>caf\xe9 cr\xe8me</p>";
    assert_eq!(text_of("a.html", page), "café crème");
}

#[test]
fn a_text_that_is_not_utf8_is_an_error_with_its_place() {
    let fails = |name: &str, bytes: &[u8]| {
        let stated = catalog::Format { encoding: Some(catalog::Encoding::UTF_8), ..settings() };
        read_with(name, bytes.to_vec(), &stated, Limits::default()).expect_err("an error")
    };
    let error = fails("a.txt", b"one\ntwo \xe9t\xe9\n");
    assert_eq!(error.to_string(), "the text is not UTF-8 on line 2 (byte 8)");
    let error = fails("a.html", b"<html>\n<p>caf\xe9</p>");
    assert_eq!(error.to_string(), "the text is not UTF-8 on line 2 (byte 13)");
    assert_eq!(
        fails("a.txt", b"cut \xe2\x82").to_string(),
        "the text is not UTF-8 on line 1 (byte 4)"
    );
}

#[test]
fn html_is_what_a_reader_sees() {
    for (html, text) in [
        ("<html><p>One<p>Two", "One\n\nTwo"),
        ("<html>a<br>b<br><br>c", "a\nb\n\nc"),
        ("<html> a\n  <b>b</b>c &amp; &eacute;&#x1F600;&nbsp;d ", "a bc & é😀\u{a0}d"),
        ("<html><script>if (a<b) x()</script>y<style>p{}</style>z", "yz"),
        ("<html><script>'</p>'</script><p>after", "after"),
        (
            "<html><template><p>no</template><noscript>no</noscript><svg><text>no</text></svg>yes",
            "yes",
        ),
        ("<html><svg><svg></svg>no</svg>yes", "yes"),
        (
            "<html><table><tr><th>a<th>b<tr><td> 1 <td><p>2</p><p>3</p></table>end",
            "a\tb\n1\t2 3\n\nend",
        ),
        ("<html><ul><li>one<li>two</ul>", "one\ntwo"),
        ("<html><pre>a\n  b</pre>c", "a\n  b\n\nc"),
        ("<html><!-- no --><h1>T</h1><div><div>x</div></div>", "T\n\nx"),
        ("<html><head><title>T</title></head><body>b", "b"),
        ("<html><textarea><p>raw</p></textarea>", "<p>raw</p>"),
        ("<html>unclosed <b", "unclosed"),
        ("<html></p></div></td>x", "x"),
        ("<html>", ""),
    ] {
        assert_eq!(text_of("x.html", html.as_bytes()), text, "{html}");
    }
}

#[test]
fn html_says_who_wrote_it() {
    let html = "<!DOCTYPE html><html lang=de><head><title>\n A &lt; B </title><title>no</title>\
                <meta name=Author content='Ann B.'><meta property='article:published_time' content=2026-01-02>\
                <meta name=keywords content=x></head><body>x";
    let found = documents("x.txt.html", html.as_bytes().to_vec());
    let fields = &found[0].fields;
    assert_eq!(fields["title"], "A < B");
    assert_eq!(fields["author"], "Ann B.");
    assert_eq!(fields["created"], "2026-01-02");
    assert_eq!(fields["language"], "de");
    assert_eq!(fields["modified"], Value::Null);
    assert_eq!(found[0].text, "x");
}

#[test]
fn characters_that_lie_across_blocks_are_whole() {
    for pad in 0..4 {
        let html = format!("<html><p>{}{}", "x".repeat(pad), "äöü€😀 ".repeat(40_000));
        let found = documents("x.html", html.clone().into_bytes());
        let together: String = found.iter().map(|part| part.text.as_str()).collect();
        assert_eq!(together.trim_end(), html["<html><p>".len()..].trim_end());
    }
}

#[test]
fn what_can_only_be_a_document_is_one_and_a_text_is_a_table() {
    let open = |name, bytes: &[u8]| {
        let settings = catalog::Format::default();
        open(Cursor::new(bytes.to_vec()), Hints::named(name), &settings, Limits::default())
            .map(|(_, detected)| detected.kind)
    };
    let pdf = super::pdf::tests::pdf(&[""]);
    assert_eq!(open("a.csv", &pdf).unwrap(), catalog::FormatKind::Document);
    assert_eq!(open("a", b"<!doctype HTML>\n<p>x").unwrap(), catalog::FormatKind::Document);
    assert_eq!(
        open("a", b"<!-- x -->\n<html lang=en><p>x").unwrap(),
        catalog::FormatKind::Document
    );
    // What came in place of a table is refused, as nothing of it is one.
    let error = open("a.xls", b"<html><table><tr><td>1</td></tr></table>").unwrap_err();
    assert_eq!(error.code(), "unsupported_format");
    assert_eq!(open("a.txt", b"a,b\n1,2\n").unwrap(), catalog::FormatKind::Csv);
    assert_eq!(open("a.md", b"a,b\n1,2\n").unwrap(), catalog::FormatKind::Document);
    assert_eq!(open("a.html", b"<p>x</p>\n").unwrap(), catalog::FormatKind::Document);
    assert_eq!(open("a.html", b"a,b\n1,2\n").unwrap(), catalog::FormatKind::Csv);
    assert_eq!(open("a.csv", b"note,by\nsee %PDF-1.4,x\n").unwrap(), catalog::FormatKind::Csv);
    let csv =
        catalog::Format { kind: Some(catalog::FormatKind::Csv), ..catalog::Format::default() };
    let error =
        super::super::open(Cursor::new(pdf), Hints::default(), &csv, Limits::default()).err();
    assert_eq!(error.unwrap().code(), "unsupported_format");
}

#[test]
fn other_files_among_documents_are_refused_by_name() {
    for (bytes, found) in [
        (&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..], ".doc"),
        (b"{\\rtf1 x}", "Rich Text"),
        (b"\x89PNG\r\n\x1a\n", "image"),
        (b"a\0,\0\0\0", "NUL"),
    ] {
        let error = fails("x", bytes);
        assert!(error.to_string().contains(found), "{found}: {error}");
    }
}

#[test]
fn a_document_that_is_too_large_names_the_limit() {
    let limits = Limits { max_document_bytes: 1000, ..Limits::default() };
    for (name, bytes) in [
        ("x.txt", vec![b'x'; 1001]),
        ("x.html", [b"<html>".to_vec(), vec![b'x'; 1001]].concat()),
        ("x.pdf", [b"%PDF-1.4\n".to_vec(), vec![b'x'; 1001]].concat()),
    ] {
        let error = read_with(name, bytes, &settings(), limits).err().unwrap();
        assert!(error.to_string().contains("max_document_bytes = 1000"), "{name}: {error}");
    }
    let limits = Limits { max_text_bytes: 10, ..Limits::default() };
    let error = read_with("x.txt", vec![b'x'; 11], &settings(), limits).err().unwrap();
    assert!(error.to_string().contains("max_text_bytes = 10"), "{error}");
}

/// A Word document with these parts.
fn docx(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn body(body: &str) -> Vec<u8> {
    let document = format!(
        "<?xml version='1.0'?><w:document xmlns:w='x'><w:body>{body}</w:body></w:document>"
    );
    docx(&[("word/document.xml", &document)])
}

#[test]
fn the_text_of_a_word_document_is_what_is_in_it_now() {
    for (xml, text) in [
        (
            "<w:p><w:r><w:t>One</w:t></w:r><w:r><w:t xml:space='preserve'> two</w:t></w:r></w:p><w:p/><w:p><w:r><w:t>3 &amp; &#52;</w:t></w:r></w:p>",
            "One two\n\n3 & 4",
        ),
        (
            "<w:p><w:pPr><w:tabs><w:tab w:pos='1'/></w:tabs></w:pPr><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r></w:p>",
            "a\tb\nc",
        ),
        (
            "<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:ins><w:r><w:t>new</w:t></w:r></w:ins><w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom></w:p>",
            "new",
        ),
        (
            "<w:p><w:r><w:instrText>PAGE</w:instrText></w:r><w:hyperlink><w:r><w:t>link</w:t></w:r></w:hyperlink></w:p>",
            "link",
        ),
        (
            "<w:p><w:r><w:t>x</w:t></w:r></w:p><w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc><w:tc><w:p/></w:tc><w:tc><w:p><w:r><w:t>c</w:t></w:r></w:p></w:tc></w:tr><w:tr><w:tc><w:p><w:r><w:t>d</w:t></w:r></w:p></w:tc></w:tr></w:tbl><w:p><w:r><w:t>y</w:t></w:r></w:p>",
            "x\n\na b\t\tc\nd\n\ny",
        ),
        (
            "<mc:AlternateContent><mc:Choice><w:p><w:r><w:t>box</w:t></w:r></w:p></mc:Choice><mc:Fallback><w:p><w:r><w:t>box</w:t></w:r></w:p></mc:Fallback></mc:AlternateContent>",
            "box",
        ),
    ] {
        assert_eq!(text_of("x.docx", &body(xml)), text, "{xml}");
    }
}

#[test]
fn broken_word_documents_are_refused() {
    let whole = body("<w:p><w:r><w:t>One</w:t></w:r></w:p>");
    for cut in [60, whole.len() / 2, whole.len() - 10] {
        assert_eq!(fails("x.docx", &whole[..cut]).code(), "document_damaged", "{cut}");
    }
    let error = fails("x.docx", &body("<w:p><w:r><w:t>One</w:t>"));
    assert_eq!(error.code(), "document_damaged", "{error}");
    let error = fails("x.docx", &docx(&[("word/other.xml", "")]));
    assert!(error.to_string().contains("word/document.xml"), "{error}");
    let error =
        fails("x.docx", &docx(&[("word/document.xml", "<!DOCTYPE x [<!ENTITY a 'b'>]><w/>")]));
    assert!(error.to_string().contains("DTD"), "{error}");
}

#[test]
fn a_word_document_that_is_a_bomb_is_stopped() {
    let limits = Limits { max_document_expanded_bytes: 1 << 20, ..Limits::default() };
    let bomb = body(&"<w:p><w:r><w:t>x</w:t></w:r></w:p>".repeat(100_000));
    let error = read_with("x.docx", bomb, &settings(), limits).err().unwrap();
    assert!(error.to_string().contains("max_document_expanded_bytes = 1048576"), "{error}");
    // One piece without an end.
    let error = fails("x.docx", &body(&format!("<w:p><w:t>{}", "x".repeat(20 << 20))));
    assert!(error.to_string().contains("a piece of more than"), "{error}");
    // Elements within elements.
    let deep = body(&"<w:p>".repeat(1_000_000));
    assert_eq!(fails("x.docx", &deep).code(), "document_damaged");
}

#[test]
fn real_word_documents_give_their_text() {
    let Some(fixtures) = std::env::var_os("INLET_FIXTURES") else {
        eprintln!("skipped: INLET_FIXTURES is not set");
        return;
    };
    let mut files = Vec::new();
    for folder in std::fs::read_dir(Path::new(&fixtures).join("docx")).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "docx") {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(!files.is_empty());
    let mut read = 0;
    for path in &files {
        let name = path.file_name().unwrap().to_string_lossy();
        let bytes = std::fs::read(path).unwrap();
        let found = open(
            Cursor::new(bytes.clone()),
            Hints::named(""),
            &catalog::Format::default(),
            Limits::default(),
        );
        assert_eq!(found.unwrap().1.kind, catalog::FormatKind::Document, "{name}");
        match read_with(&name, bytes, &settings(), Limits::default()) {
            Ok(found) => {
                read += 1;
                let document = &found[0];
                let length: usize = found.iter().map(|part| part.text.len()).sum();
                let start: String = document.text.chars().take(60).collect();
                println!(
                    "{name:40} {length:6} {:30} {start:?}",
                    document.fields["title"].to_string()
                );
            }
            Err(error) => println!("{name:40} {error}"),
        }
    }
    println!("{read} of {} read", files.len());
    assert_eq!(read, files.len(), "all of these are well-formed");
    let text = |name: &str| {
        let path = files.iter().find(|path| path.ends_with(name)).unwrap();
        text_of(name, &std::fs::read(path).unwrap())
    };
    assert_eq!(text("single-paragraph.docx"), "Walking on imported air");
    assert_eq!(text("strict-format.docx"), "Test");
    assert_eq!(text("empty.docx"), "");
    assert_eq!(
        text("tables.docx"),
        "Above\n\nTop left\tTop right\nBottom left\tBottom right\n\nBelow"
    );
    assert_eq!(
        text("footnotes.docx"),
        "Ouch[1].[2]\n\n[1] A tachyon walks into a bar.\n\n[2] Fin."
    );
}

#[test]
fn documents_that_were_changed_by_accident_end_in_text_or_in_an_error() {
    let xml = "<w:p><w:r><w:t>One &amp; two</w:t><w:tab/></w:r></w:p><w:tbl><w:tr><w:tc><w:p>\
               <w:r><w:t>a</w:t></w:r></w:p></w:tc></w:tr></w:tbl>";
    let html = b"<html lang=de><title>T</title><p>a<b>b</b>&eacute;<table><tr><td>1</table><script>x</script>";
    let mut random = fastrand::Rng::with_seed(7);
    let mut read = 0;
    for _ in 0..1_000 {
        let mut changed = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            for _ in 0..random.usize(1..5) {
                let at = random.usize(..bytes.len());
                bytes[at] = match random.bool() {
                    true => b"<>/&;=\"' "[random.usize(..9)],
                    false => random.u8(..),
                };
            }
            bytes
        };
        let inside = String::from_utf8_lossy(&changed(xml.as_bytes())).into_owned();
        for (name, bytes) in
            [("x.docx", body(&inside)), ("x.docx", changed(&body(xml))), ("x.html", changed(html))]
        {
            read += u32::from(read_with(name, bytes, &settings(), Limits::default()).is_ok());
        }
    }
    assert!(read > 100, "{read}");
}
