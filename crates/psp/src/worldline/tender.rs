//! Events about the parts of a payment.

use cvco_domain::{
    AmountFrom, Authorisation, AuthorisationNumber, CallNumber, Cents, Currency, Event, Instrument,
    Operation, OrderRef, ReportedState, StatusCode, Timestamp,
};

use super::codes::Meaning;
use super::method::Kind;
use super::objects::{MethodOutput, Payment, PaymentOutput};
use super::payment_id::PaymentId;
use super::refund;

/// Why an object yields no event, for the log.
pub(super) type Skipped = &'static str;

/// What a webhook or an answer of the API says about one part of a payment.
pub(super) struct Tender<'a> {
    pub(super) call_number: &'a CallNumber,
    pub(super) id: &'a PaymentId,
    pub(super) order_ref: Option<OrderRef>,
    pub(super) kind: Kind,
    pub(super) share: Share,
    pub(super) currency: Currency,
    pub(super) state: ReportedState,
    pub(super) status: StatusCode,
    pub(super) authorisation: Option<AuthorisationNumber>,
    pub(super) occurred_at: Option<Timestamp>,
}

/// How much of the order a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) amount: Cents,
    pub(super) from: AmountFrom,
    /// What was paid of the order so far.
    acquired: Option<Cents>,
    order_total: Option<Cents>,
    surcharge: Cents,
}

impl Share {
    /// `own` is the operation's own amount, if the message states it. Otherwise an accepted part counts as what was
    /// paid of the order so far, as long as that is less than the order, and in all other cases only the whole order is
    /// known. What was paid so far says nothing about a part that was not accepted, because that money came from the
    /// other parts.
    pub(super) fn of(output: &PaymentOutput, own: Option<Cents>, state: ReportedState) -> Option<Self> {
        let accepted = matches!(state, ReportedState::Authorised | ReportedState::Captured);
        let (acquired, order_total) = (output.acquired(), output.order_total());
        let (amount, from) = match (own, order_total) {
            (Some(own), _) => (own, AmountFrom::Part),
            (None, Some(total)) => match acquired.filter(|acquired| accepted && *acquired < total) {
                Some(acquired) => (acquired, AmountFrom::RunningTotal),
                None => (total, AmountFrom::OrderTotal),
            },
            (None, None) => (acquired?, AmountFrom::RunningTotal),
        };
        Some(Self { amount, from, acquired, order_total, surcharge: output.surcharge() })
    }

    /// Whether there is more to the order than this part. The surcharge is no other part.
    fn is_less_than_the_order(&self) -> bool {
        let whole = [self.order_total, self.acquired].into_iter().flatten();
        self.from == AmountFrom::Part
            && whole.into_iter().any(|whole| self.amount < whole.minus(self.surcharge))
    }
}

impl Tender<'_> {
    pub(super) fn into_event(self) -> Event {
        let complement = self.kind.instrument == Instrument::Card && self.share.is_less_than_the_order();
        // No document says whether a voucher has an authorisation number, so none is expected and none is
        // missed.
        let number = self.authorisation.filter(|_| self.kind.instrument == Instrument::Card);
        Event {
            order_ref: self.order_ref,
            call_number: self.call_number.clone(),
            tender_id: self.id.tender_id(),
            instrument: self.kind.instrument,
            brand: self.kind.brand,
            operation: Operation::Debit,
            amount: self.share.amount,
            amount_from: self.share.from,
            running_total: self.share.acquired,
            currency: self.currency,
            state: self.state,
            status: self.status,
            authorisation: number.map_or(Authorisation::NotStated, Authorisation::Number),
            contract: None,
            mode: None,
            complement,
            order_total: self.share.order_total,
            itemised: false,
            parts_announced: None,
            occurred_at: self.occurred_at,
            accepted_at: None,
            revised: false,
        }
    }
}

/// Reads a payment object by itself.
pub(super) fn event(payment: &Payment, at: Option<Timestamp>) -> Result<Event, Skipped> {
    let status = payment.status_of_operation();
    let meaning = status.meaning().ok_or("a payment without a status")?;
    let own = payment.operation_output.amount_of_money.positive();
    // The payment may say so while the operation keeps the state that it had before.
    if let Some(Meaning::Chargeback(state)) = payment.status().meaning() {
        return refund::chargeback(payment, own, state, at);
    }
    let (state, reading) = match meaning {
        Meaning::Payment(state, reading) => (state, reading),
        Meaning::Chargeback(state) => return refund::chargeback(payment, own, state, at),
        // Under an operation of its own, or that of the payment, which stays as it is whatever became of the refund.
        Meaning::Refund(state, reading) => return refund::of_payment(payment, state, reading, at),
    };
    let output = &payment.output;
    let method = payment.method().ok_or("a payment without a method: nothing was chosen yet")?;
    let of_method = output.of_method(method);
    let id = payment.id_of_operation().ok_or("a payment without an id")?;
    let tender = Tender {
        call_number: payment.id.0.as_ref().unwrap_or(id).payment(),
        id,
        order_ref: output.references.merchant_reference.0.clone(),
        kind: MethodOutput::kind(of_method, method).ok_or("a payment without a product")?,
        share: Share::of(output, own, state).ok_or("a payment without an amount")?,
        currency: payment.currency().ok_or("a payment without a currency")?,
        state,
        status: status.code(reading),
        authorisation: of_method.and_then(|output| output.authorisation_code.0.clone()),
        occurred_at: at,
    };
    Ok(tender.into_event())
}
