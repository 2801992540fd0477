//! The rows of a document: the elements of its array, of an array within it, or the document itself;
//! and of documents one after the other.
//!
//! What is not part of a row is checked and passed over, token by token. Only one row, or one token
//! beside the rows, is ever held.

use std::borrow::Cow;
use std::sync::Arc;

use super::cells::{Cells, CellsFault};
use super::path::{RowsPath, unescape};
use super::sniff::{Member, Within, short};
use super::token::{Documents, Kind, Syntax, Token, Tokenizer};
use super::{JsonProblem, Place, too_deep};
use crate::format::heads::Heads;
use crate::format::lines::Lines;
use crate::format::names::is_beside_rows;
use crate::format::window::{Full, Window};
use crate::format::{FormatError, Head, Limit, Limits, Position, Reader, Row, RowFault, sniff};

/// Keys that are told when the path of the rows leads nowhere.
const TOLD: usize = 20;

pub(super) struct DocumentReader {
    window: Window,
    tokens: Tokenizer,
    limits: Limits,
    /// The place in the window that is read next.
    at: usize,
    /// The place and line up to which lines are counted, and its place in the window.
    lines: Lines,
    counted: usize,
    path: RowsPath,
    /// The path as it was stated; `None`: it was found in the first bytes.
    stated: Option<String>,
    /// The list that was found to hold the rows, what lies beside it that is worth a word, and the
    /// name of the member that is read.
    within: Option<Within>,
    left_out: Vec<String>,
    more_left_out: bool,
    member: String,
    documents: u64,
    /// The containers that are open and not passed over.
    frames: Vec<Frame>,
    /// The path led to something.
    found: bool,
    /// Keys of the documents, to be told if it does not.
    keys: Vec<String>,
    rows: u64,
    place: Place,
    cells: Cells,
    fault: Option<RowFault>,
    heads: Heads,
    /// The current row was looked at but not given out yet.
    pending: bool,
}

/// An open container on the way to the rows.
struct Frame {
    object: bool,
    /// Steps of the path that are passed here.
    passed: usize,
    /// Its elements are the rows.
    rows: bool,
    /// Of an object: the value that comes next is on the way.
    leads: bool,
    /// Of an array: the number of the element that comes next.
    element: u64,
}

impl DocumentReader {
    pub(super) fn open(
        window: Window,
        path: RowsPath,
        stated: Option<String>,
        within: Option<Within>,
        limits: Limits,
    ) -> Self {
        let mark = if window.bytes().starts_with(sniff::BOM) { sniff::BOM.len() } else { 0 };
        Self {
            window,
            tokens: Tokenizer::new(Documents::Several, limits.max_nesting),
            limits,
            at: mark,
            lines: Lines::from(mark as u64),
            counted: mark,
            path,
            stated,
            within,
            left_out: Vec::new(),
            more_left_out: false,
            member: String::new(),
            documents: 0,
            frames: Vec::new(),
            found: false,
            keys: Vec::new(),
            rows: 0,
            place: Place::default(),
            cells: Cells::new(limits.max_columns),
            fault: None,
            heads: Heads::new(),
            pending: false,
        }
    }

    /// Looks at the first row, whose head is then known.
    pub(super) fn look(&mut self) -> Result<(), FormatError> {
        self.pending = self.find_row()?;
        Ok(())
    }

    fn find_row(&mut self) -> Result<bool, FormatError> {
        loop {
            let token = self.token(None)?;
            match token.kind {
                Kind::End => return self.end().map(|()| false),
                Kind::ObjectEnd | Kind::ArrayEnd => {
                    self.frames.pop();
                }
                Kind::Key => self.key(token),
                Kind::ObjectBegin | Kind::ArrayBegin | Kind::Scalar => {
                    if self.value(token)? {
                        self.rows += 1;
                        return Ok(true);
                    }
                }
                Kind::More => {}
            }
        }
    }

    fn key(&mut self, token: Token) {
        let key = &self.window.bytes()[token.start..token.end];
        if let Some(frame) = self.frames.last_mut() {
            frame.leads = self.path.leads_to_key(frame.passed, key);
        }
        if self.within.is_some() && self.frames.len() == 1 {
            self.member = unescape(key).map(Cow::into_owned).unwrap_or_default();
        }
        if self.stated.is_some()
            && !self.found
            && self.frames.len() == 1
            && self.keys.len() < TOLD
            && let Some(key) = unescape(key)
            && !self.keys.iter().any(|known| *known == key)
        {
            self.keys.push(key.chars().take(60).collect());
        }
    }

