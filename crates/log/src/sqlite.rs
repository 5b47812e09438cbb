//! The embedded log: one SQLite file, `log.sqlite`, with the payloads beside the rows.

mod checks;
mod copy;
mod file;
mod replica;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use cvco_domain::crypto::{SealKey, random_id};
use cvco_domain::{Seq, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row as SqlRow, TransactionBehavior, params};

use crate::error::LogError;
use crate::row::{Draft, Head, Link, Row, Stamp};
use crate::store::{LogStore, PURGED_AT_A_TIME};
pub(crate) use file::sync_folder;
pub use file::{Identity, Lease};
pub use replica::Copied;

/// So many bytes of entries go into the write-ahead log before it is copied into the main file, and used from its start
/// again: a sync of bytes that are written over costs half of one that makes the file longer.
const CHECKPOINT_BYTES: u64 = 4 * 1024 * 1024;

/// What a commit writes beside the entries themselves: the pages that it fills only partly.
const COMMIT_BYTES: u64 = 16 * 1024;

/// The log in a SQLite file.
pub struct SqliteLog {
    conn: Connection,
    path: PathBuf,
    identity: Identity,
    /// The end of the chain as this value last saw it.
    head: Head,
    /// Roughly how much was written since the last checkpoint.
    written: u64,
}

impl SqliteLog {
    /// Opens the log for the daemon, and creates it where there is none. `beside` are files that belong to an older log:
    /// where one of them is there, an empty log is not created.
    ///
    /// # Errors
    /// The file cannot be made or opened, is no log, was lost, or is damaged at its end.
    pub fn open_or_create(path: &Path, beside: &[&Path]) -> Result<Self, LogError> {
        if !path.exists() {
            if let Some(beside) = beside.iter().find(|beside| beside.exists()) {
                return Err(LogError::LogLost { log: path.to_owned(), beside: (*beside).to_owned() });
            }
            file::create(path, &random_id()?)?;
        }
        Self::open(path)
    }

    /// Opens a log that is there.
    ///
    /// # Errors
    /// There is no file, it is no log, or it is damaged at its end.
    pub fn open(path: &Path) -> Result<Self, LogError> {
        let conn = file::open(path)?;
        let identity =
            Identity::of(path).map_err(|source| LogError::File { path: path.to_owned(), source })?;
        let mut log = Self { conn, path: path.to_owned(), identity, head: Head::default(), written: 0 };
        log.head = checks::sound_end(&log.conn).map_err(|what| log.damaged(what))?;
        Ok(log)
    }

    /// Opens a log only to be read, whatever its state is: for the proof, which says itself what is damaged.
    ///
    /// # Errors
    /// There is no file, or it is no log.
    pub fn open_as_it_is(path: &Path) -> Result<Self, LogError> {
        let conn = file::open(path)?;
        let identity =
            Identity::of(path).map_err(|source| LogError::File { path: path.to_owned(), source })?;
        let head = checks::stated_end(&conn);
        Ok(Self { conn, path: path.to_owned(), identity, head, written: 0 })
    }

    /// Another value for the same file, for a reader on a thread of its own.
    ///
    /// # Errors
    /// As [`SqliteLog::open`].
    pub fn reader(&self) -> Result<Self, LogError> {
        Self::open(&self.path)
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What tells this log from any other.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn id(&self) -> Result<String, LogError> {
        Ok(self.conn.query_row("SELECT log_id FROM meta", [], |row| row.get(0))?)
    }

    /// Whether any payload was ever sealed.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn has_payloads(&self) -> Result<bool, LogError> {
        Ok(self.conn.query_row(
            "SELECT EXISTS (SELECT 1 FROM log WHERE payload_sha256 IS NOT NULL)",
            [],
            |row| row.get(0),
        )?)
    }

    /// Makes this key the log's own, or refuses it if another one is.
    ///
    /// # Errors
    /// The log's payloads are sealed with another key; `key_file` is for the words.
    pub fn adopt_key(&self, key: &SealKey, key_file: &Path) -> Result<(), LogError> {
        let known: Option<String> =
            self.conn.query_row("SELECT key_fingerprint FROM meta", [], |row| row.get(0))?;
        match known {
            Some(known) if known == key.fingerprint() => Ok(()),
            Some(_) => Err(LogError::OtherKey(key_file.to_owned())),
            None => {
                self.conn.execute("UPDATE meta SET key_fingerprint = ?1", [key.fingerprint()])?;
                Ok(())
            }
        }
    }

    /// Writes and syncs without changing anything: proof that an append would succeed.
    ///
    /// # Errors
    /// The log cannot be written.
    pub fn prove_writable(&mut self) -> Result<(), LogError> {
        self.still_there()?;
        self.conn.execute("UPDATE meta SET alive_at = alive_at", [])?;
        Ok(())
    }

