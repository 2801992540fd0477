//! PDFs that are written here: well-formed ones, and ones made to lead their readers astray.

#![allow(clippy::unwrap_used, reason = "a test says where it failed")]

use std::io::Write as _;
use std::time::{Duration, Instant};

use flate2::write::ZlibEncoder;

use super::super::tests::{Document, documents, read_with, settings};
use crate::catalog;
use crate::format::{FormatError, Limits};

/// A PDF as it is written, object by object.
#[derive(Default)]
pub(in super::super) struct Writer {
    bytes: Vec<u8>,
    places: Vec<(u32, usize)>,
    trailer: String,
}

impl Writer {
    pub(in super::super) fn new() -> Self {
        Self { bytes: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec(), ..Self::default() }
    }

    pub(in super::super) fn object(&mut self, number: u32, body: &str) -> &mut Self {
        self.places.push((number, self.bytes.len()));
        write!(self.bytes, "{number} 0 obj\n{body}\nendobj\n").unwrap();
        self
    }

    pub(in super::super) fn stream(&mut self, number: u32, dict: &str, data: &[u8]) -> &mut Self {
        self.places.push((number, self.bytes.len()));
        let length = data.len();
        write!(self.bytes, "{number} 0 obj\n<<{dict}/Length {length}>>\nstream\n").unwrap();
        self.bytes.extend_from_slice(data);
        self.bytes.extend_from_slice(b"\nendstream\nendobj\n");
        self
    }

    fn trailer(&mut self, more: &str) -> &mut Self {
        self.trailer.push_str(more);
        self
    }

    /// With a table of objects as text.
    pub(in super::super) fn finish(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        let table = bytes.len();
        let most = self.places.iter().map(|(number, _)| number + 1).max().unwrap_or(1);
        write!(bytes, "xref\n0 1\n0000000000 65535 f\r\n").unwrap();
        for (number, place) in &self.places {
            write!(bytes, "{number} 1\n{place:010} 00000 n\r\n").unwrap();
        }
        let more = &self.trailer;
        write!(bytes, "trailer\n<</Size {most}/Root 1 0 R{more}>>\nstartxref\n{table}\n%%EOF\n")
            .unwrap();
        bytes
    }

    /// With a table of objects that is a stream, and `held` objects in the object stream `holder`.
    fn finish_with_streams(&self, holder: u32, held: &[u32], more: &str) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        let table = bytes.len();
        let mut rows: Vec<(u32, [u8; 8])> = Vec::new();
        let row = |kind: u8, place: u32, index: u16| {
            let mut row = [0; 8];
            row[0] = kind;
            row[1..5].copy_from_slice(&place.to_be_bytes());
            row[5..7].copy_from_slice(&index.to_be_bytes());
            row
        };
        for (number, place) in &self.places {
            rows.push((*number, row(1, *place as u32, 0)));
        }
        for (index, number) in held.iter().enumerate() {
            rows.push((*number, row(2, holder, index as u16)));
        }
        let index: String = rows.iter().map(|(number, _)| format!("{number} 1 ")).collect();
        let data: Vec<u8> = rows.iter().flat_map(|(_, row)| row[..7].to_vec()).collect();
        let data = deflated(&data);
        let length = data.len();
        write!(
            bytes,
            "900 0 obj\n<</Type/XRef/W[1 4 2]/Size 901/Index[{index}]/Root 1 0 R/Filter/FlateDecode{more}/Length \
             {length}>>\nstream\n"
        )
        .unwrap();
        bytes.extend_from_slice(&data);
        write!(bytes, "\nendstream\nendobj\nstartxref\n{table}\n%%EOF\n").unwrap();
        bytes
    }
}

