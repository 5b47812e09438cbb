//! Which card payments complete which voucher payment.
//!
//! At Worldline and Monext the two parts of one payment can come as two payments of one order; at Up2pay an ordinary card
//! can pay the rest of a voucher; beside a voucher taken at ANCV itself the card is another PSP's. The order reference alone joins them, and what each of them
//! came to says whether they belong together: a voucher payment that is short, and a card payment that does not
//! pay the order by itself.

use std::time::Duration;

use cvco_domain::{Cents, Currency, Instrument, Order};

use super::tenders::Attempt;

/// PSPs' clocks and slow messages may turn a voucher and its complement round, but not by so much.
const LONG_BEFORE: Duration = Duration::from_hours(24);

/// Moves the tenders of such card payments into the voucher payment that they complete.
pub(super) fn complete(attempts: &mut Vec<Attempt>, order: &Order) {
    let homes: Vec<Option<usize>> = attempts.iter().map(|card| home(card, attempts, order)).collect();
    let totals: Vec<Option<Cents>> = attempts.iter().map(|attempt| total_beyond(attempt, order)).collect();

    let mut moving: Vec<(usize, Option<Cents>, Attempt)> = Vec::new();
    let mut staying: Vec<(usize, Attempt)> = Vec::new();
    for (place, ((attempt, home), total)) in attempts.drain(..).zip(homes).zip(&totals).enumerate() {
        match home {
            Some(home) => moving.push((home, *total, attempt)),
            None => staying.push((place, attempt)),
        }
    }
    for (place, voucher) in &mut staying {
        let parts: Vec<_> = moving.extract_if(.., |(home, ..)| home == place).collect();
        if parts.is_empty() {
            continue;
        }
        // No message listed all the parts: nothing says that this is the whole.
        voucher.itemised_total = None;
        let own = totals.get(*place).copied().flatten();
        voucher.stated_total = parts.iter().filter_map(|(_, total, _)| *total).chain(own).max();
        for (_, _, card) in parts {
            voucher.take_in(card);
        }
        voucher.sort();
    }
    attempts.extend(staying.into_iter().map(|(_, attempt)| attempt));
}

impl Attempt {
    fn take_in(&mut self, card: Self) {
        self.parts_in_doubt |= card.parts_in_doubt;
        self.proven_mode = self.proven_mode.max(card.proven_mode);
        self.tenders.extend(card.tenders.into_iter().map(|mut evidence| {
            evidence.tender.complement = true;
            evidence
        }));
    }
}

/// The voucher payment that a card payment completes: the one that lacks just this amount, else the earliest.
fn home(card: &Attempt, attempts: &[Attempt], order: &Order) -> Option<usize> {
    if card.tenders.is_empty() || card.tenders.iter().any(|e| e.tender.instrument == Instrument::Voucher) {
        return None;
    }
    if card.psp.terms().names_complements && card.tenders.iter().any(|e| e.tender.complement) {
        return None;
    }
    let paid = paid(card, order);
    let candidates = attempts.iter().enumerate().filter(|(_, voucher)| {
        voucher.psp.terms().completed_by.contains(&card.psp)
            && is_voucher_alone(voucher)
            && (voucher.mode(), voucher.endpoint_mode) == (card.mode(), card.endpoint_mode)
            && belong_together(voucher, card, order)
    });
    let first = candidates.min_by_key(|(_, voucher)| {
        let lacks_another_amount = expected(voucher, order) != Some(self::paid(voucher, order).plus(paid));
        let accepted_at = voucher.accepted().filter_map(|e| e.accepted_seen_at).min();
        (lacks_another_amount, accepted_at, &voucher.call_number, voucher.psp)
    });
    first.map(|(place, _)| place)
}

fn is_voucher_alone(attempt: &Attempt) -> bool {
    let accepted = |wanted| attempt.accepted().any(|e| e.tender.instrument == wanted);
    accepted(Instrument::Voucher) && !accepted(Instrument::Card)
}

/// A complement is paid after its voucher: a card of weeks before paid a deposit.
fn is_long_before(card: &Attempt, voucher: &Attempt) -> bool {
    let at = |attempt: &Attempt| attempt.accepted().filter_map(|e| e.tender.authorised_at).min();
    at(card).zip(at(voucher)).is_some_and(|(card, voucher)| voucher.since(card) > LONG_BEFORE)
}

fn belong_together(voucher: &Attempt, card: &Attempt, order: &Order) -> bool {
    let (by_voucher, by_card) = (paid(voucher, order), paid(card, order));
    if is_long_before(card, voucher) {
        return false;
    }
    if let Some(version) = order.current() {
        let is_instalment = |cents| version.instalments.iter().any(|part| part.cents == cents);
        let together = by_voucher.plus(by_card);
        // A card that pays an instalment by itself, and none with the voucher.
        if is_instalment(by_card) && !is_instalment(together) && together != version.total {
            return false;
        }
        // A payment whose own total is less than the order's is an instalment: no more than its rest belongs to it.
        let is_too_much = voucher
            .total()
            .is_some_and(|own| by_voucher < own && own < version.total && by_voucher.plus(by_card) > own);
        return by_voucher < version.total && by_card < version.total && !is_too_much;
    }
    match voucher.total() {
        Some(total) if by_voucher < total => by_card < total,
        // One amount twice is a double payment rather than two parts of a payment.
        Some(_) => by_card.is_positive() && !is_short(card, order) && by_card != by_voucher,
        None if is_whole(card, order) => by_card != by_voucher,
        None => true,
    }
}

/// The payment comes to the total that its PSP states.
fn is_whole(attempt: &Attempt, order: &Order) -> bool {
    attempt.total().is_some_and(|total| paid(attempt, order) >= total)
}

/// The payment comes to less than the total that its PSP states.
fn is_short(attempt: &Attempt, order: &Order) -> bool {
    attempt.total().is_some_and(|total| paid(attempt, order) < total)
}

/// A total that says more than what this payment came to. That of a payment that is whole in itself may be no
/// more than this part of the order, and that of one that came to nothing too.
fn total_beyond(attempt: &Attempt, order: &Order) -> Option<Cents> {
    attempt.total().filter(|_| is_short(attempt, order) && paid(attempt, order).is_positive())
}

fn expected(attempt: &Attempt, order: &Order) -> Option<Cents> {
    order.current().map(|version| version.total).or(attempt.total())
}

fn paid(attempt: &Attempt, order: &Order) -> Cents {
    let currency = order.current().map_or(Currency::EUR, |version| version.currency);
    attempt.accepted().map(|e| &e.tender).filter(|t| t.currency == currency).map(|t| t.amount).sum()
}
