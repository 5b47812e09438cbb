//! The settings as each part of the program sees them, and what of them a reload leaves alone.

use std::sync::Arc;
use std::time::Duration;

use cvco_domain::Mode;
use tokio::sync::watch;

use crate::admin::AdminSettings;
use crate::alert::Addressees;
use crate::config::{Config, Endpoint};
use crate::confirm::worker::Asked;
use crate::listener::Intake;
use crate::listener::tls::TlsFiles;
use crate::relay::RelaySettings;
use crate::relay::worker::{Handler, Relays};
use crate::telemetry::Metrics;

/// The settings as each part of the program needs them, so that none sees what is not its own.
pub(super) struct Settings {
    pub(super) current: Config,
    metrics: Arc<Metrics>,
    intake: watch::Sender<Arc<Intake>>,
    admin: watch::Sender<Arc<AdminSettings>>,
    asked: watch::Sender<Arc<Asked>>,
    relays: watch::Sender<Arc<Relays>>,
    addressees: watch::Sender<Arc<Addressees>>,
    retention: watch::Sender<Duration>,
    tls: watch::Sender<Option<TlsFiles>>,
}

/// What the parts of the program see of [`Settings`].
pub(super) struct Views {
    pub(super) intake: watch::Receiver<Arc<Intake>>,
    pub(super) admin: watch::Receiver<Arc<AdminSettings>>,
    pub(super) asked: watch::Receiver<Arc<Asked>>,
    pub(super) relays: watch::Receiver<Arc<Relays>>,
    pub(super) addressees: watch::Receiver<Arc<Addressees>>,
    pub(super) retention: watch::Receiver<Duration>,
    pub(super) tls: watch::Receiver<Option<TlsFiles>>,
}

impl Settings {
    pub(super) fn of(config: Config, metrics: Arc<Metrics>) -> (Self, Views) {
        begin_counts(&metrics, &config);
        let (intake, seen_intake) = watch::channel(Arc::new(intake(&config)));
        let (admin, seen_admin) = watch::channel(Arc::new(admin_settings(&config)));
        let (asked, seen_asked) = watch::channel(Arc::new(asked_settings(&config)));
        let (relays, seen_relays) = watch::channel(Arc::new(relays_of(&config)));
        let (addressees, seen_addressees) = watch::channel(Arc::new(addressees_of(&config)));
        let (retention, seen_retention) = watch::channel(config.ledger.payload_retention);
        let (tls, seen_tls) = watch::channel(tls_files(&config));
        let views = Views {
            intake: seen_intake,
            admin: seen_admin,
            asked: seen_asked,
            relays: seen_relays,
            addressees: seen_addressees,
            retention: seen_retention,
            tls: seen_tls,
        };
        (Self { current: config, metrics, intake, admin, asked, relays, addressees, retention, tls }, views)
    }

    pub(super) fn replace(&mut self, config: Config) {
        self.intake.send_replace(Arc::new(intake(&config)));
        self.admin.send_replace(Arc::new(admin_settings(&config)));
        self.asked.send_replace(Arc::new(asked_settings(&config)));
        self.relays.send_replace(Arc::new(relays_of(&config)));
        self.addressees.send_replace(Arc::new(addressees_of(&config)));
        self.retention.send_replace(config.ledger.payload_retention);
        self.tls.send_replace(tls_files(&config));
        begin_counts(&self.metrics, &config);
        self.current = config;
    }
}

/// Every series that the configuration lets expect is there from the start.
fn begin_counts(metrics: &Metrics, config: &Config) {
    for endpoint in &config.endpoints {
        metrics.begin_endpoint(endpoint.id.as_str(), endpoint.adapter.api().is_some());
        for relay in &endpoint.relays {
            metrics.begin_handler(endpoint.id.as_str(), relay.id.as_str());
        }
    }
}

fn intake(config: &Config) -> Intake {
    Intake { endpoints: config.endpoints.clone(), trusted_proxies: config.listener.trusted_proxies.clone() }
}

fn tls_files(config: &Config) -> Option<TlsFiles> {
    config.listener.tls.as_ref().map(|tls| tls.files.clone())
}

