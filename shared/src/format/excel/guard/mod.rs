//! Refuses workbooks that would take too much memory, before they are read.
//!
//! The crate `calamine` reads shared texts and styles, and of xls and ods all cells, into memory,
//! whatever they come to: a few bytes may announce a billion cells, and a failed allocation ends the
//! process. So the parts are looked through first, as they stream by, for what they would take.
//! The sizes that a zip archive declares can be relied on: its reader ends with an error beyond them.

mod biff;
mod ods;
mod xml;

use std::io::{self, BufRead, BufReader, Read, Seek};

use zip::ZipArchive;

use super::super::{FormatError, Limit, Limits, Spool};
use super::container::{self, Kind};

/// Bytes of an entry in a list of texts: its place in the list, which may have been doubled, and
/// what the allocator adds.
const TEXT: u64 = 64;
/// Bytes of a cell format, without the texts in it.
const STYLE: u64 = 400;
/// Bytes of an entry in a list of sheets, names or relations, without the texts in it.
const ENTRY: u64 = 512;
/// Bytes of a part whose lists are of no weight.
const SMALL: u64 = 1 << 20;

/// Where the sheets of an xlsb lie, below `xl/`.
pub(super) const SHEETS: [&str; 4] =
    ["worksheets/", "chartsheets/", "dialogsheets/", "macrosheets/"];

/// Bytes of memory that the workbook would take, within `limits`.
pub(super) fn check(spool: &mut Spool, kind: Kind, limits: &Limits) -> Result<(), FormatError> {
    let bytes = match kind {
        Kind::Xls => biff::bytes(spool, limits.max_workbook_bytes),
        Kind::Ods => in_archive(spool, |member, name| match name {
            "meta-inf/manifest.xml" => manifest(member, limits.max_row_bytes as u64),
            _ => Ok(0),
        })
        .and_then(|_| {
            in_archive(spool, |member, name| match name {
                "content.xml" => ods::bytes(member, limits.max_row_bytes as u64),
                _ => Ok(0),
            })
        }),
        Kind::Xlsx => in_archive(spool, |member, name| {
            let is_kept = name.ends_with("sharedstrings.xml") || name.ends_with("styles.xml");
            if is_kept && member.size() > limits.max_workbook_bytes {
                // It takes as much at least: to look at it would only take time.
                Ok(member.size())
            } else if name.ends_with("sharedstrings.xml") {
                xml::shared_strings(member, limits.max_row_bytes as u64)
            } else if name.ends_with("styles.xml") {
                xml::styles(member, limits.max_row_bytes as u64)
            } else if member.size() > SMALL.min(limits.max_row_bytes as u64) {
                // It may be a sheet, or a list of them: the parts may have any names.
                xml::part(member, limits.max_row_bytes as u64)
            } else {
                Ok(0)
            }
        }),
        Kind::Xlsb => in_archive(spool, |member, name| {
            let read = [&SHEETS[..], &["workbook.bin", "sharedstrings.bin"]].concat();
            match name.strip_prefix("xl/") {
                // Relations are XML, and read an element at a time.
                _ if name.ends_with(".rels")
                    && member.size() > SMALL.min(limits.max_row_bytes as u64) =>
                {
                    xml::part(member, limits.max_row_bytes as u64)
                }
                _ if name.ends_with(".rels") => Ok(0),
                Some("styles.bin") => styles(member, limits.max_row_bytes as u64),
                Some(name) if read.iter().any(|part| name.starts_with(part)) => {
                    records(member, name, limits.max_row_bytes as u64)
                }
                _ => Ok(0),
            }
        }),
    };
    spool.rewind().map_err(FormatError::Read)?;
    match bytes {
        Err(problem) => Err(problem.of(kind, limits)),
        Ok(bytes) if bytes > limits.max_workbook_bytes => Err(FormatError::TakesTooMuch {
            problem: format!("the {} would take {bytes} bytes of memory", kind.name()).into(),
            limit: Limit { setting: "max_workbook_bytes", value: limits.max_workbook_bytes },
        }),
        Ok(_) => Ok(()),
    }
}

