//! Parts that were authorised, or are still undecided, and not captured in time.

use crate::domain::{Cents, Finding, Kind, Order, TenderState, Timestamp};

use super::super::Policy;
use super::super::records::{Draft, Missing, Wait};
use super::super::tenders::Evidence;

/// The parts of a record whose capture is overdue, as one finding.
pub(super) fn overdue(draft: &Draft, order: &Order, policy: &Policy, now: Timestamp) -> Option<Finding> {
    let late = |evidence: &&Evidence| match evidence.tender.state {
        TenderState::Authorised => is_late(evidence, order, policy, now),
        // Where a part that is missing says more, that is said instead.
        TenderState::Pending => draft.wait == Wait::Over(Missing::Outcome),
        TenderState::Captured
        | TenderState::Refused
        | TenderState::Abandoned
        | TenderState::Cancelled
        | TenderState::Expired
        | TenderState::Refunded
        | TenderState::PartRefunded => false,
    };
    let late: Vec<_> = draft.evidence.iter().filter(late).collect();
    let amount: Cents = late.iter().map(|evidence| evidence.tender.amount).sum();
    (!late.is_empty()).then(|| Finding {
        expected: Some(amount),
        actual: Some(Cents::ZERO),
        ..draft.finding(Kind::CaptureOverdue, "", draft.named(late.into_iter()))
    })
}

/// A PSP that tells of captures has told of none; of another one, its API still says so when all time is over.
fn is_late(evidence: &Evidence, order: &Order, policy: &Policy, now: Timestamp) -> bool {
    let Some(deadline) = deadline(evidence, policy) else { return false };
    let asked_since =
        |(endpoint, at): &(_, Timestamp)| *endpoint == evidence.tender.endpoint && *at >= deadline;
    if evidence.psp.tells_of_captures() { now >= deadline } else { order.answered.iter().any(asked_since) }
}

/// When the capture of an authorised part is due. The promise lapses by the PSP's clock; but news that comes late, as
/// after an outage, is given the time for the capture to come behind it.
fn deadline(evidence: &Evidence, policy: &Policy) -> Option<Timestamp> {
    let grace =
        evidence.psp.authorises_for().map_or(policy.capture_grace, |lapse| lapse.min(policy.capture_grace));
    let authorised_at = evidence.tender.authorised_at?;
    let heard_at = evidence.accepted_seen_at?;
    Some(authorised_at.after(grace).max(heard_at.after(policy.complement_grace)))
}

pub(super) fn deadlines(draft: &Draft, policy: &Policy) -> impl Iterator<Item = Timestamp> {
    let authorised =
        draft.evidence.iter().filter(|evidence| evidence.tender.state == TenderState::Authorised);
    authorised
        .filter(|evidence| evidence.psp.tells_of_captures())
        .filter_map(|evidence| deadline(evidence, policy))
}
