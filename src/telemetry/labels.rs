//! What tells the series of a figure apart.

use cvco_domain::Refusal;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

/// An enum whose values are words of a label.
macro_rules! labels {
    ($(#[$doc:meta])* $name:ident { $($value:ident = $word:literal),+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "the words say it")]
        pub enum $name {
            $($value),+
        }

        impl EncodeLabelValue for $name {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
                EncodeLabelValue::encode(&match self { $(Self::$value => $word),+ }, encoder)
            }
        }
    };
}

/// Labels of a stored notification.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct NotificationLabels {
    /// The endpoint.
    pub endpoint: String,
    /// `genuine`, `ignored`, `hint`, `unread`, or `repeated` for bytes that were stored before.
    pub verdict: &'static str,
}

/// Labels of a refused call. The endpoint is empty where the call names none that exists.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RejectionLabels {
    /// The endpoint.
    pub endpoint: String,
    /// Why.
    pub reason: RejectionReason,
}

labels! {
    /// Why a call was refused.
    RejectionReason { Path = "path", Token = "token", Address = "address", TooLarge = "too_large", Incomplete = "incomplete", Signature = "signature", Account = "account", Malformed = "malformed", Method = "method", Http = "http", Flood = "flood", Loop = "loop", NotStored = "not_stored", Tls = "tls" }
}

impl RejectionReason {
    /// Those of a call that had the token of an endpoint.
    pub(super) const OF_ENDPOINTS: [Self; 11] = [
        Self::Address,
        Self::TooLarge,
        Self::Incomplete,
        Self::Signature,
        Self::Account,
        Self::Malformed,
        Self::Method,
        Self::Http,
        Self::Flood,
        Self::Loop,
        Self::NotStored,
    ];
}

impl From<Refusal> for RejectionReason {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Signature => Self::Signature,
            Refusal::Account => Self::Account,
            Refusal::Form => Self::Malformed,
            Refusal::Method => Self::Method,
            Refusal::Size => Self::TooLarge,
            Refusal::Incomplete => Self::Incomplete,
            Refusal::Address => Self::Address,
            Refusal::Http => Self::Http,
            Refusal::Flood => Self::Flood,
            Refusal::Loop => Self::Loop,
        }
    }
}

/// Labels of a question that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct QuestionLabels {
    /// The endpoint.
    pub endpoint: String,
    /// What became of it.
    pub outcome: QuestionOutcome,
}

labels! {
    /// What became of a question that was asked.
    QuestionOutcome { Answered = "answered", Undecided = "undecided", Failed = "failed" }
}

/// Labels of an e-mail.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct MailLabels {
    /// What became of it.
    pub outcome: MailOutcome,
}

labels! {
    /// What became of an e-mail.
    MailOutcome { Sent = "sent", Failed = "failed" }
}

/// Labels of a call of a shop's handler.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RelayLabels {
    /// The endpoint.
    pub endpoint: String,
    /// Which of its handlers.
    pub target: String,
    /// What became of it.
    pub outcome: RelayCall,
}

labels! {
    /// What became of a call of a shop's handler.
    RelayCall { Delivered = "delivered", Refused = "refused", Failed = "failed", Parked = "parked" }
}

/// Labels of a handler.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct HandlerLabels {
    /// The endpoint.
    pub endpoint: String,
    /// Which of its handlers.
    pub target: String,
}

/// The label of what is told of each endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct EndpointLabel {
    /// The endpoint.
    pub endpoint: String,
}

/// The label of what is owed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OwedLabel {
    /// `mail`, `anchor`, `relay`, `question`, `decision`.
    pub what: &'static str,
}

/// The label of open discrepancies.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SeverityLabel {
    /// How grave they are.
    pub severity: &'static str,
}

/// The label of what is told of each file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct FileLabel {
    /// Its name, without its folder.
    pub file: String,
}

/// The label of the program itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct VersionLabel {
    /// Its version.
    pub(super) version: &'static str,
}

/// No label at all: of a figure whose only series is there once something is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Known {}
