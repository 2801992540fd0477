//! Archives: the rows of their members, one member after the other.
//!
//! Each member is a file like any other: its compression, its kind and its encoding are found out by
//! its own bytes. What is no file with rows of its own is passed over and told: directories, links,
//! and what is hidden (a name that begins with a dot, `__MACOSX`, `Thumbs.db`, `desktop.ini`). Of the
//! others `format.members` may take some; without it all of them are read, and one that cannot be read
//! fails the file: it would be missed by nobody.
//!
//! A member's path is a name and nothing else: no file of that name is ever made, `../` or not.

mod path;
mod tar;
mod zip;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::Read;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::input::Input;
use super::meter::Meter;
use super::spool::Spool;
use super::{
    AnyReader, Compression, Detected, FormatError, Head, Limit, Opening, Part, Position, Reader,
    Row,
};

pub(super) use tar::is_tar;

/// Kinds of rows that one member may have before their numbers are given again.
const HEADS: usize = 1024;

/// Remarks on members that are kept.
const REMARKS: usize = 100;

/// A file that holds files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Archive {
    /// A zip archive.
    Zip,
    /// A tar archive, compressed or not.
    Tar,
}

impl Archive {
    /// The command that tests such a file.
    pub(super) fn test(self) -> &'static str {
        match self {
            Self::Zip => "unzip -t",
            Self::Tar => "tar -tf",
        }
    }
}

impl fmt::Display for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zip => "zip",
            Self::Tar => "tar",
        })
    }
}

/// What an archive holds, in order.
trait Members: Send {
    /// The next member; what the one before gave to read is not read any more.
    fn next(&mut self) -> Result<Option<Member>, FormatError>;
}

struct Member {
    /// The path, as text.
    path: String,
    what: What,
}

enum What {
    File(Box<dyn Read + Send>),
    /// A file that could only be opened to an error: it matters only if it is asked for.
    Unreadable(FormatError),
    Directory,
    /// A link, a device or a pipe.
    Special,
}

/// Why a member is passed over.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Skipped {
    Directory,
    Hidden,
    Special,
    Nameless,
    Unselected,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Directory => "directories",
            Self::Hidden => "hidden",
            Self::Special => "links or devices",
            Self::Nameless => "without a name",
            Self::Unselected => "not taken by format.members",
        })
    }
}

/// The way from member to member.
struct Walk {
    archive: Archive,
    members: Box<dyn Members>,
    opening: Opening,
    meter: Arc<Meter>,
    skipped: BTreeMap<Skipped, u64>,
    read: u64,
}

/// The rows of an archive.
struct Rows {
    walk: Walk,
    current: Current,
    /// Rows of all members so far.
    rows: u64,
    /// Heads given out so far.
    heads: u32,
    head: Arc<Head>,
    remarks: Vec<String>,
}

/// The member that is being read.
struct Current {
    /// Gone as soon as it ends: the next member may need the memory of its decoder.
    rows: Option<super::Rows>,
    part: Arc<Part>,
    /// Where it ended.
    end: Position,
    /// The head that the member's own reader had last, and what its heads are here.
    seen: Arc<Head>,
    heads: HashMap<u32, Arc<Head>>,
}

impl Current {
    fn path(&self) -> &str {
        self.part.member.as_deref().unwrap_or_default()
    }

    /// The current head of the member, as one that knows its member.
    fn head(&mut self, count: &mut u32) -> Arc<Head> {
        if let Some(rows) = &self.rows {
            self.seen = Arc::clone(rows.head());
        }
        if self.heads.len() >= HEADS {
            self.heads.clear();
        }
        let head = self.heads.entry(self.seen.number).or_insert_with(|| {
            let part = match &self.seen.part {
                None => Arc::clone(&self.part),
                Some(inner) => {
                    let outer = self.part.member.as_deref().unwrap_or_default();
                    let member = match &inner.member {
                        Some(inner) => format!("{outer}/{inner}"),
                        None => outer.to_owned(),
                    };
                    Arc::new(Part { member: Some(member), ..Part::clone(inner) })
                }
            };
            let number = *count;
            *count += 1;
            Arc::new(Head { number, part: Some(part), ..Head::clone(&self.seen) })
        });
        Arc::clone(head)
    }
}

