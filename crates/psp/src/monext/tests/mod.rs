//! The adapter against messages as they are on the wire (`fixtures/monext/`), and against answers as the sandbox makes
//! them.

mod conversations;
mod documents;
mod pings;
mod recorded;
mod searches;
mod sessions;
mod transactions;

use super::answers::{self, Leg, Payment, Prefixes};
use super::*;
use crate::Method;
use crate::api::{
    Answer, Api, ApiRequest, ApiResponse, BaseUrl, CallFailure, Exchange, Inquiry, NoAnswer, Step,
};

/// A recorded HTTP message.
macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/monext/", $name, ".http"))
    };
}
use cvco_domain::{
    Cents, Contract, Event, Instrument, Question, ReportedState, Standing, Subject, TenderId, Timestamp,
    Topic,
};
use fixture;

const TOKEN: &str = "16RjWdtpDkFVfZkGV4031701964772640";
const VOUCHER: &str = "24342100000001";
const CARD: &str = "24342100000002";

fn body(message: &'static str) -> &'static str {
    let (head, body) = message.split_once("\r\n\r\n").expect("an HTTP message");
    assert!(head.lines().any(|line| line == format!("Content-Length: {}", body.len())), "whole");
    body
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("an instant")
}

fn now() -> Timestamp {
    at("2026-03-31T12:00:00Z")
}

fn settings() -> Settings {
    let contract = |text| vec![Contract::new(text).expect("a contract")];
    Settings {
        mode: Mode::Test,
        merchant_id: "12345678901234".to_owned(),
        access_key: "abCdeFgHiJKLmNoPqrst\n".to_owned().into(),
        base_url: BaseUrl::parse("https://homologation.payline.com/V4/services").expect("an address"),
        directory_url: BaseUrl::parse(
            "https://homologation-payment.payline.com/services/servicesendpoints/SOAP",
        )
        .ok(),
        voucher_contracts: contract("ANCV_TEST"),
        card_contracts: contract("CB_TEST"),
    }
}

fn monext() -> Monext {
    Monext::new(settings())
}

fn question(topic: Topic, subject: &str) -> Question {
    Question { topic, subject: Subject::new(subject).expect("a subject"), asking: Asking::Again }
}

/// The next step at `adapter`, of which the ledger knows these events, after these outcomes.
fn step(
    adapter: &Monext,
    question: &Question,
    known: &[Event],
    outcomes: &[Result<ApiResponse, CallFailure>],
) -> Step {
    let inquiry = Inquiry { question, known };
    let mut said: Vec<Exchange> = Vec::new();
    for outcome in outcomes {
        match adapter.next(&inquiry, &said, now()) {
            Step::Call(request) => said.push(Exchange { request, outcome: outcome.clone() }),
            other @ (Step::Answered(_) | Step::Failed(_)) => panic!("after {} calls: {other:?}", said.len()),
        }
    }
    adapter.next(&inquiry, &said, now())
}

#[expect(clippy::unnecessary_wraps, reason = "the outcome of a call, beside those that fail")]
fn status(status: u16, body: &str) -> Result<ApiResponse, CallFailure> {
    Ok(ApiResponse { status, body: body.as_bytes().to_vec() })
}

fn ok(body: &str) -> Result<ApiResponse, CallFailure> {
    status(200, body)
}

fn answered(step: Step) -> Answer {
    match step {
        Step::Answered(answer) => answer,
        other @ (Step::Call(_) | Step::Failed(_)) => panic!("an answer, not {other:?}"),
    }
}

fn called(step: Step) -> ApiRequest {
    match step {
        Step::Call(request) => request,
        other @ (Step::Answered(_) | Step::Failed(_)) => panic!("a call, not {other:?}"),
    }
}

fn failed(step: Step) -> NoAnswer {
    match step {
        Step::Failed(none) => none,
        other @ (Step::Call(_) | Step::Answered(_)) => panic!("a failure, not {other:?}"),
    }
}

/// The answer about a session, of which nothing is known yet; without a directory, so that it is the only call.
fn session(body: &str) -> Step {
    let adapter = Monext::new(Settings { directory_url: None, ..settings() });
    step(&adapter, &question(Topic::Session, TOKEN), &[], &[ok(body)])
}

fn transaction(id: &str, known: &[Event], body: &str) -> Step {
    step(&monext(), &question(Topic::Transaction, id), known, &[ok(body)])
}

fn leg(id: &str, method: &str, contract: &str, cents: i64) -> Leg {
    Leg {
        id: id.to_owned(),
        amount: Cents::new(cents),
        action: "101",
        contract: contract.to_owned(),
        method: method.to_owned(),
        at: at("2026-03-31T10:00:00Z"),
        authorisation: None,
    }
}

/// Voucher 60.00 and card 40.00 of an order of 100.00.
fn split() -> Payment {
    Payment {
        result: answers::ACCEPTED,
        order: Some(("CMD-1001".to_owned(), Cents::new(10_000))),
        legs: vec![leg(VOUCHER, "ANCV_CONNECT", "ANCV_TEST", 6000), leg(CARD, "CB", "CB_TEST", 4000)],
        history: Vec::new(),
    }
}

fn tender(event: &Event) -> (&str, Instrument, i64, ReportedState) {
    let id = event.tender_id.as_ref().map_or("", TenderId::as_str);
    (id, event.instrument, event.amount.get(), event.state)
}

fn tenders(answer: &Answer) -> Vec<(&str, Instrument, i64, ReportedState)> {
    answer.events.iter().map(tender).collect()
}
