//! PostgreSQL restored to yesterday: what it lost is brought back by the machines that know it.

use crate::machines::Machines;
use crate::postgres::Postgres;
use crate::support::Up2pay;
use crate::traffic::{LOGGED, STORED, Traffic};

const NOTIFICATIONS: &str = "SELECT * FROM acct_notifications ORDER BY seq";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_restored_postgresql_lost_comes_back_as_it_was() {
    let Some(mut server) = Postgres::start("") else { return };
    let mut machines = Machines::start(2, &server).await;
    assert_eq!(machines.all[0].up2pay(&Up2pay::voucher("YESTERDAY", 1001, 15_000)), 200);
    let yesterday = server.backup();
    assert_eq!(machines.all[0].up2pay(&Up2pay::voucher("TODAY", 1002, 15_000)), 200);
    assert_eq!(machines.all[1].up2pay(&Up2pay::card("TODAY", 1002, 5_000)), 200);
    machines.all[1].expect_order("TODAY", 20_000);
    let head = machines.agree(&server).await;
    let before = machines.same(&[NOTIFICATIONS]).await;

    server.restore(&yesterday);
    machines.are_not_ready(&[0, 1], "log heal").await;
    // Nothing goes on upon a log that lacks entries; what comes meanwhile is kept.
    assert_eq!(machines.all[0].up2pay(&Up2pay::voucher("MEANWHILE", 1003, 15_000)), 503);
    let status = machines.all[0].run(&["log", "status"]);
    assert_eq!(status.status.code(), Some(1));
    let text = String::from_utf8_lossy(&status.stdout);
    assert!(text.contains(&format!("log.sqlite ends with entry {head}, which PostgreSQL LACKS")), "{text}");
    machines.stop_all();
    assert!(machines.all[0].out(&["log", "heal"]).contains("entries were brought back"));
    assert!(machines.all[1].out(&["log", "heal"]).contains("PostgreSQL has all that this machine knows"));

    machines.restart();
    machines.all[1].until("SELECT 1 FROM acct_tenders WHERE order_ref = 'MEANWHILE'", &["1"]).await;
    machines.agree(&server).await;
    machines.ledgers_are_equal().await;
    let after = machines.all[0].rows(NOTIFICATIONS);
    assert_eq!(after[..before[0].len()], before[0][..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_others_had_gone_on_what_was_lost_is_brought_to_the_end_once() {
    let Some(mut server) = Postgres::start("") else { return };
    let mut machines = Machines::start(3, &server).await;
    let traffic = Traffic::mixed(1);
    let senders = traffic.send_to(&machines);
    traffic.flows(60).await;
    traffic.end(senders);
    machines.agree(&server).await;
    machines.stop(2);
    let yesterday = server.backup();
    // Two machines learn what the third never hears of.
    let senders = traffic.send_to(&machines);
    traffic.flows(60).await;
    traffic.end(senders);
    let call = Up2pay::voucher("R7000000", 7_000_000, 15_000);
    assert_eq!(machines.all[0].up2pay(&call), 200);
    let lost: usize = server.rows("SELECT seq FROM head")[0].parse().expect("a number");
    let running = machines.all.pop().expect("the third");
    machines.agree(&server).await;
    machines.all.push(running);

    server.restore(&yesterday);
    machines.are_not_ready(&[0, 1], "log heal").await;
    machines.all[2].restart();
    // The PSP calls again, and more comes.
    assert_eq!(machines.all[2].up2pay(&call), 200);
    assert_eq!(machines.all[2].up2pay(&Up2pay::voucher("R7000001", 7_000_001, 15_000)), 200);
    assert!(server.rows("SELECT seq FROM head")[0].parse::<usize>().expect("a number") < lost);
    machines.stop_all();
    let told: Vec<String> = machines.all.iter().map(|machine| machine.out(&["log", "heal"])).collect();
    assert!(told[0].contains("others had gone on") && !told[0].contains(" 0 entries"), "{told:?}");
    assert!(told[1].contains("others had gone on") && told[1].contains(" 0 entries"), "{told:?}");
    assert!(told[2].contains("PostgreSQL has all that this machine knows"), "{told:?}");

    machines.restart();
    machines.agree(&server).await;
    machines.ledgers_are_equal().await;
    let stored = machines.all[0].rows(STORED);
    assert_eq!(traffic.lost(&stored), [""; 0]);
    let mut logged = server.rows(LOGGED);
    logged.retain(|row| !row.starts_with("R700000"));
    assert_eq!(traffic.doubled(&logged), [""; 0]);
    for reference in ["R7000000", "R7000001"] {
        let count =
            format!("SELECT count(*) FROM log WHERE kind = 'notification' AND content LIKE '%{reference}%'");
        assert_eq!(server.rows(&count), ["1"], "{reference}");
    }
    for machine in &machines.all {
        assert!(machine.out(&["verify"]).starts_with("tout est juste"));
    }
}
