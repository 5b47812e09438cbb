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
async fn a_log_whose_end_was_changed_is_refused_by_every_command_that_would_go_on_from_it() {
    let mut daemon = with_three_payments().await;
    damage(
        &mut daemon,
        "log.sqlite",
        "DROP TRIGGER log_is_append_only_update;
         UPDATE log SET content = replace(content, '1500', '1600') WHERE seq = 3",
    );
    let verified = daemon.run(&["verify"]);
    assert_eq!(verified.status.code(), Some(1));
    let text = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(
        text.contains("FAUX   entrée 3 du journal\u{a0}: son empreinte ne découle pas de son contenu"),
        "{text}"
    );
    for command in [&["rebuild"][..], &["alerts", "ack", "1", "--note", "seen"]] {
        assert_eq!(daemon.run(command).status.code(), Some(3), "{command:?}");
    }
    let serve = daemon.run(&["serve"]);
    assert_eq!(serve.status.code(), Some(3));
    let words = String::from_utf8_lossy(&serve.stderr).into_owned();
    assert!(words.contains("est endommagé") && words.contains("Lancez `verify`"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cents_that_went_missing_from_the_ledger_are_found_by_row_and_come_back() {
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
    assert!(text.contains("FAUX   records, ligne ") && text.contains("FAUX   tenders, ligne "), "{text}");
    let rebuilt = daemon.out(&["rebuild"]);
    assert!(rebuilt.contains("records") && rebuilt.contains("tenders"), "{rebuilt}");
    assert!(daemon.out(&["verify"]).starts_with("tout est juste"));
    assert_eq!(daemon.rows("SELECT SUM(voucher_cents) FROM acct_register"), ["4500"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_is_made_again_while_the_daemon_serves() {
    let daemon = with_three_payments().await;
    assert!(daemon.out(&["rebuild"]).contains("rien n’a changé"));
    assert_eq!(daemon.up2pay(&Up2pay::voucher("A4", 4, 1500)), 200);
    assert_eq!(daemon.rows("SELECT SUM(voucher_cents) FROM acct_register"), ["6000"], "it goes on following");
    assert!(daemon.out(&["verify"]).starts_with("tout est juste"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_is_no_database_any_more_is_kept_and_made_again() {
    let mut daemon = with_three_payments().await;
    daemon.signal("-TERM");
    daemon.ended();
    std::fs::write(daemon.path("ledger.sqlite"), vec![0xa5; 8192]).expect("damaged");
    let said = daemon.out(&["rebuild"]);
    assert!(said.contains("ledger.sqlite.damaged"), "{said}");
    assert_eq!(std::fs::read(daemon.path("ledger.sqlite.damaged")).expect("kept"), vec![0xa5; 8192]);
    assert!(daemon.out(&["verify"]).starts_with("tout est juste"));
    assert_eq!(daemon.rows("SELECT SUM(voucher_cents) FROM acct_register"), ["4500"]);
    std::fs::remove_file(daemon.path("ledger.sqlite")).expect("removed");
    daemon.out(&["rebuild"]);
    assert!(daemon.out(&["verify"]).starts_with("tout est juste"), "a missing one is made as well");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_another_program_is_left_alone() {
    let mut daemon = with_three_payments().await;
    daemon.signal("-TERM");
    daemon.ended();
    std::fs::remove_file(daemon.path("ledger.sqlite")).expect("removed");
    let other = rusqlite::Connection::open(daemon.path("ledger.sqlite")).expect("another database");
    other.execute_batch("CREATE TABLE bookmarks (url)").expect("a table");
    for command in ["rebuild", "serve"] {
        let refused = daemon.run(&[command]);
        assert_eq!(refused.status.code(), Some(3), "{command}");
        let words = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(words.contains("n’est pas un registre de cvco-reconciled"), "{command}: {words}");
    }
    let bookmarks: i64 = other.query_row("SELECT COUNT(*) FROM bookmarks", [], |row| row.get(0)).expect("it");
    assert_eq!(bookmarks, 0);
}

/// Lays a log whose only entries are of two days ago, in place of the daemon's own.
fn lay_old_log(daemon: &Daemon) {
    for file in ["log.sqlite", "ledger.sqlite"] {
        for companion in ["", "-wal", "-shm"] {
            let path = daemon.path(&format!("{file}{companion}"));
            if path.exists() {
                std::fs::remove_file(path).expect("removed");
            }
        }
    }
    let mut log = SqliteLog::open_or_create(&daemon.path("log.sqlite"), &[]).expect("a log");
    let order = |reference: &str| {
        Draft::new(&LogEntry::Order(OrderRegistration {
            shop: ShopId::new("camping").expect("a shop"),
            reference: OrderRef::new(reference).expect("a reference"),
            total: Cents::new(2500),
            currency: Currency::EUR,
            due: None,
            instalments: Vec::new(),
        }))
        .expect("a draft")
    };
    let then = cvco_reconciled::clock::Clock::system().now().before(std::time::Duration::from_hours(48));
    log.append(&[order("OLD-1"), order("OLD-2")], then).expect("appended");
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
    assert!(daemon.out(&["verify", "--anchor", &anchor]).starts_with("tout est juste"));
    assert_eq!(daemon.run(&["verify", "--anchor", "2"]).status.code(), Some(2), "no anchor");

    let forged = anchor.replace(char::is_numeric, "0").replacen('0', "2", 1);
    let verified = daemon.run(&["verify", "--anchor", &forged]);
    assert_eq!(verified.status.code(), Some(1));
    let text = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(
        text.contains(
            "entrée 2 du journal\u{a0}: son empreinte n’est pas celle qui a été envoyée par courriel"
        ),
        "{text}"
    );
}
