//! The configuration is read strictly, and every error says what to change.

use std::collections::BTreeSet;
use std::path::Path;

use cvco_reconciled::config::{Config, Problem, RawConfig};

fn error_of(text: &str) -> String {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("config.toml");
    std::fs::write(&path, text).expect("file");
    match Config::load(&path) {
        Ok(_) => panic!("taken: {text}"),
        Err(error) => error.to_string(),
    }
}

fn warnings_of(text: &str) -> Vec<Problem> {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("config.toml");
    std::fs::write(&path, text).expect("file");
    Config::load(&path).unwrap_or_else(|error| panic!("{error}")).warnings
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
    assert_eq!(config.endpoints.len(), 4);
}

#[test]
fn an_error_names_file_key_and_what_would_be_right() {
    let cases: &[(&str, &[&str])] = &[
        ("[listener]\npublik = \"x\"", &["config.toml", "line 2", "publik", "public"]),
        ("[listener]\npublic = \"nowhere\"", &["listener.public", "127.0.0.1:8080"]),
        ("[listener]\nadmin = \"0.0.0.0:8081\"", &["listener.admin_token", "loopback", "openssl rand"]),
        ("[reconcile]\ncomplement_grace = \"soon\"", &["reconcile.complement_grace", "20m"]),
        ("[alerts]\nfrom = \"x\"\nto = []\nsmtp = \"http://h\"", &["alerts.from", "cvco@camping.example"]),
        ("[ledger]\nanchor_to = [\"c@example.fr\"]", &["ledger.anchor_to", "needs [alerts]", "smtp"]),
        (
            "[ledger]\nanchor_to = [\"nobody\"]\n[alerts]\nfrom = \"a@b.fr\"\nto = [\"a@b.fr\"]\nsmtp = \"smtp://h\"",
            &["ledger.anchor_to", "\"nobody\" is not an e-mail address"],
        ),
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
    assert!(with("psp = \"worldline\"").contains("shop[0].endpoint[0].merchant_id"));
    assert!(with("psp = \"worldline\"\nmerchant_id = \"P\"").contains("webhook_keys"));
    assert!(
        with("psp = \"worldline\"\nmerchant_id = \"P\"\nwebhook_keys = [{ id = \"k\" }]")
            .contains("webhook_keys[0].secret: missing (or secret_file)")
    );
    assert!(
        with("psp = \"monext\"\nmerchant_id = \"1\"").contains("access_key: missing (or access_key_file)")
    );
    assert!(with("psp = \"ancv\"\nshop_id = \"1\"\nservice_provider_id = \"2\"").contains("api: missing"));
    assert!(
        with("psp = \"monext\"\nmerchant_id = \"1\"\naccess_key = \"k\"\nsite_id = \"1\"")
            .contains("belongs to")
    );
    assert!(with("psp = \"paypal\"").contains("up2pay, sogecommerce"));
    let short = ENDPOINT.replace("6f1c0a5be9d24c7f8a3b2c1d0e9f8a7b", "6f1c0a5b");
    assert!(error_of(&format!("{short}psp = \"up2pay\"")).contains("128 bits"));
}

#[test]
fn sogecommerce_takes_several_keys_while_they_are_changed() {
    let of = |more: &str| format!("{ENDPOINT}psp = \"sogecommerce\"\nsite_id = \"12345678\"\n{more}");
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("config.toml");
    std::fs::write(folder.path().join("new.key"), "8877665544332211\n").expect("a key");
    let both = of("keys = [{ key_file = \"new.key\" }, \"1122334455667788\"]");
    std::fs::write(&path, both).expect("file");
    assert_eq!(Config::load(&path).map(|config| config.endpoints.len()).ok(), Some(1));

    let missing = error_of(&of("keys = [{ key_file = \"no.key\" }]"));
    assert!(missing.contains("endpoint[0].keys[0]: cannot read"), "{missing}");
    assert!(error_of(&of("keys = []")).contains("endpoint[0].key: missing"));
    let twice = error_of(&of("key = \"1122334455667788\"\nkeys = [\"8877665544332211\"]"));
    assert!(twice.contains("endpoint[0].keys: stands beside key"), "{twice}");
}

#[test]
fn what_is_wrong_with_an_endpoint_is_told_by_its_id() {
    let wrong = error_of(&format!("{ENDPOINT}psp = \"worldline\""));
    assert!(wrong.contains("endpoint e: shop[0].endpoint[0].merchant_id: missing"), "{wrong}");
    let unknown = error_of(&format!("{ENDPOINT}psp = \"up2pay\"\nsite = \"1\""));
    assert!(unknown.contains("(endpoint e), site: unknown field"), "{unknown}");
}

#[test]
fn a_credential_of_the_service_is_said_to_be_one_and_how_to_hand_it_over() {
    let text =
        format!("{ENDPOINT}psp = \"sogecommerce\"\nsite_id = \"12345678\"\nkey_file = \"%d/vads.key\"");
    let error = error_of(&text);
    for words in ["systemd-run", "-p LoadCredential=vads.key:/etc/cvco-reconciled/secrets/vads.key"] {
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn only_commands_that_need_a_secret_ask_for_it() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("config.toml");
    let text = "[listener]\nadmin_token_file = \"gone\"\n[alerts]\nfrom = \"a@b.fr\"\nto = [\"a@b.fr\"]\n\
                smtp = \"smtps://u@h\"\npassword_file = \"gone\"\n[[shop]]\nid = \"camping\"\n\
                [[shop.endpoint]]\nid = \"u\"\nmode = \"test\"\npsp = \"up2pay\"\ntoken_file = \"gone\"\n\
                [[shop.endpoint]]\nid = \"s\"\nmode = \"test\"\npsp = \"sogecommerce\"\nsite_id = \"12345678\"\n\
                token_file = \"gone\"\nkey_file = \"gone\"\n";
    std::fs::write(&path, text).expect("file");
    let raw = RawConfig::read(&path).expect("TOML");
    assert!(raw.resolve(&path).is_err());
    let ids = |wanted: &str| {
        let settings =
            raw.command(&path, |endpoint| endpoint.id == wanted).map_err(|error| error.to_string())?;
        Ok::<_, String>(settings.endpoints.iter().map(|endpoint| endpoint.id.to_string()).collect::<Vec<_>>())
    };
    assert_eq!(ids("none"), Ok(Vec::new()));
    assert_eq!(ids("u"), Ok(vec!["u".to_owned()]));
    assert!(ids("s").is_err_and(|error| error.contains("endpoint s: shop[0].endpoint[1].key")));
}

#[test]
fn secrets_that_windows_programs_saved_are_what_they_show() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("config.toml");
    let text = format!("{ENDPOINT}psp = \"sogecommerce\"\nsite_id = \"12345678\"\nkey_file = \"vads.key\"");
    std::fs::write(&path, format!("\u{feff}{text}")).expect("file");
    let key = "1122334455667788\r\n";
    let utf16: Vec<u8> = format!("\u{feff}{key}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [key.as_bytes().to_vec(), format!("\u{feff}{key}").into_bytes(), utf16] {
        std::fs::write(folder.path().join("vads.key"), bytes).expect("a key");
        let config = Config::load(&path).unwrap_or_else(|error| panic!("{error}"));
        let about_key = config.warnings.iter().filter(|warning| warning.key.contains(".key"));
        assert_eq!(
            about_key.map(|warning| &warning.what).collect::<Vec<_>>(),
            Vec::<&cvco_domain::Bilingual>::new()
        );
    }
}

#[test]
fn what_everybody_knows_is_refused_in_production_and_named_in_trials() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("config.toml");
    std::fs::copy(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/up2pay/trial-public-key.pem"),
        folder.path().join("trial.pem"),
    )
    .expect("the published key");
    let load = |text: &str| {
        std::fs::write(&path, text).expect("file");
        Config::load(&path)
    };
    let trial = |text: &str| text.replace("\"production\"", "\"test\"");
    let example =
        ENDPOINT.replace("6f1c0a5be9d24c7f8a3b2c1d0e9f8a7b", "replace-this-token-by-openssl-rand-hex-16-a");
    for (key, text) in [
        ("public_key_files[0]", format!("{ENDPOINT}psp = \"up2pay\"\npublic_key_files = [\"trial.pem\"]\n")),
        ("token", format!("{example}psp = \"up2pay\"\n")),
        (
            "merchant_id",
            format!(
                "{ENDPOINT}psp = \"worldline\"\nmerchant_id = \"YOURPSPID\"\nwebhook_keys = [{{ id = \"k\", secret = \"s\" }}]\n"
            ),
        ),
        (
            "key",
            format!("{ENDPOINT}psp = \"sogecommerce\"\nsite_id = \"12345678\"\nkey = \"TRIALKEYNOTAREAL\"\n"),
        ),
    ] {
        let error = load(&text).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(
            error.contains(&format!("endpoint[0].{key}")) && error.contains("production"),
            "{key}: {error}"
        );
        let warned = load(&trial(&text)).unwrap_or_else(|error| panic!("{error}")).warnings;
        assert!(warned.iter().any(|warning| warning.key.ends_with(key)), "{key}: {warned:?}");
    }
    let guessed = ENDPOINT.replace("6f1c0a5be9d24c7f8a3b2c1d0e9f8a7b", &"a".repeat(40));
    assert!(error_of(&format!("{guessed}psp = \"up2pay\"")).contains("made by chance"));
}