fn deflated(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// A document with a page for each content.
pub(in super::super) fn pdf(contents: &[&str]) -> Vec<u8> {
    let mut writer = Writer::new();
    let kids: String = (0..contents.len()).map(|n| format!("{} 0 R ", 10 + 2 * n)).collect();
    writer
        .object(1, "<</Type/Catalog/Pages 2 0 R/Lang(de-AT)>>")
        .object(2, &format!("<</Type/Pages/Count {}/Kids[{kids}]/Resources<</Font<</F1 3 0 R>>>>>>", contents.len()))
        .object(3, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>")
        .object(4, "<</Title(On \\(nested\\) things)/Author<FEFF00C40062>/CreationDate(D:20260131235959+01'00')/ModDate(D:20260201)>>")
        .trailer("/Info 4 0 R");
    for (n, content) in contents.iter().enumerate() {
        let page = 10 + 2 * n as u32;
        writer
            .object(
                page,
                &format!(
                    "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {} 0 R>>",
                    page + 1
                ),
            )
            .stream(page + 1, "/Filter/FlateDecode", &deflated(content.as_bytes()));
    }
    writer.finish()
}

const FIRST: &str = "BT /F1 12 Tf 72 720 Td (Hello) Tj ( world,) Tj 0 -14 Td [(th)5(is is)-300(line) -250 (two.)] TJ \
                     0 -40 Td (A new paragraph\\056) Tj ET";

fn by_page() -> catalog::Format {
    catalog::Format { pages: Some(true), ..settings() }
}

fn fails(bytes: Vec<u8>) -> FormatError {
    fails_with(bytes, Limits::default())
}

fn fails_with(bytes: Vec<u8>, limits: Limits) -> FormatError {
    let began = Instant::now();
    let error = read_with("x.pdf", bytes, &settings(), limits).expect_err("an error");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}: {error}", began.elapsed());
    error
}

#[test]
fn a_document_is_its_text_and_what_it_says_of_itself() {
    let found = documents("x.pdf", pdf(&[FIRST, "BT /F1 9 Tf 10 10 Td (Page \\200 2) Tj ET"]));
    let [Document { text, fields }] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(text, "Hello world,\nthis is line two.\n\nA new paragraph.\n\nPage € 2");
    assert_eq!(fields["title"], "On (nested) things");
    assert_eq!(fields["author"], "Äb");
    assert_eq!(fields["created"], "2026-01-31T23:59:59+01:00");
    assert_eq!(fields["modified"], "2026-02-01T00:00:00+00:00");
    assert_eq!(fields["language"], "de-AT");
    assert_eq!(fields["pages"], 2);
    assert_eq!(fields["has_text"], true);
    assert_eq!(fields["content_type"], "application/pdf");
}

#[test]
fn by_page_each_page_is_a_row() {
    let bytes = pdf(&[FIRST, "", "BT /F1 9 Tf (Three) Tj ET"]);
    let found = read_with("x.pdf", bytes, &by_page(), Limits::default()).unwrap();
    let pages: Vec<_> = found
        .iter()
        .map(|page| (page.fields["page"].clone(), page.fields["has_text"].clone(), page.text.len()))
        .collect();
    assert_eq!(
        pages,
        [(1.into(), true.into(), 48), (2.into(), false.into(), 0), (3.into(), true.into(), 5)]
    );
}

#[test]
fn objects_in_object_streams_are_found() {
    let mut writer = Writer::new();
    let content = deflated(b"BT /F1 9 Tf (held) Tj ET");
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>> ",
        "<</Type/Pages/Count 1/Kids[3 0 R]>> ",
        "<</Type/Page/Contents 5 0 R/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Courier>>>>>>>>",
    ];
    let mut list = String::new();
    let mut place = 0;
    for (n, object) in objects.iter().enumerate() {
        list.push_str(&format!("{} {place} ", n + 1));
        place += object.len();
    }
    let dict = format!("/Type/ObjStm/N 3/First {}/Filter/FlateDecode", list.len());
    let held = list + &objects.concat();
    writer.stream(4, &dict, &deflated(held.as_bytes())).stream(5, "/Filter/FlateDecode", &content);
    let found = documents("x.pdf", writer.finish_with_streams(4, &[1, 2, 3], ""));
    assert_eq!(found[0].text, "held");
}

