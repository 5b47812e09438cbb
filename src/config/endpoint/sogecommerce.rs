//! The keys of a Sogecommerce endpoint.

use cvco_domain::Mode;
use cvco_psp::sogecommerce;
use secrecy::ExposeSecret;

use super::RawEndpoint;
use super::api::RawApi;
use crate::config::file::Check;
use crate::config::secrets::Source;

/// Sogecommerce's keys for form notifications have this length.
const FORM_KEY_LENGTH: usize = 16;

impl RawEndpoint {
    pub(in crate::config) fn algorithm(
        &self,
    ) -> Result<sogecommerce::Algorithm, sogecommerce::UnknownAlgorithm> {
        self.algorithm.as_deref().unwrap_or("hmac-sha-256").parse()
    }

    pub(in crate::config) fn key_source(&self) -> Source<'_> {
        Source::new(self.key.as_ref(), self.key_file.as_deref())
    }

    pub(super) fn sogecommerce(
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
        let api = match &self.api {
            None => None,
            Some(raw) => {
                let at = format!("{at}.api");
                raw.refuse_other_keys(&at, &["base_url"], check);
                if rest_password.is_none() {
                    check.wrong(&at, "needs rest_password (or rest_password_file) beside it");
                }
                let usual = sogecommerce::API_ADDRESS;
                Some(RawApi::address(&at, "base_url", raw.base_url.as_deref().or(Some(usual)), check)?)
            }
        };
        Some(sogecommerce::Sogecommerce::new(sogecommerce::Settings {
            mode,
            site_id: site_id?,
            key: secret?,
            algorithm: algorithm?,
            rest_password,
            api,
        }))
    }
}
