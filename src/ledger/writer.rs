//! The one that writes: a thread with its connection, and group commit.

use std::path::Path;
use std::time::Duration;

use cvco_domain::crypto::SealKey;
use cvco_domain::{EndpointId, Question, Standing, Timestamp};
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tokio::sync::{mpsc, watch};

use super::anchors::{self, DueAnchor};
use super::entry::{Acknowledgement, Confirmation, Entry};
use super::fold::{Fold, Taken};
use super::jobs::{Desk, Job, JobFailed, task};
use super::outbox::{self, Claim};
use super::payload::{self, Envelope};
use super::rejections::{self, Rejected};
use super::{LedgerError, Notification, attempts, key_file, schema};

/// How many jobs may wait; beyond, a PSP is told to come again.
const QUEUE: usize = 1024;

/// How many jobs one transaction takes at most.
const GROUP: usize = 256;

/// A genuine notification with its raw request.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// What it says.
    pub notification: Notification,
    /// How it came.
    pub envelope: Envelope,
}

/// What a sweep found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// Whether any rule of time came due.
    pub came_due: bool,
    /// How far the last entry lies in the future, because the clock was put back. Until it has caught up, all
    /// entries are dated like that one, and no rule comes due.
    pub ahead: Duration,
}

impl Swept {
    fn by(fold: &mut Fold<'_>, now: Timestamp) -> Result<Self, LedgerError> {
        let came_due = fold.sweep(now)?;
        Ok(Self { came_due, ahead: fold.head().at.since(now) })
    }
}

/// The ledger's file, open for writing, without a thread: for commands that run beside the daemon or without
/// it, and for the writer itself.
pub struct Store {
    pub(super) conn: Connection,
    seal_key: SealKey,
    /// Held by the daemon for as long as it lives.
    _lock: Option<std::fs::File>,
}

impl Store {
    /// Opens the ledger and its payload key for the daemon, making both where needed, and brings the schema up
    /// to date. No other daemon can do so meanwhile.
    ///
    /// # Errors
    /// A file cannot be made or opened, is not a ledger, or is of a later version; the key was lost; or another
    /// daemon has the ledger.
    pub fn open(path: &Path, key_file: &Path) -> Result<Self, LedgerError> {
        let conn = schema::open_for_writing(path)?;
        let sealed: bool = conn.query_row("SELECT EXISTS (SELECT 1 FROM payloads)", [], |row| row.get(0))?;
        let seal_key = key_file::read_or_make(key_file, !sealed)?;
        let lock = key_file::lock(key_file)?.ok_or_else(|| LedgerError::InUse(path.to_owned()))?;
        Ok(Self { conn, seal_key, _lock: Some(lock) })
    }

    /// Opens a ledger that is there, for a command that runs beside the daemon.
    ///
    /// # Errors
    /// There is no ledger, or it is of another version; or the key cannot be read.
    pub fn open_existing(path: &Path, key_file: &Path) -> Result<Self, LedgerError> {
        // To bring it up to date is the daemon's business: one of an older version may be writing to it now.
        drop(schema::open_for_reading(path)?);
        let conn = schema::open_for_writing(path)?;
        Ok(Self { conn, seal_key: key_file::read_or_make(key_file, false)?, _lock: None })
    }

    /// A ledger in memory, gone with the store, for simulations and tests: the schema, the fold and the transactions
    /// are those of any other, only nothing is synced.
    ///
    /// # Errors
    /// SQLite's own, or the system gives no random numbers.
    pub fn in_memory() -> Result<Self, LedgerError> {
        let seal_key = SealKey::parse(&SealKey::generate()?)?;
        Ok(Self { conn: schema::in_memory()?, seal_key, _lock: None })
    }

    /// The ledger for readers with queries of their own over the `acct_*` views, where there is no file to open.
    #[must_use]
    pub const fn connection(&self) -> &Connection {
        &self.conn
    }

    /// Whether a daemon serves the ledger of this payload key.
    ///
    /// # Errors
    /// The key file cannot be read.
    pub fn is_served(key_file: &Path) -> Result<bool, LedgerError> {
        Ok(key_file::lock(key_file)?.is_none())
    }

