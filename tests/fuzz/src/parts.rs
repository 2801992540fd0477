//! Files that are put together from parts: what a search changes is what is within a part, while the
//! lengths, places and checksums around it stay right.

use std::io::{Cursor, Write};

/// What stands before each part; its name follows up to the end of the line.
pub const MARK: &[u8] = b"\0\x1cPT";

/// The parts of an input, each with its name.
pub fn split(data: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut parts = Vec::new();
    let mut rest = data;
    loop {
        let end = rest.windows(MARK.len()).position(|window| window == MARK);
        let part = &rest[..end.unwrap_or(rest.len())];
        if !part.is_empty() {
            let line = part.iter().position(|byte| *byte == b'\n').unwrap_or(part.len());
            parts.push((&part[..line], part.get(line + 1..).unwrap_or_default()));
        }
        match end {
            Some(end) => rest = &rest[end + MARK.len()..],
            None => return parts,
        }
    }
}

/// The same the other way round.
pub fn join<N: AsRef<[u8]>, C: AsRef<[u8]>>(parts: &[(N, C)]) -> Vec<u8> {
    let mut data = Vec::new();
    for (name, content) in parts {
        data.extend_from_slice(MARK);
        data.extend_from_slice(name.as_ref());
        data.push(b'\n');
        data.extend_from_slice(content.as_ref());
    }
    data
}

/// A zip of the parts, stored or deflated.
pub fn zip(parts: &[(&[u8], &[u8])], deflated: bool) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in parts {
        let name = &name[..name.len().min(usize::from(u16::MAX))];
        let mut data = content.to_vec();
        if deflated {
            let level = flate2::Compression::fast();
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
            encoder.write_all(content).expect("memory");
            data = encoder.finish().expect("memory");
        }
        let at = number(bytes.len());
        let mut common = Vec::new();
        common.extend(20_u16.to_le_bytes());
        common.extend([0; 2]);
        common.extend(if deflated { [8, 0] } else { [0, 0] });
        common.extend([0, 0, 0x21, 0]);
        common.extend(crc32fast::hash(content).to_le_bytes());
        common.extend(number(data.len()));
        common.extend(number(content.len()));
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0; 2]);
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&common);
        bytes.extend(name.iter());
        bytes.extend(&data);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(at);
        directory.extend(name.iter());
    }
    let (at, length, count) = (number(bytes.len()), number(directory.len()), parts.len() as u16);
    bytes.extend(directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend(count.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend(length);
    bytes.extend(at);
    bytes.extend([0; 2]);
    bytes
}

fn number(of: usize) -> [u8; 4] {
    u32::try_from(of).expect("inputs are small").to_le_bytes()
}

/// A tar of the parts.
pub fn tar(parts: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in parts {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        let name = String::from_utf8_lossy(name);
        // A name that no file could have is no member.
        if tar.append_data(&mut header, name.as_ref(), *content).is_err() {
            continue;
        }
    }
    tar.into_inner().expect("memory")
}

/// The checksums of what could be blocks that describe members, put right.
pub fn with_sums(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for block in bytes.chunks_exact_mut(512) {
        // Where a checksum stands.
        if block[148..154].iter().all(|byte| matches!(byte, b'0'..=b'7' | b' ' | 0)) {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    bytes
}

/// A compound file with a stream for each part.
pub fn compound(parts: &[(&[u8], &[u8])]) -> Option<Vec<u8>> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).ok()?;
    for (name, content) in parts {
        // The crate writes other names, and asserts that it does not.
        let name = std::str::from_utf8(name).ok()?;
        let sound = |c: char| c.is_ascii_alphanumeric() || c == '/';
        if name.len() > 30 || !name.chars().all(sound) {
            return None;
        }
        file.create_stream(name).ok()?.write_all(content).ok()?;
    }
    file.flush().ok()?;
    Some(file.into_inner().into_inner())
}

/// A PDF whose first object is the catalog. A part with a name is a stream; the name is what its
/// dictionary has besides the length.
pub fn pdf(parts: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    let mut places = String::new();
    for (index, (dict, content)) in parts.iter().enumerate() {
        places.push_str(&format!("{:010} 00000 n\r\n", bytes.len()));
        bytes.extend(format!("{} 0 obj\n", index + 1).as_bytes());
        if !dict.is_empty() {
            bytes.extend(b"<<");
            bytes.extend(*dict);
            bytes.extend(format!("/Length {}>>\nstream\n", content.len()).as_bytes());
        }
        bytes.extend(*content);
        bytes.extend(if dict.is_empty() { &b"\nendobj\n"[..] } else { b"\nendstream\nendobj\n" });
    }
    let (at, size) = (bytes.len(), parts.len() + 1);
    let table = format!("xref\n0 {size}\n0000000000 65535 f\r\n{places}");
    let end = format!("trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{at}\n%%EOF\n");
    bytes.extend(table.as_bytes());
    bytes.extend(end.as_bytes());
    bytes
}

/// A Parquet file of pages and a footer.
pub fn parquet(pages: &[u8], footer: &[u8]) -> Vec<u8> {
    [pages, footer, &number(footer.len()), b"PAR1"].concat()
}

/// An Avro file without compression: the first part is the schema, each other one a block, whose first
/// byte says how many rows are in it.
pub fn avro(parts: &[(&[u8], &[u8])]) -> Vec<u8> {
    const SYNC: [u8; 16] = *b"synchronisation!";
    let mut bytes = b"Obj\x01\x02".to_vec();
    let text = |bytes: &mut Vec<u8>, text: &[u8]| {
        long(bytes, text.len() as u64 * 2);
        bytes.extend(text);
    };
    let Some(((_, schema), blocks)) = parts.split_first() else { return bytes };
    text(&mut bytes, b"avro.schema");
    text(&mut bytes, schema);
    bytes.push(0);
    bytes.extend(SYNC);
    for (_, block) in blocks {
        let (count, data) = block.split_first().unwrap_or((&0, &[]));
        long(&mut bytes, u64::from(*count) * 2);
        text(&mut bytes, data);
        bytes.extend(SYNC);
    }
    bytes
}

fn long(bytes: &mut Vec<u8>, mut value: u64) {
    while value > 127 {
        bytes.push(value as u8 | 128);
        value >>= 7;
    }
    bytes.push(value as u8);
}
