//! What Worldline's API answers, for a sandbox and for tests: bodies of pages with status 200, but for
//! [`not_found`].

use cvco_domain::Cents;
use serde_json::json;

use super::sender::{Happening, Webhook};

/// `GET /v2/{merchant}/payments/{id}/details`: a payment with all its operations, in the order of their
/// numbers; `None` without any. It describes the last operation that is no refund.
#[must_use]
pub fn details(operations: &[Webhook]) -> Option<String> {
    let described = operations.iter().rfind(|operation| !operation.happening.is_refund())?;
    let captured = operations.iter().filter(|operation| operation.happening == Happening::Captured);
    let acquired: Cents = captured.map(|operation| operation.amount).sum();
    let described = Webhook { acquired, states_amount: false, ..described.clone() };
    let mut payment = described.payment_response();
    let listed: Vec<_> = operations.iter().map(Webhook::operation_output).collect();
    payment.as_object_mut()?.insert("Operations".to_owned(), listed.into());
    Some(payment.to_string())
}

/// `GET /v2/{merchant}/payments/{id}`: one operation of it.
#[must_use]
pub fn payment(operation: &Webhook) -> String {
    operation.payment_response().to_string()
}

/// `GET /v2/{merchant}/services/testconnection`.
#[must_use]
pub fn connection() -> String {
    json!({ "result": "OK" }).to_string()
}

/// With status 404: the API does not know the payment.
#[must_use]
pub fn not_found() -> String {
    json!({
        "errorId": "00000000-0000-4000-8000-000000000404",
        "errors": [{ "errorCode": "50001130", "id": "UNKNOWN_PAYMENT_ID", "httpStatusCode": 404 }],
    })
    .to_string()
}
