//! The appender: one thread, one group, one sync.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use cvco_domain::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

use crate::error::LogError;
use crate::row::{Draft, Epoch, Head, Stamp};
use crate::store::LogStore;

/// How many requests may wait; beyond, a PSP is told to come again.
const QUEUE: usize = 1024;

/// How many requests one group takes at most.
const GROUP: usize = 512;

/// A log that cannot be written is told of this often.
const TELL_EVERY: Duration = Duration::from_mins(1);

/// A group of entries that was written, or could not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commit {
    /// How many entries it holds.
    pub entries: usize,
    /// How long it took, its sync included.
    pub took: Duration,
    /// Whether it is durable.
    pub is_stored: bool,
}

type Observer = Box<dyn Fn(Commit) + Send>;

type Reply<T> = oneshot::Sender<Result<T, LogError>>;

enum Request {
    Append { drafts: Vec<Draft>, epoch: Option<Epoch>, reply: Reply<Vec<Stamp>> },
    Purge { older_than: Timestamp, reply: Reply<usize> },
    MarkAlive { reply: Reply<()> },
}

/// Where the log ends, as far as this process knows; for others that learn of it while the appender lives.
#[derive(Clone)]
pub struct Ends(Weak<watch::Sender<Stamp>>);

impl Ends {
    /// The log holds this entry.
    pub fn note(&self, end: Stamp) {
        if let Some(ends) = self.0.upgrade() {
            note(&ends, end);
        }
    }
}

fn note(ends: &watch::Sender<Stamp>, end: Stamp) {
    ends.send_if_modified(|known| {
        let is_news = end.seq > known.seq;
        if is_news {
            *known = end;
        }
        is_news
    });
}

/// The appender's thread. It ends when the last [`Log`] handle is gone, or on an error that it cannot survive.
pub struct Appender {
    thread: std::thread::JoinHandle<Result<(), LogError>>,
    ends: Ends,
}

impl Appender {
    /// Starts the thread. `clock` tells the date of each group.
    ///
    /// # Errors
    /// The log cannot be read, or the system gives no thread.
    pub fn start(
        store: impl LogStore + 'static,
        clock: impl Fn() -> Timestamp + Send + 'static,
    ) -> Result<(Self, Log), LogError> {
        Self::start_observed(store, clock, |_| {})
    }

    /// As [`Appender::start`]; `observe` hears of each group, on the appender's thread.
    ///
    /// # Errors
    /// As [`Appender::start`].
    pub fn start_observed(
        mut store: impl LogStore + 'static,
        clock: impl Fn() -> Timestamp + Send + 'static,
        observe: impl Fn(Commit) + Send + 'static,
    ) -> Result<(Self, Log), LogError> {
        let (requests, queue) = mpsc::channel(QUEUE);
        let Head { seq, at, .. } = store.head()?;
        let (ends, end) = watch::channel(Stamp { seq, at });
        let told = Arc::new(ends);
        let ends = Ends(Arc::downgrade(&told));
        let thread = std::thread::Builder::new()
            .name("log-appender".to_owned())
            .spawn(move || {
                let observe: Observer = Box::new(observe);
                Worker { store, clock, ends: told, observe, trouble: Trouble::default() }.run(queue)
            })
            .map_err(|error| LogError::NotStored(format!("the system gives no thread: {error}")))?;
        Ok((Self { thread, ends }, Log { requests, end, epoch: None }))
    }

    /// For others that learn where the log ends.
    #[must_use]
    pub fn ends(&self) -> Ends {
        self.ends.clone()
    }

    /// Waits for the thread to end; all handles must be gone.
    ///
    /// # Errors
    /// The error that stopped it.
    pub fn join(self) -> Result<(), LogError> {
        self.thread.join().unwrap_or(Err(LogError::Stopped))
    }
}

struct Worker<S, C> {
    store: S,
    clock: C,
    ends: Arc<watch::Sender<Stamp>>,
    observe: Observer,
    trouble: Trouble,
}

