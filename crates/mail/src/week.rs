//! The mail that sums up a week: what came in each day, as bars that every mail reader can show; what was found, and what is
//! still open.

use askama::Template;
use cvco_domain::{Cents, Currency, Day};

use super::RenderError;
use super::catalogue::Language;
use super::render::RenderedMail;
use super::typography::{NO_BREAK_SPACE, amount, one_line, typeset};
use super::words;

/// The summary of a week, of one shop or several with the same readers.
#[derive(Debug, Clone)]
pub struct WeekLetter {
    /// The language of its readers.
    pub language: Language,
    /// The host of the daemon, for the footer.
    pub host: String,
    /// The first day.
    pub first: Day,
    /// The last day.
    pub last: Day,
    /// The shops.
    pub shops: Vec<ShopWeek>,
}

/// The week of a shop.
#[derive(Debug, Clone)]
pub struct ShopWeek {
    /// Its name, as its merchant calls it.
    pub name: String,
    /// What was accepted on each day.
    pub days: Vec<DayTakings>,
    /// How many payments in euros were accepted.
    pub payments: i64,
    /// What was accepted in other currencies, and is in none of the sums.
    pub others: Vec<InOtherCurrency>,
    /// What the merchant gave back.
    pub refunded: Cents,
    /// What cards' banks took back.
    pub taken_back: Cents,
    /// How many discrepancies were found.
    pub opened: i64,
    /// How many have closed.
    pub closed: i64,
    /// How many are open now.
    pub open: i64,
    /// What these come to, as far as they compare amounts in euros.
    pub open_amount: Cents,
    /// The oldest of them.
    pub oldest: Vec<i64>,
}

/// What was accepted in another currency than euros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InOtherCurrency {
    /// The currency.
    pub currency: Currency,
    /// How many payments.
    pub payments: i64,
    /// What they come to in it.
    pub accepted: Cents,
}

/// What was accepted on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayTakings {
    /// The day, in Paris.
    pub day: Day,
    /// Of vouchers.
    pub voucher: Cents,
    /// Of cards.
    pub card: Cents,
}

/// Writes the mail.
///
/// # Errors
/// None that depends on the letter: a template that cannot be formatted.
pub fn render(letter: &WeekLetter) -> Result<RenderedMail, RenderError> {
    let language = letter.language;
    let labels = labels(language);
    let (first, last) = (day(language, letter.first), day(language, letter.last));
    let span = match language {
        Language::French => format!("du {first} au {last}"),
        Language::English => format!("{first} to {last}"),
    };
    let title = format!("{} {span}", labels.title);
    let of = match letter.shops.as_slice() {
        [only] => format!("{}{} ", only.name, words::colon(language)),
        [] | [..] => String::new(),
    };
    let page = Page {
        lang: language.as_str(),
        labels,
        mail: words::labels(language),
        subject: one_line(&format!(
            "[CVCo] {of}{}",
            if of.is_empty() { title.clone() } else { lowered(&title) }
        )),
        title,
        host: one_line(&letter.host),
        shops: letter.shops.iter().map(|shop| ShopView::new(language, shop)).collect(),
    };
    let text = TextMail { page: &page }.render()?;
    let html = HtmlMail { page: &page }.render()?;
    Ok(RenderedMail { subject: page.subject, text, html, urgent: false })
}

fn lowered(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

#[derive(Template)]
#[template(path = "week.txt")]
struct TextMail<'a> {
    page: &'a Page,
}

#[derive(Template)]
#[template(path = "week.html")]
struct HtmlMail<'a> {
    page: &'a Page,
}

struct Page {
    lang: &'static str,
    labels: &'static Labels,
    mail: &'static words::Labels,
    subject: String,
    title: String,
    host: String,
    shops: Vec<ShopView>,
}

