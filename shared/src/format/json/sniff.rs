//! Whether a text is JSON, and where its rows are, by its first bytes.

use super::JsonProblem;
use super::path::{RowsPath, unescape};
use super::token::{Documents, Kind, Token, Tokenizer, skip_whitespace};
use crate::catalog::FormatKind;
use crate::format::FormatError;
use crate::format::names::{self, Says};
use crate::format::sniff::BOM;
use crate::format::window::Window;

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
    let lines = Lines::of(sample, whole);
    if lines.are_parts() {
        let why = "format json: the first lines are each an array of objects".to_owned();
        return Some((FormatKind::Json, why));
    }
    if lines.are_documents() {
        return Some((FormatKind::Jsonl, lines.why()));
    }
    match outcome(sample, whole) {
        Outcome::Json => {
            let what = if first == b'{' { "an object" } else { "an array" };
            Some((FormatKind::Json, format!("format json: the first bytes are {what} of JSON")))
        }
        Outcome::Broken if lines.were_objects() => Some((FormatKind::Jsonl, lines.why())),
        Outcome::Broken if looks_alike(sample) => {
            let why = "format json: it begins like JSON, and goes wrong later".to_owned();
            Some((FormatKind::Json, why))
        }
        Outcome::Broken | Outcome::Cells => None,
    }
}

/// Why a text that is named as JSON and begins otherwise is JSON Lines: most lines are objects.
pub(super) fn lines_behind_others(sample: &[u8], whole: bool) -> Option<String> {
    let first = sample.get(skip_whitespace(sample, 0))?;
    let lines = Lines::of(sample, whole);
    let begins_otherwise = !matches!(first, b'{' | b'[');
    (begins_otherwise && lines.objects * 2 > lines.seen).then(|| lines.why())
}

/// What the first lines are that are not blank.
#[derive(Default)]
struct Lines {
    seen: usize,
    /// Those that are each a whole object, or a whole array; and arrays of nothing but objects.
    objects: usize,
    arrays: usize,
    arrays_of_objects: usize,
    /// Those that begin like an object or an array, and those of them that end like an object, too.
    begun: usize,
    ended: usize,
    /// The first line has more than the beginning of an object.
    first_goes_on: bool,
    /// A line begins with the end of a container, as none of JSON Lines does.
    closing: bool,
}

impl Lines {
    fn of(sample: &[u8], whole: bool) -> Self {
        let mut lines = Self::default();
        let mut tokens = Tokenizer::new(Documents::One, NESTING);
        let mut at = 0;
        while lines.seen < LINES && at < sample.len() {
            let end = match memchr::memchr2(b'\n', b'\r', &sample[at..]) {
                Some(place) => at + place,
                None if whole => sample.len(),
                None => break,
            };
            let line = sample[at..end].trim_ascii();
            lines.take(line.strip_prefix(BOM).unwrap_or(line).trim_ascii_start(), &mut tokens);
            at = end + 1;
        }
        lines
    }

    fn take(&mut self, line: &[u8], tokens: &mut Tokenizer) {
        let Some(first) = line.first() else { return };
        self.seen += 1;
        if self.seen == 1 {
            self.first_goes_on = looks_alike(line);
        }
        match first {
            b'{' => {
                self.begun += 1;
                self.ended += usize::from(line.ends_with(b"}"));
                self.objects += usize::from(is_document(line, tokens).is_some());
            }
            b'[' => {
                self.begun += 1;
                if let Some(of_objects) = is_document(line, tokens) {
                    self.arrays += 1;
                    self.arrays_of_objects += usize::from(of_objects);
                }
            }
            b'}' | b']' => self.closing = true,
            _ => {}
        }
    }

    fn whole(&self) -> usize {
        self.objects + self.arrays
    }

    /// Most of them are documents.
    fn are_documents(&self) -> bool {
        self.seen > 1 && self.whole() * 2 > self.seen
    }

    /// The documents are parts of one table: arrays with nothing in them but its rows.
    fn are_parts(&self) -> bool {
        self.are_documents() && self.arrays_of_objects > 0 && self.arrays_of_objects == self.whole()
    }

