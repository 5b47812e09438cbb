//! Response codes (letter `E`).
//!
//! Paid is `00000` and nothing else: new codes have appeared unannounced before (`00040` in 2013), so whatever
//! is not in the table counts as refused and calls for a person.

use ReportedState::{Abandoned, Authorised, Pending, Refused};
use StatusReading::{Attention, Known, Unknown};
use cvco_domain::{ReportedState, StatusReading};

const TABLE: &[(&str, ReportedState, StatusReading, &str)] = &[
    ("00000", Authorised, Known, "accepted"),
    ("00001", Abandoned, Known, "cancelled by the buyer, or the authorisation centre could not be reached"),
    ("00003", Refused, Known, "error of the platform"),
    ("00004", Refused, Known, "card number or security code invalid"),
    ("00006", Refused, Attention, "access refused: site, rank or identifier wrong"),
    ("00008", Refused, Known, "expiry date wrong"),
    ("00009", Refused, Attention, "a subscription could not be created"),
    ("00010", Refused, Attention, "currency unknown"),
    ("00011", Refused, Attention, "amount wrong"),
    ("00015", Refused, Attention, "payment already made"),
    ("00016", Refused, Attention, "subscriber exists already"),
    ("00021", Refused, Known, "card not allowed"),
    ("00022", Refused, Known, "limit reached"),
    ("00029", Refused, Known, "card not compliant"),
    ("00030", Abandoned, Known, "the buyer stayed on the payment page for more than 15 minutes"),
    ("00033", Refused, Known, "country of the buyer's address filtered"),
    ("00040", Refused, Known, "no 3-D Secure authentication, blocked by a filter"),
    ("00099", Pending, Known, "awaits the issuer of the payment instrument"),
    ("00102", Refused, Known, "bank: contact the card issuer"),
    ("00103", Refused, Known, "bank: invalid merchant"),
    ("00104", Refused, Known, "bank: keep the card"),
    ("00105", Refused, Known, "bank: do not honour"),
    ("00107", Refused, Known, "bank: keep the card, special conditions"),
    ("00112", Refused, Known, "bank: invalid transaction"),
    ("00113", Refused, Known, "bank: invalid amount"),
    ("00114", Refused, Known, "bank: invalid card number"),
    ("00115", Refused, Known, "bank: unknown issuer"),
    ("00117", Refused, Known, "bank: cancelled by the buyer"),
    ("00130", Refused, Known, "bank: format error"),
    ("00133", Refused, Known, "bank: card expired"),
    ("00134", Refused, Known, "bank: fraud suspected"),
    ("00141", Refused, Known, "bank: card lost"),
    ("00143", Refused, Known, "bank: card stolen"),
    ("00151", Refused, Known, "bank: funds insufficient"),
    ("00154", Refused, Known, "bank: card expired"),
    ("00156", Refused, Known, "bank: card not in the file"),
    ("00157", Refused, Known, "bank: transaction not allowed to the holder"),
    ("00158", Refused, Known, "bank: transaction forbidden to the terminal"),
    ("00159", Refused, Known, "bank: fraud suspected"),
    ("00160", Refused, Known, "bank: the merchant must contact the acquirer"),
    ("00161", Refused, Known, "bank: over the limit"),
    ("00163", Refused, Known, "bank: security rules not kept"),
    ("00168", Refused, Known, "bank: no answer, or too late; uncertain"),
    ("00190", Refused, Known, "bank: system stopped; uncertain"),
    ("00191", Refused, Known, "bank: issuer unreachable; uncertain"),
    ("00196", Refused, Known, "bank: system malfunction; uncertain"),
    ("00197", Refused, Known, "bank: timed out; uncertain"),
    ("00198", Refused, Known, "bank: server unavailable; uncertain"),
    ("00199", Refused, Known, "bank: incident; uncertain"),
    // Verifone's PrestaShop module counts these as a success of other payment means; nothing says what they mean.
    ("00200", Refused, Unknown, "of another payment instrument; undocumented"),
    ("00201", Refused, Unknown, "of another payment instrument; undocumented"),
    ("00300", Refused, Unknown, "of another payment instrument; undocumented"),
    ("00301", Refused, Unknown, "of another payment instrument; undocumented"),
    ("00302", Refused, Unknown, "of another payment instrument; undocumented"),
    ("00303", Refused, Unknown, "of another payment instrument; undocumented"),
    ("99999", Pending, Known, "awaits the issuer of the payment instrument"),
];

/// What a code, or the status of a consultation, means, in English; `None` if nothing is known of it.
#[must_use]
pub fn meaning(code: &str) -> Option<&'static str> {
    match entry(code) {
        Some((_, _, _, meaning)) => Some(meaning),
        None if is_bank_refusal(code) => Some("bank: refused"),
        None => super::api::meaning(code),
    }
}

/// What a code means for the money, and whether a person should look at it.
pub(super) fn judge(code: &str) -> (ReportedState, StatusReading) {
    match entry(code) {
        Some((_, state, reading, _)) => (*state, *reading),
        None if is_bank_refusal(code) => (Refused, Known),
        None => (Refused, Unknown),
    }
}

fn entry(code: &str) -> Option<&'static (&'static str, ReportedState, StatusReading, &'static str)> {
    TABLE.iter().find(|(known, ..)| *known == code)
}

/// `001xx`: the authorisation centre refused, `xx` is the bank's own code. `00100`, the bank's approval, is never
/// sent (`00000` stands for it), so it is no refusal that anyone knows.
fn is_bank_refusal(code: &str) -> bool {
    code.strip_prefix("001").is_some_and(|bank| {
        bank != "00" && bank.len() == 2 && bank.bytes().all(|digit| digit.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_five_zeros_are_money() {
        for number in 0..=99_999 {
            let code = format!("{number:05}");
            assert_eq!(judge(&code).0 == Authorised, code == "00000", "{code}");
        }
    }

    #[test]
    fn codes_are_judged_by_the_table() {
        for (code, expected) in [
            ("00099", (Pending, Known)),
            ("99999", (Pending, Known)),
            ("00001", (Abandoned, Known)),
            ("00030", (Abandoned, Known)),
            ("00004", (Refused, Known)),
            ("00006", (Refused, Attention)),
            ("00015", (Refused, Attention)),
            ("00151", (Refused, Known)),
            ("00191", (Refused, Known)),
            ("00162", (Refused, Known)),
            ("00100", (Refused, Unknown)),
            ("00031", (Refused, Unknown)),
            ("00201", (Refused, Unknown)),
            ("00303", (Refused, Unknown)),
            ("54321", (Refused, Unknown)),
        ] {
            assert_eq!(judge(code), expected, "{code}");
        }
    }

    #[test]
    fn a_meaning_is_told_where_one_is_known() {
        assert_eq!(meaning("00151"), Some("bank: funds insufficient"));
        assert_eq!(meaning("00162"), Some("bank: refused"));
        assert_eq!(meaning("Capturé"), Some("remitted"));
        assert_eq!(meaning("00031"), None);
        assert_eq!(meaning("00100"), None);
    }

    #[test]
    fn the_table_is_in_order_and_without_repetition() {
        assert!(TABLE.is_sorted_by(|earlier, later| earlier.0 < later.0));
    }
}
