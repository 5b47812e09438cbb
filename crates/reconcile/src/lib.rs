//! Reconciliation: a pure function over one order.
//!
//! [`assess`] takes every fact known about an order and says what its records are, which rules they break, and
//! when to look again because time alone may change the answer. There is no clock, no SQL and no I/O here, and
//! the answer depends on the *set* of facts: neither on their order of arrival nor on repetitions. It may know the
//! domain alone. Beside it stand the rule about endpoints that fell silent ([`silent_from`]), which is about no order, and
//! the one about a payment that several orders claim ([`owner`]), which says whose facts these are.
//!
//! ```text
//! facts ─calls──tenders──▶ attempts ─operations──parts──joins──refunds──books──payouts──▶ attempts ─whole──records──▶ records ─rules──▶ findings
//! ```
//!
//! | step | what it settles | why there |
//! |---|---|---|
//! | [`calls`] | one call number for each transaction | else one tender would be found in two attempts |
//! | [`tenders`], [`weighing`], [`disputes`] | what all facts about one transaction come to | |
//! | [`operations`] | an authorisation and its capture are one tender | else its money would be shared out twice |
//! | [`parts`] | each part's own amount | a PSP counts what was paid so far within one payment, so before payments are joined |
//! | [`joins`] | a card payment completes a voucher payment | only known amounts say which voucher payment is short |
//! | [`refunds`] | which tender was given back | a refund must find its tender wherever it went |
//! | [`books`] | what of a tender is for the books, and when | refunds are known now |
//! | [`payouts`] | which tender a line of a statement pays out | it must be of what was received |
//! | [`whole`] | what the payments come to together, and what each is held against | all parts of a payment are in it now |
//! | [`records`], [`rules`] | states and discrepancies | |

mod books;
mod calls;
mod chargebacks;
mod claims;
mod disputes;
mod joins;
mod operations;
mod parts;
mod payouts;
mod records;
mod refunds;
mod rules;
mod silence;
mod tenders;
mod weighing;
mod whole;

#[cfg(test)]
mod tests;

pub use claims::{Claim, owner, payment_of};
pub use silence::{Heard, hour_of, silent_from};

use std::time::Duration;

use cvco_domain::{
    Cents, Currency, Detail, EndpointId, Event, Finding, Instrument, Kind, Mode, Operation, Order, Policy,
    Psp, Record, RecordState, ReportedState, Source, Timestamp,
};

use whole::Whole;

/// An event, with where and when the daemon learned of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What the notification states.
    pub event: Event,
    /// The provider that states it.
    pub psp: Psp,
    /// How the daemon learned of it.
    pub source: Source,
    /// The endpoint that received it.
    pub endpoint: EndpointId,
    /// The world in which that endpoint is meant to live.
    pub endpoint_mode: Mode,
    /// When it was received.
    pub received_at: Timestamp,
}

/// How far the PSP's clock may run ahead of ours: by a wrong time zone, or a clock that was never set. What is planned lies
/// a day ahead or more.
const AHEAD: Duration = Duration::from_hours(12);

impl Fact {
    /// When its state came about by the PSP's clock, if the PSP states it: what lies ahead is a plan, and no fact.
    fn occurred_at(&self) -> Option<Timestamp> {
        self.event.occurred_at.filter(|at| *at <= self.received_at.after(AHEAD))
    }

    /// When the PSP says that the tender was accepted.
    fn accepted_at(&self) -> Option<Timestamp> {
        let told = self.event.accepted_at.filter(|at| *at <= self.received_at.after(AHEAD));
        told.or_else(|| self.occurred_at().filter(|_| self.event.state == ReportedState::Authorised))
    }
}

/// What the facts about one order amount to at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assessment {
    /// Its records, by PSP and call number.
    pub records: Vec<Record>,
    /// Where the order stands as a whole; `None` as long as nothing was paid or tried.
    pub order_state: Option<RecordState>,
    /// Paid minus expected, in cents, of an order that the shop registered.
    pub gap: Option<Cents>,
    /// The rules that it breaks.
    pub findings: Vec<Finding>,
    /// When time alone may change this assessment; `None` if only a new fact can.
    pub look_again_at: Option<Timestamp>,
}

