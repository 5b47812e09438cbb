//! Refunds, held against what each PSP lets a merchant give back ([`RefundTerms`]).

use std::collections::BTreeSet;

use cvco_domain::{
    Cents, Detail, Finding, Instrument, Kind, RefundTerms, Refundable, StatusOf, Tender, TenderState,
    Timestamp,
};

use super::super::Policy;
use super::super::records::Draft;
use super::super::refunds::{By, Outcome, Return};
use super::super::tenders::Evidence;

/// Every rule that the refunds of a record break.
pub(super) fn findings(
    draft: &Draft,
    last_paid_at: Option<Timestamp>,
    policy: &Policy,
    now: Timestamp,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for evidence in &draft.evidence {
        found.extend(chargeback(draft, evidence, last_paid_at));
        found.extend(not_allowed(draft, evidence, policy, now));
        found.extend(late(draft, evidence, policy, now));
        found.extend(odd_status(draft, evidence));
    }
    let mut found = each_once(found);
    found.extend(out_of_order(draft, policy, now));
    found.extend(unfinished(draft, policy, now));
    found
}

/// A refund that fits no part can bear the name of one, and two without a transaction bear the same: what is to be said
/// of them is said once, with the sum.
fn each_once(found: Vec<Finding>) -> Vec<Finding> {
    let mut once: Vec<Finding> = Vec::with_capacity(found.len());
    for finding in found {
        match once.iter_mut().find(|known| (known.kind, &known.subject) == (finding.kind, &finding.subject)) {
            Some(known) => {
                let sum = |a: Option<Cents>, b: Option<Cents>| a.zip(b).map(|(a, b)| a.plus(b));
                known.expected = sum(known.expected, finding.expected);
                known.actual = sum(known.actual, finding.actual);
                known.detail.merge(finding.detail);
            }
            None => once.push(finding),
        }
    }
    once
}

/// When time alone may break one of these rules.
pub(super) fn deadlines(draft: &Draft, policy: &Policy) -> impl Iterator<Item = Timestamp> {
    let returns = draft.evidence.iter().flat_map(|evidence| &evidence.returns);
    let open = returns.filter(|refund| refund.outcome != Outcome::Failed && refund.by == By::Merchant);
    open.flat_map(|refund| [refund.seen_at, refund.at]).map(|at| at.after(policy.refund_grace))
}

impl Evidence {
    fn terms(&self) -> Option<&'static RefundTerms> {
        RefundTerms::of(self.psp, self.tender.instrument, &self.tender.brand)
    }

    fn awaited(&self) -> impl Iterator<Item = &Return> {
        let awaited = self.returns.iter().filter(|refund| refund.outcome == Outcome::Awaited);
        awaited.filter(|refund| refund.by == By::Merchant)
    }

    /// What the merchant gave back: what a bank takes is no breach of the terms.
    fn made_by_merchant(&self) -> impl Iterator<Item = &Return> {
        self.made().filter(|refund| refund.by == By::Merchant)
    }
}

/// What the card's bank took back of a part, or announced that it would. `last_paid_at`: when the last payment was made
/// of an order that lacks nothing; what was taken before that is paid again.
fn chargeback(draft: &Draft, evidence: &Evidence, last_paid_at: Option<Timestamp>) -> Option<Finding> {
    let is_paid_again = |refund: &&Return| last_paid_at.is_some_and(|paid| refund.at < paid);
    let by_bank = |outcome| {
        let returns = evidence.returns.iter();
        returns.filter(move |refund| (refund.by, refund.outcome) == (By::Bank, outcome))
    };
    let made = || by_bank(Outcome::Made).filter(|refund| !is_paid_again(refund));
    let all = || made().chain(by_bank(Outcome::Awaited));
    all().next()?;
    let part = draft.part(evidence);
    Some(Finding {
        expected: None,
        actual: Some(all().map(|refund| refund.amount).sum::<Cents>()).filter(|taken| taken.is_positive()),
        ..draft.finding(Kind::Chargeback, &part.to_string(), Detail::Parts(vec![part]))
    })
}

