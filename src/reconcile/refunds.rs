//! Which tender a refund gives back. A refund is an operation of its own, often under a call number of its own
//! and without a link to what it refunds (Sogecommerce), so it is matched to the order's tenders.

use std::collections::BTreeMap;

use crate::domain::{
    Brand, CallNumber, Cents, Currency, EndpointId, Instrument, Operation, Tender, TenderId, TenderState,
    Timestamp,
};

use super::Fact;
use super::tenders::{Attempt, Evidence, identity, is_accepting, leading, position};

/// A refund that was accepted.
struct Refund<'a> {
    fact: &'a Fact,
    of: Option<&'a TenderId>,
    /// When it happened.
    at: Timestamp,
    /// When the daemon first heard of it.
    seen_at: Timestamp,
}

/// Books every accepted refund on the tender that it gives back; one that fits none becomes a tender of its
/// own with no amount, so that no cent is lost from sight.
pub(super) fn allocate(attempts: &mut Vec<Attempt>, facts: &[Fact]) {
    for refund in accepted(facts) {
        let target = attempts
            .iter_mut()
            .filter(|attempt| attempt.psp == refund.fact.psp)
            .flat_map(|attempt| {
                let call = attempt.call_number.clone();
                attempt.tenders.iter_mut().map(move |evidence| (call.clone(), &mut evidence.tender))
            })
            .filter(|(_, tender)| tender.state.is_accepted())
            .filter_map(|(call, tender)| Some((fit(&refund, &call, tender)?, tender)))
            .max_by(|(a, _), (b, _)| a.cmp(b));
        match target {
            Some((_, tender)) => book(tender, &refund),
            None => keep_apart(attempts, &refund),
        }
    }
    attempts.retain(|attempt| !attempt.tenders.is_empty());
}

/// Each refund once, in a fixed order: those that name what they give back choose first.
fn accepted(facts: &[Fact]) -> Vec<Refund<'_>> {
    let mut told: BTreeMap<_, Vec<&Fact>> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.event.operation != Operation::Debit) {
        let event = &fact.event;
        // Without a transaction only its figures tell one refund from another.
        let anonymous = event.tender_id.is_none().then_some((&event.call_number, event.amount));
        told.entry((fact.psp, identity(fact.psp, event), anonymous)).or_default().push(fact);
    }
    let mut refunds: Vec<_> = told.values().filter_map(|facts| weigh(facts)).collect();
    refunds.sort_by_key(|refund| (refund.of.is_none(), refund.at, &refund.fact.event.tender_id));
    refunds
}

/// What all facts about one refund amount to, by the same rule as for a debit; `None` if it was not accepted,
/// or no longer is.
fn weigh<'a>(facts: &[&'a Fact]) -> Option<Refund<'a>> {
    let furthest = facts.iter().map(|fact| fact.event.state).max()?;
    if !is_accepting(furthest) {
        return None;
    }
    let accepting: Vec<_> = facts.iter().copied().filter(|fact| is_accepting(fact.event.state)).collect();
    let named = |fact: &&'a Fact| match &fact.event.operation {
        Operation::Credit { of } => of.as_ref(),
        Operation::Debit => None,
    };
    Some(Refund {
        fact: leading(&accepting)?,
        of: accepting.iter().filter_map(named).min(),
        at: accepting.iter().map(|fact| fact.event.occurred_at.unwrap_or(fact.received_at)).min()?,
        seen_at: facts.iter().map(|fact| fact.received_at).min()?,
    })
}

/// How well a tender fits a refund, best last; `None` if it cannot be the one.
fn fit(refund: &Refund<'_>, call: &CallNumber, tender: &Tender) -> Option<(bool, bool, bool, bool)> {
    let event = &refund.fact.event;
    let named = match refund.of {
        Some(of) => {
            if tender.id.as_ref() != Some(of) {
                return None;
            }
            true
        }
        None => false,
    };
    let left = tender.amount.minus(tender.refunded);
    let possible =
        tender.instrument == event.instrument && tender.currency == event.currency && event.amount <= left;
    (named || possible)
        .then(|| (named, left == event.amount, *call == event.call_number, tender.brand == event.brand))
}

fn book(tender: &mut Tender, refund: &Refund<'_>) {
    tender.refunded = tender.refunded.plus(refund.fact.event.amount);
    tender.state =
        if tender.refunded >= tender.amount { TenderState::Refunded } else { TenderState::PartRefunded };
    tender.refunded_at = tender.refunded_at.max(Some(refund.at));
}

fn keep_apart(attempts: &mut [Attempt], refund: &Refund<'_>) {
    let event = &refund.fact.event;
    let evidence = unmatched(
        event.tender_id.clone(),
        (event.instrument, event.brand.clone()),
        (event.amount, event.currency),
        refund.fact.endpoint.clone(),
        (refund.at, refund.seen_at),
    );
    let attempt = attempts
        .iter_mut()
        .find(|attempt| attempt.psp == refund.fact.psp && attempt.call_number == event.call_number);
    if let Some(attempt) = attempt {
        attempt.tenders.push(evidence);
        attempt.tenders.sort_by(|a, b| position(&a.tender).cmp(&position(&b.tender)));
    }
}

fn unmatched(
    id: Option<TenderId>,
    (instrument, brand): (Instrument, Brand),
    (refunded, currency): (Cents, Currency),
    endpoint: EndpointId,
    (at, first_seen_at): (Timestamp, Timestamp),
) -> Evidence {
    Evidence {
        tender: Tender {
            id,
            instrument,
            brand,
            state: TenderState::Refunded,
            amount: Cents::ZERO,
            currency,
            refunded,
            authorisation: None,
            contract: None,
            endpoint,
            complement: false,
            first_seen_at,
            authorised_at: None,
            captured_at: None,
            refunded_at: Some(at),
        },
        accepted_seen_at: None,
        was_counted: false,
        other_amount: None,
        other_outcome: None,
        authorisation_absent: false,
        odd_status: None,
    }
}
