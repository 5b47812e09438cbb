//! Loading the configuration again while the program runs.

use std::path::PathBuf;

use cvco_domain::Policy;
use cvco_log::{Draft, Log, LogEntry};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::settings::{Settings, keep_what_is_open};
use super::{AppError, PATIENCE, tell_warnings};
use crate::config::{Config, ConfigError};
use crate::follower::{Followed, Readers};
use crate::lead::Leads;
use crate::lifecycle;

/// The merchant's settings that decide: they take effect through the log, by the word of the leader.
#[derive(Clone)]
pub(super) struct Policies {
    pub(super) log: Log,
    pub(super) followed: Followed,
    pub(super) readers: Readers,
    pub(super) leads: Leads,
}

impl Policies {
    /// Appends a policy, unless it is the one in force; returns when the ledger goes by it. A ledger that has much to fold
    /// is not waited for: then the policy is appended in any case, which changes nothing if it is the same. Where another
    /// machine leads, its settings count.
    pub(super) async fn adopt(&self, policy: &Policy) -> Result<(), AppError> {
        let Some(lead) = self.leads.now() else { return Ok(()) };
        let head = self.log.changed().borrow().seq;
        let is_current = tokio::time::timeout(PATIENCE, self.followed.folded(head)).await.is_ok();
        if is_current
            && self.readers.read(cvco_ledger::Reader::policy_in_force).await?.as_ref() == Some(policy)
        {
            return Ok(());
        }
        let stamp = lead.log(&self.log).append(Draft::new(&LogEntry::Policy(policy.clone()))?).await?;
        drop(tokio::time::timeout(PATIENCE, self.followed.folded(stamp.seq)).await);
        Ok(())
    }
}

/// Loads the configuration again when told to.
pub(super) struct Reloads {
    pub(super) config_path: Option<PathBuf>,
    pub(super) settings: Settings,
    pub(super) policies: Policies,
}

impl Reloads {
    pub(super) async fn run(mut self, mut reloads: mpsc::Receiver<()>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                wanted = reloads.recv() => if wanted.is_none() {
                    // Nobody can ask any more; stay until the stop.
                    stop.cancelled().await;
                    return;
                }
            }
            lifecycle::reloading();
            self.reload().await;
            lifecycle::ready();
        }
    }

    async fn reload(&mut self) {
        let Some(path) = self.config_path.clone() else { return };
        let loaded = tokio::task::spawn_blocking(move || Config::load(&path)).await;
        let mut config = match loaded {
            Ok(Ok(config)) => config,
            Ok(Err(error)) => return refuse(&error),
            Err(error) => return tracing::error!(%error, "the configuration was not loaded"),
        };
        if keep_what_is_open(&mut config, &self.settings.current) {
            tracing::warn!("listener addresses, TLS on or off, and ledger files change only with a restart");
        }
        if let Err(error) = self.policies.adopt(&config.policy).await {
            return tracing::error!(%error, "the new policy was not stored; the old configuration stays");
        }
        tell_warnings(&config);
        tracing::info!(endpoints = config.endpoints.len(), "configuration loaded again");
        self.settings.replace(config);
    }
}

fn refuse(error: &ConfigError) {
    tracing::error!(%error, "the new configuration is refused; the old one stays");
}
