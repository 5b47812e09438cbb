//! A bounded sample of refused calls: enough to see what goes wrong, never enough to fill a disk.

use rusqlite::{Connection, Row, params};

use cvco_domain::{EndpointId, Grounds, Psp, Timestamp};

use crate::LedgerError;

/// How many are kept; the oldest go first.
const KEPT: i64 = 1000;

/// A call that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Where it came in.
    pub endpoint: EndpointId,
    /// Whose format was expected.
    pub psp: Psp,
    /// Why.
    pub grounds: Grounds,
    /// The address that it came from.
    pub caller: String,
    /// SHA-256 of its payload, in hexadecimal.
    pub payload_sha256: String,
}

/// Keeps one, and lets the oldest go.
pub(crate) fn insert(conn: &Connection, rejected: &Rejected, at: Timestamp) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "INSERT INTO rejections (received_at, endpoint, psp, reason, grounds, caller, payload_sha256)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        at,
        rejected.endpoint.as_str(),
        rejected.psp.as_str(),
        rejected.grounds.to_string(),
        serde_json::to_string(&rejected.grounds)?,
        rejected.caller,
        rejected.payload_sha256
    ])?;
    conn.prepare_cached("DELETE FROM rejections WHERE id <= ?1")?
        .execute([conn.last_insert_rowid().saturating_sub(KEPT)])?;
    Ok(())
}

/// Why a call was refused, as a row has it.
pub(crate) fn grounds(row: &Row<'_>, column: usize) -> rusqlite::Result<Grounds> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error.into())
    })
}
