//! Why a call that knew an endpoint's secret address is refused.

use serde::{Deserialize, Serialize};

/// Why calls are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Wrong signatures: probably a wrong key.
    Signature,
    /// Genuine, but for another account of the PSP than the endpoint's.
    Account,
    /// Not in the PSP's format.
    Form,
    /// By another method than the PSP's, as a redirect makes it.
    Method,
    /// Larger than what is taken.
    Size,
    /// The body was cut, or did not come in time.
    Incomplete,
    /// From an address outside `allow_from`.
    Address,
    /// HTTP that cannot be read.
    Http,
    /// More unsigned calls than an endpoint stores.
    Flood,
    /// The daemon's own relay sent it: a handler's address leads back here.
    Loop,
}

impl Refusal {
    /// The name in the log and the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Account => "account",
            Self::Form => "form",
            Self::Method => "method",
            Self::Size => "size",
            Self::Incomplete => "incomplete",
            Self::Address => "address",
            Self::Http => "http",
            Self::Flood => "flood",
            Self::Loop => "loop",
        }
    }
}
