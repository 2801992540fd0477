//! Tar archives: members one after the other, each behind a block that describes it.
//!
//! They are read as they come, and never twice. The `tar` crate understands the blocks; its own
//! iterator lends each member from the archive, while here a member goes its way on its own, so the
//! walk from block to block is done here.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::input::Input;
use super::{Archive, FormatError, Member, Members, Meter, What, path};

const BLOCK: usize = 512;

/// Bytes that may describe one member: its path and whatever else tools note of a file.
const DESCRIPTION: u64 = 1 << 20;

/// Whether a file begins with a member: the sum of its first block stands in it.
pub(in crate::format) fn is_tar(sample: &[u8]) -> bool {
    let Some(block) = sample.first_chunk::<BLOCK>() else { return false };
    // A text has no NUL, which every block ends its fields with.
    block[0] != 0 && memchr::memchr(0, &block[..]).is_some() && sum_is_right(block)
}

fn sum_is_right(block: &[u8; BLOCK]) -> bool {
    let header = tar::Header::from_byte_slice(block);
    // The field itself counts as blanks; some old tools added signed bytes.
    let counted = |at: usize| if (148..156).contains(&at) { b' ' } else { block[at] };
    let unsigned: u32 = (0..BLOCK).map(|at| u32::from(counted(at))).sum();
    let signed: i64 = (0..BLOCK).map(|at| i64::from(counted(at) as i8)).sum();
    header.cksum().is_ok_and(|sum| sum == unsigned || i64::from(sum) == signed)
}

/// The members of a tar archive, as they come.
pub(super) struct Tar {
    stream: Arc<Mutex<Stream>>,
    meter: Arc<Meter>,
    ended: bool,
}

/// The archive, and how much of the current member is still in it.
struct Stream {
    input: Input,
    left: u64,
    /// Zeros that fill the member's last block.
    padding: u64,
}

/// What describes the next member besides its own block.
#[derive(Default)]
struct Description {
    path: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
}

impl Tar {
    pub(super) fn new(input: Input, meter: Arc<Meter>) -> Self {
        let stream = Stream { input, left: 0, padding: 0 };
        Self { stream: Arc::new(Mutex::new(stream)), meter, ended: false }
    }
}

impl Members for Tar {
    fn next(&mut self) -> Result<Option<Member>, FormatError> {
        if self.ended {
            return Ok(None);
        }
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        stream.end_member()?;
        let mut description = Description::default();
        loop {
            let Some(block) = stream.block()? else {
                self.ended = true;
                return match description.path {
                    None => Ok(None),
                    Some(_) => Err(truncated("a member is described and does not follow")),
                };
            };
            let header = tar::Header::from_byte_slice(&block);
            let kind = header.entry_type();
            let of_header = || header.entry_size().map_err(|cause| corrupt(cause.to_string()));
            if kind.is_gnu_longname() || kind.is_gnu_longlink() || is_pax(kind) {
                let bytes = stream.describes(of_header()?)?;
                if kind.is_gnu_longname() {
                    let end = memchr::memchr(0, &bytes).unwrap_or(bytes.len());
                    description.path = Some(bytes[..end].to_vec());
                } else if kind.is_pax_local_extensions() {
                    description.extend(&bytes)?;
                }
                continue;
            }
            self.meter.member()?;
            let size = match description.size {
                Some(size) => size,
                None => of_header()?,
            };
            let name = description.path.take();
            let name = name.unwrap_or_else(|| header.path_bytes().into_owned());
            let path = path::text(&name, self.meter.limits())?;
            let contents = header.as_ustar().is_some() || header.as_gnu().is_some();
            // A link of old tools may state the size of what it points to; nothing of it follows.
            let linked = kind.is_hard_link() || kind.is_symlink();
            stream.begin_member(if linked { 0 } else { size });
            let what = if kind.is_dir() || (!contents && path.ends_with('/')) {
                What::Directory
            } else if kind.is_gnu_sparse() || description.sparse {
                What::Unreadable(FormatError::MemberMethod { method: "holes (sparse)".to_owned() })
            } else if kind.is_file() || kind.is_contiguous() {
                What::File(Box::new(Contents(Arc::clone(&self.stream))))
            } else {
                What::Special
            };
            return Ok(Some(Member { path, what }));
        }
    }
}

/// Descriptions of the standard: of one member, or of all that follow.
fn is_pax(kind: tar::EntryType) -> bool {
    kind.is_pax_local_extensions() || kind.is_pax_global_extensions()
}