#[test]
fn files_with_secrets_that_others_can_read_are_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("folder");
    let file = |name: &str, text: &str, mode: u32| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("mode");
        path
    };
    let text = format!(
        "[ledger]\npath = \"ledger.sqlite\"\n{ENDPOINT}psp = \"sogecommerce\"\nsite_id = \"12345678\"\nkey_file = \"soge.key\"\n"
    );
    let warned = |modes: [u32; 3]| {
        let path = file("config.toml", &text, modes[0]);
        file("soge.key", "1122334455667788", modes[1]);
        file("payload.key", "", modes[2]);
        let warnings = Config::load(&path).unwrap_or_else(|error| panic!("{error}")).warnings;
        let readable =
            warnings.into_iter().filter(|warning| warning.what.english.contains("can be read by others"));
        let name = |what: &str| {
            what.split(" can be").next().and_then(|path| path.rsplit('/').next()).map(str::to_owned)
        };
        readable.filter_map(|warning| name(&warning.what.english)).collect::<Vec<_>>()
    };
    assert_eq!(warned([0o640, 0o640, 0o600]), [""; 0]);
    assert_eq!(warned([0o644, 0o644, 0o640]), ["config.toml", "soge.key", "payload.key"]);
}

#[test]
fn a_filter_that_sees_only_the_proxy_is_named() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("config.toml");
    let warned = |listener: &str| {
        let text = format!(
            "[listener]\n{listener}\n{ENDPOINT}psp = \"up2pay\"\nallow_from = [\"194.50.38.0/24\"]\n"
        );
        std::fs::write(&path, text).expect("file");
        let warnings = Config::load(&path).unwrap_or_else(|error| panic!("{error}")).warnings;
        warnings.iter().any(|warning| warning.place().english == "endpoint e: shop[0].endpoint[0].allow_from")
    };
    assert!(warned("trusted_proxies = []"));
    assert!(warned("trusted_proxies = [\"10.0.0.1/32\"]"), "the proxy on this machine is another");
    assert!(!warned("trusted_proxies = [\"127.0.0.1/32\"]"));
    assert!(!warned("public = \"0.0.0.0:8080\""));
}

