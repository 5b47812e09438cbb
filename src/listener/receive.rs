//! One request, from its path to the log: endpoint and token, size, proof, reading, commit, answer.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use cvco_domain::Grounds;
use cvco_domain::crypto::{SealKey, SecretToken};
use cvco_log::entry::Origin;
use cvco_log::{Draft, Envelope, Log, LogEntry, LogError};
use cvco_psp::{Method, Request};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{HeaderMap, Response, header};
use ipnet::IpNet;
use tokio::sync::watch;

use super::accept::Handler;
use super::body::Bodies;
use super::failures::Failures;
use super::hints::Hints;
use super::peer;
use super::refuse::{Refused, Sender};
use super::repetitions::{Fingerprint, Repetitions};
use super::reply::{Outcome, reply};
use super::understand::{Understood, guarded, understand};
use crate::clock::Clock;
use crate::config::Endpoint;
use crate::follower::Followed;
use crate::relay::{FirstAttempts, MARK};
use crate::telemetry::{Metrics, NotificationLabels, RejectionReason};

/// What the listener goes by, as last loaded.
pub struct Intake {
    /// The endpoints of all shops.
    pub endpoints: Vec<Arc<Endpoint>>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

impl Intake {
    /// The endpoint whose shop's own path this is.
    fn at_path(&self, path: &str) -> Option<&Arc<Endpoint>> {
        self.endpoints.iter().find(|endpoint| endpoint.path.as_deref() == Some(path))
    }
}

/// Receives notifications.
pub struct Receiver {
    intake: watch::Receiver<Arc<Intake>>,
    /// Where notifications go.
    pub(super) log: Log,
    /// Seals their payloads.
    key: Arc<SealKey>,
    /// Where samples of refused calls go.
    pub(super) followed: Followed,
    /// What answers may wait for.
    first: FirstAttempts,
    pub(super) clock: Clock,
    pub(super) metrics: Arc<Metrics>,
    bodies: Bodies,
    pub(super) failures: Failures,
    repetitions: Repetitions,
    pub(super) hints: Hints,
}

/// A genuine message, or a hint, ready to be stored.
struct Arrival<'a> {
    endpoint: &'a Endpoint,
    understood: Understood,
    envelope: Envelope,
    /// The part of the request that carries the message.
    carrier: &'a [u8],
    /// How it is counted.
    verdict: &'static str,
    sender: Sender,
}

