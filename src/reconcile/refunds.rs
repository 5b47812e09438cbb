//! Which tender a refund gives back. A refund is an operation of its own, often under a call number of its own
//! and without a link to what it refunds (Sogecommerce), so it is matched to the order's tenders.

use std::collections::BTreeMap;

use crate::domain::{
    Brand, CallNumber, Cents, Currency, EndpointId, Instrument, Operation, Psp, ReportedState, Tender,
    TenderId, TenderState, Timestamp,
};

use super::Fact;
use super::tenders::{Attempt, Evidence};

/// A refund that was accepted.
struct Refund<'a> {
    fact: &'a Fact,
    of: Option<&'a TenderId>,
    at: Timestamp,
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

/// Each refund once, in a fixed order.
fn accepted(facts: &[Fact]) -> Vec<Refund<'_>> {
    type Identity<'a> = (Psp, Option<&'a TenderId>, &'a CallNumber, Cents);
    let mut refunds: BTreeMap<Identity<'_>, Refund<'_>> = BTreeMap::new();
    for fact in facts {
        let Operation::Credit { of } = &fact.event.operation else { continue };
        let counts = match fact.event.state {
            ReportedState::Authorised | ReportedState::Captured => true,
            ReportedState::Pending
            | ReportedState::Abandoned
            | ReportedState::Refused
            | ReportedState::Expired
            | ReportedState::Cancelled => false,
        };
        if counts {
            let identity =
                (fact.psp, fact.event.tender_id.as_ref(), &fact.event.call_number, fact.event.amount);
            let at = fact.event.occurred_at.unwrap_or(fact.received_at);
            let refund = refunds.entry(identity).or_insert(Refund { fact, of: of.as_ref(), at });
            refund.at = refund.at.min(at);
        }
    }
    let cancelled = |refund: &Refund<'_>| {
        facts.iter().any(|fact| {
            matches!(fact.event.operation, Operation::Credit { .. })
                && fact.event.tender_id.is_some()
                && fact.event.tender_id == refund.fact.event.tender_id
                && fact.event.state == ReportedState::Cancelled
        })
    };
    let mut refunds: Vec<_> = refunds.into_values().filter(|refund| !cancelled(refund)).collect();
    refunds.sort_by(|a, b| (a.at, &a.fact.event.tender_id).cmp(&(b.at, &b.fact.event.tender_id)));
    refunds
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
        refund.at,
    );
    let attempt = attempts
        .iter_mut()
        .find(|attempt| attempt.psp == refund.fact.psp && attempt.call_number == event.call_number);
    if let Some(attempt) = attempt {
        attempt.tenders.push(evidence);
    }
}

fn unmatched(
    id: Option<TenderId>,
    (instrument, brand): (Instrument, Brand),
    (refunded, currency): (Cents, Currency),
    endpoint: EndpointId,
    at: Timestamp,
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
            first_seen_at: at,
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
