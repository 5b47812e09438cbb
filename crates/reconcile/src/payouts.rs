//! Which tender a line of a statement pays out. The ledger knows which order a line is about; here it finds its part.

use std::cmp::Reverse;

use cvco_domain::{Cents, Order, Payout};

use super::tenders::{Attempt, Evidence};

/// Enters every line with the tender that it pays out, and returns those that pay out nothing that was accepted.
pub(super) fn allocate(attempts: &mut [Attempt], order: &Order) -> Vec<Payout> {
    let mut lines: Vec<&Payout> = order.payouts.iter().collect();
    // Payments before what is taken back of them; and those that name their transaction before those that do not.
    lines.sort_by_key(|payout| {
        let line = &payout.line;
        (
            (line.amount < Cents::ZERO, line.transaction.is_none(), Reverse(line.amount)),
            (payout.paid_on, &payout.id),
        )
    });
    let mut unallocated = Vec::new();
    for payout in lines {
        let tenders = attempts.iter_mut().flat_map(|attempt| &mut attempt.tenders);
        let candidates = tenders.filter_map(|evidence| Some((fit(payout, evidence)?, evidence)));
        // Of several that fit as well the first: `max_by` would take the last.
        let best = candidates.reduce(|best, next| if next.0 > best.0 { next } else { best });
        match best {
            Some((_, evidence)) => evidence.pay_out(payout.clone()),
            None => unallocated.push(payout.clone()),
        }
    }
    unallocated
}

/// How well a tender fits a line, best last; `None` if it cannot be the one. Of two payments of one order, one of which
/// was cancelled or given back, it is the one that is still owed.
fn fit(payout: &Payout, evidence: &Evidence) -> Option<[bool; 5]> {
    let (line, tender) = (&payout.line, &evidence.tender);
    let possible = tender.issuer == payout.id.issuer && tender.booked.received_on.is_some();
    possible.then(|| {
        let names_it = line.transaction.is_some() && line.transaction == tender.id
            || line.authorisation.is_some() && line.authorisation == tender.authorisation;
        let kept = if tender.state.is_accepted() { tender.kept() } else { Cents::ZERO };
        let owed = kept.minus(tender.booked.settled);
        let is_first = tender.booked.settled == Cents::ZERO;
        [names_it, owed == line.amount, owed.is_positive(), evidence.is_exact(line.amount), is_first]
    })
}

impl Evidence {
    /// Whether a line of this amount is one that this part lets expect: all of it, what is kept, or a refund of it.
    pub(super) fn is_exact(&self, amount: Cents) -> bool {
        let tender = &self.tender;
        let back = Cents::ZERO.minus(amount);
        amount == tender.amount || amount == tender.kept() || self.made().any(|refund| refund.amount == back)
    }

    fn pay_out(&mut self, payout: Payout) {
        let booked = &mut self.tender.booked;
        booked.settled = booked.settled.plus(payout.line.amount);
        booked.settled_on = booked.settled_on.max(Some(payout.paid_on));
        booked.payouts.push(payout.id.clone());
        self.payouts.push(payout);
    }
}
