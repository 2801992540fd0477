//! Files whose every row is known, so that a row that is missing, strange or there twice is found.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::Failure;
use crate::consumer::Consumer;

/// A file whose every row is known.
#[derive(Debug)]
pub struct File {
    /// Its key.
    pub key: String,
    number: u64,
    /// How many rows it has.
    pub rows: u64,
}

impl File {
    /// The file with this number, which its rows follow from.
    pub fn new(key: String, number: u64, rows: u64) -> Self {
        Self { key, number, rows }
    }

    /// Several files, every other one packed; a batch holds some hundred rows. Of each `handful`, one
    /// is large enough to be in the middle of for a while.
    pub fn several(directory: &str, n: u64, handful: u64) -> Vec<Self> {
        let file = |n: u64| {
            let packed = if n.is_multiple_of(2) { "" } else { ".gz" };
            let large = n % handful == n / handful % handful;
            let rows = if large { 1_500 + n % 3 * 750 } else { 50 + n };
            Self::new(format!("{directory}/{n:03}.csv{packed}"), n, rows)
        };
        (0..n).map(file).collect()
    }

    /// The cells of a row; the first is 1.
    fn row(&self, row: u64) -> [String; 3] {
        let noise = (self.number << 32 | row).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        [
            format!("{}-{row}", self.number),
            format!("Zürich, {row}"),
            format!("{noise:016x}").repeat(130),
        ]
    }

    /// What lies in the bucket.
    ///
    /// # Errors
    /// When it cannot be packed.
    pub fn bytes(&self) -> Result<Vec<u8>, Failure> {
        let mut text = "id,place,noise\n".to_owned();
        for row in 1..=self.rows {
            let [id, place, noise] = self.row(row);
            text.push_str(&format!("{id},\"{place}\",{noise}\n"));
        }
        if !self.key.ends_with(".gz") {
            return Ok(text.into_bytes());
        }
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(text.as_bytes())?;
        Ok(packed.finish()?)
    }

    /// What is wrong with the records that a consumer has of it, if anything is.
    pub fn fault(&self, consumer: &Consumer<'_>, bucket: &str) -> Option<String> {
        let records = match consumer.records(&format!("{bucket}/{}", self.key)) {
            Ok(records) => records,
            Err(fault) => return Some(format!("{}: {fault}", self.key)),
        };
        if records.len() as u64 != self.rows {
            return Some(format!("{}: {} records of {}", self.key, records.len(), self.rows));
        }
        let strange = (1..).zip(&records).find(|(row, record)| {
            let [id, place, noise] = self.row(*row);
            let values = &record["values"];
            record["op"] != "upsert"
                || record["row"] != *row
                || values.as_object().is_none_or(|values| values.len() != 3)
                || (&values["id"], &values["place"], &values["noise"])
                    != (&id.into(), &place.into(), &noise.into())
        });
        strange.map(|(row, record)| format!("{}: row {row} came as {record}", self.key))
    }
}
