//! One element of XML as the cells of one row, each a value of JSON.
//!
//! * An attribute is `@name`, a child is its name, the text beside them is `#text`.
//! * A child that has nothing but text is a string, exactly as it is written: entities are resolved
//!   and line ends are LF, as XML has it, and nothing else is changed.
//! * A child with attributes or children is an object of the same rules. A child that says
//!   `xsi:nil="true"` and nothing else is null.
//! * Children of the same name are an array, where the first of them is.
//! * Text that is only white space counts in an element that has nothing else. Comments and
//!   instructions are left out.

use std::collections::HashMap;

use crate::format::values::Values;

/// Elements, attributes and pieces of text in one row.
const MEMBERS: usize = 1 << 20;

/// From so many members on they are found by their hash.
const FEW: usize = 16;

/// A row is put together as its events come: the values of finished elements lie one after the other
/// in a buffer, and the end of an element makes one of those that are its own.
#[derive(Default)]
pub(super) struct Element {
    frames: Vec<Frame>,
    members: Vec<Member>,
    names: Vec<u8>,
    /// The JSON of values, and pieces of text as within a JSON string.
    out: Vec<u8>,
    /// What an end puts together.
    whole: Vec<u8>,
    groups: Groups,
}

struct Frame {
    /// Where its members, their names and their values begin.
    members: usize,
    names: usize,
    out: usize,
    name: (usize, usize),
}

#[derive(Clone, Copy)]
struct Member {
    kind: Kind,
    name: (usize, usize),
    value: (usize, usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An attribute or a child.
    Named,
    /// Text, and whether it is only white space between elements.
    Text { blank: bool },
}

/// The row has more in it than one may have.
#[derive(Debug)]
pub(super) struct TooMany;

impl Element {
    /// Whether no element is open.
    pub(super) fn is_complete(&self) -> bool {
        self.frames.is_empty()
    }

    /// How deep the open elements lie in each other.
    pub(super) fn depth(&self) -> usize {
        self.frames.len()
    }

    /// Begins an element: the row, or one within it.
    pub(super) fn start(&mut self, name: &[u8]) {
        if self.frames.is_empty() {
            self.members.clear();
            self.names.clear();
            self.out.clear();
        }
        let start = self.names.len();
        self.names.extend_from_slice(name);
        let name = (start, self.names.len());
        self.frames.push(Frame {
            members: self.members.len(),
            names: self.names.len(),
            out: self.out.len(),
            name,
        });
    }

    /// Adds an attribute to the element that began.
    pub(super) fn attribute(&mut self, name: &[u8], value: &str) -> Result<(), TooMany> {
        let start = self.names.len();
        self.names.push(b'@');
        self.names.extend_from_slice(name);
        let name = (start, self.names.len());
        let start = self.out.len();
        self.out.push(b'"');
        escape(value, &mut self.out);
        self.out.push(b'"');
        self.put(Kind::Named, name, start)
    }

    /// Adds a piece of text. `plain`: it is written as it is, so white space may stand there only
    /// to be read well.
    pub(super) fn text(&mut self, text: &str, plain: bool) -> Result<(), TooMany> {
        let blank = plain && text.bytes().all(|byte| byte.is_ascii_whitespace());
        let start = self.out.len();
        escape(text, &mut self.out);
        self.put(Kind::Text { blank }, (0, 0), start)
    }

    fn put(&mut self, kind: Kind, name: (usize, usize), start: usize) -> Result<(), TooMany> {
        if self.members.len() >= MEMBERS {
            return Err(TooMany);
        }
        self.members.push(Member { kind, name, value: (start, self.out.len()) });
        Ok(())
    }

    /// Ends an element within the row.
    pub(super) fn end(&mut self) -> Result<(), TooMany> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let members = &self.members[frame.members..];
        self.whole.clear();
        let whole = &mut self.whole;
        if members.iter().all(|member| member.kind != Kind::Named) {
            whole.push(b'"');
            for member in members {
                whole.extend_from_slice(&self.out[member.value.0..member.value.1]);
            }
            whole.push(b'"');
        } else if is_nil(members, &self.names, &self.out) {
            whole.extend_from_slice(b"null");
        } else {
            self.groups.find(members, &self.names);
            whole.push(b'{');
            for first in self.groups.firsts() {
                let name = members[first].name;
                whole.push(b'"');
                escape_bytes(&self.names[name.0..name.1], whole);
                whole.extend_from_slice(b"\":");
                self.groups.write(first, members, &self.out, whole);
                whole.push(b',');
            }
            if has_text(members) {
                whole.extend_from_slice(b"\"#text\":");
                write_text(members, &self.out, whole);
                whole.push(b',');
            }
            whole.pop();
            whole.push(b'}');
        }
        self.members.truncate(frame.members);
        self.names.truncate(frame.names);
        self.out.truncate(frame.out);
        let start = self.out.len();
        self.out.extend_from_slice(&self.whole);
        self.put(Kind::Named, frame.name, start)
    }