    /// A value begins that is not part of a row yet; `true`: it was one.
    fn value(&mut self, token: Token) -> Result<bool, FormatError> {
        let (passed, is_row) = match self.frames.last_mut() {
            None => {
                self.documents += 1;
                (Some(0), false)
            }
            Some(frame) if frame.rows => (None, true),
            Some(frame) if frame.object => (frame.leads.then_some(frame.passed + 1), false),
            Some(frame) => {
                let element = frame.element;
                frame.element += 1;
                (self.path.at_element(frame.passed, element), false)
            }
        };
        if self.is_doubtful(token, is_row, passed.is_some()) {
            return Err(self.ambiguous(token.start));
        }
        if is_row {
            return self.row_from(token).map(|()| true);
        }
        let container = token.kind != Kind::Scalar;
        let Some(passed) = passed else {
            if container {
                self.pass_over(token)?;
            }
            return Ok(false);
        };
        let there = passed == self.path.len();
        self.found |= there;
        let array = token.kind == Kind::ArrayBegin;
        if there && !array {
            // Nothing where rows could be is no row; a document that is nothing is one.
            let nothing = self.path.len() > 0
                && !container
                && &self.window.bytes()[token.start..token.end] == b"null";
            if nothing {
                return Ok(false);
            }
            return self.row_from(token).map(|()| true);
        }
        if container {
            self.frames.push(Frame {
                object: !array,
                passed,
                rows: there,
                leads: false,
                element: 0,
            });
        }
        Ok(false)
    }

    /// Whether what begins was not to be expected where the rows were found by the first bytes. If
    /// all of it had been seen then, they would be elsewhere.
    fn is_doubtful(&mut self, first: Token, is_row: bool, leads: bool) -> bool {
        let Some(within) = &self.within else { return false };
        let scalar = first.kind == Kind::Scalar;
        let null = scalar && &self.window.bytes()[first.start..first.end] == b"null";
        if is_row {
            return first.kind != Kind::ObjectBegin && !null;
        }
        if leads || self.frames.len() != 1 {
            return leads && self.documents > 1;
        }
        let member = match (null, scalar) {
            (true, _) => Member::Null,
            (_, true) => Member::Scalar,
            _ => Member::Container,
        };
        if within.is_against(&self.member, member) {
            return true;
        }
        if within.is_told(&self.member, member) {
            self.leave_out();
        }
        false
    }

    /// Takes note of the member that is read as left out.
    fn leave_out(&mut self) {
        match self.left_out.len() < TOLD {
            true => self.left_out.push(short(&self.member)),
            false => self.more_left_out = true,
        }
    }

    #[cold]
    fn ambiguous(&self, at: usize) -> FormatError {
        let place = self.place_of(at);
        FormatError::RowsAmbiguous { line: place.line, byte_offset: place.offset }
    }

    /// Reads to the end of the row that begins with `first`.
    fn row_from(&mut self, first: Token) -> Result<(), FormatError> {
        self.pass_lines(first.start);
        let begins = self.lines;
        let mut row = first.start;
        let mut token = first;
        let mut odd = None;
        self.cells.begin();
        let end = loop {
            let taken = self.cells.take(token, self.window.bytes(), row);
            let done = taken.map_err(|_| FormatError::TooManyColumns {
                line: begins.line,
                byte_offset: begins.offset,
                limit: Limit { setting: "max_columns", value: self.limits.max_columns as u64 },
            })?;
            odd = odd.or_else(|| {
                let Syntax { problem, at } = self.tokens.odd()?;
                Some(CellsFault { problem, at: at - row })
            });
            if done {
                break token.end;
            }
            token = self.token(Some(&mut row))?;
        };
        if end - row > self.limits.max_row_bytes {
            return Err(self.row_too_long(&begins));
        }
        self.pass_lines(end);
        self.place = Place { begins, start: row, end };
        let not_utf8 = self.window.not_utf8(row, end);
        let not_utf8 =
            not_utf8.map(|at| CellsFault { problem: JsonProblem::NotUtf8, at: at - row });
        let fault = not_utf8
            .or(odd)
            .or_else(|| self.cells.finish(&self.window.bytes()[row..end], &mut self.heads).err());
        self.fault =
            fault.map(|fault| RowFault::Json { problem: fault.problem, at: fault.at as u64 });
        if self.fault.is_some() {
            self.heads.none();
            self.cells.begin();
        }
        Ok(())
    }

