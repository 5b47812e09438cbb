//! The ledger's file, and how the log's entries are applied to it: in large transactions, and past what cannot be folded.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use cvco_domain::{EndpointId, Policy, Question, RelayTarget, Seq, Timestamp, Way};
use cvco_log::row::{Link, Logged};
use cvco_log::sqlite::Identity;
use cvco_log::{LogError, LogStore};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::fold::{Fold, SetAside};
use crate::read::Extract;
use crate::tables::progress::Progress;
use crate::tables::{attempts, progress, rejections, set_aside};
use crate::{DueMail, LedgerError, Pace, Rejected, owed, schema};

/// How the log is folded. It is raised whenever the same log folds into other rows: of several machines those with an older
/// one then follow, and take no calls.
pub const FOLD_VERSION: i32 = 1;

/// Where a ledger stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The last entry that was folded.
    pub seq: Seq,
    /// Its date.
    pub at: Timestamp,
    /// When time alone next changes the ledger; `None` if only an entry can.
    pub next_deadline: Option<Timestamp>,
    /// How many entries are set aside.
    pub set_aside: i64,
}

/// The ledger, open for writing. One process at a time applies the log to it.
pub struct Ledger {
    pub(crate) conn: Connection,
    path: Option<PathBuf>,
    identity: Option<Identity>,
    log_id: String,
    position: Position,
}

impl Ledger {
    /// So many entries are applied in one transaction at most.
    pub const GROUP: usize = 2048;

    /// Opens the ledger of a log, and creates it where there is none. One with another schema is emptied, to be made again
    /// from the log.
    ///
    /// # Errors
    /// The file cannot be made or opened, is no ledger, or was made from another log.
    pub fn open(path: &Path, log_id: &str) -> Result<Self, LedgerError> {
        let conn = schema::open_for_writing(path)?;
        match progress::origin(&conn)? {
            Some((known, _)) if known != log_id => return Err(LedgerError::OtherLog(path.to_owned())),
            Some(_) | None => {}
        }
        let identity = Some(schema::identity(path)?);
        Self::with(conn, Some(path.to_owned()), identity, log_id)
    }

