//! The file as a whole: its sections, and what each command needs of them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cvco_domain::text_file;
use cvco_domain::{Bilingual, EndpointId, Mode, ShopId};
use cvco_mail::Language;
use ipnet::IpNet;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::accounting::{self, RawAccounting};
use super::admin::RawAdmin;
use super::alerts::{self, RawAlerts};
use super::check::{Check, OTHERS, Purpose, taken};
use super::confirm::RawConfirm;
use super::endpoint::RawEndpoint;
use super::explain::explain;
use super::ledger::RawLedger;
use super::listener::RawListener;
use super::log::RawLog;
use super::reconcile::RawReconcile;
use super::shop::{self, RawShop};
use super::statement::{self, RawStatement};
use super::{
    AccountingSettings, BookSettings, CommandSettings, Config, ConfigError, DeskSettings, Endpoint,
    EndpointOutline, EndpointUrl, LedgerSettings, ListenerSettings, StatementSettings,
};
use crate::relay::PARKED_AFTER;

/// The file, parsed but not yet checked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawConfig {
    #[serde(default)]
    pub(super) listener: RawListener,
    #[serde(default)]
    ledger: RawLedger,
    #[serde(default)]
    log: RawLog,
    #[serde(default)]
    reconcile: RawReconcile,
    #[serde(default)]
    admin: RawAdmin,
    alerts: Option<RawAlerts>,
    #[serde(default)]
    confirm: RawConfirm,
    #[serde(default)]
    accounting: RawAccounting,
    #[serde(default)]
    statement: Vec<RawStatement>,
    #[serde(default)]
    shop: Vec<RawShop>,
}

