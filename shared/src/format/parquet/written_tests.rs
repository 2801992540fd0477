//! Files as writers write them, in each encoding, version and compression: nested columns in many pages.

use std::sync::Arc;

use parquet::basic::{BrotliLevel, Compression as Codec, Encoding, GzipLevel, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;

use super::tests::read;
use crate::format::Limits;

const SCHEMA: &str = "message m { required int64 n; optional binary text (UTF8);
    optional group list (LIST) { repeated group list { optional binary element (UTF8); } } }";

/// A text, or none; texts begin alike, as a delta encoding likes them.
fn text(random: &mut fastrand::Rng) -> Option<String> {
    let length = if random.u8(..30) == 0 { 600 } else { 14 };
    let end: String = (0..random.usize(..length)).map(|_| random.alphanumeric()).collect();
    (random.u8(..5) > 0).then(|| format!("item {end}é"))
}

struct Table {
    texts: Vec<Option<String>>,
    lists: Vec<Option<Vec<Option<String>>>>,
}

impl Table {
    fn new(rows: usize) -> Self {
        let mut random = fastrand::Rng::with_seed(rows as u64);
        let texts = (0..rows).map(|_| text(&mut random)).collect();
        let mut list = || (0..random.usize(..4)).map(|_| text(&mut random)).collect::<Vec<_>>();
        let lists = (0..rows).map(|row| (row % 7 > 0).then(&mut list)).collect();
        Self { texts, lists }
    }

    fn lines(&self) -> Vec<String> {
        let rows = self.texts.iter().zip(&self.lists).enumerate();
        rows.map(|row| {
            let (n, (text, list)) = row;
            serde_json::json!([n, text, list]).to_string()
        })
        .collect()
    }

    fn write(&self, properties: WriterProperties) -> Vec<u8> {
        let schema = Arc::new(parse_message_type(SCHEMA).expect("a schema"));
        let bytes = |text: &String| ByteArray::from(text.as_bytes().to_vec());
        let mut writer =
            SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).expect("a file");
        let mut group = writer.next_row_group().expect("a group");
        let numbers: Vec<i64> = (0..).take(self.texts.len()).collect();
        let mut column = group.next_column().expect("a column").expect("n");
        column.typed::<Int64Type>().write_batch(&numbers, None, None).expect("written");
        column.close().expect("closed");
        let texts: Vec<ByteArray> = self.texts.iter().flatten().map(bytes).collect();
        let levels: Vec<i16> = self.texts.iter().map(|text| text.is_some().into()).collect();
        let mut column = group.next_column().expect("a column").expect("text");
        column.typed::<ByteArrayType>().write_batch(&texts, Some(&levels), None).expect("written");
        column.close().expect("closed");
        let (mut definition, mut repetition) = (Vec::new(), Vec::new());
        for list in &self.lists {
            let elements = list.as_deref().unwrap_or_default();
            if elements.is_empty() {
                definition.push(i16::from(list.is_some()));
                repetition.push(0);
            }
            for (at, element) in elements.iter().enumerate() {
                definition.push(2 + i16::from(element.is_some()));
                repetition.push((at > 0).into());
            }
        }
        let elements: Vec<ByteArray> =
            self.lists.iter().flatten().flatten().flatten().map(bytes).collect();
        let mut column = group.next_column().expect("a column").expect("list");
        column
            .typed::<ByteArrayType>()
            .write_batch(&elements, Some(&definition), Some(&repetition))
            .expect("written");
        column.close().expect("closed");
        group.close().expect("closed");
        writer.into_inner().expect("closed")
    }
}

#[test]
fn what_was_written_in_any_encoding_is_read_as_it_was() {
    let texts = ["text", "list.list.element"].map(ColumnPath::from);
    let codecs = [
        Codec::UNCOMPRESSED,
        Codec::SNAPPY,
        Codec::GZIP(GzipLevel::default()),
        Codec::BROTLI(BrotliLevel::default()),
        Codec::LZ4,
        Codec::LZ4_RAW,
        Codec::ZSTD(ZstdLevel::default()),
    ];
    for rows in [0, 1, 129, 700] {
        let table = Table::new(rows);
        let lines = table.lines();
        for (at, codec) in codecs.into_iter().enumerate() {
            for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
                for encoding in [
                    Encoding::PLAIN,
                    Encoding::RLE_DICTIONARY,
                    Encoding::DELTA_LENGTH_BYTE_ARRAY,
                    Encoding::DELTA_BYTE_ARRAY,
                ] {
                    let dictionary = encoding == Encoding::RLE_DICTIONARY;
                    let mut properties = WriterProperties::builder()
                        .set_writer_version(version)
                        .set_compression(codec)
                        .set_dictionary_enabled(dictionary)
                        .set_data_page_row_count_limit(if at % 2 == 0 { 50 } else { 1000 })
                        .set_write_batch_size(10);
                    if !dictionary {
                        for text in &texts {
                            properties = properties.set_column_encoding(text.clone(), encoding);
                        }
                    }
                    let file = table.write(properties.build());
                    let how = format!("{rows} rows, {codec:?}, {version:?}, {encoding:?}");
                    let (_, read) = read(file, Limits::default()).unwrap_or_else(|error| {
                        panic!("{how}: {error}");
                    });
                    assert!(read == lines, "{how}");
                }
            }
        }
    }
}
