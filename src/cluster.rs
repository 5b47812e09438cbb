//! One of several machines with one log in PostgreSQL: what it opens, and how it stands among the others.

mod machines;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cvco_domain::crypto::SealKey;
use cvco_domain::{Policy, Timestamp};
use cvco_log::{Draft, Ends, Log, LogError, LogStore, SqliteLog, Stamp, key_file};
use cvco_log_postgres::{ClusterLog, Counts, Identity, PostgresLog, Report, Settings, Standing, Tail};
use secrecy::SecretString;
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::{Ahead, Clock};
use crate::config::{ClusterSettings, LedgerSettings};
use crate::lead::{Lead, Leads};
pub(crate) use machines::{Machine, Machines};

/// A clock that is further off than this is not to be relied on.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(2);

/// Machines show themselves every five seconds; what is not longer ago than this is no pause.
const SHOWN: Duration = Duration::from_secs(10);

/// A machine that is so many entries late does not see what the others do.
const LATE_ENTRIES: i64 = 1000;

/// Or late by so much time.
const LATE: Duration = Duration::from_secs(10);

/// What the machines show of themselves is looked up again after this time, however many people look at it.
const KNOWN_FOR: Duration = Duration::from_secs(5);

/// Nobody waits for PostgreSQL longer than this to see a page.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a machine opens.
pub(crate) struct Opened {
    /// Where it appends.
    pub(crate) store: ClusterLog,
    /// The replica, for its readers.
    pub(crate) replica: SqliteLog,
    /// The key that seals payloads.
    pub(crate) key: SealKey,
    /// When any machine was last alive; `None` if that is not known.
    pub(crate) last_alive: Option<Timestamp>,
    /// Its part in the log.
    pub(crate) membership: Membership,
}

/// A machine's part in the log of several.
pub(crate) struct Membership {
    settings: Settings,
    own: Identity,
    replica: SqliteLog,
    counts: Arc<Counts>,
}

/// This machine's part as its configuration has it, at an address.
///
/// # Errors
/// What is wrong with the address.
pub(crate) fn settings(cluster: &ClusterSettings, url: &SecretString) -> Result<Settings, String> {
    let (fold, version) = (cvco_ledger::FOLD_VERSION, env!("CARGO_PKG_VERSION").to_owned());
    let mut settings = Settings::new(url, cluster.name.clone(), fold, version)?;
    settings.ca_file.clone_from(&cluster.ca_file);
    Ok(settings)
}

/// Opens this machine's replica, and what it needs beside that. PostgreSQL may be away, if the replica is there already.
///
/// # Errors
/// The log is another one, the payload key is another one, or a file cannot be opened.
pub(crate) fn open(ledger: &LedgerSettings, settings: Settings) -> Result<Opened, LogError> {
    let found = match cvco_log_postgres::identify(&settings) {
        Ok(found) => Some(found),
        Err(LogError::Away(why)) if ledger.log.exists() => {
            tracing::warn!(%why, "PostgreSQL is away: this machine starts with what it has");
            None
        }
        Err(error) => return Err(error),
    };
    let replica = match &found {
        Some(found) => SqliteLog::open_or_create_replica(&ledger.log, &found.identity.log_id)?,
        None => SqliteLog::open(&ledger.log)?,
    };
    let known = match &found {
        Some(found) => found.identity.key_fingerprint.clone(),
        None => replica.key_fingerprint()?,
    };
    let file = &ledger.payload_key_file;
    let key = match (key_file::read(file)?, &known) {
        (Some(key), Some(known)) if key.fingerprint() != *known => {
            return Err(LogError::OtherKey(file.clone()));
        }
        (Some(key), _) => key,
        // Another machine has it.
        (None, Some(_)) => return Err(LogError::KeyLost(file.clone())),
        (None, None) => key_file::make(file)?,
    };
    replica.adopt_key(&key, file)?;
    if found.is_some() && known.is_none() {
        cvco_log_postgres::adopt_key(&settings, key.fingerprint())?;
    }
    let own = Identity { log_id: replica.id()?, key_fingerprint: Some(key.fingerprint().to_owned()) };
    let counts = Arc::new(Counts::default());
    let (spool, written) = (spool(ledger), replica.reader()?);
    let store = ClusterLog::new(settings.clone(), own.clone(), written, &spool, Arc::clone(&counts))?;
    let last_alive = found.and_then(|found| found.last_seen.filter(|seen| found.now.since(*seen) >= SHOWN));
    let membership = Membership { settings, own, replica: replica.reader()?, counts };
    Ok(Opened { store, replica, key, last_alive, membership })
}

