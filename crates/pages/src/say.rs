//! How a page says things in the language of its reader: words, amounts, dates.

use std::fmt;
use std::time::Duration;

use cvco_domain::{Cents, Currency, Day, DiscrepancyId, Period, Psp, RecordState, Seq, Severity, Timestamp};
use cvco_ledger::{PaymentSort, RelayState, Whether};
use cvco_mail::{Language, lists};

/// Between the digits of thousands, in French.
const THIN: char = '\u{202f}';
/// Before a unit.
const NO_BREAK: char = '\u{a0}';
const MINUS: char = '\u{2212}';

/// A small value as a template hands it over: itself, or a reference to it.
pub trait Lent<T> {
    /// The value.
    fn lent(self) -> T;
}

macro_rules! lent {
    ($($name:ty),*) => {$(
        impl Lent<Self> for $name {
            fn lent(self) -> Self {
                self
            }
        }
        impl Lent<$name> for &$name {
            fn lent(self) -> $name {
                *self
            }
        }
        impl Lent<$name> for &&$name {
            fn lent(self) -> $name {
                **self
            }
        }
    )*};
}

lent!(
    Cents,
    Currency,
    Day,
    Timestamp,
    i64,
    bool,
    Psp,
    Severity,
    RecordState,
    RelayState,
    Whether,
    PaymentSort,
    Say,
    DiscrepancyId,
    Seq,
    Period
);

/// Says things in a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Say(pub Language);

impl Say {
    /// The one of two texts that is in its language, set as print would.
    #[must_use]
    pub fn say(self, french: &str, english: &str) -> String {
        match self.0 {
            Language::French => set_french(french),
            Language::English => english.replace('\'', "’"),
        }
    }

