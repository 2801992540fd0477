//! How many values a page of a delta encoding announces, before the crate `parquet` makes room for them.
//!
//! The lengths of texts are numbers in blocks, and the number of the lengths stands before them, in the page
//! itself: the crate believes it, and a few bytes make it take gigabytes.
//! (<https://parquet.apache.org/docs/file-format/data-pages/encodings/>)

use parquet::basic::Encoding;
use parquet::column::page::Page;

/// The greatest levels of repetition and of definition in a column.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Levels {
    pub(super) repetition: i16,
    pub(super) definition: i16,
}

/// More values than the page has.
#[derive(Debug, PartialEq, Eq)]
struct TooMany;

/// Whether a page announces no more lengths than it has values. What cannot be read the crate refuses.
pub(super) fn fits(page: &Page, levels: Levels) -> bool {
    let (values, encoding) = match page {
        Page::DataPage {
            buf,
            num_values,
            encoding,
            def_level_encoding,
            rep_level_encoding,
            ..
        } => {
            let after = |bytes, level, encoding| after_levels(bytes, level, encoding, *num_values);
            let values = after(&buf[..], levels.repetition, *rep_level_encoding)
                .and_then(|rest| after(rest, levels.definition, *def_level_encoding));
            (values, *encoding)
        }
        Page::DataPageV2 { buf, encoding, def_levels_byte_len, rep_levels_byte_len, .. } => {
            let levels = u64::from(*def_levels_byte_len) + u64::from(*rep_levels_byte_len);
            (usize::try_from(levels).ok().and_then(|levels| buf.get(levels..)), *encoding)
        }
        Page::DictionaryPage { .. } => return true,
    };
    let (Some(values), most) = (values, u64::from(page.num_values())) else { return true };
    let checked = match encoding {
        Encoding::DELTA_LENGTH_BYTE_ARRAY => numbers(values, most).map(|_| ()),
        // How much of the text before each one begins with, then the lengths of the rest.
        Encoding::DELTA_BYTE_ARRAY => numbers(values, most).and_then(|rest| match rest {
            Some(rest) => numbers(rest, most).map(|_| ()),
            None => Ok(()),
        }),
        _ => Ok(()),
    };
    checked.is_ok()
}

/// What follows the levels at the beginning of a page of the first version.
fn after_levels(bytes: &[u8], most: i16, encoding: Encoding, values: u32) -> Option<&[u8]> {
    if most <= 0 {
        return Some(bytes);
    }
    let length = match encoding {
        Encoding::RLE => 4 + u64::from(u32::from_le_bytes(*bytes.first_chunk()?)),
        _ => {
            let bits = 16 - most.leading_zeros();
            (u64::from(values) * u64::from(bits)).div_ceil(8)
        }
    };
    bytes.get(usize::try_from(length).ok()?..)
}

/// Passes over numbers in blocks; `None`: they cannot be read.
fn numbers(bytes: &[u8], most: u64) -> Result<Option<&[u8]>, TooMany> {
    let mut rest = bytes;
    let mut header = || varint(&mut rest);
    let (Some(block), Some(parts), Some(count), Some(_first)) =
        (header(), header(), header(), header())
    else {
        return Ok(None);
    };
    if count > most {
        return Err(TooMany);
    }
    Ok(blocks(rest, block, parts, count.saturating_sub(1)))
}

/// Passes over the blocks of `left` numbers, each of which has so many parts.
fn blocks(mut rest: &[u8], block: u64, parts: u64, mut left: u64) -> Option<&[u8]> {
    let size = block.checked_div(parts).filter(|size| *size > 0)?;
    while left > 0 {
        varint(&mut rest)?;
        let (widths, after) = rest.split_at_checked(usize::try_from(parts).ok()?)?;
        rest = after;
        for width in widths {
            if left == 0 {
                break;
            }
            let bytes = size.checked_mul(u64::from(*width))?.div_ceil(8);
            rest = rest.get(usize::try_from(bytes).ok()?..)?;
            left = left.saturating_sub(size);
        }
    }
    Some(rest)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn page(encoding: Encoding, values: u32, buf: &[u8]) -> Page {
        Page::DataPage {
            buf: Bytes::copy_from_slice(buf),
            num_values: values,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        }
    }

    /// A block of 128 numbers in four parts, of which there are this many, all alike.
    fn alike(count: &[u8]) -> Vec<u8> {
        [&[0x80, 1, 4][..], count, &[2, 0, 0, 0, 0, 0]].concat()
    }

    #[test]
    fn a_page_does_not_announce_more_lengths_than_it_has_values() {
        let optional = Levels { repetition: 0, definition: 1 };
        let many = [0xfc, 0xff, 0xff, 0x7f];
        let (length, both) = (Encoding::DELTA_LENGTH_BYTE_ARRAY, Encoding::DELTA_BYTE_ARRAY);
        assert!(fits(&page(length, 3, &alike(&[3])), Levels::default()));
        assert!(!fits(&page(length, 3, &alike(&many)), Levels::default()));
        let levels = [2, 0, 0, 0, 6, 1];
        assert!(fits(&page(length, 3, &[&levels[..], &alike(&[3])].concat()), optional));
        assert!(!fits(&page(length, 3, &[&levels[..], &alike(&many)].concat()), optional));
        assert!(fits(&page(both, 3, &[alike(&[3]), alike(&[3])].concat()), Levels::default()));
        assert!(!fits(&page(both, 3, &[alike(&[3]), alike(&many)].concat()), Levels::default()));
        assert!(fits(&page(both, 3, b"\xff"), Levels::default()), "the crate says what is wrong");
        assert!(fits(&page(Encoding::PLAIN, 3, &alike(&many)), Levels::default()));
    }
}
