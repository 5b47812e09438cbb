//! The way in: notifications of PSPs over HTTP.
//!
//! `accept` takes connections and bounds them, with `stall` for those who do not read; `receive` leads one request from its path to the log;
//! `reply` is the one place where outcomes become statuses.

pub mod accept;
mod failures;
mod hints;
mod peer;
mod receive;
mod repetitions;
mod reply;
mod stall;
mod understand;

pub use receive::{Intake, Receiver};
pub use understand::understand;

#[cfg(test)]
mod tests;
