//! The JSON object that ANCV sends: the automatic response has the shape of the API's answer.
//!
//! Only what is read has a field here. `beneficiaryId` (an e-mail address, or digits) and `holder` are personal and
//! `payers[].amount` is not what was paid: none of them is even looked at.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Reads JSON. The error says where it is wrong and quotes nothing.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| {
        let what = if error.is_data() { "not a transaction as ANCV writes it" } else { "not JSON" };
        format!("{what} (line {}, column {})", error.line(), error.column())
    })
}

/// Whether a text is a transaction's identifier: ten small letters and digits as far as seen. Whatever passes can
/// stand in an address as it is.
pub(super) fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Whether two shop or provider numbers are the same: as JSON numbers they lose their leading zeros.
pub(super) fn same_number(left: &str, right: &str) -> bool {
    left.trim_start_matches('0') == right.trim_start_matches('0')
}

/// Either a transaction or an error.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope<T> {
    pub(super) transaction: Option<T>,
    pub(super) error_code: Option<Drift>,
}

/// A transaction as the API states it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Transaction {
    pub(super) id: String,
    pub(super) state: String,
    pub(super) sub_state: Option<Drift>,
    pub(super) update_date: Option<Drift>,
    pub(super) merchant: Option<Merchant>,
    pub(super) order: Option<Order>,
    pub(super) payers: Option<Vec<Payer>>,
}

impl Transaction {
    /// What was authorised, all payers together.
    pub(super) fn authorizations(&self) -> impl Iterator<Item = &Authorization> {
        self.payers.iter().flatten().filter_map(|payer| payer.authorizations.as_ref()).flatten()
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Merchant {
    pub(super) shop_id: Option<Drift>,
    pub(super) service_provider_id: Option<Drift>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Order {
    pub(super) id: Option<Drift>,
    pub(super) amount: Option<Amount>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Payer {
    authorizations: Option<Vec<Authorization>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Authorization {
    #[serde(rename = "type")]
    kind: Option<String>,
    pub(super) amount: Amount,
    pub(super) validation_date: Option<Drift>,
}

impl Authorization {
    /// Whether it is one of Chèque-Vacances Connect. ANCV's own payment page can take the card complement too.
    pub(super) fn is_voucher(&self) -> bool {
        self.kind.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("CVCo"))
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Amount {
    /// In cents.
    pub(super) total: Drift,
    pub(super) currency: Option<Drift>,
}

/// A value that is a text in some messages and a number in others: `shopId` is a number in answers and a text in
/// requests, `currency` the other way round.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Drift {
    Text(String),
    Number(u64),
}

impl Drift {
    pub(super) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(number) => Cow::Owned(number.to_string()),
        }
    }
}
