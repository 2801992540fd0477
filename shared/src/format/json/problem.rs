//! What is wrong with a text that should be JSON.

/// What is wrong with a text that should be JSON. The words follow "at this place"; they never quote
/// the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonProblem {
    /// Something else stands where a value must.
    #[error("a value is expected: an object, an array, a string, a number, true, false or null")]
    ExpectedValue,
    /// Something else stands where a key must.
    #[error("a key in double quotes is expected")]
    ExpectedKey,
    /// Something else stands after a key.
    #[error("a colon is expected after the key")]
    ExpectedColon,
    /// Something else stands after an element.
    #[error("a comma or ] is expected")]
    ExpectedCommaOrBracket,
    /// Something else stands after a member.
    #[error("a comma or }} is expected")]
    ExpectedCommaOrBrace,
    /// A number that JSON does not know.
    #[error("this is not a number of JSON")]
    BadNumber,
    /// A backslash and something that it does not escape.
    #[error("a backslash stands before something that it does not escape")]
    BadEscape,
    /// A line end, a tab or the like within a string.
    #[error("a control character (such as a line end or a tab) stands unescaped in a string")]
    ControlCharacter,
    /// The text ends too soon.
    #[error("the text ends before its value does")]
    UnexpectedEnd,
    /// Something follows the value.
    #[error("something follows the value")]
    TrailingBytes,
    /// Containers within containers, too many times.
    #[error("objects and arrays lie more than max_nesting = {0} deep in each other")]
    TooDeep(u32),
    /// Half of a character: a surrogate without the other.
    #[error("an escape is half of a character: a surrogate without its other half")]
    UnpairedSurrogate,
    /// A number beyond those of double precision.
    #[error("a number is beyond 1.8e308, which most readers cannot hold")]
    NumberTooLarge,
    /// A byte that is not part of UTF-8.
    #[error("the text is not in UTF-8")]
    NotUtf8,
}
