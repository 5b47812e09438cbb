//! Whatever arrives: no panic, and no fact that was not signed.

use proptest::prelude::*;

use super::*;

#[test]
fn no_flipped_bit_makes_another_fact() {
    let adapter = synthetic(FULL);
    let original = payload(S1).into_bytes();
    let signed = payload(S1).find("&Signature=").expect("a signature");
    let truth = vec![voucher()];
    for bit in 0..original.len() * 8 {
        let mut query = original.clone();
        query[bit / 8] ^= 1 << (bit % 8);
        let request = Request { method: Method::Get, query: &query, body: b"", headers: &[] };
        if let Ok(reading) = prove_and_read(&adapter, &request) {
            assert_eq!(reading.events(), truth, "bit {bit}");
            assert!(bit / 8 > signed, "bit {bit} is signed");
        }
    }
}

#[test]
fn what_nobody_signed_states_nothing() {
    let adapter = synthetic(FULL);
    let payload = payload(S1);
    assert!(adapter.read(&Message::Unsigned(payload.clone().into_bytes())).is_err());
    let message = adapter.prove(&get(&payload)).expect("genuine");
    assert_eq!(adapter.read(&message).expect("read").events(), [voucher()]);
}

#[test]
fn unsigned_parameters_add_no_fact() {
    let adapter = synthetic(FULL);
    let payload = payload(S1);
    for query in [format!("{payload}&Mt=1&Erreur=00151"), format!("a=1&b&&c=%26Mt%3D1&{payload}")] {
        assert_eq!(event(&adapter, &query), voucher());
    }
    // In front, a variable of the template's would be taken for a signed one: the call is refused.
    let in_front = format!("Mt=1&{payload}");
    assert_eq!(adapter.prove(&get(&in_front)), Err(Rejection::Signature));
}

#[test]
fn one_signature_is_needed() {
    let malformed = |adapter: &Up2pay, query: &str| match adapter.prove(&get(query)) {
        Err(Rejection::Malformed { what, .. }) => what,
        other => panic!("{query}: {other:?}"),
    };
    let adapter = synthetic(FULL);
    let payload = payload(S1);
    assert_eq!(malformed(&adapter, ""), "no signature (variable Signature)");
    assert_eq!(
        malformed(&adapter, &payload.replace("Signature=", "signature=")),
        "no signature (variable Signature)"
    );
    assert_eq!(
        malformed(&adapter, &format!("{payload}&Signature=x")),
        "the signature (variable Signature) stands twice"
    );
    assert_eq!(
        malformed(&adapter, &format!("{}{payload}", "a=1&".repeat(100))),
        "more variables than any call has"
    );
    let long = payload.replace("Signature=", &format!("Signature={}", "A".repeat(9000)));
    assert_eq!(malformed(&adapter, &long), "the signature is longer than any key makes");
}

#[test]
fn a_damaged_signature_is_a_wrong_one() {
    let adapter = synthetic(FULL);
    let payload = payload(S1);
    for query in [
        payload.replace("%3D", ""),
        payload.replace("%2B", ""),
        payload.replace("Signature=", "Signature=!"),
        payload.replace("Signature=", "Signature=AAAA"),
    ] {
        assert_eq!(adapter.prove(&get(&query)), Err(Rejection::Signature), "{query}");
    }
    let (signed, _) = payload.rsplit_once('&').expect("pairs");
    assert_eq!(adapter.prove(&get(&format!("{signed}&Signature="))), Err(Rejection::Signature));
}

#[test]
fn each_configured_key_counts_and_no_other() {
    let query = own_query(&call());
    let with = |keys| {
        let template = Template::parse(OWN).expect(OWN);
        Up2pay::new(Settings { mode: Mode::Production, template, keys, api: None }).prove(&get(&query))
    };
    assert!(with(vec![synthetic_key(), own_public_key()]).is_ok());
    assert!(with(vec![own_public_key(), synthetic_key()]).is_ok());
    assert_eq!(with(vec![synthetic_key(), Settings::platform_key()]), Err(Rejection::Signature));
    assert_eq!(with(vec![]), Err(Rejection::Signature));
}

/// Bytes that look like a call here and there.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..20),
        "(&|=|%|%2|%26|\\+|;|\\?|&amp;|Mt|Ref|Signature|&Signature=|[A-Za-z0-9+/]{172})"
            .prop_map(String::into_bytes),
        Just(payload(S1).into_bytes()),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_bytes_panic_or_make_facts(query in hostile(), body in hostile(), post in any::<bool>()) {
        let method = if post { Method::Post } else { Method::Get };
        let request = Request { method, query: &query, body: &body, headers: &[] };
        let adapter = synthetic(FULL);
        if let Ok(reading) = prove_and_read(&adapter, &request) {
            prop_assert_eq!(reading.events(), [voucher()]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_diagnosis_agrees_with_the_verdict(query in hostile()) {
        let adapter = synthetic(FULL);
        let request = Request { method: Method::Get, query: &query, body: b"", headers: &[] };
        let genuine = adapter.diagnose(&request).genuine;
        match adapter.prove(&request) {
            Ok(_) => prop_assert!(genuine),
            Err(Rejection::Signature) => prop_assert!(!genuine || query.contains(&b'?')),
            Err(_) => {}
        }
    }
}
