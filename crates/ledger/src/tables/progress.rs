//! How far the log was folded, and under which settings.

use cvco_domain::{Policy, Seq, Timestamp};
use cvco_log::row::GENESIS;
use rusqlite::{Connection, OptionalExtension, params};

use super::FOLD_TABLES;
use crate::LedgerError;

/// Where a fold stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The last entry that was folded.
    pub(crate) seq: Seq,
    /// Its link of the chain.
    pub(crate) chain_hash: String,
    /// Its date.
    pub(crate) at: Timestamp,
    /// The settings in force.
    pub(crate) policy: Policy,
    /// While it lasts, rules of time see an earlier instant.
    pub(crate) hold: Option<Hold>,
    /// The last entry that says more than that time went by or that a mail left, and its date.
    pub(crate) news: (Seq, Timestamp),
}

/// After a pause, calls that wait are heard before rules of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hold {
    /// What rules of time see.
    pub(crate) since: Timestamp,
    /// When the hold ends.
    pub(crate) until: Timestamp,
}

impl Progress {
    /// Before the first entry.
    pub(crate) fn start() -> Self {
        let start = Timestamp::from_millis(0);
        Self {
            seq: Seq::ZERO,
            chain_hash: GENESIS.to_owned(),
            at: start,
            policy: Policy::default(),
            hold: None,
            news: (Seq::ZERO, start),
        }
    }
}

/// Reads where the fold stands.
pub(crate) fn read(conn: &Connection) -> Result<Progress, LedgerError> {
    let read = conn
        .prepare_cached(
            "SELECT seq, chain_hash, at, policy, held_since, held_until, news_seq, news_at FROM progress",
        )?
        .query_row([], |row| {
            let held: (Option<Timestamp>, Option<Timestamp>) = (row.get(4)?, row.get(5)?);
            let progress = Progress {
                seq: row.get(0)?,
                chain_hash: row.get(1)?,
                at: row.get(2)?,
                policy: Policy::default(),
                hold: held.0.zip(held.1).map(|(since, until)| Hold { since, until }),
                news: (row.get(6)?, row.get(7)?),
            };
            Ok((progress, row.get::<_, String>(3)?))
        })
        .optional()?;
    match read {
        Some((progress, policy)) => Ok(Progress { policy: serde_json::from_str(&policy)?, ..progress }),
        None => must_be_empty(conn).map(|()| Progress::start()),
    }
}

/// Without its row only an empty ledger stands before the first entry: into any other the log would be folded twice.
fn must_be_empty(conn: &Connection) -> Result<(), LedgerError> {
    for (table, _) in FOLD_TABLES {
        let holds_rows: bool =
            conn.query_row(&format!("SELECT EXISTS (SELECT 1 FROM {table})"), [], |row| row.get(0))?;
        if holds_rows {
            return Err(LedgerError::CorruptRow { table: "progress", id: 1 });
        }
    }
    Ok(())
}

/// Writes down where the fold stands.
pub(crate) fn write(conn: &Connection, log_id: &str, progress: &Progress) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "INSERT INTO progress (one, log_id, program, seq, chain_hash, at, policy, held_since, held_until, news_seq, news_at)
         VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (one) DO UPDATE SET log_id = ?1, program = ?2, seq = ?3, chain_hash = ?4, at = ?5, policy = ?6,
           held_since = ?7, held_until = ?8, news_seq = ?9, news_at = ?10",
    )?
    .execute(params![
        log_id,
        env!("CARGO_PKG_VERSION"),
        progress.seq,
        progress.chain_hash,
        progress.at,
        serde_json::to_string(&progress.policy)?,
        progress.hold.map(|hold| hold.since),
        progress.hold.map(|hold| hold.until),
        progress.news.0,
        progress.news.1,
    ])?;
    Ok(())
}

/// Which log the ledger was made from, and by which version of the program; `None` if nothing was folded yet.
pub(crate) fn origin(conn: &Connection) -> Result<Option<(String, String)>, LedgerError> {
    Ok(conn
        .query_row("SELECT log_id, program FROM progress", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// The last entry that was folded.
pub(crate) fn folded(conn: &Connection) -> Result<Seq, LedgerError> {
    match conn.prepare_cached("SELECT seq FROM progress")?.query_row([], |row| row.get(0)).optional()? {
        Some(seq) => Ok(seq),
        None => must_be_empty(conn).map(|()| Seq::ZERO),
    }
}
