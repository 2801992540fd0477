//! A look at the footer of a Parquet file before the crate `parquet` reads it.
//!
//! The crate builds the schema by recursion and trusts the counts in it, so a few bytes could end the
//! whole process; and without keys it would take encrypted columns for damaged ones.

use std::io::{Read, Seek, SeekFrom};

use super::super::{FormatError, Limit, Spool};
use super::damaged;

/// Bytes of a footer. Decoded, it takes some ten times as many.
const MAX_FOOTER: u64 = 16 << 20;
/// Groups within groups.
const MAX_DEPTH: usize = 64;

/// What a footer may say that matters here.
#[derive(Default)]
struct Footer {
    encrypted: bool,
    /// The number of children of each element of the schema.
    children: Vec<u32>,
}

/// Looks at the end of the file.
pub(super) fn check(spool: &mut Spool) -> Result<(), FormatError> {
    let mut tail = [0; 8];
    let cut = || damaged(0, "it is cut short: its footer is missing");
    if spool.len() < 12 {
        return Err(cut());
    }
    spool.seek(SeekFrom::End(-8)).map_err(FormatError::Read)?;
    spool.read_exact(&mut tail).map_err(FormatError::Read)?;
    match &tail[4..] {
        b"PAR1" => {}
        b"PARE" => {
            return Err(FormatError::Encrypted { found: "Parquet with an encrypted footer" });
        }
        _ => return Err(cut()),
    }
    let length = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
    if length > spool.len() - 12 {
        return Err(damaged(0, "its footer is longer than the file"));
    }
    if length > MAX_FOOTER {
        return Err(FormatError::TakesTooMuch {
            problem: format!("the footer of the {} has {length} bytes", super::KIND).into(),
            limit: Limit { setting: "bytes of a footer", value: MAX_FOOTER },
        });
    }
    let mut bytes = vec![0; length as usize];
    spool.seek(SeekFrom::End(-8 - length as i64)).map_err(FormatError::Read)?;
    spool.read_exact(&mut bytes).map_err(FormatError::Read)?;
    spool.rewind().map_err(FormatError::Read)?;
    let footer = read(&bytes).ok_or_else(|| damaged(0, "its footer is damaged"))?;
    if footer.encrypted {
        return Err(FormatError::Encrypted { found: "Parquet with encrypted columns" });
    }
    check_schema(&footer.children).map_err(|problem| damaged(0, problem))
}

/// Whether the counts of the schema fit it.
fn check_schema(children: &[u32]) -> Result<(), &'static str> {
    // What is still to come on each level.
    let mut open: Vec<u32> = Vec::new();
    for (at, count) in children.iter().enumerate() {
        if let Some(left) = open.last_mut() {
            *left -= 1;
        } else if at > 0 {
            return Err("its schema has more than one root");
        }
        if *count as usize > children.len() - at {
            return Err("its schema is incomplete");
        }
        if *count > 0 {
            open.push(*count);
        }
        if open.len() > MAX_DEPTH {
            return Err("its schema is nested too deeply");
        }
        while open.last() == Some(&0) {
            open.pop();
        }
    }
    if open.is_empty() { Ok(()) } else { Err("its schema is incomplete") }
}

/// Reads the parts of the footer that matter.
fn read(bytes: &[u8]) -> Option<Footer> {
    let mut thrift = Thrift { bytes, has_list: false };
    let mut footer = Footer::default();
    let mut id = 0;
    while let Some(kind) = thrift.field(&mut id)? {
        match (id, kind) {
            (2, LIST) => {
                let (count, kind) = thrift.list()?;
                if kind != STRUCT {
                    return None;
                }
                for _ in 0..count {
                    footer.children.push(element(&mut thrift)?);
                }
            }
            (4, LIST) => {
                let (count, kind) = thrift.list()?;
                if kind != STRUCT {
                    return None;
                }
                for _ in 0..count {
                    footer.encrypted |= row_group_is_encrypted(&mut thrift)?;
                }
            }
            // The algorithm by which something in the file is encrypted.
            (8, STRUCT) => {
                footer.encrypted = true;
                thrift.skip(kind, 0)?;
            }
            _ => thrift.skip(kind, 0)?,
        }
    }
    Some(footer)
}

/// The number of children of an element of the schema.
fn element(thrift: &mut Thrift<'_>) -> Option<u32> {
    let (mut id, mut children) = (0, 0);
    while let Some(kind) = thrift.field(&mut id)? {
        match (id, kind) {
            (5, I32) => children = u32::try_from(unzigzag(thrift.varint()?)).ok()?,
            _ => thrift.skip(kind, 0)?,
        }
    }
    Some(children)
}

