//! The worker that asks what the ledger's questions want to know. Its only memory that matters is the ledger's: a
//! crash at any point costs at most one repetition of a question.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cvco_domain::crypto::SealKey;
use cvco_domain::{EndpointId, Event, Standing, Timestamp};
use cvco_ledger::{LedgerError, PendingQuestion};
use cvco_log::entry::Answer as AnswerEntry;
use cvco_log::{Draft, Envelope, Log, LogEntry, LogError};
use cvco_psp::api::{Answer, Inquiry, NoAnswer};
use tokio::sync::watch;
use tokio::task::{self, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::conversation::{Outcome, ask};
use super::sweep;
use crate::back_off;
use crate::clock::Clock;
use crate::config::{ConfirmSettings, Endpoint};
use crate::follower::{Followed, Readers};
use crate::outbound::Client;
use crate::telemetry::{Metrics, QuestionOutcome};

/// Questions are looked up this often at least: one that waits for time, or for an API that rests, wakes nobody.
const AT_LEAST_EVERY: Duration = Duration::from_millis(500);

/// What is said of a payment that the PSP notified and its API does not know.
const NOT_KNOWN: &str = "the PSP's API does not know the payment, or not yet; if it stays so for all of them, the API's \
                         settings are those of another account or platform";

/// So many failures in a row, and the rest of a round is not tried.
const ENOUGH: u32 = 3;

/// How many questions to an endpoint's API are looked up at a time.
const AT_A_TIME: u32 = 50;

/// What the worker goes by, as last loaded.
pub struct Asked {
    /// `[confirm]`
    pub settings: ConfirmSettings,
    /// How long a part may stay authorised.
    pub capture_grace: Duration,
    /// The endpoints, some of which have an API to ask.
    pub endpoints: Vec<Arc<Endpoint>>,
}

/// Asks the PSPs' APIs.
pub struct ConfirmWorker {
    /// Whom to ask and how, as last loaded.
    pub asked: watch::Receiver<Arc<Asked>>,
    /// Where answers go.
    pub log: Log,
    /// Seals the bytes of answers.
    pub key: Arc<SealKey>,
    /// Where the ledger stands, and where attempts are noted.
    pub followed: Followed,
    /// Where questions are read.
    pub readers: Readers,
    /// The time.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// Why an answer could not be stored.
#[derive(Debug, thiserror::Error)]
enum NotKept {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What the worker remembers of an endpoint's API while it runs.
#[derive(Debug, Clone, Copy)]
struct Pace {
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
        tokio::select! {
            () = stop.cancelled() => return,
            folded = self.followed.caught_up(&self.log) => if folded.is_err() { return },
        }
        let mut paces: BTreeMap<EndpointId, Pace> = BTreeMap::new();
        let mut asking: JoinSet<Pace> = JoinSet::new();
        let mut busy: BTreeMap<task::Id, EndpointId> = BTreeMap::new();
        let mut client = self.client();
        let mut tick = tokio::time::interval(AT_LEAST_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut swept_at: Option<Timestamp> = None;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                changed = self.asked.changed() => match changed {
                    Ok(()) => client = self.client(),
                    Err(_) => return,
                },
                Some(ended) = asking.join_next_with_id(), if !asking.is_empty() => {
                    let (id, pace) = match ended {
                        Ok((id, pace)) => (id, pace),
                        Err(error) => {
                            // A bug of ours in an adapter: its endpoint's questions wait, and are tried again.
                            tracing::error!(%error, "asking failed; please report it");
                            (error.id(), Pace::after_bug(self.clock.now()))
                        }
                    };
                    paces.extend(busy.remove(&id).map(|endpoint| (endpoint, pace)));
                    continue;
                }
                _ = tick.tick() => {}
            }
            let asked = Arc::clone(&self.asked.borrow());
            let now = self.clock.now();
            if swept_at.is_none_or(|at| now.since(at) >= asked.settings.sweep_every) {
                swept_at = Some(now);
                self.sweep(&asked, now).await;
            }
            let idle = |endpoint: &&Arc<Endpoint>| {
                let rests = paces.get(&endpoint.id).is_some_and(|pace| pace.rests(now));
                let is_busy = busy.values().any(|asked| *asked == endpoint.id);
                endpoint.adapter.api().is_some() && !is_busy && !rests
            };
            let idle: Vec<_> = asked.endpoints.iter().filter(idle).cloned().collect();
            for (endpoint, due) in self.due(idle, now).await {
                let id = endpoint.id.clone();
                let pace = paces.get(&endpoint.id).copied().unwrap_or_else(Pace::fresh);
                let round = Round {
                    endpoint,
                    settings: asked.settings.clone(),
                    client: client.clone(),
                    log: self.log.clone(),
                    key: Arc::clone(&self.key),
                    followed: self.followed.clone(),
                    clock: self.clock.clone(),
                    metrics: Arc::clone(&self.metrics),
                };
                let task = asking.spawn(round.run(due, pace, stop.clone()));
                busy.insert(task.id(), id);
            }
        }
    }

    fn client(&self) -> Client {
        let settings = self.asked.borrow().settings.clone();
        Client::new(settings.proxy, settings.timeout)
    }

    /// Raises what nothing was heard of, and withdraws what can no longer be asked.
    async fn sweep(&self, asked: &Arc<Asked>, now: Timestamp) {
        let going_by = Arc::clone(asked);
        let found = self.readers.read(move |reader| {
            Ok((sweep::withdrawals(reader, &going_by.endpoints)?, sweep::regular(reader, &going_by, now)?))
        });
        let (withdrawals, inquiries) = match found.await {
            Ok(found) => found,
            Err(error) => return tracing::error!(%error, "what was never heard of could not be looked up"),
        };
        for withdrawal in &withdrawals {
            tracing::warn!(
                endpoint.id = %withdrawal.endpoint.endpoint, question = %withdrawal.question,
                "a question is withdrawn: its endpoint has no API settings"
            );
        }
        let entries =
            withdrawals.into_iter().map(LogEntry::Answer).chain(inquiries.into_iter().map(LogEntry::Inquiry));
        let drafts = entries.map(|entry| Draft::new(&entry)).collect::<Result<Vec<_>, _>>();
        let appended = match drafts {
            Ok(drafts) => self.log.append_all(drafts).await.map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = appended {
            tracing::error!(%error, "questions could not be raised");
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
        let due = self.readers.read(move |reader| {
            let mut due = Vec::new();
            for endpoint in endpoints {
                let questions = reader.questions_due((&endpoint.id, endpoint.psp), now, AT_A_TIME)?;
                if !questions.is_empty() {
                    due.push((endpoint, questions));
                }
            }
            Ok(due)
        });
        due.await.unwrap_or_else(|error| {
            tracing::error!(%error, "questions could not be looked up");
            Vec::new()
        })
    }
}

impl Pace {
    fn fresh() -> Self {
        Self { failures: 0, not_before: Timestamp::from_millis(0), next_call: Instant::now() }
    }

    fn after_bug(now: Timestamp) -> Self {
        Self { not_before: now.after(back_off::API.longest()), ..Self::fresh() }
    }

    /// Whether the API is to be left alone. A pause longer than any was set before the clock was put back.
    fn rests(&self, now: Timestamp) -> bool {
        now < self.not_before && self.not_before.since(now) <= back_off::API.longest()
    }
}

/// One round of questions to one endpoint's API, one after the other.
struct Round {
    endpoint: Arc<Endpoint>,
    settings: ConfirmSettings,
    client: Client,
    log: Log,
    key: Arc<SealKey>,
    followed: Followed,
    clock: Clock,
    metrics: Arc<Metrics>,
}

impl Round {
    /// Asks until all are asked, or the API fails again and again: then it is left alone for a while.
    async fn run(self, due: Vec<PendingQuestion>, mut pace: Pace, stop: CancellationToken) -> Pace {
        let distance = Duration::from_secs(1) / self.settings.calls_per_second;
        let next_call = std::sync::Mutex::new(pace.next_call);
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
                tracing::error!(endpoint.id = %self.endpoint.id, %error, "an answer was not stored; it is sought again");
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
        pace.failures = if in_a_row >= ENOUGH { pace.failures.saturating_add(1) } else { 0 };
        pace.not_before = self.clock.now().after(rest(pace.failures));
        pace.next_call = next_call.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        pace
    }

    async fn note(&self, pending: &PendingQuestion, outcome: Outcome) -> Result<(), NotKept> {
        let now = self.clock.now();
        match outcome.answer {
            Ok(answer)
                if answer.standing == Standing::Unknown
                    && !pending.known.is_empty()
                    && now.since(pending.asked_at) < self.endpoint.psp.terms().may_not_know_for =>
            {
                self.count(QuestionOutcome::Undecided);
                let next = now.after(back_off::QUESTION.after(pending.attempts));
                self.ask_again(pending, next, Some(NOT_KNOWN.to_owned())).await
            }
            Ok(answer) => {
                let undecided = answer.standing == Standing::Unsettled;
                self.count(if undecided { QuestionOutcome::Undecided } else { QuestionOutcome::Answered });
                if undecided {
                    let next = now.after(back_off::UNDECIDED.after(pending.attempts));
                    self.ask_again(pending, next, None).await?;
                }
                let standing =
                    if undecided { self.standing_or_given_up(pending, now) } else { answer.standing };
                let answer = bound(Answer { standing, ..answer }, &pending.known);
                tracing::info!(
                    endpoint.id = %self.endpoint.id, question = %pending.question, standing = standing.as_str(),
                    events = answer.events.len(), "API answered"
                );
                self.confirm(pending, answer, Some(outcome.evidence)).await
            }
            Err(why) => {
                self.count(QuestionOutcome::Failed);
                tell(&self.endpoint.id, pending, &why);
                match self.standing_or_given_up(pending, now) {
                    Standing::GivenUp => {
                        let remark = Some(why.to_string());
                        let answer = Answer {
                            standing: Standing::GivenUp,
                            events: Vec::new(),
                            questions: Vec::new(),
                            remark,
                        };
                        self.confirm(pending, answer, None).await
                    }
                    Standing::Settled | Standing::Unsettled | Standing::Unknown | Standing::Withdrawn => {
                        let next = now.after(back_off::QUESTION.after(pending.attempts));
                        self.ask_again(pending, next, Some(why.to_string())).await
                    }
                }
            }
        }
    }

    async fn put_off(&self, pending: &PendingQuestion, error: &NotKept) {
        let next = self.clock.now().after(back_off::QUESTION.after(pending.attempts));
        // Where even that cannot be stored, the API is left alone like one that fails.
        let noted = self.ask_again(pending, next, Some(format!("the answer was not stored: {error}")));
        drop(noted.await);
    }

    fn standing_or_given_up(&self, pending: &PendingQuestion, now: Timestamp) -> Standing {
        let over = now.since(pending.asked_at) >= self.settings.give_up_after;
        if over { Standing::GivenUp } else { Standing::Unsettled }
    }

    async fn ask_again(
        &self,
        pending: &PendingQuestion,
        next: Timestamp,
        error: Option<String>,
    ) -> Result<(), NotKept> {
        Ok(self.followed.note_question(&self.endpoint.id, &pending.question, next, error).await?)
    }

    async fn confirm(
        &self,
        pending: &PendingQuestion,
        answer: Answer,
        evidence: Option<Vec<u8>>,
    ) -> Result<(), NotKept> {
        let entry = LogEntry::Answer(AnswerEntry {
            endpoint: self.endpoint.reference(),
            question: pending.question.clone(),
            asked_at: pending.asked_at,
            standing: answer.standing,
            events: answer.events,
            questions: answer.questions,
            remark: answer.remark,
        });
        let draft = match evidence {
            Some(evidence) if !evidence.is_empty() => {
                let envelope = Envelope {
                    method: "ANSWER".to_owned(),
                    query: Vec::new(),
                    body: evidence.clone(),
                    peer: String::new(),
                    user_agent: String::new(),
                    headers: Vec::new(),
                };
                Draft::with_payload(&entry, envelope.seal(&self.key, &evidence)?)?
            }
            Some(_) | None => Draft::new(&entry)?,
        };
        let stamp = self.log.append(draft).await?;
        // The next look at the questions must see that this one is answered.
        Ok(self.followed.folded(stamp.seq).await?)
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

/// How long an API is left alone after this many rounds failed one after the other.
fn rest(failures: u32) -> Duration {
    failures.checked_sub(1).map_or(Duration::ZERO, |before| back_off::API.after(before))
}

fn tell(endpoint: &EndpointId, pending: &PendingQuestion, why: &NoAnswer) {
    match why {
        NoAnswer::Trouble(why) => {
            tracing::warn!(endpoint.id = %endpoint, question = %pending.question, %why, "no answer; it is asked again");
        }
        NoAnswer::Setting(why) => {
            tracing::error!(endpoint.id = %endpoint, question = %pending.question, %why, "the API refuses: correct the configuration");
        }
    }
}
