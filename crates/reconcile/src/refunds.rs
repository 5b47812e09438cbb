//! Which tender a refund gives back. A refund is an operation of its own, often under a call number of its own
//! and without a link to what it refunds (Sogecommerce), so it is matched to the order's tenders. A chargeback is a refund
//! that the card's bank makes.

mod fit;
mod shares;
mod told;

use cvco_domain::{
    Booked, Cents, Instrument, Issuer, OddStatus, Order, RefundTerms, ReportedState, ReturnCause, Tender,
    TenderId, TenderState, Timestamp,
};

use super::Fact;
use super::disputes::OtherAmount;
use super::tenders::{Attempt, Basis, Evidence};
use fit::fit;
use told::refunds;

/// A refund, as the tender remembers it that it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Return {
    /// The refund's own transaction.
    pub(super) id: Option<TenderId>,
    /// Nothing, where the PSP does not tell how much.
    pub(super) amount: Cents,
    pub(super) by: By,
    pub(super) outcome: Outcome,
    /// When it happened: the PSP's time where it states one, else the time of receipt.
    pub(super) at: Timestamp,
    /// When the daemon first heard of it.
    pub(super) seen_at: Timestamp,
    /// `at` is the PSP's own time, and not that of receipt.
    pub(super) is_dated: bool,
    /// A status that calls for a person, or that the tables do not have.
    pub(super) odd_status: Option<OddStatus>,
    /// Another amount that is told of it.
    pub(super) other_amount: Option<OtherAmount>,
}

impl Return {
    /// A share of it, by which nothing is said again that the whole says.
    fn share(&self, amount: Cents) -> Self {
        Self { amount, odd_status: None, other_amount: None, ..self.clone() }
    }
}

/// Who gives money back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum By {
    /// The merchant: what the PSP allows, holds for it.
    Merchant,
    /// The card's bank: a chargeback.
    Bank,
}

/// What became of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// The money went back.
    Made,
    /// It was asked for, and is not decided.
    Awaited,
    /// It was refused, or taken back.
    Failed,
}

impl Outcome {
    const fn of(furthest: ReportedState) -> Self {
        match furthest {
            ReportedState::Authorised | ReportedState::Captured => Self::Made,
            ReportedState::Pending => Self::Awaited,
            ReportedState::Abandoned
            | ReportedState::Refused
            | ReportedState::Expired
            | ReportedState::Cancelled => Self::Failed,
        }
    }
}

/// What all facts about one refund amount to, by the same rule as for a debit.
#[derive(Clone)]
struct Refund<'a> {
    fact: &'a Fact,
    /// Of which kind of part it is.
    instrument: Instrument,
    /// The transaction that it gives back, where the PSP names it.
    of: Option<&'a TenderId>,
    /// What the tender will remember.
    told: Return,
}

/// Books every refund that was made on the tender that it gives back, also where it is of more than is left of it. Where
/// no part of its kind is known, it becomes a tender of its own with no amount, so that no cent is lost from sight. Of
/// those that were not made the tender only knows.
pub(super) fn allocate(attempts: &mut Vec<Attempt>, facts: &[Fact], order: &Order) {
    for mut refund in refunds(facts) {
        if let Some(of_vouchers) = refund.beyond_cards(attempts) {
            refund.told.amount = refund.told.amount.minus(of_vouchers.told.amount);
            give_back(attempts, of_vouchers, order);
            if !refund.told.amount.is_positive() {
                continue;
            }
        }
        give_back(attempts, refund, order);
    }
    attempts.retain(|attempt| !attempt.tenders.is_empty());
}

/// Gives back of the part that fits best; what is captured in parts is given back of one after the other.
fn give_back(attempts: &mut [Attempt], mut refund: Refund<'_>, order: &Order) {
    refund.bound(attempts);
    while let Some(share) = refund.beyond_one_capture(attempts) {
        refund.told.amount = refund.told.amount.minus(share.told.amount);
        give_back_of_one(attempts, share, order);
    }
    give_back_of_one(attempts, refund, order);
}

fn give_back_of_one(attempts: &mut [Attempt], mut refund: Refund<'_>, order: &Order) {
    let in_need: Vec<bool> = attempts.iter().map(|attempt| is_in_need(attempt, order)).collect();
    let target = attempts
        .iter_mut()
        .zip(in_need)
        .flat_map(|(attempt, in_need)| attempt.tenders.iter_mut().map(move |evidence| (evidence, in_need)))
        .filter(|(evidence, _)| evidence.psp == refund.fact.psp && evidence.tender.state.is_accepted())
        .filter_map(|(evidence, in_need)| Some(((fit(&refund, evidence)?, in_need), evidence)))
        .max_by(|(a, _), (b, _)| a.cmp(b));
    if let Some((_, evidence)) = &target {
        refund.fit_to(evidence);
    }
    match (target, refund.told.outcome) {
        (Some((_, evidence)), Outcome::Made) => evidence.book(refund.told),
        (Some((_, evidence)), Outcome::Awaited | Outcome::Failed) => evidence.returns.push(refund.told),
        (None, Outcome::Made) => keep_apart(attempts, &refund),
        (None, Outcome::Awaited | Outcome::Failed) => remember(attempts, refund),
    }
}

