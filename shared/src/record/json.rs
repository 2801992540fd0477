//! JSON text, written straight into a buffer.

use super::buffer::{Buffer, Padded};

/// What must be escaped in a JSON string, by byte: 0 is copied as it is.
///
/// `0xef` begins U+FFFE and U+FFFF, which XML and therefore SQS refuse in a message; they are looked
/// at more closely.
static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        class[byte] = 1;
        byte += 1;
    }
    class[b'"' as usize] = 1;
    class[b'\\' as usize] = 1;
    class[0xef] = 2;
    class
};

/// Appends `text`, which is UTF-8, as the inside of a JSON string.
#[inline]
pub(super) fn escape(out: &mut Buffer, text: &[u8]) {
    if copy(out.room(text.len()), text) {
        out.advance(text.len());
    } else {
        escape_slowly(out, text);
    }
}

/// Appends `text`, which is UTF-8, as a JSON string.
#[inline]
pub(super) fn string(out: &mut Buffer, text: &[u8]) {
    let room = out.room(text.len() + 2);
    if copy(&mut room[1..], text) {
        room[0] = b'"';
        room[text.len() + 1] = b'"';
        out.advance(text.len() + 2);
    } else {
        out.push(b'"');
        escape_slowly(out, text);
        out.push(b'"');
    }
}

/// Appends `before`, `text` and a closing quote, the opening one being in `before`. This is
/// [`string`] with all the room asked for at once, as nearly every cell is written by it.
#[inline(always)]
pub(super) fn string_after(out: &mut Buffer, before: &Padded, text: &[u8]) {
    out.extend_from_padded_with(before, text.len() + 1);
    let room = out.room(text.len() + 1);
    if copy(room, text) {
        room[text.len()] = b'"';
        out.advance(text.len() + 1);
    } else {
        escape_slowly(out, text);
        out.push(b'"');
    }
}

/// Copies `text` word by word while looking at it; `false` if a byte must be escaped. May write up to
/// a word beyond it.
///
/// Cells are short, so each length up to two words has its own way without a loop; the last word
/// overlaps the one before it.
#[inline(always)]
fn copy(room: &mut [u8], text: &[u8]) -> bool {
    const TWO: usize = 2 * WORD;
    let length = text.len();
    let care = if let Some(last) = text.last_chunk::<TWO>() {
        let mut care = needs_care_twice(last);
        let (pairs, _) = text.as_chunks::<TWO>();
        let (places, _) = room.as_chunks_mut::<TWO>();
        for (pair, place) in pairs.iter().zip(places) {
            *place = *pair;
            care |= needs_care_twice(pair);
        }
        room[length - TWO..length].copy_from_slice(last);
        care
    } else if let (Some(first), Some(last)) =
        (text.first_chunk::<WORD>(), text.last_chunk::<WORD>())
    {
        room[..WORD].copy_from_slice(first);
        room[length - WORD..length].copy_from_slice(last);
        needs_care(u64::from_le_bytes(*first)) | needs_care(u64::from_le_bytes(*last))
    } else {
        let word = short_word(text);
        room[..WORD].copy_from_slice(&word.to_le_bytes());
        // Zeros behind the text must not look like control characters.
        needs_care(word | ((ONES * 0x20) & (u64::MAX << (8 * length))))
    };
    care == 0
}

#[inline(always)]
fn needs_care_twice(words: &[u8; 2 * WORD]) -> u64 {
    let words = u128::from_le_bytes(*words);
    needs_care(words as u64) | needs_care((words >> 64) as u64)
}

const WORD: usize = 8;
const ONES: u64 = 0x0101_0101_0101_0101;

/// Up to seven bytes as the low bytes of a word, in three loads at most.
#[inline(always)]
fn short_word(text: &[u8]) -> u64 {
    let length = text.len();
    if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return u64::from(first) | u64::from(last) << (8 * (length - 4));
    }
    match text {
        [] => 0,
        // One, two or three bytes: the first, the middle and the last cover them.
        _ => {
            let byte = |at: usize| u64::from(text[at]) << (8 * at);
            byte(0) | byte(length / 2) | byte(length - 1)
        }
    }
}

