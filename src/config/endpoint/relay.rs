//! `[[shop.endpoint.relay]]`: the shop's own handlers.

use std::net::IpAddr;
use std::time::Duration;

use cvco_domain::{HandlerAddress, RelayTarget};
use secrecy::SecretString;
use serde::Deserialize;

use crate::config::check::{Check, Purpose, taken};
use crate::config::secrets::Source;
use crate::outbound::{Signer, why_private};
use crate::relay::RelaySettings;

/// What an endpoint has one of has this id.
const ONLY: &str = "shop";

/// PSPs give up a call after some ten seconds; what they wait for beside the shop must find its place in that.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRelay {
    id: Option<String>,
    url: String,
    host: Option<String>,
    #[serde(default)]
    allow_private: bool,
    wait: Option<String>,
    secret: Option<SecretString>,
    secret_file: Option<String>,
    previous_secret: Option<SecretString>,
    previous_secret_file: Option<String>,
}

pub(super) fn resolve(relays: &[RawRelay], at: &str, check: &mut Check<'_>) -> Vec<RelaySettings> {
    let mut resolved: Vec<RelaySettings> = Vec::new();
    for (n, raw) in relays.iter().enumerate() {
        let at = format!("{at}.relay[{n}]");
        let Some(relay) = raw.resolve(&at, check) else { continue };
        if resolved.iter().any(|other| other.id == relay.id) {
            check.wrong(format!("{at}.id"), taken(&relay.id, ("un relais", "relay")));
        }
        resolved.push(relay);
    }
    resolved
}

impl RawRelay {
    fn resolve(&self, at: &str, check: &mut Check<'_>) -> Option<RelaySettings> {
        let id = check.value(&format!("{at}.id"), RelayTarget::new(self.id.as_deref().unwrap_or(ONLY)));
        let key = format!("{at}.url");
        let url = self.url.trim();
        if !is_address(url) {
            check.wrong(
                &key,
                (
                    "ce n’est pas une adresse comme \"https://boutique.example/ipn.php\"\u{a0}: http ou https, sans utilisateur ni #",
                    "not an address like \"https://shop.example/ipn.php\": http or https, no user, no #",
                ),
            );
        } else if url.starts_with("http://") && !self.allow_private {
            check.unwise(
                &key,
                (
                    "http sans chiffrement\u{a0}: quiconque se trouve sur le trajet lit et modifie ce que reçoit la boutique",
                    "plain http: whoever is on the way reads and changes what the shop hears",
                ),
            );
        }
        if let Some(why) = (!self.allow_private).then(|| literal_address(url)).flatten().and_then(why_private)
        {
            check.wrong(&key, why);
        }
        let host = self.host.as_deref().map(str::trim).map(str::to_owned);
        if host.as_deref().is_some_and(|host| host.parse::<hyper::http::uri::Authority>().is_err()) {
            check.wrong(
                format!("{at}.host"),
                ("ce n’est pas un nom comme \"boutique.example\"", "not a name like \"shop.example\""),
            );
        }
        let without_query = url.split('?').next().unwrap_or(url);
        let address = check.value(&key, HandlerAddress::new(without_query));
        let wait = check.duration(&format!("{at}.wait"), self.wait.as_deref(), Duration::ZERO);
        if wait > LONGEST_WAIT {
            check.wrong(
                format!("{at}.wait"),
                (
                    "plus de \"5s\"\u{a0}: le prestataire abandonnerait son appel",
                    "longer than \"5s\": the PSP would give up its call",
                ),
            );
        }
        let signer = self.signer(at, check);
        Some(RelaySettings {
            id: id?,
            url: url.to_owned(),
            address: address?,
            host,
            allow_private: self.allow_private,
            wait,
            signer,
        })
    }

    /// Commands send nothing, and need no secret.
    fn signer(&self, at: &str, check: &mut Check<'_>) -> Option<Signer> {
        if check.purpose == Purpose::Command {
            return None;
        }
        let (key, previous_key) = (format!("{at}.secret"), format!("{at}.previous_secret"));
        let secret = check.secret(&key, Source::new(self.secret.as_ref(), self.secret_file.as_deref()));
        let previous = Source::new(self.previous_secret.as_ref(), self.previous_secret_file.as_deref());
        let previous = check.secret(&previous_key, previous);
        if secret.is_none() && previous.is_some() {
            check.wrong(
                &previous_key,
                (
                    "figure seul\u{a0}: c’est le secret que `secret` remplace",
                    "stands alone: it is the secret that `secret` replaces",
                ),
            );
        }
        let secrets: Vec<_> = secret.into_iter().chain(previous).collect();
        if secrets.is_empty() { None } else { check.value(&key, Signer::of(&secrets)) }
    }
}

/// The address that stands in the place of a name.
fn literal_address(url: &str) -> Option<IpAddr> {
    let uri: hyper::Uri = url.parse().ok()?;
    uri.host()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn is_address(url: &str) -> bool {
    let parsed: Result<hyper::Uri, _> = url.parse();
    parsed.is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
            && !url.contains('#')
    })
}
