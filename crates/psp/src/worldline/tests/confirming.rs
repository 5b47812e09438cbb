//! Conversations with the API.

use cvco_domain::{Asking, Question, Standing, Subject, Topic};

use super::sender::{Happening, IdForm, Part, Webhook};
use super::sending::{card, refund, voucher};
use super::*;
use crate::api::{
    Answer, ApiRequest, ApiResponse, CallFailure, Exchange, Inquiry, NoAnswer, ProbeStep, Step,
};

const NOW: &str = "2026-05-04T09:10:00Z";

type Outcome = Result<ApiResponse, CallFailure>;

fn ok(body: impl Into<String>) -> ApiResponse {
    ApiResponse { status: 200, body: body.into().into_bytes() }
}

fn status_only(status: u16) -> ApiResponse {
    ApiResponse { status, body: answers::not_found().into_bytes() }
}

fn page(message: &WireMessage) -> ApiResponse {
    ok(message.body.clone())
}

/// Plays a conversation about a payment to its end; with the paths that were asked for.
fn ask_about(payment: &str, mut answer: impl FnMut(&str) -> ApiResponse) -> (Vec<String>, Step) {
    ask(payment, |path| Ok(answer(path)))
}

fn ask(payment: &str, mut answer: impl FnMut(&str) -> Outcome) -> (Vec<String>, Step) {
    let adapter = Worldline::new(with_api());
    let api = adapter.api().expect("an API");
    let question = Question {
        topic: Topic::Payment,
        subject: Subject::new(payment).expect("valid"),
        asking: Asking::Again,
    };
    let inquiry = Inquiry { question: &question, known: &[] };
    let now = Timestamp::parse(NOW).expect("a date");
    let (mut said, mut asked) = (Vec::new(), Vec::new());
    loop {
        match api.next(&inquiry, &said, now) {
            Step::Call(request) => {
                let path = path(&request);
                let outcome = answer(&path);
                said.push(Exchange { request, outcome });
                asked.push(path);
                assert!(asked.len() <= 12, "it must end");
            }
            end @ (Step::Answered(_) | Step::Failed(_)) => return (asked, end),
        }
    }
}

fn path(request: &ApiRequest) -> String {
    let path =
        request.url.strip_prefix("https://payment.preprod.example/v2/PSPIDTEST/").expect("the API's address");
    path.to_owned()
}

fn answered(step: Step) -> Answer {
    match step {
        Step::Answered(answer) => answer,
        other @ (Step::Call(_) | Step::Failed(_)) => panic!("no answer: {other:?}"),
    }
}

/// The answer of an API that knows these operations.
fn confirmed(operations: &[Webhook]) -> Answer {
    let details = answers::details(operations).expect("an operation");
    let (_, end) = ask_about("10083980800", |path| {
        if path.ends_with("/details") {
            return ok(details.as_str());
        }
        let found = operations.iter().find(|operation| path == format!("payments/{}", operation.id()));
        found.map_or_else(|| status_only(404), |operation| ok(answers::payment(operation)))
    });
    answered(end)
}

/// An event as the API tells it: the amount is its own, the time is not told.
fn by_api(event: Event) -> Event {
    let running_total = (event.operation == Operation::Debit).then_some(Cents::new(14000));
    Event { amount_from: AmountFrom::Part, running_total, occurred_at: None, ..event }
}

#[test]
fn the_details_tell_each_part() {
    let (asked, end) = ask_about("10083980800", |path| match path {
        "payments/10083980800_0/details" => page(&fixture!("D1-details-split")),
        "payments/10083980800_0" => page(&fixture!("P1-payment-voucher")),
        other => panic!("{other}"),
    });
    assert_eq!(
        asked,
        ["payments/10083980800_0/details", "payments/10083980800_0"],
        "the card is told already"
    );
    let expected = Answer {
        standing: Standing::Settled,
        events: vec![by_api(voucher_part()), by_api(card_part())],
        questions: Vec::new(),
        remark: None,
    };
    assert_eq!(answered(end), expected);
}

