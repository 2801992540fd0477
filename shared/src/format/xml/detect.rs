//! Whether a text is XML, and the elements of its first bytes. Which of them are the rows is found in
//! [`level`](super::level).

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::format::names::{Says, says};

/// Nesting that is followed in a sample.
const NESTING: usize = 200;

/// Elements of different paths that are remembered: more than a table has.
const ELEMENTS: usize = 1 << 16;

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
    pub(super) elements: Vec<Found>,
    /// Elements that ended.
    ends: usize,
    /// Text or other elements are beside the root, or the text goes wrong.
    stray: bool,
    html: bool,
    /// Not all of the sample was looked at.
    pub(super) cut: bool,
}

pub(super) struct Found {
    pub(super) name: String,
    pub(super) count: usize,
    /// It has attributes or children.
    pub(super) structured: bool,
    /// The first has attributes.
    pub(super) attributes: bool,
    /// It has text, or an attribute that is not about the document.
    pub(super) text: bool,
    pub(super) attributed: bool,
    pub(super) children: Vec<usize>,
    /// The same by their names.
    known: HashMap<String, usize>,
    /// Where the first began.
    pub(super) first: u64,
}

impl Found {
    pub(super) fn has_content(&self) -> bool {
        self.text || self.attributed
    }
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
                if open.len() > NESTING || outline.elements.len() > ELEMENTS {
                    outline.cut = true;
                    break;
                }
            }
            Event::Empty(start) => {
                outline.cut |= outline.elements.len() > ELEMENTS;
                if outline.cut || outline.add(&open, &start, begins).is_none() {
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
            Event::Text(text) => outline.text(&open, !text.trim_ascii().is_empty()),
            Event::CData(_) | Event::GeneralRef(_) => outline.text(&open, true),
            _ => {}
        }
    }
    outline
}

impl Outline {
    /// Takes note of text.
    fn text(&mut self, open: &[usize], visible: bool) {
        match open.last() {
            Some(at) => self.elements[*at].text |= visible,
            None => self.stray |= visible,
        }
    }

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
                self.elements[*parent].known.get(name).copied()
            }
        };
        if let Some(at) = known {
            self.elements[at].count += 1;
            self.elements[at].structured |= structured;
            let known = &mut self.elements[at];
            known.attributed = known.attributed || (structured && is_attributed(start));
            return Some(at);
        }
        let at = self.elements.len();
        let name = name.to_owned();
        if let Some(parent) = open.last() {
            self.elements[*parent].children.push(at);
            self.elements[*parent].known.insert(name.clone(), at);
        }
        self.elements.push(Found {
            name,
            count: 1,
            structured,
            attributes: structured && has_attribute(start, |_| true),
            text: false,
            attributed: structured && is_attributed(start),
            children: Vec::new(),
            known: HashMap::new(),
            first,
        });
        Some(at)
    }
}

/// Whether an element has an attribute that is not about the document.
fn is_attributed(start: &BytesStart<'_>) -> bool {
    has_attribute(start, |name| says(name) != Says::About)
}

/// Whether an element has such an attribute, beside those of XML itself.
fn has_attribute(start: &BytesStart<'_>, is_such: impl Fn(&str) -> bool) -> bool {
    start.attributes().with_checks(false).flatten().any(|attribute| {
        let name: &str = attribute.key.into_inner();
        let of_xml = ["xmlns", "xsi:", "xml:"].iter().any(|begin| name.starts_with(begin));
        !of_xml && is_such(name)
    })
}
