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
//! The vendor announces that fields may be added, so names that nobody knows are welcome as long as they cannot hide a
//! field that is read. The defence follows from the order. The text that a buyer can choose begins at `vads_cust_…`; all
//! that sorts up to `vads_currency` precedes it:
//!
//! 1. Up to `vads_currency` no value holds a `+`, so no field there can swallow others.
//! 2. Before `vads_amount` all values are words, not numbers. So the first number of the signed text is the amount.
//! 3. Before `vads_ctx_mode` no value is `TEST` or `PRODUCTION`, and none between that and `vads_currency` is a number of
//!    three digits. So the mode is the first such word, and the currency the first such number after it.
//! 4. A name that nobody knows may be that of a field which somebody renamed. Renaming keeps the order, so such a field
//!    stands beside the place of the one that it was ([`check_none_hidden`]): there its value must not look like one.
//! 5. The fields without which a message would speak of another order or transaction must be there if any name is
//!    unknown ([`check_none_renamed`]).
//!
//! So amount, mode and currency are beyond a buyer's reach. What sorts after them is also guarded by strict formats
//! ([`super::format`]), by the rule that `vads_effective_amount` can only lower the amount, and by the sum of a
//! cascade's parts, which must come to `vads_amount`.

use super::codes::{Source, TransStatus};
use super::format::{Format, OperationType};
use super::payment::CVCO;
use super::submission::Malformed;

/// Names, and beginnings of names (with a `_` at their end), that the vendor's dictionary or real messages have, in the
/// order of their bytes; none begins with the beginning of others. The list need not be complete: see rule 4.
const KNOWN: [&str; 84] = [
    "vads_acquirer_network",
    "vads_action_mode",
    "vads_amount",
    "vads_archival_reference_id",
    "vads_auth_mode",
    "vads_auth_number",
    "vads_auth_result",
    "vads_available_languages",
    "vads_bank_code",
    "vads_bank_label",
    "vads_bank_product",
    "vads_birth_",
    "vads_brand_management",
    "vads_capture_delay",
    "vads_card_brand",
    "vads_card_country",
    "vads_card_number",
    "vads_category",
    "vads_change_rate",
    "vads_contract_used",
    "vads_contrib",
    "vads_ctx_mode",
    "vads_currency",
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
    "vads_theme_config",
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
    "vads_warranty_amount",
    "vads_warranty_result",
];

/// Known names that are not the beginning of others: `vads_trans_uuie` is no `vads_trans_uuid`.
fn is_known(name: &[u8]) -> bool {
    let at = KNOWN.partition_point(|known| known.as_bytes() <= name);
    at.checked_sub(1).and_then(|before| KNOWN.get(before)).is_some_and(|known| {
        let known = known.as_bytes();
        if known.ends_with(b"_") { name.starts_with(known) } else { name == known }
    })
}

/// Whether a field is what its name says, as far as that can be told. A known name beside a field that is read could
/// otherwise take that field's value under cover.
fn is_as_known((name, value): Field<'_>) -> bool {
    let letters = |value: &[u8]| value.iter().all(|b| b.is_ascii_alphabetic() || *b == b';');
    is_known(name)
        && match name {
            b"vads_auth_mode" => matches!(value, b"" | b"FULL" | b"MARK"),
            b"vads_available_languages" => letters(value),
            b"vads_capture_delay" => value.len() <= 3,
            b"vads_card_country" => letters(value) && value.len() <= 3,
            b"vads_card_number" => value.is_empty() || value.len() >= 10,
            b"vads_contrib" => value.is_empty() || value.iter().any(u8::is_ascii_alphabetic),
            _ => true,
        }
}

/// A name with its value.
type Field<'a> = (&'a [u8], &'a [u8]);

/// A field that is read, with what its value looks like.
struct Read {
    name: &'static str,
    /// Whether a message that lists the parts of a cascade is read for it too.
    of_cascades: bool,
    looks_like: fn(&[u8]) -> bool,
}

const OPERATION_TYPE: &str = "vads_operation_type";
const ORDER_ID: &str = "vads_order_id";