    /// The value of `lang`.
    #[must_use]
    pub const fn lang(self) -> &'static str {
        self.0.as_str()
    }

    /// An amount with its currency: `1 234,56 €`, `€1,234.56`.
    #[must_use]
    pub fn money(self, cents: impl Lent<Cents>, currency: impl Lent<Currency>) -> String {
        let currency = currency.lent();
        let figure = self.figure(cents);
        let code = currency.as_str();
        match self.0 {
            Language::French if currency == Currency::EUR => format!("{figure}{NO_BREAK}€"),
            Language::French => format!("{figure}{NO_BREAK}{code}"),
            Language::English if currency == Currency::EUR => match figure.strip_prefix(MINUS) {
                Some(figure) => format!("{MINUS}€{figure}"),
                None => format!("€{figure}"),
            },
            Language::English => format!("{code}{NO_BREAK}{figure}"),
        }
    }

    /// An amount in euros.
    #[must_use]
    pub fn euros(self, cents: impl Lent<Cents>) -> String {
        self.money(cents, Currency::EUR)
    }

    /// An amount whose currency stands elsewhere.
    #[must_use]
    pub fn figure(self, cents: impl Lent<Cents>) -> String {
        let cents = cents.lent();
        let sign = if cents < Cents::ZERO { MINUS.to_string() } else { String::new() };
        let cents = cents.get().unsigned_abs();
        let point = if self.0 == Language::French { ',' } else { '.' };
        format!("{sign}{}{point}{:02}", self.grouped(cents / 100), cents % 100)
    }

    /// An amount, or a dash where it is not known.
    #[must_use]
    pub fn figure_or_dash(self, cents: Option<Cents>) -> String {
        cents.map_or_else(|| "—".to_owned(), |cents| self.figure(cents))
    }

    /// A difference: with its sign in both directions, and nothing for nothing.
    #[must_use]
    pub fn difference(self, cents: impl Lent<Cents>) -> String {
        let cents = cents.lent();
        if cents.is_positive() { format!("+{}", self.figure(cents)) } else { self.figure(cents) }
    }

    /// A whole number.
    #[must_use]
    pub fn number(self, number: impl Lent<i64>) -> String {
        let number = number.lent();
        let sign = if number < 0 { MINUS.to_string() } else { String::new() };
        format!("{sign}{}", self.grouped(number.unsigned_abs()))
    }

    fn grouped(self, number: u64) -> String {
        let separator = if self.0 == Language::French { THIN } else { ',' };
        let digits = number.to_string();
        let mut text = String::with_capacity(digits.len().saturating_mul(2));
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && digits.len().saturating_sub(place).is_multiple_of(3) {
                text.push(separator);
            }
            text.push(digit);
        }
        text
    }

    /// How many of something.
    #[must_use]
    pub fn count(
        self,
        number: impl Lent<i64>,
        french: &str,
        frenches: &str,
        english: &str,
        englishes: &str,
    ) -> String {
        let number = number.lent();
        let noun = match self.0 {
            Language::French if number.unsigned_abs() < 2 => french,
            Language::French => frenches,
            Language::English if number == 1 => english,
            Language::English => englishes,
        };
        format!("{}{NO_BREAK}{noun}", self.number(number))
    }

    /// A date: `31/03/2026`, `2026-03-31`.
    #[must_use]
    pub fn day(self, day: impl Lent<Day>) -> String {
        lists::day(self.0, day.lent())
    }

    /// A date without its year.
    #[must_use]
    pub fn short_day(self, day: impl Lent<Day>) -> String {
        let day = day.lent();
        let (_, month, day) = day.parts();
        match self.0 {
            Language::French => format!("{day:02}/{month:02}"),
            Language::English => format!("{month:02}-{day:02}"),
        }
    }

    /// An instant, as a clock in Paris shows it; its title says it in UTC.
    #[must_use]
    pub fn moment(self, at: impl Lent<Timestamp>) -> Moment {
        Moment { say: self, at: at.lent() }
    }

    /// The same without HTML.
    #[must_use]
    pub fn paris(self, at: impl Lent<Timestamp>) -> String {
        let at = at.lent();
        let (hour, minute, _) = at.paris_time();
        format!("{} {hour:02}:{minute:02}", self.day(at.paris_day()))
    }

    /// How long something takes, or has lasted; in its two largest units.
    #[must_use]
    pub fn span(self, span: Duration) -> String {
        let seconds = span.as_secs();
        let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
        let day = if self.0 == Language::French { "j" } else { "d" };
        let n = NO_BREAK;
        match (days, hours, minutes) {
            (0, 0, 0) => format!("{seconds}{n}s"),
            (0, 0, minutes) => format!("{minutes}{n}min"),
            (0, hours, minutes) if hours < 10 => format!("{hours}{n}h{n}{:02}", minutes % 60),
            (0, hours, _) => format!("{hours}{n}h"),
            (days, hours, _) if days < 3 => format!("{days}{n}{day}{n}{}{n}h", hours % 24),
            (days, _, _) => format!("{days}{n}{day}"),
        }
    }
}

/// French punctuation does not break from its word, and an apostrophe is round.
fn set_french(text: &str) -> String {
    let text = text.replace('\'', "’");
    [" :", " ;", " ?", " !", " »", "« ", "n° "].iter().fold(text, |text, typed| {
        if text.contains(typed) { text.replace(typed, &typed.replace(' ', "\u{a0}")) } else { text }
    })
}

/// An instant on a page.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    say: Say,
    at: Timestamp,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let utc = self.at.to_string();
        let shown = utc.replace('T', " ").replace('Z', " UTC");
        write!(f, "<time datetime=\"{utc}\" title=\"{shown}\">{}</time>", self.say.paris(self.at))
    }
}

/// Made of digits and signs alone.
impl askama::filters::HtmlSafe for Moment {}

/// What a text typed by a person may be, beside a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Typed {
    /// An amount: `125,50`, `1 234.56 €`, `125`.
    pub amount: Option<Cents>,
    /// A date: `2026-03-01`, `01/03/2026`.
    pub day: Option<Day>,
}

/// Reads what a person typed.
#[must_use]
pub fn typed(text: &str) -> Typed {
    Typed { amount: amount(text), day: day(text) }
}

