//! Follows the log: applies its entries to the ledger as they come, on a thread of its own. Nothing waits for this thread
//! but whoever wants to know an outcome.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cvco_domain::{EndpointId, Question, RelayTarget, Seq, Timestamp};
use cvco_ledger::{Ledger, LedgerError, Position, Reader, Rejected, question_key, relay_key};
use cvco_log::row::Stamp;
use cvco_log::{Log, LogError, LogStore};
use tokio::sync::{mpsc, oneshot, watch};

/// Another process may append to the log at any time, and nobody tells: the log is looked at this often.
const POLL: Duration = Duration::from_millis(200);

/// The ledger is tried again after this time when it cannot be written.
const AFTER_TROUBLE: Duration = Duration::from_secs(2);

/// After a group of so many entries a burst is on: the next group waits for [`GATHER`], so that few large transactions do
/// the work of many small ones, and the processors are the appender's. One entry alone never waits.
const BURST: usize = 4;

/// How long entries of a burst gather. Nobody who looks at the ledger notices it.
const GATHER: Duration = Duration::from_millis(40);

/// How long a stop lets the ledger follow. After a day's backlog the next start goes on.
const LAST_WHILE: Duration = Duration::from_secs(3);

/// A ledger that cannot be written is told of this often.
const TELL_EVERY: Duration = Duration::from_mins(1);

/// The follower gives way to the threads that answer PSPs: Linux shares the processors by this.
const NICENESS: i32 = 19;

/// So many notes may wait; more are dropped, for they can be forgotten.
const NOTES: usize = 4096;

/// After so many applied entries the ledger's write-ahead log is copied into its main file.
const CHECKPOINT_EVERY: usize = 20_000;

/// A write-ahead log of more bytes than this is told of.
const LARGE_WAL: u64 = 512 * 1024 * 1024;

/// What is kept beside the fold, and can be forgotten.
enum Note {
    Attempt { what: String, again_at: Timestamp, error: Option<String>, kept: oneshot::Sender<()> },
    Rejected { rejected: Rejected, at: Timestamp },
}

/// The follower's thread. It ends when the last [`Followed`] handle is gone, or on damage that it cannot survive.
pub struct Follower {
    thread: std::thread::JoinHandle<Result<(), LedgerError>>,
}

/// The ledger, as the rest of the program sees it grow.
#[derive(Clone)]
pub struct Followed {
    position: watch::Receiver<Position>,
    trouble: watch::Receiver<Option<String>>,
    held_by: watch::Receiver<Option<String>>,
    level_at: watch::Receiver<Instant>,
    pulse: watch::Receiver<Instant>,
    notes: mpsc::Sender<Note>,
}

impl Follower {
    /// Starts the thread. `log` is a value of its own for the log that the ledger belongs to; `ends` changes with each
    /// append of this process. `stop` is called when the thread ends by itself.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        ledger: Ledger,
        log: impl LogStore + 'static,
        ends: watch::Receiver<Stamp>,
        stop: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<(Self, Followed)> {
        let (positions, position) = watch::channel(ledger.position());
        let (troubles, trouble) = watch::channel(None);
        let (holders, held_by) = watch::channel(None);
        let (levels, level_at) = watch::channel(Instant::now());
        let (pulses, pulse) = watch::channel(Instant::now());
        let (notes, waiting) = mpsc::channel(NOTES);
        let runtime = tokio::runtime::Handle::current();
        let mut worker =
            Worker { ledger, log, positions, troubles, holders, levels, pulses, told_at: None, applied: 0 };
        let thread = std::thread::Builder::new().name("ledger-follower".to_owned()).spawn(move || {
            give_way();
            // A fault here must not leave a daemon that goes on without a ledger.
            let ended = catch_unwind(AssertUnwindSafe(|| worker.run(&runtime, ends, waiting)))
                .unwrap_or(Err(LedgerError::Stopped));
            if let Err(error) = &ended {
                tracing::error!(%error, "the ledger cannot follow the log any more");
                stop();
            }
            ended
        })?;
        Ok((Self { thread }, Followed { position, trouble, held_by, level_at, pulse, notes }))
    }

    /// Waits for the thread to end; all handles must be gone.
    ///
    /// # Errors
    /// The error that stopped it.
    pub fn join(self) -> Result<(), LedgerError> {
        self.thread.join().unwrap_or(Err(LedgerError::Stopped))
    }
}

/// Lets threads that answer PSPs go first where processors are short.
fn give_way() {
    let this_thread = rustix::thread::gettid();
    if let Err(error) = rustix::process::setpriority_process(Some(this_thread), NICENESS) {
        tracing::debug!(%error, "the follower runs at the same priority as everything else");
    }
}

struct Worker<L> {
    ledger: Ledger,
    log: L,
    positions: watch::Sender<Position>,
    troubles: watch::Sender<Option<String>>,
    holders: watch::Sender<Option<String>>,
    /// When the ledger last held all of the log.
    levels: watch::Sender<Instant>,
    /// When it last showed that it does not hang.
    pulses: watch::Sender<Instant>,
    told_at: Option<Instant>,
    /// Entries since the last checkpoint.
    applied: usize,
}