#[test]
fn a_secret_that_was_cut_off_is_named() {
    let text = |mode: &str| {
        let endpoint = ENDPOINT.replace("production", mode);
        format!(
            "{endpoint}psp = \"worldline\"\nmerchant_id = \"LesPinsFr\"\nwebhook_keys = [{{ id = \"k1\", secret = \"s\" }}]\n"
        )
    };
    assert!(error_of(&text("production")).contains("webhook_keys[0].secret: has fewer than 8 characters"));
    let warned = warnings_of(&text("test"));
    assert!(
        warned.iter().any(|warning| warning.what.english.contains("fewer than 8 characters")),
        "{warned:?}"
    );
}

#[test]
fn one_account_in_two_shops_is_named() {
    let shop = |n: u8, site: &str| {
        let endpoint = ENDPOINT
            .replace("\"camping\"", &format!("\"camping-{n}\""))
            .replace("\"e\"", &format!("\"e{n}\""));
        let endpoint = endpoint
            .replace("6f1c0a5be9d24c7f8a3b2c1d0e9f8a7b", &format!("6f1c0a5be9d24c7f8a3b2c1d0e9f8a7{n}"));
        format!("{endpoint}psp = \"sogecommerce\"\nsite_id = \"{site}\"\nkey = \"2f9Ek31bVx70QpLs\"\n")
    };
    let told = |second: &str| {
        let warned = warnings_of(&format!("{}{}", shop(1, "12345678"), shop(2, second)));
        warned.iter().any(|warning| {
            warning.place().english == "endpoint e2"
                && warning.what.english.contains("e1, of the shop camping-1")
        })
    };
    assert!(told("12345678"));
    assert!(!told("87654321"));
}

