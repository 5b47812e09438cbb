//! Which tender a refund gives back. A refund is an operation of its own, often under a call number of its own
//! and without a link to what it refunds (Sogecommerce), so it is matched to the order's tenders. A chargeback is a refund
//! that the card's bank makes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use cvco_domain::{
    Booked, Cents, Event, Instrument, Issuer, OddStatus, Operation, Order, RefundTerms, ReportedState,
    ReturnCause, Tender, TenderId, TenderState, Timestamp,
};

use super::Fact;
use super::chargebacks;
use super::disputes::is_failing;
use super::tenders::{Attempt, Basis, Evidence, identity};
use super::weighing::{first_time, is_accepting, leading, odd_status, overruled, undone_at};

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

/// Each refund once, in a fixed order: those that were made first, and of these the merchant's, for what a bank takes back
/// later says nothing about them; then those that name what they give back; then the largest, which fits the fewest.
fn refunds(facts: &[Fact]) -> Vec<Refund<'_>> {
    let mut told: BTreeMap<_, Vec<&Fact>> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.event.operation != Operation::Debit) {
        let event = &fact.event;
        // Without a transaction only its figures tell one refund from another.
        let anonymous = event.tender_id.is_none().then_some((&event.call_number, event.amount));
        told.entry((fact.psp, identity(fact.psp, event), anonymous, by(event))).or_default().push(fact);
    }
    let mut chargebacks: BTreeMap<_, Vec<Vec<&Fact>>> = BTreeMap::new();
    let mut groups: Vec<Vec<&Fact>> = Vec::new();
    for ((psp, .., by), facts) in told {
        let call_number = facts.first().map(|fact| &fact.event.call_number);
        if by == By::Bank && psp.terms().numbers_operations {
            chargebacks.entry((psp, call_number)).or_default().push(facts);
        } else {
            groups.push(facts);
        }
    }
    groups.extend(chargebacks.into_values().flat_map(chargebacks::each_once));
    let mut refunds: Vec<_> = groups.iter().filter_map(|facts| weigh(facts)).collect();
    refunds.sort_by_key(|refund| {
        let told = &refund.told;
        (told.outcome, told.by, refund.of.is_none(), Reverse(told.amount), told.at, told.id.clone())
    });
    refunds
}

fn by(event: &Event) -> By {
    match event.operation {
        Operation::Chargeback { .. } => By::Bank,
        Operation::Credit { .. } | Operation::Debit => By::Merchant,
    }
}

fn weigh<'a>(facts: &[&'a Fact]) -> Option<Refund<'a>> {
    let failed = overruled(facts).or_else(|| refused_since(facts));
    let furthest = failed.or_else(|| facts.iter().map(|fact| fact.event.state).max())?;
    let accepting: Vec<_> = facts.iter().copied().filter(|fact| is_accepting(fact.event.state)).collect();
    let deciding = if is_accepting(furthest) { accepting.as_slice() } else { facts };
    let named = |fact: &&'a Fact| match &fact.event.operation {
        Operation::Credit { of } => of.as_ref(),
        Operation::Chargeback { .. } | Operation::Debit => None,
    };
    let fact = leading(deciding)?;
    let at = first_time(deciding, |_| true)?;
    // That it was made may be told without an amount, where it was asked for with one.
    let stated = if fact.event.amount.is_positive() { fact } else { leading(facts)? };
    Some(Refund {
        fact,
        instrument: fact.event.instrument,
        of: deciding.iter().filter_map(named).min(),
        told: Return {
            id: fact.event.tender_id.clone(),
            amount: given_back_in_turns(deciding).unwrap_or(stated.event.amount),
            by: by(&fact.event),
            outcome: Outcome::of(furthest),
            at,
            seen_at: facts.iter().map(|fact| fact.received_at).min()?,
            is_dated: deciding.iter().any(|fact| fact.occurred_at().is_some()),
            odd_status: odd_status(facts, furthest).or_else(|| refused(deciding, furthest)),
        },
    })
}

