//! One payment instrument's share of an order.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{
    AuthorisationNumber, Brand, Cents, Contract, Currency, Day, EndpointId, Issuer, LineId, TenderId,
    Timestamp, UnknownWord,
};

/// Voucher or card: who reimburses the merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Instrument {
    /// Chèque-Vacances Connect (or another voucher): the issuer pays.
    Voucher,
    /// The card part: a bank pays.
    Card,
}

impl Instrument {
    /// The name in ledger and exports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Voucher => "voucher",
            Self::Card => "card",
        }
    }
}

impl fmt::Display for Instrument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Instrument {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [Self::Voucher, Self::Card]
            .into_iter()
            .find(|instrument| instrument.as_str() == text)
            .ok_or_else(|| UnknownWord::new(text, "voucher, card"))
    }
}

/// Where a tender stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenderState {
    /// Not decided yet.
    Pending,
    /// Accepted, the money promised.
    Authorised,
    /// Remitted to the bank or to the issuer.
    Captured,
    /// Refused.
    Refused,
    /// The customer gave up.
    Abandoned,
    /// Cancelled after acceptance.
    Cancelled,
    /// The promise lapsed.
    Expired,
    /// Given back wholly.
    Refunded,
    /// Given back in part.
    PartRefunded,
}

impl TenderState {
    /// The name in ledger and exports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Authorised => "authorised",
            Self::Captured => "captured",
            Self::Refused => "refused",
            Self::Abandoned => "abandoned",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Refunded => "refunded",
            Self::PartRefunded => "part_refunded",
        }
    }

    /// Whether the tender was paid (authorised or captured, neither cancelled nor refused): it counts in
    /// `paid_cents`, which is before refunds.
    #[must_use]
    pub const fn is_accepted(self) -> bool {
        match self {
            Self::Authorised | Self::Captured | Self::Refunded | Self::PartRefunded => true,
            Self::Pending | Self::Refused | Self::Abandoned | Self::Cancelled | Self::Expired => false,
        }
    }
}

impl fmt::Display for TenderState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TenderState {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [
            Self::Pending,
            Self::Authorised,
            Self::Captured,
            Self::Refused,
            Self::Abandoned,
            Self::Cancelled,
            Self::Expired,
            Self::Refunded,
            Self::PartRefunded,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
        .ok_or_else(|| {
            UnknownWord::new(
                text,
                "pending, authorised, captured, refused, abandoned, cancelled, expired, \
                       refunded, part_refunded",
            )
        })
    }
}

/// One payment instrument's share of an order: what all events about it amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tender {
    /// The PSP's transaction; absent for an attempt that never became one.
    pub id: Option<TenderId>,
    /// Voucher or card.
    pub instrument: Instrument,
    /// The instrument as the PSP names it.
    pub brand: Brand,
    /// Who owes its money.
    pub issuer: Issuer,
    /// Where it stands.
    pub state: TenderState,
    /// Its share, in cents.
    pub amount: Cents,
    /// The currency of its amounts.
    pub currency: Currency,
    /// How much of it was given back, in cents.
    pub refunded: Cents,
    /// How much of that a card's bank took back.
    pub taken_back: Cents,
    /// The acquirer's authorisation number.
    pub authorisation: Option<AuthorisationNumber>,
    /// The contract that settles it.
    pub contract: Option<Contract>,
    /// The endpoint that heard of it; of several, the first by name.
    pub endpoint: EndpointId,
    /// True for a card part that exists only beside a voucher.
    pub complement: bool,
    /// When the daemon first heard of it.
    pub first_seen_at: Timestamp,
    /// When it was accepted: the PSP's time where it states one, else the time of receipt.
    pub authorised_at: Option<Timestamp>,
    /// When it was captured, likewise.
    pub captured_at: Option<Timestamp>,
    /// When it was last refunded, likewise.
    pub refunded_at: Option<Timestamp>,
    /// What of it is for the books.
    pub booked: Booked,
}

/// What of a tender is for the books: real money, in euros.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Booked {
    /// The accounting day on which its amount was received; `None` if it was not, or not yet.
    pub received_on: Option<Day>,
    /// What was given back or cancelled since, by day.
    pub returned: Vec<Returned>,
    /// What statements pay out of it, in cents.
    pub settled: Cents,
    /// When the last of that was paid out, whatever was taken back since.
    pub settled_on: Option<Day>,
    /// The lines that say so.
    pub payouts: Vec<PaidShare>,
}

/// What a line of a statement pays out of a tender: all of the line, or its share of a line about several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidShare {
    /// The line.
    pub line: LineId,
    /// In cents; negative for what is taken back.
    pub amount: Cents,
}

/// An amount that was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Returned {
    /// The accounting day.
    pub on: Day,
    /// Why.
    pub cause: ReturnCause,
    /// In cents.
    pub amount: Cents,
}

/// Why money went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReturnCause {
    /// The merchant gave it back.
    Refund,
    /// The card's bank took it back.
    Chargeback,
    /// What was accepted was cancelled, or expired.
    Cancellation,
}

impl ReturnCause {
    /// The name in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refund => "refund",
            Self::Chargeback => "chargeback",
            Self::Cancellation => "cancellation",
        }
    }
}

impl Tender {
    /// All that went back was taken by a bank: that is no refund.
    #[must_use]
    pub fn is_charged_back(&self) -> bool {
        self.taken_back.is_positive() && self.taken_back >= self.refunded
    }

    /// What of it is kept, in cents.
    #[must_use]
    pub fn kept(&self) -> Cents {
        self.amount.minus(self.refunded)
    }
}

/// When a payment is booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BookAt {
    /// When it is captured, where its PSP tells that; else when it is accepted.
    #[default]
    Capture,
    /// When it is accepted.
    Acceptance,
}

impl BookAt {
    /// Whether it is the default.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks in this form")]
    #[must_use]
    pub fn is_capture(&self) -> bool {
        *self == Self::Capture
    }
}
