//! What the REST API answers about the payments that [`super::sender`] tells of, for trials and tests.

use cvco_domain::Mode;
use serde_json::{Value, json};

use super::sender::{Call, mode_word};

/// The answer of `Order/Get`: all transactions of an order, from all its payments. `None` without any payment.
#[must_use]
pub fn order(payments: &[Call]) -> Option<String> {
    let first = payments.first()?;
    let answer = json!({
        "orderId": first.order_ref,
        "shopId": first.site_id.as_str(),
        "transactions": payments.iter().flat_map(transactions).collect::<Vec<_>>(),
        "_type": "V4/OrderTransactions",
    });
    Some(success("Order/Get", first.mode, &answer))
}

/// The answer of `Transaction/Get` about one of a payment's parts; `None` if there is no part of this `uuid`.
#[must_use]
pub fn transaction(payment: &Call, uuid: &str) -> Option<String> {
    let found = transactions(payment).find(|transaction| transaction["uuid"] == uuid)?;
    Some(success("Transaction/Get", payment.mode, &found))
}

/// The answer of `Charge/SDKTest`.
#[must_use]
pub fn sdk_test(mode: Mode, value: &str) -> String {
    success("Charge/SDKTest", mode, &json!({ "value": value, "_type": "V4/Charge/SDKTestResponse" }))
}

/// The refusal of a call, with HTTP status 200 unless it is `INT_905` (bad credentials: 401).
#[must_use]
pub fn refusal(service: &str, mode: Mode, error_code: &str) -> String {
    let answer = json!({ "errorCode": error_code, "errorMessage": "refused", "_type": "V4/WebService/WebServiceError" });
    envelope(service, mode, "ERROR", &answer)
}

fn transactions(payment: &Call) -> impl Iterator<Item = Value> {
    let cascade = payment.parts.len() > 1;
    let order = payment.order_details();
    (1_u16..).zip(&payment.parts).map(move |(number, part)| {
        let mut transaction = payment.rest_transaction(number, part, cascade);
        if let Some(fields) = transaction.as_object_mut() {
            fields.insert("orderDetails".to_owned(), order.clone());
        }
        transaction
    })
}

fn success(service: &str, mode: Mode, answer: &Value) -> String {
    envelope(service, mode, "SUCCESS", answer)
}

fn envelope(service: &str, mode: Mode, status: &str, answer: &Value) -> String {
    json!({
        "webService": service,
        "version": "V4",
        "status": status,
        "answer": answer,
        "mode": mode_word(mode),
        "_type": "V4/WebService/Response",
    })
    .to_string()
}
