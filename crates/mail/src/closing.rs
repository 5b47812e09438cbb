//! What is said of a discrepancy that no longer exists: what settled it, and what remains.

use cvco_domain::{Cents, Currency, Due, Kind, Record, StillToPay, Tender, TenderState, Timestamp};

use super::catalogue::Language::{self, English, French};
use super::letter::Item;
use super::typography::{amount, day, paris};
use super::words;

/// What remains of an order once one of its discrepancies has closed.
enum Remains {
    Nothing,
    /// All that was paid went back.
    GivenBack,
    /// Nothing is accepted, and something is expected.
    Unpaid,
    ToPay(StillToPay),
    ToGiveBack(Cents),
}

impl Remains {
    fn of(item: &Item) -> Self {
        let Some(order) = &item.order else { return Self::Nothing };
        let gap = item.order_gap();
        if order.paid.is_positive() && order.refunded >= order.paid {
            return Self::GivenBack;
        }
        if order.paid == Cents::ZERO && !item.records.is_empty() {
            return Self::Unpaid;
        }
        match gap {
            Some(gap) if gap.is_positive() => Self::ToGiveBack(gap),
            Some(gap) if gap != Cents::ZERO && order.total.is_some() => Self::ToPay(order.still_to_pay()),
            Some(gap) if gap != Cents::ZERO => {
                Self::ToPay(StillToPay { overdue: gap.abs(), later: Vec::new() })
            }
            Some(_) | None => Self::Nothing,
        }
    }
}

/// The currency of the order, else that of its payments.
pub(super) fn currency(item: &Item) -> Currency {
    let total = item.order.as_ref().and_then(|order| order.total);
    total.map_or(item.currency, |total| total.currency)
}

/// What is left to do once a discrepancy has closed.
pub(super) fn remains(language: Language, item: &Item) -> String {
    let figure = |cents| amount(language, cents, currency(item));
    let others = item.order.as_ref().map_or(0, |order| order.others_open);
    let remains = Remains::of(item);
    let said = match (language, &remains) {
        (_, Remains::Nothing) if others == 0 => return all_is_well(language, item).to_owned(),
        (French, Remains::Nothing) => "Cet écart n’existe plus.".to_owned(),
        (English, Remains::Nothing) => "This discrepancy no longer exists.".to_owned(),
        (French, Remains::GivenBack) => {
            "Cet écart n’existe plus\u{a0}: tout ce que le client avait payé lui a été rendu. Si la vente est annulée, \
             il n’y a plus rien à faire."
                .to_owned()
        }
        (English, Remains::GivenBack) => {
            "This discrepancy no longer exists: all that the customer had paid was given back. If the sale is off, \
             there is nothing left to do."
                .to_owned()
        }
        (French, Remains::Unpaid) => {
            "Cet écart n’existe plus\u{a0}: aucun paiement n’est plus accepté pour cette commande, qui reste impayée. \
             Si la vente se fait, le client doit encore la payer."
                .to_owned()
        }
        (English, Remains::Unpaid) => {
            "This discrepancy no longer exists: no payment of this order is accepted any more, and it stays unpaid. If \
             the sale goes on, the customer still has to pay it."
                .to_owned()
        }
        (_, Remains::ToPay(left)) => to_pay(language, left, &figure),
        (French, Remains::ToGiveBack(gap)) => {
            format!("Cet écart n’existe plus, mais il reste {} en trop sur cette commande.", figure(*gap))
        }
        (English, Remains::ToGiveBack(gap)) => {
            format!("This discrepancy no longer exists, but {} of this order is still too much.", figure(*gap))
        }
    };
    match others_open(language, others) {
        Some(others) => format!("{said} {others}"),
        None => said,
    }
}

