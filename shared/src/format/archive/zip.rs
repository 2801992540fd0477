//! Zip archives: the directory at the end says where the members are.
//!
//! The archive is kept whole in a [`Spool`]; a member is expanded as it is read, and what comes out has
//! to be what the directory says of it, in length and checksum. Two members that share bytes, of which
//! some bombs are made, are damage.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use deflate64::Deflate64Decoder;
use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, RangeReader, ReaderAt, ZipArchive};

use super::super::members;
use super::{Archive, FormatError, Member, Members, Meter, Spool, What, path};
use crate::format::Compression;

/// The largest entry of a directory.
const ENTRY: usize = rawzip::MAX_CENTRAL_DIRECTORY_RECORD_SIZE;

/// Compressed bytes that are read at a time.
const BUFFER: usize = 64 << 10;

type File = Arc<At>;

/// The archive, to be read at any place by several.
struct At(Mutex<Spool>);

impl ReaderAt for At {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut spool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spool.seek(SeekFrom::Start(offset))?;
        spool.read(into)
    }
}

/// The members of a zip archive, in the order of its directory.
pub(super) struct Zip {
    file: File,
    members: std::vec::IntoIter<Entry>,
    meter: Arc<Meter>,
}

/// One line of the directory.
struct Entry {
    path: String,
    directory: bool,
    encrypted: bool,
    method: CompressionMethod,
    data: (u64, u64),
    length: u64,
    checksum: u32,
}

impl Zip {
    pub(super) fn open(spool: Spool, meter: Arc<Meter>) -> Result<Self, FormatError> {
        let end = spool.len();
        let mut buffer = vec![0; ENTRY];
        let file = Arc::new(At(Mutex::new(spool)));
        let archive = rawzip::ZipLocator::new()
            .locate_in_reader(Arc::clone(&file), &mut buffer, end)
            .map_err(|(_, cause)| broken(cause))?;
        let members = list(&archive, &mut buffer, &meter)?;
        Ok(Self { file, members: members.into_iter(), meter })
    }

    /// How many members are left.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }
}

fn list(
    archive: &ZipArchive<File>,
    buffer: &mut [u8],
    meter: &Meter,
) -> Result<Vec<Entry>, FormatError> {
    let mut members = Vec::new();
    let mut entries = archive.entries(buffer);
    let mut places = Vec::new();
    while let Some(entry) = entries.next_entry().map_err(broken)? {
        meter.member()?;
        let mut name = path::text(entry.file_path().as_bytes(), meter.limits())?;
        // Some tools of Windows write their own separator.
        if name.contains('\\') && !name.contains('/') && !name.contains("\\x") {
            name = name.replace('\\', "/");
        }
        let way = entry.wayfinder();
        let directory = entry.is_dir() || name.ends_with('/');
        let (flags, method) = (entry.flags(), entry.compression_method());
        let (length, checksum) = (entry.uncompressed_size_hint(), entry.crc32());
        let start = entry.local_header_offset();
        let data = archive.get_entry(way).map_err(broken)?.compressed_data_range();
        places.push((start, data.1));
        members.push(Entry {
            path: name,
            directory,
            encrypted: flags.is_encrypted(),
            method,
            data,
            length,
            checksum,
        });
    }
    let counted = members.len() as u64;
    // Without the extension for large archives the count goes round at 65,536.
    if archive.entries_hint() & 0xffff != counted & 0xffff {
        let cause = format!("its directory has {counted} entries, not {}", archive.entries_hint());
        return Err(FormatError::ArchiveCorrupt { archive: Archive::Zip, cause });
    }
    places.sort_unstable();
    if places.windows(2).any(|pair| pair[0].1 > pair[1].0)
        || places.last().is_some_and(|last| last.1 > archive.directory_offset())
    {
        let cause = "its members overlap".to_owned();
        return Err(FormatError::ArchiveCorrupt { archive: Archive::Zip, cause });
    }
    Ok(members)
}

impl Members for Zip {
    fn next(&mut self) -> Result<Option<Member>, FormatError> {
        let Some(entry) = self.members.next() else { return Ok(None) };
        let path = entry.path.clone();
        let what = if entry.directory {
            What::Directory
        } else if entry.encrypted {
            What::Unreadable(FormatError::MemberEncrypted)
        } else {
            self.file(&entry)
        };
        Ok(Some(Member { path, what }))
    }
}

