//! The tail: brings every row to this machine's replica as the log grows, and takes part in who leads. One thread, one
//! connection.

use std::time::Duration;

use cvco_domain::{Seq, Timestamp};
use cvco_log::row::{Head, Link, Row};
use cvco_log::sqlite::Copied;
use cvco_log::{Ends, LogError, LogStore, SqliteLog, Stamp};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::Client;

use crate::append::runtime;
use crate::joined::{END, End, Identity, away, joined, must_know};
use crate::lead::{Candidate, Found, Lead};
use crate::session::{PROMPT, Session};
use crate::settings::Settings;

/// The log is looked at this often; that somebody is told sooner is only a hint.
const POLL: Duration = Duration::from_millis(250);

/// After trouble.
const AGAIN: Duration = Duration::from_millis(500);

/// So many rows are brought at a time: with the largest payloads that is as much as fits into memory.
const AT_A_TIME: i64 = 128;

/// How long the end may take to say that this machine leads no more.
const FAREWELL: Duration = Duration::from_secs(3);

/// What this machine knows of the log in PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Why it cannot take part now.
    pub trouble: Option<String>,
    /// Whether PostgreSQL lacks entries that this machine knows.
    pub disagrees: bool,
    /// The end of the log, as last seen.
    pub end: Option<End>,
    /// How many milliseconds the server's clock is ahead of this machine's.
    pub ahead: i64,
    /// The lead, if it is this machine's.
    pub lead: Option<Lead>,
    /// The machine that leads.
    pub leader: Option<String>,
    /// When all of this was seen.
    pub seen: Instant,
}

/// The tail's thread.
pub struct Tail {
    thread: std::thread::JoinHandle<Result<(), LogError>>,
    stop: watch::Sender<bool>,
}

/// What the tail makes known.
#[derive(Clone)]
pub struct Followed {
    /// How this machine stands.
    pub standing: watch::Receiver<Standing>,
    /// The last entry of the replica.
    pub replica: watch::Receiver<Stamp>,
}

impl Tail {
    /// Starts the thread, on a value of its own for the replica. `ends` is where the log ends as far as this process knows,
    /// which `changed` tells; `clock` is this machine's own.
    ///
    /// # Errors
    /// The replica cannot be read, or the system gives no thread.
    pub fn start(
        settings: Settings,
        own: Identity,
        mut replica: SqliteLog,
        ends: Ends,
        changed: watch::Receiver<Stamp>,
        clock: impl Fn() -> Timestamp + Send + 'static,
    ) -> Result<(Self, Followed), LogError> {
        let head = replica.head()?;
        let (grown, replica_end) = watch::channel(Stamp { seq: head.seq, at: head.at });
        let (standings, standing) = watch::channel(Standing {
            trouble: Some("not connected yet".to_owned()),
            disagrees: false,
            end: None,
            ahead: 0,
            lead: None,
            leader: None,
            seen: Instant::now(),
        });
        let (stop, stopped) = watch::channel(false);
        let runtime = runtime()?;
        let candidate = Candidate::new(settings.clone());
        let mut worker = Worker {
            settings,
            own,
            replica,
            head,
            ends,
            changed,
            grown,
            standings,
            candidate,
            clock: Box::new(clock),
            stopped,
        };
        let thread = std::thread::Builder::new()
            .name("log-tail".to_owned())
            .spawn(move || runtime.block_on(worker.run()))
            .map_err(|error| LogError::NotStored(format!("the system gives no thread: {error}")))?;
        Ok((Self { thread, stop }, Followed { standing, replica: replica_end }))
    }

    /// Tells the thread to end, and to give the lead up.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// The replica could not be written any more.
    pub fn join(self) -> Result<(), LogError> {
        self.stop();
        self.thread.join().unwrap_or(Err(LogError::Stopped))
    }
}

struct Worker {
    settings: Settings,
    own: Identity,
    replica: SqliteLog,
    /// The end of the replica.
    head: Head,
    ends: Ends,
    changed: watch::Receiver<Stamp>,
    grown: watch::Sender<Stamp>,
    standings: watch::Sender<Standing>,
    candidate: Candidate,
    clock: Box<dyn Fn() -> Timestamp + Send>,
    stopped: watch::Receiver<bool>,
}

impl Worker {
    async fn run(&mut self) -> Result<(), LogError> {
        let mut session: Option<Session> = None;
        while !self.is_over() {
            let followed = match &mut session {
                Some(open) => self.follow(open).await,
                None => self.connect().await.map(|open| session = Some(open)),
            };
            if let Err(error) = followed {
                session = None;
                self.tell(&error);
                if !error.is_survivable() {
                    tracing::error!(%error, "the log's replica cannot follow any more");
                    return Err(error);
                }
                let mut stopped = self.stopped.clone();
                // The wait is over when the thread is to end.
                drop(timeout(AGAIN, stopped.changed()).await);
            }
        }
        if let Some(mut open) = session
            && let Ok(Err(error)) = timeout(FAREWELL, self.candidate.give_up(&mut open)).await
        {
            tracing::warn!(%error, "the lead was not given up; it ends by itself");
        }
        Ok(())
    }

    /// Whether it was told to end, or nobody appends any more.
    fn is_over(&self) -> bool {
        *self.stopped.borrow() || self.changed.has_changed().is_err()
    }

    async fn connect(&mut self) -> Result<Session, LogError> {
        let mut session = joined(&self.settings, &self.own, &self.head).await?;
        let listen = async |client: &Client| client.batch_execute("LISTEN cvco_log").await;
        session.run(PROMPT, listen).await.map_err(|trouble| away(&trouble))?;
        Ok(session)
    }

