//! The service stops in good order, loads its configuration again, and refuses a bad one.

use crate::support::{Daemon, Settings, Sogecommerce, TOKEN, Up2pay, send_raw};

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_it_with_everything_in_two_files() {
    let mut daemon = Daemon::start(&Settings::default()).await;
    assert_eq!(daemon.up2pay(&Up2pay::voucher("A", 1, 1500)), 200);
    daemon.signal("-TERM");
    assert_eq!(daemon.ended(), Some(0));
    for wal in ["log.sqlite-wal", "ledger.sqlite-wal"] {
        let wal = daemon.path(wal);
        assert!(!wal.exists() || std::fs::metadata(&wal).expect("metadata").len() == 0, "{}", wal.display());
    }
    assert_eq!(daemon.rows("SELECT COUNT(*) FROM acct_tenders"), ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_configuration_is_refused_and_a_good_one_taken() {
    let daemon = Daemon::start(&Settings::default()).await;
    daemon.rewrite_configuration(|text| text.replace("psp = \"up2pay\"", "psp = \"up3pay\""));
    daemon.signal("-HUP");
    daemon.wait_for_log("refused");
    assert_eq!(daemon.up2pay(&Up2pay::voucher("A", 1, 1500)), 200, "the old one stays");

    let other = "0123456789abcdef0123456789abcdef";
    daemon.rewrite_configuration(|text| {
        let good = text.replace("psp = \"up3pay\"", "psp = \"up2pay\"");
        let at = good.rfind(TOKEN).expect("the second endpoint's token");
        format!("{}{other}{}", &good[..at], &good[at + TOKEN.len()..])
    });
    daemon.signal("-HUP");
    daemon.wait_for_log("configuration loaded again");
    let form = Sogecommerce::split("B", "abc123", 6000, 3990).wire().body;
    assert_eq!(daemon.post(&Sogecommerce::target(), &form).status, 403, "the old token");
    assert_eq!(daemon.post(&format!("/n/sogecommerce/{other}"), &form).status, 200, "the new token");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_metrics_are_on_the_admin_address_alone() {
    let daemon = Daemon::start(&Settings::default()).await;
    assert_eq!(daemon.admin_get("/healthz").status, 200);
    assert_eq!(daemon.admin_get("/readyz").status, 200);
    daemon.up2pay(&Up2pay::voucher("A", 1, 1500));
    let metrics = daemon.admin_get("/metrics");
    assert!(
        metrics.body.contains(r#"cvco_notifications_total{endpoint="up2pay",verdict="genuine"} 1"#),
        "{metrics:?}"
    );
    assert!(!metrics.body.contains(TOKEN));
    assert_eq!(daemon.get("/metrics").status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_in_a_local_browser_sees_nothing() {
    let daemon = Daemon::start(&Settings::default()).await;
    let ask = |target: &str, host: &str, more: &str| {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{more}Connection: close\r\n\r\n");
        send_raw(daemon.admin, request.as_bytes()).expect("an answer").status
    };
    let browser = "Accept-Language: fr\r\n";
    assert_eq!(ask("/api/v1/records", "evil.example:8081", browser), 403);
    assert_eq!(ask("/metrics", "evil.example:8081", browser), 403);
    assert_eq!(ask("/healthz", "evil.example:8081", browser), 200, "it tells nothing");
    assert_eq!(ask("/api/v1/records", "localhost:8081", browser), 200, "a page of our own");
    assert_eq!(ask("/api/v1/records", "ledger.internal", ""), 200, "a program, by whatever name");
}

/// systemd learns when the service is ready, reloads and stops (`Type=notify`).
#[tokio::test(flavor = "multi_thread")]
async fn systemd_is_told_each_state() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).expect("socket");
    let next = || {
        let mut buffer = [0; 1024];
        let length = socket.recv(&mut buffer).expect("a state");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let state = || std::iter::repeat_with(next).find(|state| !state.starts_with("STATUS=")).expect("endless");
    let environment = vec![("NOTIFY_SOCKET", path)];
    let mut daemon = Daemon::start(&Settings { environment, ..Settings::default() }).await;
    assert_eq!(next(), "STATUS=opening log and ledger\n");
    assert!(state().starts_with("READY=1"));
    let doing = std::iter::repeat_with(next).find(|state| state.contains("notifications are stored"));
    assert!(doing.is_some_and(|doing| doing.contains("0 discrepancies open")), "what it is about");
    daemon.signal("-HUP");
    let reloading = state();
    assert!(reloading.contains("RELOADING=1") && reloading.contains("MONOTONIC_USEC="), "{reloading}");
    assert!(state().starts_with("READY=1"));
    daemon.signal("-TERM");
    assert!(state().starts_with("STOPPING=1"));
    assert_eq!(daemon.ended(), Some(0));
}
