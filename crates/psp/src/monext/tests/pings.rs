//! Notifications.

use proptest::prelude::*;

use super::*;
use crate::WireMessage;

/// The questions that a request gives rise to, and nothing else.
fn asked(request: &Request<'_>) -> Result<Vec<Question>, Rejection> {
    let message = monext().prove(request)?;
    match monext().read(&message) {
        Ok(Reading::Hint { questions, remark: Some(_) }) => Ok(questions),
        other => panic!("what is proven is a hint: {other:?}"),
    }
}

fn get(query: &str) -> Result<Vec<Question>, Rejection> {
    asked(&Request { method: Method::Get, query: query.as_bytes(), body: b"", headers: &[] })
}

fn post(query: &str, body: &str) -> Result<Vec<Question>, Rejection> {
    let (query, body) = (query.as_bytes(), body.as_bytes());
    asked(&Request { method: Method::Post, query, body, headers: &[] })
}

fn recorded(message: &'static str) -> Vec<Question> {
    let (_, query) = message.split(' ').nth(1).expect("a target").split_once('?').expect("a query");
    get(query).expect("a notification")
}

fn asks(topic: Topic, subject: &str) -> Vec<Question> {
    vec![Question { asking: Asking::Sparingly, ..question(topic, subject) }]
}

#[test]
fn a_session_that_has_ended_is_a_question_and_no_fact() {
    assert_eq!(recorded(fixture!("a1-webtrs")), asks(Topic::Session, TOKEN));
    let lower = recorded(fixture!("a2-webtrs-lower-case"));
    assert_eq!(lower, asks(Topic::Session, "1IdSqIykTRKrbU2796151573656127505"));
}

#[test]
fn a_transaction_is_a_question() {
    assert_eq!(recorded(fixture!("a4-trs")), asks(Topic::Transaction, "14341170746002"));
    let wallet = get("notificationType=TRSWALLET&walletId=1&transactionId=PV1").expect("a notification");
    assert_eq!(wallet, asks(Topic::Transaction, "PV1"));
}

#[test]
fn what_is_not_about_vouchers_is_taken_and_left_alone() {
    assert_eq!(recorded(fixture!("a3-bill")), []);
    for query in [
        "notificationType=WEBWALLET&token=x",
        "notificationType=WALLET&walletId=1",
        "notificationType=ALERT&transactionId=1&transactionId=2",
        "notificationType=TRSWALLET&walletId=1",
        "notificationType=TOMORROW",
    ] {
        assert_eq!(get(query), Ok(vec![]), "{query}");
    }
}

#[test]
fn the_merchants_own_parameters_may_stand_anywhere() {
    let expected = asks(Topic::Session, TOKEN);
    for query in [
        format!("url_type=notification&token={TOKEN}&a=1&notificationType=WEBTRS&a=2"),
        format!("token={TOKEN}&&=&x&notificationType=WEBTRS&transactionId=1&transactionId=2"),
        format!("notification%54ype=WEB%54RS&token={TOKEN}&amount=999999&orderRef=other"),
    ] {
        assert_eq!(get(&query).expect("a notification"), expected, "{query}");
        assert_eq!(post("", &query).expect("a notification"), expected, "{query}");
        assert_eq!(post(&query, "").expect("a notification"), expected, "{query}");
    }
}

#[test]
fn what_is_malformed_asks_nothing() {
    let long = format!("notificationType=WEBTRS&token={}", "x".repeat(51));
    let many = format!("notificationType=WEBTRS&token=x{}", "&a".repeat(100));
    for query in [
        "",
        "token=x",
        "notificationType=WEBTRS",
        "notificationType=WEBTRS&token=",
        "notificationType=WEBTRS&token=a%20b",
        "notificationType=WEBTRS&token=a-b",
        "notificationType=WEBTRS&token=%C3%A9",
        "notificationType=WEBTRS&token=%FF",
        "notificationType=WEBTRS&token=a&token=a",
        "notificationType=WEBTRS&notificationType=WEBTRS&token=a",
        "notificationType=TRS",
        "notificationType=TRS&transactionId=a/b",
        "notificationType=TRS&transactionId=1&transactionId=1",
        "notificationType=%FF&token=a",
        &long,
        &many,
    ] {
        let refused = get(query);
        assert!(matches!(refused, Err(Rejection::Malformed { .. })), "{query}: {refused:?}");
    }
}

#[test]
fn the_sender_says_what_is_understood() {
    let read = |message: &WireMessage| asked(&message.as_request()).expect("a notification");
    assert_eq!(read(&sender::session(TOKEN)), asks(Topic::Session, TOKEN));
    assert_eq!(read(&sender::transaction(VOUCHER)), asks(Topic::Transaction, VOUCHER));
    let recorded = fixture!("a1-webtrs");
    assert!(recorded.contains(&format!("?{} HTTP/1.1\r\n", sender::session(TOKEN).query)));
}

#[test]
fn a_token_can_be_handed_over_without_a_notification() {
    assert_eq!(session_question(TOKEN).ok(), asks(Topic::Session, TOKEN).pop());
    for wrong in ["", "a b", "é", "a&b"] {
        assert!(session_question(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn no_notification_is_called_genuine() {
    for query in [sender::session(TOKEN).query, "notificationType=TOMORROW".to_owned(), "token=x".to_owned()]
    {
        let request = Request { method: Method::Get, query: query.as_bytes(), body: b"", headers: &[] };
        let diagnosis = monext().diagnose(&request);
        assert!(
            !diagnosis.genuine && diagnosis.summary.english.contains("signature"),
            "{query}: {diagnosis:?}"
        );
    }
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(query in proptest::collection::vec(any::<u8>(), 0..200)) {
        let request = Request { method: Method::Get, query: &query, body: b"", headers: &[] };
        let _questions_or_rejection = asked(&request);
        prop_assert!(!monext().diagnose(&request).genuine);
    }

    #[test]
    fn a_question_is_only_ever_about_a_sound_subject(token in "\\PC{0,60}") {
        let query = serde_urlencoded::to_string([("notificationType", "WEBTRS"), ("token", &token)]);
        if let Ok(questions) = get(&query.expect("a form")) {
            prop_assert!(token.bytes().all(|b| b.is_ascii_alphanumeric()));
            prop_assert_eq!(questions[0].subject.as_str(), token);
        }
    }
}
