//! Where there is no answer.

use super::*;

#[test]
fn an_unknown_transaction_is_an_answer() {
    let answer = ask(fixture!("not-found")).expect("an answer");
    assert_eq!((answer.standing, answer.events.len()), (Standing::Unknown, 0));
}

#[test]
fn a_wrong_setting_is_named() {
    for (http, name) in [
        (fixture!("invalid-seal"), "api.key_id"),
        (fixture!("another-shop"), "shop_id"),
        (&AUTHORIZED.replace("100016", "100017"), "service_provider_id"),
        (&format!("HTTP/1.1 403 Forbidden\r\n\r\n{}", refusal("MERCHANT_NOT_ALLOWED")), "shop_id"),
        ("HTTP/1.1 403 Forbidden\r\n\r\n<html>", "api.secret"),
        ("HTTP/1.1 404 Not Found\r\n\r\n<html>", "api.base_url"),
        ("HTTP/1.1 301 Moved\r\n\r\n", "api.base_url"),
    ] {
        let text = setting(ask(http));
        assert!(text.contains(name), "{text}");
    }
}

#[test]
fn trouble_is_worth_another_try() {
    for http in [
        &format!("HTTP/1.1 200 OK\r\n\r\n{}", refusal("INTERNAL_SERVER_ERROR")),
        &format!("HTTP/1.1 400 Bad Request\r\n\r\n{}", refusal("BAD_REQUEST")),
        "HTTP/1.1 502 Bad Gateway\r\n\r\n<html>",
        "HTTP/1.1 429 Too Many Requests\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n{}",
        &AUTHORIZED.replace("200 OK", "500 Internal Server Error"),
        &AUTHORIZED.replace(r#""id":"fiawa31zot""#, r#""id":"fiawa31zou""#),
        &AUTHORIZED.replace(r#""type":"CVCo""#, r#""type":"CB""#),
        &AUTHORIZED.replace(r#""total":1500"#, r#""total":15.00"#),
        &AUTHORIZED.replace(r#""total":1500"#, r#""total":-1500"#),
        &AUTHORIZED.replace(r#""total":1500"#, r#""total":"1500 EUR""#),
        &fixture!("validated-in-two-parts").replacen("978", "840", 3),
    ] {
        let text = trouble(ask(http));
        assert!(!text.is_empty() && text.len() < 200, "{text}");
    }
}

#[test]
fn what_is_not_reached_is_trouble() {
    let question = question(Topic::Transaction, ID);
    let inquiry = Inquiry { question: &question, known: &[] };
    let Step::Call(request) = adapter().next(&inquiry, &[], now()) else { panic!("no call") };
    let outcome = Err(CallFailure::Timeout { host: "ancv.example".into() });
    let step = adapter().next(&inquiry, &[Exchange { request, outcome }], now());
    let expected =
        NoAnswer::trouble("ancv.example n’a pas répondu à temps", "ancv.example did not answer in time");
    assert_eq!(step, Step::Failed(expected));
}
