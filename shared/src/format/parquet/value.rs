//! What the values of a column mean, and how they are written.

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::data_type::Int96;
use parquet::schema::types::Type;

use super::super::typed::{self, Problem};

/// Days from the Julian epoch to 1970-01-01.
const JULIAN_EPOCH: i128 = 2_440_588;
const NANOS: i128 = 1_000_000_000;

/// The meaning of a column's values, by its logical type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// What the physical type says: numbers, truth values, bytes.
    Plain,
    /// Bytes that are text.
    Text,
    Unsigned,
    Date,
    Time {
        per_second: i128,
    },
    Timestamp {
        per_second: i128,
        utc: bool,
    },
    Decimal {
        scale: usize,
    },
    Float16,
    Uuid,
    Interval,
}

impl Meaning {
    /// The meaning that a primitive type of the schema states.
    pub(super) fn of(schema: &Type) -> Result<Self, Problem> {
        let info = schema.get_basic_info();
        let physical = schema.get_physical_type();
        let decimal = |scale: i32| match usize::try_from(scale.max(0)) {
            Ok(scale) if scale <= typed::MAX_SCALE => Ok(Self::Decimal { scale }),
            _ => Err("a decimal has too many digits behind the point"),
        };
        if let Some(logical) = info.logical_type_ref() {
            return Ok(match logical {
                LogicalType::Decimal { .. } => return decimal(schema.get_scale()),
                LogicalType::Date => Self::Date,
                LogicalType::Time(time) => Self::Time { per_second: per_second(&time.unit) },
                LogicalType::Timestamp(time) => Self::Timestamp {
                    per_second: per_second(&time.unit),
                    utc: time.is_adjusted_to_u_t_c,
                },
                LogicalType::Integer(integer) if !integer.is_signed => Self::Unsigned,
                LogicalType::Float16 => Self::Float16,
                LogicalType::Uuid => Self::Uuid,
                LogicalType::String | LogicalType::Enum | LogicalType::Json => Self::Text,
                _ => Self::Plain,
            });
        }
        Ok(match info.converted_type() {
            ConvertedType::DECIMAL => return decimal(schema.get_scale()),
            ConvertedType::DATE => Self::Date,
            ConvertedType::TIME_MILLIS => Self::Time { per_second: 1_000 },
            ConvertedType::TIME_MICROS => Self::Time { per_second: 1_000_000 },
            ConvertedType::TIMESTAMP_MILLIS => Self::Timestamp { per_second: 1_000, utc: true },
            ConvertedType::TIMESTAMP_MICROS => Self::Timestamp { per_second: 1_000_000, utc: true },
            ConvertedType::UINT_8
            | ConvertedType::UINT_16
            | ConvertedType::UINT_32
            | ConvertedType::UINT_64 => Self::Unsigned,
            ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON => Self::Text,
            ConvertedType::INTERVAL if physical == Physical::FIXED_LEN_BYTE_ARRAY => Self::Interval,
            _ => Self::Plain,
        })
    }

    pub(super) fn write_bool(&self, value: bool, out: &mut Vec<u8>) -> Result<(), Problem> {
        out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    pub(super) fn write_i32(&self, value: i32, out: &mut Vec<u8>) -> Result<(), Problem> {
        match *self {
            Self::Unsigned => typed::display(value as u32, out),
            _ => return self.write_i64(value.into(), out),
        }
        Ok(())
    }

    pub(super) fn write_i64(&self, value: i64, out: &mut Vec<u8>) -> Result<(), Problem> {
        match *self {
            Self::Unsigned => typed::display(value as u64, out),
            Self::Date => typed::date(value, out),
            Self::Time { per_second } => typed::time(value, per_second, out),
            Self::Timestamp { per_second, utc } => {
                typed::timestamp(value.into(), per_second, utc, out);
            }
            Self::Decimal { scale } => typed::decimal(value.into(), scale, out),
            _ => typed::display(value, out),
        }
        Ok(())
    }

    /// Nanoseconds of a day of the Julian calendar, as old programs write times.
    pub(super) fn write_i96(&self, value: &Int96, out: &mut Vec<u8>) -> Result<(), Problem> {
        let [low, high, day] = *value.data() else { return Err("a time has not 12 bytes") };
        let nanos = i64::from(high as i32) << 32 | i64::from(low);
        let days = i128::from(day as i32) - JULIAN_EPOCH;
        typed::timestamp(days * 86_400 * NANOS + i128::from(nanos), NANOS, false, out);
        Ok(())
    }

    pub(super) fn write_f32(&self, value: f32, out: &mut Vec<u8>) -> Result<(), Problem> {
        typed::f32(value, out);
        Ok(())
    }

    pub(super) fn write_f64(&self, value: f64, out: &mut Vec<u8>) -> Result<(), Problem> {
        typed::f64(value, out);
        Ok(())
    }

    /// Bytes of one size, which are seldom text.
    pub(super) fn write_fixed(&self, value: &[u8], out: &mut Vec<u8>) -> Result<bool, Problem> {
        if *self == Self::Plain {
            typed::base64(value, out);
            return Ok(true);
        }
        self.write_bytes(value, out)
    }

    /// `false`: what should be text is none.
    pub(super) fn write_bytes(&self, value: &[u8], out: &mut Vec<u8>) -> Result<bool, Problem> {
        match (*self, value) {
            (Self::Text, _) => return Ok(typed::declared_text(value, out)),
            (Self::Decimal { scale }, _) => typed::decimal_bytes(value, scale, out)?,
            (Self::Float16, [low, high]) => typed::f16(u16::from_le_bytes([*low, *high]), out),
            (Self::Uuid, _) => typed::uuid(value, out),
            (Self::Interval, [a, b, c, d, e, f, g, h, i, j, k, l]) => typed::interval(
                u32::from_le_bytes([*a, *b, *c, *d]),
                u32::from_le_bytes([*e, *f, *g, *h]),
                u32::from_le_bytes([*i, *j, *k, *l]),
                out,
            ),
            _ => typed::bytes(value, out),
        }
        Ok(true)
    }
}

fn per_second(unit: &TimeUnit) -> i128 {
    match unit {
        TimeUnit::MILLIS => 1_000,
        TimeUnit::MICROS => 1_000_000,
        TimeUnit::NANOS => NANOS,
    }
}
