//! What must not be taken, and what must not break the adapter.

use proptest::prelude::*;
use secrecy::SecretString;

use super::*;

fn all() -> [&'static [u8]; 15] {
    [
        fixture!("P5-khalyomede-real-ipn"),
        fixture!("R9-synthetic-rest-cascade"),
        fixture!("S1-cascade-ok"),
        fixture!("S11-merch-bo-cancel"),
        fixture!("S12-merch-bo-refund"),
        fixture!("S13-case-sort"),
        fixture!("S14-space-in-name"),
        fixture!("S15-rename-forged"),
        fixture!("S15-rename-original"),
        fixture!("S2-cascade-second-card"),
        fixture!("S4-cascade-mismatch"),
        fixture!("S5-cascade-numeric-types"),
        fixture!("S7-cvco-full"),
        fixture!("S8-cvco-refused"),
        fixture!("S9-abandoned"),
    ]
}

#[test]
fn a_forged_name_in_front_of_the_amount_is_refused_by_name() {
    assert!(not_understood(fixture!("S15-rename-forged")).contains("does not cover names"));
}

#[test]
fn messages_that_are_no_notifications_are_refused_though_genuine() {
    assert_eq!(not_understood(fixture!("S13-case-sort")), "vads_hash is missing");
    assert_eq!(not_understood(fixture!("S14-space-in-name")), "vads_hash is missing");
    assert_eq!(not_understood(fixture!("S15-rename-original")), "vads_hash is missing");
}

#[test]
fn the_fields_of_a_notification_are_strict() {
    let altered = |name: &str, value: Option<&str>| altered(fixture!("S7-cvco-full"), &[(name, value)]);
    let refused = |name: &str, value: Option<&str>| not_understood(&altered(name, value));
    let required = [
        "vads_hash",
        "vads_url_check_src",
        "vads_ctx_mode",
        "vads_site_id",
        "vads_trans_id",
        "vads_trans_date",
        "vads_amount",
        "vads_currency",
        "vads_trans_status",
        "vads_card_brand",
    ];
    for name in required {
        assert_eq!(refused(name, None), format!("{name} is missing"));
    }
    let wrong = [
        ("vads_hash", "not a hash"),
        ("vads_url_check_src", "pay"),
        ("vads_ctx_mode", "test"),
        ("vads_site_id", "1234567"),
        ("vads_trans_id", "xrT15"),
        ("vads_trans_date", "20200431145600"),
        ("vads_amount", "99.90"),
        ("vads_amount", "-9990"),
        ("vads_amount", "1234567890123"),
        ("vads_effective_amount", "9990+978"),
        ("vads_currency", "EUR"),
        ("vads_trans_status", "authorised"),
        ("vads_version", "V3"),
        ("vads_operation_type", "debit"),
        ("vads_card_brand", "CVCO+00"),
        ("vads_trans_uuid", "5f4a"),
        ("vads_sequence_number", "1234"),
        ("vads_auth_result", "0+1"),
    ];
    for (name, value) in wrong {
        let what = refused(name, Some(value));
        let is_said = what.starts_with(name) || what.contains("does not cover names");
        assert!(is_said && !what.contains(value), "{what}");
    }
    assert_eq!(foreign(&altered("vads_site_id", Some("87654321"))), "vads_site_id");
}

#[test]
fn what_nobody_signed_states_nothing() {
    let adapter = Sogecommerce::new(settings());
    let unsigned = Message::Unsigned(fixture!("S1-cascade-ok").to_vec());
    assert!(adapter.read(&unsigned).is_err());
    let message = adapter.prove(&post(fixture!("S1-cascade-ok"))).expect("genuine");
    assert_eq!(adapter.read(&message), Ok(facts(vec![voucher_part(), card_part()])));
}

#[test]
fn the_shape_of_a_request_is_bounded() {
    let adapter = Sogecommerce::new(settings());
    let get = Request { method: Method::Get, query: fixture!("S1-cascade-ok"), body: b"", headers: &[] };
    assert!(matches!(adapter.prove(&get), Err(Rejection::Malformed { .. })));
    assert!(!adapter.diagnose(&get).genuine);
    assert_eq!(malformed(b""), "neither vads_ fields nor kr-answer");
    assert_eq!(malformed(b"vads_amount=1"), "signature is missing");
    assert_eq!(malformed("a=1&".repeat(9000).as_bytes()), "more than 8192 fields");
    let twice = [fixture!("S1-cascade-ok"), b"&vads_amount=1"].concat();
    assert_eq!(malformed(&twice), "two fields have the same name");
}