    /// A ledger in memory, gone with the value: for simulations and tests. Schema, fold and transactions are those of any
    /// other.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn in_memory() -> Result<Self, LedgerError> {
        Self::with(schema::in_memory()?, None, None, "memory")
    }

    /// A ledger in a temporary file that keeps nothing, to be filled at full speed.
    pub(crate) fn scratch(log_id: &str) -> Result<Self, LedgerError> {
        Self::with(schema::scratch()?, None, None, log_id)
    }

    fn with(
        conn: Connection,
        path: Option<PathBuf>,
        identity: Option<Identity>,
        log_id: &str,
    ) -> Result<Self, LedgerError> {
        let position = match position_of(&conn) {
            Ok(position) => position,
            // It must be open to be made again; until then every entry is refused.
            Err(error) if error.is_damage() => {
                tracing::error!(%error, "the ledger does not say how far it has come: run `rebuild`");
                let Progress { seq, at, .. } = Progress::start();
                Position { seq, at, next_deadline: None, set_aside: 0 }
            }
            Err(error) => return Err(error),
        };
        Ok(Self { conn, path, identity, log_id: log_id.to_owned(), position })
    }

    /// Where it stands.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    /// The settings in force.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn policy(&self) -> Result<Policy, LedgerError> {
        Ok(progress::read(&self.conn)?.policy)
    }

    /// The ledger for readers with queries of their own over the `acct_*` views, where there is no file to open.
    #[must_use]
    pub const fn connection(&self) -> &Connection {
        &self.conn
    }

    /// What accountants take away, as it is now.
    #[must_use]
    pub const fn extract(&self) -> Extract<'_> {
        Extract::new(&self.conn)
    }

    /// The next e-mail about discrepancies to be sent, if one is owed and due.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn next_mail(&self, now: Timestamp, pace: &Pace) -> Result<Option<DueMail>, LedgerError> {
        owed::next_mail(&self.conn, now, &Way::mail(), pace)
    }

    /// Applies what the log has after the ledger's position, up to a bounded number of entries; how many.
    ///
    /// # Errors
    /// The log cannot be read, or the ledger cannot be written; then nothing of this group was applied.
    pub fn catch_up(&mut self, log: &mut (impl LogStore + ?Sized)) -> Result<usize, LedgerError> {
        loop {
            // A rebuild by another process may have moved the ledger.
            if progress::folded(&self.conn)? != self.position.seq {
                self.position = position_of(&self.conn)?;
            }
            let links = log.read(self.position.seq, Self::GROUP)?;
            if links.is_empty() {
                self.must_not_be_ahead_of(log.head()?.seq)?;
            }
            match self.apply(&links) {
                Ok(()) => return Ok(links.len()),
                // It may have done so since the look at the position.
                Err(LedgerError::LogMoved { .. }) if progress::folded(&self.conn)? != self.position.seq => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Refuses a log that does not hold what was folded: an older one that was put back. What is appended to it would take the
    /// numbers of other entries, and never be folded.
    ///
    /// # Errors
    /// The log is not the one that was folded, or one of the two cannot be read.
    pub fn must_follow_from(&self, log: &mut impl LogStore) -> Result<(), LedgerError> {
        let seq = self.position.seq;
        if seq == Seq::ZERO {
            return Ok(());
        }
        let folded = progress::read(&self.conn)?.chain_hash;
        match log.read(Seq::new(seq.get().saturating_sub(1)), 1)?.first() {
            Some(link) if link.row.seq == seq && link.chain_hash == folded => Ok(()),
            Some(_) => Err(LedgerError::LogMoved { seq }),
            None => self.must_not_be_ahead_of(log.head()?.seq),
        }
    }

    fn must_not_be_ahead_of(&self, head: Seq) -> Result<(), LedgerError> {
        if self.position.seq > head {
            return Err(LedgerError::AheadOfLog { folded: self.position.seq, head });
        }
        Ok(())
    }

    /// Applies everything that the log has.
    ///
    /// # Errors
    /// As [`Ledger::catch_up`].
    pub fn catch_up_all(&mut self, log: &mut (impl LogStore + ?Sized)) -> Result<Position, LedgerError> {
        while self.catch_up(log)? > 0 {}
        Ok(self.position)
    }

    /// Applies what the log has up to an entry.
    pub(crate) fn catch_up_to(&mut self, log: &mut dyn LogStore, seq: Seq) -> Result<(), LedgerError> {
        while self.position.seq < seq {
            let left = seq.get().saturating_sub(self.position.seq.get());
            let links =
                log.read(self.position.seq, Self::GROUP.min(usize::try_from(left).unwrap_or(Self::GROUP)))?;
            if links.is_empty() {
                break;
            }
            self.apply(&links)?;
        }
        Ok(())
    }

    /// Applies a group of entries in one transaction. An entry that cannot be folded is set aside, and a person is told.
    ///
    /// # Errors
    /// The ledger cannot be written, or the group does not follow from its position; then nothing was applied.
    pub fn apply(&mut self, group: &[Link]) -> Result<(), LedgerError> {
        if group.is_empty() {
            return Ok(());
        }
        let read: Vec<_> = group.iter().map(|link| link.row.read()).collect();
        self.apply_read(group, &read)
    }

    /// As [`Ledger::apply`], for entries that were read from their rows already.
    pub(crate) fn apply_read(
        &mut self,
        group: &[Link],
        read: &[Result<Logged, LogError>],
    ) -> Result<(), LedgerError> {
        if let (Some(identity), Some(path)) = (&mut self.identity, &self.path)
            && !identity.is_at(path)
        {
            return Err(LedgerError::Replaced(path.clone()));
        }
        // First as if nothing could go wrong; if something does, entry by entry.
        let applied = catch_unwind(AssertUnwindSafe(|| self.apply_all(group, read)));
        self.position = match applied {
            Ok(Ok(position)) => position,
            Ok(Err(error)) if error.is_environment() => return Err(error),
            Ok(Err(LedgerError::LogMoved { seq })) => return Err(LedgerError::LogMoved { seq }),
            Ok(Err(_)) | Err(_) => self.apply_one_by_one(group, read)?,
        };
        Ok(())
    }

    fn apply_all(
        &mut self,
        group: &[Link],
        read: &[Result<Logged, LogError>],
    ) -> Result<Position, LedgerError> {
        let tx = begin(&mut self.conn)?;
        let mut fold = Fold::resume(&tx)?;
        group_follows(&fold, group)?;
        for (link, logged) in group.iter().zip(read) {
            match logged {
                Ok(logged) => fold.apply(logged, &link.chain_hash)?,
                Err(error) => fold.set_aside(&set_aside_of(link, &error.to_string()), true)?,
            }
        }
        let position = finish(&fold, &tx, &self.log_id)?;
        drop(fold);
        tx.commit()?;
        Ok(position)
    }

    fn apply_one_by_one(
        &mut self,
        group: &[Link],
        read: &[Result<Logged, LogError>],
    ) -> Result<Position, LedgerError> {
        let tx = begin(&mut self.conn)?;
        let mut fold = Fold::resume(&tx)?;
        group_follows(&fold, group)?;
        for (link, logged) in group.iter().zip(read) {
            let applied = match logged {
                Ok(logged) => attempt(&tx, &mut fold, |fold| fold.apply(logged, &link.chain_hash))?,
                Err(error) => Err(error.to_string()),
            };
            if let Err(reason) = applied {
                tracing::error!(entry.seq = link.row.seq.get(), %reason, "an entry cannot be folded and is set aside");
                let entry = set_aside_of(link, &reason);
                if attempt(&tx, &mut fold, |fold| fold.set_aside(&entry, true))?.is_err() {
                    fold.set_aside(&entry, false)?;
                }
            }
        }
        let position = finish(&fold, &tx, &self.log_id)?;
        drop(fold);
        tx.commit()?;
        Ok(position)
    }

    /// Notes an attempt at something that is owed, which did not end the matter, and when to try again.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub fn note_attempt(
        &self,
        what: &str,
        again_at: Timestamp,
        error: Option<&str>,
    ) -> Result<(), LedgerError> {
        attempts::again_at(&self.conn, what, again_at, error)
    }

    /// Keeps a sample of a refused call.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub fn note_rejection(&self, rejected: &Rejected, at: Timestamp) -> Result<(), LedgerError> {
        rejections::insert(&self.conn, rejected, at)
    }

    /// Takes over the content of another ledger of the same log, in one step.
    pub(crate) fn replace_content(&mut self, content: &Connection) -> Result<(), LedgerError> {
        schema::copy_into(content, &mut self.conn)?;
        self.position = position_of(&self.conn)?;
        Ok(())
    }

    /// The version of the program that folded it; `None` for an empty one.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn folded_by(&self) -> Result<Option<String>, LedgerError> {
        Ok(progress::origin(&self.conn)?.map(|(_, program)| program))
    }

    /// Copies the write-ahead log into the main file, as far as readers allow.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub fn checkpoint(&self) -> Result<(), LedgerError> {
        self.conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
        schema::grow_with_the_ledger(&self.conn)
    }

    /// How large the write-ahead log is, in bytes.
    #[must_use]
    pub fn wal_bytes(&self) -> u64 {
        let wal = self.path.as_ref().map(|path| schema::companion(path, "-wal"));
        wal.and_then(|wal| std::fs::metadata(wal).ok()).map_or(0, |meta| meta.len())
    }

    /// The other processes that have the ledger open, as far as the system tells: name and number of each.
    #[must_use]
    pub fn readers(&self) -> String {
        let Some(path) = self.path.as_ref().and_then(|path| path.canonicalize().ok()) else {
            return String::new();
        };
        let own = std::process::id().to_string();
        let has_open = |process: &Path| {
            let files = std::fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
            files.filter_map(|file| std::fs::read_link(file.path()).ok()).any(|open| open == path)
        };
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let named: Vec<String> = processes
            .filter_map(|process| {
                let number = process.file_name().into_string().ok()?;
                let is_other = number.bytes().all(|b| b.is_ascii_digit()) && number != own;
                (is_other && has_open(&process.path())).then(|| {
                    let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
                    format!("{} ({number})", name.trim())
                })
            })
            .collect();
        if named.is_empty() { "a program of another user".to_owned() } else { named.join(", ") }
    }

    /// Which log it is a fold of.
    #[must_use]
    pub fn log_id(&self) -> &str {
        &self.log_id
    }
}

