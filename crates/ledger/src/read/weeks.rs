//! What a shop's week brought, beside its takings.

use rusqlite::params;

use super::Reader;
use crate::LedgerError;
use crate::tables::discrepancies::at_stake_in_euros;
use cvco_domain::{Cents, Currency, DiscrepancyId, ShopId, Timestamp};

/// So many of the open discrepancies are named.
const OLDEST: i64 = 10;

/// Counts of a shop's week. Trials do not count as payments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WeekCounts {
    /// Payments of which a part in euros was accepted then.
    pub payments: i64,
    /// What was accepted then in other currencies.
    pub others: Vec<InOtherCurrency>,
    /// Discrepancies that opened then, but for those that are in the lists alone.
    pub opened: i64,
    /// Such that closed then.
    pub closed: i64,
    /// Such that are open now.
    pub open: i64,
    /// What lacks or is too much in these, where they compare amounts in euros.
    pub open_amount: Cents,
    /// The oldest of them.
    pub oldest: Vec<DiscrepancyId>,
}

/// What was accepted in another currency than euros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InOtherCurrency {
    /// The currency.
    pub currency: Currency,
    /// How many payments.
    pub payments: i64,
    /// What they come to in it.
    pub accepted: Cents,
}

/// By currency: how many payments, and what they come to. As the takings of a day.
const ACCEPTED: &str = "
  SELECT t.currency, COUNT(DISTINCT t.order_id || ' ' || t.psp || ' ' || t.call_number), SUM(t.amount_cents)
  FROM tenders t JOIN records r USING (order_id, psp, call_number) JOIN orders o USING (order_id)
  WHERE o.shop = ?1 AND r.mode = 'production' AND t.authorised_at >= ?2 AND t.authorised_at < ?3
    AND t.state IN ('authorised', 'captured', 'refunded', 'part_refunded')
  GROUP BY t.currency ORDER BY t.currency";

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
        let mut accepted = self.conn.prepare_cached(ACCEPTED)?;
        let accepted = accepted.query_map(params![shop.as_str(), from, until], |row| {
            Ok(InOtherCurrency { currency: row.get(0)?, payments: row.get(1)?, accepted: row.get(2)? })
        })?;
        let mut others = accepted.collect::<Result<Vec<_>, _>>()?;
        let in_euros = others.iter().position(|one| one.currency == Currency::EUR);
        let payments = in_euros.map_or(0, |place| others.remove(place).payments);
        let counts = self
            .conn
            .prepare_cached(&format!(
                "SELECT COUNT(*) FILTER (WHERE opened_at >= ?2 AND opened_at < ?3),
                        COUNT(*) FILTER (WHERE closed_at >= ?2 AND closed_at < ?3),
                        COUNT(*) FILTER (WHERE closed_at IS NULL),
                        COALESCE(SUM({}) FILTER (WHERE closed_at IS NULL), 0)
                 FROM discrepancies WHERE shop = ?1 AND severity <> 'info'",
                at_stake_in_euros()
            ))?
            .query_row(params![shop.as_str(), from, until], |row| {
                Ok(WeekCounts {
                    payments,
                    others,
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
