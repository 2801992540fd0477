//! The data of streams, within bounds: a few bytes can expand to gigabytes.

use std::borrow::Cow;

use flate2::{Decompress, FlushDecompress, Status};
use hayro_syntax::Filter;
use hayro_syntax::object::dict::keys::{DECODE_PARMS, DP, F, FILTER, PREDICTOR};
use hayro_syntax::object::{Array, Dict, MaybeRef, Object, Stream};

use super::{damaged, over};
use crate::format::{FormatError, Limits};

/// What a compressed stream expands to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expanded {
    /// So many bytes.
    To(u64),
    /// More than allowed.
    TooFar,
    /// It is cut short or damaged.
    Damaged,
}

/// The only filter of a stream, if that can be said without following a reference: `Some(None)` is no
/// filter.
pub(super) fn plain_filter(dict: &Dict<'_>) -> Option<Option<Filter>> {
    if dict.contains_key(F) {
        return None;
    }
    if !dict.contains_key(FILTER) {
        return Some(None);
    }
    let name = match dict.get_raw::<Object<'_>>(FILTER)? {
        MaybeRef::NotRef(Object::Name(name)) => name.as_ref().to_vec(),
        MaybeRef::NotRef(Object::Array(names)) => {
            let mut names = names.raw_iter();
            match (names.next(), names.next()) {
                (None, _) => return Some(None),
                (Some(MaybeRef::NotRef(Object::Name(name))), None) => name.as_ref().to_vec(),
                _ => return None,
            }
        }
        _ => return None,
    };
    matches!(name.as_slice(), b"FlateDecode" | b"Fl").then_some(Some(Filter::FlateDecode))
}

/// Measures a deflated stream without keeping it.
pub(super) fn measure_flate(data: &[u8], most: u64) -> Expanded {
    let mut bytes = 0;
    inflate(data, |piece| {
        bytes += piece.len() as u64;
        bytes <= most
    })
    .map_or_else(|stopped| stopped, |()| Expanded::To(bytes))
}

/// Gives the expanded bytes piece by piece, as long as they are wanted. The checksum at the end is not
/// looked at: many writers have it wrong.
fn inflate(data: &[u8], mut wanted: impl FnMut(&[u8]) -> bool) -> Result<(), Expanded> {
    let zlib = matches!(data, [cmf, flags, ..]
        if cmf & 0x0f == 8 && flags & 0x20 == 0 && (u16::from(*cmf) << 8 | u16::from(*flags)) % 31 == 0);
    let data = if zlib { &data[2..] } else { data };
    let mut state = Decompress::new(false);
    let mut piece = vec![0; 32 << 10];
    loop {
        let (read, written) = (state.total_in(), state.total_out());
        let from = usize::try_from(read).unwrap_or(usize::MAX).min(data.len());
        let status = state.decompress(&data[from..], &mut piece, FlushDecompress::None);
        let n = usize::try_from(state.total_out() - written).unwrap_or(0);
        if !wanted(&piece[..n]) {
            return Err(Expanded::TooFar);
        }
        match status {
            Ok(Status::StreamEnd) => return Ok(()),
            Ok(_) if n > 0 || state.total_in() > read => {}
            _ => return Err(Expanded::Damaged),
        }
    }
}

/// What the streams of a file may still expand to.
pub(super) struct Budget<'l> {
    limits: &'l Limits,
    left: u64,
}

impl<'l> Budget<'l> {
    pub(super) fn new(limits: &'l Limits) -> Self {
        Self { limits, left: limits.max_document_expanded_bytes }
    }

    fn spend(&mut self, bytes: usize) -> Result<(), FormatError> {
        match self.left.checked_sub(bytes as u64) {
            Some(left) => self.left = left,
            None => {
                let (setting, most) =
                    ("max_document_expanded_bytes", self.limits.max_document_expanded_bytes);
                return Err(over("expanded bytes", setting, most));
            }
        }
        Ok(())
    }

    /// The expanded data of a stream; an error if it is damaged, or is an image.
    pub(super) fn expand<'a>(&mut self, stream: &Stream<'a>) -> Result<Cow<'a, [u8]>, FormatError> {
        let most = usize::try_from(self.limits.max_pdf_stream_bytes).unwrap_or(usize::MAX);
        let mut data = stream.raw_data();
        for filter in stream.filters() {
            let expanded = match filter {
                Filter::FlateDecode => flate(&data, most),
                Filter::LzwDecode => lzw(&data, early_change(stream.dict()), most),
                Filter::Ascii85Decode => ascii85(&data, most),
                Filter::AsciiHexDecode => ascii_hex(&data, most),
                Filter::RunLengthDecode => run_length(&data, most),
                Filter::Crypt => continue,
                _ => return Err(damaged("an image stands where text should be")),
            };
            data = Cow::Owned(match expanded {
                Ok(expanded) => expanded,
                Err(Expanded::TooFar) => {
                    let most = self.limits.max_pdf_stream_bytes;
                    return Err(over("expanded bytes in a stream", "max_pdf_stream_bytes", most));
                }
                Err(_) => return Err(damaged("a stream is damaged")),
            });
            self.spend(data.len())?;
        }
        if has_predictor(stream.dict()) {
            // Measured above; a predictor makes data shorter.
            let decoded = stream.decoded_data().map_err(|_| damaged("a stream is damaged"))?;
            return Ok(decoded);
        }
        Ok(data)
    }
}

