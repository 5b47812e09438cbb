//! One request, from its path to the ledger: endpoint and token, size, proof, commit, answer.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cvco_domain::Timestamp;
use cvco_domain::crypto::{SecretToken, sha256};
use cvco_psp::{Method, Reading, Rejection, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::{HeaderMap, Response, header};
use tokio::sync::watch;

use super::accept::Handler;
use super::failures::Failures;
use super::hints::Hints;
use super::peer;
use super::reply::{Outcome, reply};
use crate::clock::Clock;
use crate::config::{Config, Endpoint};
use crate::ledger::{
    Arrival, Entry, Envelope, Ledger, Notification, Origin, Refusal, Rejected, SignatureFailures, Taken,
};
use crate::telemetry::{Metrics, NotificationLabels, RejectionReason};

/// The largest body that is taken.
const BODY_BYTES: usize = 64 * 1024;

/// Up to so many bytes of a larger one are read and dropped.
const DROPPED_BYTES: usize = 256 * 1024;

/// How long a whole request may take to arrive.
const BODY: Duration = Duration::from_secs(15);

/// Receives notifications.
pub struct Receiver {
    /// Endpoints and proxies, as last loaded.
    config: watch::Receiver<Arc<Config>>,
    /// Where notifications go.
    ledger: Ledger,
    /// The time.
    clock: Clock,
    /// What is counted.
    metrics: Arc<Metrics>,
    failures: Failures,
    pub(super) hints: Hints,
}

impl Receiver {
    /// A receiver for the public listener.
    #[must_use]
    pub fn new(
        config: watch::Receiver<Arc<Config>>,
        ledger: Ledger,
        clock: Clock,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { config, ledger, clock, metrics, failures: Failures::default(), hints: Hints::default() }
    }

    async fn receive(&self, request: hyper::Request<Incoming>, peer: SocketAddr) -> Outcome {
        let Some((method, endpoint_id, token)) = route(&request) else {
            self.metrics.count_rejection("", RejectionReason::Path);
            return Outcome::NotFound;
        };
        let config = Arc::clone(&self.config.borrow());
        let Some(endpoint) = open_door(&config, endpoint_id, token) else {
            self.metrics.count_rejection("", RejectionReason::Token);
            return Outcome::Forbidden;
        };
        let caller = peer::address(peer, request.headers(), &config.listener.trusted_proxies);
        if !endpoint.allow_from.is_empty()
            && !endpoint.allow_from.iter().any(|network| network.contains(&caller))
        {
            self.metrics.count_rejection(endpoint.id.as_str(), RejectionReason::Address);
            tracing::warn!(endpoint = %endpoint.id, "a call from an address outside allow_from was refused");
            return Outcome::Forbidden;
        }
        let user_agent = request
            .headers()
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .map(|value| value.chars().take(200).collect())
            .unwrap_or_default();
        let (head, body) = request.into_parts();
        let body = match read_body(body).await {
            Ok(body) => body,
            Err((reason, outcome)) => {
                self.metrics.count_rejection(endpoint.id.as_str(), reason);
                return outcome;
            }
        };
        let query = head.uri.query().unwrap_or_default().as_bytes();
        let headers = headers_for(endpoint, &head.headers);
        let request = Request { method, query, body: &body, headers: &headers };
        if let Some(wanted) = handshake(endpoint, &request) {
            tracing::info!(endpoint = %endpoint.id, "the PSP's test of the address was answered");
            return Outcome::Handshake(wanted);
        }
        match prove(endpoint, &request) {
            Ok(reading) => {
                let envelope = Envelope {
                    method: head.method.as_str().to_owned(),
                    query: query.to_vec(),
                    body: body.to_vec(),
                    peer: caller.to_string(),
                    user_agent,
                    headers: header_lines(&headers),
                };
                self.store(endpoint, &request, reading, envelope).await
            }
            Err(rejection) => self.refuse(endpoint, &request, &rejection).await,
        }
    }

    async fn store(
        &self,
        endpoint: &Endpoint,
        request: &Request<'_>,
        reading: Reading,
        envelope: Envelope,
    ) -> Outcome {
        let arrived = std::time::Instant::now();
        let unproven = !endpoint.psp.proves_its_messages();
        if unproven && !self.hints.allow(&endpoint.id, self.clock.now()) {
            self.metrics.count_rejection(endpoint.id.as_str(), RejectionReason::Flood);
            return Outcome::NotStored;
        }
        self.failures.genuine(&endpoint.id);
        let notification = Notification {
            shop: endpoint.shop.clone(),
            endpoint: endpoint.id.clone(),
            psp: endpoint.psp,
            mode: endpoint.mode,
            origin: Origin::Call,
            events: reading.events,
            questions: reading.questions,
            remark: reading.remark,
            payload_sha256: sha256(&[request.payload()]).to_string(),
        };
        let stored = self.ledger.store(self.clock.now(), Arrival { notification, envelope }).await;
        self.metrics.ledger_queue.set(i64::try_from(self.ledger.waiting()).unwrap_or(i64::MAX));
        match stored {
            Ok(Taken::Written { seq, verdict, .. }) => {
                if unproven {
                    self.hints.count(&endpoint.id, self.clock.now());
                }
                self.metrics.store_seconds.observe(arrived.elapsed().as_secs_f64());
                let verdict = verdict.map_or("genuine", crate::ledger::Verdict::as_str);
                self.metrics
                    .notifications
                    .get_or_create(&NotificationLabels { endpoint: endpoint.id.to_string(), verdict })
                    .inc();
                tracing::info!(endpoint = %endpoint.id, notification.seq = seq, verdict, "stored");
                Outcome::Stored
            }
            Ok(Taken::Unchanged) => Outcome::Stored,
            Err(error) => {
                self.metrics.count_rejection(endpoint.id.as_str(), RejectionReason::NotStored);
                tracing::error!(endpoint = %endpoint.id, %error, "a notification was not stored");
                Outcome::NotStored
            }
        }
    }

    async fn refuse(&self, endpoint: &Endpoint, request: &Request<'_>, rejection: &Rejection) -> Outcome {
        let now = self.clock.now();
        let (reason, outcome) = match rejection {
            Rejection::Signature | Rejection::UnknownKey => {
                (RejectionReason::Signature, Outcome::wrong_signature(endpoint.psp))
            }
            Rejection::Malformed { .. } | Rejection::Foreign { .. } => {
                (RejectionReason::Malformed, Outcome::Malformed)
            }
        };
        self.metrics.count_rejection(endpoint.id.as_str(), reason);
        if self.failures.sample(&endpoint.id, now) {
            tracing::warn!(endpoint = %endpoint.id, %rejection, "a call was refused");
            self.ledger.note_rejection(
                now,
                Rejected {
                    endpoint: endpoint.id.clone(),
                    psp: endpoint.psp,
                    reason: rejection.to_string(),
                    payload_sha256: sha256(&[request.payload()]).to_string(),
                },
            );
        }
        if let Some((refusal, failures)) = self.telling(endpoint, rejection, now) {
            let explanation = match refusal {
                Refusal::Signature => endpoint.adapter.diagnose(request).summary,
                Refusal::Account => rejection.to_string(),
            };
            let refused = SignatureFailures {
                shop: endpoint.shop.clone(),
                endpoint: endpoint.id.clone(),
                psp: endpoint.psp,
                refusal,
                failures,
                explanation,
            };
            if let Err(error) = self.ledger.take(now, Entry::SignatureFailures(refused)).await {
                tracing::error!(endpoint = %endpoint.id, %error, "refused calls were not noted");
            }
        }
        outcome
    }

    /// What a refused call tells of a wrong setting, and of how many calls, if a person is to be told now.
    fn telling(&self, endpoint: &Endpoint, rejection: &Rejection, now: Timestamp) -> Option<(Refusal, u32)> {
        match rejection {
            Rejection::Signature | Rejection::UnknownKey => {
                let failures = self.failures.wrong_signature(&endpoint.id, now)?;
                Some((Refusal::Signature, failures))
            }
            Rejection::Foreign { .. } => {
                self.failures.foreign(&endpoint.id, now).then_some((Refusal::Account, 1))
            }
            Rejection::Malformed { .. } => None,
        }
    }
}

impl Handler for Receiver {
    async fn handle(
        self: Arc<Self>,
        request: hyper::Request<Incoming>,
        peer: SocketAddr,
    ) -> Response<Full<Bytes>> {
        reply(&self.receive(request, peer).await)
    }
}

/// `/n/{endpoint}/{token}` by GET or POST; anything else is no page of ours.
fn route(request: &hyper::Request<Incoming>) -> Option<(Method, &str, &str)> {
    let method = match *request.method() {
        hyper::Method::GET => Method::Get,
        hyper::Method::POST => Method::Post,
        _ => return None,
    };
    let (endpoint, token) = request.uri().path().strip_prefix("/n/")?.split_once('/')?;
    (!endpoint.is_empty() && !token.is_empty() && !token.contains('/')).then_some((method, endpoint, token))
}

/// The headers that the endpoint's adapter reads, and no others.
fn headers_for(endpoint: &Endpoint, headers: &HeaderMap) -> Vec<(&'static str, Vec<u8>)> {
    let wanted = endpoint.adapter.headers().iter();
    wanted
        .flat_map(|name| headers.get_all(*name).iter().map(|value| (*name, value.as_bytes().to_vec())))
        .collect()
}

/// The headers as evidence, one a line.
fn header_lines(headers: &[(&'static str, Vec<u8>)]) -> Vec<u8> {
    headers.iter().flat_map(|(name, value)| [name.as_bytes(), b": ", value, b"\n"].concat()).collect()
}

/// The endpoint, if the token is its own. An unknown endpoint is compared too, so that it answers like a wrong
/// token, as late and with the same words.
fn open_door<'c>(config: &'c Config, id: &str, token: &str) -> Option<&'c Arc<Endpoint>> {
    let endpoint = config.endpoints.iter().find(|endpoint| endpoint.id.as_str() == id);
    let nobody = SecretToken::unknown();
    let matches = endpoint.map_or(&nobody, |endpoint| &endpoint.token).matches(token);
    endpoint.filter(|_| matches)
}

async fn read_body(body: Incoming) -> Result<Bytes, (RejectionReason, Outcome)> {
    match tokio::time::timeout(BODY, read_bounded(body)).await {
        Ok(Ok(Some(body))) => Ok(body),
        Ok(Ok(None)) => Err((RejectionReason::TooLarge, Outcome::TooLarge)),
        Ok(Err(_)) | Err(_) => Err((RejectionReason::Incomplete, Outcome::Incomplete)),
    }
}

/// Reads a body; `None` if it is too large. Somewhat more than the limit is read and dropped all the same: who
/// is still sending when the connection closes never sees the answer.
async fn read_bounded(mut body: Incoming) -> Result<Option<Bytes>, hyper::Error> {
    let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if declared > DROPPED_BYTES {
        return Ok(None);
    }
    let mut kept = BytesMut::with_capacity(declared.min(BODY_BYTES));
    let mut received: usize = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        received = received.saturating_add(data.len());
        if received > DROPPED_BYTES {
            return Ok(None);
        }
        if received <= BODY_BYTES {
            kept.extend_from_slice(&data);
        }
    }
    Ok((received <= BODY_BYTES).then(|| kept.freeze()))
}

/// What the PSP wants to hear if the call is its test of the address.
fn handshake(endpoint: &Endpoint, request: &Request<'_>) -> Option<String> {
    guarded(endpoint, || endpoint.adapter.handshake(request)).flatten()
}

/// Proves and reads a request.
fn prove(endpoint: &Endpoint, request: &Request<'_>) -> Result<Reading, Rejection> {
    guarded(endpoint, || endpoint.adapter.read(request)).unwrap_or_else(|| {
        Err(Rejection::Malformed { psp: endpoint.psp, what: "the adapter failed on it".to_owned() })
    })
}

/// What an adapter says. A panic in one would be a bug of ours: it costs that one call, which is refused and logged,
/// and nothing else.
fn guarded<T>(endpoint: &Endpoint, say: impl FnOnce() -> T) -> Option<T> {
    let said = catch_unwind(AssertUnwindSafe(say)).ok();
    if said.is_none() {
        tracing::error!(endpoint = %endpoint.id, "the adapter failed on a call; please report it");
    }
    said
}
