//! The file as it stands, and what its values must be like.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cvco_domain::Policy;
use cvco_domain::ShopId;
use cvco_domain::crypto::SecretToken;
use cvco_domain::text_file;
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::accounting::{self, RawAccounting, RawStatement};
use super::endpoint::RawEndpoint;
use super::explain::{explain, holds_password};
use super::secrets::{self, Source};
use super::{
    AccountingSettings, AlertSettings, BookSettings, CommandSettings, Config, ConfigError, ConfirmSettings,
    Endpoint, EndpointOutline, EndpointUrl, LedgerSettings, ListenerSettings, PLACEHOLDER, Problem, Shop,
    StatementSettings,
};
use crate::alert::{MailError, MailSettings, Mailer};
use crate::outbound::Proxy;

/// The file, parsed but not yet checked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawConfig {
    #[serde(default)]
    listener: RawListener,
    #[serde(default)]
    ledger: RawLedger,
    #[serde(default)]
    reconcile: RawReconcile,
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

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawListener {
    public: Option<String>,
    public_url: Option<String>,
    admin: Option<String>,
    admin_token: Option<SecretString>,
    admin_token_file: Option<String>,
    #[serde(default)]
    trusted_proxies: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLedger {
    path: Option<String>,
    payload_retention: Option<String>,
    payload_key_file: Option<String>,
    #[serde(default)]
    anchor_to: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReconcile {
    complement_grace: Option<String>,
    capture_grace: Option<String>,
    confirmation_grace: Option<String>,
    refund_grace: Option<String>,
    require_orders: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAlerts {
    language: Option<String>,
    from: String,
    to: Vec<String>,
    smtp: String,
    password: Option<SecretString>,
    password_file: Option<String>,
    digest: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfirm {
    proxy: Option<String>,
    proxy_password: Option<SecretString>,
    proxy_password_file: Option<String>,
    timeout: Option<String>,
    calls_per_second: Option<u32>,
    sweep_every: Option<String>,
    refund_window: Option<String>,
    give_up_after: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawShop {
    id: String,
    name: Option<String>,
    siren: Option<String>,
    #[serde(default)]
    endpoint: Vec<RawEndpoint>,
}

/// What a configuration is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The daemon: every secret is needed.
    Serve,
    /// A demonstration: keys that everybody knows may stand for those of production.
    Demonstration,
    /// A command that reads or asks what endpoints would: nobody calls it, so the tokens of their URLs are not needed.
    Command,
}

/// Collects what is wrong, so that one run tells everything.
pub(super) struct Check<'p> {
    pub(super) purpose: Purpose,
    /// The folder of the file: relative paths start there.
    pub(super) folder: &'p Path,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

impl<'p> Check<'p> {
    pub(super) fn new(path: &'p Path) -> Self {
        Self { purpose: Purpose::Serve, folder: folder_of(path), problems: Vec::new(), warnings: Vec::new() }
    }

    /// Says of which endpoint something is wrong: people know it by its id, and not by its place in the file.
    fn name_since(&mut self, (problems, warnings): (usize, usize), endpoint: &str) {
        let new = self.problems.iter_mut().skip(problems).chain(self.warnings.iter_mut().skip(warnings));
        for problem in new {
            problem.key = format!("endpoint {endpoint}: {}", problem.key);
        }
    }

    pub(super) fn wrong(&mut self, key: impl Into<String>, what: impl Into<String>) {
        self.problems.push(Problem { key: key.into(), what: what.into() });
    }

    pub(super) fn unwise(&mut self, key: impl Into<String>, what: impl Into<String>) {
        self.warnings.push(Problem { key: key.into(), what: what.into() });
    }

    /// Notes a value in production that everybody knows.
    pub(super) fn known_to_all(&mut self, key: &str, what: &str) {
        if self.purpose != Purpose::Demonstration {
            self.wrong(key, what);
        }
    }

    /// Notes a file that others can read than it is for. `others`: the bits of its mode that they need.
    fn readable(&mut self, file: &Path, others: u32) {
        let mode = std::fs::metadata(file).map_or(0, |metadata| metadata.permissions().mode());
        if mode & others != 0 {
            let what = format!(
                "{} can be read by others (mode {:o}): chmod {}",
                file.display(),
                mode & 0o777,
                if others & 0o070 == 0 { "o-rwx" } else { "600" }
            );
            self.unwise("permissions", what);
        }
    }

    /// Takes a value, or notes why it is none.
    pub(super) fn value<T, E: std::fmt::Display>(&mut self, key: &str, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.wrong(key, error.to_string())).ok()
    }

    pub(super) fn networks(&mut self, key: &str, texts: &[String]) -> Vec<IpNet> {
        texts
            .iter()
            .filter_map(|text| {
                let network = text
                    .parse::<IpNet>()
                    .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
                    .map_err(|_| format!("{text:?} is not a network; write for instance \"194.50.38.0/24\""));
                self.value(key, network)
            })
            .collect()
    }

    fn address(&mut self, key: &str, text: Option<&str>, default: &str) -> Option<SocketAddr> {
        let text = text.unwrap_or(default);
        let address = text
            .parse()
            .map_err(|_| format!("{text:?} is not address:port; write for instance \"{default}\""));
        self.value(key, address)
    }

    pub(super) fn duration(&mut self, key: &str, text: Option<&str>, default: Duration) -> Duration {
        let Some(text) = text else { return default };
        let parsed = humantime::parse_duration(text).map_err(|_| {
            format!("{text:?} is not a time span; write for instance \"20m\", \"4d\" or \"0s\"")
        });
        self.value(key, parsed).unwrap_or(default)
    }

    pub(super) fn secret(&mut self, key: &str, source: Source<'_>) -> Option<SecretString> {
        match secrets::read(source, self.folder) {
            Ok(secret) => {
                if secret.as_ref().is_some_and(|secret| secret.expose_secret() == PLACEHOLDER) {
                    self.unwise(key, "still the placeholder that `init` wrote; put the secret into its file");
                }
                if let Some(Ok(file)) = source.file().map(|file| secrets::path(file, self.folder)) {
                    self.readable(&file, OTHERS);
                }
                secret
            }
            Err(what) => {
                self.wrong(key, what);
                None
            }
        }
    }
}

/// The bits of a file's mode for those who are neither its owner nor of its group.
const OTHERS: u32 = 0o007;

impl RawConfig {
    /// Reads a file's syntax: TOML, known keys, values of the right type.
    ///
    /// # Errors
    /// The file cannot be read, or its syntax is wrong.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let bytes = std::fs::read(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let text = String::from_utf8(text_file::utf8(&bytes).into_owned()).map_err(|_| {
            let message = "not text in UTF-8; save it as UTF-8".to_owned();
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
        let settings = self.ledger_settings(&mut check);
        finish(path, check, settings)
    }

    /// What the commands for the accountant need: no secret is read.
    ///
    /// # Errors
    /// A value in `[ledger]`, `[accounting]` or `[[statement]]` is wrong.
    pub fn books(&self, path: &Path) -> Result<BookSettings, ConfigError> {
        let mut check = Check::new(path);
        let ledger = self.ledger_settings(&mut check);
        let shops: Vec<ShopId> =
            self.shop.iter().filter_map(|shop| ShopId::new(shop.id.as_str()).ok()).collect();
        let (accounting, statements) = self.accounting(&shops, &mut check);
        let settings = ledger.map(|ledger| BookSettings { ledger, accounting, statements, shops });
        finish(path, check, settings)
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
        let ledger = self.ledger_settings(&mut check);
        let (shops, endpoints) = self.shops(&mut check, |raw| is_concerned(&raw.outline()));
        let refund_window = self.refund_window(&mut check);
        let settings = ledger.map(|ledger| CommandSettings { ledger, shops, endpoints, refund_window });
        finish(path, check, settings)
    }

    fn refund_window(&self, check: &mut Check<'_>) -> Duration {
        let text = self.confirm.refund_window.as_deref();
        check.duration("confirm.refund_window", text, ConfirmSettings::default().refund_window)
    }

    /// The ids of all endpoints.
    pub fn endpoint_ids(&self) -> impl Iterator<Item = &str> {
        self.endpoints().map(|(_, endpoint)| endpoint.id.as_str())
    }

    /// Every endpoint's URL, as its PSP is told: with its secret token, or without.
    ///
    /// # Errors
    /// A token cannot be read.
    pub fn urls(&self, path: &Path, with_tokens: bool) -> Result<Vec<EndpointUrl>, ConfigError> {
        let mut check = Check::new(path);
        let base = self.public_url(&mut check).unwrap_or_else(|| "https://YOUR-HOST".to_owned());
        let mut urls = Vec::new();
        for (_, endpoint) in self.endpoints() {
            let token = if with_tokens {
                let token = check.secret("token", endpoint.token_source());
                token.map_or_else(String::new, |token| token.expose_secret().to_owned())
            } else {
                "TOKEN".to_owned()
            };
            let id = endpoint.id.clone();
            urls.push(EndpointUrl { url: format!("{base}/n/{id}/{token}"), endpoint: id });
        }
        finish(path, check, Some(urls))
    }

    fn public_url(&self, check: &mut Check<'_>) -> Option<String> {
        let text = self.listener.public_url.as_deref()?.trim_end_matches('/');
        let is_url = text.starts_with("https://") || text.starts_with("http://");
        if !is_url || text.contains(['?', '#', ' ']) {
            let what =
                format!("{text:?} is not an address; write for instance \"https://pay.camping.example\"");
            check.wrong("listener.public_url", what);
            return None;
        }
        Some(text.to_owned())
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
                check.wrong(
                    format!("statement[{n}].id"),
                    format!("{id} is the id of an earlier one; give each its own"),
                );
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
        let listener = self.listener_settings(&mut check);
        let ledger = self.ledger_settings(&mut check);
        let alerts = self.alert_settings(&mut check);
        let confirm = self.confirm_settings(&mut check);
        let (shops, endpoints) = self.shops(&mut check, |_| true);
        if let Some(ledger) = &ledger {
            check.readable(&ledger.payload_key_file, OTHERS | 0o070);
        }
        if let Some(listener) = &listener {
            self.warn_of_blind_filters(listener, &mut check);
        }
        let ids: Vec<ShopId> = shops.iter().map(|shop| shop.id.clone()).collect();
        let (accounting, statements) = self.accounting(&ids, &mut check);
        let mut policy = self.policy(&endpoints, &mut check);
        policy.book_at = accounting.book_at;
        policy.rates = accounting.rates.clone();
        policy.issuers = accounting::issuers(&statements);
        policy.payouts = accounting::payouts(&statements, endpoints.iter().map(AsRef::as_ref));
        let warnings = std::mem::take(&mut check.warnings);
        let config = listener.zip(ledger).zip(confirm).map(|((listener, ledger), confirm)| Config {
            listener,
            ledger,
            policy,
            alerts,
            confirm,
            accounting,
            statements,
            shops,
            endpoints,
            warnings,
        });
        finish(path, check, config)
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
                check.unwise(
                    format!("endpoint {}: shop[{n}].endpoint[{m}].allow_from", endpoint.id),
                    "can only ever see the proxy in front, because listener.public is a loopback address and \
                     listener.trusted_proxies does not hold 127.0.0.1/32: add it there",
                );
            }
        }
    }

    /// Every endpoint, with the id of its shop.
    pub(super) fn endpoints(&self) -> impl Iterator<Item = (&str, &RawEndpoint)> {
        self.shop.iter().flat_map(|shop| shop.endpoint.iter().map(|endpoint| (shop.id.as_str(), endpoint)))
    }

    pub(super) fn admin_token_source(&self) -> Source<'_> {
        Source::new(self.listener.admin_token.as_ref(), self.listener.admin_token_file.as_deref())
    }

    fn listener_settings(&self, check: &mut Check<'_>) -> Option<ListenerSettings> {
        let raw = &self.listener;
        let public = check.address("listener.public", raw.public.as_deref(), "127.0.0.1:8080");
        let admin = check.address("listener.admin", raw.admin.as_deref(), "127.0.0.1:8081");
        let key = "listener.admin_token";
        let source = self.admin_token_source();
        let admin_token =
            check.secret(key, source).and_then(|token| check.value(key, SecretToken::new(&token)));
        let trusted_proxies = check.networks("listener.trusted_proxies", &raw.trusted_proxies);
        self.public_url(check);
        let (public, admin) = (public?, admin?);
        if !admin.ip().is_loopback() && admin_token.is_none() {
            check.wrong(
                key,
                "needed (or admin_token_file), because listener.admin is not a loopback address; \
                 make one with `openssl rand -hex 32`",
            );
        }
        Some(ListenerSettings { public, admin, admin_token, trusted_proxies })
    }

    fn ledger_settings(&self, check: &mut Check<'_>) -> Option<LedgerSettings> {
        let raw = &self.ledger;
        let path = check.value(
            "ledger.path",
            secrets::path(raw.path.as_deref().unwrap_or("ledger.sqlite"), check.folder),
        );
        let retention = check.duration(
            "ledger.payload_retention",
            raw.payload_retention.as_deref(),
            Duration::from_hours(400 * 24),
        );
        let key_file = match raw.payload_key_file.as_deref() {
            Some(file) => check.value("ledger.payload_key_file", secrets::path(file, check.folder)),
            // Beside the ledger: the one folder that the service's user can surely write to.
            None => path.as_deref().map(|path: &Path| path.with_file_name("payload.key")),
        };
        let path = path?;
        Some(LedgerSettings {
            log: path.with_file_name("log.sqlite"),
            path,
            payload_retention: retention,
            payload_key_file: key_file?,
        })
    }

    fn policy(&self, endpoints: &[Arc<Endpoint>], check: &mut Check<'_>) -> Policy {
        let raw = &self.reconcile;
        let default = Policy::default();
        let complement_grace = check.duration(
            "reconcile.complement_grace",
            raw.complement_grace.as_deref(),
            default.complement_grace,
        );
        Policy {
            complement_grace,
            // The parts of a refund come as the parts of a payment do.
            refund_grace: check.duration(
                "reconcile.refund_grace",
                raw.refund_grace.as_deref(),
                complement_grace,
            ),
            capture_grace: check.duration(
                "reconcile.capture_grace",
                raw.capture_grace.as_deref(),
                default.capture_grace,
            ),
            confirmation_grace: check.duration(
                "reconcile.confirmation_grace",
                raw.confirmation_grace.as_deref(),
                default.confirmation_grace,
            ),
            require_orders: raw.require_orders.unwrap_or(default.require_orders),
            endpoints: endpoints.iter().map(|e| (e.id.clone(), e.contracts.clone())).collect(),
            relays: endpoints
                .iter()
                .filter(|endpoint| !endpoint.relays.is_empty())
                .map(|e| (e.id.clone(), e.relays.iter().map(|relay| relay.id.clone()).collect()))
                .collect(),
            book_at: default.book_at,
            payouts: default.payouts,
            rates: default.rates,
            issuers: default.issuers,
        }
    }

    fn alert_settings(&self, check: &mut Check<'_>) -> Option<AlertSettings> {
        let Some(raw) = &self.alerts else {
            check.unwise("alerts", "missing: discrepancies go to the ledger, but nobody is told by e-mail");
            if !self.ledger.anchor_to.is_empty() {
                check.wrong(
                    "ledger.anchor_to",
                    "needs [alerts], whose language, from and smtp say how its mails are written and sent; add \
                     [alerts], or leave anchor_to out",
                );
            }
            return None;
        };
        let language = raw.language.as_deref().unwrap_or("fr").parse();
        let language = check.value("alerts.language", language);
        let digest = check.duration("alerts.digest", raw.digest.as_deref(), Duration::from_mins(15));
        let password =
            check.secret("alerts.password", Source::new(raw.password.as_ref(), raw.password_file.as_deref()));
        let settings =
            MailSettings { from: raw.from.clone(), to: raw.to.clone(), smtp_url: raw.smtp.clone(), password };
        let mut wrong = |error: MailError| check.problems.push((&error).into());
        let mailer = Mailer::try_from(&settings).map_err(&mut wrong).ok()?;
        let anchors = match self.ledger.anchor_to.as_slice() {
            [] => None,
            to => Some(mailer.for_anchors(to).map_err(wrong).ok()?),
        };
        Some(AlertSettings { language: language?, mailer, digest, anchors })
    }

    fn confirm_settings(&self, check: &mut Check<'_>) -> Option<ConfirmSettings> {
        let raw = &self.confirm;
        let default = ConfirmSettings::default();
        let source = Source::new(raw.proxy_password.as_ref(), raw.proxy_password_file.as_deref());
        let password = check.secret("confirm.proxy_password", source);
        let proxy = match &raw.proxy {
            None => {
                if password.is_some() {
                    check.wrong("confirm.proxy", "missing: proxy_password is for the user in it");
                }
                None
            }
            Some(text) if holds_password(text) => {
                check.wrong("confirm.proxy", "holds a password; write it into proxy_password_file");
                None
            }
            Some(text) => Some(check.value("confirm.proxy", Proxy::parse(text, password))?),
        };
        let calls_per_second = raw.calls_per_second.unwrap_or(default.calls_per_second);
        if !(1..=1000).contains(&calls_per_second) {
            check.wrong("confirm.calls_per_second", "a whole number from 1 to 1000");
        }
        let refund_window = self.refund_window(check);
        let mut span = |name: &str, text: Option<&str>, default: Duration, least: Duration| {
            let key = format!("confirm.{name}");
            let span = check.duration(&key, text, default);
            if span < least {
                check.wrong(key, format!("at least {}", humantime::format_duration(least)));
            }
            span
        };
        let second = Duration::from_secs(1);
        Some(ConfirmSettings {
            proxy,
            timeout: span("timeout", raw.timeout.as_deref(), default.timeout, second),
            calls_per_second,
            sweep_every: span("sweep_every", raw.sweep_every.as_deref(), default.sweep_every, second),
            refund_window,
            give_up_after: span("give_up_after", raw.give_up_after.as_deref(), default.give_up_after, second),
        })
    }

    fn shops(
        &self,
        check: &mut Check<'_>,
        is_concerned: impl Fn(&RawEndpoint) -> bool,
    ) -> (Vec<Shop>, Vec<Arc<Endpoint>>) {
        let (mut shops, mut endpoints) = (Vec::<Shop>::new(), Vec::<Arc<Endpoint>>::new());
        if self.shop.is_empty() {
            check.unwise("shop", "no [[shop]]: no notification can be received");
        }
        for (n, raw) in self.shop.iter().enumerate() {
            let key = format!("shop[{n}].id");
            let Some(id) = check.value(&key, ShopId::new(raw.id.as_str())) else { continue };
            if shops.iter().any(|shop| shop.id == id) {
                check.wrong(&key, format!("{id} is the id of an earlier shop; give each its own"));
            }
            for (m, raw) in raw.endpoint.iter().enumerate().filter(|(_, raw)| is_concerned(raw)) {
                let key = format!("shop[{n}].endpoint[{m}]");
                let before = (check.problems.len(), check.warnings.len());
                let endpoint = raw.resolve(&key, &id, check);
                check.name_since(before, &raw.id);
                let Some(endpoint) = endpoint else { continue };
                if endpoints.iter().any(|other| other.id == endpoint.id) {
                    check.wrong(
                        format!("{key}.id"),
                        format!("{} is the id of an earlier endpoint; give each its own", endpoint.id),
                    );
                }
                endpoints.push(Arc::new(endpoint));
            }
            let name = raw.name.clone().unwrap_or_else(|| raw.id.clone());
            shops.push(Shop { id, name });
        }
        (shops, endpoints)
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

fn finish<T>(path: &Path, check: Check<'_>, value: Option<T>) -> Result<T, ConfigError> {
    let problems = check.problems;
    match value {
        Some(value) if problems.is_empty() => Ok(value),
        Some(_) | None => Err(ConfigError::Wrong { path: PathBuf::from(path), problems }),
    }
}