impl Zip {
    fn file(&self, entry: &Entry) -> What {
        let range = RangeReader::new(Arc::clone(&self.file), entry.data.0..entry.data.1);
        let input = BufReader::with_capacity(BUFFER, Stored(range));
        let memory = self.meter.limits().max_decoder_bytes;
        let compression = match entry.method {
            CompressionMethod::STORE => Some(Compression::None),
            CompressionMethod::ZSTD | CompressionMethod::ZSTD_DEPRECATED => Some(Compression::Zstd),
            CompressionMethod::BZIP2 => Some(Compression::Bzip2),
            CompressionMethod::XZ => Some(Compression::Xz),
            _ => None,
        };
        let decoder = match (entry.method, compression) {
            (_, Some(compression)) => {
                Decoder::Members(members::Members::new(compression, input, memory))
            }
            (CompressionMethod::DEFLATE, _) => Decoder::Deflate(DeflateDecoder::new(input)),
            (CompressionMethod::DEFLATE64, _) => {
                Decoder::Deflate64(Box::new(Deflate64Decoder::with_buffer(input)))
            }
            (other, _) => {
                let method = match other.name() {
                    Some(name) => name.to_lowercase(),
                    None => format!("method {}", other.as_u16()),
                };
                return What::Unreadable(FormatError::MemberMethod { method });
            }
        };
        What::File(Box::new(Expanded {
            decoder,
            stored: entry.method == CompressionMethod::STORE,
            checksum: crc32fast::Hasher::new(),
            read: 0,
            expected: (entry.length, entry.checksum),
            meter: Arc::clone(&self.meter),
        }))
    }
}

/// The bytes of a member as they are in the archive.
struct Stored(RangeReader<File>);

impl Read for Stored {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // A disk that fails is no damage of the archive.
        self.0.read(into).map_err(|cause| io::Error::other(FormatError::Read(cause)))
    }
}

enum Decoder {
    Members(members::Members<BufReader<Stored>>),
    Deflate(DeflateDecoder<BufReader<Stored>>),
    Deflate64(Box<Deflate64Decoder<BufReader<Stored>>>),
}

impl Decoder {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, FormatError> {
        let read = match self {
            Self::Members(decoder) => return decoder.read(into),
            Self::Deflate(decoder) => decoder.read(into),
            Self::Deflate64(decoder) => decoder.read(into),
        };
        read.map_err(|cause| match FormatError::of_input(cause) {
            Ok(error) => error,
            Err(cause) => FormatError::MemberCorrupt { cause: cause.to_string() },
        })
    }
}

/// The bytes of a member, expanded and compared with what the directory says.
struct Expanded {
    decoder: Decoder,
    stored: bool,
    checksum: crc32fast::Hasher,
    read: u64,
    expected: (u64, u32),
    meter: Arc<Meter>,
}

impl Expanded {
    fn next(&mut self, into: &mut [u8]) -> Result<usize, FormatError> {
        if into.is_empty() {
            return Ok(0);
        }
        let read = self.decoder.read(into)?;
        if !self.stored {
            self.meter.expand(read as u64)?;
        }
        self.checksum.update(&into[..read]);
        self.read += read as u64;
        let (length, checksum) = self.expected;
        let cause = if self.read > length || (read == 0 && self.read < length) {
            let more = if self.read > length { "more" } else { "fewer" };
            Some(format!("it has {more} bytes than the directory says ({length})"))
        } else if read == 0 && self.checksum.clone().finalize() != checksum {
            Some("its checksum is wrong".to_owned())
        } else {
            None
        };
        match cause {
            Some(cause) => Err(FormatError::MemberCorrupt { cause }),
            None => Ok(read),
        }
    }
}

impl Read for Expanded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.next(into).map_err(io::Error::other)
    }
}

/// What is wrong with the archive as a whole.
fn broken(cause: rawzip::Error) -> FormatError {
    let archive = Archive::Zip;
    match cause.into_kind() {
        rawzip::ErrorKind::IO(cause) if cause.kind() != io::ErrorKind::UnexpectedEof => {
            FormatError::of_io(cause)
        }
        rawzip::ErrorKind::MissingEndOfCentralDirectory => {
            let cause = "the directory at its end is missing".to_owned();
            FormatError::ArchiveTruncated { archive, cause }
        }
        rawzip::ErrorKind::Eof | rawzip::ErrorKind::IO(_) => {
            let cause = "its directory points beyond its end".to_owned();
            FormatError::ArchiveTruncated { archive, cause }
        }
        other => FormatError::ArchiveCorrupt { archive, cause: other.to_string() },
    }
}
