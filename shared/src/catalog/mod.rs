//! **catalog**: which sources does an object feed?
//!
//! A *connection* says how a bucket is reached, a *source* says which objects are taken, how they are
//! read and where their records go. Promises: a catalog that was accepted is complete and
//! consistent; what is wrong with one is said all at once, with file and line; unknown keys are
//! refused. Never: this room reads no object and knows no ledger.
//!
//! ```text
//!  files ──► reader ──► parse ──► definition ──► catalog ──► matching(bucket, key)
//!  TOML      typed      one        valid          consistent   sources, connections, tables
//!            values     file       values         together
//! ```

#[expect(clippy::module_inception, reason = "the room is named after the value that it is for")]
mod catalog;
mod definition;
#[cfg(feature = "aws")]
pub mod dynamodb;
mod encoding;
mod fields;
mod files;
mod fingerprint;
mod fires;
mod parse;
mod path;
mod problem;
mod reader;
mod schedule;
mod size;
mod store;
mod table;

pub use catalog::{Catalog, DROP_SOURCE, HOME_CONNECTION, Match};
pub use definition::*;
pub use encoding::Encoding;
pub use files::load;
pub use path::{Captures, DOCUMENT_FILES, PathError, PathPattern, SUPPORTED_FILES};
pub use problem::{Problem, Problems};
pub use store::{CatalogError, CatalogStore, FixedCatalog};

#[cfg(test)]
mod tests;
