//! Anchors: links of the chain that are mailed to people each day. Whoever can write to the file can compute a
//! chain anew; he cannot call back the mails.

use std::str::FromStr;
use std::time::Duration;

use cvco_domain::{Day, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::LedgerError;
use super::outbox::{CLAIM, wait_after};

/// So long after midnight its day is over for the log too: what was timed before has reached the writer.
const SETTLED: Duration = Duration::from_mins(5);

/// What people know of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// An entry of the log.
    pub seq: i64,
    /// Its chain hash.
    pub hash: String,
    /// The day of the mail, if the ledger remembers it itself.
    pub day: Option<String>,
}

/// Why a text is no anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an anchor is NUMBER:HASH as it was mailed, with 64 hexadecimal digits")]
pub struct AnchorError;

impl FromStr for Anchor {
    type Err = AnchorError;

    fn from_str(text: &str) -> Result<Self, AnchorError> {
        let (seq, hash) = text.trim().split_once(':').ok_or(AnchorError)?;
        let seq = seq.trim().parse().ok().filter(|seq| *seq > 0).ok_or(AnchorError)?;
        let hash = hash.trim().to_ascii_lowercase();
        let is_hash = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        is_hash.then_some(Self { seq, hash, day: None }).ok_or(AnchorError)
    }
}

impl Anchor {
    /// Where it is remembered, as the end of a sentence.
    pub(super) fn when(&self) -> String {
        self.day.as_ref().map_or_else(String::new, |day| format!(" after {day}"))
    }
}

/// An anchor to be mailed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueAnchor {
    /// The last entry of the log before midnight.
    pub seq: i64,
    /// Its chain hash.
    pub hash: String,
    /// The first entry since the anchor before.
    pub first_seq: i64,
    /// The first day since the anchor before, `YYYY-MM-DD` in Paris.
    pub first_day: String,
    /// The day that ended at midnight.
    pub day: String,
    /// Identifies the e-mail over attempts and restarts; without the angle brackets of a header.
    pub message_id: String,
}

/// The anchors that the ledger remembers.
pub(super) fn stored(conn: &Connection) -> rusqlite::Result<Vec<Anchor>> {
    let mut statement = conn.prepare("SELECT seq, chain_hash, day FROM anchors ORDER BY seq")?;
    let anchor = |row: &Row<'_>| Ok(Anchor { seq: row.get(0)?, hash: row.get(1)?, day: row.get(2)? });
    statement.query_map([], anchor)?.collect()
}

/// The next anchor whose mail is due, repeated attempts first; a new one if a day that brought entries is over. Days
/// that passed while no daemon ran are one anchor together.
pub(super) fn claim(conn: &Connection, now: Timestamp, host: &str) -> Result<Option<DueAnchor>, LedgerError> {
    let mut due = waiting(conn, now)?;
    if due.is_none() && drop_anchor(conn, now, host)? {
        due = waiting(conn, now)?;
    }
    if let Some(due) = &due {
        conn.prepare_cached("UPDATE anchors SET attempts = attempts + 1, attempt_at = ?2 WHERE seq = ?1")?
            .execute(params![due.seq, now.after(CLAIM)])?;
    }
    Ok(due)
}

/// One that is put off further than any wait was put off before the clock was put back.
fn waiting(conn: &Connection, now: Timestamp) -> Result<Option<DueAnchor>, LedgerError> {
    let due = |row: &Row<'_>| {
        Ok(DueAnchor {
            seq: row.get(0)?,
            hash: row.get(1)?,
            first_seq: row.get(2)?,
            first_day: row.get(3)?,
            day: row.get(4)?,
            message_id: row.get(5)?,
        })
    };
    Ok(conn
        .prepare_cached(
            "SELECT seq, chain_hash, first_seq, first_day, day, message_id FROM anchors
             WHERE sent_at IS NULL AND (attempt_at <= ?1 OR attempt_at > ?2) ORDER BY seq LIMIT 1",
        )?
        .query_row([now, now.after(CLAIM)], due)
        .optional()?)
}

/// Anchors what the log was at the last midnight, if it has grown since the anchor before.
fn drop_anchor(conn: &Connection, now: Timestamp, host: &str) -> Result<bool, LedgerError> {
    let midnight = now.before(SETTLED).paris_midnight();
    let before: Option<(i64, Day)> = conn
        .prepare_cached("SELECT seq, day FROM anchors ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let first_seq = before.as_ref().map_or(1, |(seq, _)| seq.saturating_add(1));
    // Looked at every second: not the day's whole log each time, where the days before it brought nothing.
    let first_at: Option<Timestamp> = conn
        .prepare_cached("SELECT at FROM log WHERE seq = ?1")?
        .query_row([first_seq], |row| row.get(0))
        .optional()?;
    let Some(first_at) = first_at.filter(|at| *at < midnight) else { return Ok(false) };
    let (seq, hash): (i64, String) = conn
        .prepare_cached("SELECT seq, chain_hash FROM log WHERE at < ?1 ORDER BY seq DESC LIMIT 1")?
        .query_row([midnight], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let first_day = match before {
        Some((_, day)) => day.next(),
        None => first_at.paris_day(),
    };
    // A clock that was put back can bring another anchor of the same day.
    let day = midnight.before(Duration::from_millis(1)).paris_day();
    let first_day = first_day.min(day);
    conn.prepare_cached(
        "INSERT INTO anchors (seq, chain_hash, first_seq, first_day, day, message_id, attempt_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        seq,
        hash,
        first_seq,
        first_day,
        day,
        format!("cvco-anchor-{seq}-{}@{host}", now.millis()),
        now
    ])?;
    Ok(true)
}

/// Nobody is sending: whatever was claimed and not reported back may go at once.
pub(super) fn release(conn: &Connection, now: Timestamp) -> Result<(), LedgerError> {
    conn.prepare_cached("UPDATE anchors SET attempt_at = ?1 WHERE sent_at IS NULL AND attempt_at > ?1")?
        .execute([now])?;
    Ok(())
}

/// The mail has been handed over.
pub(super) fn sent(conn: &Connection, seq: i64, now: Timestamp) -> Result<(), LedgerError> {
    conn.prepare_cached("UPDATE anchors SET sent_at = ?2, last_error = NULL WHERE seq = ?1")?
        .execute(params![seq, now])?;
    Ok(())
}

/// The mail could not be handed over; it is tried again later.
pub(super) fn failed(conn: &Connection, seq: i64, error: &str, now: Timestamp) -> Result<(), LedgerError> {
    let attempts: Option<u32> = conn
        .prepare_cached("SELECT attempts FROM anchors WHERE seq = ?1")?
        .query_row([seq], |row| row.get(0))
        .optional()?;
    let next = now.after(wait_after(attempts.unwrap_or(1)));
    conn.prepare_cached("UPDATE anchors SET attempt_at = ?2, last_error = ?3 WHERE seq = ?1")?
        .execute(params![seq, next, error])?;
    Ok(())
}
