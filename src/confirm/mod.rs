//! Asking the PSPs' own APIs: confirmations, and what no notification told.
//!
//! ```text
//! ledger ──question due──▶ worker ──said so far──▶ psp::Api::next ──call──▶ outbound ──exchange──┐
//!    ▲                                                  ▲                                        │
//!    └──────────── answer, or when to ask again ────────┴────────────────────────────────────────┘
//! sweep ──what nothing was heard of──▶ ledger
//! ```
//!
//! A question is an entry of the log, so no crash and no outage loses one; an answer is another, and its facts go
//! through the same door as those of a notification. What lies between, the calls that fail, is kept beside the log.

mod conversation;
pub mod sweep;
pub mod worker;

pub use conversation::{Outcome, ask, probe};
