//! Which transactions are operations on one and the same tender.
//!
//! Worldline tells what is done to a payment later under a transaction of its own: operation 0 authorises,
//! operation 1 captures or cancels what operation 0 authorised. That is one tender and not two; nothing but the
//! instrument, the brand and the currency says so.

use cvco_domain::{AmountFrom, Brand, Cents, Currency, Instrument, Tender, TenderState};

use super::tenders::{Attempt, Basis, Evidence};

/// Makes one tender of each authorisation and what was done to it later.
pub(super) fn merge_operations(attempts: &mut [Attempt]) {
    for attempt in attempts.iter_mut().filter(|attempt| attempt.psp.terms().numbers_operations) {
        // A capture that was refused leaves the authorisation as it was, with a status that calls for a person.
        settle(&mut attempt.tenders, |later| is_authorised(later) && later.odd_status.is_some());
        if let Some(total) = attempt.total() {
            work_out_what_was_authorised(&mut attempt.tenders, total);
        }
        settle(&mut attempt.tenders, |later| {
            matches!(later.tender.state, TenderState::Captured | TenderState::Cancelled)
        });
        share_what_the_authorisation_was(&mut attempt.tenders);
        count_what_is_left_of_it(&mut attempt.tenders);
        attempt.sort();
    }
}

/// An authorisation of which no more than the whole order is known is what others left of the order, if the captures and the
/// others are all that the PSP says was paid so far: then a smaller capture is a part of it, and not a card beside a voucher
/// of which nothing was heard yet.
fn work_out_what_was_authorised(tenders: &mut [Evidence], total: Cents) {
    let authorised: Vec<_> =
        tenders.iter().filter(|e| is_authorised(e) && !e.basis.is_own()).map(means).collect();
    let is_captured = |evidence: &Evidence| evidence.tender.state == TenderState::Captured;
    if !tenders.iter().any(|evidence| is_captured(evidence) && authorised.contains(&means(evidence))) {
        return;
    }
    let Some(own) = own_amounts(tenders.iter().filter(|evidence| is_captured(evidence))) else { return };
    let mut captured = Vec::with_capacity(own.len());
    for (evidence, amount) in tenders.iter_mut().filter(|evidence| is_captured(evidence)).zip(own) {
        evidence.tender.amount = amount;
        evidence.basis = evidence.basis.min(Basis::Told(AmountFrom::Part));
        captured.push((means(evidence), amount));
    }
    for evidence in tenders.iter_mut().filter(|evidence| is_authorised(evidence) && !evidence.basis.is_own())
    {
        let own = means(evidence);
        let (of_it, of_others): (Vec<_>, Vec<_>) = captured.iter().partition(|(of, _)| *of == own);
        let left = total.minus(of_others.iter().map(|(_, amount)| *amount).sum());
        if !of_it.is_empty() && left.is_positive() {
            evidence.tender.amount = left;
            evidence.tender.complement = !of_others.is_empty();
            evidence.basis = Basis::Told(AmountFrom::Part);
        }
    }
}

/// What each capture is by itself: what was paid so far grows by one after the other. `None` if the figures do not say so.
fn own_amounts<'e>(captured: impl Iterator<Item = &'e Evidence>) -> Option<Vec<Cents>> {
    let captured: Vec<&Evidence> = captured.collect();
    let mut turns = Vec::with_capacity(captured.len());
    for (place, evidence) in captured.iter().enumerate() {
        turns.push((evidence.running?.most, place));
    }
    turns.sort_unstable();
    let mut own = vec![Cents::ZERO; captured.len()];
    let mut before = Cents::ZERO;
    for (so_far, place) in turns {
        let step = so_far.minus(before);
        let evidence = captured.get(place)?;
        let fits = step.is_positive() && (!evidence.basis.is_own() || evidence.tender.amount == step);
        *own.get_mut(place).filter(|_| fits)? = step;
        before = so_far;
    }
    Some(own)
}

/// What is captured in parts is no complement because each part is less than the order: the whole of it decides.
fn share_what_the_authorisation_was(tenders: &mut [Evidence]) {
    let first = |evidence: &&Evidence| !evidence.earlier_operations.is_empty() && !evidence.tender.complement;
    let whole: Vec<_> = tenders.iter().filter(first).map(means).collect();
    for evidence in tenders.iter_mut().filter(|evidence| whole.contains(&means(evidence))) {
        evidence.tender.complement = false;
    }
}

