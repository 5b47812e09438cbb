//! The catalogue of discrepancies: kind, severity, figures. The words for people are in `cvco_mail::catalogue`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{CallNumber, Cents, Detail, EndpointId, OrderRef, Psp, ShopId, Timestamp, UnknownWord};

/// How fast a person should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// In the ledger and its lists; no e-mail.
    Info,
    /// By e-mail, with the next digest.
    Warning,
    /// By e-mail, at once.
    Urgent,
}

impl Severity {
    /// Every severity, the lightest first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Urgent];

    /// The name in ledger and exports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Urgent => "urgent",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.as_str() == text)
            .ok_or_else(|| UnknownWord::new(text, "info, warning, urgent"))
    }
}

/// What there is to tell of a discrepancy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum News {
    /// The facts break the rule.
    Opened,
    /// They still do, and a person wanted to be reminded, or should know that the amounts changed.
    Reminded,
    /// They still do, and nobody has said within the time given that they have seen it.
    Escalated,
    /// They no longer do.
    Closed,
}

impl News {
    const ALL: [Self; 4] = [Self::Opened, Self::Reminded, Self::Escalated, Self::Closed];

    /// The name in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Reminded => "reminded",
            Self::Escalated => "escalated",
            Self::Closed => "closed",
        }
    }
}

impl FromStr for News {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|news| news.as_str() == text)
            .ok_or_else(|| UnknownWord::new(text, "opened, reminded, escalated, closed"))
    }
}

/// Why people are reminded of a discrepancy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reminder {
    /// The date has come until which they put it aside.
    SnoozeOver,
    /// What they saw or were told had other amounts.
    FiguresChanged,
    /// It has become graver.
    Graver,
}

impl Reminder {
    const ALL: [Self; 3] = [Self::SnoozeOver, Self::FiguresChanged, Self::Graver];

    /// The name in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SnoozeOver => "snooze_over",
            Self::FiguresChanged => "figures_changed",
            Self::Graver => "graver",
        }
    }
}

impl FromStr for Reminder {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|reminder| reminder.as_str() == text)
            .ok_or_else(|| UnknownWord::new(text, "snooze_over, figures_changed, graver"))
    }
}

/// A text that names no kind of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a kind of discrepancy")]
pub struct UnknownKind(String);

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $severity:ident;)*) => {
        /// One rule of the catalogue.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// Every kind, in the order of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in ledger, exports and mails.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// How fast a person should look.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }
        }
    };
}