struct ShopView {
    name: String,
    bars: Vec<Bar>,
    sums: Vec<(&'static str, String)>,
    counts: Vec<(&'static str, String)>,
    open: String,
    is_open: bool,
}

/// A day as a bar: the widths of its two parts, in percent of the best day.
struct Bar {
    day: String,
    voucher: i64,
    card: i64,
    amount: String,
}

/// The width of the longest bar in plain text.
const WIDTH: i64 = 20;

impl Bar {
    fn rest(&self) -> i64 {
        100_i64.saturating_sub(self.voucher).saturating_sub(self.card)
    }

    /// In plain text: `████░░`.
    fn drawn(&self) -> String {
        let of = |percent: i64| usize::try_from((percent * WIDTH + 50) / 100).unwrap_or_default();
        let blocks = format!("{}{}", "█".repeat(of(self.voucher)), "░".repeat(of(self.card)));
        format!("{blocks:<20}")
    }
}

impl ShopView {
    fn new(language: Language, shop: &ShopWeek) -> Self {
        let labels = labels(language);
        let figure = |cents| amount(language, cents, Currency::EUR);
        let best = shop.days.iter().map(|day| day.voucher.plus(day.card).get()).max().unwrap_or(0).max(1);
        let percent = |cents: Cents| cents.get().max(0).saturating_mul(100).saturating_add(best / 2) / best;
        let bar = |takings: &DayTakings| {
            let voucher = percent(takings.voucher).min(100);
            Bar {
                day: weekday(language, takings.day),
                voucher,
                card: percent(takings.card).min(100 - voucher),
                amount: figure(takings.voucher.plus(takings.card)),
            }
        };
        let voucher: Cents = shop.days.iter().map(|day| day.voucher).sum();
        let card: Cents = shop.days.iter().map(|day| day.card).sum();
        let taken_back = shop.taken_back.is_positive().then(|| (labels.taken_back, figure(shop.taken_back)));
        Self {
            name: one_line(&shop.name),
            bars: shop.days.iter().map(bar).collect(),
            sums: [
                (labels.payments, shop.payments.to_string()),
                (labels.voucher, figure(voucher)),
                (labels.card, figure(card)),
                (labels.accepted, figure(voucher.plus(card))),
                (labels.refunded, figure(shop.refunded)),
            ]
            .into_iter()
            .chain(taken_back)
            .chain(shop.others.iter().map(|other| (labels.others, other_currency(language, other))))
            .collect(),
            counts: vec![(labels.opened, shop.opened.to_string()), (labels.closed, shop.closed.to_string())],
            open: open(language, shop),
            is_open: shop.open > 0,
        }
    }
}

/// `50,00 CHF (1 paiement)`.
fn other_currency(language: Language, other: &InOtherCurrency) -> String {
    let InOtherCurrency { currency, payments, accepted } = *other;
    let noun = match (language, payments) {
        (Language::French, ..2) => "paiement",
        (Language::French, _) => "paiements",
        (Language::English, 1) => "payment",
        (Language::English, _) => "payments",
    };
    format!("{} ({payments}{NO_BREAK_SPACE}{noun})", amount(language, accepted, currency))
}

fn open(language: Language, shop: &ShopWeek) -> String {
    let amount = match shop.open_amount {
        Cents::ZERO => String::new(),
        cents => format!(", {}", amount(language, cents, Currency::EUR)),
    };
    let oldest = match shop.oldest.as_slice() {
        [] => String::new(),
        ids => format!(" ({})", words::numbers(language, ids)),
    };
    let text = match (language, shop.open) {
        (Language::French, 0) => "Aucun écart ouvert : tout est en ordre.".to_owned(),
        (Language::French, 1) => format!("1 écart encore ouvert{amount}{oldest}"),
        (Language::French, n) => format!("{n} écarts encore ouverts{amount} ; les plus anciens{oldest}"),
        (Language::English, 0) => "No open discrepancy: all is well.".to_owned(),
        (Language::English, 1) => format!("1 discrepancy still open{amount}{oldest}"),
        (Language::English, n) => format!("{n} discrepancies still open{amount}; the oldest{oldest}"),
    };
    typeset(language, &text)
}

/// `02/03/2026` in French.
fn day(language: Language, day: Day) -> String {
    let text = day.to_string();
    match language {
        Language::French => text.rsplit('-').collect::<Vec<_>>().join("/"),
        Language::English => text,
    }
}

/// `lun. 02/03`.
fn weekday(language: Language, of: Day) -> String {
    const FRENCH: [&str; 7] = ["lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."];
    const ENGLISH: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let names = match language {
        Language::French => FRENCH,
        Language::English => ENGLISH,
    };
    let name = names.get(of.weekday()).copied().unwrap_or_default();
    let text = of.to_string();
    let short: Vec<&str> = text.split('-').skip(1).collect();
    match language {
        Language::French => format!("{name} {}", short.into_iter().rev().collect::<Vec<_>>().join("/")),
        Language::English => format!("{name} {}", short.join("-")),
    }
}

struct Labels {
    title: &'static str,
    takings: &'static str,
    payments: &'static str,
    voucher: &'static str,
    card: &'static str,
    accepted: &'static str,
    refunded: &'static str,
    taken_back: &'static str,
    others: &'static str,
    discrepancies: &'static str,
    opened: &'static str,
    closed: &'static str,
    list: &'static str,
}

const fn labels(language: Language) -> &'static Labels {
    match language {
        Language::French => &FRENCH,
        Language::English => &ENGLISH,
    }
}

const FRENCH: Labels = Labels {
    title: "Semaine",
    takings: "Paiements acceptés",
    payments: "Nombre de paiements",
    voucher: "Chèques-vacances et autres titres",
    card: "Carte",
    accepted: "Total accepté",
    refunded: "Remboursé",
    taken_back: "Impayés carte, repris par la banque",
    others: "Autre devise, hors des totaux",
    discrepancies: "Écarts",
    opened: "Constatés cette semaine",
    closed: "Résolus cette semaine",
    list: "La liste des écarts ouverts\u{a0}:",
};

const ENGLISH: Labels = Labels {
    title: "Week",
    takings: "Accepted payments",
    payments: "Number of payments",
    voucher: "Vouchers",
    card: "Card",
    accepted: "Total accepted",
    refunded: "Refunded",
    taken_back: "Card chargebacks, taken back by the bank",
    others: "Another currency, in none of the sums",
    discrepancies: "Discrepancies",
    opened: "Found this week",
    closed: "Resolved this week",
    list: "The list of open discrepancies:",
};

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(language: Language) -> WeekLetter {
        let takings = |day: u32, voucher: i64, card: i64| DayTakings {
            day: Day::new(2026, 3, day).expect("a day"),
            voucher: Cents::new(voucher),
            card: Cents::new(card),
        };
        let days = vec![
            takings(2, 120_000, 40_000),
            takings(3, 0, 0),
            takings(4, 60_000, 20_000),
            takings(5, 1, 0),
            takings(6, 0, 160_000),
            takings(7, 30_000, 10_000),
            takings(8, 5000, 2500),
        ];
        WeekLetter {
            language,
            host: "pins.example".to_owned(),
            first: Day::new(2026, 3, 2).expect("a day"),
            last: Day::new(2026, 3, 8).expect("a day"),
            shops: vec![ShopWeek {
                name: "Camping des Pins\nBcc: x".to_owned(),
                days,
                payments: 41,
                others: vec![InOtherCurrency {
                    currency: Currency::parse("CHF").expect("a currency"),
                    payments: 1,
                    accepted: Cents::new(5000),
                }],
                refunded: Cents::new(12_300),
                taken_back: Cents::new(4_200),
                opened: 5,
                closed: 3,
                open: 2,
                open_amount: Cents::new(4_500),
                oldest: vec![17, 19],
            }],
        }
    }

