//! Which calls are believed. The message `A1` and most of what is done to it here are the vendor's own
//! (sdk-java, `SignatureValidatorTest` and `WebhooksHelperTest`).

use super::*;

/// The vendor's message is of the account 20000.
fn of_the_vendor(message: &WireMessage) -> Result<Message, Rejection> {
    Worldline::new(Settings { merchant_id: "20000".to_owned(), ..settings() }).prove(&message.as_request())
}

fn vendors() -> WireMessage {
    fixture!("A1-sdk-valid-body")
}

fn with_headers(headers: Vec<(&'static str, Vec<u8>)>) -> WireMessage {
    WireMessage { headers, ..vendors() }
}

const SIGNED: &[u8] = b"6sFZob2yfSpd25MiutFRgBdx8dfbgxs+ZFp5kza1QR8=";

#[test]
fn the_vendors_own_message_is_genuine() {
    let message = of_the_vendor(&vendors()).expect("genuine");
    let reading = Worldline::new(settings()).read(&message);
    assert_eq!(reading, Ok(Reading::nothing("payment.paid: neither a payment nor a refund in it")));
}

#[test]
fn what_this_adapter_signs_is_what_the_vendor_signs() {
    assert_eq!(verify::sign(vendors().body, &key(KEY_ID, SECRET)).headers[0].1, SIGNED);
    let empty = verify::sign(String::new(), &key(KEY_ID, SECRET));
    assert_eq!(empty.headers[0].1, b"FHbwt14Rjkjdn51x5EiyjgVQ7gN6ftgh5Y2l0KpQmLw=");
}

#[test]
fn a_changed_body_is_refused() {
    let original = vendors();
    let changed = original.body.replace("11:24:14", "11:25:14");
    let forged = WireMessage { body: changed.clone(), ..original };
    assert_eq!(of_the_vendor(&forged), Err(Rejection::Signature));
    let tag = verify::sign(changed, &key(KEY_ID, SECRET)).headers.remove(0).1;
    assert_eq!(tag, b"MG5o5XnimQwa7XkjvwtQcuyiNYqi40CFqCw5okcQq3c=");
}

#[test]
fn what_nobody_signed_states_nothing() {
    let adapter = Worldline::new(settings());
    let voucher = fixture!("S2-split-voucher");
    assert!(adapter.read(&Message::Unsigned(voucher.body.clone().into_bytes())).is_err());
    let message = adapter.prove(&voucher.as_request()).expect("genuine");
    assert_eq!(adapter.read(&message).expect("read").events(), [voucher_part()]);
}

#[test]
fn another_secret_is_refused() {
    let other = Settings { webhook_keys: vec![key(KEY_ID, "1hello+world")], ..settings() };
    assert_eq!(Worldline::new(other).prove(&vendors().as_request()), Err(Rejection::Signature));
}

#[test]
fn the_signature_must_be_the_one_header_and_whole() {
    let key_id = || (verify::KEY_ID, KEY_ID.as_bytes().to_vec());
    let signed = |text: &[u8]| (SIGNATURE, text.to_vec());
    let longer = [b"1", SIGNED].concat();
    for (case, headers) in [
        ("no headers", vec![]),
        ("no signature", vec![key_id()]),
        ("no key id", vec![signed(SIGNED)]),
        ("twice", vec![key_id(), signed(SIGNED), signed(&[SIGNED, b"1"].concat())]),
        ("twice the same", vec![key_id(), signed(SIGNED), signed(SIGNED)]),
        ("the key id twice", vec![key_id(), key_id(), signed(SIGNED)]),
        ("a character before it", vec![key_id(), signed(&longer)]),
        ("without padding", vec![key_id(), signed(&SIGNED[..43])]),
        ("empty", vec![key_id(), signed(b"")]),
        ("cut short", vec![key_id(), signed(&SIGNED[..40])]),
    ] {
        assert_eq!(of_the_vendor(&with_headers(headers)), Err(Rejection::Signature), "{case}");
    }
}

#[test]
fn blanks_around_the_signature_do_no_harm() {
    let padded = [b" ", SIGNED, b"\t"].concat();
    let headers = vec![(verify::KEY_ID, KEY_ID.as_bytes().to_vec()), (SIGNATURE, padded)];
    assert!(of_the_vendor(&with_headers(headers)).is_ok());
}

#[test]
fn only_the_key_that_is_named_counts() {
    for id in ["unknown", "DUMMY-KEY-ID", ""] {
        let headers = vec![(verify::KEY_ID, id.as_bytes().to_vec()), (SIGNATURE, SIGNED.to_vec())];
        assert_eq!(of_the_vendor(&with_headers(headers)), Err(Rejection::UnknownKey), "{id}");
    }
    let headers = vec![(verify::KEY_ID, b"next-key-id".to_vec()), (SIGNATURE, SIGNED.to_vec())];
    assert_eq!(of_the_vendor(&with_headers(headers)), Err(Rejection::Signature));
}

#[test]
fn an_id_may_have_an_old_and_a_new_secret() {
    let rotating = Settings { webhook_keys: vec![key(KEY_ID, "new"), key(KEY_ID, SECRET)], ..settings() };
    assert!(Worldline::new(rotating).prove(&fixture!("S1-voucher-only").as_request()).is_ok());
}

#[test]
fn another_version_is_no_matter_of_the_signature() {
    let version = "apiVersion is not v1: a version of the webhooks that is not known";
    let old = altered(&fixture!("S1-voucher-only"), "\"v1\"", "\"v0\"");
    assert_eq!(not_understood(&old), version);
    assert_eq!(not_understood(&signed(r#"{"type":"payment.captured"}"#)), version);
}

#[test]
fn another_account_is_refused() {
    assert_eq!(read(&vendors()), foreign("merchantId"));
    let silent = altered(&fixture!("S1-voucher-only"), r#""merchantId":"PSPIDTEST","#, "");
    assert_eq!(events(&silent).len(), 1);
}

#[test]
fn the_trial_of_the_address_gets_its_token_back() {
    let adapter = Worldline::new(settings());
    let shake = |message: &WireMessage| adapter.handshake(&message.as_request());
    let trial = fixture!("H1-handshake");
    assert_eq!(shake(&trial).as_deref(), Some("4c8f3b4e-1d8f-4b0b-9d35-1f2f5a4f6a55"));
    assert_eq!(shake(&fixture!("S1-voucher-only")), None, "a webhook is none");
    for (case, tokens) in [
        ("none", vec![]),
        ("too long", vec!["x".repeat(257)]),
        ("not to be echoed", vec!["<a b>\u{e9}".to_owned()]),
        ("two", vec!["a".to_owned(), "b".to_owned()]),
    ] {
        let headers = tokens.into_iter().map(|token| (HANDSHAKE, token.into_bytes())).collect();
        assert_eq!(shake(&WireMessage { headers, ..trial.clone() }).as_deref(), Some(""), "{case}");
    }
}

/// A redirect may make a GET of a webhook, with or without its headers and its body.
#[test]
fn a_get_that_was_a_webhook_is_no_trial_of_the_address() {
    let adapter = Worldline::new(settings());
    let webhook = fixture!("S1-voucher-only");
    let bare =
        WireMessage { method: Method::Get, headers: Vec::new(), body: String::new(), ..webhook.clone() };
    for lost in [
        WireMessage { headers: webhook.headers.clone(), ..bare.clone() },
        WireMessage { body: webhook.body.clone(), ..bare.clone() },
        WireMessage { method: Method::Get, ..webhook },
    ] {
        assert_eq!(adapter.handshake(&lost.as_request()), None);
        assert_eq!(read(&lost), Err(Rejection::Method { psp: Psp::Worldline }.into()));
    }
    assert_eq!(adapter.handshake(&bare.as_request()).as_deref(), Some(""));
}