/// The key of a question's attempts, for [`Ledger::note_attempt`].
#[must_use]
pub fn question_key(endpoint: &EndpointId, question: &Question) -> String {
    attempts::of_question(endpoint, question)
}

/// The key of a relay's attempts, for [`Ledger::note_attempt`].
#[must_use]
pub fn relay_key(notification: Seq, target: &RelayTarget) -> String {
    attempts::of_relay(notification, target)
}

fn begin(conn: &mut Connection) -> Result<Transaction<'_>, LedgerError> {
    Ok(conn.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

fn finish(fold: &Fold<'_>, conn: &Connection, log_id: &str) -> Result<Position, LedgerError> {
    fold.finish(log_id)?;
    standing(fold, conn)
}

/// Does something to the fold completely or not at all. The inner error says why it cannot be done; the outer one that the
/// machine is at fault, and nothing can be done.
fn attempt<'c>(
    conn: &Connection,
    fold: &mut Fold<'c>,
    work: impl FnOnce(&mut Fold<'c>) -> Result<(), LedgerError>,
) -> Result<Result<(), String>, LedgerError> {
    conn.execute_batch("SAVEPOINT attempt")?;
    let bookmark = fold.bookmark()?;
    let done = match catch_unwind(AssertUnwindSafe(|| work(fold))) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) if error.is_environment() => return Err(error),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the program failed on it".to_owned()),
    };
    if done.is_err() {
        conn.execute_batch("ROLLBACK TO attempt")?;
        fold.return_to(bookmark)?;
    }
    conn.execute_batch("RELEASE attempt")?;
    Ok(done)
}

