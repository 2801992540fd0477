//! A whole file at hand, for formats that are read from their end (Parquet, zip and with it Excel):
//! in memory while it is small, else in a temporary file, so that memory does not grow with it.

use std::io::{self, Read, Seek, SeekFrom, Write};

use tempfile::SpooledTempFile;

use super::input::Input;
use super::{FormatError, Limit, Limits};

/// Bytes that are kept in memory.
const IN_MEMORY: usize = 8 << 20;

/// All decompressed bytes of a file, to be read at any place.
pub(super) struct Spool {
    file: SpooledTempFile,
    length: u64,
}

impl Spool {
    /// Takes all bytes of `input`.
    pub(super) fn fill(mut input: Input, limits: &Limits) -> Result<Self, FormatError> {
        let mut file = SpooledTempFile::new(IN_MEMORY);
        let mut piece = vec![0; 256 << 10];
        let mut length = 0;
        loop {
            let n = input.read(&mut piece)?;
            if n == 0 {
                break;
            }
            length += n as u64;
            if length > limits.max_spooled_bytes {
                return Err(FormatError::TooLargeToSpool {
                    limit: Limit { setting: "max_spooled_bytes", value: limits.max_spooled_bytes },
                });
            }
            file.write_all(&piece[..n]).map_err(FormatError::Read)?;
        }
        file.rewind().map_err(FormatError::Read)?;
        Ok(Self { file, length })
    }

    /// How many bytes.
    pub(super) fn len(&self) -> u64 {
        self.length
    }
}

impl Read for Spool {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.file.read(into)
    }
}

impl Seek for Spool {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
