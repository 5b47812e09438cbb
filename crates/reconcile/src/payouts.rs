//! Which tender a line of a statement pays out. The ledger knows which order a line is about; here it finds its part, or the
//! parts that it comes to together.

use std::cmp::Reverse;

use cvco_domain::{Cents, Order, PaidShare, Payout};

use super::tenders::{Attempt, Evidence};

/// What a line pays out of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PartPaid {
    pub(super) payout: Payout,
    /// All of the line, or a share of it.
    pub(super) amount: Cents,
    /// Of the parts that the line is shared out over the first: what is to be said of the line is said there.
    pub(super) is_first: bool,
}

/// What falls to a part, by its place.
#[derive(Debug, Clone, Copy)]
struct Share {
    attempt: usize,
    tender: usize,
    amount: Cents,
}

/// Enters every line with the tender that it pays out, or with those that it comes to together, and returns those that pay
/// out nothing that was accepted.
pub(super) fn allocate(attempts: &mut [Attempt], order: &Order) -> Vec<Payout> {
    let mut lines: Vec<&Payout> = order.payouts.iter().collect();
    // Payments before what is taken back of them; and those that name their transaction before those that do not.
    lines.sort_by_key(|payout| {
        let line = &payout.line;
        (
            (line.amount < Cents::ZERO, line.transaction.is_none(), Reverse(line.amount)),
            (payout.paid_on, &payout.id),
        )
    });
    let mut unallocated = Vec::new();
    for payout in lines {
        let shares = shares(attempts, payout);
        if shares.is_empty() {
            unallocated.push(payout.clone());
        }
        for (place, share) in shares.iter().enumerate() {
            let attempt = attempts.get_mut(share.attempt);
            if let Some(evidence) = attempt.and_then(|attempt| attempt.tenders.get_mut(share.tender)) {
                evidence.pay_out(PartPaid {
                    payout: payout.clone(),
                    amount: share.amount,
                    is_first: place == 0,
                });
            }
        }
    }
    attempts.iter_mut().flat_map(|attempt| &mut attempt.tenders).for_each(Evidence::win_disputes);
    unallocated
}

/// The part that a line fits; where it fits none to the cent, those that it comes to together.
fn shares(attempts: &[Attempt], payout: &Payout) -> Vec<Share> {
    let candidates = places(attempts, |_| payout.line.amount)
        .filter_map(|(share, evidence)| Some((fit(payout, evidence)?, share)));
    // Of several that fit as well the first: `max_by` would take the last.
    let best = candidates.reduce(|best, next| if next.0 > best.0 { next } else { best });
    let Some((fit, share)) = best else { return Vec::new() };
    let is_found = fit.is_in_time && fit.is_owed || fit.names_it && fit.is_exact;
    let together = if is_found { None } else { together(attempts, payout) };
    together.unwrap_or_else(|| vec![share])
}

/// The parts that a line pays out or takes back together, each with what is owed of it: those of one payment, else those of
/// the order. An issuer may pay out what was accepted although some of it was given back since; that is taken back later.
fn together(attempts: &[Attempt], payout: &Payout) -> Option<Vec<Share>> {
    let accepted: fn(&Evidence) -> Cents = |part| part.tender.amount.minus(part.tender.booked.settled);
    [Evidence::owed, accepted].into_iter().find_map(|open| {
        let shares: Vec<Share> = places(attempts, open)
            .filter(|(share, part)| {
                is_possible(payout, part)
                    && is_in_time(payout, part)
                    && part.tender.state.is_accepted()
                    && share.amount != Cents::ZERO
                    && share.amount.is_positive() == payout.line.amount.is_positive()
            })
            .map(|(share, _)| share)
            .collect();
        let of_payment = |attempt: usize| -> Vec<Share> {
            shares.iter().copied().filter(|share| share.attempt == attempt).collect()
        };
        let payments = || (0..attempts.len()).map(of_payment).chain([shares.clone()]);
        let all = |shares: &Vec<Share>| shares.len() > 1 && sum(shares) == payout.line.amount;
        payments().find(all).or_else(|| payments().find_map(|shares| some_of(&shares, payout.line.amount)))
    })
}

fn sum(shares: &[Share]) -> Cents {
    shares.iter().map(|share| share.amount).sum()
}

/// Of more parts than this the line is not looked for among some of them.
const MOST_PARTS: u32 = 12;

/// Some of the parts that come to the line: as few as possible, and the first of these.
fn some_of(shares: &[Share], wanted: Cents) -> Option<Vec<Share>> {
    let count = u32::try_from(shares.len()).ok().filter(|count| *count <= MOST_PARTS)?;
    let chosen = |places: u32| -> Vec<Share> {
        let is_chosen = |(place, _): &(usize, &Share)| places >> place & 1 == 1;
        shares.iter().enumerate().filter(is_chosen).map(|(_, share)| *share).collect()
    };
    let several = (1..1_u32 << count).filter(|places| places.count_ones() > 1);
    let fitting = several.filter(|places| sum(&chosen(*places)) == wanted);
    fitting.min_by_key(|places| (places.count_ones(), *places)).map(chosen)
}

