//! What ANCV's API answers, made up: for the sandbox of `demo` and tests.

use cvco_domain::{Cents, Timestamp};
use serde_json::{Value, json};

/// One transaction, as ANCV would know it.
#[derive(Debug, Clone)]
pub struct Transaction {
    /// Ten small letters and digits.
    pub id: String,
    /// `AUTHORIZED`, `VALIDATED` and so on.
    pub state: String,
    /// Beside the state, where there is one.
    pub sub_state: Option<String>,
    /// The shop's number.
    pub shop_id: String,
    /// The service provider's number.
    pub service_provider_id: String,
    /// The shop's reference, of which ANCV keeps 20 characters.
    pub order_ref: String,
    /// The amount of the order.
    pub order_total: Cents,
    /// The amount authorised in vouchers, if any.
    pub vouchers: Vec<Cents>,
    /// When it was made and validated, all in one instant.
    pub at: Timestamp,
}

impl Transaction {
    /// The body of the answer to a status call. Numbers and texts are mixed as in known answers.
    #[must_use]
    pub fn body(&self) -> String {
        let at = self.at.to_string();
        json!({
            "responseDate": at,
            "applicationContext": {},
            "transaction": {
                "id": self.id,
                "state": self.state,
                "subState": self.sub_state,
                "creationDate": at,
                "updateDate": at,
                "expirationDate": self.at.after(std::time::Duration::from_mins(5)).to_string(),
                "merchant": {
                    "shopId": as_number(&self.shop_id),
                    "serviceProviderId": as_number(&self.service_provider_id),
                },
                "order": {
                    "id": self.order_ref.chars().take(20).collect::<String>(),
                    "paymentId": "123456789012345678901",
                    "label": "",
                    "amount": euros(self.order_total),
                },
                "paymentMethod": { "tspdMode": "001", "captureMode": "NORMAL" },
                "redirectUrls": {},
                "payers": [{
                    "beneficiaryId": "11111111111",
                    "amount": euros(self.order_total),
                    "authorizations": self.authorizations(&at),
                }],
            },
        })
        .to_string()
    }

    fn authorizations(&self, at: &str) -> Vec<Value> {
        let authorization = |(number, cents): (u32, &Cents)| {
            json!({
                "number": format!("{number:010}"),
                "type": "CVCo",
                "amount": euros(*cents),
                "validationDate": at,
                "holder": "11*****1111",
            })
        };
        (1..).zip(&self.vouchers).map(authorization).collect()
    }
}

fn euros(cents: Cents) -> Value {
    json!({ "total": cents.get(), "currency": "978" })
}

fn as_number(id: &str) -> Value {
    id.parse::<u64>().map_or_else(|_| Value::from(id), Value::from)
}

/// The body of a refusal, such as `TRANSACTION_NOT_FOUND` or `INVALID_SEAL`.
#[must_use]
pub fn refusal(error_code: &str) -> String {
    json!({ "errorCode": error_code, "errorMessage": "made up" }).to_string()
}

/// The transaction that a status call's path asks about.
#[must_use]
pub fn asked_about(path: &str) -> Option<&str> {
    let (_, rest) = path.rsplit_once("/payment-transactions/")?;
    rest.strip_suffix('/').filter(|id| super::message::is_id(id))
}