/// Parameters of filters, whichever way they are given.
fn parameters<'a>(dict: &Dict<'a>) -> Vec<Dict<'a>> {
    let mut all = Vec::new();
    for key in [DECODE_PARMS, DP] {
        if let Some(one) = dict.get::<Dict<'_>>(key) {
            all.push(one);
        } else if let Some(several) = dict.get::<Array<'_>>(key) {
            all.extend(several.iter::<Object<'_>>().take(16).filter_map(Object::into_dict));
        }
    }
    all
}

fn has_predictor(dict: &Dict<'_>) -> bool {
    parameters(dict).iter().any(|one| one.get::<i32>(PREDICTOR).is_some_and(|n| n > 1))
}

fn early_change(dict: &Dict<'_>) -> bool {
    let key = hayro_syntax::object::dict::keys::EARLY_CHANGE;
    !parameters(dict).iter().any(|one| one.get::<i32>(key) == Some(0))
}

fn flate(data: &[u8], most: usize) -> Result<Vec<u8>, Expanded> {
    let mut out = Vec::new();
    inflate(data, |piece| {
        out.extend_from_slice(piece);
        out.len() <= most
    })?;
    Ok(out)
}

fn lzw(data: &[u8], early: bool, most: usize) -> Result<Vec<u8>, Expanded> {
    const CLEAR: usize = 256;
    const END: usize = 257;
    let mut out: Vec<u8> = Vec::new();
    // Each entry is a piece of the output: where it begins, and its length.
    let mut table: Vec<(usize, usize)> = Vec::with_capacity(4096 - 258);
    let mut before: Option<(usize, usize)> = None;
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in data {
        bits = (bits << 8) | u32::from(*byte);
        held += 8;
        let width = match 258 + table.len() + usize::from(early) {
            0..=511 => 9,
            512..=1023 => 10,
            1024..=2047 => 11,
            _ => 12,
        };
        if held < width {
            continue;
        }
        held -= width;
        let code = (bits >> held) as usize & ((1 << width) - 1);
        bits &= (1 << held) - 1;
        match code {
            CLEAR => {
                table.clear();
                before = None;
                continue;
            }
            END => return Ok(out),
            _ => {}
        }
        if let Some((start, length)) = before
            && table.len() < 4096 - 258
        {
            // One byte more than the piece before: the first of the one that comes now.
            table.push((start, length + 1));
        }
        let start = out.len();
        if code < 256 {
            out.push(code as u8);
        } else {
            let (from, length) = *table.get(code - 258).ok_or(Expanded::Damaged)?;
            if out.len() + length > most {
                return Err(Expanded::TooFar);
            }
            for at in from..from + length {
                let byte = *out.get(at).ok_or(Expanded::Damaged)?;
                out.push(byte);
            }
        }
        if out.len() > most {
            return Err(Expanded::TooFar);
        }
        before = Some((start, out.len() - start));
    }
    // Many writers leave out the end.
    Ok(out)
}

fn ascii85(data: &[u8], most: usize) -> Result<Vec<u8>, Expanded> {
    let mut out = Vec::new();
    let (mut group, mut digits) = (0_u32, 0_u32);
    for byte in data {
        match byte {
            b'~' => break,
            b'z' if digits == 0 => out.extend_from_slice(&[0; 4]),
            b'!'..=b'u' => {
                group = group.wrapping_mul(85).wrapping_add(u32::from(byte - b'!'));
                digits += 1;
                if digits == 5 {
                    out.extend_from_slice(&group.to_be_bytes());
                    (group, digits) = (0, 0);
                }
            }
            byte if byte.is_ascii_whitespace() || *byte == 0 => {}
            _ => return Err(Expanded::Damaged),
        }
        if out.len() > most {
            return Err(Expanded::TooFar);
        }
    }
    if digits > 1 {
        for _ in digits..5 {
            group = group.wrapping_mul(85).wrapping_add(84);
        }
        out.extend_from_slice(&group.to_be_bytes()[..digits as usize - 1]);
    }
    Ok(out)
}

