//! What a PDF says of itself.

use hayro_syntax::Pdf;
use hayro_syntax::object::dict::keys::LANG;
use hayro_syntax::object::{DateTime, Dict, String as PdfString};

use super::super::{Meta, said, time};

pub(super) fn meta(pdf: &Pdf, root: &Dict<'_>) -> Meta {
    let metadata = pdf.metadata();
    let string = |bytes: &Option<Box<[u8]>>| bytes.as_deref().and_then(|b| said(&decode(b)));
    let date = |date: &Option<DateTime>| date.as_ref().and_then(rfc3339);
    Meta {
        title: string(&metadata.title),
        author: string(&metadata.author),
        created: date(&metadata.creation_date),
        modified: date(&metadata.modification_date),
        language: root.get::<PdfString<'_>>(LANG).and_then(|lang| said(&decode(&lang))),
        ..Meta::default()
    }
}

/// A text string: UTF-16 or UTF-8 with a byte order mark, else PDFDocEncoding.
fn decode(bytes: &[u8]) -> String {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair));
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match bytes {
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => bytes.iter().map(|byte| doc_encoding(*byte)).collect(),
    }
}

/// PDFDocEncoding (ISO 32000-1, D.2): Latin-1 but for these.
fn doc_encoding(byte: u8) -> char {
    const FROM_18: [char; 8] = ['˘', 'ˇ', 'ˆ', '˙', '˝', '˛', '˚', '˜'];
    const FROM_80: [char; 33] = [
        '•', '†', '‡', '…', '—', '–', 'ƒ', '⁄', '‹', '›', '−', '‰', '„', '“', '”', '‘', '’', '‚',
        '™', 'ﬁ', 'ﬂ', 'Ł', 'Œ', 'Š', 'Ÿ', 'Ž', 'ı', 'ł', 'œ', 'š', 'ž', '\u{fffd}', '€',
    ];
    match byte {
        0x18..=0x1f => FROM_18[usize::from(byte - 0x18)],
        0x80..=0xa0 => FROM_80[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

fn rfc3339(date: &DateTime) -> Option<String> {
    let DateTime { year, month, day, hour, minute, second, .. } = *date;
    let sign = if date.utc_offset_hour < 0 { '-' } else { '+' };
    let (hours, minutes) = (date.utc_offset_hour.unsigned_abs(), date.utc_offset_minute);
    time(&format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{sign}{hours:02}:{minutes:02}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_decoded_by_their_mark() {
        assert_eq!(decode(b"\xfe\xff\0H\0\xe9\xd8\x3d\xde\x00"), "Hé😀");
        assert_eq!(decode(b"\xff\xfeH\0"), "H");
        assert_eq!(decode(b"\xef\xbb\xbf\xc3\xa9"), "é");
        assert_eq!(decode(b"\xe9 \x80 \xa0"), "é • €");
    }
}
