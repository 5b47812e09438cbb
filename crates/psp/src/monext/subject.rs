//! What Monext can be asked about: sessions, transactions, spans of time.

use std::fmt;
use std::time::Duration;

use cvco_domain::{Asking, Contract, IdError, IdRule, Question, Subject, Timestamp, Topic};

/// The token of a payment session: AN50. Those in public are 33 letters and digits, the last 13 of them the
/// milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token(String);

impl Token {
    /// Makes one from a valid text.
    pub(super) fn new(text: &str) -> Result<Self, IdError> {
        if (1..=50).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError::new("token", IdRule::LettersAndDigits(50)))
        }
    }

    /// A token, if the text has the very form of one. A transaction's identifier can be letters and digits as well,
    /// but is shorter and does not end like this.
    pub(super) fn recognise(text: &str) -> Option<Self> {
        const DIGITS_OF_A_TIME: usize = 13;
        let token = Self::new(text).ok()?;
        let digits = text.bytes().rev().take_while(u8::is_ascii_digit).count();
        (text.len() >= 30 && text.len() > digits && digits >= DIGITS_OF_A_TIME).then_some(token)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn question(&self, asking: Asking) -> Result<Question, IdError> {
        Ok(Question { topic: Topic::Session, subject: Subject::new(&*self.0)?, asking })
    }
}

/// The identifier of a transaction: AN50. Those in public are digits, or letters and digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TransactionId(String);

impl TransactionId {
    /// Makes one from a valid text.
    pub(super) fn new(text: &str) -> Result<Self, IdError> {
        let sound = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if (1..=50).contains(&text.len()) && text.bytes().all(sound) {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError::new("transaction id", IdRule::Slug(50)))
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn question(&self, asking: Asking) -> Result<Question, IdError> {
        Ok(Question { topic: Topic::Transaction, subject: Subject::new(&*self.0)?, asking })
    }
}

/// A span of time to search, whole minutes, perhaps of one contract alone. Its text is
/// `2026-03-01T10:00/2026-03-01T12:00/CONTRACT`, in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    from: Timestamp,
    until: Timestamp,
    pub(super) contract: Option<Contract>,
}

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

impl Window {
    /// The span, widened to whole minutes; none if it is empty.
    pub(super) fn new(from: Timestamp, until: Timestamp, contract: Option<Contract>) -> Option<Self> {
        let (from, end) = (floor(from), floor(until));
        let until = if end == until { end } else { end.after(MINUTE) };
        (from < until).then_some(Self { from, until, contract })
    }

    /// Reads the text of a window.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '/');
        let mut instant = || Timestamp::parse(&format!("{}:00Z", parts.next()?)).ok();
        let (from, until) = (instant()?, instant()?);
        let contract = parts.next().map(Contract::new).transpose().ok()?;
        Self::new(from, until, contract)
    }

    pub(super) fn question(&self) -> Result<Question, IdError> {
        Ok(Question { topic: Topic::Window, subject: Subject::new(self.to_string())?, asking: Asking::Once })
    }

    /// The two halves; none if it is a minute long.
    pub(super) fn halves(&self) -> Option<[Self; 2]> {
        let middle = floor(self.from.after(self.until.since(self.from) / 2));
        let half = |from, until| Self::new(from, until, self.contract.clone());
        Some([half(self.from, middle)?, half(middle, self.until)?])
    }

    /// Where the search begins, as Monext writes it: `dd/MM/yyyy HH:mm`, the time in Paris.
    pub(super) fn start_date(&self) -> String {
        if is_repeated(self.from) { full_hour(self.from.paris_text()) } else { self.from.paris_text() }
    }

    /// Where it ends. In the hour that autumn repeats, clock times say too little: then the search spans all of it.
    pub(super) fn end_date(&self) -> String {
        if !is_repeated(self.until) {
            return self.until.paris_text();
        }
        let second_time = self.until.before(HOUR).paris_text() == self.until.paris_text();
        let later = if second_time { HOUR } else { HOUR * 2 };
        full_hour(self.until.after(later).paris_text())
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minute = |at: Timestamp| at.to_string().chars().take(16).collect::<String>();
        write!(f, "{}/{}", minute(self.from), minute(self.until))?;
        self.contract.as_ref().map_or(Ok(()), |contract| write!(f, "/{contract}"))
    }
}

