//! The worker: reads what is owed, calls the handlers, writes down how it ended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cvco_domain::crypto::SealKey;
use cvco_domain::{Bilingual, Seq, Timestamp};
use cvco_ledger::PendingRelay;
use cvco_log::entry::RelayOutcome;
use cvco_log::{Envelope, Log, LogEntry, LogError, LogStore, SqliteLog};
use tokio::sync::watch;
use tokio::task::{self, JoinSet};
use tokio_util::sync::CancellationToken;

use super::RelaySettings;
use super::breaker::Breaker;
use super::failing::{Failing, failing};
use super::first::{FirstAttempts, Way};
use super::message;
use super::outcomes::{Outcomes, ended};
pub use super::plan::Handler;
use super::plan::{Lane, plan};
use super::schedule;
use super::verdict::{Verdict, judge};
use crate::clock::Clock;
use crate::follower::{Followed, Readers};
use crate::outbound::{Client, Proxy};
use crate::telemetry::{Metrics, RelayCall};

/// A handler that has not answered by then has failed.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// What is owed is looked up this often at least: another process may have appended.
const AT_LEAST_EVERY: Duration = Duration::from_secs(2);

/// And not more often: a burst of entries is one piece of news.
const AT_MOST_EVERY: Duration = Duration::from_millis(10);

/// What the worker goes by, as last loaded.
pub struct Relays {
    /// The way out, if there is only one.
    pub proxy: Option<Proxy>,
    /// The handlers of all endpoints.
    pub handlers: BTreeMap<Handler, RelaySettings>,
}

/// The bytes of notifications, as the log keeps them.
#[derive(Clone)]
pub struct Payloads {
    log: Arc<Mutex<SqliteLog>>,
    key: Arc<SealKey>,
}

impl Payloads {
    /// The payloads of a log.
    #[must_use]
    pub fn new(log: SqliteLog, key: Arc<SealKey>) -> Self {
        Self { log: Arc::new(Mutex::new(log)), key }
    }

    /// The call that an entry was read from, of which this is the digest; `None` if it is no longer kept.
    pub(crate) async fn of(&self, entry: Seq, sha256: &str) -> Result<Option<Envelope>, LogError> {
        let (payloads, sha256) = (self.clone(), sha256.to_owned());
        let read = task::spawn_blocking(move || {
            let mut log = payloads.log.lock().unwrap_or_else(PoisonError::into_inner);
            let sealed = log.payload(entry)?;
            sealed.map(|sealed| Envelope::open(&payloads.key, &sha256, &sealed)).transpose()
        });
        read.await.unwrap_or(Err(LogError::Stopped))
    }
}

