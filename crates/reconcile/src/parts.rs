//! Each part's own amount, where the PSP's messages state only what was paid of the order so far, or only the
//! whole order.
//!
//! Worldline's webhooks carry `amountOfMoney`, the whole order, and `acquiredAmount`, what was paid so far; only
//! some of them carry the amount of the operation itself. Its official plugins read the parts out of these
//! figures; where they leave room for doubt, the answer of the API ends it.

use cvco_domain::{AmountFrom, Cents, Instrument, TenderState};

use super::disputes::Between;
use super::tenders::{Attempt, Basis, Evidence, Running};

/// Works out the accepted parts of each attempt.
pub(super) fn resolve_amounts(attempts: &mut [Attempt]) {
    // Of several currencies the rule about currencies speaks.
    for attempt in attempts.iter_mut().filter(|attempt| is_of_one_currency(attempt)) {
        accept_answers(attempt);
        let parts = parts(attempt);
        let Some(reckoning) = reckon(&parts, attempt.total()) else { continue };
        attempt.parts_in_doubt = reckoning.in_doubt;
        for (part, amount) in parts.iter().zip(reckoning.amounts) {
            if let Some(evidence) = attempt.tenders.get_mut(part.place) {
                evidence.tender.amount = amount;
            }
        }
    }
}

fn is_of_one_currency(attempt: &Attempt) -> bool {
    let mut currencies = attempt.accepted().map(|evidence| evidence.tender.currency);
    let first = currencies.next();
    currencies.all(|currency| Some(currency) == first)
}

/// An accepted tender, as far as its amount goes.
#[derive(Clone, Copy)]
struct Part {
    /// Where it stands in its attempt.
    place: usize,
    amount: Cents,
    standing: Standing,
    running: Option<Running>,
    /// It was authorised, and its capture is still to come.
    is_only_authorised: bool,
}

impl Part {
    /// What was paid so far when it was told first.
    fn first_told(&self) -> Option<Cents> {
        self.running.map(|running| running.least)
    }
}

/// Whether an amount is the part's own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It is.
    Fixed,
    /// What was paid so far is known.
    Open,
    /// No more than the whole order is known, and another part is accepted.
    Vague,
}

/// What the parts come to.
struct Reckoning {
    /// One for each part.
    amounts: Vec<Cents>,
    in_doubt: bool,
}

fn parts(attempt: &Attempt) -> Vec<Part> {
    let accepted = attempt.tenders.iter().enumerate();
    let accepted = accepted.filter(|(_, evidence)| evidence.tender.state.is_accepted());
    let part = |(place, evidence): (usize, &Evidence)| Part {
        place,
        amount: evidence.tender.amount,
        standing: standing(attempt, evidence),
        running: running(attempt, evidence),
        is_only_authorised: evidence.tender.state == TenderState::Authorised,
    };
    accepted.map(part).collect()
}

/// What was paid of the order so far, as it was told of one part. What was paid when a card was authorised may be what the
/// others had paid before.
fn running(attempt: &Attempt, evidence: &Evidence) -> Option<Running> {
    let Running { least, most } = evidence.running?;
    let others = attempt.accepted().filter(|other| !std::ptr::eq(*other, evidence));
    let before: Cents = others.map(|other| other.tender.amount).sum();
    let is_of_others = evidence.tender.instrument == Instrument::Card && least < most && least == before;
    Some(Running { least: if is_of_others { most } else { least }, most })
}

fn standing(attempt: &Attempt, evidence: &Evidence) -> Standing {
    match evidence.basis {
        Basis::Confirmed => Standing::Fixed,
        Basis::Told(AmountFrom::Part) if !may_carry_the_total(attempt, evidence) => Standing::Fixed,
        Basis::Told(AmountFrom::OrderTotal) if beside_a_card(attempt, evidence) => Standing::Vague,
        // The total as the voucher's share is credible only if the total is also what was paid so far.
        Basis::Told(AmountFrom::Part) if attempt.accepted().all(|any| any.running.is_none()) => {
            Standing::Vague
        }
        Basis::Told(_) => Standing::Open,
    }
}

/// Worldline's own plugins know voucher operations whose amount is that of the whole payment, although a card
/// paid a part of it.
fn may_carry_the_total(attempt: &Attempt, evidence: &Evidence) -> bool {
    attempt.psp.terms().numbers_operations
        && evidence.tender.instrument == Instrument::Voucher
        && attempt.total() == Some(evidence.tender.amount)
        && beside_a_card(attempt, evidence)
}

fn beside_a_card(attempt: &Attempt, evidence: &Evidence) -> bool {
    let mut others = attempt.accepted().filter(|other| !std::ptr::eq(*other, evidence));
    others.any(|other| other.tender.instrument == Instrument::Card)
}

/// An answer that gives a voucher its own amount where the notification carried the total differs from nothing.
fn accept_answers(attempt: &mut Attempt) {
    let (total, several) = (attempt.total(), attempt.accepted().count() > 1);
    if !attempt.psp.terms().numbers_operations || !several {
        return;
    }
    for evidence in attempt.tenders.iter_mut().filter(|e| e.tender.instrument == Instrument::Voucher) {
        evidence.dispute.take_if(|dispute| {
            dispute.between == Between::NotificationAndAnswer
                && dispute.differences.is_empty()
                && dispute.amount == total
        });
    }
}

/// `None` where every part's own amount is stated.
fn reckon(parts: &[Part], total: Option<Cents>) -> Option<Reckoning> {
    with_one_unpaid(parts, total).or_else(|| all_paid(parts, total))
}

