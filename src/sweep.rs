//! What only time brings: rules whose grace is over, and payloads whose retention is.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Config;
use crate::domain::Timestamp;
use crate::ledger::Ledger;

/// Look at least so often: another process may have registered orders.
const AT_LEAST_EVERY: Duration = Duration::from_secs(20);

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
    loop {
        let now = clock.now();
        if let Err(error) = ledger.sweep(now).await {
            tracing::error!(%error, "the rules of time could not be applied");
        }
        if purged_at.is_none_or(|at| now.since(at) >= PURGE_EVERY) {
            purged_at = Some(now);
            purge(&ledger, &config, now).await;
        }
        let due = next_look.borrow_and_update().map_or(AT_LEAST_EVERY, |due| due.since(clock.now()));
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(due.min(AT_LEAST_EVERY)) => {}
            // A commit brought another date; if the writer is gone, `stop` is about to say so.
            changed = next_look.changed() => if changed.is_err() { return },
        }
    }
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
