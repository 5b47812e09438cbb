//! Webhooks as Worldline sends them, for trials, load and tests.

use cvco_domain::crypto::sha256;
use cvco_domain::{Cents, Timestamp};
use serde_json::{Value, json};

use super::payment_id::wrap;
use super::settings::WebhookKey;
use super::verify::sign;
use crate::WireMessage;

/// One operation of a payment, and what the webhook says about it.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The account (PSPID).
    pub merchant_id: String,
    /// The payment: 10 or 11 digits.
    pub payment: String,
    /// Which operation of it, from 0.
    pub operation: u32,
    /// How ids are written.
    pub ids: IdForm,
    /// The shop's reference.
    pub order_ref: String,
    /// The amount of the whole order.
    pub order_total: Cents,
    /// The amount paid of it so far. For a refund, the amount of this part refunded so far.
    pub acquired: Cents,
    /// Which part.
    pub part: Part,
    /// The operation's own amount.
    pub amount: Cents,
    /// Whether a webhook states it (`operationOutput`); since June 2026 it may. Refunds always do.
    pub states_amount: bool,
    /// What happened.
    pub happening: Happening,
    /// When.
    pub at: Timestamp,
}

/// How payment ids are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdForm {
    /// `10083980755_0`
    Underscore,
    /// `9000010083980755000`, since May 2026.
    Wrapped,
}

/// Which part of an order an operation is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Vouchers, by their product (5412: CV Connect).
    Voucher(u32),
    /// A card, by its product (1: Visa, 3: Mastercard, 130: CB) and authorisation number.
    Card(u32, String),
}

/// What happened to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// The customer was sent to the page of the method.
    Redirected,
    /// Authorised, to be captured.
    Authorised,
    /// A capture is under way.
    CaptureRequested,
    /// Captured; of a direct sale, paid.
    Captured,
    /// Refused.
    Refused,
    /// The customer gave up.
    Abandoned,
    /// Authorised and then cancelled.
    Cancelled,
    /// A refund was asked for.
    RefundRequested,
    /// Refunded.
    Refunded,
    /// A refund was refused; the payment stays captured.
    RefundRefused,
    /// The card's bank took the money back.
    ChargedBack,
}

impl Happening {
    /// Type of the event, status, category and code.
    const fn words(self) -> (&'static str, &'static str, &'static str, u16) {
        match self {
            Self::Redirected => ("payment.redirected", "REDIRECTED", "PENDING_PAYMENT", 46),
            Self::Authorised => ("payment.pending_capture", "PENDING_CAPTURE", "PENDING_MERCHANT", 5),
            Self::CaptureRequested => {
                ("payment.capture_requested", "CAPTURE_REQUESTED", "PENDING_CONNECT_OR_3RD_PARTY", 91)
            }
            Self::Captured => ("payment.captured", "CAPTURED", "COMPLETED", 9),
            Self::Refused => ("payment.rejected", "REJECTED", "UNSUCCESSFUL", 2),
            Self::Abandoned => ("payment.cancelled", "CANCELLED", "UNSUCCESSFUL", 1),
            Self::Cancelled => ("payment.cancelled", "CANCELLED", "UNSUCCESSFUL", 6),
            Self::RefundRequested => {
                ("refund.refund_requested", "REFUND_REQUESTED", "PENDING_CONNECT_OR_3RD_PARTY", 81)
            }
            Self::Refunded => ("payment.refunded", "REFUNDED", "REFUNDED", 8),
            Self::RefundRefused => ("payment.rejected", "REJECTED", "UNSUCCESSFUL", 83),
            Self::ChargedBack => ("payment.chargebacked", "CHARGEBACKED", "REFUNDED", 8),
        }
    }

    /// Whether the message carries a refund instead of a payment.
    #[must_use]
    pub const fn is_refund(self) -> bool {
        matches!(self, Self::RefundRequested | Self::Refunded | Self::RefundRefused)
    }
}

impl Webhook {
    /// The message, signed.
    #[must_use]
    pub fn message(&self, key: &WebhookKey) -> WireMessage {
        let (kind, ..) = self.happening.words();
        let (object, content) = if self.happening.is_refund() {
            ("refund", self.refund())
        } else {
            ("payment", self.payment_response())
        };
        let event = json!({
            "apiVersion": "v1",
            "created": self.at.to_string(),
            "id": self.event_id(kind),
            "merchantId": self.merchant_id,
            object: content,
            "type": kind,
        });
        sign(event.to_string(), key)
    }

