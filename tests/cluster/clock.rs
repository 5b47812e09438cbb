//! A machine whose clock is an hour ahead.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::machines::Machines;
use crate::postgres::Postgres;
use crate::support::{Settings, Up2pay};

/// What a program preloads to be an hour ahead. The C compiler is the one that SQLite was built with.
fn an_hour_ahead(folder: &Path) -> PathBuf {
    let (source, library) =
        (Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/ahead.c"), folder.join("ahead.so"));
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).status();
    assert!(built.expect("a C compiler").success());
    library
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_whose_clock_is_an_hour_ahead_is_not_ready_and_dates_and_announces_nothing_by_it() {
    let Some(server) = Postgres::start("") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let settings = Settings { complement_grace: "1s", ..Settings::default() };
    let mut machines = Machines::start_at(2, &server.url(), &settings).await;
    machines.stop(1);
    machines.all[1].environment.push(("LD_PRELOAD", an_hour_ahead(folder.path())));
    machines.all[1].restart();
    machines.are_not_ready(&[1], "this machine's clock is 1h ahead of the database's: set it").await;
    assert_eq!(machines.all[0].admin_get("/readyz").status, 200);

    machines.stop(0);
    assert_eq!(machines.leader(&server).await, 1);

    // It leads now, and goes by the database's clock. By its own the rest of CMD-1 would be overdue already.
    let half_past =
        "SELECT to_char(now() AT TIME ZONE 'UTC' + interval '30 minutes', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
    let due = &server.rows(half_past)[0];
    let order = format!(
        r#"{{"shop":"camping","reference":"CMD-1","total_cents":20000,"currency":"EUR","instalments":[
            {{"cents":15000,"due":"{due}"}},{{"cents":5000,"due":"{due}"}}]}}"#
    );
    assert_eq!(machines.all[1].admin_post("/api/v1/orders", &order).status, 200);
    machines.all[1].expect_order("CMD-2", 20_000);
    for (reference, call) in [("CMD-1", 1001), ("CMD-2", 1002)] {
        assert_eq!(machines.all[1].up2pay(&Up2pay::voucher(reference, call, 15_000)), 200);
    }
    machines.all[1].until("SELECT order_ref FROM acct_discrepancies", &["CMD-2"]).await;
    machines.all[0].restart();
    machines.agree(&server).await;
    machines.ledgers_are_equal().await;
    let ahead = "SELECT seq, at FROM log WHERE at::timestamptz > clock_timestamp()";
    assert_eq!(server.rows(ahead), [""; 0]);
    assert_eq!(server.rows("SELECT kind FROM log WHERE kind IN ('clock', 'pause')"), [""; 0]);
    assert_eq!(machines.all[0].rows("SELECT order_ref FROM acct_discrepancies"), ["CMD-2"]);
    // One for the deadline that has come, and one more where the database's clock was a moment behind.
    assert!(server.rows("SELECT seq FROM log WHERE kind = 'time'").len() <= 2);
}