/// What is still to be paid of the order, now and later.
fn to_pay(language: Language, left: &StillToPay, figure: &impl Fn(Cents) -> String) -> String {
    let overdue = left.overdue.is_positive().then(|| figure(left.overdue));
    let later = due_later(language, &left.later, figure);
    match (language, overdue, later) {
        (French, Some(overdue), None) => {
            format!("Cet écart n’existe plus, mais il reste {overdue} à payer sur cette commande.")
        }
        (French, Some(overdue), Some(later)) => format!(
            "Cet écart n’existe plus, mais il reste {overdue} à payer sur cette commande, puis {later}."
        ),
        (French, None, later) => format!(
            "Cet écart n’existe plus. Il reste à payer sur cette commande {}\u{a0}: rien n’est en retard.",
            later.unwrap_or_default()
        ),
        (English, Some(overdue), None) => {
            format!("This discrepancy no longer exists, but {overdue} of this order is still to be paid.")
        }
        (English, Some(overdue), Some(later)) => format!(
            "This discrepancy no longer exists, but {overdue} of this order is still to be paid, then {later}."
        ),
        (English, None, later) => format!(
            "This discrepancy no longer exists. Of this order {} is still to be paid: nothing is overdue.",
            later.unwrap_or_default()
        ),
    }
}

/// What is due later: the next date, and what follows it.
fn due_later(language: Language, later: &[Due], figure: &impl Fn(Cents) -> String) -> Option<String> {
    let (next, rest) = later.split_first()?;
    let date = |due: &Due| due.at.map(|at| day(language, at.paris_day())).unwrap_or_default();
    let cents = figure(rest.iter().map(|due| due.cents).sum());
    let (first, on) = (figure(next.cents), date(next));
    Some(match (language, rest) {
        (French, []) => format!("{first} pour le {on}"),
        (English, []) => format!("{first} by {on}"),
        (French, [.., last]) => format!("{first} pour le {on} et {cents} ensuite, jusqu’au {}", date(last)),
        (English, [.., last]) => format!("{first} by {on} and {cents} after that, until {}", date(last)),
    })
}

fn others_open(language: Language, others: u32) -> Option<String> {
    Some(match (language, others) {
        (_, 0) => return None,
        (French, 1) => "La commande a un autre écart, qui reste ouvert.".to_owned(),
        (French, n) => format!("La commande a {n} autres écarts, qui restent ouverts."),
        (English, 1) => "The order has another discrepancy that is still open.".to_owned(),
        (English, n) => format!("The order has {n} other discrepancies that are still open."),
    })
}

/// Where nothing remains; of calls that never came or were refused it is not known whether payments were lost with them.
fn all_is_well(language: Language, item: &Item) -> &'static str {
    match (language, item.kind) {
        (French, Kind::SignatureFailures | Kind::CallsRefused) => {
            "Les appels ne sont plus refusés, mais ceux qui l’ont été ne sont pas enregistrés ici\u{a0}: de vrais paiements \
             peuvent manquer. Comparez les paiements de ces heures-là avec le back-office du prestataire, et faites-y \
             renvoyer les notifications qui manquent\u{a0}; à défaut, cvco-reconciled catch-up les redemande à son API, et \
             import-mail relit celles qu’il a envoyées par e-mail."
        }
        (English, Kind::SignatureFailures | Kind::CallsRefused) => {
            "Calls are no longer refused, but those that were are not recorded here: real payments may be missing. \
             Compare the payments of those hours with the provider’s back office, and have it send the missing \
             notifications again; or else cvco-reconciled catch-up asks its API for them, and import-mail reads those \
             that it sent by e-mail."
        }
        (French, Kind::EndpointSilent) => {
            "Des notifications arrivent à nouveau à cette adresse. Contrôlez dans le back-office du prestataire les \
             paiements faits entre-temps\u{a0}: ceux qui ne sont pas enregistrés ici sont à faire notifier à nouveau."
        }
        (English, Kind::EndpointSilent) => {
            "Notifications arrive at this address again. Check the payments of the time between in the provider’s back \
             office: have those notified again that are not recorded here."
        }
        (French, _) if item.order.is_some() => {
            "Tout est rentré dans l’ordre pour cette commande\u{a0}: il n’y a plus rien à faire."
        }
        (English, _) if item.order.is_some() => {
            "All is well again with this order: there is nothing left to do."
        }
        (French, _) => "Tout est rentré dans l’ordre\u{a0}: il n’y a plus rien à faire.",
        (English, _) => "All is well again: there is nothing left to do.",
    }
}

