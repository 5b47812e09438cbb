//! The log: one thing that happened after another, append-only and hash-chained.
//!
//! It holds evidence and never a conclusion, so that an append needs no look at anything else. What the log amounts to
//! is the ledger's business, which reads it in order.
//!
//! | module | holds |
//! |---|---|
//! | [`entry`] | [`LogEntry`]: the kinds of evidence |
//! | [`row`] | [`Draft`] (to be appended), [`Row`] (as stored), the links of the chain |
//! | [`store`] | [`LogStore`]: what a log can stand on. [`SqliteLog`] is the embedded one, [`MemoryLog`] serves tests; that of
//! several machines, in PostgreSQL, is a crate of its own |
//! | [`appender`] | [`Log`]: the handle. One thread appends whatever waits as one group, with one sync |
//! | [`payload`], [`key_file`] | raw requests, sealed before they reach the appender |
//!
//! The crate knows the words of the domain and nothing else of ours.

pub mod appender;
pub mod entry;
pub mod error;
pub mod key_file;
pub mod memory;
pub mod payload;
pub mod row;
pub mod sqlite;
pub mod store;
#[cfg(test)]
mod tests;

pub use appender::{Appender, Commit, Ends, Log};
pub use entry::LogEntry;
pub use error::LogError;
pub use memory::MemoryLog;
pub use payload::{Envelope, SealedPayload};
pub use row::{Draft, Epoch, Head, Link, Logged, Row, Stamp};
pub use sqlite::SqliteLog;
pub use store::LogStore;
