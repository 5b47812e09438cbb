//! The rules about two stories: notifications that contradict each other, and a PSP whose API contradicts them
//! or does not know what they tell.

use std::collections::BTreeSet;

use cvco_domain::{Cents, Detail, Finding, Kind, Order, StoryOf};

use super::super::disputes::{Between, OtherAmount};
use super::super::records::Draft;
use super::super::refunds::{By, Return};
use super::super::tenders::Evidence;

/// Every dispute about the tenders of a record.
pub(super) fn findings(draft: &Draft, order: &Order) -> Vec<Finding> {
    let mut found: Vec<_> = draft.evidence.iter().filter_map(|evidence| disputed(draft, evidence)).collect();
    found.extend(draft.evidence.iter().flat_map(|evidence| refunds_of_other_amount(draft, evidence)));
    found.extend(unknown_to_the_api(draft, order));
    found
}

/// Same transaction, other content.
fn disputed(draft: &Draft, evidence: &Evidence) -> Option<Finding> {
    let dispute = evidence.dispute.as_ref()?;
    let part = draft.part(evidence);
    let subject = part.to_string();
    let detail = Detail::Dispute { part, of: StoryOf::Payment, differences: dispute.differences.clone() };
    let believed = dispute.amount.map(|_| evidence.tender.amount);
    let (kind, expected, actual) = dispute.between.tells(believed, dispute.amount);
    Some(Finding { expected, actual, ..draft.finding(kind, &subject, detail) })
}

/// Same refund, other amount.
fn refunds_of_other_amount(draft: &Draft, evidence: &Evidence) -> Vec<Finding> {
    let of = |refund: &Return| {
        let OtherAmount { between, believed, other } = refund.other_amount.as_ref()?;
        let part = draft.part(evidence);
        let name = refund.id.as_ref().map_or_else(String::new, ToString::to_string);
        let subject = format!("refund {name} of {part}");
        let of = match refund.by {
            By::Merchant => StoryOf::Refund,
            By::Bank => StoryOf::Chargeback,
        };
        let detail = Detail::Dispute { part, of, differences: Vec::new() };
        let (kind, expected, actual) = between.tells(Some(*believed), Some(*other));
        Some(Finding { expected, actual, ..draft.finding(kind, &subject, detail) })
    };
    evidence.returns.iter().filter_map(of).collect()
}

impl Between {
    /// What kind it is, and its figures in the order in which that kind has them.
    const fn tells(
        self,
        believed: Option<Cents>,
        other: Option<Cents>,
    ) -> (Kind, Option<Cents>, Option<Cents>) {
        match self {
            Self::Notifications => (Kind::ConflictingNotification, believed, other),
            Self::NotificationAndAnswer => (Kind::ConfirmationDiffers, other, believed),
        }
    }
}

/// Accepted, say notifications alone; and the PSP's API does not know what it was asked about.
fn unknown_to_the_api(draft: &Draft, order: &Order) -> Option<Finding> {
    let unconfirmed = draft.evidence.iter().filter(|e| e.tender.state.is_accepted() && e.only_notified);
    let endpoints: BTreeSet<_> = unconfirmed.map(|evidence| &evidence.tender.endpoint).collect();
    let subjects: BTreeSet<_> = order
        .unknown_to
        .iter()
        .filter(|(endpoint, _)| endpoints.contains(endpoint))
        .map(|(_, subject)| subject)
        .collect();
    let list: Vec<_> = subjects.into_iter().cloned().collect();
    (!list.is_empty()).then(|| draft.finding(Kind::ConfirmationDiffers, "unknown", Detail::Unknown(list)))
}

/// With the amount that the other story tells, or with the part that only it accepts, what was paid would be what was
/// expected. `gap`: paid minus expected.
pub(super) fn explain_the_gap(draft: &Draft, gap: Option<Cents>) -> bool {
    let Some(gap) = gap else { return false };
    draft.evidence.iter().any(|evidence| {
        let Some(dispute) = &evidence.dispute else { return false };
        let part = evidence.tender.amount;
        let otherwise = if evidence.tender.state.is_accepted() {
            dispute.amount.map(|other: Cents| gap.minus(part).plus(other))
        } else {
            evidence.accepted_seen_at.map(|_| gap.plus(part))
        };
        otherwise == Some(Cents::ZERO)
    })
}