impl Receiver {
    /// A receiver for the public listener.
    #[must_use]
    pub fn new(
        intake: watch::Receiver<Arc<Intake>>,
        log: Log,
        key: Arc<SealKey>,
        followed: Followed,
        first: FirstAttempts,
        clock: Clock,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            intake,
            log,
            key,
            followed,
            first,
            clock,
            metrics,
            bodies: Bodies::default(),
            failures: Failures::default(),
            repetitions: Repetitions::default(),
            hints: Hints::default(),
        }
    }

    async fn receive(&self, request: hyper::Request<Incoming>, peer: SocketAddr) -> Outcome {
        let path = request.uri().path();
        let addressed = route(path);
        let intake = Arc::clone(&self.intake.borrow());
        let by_path = intake.at_path(path).filter(|_| addressed.is_none());
        if addressed.is_none() && by_path.is_none() {
            self.metrics.count_rejection("", RejectionReason::Path);
            return Outcome::NotFound;
        }
        let method = match *request.method() {
            hyper::Method::GET => Some(Method::Get),
            hyper::Method::POST => Some(Method::Post),
            _ => None,
        };
        let by_token = addressed.and_then(|(id, token)| authenticate(&intake, id, token));
        let Some(endpoint) = by_token.or(by_path) else {
            self.metrics.count_rejection("", RejectionReason::Token);
            return if method.is_some() { Outcome::Forbidden } else { Outcome::NotFound };
        };
        let caller = peer::address(peer, request.headers(), &intake.trusted_proxies);
        let is_outside = !endpoint.allow_from.is_empty()
            && !endpoint.allow_from.iter().any(|network| network.contains(&caller));
        // Everybody knows a shop's own path: there only an address of the PSP makes a call that cannot be read remarkable.
        let is_known = by_path.is_none() || (!endpoint.allow_from.is_empty() && !is_outside);
        let sender = Sender { caller, is_known };
        let Some(method) = method else {
            let refused = Refused::unread(Grounds::Verb, Outcome::WrongMethod, sender);
            return self.refuse(endpoint, refused).await;
        };
        if request.headers().contains_key(MARK) {
            let refused = Refused::unread(Grounds::Loop, Outcome::Loops, sender);
            return self.refuse(endpoint, refused).await;
        }
        let user_agent = request
            .headers()
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .map(|value| value.chars().take(200).collect())
            .unwrap_or_default();
        let (head, body) = request.into_parts();
        let body = match self.bodies.read(body).await {
            Ok(body) => body,
            Err(no_body) => {
                let mut refused = Refused::without_body(no_body, sender);
                if is_outside {
                    refused.outcome = Outcome::Forbidden;
                }
                return self.refuse(endpoint, refused).await;
            }
        };
        let query = head.uri.query().unwrap_or_default().as_bytes();
        let headers = headers_for(endpoint, &head.headers);
        let request = Request { method, query, body: &body, headers: &headers };
        if is_outside {
            return self.refuse(endpoint, Refused::from_outside(endpoint, &request, sender)).await;
        }
        if let Some(wanted) = handshake(endpoint, &request) {
            tracing::info!(endpoint.id = %endpoint.id, "the PSP's test of the address was answered");
            return Outcome::Handshake(wanted);
        }
        let understood = match understand(endpoint, &request, Origin::Call) {
            Ok(understood) => understood,
            Err(rejection) => {
                let refused = Refused::by_adapter(endpoint, &request, &rejection, sender);
                return self.refuse(endpoint, refused).await;
            }
        };
        let envelope = Envelope {
            method: head.method.as_str().to_owned(),
            query: query.to_vec(),
            body: body.to_vec(),
            peer: caller.to_string(),
            user_agent,
            headers: header_lines(&kept_headers(&headers, &head.headers)),
        };
        let verdict = verdict(&understood.entry);
        let arrival = Arrival { endpoint, understood, envelope, carrier: request.payload(), verdict, sender };
        self.store(arrival).await
    }

    async fn store(&self, arrival: Arrival<'_>) -> Outcome {
        let arrived = std::time::Instant::now();
        let Arrival { endpoint, understood, envelope, carrier, verdict, sender } = arrival;
        let Understood { entry, proven } = understood;
        let now = self.clock.now();
        let draft = match Draft::new(&entry) {
            Ok(draft) => draft,
            Err(error) => return self.not_stored(endpoint, &error),
        };
        let fingerprint = Fingerprint::of(&endpoint.id, &proven, draft.text());
        let is_hint = matches!(entry, LogEntry::Hint(_));
        // A hint that comes again may bring word of something new.
        if !is_hint && self.repetitions.is_enough(fingerprint) {
            self.count(endpoint, "repeated");
            return Outcome::Stored;
        }
        // Whoever has seen one genuine message, or knows the URL of an endpoint without signatures, can make up many of
        // these.
        let is_bounded = is_hint || matches!(entry, LogEntry::Unread(_));
        if is_bounded && !self.hints.allow(&endpoint.id, now) {
            let refused = Refused::unread(Grounds::Flood, Outcome::NotStored, sender);
            return self.refuse(endpoint, refused).await;
        }
        self.failures.genuine(&endpoint.id, now);
        let stored = match envelope.seal(&self.key, carrier) {
            Ok(payload) => self.log.append_unless_busy(draft.carrying(payload)).await,
            Err(error) => Err(error),
        };
        self.metrics.log_queue.set(i64::try_from(self.log.waiting()).unwrap_or(i64::MAX));
        match stored {
            Ok(stamp) => {
                if is_bounded {
                    self.hints.count(&endpoint.id, now);
                }
                if !is_hint {
                    self.repetitions.stored(fingerprint, now);
                }
                self.metrics.store_seconds.observe(arrived.elapsed().as_secs_f64());
                self.count(endpoint, verdict);
                tracing::debug!(endpoint.id = %endpoint.id, entry.seq = stamp.seq.get(), verdict, "notification stored");
                self.first.wait(&endpoint.relays, stamp.seq).await;
                Outcome::Stored
            }
            Err(error) => self.not_stored(endpoint, &error),
        }
    }

    fn not_stored(&self, endpoint: &Endpoint, error: &LogError) -> Outcome {
        self.metrics.count_rejection(endpoint.id.as_str(), RejectionReason::NotStored);
        // The appender says once a minute what is wrong.
        tracing::debug!(endpoint.id = %endpoint.id, %error, "notification not stored");
        Outcome::NotStored
    }

    fn count(&self, endpoint: &Endpoint, verdict: &'static str) {
        let labels = NotificationLabels { endpoint: endpoint.id.to_string(), verdict };
        self.metrics.notifications.get_or_create(&labels).inc();
    }
}