/// Hands notifications on.
pub struct RelayWorker {
    /// To whom, as last loaded.
    pub settings: watch::Receiver<Arc<Relays>>,
    /// Where outcomes are written down.
    pub log: Log,
    /// Where the calls are.
    pub payloads: Payloads,
    /// How far the ledger has followed.
    pub followed: Followed,
    /// Where it is read what is owed.
    pub readers: Readers,
    /// Who waits for first attempts.
    pub first: FirstAttempts,
    /// The time.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// What an attempt showed about its handler.
enum Sign {
    /// It is there.
    Answered,
    /// It did not take the call.
    Failed { rest: Option<Duration> },
    /// Nothing: the call could not even be made.
    Nothing,
}

/// A call under way.
struct Attempt {
    relay: PendingRelay,
    settings: RelaySettings,
    is_probe: bool,
    client: Client,
    outcomes: Outcomes,
    payloads: Payloads,
    followed: Followed,
    first: FirstAttempts,
    clock: Clock,
    metrics: Arc<Metrics>,
}

impl RelayWorker {
    /// Works until `stop`; calls under way are finished.
    pub async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => return,
            folded = self.followed.caught_up(&self.log) => if folded.is_err() { return stop.cancelled().await },
        }
        let mut position = self.followed.position();
        let mut breakers: BTreeMap<Handler, Breaker> = BTreeMap::new();
        let mut under_way: JoinSet<Sign> = JoinSet::new();
        let mut lanes: BTreeMap<task::Id, Lane> = BTreeMap::new();
        let mut client = self.client();
        loop {
            position.borrow_and_update();
            let pause = self.send_due(&client, &breakers, &mut under_way, &mut lanes).await;
            let has_handlers = !self.settings.borrow().handlers.is_empty();
            tokio::select! {
                () = stop.cancelled() => break,
                changed = self.settings.changed() => match changed {
                    Ok(()) => client = self.client(),
                    Err(_) => break,
                },
                changed = position.changed(), if has_handlers => if changed.is_err() { break },
                Some(ended) = under_way.join_next_with_id(), if !under_way.is_empty() => {
                    let (id, sign) = ended.unwrap_or_else(|error| {
                        tracing::error!(%error, "relaying failed; please report it");
                        (error.id(), Sign::Nothing)
                    });
                    if let Some(lane) = lanes.remove(&id) {
                        self.learn(&mut breakers, lane.handler, &sign);
                    }
                    continue;
                }
                () = tokio::time::sleep(pause) => {}
            }
            tokio::time::sleep(AT_MOST_EVERY).await;
        }
        while under_way.join_next().await.is_some() {}
    }

    fn client(&mut self) -> Client {
        Client::new(self.settings.borrow_and_update().proxy.clone(), TIME_LIMIT)
    }

    fn outcomes(&self) -> Outcomes {
        Outcomes::new(self.log.clone(), self.followed.clone())
    }

    /// Says in the log which handlers fail, where a person does not know it yet.
    async fn tell(&self, failing: Vec<Failing>, now: Timestamp) {
        if failing.is_empty() {
            return;
        }
        let told = match self.readers.read(cvco_ledger::Reader::told_unreached).await {
            Ok(told) => told,
            Err(error) => {
                tracing::error!(%error, "it could not be looked up what was told of handlers");
                return;
            }
        };
        for unreached in failing.iter().filter_map(|failing| failing.news(&told, now)) {
            if let Err(error) = self.outcomes().append(&LogEntry::Unreached(unreached)).await {
                tracing::error!(%error, "it was not written down that a handler fails");
            }
        }
    }

    /// The ways that PSPs' answers wait for, each with its lane.
    fn awaited(&self, owed: &[PendingRelay]) -> Vec<(Way, Lane)> {
        let awaited = self.first.awaited();
        if awaited.is_empty() {
            return Vec::new();
        }
        let ways = owed.iter().map(|relay| (way_of(relay), Lane::of(relay)));
        ways.filter(|(way, _)| awaited.contains(way)).collect()
    }

    async fn park(&self, relays: Vec<PendingRelay>) {
        for relay in relays {
            let why = match &relay.last_error {
                Some(error) => error.clone(),
                None => "the handler has not answered any call".to_owned(),
            };
            let entry = ended(&relay, relay.attempts, RelayOutcome::Parked { why });
            if let Err(error) = self.outcomes().append(&entry).await {
                tracing::error!(%error, "it was not written down that a relay is parked");
                return;
            }
        }
    }

    fn learn(&self, breakers: &mut BTreeMap<Handler, Breaker>, handler: Handler, sign: &Sign) {
        let breaker = breakers.entry(handler.clone()).or_default();
        let was_open = breaker.is_open();
        match sign {
            Sign::Answered => breaker.answered(),
            Sign::Failed { rest } => breaker.failed(self.clock.now(), *rest),
            Sign::Nothing => {}
        }
        if breaker.is_open() != was_open {
            let Handler { endpoint, target } = handler;
            let is_down = breaker.is_open();
            self.metrics.set_handler_down(endpoint.as_str(), target.as_str(), is_down);
            tracing::warn!(endpoint.id = %endpoint, relay.target = %target, is_down, "the shop's handler changed its state");
        }
    }

    /// Starts every call that may go now; how long to wait for the next.
    async fn send_due(
        &self,
        client: &Client,
        breakers: &BTreeMap<Handler, Breaker>,
        under_way: &mut JoinSet<Sign>,
        lanes: &mut BTreeMap<task::Id, Lane>,
    ) -> Duration {
        let settings = Arc::clone(&self.settings.borrow());
        let owed = match self.readers.read(cvco_ledger::Reader::pending_relays).await {
            Ok(owed) => owed,
            Err(error) => {
                tracing::error!(%error, "owed relays could not be looked up");
                return AT_LEAST_EVERY;
            }
        };
        let now = self.clock.now();
        let handlers = settings.handlers.keys().cloned().collect();
        let busy: BTreeSet<Lane> = lanes.values().cloned().collect();
        self.tell(failing(&owed, &handlers, now), now).await;
        let awaited = self.awaited(&owed);
        let plan = plan(owed, &handlers, &busy, breakers, now);
        for (way, _) in awaited.iter().filter(|(_, lane)| plan.held.contains(lane)) {
            self.first.let_go(way);
        }
        self.park(plan.park).await;
        for relay in plan.send {
            let lane = Lane::of(&relay);
            let Some(handler) = settings.handlers.get(&lane.handler) else { continue };
            let is_probe = breakers.get(&lane.handler).is_some_and(Breaker::is_open);
            let attempt = Attempt {
                relay,
                settings: handler.clone(),
                is_probe,
                client: client.clone(),
                outcomes: self.outcomes(),
                payloads: self.payloads.clone(),
                followed: self.followed.clone(),
                first: self.first.clone(),
                clock: self.clock.clone(),
                metrics: Arc::clone(&self.metrics),
            };
            lanes.insert(under_way.spawn(attempt.make()).id(), lane);
        }
        let until_next = plan.next_at.map_or(AT_LEAST_EVERY, |at| at.since(now));
        until_next.clamp(AT_MOST_EVERY, AT_LEAST_EVERY)
    }
}