#[test]
fn a_voucher_stated_as_the_whole_order_is_what_the_card_leaves() {
    let (_, end) = ask_about("10083980800", |path| {
        if path.ends_with("/details") {
            page(&fixture!("D2-details-voucher-states-whole-order"))
        } else {
            page(&fixture!("P1-payment-voucher"))
        }
    });
    let answer = answered(end);
    assert_eq!(
        answer.events,
        [by_api(voucher_part()), by_api(card_part())],
        "and what was only begun is left out"
    );
    assert!(answer.remark.is_some_and(|remark| remark.contains("stated as the whole order")));
}

#[test]
fn parts_that_do_not_add_up_stay_open() {
    let details = fixture!("D1-details-split").body.replace(r#"{"amount":9000"#, r#"{"amount":8999"#);
    let (_, end) = ask_about("10083980800", |path| {
        if path.ends_with("/details") { ok(details.as_str()) } else { page(&fixture!("P1-payment-voucher")) }
    });
    let answer = answered(end);
    assert!(answer.events.iter().all(|event| event.amount_from == AmountFrom::OrderTotal), "{answer:?}");
    assert!(answer.remark.is_some_and(|remark| remark.contains("do not come to what was acquired")));
}

#[test]
fn refunds_stand_in_the_list_too() {
    let (_, end) = ask_about("10083980800", |path| {
        if path.ends_with("/details") {
            page(&fixture!("D3-details-refunded"))
        } else {
            page(&fixture!("P1-payment-voucher"))
        }
    });
    let answer = answered(end);
    assert_eq!(answer.events, [by_api(voucher_part()), by_api(card_part()), by_api(card_refund())]);
    assert_eq!(answer.standing, Standing::Settled);
}

#[test]
fn the_sandbox_tells_what_the_webhooks_tell() {
    for ids in [IdForm::Underscore, IdForm::Wrapped] {
        let operations = [voucher(), card(), refund()].map(|operation| Webhook { ids, ..operation });
        let answer = confirmed(&operations);
        assert_eq!(answer.events, [by_api(voucher_part()), by_api(card_part()), by_api(card_refund())]);
        assert_eq!(answer.remark, None);
    }
}

#[test]
fn an_authorisation_and_its_capture_are_two_operations() {
    let amount = Cents::new(14000);
    let authorised = Webhook { operation: 0, amount, happening: Happening::Authorised, ..card() };
    let captured = Webhook { operation: 1, amount, ..card() };
    let answer = confirmed(&[authorised, captured]);
    let told: Vec<_> =
        answer.events.iter().map(|event| (event.tender_id.clone(), event.state, event.amount)).collect();
    assert_eq!(
        told,
        [
            (tender("10083980800_0"), ReportedState::Authorised, amount),
            (tender("10083980800_1"), ReportedState::Captured, amount),
        ]
    );
    assert!(answer.events.iter().all(|event| event.amount_from == AmountFrom::Part && !event.complement));
    assert_eq!(answer.remark, None);
}

#[test]
fn it_is_not_settled_while_a_part_is_awaited() {
    let standing = |operations: &[Webhook]| confirmed(operations).standing;
    let pending = Webhook { happening: Happening::CaptureRequested, ..card() };
    let refused = Webhook { happening: Happening::Refused, ..card() };
    assert_eq!(standing(&[voucher(), card()]), Standing::Settled);
    assert_eq!(standing(&[voucher(), pending]), Standing::Unsettled);
    assert_eq!(standing(&[voucher()]), Standing::Unsettled, "a complement is awaited");
    assert_eq!(standing(&[voucher(), refused]), Standing::Settled, "it was refused");
    let alone = Webhook { amount: Cents::new(14000), ..voucher() };
    assert_eq!(standing(&[alone]), Standing::Settled);
}

#[test]
fn the_other_form_of_the_id_is_tried() {
    let details =
        answers::details(&[voucher(), card()].map(|o| Webhook { ids: IdForm::Wrapped, ..o })).expect("some");
    let (asked, end) = ask_about("10083980800", |path| match path {
        "payments/9000010083980800000/details" => ok(details.as_str()),
        "payments/9000010083980800000" => page(&fixture!("P1-payment-voucher")),
        _ => status_only(404),
    });
    assert_eq!(answered(end).events, [by_api(voucher_part()), by_api(card_part())]);
    assert_eq!(
        asked,
        [
            "payments/10083980800_0/details",
            "payments/9000010083980800000/details",
            "payments/9000010083980800000"
        ]
    );
}

#[test]
fn an_unknown_payment_is_unknown() {
    let unknown = ApiResponse { status: 404, ..page(&fixture!("E1-unknown-payment")) };
    let (asked, end) = ask_about("10083980800", |_| unknown.clone());
    assert_eq!((asked.len(), answered(end).standing), (2, Standing::Unknown));
    let (asked, end) = ask_about("123", |_| status_only(404));
    assert_eq!((asked.len(), answered(end).standing), (1, Standing::Unknown), "no other form");
    let (asked, end) = ask_about("../../x", |_| status_only(404));
    assert_eq!(
        (asked.len(), answered(end).standing),
        (0, Standing::Unknown),
        "nothing that is no id gets into a path"
    );
}

#[test]
fn many_parts_do_not_make_many_calls() {
    let many: Vec<_> = (0..40).map(|operation| Webhook { operation, ..card() }).collect();
    let details = answers::details(&many).expect("some");
    let (asked, end) = ask_about("10083980800", |path| {
        if path.ends_with("/details") { ok(details.as_str()) } else { status_only(404) }
    });
    assert_eq!(asked.len(), 9);
    assert_eq!(answered(end).events.len(), 40);
}

/// Going through the parts takes time by the square of their number, and 4 MiB hold some 50,000.
#[test]
fn more_parts_than_any_payment_has_are_not_gone_through() {
    let part = r#"{"id":"10083980800_0","paymentMethod":"card","status":"CAPTURED"}"#;
    let details = format!(r#"{{"id":"10083980800_0","Operations":[{}]}}"#, vec![part; 50_000].join(","));
    let (asked, end) = ask_about("10083980800", |_| ok(details.as_str()));
    assert_eq!(asked.len(), 1);
    assert!(
        matches!(&end, Step::Failed(NoAnswer::Trouble(why)) if why.english.contains("operations")),
        "{end:?}"
    );
}

#[test]
fn what_is_said_of_another_payment_is_no_answer() {
    let details = fixture!("D1-details-split").body;
    let (_, end) = ask_about("10083980801", |_| ok(details.as_str()));
    assert!(
        matches!(&end, Step::Failed(NoAnswer::Trouble(why)) if why.english.contains("another payment")),
        "{end:?}"
    );

    let voucher = fixture!("P1-payment-voucher").body.replace("10083980800", "10083980801");
    let (asked, end) = ask_about("10083980800", |path| {
        ok(if path.ends_with("/details") { details.as_str() } else { voucher.as_str() })
    });
    assert_eq!(asked.len(), 2);
    assert!(
        matches!(&end, Step::Failed(NoAnswer::Trouble(why)) if why.english.contains("another payment")),
        "{end:?}"
    );
}

#[test]
fn a_failure_says_whose_it_is() {
    let failed_by = |outcome: &Outcome| match ask("10083980800", |_| outcome.clone()).1 {
        Step::Failed(no_answer) => no_answer,
        other @ (Step::Call(_) | Step::Answered(_)) => panic!("{other:?}"),
    };
    let failed = |response: &ApiResponse| failed_by(&Ok(response.clone()));
    for status in [401, 403] {
        let NoAnswer::Setting(text) = failed(&status_only(status)) else { panic!("a setting") };
        for word in ["api.key_id", "secret", "merchant_id", "clock"] {
            assert!(text.english.contains(word), "{text}");
        }
    }
    assert!(
        matches!(failed(&status_only(302)), NoAnswer::Setting(text) if text.english.contains("base_url"))
    );
    for status in [429, 500, 503, 100] {
        assert!(matches!(failed(&status_only(status)), NoAnswer::Trouble(_)), "{status}");
    }
    for garbled in ["", "<html>", "[]", "{\"id\":[]}", "null"] {
        assert!(matches!(failed(&ok(garbled)), NoAnswer::Trouble(_)), "{garbled}");
    }
    let away = Err(CallFailure::Timeout { host: "payment.preprod.example".to_owned() });
    assert_eq!(
        failed_by(&away),
        NoAnswer::trouble(
            "payment.preprod.example n’a pas répondu à temps",
            "payment.preprod.example did not answer in time",
        )
    );
}

#[test]
fn details_without_operations_are_read_as_the_payment() {
    let mut payment: serde_json::Value =
        serde_json::from_str(&fixture!("P1-payment-voucher").body).expect("JSON");
    payment["paymentOutput"]["acquiredAmount"]["amount"] = 5000.into();
    let (_, end) = ask_about("10083980800", |_| ok(payment.to_string()));
    let answer = answered(end);
    assert_eq!(answer.events, [Event { occurred_at: None, ..voucher_part() }]);
    assert_eq!(answer.standing, Standing::Unsettled);
}

#[test]
fn the_connection_is_tried_without_asking_anything() {
    let adapter = Worldline::new(with_api());
    let api = adapter.api().expect("an API");
    let now = Timestamp::parse(NOW).expect("a date");
    let ProbeStep::Call(request) = api.probe(&[], now) else { panic!("a call") };
    assert_eq!(path(&request), "services/testconnection");
    let probed = |response| api.probe(&[Exchange { request: request.clone(), outcome: Ok(response) }], now);
    assert!(matches!(probed(page(&fixture!("T1-testconnection"))), ProbeStep::Good(_)));
    assert!(matches!(probed(ok(answers::connection())), ProbeStep::Good(_)));
    assert!(matches!(probed(status_only(401)), ProbeStep::Bad(NoAnswer::Setting(_))));
    assert!(matches!(probed(status_only(404)), ProbeStep::Bad(NoAnswer::Setting(_))));
    assert!(matches!(probed(ok("{\"result\":\"KO\"}")), ProbeStep::Bad(NoAnswer::Trouble(_))));
}

#[test]
fn any_event_leads_back_to_its_payment() {
    let adapter = Worldline::new(with_api());
    let api = adapter.api().expect("an API");
    for event in [voucher_part(), card_part(), card_refund()] {
        let question = api.again(&event).expect("a question");
        assert_eq!((question.topic, question.subject.as_str()), (Topic::Payment, "10083980800"));
    }
    assert!(Worldline::new(settings()).api().is_none());
}

#[test]
fn a_card_beside_the_voucher_keeps_its_own_brand() {
    let visa =
        Webhook { operation: 1, amount: Cents::new(4000), part: Part::Card(1, "a1".to_owned()), ..card() };
    let cb = Webhook { operation: 2, amount: Cents::new(5000), ..card() };
    let answer = confirmed(&[voucher(), visa, cb]);
    let brands: Vec<_> = answer.events.iter().map(|event| event.brand.as_str()).collect();
    assert_eq!(brands, ["CVCO", "VISA", "CB"]);
}

#[test]
fn a_payment_that_was_charged_back_keeps_its_parts_and_loses_the_card() {
    let parts = |change: fn(&mut serde_json::Value)| {
        let mut details: serde_json::Value =
            serde_json::from_str(&fixture!("D1-details-split").body).expect("JSON");
        change(&mut details);
        let (_, end) = ask_about("10083980800", |path| match path {
            "payments/10083980800_0" => page(&fixture!("P1-payment-voucher")),
            _ => ok(details.to_string()),
        });
        let part = |event: Event| (event.operation, event.instrument, event.amount.get());
        answered(end).events.into_iter().map(part).collect::<Vec<_>>()
    };
    let paid = [(Operation::Debit, Instrument::Voucher, 5000), (Operation::Debit, Instrument::Card, 9000)];
    let taken = |of: Option<&str>, cents| {
        let of = of.and_then(|id| TenderId::new(id).ok());
        (Operation::Chargeback { of }, Instrument::Card, cents)
    };
    // By the payment as a whole: how much, only the card itself tells.
    let whole = parts(|details| details["status"] = "CHARGEBACKED".into());
    assert_eq!(whole, [&paid[..], &[taken(None, 0)]].concat());
    // By the operation that captured the card.
    let by_operation = parts(|details| details["Operations"][1]["status"] = "CHARGEBACKED".into());
    assert_eq!(by_operation, [&paid[..], &[taken(Some("10083980800_1"), 9000)]].concat());
}
