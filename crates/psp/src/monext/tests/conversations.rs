//! Which calls are made, to whom, and what their failures mean.

use super::*;
use crate::api::ProbeStep;

const LISTING: &str = r#"{"urls":["https://homologation.payline.com","https://ha1.payline.com","https://ha2.payline.com/","https://thief.example","http://ha3.payline.com","https://ha1.payline.com","https://ha4.payline.com","https://ha5.payline.com"],"ttl":60}"#;

fn timeout() -> Result<ApiResponse, CallFailure> {
    Err(CallFailure::Timeout { host: "homologation.payline.com".to_owned() })
}

fn after(outcomes: &[Result<ApiResponse, CallFailure>]) -> Step {
    step(&monext(), &question(Topic::Session, TOKEN), &[], outcomes)
}

fn header<'a>(request: &'a ApiRequest, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

fn bare(code: &'static str) -> Result<ApiResponse, CallFailure> {
    ok(&answers::session_result((code, "ERROR"), Prefixes::Both))
}

#[test]
fn credentials_are_sent_as_basic_and_never_shown() {
    let request = called(after(&[]));
    assert_eq!(
        header(&request, "authorization"),
        Some("Basic MTIzNDU2Nzg5MDEyMzQ6YWJDZGVGZ0hpSktMbU5vUHFyc3Q="),
    );
    assert_eq!(header(&request, "soapaction"), Some("\"getWebPaymentDetails\""));
    assert!(!format!("{request:?} {:?}", monext()).contains("abCde"));
}

#[test]
fn where_a_platform_is_down_the_directory_names_others() {
    for (outcome, cause) in [
        (timeout(), "TIMEOUT"),
        (Err(CallFailure::Connect { host: "h".to_owned(), why: "no".to_owned() }), "TIMEOUT"),
        (status(503, "busy"), "HTTP_503"),
        (status(500, "<html/>"), "HTTP_500"),
        (status(408, ""), "HTTP_408"),
        (bare("02101"), "APP_02101"),
        (bare("04901"), "APP_04901"),
        (bare("02318"), "APP_02318"),
    ] {
        let listing = called(after(std::slice::from_ref(&outcome)));
        assert_eq!(
            listing.url,
            "https://homologation-payment.payline.com/services/servicesendpoints/SOAP/12345678901234"
        );
        assert_eq!((listing.method, header(&listing, "authorization")), (Method::Get, None));
        let first = called(after(&[outcome.clone(), ok(LISTING)]));
        assert_eq!(first.url, "https://ha1.payline.com/services/WebPaymentAPI");
        assert_eq!(header(&first, "x-failover-cause"), Some(cause));
        assert_eq!(header(&first, "x-failover-index"), Some("0"));
        assert_eq!(
            header(&first, "x-failover-origin"),
            Some("https://homologation.payline.com/V4/services/WebPaymentAPI")
        );
        let second = called(after(&[outcome.clone(), ok(LISTING), status(502, "")]));
        assert_eq!(second.url, "https://ha2.payline.com/services/WebPaymentAPI");
        assert_eq!(header(&second, "x-failover-cause"), Some("HTTP_502"));
        assert_eq!(header(&second, "x-failover-origin"), Some(first.url.as_str()));

        let paid = ok(&split().as_session(Prefixes::Both));
        assert_eq!(answered(after(&[outcome.clone(), ok(LISTING), status(502, ""), paid])).events.len(), 2);
        // Three others at most, and never one that is not Monext's.
        let third = called(after(&[outcome.clone(), ok(LISTING), timeout(), timeout()]));
        assert_eq!(third.url, "https://ha4.payline.com/services/WebPaymentAPI");
        let end = failed(after(&[outcome, ok(LISTING), timeout(), timeout(), timeout()]));
        assert!(matches!(end, NoAnswer::Trouble(_)));
    }
}

