//! A PSP's answer may wait for the shop: the customer comes back to an order that the handler has made.

use cvco_trial::sandbox::{Canned, Failure, Match, Sandbox};

use super::relaying_with;
use crate::support::{Daemon, Up2pay};

async fn waiting() -> (Daemon, Sandbox) {
    let shop = Sandbox::start("127.0.0.1:0".parse().expect("address")).await.expect("a shop");
    shop.answer(Match::get("/ipn.php"), Canned::text(""));
    let url = shop.url("/ipn.php");
    let daemon = relaying_with(&format!(
        "[[shop.endpoint.relay]]\nurl = \"{url}\"\nallow_private = true\nwait = \"5s\"\n"
    ))
    .await;
    (daemon, shop)
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_psp_has_its_answer_the_shop_has_heard() {
    let (daemon, shop) = waiting().await;
    for order in 1..=5 {
        assert_eq!(daemon.up2pay(&Up2pay::voucher(&format!("CMD-{order}"), 1000 + order, 6000)), 200);
        assert_eq!(shop.calls().len(), usize::try_from(order).expect("few"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_shop_answers_changes_nothing_of_the_psps_answer() {
    let (daemon, shop) = waiting().await;
    for failure in [Failure::Status(500), Failure::Status(302), Failure::Drop, Failure::Garbage] {
        shop.fail(failure);
        let order = format!("{failure:?}");
        let heard = shop.calls().len();
        assert_eq!(daemon.up2pay(&Up2pay::voucher(&order, 1001, 6000)), 200);
        assert_eq!(shop.calls().len(), heard + 1, "after one attempt");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_never_answers_costs_the_psp_its_wait_and_no_more() {
    let (daemon, shop) = waiting().await;
    shop.fail(Failure::Timeout);
    assert_eq!(daemon.up2pay(&Up2pay::voucher("CMD-1", 1001, 6000)), 200);
    assert_eq!(daemon.rows("SELECT state FROM relays"), ["owed"], "the attempt is still under way");
}