/// The refusal of a refund that had been told as made: the PSP took it on, and the bank did not. Only the PSP's own clock
/// says which of them is the last word; and where several refunds share a transaction, the refusal may be another one's.
fn refused_since(facts: &[&Fact]) -> Option<ReportedState> {
    let made = || facts.iter().filter(|fact| is_accepting(fact.event.state));
    let amounts: BTreeSet<Cents> = made().map(|fact| fact.event.amount).collect();
    if amounts.len() != 1 {
        return None;
    }
    let is_of_it = |fact: &&Fact| fact.event.amount == Cents::ZERO || amounts.contains(&fact.event.amount);
    let comes_last = |refused: &&Fact| {
        let is_before =
            |made: &Fact| made.occurred_at().zip(refused.occurred_at()).is_some_and(|(a, b)| a < b);
        made().all(|made| is_before(made))
    };
    let refused = facts.iter().copied().filter(|fact| is_failing(fact.event.state));
    refused.filter(is_of_it).filter(comes_last).map(|fact| fact.event.state).max()
}

/// Who promised money back must hear that it was not given, whichever word the PSP has for that.
fn refused(deciding: &[&Fact], furthest: ReportedState) -> Option<OddStatus> {
    let is_refused = matches!(furthest, ReportedState::Refused | ReportedState::Expired);
    let code = deciding.iter().map(|fact| fact.event.status.code.as_str()).min().filter(|_| is_refused)?;
    Some(OddStatus { code: code.to_owned(), state: furthest })
}

/// What was given back by a refund of several turns under one transaction (Worldline: two partial refunds may
/// share it): the first turn, and all that the running total grew by since. `None` for a refund of one turn.
fn given_back_in_turns(accepting: &[&Fact]) -> Option<Cents> {
    let totals: BTreeSet<Cents> = accepting.iter().filter_map(|fact| fact.event.running_total).collect();
    let (least, most) = (totals.first()?, totals.last()?);
    let first: Vec<&Fact> =
        accepting.iter().copied().filter(|fact| fact.event.running_total == Some(*least)).collect();
    (least < most).then_some(leading(&first)?.event.amount.plus(most.minus(*least)))
}

