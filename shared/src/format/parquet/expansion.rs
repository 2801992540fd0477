//! What a page expands to, before the crate `parquet` expands it.
//!
//! The header of a page says how large it becomes, and of Snappy, Zstandard and raw LZ4 the crate makes no
//! more room than that. What it reads of gzip, Brotli and LZ4 frames it reads to their end, and a few
//! kilobytes may become gigabytes. So these are read here first, counting, and nothing is kept.

use std::io::{self, Read};
use std::ops::Range;

use parquet::basic::Compression;
use parquet::file::metadata::ParquetMetaData;

/// Bytes with which a frame of LZ4 begins.
const LZ4_FRAME: &[u8] = b"\x04\x22\x4d\x18";
/// Bytes that a decoder may hold.
const BUFFER: usize = 16 << 10;

/// Where in the file columns lie whose pages have no bound of their own.
#[derive(Debug, Default)]
pub(super) struct Unbounded(Vec<(Range<u64>, Codec)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Codec {
    Gzip,
    Brotli,
    Lz4,
}

impl Unbounded {
    /// Those of a file.
    pub(super) fn of(metadata: &ParquetMetaData) -> Self {
        let columns = metadata.row_groups().iter().flat_map(|group| group.columns());
        let unbounded = columns.filter_map(|column| {
            let codec = match column.compression() {
                Compression::GZIP(_) => Codec::Gzip,
                Compression::BROTLI(_) => Codec::Brotli,
                Compression::LZ4 => Codec::Lz4,
                _ => return None,
            };
            let begin = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
            let begin = u64::try_from(begin.min(column.data_page_offset())).ok()?;
            let length = u64::try_from(column.compressed_size()).ok()?;
            Some((begin..begin.saturating_add(length), codec))
        });
        Self(unbounded.collect())
    }

    /// Whether the page at a place of the file expands to more than `most` bytes. A page that cannot be
    /// expanded does not: the crate says what is wrong with it.
    pub(super) fn is_larger(&self, at: u64, page: &[u8], most: u64) -> bool {
        let codec = self.0.iter().find(|(range, _)| range.contains(&at)).map(|(_, codec)| *codec);
        let mut reader: Box<dyn Read + '_> = match codec {
            Some(Codec::Gzip) => Box::new(flate2::read::MultiGzDecoder::new(page)),
            Some(Codec::Brotli) => Box::new(brotli::Decompressor::new(page, BUFFER)),
            Some(Codec::Lz4) if page.starts_with(LZ4_FRAME) => {
                Box::new(lz4_flex::frame::FrameDecoder::new(page))
            }
            Some(Codec::Lz4) | None => return false,
        };
        let counted = io::copy(&mut reader.by_ref().take(most.saturating_add(1)), &mut io::sink());
        counted.is_ok_and(|bytes| bytes > most)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_page_that_expands_to_more_than_it_says_is_known_before_it_fills_the_memory() {
        let zeros = vec![0; 1 << 20];
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&zeros).expect("memory");
        let mut brotli = brotli::CompressorWriter::new(Vec::new(), 4096, 1, 20);
        brotli.write_all(&zeros).expect("memory");
        let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
        lz4.write_all(&zeros).expect("memory");
        for (codec, page) in [
            (Codec::Gzip, gzip.finish().expect("memory")),
            (Codec::Brotli, brotli.into_inner()),
            (Codec::Lz4, lz4.finish().expect("memory")),
        ] {
            let unbounded = Unbounded(vec![(100..200, codec)]);
            assert!(unbounded.is_larger(150, &page, 1000), "{codec:?}");
            assert!(!unbounded.is_larger(150, &page, 1 << 20), "{codec:?}");
            assert!(!unbounded.is_larger(250, &page, 1000), "another column");
            assert!(!unbounded.is_larger(150, b"no page", 1000), "damage is told elsewhere");
        }
    }
}
