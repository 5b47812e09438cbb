//! Appending: one group in two flights, and what to do about an outcome that is not known.

mod flights;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cvco_domain::Seq;
use cvco_log::row::Head;
use cvco_log::{Draft, Epoch, LogError, Stamp};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;
use tokio_postgres::Client;

use crate::joined::{Identity, away, joined};
use crate::session::PROMPT;
use crate::settings::Settings;
use flights::{Columns, Ready, Unfinished};

/// Between two tries.
const BREATH: Duration = Duration::from_millis(100);

/// How long the end of the log may be waited for: a little longer than the server's own limit, which has better words.
const LOCKED: Duration = Duration::from_secs(9);

/// The last entry of a group whose outcome is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Its number, if it was stored.
    pub seq: Seq,
    /// Its chain hash, which is that of no other entry.
    pub hash: String,
}

/// Why a group was not acknowledged.
#[derive(Debug)]
pub struct Unstored {
    /// Why.
    pub error: LogError,
    /// Set if it may be in the log all the same.
    pub open: Option<Mark>,
}

impl From<LogError> for Unstored {
    fn from(error: LogError) -> Self {
        Self { error, open: None }
    }
}

/// What is counted.
#[derive(Debug, Default)]
pub struct Counts {
    /// How often an unknown outcome was looked into.
    pub settles: AtomicU64,
    /// How many calls wait in the spool.
    pub spooled: AtomicU64,
}

/// The log in PostgreSQL, for appending: a connection of its own, on whatever thread owns the value.
pub struct PostgresLog {
    runtime: Runtime,
    writer: Writer,
}

struct Writer {
    settings: Settings,
    own: Identity,
    /// The last entry that this machine knows to be there.
    known: Head,
    ready: Option<Ready>,
    away_since: Option<Instant>,
    counts: Arc<Counts>,
}

/// How one try failed.
enum Failed {
    /// Nothing was stored; another try may succeed.
    Again(LogError),
    /// Nothing was stored, and another try would do no better now.
    Refused(LogError),
    /// It may be stored.
    Unknown(Group, String),
}

/// A group that was numbered.
struct Group {
    stamps: Vec<Stamp>,
    end: Head,
}

impl Group {
    fn mark(&self) -> Mark {
        Mark { seq: self.end.seq, hash: self.end.hash.clone() }
    }
}

impl PostgresLog {
    /// The log that a machine belongs to which knows it up to an entry. Nothing is connected yet.
    ///
    /// # Errors
    /// The system gives no runtime.
    pub fn new(
        settings: Settings,
        own: Identity,
        known: Head,
        counts: Arc<Counts>,
    ) -> Result<Self, LogError> {
        let writer = Writer { settings, own, known, ready: None, away_since: None, counts };
        Ok(Self { runtime: runtime()?, writer })
    }

    /// Appends a group, of the leader of that number if one is given. Waits for a PostgreSQL that is away, for as long as a
    /// call may wait.
    ///
    /// # Errors
    /// The group is not acknowledged; [`Unstored::open`] says whether it may be in the log.
    pub fn append(&mut self, group: &[Draft], epoch: Option<Epoch>) -> Result<Vec<Stamp>, Unstored> {
        if group.is_empty() {
            return Ok(Vec::new());
        }
        self.runtime.block_on(self.writer.append(group, epoch))
    }

    /// Which of these calls are in the log after an entry.
    ///
    /// # Errors
    /// It cannot be found out now.
    pub fn stored_after<'d>(
        &mut self,
        after: Seq,
        calls: impl Iterator<Item = &'d Draft>,
    ) -> Result<Vec<Draft>, LogError> {
        self.runtime.block_on(self.writer.stored_after(after, calls.collect()))
    }

    /// Writes and commits that this machine is alive, and how far its replica has come.
    ///
    /// # Errors
    /// An append would fail too.
    pub fn mark_alive(&mut self, replica: &Head) -> Result<(), LogError> {
        self.runtime.block_on(self.writer.mark_alive(replica))
    }

    /// Deletes payloads up to an entry, a bounded number at a time; how many.
    ///
    /// # Errors
    /// The log cannot be written.
    pub fn purge_to(&mut self, last: Seq, at_most: usize) -> Result<usize, LogError> {
        self.runtime.block_on(self.writer.purge_to(last, at_most))
    }

    /// Whether the last try found PostgreSQL away.
    #[must_use]
    pub const fn is_away(&self) -> bool {
        self.writer.away_since.is_some()
    }
}

/// How an unknown outcome is looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// After whatever the old connection still does.
    UnderTheLock,
    /// At once: the mutation that the tests must notice.
    #[cfg(test)]
    AtOnce,
}

