//! Whether a text is JSON, and where its rows are, by its first bytes.

use super::JsonProblem;
use super::path::{RowsPath, unescape};
use super::token::{Documents, Kind, Token, Tokenizer, skip_whitespace};
use crate::catalog::FormatKind;

/// Lines that are looked at one by one.
const LINES: usize = 100;

/// Nesting that is followed in a sample.
const NESTING: usize = 1000;

/// The kind of a text (without a byte order mark) that may be JSON, and why it is. `whole`: the
/// sample is the whole text.
pub(in crate::format) fn kind(sample: &[u8], whole: bool) -> Option<(FormatKind, String)> {
    let first = *sample.get(skip_whitespace(sample, 0))?;
    if !matches!(first, b'{' | b'[') {
        return None;
    }
    let (lines, documents) = lines(sample, whole);
    if lines > 1 && documents * 2 > lines {
        let why = format!(
            "format jsonl: {documents} of the first {lines} lines are each a value of JSON"
        );
        return Some((FormatKind::Jsonl, why));
    }
    match outcome(sample, whole) {
        Outcome::Json => {
            let what = if first == b'{' { "an object" } else { "an array" };
            Some((FormatKind::Json, format!("format json: the first bytes are {what} of JSON")))
        }
        Outcome::Broken if looks_alike(sample) => {
            let why = "format json: it begins like JSON, and goes wrong later".to_owned();
            Some((FormatKind::Json, why))
        }
        Outcome::Broken | Outcome::Cells => None,
    }
}

/// How many of the first lines there are that are not blank, and how many of them are documents.
fn lines(sample: &[u8], whole: bool) -> (usize, usize) {
    let mut tokens = Tokenizer::new(Documents::One, NESTING);
    let (mut at, mut lines, mut documents) = (0, 0, 0);
    while lines < LINES && at < sample.len() {
        let end = match memchr::memchr2(b'\n', b'\r', &sample[at..]) {
            Some(place) => at + place,
            None if whole => sample.len(),
            None => break,
        };
        let line = &sample[at..end];
        at = end + 1;
        let first = skip_whitespace(line, 0);
        if first == line.len() {
            continue;
        }
        lines += 1;
        tokens.restart();
        if matches!(line[first], b'{' | b'[') && is_document(line, &mut tokens) {
            documents += 1;
        }
    }
    (lines, documents)
}

