//! The shop's own handler hears every notification as it came, once, in order, whatever becomes of it meanwhile.

mod outages;
mod own_path;
mod php;
mod waiting;
mod web_server;

use cvco_trial::sandbox::{Canned, Failure, Match, Sandbox};

use crate::support::{Daemon, Settings, Up2pay};

/// A daemon that relays Up2pay's and Sogecommerce's calls to handlers of one shop, which take all of them.
async fn relaying() -> (Daemon, Sandbox) {
    let shop = Sandbox::start("127.0.0.1:0".parse().expect("address")).await.expect("a shop");
    shop.answer(Match::get("/ipn.php"), Canned::text(""));
    shop.answer(Match::post("/vads.php"), Canned::text("<span style=\"display:none\">OK-done</span>"));
    let relay = |path: &str| {
        let url = shop.url(path);
        format!("[[shop.endpoint.relay]]\nurl = \"{url}\"\nallow_private = true\n")
    };
    let daemon = configured(&relay("/ipn.php?a=i"), &relay("/vads.php")).await;
    (daemon, shop)
}

/// A daemon with these lines in Up2pay's endpoint.
async fn relaying_with(lines: &str) -> Daemon {
    configured(lines, "").await
}

/// A daemon with these lines in its two endpoints.
async fn configured(up2pay: &str, sogecommerce: &str) -> Daemon {
    let mut daemon = Daemon::start(&Settings::default()).await;
    daemon.kill();
    daemon.rewrite_configuration(|text| {
        let of_up2pay = "public_key_files = [\"up2pay.pem\"]\n";
        let of_sogecommerce = "key_file = \"sogecommerce.key\"\n";
        text.replace(of_up2pay, &format!("{of_up2pay}{up2pay}"))
            .replace(of_sogecommerce, &format!("{of_sogecommerce}{sogecommerce}"))
    });
    daemon.restart();
    daemon
}

const RELAYS: &str = "SELECT order_ref, state, status, attempts FROM relays ORDER BY seq";

#[tokio::test(flavor = "multi_thread")]
async fn a_genuine_notification_goes_on_byte_for_byte_and_its_outcome_is_in_the_log() {
    let (daemon, shop) = relaying().await;
    let voucher = Up2pay::voucher("CMD-1", 1001, 6000);
    assert_eq!(daemon.up2pay(&voucher), 200);
    daemon.until(RELAYS, &["CMD-1|delivered|200|1"]).await;
    let calls = shop.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!((calls[0].method.as_str(), calls[0].path.as_str()), ("GET", "/ipn.php"));
    assert_eq!(calls[0].query, format!("a=i&{}", voucher.wire().query));
    assert!(calls[0].header("cvco-relay").is_some_and(|mark| mark.starts_with("seq=")));
    assert_eq!(daemon.up2pay(&voucher), 200, "the PSP says the same once more");
    assert_eq!(daemon.up2pay(&Up2pay::card("CMD-1", 1001, 4000)), 200);
    daemon.until(RELAYS, &["CMD-1|delivered|200|1", "CMD-1|delivered|200|1"]).await;
    assert_eq!(shop.calls().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_is_made_again_relays_nothing_twice() {
    let (mut daemon, shop) = relaying().await;
    assert_eq!(daemon.up2pay(&Up2pay::voucher("CMD-1", 1001, 6000)), 200);
    daemon.until(RELAYS, &["CMD-1|delivered|200|1"]).await;
    daemon.kill();
    for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
        drop(std::fs::remove_file(daemon.path(name)));
    }
    daemon.restart();
    assert_eq!(daemon.up2pay(&Up2pay::voucher("CMD-2", 1002, 6000)), 200);
    daemon.until(RELAYS, &["CMD-1|delivered|200|1", "CMD-2|delivered|200|1"]).await;
    assert_eq!(shop.calls().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_relay_sent_is_not_taken_again() {
    let daemon = Daemon::start(&Settings::default()).await;
    let call = Up2pay::voucher("CMD-1", 1001, 6000);
    let relayed =
        format!("GET {} HTTP/1.1\r\nHost: a\r\nCvco-Relay: seq=1; attempt=1\r\n\r\n", call.target());
    let answer = daemon.raw(&relayed);
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (508, "relayed already: the relay's url leads back here\n")
    );
    assert_eq!(daemon.up2pay(&call), 200);
    daemon.until("SELECT COUNT(*) FROM notifications", &["1"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_and_what_became_of_attempts_is_counted() {
    let (daemon, shop) = relaying().await;
    assert_eq!(daemon.up2pay(&Up2pay::voucher("CMD-1", 1001, 6000)), 200);
    daemon.until(RELAYS, &["CMD-1|delivered|200|1"]).await;
    shop.fail(Failure::Status(500));
    assert_eq!(daemon.up2pay(&Up2pay::voucher("CMD-2", 1002, 6000)), 200);
    daemon.until("SELECT COUNT(*) FROM attempts", &["1"]).await;
    let metrics = daemon.admin_get("/metrics").body;
    for figure in [
        "cvco_relay_calls_total{endpoint=\"up2pay\",target=\"shop\",outcome=\"delivered\"} 1",
        "cvco_relay_calls_total{endpoint=\"up2pay\",target=\"shop\",outcome=\"failed\"} 1",
        "cvco_owed{what=\"relay\"} 1",
    ] {
        assert!(metrics.lines().any(|line| line == figure), "{figure}: {metrics}");
    }
    let deliveries =
        "SELECT order_ref, outcome, last_error FROM acct_deliveries WHERE what = 'relay' ORDER BY 1";
    daemon.until(deliveries, &["CMD-1|delivered|", "CMD-2||it answered 500"]).await;
}
