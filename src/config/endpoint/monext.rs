//! The keys of a Monext endpoint.

use cvco_domain::Mode;
use cvco_psp::monext;

use super::RawEndpoint;
use super::api::RawApi;
use crate::config::check::{Check, missing};
use crate::config::secrets::Source;

impl RawEndpoint {
    pub(super) fn monext(&self, at: &str, mode: Mode, check: &mut Check<'_>) -> Option<monext::Monext> {
        let key = format!("{at}.merchant_id");
        let merchant_id = self.needed_text(
            &key,
            self.merchant_id.as_deref(),
            ("l’identifiant du commerçant, en chiffres", "the merchant id, digits"),
            check,
        );
        let source = Source::new(self.access_key.as_ref(), self.access_key_file.as_deref());
        let access_key = self.needed_secret(
            &format!("{at}.access_key"),
            source,
            ("la clé d’accès du Centre d’administration", "the access key from the Administration Center"),
            check,
        );
        let voucher_contracts =
            Self::contracts(at, "voucher_contracts", self.voucher_contracts.as_deref(), check);
        let card_contracts = Self::contracts(at, "card_contracts", self.card_contracts.as_deref(), check);
        if voucher_contracts.is_empty() {
            check.unwise(
                format!("{at}.voucher_contracts"),
                missing((
                    "part chèque-vacances et part carte ne se distinguent que par le moyen de paiement",
                    "voucher and card are told apart by the payment method alone",
                )),
            );
        }
        if let Some(both) = voucher_contracts.iter().find(|contract| card_contracts.contains(contract)) {
            check.wrong(
                format!("{at}.card_contracts"),
                (
                    format!(
                        "{both} figure aussi dans voucher_contracts\u{a0}; gardez-le là où il a sa place"
                    ),
                    format!("{both} stands in voucher_contracts too; keep it where it belongs"),
                ),
            );
        }
        let (usual, usual_directory) = monext::Settings::usual_addresses(mode);
        let (mut base, mut directory) = (Some(usual), Some(usual_directory));
        if let Some(raw) = &self.api {
            raw.refuse_other_keys(&format!("{at}.api"), &["base_url", "directory_url"], check);
            if let Some(url) = raw.base_url.as_deref() {
                // The usual directory belongs to the usual address.
                (base, directory) =
                    (Some(url), (url.trim_end_matches('/') == usual).then_some(usual_directory));
            }
            directory = raw.directory_url.as_deref().or(directory);
        }
        let address = |name: &str, text: &str, check: &mut Check<'_>| {
            RawApi::base_url(&format!("{at}.api.{name}"), text, check)
        };
        let base_url = base.and_then(|text| address("base_url", text, check));
        let directory_url = match directory {
            None => None,
            Some(text) => Some(address("directory_url", text, check)?),
        };
        Some(monext::Monext::new(monext::Settings {
            mode,
            merchant_id: merchant_id?,
            access_key: access_key?,
            base_url: base_url?,
            directory_url,
            voucher_contracts,
            card_contracts,
        }))
    }
}