#[test]
fn a_token_is_unknown_only_when_every_platform_says_so() {
    let unknown = |outcomes: &[_]| answered(after(outcomes)).standing;
    assert_eq!(unknown(&[bare("02317")]), Standing::Unknown);
    assert_eq!(unknown(&[bare("02318"), ok(r#"{"urls":[]}"#)]), Standing::Unknown);
    let one = ok(r#"{"urls":["https://ha1.payline.com"],"ttl":60}"#);
    assert_eq!(unknown(&[bare("02318"), one.clone(), bare("02317")]), Standing::Unknown);
    assert_eq!(unknown(&[bare("02318"), one.clone(), bare("02318")]), Standing::Unknown);
    for in_doubt in [
        vec![bare("02318"), one, timeout()],
        vec![bare("02318"), timeout()],
        vec![bare("02318"), status(500, "")],
        vec![bare("02318"), ok("<html/>")],
    ] {
        assert!(matches!(after(&in_doubt), Step::Failed(NoAnswer::Trouble(_))), "{in_doubt:?}");
    }
}

#[test]
fn without_a_directory_there_is_one_platform() {
    let alone = Monext::new(Settings { directory_url: None, ..settings() });
    let session = question(Topic::Session, TOKEN);
    assert!(matches!(step(&alone, &session, &[], &[timeout()]), Step::Failed(NoAnswer::Trouble(_))));
    assert_eq!(answered(step(&alone, &session, &[], &[bare("02318")])).standing, Standing::Unknown);
}

#[test]
fn calls_about_transactions_do_not_fail_over() {
    let asked = question(Topic::Transaction, CARD);
    for outcome in [timeout(), status(503, "")] {
        assert!(matches!(step(&monext(), &asked, &[], &[outcome]), Step::Failed(NoAnswer::Trouble(_))));
    }
}

#[test]
fn a_fault_of_the_service_is_trouble() {
    let fault = status(500, body(fixture!("x-fault")));
    let NoAnswer::Trouble(text) = failed(after(&[fault])) else { panic!("trouble") };
    assert!(text.english.contains("Internal error"), "{text}");
    let made = status(500, &answers::fault("<&>"));
    assert!(failed(after(&[made])).to_string().contains("<&>"));
}

#[test]
fn a_wrong_setting_is_told_with_what_to_change() {
    for (code, key) in [(401, "access_key"), (403, "access_key"), (404, "base_url"), (302, "base_url")] {
        let NoAnswer::Setting(text) = failed(after(&[status(code, "<html/>")])) else { panic!("{code}") };
        assert!(text.english.contains(key), "{text}");
    }
    let NoAnswer::Setting(text) = failed(after(&[bare("09101")])) else { panic!("a setting") };
    assert!(text.english.contains("access_key") && text.english.contains("09101"), "{text}");
    assert!(matches!(failed(after(&[status(429, "")])), NoAnswer::Trouble(_)));
    assert!(matches!(failed(after(&[ok("<html/>")])), NoAnswer::Trouble(_)));
    let large = CallFailure::TooLarge { host: "h".to_owned(), limit: 1 };
    assert!(matches!(failed(after(&[Err(large)])), NoAnswer::Trouble(_)));
}

#[test]
fn the_probe_asks_for_nobodys_session() {
    let adapter = monext();
    let ProbeStep::Call(request) = adapter.probe(&[], now()) else { panic!("a call") };
    let asked = answers::asked(&request.body).expect("a session");
    assert!(matches!(asked, answers::Asked::Session(_)));
    let probed = |outcome| adapter.probe(&[Exchange { request: request.clone(), outcome }], now());
    for code in ["02317", "02318", "02304", "02305"] {
        assert!(matches!(probed(bare(code)), ProbeStep::Good(_)), "{code}");
    }
    for outcome in [status(401, ""), bare("09102"), status(404, "")] {
        assert!(matches!(probed(outcome), ProbeStep::Bad(NoAnswer::Setting(_))));
    }
    for outcome in [timeout(), status(503, ""), bare("02101"), bare("00000"), ok("")] {
        assert!(matches!(probed(outcome), ProbeStep::Bad(NoAnswer::Trouble(_))));
    }
}

#[test]
fn a_subject_that_is_none_of_monexts_is_unknown() {
    for (topic, subject) in [
        (Topic::Session, "a b"),
        (Topic::Transaction, "a/b"),
        (Topic::Window, "yesterday"),
        (Topic::Payment, "1"),
    ] {
        let answer = answered(step(&monext(), &question(topic, subject), &[], &[]));
        assert_eq!(answer.standing, Standing::Unknown, "{topic}");
    }
}