#[test]
fn a_scanned_document_has_a_row_without_text() {
    let found = documents("x.pdf", pdf(&["q 595 0 0 842 0 0 cm Q"]));
    assert_eq!((found[0].text.as_str(), &found[0].fields["has_text"]), ("", &false.into()));
}

#[test]
fn a_font_with_its_own_codes_is_read_by_its_map() {
    let map = "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <0000> <ffff> endcodespacerange \
               2 beginbfchar <0001> <00480069> <0002> <D83DDE00> endbfchar endcmap";
    let mut writer = Writer::new();
    writer
        .object(1, "<</Type/Catalog/Pages 2 0 R>>")
        .object(2, "<</Type/Pages/Count 1/Kids[3 0 R]>>")
        .object(3, "<</Type/Page/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>")
        .stream(4, "", b"BT /F1 10 Tf <000100020003> Tj ET")
        .object(5, "<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/Identity-H/DescendantFonts[6 0 R]/ToUnicode 7 0 R>>")
        .object(6, "<</Type/Font/Subtype/CIDFontType2/BaseFont/X/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/DW 500/W[1[500 500]]>>")
        .stream(7, "", map.as_bytes());
    let found = documents("x.pdf", writer.finish());
    assert_eq!(found[0].text, "Hi😀\u{fffd}");
}

#[test]
fn a_font_that_is_asked_for_again_is_looked_at_once() {
    let map =
        format!("begincmap 1 beginbfchar <41> <0042> endbfchar endcmap {}", " ".repeat(10_000));
    let mut writer = Writer::new();
    writer
        .object(1, "<</Type/Catalog/Pages 2 0 R>>")
        .object(2, "<</Type/Pages/Count 1/Kids[3 0 R]>>")
        .object(3, "<</Type/Page/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>")
        .stream(4, "", "BT /F1 10 Tf (A) Tj ET ".repeat(1_000).as_bytes())
        .object(5, "<</Type/Font/Subtype/Type1/BaseFont/Courier/ToUnicode 6 0 R>>")
        .stream(6, "/Filter/FlateDecode", &deflated(map.as_bytes()));
    let limits = Limits { max_document_expanded_bytes: 100_000, ..Limits::default() };
    let found = read_with("x.pdf", writer.finish(), &settings(), limits).unwrap();
    assert!(found[0].text.starts_with("B"), "{}", found[0].text);
}

#[test]
fn a_table_that_is_wrong_is_made_good_by_a_search() {
    let bytes = pdf(&["BT /F1 9 Tf (found) Tj ET"]);
    let table = memchr::memmem::rfind(&bytes, b"startxref\n").unwrap();
    let mut wrong = bytes[..table].to_vec();
    wrong.extend_from_slice(b"startxref\n3\n%%EOF");
    assert_eq!(documents("x.pdf", wrong)[0].text, "found");
    let mut shifted = b"junk\n".to_vec();
    shifted.extend_from_slice(&bytes);
    assert_eq!(documents("x.pdf", shifted)[0].text, "found");
}

#[test]
fn a_tree_of_pages_that_loops_ends_with_a_clear_error() {
    for kids in ["2 0 R", "3 0 R 2 0 R", "4 0 R"] {
        let mut writer = Writer::new();
        writer
            .object(1, "<</Type/Catalog/Pages 2 0 R>>")
            .object(2, &format!("<</Type/Pages/Count 9/Kids[{kids}]>>"))
            .object(3, "<</Type/Page>>")
            .object(4, "<</Type/Pages/Count 9/Kids[3 0 R 2 0 R]>>");
        let error = fails(writer.finish());
        assert!(error.to_string().contains("tree of pages loops at object 2"), "{kids}: {error}");
        assert_eq!(error.code(), "document_damaged");
    }
}