    #[test]
    fn a_week_has_sums_counts_bars_and_what_is_open() {
        let mail = render(&letter(Language::French)).expect("rendered");
        let plain = |text: &str| text.replace('\u{a0}', " ");
        assert_eq!(
            plain(&mail.subject),
            "[CVCo] Camping des Pins Bcc: x : semaine du 02/03/2026 au 08/03/2026"
        );
        let text = plain(&mail.text);
        for part in [
            "lun. 02/03 ███████████████░░░░░   1 600,00 €\n",
            "mar. 03/03                            0,00 €\n",
            "ven. 06/03 ░░░░░░░░░░░░░░░░░░░░   1 600,00 €\n",
            "Total accepté                           4 475,01 €\n",
            "Autre devise, hors des totaux        50,00 CHF (1 paiement)\n",
            "Constatés cette semaine                          5\n",
            "2 écarts encore ouverts, 45,00 € ; les plus anciens (nᵒˢ 17, 19)",
        ] {
            assert!(text.contains(part), "{part:?} in\n{text}");
        }
        assert!(mail.html.contains("width=\"75%\"") && !mail.html.contains("<script"), "{}", mail.html);
        assert!(!mail.urgent);
    }

    #[test]
    fn a_week_without_anything_open_says_so() {
        let mut quiet = letter(Language::English);
        quiet.shops[0].open = 0;
        quiet.shops[0].days.clear();
        assert!(render(&quiet).expect("rendered").text.contains("No open discrepancy: all is well."));
    }
}
