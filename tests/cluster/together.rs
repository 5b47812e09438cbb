//! Machines that take what comes, and come to the same ledger.

use crate::machines::Machines;
use crate::postgres::Postgres;
use crate::support::{Daemon, Up2pay, until};

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
    machines.ledgers_are_equal().await;
    for machine in &machines.all {
        assert!(machine.out(&["verify"]).starts_with("tout est juste"));
        assert!(machine.out(&["rebuild"]).contains("rien n’a changé"));
        assert_eq!(machine.admin_get("/readyz").status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_stands_still_while_it_holds_the_end_of_the_log_holds_nobody_up() {
    let Some(server) = Postgres::start("") else { return };
    let machines = Machines::start(2, &server).await;
    let (stopped, other) = (&machines.all[0], &machines.all[1]);
    let call = Up2pay::voucher("CMD-1", 1001, 15_000);
    let waiting = "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE '% machine-1'
                   AND query LIKE '%FROM head FOR UPDATE' AND wait_event_type = 'Lock'";
    let holding = "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE '% machine-1'
                   AND state = 'idle in transaction'";
    let let_go = "terminating connection due to idle-in-transaction timeout";
    let held = server.hold_the_end();
    std::thread::scope(|scope| {
        let calling = scope.spawn(|| stopped.up2pay(&call));
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                until(async || {
                    let rows = server.rows(waiting);
                    if rows == ["1"] { Ok(()) } else { Err(format!("{rows:?}")) }
                })
                .await;
                stopped.signal("-STOP");
                until(async || if stands_still(stopped) { Ok(()) } else { Err("it runs".to_owned()) }).await;
                drop(held);
                until(async || {
                    let is_holding = server.rows(holding) == ["1"] || server.log().contains(let_go);
                    if is_holding { Ok(()) } else { Err(server.log()) }
                })
                .await;
                // Another's call is answered in the time for which a call is held.
                assert_eq!(other.up2pay(&Up2pay::voucher("CMD-2", 1002, 15_000)), 200);
                assert!(server.log().contains(let_go), "this test could not tell: {}", server.log());
                stopped.signal("-CONT");
            });
        });
        // Stored now or, if that took too long, later; in any case once.
        assert!([200, 503].contains(&calling.join().expect("an answer")));
    });
    other.until("SELECT order_ref FROM acct_tenders ORDER BY 1", &["CMD-1", "CMD-2"]).await;
    machines.agree(&server).await;
    machines.ledgers_are_equal().await;
    assert_eq!(server.rows("SELECT count(*) FROM log WHERE content LIKE '%CMD-1%'"), ["1"]);
}

/// Whether each of its threads has stopped: one that has not heard of the signal yet would go on.
fn stands_still(machine: &Daemon) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{}/task", machine.process())).expect("its threads");
    threads.flatten().all(|thread| {
        let status = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        status.contains(") T ")
    })
}
