//! The REST notification (V4): a signed JSON text in the field `kr-answer`.

use serde::Deserialize;

use super::codes::TransStatus;
use super::format::{
    AuthResult, FormDay, Lenient, Moment, OperationType, SequenceNumber, Strict, Text, TransId, json,
};
use super::payment::{CVCO, Payment, Share, Transaction, call_number};
use super::settings::{Settings, SiteId, trimmed};
use super::submission::{Malformed, Submission};
use crate::crypto::{HmacSha256Key, Verified};
use crate::domain::{
    AuthorisationNumber, Brand, CallNumber, Cents, Contract, Currency, Mode, OrderRef, TenderId,
};
use crate::psp::{Reading, Rejection};

/// Proves and reads a notification. `kr-src`, `kr-answer-type` and the names of
/// the fields are outside the signed text and are not believed.
pub(super) fn prove_and_read(submission: &Submission<'_>, settings: &Settings) -> Result<Reading, Rejection> {
    let Some(password) = &settings.rest_password else {
        return Err(Malformed::new("a REST notification, but the endpoint has no REST password").into());
    };
    let answer = verify(submission, &trimmed(password))?;
    Ok(read(&answer, Some((&settings.site_id, settings.mode)))?)
}

/// Takes the signed text of a notification. The copy that the buyer's browser brings says
/// `kr-hash-key=sha256_hmac` and is signed with another key: it is no notification.
fn verify(submission: &Submission<'_>, password: &HmacSha256Key) -> Result<Verified<Vec<u8>>, Rejection> {
    let hash = field(submission, "kr-hash")?;
    if field(submission, "kr-hash-algorithm")? != b"sha256_hmac" {
        return Err(Malformed::new("kr-hash-algorithm must be sha256_hmac").into());
    }
    if field(submission, "kr-hash-key")? != b"password" {
        return Err(
            Malformed::new("kr-hash-key must be password: only the platform's own calls count").into()
        );
    }
    let answer = field(submission, "kr-answer")?;
    verify_answer(answer, &hash, password).ok_or(Rejection::Signature)
}

/// The platform signs some texts as if their `\/` were `/`; all official libraries allow for it.
pub(super) fn verify_answer(answer: Vec<u8>, hash: &[u8], key: &HmacSha256Key) -> Option<Verified<Vec<u8>>> {
    let tag = hex::decode(hash).ok()?;
    key.verify(answer, &tag).or_else(|bad| key.verify(unescape_slashes(&bad.0), &tag)).ok()
}

/// `\/` becomes `/`.
pub(super) fn unescape_slashes(json: &[u8]) -> Vec<u8> {
    let mut bytes = json.iter().copied().peekable();
    let mut plain = Vec::with_capacity(json.len());
    while let Some(byte) = bytes.next() {
        if byte != b'\\' || bytes.peek() != Some(&b'/') {
            plain.push(byte);
        }
    }
    plain
}