#[test]
fn latin1_is_signed_as_it_is_and_refused_only_where_it_is_read() {
    let read_with = |name: &str| {
        let key: SecretString = KEY.to_owned().into();
        let pairs = fields(fixture!("S7-cvco-full")).into_iter().filter(|(known, _)| known != name);
        let body = serde_urlencoded::to_string(pairs.collect::<Vec<_>>()).expect("a form");
        let body = format!("{body}&{name}=%E9");
        let submission = Submission::parse(body.as_bytes()).expect("a form");
        let (mut sorted, key) = (submission.vads().collect::<Vec<_>>(), trimmed(&key));
        sorted.sort_by_key(|(name, _)| *name);
        let values: Vec<_> = sorted.iter().map(|(_, raw)| crate::wire::decode_plus(raw)).collect();
        let text = [values.join(&b'+').as_slice(), key.expose().as_bytes()].join(&b'+');
        let tag = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, key.tag(&text));
        let signature = serde_urlencoded::to_string([("signature", tag)]).expect("a form");
        read(format!("{body}&{signature}").as_bytes())
    };
    assert!(read_with("vads_cust_city").is_ok());
    let what = "vads_order_id is not UTF-8".to_owned();
    assert_eq!(read_with("vads_order_id"), Err(Stopped::NotUnderstood(what)));
}

/// The signature does not cover names; all the same, no flipped bit gives other facts.
#[test]
fn flipped_bits_never_give_other_facts() {
    for body in all() {
        let expected = read(body);
        for position in 0..body.len() {
            for bit in 0..8 {
                let mut flipped = body.to_vec();
                flipped[position] ^= 1 << bit;
                if let Ok(reading) = read(&flipped) {
                    assert_eq!(Ok(reading), expected, "bit {bit} of byte {position}");
                }
            }
        }
    }
}

/// New fields are announced by the vendor; the platform signs them like all others.
#[test]
fn a_field_that_nobody_knows_is_taken_and_ignored() {
    for name in ["vads_country", "vads_channel", "vads_agent", "vads_dcc_choice", "vads_new", "vads_zone"] {
        for body in [fixture!("S1-cascade-ok"), fixture!("S7-cvco-full"), fixture!("S8-cvco-refused")] {
            assert_eq!(read(&altered(body, &[(name, Some("WEB"))])), read(body), "{name}");
        }
    }
}

#[test]
fn what_was_renamed_away_is_missed() {
    for (name, under) in [
        ("vads_card_brand", "vads_card_branc"),
        ("vads_contract_used", "vads_contract_usee"),
        ("vads_trans_uuid", "vads_trans_uuie"),
        ("vads_auth_result", "vads_auth_resulu"),
        ("vads_amount", "vads_amounu"),
    ] {
        let body = std::str::from_utf8(fixture!("S8-cvco-refused")).expect("ASCII");
        let renamed = body.replace(name, under);
        assert_ne!(renamed, body, "{name}");
        let what = not_understood(renamed.as_bytes());
        assert!(what.contains("does not cover names") || what.ends_with("is missing"), "{name}: {what}");
    }
}

/// Six hundred lines of a basket, each of seven fields.
#[test]
fn a_large_basket_is_no_reason_to_refuse() {
    let lines: Vec<(String, String)> = (0..600)
        .flat_map(|line| {
            ["amount", "ext_id", "label", "qty", "ref", "type", "vat"]
                .map(|what| (format!("vads_product_{what}{line}"), "9".repeat(40)))
        })
        .collect();
    let lines: Vec<(&str, Option<&str>)> =
        lines.iter().map(|(name, value)| (name.as_str(), Some(value.as_str()))).collect();
    assert_eq!(read(&altered(fixture!("S1-cascade-ok"), &lines)), read(fixture!("S1-cascade-ok")));
}

#[test]
fn while_keys_are_changed_either_is_right() {
    let with = |keys: &[&str]| {
        let keys = keys.iter().map(|key| (*key).to_owned().into()).collect();
        let adapter = Sogecommerce::new(Settings { keys, ..settings() });
        let genuine = adapter.diagnose(&post(fixture!("S1-cascade-ok"))).genuine;
        let proven = adapter.prove(&post(fixture!("S1-cascade-ok")));
        assert_eq!(proven.is_ok(), genuine);
        proven.map(drop)
    };
    assert_eq!(with(&["8877665544332211", KEY]), Ok(()));
    assert_eq!(with(&[KEY, "8877665544332211"]), Ok(()));
    assert_eq!(with(&["8877665544332211"]), Err(Rejection::Signature));
}

mod rest {
    use super::*;

    fn body(changes: &[(&str, &str)], answer: &dyn Fn(String) -> String) -> Vec<u8> {
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_bytes(fixture!("R9-synthetic-rest-cascade")).expect("a form");
        let json = pairs.iter().find(|(name, _)| name == "kr-answer").map(|(_, json)| json.clone());
        let json = answer(json.expect("present"));
        let hash = hex::encode(trimmed(&PASSWORD.to_owned().into()).tag(json.as_bytes()));
        let mut fields = vec![
            ("kr-hash-key", "password"),
            ("kr-hash-algorithm", "sha256_hmac"),
            ("kr-hash", &hash),
            ("kr-answer", &json),
        ];
        for (name, value) in changes {
            fields.retain(|(known, _)| known != name);
            fields.push((name, value));
        }
        serde_urlencoded::to_string(fields).expect("a form").into_bytes()
    }

