//! Result codes. Monext states a result twice: as a code of five digits, and as one of seven words (`shortMessage`). A
//! code of the table means what the table says, any other what its word says; if code and word disagree about money,
//! nothing counts as paid.

use super::excerpt;

/// What a result means for the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Accepted.
    Paid,
    /// Accepted, but the fraud module warns.
    PaidAtRisk,
    /// Not decided yet.
    Pending,
    /// Refused.
    Refused,
    /// An error that ends the payment.
    Failed,
    /// The buyer gave up, or let the session pass.
    Abandoned,
    /// Taken back by the platform or the merchant.
    Cancelled,
    /// A repetition of a payment that is told elsewhere.
    Duplicate,
    /// About an operation or a check: says nothing about money coming in.
    NotAPayment,
    /// Code and word disagree about money.
    Contradiction,
    /// Monext does not know what it is asked about.
    UnknownSubject,
    /// It does not know the token here: another of its platforms may.
    KnownElsewhere,
    /// The search found nothing.
    NoneFound,
    /// The search found too much, or spans too long a time.
    TooMuch,
    /// The question is put wrongly.
    BadRequest,
    /// Their servers, or their partners', are in trouble: worth asking again.
    Trouble,
    /// Credentials, rights or a contract are wrong.
    Setting,
}

use Class::{
    Abandoned, BadRequest, Cancelled, Contradiction, Duplicate, Failed, KnownElsewhere, NoneFound,
    NotAPayment, Paid, PaidAtRisk, Pending, Refused, Setting, TooMuch, Trouble, UnknownSubject,
};
use cvco_domain::StatusReading;

/// First and last code, class, meaning. The first line that fits counts.
const TABLE: &[(u32, u32, Class, &str)] = &[
    (0, 0, Paid, "approved"),
    (1101, 1101, Refused, "refused: the card has expired"),
    (1109, 1109, Failed, "an error: the merchant is not valid"),
    (1110, 1110, Failed, "an error: the amount is not valid"),
    (1116, 1116, Refused, "refused: over the limit of the amount"),
    (1121, 1121, Refused, "refused: over the limit of the debits"),
    (1131, 1131, Refused, "refused: strong authentication required"),
    (1100, 1133, Refused, "refused by the bank"),
    (1180, 1182, Failed, "an error of bank, currency or configuration"),
    (1185, 1185, Failed, "an error of bank, currency or configuration"),
    (1196, 1199, Trouble, "the bank cannot be reached"),
    (1202, 1202, Refused, "refused: fraud suspected"),
    (1208, 1208, Refused, "refused: the card is lost"),
    (1209, 1209, Refused, "refused: the card is stolen"),
    (1200, 1209, Refused, "refused by the bank"),
    (1913, 1913, Duplicate, "this transaction exists already"),
    (1902, 1917, Failed, "an error: not valid, not found, or not to be changed"),
    (1940, 1943, Failed, "an error: the bank's server"),
    (2000, 2000, Pending, "in progress"),
    (2001, 2002, Duplicate, "a repetition of a transaction"),
    (2003, 2003, Refused, "the issuer could not be reached"),
    (2004, 2004, Cancelled, "cancelled: the issuer could not be reached"),
    (2005, 2006, Pending, "in progress"),
    (2008, 2008, Abandoned, "cancelled by the buyer"),
    (2009, 2009, Cancelled, "to be reversed"),
    (2010, 2013, Failed, "an error of the partner"),
    (2014, 2014, Cancelled, "cancelled by the merchant"),
    (2015, 2017, Pending, "held by the partner"),
    (2020, 2020, Refused, "refused by the partner"),
    (2101, 2106, Trouble, "an internal error, or one of the acquirer"),
    (2110, 2110, Failed, "an error: the amount is not valid"),
    (2301, 2302, UnknownSubject, "the transaction is not known"),
    (2303, 2303, Setting, "the contract number is not known"),
    (2304, 2304, Abandoned, "the session ended without a payment"),
    (2305, 2305, BadRequest, "a field has a wrong format"),
    (2306, 2306, Pending, "the buyer is at the payment page"),
    (2310, 2310, NoneFound, "no transaction found"),
    (2311, 2311, TooMuch, "too many transactions found"),
    (2312, 2312, BadRequest, "the search criteria are not valid"),
    (2313, 2313, NotAPayment, "cannot be captured"),
    (2314, 2314, NotAPayment, "cannot be refunded"),
    (2317, 2317, UnknownSubject, "the token does not exist"),
    (2318, 2318, KnownElsewhere, "the token is not known here"),
    (2319, 2319, Abandoned, "cancelled by the buyer"),
    (2320, 2320, TooMuch, "the time searched is too long"),
    (2324, 2324, Abandoned, "the session expired before the buyer had finished"),
    (2500, 2501, Paid, "approved"),
    (2533, 2533, Pending, "the buyer has not reached the payment page yet"),
    (2534, 2534, Abandoned, "the session expired before the buyer reached the payment page"),
    (2600, 2604, NotAPayment, "cannot be reset"),
    (2612, 2613, NotAPayment, "cannot be captured or refunded: the amount"),
    (2617, 2618, NotAPayment, "cannot be captured or refunded: the state"),
    (3000, 3000, NotAPayment, "the buyer is authenticated"),
    (3030, 3030, Pending, "the authentication has not ended"),
    (3001, 3099, Refused, "the authentication failed"),
    (4000, 4000, Paid, "accepted by the fraud module"),
    (4001, 4001, PaidAtRisk, "accepted, but the fraud module warns"),
    (4002, 4002, Refused, "refused: fraud"),
    (4003, 4003, PaidAtRisk, "fraud suspected, but the payment is approved"),
    (4901, 4901, Trouble, "a system error"),
    (4902, 4902, Setting, "not authorised"),
    (9100, 9299, Setting, "credentials or rights"),
    (34230, 34230, Paid, "approved"),
    (34330, 34330, Paid, "approved"),
];

