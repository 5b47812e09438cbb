//! `[[shop.endpoint]]`: one flat table for all PSPs, so that an error names line and key; which keys a PSP
//! wants is checked in its own file below.

mod ancv;
mod api;
mod monext;
mod relay;
mod sogecommerce;
mod up2pay;
mod worldline;

use std::collections::BTreeSet;

use cvco_domain::crypto::SecretToken;
use cvco_domain::{Bilingual, Contract, EndpointId, Mode, Psp, ShopId};
use cvco_psp::{Adapter, ReferencePattern, ReferencePatternError, WithReferences};
use secrecy::SecretString;
use serde::Deserialize;

use super::check::{Check, Purpose, missing};
use super::secrets::Source;
use super::{Endpoint, EndpointOutline};
use api::RawApi;
use relay::RawRelay;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEndpoint {
    pub(super) id: String,
    pub(super) psp: String,
    pub(super) mode: String,
    token: Option<SecretString>,
    token_file: Option<String>,
    path: Option<String>,
    #[serde(default)]
    allow_from: Vec<String>,
    reference_pattern: Option<String>,
    // Up2pay
    pbx_retour: Option<String>,
    public_key_files: Option<Vec<String>>,
    // Sogecommerce
    pub(super) site_id: Option<String>,
    key: Option<SecretString>,
    key_file: Option<String>,
    keys: Option<Vec<sogecommerce::RawSecret>>,
    algorithm: Option<String>,
    rest_password: Option<SecretString>,
    rest_password_file: Option<String>,
    rest_passwords: Option<Vec<sogecommerce::RawSecret>>,
    contracts: Option<Vec<String>>,
    // Worldline and Monext
    merchant_id: Option<String>,
    // Worldline
    webhook_keys: Option<Vec<worldline::RawWebhookKey>>,
    // Monext
    access_key: Option<SecretString>,
    access_key_file: Option<String>,
    voucher_contracts: Option<Vec<String>>,
    card_contracts: Option<Vec<String>>,
    // ANCV
    shop_id: Option<String>,
    service_provider_id: Option<String>,
    // The PSP's own API
    api: Option<RawApi>,
    // The shop's own handlers
    #[serde(default)]
    relay: Vec<RawRelay>,
}

