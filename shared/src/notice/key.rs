//! Keys as S3 event notifications write them.

use percent_encoding::percent_decode_str;

use super::malformed::Cause;

/// Decodes the key of an S3 record: `+` is a space, and then `%XX` is a byte of UTF-8
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>).
///
/// A `%` that no two hexadecimal digits follow stays as it is: S3 encodes every `%`, so that only a
/// store that does not encode keys writes one. Bytes that are no UTF-8 are refused: no key has them,
/// and a replacement character would name another object.
pub(super) fn decode(encoded: &str) -> Result<String, Cause> {
    let spaced = encoded.replace('+', " ");
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(key) => Ok(key.into_owned()),
        Err(_) => Err(Cause::KeyNotUtf8(Cause::quote(encoded))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plus_and_percent_are_decoded_once() {
        for (encoded, key) in [
            ("plain/key.csv", "plain/key.csv"),
            ("a+b%2Bc%3Dd%26%C3%BC+100%25.csv", "a b+c=d&ü 100%.csv"),
            ("%E6%97%A5%E6%9C%AC/x.csv", "日本/x.csv"),
            ("日本/x.csv", "日本/x.csv"),
            ("%252B", "%2B"),
            ("%2b%2B", "++"),
            ("%00", "\0"),
        ] {
            assert_eq!(decode(encoded).as_deref(), Ok(key), "{encoded}");
        }
    }

    #[test]
    fn a_broken_escape_stays_as_it_is() {
        for key in ["100%", "100%.csv", "%zz", "%4", "a%é", "%%"] {
            assert_eq!(decode(key).as_deref(), Ok(key));
        }
        assert_eq!(decode("%%41").as_deref(), Ok("%A"));
    }

    #[test]
    fn bytes_that_are_no_utf8_are_refused() {
        for encoded in ["%FF", "caf%E9.csv", "%C3", "%ED%A0%80"] {
            assert!(matches!(decode(encoded), Err(Cause::KeyNotUtf8(_))), "{encoded}");
        }
    }
}
