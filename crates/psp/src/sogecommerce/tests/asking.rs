//! The REST API: what is asked, and what its answers state.

use cvco_domain::{Asking, Question, Standing, Subject, Topic};
use proptest::prelude::*;

use super::sending::{call, visa, voucher};
use super::*;
use crate::api::{
    Answer, ApiRequest, ApiResponse, BaseUrl, CallFailure, Exchange, Inquiry, NoAnswer, ProbeStep, Step,
};
use crate::sogecommerce::answers;
use crate::sogecommerce::sender::{Call, Part};

const REFERENCE: &str = "CDE-fr-04_2020";

fn asked() -> Sogecommerce {
    let api = BaseUrl::parse(API_ADDRESS).ok();
    Sogecommerce::new(Settings { api, ..settings() })
}

fn question(topic: Topic, subject: &str) -> Question {
    Question { topic, subject: Subject::new(subject).expect("valid"), asking: Asking::Again }
}

fn about_order() -> Question {
    question(Topic::Order, REFERENCE)
}

fn next(question: &Question, known: &[Event], said: &[Exchange]) -> Step {
    let adapter = asked();
    let now = Timestamp::parse("2020-04-08T15:00:00Z").expect("valid");
    adapter.api().expect("on").next(&Inquiry { question, known }, said, now)
}

fn request(question: &Question) -> ApiRequest {
    let Step::Call(request) = next(question, &[], &[]) else { panic!("no call: {question}") };
    request
}

fn exchange(status: u16, body: impl Into<Vec<u8>>) -> Exchange {
    Exchange { request: request(&about_order()), outcome: Ok(ApiResponse { status, body: body.into() }) }
}

fn step(question: &Question, body: impl Into<Vec<u8>>) -> Step {
    next(question, &[], &[exchange(200, body)])
}

fn answer(question: &Question, body: impl Into<Vec<u8>>) -> Answer {
    let Step::Answered(answer) = step(question, body) else { panic!("no answer: {question}") };
    answer
}

fn order(payments: &[Call]) -> String {
    answers::order(payments).expect("a payment")
}

fn notified(payment: &Call) -> Vec<Event> {
    let message = payment.rest(&PASSWORD.to_owned().into());
    prove_and_read(&asked(), &message.as_request()).expect("genuine").events().to_vec()
}

#[test]
fn the_api_is_on_only_where_it_can_be_asked() {
    assert!(asked().api().is_some());
    assert!(Sogecommerce::new(settings()).api().is_none());
    let no_password = Settings { rest_passwords: Vec::new(), ..asked().settings };
    assert!(Sogecommerce::new(no_password).api().is_none());
}

