//! The program as a whole: configuration, log, ledger, workers, listeners; started and stopped in order.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cvco_domain::crypto::SealKey;
use cvco_domain::{Mode, Policy, Timestamp};
use cvco_ledger::{Ledger, LedgerError};
use cvco_log::entry::Pause;
use cvco_log::sqlite::Lease;
use cvco_log::{Appender, Draft, Log, LogEntry, LogError, LogStore, SqliteLog, key_file};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::{Admin, AdminSettings};
use crate::alert::trouble::TroubleWorker;
use crate::alert::worker::{Addressees, AlertWorker};
use crate::clock::Clock;
use crate::config::{Config, ConfigError, Endpoint, LedgerSettings};
use crate::confirm::worker::{Asked, ConfirmWorker};
use crate::follower::{Followed, Follower, Readers};
use crate::lifecycle;
use crate::listener::{Intake, Receiver, accept};
use crate::relay::RelaySettings;
use crate::relay::worker::{Handler, Payloads, RelayWorker, Relays};
use crate::telemetry::Metrics;
use crate::timekeeper::{self, Timekeeper};

/// Connections to the admin address.
const ADMIN_CONNECTIONS: usize = 32;

/// How often a start looks whether the log is free.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long the start waits for a ledger that has entries to fold, and for a command that leads the log. Notifications
/// wait for none of the folding.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why the program could not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Another daemon leads.
    #[error("another cvco-reconciled serves the log {0}: stop it, or give this one a ledger of its own")]
    InUse(PathBuf),
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

/// The files, opened and checked.
struct Files {
    log: SqliteLog,
    /// A value of its own for the follower.
    followed_log: SqliteLog,
    /// One for the relay.
    relayed_log: SqliteLog,
    ledger: Ledger,
    key: Arc<SealKey>,
    /// Held for as long as the process lives: it alone folds the log and acts on what the ledger owes.
    lease: Lease,
    /// When a daemon was last known to receive.
    last_alive: Option<Timestamp>,
}

impl Files {
    fn open(settings: &LedgerSettings) -> Result<Self, AppError> {
        // A ledger of 0.x has no log beside it: that is said first.
        cvco_ledger::refuse_unreleased(&settings.path)?;
        let lease = take_lease(&settings.log)?;
        let key_file = &settings.payload_key_file;
        let mut log = SqliteLog::open_or_create(&settings.log, &[&settings.path, key_file])?;
        let key = match key_file::read(key_file)? {
            Some(key) => key,
            None if log.has_payloads()? => return Err(LogError::KeyLost(key_file.clone()).into()),
            None => key_file::make(key_file)?,
        };
        log.adopt_key(&key, key_file)?;
        let last_alive = log.last_alive()?;
        let (followed_log, relayed_log) = (log.reader()?, log.reader()?);
        let ledger = Ledger::open(&settings.path, &log.id()?)?;
        ledger.must_follow_from(&mut log)?;
        Ok(Self { log, followed_log, relayed_log, ledger, key: Arc::new(key), lease, last_alive })
    }
}

