//! How asking goes: beside the fold, because a call that fails states nothing.

use cvco_domain::{EndpointId, Question, Timestamp};
use rusqlite::{Connection, params};

use super::LedgerError;

/// Notes an attempt that brought no answer, or none that is final, and when to try again.
pub(super) fn again_at(
    conn: &Connection,
    (endpoint, question): (&EndpointId, &Question),
    at: Timestamp,
    error: Option<&str>,
) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "INSERT INTO attempts (endpoint, topic, subject, attempts, attempt_at, last_error)
         VALUES (?1, ?2, ?3, 1, ?4, ?5)
         ON CONFLICT (endpoint, topic, subject)
         DO UPDATE SET attempts = attempts + 1, attempt_at = ?4, last_error = ?5",
    )?
    .execute(params![
        endpoint.as_str(),
        question.topic.as_str(),
        question.subject.as_str(),
        at,
        error
    ])?;
    Ok(())
}

/// The question was answered: how often it was tried is of no interest any more.
pub(super) fn forget(
    conn: &Connection,
    endpoint: &EndpointId,
    question: &Question,
) -> Result<(), LedgerError> {
    conn.prepare_cached("DELETE FROM attempts WHERE endpoint = ?1 AND topic = ?2 AND subject = ?3")?
        .execute(params![endpoint.as_str(), question.topic.as_str(), question.subject.as_str()])?;
    Ok(())
}
