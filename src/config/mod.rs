//! The configuration: one TOML file, read strictly. [`RawConfig`] is the file as it stands; [`RawConfig::resolve`]
//! turns it into settings, with every secret read, every key parsed and every adapter made. Whatever is wrong
//! is told with file, key and what would be right.

mod accounting;
mod admin;
mod alerts;
mod channel;
mod check;
mod confirm;
mod endpoint;
mod explain;
mod file;
mod ledger;
mod listener;
mod log;
mod placeholders;
mod problem;
mod reconcile;
mod secrets;
mod shop;
mod statement;
mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cvco_books::accounting::Books;
use cvco_books::settlement::Profile;
use cvco_domain::crypto::{HashedPassword, SecretToken};
use cvco_domain::{
    BookAt, CommissionRates, Contract, EndpointId, EndpointRef, Mode, PayoutTerms, Psp, ShopId,
};
use cvco_domain::{Brand, Policy};
use cvco_mail::Language;
use cvco_pages::Role;
use cvco_psp::{Adapter, ReferencePattern, ShopReferences};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};

use check::Purpose;
pub use file::RawConfig;
pub(crate) use problem::spoken_language;
pub use problem::{ConfigError, Problem};
pub use trial::{Signing, TrialEndpoint};

use crate::alert::AlertSettings;
use crate::listener::tls::{Identity, TlsFiles};
use crate::outbound::Proxy;
use crate::relay::RelaySettings;

/// Where the configuration is if nobody says otherwise.
pub const DEFAULT_PATH: &str = "/etc/cvco-reconciled/config.toml";

/// Where the service's socket for accounts of this machine is, for a command that may not read the configuration.
pub const DEFAULT_ADMIN_SOCKET: &str = "/run/cvco-reconciled/admin.sock";

/// What `init` writes in the place of a secret that is not known yet. As long as a form key of Sogecommerce.
pub const PLACEHOLDER: &str = "A-REMPLACER-ICI!";

/// All settings, ready for use.
pub struct Config {
    /// `[listener]`
    pub listener: ListenerSettings,
    /// `[ledger]`
    pub ledger: LedgerSettings,
    /// `[reconcile]`
    pub policy: Policy,
    /// `[[admin.user]]`: who may sign in to the dashboard by name.
    pub users: Vec<User>,
    /// `[alerts]`; without it nobody is told.
    pub alerts: Option<AlertSettings>,
    /// `[confirm]`
    pub confirm: ConfirmSettings,
    /// `[accounting]`
    pub accounting: AccountingSettings,
    /// `[[statement]]`
    pub statements: Vec<StatementSettings>,
    /// `[[shop]]`
    pub shops: Vec<Shop>,
    /// `[[shop.endpoint]]`, of all shops.
    pub endpoints: Vec<Arc<Endpoint>>,
    /// The files of secrets whose age can be told.
    pub secret_files: Vec<PathBuf>,
    /// What is allowed but unwise; for `check` and the log.
    pub warnings: Vec<Problem>,
}

/// `[listener]`
#[derive(Debug, Clone)]
pub struct ListenerSettings {
    /// Where notifications arrive.
    pub public: SocketAddr,
    /// How PSPs reach it, if it is said.
    pub public_url: Option<String>,
    /// Where orders, health, metrics and the dashboard are.
    pub admin: SocketAddr,
    /// Where accounts of this machine call.
    pub admin_socket: Option<PathBuf>,
    /// What admin callers must send; `None` only on a loopback address.
    pub admin_token: Option<SecretToken>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// TLS of its own; without it a web server with TLS stands in front.
    pub tls: Option<Tls>,
}

/// `[listener] tls_certificate_file` and `tls_key_file`
#[derive(Debug, Clone)]
pub struct Tls {
    /// Where the pair is.
    pub files: TlsFiles,
    /// The pair as it was read.
    pub identity: Identity,
}

/// `[[admin.user]]`
#[derive(Debug, Clone)]
pub struct User {
    /// The name that they sign in with, and in which they act.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The hash of their password.
    pub password: HashedPassword,
}

