//! The configuration is read strictly, and every error says what to change.

use std::path::Path;

use cvco_reconciled::config::Config;

fn error_of(text: &str) -> String {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("config.toml");
    std::fs::write(&path, text).expect("file");
    match Config::load(&path) {
        Ok(_) => panic!("taken: {text}"),
        Err(error) => error.to_string(),
    }
}

const ENDPOINT: &str = r#"[[shop]]
id = "camping"
[[shop.endpoint]]
id = "e"
mode = "production"
token = "6f1c0a5be9d24c7f8a3b2c1d0e9f8a7b"
"#;

#[test]
fn the_sample_loads_as_it_is() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("config.example.toml");
    let config = Config::load(&sample).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(config.endpoints.len(), 2);
}

#[test]
fn an_error_names_file_key_and_what_would_be_right() {
    let cases: &[(&str, &[&str])] = &[
        ("[listener]\npublik = \"x\"", &["config.toml", "line 2", "publik", "public"]),
        ("[listener]\npublic = \"nowhere\"", &["listener.public", "127.0.0.1:8080"]),
        ("[listener]\nadmin = \"0.0.0.0:8081\"", &["listener.admin_token", "loopback", "openssl rand"]),
        ("[reconcile]\ncomplement_grace = \"soon\"", &["reconcile.complement_grace", "20m"]),
        ("[alerts]\nfrom = \"x\"\nto = []\nsmtp = \"http://h\"", &["alerts.from", "cvco@camping.example"]),
    ];
    for (text, words) in cases {
        let error = error_of(text);
        for word in *words {
            assert!(error.contains(word), "{word:?} in {error}");
        }
    }
}

#[test]
fn each_psp_wants_its_own_keys() {
    let with = |more: &str| error_of(&format!("{ENDPOINT}{more}"));
    assert!(with("psp = \"sogecommerce\"").contains("shop[0].endpoint[0].site_id"));
    assert!(with("psp = \"sogecommerce\"\nsite_id = \"12345678\"").contains("shop[0].endpoint[0].key"));
    assert!(with("psp = \"up2pay\"\nsite_id = \"12345678\"").contains("belongs to psp = \"sogecommerce\""));
    assert!(with("psp = \"up2pay\"\npbx_retour = \"Mt:M\"").contains("pbx_retour"));
    assert!(with("psp = \"paypal\"").contains("up2pay, sogecommerce"));
    let short = ENDPOINT.replace("6f1c0a5be9d24c7f8a3b2c1d0e9f8a7b", "6f1c0a5b");
    assert!(error_of(&format!("{short}psp = \"up2pay\"")).contains("128 bits"));
}

#[test]
fn several_problems_are_told_at_once() {
    let error = error_of(&format!("{ENDPOINT}psp = \"sogecommerce\"\nalgorithm = \"md5\""));
    assert!(error.contains("site_id") && error.contains(".key") && error.contains("algorithm"), "{error}");
}

#[test]
fn a_secret_is_never_quoted() {
    for text in [
        &format!("{ENDPOINT}psp = \"sogecommerce\"\nsite_id = \"12345678\"\nkey = 1122334455667788"),
        "listener.admin_token = 1122334455667788",
        "listener = { admin_token = 1122334455667788 }",
    ] {
        let error = error_of(text);
        assert!(error.contains("in quotes") && !error.contains("1122334455667788"), "{error}");
    }
}
