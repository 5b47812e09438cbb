//! How a command writes: it appends to the log, and waits until the ledger has folded its entries. With the daemon running
//! the daemon folds them; without it the command does so itself. A command that the daemon carries out goes the way of
//! everything else that the daemon appends.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cvco_domain::{Seq, Timestamp};
use cvco_ledger::{Ledger, LedgerError, Reader};
use cvco_log::sqlite::Lease;
use cvco_log::{Draft, Log, LogStore, SqliteLog, Stamp};
use tokio::runtime::Handle;

use super::{Failure, output};
use crate::admin::commands::Desk;
use crate::clock::Clock;
use crate::cluster::{self, Remote};
use crate::config::LedgerSettings;
use crate::follower::Followed;
use crate::timekeeper;

/// How often a command looks whether the daemon has folded its entries.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// After so many looks in vain the daemon may have stopped.
const LOOKS_BEFORE_DOUBT: u32 = 100;

/// The log for writing, and a ledger that follows it.
pub(super) struct Writer {
    way: Way,
    ledger: PathBuf,
    clock: Clock,
}

/// How entries get into the log, and from there into the ledger.
enum Way {
    /// As the daemon's own.
    Daemon(Inside),
    /// Beside the daemon, if there is one.
    File(Box<Outside>),
}

/// In the daemon's own process.
struct Inside {
    log: Log,
    followed: Followed,
    runtime: Handle,
}

/// In a process of its own.
struct Outside {
    log: SqliteLog,
    /// Where entries go, if the log is one of several machines.
    member: Option<Box<dyn Remote>>,
    /// The ledger itself, where no daemon folds the log.
    own: Option<(Lease, Ledger)>,
}

impl Writer {
    /// Opens log and ledger; both must be there.
    pub(super) fn open(settings: &LedgerSettings) -> Result<Self, Failure> {
        let mut log = SqliteLog::open(&settings.log)?;
        let mut member = match &settings.cluster {
            Some(cluster) => Some(cluster::remote(cluster, &mut log).map_err(Failure::Usage)?),
            None => None,
        };
        let own = match SqliteLog::lease(&settings.log)? {
            Some(lease) => {
                if let Some(member) = &mut member {
                    member.bring(&mut log)?;
                }
                let mut ledger = Ledger::open(&settings.path, &log.id()?)?;
                ledger.catch_up_all(&mut log.reader()?)?;
                Some((lease, ledger))
            }
            None => None,
        };
        let way = Way::File(Box::new(Outside { log, member, own }));
        Ok(Self { way, ledger: settings.path.clone(), clock: Clock::system() })
    }

    /// Those that the daemon has open.
    pub(super) fn in_daemon(desk: &Desk) -> Self {
        let way = Way::Daemon(Inside {
            log: desk.log.clone(),
            followed: desk.followed.clone(),
            runtime: desk.runtime.clone(),
        });
        Self { way, ledger: desk.settings.books.ledger.path.clone(), clock: desk.clock.clone() }
    }

    /// Whether a daemon folds the log.
    pub(super) const fn is_served(&self) -> bool {
        match &self.way {
            Way::Daemon(_) => true,
            Way::File(outside) => outside.own.is_none(),
        }
    }

    /// Queries of the ledger, which has folded everything that this command appended.
    pub(super) fn reader(&self) -> Result<Reader, LedgerError> {
        Reader::open(&self.ledger)
    }

