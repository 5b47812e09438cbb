//! Each refund once: what all that is told of it amounts to.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use cvco_domain::{Cents, Event, OddStatus, Operation, ReportedState};

use super::super::Fact;
use super::super::chargebacks;
use super::super::disputes::{OtherAmount, is_failing};
use super::super::tenders::identity;
use super::super::weighing::{confirmed, first_time, is_accepting, leading, odd_status, overruled};
use super::{By, Outcome, Refund, Return};

/// Each refund once, in a fixed order: those that were made first, and of these the merchant's, for what a bank takes back
/// later says nothing about them; then those that name what they give back; then the largest, which fits the fewest.
pub(super) fn refunds(facts: &[Fact]) -> Vec<Refund<'_>> {
    let mut told: BTreeMap<_, Vec<&Fact>> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.event.operation != Operation::Debit) {
        let event = &fact.event;
        // Without a transaction only its figures tell one refund from another.
        let anonymous = event.tender_id.is_none().then_some((&event.call_number, event.amount));
        told.entry((fact.psp, identity(fact.psp, event), anonymous, by(event))).or_default().push(fact);
    }
    let mut chargebacks: BTreeMap<_, Vec<Vec<&Fact>>> = BTreeMap::new();
    let mut groups: Vec<Vec<&Fact>> = Vec::new();
    for ((psp, .., by), facts) in told {
        let call_number = facts.first().map(|fact| &fact.event.call_number);
        if by == By::Bank && psp.terms().numbers_operations {
            chargebacks.entry((psp, call_number)).or_default().push(facts);
        } else {
            groups.push(facts);
        }
    }
    groups.extend(chargebacks.into_values().flat_map(chargebacks::each_once));
    let mut refunds: Vec<_> = groups.iter().filter_map(|facts| weigh(facts)).collect();
    refunds.sort_by_key(|refund| {
        let told = &refund.told;
        (told.outcome, told.by, refund.of.is_none(), Reverse(told.amount), told.at, told.id.clone())
    });
    refunds
}

fn by(event: &Event) -> By {
    match event.operation {
        Operation::Chargeback { .. } => By::Bank,
        Operation::Credit { .. } | Operation::Debit => By::Merchant,
    }
}

fn weigh<'a>(facts: &[&'a Fact]) -> Option<Refund<'a>> {
    let failed = overruled(facts).or_else(|| refused_since(facts));
    let furthest = failed.or_else(|| facts.iter().map(|fact| fact.event.state).max())?;
    let accepting: Vec<_> = facts.iter().copied().filter(|fact| is_accepting(fact.event.state)).collect();
    let deciding = if is_accepting(furthest) { accepting.as_slice() } else { facts };
    let named = |fact: &&'a Fact| match &fact.event.operation {
        Operation::Credit { of } => of.as_ref(),
        Operation::Chargeback { .. } | Operation::Debit => None,
    };
    // That it was made may be told without an amount, where it was asked for with one.
    let is_stated = |fact: &&Fact| fact.event.amount.is_positive();
    let with_amount: Vec<_> = accepting.iter().copied().filter(is_stated).collect();
    let confirmed = confirmed(&with_amount);
    let fact = confirmed.or_else(|| leading(deciding))?;
    let at = first_time(deciding, |_| true)?;
    let stated = if is_stated(&fact) { fact } else { leading(facts)? };
    let in_turns = given_back_in_turns(deciding);
    let amount = in_turns.unwrap_or(stated.event.amount);
    Some(Refund {
        fact,
        instrument: fact.event.instrument,
        of: deciding.iter().filter_map(named).min(),
        told: Return {
            id: fact.event.tender_id.clone(),
            amount,
            by: by(&fact.event),
            outcome: Outcome::of(furthest),
            at,
            seen_at: facts.iter().map(|fact| fact.received_at).min()?,
            is_dated: deciding.iter().any(|fact| fact.occurred_at().is_some()),
            odd_status: odd_status(facts, furthest).or_else(|| refused(facts, furthest)),
            other_amount: OtherAmount::among(&with_amount, amount).filter(|_| in_turns.is_none()),
        },
    })
}

/// The refusal of a refund that had been told as made: the PSP took it on, and the bank did not. Only the PSP's own clock
/// says which of them is the last word; and where several refunds share a transaction, the refusal may be another one's.
fn refused_since(facts: &[&Fact]) -> Option<ReportedState> {
    let made = || facts.iter().filter(|fact| is_accepting(fact.event.state));
    let amounts: BTreeSet<Cents> = made().map(|fact| fact.event.amount).collect();
    if amounts.len() != 1 {
        return None;
    }
    let is_of_it = |fact: &&Fact| fact.event.amount == Cents::ZERO || amounts.contains(&fact.event.amount);
    let comes_last = |refused: &&Fact| {
        let is_before =
            |made: &Fact| made.occurred_at().zip(refused.occurred_at()).is_some_and(|(a, b)| a < b);
        made().all(|made| is_before(made))
    };
    let refused = facts.iter().copied().filter(|fact| is_failing(fact.event.state));
    refused.filter(is_of_it).filter(comes_last).map(|fact| fact.event.state).max()
}

/// Who promised money back must hear that it was not given, whichever word the PSP has for that.
fn refused(facts: &[&Fact], furthest: ReportedState) -> Option<OddStatus> {
    let is_refused = matches!(furthest, ReportedState::Refused | ReportedState::Expired);
    let refusing = facts.iter().filter(|fact| is_refused && fact.event.state == furthest);
    let code = refusing.map(|fact| fact.event.status.code.as_str()).min()?;
    Some(OddStatus { code: code.to_owned(), state: furthest })
}

/// What was given back by a refund of several turns under one transaction (Worldline: two partial refunds may
/// share it): the first turn, and all that the running total grew by since. `None` for a refund of one turn.
fn given_back_in_turns(accepting: &[&Fact]) -> Option<Cents> {
    let totals: BTreeSet<Cents> = accepting.iter().filter_map(|fact| fact.event.running_total).collect();
    let (least, most) = (totals.first()?, totals.last()?);
    let first: Vec<&Fact> =
        accepting.iter().copied().filter(|fact| fact.event.running_total == Some(*least)).collect();
    (least < most).then_some(leading(&first)?.event.amount.plus(most.minus(*least)))
}
