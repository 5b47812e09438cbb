//! What a result means for a question, whatever it was about.

use cvco_domain::{Asking, Bilingual, Event, Question, ReportedState, Standing, TenderId};

use super::super::codes::{Class, Verdict, meaning};
use super::super::subject::TransactionId;
use super::booking::Booking;
use super::details::{Leg, Unreadable};
use crate::api::{Answer, NoAnswer, Step};

/// The step after an answer about a payment. `about` is the transaction that was asked for; without it the result is
/// that of a session as a whole. `paid` says what to do if there is money.
pub(super) fn step(
    booking: &Booking<'_>,
    about: Option<&TenderId>,
    paid: impl FnOnce() -> Result<Answer, Unreadable>,
) -> Step {
    let answered = match booking.details.verdict.class {
        Class::Paid | Class::PaidAtRisk => paid(),
        Class::Refused | Class::Failed => failed(booking, about, ReportedState::Refused),
        Class::Abandoned => failed(booking, about, ReportedState::Abandoned),
        Class::Cancelled => failed(booking, about, ReportedState::Cancelled),
        Class::Contradiction => booking
            .unpaid(ReportedState::Pending, None)
            .map(|events| Answer { events, ..only(Standing::Unsettled, said(&booking.details.verdict)) }),
        Class::Pending
        | Class::Duplicate
        | Class::NotAPayment
        | Class::UnknownSubject
        | Class::KnownElsewhere
        | Class::NoneFound
        | Class::TooMuch
        | Class::BadRequest
        | Class::Trouble
        | Class::Setting => return without_payment(&booking.details.verdict),
    };
    answered.map_or_else(|garbled| Step::Failed(garbled.into()), Step::Answered)
}

/// The step after a result that names no payment.
pub(super) fn without_payment(verdict: &Verdict) -> Step {
    let standing = match verdict.class {
        Class::Trouble | Class::TooMuch => return Step::Failed(NoAnswer::Trouble(answered(verdict))),
        Class::Setting => return Step::Failed(NoAnswer::Setting(what_to_change(verdict))),
        Class::Pending | Class::Contradiction => Standing::Unsettled,
        Class::UnknownSubject | Class::KnownElsewhere | Class::NoneFound | Class::BadRequest => {
            Standing::Unknown
        }
        Class::Paid
        | Class::PaidAtRisk
        | Class::Refused
        | Class::Failed
        | Class::Abandoned
        | Class::Cancelled
        | Class::Duplicate
        | Class::NotAPayment => Standing::Settled,
    };
    Step::Answered(only(standing, said(verdict)))
}

/// Nothing was paid. An attempt with a transaction is recorded. A session of several parts has one result for all of
/// them, which may be wrong for one: each is asked for by itself.
fn failed(
    booking: &Booking<'_>,
    about: Option<&TenderId>,
    state: ReportedState,
) -> Result<Answer, Unreadable> {
    let legs = &booking.details.legs;
    let whole = only(Standing::Settled, said(&booking.details.verdict));
    match about {
        None if legs.len() > 1 => Ok(Answer { questions: histories(legs.iter(), Asking::Again), ..whole }),
        None => Ok(Answer { events: booking.unpaid(state, None)?, ..whole }),
        Some(id) => Ok(Answer {
            events: booking.unpaid(state, Some(id))?,
            questions: histories(legs.iter().filter(|leg| leg.id != *id), Asking::Once),
            ..whole
        }),
    }
}

/// The questions that ask for parts by their transactions.
pub(super) fn histories<'a>(legs: impl Iterator<Item = &'a Leg>, asking: Asking) -> Vec<Question> {
    legs.filter_map(|leg| about(&leg.id, asking)).collect()
}

/// The question about a transaction.
pub(super) fn about(id: &TenderId, asking: Asking) -> Option<Question> {
    TransactionId::new(id.as_str()).ok()?.question(asking).ok()
}

/// An answer that says no more than this.
pub(super) fn only(standing: Standing, remark: String) -> Answer {
    Answer { standing, events: Vec::new(), questions: Vec::new(), remark: Some(remark) }
}

/// An answer with these facts.
pub(super) fn settled(events: Vec<Event>) -> Answer {
    Answer { standing: Standing::Settled, events, questions: Vec::new(), remark: None }
}

fn said(verdict: &Verdict) -> String {
    answered(verdict).english
}

fn answered(verdict: &Verdict) -> Bilingual {
    let code = &verdict.code;
    match meaning(code) {
        None => Bilingual::new(
            format!("Monext répond {code}, qui ne figure dans aucune table"),
            format!("Monext answers {code}, which is in no table"),
        ),
        Some(meaning) => Bilingual::new(
            format!("Monext répond {code} (en anglais\u{a0}: {meaning})"),
            format!("Monext answers {code}: {meaning}"),
        ),
    }
}

fn what_to_change(verdict: &Verdict) -> Bilingual {
    let (french, english) = match verdict.code.as_str() {
        "02303" => ("vérifiez voucher_contracts", "check voucher_contracts"),
        _ => (
            "vérifiez merchant_id, access_key et les droits que leur donne le Centre d’administration",
            "check merchant_id, access_key and the rights that the Administration Center gives them",
        ),
    };
    let answered = answered(verdict);
    Bilingual::new(format!("{}\u{a0}; {french}", answered.french), format!("{}; {english}", answered.english))
}

impl From<Unreadable> for NoAnswer {
    fn from(garbled: Unreadable) -> Self {
        Self::trouble(
            format!("la réponse de Monext n’est pas comprise (en anglais\u{a0}: {garbled})"),
            format!("Monext's answer cannot be understood: {garbled}"),
        )
    }
}
