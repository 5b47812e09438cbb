//! Refused calls, by reason and one by one, as far as a sample of them is kept.

use cvco_domain::{EndpointId, Grounds, Psp, Timestamp};

use super::Reader;
use crate::LedgerError;
use crate::tables::rejections;

/// Calls that were refused for one reason at one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedCalls {
    /// Where they came in.
    pub endpoint: EndpointId,
    /// Whose format was expected.
    pub psp: Psp,
    /// Why.
    pub grounds: Grounds,
    /// How many of those that are kept.
    pub count: i64,
    /// The last of them.
    pub last_at: Timestamp,
    /// Where that came from.
    pub caller: String,
    /// The SHA-256 of its payload.
    pub sha256: String,
}

/// A call that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedCall {
    /// When it came.
    pub at: Timestamp,
    /// Where it came in.
    pub endpoint: EndpointId,
    /// Whose format was expected.
    pub psp: Psp,
    /// Why.
    pub grounds: Grounds,
    /// Where it came from.
    pub caller: String,
    /// The SHA-256 of its payload.
    pub sha256: String,
}

impl Reader {
    /// The refused calls that are kept, the latest first: no more than a thousand.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn kept_refusals(&self) -> Result<Vec<RefusedCall>, LedgerError> {
        let mut rows = self.conn.prepare_cached(
            "SELECT received_at, endpoint, psp, grounds, caller, payload_sha256 FROM rejections ORDER BY id DESC",
        )?;
        let rows = rows.query_map([], |row| {
            Ok(RefusedCall {
                at: row.get(0)?,
                endpoint: row.get(1)?,
                psp: row.get(2)?,
                grounds: rejections::grounds(row, 3)?,
                caller: row.get(4)?,
                sha256: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Refused calls by endpoint and reason, the latest first. No more than a thousand calls are kept.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn refused_calls(&self) -> Result<Vec<RefusedCalls>, LedgerError> {
        let mut rows = self.conn.prepare_cached(
            "SELECT endpoint, psp, grounds, COUNT(*), MAX(received_at), caller, payload_sha256 FROM rejections
             GROUP BY endpoint, psp, grounds ORDER BY MAX(id) DESC LIMIT 100",
        )?;
        let rows = rows.query_map([], |row| {
            Ok(RefusedCalls {
                endpoint: row.get(0)?,
                psp: row.get(1)?,
                grounds: rejections::grounds(row, 2)?,
                count: row.get(3)?,
                last_at: row.get(4)?,
                caller: row.get(5)?,
                sha256: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
