//! `api = { … }` of an endpoint: where the PSP's own API is, and what it takes to ask it.

use cvco_domain::Bilingual;
use cvco_psp::api::BaseUrl;
use secrecy::SecretString;
use serde::Deserialize;

use super::RawEndpoint;
use crate::config::check::{Check, missing};
use crate::config::explain::holds_password;
use crate::config::secrets::Source;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, in braces: { secret_file = \"…\" }")]
pub(super) struct RawApi {
    pub(super) base_url: Option<String>,
    pub(super) backup_url: Option<String>,
    pub(super) directory_url: Option<String>,
    pub(super) key_id: Option<String>,
    pub(super) secret: Option<SecretString>,
    pub(super) secret_file: Option<String>,
    pub(super) site: Option<String>,
    pub(super) rang: Option<String>,
}

impl RawApi {
    /// Refuses the keys that this PSP's API has no use for; a secret and its file are one.
    pub(super) fn refuse_other_keys(&self, at: &str, own: &[&str], check: &mut Check<'_>) {
        let keys = [
            ("base_url", "base_url", self.base_url.is_some()),
            ("backup_url", "backup_url", self.backup_url.is_some()),
            ("directory_url", "directory_url", self.directory_url.is_some()),
            ("key_id", "key_id", self.key_id.is_some()),
            ("secret", "secret", self.secret.is_some()),
            ("secret", "secret_file", self.secret_file.is_some()),
            ("site", "site", self.site.is_some()),
            ("rang", "rang", self.rang.is_some()),
        ];
        for (owner, name, given) in keys {
            if given && !own.contains(&owner) {
                check.wrong(
                    format!("{at}.{name}"),
                    (
                        "sans objet pour l’API de ce prestataire\u{a0}; retirez cette clé",
                        "this PSP's API has no use for it; remove it here",
                    ),
                );
            }
        }
    }

    /// An address, or note that it is missing or wrong.
    pub(super) fn address(
        at: &str,
        name: &str,
        text: Option<&str>,
        check: &mut Check<'_>,
    ) -> Option<BaseUrl> {
        let what = ("l’adresse de l’API du prestataire", "the address of the PSP's API");
        let text = Self::text(at, name, text, what, check)?;
        Self::base_url(&format!("{at}.{name}"), &text, check)
    }

    /// An address, or note that it is wrong.
    pub(super) fn base_url(key: &str, text: &str, check: &mut Check<'_>) -> Option<BaseUrl> {
        if holds_password(text) {
            check.wrong(
                key,
                (
                    "contient un mot de passe\u{a0}; l’API n’en prend pas à cet endroit",
                    "holds a password; the API takes none there",
                ),
            );
            return None;
        }
        check.value(key, BaseUrl::parse(text))
    }

    /// A text, or note that it is missing.
    pub(super) fn text(
        at: &str,
        name: &str,
        text: Option<&str>,
        what: impl Into<Bilingual>,
        check: &mut Check<'_>,
    ) -> Option<String> {
        let text = text.map(str::trim).filter(|text| !text.is_empty());
        if text.is_none() {
            check.wrong(format!("{at}.{name}"), missing(what));
        }
        text.map(str::to_owned)
    }

    /// Digits, or note that they are missing or something else.
    pub(super) fn digits(
        at: &str,
        name: &str,
        text: Option<&str>,
        what: impl Into<Bilingual>,
        check: &mut Check<'_>,
    ) -> Option<String> {
        let what = what.into();
        let text = Self::text(at, name, text, what.clone(), check)?;
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        if !digits {
            let what = (
                format!("«\u{a0}{text}\u{a0}» n’est pas {}", what.french),
                format!("{text:?} is not {}", what.english),
            );
            check.wrong(format!("{at}.{name}"), what);
        }
        digits.then_some(text)
    }

    /// The secret, or note that it is missing.
    pub(super) fn secret(
        &self,
        at: &str,
        what: impl Into<Bilingual>,
        endpoint: &RawEndpoint,
        check: &mut Check<'_>,
    ) -> Option<SecretString> {
        let source = Source::new(self.secret.as_ref(), self.secret_file.as_deref());
        endpoint.needed_secret(&format!("{at}.secret"), source, what, check)
    }
}
