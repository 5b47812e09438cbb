//! The orders that a report speaks of, and what in it is news to them.

use cvco_domain::{Event, OrderKey, OrderRef, Question, Source, TenderId};
use cvco_reconcile::Fact;

use super::Verdict;
use crate::tables::ids::OrderId;

/// An order that a report speaks of.
pub(super) struct AffectedOrder {
    pub(super) id: OrderId,
    pub(super) key: OrderKey,
    /// Nothing was known of it before.
    pub(super) is_new: bool,
    /// All that is known, in the order in which it was learned; the news come last.
    pub(super) facts: Vec<Fact>,
    /// Which of the report's events are new.
    pub(super) news: Vec<u32>,
}

impl AffectedOrder {
    /// Adds a fact, unless it is known.
    pub(super) fn add(&mut self, position: u32, fact: Fact) {
        if !self.knows(&fact) {
            self.facts.push(fact);
            self.news.push(position);
        }
    }

    /// The facts that are new, each with its place in the report.
    pub(super) fn new_facts(&self) -> impl Iterator<Item = (u32, &Fact)> {
        let known = self.facts.len().saturating_sub(self.news.len());
        self.news.iter().copied().zip(self.facts.iter().skip(known))
    }

    /// Whether the same PSP told the same event at the same endpoint in the same way. An answer that was contradicted by a
    /// later one is news when it comes again: of two answers the later one is believed.
    fn knows(&self, fact: &Fact) -> bool {
        let told = |known: &&Fact| {
            (known.psp, known.source) == (fact.psp, fact.source) && known.endpoint == fact.endpoint
        };
        let mut told = self.facts.iter().rev().filter(told);
        match fact.source {
            Source::Notification => told.any(|known| known.event == fact.event),
            Source::Confirmation => told
                .find(|known| speak_of_the_same(&known.event, &fact.event))
                .is_some_and(|last| last.event == fact.event),
        }
    }
}

/// An answer can tell how the same transaction went from state to state; in one state it has one amount.
fn speak_of_the_same(one: &Event, other: &Event) -> bool {
    (&one.call_number, &one.tender_id, &one.brand) == (&other.call_number, &other.tender_id, &other.brand)
        && (&one.operation, one.state, &one.status) == (&other.operation, other.state, &other.status)
}

/// What a notification amounts to.
pub(super) fn verdict(affected: &[AffectedOrder]) -> Verdict {
    if affected.is_empty() {
        Verdict::Ignored
    } else if affected.iter().all(|order| order.news.is_empty()) {
        Verdict::Duplicate
    } else {
        Verdict::Genuine
    }
}

/// The order that a notification's question is about. Of several orders it is the one with an event that the subject
/// names.
pub(super) fn order_of(question: &Question, affected: &[AffectedOrder]) -> Option<OrderId> {
    let subject = question.subject.as_str();
    let named = |fact: &Fact| {
        let event = &fact.event;
        let tender = event.tender_id.as_ref().map(TenderId::as_str);
        let order = event.order_ref.as_ref().map(OrderRef::as_str);
        [tender, order, Some(event.call_number.as_str())].contains(&Some(subject))
    };
    match affected {
        [one] => Some(one.id),
        several => several.iter().find(|order| order.facts.iter().any(named)).map(|order| order.id),
    }
}