/// Where calls are kept that PostgreSQL could not take.
fn spool(ledger: &LedgerSettings) -> PathBuf {
    ledger.log.with_file_name("spool.sqlite")
}

/// A machine that takes part.
pub(crate) struct Member {
    /// Brings every row.
    pub(crate) tail: Tail,
    /// The end of the replica.
    pub(crate) grown: watch::Receiver<Stamp>,
    /// How it stands.
    pub(crate) cluster: Cluster,
    /// Whether it leads.
    pub(crate) leads: Leads,
    /// Tells that, once it runs.
    pub(crate) herald: Option<Herald>,
}

impl Membership {
    /// Begins to follow the log in PostgreSQL; `ahead` takes how far the server's clock is ahead.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn join(self, ends: Ends, log: &Log, ahead: Ahead) -> Result<Member, LogError> {
        let Self { settings, own, replica, counts } = self;
        let here = Clock::system();
        let cluster_settings = settings.clone();
        let (tail, followed) = Tail::start(settings, own, replica, ends, log.changed(), move || here.now())?;
        let (told, leads) = watch::channel(None);
        let standing = followed.standing;
        Ok(Member {
            tail,
            grown: followed.replica,
            cluster: Cluster::new(cluster_settings, standing.clone(), counts),
            leads: Leads::told(leads),
            herald: Some(Herald { standing, told, ahead }),
        })
    }
}

/// Tells the rest of the program what the tail learns.
pub(crate) struct Herald {
    standing: watch::Receiver<Standing>,
    told: watch::Sender<Option<Lead>>,
    ahead: Ahead,
}

impl Herald {
    /// Works until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            let (lead, ahead) = {
                let standing = self.standing.borrow_and_update();
                (standing.lead, standing.end.is_some().then_some(standing.ahead))
            };
            if let Some(ahead) = ahead {
                self.ahead.set(ahead);
            }
            let lead = lead.map(|lead| Lead { epoch: Some(lead.epoch), until: Some(lead.until) });
            self.told.send_if_modified(|known| std::mem::replace(known, lead) != lead);
            tokio::select! {
                () = stop.cancelled() => return,
                changed = self.standing.changed() => if changed.is_err() { return stop.cancelled().await },
            }
        }
    }
}

/// How this machine stands among the others.
#[derive(Clone)]
pub struct Cluster {
    settings: Settings,
    standing: watch::Receiver<Standing>,
    counts: Arc<Counts>,
    looked_up: Arc<Mutex<Option<LookedUp>>>,
}

/// What the machines showed of themselves, or why that is not known, in English.
struct LookedUp {
    at: Instant,
    said: Result<Machines, String>,
}

/// What is measured of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Figures {
    /// The number of its lead; zero if it does not lead.
    pub(crate) epoch: i64,
    /// How often the outcome of a commit had to be looked into.
    pub(crate) settles: u64,
    /// How many calls wait for PostgreSQL.
    pub(crate) spooled: u64,
}

impl Cluster {
    fn new(settings: Settings, standing: watch::Receiver<Standing>, counts: Arc<Counts>) -> Self {
        Self { settings, standing, counts, looked_up: Arc::default() }
    }

