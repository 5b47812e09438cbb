//! From facts to payment attempts: which facts speak of the same tender, and which tenders belong together.

use std::collections::BTreeMap;

use cvco_domain::{
    AmountFrom, Brand, CallNumber, Cents, EndpointId, Event, Instrument, Mode, OddStatus, Operation, Psp,
    Tender, TenderId, Timestamp,
};

use super::Fact;
use super::disputes::Dispute;
use super::payouts::PartPaid;
use super::refunds::Return;
use super::weighing::weigh;

/// One payment attempt: the tenders of one PSP under one call number, and what was said beside them.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) psp: Psp,
    pub(super) call_number: CallNumber,
    pub(super) tenders: Vec<Evidence>,
    /// The order's total as the PSP states it, from a message that lists the parts.
    pub(super) itemised_total: Option<Cents>,
    /// The order's total as the PSP states it, from any message.
    pub(super) stated_total: Option<Cents>,
    pub(super) parts_announced: Option<u8>,
    /// Nobody stated each part's own amount, and what was stated leaves room for doubt.
    pub(super) parts_in_doubt: bool,
    /// What the messages prove about the platform they come from.
    pub(super) proven_mode: Option<Mode>,
    /// The world in which the receiving endpoint is meant to live.
    pub(super) endpoint_mode: Mode,
    pub(super) endpoint: EndpointId,
}

/// A tender, with what the other steps want to know about the facts behind it.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is known of it by itself")]
pub(super) struct Evidence {
    pub(super) tender: Tender,
    /// Who told it.
    pub(super) psp: Psp,
    /// The call number under which it was told; the record's may be another one.
    pub(super) call_number: CallNumber,
    /// Earlier operations of the same tender, under transactions of their own.
    pub(super) earlier_operations: Vec<TenderId>,
    /// How well its amount is known.
    pub(super) basis: Basis,
    /// What was paid of the order so far, as the facts that accept it state.
    pub(super) running: Option<Running>,
    /// When the daemon first heard that it was accepted.
    pub(super) accepted_seen_at: Option<Timestamp>,
    /// Accepted or undecided at some time: the PSP counts it as a part of its total.
    pub(super) was_counted: bool,
    /// Notifications alone speak of it: the PSP's API said nothing.
    pub(super) only_notified: bool,
    /// Another story about the same transaction.
    pub(super) dispute: Option<Dispute>,
    /// The PSP states that there is no authorisation number.
    pub(super) authorisation_absent: bool,
    /// A status that calls for a person, or that the tables do not have.
    pub(super) odd_status: Option<OddStatus>,
    /// By how much the merchant lowered its amount since the PSP's messages told it first.
    pub(super) lowered_by: Cents,
    /// The customer began it, and nothing more was heard of it.
    pub(super) is_unfinished: bool,
    /// It is to be decided on a day that was agreed on.
    pub(super) is_planned: bool,
    /// When the daemon heard that the amount was lowered.
    pub(super) lowered_seen_at: Option<Timestamp>,
    /// What was authorised with it, and neither captured nor cancelled.
    pub(super) uncaptured: Cents,
    /// The refunds of it, whatever became of them.
    pub(super) returns: Vec<Return>,
    /// When it was cancelled or lapsed: the PSP's time where it states one, else the time of receipt.
    pub(super) withdrawn_at: Option<Timestamp>,
    /// When the daemon first heard of that.
    pub(super) withdrawn_seen_at: Option<Timestamp>,
    /// The lines of statements that pay it out.
    pub(super) payouts: Vec<PartPaid>,
}

/// How well the amount of a tender is known, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Basis {
    /// The PSP's API states it.
    Confirmed,
    /// A message states it, or what it could be worked out from.
    Told(AmountFrom),
}

impl Basis {
    /// Whether the amount is the part's own.
    pub(super) const fn is_own(self) -> bool {
        matches!(self, Self::Confirmed | Self::Told(AmountFrom::Part))
    }
}

