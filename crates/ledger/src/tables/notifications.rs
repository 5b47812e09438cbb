//! What became of each call.

use cvco_domain::{EndpointId, EndpointRef, Seq, Timestamp};
use cvco_log::entry::Origin;
use cvco_log::row::Logged;
use rusqlite::{Connection, params};

use super::prepared::Prepared;
use crate::LedgerError;
use crate::fold::Verdict;

/// A call, with where it stands in the log.
pub(crate) struct Notified<'a> {
    pub(crate) seq: Seq,
    pub(crate) at: Timestamp,
    pub(crate) endpoint: &'a EndpointRef,
    pub(crate) origin: Origin,
    pub(crate) events: usize,
    pub(crate) remark: Option<&'a str>,
    pub(crate) payload_sha256: Option<&'a str>,
    pub(crate) chain_hash: &'a str,
}

impl<'a> Notified<'a> {
    /// A call that states no event.
    pub(crate) fn of(
        logged: &'a Logged,
        chain_hash: &'a str,
        endpoint: &'a EndpointRef,
        origin: Origin,
    ) -> Self {
        Self {
            seq: logged.seq,
            at: logged.at,
            endpoint,
            origin,
            events: 0,
            remark: None,
            payload_sha256: logged.payload_sha256.as_deref(),
            chain_hash,
        }
    }
}

/// Writes down what became of a call.
pub(crate) fn insert(
    db: &Prepared<'_>,
    notified: &Notified<'_>,
    verdict: Verdict,
) -> Result<(), LedgerError> {
    db.execute(
        "INSERT INTO notifications (seq, received_at, endpoint, psp, origin, verdict, events, remark, payload_sha256,
             chain_hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
        notified.seq,
        notified.at,
        notified.endpoint.endpoint.as_str(),
        notified.endpoint.psp.as_str(),
        notified.origin.as_str(),
        verdict.as_str(),
        i64::try_from(notified.events).unwrap_or(i64::MAX),
        notified.remark,
        notified.payload_sha256,
        notified.chain_hash,
    ])?;
    Ok(())
}

/// Whether a call told nothing that was not known.
pub(crate) fn is_duplicate(conn: &Connection, seq: Seq) -> Result<bool, LedgerError> {
    Ok(conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM notifications WHERE seq = ?1 AND verdict = ?2)")?
        .query_row(params![seq, Verdict::Duplicate.as_str()], |row| row.get(0))?)
}

/// Whether an endpoint has taken a call with just these bytes.
pub(crate) fn has_payload(
    conn: &Connection,
    endpoint: &EndpointId,
    sha256: &str,
) -> Result<bool, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM notifications WHERE endpoint = ?1 AND payload_sha256 = ?2)",
        )?
        .query_row([endpoint.as_str(), sha256], |row| row.get(0))?)
}
