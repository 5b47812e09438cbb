//! The program as a whole: configuration → ledger → workers → listeners, started and stopped in good order.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::Admin;
use crate::alert::worker::AlertWorker;
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::confirm::worker::ConfirmWorker;
use crate::ledger::{Entry, Ledger, LedgerError, SCHEMA_VERSION, Store, Writer};
use crate::listener::{Receiver, accept};
use crate::telemetry::Metrics;
use crate::{lifecycle, sweep};

/// Connections to the admin address.
const ADMIN_CONNECTIONS: usize = 32;

/// Why the program could not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// An address is taken, or not ours.
    #[error("cannot listen on {address} ([listener] {key}): {source}")]
    Listen {
        /// The key.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The system gave no thread, or no signals.
    #[error("cannot start: {0}")]
    System(#[from] std::io::Error),
    /// A part of the program ended by itself.
    #[error("{0} ended unexpectedly; see the log")]
    TaskEnded(&'static str),
}

/// The two bound listeners.
pub struct Listeners {
    /// Notifications.
    pub public: TcpListener,
    /// Orders, health, metrics.
    pub admin: TcpListener,
}

impl Listeners {
    /// Takes the public socket from systemd where it offers one, and binds the rest.
    ///
    /// # Errors
    /// An address is taken, or not ours.
    pub async fn open(config: &Config) -> Result<Self, AppError> {
        let activated = listenfd::ListenFd::from_env().take_tcp_listener(0)?;
        let public = match activated {
            Some(socket) => {
                socket.set_nonblocking(true)?;
                TcpListener::from_std(socket)?
            }
            None => bind("public", config.listener.public).await?,
        };
        Ok(Self { public, admin: bind("admin", config.listener.admin).await? })
    }
}

async fn bind(key: &'static str, address: SocketAddr) -> Result<TcpListener, AppError> {
    TcpListener::bind(address).await.map_err(|source| AppError::Listen { key, address, source })
}

/// What the program runs with.
pub struct Setup {
    /// The settings.
    pub config: Config,
    /// The file they came from, for reloads.
    pub config_path: Option<PathBuf>,
    /// The bound listeners.
    pub listeners: Listeners,
    /// The time.
    pub clock: Clock,
}

/// Runs until `stop` is cancelled, then finishes what was accepted. A message on `reloads` loads the
/// configuration again.
///
/// # Errors
/// The ledger cannot be opened, or a part of the program ended by itself.
pub async fn run(setup: Setup, reloads: mpsc::Receiver<()>, stop: CancellationToken) -> Result<(), AppError> {
    let Setup { config, config_path, listeners, clock } = setup;
    let store = Store::open(&config.ledger.path, &config.ledger.payload_key_file)?;
    let (writer, ledger) = Writer::start(store)?;
    ledger.take(clock.now(), Entry::Policy(config.policy.clone())).await?;
    announce(&config, &listeners);

    let metrics = Arc::new(Metrics::default());
    let ledger_path = config.ledger.path.clone();
    let (settings, config) = watch::channel(Arc::new(config));
    let parts = Parts { tasks: TaskTracker::new(), stop: stop.clone(), failed: watch::channel(None).0 };

    let receiver =
        Arc::new(Receiver::new(config.clone(), ledger.clone(), clock.clone(), Arc::clone(&metrics)));
    parts.start(
        "the public listener",
        accept::serve(
            listeners.public,
            receiver,
            accept::connection_limit(),
            metrics.connections.clone(),
            stop.clone(),
        ),
    );
    let admin = Arc::new(Admin {
        config: config.clone(),
        ledger: ledger.clone(),
        ledger_path: ledger_path.clone(),
        clock: clock.clone(),
        metrics: Arc::clone(&metrics),
    });
    parts.start(
        "the admin listener",
        accept::serve(
            listeners.admin,
            admin,
            ADMIN_CONNECTIONS,
            metrics.admin_connections.clone(),
            stop.clone(),
        ),
    );
    parts.start("the sweep", sweep::run(ledger.clone(), config.clone(), clock.clone(), stop.clone()));
    let confirmations = ConfirmWorker {
        config: config.clone(),
        ledger: ledger.clone(),
        ledger_path: ledger_path.clone(),
        clock: clock.clone(),
        metrics: Arc::clone(&metrics),
    };
    parts.start("the confirmation worker", confirmations.run(stop.clone()));
    let alerts = AlertWorker {
        config,
        ledger: ledger.clone(),
        ledger_path,
        clock: clock.clone(),
        metrics,
        host: host_name(),
    };
    parts.start("the alert worker", alerts.run(stop.clone()));
    let reloading = Reloads { config_path, settings, ledger: ledger.clone(), clock };
    parts.start("reloading", reloading.run(reloads, stop.clone()));
    parts.start("the watchdog", lifecycle::watchdog(ledger.clone(), stop.clone()));
    lifecycle::ready();

    stop.cancelled().await;
    lifecycle::stopping();
    parts.tasks.close();
    parts.tasks.wait().await;
    // The last handle: the writer finishes its queue and closes the ledger.
    drop(ledger);
    tokio::task::spawn_blocking(move || writer.join()).await.unwrap_or(Err(LedgerError::Stopped))?;
    match *parts.failed.borrow() {
        Some(part) => Err(AppError::TaskEnded(part)),
        None => Ok(()),
    }
}

/// The parts of the program that must live as long as it does.
struct Parts {
    tasks: TaskTracker,
    stop: CancellationToken,
    failed: watch::Sender<Option<&'static str>>,
}

impl Parts {
    /// Starts a part. If it ends before it was told to, by a panic or by itself, the program stops with a
    /// failure, and the service manager starts it afresh: better than half a program.
    fn start(&self, name: &'static str, part: impl Future<Output = ()> + Send + 'static) {
        let (stop, failed) = (self.stop.clone(), self.failed.clone());
        self.tasks.spawn(async move {
            let ended = tokio::spawn(part).await;
            if !stop.is_cancelled() || ended.is_err() {
                tracing::error!(part = name, "ended unexpectedly");
                failed.send_replace(Some(name));
                stop.cancel();
            }
        });
    }
}

/// Loads the configuration again when told to.
struct Reloads {
    config_path: Option<PathBuf>,
    settings: watch::Sender<Arc<Config>>,
    ledger: Ledger,
    clock: Clock,
}

impl Reloads {
    async fn run(self, mut reloads: mpsc::Receiver<()>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                wanted = reloads.recv() => if wanted.is_none() {
                    // Nobody can ask any more; stay until the stop.
                    stop.cancelled().await;
                    return;
                }
            }
            lifecycle::reloading();
            self.reload().await;
            lifecycle::ready();
        }
    }

    async fn reload(&self) {
        let Some(path) = self.config_path.clone() else { return };
        let loaded = tokio::task::spawn_blocking(move || Config::load(&path)).await;
        let mut config = match loaded {
            Ok(Ok(config)) => config,
            Ok(Err(error)) => return refuse(&error),
            Err(error) => return tracing::error!(%error, "the configuration was not loaded"),
        };
        if keep_what_is_open(&mut config, &self.settings.borrow()) {
            tracing::warn!("listener addresses and ledger files change only with a restart");
        }
        if let Err(error) = self.ledger.take(self.clock.now(), Entry::Policy(config.policy.clone())).await {
            return tracing::error!(%error, "the new policy was not stored; the old configuration stays");
        }
        tell_warnings(&config);
        tracing::info!(endpoints = config.endpoints.len(), "configuration loaded again");
        self.settings.send_replace(Arc::new(config));
    }
}

