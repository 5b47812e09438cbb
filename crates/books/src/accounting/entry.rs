//! An entry and its lines.

use std::str::FromStr;

use cvco_domain::{CallNumber, Cents, Contract, Day, Issuer, OrderRef, Psp, ShopId, UnknownWord};

use cvco_domain::{Account, Journal};

/// A balanced entry: one journal, one date, one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// Whose it is.
    pub shop: ShopId,
    /// Where it is booked.
    pub journal: Journal,
    /// Unique over all journals, `CV2026-000001`; of a draft it begins with `D`.
    pub number: String,
    /// The accounting day.
    pub date: Day,
    /// What proves it: an order's reference, a statement's number. Plain ASCII.
    pub piece: String,
    /// When that happened; earlier than `date` for a correction of a closed period.
    pub piece_date: Day,
    /// What it is, in plain ASCII.
    pub label: String,
    /// When its period was closed; `None` for a draft.
    pub validated_on: Option<Day>,
    /// Two at least; they come to nothing together.
    pub lines: Vec<Line>,
}

/// A line of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What is debited or credited.
    pub account: Account,
    /// In cents; a debit is positive, a credit negative. Never zero.
    pub amount: Cents,
    /// What lines settle it, once they are all there.
    pub letter: Option<Letter>,
    /// What it stands for.
    pub leg: Leg,
    /// The payment that it comes from; of a bank or commission line of a statement, none.
    pub source: Option<Source>,
}

/// A group of lines of one account that come to nothing together (lettrage).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// `A`, `B`, … `Z`, `AA` …; each is given once.
    pub letter: String,
    /// When the group was settled.
    pub on: Day,
}

/// What a line stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leg {
    /// A voucher part, owed by ANCV.
    Voucher,
    /// A voucher part that another issuer owes: a meal voucher, a gift card.
    OtherVoucher,
    /// A card part, owed by the bank.
    Card,
    /// The customer.
    Customer,
    /// A gap that is booked so that somebody looks into it.
    Suspense,
    /// What a statement paid out.
    Bank,
    /// What it kept.
    Commission,
    /// The tax on that.
    Vat,
}

impl Leg {
    /// Every leg.
    pub const ALL: [Self; 8] = [
        Self::Voucher,
        Self::OtherVoucher,
        Self::Card,
        Self::Customer,
        Self::Suspense,
        Self::Bank,
        Self::Commission,
        Self::Vat,
    ];

    /// The leg of a part, by who owes it.
    #[must_use]
    pub const fn of(issuer: Issuer) -> Self {
        match issuer {
            Issuer::Ancv => Self::Voucher,
            Issuer::Bank => Self::Card,
            Issuer::Other(_) => Self::OtherVoucher,
        }
    }

    /// The name in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Voucher => "voucher",
            Self::OtherVoucher => "other_voucher",
            Self::Card => "card",
            Self::Customer => "customer",
            Self::Suspense => "suspense",
            Self::Bank => "bank",
            Self::Commission => "commission",
            Self::Vat => "vat",
        }
    }
}

impl FromStr for Leg {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|known| known.as_str() == text).ok_or_else(|| {
            UnknownWord::new(text, "voucher, other_voucher, card, customer, suspense, bank, commission, vat")
        })
    }
}

/// The payment that a line comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// The provider.
    pub psp: Psp,
    /// The order, where the payment names one.
    pub order_ref: Option<OrderRef>,
    /// The payment.
    pub call_number: CallNumber,
    /// The contract that settles the part; none on a customer's line.
    pub contract: Option<Contract>,
}

impl Line {
    /// The debit, in cents; zero for a credit.
    #[must_use]
    pub fn debit(&self) -> Cents {
        self.amount.max(Cents::ZERO)
    }

    /// The credit, in cents; zero for a debit.
    #[must_use]
    pub fn credit(&self) -> Cents {
        Cents::ZERO.minus(self.amount).max(Cents::ZERO)
    }
}

impl JournalEntry {
    /// Whether debits and credits are equal.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.lines.iter().map(|line| line.amount).sum::<Cents>() == Cents::ZERO
    }
}
