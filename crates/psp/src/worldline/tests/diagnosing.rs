//! What `diagnose` says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cvco_domain::crypto::hmac_sha256;

use super::*;

fn diagnosed(message: &WireMessage) -> Diagnosis {
    Worldline::new(settings()).diagnose(&message.as_request())
}

/// A message whose signature was made over `signed_body` under `secret`, with `body` arriving.
fn odd(secret: &[u8], signed_body: &str, body: &str) -> WireMessage {
    let mut message = signed(body);
    message.headers[0].1 = STANDARD.encode(hmac_sha256(secret, signed_body.as_bytes())).into_bytes();
    message
}

#[test]
fn a_genuine_message_says_what_becomes_of_it() {
    let genuine = diagnosed(&fixture!("S1-voucher-only"));
    assert!(genuine.genuine);
    assert!(
        genuine.details.iter().any(|line| line.english == "an endpoint takes it: 1 event(s)"),
        "{:?}",
        genuine.details
    );
    assert!(genuine.details.iter().any(|line| line.english == "retry-count: \"0\""), "{:?}", genuine.details);
    let foreign = diagnosed(&fixture!("A1-sdk-valid-body"));
    assert!(foreign.genuine);
    let fate =
        "an endpoint refuses it all the same: signed for another account of worldline: merchantId is not";
    assert!(foreign.details.iter().any(|line| line.english.starts_with(fate)), "{:?}", foreign.details);
}

#[test]
fn a_body_that_was_changed_on_its_way_is_recognised() {
    let text = fixture!("A1-sdk-valid-body").body;
    let crlf = text.replace('\n', "\r\n");
    let compact = r#"{"a":"x/y","b":[1,2]}"#;
    for (sent, arrived, words) in [
        (text.as_str(), crlf.as_str(), "with line ends LF where this body has CRLF"),
        (&crlf, &text, "with line ends CRLF where this body has LF"),
        (&format!("{text}\n"), &text, "with a line end (LF) after the body"),
        (&text, &format!("{text}\n"), "without the line end after the body"),
        (
            compact,
            "{ \"a\": \"x/y\",\n \"b\": [ 1, 2 ] }",
            "without the blanks between its values: somebody formatted the JSON",
        ),
        (
            compact,
            r#"{"a":"x\/y","b":[1,2]}"#,
            "with / where this body has \\/: something wrote the JSON again, as PHP does",
        ),
    ] {
        let diagnosis = diagnosed(&odd(SECRET.as_bytes(), sent, arrived));
        assert!(!diagnosis.genuine);
        assert_eq!(diagnosis.summary.english, format!("not genuine, but it would fit {words}"));
    }
}

#[test]
fn a_secret_that_was_taken_for_something_else_is_recognised() {
    for (configured, used, words) in [
        (" hello+world ", &b"hello+world"[..], "with the blanks around the secret left out"),
        ("aGVsbG8=", b"hello", "with the secret decoded from base64, which Worldline does not do"),
        ("68656c6c6f", b"hello", "with the secret decoded from hexadecimal, which Worldline does not do"),
    ] {
        let adapter = Worldline::new(Settings { webhook_keys: vec![key(KEY_ID, configured)], ..settings() });
        let diagnosis = adapter.diagnose(&odd(used, "{}", "{}").as_request());
        assert_eq!(diagnosis.summary.english, format!("not genuine, but it would fit {words}"));
    }
    let other = diagnosed(&odd(b"another secret", "{}", "{}"));
    assert_eq!(
        other.summary.english,
        "not genuine, but it would fit under the key \"next-key-id\" of webhook_keys"
    );
    let wrong = diagnosed(&odd(b"nobody's", "{}", "{}"));
    assert!(wrong.summary.english.starts_with("not genuine; nothing fits"), "{}", wrong.summary);
}

#[test]
fn a_signature_in_another_form_is_recognised() {
    let mut message = signed("{}");
    let tag = hmac_sha256(SECRET.as_bytes(), b"{}");
    message.headers[0].1 = hex::encode(tag).into_bytes();
    let diagnosis = diagnosed(&message);
    assert_eq!(diagnosis.summary.english, "not genuine, but it would fit in hexadecimal instead of base64");
}

#[test]
fn headers_that_are_missing_or_double_are_named() {
    let message = fixture!("S1-voucher-only");
    let without = |name: &str| {
        let mut message = message.clone();
        message.headers.retain(|(known, _)| *known != name);
        diagnosed(&message).summary.english
    };
    assert!(without(SIGNATURE).contains("X-GCS-Signature is missing"));
    assert!(without(verify::KEY_ID).contains("X-GCS-KeyId is missing"));
    let mut twice = message.clone();
    twice.headers.extend(message.headers.clone());
    assert!(diagnosed(&twice).summary.english.contains("X-GCS-Signature stands 2 times"));
    assert!(diagnosed(&fixture!("H1-handshake")).summary.english.contains("a webhook is a POST"));
}

#[test]
fn an_unknown_key_is_named_with_those_that_are_known() {
    let mut message = fixture!("S1-voucher-only");
    message
        .headers
        .iter_mut()
        .filter(|(name, _)| *name == verify::KEY_ID)
        .for_each(|(_, id)| *id = b"old".to_vec());
    assert_eq!(
        diagnosed(&message).summary.english,
        "not genuine: it names the key \"old\", and webhook_keys has only \"next-key-id\", \"dummy-key-id\"; \
         the signature would fit under the key \"dummy-key-id\" of webhook_keys"
    );
    message.headers.iter_mut().for_each(|(_, value)| *value = b"\x1b[31m".to_vec());
    assert!(diagnosed(&message).summary.english.contains("the key of no printable form"));
}

#[test]
fn without_configuration_a_secret_and_a_signature_will_do() {
    let message = fixture!("S1-voucher-only");
    let tag = &message.headers.iter().find(|(name, _)| *name == SIGNATURE).expect("signed").1;
    let diagnose = |secret: &str| diagnose_webhook(&secret.to_owned().into(), tag, message.body.as_bytes());
    assert!(diagnose(SECRET).genuine);
    assert!(!diagnose("hello world").genuine);
    assert_eq!(
        diagnose(" hello+world").summary.english,
        "not genuine, but it would fit with the blanks around the secret left out"
    );
}
