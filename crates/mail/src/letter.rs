//! What an alert is about, in domain types.

use std::collections::BTreeSet;

use cvco_domain::{
    Brand, CallNumber, Cents, Currency, Detail, Due, EndpointId, Instrument, Kind, Mode, News, OrderNow,
    OrderRef, Psp, Record, Reminder, Severity, Timestamp, VoucherKind,
};

use super::catalogue::{GapName, Language};

/// One e-mail to be, about the discrepancies of one shop.
#[derive(Debug, Clone)]
pub struct Letter {
    /// The language of its readers.
    pub language: Language,
    /// The shop's name, as its merchant calls it.
    pub shop_name: String,
    /// The host of the daemon, for the footer.
    pub host: String,
    /// Where people open the dashboard, if it is said.
    pub dashboard: Option<String>,
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
    /// What was expected when it opened.
    pub opened_expected: Option<Cents>,
    /// What was found when it opened.
    pub opened_actual: Option<Cents>,
    /// The particulars.
    pub detail: Detail,
    /// What failed last, where the detail is about something that is tried again and again; in technical words.
    pub last_error: Option<String>,
    /// Real payments or trials.
    pub mode: Mode,
    /// Since when the facts break the rule.
    pub opened_at: Timestamp,
    /// Since when they no longer do.
    pub closed_at: Option<Timestamp>,
    /// Why people are reminded of it.
    pub reminded_for: Option<Reminder>,
    /// How its order stands now; `None` if it is about none.
    pub order: Option<OrderNow>,
    /// What a person last noted on it.
    pub last_note: Option<String>,
    /// The record concerned, with its tenders as they are now; where the payments of an order are judged together, all of
    /// them, the earliest first.
    pub records: Vec<Record>,
}

impl Letter {
    /// Where a discrepancy is shown.
    pub(super) fn link(&self, item: &Item) -> Option<String> {
        self.dashboard.as_ref().map(|dashboard| format!("{dashboard}/discrepancies/{}", item.id))
    }
}

impl Item {
    /// Found minus expected, where both are known. Of a changed total: what is still to be given back, or (below zero) to be
    /// collected.
    #[must_use]
    pub fn gap(&self) -> Option<Cents> {
        let (expected, actual) = (self.expected?, self.actual?);
        if self.kind == Kind::TotalChanged && !self.records.is_empty() {
            let paid: Cents = self.records.iter().map(Record::paid).sum();
            let refunded: Cents = self.records.iter().map(Record::refunded).sum();
            let surplus = paid.minus(refunded).minus(actual);
            return Some(if surplus.is_positive() { surplus } else { paid.minus(actual).min(Cents::ZERO) });
        }
        Some(actual.minus(expected))
    }

    /// The gap by its name; `None` where it is nothing.
    #[must_use]
    pub fn own_gap(&self) -> Option<(GapName, Cents)> {
        let gap = self.gap().filter(|gap| *gap != Cents::ZERO && !self.is_share(*gap))?;
        Some((GapName::of(self.kind, gap), gap))
    }

    /// The two figures: both where either is more than nothing, for one of nothing says what is wrong with the other.
    #[must_use]
    pub fn figures(&self) -> [Option<Cents>; 2] {
        let figures = [self.expected, self.actual];
        let tells = figures.into_iter().flatten().any(|cents| cents != Cents::ZERO);
        if tells { figures } else { [None, None] }
    }

    /// What was due of its order so far, date by date, where that is what was expected; nothing where no date was set.
    pub(super) fn due_so_far(&self) -> Vec<Due> {
        let is_short = self.kind == Kind::AmountShort;
        let Some(order) = self.order.as_ref().filter(|_| is_short) else { return Vec::new() };
        let dues = order.due_so_far();
        let is_expected = Some(dues.iter().map(|due| due.cents).sum()) == self.expected;
        if is_expected && dues.iter().any(|due| due.at.is_some()) { dues } else { Vec::new() }
    }

