//! What the daemon has done, or is about to do: mails, and calls that go on to the shop.

use cvco_domain::{DiscrepancyId, EndpointId, Identity, News, RelayTarget, Seq, ShopId, Timestamp, Way};
use serde::{Deserialize, Serialize};

/// What an e-mail is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailAbout {
    /// News of discrepancies.
    Discrepancies(Vec<MailItem>),
    /// A link of the chain, for people to keep.
    Anchor(Seq),
    /// What a week brought.
    Week(Week),
}

/// The week of some shops that a summary is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Week {
    /// When it ended.
    pub until: Timestamp,
    /// The shops.
    pub shops: Vec<ShopId>,
}

/// One piece of news in an e-mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailItem {
    /// What is new about it.
    pub news: News,
    /// The discrepancy's number at the time.
    pub discrepancy: DiscrepancyId,
    /// The discrepancy, whatever its number.
    pub of: Identity,
}

/// An e-mail, or a message on a channel, that is about to leave. If the daemon stops before it says that it left, it leaves
/// again under the same message id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telling {
    /// Identifies the e-mail over attempts and restarts; without the angle brackets of a header.
    pub message_id: String,
    /// On which way it leaves.
    #[serde(default, skip_serializing_if = "Way::is_mail")]
    pub way: Way,
    /// What it tells.
    pub about: MailAbout,
}

/// An e-mail was handed over to the mail server, or a message to its channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Its message id.
    pub message_id: String,
}

/// The end of a notification's way to one handler of the shop. Attempts that leave it owed are no entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relayed {
    /// The notification's number in the log.
    pub notification: Seq,
    /// Which of its endpoint's handlers.
    pub target: RelayTarget,
    /// How often it was tried.
    pub attempts: u32,
    /// How it ended.
    pub outcome: RelayOutcome,
}

/// How a relay ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelayOutcome {
    /// The handler took it.
    Delivered {
        /// The status of its answer.
        status: u16,
    },
    /// The handler has it, and does not want it.
    Refused {
        /// The status of its answer.
        status: u16,
        /// What was wrong, in English, without any value from outside.
        why: String,
        /// The same in French.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why_fr: Option<String>,
    },
    /// It was tried for as long as makes sense; a person decides.
    Parked {
        /// What was wrong last, in English.
        why: String,
    },
    /// A person does not want it delivered any more.
    Dropped {
        /// The name of the person's system account.
        by: String,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
}

impl RelayOutcome {
    /// The name in the ledger.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Delivered { .. } => "delivered",
            Self::Refused { .. } => "refused",
            Self::Parked { .. } => "parked",
            Self::Dropped { .. } => "dropped",
        }
    }
}

/// A handler of the shop that does not take what it is owed. What that is, the ledger knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreached {
    /// The endpoint that it belongs to.
    pub endpoint: EndpointId,
    /// Which of the endpoint's handlers.
    pub target: RelayTarget,
    /// What went wrong last, in English.
    pub why: String,
}

/// Notifications that a person wants relayed once more, or at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// Which.
    pub which: Replayed,
    /// The name of the person's system account.
    pub by: String,
}

/// What is relayed once more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replayed {
    /// One notification.
    One {
        /// Its number in the log.
        notification: Seq,
        /// To this handler; without it, to each that has not taken it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<RelayTarget>,
    },
    /// Those that came in between.
    Between {
        /// From this instant …
        from: Timestamp,
        /// … to before this one.
        to: Timestamp,
        /// Only those that were not delivered.
        failed: bool,
        /// Only those of this endpoint.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        endpoint: Option<EndpointId>,
    },
}
