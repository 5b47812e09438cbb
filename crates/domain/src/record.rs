//! The CVCo+card record: all tenders of one payment attempt, and what they amount to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{
    CallNumber, Cents, Currency, Day, EndpointId, Instrument, Mode, Psp, Tender, Timestamp, UnknownWord,
};

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordState {
    /// Something is still awaited within its grace.
    Pending,
    /// The accepted tenders are exactly what is expected.
    Balanced,
    /// They are less than the order: the rest is not due yet, or this payment is all that was asked for.
    PartPaid,
    /// They are not what is expected.
    Unbalanced,
    /// Accepted, but nobody said what to expect.
    Unverified,
    /// Nothing was accepted.
    Failed,
    /// All that was paid was given back.
    Refunded,
    /// Part of what was paid was given back.
    PartRefunded,
}

impl RecordState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Balanced,
        Self::PartPaid,
        Self::Unbalanced,
        Self::Unverified,
        Self::Failed,
        Self::Refunded,
        Self::PartRefunded,
    ];

    /// The name in ledger and exports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Balanced => "balanced",
            Self::PartPaid => "part_paid",
            Self::Unbalanced => "unbalanced",
            Self::Unverified => "unverified",
            Self::Failed => "failed",
            Self::Refunded => "refunded",
            Self::PartRefunded => "part_refunded",
        }
    }
}

impl fmt::Display for RecordState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RecordState {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| {
            UnknownWord::new(
                text,
                "pending, balanced, part_paid, unbalanced, unverified, failed, refunded, part_refunded",
            )
        })
    }
}

/// Who says what a record should come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExpectedFrom {
    /// The shop: the order that it registered, an instalment of it, or what other payments left of it.
    Order,
    /// The PSP states the payment's total.
    Psp,
}

impl ExpectedFrom {
    /// The name in ledger and exports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Psp => "psp",
        }
    }
}

impl FromStr for ExpectedFrom {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [Self::Order, Self::Psp]
            .into_iter()
            .find(|from| from.as_str() == text)
            .ok_or_else(|| UnknownWord::new(text, "order, psp"))
    }
}

/// All tenders of one (shop, PSP, order reference, call number).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The provider.
    pub psp: Psp,
    /// What ties the tenders together.
    pub call_number: CallNumber,
    /// The endpoint that heard of its voucher, or else of any part; of several, the first by name.
    pub endpoint: EndpointId,
    /// Real money, or a trial.
    pub mode: Mode,
    /// The currency of all its amounts.
    pub currency: Currency,
    /// What it should come to, and who says so.
    pub expected: Option<(Cents, ExpectedFrom)>,
    /// Where it stands.
    pub state: RecordState,
    /// Its tenders, in a fixed order: voucher first, then by transaction.
    pub tenders: Vec<Tender>,
    /// Refunds that were asked for and are not made yet, in cents.
    pub refunding: Cents,
    /// Whether it is a payment of its order: a trial is none beside real money, or at an endpoint for real money.
    pub counts: bool,
}

impl Record {
    fn accepted(&self) -> impl Iterator<Item = &Tender> {
        let currency = self.currency;
        self.tenders.iter().filter(move |tender| tender.state.is_accepted() && tender.currency == currency)
    }

    /// The accepted tenders of one instrument, in cents, before refunds.
    #[must_use]
    pub fn paid_by(&self, instrument: Instrument) -> Cents {
        self.accepted().filter(|t| t.instrument == instrument).map(|t| t.amount).sum()
    }

    /// All accepted tenders, in cents, before refunds.
    #[must_use]
    pub fn paid(&self) -> Cents {
        self.accepted().map(|t| t.amount).sum()
    }

    /// All that was given back, in cents.
    #[must_use]
    pub fn refunded(&self) -> Cents {
        self.tenders.iter().map(|t| t.refunded).sum()
    }

    /// What of that banks took back.
    #[must_use]
    pub fn taken_back(&self) -> Cents {
        self.tenders.iter().map(|t| t.taken_back).sum()
    }

    /// All that went back was taken by banks: that is no refund.
    #[must_use]
    pub fn is_charged_back(&self) -> bool {
        self.taken_back().is_positive() && self.taken_back() >= self.refunded()
    }

    /// Paid minus expected, in cents, where it is known what to expect.
    #[must_use]
    pub fn gap(&self) -> Option<Cents> {
        self.expected.map(|(expected, _)| self.paid().minus(expected))
    }

    /// When the daemon first heard of it.
    #[must_use]
    pub fn first_seen_at(&self) -> Option<Timestamp> {
        self.tenders.iter().map(|t| t.first_seen_at).min()
    }

    /// When the last of its accepted tenders was accepted.
    #[must_use]
    pub fn authorised_at(&self) -> Option<Timestamp> {
        self.accepted().filter_map(|t| t.authorised_at).max()
    }

    /// When the last of its accepted tenders was captured, once all of them are.
    #[must_use]
    pub fn captured_at(&self) -> Option<Timestamp> {
        let mut captured = self.accepted().map(|t| t.captured_at);
        captured.by_ref().try_fold(None, |latest: Option<Timestamp>, at| Some(latest.max(Some(at?))))?
    }

    /// When the last of its accepted tenders was paid out, once all that is kept of them is.
    #[must_use]
    pub fn settled_on(&self) -> Option<Day> {
        let mut kept = self.accepted().filter(|t| t.kept().is_positive());
        let settled = |t: &Tender| t.booked.settled_on.filter(|_| t.booked.settled >= t.kept());
        kept.try_fold(None, |latest: Option<Day>, t| Some(latest.max(Some(settled(t)?))))?
    }
}
