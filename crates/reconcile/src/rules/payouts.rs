//! Payments held against statements: what was paid out must be what is kept, in time, and so must the commission.

use std::collections::BTreeSet;

use cvco_domain::{Cents, Day, Detail, EndpointId, Finding, Issuer, Kind, LineId, Payout, Timestamp};

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

    /// Where more was given back than was paid, nothing is awaited.
    fn is_settled(&self) -> bool {
        self.settled() == self.kept().max(Cents::ZERO)
    }

    /// What a later statement may still bring, if it is all that is wrong.
    fn awaited(&self) -> Option<Awaited> {
        let (settled, kept) = (self.settled(), self.kept());
        let is_exact =
            || self.parts.iter().all(|part| part.payouts.iter().all(|paid| part.is_exact(paid.amount)));
        if settled < kept {
            return is_exact().then_some(Awaited::Payout);
        }
        // All was paid out before some of it was given back.
        let was_paid_out = settled == self.accepted() || settled < self.accepted() && is_exact();
        (settled > kept.max(Cents::ZERO) && was_paid_out).then_some(Awaited::TakingBack)
    }

    /// The latest day on which what is awaited came about in a part.
    fn came_about(awaited: Awaited, part: &Evidence) -> Option<Day> {
        let booked = &part.tender.booked;
        match awaited {
            Awaited::Payout => booked.received_on,
            Awaited::TakingBack => booked.returned.iter().map(|returned| returned.on).max(),
        }
    }

    /// When the endpoints that heard of its parts say that it must be on a statement, for those that must.
    fn deadline(&self, policy: &Policy) -> Option<Timestamp> {
        let awaited = if self.is_settled() { None } else { self.awaited() }?;
        let terms = |endpoint: &EndpointId| policy.payouts.get(endpoint)?.get(&self.issuer).copied();
        let due = self.parts.iter().filter_map(|part| {
            let (terms, on) = (terms(&part.tender.endpoint)?, Self::came_about(awaited, part)?);
            (on >= terms.since).then(|| on.start().after(terms.delay))
        });
        due.max()
    }

    fn finding(&self, draft: &Draft, policy: &Policy, now: Timestamp) -> Option<Finding> {
        if self.is_settled() {
            return None;
        }
        let awaited = self.awaited();
        if awaited.is_some() && self.deadline(policy).is_none_or(|deadline| deadline > now) {
            return None;
        }
        let found = |kind, detail| Finding {
            expected: Some(self.kept()),
            actual: Some(self.settled()),
            ..draft.finding(kind, self.subject(), detail)
        };
        if awaited == Some(Awaited::Payout) {
            let parts = Detail::Parts(draft.parts(self.parts.iter().copied()));
            return Some(found(Kind::SettlementMissing, parts));
        }
        let lines: BTreeSet<&LineId> = self.lines().map(|paid| &paid.payout.id).collect();
        Some(found(Kind::SettlementMismatch, Detail::Lines(lines.into_iter().cloned().collect())))
    }
}

/// What a later statement may bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// The rest of what is kept.
    Payout,
    /// That the issuer takes back what it paid out and the customer has back.
    TakingBack,
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
