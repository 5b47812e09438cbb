//! What Worldline's statuses mean. Three properties say where an operation stands: `statusCode`, `status` and
//! `statusCategory`. The code is the finest: one word, `REJECTED`, stands for a refused payment (2), but also
//! for a refused refund (83), after which the payment stays paid. So the code decides wherever there is one.

use super::format::{StatusNumber, Word};

/// What a status is about, and what it means for the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The payment: authorised, captured, cancelled and so on.
    OfPayment(ReportedState, StatusReading),
    /// A refund of it: accepted (`Captured`), `Pending` or `Refused`.
    OfRefund(ReportedState, StatusReading),
}

use Meaning::{OfPayment, OfRefund};
use ReportedState::{Abandoned, Authorised, Cancelled, Captured, Pending, Refused};
use StatusReading::{Attention, Known, Unknown};
use cvco_domain::{ReportedState, StatusCode, StatusReading};

/// `statusCode`: the numbers of the former Ogone platform. A refused capture or cancellation leaves the
/// payment authorised, a refused refund leaves it captured.
const NUMBERS: [(u16, Meaning, &str); 38] = [
    (0, OfPayment(Pending, Known), "incomplete"),
    (1, OfPayment(Abandoned, Known), "cancelled by the customer"),
    (2, OfPayment(Refused, Known), "refused"),
    (4, OfPayment(Pending, Known), "order stored"),
    (40, OfPayment(Pending, Known), "order stored, waiting for an outside result"),
    (41, OfPayment(Pending, Known), "waiting for the customer's payment"),
    (46, OfPayment(Pending, Known), "waiting for the customer's authentication"),
    (5, OfPayment(Authorised, Known), "authorised"),
    (50, OfPayment(Pending, Known), "authorised, waiting for an outside result"),
    (51, OfPayment(Pending, Known), "authorisation waiting"),
    (52, OfPayment(Pending, Known), "authorisation not known"),
    (55, OfPayment(Pending, Known), "stand-by"),
    (56, OfPayment(Pending, Known), "authorised, not final"),
    (57, OfPayment(Refused, Known), "refused"),
    (59, OfPayment(Refused, Known), "authorisation to be asked for manually"),
    (6, OfPayment(Cancelled, Known), "authorised and cancelled"),
    (61, OfPayment(Authorised, Known), "cancellation waiting; still authorised"),
    (62, OfPayment(Authorised, Known), "cancellation uncertain; still authorised"),
    (63, OfPayment(Authorised, Attention), "cancellation refused; still authorised"),
    (64, OfPayment(Cancelled, Known), "cancelled"),
    (7, OfRefund(Captured, Known), "payment deleted"),
    (71, OfRefund(Pending, Known), "deletion waiting"),
    (72, OfRefund(Pending, Known), "deletion uncertain"),
    (73, OfRefund(Refused, Attention), "deletion refused; still captured"),
    (75, OfPayment(Cancelled, Known), "deleted by the merchant"),
    (8, OfRefund(Captured, Known), "refunded"),
    (81, OfRefund(Pending, Known), "refund waiting"),
    (82, OfRefund(Pending, Known), "refund uncertain"),
    (83, OfRefund(Refused, Attention), "refund refused; still captured"),
    (84, OfRefund(Refused, Attention), "refund declined by the acquirer; still captured"),
    (85, OfRefund(Captured, Known), "refunded by the merchant"),
    (9, OfPayment(Captured, Known), "captured"),
    (91, OfPayment(Pending, Known), "capture waiting"),
    (92, OfPayment(Pending, Known), "capture uncertain"),
    (93, OfPayment(Authorised, Attention), "capture refused; still authorised"),
    (94, OfPayment(Authorised, Attention), "declined by the acquirer; still authorised"),
    (95, OfPayment(Pending, Attention), "processed by the merchant"),
    (99, OfPayment(Pending, Known), "being processed"),
];