/// Takes the lead over the log. A command that writes has it for a moment where no daemon runs: that is waited for.
fn take_lease(log: &Path) -> Result<Lease, AppError> {
    let began = Instant::now();
    loop {
        if let Some(lease) = SqliteLog::lease(log)? {
            return Ok(lease);
        }
        if began.elapsed() >= PATIENCE {
            return Err(AppError::InUse(log.to_owned()));
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Runs until `stop` is cancelled, then finishes what was accepted. A message on `reloads` loads the
/// configuration again.
///
/// # Errors
/// Log or ledger cannot be opened, or a part of the program ended by itself.
#[expect(clippy::too_many_lines, reason = "each part is started once, in the order that matters")]
pub async fn run(setup: Setup, reloads: mpsc::Receiver<()>, stop: CancellationToken) -> Result<(), AppError> {
    let Setup { config, config_path, listeners, clock } = setup;
    let Files { log, followed_log, relayed_log, ledger, key, lease, last_alive } =
        Files::open(&config.ledger)?;
    let dated = clock.clone();
    let (appender, log) = Appender::start(log, move || dated.now())?;
    let (failed, stop_now) = (watch::channel(None).0, stop.clone());
    let follower_failed = failed.clone();
    let (following, followed) = Follower::start(ledger, followed_log, log.changed(), move || {
        follower_failed.send_replace(Some("the ledger's follower"));
        stop_now.cancel();
    })?;
    announce(&config, &listeners);
    resume(&log, last_alive, clock.now()).await?;

    let readers = Readers::of(config.ledger.path.clone());
    let policies = Policies { log: log.clone(), followed: followed.clone(), readers: readers.clone() };
    policies.adopt(&config.policy).await?;

    let metrics = Arc::new(Metrics::default());
    let (settings, views) = Settings::of(config);
    let parts = Parts { tasks: TaskTracker::new(), stop: stop.clone(), failed };
    let receiver = Arc::new(Receiver::new(
        views.intake,
        log.clone(),
        Arc::clone(&key),
        followed.clone(),
        clock.clone(),
        Arc::clone(&metrics),
    ));
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
        settings: views.admin,
        log: log.clone(),
        key: Arc::clone(&key),
        followed: followed.clone(),
        readers: readers.clone(),
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
    let (trouble, log_trouble) = watch::channel(None);
    let timekeeper = Timekeeper {
        log: log.clone(),
        position: followed.position(),
        clock: clock.clone(),
        retention: views.retention,
        trouble,
    };
    parts.start("the timekeeper", timekeeper.run(stop.clone()));
    let relay_key = Arc::clone(&key);
    let confirmations = ConfirmWorker {
        asked: views.asked,
        log: log.clone(),
        key,
        followed: followed.clone(),
        readers: readers.clone(),
        clock: clock.clone(),
        metrics: Arc::clone(&metrics),
    };
    parts.start("the confirmation worker", confirmations.run(stop.clone()));
    let relays = RelayWorker {
        settings: views.relays,
        log: log.clone(),
        payloads: Payloads::new(relayed_log, relay_key),
        followed: followed.clone(),
        readers: readers.clone(),
        clock: clock.clone(),
    };
    parts.start("the relay", relays.run(stop.clone()));
    let host = host_name();
    let troubles = TroubleWorker {
        addressees: views.addressees.clone(),
        log_trouble,
        followed: followed.clone(),
        clock: clock.clone(),
        host: host.clone(),
    };
    parts.start("the trouble worker", troubles.run(stop.clone()));
    let alerts = AlertWorker {
        addressees: views.addressees,
        log: log.clone(),
        followed: followed.clone(),
        readers,
        clock,
        metrics,
        host,
    };
    parts.start("the alert worker", alerts.run(stop.clone()));
    let reloading = Reloads { config_path, settings, policies };
    parts.start("reloading", reloading.run(reloads, stop.clone()));
    parts.start("the watchdog", lifecycle::watchdog(log.clone(), stop.clone()));
    lifecycle::ready();

    stop.cancelled().await;
    lifecycle::stopping();
    let Parts { tasks, failed, .. } = parts;
    tasks.close();
    tasks.wait().await;
    // The last handles: the appender finishes its queue, then the follower what was appended.
    drop((log, followed));
    let ended = tokio::task::spawn_blocking(move || {
        let log_end = appender.join().map_err(AppError::from);
        let ledger_end = following.join().map_err(AppError::from);
        drop(lease);
        log_end.and(ledger_end)
    });
    ended.await.unwrap_or(Err(AppError::TaskEnded("the end of the program")))?;
    match *failed.borrow() {
        Some(part) => Err(AppError::TaskEnded(part)),
        None => Ok(()),
    }
}

/// Says in the log that nothing could be received since the last sign of life: what PSPs tried to tell meanwhile is heard
/// before rules of time.
async fn resume(log: &Log, last_alive: Option<Timestamp>, now: Timestamp) -> Result<(), AppError> {
    if let Some(since) = last_alive.filter(|since| now.since(*since) >= timekeeper::PAUSE) {
        log.append(Draft::new(&LogEntry::Pause(Pause { since }))?).await?;
    }
    log.mark_alive().await?;
    Ok(())
}

/// The merchant's settings that decide: they take effect through the log.
struct Policies {
    log: Log,
    followed: Followed,
    readers: Readers,
}

impl Policies {
    /// Appends a policy, unless it is the one in force; returns when the ledger goes by it. A ledger that has much to fold
    /// is not waited for: then the policy is appended in any case, which changes nothing if it is the same.
    async fn adopt(&self, policy: &Policy) -> Result<(), AppError> {
        let head = self.log.changed().borrow().seq;
        let is_current = tokio::time::timeout(PATIENCE, self.followed.folded(head)).await.is_ok();
        if is_current
            && self.readers.read(cvco_ledger::Reader::policy_in_force).await?.as_ref() == Some(policy)
        {
            return Ok(());
        }
        let stamp = self.log.append(Draft::new(&LogEntry::Policy(policy.clone()))?).await?;
        drop(tokio::time::timeout(PATIENCE, self.followed.folded(stamp.seq)).await);
        Ok(())
    }
}

/// The settings as each part of the program needs them, so that none sees what is not its own.
struct Settings {
    current: Config,
    intake: watch::Sender<Arc<Intake>>,
    admin: watch::Sender<Arc<AdminSettings>>,
    asked: watch::Sender<Arc<Asked>>,
    relays: watch::Sender<Arc<Relays>>,
    addressees: watch::Sender<Arc<Addressees>>,
    retention: watch::Sender<Duration>,
}

/// What the parts of the program see of [`Settings`].
struct Views {
    intake: watch::Receiver<Arc<Intake>>,
    admin: watch::Receiver<Arc<AdminSettings>>,
    asked: watch::Receiver<Arc<Asked>>,
    relays: watch::Receiver<Arc<Relays>>,
    addressees: watch::Receiver<Arc<Addressees>>,
    retention: watch::Receiver<Duration>,
}

impl Settings {
    fn of(config: Config) -> (Self, Views) {
        let (intake, seen_intake) = watch::channel(Arc::new(intake(&config)));
        let (admin, seen_admin) = watch::channel(Arc::new(admin_settings(&config)));
        let (asked, seen_asked) = watch::channel(Arc::new(asked_settings(&config)));
        let (relays, seen_relays) = watch::channel(Arc::new(relays_of(&config)));
        let (addressees, seen_addressees) = watch::channel(Arc::new(addressees_of(&config)));
        let (retention, seen_retention) = watch::channel(config.ledger.payload_retention);
        let views = Views {
            intake: seen_intake,
            admin: seen_admin,
            asked: seen_asked,
            relays: seen_relays,
            addressees: seen_addressees,
            retention: seen_retention,
        };
        (Self { current: config, intake, admin, asked, relays, addressees, retention }, views)
    }

    fn replace(&mut self, config: Config) {
        self.intake.send_replace(Arc::new(intake(&config)));
        self.admin.send_replace(Arc::new(admin_settings(&config)));
        self.asked.send_replace(Arc::new(asked_settings(&config)));
        self.relays.send_replace(Arc::new(relays_of(&config)));
        self.addressees.send_replace(Arc::new(addressees_of(&config)));
        self.retention.send_replace(config.ledger.payload_retention);
        self.current = config;
    }
}

fn intake(config: &Config) -> Intake {
    Intake { endpoints: config.endpoints.clone(), trusted_proxies: config.listener.trusted_proxies.clone() }
}

fn admin_settings(config: &Config) -> AdminSettings {
    AdminSettings {
        token: config.listener.admin_token.clone(),
        shops: config.shops.clone(),
        endpoints: config.endpoints.clone(),
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
        shop_names: config.shops.iter().map(|shop| (shop.id.clone(), shop.name.clone())).collect(),
        trial_endpoints: config
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.mode == Mode::Test)
            .map(|endpoint| endpoint.id.clone())
            .collect(),
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
    /// failure, and the service manager starts it again: better than half a program.
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
    settings: Settings,
    policies: Policies,
}

impl Reloads {
    async fn run(mut self, mut reloads: mpsc::Receiver<()>, stop: CancellationToken) {
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

    async fn reload(&mut self) {
        let Some(path) = self.config_path.clone() else { return };
        let loaded = tokio::task::spawn_blocking(move || Config::load(&path)).await;
        let mut config = match loaded {
            Ok(Ok(config)) => config,
            Ok(Err(error)) => return refuse(&error),
            Err(error) => return tracing::error!(%error, "the configuration was not loaded"),
        };
        if keep_what_is_open(&mut config, &self.settings.current) {
            tracing::warn!("listener addresses and ledger files change only with a restart");
        }
        if let Err(error) = self.policies.adopt(&config.policy).await {
            return tracing::error!(%error, "the new policy was not stored; the old configuration stays");
        }
        tell_warnings(&config);
        tracing::info!(endpoints = config.endpoints.len(), "configuration loaded again");
        self.settings.replace(config);
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
    new.ledger.log.clone_from(&old.ledger.log);
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
        "cvco-reconciled starts"
    );
    for endpoint in &config.endpoints {
        tracing::info!(
            endpoint.id = %endpoint.id, psp = %endpoint.psp, mode = %endpoint.mode, shop = %endpoint.shop,
            "endpoint configured"
        );
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
