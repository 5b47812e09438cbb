//! The adapter as a whole: what it takes for a hint, what it asks, and what it makes of the answers.

use cvco_domain::{
    AmountFrom, Asking, Authorisation, Cents, Currency, Event, Instrument, Mode, Question, ReportedState,
    Standing, StatusReading, Subject, Timestamp, Topic,
};
use proptest::prelude::*;

use super::{Ancv, Settings, Transaction, asked_about, refusal};
use crate::api::{
    Answer, Api, ApiResponse, BaseUrl, CallFailure, Exchange, Inquiry, NoAnswer, ProbeStep, Step,
};
use crate::{Adapter, Method, Reading, Rejection, Request};

/// One recorded HTTP message.
macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/ancv/", $name, ".http"))
    };
}

// Behind the macro, which they use.
mod asking;
mod facts;
mod failures;
mod hints;
mod recorded;

const ID: &str = "fiawa31zot";
const AUTHORIZED: &str = fixture!("authorized");

fn adapter() -> Ancv {
    Ancv::new(Settings {
        mode: Mode::Production,
        shop_id: "10000651".into(),
        service_provider_id: "100016".into(),
        base_url: BaseUrl::parse("https://ancv.example/acquisition/api/public/v1").expect("an address"),
        key_version: "ver001".into(),
        key: "0123456789abcdef0123456789abcdef".to_owned().into(),
    })
}

fn now() -> Timestamp {
    Timestamp::parse("2026-03-01T13:10:00Z").expect("an instant")
}

fn body(http: &str) -> &str {
    http.split_once("\r\n\r\n").expect("head and body").1
}

fn status(http: &str) -> u16 {
    http.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

fn question(topic: Topic, subject: &str) -> Question {
    Question { topic, subject: Subject::new(subject).expect("valid"), asking: Asking::Sparingly }
}

fn hint(body: &[u8]) -> Result<Vec<Question>, Rejection> {
    let request = Request { method: Method::Post, query: b"", body, headers: &[] };
    let message = adapter().prove(&request)?;
    match adapter().read(&message) {
        Ok(Reading::Hint { questions, .. }) => Ok(questions),
        other => panic!("nobody sealed it, so it is a hint: {other:?}"),
    }
}

/// The question about [`ID`], put to an API that answers so.
fn ask_knowing(known: &[Event], status: u16, body: &[u8]) -> Result<Answer, NoAnswer> {
    let question = question(Topic::Transaction, ID);
    let inquiry = Inquiry { question: &question, known };
    let Step::Call(request) = adapter().next(&inquiry, &[], now()) else { panic!("no call") };
    let outcome = Ok(ApiResponse { status, body: body.to_vec() });
    match adapter().next(&inquiry, &[Exchange { request, outcome }], now()) {
        Step::Call(request) => panic!("a second call: {request:?}"),
        Step::Answered(answer) => Ok(answer),
        Step::Failed(none) => Err(none),
    }
}

fn ask(http: &str) -> Result<Answer, NoAnswer> {
    ask_knowing(&[], status(http), body(http).as_bytes())
}

/// The answer to a fixture after a change of its text.
fn ask_changed(http: &str, from: &str, to: &str) -> Result<Answer, NoAnswer> {
    assert!(http.contains(from), "{from} in {http}");
    ask_knowing(&[], status(http), body(http).replacen(from, to, 1).as_bytes())
}

fn event(answer: Result<Answer, NoAnswer>) -> Event {
    let events = answer.expect("an answer").events;
    <[Event; 1]>::try_from(events).map(|[event]| event).expect("one fact")
}

fn setting(answer: Result<Answer, NoAnswer>) -> String {
    match answer {
        Err(NoAnswer::Setting(text)) => text.english,
        other => panic!("{other:?}"),
    }
}

fn trouble(answer: Result<Answer, NoAnswer>) -> String {
    match answer {
        Err(NoAnswer::Trouble(text)) => text.english,
        other => panic!("{other:?}"),
    }
}

/// What is sent and answered for trials reads like the recorded messages.
#[test]
fn made_up_messages_read_back() {
    let transaction = Transaction {
        id: ID.into(),
        state: "VALIDATED".into(),
        sub_state: None,
        shop_id: "10000651".into(),
        service_provider_id: "100016".into(),
        order_ref: "a-reference-beyond-20-characters".into(),
        order_total: Cents::new(2500),
        vouchers: vec![Cents::new(1000), Cents::new(500)],
        at: now(),
    };
    let message = transaction.automatic_response();
    assert_eq!(hint(message.body.as_bytes()), Ok(vec![question(Topic::Transaction, ID)]));
    let event = event(ask_knowing(&[], 200, transaction.body().as_bytes()));
    assert_eq!((event.amount, event.state), (Cents::new(1500), ReportedState::Captured));
    assert_eq!(event.order_ref.map(String::from).as_deref(), Some("a-reference-beyond-2"));
    assert_eq!(event.occurred_at, Some(now()));
    let answer = ask_knowing(&[], 404, refusal("TRANSACTION_NOT_FOUND").as_bytes());
    assert!(answer.is_ok_and(|answer| answer.standing == Standing::Unknown));
    assert_eq!(asked_about("/payment-transactions/fiawa31zot/cancellation/"), None);
}

/// Whatever comes back, it is an answer or none; and what is accepted states an amount of vouchers.
fn exercise(status: u16, body: &[u8]) {
    let _questions_or_rejection = hint(body);
    if let Ok(answer) = ask_knowing(&[], status, body) {
        for event in answer.events {
            let accepted = matches!(event.state, ReportedState::Authorised | ReportedState::Captured);
            assert!(!accepted || event.amount_from == AmountFrom::Part, "{event:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn random_bytes_break_nothing(status in 100..600_u16, body in proptest::collection::vec(any::<u8>(), 0..400)) {
        exercise(status, &body);
    }

    #[test]
    fn damaged_answers_break_nothing(
        place in any::<prop::sample::Index>(),
        with in "[\"{}\\[\\]:,0-9a-zé]{0,4}",
        gone in 0..5_usize,
    ) {
        let mut body = body(fixture!("validated-in-two-parts")).as_bytes().to_vec();
        let start = place.index(body.len());
        let end = (start + gone).min(body.len());
        body.splice(start..end, with.into_bytes());
        exercise(200, &body);
    }
}
