//! Trial traffic: what the PSPs would send, signed with keys of our own and told apart by stories.
//!
//! ```text
//! Actor ──scenario, seed, date──▶ Play ──schedule──▶ lanes ──load──▶ daemon ──▶ Report
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `scenario.rs` | the stories, and what each must end in |
//! | `up2pay.rs`, `sogecommerce.rs`, `worldline.rs`, `monext.rs` | the stories as each PSP tells them |
//! | `actor.rs` | a story of one order, with numbers and dates (`numbers.rs`, `dice.rs`) |
//! | `schedule.rs` | which message is sent when, and over which connection |
//! | `load.rs`, `client.rs`, `report.rs` | sending, and what came back |
//!
//! All but `load.rs` and `client.rs` is pure: the same seed gives the same bytes.

mod actor;
mod client;
mod dice;
mod load;
mod monext;
mod numbers;
mod report;
mod scenario;
mod schedule;
mod sogecommerce;
#[cfg(test)]
mod tests;
mod up2pay;
mod worldline;

use std::time::Duration;

pub use cvco_psp::up2pay::{NoKey, TrialKey};

pub use actor::{Actor, CannedAnswers, Expect, Message, Play, Trials};
pub use client::{Address, AddressError};
pub use dice::Dice;
pub use load::{Admin, LoadError, run};
pub use monext::{MonextTrial, empty_books};
pub use report::{Report, Unexpected};
pub use scenario::{Ending, Scenario};
pub use schedule::Pace;
pub use sogecommerce::SogecommerceTrial;
pub use up2pay::Up2payTrial;
pub use worldline::WorldlineTrial;

/// After this time a buyer pays once more, or a merchant refunds.
const SECOND_THOUGHT: Duration = Duration::from_mins(5);
