//! `init` writes a configuration that works, and what it says to paste works too.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Output, Stdio};

use cvco_reconciled::config::{Config, PLACEHOLDER};
use cvco_trial::mail_sink::MailSink;

use crate::support::{Daemon, Sogecommerce, command};

/// A shop at one PSP whose key is known; the rest of what `init` wants to know has a default.
const SOGECOMMERCE: &[&str] = &[
    "--shop",
    "camping",
    "--url",
    "https://paiements.camping.example",
    "--to",
    "compta@camping.example",
    "--psp",
    "sogecommerce",
    "--mode",
    "production",
    "--sogecommerce-site",
    Sogecommerce::SITE,
];

/// What the other PSPs want to know.
const OTHERS: &[&str] = &[
    "--psp",
    "up2pay,worldline,monext",
    "--worldline-merchant",
    "PSPID",
    "--worldline-webhook",
    "webhook-id",
    "--worldline-api",
    "api-id",
    "--monext-merchant",
    "12345678901234",
    "--monext-voucher",
    "CVCO1",
    "--monext-card",
    "CB1,PAYPAL1",
];

fn init(folder: &Path, flags: &[&str], answers: &str) -> Output {
    let mut child = command()
        .arg("--config")
        .arg(folder.join("config.toml"))
        .arg("init")
        .args(flags)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut stdin = child.stdin.take().expect("stdin");
    // A command that refuses its flags has ended by now and reads nothing.
    drop(stdin.write_all(answers.as_bytes()));
    drop(stdin);
    child.wait_with_output().expect("ended")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The guide that was printed.
fn guide(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// Every file below a folder, with its content.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (prefix, folder) in [("", folder.to_owned()), ("secrets/", folder.join("secrets"))] {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let entry = entry.expect("entry");
            if entry.file_type().expect("type").is_file() {
                let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
                found.insert(name, std::fs::read_to_string(entry.path()).expect("text"));
            }
        }
    }
    found
}

#[test]
fn check_accepts_what_init_wrote() {
    let folder = tempfile::tempdir().expect("folder");
    guide(&init(folder.path(), &[SOGECOMMERCE, OTHERS].concat(), ""));
    let checked = command()
        .arg("--config")
        .arg(folder.path().join("config.toml"))
        .args(["check", "--offline"])
        .output()
        .expect("ran");
    let said = text(&checked.stdout);
    assert_eq!(checked.status.code(), Some(0), "{said}{}", text(&checked.stderr));
    let config = Config::load(&folder.path().join("config.toml")).expect("a configuration");
    assert_eq!(config.endpoints.len(), 4);
    assert_eq!(
        said.matches("c’est encore le texte provisoire").count(),
        4,
        "every secret that is not there yet: {said}"
    );
}

#[test]
fn secrets_are_files_of_their_own_that_nobody_else_reads() {
    let folder = tempfile::tempdir().expect("folder");
    let output = init(folder.path(), &[SOGECOMMERCE, OTHERS].concat(), "");
    let guide = guide(&output);
    let mode = |name: &str| folder.path().join(name).metadata().expect("file").permissions().mode() & 0o777;
    assert_eq!(mode("secrets"), 0o700);
    assert_eq!(mode("config.toml"), 0o640);
    let files = files(folder.path());
    let config = &files["config.toml"];
    let mut tokens = Vec::new();
    for (name, content) in &files {
        if let Some(name) = name.strip_prefix("secrets/") {
            assert_eq!(mode(&format!("secrets/{name}")), 0o600, "{name}");
            assert!(!config.contains(content.trim()), "{name} stands in the configuration");
        }
        if let Some(endpoint) = name.strip_prefix("secrets/").and_then(|name| name.strip_suffix(".token")) {
            let token = content.trim();
            assert!(token.len() == 32 && token.bytes().all(|b| b.is_ascii_hexdigit()), "{token}");
            let url = format!("https://paiements.camping.example/n/{endpoint}/{token}");
            assert!(guide.contains(&url), "{url} in {guide}");
            tokens.push(token.to_owned());
        }
    }
    assert_eq!(tokens.len(), 4);
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 4, "each has its own");
    assert_eq!(files["secrets/a-coller.txt"].trim(), guide.trim(), "the guide is kept with the secrets");
}

#[test]
fn the_guide_says_in_french_what_goes_where() {
    let folder = tempfile::tempdir().expect("folder");
    let guide = guide(&init(folder.path(), &[SOGECOMMERCE, OTHERS].concat(), ""));
    for words in [
        "PBX_REPONDRE_A",
        "PBX_RETOUR, exactement :",
        "URL à appeler en mode PRODUCTION",
        "URL de notification sur annulation",
        "Rejeu automatique en cas d'échec",
        "Developer > Webhooks",
        "URL de notification",
        "paylinetoken",
        "secrets/camping-monext.key",
        PLACEHOLDER,
    ] {
        assert!(guide.contains(words), "{words:?} in {guide}");
    }
}

