//! Seeds of Parquet and Avro.

use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;

use super::{Seeds, found};
use crate::parts;

pub(super) fn table_of_columns(properties: WriterProperties) -> Vec<u8> {
    let schema = "message s { required int32 a; optional byte_array b (UTF8); optional group l (LIST) { repeated group \
        list { optional double element; } } required int32 d (DATE); }";
    let schema = parquet::schema::parser::parse_message_type(schema).expect("a schema");
    let mut writer =
        SerializedFileWriter::new(Vec::new(), schema.into(), properties.into()).expect("memory");
    for _ in 0..2 {
        let mut group = writer.next_row_group().expect("memory");
        let mut at = 0;
        while let Some(mut column) = group.next_column().expect("a column") {
            let levels: &[i16] = &[1, 0, 1];
            match at {
                0 => column.typed::<Int32Type>().write_batch(&[1, -2, 3], None, None),
                1 => {
                    let texts = ["x", "yz"].map(ByteArray::from);
                    column.typed::<ByteArrayType>().write_batch(&texts, Some(levels), None)
                }
                2 => column.typed::<DoubleType>().write_batch(
                    &[0.5, 1.5],
                    Some(&[3, 3, 0, 1]),
                    Some(&[0, 1, 0, 0]),
                ),
                _ => column.typed::<Int32Type>().write_batch(&[0, 20_000, -1], None, None),
            }
            .expect("values");
            column.close().expect("a column");
            at += 1;
        }
        group.close().expect("a group");
    }
    writer.into_inner().expect("memory")
}

pub(crate) fn parquet() -> Seeds {
    use parquet::basic::{Compression, Encoding};
    use parquet::file::properties::WriterVersion;
    let properties = WriterProperties::builder;
    let mut files = vec![
        table_of_columns(properties().build()),
        table_of_columns(
            properties().set_dictionary_enabled(false).set_encoding(Encoding::PLAIN).build(),
        ),
        table_of_columns(properties().set_writer_version(WriterVersion::PARQUET_2_0).build()),
    ];
    for compression in
        [Compression::SNAPPY, Compression::LZ4_RAW, Compression::ZSTD(Default::default())]
    {
        files.push(table_of_columns(properties().set_compression(compression).build()));
    }
    files.extend(found(&["parquet"]));
    files
}

pub(crate) fn parquet_footer() -> Seeds {
    let halves = |file: Vec<u8>| {
        let length = file.len().checked_sub(8)?;
        let footer = u32::from_le_bytes(file[length..length + 4].try_into().ok()?) as usize;
        let at = length.checked_sub(footer)?;
        Some(parts::join(&[("", &file[..at]), ("", &file[at..length])]))
    };
    parquet().into_iter().filter_map(halves).collect()
}

const SCHEMA: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"long"},{"name":"b","type":["null","string"]},
    {"name":"c","type":{"type":"array","items":"double"}},{"name":"d","type":{"type":"map","values":"int"}},
    {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},{"name":"f","type":{"type":"fixed","name":"F","size":2}},
    {"name":"g","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},
    {"name":"h","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"i","type":["null","R"]}]}"#;

pub(crate) fn avro_blocks() -> Seeds {
    let row = b"\x02\x02\x04hi\x02\0\0\0\0\0\0\xf8\x3f\0\x02\x02k\x0e\0\x02\x01\x02\x02\xff\x06\0";
    let block = [b"\x02".as_slice(), row, row].concat();
    vec![
        parts::join(&[("", SCHEMA.as_bytes()), ("", &block), ("", &block)]),
        parts::join(&[("", br#""long""#.as_slice()), ("", b"\x02\x02\x04")]),
        parts::join(&[
            (
                "",
                br#"{"type":"record","name":"R","fields":[{"name":"n","type":"null"}]}"#.as_slice(),
            ),
            ("", b"\x09"),
        ]),
    ]
}

pub(crate) fn avro() -> Seeds {
    use apache_avro::{Codec, Schema, Writer, types::Record};
    let schema = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"long"},{"name":"b","type":"string"}]}"#;
    let schema = Schema::parse_str(schema).expect("a schema");
    let codecs = [
        Codec::Null,
        Codec::Deflate(Default::default()),
        Codec::Snappy,
        Codec::Zstandard(Default::default()),
        Codec::Bzip2(Default::default()),
        Codec::Xz(Default::default()),
    ];
    let written = |codec: Codec| {
        let mut writer = Writer::with_codec(&schema, Vec::new(), codec);
        for n in 0..5_i64 {
            let mut record = Record::new(&schema).expect("a record");
            record.put("a", n * n);
            record.put("b", format!("row {n}"));
            writer.append(record).expect("a row");
        }
        writer.into_inner().expect("a file")
    };
    let mut files: Seeds = codecs.map(written).to_vec();
    files.extend(avro_blocks().iter().map(|seed| parts::avro(&parts::split(seed))));
    files.extend(found(&["avro"]));
    files
}
