//! From facts to tenders: which facts speak of the same tender, and what they amount to together.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    Brand, CallNumber, Cents, EndpointId, Event, Instrument, Mode, Operation, Psp, ReportedState,
    StatusReading, Tender, TenderId, TenderState, Timestamp,
};

use super::Fact;

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
    /// What the messages prove about the platform they come from.
    pub(super) proven_mode: Option<Mode>,
    /// The world in which the receiving endpoint is meant to live.
    pub(super) endpoint_mode: Mode,
    pub(super) endpoint: EndpointId,
}

/// A tender, with what the rules want to know about the facts behind it.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    pub(super) tender: Tender,
    /// When the daemon first heard that it was accepted.
    pub(super) accepted_seen_at: Option<Timestamp>,
    /// Accepted or undecided at some time: the PSP counts it as a part of its total.
    pub(super) was_counted: bool,
    /// An amount that another genuine notification of the same transaction states.
    pub(super) other_amount: Option<Cents>,
    /// The status codes of a transaction that is accepted in one notification and failed in another.
    pub(super) other_outcome: Option<String>,
    /// The PSP states that there is no authorisation number.
    pub(super) authorisation_absent: bool,
    /// A status that calls for a person, or that the tables do not have.
    pub(super) odd_status: Option<String>,
}

pub(super) const fn is_accepting(state: ReportedState) -> bool {
    match state {
        ReportedState::Authorised | ReportedState::Captured => true,
        ReportedState::Pending
        | ReportedState::Abandoned
        | ReportedState::Refused
        | ReportedState::Expired
        | ReportedState::Cancelled => false,
    }
}

const fn is_failing(state: ReportedState) -> bool {
    matches!(state, ReportedState::Abandoned | ReportedState::Refused)
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
    let mut tenders: Vec<Evidence> = groups.values().filter_map(|facts| weigh(facts)).collect();
    tenders.sort_by(|a, b| position(&a.tender).cmp(&position(&b.tender)));

    let voucher_first =
        facts.iter().min_by_key(|fact| (fact.event.instrument, &fact.endpoint, fact.endpoint_mode))?;
    let totals = |itemised_only: bool| {
        facts
            .iter()
            .filter(|fact| fact.event.itemised || !itemised_only)
            .filter_map(|fact| fact.event.order_total)
            .max()
    };
    Some(Attempt {
        psp,
        call_number: call_number.clone(),
        tenders,
        itemised_total: totals(true),
        stated_total: totals(false),
        parts_announced: facts.iter().filter_map(|fact| fact.event.parts_announced).max(),
        // A proof of a trial outweighs: real money never carries one.
        proven_mode: facts.iter().filter_map(|fact| fact.event.mode).max(),
        endpoint_mode: voucher_first.endpoint_mode,
        endpoint: voucher_first.endpoint.clone(),
    })
}

/// Where a tender stands in its record.
pub(super) fn position(tender: &Tender) -> (Instrument, &Option<TenderId>, &Brand) {
    (tender.instrument, &tender.id, &tender.brand)
}

/// What tells two tenders of one attempt apart.
pub(super) fn identity(psp: Psp, event: &Event) -> (Option<&TenderId>, Option<(Instrument, &Brand)>) {
    match &event.tender_id {
        Some(id) if psp.transaction_names_tender() => (Some(id), None),
        id => (id.as_ref(), Some((event.instrument, &event.brand))),
    }
}

/// Of several facts about one transaction the one that is believed: the earliest by the PSP's own clock, then
/// the smaller amount. A choice that never claims money which is in dispute; what follows the amount makes it
/// independent of the order of arrival.
pub(super) fn leading<'a>(facts: &[&'a Fact]) -> Option<&'a Fact> {
    facts.iter().copied().min_by_key(|fact| {
        let event = &fact.event;
        (
            (event.occurred_at.is_none(), event.occurred_at, event.amount),
            (event.instrument, &event.brand, event.currency, &event.call_number, &fact.endpoint),
        )
    })
}