/// `status`, where there is no code. The last ones are the sister platform's, whose libraries share the
/// tests.
const WORDS: [(&str, Meaning); 22] = [
    ("CREATED", OfPayment(Pending, Known)),
    ("REDIRECTED", OfPayment(Pending, Known)),
    ("PENDING_PAYMENT", OfPayment(Pending, Known)),
    ("PENDING_APPROVAL", OfPayment(Pending, Known)),
    ("PENDING_COMPLETION", OfPayment(Pending, Known)),
    ("AUTHORIZATION_REQUESTED", OfPayment(Pending, Known)),
    ("PENDING_CAPTURE", OfPayment(Authorised, Known)),
    ("CAPTURE_REQUESTED", OfPayment(Pending, Known)),
    ("CAPTURED", OfPayment(Captured, Known)),
    ("CANCELLED", OfPayment(Cancelled, Known)),
    ("REJECTED", OfPayment(Refused, Known)),
    ("REJECTED_CAPTURE", OfPayment(Authorised, Attention)),
    ("REFUND_REQUESTED", OfRefund(Pending, Known)),
    ("REFUNDED", OfRefund(Captured, Known)),
    ("PAID", OfPayment(Captured, Known)),
    ("ACCOUNT_VERIFIED", OfPayment(Pending, Known)),
    ("PENDING_FRAUD_APPROVAL", OfPayment(Pending, Known)),
    ("CHARGEBACK_NOTIFICATION", OfPayment(Captured, Attention)),
    ("CHARGEBACKED", OfPayment(Captured, Attention)),
    ("REVERSED", OfPayment(Captured, Attention)),
    ("PENDING_CONNECT_OR_3RD_PARTY", OfPayment(Pending, Known)),
    ("UNSUCCESSFUL", OfPayment(Refused, Known)),
];

/// `statusCategory`, where there is nothing else; those that are not a [`WORDS`] too.
const CATEGORIES: [(&str, Meaning); 2] =
    [("COMPLETED", OfPayment(Captured, Known)), ("PENDING_MERCHANT", OfPayment(Pending, Known))];

/// What a message says of where an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Status<'a> {
    pub(super) number: Option<StatusNumber>,
    pub(super) word: Option<&'a Word>,
    pub(super) category: Option<&'a Word>,
}

impl Status<'_> {
    /// `None` if the message says nothing of it.
    pub(super) fn meaning(&self) -> Option<Meaning> {
        let by_word = || {
            let mut words = [self.word, self.category].into_iter().flatten();
            words.find_map(|word| of_word(&word.0))
        };
        // A chargeback carries the code of what it undoes.
        if let Some(told @ OfPayment(Captured, Attention)) = by_word() {
            return Some(told);
        }
        let in_words = self.word.is_some() || self.category.is_some();
        match self.number {
            Some(StatusNumber(number)) => {
                Some(of_number(number).unwrap_or_else(|| outside_the_table(by_word())))
            }
            None if in_words => Some(by_word().unwrap_or_else(|| outside_the_table(None))),
            None => None,
        }
    }

    /// The status as the ledger keeps it.
    pub(super) fn code(&self, reading: StatusReading) -> StatusCode {
        let word = || self.word.or(self.category).map(|word| word.0.clone()).unwrap_or_default();
        let code = self.number.map_or_else(word, |StatusNumber(number)| number.to_string());
        StatusCode { code, reading }
    }

    /// An attempt that was begun and no more: the list of a payment's operations holds them too.
    pub(super) fn is_created(&self) -> bool {
        self.word.is_some_and(|word| word.0 == "CREATED")
    }

    pub(super) fn is_word(&self, text: &str) -> bool {
        self.word.is_some_and(|word| word.0 == text)
    }
}

fn of_number(number: u16) -> Option<Meaning> {
    NUMBERS.iter().find(|(known, ..)| *known == number).map(|(_, meaning, _)| *meaning)
}

fn of_word(text: &str) -> Option<Meaning> {
    WORDS.iter().chain(&CATEGORIES).find(|(known, _)| *known == text).map(|(_, meaning)| *meaning)
}