    /// Looks once, brings what is new, and waits for more.
    async fn follow(&mut self, session: &mut Session) -> Result<(), LogError> {
        self.changed.borrow_and_update();
        let look = format!(
            "SELECT {END}, holder, expires < clock_timestamp() FROM head, lease WHERE lease.name = 'leader'"
        );
        let before = (self.clock)();
        let looked = session.run(PROMPT, async |client: &Client| {
            let row = client.query_one(&look, &[]).await?;
            Ok((End::of(&row)?, Found::of(&row, 5)?))
        });
        let (end, lease) = looked.await.map_err(|trouble| away(&trouble))?;
        let ahead = ahead(before, (self.clock)(), end.now);
        if end.head.seq < self.head.seq {
            return Err(LogError::Disagrees(format!("it ends with entry {}", end.head.seq)));
        }
        self.ends.note(Stamp { seq: end.head.seq, at: end.head.at });
        self.bring(session, end.head.seq).await?;
        // Whoever lags or is outdated could not lead well.
        if self.settings.fold_version >= end.fold_version && self.candidate.lead().is_none() {
            self.candidate.take(session, &lease).await?;
            if self.candidate.lead().is_some() {
                // What was said under the last lead counts before anything is said under this one.
                let end = self.end(session).await?;
                self.ends.note(Stamp { seq: end.head.seq, at: end.head.at });
            }
        }
        self.candidate.renew(session).await?;
        let lead = self.candidate.lead();
        let leader = if lead.is_some() { Some(self.settings.name.clone()) } else { lease.leader() };
        let standing = Standing {
            trouble: None,
            disagrees: false,
            end: Some(end),
            ahead,
            lead,
            leader,
            seen: Instant::now(),
        };
        self.standings.send_replace(standing);
        let until = Instant::now() + POLL;
        tokio::select! {
            heard = session.listen(until) => heard.map_err(|trouble| away(&trouble)),
            _ = self.changed.changed() => Ok(()),
            _ = self.stopped.changed() => Ok(()),
        }
    }

    async fn end(&mut self, session: &mut Session) -> Result<End, LogError> {
        let look = format!("SELECT {END} FROM head");
        let looked =
            session.run(PROMPT, async |client: &Client| End::of(&client.query_one(&look, &[]).await?));
        looked.await.map_err(|trouble| away(&trouble))
    }

    /// Brings rows up to an entry, at least.
    async fn bring(&mut self, session: &mut Session, to: Seq) -> Result<(), LogError> {
        while self.head.seq < to && !self.is_over() {
            let rows = rows_after(session, self.head.seq).await?;
            if rows.is_empty() {
                must_know(session, &self.head).await?;
                return Err(LogError::Away(format!("entry {to} cannot be read")));
            }
            self.head = self.replica.take_over(&rows)?;
            self.grown.send_replace(Stamp { seq: self.head.seq, at: self.head.at });
            self.replica.tend()?;
            self.candidate.renew(session).await?;
        }
        Ok(())
    }

    fn tell(&mut self, error: &LogError) {
        let (lead, why) = (self.candidate.lead(), error.to_string());
        let disagrees = matches!(error, LogError::Disagrees(_));
        let is_news = self.standings.borrow().trouble.as_ref() != Some(&why);
        if is_news {
            tracing::warn!(%error, "this machine does not follow the log");
        }
        self.standings.send_modify(|standing| {
            standing.trouble = Some(why);
            standing.disagrees = disagrees;
            standing.lead = lead;
        });
    }
}

/// The rows after an entry, with their payloads.
pub(crate) async fn rows_after(session: &mut Session, after: Seq) -> Result<Vec<Copied>, LogError> {
    let after = after.get();
    let read = session.run(PROMPT * 3, async |client: &Client| {
        let rows = client
            .query(
                "SELECT seq, at, kind, content, payload_sha256, chain_hash, sealed
                 FROM log LEFT JOIN payloads USING (seq) WHERE seq > $1 ORDER BY seq LIMIT $2",
                &[&after, &AT_A_TIME],
            )
            .await?;
        let copied = |row: &tokio_postgres::Row| {
            let link = Link {
                row: Row {
                    seq: Seq::new(row.try_get(0)?),
                    at: row.try_get(1)?,
                    kind: row.try_get(2)?,
                    content: row.try_get(3)?,
                    payload_sha256: row.try_get(4)?,
                },
                chain_hash: row.try_get(5)?,
            };
            Ok(Copied { link, sealed: row.try_get(6)? })
        };
        rows.iter().map(copied).collect::<Result<Vec<_>, tokio_postgres::Error>>()
    });
    read.await.map_err(|trouble| away(&trouble))
}

/// By how many milliseconds the server's clock is ahead, to half a round trip.
fn ahead(before: Timestamp, after: Timestamp, there: Timestamp) -> i64 {
    let here = before.millis().midpoint(after.millis());
    there.millis().saturating_sub(here)
}

/// Brings a replica up to date once: for commands, where no daemon does so.
///
/// # Errors
/// PostgreSQL is away, or the two disagree.
pub fn catch_up(settings: &Settings, own: &Identity, replica: &mut SqliteLog) -> Result<Head, LogError> {
    let mut head = replica.head()?;
    runtime()?.block_on(async {
        let mut session = joined(settings, own, &head).await?;
        loop {
            let rows = rows_after(&mut session, head.seq).await?;
            if rows.is_empty() {
                return Ok(head);
            }
            head = replica.take_over(&rows)?;
            replica.tend()?;
            sleep(Duration::ZERO).await;
        }
    })
}
