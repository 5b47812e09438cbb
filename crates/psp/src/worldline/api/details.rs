//! The answer to "what became of this payment?": all its operations, each with its own amount. An operation
//! says how it was paid, but not with which product; that takes a look at the operation itself.

use cvco_domain::{
    CallNumber, Cents, Event, Instrument, Operation as Direction, ReportedState, Standing, StatusReading,
};

use super::super::codes::Meaning;
use super::super::method::{Kind, Method};
use super::super::objects::{MethodOutput, Operation, Payment, PaymentOutput};
use super::super::payment_id::PaymentId;
use super::super::refund::{GivenBack, TakenBack};
use super::super::tender::{self, Share, Tender};
use crate::api::Answer;

/// No payment has more parts than this to look up.
const MOST_LOOKS: usize = 8;

/// What the lookup of an operation found, with the operation's id.
pub(super) struct Look {
    pub(super) id: String,
    pub(super) payment: Payment,
}

/// An operation that counts, with what its list tells.
struct Listed<'a> {
    operation: &'a Operation,
    id: &'a PaymentId,
    method: &'a Method,
    meaning: Meaning,
}

fn listed(payment: &Payment) -> impl Iterator<Item = Listed<'_>> {
    payment.operations.iter().filter(|operation| !operation.status().is_created()).filter_map(|operation| {
        Some(Listed {
            operation,
            id: operation.id.0.as_ref()?,
            method: operation.payment_method.0.as_ref().or_else(|| payment.output.method())?,
            meaning: operation.meaning()?,
        })
    })
}

impl Listed<'_> {
    /// Where the part stands that it is about. An operation that is now a chargeback may be the one that captured the
    /// card, if the list has no other.
    fn part(&self, payment: &Payment) -> Option<(ReportedState, StatusReading)> {
        let is_of_payment =
            |other: &Listed<'_>| matches!(other.meaning, Meaning::Payment(..)) && other.method == self.method;
        match self.meaning {
            Meaning::Payment(state, reading) => Some((state, reading)),
            Meaning::Chargeback(_) => (!listed(payment).any(|other| is_of_payment(&other)))
                .then_some((ReportedState::Captured, StatusReading::Known)),
            Meaning::Refund(..) => None,
        }
    }

    /// What the payment's own output says of this operation's product: it describes one part, so it will do
    /// only where no other part was paid by the same method.
    fn told<'p>(&self, payment: &'p Payment) -> Option<&'p MethodOutput> {
        let same =
            listed(payment).filter(|other| other.part(payment).is_some() && other.method == self.method);
        let output = payment.output.of_method(self.method)?;
        (same.count() == 1 && output.payment_product_id.0.is_some()).then_some(output)
    }
}

/// The operations to look at before the products of all parts are known.
pub(super) fn to_look_at(payment: &Payment) -> Vec<&str> {
    listed(payment)
        .filter(|listed| listed.part(payment).is_some() && listed.told(payment).is_none())
        .map(|listed| listed.id.as_str())
        .take(MOST_LOOKS)
        .collect()
}

/// The answer as a whole.
pub(super) fn answer(call_number: &CallNumber, payment: &Payment, looks: &[Look]) -> Answer {
    let mut remarks = Vec::new();
    let parts = parts(payment, looks, &mut remarks);
    let mut events: Vec<Event> =
        parts.into_iter().filter_map(|part| part.event(call_number, payment)).collect();
    events.extend(listed(payment).filter_map(|listed| refund(call_number, payment, &listed)));
    events.extend(chargebacks(call_number, payment));
    if payment.operations.is_empty() {
        remarks.push("the details list no operations");
        match tender::event(payment, payment.occurred_at()) {
            Ok(event) => events.push(event),
            Err(why) => remarks.push(why),
        }
    }
    let tried = payment.operations.iter().filter(|operation| !operation.status().is_created()).count();
    if events.len() < tried {
        remarks.push("operations that lack an id, a method, a status or an amount are left out");
    }
    Answer {
        standing: standing(payment, &events),
        events,
        questions: Vec::new(),
        remark: (!remarks.is_empty()).then(|| remarks.join("; ")),
    }
}

