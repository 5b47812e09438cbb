//! What an alert is about, in domain types.

use cvco_domain::{
    CallNumber, Cents, Currency, EndpointId, Kind, News, OrderRef, Psp, Record, Severity, Timestamp,
};

use super::catalogue::Language;

/// One e-mail to be, about the discrepancies of one shop.
#[derive(Debug, Clone)]
pub struct Letter {
    /// The language of its readers.
    pub language: Language,
    /// The shop's name, as its merchant calls it.
    pub shop_name: String,
    /// The host of the daemon, for the footer.
    pub host: String,
    /// What it tells, in any order; one item or more.
    pub items: Vec<Item>,
}

/// One discrepancy.
#[derive(Debug, Clone)]
pub struct Item {
    /// Whether it came, stayed or went.
    pub news: News,
    /// Its number in the ledger.
    pub id: i64,
    /// The rule.
    pub kind: Kind,
    /// How fast a person should look.
    pub severity: Severity,
    /// The provider, unless it concerns the order as a whole.
    pub psp: Option<Psp>,
    /// The endpoint, where one is concerned.
    pub endpoint: Option<EndpointId>,
    /// The order, where one is concerned.
    pub order_ref: Option<OrderRef>,
    /// The payment attempt, where one is concerned.
    pub call_number: Option<CallNumber>,
    /// The currency of the two amounts.
    pub currency: Currency,
    /// What was expected, where the rule compares amounts.
    pub expected: Option<Cents>,
    /// What was found.
    pub actual: Option<Cents>,
    /// The particulars, in a short line without prose.
    pub detail: String,
    /// Since when the facts break the rule.
    pub opened_at: Timestamp,
    /// Since when they no longer do.
    pub closed_at: Option<Timestamp>,
    /// What a person last noted on it.
    pub last_note: Option<String>,
    /// The record concerned, with its tenders as they are now.
    pub record: Option<Record>,
}

impl Item {
    /// Found minus expected, where both are known.
    #[must_use]
    pub fn gap(&self) -> Option<Cents> {
        Some(self.actual?.minus(self.expected?))
    }

    /// The amount in question: the size of the gap, else the one amount that is known.
    #[must_use]
    pub fn at_stake(&self) -> Option<Cents> {
        self.gap().map(Cents::abs).or(self.actual).or(self.expected)
    }
}
