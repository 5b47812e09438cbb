//! What an administrator is told.

use cvco_domain::Bilingual;

use super::*;
use crate::Diagnosis;
use crate::up2pay::diagnose_query;

fn diagnose(payload: &str) -> Diagnosis {
    diagnose_query(&lenient(OWN), &[own_public_key()], payload.as_bytes())
}

/// The summary of what is not genuine.
fn refusal(payload: &str) -> String {
    let Diagnosis { genuine, summary, details } = diagnose(payload);
    assert!(!genuine, "{summary} {details:?}");
    summary.english
}

/// The lines in English.
fn texts(details: &[Bilingual]) -> Vec<String> {
    details.iter().map(|detail| detail.english.clone()).collect()
}

/// A call whose reference shows every way of encoding.
fn telling() -> String {
    own_query(&Call { reference: "CMD 12@a,b/é".into(), ..call() })
}

#[test]
fn a_genuine_call_is_told_by_its_bytes_and_its_key() {
    let diagnosis =
        diagnose_query(&lenient(V5_TEMPLATE), &[Settings::platform_key()], payload(V5).as_bytes());
    assert_eq!(
        diagnosis,
        Diagnosis {
            genuine: true,
            summary: Bilingual::new(
                "authentique\u{a0}: la signature couvre les variables du modèle placées avant la signature, tel que reçu",
                "genuine: the signature covers the template's variables before the signature, as received",
            ),
            details: vec![
                Bilingual::new(
                    "octets signés\u{a0}: \"amount=500&reference=order.test%20123&autorization=XXXXXX&error=00000\"",
                    "signed bytes: \"amount=500&reference=order.test%20123&autorization=XXXXXX&error=00000\"",
                ),
                Bilingual::new(
                    "clé\u{a0}: SHA-256 e3e24366a97653cb40f9ed2ee2b91fe6d8c28ee81d062ca1508c9e32abe141bb (celle de la plateforme)",
                    "key: SHA-256 e3e24366a97653cb40f9ed2ee2b91fe6d8c28ee81d062ca1508c9e32abe141bb (the platform's own)",
                ),
            ],
        }
    );
}

#[test]
fn an_address_is_cut_at_its_question_mark() {
    let diagnosis = diagnose(&format!("https://shop.example/ipn?shop=1&{}", telling()));
    assert!(diagnosis.genuine);
    assert!(diagnosis.details[0].english.starts_with("this is an address"), "{:?}", diagnosis.details);
}

#[test]
fn what_follows_the_signature_is_mentioned() {
    let diagnosis = diagnose(&format!("{}&loop=1", telling()));
    assert!(diagnosis.genuine);
    assert!(
        diagnosis.details[0].english.contains("variables after the signature: 1;"),
        "{:?}",
        diagnosis.details
    );
}

#[test]
fn the_adapter_adds_what_it_makes_of_the_call() {
    let adapter = synthetic(FULL);
    let details = |query: &str| texts(&adapter.diagnose(&get(query)).details).join("\n");
    assert!(details(&payload(S1)).ends_with("facts about a voucher payment: 1"));
    let other = facts::changed(&Call { brand: "VISA".into(), ..call() }, "CARTE", "PAYPAL");
    let other = own(Mode::Test).diagnose(&get(&other));
    assert!(
        other.details.last().is_some_and(|line| line.english.starts_with("neither a voucher nor a card"))
    );
    let doubled = sign("Mt=1&Mt=2");
    let diagnosis = own(Mode::Test).diagnose(&get(&doubled));
    assert!(diagnosis.genuine);
    assert!(diagnosis.details.last().is_some_and(|line| line.english.ends_with("a variable stands twice")));
}

#[test]
fn a_call_that_was_written_again_is_recognised() {
    // What was signed, what arrives before the signature, and what is said of it.
    for (signed, arrived, expected) in [
        ("Ref=a%20b%40c", "Ref=a b@c", "with its values decoded and encoded again (RFC 3986)"),
        ("Ref=a%20b%40c", "Ref=a+b@c", "with its values read as a form and encoded again (RFC 3986)"),
        ("Ref=a+b%40c", "Ref=a%20b%40c", "with its values form-encoded, spaces as `+`"),
        ("Ref=a b@c", "Ref=a+b%40c", "with its values form-decoded"),
        ("Ref=a%20b@c", "Ref=a b@c", "with spaces alone encoded: the values were decoded"),
        ("Ref=a%20b@c", "Ref=a+b%40c", "with spaces alone encoded: the values were form-encoded"),
        ("Mt=1&Ref=a", "Mt=1&amp;Ref=a", "with `&amp;` as `&`"),
        ("Mt=1&Ref=a", "Mt=1&R\r\nef=a", "without its line breaks"),
        ("Mt=1&Ref=a", " Mt=1&Ref=a", "without the white space around it"),
        ("Mt=1&Ref=a\n", "Mt=1&Ref=a", "with a line end after it"),
        ("Mt=1&Ref=a ", "Mt=1&Ref=a", "with a space after it"),
        ("Mt=1&Ref=a", "Ref=a&Mt=1", "with the variables in the order of PBX_RETOUR"),
    ] {
        let query = sign(signed).replacen(signed, arrived, 1);
        let expected = format!("not genuine as received, but close: it verifies {expected}");
        let summary = refusal(&query);
        assert!(summary.starts_with(&expected), "{query}: {summary}");
        assert_eq!(texts(&diagnose(&query).details).last(), Some(&format!("signed bytes: {signed:?}")));
    }
}

