//! The log as one of several machines has it: appended to in PostgreSQL, read from the replica here.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cvco_domain::{Seq, Timestamp};
use cvco_log::row::{Head, Link};
use cvco_log::{Draft, Epoch, LogError, LogStore, SqliteLog, Stamp};

use crate::append::{Counts, Mark, PostgresLog, Unstored};
use crate::joined::Identity;
use crate::settings::Settings;
use crate::spool::{Kept, Spool};

/// One machine's part in the log of several.
pub struct ClusterLog {
    remote: PostgresLog,
    replica: SqliteLog,
    spool: Spool,
    counts: Arc<Counts>,
}

impl ClusterLog {
    /// A machine's part. Nothing is connected yet; `spool` is the file of calls that PostgreSQL could not take.
    ///
    /// # Errors
    /// The replica or the spool cannot be read.
    pub fn new(
        settings: Settings,
        own: Identity,
        mut replica: SqliteLog,
        spool: &Path,
        counts: Arc<Counts>,
    ) -> Result<Self, LogError> {
        let remote = PostgresLog::new(settings, own, replica.head()?, Arc::clone(&counts))?;
        let log = Self { remote, replica, spool: Spool::open(spool)?, counts };
        log.count()?;
        Ok(log)
    }

    fn store(&mut self, group: &[Draft], epoch: Option<Epoch>) -> Result<Vec<Stamp>, LogError> {
        match self.remote.append(group, epoch) {
            Ok(stamps) => Ok(stamps),
            Err(Unstored { error, open }) => {
                let before = |mark: Mark| {
                    mark.seq.get().saturating_sub(i64::try_from(group.len()).unwrap_or(i64::MAX))
                };
                match self.spool.keep(group, open.map(before).map(Seq::new)) {
                    Ok(0) => {}
                    Ok(dropped) => {
                        tracing::error!(dropped, "the spool is full: calls were refused and not kept");
                    }
                    Err(error) => tracing::error!(%error, "calls that were refused could not be kept"),
                }
                self.count()?;
                Err(error)
            }
        }
    }

    fn count(&self) -> Result<(), LogError> {
        let waiting = u64::try_from(self.spool.len()?).unwrap_or(0);
        self.counts.spooled.store(waiting, Ordering::Relaxed);
        Ok(())
    }

    /// Submits what waits, where PostgreSQL takes it.
    fn submit(&mut self) -> Result<(), LogError> {
        loop {
            let kept = self.spool.next()?;
            if kept.is_empty() {
                return self.count();
            }
            let kept = self.without_stored(kept)?;
            let numbers: Vec<i64> = kept.iter().map(|kept| kept.number).collect();
            let (readable, unreadable): (Vec<Kept>, Vec<Kept>) =
                kept.into_iter().partition(|kept| kept.draft.is_some());
            if !unreadable.is_empty() {
                tracing::error!(
                    calls = unreadable.len(),
                    "calls in the spool cannot be read by this program"
                );
            }
            let drafts: Vec<Draft> = readable.into_iter().filter_map(|kept| kept.draft).collect();
            self.spool.trying(&numbers, self.replica.head()?.seq)?;
            self.remote.append(&drafts, None).map_err(|unstored| unstored.error)?;
            tracing::info!(calls = drafts.len(), "calls that came while PostgreSQL was away are stored");
            self.spool.submitted(&numbers)?;
        }
    }

    /// Without those that are in the log: what was not acknowledged may have been stored, and a process may end between the
    /// commit and its word in the spool.
    fn without_stored(&mut self, kept: Vec<Kept>) -> Result<Vec<Kept>, LogError> {
        let Some(after) = kept.iter().filter_map(|call| call.tried_after).min() else { return Ok(kept) };
        let drafts = kept.iter().filter_map(|call| call.draft.as_ref());
        let there = self.remote.stored_after(after, drafts)?;
        let is_stored = |call: &Kept| call.draft.as_ref().is_some_and(|draft| there.contains(draft));
        let (stored, others): (Vec<Kept>, Vec<Kept>) = kept.into_iter().partition(is_stored);
        self.spool.submitted(&stored.iter().map(|call| call.number).collect::<Vec<_>>())?;
        Ok(others)
    }
}

impl LogStore for ClusterLog {
    fn head(&mut self) -> Result<Head, LogError> {
        self.replica.head()
    }

    fn append(&mut self, group: &[Draft], _now: Timestamp) -> Result<Vec<Stamp>, LogError> {
        self.store(group, None)
    }

    fn append_as_leader(
        &mut self,
        group: &[Draft],
        _now: Timestamp,
        epoch: Epoch,
    ) -> Result<Vec<Stamp>, LogError> {
        self.store(group, Some(epoch))
    }

    fn read(&mut self, after: Seq, at_most: usize) -> Result<Vec<Link>, LogError> {
        self.replica.read(after, at_most)
    }

    fn payload(&mut self, seq: Seq) -> Result<Option<Vec<u8>>, LogError> {
        self.replica.payload(seq)
    }

    /// Here and there. That several machines do so is no harm: they go by dates that are the same for all.
    fn purge(&mut self, older_than: Timestamp) -> Result<usize, LogError> {
        let (purged, last) = (self.replica.purge(older_than)?, self.replica.last_before(older_than)?);
        let there = self.remote.purge_to(last, cvco_log::store::PURGED_AT_A_TIME)?;
        Ok(purged.max(there))
    }

    fn mark_alive(&mut self, now: Timestamp) -> Result<(), LogError> {
        let head = self.replica.head()?;
        self.remote.mark_alive(&head)?;
        self.replica.mark_alive(now)?;
        if self.counts.spooled.load(Ordering::Relaxed) > 0 {
            self.submit()?;
        }
        Ok(())
    }

    fn last_alive(&mut self) -> Result<Option<Timestamp>, LogError> {
        self.replica.last_alive()
    }

    fn flaws(&mut self) -> Vec<String> {
        self.replica.flaws()
    }

    fn tend(&mut self) -> Result<(), LogError> {
        self.replica.tend()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::postgres::Postgres;
    use crate::tests::{machine, migrated, notified, settings};

    #[test]
    fn a_call_whose_process_ended_between_its_commit_and_the_spool_is_stored_once() {
        let Some(server) = Postgres::start("") else { return };
        let identity = migrated(&server);
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let (stored, lost) = (notified("STORED"), notified("LOST"));
        let mut spool = Spool::open(&path("spool.sqlite")).expect("a spool");
        spool.keep(&[stored.clone(), lost, notified("NEW")], None).expect("kept");
        spool.trying(&[1, 2], Seq::ZERO).expect("written down");
        machine(&server, "one", &identity).append(&[stored], None).expect("appended");

        let replica = SqliteLog::open_or_create_replica(&path("log.sqlite"), &identity.log_id);
        let mut log = ClusterLog::new(
            settings(&server.url(), "one"),
            identity,
            replica.expect("a replica"),
            &path("spool.sqlite"),
            Arc::default(),
        )
        .expect("a log");
        log.mark_alive(Timestamp::from_millis(0)).expect("alive");
        let calls = "SELECT payload_sha256 FROM log WHERE kind = 'unread' ORDER BY seq";
        assert_eq!(server.rows(calls), ["STORED", "LOST", "NEW"]);
        assert_eq!(spool.len().expect("read"), 0);
    }
}