/// A part whose amount is being computed.
struct Draft<'a> {
    listed: Listed<'a>,
    state: ReportedState,
    reading: StatusReading,
    output: Option<&'a MethodOutput>,
    kind: Kind,
    share: Share,
}

impl Draft<'_> {
    fn is(&self, instrument: Instrument, state: ReportedState) -> bool {
        self.kind.instrument == instrument && self.state == state
    }

    fn is_accepted(&self) -> bool {
        matches!(self.state, ReportedState::Authorised | ReportedState::Captured)
    }

    fn event(self, call_number: &CallNumber, payment: &Payment) -> Option<Event> {
        let own = self.listed.operation.amount_of_money;
        let tender = Tender {
            call_number,
            id: self.listed.id,
            order_ref: payment.output.references.merchant_reference.0.clone(),
            kind: self.kind,
            share: self.share,
            currency: own.currency().or_else(|| payment.currency())?,
            state: self.state,
            status: self.listed.operation.status().code(self.reading),
            authorisation: self.output.and_then(|output| output.authorisation_code.0.clone()),
            occurred_at: self.listed.operation.changed_at(),
        };
        Some(tender.into_event())
    }
}

fn parts<'a>(payment: &'a Payment, looks: &'a [Look], remarks: &mut Vec<&'static str>) -> Vec<Draft<'a>> {
    let output = &payment.output;
    let mut drafts: Vec<_> = listed(payment)
        .filter_map(|listed| {
            let (state, reading) = listed.part(payment)?;
            let look = || looks.iter().find(|look| look.id == listed.id.as_str());
            let of_method = listed
                .told(payment)
                .or_else(|| look().and_then(|look| look.payment.output.of_method(listed.method)));
            let own = listed.operation.amount_of_money.positive();
            Some(Draft {
                state,
                reading,
                output: of_method,
                kind: MethodOutput::kind(of_method, listed.method)?,
                share: Share::of(output, own, state)?,
                listed,
            })
        })
        .collect();
    if give_the_voucher_its_own(&mut drafts, output) {
        remarks.push("the voucher part is stated as the whole order: taken for what the cards leave");
    }
    if !adds_up(&drafts, payment) {
        remarks.push("the parts do not come to what was acquired: their amounts are left open");
        for draft in drafts.iter_mut().filter(|draft| draft.is_accepted()) {
            draft.share = Share::of(output, None, draft.state).unwrap_or(draft.share);
        }
    }
    drafts
}