#[test]
fn a_signature_that_was_moved_is_recognised() {
    let query = sign("Mt=1&Ref=a");
    let signature = query.strip_prefix("Mt=1&Ref=a&").expect("the signature");
    let summary = refusal(&format!("Mt=1&{signature}&Ref=a"));
    assert!(summary.ends_with("the signature was not at the end"), "{summary}");
}

#[test]
fn a_call_of_up2pay_under_other_keys_is_told_by_the_platforms_key() {
    let diagnosis = diagnose_query(&lenient(V1_TEMPLATE), &[synthetic_key()], payload(V1).as_bytes());
    assert!(!diagnosis.genuine);
    assert!(diagnosis.summary.english.contains("under the platform's own"), "{}", diagnosis.summary);

    let the_reverse = diagnose_query(&lenient(FULL), &[Settings::platform_key()], payload(S1).as_bytes());
    assert!(the_reverse.summary.english.contains("another key made it"), "{}", the_reverse.summary);
}

#[test]
fn a_wrong_name_of_the_signature_is_asked_about() {
    for name in ["signature", "Sign"] {
        let query = telling().replace("&Signature=", &format!("&{name}="));
        let expected = format!("no variable named Signature, but it verifies with {name:?} as the name of K");
        assert!(refusal(&query).ends_with(&expected), "{}", refusal(&query));

        let damaged = query.replacen("Mt=1500", "Mt=1501", 1);
        assert!(
            refusal(&damaged).ends_with("is the name of K in PBX_RETOUR right?"),
            "{}",
            refusal(&damaged)
        );
    }
    assert_eq!(
        refusal("Mt=1&Ref=a"),
        "not genuine: no variable named Signature, and none that looks like a signature"
    );
}

#[test]
fn a_signature_of_another_length_is_told_by_its_length() {
    let query = telling();
    let (signed, _) = query.rsplit_once('&').expect("pairs");
    let with = |base64: &str| refusal(&format!("{signed}&Signature={base64}"));
    assert_eq!(
        with(&"A".repeat(168)),
        "not genuine: the signature has 126 bytes instead of 128; it is cut short"
    );
    assert_eq!(
        with(&"A".repeat(176)),
        "not genuine: the signature has 132 bytes instead of 128; another key made it"
    );
    assert!(with(&"A".repeat(171)).contains("is not base64"));
    assert!(with("").contains("is cut short"));
    let keyless = diagnose_query(&lenient(OWN), &[], query.as_bytes());
    assert_eq!(keyless.summary.english, "not genuine: no key is configured");
}

#[test]
fn two_signatures_are_one_too_many() {
    let summary = refusal(&format!("{}&Signature=x", telling()));
    assert_eq!(summary, "not genuine: the signature (variable Signature) stands more than once");
}

#[test]
fn a_changed_value_fits_nothing_and_what_was_tried_is_shown() {
    let changed = telling().replacen("Mt=1500", "Mt=1501", 1);
    let Diagnosis { genuine, summary, details } = diagnose(&changed);
    assert!(!genuine);
    assert!(summary.english.contains("fits neither"), "{summary}");
    assert!(
        details[0]
            .english
            .starts_with("tried the template's variables before the signature, as received: \"Mt=1501&")
    );
    assert!(details.iter().any(|line| line.english.contains("percent-decoded once")), "{details:?}");
    assert!(details.iter().any(|line| line.english.contains(own_public_key().fingerprint())), "{details:?}");
}

#[test]
fn quotations_are_bounded_and_printable() {
    let query = sign(&format!("Mt=1&Ref={}\u{1b}[31m", "é".repeat(1000)));
    let details = texts(&diagnose(&query).details).concat();
    assert!(details.contains(" …") && details.chars().count() < 1000, "{details}");
    let details = texts(&diagnose(&sign("Mt=1&Ref=\u{1b}[31m")).details).concat();
    assert!(details.contains("\\u{1b}"), "{details}");
}

#[test]
fn any_template_with_a_signature_will_do() {
    let query = sign("Ref=a&Mt=1").replace("Signature", "s");
    assert!(diagnose_query(&lenient("s:K;Ref:R"), &[own_public_key()], query.as_bytes()).genuine);
}
