//! What each shop was paid, and gave back, in a span of time.

use std::collections::BTreeMap;

use super::Reader;
use crate::LedgerError;
use cvco_domain::{Cents, Instrument, Issuer, ShopId, Timestamp};

/// What a shop was paid in euros, and what it gave back. Trials do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Takings {
    /// The shop.
    pub shop: ShopId,
    /// Vouchers, by who owes them.
    pub vouchers: BTreeMap<Issuer, Flow>,
    /// Cards.
    pub card: Flow,
}

/// What came in and what was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flow {
    /// Accepted, less what was cancelled since.
    pub accepted: Cents,
    /// Given back by the merchant.
    pub refunded: Cents,
    /// Taken back by banks.
    pub taken_back: Cents,
}

impl Takings {
    /// Vouchers accepted, whoever owes them.
    #[must_use]
    pub fn voucher(&self) -> Cents {
        self.vouchers.values().map(|flow| flow.accepted).sum()
    }

    /// What cards' banks took back.
    #[must_use]
    pub const fn taken_back(&self) -> Cents {
        self.card.taken_back
    }

    /// All that the merchant gave back.
    #[must_use]
    pub fn refunded(&self) -> Cents {
        self.vouchers.values().map(|flow| flow.refunded).sum::<Cents>().plus(self.card.refunded)
    }
}

const TAKINGS: &str = "
  WITH part AS (
    SELECT o.shop, t.instrument, t.issuer,
           t.state IN ('authorised', 'captured', 'refunded', 'part_refunded') AS accepted,
           t.amount_cents, t.refunded_cents, t.taken_back_cents, t.authorised_at >= ?1 AND t.authorised_at < ?2 AS paid_then,
           t.refunded_at >= ?1 AND t.refunded_at < ?2 AS refunded_then
    FROM tenders t JOIN records r USING (order_id, psp, call_number) JOIN orders o USING (order_id)
    WHERE r.mode = 'production' AND t.currency = 'EUR')
  SELECT shop, instrument, issuer,
         COALESCE(SUM(amount_cents) FILTER (WHERE paid_then AND accepted), 0),
         COALESCE(SUM(refunded_cents - taken_back_cents) FILTER (WHERE refunded_then), 0),
         COALESCE(SUM(taken_back_cents) FILTER (WHERE refunded_then), 0)
  FROM part WHERE paid_then AND accepted OR refunded_then
  GROUP BY shop, instrument, issuer ORDER BY shop, instrument, issuer";

impl Reader {
    /// The takings of each shop that had any, from an instant until another: of what was accepted then by the PSP's
    /// own clock, and of what was last refunded then.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn takings(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Takings>, LedgerError> {
        let mut statement = self.conn.prepare_cached(TAKINGS)?;
        let mut rows = statement.query([from, until])?;
        let mut takings: Vec<Takings> = Vec::new();
        while let Some(row) = rows.next()? {
            let shop: ShopId = row.get(0)?;
            if takings.last().is_none_or(|last| last.shop != shop) {
                takings.push(Takings { shop, vouchers: BTreeMap::new(), card: Flow::default() });
            }
            let flow = Flow { accepted: row.get(3)?, refunded: row.get(4)?, taken_back: row.get(5)? };
            let (instrument, issuer): (Instrument, Issuer) = (row.get(1)?, row.get(2)?);
            let Some(last) = takings.last_mut() else { continue };
            match instrument {
                Instrument::Voucher => drop(last.vouchers.insert(issuer, flow)),
                Instrument::Card => {
                    last.card.accepted = last.card.accepted.plus(flow.accepted);
                    last.card.refunded = last.card.refunded.plus(flow.refunded);
                    last.card.taken_back = last.card.taken_back.plus(flow.taken_back);
                }
            }
        }
        Ok(takings)
    }
}