    /// Takes entries in one transaction, all or none.
    ///
    /// # Errors
    /// Whatever prevented one of them; then none was taken.
    pub fn take_all(&mut self, at: Timestamp, entries: &[Entry]) -> Result<Vec<Taken>, LedgerError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut fold = Fold::resume(&tx)?;
        let taken = entries.iter().map(|entry| fold.take(at, entry)).collect::<Result<_, _>>()?;
        fold.finish()?;
        tx.commit()?;
        Ok(taken)
    }

    /// Takes what a person does with discrepancies, each named by its number, in one transaction, all or none.
    ///
    /// # Errors
    /// There is no such discrepancy, it cannot be snoozed, or whatever else prevented one of them; then none was
    /// taken.
    pub fn acknowledge(&mut self, at: Timestamp, acts: Vec<Acknowledgement>) -> Result<(), LedgerError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut fold = Fold::resume(&tx)?;
        for act in acts {
            fold.take_act(at, act)?;
        }
        fold.finish()?;
        tx.commit()?;
        Ok(())
    }

    /// Applies the rules of time up to an instant.
    ///
    /// # Errors
    /// Whatever prevented the commit.
    pub fn sweep(&mut self, now: Timestamp) -> Result<Swept, LedgerError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut fold = Fold::resume(&tx)?;
        let swept = Swept::by(&mut fold, now)?;
        fold.finish()?;
        tx.commit()?;
        Ok(swept)
    }

    /// Takes a notification that came by another way than the listener, with its raw bytes.
    ///
    /// # Errors
    /// Whatever prevented the commit.
    pub fn import(&mut self, at: Timestamp, arrival: Arrival) -> Result<Taken, LedgerError> {
        self.import_all(vec![(at, arrival)])?.pop().ok_or(LedgerError::Stopped)
    }

    /// Takes several such notifications in one transaction, all or none.
    ///
    /// # Errors
    /// Whatever prevented one of them, or the commit; then none was taken.
    pub fn import_all(&mut self, arrivals: Vec<(Timestamp, Arrival)>) -> Result<Vec<Taken>, LedgerError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut desk = Desk { conn: &tx, fold: Fold::resume(&tx)?, seal_key: &self.seal_key };
        let taken = arrivals
            .into_iter()
            .map(|(at, Arrival { notification, envelope })| {
                desk.keep(at, &Entry::Notification(notification), Some(&envelope))
            })
            .collect::<Result<_, _>>()?;
        desk.fold.finish()?;
        tx.commit()?;
        Ok(taken)
    }

    /// Runs a group of jobs as one transaction and answers them after its commit. An error of one job undoes
    /// that job alone. Returns when time next concerns an order.
    fn run(&mut self, jobs: &mut Vec<Box<dyn Job>>) -> Result<Option<Timestamp>, LedgerError> {
        let outcome = self.commit(jobs);
        for job in jobs.drain(..) {
            job.answer(outcome.as_ref().map(|_| ()));
        }
        outcome
    }

    fn commit(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<Option<Timestamp>, LedgerError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut desk = Desk { conn: &tx, fold: Fold::resume(&tx)?, seal_key: &self.seal_key };
        for job in jobs {
            tx.prepare_cached("SAVEPOINT job")?.execute([])?;
            let bookmark = desk.fold.bookmark();
            match job.perform(&mut desk) {
                Ok(()) => {}
                Err(JobFailed::Alone) => {
                    tx.prepare_cached("ROLLBACK TO job")?.execute([])?;
                    desk.fold.return_to(bookmark);
                }
                Err(JobFailed::WithItsGroup(error)) => return Err(error),
            }
            tx.prepare_cached("RELEASE job")?.execute([])?;
        }
        desk.fold.finish()?;
        let next_look = desk.fold.next_look()?;
        tx.commit()?;
        Ok(next_look)
    }
}

/// Whether the writer can go on after an error. A full disk may get room again, and another process may let
/// go of its lock; after a failed write or sync nothing in memory can be trusted: stop, and let the service
/// manager start afresh.
fn is_survivable(error: &LedgerError) -> bool {
    let LedgerError::Sqlite(error) = error else { return true };
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::OutOfMemory
                | ErrorCode::ReadOnly
        )
    )
}

