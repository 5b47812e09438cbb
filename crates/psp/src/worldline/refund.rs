//! Events about money that goes back: refunds and chargebacks. One request can become several, each of a part: Worldline gives the card's share
//! back first. A refund names the payment, not the operation that it gives back; the part shows in its
//! method.

use cvco_domain::{
    AmountFrom, Authorisation, CallNumber, Cents, Currency, Event, Operation, OrderRef, ReportedState,
    StatusCode, StatusReading, TenderId, Timestamp,
};

use super::codes::{CHARGEBACKED, Meaning};
use super::method::{Kind, Method};
use super::objects::{Payment, Refund};
use super::payment_id::PaymentId;
use super::tender::Skipped;

/// What a webhook or an answer of the API says about one refund.
pub(super) struct GivenBack<'a> {
    pub(super) call_number: &'a CallNumber,
    pub(super) id: &'a PaymentId,
    pub(super) order_ref: Option<OrderRef>,
    pub(super) method: &'a Method,
    /// How much, where that is told.
    pub(super) amount: Option<Cents>,
    /// The amount of this part that was refunded so far.
    pub(super) so_far: Option<Cents>,
    pub(super) currency: Currency,
    pub(super) state: ReportedState,
    pub(super) status: StatusCode,
    pub(super) occurred_at: Option<Timestamp>,
}

/// What a webhook or an answer of the API says about a chargeback.
pub(super) struct TakenBack<'a> {
    pub(super) payment: &'a Payment,
    pub(super) call_number: &'a CallNumber,
    /// The operation that tells of it; `None` where the payment as a whole does.
    pub(super) id: Option<&'a PaymentId>,
    /// How much; often no more is told than the amount of the whole payment.
    pub(super) amount: Option<Cents>,
    pub(super) state: ReportedState,
    pub(super) status: StatusCode,
    pub(super) occurred_at: Option<Timestamp>,
}

impl TakenBack<'_> {
    /// It is always of the card part. Whether an operation of its own tells of it, or the one that it takes back, differs.
    pub(super) fn into_event(self) -> Option<Event> {
        let Kind { instrument, brand } = Kind::of(None, &Method::Card)?;
        let output = &self.payment.output;
        let of = self.id.and_then(PaymentId::tender_id);
        let name = of.as_ref().map_or(self.call_number.as_str(), TenderId::as_str);
        Some(Event {
            order_ref: output.references.merchant_reference.0.clone(),
            call_number: self.call_number.clone(),
            tender_id: TenderId::new(format!("{name}/chargeback")).ok(),
            instrument,
            brand,
            operation: Operation::Chargeback { of: of.clone() },
            amount: self.amount.unwrap_or(Cents::ZERO),
            amount_from: self.amount.map_or(AmountFrom::Before, |_| AmountFrom::Part),
            running_total: None,
            currency: self.payment.currency()?,
            state: self.state,
            status: self.status,
            authorisation: Authorisation::NotStated,
            contract: None,
            mode: None,
            complement: false,
            order_total: None,
            itemised: false,
            parts_announced: None,
            occurred_at: self.occurred_at,
            accepted_at: None,
            revised: false,
        })
    }
}

/// Reads a payment object that tells of a chargeback.
pub(super) fn chargeback(
    payment: &Payment,
    amount: Option<Cents>,
    state: ReportedState,
    at: Option<Timestamp>,
) -> Result<Event, Skipped> {
    let id = payment.id_of_operation().ok_or("a chargeback without an id")?;
    let taken_back = TakenBack {
        payment,
        call_number: payment.id.0.as_ref().unwrap_or(id).payment(),
        id: Some(id),
        amount,
        state,
        status: [payment.status(), payment.status_of_operation()]
            .into_iter()
            .find(|status| matches!(status.meaning(), Some(Meaning::Chargeback(_))))
            .map_or_else(
                || StatusCode { code: CHARGEBACKED.to_owned(), reading: StatusReading::Known },
                |status| status.code(StatusReading::Known),
            ),
        occurred_at: at,
    };
    taken_back.into_event().ok_or("a chargeback without a currency")
}

