//! How the blocks of an Avro file are compressed.

use std::io::{self, Read};

/// A codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Null,
    Deflate,
    Snappy,
    Zstandard,
    Bzip2,
    Xz,
}

const CODECS: [(Codec, &str); 6] = [
    (Codec::Null, "null"),
    (Codec::Deflate, "deflate"),
    (Codec::Snappy, "snappy"),
    (Codec::Zstandard, "zstandard"),
    (Codec::Bzip2, "bzip2"),
    (Codec::Xz, "xz"),
];

/// Memory of a decoder: what the strongest presets of xz ask for.
const DECODER_MEMORY: u64 = 80 << 20;
/// The largest window of zstandard as a power of two: 8 MiB, what every decoder must support.
const ZSTD_WINDOW: u32 = 23;

impl Codec {
    /// The codec of this name.
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        CODECS.iter().find(|(_, known)| known.as_bytes() == name).map(|(codec, _)| *codec)
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        CODECS.iter().find(|(codec, _)| *codec == self).map_or("", |(_, name)| name)
    }

    /// Expands a block behind `out`; `false` if it has more than `most` bytes.
    pub(super) fn expand(self, block: &[u8], most: usize, out: &mut Vec<u8>) -> io::Result<bool> {
        match self {
            Self::Null => {
                out.extend_from_slice(block);
                Ok(out.len() <= most)
            }
            Self::Deflate => read(flate2::bufread::DeflateDecoder::new(block), most, out),
            Self::Snappy => snappy(block, most, out),
            Self::Zstandard => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(block)?;
                decoder.window_log_max(ZSTD_WINDOW)?;
                read(decoder, most, out)
            }
            Self::Bzip2 => read(bzip2::bufread::MultiBzDecoder::new(block), most, out),
            Self::Xz => {
                let stream = liblzma::stream::Stream::new_stream_decoder(DECODER_MEMORY, 0)?;
                read(liblzma::bufread::XzDecoder::new_stream(block, stream), most, out)
            }
        }
    }
}

fn read(decoder: impl Read, most: usize, out: &mut Vec<u8>) -> io::Result<bool> {
    // One byte more tells a block that is too large from one that is just not.
    decoder.take(most as u64 + 1).read_to_end(out)?;
    Ok(out.len() <= most)
}

/// Snappy without frames, and a checksum behind it.
fn snappy(block: &[u8], most: usize, out: &mut Vec<u8>) -> io::Result<bool> {
    let damaged = |problem| io::Error::new(io::ErrorKind::InvalidData, problem);
    let Some((data, checksum)) = block.split_last_chunk::<4>() else {
        return Err(damaged("it is cut short".to_owned()));
    };
    let length = snap::raw::decompress_len(data).map_err(|error| damaged(error.to_string()))?;
    if length > most {
        return Ok(false);
    }
    out.resize(length, 0);
    let length = snap::raw::Decoder::new()
        .decompress(data, out)
        .map_err(|error| damaged(error.to_string()))?;
    out.truncate(length);
    if crc32fast::hash(out) != u32::from_be_bytes(*checksum) {
        return Err(damaged("its checksum is another".to_owned()));
    }
    Ok(true)
}
