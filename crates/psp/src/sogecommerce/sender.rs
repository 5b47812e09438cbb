//! Notifications as the platform sends them, for trials, load and tests.

use cvco_domain::crypto::sha256;
use cvco_domain::{Cents, Mode, Timestamp};
use secrecy::SecretString;
use serde_json::json;

use super::codes::{Source, TransStatus};
use super::payment::CVCO;
use super::settings::{Algorithm, SiteId, trimmed};
use super::verify::sign;
use crate::{Method, WireMessage};

/// One call of the notification URL.
#[derive(Debug, Clone)]
pub struct Call {
    /// The shop.
    pub site_id: SiteId,
    /// Production or test.
    pub mode: Mode,
    /// `vads_trans_id`: 6 letters or digits.
    pub trans_id: String,
    /// The date of the payment form.
    pub trans_date: Timestamp,
    /// The shop's reference.
    pub order_ref: Option<String>,
    /// The amount of the order.
    pub total: Cents,
    /// Why the platform calls.
    pub source: Source,
    /// Which call of this kind it is: no two calls have the same `vads_hash`.
    pub attempt: u32,
    /// One part makes a single-brand message, several make a cascade. Their order is that of the attempts.
    pub parts: Vec<Part>,
}

/// One transaction or attempt.
#[derive(Debug, Clone)]
pub struct Part {
    /// `CVCO`, `VISA`, `CB` …
    pub brand: String,
    /// Its share.
    pub amount: Cents,
    /// Where it stands.
    pub status: TransStatus,
    /// The acquirer's answer: `0` or `00` if it accepts.
    pub auth_result: String,
    /// 32 hexadecimal digits; `None` for an attempt that never became a transaction.
    pub uuid: Option<String>,
    /// The authorisation number; vouchers have none.
    pub auth_number: Option<String>,
    /// The acceptance contract.
    pub contract: String,
    /// Whether it is a refund.
    pub refund: bool,
}

impl Call {
    /// The form notification (V2).
    #[must_use]
    pub fn form(&self, key: &SecretString, algorithm: Algorithm) -> WireMessage {
        let mut fields = self.head();
        match self.parts.as_slice() {
            [part] => fields.extend(part.single(&n14(self.trans_date))),
            parts => fields.extend(self.cascade(parts)),
        }
        let fields: Vec<(String, String)> =
            fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let signature = sign(&fields, &trimmed(key), algorithm);
        post(&[fields, vec![("signature".to_owned(), signature)]].concat())
    }

    /// The REST notification (V4).
    #[must_use]
    pub fn rest(&self, password: &SecretString) -> WireMessage {
        let cascade = self.parts.len() > 1;
        let transactions: Vec<_> = (1_u16..)
            .zip(&self.parts)
            .map(|(number, part)| self.rest_transaction(number, part, cascade))
            .collect();
        let answer = json!({
            "shopId": self.site_id.as_str(),
            "orderCycle": "CLOSED",
            "orderDetails": self.order_details(),
            "transactions": transactions,
            "_type": "V4/Payment",
        })
        .to_string();
        let hash = hex::encode(trimmed(password).tag(answer.as_bytes()));
        post(&[
            ("kr-hash-key", "password"),
            ("kr-hash-algorithm", "sha256_hmac"),
            ("kr-hash", &hash),
            ("kr-answer-type", "V4/Payment"),
            ("kr-src", self.source.as_str()),
            ("kr-answer", &answer),
        ])
    }

