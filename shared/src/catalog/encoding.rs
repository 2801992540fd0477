//! The encoding of a text.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An encoding of the Encoding Standard of the WHATWG, which is what browsers read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

impl Encoding {
    /// UTF-8.
    pub const UTF_8: Self = Self(encoding_rs::UTF_8);

    /// The encoding that a label of the standard means (`latin1`, `windows-1252`, `shift_jis`, …), in
    /// any case; `None` for a label that means none, or one that only browsers need.
    pub fn for_label(label: &str) -> Option<Self> {
        let found = encoding_rs::Encoding::for_label(label.as_bytes())?;
        let of_browsers = [encoding_rs::REPLACEMENT, encoding_rs::X_USER_DEFINED];
        (!of_browsers.contains(&found)).then_some(Self(found))
    }

    /// Its name in the standard.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// What decodes it.
    pub(crate) fn get(self) -> &'static encoding_rs::Encoding {
        self.0
    }
}

impl From<&'static encoding_rs::Encoding> for Encoding {
    fn from(encoding: &'static encoding_rs::Encoding) -> Self {
        Self(encoding)
    }
}

impl fmt::Debug for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encoding({})", self.name())
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name().to_lowercase())
    }
}

impl Serialize for Encoding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Encoding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let label = String::deserialize(deserializer)?;
        let message = || format!("\"{label}\" is no encoding");
        Self::for_label(&label).ok_or_else(|| serde::de::Error::custom(message()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_those_of_the_standard() {
        for (label, name) in [
            ("latin1", "windows-1252"),
            ("ISO-8859-15", "iso-8859-15"),
            ("sjis", "shift_jis"),
            ("GB2312", "gbk"),
            (" utf-8 ", "utf-8"),
            ("utf-16", "utf-16le"),
        ] {
            let encoding = Encoding::for_label(label).expect("a label");
            assert_eq!(encoding.to_string(), name);
            let json = serde_json::to_string(&encoding).expect("JSON");
            assert_eq!(serde_json::from_str::<Encoding>(&json).expect("back"), encoding);
        }
        for label in ["", "utf-32", "cp437", "replacement", "x-user-defined"] {
            assert_eq!(Encoding::for_label(label), None, "{label}");
        }
    }
}