/// `[ledger]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerSettings {
    /// The ledger's SQLite file.
    pub path: PathBuf,
    /// The log's: `log.sqlite` beside the ledger.
    pub log: PathBuf,
    /// The folder by which the accountant hands statements over; where it is missing, nothing is looked after.
    pub exchange: PathBuf,
    /// How long raw payloads are kept.
    pub payload_retention: Duration,
    /// The key that seals them.
    pub payload_key_file: PathBuf,
    /// `[log]`: where the log stands that this machine shares with others; then its own is a replica.
    pub cluster: Option<ClusterSettings>,
}

/// `[log]`: a log in PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSettings {
    /// Where it is.
    pub url: Url,
    /// The authority that signed the server's certificate, where it is none of the system's.
    pub ca_file: Option<PathBuf>,
    /// This machine's name among the others.
    pub name: String,
    /// Whether the platform replicates below PostgreSQL, which then has no standby to show.
    pub replicated_below: bool,
}

/// An address that holds a password.
#[derive(Debug, Clone)]
pub enum Url {
    /// Written in the file itself.
    Inline(SecretString),
    /// In a file of its own.
    File(PathBuf),
}

impl PartialEq for Url {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Inline(one), Self::Inline(other)) => one.expose_secret() == other.expose_secret(),
            (Self::File(one), Self::File(other)) => one == other,
            (Self::Inline(_), Self::File(_)) | (Self::File(_), Self::Inline(_)) => false,
        }
    }
}

impl Eq for Url {}

/// `[confirm]`: how the PSPs' own APIs are asked.
#[derive(Debug, Clone)]
pub struct ConfirmSettings {
    /// The way out, if there is only one.
    pub proxy: Option<Proxy>,
    /// How long one call may take.
    pub timeout: Duration,
    /// The most calls a second to the API of one endpoint.
    pub calls_per_second: u32,
    /// How often to ask about what nothing was heard of.
    pub sweep_every: Duration,
    /// For how long after a payment to ask whether it was given back; zero: never.
    pub refund_window: Duration,
    /// How long to go on asking for an answer that does not come.
    pub give_up_after: Duration,
}

impl Default for ConfirmSettings {
    fn default() -> Self {
        Self {
            proxy: None,
            timeout: Duration::from_secs(20),
            calls_per_second: 1,
            sweep_every: Duration::from_hours(1),
            refund_window: Duration::from_hours(90 * 24),
            give_up_after: Duration::from_hours(72),
        }
    }
}

/// `[accounting]`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountingSettings {
    /// How entries are made.
    pub books: Books,
    /// When a payment counts.
    pub book_at: BookAt,
    /// The company's number, for the name of a FEC.
    pub siren: Option<String>,
    /// Those of shops of other companies.
    pub sirens: BTreeMap<ShopId, String>,
    /// What issuers keep.
    pub rates: CommissionRates,
    /// For how long a month must be over before `close --due` closes it; `None`: it closes none.
    pub close_after: Option<Duration>,
}

impl AccountingSettings {
    /// The number of the company of a shop; without one, that of all.
    #[must_use]
    pub fn siren_of(&self, shop: Option<&ShopId>) -> Option<&str> {
        shop.and_then(|shop| self.sirens.get(shop)).or(self.siren.as_ref()).map(String::as_str)
    }
}

/// `[[statement]]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementSettings {
    /// How its files are laid out.
    pub profile: Profile,
    /// What may be expected of the issuer.
    pub terms: PayoutTerms,
    /// The brands of vouchers that the issuer pays out, where they are named.
    pub brands: Vec<Brand>,
}

/// What the commands for the accountant need of a file: no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookSettings {
    /// `[ledger]`
    pub ledger: LedgerSettings,
    /// The language of lists: that of `[alerts]`.
    pub language: Language,
    /// `[accounting]`
    pub accounting: AccountingSettings,
    /// `[[statement]]`
    pub statements: Vec<StatementSettings>,
    /// The shops.
    pub shops: Vec<ShopId>,
}

/// What commands of the accountant need, whoever carries them out; no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskSettings {
    /// What the books need.
    pub books: BookSettings,
    /// The shops, with their names.
    pub shops: Vec<Shop>,
    /// The endpoints of trials.
    pub trial_endpoints: BTreeSet<EndpointId>,
    /// The language of what people read.
    pub language: Language,
}