/// The least and the most that was said to be paid of the order so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) least: Cents,
    pub(super) most: Cents,
}

impl Running {
    pub(super) fn of(totals: impl Iterator<Item = Cents>) -> Option<Self> {
        totals
            .filter(|total| total.is_positive())
            .fold(None, |so_far, total| Some(Self { least: total, most: total }.with(so_far)))
    }

    pub(super) fn with(self, other: Option<Self>) -> Self {
        let Some(other) = other else { return self };
        Self { least: self.least.min(other.least), most: self.most.max(other.most) }
    }
}

impl Attempt {
    /// The order's total as the PSP states it, less what the merchant took off its parts since.
    pub(super) fn total(&self) -> Option<Cents> {
        let lowered: Cents = self.accepted().map(|evidence| evidence.lowered_by).sum();
        self.itemised_total.or(self.stated_total).map(|total| total.minus(lowered))
    }

    /// Real money, or a trial.
    pub(super) fn mode(&self) -> Mode {
        self.proven_mode.unwrap_or(self.endpoint_mode)
    }

    /// Its tenders that were accepted.
    pub(super) fn accepted(&self) -> impl Iterator<Item = &Evidence> {
        self.tenders.iter().filter(|evidence| evidence.tender.state.is_accepted())
    }

    /// Puts its tenders in the order of a record.
    pub(super) fn sort(&mut self) {
        self.tenders.sort_by(|a, b| a.position().cmp(&b.position()));
    }
}

impl Evidence {
    /// Where it stands in its record.
    pub(super) fn position(&self) -> impl Ord + '_ {
        let tender = &self.tender;
        (tender.instrument, &tender.id, &tender.brand, self.psp, &self.call_number)
    }
}

/// Groups the facts of one order into payment attempts and their tenders, in a fixed order.
pub(super) fn of(facts: &[Fact]) -> Vec<Attempt> {
    let mut attempts: BTreeMap<(Psp, &CallNumber), Vec<&Fact>> = BTreeMap::new();
    for fact in facts {
        attempts.entry((fact.psp, &fact.event.call_number)).or_default().push(fact);
    }
    attempts.into_iter().filter_map(|((psp, call), facts)| attempt(psp, call, &facts)).collect()
}

fn attempt(psp: Psp, call_number: &CallNumber, facts: &[&Fact]) -> Option<Attempt> {
    let mut groups: BTreeMap<_, Vec<&Fact>> = BTreeMap::new();
    for fact in facts.iter().copied().filter(|fact| fact.event.operation == Operation::Debit) {
        groups.entry(identity(psp, &fact.event)).or_default().push(fact);
    }
    let voucher_first =
        facts.iter().min_by_key(|fact| (fact.event.instrument, &fact.endpoint, fact.endpoint_mode))?;
    let totals = |itemised_only: bool| {
        facts
            .iter()
            .filter(|fact| fact.event.itemised || !itemised_only)
            .filter_map(|fact| fact.event.order_total)
            .max()
    };
    let mut attempt = Attempt {
        psp,
        call_number: call_number.clone(),
        tenders: groups.values().filter_map(|facts| weigh(facts)).collect(),
        itemised_total: totals(true),
        stated_total: totals(false),
        parts_announced: facts.iter().filter_map(|fact| fact.event.parts_announced).max(),
        parts_in_doubt: false,
        // A proof of a trial outweighs: real money never carries one.
        proven_mode: facts.iter().filter_map(|fact| fact.event.mode).max(),
        endpoint_mode: voucher_first.endpoint_mode,
        endpoint: voucher_first.endpoint.clone(),
    };
    attempt.sort();
    Some(attempt)
}

/// What tells two tenders of one attempt apart.
pub(super) fn identity(psp: Psp, event: &Event) -> (Option<&TenderId>, Option<(Instrument, &Brand)>) {
    match &event.tender_id {
        Some(id) if psp.terms().transaction_names_tender => (Some(id), None),
        id => (id.as_ref(), Some((event.instrument, &event.brand))),
    }
}