/// Whether a payment is one that a merchant gives back: what it came to is wrong, or its refund has begun.
fn is_in_need(attempt: &Attempt, order: &Order) -> bool {
    let expected = order.current().map(|version| version.total).or(attempt.total());
    let paid: Cents = attempt.accepted().map(|evidence| evidence.tender.amount).sum();
    expected.is_some_and(|expected| expected != paid)
        || attempt.tenders.iter().any(|evidence| evidence.tender.refunded.is_positive())
}

impl Evidence {
    /// Vouchers that are given back once the card's share is, and may be at that time.
    fn follows_the_card(&self, at: Timestamp) -> bool {
        let Tender { instrument, brand, authorised_at, .. } = &self.tender;
        let terms = RefundTerms::of(self.psp, *instrument, brand).filter(|terms| terms.after_card);
        terms.is_some_and(|terms| {
            terms.within.zip(*authorised_at).is_none_or(|(within, paid_at)| at <= paid_at.after(within))
        })
    }

    pub(super) fn made(&self) -> impl Iterator<Item = &Return> {
        self.returns.iter().filter(|refund| refund.outcome == Outcome::Made)
    }

    /// What banks took back came again.
    pub(super) fn forget_chargebacks(&mut self) {
        for refund in self.returns.iter_mut().filter(|refund| refund.by == By::Bank) {
            refund.outcome = Outcome::Failed;
        }
        let refunded_at =
            self.made().filter(|refund| refund.amount.is_positive()).map(|refund| refund.at).max();
        let tender = &mut self.tender;
        tender.refunded = tender.refunded.minus(tender.taken_back);
        tender.taken_back = Cents::ZERO;
        tender.refunded_at = refunded_at;
        tender.booked.returned.retain(|returned| returned.cause != ReturnCause::Chargeback);
        tender.state = match tender.refunded {
            Cents::ZERO if tender.captured_at.is_some() => TenderState::Captured,
            Cents::ZERO => TenderState::Authorised,
            refunded if refunded >= tender.amount => TenderState::Refunded,
            _ => TenderState::PartRefunded,
        };
    }

    fn book(&mut self, refund: Return) {
        if !refund.amount.is_positive() {
            self.returns.push(refund);
            return;
        }
        let tender = &mut self.tender;
        tender.refunded = tender.refunded.plus(refund.amount);
        if refund.by == By::Bank {
            tender.taken_back = tender.taken_back.plus(refund.amount);
        }
        tender.state =
            if tender.refunded >= tender.amount { TenderState::Refunded } else { TenderState::PartRefunded };
        tender.refunded_at = tender.refunded_at.max(Some(refund.at));
        self.returns.push(refund);
    }
}

/// A refund that was not made, and that no tender is large enough for: with one of its payment.
fn remember(attempts: &mut [Attempt], refund: Refund<'_>) {
    let event = &refund.fact.event;
    let mut tenders = attempts.iter_mut().flat_map(|attempt| attempt.tenders.iter_mut());
    let of_its_payment = |evidence: &&mut Evidence| {
        (evidence.psp, &evidence.call_number) == (refund.fact.psp, &event.call_number)
            && evidence.tender.instrument == event.instrument
    };
    if let Some(evidence) = tenders.find(of_its_payment) {
        evidence.returns.push(refund.told);
    }
}

/// In the record of its own call number, wherever the tenders of that call went.
fn keep_apart(attempts: &mut [Attempt], refund: &Refund<'_>) {
    let (psp, call) = (refund.fact.psp, &refund.fact.event.call_number);
    let is_home = |attempt: &Attempt| attempt.psp == psp && attempt.call_number == *call;
    let holds = |attempt: &Attempt| attempt.tenders.iter().any(|e| e.psp == psp && e.call_number == *call);
    let home = attempts.iter().position(is_home).or_else(|| attempts.iter().position(holds));
    if let Some(attempt) = home.and_then(|place| attempts.get_mut(place)) {
        attempt.tenders.push(unmatched(refund));
        attempt.sort();
    }
}

fn unmatched(refund: &Refund<'_>) -> Evidence {
    let (fact, event) = (refund.fact, &refund.fact.event);
    Evidence {
        tender: Tender {
            id: event.tender_id.clone(),
            instrument: event.instrument,
            brand: event.brand.clone(),
            issuer: Issuer::of(event.instrument, &event.brand),
            state: TenderState::Refunded,
            amount: Cents::ZERO,
            currency: event.currency,
            refunded: refund.told.amount,
            taken_back: if refund.told.by == By::Bank { refund.told.amount } else { Cents::ZERO },
            authorisation: None,
            contract: None,
            endpoint: fact.endpoint.clone(),
            complement: false,
            first_seen_at: refund.told.seen_at,
            authorised_at: None,
            captured_at: None,
            refunded_at: Some(refund.told.at),
            booked: Booked::default(),
        },
        psp: fact.psp,
        call_number: event.call_number.clone(),
        earlier_operations: Vec::new(),
        basis: Basis::Told(event.amount_from),
        running: None,
        accepted_seen_at: None,
        was_counted: false,
        only_notified: false,
        dispute: None,
        authorisation_absent: false,
        odd_status: None,
        lowered_by: Cents::ZERO,
        is_unfinished: false,
        is_planned: false,
        lowered_seen_at: None,
        uncaptured: Cents::ZERO,
        returns: vec![refund.told.clone()],
        withdrawn_at: None,
        withdrawn_seen_at: None,
        payouts: Vec::new(),
    }
}
