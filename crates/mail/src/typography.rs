//! How text, amounts and instants are set in each language.

use cvco_domain::{Cents, Currency, Day, Timestamp};

use super::catalogue::Language;

/// Keeps a line from breaking at it. The plain one: Outlook has no glyph for the narrow one in every font.
pub(super) const NO_BREAK_SPACE: char = '\u{a0}';

/// Sets a text typed with plain spaces and straight apostrophes as print would.
pub(super) fn typeset(language: Language, text: &str) -> String {
    let text = text.replace('\'', "’");
    match language {
        Language::English => text,
        Language::French => [" :", " ;", " ?", " !", " »", "« ", "n° "].iter().fold(text, |text, typed| {
            let set = typed.replace(' ', &NO_BREAK_SPACE.to_string());
            text.replace(typed, &set)
        }),
    }
}

/// An amount: `1 234,56 €` in French, `€1,234.56` in English; other currencies by their code.
#[must_use]
pub fn amount(language: Language, cents: Cents, currency: Currency) -> String {
    let sign = if cents < Cents::ZERO { "-" } else { "" };
    format!("{sign}{}", unsigned(language, cents, currency))
}

/// A difference: like an amount, but a surplus carries its sign too.
pub(super) fn difference(language: Language, cents: Cents, currency: Currency) -> String {
    let sign = if cents.is_positive() { "+" } else { "" };
    format!("{sign}{}", amount(language, cents, currency))
}

fn unsigned(language: Language, cents: Cents, currency: Currency) -> String {
    let cents = cents.get().unsigned_abs();
    let (units, rest) = (cents / 100, cents % 100);
    let code = currency.as_str();
    // A numeric ISO 4217 code would read as one more group of digits.
    let code = if code.bytes().all(|b| b.is_ascii_digit()) { format!("({code})") } else { code.to_owned() };
    match language {
        Language::French => {
            let unit = if currency == Currency::EUR { "€" } else { &code };
            format!("{},{rest:02}{NO_BREAK_SPACE}{unit}", grouped(units, NO_BREAK_SPACE))
        }
        Language::English if currency == Currency::EUR => format!("€{}.{rest:02}", grouped(units, ',')),
        Language::English => format!("{code}{NO_BREAK_SPACE}{}.{rest:02}", grouped(units, ',')),
    }
}

fn grouped(number: u64, separator: char) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

/// Date and time in Paris: `01/03/2026 14:05` in French; in English with the date as ISO 8601 has it, since
/// `01/03` is January to half of its readers.
pub(super) fn paris(language: Language, at: Timestamp) -> String {
    let text = at.paris_text();
    match language {
        Language::French => text,
        Language::English => {
            let time = text.split_once(' ').map_or("", |(_, time)| time);
            format!("{} {time}", at.paris_day())
        }
    }
}

/// A day: `31/03/2026` in French, as ISO 8601 has it in English.
#[must_use]
pub fn day(language: Language, day: Day) -> String {
    match language {
        Language::French => {
            let (year, month, day) = day.parts();
            format!("{day:02}/{month:02}/{year}")
        }
        Language::English => day.to_string(),
    }
}

/// Text from outside, on one line: nothing in it can start a header or forge a line of the mail.
#[must_use]
pub fn one_line(text: &str) -> String {
    let blank = |c: char| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c };
    text.chars().map(blank).collect()
}

/// Text cut to so many characters, with an ellipsis where something is missing.
pub(super) fn shortened(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(max.saturating_sub(1)).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn french_keeps_its_punctuation_from_breaking() {
        assert_eq!(
            typeset(Language::French, "l'écart n° 3 : « oui » ?"),
            "l’écart n°\u{a0}3\u{a0}: «\u{a0}oui\u{a0}»\u{a0}?"
        );
        assert_eq!(typeset(Language::English, "the shop's: yes?"), "the shop’s: yes?");
    }

    #[test]
    fn amounts_follow_the_language() {
        let usd = Currency::parse("USD").expect("valid");
        let number = Currency::parse("000").expect("valid");
        for (cents, currency, french, english) in [
            (0, Currency::EUR, "0,00 €", "€0.00"),
            (1000, Currency::EUR, "10,00 €", "€10.00"),
            (123_456, Currency::EUR, "1 234,56 €", "€1,234.56"),
            (123_456_789, Currency::EUR, "1 234 567,89 €", "€1,234,567.89"),
            (-123_405, Currency::EUR, "-1 234,05 €", "-€1,234.05"),
            (123_456, usd, "1 234,56 USD", "USD 1,234.56"),
            (99, number, "0,99 (000)", "(000) 0.99"),
        ] {
            let set = |language| amount(language, Cents::new(cents), currency).replace('\u{a0}', " ");
            assert_eq!(set(Language::French), french);
            assert_eq!(set(Language::English), english);
        }
        assert!(
            !amount(Language::French, Cents::new(123_456), Currency::EUR).contains(' '),
            "must not break"
        );
    }

    #[test]
    fn a_difference_carries_its_sign() {
        let set = |cents| difference(Language::English, Cents::new(cents), Currency::EUR);
        assert_eq!([set(-500), set(0), set(500)], ["-€5.00", "€0.00", "+€5.00"]);
    }

    #[test]
    fn instants_are_those_of_paris() {
        let at = Timestamp::parse("2026-07-01T22:30:00Z").expect("valid");
        assert_eq!(paris(Language::French, at), "02/07/2026 00:30");
        assert_eq!(paris(Language::English, at), "2026-07-02 00:30");
    }

    #[test]
    fn a_long_text_says_that_it_goes_on() {
        assert_eq!(shortened("été", 3), "été");
        assert_eq!(shortened("étés", 3), "ét…");
    }
}
