//! The REST notification (V4): a signed JSON text in the field `kr-answer`.

use cvco_domain::Psp;
use cvco_domain::crypto::{HmacSha256Key, Verified};
use serde::Deserialize;

use super::format::Strict;
use super::rest_transaction::{OrderDetails, RestTransaction, payment};
use super::settings::{Settings, SiteId, trimmed};
use super::submission::{Malformed, Submission};
use crate::wire::json;
use crate::{Reading, Rejection};

/// Proves a notification. `kr-src`, `kr-answer-type` and the names of the fields are outside the signed text and are
/// not believed.
pub(super) fn prove(
    submission: &Submission<'_>,
    settings: &Settings,
) -> Result<Verified<Vec<u8>>, Rejection> {
    let Some(password) = &settings.rest_password else {
        return Err(Malformed::new("a REST notification, but the endpoint has no REST password").into());
    };
    let answer = verify(submission, &trimmed(password))?;
    check_account(&answer, settings)?;
    Ok(answer)
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

/// Refuses a text about another shop, or about the other platform: each has its own account. A text that cannot be
/// read names none, and yields no facts.
pub(super) fn check_account(answer: &Verified<Vec<u8>>, settings: &Settings) -> Result<(), Rejection> {
    let Ok(answer) = parse(answer) else { return Ok(()) };
    let foreign = |what| Err(Rejection::Foreign { psp: Psp::Sogecommerce, what });
    let transactions = answer.transactions.iter().flatten();
    let mut shops = transactions.filter_map(RestTransaction::shop).chain([&answer.shop_id.0]);
    if shops.any(|shop| *shop != settings.site_id) {
        return foreign("shopId");
    }
    if answer.order_details.mode.0.is_some_and(|mode| mode != settings.mode) {
        return foreign("orderDetails.mode");
    }
    Ok(())
}

fn parse(answer: &Verified<Vec<u8>>) -> Result<Answer, Malformed> {
    json(answer).map_err(|what| Malformed(format!("kr-answer: {what}")))
}

/// Reads a verified text.
pub(super) fn read(answer: &Verified<Vec<u8>>) -> Result<Reading, Malformed> {
    let proof = answer;
    let answer = parse(answer)?;
    let mode = answer.order_details.mode.0;
    let mode = mode.ok_or_else(|| Malformed::new("kr-answer: orderDetails.mode is missing"))?;
    let mut transactions = answer.transactions.unwrap_or_default();
    transactions.sort_by_key(RestTransaction::sequence_number);
    let Some(first) = transactions.first() else {
        return Ok(Reading::nothing("no transactions: nothing was tried"));
    };
    let site = &answer.shop_id.0;
    let named = transactions.iter().find_map(|transaction| transaction.legacy_call_number(site, mode));
    let call_number = named.unwrap_or_else(|| first.call_number(site, mode))?;
    Ok(payment(call_number, mode, answer.order_details, transactions)?.told()?.reading(proof))
}