impl<L: LogStore> Worker<L> {
    fn run(
        &mut self,
        runtime: &tokio::runtime::Handle,
        mut ends: watch::Receiver<Stamp>,
        mut notes: mpsc::Receiver<Note>,
    ) -> Result<(), LedgerError> {
        self.fold_again_after_upgrade()?;
        loop {
            // Nobody is left who could append or ask.
            if ends.has_changed().is_err() {
                return self.follow_a_last_while();
            }
            // Marked as seen before the log is read, so that no append is missed.
            ends.borrow_and_update();
            self.pulses.send_replace(Instant::now());
            let pause = match self.ledger.catch_up(&mut self.log) {
                Ok(0) => {
                    self.levels.send_replace(Instant::now());
                    POLL
                }
                Ok(applied) => {
                    self.publish(applied)?;
                    // A full group is a backlog that has gathered already.
                    if (BURST..Ledger::GROUP).contains(&applied) {
                        std::thread::sleep(GATHER);
                    }
                    continue;
                }
                Err(error) => self.survive(error)?,
            };
            let woken = runtime.block_on(async {
                tokio::select! {
                    changed = ends.changed() => changed.map_err(|_| ()).map(|()| None),
                    note = notes.recv() => note.map(Some).ok_or(()),
                    () = tokio::time::sleep(pause) => Ok(None),
                }
            });
            match woken {
                Ok(Some(note)) => self.keep(note, &mut notes),
                Ok(None) => {}
                Err(()) => return self.follow_a_last_while(),
            }
        }
    }

    fn follow_a_last_while(&mut self) -> Result<(), LedgerError> {
        let began = Instant::now();
        while began.elapsed() < LAST_WHILE && self.ledger.catch_up(&mut self.log)? > 0 {}
        Ok(())
    }

    /// A newer program may fold in another way, and may fold what an older one set aside.
    fn fold_again_after_upgrade(&mut self) -> Result<(), LedgerError> {
        let is_own = |program: &str| program == env!("CARGO_PKG_VERSION");
        match self.ledger.folded_by()? {
            Some(program) if !is_own(&program) => {
                tracing::info!(
                    program.before = program,
                    "the ledger is made again by this version of the program"
                );
                let pulses = &self.pulses;
                let rebuilt = cvco_ledger::rebuild(&mut self.log, &mut self.ledger, &mut |_| {
                    pulses.send_replace(Instant::now());
                })?;
                tracing::info!(entries = rebuilt.entries, "the ledger was made again");
                self.positions.send_replace(self.ledger.position());
                Ok(())
            }
            Some(_) | None => Ok(()),
        }
    }

    fn publish(&mut self, applied: usize) -> Result<(), LedgerError> {
        self.positions.send_replace(self.ledger.position());
        if self.told_at.take().is_some() {
            self.troubles.send_replace(None);
            tracing::info!("the ledger follows the log again");
        }
        self.applied = self.applied.saturating_add(applied);
        if self.applied >= CHECKPOINT_EVERY {
            self.applied = 0;
            match self.ledger.checkpoint() {
                Ok(()) => self.look_for_holders(),
                Err(error) => drop(self.survive(error)?),
            }
        }
        Ok(())
    }

    /// What was lost of the ledger is folded again; but where its file was taken away, or does not belong to this log, going
    /// on would only hide it.
    fn survive(&mut self, error: LedgerError) -> Result<Duration, LedgerError> {
        let ends = matches!(
            error,
            LedgerError::Replaced(_)
                | LedgerError::LogMoved { .. }
                | LedgerError::AheadOfLog { .. }
                | LedgerError::OtherLog(_)
                | LedgerError::Log(
                    LogError::Replaced(_) | LogError::Damaged { .. } | LogError::Corrupt { .. }
                )
        );
        if ends {
            return Err(error);
        }
        if self.told_at.is_none_or(|at| at.elapsed() >= TELL_EVERY) {
            tracing::error!(%error, "the ledger does not follow the log; notifications are stored all the same");
            self.told_at = Some(Instant::now());
        }
        self.troubles.send_replace(Some(error.to_string()));
        Ok(AFTER_TROUBLE)
    }

    /// A reader that keeps a transaction open keeps the write-ahead log from being emptied.
    fn look_for_holders(&self) {
        let holders = (self.ledger.wal_bytes() > LARGE_WAL).then(|| {
            let readers = self.ledger.readers();
            tracing::warn!(%readers, "a reader keeps the ledger's write-ahead log from being emptied");
            readers
        });
        self.holders.send_if_modified(|known| std::mem::replace(known, holders.clone()) != holders);
    }

    fn keep(&self, first: Note, notes: &mut mpsc::Receiver<Note>) {
        let mut next = Some(first);
        while let Some(note) = next {
            let kept = match note {
                Note::Attempt { what, again_at, error, kept } => {
                    let written = self.ledger.note_attempt(&what, again_at, error.as_deref());
                    // Whoever gave up waiting tries once too often, no more.
                    kept.send(()).ok();
                    written
                }
                Note::Rejected { rejected, at } => self.ledger.note_rejection(&rejected, at),
            };
            if let Err(error) = kept {
                tracing::debug!(%error, "a note beside the ledger was lost");
            }
            next = notes.try_recv().ok();
        }
    }
}

