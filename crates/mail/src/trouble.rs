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
    /// PSPs will not call an address any more whose certificate has expired.
    CertificateNotRenewed,
    /// A part of the program failed in a way that it must not.
    ProgramFault,
    /// The mail server never takes an e-mail for one of the recipients.
    RecipientRefused,
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
    match language {
        Language::French => french(trouble),
        Language::English => english(trouble),
    }
}

const fn french(trouble: Trouble) -> Text {
    match trouble {
        Trouble::NothingStored => Text {
            title: "notifications non enregistrées",
            what: "Le serveur ne peut plus enregistrer les notifications de paiement. Les prestataires reçoivent une erreur et rappelleront plus tard ; aucun ne rappelle indéfiniment.",
            steps: &[
                "Faites libérer de la place sur le disque du serveur, ou rétablir l'accès en écriture.",
                "Rien d'autre n'est à faire : l'enregistrement reprend de lui-même.",
                "Si la panne a duré plus d'une heure, lancez ensuite cvco-reconciled catch-up depuis le début de la panne.",
            ],
            detail: "Message du système",
        },
        Trouble::LedgerBehind => Text {
            title: "les listes ne sont plus à jour",
            what: "Les notifications sont enregistrées, mais le programme ne peut plus mettre les listes à jour : aucun écart n'est signalé pour l'instant.",
            steps: &[
                "Faites libérer de la place sur le disque du serveur, ou rétablir l'accès en écriture au registre.",
                "Rien n'est perdu : les listes se mettent à jour d'elles-mêmes ensuite.",
            ],
            detail: "Message du système",
        },
        Trouble::ReaderHoldsLedger => Text {
            title: "une lecture sans fin occupe le disque",
            what: "Un programme garde une lecture du registre ouverte depuis longtemps. Tant qu'elle dure, l'espace disque utilisé augmente.",
            steps: &[
                "Fermez le programme nommé ci-dessous (sqlite3, tableur ou autre outil) : l'espace est rendu ensuite.",
            ],
            detail: "Programmes qui lisent",
        },
        Trouble::CertificateNotRenewed => Text {
            title: "certificat à renouveler",
            what: "Le certificat de l'adresse que les prestataires appellent n'a pas été renouvelé. L'ancien sert encore jusqu'à son expiration ; ensuite, les prestataires n'appelleront plus.",
            steps: &[
                "Faites vérifier le renouvellement automatique du certificat (certbot ou autre) et les fichiers indiqués sous [listener] tls_certificate_file et tls_key_file.",
                "Rien d'autre n'est à faire : le nouveau certificat sert dès qu'il est en place.",
                "S'il avait déjà expiré, lancez ensuite cvco-reconciled catch-up depuis la date d'expiration.",
            ],
            detail: "Ce qui ne va pas",
        },
        Trouble::ProgramFault => Text {
            title: "erreur interne du programme",
            what: "Une partie du programme s'est arrêtée sur une erreur qui n'aurait pas dû se produire. Le reste continue ; au besoin, le service redémarre de lui-même. Les notifications déjà acceptées sont conservées.",
            steps: &[
                "Vérifiez que le service tourne : systemctl status cvco-reconciled, puis cvco-reconciled check.",
                "Signalez l'erreur aux auteurs du programme, en joignant le message ci-dessous ; relisez-le d'abord : il ne doit contenir ni paiement ni secret.",
            ],
            detail: "Erreur",
        },
        Trouble::RecipientRefused => Text {
            title: "destinataire refusé",
            what: "Le serveur de messagerie refuse définitivement un destinataire des alertes : cette personne ne reçoit aucun de ces messages.",
            steps: &[
                "Corrigez l'adresse dans la configuration ([alerts] to, ou to de la boutique), ou faites rétablir la boîte, puis rechargez le service.",
                "Vérifiez avec cvco-reconciled alerts test : chaque destinataire y est essayé.",
                "Les messages déjà partis sans cette personne ne sont pas renvoyés : cvco-reconciled alerts list montre ce qui est ouvert.",
            ],
            detail: "Réponse du serveur",
        },
    }
}

const fn english(trouble: Trouble) -> Text {
    match trouble {
        Trouble::NothingStored => Text {
            title: "notifications are not stored",
            what: "The server can no longer store payment notifications. The providers get an error and will call again later; none of them does so forever.",
            steps: &[
                "Have room made on the server's disk, or write access restored.",
                "Nothing else is to be done: storing goes on by itself.",
                "If the trouble lasted for more than an hour, then run cvco-reconciled catch-up from its beginning.",
            ],
            detail: "The system's message",
        },
        Trouble::LedgerBehind => Text {
            title: "the lists are no longer up to date",
            what: "Notifications are stored, but the program can no longer bring the lists up to date: no discrepancy is told for now.",
            steps: &[
                "Have room made on the server's disk, or write access to the ledger restored.",
                "Nothing is lost: the lists are brought up to date by themselves afterwards.",
            ],
            detail: "The system's message",
        },
        Trouble::ReaderHoldsLedger => Text {
            title: "an endless reader fills the disk",
            what: "A program has kept a read of the ledger open for a long time. As long as it lasts, more disk space is used.",
            steps: &[
                "Close the program named below (sqlite3, a spreadsheet or another tool): the space is given back afterwards.",
            ],
            detail: "Programs that read",
        },
        Trouble::CertificateNotRenewed => Text {
            title: "the certificate must be renewed",
            what: "The certificate of the address that the providers call was not renewed. The old one serves until it expires; after that the providers will no longer call.",
            steps: &[
                "Have the automatic renewal of the certificate (certbot or another) looked at, and the files that [listener] tls_certificate_file and tls_key_file name.",
                "Nothing else is to be done: the new certificate serves as soon as it is there.",
                "If it had expired already, then run cvco-reconciled catch-up from the day on which it did.",
            ],
            detail: "What is wrong",
        },
        Trouble::ProgramFault => Text {
            title: "the program has a fault",
            what: "A part of the program stopped at an error that should not be possible. The rest goes on; if need be, the service starts again by itself. Notifications that were accepted are kept.",
            steps: &[
                "See whether the service runs: systemctl status cvco-reconciled, then cvco-reconciled check.",
                "Report the fault to the program's authors with the message below, after a look at it: it should hold no payment and no secret.",
            ],
            detail: "The fault",
        },
        Trouble::RecipientRefused => Text {
            title: "a recipient is refused",
            what: "The mail server refuses a recipient of the alerts for good: this person gets none of these messages.",
            steps: &[
                "Correct the address in the configuration ([alerts] to, or the shop's to), or have the mailbox restored, and reload the service.",
                "See whether it works with cvco-reconciled alerts test: it tries each recipient.",
                "Messages that left without this person are not sent again: cvco-reconciled alerts list shows what is open.",
            ],
            detail: "The server's answer",
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
            for trouble in [
                Trouble::NothingStored,
                Trouble::LedgerBehind,
                Trouble::ReaderHoldsLedger,
                Trouble::CertificateNotRenewed,
                Trouble::ProgramFault,
                Trouble::RecipientRefused,
            ] {
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
