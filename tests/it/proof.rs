//! `verify` against damage, and the anchor that leaves the machine each day.

use cvco_domain::{Cents, Currency, OrderRef, ShopId};
use cvco_log::entry::OrderRegistration;
use cvco_log::{Draft, LogEntry, LogStore, SqliteLog};
use cvco_trial::mail_sink::{Behaviour, ReceivedMail};

use crate::support::{Daemon, Settings, Up2pay};

/// Stops the daemon, and damages one of its files as somebody does who can write to it.
fn damage(daemon: &mut Daemon, file: &str, sql: &str) {
    daemon.signal("-TERM");
    daemon.ended();
    let conn = rusqlite::Connection::open(daemon.path(file)).expect("a file");
    conn.execute_batch(sql).expect("damaged");
}

async fn with_three_payments() -> Daemon {
    let daemon = Daemon::start(&Settings::default()).await;
    for n in 1..=3 {
        daemon.up2pay(&Up2pay::voucher(&format!("A{n}"), n, 1500));
    }
    daemon
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_even_be_read_is_named_and_is_no_failure_of_the_program() {
    let mut daemon = with_three_payments().await;
    damage(
        &mut daemon,
        "ledger.sqlite",
        "UPDATE facts SET received_at = CAST(x'ff' AS TEXT) WHERE call_number = '3'",
    );
    let verified = daemon.run(&["verify", "--format", "json"]);
    assert_eq!(verified.status.code(), Some(1));
    let proof: serde_json::Value = serde_json::from_slice(&verified.stdout).expect("JSON");
    assert_eq!(proof["flaws"][0]["place"], "facts row 3 4 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_was_changed_is_found_out_and_made_again() {
    let mut daemon = with_three_payments().await;
    damage(
        &mut daemon,
        "ledger.sqlite",
        "UPDATE tenders SET amount_cents = 1400 WHERE call_number = '2';
         UPDATE records SET voucher_cents = 1400, paid_cents = 1400 WHERE call_number = '2'",
    );
    let verified = daemon.run(&["verify"]);
    assert_eq!(verified.status.code(), Some(1));
    let text = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(
        text.contains("records row 2 up2pay 2: is not what the log amounts to (log entries 3)"),
        "{text}"
    );
    assert!(daemon.out(&["rebuild"]).contains("records, tenders"));
    assert!(daemon.out(&["verify"]).starts_with("right"));
}

/// Lays a log whose only entries are of two days ago, in place of the daemon's own.
fn lay_old_log(daemon: &Daemon) {
    for file in ["log.sqlite", "ledger.sqlite"] {
        for ending in ["", "-wal", "-shm"] {
            let path = daemon.path(&format!("{file}{ending}"));
            if path.exists() {
                std::fs::remove_file(path).expect("removed");
            }
        }
    }
    let mut log = SqliteLog::open_or_create(&daemon.path("log.sqlite"), &[]).expect("a log");
    let order = |reference: &str| {
        LogEntry::Order(OrderRegistration {
            shop: ShopId::new("camping").expect("a shop"),
            reference: OrderRef::new(reference).expect("a reference"),
            total: Cents::new(2500),
            currency: Currency::EUR,
            due: None,
        })
    };
    let then = cvco_reconciled::clock::Clock::system().now().before(std::time::Duration::from_hours(48));
    let drafts = ["OLD-1", "OLD-2"].map(|reference| Draft::new(&order(reference)).expect("a draft"));
    log.append(&drafts, then).expect("appended");
}

/// The number and hash that the mail says to check.
fn anchor_in(mail: &ReceivedMail) -> String {
    let text = mail.text.as_deref().expect("a plain text part");
    let after = text.split("--anchor ").nth(1).unwrap_or_else(|| panic!("an anchor in\n{text}"));
    after.split_whitespace().next().expect("an anchor").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_anchor_of_a_day_outlives_a_mail_server_that_is_down_and_finds_a_forged_log() {
    let mut daemon = Daemon::start(&Settings::default()).await;
    daemon.kill();
    lay_old_log(&daemon);
    daemon.rewrite_configuration(|text| {
        text.replace(
            "path = \"ledger.sqlite\"",
            "path = \"ledger.sqlite\"\nanchor_to = [\"expert@cabinet.example\"]",
        )
    });
    daemon.mailbox.set_behaviour(Behaviour::RefuseConnections);
    daemon.restart();
    daemon
        .until(
            "SELECT n.seq, a.attempts > 0, a.last_error IS NULL FROM anchors n JOIN attempts a ON a.what = n.message_id",
            &["2|1|0"],
        )
        .await;
    daemon.kill();
    daemon.mailbox.set_behaviour(Behaviour::Accept);
    daemon.restart();
    let mail = daemon.mailbox.wait_for(1).await.remove(0);
    assert!(mail.subject().contains("Ancrage du registre"), "{}", mail.subject());
    assert_eq!(mail.to, ["expert@cabinet.example"]);
    let anchor = anchor_in(&mail);
    assert!(anchor.starts_with("2:"), "{anchor}");
    daemon.until("SELECT told_at IS NOT NULL FROM mails", &["1"]).await;
    assert!(daemon.out(&["verify", "--anchor", &anchor]).starts_with("right"));
    assert_eq!(daemon.run(&["verify", "--anchor", "2"]).status.code(), Some(2), "no anchor");

    let forged = anchor.replace(char::is_numeric, "0").replacen('0', "2", 1);
    let verified = daemon.run(&["verify", "--anchor", &forged]);
    assert_eq!(verified.status.code(), Some(1));
    let text = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(text.contains("log entry 2: its chain hash is not the one that was mailed"), "{text}");
}
