//! Values of Avro's binary encoding as JSON.

use super::super::typed;
use super::schema::{Id, Schema, Type};

/// Values within values.
const MAX_DEPTH: usize = 64;

/// What is wrong with a value.
pub(super) type Problem = &'static str;

/// Reads values from the bytes of a block.
pub(super) struct Decoder<'b> {
    bytes: &'b [u8],
    schema: &'b Schema,
    /// How long the output may become.
    most: usize,
    /// A text was not UTF-8.
    pub(super) not_text: bool,
}

impl<'b> Decoder<'b> {
    pub(super) fn new(bytes: &'b [u8], schema: &'b Schema, most: usize) -> Self {
        Self { bytes, schema, most, not_text: false }
    }

    /// How many bytes were not read yet.
    pub(super) fn left(&self) -> usize {
        self.bytes.len()
    }

    /// Appends the next value. An output longer than it may become ends early.
    pub(super) fn write(&mut self, id: Id, depth: usize, out: &mut Vec<u8>) -> Result<(), Problem> {
        if depth > MAX_DEPTH {
            return Err("values are nested too deeply");
        }
        if out.len() > self.most {
            return Ok(());
        }
        let schema = self.schema;
        match schema.get(id) {
            Type::Null => out.extend_from_slice(b"null"),
            Type::Boolean => match self.take(1)? {
                [0] => out.extend_from_slice(b"false"),
                [1] => out.extend_from_slice(b"true"),
                _ => return Err("a boolean is neither true nor false"),
            },
            Type::Int => typed::display(self.int()?, out),
            Type::Long => typed::display(self.long()?, out),
            Type::Float => typed::f32(f32::from_le_bytes(self.array()?), out),
            Type::Double => typed::f64(f64::from_le_bytes(self.array()?), out),
            Type::Bytes => {
                let bytes = self.counted()?;
                typed::bytes(bytes, out);
            }
            Type::String => {
                let bytes = self.counted()?;
                self.not_text |= !typed::declared_text(bytes, out);
            }
            Type::Fixed(size) => {
                let bytes = self.take(*size)?;
                typed::base64(bytes, out);
            }
            Type::Enum(symbols) => {
                let at = usize::try_from(self.int()?).ok();
                let symbol = at.and_then(|at| symbols.get(at));
                out.extend_from_slice(symbol.ok_or("an enum has no such symbol")?.as_bytes());
            }
            Type::Array(items) => self.array_of(*items, depth, out)?,
            Type::Map(values) => self.map_of(*values, depth, out)?,
            Type::Union(branches) => {
                let at = usize::try_from(self.long()?).ok();
                let branch = at.and_then(|at| branches.get(at));
                self.write(*branch.ok_or("a union has no such branch")?, depth + 1, out)?;
            }
            Type::Record(members) => {
                out.push(b'{');
                for (at, member) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(&member.key);
                    self.write(member.value, depth + 1, out)?;
                }
                out.push(b'}');
            }
            Type::Decimal { scale, fixed } => {
                let bytes = match fixed {
                    Some(size) => self.take(*size)?,
                    None => self.counted()?,
                };
                typed::decimal_bytes(bytes, *scale, out)?;
            }
            Type::BigDecimal => {
                let bytes = self.counted()?;
                let mut inner = Decoder::new(bytes, schema, self.most);
                let unscaled = inner.counted()?;
                let scale = usize::try_from(inner.long()?).ok();
                let scale = scale.filter(|scale| *scale <= typed::MAX_SCALE);
                typed::decimal_bytes(unscaled, scale.ok_or("a decimal has no such scale")?, out)?;
            }
            Type::Date => typed::date(self.int()?.into(), out),
            Type::TimeMillis => typed::time(self.int()?.into(), 1_000, out),
            Type::TimeMicros => typed::time(self.long()?, 1_000_000, out),
            Type::Timestamp { per_second, utc } => {
                typed::timestamp(self.long()?.into(), *per_second, *utc, out);
            }
            Type::Uuid => typed::uuid(self.take(16)?, out),
            Type::Duration => {
                let mut part = || self.array().map(u32::from_le_bytes);
                let (months, days, millis) = (part()?, part()?, part()?);
                typed::interval(months, days, millis, out);
            }
        }
        Ok(())
    }

    fn array_of(&mut self, items: Id, depth: usize, out: &mut Vec<u8>) -> Result<(), Problem> {
        out.push(b'[');
        let mut first = true;
        loop {
            let count = self.block()?;
            if count == 0 {
                break;
            }
            for _ in 0..count {
                if !std::mem::take(&mut first) {
                    out.push(b',');
                }
                self.write(items, depth + 1, out)?;
                // Items may have no bytes, so their number may be anything.
                if out.len() > self.most {
                    return Ok(());
                }
            }
        }
        out.push(b']');
        Ok(())
    }

    fn map_of(&mut self, values: Id, depth: usize, out: &mut Vec<u8>) -> Result<(), Problem> {
        out.push(b'{');
        let mut first = true;
        loop {
            let count = self.block()?;
            if count == 0 {
                break;
            }
            for _ in 0..count {
                if !std::mem::take(&mut first) {
                    out.push(b',');
                }
                let key = self.counted()?;
                self.not_text |= !typed::declared_text(key, out);
                out.push(b':');
                self.write(values, depth + 1, out)?;
                if out.len() > self.most {
                    return Ok(());
                }
            }
        }
        out.push(b'}');
        Ok(())
    }

    /// How many items follow; a negative number has the size of them behind it.
    fn block(&mut self) -> Result<u64, Problem> {
        let count = self.long()?;
        if count < 0 {
            self.long()?;
        }
        Ok(count.unsigned_abs())
    }

    fn int(&mut self) -> Result<i32, Problem> {
        i32::try_from(self.long()?).map_err(|_| "an int has more than 32 bits")
    }

    fn long(&mut self) -> Result<i64, Problem> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
            }
        }
        Err("a long has more than 64 bits")
    }

    fn counted(&mut self) -> Result<&'b [u8], Problem> {
        let length = usize::try_from(self.long()?).map_err(|_| "a negative length")?;
        self.take(length)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| "a value is cut short")
    }

    fn take(&mut self, length: usize) -> Result<&'b [u8], Problem> {
        let Some((taken, rest)) = self.bytes.split_at_checked(length) else {
            return Err("a value goes beyond the end of its block");
        };
        self.bytes = rest;
        Ok(taken)
    }
}
