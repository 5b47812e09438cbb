//! What an order's messages say was accepted and refunded, by plain counting: each accepted tender once.
//!
//! This is on purpose not `reconcile`, and much less clever. Where the messages contradict each other, or do not
//! state a part's own amount, plain counting cannot decide; then it says between which bounds the answer must lie.

use std::collections::{BTreeMap, BTreeSet};

use cvco_domain::{Cents, Currency, Event, Instrument, Operation, Psp, ReportedState, Source, Timestamp};

/// One statement about one tender, as far as counting needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) psp: Psp,
    pub(crate) call_number: String,
    /// What tells the tender, or the refund, from every other of the order.
    pub(crate) tender: String,
    pub(crate) instrument: Instrument,
    pub(crate) brand: String,
    pub(crate) refund: bool,
    pub(crate) standing: Standing,
    /// A capture, by a PSP that tells captures.
    pub(crate) captured: bool,
    pub(crate) amount: Cents,
    /// Whether `amount` is the tender's own.
    pub(crate) own: bool,
    pub(crate) running_total: Option<Cents>,
    pub(crate) order_total: Option<Cents>,
    pub(crate) currency: Currency,
    pub(crate) source: Source,
    pub(crate) received_at: Timestamp,
}

/// What a statement says of the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    Undecided,
    Failed,
    Accepted,
    /// Cancelled or lapsed: whatever was accepted before counts no longer.
    Withdrawn,
}

/// What is counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pot {
    Voucher,
    Card,
    Refund,
}

impl Pot {
    pub(crate) const fn of(instrument: Instrument) -> Self {
        match instrument {
            Instrument::Voucher => Self::Voucher,
            Instrument::Card => Self::Card,
        }
    }
}

/// The least and the most that it can be; the same where counting decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Bounds {
    pub(crate) least: Cents,
    pub(crate) most: Cents,
}

impl Bounds {
    const fn up_to(most: Cents) -> Self {
        Self { least: Cents::ZERO, most }
    }

    fn plus(self, other: Self) -> Self {
        Self { least: self.least.plus(other.least), most: self.most.plus(other.most) }
    }

    pub(crate) fn hold(self, cents: Cents) -> bool {
        (self.least..=self.most).contains(&cents)
    }

    pub(crate) fn decide(self) -> bool {
        self.least == self.most
    }
}

/// Refunds are counted as records add them up: whatever their currency.
pub(crate) const REFUNDS: (Currency, Pot) = (Currency::EUR, Pot::Refund);

/// Cents by currency and pot.
pub(crate) type Sums<T> = BTreeMap<(Currency, Pot), T>;

impl Told {
    pub(crate) fn new(psp: Psp, source: Source, event: &Event, received_at: Timestamp) -> Self {
        let refund = event.operation != Operation::Debit;
        let call = event.call_number.as_str();
        let means = format!("{} {}", event.instrument, event.brand);
        let tender = match &event.tender_id {
            Some(id) if psp.terms().transaction_names_tender => format!("{psp} {id}"),
            Some(id) if refund => format!("{psp} {id} {means}"),
            Some(id) => format!("{psp} {call} {id} {means}"),
            // Only its figures tell such a refund from another.
            None if refund => format!("{psp} {call} {means} {}", event.amount),
            None => format!("{psp} {call} {means}"),
        };
        let standing = match event.state {
            ReportedState::Pending => Standing::Undecided,
            ReportedState::Abandoned | ReportedState::Refused => Standing::Failed,
            ReportedState::Authorised | ReportedState::Captured => Standing::Accepted,
            ReportedState::Expired | ReportedState::Cancelled => Standing::Withdrawn,
        };
        Self {
            psp,
            call_number: call.to_owned(),
            tender,
            instrument: event.instrument,
            brand: event.brand.to_string(),
            refund,
            standing,
            captured: event.state == ReportedState::Captured && psp.terms().tells_of_captures,
            amount: event.amount,
            own: event.amount_from.is_part(),
            running_total: event.running_total,
            order_total: event.order_total,
            currency: event.currency,
            source,
            received_at,
        }
    }

    /// Where its cents are counted.
    fn pot(&self) -> (Currency, Pot) {
        if self.refund { REFUNDS } else { (self.currency, Pot::of(self.instrument)) }
    }

    fn is_accepted(&self) -> bool {
        self.standing == Standing::Accepted
    }
}

/// Counts what an order's statements come to.
pub(crate) fn count(told: &[Told]) -> Sums<Bounds> {
    let mut tenders: BTreeMap<(bool, &str), Vec<&Told>> = BTreeMap::new();
    for one in told {
        tenders.entry((one.refund, &one.tender)).or_default().push(one);
    }
    let ceilings = Ceilings::of(told, tenders.values());
    let tenders: Vec<Vec<&Told>> = tenders.into_values().collect();
    let mut sums = Sums::new();
    for about in &tenders {
        for (key, bounds) in bounds_of(about, &tenders, &ceilings) {
            let sum = sums.entry(key).or_insert_with(Bounds::default);
            *sum = sum.plus(bounds);
        }
    }
    sums
}