    /// The machines, as they last showed themselves.
    ///
    /// # Errors
    /// Why that is not known, in English.
    pub(crate) async fn machines(&self) -> Result<Machines, String> {
        let mut looked_up = self.looked_up.lock().await;
        if let Some(known) = looked_up.as_ref().filter(|known| known.at.elapsed() < KNOWN_FOR) {
            return known.said.clone();
        }
        let settings = self.settings.clone();
        let look = tokio::task::spawn_blocking(move || cvco_log_postgres::inspect(&settings));
        let said = match tokio::time::timeout(PATIENCE, look).await {
            Ok(Ok(Ok(report))) => Ok(self.told_by(report)),
            Ok(Ok(Err(error))) => Err(error.to_string()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("PostgreSQL did not answer within {} s", PATIENCE.as_secs())),
        };
        *looked_up = Some(LookedUp { at: Instant::now(), said: said.clone() });
        said
    }

    fn told_by(&self, report: Report) -> Machines {
        let machine = |machine: cvco_log_postgres::Machine| Machine {
            is_this: machine.name == self.settings.name,
            name: machine.name,
            seq: machine.seq,
            agrees: machine.agrees,
            version: machine.version,
            seen: machine.seen,
        };
        Machines {
            end: report.end.head.seq.get(),
            leader: report.leader.map(|leader| leader.name),
            all: report.machines.into_iter().map(machine).collect(),
            now: report.end.now,
        }
    }

    /// Returns when PostgreSQL was heard of.
    pub(crate) async fn first_word(&self) {
        let mut standing = self.standing.clone();
        // A tail that has ended has said all it had to say.
        drop(standing.wait_for(|standing| standing.end.is_some()).await);
    }

    /// Why this machine should get no calls, as far as the others are concerned.
    #[must_use]
    pub fn obstacle(&self, lag: i64, late: Duration) -> Option<String> {
        let standing = self.standing.borrow().clone();
        if let Some(trouble) = standing.trouble {
            return Some(trouble);
        }
        if standing.seen.elapsed() > LATE {
            return Some(format!("PostgreSQL was last heard of {} s ago", standing.seen.elapsed().as_secs()));
        }
        let off = Duration::from_millis(standing.ahead.unsigned_abs());
        if off > CLOCK_TOLERANCE {
            let than = if standing.ahead > 0 { "behind" } else { "ahead of" };
            let off = humantime::format_duration(Duration::from_secs(off.as_secs()));
            return Some(format!("this machine's clock is {off} {than} the database's: set it"));
        }
        (lag > LATE_ENTRIES || late > LATE)
            .then(|| format!("the ledger is {} s late, with {lag} entries to fold", late.as_secs()))
    }

    /// Whether another machine leads.
    #[must_use]
    pub fn is_led_by_another(&self) -> bool {
        let standing = self.standing.borrow();
        standing.lead.is_none() && standing.leader.is_some()
    }

    pub(crate) fn figures(&self) -> Figures {
        let standing = self.standing.borrow();
        let lead = standing.lead.filter(cvco_log_postgres::Lead::lasts);
        Figures {
            epoch: lead.map_or(0, |lead| lead.epoch.get()),
            settles: self.counts.settles.load(Ordering::Relaxed),
            spooled: self.counts.spooled.load(Ordering::Relaxed),
        }
    }
}

/// The keys in which this machine's settings differ from those in force, as a person reads them.
#[must_use]
pub fn differing(own: &Policy, in_force: &Policy) -> Vec<String> {
    let keys = |policy: &Policy| serde_json::to_value(policy).unwrap_or_default();
    let (own, in_force) = (keys(own), keys(in_force));
    let names = own.as_object().into_iter().chain(in_force.as_object()).flat_map(serde_json::Map::keys);
    let mut differing: Vec<String> =
        names.filter(|name| own.get(name) != in_force.get(name)).cloned().collect();
    differing.sort();
    differing.dedup();
    differing
}

