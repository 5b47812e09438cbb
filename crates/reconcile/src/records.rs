//! From the tenders of one payment attempt to its record: what it should come to, and where it stands.

use std::time::Duration;

use cvco_domain::{Cents, Instrument, Mode, Order, Record, RecordState, TenderState, Timestamp};

use super::refunds::Outcome;
use super::tenders::{Attempt, Evidence};
use super::whole::{Instalment, Payment, Whole, is_lost};
use super::{Policy, rules};

/// A record, with the evidence that the rules go by.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) record: Record,
    pub(super) evidence: Vec<Evidence>,
    /// The total of a message that lists the parts.
    pub(super) itemised_total: Option<Cents>,
    pub(super) endpoint_mode: Mode,
    /// The same, as a payment of its order.
    pub(super) payment: Payment,
    pub(super) wait: Wait,
}

/// Whether something more may come, and for how long it is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// Nothing more is to come.
    Nothing,
    /// The card part, a voucher part, a decision or an answer, until an instant that lies ahead.
    Until(Missing, Timestamp),
    /// It did not come in time.
    Over(Missing),
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// The card part of an accepted voucher part.
    Complement,
    /// The voucher part of an accepted card complement.
    Voucher,
    /// The outcome of a part that is still undecided.
    Outcome,
    /// The answer of the PSP's API that says what each part came to.
    Confirmation,
}

/// Makes the record of one payment attempt.
pub(super) fn draft(
    attempt: Attempt,
    payment: Payment,
    order: &Order,
    whole: &Whole,
    policy: &Policy,
    now: Timestamp,
) -> Draft {
    let tenders: Vec<_> = attempt.tenders.iter().map(|evidence| evidence.tender.clone()).collect();
    let mut record = Record {
        psp: attempt.psp,
        call_number: attempt.call_number.clone(),
        endpoint: attempt.endpoint.clone(),
        mode: attempt.mode(),
        currency: attempt.currency(order),
        expected: payment.expected,
        state: RecordState::Pending,
        tenders,
        refunding: refunding(&attempt.tenders),
        counts: payment.is_of_the_order(),
    };
    let wait = waiting(&attempt, &payment, whole, policy, now);
    record.state = state(&record, &payment, wait, whole, now);
    Draft {
        record,
        evidence: attempt.tenders,
        itemised_total: attempt.itemised_total,
        endpoint_mode: attempt.endpoint_mode,
        payment,
        wait,
    }
}

fn refunding(tenders: &[Evidence]) -> Cents {
    let returns = tenders.iter().flat_map(|evidence| &evidence.returns);
    returns.filter(|refund| refund.outcome == Outcome::Awaited).map(|refund| refund.amount).sum()
}

/// What is awaited. An order that is paid as a whole lacks no part, and nobody misses the other part of a payment that was
/// made once more.
fn waiting(attempt: &Attempt, payment: &Payment, whole: &Whole, policy: &Policy, now: Timestamp) -> Wait {
    let wait = waiting_by_itself(attempt, payment, whole, policy, now);
    let is_of_a_part = matches!(
        wait,
        Wait::Until(Missing::Complement | Missing::Voucher, _)
            | Wait::Over(Missing::Complement | Missing::Voucher)
    );
    let is_over = matches!(wait, Wait::Over(_));
    if is_of_a_part && is_over && whole.has_begun_beside(payment) {
        return wait;
    }
    let is_paid_again = payment.instalment == Instalment::PaidAgain;
    let is_not_missed = payment.counts() && whole.was_settled()
        || is_over
            && (payment.left_over_beside.is_some()
                || is_paid_again
                || payment.counts() && whole.was_reached());
    if is_of_a_part && is_not_missed { Wait::Nothing } else { wait }
}

fn waiting_by_itself(
    attempt: &Attempt,
    payment: &Payment,
    whole: &Whole,
    policy: &Policy,
    now: Timestamp,
) -> Wait {
    let evidence = &attempt.tenders;
    let seen = |instrument: Instrument| {
        attempt
            .accepted()
            .filter(|e| e.tender.instrument == instrument)
            .filter_map(|e| e.accepted_seen_at)
            .min()
    };
    let undecided = evidence
        .iter()
        .filter(|e| e.tender.state == TenderState::Pending)
        .map(|e| e.tender.first_seen_at.after(time_to_decide(e, seen(Instrument::Voucher), policy)))
        .max();
    let is_complete = payment.is_complete;
    let a_part_is_known_missing = payment.expected.is_some() || attempt.parts_announced.is_some();
    let complement_accepted = attempt.accepted().any(|e| e.tender.complement);
    let itemised = attempt.itemised_total.is_some();
    let short_of_order = whole.total.is_some() && !is_complete && !itemised;

    let until = |missing, deadline: Timestamp| {
        if now < deadline { Wait::Until(missing, deadline) } else { Wait::Over(missing) }
    };
    if let Some(deadline) = undecided.filter(|deadline| now < *deadline) {
        return Wait::Until(Missing::Outcome, deadline);
    }
    if let Some(deadline) = undoing(attempt, policy).filter(|deadline| now < *deadline && !is_complete) {
        return Wait::Until(Missing::Outcome, deadline);
    }
    if attempt.parts_in_doubt {
        // The part that was told last is the one that left the doubt.
        let last = attempt.accepted().filter_map(|e| e.accepted_seen_at).max();
        return last.map_or(Wait::Nothing, |last| {
            until(Missing::Confirmation, last.after(policy.confirmation_grace))
        });
    }
    match (seen(Instrument::Voucher), seen(Instrument::Card)) {
        // Also where a message lists all parts: the platform may yet cancel the vouchers, or the customer try again.
        (Some(since), None) if !is_complete => {
            match until(Missing::Complement, since.after(policy.complement_grace)) {
                // Nobody says that there should have been a card part, and none was tried.
                Wait::Over(_) if !a_part_is_known_missing && !complement_failed(evidence) => Wait::Nothing,
                wait @ (Wait::Nothing | Wait::Until(..) | Wait::Over(_)) => wait,
            }
        }
        (None, Some(_)) if complement_accepted && !is_complete && itemised => Wait::Over(Missing::Voucher),
        (None, Some(since)) if complement_accepted && !is_complete => {
            until(Missing::Voucher, since.after(policy.complement_grace))
        }
        // A card that pays a part of the order may complete a voucher payment that is not told yet, taken elsewhere
        // perhaps. If none comes, it is simply a part of the order.
        (None, Some(since)) if short_of_order => {
            match until(Missing::Voucher, since.after(policy.complement_grace)) {
                Wait::Over(_) => Wait::Nothing,
                wait @ (Wait::Nothing | Wait::Until(..)) => wait,
            }
        }
        (None, None) if undecided.is_some() => Wait::Over(Missing::Outcome),
        _ => Wait::Nothing,
    }
}

