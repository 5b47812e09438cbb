//! The keys of a Sogecommerce endpoint.

use cvco_domain::Mode;
use cvco_psp::sogecommerce;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::RawEndpoint;
use super::api::RawApi;
use crate::config::check::{Check, missing};
use crate::config::secrets::Source;

/// Sogecommerce's keys for form notifications have this length.
const FORM_KEY_LENGTH: usize = 16;

impl RawEndpoint {
    pub(in crate::config) fn algorithm(
        &self,
    ) -> Result<sogecommerce::Algorithm, sogecommerce::UnknownAlgorithm> {
        self.algorithm.as_deref().unwrap_or("hmac-sha-256").parse()
    }

    /// The form keys, each with its name in the file.
    pub(in crate::config) fn key_sources(&self, at: &str) -> Vec<(String, Source<'_>)> {
        sources(
            &format!("{at}.key"),
            Source::new(self.key.as_ref(), self.key_file.as_deref()),
            self.keys.as_deref(),
        )
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
            check.wrong(
                &key,
                missing((
                    "les huit chiffres de la boutique, comme site_id = \"12345678\"",
                    "the shop's eight digits, as in site_id = \"12345678\"",
                )),
            );
            None
        };
        let keys = self.form_keys(at, mode, check);
        let algorithm = check.value(&format!("{at}.algorithm"), self.algorithm());
        let rest_passwords = self.rest_passwords_of(at, mode, check);
        let api = match &self.api {
            None => None,
            Some(raw) => {
                let at = format!("{at}.api");
                raw.refuse_other_keys(&at, &["base_url"], check);
                if rest_passwords.is_empty() {
                    check.wrong(
                        &at,
                        (
                            "nécessite rest_password (ou rest_password_file) à côté",
                            "needs rest_password (or rest_password_file) beside it",
                        ),
                    );
                }
                let usual = sogecommerce::API_ADDRESS;
                Some(RawApi::address(&at, "base_url", raw.base_url.as_deref().or(Some(usual)), check)?)
            }
        };
        Some(sogecommerce::Sogecommerce::new(sogecommerce::Settings {
            mode,
            site_id: site_id?,
            keys: keys?,
            algorithm: algorithm?,
            rest_passwords,
            api,
        }))
    }

    /// The keys that may have signed a form; `None` if one is missing or wrong.
    fn form_keys(&self, at: &str, mode: Mode, check: &mut Check<'_>) -> Option<Vec<SecretString>> {
        let sources = self.key_sources(at);
        if sources.is_empty() {
            check.wrong(
                format!("{at}.key"),
                (
                    "manque (ou key_file, ou keys = [...] pendant un changement de clé)\u{a0}: la clé de formulaire de ce mode, dans le \
                     back-office",
                    "missing (or key_file, or keys = [...] while it is changed): the form key of this mode from the back \
                     office",
                ),
            );
        }
        if self.keys.is_some() && (self.key.is_some() || self.key_file.is_some()) {
            check.wrong(
                format!("{at}.keys"),
                (
                    "figure à côté de key ou key_file\u{a0}; donnez toutes les clés ici, ou une seule là",
                    "stands beside key or key_file; name all keys here, or one there",
                ),
            );
        }
        let mut keys = Vec::new();
        for (key, source) in &sources {
            self.warn_of_inline(key, Some(mode), *source, check);
            let secret = check.secret(key, *source)?;
            if secret.expose_secret().trim().len() != FORM_KEY_LENGTH {
                check.unwise(
                    key,
                    (
                        "la clé de formulaire compte 16 caractères\u{a0}; ne la confondez pas avec les clés et mots de passe de l’API REST",
                        "the form key has 16 characters; the keys and passwords of the REST API are others",
                    ),
                );
            }
            check.secret_of_psp(key, Some(mode), &secret);
            keys.push(secret);
        }
        (!keys.is_empty()).then_some(keys)
    }

    /// The passwords of the REST API; the first is the one to ask with.
    fn rest_passwords_of(&self, at: &str, mode: Mode, check: &mut Check<'_>) -> Vec<SecretString> {
        let one = Source::new(self.rest_password.as_ref(), self.rest_password_file.as_deref());
        let all = sources(&format!("{at}.rest_password"), one, self.rest_passwords.as_deref());
        let mut passwords = Vec::new();
        for (key, source) in &all {
            let Some(password) = check.secret(key, *source) else { continue };
            check.secret_of_psp(key, Some(mode), &password);
            passwords.push(password);
        }
        passwords
    }
}

/// One of several secrets: a text, or a table with the text or its file.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a text, or a table in braces: { key_file = \"…\" }")]
pub(super) enum RawSecret {
    Inline(SecretString),
    Table(RawSecretTable),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSecretTable {
    #[serde(alias = "password")]
    key: Option<SecretString>,
    #[serde(alias = "password_file")]
    key_file: Option<String>,
}

impl RawSecret {
    fn source(&self) -> Source<'_> {
        match self {
            Self::Inline(secret) => Source::new(Some(secret), None),
            Self::Table(table) => Source::new(table.key.as_ref(), table.key_file.as_deref()),
        }
    }
}

/// The one secret, if it is given, and those of the list, each with its name in the file.
fn sources<'r>(name: &str, one: Source<'r>, several: Option<&'r [RawSecret]>) -> Vec<(String, Source<'r>)> {
    let one = one.is_given().then(|| (name.to_owned(), one));
    let listed = several.unwrap_or_default().iter().enumerate();
    one.into_iter().chain(listed.map(|(n, raw)| (format!("{name}s[{n}]"), raw.source()))).collect()
}
