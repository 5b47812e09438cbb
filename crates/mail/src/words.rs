//! The fixed words of a mail, apart from those of the catalogue.

use cvco_domain::{
    Instrument, Psp, RecordState, Reminder, ReportedState, Severity, Tender, TenderState, Timestamp,
    VoucherKind,
};

use super::catalogue::{GapName, Language};
use super::typography::day;

/// Captions and sentences that stand in every mail.
#[derive(Debug)]
pub(super) struct Labels {
    pub(super) resolved: &'static str,
    pub(super) reminder: &'static str,
    pub(super) unanswered: &'static str,
    pub(super) nobody_saw: &'static str,
    pub(super) settled_by: &'static str,
    pub(super) order_total: &'static str,
    pub(super) due_after: &'static str,
    pub(super) open_since: &'static str,
    pub(super) last_note: &'static str,
    pub(super) order: &'static str,
    pub(super) provider: &'static str,
    pub(super) expected: &'static str,
    pub(super) particulars: &'static str,
    pub(super) technical: &'static str,
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
    pub(super) number: &'static str,
    pub(super) summary: &'static str,
    pub(super) open_it: &'static str,
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
    unanswered: "sans réponse",
    nobody_saw: "Personne n’a encore pris cet écart en charge.",
    settled_by: "Depuis",
    order_total: "Total de la commande",
    due_after: "Reste à payer ensuite",
    open_since: "Ouvert depuis",
    last_note: "Dernière note",
    order: "Commande",
    provider: "Prestataire",
    expected: "Attendu",
    particulars: "Précisions",
    technical: "Détail technique",
    mode: "Mode",
    test_mode: "test (aucun argent réel)",
    payments: "Paiements",
    transaction: "transaction",
    no_transaction: "sans transaction",
    total_accepted: "Total accepté",
    of_which_refunded: "dont remboursé",
    what_to_do: "Que faire maintenant",
    acknowledge: "L’écart se fermera de lui-même dès que sa cause aura disparu. Si vous l’avez réglé autrement, \
                  marquez-le comme traité\u{a0}:",
    note: "ce qui a été fait",
    snooze: "Pour qu’il vous soit rappelé plus tard, mettez-le en veille\u{a0}:",
    date: "AAAA-MM-JJ",
    number: "NUMÉRO",
    summary: "En résumé",
    open_it: "Ouvrir cet écart dans le tableau de bord",
    automatic: "Message automatique de cvco-reconciled",
    paris_time: "heures de Paris",
};

const ENGLISH: Labels = Labels {
    resolved: "resolved",
    reminder: "reminder",
    unanswered: "unanswered",
    nobody_saw: "Nobody has taken charge of this discrepancy yet.",
    settled_by: "Since then",
    order_total: "Order total",
    due_after: "Still to pay after that",
    open_since: "Open since",
    last_note: "Last note",
    order: "Order",
    provider: "Provider",
    expected: "Expected",
    particulars: "Particulars",
    technical: "Technical detail",
    mode: "Mode",
    test_mode: "test (no real money)",
    payments: "Payments",
    transaction: "transaction",
    no_transaction: "no transaction",
    total_accepted: "Total accepted",
    of_which_refunded: "of which refunded",
    what_to_do: "What to do now",
    acknowledge: "The discrepancy closes by itself once its cause is gone. If you settled it another way, \
                  mark it as handled:",
    note: "what was done",
    snooze: "To be reminded of it later, snooze it:",
    date: "YYYY-MM-DD",
    number: "NUMBER",
    summary: "In short",
    open_it: "Open this discrepancy in the dashboard",
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

pub(super) const fn tender_state(language: Language, state: TenderState) -> &'static str {
    match language {
        Language::French => match state {
            TenderState::Pending => "en attente",
            TenderState::Authorised => "accepté",
            TenderState::Captured => "remis en banque",
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

/// Where a part stands: what a bank took back is no refund.
pub(super) const fn tender_stands(
    language: Language,
    state: TenderState,
    is_charged_back: bool,
) -> &'static str {
    match (language, state) {
        (Language::French, TenderState::Refunded) if is_charged_back => "impayé, repris par la banque",
        (Language::English, TenderState::Refunded) if is_charged_back => "charged back by the bank",
        (Language::French, TenderState::PartRefunded) if is_charged_back => "impayé en partie",
        (Language::English, TenderState::PartRefunded) if is_charged_back => "partly charged back",
        (_, state) => tender_state(language, state),
    }
}

/// A part of which the merchant gave back some and the card's bank took some.
pub(super) fn refunded_and_taken_back(language: Language, refunded: &str, taken_back: &str) -> String {
    match language {
        Language::French => format!("remboursé {refunded}, repris par la banque {taken_back}"),
        Language::English => format!("refunded {refunded}, taken back by the bank {taken_back}"),
    }
}

/// What a status of the PSP was taken for.
pub(super) const fn reported_state(language: Language, state: ReportedState) -> &'static str {
    tender_state(
        language,
        match state {
            ReportedState::Pending => TenderState::Pending,
            ReportedState::Abandoned => TenderState::Abandoned,
            ReportedState::Refused => TenderState::Refused,
            ReportedState::Authorised => TenderState::Authorised,
            ReportedState::Captured => TenderState::Captured,
            ReportedState::Expired => TenderState::Expired,
            ReportedState::Cancelled => TenderState::Cancelled,
        },
    )
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

pub(super) const fn record_state(language: Language, state: RecordState) -> &'static str {
    match language {
        Language::French => match state {
            RecordState::Pending => "en attente",
            RecordState::Balanced => "équilibré",
            RecordState::PartPaid => "payé en partie",
            RecordState::Unbalanced => "en écart",
            RecordState::Unverified => "non vérifiable",
            RecordState::Failed => "sans paiement accepté",
            RecordState::Refunded => "remboursé",
            RecordState::PartRefunded => "remboursé en partie",
        },
        Language::English => match state {
            RecordState::Pending => "pending",
            RecordState::Balanced => "balanced",
            RecordState::PartPaid => "partly paid",
            RecordState::Unbalanced => "unbalanced",
            RecordState::Unverified => "unverified",
            RecordState::Failed => "nothing accepted",
            RecordState::Refunded => "refunded",
            RecordState::PartRefunded => "partly refunded",
        },
    }
}

/// Where a payment stands: what a bank took back is no refund.
pub(super) const fn record_stands(
    language: Language,
    state: RecordState,
    is_charged_back: bool,
) -> &'static str {
    match (language, state) {
        (Language::French, RecordState::Refunded) if is_charged_back => "impayé",
        (Language::French, RecordState::PartRefunded) if is_charged_back => "impayé en partie",
        (Language::English, RecordState::Refunded) if is_charged_back => "charged back",
        (Language::English, RecordState::PartRefunded) if is_charged_back => "partly charged back",
        (_, state) => record_state(language, state),
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
