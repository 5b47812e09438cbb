//! What only the leader does: mails, relays, questions to PSPs, settings that decide. It begins with a lead and ends with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use cvco_domain::crypto::SealKey;
use cvco_log::Log;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Parts;
use super::reload::Policies;
use crate::admin::AdminSettings;
use crate::alert::Addressees;
use crate::alert::channels::ChannelWorker;
use crate::alert::desk::{Desk, Unsaid};
use crate::alert::worker::AlertWorker;
use crate::clock::Clock;
use crate::confirm::worker::{Asked, ConfirmWorker};
use crate::follower::{Followed, Readers};
use crate::lead::{Lead, Leads};
use crate::relay::FirstAttempts;
use crate::relay::worker::{Payloads, RelayWorker, Relays};
use crate::telemetry::Metrics;

/// What the leader works with.
pub(super) struct Office {
    pub(super) leads: Leads,
    pub(super) log: Log,
    pub(super) key: Arc<SealKey>,
    pub(super) payloads: Payloads,
    pub(super) followed: Followed,
    pub(super) readers: Readers,
    pub(super) first: FirstAttempts,
    pub(super) policies: Policies,
    pub(super) clock: Clock,
    pub(super) metrics: Arc<Metrics>,
    pub(super) host: String,
    pub(super) unsaid: Unsaid,
    pub(super) admin: watch::Receiver<Arc<AdminSettings>>,
    pub(super) asked: watch::Receiver<Arc<Asked>>,
    pub(super) relays: watch::Receiver<Arc<Relays>>,
    pub(super) addressees: watch::Receiver<Arc<Addressees>>,
    pub(super) refused: watch::Sender<BTreeMap<String, String>>,
}

impl Office {
    /// Works whenever this machine leads, until `stop`; what is under way is finished.
    pub(super) async fn run(self, parts: Parts, stop: CancellationToken) {
        loop {
            let lead = tokio::select! {
                () = stop.cancelled() => return,
                lead = self.leads.begun() => lead,
            };
            let term = self.leads.term(lead, &stop);
            let parts = parts.of(&term);
            self.open(lead, &parts, &term);
            term.cancelled().await;
            parts.tasks.close();
            parts.tasks.wait().await;
        }
    }

    fn open(&self, lead: Lead, parts: &Parts, term: &CancellationToken) {
        let log = lead.log(&self.log);
        let (policies, admin, ends) = (self.policies.clone(), self.admin.clone(), term.clone());
        parts.start("the settings that decide", async move {
            let policy = admin.borrow().policy.clone();
            if let Err(error) = policies.adopt(&policy).await {
                tracing::error!(%error, "the settings that decide were not stored");
            }
            ends.cancelled().await;
        });
        let confirmations = ConfirmWorker {
            asked: self.asked.clone(),
            log: log.clone(),
            key: Arc::clone(&self.key),
            followed: self.followed.clone(),
            readers: self.readers.clone(),
            clock: self.clock.clone(),
            metrics: Arc::clone(&self.metrics),
        };
        parts.start("the confirmation worker", confirmations.run(term.clone()));
        let relays = RelayWorker {
            settings: self.relays.clone(),
            log: log.clone(),
            payloads: self.payloads.clone(),
            followed: self.followed.clone(),
            readers: self.readers.clone(),
            first: self.first.clone(),
            clock: self.clock.clone(),
            metrics: Arc::clone(&self.metrics),
        };
        parts.start("the relay", relays.run(term.clone()));
        let desk = Desk {
            log,
            followed: self.followed.clone(),
            readers: self.readers.clone(),
            clock: self.clock.clone(),
            metrics: Arc::clone(&self.metrics),
            host: self.host.clone(),
            unsaid: self.unsaid.clone(),
        };
        let channels = ChannelWorker { addressees: self.addressees.clone(), desk: desk.clone() };
        parts.start("the channels", channels.run(term.clone()));
        let alerts = AlertWorker { addressees: self.addressees.clone(), desk, refused: self.refused.clone() };
        parts.start("the alert worker", alerts.run(term.clone()));
    }
}
