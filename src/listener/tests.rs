//! One request after the other through a whole listener, with an adapter of these tests.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cvco_domain::crypto::{HmacSha256Key, SealKey, SecretToken};
use cvco_domain::{Bilingual, EndpointId, Mode, Psp, ShopId, Timestamp};
use cvco_ledger::Ledger;
use cvco_log::{Appender, LogStore, MemoryLog};
use cvco_psp::api::{ApiRequest, ApiResponse};
use cvco_psp::{Adapter, Diagnosis, Message, Method, NotUnderstood, Reading, Rejection, Request};
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::hints::Hints;
use super::{Intake, Receiver, accept};
use crate::clock::Clock;
use crate::config::Endpoint;
use crate::follower::{Follower, Readers};
use crate::lead::Leads;
use crate::outbound::Client;
use crate::relay::FirstAttempts;
use crate::telemetry::Metrics;

const TOKEN: &str = "6f1c0a5be9d24c7f8a3b2c1d0e9f8a7b";

/// Answers `x-hello`, takes everything else, and fails on the body `panic`. What it takes says nothing.
struct Greeter(Psp);

impl Adapter for Greeter {
    fn psp(&self) -> Psp {
        self.0
    }

    fn mode(&self) -> Mode {
        Mode::Test
    }

    fn prove(&self, request: &Request<'_>) -> Result<Message, Rejection> {
        assert_ne!(request.body, b"panic", "a bug");
        let body = request.body.to_vec();
        if !self.0.terms().proves_its_messages {
            return Ok(Message::Unsigned(body));
        }
        let key = HmacSha256Key::new("key".to_owned().into());
        let tag = key.tag(&body);
        key.verify(body, &tag).map(Message::Genuine).map_err(|_| Rejection::Signature)
    }

    fn read(&self, message: &Message) -> Result<Reading, NotUnderstood> {
        match message {
            Message::Unsigned(_) => Ok(Reading::hint(Vec::new(), None)),
            Message::Genuine(greeting) if greeting.as_slice() == b"riddle" => {
                Err(NotUnderstood::new(("une énigme", "a riddle")))
            }
            Message::Genuine(_) | Message::GenuineForm(_) => Ok(Reading::nothing("a greeting")),
        }
    }

    fn headers(&self) -> &'static [&'static str] {
        &["x-hello"]
    }

    fn handshake(&self, request: &Request<'_>) -> Option<String> {
        request.header("x-hello").next().map(|value| String::from_utf8_lossy(value).into_owned())
    }

    fn diagnose(&self, _: &Request<'_>) -> Diagnosis {
        Diagnosis { genuine: true, summary: Bilingual::same(""), details: Vec::new() }
    }
}

/// A listener with one endpoint; gone with its runtime.
struct Listening {
    log: MemoryLog,
    url: String,
}

impl Listening {
    async fn start(psp: Psp, hints: Hints) -> Self {
        let log = MemoryLog::default();
        let at = Timestamp::parse("2026-03-01T10:00:00Z").expect("a time");
        let (_appender, handle) = Appender::start(log.clone(), move || at).expect("a thread");
        let ledger = Ledger::in_memory().expect("a ledger");
        let (_follower, followed) =
            Follower::start(ledger, log.clone(), handle.changed(), || {}).expect("a thread");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let endpoint = Endpoint {
            contracts: std::collections::BTreeSet::new(),
            reference_pattern: None,
            id: EndpointId::new("greeter").expect("an id"),
            shop: ShopId::new("camping").expect("an id"),
            psp,
            mode: Mode::Test,
            token: SecretToken::new(&TOKEN.to_owned().into()).expect("a token"),
            path: None,
            allow_from: Vec::new(),
            relays: Vec::new(),
            adapter: Box::new(Greeter(psp)),
        };
        let intake = Intake { endpoints: vec![Arc::new(endpoint)], trusted_proxies: Vec::new() };
        let (_, intake) = watch::channel(Arc::new(intake));
        let key = SealKey::parse(&SealKey::generate().expect("random numbers")).expect("a key");
        let (clock, metrics) = (Clock::manual(at), Arc::new(Metrics::default()));
        let first = FirstAttempts::new(followed.clone(), Readers::of(PathBuf::new()), Leads::alone());
        let mut receiver = Receiver::new(intake, handle, Arc::new(key), followed, first, clock, metrics);
        receiver.hints = hints;
        let (gauge, stop) = (Gauge::default(), CancellationToken::new());
        let room = accept::Room { connections: 16, silent_per_address: 16 };
        tokio::spawn(accept::serve(listener, Arc::new(receiver), room, gauge, stop));
        Self { log, url: format!("http://{address}/n/greeter/") }
    }

