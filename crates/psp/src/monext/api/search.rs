//! `transactionsSearch`: which transactions there are. The answer names them and says little more, so each becomes a
//! question.

use std::time::Duration;

use cvco_domain::{Asking, Bilingual, OrderRef, Question, Standing, Timestamp};

use super::super::codes::Class;
use super::super::settings::Settings;
use super::super::subject::{TransactionId, Window};
use super::calls::{SoapCall, TRANSACTIONS_SEARCH};
use super::details::verdict;
use super::outcome::{only, without_payment};
use super::reply::{Unanswered, response};
use super::xml::{Element, Space};
use crate::api::{Answer, Exchange, NoAnswer, Step};

/// A search states 5000 transactions at most.
const MAX_FOUND: usize = 5000;

const DAY: Duration = Duration::from_hours(24);

/// How far back an order is looked for; the shorter spans are for a platform that finds the first too long.
const REACHES: [Duration; 3] = [DAY.saturating_mul(30), DAY.saturating_mul(7), DAY];

/// What a search comes to.
enum Found {
    Transactions(Answer),
    TooMuch(Bilingual),
    Other(Step),
}

/// The next step of a search in a span of time. What is too much for one answer is asked for in halves.
pub(super) fn in_window(window: &Window, settings: &Settings, said: &[Exchange]) -> Step {
    let Some(exchange) = said.last() else {
        return Step::Call(SoapCall::window(window).at_home(settings));
    };
    match found(exchange, Standing::Settled) {
        Found::Transactions(answer) => Step::Answered(answer),
        Found::Other(step) => step,
        Found::TooMuch(why) => match window.halves() {
            Some(halves) => Step::Answered(Answer {
                questions: halves.iter().filter_map(|half| half.question().ok()).collect(),
                ..only(Standing::Settled, format!("{}: asked again in halves", why.english))
            }),
            None => Step::Failed(NoAnswer::trouble(
                format!("{}, en une seule minute", why.french),
                format!("{}, within a single minute", why.english),
            )),
        },
    }
}

/// The next step of a search by the shop's reference.
pub(super) fn by_order(reference: &OrderRef, settings: &Settings, said: &[Exchange], now: Timestamp) -> Step {
    // What happens in this very minute is not to be missed.
    let until = now.after(Duration::from_mins(1));
    let why = match said.last().map(|exchange| found(exchange, Standing::Unknown)) {
        Some(Found::Transactions(answer)) => return Step::Answered(answer),
        Some(Found::Other(step)) => return step,
        Some(Found::TooMuch(why)) => why,
        None => Bilingual::same(""),
    };
    match REACHES.get(said.len()) {
        Some(reach) => Step::Call(SoapCall::order(reference, now.before(*reach), until).at_home(settings)),
        None => Step::Failed(NoAnswer::Trouble(why)),
    }
}

/// `none`: how it stands if there is nothing.
fn found(exchange: &Exchange, none: Standing) -> Found {
    let answer = match response(exchange, TRANSACTIONS_SEARCH) {
        Ok(answer) => answer,
        Err(Unanswered::TooLarge(why)) => return Found::TooMuch(why),
        Err(miss) => return Found::Other(Step::Failed(miss.into())),
    };
    let verdict = match verdict(&answer) {
        Ok(verdict) => verdict,
        Err(garbled) => return Found::Other(Step::Failed(garbled.into())),
    };
    match verdict.class {
        Class::Paid => Found::Transactions(Answer {
            standing: Standing::Settled,
            events: Vec::new(),
            questions: listed(&answer),
            remark: None,
        }),
        Class::NoneFound => Found::Transactions(only(none, "no transaction found".to_owned())),
        Class::TooMuch => Found::TooMuch(Bilingual::new(
            format!("Monext répond {}", verdict.code),
            format!("Monext answers {}", verdict.code),
        )),
        Class::BadRequest => Found::Other(Step::Failed(NoAnswer::trouble(
            format!("Monext n’accepte pas la recherche ({})", verdict.code),
            format!("Monext does not take the search ({})", verdict.code),
        ))),
        Class::PaidAtRisk
        | Class::Pending
        | Class::Refused
        | Class::Failed
        | Class::Abandoned
        | Class::Cancelled
        | Class::Duplicate
        | Class::NotAPayment
        | Class::Contradiction
        | Class::UnknownSubject
        | Class::KnownElsewhere
        | Class::Trouble
        | Class::Setting => Found::Other(without_payment(&verdict)),
    }
}

/// Each transaction once.
fn listed(answer: &Element) -> Vec<Question> {
    let mut questions: Vec<Question> = answer
        .all(Space::Impl, "transactionList")
        .flat_map(|list| list.all(Space::Obj, "transaction"))
        .filter_map(|transaction| TransactionId::new(transaction.text(Space::Obj, "id")?).ok())
        .filter_map(|id| id.question(Asking::Once).ok())
        .take(MAX_FOUND)
        .collect();
    questions.sort();
    questions.dedup();
    questions
}