#[test]
fn nothing_is_ever_overwritten() {
    let folder = tempfile::tempdir().expect("folder");
    guide(&init(folder.path(), SOGECOMMERCE, ""));
    let before = files(folder.path());
    let again = init(folder.path(), SOGECOMMERCE, "");
    assert_eq!(again.status.code(), Some(3));
    assert!(text(&again.stderr).contains("overwrites nothing"), "{}", text(&again.stderr));
    assert_eq!(files(folder.path()), before);
    // Not a secret either, where only the configuration was moved away; and what was begun is taken away again.
    std::fs::rename(folder.path().join("config.toml"), folder.path().join("old.toml")).expect("moved");
    let before = files(folder.path());
    let flags = [SOGECOMMERCE, &["--psp", "up2pay"]].concat();
    assert_eq!(init(folder.path(), &flags, "").status.code(), Some(3));
    assert_eq!(files(folder.path()), before);
}

#[test]
fn a_wrong_answer_leaves_nothing_behind() {
    for (flags, words) in [
        (&["--shop", "Camping!"][..], "--shop"),
        (&["--url", "http://camping.example"], "https://"),
        (&["--psp", "stripe"], "stripe"),
        (&["--sogecommerce-site", "1234"], "--sogecommerce-site"),
        (&["--from", "nobody"], "--from"),
        (&["--smtp", "http://mail.example"], "--smtp"),
    ] {
        let folder = tempfile::tempdir().expect("folder");
        let first = flags[0];
        let others = SOGECOMMERCE.chunks(2).filter(|pair| pair[0] != first).flatten().copied();
        let flags: Vec<&str> = others.chain(flags.iter().copied()).collect();
        let output = init(folder.path(), &flags, "");
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(words), "{words} in {}", text(&output.stderr));
        assert!(files(folder.path()).is_empty(), "{flags:?}");
    }
    let folder = tempfile::tempdir().expect("folder");
    let nobody = init(folder.path(), &["--shop", "camping"], "");
    assert_eq!(nobody.status.code(), Some(2));
    assert!(text(&nobody.stderr).contains("--url is missing"), "{}", text(&nobody.stderr));
}

#[test]
fn what_no_flag_says_is_asked_until_it_is_right() {
    let folder = tempfile::tempdir().expect("folder");
    let answers = "camping\nCamping \"des Pins\"\ncamping.example\nhttps://camping.example\nup2pay\n\n\
                   compta@camping.example\n\nsmtps://cvco@mail.example\nhunter2 hunter2\nen\n";
    let output = init(folder.path(), &[], answers);
    guide(&output);
    let asked = text(&output.stderr);
    assert_eq!(asked.matches("Adresse du serveur web").count(), 2, "the first was not https: {asked}");
    let config = Config::load(&folder.path().join("config.toml")).expect("a configuration");
    assert_eq!(config.shops[0].name, "Camping \"des Pins\"");
    let files = files(folder.path());
    assert_eq!(files["secrets/smtp.password"], "hunter2 hunter2\n");
    assert!(files["config.toml"].contains("language = \"en\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_url_of_the_guide_leads_to_a_first_record() {
    let mailbox = MailSink::start("127.0.0.1:0".parse().expect("address")).await.expect("mailbox");
    let folder = tempfile::tempdir().expect("folder");
    let key = folder.path().join("key");
    std::fs::write(&key, Sogecommerce::KEY).expect("key");
    let smtp = format!("smtp://{}", mailbox.address());
    let key = key.to_str().expect("path");
    let flags = [SOGECOMMERCE, &["--smtp", &smtp, "--sogecommerce-key-file", key]].concat();
    let guide = guide(&init(folder.path(), &flags, ""));
    let url = guide.lines().find_map(|line| line.trim().strip_prefix("https://paiements.camping.example"));
    let path = url.expect("a URL").to_owned();
    let config = folder.path().join("config.toml");
    let text = std::fs::read_to_string(&config).expect("configuration");
    // Other tests run on this machine.
    std::fs::write(&config, text.replace(":8080", ":0").replace(":8081", ":0")).expect("configuration");
    let daemon = Daemon::on(folder, mailbox);
    let call = Sogecommerce::split("CMD1", "000001", 6000, 4000).wire();
    assert_eq!(daemon.post(&path, &call.body).status, 200);
    assert_eq!(
        daemon.rows("SELECT order_ref, voucher_cents, card_cents, state FROM acct_register"),
        ["CMD1|6000|4000|balanced"]
    );
}
