//! Hands each notification on to the shop's own handlers, as it came: method, raw query and body to the byte.
//!
//! The ledger says what is owed, and the log how it ended (`relayed`); what failed in between is kept beside the fold and
//! can be forgotten. A crash between a handler's answer and the log costs one repetition, under the same number.
//!
//! | module | holds |
//! |---|---|
//! | `plan` | what is sent next: lanes, order, a complement that waits for its voucher; pure |
//! | `breaker` | a handler that fails again and again is left alone but for a probe; pure |
//! | `first` | first attempts that a PSP's answer waits for |
//! | `failing` | when a person is told that a handler does not take its calls; pure |
//! | `schedule` | when a call is tried again, and when no more; pure |
//! | `verdict` | whether a handler's answer means that it took the call; pure |
//! | `message` | the call as it is sent: URL and headers; pure |
//! | `outcomes` | writes into the log how relays ended |
//! | `worker` | reads what is owed, and calls |

mod breaker;
mod failing;
mod first;
mod message;
mod outcomes;
mod plan;
mod schedule;
mod verdict;
pub mod worker;

pub use first::FirstAttempts;
pub(crate) use message::MARK;
pub(crate) use schedule::PARKED_AFTER;

use std::time::Duration;

use cvco_domain::{HandlerAddress, RelayTarget};

use crate::outbound::Signer;

/// A handler of the shop, as the configuration names it.
#[derive(Debug, Clone)]
pub struct RelaySettings {
    /// Its id in log and ledger.
    pub id: RelayTarget,
    /// Where it is; may have a query of its own.
    pub url: String,
    /// The same as people may see it.
    pub address: HandlerAddress,
    /// The name by which it is called, where `url` names it by its address.
    pub host: Option<String>,
    /// It may be on this host or its network.
    pub allow_private: bool,
    /// So long a PSP's answer may wait for the first attempt.
    pub wait: Duration,
    /// Signs what is relayed, so that the handler can prove that it comes from here.
    pub signer: Option<Signer>,
}