impl Refund<'_> {
    /// What of it goes to the vouchers of its payment, although it names the card: a PSP that gives the card's share back
    /// first takes the rest from vouchers, while it may, and can tell both at once.
    fn beyond_cards(&self, attempts: &[Attempt]) -> Option<Self> {
        let told = &self.told;
        let names_cards = self.instrument == Instrument::Card && self.of.is_none();
        if !names_cards || told.by == By::Bank || told.outcome != Outcome::Made {
            return None;
        }
        let event = &self.fact.event;
        let parts = || {
            attempts.iter().flat_map(|attempt| &attempt.tenders).filter(|evidence| {
                (evidence.psp, &evidence.call_number) == (self.fact.psp, &event.call_number)
                    && evidence.tender.state.is_accepted()
                    && evidence.tender.currency == event.currency
            })
        };
        let cards = || parts().filter(|evidence| evidence.tender.instrument == Instrument::Card);
        cards().next()?;
        let left = |evidence: &Evidence| evidence.tender.kept().max(Cents::ZERO);
        let of_cards: Cents = cards().map(left).sum();
        let of_vouchers: Cents = parts().filter(|e| e.follows_the_card(told.at)).map(left).sum();
        let beyond = told.amount.minus(of_cards).min(of_vouchers);
        beyond.is_positive().then(|| Self {
            instrument: Instrument::Voucher,
            told: Return { amount: beyond, odd_status: None, ..told.clone() },
            ..self.clone()
        })
    }

    /// A bank takes back no more than was paid by card, and all of it where nothing else is said.
    fn bound(&mut self, attempts: &[Attempt]) {
        if self.told.by == By::Bank && self.told.outcome == Outcome::Made {
            let captures = self.captures(attempts);
            let all: Cents = captures.iter().copied().sum();
            let is_known = self.told.amount.is_positive();
            if !captures.is_empty() && (!is_known || self.told.amount > all) {
                self.told.amount = all;
            }
        }
    }

    /// What can go back of each part of its payment that it may be of, where the PSP does not say of which.
    fn captures(&self, attempts: &[Attempt]) -> Vec<Cents> {
        let event = &self.fact.event;
        if !self.fact.psp.terms().numbers_operations || self.of.is_some() {
            return Vec::new();
        }
        let of_its_payment = |evidence: &&Evidence| {
            (evidence.psp, &evidence.call_number) == (self.fact.psp, &event.call_number)
                && evidence.tender.state.is_accepted()
                && evidence.tender.instrument == self.instrument
                && evidence.tender.currency == event.currency
        };
        let left = |evidence: &Evidence| match self.told.by {
            By::Merchant => evidence.tender.kept(),
            By::Bank => evidence.tender.amount.minus(evidence.tender.taken_back),
        };
        let parts = attempts.iter().flat_map(|attempt| &attempt.tenders).filter(of_its_payment);
        parts.map(left).map(|left| left.max(Cents::ZERO)).collect()
    }

    /// The largest capture of its payment that it gives back wholly, while others of the same card or voucher are left: one
    /// refund may be of several captures.
    fn beyond_one_capture(&self, attempts: &[Attempt]) -> Option<Self> {
        let told = &self.told;
        if told.outcome != Outcome::Made {
            return None;
        }
        let mut captures = self.captures(attempts);
        captures.retain(|left| left.is_positive());
        let largest = captures.iter().copied().max().filter(|_| captures.len() > 1)?;
        (told.amount > largest).then(|| Self {
            told: Return { amount: largest, odd_status: None, ..told.clone() },
            ..self.clone()
        })
    }

    /// What only the payment that it undoes can tell.
    fn fit_to(&mut self, evidence: &Evidence) {
        let (told, tender) = (&mut self.told, &evidence.tender);
        let seen_at = told.seen_at;
        let stated = told.at;
        told.at = undone_at(stated, tender.authorised_at, || Some(seen_at));
        told.is_dated &= told.at == stated;
        // A bank takes back all that it can, where nothing else is said.
        if told.by == By::Bank && told.amount == Cents::ZERO {
            told.amount = tender.kept().max(Cents::ZERO);
        }
    }
}

/// How well a tender fits a refund, best last.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::struct_excessive_bools, reason = "each weighs by itself, in the order in which they stand")]
struct Fit {
    named: bool,
    /// Nobody gives back what is paid later.
    was_paid_before: bool,
    is_enough: bool,
    is_exact: bool,
    is_of_same_call: bool,
    is_of_same_brand: bool,
    /// How much is left of it; where it is of more than any of them holds, it is of the largest.
    left: Cents,
}

/// `None` if it cannot be the one.
fn fit(refund: &Refund<'_>, evidence: &Evidence) -> Option<Fit> {
    let (event, tender) = (&refund.fact.event, &evidence.tender);
    let named = match refund.of {
        Some(of) => {
            if tender.id.as_ref() != Some(of) && !evidence.earlier_operations.contains(of) {
                return None;
            }
            true
        }
        // A chargeback may bear the name of what it takes back.
        None => is_told_by(refund, evidence),
    };
    let left = tender.kept();
    let possible = tender.instrument == refund.instrument && tender.currency == event.currency;
    (named || possible).then(|| Fit {
        named,
        was_paid_before: tender.authorised_at.is_none_or(|paid| paid <= refund.told.at),
        is_enough: refund.told.amount <= left,
        is_exact: refund.told.amount == left && left.is_positive(),
        is_of_same_call: evidence.call_number == event.call_number,
        is_of_same_brand: tender.brand == event.brand,
        left: if refund.told.amount <= left { Cents::ZERO } else { left },
    })
}

fn is_told_by(refund: &Refund<'_>, evidence: &Evidence) -> bool {
    let Operation::Chargeback { of: Some(of) } = &refund.fact.event.operation else { return false };
    evidence.tender.id.as_ref() == Some(of) || evidence.earlier_operations.contains(of)
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
        lowered_seen_at: None,
        returns: vec![refund.told.clone()],
        withdrawn_at: None,
        withdrawn_seen_at: None,
        payouts: Vec::new(),
    }
}
