//! What `diagnose` says of genuine messages and of the usual mistakes.

use super::*;

/// Fixture, its signature under HMAC-SHA-256, and under SHA-1.
fn signatures() -> [(&'static [u8], &'static str, &'static str); 13] {
    [
        (
            fixture!("S1-cascade-ok"),
            "7VDAWnqorEi523oYfA1bU5AxNzdpUoRL6EAmz2WfB8Q=",
            "41ed1c3eadbef4c729a4a4b11e8b86d00275f072",
        ),
        (
            fixture!("S2-cascade-second-card"),
            "LjzAtEb1cTbUUHTsq0Jnxm2RM1BUEFgFpLkxah7Z35Y=",
            "265eaf96909440b3e4e1013f64a9f6a26301ee0c",
        ),
        (
            fixture!("S4-cascade-mismatch"),
            "EJR1Nl0g30SQNPmpi3BxPHPSsUYTHM+59vxWFJlwk00=",
            "47fdeb5295e4c667dccba1c9c14eed3dbd0afd50",
        ),
        (
            fixture!("S5-cascade-numeric-types"),
            "kt0giO91neTYpmUW3a9G89ZmgsFNG6oYhMKK3eP/f5w=",
            "4873f8ae4c1701d4296db2c784166ebf180d9121",
        ),
        (
            fixture!("S7-cvco-full"),
            "kpzZQVXydMygzp1cGLZKkjGcx9EnhZrQ0ajjFooeoVM=",
            "25fe3a8faa6d0645b63d85fcbd9c52ec10242c60",
        ),
        (
            fixture!("S8-cvco-refused"),
            "14RBMlxGmchwdoAzrfmL6eMTVgCm0fNrHE2eNaNQtYM=",
            "9bf61e66881aaa4efddbb0d83904e113145b28a7",
        ),
        (
            fixture!("S9-abandoned"),
            "PHeIkrXOEzSBqSlp0hlDXkCHrYhQ32XQt9CIuiczEKo=",
            "ac266e56226aeda3e5a9fe1398bba33f49d0dab1",
        ),
        (
            fixture!("S11-merch-bo-cancel"),
            "0SRbqv+aiICf/is91XvNsMwe0RdA5bWmycjwhIK+DNg=",
            "02f911e25563ed41d6a044fc8e48234b8721a68e",
        ),
        (
            fixture!("S12-merch-bo-refund"),
            "R+dflol47oJfQxF4c0FoWri+MiOez8qN9eiJbAauzS8=",
            "a2f280fb5fa216dff2865418af3ecb21a630c7ec",
        ),
        (
            fixture!("S13-case-sort"),
            "BVpFyIgJ3mui7iB9tgXiXzC0s5XtqN54324bOKpenXQ=",
            "636fd57b9af53cc83e7654485c546ec195d7732d",
        ),
        (
            fixture!("S14-space-in-name"),
            "JxGVLPfnhL8+wvWghQQ66fQwzTjwQYYXt108PKOaH7M=",
            "4111d1bbeeef6774e6d2ab0df2df33b817afc164",
        ),
        (
            fixture!("S15-rename-original"),
            "RVKIDct0zgoFmD+ATrhNgZ4qqS3ABZuej2e1Q6cwv/8=",
            "52cf56de07d9d809715839e073853a9f0e9c421c",
        ),
        (
            fixture!("S15-rename-forged"),
            "RVKIDct0zgoFmD+ATrhNgZ4qqS3ABZuej2e1Q6cwv/8=",
            "52cf56de07d9d809715839e073853a9f0e9c421c",
        ),
    ]
}

fn diagnose(body: &[u8]) -> Diagnosis {
    Sogecommerce::new(settings()).diagnose(&post(body))
}

fn summary_with(key: &str, algorithm: Algorithm, body: &[u8]) -> String {
    let diagnosis = diagnose_form(&key.to_owned().into(), algorithm, body);
    assert!(!diagnosis.genuine);
    diagnosis.summary.english
}

#[test]
fn every_fixture_has_the_signatures_that_were_computed_elsewhere() {
    let key = KEY.to_owned().into();
    for (body, hmac, sha1) in signatures() {
        assert_eq!(with_signature(body, hmac), body);
        assert!(diagnose_form(&key, Algorithm::HmacSha256, body).genuine, "{hmac}");
        assert!(diagnose_form(&key, Algorithm::Sha1, &with_signature(body, sha1)).genuine, "{sha1}");
    }
}

#[test]
fn a_genuine_message_that_is_no_notification_is_told_so() {
    for body in [fixture!("S13-case-sort"), fixture!("S14-space-in-name"), fixture!("S15-rename-original")] {
        let diagnosis = diagnose(body);
        assert!(diagnosis.genuine);
        let fate = "an endpoint stores it unread: vads_hash is missing";
        assert_eq!(diagnosis.details.last().map(|line| line.english.as_str()), Some(fate));
    }
    let forged = diagnose(fixture!("S15-rename-forged"));
    assert!(
        forged.genuine && forged.details.iter().any(|line| line.english.contains("does not cover names"))
    );
    let honest = diagnose(fixture!("S1-cascade-ok"));
    assert_eq!(
        honest.details.last().map(|line| line.english.as_str()),
        Some("an endpoint takes it: 2 event(s)")
    );
}

/// The three wrong signatures of the real message were computed with other tools.
#[test]
fn the_mistakes_of_receivers_are_named() {
    let summary = |signature| {
        let body = with_signature(fixture!("P5-khalyomede-real-ipn"), signature);
        summary_with("PLtsY7IpnYMBadb5", Algorithm::HmacSha256, &body)
    };
    let fits = |words: &str| format!("not genuine, but it would fit {words}");
    assert_eq!(summary("POBZKYbm63/PLwDJKT1gz0A8lgfRD7Ld5CMXvlRzjT0="), fits("with empty fields left out"));
    assert_eq!(summary("QF6H89Qh94oxL955e7lvo+ogcbYL1InNVQ3b9XshYmM="), fits("with vads_hash left out"));
    assert_eq!(
        summary("9eSomacxVJSPxExYsRt6U5P1tre/dq8proIPlUbbXIQ="),
        fits("with values in ISO 8859-1 instead of UTF-8")
    );
}

#[test]
fn the_other_algorithm_is_named() {
    let body = fixture!("S1-cascade-ok");
    let sha1 = with_signature(body, "41ed1c3eadbef4c729a4a4b11e8b86d00275f072");
    assert!(
        summary_with(KEY, Algorithm::HmacSha256, &sha1).ends_with("fit under SHA-1 (algorithm = \"sha-1\")")
    );
    assert!(summary_with(KEY, Algorithm::Sha1, body).contains("hmac-sha-256"));
}

#[test]
fn the_mistakes_of_senders_are_named() {
    let key = trimmed(&KEY.to_owned().into());
    let body = fixture!("S13-case-sort");
    let summary_of = |text: &str| {
        let signature =
            base64::Engine::encode(&base64::engine::general_purpose::STANDARD, key.tag(text.as_bytes()));
        summary_with(KEY, Algorithm::HmacSha256, &with_signature(body, &signature))
    };
    assert!(
        summary_of("2990+TEST+2+1+1122334455667788")
            .ends_with("fit with names sorted without regard to case")
    );
    assert!(summary_of("2990+TEST+1+2").ends_with("fit without the key at the end of the text"));
    assert!(summary_of("2990+TEST+1+2+8877665544332211").contains("nothing fits"));
    let hexadecimal = hex::encode(key.tag(b"2990+TEST+1+2+1122334455667788"));
    assert!(
        summary_with(KEY, Algorithm::HmacSha256, &with_signature(body, &hexadecimal))
            .ends_with("fit in hexadecimal instead of base64")
    );
}

#[test]
fn a_plus_lost_on_the_way_is_named() {
    let unescaped =
        String::from_utf8(fixture!("S4-cascade-mismatch").to_vec()).expect("ASCII").replace("HM%2B", "HM+");
    let summary = summary_with(KEY, Algorithm::HmacSha256, unescaped.as_bytes());
    assert!(summary.ends_with("fit with its + sent as %2B"), "{summary}");
}

#[test]
fn blanks_around_the_key_do_no_harm_and_are_named_where_they_were_signed() {
    assert!(
        diagnose_form(&format!(" {KEY}\n").into(), Algorithm::HmacSha256, fixture!("S7-cvco-full")).genuine
    );
    let blank_key = HmacSha256Key::new(format!("{KEY} ").into());
    let signature = sign(&fields(fixture!("S7-cvco-full")), &blank_key, Algorithm::HmacSha256);
    let body = with_signature(fixture!("S7-cvco-full"), &signature);
    let summary = summary_with(&format!("{KEY} "), Algorithm::HmacSha256, &body);
    assert!(summary.ends_with("fit with the blanks around the key"));
}

#[test]
fn a_key_of_the_other_world_is_hinted_at() {
    let production = Sogecommerce::new(Settings {
        mode: Mode::Production,
        keys: vec!["0".repeat(16).into()],
        ..settings()
    });
    let diagnosis = production.diagnose(&post(fixture!("S1-cascade-ok")));
    assert!(!diagnosis.genuine && diagnosis.summary.english.contains("nothing fits"));
    assert!(
        diagnosis.details.iter().any(|line| line.english.ends_with("but the endpoint is of mode production"))
    );
}

#[test]
fn a_rest_notification_is_explained_too() {
    let body = fixture!("R9-synthetic-rest-cascade");
    assert!(diagnose(body).genuine);
    assert!(diagnose_form(&PASSWORD.to_owned().into(), Algorithm::HmacSha256, body).genuine);
    assert!(summary_with("other", Algorithm::HmacSha256, body).contains("nothing fits"));
    let swapped = Sogecommerce::new(Settings {
        keys: vec![PASSWORD.to_owned().into()],
        rest_passwords: vec![KEY.to_owned().into()],
        ..settings()
    });
    assert!(
        swapped
            .diagnose(&post(body))
            .summary
            .english
            .ends_with("with the form key instead of the REST password")
    );
}

#[test]
fn the_browsers_copy_is_genuine_and_no_notification() {
    let body = String::from_utf8(fixture!("R9-synthetic-rest-cascade").to_vec())
        .expect("ASCII")
        .replace("kr-hash-key=password", "kr-hash-key=sha256_hmac")
        .replace(
            "6a457ac6cba2186f29f459808070601ebca6e97f5e30af351d8fc96ce2c8ae36",
            "b4ffd5280545e8fcdd1e38e5bbf03c068f924dccf10d12d8b2e39afc0d932f90",
        );
    let key = "38453613e7f44dc58732bad3dca2bca3".to_owned().into();
    let diagnosis = diagnose_form(&key, Algorithm::HmacSha256, body.as_bytes());
    assert!(diagnosis.genuine);
    assert!(diagnosis.details.iter().any(|line| line.english.ends_with("an endpoint refuses it")));
    assert!(malformed(body.as_bytes()).starts_with("kr-hash-key"));
}