/// More than may be given back of a part, less where only the whole may be, or too soon. What fits no payment that is known
/// is more than was paid; its payment is given the grace to be told, for it may only be late.
fn not_allowed(draft: &Draft, evidence: &Evidence, policy: &Policy, now: Timestamp) -> Option<Finding> {
    let (tender, terms) = (&evidence.tender, evidence.terms()?);
    let may_be_paid_yet = |refund: &Return| refund.seen_at.after(policy.refund_grace) > now;
    evidence.made_by_merchant().next()?;
    if tender.amount == Cents::ZERO && evidence.made_by_merchant().all(may_be_paid_yet) {
        return None;
    }
    let refunded: Cents = evidence.made_by_merchant().map(|refund| refund.amount).sum();
    let allowed = match terms.share {
        Refundable::Never => Cents::ZERO,
        Refundable::Whole | Refundable::AnyShare => tender.amount,
    };
    let wrong_share = match terms.share {
        Refundable::Never => true,
        Refundable::Whole => refunded != tender.amount,
        Refundable::AnyShare => refunded > tender.amount,
    };
    let paid_on = tender.authorised_at.map(Timestamp::paris_day);
    let on_the_day = |refund: &Return| Some(refund.at.paris_day()) == paid_on && refund.amount.is_positive();
    let too_soon = terms.from_next_day && evidence.made_by_merchant().any(on_the_day);
    let allowed = if too_soon { Cents::ZERO } else { allowed };
    (wrong_share || too_soon).then(|| {
        let part = draft.part(evidence);
        Finding {
            // Of a refund of unknown amount there are no figures.
            expected: Some(allowed).filter(|_| refunded.is_positive()),
            actual: Some(refunded).filter(|refunded| refunded.is_positive()),
            ..draft.finding(Kind::RefundNotAllowed, &part.to_string(), Detail::Parts(vec![part]))
        }
    })
}

/// After the time in which the PSP allows it, by the PSP's own clock where it states the times. An answer of its API states
/// none, and may come long after the refund, where the daemon was away: the dated message is given the grace.
fn late(draft: &Draft, evidence: &Evidence, policy: &Policy, now: Timestamp) -> Option<Finding> {
    let within = evidence.terms()?.within?;
    let paid_at = evidence.tender.authorised_at?;
    let may_be_dated_yet = |refund: &Return| !refund.is_dated && refund.at.after(policy.refund_grace) > now;
    let late: Vec<_> = evidence
        .made_by_merchant()
        .filter(|refund| refund.at > paid_at.after(within) && !may_be_dated_yet(refund))
        .collect();
    let refunded_at = late.iter().map(|refund| refund.at).max()?;
    let part = draft.part(evidence);
    let subject = part.to_string();
    Some(Finding {
        expected: Some(Cents::ZERO),
        actual: Some(late.iter().map(|refund| refund.amount).sum()),
        ..draft.finding(Kind::RefundLate, &subject, Detail::Late { part, paid_at, refunded_at })
    })
}

/// Vouchers that went back before the card's share had. The parts of one refund are told one by one, in any order, so
/// the card is given the grace.
fn out_of_order(draft: &Draft, policy: &Policy, now: Timestamp) -> Option<Finding> {
    let after_card = |evidence: &&Evidence| evidence.terms().is_some_and(|terms| terms.after_card);
    let vouchers = draft.evidence.iter().filter(after_card).flat_map(Evidence::made_by_merchant);
    let first = vouchers.min_by_key(|refund| (refund.at, refund.seen_at))?;
    let until = first.at.after(policy.refund_grace);
    let cards =
        || draft.evidence.iter().filter(|e| is_paid(&e.tender) && e.tender.instrument == Instrument::Card);
    let paid: Cents = cards().map(|evidence| evidence.tender.amount).sum();
    let back: Cents = cards()
        .flat_map(Evidence::made)
        .filter(|refund| refund.at <= until)
        .map(|refund| refund.amount)
        .sum();
    // Once the card has its share, nothing is left to do.
    let is_all_back = cards().flat_map(Evidence::made).map(|refund| refund.amount).sum::<Cents>() >= paid;
    let is_out_of_order = back < paid && !is_all_back && first.seen_at.after(policy.refund_grace) <= now;
    is_out_of_order.then(|| draft.amount_finding(Kind::RefundOrder, Some(paid), back))
}

