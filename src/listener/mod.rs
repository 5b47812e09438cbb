//! The way in: notifications of PSPs over HTTP.
//!
//! `accept` takes connections, `crowd` bounds them, by the `room` that there is; `connection` leads one to its end, with `head`
//! for what could be read in two ways, `tls` before both, and `stall` for those who do not read; `receive` leads one request from its
//! path to the log; `refuse` does what is due where it does not get there; `reply` is the one place where outcomes become
//! statuses.

pub mod accept;
mod body;
mod connection;
mod crowd;
mod failures;
mod head;
mod hints;
mod overheard;
mod peer;
mod receive;
mod refuse;
mod repetitions;
mod reply;
pub mod room;
mod stall;
pub mod tls;
mod understand;

pub use receive::{Intake, Receiver};
pub use understand::{Understood, understand};

#[cfg(test)]
mod tests;
