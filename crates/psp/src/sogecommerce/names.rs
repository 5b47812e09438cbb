//! The form signature covers the values alone, joined with `+` in the order of their names; the names are
//! not signed. Whoever has one signed message can therefore rename its fields, and split or join values at a
//! `+`, as long as the joined text stays the same. The honest
//!
//! ```text
//! vads_amount=1000  vads_ctx_mode=TEST  vads_cust_address=5 rue X+999900+z
//! ```
//!
//! has the signature of the forged
//!
//! ```text
//! vads_aa=1000  vads_ab=TEST  vads_ac=5 rue X  vads_amount=999900  vads_ctx_mode=z
//! ```
//!
//! and a buyer has signed messages (the browser brings them back) and can write a `+` into an address.
//!
//! The defence follows from the order. The text that a buyer can choose begins at `vads_cust_…`; all that
//! sorts up to `vads_currency` precedes it, and can be moved only by fields pushed in front:
//!
//! 1. Before `vads_amount`, only two names may occur, and their values are words, not numbers.
//! 2. Before `vads_currency`, only those names (or families of names) may occur that the platform is
//!    known to send.
//! 3. After it, new names are welcome, as the vendor announces that the list may grow. Refusing them would
//!    gain nothing: the known families `vads_ext_info_…` and `vads_cust_…` are open already.
//! 4. But a name that is not known may also be a known one that somebody renamed away. So a message with such
//!    a name is taken only if it has the fields without which it would speak of another order or transaction:
//!    the order reference, and what a message of its status always says of its transaction.
//!
//! So amount and currency are beyond a buyer's reach. What sorts after them is guarded by strict formats
//! ([`super::format`]), by the rule that `vads_effective_amount` can only lower the amount, and by the sum of a
//! cascade's parts, which must come to `vads_amount`.

use super::submission::Malformed;

/// What may sort before `vads_amount`.
const BEFORE_AMOUNT: [&str; 2] = ["vads_acquirer_network", "vads_action_mode"];

/// What may sort between `vads_amount` and `vads_currency`: the beginnings of the names that the vendor's
/// dictionary and real messages have there.
const BEFORE_CURRENCY: [&str; 16] = [
    "vads_amount",
    "vads_archival_reference_id",
    "vads_auth",
    "vads_available_languages",
    "vads_bank_",
    "vads_birth_",
    "vads_brand_",
    "vads_capture_",
    "vads_card",
    "vads_category",
    "vads_change_rate",
    "vads_collection_",
    "vads_contra",
    "vads_contrib",
    "vads_ctx_mode",
    "vads_currency",
];

/// Names, and beginnings of names (with a `_` at their end), that the vendor's dictionary or real messages have. The
/// list need not be complete: see rule 4.
const KNOWN: [&str; 66] = [
    "vads_auth_mode",
    "vads_auth_number",
    "vads_auth_result",
    "vads_card_brand",
    "vads_card_country",
    "vads_card_number",
    "vads_contract_used",
    "vads_cust_",
    "vads_effective_amount",
    "vads_effective_creation_date",
    "vads_effective_currency",
    "vads_expiry_",
    "vads_ext_",
    "vads_extra_result",
    "vads_hash",
    "vads_identifier",
    "vads_identifier_status",
    "vads_initial_",
    "vads_insurance_amount",
    "vads_language",
    "vads_nb_products",
    "vads_occurrence_type",
    "vads_operation_type",
    "vads_order_id",
    "vads_order_info",
    "vads_order_info2",
    "vads_order_info3",
    "vads_page_action",
    "vads_pan_",
    "vads_payment_certificate",
    "vads_payment_config",
    "vads_payment_error",
    "vads_payment_option",
    "vads_payment_seq",
    "vads_payment_src",
    "vads_pays_ip",
    "vads_presentation_date",
    "vads_product_",
    "vads_proof_",
    "vads_recurrence_",
    "vads_redirect_",
    "vads_requestor",
    "vads_result",
    "vads_return_",
    "vads_risk_",
    "vads_sequence_number",
    "vads_ship_to_",
    "vads_shipping_amount",
    "vads_shop_",
    "vads_site_id",
    "vads_sub_",
    "vads_tax_amount",
    "vads_threeds_",
    "vads_tid",
    "vads_token",
    "vads_totalamount_vat",
    "vads_trans_date",
    "vads_trans_id",
    "vads_trans_status",
    "vads_trans_uuid",
    "vads_url_check_src",
    "vads_user_info",
    "vads_validation_mode",
    "vads_version",
    "vads_wallet",
    "vads_warranty_result",
];

