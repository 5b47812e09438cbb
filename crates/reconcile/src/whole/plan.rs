//! A plan of several payments: when they are due, and which of the payments is which of them.

use std::time::Duration;

use cvco_domain::{self as domain, Cents, Demand, Order, Policy, Timestamp};

use super::made_up::{self, Pair};
use super::{Instalment, Payment, by_time};

/// When each demand has to be met. A customer who pays is given the grace to go on, whatever was due before; who pays some
/// more when that is over was late all the same.
pub(super) fn demands(order: &Order, policy: &Policy, heard_at: &[Timestamp]) -> Vec<(Timestamp, Cents)> {
    let Some((version, first)) = order.current().zip(heard_at.first()) else { return Vec::new() };
    let deadline = |due: Option<Timestamp>| {
        let until = |at: Timestamp| {
            let grace_is_over = at.after(policy.complement_grace);
            due.map_or(grace_is_over, |due| due.max(grace_is_over))
        };
        let goes_on = |deadline, at: &Timestamp| if *at < deadline { until(*at) } else { deadline };
        heard_at.iter().fold(until(*first), goes_on)
    };
    version.demands().into_iter().map(|Demand { due, cents }| (deadline(due), cents)).collect()
}

/// Whoever pays the same twice within this time has hardly meant to; later it may be the next instalment, or money on account.
pub(super) const AT_ONCE: Duration = Duration::from_hours(24);

/// By so much instalments may differ that are meant to be equal.
const ROUNDING: Cents = Cents::new(100);

/// Says of each payment whether anything is missing of it by itself: it comes to the order, to its own total where its PSP
/// states one, or to an instalment that no other payment came to.
pub(super) fn complete(payments: &mut [Payment], order: &Order) {
    let pairs = made_up::pairs(payments);
    for place in pairs.iter().flat_map(|Pair { half, rest }| [*half, *rest]) {
        payments.get_mut(place).into_iter().for_each(|payment| payment.is_made_up = true);
    }
    let Some(version) = order.current() else {
        for payment in payments.iter_mut() {
            let pays_its_own = payment.own_total.map_or(payment.is_complete, |own| payment.accepted() >= own);
            payment.is_complete = pays_its_own || payment.is_made_up;
        }
        return;
    };
    let mut open = Open::of(&version.instalments);
    let mut paid: Vec<(Cents, Option<Timestamp>)> = Vec::new();
    let mut together = Together::default();
    for place in by_time(payments) {
        if let Some(pair) = pairs.iter().find(|pair| [pair.half, pair.rest].contains(&place)) {
            if pair.rest == place {
                pay_as_one(payments, *pair, &mut open);
            }
            continue;
        }
        let Some(payment) = payments.get_mut(place) else { continue };
        let accepted = payment.accepted();
        let pays_its_own = payment.own_total.is_some_and(|own| accepted >= own);
        let mut done = Vec::new();
        if payment.counts() && open.take(accepted) {
            payment.instalment = Instalment::Paid;
            paid.push((accepted, payment.at));
        } else if payment.counts() && (payment.alone().is_none() || payment.may_be_all_of_it()) {
            let is_repeated = |(cents, at): &(Cents, Option<Timestamp>)| {
                *cents == accepted && at.zip(payment.at).is_some_and(|(first, at)| at.since(first) < AT_ONCE)
            };
            if paid.iter().any(is_repeated) && !open.has_one_near(accepted) {
                payment.instalment = Instalment::PaidAgain;
            } else if payment.alone().is_none() || pays_its_own {
                done = together.complete(&mut open, place, accepted);
                if done.is_empty() {
                    open.fill(accepted, place);
                }
            }
        }
        payment.is_complete = accepted >= version.total
            || (accepted.is_positive() && (pays_its_own || payment.instalment == Instalment::Paid));
        if is_half(payment) {
            done = together.add(&mut open, place, accepted);
        }
        for place in done {
            let Some(payment) = payments.get_mut(place) else { continue };
            (payment.instalment, payment.is_complete) = (Instalment::Paid, true);
        }
    }
    for place in by_time(payments) {
        let Some(payment) = payments.get_mut(place).filter(|payment| is_half(payment)) else { continue };
        payment.begun = open.begin(payment.accepted(), payment.tried);
    }
    for Left { cents, filled_by } in open.0 {
        let last = filled_by.and_then(|place| payments.get_mut(place));
        if let Some(payment) = last.filter(|payment| payment.own_total.is_none()) {
            payment.begun = Some(payment.accepted().plus(cents));
        }
    }
}