    /// The time.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Appends entries, all or none, and waits until the ledger has folded them. `waiting` is called again and again
    /// meanwhile.
    pub(super) fn append(
        &mut self,
        drafts: Vec<Draft>,
        mut waiting: impl FnMut(),
    ) -> Result<Vec<Stamp>, Failure> {
        if drafts.is_empty() {
            return Ok(Vec::new());
        }
        match &mut self.way {
            Way::Daemon(Inside { log, followed, runtime }) => runtime.block_on(async {
                let stamps = log.append_all(drafts).await?;
                if let Some(last) = stamps.last() {
                    tokio::time::timeout(PATIENCE, followed.folded(last.seq))
                        .await
                        .map_err(|_| not_followed(last.seq))??;
                }
                Ok(stamps)
            }),
            Way::File(outside) => {
                let stamps = match &mut outside.member {
                    Some(member) => member.append(&drafts)?,
                    None => outside.append(&drafts, self.clock.now())?,
                };
                if let Some(last) = stamps.last() {
                    outside.wait_until_folded(&self.ledger, last.seq, &mut waiting)?;
                }
                Ok(stamps)
            }
        }
    }

    /// As [`Writer::append`], for one entry.
    pub(super) fn append_one(&mut self, draft: Draft) -> Result<Stamp, Failure> {
        self.append(vec![draft], || {})?.pop().ok_or_else(|| LedgerError::Stopped.into())
    }
}

/// So long a ledger may not move before a person is told what is waited for: a large import takes seconds.
const STANDS_STILL: Duration = Duration::from_secs(30);

/// So long it is waited for one that does not move.
const PATIENCE: Duration = Duration::from_mins(10);

/// What was asked for is done once the ledger follows: on a full disk, for instance, the log may have had room for it, and the
/// ledger has none.
fn not_followed(seq: Seq) -> Failure {
    Failure::Refused(format!(
        "this is entry {seq} of the log, and the ledger has not come to it yet: it takes effect as soon as the ledger does. \
         `check` and the daemon's own log say what keeps it"
    ))
}

impl Outside {
    /// Appends entries. Where no daemon receives, a pause comes first: a command, such as an import every hour, must not let
    /// graces end while the calls that would meet them find nobody.
    fn append(&mut self, drafts: &[Draft], now: Timestamp) -> Result<Vec<Stamp>, Failure> {
        if self.own.is_some()
            && let Some(pause) = timekeeper::pause(self.log.last_alive()?, now)
        {
            self.log.append(&[Draft::new(&pause)?], now)?;
        }
        Ok(self.log.append(drafts, now)?)
    }

    fn wait_until_folded(
        &mut self,
        ledger: &Path,
        seq: Seq,
        waiting: &mut dyn FnMut(),
    ) -> Result<(), Failure> {
        if let Some((_, ledger)) = &mut self.own {
            if let Some(member) = &mut self.member {
                member.bring(&mut self.log)?;
            }
            ledger.catch_up_all(&mut self.log)?;
            return Ok(());
        }
        let reader = Reader::open(ledger)?;
        let (mut folded, mut looks) = (reader.folded()?.0, 0_u32);
        let (mut moved_at, mut is_warned) = (Instant::now(), false);
        while folded < seq {
            waiting();
            std::thread::sleep(LOOK_EVERY);
            let before = std::mem::replace(&mut folded, reader.folded()?.0);
            if folded == before {
                looks = looks.saturating_add(1);
            } else {
                (looks, moved_at) = (0, Instant::now());
            }
            if looks >= LOOKS_BEFORE_DOUBT && self.takes_over(ledger)? {
                return Ok(());
            }
            let stands_for = moved_at.elapsed();
            if stands_for >= PATIENCE {
                return Err(not_followed(seq));
            }
            if stands_for >= STANDS_STILL && !std::mem::replace(&mut is_warned, true) {
                output::warn(&not_followed(seq).to_string());
            }
        }
        Ok(())
    }

    /// Where the daemon has stopped meanwhile, the command folds the log itself.
    fn takes_over(&mut self, ledger: &Path) -> Result<bool, Failure> {
        let Some(lease) = SqliteLog::lease(self.log.path())? else { return Ok(false) };
        if let Some(member) = &mut self.member {
            member.bring(&mut self.log)?;
        }
        let mut ledger = Ledger::open(ledger, &self.log.id()?)?;
        ledger.catch_up_all(&mut self.log)?;
        self.own = Some((lease, ledger));
        Ok(true)
    }
}
