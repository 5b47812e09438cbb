//! One part alone, whose other part came to nothing, and a payment of just that: the customer did what the alert asked for,
//! perhaps at another PSP.

use std::collections::BTreeSet;

use cvco_domain::Cents;

use super::{Payment, by_time};

/// Two payments that come to what one of them was to be, by their places.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    pub(super) half: usize,
    pub(super) rest: usize,
}

/// Each part alone with the first payment after it that comes to what it lacks.
pub(super) fn pairs(payments: &[Payment]) -> Vec<Pair> {
    let mut taken = BTreeSet::new();
    let mut pairs = Vec::new();
    for half in by_time(payments) {
        let Some(payment) = payments.get(half).filter(|payment| payment.counts()) else { continue };
        let Some(lacks) = payment.wanted().map(|wanted| wanted.minus(payment.accepted())) else { continue };
        let is_it = |place: &usize| {
            let is_rest = |other: &Payment| other.is_rest(lacks) && other.at >= payment.at;
            *place != half && !taken.contains(place) && payments.get(*place).is_some_and(is_rest)
        };
        if let Some(rest) = by_time(payments).into_iter().find(is_it) {
            taken.insert(rest);
            pairs.push(Pair { half, rest });
        }
    }
    pairs
}

impl Payment {
    /// A payment of so much, to which nothing else belongs. Vouchers alone may yet get a part of their own.
    fn is_rest(&self, lacks: Cents) -> bool {
        self.counts()
            && self.accepted() == lacks
            && self.own_total.is_none_or(|own| own <= lacks)
            && self.alone().is_none()
    }
}