fn is_document(line: &[u8], tokens: &mut Tokenizer) -> bool {
    let mut at = 0;
    loop {
        match tokens.next(line, &mut at, true) {
            Ok(Token { kind: Kind::End, .. }) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

enum Outcome {
    Json,
    Broken,
    /// Something that follows a value on its line, as cells do.
    Cells,
}

fn outcome(sample: &[u8], whole: bool) -> Outcome {
    let mut tokens = Tokenizer::new(Documents::Objects, NESTING);
    let mut at = 0;
    loop {
        match tokens.next(sample, &mut at, whole) {
            Ok(Token { kind: Kind::End | Kind::More, .. }) => return Outcome::Json,
            Ok(_) => {}
            Err(syntax) => {
                return match syntax.problem {
                    JsonProblem::UnexpectedEnd | JsonProblem::TooDeep(_) => Outcome::Json,
                    JsonProblem::TrailingBytes if is_cell_end(sample, syntax.at) => Outcome::Cells,
                    _ => Outcome::Broken,
                };
            }
        }
    }
}

/// Whether a delimiter is at `at`, and not the last of its line: `{"a":1},` is an array without its
/// brackets rather than a row.
fn is_cell_end(sample: &[u8], at: usize) -> bool {
    matches!(sample[at], b',' | b';' | b'|')
        && !matches!(sample.get(at + 1), None | Some(b'\n' | b'\r'))
}

/// Whether the first two characters are ones with which hardly any other text begins.
fn looks_alike(sample: &[u8]) -> bool {
    let first = skip_whitespace(sample, 0);
    let second = sample.get(skip_whitespace(sample, first + 1));
    matches!(
        (sample.get(first), second),
        (Some(b'{'), Some(b'"' | b'}')) | (Some(b'['), Some(b'{' | b'[' | b']'))
    )
}

/// Where the rows are, if nobody said it.
pub(super) struct Found {
    pub(super) path: RowsPath,
    pub(super) evidence: String,
}

/// Finds the rows: the elements of an array; if an object has exactly one array of objects among its
/// members, then those objects; else each document is a row.
pub(super) fn rows(sample: &[u8], whole: bool, nesting: usize) -> Found {
    let mut tokens = Tokenizer::new(Documents::Objects, nesting);
    let mut look = Look::default();
    let mut at = 0;
    // What is wrong is told when it is read.
    while let Ok(token) = tokens.next(sample, &mut at, whole) {
        if matches!(token.kind, Kind::End | Kind::More) || !look.take(token, sample) {
            break;
        }
    }
    look.judge()
}

#[derive(Default)]
struct Look {
    depth: usize,
    documents: usize,
    /// The first document is an array, or something that is neither.
    array: bool,
    scalar: bool,
    /// The member that is being looked at.
    key: String,
    /// The members that are arrays of objects, and the others.
    arrays: Vec<String>,
    others: Vec<String>,
    /// What the member that is being looked at is, if it is an array.
    elements: Option<Elements>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Elements {
    None,
    Objects,
    Others,
}

impl Look {
    /// `false`: nothing that follows matters.
    fn take(&mut self, token: Token, sample: &[u8]) -> bool {
        match (token.kind, self.depth) {
            (Kind::ArrayBegin, 0) => {
                self.array = true;
                return false;
            }
            (Kind::ObjectBegin, 0) => {
                self.documents += 1;
                if self.documents > 1 {
                    return false;
                }
                self.depth = 1;
            }
            (_, 0) => {
                self.scalar = true;
                return false;
            }
            (Kind::Key, 1) => {
                let key = unescape(&sample[token.start..token.end]);
                self.key = key.map(std::borrow::Cow::into_owned).unwrap_or_default();
            }
            (Kind::Scalar, 1) => self.others.push(std::mem::take(&mut self.key)),
            (Kind::ArrayBegin, 1) => {
                self.elements = Some(Elements::None);
                self.depth = 2;
            }
            (Kind::ObjectBegin, 2) => {
                if self.elements == Some(Elements::None) {
                    self.elements = Some(Elements::Objects);
                }
                self.depth = 3;
            }
            (Kind::ArrayBegin | Kind::Scalar, 2) if self.elements.is_some() => {
                self.elements = Some(Elements::Others);
                self.depth += usize::from(token.kind == Kind::ArrayBegin);
            }
            (Kind::ObjectBegin | Kind::ArrayBegin, _) => self.depth += 1,
            (Kind::ObjectEnd | Kind::ArrayEnd, depth) => {
                self.depth = depth - 1;
                if self.depth == 1 {
                    self.end_member();
                }
            }
            _ => {}
        }
        true
    }

    fn end_member(&mut self) {
        let key = std::mem::take(&mut self.key);
        match self.elements.take() {
            Some(Elements::Objects) => self.arrays.push(key),
            _ => self.others.push(key),
        }
    }

    fn judge(mut self) -> Found {
        if self.elements == Some(Elements::Objects) {
            // The sample ends within it.
            self.end_member();
        }
        let document =
            |why: &str| Found { path: RowsPath::default(), evidence: format!("rows: {why}") };
        if self.array {
            return document("the elements of the array");
        }
        if self.scalar {
            return document("one, the document");
        }
        if self.documents > 1 {
            return document("one for each document");
        }
        match &mut self.arrays[..] {
            [] => document("one, the document: none of its members is an array of objects"),
            [only] => {
                let only = std::mem::take(only);
                let left_out = match &self.others[..] {
                    [] => "".to_owned(),
                    others => format!("; left out: {}", list(others)),
                };
                Found {
                    evidence: format!(
                        "rows: the elements of {only:?}, the only array of objects in the document{left_out} (format.rows = \".\" makes the document one row)"
                    ),
                    path: RowsPath::key(only),
                }
            }
            several => document(&format!(
                "one, the document: {} are arrays of objects; format.rows says which one holds the rows",
                list(several)
            )),
        }
    }
}

fn list(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let short = |name: &String| match name.char_indices().nth(60) {
        Some((end, _)) => format!("{:?}…", &name[..end]),
        None => format!("{name:?}"),
    };
    let mut text = names.iter().take(SHOWN).map(short).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}