/// Addresses and files stay as they were opened; says whether the new configuration has others. The address that
/// stays may need the token that the new one does without.
fn keep_what_is_open(new: &mut Config, old: &Config) -> bool {
    let admin_moves = new.listener.admin != old.listener.admin;
    let differs = admin_moves
        || new.listener.public != old.listener.public
        || new.ledger.path != old.ledger.path
        || new.ledger.payload_key_file != old.ledger.payload_key_file;
    if admin_moves && new.listener.admin_token.is_none() {
        new.listener.admin_token.clone_from(&old.listener.admin_token);
    }
    new.listener.admin = old.listener.admin;
    new.listener.public = old.listener.public;
    new.ledger.path.clone_from(&old.ledger.path);
    new.ledger.payload_key_file.clone_from(&old.ledger.payload_key_file);
    differs
}

fn refuse(error: &ConfigError) {
    tracing::error!(%error, "the new configuration is refused; the old one stays");
}

fn announce(config: &Config, listeners: &Listeners) {
    let address = |listener: &TcpListener| listener.local_addr().map(|a| a.to_string()).unwrap_or_default();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        public = address(&listeners.public),
        admin = address(&listeners.admin),
        ledger = %config.ledger.path.display(),
        schema = SCHEMA_VERSION,
        "cvco-reconciled starts"
    );
    for endpoint in &config.endpoints {
        tracing::info!(endpoint = %endpoint.id, psp = %endpoint.psp, mode = %endpoint.mode, shop = %endpoint.shop, "endpoint");
    }
    tell_warnings(config);
}

fn tell_warnings(config: &Config) {
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
}

/// This machine's name, for message ids.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let name: String = name.trim().chars().filter(|c| plain(*c)).take(200).collect();
    if name.is_empty() { "cvco-reconciled.localhost".to_owned() } else { name }
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
