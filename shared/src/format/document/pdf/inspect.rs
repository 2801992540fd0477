//! A look at the raw bytes of a PDF, before anything follows its references.
//!
//! Whatever a PDF is made to do, it does with objects that stand in its bytes: each begins with `obj`,
//! each table of objects with `xref` or as an object. So one pass finds all that the reader could come
//! upon, and what it would cost: how many objects there are, what the streams that hold objects expand
//! to (the reader keeps those), and whether objects overlap so that reading all of them would take time
//! beyond any measure of the file's size.

use std::collections::HashSet;

use hayro_syntax::Filter;
use hayro_syntax::object::dict::keys::{
    ENCRYPT, FIRST, INDEX, INFO, LENGTH, N, ROOT, SIZE, TYPE, W,
};
use hayro_syntax::object::{Array, Dict, FromBytes, MaybeRef, Name, ObjRef, Stream};

use super::streams::{self, Expanded};
use super::{damaged, over};
use crate::format::{FormatError, Limits};

/// Bytes of a dictionary.
const MAX_DICT: usize = 8 << 20;

/// Bytes at the end of a file in which the place of its table must stand. The standard says 1,024;
/// some senders append something.
const TAIL: usize = 64 << 10;

/// How often the bytes of a file may be read in all, objects within objects included.
const OVERLAP: u64 = 4;

/// Where reading begins.
#[derive(Debug)]
pub(super) struct Entry {
    /// The catalog.
    pub(super) root: ObjRef,
    /// What the document says of itself.
    pub(super) info: Option<ObjRef>,
    /// The place of the table of objects, if there is one.
    pub(super) table: Option<u64>,
}

/// A stream with a place in the file.
struct Found<'a> {
    number: Option<u32>,
    dict: Dict<'a>,
    /// Where its data begins, and where it ends at the latest.
    start: usize,
    end: usize,
}

/// Looks at all of the file.
pub(super) fn inspect(data: &[u8], limits: &Limits) -> Result<Entry, FormatError> {
    let tail = data.len().saturating_sub(TAIL);
    let Some(end) = memchr::memmem::rfind(&data[tail..], b"startxref") else {
        return Err(damaged("it is cut short: its end is missing"));
    };
    let mut look = Look {
        data,
        limits,
        left: (data.len() as u64) * OVERLAP + (16 << 20),
        objects: 0,
        holding: 0,
        containers: HashSet::new(),
        holders: Vec::new(),
        entry: None,
    };
    look.tables()?;
    look.objects()?;
    look.holders()?;
    let last = look.last_entry(tail + end)?;
    last.or(look.entry).ok_or_else(|| damaged("it has no catalog"))
}

struct Look<'a, 'l> {
    data: &'a [u8],
    limits: &'l Limits,
    /// Bytes that may still be read.
    left: u64,
    objects: u64,
    /// Bytes that streams with objects expand to.
    holding: u64,
    /// Numbers of objects that hold others, as the tables say.
    containers: HashSet<u32>,
    /// Streams that may hold others.
    holders: Vec<(Option<u32>, usize, usize, usize, bool)>,
    /// The last entry of the file so far.
    entry: Option<Entry>,
}

