//! How the bytes of a file are compressed, told by the bytes themselves.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How the bytes of a file are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// Not at all.
    None,
    /// Gzip, of one member or several.
    Gzip,
    /// Zstandard, of one frame or several.
    Zstd,
    /// Bzip2, of one stream or several.
    Bzip2,
    /// Xz, of one stream or several.
    Xz,
}

/// The first bytes of each compression.
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// A frame of zstd that says nothing, after a first byte between 0x50 and 0x5f.
const ZSTD_SKIPPABLE: &[u8] = &[0x2a, 0x4d, 0x18];
const XZ: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z', 0];
const BZIP2: &[u8] = b"BZh";
/// What follows `BZh` and a digit: a block, or at once the end.
const BZIP2_BLOCK: &[u8] = &[0x31, 0x41, 0x59, 0x26, 0x53, 0x59];
const BZIP2_END: &[u8] = &[0x17, 0x72, 0x45, 0x38, 0x50, 0x90];

impl Compression {
    /// Bytes that are enough to tell.
    pub(super) const HEAD: usize = 10;

    /// How a file is compressed that begins with `head`: [`Compression::HEAD`] bytes, or all there
    /// are. A file that ends within the first bytes of a compression is taken for one that was cut,
    /// as long as no text could begin so.
    pub(super) fn of(head: &[u8]) -> Self {
        let ends = head.len() < Self::HEAD;
        let is = |magic: &[u8], least: usize| match head.len() < magic.len() {
            true => ends && head.len() >= least && magic.starts_with(head),
            false => head.starts_with(magic),
        };
        let skippable = head.len() >= 4 && head[0] & 0xf0 == 0x50 && head[1..4] == *ZSTD_SKIPPABLE;
        if is(GZIP, 1) {
            Self::Gzip
        } else if is(ZSTD, 2) || skippable {
            Self::Zstd
        } else if is(XZ, 2) {
            Self::Xz
        } else if is_bzip2(head, ends) {
            Self::Bzip2
        } else {
            Self::None
        }
    }

    /// The compression that a file was cut in, of which `head` is all there is: its name says how it
    /// is compressed, and what is left of it is how that begins, or how a text could begin as well.
    pub(super) fn cut_short(head: &[u8], name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let ends = |extension: &str| name.ends_with(extension);
        let (magic, compression) = if ends(".gz") || ends(".tgz") || ends(".gzip") {
            (GZIP, Self::Gzip)
        } else if ends(".zst") {
            (ZSTD, Self::Zstd)
        } else if ends(".xz") || ends(".txz") {
            (XZ, Self::Xz)
        } else if ends(".bz2") || ends(".tbz2") {
            (BZIP2, Self::Bzip2)
        } else {
            return None;
        };
        // A digit and the beginning of a block follow.
        let bzip2 = compression == Self::Bzip2 && head.len() < 6 && head.starts_with(magic);
        (!head.is_empty() && (magic.starts_with(head) || bzip2)).then_some(compression)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
        }
    }

    /// What a file was told by, for people.
    pub(super) fn evidence(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Gzip => Some("compression gzip: the first bytes are 1f 8b"),
            Self::Zstd => Some("compression zstd: the first bytes are those of a frame"),
            Self::Bzip2 => Some("compression bzip2: the first bytes are BZh and those of a block"),
            Self::Xz => Some("compression xz: the first bytes are fd 37 7a 58 5a 00"),
        }
    }

    /// The command that tests such a file.
    pub(super) fn test(self) -> &'static str {
        match self {
            Self::None => "cat",
            Self::Gzip => "gzip -t",
            Self::Zstd => "zstd -t",
            Self::Bzip2 => "bzip2 -t",
            Self::Xz => "xz -t",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// `BZh` and a digit could begin a text; what follows could not.
fn is_bzip2(head: &[u8], ends: bool) -> bool {
    let Some(rest) = head.strip_prefix(BZIP2) else { return false };
    let Some((b'1'..=b'9', rest)) = rest.split_first() else { return false };
    match rest.len() < BZIP2_BLOCK.len() {
        true => {
            ends && rest.len() >= 2 && [BZIP2_BLOCK, BZIP2_END].iter().any(|m| m.starts_with(rest))
        }
        false => rest.starts_with(BZIP2_BLOCK) || rest.starts_with(BZIP2_END),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_the_compression() {
        for (head, expected) in [
            (&b"\x1f\x8b\x08\0\0\0\0\0\0\0"[..], Compression::Gzip),
            (b"\x1f", Compression::Gzip),
            (b"\x28\xb5\x2f\xfd\x04\0\0\0\0\0", Compression::Zstd),
            (b"\x28\xb5", Compression::Zstd),
            (b"\x50\x2a\x4d\x18\0\0\0\0\0\0", Compression::Zstd),
            (b"\x5f\x2a\x4d\x18", Compression::Zstd),
            (b"\xfd7zXZ\0\0\x04\xe6\xd6", Compression::Xz),
            (b"\xfd7z", Compression::Xz),
            (b"BZh91AY&SY", Compression::Bzip2),
            (b"BZh91AY", Compression::Bzip2),
            (b"BZh9\x17\x72\x45\x38\x50\x90", Compression::Bzip2),
        ] {
            assert_eq!(Compression::of(head), expected, "{head:?}");
        }
        for text in [&b""[..], b"(", b"BZh9,size\n", b"BZh9", b"BZh91", b"PQ\n", b"P*M,a", b"7zXZ"]
        {
            assert_eq!(Compression::of(text), Compression::None, "{text:?}");
        }
    }

    #[test]
    fn what_a_name_calls_compressed_and_is_cut_within_its_first_bytes_is_no_text() {
        for (head, name, expected) in [
            (&b"B"[..], "a.csv.bz2", Some(Compression::Bzip2)),
            (b"BZh91", "a.csv.BZ2", Some(Compression::Bzip2)),
            (b"\xfd", "a.xz", Some(Compression::Xz)),
            (b"(", "a.zst", Some(Compression::Zstd)),
            (b"(", "a.csv", None),
            (b"", "a.csv.gz", None),
            (b"id\n1\n", "a.csv.bz2", None),
            (b"BZh9,size\n", "a.csv.bz2", None),
        ] {
            assert_eq!(Compression::cut_short(head, name), expected, "{name} {head:?}");
        }
    }
}
