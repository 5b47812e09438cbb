//! Payments held against statements: what was paid out must be what is kept, in time, and so must the commission.

use std::collections::BTreeSet;

use cvco_domain::{Cents, Detail, EndpointId, Finding, Issuer, Kind, LineId, Payout, PayoutTerms, Timestamp};

use super::super::Policy;
use super::super::payouts::PartPaid;
use super::super::records::Draft;
use super::super::tenders::Evidence;

/// What breaks the rules of one record, of each instrument for itself: one line may pay out several parts.
pub(super) fn findings<'d>(
    draft: &'d Draft,
    policy: &'d Policy,
    now: Timestamp,
) -> impl Iterator<Item = Finding> + 'd {
    let of_issuer = move |issuer| Due::of(draft, issuer)?.finding(draft, policy, now);
    issuers(draft).into_iter().filter_map(of_issuer).chain(commissions(draft, policy))
}

/// When time alone may bring such a finding.
pub(super) fn deadlines<'d>(draft: &'d Draft, policy: &'d Policy) -> impl Iterator<Item = Timestamp> + 'd {
    issuers(draft).into_iter().filter_map(move |issuer| Due::of(draft, issuer)?.deadline(policy))
}

/// Those who owe something of a record.
fn issuers(draft: &Draft) -> BTreeSet<Issuer> {
    draft.evidence.iter().map(|evidence| evidence.tender.issuer).collect()
}

/// Lines about an order that pay out nothing that was accepted.
pub(super) fn unallocated(payouts: &[Payout]) -> impl Iterator<Item = Finding> + '_ {
    payouts.iter().map(|payout| Finding {
        kind: Kind::SettlementMismatch,
        record: None,
        subject: payout.id.to_string(),
        expected: Some(Cents::ZERO),
        actual: Some(payout.line.amount),
        detail: Detail::Lines(vec![payout.id.clone()]),
    })
}

/// What an issuer owes of one record.
struct Due<'d> {
    issuer: Issuer,
    parts: Vec<&'d Evidence>,
}

impl<'d> Due<'d> {
    fn of(draft: &'d Draft, issuer: Issuer) -> Option<Self> {
        let received = |evidence: &&Evidence| {
            evidence.tender.issuer == issuer && evidence.tender.booked.received_on.is_some()
        };
        let parts: Vec<&Evidence> = draft.evidence.iter().filter(received).collect();
        (!parts.is_empty()).then_some(Self { issuer, parts })
    }

    /// What names it among the findings of a record.
    fn subject(&self) -> &str {
        match &self.issuer {
            Issuer::Ancv => "voucher",
            Issuer::Bank => "card",
            other @ Issuer::Other(_) => other.as_str(),
        }
    }

    fn sum(&self, of: impl Fn(&Evidence) -> Cents) -> Cents {
        self.parts.iter().map(|part| of(part)).sum()
    }

    /// What is kept of what counts: a part that was cancelled is not paid out.
    fn kept(&self) -> Cents {
        self.sum(|part| if part.tender.state.is_accepted() { part.tender.kept() } else { Cents::ZERO })
    }

    fn settled(&self) -> Cents {
        self.sum(|part| part.tender.booked.settled)
    }

    fn lines(&self) -> impl Iterator<Item = &PartPaid> {
        self.parts.iter().flat_map(|part| &part.payouts)
    }

    /// What was paid before anything was given back: a part that was cancelled never was.
    fn accepted(&self) -> Cents {
        self.sum(|part| if part.tender.state.is_accepted() { part.tender.amount } else { Cents::ZERO })
    }

    /// All is paid out, or all was before some of it was given back: that is taken back later. Where more was given back
    /// than was paid, nothing is awaited.
    fn is_settled(&self) -> bool {
        let settled = self.settled();
        settled == self.kept().max(Cents::ZERO) || (settled == self.accepted() && settled != Cents::ZERO)
    }

    /// Each line so far is one that a part lets expect, so that the others may still come.
    fn is_well_so_far(&self) -> bool {
        self.settled() < self.kept()
            && self.parts.iter().all(|part| part.payouts.iter().all(|paid| part.is_exact(paid.amount)))
    }

    /// The terms of the endpoints that heard of its parts, for those that must be on a statement.
    fn terms(&self, policy: &Policy) -> Option<(PayoutTerms, Timestamp)> {
        let terms = |endpoint: &EndpointId| policy.payouts.get(endpoint)?.get(&self.issuer).copied();
        let due = self.parts.iter().filter_map(|part| {
            let (terms, on) = (terms(&part.tender.endpoint)?, part.tender.booked.received_on?);
            (on >= terms.since).then(|| (terms, on.start().after(terms.delay)))
        });
        due.max_by_key(|(_, deadline)| *deadline)
    }

    fn deadline(&self, policy: &Policy) -> Option<Timestamp> {
        let waits = !self.is_settled() && (self.lines().next().is_none() || self.is_well_so_far());
        waits.then(|| self.terms(policy)).flatten().map(|(_, deadline)| deadline)
    }

    fn finding(&self, draft: &Draft, policy: &Policy, now: Timestamp) -> Option<Finding> {
        if self.is_settled() {
            return None;
        }
        let found = |kind, detail| Finding {
            expected: Some(self.kept()),
            actual: Some(self.settled()),
            ..draft.finding(kind, self.subject(), detail)
        };
        if self.lines().next().is_none() || self.is_well_so_far() {
            let overdue = self.deadline(policy).is_some_and(|deadline| deadline <= now);
            let parts = || Detail::Parts(draft.parts(self.parts.iter().copied()));
            return overdue.then(|| found(Kind::SettlementMissing, parts()));
        }
        let lines: BTreeSet<&LineId> = self.lines().map(|paid| &paid.payout.id).collect();
        Some(found(Kind::SettlementMismatch, Detail::Lines(lines.into_iter().cloned().collect())))
    }
}

/// Commissions of single lines that are not what the rate says, but for a cent of rounding.
fn commissions<'d>(draft: &'d Draft, policy: &'d Policy) -> impl Iterator<Item = Finding> + 'd {
    let paid = draft.evidence.iter().flat_map(|evidence| &evidence.payouts).filter(|paid| paid.is_first);
    paid.map(|paid| &paid.payout).filter_map(|payout| {
        let kept = payout.line.commission?;
        let expected = policy.rates.commission(payout.id.issuer, payout.paid_on, payout.line.amount)?;
        (kept.minus(expected).abs() > Cents::new(1)).then(|| {
            let line = Detail::Lines(vec![payout.id.clone()]);
            let finding = draft.finding(Kind::CommissionMismatch, &payout.id.to_string(), line);
            Finding { expected: Some(expected), actual: Some(kept), ..finding }
        })
    })
}
