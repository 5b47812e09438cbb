//! The way in: notifications of PSPs over HTTP.
//!
//! `accept` takes connections and bounds them, with `stall` for those who do not read; `receive` leads one request from its
//! path to the log; `refuse` does what is due where it does not get there; `reply` is the one place where outcomes become
//! statuses.

pub mod accept;
mod body;
mod failures;
mod hints;
mod overheard;
mod peer;
mod receive;
mod refuse;
mod repetitions;
mod reply;
mod stall;
mod understand;

pub use receive::{Intake, Receiver};
pub use understand::{Understood, understand};

#[cfg(test)]
mod tests;