impl GivenBack<'_> {
    pub(super) fn into_event(self) -> Option<Event> {
        // Two parts may be given back under one operation.
        let tender_id = TenderId::new(format!("{}/{}", self.id.tender_id()?, self.method.as_str())).ok();
        let Kind { instrument, brand } = Kind::of(None, self.method)?;
        let mut status = self.status;
        if self.amount.is_none() && self.state == ReportedState::Captured {
            // Money went back and nobody says how much: a person, or another message, must find it.
            status.reading = StatusReading::Attention;
        }
        Some(Event {
            order_ref: self.order_ref,
            call_number: self.call_number.clone(),
            tender_id,
            instrument,
            brand,
            operation: Operation::Credit { of: None },
            amount: self.amount.unwrap_or(Cents::ZERO),
            amount_from: self.amount.map_or(AmountFrom::Before, |_| AmountFrom::Part),
            running_total: self.so_far,
            currency: self.currency,
            state: self.state,
            status,
            authorisation: Authorisation::NotStated,
            contract: None,
            mode: None,
            complement: false,
            order_total: None,
            itemised: false,
            parts_announced: None,
            occurred_at: self.occurred_at,
            accepted_at: None,
            revised: false,
        })
    }
}

/// Reads a refund object.
pub(super) fn event(refund: &Refund, at: Option<Timestamp>) -> Result<Event, Skipped> {
    let status = refund.status();
    let (state, reading) = match status.meaning().ok_or("a refund without a status")? {
        // A sample of the plugin for Magento says 8 while the refund is only asked for.
        Meaning::Refund(ReportedState::Captured, reading) if status.is_word("REFUND_REQUESTED") => {
            (ReportedState::Pending, reading)
        }
        Meaning::Refund(state, reading)
        | Meaning::Payment(
            state @ (ReportedState::Pending | ReportedState::Cancelled | ReportedState::Abandoned),
            reading,
        ) => (state, reading),
        Meaning::Payment(ReportedState::Refused, _) => (ReportedState::Refused, StatusReading::Attention),
        // A refund is never authorised or captured: not to be taken for money that went back.
        Meaning::Payment(..) | Meaning::Chargeback(_) => (ReportedState::Pending, StatusReading::Unknown),
    };
    let output = &refund.output;
    let id = refund.id.0.as_ref().ok_or("a refund without an id")?;
    let given_back = GivenBack {
        call_number: id.payment(),
        id,
        order_ref: output.references.merchant_reference.0.clone(),
        method: &output.method().ok_or("a refund that does not say of which part")?,
        amount: output.amount_of_money.positive(),
        so_far: output.refunded_so_far(),
        currency: output.amount_of_money.currency().ok_or("a refund without a currency")?,
        state,
        status: status.code(reading),
        occurred_at: at,
    };
    given_back.into_event().ok_or("a refund without a method's name")
}

/// Reads a payment object that tells of a refund. Its amount is the operation's own; that of the payment is the whole
/// order's.
pub(super) fn of_payment(
    payment: &Payment,
    state: ReportedState,
    reading: StatusReading,
    at: Option<Timestamp>,
) -> Result<Event, Skipped> {
    let id = payment.id_of_operation().ok_or("a refund without an id")?;
    let given_back = GivenBack {
        call_number: payment.id.0.as_ref().unwrap_or(id).payment(),
        id,
        order_ref: payment.output.references.merchant_reference.0.clone(),
        method: payment.method().ok_or("a refund that does not say of which part")?,
        amount: payment.operation_output.amount_of_money.positive(),
        so_far: None,
        currency: payment.currency().ok_or("a refund without a currency")?,
        state,
        status: payment.status_of_operation().code(reading),
        occurred_at: at,
    };
    given_back.into_event().ok_or("a refund without a method's name")
}