/// No document says whether what was paid so far holds what is only authorised. Where it is what a captured part came to before,
/// it does not: then the authorised one is what is left of the order.
fn with_one_unpaid(parts: &[Part], total: Option<Cents>) -> Option<Reckoning> {
    let most = |part: &Part| part.running.map(|running| running.most);
    let is_unpaid = |part: &Part| {
        let same = |other: &Part| !other.is_only_authorised && most(other) == most(part);
        part.standing != Standing::Fixed
            && part.is_only_authorised
            && most(part).is_some()
            && parts.iter().any(same)
    };
    let (unpaid, paid): (Vec<&Part>, Vec<&Part>) = parts.iter().partition(|part| is_unpaid(part));
    let [unpaid] = unpaid.as_slice() else { return None };
    let paid: Vec<Part> = paid.into_iter().copied().collect();
    let Reckoning { amounts, in_doubt } = all_paid(&paid, total).unwrap_or_else(|| Reckoning {
        amounts: paid.iter().map(|part| part.amount).collect(),
        in_doubt: false,
    });
    let left = total?.minus(amounts.iter().copied().sum());
    let mut resolved = amounts.into_iter();
    let amounts =
        parts.iter().map(|part| if part.place == unpaid.place { Some(left) } else { resolved.next() });
    let amounts = amounts.collect::<Option<Vec<Cents>>>()?;
    left.is_positive().then_some(Reckoning { amounts, in_doubt })
}

fn all_paid(parts: &[Part], total: Option<Cents>) -> Option<Reckoning> {
    let is_open = |part: &&Part| part.standing != Standing::Fixed;
    let fixed = parts.iter().filter(|part| !is_open(part)).map(|part| part.amount).sum();
    let said = parts.iter().filter_map(|part| part.running).map(|running| running.most).max().or(total);
    let open: Vec<&Part> = parts.iter().filter(is_open).collect();
    match open.as_slice() {
        [] => None,
        [one] => {
            let rest = said.unwrap_or(one.amount.plus(fixed)).minus(fixed);
            // A card that is authorised only is not paid yet, and may not be in what was paid so far.
            let unpaid = total.map(|total| total.minus(fixed));
            let unpaid = unpaid.filter(|rest| rest.is_positive() && one.first_told() == Some(*rest));
            Some(the_rest(parts, one, unpaid.unwrap_or(rest), total))
        }
        [..] => {
            let acquired = said.unwrap_or_else(|| parts.iter().map(|part| part.amount).sum());
            Some(differences(parts, acquired).unwrap_or_else(|| estimate(parts, acquired, total)))
        }
    }
}

/// One part is not known: it is the rest. What was paid so far when it was told must be this part alone, or
/// this part after others.
fn the_rest(parts: &[Part], open: &Part, rest: Cents, total: Option<Cents>) -> Reckoning {
    if !rest.is_positive() {
        return Reckoning { amounts: parts.iter().map(|part| part.amount).collect(), in_doubt: true };
    }
    let others = || parts.iter().filter(|part| part.place != open.place).map(|part| part.amount);
    let possible = |so_far: Cents| {
        let before = so_far.minus(rest);
        before == Cents::ZERO || before == others().sum() || others().any(|other| other == before)
    };
    let before_the_end = |so_far: &Cents| total.is_none_or(|total| *so_far < total);
    let first_told = open.first_told().filter(before_the_end);
    let in_doubt = open.standing == Standing::Vague || first_told.is_some_and(|so_far| !possible(so_far));
    let amount = |part: &Part| if part.place == open.place { rest } else { part.amount };
    Reckoning { amounts: parts.iter().map(amount).collect(), in_doubt }
}

/// Several parts are not known: what was paid so far grows by each part in its turn. `None` if the figures do
/// not allow that reading.
fn differences(parts: &[Part], acquired: Cents) -> Option<Reckoning> {
    let mut turns: Vec<(Cents, &Part)> =
        parts.iter().map(|part| Some((part.first_told()?, part))).collect::<Option<_>>()?;
    turns.sort_by_key(|(so_far, part)| (*so_far, part.place));
    let mut amounts: Vec<_> = parts.iter().map(|part| part.amount).collect();
    let mut before = Cents::ZERO;
    for (so_far, part) in turns {
        let step = so_far.minus(before);
        before = so_far;
        let fits = match part.standing {
            Standing::Fixed => step == part.amount,
            Standing::Open | Standing::Vague => step.is_positive(),
        };
        let place = parts.iter().position(|other| other.place == part.place)?;
        *amounts.get_mut(place).filter(|_| fits)? = step;
    }
    (before == acquired).then_some(Reckoning { amounts, in_doubt: false })
}

/// Amounts that come to what was paid so far, none of them more than the total, until an answer fixes them.
fn estimate(parts: &[Part], acquired: Cents, total: Option<Cents>) -> Reckoning {
    let fixed: Cents =
        parts.iter().filter(|part| part.standing == Standing::Fixed).map(|part| part.amount).sum();
    let rest = total.map_or(acquired, |total| acquired.min(total)).minus(fixed);
    let mut amounts: Vec<_> = parts.iter().map(|part| part.amount).collect();
    let mut open: Vec<_> =
        amounts.iter_mut().zip(parts).filter(|(_, part)| part.standing != Standing::Fixed).collect();
    // What is told last can be all that is left; a part without any figure comes last.
    open.sort_by_key(|(_, part)| (part.running.is_none(), part.first_told(), part.place));
    let last = open.pop();
    if rest.is_positive() {
        let mut left = rest;
        for (amount, part) in open {
            let so_far = part.first_told().unwrap_or(Cents::ZERO);
            *amount = so_far.minus(rest.minus(left)).max(Cents::ZERO).min(left);
            left = left.minus(*amount);
        }
        if let Some((amount, _)) = last {
            *amount = left;
        }
    }
    Reckoning { amounts, in_doubt: true }
}
