//! The mail that carries a link of the ledger's chain out of reach: what the day's last entry was, its hash, and
//! what the day brought.

use askama::Template;
use cvco_domain::{Cents, Currency, Issuer};

use super::RenderError;
use super::catalogue::Language;
use super::render::RenderedMail;
use super::typography::{NO_BREAK_SPACE, amount, one_line};
use super::words;

/// An anchor mail to be.
#[derive(Debug, Clone)]
pub struct AnchorLetter {
    /// The language of its readers.
    pub language: Language,
    /// The host of the daemon, for the footer.
    pub host: String,
    /// The link, and since when the log was not anchored.
    pub anchor: Link,
    /// What each shop was paid and gave back on these days.
    pub shops: Vec<ShopTakings>,
}

/// A link of the log's chain, and the span of days that it closes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The last entry of the log before midnight.
    pub seq: i64,
    /// Its chain hash.
    pub hash: String,
    /// The first entry since the anchor before.
    pub first_seq: i64,
    /// The first day since the anchor before, `YYYY-MM-DD` in Paris.
    pub first_day: String,
    /// The last day, `YYYY-MM-DD` in Paris.
    pub day: String,
}

/// What one shop was paid and gave back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopTakings {
    /// Its name, as its merchant calls it.
    pub name: String,
    /// Vouchers, by who owes them; those of ANCV first.
    pub vouchers: Vec<(Issuer, Flow)>,
    /// Cards.
    pub card: Flow,
    /// What cards' banks took back.
    pub taken_back: Cents,
}

/// What came in and what was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flow {
    /// Accepted.
    pub accepted: Cents,
    /// Given back.
    pub refunded: Cents,
}

/// Writes the mail.
///
/// # Errors
/// None that depends on the letter: a template that cannot be formatted.
pub fn render(letter: &AnchorLetter) -> Result<RenderedMail, RenderError> {
    let (language, anchor) = (letter.language, &letter.anchor);
    let labels = labels(language);
    let days = days(language, &anchor.first_day, &anchor.day);
    let title = format!("{}{} {days}", labels.title, words::colon(language));
    let entries = anchor.seq.saturating_sub(anchor.first_seq).saturating_add(1);
    let page = Page {
        lang: language.as_str(),
        labels,
        mail: words::labels(language),
        subject: one_line(&format!("[CVCo] {title}")),
        title,
        host: one_line(&letter.host),
        facts: vec![
            (labels.days, days),
            (labels.last_entry, anchor.seq.to_string()),
            (labels.hash, anchor.hash.clone()),
            (labels.entries, span(language, entries, anchor)),
        ],
        shops: letter.shops.iter().map(|shop| ShopView::new(language, shop)).collect(),
        check: format!("cvco-reconciled verify --anchor {}:{}", anchor.seq, anchor.hash),
    };
    let text = TextMail { page: &page }.render()?;
    let html = HtmlMail { page: &page }.render()?;
    Ok(RenderedMail { subject: page.subject, text, html, urgent: false })
}

#[derive(Template)]
#[template(path = "anchor.txt")]
struct TextMail<'a> {
    page: &'a Page,
}

#[derive(Template)]
#[template(path = "anchor.html")]
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
    facts: Vec<(&'static str, String)>,
    shops: Vec<ShopView>,
    check: String,
}

struct ShopView {
    name: String,
    /// Vouchers and card: caption, accepted, refunded.
    rows: Vec<(String, String, String)>,
}

impl ShopView {
    fn new(language: Language, shop: &ShopTakings) -> Self {
        let labels = labels(language);
        let row = |label: String, flow: Flow| {
            let figure = |cents| amount(language, cents, Currency::EUR);
            (label, figure(flow.accepted), figure(flow.refunded))
        };
        let of = |issuer: &Issuer| match issuer {
            Issuer::Ancv => labels.voucher.to_owned(),
            Issuer::Bank | Issuer::Other(_) => format!("{} ({issuer})", labels.other_voucher),
        };
        let has_ancv = shop.vouchers.iter().any(|(issuer, _)| *issuer == Issuer::Ancv);
        let none = (!has_ancv).then(|| row(labels.voucher.to_owned(), Flow::default()));
        let vouchers = shop.vouchers.iter().map(|(issuer, flow)| row(of(issuer), *flow));
        let card = row(labels.card.to_owned(), shop.card);
        let taken_back = shop.taken_back.is_positive().then(|| {
            (labels.taken_back.to_owned(), String::new(), amount(language, shop.taken_back, Currency::EUR))
        });
        let rows = none.into_iter().chain(vouchers).chain([card]).chain(taken_back).collect();
        Self { name: one_line(&shop.name), rows }
    }
}

struct Labels {
    title: &'static str,
    days: &'static str,
    last_entry: &'static str,
    hash: &'static str,
    entries: &'static str,
    takings: &'static str,
    accepted: &'static str,
    refunded: &'static str,
    voucher: &'static str,
    other_voucher: &'static str,
    card: &'static str,
    taken_back: &'static str,
    nothing: &'static str,
    purpose: &'static str,
    how_to_check: &'static str,
}

