//! Which order a payment belongs to, if notifications name several: it was paid once.

use cvco_domain::{OrderRef, TenderId};

use super::Fact;

/// What one order's notifications say about a payment that another order claims as well.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'f> {
    /// The order's reference; `None` for a payment that was told without one.
    pub reference: Option<&'f OrderRef>,
    /// What it was told about this payment.
    pub facts: &'f [Fact],
}

/// The number by which a PSP knows the payment that a fact is about, whatever the order; `None` where its numbers name
/// nothing by themselves.
#[must_use]
pub fn payment_of(fact: &Fact) -> Option<&str> {
    let terms = fact.psp.terms();
    if terms.numbers_operations {
        return Some(fact.event.call_number.as_str());
    }
    fact.event.tender_id.as_ref().filter(|_| terms.transaction_names_tender).map(TenderId::as_str)
}

/// The claim that is believed: one with a reference rather than one without, then the earliest by the PSP's own clock, then
/// the reference that sorts first. It does not depend on which was heard first. `None` if there is no claim.
#[must_use]
pub fn owner(claims: &[Claim<'_>]) -> Option<usize> {
    let first = claims.iter().enumerate().min_by_key(|(_, claim)| {
        let dates = claim.facts.iter().flat_map(|fact| [fact.accepted_at(), fact.occurred_at()]).flatten();
        let earliest = dates.min();
        (claim.reference.is_none(), earliest.is_none(), earliest, claim.reference)
    });
    first.map(|(place, _)| place)
}
