//! What only time brings: rules whose grace is over, and payloads whose retention is.

use std::sync::Arc;
use std::time::Duration;

use cvco_domain::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Config;
use crate::ledger::Ledger;

/// Look at least so often: another process may have registered orders.
const AT_LEAST_EVERY: Duration = Duration::from_secs(20);

/// Wait at least so long after a failure: what is overdue stays overdue, and would be tried again at once.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// So far behind the ledger's last entry the clock may be without a word.
const TOLERATED: Duration = Duration::from_mins(1);

/// How often old payloads are purged.
const PURGE_EVERY: Duration = Duration::from_hours(1);

/// Applies the rules of time until `stop`, each when it comes due.
pub async fn run(
    ledger: Ledger,
    config: watch::Receiver<Arc<Config>>,
    clock: Clock,
    stop: CancellationToken,
) {
    let mut next_look = ledger.next_look();
    let mut purged_at: Option<Timestamp> = None;
    let mut behind = false;
    loop {
        let now = clock.now();
        let swept = ledger.sweep(now).await;
        match &swept {
            Ok(swept) => behind = tell_of_clock(behind, swept.ahead),
            Err(error) => tracing::error!(%error, "the rules of time could not be applied"),
        }
        if purged_at.is_none_or(|at| now.since(at) >= PURGE_EVERY) {
            purged_at = Some(now);
            purge(&ledger, &config, now).await;
        }
        let due = *next_look.borrow_and_update();
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause(swept.is_ok(), due, clock.now())) => {}
            // A commit brought another date; if the writer is gone, `stop` is about to say so.
            changed = next_look.changed() => if changed.is_err() { return },
        }
    }
}

/// Tells once that the clock is behind the ledger, and once that it no longer is; whether it is.
fn tell_of_clock(was_behind: bool, ahead: Duration) -> bool {
    let behind = ahead > TOLERATED;
    match (was_behind, behind) {
        (false, true) => tracing::error!(
            seconds = ahead.as_secs(),
            "the clock is behind the ledger's last entry: no rule of time comes due until it has caught up"
        ),
        (true, false) => tracing::info!("the clock has caught up with the ledger's last entry"),
        (false, false) | (true, true) => {}
    }
    behind
}

/// How long to wait for the next look.
fn pause(swept: bool, due: Option<Timestamp>, now: Timestamp) -> Duration {
    let until_due = due.map_or(AT_LEAST_EVERY, |due| due.since(now)).min(AT_LEAST_EVERY);
    if swept { until_due } else { until_due.max(AFTER_FAILURE) }
}

async fn purge(ledger: &Ledger, config: &watch::Receiver<Arc<Config>>, now: Timestamp) {
    let retention = config.borrow().ledger.payload_retention;
    let older_than = now.before(retention);
    loop {
        match ledger.purge_payloads(older_than).await {
            Ok(0) => return,
            Ok(rows) => tracing::info!(rows, "old payloads purged"),
            Err(error) => {
                tracing::error!(%error, "old payloads could not be purged");
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_770_000_000_000 + seconds * 1000)
    }

    #[test]
    fn the_next_look_is_when_something_comes_due_and_not_too_far_off() {
        assert_eq!(pause(true, Some(at(7)), at(0)), Duration::from_secs(7));
        assert_eq!(pause(true, Some(at(700)), at(0)), AT_LEAST_EVERY);
        assert_eq!(pause(true, None, at(0)), AT_LEAST_EVERY);
    }

    #[test]
    fn a_clock_that_was_put_back_is_told_of_when_it_matters() {
        assert!(!tell_of_clock(false, Duration::from_secs(59)));
        assert!(tell_of_clock(false, Duration::from_hours(2)));
        assert!(!tell_of_clock(true, Duration::ZERO));
    }

    #[test]
    fn what_is_overdue_on_a_full_disk_does_not_make_it_spin() {
        assert_eq!(pause(false, Some(at(-60)), at(0)), AFTER_FAILURE);
        assert_eq!(pause(false, None, at(0)), AT_LEAST_EVERY);
    }
}
