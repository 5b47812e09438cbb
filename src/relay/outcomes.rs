//! How relays ended, written into the log.

use std::time::Duration;

use cvco_ledger::PendingRelay;
use cvco_log::entry::{RelayOutcome, Relayed};
use cvco_log::{Draft, Log, LogEntry, LogError};

use crate::follower::Followed;

/// While an outcome cannot be written down, it is tried again after this time.
const AFTER_TROUBLE: Duration = Duration::from_secs(2);

/// The entry about the end of a relay.
pub(super) fn ended(relay: &PendingRelay, attempts: u32, outcome: RelayOutcome) -> LogEntry {
    let PendingRelay { notification, target, endpoint, .. } = relay;
    tracing::info!(
        endpoint.id = %endpoint, relay.target = %target, entry.seq = notification.get(),
        outcome = outcome.as_str(), "relayed"
    );
    LogEntry::Relayed(Relayed { notification: *notification, target: target.clone(), attempts, outcome })
}

/// Writes down how relays ended.
#[derive(Clone)]
pub(super) struct Outcomes {
    log: Log,
    followed: Followed,
}

impl Outcomes {
    /// Into this log.
    pub(super) const fn new(log: Log, followed: Followed) -> Self {
        Self { log, followed }
    }

    /// Says in the log how one ended. As long as that cannot be written, its lane waits here: the handler must not hear the
    /// same again for it.
    pub(super) async fn write_down(&self, relay: &PendingRelay, attempts: u32, outcome: RelayOutcome) {
        let entry = ended(relay, attempts, outcome);
        while let Err(error) = self.append(&entry).await {
            if matches!(error, LogError::Stopped) {
                return;
            }
            tracing::error!(%error, "the outcome of a relay was not written down; it is tried again");
            tokio::time::sleep(AFTER_TROUBLE).await;
        }
    }

    /// Appends an entry, and waits until the ledger knows it: until then it owes the same still.
    pub(super) async fn append(&self, entry: &LogEntry) -> Result<(), LogError> {
        let stamp = self.log.append(Draft::new(entry)?).await?;
        drop(self.followed.folded(stamp.seq).await);
        Ok(())
    }
}
