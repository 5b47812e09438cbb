//! Data that outlives the machine: a backup is made while calls arrive, and goes on elsewhere.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::support::{Daemon, Settings, Up2pay, command, ledger_rows};

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn backups(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found: Vec<_> =
        fs::read_dir(folder).expect("folder").map(|entry| entry.expect("entry").path()).collect();
    found.sort();
    found
}

/// A machine that has the configuration, and nothing else.
fn elsewhere(daemon: &Daemon) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    for name in ["config.toml", "up2pay.pem", "sogecommerce.key"] {
        fs::copy(daemon.path(name), folder.path().join(name)).expect("copied");
    }
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    command().arg("--config").arg(folder.join("config.toml")).args(arguments).output().expect("ran")
}

fn backup(daemon: &Daemon, folder: &Path) -> std::path::PathBuf {
    let path = folder.to_str().expect("a path");
    daemon.out(&["backup", path]);
    backups(folder).pop().expect("a backup")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_traffic_is_restored_elsewhere_and_goes_on() {
    let daemon = Daemon::start(&Settings::default()).await;
    let kept = tempfile::tempdir().expect("folder");
    daemon.expect_order("FIRST", 1500);
    daemon.up2pay(&Up2pay::voucher("FIRST", 1, 1500));
    let made = std::thread::scope(|scope| {
        let calls = scope.spawn(|| {
            for n in 2..60 {
                assert_eq!(daemon.up2pay(&Up2pay::voucher(&format!("A{n}"), n, 1500)), 200);
            }
        });
        let made = backup(&daemon, kept.path());
        calls.join().expect("all are acknowledged");
        made
    });
    assert!(
        made.join("backup.json").exists() && !made.join("payload.key").exists(),
        "the key is kept elsewhere"
    );

    let machine = elsewhere(&daemon);
    let restored = run(machine.path(), &["restore", made.to_str().expect("a path")]);
    assert!(restored.status.success(), "{}", told(&restored));
    let said = String::from_utf8_lossy(&restored.stdout).into_owned();
    assert!(
        said.contains("payload.key, qui ouvre les messages scellés") && said.contains("catch-up --since"),
        "{said}"
    );
    fs::copy(daemon.path("payload.key"), machine.path().join("payload.key")).expect("its copy");
    assert!(run(machine.path(), &["verify"]).status.success());
    assert!(
        ledger_rows(&machine.path().join("ledger.sqlite"), "SELECT state FROM acct_orders") == ["balanced"],
        "log and ledger are of one moment"
    );

    let mailbox = cvco_trial::mail_sink::MailSink::start("127.0.0.1:0".parse().expect("address"))
        .await
        .expect("mailbox");
    let next = Daemon::on(machine, mailbox);
    next.up2pay(&Up2pay::voucher("AFTER", 99, 700));
    assert_eq!(next.rows("SELECT COUNT(*) FROM acct_tenders WHERE amount_cents = 700"), ["1"]);
    assert!(next.out(&["verify"]).starts_with("tout est juste"));
}

#[tokio::test(flavor = "multi_thread")]
async fn restoring_overwrites_nothing_and_refuses_what_is_damaged_or_too_old() {
    let daemon = Daemon::start(&Settings::default()).await;
    daemon.up2pay(&Up2pay::voucher("A", 1, 1500));
    let kept = tempfile::tempdir().expect("folder");
    let made = backup(&daemon, kept.path());
    let path = made.to_str().expect("a path").to_owned();
    let refused = |folder: &Path, arguments: &[&str], words: &str| {
        let output = run(folder, arguments);
        assert!(!output.status.success() && told(&output).contains(words), "{words}: {}", told(&output));
    };
    refused(daemon.path("").as_path(), &["restore", &path], "a daemon runs");

    let machine = elsewhere(&daemon);
    let at = machine.path();
    refused(at, &["restore", kept.path().to_str().expect("a path")], "its newest backup is");
    daemon.up2pay(&Up2pay::voucher("B", 2, 1500));
    let head = &ledger_rows(
        &daemon.path("log.sqlite"),
        "SELECT seq || ':' || chain_hash FROM log ORDER BY seq DESC LIMIT 1",
    )[0];
    refused(at, &["restore", &path, "--anchor", head], "it is older");
    let other = format!("1:{}", "0".repeat(64));
    refused(at, &["restore", &path, "--anchor", &other], "des défauts\u{a0}: entrée ");
    assert!(!at.join("log.sqlite").exists() && !at.join("log.restoring").exists(), "nothing is left behind");
    assert!(run(at, &["restore", &path, "--anchor", head, "--accept-loss"]).status.success());
    refused(at, &["restore", &path], "overwrites nothing");

    let log = made.join("log.sqlite");
    let mut bytes = fs::read(&log).expect("log");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&log, bytes).expect("damaged");
    refused(elsewhere(&daemon).path(), &["restore", &path], "is not what backup.json says");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_a_newer_program_is_refused_in_words() {
    let mut daemon = Daemon::start(&Settings::default()).await;
    daemon.signal("-TERM");
    assert_eq!(daemon.ended(), Some(0));
    let conn = rusqlite::Connection::open(daemon.path("log.sqlite")).expect("log");
    conn.pragma_update(None, "user_version", 2).expect("a newer format");
    drop(conn);
    for command in [&["serve"][..], &["verify"], &["backup", daemon.path("b").to_str().expect("a path")]] {
        let output = run(daemon.path("").as_path(), command);
        assert!(
            told(&output).contains("est au format 2, et ce programme connaît le format 1"),
            "{command:?}: {}",
            told(&output)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn older_backups_are_deleted_beyond_what_is_kept() {
    let daemon = Daemon::start(&Settings::default()).await;
    let kept = tempfile::tempdir().expect("folder");
    let first = backup(&daemon, kept.path());
    let old = kept.path().join("2020-01-01T000000Z");
    fs::rename(&first, &old).expect("an old one");
    fs::create_dir(kept.path().join("notes")).expect("somebody else's");
    let with_key = ["backup", kept.path().to_str().expect("a path"), "--keep", "1", "--with-key"];
    assert!(daemon.out(&with_key).contains("sauvegardes plus anciennes supprimées\u{a0}: 1"));
    assert!(!old.exists() && kept.path().join("notes").exists());
    assert!(backups(kept.path())[0].join("payload.key").exists());
}
