//! One leads, and another does when it is gone.

use std::collections::BTreeSet;

use crate::machines::Machines;
use crate::postgres::Postgres;
use crate::support::{Settings, Up2pay, until};

/// Mails go out at once.
fn mailing() -> Settings {
    Settings { complement_grace: "1s", ..Settings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leader_alone_mails_and_after_a_clean_stop_another_does() {
    let Some(server) = Postgres::start("") else { return };
    let mut machines = Machines::start_at(2, &server.url(), &mailing()).await;
    let first = machines.leader(&server).await;
    let other = 1 - first;
    // A voucher without its card part is told once, by whoever leads, wherever it came in.
    machines.all[other].expect_order("CMD-1", 20_000);
    machines.all[other].expect_order("CMD-2", 20_000);
    assert_eq!(machines.all[other].up2pay(&Up2pay::voucher("CMD-1", 1001, 15_000)), 200);
    let told = "SELECT count(*) FROM log WHERE kind = 'told'";
    until(async || {
        let rows = server.rows(told);
        if rows == ["1"] { Ok(()) } else { Err(format!("{rows:?}")) }
    })
    .await;
    machines.stop(first);
    // It has given the lead up: nobody waits for its end.
    let given = format!("SELECT expires = '-infinity' OR holder LIKE 'machine-{}/%' FROM lease", other + 1);
    assert_eq!(server.rows(&given), ["t"]);
    assert_eq!(machines.leader(&server).await, other);
    assert_eq!(machines.all[other].up2pay(&Up2pay::voucher("CMD-2", 1002, 15_000)), 200);
    until(async || {
        let rows = server.rows(told);
        if rows == ["2"] { Ok(()) } else { Err(format!("{rows:?}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_killed_is_followed_by_another_when_its_lease_is_over() {
    let Some(server) = Postgres::start("") else { return };
    let mut machines = Machines::start(2, &server).await;
    let first = machines.leader(&server).await;
    machines.all[first].kill();
    until(async || {
        let rows = server.rows("SELECT holder, epoch FROM lease WHERE expires > clock_timestamp()");
        let is_other = rows.first().is_some_and(|row| row.starts_with(&format!("machine-{}/", 2 - first)));
        if is_other { Ok(()) } else { Err(format!("{rows:?}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_with_other_settings_is_not_ready_and_says_which() {
    let Some(server) = Postgres::start("") else { return };
    let mut machines = Machines::start(1, &server).await;
    machines.leader(&server).await;
    machines.join_with(&Settings { complement_grace: "2h", ..Settings::default() }).await;
    machines.are_not_ready(&[1], "complement_grace").await;
    assert_eq!(machines.all[0].admin_get("/readyz").status, 200);
    // What comes to it all the same is stored.
    assert_eq!(machines.all[1].up2pay(&Up2pay::voucher("CMD-1", 1001, 15_000)), 200);
    assert_eq!(server.rows("SELECT count(*) FROM log WHERE kind = 'policy'"), ["1"]);
    // Its settings are in force once it leads; then it is the other that differs.
    machines.stop(0);
    until(async || {
        let policies = server.rows("SELECT count(*) FROM log WHERE kind = 'policy'");
        if policies == ["2"] { Ok(()) } else { Err(format!("{policies:?}")) }
    })
    .await;
    machines.all[0].restart();
    machines.are_not_ready(&[0], "complement_grace").await;
    until(async || {
        let ready = machines.all[1].admin_get("/readyz");
        if ready.status == 200 { Ok(()) } else { Err(ready.body) }
    })
    .await;
    machines.agree(&server).await;
    machines.ledgers_are_equal().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_stood_still_past_its_lease_repeats_at_most_one_mail() {
    let Some(server) = Postgres::start("") else { return };
    let machines = Machines::start_at(2, &server.url(), &mailing()).await;
    let first = machines.leader(&server).await;
    let other = 1 - first;
    for n in 0..6 {
        machines.all[other].expect_order(&format!("CMD-{n}"), 20_000);
        let voucher = Up2pay::voucher(&format!("CMD-{n}"), 1001 + n, 15_000);
        assert_eq!(machines.all[other].up2pay(&voucher), 200);
    }
    // Some are told before it stands still, and some by the other.
    let told = "SELECT 1 FROM log WHERE kind = 'told'";
    let at_least = async |count: usize| {
        until(async || {
            let rows = server.rows(told).len();
            if rows >= count { Ok(()) } else { Err(format!("{rows} of {count}")) }
        })
        .await;
    };
    at_least(1).await;
    machines.all[first].signal("-STOP");
    at_least(6).await;
    until(async || {
        let figures = machines.all[other].admin_get("/metrics").body;
        if figures.contains("cvco_leads 1") { Ok(()) } else { Err("the other does not lead".to_owned()) }
    })
    .await;
    machines.all[first].signal("-CONT");
    until(async || {
        let figures = machines.all[first].admin_get("/metrics").body;
        if figures.contains("cvco_leads 0") { Ok(()) } else { Err("it still leads".to_owned()) }
    })
    .await;
    machines.agree(&server).await;
    let mails = machines.all.iter().flat_map(|machine| machine.mailbox.mails());
    let ids: Vec<String> = mails.filter_map(|mail| mail.message_id().map(str::to_owned)).collect();
    let distinct: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(server.rows(told).len(), distinct.len());
    assert!(ids.len() <= distinct.len() + 1, "{ids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_operations_lists_the_machines() {
    let Some(server) = Postgres::start("") else { return };
    let machines = Machines::start(2, &server).await;
    until(async || {
        let rows = server.rows("SELECT count(*) FROM nodes");
        if rows == ["2"] { Ok(()) } else { Err(format!("{rows:?}")) }
    })
    .await;
    machines.leader(&server).await;
    for machine in &machines.all {
        let page = machine.admin_get("/operations");
        assert_eq!(page.status, 200, "{page:?}");
        let section = page.body.split("id=\"machines\"").nth(1).expect("the machines");
        let section = section.split("</section>").next().expect("its end");
        assert_eq!(section.matches("<tr><th scope=\"row\">").count(), 2, "{section}");
        assert_eq!(
            (section.matches(">dirige<").count(), section.matches(">celle-ci<").count()),
            (1, 1),
            "{section}"
        );
        assert!(!section.contains("contredit"), "{section}");
    }
}
