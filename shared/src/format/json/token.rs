//! JSON as RFC 8259 writes it, token by token: strict, without recursion, and without a copy.
//!
//! The tokenizer is Inlet's own because of what it is asked for: the raw text of the values of an
//! endless array, at hand within a bounded buffer, with their places. `serde_json` lends raw values
//! only from a text that is in memory as a whole, and its stream gives one concatenated document
//! after the other, never the elements of one.

use super::problem::JsonProblem;
use crate::format::sniff::BOM;

/// What is wrong, and where in the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Syntax {
    pub(super) problem: JsonProblem,
    pub(super) at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    /// A key, with its quotes.
    Key,
    /// A string with its quotes, a number, `true`, `false` or `null`.
    Scalar,
    /// The end of the text, at which it may end.
    End,
    /// The bytes end within something.
    More,
}

/// A token and where it is in the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    /// The first document.
    Document,
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
    /// The end of the text, or another document.
    NextDocument,
}

/// How many documents a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Documents {
    /// One.
    One,
    /// One, or several objects one after the other, or several arrays of objects, as exports in parts
    /// are. Nothing else: `[1][2]` and `1 2` are mistakes more likely than they are meant. A byte
    /// order mark may stand between them, as where files were put together.
    Several,
}

pub(super) struct Tokenizer {
    expect: Expect,
    /// The containers that are open, from the outermost: whether they are objects.
    open: Vec<bool>,
    max_nesting: usize,
    documents: Documents,
    /// What may follow the last document.
    follows: Follows,
    /// What the outermost array has in it.
    outermost: Outermost,
    /// What is odd about the last token, though it is valid by the grammar.
    odd: Option<Syntax>,
}

/// What may follow a document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Follows {
    Nothing,
    Object,
    ArrayOfObjects,
}

/// What is known of the array that is a document.
#[derive(Clone, Copy)]
struct Outermost {
    /// It follows an array of objects, so it must be one.
    bound: bool,
    filled: bool,
    only_objects: bool,
}

const NOTHING_KNOWN: Outermost = Outermost { bound: false, filled: false, only_objects: true };

/// How far a string or a number reaches.
enum Reach {
    To(usize),
    More,
}

impl Tokenizer {
    pub(super) fn new(documents: Documents, max_nesting: usize) -> Self {
        Self {
            expect: Expect::Document,
            open: Vec::new(),
            max_nesting,
            documents,
            follows: Follows::Nothing,
            outermost: NOTHING_KNOWN,
            odd: None,
        }
    }

    /// Begins another text.
    pub(super) fn restart(&mut self) {
        self.expect = Expect::Document;
        self.open.clear();
        self.follows = Follows::Nothing;
        self.odd = None;
    }

    /// What is odd about the last token, though it is valid by the grammar: half of a character, or a
    /// number beyond what readers hold. It is the caller's to judge.
    pub(super) fn odd(&self) -> Option<Syntax> {
        self.odd
    }

