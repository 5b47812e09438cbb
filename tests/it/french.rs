//! Commands answer a French merchant in French, also when the configuration is broken.

use std::path::Path;

use crate::support::{Daemon, Settings, Up2pay, command};

/// The lines that a command prints, whatever it is that they say.
#[track_caller]
fn lines(text: &str, expected: &[&str]) {
    for line in expected {
        assert!(text.lines().any(|other| other == *line), "{line:?} in\n{text}");
    }
}

/// What `check` says on standard error of a configuration, under a locale.
fn complaint(configuration: &str, locale: &str) -> String {
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("config.toml"), configuration).expect("file");
    complaint_in(folder.path(), "config.toml", locale)
}

fn complaint_in(folder: &Path, name: &str, locale: &str) -> String {
    let checked = command()
        .current_dir(folder)
        .args(["--config", name, "check", "--offline"])
        .env_remove("LC_ALL")
        .env_remove("LC_MESSAGES")
        .env("LANG", locale)
        .output()
        .expect("ran");
    assert_eq!(checked.status.code(), Some(2));
    String::from_utf8(checked.stderr).expect("text")
}

const FRENCH: &str = "fr_FR.UTF-8";
const ENGLISH: &str = "en_GB.UTF-8";

#[tokio::test(flavor = "multi_thread")]
async fn check_says_what_to_change() {
    let daemon = Daemon::start(&Settings::default()).await;
    daemon.rewrite_configuration(|text| text.replace("[reconcile]", "[confirm]\n[reconcile]"));
    let smtp = daemon.mailbox.address();
    let config = daemon.path("config.toml").display().to_string();
    let ledger = daemon.path("ledger.sqlite").display().to_string();
    let log = daemon.path("log.sqlite").display().to_string();
    lines(
        &daemon.out(&["check"]),
        &[
            &format!("ok    configuration\u{a0}: {config} (boutiques\u{a0}: 1, points d’entrée\u{a0}: 2)"),
            "note  point d’entrée up2pay\u{a0}: shop[0].endpoint[0].token\u{a0}: en clair en production (up2pay)\u{a0}; \
             shop[0].endpoint[0].token_file le garde hors de ce fichier",
            &format!(
                "ok    journal\u{a0}: {log} est accessible en écriture, et ce qui est écrit est synchronisé"
            ),
            &format!("ok    registre\u{a0}: {ledger}, établi à partir du journal jusqu’à l’entrée 1"),
            &format!("ok    courriel\u{a0}: le serveur de [alerts] smtp répond ({smtp})"),
            "ok    point d’entrée up2pay (up2pay, production)\u{a0}: clés lues\u{a0}; l’adresse d’appel est PBX_REPONDRE_A ou \
             celle du back-office, sans redirection",
            "ok    adresse de up2pay\u{a0}: https://YOUR-HOST/n/up2pay/TOKEN",
        ],
    );
    daemon.rewrite_configuration(|text| text.replace("smtp://127.0.0.1:", "smtp://127.0.0.1:1\" # "));
    let unreachable = daemon.run(&["check"]);
    assert_eq!(unreachable.status.code(), Some(1));
    let said = String::from_utf8(unreachable.stdout).expect("text");
    let mail =
        "FAUX  courriel\u{a0}: aucun serveur n’accepte de courriel à 127.0.0.1:1 ([alerts] smtp)\u{a0}: ";
    assert!(said.lines().any(|line| line.starts_with(mail)), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_names_of_what_check_examines_are_the_same_for_programs_in_every_language() {
    let daemon = Daemon::start(&Settings::default()).await;
    let json = daemon.out(&["check", "--offline", "--format", "json"]);
    let rows: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let mail = rows.as_array().expect("rows").iter().find(|row| row["what"] == "mail").expect("a row");
    assert_eq!((&mail["verdict"], &mail["remark"]), (&"good".into(), &"pas essayé (--offline)".into()));
}

#[test]
fn what_is_wrong_with_a_configuration_is_said_in_its_own_language() {
    let wrong = |language: &str| {
        format!(
            "[listener]\npublic = \"nowhere\"\n[alerts]\nlanguage = \"{language}\"\nfrom = \"camping\"\nto = []\n\
             smtp = \"smtp://h\"\n[[shop]]\nid = \"camping des pins\"\n[[shop]]\nid = \"pins\"\n[[shop.endpoint]]\nid = \"e\"\n\
             psp = \"sogecommerce\"\nmode = \"test\"\ntoken_file = \"absent\"\n"
        )
    };
    lines(
        &complaint(&wrong("fr"), ENGLISH),
        &[
            "cvco-reconciled: config.toml\u{a0}: listener.public\u{a0}: «\u{a0}nowhere\u{a0}» n’est pas de la forme adresse:port\u{a0}; \
             écrivez par exemple \"127.0.0.1:8080\"",
            "config.toml\u{a0}: alerts.from\u{a0}: «\u{a0}camping\u{a0}» n’est pas une adresse de courriel\u{a0}; écrivez par exemple \
             cvco@camping.example",
            "config.toml\u{a0}: shop[0].id\u{a0}: il faut 1 à 64 caractères parmi A-Z a-z 0-9 - _ .",
            "config.toml\u{a0}: point d’entrée e\u{a0}: shop[1].endpoint[0].token\u{a0}: impossible de lire absent\u{a0}: fichier ou \
             dossier introuvable",
            "config.toml\u{a0}: point d’entrée e\u{a0}: shop[1].endpoint[0].site_id\u{a0}: manque\u{a0}: les huit chiffres de la \
             boutique, comme site_id = \"12345678\"",
        ],
    );
    lines(
        &complaint(&wrong("en"), FRENCH),
        &[
            "config.toml: alerts.from: \"camping\" is not an e-mail address; write for instance cvco@camping.example",
            "config.toml: shop[0].id: the shop id must be 1 to 64 of A-Z a-z 0-9 - _ .",
            "config.toml: endpoint e: shop[1].endpoint[0].token: cannot read absent: No such file or directory (os error 2)",
        ],
    );
}

#[test]
fn a_file_that_says_no_language_is_explained_in_that_of_the_system() {
    let folder = tempfile::tempdir().expect("folder");
    lines(
        &complaint_in(folder.path(), "absent.toml", FRENCH),
        &[
            "cvco-reconciled: impossible de lire absent.toml\u{a0}: fichier ou dossier introuvable\u{a0}; indiquez un autre \
           fichier avec --config",
        ],
    );
    let broken = "[listener]\npublik = \"x\"\n[[shop]\n";
    assert!(
        complaint(broken, FRENCH).starts_with("cvco-reconciled: config.toml\u{a0}: ligne 3, [[shop]\u{a0}: ")
    );
    assert!(complaint(broken, ENGLISH).starts_with("cvco-reconciled: config.toml: line 3, [[shop]: "));
    let unknown = "[listener]\npublik = \"x\"\n[alerts]\nlanguage = \"fr\"\nfrom = \"a@b.fr\"\nto = [\"a@b.fr\"]\n\
                   smtp = \"smtp://h\"\n";
    assert!(
        complaint(unknown, ENGLISH).starts_with(
            "cvco-reconciled: config.toml\u{a0}: ligne 2, publik\u{a0}: clé inconnue `publik`\u{a0}; il y a `public`, "
        ),
        "{}",
        complaint(unknown, ENGLISH)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn diagnose_says_why_a_signature_does_or_does_not_verify() {
    let daemon = Daemon::start(&Settings::default()).await;
    let file = daemon.path("call");
    let path = file.to_str().expect("path");
    let query = Up2pay::voucher("CMD-1", 1, 1500).wire().query;
    std::fs::write(&file, &query).expect("file");
    lines(
        &daemon.out(&["diagnose", "--endpoint", "up2pay", path]),
        &[
            "AUTHENTIQUE",
            "authentique\u{a0}: la signature couvre les variables du modèle placées avant la signature, tel que reçu",
            "  faits concernant un paiement par chèque-vacances\u{a0}: 1",
        ],
    );
    std::fs::write(&file, query.replace('&', "&amp;")).expect("file");
    let told = |arguments: &[&str]| String::from_utf8(daemon.run(arguments).stdout).expect("text");
    lines(
        &told(&["diagnose", "--endpoint", "up2pay", path]),
        &[
            "NON AUTHENTIQUE",
            "pas authentique tel que reçu, mais presque\u{a0}: la signature convient avec `&amp;` lu comme `&`\u{a0}: l’appel a été \
             échappé pour HTML en chemin",
        ],
    );
    let json: serde_json::Value =
        serde_json::from_str(&told(&["diagnose", "--format", "json", "--endpoint", "up2pay", path]))
            .expect("JSON");
    assert_eq!(json["genuine"], false);
    let unknown = daemon.run(&["diagnose", "--endpoint", "nobody", path]);
    assert_eq!(
        String::from_utf8(unknown.stderr).expect("text"),
        "cvco-reconciled: aucun point d’entrée nobody dans la configuration\u{a0}; il y a\u{a0}: up2pay, sogecommerce\n"
    );
}

#[test]
fn a_diagnosis_without_configuration_is_in_the_language_of_the_system() {
    let message = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/sogecommerce/S1-cascade-ok.http");
    let diagnose = |key: &str| {
        let diagnosed = command()
            .args(["--config", "/no/such/file", "diagnose", "sogecommerce", "--key", key, message])
            .env("LC_ALL", FRENCH)
            .output()
            .expect("ran");
        (
            String::from_utf8(diagnosed.stdout).expect("text"),
            String::from_utf8(diagnosed.stderr).expect("text"),
        )
    };
    let (genuine, warned) = diagnose("1122334455667788");
    lines(
        &genuine,
        &[
            "AUTHENTIQUE",
            "authentique\u{a0}: hmac-sha-256 sur les valeurs dans l’ordre de leurs noms, puis la clé",
            "  signature\u{a0}: 44 caractères, comme un HMAC-SHA-256 en base64",
        ],
    );
    assert!(
        warned.starts_with(
            "cvco-reconciled: attention\u{a0}: --key sur la ligne de commande est visible de tous"
        )
    );
    let (forged, _) = diagnose("8877665544332211");
    lines(
        &forged,
        &[
            "pas authentique\u{a0}; rien ne convient\u{a0}: sans doute une autre clé (TEST et PRODUCTION ont chacun la leur, et \
           l’API REST en a d’autres), ou des valeurs modifiées en chemin",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn import_mail_says_what_it_cannot_take() {
    let daemon = Daemon::start(&Settings::default()).await;
    let file = daemon.path("access.log");
    std::fs::write(&file, "1.2.3.4 - - [28/Nov/2026:10:00:01 +0100] \"GET /shop?q=1 HTTP/1.1\" 200 9\n")
        .expect("file");
    let refused = daemon.run(&["import-mail", file.to_str().expect("path")]);
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(
        String::from_utf8(refused.stderr).expect("text"),
        "cvco-reconciled: un journal de serveur web sans appel à un point d’entrée Up2pay\u{a0}; si c’est l’adresse de la boutique \
         qui a été appelée, indiquez le point d’entrée par --endpoint ID\u{a0}; il y a\u{a0}: up2pay\u{a0}; rien n’a été importé\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_says_what_is_wrong_and_programs_find_the_words_that_they_know() {
    let mut daemon = Daemon::start(&Settings::default()).await;
    assert_eq!(daemon.up2pay(&Up2pay::voucher("CMD-1", 1, 1500)), 200);
    daemon.signal("-TERM");
    daemon.ended();
    let ledger = rusqlite::Connection::open(daemon.path("ledger.sqlite")).expect("ledger");
    ledger.execute("UPDATE records SET paid_cents = paid_cents + 1", []).expect("changed");
    let verified = daemon.run(&["verify"]);
    assert_eq!(verified.status.code(), Some(1));
    let said = String::from_utf8(verified.stdout).expect("text");
    assert!(
        said.lines().any(|line| line.starts_with("FAUX   records, ligne ")
            && line.contains("\u{a0}: n’est pas ce que donne le journal (entrées du journal ")),
        "{said}"
    );
    let json = daemon.run(&["verify", "--format", "json"]);
    let proof: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    let what = proof["flaws"][0]["what"].as_str().expect("words");
    assert!(what.starts_with("is not what the log amounts to"), "{what}");
    assert_eq!(proof["flaws"][0].as_object().map(serde_json::Map::len), Some(2), "place and what: {proof}");
}
