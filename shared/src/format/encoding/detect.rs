//! Which encoding bytes are in, by the bytes alone.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::DecoderResult;

use super::{halves, mac};
use crate::catalog::Encoding;
use crate::format::sniff::BOM;

/// Letters beyond ASCII from which on their encoding is likely, not guessed.
pub(super) const LIKELY: usize = 20;

/// Bytes of a document in which it declares its encoding.
const DECLARATION: usize = 1024;

/// The encoding that a byte order mark means. (That of UTF-32 is none that is read.)
pub(super) fn mark(sample: &[u8]) -> Option<Encoding> {
    if sample.starts_with(BOM) {
        Some(Encoding::UTF_8)
    } else if sample.starts_with(b"\xff\xfe\0\0") {
        None
    } else if sample.starts_with(b"\xff\xfe") {
        Some(encoding_rs::UTF_16LE.into())
    } else if sample.starts_with(b"\xfe\xff") {
        Some(encoding_rs::UTF_16BE.into())
    } else {
        None
    }
}

/// UTF-16 without a mark, in a sample that contains NUL bytes: one byte of each ASCII character is
/// NUL, always the same of the two, and even in a table of Chinese many characters are ASCII. A stray
/// NUL in a text of single bytes is none.
pub(super) fn utf16(sample: &[u8]) -> Option<Encoding> {
    let (units, _) = sample.as_chunks::<2>();
    let first = units.iter().filter(|unit| unit[0] == 0).count();
    let second = units.iter().filter(|unit| unit[1] == 0).count();
    // The low byte of some other characters is NUL, too: that of the Chinese one, to begin with.
    let (nuls, encoding) = match first < second {
        true if first * 8 <= second => (second, encoding_rs::UTF_16LE),
        false if second * 8 <= first => (first, encoding_rs::UTF_16BE),
        _ => return None,
    };
    let single = sample.iter().filter(|byte| is_ascii_text(**byte)).count();
    let mostly = nuls * 2 >= units.len();
    // Less: then there is much that is no ASCII text.
    let some = nuls * 20 >= units.len() && (sample.len() - nuls - single) * 10 >= sample.len();
    if !mostly && !some {
        return None;
    }
    // An odd byte at the end is the first half of what follows the sample.
    let (text, malformed) = encoding.decode_without_bom_handling(&sample[..sample.len() / 2 * 2]);
    // A pair of surrogates may be cut at the end of the sample.
    let text = text.strip_suffix('\u{fffd}').unwrap_or(&text);
    let plain = |c: char| !c.is_control() || matches!(c, '\t' | '\r' | '\n');
    let sound = !malformed || !text.contains('\u{fffd}');
    (sound && text.chars().all(plain)).then(|| encoding.into())
}

fn is_ascii_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\r' | b'\n' | b' '..=b'~')
}

