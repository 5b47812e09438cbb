//! What becomes of a call that knew the secret address and is refused all the same: it is counted by its reason, some are
//! sampled with where they came from, and a person is told of many, and of one that the PSP had signed.

use std::net::IpAddr;

use cvco_domain::crypto::sha256;
use cvco_domain::{Refusal, Timestamp};
use cvco_ledger::Rejected;
use cvco_log::entry::Refusals;
use cvco_log::{Draft, LogEntry};
use cvco_psp::{Message, Rejection, Request};

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
    pub(super) because: Refusal,
    pub(super) outcome: Outcome,
    /// Why, in English, without any value from outside.
    pub(super) why: String,
    /// The PSP had signed it.
    pub(super) is_signed: bool,
    pub(super) sender: Sender,
    /// What of it was read; nothing if it was refused before.
    pub(super) request: Option<&'r Request<'r>>,
}

impl<'r> Refused<'r> {
    /// Refused before anything of it was proven.
    pub(super) fn unread(because: Refusal, outcome: Outcome, why: &str, sender: Sender) -> Self {
        Self { because, outcome, why: why.to_owned(), is_signed: false, sender, request: None }
    }

    /// Refused by the endpoint's adapter.
    pub(super) fn by_adapter(
        endpoint: &Endpoint,
        request: &'r Request<'r>,
        rejection: &Rejection,
        sender: Sender,
    ) -> Self {
        let (because, outcome) = match rejection {
            Rejection::Signature | Rejection::UnknownKey => {
                (Refusal::Signature, Outcome::wrong_signature(endpoint.psp))
            }
            Rejection::Foreign { .. } => (Refusal::Account, Outcome::Malformed),
            Rejection::Method { .. } => (Refusal::Method, Outcome::WrongMethod),
            Rejection::Malformed { .. } => (Refusal::Form, Outcome::Malformed),
        };
        let is_signed = matches!(rejection, Rejection::Foreign { .. });
        Self { because, outcome, why: rejection.to_string(), is_signed, sender, request: Some(request) }
    }

    /// Refused for where it came from. What it is, is looked at all the same: a PSP whose addresses have changed signs.
    pub(super) fn from_outside(endpoint: &Endpoint, request: &'r Request<'r>, sender: Sender) -> Self {
        let proven = guarded(endpoint, || endpoint.adapter.prove(request));
        let is_signed = proven.and_then(Result::ok).is_some_and(|message: Message| message.is_signed());
        Self {
            because: Refusal::Address,
            outcome: Outcome::Forbidden,
            why: if is_signed { "genuine, but its address is outside allow_from" } else { OUTSIDE }
                .to_owned(),
            is_signed,
            sender,
            request: Some(request),
        }
    }

    /// Refused because it has no body that could be read.
    pub(super) fn without_body(no_body: NoBody, sender: Sender) -> Self {
        match no_body {
            NoBody::TooLarge => Self::unread(
                Refusal::Size,
                Outcome::TooLarge,
                "the body is larger than what is taken (512 KiB)",
                sender,
            ),
            NoBody::Incomplete => Self::unread(
                Refusal::Incomplete,
                Outcome::Incomplete,
                "the body was cut, or did not come in time",
                sender,
            ),
        }
    }
}

impl Refused<'_> {
    /// Whether many like it may be told. What strangers can send to a path that everybody knows says nothing; but a wrong
    /// signature may be that of a wrong key, whoever sent it.
    fn is_remarkable(&self) -> bool {
        let may_be_ours = matches!(self.because, Refusal::Signature | Refusal::Account | Refusal::Loop);
        self.sender.is_known || self.is_signed || may_be_ours
    }
}

const OUTSIDE: &str = "its address is outside allow_from";

impl Receiver {
    pub(super) async fn refuse(&self, endpoint: &Endpoint, refused: Refused<'_>) -> Outcome {
        let now = self.clock.now();
        self.metrics.count_rejection(endpoint.id.as_str(), refused.because.into());
        if self.failures.sample(&endpoint.id, now) {
            tracing::warn!(endpoint.id = %endpoint.id, caller = %refused.sender.caller, why = %refused.why, "call refused");
            let payload = refused.request.map_or(&b""[..], Request::payload);
            let rejected = Rejected {
                endpoint: endpoint.id.clone(),
                psp: endpoint.psp,
                reason: refused.why.clone(),
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
        let alarm = self.failures.refused(&endpoint.id, refused.because, refused.is_signed, now);
        let Some(Alarm { refused: calls, taken }) = alarm else { return };
        let explanation = match (refused.because, refused.request) {
            (Refusal::Signature, Some(request)) => {
                guarded(endpoint, || endpoint.adapter.diagnose(request).summary)
                    .unwrap_or_else(|| refused.why.clone())
            }
            _ => refused.why.clone(),
        };
        let refusals = Refusals {
            endpoint: endpoint.reference(),
            refusal: refused.because,
            calls,
            taken,
            signed: refused.is_signed,
            caller: Some(refused.sender.caller.to_string()),
            explanation,
        };
        let appended = match Draft::new(&LogEntry::Refusals(refusals)) {
            Ok(draft) => self.log.append(draft).await.map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = appended {
            tracing::error!(endpoint.id = %endpoint.id, %error, "refused calls were not noted");
        }
    }
}