    /// The token at `at`, which goes on behind it. After [`Kind::More`] the same is to be asked for
    /// again with more bytes from `at` on. `ended`: there are no more.
    #[inline]
    pub(super) fn next(
        &mut self,
        bytes: &[u8],
        at: &mut usize,
        ended: bool,
    ) -> Result<Token, Syntax> {
        self.odd = None;
        loop {
            let start = skip_whitespace(bytes, *at);
            *at = start;
            let Some(byte) = bytes.get(start).copied() else {
                return self.at_end(start, ended);
            };
            let one = |kind| Token { kind, start, end: start + 1 };
            let wrong = |problem| Err(Syntax { problem, at: start });
            match (self.expect, byte) {
                (Expect::Key | Expect::KeyOrEnd, b'"') => {
                    let Reach::To(end) = self.string(bytes, start, ended)? else {
                        return Ok(Token { kind: Kind::More, start, end: start });
                    };
                    self.expect = Expect::Colon;
                    *at = end;
                    return Ok(Token { kind: Kind::Key, start, end });
                }
                (Expect::Colon, b':') => {
                    self.expect = Expect::Value;
                    *at = start + 1;
                }
                (Expect::CommaOrEnd, b',') => {
                    self.expect = match self.open.last() {
                        Some(true) => Expect::Key,
                        _ => Expect::Value,
                    };
                    *at = start + 1;
                }
                (Expect::CommaOrEnd | Expect::KeyOrEnd, b'}')
                    if self.open.last() == Some(&true) =>
                {
                    self.close();
                    *at = start + 1;
                    return Ok(one(Kind::ObjectEnd));
                }
                (Expect::CommaOrEnd | Expect::ValueOrEnd, b']')
                    if self.open.last() == Some(&false) =>
                {
                    self.close();
                    *at = start + 1;
                    return Ok(one(Kind::ArrayEnd));
                }
                (Expect::NextDocument, b'{') if self.follows == Follows::Object => {
                    self.expect = Expect::Document;
                }
                (Expect::NextDocument, b'[') if self.follows == Follows::ArrayOfObjects => {
                    self.expect = Expect::Document;
                }
                (Expect::NextDocument, 0xef) if self.documents == Documents::Several => {
                    let rest = &bytes[start..];
                    if rest.starts_with(BOM) {
                        *at = start + BOM.len();
                    } else if BOM.starts_with(rest) && !ended {
                        return Ok(Token { kind: Kind::More, start, end: start });
                    } else {
                        return wrong(JsonProblem::TrailingBytes);
                    }
                }
                (Expect::Document | Expect::Value | Expect::ValueOrEnd, _) => {
                    return self.value(bytes, at, ended);
                }
                (Expect::Key | Expect::KeyOrEnd, _) => return wrong(JsonProblem::ExpectedKey),
                (Expect::Colon, _) => return wrong(JsonProblem::ExpectedColon),
                (Expect::CommaOrEnd, _) => {
                    return wrong(match self.open.last() {
                        Some(true) => JsonProblem::ExpectedCommaOrBrace,
                        _ => JsonProblem::ExpectedCommaOrBracket,
                    });
                }
                (Expect::NextDocument, _) => return wrong(JsonProblem::TrailingBytes),
            }
        }
    }

    fn at_end(&self, at: usize, ended: bool) -> Result<Token, Syntax> {
        let token = |kind| Ok(Token { kind, start: at, end: at });
        match self.expect {
            _ if !ended => token(Kind::More),
            Expect::NextDocument => token(Kind::End),
            _ => Err(Syntax { problem: JsonProblem::UnexpectedEnd, at }),
        }
    }

    /// A value that begins at `at`.
    #[inline]
    fn value(&mut self, bytes: &[u8], at: &mut usize, ended: bool) -> Result<Token, Syntax> {
        let start = *at;
        if let [false] = self.open[..] {
            self.element(bytes[start], start)?;
        }
        let reach = match bytes[start] {
            byte @ (b'{' | b'[') => {
                if self.open.len() >= self.max_nesting {
                    let limit = u32::try_from(self.max_nesting).unwrap_or(u32::MAX);
                    return Err(Syntax { problem: JsonProblem::TooDeep(limit), at: start });
                }
                let object = byte == b'{';
                if self.open.is_empty() {
                    let bound = self.follows == Follows::ArrayOfObjects;
                    self.outermost = Outermost { bound, ..NOTHING_KNOWN };
                }
                self.open.push(object);
                let (kind, expect) = match object {
                    true => (Kind::ObjectBegin, Expect::KeyOrEnd),
                    false => (Kind::ArrayBegin, Expect::ValueOrEnd),
                };
                self.expect = expect;
                *at = start + 1;
                return Ok(Token { kind, start, end: start + 1 });
            }
            b'"' => self.string(bytes, start, ended)?,
            b'-' | b'0'..=b'9' => number(bytes, start, ended)?,
            b't' => word(bytes, start, ended, b"true")?,
            b'f' => word(bytes, start, ended, b"false")?,
            b'n' => word(bytes, start, ended, b"null")?,
            _ => return Err(Syntax { problem: JsonProblem::ExpectedValue, at: start }),
        };
        let Reach::To(end) = reach else {
            return Ok(Token { kind: Kind::More, start, end: start });
        };
        if end == bytes.len() && ended && !self.open.is_empty() {
            // Of a number nobody knows that it was not longer before the text was cut.
            return Err(Syntax { problem: JsonProblem::UnexpectedEnd, at: end });
        }
        if let b'-' | b'0'..=b'9' = bytes[start]
            && is_too_large(&bytes[start..end])
        {
            self.odd = Some(Syntax { problem: JsonProblem::NumberTooLarge, at: start });
        }
        self.after_value(false);
        *at = end;
        Ok(Token { kind: Kind::Scalar, start, end })
    }

