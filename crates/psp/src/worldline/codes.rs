//! What Worldline's statuses mean. Three properties say where an operation stands: `statusCode`, `status` and
//! `statusCategory`. The code is the finest: one word, `REJECTED`, stands for a refused payment (2), but also
//! for a refused refund (83), after which the payment stays paid. So the code decides wherever there is one.

use super::format::{StatusNumber, Word};

/// What a status is about, and what it means for the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The payment: authorised, captured, cancelled and so on.
    Payment(ReportedState, StatusReading),
    /// A refund of it: accepted (`Captured`), `Pending` or `Refused`.
    Refund(ReportedState, StatusReading),
    /// The card's bank takes it back: done (`Captured`), or announced (`Pending`).
    Chargeback(ReportedState),
}

use Meaning::{Chargeback, Payment, Refund};
use ReportedState::{Abandoned, Authorised, Cancelled, Captured, Pending, Refused};
use StatusReading::{Attention, Known, Unfinished, Unknown};
use cvco_domain::{ReportedState, StatusCode, StatusReading};

/// `statusCode`: the numbers of the former Ogone platform. A refused capture or cancellation leaves the
/// payment authorised, a refused refund leaves it captured.
const NUMBERS: [(u16, Meaning, &str); 39] = [
    (0, Payment(Pending, Unfinished), "incomplete"),
    (1, Payment(Abandoned, Known), "cancelled by the customer"),
    (2, Payment(Refused, Known), "refused"),
    (4, Payment(Pending, Unfinished), "order stored"),
    (40, Payment(Pending, Unfinished), "order stored, waiting for an outside result"),
    (41, Payment(Pending, Unfinished), "waiting for the customer's payment"),
    (46, Payment(Pending, Unfinished), "waiting for the customer's authentication"),
    (5, Payment(Authorised, Known), "authorised"),
    (50, Payment(Pending, Known), "authorised, waiting for an outside result"),
    (51, Payment(Pending, Known), "authorisation waiting"),
    (52, Payment(Pending, Known), "authorisation not known"),
    (55, Payment(Pending, Known), "stand-by"),
    (56, Payment(Pending, Known), "authorised, not final"),
    (57, Payment(Refused, Known), "refused"),
    (59, Payment(Refused, Known), "authorisation to be asked for manually"),
    (6, Payment(Cancelled, Known), "authorised and cancelled"),
    (61, Payment(Authorised, Known), "cancellation waiting; still authorised"),
    (62, Payment(Authorised, Known), "cancellation uncertain; still authorised"),
    (63, Payment(Authorised, Attention), "cancellation refused; still authorised"),
    (64, Payment(Cancelled, Known), "cancelled"),
    (7, Refund(Captured, Known), "payment deleted"),
    (71, Refund(Pending, Known), "deletion waiting"),
    (72, Refund(Pending, Known), "deletion uncertain"),
    (73, Refund(Refused, Attention), "deletion refused; still captured"),
    (74, Refund(Refused, Attention), "deletion declined; still captured"),
    (75, Refund(Captured, Known), "deleted by the merchant"),
    (8, Refund(Captured, Known), "refunded"),
    (81, Refund(Pending, Known), "refund waiting"),
    (82, Refund(Pending, Known), "refund uncertain"),
    (83, Refund(Refused, Attention), "refund refused; still captured"),
    (84, Refund(Refused, Attention), "refund declined by the acquirer; still captured"),
    (85, Refund(Captured, Known), "refunded by the merchant"),
    (9, Payment(Captured, Known), "captured"),
    (91, Payment(Pending, Known), "capture waiting"),
    (92, Payment(Pending, Known), "capture uncertain"),
    (93, Payment(Authorised, Attention), "capture refused; still authorised"),
    (94, Payment(Authorised, Attention), "declined by the acquirer; still authorised"),
    (95, Payment(Pending, Attention), "processed by the merchant"),
    (99, Payment(Pending, Known), "being processed"),
];

/// `status`, where there is no code. The last ones are the sister platform's, whose libraries share the
/// tests.
const WORDS: [(&str, Meaning); 22] = [
    ("CREATED", Payment(Pending, Unfinished)),
    ("REDIRECTED", Payment(Pending, Unfinished)),
    ("PENDING_PAYMENT", Payment(Pending, Unfinished)),
    ("PENDING_APPROVAL", Payment(Pending, Known)),
    ("PENDING_COMPLETION", Payment(Pending, Known)),
    ("AUTHORIZATION_REQUESTED", Payment(Pending, Known)),
    ("PENDING_CAPTURE", Payment(Authorised, Known)),
    ("CAPTURE_REQUESTED", Payment(Pending, Known)),
    ("CAPTURED", Payment(Captured, Known)),
    ("CANCELLED", Payment(Cancelled, Known)),
    ("REJECTED", Payment(Refused, Known)),
    ("REJECTED_CAPTURE", Payment(Authorised, Attention)),
    ("REFUND_REQUESTED", Refund(Pending, Known)),
    ("REFUNDED", Refund(Captured, Known)),
    ("PAID", Payment(Captured, Known)),
    ("ACCOUNT_VERIFIED", Payment(Pending, Known)),
    ("PENDING_FRAUD_APPROVAL", Payment(Pending, Known)),
    ("CHARGEBACK_NOTIFICATION", Chargeback(Pending)),
    (CHARGEBACKED, Chargeback(Captured)),
    ("REVERSED", Chargeback(Captured)),
    ("PENDING_CONNECT_OR_3RD_PARTY", Payment(Pending, Known)),
    ("UNSUCCESSFUL", Payment(Refused, Known)),
];

