//! The log of several machines, in PostgreSQL. Any of them appends to it; each keeps a replica of every row, which it folds.
//!
//! | module | holds |
//! |---|---|
//! | [`settings`] | where PostgreSQL is, and who this machine is |
//! | `session`, `tls` | one connection, driven by its user so that each warning is heard in its place |
//! | `joined` | what a session must find: this log, this payload key, the entries that this machine knows |
//! | [`append`] | [`PostgresLog`]: a group in two flights, and how an unknown outcome is looked into |
//! | `tail` | [`Tail`]: every row, as it comes, into this machine's replica |
//! | `lead` | who leads: a row with a date by the server's clock |
//! | `store`, `spool` | [`ClusterLog`]: the log as one machine has it; calls that PostgreSQL could not take |
//! | `identify`, `inspect` | which log there is; machines, leader, and settings of the server that lose entries |
//! | [`mend`] | a log brought there, and mended after a failover that lost entries |
//! | [`migrate`] | the tables (`schema.sql`) and what each role may (`roles.sql`) |
//!
//! Two things decide whether it is right. A commit whose answer was lost is looked into only after the lock that the old
//! connection may still hold; and a warning between COMMIT and its answer is no success, for that is how PostgreSQL tells
//! of a standby that was not waited for.

pub mod append;
mod identify;
mod inspect;
mod joined;
mod lead;
pub mod mend;
pub mod migrate;
mod session;
pub mod settings;
mod spool;
mod store;
mod tail;
#[cfg(test)]
mod tests;
mod tls;

pub use append::{Counts, Mark, PostgresLog, Unstored};
pub use identify::{Found, adopt_key, identify};
pub use inspect::{Leader, Machine, Report, Server, Standby, inspect, must_know};
pub use joined::{End, Identity};
pub use lead::Lead;
pub use settings::Settings;
pub use store::ClusterLog;
pub use tail::{Followed, Standing, Tail, catch_up};