/// One part alone of which nobody says what it was to come to with another.
fn is_half(payment: &Payment) -> bool {
    payment.counts() && payment.is_half() && payment.own_total.is_none()
}

/// Two payments that come to what one of them was to be are one to the plan.
fn pay_as_one(payments: &mut [Payment], Pair { half, rest }: Pair, open: &mut Open) {
    let both = [half, rest];
    let accepted = both.iter().filter_map(|place| payments.get(*place)).map(Payment::accepted).sum();
    let is_instalment = open.take(accepted);
    if !is_instalment {
        open.fill(accepted, rest);
    }
    for place in both {
        let Some(payment) = payments.get_mut(place) else { continue };
        payment.is_complete = true;
        if is_instalment {
            payment.instalment = Instalment::Paid;
        }
    }
}

/// Parts that were paid one after the other, each alone, and come to no instalment yet: two vouchers may pay one together, or
/// vouchers and a card that was paid elsewhere.
#[derive(Default)]
struct Together {
    places: Vec<usize>,
    sum: Cents,
}

impl Together {
    /// Takes one more part; the places of those that pay an instalment with it, itself among them.
    fn add(&mut self, open: &mut Open, place: usize, accepted: Cents) -> Vec<usize> {
        self.places.push(place);
        self.sum = self.sum.plus(accepted);
        if open.take_with_earlier(self.sum) { std::mem::take(self).places } else { Vec::new() }
    }

    /// The same for a payment that may stand for itself: it is one of them only where it completes an instalment.
    fn complete(&mut self, open: &mut Open, place: usize, accepted: Cents) -> Vec<usize> {
        if self.places.is_empty() || !open.take_with_earlier(self.sum.plus(accepted)) {
            return Vec::new();
        }
        let mut places = std::mem::take(self).places;
        places.push(place);
        places
    }
}

/// The instalments that are not paid whole, in the order of the plan.
struct Open(Vec<Left>);

/// What is left to pay of an instalment.
struct Left {
    cents: Cents,
    /// The place of the last payment that began it, or went on with it, otherwise than by paying all of it. One that paid an
    /// earlier one whole and reaches into this one is money on account.
    filled_by: Option<usize>,
}

impl Open {
    fn of(instalments: &[domain::Instalment]) -> Self {
        Self(instalments.iter().map(|part| Left { cents: part.cents, filled_by: None }).collect())
    }

    /// Takes an instalment out of which just so much is left; whether there is one.
    fn take(&mut self, cents: Cents) -> bool {
        let place = self.0.iter().position(|left| left.cents == cents);
        place.map(|place| self.0.remove(place)).is_some()
    }

    /// Takes an instalment as [`Self::take`], or the first of them that come to just so much together.
    fn take_with_earlier(&mut self, cents: Cents) -> bool {
        let mut so_far = Cents::ZERO;
        let mut count = 0;
        while so_far < cents
            && let Some(left) = self.0.get(count)
        {
            so_far = so_far.plus(left.cents);
            count += 1;
        }
        let is_several = count > 1 && so_far == cents;
        if is_several {
            self.0.drain(..count);
        }
        is_several || self.take(cents)
    }

    /// Instalments of a third differ by a cent: who pays the next one so pays it.
    fn has_one_near(&self, cents: Cents) -> bool {
        self.0.iter().any(|left| left.cents.minus(cents).abs() <= ROUNDING)
    }

    /// A payment that comes to none of them pays one after the other.
    fn fill(&mut self, mut cents: Cents, place: usize) {
        let mut pays_one_whole = false;
        while let Some(left) = self.0.first_mut().filter(|_| cents.is_positive()) {
            if left.cents > cents {
                *left =
                    Left { cents: left.cents.minus(cents), filled_by: (!pays_one_whole).then_some(place) };
                return;
            }
            cents = cents.minus(left.cents);
            pays_one_whole = true;
            self.0.remove(0);
        }
    }

    /// Takes out the instalment that one part alone begins: the one that was tried, or the first that it does not pay whole. What
    /// is left of it.
    fn begin(&mut self, accepted: Cents, tried: Cents) -> Option<Cents> {
        let place = self.0.iter().position(|left| left.cents == tried && tried > accepted);
        let place = place.or_else(|| self.0.iter().position(|left| left.cents > accepted))?;
        Some(self.0.remove(place).cents)
    }
}
