//! Calls that came while PostgreSQL was away. They were answered 503, for this machine alone may lose them; but not every PSP
//! calls again.

use std::path::Path;

use cvco_domain::Seq;
use cvco_log::{Draft, LogError, SealedPayload};
use rusqlite::{Connection, params};

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
      tried_after    INTEGER,  -- it may have been stored all the same, after this entry
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
    /// It may be in the log, after this entry.
    pub(crate) tried_after: Option<Seq>,
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

    /// Keeps the calls of a group that was not acknowledged, and may have been stored after an entry if one is given; how many
    /// had no more room.
    pub(crate) fn keep(&mut self, group: &[Draft], tried_after: Option<Seq>) -> Result<usize, LogError> {
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
            let added = tx
                .prepare_cached(
                    "INSERT INTO calls (kind, content, payload_sha256, sealed, tried_after) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT DO UPDATE SET tried_after = excluded.tried_after WHERE tried_after IS NULL",
                )?
                .execute(params![
                    kind,
                    content,
                    payload.sha256,
                    payload.sealed,
                    tried_after.map(Seq::get)
                ])?;
            if added > 0 {
                count = count.saturating_add(1);
                bytes = bytes.saturating_add(more);
            }
        }
        tx.commit()?;
        Ok(dropped)
    }

    /// The calls that wait the longest.
    pub(crate) fn next(&self) -> Result<Vec<Kept>, LogError> {
        let mut query = self.conn.prepare_cached(
            "SELECT number, kind, content, payload_sha256, sealed, tried_after FROM calls
             ORDER BY number LIMIT ?1",
        )?;
        let kept = query.query_map([AT_A_TIME], |row| {
            let (kind, content): (String, String) = (row.get(1)?, row.get(2)?);
            let payload = SealedPayload { sha256: row.get(3)?, sealed: row.get(4)? };
            Ok(Kept {
                number: row.get(0)?,
                draft: Draft::restored(&kind, content, Some(payload)),
                tried_after: row.get::<_, Option<i64>>(5)?.map(Seq::new),
            })
        })?;
        Ok(kept.collect::<Result<_, _>>()?)
    }

    /// These are about to be submitted: from now on they may be in the log, after this entry.
    pub(crate) fn trying(&mut self, numbers: &[i64], after: Seq) -> Result<(), LogError> {
        let sql = "UPDATE calls SET tried_after = ?2 WHERE number = ?1 AND tried_after IS NULL";
        let tx = self.conn.transaction()?;
        for number in numbers {
            tx.prepare_cached(sql)?.execute(params![number, after.get()])?;
        }
        Ok(tx.commit()?)
    }

    /// These wait no more.
    pub(crate) fn submitted(&mut self, numbers: &[i64]) -> Result<(), LogError> {
        let tx = self.conn.transaction()?;
        for number in numbers {
            tx.prepare_cached("DELETE FROM calls WHERE number = ?1")?.execute([number])?;
        }
        Ok(tx.commit()?)
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
        spool.submitted(&kept.iter().map(|kept| kept.number).collect::<Vec<_>>()).expect("submitted");
        assert_eq!(spool.len().expect("read"), 0);
    }

    #[test]
    fn the_first_entry_counts_after_which_a_call_may_have_been_stored() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut spool = spool(&folder);
        let tried = |spool: &Spool| -> Vec<_> {
            let kept = spool.next().expect("read");
            kept.iter().map(|kept| kept.tried_after.map(Seq::get)).collect()
        };
        spool.keep(&[notified("A"), notified("B")], None).expect("kept");
        spool.keep(&[notified("C")], Some(Seq::new(3))).expect("kept");
        assert_eq!(tried(&spool), [None, None, Some(3)]);
        // The PSP calls again.
        spool.keep(&[notified("A"), notified("C")], Some(Seq::new(5))).expect("kept");
        spool.trying(&[1, 2, 3], Seq::new(7)).expect("written down");
        assert_eq!(tried(&spool), [Some(5), Some(7), Some(3)]);
    }
}
