//! The REST notification (V4): a signed JSON text in the field `kr-answer`.

use cvco_domain::Psp;
use cvco_domain::crypto::Verified;
use serde::Deserialize;

use super::format::Strict;
use super::rest_transaction::{OrderDetails, RestTransaction, payment};
use super::settings::{Settings, SiteId};
use super::submission::Malformed;
use crate::wire::json;
use crate::{Reading, Rejection};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    shop_id: Strict<SiteId>,
    order_details: OrderDetails,
    #[serde(default)]
    transactions: Option<Vec<RestTransaction>>,
}

/// Refuses a text about another shop, or about the other platform, since each has its own account. A text that cannot
/// be parsed passes, but [`read`] refuses it, so it yields no facts.
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
    json(answer).map_err(|what| Malformed::inside("kr-answer", &what))
}

/// Reads a verified text.
pub(super) fn read(answer: &Verified<Vec<u8>>) -> Result<Reading, Malformed> {
    let proof = answer;
    let answer = parse(answer)?;
    let mode = answer.order_details.mode.0;
    let mode = mode.ok_or_else(|| {
        Malformed::new("kr-answer\u{a0}: orderDetails.mode manque", "kr-answer: orderDetails.mode is missing")
    })?;
    let mut transactions = answer.transactions.unwrap_or_default();
    transactions.sort_by_key(RestTransaction::sequence_number);
    let Some(first) = transactions.first() else {
        return Ok(Reading::nothing("no transactions: nothing was tried"));
    };
    let site = &answer.shop_id.0;
    let named = transactions.iter().find_map(|transaction| transaction.legacy_call_number(site, mode));
    let call_number = named.unwrap_or_else(|| first.call_number(site, mode))?;
    Ok(payment(call_number, mode, answer.order_details, transactions)?.facts()?.reading(proof))
}
