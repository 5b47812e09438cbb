//! PostgreSQL away.

use cvco_trial::mail_sink::Behaviour;

use crate::machines::Machines;
use crate::postgres::Postgres;
use crate::support::{Settings, Up2pay, until};

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
async fn a_mail_that_left_when_postgresql_went_away_does_not_leave_again() {
    let Some(mut server) = Postgres::start("") else { return };
    let settings = Settings { complement_grace: "1s", ..Settings::default() };
    let machines = Machines::start_at(1, &server.url(), &settings).await;
    let machine = &machines.all[0];
    machine.expect_order("CMD-1", 20_000);
    machine.mailbox.set_behaviour(Behaviour::HoldAnswer);
    assert_eq!(machine.up2pay(&Up2pay::voucher("CMD-1", 1001, 15_000)), 200);
    machine.mailbox.wait_for(1).await;
    server.kill();
    machine.mailbox.set_behaviour(Behaviour::Accept);
    // It could not be said that it left, and perhaps the lead is over.
    until(async || {
        let could_not = machine.log_text().contains("owed e-mails could not be looked up");
        if could_not { Ok(()) } else { Err("it was not tried".to_owned()) }
    })
    .await;
    server.run();
    machine.until("SELECT count(*) FROM owed WHERE done_at IS NOT NULL", &["1"]).await;
    assert_eq!(machine.mailbox.mails().len(), 1);
    assert_eq!(server.rows("SELECT count(*) FROM log WHERE kind = 'told'"), ["1"]);
}