    /// Of a text that is wrong as a document: damaged lines hide what it is. Half of those that begin
    /// like a row are one, or most were meant to be; and none is the end of something longer.
    fn were_objects(&self) -> bool {
        let some_are = self.objects > 0 && self.objects * 2 >= self.begun;
        let were_meant = self.ended * 2 > self.begun;
        self.seen > 1 && self.first_goes_on && !self.closing && (some_are || were_meant)
    }

    fn why(&self) -> String {
        let (whole, seen) = (self.whole(), self.seen);
        format!("format jsonl: {whole} of the first {seen} lines are each a value of JSON")
    }
}

/// Whether a line is one document, and if so, whether it is an array of at least one object and of
/// nothing else.
fn is_document(line: &[u8], tokens: &mut Tokenizer) -> Option<bool> {
    tokens.restart();
    let (mut at, mut depth, mut objects, mut others) = (0, 0_usize, 0, 0);
    loop {
        let kind = tokens.next(line, &mut at, true).ok()?.kind;
        match kind {
            Kind::End => return Some(objects > 0 && others == 0),
            Kind::ObjectBegin if depth == 1 => objects += 1,
            Kind::Key | Kind::Scalar | Kind::ArrayBegin if depth == 1 => others += 1,
            _ => {}
        }
        match kind {
            Kind::ObjectBegin | Kind::ArrayBegin => depth += 1,
            Kind::ObjectEnd | Kind::ArrayEnd => depth -= 1,
            _ => {}
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
    let mut tokens = Tokenizer::new(Documents::Several, NESTING);
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
    /// The rows are in a list among the members of the document.
    pub(super) within: Option<Within>,
}

/// A list in a document, and what may lie beside it.
pub(super) struct Within {
    pub(super) list: String,
    /// Its name says that it holds the rows.
    named: bool,
}

impl Within {
    /// Whether a member beside the list shows that the document is a record rather than a page of
    /// some.
    pub(super) fn is_against(&self, name: &str, member: Member) -> bool {
        match (member, names::says(name)) {
            (Member::Null, _) | (_, Says::About) => false,
            (Member::Scalar, Says::Known) => !self.named,
            _ => names::is_part(&self.list),
        }
    }

    /// Whether a member beside the list is worth a word.
    pub(super) fn is_told(&self, name: &str, member: Member) -> bool {
        member != Member::Null && names::says(name) != Says::About
    }
}

/// What a member of a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Member {
    Null,
    Scalar,
    /// An object, or an array that holds none.
    Container,
}

/// Finds the rows: the elements of an array; or of the one array of objects in an object, unless
/// what lies beside it shows a record that has a list; else each document is a row.
///
/// Looks on as long as a longer text could show something else. That is no more than one row may
/// have: what is one row must fit there anyway, and what is not begins to show its list.
pub(super) fn rows(window: &mut Window, nesting: usize) -> Result<Found, FormatError> {
    let mut tokens = Tokenizer::new(Documents::Several, nesting);
    let mut look = Look::default();
    let mut at = if window.bytes().starts_with(BOM) { BOM.len() } else { 0 };
    // What is wrong is told when it is read.
    while let Ok(token) = tokens.next(window.bytes(), &mut at, window.ended()) {
        let goes_on = match token.kind {
            Kind::End => false,
            Kind::More => !look.in_rows() && window.more(0)?.is_ok(),
            _ => look.take(token, window.bytes()),
        };
        if !goes_on {
            break;
        }
    }
    Ok(look.judge())
}

/// Names, of which the first are kept.
#[derive(Default)]
struct Names {
    first: Vec<String>,
    more: usize,
}

impl Names {
    const KEPT: usize = 10;

    fn push(&mut self, name: &str) {
        match self.first.len() < Self::KEPT {
            true => self.first.push(name.to_owned()),
            false => self.more += 1,
        }
    }

    fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    fn shown(&self) -> String {
        let mut text = self.first.iter().map(|name| short(name)).collect::<Vec<_>>().join(", ");
        if self.more > 0 {
            text.push_str(&format!(" and {} more", self.more));
        }
        text
    }
}

/// A name as it is shown to people.
pub(super) fn short(name: &str) -> String {
    match name.char_indices().nth(60) {
        Some((end, _)) => format!("{:?}…", &name[..end]),
        None => format!("{name:?}"),
    }
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
    /// The members that are arrays of objects; of them those that are about the rows are apart.
    lists: Names,
    beside: Names,
    /// The members that are arrays with nothing in them, and usually hold rows.
    empty: Names,
    /// The other members; those of a record; and the first by which one is known.
    others: Names,
    of_record: Names,
    known_by: Option<String>,
    /// The first that says that something went wrong.
    failure: Option<String>,
    /// Members, and the one that is an array with nothing in it, if it is the last.
    members: usize,
    nothing: Option<String>,
    /// What the member that is being looked at is, if it is an array.
    elements: Option<Elements>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Elements {
    /// There are none yet, or nulls.
    None,
    Nulls,
    Objects,
    Others,
}

impl Look {
    /// `false`: nothing that follows matters.
    fn take(&mut self, token: Token, sample: &[u8]) -> bool {
        let null = &sample[token.start..token.end] == b"null";
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
                self.members += 1;
            }
            (Kind::Scalar, 1) => {
                if names::is_failure(&self.key, Some(&sample[token.start..token.end])) {
                    self.failure.get_or_insert_with(|| self.key.clone());
                }
                self.member(if null { Member::Null } else { Member::Scalar });
            }
            (Kind::ArrayBegin, 1) => {
                self.elements = Some(Elements::None);
                self.depth = 2;
            }
            (kind @ (Kind::ObjectBegin | Kind::ArrayBegin | Kind::Scalar), 2) => {
                self.element(kind, null);
                self.depth += usize::from(kind != Kind::Scalar);
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

    /// Takes an element of an array that is a member. Nulls are nothing beside objects.
    fn element(&mut self, kind: Kind, null: bool) {
        let Some(elements) = &mut self.elements else { return };
        *elements = match (*elements, kind) {
            (Elements::None | Elements::Nulls | Elements::Objects, Kind::ObjectBegin) => {
                Elements::Objects
            }
            (Elements::None | Elements::Nulls, Kind::Scalar) if null => Elements::Nulls,
            (Elements::Objects, Kind::Scalar) if null => Elements::Objects,
            _ => Elements::Others,
        };
    }

    fn member(&mut self, member: Member) {
        let key = std::mem::take(&mut self.key);
        self.others.push(&key);
        if member == Member::Null {
            return;
        }
        match names::says(&key) {
            Says::About => {}
            Says::Known if member == Member::Scalar => {
                self.of_record.push(&key);
                self.known_by.get_or_insert(key);
            }
            Says::Something | Says::Known => self.of_record.push(&key),
        }
    }

    fn end_member(&mut self) {
        match self.elements.take() {
            Some(Elements::Objects) => {
                let key = std::mem::take(&mut self.key);
                match names::is_beside_rows(&key) {
                    true => self.beside.push(&key),
                    false => self.lists.push(&key),
                }
            }
            Some(Elements::None) if names::may_hold_rows(&self.key) => {
                let key = std::mem::take(&mut self.key);
                self.empty.push(&key);
            }
            Some(Elements::None | Elements::Nulls) => {
                self.nothing = Some(self.key.clone());
                self.member(Member::Container);
            }
            _ => {
                if names::is_failure(&self.key, None) {
                    self.failure.get_or_insert_with(|| self.key.clone());
                }
                self.member(Member::Container);
            }
        }
    }

    /// The text that was seen ends within a list that may be the rows'.
    fn in_rows(&self) -> bool {
        self.elements == Some(Elements::Objects) && !names::is_beside_rows(&self.key)
    }

    fn judge(mut self) -> Found {
        if self.elements == Some(Elements::Objects) {
            self.end_member();
        }
        if self.array {
            return document("the elements of the array");
        }
        if self.scalar {
            return document("one, the document");
        }
        if self.documents > 1 {
            return document("one for each document");
        }
        let of_lists = !self.lists.is_empty();
        let lists = if of_lists { &self.lists } else { &self.beside };
        match (&lists.first[..], &self.empty.first[..]) {
            ([], [only]) => self.none(only),
            ([], []) if self.members == 1 && self.nothing.is_some() => self.nothing_else(),
            ([only], [])
                if !of_lists && !self.others.is_empty() && names::is_failure(only, None) =>
            {
                document(&format!("one, the document: it reports {}", short(only)))
            }
            ([], _) => document("one, the document: none of its members is an array of objects"),
            ([only], []) => self.elements_of(only, of_lists),
            ([only], _) if names::holds_rows(only) => self.elements_of(only, of_lists),
            _ => document(&format!(
                "one, the document: {} are arrays of objects; format.rows says which one holds the rows",
                Self::shown_lists(lists, &self.empty)
            )),
        }
    }

    fn shown_lists(lists: &Names, empty: &Names) -> String {
        match empty.is_empty() {
            true => lists.shown(),
            false => format!("{}, {}", lists.shown(), empty.shown()),
        }
    }

    /// All there is is one list without elements: no rows, unless that is a part of a record.
    fn nothing_else(&self) -> Found {
        match self.nothing.as_deref() {
            Some(only) if !names::is_part(only) && !names::is_beside_rows(only) => self.none(only),
            _ => document("one, the document: none of its members is an array of objects"),
        }
    }

    /// The only list is an empty one: there are no rows, unless the document is a record, or the answer of a
    /// system that could not say which there are.
    fn none(&self, only: &str) -> Found {
        if let Some(found) = self.record(only) {
            return found;
        }
        if let Some(failure) = &self.failure {
            let (only, failure) = (short(only), short(failure));
            return document(&format!(
                "one, the document: {failure} lies beside {only}, which is empty (format.rows = {only} makes it no rows)"
            ));
        }
        let left_out = self.left_out(false);
        self.within(only, format!("rows: none, as {} is empty{left_out}", short(only)))
    }

    fn elements_of(&self, only: &str, of_lists: bool) -> Found {
        if let Some(found) = self.record(only) {
            return found;
        }
        let only_one = match of_lists && !self.beside.is_empty() {
            true => "which holds the rows by its name",
            false => "the only array of objects in the document",
        };
        let left_out = self.left_out(of_lists);
        let evidence = format!(
            "rows: the elements of {}, {only_one}{left_out} (format.rows = \".\" makes the document one row)",
            short(only)
        );
        self.within(only, evidence)
    }

    /// The document is one row, if what lies beside its only list is a record's.
    fn record(&self, only: &str) -> Option<Found> {
        let named = names::holds_rows(only);
        let by = match (&self.known_by, &self.of_record.first[..]) {
            (Some(known), _) if !named => known,
            (None, [first, ..]) if names::is_part(only) => first,
            _ => return None,
        };
        let (only, by) = (short(only), short(by));
        Some(document(&format!(
            "one, the document: it is a record, as {by} lies beside the list {only} (format.rows = {only} makes the elements of that the rows)"
        )))
    }

    fn left_out(&self, of_lists: bool) -> String {
        let beside = of_lists && !self.beside.is_empty();
        let names = match (beside, self.others.is_empty()) {
            (false, true) => return String::new(),
            (false, false) => self.others.shown(),
            (true, true) => self.beside.shown(),
            (true, false) => format!("{}, {}", self.beside.shown(), self.others.shown()),
        };
        format!("; left out: {names}")
    }

    fn within(&self, list: &str, evidence: String) -> Found {
        let within = Within { list: list.to_owned(), named: names::holds_rows(list) };
        Found { path: RowsPath::key(list.to_owned()), evidence, within: Some(within) }
    }
}

fn document(why: &str) -> Found {
    Found { path: RowsPath::default(), evidence: format!("rows: {why}"), within: None }
}
