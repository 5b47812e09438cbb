//! Handlers that do not take what they are sent: the PSP has its answer all the same, and the shop gets everything once, in
//! order, when it is back.

use cvco_trial::sandbox::{Canned, Failure, Match, Sandbox, Seen};

use super::relaying;
use crate::support::{Daemon, Sogecommerce, Up2pay};

const STATES: &str = "SELECT order_ref || ' ' || state FROM relays ORDER BY seq";

const TOLD: &str = "SELECT kind || IIF(closed_at IS NULL, ' open', ' closed') FROM discrepancies
     WHERE kind LIKE 'relay_%' ORDER BY id";

/// The numbers of the entries that calls were about.
fn numbers(calls: &[Seen]) -> Vec<String> {
    let mark = |call: &Seen| {
        let mark = call.header("cvco-relay").expect("a mark");
        mark.split(';').next().expect("a number").to_owned()
    };
    calls.iter().map(mark).collect()
}

/// Both parts of three orders come in while the shop fails: the voucher of each is tried.
async fn three_orders_in_vain(daemon: &Daemon, shop: &Sandbox) {
    for order in 1..=3 {
        let reference = format!("CMD-{order}");
        assert_eq!(daemon.up2pay(&Up2pay::voucher(&reference, 1000 + order, 6000)), 200);
        assert_eq!(daemon.up2pay(&Up2pay::card(&reference, 1000 + order, 4000)), 200);
    }
    daemon.until("SELECT COUNT(*) FROM attempts WHERE what LIKE 'relay %'", &["3"]).await;
    assert_eq!(shop.calls().len(), 3, "the card parts wait for their vouchers");
}

/// Waits for an e-mail about this.
async fn mailed(daemon: &Daemon, title: &str) {
    daemon.mailbox.wait_until(|mails| mails.iter().any(|mail| mail.subject().contains(title))).await;
}

async fn gets_everything_when_it_is_back(failure: Failure, why: &str) {
    let (daemon, shop) = relaying().await;
    shop.fail(failure);
    three_orders_in_vain(&daemon, &shop).await;
    daemon.until(TOLD, &["relay_failing open"]).await;
    let listed = daemon.out(&["relay", "list", "--format", "csv"]);
    assert!(listed.contains(why), "{listed}");
    mailed(&daemon, "boutique injoignable").await;

    shop.recover();
    let again = daemon.out(&["relay", "replay", "--from", "2000-01-01", "--to", "2100-01-01", "--failed"]);
    assert_eq!(again, "6 appels renvoyés\n");
    let delivered =
        ["CMD-1", "CMD-1", "CMD-2", "CMD-2", "CMD-3", "CMD-3"].map(|order| format!("{order} delivered"));
    daemon.until(STATES, &delivered.each_ref().map(String::as_str)).await;
    daemon.until(TOLD, &["relay_failing closed"]).await;
    let heard = numbers(&shop.calls()[3..]);
    let mut once = heard.clone();
    once.sort();
    once.dedup();
    assert_eq!((heard.len(), once.len()), (6, 6), "{heard:?}");
    let place = |number: &String| heard.iter().position(|heard| heard == number);
    for pair in once.chunks(2) {
        assert!(place(&pair[0]) < place(&pair[1]), "a voucher comes before its card part: {heard:?}");
    }
    assert_eq!(daemon.out(&["relay", "list"]), "chaque appel a été pris en charge\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_answers_500_gets_everything_when_it_is_back() {
    gets_everything_when_it_is_back(Failure::Status(500), "it answered 500").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_redirects_gets_everything_when_its_url_is_right() {
    gets_everything_when_it_is_back(Failure::Status(302), "it redirects to another address").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_behind_a_firewall_gets_everything_when_that_lets_us_through() {
    gets_everything_when_it_is_back(Failure::Status(403), "it answered 403").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_hangs_up_gets_everything_when_it_is_back() {
    gets_everything_when_it_is_back(Failure::Drop, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_psp_has_its_answer_while_the_shop_owes_us_one_and_a_killed_daemon_goes_on() {
    let (mut daemon, shop) = relaying().await;
    shop.fail(Failure::Timeout);
    assert_eq!(daemon.up2pay(&Up2pay::voucher("CMD-1", 1001, 6000)), 200);
    assert_eq!(daemon.up2pay(&Up2pay::card("CMD-1", 1001, 4000)), 200);
    shop.wait_for_calls(1).await;
    assert_eq!(daemon.up2pay(&Up2pay::voucher("CMD-2", 1002, 6000)), 200);
    let before = shop.wait_for_calls(2).await;
    daemon.kill();
    shop.recover();
    daemon.restart();
    daemon.until(STATES, &["CMD-1 delivered", "CMD-1 delivered", "CMD-2 delivered"]).await;
    let heard = numbers(&shop.calls());
    let (first, after) = heard.split_at(before.len());
    assert_eq!(after.len(), 3, "{heard:?}");
    assert!(first.iter().all(|number| after.contains(number)), "under the same numbers: {heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_module_of_lyra_refuses_is_told_and_sent_again_when_a_person_says_so() {
    let (daemon, shop) = relaying().await;
    let ko = "<span style=\"display:none\">KO-Error signature=abc</span>";
    shop.answer(Match::post("/vads.php"), Canned::text(ko));
    assert_eq!(daemon.sogecommerce(&Sogecommerce::split("CMD-1", "abc123", 6000, 4000)), 200);
    daemon.until(STATES, &["CMD-1 refused"]).await;
    daemon.until(TOLD, &["relay_refused open"]).await;
    mailed(&daemon, "notification refusée par la boutique").await;
    let mails = daemon.mailbox.mails();
    let why = "le module de la boutique a répondu KO-";
    let texts: Vec<_> = mails.iter().filter_map(|mail| mail.text.as_deref()).collect();
    assert!(texts.iter().any(|text| text.contains(why)), "{texts:?}");
    assert!(daemon.out(&["relay", "list", "--state", "refused"]).contains("the shop's module answered KO-"));

    shop.answer(Match::post("/vads.php"), Canned::text("OK-done"));
    let number = daemon.rows("SELECT seq FROM relays")[0].clone();
    daemon.out(&["relay", "retry", &number]);
    daemon.until(STATES, &["CMD-1 delivered"]).await;
    daemon.until(TOLD, &["relay_refused closed"]).await;
    let calls = shop.calls();
    assert_eq!((calls.len(), &calls[0].body), (2, &calls[1].body));
    let twice = daemon.run(&["relay", "retry", &number]);
    assert_eq!(twice.status.code(), Some(2), "every handler has taken it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_given_up_is_not_sent_any_more() {
    let (daemon, shop) = relaying().await;
    shop.answer(Match::get("/ipn.php"), Canned::text("no such order").with_status(404));
    assert_eq!(daemon.up2pay(&Up2pay::voucher("CMD-1", 1001, 6000)), 200);
    daemon.until(TOLD, &["relay_refused open"]).await;
    let number = daemon.rows("SELECT seq FROM relays")[0].clone();
    daemon.out(&["relay", "drop", &number, "--note", "validée à la main"]);
    daemon.until(TOLD, &["relay_refused closed"]).await;
    let shown = daemon.out(&["relay", "show", &number, "--format", "json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown[0]["state"], "dropped");
    assert!(shown[0]["reason"].as_str().is_some_and(|reason| reason.ends_with(": validée à la main")));
    assert_eq!(daemon.run(&["relay", "drop", &number]).status.code(), Some(2));
    assert_eq!(shop.calls().len(), 1);
}