/// A code of tomorrow is read by its words, and shown to a person; without known words it is never taken for
/// money.
fn outside_the_table(by_word: Option<Meaning>) -> Meaning {
    match by_word {
        Some(OfPayment(state, _)) => OfPayment(state, Unknown),
        Some(OfRefund(state, _)) => OfRefund(state, Unknown),
        None => OfPayment(Pending, Unknown),
    }
}

/// What a status code of this adapter's events means, in English, for the story of a record.
#[must_use]
pub fn meaning(code: &str) -> Option<&'static str> {
    let number: u16 = code.parse().ok()?;
    NUMBERS.iter().find(|(known, ..)| *known == number).map(|(.., meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Word {
        Word(text.to_owned())
    }

    fn of(number: Option<u16>, status: &str, category: &str) -> Option<Meaning> {
        let (status, category) = (word(status), word(category));
        Status {
            number: number.map(StatusNumber),
            word: Some(&status).filter(|word| !word.0.is_empty()),
            category: Some(&category).filter(|word| !word.0.is_empty()),
        }
        .meaning()
    }

    #[test]
    fn the_code_outranks_the_words() {
        assert_eq!(of(Some(9), "CAPTURED", "COMPLETED"), Some(OfPayment(Captured, Known)));
        assert_eq!(of(Some(2), "REJECTED", "UNSUCCESSFUL"), Some(OfPayment(Refused, Known)));
        assert_eq!(of(Some(83), "REJECTED", "UNSUCCESSFUL"), Some(OfRefund(Refused, Attention)));
        assert_eq!(of(Some(93), "REJECTED", "UNSUCCESSFUL"), Some(OfPayment(Authorised, Attention)));
        assert_eq!(of(Some(1), "CANCELLED", ""), Some(OfPayment(Abandoned, Known)));
        assert_eq!(of(Some(6), "CANCELLED", ""), Some(OfPayment(Cancelled, Known)));
    }

    #[test]
    fn a_chargeback_is_for_a_person_whatever_its_code() {
        for (code, word) in
            [(9, "CHARGEBACKED"), (8, "CHARGEBACKED"), (8, "REVERSED"), (9, "CHARGEBACK_NOTIFICATION")]
        {
            assert_eq!(of(Some(code), word, ""), Some(OfPayment(Captured, Attention)), "{code} {word}");
        }
    }

    #[test]
    fn without_a_code_the_words_decide() {
        assert_eq!(of(None, "CAPTURED", ""), Some(OfPayment(Captured, Known)));
        assert_eq!(of(None, "PENDING_CAPTURE", "PENDING_MERCHANT"), Some(OfPayment(Authorised, Known)));
        assert_eq!(of(None, "", "COMPLETED"), Some(OfPayment(Captured, Known)));
        assert_eq!(of(None, "", ""), None);
    }

    #[test]
    fn what_no_table_has_is_shown_and_never_paid() {
        assert_eq!(of(Some(777), "", ""), Some(OfPayment(Pending, Unknown)));
        assert_eq!(of(Some(777), "REJECTED", ""), Some(OfPayment(Refused, Unknown)));
        assert_eq!(of(None, "TELEPORTED", ""), Some(OfPayment(Pending, Unknown)));
    }

    #[test]
    fn few_codes_are_money() {
        let money = |wanted| {
            let codes = NUMBERS.iter().filter(move |(_, meaning, _)| match meaning {
                OfPayment(state, _) => *state == wanted,
                OfRefund(..) => false,
            });
            codes.map(|(number, ..)| *number).collect::<Vec<_>>()
        };
        assert_eq!(money(Captured), [9]);
        assert_eq!(money(Authorised), [5, 61, 62, 63, 93, 94]);
    }

    #[test]
    fn every_code_stands_once_and_explains_itself() {
        for (number, ..) in NUMBERS {
            assert_eq!(NUMBERS.iter().filter(|(other, ..)| *other == number).count(), 1, "{number}");
            assert!(meaning(&number.to_string()).is_some(), "{number}");
        }
        assert_eq!(meaning("TELEPORTED"), None);
    }
}
