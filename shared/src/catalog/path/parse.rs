//! The text of a pattern into pieces.

use super::{COMPRESSIONS, PathError};

/// Longer than any key of S3 (1024 bytes), so that a pattern's cost is bounded.
const MAX_LENGTH: usize = 2048;

/// One piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// The character itself.
    Exact(char),
    /// The character in either ASCII case.
    AnyCase(char),
    /// `?`
    One,
    /// `*`; at least one character if it is a whole segment, so that `dir/*` does not take the
    /// folder marker `dir/`.
    Star { whole_segment: bool },
    /// `**/`
    Folders,
    /// `**` at the end.
    Below,
    /// `{name}`, by its number.
    Capture(usize),
    /// `{a,b}`
    Either(Vec<Vec<Piece>>),
}

pub(super) struct Parsed {
    pub(super) pieces: Vec<Piece>,
    pub(super) captures: Vec<String>,
}

pub(super) fn parse(text: &str) -> Result<Parsed, PathError> {
    let mut parser =
        Parser { chars: text.chars().collect(), at: 0, pieces: Vec::new(), captures: Vec::new() };
    parser.pattern(text)?;
    ignore_case_of_extension(&mut parser.pieces);
    Ok(Parsed { pieces: parser.pieces, captures: parser.captures })
}

/// The exact characters before anything else.
pub(super) fn literal_prefix(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map_while(|piece| if let Piece::Exact(c) = piece { Some(*c) } else { None })
        .collect()
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    pieces: Vec<Piece>,
    captures: Vec<String>,
}

impl Parser {
    fn pattern(&mut self, text: &str) -> Result<(), PathError> {
        if text.is_empty() {
            return Err(error(0, "there is nothing", "write ** for every key"));
        }
        if text.len() > MAX_LENGTH {
            let fit = text.char_indices().take_while(|(at, _)| *at < MAX_LENGTH).count();
            return Err(error(fit, "the pattern is too long", "use wildcards"));
        }
        if text.starts_with('/') {
            return Err(error(0, "there is a leading /", "remove it: keys begin without one"));
        }
        let mut segment = 0;
        while let Some(c) = self.peek(0) {
            let start = self.at;
            self.at += 1;
            match c {
                '/' => {
                    self.pieces.push(Piece::Exact('/'));
                    segment = self.at;
                }
                '*' if self.peek(0) == Some('*') => {
                    self.at += 1;
                    match self.peek(0) {
                        None if start == segment => self.pieces.push(Piece::Below),
                        Some('/') if start == segment => {
                            self.at += 1;
                            segment = self.at;
                            self.pieces.push(Piece::Folders);
                        }
                        _ => {
                            let message = "** is not a whole segment";
                            return Err(error(start, message, "put it between slashes, or use *"));
                        }
                    }
                }
                '*' => {
                    let whole_segment =
                        start == segment && matches!(self.peek(0), None | Some('/'));
                    self.pieces.push(Piece::Star { whole_segment });
                }
                '{' => self.braces(start)?,
                c => {
                    let piece = self.simple(c, start)?;
                    self.pieces.push(piece);
                }
            }
        }
        Ok(())
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    /// A piece that may also stand within braces.
    fn simple(&mut self, c: char, start: usize) -> Result<Piece, PathError> {
        match c {
            '?' => Ok(Piece::One),
            '\\' => {
                let c = self.peek(0).ok_or_else(|| {
                    error(start, "nothing follows the backslash", "write \\\\ for a backslash")
                })?;
                self.at += 1;
                Ok(Piece::Exact(c))
            }
            '}' => Err(error(start, "} closes nothing", "write \\} for the character itself")),
            '[' => Err(error(
                start,
                "[ has no meaning in a pattern",
                "use {a,b} or ?, or write \\[ for the character itself",
            )),
            c => Ok(Piece::Exact(c)),
        }
    }

    /// A capture or alternatives, behind the opening brace.
    fn braces(&mut self, open: usize) -> Result<(), PathError> {
        let mut alternatives = vec![Vec::new()];
        let mut name = String::new();
        loop {
            let start = self.at;
            let c = self.peek(0).ok_or_else(|| {
                error(open, "{ is not closed", "add }, or write \\{ for the character itself")
            })?;
            self.at += 1;
            let piece = match c {
                '}' => break,
                ',' => {
                    alternatives.push(Vec::new());
                    continue;
                }
                '{' | '/' => {
                    let message = format!("{c} stands within braces");
                    return Err(error(start, &message, "write the cases as patterns of their own"));
                }
                '*' if self.peek(0) == Some('*') => {
                    return Err(error(start, "** stands within braces", "use *"));
                }
                '*' => Piece::Star { whole_segment: false },
                c => self.simple(c, start)?,
            };
            name.push(c);
            if let Some(last) = alternatives.last_mut() {
                last.push(piece);
            }
        }
        let extension = self.pieces.last() == Some(&Piece::Exact('.')) && self.peek(0).is_none();
        if alternatives.len() > 1 || (extension && !name.is_empty()) {
            self.pieces.push(Piece::Either(alternatives));
            return Ok(());
        }
        let first = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        let rest = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !first || !name.chars().all(rest) {
            let message = format!("{{{name}}} is neither a capture nor a list");
            let remedy = "name a capture with a-z, 0-9 and _, or separate texts by commas";
            return Err(error(open, &message, remedy));
        }
        if self.captures.contains(&name) {
            let message = format!("{{{name}}} is captured twice");
            return Err(error(open, &message, "use * for the other one"));
        }
        self.pieces.push(Piece::Capture(self.captures.len()));
        self.captures.push(name);
        Ok(())
    }
}

fn error(index: usize, message: &str, remedy: &str) -> PathError {
    PathError { position: index + 1, message: message.to_owned(), remedy: remedy.to_owned() }
}

fn ignore_case_of_extension(pieces: &mut [Piece]) {
    let segment = pieces
        .iter()
        .rposition(|piece| matches!(piece, Piece::Exact('/') | Piece::Folders))
        .map_or(0, |slash| slash + 1);
    let last = &mut pieces[segment..];
    let Some(mut dot) = last.iter().rposition(has_dot) else { return };
    if is_compression(&last[dot..]) {
        dot = last[..dot].iter().rposition(has_dot).unwrap_or(dot);
    }
    last[dot..].iter_mut().for_each(ignore_case);
}

fn has_dot(piece: &Piece) -> bool {
    match piece {
        Piece::Exact('.') => true,
        Piece::Either(texts) => texts.iter().any(|text| text.first() == Some(&Piece::Exact('.'))),
        _ => false,
    }
}

/// Whether the pieces, which begin with a dot, stand for nothing but compressions.
fn is_compression(pieces: &[Piece]) -> bool {
    let known = |pieces: &[Piece]| {
        let word = literal_prefix(pieces).to_ascii_lowercase();
        let literal = word.chars().count() == pieces.len();
        literal && (word.is_empty() || COMPRESSIONS.contains(&word.trim_start_matches('.')))
    };
    match pieces {
        [Piece::Exact('.'), Piece::Either(texts)] | [Piece::Either(texts)] => {
            texts.iter().all(|text| known(text))
        }
        [Piece::Exact('.'), rest @ ..] => !rest.is_empty() && known(rest),
        _ => false,
    }
}

fn ignore_case(piece: &mut Piece) {
    match piece {
        Piece::Exact(c) if c.is_ascii_alphabetic() => *piece = Piece::AnyCase(*c),
        Piece::Either(texts) => texts.iter_mut().flatten().for_each(ignore_case),
        _ => {}
    }
}
