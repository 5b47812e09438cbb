//! The automatic response. Anybody could have sent it, so it only names a transaction to ask about, and nothing else in
//! it is believed.

use cvco_domain::Asking;
use serde::Deserialize;

use super::message::{Envelope, Merchant, is_id, parse, same_number};
use super::{Settings, question};
use crate::Reading;

/// More than any transaction takes.
const MAX_BODY: usize = 64 * 1024;

/// Reads a body. The error says what is wrong, in English, without any value from outside.
pub(super) fn read(settings: &Settings, body: &[u8]) -> Result<Reading, String> {
    if body.len() > MAX_BODY {
        return Err("longer than any automatic response".to_owned());
    }
    let hint = Hint::parse(body)?;
    if hint.shop_id.is_some_and(|shop| !same_number(&shop, &settings.shop_id)) {
        return Err("transaction.merchant.shopId is another shop's".to_owned());
    }
    let question = question(&hint.id, Asking::Sparingly).ok_or("transaction.id cannot be asked about")?;
    let remark = "nobody sealed it: ANCV's API is asked about the transaction".to_owned();
    Ok(Reading::hint(vec![question], Some(remark)))
}

/// What is taken from an automatic response.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hint {
    /// The identifier; [`is_id`] accepts it.
    id: String,
    shop_id: Option<String>,
}

impl Hint {
    /// Reads a body. The error says what is wrong and quotes nothing.
    fn parse(body: &[u8]) -> Result<Self, String> {
        let envelope: Envelope<Named> = parse(body)?;
        let Some(transaction) = envelope.transaction else {
            return Err(match envelope.error_code {
                Some(_) => "an error (errorCode), not a transaction".to_owned(),
                None => "transaction is missing".to_owned(),
            });
        };
        if !is_id(&transaction.id) {
            return Err("transaction.id is not 1 to 64 letters and digits".to_owned());
        }
        let shop_id = transaction.merchant.and_then(|merchant| merchant.shop_id);
        Ok(Self { id: transaction.id, shop_id: shop_id.map(|shop| shop.text().into_owned()) })
    }
}

#[derive(Debug, Deserialize)]
struct Named {
    id: String,
    merchant: Option<Merchant>,
}