/// The writer's thread; ends when the last [`Ledger`] handle is gone, or on an error that it cannot survive.
pub struct Writer {
    thread: std::thread::JoinHandle<Result<(), LedgerError>>,
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(store: Store) -> std::io::Result<(Self, Ledger)> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (looks, next_look) = watch::channel(None);
        let thread = std::thread::Builder::new()
            .name("ledger-writer".to_owned())
            .spawn(move || write(store, queue, &looks))?;
        Ok((Self { thread }, Ledger { jobs, next_look }))
    }

    /// Waits for the thread to end; all handles must be gone.
    ///
    /// # Errors
    /// The error that stopped it.
    pub fn join(self) -> Result<(), LedgerError> {
        self.thread.join().unwrap_or(Err(LedgerError::Stopped))
    }
}

fn write(
    mut store: Store,
    mut queue: mpsc::Receiver<Box<dyn Job>>,
    looks: &watch::Sender<Option<Timestamp>>,
) -> Result<(), LedgerError> {
    let mut jobs = Vec::with_capacity(GROUP);
    while queue.blocking_recv_many(&mut jobs, GROUP) > 0 {
        match store.run(&mut jobs) {
            Ok(next_look) => {
                looks.send_if_modified(|known| std::mem::replace(known, next_look) != next_look);
            }
            Err(error) if is_survivable(&error) => tracing::error!(%error, "a group was not stored"),
            Err(error) => {
                tracing::error!(%error, "the ledger cannot be written any more");
                return Err(error);
            }
        }
    }
    // A clean stop leaves everything in the one file.
    store.conn.pragma_update_and_check(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()))?;
    Ok(())
}

/// The ledger, as the rest of the program writes to it.
#[derive(Clone)]
pub struct Ledger {
    jobs: mpsc::Sender<Box<dyn Job>>,
    next_look: watch::Receiver<Option<Timestamp>>,
}