/// For how long a decision is awaited that is planned for a later day: no message tells that day for certain, and most plans
/// end with a season.
const PLANNED: Duration = Duration::from_hours(60 * 24);

/// For how long a part may stay undecided. A bank takes its time, as long as the authorisation lasts; a customer who has begun
/// to pay the rest of a voucher has the time of a payment page, for the voucher can be given back for a few hours only.
fn time_to_decide(undecided: &Evidence, voucher_accepted_at: Option<Timestamp>, policy: &Policy) -> Duration {
    if undecided.is_unfinished && voucher_accepted_at.is_some() {
        return policy.complement_grace;
    }
    if undecided.is_planned {
        return PLANNED;
    }
    rules::captures::grace(undecided.psp, policy)
}

/// When the last part of a payment that is being cancelled should be cancelled: whoever cancels one part, or captures a part
/// of an amount, is given the time to go on.
fn undoing(attempt: &Attempt, policy: &Policy) -> Option<Timestamp> {
    let is_withdrawn = |evidence: &&Evidence| {
        matches!(evidence.tender.state, TenderState::Cancelled | TenderState::Expired)
            && evidence.accepted_seen_at.is_some()
    };
    attempt.accepted().next()?;
    let withdrawn = attempt.tenders.iter().filter(is_withdrawn);
    let lowered = attempt.tenders.iter().filter_map(|evidence| evidence.lowered_seen_at);
    let last = withdrawn.filter_map(|evidence| evidence.withdrawn_seen_at).chain(lowered).max();
    last.map(|at| at.after(policy.complement_grace))
}

fn state(record: &Record, payment: &Payment, wait: Wait, whole: &Whole, now: Timestamp) -> RecordState {
    let (paid, refunded) = (record.paid(), record.refunded());
    if refunded.is_positive() {
        return if refunded >= paid { RecordState::Refunded } else { RecordState::PartRefunded };
    }
    match wait {
        Wait::Until(..) | Wait::Over(Missing::Outcome) => return RecordState::Pending,
        Wait::Over(Missing::Complement | Missing::Voucher | Missing::Confirmation) => {
            return if is_paid(record) { RecordState::Unbalanced } else { RecordState::Failed };
        }
        Wait::Nothing => {}
    }
    if !is_paid(record) {
        return RecordState::Failed;
    }
    match record.gap() {
        // It lacks nothing itself: the order does.
        Some(gap) if gap == Cents::ZERO && payment.counts() && whole.is_less() => RecordState::PartPaid,
        Some(gap) if gap == Cents::ZERO => RecordState::Balanced,
        None if payment.left_over_beside.is_none() => RecordState::Unverified,
        Some(_) if payment.counts() && whole.is_part_paid(now) => RecordState::PartPaid,
        Some(_) | None => RecordState::Unbalanced,
    }
}

fn is_paid(record: &Record) -> bool {
    record.tenders.iter().any(|tender| tender.state.is_accepted())
}

/// Whether a card part was tried and came to nothing.
pub(super) fn complement_failed(parts: &[Evidence]) -> bool {
    parts.iter().map(|part| &part.tender).any(|t| t.instrument == Instrument::Card && is_lost(t.state))
}

impl Draft {
    /// When the daemon first heard that any part of it was accepted.
    pub(super) fn accepted_since(&self) -> Option<Timestamp> {
        self.evidence
            .iter()
            .filter(|evidence| evidence.tender.state.is_accepted())
            .filter_map(|evidence| evidence.accepted_seen_at)
            .min()
    }

    /// Paid minus expected, in cents: of the registered order, if this is one of its payments; else of this payment.
    pub(super) fn gap_of(&self, whole: &Whole) -> Option<Cents> {
        whole.gap().filter(|_| self.payment.counts()).or(self.record.gap())
    }

    /// When time alone may change what is to be said of this record.
    pub(super) fn look_again_after(
        &self,
        now: Timestamp,
        order: &Order,
        policy: &Policy,
    ) -> Option<Timestamp> {
        let unregistered = (order.current().is_none()
            && (self.record.expected.is_none() || policy.require_orders))
            .then(|| self.accepted_since())
            .flatten()
            .map(|since| since.after(policy.complement_grace));
        let awaited = match self.wait {
            Wait::Until(_, deadline) => Some(deadline),
            Wait::Nothing | Wait::Over(_) => None,
        };
        let later = rules::deadlines(self, order, policy);
        let all = [unregistered, awaited].into_iter().flatten().chain(later);
        all.filter(|at| *at > now).min()
    }
}
