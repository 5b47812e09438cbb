//! The answer of `getTransactionDetails`: one transaction, and what was done to it since.

use std::collections::BTreeMap;

use cvco_domain::{Asking, CallNumber, IdError, Standing, TenderId};

use super::super::settings::Settings;
use super::booking::Booking;
use super::details::{Details, HistoryEntry, Leg, Unreadable};
use super::outcome::{about, only, settled, step};
use super::xml::Element;
use crate::api::{Answer, Inquiry, NoAnswer, Step};

/// What a transaction does.
enum Nature {
    Payment,
    /// It gives money back.
    Refund,
    /// It changes another: a capture, a reset.
    Change,
}

/// The step after the answer.
pub(super) fn answered(settings: &Settings, inquiry: &Inquiry<'_>, id: &str, response: &Element) -> Step {
    let read = || -> Result<_, Unreadable> {
        let wrong = |error: IdError| Unreadable(error.to_string());
        let details = Details::read(response)?;
        Ok((details, TenderId::new(id).map_err(wrong)?, CallNumber::new(id).map_err(wrong)?))
    };
    match read() {
        Ok((details, id, call)) => {
            let booking = Booking::new(&details, inquiry.known, settings, call);
            step(&booking, Some(&id), || paid(&booking, &id))
        }
        Err(garbled) => Step::Failed(NoAnswer::from(garbled)),
    }
}

fn paid(booking: &Booking<'_>, id: &TenderId) -> Result<Answer, Unreadable> {
    let details = booking.details;
    let Some(leg) = details.legs.iter().find(|leg| leg.id == *id) else {
        return Err(Unreadable("it is about another transaction than was asked for".to_owned()));
    };
    match nature(leg, &details.history) {
        Nature::Payment => payment(booking),
        Nature::Refund => {
            let of = origin(leg, &details.history);
            let questions = of.as_ref().and_then(|of| about(of, Asking::Once)).into_iter().collect();
            Ok(Answer { questions, ..settled(vec![booking.refund(leg, of.as_ref())?]) })
        }
        Nature::Change => {
            let told = "a capture or a reset: told by the transaction that it changes";
            let questions = origin(leg, &details.history).and_then(|of| about(&of, Asking::Again));
            Ok(Answer {
                questions: questions.into_iter().collect(),
                ..only(Standing::Settled, told.to_owned())
            })
        }
    }
}

/// The parts of a payment, and what its history says of them.
fn payment(booking: &Booking<'_>) -> Result<Answer, Unreadable> {
    let details = booking.details;
    let mut answer = settled(booking.paid(details.legs.len() > 1)?);
    let main = details.legs.iter().find(|leg| leg.is_main);
    let is_done =
        |entry: &&HistoryEntry| entry.succeeded && !details.legs.iter().any(|leg| leg.id == entry.id);
    let mut lines: BTreeMap<&TenderId, Vec<&HistoryEntry>> = BTreeMap::new();
    for entry in details.history.iter().filter(is_done) {
        match entry.of.as_ref().or(main.map(|leg| &leg.id)) {
            Some(of) if details.legs.iter().any(|leg| leg.id == *of) => {
                lines.entry(of).or_default().push(entry);
            }
            // Of another transaction: its own history tells.
            Some(of) => answer.questions.extend(about(of, Asking::Once)),
            None => {}
        }
    }
    let mut done = Vec::new();
    for (leg, paid) in details.legs.iter().zip(&mut answer.events) {
        let lines = lines.remove(&leg.id).unwrap_or_default();
        done.extend(booking.done_to(leg, paid, &lines)?);
    }
    answer.events.extend(done);
    Ok(answer)
}

/// By the label of the transaction, else by the action that was asked for; its own line in the history has a label
/// too.
fn nature(leg: &Leg, history: &[HistoryEntry]) -> Nature {
    let listed = history.iter().find(|entry| entry.id == leg.id).map(|entry| entry.kind.as_str());
    match (leg.kind.as_deref().or(listed), leg.action.as_deref()) {
        (Some("REFUND" | "CREDIT"), _) | (None, Some("421" | "422")) => Nature::Refund,
        (Some("CAPTURE" | "RESET" | "MICROCANCEL"), _) | (None, Some("201")) => Nature::Change,
        _ => Nature::Payment,
    }
}

/// What a refund or a change was done to: as its own line of the history says, else the only payment there is.
fn origin(leg: &Leg, history: &[HistoryEntry]) -> Option<TenderId> {
    let own = history.iter().find(|entry| entry.id == leg.id).and_then(|entry| entry.of.clone());
    own.filter(|of| *of != leg.id).or_else(|| {
        let mut payments = history
            .iter()
            .filter(|entry| entry.id != leg.id && matches!(entry.kind.as_str(), "AUTHOR" | "AUTHOR+CAP"));
        let first = payments.next()?;
        payments.next().is_none().then(|| first.id.clone())
    })
}
