//! A replica: a log whose rows were given their numbers, dates and links elsewhere.

use std::path::Path;

use rusqlite::{TransactionBehavior, params};

use super::{SqliteLog, file, follow};
use crate::error::LogError;
use crate::row::{Head, Link};

/// A row as it stands elsewhere, with the sealed bytes that belong to it, if they are still kept there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The row and its link.
    pub link: Link,
    /// Its payload.
    pub sealed: Option<Vec<u8>>,
}

impl SqliteLog {
    /// Opens the replica of a log, and creates it where there is none.
    ///
    /// # Errors
    /// As [`SqliteLog::open`], or the file is of another log.
    pub fn open_or_create_replica(path: &Path, log_id: &str) -> Result<Self, LogError> {
        if !path.exists() {
            file::create(path, log_id)?;
        }
        let log = Self::open(path)?;
        if log.id()? == log_id {
            return Ok(log);
        }
        Err(LogError::CannotJoin(format!(
            "{} is another log than the one in PostgreSQL. To bring it there, run `log push` (into an empty log); to give \
             it up, move it and the ledger away",
            path.display()
        )))
    }

    /// Takes over rows that follow from the end of the chain, all or none; the end that they make.
    ///
    /// # Errors
    /// [`LogError::Disagrees`] if they do not follow; or the log cannot be written.
    pub fn take_over(&mut self, rows: &[Copied]) -> Result<Head, LogError> {
        self.still_there()?;
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut head = match follow(&tx, self.head.clone())? {
            Ok(head) => head,
            Err(what) => return Err(LogError::Damaged { path: self.path.clone(), what }),
        };
        let mut written = 0_usize;
        {
            let mut insert_row = tx.prepare_cached(
                "INSERT INTO log (seq, at, kind, content, payload_sha256, chain_hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            let mut insert_payload =
                tx.prepare_cached("INSERT INTO payloads (seq, sealed) VALUES (?1, ?2)")?;
            for Copied { link: Link { row, chain_hash }, sealed } in rows {
                head = row
                    .follow(&head, chain_hash)
                    .map_err(|what| LogError::Disagrees(format!("entry {}: {what}", row.seq)))?;
                insert_row.execute(params![
                    row.seq.get(),
                    row.at,
                    row.kind,
                    row.content,
                    row.payload_sha256,
                    chain_hash
                ])?;
                if let Some(sealed) = sealed {
                    insert_payload.execute(params![row.seq.get(), sealed])?;
                }
                written = written
                    .saturating_add(row.content.len())
                    .saturating_add(sealed.as_ref().map_or(0, Vec::len));
            }
        }
        tx.commit()?;
        self.head = head.clone();
        self.written = self.written.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        self.still_there()?;
        Ok(head)
    }

    /// The fingerprint of the key that seals the payloads, once there is one.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn key_fingerprint(&self) -> Result<Option<String>, LogError> {
        Ok(self.conn.query_row("SELECT key_fingerprint FROM meta", [], |row| row.get(0))?)
    }
}