/// `shortMessage`, where it is one of the documented words. Older answers have free text there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Accepted,
    Refused,
    Cancelled,
    Error,
    PendingRisk,
    Undecided,
}

impl Word {
    fn of(text: &str) -> Option<Self> {
        match text {
            "ACCEPTED" => Some(Self::Accepted),
            "REFUSED" => Some(Self::Refused),
            "CANCELLED" => Some(Self::Cancelled),
            "ERROR" => Some(Self::Error),
            "PENDING_RISK" => Some(Self::PendingRisk),
            "ONHOLD_PARTNER" | "ON_HOLD_PARTNER" | "INPROGRESS" => Some(Self::Undecided),
            _ => None,
        }
    }

    /// The class of a code that the table does not have. `PENDING_RISK` is documented as provisional.
    const fn class(self) -> Class {
        match self {
            Self::Accepted => Paid,
            Self::Refused => Refused,
            Self::Cancelled => Cancelled,
            Self::Error => Failed,
            Self::PendingRisk | Self::Undecided => Pending,
        }
    }
}

/// A result, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) class: Class,
    /// For the ledger: the code, and the word where the two disagree.
    pub(super) code: String,
    /// Whether the table has the code, and whether a person should look at it.
    pub(super) reading: StatusReading,
}

/// Judges a result. `None`: neither code nor word says anything.
pub(super) fn judge(code: &str, short_message: Option<&str>) -> Option<Verdict> {
    let word = short_message.and_then(Word::of);
    let shown = excerpt(code, 10);
    let Some((listed, _)) = look_up(code) else {
        return Some(Verdict { class: word?.class(), code: shown, reading: StatusReading::Unknown });
    };
    let class = reconcile(listed, word);
    let code = if class == Contradiction {
        format!("{shown}/{}", excerpt(short_message.unwrap_or_default(), 20))
    } else {
        shown
    };
    let odd = matches!(class, Contradiction | PaidAtRisk);
    let reading = if odd { StatusReading::Attention } else { StatusReading::Known };
    Some(Verdict { class, code, reading })
}