impl Followed {
    /// Where the ledger stands; changes with each group of entries.
    #[must_use]
    pub fn position(&self) -> watch::Receiver<Position> {
        self.position.clone()
    }

    /// What keeps the ledger from following the log, if anything does.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.trouble.borrow().clone()
    }

    /// For how long the ledger has not held all of the log, looked at five times a second; zero while it does.
    #[must_use]
    pub fn late_by(&self, log: &Log) -> Duration {
        let is_level = self.position.borrow().seq >= log.changed().borrow().seq;
        if is_level { Duration::ZERO } else { self.level_at.borrow().elapsed() }
    }

    /// For how long the thread has shown no sign of life. A large close may take a minute; trouble that it knows of is none.
    #[must_use]
    pub fn silent_for(&self) -> Duration {
        self.pulse.borrow().elapsed()
    }

    /// Returns once an entry was folded.
    ///
    /// # Errors
    /// The follower has stopped.
    pub async fn folded(&self, seq: Seq) -> Result<(), LedgerError> {
        let mut position = self.position.clone();
        position.wait_for(|position| position.seq >= seq).await.map(drop).map_err(|_| LedgerError::Stopped)
    }

    /// Returns once everything was folded that the log holds now. Until then a ledger that is made again owes what was done
    /// long ago: the entries that say so are still to come.
    ///
    /// # Errors
    /// The follower has stopped.
    pub async fn caught_up(&self, log: &Log) -> Result<(), LedgerError> {
        let end = log.changed().borrow().seq;
        self.folded(end).await
    }

    /// Notes an attempt at a question that did not end the matter.
    ///
    /// # Errors
    /// The follower has stopped.
    pub async fn note_question(
        &self,
        endpoint: &EndpointId,
        question: &Question,
        again_at: Timestamp,
        error: Option<String>,
    ) -> Result<(), LedgerError> {
        self.note_attempt(question_key(endpoint, question), again_at, error).await
    }

    /// Notes a call that a handler did not take.
    ///
    /// # Errors
    /// The follower has stopped.
    pub async fn note_relay(
        &self,
        notification: Seq,
        target: &RelayTarget,
        again_at: Timestamp,
        error: String,
    ) -> Result<(), LedgerError> {
        self.note_attempt(relay_key(notification, target), again_at, Some(error)).await
    }

    /// Notes an attempt at an e-mail that did not leave.
    ///
    /// # Errors
    /// The follower has stopped.
    pub async fn note_mail(
        &self,
        message_id: &str,
        again_at: Timestamp,
        error: String,
    ) -> Result<(), LedgerError> {
        self.note_attempt(message_id.to_owned(), again_at, Some(error)).await
    }

    /// Returns once readers see the attempt.
    async fn note_attempt(
        &self,
        what: String,
        again_at: Timestamp,
        error: Option<String>,
    ) -> Result<(), LedgerError> {
        let (kept, is_kept) = oneshot::channel();
        let note = Note::Attempt { what, again_at, error, kept };
        self.notes.send(note).await.map_err(|_| LedgerError::Stopped)?;
        is_kept.await.map_err(|_| LedgerError::Stopped)
    }

    /// Keeps a sample of a refused call. A full queue drops it: it must not hold up what matters.
    pub fn note_rejection(&self, rejected: Rejected, at: Timestamp) {
        drop(self.notes.try_send(Note::Rejected { rejected, at }));
    }

    /// Who keeps a read of the ledger open for so long that its write-ahead log has grown large; `None` if nobody does.
    #[must_use]
    pub fn held_by(&self) -> Option<String> {
        self.held_by.borrow().clone()
    }
}

/// Reads the ledger away from the tasks that must not wait. The connection stays open between queries.
#[derive(Clone)]
pub struct Readers {
    path: PathBuf,
    open: Arc<Mutex<Option<Reader>>>,
}

impl Readers {
    /// Readers of the ledger at a path.
    #[must_use]
    pub fn of(path: PathBuf) -> Self {
        Self { path, open: Arc::default() }
    }

    /// Asks the ledger something.
    ///
    /// # Errors
    /// The ledger cannot be opened, or what the query itself says.
    pub async fn read<T, F>(&self, query: F) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        F: FnOnce(&Reader) -> Result<T, LedgerError> + Send + 'static,
    {
        let readers = self.clone();
        tokio::task::spawn_blocking(move || {
            let kept = readers.open.lock().unwrap_or_else(PoisonError::into_inner).take();
            let reader = match kept.filter(|reader| reader.is_at(&readers.path)) {
                Some(reader) => reader,
                None => Reader::open(&readers.path)?,
            };
            let answer = query(&reader);
            if answer.is_ok() {
                readers.open.lock().unwrap_or_else(PoisonError::into_inner).replace(reader);
            }
            answer
        })
        .await
        .unwrap_or(Err(LedgerError::Stopped))
    }
}
