//! The fixed words of a mail, apart from those of the catalogue.

mod labels;
mod states;

use cvco_domain::{Instrument, Psp, Reminder, Severity, Tender, Timestamp, VoucherKind};

use super::catalogue::{GapName, Language};
use super::typography::day;

pub(super) use labels::{Labels, labels};
pub(super) use states::{
    record_stands, record_state, refunded_and_taken_back, reported_state, tender_stands, tender_state,
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

pub(super) fn instrument(language: Language, tender: &Tender) -> &'static str {
    if tender.instrument == Instrument::Voucher {
        return voucher(language, VoucherKind::of(&tender.brand));
    }
    match (language, tender.complement) {
        (Language::French, true) => "Complément carte",
        (Language::French, false) => "Paiement carte",
        (Language::English, true) => "Card complement",
        (Language::English, false) => "Card",
    }
}

pub(super) const fn voucher(language: Language, kind: VoucherKind) -> &'static str {
    match (language, kind) {
        (Language::French, VoucherKind::Holiday) => "Chèque-vacances",
        (Language::French, VoucherKind::Meal) => "Titre-restaurant",
        (Language::French, VoucherKind::Gift) => "Bon cadeau",
        (Language::English, VoucherKind::Holiday) => "Voucher",
        (Language::English, VoucherKind::Meal) => "Meal voucher",
        (Language::English, VoucherKind::Gift) => "Gift card",
    }
}

/// A text about a voucher of ANCV, said of another one: in French the catalogue names the chèque-vacances, and the other
/// words have its gender; in English it says "voucher".
pub(super) fn about(language: Language, kind: VoucherKind, text: &str) -> String {
    let (one, several) = match (language, kind) {
        (Language::English, _) | (Language::French, VoucherKind::Holiday) => return text.to_owned(),
        (Language::French, VoucherKind::Meal) => ("titre-restaurant", "titres-restaurant"),
        (Language::French, VoucherKind::Gift) => ("bon cadeau", "bons cadeaux"),
    };
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    };
    text.replace("chèques-vacances", several)
        .replace("chèque-vacances", one)
        .replace("Chèques-vacances", &capital(several))
        .replace("Chèque-vacances", &capital(one))
}

/// A step that sends people to ANCV, said of a voucher that another issuer owes.
pub(super) fn to_issuer(language: Language, kind: VoucherKind, step: &str) -> String {
    match (language, kind) {
        (_, VoucherKind::Holiday) => step.to_owned(),
        (Language::French, VoucherKind::Meal | VoucherKind::Gift) => {
            step.replace("l’ANCV", "l’émetteur du titre")
        }
        (Language::English, VoucherKind::Meal | VoucherKind::Gift) => {
            step.replace("ANCV’s", "the voucher issuer’s").replace("ANCV", "the voucher’s issuer")
        }
    }
}

/// The caption of a gap.
pub(super) const fn gap(language: Language, name: GapName) -> &'static str {
    match (language, name) {
        (Language::French, GapName::Short) => "Manque",
        (Language::French, GapName::Over) => "En trop",
        (Language::French, GapName::ToRefund) => "Reste à rembourser",
        (Language::French, GapName::ToCollect) => "Reste à encaisser",
        (Language::French, GapName::ToCapture) => "Reste à remettre",
        (Language::French, GapName::AgainstTerms) => "Remboursé en trop",
        (Language::French, GapName::Difference) => "Différence",
        (Language::English, GapName::Short) => "Missing",
        (Language::English, GapName::Over) => "Too much",
        (Language::English, GapName::ToRefund) => "Still to refund",
        (Language::English, GapName::ToCollect) => "Still to collect",
        (Language::English, GapName::ToCapture) => "Still to capture",
        (Language::English, GapName::AgainstTerms) => "Refunded too much",
        (Language::English, GapName::Difference) => "Difference",
    }
}

/// What fell due on a day; `None`: as soon as the customer paid at all.
pub(super) fn due(language: Language, at: Option<Timestamp>) -> String {
    let date = at.map(|at| day(language, at.paris_day()));
    match (language, date) {
        (Language::French, Some(date)) => format!("Échéance du {date}"),
        (Language::French, None) => "À payer à la commande".to_owned(),
        (Language::English, Some(date)) => format!("Due {date}"),
        (Language::English, None) => "Due with the order".to_owned(),
    }
}

