//! Trial traffic: what the PSPs would send, signed with keys of our own and told apart by stories.
//!
//! ```text
//! Actor ──scenario, seed, date──▶ Play
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `scenario.rs` | the stories, and what each must end in |
//! | `up2pay.rs`, `sogecommerce.rs` | the stories as each PSP tells them |
//! | `actor.rs` | a story of one order, with numbers and dates (`numbers.rs`, `dice.rs`) |
//!
//! All of it is pure: the same seed gives the same bytes.

mod actor;
mod dice;
mod numbers;
mod scenario;
mod sogecommerce;
#[cfg(test)]
mod tests;
mod up2pay;

use std::time::Duration;

pub use actor::{Actor, Expect, Message, Play, Trials};
pub use scenario::{Ending, Scenario};
pub use sogecommerce::SogecommerceTrial;
pub use up2pay::Up2payTrial;

/// After this time a buyer pays once more, or a merchant refunds.
const SECOND_THOUGHT: Duration = Duration::from_mins(5);
