//! **record**: rows become records, as JSON.
//!
//! [`Mappings`] say which cell becomes which field, and of which type, for each shape that rows have;
//! [`convert()`] takes the rows of one object through them into [`Batch`]es; [`check`] does so only to
//! see what becomes of them; [`plain`] writes the same values without a record around them.
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
mod error;
mod failed;
mod json;
mod mapping;
mod mappings;
mod numeral;
mod output;
pub mod plain;
mod reject;
mod rule;
mod scalar;
mod token;
mod unique;
mod values;

pub use convert::{check, convert};
pub use error::{Columns, RecordError};
pub use failed::{ConvertError, Failed};
pub use mappings::Mappings;
pub use output::{Batch, BatchLimits, Counters, Mark, Output, Plan, Rejects, Stopped};
pub use reject::{Reject, RejectCode, RejectContext};
pub(crate) use rule::{Unfit, problems_of_field, problems_of_reading};
pub use unique::UniqueError;

#[cfg(test)]
mod accounting_tests;
#[cfg(test)]
mod json_tests;
#[cfg(test)]
mod rule_tests;
#[cfg(test)]
mod tests;