    /// Passes over a value beside the rows.
    fn pass_over(&mut self, first: Token) -> Result<(), FormatError> {
        // If the rows are where they are only because nothing else looked like rows, and something
        // does after all, then nobody knows which are meant.
        let list =
            self.within.is_some() && self.frames.len() == 1 && first.kind == Kind::ArrayBegin;
        let beside = is_beside_rows(&self.member);
        let mut told = false;
        let mut depth = 1;
        while depth > 0 {
            let token = self.token(None)?;
            match token.kind {
                Kind::ObjectBegin if list && depth == 1 && !beside => {
                    return Err(self.ambiguous(token.start));
                }
                Kind::ObjectBegin if list && depth == 1 && !told => {
                    told = true;
                    self.leave_out();
                    depth += 1;
                }
                Kind::ObjectBegin | Kind::ArrayBegin => depth += 1,
                Kind::ObjectEnd | Kind::ArrayEnd => depth -= 1,
                _ => {}
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), FormatError> {
        self.pass_lines(self.at);
        match &self.stated {
            Some(path) if !self.found => Err(FormatError::RowsNotFound {
                path: path.clone(),
                found: std::mem::take(&mut self.keys),
            }),
            _ => Ok(()),
        }
    }

    /// The next token. `row`: where the row began that it is part of, whose bytes are kept.
    #[inline]
    fn token(&mut self, row: Option<&mut usize>) -> Result<Token, FormatError> {
        let mut row = row;
        loop {
            let ended = self.window.ended();
            match self.tokens.next(self.window.bytes(), &mut self.at, ended) {
                Ok(Token { kind: Kind::More, .. }) => {
                    let keep = row.as_deref().map_or(self.at, |row| *row);
                    self.more(keep)?;
                    if let Some(row) = &mut row {
                        **row = 0;
                    }
                }
                Ok(token) => return Ok(token),
                Err(syntax) => return Err(self.syntax(syntax)),
            }
        }
    }

    fn more(&mut self, keep: usize) -> Result<(), FormatError> {
        self.pass_lines(keep);
        let begins = self.lines;
        match self.window.more(keep)? {
            Ok(()) => {}
            Err(Full) => return Err(self.row_too_long(&begins)),
        }
        self.at -= keep;
        self.counted -= keep;
        Ok(())
    }

    /// Counts the lines up to a place in the window.
    fn pass_lines(&mut self, to: usize) {
        if to > self.counted {
            self.lines.pass(&self.window.bytes()[self.counted..to]);
            self.counted = to;
        }
    }

    fn place_of(&self, at: usize) -> Lines {
        let mut place = self.lines;
        place.pass(self.window.bytes().get(self.counted..at).unwrap_or_default());
        place
    }

    /// What lies beside the rows and is no row, for people.
    fn left_out(&self) -> Option<String> {
        let list = short(&self.within.as_ref()?.list);
        let names = self.left_out.join(", ");
        let more = if self.more_left_out { " and more" } else { "" };
        (!names.is_empty()).then(|| {
            format!(
                "beside the rows of {list} the document has {names}{more}: left out (format.rows = \".\" makes the document one row)"
            )
        })
    }

    #[cold]
    fn syntax(&self, syntax: Syntax) -> FormatError {
        let place = self.place_of(syntax.at);
        match syntax.problem {
            JsonProblem::TooDeep(_) => too_deep(&place, &self.limits),
            problem => FormatError::Json {
                line: place.line,
                column: place.column(),
                byte_offset: place.offset,
                problem,
            },
        }
    }

    #[cold]
    fn row_too_long(&self, begins: &Lines) -> FormatError {
        let value = self.limits.max_row_bytes as u64;
        FormatError::RowTooLong {
            line: begins.line,
            byte_offset: begins.offset,
            limit: Limit { setting: "max_row_bytes", value },
        }
    }
}

impl Reader for DocumentReader {
    fn advance(&mut self) -> Result<bool, FormatError> {
        if std::mem::take(&mut self.pending) {
            return Ok(true);
        }
        self.find_row()
    }

    fn row(&self) -> Row<'_> {
        let bytes = self.window.bytes().get(self.place.start..self.place.end).unwrap_or_default();
        self.place.row(self.rows, bytes, &self.cells, self.heads.current(), self.fault)
    }

    fn position(&self) -> Position {
        let (place, row) = match self.pending {
            true => (&self.place.begins, self.rows - 1),
            false => (&self.lines, self.rows),
        };
        Position { byte_offset: place.offset, line: place.line, row, encoding: None }
    }

    fn head(&self) -> &Arc<Head> {
        self.heads.current()
    }

    fn remarks(&self) -> Vec<String> {
        self.cells.remark().into_iter().chain(self.left_out()).collect()
    }
}