pub(crate) fn runtime() -> Result<Runtime, LogError> {
    let built = Builder::new_current_thread().enable_all().build();
    built.map_err(|error| LogError::NotStored(format!("the system gives no runtime: {error}")))
}

impl Writer {
    async fn append(&mut self, group: &[Draft], epoch: Option<Epoch>) -> Result<Vec<Stamp>, Unstored> {
        let began = Instant::now();
        loop {
            // From the beginning of an outage on, not for each group again: others wait already.
            let until = self.away_since.unwrap_or(began) + self.settings.patience;
            let (error, open) = match self.attempt(group, epoch, until).await {
                Ok(group) => return Ok(self.stored(group)),
                Err(Failed::Refused(error)) => return Err(error.into()),
                Err(Failed::Again(error)) => (error, None),
                Err(Failed::Unknown(group, why)) => match self.settled(&group.mark(), until).await {
                    Ok(true) => return Ok(self.stored(group)),
                    Ok(false) => (LogError::Away(why), None),
                    Err(error) => (error, Some(group.mark())),
                },
            };
            self.away_since.get_or_insert(began);
            if open.is_some() || Instant::now() >= until {
                return Err(Unstored { error, open });
            }
            tokio::time::sleep(BREATH).await;
        }
    }

    fn stored(&mut self, group: Group) -> Vec<Stamp> {
        self.away_since = None;
        self.known = group.end;
        group.stamps
    }

    /// Looks into an outcome until it is known, or the time is over.
    async fn settled(&mut self, mark: &Mark, until: Instant) -> Result<bool, LogError> {
        loop {
            match self.settle(mark, Look::UnderTheLock).await {
                Err(_) if Instant::now() < until => tokio::time::sleep(BREATH).await,
                found => return found,
            }
        }
    }

    async fn ready(&mut self) -> Result<&mut Ready, LogError> {
        self.ready = self.ready.take().filter(|ready| !ready.session.is_over());
        if self.ready.is_none() {
            let session = joined(&self.settings, &self.own, &self.known).await?;
            self.ready = Some(Ready::prepare(session).await.map_err(|trouble| away(&trouble))?);
        }
        self.ready.as_mut().ok_or(LogError::Stopped)
    }

    /// One try.
    async fn attempt(
        &mut self,
        group: &[Draft],
        epoch: Option<Epoch>,
        until: Instant,
    ) -> Result<Group, Failed> {
        let (own, known) = (self.settings.fold_version, self.known.seq);
        let lead = epoch.map(|epoch| (epoch.get(), self.settings.holder.clone()));
        let ready = self.ready().await.map_err(again_or_refused)?;
        let left = until.saturating_duration_since(Instant::now()).clamp(PROMPT / 10, LOCKED);
        let begun = match ready.begin(lead, left).await {
            Ok(begun) => begun,
            Err(trouble) => {
                self.ready = None;
                return Err(Failed::Again(away(&trouble)));
            }
        };
        let refused = if begun.end.fold_version > own {
            Some(LogError::Outdated { own, theirs: begun.end.fold_version })
        } else if begun.end.head.seq < known {
            Some(LogError::Disagrees(format!("it ends with entry {}", begun.end.head.seq)))
        } else if !begun.may_lead {
            Some(LogError::NotLeading)
        } else {
            None
        };
        if let Some(error) = refused {
            // The connection ends, and with it the transaction.
            self.ready = None;
            return Err(Failed::Refused(error));
        }
        let columns = Columns::of(group, &begun.end).map_err(Failed::Refused)?;
        let left = until.saturating_duration_since(Instant::now()).max(PROMPT / 10);
        let ended = ready.finish(&columns, &begun.end.head, left).await;
        let numbered = Group { stamps: columns.stamps, end: columns.end };
        match ended {
            Ok(()) => Ok(numbered),
            Err(Unfinished::Nothing(trouble)) => {
                self.ready = None;
                Err(Failed::Again(away(&trouble)))
            }
            Err(Unfinished::Unknown(why)) => {
                self.ready = None;
                Err(Failed::Unknown(numbered, why))
            }
        }
    }

    /// Looks into an unknown outcome.
    async fn settle(&mut self, mark: &Mark, look: Look) -> Result<bool, LogError> {
        let seq = mark.seq.get();
        let found = self.look(look, async |client: &Client| {
            let row = client.query_opt("SELECT chain_hash FROM log WHERE seq = $1", &[&seq]).await?;
            row.map(|row| row.try_get::<_, String>(0)).transpose()
        });
        Ok(found.await?.is_some_and(|hash| hash == mark.hash))
    }