fn total(drafts: &[Draft<'_>], instrument: Instrument, state: ReportedState) -> Cents {
    drafts.iter().filter(|draft| draft.is(instrument, state)).map(|draft| draft.share.amount).sum()
}

/// The operation of a voucher may carry the amount of the whole order, beside the card's own: the plugin for
/// Magento computes the vouchers' part as what the card leaves of the order.
fn give_the_voucher_its_own(drafts: &mut [Draft<'_>], output: &PaymentOutput) -> bool {
    let cards = total(drafts, Instrument::Card, ReportedState::Captured);
    let whole = output.amount_of_money.positive();
    let mut vouchers =
        drafts.iter_mut().filter(|draft| draft.is(Instrument::Voucher, ReportedState::Captured));
    let (Some(voucher), None, Some(whole)) = (vouchers.next(), vouchers.next(), whole) else { return false };
    let left = whole.minus(cards);
    let replaced = cards.is_positive() && left.is_positive() && voucher.share.amount == whole;
    if replaced {
        voucher.share.amount = left;
    }
    replaced
}

/// Whether the parts come to what the PSP says was paid, before or after refunds. A part that is authorised
/// counts only while nothing of its instrument is captured: a capture is listed beside the authorisation that
/// it fulfils.
fn adds_up(drafts: &[Draft<'_>], payment: &Payment) -> bool {
    let captured = |instrument| total(drafts, instrument, ReportedState::Captured);
    let paid = |instrument| match captured(instrument) {
        Cents::ZERO => total(drafts, instrument, ReportedState::Authorised),
        captured => captured,
    };
    let all_captured = captured(Instrument::Voucher).plus(captured(Instrument::Card));
    let all_paid = paid(Instrument::Voucher).plus(paid(Instrument::Card));
    let refunded: Cents = listed(payment)
        .filter(|listed| {
            matches!(
                listed.meaning,
                Meaning::Refund(ReportedState::Captured, _) | Meaning::Chargeback(ReportedState::Captured)
            )
        })
        .filter_map(|listed| listed.operation.amount_of_money.positive())
        .sum();
    match payment.output.acquired() {
        Some(acquired) => [all_captured, all_paid, all_captured.minus(refunded)].contains(&acquired),
        None => payment.output.order_total().is_none_or(|total| all_paid <= total),
    }
}

fn refund(call_number: &CallNumber, payment: &Payment, listed: &Listed<'_>) -> Option<Event> {
    let Meaning::Refund(state, reading) = listed.meaning else { return None };
    let own = listed.operation.amount_of_money;
    let given_back = GivenBack {
        call_number,
        id: listed.id,
        order_ref: payment.output.references.merchant_reference.0.clone(),
        method: listed.method,
        amount: own.positive(),
        so_far: None,
        currency: own.currency().or_else(|| payment.currency())?,
        state,
        status: listed.operation.status().code(reading),
        occurred_at: listed.operation.changed_at(),
    };
    given_back.into_event()
}

/// By operations of their own, or by the state of the payment as a whole.
fn chargebacks(call_number: &CallNumber, payment: &Payment) -> Vec<Event> {
    let by_operation = |listed: Listed<'_>| {
        let Meaning::Chargeback(state) = listed.meaning else { return None };
        let taken_back = TakenBack {
            payment,
            call_number,
            id: Some(listed.id),
            amount: listed.operation.amount_of_money.positive(),
            state,
            status: listed.operation.status().code(StatusReading::Known),
            occurred_at: listed.operation.changed_at(),
        };
        taken_back.into_event()
    };
    let events: Vec<Event> = listed(payment).filter_map(by_operation).collect();
    match payment.status().meaning() {
        Some(Meaning::Chargeback(state)) if events.is_empty() && !payment.operations.is_empty() => {
            let taken_back = TakenBack {
                payment,
                call_number,
                id: None,
                amount: None,
                state,
                status: payment.status().code(StatusReading::Known),
                occurred_at: payment.changed_at(),
            };
            taken_back.into_event().into_iter().collect()
        }
        _ => events,
    }
}

/// Undecided while a part is; while nothing was tried yet and the payment itself is still open; and while a
/// voucher waits for the card that was to complete it.
fn standing(payment: &Payment, events: &[Event]) -> Standing {
    let debits = || events.iter().filter(|event| event.operation == Direction::Debit);
    let pending = debits().any(|event| event.state == ReportedState::Pending);
    let untried = debits().next().is_none()
        && matches!(payment.status().meaning(), None | Some(Meaning::Payment(ReportedState::Pending, _)));
    let output = &payment.output;
    let short = output.acquired().zip(output.order_total()).is_some_and(|(acquired, total)| acquired < total);
    let only_vouchers = events.iter().all(|event| {
        event.instrument == Instrument::Voucher
            && matches!(event.state, ReportedState::Authorised | ReportedState::Captured)
            && event.operation == Direction::Debit
    });
    let awaits_complement = short && !events.is_empty() && only_vouchers;
    if pending || untried || awaits_complement { Standing::Unsettled } else { Standing::Settled }
}