fn field(submission: &Submission<'_>, name: &str) -> Result<Vec<u8>, Malformed> {
    submission.decoded(name).ok_or_else(|| Malformed(format!("{name} is missing")))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    shop_id: Strict<SiteId>,
    order_details: OrderDetails,
    #[serde(default)]
    transactions: Option<Vec<RestTransaction>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderDetails {
    mode: Strict<Mode>,
    #[serde(default)]
    order_total_amount: Lenient<Cents>,
    #[serde(default)]
    order_id: Lenient<OrderRef>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RestTransaction {
    #[serde(default)]
    uuid: Lenient<TenderId>,
    amount: Strict<Cents>,
    currency: Strict<Currency>,
    detailed_status: Strict<TransStatus>,
    #[serde(default)]
    shop_id: Lenient<SiteId>,
    #[serde(default)]
    payment_method_type: Lenient<Brand>,
    #[serde(default)]
    operation_type: Lenient<OperationType>,
    #[serde(default)]
    creation_date: Lenient<Moment>,
    #[serde(default)]
    detailed_error_code: Lenient<AuthResult>,
    #[serde(default)]
    transaction_details: Option<TransactionDetails>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct TransactionDetails {
    #[serde(default)]
    effective_amount: Lenient<Cents>,
    #[serde(default)]
    effective_currency: Lenient<Currency>,
    #[serde(default)]
    parent_transaction_uuid: Lenient<TenderId>,
    #[serde(default)]
    mid: Lenient<Contract>,
    #[serde(default)]
    sequence_number: Lenient<SequenceNumber>,
    #[serde(default)]
    card_details: Option<Method>,
    #[serde(default)]
    payment_method_details: Option<Method>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Method {
    #[serde(default)]
    effective_brand: Lenient<Brand>,
    #[serde(default)]
    legacy_trans_id: Lenient<TransId>,
    #[serde(default)]
    legacy_trans_date: Lenient<Moment>,
    #[serde(default)]
    sequence_type: Lenient<Text>,
    #[serde(default)]
    authorization_response: Option<AuthorizationResponse>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct AuthorizationResponse {
    #[serde(default)]
    authorization_number: Lenient<AuthorisationNumber>,
    #[serde(default)]
    authorization_result: Lenient<AuthResult>,
}

/// Reads a verified text. Without an `endpoint`, as on the command line, any will do.
pub(super) fn read(
    answer: &Verified<Vec<u8>>,
    endpoint: Option<(&SiteId, Mode)>,
) -> Result<Reading, Malformed> {
    let answer: Answer = json(answer).map_err(|what| Malformed(format!("kr-answer: {what}")))?;
    let mode = answer.order_details.mode.0;
    let mut transactions = answer.transactions.unwrap_or_default();
    if let Some((site, endpoint_mode)) = endpoint {
        let shops = transactions.iter().filter_map(|transaction| transaction.shop_id.0.as_ref());
        if shops.chain([&answer.shop_id.0]).any(|shop| shop != site) {
            return Err(Malformed::new("unknown site: shopId is not the one configured"));
        }
        if mode != endpoint_mode {
            return Err(Malformed::new("orderDetails.mode is not the endpoint's"));
        }
    }
    transactions.sort_by_key(RestTransaction::sequence_number);
    let Some(first) = transactions.first() else {
        return Ok(Reading {
            events: Vec::new(),
            questions: Vec::new(),
            remark: Some("no transactions: nothing was tried".to_owned()),
        });
    };
    let call_number = first.call_number(&answer.shop_id.0, mode)?;
    let debits = transactions.iter().filter(|transaction| transaction.is_debit()).count();
    let cascade = transactions.iter().any(RestTransaction::in_cascade)
        || (debits > 1 && transactions.iter().any(|transaction| transaction.brand().is_some_and(is_cvco)));
    let transactions = transactions
        .into_iter()
        .map(|transaction| transaction.into_transaction(cascade))
        .collect::<Result<_, _>>()?;
    let payment = Payment {
        call_number,
        order_ref: answer.order_details.order_id.0,
        mode,
        order_total: answer.order_details.order_total_amount.0,
        itemised: debits > 1,
        transactions,
        remarks: Vec::new(),
    };
    payment.reading()
}

fn is_cvco(brand: &Brand) -> bool {
    brand.as_str() == CVCO
}

impl RestTransaction {
    fn methods(&self) -> impl Iterator<Item = &Method> {
        let details = self.transaction_details.as_ref();
        let cards = details.and_then(|details| details.card_details.as_ref());
        let others = details.and_then(|details| details.payment_method_details.as_ref());
        cards.into_iter().chain(others)
    }

    fn sequence_number(&self) -> Option<SequenceNumber> {
        self.transaction_details.as_ref().and_then(|details| details.sequence_number.0)
    }

    fn is_debit(&self) -> bool {
        matches!(self.operation_type.0, None | Some(OperationType::Debit))
    }

    fn in_cascade(&self) -> bool {
        let types = self.methods().filter_map(|method| method.sequence_type.0.as_ref());
        types.into_iter().any(|kind| kind.0 == "MULTI_PAYMENT_MEAN")
    }

    /// `CVCo` shows in one of two places; elsewhere the first brand named counts.
    fn brand(&self) -> Option<&Brand> {
        let brands = || self.methods().filter_map(|method| method.effective_brand.0.as_ref());
        brands()
            .find(|brand| is_cvco(brand))
            .or_else(|| brands().next())
            .or(self.payment_method_type.0.as_ref())
    }

    /// The same as that of the form notification, which knows the payment by its legacy names.
    fn call_number(&self, site: &SiteId, mode: Mode) -> Result<CallNumber, Malformed> {
        let id = self.methods().find_map(|method| method.legacy_trans_id.0.as_ref());
        let date = self.methods().find_map(|method| method.legacy_trans_date.0.as_ref()?.0);
        if let (Some(id), Some(date)) = (id, date) {
            return call_number(id, &FormDay::of(date), site, mode);
        }
        let uuid = self.uuid.0.as_ref();
        let uuid = uuid.ok_or_else(|| Malformed::new("kr-answer: a payment without identifiers"))?;
        CallNumber::new(uuid.as_str()).map_err(|error| Malformed(error.to_string()))
    }

    /// What was paid: lowered in the back office, perhaps, and in the currency of the capture.
    fn amount_taken(&self) -> Cents {
        let details = self.transaction_details.as_ref().filter(|_| self.is_debit());
        let comparable = details.filter(|details| details.effective_currency.0 == Some(self.currency.0));
        comparable.and_then(|details| details.effective_amount.0).unwrap_or(self.amount.0)
    }

    fn into_transaction(self, cascade: bool) -> Result<Transaction, Malformed> {
        let brand = self
            .brand()
            .cloned()
            .ok_or_else(|| Malformed::new("kr-answer: a transaction without a brand"))?;
        let amount = self.amount_taken();
        let details = self.transaction_details.unwrap_or_default();
        let mut methods = [details.card_details, details.payment_method_details].into_iter().flatten();
        let response = methods.find_map(|method| method.authorization_response).unwrap_or_default();
        let auth_result = response.authorization_result.0.or(self.detailed_error_code.0);
        let share = if cascade {
            Share::of(&brand, true)
        } else {
            Share::of_single(&brand, &self.detailed_status.0, auth_result.as_ref())
        };
        Ok(Transaction {
            share,
            brand,
            uuid: self.uuid.0,
            sequence_number: details.sequence_number.0,
            operation: self.operation_type.0,
            parent: details.parent_transaction_uuid.0,
            amount,
            currency: self.currency.0,
            status: self.detailed_status.0,
            auth_result,
            authorisation: response.authorization_number.0,
            contract: details.mid.0,
            occurred_at: self.creation_date.0.and_then(|moment| moment.0),
        })
    }
}
