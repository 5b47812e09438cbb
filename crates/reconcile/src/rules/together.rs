//! What the payments of one order come to together: less than is due, more than was asked, or what was right until the shop
//! changed the total. One discrepancy for the order, with the exact gap.

use std::collections::BTreeMap;

use cvco_domain::{
    CallNumber, Cents, Currency, Detail, Finding, Instrument, Kind, Order, OrderVersion, PaymentName, Psp,
    Timestamp,
};

use super::super::records::{Draft, Missing, Wait};
use super::super::whole::{Instalment, Whole, is_lost};
use super::{disputes, duplicate_tenders, is_told_by_sequence, mixes_currencies, short_parts};

/// Less than what is due by now. What is said of single payments, `known`, may explain it.
pub(super) fn short(drafts: &[Draft], whole: &Whole, known: &[Finding], now: Timestamp) -> Option<Finding> {
    let (gap, due) = (whole.gap()?, whole.overdue(now)?);
    let counted = || drafts.iter().filter(|draft| draft.payment.counts());
    // What began when it was overdue already does not end that.
    let began_before = |draft: &Draft| draft.accepted_since() < whole.overdue_since();
    let is_awaited = |draft: &Draft| match draft.wait {
        Wait::Over(Missing::Confirmation) => true,
        Wait::Until(..) => began_before(draft),
        Wait::Nothing | Wait::Over(_) => false,
    };
    let missing_of_payments: Cents = known
        .iter()
        .filter(|finding| is_about_a_missing_part(finding.kind))
        .filter(|finding| counted().any(|draft| finding.record.as_ref() == Some(&draft.key())))
        .filter_map(|finding| Some(finding.expected?.minus(finding.actual?)))
        .sum();
    // Of what a bank took back its chargeback speaks.
    let is_told = missing_of_payments >= due.minus(whole.accepted());
    if is_told || counted().any(is_awaited) || is_explained(drafts, gap, whole) {
        return None;
    }
    let found = of_order(Kind::AmountShort, short_parts(counted()));
    Some(Finding { expected: Some(due), actual: Some(whole.accepted()), ..found })
}

const fn is_about_a_missing_part(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::AmountShort
            | Kind::ComplementMissing
            | Kind::ComplementOrphan
            | Kind::VoucherOrphan
            | Kind::SequenceDisagrees
            | Kind::Unconfirmed
    )
}

/// More than was asked: paid twice; or by one payment too many, which is named.
pub(super) fn over(drafts: &[Draft], whole: &Whole, now: Timestamp) -> Option<Finding> {
    let counted: Vec<&Draft> = drafts.iter().filter(|draft| draft.payment.counts()).collect();
    match whole.total {
        Some(_) if !whole.is_reached() => over_what_is_due(&counted, whole, now),
        Some(total) => over_the_order(drafts, &counted, whole, total),
        None => over_what_is_stated(&counted),
    }
}

/// The rest of the order is due later, or is missing, of which [`short`] speaks. Until then an attempt that was made again
/// left its voucher over, and who pays an instalment twice paid one time too many: customer and merchant decide whether it
/// is kept for what is still to come. It was kept where all of it comes to instalments.
fn over_what_is_due(counted: &[&Draft], whole: &Whole, now: Timestamp) -> Option<Finding> {
    if whole.overdue(now).is_some() || whole.is_as_planned() {
        return None;
    }
    // Vouchers alone may yet be completed, to another instalment.
    let is_again = |draft: &&Draft| {
        draft.payment.instalment == Instalment::PaidAgain && !matches!(draft.wait, Wait::Until(..))
    };
    let again = counted.iter().copied().filter(is_again);
    if let Some(once) = again.map(|draft| draft.payment.paid).min() {
        let same: Vec<&Draft> = counted.iter().copied().filter(|draft| draft.payment.paid == once).collect();
        let asked =
            same.iter().filter(|draft| draft.payment.instalment == Instalment::Paid).map(|_| once).sum();
        return Some(twice(&same, Some(asked), kept(&same)))
            .filter(|finding| finding.actual > finding.expected);
    }
    left_over(counted)
}

