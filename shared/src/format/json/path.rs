//! The path of the rows in a document, as `format.rows` states it.

use std::borrow::Cow;

/// The keys on the way from the document to its rows. Of an array on the way, a number is the
/// place of one element (from 0); with any other step the way leads through all elements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RowsPath {
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    key: String,
    place: Option<u64>,
}

impl RowsPath {
    /// `data.items`; a JSON pointer, `/data/items`, where keys have points in them; or `.`, the document
    /// itself.
    pub(super) fn parse(text: &str) -> Self {
        if text == "." {
            return Self::default();
        }
        let unescaped = |key: &str| key.replace("~1", "/").replace("~0", "~");
        let keys: Vec<String> = match text.strip_prefix('/') {
            Some(pointer) => pointer.split('/').map(unescaped).collect(),
            None => text.split('.').map(str::to_owned).collect(),
        };
        Self { steps: keys.into_iter().map(Step::new).collect() }
    }

    /// The path of one key of the document.
    pub(super) fn key(key: String) -> Self {
        Self { steps: vec![Step { key, place: None }] }
    }

    /// How many steps it has.
    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether the step that follows `passed` ones leads to `key` (with its quotes, as written).
    pub(super) fn leads_to_key(&self, passed: usize, key: &[u8]) -> bool {
        let Some(step) = self.steps.get(passed) else { return false };
        unescape(key).is_some_and(|key| key == step.key)
    }

    /// How many steps are passed at an element of an array; `None`: the way does not lead there.
    pub(super) fn at_element(&self, passed: usize, place: u64) -> Option<usize> {
        match self.steps.get(passed)?.place {
            Some(wanted) => (wanted == place).then_some(passed + 1),
            None => Some(passed),
        }
    }
}

impl Step {
    fn new(key: String) -> Self {
        let digits = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
        Self { place: key.parse().ok().filter(|_| digits), key }
    }
}

/// The text of a string that is valid JSON, quotes included; `None`: it is not UTF-8, or half of a
/// character is in it.
pub(super) fn unescape(string: &[u8]) -> Option<Cow<'_, str>> {
    if string.contains(&b'\\') {
        return serde_json::from_slice::<String>(string).ok().map(Cow::Owned);
    }
    let text = std::str::from_utf8(string).ok()?;
    text.get(1..text.len() - 1).map(Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(path: &str) -> Vec<String> {
        RowsPath::parse(path).steps.into_iter().map(|step| step.key).collect()
    }

    #[test]
    fn a_path_is_keys_with_points_or_a_pointer() {
        assert_eq!(keys("data.items"), ["data", "items"]);
        assert_eq!(keys("items"), ["items"]);
        assert_eq!(keys("/data/a.b"), ["data", "a.b"]);
        assert_eq!(keys("/a~1b/m~0n/~01"), ["a/b", "m~n", "~1"]);
        assert!(keys(".").is_empty());
    }

    #[test]
    fn keys_are_compared_as_what_they_mean() {
        let path = RowsPath::parse("dé");
        assert!(path.leads_to_key(0, "\"dé\"".as_bytes()));
        assert!(path.leads_to_key(0, br#""d\u00e9""#));
        assert!(!path.leads_to_key(0, br#""d\u00e8""#));
        assert!(!path.leads_to_key(1, "\"dé\"".as_bytes()));
    }

    #[test]
    fn elements_on_the_way_are_all_or_one() {
        assert_eq!(RowsPath::parse("a.b").at_element(1, 5), Some(1));
        assert_eq!(RowsPath::parse("a.5").at_element(1, 5), Some(2));
        assert_eq!(RowsPath::parse("a.5").at_element(1, 4), None);
    }
}
