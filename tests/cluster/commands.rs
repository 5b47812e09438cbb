//! `log`: there and back.

use crate::machines::Machines;
use crate::postgres::Postgres;
use crate::support::{Daemon, Settings, Up2pay};

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_was_alone_brings_its_log_and_takes_it_back() {
    let Some(server) = Postgres::start("") else { return };
    let mut alone = Daemon::start(&Settings { complement_grace: "1h", ..Settings::default() }).await;
    assert_eq!(alone.up2pay(&Up2pay::voucher("CMD-1", 1001, 15_000)), 200);
    let before = alone.rows("SELECT * FROM acct_notifications ORDER BY seq");
    alone.signal("-TERM");
    alone.ended();
    let url = server.url();
    alone.rewrite_configuration(|text| format!("{text}[log]\nurl = \"{url}\"\nname = \"machine-1\"\n"));
    alone.out(&["log", "migrate"]);
    assert!(alone.out(&["log", "push"]).contains("entries were brought"));
    alone.restart();
    assert_eq!(alone.up2pay(&Up2pay::card("CMD-1", 1001, 5_000)), 200);
    let after = alone.rows("SELECT * FROM acct_notifications ORDER BY seq");
    assert_eq!(after[..before.len()], before[..]);
    let status = alone.out(&["log", "status"]);
    assert!(status.contains("leader    machine-1"), "{status}");
    alone.signal("-TERM");
    alone.ended();
    alone.out(&["log", "pull"]);
    alone.rewrite_configuration(|text| text.split("[log]").next().expect("before").to_owned());
    alone.restart();
    assert_eq!(alone.up2pay(&Up2pay::voucher("CMD-2", 1002, 15_000)), 200);
    assert!(alone.out(&["verify"]).starts_with("tout est juste"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_on_one_machine_is_seen_on_all() {
    let Some(server) = Postgres::start("") else { return };
    let machines = Machines::start(2, &server).await;
    let orders = machines.all[1].path("orders.csv");
    std::fs::write(&orders, "shop;reference;total_cents\ncamping;CMD-1;20000\n").expect("orders");
    machines.all[1].out(&["orders", "import", orders.to_str().expect("a path")]);
    machines.agree(&server).await;
    let rows = machines.same(&["SELECT reference, total_cents FROM acct_orders"]).await;
    assert_eq!(rows, [["CMD-1|20000"]]);
}
