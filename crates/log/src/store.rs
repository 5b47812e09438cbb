//! What a log can stand on.

use cvco_domain::{Seq, Timestamp};

use crate::error::LogError;
use crate::row::{Draft, Epoch, Head, Link, Stamp};

/// So many payloads are purged at a time.
pub const PURGED_AT_A_TIME: usize = 1000;

/// A place for the log. One thread owns a value of it; several values, in one process or in several, may stand for the
/// same log.
pub trait LogStore: Send {
    /// The end of the chain.
    ///
    /// # Errors
    /// The log cannot be read.
    fn head(&mut self) -> Result<Head, LogError>;

    /// Appends a group: numbers the entries without a gap, dates them, links them. All of them are durable on return, or
    /// none is in the log.
    ///
    /// # Errors
    /// The group is not in the log. [`LogError::is_survivable`] says whether to go on.
    fn append(&mut self, group: &[Draft], now: Timestamp) -> Result<Vec<Stamp>, LogError>;

    /// As [`LogStore::append`], for what only the leader may say: nothing is appended once the lead of that number is over. A
    /// log that one machine alone writes to has no other leader.
    ///
    /// # Errors
    /// As [`LogStore::append`], and [`LogError::NotLeading`].
    fn append_as_leader(
        &mut self,
        group: &[Draft],
        now: Timestamp,
        _epoch: Epoch,
    ) -> Result<Vec<Stamp>, LogError> {
        self.append(group, now)
    }

    /// Up to `at_most` rows after an entry, in order.
    ///
    /// # Errors
    /// The log cannot be read.
    fn read(&mut self, after: Seq, at_most: usize) -> Result<Vec<Link>, LogError>;

    /// The sealed bytes that belong to an entry; `None` if there never were any, or they were purged.
    ///
    /// # Errors
    /// The log cannot be read.
    fn payload(&mut self, seq: Seq) -> Result<Option<Vec<u8>>, LogError>;

    /// Deletes payloads of entries before an instant, oldest first, at most [`PURGED_AT_A_TIME`]; how many. An entry that a
    /// wrong clock dated ahead goes by the correction that came after it.
    ///
    /// # Errors
    /// The log cannot be written.
    fn purge(&mut self, older_than: Timestamp) -> Result<usize, LogError>;

    /// Writes and syncs that the daemon is alive now: proof that an append would succeed.
    ///
    /// # Errors
    /// The log cannot be written.
    fn mark_alive(&mut self, now: Timestamp) -> Result<(), LogError>;

    /// When the daemon was last known to be alive.
    ///
    /// # Errors
    /// The log cannot be read.
    fn last_alive(&mut self) -> Result<Option<Timestamp>, LogError>;

    /// What is wrong with the place itself, in English; the chain and the payloads are not looked at.
    fn flaws(&mut self) -> Vec<String>;

    /// Housekeeping between groups.
    ///
    /// # Errors
    /// The log cannot be written.
    fn tend(&mut self) -> Result<(), LogError>;
}

impl<L: LogStore + ?Sized> LogStore for Box<L> {
    fn head(&mut self) -> Result<Head, LogError> {
        (**self).head()
    }

    fn append(&mut self, group: &[Draft], now: Timestamp) -> Result<Vec<Stamp>, LogError> {
        (**self).append(group, now)
    }

    fn append_as_leader(
        &mut self,
        group: &[Draft],
        now: Timestamp,
        epoch: Epoch,
    ) -> Result<Vec<Stamp>, LogError> {
        (**self).append_as_leader(group, now, epoch)
    }

    fn read(&mut self, after: Seq, at_most: usize) -> Result<Vec<Link>, LogError> {
        (**self).read(after, at_most)
    }

    fn payload(&mut self, seq: Seq) -> Result<Option<Vec<u8>>, LogError> {
        (**self).payload(seq)
    }

    fn purge(&mut self, older_than: Timestamp) -> Result<usize, LogError> {
        (**self).purge(older_than)
    }

    fn mark_alive(&mut self, now: Timestamp) -> Result<(), LogError> {
        (**self).mark_alive(now)
    }

    fn last_alive(&mut self) -> Result<Option<Timestamp>, LogError> {
        (**self).last_alive()
    }

    fn flaws(&mut self) -> Vec<String> {
        (**self).flaws()
    }

    fn tend(&mut self) -> Result<(), LogError> {
        (**self).tend()
    }
}
