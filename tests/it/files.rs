//! Log and ledger are files, and files are deleted, moved, kept open and mixed up.

use std::fs;
use std::process::Output;

use crate::support::{Daemon, Settings, Up2pay, ledger_rows, send_raw};

async fn patient() -> Daemon {
    Daemon::start(&Settings { complement_grace: "1h", ..Settings::default() }).await
}

fn stop(daemon: &mut Daemon) {
    daemon.signal("-TERM");
    daemon.ended();
}

/// Takes a SQLite file away, with what SQLite keeps beside it.
fn delete(daemon: &Daemon, name: &str) {
    for ending in ["", "-wal", "-shm"] {
        let file = daemon.path(&format!("{name}{ending}"));
        if file.exists() {
            fs::remove_file(file).expect("deleted");
        }
    }
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The status of a call; `None` where nobody answered.
fn call(daemon: &Daemon, call: &Up2pay) -> Option<u16> {
    let request = format!("GET {} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", call.target());
    send_raw(daemon.public, request.as_bytes()).map(|answer| answer.status)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_acknowledged_once_the_log_was_taken_away() {
    for (file, moved) in [("log.sqlite", false), ("log.sqlite", true), ("log.sqlite-wal", false)] {
        let mut daemon = patient().await;
        assert_eq!(daemon.up2pay(&Up2pay::voucher("A", 1, 1500)), 200);
        if moved {
            fs::rename(daemon.path(file), daemon.path("elsewhere")).expect("moved");
        } else {
            fs::remove_file(daemon.path(file)).expect("deleted");
        }
        assert_ne!(call(&daemon, &Up2pay::voucher("B", 2, 1500)), Some(200), "{file}");
        assert_eq!(daemon.ended(), Some(3), "{file}");
        assert!(daemon.log_text().contains("was removed or replaced"), "{}", daemon.log_text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_was_taken_away_stops_the_daemon_and_comes_back_from_the_log() {
    for file in ["ledger.sqlite", "ledger.sqlite-wal"] {
        let mut daemon = patient().await;
        daemon.up2pay(&Up2pay::voucher("A", 1, 1500));
        assert_eq!(daemon.rows("SELECT COUNT(*) FROM acct_tenders"), ["1"]);
        fs::remove_file(daemon.path(file)).expect("deleted");
        let acknowledged = call(&daemon, &Up2pay::voucher("B", 2, 1500)) == Some(200);
        assert_eq!(daemon.ended(), Some(3), "{file}");
        delete(&daemon, "ledger.sqlite");
        daemon.restart();
        let known = if acknowledged { &["A", "B"][..] } else { &["A"] };
        assert_eq!(daemon.rows("SELECT order_ref FROM acct_tenders ORDER BY order_ref"), known, "{file}");
        assert!(daemon.out(&["verify"]).starts_with("tout est juste"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_is_made_again_is_the_same_and_mails_nothing_twice() {
    const REGISTER: &str = "SELECT order_ref, voucher_cents, card_cents, state FROM acct_register ORDER BY 1";
    const DISCREPANCIES: &str =
        "SELECT id, kind, order_ref, opened_at, closed_at FROM acct_discrepancies ORDER BY id";
    let mut daemon = patient().await;
    daemon.expect_order("A", 2400);
    daemon.up2pay(&Up2pay::voucher("A", 1, 1500));
    daemon.up2pay(&Up2pay::card("A", 1, 1000));
    daemon.mailbox.wait_for(1).await;
    daemon.until("SELECT COUNT(*) FROM acct_deliveries WHERE outcome = 'sent'", &["1"]).await;
    let before = [daemon.rows(REGISTER), daemon.rows(DISCREPANCIES)];
    stop(&mut daemon);
    delete(&daemon, "ledger.sqlite");
    daemon.restart();
    assert_eq!([daemon.rows(REGISTER), daemon.rows(DISCREPANCIES)], before);
    // Another mail is the next one: nothing was mailed again before it.
    daemon.expect_order("B", 2400);
    daemon.up2pay(&Up2pay::voucher("B", 2, 1500));
    daemon.up2pay(&Up2pay::card("B", 2, 1000));
    let mails = daemon.mailbox.wait_for(2).await;
    assert!(mails[1].text.as_deref().unwrap_or_default().contains('B'), "{:?}", mails[1]);
    assert!(daemon.out(&["rebuild"]).contains("rien n’a changé"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_log_is_not_begun_beside_the_files_of_an_older_one() {
    for beside in ["ledger.sqlite", "payload.key"] {
        let mut daemon = patient().await;
        daemon.up2pay(&Up2pay::voucher("A", 1, 1500));
        stop(&mut daemon);
        delete(&daemon, "log.sqlite");
        if beside == "payload.key" {
            delete(&daemon, "ledger.sqlite");
        }
        let refused = daemon.run(&["serve"]);
        assert_eq!(refused.status.code(), Some(3));
        assert!(
            words(&refused).contains("remettez le journal en place depuis une sauvegarde"),
            "{}",
            words(&refused)
        );
        assert!(words(&refused).contains(beside), "{}", words(&refused));
        assert!(!daemon.path("log.sqlite").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_lost_or_another_is_refused() {
    let mut daemon = patient().await;
    daemon.up2pay(&Up2pay::voucher("A", 1, 1500));
    let other = patient().await;
    stop(&mut daemon);
    fs::copy(other.path("payload.key"), daemon.path("payload.key")).expect("copied");
    let refused = daemon.run(&["serve"]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(words(&refused).contains("remettez le bon fichier en place"), "{}", words(&refused));
    fs::remove_file(daemon.path("payload.key")).expect("deleted");
    let refused = daemon.run(&["serve"]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(words(&refused).contains("remettez le fichier en place"), "{}", words(&refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_of_another_log_is_refused() {
    let (mut one, mut other) = (patient().await, patient().await);
    one.up2pay(&Up2pay::voucher("A", 1, 1500));
    stop(&mut one);
    stop(&mut other);
    delete(&one, "ledger.sqlite");
    fs::copy(other.path("ledger.sqlite"), one.path("ledger.sqlite")).expect("copied");
    let refused = one.run(&["serve"]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(words(&refused).contains("vient d’un autre journal"), "{}", words(&refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_log_that_was_put_back_is_served_once_the_ledger_was_made_again() {
    let mut daemon = patient().await;
    daemon.up2pay(&Up2pay::voucher("A", 1, 1500));
    stop(&mut daemon);
    fs::copy(daemon.path("log.sqlite"), daemon.path("backup")).expect("copied");
    daemon.restart();
    daemon.up2pay(&Up2pay::voucher("B", 2, 1500));
    stop(&mut daemon);
    delete(&daemon, "log.sqlite");
    fs::copy(daemon.path("backup"), daemon.path("log.sqlite")).expect("put back");
    let entries = || ledger_rows(&daemon.path("log.sqlite"), "SELECT COUNT(*) FROM log");
    let before = entries();
    let refused = daemon.run(&["serve"]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(words(&refused).contains("un journal plus ancien a été remis en place"), "{}", words(&refused));
    assert_eq!(entries(), before, "nothing was appended to it");
    daemon.out(&["rebuild"]);
    daemon.restart();
    assert_eq!(daemon.up2pay(&Up2pay::voucher("B", 2, 1500)), 200, "what the PSP tells again");
    assert_eq!(daemon.rows("SELECT order_ref FROM acct_tenders ORDER BY order_ref"), ["A", "B"]);
    assert!(daemon.out(&["verify"]).starts_with("tout est juste"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_of_a_version_before_the_first_release_is_refused() {
    let mut daemon = patient().await;
    stop(&mut daemon);
    rusqlite::Connection::open(daemon.path("ledger.sqlite"))
        .and_then(|ledger| ledger.pragma_update(None, "user_version", 4))
        .expect("an old ledger");
    let refused = daemon.run(&["serve"]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(words(&refused).contains("version 0.x"), "{}", words(&refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_stays_in_its_transaction_keeps_nobody_waiting() {
    let daemon = patient().await;
    daemon.up2pay(&Up2pay::voucher("A", 1, 1500));
    assert_eq!(daemon.rows("SELECT COUNT(*) FROM acct_tenders"), ["1"]);
    let reader = rusqlite::Connection::open(daemon.path("ledger.sqlite")).expect("a reader");
    let count = |reader: &rusqlite::Connection| {
        reader
            .query_row("SELECT COUNT(*) FROM acct_tenders", [], |row| row.get::<_, i64>(0))
            .expect("a count")
    };
    reader.execute_batch("BEGIN").expect("begun");
    assert_eq!(count(&reader), 1);
    for n in 2..=101 {
        assert_eq!(daemon.up2pay(&Up2pay::voucher(&format!("B{n}"), n, 1500)), 200);
    }
    assert_eq!(daemon.rows("SELECT COUNT(*) FROM acct_tenders"), ["101"], "others see what is new");
    assert_eq!(count(&reader), 1, "it sees what was there when it began");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_daemon_serves_a_log() {
    let daemon = patient().await;
    let second = daemon.run(&["serve"]);
    assert_eq!(second.status.code(), Some(3));
    assert!(words(&second).contains("another cvco-reconciled serves the log"), "{}", words(&second));
    assert_eq!(daemon.up2pay(&Up2pay::voucher("A", 1, 1500)), 200, "the first goes on");
}