/// The fields that are read, in the order of their names.
const READ: [Read; 22] = [
    Read { name: "vads_amount", of_cascades: true, looks_like: |v| is_number(v, 1..=12) },
    Read {
        name: "vads_auth_number",
        of_cascades: false,
        looks_like: |v| has_digit(v) && (4..=32).contains(&v.len()),
    },
    Read { name: "vads_auth_result", of_cascades: false, looks_like: |v| has_digit(v) && v.len() <= 11 },
    Read { name: "vads_card_brand", of_cascades: true, looks_like: is_brand },
    Read { name: "vads_contract_used", of_cascades: false, looks_like: has_digit },
    Read { name: "vads_ctx_mode", of_cascades: true, looks_like: is_mode },
    Read { name: "vads_currency", of_cascades: true, looks_like: |v| is_number(v, 3..=3) },
    Read { name: "vads_effective_amount", of_cascades: false, looks_like: |v| is_number(v, 1..=12) },
    Read { name: "vads_effective_creation_date", of_cascades: false, looks_like: |v| is_number(v, 14..=14) },
    Read { name: "vads_effective_currency", of_cascades: false, looks_like: |v| is_number(v, 3..=3) },
    Read { name: "vads_hash", of_cascades: true, looks_like: |v| v.len() >= 40 },
    Read { name: OPERATION_TYPE, of_cascades: false, looks_like: OperationType::is_one },
    Read { name: ORDER_ID, of_cascades: true, looks_like: |v| !v.is_empty() },
    Read { name: "vads_payment_seq", of_cascades: true, looks_like: |v| v.starts_with(b"{") },
    Read { name: "vads_presentation_date", of_cascades: false, looks_like: |v| is_number(v, 14..=14) },
    Read { name: "vads_sequence_number", of_cascades: false, looks_like: |v| is_number(v, 1..=3) },
    Read { name: "vads_site_id", of_cascades: true, looks_like: |v| is_number(v, 8..=8) },
    Read { name: "vads_trans_date", of_cascades: true, looks_like: |v| is_number(v, 14..=14) },
    Read { name: "vads_trans_id", of_cascades: true, looks_like: |v| v.len() == 6 },
    Read { name: "vads_trans_status", of_cascades: true, looks_like: is_status },
    Read { name: "vads_trans_uuid", of_cascades: false, looks_like: |v| (20..=40).contains(&v.len()) },
    Read { name: "vads_url_check_src", of_cascades: true, looks_like: is_source },
];

fn is_number(value: &[u8], digits: std::ops::RangeInclusive<usize>) -> bool {
    digits.contains(&value.len()) && value.iter().all(u8::is_ascii_digit)
}

fn has_digit(value: &[u8]) -> bool {
    value.iter().any(u8::is_ascii_digit)
}

fn is_mode(value: &[u8]) -> bool {
    matches!(value, b"TEST" | b"PRODUCTION")
}

/// The brands of the vendor's list that shops of this bank can have. A word that is none of them (`WEB`) hides no brand.
fn is_brand(value: &[u8]) -> bool {
    const BRANDS: [&str; 20] = [
        CVCO,
        "MULTI",
        "CB",
        "E-CARTEBLEUE",
        "VISA",
        "VISA_ELECTRON",
        "VISA_DEBIT",
        "VPAY",
        "MASTERCARD",
        "MASTERCARD_DEBIT",
        "MAESTRO",
        "AMEX",
        "DINERS",
        "DISCOVER",
        "JCB",
        "E_CV",
        "CONECS",
        "APETIZ",
        "CHQ_DEJ",
        "SODEXO",
    ];
    BRANDS.iter().any(|brand| brand.as_bytes() == value)
}

fn is_status(value: &[u8]) -> bool {
    let status = std::str::from_utf8(value).ok().and_then(TransStatus::read);
    status.is_some_and(|status| !matches!(status, TransStatus::Unknown(_)))
}

fn is_source(value: &[u8]) -> bool {
    let source = std::str::from_utf8(value).ok().and_then(Source::read);
    source.is_some_and(|source| !matches!(source, Source::Unknown(_)))
}

/// What kind of message it is, as far as that decides which fields are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It lists the parts of a cascade; what a part says is in the list.
    Cascade,
    /// It is about one transaction.
    Single,
}