/// What all facts about one tender amount to. The furthest state wins (`ReportedState` is ordered so), and the
/// [`leading`] one of the facts that accept it decides the amount.
fn weigh(facts: &[&Fact]) -> Option<Evidence> {
    let furthest = facts.iter().map(|fact| fact.event.state).max()?;
    let accepting: Vec<&Fact> = facts.iter().copied().filter(|fact| is_accepting(fact.event.state)).collect();
    let deciding = if accepting.is_empty() { facts } else { accepting.as_slice() };
    let event = &leading(deciding)?.event;

    let amounts: BTreeSet<Cents> = facts.iter().map(|fact| fact.event.amount).collect();
    let first_time = |wanted: &dyn Fn(ReportedState) -> bool| {
        let told = || facts.iter().filter(|fact| wanted(fact.event.state));
        told()
            .filter_map(|fact| fact.event.occurred_at)
            .min()
            .or_else(|| told().map(|fact| fact.received_at).min())
    };
    let odd_status = facts
        .iter()
        .filter(|fact| fact.event.state == furthest && fact.event.status.reading != StatusReading::Known)
        .map(|fact| fact.event.status.code.as_str())
        .min();
    let has_id = event.tender_id.is_some();

    Some(Evidence {
        tender: Tender {
            id: event.tender_id.clone(),
            instrument: event.instrument,
            brand: event.brand.clone(),
            state: state_of(furthest),
            amount: event.amount,
            currency: event.currency,
            refunded: Cents::ZERO,
            authorisation: deciding
                .iter()
                .filter_map(|fact| fact.event.authorisation.number())
                .min()
                .cloned(),
            contract: facts.iter().filter_map(|fact| fact.event.contract.as_ref()).min().cloned(),
            endpoint: facts.iter().map(|fact| &fact.endpoint).min()?.clone(),
            complement: facts.iter().any(|fact| fact.event.complement),
            first_seen_at: facts.iter().map(|fact| fact.received_at).min()?,
            authorised_at: first_time(&is_accepting),
            captured_at: first_time(&|state| state == ReportedState::Captured),
            refunded_at: None,
        },
        accepted_seen_at: accepting.iter().map(|fact| fact.received_at).min(),
        was_counted: facts
            .iter()
            .any(|fact| is_accepting(fact.event.state) || fact.event.state == ReportedState::Pending),
        other_amount: amounts.into_iter().find(|amount| has_id && *amount != event.amount),
        other_outcome: contradiction(facts).filter(|_| has_id),
        authorisation_absent: deciding
            .iter()
            .any(|fact| fact.event.authorisation == crate::domain::Authorisation::Absent),
        odd_status: odd_status.map(str::to_owned),
    })
}

/// The codes of an acceptance and a failure of one transaction, if both were notified.
fn contradiction(facts: &[&Fact]) -> Option<String> {
    let codes = |wanted: fn(ReportedState) -> bool| {
        facts
            .iter()
            .filter(move |fact| wanted(fact.event.state))
            .map(|fact| fact.event.status.code.as_str())
            .collect::<BTreeSet<_>>()
    };
    let (accepting, failing) = (codes(is_accepting), codes(is_failing));
    let all: Vec<_> = accepting.iter().chain(&failing).copied().collect();
    (!accepting.is_empty() && !failing.is_empty()).then(|| all.join(" ≠ "))
}

const fn state_of(furthest: ReportedState) -> TenderState {
    match furthest {
        ReportedState::Pending => TenderState::Pending,
        ReportedState::Abandoned => TenderState::Abandoned,
        ReportedState::Refused => TenderState::Refused,
        ReportedState::Authorised => TenderState::Authorised,
        ReportedState::Captured => TenderState::Captured,
        ReportedState::Expired => TenderState::Expired,
        ReportedState::Cancelled => TenderState::Cancelled,
    }
}