impl RawEndpoint {
    pub(super) fn token_source(&self) -> Source<'_> {
        Source::new(self.token.as_ref(), self.token_file.as_deref())
    }

    pub(super) fn outline(&self) -> EndpointOutline<'_> {
        EndpointOutline { id: &self.id, psp: self.psp.parse().ok(), has_api: self.api.is_some() }
    }

    /// The merchant's account at the PSP, with the PSP and the mode, where the file names one.
    pub(super) fn account(&self) -> Option<(&str, &str, &str)> {
        let number = self.site_id.as_deref().or(self.merchant_id.as_deref()).or(self.shop_id.as_deref())?;
        Some((self.psp.as_str(), self.mode.as_str(), number))
    }

    /// Whether it takes calls from some addresses only.
    pub(super) const fn filters(&self) -> bool {
        !self.allow_from.is_empty()
    }

    /// Makes the endpoint, or notes what is wrong. `at` is its place in the file, as in `shop[0].endpoint[1]`.
    pub(super) fn resolve(&self, at: &str, shop: &ShopId, check: &mut Check<'_>) -> Option<Endpoint> {
        let id = check.value(&format!("{at}.id"), EndpointId::new(self.id.as_str()));
        let psp = check.value(&format!("{at}.psp"), self.psp.parse::<Psp>());
        let mode = check.value(&format!("{at}.mode"), self.mode.parse::<Mode>());
        let token = self.token(at, mode, check);
        let allow_from = check.networks(&format!("{at}.allow_from"), &self.allow_from);
        let (psp, mode) = (psp?, mode?);
        let contracts = self.known_contracts(at, check);
        self.refuse_keys_of_others(at, psp, check);
        let relays = relay::resolve(&self.relay, at, check);
        let path = self.own_path(at, psp, check);
        let adapter: Option<Box<dyn Adapter>> = match psp {
            Psp::Up2pay => self.up2pay(at, mode, check).map(|adapter| Box::new(adapter) as _),
            Psp::Sogecommerce => self.sogecommerce(at, mode, check).map(|adapter| Box::new(adapter) as _),
            Psp::Worldline => self.worldline(at, mode, check).map(|adapter| Box::new(adapter) as _),
            Psp::Monext => self.monext(at, mode, check).map(|adapter| Box::new(adapter) as _),
            Psp::Ancv => self.ancv(at, mode, check).map(|adapter| Box::new(adapter) as _),
        };
        let reference_pattern = self.reference_pattern(at, check);
        let adapter = match reference_pattern.clone() {
            Some(pattern) => adapter.map(|adapter| Box::new(WithReferences::new(adapter, pattern)) as _),
            None => adapter,
        };
        Some(Endpoint {
            id: id?,
            shop: shop.clone(),
            psp,
            mode,
            token: token?,
            path,
            allow_from,
            contracts,
            reference_pattern,
            relays,
            adapter: adapter?,
        })
    }

    /// The path of the shop's module, which the shop's web server leads here. Everybody knows it: only a signature proves
    /// such a call.
    fn own_path(&self, at: &str, psp: Psp, check: &mut Check<'_>) -> Option<String> {
        let path = self.path.as_deref()?.trim();
        let key = format!("{at}.path");
        let is_plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'?' | b'#' | b'"');
        if !path.starts_with('/') || path.len() > 200 || !path.bytes().all(is_plain) {
            check.wrong(
                &key,
                (
                    "ce n’est pas un chemin comme \"/wc-api/WC_EStd_Gw/\"\u{a0}: il commence par /, sans ? ni #",
                    "not a path like \"/wc-api/WC_EStd_Gw/\": it begins with /, and has no ? or #",
                ),
            );
        } else if path.starts_with("/n/") {
            check.wrong(
                &key,
                (
                    "commence par /n/, où sont les adresses secrètes",
                    "begins with /n/, where the secret addresses are",
                ),
            );
        }
        if matches!(psp, Psp::Monext | Psp::Ancv) {
            check.wrong(
                &key,
                (
                    format!("{} ne signe rien\u{a0}: quiconque connaît ce chemin pourrait appeler\u{a0}; utilisez l’adresse secrète", psp.title()),
                    format!("{psp} signs nothing: whoever knows this path could call; use the secret address"),
                ),
            );
        }
        // One key signs for all merchants there, and whoever has a test account can have a call signed and sent to any URL.
        if psp == Psp::Up2pay && self.api.is_none() {
            check.unwise(
                &key,
                (
                    "sans api\u{a0}: Up2pay signe de la même façon pour tous les commerçants\u{a0}; seule son API ou une adresse secrète \
                     prouve qu’un paiement est bien celui de cette boutique (docs/relay.md)",
                    "without api: Up2pay signs for every merchant alike, so that only its API or a secret address proves that \
                     a payment is this shop's (docs/relay.md)",
                ),
            );
        }
        if self.relay.is_empty() {
            check.unwise(
                &key,
                (
                    "sans [[shop.endpoint.relay]]\u{a0}: le module de la boutique ne reçoit plus rien",
                    "without [[shop.endpoint.relay]]: the shop's own module hears nothing any more",
                ),
            );
        }
        Some(path.to_owned())
    }

    /// Where the order's number stands in the references of its payments.
    fn reference_pattern(&self, at: &str, check: &mut Check<'_>) -> Option<ReferencePattern> {
        check.value(&format!("{at}.reference_pattern"), self.pattern()?)
    }

    pub(super) fn pattern(&self) -> Option<Result<ReferencePattern, ReferencePatternError>> {
        self.reference_pattern.as_deref().map(ReferencePattern::parse)
    }

    /// The contracts that payments may be settled on; none where not all are named.
    fn known_contracts(&self, at: &str, check: &mut Check<'_>) -> BTreeSet<Contract> {
        let named = Self::contracts(at, "contracts", self.contracts.as_deref(), check);
        let both = self.voucher_contracts.as_deref().zip(self.card_contracts.as_deref());
        // What is wrong with these is said where their adapter is made.
        let of_monext = both.into_iter().flat_map(|(vouchers, cards)| vouchers.iter().chain(cards));
        named.into_iter().chain(of_monext.filter_map(|text| Contract::new(text.trim()).ok())).collect()
    }

    fn contracts(at: &str, name: &str, texts: Option<&[String]>, check: &mut Check<'_>) -> Vec<Contract> {
        texts
            .unwrap_or_default()
            .iter()
            .enumerate()
            .filter_map(|(n, text)| check.value(&format!("{at}.{name}[{n}]"), Contract::new(text.trim())))
            .collect()
    }

    fn token(&self, at: &str, mode: Option<Mode>, check: &mut Check<'_>) -> Option<SecretToken> {
        if check.purpose == Purpose::Command {
            return Some(SecretToken::unknown());
        }
        let key = format!("{at}.token");
        let source = self.token_source();
        self.warn_of_inline(&key, mode, source, check);
        let before = check.problems.len();
        let secret = check.secret(&key, source);
        if secret.is_none() && check.problems.len() == before {
            check.wrong(
                &key,
                (
                    "manque (ou token_file)\u{a0}; créez-en un avec `openssl rand -hex 16`",
                    "missing (or token_file); make one with `openssl rand -hex 16`",
                ),
            );
        }
        let secret = secret?;
        check.placeholder_secret(&key, mode, &secret);
        check.value(&key, SecretToken::new(&secret))
    }

    /// A secret that cannot be done without; notes if it is missing, and if it is inline in production.
    fn needed_secret(
        &self,
        key: &str,
        source: Source<'_>,
        what: impl Into<Bilingual>,
        check: &mut Check<'_>,
    ) -> Option<SecretString> {
        self.warn_of_inline(key, self.mode.parse().ok(), source, check);
        let before = check.problems.len();
        let secret = check.secret(key, source);
        if secret.is_none() && check.problems.len() == before {
            let name = key.rsplit('.').next().unwrap_or(key);
            let Bilingual { french, english } = what.into();
            let what = (
                format!("manque (ou {name}_file)\u{a0}: {french}"),
                format!("missing (or {name}_file): {english}"),
            );
            check.wrong(key, what);
        }
        if let Some(secret) = &secret {
            check.secret_of_psp(key, self.mode.parse().ok(), secret);
        }
        secret
    }

    /// A text that cannot be done without.
    fn needed_text(
        &self,
        key: &str,
        text: Option<&str>,
        what: impl Into<Bilingual>,
        check: &mut Check<'_>,
    ) -> Option<String> {
        let text = text.map(str::trim).filter(|text| !text.is_empty());
        match text {
            Some(text) => check.placeholder(key, self.mode.parse().ok(), text),
            None => check.wrong(key, missing(what)),
        }
        text.map(str::to_owned)
    }

    fn warn_of_inline(&self, key: &str, mode: Option<Mode>, source: Source<'_>, check: &mut Check<'_>) {
        if source.is_inline() && mode == Some(Mode::Production) {
            check.unwise(
                key,
                (
                    format!(
                        "en clair en production ({})\u{a0}; {key}_file le garde hors de ce fichier",
                        self.id
                    ),
                    format!("inline in production ({}); {key}_file keeps it out of this file", self.id),
                ),
            );
        }
    }

    fn refuse_keys_of_others(&self, at: &str, psp: Psp, check: &mut Check<'_>) {
        use Psp::{Ancv, Monext, Sogecommerce, Up2pay, Worldline};
        let keys: [(&str, bool, &[Psp]); 19] = [
            ("pbx_retour", self.pbx_retour.is_some(), &[Up2pay]),
            ("public_key_files", self.public_key_files.is_some(), &[Up2pay]),
            ("site_id", self.site_id.is_some(), &[Sogecommerce]),
            ("key", self.key.is_some(), &[Sogecommerce]),
            ("key_file", self.key_file.is_some(), &[Sogecommerce]),
            ("keys", self.keys.is_some(), &[Sogecommerce]),
            ("algorithm", self.algorithm.is_some(), &[Sogecommerce]),
            ("rest_password", self.rest_password.is_some(), &[Sogecommerce]),
            ("rest_password_file", self.rest_password_file.is_some(), &[Sogecommerce]),
            ("rest_passwords", self.rest_passwords.is_some(), &[Sogecommerce]),
            ("contracts", self.contracts.is_some(), &[Sogecommerce]),
            ("merchant_id", self.merchant_id.is_some(), &[Worldline, Monext]),
            ("webhook_keys", self.webhook_keys.is_some(), &[Worldline]),
            ("access_key", self.access_key.is_some(), &[Monext]),
            ("access_key_file", self.access_key_file.is_some(), &[Monext]),
            ("voucher_contracts", self.voucher_contracts.is_some(), &[Monext]),
            ("card_contracts", self.card_contracts.is_some(), &[Monext]),
            ("shop_id", self.shop_id.is_some(), &[Ancv]),
            ("service_provider_id", self.service_provider_id.is_some(), &[Ancv]),
        ];
        for (name, given, owners) in keys {
            if given && !owners.contains(&psp) {
                let owners: Vec<_> = owners.iter().map(|owner| format!("\"{owner}\"")).collect();
                let what = (
                    format!("n’a de sens qu’avec psp = {}\u{a0}; retirez cette clé", owners.join(" ou ")),
                    format!("belongs to psp = {}; remove it here", owners.join(" or ")),
                );
                check.wrong(format!("{at}.{name}"), what);
            }
        }
    }
}