/// Every part, with so much of it.
fn places<'a>(
    attempts: &'a [Attempt],
    amount: impl Fn(&Evidence) -> Cents + 'a,
) -> impl Iterator<Item = (Share, &'a Evidence)> {
    let all = attempts.iter().enumerate().flat_map(|(attempt, Attempt { tenders, .. })| {
        tenders.iter().enumerate().map(move |(tender, evidence)| (attempt, tender, evidence))
    });
    all.map(move |(attempt, tender, evidence)| {
        (Share { attempt, tender, amount: amount(evidence) }, evidence)
    })
}

fn is_possible(payout: &Payout, evidence: &Evidence) -> bool {
    evidence.tender.issuer == payout.id.issuer && evidence.tender.booked.received_on.is_some()
}

/// What was taken after a line was paid is not what it pays; clocks of banks and PSPs may be a day apart.
fn is_in_time(payout: &Payout, evidence: &Evidence) -> bool {
    evidence.tender.booked.received_on.is_some_and(|day| day <= payout.paid_on.next())
}

/// How well a tender fits a line, best last.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::struct_excessive_bools, reason = "each weighs by itself, in the order in which they stand")]
struct Fit {
    names_it: bool,
    is_in_time: bool,
    /// It is what is owed of it, to the cent.
    is_owed: bool,
    /// It is what it came to, to the cent, and nothing of it was paid out yet: an issuer may pay out first what was given back.
    is_all_of_it: bool,
    owes_something: bool,
    is_exact: bool,
    is_first: bool,
}

/// `None` if it cannot be the one. Of two payments of one order, one of which was cancelled or given back, it is the one
/// that is still owed.
fn fit(payout: &Payout, evidence: &Evidence) -> Option<Fit> {
    let (line, tender) = (&payout.line, &evidence.tender);
    is_possible(payout, evidence).then(|| Fit {
        names_it: line.transaction.is_some() && line.transaction == tender.id
            || line.authorisation.is_some() && line.authorisation == tender.authorisation,
        is_in_time: is_in_time(payout, evidence),
        is_owed: evidence.owed() == line.amount,
        is_all_of_it: line.amount == tender.amount && tender.booked.settled == Cents::ZERO,
        owes_something: evidence.owed().is_positive(),
        is_exact: evidence.is_exact(line.amount),
        is_first: tender.booked.settled == Cents::ZERO,
    })
}

impl Evidence {
    /// What is kept of it and was not paid out; negative for what is to be taken back.
    fn owed(&self) -> Cents {
        let tender = &self.tender;
        let kept = if tender.state.is_accepted() { tender.kept() } else { Cents::ZERO };
        kept.minus(tender.booked.settled)
    }

    /// Whether an amount of a line is one that this part lets expect: all of it, what is kept, or a refund of it.
    pub(super) fn is_exact(&self, amount: Cents) -> bool {
        let tender = &self.tender;
        let back = Cents::ZERO.minus(amount);
        amount == tender.amount || amount == tender.kept() || self.made().any(|refund| refund.amount == back)
    }

    /// A bank that took back what it had paid out, and paid it out again since, lost its customer's dispute: the merchant has
    /// the money, whatever the PSP last said. No PSP is known to say so itself.
    fn win_disputes(&mut self) {
        let tender = &self.tender;
        let without_disputes = tender.kept().plus(tender.taken_back);
        let last = |is_wanted: fn(&Cents) -> bool| {
            let lines = self.payouts.iter().filter(|paid| is_wanted(&paid.amount));
            lines.map(|paid| paid.payout.paid_on).max()
        };
        let taken_on = last(|amount| *amount < Cents::ZERO);
        let is_won = tender.taken_back.is_positive()
            && tender.booked.settled == without_disputes
            && taken_on.is_some()
            && last(|amount| amount.is_positive()) > taken_on;
        if is_won {
            self.forget_chargebacks();
        }
    }

    fn pay_out(&mut self, paid: PartPaid) {
        let booked = &mut self.tender.booked;
        booked.settled = booked.settled.plus(paid.amount);
        let day = Some(paid.payout.paid_on);
        // What is taken back of a refund does not put off the day on which the part was paid out.
        booked.settled_on =
            if paid.amount.is_positive() { booked.settled_on.max(day) } else { booked.settled_on.or(day) };
        booked.payouts.push(PaidShare { line: paid.payout.id.clone(), amount: paid.amount });
        self.payouts.push(paid);
    }
}