/// What a command needs of a file that reads what endpoints receive, or asks their PSPs.
pub struct CommandSettings {
    /// `[ledger]`
    pub ledger: LedgerSettings,
    /// `[[shop]]`
    pub shops: Vec<Shop>,
    /// The endpoints concerned; nobody's token opens them.
    pub endpoints: Vec<Arc<Endpoint>>,
    /// For how long after a payment to ask whether it was given back.
    pub refund_window: Duration,
}

/// By what a command knows the endpoints that concern it, before their secrets are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndpointOutline<'f> {
    /// Its id.
    pub id: &'f str,
    /// Whose format it reads.
    pub psp: Option<Psp>,
    /// Whether its PSP's API can be asked.
    pub has_api: bool,
}

/// Where a PSP calls an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointUrl {
    /// Its id.
    pub endpoint: String,
    /// The whole address.
    pub url: String,
}

/// `[[shop]]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shop {
    /// Its id in the ledger.
    pub id: ShopId,
    /// Its name for people.
    pub name: String,
    /// What the references of its payments are made of.
    pub references: ShopReferences,
}

/// `[[shop.endpoint]]`
pub struct Endpoint {
    /// Its id in URLs and in the ledger.
    pub id: EndpointId,
    /// Whose it is.
    pub shop: ShopId,
    /// Whose format it reads.
    pub psp: Psp,
    /// Real payments or trials.
    pub mode: Mode,
    /// The secret segment of its URL.
    pub token: SecretToken,
    /// The shop's own path for notifications, if its web server leads that here; without a token.
    pub path: Option<String>,
    /// Who may call; empty: anybody.
    pub allow_from: Vec<IpNet>,
    /// The contracts of the PSP that it knows; empty: any.
    pub contracts: BTreeSet<Contract>,
    /// Where the order's number stands in the references of its payments, if these are composed.
    pub reference_pattern: Option<ReferencePattern>,
    /// The shop's own handlers, which get each call as it came.
    pub relays: Vec<RelaySettings>,
    /// Proves and reads its notifications.
    pub adapter: Box<dyn Adapter>,
}

impl Endpoint {
    /// What everything that it receives has in common.
    #[must_use]
    pub fn reference(&self) -> EndpointRef {
        EndpointRef { shop: self.shop.clone(), endpoint: self.id.clone(), psp: self.psp, mode: self.mode }
    }
}

impl Config {
    /// Reads and resolves a file.
    ///
    /// # Errors
    /// Whatever is wrong with it.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        RawConfig::read(path)?.resolve(path)
    }

    /// Reads and resolves the file of a demonstration, which plays real payments under keys that everybody knows.
    ///
    /// # Errors
    /// Whatever else is wrong with it.
    pub fn load_demonstration(path: &Path) -> Result<Self, ConfigError> {
        RawConfig::read(path)?.resolve_for(path, Purpose::Demonstration)
    }

    /// What commands of the accountant need.
    #[must_use]
    pub fn desk(&self) -> DeskSettings {
        let is_trial = |endpoint: &&Arc<Endpoint>| endpoint.mode == Mode::Test;
        DeskSettings {
            books: BookSettings {
                ledger: self.ledger.clone(),
                language: self.alerts.as_ref().map_or(Language::French, |alerts| alerts.language),
                accounting: self.accounting.clone(),
                statements: self.statements.clone(),
                shops: self.shops.iter().map(|shop| shop.id.clone()).collect(),
            },
            shops: self.shops.clone(),
            trial_endpoints: self
                .endpoints
                .iter()
                .filter(is_trial)
                .map(|endpoint| endpoint.id.clone())
                .collect(),
            language: self.alerts.as_ref().map_or(Language::French, |alerts| alerts.language),
        }
    }

    /// The name of a shop, for people.
    #[must_use]
    pub fn shop_name<'a>(&'a self, id: &'a ShopId) -> &'a str {
        self.shops.iter().find(|shop| shop.id == *id).map_or(id.as_str(), |shop| &shop.name)
    }
}
