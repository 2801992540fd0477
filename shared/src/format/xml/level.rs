//! Which elements are the rows.
//!
//! The elements that are repeated, as near to the root as there are some. But a record may have a list
//! in it, and be the only one: then it is the row. It is told by what is around it (an `order` in
//! `orders`), or by what it has beside the list (an `id`); with a second one beside it, it would be
//! what is repeated. Where nothing is repeated, the way leads from the root through whatever only holds
//! the one thing in it.

use super::detect::{Found, Outline};
use crate::format::names::{Says, is_beside_rows, may_hold_rows, says, words};

/// Words of names of elements that hold others, and are no records themselves.
const CONTAINERS: &[&str] = &[
    "batch",
    "body",
    "channel",
    "collection",
    "dataset",
    "document",
    "envelope",
    "export",
    "feed",
    "file",
    "import",
    "message",
    "output",
    "page",
    "payload",
    "report",
    "resp",
    "response",
    "return",
    "root",
    "sheet",
    "table",
    "worksheet",
    "xml",
];

/// Last words of names of elements that are about the others.
const HEADERS: &[&str] = &[
    "control",
    "errors",
    "footer",
    "hdr",
    "head",
    "header",
    "headers",
    "links",
    "meta",
    "metadata",
    "paging",
    "pagination",
    "trailer",
    "warnings",
];

/// What a document says about itself, beside [`Says::About`].
const DESCRIPTIONS: &[&str] = &[
    "author",
    "build",
    "copyright",
    "description",
    "docs",
    "generator",
    "icon",
    "language",
    "logo",
    "pub",
    "published",
    "rights",
    "subtitle",
    "summary",
    "title",
    "ttl",
];

/// Names of rows.
const ROWS: &[&str] = &["element", "entry", "hit", "item", "object", "record", "result", "row"];

/// Names beside the rows that are told.
const TOLD: usize = 10;

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
    /// Nothing tells in what was seen of the text.
    Open {
        /// What they are if nothing follows.
        path: Vec<String>,
        evidence: String,
    },
}

impl Outline {
    /// Finds the rows. `whole`: all of the text was seen.
    pub(super) fn rows(&self, whole: bool) -> Rows {
        if self.elements.is_empty() {
            return Rows::Found {
                path: Vec::new(),
                evidence: "rows: one, the document".to_owned(),
            };
        }
        let repeated = self.repeated();
        if whole && repeated.is_empty() && self.is_empty() {
            // No element has no name.
            let path = vec![self.elements[0].name.clone(), String::new()];
            let evidence = "rows: none, as the elements have nothing in them".to_owned();
            return Rows::Found { path, evidence };
        }
        let lists: Vec<usize> = repeated.iter().filter_map(|path| path.last().copied()).collect();
        if let Some(first) = repeated.first() {
            let common = (0..first.len() - 1)
                .take_while(|at| repeated.iter().all(|path| path[*at] == first[*at]))
                .count();
            if let Some((at, why)) = self.record(&first[..common], &lists) {
                return self.found(&first[..=at], why);
            }
        }
        match &repeated[..] {
            [only] => self.found(only, "repeated"),
            [_, second, ..] => {
                let offset = second.last().map_or(0, |at| self.elements[*at].first);
                Rows::Ambiguous { offset }
            }
            [] => self.single(whole),
        }
    }

    /// Whether there is nothing in the elements; or nothing but what is about the text, beside lists
    /// that are empty.
    fn is_empty(&self) -> bool {
        let with_content = || self.elements.iter().filter(|element| element.has_content());
        let about =
            |element: &Found| element.children.is_empty() && says(&element.name) == Says::About;
        let blank = |element: &&Found| !element.has_content() && element.children.is_empty();
        let mut blanks = self.elements.iter().filter(blank).peekable();
        let nothing = with_content().next().is_none();
        let mut only_lists = || {
            with_content().all(about)
                && blanks.peek().is_some()
                && blanks.all(|element| is_list(&element.name))
        };
        self.elements.iter().all(|element| element.count == 1) && (nothing || only_lists())
    }

    /// The paths of the elements that are repeated, as near to the root as there are some.
    fn repeated(&self) -> Vec<Vec<usize>> {
        let mut parents: Vec<Vec<usize>> = vec![vec![0]];
        let mut repeated: Vec<Vec<usize>> = Vec::new();
        while !parents.is_empty() && repeated.is_empty() {
            let mut next = Vec::new();
            for path in &parents {
                let parent = path.last().map(|at| &self.elements[*at]);
                for child in parent.map(|parent| parent.children.as_slice()).unwrap_or_default() {
                    let element = &self.elements[*child];
                    let path = || [path.as_slice(), &[*child]].concat();
                    match (element.count, element.structured) {
                        (1, true) => next.push(path()),
                        (1, false) | (_, false) => {}
                        (_, true) => repeated.push(path()),
                    }
                }
            }
            parents = next;
        }
        repeated
    }

    /// The outermost of the elements around lists that is a record, and why.
    fn record(&self, around: &[usize], lists: &[usize]) -> Option<(usize, &'static str)> {
        let of_lists = |at: usize| {
            let name = &self.elements[at].name;
            lists.iter().any(|list| is_plural(name, &self.elements[*list].name))
        };
        let are_rows = lists
            .iter()
            .any(|list| ROWS.contains(&words(&self.elements[*list].name).concat().as_str()));
        around.iter().enumerate().find_map(|(n, at)| {
            let element = &self.elements[*at];
            if n > 0 && is_plural(&self.elements[around[n - 1]].name, &element.name) {
                return Some((n, "as the name of their parent says"));
            }
            let known = self.leaves(*at).any(|leaf| says(&leaf.name) == Says::Known);
            let some = element.attributed || self.leaves(*at).any(is_of_record);
            let is_record = (known && (n > 0 || !are_rows)) || (some && n > 0);
            let is_container = is_container(&element.name) || of_lists(*at);
            (is_record && !is_container).then_some((n, "a record that has lists in it"))
        })
    }

