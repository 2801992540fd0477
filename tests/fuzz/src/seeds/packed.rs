//! Seeds of compressions and archives.

use std::io::Write;

use super::text::{jsons, tables, xmls};
use super::{Seeds, behind, found};
use crate::parts;

pub(super) fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

pub(crate) fn gzip() -> Seeds {
    let table = &tables()[0];
    let plain = gzipped(table.as_bytes());
    let mut named = flate2::GzBuilder::new()
        .filename("a.csv")
        .comment("c")
        .extra(vec![1, 2])
        .write(Vec::new(), flate2::Compression::none());
    named.write_all(table.as_bytes()).expect("memory");
    let named = named.finish().expect("memory");
    let empty = gzipped(b"");
    let several = [plain.as_slice(), &empty, &named, &plain].concat();
    [vec![plain, several, named, empty], found(&["gz"])].concat()
}

pub(crate) fn zstd() -> Seeds {
    let table = tables()[0].repeat(3);
    let plain = zstd::encode_all(table.as_bytes(), 3).expect("memory");
    let skipped = [b"\x50\x2a\x4d\x18\x03\0\0\0abc".as_slice(), &plain, &plain].concat();
    let mut summed = zstd::Encoder::new(Vec::new(), 1).expect("memory");
    summed.include_checksum(true).expect("a setting");
    summed.write_all(table.as_bytes()).expect("memory");
    [vec![plain, skipped, summed.finish().expect("memory")], found(&["zst"])].concat()
}

pub(crate) fn bzip2() -> Seeds {
    let compress = |bytes: &[u8]| {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    };
    let plain = compress(tables()[0].as_bytes());
    let several = [plain.as_slice(), &compress(b""), &plain].concat();
    [vec![plain, several], found(&["bz2"])].concat()
}

pub(crate) fn xz() -> Seeds {
    let compress = |level: u32| {
        let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), level);
        encoder.write_all(tables()[0].as_bytes()).expect("memory");
        encoder.finish().expect("memory")
    };
    let several = [compress(0), vec![0; 4], compress(6)].concat();
    [vec![compress(0), several], found(&["xz"])].concat()
}

pub(crate) fn recompressed() -> Seeds {
    let how = |how: u8| {
        tables().into_iter().map(move |table| [&[how, how * 30], table.as_bytes()].concat())
    };
    (0..4).flat_map(how).collect()
}

pub(super) fn files() -> Vec<u8> {
    let (table, json) = (&tables()[0], &jsons()[0]);
    parts::join(&[
        ("a.csv", table.as_bytes()),
        ("b/c.csv.gz", &gzipped(table.as_bytes())),
        ("b/.hidden", b"x"),
        ("d.json", json.as_bytes()),
        ("e.xml", xmls()[0].as_bytes()),
    ])
}

pub(crate) fn zip() -> Seeds {
    let files = files();
    let made = parts::split(&files);
    let stored = parts::zip(&made, false);
    let nested = parts::zip(&[(b"in.zip".as_slice(), &stored), (b"f.csv", b"a,b\n1,2\n")], true);
    let mut streamed = zip::ZipWriter::new_stream(Vec::new());
    let options = zip::write::SimpleFileOptions::default();
    streamed.start_file("a.csv", options).expect("memory");
    streamed.write_all(b"a,b\n1,2\n").expect("memory");
    streamed.start_file("b.csv", options.large_file(true)).expect("memory");
    streamed.write_all(b"a,b\n3,4\n").expect("memory");
    let streamed = streamed.finish().expect("memory").into_inner();
    [behind(1, [stored, parts::zip(&made, true), nested, streamed]), behind(1, found(&["zip"]))]
        .concat()
}

pub(crate) fn tar() -> Seeds {
    let files = files();
    let made = parts::split(&files);
    let plain = parts::tar(&made);
    let long = "x/".repeat(80) + "a.csv";
    let long = parts::tar(&[(long.as_bytes(), b"a,b\n1,2\n")]);
    let inputs = [plain.clone(), gzipped(&plain), long];
    [behind(1, &inputs), inputs.iter().map(|input| [&[1], input.as_slice()].concat()).collect()]
        .concat()
}

pub(crate) fn members() -> Seeds {
    let mut seeds = Vec::new();
    for how in 0..3 {
        for nested in 0..2 {
            seeds.push([&[how, nested], files().as_slice()].concat());
        }
    }
    seeds
}