impl<S: LogStore, C: Fn() -> Timestamp> Worker<S, C> {
    fn run(mut self, mut queue: mpsc::Receiver<Request>) -> Result<(), LogError> {
        let mut group = Vec::with_capacity(GROUP);
        while queue.blocking_recv_many(&mut group, GROUP) > 0 {
            self.answer(group.drain(..))?;
            if let Err(error) = self.store.tend() {
                self.trouble.tell("the log's checkpoint failed", &error);
                if !error.is_survivable() {
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Appends everything that waits as one group, and answers after its commit. What a leader says is a group of its own.
    fn answer(&mut self, group: impl Iterator<Item = Request>) -> Result<(), LogError> {
        let mut groups: Vec<Group> = Vec::new();
        let mut others = Vec::new();
        for request in group {
            match request {
                Request::Append { drafts, epoch, reply } => {
                    let group = match groups.iter_mut().find(|group| group.epoch == epoch) {
                        Some(group) => group,
                        None => groups.push_mut(Group { epoch, drafts: Vec::new(), waiting: Vec::new() }),
                    };
                    group.waiting.push((drafts.len(), reply));
                    group.drafts.extend(drafts);
                }
                other @ (Request::Purge { .. } | Request::MarkAlive { .. }) => others.push(other),
            }
        }
        for group in groups {
            self.append(group)?;
        }
        for request in others {
            self.tend_to(request)?;
        }
        Ok(())
    }

    fn append(&mut self, group: Group) -> Result<(), LogError> {
        let Group { epoch, drafts, waiting } = group;
        let began = Instant::now();
        let now = (self.clock)();
        let stored = match epoch {
            Some(epoch) => self.store.append_as_leader(&drafts, now, epoch),
            None => self.store.append(&drafts, now),
        };
        let took = began.elapsed();
        (self.observe)(Commit { entries: drafts.len(), took, is_stored: stored.is_ok() });
        // Readers may start at once; nobody is answered before.
        if let Ok(Some(end)) = stored.as_ref().map(|stamps| stamps.last()) {
            note(&self.ends, *end);
            self.trouble.is_over();
        }
        reply_to_all(waiting, &stored);
        self.survive("a group of entries was not stored", stored)
    }

    fn tend_to(&mut self, request: Request) -> Result<(), LogError> {
        match request {
            Request::Append { .. } => Ok(()),
            Request::Purge { older_than, reply } => {
                let purged = self.store.purge(older_than);
                send(reply, &purged);
                self.survive("payloads were not purged", purged)
            }
            Request::MarkAlive { reply } => {
                let marked = self.store.mark_alive((self.clock)());
                send(reply, &marked);
                self.survive("the log cannot be written", marked)
            }
        }
    }

    fn survive<T>(&mut self, what: &str, result: Result<T, LogError>) -> Result<(), LogError> {
        match result {
            Ok(_) => Ok(()),
            Err(error) => {
                self.trouble.tell(what, &error);
                if error.is_survivable() { Ok(()) } else { Err(error) }
            }
        }
    }
}

/// What is appended together.
struct Group {
    epoch: Option<Epoch>,
    drafts: Vec<Draft>,
    waiting: Vec<(usize, Reply<Vec<Stamp>>)>,
}

fn reply_to_all(waiting: Vec<(usize, Reply<Vec<Stamp>>)>, stored: &Result<Vec<Stamp>, LogError>) {
    let mut stamps = stored.as_ref().map(|stamps| stamps.iter().copied());
    for (count, reply) in waiting {
        let answer = match &mut stamps {
            Ok(stamps) => Ok(stamps.take(count).collect()),
            Err(error) => Err(LogError::NotStored(error.to_string())),
        };
        // Whoever gave up waiting has no use for the answer; the entry is stored all the same.
        drop(reply.send(answer));
    }
}

fn send<T: Copy>(reply: Reply<T>, result: &Result<T, LogError>) {
    let answer = result.as_ref().copied().map_err(|error| LogError::NotStored(error.to_string()));
    drop(reply.send(answer));
}

/// Says once a minute that the log cannot be written, and how often it failed meanwhile.
#[derive(Default)]
struct Trouble {
    told_at: Option<Instant>,
    untold: u64,
}

impl Trouble {
    fn tell(&mut self, what: &str, error: &LogError) {
        if self.told_at.is_some_and(|at| at.elapsed() < TELL_EVERY) {
            self.untold = self.untold.saturating_add(1);
            return;
        }
        tracing::error!(%error, failures.untold = self.untold, "{what}");
        *self = Self { told_at: Some(Instant::now()), untold: 0 };
    }

    fn is_over(&mut self) {
        if self.told_at.take().is_some() {
            tracing::info!(failures.untold = self.untold, "entries are stored again");
            self.untold = 0;
        }
    }
}

/// The log, as the rest of the program appends to it.
#[derive(Clone)]
pub struct Log {
    requests: mpsc::Sender<Request>,
    end: watch::Receiver<Stamp>,
    /// Whose entries these are, where only a leader's are taken.
    epoch: Option<Epoch>,
}

impl Log {
    /// The same log, for what only the leader may say: it takes nothing once that lead is over.
    #[must_use]
    pub fn as_leader(&self, epoch: Epoch) -> Self {
        Self { epoch: Some(epoch), ..self.clone() }
    }

    /// Appends one entry. It is durable on return.
    ///
    /// # Errors
    /// The entry is not in the log.
    pub async fn append(&self, draft: Draft) -> Result<Stamp, LogError> {
        self.append_all(vec![draft]).await?.pop().ok_or(LogError::Stopped)
    }

    /// Appends entries, all or none. They are durable on return.
    ///
    /// # Errors
    /// None of them is in the log.
    pub async fn append_all(&self, drafts: Vec<Draft>) -> Result<Vec<Stamp>, LogError> {
        if drafts.is_empty() {
            return Ok(Vec::new());
        }
        let epoch = self.epoch;
        self.ask(|reply| Request::Append { drafts, epoch, reply }).await
    }

    /// Appends one entry, unless too many wait already. It is durable on return.
    ///
    /// # Errors
    /// [`LogError::Busy`] at once if too many wait; otherwise the entry is not in the log.
    pub async fn append_unless_busy(&self, draft: Draft) -> Result<Stamp, LogError> {
        let (reply, answer) = oneshot::channel();
        let request = Request::Append { drafts: vec![draft], epoch: self.epoch, reply };
        self.requests.try_send(request).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => LogError::Busy,
            mpsc::error::TrySendError::Closed(_) => LogError::Stopped,
        })?;
        answer.await.unwrap_or(Err(LogError::Stopped))?.pop().ok_or(LogError::Stopped)
    }

    /// Deletes old payloads, a bounded number at a time; how many.
    ///
    /// # Errors
    /// The log cannot be written.
    pub async fn purge(&self, older_than: Timestamp) -> Result<usize, LogError> {
        self.ask(|reply| Request::Purge { older_than, reply }).await
    }

    /// Returns once the appender has written and synced that it is alive.
    ///
    /// # Errors
    /// The log cannot be written: nothing can be acknowledged.
    pub async fn mark_alive(&self) -> Result<(), LogError> {
        self.ask(|reply| Request::MarkAlive { reply }).await
    }

    /// The last entry, as far as this process knows; changes after each commit of it.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<Stamp> {
        self.end.clone()
    }

    /// How many requests may wait; beyond, a PSP is told to come again.
    #[must_use]
    pub fn places(&self) -> usize {
        self.requests.max_capacity()
    }

    /// How many requests wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.requests.max_capacity().saturating_sub(self.requests.capacity())
    }

    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, LogError> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.map_err(|_| LogError::Stopped)?;
        answer.await.unwrap_or(Err(LogError::Stopped))
    }
}
