//! An acknowledged notification is never lost, whatever happens to the process.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Daemon, Settings, Up2pay, send_raw};

/// Sends distinct voucher payments from several threads until the daemon is gone; the references acknowledged.
fn storm(daemon: &Daemon, next: &Arc<AtomicU64>, acknowledged: &Arc<Mutex<BTreeSet<String>>>) {
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (next, acknowledged, address) = (Arc::clone(next), Arc::clone(acknowledged), daemon.public);
            std::thread::spawn(move || {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let reference = format!("R{n}");
                    let call = Up2pay::voucher(&reference, 1000 + n, 1500);
                    let request =
                        format!("GET {} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", call.target());
                    match send_raw(address, request.as_bytes()) {
                        Some(answer) if answer.status == 200 => {
                            acknowledged.lock().expect("lock").insert(reference);
                        }
                        Some(answer) => panic!("unexpected {answer:?}"),
                        None => return,
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("thread");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_notification_survives_kill_9_under_load() {
    let mut daemon = Daemon::start(&Settings { complement_grace: "1h", ..Settings::default() }).await;
    let next = Arc::new(AtomicU64::new(0));
    let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
    for round in 1..=3 {
        let wanted = round * 150;
        std::thread::scope(|scope| {
            scope.spawn(|| storm(&daemon, &next, &acknowledged));
            while acknowledged.lock().expect("lock").len() < wanted {
                std::thread::yield_now();
            }
            daemon.signal("-KILL");
        });
        daemon.ended();
        daemon.restart();
    }
    let stored: BTreeSet<String> = daemon.rows("SELECT order_ref FROM acct_tenders").into_iter().collect();
    let acknowledged = acknowledged.lock().expect("lock");
    let lost: Vec<_> = acknowledged.difference(&stored).collect();
    assert!(lost.is_empty(), "acknowledged but not stored: {lost:?}");
    assert!(acknowledged.len() >= 450);
    assert!(daemon.out(&["verify"]).starts_with("tout est juste"));
    assert!(daemon.out(&["rebuild"]).contains("rien n’a changé"));
}

/// F2, and F18 as far as there can be one before the first release: the ledger is of another version, so each start makes it
/// again, and is killed at it.
#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_killed_while_it_recovers_recovers_the_next_time() {
    let mut daemon = Daemon::start(&Settings { complement_grace: "1h", ..Settings::default() }).await;
    let next = Arc::new(AtomicU64::new(0));
    let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
    std::thread::scope(|scope| {
        scope.spawn(|| storm(&daemon, &next, &acknowledged));
        while acknowledged.lock().expect("lock").len() < 300 {
            std::thread::yield_now();
        }
        daemon.signal("-KILL");
    });
    daemon.ended();
    {
        let ledger = rusqlite::Connection::open(daemon.path("ledger.sqlite")).expect("the ledger");
        let changed = ledger.execute("UPDATE progress SET program = '0.9.9'", []).expect("another version");
        assert_eq!(changed, 1);
    }
    for kill in 0..20 {
        daemon.start_and_kill_after(Duration::from_millis(kill * 10));
    }
    daemon.restart();
    let stored: BTreeSet<String> = daemon.rows("SELECT order_ref FROM acct_tenders").into_iter().collect();
    let acknowledged = acknowledged.lock().expect("lock");
    let lost: Vec<_> = acknowledged.difference(&stored).collect();
    assert!(lost.is_empty(), "acknowledged but not stored: {lost:?}");
    assert!(daemon.out(&["verify"]).starts_with("tout est juste"));
    assert!(daemon.out(&["rebuild"]).contains("rien n’a changé"));
}

/// F29: a process that stood still for a while sends nothing twice, and takes what waited.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stood_still_goes_on_where_it_was() {
    let mut daemon = Daemon::start(&Settings { complement_grace: "1h", ..Settings::default() }).await;
    assert_eq!(daemon.up2pay(&Up2pay::voucher("A", 1, 1500)), 200);
    daemon.signal("-STOP");
    let address = daemon.public;
    let waiting: Vec<_> = (0..20)
        .map(|n| {
            let target = Up2pay::voucher(&format!("B{n}"), 100 + n, 1500).target();
            let request = format!("GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
            std::thread::spawn(move || send_raw(address, request.as_bytes()))
        })
        .collect();
    daemon.signal("-CONT");
    for call in waiting {
        assert_eq!(call.join().expect("thread").expect("an answer").status, 200);
    }
    assert_eq!(daemon.rows("SELECT COUNT(*) FROM acct_tenders"), ["21"]);
    assert!(daemon.rows("SELECT kind FROM acct_discrepancies WHERE closed_at IS NULL").is_empty());
    daemon.signal("-TERM");
    assert_eq!(daemon.ended(), Some(0));
}