fn floor(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.millis() - at.millis() % 60_000)
}

/// Whether a clock in Paris shows the time of this instant twice.
fn is_repeated(at: Timestamp) -> bool {
    let text = at.paris_text();
    at.before(HOUR).paris_text() == text || at.after(HOUR).paris_text() == text
}

/// `25/10/2026 02:35` → `25/10/2026 02:00`.
fn full_hour(text: String) -> String {
    text.rsplit_once(':').map(|(hour, _)| format!("{hour}:00")).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn window(text: &str) -> Window {
        Window::parse(text).expect("a window")
    }

    #[test]
    fn a_window_is_its_text() {
        let text = "2026-03-01T10:00/2026-03-01T12:00/CVCO/1";
        assert_eq!(window(text).contract.as_ref().map(Contract::as_str), Some("CVCO/1"));
        assert_eq!(window(text).to_string(), text);
        let whole = "2026-03-01T10:00/2026-03-01T12:00";
        assert_eq!(window(whole).to_string(), whole);
        for wrong in [
            "",
            "/",
            "2026-03-01T10:00",
            "2026-03-01T10:00/2026-03-01T10:00",
            "x/y",
            "2026-03-01T10:00/2026-03-01T12:00/",
        ] {
            assert_eq!(Window::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn dates_are_those_of_paris() {
        let winter = window("2026-03-01T10:00/2026-03-01T12:00");
        assert_eq!((&*winter.start_date(), &*winter.end_date()), ("01/03/2026 11:00", "01/03/2026 13:00"));
    }

    #[test]
    fn the_hour_that_autumn_repeats_is_searched_as_a_whole() {
        // 02:50 in summer time to 02:10 in winter time.
        let night = window("2026-10-25T00:50/2026-10-25T01:10");
        assert_eq!((&*night.start_date(), &*night.end_date()), ("25/10/2026 02:00", "25/10/2026 03:00"));
        let before = window("2026-10-24T23:50/2026-10-25T00:10");
        assert_eq!((&*before.start_date(), &*before.end_date()), ("25/10/2026 01:50", "25/10/2026 03:00"));
        let after = window("2026-10-25T01:10/2026-10-25T02:10");
        assert_eq!((&*after.start_date(), &*after.end_date()), ("25/10/2026 02:00", "25/10/2026 03:10"));
    }

    #[test]
    fn tokens_are_told_from_transactions_by_their_form() {
        for token in [
            "16RjWdtpDkFVfZkGV4031701964772640",
            "1IdSqIykTRKrbU2796151573656127505",
            "1t5Nkg8QucOkzGp219111756801475229",
        ] {
            assert!(Token::recognise(token).is_some(), "{token}");
        }
        for transaction in [
            "24342100000002",
            "PV4280223147576302",
            "PV40712888923932479707",
            "123456789012345678901234567890123",
        ] {
            assert_eq!(Token::recognise(transaction), None, "{transaction}");
        }
        for wrong in ["", "a b", "a-b", "é", &"x".repeat(51)] {
            assert!(Token::new(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn two_halves_are_the_window(from in 0_i64..4_000_000_000_000, span in 1_i64..100_000_000_000) {
            let (start, end) = (Timestamp::from_millis(from), Timestamp::from_millis(from + span));
            let whole = Window::new(start, end, None).expect("not empty");
            prop_assert!(whole.from <= start && whole.until >= end);
            prop_assert_eq!(Window::parse(&whole.to_string()), Some(whole.clone()));
            if let Some([first, second]) = whole.halves() {
                prop_assert_eq!((first.from, first.until), (whole.from, second.from));
                prop_assert_eq!(second.until, whole.until);
            } else {
                prop_assert_eq!(whole.until.since(whole.from), MINUTE);
            }
        }

        #[test]
        fn nothing_makes_it_panic(text in "\\PC{0,60}") {
            let _any = (Window::parse(&text), Token::recognise(&text), TransactionId::new(&text).is_ok());
        }
    }
}