/// What an XML or HTML document says of itself.
pub(super) fn declared(sample: &[u8]) -> Option<(Encoding, &'static str)> {
    let head = &sample[..sample.len().min(DECLARATION)];
    let text = head.trim_ascii_start();
    if !text.starts_with(b"<") {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let (key, how, end) = match lower.starts_with(b"<?xml") {
        true => (&b"encoding"[..], "its XML declaration", memchr::memmem::find(&lower, b"?>")?),
        false => (&b"charset"[..], "its HTML declares it", lower.len()),
    };
    let at = memchr::memmem::find(&lower[..end], key)? + key.len();
    let rest = lower[at..end].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let rest = rest.strip_prefix(b"\"").or(rest.strip_prefix(b"'")).unwrap_or(rest);
    let is_label = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_:.".contains(byte);
    let length = rest.iter().take_while(|byte| is_label(byte)).count();
    let label = std::str::from_utf8(&rest[..length]).ok()?;
    let encoding = Encoding::for_label(label)?;
    // Who can read this declaration byte by byte does not read UTF-16.
    (!super::is_utf16(encoding)).then_some((encoding, how))
}

/// ISO-2022-JP, which is ASCII to the eye: it switches by escape sequences.
pub(super) fn iso_2022_jp(sample: &[u8]) -> Option<Encoding> {
    if !sample.is_ascii() || memchr::memchr(0x1b, sample).is_none() {
        return None;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(sample, false);
    let guess = detector.guess(None, Utf8Detection::Deny);
    (guess == encoding_rs::ISO_2022_JP).then(|| guess.into())
}

/// What the bytes beyond ASCII would be in UTF-8.
#[derive(Debug, Default, PartialEq, Eq)]
struct Utf8 {
    /// Whole characters.
    characters: usize,
    /// Characters that begin well and break off.
    broken: usize,
    /// Bytes that are nowhere near a character.
    strange: usize,
}

impl Utf8 {
    fn of(mut bytes: &[u8], whole: bool) -> Self {
        let mut counts = Self::default();
        loop {
            match std::str::from_utf8(bytes) {
                Ok(text) => {
                    counts.characters += beyond(text);
                    return counts;
                }
                Err(error) => {
                    let (valid, rest) = bytes.split_at(error.valid_up_to());
                    counts.characters += std::str::from_utf8(valid).map_or(0, beyond);
                    match error.error_len() {
                        None if whole => {
                            counts.broken += 1;
                            return counts;
                        }
                        None => return counts,
                        Some(1) => counts.strange += 1,
                        Some(_) => counts.broken += 1,
                    }
                    bytes = &rest[error.error_len().unwrap_or(rest.len())..];
                }
            }
        }
    }
}

fn beyond(text: &str) -> usize {
    text.chars().filter(|c| !c.is_ascii()).count()
}

/// The encoding of bytes of which the one at `first` is the first beyond ASCII (`whole`: nothing
/// follows them), and why. `expected`: that of the file before.
pub(super) fn beyond_ascii(
    bytes: &[u8],
    first: usize,
    whole: bool,
    expected: Option<Encoding>,
) -> (Encoding, String) {
    let utf8 = Utf8::of(&bytes[first..], whole);
    let bad = utf8.strange + utf8.broken;
    if bad == 0 {
        let why = format!("encoding utf-8: {} characters beyond ASCII, all valid", utf8.characters);
        return (Encoding::UTF_8, why);
    }
    let but = |why: &str| {
        let why = format!(
            "encoding utf-8, with {bad} malformed sequences beside {} characters beyond ASCII{why}",
            utf8.characters
        );
        (Encoding::UTF_8, why)
    };
    // Chance makes characters of UTF-8 in other encodings, but rarely as many.
    if utf8.strange == 0 || utf8.characters + utf8.broken >= 4 * utf8.strange {
        return but("");
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    // The words around the first letter count, too.
    detector.feed(&bytes[first.saturating_sub(64)..], whole);
    let guess = detector.guess(None, Utf8Detection::Deny);
    let guess = match halves::with_some_cut(bytes, first, whole, guess) {
        Some(better) => better,
        None if guess == encoding_rs::WINDOWS_1252 && mac::is_likely(bytes) => {
            encoding_rs::MACINTOSH
        }
        None => guess,
    };
    // In an encoding of single bytes chance makes hardly any: then two encodings are mixed, and to
    // refuse rows is better than to bend them.
    let mixed = guess.is_single_byte()
        && guess != encoding_rs::WINDOWS_874
        && utf8.characters * 4 >= utf8.strange;
    if mixed {
        return but(", mixed with another encoding");
    }
    let letters = bytes[first..].iter().filter(|byte| !byte.is_ascii()).count();
    let few = letters < LIKELY;
    // A guess from a few letters swings from file to file, and encodings of one family differ in a few. (An
    // encoding that takes several bytes for a letter makes sense of its own text alone.) What many letters
    // say wins over the file before, which may have been a guess itself.
    if let Some(expected) = expected
        && expected != Encoding::UTF_8
        && expected.get().is_single_byte() == guess.is_single_byte()
        && (few || family(expected.get()) == family(guess))
        && is_sound(expected.get(), &bytes[first..], whole)
    {
        let why =
            format!("encoding {expected}: that of the file before, and it makes sense of this one");
        return (expected, why);
    }
    if !is_sound(guess, &bytes[first..], whole) {
        return but(", and no other encoding makes sense of them");
    }
    let confidence = if few { "a guess" } else { "likely" };
    let why = format!(
        "encoding {}: {confidence}, from {letters} bytes that are not UTF-8; format.encoding states another",
        Encoding::from(guess)
    );
    (guess.into(), why)
}

/// Encodings in which most letters of the same languages are the same bytes.
fn family(of: &'static encoding_rs::Encoding) -> &'static str {
    match of.name() {
        "ISO-8859-3" | "ISO-8859-10" | "ISO-8859-14" | "ISO-8859-15" | "windows-1254" => {
            "windows-1252"
        }
        "ISO-8859-2" | "ISO-8859-16" => "windows-1250",
        "ISO-8859-4" | "ISO-8859-13" => "windows-1257",
        "ISO-8859-7" => "windows-1253",
        "ISO-8859-8" | "ISO-8859-8-I" => "windows-1255",
        "KOI8-U" => "KOI8-R",
        name => name,
    }
}

/// Whether the bytes decode to text, all but a fiftieth of them. `ff` and `fe` are what corruption is made of, and
/// hardly a letter of anything.
fn is_sound(encoding: &'static encoding_rs::Encoding, bytes: &[u8], whole: bool) -> bool {
    let high = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    let filler = bytes.iter().filter(|byte| **byte >= 0xfe).count();
    if filler * 2 >= high {
        return false;
    }
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = vec![0; 3 * bytes.len() + 16];
    let (mut read, mut written, mut malformed) = (0, 0, 0);
    loop {
        let (result, n, out) =
            decoder.decode_to_utf8_without_replacement(&bytes[read..], &mut text[written..], whole);
        (read, written) = (read + n, written + out);
        match result {
            DecoderResult::InputEmpty => break,
            DecoderResult::OutputFull => return false,
            DecoderResult::Malformed(..) => malformed += 1,
        }
    }
    let Ok(text) = std::str::from_utf8(&text[..written]) else { return false };
    // What the standard maps to a control character is no letter of the encoding.
    let controls = text.chars().filter(|c| ('\u{80}'..'\u{a0}').contains(c)).count();
    (malformed + controls) * 50 <= high
}
