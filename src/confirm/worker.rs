//! The worker that asks what the ledger's questions want to know. Its only memory that matters is the ledger's: a
//! crash at any point costs at most one repetition of a question.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cvco_domain::crypto::sha256;
use cvco_domain::{EndpointId, Event, Standing, Timestamp};
use cvco_psp::api::{Answer, Inquiry, NoAnswer};
use tokio::sync::watch;
use tokio::task::{self, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::conversation::{Outcome, ask};
use super::{back_off, sweep};
use crate::clock::Clock;
use crate::config::{Config, ConfirmSettings, Endpoint};
use crate::ledger::{Confirmation, Entry, Envelope, Ledger, LedgerError, PendingQuestion, Reader};
use crate::outbound::Client;
use crate::telemetry::{Metrics, QuestionOutcome};

/// How often to look for questions.
const EVERY: Duration = Duration::from_millis(500);

/// What is said of a payment that the PSP notified and its API does not know.
const NOT_KNOWN: &str = "the PSP's API does not know the payment, or not yet; if it stays so for all of them, the API's \
                         settings are those of another account or platform";

/// So many failures in a row, and the rest of a round is not tried.
const ENOUGH: u32 = 3;

/// How many questions to an endpoint's API are looked up at a time.
const AT_A_TIME: u32 = 50;

/// Asks the PSPs' APIs.
pub struct ConfirmWorker {
    /// The settings, as last loaded.
    pub config: watch::Receiver<Arc<Config>>,
    /// Where answers go.
    pub ledger: Ledger,
    /// Where questions are read.
    pub ledger_path: PathBuf,
    /// The time.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// What the worker remembers of an endpoint's API while it runs.
#[derive(Debug, Clone, Copy)]
struct Manner {
    /// How many rounds ended in failure one after the other.
    failures: u32,
    /// Not to be asked before.
    not_before: Timestamp,
    /// When its next call may be made.
    next_call: Instant,
}

impl ConfirmWorker {
    /// Works until `stop`. A question that is being asked then is asked again at the next start.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut manners: BTreeMap<EndpointId, Manner> = BTreeMap::new();
        let mut asking: JoinSet<Manner> = JoinSet::new();
        let mut busy: BTreeMap<task::Id, EndpointId> = BTreeMap::new();
        let mut client = self.client();
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut swept_at: Option<Timestamp> = None;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                changed = self.config.changed() => match changed {
                    Ok(()) => client = self.client(),
                    Err(_) => return,
                },
                Some(ended) = asking.join_next_with_id(), if !asking.is_empty() => {
                    let (id, manner) = match ended {
                        Ok((id, manner)) => (id, manner),
                        Err(error) => {
                            // A bug of ours in an adapter: its endpoint's questions wait, and are tried again.
                            tracing::error!(%error, "asking failed; please report it");
                            (error.id(), Manner::after_bug(self.clock.now()))
                        }
                    };
                    manners.extend(busy.remove(&id).map(|endpoint| (endpoint, manner)));
                    continue;
                }
                _ = tick.tick() => {}
            }
            let config = Arc::clone(&self.config.borrow());
            let now = self.clock.now();
            if swept_at.is_none_or(|at| now.since(at) >= config.confirm.sweep_every) {
                swept_at = Some(now);
                self.sweep(&config, now).await;
            }
            let idle = |endpoint: &&Arc<Endpoint>| {
                let rests = manners.get(&endpoint.id).is_some_and(|manner| manner.rests(now));
                let is_busy = busy.values().any(|asked| *asked == endpoint.id);
                endpoint.adapter.api().is_some() && !is_busy && !rests
            };
            let idle: Vec<_> = config.endpoints.iter().filter(idle).cloned().collect();
            for (endpoint, due) in self.due(idle, now).await {
                let id = endpoint.id.clone();
                let manner = manners.get(&endpoint.id).copied().unwrap_or_else(Manner::fresh);
                let round = Round {
                    endpoint,
                    settings: config.confirm.clone(),
                    client: client.clone(),
                    ledger: self.ledger.clone(),
                    clock: self.clock.clone(),
                    metrics: Arc::clone(&self.metrics),
                };
                let task = asking.spawn(round.run(due, manner, stop.clone()));
                busy.insert(task.id(), id);
            }
        }
    }

    fn client(&self) -> Client {
        let settings = self.config.borrow().confirm.clone();
        Client::new(settings.proxy, settings.timeout)
    }

    /// Raises what nothing was heard of, and withdraws what can no longer be asked.
    async fn sweep(&self, config: &Arc<Config>, now: Timestamp) {
        let (path, config) = (self.ledger_path.clone(), Arc::clone(config));
        let found = task::spawn_blocking(move || {
            let reader = Reader::open(&path)?;
            Ok::<_, LedgerError>((
                sweep::withdrawals(&reader, &config)?,
                sweep::regular(&reader, &config, now)?,
            ))
        });
        let (withdrawals, inquiries) = match found.await.unwrap_or(Err(LedgerError::Stopped)) {
            Ok(found) => found,
            Err(error) => return tracing::error!(%error, "what was never heard of could not be looked up"),
        };
        for withdrawal in withdrawals {
            let Confirmation { endpoint, psp, question, .. } = &withdrawal;
            tracing::warn!(%endpoint, %psp, %question, "nobody can be asked any more: the endpoint has no API settings");
            if let Err(error) = self.ledger.confirm(now, withdrawal, None).await {
                tracing::error!(%error, "a question could not be withdrawn");
            }
        }
        for inquiry in inquiries {
            if let Err(error) = self.ledger.take(now, Entry::Inquiry(inquiry)).await {
                tracing::error!(%error, "questions could not be raised");
            }
        }
    }

    /// The endpoints of these to whose APIs questions are due, with the questions.
    async fn due(
        &self,
        endpoints: Vec<Arc<Endpoint>>,
        now: Timestamp,
    ) -> Vec<(Arc<Endpoint>, Vec<PendingQuestion>)> {
        if endpoints.is_empty() {
            return Vec::new();
        }
        let path = self.ledger_path.clone();
        let due = task::spawn_blocking(move || {
            let reader = Reader::open(&path)?;
            let mut due = Vec::new();
            for endpoint in endpoints {
                let questions = reader.questions_due((&endpoint.id, endpoint.psp), now, AT_A_TIME)?;
                if !questions.is_empty() {
                    due.push((endpoint, questions));
                }
            }
            Ok(due)
        });
        due.await.unwrap_or(Err(LedgerError::Stopped)).unwrap_or_else(|error| {
            tracing::error!(%error, "questions could not be looked up");
            Vec::new()
        })
    }
}

