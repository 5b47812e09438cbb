//! Two stories about one transaction: notifications that contradict each other, or an answer of the PSP's API
//! that contradicts them. An answer that is merely further on (authorised, then captured or cancelled)
//! contradicts nothing, and of two answers the later one is believed.

use std::collections::BTreeSet;

use cvco_domain::{Cents, Currency, Difference, ReportedState, Source, Verdict};

use super::Fact;
use super::weighing::{is_accepting, is_captured_and_cancelled};

/// The story about a tender that is not the one believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dispute {
    pub(super) between: Between,
    /// The amount that it states, if that is what differs.
    pub(super) amount: Option<Cents>,
    /// What else differs.
    pub(super) differences: Vec<Difference>,
}

/// Who contradicts whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Between {
    /// Two genuine notifications.
    Notifications,
    /// A genuine notification and the PSP's own API.
    NotificationAndAnswer,
}

impl Dispute {
    /// What the facts about one tender say against each other, where one amount is believed, on the strength of
    /// the `confirmed` fact if there is one. A disagreement with the API says all: the conflict behind it stays
    /// silent.
    pub(super) fn about(facts: &[&Fact], believed: Cents, confirmed: Option<&Fact>) -> Option<Self> {
        let (notified, answers): (Vec<&Fact>, Vec<&Fact>) =
            facts.iter().partition(|fact| fact.source == Source::Notification);
        with_answers(&notified, &answers, confirmed).or_else(|| among(&notified, believed))
    }
}

/// Several amounts that are told of one refund. What it came to is said elsewhere, and what its turns come to is no dispute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OtherAmount {
    pub(super) between: Between,
    pub(super) believed: Cents,
    /// The one that differs most.
    pub(super) other: Cents,
}

impl OtherAmount {
    /// Of the facts that state by how much a refund was made. Without a transaction nothing says that two are about the same
    /// one. An answer of the API settles a conflict of which it says one side; but no refund changes from one answer to the next.
    pub(super) fn among(stated: &[&Fact], believed: Cents) -> Option<Self> {
        stated.first()?.event.tender_id.as_ref()?;
        let (notified, answers): (Vec<&Fact>, Vec<&Fact>) =
            stated.iter().partition(|fact| fact.source == Source::Notification);
        let (notified, answered) = (own_amounts(&notified, believed), own_amounts(&answers, believed));
        if answered.len() == 1 && answered.is_subset(&notified) {
            return None;
        }
        let differs = |other: &&Cents| **other != believed;
        let farthest = |other: &&Cents| (other.minus(believed).abs(), **other);
        let other = notified.union(&answered).filter(differs).max_by_key(farthest)?;
        let is_answered = !notified.is_empty() && !answered.is_empty();
        let between = if is_answered { Between::NotificationAndAnswer } else { Between::Notifications };
        Some(Self { between, believed, other: *other })
    }
}

/// The amounts that notifications state as the part's own. One that the merchant lowered at the PSP is no other story.
fn own_amounts(notified: &[&Fact], believed: Cents) -> BTreeSet<Cents> {
    let is_lowered = |fact: &Fact| fact.event.revised && fact.event.amount <= believed;
    let own = notified.iter().filter(|fact| fact.event.amount_from.is_part() && !is_lowered(fact));
    own.map(|fact| fact.event.amount).collect()
}

fn among(notified: &[&Fact], believed: Cents) -> Option<Dispute> {
    let amounts = own_amounts(notified, believed);
    let other = amounts.iter().copied().find(|amount| *amount != believed).filter(|_| amounts.len() > 1);
    let (mut accepting, mut failing) = (codes(notified, is_accepting), codes(notified, is_failing));
    if is_captured_and_cancelled(notified) {
        accepting = codes(notified, |state| state == ReportedState::Captured);
        failing.extend(codes(notified, |state| state == ReportedState::Cancelled));
    }
    let contradictory = !accepting.is_empty() && !failing.is_empty();
    let by = Source::Notification;
    let differences = contradictory.then(|| Difference::Outcome {
        accepted_by: verdicts(by, accepting),
        failed_by: verdicts(by, failing),
    });
    dispute(Between::Notifications, other, differences.into_iter().collect())
}

fn with_answers(notified: &[&Fact], answers: &[&Fact], confirmed: Option<&Fact>) -> Option<Dispute> {
    // An answer that agrees with one of two notifications settles their conflict, and contradicts nobody itself.
    let other = confirmed.and_then(|Fact { event, .. }| {
        let notified = own_amounts(notified, event.amount);
        let is_lowered = |amount: &Cents| event.revised && event.amount <= *amount;
        if notified.contains(&event.amount) { None } else { notified.into_iter().find(|a| !is_lowered(a)) }
    });
    let differences = [other_currency(notified, answers), other_outcome(notified, answers)];
    dispute(Between::NotificationAndAnswer, other, differences.into_iter().flatten().collect())
}

fn dispute(between: Between, amount: Option<Cents>, differences: Vec<Difference>) -> Option<Dispute> {
    (amount.is_some() || !differences.is_empty()).then_some(Dispute { between, amount, differences })
}

fn other_currency(notified: &[&Fact], answers: &[&Fact]) -> Option<Difference> {
    let last = answers.iter().max_by_key(|fact| (fact.received_at, fact.event.currency))?.event.currency;
    let notified: BTreeSet<Currency> = notified.iter().map(|fact| fact.event.currency).collect();
    let other = notified.into_iter().find(|currency| *currency != last)?;
    Some(Difference::Currency(other, last))
}

/// Where notifications accept a transaction, or an earlier answer did, and the last decided answer fails it, or the reverse.
fn other_outcome(notified: &[&Fact], answers: &[&Fact]) -> Option<Difference> {
    let decided = answers.iter().filter(|fact| fact.event.state != ReportedState::Pending);
    let last = decided.max_by_key(|fact| (fact.received_at, fact.event.state, &fact.event.status.code))?;
    let (accepting, failing) = (codes(notified, is_accepting), codes(notified, is_failing));
    let notified = |codes| verdicts(Source::Notification, codes);
    let answered = verdicts(Source::Confirmation, BTreeSet::from([last.event.status.code.as_str()]));
    let accepted_before = codes(answers, is_accepting);
    if is_failing(last.event.state) && !accepting.is_empty() {
        Some(Difference::Outcome { accepted_by: notified(accepting), failed_by: answered })
    } else if is_failing(last.event.state) && !accepted_before.is_empty() {
        let accepted_by = verdicts(Source::Confirmation, accepted_before);
        Some(Difference::Outcome { accepted_by, failed_by: answered })
    } else if is_accepting(last.event.state) && accepting.is_empty() && !failing.is_empty() {
        Some(Difference::Outcome { accepted_by: answered, failed_by: notified(failing) })
    } else {
        None
    }
}

pub(super) const fn is_failing(state: ReportedState) -> bool {
    matches!(state, ReportedState::Abandoned | ReportedState::Refused)
}

fn codes<'a>(facts: &[&'a Fact], wanted: fn(ReportedState) -> bool) -> BTreeSet<&'a str> {
    let told = facts.iter().filter(|fact| wanted(fact.event.state));
    told.map(|fact| fact.event.status.code.as_str()).collect()
}

fn verdicts(source: Source, codes: BTreeSet<&str>) -> Vec<Verdict> {
    codes.into_iter().map(|code| Verdict { source, code: code.to_owned() }).collect()
}