    /// Takes note of an element of the outermost array.
    #[inline]
    fn element(&mut self, first: u8, at: usize) -> Result<(), Syntax> {
        self.outermost.filled = true;
        if first != b'{' {
            self.outermost.only_objects = false;
            if self.outermost.bound {
                return Err(Syntax { problem: JsonProblem::TrailingBytes, at });
            }
        }
        Ok(())
    }

    fn close(&mut self) {
        let object = self.open.pop() == Some(true);
        self.after_value(object);
    }

    fn after_value(&mut self, object: bool) {
        self.expect = match self.open.is_empty() {
            true => {
                self.follows = self.what_follows(object);
                Expect::NextDocument
            }
            false => Expect::CommaOrEnd,
        };
    }

    /// What may follow the document that ends.
    fn what_follows(&self, object: bool) -> Follows {
        let Outermost { bound, filled, only_objects } = self.outermost;
        match self.documents {
            Documents::One => Follows::Nothing,
            Documents::Several if object => Follows::Object,
            Documents::Several if only_objects && (filled || bound) => Follows::ArrayOfObjects,
            Documents::Several => Follows::Nothing,
        }
    }

    /// The end of the string that begins at `start`.
    #[inline]
    fn string(&mut self, bytes: &[u8], start: usize, ended: bool) -> Result<Reach, Syntax> {
        let mut at = start + 1;
        let mut half = None;
        // What a string that does not end comes to.
        let cut = |at| match ended {
            true => Err(Syntax { problem: JsonProblem::UnexpectedEnd, at }),
            false => Ok(Reach::More),
        };
        loop {
            let Some(plain) = bytes[at..].iter().position(|byte| SPECIAL[usize::from(*byte)])
            else {
                return cut(bytes.len());
            };
            at += plain;
            match bytes[at] {
                b'"' => {
                    let problem = JsonProblem::UnpairedSurrogate;
                    self.odd = half.map(|at| Syntax { problem, at });
                    return Ok(Reach::To(at + 1));
                }
                b'\\' => match bytes.get(at + 1) {
                    Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => at += 2,
                    Some(b'u') => {
                        let Some(unit) = hex(bytes, at + 2)? else { return cut(bytes.len()) };
                        let mut next = at + 6;
                        if (0xd800..0xdc00).contains(&unit) {
                            // The other half must follow.
                            match (bytes.get(next), bytes.get(next + 1)) {
                                (Some(b'\\'), Some(b'u')) => {
                                    let Some(low) = hex(bytes, next + 2)? else {
                                        return cut(bytes.len());
                                    };
                                    if (0xdc00..0xe000).contains(&low) {
                                        next += 6;
                                    } else {
                                        half.get_or_insert(at);
                                    }
                                }
                                (None, _) | (Some(b'\\'), None) if !ended => {
                                    return Ok(Reach::More);
                                }
                                _ => {
                                    half.get_or_insert(at);
                                }
                            }
                        } else if (0xdc00..0xe000).contains(&unit) {
                            half.get_or_insert(at);
                        }
                        at = next;
                    }
                    Some(_) => return Err(Syntax { problem: JsonProblem::BadEscape, at }),
                    None => return cut(bytes.len()),
                },
                _ => return Err(Syntax { problem: JsonProblem::ControlCharacter, at }),
            }
        }
    }
}

/// Bytes that matter within a string: the quote, the backslash and control characters.
const SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        special[byte] = true;
        byte += 1;
    }
    special[b'"' as usize] = true;
    special[b'\\' as usize] = true;
    special
};

/// Four hexadecimal digits; `None` if the bytes end before.
fn hex(bytes: &[u8], at: usize) -> Result<Option<u32>, Syntax> {
    let mut unit = 0;
    for at in at..at + 4 {
        let Some(byte) = bytes.get(at) else { return Ok(None) };
        let Some(digit) = char::from(*byte).to_digit(16) else {
            return Err(Syntax { problem: JsonProblem::BadEscape, at });
        };
        unit = unit * 16 + digit;
    }
    Ok(Some(unit))
}

