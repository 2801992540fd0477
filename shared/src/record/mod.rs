//! **record**: rows become records, as JSON.
//!
//! A [`Mapping`] says which cell becomes which field, and of which type; [`convert`] takes the rows
//! of one object through it into [`Batch`]es; [`plain`] writes the same values without a record
//! around them.
//!
//! Promises: every row that is read is a record, a reject or skipped by declared policy, and is
//! counted as one of them; a reject says where it was, what is wrong, and what it was; the same bytes
//! and the same definition give the same batches, byte for byte. Never: this room guesses no type,
//! and gives no half of a row.
//!
//! Cells are copied once, from the read buffer into the batch: there is no value per cell, and no
//! allocation per row.

mod buffer;
mod convert;
mod datetime;
mod json;
mod mapping;
pub mod plain;
mod reject;
mod scalar;
mod values;

pub use convert::{
    Batch, BatchLimits, ConvertError, Counters, Failed, Mark, Output, Plan, Rejects, Stopped,
    convert,
};
pub use mapping::{Mapping, RecordError};
pub use reject::{Reject, RejectCode, RejectContext};

#[cfg(test)]
mod tests;