/// A refund that was asked for and not made in time; or, where each part is refunded by an act of its own, one part
/// given back beside one that was not.
fn unfinished(draft: &Draft, policy: &Policy, now: Timestamp) -> Option<Finding> {
    let record = &draft.record;
    let in_time = |refund: &&Return| refund.seen_at.after(policy.refund_grace) > now;
    let awaited = || draft.evidence.iter().flat_map(Evidence::awaited);
    if awaited().next().is_some() {
        let overdue: Cents = awaited().filter(|refund| !in_time(refund)).map(|refund| refund.amount).sum();
        let asked = record.refunded().plus(overdue);
        return overdue
            .is_positive()
            .then(|| draft.amount_finding(Kind::RefundPartial, Some(asked), record.refunded()));
    }
    let part_by_part = |evidence: &&Evidence| {
        is_paid(&evidence.tender) && evidence.terms().is_some_and(|terms| terms.part_by_part)
    };
    let parts = || draft.evidence.iter().filter(part_by_part);
    let is_back = |evidence: &Evidence| {
        evidence.tender.state == TenderState::Refunded && evidence.made_by_merchant().next().is_some()
    };
    let one_is_missing = parts().any(is_back) && !parts().all(is_back);
    // Given back to the cent what was too much.
    let kept = record.paid().minus(record.refunded());
    let is_mended = record.expected.is_some_and(|(expected, _)| expected == kept);
    let waits = parts().flat_map(Evidence::made).any(|refund| in_time(&refund));
    // More than the whole of one part is nothing of another.
    let left = |tender: &Tender| tender.amount.minus(tender.refunded).max(Cents::ZERO);
    let remains: Cents = record.tenders.iter().filter(|tender| is_paid(tender)).map(left).sum();
    (one_is_missing && !is_mended && !waits)
        .then(|| draft.amount_finding(Kind::RefundPartial, Some(record.paid()), record.paid().minus(remains)))
}

fn is_paid(tender: &Tender) -> bool {
    tender.state.is_accepted() && tender.amount.is_positive()
}

/// Statuses of refunds that call for a person, or that the tables do not have; where the part has the same one, it says
/// so itself. One that was refused is over once as much was given back.
fn odd_status(draft: &Draft, evidence: &Evidence) -> Option<Finding> {
    let was_made_since = |refused: &Return| {
        refused.outcome == Outcome::Failed
            && evidence
                .made_by_merchant()
                .any(|made| made.seen_at >= refused.seen_at && made.amount >= refused.amount)
    };
    let told = || {
        let told = evidence.returns.iter().filter(|refund| refund.odd_status != evidence.odd_status);
        told.filter(|refund| !was_made_since(refund))
    };
    let with_status = told().filter(|refund| refund.odd_status.is_some());
    let asked =
        Some(with_status.map(|refund| refund.amount).sum()).filter(|asked: &Cents| asked.is_positive());
    let statuses: BTreeSet<_> = told().filter_map(|refund| refund.odd_status.clone()).collect();
    (!statuses.is_empty()).then(|| {
        let part = draft.part(evidence);
        let subject = format!("refund of {part}");
        let statuses = statuses.into_iter().collect();
        let detail = Detail::Status { part, of: StatusOf::Refund, statuses };
        Finding { actual: asked, ..draft.finding(Kind::UnknownStatus, &subject, detail) }
    })
}
