//! Under which call number a transaction is found. Monext's API tells the same transaction under the token of
//! its session and, where the transaction itself was asked about, under its own identifier: one tender all the
//! same.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use cvco_domain::{CallNumber, Psp, TenderId};

use super::Fact;

/// The facts, those about one transaction all under one call number.
pub(super) fn united(facts: &[Fact]) -> Cow<'_, [Fact]> {
    let mut known: BTreeMap<(Psp, &TenderId), BTreeSet<&CallNumber>> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.psp.terms().transaction_names_tender) {
        if let Some(id) = &fact.event.tender_id {
            known.entry((fact.psp, id)).or_default().insert(&fact.event.call_number);
        }
    }
    if known.values().all(|calls| calls.len() < 2) {
        return Cow::Borrowed(facts);
    }
    let moved = |fact: &Fact| {
        let id = fact.event.tender_id.as_ref()?;
        preferred(id, known.get(&(fact.psp, id))?)
    };
    let united = |fact: &Fact| {
        let mut fact = fact.clone();
        if let Some(call) = moved(&fact) {
            fact.event.call_number = call.clone();
        }
        fact
    };
    Cow::Owned(facts.iter().map(united).collect())
}

/// A call number that is no more than the transaction's own name ties it to nothing.
fn preferred<'a>(id: &TenderId, calls: &BTreeSet<&'a CallNumber>) -> Option<&'a CallNumber> {
    calls.iter().copied().min_by_key(|call| (call.as_str() == id.as_str(), *call))
}