impl Ledger {
    /// Stores a genuine notification; returns after the commit.
    ///
    /// # Errors
    /// [`LedgerError::Busy`] at once if too many wait; otherwise whatever prevented the commit.
    pub async fn store(&self, at: Timestamp, arrival: Arrival) -> Result<Taken, LedgerError> {
        let (job, answer) = task(move |desk: &mut Desk<'_>| {
            desk.keep(at, &Entry::Notification(arrival.notification), Some(&arrival.envelope))
        });
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => LedgerError::Busy,
            mpsc::error::TrySendError::Closed(_) => LedgerError::Stopped,
        })?;
        answer.await.unwrap_or(Err(LedgerError::Stopped))
    }

    /// Stores what a PSP's API answered, with the bytes of the answer.
    ///
    /// # Errors
    /// Whatever prevented the commit.
    pub async fn confirm(
        &self,
        at: Timestamp,
        confirmation: Confirmation,
        envelope: Option<Envelope>,
    ) -> Result<Taken, LedgerError> {
        self.run(move |desk| {
            if confirmation.standing != Standing::Unsettled {
                attempts::forget(desk.conn, &confirmation.endpoint, &confirmation.question)?;
            }
            desk.keep(at, &Entry::Confirmation(confirmation), envelope.as_ref())
        })
        .await
    }

    /// A question was asked and is not answered for good: it is asked again at `next`.
    ///
    /// # Errors
    /// Whatever prevented the commit.
    pub async fn ask_again(
        &self,
        endpoint: EndpointId,
        question: Question,
        next: Timestamp,
        error: Option<String>,
    ) -> Result<(), LedgerError> {
        self.run(move |desk| attempts::again_at(desk.conn, (&endpoint, &question), next, error.as_deref()))
            .await
    }

    /// Takes an entry that is no notification: orders, a policy, a person's acknowledgement, a burst of wrong
    /// signatures.
    ///
    /// # Errors
    /// Whatever prevented the commit.
    pub async fn take(&self, at: Timestamp, entry: Entry) -> Result<Taken, LedgerError> {
        self.run(move |desk| desk.fold.take(at, &entry)).await
    }

    /// Takes several entries, all or none.
    ///
    /// # Errors
    /// Whatever prevented one of them; then none was taken.
    pub async fn take_all(&self, at: Timestamp, entries: Vec<Entry>) -> Result<Vec<Taken>, LedgerError> {
        self.run(move |desk| entries.iter().map(|entry| desk.fold.take(at, entry)).collect()).await
    }

    /// Keeps a sample of a refused call, if there is room; a full queue drops it.
    pub fn note_rejection(&self, at: Timestamp, rejected: Rejected) {
        let (job, _) = task(move |desk: &mut Desk<'_>| rejections::keep(desk.conn, &rejected, at));
        // Dropped when the queue is full: refused calls must never displace genuine ones.
        drop(self.jobs.try_send(job));
    }

    /// Applies the rules of time up to an instant.
    ///
    /// # Errors
    /// Whatever prevented the commit.
    pub async fn sweep(&self, now: Timestamp) -> Result<Swept, LedgerError> {
        self.run(move |desk| Swept::by(&mut desk.fold, now)).await
    }

    /// Puts the next due e-mail together.
    ///
    /// # Errors
    /// Whatever prevented the commit.
    pub async fn claim_mail(
        &self,
        now: Timestamp,
        digest: Duration,
        host: String,
    ) -> Result<Option<Claim>, LedgerError> {
        self.run(move |desk| outbox::claim(desk.conn, now, digest, &host)).await
    }

    /// The e-mail has been handed over.
    ///
    /// # Errors
    /// Whatever prevented the commit.
    pub async fn mail_sent(&self, now: Timestamp, message_id: String) -> Result<(), LedgerError> {
        self.run(move |desk| outbox::sent(desk.conn, &message_id, now)).await
    }

    /// The e-mail could not be handed over; it is tried again later.
    ///
    /// # Errors
    /// Whatever prevented the commit.
    pub async fn mail_failed(
        &self,
        now: Timestamp,
        message_id: String,
        error: String,
    ) -> Result<(), LedgerError> {
        self.run(move |desk| outbox::failed(desk.conn, &message_id, &error, now)).await
    }

    /// Lets e-mails that were being sent when the daemon last ended go out at once.
    ///
    /// # Errors
    /// Whatever prevented the commit.
    pub async fn release_mail(&self, now: Timestamp) -> Result<(), LedgerError> {
        self.run(move |desk| {
            outbox::release(desk.conn, now)?;
            anchors::release(desk.conn, now)
        })
        .await
    }

    /// The next anchor to be mailed, if one is due; a new one if a day that brought entries is over.
    ///
    /// # Errors
    /// Whatever prevented the commit.
    pub async fn claim_anchor(&self, now: Timestamp, host: String) -> Result<Option<DueAnchor>, LedgerError> {
        self.run(move |desk| anchors::claim(desk.conn, now, &host)).await
    }

    /// The e-mail of an anchor has been handed over.
    ///
    /// # Errors
    /// Whatever prevented the commit.
    pub async fn anchor_sent(&self, now: Timestamp, seq: i64) -> Result<(), LedgerError> {
        self.run(move |desk| anchors::sent(desk.conn, seq, now)).await
    }

    /// The e-mail of an anchor could not be handed over; it is tried again later.
    ///
    /// # Errors
    /// Whatever prevented the commit.
    pub async fn anchor_failed(&self, now: Timestamp, seq: i64, error: String) -> Result<(), LedgerError> {
        self.run(move |desk| anchors::failed(desk.conn, seq, &error, now)).await
    }

    /// Forgets raw payloads older than an instant; how many, up to a bounded number at a time.
    ///
    /// # Errors
    /// Whatever prevented the commit.
    pub async fn purge_payloads(&self, older_than: Timestamp) -> Result<usize, LedgerError> {
        self.run(move |desk| payload::purge(desk.conn, older_than)).await
    }

    /// Returns once the writer has committed an empty job: proof of life.
    ///
    /// # Errors
    /// The writer is stopped, or cannot commit.
    pub async fn ping(&self) -> Result<(), LedgerError> {
        self.run(|_| Ok(())).await
    }

    /// When time next concerns an order; changes with every commit.
    #[must_use]
    pub fn next_look(&self) -> watch::Receiver<Option<Timestamp>> {
        self.next_look.clone()
    }

    /// How many jobs wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.jobs.max_capacity().saturating_sub(self.jobs.capacity())
    }

    async fn run<T, F>(&self, work: F) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Desk<'_>) -> Result<T, LedgerError> + Send + 'static,
    {
        let (job, answer) = task(work);
        self.jobs.send(job).await.map_err(|_| LedgerError::Stopped)?;
        answer.await.unwrap_or(Err(LedgerError::Stopped))
    }
}