/// Refuses a message in which a field that matters seems to have been renamed to one that nobody knows. `needed`
/// are the fields that matter to it.
pub(super) fn check_none_renamed<'a>(
    fields: &(impl Iterator<Item = Field<'a>> + Clone),
    needed: &[&str],
) -> Result<(), Malformed> {
    let stranger = fields.clone().any(|(name, _)| !is_known(name));
    let missing = needed.iter().any(|needed| !fields.clone().any(|(name, _)| name == needed.as_bytes()));
    if stranger && missing {
        return Err(Malformed::new(
            "il manque un champ qui dit de quelle commande ou transaction il s’agit, et un autre porte un nom inconnu\u{a0}; la \
             signature ne couvre pas les noms, l’un peut donc avoir été fait de l’autre",
            "a field is missing that says which order or transaction this is, and another has a name that is not \
             known; the signature does not cover names, so one may have been made of the other",
        ));
    }
    Ok(())
}

/// Refuses a message in which a field with an unknown name looks like one that is read, and stands where that one would
/// stand under another name: between the same neighbours.
pub(super) fn check_none_hidden<'a>(
    fields: &(impl Iterator<Item = Field<'a>> + Clone),
    kind: Kind,
) -> Result<(), Malformed> {
    let read = || READ.iter().filter(|read| kind == Kind::Single || read.of_cascades);
    let is_there =
        |read: &Read| fields.clone().any(|(name, value)| name == read.name.as_bytes() && !value.is_empty());
    // Looked up once: a message may have thousands of fields.
    let places: Vec<(&Read, bool)> = read().map(|read| (read, is_there(read))).collect();
    let hides = |(name, value): Field<'a>| {
        let at = places.partition_point(|(read, _)| read.name.as_bytes() < name);
        let (before, after) = places.split_at_checked(at).unwrap_or_default();
        // One that is missing leaves its place to the next.
        let near = |place: &&(&Read, bool), open: &mut bool| std::mem::replace(open, *open && !place.1);
        let (mut back, mut ahead) = (true, true);
        let mut near = before
            .iter()
            .rev()
            .filter(|place| near(place, &mut back))
            .chain(after.iter().filter(|place| near(place, &mut ahead)));
        let looks_like = |read: &Read, is_there: bool| match read.name {
            // Any text can be a reference. One that is there was moved by a field right before it, or not at all.
            ORDER_ID if is_there => name > OPERATION_TYPE.as_bytes() && name < ORDER_ID.as_bytes(),
            _ => value.split(|b| *b == b'+').any(read.looks_like),
        };
        near.any(|(read, is_there)| looks_like(read, *is_there))
    };
    let is_read = |name: &[u8]| read().any(|read| read.name.as_bytes() == name);
    let mut strangers =
        fields.clone().filter(|field| !is_as_known(*field) && !is_read(field.0) && !field.1.is_empty());
    if strangers.any(hides) {
        return Err(Malformed::new(
            "un champ au nom inconnu ressemble à un champ qui est lu, et se trouve à sa place\u{a0}; la signature ne couvre pas les \
             noms, l’un peut donc avoir été fait de l’autre",
            "a field whose name is not known looks like one that is read, and stands in its place; the signature does \
             not cover names, so one may have been made of the other",
        ));
    }
    Ok(())
}

