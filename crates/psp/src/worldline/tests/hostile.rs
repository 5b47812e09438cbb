//! Genuine or not, no bytes do harm.

use proptest::prelude::*;

use super::*;

#[test]
fn what_matters_must_not_be_garbled() {
    let voucher = fixture!("S2-split-voucher");
    let place = |from: &str, to: &str| not_understood(&altered(&voucher, from, to));
    assert_eq!(
        place(r#"{"amount":5000"#, r#"{"amount":"50.00""#),
        "payment.paymentOutput.acquiredAmount.amount is missing, stands twice or is not in its format"
    );
    assert_eq!(
        place(r#"{"amount":14000"#, r#"{"amount":-1"#),
        "payment.paymentOutput.amountOfMoney.amount is missing, stands twice or is not in its format"
    );
    assert!(place(r#""statusCode":9"#, r#""statusCode":9.5"#).starts_with("payment.statusOutput.statusCode"));
    assert!(
        place(r#""statusCode":9"#, r#""statusCode":2,"statusCode":9"#).starts_with("payment.statusOutput")
    );
    assert!(place("10083980800_0", &"9".repeat(60)).starts_with("payment.id"));
    for not_json in ["", "{", "[", "true", "\u{feff}{}", "{}{}", "vads_amount=1"] {
        assert!(matches!(read(&signed(not_json)), Err(Stopped::NotUnderstood(_))), "{not_json}");
    }
}

/// The signature covers the body and no header: whatever bit is flipped, nothing else is read.
#[test]
fn no_flipped_bit_makes_another_fact() {
    for message in [
        fixture!("A1-sdk-valid-body"),
        fixture!("P1-payment-voucher"),
        fixture!("S1-voucher-only"),
        fixture!("S2-split-voucher"),
        fixture!("S3-split-card"),
        fixture!("S5-refund-requested"),
        fixture!("S6-refunded"),
        fixture!("S7-list-and-new-id"),
        fixture!("S8-split-card-refused"),
    ] {
        let adapter = Worldline::new(settings());
        let truth = read(&message);
        for bit in 0..message.body.len() * 8 {
            let mut body = message.body.clone().into_bytes();
            body[bit / 8] ^= 1 << (bit % 8);
            let flipped = Request { body: &body, ..message.as_request() };
            assert!(adapter.prove(&flipped).is_err(), "bit {bit} of the body");
        }
        for header in 0..message.headers.len() {
            for bit in 0..message.headers[header].1.len() * 8 {
                let mut headers = message.headers.clone();
                headers[header].1[bit / 8] ^= 1 << (bit % 8);
                let flipped = Request { headers: &headers, ..message.as_request() };
                if let Ok(reading) = prove_and_read(&adapter, &flipped) {
                    assert_eq!(Ok(reading), truth, "bit {bit} of header {header}");
                }
            }
        }
    }
}

#[test]
fn depth_is_bounded() {
    let (open, close) = ("[".repeat(20_000), "]".repeat(20_000));
    assert_eq!(not_understood(&signed(open.as_str())), "not JSON");
    assert!(not_understood(&signed(format!("{open}{close}"))).starts_with("apiVersion is not v1"));
    for property in ["x", "created", "type"] {
        let body = format!(r#"{{"apiVersion":"v1","{property}":{open}{close}}}"#);
        assert_eq!(events(&signed(body)), [], "{property} is skipped, however deep");
    }
}

#[test]
fn what_could_disguise_itself_is_escaped_or_refused() {
    let event = only(events(&altered(&fixture!("S2-split-voucher"), "CMD-2026-0043", "A\\u202eB")));
    assert_eq!(event.order_ref, OrderRef::new(r"A\u{202e}B").ok());
    assert!(
        not_understood(&altered(&fixture!("S2-split-voucher"), "10083980800_0", "1\\n2_0"))
            .starts_with("payment.id")
    );
    let kind = altered(&fixture!("S9-test-event"), "payment.test", "<script>");
    assert_eq!(read(&kind), Ok(Reading::nothing("an event without a type: a payment without a status")));
}

/// Values of any kind for any property.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let names = prop::sample::select(vec![
        "payment",
        "refund",
        "id",
        "status",
        "statusOutput",
        "statusCode",
        "statusCategory",
        "paymentOutput",
        "refundOutput",
        "operationOutput",
        "Operations",
        "amountOfMoney",
        "acquiredAmount",
        "amount",
        "currencyCode",
        "paymentMethod",
        "redirectPaymentMethodSpecificOutput",
        "cardPaymentMethodSpecificOutput",
        "paymentProductId",
        "references",
        "merchantReference",
        "created",
        "type",
    ]);
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        (0..20_000_i64).prop_map(Into::into),
        prop::sample::select(vec![
            "EUR",
            "card",
            "redirect",
            "CAPTURED",
            "10083980800_1",
            "9000010083980755000",
            "CREATED"
        ])
        .prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Into::into),
            prop::collection::vec((names.clone(), inner), 0..8).prop_map(
                |entries| serde_json::Value::Object(
                    entries.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
                )
            ),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        body in prop::collection::vec(any::<u8>(), 0..300),
        header in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let adapter = Worldline::new(with_api());
        for name in HEADERS {
            let headers = [(*name, header.clone()), (verify::KEY_ID, KEY_ID.as_bytes().to_vec())];
            for method in [Method::Get, Method::Post] {
                let request = Request { method, query: &header, body: &body, headers: &headers };
                prop_assert!(adapter.prove(&request).is_err());
                let _ = adapter.handshake(&request);
                let diagnosis = adapter.diagnose(&request);
                prop_assert!(!diagnosis.genuine);
            }
        }
    }

    #[test]
    fn no_genuine_json_makes_it_panic(payment in json(), refund in json()) {
        let body = serde_json::json!({ "apiVersion": "v1", "payment": payment, "refund": refund });
        if let Ok(reading) = read(&signed(body.to_string())) {
            for event in reading.events() {
                prop_assert!(event.amount.is_positive());
            }
        }
    }

    #[test]
    fn whatever_the_body_its_signature_is_taken(body in ".{0,200}") {
        let message = signed(body);
        let tag = &message.headers[0].1;
        prop_assert!(diagnose_webhook(&SECRET.to_owned().into(), tag, message.body.as_bytes()).genuine);
    }
}
