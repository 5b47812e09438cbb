//! The keys of a Worldline endpoint.

use cvco_domain::Mode;
use cvco_psp::worldline;
use secrecy::SecretString;
use serde::Deserialize;

use super::RawEndpoint;
use super::api::RawApi;
use crate::config::check::{Check, missing};
use crate::config::secrets::Source;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "each pair in braces: { id = \"…\", secret_file = \"…\" }")]
pub(super) struct RawWebhookKey {
    id: String,
    secret: Option<SecretString>,
    secret_file: Option<String>,
}

impl RawWebhookKey {
    fn source(&self) -> Source<'_> {
        Source::new(self.secret.as_ref(), self.secret_file.as_deref())
    }
}

impl RawEndpoint {
    /// The account, and the key with which Worldline would sign.
    pub(in crate::config) fn first_webhook_key(
        &self,
        check: &mut Check<'_>,
    ) -> Option<(String, worldline::WebhookKey)> {
        let raw = self.webhook_keys.as_deref()?.first()?;
        let secret = check.secret("webhook_keys[0].secret", raw.source())?;
        Some((self.merchant_id.clone()?, worldline::WebhookKey { id: raw.id.trim().to_owned(), secret }))
    }

    pub(super) fn worldline(
        &self,
        at: &str,
        mode: Mode,
        check: &mut Check<'_>,
    ) -> Option<worldline::Worldline> {
        let merchant_id = self.needed_text(
            &format!("{at}.merchant_id"),
            self.merchant_id.as_deref(),
            (
                "le PSPID, affiché en haut du Merchant Portal",
                "the PSPID, as the Merchant Portal shows it at the top",
            ),
            check,
        );
        let mut webhook_keys = Vec::new();
        for (n, raw) in self.webhook_keys.iter().flatten().enumerate() {
            let key = format!("{at}.webhook_keys[{n}].secret");
            let secret = self.needed_secret(
                &key,
                raw.source(),
                ("la clé secrète de webhook", "the secret webhook key"),
                check,
            );
            webhook_keys
                .extend(secret.map(|secret| worldline::WebhookKey { id: raw.id.trim().to_owned(), secret }));
        }
        if self.webhook_keys.as_ref().is_none_or(Vec::is_empty) {
            check.wrong(
                format!("{at}.webhook_keys"),
                missing((
                    "au moins une paire { id = \"…\", secret_file = \"…\" }, du Merchant Portal, Developer > Webhooks",
                    "at least one { id = \"…\", secret_file = \"…\" } from the Merchant Portal, Developer > Webhooks",
                )),
            );
        }
        let api = match &self.api {
            None => {
                check.unwise(
                    format!("{at}.api"),
                    missing((
                        "les webhooks ne disent pas toujours comment un paiement se répartit entre chèque-vacances et carte",
                        "the webhooks do not always say how a payment splits into voucher and card",
                    )),
                );
                None
            }
            Some(raw) => {
                let at = format!("{at}.api");
                raw.refuse_other_keys(&at, &["base_url", "key_id", "secret"], check);
                let usual = worldline::ApiSettings::usual_address(mode);
                let base_url =
                    RawApi::address(&at, "base_url", raw.base_url.as_deref().or(Some(usual)), check);
                let key_id = RawApi::text(
                    &at,
                    "key_id",
                    raw.key_id.as_deref(),
                    ("l’identifiant de la clé d’API", "the API key id"),
                    check,
                );
                let secret = raw.secret(&at, ("la clé d’API secrète", "the secret API key"), self, check);
                Some(worldline::ApiSettings { base_url: base_url?, key_id: key_id?, secret: secret? })
            }
        };
        Some(worldline::Worldline::new(worldline::Settings {
            mode,
            merchant_id: merchant_id?,
            webhook_keys,
            api,
        }))
    }
}
