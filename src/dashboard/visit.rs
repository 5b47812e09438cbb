//! Who calls, what they may do, and in which language.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use cvco_domain::Timestamp;
use cvco_mail::Language;
use cvco_pages::{Frame, Role, Say, Section, Visitor};

use super::Dashboard;
use super::form::{Fields, cookies};
use super::refusal::Refusal;
use super::session::{Session, cookie_name};
use crate::admin::{AdminSettings, Caller, is_from_foreign_page};

/// The name in the log of whoever came with the admin token.
const TOKEN_HOLDER: &str = "admin token";

/// A call of somebody who may look.
#[derive(Clone)]
pub(super) struct Visit {
    /// Who.
    pub(super) visitor: Visitor,
    /// In which language.
    pub(super) say: Say,
    /// Whether keys do something.
    keys: bool,
    /// The address of the page.
    pub(super) here: String,
    /// What stands behind its `?`.
    pub(super) query: Fields,
    /// What time it is.
    pub(super) now: Timestamp,
}

/// How a call stands.
pub(super) enum Standing {
    /// They may look.
    Visits(Visit),
    /// They must say first who they are.
    Unknown(Visit),
    /// A foreign page makes the call.
    Foreign,
}

impl Visit {
    /// What is around a page, as far as the call tells.
    pub(super) fn frame(&self) -> Frame {
        Frame {
            say: self.say,
            visitor: self.visitor.clone(),
            section: Section::Elsewhere,
            here: self.here.clone(),
            now: self.now,
            open: 0,
            worst: None,
            notice: None,
            keys: self.keys,
            shops: Vec::new(),
            is_file: false,
        }
    }

    /// Whether they may do what this role may.
    pub(super) fn must_be(&self, role: Role) -> Result<(), Refusal> {
        if self.visitor.name.is_some() && self.visitor.role >= role {
            Ok(())
        } else {
            Err(Refusal::Forbidden)
        }
    }

    /// In whose name they act.
    pub(super) fn by(&self) -> String {
        self.visitor.name.clone().unwrap_or_default()
    }
}

/// Where [`super::around`] has left it.
impl<S: Sync> FromRequestParts<S> for Visit {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts.extensions.get::<Self>().cloned().ok_or(Refusal::Trouble)
    }
}

impl Dashboard {
    /// How a call stands.
    pub(super) fn standing(&self, parts: &Parts) -> Standing {
        let settings = Arc::clone(&self.admin.settings.borrow());
        let caller = parts.extensions.get::<Caller>().copied();
        let is_local = matches!(caller, Some(Caller::Account { .. }));
        let is_open = settings.token.is_none() && settings.users.is_empty();
        if is_open && !is_local && is_from_foreign_page(&parts.headers) {
            return Standing::Foreign;
        }
        let cookies = cookies(parts);
        let language = cookies
            .get("language")
            .and_then(|language| language.parse().ok())
            .or_else(|| accepted_language(parts))
            .unwrap_or(settings.desk.language);
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let visit = |visitor| Visit {
            visitor,
            say: Say(language),
            keys: cookies.get("keys").is_none_or(|keys| keys != "off"),
            here: path.to_owned(),
            query: parts.uri.query().and_then(|query| Fields::read(query.as_bytes())).unwrap_or_default(),
            now: self.admin.clock.now(),
        };
        let nobody = Visitor { name: None, role: Role::Viewer, form_token: String::new() };
        let cookie = cookies.get(cookie_name(is_secure(&settings)));
        match cookie.and_then(|cookie| self.recognise(&settings, cookie)) {
            Some(visitor) => Standing::Visits(visit(visitor)),
            None if is_open || is_local => Standing::Visits(visit(nobody)),
            None => Standing::Unknown(visit(nobody)),
        }
    }

    /// Who a cookie is of. Roles are those of now.
    fn recognise(&self, settings: &AdminSettings, cookie: &str) -> Option<Visitor> {
        let (session, stamp) = Session::read(cookie, self.admin.clock.now())?;
        let key = self.admin.key.stamps();
        let (name, role, credential) = match &session.name {
            Some(name) => {
                let user = settings.users.iter().find(|user| user.name == *name)?;
                (user.name.clone(), user.role, user.password.as_str().as_bytes())
            }
            None => (TOKEN_HOLDER.to_owned(), Role::Admin, settings.token.as_ref()?.digest().as_slice()),
        };
        session.is_ours(key, credential, &stamp).then(|| Visitor {
            name: Some(name),
            role,
            form_token: session.form_token(key),
        })
    }
}

/// Whether browsers come by https: the address that people open says so.
pub(super) fn is_secure(settings: &AdminSettings) -> bool {
    settings.dashboard_url.as_deref().is_some_and(|url| url.starts_with("https://"))
}

/// The first of our languages that a browser asks for.
fn accepted_language(parts: &Parts) -> Option<Language> {
    let wanted = parts.headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    let mut ranked: Vec<(u32, Language)> = wanted
        .split(',')
        .filter_map(|range| {
            let mut parts = range.split(';');
            let name = parts.next()?.trim().get(..2)?.to_ascii_lowercase();
            let quality = parts.find_map(|part| part.trim().strip_prefix("q=")).map_or(1000, thousandths);
            (quality > 0).then_some((quality, name.parse().ok()?))
        })
        .collect();
    ranked.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
    ranked.first().map(|(_, language)| *language)
}

/// `0.8` as 800.
fn thousandths(text: &str) -> u32 {
    let (whole, rest) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits: String = rest.chars().chain("000".chars()).take(3).collect();
    let number = |text: &str| text.parse::<u32>().unwrap_or(0);
    number(whole).min(1).saturating_mul(1000).saturating_add(number(&digits)).min(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_first_of_ours_that_the_browser_wants() {
        let accepted = |wanted: &str| {
            let request = axum::http::Request::builder().header(header::ACCEPT_LANGUAGE, wanted).body(());
            accepted_language(&request.expect("a request").into_parts().0)
        };
        assert_eq!(accepted("fr-FR,fr;q=0.9,en;q=0.8"), Some(Language::French));
        assert_eq!(accepted("de, en-GB;q=0.7, fr;q=0.3"), Some(Language::English));
        assert_eq!(accepted("en;q=0.1, fr;q=0.25"), Some(Language::French));
        for none in ["de", "", "*", "fr;q=0", "é"] {
            assert_eq!(accepted(none), None, "{none}");
        }
    }
}