/// Refuses names and values that could have been put in to move amount, mode or currency.
pub(super) fn check<'a>(fields: impl Iterator<Item = Field<'a>>) -> Result<(), Malformed> {
    let is_wrong = |(name, value): Field<'a>| {
        if name > b"vads_currency".as_slice() {
            return false;
        }
        let moves_money = if name < b"vads_amount".as_slice() {
            !is_word(value)
        } else if name < b"vads_ctx_mode".as_slice() {
            is_mode(value)
        } else {
            name > b"vads_ctx_mode".as_slice()
                && name < b"vads_currency".as_slice()
                && is_number(value, 3..=3)
        };
        moves_money || value.contains(&b'+')
    };
    let mut fields = fields;
    if fields.any(is_wrong) {
        return Err(Malformed::new(
            "un champ placé avant vads_currency a une valeur que la plateforme n’y envoie pas\u{a0}; la signature ne couvre pas les \
             noms, il peut donc avoir déplacé le montant, le mode ou la devise",
            "a field before vads_currency has a value that the platform does not send there; the signature does not \
             cover names, so it could have moved the amount, the mode or the currency",
        ));
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
    fn a_name_is_found_right_after_its_beginning() {
        for [name, next] in KNOWN.array_windows() {
            assert!(name < next, "{next} is out of order");
            assert!(!(name.ends_with('_') && next.starts_with(name)), "{next} is in {name} already");
        }
        assert!(KNOWN.iter().all(|name| is_known(name.as_bytes())));
        assert!(is_known(b"vads_cust_city") && is_known(b"vads_theme_config"));
        for stranger in ["", "vads_", "vads_cust", "vads_amounu", "vads_trans_uuid2", "zz"] {
            assert!(!is_known(stranger.as_bytes()), "{stranger}");
        }
    }

    #[test]
    fn no_number_stands_in_front_of_the_amount() {
        assert!(!allows(&[("vads_aa", "1000")]));
        assert!(!allows(&[("vads_amounS", "1000")]));
        assert!(allows(&[("vads_action_mode", "INTERACTIVE"), ("vads_acquirer_network", "PROCESOS_ISO")]));
        assert!(allows(&[("vads_action_mode", ""), ("vads_agent", "WEB")]));
        assert!(!allows(&[("vads_action_mode", "1000")]));
        assert!(!allows(&[("vads_action_mode", "INTERACTIVE+1000")]));
    }

    #[test]
    fn mode_and_currency_cannot_be_moved() {
        assert!(allows(&[("vads_country", "FR"), ("vads_channel", "WEB"), ("vads_ctx_mode", "TEST")]));
        assert!(!allows(&[("vads_contract_used", "TEST"), ("vads_ctx_mode", "PRODUCTION")]));
        assert!(!allows(&[("vads_ctx_mode", "TEST"), ("vads_ctx_x", "978"), ("vads_currency", "036")]));
        assert!(!allows(&[("vads_contract_used", "123+TEST+978+5 rue X")]), "swallowed");
        assert!(allows(&[("vads_cust_address", "5 rue X+TEST+978")]));
    }

    #[test]
    fn what_matters_cannot_be_renamed_away() {
        let taken = |names: &[&str]| {
            let fields: Vec<Field<'_>> = names.iter().map(|name| (name.as_bytes(), &b""[..])).collect();
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
    fn an_unknown_name_hides_nothing_that_is_read() {
        const WHOLE: [(&str, &str); 7] = [
            ("vads_amount", "9990"),
            ("vads_auth_result", "1216"),
            ("vads_card_brand", "CVCO"),
            ("vads_contract_used", "5785350"),
            ("vads_ctx_mode", "TEST"),
            ("vads_operation_type", "DEBIT"),
            ("vads_order_id", "A1"),
        ];
        let taken = |more: (&str, &str), without: &str| {
            let fields: Vec<Field<'_>> = WHOLE
                .into_iter()
                .filter(|(name, _)| *name != without)
                .chain([more])
                .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
                .collect();
            check_none_hidden(&fields.iter().copied(), Kind::Single).is_ok()
        };
        for more in [
            ("vads_channel", "WEB"),
            ("vads_country", "FR"),
            ("vads_dcc_rate", "1.5"),
            ("vads_zz", "x+y"),
            ("vads_ext_info_Arrival Date", "22/07/2026"),
            ("vads_card_nature", "DEBIT"),
        ] {
            assert!(taken(more, ""), "{more:?}");
        }
        for (more, without) in [
            (("vads_auth_resulu", "1216"), "vads_auth_result"),
            (("vads_capture_delay", "1216"), "vads_auth_result"),
            (("vads_card_branc", "CVCO"), "vads_card_brand"),
            (("vads_card_branc", "CVCO"), ""),
            (("vads_contract_usee", "5785350"), "vads_contract_used"),
            (("vads_contrib", "5785350"), "vads_contract_used"),
            (("vads_op", "DEBIT"), "vads_operation_type"),
            (("vads_order", "A1"), ""),
            (("vads_order_ie", "A1"), "vads_order_id"),
        ] {
            assert!(!taken(more, without), "{more:?}");
        }
    }
}
