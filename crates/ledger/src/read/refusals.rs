//! Refused calls, by reason, as far as a sample of them is kept.

use cvco_domain::{EndpointId, Psp, Timestamp};

use super::Reader;
use crate::LedgerError;

/// Calls that were refused for one reason at one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedCalls {
    /// Where they came in.
    pub endpoint: EndpointId,
    /// Whose format was expected.
    pub psp: Psp,
    /// Why, in English.
    pub reason: String,
    /// How many of those that are kept.
    pub count: i64,
    /// The last of them.
    pub last_at: Timestamp,
    /// Where that came from.
    pub caller: String,
    /// The SHA-256 of its payload.
    pub sha256: String,
}

impl Reader {
    /// Refused calls by endpoint and reason, the latest first. No more than a thousand calls are kept.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn refused_calls(&self) -> Result<Vec<RefusedCalls>, LedgerError> {
        let mut rows = self.conn.prepare_cached(
            "SELECT endpoint, psp, reason, COUNT(*), MAX(received_at), caller, payload_sha256 FROM rejections
             GROUP BY endpoint, psp, reason ORDER BY MAX(id) DESC LIMIT 100",
        )?;
        let rows = rows.query_map([], |row| {
            Ok(RefusedCalls {
                endpoint: row.get(0)?,
                psp: row.get(1)?,
                reason: row.get(2)?,
                count: row.get(3)?,
                last_at: row.get(4)?,
                caller: row.get(5)?,
                sha256: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