#[inline]
pub(super) fn skip_whitespace(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The end of `true`, `false` or `null`.
fn word(bytes: &[u8], start: usize, ended: bool, word: &[u8]) -> Result<Reach, Syntax> {
    for (n, letter) in word.iter().enumerate() {
        match bytes.get(start + n) {
            Some(byte) if byte == letter => {}
            Some(_) => return Err(Syntax { problem: JsonProblem::ExpectedValue, at: start }),
            None if ended => {
                return Err(Syntax { problem: JsonProblem::UnexpectedEnd, at: bytes.len() });
            }
            None => return Ok(Reach::More),
        }
    }
    Ok(Reach::To(start + word.len()))
}

/// The end of a number.
#[inline]
fn number(bytes: &[u8], start: usize, ended: bool) -> Result<Reach, Syntax> {
    let digits = |mut at: usize| {
        while let Some(b'0'..=b'9') = bytes.get(at) {
            at += 1;
        }
        at
    };
    // At least one digit must be at `at`; `None`: the bytes end there.
    let some_digits = |at: usize| match digits(at) {
        end if end > at => Ok(Some(end)),
        end if end < bytes.len() => Err(Syntax { problem: JsonProblem::BadNumber, at: end }),
        end if ended => Err(Syntax { problem: JsonProblem::UnexpectedEnd, at: end }),
        _ => Ok(None),
    };
    let mut at = start + usize::from(bytes[start] == b'-');
    if bytes.get(at) == Some(&b'0') {
        at += 1;
        if let Some(b'0'..=b'9') = bytes.get(at) {
            return Err(Syntax { problem: JsonProblem::BadNumber, at });
        }
    } else {
        let Some(end) = some_digits(at)? else { return Ok(Reach::More) };
        at = end;
    }
    if bytes.get(at) == Some(&b'.') {
        let Some(end) = some_digits(at + 1)? else { return Ok(Reach::More) };
        at = end;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let Some(end) = some_digits(at + 1 + sign)? else { return Ok(Reach::More) };
        at = end;
    }
    // Without what follows nobody knows that the number ends here.
    Ok(if at == bytes.len() && !ended { Reach::More } else { Reach::To(at) })
}

/// Whether a number is beyond those of double precision. JSON knows no such bound, but most who read
/// it do: some take the number for infinity, and others refuse the whole batch that it is in.
#[inline]
fn is_too_large(number: &[u8]) -> bool {
    let long = number.len() > 300;
    if !long && !number.iter().any(|byte| matches!(byte, b'e' | b'E')) {
        return false;
    }
    let value = std::str::from_utf8(number).ok().and_then(|text| text.parse::<f64>().ok());
    value.is_none_or(f64::is_infinite)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &[u8], documents: Documents) -> Result<Vec<Kind>, Syntax> {
        let mut tokenizer = Tokenizer::new(documents, 8);
        let (mut at, mut kinds) = (0, Vec::new());
        loop {
            match tokenizer.next(text, &mut at, true)?.kind {
                Kind::End => return Ok(kinds),
                kind => kinds.push(kind),
            }
        }
    }

    /// The same, seeing one byte more at a time.
    fn tokens_by_bytes(text: &[u8], documents: Documents) -> Result<Vec<Kind>, Syntax> {
        let mut tokenizer = Tokenizer::new(documents, 8);
        let (mut at, mut kinds, mut seen) = (0, Vec::new(), 0);
        loop {
            match tokenizer.next(&text[..seen], &mut at, seen == text.len())?.kind {
                Kind::End => return Ok(kinds),
                Kind::More => seen += 1,
                kind => kinds.push(kind),
            }
        }
    }

    fn problem(text: &str) -> (JsonProblem, usize) {
        let whole = tokens(text.as_bytes(), Documents::One).expect_err("refused");
        let cut = tokens_by_bytes(text.as_bytes(), Documents::One).expect_err("refused");
        assert_eq!(whole, cut, "{text}");
        (whole.problem, whole.at)
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        use JsonProblem::*;
        for (text, expected) in [
            ("", (UnexpectedEnd, 0)),
            (" x", (ExpectedValue, 1)),
            ("[1,]", (ExpectedValue, 3)),
            ("[1 2]", (ExpectedCommaOrBracket, 3)),
            ("[1}", (ExpectedCommaOrBracket, 2)),
            ("{1:2}", (ExpectedKey, 1)),
            ("{\"a\":1,}", (ExpectedKey, 7)),
            ("{\"a\" 1}", (ExpectedColon, 5)),
            ("{\"a\":1]", (ExpectedCommaOrBrace, 6)),
            ("01", (BadNumber, 1)),
            ("-x", (BadNumber, 1)),
            ("1.", (UnexpectedEnd, 2)),
            ("[1.]", (BadNumber, 3)),
            ("[1e+]", (BadNumber, 4)),
            ("[.5]", (ExpectedValue, 1)),
            ("[+5]", (ExpectedValue, 1)),
            ("[NaN]", (ExpectedValue, 1)),
            ("nul", (UnexpectedEnd, 3)),
            ("nulL", (ExpectedValue, 0)),
            ("\"\\x\"", (BadEscape, 1)),
            ("\"\\u12g4\"", (BadEscape, 5)),
            ("\"a\tb\"", (ControlCharacter, 2)),
            ("\"abc", (UnexpectedEnd, 4)),
            ("\"abc\\", (UnexpectedEnd, 5)),
            ("\"\\ud8", (UnexpectedEnd, 5)),
            ("1 2", (TrailingBytes, 2)),
            ("{} {}", (TrailingBytes, 3)),
            ("[[[[[[[[[", (TooDeep(8), 8)),
            ("{\"a\":", (UnexpectedEnd, 5)),
        ] {
            assert_eq!(problem(text), expected, "{text}");
        }
    }

    #[test]
    fn objects_may_follow_one_another_and_so_may_arrays_of_objects() {
        for text in [
            "{}{}",
            "{} \n {\"a\":[1]}\n",
            "[{}][{},{}]\n[{\"a\":[1]}]",
            "[{}][][{}]",
            "{}\n\u{feff}{}\u{feff}\n",
            "[{}]\u{feff}[{}]",
        ] {
            assert!(tokens(text.as_bytes(), Documents::Several).is_ok(), "{text}");
        }
        for text in [
            "[][]",
            "1 2",
            "{}[]",
            "[]{}",
            "{}1",
            "{},{}",
            "{}}",
            "[][{}]",
            "[{},1][{}]",
            "[{}][1]",
            "[{}][{},[]]",
            "[{}]{}",
            "[{}]]",
            "{}\u{feff}1",
            "1\u{feff}{}",
        ] {
            assert!(tokens(text.as_bytes(), Documents::Several).is_err(), "{text}");
        }
    }

    #[test]
    fn half_a_character_is_noticed() {
        for (text, half) in [
            (r#""\ud83d\ude00""#, None),
            (r#""\uD800""#, Some(1)),
            (r#""a\udc00""#, Some(2)),
            (r#""\ud800\ud800\udc00""#, Some(1)),
            (r#""\ud800x""#, Some(1)),
            (r#""\ud800\n""#, Some(1)),
            (r#""\\ud800""#, None),
            (r#""\u0000\uffff""#, None),
        ] {
            let mut tokenizer = Tokenizer::new(Documents::One, 8);
            let token = tokenizer.next(text.as_bytes(), &mut 0, true).expect("valid");
            assert_eq!((token.kind, token.end), (Kind::Scalar, text.len()), "{text}");
            assert_eq!(tokenizer.odd().map(|odd| odd.at), half, "{text}");
        }
    }

    #[test]
    fn a_number_that_most_readers_cannot_hold_is_noticed() {
        let long = "9".repeat(309);
        let close = "9".repeat(308);
        for (text, odd) in [
            ("1e308", false),
            ("-1.7976931348623157e308", false),
            ("1e309", true),
            ("-2E+0308", true),
            ("1e-999", false),
            ("0e999999999999999999999", false),
            (&close, false),
            (&long, true),
            ("123456789012345678901234567890.5", false),
        ] {
            let mut tokenizer = Tokenizer::new(Documents::One, 8);
            tokenizer.next(text.as_bytes(), &mut 0, true).expect("valid");
            assert_eq!(tokenizer.odd().is_some(), odd, "{text}");
        }
    }

    #[test]
    fn it_does_not_matter_where_the_bytes_are_cut() {
        let text = br#" {"a\u00e9\ud83d\ude00" : [1, -0.5e+10, true, null, [], {}, "x\\"]}
            {"b":0}{}"#;
        let marked = "{}\u{feff}{}\n\u{feff}".as_bytes();
        assert_eq!(tokens_by_bytes(marked, Documents::Several).map(|kinds| kinds.len()), Ok(4));
        let whole = tokens(text, Documents::Several).expect("valid");
        assert_eq!(whole.len(), 20);
        assert_eq!(tokens_by_bytes(text, Documents::Several), Ok(whole));
    }
}