fn ascii_hex(data: &[u8], most: usize) -> Result<Vec<u8>, Expanded> {
    let mut out = Vec::new();
    let mut high: Option<u8> = None;
    for byte in data.iter().take_while(|byte| **byte != b'>') {
        let digit = match char::from(*byte).to_digit(16) {
            Some(digit) => digit as u8,
            None if byte.is_ascii_whitespace() || *byte == 0 => continue,
            None => return Err(Expanded::Damaged),
        };
        match high.take() {
            Some(high) => out.push(high << 4 | digit),
            None => high = Some(digit),
        }
        if out.len() > most {
            return Err(Expanded::TooFar);
        }
    }
    out.extend(high.map(|high| high << 4));
    Ok(out)
}

fn run_length(mut data: &[u8], most: usize) -> Result<Vec<u8>, Expanded> {
    let mut out = Vec::new();
    while let [length, rest @ ..] = data {
        match length {
            128 => break,
            0..128 => {
                let n = usize::from(*length) + 1;
                let (bytes, after) = rest.split_at_checked(n).ok_or(Expanded::Damaged)?;
                out.extend_from_slice(bytes);
                data = after;
            }
            129.. => {
                let (byte, after) = rest.split_first().ok_or(Expanded::Damaged)?;
                out.resize(out.len() + 257 - usize::from(*length), *byte);
                data = after;
            }
        }
        if out.len() > most {
            return Err(Expanded::TooFar);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_give_what_was_put_in() {
        assert_eq!(ascii_hex(b"48 65 6C6c 6F7>", 99), Ok(b"Hellop".to_vec()));
        assert_eq!(ascii85(b"87cURD]i,\"Ebo80~>", 99), Ok(b"Hello World!".to_vec()));
        assert_eq!(ascii85(b"z~>", 99), Ok(vec![0; 4]));
        assert_eq!(run_length(&[2, 1, 2, 3, 254, 9, 128], 99), Ok(vec![1, 2, 3, 9, 9, 9]));
        // The example of the standard (ISO 32000-1, 7.4.4.2).
        let coded = [0x80, 0x0b, 0x60, 0x50, 0x22, 0x0c, 0x0c, 0x85, 0x01];
        assert_eq!(lzw(&coded, true, 99), Ok(vec![45, 45, 45, 45, 45, 65, 45, 45, 45, 66]));
    }

    /// The encoder of the standard, to have long codes.
    fn lzw_encoded(data: &[u8], early: usize) -> Vec<u8> {
        let (mut bits, mut held, mut out) = (0_u64, 0, Vec::new());
        let mut put = |code: usize, width: u32| {
            bits = (bits << width) | code as u64;
            held += width;
            while held >= 8 {
                held -= 8;
                out.push((bits >> held) as u8);
            }
            (bits << (8 - held)) as u8
        };
        let mut table = std::collections::HashMap::new();
        let width = |entries: usize| (258 + entries + early).max(257).ilog2() + 1;
        put(256, 9);
        let mut word: Vec<u8> = Vec::new();
        for byte in data {
            let mut longer = word.clone();
            longer.push(*byte);
            if longer.len() == 1 || table.contains_key(&longer) {
                word = longer;
                continue;
            }
            let code = if word.len() == 1 { word[0].into() } else { table[&word] };
            // The reader is one entry behind.
            put(code, width(table.len().saturating_sub(1)).clamp(9, 12));
            if table.len() < 4096 - 258 {
                table.insert(longer, 258 + table.len());
            }
            word = vec![*byte];
        }
        let code = if word.len() == 1 { word[0].into() } else { table[&word] };
        put(code, width(table.len().saturating_sub(1)).clamp(9, 12));
        let last = put(257, width(table.len()).clamp(9, 12));
        out.push(last);
        out
    }

    #[test]
    fn lzw_reads_codes_of_every_width() {
        let mut data = Vec::new();
        for n in 0..6_000_u32 {
            data.extend_from_slice((n * 7919 % 1000).to_string().as_bytes());
        }
        for early in [1, 0] {
            let coded = lzw_encoded(&data, early);
            assert!(lzw(&coded, early == 1, 1 << 20) == Ok(data.clone()), "early = {early}");
            assert_eq!(lzw(&coded, early == 1, 1000), Err(Expanded::TooFar));
        }
    }

    #[test]
    fn what_expands_too_far_is_stopped() {
        assert_eq!(run_length(&[129, 0].repeat(9), 1000), Err(Expanded::TooFar));
        assert_eq!(ascii85(&[b'z'; 900], 1000), Err(Expanded::TooFar));
        let mut bomb = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut bomb, &vec![0; 1 << 20]).expect("in memory");
        let bomb = bomb.finish().expect("in memory");
        assert_eq!(measure_flate(&bomb, 1000), Expanded::TooFar);
        assert_eq!(measure_flate(&bomb, 1 << 20), Expanded::To(1 << 20));
        assert_eq!(measure_flate(&bomb[..bomb.len() / 2], 1 << 20), Expanded::Damaged);
        assert_eq!(flate(&bomb, 1000), Err(Expanded::TooFar));
    }
}
