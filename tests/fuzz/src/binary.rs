//! Files that are not text: workbooks, columns, documents, archives and compressions.

use std::io::{Cursor, Read, Write};

use inlet::catalog::{Format, FormatKind, SheetChoice};
use inlet::format::Compression;

use crate::check::{self, Way};
use crate::choose::Choices;
use crate::parts;

fn workbook(sheets: u8, pages: &[u8]) {
    let mut way = Way::of_kind("a.xlsx", FormatKind::Excel);
    way.format.sheet = match sheets % 4 {
        0 => None,
        1 => Some(SheetChoice::All),
        2 => Some(SheetChoice::Number(1)),
        _ => Some(SheetChoice::Name("S".to_owned())),
    };
    check::all(&way, pages);
}

/// Workbooks of any kind as they are.
pub fn excel(data: &[u8]) {
    let mut choices = Choices::new(data);
    workbook(choices.byte(), choices.rest());
}

/// Workbooks that are a zip of parts: xlsx, xlsb and ods.
pub fn excel_parts(data: &[u8]) {
    let mut choices = Choices::new(data);
    let (sheets, deflated) = (choices.byte(), choices.one(&[false, true]));
    workbook(sheets, &parts::zip(&parts::split(choices.rest()), deflated));
}

/// Workbooks of records in a compound file: xls.
pub fn excel_records(data: &[u8]) {
    let mut choices = Choices::new(data);
    let sheets = choices.byte();
    if let Some(file) = parts::compound(&parts::split(choices.rest())) {
        workbook(sheets, &file);
    }
}

fn document(name: &str, pages: bool, bytes: &[u8]) {
    let mut way = Way::of_kind(name, FormatKind::Document);
    way.format.max_text = Some(2_000);
    way.format.pages = Some(pages);
    check::all(&way, bytes);
}

/// Documents of Word, as a zip of parts.
pub fn docx(data: &[u8]) {
    let mut choices = Choices::new(data);
    let deflated = choices.one(&[false, true]);
    document("a.docx", false, &parts::zip(&parts::split(choices.rest()), deflated));
}

/// PDFs as they are.
pub fn pdf(data: &[u8]) {
    let mut choices = Choices::new(data);
    let pages = choices.one(&[false, true]);
    document("a.pdf", pages, choices.rest());
}

/// PDFs that are put together from objects.
pub fn pdf_objects(data: &[u8]) {
    let mut choices = Choices::new(data);
    let pages = choices.one(&[false, true]);
    document("a.pdf", pages, &parts::pdf(&parts::split(choices.rest())));
}

/// Parquet files as they are.
pub fn parquet(data: &[u8]) {
    check::all(&Way::of("a.parquet"), data);
}

/// Parquet files of pages and a footer.
pub fn parquet_footer(data: &[u8]) {
    if let [(_, pages), (_, footer)] = parts::split(data)[..] {
        check::all(&Way::of("a.parquet"), &parts::parquet(pages, footer));
    }
}

/// Avro files as they are.
pub fn avro(data: &[u8]) {
    check::all(&Way::of("a.avro"), data);
}

/// Avro files of a schema and blocks.
pub fn avro_blocks(data: &[u8]) {
    check::all(&Way::of("a.avro"), &parts::avro(&parts::split(data)));
}

/// Bytes that are enough of what a compressed file expands to.
const ENOUGH: u64 = 8 << 20;

/// What other readers of the same compression make of a file; `None`: an error, or too much.
fn expanded(compression: Compression, bytes: &[u8]) -> Option<Vec<u8>> {
    let input = Cursor::new(bytes);
    let reader: Box<dyn Read> = match compression {
        Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(input)),
        Compression::Zstd => Box::new(zstd::Decoder::new(input).ok()?),
        Compression::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(input)),
        Compression::Xz => {
            let stream = liblzma::stream::Stream::new_stream_decoder(
                80 << 20,
                liblzma::stream::CONCATENATED,
            );
            Box::new(liblzma::read::XzDecoder::new_stream(input, stream.ok()?))
        }
        Compression::None => Box::new(input),
    };
    let mut plain = Vec::new();
    let n = reader.take(ENOUGH + 1).read_to_end(&mut plain).ok()?;
    (n as u64 <= ENOUGH).then_some(plain)
}

