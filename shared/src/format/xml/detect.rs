//! Whether a text is XML, and which of its elements are the rows, by its first bytes.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Nesting that is followed in a sample.
const NESTING: usize = 200;

/// Whether a text (without a byte order mark) is XML, and not HTML.
pub(in crate::format) fn is_xml(sample: &[u8]) -> bool {
    let text = sample.trim_ascii_start();
    if !text.starts_with(b"<") {
        return false;
    }
    let declared = text.starts_with(b"<?xml");
    let outline = outline(sample);
    let Some(root) = outline.elements.first() else {
        return declared;
    };
    if root.name.eq_ignore_ascii_case("html") || outline.html {
        return false;
    }
    // A cell may begin with `<`, too: what follows must be elements in elements, some of them to their end.
    declared || (root.structured && !outline.stray && outline.ends > 0)
}

/// The elements of a sample, by their paths.
#[derive(Default)]
pub(super) struct Outline {
    /// The first is the root.
    elements: Vec<Found>,
    /// Elements that ended.
    ends: usize,
    /// Text or other elements are beside the root, or the text goes wrong.
    stray: bool,
    html: bool,
}

struct Found {
    name: String,
    count: usize,
    /// It has attributes or children.
    structured: bool,
    children: Vec<usize>,
    /// Where the first began.
    first: u64,
}

/// Looks at the elements of a sample. What is wrong with it is told when it is read.
pub(super) fn outline(sample: &[u8]) -> Outline {
    let mut reader = Reader::from_reader(sample);
    let mut outline = Outline::default();
    let mut open: Vec<usize> = Vec::new();
    let mut event_bytes = Vec::new();
    loop {
        event_bytes.clear();
        let begins = reader.buffer_position();
        let event = match reader.read_event_into(&mut event_bytes) {
            Ok(Event::Eof) => break,
            Ok(event) => event,
            Err(_) => {
                // Where the sample ends within something, it is the last thing in it.
                outline.stray |= reader.buffer_position() < sample.len() as u64;
                break;
            }
        };
        match event {
            Event::Start(start) => {
                let Some(at) = outline.add(&open, &start, begins) else { break };
                open.push(at);
                if open.len() > NESTING {
                    break;
                }
            }
            Event::Empty(start) => {
                if outline.add(&open, &start, begins).is_none() {
                    break;
                }
                outline.ends += 1;
            }
            Event::End(_) => {
                open.pop();
                outline.ends += 1;
            }
            Event::DocType(text) => {
                outline.html |= text.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("html"));
            }
            Event::Text(text) if open.is_empty() => {
                outline.stray |= !text.trim_ascii().is_empty();
            }
            Event::CData(_) | Event::GeneralRef(_) if open.is_empty() => outline.stray = true,
            _ => {}
        }
    }
    outline
}

impl Outline {
    /// Adds an element; `None`: a second root.
    fn add(&mut self, open: &[usize], start: &BytesStart<'_>, first: u64) -> Option<usize> {
        let name = start.name();
        let name: &str = name.as_ref();
        let structured = !start.attributes_raw().trim_ascii().is_empty();
        let known = match open.last() {
            None if self.elements.is_empty() => None,
            None => {
                self.stray = true;
                return None;
            }
            Some(parent) => {
                self.elements[*parent].structured = true;
                let children = &self.elements[*parent].children;
                children.iter().copied().find(|child| self.elements[*child].name == name)
            }
        };
        if let Some(at) = known {
            self.elements[at].count += 1;
            self.elements[at].structured |= structured;
            return Some(at);
        }
        let at = self.elements.len();
        if let Some(parent) = open.last() {
            self.elements[*parent].children.push(at);
        }
        let name = name.to_owned();
        self.elements.push(Found { name, count: 1, structured, children: Vec::new(), first });
        Some(at)
    }
}

/// What the rows are.
pub(super) enum Rows {
    Found {
        path: Vec<String>,
        evidence: String,
    },
    /// Two kinds of elements could be: the offset of the first of the second.
    Ambiguous {
        offset: u64,
    },
}

impl Outline {
    /// Finds the rows: the elements that are repeated, as near to the root as there are some; else
    /// the root's only child, or the root.
    pub(super) fn rows(&self) -> Rows {
        let Some(root) = self.elements.first() else {
            return self.found(&[], "one, the document");
        };
        let mut parents: Vec<Vec<usize>> = vec![vec![0]];
        while !parents.is_empty() {
            let mut repeated: Vec<Vec<usize>> = Vec::new();
            let mut next = Vec::new();
            for path in &parents {
                let parent = path.last().map(|at| &self.elements[*at]);
                for child in parent.map(|parent| parent.children.as_slice()).unwrap_or_default() {
                    let element = &self.elements[*child];
                    let path = [path.as_slice(), &[*child]].concat();
                    match (element.count, element.structured) {
                        (1, true) => next.push(path),
                        (1, false) | (_, false) => {}
                        (_, true) => repeated.push(path),
                    }
                }
            }
            match &repeated[..] {
                [] => {}
                [path] => return self.found(path, "repeated"),
                [_, second, ..] => {
                    let offset = second.last().map_or(0, |at| self.elements[*at].first);
                    return Rows::Ambiguous { offset };
                }
            }
            parents = next;
        }
        match root.children[..] {
            [only] if self.elements[only].structured || self.elements[only].count > 1 => {
                self.found(&[0, only], "the only ones in the root")
            }
            _ => self.found(&[0], "the root"),
        }
    }

    fn found(&self, path: &[usize], why: &str) -> Rows {
        let path: Vec<String> = path.iter().map(|at| self.elements[*at].name.clone()).collect();
        let evidence = match path.is_empty() {
            true => format!("rows: {why}"),
            false => format!("rows: the elements {}, {why}", path.join("/")),
        };
        Rows::Found { path, evidence }
    }
}
