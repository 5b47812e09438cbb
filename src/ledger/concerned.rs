//! The orders that a statement speaks of, and what in it is news to them.

use cvco_domain::{Event, OrderKey, OrderRef, Question, Source, TenderId};
use cvco_reconcile::Fact;

use super::entry::Verdict;

/// An order that a statement speaks of.
pub(super) struct Concerned {
    pub(super) id: i64,
    pub(super) key: OrderKey,
    /// All that is known, in the order in which it was learned, the news included.
    pub(super) facts: Vec<Fact>,
    /// Which of the statement's events are new.
    pub(super) news: Vec<u32>,
}

impl Concerned {
    /// Takes a fact, unless it is known.
    pub(super) fn learn(&mut self, position: u32, fact: Fact) {
        if !self.knows(&fact) {
            self.facts.push(fact);
            self.news.push(position);
        }
    }

    /// Whether the same PSP told the same event at the same endpoint in the same way. An answer that was contradicted
    /// by a later one is news when it comes again: of two answers the later one is believed.
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

/// What a statement amounts to.
pub(super) fn verdict(concerned: &[Concerned]) -> Verdict {
    if concerned.is_empty() {
        Verdict::Ignored
    } else if concerned.iter().all(|order| order.news.is_empty()) {
        Verdict::Duplicate
    } else {
        Verdict::Genuine
    }
}

/// The order that a notification's question is about. Of several orders it is the one with an event that the subject
/// names.
pub(super) fn order_of(question: &Question, concerned: &[Concerned]) -> Option<i64> {
    let subject = question.subject.as_str();
    let named = |fact: &Fact| {
        let event = &fact.event;
        let tender = event.tender_id.as_ref().map(TenderId::as_str);
        let order = event.order_ref.as_ref().map(OrderRef::as_str);
        [tender, order, Some(event.call_number.as_str())].contains(&Some(subject))
    };
    match concerned {
        [one] => Some(one.id),
        several => several.iter().find(|order| order.facts.iter().any(named)).map(|order| order.id),
    }
}