#[test]
fn an_order_is_asked_about_by_its_reference() {
    let request = request(&about_order());
    assert_eq!(request.url, "https://api-sogecommerce.societegenerale.eu/api-payment/V4/Order/Get");
    assert_eq!(
        (request.method, request.body.as_slice()),
        (Method::Post, &br#"{"orderId":"CDE-fr-04_2020"}"#[..])
    );
    // base64 of 12345678:testpassword_DEMOPRIVATEKEY23G4475zXZQ2UA5x7M
    let credentials =
        "Basic MTIzNDU2Nzg6dGVzdHBhc3N3b3JkX0RFTU9QUklWQVRFS0VZMjNHNDQ3NXpYWlEyVUE1eDdN".to_owned();
    assert!(request.headers.contains(&("authorization", credentials)));
    assert!(!format!("{request:?}").contains("Basic"));
}

#[test]
fn a_transaction_is_asked_about_by_its_uuid() {
    let request = request(&question(Topic::Transaction, VOUCHER));
    assert!(request.url.ends_with("/V4/Transaction/Get"));
    assert_eq!(request.body, format!(r#"{{"uuid":"{VOUCHER}"}}"#).into_bytes());
}

#[test]
fn other_topics_are_not_asked_about() {
    for topic in [Topic::Session, Topic::Payment, Topic::Window] {
        let step = next(&question(topic, "x"), &[], &[]);
        assert!(matches!(step, Step::Answered(Answer { standing: Standing::Unknown, .. })), "{topic}");
    }
}

#[test]
fn a_notification_raises_one_question_about_its_order() {
    let reading = prove_and_read(&asked(), &post(fixture!("S1-cascade-ok"))).expect("genuine");
    assert_eq!(reading.questions(), [about_order()]);
    assert_eq!(read(fixture!("S1-cascade-ok")).expect("genuine").questions(), [], "the API is off");

    let nameless = altered(fixture!("S7-cvco-full"), &[("vads_order_id", None)]);
    let reading = prove_and_read(&asked(), &post(&nameless)).expect("genuine");
    assert_eq!(reading.questions(), [question(Topic::Transaction, VOUCHER)]);

    let no_facts = altered(fixture!("S9-abandoned"), &[("vads_card_brand", None)]);
    assert_eq!(prove_and_read(&asked(), &post(&no_facts)).expect("genuine").questions(), []);
}

#[test]
fn an_order_and_any_of_its_events_can_be_asked_about_again() {
    let adapter = asked();
    let api = adapter.api().expect("on");
    assert_eq!(api.order(&OrderRef::new(REFERENCE).expect("valid")), Some(about_order()));
    assert_eq!(api.again(&card_part()), Some(about_order()));
    let nameless = Event { order_ref: None, ..card_part() };
    assert_eq!(api.again(&nameless), Some(question(Topic::Transaction, VISA)));
    for tender_id in [None, tender("xrt15p-20200408-12345678-test/1")] {
        assert_eq!(api.again(&Event { tender_id, ..nameless.clone() }), None);
    }
}

#[test]
fn an_answer_states_the_same_events_as_the_notifications() {
    let cascade = call(vec![voucher(6000), visa()]);
    let refused =
        call(vec![Part { status: codes::TransStatus::Refused, auth_result: "1216".into(), ..voucher(9990) }]);
    let refused = Call { trans_id: "a00001".into(), ..refused };
    let refund = Call {
        trans_id: "b00002".into(),
        ..call(vec![Part { refund: true, uuid: Some("7c6d3e8c2c6d4e5fb8b5f3c4d5e6f7a8".into()), ..visa() }])
    };
    let each_notified = [notified(&refused), notified(&refund), notified(&cascade)].concat();
    let answer = answer(&about_order(), order(&[cascade, refused, refund]));
    assert_eq!(answer.events, each_notified);
    assert_eq!(answer.standing, Standing::Settled);
    assert_eq!(answer.remark, None);
}

#[test]
fn a_transaction_alone_states_its_event() {
    let payment = call(vec![voucher(9990)]);
    let body = answers::transaction(&payment, VOUCHER).expect("a part");
    assert_eq!(answer(&question(Topic::Transaction, VOUCHER), body.clone()).events, notified(&payment));
    let other = step(&question(Topic::Transaction, VISA), body);
    assert!(matches!(other, Step::Failed(NoAnswer::Trouble(_))), "{other:?}");
}

#[test]
fn a_recorded_answer_reads() {
    let http = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/sogecommerce/order-get-cascade-captured.http"
    ));
    let events = answer(&about_order(), body_of(http)).events;
    let captured = |event: Event, accepted| Event {
        state: ReportedState::Captured,
        status: status("CAPTURED"),
        accepted_at: at(accepted),
        occurred_at: at("2020-04-08T22:30:00Z"),
        ..event
    };
    let voucher = captured(voucher_part(), "2020-04-08T14:56:48Z");
    assert_eq!(events, [voucher, captured(card_part(), "2020-04-08T14:57:30Z")]);
}

#[test]
fn what_is_not_decided_is_asked_again() {
    for (word, standing) in [
        ("AUTHORISED", Standing::Settled),
        ("UNDER_VERIFICATION", Standing::Unsettled),
        ("WAITING_AUTHORISATION", Standing::Unsettled),
        ("TELEPORTED", Standing::Unsettled),
        ("ABANDONED", Standing::Settled),
    ] {
        let status = codes::TransStatus::of(word);
        let payment = call(vec![Part { status, ..voucher(9990) }]);
        assert_eq!(answer(&about_order(), order(&[payment])).standing, standing, "{word}");
    }
}

#[test]
fn details_of_the_order_may_be_missing() {
    let payment = call(vec![voucher(9990)]);
    let without = order(&[payment]).replace("orderDetails", "x");
    let events = answer(&about_order(), without).events;
    assert_eq!(events, [Event { order_total: None, ..full_voucher() }]);
}

#[test]
fn a_transaction_without_legacy_names_belongs_to_the_payment_that_was_notified() {
    let answer = order(&[call(vec![voucher(9990)])]).replace("legacyTransId", "x");
    let said = [exchange(200, answer)];
    let call_number = |known: &[Event]| {
        let Step::Answered(answer) = next(&about_order(), known, &said) else { panic!("no answer") };
        answer.events[0].call_number.to_string()
    };
    assert_eq!(call_number(&[full_voucher()]), full_voucher().call_number.to_string());
    assert_eq!(call_number(&[]), VOUCHER);
}

#[test]
fn nothing_known_is_an_answer() {
    let refusal = answers::refusal("Order/Get", Mode::Test, "PSP_010");
    let empty = r#"{"status":"SUCCESS","answer":{"shopId":"12345678","transactions":[]}}"#.to_owned();
    for body in [refusal, empty] {
        assert_eq!(answer(&about_order(), body).standing, Standing::Unknown);
    }
}

#[test]
fn a_wrong_setting_says_what_to_change() {
    let setting = |exchange: Exchange| {
        let step = next(&about_order(), &[], &[exchange]);
        let Step::Failed(NoAnswer::Setting(what)) = step else { panic!("{step:?}") };
        what.english
    };
    let refused = |code| exchange(200, answers::refusal("Order/Get", Mode::Test, code));
    assert!(setting(refused("INT_905")).contains("rest_password"));
    assert!(
        setting(exchange(401, answers::refusal("Order/Get", Mode::Test, "INT_905")))
            .contains("rest_password")
    );
    let recorded = body_of(include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/sogecommerce/order-get-not-in-offer.http"
    )));
    assert!(setting(exchange(200, recorded)).contains("offer does not include"));
    assert!(setting(refused("PSP_100")).contains("offer does not include the REST web services"));
    assert!(setting(exchange(404, "")).contains("base_url"));
    let other_world = order(&[Call { mode: Mode::Production, ..call(vec![voucher(9990)]) }]);
    assert!(setting(exchange(200, other_world)).contains("mode"));
}