const fn labels(language: Language) -> &'static Labels {
    match language {
        Language::French => &FRENCH,
        Language::English => &ENGLISH,
    }
}

const FRENCH: Labels = Labels {
    title: "Ancrage du registre",
    days: "Période",
    last_entry: "Dernière ligne du journal",
    hash: "Son empreinte",
    entries: "Nouvelles lignes",
    takings: "Accepté et remboursé sur cette période, à ce jour",
    accepted: "accepté",
    refunded: "remboursé",
    voucher: "Chèques-vacances (ANCV)",
    other_voucher: "Autres titres",
    card: "Carte",
    taken_back: "Impayés carte",
    nothing: "Aucun paiement ni remboursement.",
    purpose: "Conservez ce message hors du serveur\u{a0}: tant que l’empreinte reste la même, personne n’a réécrit ce \
              que le registre contenait alors.",
    how_to_check: "Pour le vérifier, sur le serveur\u{a0}:",
};

const ENGLISH: Labels = Labels {
    title: "Anchor of the ledger",
    days: "Period",
    last_entry: "Last entry of the log",
    hash: "Its hash",
    entries: "New entries",
    takings: "Accepted and refunded in this period, as known now",
    accepted: "accepted",
    refunded: "refunded",
    voucher: "Vouchers (ANCV)",
    other_voucher: "Other vouchers",
    card: "Card",
    taken_back: "Card chargebacks",
    nothing: "No payment and no refund.",
    purpose: "Keep this message away from the server: as long as the hash stays the same, nobody has rewritten what \
              the ledger held then.",
    how_to_check: "To check it, on the server:",
};

/// One day, or the first and the last.
fn days(language: Language, first: &str, last: &str) -> String {
    let (from, to) = (day(language, first), day(language, last));
    match language {
        _ if first == last => to,
        Language::French => format!("du {from} au {to}"),
        Language::English => format!("{from} to {to}"),
    }
}

/// `01/03/2026` in French.
fn day(language: Language, day: &str) -> String {
    match language {
        Language::French => day.rsplit('-').collect::<Vec<_>>().join("/"),
        Language::English => day.to_owned(),
    }
}

fn span(language: Language, entries: i64, anchor: &Link) -> String {
    let (first, last) = (anchor.first_seq, anchor.seq);
    match language {
        Language::French if first == last => format!("{entries} (n°{NO_BREAK_SPACE}{last})"),
        Language::French => format!("{entries} (nᵒˢ{NO_BREAK_SPACE}{first} à {last})"),
        Language::English if first == last => format!("{entries} ({last})"),
        Language::English => format!("{entries} ({first} to {last})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(language: Language, first_day: &str) -> AnchorLetter {
        AnchorLetter {
            language,
            host: "host".to_owned(),
            anchor: Link {
                seq: 1234,
                hash: "0f".repeat(32),
                first_seq: 1178,
                first_day: first_day.to_owned(),
                day: "2026-03-01".to_owned(),
            },
            shops: vec![ShopTakings {
                name: "Camping des Pins\nBcc: x".to_owned(),
                vouchers: vec![
                    (Issuer::Ancv, Flow { accepted: Cents::new(123_456), refunded: Cents::ZERO }),
                    (
                        "edenred".parse().expect("a name"),
                        Flow { accepted: Cents::new(4200), refunded: Cents::ZERO },
                    ),
                ],
                card: Flow { accepted: Cents::new(7890), refunded: Cents::new(500) },
                taken_back: Cents::new(2345),
            }],
        }
    }

    #[test]
    fn the_accountant_reads_what_to_keep_and_how_to_check_it() {
        let mail = render(&letter(Language::French, "2026-03-01")).expect("rendered");
        assert_eq!(mail.subject, "[CVCo] Ancrage du registre\u{a0}: 01/03/2026");
        let hash = "0f".repeat(32);
        for part in [
            hash.as_str(),
            "57 (nᵒˢ\u{a0}1178 à 1234)",
            "1\u{a0}234,56\u{a0}€",
            "78,90\u{a0}€",
            "5,00\u{a0}€",
            "Impayés carte",
            "23,45\u{a0}€",
            "Autres titres (edenred)",
            "42,00\u{a0}€",
            &format!("cvco-reconciled verify --anchor 1234:{hash}"),
            "Camping des Pins Bcc: x",
        ] {
            assert!(mail.text.contains(part), "{part} in\n{}", mail.text);
            assert!(mail.html.contains(part), "{part} in\n{}", mail.html);
        }
    }

    #[test]
    fn days_that_were_missed_are_one_period() {
        let subject = |language| render(&letter(language, "2026-02-26")).expect("rendered").subject;
        assert_eq!(
            subject(Language::French),
            "[CVCo] Ancrage du registre\u{a0}: du 26/02/2026 au 01/03/2026"
        );
        assert_eq!(subject(Language::English), "[CVCo] Anchor of the ledger: 2026-02-26 to 2026-03-01");
    }

    #[test]
    fn a_day_without_payments_says_so() {
        let mut quiet = letter(Language::English, "2026-03-01");
        quiet.shops.clear();
        assert!(render(&quiet).expect("rendered").text.contains("No payment and no refund."));
    }
}
