//! First attempts that a PSP's answer waits for: shops create the order in their handler, and the customer returns to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cvco_domain::{RelayTarget, Seq};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::RelaySettings;
use crate::follower::{Followed, Readers};
use crate::lead::Leads;

/// A notification, and the handler that it goes to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Way {
    pub(super) notification: Seq,
    pub(super) target: RelayTarget,
}

/// Who waits for what; the worker lets them go. Cheap to clone.
#[derive(Clone)]
pub struct FirstAttempts {
    waiting: Arc<Mutex<BTreeMap<Way, oneshot::Sender<()>>>>,
    followed: Followed,
    readers: Readers,
    leads: Leads,
}

impl FirstAttempts {
    /// Nobody waits yet.
    #[must_use]
    pub fn new(followed: Followed, readers: Readers, leads: Leads) -> Self {
        Self { waiting: Arc::default(), followed, readers, leads }
    }

    /// Returns when each handler with a `wait` has had its first attempt at a notification, or will not have it now; at
    /// the latest when that time is over.
    pub(crate) async fn wait(&self, relays: &[RelaySettings], notification: Seq) {
        let start = Instant::now();
        for relay in relays.iter().filter(|relay| relay.wait > Duration::ZERO) {
            let way = Way { notification, target: relay.id.clone() };
            // Before the ledger is asked: what ends in between is seen there, or let go here.
            let let_go = self.enter(way.clone());
            // Time that is over, like a worker that is gone, lets the PSP's answer leave.
            drop(timeout_at(start + relay.wait, self.attempt(&way, let_go)).await);
            self.waiting().remove(&way);
        }
    }

    async fn attempt(&self, way: &Way, let_go: oneshot::Receiver<()>) {
        if self.followed.folded(way.notification).await.is_err() {
            return;
        }
        if self.leads.now().is_some() {
            if self.is_untried(way).await {
                drop(let_go.await);
            }
            return;
        }
        // The leader makes the attempt, and the ledger shows how it ended.
        let mut position = self.followed.position();
        while self.is_untried(way).await && position.changed().await.is_ok() {}
    }

    async fn is_untried(&self, way: &Way) -> bool {
        let Way { notification, target } = way.clone();
        let untried = self.readers.read(move |reader| reader.is_untried(notification, &target)).await;
        untried.unwrap_or(false)
    }

    fn enter(&self, way: Way) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.waiting().insert(way, sender);
        receiver
    }

    /// The ways that somebody waits for.
    pub(super) fn awaited(&self) -> BTreeSet<Way> {
        self.waiting().keys().cloned().collect()
    }

    /// Lets go whoever waits for this.
    pub(super) fn let_go(&self, way: &Way) {
        if let Some(waiting) = self.waiting().remove(way) {
            // Whose time was over has gone already.
            waiting.send(()).unwrap_or_default();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<Way, oneshot::Sender<()>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
