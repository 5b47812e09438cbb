//! What an older program did not understand is read again.

use cvco_domain::{EndpointRef, Mode, Psp, Timestamp};
use cvco_log::entry::{Origin, Unread};
use cvco_log::{Draft, Envelope, LogEntry, LogStore, SqliteLog, key_file};

use crate::support::{Daemon, Settings, Sogecommerce, Up2pay};

/// Appends a call as a program does that cannot read it.
fn leave_unread(daemon: &Daemon, psp: Psp, endpoint: &str, query: &str, body: &str) {
    let key = key_file::read(&daemon.path("payload.key")).expect("read").expect("a key");
    let envelope = Envelope {
        method: if body.is_empty() { "GET" } else { "POST" }.to_owned(),
        query: query.as_bytes().to_vec(),
        body: body.as_bytes().to_vec(),
        peer: "194.50.38.12".to_owned(),
        user_agent: String::new(),
        headers: b"Content-Type: application/x-www-form-urlencoded\n".to_vec(),
    };
    let carrier = if body.is_empty() { query } else { body };
    let sealed = envelope.seal(&key, carrier.as_bytes()).expect("sealed");
    let endpoint = EndpointRef {
        shop: "camping".parse().expect("a shop"),
        endpoint: endpoint.parse().expect("an endpoint"),
        psp,
        mode: Mode::Production,
    };
    let entry = LogEntry::Unread(Unread {
        endpoint,
        origin: Origin::Call,
        what: "a field of tomorrow".to_owned(),
        what_fr: None,
    });
    let mut log = SqliteLog::open(&daemon.path("log.sqlite")).expect("the log");
    let draft = Draft::with_payload(&entry, sealed).expect("a draft");
    log.append(&[draft], Timestamp::parse("2026-03-01T10:00:00Z").expect("a time")).expect("appended");
}

const OPEN: &str = "SELECT kind, endpoint FROM acct_discrepancies WHERE closed_at IS NULL ORDER BY 2";

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_understood_today_is_booked_and_its_discrepancy_ends() {
    let daemon = Daemon::start(&Settings::default()).await;
    daemon.expect_order("A", 2500);
    let call = Up2pay::voucher("A", 1, 2500).wire();
    leave_unread(&daemon, Psp::Up2pay, "up2pay", &call.query, "");
    let form = Sogecommerce::split("B", "abc123", 6000, 3990).wire();
    leave_unread(&daemon, Psp::Sogecommerce, "sogecommerce", "", &form.body);
    // Nothing of this one was ever proven: it stays where it is.
    leave_unread(&daemon, Psp::Sogecommerce, "sogecommerce", "", &form.body.replace("6000", "6001"));

    let said = daemon.run(&["reread"]);
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert_eq!(said.status.code(), Some(1), "{text}");
    assert_eq!(text.matches("comprise\u{a0}; elle dit").count(), 2, "{text}");
    assert_eq!(text.matches("reste incomprise").count(), 1, "{text}");
    assert_eq!(
        daemon.rows("SELECT order_ref, paid_cents, state FROM acct_register ORDER BY 1"),
        ["A|2500|balanced", "B|9990|balanced"]
    );
    assert_eq!(daemon.rows(OPEN), ["set_aside|sogecommerce"]);
    let again = daemon.run(&["reread"]);
    let text = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(text.lines().count() == 1 && text.contains("reste incomprise"), "{text}");
    assert!(daemon.out(&["verify"]).starts_with("tout est juste"));
    assert!(daemon.out(&["rebuild"]).contains("rien n’a changé"));
}
