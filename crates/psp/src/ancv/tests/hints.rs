//! Automatic responses: what is taken for a hint.

use super::*;

#[test]
fn an_automatic_response_states_nothing_and_raises_a_question() {
    let questions = hint(body(fixture!("automatic-response")).as_bytes());
    assert_eq!(questions, Ok(vec![question(Topic::Transaction, ID)]));
}

#[test]
fn only_a_transaction_of_this_shop_is_asked_about() {
    let of_shop = |shop: &str| {
        hint(format!(r#"{{"transaction":{{"id":"{ID}","merchant":{{"shopId":{shop}}}}}}}"#).as_bytes())
    };
    for own in ["10000651", r#""10000651""#, r#""0010000651""#, "null"] {
        assert!(of_shop(own).is_ok(), "{own}");
    }
    for other in ["10000652", r#""10000652""#, r#""""#, "-1", "[]"] {
        assert!(matches!(of_shop(other), Err(Rejection::Malformed { .. })), "{other}");
    }
}

#[test]
fn what_names_no_transaction_is_refused() {
    let long = format!(r#"{{"transaction":{{"id":"{}"}}}}"#, "a".repeat(65));
    let padded = format!(r#"{{"transaction":{{"id":"{ID}"}},"x":"{}"}}"#, "x".repeat(64 * 1024));
    for wrong in [
        "",
        "transaction",
        "[]",
        "{}",
        r#"{"transaction":null}"#,
        r#"{"transaction":{}}"#,
        r#"{"transaction":{"id":""}}"#,
        r#"{"transaction":{"id":1234567890}}"#,
        r#"{"transaction":{"id":"../shops"}}"#,
        r#"{"transaction":{"id":"fiawa31zot?x"}}"#,
        r#"{"transaction":{"id":"a","id":"b"}}"#,
        &long,
        &padded,
        body(fixture!("automatic-response-error")),
    ] {
        assert!(matches!(hint(wrong.as_bytes()), Err(Rejection::Malformed { .. })), "{wrong:.80}");
    }
    let get = Request { method: Method::Get, query: b"transaction=fiawa31zot", body: b"", headers: &[] };
    assert!(matches!(adapter().prove(&get), Err(Rejection::Malformed { .. })));
}

#[test]
fn nothing_is_ever_called_genuine() {
    let body = body(fixture!("automatic-response")).as_bytes();
    let diagnosis = adapter().diagnose(&Request { method: Method::Post, query: b"", body, headers: &[] });
    assert!(!diagnosis.genuine);
    assert_eq!(diagnosis.details[0].english, "asks about: transaction fiawa31zot");
}
