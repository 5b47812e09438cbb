//! What becomes of a call that knew the secret address and is refused all the same: it is counted by its reason, some are
//! sampled with where they came from, and a person is told of many, and of one that the PSP had signed.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use cvco_domain::crypto::sha256;
use cvco_domain::{Grounds, Refusal, Timestamp, Worded};
use cvco_ledger::Rejected;
use cvco_log::entry::Refusals;
use cvco_log::{Draft, LogEntry};
use cvco_psp::{Message, Rejection, Request};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::body::NoBody;
use super::failures::Alarm;
use super::receive::Receiver;
use super::reply::Outcome;
use super::understand::guarded;
use crate::config::Endpoint;

/// Who made a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sender {
    /// The address that it came from.
    pub(super) caller: IpAddr,
    /// Not just anybody: it knew the secret address, or came from where the PSP's calls come from.
    pub(super) is_known: bool,
}

/// A refused call.
pub(super) struct Refused<'r> {
    pub(super) grounds: Grounds,
    pub(super) outcome: Outcome,
    pub(super) sender: Sender,
    /// What of it was read; nothing if it was refused before.
    pub(super) request: Option<&'r Request<'r>>,
}

impl<'r> Refused<'r> {
    /// Refused before anything of it was proven.
    pub(super) const fn unread(grounds: Grounds, outcome: Outcome, sender: Sender) -> Self {
        Self { grounds, outcome, sender, request: None }
    }

    /// Refused by the endpoint's adapter.
    pub(super) fn by_adapter(
        endpoint: &Endpoint,
        request: &'r Request<'r>,
        rejection: &Rejection,
        sender: Sender,
    ) -> Self {
        let outcome = match rejection {
            Rejection::Signature | Rejection::UnknownKey => Outcome::wrong_signature(endpoint.psp),
            Rejection::Method { .. } => Outcome::WrongMethod,
            Rejection::Foreign { .. } | Rejection::Malformed { .. } => Outcome::Malformed,
        };
        Self { grounds: rejection.grounds(), outcome, sender, request: Some(request) }
    }

    /// Refused for where it came from. What it is, is looked at all the same: a PSP whose addresses have changed signs.
    pub(super) fn from_outside(endpoint: &Endpoint, request: &'r Request<'r>, sender: Sender) -> Self {
        let proven = guarded(endpoint, || endpoint.adapter.prove(request));
        let signed = proven.and_then(Result::ok).is_some_and(|message: Message| message.is_signed());
        Self {
            grounds: Grounds::Address { signed },
            outcome: Outcome::Forbidden,
            sender,
            request: Some(request),
        }
    }

    /// Refused because it has no body that could be read.
    pub(super) fn without_body(no_body: NoBody, sender: Sender) -> Self {
        match no_body {
            NoBody::TooLarge => Self::unread(Grounds::Size, Outcome::TooLarge, sender),
            NoBody::Incomplete => Self::unread(Grounds::Incomplete, Outcome::Incomplete, sender),
        }
    }
}

impl Refused<'_> {
    /// Whether many like it may be told. What strangers can send to a path that everybody knows says nothing; but a wrong
    /// signature may be that of a wrong key, whoever sent it.
    fn is_remarkable(&self) -> bool {
        let because = self.grounds.refusal();
        let may_be_ours = matches!(because, Refusal::Signature | Refusal::Account | Refusal::Loop);
        self.sender.is_known || self.grounds.is_signed() || may_be_ours
    }
}

/// How often it is looked whether a burst is over.
const COUNT_EVERY: Duration = Duration::from_secs(2);

impl Receiver {
    pub(super) async fn refuse(&self, endpoint: &Endpoint, refused: Refused<'_>) -> Outcome {
        let now = self.clock.now();
        self.metrics.count_rejection(endpoint.id.as_str(), refused.grounds.refusal().into());
        if self.failures.sample(&endpoint.id, now) {
            tracing::warn!(endpoint.id = %endpoint.id, caller = %refused.sender.caller, why = %refused.grounds, "call refused");
            let payload = refused.request.map_or(&b""[..], Request::payload);
            let rejected = Rejected {
                endpoint: endpoint.id.clone(),
                psp: endpoint.psp,
                grounds: refused.grounds.clone(),
                caller: refused.sender.caller.to_string(),
                payload_sha256: sha256(&[payload]).to_string(),
            };
            self.followed.note_rejection(rejected, now);
        }
        if refused.is_remarkable() {
            self.tell(endpoint, &refused, now).await;
        }
        refused.outcome
    }

    /// Tells a person, if it is time to.
    async fn tell(&self, endpoint: &Endpoint, refused: &Refused<'_>, now: Timestamp) {
        let (because, is_signed) = (refused.grounds.refusal(), refused.grounds.is_signed());
        let caller = refused.sender.caller;
        let alarm = self.failures.refused(&endpoint.id, because, is_signed, &caller, now);
        let Some(Alarm { refused: calls, taken }) = alarm else { return };
        let explanation = match (because, refused.request) {
            (Refusal::Signature, Some(request)) => {
                guarded(endpoint, || endpoint.adapter.diagnose(request).summary)
                    .unwrap_or_else(|| refused.grounds.words())
            }
            _ => refused.grounds.words(),
        };
        let refusals = Refusals {
            endpoint: endpoint.reference(),
            refusal: because,
            calls,
            taken,
            signed: is_signed,
            caller: Some(caller.to_string()),
            explanation: explanation.english,
            explanation_fr: Some(explanation.french),
        };
        self.failures.told(&refusals);
        self.note(refusals).await;
    }

    /// Counts what came after a person was told, until `stop`.
    pub async fn count_refusals(self: Arc<Self>, stop: CancellationToken) {
        let mut tick = tokio::time::interval(COUNT_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_end = tokio::select! {
                () = stop.cancelled() => true,
                _ = tick.tick() => false,
            };
            for refusals in self.failures.rest(self.clock.now(), is_end) {
                self.note(refusals).await;
            }
            if is_end {
                return;
            }
        }
    }

    async fn note(&self, refusals: Refusals) {
        let endpoint = refusals.endpoint.endpoint.clone();
        let appended = match Draft::new(&LogEntry::Refusals(refusals)) {
            Ok(draft) => self.log.append(draft).await.map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = appended {
            tracing::error!(endpoint.id = %endpoint, %error, "refused calls were not noted");
        }
    }
}