#[test]
fn trouble_is_worth_asking_again() {
    let whole = order(&[call(vec![voucher(9990)])]);
    let bodies = [
        answers::refusal("Order/Get", Mode::Test, "INT_902"),
        answers::refusal("Order/Get", Mode::Test, "<b>\u{202e}"),
        whole.replace("12345678", "87654321"),
        whole.replace(REFERENCE, "another"),
        whole.replace("9990", "\"99,90\""),
        whole.split_at(whole.len() / 2).0.to_owned(),
        "<html>".to_owned(),
        String::new(),
    ];
    let mut said: Vec<_> = bodies.into_iter().map(|body| exchange(200, body)).collect();
    said.push(exchange(503, whole));
    let timeout = CallFailure::Timeout { host: "api".into() };
    said.push(Exchange { outcome: Err(timeout), ..exchange(200, "") });
    for exchange in said {
        let step = next(&about_order(), &[], &[exchange]);
        assert!(
            matches!(&step, Step::Failed(NoAnswer::Trouble(why)) if !why.english.contains(['<', '\u{202e}'])),
            "{step:?}"
        );
    }
}

/// What an answer says is compared with all that is known of the order, so that the time goes by the square.
#[test]
fn more_transactions_than_any_order_has_are_not_gone_through() {
    let transaction = r#"{"amount":1,"currency":"EUR","detailedStatus":"CAPTURED"}"#;
    let transactions = vec![transaction; 1001].join(",");
    let body =
        format!(r#"{{"status":"SUCCESS","answer":{{"shopId":"12345678","transactions":[{transactions}]}}}}"#);
    let step = step(&about_order(), body);
    assert!(
        matches!(&step, Step::Failed(NoAnswer::Trouble(why)) if why.english.contains("transactions")),
        "{step:?}"
    );
}

#[test]
fn the_probe_is_an_echo() {
    let adapter = asked();
    let api = adapter.api().expect("on");
    let now = Timestamp::from_millis(0);
    let ProbeStep::Call(call) = api.probe(&[], now) else { panic!("a call first") };
    assert!(call.url.ends_with("/V4/Charge/SDKTest"));
    assert_eq!(call.body, br#"{"value":"cvco-reconciled"}"#);
    let probe = |body: String| api.probe(&[exchange(200, body)], now);
    assert!(matches!(probe(answers::sdk_test(Mode::Test, "cvco-reconciled")), ProbeStep::Good(_)));
    for body in [
        answers::sdk_test(Mode::Test, "x"),
        answers::sdk_test(Mode::Production, "cvco-reconciled"),
        answers::refusal("Charge/SDKTest", Mode::Test, "INT_905"),
        String::new(),
    ] {
        assert!(matches!(probe(body), ProbeStep::Bad(_)));
    }
}

#[test]
fn every_call_has_an_end() {
    let body = order(&[call(vec![voucher(9990)])]);
    let said = vec![exchange(200, body); 12];
    assert!(!matches!(next(&about_order(), &[], &said), Step::Call(_)));
}

proptest! {
    #[test]
    fn no_answer_is_too_odd(junk in proptest::collection::vec(any::<u8>(), 0..60), at in 0_usize..4000, cut in 0_usize..60) {
        let mut body = order(&[call(vec![voucher(6000), visa()])]).into_bytes();
        let at = at.min(body.len());
        let end = (at + cut).min(body.len());
        body.splice(at..end, junk);
        prop_assert!(!matches!(step(&about_order(), body), Step::Call(_)));
    }
}
