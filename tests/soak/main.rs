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
mod sessions;
#[expect(dead_code, unused_imports, reason = "other tests use the rest")]
#[path = "../cluster/support.rs"]
mod support;
mod traffic;

use std::time::Duration;

use cvco_domain::Timestamp;
use cvco_trial::mail_sink::Behaviour;

use measure::Measured;
use plan::{Event, Plan};
use sessions::Sessions;
use support::{Daemon, Settings, until};
use traffic::Traffic;

/// Unless `SOAK_MINUTES` says otherwise.
const TRY: Duration = Duration::from_secs(12);

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_lives_on_through_whatever_happens_and_loses_nothing() {
    let minutes = number("SOAK_MINUTES").map(Duration::from_mins);
    let seed = number("SOAK_SEED").unwrap_or(1);
    let plan = Plan::new(seed, minutes.unwrap_or(TRY));
    let mut daemon = Daemon::start(&Settings::default()).await;
    let mut sessions = Sessions::at(&mut daemon, now(), seed, plan.events.len()).await;
    let traffic = Traffic::start(daemon.public);
    let mut measured = Measured::new(plan.length);
    let began = tokio::time::Instant::now();
    for (at, event) in plan.events {
        // The pace of the load; nothing is waited for.
        tokio::time::sleep_until(began + at).await;
        measured.look_at(&daemon, at, traffic.acknowledged());
        sessions.one_more(&daemon);
        happens(event, &mut daemon, &traffic, &sessions);
    }
    daemon.mailbox.set_behaviour(Behaviour::Accept);
    let sent = traffic.end();
    daemon.out(&["verify"]);
    let stored = daemon.rows(
        "SELECT order_ref, voucher_cents, card_cents FROM acct_register WHERE psp = 'up2pay'
         ORDER BY CAST(substr(order_ref, 2) AS INTEGER)",
    );
    measured.print();
    assert_eq!(stored.len(), sent.len(), "payments that were acknowledged, and those that are stored");
    for (stored, sent) in stored.iter().zip(&sent) {
        assert_eq!(stored, &sent.row());
    }
    sessions.are_all_known(&daemon).await;
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

fn happens(event: Event, daemon: &mut Daemon, traffic: &Traffic, sessions: &Sessions) {
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
        Event::Export => {
            let month = now().paris_day().period().to_string();
            daemon.out(&["export", "register", "--period", &month]);
        }
        Event::Close => {
            daemon.out(&["close", "--through", &sessions.last_month().to_string(), "-o", into]);
        }
        Event::Backup => drop(daemon.out(&["backup", into])),
        Event::Verify => drop(daemon.out(&["verify"])),
        Event::MailFails => daemon.mailbox.set_behaviour(Behaviour::TemporaryFailure),
        Event::MailWorks => daemon.mailbox.set_behaviour(Behaviour::Accept),
        Event::ApiFails => sessions.api_fails(),
        Event::ApiWorks => sessions.api_works(),
    }
}

#[expect(clippy::disallowed_methods, reason = "the daemon goes by the same clock")]
fn now() -> Timestamp {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock");
    Timestamp::from_millis(i64::try_from(now.as_millis()).expect("a date"))
}
