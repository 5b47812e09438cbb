//! What is asked, and how.

use super::*;

#[test]
fn the_status_call_is_sealed_over_the_transaction() {
    let question = question(Topic::Transaction, ID);
    let step = adapter().next(&Inquiry { question: &question, known: &[] }, &[], now());
    let Step::Call(request) = step else { panic!("{step:?}") };
    let recorded = fixture!("status-call");
    let path = recorded.split(' ').nth(1).expect("a path");
    assert_eq!(request.url, format!("https://ancv.example{path}"));
    assert_eq!((request.method, request.body.as_slice()), (Method::Get, &b""[..]));
    for (name, value) in request.headers {
        let line = format!("{name}: {value}");
        assert!(recorded.lines().any(|recorded| recorded.eq_ignore_ascii_case(&line)), "{line}");
    }
    assert_eq!(asked_about(path), Some(ID));
}

#[test]
fn anything_but_a_transaction_is_unknown_without_a_call() {
    for question in [question(Topic::Order, "CMD9542124"), question(Topic::Transaction, "../shops")] {
        let step = adapter().next(&Inquiry { question: &question, known: &[] }, &[], now());
        assert!(matches!(step, Step::Answered(Answer { standing: Standing::Unknown, .. })), "{question}");
    }
}

#[test]
fn a_payment_is_confirmed_again_by_its_transaction() {
    let event = event(ask(AUTHORIZED));
    let again = adapter().again(&event).expect("a question");
    assert_eq!(again, Question { asking: Asking::Again, ..question(Topic::Transaction, ID) });
}

#[test]
fn a_trial_asks_about_what_cannot_exist() {
    let ProbeStep::Call(request) = adapter().probe(&[], now()) else { panic!("no call") };
    let outcome = |http| ApiResponse { status: status(http), body: body(http).as_bytes().to_vec() };
    let found = |http| {
        let exchange = Exchange { request: request.clone(), outcome: Ok(outcome(http)) };
        adapter().probe(&[exchange], now())
    };
    assert!(matches!(found(fixture!("not-found")), ProbeStep::Good(_)));
    assert!(matches!(found(fixture!("invalid-seal")), ProbeStep::Bad(NoAnswer::Setting(_))));
}