fn set_aside_of<'a>(link: &'a Link, reason: &'a str) -> SetAside<'a> {
    let Link { row, chain_hash } = link;
    SetAside { seq: row.seq, at: row.date().ok(), kind: &row.kind, chain_hash, reason }
}

/// Whether a group goes on where the fold stands: with the next number, and in the same chain. Within a group the numbers
/// have no gap; that its links fit each other is for the log and `verify` to say.
fn group_follows(fold: &Fold<'_>, group: &[Link]) -> Result<(), LedgerError> {
    let moved = |link: &Link| LedgerError::LogMoved { seq: link.row.seq };
    let progress = fold.progress();
    if let Some(first) = group.first()
        && first.row.chain_hash(&progress.chain_hash) != first.chain_hash
    {
        return Err(moved(first));
    }
    let mut expected = progress.seq;
    for link in group {
        expected = expected.next();
        if link.row.seq != expected {
            return Err(moved(link));
        }
    }
    Ok(())
}

fn position_of(conn: &Connection) -> Result<Position, LedgerError> {
    standing(&Fold::resume(conn)?, conn)
}

fn standing(fold: &Fold<'_>, conn: &Connection) -> Result<Position, LedgerError> {
    let progress = fold.progress();
    Ok(Position {
        seq: progress.seq,
        at: progress.at,
        next_deadline: fold.next_deadline()?,
        set_aside: set_aside::count(conn)?,
    })
}