#[test]
fn a_tree_of_arrays_that_share_their_entries_does_not_multiply() {
    let mut writer = Writer::new();
    writer
        .object(1, "<</Type/Catalog/Pages 2 0 R>>")
        .object(2, "<</Type/Pages/Count 9/Kids 3 0 R>>");
    for n in 3..60 {
        let kid = format!("<</Type/Pages/Kids {} 0 R>>", n + 1);
        writer.object(n, &format!("[{kid}{kid}]"));
    }
    writer.object(60, "[<</Type/Page>>]");
    assert!(fails(writer.finish()).to_string().contains("malformed"));
    // The same with references: a node is there once.
    let mut writer = Writer::new();
    writer.object(1, "<</Type/Catalog/Pages 2 0 R>>");
    for n in 2..60 {
        writer.object(n, &format!("<</Type/Pages/Kids[{m} 0 R {m} 0 R]>>", m = n + 1));
    }
    writer.object(60, "<</Type/Page>>");
    assert!(fails(writer.finish()).to_string().contains("loops"));
}

#[test]
fn more_pages_than_allowed_are_refused() {
    let limits = Limits { max_pdf_pages: 2, ..Limits::default() };
    let error = fails_with(pdf(&["", "", ""]), limits);
    assert!(error.to_string().contains("max_pdf_pages = 2"), "{error}");
}

#[test]
fn forms_within_forms_end() {
    let with = |forms: u32, last: &str| {
        let mut writer = Writer::new();
        writer
            .object(1, "<</Type/Catalog/Pages 2 0 R>>")
            .object(2, "<</Type/Pages/Count 1/Kids[3 0 R]>>")
            .object(3, "<</Type/Page/Contents 4 0 R/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Courier>>>>/XObject<</X 5 0 R>>>>>>")
            .stream(4, "", b"BT /F1 9 Tf (page) Tj ET /X Do");
        for n in 5..5 + forms {
            let next = if n == 4 + forms { last.to_owned() } else { format!("{} 0 R", n + 1) };
            let dict = format!("/Subtype/Form/Resources<</XObject<</X {next}>>>>");
            writer.stream(n, &dict, b"/X Do /X Do");
        }
        writer.finish()
    };
    for (forms, last) in [(1, "5 0 R"), (2, "5 0 R"), (5, "7 0 R")] {
        assert_eq!(documents("x.pdf", with(forms, last))[0].text, "page", "{forms}");
    }
    let error = fails(with(40, "99 0 R"));
    assert!(error.to_string().contains("nested deeper than 16"), "{error}");
}

#[test]
fn forms_that_multiply_are_stopped_by_their_steps() {
    let mut writer = Writer::new();
    writer
        .object(1, "<</Type/Catalog/Pages 2 0 R>>")
        .object(2, "<</Type/Pages/Count 1/Kids[3 0 R]>>")
        .object(3, "<</Type/Page/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>>>")
        .stream(4, "", b"/X Do");
    for n in 5..15 {
        let dict = format!("/Subtype/Form/Resources<</XObject<</X {} 0 R>>>>", n + 1);
        writer.stream(n, &dict, "/X Do ".repeat(100).as_bytes());
    }
    writer.stream(15, "/Subtype/Form", b"n");
    let limits = Limits { max_pdf_steps: 100_000, ..Limits::default() };
    let error = fails_with(writer.finish(), limits);
    assert!(error.to_string().contains("max_pdf_steps = 100000"), "{error}");
}

#[test]
fn tables_that_name_each_other_end() {
    // The table names itself as the one before it: it is read once.
    let bytes = pdf(&["BT /F1 9 Tf (once) Tj ET"]);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let place: usize =
        text.rsplit("startxref\n").next().unwrap().lines().next().unwrap().parse().unwrap();
    let at = memchr::memmem::rfind(&bytes, b"/Root").unwrap();
    let mut looped = bytes[..at].to_vec();
    looped.extend_from_slice(format!("/Prev {place}").as_bytes());
    looped.extend_from_slice(&bytes[at..]);
    assert_eq!(documents("x.pdf", looped)[0].text, "once");
}

#[test]
fn an_object_stream_that_holds_itself_ends_with_a_clear_error() {
    let mut writer = Writer::new();
    writer.stream(
        4,
        "/Type/ObjStm/N 2/First 8/Filter/FlateDecode",
        &deflated(b"1 0 4 0 <</Type/Catalog/Pages 4 0 R>>"),
    );
    let bytes = writer.finish_with_streams(4, &[1, 2, 4], "");
    let error = fails(bytes);
    assert_eq!(error.code(), "document_damaged", "{error}");
}

