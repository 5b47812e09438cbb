//! The way in for the shop and its administrator, on a loopback address or behind a token: orders, records,
//! health and metrics. Accounts of this machine come in by a Unix socket, which also takes their commands.

mod caller;
pub mod commands;
mod health;
mod orders;
mod records;
mod sessions;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::routing::any;
use cvco_domain::Policy;
use cvco_domain::crypto::{SealKey, SecretToken};
use cvco_log::Log;
use hyper::body::Incoming;
use hyper::{HeaderMap, Method, Response, StatusCode, header};
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;

use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::config::{DeskSettings, Endpoint, Shop, User};
use crate::follower::{Followed, Readers};
use crate::listener::accept::Handler;
use crate::telemetry::Metrics;

pub use caller::Caller;
use commands::Errands;
pub use orders::{OrderError, RawOrder};

/// How long a body may take to arrive.
const BODY: Duration = Duration::from_secs(30);

/// What the admin address goes by, as last loaded.
pub struct AdminSettings {
    /// What callers must send; `None` only on a loopback address.
    pub token: Option<SecretToken>,
    /// The shops whose orders are taken.
    pub shops: Vec<Shop>,
    /// The endpoints whose sessions are taken.
    pub endpoints: Vec<Arc<Endpoint>>,
    /// Where the ledger is, with the log beside it.
    pub ledger: PathBuf,
    /// The files of secrets whose age is told.
    pub secret_files: Vec<PathBuf>,
    /// What commands go by.
    pub desk: DeskSettings,
    /// Who may sign in to the dashboard by name.
    pub users: Vec<User>,
    /// Where people open the dashboard, if it is said.
    pub dashboard_url: Option<String>,
    /// How PSPs reach the daemon, if it is said.
    pub public_url: Option<String>,
    /// The settings that decide, as this machine has them.
    pub policy: Policy,
}

/// Answers on the admin address.
pub struct Admin {
    /// As last loaded.
    pub settings: watch::Receiver<Arc<AdminSettings>>,
    /// Where orders go.
    pub log: Log,
    /// Seals what shops hand over.
    pub key: Arc<SealKey>,
    /// How far the ledger has followed.
    pub followed: Followed,
    /// Where records are read.
    pub readers: Readers,
    /// The time.
    pub clock: Clock,
    /// What is shown under `/metrics`.
    pub metrics: Arc<Metrics>,
    /// Carries commands out.
    pub errands: Arc<dyn Errands>,
    /// How many commands may still begin.
    pub commands: Arc<Semaphore>,
    /// How this machine stands among others, if there are any.
    pub cluster: Option<Cluster>,
}

/// Something that the admin address answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    Health,
    Ready,
    Metrics,
    Orders,
    Sessions,
    Records,
}

/// Where something is answered. docs/openapi.json describes each, and a test holds the two together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The verb.
    pub method: Method,
    /// The whole path.
    pub path: &'static str,
    /// No token is needed: it is for a supervisor that has none, and tells nothing of payments.
    pub is_open: bool,
    page: Page,
}

/// All that is answered.
pub const ROUTES: &[Route] = &[
    Route { method: Method::GET, path: "/healthz", is_open: true, page: Page::Health },
    Route { method: Method::GET, path: "/readyz", is_open: true, page: Page::Ready },
    Route { method: Method::GET, path: "/metrics", is_open: false, page: Page::Metrics },
    Route { method: Method::POST, path: "/api/v1/orders", is_open: false, page: Page::Orders },
    Route { method: Method::POST, path: "/api/v1/sessions", is_open: false, page: Page::Sessions },
    Route { method: Method::GET, path: "/api/v1/records", is_open: false, page: Page::Records },
];