    /// The last entry before an instant, up to which payloads are purged.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn last_before(&self, instant: Timestamp) -> Result<Seq, LogError> {
        Ok(last_before(&self.conn, instant)?)
    }

    /// Takes the lead: only its holder folds the log and acts on what the ledger owes. `None` if another process has it.
    ///
    /// # Errors
    /// The lock file cannot be opened.
    pub fn lease(path: &Path) -> Result<Option<Lease>, LogError> {
        Lease::take(path)
    }

    /// Refuses to go on where the open file is not the one at the path: what is written would be lost.
    fn still_there(&mut self) -> Result<(), LogError> {
        if self.identity.is_at(&self.path) { Ok(()) } else { Err(LogError::Replaced(self.path.clone())) }
    }

    fn damaged(&self, what: String) -> LogError {
        LogError::Damaged { path: self.path.clone(), what }
    }
}

/// The last row, with its own link.
fn last(conn: &Connection) -> Result<Option<Link>, rusqlite::Error> {
    conn.prepare_cached(
        "SELECT seq, at, kind, content, payload_sha256, chain_hash FROM log ORDER BY seq DESC LIMIT 1",
    )?
    .query_row([], link)
    .optional()
}

fn link(row: &SqlRow<'_>) -> rusqlite::Result<Link> {
    Ok(Link {
        row: Row {
            seq: Seq::new(row.get(0)?),
            at: row.get(1)?,
            kind: row.get(2)?,
            content: row.get(3)?,
            payload_sha256: row.get(4)?,
        },
        chain_hash: row.get(5)?,
    })
}