    /// The operation's id, in its form.
    #[must_use]
    pub fn id(&self) -> String {
        let wrapped = (self.ids == IdForm::Wrapped).then(|| wrap(&self.payment, self.operation)).flatten();
        wrapped.unwrap_or_else(|| format!("{}_{}", self.payment, self.operation))
    }

    /// `PaymentResponse`: also what the API answers about the operation.
    pub(super) fn payment_response(&self) -> Value {
        let payment = json!({
            "id": self.id(),
            "paymentOutput": self.payment_output(),
            "status": self.happening.words().1,
            "statusOutput": self.status_output(),
        });
        with(payment, self.states_amount.then(|| ("operationOutput", self.operation_output())))
    }

    /// The operation, as a webhook and the list of the details have it.
    pub(super) fn operation_output(&self) -> Value {
        json!({
            "id": self.id(),
            "amountOfMoney": money(self.amount),
            "paymentMethod": self.part.method(),
            "references": { "merchantReference": self.order_ref },
            "status": self.happening.words().1,
            "statusOutput": self.status_output(),
        })
    }

    fn payment_output(&self) -> Value {
        let output = json!({
            "amountOfMoney": money(self.order_total),
            "references": { "merchantReference": self.order_ref },
            "paymentMethod": self.part.method(),
        });
        let acquired = self.acquired.is_positive().then(|| ("acquiredAmount", money(self.acquired)));
        with(with(output, acquired), Some(self.part.output()))
    }

    fn status_output(&self) -> Value {
        let (_, _, category, code) = self.happening.words();
        json!({ "statusCode": code, "statusCategory": category, "isCancellable": false })
    }

    fn refund(&self) -> Value {
        let totals =
            json!({ "totalAmountPaid": self.order_total.get(), "totalAmountRefunded": self.acquired.get() });
        let specific = match self.part {
            Part::Voucher(_) => "redirectRefundMethodSpecificOutput",
            Part::Card(..) => "cardRefundMethodSpecificOutput",
        };
        json!({
            "id": self.id(),
            "refundOutput": {
                "amountOfMoney": money(self.amount),
                "references": { "merchantReference": self.order_ref },
                "paymentMethod": self.part.method(),
                specific: totals,
            },
            "status": self.happening.words().1,
            "statusOutput": self.status_output(),
        })
    }

    /// A UUID that belongs to these facts alone.
    fn event_id(&self, kind: &str) -> String {
        let digest =
            sha256(&[self.id().as_bytes(), kind.as_bytes(), self.at.to_string().as_bytes()]).to_string();
        let part = |range: std::ops::Range<usize>| digest.get(range).unwrap_or_default();
        format!("{}-{}-4{}-8{}-{}", part(0..8), part(8..12), part(13..16), part(17..20), part(20..32))
    }
}

impl Part {
    const fn method(&self) -> &'static str {
        match self {
            Self::Voucher(_) => "redirect",
            Self::Card(..) => "card",
        }
    }

    fn output(&self) -> (&'static str, Value) {
        match self {
            Self::Voucher(product) => (
                "redirectPaymentMethodSpecificOutput",
                json!({
                    "paymentProductId": product,
                    "fraudResults": { "fraudServiceResult": "no-advice" },
                }),
            ),
            Self::Card(product, authorisation) => (
                "cardPaymentMethodSpecificOutput",
                json!({
                    "paymentProductId": product,
                    "authorisationCode": authorisation,
                    "card": { "cardNumber": "************4675", "expiryDate": "1230", "countryCode": "FR" },
                    "fraudResults": { "fraudServiceResult": "accepted" },
                }),
            ),
        }
    }
}

/// An object with one more property, where there is one: the platform leaves out what it does not state.
fn with(mut object: Value, property: Option<(&str, Value)>) -> Value {
    if let (Some(properties), Some((name, value))) = (object.as_object_mut(), property) {
        properties.insert(name.to_owned(), value);
    }
    object
}

fn money(amount: Cents) -> Value {
    json!({ "amount": amount.get(), "currencyCode": "EUR" })
}