impl Description {
    fn extend(&mut self, bytes: &[u8]) -> Result<(), FormatError> {
        for pair in tar::PaxExtensions::new(bytes) {
            let pair = pair.map_err(|cause| corrupt(cause.to_string()))?;
            match pair.key_bytes() {
                b"path" => self.path = Some(pair.value_bytes().to_vec()),
                b"size" => {
                    let size = pair.value().ok().and_then(|size| size.parse().ok());
                    self.size = Some(size.ok_or_else(|| corrupt("a size is no number"))?);
                }
                key if key.starts_with(b"GNU.sparse.") => self.sparse = true,
                _ => {}
            }
        }
        Ok(())
    }
}

/// Bytes from the end of a member to the next block, whatever size it states.
fn padding(size: u64) -> u64 {
    let block = BLOCK as u64;
    (block - size % block) % block
}

impl Stream {
    fn begin_member(&mut self, size: u64) {
        self.left = size;
        self.padding = padding(size);
    }

    /// Passes over what is left of the member.
    fn end_member(&mut self) -> Result<(), FormatError> {
        let mut piece = [0; 8 << 10];
        for left in [std::mem::take(&mut self.left), std::mem::take(&mut self.padding)] {
            let mut left = left;
            while left > 0 {
                let most = usize::try_from(left).map_or(piece.len(), |left| left.min(piece.len()));
                let read = self.input.read(&mut piece[..most])?;
                if read == 0 {
                    return Err(truncated("it ends within a member"));
                }
                left -= read as u64;
            }
        }
        Ok(())
    }

    /// The next block that describes a member; `None` at the end, which blocks of zeros mark. Without
    /// them nobody knows whether members are missing.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, FormatError> {
        let mut block = [0; BLOCK];
        match self.input.fill(&mut block)? {
            BLOCK => {}
            0 => return Err(truncated("the mark of its end is missing")),
            _ => return Err(truncated("it ends within a block")),
        }
        if block.iter().all(|byte| *byte == 0) {
            self.end()?;
            return Ok(None);
        }
        if !sum_is_right(&block) {
            return Err(corrupt("the checksum of a block is wrong"));
        }
        Ok(Some(block))
    }

    /// Nothing but zeros may follow the mark of the end: what does would be lost in silence.
    fn end(&mut self) -> Result<(), FormatError> {
        let mut piece = [0; 8 << 10];
        loop {
            let read = self.input.read(&mut piece)?;
            if read == 0 {
                return Ok(());
            }
            if piece[..read].iter().any(|byte| *byte != 0) {
                let cause =
                    "other bytes follow its end (archives that were joined are read with `tar -i`)";
                return Err(corrupt(cause));
            }
        }
    }

    /// The bytes that describe the next member.
    fn describes(&mut self, size: u64) -> Result<Vec<u8>, FormatError> {
        if size > DESCRIPTION {
            return Err(corrupt(format!("a member is described by {size} bytes")));
        }
        let mut bytes = vec![0; size as usize];
        self.begin_member(size);
        if self.input.fill(&mut bytes)? < bytes.len() {
            return Err(truncated("it ends within the description of a member"));
        }
        self.left = 0;
        self.end_member()?;
        Ok(bytes)
    }
}

/// The bytes of the current member.
struct Contents(Arc<Mutex<Stream>>);

impl Read for Contents {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let most = usize::try_from(stream.left).map_or(into.len(), |left| left.min(into.len()));
        if most == 0 {
            return Ok(0);
        }
        let read = stream.input.read(&mut into[..most]).map_err(io::Error::other)?;
        if read == 0 {
            return Err(io::Error::other(truncated("it ends within a member")));
        }
        stream.left -= read as u64;
        Ok(read)
    }
}

fn truncated(cause: impl Into<String>) -> FormatError {
    FormatError::ArchiveTruncated { archive: Archive::Tar, cause: cause.into() }
}

fn corrupt(cause: impl Into<String>) -> FormatError {
    FormatError::ArchiveCorrupt { archive: Archive::Tar, cause: cause.into() }
}

#[cfg(test)]
mod tests {
    use super::padding;

    #[test]
    fn a_member_may_state_any_size() {
        for (size, expected) in [(0, 0), (1, 511), (512, 0), (513, 511), (u64::MAX, 1)] {
            assert_eq!(padding(size), expected, "{size}");
        }
    }
}
