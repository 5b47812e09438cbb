//! `vads_payment_seq`: the parts of a cascade, as JSON. The vendor's guides and plugins call the list
//! `transactions`, two pages of its dictionary `transaction`; the published example has strings throughout,
//! the plugins' own rendering has numbers.

use cvco_domain::{AuthorisationNumber, Brand, Cents, Contract, Currency, TenderId};
use serde::Deserialize;

use super::codes::TransStatus;
use super::format::{AuthResult, Lenient, OperationType, SequenceNumber, Strict, TransId};
use super::payment::{Share, Transaction};
use super::submission::Malformed;
use crate::wire::json;

/// Far more attempts than a payment page of ten minutes allows.
const MAX_PARTS: usize = 20;

#[derive(Deserialize)]
struct PaymentSeq {
    trans_id: Strict<TransId>,
    transactions: Option<Vec<ListedAttempt>>,
    transaction: Option<Vec<ListedAttempt>>,
}

/// One attempt: accepted, refused or cancelled.
#[derive(Deserialize)]
struct ListedAttempt {
    amount: Strict<Cents>,
    card_brand: Strict<Brand>,
    trans_status: Strict<TransStatus>,
    #[serde(default)]
    operation_type: Lenient<OperationType>,
    #[serde(default)]
    auth_number: Lenient<AuthorisationNumber>,
    #[serde(default)]
    auth_result: Lenient<AuthResult>,
    #[serde(default)]
    contract_used: Lenient<Contract>,
    #[serde(default)]
    trans_id: Lenient<TransId>,
    #[serde(default)]
    trans_uuid: Lenient<TenderId>,
    #[serde(default)]
    sequence_number: Lenient<SequenceNumber>,
}

/// Reads the parts of the payment `trans_id`, in the order given. Their only date is `presentation_date`, when the capture
/// is wished for: it says nothing of what happened, so it is not read.
pub(super) fn read(
    text: &[u8],
    trans_id: &TransId,
    currency: Currency,
) -> Result<Vec<Transaction>, Malformed> {
    let sequence: PaymentSeq = json(text).map_err(|what| Malformed::inside("vads_payment_seq", &what))?;
    let parts = sequence.transactions.or(sequence.transaction).unwrap_or_default();
    if parts.len() > MAX_PARTS {
        return Err(Malformed::new(
            format!("vads_payment_seq compte plus de {MAX_PARTS} parts"),
            format!("vads_payment_seq has more than {MAX_PARTS} parts"),
        ));
    }
    let ids = parts.iter().filter_map(|part| part.trans_id.0.as_ref());
    if ids.chain([&sequence.trans_id.0]).any(|id| id != trans_id) {
        return Err(Malformed::new(
            "vads_payment_seq appartient à un autre vads_trans_id",
            "vads_payment_seq belongs to another vads_trans_id",
        ));
    }
    Ok(parts.into_iter().map(|part| part.into_transaction(currency)).collect())
}

impl ListedAttempt {
    fn into_transaction(self, currency: Currency) -> Transaction {
        Transaction {
            share: Share::of(&self.card_brand.0, true),
            brand: self.card_brand.0,
            uuid: self.trans_uuid.0,
            sequence_number: self.sequence_number.0,
            operation: self.operation_type.0,
            parent: None,
            amount: self.amount.0,
            currency,
            status: self.trans_status.0,
            auth_result: self.auth_result.0,
            authorisation: self.auth_number.0,
            contract: self.contract_used.0,
            registered_at: None,
            captured_at: None,
            revised: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(parts: &str) -> Result<usize, String> {
        let text = format!(r#"{{"trans_id":"xrT15p",{parts}}}"#);
        let trans_id = TransId("xrt15p".to_owned());
        read(text.as_bytes(), &trans_id, Currency::EUR)
            .map(|parts| parts.len())
            .map_err(|wrong| wrong.0.english)
    }

    const PART: &str = r#"{"amount":"6000","card_brand":"CVCO","trans_status":"AUTHORISED"}"#;

    #[test]
    fn both_names_of_the_list_are_read_and_the_plural_wins() {
        assert_eq!(sequence(&format!(r#""transaction":[{PART}]"#)), Ok(1));
        assert_eq!(sequence(&format!(r#""transaction":[{PART}],"transactions":[{PART},{PART}]"#)), Ok(2));
        assert_eq!(sequence(r#""transactions":null"#), Ok(0));
    }

    #[test]
    fn an_error_names_the_place_and_no_value() {
        let wrong = PART.replace("6000", "60,00");
        assert_eq!(
            sequence(&format!(r#""transactions":[{PART},{wrong}]"#)),
            Err("vads_payment_seq: transactions[1].amount is missing, stands twice or is not in its format"
                .to_owned())
        );
        assert_eq!(sequence("\"secret\": nonsense"), Err("vads_payment_seq: not JSON".to_owned()));
    }

    #[test]
    fn parts_of_another_payment_are_refused() {
        let foreign = PART.replace("{\"amount", "{\"trans_id\":\"AAAAAA\",\"amount");
        assert!(sequence(&format!(r#""transactions":[{PART},{foreign}]"#)).is_err());
        let same = PART.replace("{\"amount", "{\"trans_id\":\"XRT15P\",\"amount");
        assert_eq!(sequence(&format!(r#""transactions":[{same}]"#)), Ok(1));
    }

    #[test]
    fn the_number_of_parts_is_bounded() {
        assert!(sequence(&format!(r#""transactions":[{}]"#, [PART; 20].join(","))).is_ok());
        assert!(sequence(&format!(r#""transactions":[{}]"#, [PART; 21].join(","))).is_err());
    }
}