impl Manner {
    fn fresh() -> Self {
        Self { failures: 0, not_before: Timestamp::from_millis(0), next_call: Instant::now() }
    }

    fn after_bug(now: Timestamp) -> Self {
        Self { not_before: now.after(back_off::LONGEST_PAUSE), ..Self::fresh() }
    }

    /// Whether the API is to be left alone. A pause longer than any was set before the clock was put back.
    fn rests(&self, now: Timestamp) -> bool {
        now < self.not_before && self.not_before.since(now) <= back_off::LONGEST_PAUSE
    }
}

/// One round of questions to one endpoint's API, one after the other.
struct Round {
    endpoint: Arc<Endpoint>,
    settings: ConfirmSettings,
    client: Client,
    ledger: Ledger,
    clock: Clock,
    metrics: Arc<Metrics>,
}

impl Round {
    /// Asks until all are asked, or the API fails again and again: then it is left alone for a while.
    async fn run(self, due: Vec<PendingQuestion>, mut manner: Manner, stop: CancellationToken) -> Manner {
        let distance = Duration::from_secs(1) / self.settings.calls_per_second;
        let next_call = std::sync::Mutex::new(manner.next_call);
        let mut in_a_row = 0_u32;
        for pending in due {
            let turn = || {
                let mut next = next_call.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let at = (*next).max(Instant::now());
                *next = at + distance;
                tokio::time::sleep_until(at)
            };
            let Some(api) = self.endpoint.adapter.api() else { break };
            let inquiry = Inquiry { question: &pending.question, known: &pending.known };
            let outcome = tokio::select! {
                () = stop.cancelled() => break,
                outcome = ask(api, &inquiry, (&self.client, &self.clock), turn) => outcome,
            };
            let mut failed = outcome.answer.is_err();
            if let Err(error) = self.note(&pending, outcome).await {
                tracing::error!(endpoint = %self.endpoint.id, %error, "an answer was not stored; it is sought again");
                // Later, and not at once: what cannot be stored now could not be stored then either.
                failed = true;
                self.put_off(&pending, &error).await;
            }
            in_a_row = if failed { in_a_row.saturating_add(1) } else { 0 };
            if in_a_row >= ENOUGH {
                break;
            }
        }
        // One or two questions that fail may be at fault themselves, and have a back-off of their own; of several the API
        // is the cause, and is left alone for a while.
        manner.failures = if in_a_row >= ENOUGH { manner.failures.saturating_add(1) } else { 0 };
        manner.not_before = self.clock.now().after(back_off::pause(manner.failures));
        manner.next_call = next_call.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        manner
    }