fn rows_after(conn: &Connection, after: Seq, at_most: usize) -> Result<Vec<Link>, rusqlite::Error> {
    conn.prepare_cached(
        "SELECT seq, at, kind, content, payload_sha256, chain_hash FROM log WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    )?
    .query_map(params![after.get(), i64::try_from(at_most).unwrap_or(i64::MAX)], link)?
    .collect()
}

/// The last entry before an instant. No entry before it is younger: where one is dated later, the clock was corrected in
/// between.
fn last_before(conn: &Connection, instant: Timestamp) -> Result<Seq, rusqlite::Error> {
    let instant = instant.to_string();
    let is_before = |seq: i64| -> Result<bool, rusqlite::Error> {
        let mut entry = conn.prepare_cached("SELECT at < ?2 FROM log WHERE seq = ?1")?;
        Ok(entry.query_row(params![seq, instant], |row| row.get(0)).optional()?.unwrap_or(false))
    };
    let mut end: i64 = conn.query_row("SELECT COALESCE(MAX(seq), 0) FROM log", [], |row| row.get(0))?;
    let mut corrections =
        conn.prepare_cached("SELECT seq FROM log WHERE kind = 'clock' ORDER BY seq DESC")?;
    let starts: Vec<i64> = corrections.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    // From one correction to the next, dates never go back.
    for start in starts.into_iter().chain([1]) {
        if start <= end && is_before(start)? {
            let (mut before, mut not_before) = (start, end.saturating_add(1));
            while not_before.saturating_sub(before) > 1 {
                let middle = before.midpoint(not_before);
                if is_before(middle)? {
                    before = middle;
                } else {
                    not_before = middle;
                }
            }
            return Ok(Seq::new(before));
        }
        end = start.saturating_sub(1);
    }
    Ok(Seq::ZERO)
}

/// Brings a head up to date with what other processes appended since; what does not follow from it is damage.
fn follow(conn: &Connection, mut head: Head) -> Result<Result<Head, String>, rusqlite::Error> {
    let stored: Option<(i64, String)> = conn
        .prepare_cached("SELECT seq, chain_hash FROM log ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let unchanged = match &stored {
        None => head.seq == Seq::ZERO,
        Some((seq, hash)) => head.seq.get() == *seq && head.hash == *hash,
    };
    if unchanged {
        return Ok(Ok(head));
    }
    loop {
        let links = rows_after(conn, head.seq, 256)?;
        if links.is_empty() {
            break;
        }
        for Link { row, chain_hash } in links {
            head = match row.follow(&head, &chain_hash) {
                Ok(head) => head,
                Err(what) => return Ok(Err(format!("entry {}: {what}", row.seq))),
            };
        }
    }
    let is_last = stored.is_some_and(|(seq, hash)| seq == head.seq.get() && hash == head.hash);
    Ok(if is_last { Ok(head) } else { Err("its last entries are gone".to_owned()) })
}

impl LogStore for SqliteLog {
    fn head(&mut self) -> Result<Head, LogError> {
        self.still_there()?;
        // One snapshot: what others append between two looks is no damage.
        let snapshot = self.conn.unchecked_transaction()?;
        let followed = follow(&snapshot, self.head.clone())?;
        snapshot.finish()?;
        let head = followed.map_err(|what| self.damaged(what))?;
        self.head.clone_from(&head);
        Ok(head)
    }

    fn append(&mut self, group: &[Draft], now: Timestamp) -> Result<Vec<Stamp>, LogError> {
        self.still_there()?;
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut head = match follow(&tx, self.head.clone())? {
            Ok(head) => head,
            Err(what) => return Err(LogError::Damaged { path: self.path.clone(), what }),
        };
        let mut stamps = Vec::with_capacity(group.len());
        let mut written = COMMIT_BYTES;
        {
            let mut insert_row = tx.prepare_cached(
                "INSERT INTO log (seq, at, kind, content, payload_sha256, chain_hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            let mut insert_payload =
                tx.prepare_cached("INSERT INTO payloads (seq, sealed) VALUES (?1, ?2)")?;
            for draft in group {
                let row = draft.row_after(&head, now);
                let chain_hash = row.chain_hash(&head.hash);
                insert_row.execute(params![
                    row.seq.get(),
                    row.at,
                    row.kind,
                    row.content,
                    row.payload_sha256,
                    chain_hash
                ])?;
                let sealed = draft.sealed();
                if let Some(sealed) = sealed {
                    insert_payload.execute(params![row.seq.get(), sealed])?;
                }
                let bytes = row.content.len().saturating_add(sealed.map_or(0, <[u8]>::len));
                written =
                    written.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX)).saturating_add(256);
                let at = row.date()?;
                stamps.push(Stamp { seq: row.seq, at });
                head = Head { seq: row.seq, at, hash: chain_hash };
            }
        }
        tx.commit()?;
        self.head = head;
        self.written = self.written.saturating_add(written);
        // The write-ahead log may have been made by this very commit: from now on it must be the same file.
        self.still_there()?;
        Ok(stamps)
    }

    fn read(&mut self, after: Seq, at_most: usize) -> Result<Vec<Link>, LogError> {
        Ok(rows_after(&self.conn, after, at_most)?)
    }

    fn payload(&mut self, seq: Seq) -> Result<Option<Vec<u8>>, LogError> {
        Ok(self
            .conn
            .prepare_cached("SELECT sealed FROM payloads WHERE seq = ?1")?
            .query_row([seq.get()], |row| row.get(0))
            .optional()?)
    }

    fn purge(&mut self, older_than: Timestamp) -> Result<usize, LogError> {
        self.still_there()?;
        let last = last_before(&self.conn, older_than)?;
        Ok(self
            .conn
            .prepare_cached(
                "DELETE FROM payloads WHERE seq IN (SELECT seq FROM payloads WHERE seq <= ?1 ORDER BY seq LIMIT ?2)",
            )?
            .execute(params![last.get(), i64::try_from(PURGED_AT_A_TIME).unwrap_or(i64::MAX)])?)
    }

    fn mark_alive(&mut self, now: Timestamp) -> Result<(), LogError> {
        self.still_there()?;
        self.conn.prepare_cached("UPDATE meta SET alive_at = ?1")?.execute([now.to_string()])?;
        self.written = self.written.saturating_add(COMMIT_BYTES);
        Ok(())
    }

    fn last_alive(&mut self) -> Result<Option<Timestamp>, LogError> {
        let at: Option<String> = self.conn.query_row("SELECT alive_at FROM meta", [], |row| row.get(0))?;
        Ok(at.and_then(|at| Timestamp::parse(&at).ok()))
    }

    fn flaws(&mut self) -> Vec<String> {
        checks::flaws(&self.conn)
    }

    /// Copies the write-ahead log into the main file from time to time. Until that has succeeded the entries stand in the
    /// write-ahead log, where they are just as durable.
    fn tend(&mut self) -> Result<(), LogError> {
        if self.written < CHECKPOINT_BYTES {
            return Ok(());
        }
        self.written = 0;
        let (busy, frames, copied): (i64, i64, i64) =
            self.conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        if busy != 0 || copied < frames {
            tracing::debug!(
                wal.frames = frames,
                wal.copied = copied,
                "a reader holds up the log's checkpoint"
            );
        }
        Ok(())
    }
}

impl Drop for SqliteLog {
    fn drop(&mut self) {
        // A clean stop leaves everything in the one file. Should it fail, the write-ahead log stays, and holds the rest.
        if let Err(error) = self.conn.pragma_update_and_check(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()))
        {
            tracing::debug!(%error, "the log's write-ahead log stays");
        }
    }
}
