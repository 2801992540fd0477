//! What the path of a member says.

use super::super::{FormatError, Limit, Limits};

/// Names that systems give to files of their own.
const OF_SYSTEMS: [&str; 3] = ["__macosx", "thumbs.db", "desktop.ini"];

/// A path as text. Bytes that are no UTF-8 are written `\x82`: which characters they were meant to be
/// nobody says.
pub(super) fn text(bytes: &[u8], limits: &Limits) -> Result<String, FormatError> {
    let length = bytes.len() as u64;
    if length > limits.max_member_name_bytes {
        let value = limits.max_member_name_bytes;
        let limit = Limit { setting: "max_member_name_bytes", value };
        return Err(FormatError::MemberName { length, limit });
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    // `tar -c .` names all members so.
    while let Some(rest) = text.strip_prefix("./") {
        text = rest.to_owned();
    }
    Ok(text)
}

/// Whether the path names nothing.
pub(super) fn is_nameless(path: &str) -> bool {
    path.split('/').all(|part| part.trim().is_empty() || part == "." || part == "..")
}

/// Whether the file, or a directory above it, is hidden.
pub(super) fn is_hidden(path: &str) -> bool {
    path.split('/').any(|part| {
        (part.starts_with('.') && part != "." && part != "..")
            || OF_SYSTEMS.iter().any(|name| part.eq_ignore_ascii_case(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_systems_leave_behind_is_hidden() {
        for hidden in
            [".DS_Store", "a/.git/config", "__MACOSX/._a.csv", "a/Thumbs.db", "x/.b/c.csv"]
        {
            assert!(is_hidden(hidden), "{hidden}");
        }
        for plain in ["a.csv", "../a.csv", "/etc/passwd", "a/./b.csv", "a..csv", "macosx/a"] {
            assert!(!is_hidden(plain), "{plain}");
        }
        assert!(["", ".", "..", "/", " "].into_iter().all(is_nameless));
    }

    #[test]
    fn a_path_is_text_whatever_its_bytes() {
        let limits = Limits { max_member_name_bytes: 11, ..Limits::default() };
        let text = |bytes| text(bytes, &limits);
        assert_eq!(text(b"././a/b.csv").expect("short"), "a/b.csv");
        assert_eq!(text(b"caf\x82.csv").expect("short"), "caf\\x82.csv");
        assert_eq!(text("größe".as_bytes()).expect("short"), "größe");
        let error = text(b"012345678901").expect_err("too long").to_string();
        assert!(error.contains("12 bytes, over the limit max_member_name_bytes = 11"), "{error}");
    }
}