/// Opens an archive, and the first of its members.
pub(super) fn open(
    archive: Archive,
    compression: Compression,
    input: Input,
    opening: &Opening,
    mut evidence: Vec<String>,
) -> Result<(super::Rows, Detected), FormatError> {
    let Some(archives_left) = opening.archives_left.checked_sub(1) else {
        let value = opening.limits.max_archive_nesting.into();
        let limit = Limit { setting: "max_archive_nesting", value };
        return Err(FormatError::NestedTooDeep { limit });
    };
    let meter = Arc::clone(input.meter());
    let members: Box<dyn Members> = match archive {
        Archive::Zip => {
            let spool = Spool::fill(input, &opening.limits)?;
            let zip = zip::Zip::open(spool, Arc::clone(&meter))?;
            evidence.push(format!("archive zip: {} members", zip.len()));
            Box::new(zip)
        }
        Archive::Tar => Box::new(tar::Tar::new(input, Arc::clone(&meter))),
    };
    let opening = Opening { archives_left, ..opening.clone() };
    let skipped = BTreeMap::new();
    let mut walk = Walk { archive, members, opening, meter, skipped, read: 0 };
    let Some((mut current, first)) = walk.next()? else {
        return Err(FormatError::NoMembers { archive, why: walk.nothing() });
    };
    evidence.extend(first.evidence.iter().map(|why| format!("{}: {why}", current.path())));
    let mut heads = 0;
    let head = current.head(&mut heads);
    let rows = Rows { walk, current, rows: 0, heads, head, remarks: Vec::new() };
    let detected = Detected { archive: Some(archive), compression, evidence, ..first };
    Ok((super::Rows::of(AnyReader::Other(Box::new(rows)), None), detected))
}

impl Walk {
    /// Opens the next member that is to be read.
    fn next(&mut self) -> Result<Option<(Current, Detected)>, FormatError> {
        loop {
            let Some(member) = self.members.next()? else { return Ok(None) };
            if let Some(why) = self.skips(&member) {
                *self.skipped.entry(why).or_default() += 1;
                continue;
            }
            let within = |error: FormatError| error.within(&member.path);
            let file = match member.what {
                What::File(file) => file,
                What::Unreadable(error) => return Err(within(error)),
                What::Directory | What::Special => continue,
            };
            let opening = self.opening.of_member(&member.path);
            let (rows, detected) =
                super::open_within(file, Arc::clone(&self.meter), &opening).map_err(within)?;
            self.read += 1;
            let seen = Arc::clone(rows.head());
            let part = Arc::new(Part { member: Some(member.path), sheet: None });
            let (heads, end) = (HashMap::new(), Position::default());
            return Ok(Some((Current { rows: Some(rows), part, end, seen, heads }, detected)));
        }
    }

    /// Why a member is not read, if it is not.
    fn skips(&self, member: &Member) -> Option<Skipped> {
        match &member.what {
            What::Directory => return Some(Skipped::Directory),
            What::Special => return Some(Skipped::Special),
            What::File(_) | What::Unreadable(_) => {}
        }
        if path::is_nameless(&member.path) {
            return Some(Skipped::Nameless);
        }
        if path::is_hidden(&member.path) {
            return Some(Skipped::Hidden);
        }
        let members = self.opening.settings.members.as_ref()?;
        let path = self.opening.path_of(&member.path);
        members.matches(&path).is_none().then_some(Skipped::Unselected)
    }

    /// Why there is no row to be had.
    fn nothing(&self) -> String {
        match self.skipped.is_empty() {
            true => "it is empty".to_owned(),
            false => format!("passed over are {}", self.passed_over()),
        }
    }

    fn passed_over(&self) -> String {
        let counts: Vec<String> =
            self.skipped.iter().map(|(why, count)| format!("{count} {why}")).collect();
        counts.join(", ")
    }
}

impl Rows {
    /// Lets go of a member that has ended, but for what it remarked.
    fn end_member(&mut self) {
        let Some(ended) = self.current.rows.take() else { return };
        self.current.end = ended.position();
        let path = self.current.path();
        let said = ended.remarks().into_iter().map(|said| format!("{path}: {said}"));
        let room = REMARKS.saturating_sub(self.remarks.len());
        self.remarks.extend(said.take(room));
    }
}

impl Reader for Rows {
    fn advance(&mut self) -> Result<bool, FormatError> {
        loop {
            let current = &mut self.current;
            let Some(rows) = &mut current.rows else { return Ok(false) };
            let path = current.part.member.as_deref().unwrap_or_default();
            if rows.advance().map_err(|error| error.within(path))? {
                self.rows += 1;
                if !Arc::ptr_eq(rows.head(), &current.seen) {
                    self.head = current.head(&mut self.heads);
                }
                return Ok(true);
            }
            self.end_member();
            let Some((next, _)) = self.walk.next()? else { return Ok(false) };
            self.current = next;
            self.head = self.current.head(&mut self.heads);
        }
    }

    fn row(&self) -> Row<'_> {
        match &self.current.rows {
            Some(rows) => Row { head: &self.head, number: self.rows, ..rows.row() },
            None => Row::none(&self.head, self.rows),
        }
    }

    fn position(&self) -> Position {
        let current = &self.current;
        let within = current.rows.as_ref().map_or(current.end, |rows| rows.position());
        Position { row: self.rows, ..within }
    }

    fn head(&self) -> &Arc<Head> {
        &self.head
    }

    fn remarks(&self) -> Vec<String> {
        let mut remarks = self.remarks.clone();
        let (archive, read) = (self.walk.archive, self.walk.read);
        remarks.push(match self.walk.skipped.is_empty() {
            true => format!("archive {archive}: {read} members read"),
            false => {
                let over = self.walk.passed_over();
                format!("archive {archive}: {read} members read; passed over are {over}")
            }
        });
        remarks
    }
}

#[cfg(test)]
mod tests;
