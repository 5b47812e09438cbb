//! `[[alerts.channel]]`: ways on which people are told beside e-mail. The URL of each is a secret.

use std::collections::BTreeSet;

use cvco_domain::{Audience, Bilingual, Severity, ShopId, Way, Worded};
use hyper::Uri;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::check::Check;
use super::secrets::Source;
use crate::alert::channel::{Channel, ChannelKind};
use crate::outbound::Signer;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawChannel {
    id: Option<String>,
    kind: String,
    url: Option<SecretString>,
    url_file: Option<String>,
    token: Option<SecretString>,
    token_file: Option<String>,
    secret: Option<SecretString>,
    secret_file: Option<String>,
    severities: Option<Vec<String>>,
    #[serde(default)]
    shops: Vec<String>,
    #[serde(default)]
    allow_private: bool,
}

impl RawChannel {
    /// `known` are the ids of all shops.
    pub(super) fn resolve(
        &self,
        key: &str,
        known: &BTreeSet<&str>,
        check: &mut Check<'_>,
    ) -> Option<(Channel, Audience)> {
        let of = |name: &str| format!("{key}.{name}");
        let kind: Option<ChannelKind> = check.value(&of("kind"), self.kind.parse());
        let id = Way::new(self.id.as_deref().unwrap_or(&self.kind)).map_err(|error| error.words());
        let id = id.and_then(|id| {
            let reserved = || {
                Bilingual::new(
                    "mail est le nom du courriel\u{a0}; choisissez-en un autre",
                    "mail is the name of e-mail; take another",
                )
            };
            if id.is_mail() { Err(reserved()) } else { Ok(id) }
        });
        let id = check.value(&of("id"), id);
        let url = self.url(&of("url"), check);
        let token = Source::new(self.token.as_ref(), self.token_file.as_deref());
        let secret = Source::new(self.secret.as_ref(), self.secret_file.as_deref());
        if token.is_given() && kind.is_some_and(|kind| kind != ChannelKind::Ntfy) {
            check.wrong(of("token"), ("seul ntfy en prend un", "only ntfy takes one"));
        }
        if secret.is_given() && kind.is_some_and(|kind| kind != ChannelKind::Webhook) {
            check.wrong(of("secret"), ("seul un webhook est signé", "only a webhook is signed"));
        }
        let token = check.secret(&of("token"), token);
        let signer = signer(&of("secret"), secret, kind, check);
        let severities = self.severities(&of("severities"), check);
        let shops = self.shops(&of("shops"), known, check);
        let (id, kind, url) = (id?, kind?, url?);
        let channel = Channel { id, kind, url, token, signer, allow_private: self.allow_private };
        Some((channel, Audience { severities, shops }))
    }

    fn url(&self, key: &str, check: &mut Check<'_>) -> Option<SecretString> {
        let source = Source::new(self.url.as_ref(), self.url_file.as_deref());
        if !source.is_given() {
            check.wrong(
                key,
                (
                    "manque\u{a0}: donnez url_file, le fichier qui la contient, car qui connaît l’URL peut y écrire",
                    "missing; write url_file, the file that holds it: who knows the URL can write there",
                ),
            );
            return None;
        }
        let url = check.secret(key, source)?;
        let uri: Option<Uri> = url.expose_secret().parse().ok();
        let is_address = uri.is_some_and(|uri| {
            let no_password = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
            no_password && matches!(uri.scheme_str(), Some("https" | "http"))
        });
        if !is_address {
            check.wrong(
                key,
                (
                    "ce n’est pas une adresse qui commence par https:// (ou http:// sur cette machine)",
                    "not an address that begins with https:// (or http:// on this machine)",
                ),
            );
            return None;
        }
        Some(url)
    }

    fn severities(&self, key: &str, check: &mut Check<'_>) -> BTreeSet<Severity> {
        let Some(named) = &self.severities else {
            return BTreeSet::from([Severity::Urgent, Severity::Warning]);
        };
        if named.is_empty() {
            check.wrong(
                key,
                (
                    "vide\u{a0}: ce canal ne recevrait jamais rien\u{a0}; écrivez par exemple [\"urgent\"]",
                    "empty: it would never be told anything; write for instance [\"urgent\"]",
                ),
            );
        }
        named.iter().filter_map(|text| check.value(key, text.parse())).collect()
    }

    fn shops(&self, key: &str, known: &BTreeSet<&str>, check: &mut Check<'_>) -> BTreeSet<ShopId> {
        for shop in self.shops.iter().filter(|shop| !known.contains(shop.as_str())) {
            check.wrong(
                key,
                (
                    format!("«\u{a0}{shop}\u{a0}» n’est l’id d’aucun [[shop]]"),
                    format!("{shop:?} is the id of no [[shop]]"),
                ),
            );
        }
        self.shops.iter().filter_map(|shop| ShopId::new(shop.as_str()).ok()).collect()
    }
}

/// What signs the calls of a webhook.
fn signer(key: &str, source: Source<'_>, kind: Option<ChannelKind>, check: &mut Check<'_>) -> Option<Signer> {
    if kind == Some(ChannelKind::Webhook) && !source.is_given() {
        check.unwise(
            key,
            (
                "manque\u{a0}: le destinataire ne peut pas prouver qu’un appel vient de nous\u{a0}; donnez secret_file",
                "missing: the receiver cannot prove that a call is ours; write secret_file",
            ),
        );
    }
    let secret = check.secret(key, source)?;
    check.value(key, Signer::of([&secret]))
}