    async fn note(&self, pending: &PendingQuestion, outcome: Outcome) -> Result<(), LedgerError> {
        let now = self.clock.now();
        match outcome.answer {
            Ok(answer)
                if answer.standing == Standing::Unknown
                    && !pending.known.is_empty()
                    && now.since(pending.asked_at) < self.endpoint.psp.may_not_know_for() =>
            {
                self.count(QuestionOutcome::Undecided);
                let next = now.after(back_off::after_failure(pending.attempts));
                self.ask_again(pending, next, Some(NOT_KNOWN.to_owned())).await
            }
            Ok(answer) => {
                let undecided = answer.standing == Standing::Unsettled;
                self.count(if undecided { QuestionOutcome::Undecided } else { QuestionOutcome::Answered });
                if undecided {
                    let next = now.after(back_off::while_undecided(pending.attempts));
                    self.ask_again(pending, next, None).await?;
                }
                let standing = if undecided { self.or_given_up(pending, now) } else { answer.standing };
                let answer = bound(Answer { standing, ..answer }, &pending.known);
                tracing::info!(
                    endpoint = %self.endpoint.id, question = %pending.question, standing = standing.as_str(),
                    events = answer.events.len(), "answered"
                );
                self.confirm(pending, answer, Some(outcome.evidence), now).await
            }
            Err(why) => {
                self.count(QuestionOutcome::Failed);
                tell(&self.endpoint.id, pending, &why);
                match self.or_given_up(pending, now) {
                    Standing::GivenUp => {
                        let remark = Some(why.to_string());
                        let answer = Answer {
                            standing: Standing::GivenUp,
                            events: Vec::new(),
                            questions: Vec::new(),
                            remark,
                        };
                        self.confirm(pending, answer, None, now).await
                    }
                    Standing::Settled | Standing::Unsettled | Standing::Unknown | Standing::Withdrawn => {
                        let next = now.after(back_off::after_failure(pending.attempts));
                        self.ask_again(pending, next, Some(why.to_string())).await
                    }
                }
            }
        }
    }

    async fn put_off(&self, pending: &PendingQuestion, error: &LedgerError) {
        let next = self.clock.now().after(back_off::after_failure(pending.attempts));
        // Where even that cannot be stored, the API is left alone like one that fails.
        let noted = self.ask_again(pending, next, Some(format!("the answer was not stored: {error}")));
        drop(noted.await);
    }

    fn or_given_up(&self, pending: &PendingQuestion, now: Timestamp) -> Standing {
        let over = now.since(pending.asked_at) >= self.settings.give_up_after;
        if over { Standing::GivenUp } else { Standing::Unsettled }
    }

    async fn ask_again(
        &self,
        pending: &PendingQuestion,
        next: Timestamp,
        error: Option<String>,
    ) -> Result<(), LedgerError> {
        self.ledger.ask_again(self.endpoint.id.clone(), pending.question.clone(), next, error).await
    }

    async fn confirm(
        &self,
        pending: &PendingQuestion,
        answer: Answer,
        evidence: Option<Vec<u8>>,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let evidence = evidence.unwrap_or_default();
        let confirmation = Confirmation {
            shop: self.endpoint.shop.clone(),
            endpoint: self.endpoint.id.clone(),
            psp: self.endpoint.psp,
            mode: self.endpoint.mode,
            question: pending.question.clone(),
            asked_at: pending.asked_at,
            standing: answer.standing,
            events: answer.events,
            questions: answer.questions,
            remark: answer.remark,
            payload_sha256: sha256(&[&evidence]).to_string(),
        };
        let envelope = (!evidence.is_empty()).then(|| Envelope {
            method: "ANSWER".to_owned(),
            query: Vec::new(),
            body: evidence,
            peer: String::new(),
            user_agent: String::new(),
            headers: Vec::new(),
        });
        self.ledger.confirm(now, confirmation, envelope).await.map(drop)
    }

    fn count(&self, outcome: QuestionOutcome) {
        self.metrics.count_question(self.endpoint.id.as_str(), outcome);
    }
}

/// Keeps a payment with the order that it was notified for, whatever reference an answer about it states: one payment
/// in two orders would be counted twice.
fn bound(mut answer: Answer, known: &[Event]) -> Answer {
    for event in &mut answer.events {
        let notified = known.iter().find(|notified| notified.call_number == event.call_number);
        let Some(notified) = notified.filter(|notified| notified.order_ref != event.order_ref) else {
            continue;
        };
        event.order_ref.clone_from(&notified.order_ref);
        answer.remark =
            Some("the answer states another order reference than the notification; it is ignored".to_owned());
    }
    answer
}

fn tell(endpoint: &EndpointId, pending: &PendingQuestion, why: &NoAnswer) {
    match why {
        NoAnswer::Trouble(why) => {
            tracing::warn!(%endpoint, question = %pending.question, %why, "no answer; it is asked again");
        }
        NoAnswer::Setting(why) => {
            tracing::error!(%endpoint, question = %pending.question, %why, "the API refuses: correct the configuration");
        }
    }
}
