//! The program as a whole: configuration, log, ledger, workers, listeners; started and stopped in order.

mod office;
mod reload;
mod settings;
mod sockets;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cvco_domain::Timestamp;
use cvco_domain::crypto::SealKey;
use cvco_ledger::{Ledger, LedgerError};
use cvco_log::sqlite::Lease;
use cvco_log::{Appender, Draft, Log, LogError, LogStore, SqliteLog, key_file};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::commands::Errands;
use crate::admin::{Admin, Door, command_places};
use crate::alert::desk::Unsaid;
use crate::alert::trouble::TroubleWorker;
use crate::clock::{Ahead, Clock};
use crate::cluster::{self, Member, Membership};
use crate::config::{ClusterSettings, Config, LedgerSettings};
use crate::dashboard::Dashboard;
use crate::exchange::Exchange;
use crate::fault::Note;
use crate::follower::{Follower, Readers};
use crate::lead::Leads;
use crate::lifecycle::{self, Vitals};
use crate::listener::room::Rooms;
use crate::listener::tls::{Public, Renewal};
use crate::listener::{Receiver, accept};
use crate::relay::FirstAttempts;
use crate::relay::worker::Payloads;
use crate::telemetry::Metrics;
use crate::timekeeper::{self, Timekeeper};
use office::Office;
use reload::{Policies, Reloads};
use settings::Settings;
pub use sockets::Listeners;

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

/// How long the start waits for the first word of a log in PostgreSQL.
const FIRST_WORD: Duration = Duration::from_secs(3);

/// The files, opened and checked.
struct Files {
    /// Where entries are appended.
    log: Box<dyn LogStore>,
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
    /// This machine's part in a log of several.
    membership: Option<Membership>,
}

impl Files {
    fn open(settings: &LedgerSettings) -> Result<Self, AppError> {
        // A ledger of 0.x has no log beside it: that is said first.
        cvco_ledger::refuse_unreleased(&settings.path)?;
        let lease = take_lease(&settings.log)?;
        match &settings.cluster {
            Some(cluster) => Self::of_member(settings, cluster, lease),
            None => Self::of_one_machine(settings, lease),
        }
    }

    fn of_member(
        settings: &LedgerSettings,
        cluster: &ClusterSettings,
        lease: Lease,
    ) -> Result<Self, AppError> {
        let cluster = cluster.url().and_then(|url| cluster::settings(cluster, &url));
        let opened = cluster::open(settings, cluster.map_err(LogError::CannotJoin)?)?;
        let mut replica = opened.replica;
        let ledger = Ledger::open(&settings.path, &replica.id()?)?;
        ledger.must_follow_from(&mut replica)?;
        Ok(Self {
            log: Box::new(opened.store),
            relayed_log: replica.reader()?,
            followed_log: replica,
            ledger,
            key: Arc::new(opened.key),
            lease,
            last_alive: opened.last_alive,
            membership: Some(opened.membership),
        })
    }

