//! The encoding of the Macs of old, in which Excel still saves "CSV (Macintosh)". The detector does not know
//! it: what are its letters are rare signs in windows-1252.

/// Whether text that would be windows-1252 is of a Mac: its lines end in a carriage return alone, and many
/// letters would be such signs. (Quotation marks, dashes and dots are none: people write these.)
pub(super) fn is_likely(bytes: &[u8]) -> bool {
    let lines = memchr::memchr(b'\r', bytes).is_some() && memchr::memchr(b'\n', bytes).is_none();
    let sign = |byte: u8| matches!(byte, 0x81..=0x84 | 0x86..=0x90 | 0x98..=0x9f);
    let high = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    let signs = bytes.windows(2).filter(|pair| {
        (sign(pair[0]) && pair[1].is_ascii_lowercase())
            || (sign(pair[1]) && pair[0].is_ascii_alphabetic())
    });
    lines && signs.count() * 3 >= high
}

#[cfg(test)]
mod tests {
    use super::super::detect::beyond_ascii;

    #[test]
    fn a_table_that_excel_saved_for_a_mac_has_its_letters() {
        let found = |bytes: &[u8]| {
            let first = bytes.iter().position(|byte| !byte.is_ascii()).expect("letters");
            beyond_ascii(bytes, first, true, None).0
        };
        // Müller, Köln; René, Besançon; José, Málaga.
        let mac =
            b"name;city\rM\x9fller;K\x9aln\rRen\x8e;Besan\x8don\rJos\x8e;M\x87laga\r".repeat(9);
        assert_eq!(found(&mac).get(), encoding_rs::MACINTOSH);
        let windows =
            b"name;city\rM\xfcller;K\xf6ln\rRen\xe9;Besan\xe7on\rit\x92s;\x84so\x93\r".repeat(9);
        assert_eq!(found(&windows).get(), encoding_rs::WINDOWS_1252);
        // The lines of nobody's Mac.
        let lines: Vec<u8> =
            windows.iter().map(|byte| if *byte == b'\r' { b'\n' } else { *byte }).collect();
        assert_eq!(found(&lines).get(), encoding_rs::WINDOWS_1252);
    }
}
