//! Deterministic simulation: one seed, one history.
//!
//! The whole pipeline (`inlet::ingest`, `inlet::refresh`) runs as it is, on adapters in memory, a
//! virtual clock and one thread. A seed decides everything: the sources, what customers write and
//! delete, what the workers do when, and what goes wrong. When all is said and done, the checker
//! compares what arrived downstream with what lies in the buckets, and the ledger with both.
//!
//! ```text
//!  customer ─► bucket ─► notices ─► broker ─► workers ─► downstream ─► consumer
//!                 ▲                              │                        │
//!                 └────────── check ◄── ledger ◄─┘                 check ◄┘
//! ```
//!
//! A seed that breaks a promise prints its history, and is played again with
//!
//! ```text
//! INLET_SEED=<seed> cargo test -p inlet-simulation --test seeds -- --nocapture
//! ```
//!
//! and the long run, which also says how often each kind of fault was met, is
//!
//! ```text
//! INLET_SEEDS=100000 cargo test --release -p inlet-simulation --test seeds -- --nocapture
//! ```
//!
//! What is not simulated: objects too large to be read whole (their conversion runs on a thread of its
//! own, whose pace no seed decides), objects that are archived or denied, and changes of the catalog.

pub mod bucket;
pub mod check;
pub mod conformance;
pub mod consumer;
pub mod content;
pub mod customer;
pub mod destination;
pub mod faults;
pub mod ledger;
pub mod life;
pub mod plant;
pub mod queue;
pub mod seeds;
pub mod simulation;
pub mod worker;
pub mod world;

pub use simulation::{Verdict, play};
