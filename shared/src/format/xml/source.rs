//! The bytes of a file for the XML parser: counted, kept while they may be part of a row, and never
//! more of them than a row may have.

use std::io::{self, BufRead, Read};

use crate::format::FormatError;
use crate::format::input::Input;
use crate::format::lines::Lines;

/// Bytes that are asked for at a time, and looked at to find the rows.
const BUFFER: usize = 256 << 10;

pub(super) struct Source {
    input: Input,
    buffer: Vec<u8>,
    filled: usize,
    at: usize,
    /// What was read since the mark, and where the mark is.
    kept: Vec<u8>,
    mark: Lines,
    /// Bytes that may be kept.
    most: usize,
    /// Why reading stopped, if it is not the text's fault.
    stopped: Option<Stopped>,
}

/// Why no more bytes were given.
pub(super) enum Stopped {
    Input(FormatError),
    /// More would have to be kept than is allowed.
    TooLong,
}

impl Source {
    /// Passes over a byte order mark: `mark`.
    pub(super) fn open(input: Input, most: usize, mark: &[u8]) -> Result<Self, FormatError> {
        let mut source = Self {
            input,
            buffer: vec![0; BUFFER],
            filled: 0,
            at: 0,
            kept: Vec::new(),
            mark: Lines::from(0),
            most,
            stopped: None,
        };
        source.filled = source.input.fill(&mut source.buffer)?;
        if source.buffer[..source.filled].starts_with(mark) {
            source.at = mark.len();
            source.mark = Lines::from(mark.len() as u64);
        }
        Ok(source)
    }

    /// The first bytes of the file, before any was read.
    pub(super) fn sample(&self) -> &[u8] {
        &self.buffer[self.at..self.filled]
    }

    /// Whether the first bytes are all there are.
    pub(super) fn is_whole(&self) -> bool {
        self.filled < self.buffer.len()
    }

    /// Adds as many bytes to the first ones as there are; `false`: they are all, or as many as one row
    /// may have.
    pub(super) fn look_further(&mut self) -> Result<bool, FormatError> {
        if self.is_whole() || self.buffer.len() >= self.most {
            return Ok(false);
        }
        self.buffer.resize(self.most.min(self.buffer.len() * 2), 0);
        self.filled += self.input.fill(&mut self.buffer[self.filled..])?;
        Ok(true)
    }

    /// Puts the mark where the reading is.
    pub(super) fn mark(&mut self) {
        self.mark.pass(&self.kept);
        self.kept.clear();
    }

    /// What was read since the mark.
    pub(super) fn kept(&self) -> &[u8] {
        &self.kept
    }

    /// The place `after` bytes behind the mark.
    pub(super) fn place(&self, after: usize) -> Lines {
        let mut place = self.mark;
        place.pass(&self.kept[..after.min(self.kept.len())]);
        place
    }

    /// Why reading stopped, if it is not the text's fault.
    pub(super) fn take_stopped(&mut self) -> Option<Stopped> {
        self.stopped.take()
    }
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(into)?;
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.filled {
            if self.kept.len() > self.most {
                self.stopped = Some(Stopped::TooLong);
                return Err(io::Error::other("too long"));
            }
            self.at = 0;
            self.filled = 0;
            if self.buffer.len() > BUFFER {
                self.buffer = vec![0; BUFFER];
            }
            match self.input.fill(&mut self.buffer) {
                Ok(filled) => self.filled = filled,
                Err(error) => {
                    self.stopped = Some(Stopped::Input(error));
                    return Err(io::Error::other("the input failed"));
                }
            }
        }
        Ok(&self.buffer[self.at..self.filled])
    }

    fn consume(&mut self, amount: usize) {
        let end = (self.at + amount).min(self.filled);
        self.kept.extend_from_slice(&self.buffer[self.at..end]);
        self.at = end;
    }
}
