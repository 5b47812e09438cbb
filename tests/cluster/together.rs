//! Machines that take what comes, and come to the same ledger.

use crate::machines::{Machines, Traffic};
use crate::postgres::Postgres;
use crate::support::Up2pay;

const LEDGER: [&str; 3] = [
    "SELECT * FROM acct_register ORDER BY 1, 2, 3, 4, 5, 6",
    "SELECT * FROM acct_tenders ORDER BY 1, 2, 3, 4, 5, 6, 7",
    "SELECT * FROM acct_notifications ORDER BY seq",
];

#[tokio::test(flavor = "multi_thread")]
async fn what_two_machines_take_is_one_payment_in_both_ledgers() {
    let Some(server) = Postgres::start("") else { return };
    let machines = Machines::start(2, &server).await;
    assert_eq!(machines.all[0].up2pay(&Up2pay::voucher("CMD-1", 1001, 15_000)), 200);
    assert_eq!(machines.all[1].up2pay(&Up2pay::card("CMD-1", 1001, 5_000)), 200);
    machines.all[1].expect_order("CMD-1", 20_000);
    machines.agree(&server).await;
    let rows =
        machines.same(&["SELECT order_ref, voucher_cents, card_cents, state FROM acct_register"]).await;
    assert_eq!(rows, [["CMD-1|15000|5000|balanced"]]);
    machines.same(&LEDGER).await;
    for machine in &machines.all {
        assert!(machine.out(&["verify"]).starts_with("tout est juste"));
        assert!(machine.out(&["rebuild"]).contains("rien n’a changé"));
        assert_eq!(machine.admin_get("/readyz").status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_is_killed_takes_nothing_with_it() {
    let Some(server) = Postgres::start("") else { return };
    let mut machines = Machines::start(3, &server).await;
    let traffic = Traffic::new();
    let senders = traffic.send_to(&machines.addresses());
    for n in [0, 1] {
        traffic.flows(100).await;
        machines.all[n].kill();
    }
    traffic.flows(100).await;
    traffic.end(senders);
    machines.all[0].restart();
    machines.all[1].restart();
    machines.agree(&server).await;
    let stored = machines.all[0].rows("SELECT order_ref FROM acct_tenders");
    assert_eq!(traffic.lost(&stored), [""; 0]);
    machines.same(&LEDGER).await;
}
