//! Archives of every make, written here by other crates or byte by byte, and what is wrong with some.

use std::io::{Cursor, Write};

use flate2::Compression as Level;
use flate2::write::{DeflateEncoder, GzEncoder};

use super::*;
use crate::catalog::{self, PathPattern};
use crate::format::{self, Hints, Limits};

/// One member of a zip to be written.
struct Put<'a> {
    name: &'a [u8],
    method: u16,
    data: Vec<u8>,
    /// Length and checksum of what it expands to.
    length: u32,
    checksum: u32,
    flags: u16,
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(bytes);
    hasher.finalize()
}

fn put<'a>(name: &'a str, method: u16, data: Vec<u8>, plain: &[u8]) -> Put<'a> {
    let (length, checksum) = (plain.len() as u32, checksum(plain));
    Put { name: name.as_bytes(), method, data, length, checksum, flags: 0 }
}

fn stored<'a>(name: &'a str, plain: &[u8]) -> Put<'a> {
    put(name, 0, plain.to_vec(), plain)
}

fn deflated<'a>(name: &'a str, plain: &[u8]) -> Put<'a> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Level::default());
    encoder.write_all(plain).expect("memory");
    put(name, 8, encoder.finish().expect("memory"), plain)
}

/// Writes a zip as the specification says, without the extension for large ones.
fn zip(members: &[Put<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    for member in members {
        let offset = bytes.len() as u32;
        let mut common = Vec::new();
        common.extend(20_u16.to_le_bytes());
        common.extend(member.flags.to_le_bytes());
        common.extend(member.method.to_le_bytes());
        common.extend([0; 4]);
        common.extend(member.checksum.to_le_bytes());
        common.extend((member.data.len() as u32).to_le_bytes());
        common.extend(member.length.to_le_bytes());
        common.extend((member.name.len() as u16).to_le_bytes());
        common.extend([0; 2]);
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&common);
        bytes.extend(member.name);
        bytes.extend(&member.data);
        directory.extend(b"PK\x01\x02");
        directory.extend(20_u16.to_le_bytes());
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(member.name);
    }
    let (start, count) = (bytes.len() as u32, members.len() as u16);
    bytes.extend(&directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend(count.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend((directory.len() as u32).to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend([0; 2]);
    bytes
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = ::tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = ::tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        match name.ends_with('/') {
            true => header.set_entry_type(::tar::EntryType::Directory),
            false => header.set_entry_type(::tar::EntryType::Regular),
        }
        tar.append_data(&mut header, name, *bytes).expect("memory");
    }
    tar.into_inner().expect("memory")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// Number, member and cells of each row, and what was remarked.
type Seen = (Vec<(u64, String, Vec<String>)>, Vec<String>);

fn read_with(
    bytes: Vec<u8>,
    settings: &catalog::Format,
    limits: Limits,
) -> Result<Seen, FormatError> {
    let (mut rows, detected) =
        format::open(Cursor::new(bytes), Hints::default(), settings, limits)?;
    assert!(detected.archive.is_some());
    assert!(!detected.can_seek(rows.position()));
    let mut seen = Vec::new();
    let mut number = None;
    while let Some(row) = rows.next()? {
        let part = row.head().part.as_ref().expect("a part");
        let cells = row.cells().map(|cell| String::from_utf8_lossy(cell).into_owned());
        let member = part.member.clone().expect("a member");
        seen.push((row.number(), member, cells.collect()));
        number = Some(row.number());
        assert_eq!(row.begins().row + 1, row.number());
        assert_eq!(rows.position().row, number.unwrap_or_default());
    }
    assert_eq!(rows.position().row, number.unwrap_or_default());
    Ok((seen, rows.remarks()))
}

fn read(bytes: Vec<u8>) -> Seen {
    read_with(bytes, &catalog::Format::default(), Limits::default()).expect("readable")
}

fn error(bytes: Vec<u8>) -> FormatError {
    read_with(bytes, &catalog::Format::default(), Limits::default()).expect_err("refused")
}

fn row(number: u64, member: &str, cells: &[&str]) -> (u64, String, Vec<String>) {
    (number, member.to_owned(), cells.iter().map(|cell| (*cell).to_owned()).collect())
}

#[test]
fn the_rows_of_all_members_are_numbered_through() {
    let a = b"id,name\n1,x\n2,y\n";
    let b = b"id;n\n3;z\n";
    let expected = [
        row(1, "a.csv", &["1", "x"]),
        row(2, "a.csv", &["2", "y"]),
        row(3, "d/b.csv", &["3", "z"]),
    ];
    let of_zip = zip(&[deflated("a.csv", a), stored("d/", b""), stored("d/b.csv", b)]);
    let (rows, remarks) = read(of_zip);
    assert_eq!(rows, expected);
    assert_eq!(remarks, ["archive zip: 2 members read; passed over are 1 directories"]);
    let of_tar = tar(&[("a.csv", a), ("d/", b""), ("d/b.csv", b)]);
    for bytes in [of_tar.clone(), gzip(&of_tar)] {
        let (rows, remarks) = read(bytes);
        assert_eq!(rows, expected);
        assert_eq!(remarks, ["archive tar: 2 members read; passed over are 1 directories"]);
    }
}

#[test]
fn every_member_has_a_head_of_its_own() {
    let bytes = tar(&[("a", b"x,y\n1,2\n"), ("b", b"x,y\n3,4\n5,6\n")]);
    let settings = catalog::Format::default();
    let (mut rows, detected) =
        format::open(Cursor::new(bytes), Hints::default(), &settings, Limits::default())
            .expect("opens");
    assert_eq!(detected.columns, ["x", "y"]);
    assert_eq!(rows.head().part.as_ref().and_then(|part| part.member.as_deref()), Some("a"));
    let mut heads = Vec::new();
    while let Some(row) = rows.next().expect("reads") {
        heads.push(row.head().number);
    }
    assert_eq!(heads, [0, 1, 1]);
}

#[test]
fn members_are_compressed_in_many_ways() {
    let plain = b"a,b\n1,2\n".repeat(100);
    let zstd = zstd::encode_all(&plain[..], 3).expect("memory");
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
    bzip2.write_all(&plain).expect("memory");
    let bzip2 = bzip2.finish().expect("memory");
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 6);
    xz.write_all(&plain).expect("memory");
    let xz = xz.finish().expect("memory");
    for member in [
        stored("a", &plain),
        deflated("a", &plain),
        put("a", 93, zstd, &plain),
        put("a", 12, bzip2, &plain),
        put("a", 95, xz, &plain),
    ] {
        let method = member.method;
        assert_eq!(read(zip(&[member])).0.len(), 199, "method {method}");
    }
    let error = error(zip(&[put("a", 98, plain.clone(), &plain)]));
    assert_eq!(error.code(), "unsupported_compression");
    assert!(error.to_string().contains("member \"a\": the member is packed with ppmd"));
    assert!(error.remedy().contains("format.members"), "{}", error.remedy());
}

#[test]
fn what_is_hidden_or_no_file_is_passed_over_and_said() {
    let csv = b"a\n1\n";
    let bytes = zip(&[
        stored("__MACOSX/._a.csv", b"\0\x05\x16\x07"),
        stored(".DS_Store", b"\0"),
        stored("a.csv", csv),
        stored("", b"x"),
        stored("../../etc/b.csv", csv),
    ]);
    let (rows, remarks) = read(bytes);
    assert_eq!(rows, [row(1, "a.csv", &["1"]), row(2, "../../etc/b.csv", &["1"])]);
    assert_eq!(
        remarks,
        ["archive zip: 2 members read; passed over are 2 hidden, 1 without a name"]
    );
    let mut tar = ::tar::Builder::new(Vec::new());
    let mut link = ::tar::Header::new_gnu();
    link.set_entry_type(::tar::EntryType::Symlink);
    link.set_size(0);
    tar.append_link(&mut link, "latest.csv", "a.csv").expect("memory");
    let mut header = ::tar::Header::new_gnu();
    header.set_size(4);
    tar.append_data(&mut header, "a.csv", &csv[..]).expect("memory");
    let (rows, remarks) = read(tar.into_inner().expect("memory"));
    assert_eq!(rows.len(), 1);
    assert!(remarks[0].contains("1 links or devices"), "{remarks:?}");
}

#[test]
fn a_member_that_is_not_read_fails_the_file_unless_it_is_left_out() {
    let bytes = zip(&[stored("a.csv", b"a\n1\n"), stored("doc/read.me", b"ORC\x0a ")]);
    let error = error(bytes.clone());
    assert_eq!(error.code(), "unsupported_format");
    assert_eq!(
        error.to_string(),
        "member \"doc/read.me\": unsupported format: the file is an ORC file"
    );
    assert!(error.remedy().contains("format.members = \"**/*.csv\""), "{}", error.remedy());
    let members = PathPattern::parse("**/*.csv").expect("a pattern");
    let settings = catalog::Format { members: Some(members), ..catalog::Format::default() };
    let (rows, remarks) =
        read_with(bytes.clone(), &settings, Limits::default()).expect("the other is left out");
    assert_eq!(rows, [row(1, "a.csv", &["1"])]);
    assert_eq!(
        remarks,
        ["archive zip: 1 members read; passed over are 1 not taken by format.members"]
    );
    let members = PathPattern::parse("*.tsv").expect("a pattern");
    let settings = catalog::Format { members: Some(members), ..catalog::Format::default() };
    let error = read_with(bytes, &settings, Limits::default()).expect_err("nothing is taken");
    assert_eq!(error.code(), "no_members");
    assert!(error.to_string().contains("2 not taken by format.members"), "{error}");
}

#[test]
fn an_archive_without_a_file_is_an_error() {
    for bytes in [zip(&[]), zip(&[stored("d/", b"")]), tar(&[("d/", b"")])] {
        assert_eq!(error(bytes).code(), "no_members");
    }
}

#[test]
fn a_member_may_be_compressed_and_be_an_archive_itself() {
    let csv = b"a\n1\n";
    let inner = zip(&[deflated("x.csv", csv), stored("y.csv.gz", &gzip(csv))]);
    let bytes = gzip(&tar(&[("may.zip", &inner), ("z.csv.gz", &gzip(csv))]));
    let (rows, _) = read(bytes.clone());
    let expected = [
        row(1, "may.zip/x.csv", &["1"]),
        row(2, "may.zip/y.csv.gz", &["1"]),
        row(3, "z.csv.gz", &["1"]),
    ];
    assert_eq!(rows, expected);
    let members = PathPattern::parse("{*.zip,*/x.csv}").ok();
    let members = members.or(PathPattern::parse("**/*.{zip,csv}").ok());
    let settings = catalog::Format { members, ..catalog::Format::default() };
    let (rows, _) = read_with(bytes, &settings, Limits::default()).expect("readable");
    assert_eq!(rows, expected[..1]);
    // One more, and it is too deep.
    let deep = zip(&[stored("b.zip", &zip(&[stored("c.zip", &zip(&[stored("d", csv)]))]))]);
    let error = error(deep);
    assert_eq!(error.code(), "nested_too_deep");
    assert!(error.to_string().contains("member \"b.zip\": member \"c.zip\""), "{error}");
    assert!(error.to_string().contains("max_archive_nesting = 2"), "{error}");
}

#[test]
fn limits_of_an_archive_are_errors_that_name_them() {
    let csv = b"a\n1\n".repeat(100);
    let names: Vec<String> = (0..5).map(|n| format!("{n}.csv")).collect();
    let many: Vec<Put<'_>> = names.iter().map(|name| deflated(name, &csv)).collect();
    let of_tar: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &csv[..])).collect();
    for bytes in [zip(&many), tar(&of_tar)] {
        let limits = Limits { max_members: 4, ..Limits::default() };
        let error = read_with(bytes.clone(), &catalog::Format::default(), limits);
        assert!(error.expect_err("too many").to_string().contains("max_members = 4"));
        let limits = Limits { max_member_name_bytes: 4, ..Limits::default() };
        let error = read_with(bytes.clone(), &catalog::Format::default(), limits);
        assert!(error.expect_err("too long").to_string().contains("max_member_name_bytes = 4"));
        let limits = Limits { max_members: 5, max_member_name_bytes: 5, ..Limits::default() };
        assert!(read_with(bytes, &catalog::Format::default(), limits).is_ok());
    }
    // Each of the members is within the limit, all of them together are not.
    let limits = Limits { max_expanded_bytes: Some(1000), ..Limits::default() };
    let error = read_with(zip(&many), &catalog::Format::default(), limits).expect_err("too much");
    assert_eq!(error.code(), "expands_too_far");
    assert!(error.to_string().contains("member \"2.csv\""), "{error}");
}

