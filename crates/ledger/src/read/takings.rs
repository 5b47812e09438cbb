//! What each shop was paid, and gave back, in a span of time.

use rusqlite::Row;

use super::Reader;
use crate::LedgerError;
use cvco_domain::{Cents, ShopId, Timestamp};

/// What a shop was paid in euros, and what it gave back. Trials do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Takings {
    /// The shop.
    pub shop: ShopId,
    /// Vouchers accepted, less those cancelled since.
    pub voucher: Cents,
    /// Cards, likewise.
    pub card: Cents,
    /// Given back of vouchers.
    pub voucher_refunded: Cents,
    /// Given back of cards.
    pub card_refunded: Cents,
}

const TAKINGS: &str = "
  WITH part AS (
    SELECT o.shop, t.instrument, t.state IN ('authorised', 'captured', 'refunded', 'part_refunded') AS accepted,
           t.amount_cents, t.refunded_cents, t.authorised_at >= ?1 AND t.authorised_at < ?2 AS paid_then,
           t.refunded_at >= ?1 AND t.refunded_at < ?2 AS refunded_then
    FROM tenders t JOIN records r USING (order_id, psp, call_number) JOIN orders o USING (order_id)
    WHERE r.mode = 'production' AND t.currency = 'EUR')
  SELECT shop,
         COALESCE(SUM(amount_cents) FILTER (WHERE paid_then AND accepted AND instrument = 'voucher'), 0),
         COALESCE(SUM(amount_cents) FILTER (WHERE paid_then AND accepted AND instrument = 'card'), 0),
         COALESCE(SUM(refunded_cents) FILTER (WHERE refunded_then AND instrument = 'voucher'), 0),
         COALESCE(SUM(refunded_cents) FILTER (WHERE refunded_then AND instrument = 'card'), 0)
  FROM part WHERE paid_then AND accepted OR refunded_then GROUP BY shop ORDER BY shop";

impl Reader {
    /// The takings of each shop that had any, from an instant until another: of what was accepted then by the PSP's
    /// own clock, and of what was last refunded then.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn takings(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Takings>, LedgerError> {
        let takings = |row: &Row<'_>| {
            Ok(Takings {
                shop: row.get(0)?,
                voucher: row.get(1)?,
                card: row.get(2)?,
                voucher_refunded: row.get(3)?,
                card_refunded: row.get(4)?,
            })
        };
        let mut statement = self.conn.prepare_cached(TAKINGS)?;
        let takings = statement.query_map([from, until], takings)?.collect::<Result<_, _>>()?;
        Ok(takings)
    }
}
