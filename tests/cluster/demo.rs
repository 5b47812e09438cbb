//! `make demo-cluster`: two servers of PostgreSQL, two daemons, traffic; then a server and a daemon are killed.

use std::io::Write;

use crate::machines::Machines;
use crate::postgres::Postgres;
use crate::support::Settings;
use crate::traffic::{STORED, Traffic};

fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_and_a_daemon_are_killed_under_traffic() {
    let Some(mut primary) = Postgres::start("") else { return };
    let standby = primary.standby("standby");
    primary.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'standby'");
    primary.reload();
    say("PostgreSQL: a primary, and a standby that each commit waits for");
    let url = Postgres::url_of(&[&primary, &standby]);
    let settings = Settings { complement_grace: "1h", ..Settings::default() };
    let mut machines = Machines::start_at(2, &url, &settings).await;
    let leader = machines.leader(&primary).await;
    say(&format!("cvco-reconciled: two machines; machine-{} leads", leader + 1));
    let traffic = Traffic::of_vouchers();
    let senders = traffic.send_to(&machines);
    traffic.flows(100).await;
    say(&format!("{} notifications acknowledged; the primary is killed", traffic.count()));
    primary.kill();
    standby.promote();
    traffic.flows(100).await;
    say(&format!("{} acknowledged; machine-{}, which leads, is killed", traffic.count(), leader + 1));
    machines.all[leader].kill();
    traffic.flows(100).await;
    traffic.end(senders);
    say(&format!("{} acknowledged; machine-{} starts again", traffic.count(), leader + 1));
    machines.all[leader].restart();
    let head = machines.agree(&standby).await;
    for (n, machine) in machines.all.iter().enumerate() {
        let stored = machine.rows(STORED);
        let lost = traffic.lost(&stored);
        say(&format!(
            "machine-{}: log up to entry {head}, {} payments, {} lost",
            n + 1,
            stored.len(),
            lost.len()
        ));
        assert_eq!(lost, [""; 0]);
    }
    let ledgers = machines
        .same(&[
            "SELECT * FROM acct_register ORDER BY order_ref",
            "SELECT * FROM acct_notifications ORDER BY seq",
        ])
        .await;
    say(&format!("both ledgers are equal, row for row: {} records", ledgers[0].len()));
}
