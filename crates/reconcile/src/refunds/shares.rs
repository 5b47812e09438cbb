//! A refund that is of several parts, or of more than there is.

use cvco_domain::{Cents, Instrument};

use super::super::tenders::{Attempt, Evidence};
use super::super::weighing::undone_at;
use super::{By, Outcome, Refund};

impl Refund<'_> {
    /// What of it goes to the vouchers of its payment, although it names the card: a PSP that gives the card's share back
    /// first takes the rest from vouchers, while it may, and can tell both at once.
    pub(super) fn beyond_cards(&self, attempts: &[Attempt]) -> Option<Self> {
        let told = &self.told;
        let names_cards = self.instrument == Instrument::Card && self.of.is_none();
        if !names_cards || told.by == By::Bank || told.outcome != Outcome::Made {
            return None;
        }
        let parts = || self.parts_of_its_payment(attempts);
        let cards = || parts().filter(|evidence| evidence.tender.instrument == Instrument::Card);
        cards().next()?;
        let left = |evidence: &Evidence| evidence.tender.kept().max(Cents::ZERO);
        let of_cards: Cents = cards().map(left).sum();
        let of_vouchers: Cents = parts().filter(|e| e.follows_the_card(told.at)).map(left).sum();
        let beyond = told.amount.minus(of_cards).min(of_vouchers);
        beyond.is_positive().then(|| Self {
            instrument: Instrument::Voucher,
            told: told.share(beyond),
            ..self.clone()
        })
    }

    /// What was accepted under its call number, in its currency.
    fn parts_of_its_payment<'a>(&'a self, attempts: &'a [Attempt]) -> impl Iterator<Item = &'a Evidence> {
        let event = &self.fact.event;
        attempts.iter().flat_map(|attempt| &attempt.tenders).filter(|evidence| {
            (evidence.psp, &evidence.call_number) == (self.fact.psp, &event.call_number)
                && evidence.tender.state.is_accepted()
                && evidence.tender.currency == event.currency
        })
    }

    /// A bank takes back no more than was paid by card, and all of it where nothing else is said.
    pub(super) fn bound(&mut self, attempts: &[Attempt]) {
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
        if !self.fact.psp.terms().numbers_operations || self.of.is_some() {
            return Vec::new();
        }
        let left = |evidence: &Evidence| match self.told.by {
            By::Merchant => evidence.tender.kept(),
            By::Bank => evidence.tender.amount.minus(evidence.tender.taken_back),
        };
        let parts = self.parts_of_its_payment(attempts);
        let alike = parts.filter(|evidence| evidence.tender.instrument == self.instrument);
        alike.map(left).map(|left| left.max(Cents::ZERO)).collect()
    }

    /// The largest capture of its payment that it gives back wholly, while others of the same card or voucher are left: one
    /// refund may be of several captures.
    pub(super) fn beyond_one_capture(&self, attempts: &[Attempt]) -> Option<Self> {
        let told = &self.told;
        if told.outcome != Outcome::Made {
            return None;
        }
        let mut captures = self.captures(attempts);
        captures.retain(|left| left.is_positive());
        let largest = captures.iter().copied().max().filter(|_| captures.len() > 1)?;
        (told.amount > largest).then(|| Self { told: told.share(largest), ..self.clone() })
    }

    /// What only the payment that it undoes can tell.
    pub(super) fn fit_to(&mut self, evidence: &Evidence) {
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
