//! How well a part fits a refund that does not say what it is of.

use cvco_domain::{Cents, Operation};

use super::super::tenders::Evidence;
use super::Refund;

/// How well a tender fits a refund, best last.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::struct_excessive_bools, reason = "each weighs by itself, in the order in which they stand")]
pub(super) struct Fit {
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
pub(super) fn fit(refund: &Refund<'_>, evidence: &Evidence) -> Option<Fit> {
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
