//! The mail that says that the daemon itself is in trouble: its log cannot be written, its ledger does not follow. It must
//! not need the ledger, so it is made from a few words.

use askama::Template;

use super::catalogue::Language;
use super::render::RenderedMail;
use super::typography::typeset;
use super::{RenderError, one_line, words};

/// What is wrong with the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Notifications are not stored, and PSPs are told to come again.
    NothingStored,
    /// Notifications are stored, and the ledger does not show them.
    LedgerBehind,
    /// Someone reads the ledger without end, and its write-ahead log grows.
    ReaderHoldsLedger,
}

/// One such mail.
#[derive(Debug, Clone)]
pub struct TroubleLetter {
    /// The language of its readers.
    pub language: Language,
    /// The host of the daemon, for the footer.
    pub host: String,
    /// What is wrong.
    pub trouble: Trouble,
    /// The system's own words, in English.
    pub detail: String,
}

struct Text {
    title: &'static str,
    what: &'static str,
    steps: &'static [&'static str],
    detail: &'static str,
}

const fn text(language: Language, trouble: Trouble) -> Text {
    match (language, trouble) {
        (Language::French, Trouble::NothingStored) => Text {
            title: "notifications non enregistrées",
            what: "Le serveur ne peut plus enregistrer les notifications de paiement. Les prestataires reçoivent une erreur et rappelleront plus tard ; aucun ne rappelle indéfiniment.",
            steps: &[
                "Faites libérer de la place sur le disque du serveur, ou rétablir l'accès en écriture.",
                "Rien d'autre n'est à faire : l'enregistrement reprend de lui-même.",
                "Si la panne a duré plus d'une heure, lancez ensuite cvco-reconciled catch-up depuis le début de la panne.",
            ],
            detail: "Message du système",
        },
        (Language::French, Trouble::LedgerBehind) => Text {
            title: "les listes ne sont plus à jour",
            what: "Les notifications sont enregistrées, mais le programme ne peut plus mettre les listes à jour : aucun écart n'est signalé pour l'instant.",
            steps: &[
                "Faites libérer de la place sur le disque du serveur, ou rétablir l'accès en écriture au registre.",
                "Rien n'est perdu : les listes se mettent à jour d'elles-mêmes ensuite.",
            ],
            detail: "Message du système",
        },
        (Language::French, Trouble::ReaderHoldsLedger) => Text {
            title: "une lecture sans fin occupe le disque",
            what: "Un programme garde une lecture du registre ouverte depuis longtemps. Tant qu'elle dure, l'espace disque utilisé augmente.",
            steps: &[
                "Fermez le programme nommé ci-dessous (sqlite3, tableur ou autre outil) : l'espace est rendu ensuite.",
            ],
            detail: "Programmes qui lisent",
        },
        (Language::English, Trouble::NothingStored) => Text {
            title: "notifications are not stored",
            what: "The server can no longer store payment notifications. The providers get an error and will call again later; none of them does so forever.",
            steps: &[
                "Have room made on the server's disk, or write access restored.",
                "Nothing else is to be done: storing goes on by itself.",
                "If the trouble lasted for more than an hour, then run cvco-reconciled catch-up from its beginning.",
            ],
            detail: "The system's message",
        },
        (Language::English, Trouble::LedgerBehind) => Text {
            title: "the lists are no longer up to date",
            what: "Notifications are stored, but the program can no longer bring the lists up to date: no discrepancy is told for now.",
            steps: &[
                "Have room made on the server's disk, or write access to the ledger restored.",
                "Nothing is lost: the lists are brought up to date by themselves afterwards.",
            ],
            detail: "The system's message",
        },
        (Language::English, Trouble::ReaderHoldsLedger) => Text {
            title: "an endless reader fills the disk",
            what: "A program has kept a read of the ledger open for a long time. As long as it lasts, more disk space is used.",
            steps: &[
                "Close the program named below (sqlite3, a spreadsheet or another tool): the space is given back afterwards.",
            ],
            detail: "Programs that read",
        },
    }
}

#[derive(Template)]
#[template(path = "trouble.txt")]
struct TextMail<'a> {
    page: &'a Page,
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct HtmlMail<'a> {
    page: &'a Page,
}

struct Page {
    lang: &'static str,
    mail: &'static words::Labels,
    subject: String,
    title: String,
    host: String,
    what: String,
    steps: Vec<String>,
    caption: String,
    detail: String,
}

/// Writes the mail.
///
/// # Errors
/// None that depends on the letter: a template that cannot be formatted.
pub fn render(letter: &TroubleLetter) -> Result<RenderedMail, RenderError> {
    let text = text(letter.language, letter.trouble);
    let page = Page {
        lang: letter.language.as_str(),
        mail: words::labels(letter.language),
        subject: one_line(&format!("[CVCo urgent] {} ({})", text.title, letter.host)),
        title: text.title.to_owned(),
        host: one_line(&letter.host),
        what: typeset(letter.language, text.what),
        steps: text.steps.iter().map(|step| typeset(letter.language, step)).collect(),
        caption: format!("{}{}", text.detail, words::colon(letter.language)),
        detail: one_line(&letter.detail),
    };
    let text = TextMail { page: &page }.render()?;
    let html = HtmlMail { page: &page }.render()?;
    Ok(RenderedMail { subject: page.subject, text, html, urgent: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trouble_says_what_to_do_in_both_languages() {
        for language in [Language::French, Language::English] {
            for trouble in [Trouble::NothingStored, Trouble::LedgerBehind, Trouble::ReaderHoldsLedger] {
                let letter = TroubleLetter {
                    language,
                    host: "srv".to_owned(),
                    trouble,
                    detail: "database or disk is full\r\nBcc: x@y".to_owned(),
                };
                let mail = render(&letter).expect("a mail");
                assert!(mail.subject.starts_with("[CVCo urgent] "), "{}", mail.subject);
                assert!(!mail.subject.contains('\n'));
                assert!(mail.text.contains("database or disk is full") && mail.html.contains("disk is full"));
                assert!(mail.text.contains("1. "), "{}", mail.text);
            }
        }
    }
}
