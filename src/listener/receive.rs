//! One request, from its path to the log: endpoint and token, size, proof, reading, commit, answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cvco_domain::Timestamp;
use cvco_domain::crypto::{SealKey, SecretToken, sha256};
use cvco_ledger::Rejected;
use cvco_log::entry::{Origin, Refusal, Refusals};
use cvco_log::{Draft, Envelope, Log, LogEntry};
use cvco_psp::{Method, Rejection, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::{HeaderMap, Response, header};
use ipnet::IpNet;
use tokio::sync::watch;

use super::accept::Handler;
use super::failures::Failures;
use super::hints::Hints;
use super::peer;
use super::repetitions::{Fingerprint, Repetitions};
use super::reply::{Outcome, reply};
use super::understand::{guarded, understand};
use crate::clock::Clock;
use crate::config::Endpoint;
use crate::follower::Followed;
use crate::telemetry::{Metrics, NotificationLabels, RejectionReason};

/// The largest body that is taken.
const BODY_BYTES: usize = 64 * 1024;

/// Up to so many bytes of a larger one are read and dropped.
const DROPPED_BYTES: usize = 256 * 1024;

/// How long a whole request may take to arrive.
const BODY: Duration = Duration::from_secs(15);

/// What the listener goes by, as last loaded.
pub struct Intake {
    /// The endpoints of all shops.
    pub endpoints: Vec<Arc<Endpoint>>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// Receives notifications.
pub struct Receiver {
    intake: watch::Receiver<Arc<Intake>>,
    /// Where notifications go.
    log: Log,
    /// Seals their payloads.
    key: Arc<SealKey>,
    /// Where samples of refused calls go.
    followed: Followed,
    clock: Clock,
    metrics: Arc<Metrics>,
    failures: Failures,
    repetitions: Repetitions,
    pub(super) hints: Hints,
}

/// A genuine message, or a hint, ready to be stored.
struct Arrival<'a> {
    endpoint: &'a Endpoint,
    entry: LogEntry,
    envelope: Envelope,
    /// The part of the request that carries the message.
    carrier: &'a [u8],
    /// How it is counted.
    verdict: &'static str,
}

impl Receiver {
    /// A receiver for the public listener.
    #[must_use]
    pub fn new(
        intake: watch::Receiver<Arc<Intake>>,
        log: Log,
        key: Arc<SealKey>,
        followed: Followed,
        clock: Clock,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            intake,
            log,
            key,
            followed,
            clock,
            metrics,
            failures: Failures::default(),
            repetitions: Repetitions::default(),
            hints: Hints::default(),
        }
    }

    async fn receive(&self, request: hyper::Request<Incoming>, peer: SocketAddr) -> Outcome {
        let Some((method, endpoint_id, token)) = route(&request) else {
            self.metrics.count_rejection("", RejectionReason::Path);
            return Outcome::NotFound;
        };
        let intake = Arc::clone(&self.intake.borrow());
        let Some(endpoint) = authenticate(&intake, endpoint_id, token) else {
            self.metrics.count_rejection("", RejectionReason::Token);
            return Outcome::Forbidden;
        };
        let caller = peer::address(peer, request.headers(), &intake.trusted_proxies);
        if !endpoint.allow_from.is_empty()
            && !endpoint.allow_from.iter().any(|network| network.contains(&caller))
        {
            self.metrics.count_rejection(endpoint.id.as_str(), RejectionReason::Address);
            tracing::warn!(endpoint.id = %endpoint.id, "call refused: its address is outside allow_from");
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
            tracing::info!(endpoint.id = %endpoint.id, "the PSP's test of the address was answered");
            return Outcome::Handshake(wanted);
        }
        let entry = match understand(endpoint, &request, Origin::Call) {
            Ok(entry) => entry,
            Err(rejection) => return self.refuse(endpoint, &request, &rejection).await,
        };
        let envelope = Envelope {
            method: head.method.as_str().to_owned(),
            query: query.to_vec(),
            body: body.to_vec(),
            peer: caller.to_string(),
            user_agent,
            headers: header_lines(&kept_headers(&headers, &head.headers)),
        };
        let verdict = verdict(&entry);
        self.store(Arrival { endpoint, entry, envelope, carrier: request.payload(), verdict }).await
    }

    async fn store(&self, arrival: Arrival<'_>) -> Outcome {
        let arrived = std::time::Instant::now();
        let Arrival { endpoint, entry, envelope, carrier, verdict } = arrival;
        let now = self.clock.now();
        // Whoever has seen one genuine message, or knows the URL of an endpoint without signatures, can make up many of
        // these.
        let is_bounded = matches!(entry, LogEntry::Hint(_) | LogEntry::Unread(_));
        if is_bounded && !self.hints.allow(&endpoint.id, now) {
            self.metrics.count_rejection(endpoint.id.as_str(), RejectionReason::Flood);
            return Outcome::NotStored;
        }
        let fingerprint = Fingerprint::of(&endpoint.id, &[&envelope.query, b"\0", &envelope.body]);
        if !is_bounded && self.repetitions.is_enough(fingerprint) {
            self.count(endpoint, "repeated");
            return Outcome::Stored;
        }
        self.failures.genuine(&endpoint.id);
        let draft =
            envelope.seal(&self.key, carrier).and_then(|payload| Draft::with_payload(&entry, payload));
        let stored = match draft {
            Ok(draft) => self.log.append_unless_busy(draft).await,
            Err(error) => Err(error),
        };
        self.metrics.log_queue.set(i64::try_from(self.log.waiting()).unwrap_or(i64::MAX));
        match stored {
            Ok(stamp) => {
                if is_bounded {
                    self.hints.count(&endpoint.id, now);
                } else {
                    self.repetitions.stored(fingerprint, now);
                }
                self.metrics.store_seconds.observe(arrived.elapsed().as_secs_f64());
                self.count(endpoint, verdict);
                tracing::debug!(endpoint.id = %endpoint.id, entry.seq = stamp.seq.get(), verdict, "notification stored");
                Outcome::Stored
            }
            Err(error) => {
                self.metrics.count_rejection(endpoint.id.as_str(), RejectionReason::NotStored);
                // The appender says once a minute what is wrong.
                tracing::debug!(endpoint.id = %endpoint.id, %error, "notification not stored");
                Outcome::NotStored
            }
        }
    }

    fn count(&self, endpoint: &Endpoint, verdict: &'static str) {
        let labels = NotificationLabels { endpoint: endpoint.id.to_string(), verdict };
        self.metrics.notifications.get_or_create(&labels).inc();
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
            tracing::warn!(endpoint.id = %endpoint.id, %rejection, "call refused");
            let rejected = Rejected {
                endpoint: endpoint.id.clone(),
                psp: endpoint.psp,
                reason: rejection.to_string(),
                payload_sha256: sha256(&[request.payload()]).to_string(),
            };
            self.followed.note_rejection(rejected, now);
        }
        if let Some((refusal, calls)) = self.burst_to_report(endpoint, rejection, now) {
            let explanation = match refusal {
                Refusal::Signature => endpoint.adapter.diagnose(request).summary,
                Refusal::Account => rejection.to_string(),
            };
            let refusals = Refusals { endpoint: endpoint.reference(), refusal, calls, explanation };
            let appended = match Draft::new(&LogEntry::Refusals(refusals)) {
                Ok(draft) => self.log.append(draft).await.map(drop),
                Err(error) => Err(error),
            };
            if let Err(error) = appended {
                tracing::error!(endpoint.id = %endpoint.id, %error, "refused calls were not noted");
            }
        }
        outcome
    }

    /// What a refused call tells of a wrong setting, and of how many calls, if a person is to be told now.
    fn burst_to_report(
        &self,
        endpoint: &Endpoint,
        rejection: &Rejection,
        now: Timestamp,
    ) -> Option<(Refusal, u32)> {
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

/// The headers that are kept: those that the adapter reads, and those without which a shop's handler does not understand
/// the call.
fn kept_headers(read: &[(&'static str, Vec<u8>)], all: &HeaderMap) -> Vec<(&'static str, Vec<u8>)> {
    let others = ["Content-Type", "Accept"]
        .into_iter()
        .filter(|name| !read.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)));
    let others = others.filter_map(|name| all.get(name).map(|value| (name, value.as_bytes().to_vec())));
    read.iter().cloned().chain(others).collect()
}

/// The headers as evidence, one a line.
fn header_lines(headers: &[(&'static str, Vec<u8>)]) -> Vec<u8> {
    headers.iter().flat_map(|(name, value)| [name.as_bytes(), b": ", value, b"\n"].concat()).collect()
}

/// The endpoint, if the token is its own. An unknown endpoint is compared too, so that it answers like a wrong
/// token, as late and with the same words.
fn authenticate<'c>(intake: &'c Intake, id: &str, token: &str) -> Option<&'c Arc<Endpoint>> {
    let endpoint = intake.endpoints.iter().find(|endpoint| endpoint.id.as_str() == id);
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

/// How a stored call is counted. Whether it is a duplicate, only the ledger knows.
fn verdict(entry: &LogEntry) -> &'static str {
    if matches!(entry, LogEntry::Hint(_)) {
        "hint"
    } else if matches!(entry, LogEntry::Unread(_)) {
        "unread"
    } else if matches!(entry, LogEntry::Notification(notification) if notification.events.is_empty()) {
        "ignored"
    } else {
        "genuine"
    }
}