fn way_of(relay: &PendingRelay) -> Way {
    Way { notification: relay.notification, target: relay.target.clone() }
}

/// What came of a call.
enum Ended {
    /// The way is at an end.
    For(RelayOutcome),
    /// It is tried again, or parked.
    Failed(String),
}

impl Attempt {
    /// Calls the handler and writes down what came of it.
    async fn make(self) -> Sign {
        let sign = self.call_and_note().await;
        // Who began to wait while it was written down.
        self.first.let_go(&way_of(&self.relay));
        sign
    }

    async fn call_and_note(&self) -> Sign {
        let attempts = self.relay.attempts.saturating_add(1);
        let (ended, sign) = self.call(attempts).await;
        self.first.let_go(&way_of(&self.relay));
        let outcome = match ended {
            Ended::For(outcome) => outcome,
            Ended::Failed(why) => match self.again_at() {
                Some(again_at) => {
                    self.count(RelayCall::Failed);
                    self.note_failure(again_at.max(self.rests_until(&sign)), why).await;
                    return sign;
                }
                None => RelayOutcome::Parked { why },
            },
        };
        self.count(match outcome {
            RelayOutcome::Delivered { .. } => RelayCall::Delivered,
            RelayOutcome::Refused { .. } => RelayCall::Refused,
            RelayOutcome::Parked { .. } | RelayOutcome::Dropped { .. } => RelayCall::Parked,
        });
        self.outcomes.write_down(&self.relay, attempts, outcome).await;
        sign
    }

    fn count(&self, outcome: RelayCall) {
        let PendingRelay { endpoint, target, .. } = &self.relay;
        self.metrics.count_relay(endpoint.as_str(), target.as_str(), outcome);
    }

    async fn call(&self, attempt: u32) -> (Ended, Sign) {
        let parked = |why: &str| (Ended::For(RelayOutcome::Parked { why: why.to_owned() }), Sign::Nothing);
        let envelope = match self.payloads.of(self.relay.notification, &self.relay.payload_sha256).await {
            Ok(Some(envelope)) => envelope,
            Ok(None) => return parked("the call's bytes are no longer kept ([ledger] payload_retention)"),
            Err(error) => return (Ended::Failed(error.to_string()), Sign::Nothing),
        };
        let seq = self.relay.notification.get();
        let Some(delivery) = message::delivery(&self.settings, &envelope, seq, attempt, self.clock.now())
        else {
            return parked("the call's bytes cannot be sent in HTTP");
        };
        let reply = match self.client.deliver(&delivery).await {
            Ok(reply) => reply,
            Err(failure) => return (Ended::Failed(failure.to_string()), Sign::Failed { rest: None }),
        };
        let status = reply.status;
        match judge(self.relay.psp, &reply) {
            Verdict::Delivered => (Ended::For(RelayOutcome::Delivered { status }), Sign::Answered),
            Verdict::Refused(Bilingual { french, english }) => {
                let why_fr = Some(french);
                (Ended::For(RelayOutcome::Refused { status, why: english, why_fr }), Sign::Answered)
            }
            Verdict::Failed { why, rest } => (Ended::Failed(why), Sign::Failed { rest }),
        }
    }

    /// When to try again; `None` if a person must decide.
    fn again_at(&self) -> Option<Timestamp> {
        let (relay, now) = (&self.relay, self.clock.now());
        // A probe says nothing about this one call: it goes again as soon as the handler is back.
        let failures_before = if self.is_probe { 2 } else { relay.attempts };
        schedule::again_at(relay.owed_at, failures_before, relay.notification, now)
    }

    /// Until when the handler asked to be left alone; now, if it did not.
    fn rests_until(&self, sign: &Sign) -> Timestamp {
        let now = self.clock.now();
        match sign {
            Sign::Failed { rest: Some(rest) } => now.after(*rest),
            Sign::Failed { rest: None } | Sign::Answered | Sign::Nothing => now,
        }
    }

    async fn note_failure(&self, again_at: Timestamp, why: String) {
        let PendingRelay { notification, target, endpoint, .. } = &self.relay;
        tracing::warn!(
            endpoint.id = %endpoint, relay.target = %target, entry.seq = notification.get(), %why, %again_at,
            "the shop's handler did not take a call; it is tried again"
        );
        if let Err(error) = self.followed.note_relay(*notification, target, again_at, why).await {
            tracing::debug!(%error, "an attempt was not noted");
        }
    }
}
