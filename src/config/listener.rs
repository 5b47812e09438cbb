//! `[listener]`: where PSPs and people call.

use std::path::PathBuf;

use cvco_domain::Mode;
use cvco_domain::crypto::SecretToken;
use secrecy::SecretString;
use serde::Deserialize;

use super::check::{Check, OTHERS, not};
use super::secrets::{self, Source};
use super::{ListenerSettings, Tls};
use crate::listener::tls::{Identity, TlsFiles};

/// The name of the socket in the service's folder.
const ADMIN_SOCKET: &str = "admin.sock";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawListener {
    public: Option<String>,
    public_url: Option<String>,
    admin: Option<String>,
    admin_socket: Option<String>,
    admin_token: Option<SecretString>,
    admin_token_file: Option<String>,
    tls_certificate_file: Option<String>,
    tls_key_file: Option<String>,
    #[serde(default)]
    trusted_proxies: Vec<String>,
}

impl RawListener {
    /// `mode`: production, if any endpoint is.
    pub(super) fn resolve(&self, mode: Option<Mode>, check: &mut Check<'_>) -> Option<ListenerSettings> {
        let public = check.address("listener.public", self.public.as_deref(), "127.0.0.1:8080");
        let admin = check.address("listener.admin", self.admin.as_deref(), "127.0.0.1:8081");
        let key = "listener.admin_token";
        let source = self.admin_token_source();
        let admin_token = check.secret(key, source).and_then(|token| {
            check.placeholder_secret(key, mode, &token);
            check.value(key, SecretToken::new(&token))
        });
        let trusted_proxies = check.networks("listener.trusted_proxies", &self.trusted_proxies);
        let public_url = self.public_url(check);
        let (public, admin) = (public?, admin?);
        if public == admin && public.port() != 0 {
            check.wrong(
                "listener.admin",
                (
                    format!("{admin} est aussi listener.public\u{a0}: donnez-lui un port à part"),
                    format!("{admin} is listener.public too: give it a port of its own"),
                ),
            );
        }
        if !admin.ip().is_loopback() && admin_token.is_none() {
            check.wrong(
                key,
                (
                    "nécessaire (ou admin_token_file), car listener.admin n’est pas une adresse de bouclage (loopback)\u{a0}; \
                     créez-en un avec `openssl rand -hex 32`",
                    "needed (or admin_token_file), because listener.admin is not a loopback address; \
                     make one with `openssl rand -hex 32`",
                ),
            );
        }
        let admin_socket = self.admin_socket(check);
        let tls = self.tls(check);
        Some(ListenerSettings { public, public_url, admin, admin_socket, admin_token, trusted_proxies, tls })
    }

    /// A pair that cannot be used is told now, and not by the first PSP that calls.
    fn tls(&self, check: &mut Check<'_>) -> Option<Tls> {
        let (certificate, key) = match (self.tls_certificate_file.as_deref(), self.tls_key_file.as_deref()) {
            (None, None) => return None,
            (Some(certificate), Some(key)) => (certificate, key),
            (Some(_), None) => {
                check.wrong(
                    "listener.tls_key_file",
                    ("nécessaire avec tls_certificate_file", "needed beside tls_certificate_file"),
                );
                return None;
            }
            (None, Some(_)) => {
                check.wrong(
                    "listener.tls_certificate_file",
                    ("nécessaire avec tls_key_file", "needed beside tls_key_file"),
                );
                return None;
            }
        };
        let certificate = secrets::path(certificate, check.folder);
        let certificate = check.value("listener.tls_certificate_file", certificate)?;
        let is_credential = key.starts_with("%d/");
        let key = check.value("listener.tls_key_file", secrets::path(key, check.folder))?;
        check.readable(&key, OTHERS);
        if is_credential {
            check.unwise(
                "listener.tls_key_file",
                (
                    "systemd copie un secret au démarrage du service\u{a0}: redémarrez-le après chaque renouvellement",
                    "systemd copies a credential when the service starts: after each renewal it must be restarted",
                ),
            );
        }
        let files = TlsFiles { certificate, key };
        let identity = check.value("listener.tls_certificate_file", Identity::read(&files))?;
        Some(Tls { files, identity })
    }

    /// Where accounts of this machine call. As a service that is the folder which systemd makes for it; elsewhere there is none
    /// unless it is named.
    pub(super) fn admin_socket(&self, check: &mut Check<'_>) -> Option<PathBuf> {
        match self.admin_socket.as_deref() {
            Some("") => None,
            Some(path) => check.value("listener.admin_socket", secrets::path(path, check.folder)),
            None => {
                let folders = std::env::var_os("RUNTIME_DIRECTORY")?;
                Some(std::env::split_paths(&folders).next()?.join(ADMIN_SOCKET))
            }
        }
    }

    pub(super) fn admin_token_source(&self) -> Source<'_> {
        Source::new(self.admin_token.as_ref(), self.admin_token_file.as_deref())
    }

    /// The name or address in `public_url`.
    pub(super) fn public_host(&self) -> Option<&str> {
        let (_, rest) = self.public_url.as_deref()?.split_once("://")?;
        let authority = rest.split('/').next()?;
        let host = match authority.strip_prefix('[') {
            Some(inner) => inner.split(']').next()?,
            None => authority.split(':').next()?,
        };
        (!host.is_empty()).then_some(host)
    }

    pub(super) fn public_url(&self, check: &mut Check<'_>) -> Option<String> {
        let text = self.public_url.as_deref()?.trim_end_matches('/');
        let is_url = text.starts_with("https://") || text.starts_with("http://");
        if !is_url || text.contains(['?', '#', ' ']) {
            let what = not(text, ("une adresse", "an address"), "\"https://pay.camping.example\"");
            check.wrong("listener.public_url", what);
            return None;
        }
        Some(text.to_owned())
    }
}
