//! The values of one column of a row group, one after the other, with their levels.

use std::sync::Arc;

use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::{
    BoolType, ByteArrayType, DataType, DoubleType, FixedLenByteArrayType, FloatType, Int32Type,
    Int64Type, Int96Type,
};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::RowGroupReader;

use super::deltas::Levels;
use super::pages::{Budget, Held, Pages};
use super::value::Meaning;

/// Rows that are decoded at a time at most.
const ROWS: usize = 1024;
/// Bytes of a column that are decoded at a time, about.
const BYTES: u64 = 1 << 20;

/// One column of a row group.
pub(super) struct Column {
    values: Typed,
    meaning: Meaning,
    def_levels: Vec<i16>,
    rep_levels: Vec<i16>,
    max_def: i16,
    max_rep: i16,
    /// Where in the levels the current value is, and where among the values.
    level: usize,
    value: usize,
    levels: usize,
    rows: usize,
    budget: Arc<Budget>,
    held: Arc<Held>,
    not_text: bool,
}

enum Typed {
    Bool(Read<BoolType>),
    Int32(Read<Int32Type>),
    Int64(Read<Int64Type>),
    Int96(Read<Int96Type>),
    Float(Read<FloatType>),
    Double(Read<DoubleType>),
    Bytes(Read<ByteArrayType>),
    Fixed(Read<FixedLenByteArrayType>),
}

struct Read<T: DataType> {
    reader: ColumnReaderImpl<T>,
    values: Vec<T::T>,
}

impl<T: DataType> Read<T> {
    fn new(reader: ColumnReaderImpl<T>) -> Self {
        Self { reader, values: Vec::new() }
    }

    fn at(&self, at: usize) -> Result<&T::T> {
        // In a damaged file there may be fewer values than the decoder says.
        self.values
            .get(at)
            .ok_or_else(|| ParquetError::General("a page has fewer values than it says".to_owned()))
    }

    fn more(
        &mut self,
        rows: usize,
        def_levels: &mut Vec<i16>,
        rep_levels: &mut Vec<i16>,
    ) -> Result<(usize, usize)> {
        self.values.clear();
        let (_, values, levels) =
            self.reader.read_records(rows, Some(def_levels), Some(rep_levels), &mut self.values)?;
        Ok((values, levels))
    }
}

impl Column {
    /// Begins the column at `index` of a row group.
    pub(super) fn new(
        row_group: &dyn RowGroupReader,
        index: usize,
        meaning: Meaning,
        budget: &Arc<Budget>,
    ) -> Result<Self> {
        let metadata = row_group.metadata().column(index);
        let descriptor = metadata.column_descr_ptr();
        let rows = u64::try_from(row_group.metadata().num_rows()).unwrap_or(0).max(1);
        let bytes = u64::try_from(metadata.uncompressed_size()).unwrap_or(0) / rows;
        let rows = (BYTES / bytes.max(1)).clamp(1, ROWS as u64) as usize;
        let held = Arc::new(Held::default());
        let pages = row_group.get_column_page_reader(index)?;
        let levels = Levels {
            repetition: descriptor.max_rep_level(),
            definition: descriptor.max_def_level(),
        };
        let pages = Pages::new(pages, levels, Arc::clone(budget), Arc::clone(&held));
        let values = match get_column_reader(descriptor.clone(), Box::new(pages)) {
            ColumnReader::BoolColumnReader(reader) => Typed::Bool(Read::new(reader)),
            ColumnReader::Int32ColumnReader(reader) => Typed::Int32(Read::new(reader)),
            ColumnReader::Int64ColumnReader(reader) => Typed::Int64(Read::new(reader)),
            ColumnReader::Int96ColumnReader(reader) => Typed::Int96(Read::new(reader)),
            ColumnReader::FloatColumnReader(reader) => Typed::Float(Read::new(reader)),
            ColumnReader::DoubleColumnReader(reader) => Typed::Double(Read::new(reader)),
            ColumnReader::ByteArrayColumnReader(reader) => Typed::Bytes(Read::new(reader)),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => Typed::Fixed(Read::new(reader)),
        };
        Ok(Self {
            values,
            meaning,
            def_levels: Vec::new(),
            rep_levels: Vec::new(),
            max_def: descriptor.max_def_level(),
            max_rep: descriptor.max_rep_level(),
            level: 0,
            value: 0,
            levels: 0,
            rows,
            budget: Arc::clone(budget),
            held,
            not_text: false,
        })
    }

