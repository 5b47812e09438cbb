//! A primary is lost: with a synchronous standby nothing is, with an asynchronous one much is, which proves the test.

use std::collections::BTreeSet;

use crate::machines::Machines;
use crate::postgres::Postgres;
use crate::support::Settings;
use crate::traffic::{STORED, Traffic};

/// Traffic, then the primary is gone and its standby takes over; the machines, the new primary, and what was lost.
async fn fail_over(is_synchronous: bool) -> Option<(Machines, Postgres, Vec<String>)> {
    let mut primary = Postgres::start("")?;
    let standby = primary.standby("standby");
    if is_synchronous {
        primary.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'standby'");
        primary.reload();
    }
    let url = Postgres::url_of(&[&primary, &standby]);
    let settings = Settings { complement_grace: "1h", ..Settings::default() };
    let machines = Machines::start_at(2, &url, &settings).await;
    let traffic = Traffic::of_vouchers();
    let senders = traffic.send_to(&machines);
    traffic.flows(60).await;
    if !is_synchronous {
        // It lags: its walreceiver stands still.
        standby.stop_receiving();
        traffic.flows(60).await;
    }
    primary.kill();
    standby.promote();
    if is_synchronous {
        traffic.flows(60).await;
    }
    traffic.end(senders);
    let stored =
        standby.rows("SELECT 'voucher ' || substring(content FROM '\"order_ref\":\"(R[0-9]+)\"') FROM log");
    let lost = traffic.lost(&stored);
    Some((machines, standby, lost))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_synchronous_standby_has_all_that_was_acknowledged() {
    let Some((machines, standby, lost)) = fail_over(true).await else { return };
    assert_eq!(lost, [""; 0]);
    machines.agree(&standby).await;
    machines.ledgers_are_equal().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_asynchronous_standby_loses_and_a_machine_that_knows_more_mends_it() {
    let Some((mut machines, standby, lost)) = fail_over(false).await else { return };
    assert!(!lost.is_empty(), "this test could not tell");
    // Both machines know entries that are gone, and say so rather than go on.
    machines.are_not_ready(&[0, 1], "log heal").await;
    machines.stop_all();
    // What a machine had brought home before the failover comes back; of what only PostgreSQL had, nothing can.
    let known: BTreeSet<String> = machines.all.iter().flat_map(|machine| machine.rows(STORED)).collect();
    assert!(lost.iter().any(|reference| known.contains(reference)), "this test could not tell");
    for machine in &machines.all {
        machine.out(&["log", "heal"]);
    }
    machines.restart();
    machines.agree(&standby).await;
    let stored: BTreeSet<String> = machines.all[0].rows(STORED).into_iter().collect();
    assert_eq!(known.difference(&stored).collect::<Vec<_>>(), [""; 0]);
    machines.ledgers_are_equal().await;
}
