//! The command line: exit codes and forms that scripts rely on.

use std::io::Write;
use std::process::Stdio;

use crate::support::{Daemon, Settings, Up2pay, command};

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_are_0_1_2_and_3() {
    let code = |arguments: &[&str]| command().args(arguments).output().expect("ran").status.code();
    assert_eq!(code(&["--help"]), Some(0));
    assert_eq!(code(&["nonsense"]), Some(2));
    assert_eq!(code(&["--config", "/nowhere.toml", "records"]), Some(2));
    let daemon = Daemon::start(&Settings::default()).await;
    assert_eq!(daemon.run(&["records", "--state", "rich"]).status.code(), Some(2));
    assert_eq!(daemon.run(&["verify"]).status.code(), Some(0));
    assert_eq!(daemon.run(&["verify", "--format", "csv"]).status.code(), Some(2), "no listing");
    assert_eq!(daemon.run(&["check"]).status.code(), Some(0));
    daemon.rewrite_configuration(|text| {
        text.replace("smtp://127.0.0.1:", "smtp://127.0.0.1:1#").replace('#', "\" # ")
    });
    assert_eq!(daemon.run(&["check"]).status.code(), Some(1), "no mail server there");
    daemon.rewrite_configuration(|text| text.replace("ledger.sqlite", "elsewhere/ledger.sqlite"));
    for command in [&["records"][..], &["verify"], &["rebuild"], &["alerts", "ack", "1", "--note", "seen"]] {
        assert_eq!(daemon.run(command).status.code(), Some(3), "no log there: {command:?}");
    }
    assert!(!daemon.path("elsewhere.sqlite").exists(), "and none is made beside a daemon that has another");
    daemon.rewrite_configuration(|text| text.replace("elsewhere.sqlite", "elsewhere/ledger.sqlite"));
    assert_eq!(daemon.run(&["rebuild"]).status.code(), Some(3), "no log there");
    assert!(!daemon.path("elsewhere").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_listed_for_people_and_for_machines() {
    let daemon = Daemon::start(&Settings::default()).await;
    daemon.expect_order("=A1", 2500);
    daemon.up2pay(&Up2pay::voucher("=A1", 1, 2500));
    assert!(daemon.out(&["records"]).contains("équilibré"));
    let json: serde_json::Value =
        serde_json::from_str(&daemon.out(&["records", "--state", "balanced", "--format", "json"]))
            .expect("JSON");
    assert_eq!(json[0]["paid_cents"], 2500);
    assert!(daemon.out(&["records", "--format", "csv"]).contains("'=A1"), "no formula reaches a spreadsheet");
    assert!(daemon.out(&["record", "=A1"]).contains("CVCONNECT"));
    let api = daemon.admin_get("/api/v1/records?order_ref=%3DA1");
    let api: serde_json::Value = serde_json::from_str(&api.body).expect("JSON");
    assert_eq!(api[0]["state"], "balanced");
}

/// A published Up2pay message, signed by the platform (LEXIK's test of a trial payment).
const PUBLISHED: &str = "Mt=1000&Ref=CMD1349338388&Auto=XXXXXX&Erreur=00000&Sign=QnhlnuOpcbfUruOU7kKG%2FZmDPsDzM31VrpMIObQomYwEE%2FafhJiDPkWVN9%2Br3JVFXBsFnqo3VlOVzxQVVahXpF7eWiJoAe5LcIoqSvms96SFFv9LfndS%2F3zAO5fF%2FtR4Us3rOSUwT1Hs2AS17R3B9ATwBMhKt1l3DPw9hClpFw0%3D";

#[test]
fn a_published_message_is_diagnosed_without_configuration() {
    let diagnose = |text: &str| {
        let mut child = command()
            .args(["diagnose", "up2pay", "--pbx-retour", "Mt:M;Ref:R;Auto:A;Erreur:E;Sign:K", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        child.stdin.take().expect("stdin").write_all(text.as_bytes()).expect("written");
        child.wait_with_output().expect("ended")
    };
    let genuine = diagnose(&format!("{PUBLISHED}\n"));
    assert_eq!(genuine.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&genuine.stdout).contains("Mt=1000&Ref=CMD1349338388"));
    let changed = diagnose(&PUBLISHED.replace("CMD1349338388", "CMD1349338389"));
    assert_eq!(changed.status.code(), Some(1));
}

#[test]
fn a_key_for_a_diagnosis_comes_from_a_file_the_environment_or_standard_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("sogecommerce.key");
    std::fs::write(&key, "\u{feff}1122334455667788\r\n").expect("written");
    let key = key.to_str().expect("a path");
    let message = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/sogecommerce/S1-cascade-ok.http");
    let run = |arguments: &[&str], variable: Option<&str>| {
        let mut command = command();
        command.args(["diagnose", "sogecommerce", message]).args(arguments).env_remove("CVCO_KEY");
        if let Some(value) = variable {
            command.env("CVCO_KEY", value);
        }
        command.stdin(std::fs::File::open(key).expect("the key")).output().expect("ran")
    };
    let warned = |output: &std::process::Output| String::from_utf8_lossy(&output.stderr).contains("warning");
    for (arguments, variable) in
        [(&["--key-file", key][..], None), (&["--key-file", "-"], None), (&[], Some("1122334455667788"))]
    {
        let output = run(arguments, variable);
        assert!(output.status.code() == Some(0) && !warned(&output), "{arguments:?}: {output:?}");
    }
    let shown = run(&["--key", "1122334455667788"], None);
    assert!(shown.status.code() == Some(0) && warned(&shown), "{shown:?}");
    let none = run(&[], None);
    assert!(
        none.status.code() == Some(2) && String::from_utf8_lossy(&none.stderr).contains("--key-file FILE")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_diagnosed_with_the_endpoints_own_settings() {
    let daemon = Daemon::start(&Settings::default()).await;
    let file = daemon.path("call");
    let path = file.to_str().expect("path").to_owned();
    std::fs::write(&file, Up2pay::voucher("A", 1, 1500).wire().query).expect("file");
    assert_eq!(daemon.run(&["diagnose", "--endpoint", "up2pay", &path]).status.code(), Some(0));
    let whole = format!("GET {} HTTP/1.1\r\nHost: h\r\n\r\n", Up2pay::voucher("A", 1, 1500).target());
    std::fs::write(&file, whole).expect("file");
    assert_eq!(daemon.run(&["diagnose", "--endpoint", "up2pay", &path]).status.code(), Some(0));
    assert_eq!(daemon.run(&["diagnose", "--endpoint", "sogecommerce", &path]).status.code(), Some(1));
    assert_eq!(daemon.run(&["diagnose", "--endpoint", "nobody", &path]).status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_names_the_first_bad_row() {
    let mut daemon = Daemon::start(&Settings::default()).await;
    for n in 1..=3 {
        daemon.up2pay(&Up2pay::voucher(&format!("A{n}"), n, 1500));
    }
    daemon.signal("-TERM");
    daemon.ended();
    let conn = rusqlite::Connection::open(daemon.path("log.sqlite")).expect("log");
    conn.execute_batch(
        "DROP TRIGGER log_is_append_only_update;
         UPDATE log SET content = replace(content, '1500', '1600') WHERE seq = 3;",
    )
    .expect("damaged");
    let verified = daemon.run(&["verify"]);
    assert_eq!(verified.status.code(), Some(1));
    let text = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(text.contains("entrée 3 du journal"), "{text}");
}

#[test]
fn the_demo_ends_as_its_stories_promise() {
    let folder = tempfile::tempdir().expect("folder");
    let output = command()
        .args(["demo", "--all", "--language", "en", "--folder"])
        .arg(folder.path())
        .output()
        .expect("ran");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(!text.contains('✗'), "{text}");
    let mails = std::fs::read_dir(folder.path().join("mails")).expect("mails");
    assert!(mails.count() > 0);
    let again = command().args(["demo", "--folder"]).arg(folder.path()).output().expect("ran");
    assert_eq!(again.status.code(), Some(2), "a second demo would find the orders of the first");
}

#[test]
fn the_demo_tells_five_stories_on_one_screen_and_shows_the_mail_of_the_first() {
    let folder = tempfile::tempdir().expect("folder");
    let output = command().args(["demo", "--folder"]).arg(folder.path()).output().expect("ran");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(text.matches('✓').count(), 5, "{text}");
    assert!(text.contains("✓ up2pay") && text.contains("│ [CVCo urgent] Camping des Pins"), "{text}");
    assert!(text.lines().count() <= 32, "{text}");
    let path = folder.path().to_str().expect("path");
    for line in text.lines().filter(|line| !line.contains(path)) {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn simulated_traffic_is_taken_by_a_running_daemon() {
    let daemon = Daemon::start(&Settings { complement_grace: "1h", ..Settings::default() }).await;
    let key = daemon.path("up2pay-private.pem");
    std::fs::write(&key, crate::support::private_pem()).expect("key");
    let (url, admin) = (format!("http://{}", daemon.public), format!("http://{}", daemon.admin));
    let key = key.to_str().expect("path");
    let traffic =
        ["simulate", "--url", &url, "--admin", &admin, "--up2pay-key", key, "--orders", "60", "--seed", "7"];
    assert_eq!(daemon.run(&traffic).status.code(), Some(2), "not into production unless told so");
    daemon.out(&[&traffic[..], &["--into-production"]].concat());
    assert_eq!(daemon.rows("SELECT COUNT(*) > 50 FROM acct_orders"), ["1"]);
    assert!(daemon.out(&["verify"]).starts_with("tout est juste"));
    assert!(daemon.out(&["rebuild"]).contains("rien n’a changé"));
}