#[test]
fn bombs_are_stopped_before_they_are_kept() {
    // 4 GB in some MB would take minutes; a limit that is lower shows the same.
    let limits = Limits { max_pdf_stream_bytes: 1 << 20, ..Limits::default() };
    let bomb = deflated(&vec![b' '; 8 << 20]);
    // Content.
    let mut writer = Writer::new();
    writer
        .object(1, "<</Type/Catalog/Pages 2 0 R>>")
        .object(2, "<</Type/Pages/Count 1/Kids[3 0 R]>>")
        .object(3, "<</Type/Page/Contents 4 0 R>>")
        .stream(4, "/Filter/FlateDecode", &bomb);
    let error = fails_with(writer.finish(), limits);
    assert!(error.to_string().contains("max_pdf_stream_bytes = 1048576"), "{error}");
    // Objects, said to be so by their own type, or by the table alone.
    for kind in ["/Type/ObjStm/N 1/First 10", "/Type/X"] {
        let mut writer = Writer::new();
        writer.object(1, "<</Type/Catalog/Pages 2 0 R>>").stream(
            4,
            &format!("{kind}/Filter/FlateDecode"),
            &bomb,
        );
        let error = fails_with(writer.finish_with_streams(4, &[2], ""), limits);
        assert!(error.to_string().contains("max_pdf_stream_bytes = 1048576"), "{kind}: {error}");
    }
    // A filter on a filter, for objects.
    let mut writer = Writer::new();
    writer.object(1, "<</Type/Catalog/Pages 2 0 R>>").stream(
        4,
        "/Type/ObjStm/N 1/First 10/Filter[/FlateDecode/FlateDecode]",
        &deflated(&bomb),
    );
    let error = fails_with(writer.finish_with_streams(4, &[2], ""), limits);
    assert!(error.to_string().contains("unusual filter"), "{error}");
    // The map of a font.
    let mut writer = Writer::new();
    writer
        .object(1, "<</Type/Catalog/Pages 2 0 R>>")
        .object(2, "<</Type/Pages/Count 1/Kids[3 0 R]>>")
        .object(3, "<</Type/Page/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>")
        .stream(4, "", b"BT /F1 10 Tf (x) Tj ET")
        .object(5, "<</Type/Font/Subtype/Type1/BaseFont/Courier/ToUnicode 6 0 R>>")
        .stream(6, "/Filter/FlateDecode", &bomb);
    let error = fails_with(writer.finish(), limits);
    assert!(error.to_string().contains("max_pdf_stream_bytes = 1048576"), "{error}");
}

#[test]
fn fonts_that_ask_for_more_than_any_font_needs_are_not_used() {
    for font in [
        "/Subtype/Type1/BaseFont/Courier/FirstChar 9000000000000/LastChar 9000000000001/Widths[1]",
        "/Subtype/TrueType/BaseFont/Arial/FirstChar -1/LastChar 255/Widths[1]",
        "/Subtype/Type0/BaseFont/X/Encoding/Identity-H/DescendantFonts[<</Subtype/CIDFontType2/W[0 4294967295 500]>>]",
        "/Subtype/Type0/BaseFont/X/Encoding/Identity-H/DescendantFonts[<</Subtype/CIDFontType2/W2[0 4294967295 1 2 3]>>]",
    ] {
        let mut writer = Writer::new();
        writer
            .object(1, "<</Type/Catalog/Pages 2 0 R>>")
            .object(2, "<</Type/Pages/Count 1/Kids[3 0 R]>>")
            .object(3, "<</Type/Page/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>")
            .stream(4, "", b"BT /F1 10 Tf (x) Tj ET")
            .object(5, &format!("<</Type/Font{font}>>"));
        assert_eq!(documents("x.pdf", writer.finish())[0].text, "", "{font}");
    }
}

