//! An old program and a new one. The new one is this program's own part in the log, under the number of a later fold: what it
//! makes of the log does not matter to the old one.

use std::path::Path;
use std::sync::Arc;

use cvco_ledger::FOLD_VERSION;
use cvco_log::entry::OrderRegistration;
use cvco_log::{Appender, Draft, Log, LogEntry, SqliteLog};
use cvco_log_postgres::{ClusterLog, Followed, Settings, Tail, identify};
use cvco_reconciled::clock::Clock;

use crate::machines::Machines;
use crate::postgres::Postgres;
use crate::support::{Up2pay, until};

struct Newer {
    log: Log,
    tail: Tail,
    followed: Followed,
}

impl Newer {
    fn join(server: &Postgres, folder: &Path) -> Self {
        let url = server.url().into();
        let settings = Settings::new(&url, "newer".to_owned(), FOLD_VERSION + 1, "2.0.0".to_owned());
        let settings = settings.expect("settings");
        let found = tokio::task::block_in_place(|| identify(&settings));
        let own = found.expect("a log").identity;
        let path = folder.join("log.sqlite");
        let replica = SqliteLog::open_or_create_replica(&path, &own.log_id).expect("a replica");
        let (spool, read) = (folder.join("spool.sqlite"), replica.reader().expect("a reader"));
        let store = ClusterLog::new(settings.clone(), own.clone(), read, &spool, Arc::default());
        let now = || Clock::system().now();
        let (appender, log) = Appender::start(store.expect("a log"), now).expect("an appender");
        let started = Tail::start(settings, own, replica, appender.ends(), log.changed(), now);
        let (tail, followed) = started.expect("a tail");
        Self { log, tail, followed }
    }

    async fn expect_order(&self, reference: &str) {
        let order = OrderRegistration {
            shop: "camping".parse().expect("a shop"),
            reference: reference.parse().expect("a reference"),
            total: cvco_domain::Cents::new(20_000),
            currency: cvco_domain::Currency::EUR,
            due: None,
            instalments: Vec::new(),
        };
        let draft = Draft::new(&LogEntry::Order(order)).expect("a draft");
        self.log.append(draft).await.expect("appended");
    }

    fn leads(&self) -> bool {
        self.followed.standing.borrow().lead.is_some()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_program_follows_until_the_old_ones_have_gone_and_an_old_one_that_comes_back_takes_no_calls() {
    let Some(server) = Postgres::start("") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut machines = Machines::start(2, &server).await;
    let first = machines.leader(&server).await;
    let newer = Newer::join(&server, folder.path());
    newer.expect_order("CMD-1").await;
    // While an old one leads, all of them take what comes.
    for (n, machine) in machines.all.iter().enumerate() {
        let call = 1001 + u64::try_from(n).expect("a number");
        assert_eq!(machine.up2pay(&Up2pay::voucher("CMD-1", call, 15_000)), 200);
    }
    machines.agree(&server).await;
    machines.ledgers_are_equal().await;
    assert_eq!(machines.all[first].rows("SELECT reference FROM acct_orders"), ["CMD-1"]);
    assert!(!newer.leads());
    assert_eq!(server.rows("SELECT fold_version FROM head"), [FOLD_VERSION.to_string()]);

    // The leader last.
    machines.stop(1 - first);
    machines.stop(first);
    until(async || if newer.leads() { Ok(()) } else { Err("it does not lead".to_owned()) }).await;
    let folds = || server.rows("SELECT fold_version FROM head");
    until(
        async || {
            if folds() == [(FOLD_VERSION + 1).to_string()] { Ok(()) } else { Err(format!("{:?}", folds())) }
        },
    )
    .await;

    // An old one that was forgotten follows, and refuses what it would not fold as the leader does.
    machines.all[first].restart();
    machines.are_not_ready(&[first], "newer version").await;
    assert_eq!(machines.all[first].up2pay(&Up2pay::voucher("CMD-2", 1003, 15_000)), 503);
    newer.expect_order("CMD-3").await;
    machines.all[first].until("SELECT reference FROM acct_orders ORDER BY 1", &["CMD-1", "CMD-3"]).await;
    assert_eq!(server.rows("SELECT count(*) FROM log WHERE content LIKE '%CMD-2%'"), ["0"]);
    // Nor does it lead when nobody else does.
    newer.tail.join().expect("in good order");
    let again = Newer::join(&server, folder.path());
    until(async || if again.leads() { Ok(()) } else { Err("it does not lead".to_owned()) }).await;
    assert_eq!(machines.all[first].admin_get("/readyz").status, 503);
    assert_eq!(folds(), [(FOLD_VERSION + 1).to_string()]);
    again.tail.join().expect("in good order");
}
