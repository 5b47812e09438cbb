//! The way in: notifications of PSPs over HTTP.
//!
//! `accept` takes connections and bounds them; `receive` leads one request from its path to the ledger;
//! `reply` is the one place where outcomes become statuses.

pub mod accept;
mod failures;
mod peer;
mod receive;
mod reply;

pub use receive::Receiver;