/// What is to be paid by a day that has not come.
pub(super) fn due_later(language: Language, at: Timestamp) -> String {
    let date = day(language, at.paris_day());
    match language {
        Language::French => format!("Reste à payer, dû le {date}"),
        Language::English => format!("Still to pay, due {date}"),
    }
}

/// What people call the number that ties the parts of one payment together: only Up2pay has a call number.
pub(super) const fn call_number(language: Language, psp: Option<Psp>) -> &'static str {
    match (language, psp) {
        (Language::French, Some(Psp::Up2pay)) => "Numéro d’appel",
        (Language::English, Some(Psp::Up2pay)) => "Call number",
        (Language::French | Language::English, Some(Psp::Monext)) => "Session",
        (Language::French | Language::English, Some(Psp::Ancv)) => "Transaction",
        (Language::French, Some(Psp::Sogecommerce | Psp::Worldline) | None) => "Paiement",
        (Language::English, Some(Psp::Sogecommerce | Psp::Worldline) | None) => "Payment",
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

/// Which discrepancies of a long mail stand in its summary alone.
pub(super) fn left_out(language: Language, ids: &[i64]) -> String {
    let (count, numbers) = (ids.len(), numbers(language, ids));
    match language {
        Language::French if count == 1 => {
            format!("Un écart n’est pas détaillé ici ({numbers}). La liste entière\u{a0}:")
        }
        Language::French => {
            format!("{count} écarts ne sont pas détaillés ici ({numbers}). La liste entière\u{a0}:")
        }
        Language::English if count == 1 => {
            format!("One discrepancy is not detailed here ({numbers}). The whole list:")
        }
        Language::English => {
            format!("{count} discrepancies are not detailed here ({numbers}). The whole list:")
        }
    }
}

/// Discrepancies that have no line of their own.
pub(super) fn others(language: Language, ids: &[i64]) -> String {
    let (count, numbers) = (ids.len(), numbers(language, ids));
    match language {
        Language::French if count == 1 => format!("et un autre ({numbers})"),
        Language::French => format!("et {count} autres ({numbers})"),
        Language::English if count == 1 => format!("and one more ({numbers})"),
        Language::English => format!("and {count} more ({numbers})"),
    }
}

/// Numbers of discrepancies, those that follow each other as a span: `nᵒˢ 6–60, 72`.
pub(super) fn numbers(language: Language, ids: &[i64]) -> String {
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut spans: Vec<(i64, i64)> = Vec::new();
    for id in sorted {
        match spans.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(id) => *last = id,
            Some(_) | None => spans.push((id, id)),
        }
    }
    let span = |(first, last): &(i64, i64)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first}–{last}"),
    };
    let spans = spans.iter().map(span).collect::<Vec<_>>().join(", ");
    match (language, ids) {
        (Language::French, [_]) => format!("n°\u{a0}{spans}"),
        (Language::French, _) => format!("nᵒˢ\u{a0}{spans}"),
        (Language::English, [_]) => format!("no.\u{a0}{spans}"),
        (Language::English, _) => format!("nos.\u{a0}{spans}"),
    }
}

/// Why people are reminded of a discrepancy.
pub(super) const fn still_open(language: Language, why: Option<Reminder>) -> &'static str {
    match (language, why) {
        (Language::French, Some(Reminder::SnoozeOver)) => {
            "Cet écart est toujours ouvert, et sa mise en veille est terminée."
        }
        (Language::French, Some(Reminder::FiguresChanged)) => {
            "Cet écart est toujours ouvert, et ses chiffres ont changé."
        }
        (Language::French, Some(Reminder::Graver)) => "Cet écart est toujours ouvert, et il s’est aggravé.",
        (Language::French, None) => "Cet écart est toujours ouvert.",
        (Language::English, Some(Reminder::SnoozeOver)) => {
            "This discrepancy is still open, and its snooze is over."
        }
        (Language::English, Some(Reminder::FiguresChanged)) => {
            "This discrepancy is still open, and its figures have changed."
        }
        (Language::English, Some(Reminder::Graver)) => {
            "This discrepancy is still open, and it has become graver."
        }
        (Language::English, None) => "This discrepancy is still open.",
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

/// What opens the subject: trials are told from real payments, and what cannot wait from what can.
pub(super) const fn tag(urgent: bool, trial: bool) -> &'static str {
    match (urgent, trial) {
        (_, true) => "[TEST] [CVCo]",
        (true, false) => "[CVCo urgent]",
        (false, false) => "[CVCo]",
    }
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