    fn of_one_machine(settings: &LedgerSettings, lease: Lease) -> Result<Self, AppError> {
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
        Ok(Self {
            log: Box::new(log),
            followed_log,
            relayed_log,
            ledger,
            key: Arc::new(key),
            lease,
            last_alive,
            membership: None,
        })
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
    let ledger_settings = config.ledger.clone();
    let files = tokio::task::spawn_blocking(move || Files::open(&ledger_settings)).await;
    let Files { log, followed_log, relayed_log, ledger, key, lease, last_alive, membership } =
        files.unwrap_or(Err(AppError::TaskEnded("opening log and ledger")))?;
    // Of several machines all go by the clock that dates their entries.
    let ahead = Ahead::default();
    let clock = if membership.is_some() { Clock::ahead_by(&ahead) } else { clock };
    let dated = clock.clone();
    let metrics = Arc::new(Metrics::default());
    let counted = Arc::clone(&metrics);
    let fault = Note::beside(&config.ledger.path);
    fault.watch(Arc::clone(&metrics));
    let (appender, log) =
        Appender::start_observed(log, move || dated.now(), move |commit| counted.count_commit(commit))?;
    let (failed, stop_now) = (watch::channel(None).0, stop.clone());
    let follower_failed = failed.clone();
    let mut member = match membership {
        Some(membership) => Some(membership.join(appender.ends(), &log, ahead)?),
        None => None,
    };
    let leads = member.as_ref().map_or_else(Leads::alone, |member| member.leads.clone());
    let grown = member.as_ref().map_or_else(|| log.changed(), |member| member.grown.clone());
    let (following, followed) = Follower::start(ledger, followed_log, grown, move || {
        follower_failed.send_replace(Some("the ledger's follower"));
        stop_now.cancel();
    })?;
    announce(&config, &listeners);
    lifecycle::status("letting the ledger catch up with the log");
    let parts = Parts { tasks: TaskTracker::new(), stop: stop.clone(), root: stop.clone(), failed };
    let cluster = member.as_ref().map(|member| member.cluster.clone());
    if let Some(Member { herald, cluster: joined, .. }) = &mut member {
        if let Some(herald) = herald.take() {
            parts.start("the herald", herald.run(stop.clone()));
        }
        drop(tokio::time::timeout(FIRST_WORD, joined.first_word()).await);
        if let Err(error) = resume(&log, last_alive, clock.now()).await {
            tracing::error!(%error, "PostgreSQL takes nothing yet; calls are refused until it does");
        }
    } else {
        resume(&log, last_alive, clock.now()).await?;
    }

    let readers = Readers::of(config.ledger.path.clone());
    let vitals = Vitals { log: log.clone(), followed: followed.clone(), readers: readers.clone() };
    let policies = Policies {
        log: log.clone(),
        followed: followed.clone(),
        readers: readers.clone(),
        leads: leads.clone(),
    };
    policies.adopt(&config.policy).await?;

    let (settings, views) = Settings::of(config, Arc::clone(&metrics));
    let first = FirstAttempts::new(followed.clone(), readers.clone(), leads.clone());
    let receiver = Arc::new(Receiver::new(
        views.intake,
        log.clone(),
        Arc::clone(&key),
        followed.clone(),
        first.clone(),
        clock.clone(),
        Arc::clone(&metrics),
    ));
    let (public, shown) = match &settings.current.listener.tls {
        None => (Public::plain(listeners.public), None),
        Some(tls) => {
            let (public, shown) = Public::secured(listeners.public, &tls.identity);
            (public, Some(shown))
        }
    };
    let (certificate, certificate_trouble) = watch::channel(None);
    let renewal = Renewal {
        files: views.tls,
        shown,
        trouble: certificate,
        clock: clock.clone(),
        metrics: Arc::clone(&metrics),
    };
    parts.start("the renewal of the certificate", renewal.run(stop.clone()));
    let rooms = Rooms::of_this_process();
    parts.start("the count of refused calls", Arc::clone(&receiver).count_refusals(stop.clone()));
    parts.start(
        "the public listener",
        accept::serve(public, receiver, rooms.public, metrics.connections.clone(), stop.clone()),
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
            settings: views.admin.clone(),
            log: log.clone(),
            key: Arc::clone(&key),
            followed: followed.clone(),
            readers: readers.clone(),
            clock: clock.clone(),
            metrics: Arc::clone(&metrics),
            errands,
            commands: command_places(),
            cluster,
        });
        let dashboard = Dashboard::new(Arc::clone(&admin), config_path.clone(), payloads.clone());
        Arc::new(Door::on(dashboard.routes(admin.router())))
    };
    if let Some(local) = listeners.local {
        let connections = metrics.admin_connections.clone();
        let door = Arc::clone(&door);
        let serving = accept::serve(local, door, rooms.admin, connections, stop.clone());
        parts.start("the admin socket", serving);
    }
    parts.start(
        "the admin listener",
        accept::serve(listeners.admin, door, rooms.admin, metrics.admin_connections.clone(), stop.clone()),
    );
    let (trouble, log_trouble) = watch::channel(None);
    let timekeeper = Timekeeper {
        log: log.clone(),
        position: followed.position(),
        leads: leads.clone(),
        clock: clock.clone(),
        retention: views.retention,
        trouble,
    };
    parts.start("the timekeeper", timekeeper.run(stop.clone()));
    let host = host_name();
    let (refused, never_reached) = watch::channel(BTreeMap::new());
    let troubles = TroubleWorker {
        addressees: views.addressees.clone(),
        log_trouble,
        certificate_trouble,
        fault,
        refused: never_reached,
        followed: followed.clone(),
        clock: clock.clone(),
        host: host.clone(),
    };
    parts.start("the trouble worker", troubles.run(stop.clone()));
    let office = Office {
        leads,
        log: log.clone(),
        payloads,
        key,
        followed: followed.clone(),
        readers,
        first,
        policies: policies.clone(),
        clock,
        metrics,
        host,
        unsaid: Unsaid::default(),
        admin: views.admin,
        asked: views.asked,
        relays: views.relays,
        addressees: views.addressees,
        refused,
    };
    parts.start("the leader's office", office.run(parts.clone(), stop.clone()));
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
        // Now that nothing is done any more as a leader does, another machine may lead.
        let tail_end = member.map_or(Ok(()), |member| member.tail.join().map_err(AppError::from));
        let ledger_end = following.join().map_err(AppError::from);
        drop(lease);
        log_end.and(tail_end).and(ledger_end)
    });
    ended.await.unwrap_or(Err(AppError::TaskEnded("the end of the program")))?;
    match *failed.borrow() {
        Some(part) => Err(AppError::TaskEnded(part)),
        None => Ok(()),
    }
}

/// Says in the log that nothing could be received since the last sign of life.
async fn resume(log: &Log, last_alive: Option<Timestamp>, now: Timestamp) -> Result<(), AppError> {
    if let Some(pause) = timekeeper::pause(last_alive, now) {
        log.append(Draft::new(&pause)?).await?;
    }
    log.mark_alive().await?;
    Ok(())
}

/// The parts of the program that must live as long as it does, or as long as a lead.
#[derive(Clone)]
struct Parts {
    tasks: TaskTracker,
    /// When they are to end.
    stop: CancellationToken,
    /// When the program is.
    root: CancellationToken,
    failed: watch::Sender<Option<&'static str>>,
}

impl Parts {
    /// Parts that live for a term.
    fn of(&self, term: &CancellationToken) -> Self {
        Self { tasks: TaskTracker::new(), stop: term.clone(), ..self.clone() }
    }

    /// Starts a part. If it ends before it was told to, by a panic or by itself, the program stops with a
    /// failure, and the service manager starts it again: better than half a program.
    fn start(&self, name: &'static str, part: impl Future<Output = ()> + Send + 'static) {
        let (stop, root, failed) = (self.stop.clone(), self.root.clone(), self.failed.clone());
        self.tasks.spawn(async move {
            let ended = tokio::spawn(part).await;
            if !stop.is_cancelled() || ended.is_err() {
                tracing::error!(part = name, "ended unexpectedly");
                failed.send_replace(Some(name));
                root.cancel();
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