    #[test]
    fn only_the_platforms_own_calls_count() {
        assert!(malformed(&body(&[("kr-hash-key", "sha256_hmac")], &|json| json)).contains("kr-hash-key"));
        assert!(malformed(&body(&[("kr-hash-algorithm", "none")], &|json| json)).contains("algorithm"));
        assert_eq!(read(&body(&[("kr-hash", "00")], &|json| json)), Err(Rejection::Signature.into()));
        assert_eq!(read(&body(&[("kr-hash", "zz")], &|json| json)), Err(Rejection::Signature.into()));
    }

    #[test]
    fn without_a_password_none_is_taken() {
        let adapter = Sogecommerce::new(Settings { rest_passwords: Vec::new(), ..settings() });
        let rejection = adapter.prove(&post(fixture!("R9-synthetic-rest-cascade"))).expect_err("no password");
        assert!(rejection.to_string().contains("no REST password"));
    }

    #[test]
    fn shop_and_mode_must_fit() {
        let other_shop = body(&[], &|json| json.replace("12345678", "87654321"));
        assert_eq!(foreign(&other_shop), "shopId");
        let other_mode = body(&[], &|json| json.replace("\"TEST\"", "\"PRODUCTION\""));
        assert_eq!(foreign(&other_mode), "orderDetails.mode");
    }

    #[test]
    fn amounts_are_strict_and_errors_name_the_place() {
        let wrong = body(&[], &|json| json.replace("\"amount\":6000", "\"amount\":60.00"));
        assert_eq!(
            not_understood(&wrong),
            "kr-answer: transactions[1].amount is missing, stands twice or is not in its format"
        );
    }

    #[test]
    fn slashes_may_be_signed_without_their_backslash() {
        let plain = body(&[], &|json| json);
        let escaped = String::from_utf8(plain.clone()).expect("ASCII").replace("V4%2F", "V4%5C%2F");
        assert_ne!(escaped.as_bytes(), plain);
        assert_eq!(read(escaped.as_bytes()), read(&plain));
    }

    #[test]
    fn a_refund_names_what_it_refunds() {
        let refund = body(&[], &|json| {
            json.replace("DEBIT", "CREDIT")
                .replace("\"parentTransactionUuid\":null", &format!("\"parentTransactionUuid\":\"{VISA}\""))
        });
        for event in events(&refund) {
            assert_eq!(event.operation, Operation::Credit { of: tender(VISA) });
            assert_eq!((event.order_total, event.itemised), (None, false));
        }
    }

    #[test]
    fn a_payment_without_legacy_names_is_known_by_its_first_uuid() {
        let modern = body(&[], &|json| json.replace("legacyTransId", "x"));
        for event in events(&modern) {
            assert_eq!(event.call_number.as_str(), VOUCHER);
        }
    }

    #[test]
    fn nothing_tried_is_no_fact() {
        let empty = br#"{"shopId":"12345678","orderDetails":{"mode":"TEST"},"transactions":null}"#;
        let empty = body(&[], &|_| String::from_utf8_lossy(empty).into_owned());
        assert_eq!(read(&empty), Ok(Reading::nothing("no transactions: nothing was tried")));
    }
}

fn exercise(body: &[u8]) {
    let adapter = Sogecommerce::new(settings());
    let genuine = adapter.diagnose(&post(body)).genuine;
    if let Ok(message) = adapter.prove(&post(body)) {
        assert!(genuine, "whatever is proven is genuine");
        let _reading_or_not = adapter.read(&message);
    }
    assert!(!diagnose_form(&KEY.to_owned().into(), Algorithm::Sha1, body).summary.english.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn random_bytes_break_nothing(body in proptest::collection::vec(any::<u8>(), 0..600)) {
        exercise(&body);
    }

    #[test]
    fn mutated_fixtures_break_nothing(
        which in 0..15_usize,
        place in any::<prop::sample::Index>(),
        with in proptest::collection::vec(any::<u8>(), 0..4),
        gone in 0..5_usize,
    ) {
        let mut body = all()[which].to_vec();
        let start = place.index(body.len());
        let end = (start + gone).min(body.len());
        body.splice(start..end, with);
        exercise(&body);
    }

    /// Behind the signature, where only a shop's own platform should ever get.
    #[test]
    fn signed_nonsense_breaks_nothing(place in any::<prop::sample::Index>(), value in ".{0,40}") {
        let mut fields = fields(fixture!("S2-cascade-second-card"));
        let index = place.index(fields.len());
        fields[index].1 = value;
        exercise(&signed(&fields));
    }

    #[test]
    fn a_signed_but_broken_sequence_breaks_nothing(
        place in any::<prop::sample::Index>(),
        with in "[\"{}\\[\\]:,0-9a-zé]{0,3}",
    ) {
        let mut fields = fields(fixture!("S2-cascade-second-card"));
        let (_, json) = fields.iter_mut().find(|(name, _)| name == "vads_payment_seq").expect("present");
        let start = place.index(json.len());
        json.replace_range(start..start, &with);
        exercise(&signed(&fields));
    }
}
