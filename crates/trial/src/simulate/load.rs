//! Sends plays to a running daemon.

use std::time::Instant;

use bytes::Bytes;
use cvco_domain::ShopId;
use cvco_psp::Method;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::actor::{Message, Play};
use super::client::{Address, Connection, NoAnswer};
use super::report::{Outcome, Report, Tally};
use super::schedule::{Pace, ScheduledMessage, lanes};

/// Where the shop registers its orders.
#[derive(Debug, Clone)]
pub struct Admin {
    /// The admin listener.
    pub address: Address,
    /// The shop of the endpoints.
    pub shop: ShopId,
    /// The admin token, where the daemon wants one.
    pub token: Option<SecretString>,
}

/// Why nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The daemon did not take the orders.
    #[error("the orders were not registered: {status} {answer}")]
    Registration {
        /// The status.
        status: u16,
        /// What the daemon says, in short.
        answer: String,
    },
    /// There is no daemon.
    #[error("the orders were not registered: {0}")]
    NoAnswer(#[from] NoAnswer),
    /// A path or token that cannot stand in a request.
    #[error("not an HTTP request: {0}")]
    Request(#[from] hyper::http::Error),
}

/// Orders of one call.
const BATCH: usize = 1000;

/// Registers the orders of a plan where there is an admin listener, then sends its messages and reports. Says
/// after each answer how many there are.
///
/// # Errors
/// The orders were not registered. Messages that find no answer are part of the report.
pub async fn run(
    daemon: &Address,
    admin: Option<&Admin>,
    plan: Vec<Play>,
    pace: Pace,
    mut progress: impl FnMut(u64),
) -> Result<Report, LoadError> {
    if let Some(admin) = admin {
        register(admin, &plan).await?;
    }
    let (outcomes, mut inbox) = mpsc::channel(1024);
    let lanes = lanes(plan, pace);
    let start = Instant::now();
    let mut senders = JoinSet::new();
    for lane in lanes {
        senders.spawn(send_lane(lane, daemon.clone(), start, outcomes.clone()));
    }
    drop(outcomes);
    let mut tally = Tally::default();
    while let Some(outcome) = inbox.recv().await {
        progress(tally.count(outcome));
    }
    Ok(tally.finish(start.elapsed()))
}

/// Sends the messages of one connection, each when it is due: never before, and late only if the answers before
/// it were slow.
async fn send_lane(
    lane: Vec<ScheduledMessage>,
    daemon: Address,
    start: Instant,
    outcomes: mpsc::Sender<Outcome>,
) {
    let mut connection = Connection::new(daemon.clone());
    for ScheduledMessage { due, scenario, reference, message } in lane {
        let due = due.and_then(|due| start.checked_add(due));
        if let Some(due) = due {
            tokio::time::sleep_until(due.into()).await;
        }
        let asked = due.unwrap_or_else(Instant::now);
        let (psp, expected) = (message.psp, message.expect);
        let got = match request(&daemon, message) {
            Ok(request) => connection.send(request).await.map_err(|error| error.to_string()),
            Err(error) => Err(LoadError::from(error).to_string()),
        };
        let got = got.map(|answer| answer.status);
        let outcome = Outcome { scenario, psp, reference, expected, got, latency: asked.elapsed() };
        if outcomes.send(outcome).await.is_err() {
            return;
        }
    }
}

fn request(daemon: &Address, message: Message) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let Message { path, wire, .. } = message;
    let mut target = daemon.target(&path);
    if !wire.query.is_empty() {
        target = format!("{target}?{}", wire.query);
    }
    let mut request = match wire.method {
        Method::Get => Request::get(target),
        Method::Post if wire.body.starts_with('{') => {
            Request::post(target).header(CONTENT_TYPE, "application/json")
        }
        Method::Post => Request::post(target).header(CONTENT_TYPE, "application/x-www-form-urlencoded"),
    };
    for (name, value) in wire.headers {
        request = request.header(name, value);
    }
    request.body(Full::new(Bytes::from(wire.body)))
}

async fn register(admin: &Admin, plan: &[Play]) -> Result<(), LoadError> {
    let mut connection = Connection::new(admin.address.clone());
    let registered: Vec<_> = plan.iter().filter(|play| play.register).collect();
    for batch in registered.chunks(BATCH) {
        let answer = connection.send(registration(admin, batch)?).await?;
        if answer.status != 200 {
            let text = String::from_utf8_lossy(&answer.body).chars().take(300).collect();
            return Err(LoadError::Registration { status: answer.status, answer: text });
        }
    }
    Ok(())
}

fn registration(admin: &Admin, batch: &[&Play]) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let order = |play: &&Play| {
        json!({
            "shop": admin.shop.as_str(),
            "reference": play.reference,
            "total_cents": play.total.get(),
            "currency": "EUR",
        })
    };
    let orders: serde_json::Value = batch.iter().map(order).collect();
    let mut request =
        Request::post(admin.address.target("/api/v1/orders")).header(CONTENT_TYPE, "application/json");
    if let Some(token) = &admin.token {
        request = request.header(AUTHORIZATION, format!("Bearer {}", token.expose_secret()));
    }
    request.body(Full::new(Bytes::from(orders.to_string())))
}