    /// Decodes more if all was read; `false` at the end of the column.
    pub(super) fn fill(&mut self) -> Result<bool> {
        if self.level < self.levels {
            return Ok(true);
        }
        (self.level, self.value) = (0, 0);
        self.def_levels.clear();
        self.rep_levels.clear();
        self.held.release(&self.budget);
        let (def, rep) = (&mut self.def_levels, &mut self.rep_levels);
        let (values, levels) = match &mut self.values {
            Typed::Bool(read) => read.more(self.rows, def, rep),
            Typed::Int32(read) => read.more(self.rows, def, rep),
            Typed::Int64(read) => read.more(self.rows, def, rep),
            Typed::Int96(read) => read.more(self.rows, def, rep),
            Typed::Float(read) => read.more(self.rows, def, rep),
            Typed::Double(read) => read.more(self.rows, def, rep),
            Typed::Bytes(read) => read.more(self.rows, def, rep),
            Typed::Fixed(read) => read.more(self.rows, def, rep),
        }?;
        self.levels = levels.max(values);
        // What the levels say is read without a check for each value.
        let complete = |levels: &[i16], max: i16| max == 0 || levels.len() == self.levels;
        let defined = match self.max_def {
            0 => self.levels,
            max => self.def_levels.iter().filter(|level| **level == max).count(),
        };
        if !complete(&self.def_levels, self.max_def)
            || !complete(&self.rep_levels, self.max_rep)
            || defined != values
        {
            return Err(ParquetError::General("levels and values do not fit".to_owned()));
        }
        Ok(self.levels > 0)
    }

    /// Whether a value since the last time should have been text and is not.
    pub(super) fn take_not_text(&mut self) -> bool {
        std::mem::take(&mut self.not_text)
    }

    /// How far down the schema the current value is there.
    pub(super) fn def_level(&self) -> i16 {
        self.def_levels.get(self.level).copied().unwrap_or(self.max_def)
    }

    /// Which list the current value goes on with; 0 begins a row.
    pub(super) fn rep_level(&self) -> i16 {
        // Rows are decoded as a whole, so behind the last value a new one begins.
        self.rep_levels.get(self.level).copied().unwrap_or(0)
    }

    /// Passes over the current value. An error: there is none.
    pub(super) fn pass(&mut self) -> Result<()> {
        if self.level >= self.levels {
            return Err(ParquetError::General("a column ends before the others".to_owned()));
        }
        self.value += usize::from(self.def_level() == self.max_def);
        self.level += 1;
        Ok(())
    }

    /// Appends the current value, and passes over it.
    pub(super) fn write(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if self.level >= self.levels {
            return Err(ParquetError::General("a column ends before the others".to_owned()));
        }
        if self.def_level() < self.max_def {
            out.extend_from_slice(b"null");
        } else {
            let (at, meaning) = (self.value, &self.meaning);
            let written = match &self.values {
                Typed::Bool(read) => meaning.write_bool(*read.at(at)?, out).map(|()| true),
                Typed::Int32(read) => meaning.write_i32(*read.at(at)?, out).map(|()| true),
                Typed::Int64(read) => meaning.write_i64(*read.at(at)?, out).map(|()| true),
                Typed::Int96(read) => meaning.write_i96(read.at(at)?, out).map(|()| true),
                Typed::Float(read) => meaning.write_f32(*read.at(at)?, out).map(|()| true),
                Typed::Double(read) => meaning.write_f64(*read.at(at)?, out).map(|()| true),
                Typed::Bytes(read) => meaning.write_bytes(read.at(at)?.data(), out),
                Typed::Fixed(read) => meaning.write_fixed(read.at(at)?.data(), out),
            };
            self.not_text |=
                !written.map_err(|problem| ParquetError::General(problem.to_owned()))?;
        }
        self.pass()
    }
}

impl Drop for Column {
    fn drop(&mut self) {
        self.held.release_all(&self.budget);
    }
}
