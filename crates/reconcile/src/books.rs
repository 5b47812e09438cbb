//! What of a tender is for the books: when it was received, and what was given back when.

use cvco_domain::{BookAt, Cents, Currency, Day, Mode, ReturnCause, Returned, TenderState, Timestamp};

use super::Policy;
use super::refunds::{By, Return};
use super::tenders::{Attempt, Evidence};

/// Enters every tender of real money in euros: of another currency nobody knows what it is worth.
pub(super) fn enter(attempts: &mut [Attempt], policy: &Policy) {
    for evidence in attempts.iter_mut().flat_map(|attempt| &mut attempt.tenders) {
        let tender = &mut evidence.tender;
        tender.issuer = policy.issuer(tender.instrument, &tender.brand);
    }
    for attempt in attempts.iter_mut().filter(|attempt| attempt.mode() == Mode::Production) {
        for evidence in attempt.tenders.iter_mut().filter(|e| e.tender.currency == Currency::EUR) {
            evidence.enter(policy.book_at);
        }
    }
}

impl Return {
    fn booked(&self) -> Returned {
        let cause = match self.by {
            By::Merchant => ReturnCause::Refund,
            By::Bank => ReturnCause::Chargeback,
        };
        Returned { on: self.at.paris_day(), cause, amount: self.amount }
    }
}

impl Evidence {
    fn enter(&mut self, book_at: BookAt) {
        let received_on = self.received_at(book_at).map(Timestamp::paris_day);
        let mut returned: Vec<Returned> = self.made().map(Return::booked).collect();
        returned.retain(|returned| returned.amount.is_positive());
        self.tender.booked.received_on = received_on;
        // What was never received need not be cancelled, nor what was cancelled the same day.
        if let (Some(received_on), Some(withdrawn_on)) = (received_on, self.withdrawn_on()) {
            if withdrawn_on > received_on {
                let cause = ReturnCause::Cancellation;
                returned.push(Returned { on: withdrawn_on, cause, amount: self.tender.amount });
            } else {
                self.tender.booked.received_on = None;
            }
        }
        returned.sort_unstable();
        self.tender.booked.returned = returned;
    }

    /// When its amount was received. A PSP that does not notify captures may tell one by chance, in an answer: there
    /// the acceptance counts always, so that no day changes afterwards.
    fn received_at(&self, book_at: BookAt) -> Option<Timestamp> {
        let tender = &self.tender;
        let was_received = match tender.state {
            TenderState::Authorised
            | TenderState::Captured
            | TenderState::Cancelled
            | TenderState::Expired => true,
            // Who gives back has captured, whatever was heard of that.
            TenderState::Refunded | TenderState::PartRefunded => tender.amount > Cents::ZERO,
            TenderState::Pending | TenderState::Refused | TenderState::Abandoned => false,
        };
        if !was_received {
            return None;
        }
        if book_at == BookAt::Capture && self.psp.terms().tells_of_captures {
            let given_back =
                tender.refunded.is_positive().then(|| tender.authorised_at.or(tender.refunded_at));
            return tender.captured_at.or(given_back.flatten());
        }
        tender.authorised_at.or_else(|| tender.state.is_accepted().then_some(tender.first_seen_at))
    }

    fn withdrawn_on(&self) -> Option<Day> {
        let is_withdrawn = matches!(self.tender.state, TenderState::Cancelled | TenderState::Expired);
        self.withdrawn_at.filter(|_| is_withdrawn).map(Timestamp::paris_day)
    }
}