    async fn stored_after(&mut self, after: Seq, calls: Vec<&Draft>) -> Result<Vec<Draft>, LogError> {
        let after = after.get();
        let digests: Vec<&str> =
            calls.iter().filter_map(|call| Some(call.payload()?.sha256.as_str())).collect();
        let found = self.look(Look::UnderTheLock, async |client: &Client| {
            let query =
                "SELECT kind, content, payload_sha256 FROM log WHERE seq > $1 AND payload_sha256 = ANY ($2)";
            let rows = client.query(query, &[&after, &digests]).await?;
            let texts = rows.iter().map(|row| Ok([row.try_get(0)?, row.try_get(1)?, row.try_get(2)?]));
            texts.collect::<Result<Vec<[String; 3]>, tokio_postgres::Error>>()
        });
        let found = found.await?;
        let is_there = |call: &&&Draft| {
            let [kind, content] = call.text();
            let digest = call.payload().map_or("", |payload| &payload.sha256);
            found.iter().any(|texts| texts.each_ref().map(String::as_str) == [kind, content, digest])
        };
        Ok(calls.iter().filter(is_there).map(|call| (*call).clone()).collect())
    }

    /// Looks at the log on a new connection, after whatever an old one still does, and with a committed write of its own, so
    /// that what is found is as durable as that.
    async fn look<T>(
        &mut self,
        look: Look,
        query: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, LogError> {
        self.counts.settles.fetch_add(1, Ordering::Relaxed);
        self.ready = None;
        let mut session = joined(&self.settings, &self.own, &self.known).await?;
        let name = self.settings.name.clone();
        let first = match look {
            Look::UnderTheLock => "SELECT seq FROM head FOR UPDATE",
            #[cfg(test)]
            Look::AtOnce => "SELECT seq FROM head",
        };
        let found = session.run(LOCKED, async |client: &Client| {
            client.batch_execute("BEGIN").await?;
            client.batch_execute(first).await?;
            let found = query(client).await?;
            // Takes a number from nobody, and waits for the standby like any other write.
            client
                .execute(
                    "INSERT INTO nodes VALUES ($1, 0, '', '', clock_timestamp())
                     ON CONFLICT (name) DO UPDATE SET seen = excluded.seen",
                    &[&name],
                )
                .await?;
            client.batch_execute("COMMIT").await?;
            Ok(found)
        });
        let found = found.await.map_err(|trouble| away(&trouble))?;
        match session.warnings().pop() {
            Some(warning) => Err(LogError::Away(warning)),
            None => Ok(found),
        }
    }

    async fn mark_alive(&mut self, replica: &Head) -> Result<(), LogError> {
        let (name, version) = (self.settings.name.clone(), self.settings.version.clone());
        let (seq, hash) = (replica.seq.get(), replica.hash.clone());
        let own = self.settings.fold_version;
        let ready = self.ready().await?;
        let Ready { session, seen, .. } = ready;
        let wrote = session.run(PROMPT, async |client: &Client| {
            let row = client.query_one(&*seen, &[&name, &seq, &hash, &version]).await?;
            row.try_get::<_, i32>(0)
        });
        let wrote = wrote.await;
        let warning = session.warnings().pop();
        match (wrote, warning) {
            (Ok(theirs), None) if theirs > own => Err(LogError::Outdated { own, theirs }),
            (Ok(_), None) => {
                self.away_since = None;
                Ok(())
            }
            (Ok(_), Some(warning)) => Err(LogError::Away(warning)),
            (Err(trouble), _) => {
                self.ready = None;
                Err(away(&trouble))
            }
        }
    }

    async fn purge_to(&mut self, last: Seq, at_most: usize) -> Result<usize, LogError> {
        let (last, at_most) = (last.get(), i64::try_from(at_most).unwrap_or(i64::MAX));
        let ready = self.ready().await?;
        let deleted = ready.session.run(LOCKED, async |client: &Client| {
            client
                .execute(
                    "DELETE FROM payloads WHERE seq IN
                       (SELECT seq FROM payloads WHERE seq <= $1 ORDER BY seq LIMIT $2)",
                    &[&last, &at_most],
                )
                .await
        });
        match deleted.await {
            Ok(rows) => Ok(usize::try_from(rows).unwrap_or(usize::MAX)),
            Err(trouble) => {
                self.ready = None;
                Err(away(&trouble))
            }
        }
    }
}

fn again_or_refused(error: LogError) -> Failed {
    if matches!(error, LogError::Away(_)) { Failed::Again(error) } else { Failed::Refused(error) }
}