    /// Finds the row where nothing is repeated.
    fn single(&self, whole: bool) -> Rows {
        let root = &self.elements[0];
        let mut path = vec![0];
        let mut certain = false;
        let only_in_root = root.children.len() == 1;
        while let Some(at) = path.last().copied() {
            let element = &self.elements[at];
            let within = || {
                let children = element.children.iter().copied();
                children.filter(|child| {
                    !self.is_leaf(*child) && !is_header(&self.elements[*child].name)
                })
            };
            let mut members =
                within().filter(|it| is_plural(&element.name, &self.elements[*it].name));
            if let (Some(member), None) = (members.next(), members.next()) {
                path.push(member);
                certain = true;
                break;
            }
            let is_record = self.leaves(at).any(is_of_record) && !is_container(&element.name);
            let holds = at == 0 || is_container(&element.name) || is_list(&element.name);
            let mut within = within();
            match (within.next(), within.next()) {
                (Some(only), None) if !is_record && holds => path.push(only),
                (None, _)
                    if at == 0 && only_in_root && self.elements[root.children[0]].count > 1 =>
                {
                    path.push(root.children[0]);
                    break;
                }
                _ => break,
            }
        }
        let why = match path.len() {
            1 => "the root",
            2 if only_in_root => "the only ones in the root",
            _ => "the only ones",
        };
        match self.found(&path, why) {
            Rows::Found { path, evidence } if !whole && !certain => Rows::Open { path, evidence },
            found => found,
        }
    }

    /// An element that is a cell: it has no children, and if it has attributes, text.
    fn is_leaf(&self, at: usize) -> bool {
        let element = &self.elements[at];
        element.children.is_empty() && (element.text || !element.structured)
    }

    fn leaves(&self, at: usize) -> impl Iterator<Item = &Found> {
        let children = self.elements[at].children.iter().copied();
        children.filter(|child| self.is_leaf(*child)).map(|child| &self.elements[child])
    }

    fn found(&self, path: &[usize], why: &str) -> Rows {
        let left_out = self.left_out(path);
        let path: Vec<String> = path.iter().map(|at| self.elements[*at].name.clone()).collect();
        let evidence = format!("rows: the elements {}, {why}{left_out}", path.join("/"));
        Rows::Found { path, evidence }
    }

    /// What lies around the rows, as far as it was seen.
    fn left_out(&self, path: &[usize]) -> String {
        let around = &path[..path.len().saturating_sub(1)];
        let attributes = around.iter().filter(|at| self.elements[**at].attributes);
        let attributes = attributes.map(|at| ("the attributes of ", *at));
        let pairs = path.iter().zip(path.iter().skip(1));
        let elements = pairs.flat_map(|(parent, child)| {
            self.elements[*parent].children.iter().filter(move |other| *other != child)
        });
        let names: Vec<_> = attributes.chain(elements.map(|at| ("", *at))).collect();
        let shown = |(what, at): &(&str, usize)| {
            format!("{what}{}", super::shortened(&self.elements[*at].name))
        };
        let shown: Vec<String> = names.iter().take(TOLD).map(shown).collect();
        match (names.len(), names.len().saturating_sub(TOLD)) {
            (0, _) => String::new(),
            (_, 0) => format!("; left out: {}", shown.join(", ")),
            (_, more) => format!("; left out: {} and {more} more", shown.join(", ")),
        }
    }
}

/// Whether a cell is of a record rather than of the document.
fn is_of_record(leaf: &Found) -> bool {
    let described = || {
        let words = words(&leaf.name);
        words.iter().all(|word| DESCRIPTIONS.contains(&word.as_str()) || says(word) == Says::About)
    };
    match says(&leaf.name) {
        Says::Known => true,
        Says::Something => !described(),
        Says::About => false,
    }
}

fn is_container(name: &str) -> bool {
    may_hold_rows(name) || words(name).iter().any(|word| CONTAINERS.contains(&word.as_str()))
}

fn is_header(name: &str) -> bool {
    is_beside_rows(name) || words(name).last().is_some_and(|word| HEADERS.contains(&word.as_str()))
}

/// Whether a name is that of several things.
fn is_list(name: &str) -> bool {
    let Some(last) = words(name).pop() else { return false };
    let plural = last.ends_with('s') && !["ss", "us", "is"].iter().any(|end| last.ends_with(end));
    plural || may_hold_rows(name) || matches!(last.as_str(), "list" | "set" | "collection")
}

/// Whether one name is that of several of the other: `orders`, `OrderList` and `ArrayOfOrder` of
/// `order`.
fn is_plural(several: &str, one: &str) -> bool {
    let (several, one) = (words(several).concat(), words(one).concat());
    if one.is_empty() {
        return false;
    }
    if let Some(end) = several.strip_prefix(one.as_str())
        && matches!(end, "s" | "es" | "list" | "set" | "collection" | "array")
    {
        return true;
    }
    let with_ies = one.strip_suffix('y').is_some_and(|stem| several == format!("{stem}ies"));
    with_ies
        || several.strip_prefix("arrayof").is_some_and(|of| of == one)
        || several.strip_prefix("listof").is_some_and(|of| of == one)
        || matches!((several.as_str(), one.as_str()), ("people", "person") | ("children", "child"))
}
