//! `[[shop.endpoint]]`: one flat table for all PSPs, so that an error names line and key; which keys a PSP
//! wants is checked here.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::Endpoint;
use super::file::Check;
use super::secrets::{self, Source};
use crate::crypto::{RsaPublicKey, SecretToken};
use crate::domain::{EndpointId, Mode, Psp, ShopId};
use crate::psp::{Adapter, sogecommerce, up2pay};

/// Sogecommerce's keys for form notifications have this length.
const FORM_KEY_LENGTH: usize = 16;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEndpoint {
    pub(super) id: String,
    pub(super) psp: String,
    pub(super) mode: String,
    token: Option<SecretString>,
    token_file: Option<String>,
    #[serde(default)]
    allow_from: Vec<String>,
    // Up2pay
    pbx_retour: Option<String>,
    public_key_files: Option<Vec<String>>,
    // Sogecommerce
    pub(super) site_id: Option<String>,
    key: Option<SecretString>,
    key_file: Option<String>,
    algorithm: Option<String>,
    rest_password: Option<SecretString>,
    rest_password_file: Option<String>,
}

impl RawEndpoint {
    pub(super) fn token_source(&self) -> Source<'_> {
        Source::new(self.token.as_ref(), self.token_file.as_deref())
    }

    pub(super) fn template(&self) -> Result<up2pay::Template, up2pay::TemplateError> {
        self.pbx_retour.as_deref().map_or_else(|| Ok(up2pay::Template::default()), up2pay::Template::parse)
    }

    pub(super) fn algorithm(&self) -> Result<sogecommerce::Algorithm, sogecommerce::UnknownAlgorithm> {
        self.algorithm.as_deref().unwrap_or("hmac-sha-256").parse()
    }

    pub(super) fn key_source(&self) -> Source<'_> {
        Source::new(self.key.as_ref(), self.key_file.as_deref())
    }

    /// Makes the endpoint, or notes what is wrong. `at` is its place in the file, as in `shop[0].endpoint[1]`.
    pub(super) fn resolve(&self, at: &str, shop: &ShopId, check: &mut Check<'_>) -> Option<Endpoint> {
        let id = check.value(&format!("{at}.id"), EndpointId::new(self.id.as_str()));
        let psp = check.value(&format!("{at}.psp"), self.psp.parse::<Psp>());
        let mode = check.value(&format!("{at}.mode"), self.mode.parse::<Mode>());
        let token = self.token(at, mode, check);
        let allow_from = check.networks(&format!("{at}.allow_from"), &self.allow_from);
        let (psp, mode) = (psp?, mode?);
        self.refuse_keys_of_others(at, psp, check);
        let adapter: Option<Box<dyn Adapter>> = match psp {
            Psp::Up2pay => self.up2pay(at, mode, check).map(|adapter| Box::new(adapter) as _),
            Psp::Sogecommerce => self.sogecommerce(at, mode, check).map(|adapter| Box::new(adapter) as _),
        };
        Some(Endpoint {
            id: id?,
            shop: shop.clone(),
            psp,
            mode,
            token: token?,
            allow_from,
            adapter: adapter?,
        })
    }

    fn token(&self, at: &str, mode: Option<Mode>, check: &mut Check<'_>) -> Option<SecretToken> {
        let key = format!("{at}.token");
        let source = self.token_source();
        self.warn_of_inline(&key, mode, source, check);
        let before = check.problems.len();
        let secret = check.secret(&key, source);
        if secret.is_none() && check.problems.len() == before {
            check.wrong(&key, "missing (or token_file); make one with `openssl rand -hex 16`");
        }
        check.value(&key, SecretToken::new(&secret?))
    }

    fn warn_of_inline(&self, key: &str, mode: Option<Mode>, source: Source<'_>, check: &mut Check<'_>) {
        if source.is_inline() && mode == Some(Mode::Production) {
            check.unwise(
                key,
                format!("inline in production ({}); {key}_file keeps it out of this file", self.id),
            );
        }
    }

    fn refuse_keys_of_others(&self, at: &str, psp: Psp, check: &mut Check<'_>) {
        let keys = [
            ("pbx_retour", self.pbx_retour.is_some(), Psp::Up2pay),
            ("public_key_files", self.public_key_files.is_some(), Psp::Up2pay),
            ("site_id", self.site_id.is_some(), Psp::Sogecommerce),
            ("key", self.key.is_some(), Psp::Sogecommerce),
            ("key_file", self.key_file.is_some(), Psp::Sogecommerce),
            ("algorithm", self.algorithm.is_some(), Psp::Sogecommerce),
            ("rest_password", self.rest_password.is_some(), Psp::Sogecommerce),
            ("rest_password_file", self.rest_password_file.is_some(), Psp::Sogecommerce),
        ];
        for (name, given, owner) in keys {
            if given && owner != psp {
                check.wrong(format!("{at}.{name}"), format!("belongs to psp = \"{owner}\"; remove it here"));
            }
        }
    }

    fn up2pay(&self, at: &str, mode: Mode, check: &mut Check<'_>) -> Option<up2pay::Up2pay> {
        let template = check.value(&format!("{at}.pbx_retour"), self.template());
        let files = self.public_key_files.as_deref().unwrap_or_default();
        let mut keys = Vec::new();
        for (n, file) in files.iter().enumerate() {
            let key = format!("{at}.public_key_files[{n}]");
            let Some(path) = check.value(&key, secrets::path(file, check.folder)) else { continue };
            let pem =
                std::fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()));
            let Some(pem) = check.value(&key, pem) else { continue };
            let parsed = RsaPublicKey::from_pem(&pem).map_err(|error| format!("{}: {error}", path.display()));
            keys.extend(check.value(&key, parsed));
        }
        if files.is_empty() {
            keys.push(up2pay::Settings::platform_key());
        }
        Some(up2pay::Up2pay::new(up2pay::Settings { mode, template: template?, keys }))
    }

    fn sogecommerce(
        &self,
        at: &str,
        mode: Mode,
        check: &mut Check<'_>,
    ) -> Option<sogecommerce::Sogecommerce> {
        let key = format!("{at}.site_id");
        let site_id = if let Some(text) = &self.site_id {
            check.value(&key, sogecommerce::SiteId::new(text.as_str()))
        } else {
            check.wrong(&key, "missing: the shop's eight digits, as in site_id = \"12345678\"");
            None
        };
        let key = format!("{at}.key");
        let source = self.key_source();
        self.warn_of_inline(&key, Some(mode), source, check);
        let before = check.problems.len();
        let secret = check.secret(&key, source);
        if secret.is_none() && check.problems.len() == before {
            check.wrong(&key, "missing (or key_file): the form key of this mode from the back office");
        }
        if secret.as_ref().is_some_and(|key| key.expose_secret().trim().len() != FORM_KEY_LENGTH) {
            check.unwise(
                &key,
                "the form key has 16 characters; the keys and passwords of the REST API are others",
            );
        }
        let algorithm = check.value(&format!("{at}.algorithm"), self.algorithm());
        let rest = Source::new(self.rest_password.as_ref(), self.rest_password_file.as_deref());
        let rest_password = check.secret(&format!("{at}.rest_password"), rest);
        Some(sogecommerce::Sogecommerce::new(sogecommerce::Settings {
            mode,
            site_id: site_id?,
            key: secret?,
            algorithm: algorithm?,
            rest_password,
        }))
    }
}