    /// What its order lacks (below zero) or has too much, less what was given back of it; of an order that was never
    /// registered, by what its provider announced.
    #[must_use]
    pub fn order_gap(&self) -> Option<Cents> {
        let order = self.order.as_ref()?;
        if order.total.is_some() {
            return order.gap;
        }
        let gap = |record: &Record| {
            let over = record.gap()?;
            let is_over = over.is_positive();
            Some(if is_over { over.minus(record.refunded()).max(Cents::ZERO) } else { over })
        };
        let accepted = self.records.iter().filter(|record| record.paid().is_positive());
        let gaps: Vec<Cents> = accepted.filter_map(gap).collect();
        (!gaps.is_empty()).then(|| gaps.into_iter().sum())
    }

    /// Whether less was given back than may be given back as a whole: what is wrong is the share that was, and not the rest.
    fn is_share(&self, gap: Cents) -> bool {
        self.kind == Kind::RefundNotAllowed && !gap.is_positive()
    }

    /// The amount in question: the size of the gap, else the one amount that is known. Nothing is not in question. Once it is
    /// resolved, the amount of its opening: people know it by that.
    #[must_use]
    pub fn at_stake(&self) -> Option<Cents> {
        let (gap, actual, expected) = match self.news {
            News::Closed => {
                let (actual, expected) = (self.opened_actual, self.opened_expected);
                (actual.zip(expected).map(|(actual, expected)| actual.minus(expected)), actual, expected)
            }
            News::Opened | News::Reminded | News::Escalated => (self.gap(), self.actual, self.expected),
        };
        let gap = gap.filter(|gap| !self.is_share(*gap));
        let amount = gap.map(Cents::abs).or(actual).or(expected);
        amount.filter(|amount| *amount != Cents::ZERO)
    }

    /// The kind of the vouchers that it is about, where they are all of one; else ANCV's. It is about the parts that its
    /// particulars name, else about the payment that it names, else about all payments of the order.
    #[must_use]
    pub fn voucher_kind(&self) -> VoucherKind {
        let named = self.detail.parts();
        let is_named = |record: &&Record| self.call_number.as_ref() == Some(&record.call_number);
        let kinds = [
            voucher_kinds(named.iter().map(|part| (part.instrument, &part.brand))),
            voucher_kinds(self.records.iter().filter(is_named).flat_map(means)),
            voucher_kinds(self.records.iter().flat_map(means)),
        ];
        let kinds = kinds.into_iter().find(|kinds| !kinds.is_empty()).unwrap_or_default();
        kinds.first().copied().filter(|_| kinds.len() == 1).unwrap_or(VoucherKind::Holiday)
    }

    /// A trial that is where it should be: no real money is concerned.
    #[must_use]
    pub fn is_trial(&self) -> bool {
        self.mode == Mode::Test && !matches!(self.kind, Kind::TestInProduction | Kind::ProductionInTest)
    }

    /// The providers of the payments concerned, each once.
    #[must_use]
    pub fn psps(&self) -> Vec<Psp> {
        let mut psps: Vec<Psp> = match self.psp {
            Some(psp) => vec![psp],
            None => self.records.iter().map(|record| record.psp).collect(),
        };
        psps.sort_unstable();
        psps.dedup();
        psps
    }
}

/// What a payment was made with, part by part.
fn means(record: &Record) -> impl Iterator<Item = (Instrument, &Brand)> {
    record.tenders.iter().map(|tender| (tender.instrument, &tender.brand))
}

fn voucher_kinds<'p>(parts: impl Iterator<Item = (Instrument, &'p Brand)>) -> BTreeSet<VoucherKind> {
    let vouchers = parts.filter(|(instrument, _)| *instrument == Instrument::Voucher);
    vouchers.map(|(_, brand)| VoucherKind::of(brand)).collect()
}