/// The class of a code of the table beside its word.
const fn reconcile(listed: Class, word: Option<Word>) -> Class {
    let Some(word) = word else { return listed };
    match (listed, word) {
        (Paid | PaidAtRisk, Word::PendingRisk) => PaidAtRisk,
        (Paid | PaidAtRisk, Word::Refused | Word::Cancelled | Word::Error | Word::Undecided)
        | (Refused | Failed | Abandoned | Cancelled | Duplicate | NotAPayment | Pending, Word::Accepted)
        | (Refused | Failed | Abandoned | Cancelled | Duplicate | NotAPayment, Word::PendingRisk) => {
            Contradiction
        }
        _ => listed,
    }
}

fn look_up(code: &str) -> Option<(Class, &'static str)> {
    if code.len() != 5 || !code.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: u32 = code.parse().ok()?;
    let line = TABLE.iter().find(|(first, last, ..)| (*first..=*last).contains(&number))?;
    Some((line.2, line.3))
}

/// What a status code of this adapter's events (`02020`, `REFUND/OK`) means, in English, for the story of a record.
#[must_use]
pub fn meaning(code: &str) -> Option<String> {
    match code {
        "REFUND/OK" => return Some("refunded".to_owned()),
        "CREDIT/OK" => return Some("credited".to_owned()),
        "RESET/OK" => return Some("cancelled before its settlement".to_owned()),
        "CAPTURE/OK" => return Some("captured".to_owned()),
        _ => {}
    }
    match code.split_once('/') {
        Some((code, word)) => look_up(code).map(|(_, meaning)| format!("{meaning}, yet {word}")),
        None => look_up(code).map(|(_, meaning)| meaning.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn class(code: &str, word: &str) -> Option<Class> {
        judge(code, Some(word).filter(|word| !word.is_empty())).map(|verdict| verdict.class)
    }

    #[test]
    fn codes_of_the_table_mean_what_it_says() {
        for (code, word, expected) in [
            ("00000", "ACCEPTED", Paid),
            ("00000", "Transaction approved", Paid),
            ("00000", "", Paid),
            ("01100", "REFUSED", Refused),
            ("01109", "ERROR", Failed),
            ("01133", "REFUSED", Refused),
            ("01180", "ERROR", Failed),
            ("01196", "ERROR", Trouble),
            ("01209", "REFUSED", Refused),
            ("01913", "ERROR", Duplicate),
            ("01914", "ERROR", Failed),
            ("01940", "ERROR", Failed),
            ("02000", "ONHOLD_PARTNER", Pending),
            ("02005", "ONHOLD_PARTNER", Pending),
            ("02006", "ONHOLD_PARTNER", Pending),
            ("02015", "REFUSED", Pending),
            ("02016", "ONHOLD_PARTNER", Pending),
            ("02001", "ERROR", Duplicate),
            ("02003", "REFUSED", Refused),
            ("02004", "CANCELLED", Cancelled),
            ("02008", "CANCELLED", Abandoned),
            ("02010", "ERROR", Failed),
            ("02014", "CANCELLED", Cancelled),
            ("02020", "REFUSED", Refused),
            ("02101", "ERROR", Trouble),
            ("02106", "ERROR", Trouble),
            ("02110", "ERROR", Failed),
            ("02301", "ERROR", UnknownSubject),
            ("02303", "ERROR", Setting),
            ("02304", "ERROR", Abandoned),
            ("02305", "ERROR", BadRequest),
            ("02306", "INPROGRESS", Pending),
            ("02310", "ERROR", NoneFound),
            ("02311", "ERROR", TooMuch),
            ("02320", "ERROR", TooMuch),
            ("02314", "ERROR", NotAPayment),
            ("02317", "ERROR", UnknownSubject),
            ("02318", "ERROR", KnownElsewhere),
            ("02319", "CANCELLED", Abandoned),
            ("02324", "CANCELLED", Abandoned),
            ("02500", "ACCEPTED", Paid),
            ("02533", "INPROGRESS", Pending),
            ("02534", "", Abandoned),
            ("02601", "ERROR", NotAPayment),
            ("02613", "ERROR", NotAPayment),
            ("03022", "CANCELLED", Refused),
            ("04000", "ACCEPTED", Paid),
            ("04001", "PENDING_RISK", PaidAtRisk),
            ("04002", "REFUSED", Refused),
            ("04003", "PENDING_RISK", PaidAtRisk),
            ("04901", "ERROR", Trouble),
            ("04902", "ERROR", Setting),
            ("09101", "ERROR", Setting),
            ("09201", "ERROR", Setting),
            ("34330", "ACCEPTED", Paid),
        ] {
            assert_eq!(class(code, word), Some(expected), "{code} {word}");
            assert!(meaning(code).is_some(), "{code}");
        }
    }

    #[test]
    fn codes_outside_the_table_follow_their_word_and_are_shown_to_a_person() {
        for (code, word, expected) in [
            ("02400", "ACCEPTED", Some(Paid)),
            ("55555", "REFUSED", Some(Refused)),
            ("55555", "CANCELLED", Some(Cancelled)),
            ("55555", "ERROR", Some(Failed)),
            ("55555", "INPROGRESS", Some(Pending)),
            ("55555", "PENDING_RISK", Some(Pending)),
            ("XXXXX", "ERROR", Some(Failed)),
            ("0", "ACCEPTED", Some(Paid)),
            ("55555", "Opération refusée", None),
            ("", "", None),
        ] {
            assert_eq!(class(code, word), expected, "{code} {word}");
            let reading = judge(code, Some(word)).map(|verdict| verdict.reading);
            assert_eq!(reading, expected.map(|_| StatusReading::Unknown), "{code} {word}");
        }
    }

    #[test]
    fn code_and_word_that_disagree_about_money_decide_nothing() {
        for (code, word) in [
            ("00000", "REFUSED"),
            ("00000", "INPROGRESS"),
            ("04003", "ERROR"),
            ("01100", "ACCEPTED"),
            ("02306", "ACCEPTED"),
            ("02319", "ACCEPTED"),
            ("03000", "ACCEPTED"),
            ("02020", "PENDING_RISK"),
        ] {
            let verdict = judge(code, Some(word)).expect("judged");
            assert_eq!(verdict.class, Contradiction, "{code} {word}");
            assert_eq!(verdict.code, format!("{code}/{word}"));
            assert_eq!(verdict.reading, StatusReading::Attention);
        }
        assert_eq!(class("00000", "PENDING_RISK"), Some(PaidAtRisk));
        assert_eq!(class("02005", "PENDING_RISK"), Some(Pending));
    }

    #[test]
    fn a_status_code_explains_itself() {
        assert_eq!(meaning("02020").as_deref(), Some("refused by the partner"));
        assert_eq!(meaning("00000/REFUSED").as_deref(), Some("approved, yet REFUSED"));
        assert_eq!(meaning("REFUND/OK").as_deref(), Some("refunded"));
        assert_eq!(meaning("55555"), None);
    }

    proptest! {
        #[test]
        fn only_accepting_words_make_money_of_codes_outside_the_table(code in "[0-9A-Z]{0,6}", word in "[A-Z_]{0,15}") {
            let paid = matches!(class(&code, &word), Some(Paid | PaidAtRisk));
            let listed = matches!(look_up(&code), Some((Paid | PaidAtRisk, _)));
            prop_assert!(!paid || listed || word == "ACCEPTED");
        }
    }
}