/// Assesses one order from all that is known about it.
#[must_use]
pub fn assess(order: &Order, facts: &[Fact], policy: &Policy, now: Timestamp) -> Assessment {
    let facts = calls::united(facts);
    if is_card_sale(order, &facts) {
        return Assessment::default();
    }
    let mut attempts = tenders::of(&facts);
    operations::merge_operations(&mut attempts);
    parts::resolve_amounts(&mut attempts);
    let without_total = Order { versions: Vec::new(), ..order.clone() };
    let is_in_other_euros = is_paid_in_other_euros(order, &facts);
    let measure = if is_in_other_euros { &without_total } else { order };
    joins::complete(&mut attempts, measure);
    refunds::allocate(&mut attempts, &facts, measure);
    books::enter(&mut attempts, policy);
    let unallocated = payouts::allocate(&mut attempts, order);
    let (whole, payments) = whole::of(&attempts, measure, policy, now);
    let mut drafts: Vec<_> = attempts
        .into_iter()
        .zip(payments)
        .map(|(attempt, payment)| records::draft(attempt, payment, measure, &whole, policy, now))
        .collect();
    // Whatever it adds up to by itself, it is not what the order says.
    let adds_up =
        |state| matches!(state, RecordState::Unverified | RecordState::Balanced | RecordState::PartPaid);
    for draft in drafts.iter_mut().filter(|draft| is_in_other_euros && adds_up(draft.record.state)) {
        draft.record.state = RecordState::Unbalanced;
    }
    let mut findings = rules::findings(&drafts, &whole, &unallocated, order, policy, now);
    let of_drafts = drafts.iter().filter_map(|draft| draft.look_again_after(now, order, policy));
    let look_again_at = of_drafts.chain(whole.deadlines().filter(|at| *at > now)).min();
    let records: Vec<_> = drafts.into_iter().map(|draft| draft.record).collect();
    let order_state = order_state(&records, &whole, &findings, now);
    findings.extend(rules::reference_collision(order, order_state));
    Assessment { records, order_state, gap: whole.gap(), findings, look_again_at }
}

/// Whether all this is about an ordinary card sale. The card's fact is kept, for a voucher may follow.
fn is_card_sale(order: &Order, facts: &[Fact]) -> bool {
    let is_plain_card = |fact: &Fact| {
        fact.psp.terms().hears_of_card_sales
            && fact.event.instrument == Instrument::Card
            && !fact.event.complement
    };
    order.current().is_none() && facts.iter().all(is_plain_card)
}

/// Whether euros were received for an order in another currency: they are booked, and its total says nothing of them.
fn is_paid_in_other_euros(order: &Order, facts: &[Fact]) -> bool {
    let in_euros = |fact: &Fact| {
        fact.event.currency == Currency::EUR
            && fact.event.operation == Operation::Debit
            && weighing::is_accepting(fact.event.state)
    };
    order.current().is_some_and(|version| version.currency != Currency::EUR) && facts.iter().any(in_euros)
}

/// The state of an order is that of its record; of several records the one that a person should see first decides. But
/// records that are complete each in itself can be too little together, or too much. What a bank took back is no refund: it
/// is owed until it is paid again.
fn order_state(
    records: &[Record],
    whole: &Whole,
    findings: &[Finding],
    now: Timestamp,
) -> Option<RecordState> {
    const BY_WEIGHT: [RecordState; 8] = [
        RecordState::Unbalanced,
        RecordState::PartRefunded,
        RecordState::PartPaid,
        RecordState::Balanced,
        RecordState::Unverified,
        RecordState::Pending,
        RecordState::Refunded,
        RecordState::Failed,
    ];
    // What was paid once too often of an order that is to be paid further is part of what it has been paid.
    let is_part_of_it = |finding: &Finding| {
        let is_once_too_often =
            finding.kind == Kind::DoublePayment || matches!(finding.detail, Detail::LeftOver(_));
        is_once_too_often && whole.is_part_paid(now)
    };
    let is_amiss = |finding: &Finding| {
        let is_about_the_sum = matches!(
            finding.kind,
            Kind::DoublePayment | Kind::AmountOver | Kind::AmountShort | Kind::TotalChanged
        );
        is_about_the_sum && !is_part_of_it(finding)
    };
    if findings.iter().any(is_amiss) {
        return Some(RecordState::Unbalanced);
    }
    let counts = |record: &&Record| record.counts;
    let state = BY_WEIGHT
        .into_iter()
        .find(|state| records.iter().filter(counts).any(|record| record.state == *state))?;
    if state == RecordState::Balanced && whole.let_off.is_positive() {
        return Some(RecordState::PartRefunded);
    }
    let is_given_back = matches!(state, RecordState::PartRefunded | RecordState::Refunded);
    if is_given_back && whole.taken_back.is_positive() {
        match whole.gap() {
            Some(Cents::ZERO) if whole.refunded == Cents::ZERO => return Some(RecordState::Balanced),
            Some(gap) if gap < Cents::ZERO && whole.is_part_paid(now) => return Some(RecordState::PartPaid),
            Some(gap) if gap < Cents::ZERO => return Some(RecordState::Unbalanced),
            Some(_) | None => {}
        }
    }
    Some(state)
}