    async fn call(&self, token: &str, hello: Option<&str>, body: &str) -> ApiResponse {
        let request = ApiRequest {
            method: if body.is_empty() { Method::Get } else { Method::Post },
            url: format!("{}{token}", self.url),
            headers: hello.map(|hello| ("X-Hello", hello.to_owned())).into_iter().collect(),
            body: body.as_bytes().to_vec(),
        };
        Client::new(None, Duration::from_mins(1)).carry(&request).await.expect("an answer")
    }

    /// The kinds of entries that the log holds.
    fn stored(&self) -> Vec<String> {
        let links = self.log.clone().read(cvco_domain::Seq::ZERO, usize::MAX).expect("a log");
        links.into_iter().map(|link| link.row.kind).collect()
    }
}

#[tokio::test]
async fn a_test_of_the_address_gets_its_text_back_and_leaves_nothing() {
    let listening = Listening::start(Psp::Worldline, Hints::default()).await;
    let answer = listening.call(TOKEN, Some("4f1e-hello"), "").await;
    assert_eq!(answer, ApiResponse { status: 200, body: b"4f1e-hello".to_vec() });
    let without_token = listening.call(&TOKEN.replace('6', "7"), Some("4f1e-hello"), "").await;
    assert_eq!(without_token.status, 403, "strangers get no echo");
    assert_eq!(listening.stored(), [""; 0]);

    assert_eq!(listening.call(TOKEN, None, "a notification").await.status, 200);
    assert_eq!(listening.stored(), ["notification"], "what is no such test is stored");
}

#[tokio::test]
async fn an_adapter_that_fails_costs_one_call() {
    let listening = Listening::start(Psp::Worldline, Hints::default()).await;
    assert_eq!(listening.call(TOKEN, None, "panic").await.status, 400);
    assert_eq!(listening.call(TOKEN, None, "a notification").await.status, 200);
}

#[tokio::test]
async fn unsigned_calls_are_counted_even_if_they_ask_nothing() {
    let exhausted = || {
        let (hints, endpoint) = (Hints::default(), EndpointId::new("greeter").expect("an id"));
        let now = Timestamp::parse("2026-03-01T10:00:00Z").expect("a time");
        while hints.allow(&endpoint, now) {
            hints.count(&endpoint, now);
        }
        hints
    };
    let unsigned = Listening::start(Psp::Monext, exhausted()).await;
    assert_eq!(unsigned.call(TOKEN, None, "notificationType=ANY").await.status, 503);
    assert_eq!(unsigned.stored(), [""; 0]);
    let signed = Listening::start(Psp::Worldline, exhausted()).await;
    assert_eq!(
        signed.call(TOKEN, None, "a notification").await.status,
        200,
        "what is proven is never too much"
    );
}

#[tokio::test]
async fn what_is_genuine_and_not_understood_is_kept_as_evidence() {
    let listening = Listening::start(Psp::Worldline, Hints::default()).await;
    assert_eq!(listening.call(TOKEN, None, "riddle").await.status, 200);
    assert_eq!(listening.stored(), ["unread"]);
    let payload = listening.log.clone().payload(cvco_domain::Seq::new(1)).expect("a log");
    assert!(payload.is_some(), "sealed beside it");
}

#[tokio::test]
async fn the_same_bytes_are_stored_three_times_and_acknowledged_always() {
    let listening = Listening::start(Psp::Worldline, Hints::default()).await;
    for _ in 0..10 {
        assert_eq!(listening.call(TOKEN, None, "again").await.status, 200);
    }
    assert_eq!(listening.stored().len(), 3);
}