/// Of an authorisation of which a part was captured: what neither later captures nor a cancellation took of the rest.
fn count_what_is_left_of_it(tenders: &mut [Evidence]) {
    let took_none = |evidence: &&Evidence| {
        evidence.earlier_operations.is_empty()
            && matches!(evidence.tender.state, TenderState::Captured | TenderState::Cancelled)
    };
    let later: Vec<_> =
        tenders.iter().filter(took_none).map(|evidence| (means(evidence), evidence.tender.amount)).collect();
    for evidence in tenders.iter_mut().filter(|evidence| evidence.uncaptured.is_positive()) {
        let of_it = later.iter().filter(|(of, _)| *of == means(evidence)).map(|(_, amount)| *amount);
        evidence.uncaptured = evidence.uncaptured.minus(of_it.sum()).max(Cents::ZERO);
    }
}

/// What operations on one tender have in common.
fn means(evidence: &Evidence) -> (Instrument, Brand, Currency) {
    let Tender { instrument, brand, currency, .. } = &evidence.tender;
    (*instrument, brand.clone(), *currency)
}

fn is_authorised(evidence: &Evidence) -> bool {
    evidence.tender.state == TenderState::Authorised
}

/// Each of the `later` operations takes over one authorisation, if there is one: two captures are two tenders.
fn settle(tenders: &mut Vec<Evidence>, later: impl Fn(&Evidence) -> bool) {
    // Those that took their turn stand behind all others.
    let mut waiting = tenders.len();
    while let Some(place) = tenders.iter().take(waiting).position(&later) {
        let mut operation = tenders.remove(place);
        waiting -= 1;
        if let Some(earlier) = authorisation_of(&operation, tenders) {
            if earlier < waiting {
                waiting -= 1;
            }
            operation.take_over(tenders.remove(earlier));
        }
        tenders.push(operation);
    }
}

/// The authorisation that an operation concerns: one of its amount rather than another one, then the earliest.
fn authorisation_of(operation: &Evidence, tenders: &[Evidence]) -> Option<usize> {
    let concerned = |evidence: &Evidence| is_authorised(evidence) && means(evidence) == means(operation);
    let candidates = tenders.iter().enumerate().filter(|(_, evidence)| concerned(evidence));
    let first = candidates.min_by_key(|(_, evidence)| {
        let tender = &evidence.tender;
        (
            evidence.odd_status.is_some(),
            tender.amount != operation.tender.amount,
            (tender.authorised_at, &tender.id),
        )
    });
    first.map(|(place, _)| place)
}

impl Evidence {
    /// Becomes the same tender as the authorisation that it captures or cancels.
    fn take_over(&mut self, earlier: Self) {
        let tender = &mut self.tender;
        // The amount is the later operation's; unless it does not state its own, and the earlier one tells more.
        if !self.basis.is_own() && earlier.basis < self.basis {
            tender.amount = earlier.tender.amount;
            self.basis = earlier.basis;
        }
        if tender.state == TenderState::Captured && tender.amount < earlier.tender.amount {
            // A part of it was captured; more may follow.
            self.lowered_seen_at = self.accepted_seen_at;
            if earlier.basis.is_own() && is_authorised(&earlier) {
                self.uncaptured = earlier.tender.amount.minus(tender.amount);
            }
        }
        tender.authorised_at = earliest(tender.authorised_at, earlier.tender.authorised_at);
        tender.authorisation = tender.authorisation.take().or(earlier.tender.authorisation);
        tender.contract = tender.contract.take().or(earlier.tender.contract);
        // Less than the order may have been captured of a payment that was to pay it all.
        let is_told = tender.complement && !earlier.basis.is_own();
        tender.complement = earlier.tender.complement || is_told;
        tender.first_seen_at = tender.first_seen_at.min(earlier.tender.first_seen_at);
        if earlier.tender.endpoint < tender.endpoint {
            tender.endpoint = earlier.tender.endpoint;
        }
        self.earlier_operations.extend(earlier.tender.id);
        self.earlier_operations.extend(earlier.earlier_operations);
        self.running = match (self.running, earlier.running) {
            (Some(running), other) => Some(running.with(other)),
            (None, other) => other,
        };
        self.accepted_seen_at = earliest(self.accepted_seen_at, earlier.accepted_seen_at);
        self.was_counted |= earlier.was_counted;
        self.only_notified &= earlier.only_notified;
        self.dispute = self.dispute.take().or(earlier.dispute);
        self.authorisation_absent |= earlier.authorisation_absent;
    }
}

fn earliest<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    one.into_iter().chain(other).min()
}
