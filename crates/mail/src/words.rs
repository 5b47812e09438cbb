//! The fixed words of a mail, apart from those of the catalogue.

use cvco_domain::{Instrument, Kind, RecordState, Severity, Tender, TenderState, Timestamp, Topic};

use super::catalogue::Language;
use super::typography::paris;

/// Captions and sentences that stand in every mail.
#[derive(Debug)]
pub(super) struct Labels {
    pub(super) resolved: &'static str,
    pub(super) reminder: &'static str,
    pub(super) still_open: &'static str,
    pub(super) open_since: &'static str,
    pub(super) last_note: &'static str,
    pub(super) order: &'static str,
    pub(super) call_number: &'static str,
    pub(super) provider: &'static str,
    pub(super) expected: &'static str,
    pub(super) gap: &'static str,
    pub(super) particulars: &'static str,
    pub(super) mode: &'static str,
    pub(super) test_mode: &'static str,
    pub(super) payments: &'static str,
    pub(super) transaction: &'static str,
    pub(super) no_transaction: &'static str,
    pub(super) total_accepted: &'static str,
    pub(super) of_which_refunded: &'static str,
    pub(super) what_to_do: &'static str,
    pub(super) acknowledge: &'static str,
    pub(super) note: &'static str,
    pub(super) snooze: &'static str,
    pub(super) date: &'static str,
    pub(super) nothing_to_do: &'static str,
    pub(super) automatic: &'static str,
    pub(super) paris_time: &'static str,
}

pub(super) const fn labels(language: Language) -> &'static Labels {
    match language {
        Language::French => &FRENCH,
        Language::English => &ENGLISH,
    }
}

const FRENCH: Labels = Labels {
    resolved: "résolu",
    reminder: "rappel",
    still_open: "Cet écart est toujours ouvert\u{a0}: sa mise en veille est terminée, ou ses montants ont changé.",
    open_since: "Ouvert depuis",
    last_note: "Dernière note",
    order: "Commande",
    call_number: "Numéro d’appel",
    provider: "Prestataire",
    expected: "Attendu",
    gap: "Écart",
    particulars: "Précisions",
    mode: "Mode",
    test_mode: "test (aucun argent réel)",
    payments: "Paiements",
    transaction: "transaction",
    no_transaction: "sans transaction",
    total_accepted: "Total accepté",
    of_which_refunded: "dont remboursé",
    what_to_do: "Que faire maintenant",
    acknowledge: "L’écart se fermera de lui-même dès que sa cause aura disparu. Si vous l’avez réglé autrement, \
                  acquittez-le\u{a0}:",
    note: "ce qui a été fait",
    snooze: "Pour qu’il vous soit rappelé plus tard, mettez-le en veille\u{a0}:",
    date: "AAAA-MM-JJ",
    nothing_to_do: "Cet écart n’existe plus\u{a0}; il n’y a rien d’autre à faire.",
    automatic: "Message automatique de cvco-reconciled",
    paris_time: "heures de Paris",
};

const ENGLISH: Labels = Labels {
    resolved: "resolved",
    reminder: "reminder",
    still_open: "This discrepancy is still open: its snooze is over, or its amounts have changed.",
    open_since: "Open since",
    last_note: "Last note",
    order: "Order",
    call_number: "Call number",
    provider: "Provider",
    expected: "Expected",
    gap: "Gap",
    particulars: "Particulars",
    mode: "Mode",
    test_mode: "test (no real money)",
    payments: "Payments",
    transaction: "transaction",
    no_transaction: "no transaction",
    total_accepted: "Total accepted",
    of_which_refunded: "of which refunded",
    what_to_do: "What to do now",
    acknowledge: "The discrepancy closes by itself once its cause is gone. If you settled it another way, \
                  acknowledge it:",
    note: "what was done",
    snooze: "To be reminded of it later, snooze it:",
    date: "YYYY-MM-DD",
    nothing_to_do: "This discrepancy no longer exists; there is nothing else to do.",
    automatic: "Automatic message from cvco-reconciled",
    paris_time: "Paris time",
};

pub(super) const fn severity(language: Language, severity: Severity) -> &'static str {
    match (language, severity) {
        (Language::French | Language::English, Severity::Urgent) => "urgent",
        (Language::French, Severity::Warning) => "à vérifier",
        (Language::French, Severity::Info) => "pour information",
        (Language::English, Severity::Warning) => "to be checked",
        (Language::English, Severity::Info) => "for information",
    }
}

pub(super) const fn instrument(language: Language, tender: &Tender) -> &'static str {
    match (language, tender.instrument, tender.complement) {
        (Language::French, Instrument::Voucher, _) => "Chèque-vacances",
        (Language::French, Instrument::Card, true) => "Complément carte",
        (Language::French, Instrument::Card, false) => "Carte",
        (Language::English, Instrument::Voucher, _) => "Voucher",
        (Language::English, Instrument::Card, true) => "Card complement",
        (Language::English, Instrument::Card, false) => "Card",
    }
}

pub(super) const fn tender_state(language: Language, state: TenderState) -> &'static str {
    match language {
        Language::French => match state {
            TenderState::Pending => "en attente",
            TenderState::Authorised => "accepté",
            TenderState::Captured => "capturé",
            TenderState::Refused => "refusé",
            TenderState::Abandoned => "abandonné",
            TenderState::Cancelled => "annulé",
            TenderState::Expired => "expiré",
            TenderState::Refunded => "remboursé",
            TenderState::PartRefunded => "remboursé en partie",
        },
        Language::English => match state {
            TenderState::Pending => "pending",
            TenderState::Authorised => "accepted",
            TenderState::Captured => "captured",
            TenderState::Refused => "refused",
            TenderState::Abandoned => "abandoned",
            TenderState::Cancelled => "cancelled",
            TenderState::Expired => "expired",
            TenderState::Refunded => "refunded",
            TenderState::PartRefunded => "partly refunded",
        },
    }
}

