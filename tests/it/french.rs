//! Commands answer a French merchant in French, also when the configuration is broken.

use std::path::Path;

use crate::support::{Daemon, Settings, command};

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
