//! Hands each notification on to the shop's own handlers, as it came: method, raw query and body to the byte.
//!
//! The ledger says what is owed, and the log how it ended (`relayed`); what failed in between is kept beside the fold and
//! can be forgotten. A crash between a handler's answer and the log costs one repetition, under the same number.
//!
//! | module | holds |
//! |---|---|
//! | `plan` | what is sent next: lanes, order, a complement that waits for its voucher; pure |
//! | `breaker` | a handler that fails again and again is left alone but for a probe; pure |
//! | `failing` | when a person is told that a handler does not take its calls; pure |
//! | `schedule` | when a call is tried again, and when no more; pure |
//! | `verdict` | whether a handler's answer means that it took the call; pure |
//! | `message` | the call as it is sent: URL and headers; pure |
//! | `worker` | reads what is owed, calls, writes down |

mod breaker;
mod failing;
mod message;
mod plan;
mod schedule;
mod verdict;
pub mod worker;

pub(crate) use message::MARK;

use cvco_domain::{HandlerAddress, RelayTarget};

/// A handler of the shop, as the configuration names it.
#[derive(Debug, Clone, PartialEq, Eq)]
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
}