/// The log of several machines, for a command.
pub(crate) trait Remote {
    /// Appends entries, all or none.
    ///
    /// # Errors
    /// They are not acknowledged.
    fn append(&mut self, drafts: &[Draft]) -> Result<Vec<Stamp>, LogError>;

    /// Brings this machine's replica up to date.
    ///
    /// # Errors
    /// PostgreSQL is away, or the two disagree.
    fn bring(&mut self, replica: &mut SqliteLog) -> Result<(), LogError>;
}

/// The log of several machines, for a command on this machine.
///
/// # Errors
/// What is wrong with the address, or the replica.
pub(crate) fn remote(cluster: &ClusterSettings, replica: &mut SqliteLog) -> Result<Box<dyn Remote>, String> {
    let settings = settings(cluster, &cluster.url()?)?;
    let told = |error: LogError| error.to_string();
    let own = Identity {
        log_id: replica.id().map_err(told)?,
        key_fingerprint: replica.key_fingerprint().map_err(told)?,
    };
    let known = replica.head().map_err(told)?;
    let log = PostgresLog::new(settings.clone(), own.clone(), known, Arc::default()).map_err(told)?;
    Ok(Box::new(ByCommand { settings, own, log }))
}

struct ByCommand {
    settings: Settings,
    own: Identity,
    log: PostgresLog,
}

impl Remote for ByCommand {
    fn append(&mut self, drafts: &[Draft]) -> Result<Vec<Stamp>, LogError> {
        self.log.append(drafts, None).map_err(|unstored| unstored.error)
    }

    fn bring(&mut self, replica: &mut SqliteLog) -> Result<(), LogError> {
        cvco_log_postgres::catch_up(&self.settings, &self.own, replica).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cvco_domain::Seq;
    use cvco_log::row::Head;
    use cvco_log_postgres::End;

    fn standing() -> Standing {
        let head = Head { seq: Seq::new(7), ..Head::default() };
        Standing {
            trouble: None,
            disagrees: false,
            end: Some(End { head, fold_version: 1, now: Timestamp::from_millis(0) }),
            ahead: 0,
            lead: None,
            leader: Some("one".to_owned()),
            seen: Instant::now(),
        }
    }

    fn obstacle(standing: Standing, lag: i64, late: u64) -> String {
        let (_, standing) = watch::channel(standing);
        let url = "postgresql://cvco_node@127.0.0.1/cvco".to_owned().into();
        let settings = Settings::new(&url, "two".to_owned(), 1, String::new()).expect("an address");
        let cluster = Cluster::new(settings, standing, Arc::default());
        cluster.obstacle(lag, Duration::from_secs(late)).unwrap_or_default()
    }

    #[tokio::test]
    async fn what_sets_a_machine_apart_is_told() {
        assert_eq!(obstacle(standing(), 1000, 10), "");
        assert!(obstacle(standing(), 1001, 0).contains("1001 entries"));
        assert!(obstacle(standing(), 1, 11).contains("11 s late"));
        for (ahead, words) in [(3_600_000, "1h behind"), (-3_600_000, "1h ahead of")] {
            let told = obstacle(Standing { ahead, ..standing() }, 0, 0);
            assert!(told.contains(words) && told.contains("set it"), "{told}");
        }
        assert_eq!(obstacle(Standing { ahead: 2000, ..standing() }, 0, 0), "");
        let away = Standing { trouble: Some("PostgreSQL is away".to_owned()), ..standing() };
        assert_eq!(obstacle(away, 0, 0), "PostgreSQL is away");
    }

    #[test]
    fn settings_that_differ_are_named() {
        let policy = Policy::default();
        assert_eq!(differing(&policy, &policy), [""; 0]);
        let other = Policy { complement_grace: Duration::from_secs(1), ..policy.clone() };
        assert_eq!(differing(&policy, &other), ["complement_grace"]);
    }
}