fn admin_settings(config: &Config) -> AdminSettings {
    AdminSettings {
        token: config.listener.admin_token.clone(),
        shops: config.shops.clone(),
        endpoints: config.endpoints.clone(),
        ledger: config.ledger.path.clone(),
        secret_files: config.secret_files.clone(),
        desk: config.desk(),
        users: config.users.clone(),
        dashboard_url: config.alerts.as_ref().and_then(|alerts| alerts.dashboard.clone()),
        public_url: config.listener.public_url.clone(),
        policy: config.policy.clone(),
    }
}

fn asked_settings(config: &Config) -> Asked {
    Asked {
        settings: config.confirm.clone(),
        capture_grace: config.policy.capture_grace,
        endpoints: config.endpoints.clone(),
    }
}

fn relays_of(config: &Config) -> Relays {
    let of_endpoint = |endpoint: &Arc<Endpoint>| {
        let id = endpoint.id.clone();
        let handler =
            move |relay: RelaySettings| (Handler { endpoint: id.clone(), target: relay.id.clone() }, relay);
        endpoint.relays.clone().into_iter().map(handler)
    };
    Relays {
        proxy: config.confirm.proxy.clone(),
        handlers: config.endpoints.iter().flat_map(of_endpoint).collect(),
    }
}

fn addressees_of(config: &Config) -> Addressees {
    Addressees {
        alerts: config.alerts.clone(),
        proxy: config.confirm.proxy.clone(),
        shop_names: config.shops.iter().map(|shop| (shop.id.clone(), shop.name.clone())).collect(),
        trial_endpoints: config
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.mode == Mode::Test)
            .map(|endpoint| endpoint.id.clone())
            .collect(),
    }
}

/// Addresses and files stay as they were opened; says whether the new configuration has others. The address that
/// stays may need the token that the new one does without.
pub(super) fn keep_what_is_open(new: &mut Config, old: &Config) -> bool {
    let admin_moves = new.listener.admin != old.listener.admin;
    let differs = admin_moves
        || new.listener.public != old.listener.public
        || new.listener.tls.is_some() != old.listener.tls.is_some()
        || new.listener.admin_socket != old.listener.admin_socket
        || new.ledger.path != old.ledger.path
        || new.ledger.payload_key_file != old.ledger.payload_key_file
        || new.ledger.cluster != old.ledger.cluster;
    if admin_moves && new.listener.admin_token.is_none() {
        new.listener.admin_token.clone_from(&old.listener.admin_token);
    }
    new.listener.admin = old.listener.admin;
    new.listener.public = old.listener.public;
    if new.listener.tls.is_some() != old.listener.tls.is_some() {
        new.listener.tls.clone_from(&old.listener.tls);
    }
    new.listener.admin_socket.clone_from(&old.listener.admin_socket);
    new.ledger.path.clone_from(&old.ledger.path);
    new.ledger.log.clone_from(&old.ledger.log);
    new.ledger.payload_key_file.clone_from(&old.ledger.payload_key_file);
    new.ledger.cluster.clone_from(&old.ledger.cluster);
    differs
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "6f1c0a5be9d24c7f8a3b2c1d0e9f8a7b";

    fn config(listener: &str) -> Config {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.toml");
        std::fs::write(&path, format!("[listener]\n{listener}\n[ledger]\npath = \"/l/ledger.sqlite\"\n"))
            .expect("a file");
        Config::load(&path).expect("a configuration")
    }

    #[test]
    fn an_admin_address_that_stays_open_to_the_network_keeps_its_token() {
        let old = config(&format!("admin = \"0.0.0.0:8081\"\nadmin_token = \"{TOKEN}\""));
        let mut first = config("admin = \"127.0.0.1:8081\"");
        assert!(keep_what_is_open(&mut first, &old));
        assert_eq!(first.listener.admin, old.listener.admin);
        assert!(first.listener.admin_token.as_ref().is_some_and(|token| token.matches(TOKEN)));

        let mut again = config("admin = \"127.0.0.1:8081\"");
        assert!(keep_what_is_open(&mut again, &first));
        assert!(again.listener.admin_token.is_some(), "a second reload of the same file");
    }

    #[test]
    fn where_the_address_stays_the_new_token_counts() {
        let old = config(&format!("admin_token = \"{TOKEN}\""));
        let mut new = config("");
        assert!(!keep_what_is_open(&mut new, &old));
        assert!(new.listener.admin_token.is_none());
    }
}