pub(super) const fn record_state(language: Language, state: RecordState) -> &'static str {
    match language {
        Language::French => match state {
            RecordState::Pending => "en attente",
            RecordState::Balanced => "équilibré",
            RecordState::Unbalanced => "en écart",
            RecordState::Unverified => "non vérifiable",
            RecordState::Failed => "sans paiement accepté",
            RecordState::Refunded => "remboursé",
            RecordState::PartRefunded => "remboursé en partie",
        },
        Language::English => match state {
            RecordState::Pending => "pending",
            RecordState::Balanced => "balanced",
            RecordState::Unbalanced => "unbalanced",
            RecordState::Unverified => "unverified",
            RecordState::Failed => "nothing accepted",
            RecordState::Refunded => "refunded",
            RecordState::PartRefunded => "partly refunded",
        },
    }
}

/// How many discrepancies, as the subject of a mail about several of them counts them.
pub(super) fn count(language: Language, opened: usize, closed: usize) -> String {
    match language {
        Language::French => {
            let noun = |n: usize| if n < 2 { "écart" } else { "écarts" };
            let resolved = |n: usize| if n < 2 { "résolu" } else { "résolus" };
            match (opened, closed) {
                (0, closed) => format!("{closed} {}", noun(closed)),
                (opened, 0) => format!("{opened} {}", noun(opened)),
                (opened, closed) => format!("{opened} {} (et {closed} {})", noun(opened), resolved(closed)),
            }
        }
        Language::English => {
            let noun = |n: usize| if n == 1 { "discrepancy" } else { "discrepancies" };
            match (opened, closed) {
                (0, closed) => format!("{closed} {}", noun(closed)),
                (opened, 0) => format!("{opened} {}", noun(opened)),
                (opened, closed) => format!("{opened} {} (and {closed} resolved)", noun(opened)),
            }
        }
    }
}

/// Which discrepancies of a long mail stand only in the ledger.
pub(super) fn left_out(language: Language, count: usize) -> String {
    match language {
        Language::French => format!("Non détaillés ici\u{a0}: {count}. La liste entière\u{a0}:"),
        Language::English => format!("Not detailed here: {count}. The whole list:"),
    }
}

/// The particulars. Of an endpoint whose API does not answer they count the questions that wait and show the first
/// (`3: session 16RjW`); all others are names and figures, the same in every language. Instants are shown in Paris
/// time.
pub(super) fn particulars(language: Language, kind: Kind, detail: &str) -> String {
    let waiting = (kind == Kind::Unconfirmed).then(|| waiting(language, detail)).flatten();
    let text = waiting.unwrap_or_else(|| detail.to_owned());
    let word = |word: &str| Timestamp::parse(word).map_or_else(|_| word.to_owned(), |at| paris(language, at));
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn waiting(language: Language, detail: &str) -> Option<String> {
    let (count, first) = detail.split_once(": ")?;
    let (topic, subject) = first.split_once(' ')?;
    let (count, topic): (u32, Topic) = (count.parse().ok()?, topic.parse().ok()?);
    let topic = self::topic(language, topic);
    Some(match (language, count) {
        (Language::French, 1) => format!("1 question en attente\u{a0}: {topic} {subject}"),
        (Language::French, _) => {
            format!("{count} questions en attente, dont la première\u{a0}: {topic} {subject}")
        }
        (Language::English, 1) => format!("1 question waiting: {topic} {subject}"),
        (Language::English, _) => format!("{count} questions waiting, the first: {topic} {subject}"),
    })
}

const fn topic(language: Language, topic: Topic) -> &'static str {
    match (language, topic) {
        (Language::French | Language::English, Topic::Session) => "session",
        (Language::French | Language::English, Topic::Transaction) => "transaction",
        (Language::French, Topic::Payment) => "paiement",
        (Language::French, Topic::Order) => "commande",
        (Language::French, Topic::Window) => "période",
        (Language::English, Topic::Payment) => "payment",
        (Language::English, Topic::Order) => "order",
        (Language::English, Topic::Window) => "time span",
    }
}

/// The discrepancy by its number, and its dates.
pub(super) fn dated(language: Language, id: i64, opened: &str, closed: Option<&str>) -> String {
    match (language, closed) {
        (Language::French, None) => format!("Écart n°\u{a0}{id}, constaté le {opened}"),
        (Language::French, Some(closed)) => {
            format!("Écart n°\u{a0}{id}, constaté le {opened}, résolu le {closed}")
        }
        (Language::English, None) => format!("Discrepancy {id}, found {opened}"),
        (Language::English, Some(closed)) => format!("Discrepancy {id}, found {opened}, resolved {closed}"),
    }
}

/// The parts of a subject line about one discrepancy, after the shop's name.
pub(super) fn subject_tail(
    language: Language,
    title: &str,
    amount: Option<&str>,
    order: Option<&str>,
) -> String {
    let amount = amount.map(|amount| format!(", {amount}")).unwrap_or_default();
    let order = match (language, order) {
        (_, None) => String::new(),
        (Language::French, Some(order)) => format!(" – commande {order}"),
        (Language::English, Some(order)) => format!(" – order {order}"),
    };
    format!("{title}{amount}{order}")
}

/// What stands between the shop's name and the rest.
pub(super) const fn colon(language: Language) -> &'static str {
    match language {
        Language::French => "\u{a0}:",
        Language::English => ":",
    }
}

/// What introduces the gravest of several discrepancies.
pub(super) const fn among_them(language: Language) -> &'static str {
    match language {
        Language::French => ", dont ",
        Language::English => ", among them ",
    }
}
