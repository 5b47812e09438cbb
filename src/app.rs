//! The program as a whole: configuration, log, ledger, workers, listeners; started and stopped in order.

mod reload;
mod settings;
mod sockets;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cvco_domain::Timestamp;
use cvco_domain::crypto::SealKey;
use cvco_ledger::{Ledger, LedgerError};
use cvco_log::entry::Pause;
use cvco_log::sqlite::Lease;
use cvco_log::{Appender, Draft, Log, LogEntry, LogError, LogStore, SqliteLog, key_file};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::commands::Errands;
use crate::admin::{Admin, Door, command_places};
use crate::alert::channels::ChannelWorker;
use crate::alert::desk::Desk;
use crate::alert::trouble::TroubleWorker;
use crate::alert::worker::AlertWorker;
use crate::clock::Clock;
use crate::config::{Config, LedgerSettings};
use crate::confirm::worker::ConfirmWorker;
use crate::dashboard::Dashboard;
use crate::exchange::Exchange;
use crate::follower::{Follower, Readers};
use crate::lifecycle::{self, Vitals};
use crate::listener::{Receiver, accept};
use crate::relay::FirstAttempts;
use crate::relay::worker::{Payloads, RelayWorker};
use crate::telemetry::Metrics;
use crate::timekeeper::{self, Timekeeper};
use reload::{Policies, Reloads};
use settings::Settings;
pub use sockets::Listeners;

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
    /// The admin socket cannot be made.
    #[error("cannot listen at {path} ([listener] admin_socket): {source}")]
    ListenLocally {
        /// The socket.
        path: PathBuf,
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
    /// Carries out what people do by commands.
    pub errands: Arc<dyn Errands>,
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
    let Setup { config, config_path, listeners, clock, errands } = setup;
    lifecycle::status("opening log and ledger");
    let Files { log, followed_log, relayed_log, ledger, key, lease, last_alive } =
        Files::open(&config.ledger)?;
    let dated = clock.clone();
    let metrics = Arc::new(Metrics::default());
    let counted = Arc::clone(&metrics);
    let (appender, log) =
        Appender::start_observed(log, move || dated.now(), move |commit| counted.count_commit(commit))?;
    let (failed, stop_now) = (watch::channel(None).0, stop.clone());
    let follower_failed = failed.clone();
    let (following, followed) = Follower::start(ledger, followed_log, log.changed(), move || {
        follower_failed.send_replace(Some("the ledger's follower"));
        stop_now.cancel();
    })?;
    announce(&config, &listeners);
    lifecycle::status("letting the ledger catch up with the log");
    resume(&log, last_alive, clock.now()).await?;

    let readers = Readers::of(config.ledger.path.clone());
    let vitals = Vitals { log: log.clone(), followed: followed.clone(), readers: readers.clone() };
    let policies = Policies { log: log.clone(), followed: followed.clone(), readers: readers.clone() };
    policies.adopt(&config.policy).await?;

    let (settings, views) = Settings::of(config, Arc::clone(&metrics));
    let parts = Parts { tasks: TaskTracker::new(), stop: stop.clone(), failed };
    let first = FirstAttempts::new(followed.clone(), readers.clone());
    let receiver = Arc::new(Receiver::new(
        views.intake,
        log.clone(),
        Arc::clone(&key),
        followed.clone(),
        first.clone(),
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
    let exchange = Exchange {
        settings: views.admin.clone(),
        log: log.clone(),
        followed: followed.clone(),
        clock: clock.clone(),
        errands: Arc::clone(&errands),
    };
    parts.start("the exchange folder", exchange.run(stop.clone()));
    let payloads = Payloads::new(relayed_log, Arc::clone(&key));
    // Nothing here keeps what is behind it alive: with the last connection its handles on log and ledger are gone.
    let door = {
        let admin = Arc::new(Admin {
            settings: views.admin,
            log: log.clone(),
            key: Arc::clone(&key),
            followed: followed.clone(),
            readers: readers.clone(),
            clock: clock.clone(),
            metrics: Arc::clone(&metrics),
            errands,
            commands: command_places(),
        });
        let dashboard = Dashboard::new(Arc::clone(&admin), payloads.clone());
        Arc::new(Door::on(dashboard.routes(admin.router())))
    };
    if let Some(local) = listeners.local {
        let connections = metrics.admin_connections.clone();
        let door = Arc::clone(&door);
        let serving = accept::serve(local, door, ADMIN_CONNECTIONS, connections, stop.clone());
        parts.start("the admin socket", serving);
    }
    parts.start(
        "the admin listener",
        accept::serve(
            listeners.admin,
            door,
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
        payloads,
        followed: followed.clone(),
        readers: readers.clone(),
        first,
        clock: clock.clone(),
        metrics: Arc::clone(&metrics),
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
    let desk = Desk { log: log.clone(), followed: followed.clone(), readers, clock, metrics, host };
    let channels = ChannelWorker { addressees: views.addressees.clone(), desk: desk.clone() };
    parts.start("the channels", channels.run(stop.clone()));
    let alerts = AlertWorker { addressees: views.addressees, desk };
    parts.start("the alert worker", alerts.run(stop.clone()));
    let reloading = Reloads { config_path, settings, policies };
    parts.start("reloading", reloading.run(reloads, stop.clone()));
    parts.start("the watchdog", lifecycle::watchdog(vitals, stop.clone()));
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

fn announce(config: &Config, listeners: &Listeners) {
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        public = listeners.public_address(),
        admin = listeners.admin_address(),
        admin_socket = listeners.socket(),
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
pub(crate) fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let name: String = name.trim().chars().filter(|c| plain(*c)).take(200).collect();
    if name.is_empty() { "cvco-reconciled.localhost".to_owned() } else { name }
}