impl Handler for Receiver {
    type Peer = SocketAddr;
    type Body = Full<Bytes>;

    async fn handle(
        self: Arc<Self>,
        request: hyper::Request<Incoming>,
        peer: SocketAddr,
    ) -> Response<Full<Bytes>> {
        reply(&self.receive(request, peer).await)
    }

    /// Anybody who looks for open ports does so: it is worth a count, and no line in the log.
    fn unopened(&self, error: &std::io::Error, peer: &SocketAddr) {
        self.metrics.count_rejection("", RejectionReason::Tls);
        tracing::debug!(caller = %peer.ip(), %error, "no TLS was agreed");
    }

    /// The web server in front is counted nowhere: everybody comes from there.
    fn counted_at(&self, peer: &SocketAddr) -> Option<IpAddr> {
        let address = peer.ip().to_canonical();
        let intake = self.intake.borrow();
        let is_proxy = intake.trusted_proxies.iter().any(|network| network.contains(&address));
        (!is_proxy).then_some(address)
    }

    /// It was answered already; what its path still shows decides whether it matters.
    async fn unreadable(self: Arc<Self>, beginning: Vec<u8>, peer: SocketAddr) {
        let intake = Arc::clone(&self.intake.borrow());
        let path = path_of(&beginning);
        let known = path.as_deref().and_then(route).and_then(|(id, token)| authenticate(&intake, id, token));
        let caller = peer.ip().to_canonical();
        if let Some(endpoint) = known {
            let sender = Sender { caller, is_known: true };
            let refused = Refused::unread(Grounds::Http, Outcome::Malformed, sender);
            drop(self.refuse(endpoint, refused).await);
        } else {
            self.metrics.count_rejection("", RejectionReason::Http);
            tracing::info!(%caller, "a request could not be read as HTTP");
        }
    }
}

/// The path of a request of which only the first bytes are known.
fn path_of(beginning: &[u8]) -> Option<String> {
    let target = beginning.split(u8::is_ascii_whitespace).nth(1)?;
    let path = target.split(|b| matches!(b, b'?' | b'#')).next()?;
    std::str::from_utf8(path).ok().map(str::to_owned)
}

/// `/n/{endpoint}/{token}`; anything else is no page of ours.
fn route(path: &str) -> Option<(&str, &str)> {
    let (endpoint, token) = path.strip_prefix("/n/")?.split_once('/')?;
    (!endpoint.is_empty() && !token.is_empty() && !token.contains('/')).then_some((endpoint, token))
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
