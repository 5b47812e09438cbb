//! What each payment of an order is held against.

use cvco_domain::{Cents, ExpectedFrom, Order};

use super::{Parts, Payment, Standing, Whole, by_time};

/// Of a registered order: what falls to each payment.
pub(super) fn of_order(payments: &mut [Payment], whole: &Whole, total: Cents, order: &Order) {
    // Where the PSP was told the whole order, it is the order that has changed since.
    let is_of_a_part =
        |own: &Cents| *own < total && order.versions.iter().all(|version| version.total != *own);
    let has_plan = order.current().is_some_and(|version| !version.instalments.is_empty());
    let several = payments.iter().filter(|payment| payment.counts()).count() > 1;
    let tried_again: Vec<Option<Cents>> = payments.iter().map(|half| tried_again(half, payments)).collect();
    for (payment, tried_again) in payments.iter_mut().zip(tried_again) {
        let without_it = whole.paid.minus(payment.paid);
        let may_be_left_over = payment.is_half() || payment.alone().is_some() && payment.other_part_failed;
        let is_left_over = payment.counts() && several && may_be_left_over && without_it >= total;
        payment.left_over_beside = is_left_over.then_some(total).or(tried_again);
        let own_total = payment.own_total.filter(is_of_a_part);
        // What was let off is no less expected of the payment that was given back.
        let total = if payment.counts() { total } else { total.plus(whole.let_off) };
        let is_all = !several && own_total.is_none() && !has_plan && payment.begun.is_none();
        let accepted = payment.accepted();
        let is_undone_half = payment.is_half() && !has_plan && !whole.paid.is_positive();
        let expected = if payment.standing == Standing::Undone && accepted.is_positive() && !is_undone_half {
            // Nothing is missing of what was given back.
            (accepted.min(total), ExpectedFrom::Order)
        } else if let (false, Some(own)) = (payment.counts(), own_total) {
            // What came to nothing was to be a part of the order.
            (own, ExpectedFrom::Psp)
        } else if !payment.counts() || accepted >= total || is_all {
            (total, ExpectedFrom::Order)
        } else if whole.has_begun_beside(payment) {
            (payment.tried, ExpectedFrom::Order)
        } else if whole.paid == total || payment.is_made_up {
            (accepted, ExpectedFrom::Order)
        } else if let Some(own) = own_total {
            (own, ExpectedFrom::Psp)
        } else if payment.left_over_beside.is_some() {
            (payment.tried, ExpectedFrom::Order)
        } else if let Some(instalment) = payment.begun {
            (instalment, ExpectedFrom::Order)
        } else if has_plan {
            (accepted, ExpectedFrom::Order)
        } else {
            (total.minus(without_it).plus(payment.taken_back), ExpectedFrom::Order)
        };
        payment.expected = Some(expected);
    }
    if whole.paid > total && several {
        if whole.gap() == Some(Cents::ZERO) {
            for payment in payments.iter_mut().filter(|payment| payment.counts()) {
                // What was too much went back, of whichever payment.
                payment.expected = Some((payment.kept().plus(payment.taken_back), ExpectedFrom::Order));
            }
        } else {
            share_out(payments, total);
        }
    }
}

/// What was paid later in the place of a payment of which one part came to nothing: the sum that both were to come to.
fn tried_again(half: &Payment, payments: &[Payment]) -> Option<Cents> {
    if !half.counts() || half.alone().is_none() || half.is_made_up {
        return None;
    }
    let wanted = half.wanted().or(half.begun)?;
    let instead = |other: &&Payment| {
        other.counts() && !other.is_half() && other.accepted() == wanted && other.at > half.at
    };
    payments.iter().find(instead).map(Payment::accepted)
}

/// Where too much was paid, each payment in its turn is for what the earlier ones left of the order; one part alone comes
/// last. A payment of the whole order is held against that.
fn share_out(payments: &mut [Payment], total: Cents) {
    let mut places = by_time(payments);
    places.sort_by_key(|place| {
        payments.get(*place).is_some_and(|payment| payment.is_half() || payment.left_over_beside.is_some())
    });
    let mut left = total;
    for place in places {
        let Some(payment) = payments.get_mut(place).filter(|payment| payment.counts()) else { continue };
        let share = payment.paid.min(left);
        left = left.minus(share);
        if payment.accepted() < total {
            payment.expected = Some((share.plus(payment.taken_back), ExpectedFrom::Order));
        }
    }
}

/// Without a registered order: each payment is held against its own total. One part alone, beside a complete payment of the
/// same total (where totals are stated) or a later one of both parts (where none is), is left over.
pub(super) fn as_stated(payments: &mut [Payment]) {
    let beside: Vec<Option<Cents>> = payments.iter().map(|half| paid_instead_of(half, payments)).collect();
    for (payment, beside) in payments.iter_mut().zip(beside) {
        payment.left_over_beside = beside;
        let own = if payment.is_made_up {
            payment.own_total.map(|_| payment.accepted())
        } else {
            payment.own_total
        };
        payment.expected = own.map(|own| (own, ExpectedFrom::Psp));
    }
}

fn paid_instead_of(half: &Payment, payments: &[Payment]) -> Option<Cents> {
    if !half.counts() || !half.is_half() || !half.other_part_failed && half.own_total.is_none() {
        return None;
    }
    let instead = |other: &&Payment| {
        other.counts()
            && match (half.own_total, other.own_total) {
                (Some(total), Some(own)) => total == own && other.is_complete,
                (None, None) => other.parts == Parts::Both && other.at > half.at,
                _ => false,
            }
    };
    let instead = payments.iter().find(instead)?;
    Some(instead.own_total.unwrap_or(instead.accepted()))
}
