//! Calls that came while PostgreSQL was away. They were answered 503, for this machine alone may lose them; but not every PSP
//! calls again.

use std::path::Path;

use cvco_domain::Seq;
use cvco_log::{Draft, LogError, SealedPayload};
use rusqlite::{Connection, OptionalExtension, params};

use crate::append::Mark;

/// At most this many calls are kept.
const CALLS: i64 = 10_000;

/// And so many bytes.
const BYTES: i64 = 64 * 1024 * 1024;

/// What is submitted in one group.
const AT_A_TIME: i64 = 64;

/// The kinds of entries that are calls.
const KINDS: [&str; 3] = ["notification", "unread", "hint"];

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS calls (
      number         INTEGER PRIMARY KEY,
      kind           TEXT NOT NULL,
      content        TEXT NOT NULL,
      payload_sha256 TEXT NOT NULL,
      sealed         BLOB NOT NULL,
      group_seq      INTEGER,  -- the last entry of a group that may have been stored all the same
      group_hash     TEXT,
      UNIQUE (payload_sha256, kind, content)
    ) STRICT";

/// The spool: a small SQLite file.
pub(crate) struct Spool {
    conn: Connection,
}

/// A call that waits.
pub(crate) struct Kept {
    pub(crate) number: i64,
    /// `None` if this program cannot read it.
    pub(crate) draft: Option<Draft>,
}

impl Spool {
    pub(crate) fn open(path: &Path) -> Result<Self, LogError> {
        let conn = Connection::open(path)?;
        restrict(path)?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.execute_batch(TABLES)?;
        Ok(Self { conn })
    }

    /// How many calls wait.
    pub(crate) fn len(&self) -> Result<i64, LogError> {
        Ok(self.conn.prepare_cached("SELECT count(*) FROM calls")?.query_row([], |row| row.get(0))?)
    }

    /// Keeps the calls of a group that was not acknowledged; how many had no more room.
    pub(crate) fn keep(&mut self, group: &[Draft], open: Option<&Mark>) -> Result<usize, LogError> {
        let calls = group.iter().filter(|draft| KINDS.contains(&draft.text()[0]));
        let calls: Vec<_> = calls.filter_map(|draft| Some((draft, draft.payload()?))).collect();
        if calls.is_empty() {
            return Ok(0);
        }
        let tx = self.conn.transaction()?;
        let (mut count, mut bytes): (i64, i64) =
            tx.query_row("SELECT count(*), COALESCE(sum(length(sealed)), 0) FROM calls", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let mut dropped = 0_usize;
        for (draft, payload) in calls {
            let more = i64::try_from(payload.sealed.len()).unwrap_or(i64::MAX);
            if count >= CALLS || bytes.saturating_add(more) > BYTES {
                dropped = dropped.saturating_add(1);
                continue;
            }
            let [kind, content] = draft.text();
            // A PSP that calls again meanwhile brings nothing new.
            let added = tx.prepare_cached(
                "INSERT OR IGNORE INTO calls (kind, content, payload_sha256, sealed, group_seq, group_hash)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                kind,
                content,
                payload.sha256,
                payload.sealed,
                open.map(|mark| mark.seq.get()),
                open.map(|mark| &mark.hash)
            ])?;
            if added > 0 {
                count = count.saturating_add(1);
                bytes = bytes.saturating_add(more);
            }
        }
        tx.commit()?;
        Ok(dropped)
    }

    /// A group whose outcome is still to be found out.
    pub(crate) fn open_group(&self) -> Result<Option<Mark>, LogError> {
        let query =
            "SELECT group_seq, group_hash FROM calls WHERE group_seq IS NOT NULL ORDER BY number LIMIT 1";
        let mut query = self.conn.prepare_cached(query)?;
        let mark = query.query_row([], |row| Ok(Mark { seq: Seq::new(row.get(0)?), hash: row.get(1)? }));
        Ok(mark.optional()?)
    }