/// Compressed files as they are: what comes out is what other readers find in them, or an error.
pub fn compressed(data: &[u8]) {
    let mut way = Way::of_kind("a.csv", FormatKind::Csv);
    way.limits.max_expanded_bytes = Some(ENOUGH);
    let whole = check::whole(&way, data);
    check::all(&way, data);
    let compression = whole.detected.as_ref().map(|detected| detected.compression);
    if let (Some(compression), Some(_)) = (compression, whole.counters()) {
        // Padding, which they do not know, cannot be told from zeros at the end of the last member.
        let end = data.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let mut ends = std::iter::once(data.len()).chain(end..data.len().min(end + 16));
        let plain = ends.find_map(|end| expanded(compression, &data[..end]));
        let plain = plain.expect("what can be read is in order");
        // Compressed twice, or an archive, is another matter.
        if !inlet::format::may_expand(&plain) && whole.detected.is_some_and(|d| d.archive.is_none())
        {
            check::same_rows(&way, &plain, data);
        }
    }
}

/// A text that is compressed has the rows of the text.
pub fn recompressed(data: &[u8]) {
    let mut choices = Choices::new(data);
    let how = choices.byte();
    let cut = usize::from(choices.byte());
    let plain = choices.rest();
    if plain.is_empty() || inlet::format::may_expand(plain) {
        return;
    }
    // Of several members, one of which may be empty.
    let (first, second) = plain.split_at(cut * plain.len() / 200 % (plain.len() + 1));
    let compress = |bytes: &[u8]| match how % 4 {
        0 => {
            let level = flate2::Compression::fast();
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
            encoder.write_all(bytes).expect("memory");
            encoder.finish().expect("memory")
        }
        1 => zstd::encode_all(bytes, 1).expect("memory"),
        2 => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            encoder.write_all(bytes).expect("memory");
            encoder.finish().expect("memory")
        }
        _ => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
            encoder.write_all(bytes).expect("memory");
            encoder.finish().expect("memory")
        }
    };
    let whole = [compress(first), compress(second)].concat();
    let way = Way::of_kind("a.csv", FormatKind::Csv);
    check::same_rows(&way, plain, &whole);
    check::all(&way, &whole);
}

/// Archives as they are; the checksums of a tar may be put right.
pub fn archive(data: &[u8]) {
    let mut choices = Choices::new(data);
    let sums = choices.one(&[false, true]);
    let bytes = choices.rest();
    let way = Way::of("a.zip");
    match sums {
        false => check::all(&way, bytes),
        true => check::all(&way, &parts::with_sums(bytes)),
    }
}

/// An archive has the rows of its members.
pub fn members(data: &[u8]) {
    let mut choices = Choices::new(data);
    let (how, nested) = (choices.byte(), choices.one(&[false, true]));
    let names: Vec<String> = (0..20).map(|n| format!("m{n}.csv")).collect();
    let found = parts::split(choices.rest());
    let mut members: Vec<(&[u8], &[u8])> = Vec::new();
    let (mut rows, mut rejects) = (0, 0);
    let mut sound = true;
    for (name, (_, content)) in names.iter().zip(found) {
        let way = Way { format: Format::default(), ..Way::of(name) };
        let whole = check::whole(&way, content);
        match whole.counters() {
            Some(counters) => {
                rows += counters.rows;
                rejects += counters.rejects;
            }
            None => sound = false,
        }
        sound &= whole.detected.is_some_and(|detected| detected.archive.is_none());
        members.push((name.as_bytes(), content));
    }
    let archive = |members: &[(&[u8], &[u8])]| match how % 3 {
        0 => parts::zip(members, false),
        1 => parts::zip(members, true),
        _ => parts::tar(members),
    };
    let mut bytes = archive(&members);
    if nested {
        bytes = archive(&[(b"in.zip", &bytes)]);
    }
    let way = Way::of("a.zip");
    check::all(&way, &bytes);
    let counters = check::whole(&way, &bytes).counters();
    if sound && !members.is_empty() {
        let counters = counters.expect("an archive of sound members is sound");
        assert_eq!((counters.rows, counters.rejects), (rows, rejects));
    }
}