#[test]
fn what_can_never_work_is_refused() {
    let up2pay = |more: &str| format!("{ENDPOINT}psp = \"up2pay\"\n{more}");
    let relay = |url: &str| up2pay(&format!("[[shop.endpoint.relay]]\nurl = \"{url}\"\n"));
    for (text, why) in [
        (format!("[listener]\nadmin = \"127.0.0.1:8080\"\n{}", up2pay("")), "is listener.public too"),
        (relay("https://10.0.0.7/ipn"), "allow_private = true allows it"),
        (relay("http://[::1]:8000/ipn"), "allow_private = true allows it"),
        (
            format!(
                "[listener]\npublic_url = \"https://pay.example\"\n{}",
                relay("https://pay.example/n/e/x")
            ),
            "leads back to this daemon",
        ),
        (
            format!("[ledger]\npayload_retention = \"48h\"\n{}", relay("https://shop.example/ipn")),
            "payload_retention: shorter than the 72 h",
        ),
    ] {
        let error = error_of(&text);
        assert!(error.contains(why), "{why}: {error}");
    }
    assert!(
        warnings_of(&relay("https://shop.example/ipn")).iter().all(|warning| !warning.key.contains("relay"))
    );
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

#[test]
fn an_api_is_configured_whole_and_never_in_the_clear() {
    let worldline = |api: &str| {
        error_of(&format!(
            "{ENDPOINT}psp = \"worldline\"\nmerchant_id = \"P\"\nwebhook_keys = [{{ id = \"k\", secret = \"s\" }}]\napi = {api}"
        ))
    };
    assert!(worldline("{ key_id = \"k\" }").contains("api.secret: missing (or secret_file)"));
    let plain = worldline("{ base_url = \"http://payment.example\", key_id = \"k\", secret = \"s\" }");
    assert!(plain.contains("api.base_url") && plain.contains("https"), "{plain}");
    assert!(worldline("{ rang = \"32\", key_id = \"k\", secret = \"s\" }").contains("api.rang"));
    assert!(worldline("{ bas_url = \"x\" }").contains("base_url"), "the keys that there are");
    let up2pay = |api: &str| error_of(&format!("{ENDPOINT}psp = \"up2pay\"\napi = {api}"));
    assert!(up2pay("{ site = \"1999888\", rang = \"32\", secret = \"not hexadecimal\" }").contains("128"));
    let sogecommerce = "psp = \"sogecommerce\"\nsite_id = \"12345678\"\nkey = \"1122334455667788\"\napi = {}";
    assert!(error_of(&format!("{ENDPOINT}{sogecommerce}")).contains("rest_password"));
}

#[test]
fn how_apis_are_asked_is_bounded() {
    for (line, words) in [
        ("proxy = \"proxy.example\"", "http://proxy.example:3128"),
        ("proxy = \"http://me@proxy.example:3128\"", "proxy_password"),
        ("calls_per_second = 0", "from 1 to 1000"),
        ("timeout = \"0s\"", "at least 1s"),
        ("timeout = \"soon\"", "confirm.timeout"),
    ] {
        let error = error_of(&format!("[confirm]\n{line}\n"));
        assert!(error.contains(words), "{words:?} in {error}");
    }
}

#[test]
fn the_books_are_configured_strictly() {
    let with = |section: &str| error_of(&format!("{section}\n[[shop]]\nid = \"camping\"\n"));
    for (section, words) in [
        ("[accounting]\nsiren = \"732829321\"", "accounting.siren: \"732829321\" is not a SIREN"),
        (
            "[accounting]\nbook = \"sometimes\"",
            "accounting.book: \"sometimes\" is not one of capture, acceptance",
        ),
        (
            "[accounting]\naccounts = { vouchers = \"511600\" }",
            "accounting.accounts.vouchers: unknown; there are voucher, other_voucher, card",
        ),
        (
            "[accounting]\naccounts = { voucher = \"5A\" }",
            "accounting.accounts.voucher: the account number must be",
        ),
        ("[accounting]\njournals = { bank = \"CV\" }", "two journals of shop camping have one code"),
        ("[[accounting.override]]\naccounts = { card = \"511501\" }", "accounting.override[0]: for whom?"),
        (
            "[[accounting.override]]\nshop = \"other\"",
            "accounting.override[0].shop: there is no [[shop]] with the id other",
        ),
        (
            "[[accounting.commission]]\nissuer = \"ancv\"\nfrom = \"2026-01-01\"\nrate = \"2.5\"",
            "accounting.commission[0].rate: \"2.5\" is not a percentage",
        ),
        (
            "[[statement]]\nid = \"a\"\nissuer = \"ancv\"\nsince = \"2026-02-31\"\ndate = \"%d\"\ncolumns = { amount = \"M\" }",
            "statement[0].since: \"2026-02-31\" is not a date",
        ),
        (
            "[[statement]]\nid = \"a\"\nissuer = \"ancv\"\nsince = \"2026-01-01\"\ndate = \"%d\"\ncolumns = { amount = \"M\" }",
            "statement[0].date: \"%d\" is not a form of dates",
        ),
        (
            "[[statement]]\nid = \"a\"\nissuer = \"ancv\"\nsince = \"2026-01-01\"\ncolumns = { amount = \"M\" }",
            "statement[0].columns: which column tells the payment?",
        ),
    ] {
        let error = with(section);
        assert!(error.contains(words), "{words:?} in {error}");
    }
}

#[test]
fn the_layout_of_a_statement_is_tried_when_the_configuration_is_read() {
    let statement = |keys: &str| {
        error_of(&format!(
            "[[statement]]\nid = \"s\"\nissuer = \"bank\"\nsince = \"2026-01-01\"\n{keys}\n[[shop]]\nid = \"camping\""
        ))
    };
    let fine = "columns = { amount = \"Montant\", reference = \"R\" }";
    for (keys, words) in [
        (format!("date = \"%H:%M\"\n{fine}"), "statement[0].date: \"%H:%M\" is not a form of dates"),
        (format!("date = [\"%d/%m/%Y\", \"%Q\"]\n{fine}"), "\"%Q\" is not a form of dates"),
        (format!("delimiter = \"a\"\n{fine}"), "statement[0].delimiter"),
        (
            format!("delimiter = \",\"\nquotes = false\n{fine}"),
            "a line that is laid out so could not be read",
        ),
        (format!("skip_lines = 100000000000\n{fine}"), "statement[0].skip_lines: at most 1000"),
        (format!("encoding = \"iso-2022-kr\"\n{fine}"), "is not an encoding"),
        ("columns = { debit = \"D\", reference = \"R\" }".to_owned(), "debit and credit, both"),
    ] {
        let error = statement(&keys);
        assert!(error.contains(words), "{keys}: {error}");
    }
}

/// Values that ask for trouble, in the place of each text and number of the sample configuration.
#[test]
fn no_value_makes_the_configuration_panic() {
    // Every key of the sample once in its table, those in comments as well.
    let mut keys = BTreeSet::new();
    let mut text = String::new();
    for line in include_str!("../../config.example.toml").lines() {
        let line = line.strip_prefix('#').unwrap_or(line);
        if line.starts_with('[') {
            keys.clear();
        }
        if line.split_once(" = ").is_none_or(|(key, _)| keys.insert(key.to_owned())) {
            text.push_str(line);
            text.push('\n');
        }
    }
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("config.toml");
    std::fs::write(&path, &text).expect("file");
    let error = Config::load(&path).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(!error.contains(", line "), "its syntax is right: {error}");
    let odd = [
        "\"\"",
        "\"%\"",
        "\"%+\"",
        "\"%H:%M\"",
        "\"%9999999999Y\"",
        "\"(\"",
        "\"é\\u0000\"",
        "\"99999999999999y\"",
        "-1",
        "9223372036854775807",
        "[]",
        "{}",
    ];
    let mut tried = 0;
    for (n, line) in text.lines().enumerate() {
        let Some((key, _)) = line.split_once(" = ").filter(|(key, _)| !key.starts_with('#')) else {
            continue;
        };
        for value in odd {
            let changed: String = text
                .lines()
                .enumerate()
                .map(|(m, other)| if n == m { format!("{key} = {value}\n") } else { format!("{other}\n") })
                .collect();
            std::fs::write(&path, changed).expect("file");
            // Taken or refused: what it must not do is panic.
            drop(Config::load(&path));
            tried += 1;
        }
    }
    assert!(tried > 300, "{tried}");
}

#[test]
fn a_channel_is_read_strictly_and_its_url_is_never_shown() {
    const ALERTS: &str = "[alerts]\nfrom = \"a@b.fr\"\nto = [\"a@b.fr\"]\nsmtp = \"smtp://h\"\n";
    let channel = |lines: &str| error_of(&format!("{ALERTS}[[alerts.channel]]\n{lines}\n"));
    for (lines, words) in [
        ("kind = \"telegram\"\nurl = \"https://h/x7Kq\"", "teams, slack, ntfy, webhook"),
        ("kind = \"ntfy\"", "alerts.channel[0].url: missing; write url_file"),
        ("kind = \"ntfy\"\nurl = \"ftp://h/x7Kq\"", "alerts.channel[0].url: not an address"),
        ("kind = \"ntfy\"\nurl = \"https://u:x7Kq@h/\"", "alerts.channel[0].url: not an address"),
        ("kind = \"ntfy\"\nurl = [\"https://h/x7Kq\"]", "line 7, url"),
        ("kind = \"slack\"\nurl = \"https://h/x7Kq\"\ntoken = \"x7Kq\"", "only ntfy takes one"),
        ("kind = \"webhook\"\nurl = \"https://h/x7Kq\"\nsecret = \"x7Kq\"", "openssl rand"),
        ("kind = \"ntfy\"\nid = \"mail\"\nurl = \"https://h/x7Kq\"", "mail is the name of e-mail"),
        ("kind = \"ntfy\"\nurl = \"https://h/x7Kq\"\nshops = [\"nobody\"]", "is the id of no [[shop]]"),
        ("kind = \"ntfy\"\nurl = \"https://h/x7Kq\"\nseverities = []", "alerts.channel[0].severities: empty"),
    ] {
        let error = channel(lines);
        assert!(error.contains(words) && !error.contains("x7Kq"), "{words:?} in {error}");
    }
    let twice = "[[alerts.channel]]\nkind = \"ntfy\"\nurl = \"https://h/x\"\n".repeat(2);
    assert!(error_of(&format!("{ALERTS}{twice}")).contains("is the id of an earlier channel"));
}

#[test]
fn how_people_are_told_is_read_strictly() {
    let alerts = |lines: &str| {
        error_of(&format!("[alerts]\nfrom = \"a@b.fr\"\nto = [\"a@b.fr\"]\nsmtp = \"smtp://h\"\n{lines}\n"))
    };
    for (lines, words) in [
        ("quiet = \"22-7\"", "22:00-07:00"),
        ("quiet = \"22:00-22:00\"", "22:00-07:00"),
        ("urgent_in_quiet = false", "needs quiet"),
        ("escalate_after = \"2h\"", "needs escalate_to"),
        ("escalate_to = [\"b@b.fr\"]\nescalate_after = \"1s\"", "at least 1m"),
        ("urgent_to = [\"nobody\"]", "alerts.urgent_to: \"nobody\" is not an e-mail address"),
        ("[[alerts.fallback]]\nsmtp = \"smtps://u@h\"", "alerts.fallback[0].smtp: names a user"),
        ("[[shop]]\nid = \"a\"\nto = [\"nobody\"]", "shop[0].to: \"nobody\" is not"),
    ] {
        let error = alerts(lines);
        assert!(error.contains(words), "{words:?} in {error}");
    }
    assert!(error_of("[[shop]]\nid = \"a\"\ndigest = \"1h\"").contains("need [alerts]"));
}
