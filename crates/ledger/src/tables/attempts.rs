//! How often something that is owed was tried: beside the fold, because an attempt that fails states nothing.

use cvco_domain::{EndpointId, Question, RelayTarget, Seq, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use crate::LedgerError;

/// The key of a question's attempts.
pub(crate) fn of_question(endpoint: &EndpointId, question: &Question) -> String {
    format!("{endpoint} {} {}", question.topic, question.subject)
}

/// The key of a relay's attempts.
pub(crate) fn of_relay(notification: Seq, target: &RelayTarget) -> String {
    format!("relay {notification} {target}")
}

/// Notes an attempt that did not end the matter, and when to try again.
pub(crate) fn again_at(
    conn: &Connection,
    what: &str,
    at: Timestamp,
    error: Option<&str>,
) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "INSERT INTO attempts (what, attempts, attempt_at, last_error) VALUES (?1, 1, ?2, ?3)
         ON CONFLICT (what) DO UPDATE SET attempts = attempts + 1, attempt_at = ?2, last_error = ?3",
    )?
    .execute(params![what, at, error])?;
    Ok(())
}

/// The matter is at an end: how often it was tried is of no interest any more.
pub(crate) fn forget(conn: &Connection, what: &str) -> Result<(), LedgerError> {
    conn.prepare_cached("DELETE FROM attempts WHERE what = ?1")?.execute([what])?;
    Ok(())
}

/// After a clock that had run ahead was put right: what waits for a date to come need not wait.
pub(crate) fn correct_clock(conn: &Connection, at: Timestamp) -> Result<(), LedgerError> {
    conn.prepare_cached("UPDATE attempts SET attempt_at = ?1 WHERE attempt_at > ?1")?.execute([at])?;
    Ok(())
}

/// How often something was tried, and when to try again.
pub(crate) fn of(conn: &Connection, what: &str) -> Result<Option<(u32, Timestamp)>, LedgerError> {
    Ok(conn
        .prepare_cached("SELECT attempts, attempt_at FROM attempts WHERE what = ?1")?
        .query_row([what], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}
