//! Entries that stand in the log and changed nothing: not folded, not understood, or not allowed.

use cvco_domain::{EndpointId, Seq, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::LedgerError;

/// Sets an entry aside.
pub(crate) fn insert(
    conn: &Connection,
    seq: Seq,
    at: Timestamp,
    kind: &str,
    endpoint: Option<&EndpointId>,
    reason: &str,
) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "INSERT INTO set_aside (seq, at, kind, endpoint, reason) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![seq, at, kind, endpoint.map(EndpointId::as_str), reason])?;
    Ok(())
}

/// Takes an unread notification of an endpoint back. When it came; `None` if there is none of this number.
pub(crate) fn resolve(
    conn: &Connection,
    seq: Seq,
    endpoint: &EndpointId,
) -> Result<Option<Timestamp>, LedgerError> {
    Ok(conn
        .prepare_cached(
            "DELETE FROM set_aside WHERE seq = ?1 AND kind = 'unread' AND endpoint = ?2 RETURNING at",
        )?
        .query_row(params![seq, endpoint.as_str()], |row| row.get(0))
        .optional()?)
}

/// More of them nobody counts.
const COUNTED: u32 = 1000;

/// How many notifications of an endpoint, or without one entries that could not be folded, are set aside beside one.
pub(crate) fn others(conn: &Connection, seq: Seq, endpoint: Option<&EndpointId>) -> Result<u32, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT COUNT(*) FROM (SELECT 1 FROM set_aside WHERE endpoint IS ?1 AND seq <> ?2 LIMIT ?3)",
        )?
        .query_row(params![endpoint.map(EndpointId::as_str), seq, COUNTED], |row| row.get(0))?)
}

/// Whether anything of an endpoint is set aside.
pub(crate) fn is_any_of(conn: &Connection, endpoint: &EndpointId) -> Result<bool, LedgerError> {
    Ok(conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM set_aside WHERE endpoint = ?1)")?
        .query_row([endpoint.as_str()], |row| row.get(0))?)
}

/// The notifications that no program has understood yet, in order.
pub(crate) fn unread(conn: &Connection, after: Seq, at_most: u32) -> Result<Vec<Seq>, LedgerError> {
    let mut unread = conn.prepare_cached(
        "SELECT seq FROM set_aside WHERE kind = 'unread' AND seq > ?1 ORDER BY seq LIMIT ?2",
    )?;
    Ok(unread.query_map(params![after, at_most], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// An entry that changed nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Its number in the log.
    pub seq: Seq,
    /// When it was stored.
    pub at: Timestamp,
    /// What kind of entry it is; `unread` for a notification that was not understood.
    pub kind: String,
    /// Why it changed nothing.
    pub reason: String,
}

/// The entries that are set aside, the latest first; those before a number, if one is given.
pub(crate) fn latest(
    conn: &Connection,
    before: Option<Seq>,
    at_most: u32,
) -> Result<Vec<SetAside>, LedgerError> {
    let mut entries = conn.prepare_cached(
        "SELECT seq, at, kind, reason FROM set_aside WHERE ?1 IS NULL OR seq < ?1 ORDER BY seq DESC LIMIT ?2",
    )?;
    let entry = |row: &Row<'_>| {
        Ok(SetAside { seq: row.get(0)?, at: row.get(1)?, kind: row.get(2)?, reason: row.get(3)? })
    };
    Ok(entries.query_map(params![before, at_most], entry)?.collect::<Result<_, _>>()?)
}

/// How many entries are set aside.
pub(crate) fn count(conn: &Connection) -> Result<i64, LedgerError> {
    Ok(conn.query_row("SELECT COUNT(*) FROM set_aside", [], |row| row.get(0))?)
}

/// Notes that the rules do not allow what an entry asks for.
pub(crate) fn refuse(conn: &Connection, seq: Seq, reason: &str) -> Result<(), LedgerError> {
    conn.prepare_cached("INSERT INTO refused (seq, reason) VALUES (?1, ?2)")?
        .execute(params![seq, reason])?;
    Ok(())
}

/// Why the rules did not allow what an entry asks for; `None` if they did.
pub(crate) fn refusal(conn: &Connection, seq: Seq) -> Result<Option<String>, LedgerError> {
    Ok(conn
        .prepare_cached("SELECT reason FROM refused WHERE seq = ?1")?
        .query_row([seq], |row| row.get(0))
        .optional()?)
}