impl<'a> Look<'a, '_> {
    fn spend(&mut self, bytes: usize) -> Result<(), FormatError> {
        match self.left.checked_sub(bytes as u64 + 1) {
            Some(left) => self.left = left,
            None => return Err(damaged("its objects overlap")),
        }
        Ok(())
    }

    fn count(&mut self, objects: u64) -> Result<(), FormatError> {
        self.objects += objects;
        let most = self.limits.max_pdf_objects;
        if self.objects > most {
            return Err(over("objects", "max_pdf_objects", most));
        }
        Ok(())
    }

    /// Tables of objects that are written as text. Entries have 20 bytes.
    fn tables(&mut self) -> Result<(), FormatError> {
        for at in memchr::memmem::find_iter(self.data, b"xref") {
            if self.data[..at].ends_with(b"start") {
                continue;
            }
            let mut rest = &self.data[at + 4..];
            while let Some((_, after)) = number(rest) {
                let Some((entries, after)) = number(after) else { break };
                self.spend(16)?;
                let after = after.trim_ascii_start();
                let fit = (after.len() / 20) as u64;
                self.count(entries.min(fit + 1))?;
                if entries > fit {
                    break;
                }
                rest = &after[usize::try_from(entries).unwrap_or(usize::MAX) * 20..];
            }
        }
        for at in memchr::memmem::find_iter(self.data, b"trailer") {
            let place = at + b"trailer".len();
            if let Some(dict) = self.dict(place)? {
                self.enter(&dict, None)?;
            }
        }
        Ok(())
    }

    /// A dictionary that begins at a place, or after white space there.
    fn dict(&mut self, place: usize) -> Result<Option<Dict<'a>>, FormatError> {
        let place = self.skip_space(place);
        let window = &self.data[place..self.data.len().min(place + MAX_DICT)];
        if !window.starts_with(b"<<") {
            return Ok(None);
        }
        let dict = Dict::from_bytes(window);
        self.spend(dict.as_ref().map_or(window.len(), |dict| dict.data().len()))?;
        Ok(dict)
    }

    /// White space and comments.
    fn skip_space(&self, mut place: usize) -> usize {
        while let Some(byte) = self.data.get(place) {
            match byte {
                b'%' => {
                    let rest = &self.data[place..];
                    place += memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                }
                0 | b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' => place += 1,
                _ => break,
            }
        }
        place
    }

    /// Notes an entry, and refuses an encrypted file.
    fn enter(&mut self, dict: &Dict<'_>, table: Option<u64>) -> Result<(), FormatError> {
        if dict.contains_key(ENCRYPT) {
            return Err(FormatError::DocumentEncrypted { kind: "PDF" });
        }
        if let Some(root) = dict.get_ref(ROOT) {
            self.entry = Some(Entry { root, info: dict.get_ref(INFO), table });
        }
        Ok(())
    }

    fn objects(&mut self) -> Result<(), FormatError> {
        for at in memchr::memmem::find_iter(self.data, b"obj") {
            if self.data[..at].ends_with(b"end") {
                continue;
            }
            self.count(1)?;
            let place = at + 3;
            // Comments would be read again for each object before them.
            let begins = self.skip_space(place);
            self.spend(begins - place)?;
            let Some(dict) = self.dict(begins)? else { continue };
            let Some(found) = self.stream(at, begins, dict)? else { continue };
            self.look_at(found, begins)?;
        }
        Ok(())
    }

    /// The stream whose dictionary begins at a place, if it is one.
    fn stream(
        &mut self,
        at: usize,
        begins: usize,
        dict: Dict<'a>,
    ) -> Result<Option<Found<'a>>, FormatError> {
        let after = self.skip_space(begins + dict.data().len());
        self.spend(after - begins - dict.data().len())?;
        if !self.data[after..].starts_with(b"stream") {
            return Ok(None);
        }
        let mut start = after + b"stream".len();
        match self.data.get(start..start + 2) {
            Some(b"\r\n") => start += 2,
            Some([b'\n' | b'\r', _]) => start += 1,
            _ => return Ok(None),
        }
        let distance = memchr::memmem::find(&self.data[start..], b"endstream");
        self.spend(distance.unwrap_or(self.data.len() - start))?;
        let Some(distance) = distance else { return Ok(None) };
        let length = dict.get::<u32>(LENGTH).map_or(0, |length| length as usize);
        let end = start.saturating_add(distance.max(length)).min(self.data.len());
        Ok(Some(Found { number: number_before(&self.data[..at]), dict, start, end }))
    }

    fn look_at(&mut self, found: Found<'a>, begins: usize) -> Result<(), FormatError> {
        let Found { number, dict, start, end } = found;
        if dict.contains_key(W) && dict.contains_key(SIZE) {
            self.enter(&dict, None)?;
            self.expand(&dict, start, end)?;
            self.table_stream(begins)?;
            return Ok(());
        }
        // An unusual way to say what it is counts as the worst.
        let says = match dict.get_raw::<Name<'_>>(TYPE) {
            Some(MaybeRef::NotRef(name)) => name.as_ref() == b"ObjStm",
            Some(MaybeRef::Ref(_)) => true,
            None => dict.contains_key(N) && dict.contains_key(FIRST),
        };
        self.holders.push((number, begins, start, end, says || number.is_none()));
        Ok(())
    }

    /// Reads a table of objects that is a stream. Its data has been measured.
    fn table_stream(&mut self, begins: usize) -> Result<(), FormatError> {
        let Some(stream) = Stream::from_bytes(&self.data[begins..]) else { return Ok(()) };
        let Some([kind, place, index]) = stream.dict().get::<[u8; 3]>(W) else { return Ok(()) };
        let [kind, place, index] = [kind, place, index].map(usize::from);
        let width = kind + place + index;
        let Ok(rows) = stream.decoded_data() else { return Ok(()) };
        if width == 0 || place > 8 || kind > 8 || index > 8 {
            return Ok(());
        }
        // The entries are where the index says; there are no more than the rows.
        let sections = stream.dict().get::<Array<'_>>(INDEX).map_or(0, |index| index.data().len());
        self.spend(sections)?;
        self.count((rows.len() / width) as u64)?;
        for row in rows.chunks_exact(width) {
            let value = |bytes: &[u8]| bytes.iter().fold(0_u64, |n, b| (n << 8) | u64::from(*b));
            if kind > 0 && value(&row[..kind]) == 2 {
                let container = value(&row[kind..kind + place]);
                self.containers.extend(u32::try_from(container));
            }
        }
        Ok(())
    }

    /// Measures the streams that hold objects.
    fn holders(&mut self) -> Result<(), FormatError> {
        for (number, begins, start, end, says) in std::mem::take(&mut self.holders) {
            if !says && !number.is_some_and(|number| self.containers.contains(&number)) {
                continue;
            }
            let window = &self.data[begins..self.data.len().min(begins + MAX_DICT)];
            let Some(dict) = Dict::from_bytes(window) else { continue };
            let bytes = self.expand(&dict, start, end)?;
            // Each object takes at least `1 0 ` in the list at the beginning.
            let objects = match dict.get_raw::<u32>(N) {
                Some(MaybeRef::NotRef(objects)) => u64::from(objects).min(bytes / 4),
                _ => bytes / 4,
            };
            self.count(objects)?;
        }
        Ok(())
    }

    /// Bytes that a stream expands to, within the limit for all of them.
    fn expand(&mut self, dict: &Dict<'_>, start: usize, end: usize) -> Result<u64, FormatError> {
        let most = self.limits.max_pdf_stream_bytes;
        let left = most - self.holding;
        let bytes = match streams::plain_filter(dict) {
            Some(None) => (end - start) as u64,
            // It ends by itself, wherever the file says that it ends.
            Some(Some(Filter::FlateDecode)) => {
                match streams::measure_flate(&self.data[start..], left) {
                    Expanded::To(bytes) => bytes,
                    Expanded::TooFar => left + 1,
                    Expanded::Damaged => {
                        return Err(damaged("a stream that holds objects is damaged"));
                    }
                }
            }
            _ => return Err(damaged("a stream that holds objects has an unusual filter")),
        };
        if bytes > left {
            let setting = "max_pdf_stream_bytes";
            return Err(over("expanded bytes of objects", setting, most));
        }
        self.holding += bytes;
        Ok(bytes)
    }

    /// The entry that the end of the file names.
    fn last_entry(&mut self, startxref: usize) -> Result<Option<Entry>, FormatError> {
        let Some((place, _)) = number(&self.data[startxref + b"startxref".len()..]) else {
            return Ok(None);
        };
        let Ok(at) = usize::try_from(place) else { return Ok(None) };
        if at >= self.data.len() {
            return Ok(None);
        }
        let begins = self.skip_space(at);
        let rest = &self.data[begins..];
        let dict = if rest.starts_with(b"xref") {
            match memchr::memmem::find(rest, b"trailer") {
                Some(trailer) => self.dict(begins + trailer + b"trailer".len())?,
                None => None,
            }
        } else {
            let object = number(rest).and_then(|(_, rest)| number(rest));
            match object.and_then(|(_, rest)| rest.trim_ascii_start().strip_prefix(b"obj")) {
                Some(rest) => self.dict(self.data.len() - rest.len())?,
                None => None,
            }
        };
        let Some(dict) = dict else { return Ok(None) };
        let Some(root) = dict.get_ref(ROOT) else { return Ok(None) };
        Ok(Some(Entry { root, info: dict.get_ref(INFO), table: Some(place) }))
    }
}

/// A whole number after white space, and what follows it.
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let text = text.trim_ascii_start();
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(digits)?;
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, rest))
}

/// The number of the object whose `obj` follows `before`.
fn number_before(before: &[u8]) -> Option<u32> {
    let digits = |text: &[u8]| text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let text = before.trim_ascii_end();
    let text = &text[..text.len() - digits(text)];
    let text = text.trim_ascii_end();
    let length = digits(text);
    std::str::from_utf8(&text[text.len() - length..]).ok()?.parse().ok()
}
