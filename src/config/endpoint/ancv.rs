//! The keys of an ANCV endpoint.

use cvco_domain::Mode;
use cvco_psp::ancv;

use super::RawEndpoint;
use super::api::RawApi;
use crate::config::check::{Check, missing};

impl RawEndpoint {
    pub(super) fn ancv(&self, at: &str, mode: Mode, check: &mut Check<'_>) -> Option<ancv::Ancv> {
        check.unwise(
            format!("{at}.psp"),
            (
                "expérimental\u{a0}: le kit d’intégration de l’ANCV n’est pas public",
                "experimental: ANCV's integration kit is not public",
            ),
        );
        let key = format!("{at}.shop_id");
        let shop_id = self.needed_text(
            &key,
            self.shop_id.as_deref(),
            ("le numéro de la boutique à l’ANCV", "the shop's number at ANCV"),
            check,
        );
        let key = format!("{at}.service_provider_id");
        let provider = self.service_provider_id.as_deref();
        let provider = self.needed_text(
            &key,
            provider,
            ("le numéro du prestataire de services à l’ANCV", "the service provider's number at ANCV"),
            check,
        );
        let at = format!("{at}.api");
        let Some(raw) = &self.api else {
            check.wrong(
                at,
                missing((
                    "la notification de l’ANCV ne prouve rien, il faut interroger son API",
                    "ANCV's notification proves nothing, its API must be asked",
                )),
            );
            return None;
        };
        raw.refuse_other_keys(&at, &["base_url", "key_id", "secret"], check);
        let base_url = RawApi::address(&at, "base_url", raw.base_url.as_deref(), check);
        let version = RawApi::text(
            &at,
            "key_id",
            raw.key_id.as_deref(),
            ("la version de la clé, comme ver001", "the key's version, as in ver001"),
            check,
        );
        let secret = raw.secret(&at, ("la clé du sceau", "the seal's key"), self, check);
        Some(ancv::Ancv::new(ancv::Settings {
            mode,
            shop_id: shop_id?,
            service_provider_id: provider?,
            base_url: base_url?,
            key_version: version?,
            key: secret?,
        }))
    }
}