#[test]
fn a_bomb_is_stopped_however_it_is_folded() {
    // The same row again and again, folded once and twice, and spread over members.
    let mut piece = GzEncoder::new(Vec::new(), Level::default());
    let rows = [b"a,".as_slice(), &b"0".repeat(1 << 16), b"\n"].concat();
    for _ in 0..48 {
        piece.write_all(&rows).expect("memory");
    }
    let piece = piece.finish().expect("memory");
    let nested = gzip(&tar(&[("a.csv.gz", &piece)]));
    let spread = zip(&[
        deflated("a.csv.gz", &piece),
        deflated("b.csv.gz", &piece),
        deflated("c.csv.gz", &piece),
    ]);
    for bytes in [piece, nested, spread] {
        let settings = catalog::Format::default();
        let limits = Limits { ratio_from: 2 << 20, ..Limits::default() };
        let (mut rows, _) =
            format::open(Cursor::new(bytes), Hints::default(), &settings, limits).expect("opens");
        let error = loop {
            match rows.next() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("a bomb went off"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.code(), "expands_too_far", "{error}");
        assert!(error.to_string().contains("max_ratio = 500"), "{error}");
    }
}

#[test]
fn members_that_share_bytes_are_damage() {
    let whole = zip(&[stored("a.csv", b"a\n1\n"), stored("b.csv", b"a\n2\n")]);
    // The directory's second entry names the first member's place.
    let second = memchr::memmem::rfind(&whole, b"PK\x01\x02").expect("an entry");
    let mut shared = whole.clone();
    shared[second + 42..second + 46].copy_from_slice(&0_u32.to_le_bytes());
    let error = error(shared);
    assert_eq!(error.code(), "zip_corrupt");
    assert!(error.to_string().contains("overlap"), "{error}");
}

#[test]
fn an_encrypted_member_is_an_error_that_says_so() {
    let mut member = stored("secret.csv", b"a\n1\n");
    member.flags = 1;
    let error = error(zip(&[stored("a.csv", b"a\n1\n"), member]));
    assert_eq!(error.code(), "encrypted");
    assert_eq!(error.to_string(), "member \"secret.csv\": the member is encrypted");
}

#[test]
fn damage_in_a_member_names_the_member() {
    let csv = b"a,b\n1,2\n".repeat(50);
    for member in [stored("b.csv", &csv), deflated("b.csv", &csv)] {
        let bytes = zip(&[stored("a.csv", b"a\n1\n"), member]);
        let place = memchr::memmem::find(&bytes, b"b.csv").expect("a name") + 5 + 10;
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x40;
        let error = error(damaged);
        assert!(error.to_string().starts_with("member \"b.csv\": "), "{error}");
    }
    for (length, wrong) in [(3, "more"), (5, "fewer")] {
        let mut member = stored("a.csv", b"a\n1\n");
        member.length = length;
        let error = error(zip(&[member]));
        assert_eq!(error.code(), "member_corrupt");
        assert!(error.to_string().contains(wrong), "{error}");
    }
    let cut = gzip(&csv);
    let error = error(tar(&[("a.csv.gz", &cut[..cut.len() - 5])]));
    assert_eq!(error.code(), "gzip_truncated");
    assert!(error.to_string().starts_with("member \"a.csv.gz\": the gzip file is cut"), "{error}");
}

#[test]
fn every_cut_of_an_archive_is_an_error() {
    let csv = b"a,b\n1,2\n3,4\n".repeat(60);
    let bytes = zip(&[deflated("a.csv", &csv), stored("b.csv", &csv)]);
    for cut in 30..bytes.len() {
        let error = error(bytes[..cut].to_vec());
        assert_eq!(error.code(), "zip_truncated", "cut at {cut}: {error}");
    }
    let bytes = tar(&[("a.csv", &csv), ("b.csv", &csv)]);
    let end = bytes.len() - 2 * 512;
    for cut in (512..end).step_by(7).chain([1024, 1536, 2048, end]) {
        let error = error(bytes[..cut].to_vec());
        assert_eq!(error.code(), "tar_truncated", "cut at {cut}: {error}");
    }
    let compressed = gzip(&bytes);
    for cut in (10..compressed.len()).step_by(3) {
        let error = error(compressed[..cut].to_vec());
        assert_eq!(error.code(), "gzip_truncated", "cut at {cut}: {error}");
    }
}

#[test]
fn a_damaged_tar_and_what_follows_a_tar_are_errors() {
    let bytes = tar(&[("a.csv", b"a\n1\n"), ("b.csv", b"a\n2\n")]);
    let mut damaged = bytes.clone();
    damaged[1024] = b'x';
    assert_eq!(error(damaged).code(), "tar_corrupt");
    let error = error([&bytes[..], &bytes[..]].concat());
    assert_eq!(error.code(), "tar_corrupt");
    assert!(error.to_string().contains("other bytes follow"), "{error}");
}

#[test]
fn long_names_and_large_sizes_are_those_of_the_extensions() {
    let long = format!("{}/a.csv", "d".repeat(150));
    let mut tar = ::tar::Builder::new(Vec::new());
    let mut header = ::tar::Header::new_gnu();
    header.set_size(4);
    tar.append_data(&mut header, &long, &b"a\n1\n"[..]).expect("memory");
    tar.append_pax_extensions([("path", "ü/b.csv".as_bytes()), ("mtime", b"1.5")]).expect("memory");
    let mut header = ::tar::Header::new_ustar();
    header.set_path("short").expect("short");
    header.set_size(4);
    header.set_cksum();
    tar.append(&header, &b"a\n2\n"[..]).expect("memory");
    let (rows, _) = read(tar.into_inner().expect("memory"));
    assert_eq!(rows, [row(1, &long, &["1"]), row(2, "ü/b.csv", &["2"])]);
}

#[test]
fn random_damage_is_never_a_panic_and_never_other_rows() {
    let csv = b"a,b\n1,2\n3,4\n".repeat(20);
    let whole = zip(&[deflated("a.csv", &csv), stored("b.csv", &csv)]);
    let expected = read(whole.clone()).0;
    let mut seed = 3_u64;
    for _ in 0..3_000 {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let mut damaged = whole.clone();
        damaged[(seed >> 33) as usize % whole.len()] ^= 1 << (seed >> 60 & 7);
        let settings = catalog::Format::default();
        if !damaged.starts_with(b"PK\x03\x04") {
            continue;
        }
        if let Ok((rows, _)) = read_with(damaged, &settings, Limits::default()) {
            let cells: Vec<_> = rows.iter().map(|(number, _, cells)| (number, cells)).collect();
            let same: Vec<_> = expected.iter().map(|(number, _, cells)| (number, cells)).collect();
            // A name may be another, or make a member a directory or hidden: then it is said.
            assert!(cells == same || rows.len() == expected.len() / 2, "{rows:?}");
        }
    }
}
