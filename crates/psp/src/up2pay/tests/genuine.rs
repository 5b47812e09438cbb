//! What is genuine, in each form in which it may arrive.

use super::*;
use crate::testing::facts;
use crate::up2pay::diagnose_query;

/// Name, template, and signed payload of the published calls.
fn published() -> [(&'static str, &'static str, String); 4] {
    [
        ("V1", V1_TEMPLATE, payload(V1)),
        ("V3", V3_TEMPLATE, payload(V3)),
        ("V5", V5_TEMPLATE, payload(V5)),
        ("V10", V10_TEMPLATE, payload(V10)),
    ]
}

fn is_genuine(template: &str, payload: &str) -> bool {
    diagnose_query(&lenient(template), &[Settings::platform_key()], payload.as_bytes()).genuine
}

/// Splits a call into what is signed, the signature's name, and its value.
fn split(payload: &str) -> (&str, &str, &str) {
    let (signed, signature) = payload.rsplit_once('&').expect("pairs");
    let (name, value) = signature.split_once('=').expect("a pair");
    (signed, name, value)
}

#[test]
fn published_calls_are_genuine_in_every_form_of_the_wire() {
    for (vector, template, payload) in published() {
        let (signed, name, value) = split(&payload);
        let raw_signature = value.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
        for (form, payload) in [
            ("as published", payload.clone()),
            ("behind the shop's parameters", format!("shop=12&status=ipn&{payload}")),
            ("before unsigned parameters", format!("{payload}&loop=1")),
            ("with an unencoded signature", format!("{signed}&{name}={raw_signature}")),
            (
                "with a `+` that became a space",
                format!("{signed}&{name}={}", raw_signature.replace('+', "%20")),
            ),
            ("with a signature encoded twice", format!("{signed}&{name}={}", value.replace('%', "%25"))),
            ("with lower-case escapes", format!("{signed}&{name}={}", lower_case_escapes(value))),
            (
                "encoded once more",
                format!("{}&{name}={value}", signed.replace('%', "%25").replace(',', "%2C")),
            ),
        ] {
            assert!(is_genuine(template, &payload), "{vector} {form}");
        }
    }
}

fn lower_case_escapes(value: &str) -> String {
    value.replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d")
}

#[test]
fn published_calls_are_not_genuine_once_touched() {
    for (vector, template, payload) in published() {
        let (signed, name, value) = split(&payload);
        let short: String = value.chars().take(value.len() - 8).collect();
        for (form, payload) in [
            ("cut signature", format!("{signed}&{name}={short}")),
            ("lost `+`", format!("{signed}&{name}={}", value.replace("%2B", ""))),
            ("amount said twice", format!("Mt=1&amount=1&montantbanque=1&{payload}")),
            ("digit changed", payload.replacen('1', "2", 1)),
        ] {
            assert!(!is_genuine(template, &payload), "{vector} {form}");
        }
        let under_other_key = diagnose_query(&lenient(template), &[synthetic_key()], payload.as_bytes());
        assert!(!under_other_key.genuine, "{vector}");
    }
    let next = payload(V1).replace("CMD1349338388", "CMD1349338389");
    assert!(!is_genuine(V1_TEMPLATE, &next), "published as a negative by LexikPayboxBundle");
}

#[test]
fn a_voucher_part_and_its_complement_are_two_facts() {
    let adapter = synthetic(FULL);
    let read = |http: &str| prove_and_read(&adapter, &message(http).as_request());
    let fact = |event| Ok(facts(vec![event]));
    assert_eq!(read(S1), fact(voucher()));
    assert_eq!(read(S2), fact(complement()));
}

#[test]
fn a_refused_complement_is_a_fact_without_money() {
    let expected = Event {
        tender_id: TenderId::new("722487982").ok(),
        state: ReportedState::Refused,
        status: StatusCode { code: "00151".into(), reading: StatusReading::Known },
        authorisation: Authorisation::NotStated,
        mode: None,
        occurred_at: Timestamp::parse("2021-03-01T13:04:31Z").ok(),
        ..complement()
    };
    assert_eq!(event(&synthetic(FULL), &payload(S3)), expected);
}

#[test]
fn the_shops_parameters_stand_in_front_and_a_reference_goes_nearly_raw() {
    let expected = Event {
        order_ref: OrderRef::new("CMD 9542124+A@b,c/d").ok(),
        tender_id: TenderId::new("722487983").ok(),
        occurred_at: None,
        ..voucher()
    };
    assert_eq!(event(&synthetic(FULL), &payload(S4)), expected);
}

#[test]
fn variables_outside_the_template_are_signed_but_not_read() {
    let adapter = synthetic(&Template::default().to_string());
    assert_eq!(event(&adapter, &payload(S1)), Event { occurred_at: None, ..voucher() });
    assert_eq!(
        event(&adapter, &format!("shop=12&{}", payload(S1))),
        Event { occurred_at: None, ..voucher() }
    );
}

#[test]
fn a_post_is_read_from_its_body_or_else_from_its_query() {
    let adapter = synthetic(FULL);
    let payload = payload(S1);
    let in_body = Request { method: Method::Post, query: b"Mt=1", body: payload.as_bytes(), headers: &[] };
    let in_query = Request { method: Method::Post, query: payload.as_bytes(), body: b"", headers: &[] };
    let beside_a_body =
        Request { method: Method::Get, query: payload.as_bytes(), body: b"Mt=1", headers: &[] };
    for request in [in_body, in_query, beside_a_body] {
        assert_eq!(prove_and_read(&adapter, &request).expect("genuine").events(), [voucher()]);
    }
}

#[test]
fn a_genuine_card_sale_without_a_call_number_is_another_products() {
    // With a call number, which V3 does not carry, the template is one that the daemon serves.
    let template = V3_TEMPLATE.replace("trans:S", "call:T;trans:S");
    let template = Template::parse(&template).expect("strict");
    let adapter =
        Up2pay::new(Settings { mode: Mode::Test, template, keys: vec![Settings::platform_key()], api: None });
    let why = "no part of a payment (00000): without the variable of letter T";
    assert_eq!(prove_and_read(&adapter, &message(V3).as_request()), Ok(Reading::nothing(why)));
}