    /// Ends the row: its cells, and in `shape` the names of its columns, with a quote behind each.
    /// Gives the number of columns.
    pub(super) fn end_row(&mut self, values: &mut Values, shape: &mut Vec<u8>) -> usize {
        self.frames.clear();
        let members = &self.members[..];
        self.groups.find(members, &self.names);
        shape.clear();
        values.begin();
        let mut columns = 0;
        for first in self.groups.firsts() {
            let name = members[first].name;
            shape.extend_from_slice(&self.names[name.0..name.1]);
            shape.push(b'"');
            self.groups.write(first, members, &self.out, values.out());
            values.end_cell();
            columns += 1;
        }
        let only_text = columns == 0 && !members.is_empty();
        if only_text || has_text(members) {
            shape.extend_from_slice(b"#text\"");
            write_text(members, &self.out, values.out());
            values.end_cell();
            columns += 1;
        }
        values.end();
        columns
    }
}

/// Whether the element says that it is null, and nothing else.
fn is_nil(members: &[Member], names: &[u8], out: &[u8]) -> bool {
    matches!(members, [only] if &names[only.name.0..only.name.1] == b"@xsi:nil"
        && matches!(&out[only.value.0..only.value.1], b"\"true\"" | b"\"1\""))
}

fn has_text(members: &[Member]) -> bool {
    members.iter().any(|member| member.kind == Kind::Text { blank: false })
}

/// The text of an element that has other members, too.
fn write_text(members: &[Member], out: &[u8], into: &mut Vec<u8>) {
    let others = members.iter().any(|member| member.kind == Kind::Named);
    into.push(b'"');
    for member in members {
        if member.kind == (Kind::Text { blank: false })
            || (!others && member.kind == Kind::Text { blank: true })
        {
            into.extend_from_slice(&out[member.value.0..member.value.1]);
        }
    }
    into.push(b'"');
}

/// Which members have the same name.
#[derive(Default)]
struct Groups {
    /// The first member of each name, in their order.
    firsts: Vec<usize>,
    /// For each member the next one of the same name; for the first of a name, too, the last one.
    next: Vec<Option<usize>>,
    last: Vec<usize>,
}

impl Groups {
    fn find(&mut self, members: &[Member], names: &[u8]) {
        let name = |member: usize| {
            let (start, end) = members[member].name;
            &names[start..end]
        };
        self.firsts.clear();
        self.next.clear();
        self.next.resize(members.len(), None);
        self.last.clear();
        self.last.resize(members.len(), 0);
        let mut by_name: HashMap<&[u8], usize> = HashMap::new();
        for (at, member) in members.iter().enumerate() {
            if member.kind != Kind::Named {
                continue;
            }
            let known = match members.len() <= FEW {
                true => self.firsts.iter().copied().find(|first| name(*first) == name(at)),
                false => by_name.get(name(at)).copied(),
            };
            match known {
                Some(first) => {
                    self.next[self.last[first]] = Some(at);
                    self.last[first] = at;
                }
                None => {
                    self.firsts.push(at);
                    self.last[at] = at;
                    if members.len() > FEW {
                        by_name.insert(name(at), at);
                    }
                }
            }
        }
    }

    fn firsts(&self) -> impl Iterator<Item = usize> + use<'_> {
        self.firsts.iter().copied()
    }

    /// The value of one name: an array if there are several.
    fn write(&self, first: usize, members: &[Member], out: &[u8], into: &mut Vec<u8>) {
        let value = |member: usize| &out[members[member].value.0..members[member].value.1];
        let Some(mut at) = self.next[first] else {
            into.extend_from_slice(value(first));
            return;
        };
        into.push(b'[');
        into.extend_from_slice(value(first));
        loop {
            into.push(b',');
            into.extend_from_slice(value(at));
            match self.next[at] {
                Some(next) => at = next,
                None => break,
            }
        }
        into.push(b']');
    }
}

/// Appends a text as it is within a JSON string.
fn escape(text: &str, out: &mut Vec<u8>) {
    escape_bytes(text.as_bytes(), out);
}

fn escape_bytes(text: &[u8], out: &mut Vec<u8>) {
    let mut start = 0;
    for (at, byte) in text.iter().enumerate() {
        let escaped: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            // XML has no other control characters.
            _ => continue,
        };
        out.extend_from_slice(&text[start..at]);
        out.extend_from_slice(escaped);
        start = at + 1;
    }
    out.extend_from_slice(&text[start..]);
}
