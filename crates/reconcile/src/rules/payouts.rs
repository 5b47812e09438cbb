//! Payments held against statements: what was paid out must be what is kept, in time, and so must the commission.

use std::collections::BTreeSet;

use cvco_domain::{Cents, Day, Detail, Finding, Issuer, Kind, LineId, Payout, PayoutTerms, Timestamp};

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
    issuers(draft)
        .into_iter()
        .filter_map(move |issuer| Due::of(draft, issuer))
        .flat_map(|due| due.deadlines(policy))
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

    /// What was given back of what was paid.
    fn returned(&self) -> Cents {
        self.accepted().minus(self.kept())
    }

    /// What the issuer took back again.
    fn taken_back(&self) -> Cents {
        let amounts = self.lines().map(|paid| paid.amount);
        Cents::ZERO.minus(amounts.filter(|amount| *amount < Cents::ZERO).sum())
    }

    /// Where more was given back than was paid, nothing is awaited.
    fn is_settled(&self) -> bool {
        self.settled() == self.kept().max(Cents::ZERO)
    }

    /// What a later statement may still bring, if it is all that is wrong.
    fn awaited(&self) -> Option<Awaited> {
        let (settled, kept) = (self.settled(), self.kept().max(Cents::ZERO));
        if settled == kept || self.taken_back() > self.returned() || settled > self.accepted() {
            return None;
        }
        if settled > kept {
            return Some(Awaited::TakingBack(settled.minus(kept)));
        }
        let is_exact = |part: &&Evidence| part.payouts.iter().all(|paid| part.is_exact(paid.amount));
        self.parts.iter().all(is_exact).then_some(Awaited::Payout)
    }

    /// When something that came about that day in a part must be on a statement; `None` where it need not be.
    fn due(part: &Evidence, on: Day, issuer: Issuer, policy: &Policy) -> Option<Timestamp> {
        let PayoutTerms { since, delay } = *policy.payouts.get(&part.tender.endpoint)?.get(&issuer)?;
        (on >= since).then(|| on.start().after(delay))
    }

    /// When all that was received must be paid out.
    fn payout_due(&self, policy: &Policy) -> Option<Timestamp> {
        let due = |part: &&Evidence| Self::due(part, part.tender.booked.received_on?, self.issuer, policy);
        self.parts.iter().filter_map(due).max()
    }

    /// What was given back, each with the time by which the issuer must have taken it back.
    fn returns<'p>(&'p self, policy: &'p Policy) -> impl Iterator<Item = Return> + 'p {
        self.parts.iter().flat_map(move |part| {
            part.tender.booked.returned.iter().map(move |returned| Return {
                amount: returned.amount,
                due: Self::due(part, returned.on, self.issuer, policy),
            })
        })
    }

    fn deadlines(&self, policy: &Policy) -> Vec<Timestamp> {
        match self.awaited() {
            None => Vec::new(),
            Some(Awaited::Payout) => self.payout_due(policy).into_iter().collect(),
            Some(Awaited::TakingBack(_)) => {
                self.returns(policy).filter_map(|returned| returned.due).collect()
            }
        }
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
        match self.awaited() {
            Some(Awaited::Payout) => {
                let is_overdue = self.payout_due(policy).is_some_and(|due| due <= now);
                let parts = || Detail::Parts(draft.parts(self.parts.iter().copied()));
                return is_overdue.then(|| found(Kind::SettlementMissing, parts()));
            }
            Some(Awaited::TakingBack(amount)) => {
                // Each refund has its own time, and what is not taken back may all be within it.
                let in_time =
                    self.returns(policy).filter(|returned| returned.due.is_none_or(|due| due > now));
                if in_time.map(|returned| returned.amount).sum::<Cents>() >= amount {
                    return None;
                }
            }
            None => {}
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
    /// That the issuer takes so much back, which the customer has back.
    TakingBack(Cents),
}

/// What was given back.
struct Return {
    amount: Cents,
    /// `None`: no statement must show it.
    due: Option<Timestamp>,
}

/// Commissions of single lines that are not what the rate says, but for a cent of rounding.
fn commissions<'d>(draft: &'d Draft, policy: &'d Policy) -> impl Iterator<Item = Finding> + 'd {
    let paid = draft.evidence.iter().flat_map(|evidence| &evidence.payouts).filter(|paid| paid.is_first);
    paid.map(|paid| &paid.payout).filter_map(|payout| {
        let kept = payout.line.commission?;
        let expected = policy.rates.commission(payout.id.issuer, payout.paid_on, payout.line.amount)?;
        // Who takes back what was paid out may keep the commission of it.
        let is_kept = payout.line.amount < Cents::ZERO && kept == Cents::ZERO;
        (!is_kept && kept.minus(expected).abs() > Cents::new(1)).then(|| {
            let line = Detail::Lines(vec![payout.id.clone()]);
            let finding = draft.finding(Kind::CommissionMismatch, &payout.id.to_string(), line);
            Finding { expected: Some(expected), actual: Some(kept), ..finding }
        })
    })
}