/// What happened since it opened that settled it; `None` where nothing is known to have.
pub(super) fn settled_by(language: Language, item: &Item) -> Option<String> {
    let mut events: Vec<(Timestamp, String)> = Vec::new();
    for record in &item.records {
        for tender in &record.tenders {
            events.extend(happened(language, record, tender, item.opened_at));
        }
    }
    if let Some(total) = item.order.as_ref().and_then(|order| order.total)
        && let Some(at) = total.changed_at.filter(|at| *at > item.opened_at)
    {
        let figure = amount(language, total.cents, total.currency);
        events.push((
            at,
            match language {
                French => format!("total de la commande passé à {figure} le {}", paris(language, at)),
                English => format!("order total set to {figure} {}", paris(language, at)),
            },
        ));
    }
    events.sort();
    let said: Vec<String> = events.into_iter().map(|(_, said)| said).collect();
    let semicolon = match language {
        French => "\u{a0}; ",
        English => "; ",
    };
    (!said.is_empty()).then(|| said.join(semicolon))
}

/// What became of a part since an instant.
fn happened(
    language: Language,
    record: &Record,
    tender: &Tender,
    since: Timestamp,
) -> Option<(Timestamp, String)> {
    let name = words::instrument(language, tender).to_lowercase();
    let figure = |cents| amount(language, cents, tender.currency);
    let psp = record.psp.title();
    if let Some(at) = tender.refunded_at.filter(|at| *at > since && tender.refunded.is_positive()) {
        let (cents, at_text) = (figure(tender.refunded), paris(language, at));
        let said = match language {
            French if tender.is_charged_back() => {
                format!("{name}\u{a0}: {cents} repris par la banque le {at_text} ({psp})")
            }
            English if tender.is_charged_back() => {
                format!("{name}: {cents} taken back by the bank {at_text} ({psp})")
            }
            French => format!("{name}\u{a0}: {cents} remboursés le {at_text} ({psp})"),
            English => format!("{name}: {cents} refunded {at_text} ({psp})"),
        };
        return Some((at, said));
    }
    // When a part was cancelled is not kept: it counts as the last that happened.
    if matches!(tender.state, TenderState::Cancelled | TenderState::Expired) {
        let (cents, state) = (figure(tender.amount), words::tender_state(language, tender.state));
        return Some((tender.first_seen_at.max(since), format!("{name} {cents} {state} ({psp})")));
    }
    let accepted_at = tender.authorised_at.unwrap_or(tender.first_seen_at);
    let at = accepted_at.max(tender.first_seen_at);
    (tender.state.is_accepted() && at > since).then(|| {
        let (cents, accepted) = (figure(tender.amount), paris(language, accepted_at));
        // What had happened before, and was heard of since.
        let heard = (accepted_at <= since).then(|| paris(language, at));
        let said = match (language, heard) {
            (French, None) => format!("{name} {cents} accepté le {accepted} ({psp})"),
            (French, Some(heard)) => {
                format!("{name} {cents} accepté le {accepted}, notifié le {heard} ({psp})")
            }
            (English, None) => format!("{name} {cents} accepted {accepted} ({psp})"),
            (English, Some(heard)) => format!("{name} {cents} accepted {accepted}, notified {heard} ({psp})"),
        };
        (at, said)
    })
}

/// Whether the gap of the order says anything: what was given back, or never accepted, lacks nothing.
pub(super) fn has_gap(item: &Item) -> bool {
    matches!(Remains::of(item), Remains::ToPay(_) | Remains::ToGiveBack(_))
}