/// What one tender comes to.
fn bounds_of(about: &[&Told], tenders: &[Vec<&Told>], ceilings: &Ceilings) -> Sums<Bounds> {
    let accepted: Vec<&Told> = about.iter().copied().filter(|one| one.is_accepted()).collect();
    let withdrawn = about.iter().any(|one| one.standing == Standing::Withdrawn);
    let pots: BTreeSet<(Currency, Pot)> = accepted.iter().map(|one| one.pot()).collect();
    // What was captured of a card cannot be cancelled: one of the two messages is wrong.
    let contradictory =
        withdrawn && accepted.iter().any(|one| one.captured && one.instrument == Instrument::Card);
    let Some(first) = accepted.first().filter(|_| !withdrawn || contradictory) else { return Sums::new() };
    let own: BTreeSet<Cents> = accepted.iter().filter(|one| one.own).map(|one| one.amount).collect();
    let any: BTreeSet<Cents> = accepted.iter().map(|one| one.amount).collect();
    let said = if own.is_empty() && first.refund { &any } else { &own };
    let ceiling = ceilings.of_psp(first.psp);
    let mut bounds = match (said.first(), said.last()) {
        (Some(least), Some(most)) => Bounds { least: *least, most: *most },
        _ => Bounds::up_to(ceiling),
    };
    if first.refund && grows(&accepted) {
        bounds = Bounds::up_to(any.into_iter().sum::<Cents>().plus(ceiling));
    }
    if may_be_the_whole(first, &accepted, tenders) || is_one_of_several_operations(first, tenders) {
        bounds = Bounds::up_to(ceiling.max(bounds.most));
    }
    // Accepted by one message and refused by another, or told of two instruments.
    if contradictory || about.iter().any(|one| one.standing == Standing::Failed) || pots.len() > 1 {
        bounds.least = Cents::ZERO;
    }
    pots.into_iter().map(|pot| (pot, bounds)).collect()
}

/// Several refunds under one transaction: only what was given back so far tells them apart.
fn grows(accepted: &[&Told]) -> bool {
    let totals: BTreeSet<Cents> = accepted.iter().filter_map(|one| one.running_total).collect();
    totals.len() > 1
}

/// A voucher beside a card whose amount is that of the whole order, where the PSP is known to write that.
fn may_be_the_whole(first: &Told, accepted: &[&Told], tenders: &[Vec<&Told>]) -> bool {
    let all = || tenders.iter().flatten().filter(|other| other.psp == first.psp);
    let others = || all().filter(|other| !other.refund);
    first.psp.terms().numbers_operations
        && !first.refund
        && first.instrument == Instrument::Voucher
        && accepted.iter().all(|one| one.source == Source::Notification || !one.own)
        && others().any(|other| other.instrument == Instrument::Card && other.is_accepted())
        && accepted.iter().any(|one| all().any(|other| other.order_total == Some(one.amount)))
}

/// Where the PSP tells a capture or a cancellation under a transaction of its own, two transactions of one
/// instrument may be one tender.
fn is_one_of_several_operations(first: &Told, tenders: &[Vec<&Told>]) -> bool {
    let alike = |other: &&Told| {
        (other.psp, other.refund, other.instrument) == (first.psp, first.refund, first.instrument)
            && (&other.call_number, &other.brand) == (&first.call_number, &first.brand)
    };
    let counted = |about: &&Vec<&Told>| about.iter().any(alike);
    first.psp.terms().numbers_operations && !first.refund && tenders.iter().filter(counted).count() > 1
}

/// Nothing that was worked out can be more than what was paid so far, the order, or all that was told together.
struct Ceilings(BTreeMap<Psp, Cents>);

impl Ceilings {
    fn of<'a>(told: &[Told], tenders: impl Iterator<Item = &'a Vec<&'a Told>>) -> Self {
        let mut ceilings: BTreeMap<Psp, Cents> = BTreeMap::new();
        for about in tenders {
            if let (Some(one), Some(most)) = (about.first(), about.iter().map(|one| one.amount).max()) {
                let sum = ceilings.entry(one.psp).or_default();
                *sum = sum.plus(most);
            }
        }
        for one in told {
            let totals = [one.running_total, one.order_total].into_iter().flatten().max();
            let ceiling = ceilings.entry(one.psp).or_default();
            *ceiling = totals.map_or(*ceiling, |total| total.max(*ceiling));
        }
        Self(ceilings)
    }

    fn of_psp(&self, psp: Psp) -> Cents {
        self.0.get(&psp).copied().unwrap_or_default()
    }
}

mod tests;
