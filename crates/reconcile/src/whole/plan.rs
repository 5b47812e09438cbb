//! A plan of several payments: when they are due, and which of the payments is which of them.

use std::time::Duration;

use cvco_domain::{Cents, Demand, Order, Policy, Timestamp};

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
const AT_ONCE: Duration = Duration::from_hours(24);

/// By so much instalments may differ that are meant to be equal.
const ROUNDING: Cents = Cents::new(100);

/// Says of each payment whether anything is missing of it by itself: it comes to the order, to its own total where its PSP
/// states one, or to an instalment that no other payment came to.
pub(super) fn complete(payments: &mut [Payment], order: &Order) {
    let Some(version) = order.current() else {
        for payment in payments.iter_mut() {
            payment.is_complete =
                payment.own_total.map_or(payment.is_complete, |own| payment.accepted() >= own);
        }
        return;
    };
    let mut instalments: Vec<Cents> = version.instalments.iter().map(|part| part.cents).collect();
    let mut paid: Vec<(Cents, Option<Timestamp>)> = Vec::new();
    for place in by_time(payments) {
        let Some(payment) = payments.get_mut(place) else { continue };
        let accepted = payment.accepted();
        let pays_its_own = payment.own_total.is_some_and(|own| accepted >= own);
        let open = instalments.iter().position(|cents| *cents == accepted && payment.counts());
        if let Some(instalment) = open {
            instalments.remove(instalment);
            payment.instalment = Instalment::Paid;
            paid.push((accepted, payment.at));
        } else if payment.counts() && (payment.alone().is_none() || payment.may_be_all_of_it()) {
            let is_repeated = |(cents, at): &(Cents, Option<Timestamp>)| {
                *cents == accepted && at.zip(payment.at).is_some_and(|(first, at)| at.since(first) < AT_ONCE)
            };
            // Instalments of a third differ by a cent: who pays the next one so pays it.
            let nearly = |open: &Cents| open.minus(accepted).abs() <= ROUNDING;
            if paid.iter().any(is_repeated) && !instalments.iter().any(nearly) {
                payment.instalment = Instalment::PaidAgain;
            }
        }
        payment.is_complete = accepted >= version.total
            || (accepted.is_positive() && (pays_its_own || payment.instalment == Instalment::Paid));
    }
    for place in by_time(payments) {
        let half =
            |payment: &&mut Payment| payment.counts() && payment.is_half() && payment.own_total.is_none();
        let Some(payment) = payments.get_mut(place).filter(half) else { continue };
        let (accepted, tried) = (payment.accepted(), payment.tried);
        let begun = instalments
            .iter()
            .position(|cents| *cents == tried && tried > accepted)
            .or_else(|| instalments.iter().position(|cents| *cents > accepted));
        payment.begun = begun.map(|place| instalments.remove(place));
    }
    go_on_with_the_plan(payments, &instalments);
}

/// What is paid towards a plan otherwise than in its instalments fills those that are left, one after the other. The last such
/// payment is held against the end of the instalment that it begins or goes on with; one that reaches into a later instalment is
/// money on account.
fn go_on_with_the_plan(payments: &mut [Payment], instalments: &[Cents]) {
    let goes_on = |payment: &Payment| {
        payment.counts()
            && payment.instalment == Instalment::No
            && payment.begun.is_none()
            && payment.own_total.is_none()
            && payment.accepted().is_positive()
    };
    let places = by_time(payments).into_iter().filter(|place| payments.get(*place).is_some_and(goes_on));
    let places: Vec<usize> = places.collect();
    let paid: Cents = places.iter().filter_map(|place| payments.get(*place)).map(Payment::accepted).sum();
    let ends = instalments.iter().scan(Cents::ZERO, |end, cents| {
        *end = end.plus(*cents);
        Some(*end)
    });
    let (filled, open): (Vec<Cents>, Vec<Cents>) = ends.partition(|end| *end <= paid);
    let filled = filled.last().copied().unwrap_or_default();
    let Some(last) = places.last().and_then(|place| payments.get_mut(*place)) else { return };
    let reaches_into_it = paid.minus(last.accepted()) < filled;
    if paid > filled && !reaches_into_it {
        last.begun = open.first().map(|end| last.accepted().plus(end.minus(paid)));
    }
}
