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
//! 1. In front of `vads_amount` only two names may stand, and their values are words, not numbers.
//! 2. In front of `vads_currency` only the names (or families of names) may stand that the platform is
//!    known to send.
//! 3. Behind it new names are welcome, as the vendor announces that the list may grow. Refusing them would
//!    gain nothing: the known families `vads_ext_info_…` and `vads_cust_…` are open already.
//!
//! So amount and currency are beyond a buyer's reach. What stands behind is held by strict formats
//! ([`super::format`]), by the rule that `vads_effective_amount` can only lower the amount, and by the sum
//! of a cascade's parts, which must come to `vads_amount`.

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
    fn the_list_may_grow_behind_it() {
        for name in ["vads_dcc_rate", "vads_ext_info_Arrival Date", "vads_new", "vads_zz", "vads_card_nature"]
        {
            assert!(allows(&[(name, "x+y")]), "{name}");
        }
    }
}