/// Not 0 if any byte of a word is not simply copied: the high bit of a byte of `(x - 1) & !x` is set
/// where x is 0 (and perhaps above such a byte, which does not matter here).
#[inline(always)]
fn needs_care(word: u64) -> u64 {
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let zero = |x: u64| x.wrapping_sub(ONES) & !x;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let quote = zero(word ^ (ONES * b'"' as u64));
    let backslash = zero(word ^ (ONES * b'\\' as u64));
    let noncharacter = zero(word ^ (ONES * 0xef));
    (control | quote | backslash | noncharacter) & HIGHS
}

#[cold]
#[inline(never)]
fn escape_slowly(out: &mut Buffer, text: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut copied = 0;
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        let mut length = 1;
        match CLASS[usize::from(byte)] {
            0 => {
                at += 1;
                continue;
            }
            2 => {
                let noncharacter = match text.get(at + 1..at + 3) {
                    Some(b"\xbf\xbe") => b"\\ufffe",
                    Some(b"\xbf\xbf") => b"\\uffff",
                    _ => {
                        at += 1;
                        continue;
                    }
                };
                out.extend_from_slice(&text[copied..at]);
                out.extend_from_slice(noncharacter);
                length = 3;
            }
            _ => {
                out.extend_from_slice(&text[copied..at]);
                match byte {
                    b'"' => out.extend_from_slice(b"\\\""),
                    b'\\' => out.extend_from_slice(b"\\\\"),
                    b'\n' => out.extend_from_slice(b"\\n"),
                    b'\r' => out.extend_from_slice(b"\\r"),
                    b'\t' => out.extend_from_slice(b"\\t"),
                    _ => {
                        out.extend_from_slice(b"\\u00");
                        out.push(HEX[usize::from(byte >> 4)]);
                        out.push(HEX[usize::from(byte & 15)]);
                    }
                }
            }
        }
        at += length;
        copied = at;
    }
    out.extend_from_slice(&text[copied..]);
}

/// Appends a whole number.
pub(super) fn number(out: &mut Buffer, mut value: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = Buffer::default();
        string(&mut out, text.as_bytes());
        String::from_utf8(out.into_vec()).expect("UTF-8 stays UTF-8")
    }

    #[test]
    fn strings_come_back_as_they_were() {
        let mut seed = 1_u64;
        let alphabet: Vec<char> = ('\0'..='\u{7f}')
            .chain("é漢🦀\u{feff}\u{fffd}\u{fffe}\u{ffff}\u{efff}".chars())
            .collect();
        for length in 0..200 {
            let text: String = (0..length)
                .map(|_| {
                    seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    alphabet[(seed >> 33) as usize % alphabet.len()]
                })
                .collect();
            let json = escaped(&text);
            assert_eq!(serde_json::from_str::<String>(&json).expect("valid JSON"), text);
            let refused = |c: char| c < ' ' || c == '\u{fffe}' || c == '\u{ffff}';
            assert!(!json.contains(refused), "a queue would refuse {json:?}");
        }
    }

    #[test]
    fn every_single_character_is_escaped_in_every_place_of_a_word() {
        for byte in 0..=0x7f_u8 {
            for at in 0..9 {
                let mut text = vec![b'a'; 9];
                text[at] = byte;
                let text = String::from_utf8(text).expect("ASCII");
                let json = escaped(&text);
                assert_eq!(serde_json::from_str::<String>(&json).expect("valid JSON"), text);
            }
        }
    }

    #[test]
    fn numbers() {
        for value in [0, 9, 10, 12_345, u64::MAX] {
            let mut out = Buffer::default();
            number(&mut out, value);
            assert_eq!(out.into_vec(), value.to_string().into_bytes());
        }
    }
}