#[test]
fn a_file_that_is_cut_short_is_refused() {
    let bytes = pdf(&[FIRST, FIRST, FIRST]);
    let end = memchr::memmem::rfind(&bytes, b"startxref").unwrap();
    for cut in [10, 100, bytes.len() / 2, end - 100, end] {
        let error = fails(bytes[..cut].to_vec());
        assert_eq!(error.code(), "document_damaged", "{cut}: {error}");
        assert!(error.to_string().contains("cut short"), "{cut}: {error}");
    }
}

#[test]
fn a_page_that_is_not_in_the_file_is_an_error() {
    let bytes = pdf(&[FIRST, FIRST]);
    let text = bytes.clone();
    let page = memchr::memmem::find(&text, b"12 0 obj").unwrap();
    let mut without = bytes.clone();
    without[page..page + 8].copy_from_slice(b"77 0 obj");
    let error = fails(without);
    assert!(error.to_string().contains("page 2"), "{error}");
}

#[test]
fn an_encrypted_file_is_refused_as_such() {
    let mut writer = Writer::new();
    writer
        .object(1, "<</Type/Catalog/Pages 2 0 R>>")
        .object(2, "<</Type/Pages/Count 0/Kids[]>>")
        .object(9, "<</Filter/Standard/V 1/R 2/O(x)/U(x)/P -4>>")
        .trailer("/Encrypt 9 0 R/ID[(a)(b)]");
    let error = fails(writer.finish());
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("document_encrypted", "the PDF is encrypted")
    );
    let mut writer = Writer::new();
    writer.object(1, "<</Type/Catalog/Pages 2 0 R>>");
    let error = fails(writer.finish_with_streams(4, &[], "/Encrypt 9 0 R"));
    assert_eq!(error.code(), "document_encrypted");
}

#[test]
fn too_many_objects_are_refused() {
    let limits = Limits { max_pdf_objects: 100, ..Limits::default() };
    let mut writer = Writer::new();
    for n in 1..200 {
        writer.object(n, "<<>>");
    }
    let error = fails_with(writer.finish(), limits);
    assert!(error.to_string().contains("max_pdf_objects = 100"), "{error}");
    // A table of more entries than the file has room for.
    let mut bytes = pdf(&[""]);
    bytes.extend_from_slice(
        b"xref\n0 4000000000\n0000000000 65535 f\r\ntrailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF",
    );
    assert_eq!(documents("x.pdf", bytes)[0].text, "");
}

#[test]
fn objects_that_overlap_do_not_take_their_square_in_time() {
    // Each of these streams ends where the file ends.
    let mut bytes = b"%PDF-1.4\n".to_vec();
    for n in 0..100_000 {
        writeln!(bytes, "{n} 0 obj<</Length 9>>stream").unwrap();
    }
    bytes.extend_from_slice(b"endstream\ntrailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF");
    assert!(fails(bytes).to_string().contains("overlap"));
    // Each of these dictionaries goes on to the end.
    let mut bytes = b"%PDF-1.4\n".to_vec();
    for n in 0..100_000 {
        write!(bytes, "{n} 0 obj<</A").unwrap();
    }
    bytes.extend_from_slice(b"trailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF");
    let error = fails(bytes);
    assert_eq!(error.code(), "document_damaged", "{error}");
}

#[test]
fn bytes_that_were_changed_by_accident_end_in_text_or_in_an_error() {
    let bytes = pdf(&[FIRST, "BT /F1 9 Tf (two) Tj ET"]);
    let mut random = fastrand::Rng::with_seed(4);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..1_000 {
        let mut changed = bytes.clone();
        for _ in 0..random.usize(1..6) {
            let at = random.usize(..changed.len());
            changed[at] = match random.u8(..4) {
                0 => random.u8(..),
                1 => b"0123456789"[random.usize(..10)],
                2 => b"<>[]()/ R"[random.usize(..9)],
                _ => changed[random.usize(..changed.len())],
            };
        }
        match read_with("x.pdf", changed, &settings(), Limits::default()) {
            Ok(_) => read += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
}
