//! Parts that were authorised, or are still undecided, and not captured in time; or whose authorisation has lapsed.

use std::time::Duration;

use cvco_domain::{Cents, Detail, Finding, Kind, Order, Psp, TenderState, Timestamp};

use super::super::Policy;
use super::super::records::{Draft, Missing, Wait};
use super::super::tenders::Evidence;
use super::Paid;

/// The parts of a record whose capture is overdue or will never come, as one finding; unless it was paid in another way
/// since.
pub(super) fn overdue(
    draft: &Draft,
    paid: &Paid,
    order: &Order,
    policy: &Policy,
    now: Timestamp,
) -> Option<Finding> {
    let has_lapsed = |evidence: &&Evidence| {
        evidence.tender.state == TenderState::Expired
            && evidence.accepted_seen_at.is_some()
            && !evidence.withdrawn_at.is_some_and(|lapsed_at| paid.makes_up_for(lapsed_at))
    };
    let late = |evidence: &&Evidence| match evidence.tender.state {
        TenderState::Authorised => is_late(evidence, order, policy, now),
        // Where a part that is missing says more, that is said instead.
        TenderState::Pending => draft.wait == Wait::Over(Missing::Outcome),
        TenderState::Expired => has_lapsed(evidence),
        TenderState::Captured
        | TenderState::Refused
        | TenderState::Abandoned
        | TenderState::Cancelled
        | TenderState::Refunded
        | TenderState::PartRefunded => false,
    };
    let late: Vec<_> = draft.evidence.iter().filter(late).collect();
    let amount: Cents = late.iter().map(|evidence| evidence.tender.amount).sum();
    let say = if late.iter().any(has_lapsed) { Detail::Lapsed } else { Detail::Parts };
    (!late.is_empty()).then(|| Finding {
        expected: Some(amount),
        actual: Some(Cents::ZERO),
        ..draft.finding(Kind::CaptureOverdue, "", say(draft.parts(late.into_iter())))
    })
}

fn is_late(evidence: &Evidence, order: &Order, policy: &Policy, now: Timestamp) -> bool {
    late_from(evidence, order, policy).is_some_and(|from| from <= now)
}

/// A PSP that tells of captures has told of none when all time is over. Of another one, its API is asked then, part by
/// part: what its first answer leaves open, the next one may settle.
fn late_from(evidence: &Evidence, order: &Order, policy: &Policy) -> Option<Timestamp> {
    let deadline = deadline(evidence, policy)?;
    if evidence.psp.terms().tells_of_captures {
        return Some(deadline);
    }
    let settled = order.settled.iter().filter(|(endpoint, _)| *endpoint == evidence.tender.endpoint);
    let since = settled.map(|(_, at)| *at).filter(|at| *at >= deadline).min()?;
    Some(since.after(policy.confirmation_grace))
}

/// For how long a part may wait for its capture, or for a decision: no longer than its authorisation lasts.
pub(in super::super) fn grace(psp: Psp, policy: &Policy) -> Duration {
    let lapse = psp.terms().authorises_for;
    lapse.map_or(policy.capture_grace, |lapse| lapse.min(policy.capture_grace))
}

/// When the capture of an authorised part is due. The promise lapses by the PSP's clock; but news that comes late, as
/// after an outage, is given the time for the capture to come behind it.
fn deadline(evidence: &Evidence, policy: &Policy) -> Option<Timestamp> {
    let authorised_at = evidence.tender.authorised_at?;
    let heard_at = evidence.accepted_seen_at?;
    Some(authorised_at.after(grace(evidence.psp, policy)).max(heard_at.after(policy.complement_grace)))
}

pub(super) fn deadlines(draft: &Draft, order: &Order, policy: &Policy) -> impl Iterator<Item = Timestamp> {
    let authorised =
        draft.evidence.iter().filter(|evidence| evidence.tender.state == TenderState::Authorised);
    authorised.filter_map(|evidence| late_from(evidence, order, policy))
}