/// Why a part was not looked through.
#[derive(Debug)]
pub(super) enum Problem {
    /// The reader of the part says this.
    Damaged(String),
    Encrypted,
    /// One text or tag passes the limit of a row.
    TooLong,
}

impl Problem {
    /// The same as the error of a file.
    pub(super) fn of(self, kind: Kind, limits: &Limits) -> FormatError {
        match self {
            Self::Damaged(problem) => {
                FormatError::Damaged { kind: kind.name(), row: 0, problem: problem.into() }
            }
            Self::Encrypted => FormatError::Encrypted { found: "a workbook with a password" },
            Self::TooLong => {
                let value = limits.max_row_bytes as u64;
                FormatError::TakesTooMuch {
                    problem: format!("a cell or tag of the {} is too long", kind.name()).into(),
                    limit: Limit { setting: "max_row_bytes", value },
                }
            }
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        if is_too_long(&error) { Self::TooLong } else { Self::Damaged(error.to_string()) }
    }
}

impl From<quick_xml::Error> for Problem {
    fn from(error: quick_xml::Error) -> Self {
        match error {
            quick_xml::Error::Io(error) if is_too_long(&error) => Self::TooLong,
            other => Self::Damaged(other.to_string()),
        }
    }
}

fn is_too_long(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|cause| cause.is::<TooLong>())
}

/// The sum of what `measure` says of each member; names are in lower case, without `/` before them.
fn in_archive(
    spool: &mut Spool,
    mut measure: impl FnMut(&mut Measured<'_>, &str) -> Result<u64, Problem>,
) -> Result<u64, Problem> {
    let damaged = |error: zip::result::ZipError| Problem::Damaged(error.to_string());
    let mut archive = ZipArchive::new(spool).map_err(damaged)?;
    let mut sum = 0u64;
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).map_err(damaged)?;
        let name = container::plain_name(&member.name().map_err(damaged)?);
        let is_part = [".xml", ".bin", ".rels"].iter().any(|end| name.ends_with(end));
        // Pictures and the like are never read; what else has another name may be a sheet, too.
        if !is_part && name.contains("media/") {
            continue;
        }
        let size = member.size();
        let mut measured = Measured { size, reader: Box::new(&mut member) };
        sum = sum.saturating_add(measure(&mut measured, &name)?);
    }
    Ok(sum)
}

/// A member of an archive and the size that it has at most.
struct Measured<'a> {
    size: u64,
    reader: Box<dyn Read + 'a>,
}

impl Measured<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    /// Its bytes, of which at most `most` may go by without [`Bounded::restart`].
    fn bounded(&mut self, most: u64) -> Bounded<BufReader<impl Read>> {
        let inner = BufReader::with_capacity(64 << 10, &mut self.reader);
        Bounded { inner, most, left: most }
    }
}

/// The manifest of an ods spreadsheet says of each part whether it is encrypted.
fn manifest(member: &mut Measured<'_>, most: u64) -> Result<u64, Problem> {
    let mut text = Vec::new();
    member.bounded(most).read_to_end(&mut text)?;
    match memchr::memmem::find(&text, b"encryption-data") {
        Some(_) => Err(Problem::Encrypted),
        None => Ok(0),
    }
}