fn over_the_order(drafts: &[Draft], counted: &[&Draft], whole: &Whole, total: Cents) -> Option<Finding> {
    let surplus = whole.gap().filter(|gap| gap.is_positive())?;
    if is_explained(drafts, surplus, whole) {
        return None;
    }
    let withdrawn = withdrawn_since(counted);
    let all_too_much = whole.paid.minus(total).plus(withdrawn.values().copied().sum());
    let once =
        |draft: &Draft| draft.payment.paid.plus(withdrawn.get(&draft.key()).copied().unwrap_or_default());
    let complete: Vec<&Draft> = counted
        .iter()
        .copied()
        .filter(|draft| !draft.payment.is_half() || withdrawn.contains_key(&draft.key()))
        .collect();
    if by_amount(&complete, once).into_iter().any(|(once, same)| same.len() > 1 && once <= all_too_much) {
        return Some(twice(counted, Some(total), whole.kept()));
    }
    let is_awaited = |draft: &&Draft| {
        draft.payment.is_half() && matches!(draft.wait, Wait::Until(..))
            || matches!(draft.wait, Wait::Over(Missing::Confirmation) | Wait::Until(Missing::Confirmation, _))
    };
    if counted.iter().any(is_awaited) {
        return None;
    }
    let too_much = counted.iter().copied().max_by_key(|draft| {
        let payment = &draft.payment;
        let kept = payment.kept();
        (payment.left_over_beside.is_some(), kept == surplus, kept >= surplus, payment.at(), kept)
    })?;
    Some(one_too_many(too_much, Some(total), whole.kept()))
}

/// What the merchant cancelled of payments after all of them were made: part of what was paid too often, of which the rest
/// is still to be given back.
fn withdrawn_since(counted: &[&Draft]) -> BTreeMap<(Psp, CallNumber), Cents> {
    // By the PSPs' clocks: it makes no difference what was heard of first.
    let last = counted.iter().filter_map(|draft| draft.payment.at()).max();
    let withdrawn = |draft: &&Draft| {
        let parts = draft.evidence.iter().filter(|evidence| {
            is_lost(evidence.tender.state)
                && evidence.accepted_seen_at.is_some()
                && evidence.withdrawn_at > last
        });
        let amount: Cents = parts.map(|evidence| evidence.tender.amount).sum();
        amount.is_positive().then(|| (draft.key(), amount))
    };
    counted.iter().filter_map(withdrawn).collect()
}

/// Without a registered order two payments of one amount are one too many, unless one of them was given back; and so is one
/// part alone, beside a payment that was made instead.
fn over_what_is_stated(counted: &[&Draft]) -> Option<Finding> {
    let is_whole = |draft: &&Draft| {
        let is_stated = draft.record.expected.is_none_or(|(expected, _)| expected == draft.payment.paid);
        is_stated && draft.wait == Wait::Nothing && draft.payment.left_over_beside.is_none()
    };
    let whole: Vec<&Draft> = counted.iter().copied().filter(is_whole).collect();
    let again = by_amount(&whole, |draft| draft.payment.paid)
        .into_iter()
        .find(|(once, same)| same.len() > 1 && kept(same) > *once);
    if let Some((once, same)) = again {
        return Some(twice(&same, Some(once), kept(&same)));
    }
    left_over(counted)
}

fn left_over(counted: &[&Draft]) -> Option<Finding> {
    let half = counted.iter().copied().find(|draft| draft.payment.left_over_beside.is_some())?;
    let asked = half.payment.left_over_beside?;
    let waits = matches!(half.wait, Wait::Until(..));
    (!waits).then(|| one_too_many(half, Some(asked), asked.plus(half.payment.kept())))
}

fn kept(drafts: &[&Draft]) -> Cents {
    drafts.iter().map(|draft| draft.payment.kept()).sum()
}

fn by_amount<'d>(drafts: &[&'d Draft], amount: impl Fn(&Draft) -> Cents) -> BTreeMap<Cents, Vec<&'d Draft>> {
    let mut by_amount: BTreeMap<Cents, Vec<&Draft>> = BTreeMap::new();
    for draft in drafts {
        by_amount.entry(amount(draft)).or_default().push(draft);
    }
    by_amount
}