fn amount(text: &str) -> Option<Cents> {
    let kept: String =
        text.chars().filter(|c| !c.is_whitespace() && !matches!(*c, '€' | THIN | NO_BREAK)).collect();
    let (units, cents) = match kept.rsplit_once([',', '.']) {
        Some((units, cents)) if cents.len() == 2 => (units, cents),
        Some((units, cents)) if cents.len() == 1 => return tenths(units, cents),
        Some(_) => return None,
        None => (kept.as_str(), "00"),
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (is_digits(units) && is_digits(cents)).then(|| Cents::parse(&format!("{units}{cents}")).ok()).flatten()
}

fn tenths(units: &str, tenth: &str) -> Option<Cents> {
    amount(&format!("{units},{tenth}0"))
}

fn day(text: &str) -> Option<Day> {
    let text = text.trim();
    if let Ok(day) = text.parse() {
        return Some(day);
    }
    let mut parts = text.splitn(3, '/');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    Day::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FR: Say = Say(Language::French);
    const EN: Say = Say(Language::English);

    #[test]
    fn amounts_are_set_as_each_language_has_them() {
        let usd = Currency::parse("USD").expect("valid");
        for (cents, currency, french, english) in [
            (0, Currency::EUR, "0,00\u{a0}€", "€0.00"),
            (123_456_789, Currency::EUR, "1\u{202f}234\u{202f}567,89\u{a0}€", "€1,234,567.89"),
            (-5, Currency::EUR, "\u{2212}0,05\u{a0}€", "\u{2212}€0.05"),
            (123_456, usd, "1\u{202f}234,56\u{a0}USD", "USD\u{a0}1,234.56"),
        ] {
            let cents = Cents::new(cents);
            assert_eq!(
                (FR.money(cents, currency), EN.money(cents, currency)),
                (french.to_owned(), english.to_owned())
            );
        }
        assert_eq!(FR.figure_or_dash(None), "—");
        assert_eq!(
            [FR.difference(Cents::new(500)), FR.difference(Cents::new(-500))],
            ["+5,00", "\u{2212}5,00"]
        );
    }

    #[test]
    fn instants_are_those_of_paris_and_say_so_in_utc() {
        let at = Timestamp::parse("2026-07-01T22:30:00Z").expect("valid");
        assert_eq!(
            FR.moment(at).to_string(),
            "<time datetime=\"2026-07-01T22:30:00.000Z\" title=\"2026-07-01 22:30:00.000 UTC\">02/07/2026 00:30</time>"
        );
        assert_eq!(EN.paris(at), "2026-07-02 00:30");
    }

    #[test]
    fn a_span_is_told_in_what_matters_of_it() {
        let span = |seconds| FR.span(Duration::from_secs(seconds)).replace(NO_BREAK, " ");
        assert_eq!(
            [span(5), span(125), span(3 * 3600 + 60), span(11 * 3600)],
            ["5 s", "2 min", "3 h 01", "11 h"]
        );
        assert_eq!([span(86_400 + 7200), span(10 * 86_400)], ["1 j 2 h", "10 j"]);
    }

    #[test]
    fn french_is_set_as_print_would() {
        assert_eq!(FR.say("l'écart : « oui » ?", ""), "l’écart\u{a0}: «\u{a0}oui\u{a0}»\u{a0}?");
    }

    #[test]
    fn what_a_person_types_is_read_as_an_amount_or_a_date() {
        for (text, cents) in [
            ("125,50", 12550),
            ("125.5", 12550),
            ("1\u{202f}234,56\u{a0}€", 123_456),
            ("1 234.56 €", 123_456),
            ("80", 8000),
        ] {
            assert_eq!(typed(text).amount, Some(Cents::new(cents)), "{text}");
        }
        for text in ["CMD-1", "1,234", "-5", "", "12345678901234"] {
            assert_eq!(typed(text).amount, None, "{text}");
        }
        let first = Day::new(2026, 3, 1);
        assert_eq!(
            [typed("2026-03-01").day, typed(" 01/03/2026 ").day, typed("32/03/2026").day],
            [first, first, None]
        );
    }
}