/// Known names that are not the beginning of others: `vads_trans_uuie` is no `vads_trans_uuid`.
fn is_known(name: &[u8]) -> bool {
    BEFORE_AMOUNT.iter().chain(&BEFORE_CURRENCY).chain(&KNOWN).any(|known| {
        let known = known.as_bytes();
        if known.ends_with(b"_") { name.starts_with(known) } else { name == known }
    })
}

/// Refuses a message in which a field that matters seems to have been renamed to one that nobody knows. `needed`
/// are the fields that matter to it.
pub(super) fn check_none_renamed<'a>(
    fields: &(impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone),
    needed: &[&str],
) -> Result<(), Malformed> {
    let stranger = fields.clone().any(|(name, _)| !is_known(name));
    let missing = needed.iter().any(|needed| !fields.clone().any(|(name, _)| name == needed.as_bytes()));
    if stranger && missing {
        return Err(Malformed::new(
            "a field is missing that says which order or transaction this is, and another has a name that is not \
             known; the signature does not cover names, so one may have been made of the other",
        ));
    }
    Ok(())
}

/// Refuses names that could have been put in to move others.
pub(super) fn check<'a>(fields: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Result<(), Malformed> {
    for (name, value) in fields {
        let allowed = if name < b"vads_amount".as_slice() {
            BEFORE_AMOUNT.iter().any(|known| known.as_bytes() == name) && is_word(value)
        } else if name < b"vads_currency".as_slice() {
            BEFORE_CURRENCY.iter().any(|family| name.starts_with(family.as_bytes()))
        } else {
            true
        };
        if !allowed {
            return Err(Malformed::new(
                "a field that the platform does not send there sorts before vads_amount or vads_currency; the \
                 signature does not cover names, so it could have moved the others",
            ));
        }
    }
    Ok(())
}

/// `INTERACTIVE`, `CB`, `PROCESOS_ISO`: no amount can hide in it, nor a `+`.
fn is_word(value: &[u8]) -> bool {
    value.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        && (value.is_empty() || value.iter().any(u8::is_ascii_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(fields: &[(&str, &str)]) -> bool {
        check(fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()))).is_ok()
    }

    #[test]
    fn nothing_new_stands_in_front_of_the_money() {
        assert!(!allows(&[("vads_aa", "1000")]));
        assert!(!allows(&[("vads_amounS", "1000")]));
        assert!(!allows(&[("vads_barter", "x")]));
        assert!(!allows(&[("vads_cat", "x")]));
    }

    #[test]
    fn no_amount_hides_in_the_words_before_it() {
        assert!(allows(&[("vads_action_mode", "INTERACTIVE"), ("vads_acquirer_network", "PROCESOS_ISO")]));
        assert!(allows(&[("vads_action_mode", "")]));
        assert!(!allows(&[("vads_action_mode", "1000")]));
        assert!(!allows(&[("vads_action_mode", "INTERACTIVE+1000")]));
    }

    #[test]
    fn what_matters_cannot_be_renamed_away() {
        let taken = |names: &[&str]| {
            let fields: Vec<(&[u8], &[u8])> = names.iter().map(|name| (name.as_bytes(), &b""[..])).collect();
            check_none_renamed(&fields.iter().copied(), &["vads_order_id", "vads_trans_uuid"]).is_ok()
        };
        assert!(taken(&["vads_order_id", "vads_trans_uuid"]));
        assert!(taken(&["vads_order_id", "vads_trans_uuid", "vads_brand_new"]));
        assert!(
            taken(&["vads_order_info2", "vads_threeds_eci", "vads_amount"]),
            "no order reference, and nothing odd"
        );
        assert!(!taken(&["vads_order_ie", "vads_trans_uuid"]));
        assert!(!taken(&["vads_order_id", "vads_trans_uuie"]));
    }

    #[test]
    fn the_list_may_grow_behind_it() {
        for name in ["vads_dcc_rate", "vads_ext_info_Arrival Date", "vads_new", "vads_zz", "vads_card_nature"]
        {
            assert!(allows(&[(name, "x+y")]), "{name}");
        }
    }
}