    /// What became of a group: its calls wait no more, or wait like others.
    pub(crate) fn group_is(&self, mark: &Mark, stored: bool) -> Result<(), LogError> {
        let sql = if stored {
            "DELETE FROM calls WHERE group_seq = ?1 AND group_hash = ?2"
        } else {
            "UPDATE calls SET group_seq = NULL, group_hash = NULL WHERE group_seq = ?1 AND group_hash = ?2"
        };
        self.conn.execute(sql, params![mark.seq.get(), mark.hash])?;
        Ok(())
    }

    /// The calls that wait the longest.
    pub(crate) fn next(&self) -> Result<Vec<Kept>, LogError> {
        let mut query = self.conn.prepare_cached(
            "SELECT number, kind, content, payload_sha256, sealed FROM calls WHERE group_seq IS NULL
             ORDER BY number LIMIT ?1",
        )?;
        let kept = query.query_map([AT_A_TIME], |row| {
            let (kind, content): (String, String) = (row.get(1)?, row.get(2)?);
            let payload = SealedPayload { sha256: row.get(3)?, sealed: row.get(4)? };
            Ok(Kept { number: row.get(0)?, draft: Draft::restored(&kind, content, Some(payload)) })
        })?;
        Ok(kept.collect::<Result<_, _>>()?)
    }

    /// These wait no more; or, if their outcome is not known, until it is.
    pub(crate) fn submitted(&mut self, numbers: &[i64], open: Option<&Mark>) -> Result<(), LogError> {
        let tx = self.conn.transaction()?;
        for number in numbers {
            match open {
                None => tx.execute("DELETE FROM calls WHERE number = ?1", [number])?,
                Some(mark) => tx.execute(
                    "UPDATE calls SET group_seq = ?2, group_hash = ?3 WHERE number = ?1",
                    params![number, mark.seq.get(), mark.hash],
                )?,
            };
        }
        tx.commit()?;
        Ok(())
    }
}

/// Nobody but the service's user.
fn restrict(path: &Path) -> Result<(), LogError> {
    use std::os::unix::fs::PermissionsExt;
    let owner = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, owner).map_err(|source| LogError::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{notified, order};

    fn spool(folder: &tempfile::TempDir) -> Spool {
        Spool::open(&folder.path().join("spool.sqlite")).expect("a spool")
    }

    #[test]
    fn calls_are_kept_once_and_survive_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let (call, other) = (notified("A"), notified("B"));
        let group = [call.clone(), order("no call"), call.clone()];
        assert_eq!(spool(&folder).keep(&group, None).expect("kept"), 0);
        let mut spool = spool(&folder);
        spool.keep(&[call.clone(), other.clone()], None).expect("kept");
        let kept = spool.next().expect("read");
        let drafts: Vec<_> = kept.iter().filter_map(|kept| kept.draft.clone()).collect();
        assert_eq!(drafts, [call, other], "as they were, to the byte");
        spool.submitted(&kept.iter().map(|kept| kept.number).collect::<Vec<_>>(), None).expect("submitted");
        assert_eq!(spool.len().expect("read"), 0);
    }

    #[test]
    fn a_call_of_a_group_that_may_be_stored_waits_until_that_is_known() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut spool = spool(&folder);
        let mark = |n: i64| Mark { seq: Seq::new(n), hash: n.to_string() };
        spool.keep(&[notified("A")], Some(&mark(1))).expect("kept");
        spool.keep(&[notified("B")], Some(&mark(2))).expect("kept");
        assert!(spool.next().expect("read").is_empty());
        assert_eq!(spool.open_group().expect("read"), Some(mark(1)));
        spool.group_is(&mark(1), true).expect("known");
        spool.group_is(&mark(2), false).expect("known");
        assert_eq!(spool.open_group().expect("read"), None);
        let kept = spool.next().expect("read");
        assert_eq!(kept.iter().filter_map(|kept| kept.draft.clone()).collect::<Vec<_>>(), [notified("B")]);
    }
}
