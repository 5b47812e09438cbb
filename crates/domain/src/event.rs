//! One fact about one tender, as a genuine notification states it.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{
    AuthorisationNumber, Brand, CallNumber, Cents, Contract, Currency, Instrument, Mode, OrderRef, TenderId,
    Timestamp, UnknownWord,
};

/// What a verified message says about one tender of one payment attempt.
///
/// This is the whole of what the ledger keeps of a message in the clear: an allow-list. Card numbers, expiry
/// dates, names, addresses and the like have no field here, so they cannot reach the disk unsealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The shop's reference; optional at Sogecommerce.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_ref: Option<OrderRef>,
    /// Ties the tenders of one payment attempt together.
    pub call_number: CallNumber,
    /// The PSP's transaction; absent for an attempt that never became one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tender_id: Option<TenderId>,
    /// Voucher or card.
    pub instrument: Instrument,
    /// The instrument as the PSP names it.
    pub brand: Brand,
    /// Whether money comes in or goes back.
    pub operation: Operation,
    /// This tender's share, in cents of `currency`; how well that is known, `amount_from` says.
    pub amount: Cents,
    /// What `amount` was read from.
    #[serde(default, skip_serializing_if = "AmountFrom::is_part")]
    pub amount_from: AmountFrom,
    /// What the PSP says was paid of the order so far, this tender included; of a refund, what was given back of
    /// the tender so far, this refund included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_total: Option<Cents>,
    /// The currency of `amount` and of the totals.
    pub currency: Currency,
    /// What the PSP's status means.
    pub state: ReportedState,
    /// The PSP's status itself.
    pub status: StatusCode,
    /// The authorisation number, or what its absence means.
    #[serde(default)]
    pub authorisation: Authorisation,
    /// The acceptance contract that settles this tender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<Contract>,
    /// What the message itself proves about the platform it comes from; `None` if it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// True for a card part that exists only beside a voucher (Up2pay's `LIMOCB`, a card in a cascade).
    #[serde(default)]
    pub complement: bool,
    /// The total of the order as the PSP states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_total: Option<Cents>,
    /// True where the same message lists the parts of `order_total`, so that their sum can be checked.
    #[serde(default)]
    pub itemised: bool,
    /// How many parts the PSP announces for this payment attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts_announced: Option<u8>,
    /// When the state came about, by the PSP's own clock: never a date that is only wished, planned, or repeated from
    /// an earlier state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
    /// When the tender was accepted, where a message about a later state tells that as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// True where the merchant changed the amount at the PSP: `amount` replaces what was told before, and contradicts
    /// nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub revised: bool,
}

/// What the amount of an event was read from. Worldline's messages about a part may state only what was paid of
/// the order so far, or only the whole order; `reconcile` then works the parts out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmountFrom {
    /// The message states this part's own amount.
    #[default]
    Part,
    /// It states what was paid so far, which is less than the order.
    RunningTotal,
    /// It states no more than the amount of the whole order.
    OrderTotal,
    /// It states none: the amount is what was notified of the tender before. Of money that went back, nothing.
    Before,
}

impl AmountFrom {
    /// Whether the amount is the part's own.
    #[must_use]
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks in this form")]
    pub fn is_part(&self) -> bool {
        *self == Self::Part
    }
}

impl AmountFrom {
    const ALL: [Self; 4] = [Self::Part, Self::RunningTotal, Self::OrderTotal, Self::Before];

    /// The name in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Part => "part",
            Self::RunningTotal => "running_total",
            Self::OrderTotal => "order_total",
            Self::Before => "before",
        }
    }
}

impl FromStr for AmountFrom {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == text);
        known.ok_or_else(|| UnknownWord::new(text, "part, running_total, order_total, before"))
    }
}

/// How the daemon learned of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The PSP's genuine notification states it.
    #[default]
    Notification,
    /// The PSP's API answered so when asked.
    Confirmation,
}

impl Source {
    const ALL: [Self; 2] = [Self::Notification, Self::Confirmation];

    /// The name in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notification => "notification",
            Self::Confirmation => "confirmation",
        }
    }
}

impl FromStr for Source {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == text);
        known.ok_or_else(|| UnknownWord::new(text, "notification, confirmation"))
    }
}

/// The direction of the money.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// The customer pays.
    Debit,
    /// The merchant refunds.
    Credit {
        /// The refunded transaction, where the PSP names it.
        of: Option<TenderId>,
    },
    /// The card's bank takes the money back.
    Chargeback {
        /// The operation by which the PSP tells it, which may be the transaction that it takes back.
        of: Option<TenderId>,
    },
}

/// What the PSP's status means for the money. Ordered by how far the tender has come: of several facts
/// about one tender the last in this order decides, whatever the order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReportedState {
    /// Not decided yet.
    Pending,
    /// The customer gave up.
    Abandoned,
    /// Refused.
    Refused,
    /// Accepted; the money is promised.
    Authorised,
    /// Remitted to the bank or to ANCV.
    Captured,
    /// Never confirmed in time; the promise lapsed.
    Expired,
    /// Cancelled after it had been accepted, or by the platform.
    Cancelled,
}

impl ReportedState {
    const ALL: [Self; 7] = [
        Self::Pending,
        Self::Abandoned,
        Self::Refused,
        Self::Authorised,
        Self::Captured,
        Self::Expired,
        Self::Cancelled,
    ];

    /// The name in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Abandoned => "abandoned",
            Self::Refused => "refused",
            Self::Authorised => "authorised",
            Self::Captured => "captured",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

impl FromStr for ReportedState {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == text);
        known.ok_or_else(|| {
            UnknownWord::new(text, "pending, abandoned, refused, authorised, captured, expired, cancelled")
        })
    }
}

/// The PSP's own status word or number, with what the tables of its documentation say of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StatusCode {
    /// As received.
    pub code: String,
    /// Whether a person should look at it.
    #[serde(default)]
    pub reading: StatusReading,
}

/// What the tables say of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusReading {
    /// In the tables, and ordinary.
    #[default]
    Known,
    /// In the tables, and ordinary: the customer has begun something, and has not finished it.
    Unfinished,
    /// In the tables, and ordinary: it is to be decided on a day that was agreed on.
    Planned,
    /// In the tables, but calls for a person.
    Attention,
    /// Outside the tables.
    Unknown,
}

impl StatusReading {
    const ALL: [Self; 5] = [Self::Known, Self::Unfinished, Self::Planned, Self::Attention, Self::Unknown];

    /// Whether a person should look at it.
    #[must_use]
    pub const fn is_odd(self) -> bool {
        matches!(self, Self::Attention | Self::Unknown)
    }

    /// The name in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Unfinished => "unfinished",
            Self::Planned => "planned",
            Self::Attention => "attention",
            Self::Unknown => "unknown",
        }
    }
}

impl FromStr for StatusReading {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == text);
        known.ok_or_else(|| UnknownWord::new(text, "known, unfinished, planned, attention, unknown"))
    }
}

/// An authorisation number, or what its absence means.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Authorisation {
    /// The message would not state it in any case.
    #[default]
    NotStated,
    /// The message would have stated one: this tender has none.
    Absent,
    /// The number.
    Number(AuthorisationNumber),
}

impl Authorisation {
    /// The number, if there is one.
    #[must_use]
    pub fn number(&self) -> Option<&AuthorisationNumber> {
        match self {
            Self::Number(number) => Some(number),
            Self::NotStated | Self::Absent => None,
        }
    }
}
