//! Hours of a daemon's life: traffic with bursts, and meanwhile everything that happens to a service. `make soak-daemon` takes
//! four hours; `make test` plays a few seconds of the same.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    reason = "a test that meets what it does not expect shall stop there; nothing outside uses these modules"
)]

mod measure;
mod plan;
#[expect(dead_code, unused_imports, reason = "other tests use the rest")]
#[path = "../cluster/support.rs"]
mod support;
mod traffic;

use std::time::Duration;

use cvco_domain::Timestamp;
use cvco_trial::mail_sink::Behaviour;

use measure::Measured;
use plan::{Event, Plan};
use support::{Daemon, Settings, until};
use traffic::Traffic;

/// Unless `SOAK_MINUTES` says otherwise.
const TRY: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_lives_on_through_whatever_happens_and_loses_nothing() {
    let minutes = number("SOAK_MINUTES").map(Duration::from_mins);
    let plan = Plan::new(number("SOAK_SEED").unwrap_or(1), minutes.unwrap_or(TRY));
    let mut daemon = Daemon::start(&Settings::default()).await;
    let traffic = Traffic::start(daemon.public);
    let mut measured = Measured::new(plan.length);
    let began = tokio::time::Instant::now();
    for (at, event) in plan.events {
        // The pace of the load; nothing is waited for.
        tokio::time::sleep_until(began + at).await;
        measured.look_at(&daemon, at, traffic.acknowledged());
        happens(event, &mut daemon, &traffic);
    }
    daemon.mailbox.set_behaviour(Behaviour::Accept);
    let sent = traffic.end();
    daemon.out(&["verify"]);
    let stored = daemon.rows(
        "SELECT order_ref, voucher_cents, card_cents FROM acct_register ORDER BY CAST(substr(order_ref, 2) AS INTEGER)",
    );
    measured.print();
    assert_eq!(stored.len(), sent.len(), "payments that were acknowledged, and those that are stored");
    for (stored, sent) in stored.iter().zip(&sent) {
        assert_eq!(stored, &sent.row());
    }
    measured.must_be_flat();
    // Whatever was owed when mail failed leaves after all.
    until(async || {
        let owed = daemon.rows("SELECT COUNT(*) FROM owed WHERE done_at IS NULL AND urgent = 1");
        if owed == ["0"] { Ok(()) } else { Err(format!("{owed:?} urgent mails are owed")) }
    })
    .await;
}

#[expect(clippy::disallowed_methods, reason = "a test program has no configuration file")]
fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text}: a number is wanted")))
}

fn happens(event: Event, daemon: &mut Daemon, traffic: &Traffic) {
    let folder = tempfile::tempdir().expect("a folder");
    let into = folder.path().to_str().expect("its name");
    match event {
        Event::Burst => traffic.burst(),
        Event::Quiet => {}
        Event::Stop => {
            daemon.signal("-TERM");
            assert_eq!(daemon.ended(), Some(0), "{}", daemon.log_text());
            daemon.restart();
            traffic.goes_to(daemon.public);
        }
        Event::Kill => {
            daemon.kill();
            daemon.restart();
            traffic.goes_to(daemon.public);
        }
        Event::Export => drop(daemon.out(&["export", "register", "--period", &month(0)])),
        Event::Close => {
            // No payment of these is so old: it shows that acknowledging goes on beside it.
            daemon.out(&["close", "--period", &month(62), "-o", into]);
        }
        Event::Backup => drop(daemon.out(&["backup", into])),
        Event::Verify => drop(daemon.out(&["verify"])),
        Event::MailFails => daemon.mailbox.set_behaviour(Behaviour::TemporaryFailure),
        Event::MailWorks => daemon.mailbox.set_behaviour(Behaviour::Accept),
    }
}

/// The month of so many days ago.
#[expect(clippy::disallowed_methods, reason = "the daemon goes by the same clock")]
fn month(days_ago: u64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock");
    let then = now.checked_sub(Duration::from_hours(days_ago * 24)).expect("later than 1970");
    let then = Timestamp::from_millis(i64::try_from(then.as_millis()).expect("a date"));
    then.to_string().chars().take(7).collect()
}
