//! PostgreSQL away.

use crate::machines::{Machines, Traffic};
use crate::postgres::Postgres;
use crate::support::{Up2pay, until};

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_while_postgresql_is_away_is_refused_and_stored_all_the_same_when_it_is_back() {
    let Some(mut server) = Postgres::start("") else { return };
    let mut machines = Machines::start(1, &server).await;
    assert_eq!(machines.all[0].up2pay(&Up2pay::voucher("CMD-1", 1001, 15_000)), 200);
    machines.agree(&server).await;
    server.kill();
    assert_eq!(machines.all[0].up2pay(&Up2pay::voucher("CMD-2", 1002, 15_000)), 503);
    assert_eq!(machines.all[0].up2pay(&Up2pay::voucher("CMD-2", 1002, 15_000)), 503);
    assert_eq!(machines.all[0].admin_get("/readyz").status, 503);
    // What it has it can still show, and prove.
    assert!(machines.all[0].out(&["verify"]).starts_with("tout est juste"));
    // Neither a restart nor the outage's end loses the call.
    machines.all[0].kill();
    machines.all[0].restart();
    server.run();
    until(async || {
        let rows = machines.all[0].rows("SELECT order_ref, count(*) FROM acct_tenders GROUP BY 1 ORDER BY 1");
        if rows == ["CMD-1|1", "CMD-2|1"] { Ok(()) } else { Err(format!("{rows:?}")) }
    })
    .await;
    assert_eq!(server.rows("SELECT count(*) FROM log WHERE content LIKE '%CMD-2%'"), ["1"]);
    until(async || {
        let ready = machines.all[0].admin_get("/readyz");
        if ready.status == 200 { Ok(()) } else { Err(ready.body) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_whatever_dies_again_and_again() {
    let Some(mut server) = Postgres::start("") else { return };
    let mut machines = Machines::start(2, &server).await;
    let traffic = Traffic::new();
    for n in 0..rounds() {
        let senders = traffic.send_to(&machines.addresses());
        traffic.flows(40).await;
        // The database, a machine, the database with a machine.
        if n % 3 != 1 {
            server.kill();
        }
        if n % 3 != 0 {
            machines.all[n % 2].kill();
        }
        if n % 3 != 1 {
            server.run();
        }
        traffic.flows(40).await;
        traffic.end(senders);
        if n % 3 != 0 {
            machines.all[n % 2].restart();
        }
    }
    machines.agree(&server).await;
    let stored = machines.all[0].rows("SELECT order_ref FROM acct_tenders");
    assert_eq!(traffic.lost(&stored), [""; 0]);
    let twice = "SELECT content FROM log WHERE kind = 'notification' GROUP BY 1 HAVING count(*) > 1";
    assert_eq!(server.rows(twice), [""; 0]);
    machines.same(&["SELECT * FROM acct_notifications ORDER BY seq"]).await;
}

/// `make test-cluster` takes more.
fn rounds() -> usize {
    let told = std::env::var_os("CLUSTER_ROUNDS");
    told.and_then(|text| text.to_str()?.parse().ok()).unwrap_or(3)
}
