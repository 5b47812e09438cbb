//! Discrepancies, with the records that they concern.

use rusqlite::{OptionalExtension, Row, params};

use super::Reader;
use crate::domain::{CallNumber, Cents, EndpointId, Kind, OrderRef, Psp, Record, ShopId, Timestamp};
use crate::ledger::LedgerError;

/// A discrepancy with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscrepancyRow {
    /// Its number.
    pub id: i64,
    /// The rule.
    pub kind: Kind,
    /// Whose it is.
    pub shop: ShopId,
    /// The PSP, where there is one.
    pub psp: Option<Psp>,
    /// The endpoint, of a discrepancy of an endpoint.
    pub endpoint: Option<EndpointId>,
    /// The order's reference.
    pub order_ref: Option<OrderRef>,
    /// The record's call number.
    pub call_number: Option<CallNumber>,
    /// What was expected, in cents.
    pub expected: Option<Cents>,
    /// What was found, in cents.
    pub actual: Option<Cents>,
    /// The particulars.
    pub detail: String,
    /// Since when.
    pub opened_at: Timestamp,
    /// Until when.
    pub closed_at: Option<Timestamp>,
    /// When, by whom and with what note it was acknowledged.
    pub acked: Option<(Timestamp, String, String)>,
    /// Why the last question to the endpoint's API failed, of an open discrepancy about missing answers.
    pub last_error: Option<String>,
    /// The record concerned, or the order's only one.
    pub record: Option<Record>,
}

impl DiscrepancyRow {
    /// The particulars, with what went wrong last.
    #[must_use]
    pub fn particulars(&self) -> String {
        match &self.last_error {
            Some(error) => format!("{} ({error})", self.detail),
            None => self.detail.clone(),
        }
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let acked = match row.get::<_, Option<Timestamp>>("acked_at")? {
            Some(at) => Some((at, row.get("acked_by")?, row.get("acked_note")?)),
            None => None,
        };
        Ok(Self {
            id: row.get("id")?,
            kind: row.get("kind")?,
            shop: row.get("shop")?,
            psp: row.get("psp")?,
            endpoint: row.get("endpoint")?,
            order_ref: row.get("order_ref")?,
            call_number: row.get("call_number")?,
            expected: row.get("expected_cents")?,
            actual: row.get("actual_cents")?,
            detail: row.get("detail")?,
            opened_at: row.get("opened_at")?,
            closed_at: row.get("closed_at")?,
            acked,
            last_error: None,
            record: None,
        })
    }
}

impl Reader {
    /// Lists discrepancies, the latest first: the open ones, or all.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn discrepancies(&self, open_only: bool, limit: u32) -> Result<Vec<DiscrepancyRow>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT id FROM discrepancies WHERE ?1 = 0 OR closed_at IS NULL ORDER BY id DESC LIMIT ?2",
        )?;
        let ids: Vec<i64> =
            statement.query_map(params![open_only, limit], |row| row.get(0))?.collect::<Result<_, _>>()?;
        ids.into_iter().filter_map(|id| self.discrepancy(id).transpose()).collect()
    }

    fn last_error(&self, endpoint: &EndpointId) -> Result<Option<String>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT last_error FROM attempts WHERE endpoint = ?1 AND last_error IS NOT NULL
             ORDER BY attempt_at DESC LIMIT 1",
        )?;
        Ok(statement.query_row([endpoint.as_str()], |row| row.get(0)).optional()?)
    }

    /// One discrepancy, with the record that it concerns.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn discrepancy(&self, id: i64) -> Result<Option<DiscrepancyRow>, LedgerError> {
        let found = self
            .conn
            .prepare_cached(
                "SELECT a.*, d.order_id FROM acct_discrepancies a JOIN discrepancies d USING (id) WHERE id = ?1",
            )?
            .query_row([id], |row| {
                Ok((DiscrepancyRow::read(row)?, row.get::<_, Option<i64>>("order_id")?))
            })
            .optional()?;
        let Some((mut row, order_id)) = found else { return Ok(None) };
        if let (Kind::Unconfirmed, Some(endpoint), None) = (row.kind, &row.endpoint, row.closed_at) {
            row.last_error = self.last_error(endpoint)?;
        }
        if let Some(order_id) = order_id {
            row.record = self.record_of(order_id, row.psp, row.call_number.as_ref())?;
        }
        Ok(Some(row))
    }
}