kinds! {
    /// The accepted parts come to less than expected.
    AmountShort = "amount_short", Warning;
    /// The accepted parts come to more than expected.
    AmountOver = "amount_over", Warning;
    /// The voucher part was accepted; its card part never came.
    ComplementMissing = "complement_missing", Urgent;
    /// A card complement was accepted; its voucher part never came.
    ComplementOrphan = "complement_orphan", Urgent;
    /// The card part was refused or abandoned, and the voucher part stays accepted.
    VoucherOrphan = "voucher_orphan", Urgent;
    /// Two accepted parts where one is possible.
    DuplicateTender = "duplicate_tender", Urgent;
    /// One order was paid twice.
    DoublePayment = "double_payment", Urgent;
    /// A payment for an order that the shop never registered.
    OrderUnknown = "order_unknown", Warning;
    /// Accepted, but neither shop nor PSP says what to expect.
    TotalUnknown = "total_unknown", Info;
    /// The shop changed the total of an order after it was paid.
    TotalChanged = "total_changed", Warning;
    /// Another currency than the order's.
    CurrencyUnexpected = "currency_unexpected", Warning;
    /// Two genuine notifications of one transaction disagree.
    ConflictingNotification = "conflicting_notification", Urgent;
    /// The PSP's own total is not the sum of its own parts.
    SequenceDisagrees = "sequence_disagrees", Warning;
    /// A voucher with an authorisation number, or a card without one.
    AuthorisationUnexpected = "authorisation_unexpected", Warning;
    /// A trial payment reached a production endpoint.
    TestInProduction = "test_in_production", Urgent;
    /// Real money reached a test endpoint.
    ProductionInTest = "production_in_test", Urgent;
    /// Two live orders share the 20 characters that ANCV keeps of a reference.
    ReferenceCollision = "reference_collision", Warning;
    /// Authorised or undecided, and not captured in the time allowed: the promise may lapse.
    CaptureOverdue = "capture_overdue", Urgent;
    /// A refund that the PSP's terms do not allow, or of more than was paid.
    RefundNotAllowed = "refund_not_allowed", Urgent;
    /// A refund after the time in which the PSP allows it.
    RefundLate = "refund_late", Warning;
    /// Vouchers were given back while the card part was not, at a PSP that gives the card part back first.
    RefundOrder = "refund_order", Warning;
    /// One of several parts of a refund is missing.
    RefundPartial = "refund_partial", Warning;
    /// The PSP's API disagrees with what its own notification said.
    ConfirmationDiffers = "confirmation_differs", Urgent;
    /// An answer of the PSP's API is awaited too long.
    Unconfirmed = "unconfirmed", Warning;
    /// Many calls with a wrong signature on one endpoint.
    SignatureFailures = "signature_failures", Urgent;
    /// Calls that knew the secret address were refused for their form, size or origin. Urgent where the PSP had signed one.
    CallsRefused = "calls_refused", Warning;
    /// A handler of the shop does not take what is relayed to it. Urgent where a call has waited for an hour, or was parked.
    RelayFailing = "relay_failing", Warning;
    /// A handler of the shop refused genuine notifications that were relayed to it.
    RelayRefused = "relay_refused", Warning;
    /// No notification for far longer than this endpoint's own habit.
    EndpointSilent = "endpoint_silent", Warning;
    /// The card's bank took money back, or announced it.
    Chargeback = "chargeback", Urgent;
    /// A status outside the PSP's tables, or one that calls for a person.
    UnknownStatus = "unknown_status", Warning;
    /// A contract or shop id of the PSP that the configuration does not know.
    ContractUnknown = "contract_unknown", Warning;
    /// Received, and not on a statement in the time allowed.
    SettlementMissing = "settlement_missing", Warning;
    /// A statement pays out another amount than what is kept.
    SettlementMismatch = "settlement_mismatch", Warning;
    /// The issuer kept another commission than its rate says.
    CommissionMismatch = "commission_mismatch", Warning;
    /// A line of a statement that no payment explains.
    StatementLineUnknown = "statement_line_unknown", Warning;
    /// An entry of the log that could not be folded, or a genuine message that was not understood.
    SetAside = "set_aside", Urgent;
    /// The system's clock had run ahead, and was put right.
    ClockStepped = "clock_stepped", Warning;
}

impl Kind {
    /// Whether it says what all payments of an order come to together.
    #[must_use]
    pub const fn is_of_all_payments(self) -> bool {
        matches!(self, Self::AmountShort | Self::AmountOver | Self::DoublePayment | Self::TotalChanged)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;
    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| UnknownKind(text.chars().take(40).collect()))
    }
}

/// What makes a discrepancy the one that it is. Its number does not: a program with more rules may number otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The rule.
    pub kind: Kind,
    /// Whose it is; `None` if it concerns the daemon as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop: Option<ShopId>,
    /// What breaks the rule.
    pub about: About,
    /// The record, of a discrepancy of one record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<(Psp, CallNumber)>,
    /// What tells two of one kind on one record apart; else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// Since when it is open: tells it from an earlier one of the same cause.
    pub opened_at: Timestamp,
}

/// What a discrepancy is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// An order of the shop.
    Order(OrderRef),
    /// A payment without an order reference.
    Payment(Psp, CallNumber),
    /// An endpoint of the shop.
    Endpoint(EndpointId),
    /// A statement; the subject says which, or which of its lines.
    Statement,
    /// The daemon as a whole.
    Daemon,
}

/// A rule that an order's facts break. Two findings are the same discrepancy over time if their kind, record
/// and subject agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub kind: Kind,
    /// The record that breaks it; `None` if it is the order as a whole.
    pub record: Option<(Psp, CallNumber)>,
    /// What tells two findings of one kind on one record apart, such as a transaction; else empty.
    pub subject: String,
    /// What was expected, in cents, where the rule compares amounts.
    pub expected: Option<Cents>,
    /// What was found, in cents.
    pub actual: Option<Cents>,
    /// The particulars.
    pub detail: Detail,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
        assert!("nonsense".parse::<Kind>().is_err());
    }
}