    /// What every form notification carries. Only a call straight from the payment page has the last three.
    fn head(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("vads_amount", self.total.get().to_string()),
            ("vads_currency", "978".to_owned()),
            ("vads_ctx_mode", mode_word(self.mode).to_owned()),
            ("vads_site_id", self.site_id.as_str().to_owned()),
            ("vads_trans_date", n14(self.trans_date)),
            ("vads_trans_id", self.trans_id.clone()),
            ("vads_payment_src", "EC".to_owned()),
            ("vads_extra_result", String::new()),
            ("vads_version", "V2".to_owned()),
            ("vads_language", "fr".to_owned()),
            ("vads_url_check_src", self.source.as_str().to_owned()),
            ("vads_hash", self.hash()),
        ];
        fields.extend(self.order_ref.clone().map(|reference| ("vads_order_id", reference)));
        if self.source.is_first_hand() {
            fields.extend([
                ("vads_page_action", "PAYMENT".to_owned()),
                ("vads_action_mode", "INTERACTIVE".to_owned()),
                ("vads_payment_config", "SINGLE".to_owned()),
            ]);
        }
        fields
    }

    fn hash(&self) -> String {
        let call = format!("{} {} {}", self.trans_id, self.source.as_str(), self.attempt);
        sha256(&[self.site_id.as_str().as_bytes(), n14(self.trans_date).as_bytes(), call.as_bytes()])
            .to_string()
    }

    /// It is not documented what the top level of a cascade says. Here it repeats the state of the last attempt.
    fn cascade(&self, parts: &[Part]) -> Vec<(&'static str, String)> {
        let status = parts.last().map_or(TransStatus::Abandoned, |part| part.status.clone());
        let listed: Vec<_> = (1_u16..).zip(parts).map(|(number, part)| self.listed(number, part)).collect();
        let mut fields = vec![
            ("vads_card_brand", "MULTI".to_owned()),
            ("vads_sequence_number", "0".to_owned()),
            ("vads_operation_type", "DEBIT".to_owned()),
            ("vads_trans_status", status.as_str().to_owned()),
            ("vads_trans_uuid", String::new()),
            ("vads_auth_result", String::new()),
        ];
        if !listed.is_empty() {
            let sequence = json!({ "trans_id": self.trans_id, "transactions": listed });
            fields.push(("vads_payment_seq", sequence.to_string()));
        }
        fields
    }

    fn listed(&self, number: u16, part: &Part) -> serde_json::Value {
        let mut listed = json!({
            "amount": part.amount.get().to_string(),
            "operation_type": part.operation(),
            "auth_result": part.auth_result,
            "capture_delay": "0",
            "card_brand": part.brand,
            "contract_used": part.contract,
            "presentation_date": self.trans_date.to_string(),
            "trans_id": self.trans_id,
            "sequence_number": number.to_string(),
            "trans_status": part.status.as_str(),
        });
        if let Some(object) = listed.as_object_mut() {
            object.extend(part.uuid.clone().map(|uuid| ("trans_uuid".to_owned(), uuid.into())));
            object.extend(part.auth_number.clone().map(|number| ("auth_number".to_owned(), number.into())));
        }
        listed
    }

    pub(super) fn order_details(&self) -> serde_json::Value {
        json!({
            "orderTotalAmount": self.total.get(),
            "orderCurrency": "EUR",
            "mode": mode_word(self.mode),
            "orderId": self.order_ref,
            "_type": "V4/OrderDetails",
        })
    }

    pub(super) fn rest_transaction(&self, number: u16, part: &Part, cascade: bool) -> serde_json::Value {
        json!({
            "shopId": self.site_id.as_str(),
            "uuid": part.uuid,
            "amount": part.amount.get(),
            "currency": "EUR",
            "paymentMethodType": if part.brand == CVCO { "CVCONNECT" } else { "CARD" },
            "detailedStatus": part.status.as_str(),
            "operationType": part.operation(),
            "creationDate": self.trans_date.to_string(),
            "transactionDetails": {
                "effectiveAmount": part.amount.get(),
                "effectiveCurrency": "EUR",
                "cardDetails": {
                    "effectiveBrand": part.brand,
                    "legacyTransId": self.trans_id,
                    "legacyTransDate": self.trans_date.to_string(),
                    "sequenceType": if cascade { "MULTI_PAYMENT_MEAN" } else { "NONE" },
                    "authorizationResponse": {
                        "authorizationNumber": part.auth_number,
                        "authorizationResult": part.auth_result,
                    },
                },
                "parentTransactionUuid": null,
                "mid": part.contract,
                "sequenceNumber": number,
            },
            "_type": "V4/PaymentTransaction",
        })
    }
}

impl Part {
    const fn operation(&self) -> &'static str {
        if self.refund { "CREDIT" } else { "DEBIT" }
    }

    /// The fields of a message about this part alone. An attempt that never became a transaction has neither
    /// operation nor sequence number.
    fn single(&self, date: &str) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("vads_card_brand", self.brand.clone()),
            ("vads_trans_status", self.status.as_str().to_owned()),
            ("vads_auth_result", self.auth_result.clone()),
        ];
        if let Some(uuid) = &self.uuid {
            fields.extend([
                ("vads_effective_amount", self.amount.get().to_string()),
                ("vads_effective_currency", "978".to_owned()),
                ("vads_effective_creation_date", date.to_owned()),
                ("vads_presentation_date", date.to_owned()),
                ("vads_operation_type", self.operation().to_owned()),
                ("vads_sequence_number", "1".to_owned()),
                ("vads_trans_uuid", uuid.clone()),
                ("vads_contract_used", self.contract.clone()),
            ]);
        }
        fields.extend(self.auth_number.clone().map(|number| ("vads_auth_number", number)));
        fields
    }
}

pub(super) const fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Production => "PRODUCTION",
        Mode::Test => "TEST",
    }
}

fn n14(at: Timestamp) -> String {
    at.to_string().chars().filter(char::is_ascii_digit).take(14).collect()
}

/// Any fields, as the platform would sign them.
#[must_use]
pub fn sign_form(mut fields: Vec<(String, String)>, key: &SecretString, algorithm: Algorithm) -> WireMessage {
    fields.push(("signature".to_owned(), sign(&fields, &trimmed(key), algorithm)));
    post(&fields)
}

fn post<T: serde::Serialize>(fields: &[T]) -> WireMessage {
    // Serialising pairs of text cannot fail.
    let body = serde_urlencoded::to_string(fields).unwrap_or_default();
    WireMessage { method: Method::Post, query: String::new(), body, headers: Vec::new() }
}
