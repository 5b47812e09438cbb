//! Coming in, going out, and what a person prefers.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use cvco_domain::Timestamp;
use cvco_domain::crypto::HashedPassword;
use cvco_pages::sign_in::SignIn;
use secrecy::{ExposeSecret, SecretString};

use super::form::{Fields, path_back};
use super::gate::Who;
use super::refusal::Refusal;
use super::session::{LASTS, Session, cookie_name};
use super::visit::{Visit, is_secure};
use super::{Dashboard, Desk, page};
use crate::admin::{AdminSettings, Caller};

/// How long a browser keeps what a person prefers.
const A_YEAR: u64 = 365 * 24 * 3600;

/// Asks who one is.
pub(super) async fn ask(State(dashboard): Desk, visit: Visit) -> Result<Response, Refusal> {
    let back = path_back(visit.query.get("back"));
    page(dashboard.form(&visit, back, String::new(), None).render())
}

/// Lets in who knows the password, or the token.
pub(super) async fn take(
    State(dashboard): Desk,
    Extension(caller): Extension<Caller>,
    visit: Visit,
    fields: Fields,
) -> Result<Response, Refusal> {
    let t = visit.say;
    let settings = Arc::clone(&dashboard.admin.settings.borrow());
    let (name, password) = (fields.get("name").to_owned(), SecretString::from(fields.get("password")));
    let back = path_back(fields.get("back"));
    let who = who(&settings, caller, &name);
    let now = visit.now;
    if let Some(wait) = dashboard.gate.wait(&who, now) {
        let problem = t.say(
            &format!("Trop d'essais : attendez {} avant le prochain.", t.span(wait)),
            &format!("Too many tries: wait {} before the next.", t.span(wait)),
        );
        let form = page(dashboard.form(&visit, back, name, Some(problem)).render())?;
        let seconds = HeaderValue::from(wait.as_secs().saturating_add(1));
        return Ok((StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, seconds)], form).into_response());
    }
    let Some(cookie) = dashboard.prove(&settings, name.clone(), password, now).await? else {
        dashboard.gate.failed(&who, now);
        tracing::warn!(?caller, "a sign-in to the dashboard failed");
        let problem =
            t.say("Ce nom ou ce mot de passe n'est pas le bon.", "The name or the password is wrong.");
        let form = page(dashboard.form(&visit, back, name, Some(problem)).render())?;
        return Ok((StatusCode::UNAUTHORIZED, form).into_response());
    };
    dashboard.gate.passed(&who);
    tracing::info!(user = name, "somebody signed in to the dashboard");
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to(&back)).into_response())
}

/// Who tries, as far as it matters for how often they may. Names that there are not say nothing of whom to hold back.
fn who(settings: &AdminSettings, caller: Caller, name: &str) -> Vec<Who> {
    let mut who = Vec::with_capacity(2);
    if settings.users.iter().any(|user| user.name == name) {
        who.push(Who::Name(name.to_owned()));
    }
    if let Caller::Network { from } = caller {
        who.push(Who::at(from));
    }
    who
}

impl Dashboard {
    fn form(&self, visit: &Visit, back: String, name: String, problem: Option<String>) -> SignIn {
        let settings = self.admin.settings.borrow();
        SignIn {
            frame: visit.frame(),
            back,
            name,
            has_users: !settings.users.is_empty(),
            has_token: settings.token.is_some(),
            problem,
        }
    }

    /// The cookie of whoever proves who they are.
    async fn prove(
        &self,
        settings: &AdminSettings,
        name: String,
        password: SecretString,
        now: Timestamp,
    ) -> Result<Option<String>, Refusal> {
        let secure = is_secure(settings);
        if name.is_empty() {
            let token = settings.token.as_ref().filter(|token| token.matches(password.expose_secret()));
            return token.map(|token| self.cookie(None, token.digest(), secure, now)).transpose();
        }
        let user = settings.users.iter().find(|user| user.name == name);
        let hash = user.map_or_else(HashedPassword::of_nobody, |user| user.password.clone());
        let credential = hash.as_str().to_owned();
        // Each check holds 19 MiB: no more than this many at a time.
        let Ok(place) = Arc::clone(&self.hashing).acquire_owned().await else { return Err(Refusal::Trouble) };
        let checked = tokio::task::spawn_blocking(move || {
            let matches = hash.matches(&password);
            drop(place);
            matches
        });
        let matches = checked.await.unwrap_or(false);
        if !matches || user.is_none() {
            return Ok(None);
        }
        self.cookie(Some(name), credential.as_bytes(), secure, now).map(Some)
    }

    fn cookie(
        &self,
        name: Option<String>,
        credential: &[u8],
        secure: bool,
        now: Timestamp,
    ) -> Result<String, Refusal> {
        let session = Session::begin(name, now).map_err(|error| {
            tracing::error!(%error, "nobody can sign in");
            Refusal::Trouble
        })?;
        let value = session.sealed(self.admin.key.stamps(), credential);
        Ok(cookie(cookie_name(secure), &value, LASTS.as_secs(), secure, true))
    }
}

/// A cookie as a browser is to keep it.
fn cookie(name: &str, value: &str, seconds: u64, secure: bool, strict: bool) -> String {
    let site = if strict { "Strict" } else { "Lax" };
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={site}{secure}")
}

/// Goes out.
pub(super) async fn leave(State(dashboard): Desk) -> Response {
    let secure = is_secure(&dashboard.admin.settings.borrow());
    let gone = cookie(cookie_name(secure), "", 0, secure, true);
    (AppendHeaders([(header::SET_COOKIE, gone)]), Redirect::to("/sign-in")).into_response()
}

/// Keeps what a person prefers.
pub(super) async fn prefer(State(dashboard): Desk, fields: Fields) -> Response {
    let secure = is_secure(&dashboard.admin.settings.borrow());
    let kept = |name: &str, known: [&str; 2]| {
        let value = fields.get(name);
        known.contains(&value).then(|| (header::SET_COOKIE, cookie(name, value, A_YEAR, secure, false)))
    };
    let cookies: Vec<_> =
        [kept("language", ["fr", "en"]), kept("keys", ["on", "off"])].into_iter().flatten().collect();
    (AppendHeaders(cookies), Redirect::to(&path_back(fields.get("back")))).into_response()
}
