//! Monext's SOAP services as an [`Api`].

mod booking;
pub(super) mod calls;
mod capture;
mod details;
mod failover;
mod outcome;
mod reply;
mod search;
mod session;
mod share;
pub(super) mod soap;
mod transaction;
mod when;
pub(super) mod xml;

use cvco_domain::{
    Asking, Bilingual, Event, Operation, OrderRef, Question, Standing, Subject, TenderId, Timestamp, Topic,
    Worded,
};

use super::Monext;
use super::codes::Class;
use super::subject::{Token, TransactionId, Window};
use calls::SoapCall;
use details::verdict;
use failover::Judgement;
use outcome::{only, without_payment};
use reply::{Unanswered, response};

use crate::api::{Api, Exchange, Inquiry, NoAnswer, ProbeStep, Step};

/// A token that no session has: it does not end with the time of its making.
const NOBODYS_TOKEN: &str = "cvcoReconciledAsksWhetherYouHear";

impl Api for Monext {
    fn next(&self, inquiry: &Inquiry<'_>, said: &[Exchange], now: Timestamp) -> Step {
        let subject = inquiry.question.subject.as_str();
        match inquiry.question.topic {
            Topic::Session => Token::new(subject)
                .map_or_else(|error| unknown(error.to_string()), |token| self.session(inquiry, &token, said)),
            Topic::Transaction => TransactionId::new(subject)
                .map_or_else(|error| unknown(error.to_string()), |id| self.transaction(inquiry, &id, said)),
            Topic::Window => Window::parse(subject).map_or_else(
                || unknown("this is no span of time".to_owned()),
                |window| search::in_window(&window, &self.settings, said),
            ),
            Topic::Order => OrderRef::new(subject).map_or_else(
                |error| unknown(error.to_string()),
                |reference| search::by_order(&reference, &self.settings, said, now),
            ),
            Topic::Payment => {
                unknown("Monext has no call numbers; it knows sessions and transactions".to_owned())
            }
        }
    }

    fn probe(&self, said: &[Exchange], _now: Timestamp) -> ProbeStep {
        match (Token::new(NOBODYS_TOKEN), said.last()) {
            (Err(error), _) => ProbeStep::Bad(NoAnswer::Trouble(error.words())),
            (Ok(token), None) => ProbeStep::Call(SoapCall::session(&token).at_home(&self.settings)),
            (Ok(token), Some(exchange)) => probed(exchange, &token),
        }
    }

    /// One search for each voucher contract: the card parts come with the transactions that it finds.
    fn window(&self, from: Timestamp, until: Timestamp) -> Vec<Question> {
        let contracts = &self.settings.voucher_contracts;
        let searches =
            if contracts.is_empty() { vec![None] } else { contracts.iter().cloned().map(Some).collect() };
        searches
            .into_iter()
            .filter_map(|contract| Window::new(from, until, contract)?.question().ok())
            .collect()
    }

    fn order(&self, reference: &OrderRef) -> Option<Question> {
        let subject = Subject::new(reference.as_str()).ok()?;
        Some(Question { topic: Topic::Order, subject, asking: Asking::Again })
    }

    fn again(&self, event: &Event) -> Option<Question> {
        let call = event.call_number.as_str();
        let tender = event.tender_id.as_ref().map(TenderId::as_str);
        if let Some(token) = Token::recognise(call).filter(|_| tender != Some(call)) {
            return token.question(Asking::Again).ok();
        }
        // The history of a payment tells of its refunds, not the other way round.
        let paid = match &event.operation {
            Operation::Credit { of: Some(of) } => Some(of.as_str()),
            Operation::Credit { of: None } | Operation::Chargeback { .. } | Operation::Debit => tender,
        };
        TransactionId::new(paid?).ok()?.question(Asking::Again).ok()
    }
}

impl Monext {
    fn session(&self, inquiry: &Inquiry<'_>, token: &Token, said: &[Exchange]) -> Step {
        let call = SoapCall::session(token);
        let operation = call.operation;
        failover::next(&call, &self.settings, said, |exchange| {
            let answer = match response(exchange, operation) {
                Ok(answer) => answer,
                Err(Unanswered::Down { cause, why }) => {
                    let for_want_of_better = Step::Failed(NoAnswer::Trouble(why));
                    return Judgement::AskElsewhere { cause, for_want_of_better };
                }
                Err(miss) => return Judgement::Final(Step::Failed(miss.into())),
            };
            let step = session::answered(&self.settings, inquiry, token, &answer);
            match verdict(&answer) {
                // The codes for which Monext's PHP library tries another platform, and the one that says so.
                Ok(verdict) if matches!(&*verdict.code, "02101" | "04901" | "02318") => {
                    Judgement::AskElsewhere {
                        cause: format!("APP_{}", verdict.code),
                        for_want_of_better: step,
                    }
                }
                Ok(_) | Err(_) => Judgement::Final(step),
            }
        })
    }

    fn transaction(&self, inquiry: &Inquiry<'_>, id: &TransactionId, said: &[Exchange]) -> Step {
        let call = SoapCall::transaction(id);
        match said.last() {
            None => Step::Call(call.at_home(&self.settings)),
            Some(exchange) => match response(exchange, call.operation) {
                Ok(answer) => transaction::answered(&self.settings, inquiry, id.as_str(), &answer),
                Err(miss) => Step::Failed(miss.into()),
            },
        }
    }
}

fn unknown(why: String) -> Step {
    Step::Answered(only(Standing::Unknown, why))
}

fn probed(exchange: &Exchange, token: &Token) -> ProbeStep {
    let verdict = match response(exchange, calls::GET_WEB_PAYMENT_DETAILS) {
        Ok(answer) => verdict(&answer),
        Err(miss) => return ProbeStep::Bad(miss.into()),
    };
    match verdict {
        Ok(verdict) => match verdict.class {
            Class::UnknownSubject | Class::KnownElsewhere | Class::BadRequest | Class::Abandoned => {
                let (code, token) = (verdict.code, token.as_str());
                ProbeStep::Good(Bilingual::new(
                    format!("Monext accepte les identifiants, et ne connaît pas le jeton {token} ({code})"),
                    format!("Monext takes the credentials, and does not know the token {token} ({code})"),
                ))
            }
            Class::Paid
            | Class::PaidAtRisk
            | Class::Pending
            | Class::Refused
            | Class::Failed
            | Class::Cancelled
            | Class::Duplicate
            | Class::NotAPayment
            | Class::Contradiction
            | Class::NoneFound
            | Class::TooMuch
            | Class::Trouble
            | Class::Setting => match without_payment(&verdict) {
                Step::Failed(none) => ProbeStep::Bad(none),
                Step::Answered(_) | Step::Call(_) => ProbeStep::Bad(NoAnswer::trouble(
                    format!("Monext répond {} à un jeton qui ne peut pas exister", verdict.code),
                    format!("Monext answers {} to a token that cannot exist", verdict.code),
                )),
            },
        },
        Err(garbled) => ProbeStep::Bad(garbled.into()),
    }
}
