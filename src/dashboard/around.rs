//! What is done with every call: who it is, whether a form is ours, headers, and pages for what went wrong.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use cvco_domain::crypto::sha256;
use cvco_pages::apology::Apology;
use cvco_pages::{Section, address, assets};
use http_body_util::{BodyExt, Limited};

use super::form::Fields;
use super::refusal::Refusal;
use super::visit::{Standing, Visit};
use super::{Dashboard, page as html};

/// The largest form, but for files.
const FORM_BYTES: usize = 256 * 1024;

/// How long a form may take to arrive.
const FORM: Duration = Duration::from_secs(30);

/// Where forms need no token: whoever sends them has none, or they change nothing that matters.
const WITHOUT_TOKEN: [&str; 2] = ["/sign-in", "/preferences"];

/// Where a file is sent; the page itself looks at its token.
pub(super) const WITH_FILE: [&str; 1] = ["/accounting/statements"];

/// What may be loaded, and by whom a page may be shown: nobody but ourselves.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// What every answer says to browsers.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Nothing for other sites; with `no-referrer` browsers would not say where a form of our own comes from, either.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// What is done with every call of a page.
pub(super) async fn page(State(dashboard): State<Arc<Dashboard>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let (visit, is_known) = match dashboard.standing(&parts) {
        Standing::Visits(visit) => (visit, true),
        Standing::Unknown(visit) => (visit, false),
        Standing::Foreign => {
            let what = "call this address by its number or as localhost, or set [listener] admin_token\n";
            return (StatusCode::FORBIDDEN, what).into_response();
        }
    };
    if !is_known && !is_open(&path) {
        return if wants_page(&parts) && parts.method == Method::GET {
            Redirect::to(&address("/sign-in", &[("back", &visit.here)])).into_response()
        } else {
            let what = serde_json::json!({ "error": "sign in, or send `Authorization: Bearer` with the token of [listener] admin_token" });
            (StatusCode::UNAUTHORIZED, [(header::CONTENT_TYPE, "application/json")], format!("{what}\n"))
                .into_response()
        };
    }
    let seen = parts.headers.get(header::IF_NONE_MATCH).cloned();
    let is_page = parts.method == Method::GET;
    let body = match admit(&visit, &mut parts, body).await {
        Ok(body) => body,
        Err(refusal) => return apologise(&dashboard, &visit, &parts, &refusal).await,
    };
    parts.extensions.insert(visit.clone());
    let asked = parts.clone();
    let response = next.run(Request::from_parts(parts, body)).await;
    match response.extensions().get::<Refusal>().cloned() {
        Some(refusal) => apologise(&dashboard, &visit, &asked, &refusal).await,
        None if is_page => tagged(response, seen.as_ref()).await,
        None => response,
    }
}

/// Whether anybody may ask for this.
fn is_open(path: &str) -> bool {
    matches!(path, "/sign-in" | "/preferences") || path.starts_with("/static/")
}

/// A form is read here, so that none comes through without its token.
async fn admit(visit: &Visit, parts: &mut Parts, body: Body) -> Result<Body, Refusal> {
    if matches!(parts.method, Method::GET | Method::HEAD) {
        return Ok(body);
    }
    if !is_of_ours(parts) {
        return Err(Refusal::Foreign);
    }
    let path = parts.uri.path();
    if WITH_FILE.contains(&path) {
        return Ok(body);
    }
    let body = Limited::new(body, FORM_BYTES).collect();
    let Ok(Ok(body)) = tokio::time::timeout(FORM, body).await else { return Err(Refusal::TooLarge) };
    let fields = Fields::of_body(&body.to_bytes())?;
    if !WITHOUT_TOKEN.contains(&path) {
        check_token(visit, &fields)?;
    }
    parts.extensions.insert(fields);
    Ok(Body::from(Bytes::new()))
}

/// Whether a form was made for this visitor.
pub(super) fn check_token(visit: &Visit, fields: &Fields) -> Result<(), Refusal> {
    // Compared by digest, so that time tells nothing.
    let digest = |text: &str| sha256(&[text.as_bytes()]).to_string();
    let (sent, own) = (fields.get("form_token"), visit.visitor.form_token.as_str());
    let is_own = !own.is_empty() && digest(sent) == digest(own);
    match (&visit.visitor.name, is_own) {
        (None, _) => Err(Refusal::Forbidden),
        (Some(_), true) => Ok(()),
        (Some(_), false) => Err(Refusal::Foreign),
    }
}

/// Whether a page of ours sends it: every browser says where a form comes from, in one way or another.
fn is_of_ours(parts: &Parts) -> bool {
    let text = |name: &HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = parts.headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    let Some(host) = text(&header::HOST) else { return false };
    let origin = text(&header::ORIGIN).and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin.is_some_and(|origin| origin.eq_ignore_ascii_case(host))
}

/// Whether a browser asks, or something that takes anything.
fn wants_page(parts: &Parts) -> bool {
    let accepted = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html"))
}

/// Says why there is no page.
async fn apologise(dashboard: &Arc<Dashboard>, visit: &Visit, parts: &Parts, refusal: &Refusal) -> Response {
    if !wants_page(parts) {
        let body = format!("{}\n", serde_json::json!({ "error": refusal.in_english() }));
        return (refusal.status(), [(header::CONTENT_TYPE, "application/json")], body).into_response();
    }
    let (title, text) = refusal.in_words(visit.say);
    let frame = match dashboard.frame(visit, Section::Elsewhere).await {
        Ok(frame) => frame,
        Err(_) => visit.frame(),
    };
    match html(Apology { frame, title, text, reasons: refusal.reasons() }.render()) {
        Ok(page) => (refusal.status(), page).into_response(),
        Err(_) => refusal.status().into_response(),
    }
}

/// A page that has not changed since it was last sent is not sent again. A file that is still being made goes as it comes.
async fn tagged(response: Response, seen: Option<&HeaderValue>) -> Response {
    let is_html =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/html; charset=utf-8");
    let is_file = response.headers().contains_key(header::CONTENT_DISPOSITION);
    if response.status() != StatusCode::OK || !is_html || is_file {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = body.collect().await else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let body = body.to_bytes();
    let tag = format!("\"{}\"", sha256(&[&body]));
    let Ok(tag) = HeaderValue::try_from(tag) else { return Response::from_parts(parts, Body::from(body)) };
    if seen == Some(&tag) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response();
    }
    parts.headers.insert(header::ETAG, tag);
    Response::from_parts(parts, Body::from(body))
}

/// What pages load.
pub(super) async fn asset(Path(name): Path<String>) -> Result<Response, Refusal> {
    let asset = assets::at(&format!("/static/{name}")).ok_or(Refusal::NotFound)?;
    // An icon's address says what it shows; the others hold a digest.
    let headers = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, asset.content).into_response())
}

/// Nothing is there.
pub(super) async fn nothing() -> Refusal {
    Refusal::NotFound
}

/// Not by this verb.
pub(super) async fn wrong_verb() -> Refusal {
    Refusal::WrongVerb
}
