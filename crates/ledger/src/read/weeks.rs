//! What a shop's week brought, beside its takings.

use rusqlite::params;

use super::Reader;
use crate::LedgerError;
use cvco_domain::{Cents, DiscrepancyId, ShopId, Timestamp};

/// So many of the open discrepancies are named.
const OLDEST: i64 = 10;

/// Counts of a shop's week. Trials do not count as payments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WeekCounts {
    /// Payments of which a part was accepted then.
    pub payments: i64,
    /// Discrepancies that opened then, but for those that are in the lists alone.
    pub opened: i64,
    /// Such that closed then.
    pub closed: i64,
    /// Such that are open now.
    pub open: i64,
    /// What lacks or is too much in these, where they compare amounts.
    pub open_amount: Cents,
    /// The oldest of them.
    pub oldest: Vec<DiscrepancyId>,
}

impl Reader {
    /// Counts what a shop's week brought.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn week_counts(
        &self,
        shop: &ShopId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<WeekCounts, LedgerError> {
        let payments = self
            .conn
            .prepare_cached(
                "SELECT COUNT(*) FROM (
                   SELECT DISTINCT t.order_id, t.psp, t.call_number FROM tenders t
                   JOIN records r USING (order_id, psp, call_number) JOIN orders o USING (order_id)
                   WHERE o.shop = ?1 AND r.mode = 'production' AND t.authorised_at >= ?2 AND t.authorised_at < ?3
                     AND t.state IN ('authorised', 'captured', 'refunded', 'part_refunded'))",
            )?
            .query_row(params![shop.as_str(), from, until], |row| row.get(0))?;
        let counts = self
            .conn
            .prepare_cached(
                "SELECT COUNT(*) FILTER (WHERE opened_at >= ?2 AND opened_at < ?3),
                        COUNT(*) FILTER (WHERE closed_at >= ?2 AND closed_at < ?3),
                        COUNT(*) FILTER (WHERE closed_at IS NULL),
                        COALESCE(SUM(ABS(actual_cents - expected_cents)) FILTER (WHERE closed_at IS NULL), 0)
                 FROM discrepancies WHERE shop = ?1 AND severity <> 'info'",
            )?
            .query_row(params![shop.as_str(), from, until], |row| {
                Ok(WeekCounts {
                    payments,
                    opened: row.get(0)?,
                    closed: row.get(1)?,
                    open: row.get(2)?,
                    open_amount: row.get(3)?,
                    oldest: Vec::new(),
                })
            })?;
        let mut oldest = self.conn.prepare_cached(
            "SELECT id FROM discrepancies WHERE shop = ?1 AND severity <> 'info' AND closed_at IS NULL
             ORDER BY opened_at, id LIMIT ?2",
        )?;
        let oldest =
            oldest.query_map(params![shop.as_str(), OLDEST], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(WeekCounts { oldest, ..counts })
    }
}