/// The binary records of xlsb: none may be longer than a row.
fn records(member: &mut Measured<'_>, name: &str, most: u64) -> Result<u64, Problem> {
    let size = member.size();
    let mut reader = member.bounded(u64::MAX);
    let (mut texts, mut records) = (0, 0);
    while let Some(kind) = record_number(&mut reader, 2)? {
        records += 1;
        let length = record_number(&mut reader, 4)?
            .ok_or_else(|| Problem::Damaged("a record is cut short".to_owned()))?;
        if length > most {
            return Err(Problem::TooLong);
        }
        let passed = io::copy(&mut (&mut reader).take(length), &mut io::sink())?;
        if passed < length {
            return Err(Problem::Damaged("a record is cut short".to_owned()));
        }
        texts += u64::from(kind == 0x13);
    }
    Ok(match name {
        // UTF-16 may become longer by half.
        "sharedstrings.bin" => texts * TEXT + size * 3 / 2,
        // All of them are kept.
        "workbook.bin" if size > SMALL => records * ENTRY + size * 3 / 2,
        _ => 0,
    })
}

/// The styles of an xlsb. Before the two lists that it wants `calamine` passes over the types of records alone,
/// and takes what is in a record for further ones; so lengths are looked at where it sees them.
fn styles(member: &mut Measured<'_>, most: u64) -> Result<u64, Problem> {
    const LISTS: [(u64, u64); 2] = [(0x0267, 0x002c), (0x0269, 0x002f)];
    let mut reader = member.bounded(u64::MAX);
    while let Some(kind) = record_type(&mut reader)? {
        let Some((list, item)) = LISTS.into_iter().find(|(list, _)| *list == kind) else {
            continue;
        };
        let mut body = [0; 4];
        let mut left = u64::from(pass_record(&mut reader, most, &mut body)?);
        while left > 0 {
            let Some(kind) = record_type(&mut reader)? else { return Ok(0) };
            pass_record(&mut reader, most, &mut [0; 4])?;
            left -= u64::from(kind == item);
        }
        if list == LISTS[1].0 {
            break;
        }
    }
    Ok(0)
}

fn record_type(reader: &mut impl Read) -> Result<Option<u64>, Problem> {
    let raw = record_number(reader, 2)?;
    Ok(raw.map(|raw| (raw & 0x7f) | ((raw >> 8) & 0x7f) << 7))
}

/// Passes over what is in a record; its first bytes are a number.
fn pass_record(reader: &mut impl BufRead, most: u64, begin: &mut [u8; 4]) -> Result<u32, Problem> {
    let cut = || Problem::Damaged("a record is cut short".to_owned());
    let length = record_number(reader, 4)?.ok_or_else(cut)?;
    if length > most {
        return Err(Problem::TooLong);
    }
    let first = length.min(4) as usize;
    reader.read_exact(&mut begin[..first])?;
    let rest = length - first as u64;
    if io::copy(&mut reader.take(rest), &mut io::sink())? < rest {
        return Err(cut());
    }
    Ok(u32::from_le_bytes(*begin))
}

/// A number of seven bits a byte; `None` at the end.
pub(super) fn record_number(reader: &mut impl Read, bytes: u32) -> Result<Option<u64>, Problem> {
    let mut value = 0;
    for at in 0..bytes {
        let mut byte = [0];
        if reader.read(&mut byte)? == 0 {
            return match at {
                0 => Ok(None),
                _ => Err(Problem::Damaged("a record is cut short".to_owned())),
            };
        }
        // The type of a record keeps the bits that say whether more follow.
        value |= u64::from(if bytes == 2 { byte[0] } else { byte[0] & 0x7f })
            << (at * if bytes == 2 { 8 } else { 7 });
        if byte[0] < 0x80 {
            break;
        }
    }
    Ok(Some(value))
}

/// Ends with [`TooLong`] when too many bytes went by.
struct Bounded<R> {
    inner: R,
    most: u64,
    left: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("a text or tag is too long")]
struct TooLong;

impl<R> Bounded<R> {
    /// What comes now is counted anew.
    fn restart(&mut self) {
        self.left = self.most;
    }
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let length = available.len().min(into.len());
        into[..length].copy_from_slice(&available[..length]);
        self.consume(length);
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(io::Error::other(TooLong));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.left = self.left.saturating_sub(amount as u64);
        self.inner.consume(amount);
    }
}
