//! Inlet: files that people drop into buckets become records that arrive downstream: every file,
//! once, in order, soon after it lands, and provably.
//!
//! Data goes through the rooms of this crate once, from left to right:
//!
//! ```text
//!  notice ──► catalog ──► ledger ──► object ──► format ──► record ──► delivery
//!  what        which       claim,     bytes,     rows        typed,     batches to
//!  happened    source?     once       pinned                 mapped     destinations
//! ```
//!
//! Each room holds a port (a small trait) and, beside it, its adapters. The core names no cloud: the
//! AWS adapters are behind the feature `aws`, those of one machine behind `local`.

#[cfg(feature = "aws")]
mod aws;
pub mod catalog;
pub mod clock;
pub mod delivery;
pub mod failure;
pub mod format;
mod hash;
pub mod ingest;
pub mod ledger;
#[cfg(feature = "local")]
pub mod local;
pub mod notice;
pub mod object;
pub mod observe;
pub mod queue;
pub mod record;
pub mod refresh;
pub mod rejects;
pub mod replay;
#[cfg(feature = "aws")]
pub mod stack;
pub mod status;