/// An answer: status, type, text.
struct Answer(StatusCode, &'static str, String);

impl Answer {
    fn text(status: StatusCode, text: impl Into<String>) -> Self {
        Self(status, "text/plain; charset=utf-8", text.into())
    }

    fn json(status: StatusCode, value: &serde_json::Value) -> Self {
        Self(status, "application/json", format!("{value}\n"))
    }

    fn error(status: StatusCode, message: impl Into<String>) -> Self {
        Self::json(status, &serde_json::json!({ "error": message.into() }))
    }
}

impl From<Answer> for Response<Body> {
    fn from(Answer(status, content_type, text): Answer) -> Self {
        let mut response = Self::new(Body::from(text));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
        response
    }
}

/// What is behind the admin address and the admin socket.
pub struct Door {
    router: Router,
}

impl Door {
    /// Opens on these routes.
    #[must_use]
    pub const fn on(router: Router) -> Self {
        Self { router }
    }
}

impl Handler for Door {
    type Peer = Caller;
    type Body = Body;

    async fn handle(self: Arc<Self>, request: hyper::Request<Incoming>, caller: Caller) -> Response<Body> {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(caller);
        match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// Answers what is for programs.
async fn answer(
    State(admin): State<Arc<Admin>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response<Body> {
    admin.answer(request, caller).await.into()
}

/// Takes what comes to the path of commands.
async fn command(
    State(admin): State<Arc<Admin>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response<Body> {
    if request.method() == Method::POST {
        admin.take_command(request, caller).await
    } else {
        admin.answer(request, caller).await.into()
    }
}

/// So many commands are carried out at a time.
#[must_use]
pub fn command_places() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(commands::AT_A_TIME))
}

/// Whether a foreign page in a browser on this machine makes this call: its name was made to point here (DNS
/// rebinding), and the call carries that name. What a page cannot keep a browser from sending tells it from a shop.
pub(crate) fn is_from_foreign_page(headers: &HeaderMap) -> bool {
    let by_browser = headers.contains_key(header::ORIGIN)
        || headers.contains_key(header::ACCEPT_LANGUAGE)
        || headers.contains_key("sec-fetch-site");
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    by_browser && !is_own_name(host)
}

fn is_own_name(host: &str) -> bool {
    let Ok(authority) = host.parse::<hyper::http::uri::Authority>() else { return false };
    let name = authority.host().trim_matches(['[', ']']);
    name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok()
}

/// A browser on the same machine must not be able to post here on behalf of a foreign page: that it cannot send with
/// this type.
fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|value| value.trim().eq_ignore_ascii_case("application/json"))
}

impl Admin {
    /// What is for programs.
    pub fn router(self: &Arc<Self>) -> Router {
        let mut router = Router::new().route(commands::PATH, any(command));
        for route in ROUTES {
            router = router.route(route.path, any(answer));
        }
        router.with_state(Arc::clone(self))
    }

    async fn answer(&self, request: Request, caller: Caller) -> Answer {
        let path = request.uri().path();
        let route = ROUTES.iter().find(|route| route.path == path && route.method == request.method());
        if !route.is_some_and(|route| route.is_open)
            && let Err(refusal) = self.authorise(&request, caller)
        {
            return refusal;
        }
        let Some(route) = route else {
            return if ROUTES.iter().any(|route| route.path == path) {
                Answer::error(StatusCode::METHOD_NOT_ALLOWED, "another method is needed here")
            } else {
                Answer::error(StatusCode::NOT_FOUND, "no such page")
            };
        };
        match route.page {
            Page::Health => Answer::text(StatusCode::OK, "ok\n"),
            Page::Ready => self.ready().await,
            Page::Metrics => self.show_metrics().await,
            Page::Orders => self.register_orders(request, caller).await,
            Page::Sessions => self.take_session(request).await,
            Page::Records => self.list_records(request.uri().query()).await,
        }
    }

    fn authorise(&self, request: &Request, caller: Caller) -> Result<(), Answer> {
        if matches!(caller, Caller::Account { .. }) {
            return Ok(());
        }
        let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let settings = self.settings.borrow();
        let Some(token) = &settings.token else {
            return if is_from_foreign_page(request.headers()) {
                Err(Answer::error(
                    StatusCode::FORBIDDEN,
                    "call this address by its number or as localhost, or set [listener] admin_token",
                ))
            } else {
                Ok(())
            };
        };
        let sent = text(header::AUTHORIZATION)
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        if sent.is_some_and(|sent| token.matches(sent)) {
            return Ok(());
        }
        Err(Answer::error(
            StatusCode::UNAUTHORIZED,
            "send `Authorization: Bearer` with the token of [listener] admin_token",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_page_does_not_reach_an_address_without_a_token() {
        for host in ["127.0.0.1:8081", "localhost", "LOCALHOST:8081", "[::1]:8081", "10.0.0.1"] {
            assert!(is_own_name(host), "{host}");
        }
        for host in
            ["evil.example", "evil.example:8081", "localhost.evil.example", "", "127.0.0.1.evil.example"]
        {
            assert!(!is_own_name(host), "{host}");
        }
    }
}
