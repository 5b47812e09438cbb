//! What the daemon asks a PSP's API about, and how an answer stands.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Subject, UnknownWord};

/// What a question is about. Which call it becomes, the adapter decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// A payment session, by its token (Monext).
    Session,
    /// One transaction, by the PSP's identifier.
    Transaction,
    /// A payment with all its operations, by its call number (Worldline).
    Payment,
    /// An order with all its transactions, by the shop's reference.
    Order,
    /// All that happened in a span of time: which transactions to ask about.
    Window,
}

impl Topic {
    const ALL: [Self; 5] = [Self::Session, Self::Transaction, Self::Payment, Self::Order, Self::Window];

    /// The name in ledger and lists.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Transaction => "transaction",
            Self::Payment => "payment",
            Self::Order => "order",
            Self::Window => "window",
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Topic {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|topic| topic.as_str() == text)
            .ok_or_else(|| UnknownWord::new(text, "session, transaction, payment, order, window"))
    }
}

/// One thing to ask a PSP's API about. Two questions at one endpoint with the same topic and subject are one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Question {
    /// What kind of thing.
    pub topic: Topic,
    /// Which one.
    pub subject: Subject,
    /// Whether an answer that is there already will do.
    #[serde(default, skip_serializing_if = "Asking::is_again")]
    pub asking: Asking,
}

/// Whether an answer that is there already will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asking {
    /// Something may have changed: ask, whatever was answered before.
    #[default]
    Again,
    /// Ask only if it was never answered, and if the ledger does not know the transaction.
    Once,
    /// Ask unless a final answer came less than ten minutes ago; what is not paid for, when these are over: for
    /// questions that a call raises which nobody signed, so that its repetition costs nothing.
    Sparingly,
}

impl Asking {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks in this form")]
    fn is_again(&self) -> bool {
        *self == Self::Again
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.topic, self.subject)
    }
}

/// How an answer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The PSP has decided: nothing more need be asked.
    Settled,
    /// The PSP has not decided yet: ask again later.
    Unsettled,
    /// The PSP does not know what it is asked about.
    Unknown,
    /// No answer in all the time that one was sought.
    GivenUp,
    /// The endpoint is no longer configured to be asked.
    Withdrawn,
}

impl Standing {
    /// The name in ledger and lists.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Unsettled => "unsettled",
            Self::Unknown => "unknown",
            Self::GivenUp => "given_up",
            Self::Withdrawn => "withdrawn",
        }
    }
}