/// The word of a payment that the card's bank took back.
pub(super) const CHARGEBACKED: &str = "CHARGEBACKED";

/// `statusCategory`, where there is nothing else; those that are not a [`WORDS`] too.
const CATEGORIES: [(&str, Meaning); 2] =
    [("COMPLETED", Payment(Captured, Known)), ("PENDING_MERCHANT", Payment(Pending, Known))];

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
        // It carries the code of what it undoes.
        if let Some((chargeback, _)) = self.chargeback() {
            return Some(chargeback);
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

    /// What it says of a chargeback, and in which word.
    fn chargeback(&self) -> Option<(Meaning, &Word)> {
        let words = [self.word, self.category].into_iter().flatten();
        let mut told = words.filter_map(|word| Some((of_word(&word.0)?, word)));
        told.find(|(meaning, _)| matches!(meaning, Chargeback(_)))
    }

    /// The status as the ledger keeps it.
    pub(super) fn code(&self, reading: StatusReading) -> StatusCode {
        if let Some((_, word)) = self.chargeback() {
            return StatusCode { code: word.0.clone(), reading };
        }
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
        Some(Payment(state, _)) => Payment(state, Unknown),
        Some(Refund(state, _)) => Refund(state, Unknown),
        Some(chargeback @ Chargeback(_)) => chargeback,
        None => Payment(Pending, Unknown),
    }
}

/// What a status code of this adapter's events means, in English, for the story of a record.
#[must_use]
pub fn meaning(code: &str) -> Option<&'static str> {
    match code {
        "CHARGEBACK_NOTIFICATION" => return Some("the card's bank announces that it takes the money back"),
        CHARGEBACKED | "REVERSED" => return Some("the card's bank took the money back"),
        _ => {}
    }
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
        assert_eq!(of(Some(9), "CAPTURED", "COMPLETED"), Some(Payment(Captured, Known)));
        assert_eq!(of(Some(2), "REJECTED", "UNSUCCESSFUL"), Some(Payment(Refused, Known)));
        assert_eq!(of(Some(83), "REJECTED", "UNSUCCESSFUL"), Some(Refund(Refused, Attention)));
        assert_eq!(of(Some(93), "REJECTED", "UNSUCCESSFUL"), Some(Payment(Authorised, Attention)));
        assert_eq!(of(Some(1), "CANCELLED", ""), Some(Payment(Abandoned, Known)));
        assert_eq!(of(Some(6), "CANCELLED", ""), Some(Payment(Cancelled, Known)));
    }

    #[test]
    fn a_chargeback_is_no_payment_whatever_its_code() {
        for (code, word, state) in [
            (9, "CHARGEBACKED", Captured),
            (8, "CHARGEBACKED", Captured),
            (8, "REVERSED", Captured),
            (777, "CHARGEBACKED", Captured),
            (9, "CHARGEBACK_NOTIFICATION", Pending),
        ] {
            assert_eq!(of(Some(code), word, ""), Some(Chargeback(state)), "{code} {word}");
            assert!(meaning(word).is_some(), "{word}");
        }
    }

    #[test]
    fn without_a_code_the_words_decide() {
        assert_eq!(of(None, "CAPTURED", ""), Some(Payment(Captured, Known)));
        assert_eq!(of(None, "PENDING_CAPTURE", "PENDING_MERCHANT"), Some(Payment(Authorised, Known)));
        assert_eq!(of(None, "", "COMPLETED"), Some(Payment(Captured, Known)));
        assert_eq!(of(None, "REDIRECTED", "PENDING_PAYMENT"), Some(Payment(Pending, Unfinished)));
        assert_eq!(of(None, "", ""), None);
    }

    #[test]
    fn what_no_table_has_is_shown_and_never_paid() {
        assert_eq!(of(Some(777), "", ""), Some(Payment(Pending, Unknown)));
        assert_eq!(of(Some(777), "REJECTED", ""), Some(Payment(Refused, Unknown)));
        assert_eq!(of(None, "TELEPORTED", ""), Some(Payment(Pending, Unknown)));
    }

    #[test]
    fn few_codes_are_money() {
        let money = |wanted| {
            let codes = NUMBERS.iter().filter(move |(_, meaning, _)| match meaning {
                Payment(state, _) => *state == wanted,
                Refund(..) | Chargeback(_) => false,
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