fn twice(payments: &[&Draft], expected: Option<Cents>, actual: Cents) -> Finding {
    let mut payments = payments.to_vec();
    payments.sort_by_key(|draft| draft.payment.at());
    let name =
        |draft: &&Draft| PaymentName { psp: draft.record.psp, call_number: draft.record.call_number.clone() };
    let names = Detail::Payments(payments.iter().map(name).collect());
    Finding { expected, actual: Some(actual), ..of_order(Kind::DoublePayment, names) }
}

/// A voucher that was left over is named as such: what can be done about it is another matter than a surplus.
fn one_too_many(draft: &Draft, expected: Option<Cents>, actual: Cents) -> Finding {
    let parts = draft.parts(draft.evidence.iter());
    let is_left_over = draft.payment.left_over_beside.is_some();
    let detail = match draft.payment.alone() {
        Some(Instrument::Voucher) if is_left_over => Detail::LeftOver(parts),
        _ => Detail::Parts(parts),
    };
    Finding { expected, actual: Some(actual), ..draft.finding(Kind::AmountOver, "", detail) }
}

fn of_order(kind: Kind, detail: Detail) -> Finding {
    Finding { kind, record: None, subject: String::new(), expected: None, actual: None, detail }
}

/// Something else that is told says why the payments do not come to the order.
fn is_explained(drafts: &[Draft], gap: Cents, whole: &Whole) -> bool {
    drafts.iter().filter(|draft| draft.payment.counts()).any(|draft| {
        mixes_currencies(draft)
            || !duplicate_tenders(draft).is_empty()
            || disputes::explain_the_gap(draft, Some(gap))
            || whole.total.is_some_and(|total| is_told_by_sequence(draft, total))
    })
}

/// The order was paid, and the shop registered another total since. What it registered first counts as known at that time,
/// even if the registration came after the payment. Told until the difference is collected or given back.
pub(super) fn total_changed(drafts: &[Draft], whole: &Whole, order: &Order) -> Option<Finding> {
    let (current, earlier) = order.versions.split_last()?;
    // An order of nothing was never paid: its total may change freely.
    let was_paid = |version: &&OrderVersion| {
        version.total.is_positive()
            && [Clock::Ours, Clock::Theirs].into_iter().any(|clock| {
                paid_before(drafts, current.registered_at, version.currency, clock) == version.total
            })
    };
    let then = earlier.iter().rev().filter(|then| !is_same(then, current)).find(was_paid)?;
    let left = whole.gap().unwrap_or_default();
    let difference = then.total.minus(current.total);
    let is_part_of_it = (left > Cents::ZERO) == (difference > Cents::ZERO) && left.abs() <= difference.abs();
    // Of another currency alone its own rule speaks.
    let is_other = then.currency != current.currency && then.total != current.total;
    let is_open = is_other || left != Cents::ZERO && is_part_of_it;
    is_open.then(|| Finding {
        expected: Some(then.total),
        actual: Some(current.total),
        ..of_order(Kind::TotalChanged, Detail::ChangedAt(current.registered_at))
    })
}

fn is_same(one: &OrderVersion, other: &OrderVersion) -> bool {
    (one.total, one.currency) == (other.total, other.currency)
}

/// News of a payment may come after a change of the total. The PSP's clock tells then, but it is not the clock of the
/// registrations: it is believed where the payment comes to what was registered at the time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clock {
    Ours,
    Theirs,
}

fn paid_before(drafts: &[Draft], instant: Timestamp, currency: Currency, clock: Clock) -> Cents {
    let parts = drafts.iter().filter(|draft| draft.payment.counts()).flat_map(|draft| &draft.evidence);
    parts
        .filter(|part| part.tender.state.is_accepted() && part.tender.currency == currency)
        .filter(|part| {
            let at = match clock {
                Clock::Ours => part.accepted_seen_at,
                Clock::Theirs => part.tender.authorised_at,
            };
            // Of the same millisecond nobody knows which came first: it is right if it was right then.
            at.is_some_and(|at| at <= instant)
        })
        .map(|part| part.tender.amount)
        .sum()
}
