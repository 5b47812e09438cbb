//! Words that several pages and files say.

use cvco_domain::{
    Cents, Event, Grounds, Instrument, Issuer, Operation, Source, Tender, Timestamp, Way, Worded,
};
use cvco_ledger::{OrderRow, OrderStanding, RelayState, Reported};
use cvco_mail::lists;

use crate::{Say, cut, outside};

/// What came in, and how far it was proven.
pub(crate) fn verdict(t: Say, report: &Reported) -> String {
    let said = match (report.source, report.verdict.as_deref()) {
        (Source::Confirmation, _) => {
            t.say("réponse du prestataire interrogé", "answer of the provider's API")
        }
        (_, Some("genuine")) => t.say("notification authentique", "genuine notification"),
        (_, Some("duplicate")) => t.say("notification répétée", "repeated notification"),
        (_, Some("ignored")) => t.say("notification sans objet", "notification of no concern"),
        (_, Some("hint")) => t.say("appel sans preuve", "call without proof"),
        (_, Some("unread")) => t.say("notification non comprise", "notification not understood"),
        (_, Some(_) | None) => t.say("notification", "notification"),
    };
    match report.origin.as_deref() {
        Some("mail") => {
            format!("{said}{}", t.say(", tirée d'un e-mail d'avertissement", ", from a warning e-mail"))
        }
        Some("log") => {
            format!("{said}{}", t.say(", tirée du journal d'un serveur web", ", from a web server's log"))
        }
        _ => said,
    }
}

/// What is stated of money, in a line.
pub(crate) fn event(t: Say, event: &Event) -> String {
    let Event { brand, currency, operation, state, status, .. } = event;
    format!(
        "{} {} {}, {} ({} {})",
        lists::operation(t.0, operation),
        outside(lists::brand(t.0, brand)),
        t.money(moved(event), *currency),
        lists::outcome(t.0, operation, *state),
        t.say("statut", "status"),
        outside(&status.code)
    )
}

/// The amount of an event: below zero where money goes back.
pub(crate) fn moved(event: &Event) -> Cents {
    if event.operation == Operation::Debit { event.amount } else { Cents::ZERO.minus(event.amount) }
}

/// What a message about a discrepancy tells.
pub(crate) fn news(t: Say, news: &str) -> String {
    match news {
        "opened" => t.say("annonce", "told"),
        "reminded" => t.say("rappel", "reminder"),
        "escalated" => t.say("relance", "escalation"),
        _ => t.say("résolution", "resolution"),
    }
}

/// What sort of message it is.
#[must_use]
pub fn mail_class(t: Say, class: &str) -> String {
    match class {
        "urgent" => t.say("urgent", "urgent"),
        "digest" => t.say("récapitulatif", "digest"),
        "escalation" => t.say("relance", "escalation"),
        "anchor" => t.say("ancre de preuve", "anchor of the proof"),
        "week" => t.say("semaine", "week"),
        other => outside(other),
    }
}

/// By what a message goes.
#[must_use]
pub fn way(t: Say, way: &Way) -> String {
    if way.is_mail() { t.say("e-mail", "e-mail") } else { outside(way.as_str()) }
}

/// Where a relay stands.
#[must_use]
pub fn relay_state(t: Say, state: RelayState) -> String {
    match state {
        RelayState::Owed => t.say("à transmettre", "owed"),
        RelayState::Delivered => t.say("transmis", "delivered"),
        RelayState::Refused => t.say("refusé par la boutique", "refused by the shop"),
        RelayState::Parked => t.say("en attente d'une décision", "waits for a decision"),
        RelayState::Dropped => t.say("abandonné", "dropped"),
    }
}

/// Where a question stands.
pub(crate) fn question_state(t: Say, state: &str) -> String {
    match state {
        "open" => t.say("sans réponse", "open"),
        "unsettled" => t.say("pas encore décidé", "not decided yet"),
        "settled" => t.say("répondu", "answered"),
        "unknown" => t.say("inconnu du prestataire", "unknown to the provider"),
        "given_up" => t.say("abandonné", "given up"),
        _ => t.say("retiré", "withdrawn"),
    }
}

/// Who sent a statement.
pub(crate) fn issuer(t: Say, issuer: Issuer) -> String {
    outside(lists::issuer(t.0, issuer))
}

/// By what a line of a statement was found to be an order's.
pub(crate) fn matched_by(t: Say, by: &str) -> String {
    match by {
        "transaction" => t.say("transaction", "transaction"),
        "authorisation" => t.say("autorisation", "authorisation"),
        "reference_and_amount" => t.say("référence et montant", "reference and amount"),
        _ => t.say("référence", "reference"),
    }
}

/// What a part of a payment is.
pub(crate) fn part(t: Say, tender: &Tender) -> String {
    match (tender.instrument, tender.complement) {
        (Instrument::Card, true) => t.say("Complément carte", "Card complement"),
        _ => lists::instrument(t.0, tender.instrument, Some(&tender.brand)).to_owned(),
    }
}

/// An instant as the ledger writes it.
pub(crate) fn at_text(t: Say, text: &str) -> String {
    Timestamp::parse(text).map_or_else(|_| outside(text), |at| t.paris(at))
}

/// Where a row of the list of orders stands.
pub(crate) fn stands(t: Say, row: &OrderRow) -> &'static str {
    match row {
        OrderRow::Payment(payment) => lists::payment_state(t.0, payment.state, payment.is_charged_back()),
        OrderRow::Awaited(order) => lists::awaited(t.0, order.expected),
    }
}

/// What rows are asked for.
pub(crate) fn standing(t: Say, standing: OrderStanding) -> &'static str {
    match standing {
        OrderStanding::Payment(state) => lists::record_state(t.0, state),
        OrderStanding::Awaited => lists::awaited(t.0, Cents::new(1)),
    }
}

/// Why a call was refused.
pub(crate) fn grounds(t: Say, grounds: &Grounds) -> String {
    if let Grounds::Form { psp, .. } = grounds {
        let psp = psp.title();
        return t.say(
            &format!("ce n’est pas une notification de {psp}"),
            &format!("not a notification of {psp}"),
        );
    }
    t.say(&grounds.in_french(), &grounds.to_string())
}

/// What is technical about that, in English: a name of a field, and what is odd about it.
pub(crate) fn particulars(grounds: &Grounds) -> Option<String> {
    if let Grounds::Form { what, .. } = grounds { Some(cut(&outside(what), 300)) } else { None }
}
