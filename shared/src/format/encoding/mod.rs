//! The encoding of a text, found out where nothing states it; what is not UTF-8 becomes it.
//!
//! In this order: what the source states; a byte order mark; the pattern of NUL bytes that UTF-16
//! makes; what an XML or HTML document declares; strict UTF-8; the encoding of the table's file before, if
//! it makes as much sense; and last a guess from the letters, by the detector of the Firefox browser. A file whose first bytes are ASCII is left undecided until the
//! first byte that is not, however late it comes, and is then decided by the 64 KiB that begin there.
//! So the decision depends on the file alone, not on how it arrives, nor on where reading it began.
//!
//! Text in UTF-8 passes through uncopied. A file that is UTF-8 but for some bytes stays as it is: those
//! bytes are for the reader to refuse, row by row. In other encodings each malformed sequence becomes
//! one byte `ff`, which is never UTF-8: it is refused in the same way, and never becomes U+FFFD.

mod detect;
mod halves;
mod mac;
mod text;

use std::sync::{Arc, OnceLock};

pub(super) use text::Text;

use super::input::Input;
use super::{FormatError, Hints, sniff};
use crate::catalog::{self, Encoding, FormatKind};

/// Bytes that a guess looks at, from the first one beyond ASCII on.
pub(super) const WINDOW: usize = 64 << 10;

/// An encoding that was decided on, and why.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) encoding: Encoding,
    pub(super) why: String,
}

/// What was decided on for one file, by the time it was.
pub(super) type Decided = Arc<OnceLock<Found>>;

/// What the first bytes of a file say.
enum Looked {
    /// It is no text.
    NoText,
    /// Nothing but ASCII so far.
    Ascii,
    Text(Found),
}

/// Makes text of the bytes of a file. What is no text stays as it is.
pub(super) fn open(
    mut input: Input,
    hints: Hints<'_>,
    settings: &catalog::Format,
    evidence: &mut Vec<String>,
) -> Result<(Input, Decided), FormatError> {
    let decided = Decided::default();
    let expected = expected(hints);
    let input = match look(&mut input, hints.name, settings, expected)? {
        Looked::NoText => {
            // Read as lines all the same, where the settings say so: as they are, also by who reads on.
            if settings.kind == Some(FormatKind::Jsonl) {
                let why = String::new();
                decided.get_or_init(|| Found { encoding: Encoding::UTF_8, why });
            }
            input
        }
        Looked::Ascii => undecided(input, 0, expected, &decided),
        Looked::Text(found) => {
            if !found.why.is_empty() {
                evidence.push(found.why.clone());
            }
            let found = decided.get_or_init(|| found);
            decoded(input, found.encoding)
        }
    };
    Ok((input, decided))
}

/// What the text is expected to be in.
fn expected(hints: Hints<'_>) -> Option<Encoding> {
    hints.expected.and_then(|expected| expected.encoding)
}

fn look(
    input: &mut Input,
    name: &str,
    settings: &catalog::Format,
    expected: Option<Encoding>,
) -> Result<Looked, FormatError> {
    let text = |encoding, why| Ok(Looked::Text(Found { encoding, why }));
    let sample = input.peek(sniff::SAMPLE)?;
    if sniff::is_binary(sample) {
        return Ok(Looked::NoText);
    }
    let mark = detect::mark(sample);
    if let Some(stated) = settings.encoding {
        // Which of the two UTF-16 it is, the mark knows better than the label.
        let encoding = match mark {
            Some(marked) if is_utf16(marked) && is_utf16(stated) => marked,
            _ => stated,
        };
        return text(encoding, format!("encoding {encoding}: stated"));
    }
    if let Some(marked) = mark {
        // The reader of a text in UTF-8 passes over its mark and says so.
        let why = match marked == Encoding::UTF_8 {
            true => String::new(),
            false => format!("encoding {marked}: the file begins with its byte order mark"),
        };
        return text(marked, why);
    }
    if memchr::memchr(0, sample).is_some() {
        let json = sniff::may_be_json(sample, name, settings);
        // JSON begins with a character of ASCII, of which UTF-16 has a NUL beside it.
        let begins = json && matches!(sample, [b'{' | b'[', second, ..] if *second != 0);
        if let Some(encoding) = detect::utf16(sample).filter(|_| !begins) {
            return text(encoding, format!("encoding {encoding}: one byte of each two is NUL"));
        }
        // In JSON a NUL is a mistake of its row. All other texts are refused for it.
        if !json {
            return Ok(Looked::NoText);
        }
    }
    if let Some((encoding, how)) = detect::declared(sample) {
        return text(encoding, format!("encoding {encoding}: {how}"));
    }
    if let Some(encoding) = detect::iso_2022_jp(sample) {
        return text(encoding, format!("encoding {encoding}: its escape sequences"));
    }
    let Some(first) = sample.iter().position(|byte| !byte.is_ascii()) else {
        return Ok(Looked::Ascii);
    };
    let sample = input.peek(first + WINDOW)?;
    let whole = sample.len() < first + WINDOW;
    let (encoding, why) = detect::beyond_ascii(sample, first, whole, expected);
    text(encoding, why)
}

/// The same text once more from this offset: `encoding` is what was decided on before, if anything.
pub(super) fn resume(
    input: Input,
    hints: Hints<'_>,
    offset: u64,
    encoding: Option<Encoding>,
) -> (Input, Decided) {
    let decided = Decided::default();
    let input = match encoding {
        None => undecided(input, offset, expected(hints), &decided),
        Some(encoding) => {
            decided.get_or_init(|| Found { encoding, why: String::new() });
            decoded(input, encoding)
        }
    };
    (input, decided)
}

fn undecided(input: Input, offset: u64, expected: Option<Encoding>, decided: &Decided) -> Input {
    let meter = Arc::clone(input.meter());
    Input::text(Text::undecided(input, offset, expected, Arc::clone(decided)), meter)
}

fn decoded(input: Input, encoding: Encoding) -> Input {
    if encoding == Encoding::UTF_8 {
        return input;
    }
    let meter = Arc::clone(input.meter());
    Input::text(Text::decoded(input, encoding), meter)
}

fn is_utf16(encoding: Encoding) -> bool {
    [encoding_rs::UTF_16LE, encoding_rs::UTF_16BE].contains(&encoding.get())
}

#[cfg(test)]
mod tests;
