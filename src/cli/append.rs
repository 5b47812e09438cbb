//! How a command writes: it appends to the log, and waits until the ledger has folded its entries. With the daemon running
//! the daemon folds them; without it the command does so itself.

use std::path::PathBuf;
use std::time::Duration;

use cvco_domain::{Seq, Timestamp};
use cvco_ledger::{Ledger, LedgerError, Reader};
use cvco_log::sqlite::Lease;
use cvco_log::{Draft, LogStore, SqliteLog, Stamp};

use super::Failure;
use crate::clock::Clock;
use crate::config::LedgerSettings;

/// How often a command looks whether the daemon has folded its entries.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// After so many looks in vain the daemon may have stopped.
const LOOKS_BEFORE_DOUBT: u32 = 100;

/// The log for writing, and a ledger that follows it.
pub(super) struct Writer {
    log: SqliteLog,
    ledger: PathBuf,
    /// The ledger itself, where no daemon folds the log.
    own: Option<(Lease, Ledger)>,
    clock: Clock,
}

impl Writer {
    /// Opens log and ledger; both must be there.
    pub(super) fn open(settings: &LedgerSettings) -> Result<Self, Failure> {
        let log = SqliteLog::open(&settings.log)?;
        let own = match SqliteLog::lease(&settings.log)? {
            Some(lease) => {
                let mut ledger = Ledger::open(&settings.path, &log.id()?)?;
                ledger.catch_up_all(&mut log.reader()?)?;
                Some((lease, ledger))
            }
            None => None,
        };
        Ok(Self { log, ledger: settings.path.clone(), own, clock: Clock::system() })
    }

    /// Whether a daemon folds the log.
    pub(super) const fn is_served(&self) -> bool {
        self.own.is_none()
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
        drafts: &[Draft],
        mut waiting: impl FnMut(),
    ) -> Result<Vec<Stamp>, Failure> {
        if drafts.is_empty() {
            return Ok(Vec::new());
        }
        let stamps = self.log.append(drafts, self.clock.now())?;
        if let Some(last) = stamps.last() {
            self.wait_until_folded(last.seq, &mut waiting)?;
        }
        Ok(stamps)
    }

    /// As [`Writer::append`], for one entry.
    pub(super) fn append_one(&mut self, draft: Draft) -> Result<Stamp, Failure> {
        self.append(&[draft], || {})?.pop().ok_or_else(|| LedgerError::Stopped.into())
    }

    fn wait_until_folded(&mut self, seq: Seq, waiting: &mut dyn FnMut()) -> Result<(), Failure> {
        if let Some((_, ledger)) = &mut self.own {
            ledger.catch_up_all(&mut self.log)?;
            return Ok(());
        }
        let reader = self.reader()?;
        let (mut folded, mut looks) = (reader.folded()?.0, 0_u32);
        while folded < seq {
            waiting();
            std::thread::sleep(LOOK_EVERY);
            let before = std::mem::replace(&mut folded, reader.folded()?.0);
            looks = if folded == before { looks.saturating_add(1) } else { 0 };
            if looks >= LOOKS_BEFORE_DOUBT && self.takes_over()? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Where the daemon has stopped meanwhile, the command folds the log itself.
    fn takes_over(&mut self) -> Result<bool, Failure> {
        let Some(lease) = SqliteLog::lease(self.log.path())? else { return Ok(false) };
        let mut ledger = Ledger::open(&self.ledger, &self.log.id()?)?;
        ledger.catch_up_all(&mut self.log)?;
        self.own = Some((lease, ledger));
        Ok(true)
    }
}
