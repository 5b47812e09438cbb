//! Which messages are about one chargeback. A PSP that numbers what is done to a payment may tell a chargeback by an operation
//! of its own, by the one that it takes back, or by the payment as a whole, and its API may name another one than its
//! messages do.

use cvco_domain::{Cents, Source};

use super::Fact;
use super::weighing::is_accepting;

/// Unites what is told of the chargebacks of one payment. Two of them are two if each has its own amount, or if each was
/// notified as made under a name of its own. Whatever only announces one, or does not say how much, is about the first.
pub(super) fn each_once(told: Vec<Vec<&Fact>>) -> Vec<Vec<&Fact>> {
    let (made, others): (Vec<_>, Vec<_>) = told.into_iter().partition(|facts| amount(facts).is_some());
    let mut united: Vec<Vec<&Fact>> = Vec::new();
    for facts in made {
        let is_same = |known: &&mut Vec<&Fact>| {
            amount(known) == amount(&facts) && !(is_notified(known) && is_notified(&facts))
        };
        match united.iter_mut().find(is_same) {
            Some(known) => known.extend(facts),
            None => united.push(facts),
        }
    }
    let others: Vec<&Fact> = others.into_iter().flatten().collect();
    match united.first_mut() {
        Some(first) => first.extend(others),
        None => united.extend((!others.is_empty()).then_some(others)),
    }
    united
}

/// What the bank took back, where it did and somebody says how much.
fn amount(facts: &[&Fact]) -> Option<Cents> {
    made(facts).map(|fact| fact.event.amount).filter(|amount| amount.is_positive()).min()
}

fn is_notified(facts: &[&Fact]) -> bool {
    made(facts).any(|fact| fact.source == Source::Notification)
}

fn made<'f>(facts: &'f [&Fact]) -> impl Iterator<Item = &'f Fact> {
    facts.iter().copied().filter(|fact| is_accepting(fact.event.state))
}