/// Whether a column of the row group says by which key it is encrypted.
fn row_group_is_encrypted(thrift: &mut Thrift<'_>) -> Option<bool> {
    let (mut id, mut encrypted) = (0, false);
    while let Some(kind) = thrift.field(&mut id)? {
        if (id, kind) != (1, LIST) {
            thrift.skip(kind, 0)?;
            continue;
        }
        let (count, kind) = thrift.list()?;
        if kind != STRUCT {
            return None;
        }
        for _ in 0..count {
            let mut id = 0;
            while let Some(kind) = thrift.field(&mut id)? {
                encrypted |= id == 8 && kind == STRUCT;
                thrift.skip(kind, 0)?;
            }
        }
    }
    Some(encrypted)
}

const TRUE: u8 = 1;
const FALSE: u8 = 2;
const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// The compact protocol of Apache Thrift, as far as passing over values needs it.
struct Thrift<'b> {
    bytes: &'b [u8],
    /// A list, a set or a map was passed over.
    has_list: bool,
}

impl Thrift<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// A number of bytes: one of 32 bits that is not negative.
    fn size(&mut self) -> Option<u64> {
        let size = i32::try_from(unzigzag(self.varint()?)).ok()?;
        u64::try_from(size).ok()
    }

    /// The type of the next field, `None` at the end of the struct.
    fn field(&mut self, id: &mut i64) -> Option<Option<u8>> {
        let header = self.byte()?;
        if header & 0x0f == 0 {
            return Some(None);
        }
        match header >> 4 {
            0 => *id = unzigzag(self.varint()?),
            delta => *id += i64::from(delta),
        }
        Some(Some(header & 0x0f))
    }

    fn list(&mut self) -> Option<(u64, u8)> {
        let header = self.byte()?;
        let count = match header >> 4 {
            15 => self.varint()?,
            count => u64::from(count),
        };
        // Each element has a byte at least.
        (count <= self.bytes.len() as u64).then_some((count, header & 0x0f))
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        match kind {
            TRUE | FALSE => {}
            3 => drop(self.byte()?),
            4..=I64 => drop(self.varint()?),
            7 => self.pass(8)?,
            BINARY => {
                let length = self.varint()?;
                self.pass(length)?;
            }
            LIST | 10 => {
                self.has_list = true;
                let (count, kind) = self.list()?;
                for _ in 0..count {
                    self.skip_element(kind, depth + 1)?;
                }
            }
            11 => {
                self.has_list = true;
                let count = self.varint()?;
                if count > self.bytes.len() as u64 {
                    return None;
                }
                let kinds = if count > 0 { self.byte()? } else { 0 };
                for _ in 0..count {
                    self.skip_element(kinds >> 4, depth + 1)?;
                    self.skip_element(kinds & 0x0f, depth + 1)?;
                }
            }
            STRUCT => {
                let mut id = 0;
                while let Some(kind) = self.field(&mut id)? {
                    self.skip(kind, depth + 1)?;
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// Within lists a boolean has a byte of its own.
    fn skip_element(&mut self, kind: u8, depth: usize) -> Option<()> {
        match kind {
            TRUE | FALSE => self.pass(1),
            kind => self.skip(kind, depth),
        }
    }

    fn pass(&mut self, length: u64) -> Option<()> {
        self.bytes = self.bytes.get(usize::try_from(length).ok()?..)?;
        Some(())
    }
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// What the header of a page says, as far as it is in the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PageHeader {
    /// The expanded size; `None` if it cannot be told.
    pub(super) size: Option<u64>,
    /// No page has a list or a map in its header, and the crate would pass over billions of elements
    /// that are not there.
    pub(super) has_list: bool,
    /// Bytes at the beginning of the page that are not compressed.
    pub(super) levels: u64,
    /// Bytes of the header; `None`: it does not end in the bytes.
    pub(super) length: Option<u64>,
}

/// Looks at the header of a page.
pub(super) fn page_header(bytes: &[u8]) -> PageHeader {
    let mut header = PageHeader::default();
    let mut thrift = Thrift { bytes, has_list: false };
    // What cannot be told is beyond the bytes, or damaged: the crate says so.
    if header.read(&mut thrift, Of::Header).is_some() {
        header.length = Some((bytes.len() - thrift.bytes.len()) as u64);
    }
    header.has_list = thrift.has_list;
    header
}

/// The structs of a header, as far as they are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Header,
    Data,
    Index,
    Dictionary,
    Second,
    Statistics,
}

impl Of {
    /// What a field is, if it is no number.
    fn field(self, id: i64) -> Option<Self> {
        match (self, id) {
            (Self::Header, 5) => Some(Self::Data),
            (Self::Header, 6) => Some(Self::Index),
            (Self::Header, 7) => Some(Self::Dictionary),
            (Self::Header, 8) => Some(Self::Second),
            (Self::Data, 5) | (Self::Second, 8) => Some(Self::Statistics),
            _ => None,
        }
    }

    /// Whether a field is of the kind that it has to be of. The crate takes it for that one in any case, and
    /// would see other fields behind it than are seen here.
    fn fits(self, id: i64, kind: u8) -> bool {
        match (self, id) {
            (Self::Header | Self::Data, 1..=4)
            | (Self::Dictionary, 1 | 2)
            | (Self::Second, 1..=6) => kind == I32,
            (Self::Statistics, 1 | 2 | 5 | 6) => kind == BINARY,
            (Self::Statistics, 3 | 4) => kind == I64,
            (Self::Statistics, 7 | 8) | (Self::Dictionary, 3) | (Self::Second, 7) => {
                matches!(kind, TRUE | FALSE)
            }
            _ => self.field(id).is_none() || kind == STRUCT,
        }
    }
}

impl PageHeader {
    fn read(&mut self, thrift: &mut Thrift<'_>, of: Of) -> Option<()> {
        let mut id = 0;
        while let Some(kind) = thrift.field(&mut id)? {
            if !of.fits(id, kind) {
                return None;
            }
            match (of, id) {
                (Of::Header, 2) => self.size = Some(thrift.size()?),
                // In the second version of pages the levels stand before what is compressed.
                (Of::Second, 5 | 6) => self.levels = self.levels.saturating_add(thrift.size()?),
                // Nothing of the page is compressed.
                (Of::Second, 7) if kind == FALSE => self.levels = u64::MAX,
                _ => match of.field(id) {
                    Some(of) => self.read(thrift, of)?,
                    None => thrift.skip(kind, 0)?,
                },
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_whose_counts_do_not_fit_is_refused() {
        assert!(check_schema(&[2, 0, 0]).is_ok());
        assert!(check_schema(&[2, 1, 0, 0]).is_ok());
        assert!(check_schema(&[2, 0]).is_err(), "one is missing");
        assert!(check_schema(&[1, 0, 0]).is_err(), "one too many");
        assert!(check_schema(&[u32::MAX]).is_err());
        let mut deep = vec![1; 100_000];
        deep.push(0);
        assert!(check_schema(&deep).is_err());
    }

    #[test]
    fn a_page_does_not_ask_for_billions_of_elements_in_its_header() {
        // A data page of 24 bytes, then a list of 2^31 - 1 floating point numbers in a field of its own.
        let sizes = [0x15, 0, 0x15, 48, 0x15, 48];
        let list = [0x69, 0xf7, 0xff, 0xff, 0xff, 0xff, 0x07];
        let both = PageHeader { size: Some(24), ..PageHeader::default() };
        assert_eq!(page_header(&sizes), both);
        assert_eq!(
            page_header(&[&sizes[..], &list].concat()),
            PageHeader { has_list: true, ..both }
        );
        assert_eq!(page_header(&[]), PageHeader::default());
        // One of the second version, whose levels take 3 and 5 bytes.
        assert_eq!(
            page_header(&[&[0x15, 6][..], &sizes[2..], &[0x5c, 0x55, 6, 0x15, 10, 0, 0]].concat())
                .levels,
            8
        );
    }

    #[test]
    fn the_size_of_a_page_is_not_told_from_a_header_that_is_read_in_two_ways() {
        let length = |bytes: &[u8]| page_header(bytes).length;
        assert_eq!(length(&[0x15, 0, 0x15, 48, 0x15, 48, 0]), Some(7));
        assert_eq!(length(&[0x15, 0, 0x16, 48, 0x15, 48, 0]), None, "a size of 64 bits");
        assert_eq!(length(&[0x15, 0, 0x15, 49, 0x15, 48, 0]), None, "a negative size");
        assert_eq!(length(&[0x13, 0, 0x15, 48, 0x15, 48, 0]), None, "a kind of one byte");
        // Statistics of a data page: a greatest value, and how many are null.
        let statistics =
            [0x2c, 0x15, 6, 0x15, 0, 0x15, 6, 0x15, 6, 0x1c, 0x18, 1, b'x', 0x26, 2, 0, 0, 0];
        let sizes = [0x15, 0, 0x15, 48, 0x15, 48];
        assert_eq!(length(&[&sizes[..], &statistics].concat()), Some(24));
        let wrong = statistics.map(|byte| if byte == 0x26 { 0x25 } else { byte });
        assert_eq!(length(&[&sizes[..], &wrong].concat()), None);
    }

    #[test]
    fn nested_rubbish_ends() {
        assert!(read(&[0x1c; 100_000]).is_none(), "structs within structs");
        assert!(read(&[0x19; 100_000]).is_none(), "lists within lists");
        assert!(read(&[]).is_none());
    }
}