impl RawConfig {
    /// Reads a file's syntax: TOML, known keys, values of the right type.
    ///
    /// # Errors
    /// The file cannot be read, or its syntax is wrong.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let bytes = std::fs::read(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let text = String::from_utf8(text_file::utf8(&bytes).into_owned()).map_err(|_| {
            let message = Bilingual::new(
                "ce n’est pas du texte en UTF-8\u{a0}; enregistrez le fichier en UTF-8",
                "not text in UTF-8; save it as UTF-8",
            );
            ConfigError::Syntax { path: path.to_owned(), message }
        })?;
        toml::from_str(&text)
            .map_err(|error| ConfigError::Syntax { path: path.to_owned(), message: explain(&text, &error) })
    }

    /// Only `[ledger]`: for commands that read the ledger and need no secret.
    ///
    /// # Errors
    /// A value in `[ledger]` is wrong.
    pub fn ledger(&self, path: &Path) -> Result<LedgerSettings, ConfigError> {
        let mut check = Check::new(path);
        let settings = self.ledger.resolve(&self.log, &mut check);
        check.finish(path, settings)
    }

    /// Only the language of `[alerts]`, which is that of lists too.
    ///
    /// # Errors
    /// There is no such language.
    pub fn language(&self, path: &Path) -> Result<Language, ConfigError> {
        let mut check = Check::new(path);
        let language = alerts::language(self.alerts.as_ref(), &mut check);
        check.finish(path, language)
    }

    /// What commands of the accountant need: no secret is read.
    ///
    /// # Errors
    /// A value is wrong that they need.
    pub fn desk(&self, path: &Path) -> Result<DeskSettings, ConfigError> {
        let mut check = Check { purpose: Purpose::Command, ..Check::new(path) };
        let ledger = self.ledger.resolve(&self.log, &mut check);
        let (shops, _) = shop::resolve(&self.shop, &mut check, |_| false);
        let ids: Vec<ShopId> = shops.iter().map(|shop| shop.id.clone()).collect();
        let (accounting, statements) = self.accounting(&ids, &mut check);
        let language = alerts::language(self.alerts.as_ref(), &mut check);
        let trial_endpoints = self.endpoints().filter(|(_, endpoint)| endpoint.mode == Mode::Test.as_str());
        let trial_endpoints =
            trial_endpoints.filter_map(|(_, endpoint)| EndpointId::new(endpoint.id.as_str()).ok()).collect();
        let settings = ledger.zip(language).map(|(ledger, language)| DeskSettings {
            books: BookSettings { ledger, language, accounting, statements, shops: ids },
            shops,
            trial_endpoints,
            language,
        });
        check.finish(path, settings)
    }

    /// Where accounts of this machine call the daemon, if the file says so.
    #[must_use]
    pub fn admin_socket(&self, path: &Path) -> Option<PathBuf> {
        self.listener.admin_socket(&mut Check::new(path))
    }

    /// What a command needs that reads what some endpoints receive, or asks their PSPs: the secrets of those endpoints, but
    /// for the tokens of their URLs, and no others.
    ///
    /// # Errors
    /// A value is wrong that it needs.
    pub fn command(
        &self,
        path: &Path,
        is_concerned: impl Fn(&EndpointOutline<'_>) -> bool,
    ) -> Result<CommandSettings, ConfigError> {
        let mut check = Check { purpose: Purpose::Command, ..Check::new(path) };
        let ledger = self.ledger.resolve(&self.log, &mut check);
        let (shops, endpoints) = shop::resolve(&self.shop, &mut check, |raw| is_concerned(&raw.outline()));
        let refund_window = self.confirm.refund_window(&mut check);
        let settings = ledger.map(|ledger| CommandSettings { ledger, shops, endpoints, refund_window });
        check.finish(path, settings)
    }

    /// The ids of all endpoints.
    pub fn endpoint_ids(&self) -> impl Iterator<Item = &str> {
        self.endpoints().map(|(_, endpoint)| endpoint.id.as_str())
    }

    /// The host by which PSPs reach us, if the file says so.
    #[must_use]
    pub fn public_host(&self) -> Option<&str> {
        self.listener.public_host()
    }

    /// Every endpoint's URL, as its PSP is told: with its secret token, or without.
    ///
    /// # Errors
    /// A token cannot be read.
    pub fn urls(&self, path: &Path, with_tokens: bool) -> Result<Vec<EndpointUrl>, ConfigError> {
        self.urls_of(path, with_tokens, |_| true)
    }

    /// One endpoint's URL with its secret token, as its PSP is told; `None` if there is no such endpoint. No other secret is
    /// read.
    ///
    /// # Errors
    /// The token cannot be read.
    pub fn url_of(&self, path: &Path, id: &EndpointId) -> Result<Option<EndpointUrl>, ConfigError> {
        Ok(self.urls_of(path, true, |endpoint| endpoint == id.as_str())?.pop())
    }

    fn urls_of(
        &self,
        path: &Path,
        with_tokens: bool,
        is_sought: impl Fn(&str) -> bool,
    ) -> Result<Vec<EndpointUrl>, ConfigError> {
        let mut check = Check::new(path);
        let base = self.listener.public_url(&mut check).unwrap_or_else(|| "https://YOUR-HOST".to_owned());
        let mut urls = Vec::new();
        for (_, endpoint) in self.endpoints().filter(|(_, endpoint)| is_sought(&endpoint.id)) {
            let token = if with_tokens {
                let token = check.secret("token", endpoint.token_source());
                token.map_or_else(String::new, |token| token.expose_secret().to_owned())
            } else {
                "TOKEN".to_owned()
            };
            let id = endpoint.id.clone();
            urls.push(EndpointUrl { url: format!("{base}/n/{id}/{token}"), endpoint: id });
        }
        check.finish(path, Some(urls))
    }

    fn accounting(
        &self,
        shops: &[ShopId],
        check: &mut Check<'_>,
    ) -> (AccountingSettings, Vec<StatementSettings>) {
        let mut accounting = self.accounting.resolve(shops, check);
        for (n, raw) in self.shop.iter().enumerate() {
            let siren = raw.siren.as_deref().map(accounting::siren);
            let siren = siren.and_then(|siren| check.value(&format!("shop[{n}].siren"), siren));
            if let (Ok(shop), Some(siren)) = (ShopId::new(raw.id.as_str()), siren) {
                accounting.sirens.insert(shop, siren);
            }
        }
        let mut statements: Vec<StatementSettings> = Vec::new();
        for (n, raw) in self.statement.iter().enumerate() {
            let Some(settings) = raw.resolve(n, shops, check) else { continue };
            if statements.iter().any(|other| other.profile.id == settings.profile.id) {
                let id = &settings.profile.id;
                check.wrong(format!("statement[{n}].id"), taken(id, ("un relevé", "statement")));
            }
            statements.push(settings);
        }
        (accounting, statements)
    }

    /// Checks every value, reads every secret, makes every adapter.
    ///
    /// # Errors
    /// All that is wrong, at once.
    pub fn resolve(&self, path: &Path) -> Result<Config, ConfigError> {
        self.resolve_for(path, Purpose::Serve)
    }

    pub(super) fn resolve_for(&self, path: &Path, purpose: Purpose) -> Result<Config, ConfigError> {
        let mut check = Check { purpose, ..Check::new(path) };
        check.readable(path, OTHERS);
        let in_production = |(_, endpoint): (&str, &RawEndpoint)| {
            endpoint.mode.parse::<Mode>().is_ok_and(|mode| mode == Mode::Production)
        };
        let mode = self.endpoints().any(in_production).then_some(Mode::Production);
        let listener = self.listener.resolve(mode, &mut check);
        let ledger = self.ledger.resolve(&self.log, &mut check);
        let alerts =
            alerts::resolve(self.alerts.as_ref(), &self.shop, &self.ledger.anchor_to, mode, &mut check);
        let users = self.admin.users(&mut check);
        let confirm = self.confirm.resolve(&mut check);
        let (shops, endpoints) = shop::resolve(&self.shop, &mut check, |_| true);
        if let Some(ledger) = &ledger {
            check.readable(&ledger.payload_key_file, OTHERS | 0o070);
            if ledger.cluster.is_some() {
                self.log.check_url(&mut check);
            }
        }
        if let Some(listener) = &listener {
            self.warn_of_blind_filters(listener, &mut check);
            refuse_relays_to_ourselves(listener, &endpoints, &mut check);
        }
        if let Some(ledger) = &ledger
            && ledger.payload_retention < PARKED_AFTER
            && endpoints.iter().any(|endpoint| !endpoint.relays.is_empty())
        {
            check.wrong(
                "ledger.payload_retention",
                (
                    "moins que les 72 h pendant lesquelles le module d’une boutique est rappelé\u{a0}: un appel serait effacé avant \
                     d’être pris en charge",
                    "shorter than the 72 h for which a shop's handler is tried: a call would be gone before it is taken",
                ),
            );
        }
        let ids: Vec<ShopId> = shops.iter().map(|shop| shop.id.clone()).collect();
        let (accounting, statements) = self.accounting(&ids, &mut check);
        let mut policy = self.reconcile.policy(&endpoints, &mut check);
        policy.book_at = accounting.book_at;
        policy.rates = accounting.rates.clone();
        policy.issuers = statement::issuers(&statements);
        policy.payouts = statement::payouts(&statements, endpoints.iter().map(AsRef::as_ref));
        if let Some(alerts) = &alerts {
            alerts.decide(&mut policy);
        }
        let warnings = std::mem::take(&mut check.warnings);
        let secret_files = std::mem::take(&mut check.secret_files).into_iter().collect();
        let config = listener.zip(ledger).zip(confirm).map(|((listener, ledger), confirm)| Config {
            listener,
            ledger,
            policy,
            users,
            alerts: alerts.map(|alerts| alerts.settings),
            confirm,
            accounting,
            statements,
            shops,
            endpoints,
            secret_files,
            warnings,
        });
        check.finish(path, config)
    }

    /// A filter of addresses that sees only the proxy in front lets all pass, or none.
    fn warn_of_blind_filters(&self, listener: &ListenerSettings, check: &mut Check<'_>) {
        let loopback: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        let trusts_proxy = |network: &IpNet| loopback.iter().any(|address| network.contains(address));
        if !listener.public.ip().is_loopback() || listener.trusted_proxies.iter().any(trusts_proxy) {
            return;
        }
        for (n, shop) in self.shop.iter().enumerate() {
            for (m, endpoint) in shop.endpoint.iter().enumerate().filter(|(_, endpoint)| endpoint.filters()) {
                let what = Bilingual::new(
                    "ne peut voir que le proxy placé devant, car listener.public est une adresse de bouclage (loopback) et \
                         listener.trusted_proxies ne contient pas 127.0.0.1/32\u{a0}: ajoutez-le",
                    "can only ever see the proxy in front, because listener.public is a loopback address and \
                         listener.trusted_proxies does not hold 127.0.0.1/32: add it there",
                );
                let key = format!("shop[{n}].endpoint[{m}].allow_from");
                check.about(&endpoint.id, |check| check.unwise(key, what));
            }
        }
    }

    /// Every endpoint, with the id of its shop.
    pub(super) fn endpoints(&self) -> impl Iterator<Item = (&str, &RawEndpoint)> {
        self.shop.iter().flat_map(|shop| shop.endpoint.iter().map(|endpoint| (shop.id.as_str(), endpoint)))
    }
}

/// A relay that leads back to this daemon would go round until a limit ends it.
fn refuse_relays_to_ourselves(
    listener: &ListenerSettings,
    endpoints: &[Arc<Endpoint>],
    check: &mut Check<'_>,
) {
    let own = [
        Some(format!("http://{}/n/", listener.public)),
        listener.public_url.as_ref().map(|url| format!("{url}/n/")),
    ];
    for endpoint in endpoints {
        let leads_back = |url: &str| own.iter().flatten().any(|own| url.starts_with(own.as_str()));
        if let Some(relay) = endpoint.relays.iter().find(|relay| leads_back(&relay.url)) {
            let id = &relay.id;
            let what = Bilingual::new(
                format!(
                    "relais {id}\u{a0}: son url ramène à ce service\u{a0}; ce doit être l’adresse du module de la boutique"
                ),
                format!(
                    "relay {id}: its url leads back to this daemon; it must be the address of the shop's own handler"
                ),
            );
            check.about(endpoint.id.as_str(), |check| check.wrong("", what));
        }
    }
}
