//! The figures that a person wants first: what came in day by day, what adds up, what is still to be paid out.

use cvco_domain::{Cents, Day, EndpointId, Grounds, Severity, ShopId, Timestamp};
use rusqlite::{OptionalExtension, params};

use super::Reader;
use crate::LedgerError;
use crate::tables::rejections;

/// What a day brought, in euros; trials do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayTakings {
    /// The accounting day.
    pub day: Day,
    /// Vouchers received.
    pub voucher: Cents,
    /// Cards received.
    pub card: Cents,
    /// Given back that day.
    pub returned: Cents,
    /// Parts received.
    pub parts: i64,
}

/// How the payments of a span stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// Payments of which something was accepted.
    pub payments: i64,
    /// What they come to.
    pub paid: Cents,
    /// Those that add up.
    pub balanced: i64,
    /// What these come to.
    pub balanced_paid: Cents,
}

/// What issuers have not paid out yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unsettled {
    /// By ANCV.
    pub ancv: Cents,
    /// By others who owe vouchers.
    pub other_voucher: Cents,
    /// By the bank.
    pub card: Cents,
    /// The day of the oldest part.
    pub since: Option<Day>,
}

/// The open discrepancies of one severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenNow {
    /// How grave they are.
    pub severity: Severity,
    /// How many.
    pub count: i64,
    /// Those that nobody has acknowledged, nor put aside.
    pub unseen: i64,
    /// Since when the oldest is open.
    pub oldest: Option<Timestamp>,
}

/// How an endpoint is heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulse {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The last call that was taken.
    pub heard_at: Option<Timestamp>,
    /// Calls of the last 28 days.
    pub calls: i64,
    /// The last call that was refused, and why.
    pub refused: Option<(Timestamp, Grounds)>,
}

const BY_DAY: &str = "
  SELECT day, SUM(voucher), SUM(card), SUM(returned), SUM(parts) FROM (
    SELECT t.received_on AS day, IIF(t.instrument = 'voucher', t.amount_cents, 0) AS voucher,
           IIF(t.instrument = 'card', t.amount_cents, 0) AS card, 0 AS returned, 1 AS parts
    FROM tenders t CROSS JOIN records r ON r.order_id = t.order_id AND r.psp = t.psp AND r.call_number = t.call_number
    CROSS JOIN orders o ON o.order_id = t.order_id
    WHERE t.received_on BETWEEN ?1 AND ?2 AND r.mode = 'production' AND t.currency = 'EUR' AND (?3 IS NULL OR o.shop = ?3)
    UNION ALL
    SELECT b.returned_on, 0, 0, b.amount_cents, 0
    FROM returns b CROSS JOIN records r ON r.order_id = b.order_id AND r.psp = b.psp AND r.call_number = b.call_number
    CROSS JOIN orders o ON o.order_id = b.order_id
    WHERE b.returned_on BETWEEN ?1 AND ?2 AND r.mode = 'production' AND r.currency = 'EUR' AND (?3 IS NULL OR o.shop = ?3))
  GROUP BY day ORDER BY day";

const BALANCE: &str = "
  SELECT COUNT(*), SUM(r.paid_cents), COUNT(*) FILTER (WHERE r.is_right), SUM(r.paid_cents) FILTER (WHERE r.is_right)
  FROM (SELECT *, state = 'balanced'
                  -- what a bank took back is owed again
                  OR state IN ('refunded', 'part_refunded') AND taken_back_cents = 0
                  OR state = 'part_paid' AND paid_cents = expected_cents AS is_right FROM records) r
  CROSS JOIN orders o ON o.order_id = r.order_id
  WHERE r.first_seen_at >= ?1 AND r.first_seen_at < ?2 AND r.mode = 'production' AND r.currency = 'EUR'
    AND r.paid_cents > 0 AND (?3 IS NULL OR o.shop = ?3)";

const UNSETTLED: &str = "
  SELECT SUM(owed) FILTER (WHERE issuer = 'ancv'), SUM(owed) FILTER (WHERE issuer NOT IN ('ancv', 'bank')),
         SUM(owed) FILTER (WHERE issuer = 'bank'), MIN(IIF(owed > 0, received_on, NULL))
  FROM (SELECT t.issuer, t.received_on,
               t.amount_cents - t.settled_cents
                 - COALESCE((SELECT SUM(b.amount_cents) FROM returns b WHERE b.order_id = t.order_id AND b.psp = t.psp
                               AND b.call_number = t.call_number AND b.position = t.position), 0) AS owed
  FROM tenders t CROSS JOIN records r ON r.order_id = t.order_id AND r.psp = t.psp AND r.call_number = t.call_number
  CROSS JOIN orders o ON o.order_id = t.order_id
  WHERE t.received_on >= ?2 AND t.amount_cents - t.refunded_cents <> t.settled_cents
    AND r.mode = 'production' AND t.currency = 'EUR' AND (?1 IS NULL OR o.shop = ?1))";

const OPEN: &str = "
  SELECT COUNT(*), COUNT(*) FILTER (WHERE acked_at IS NULL AND snoozed_until IS NULL), MIN(opened_at)
  FROM discrepancies WHERE closed_at IS NULL AND severity = ?1 AND (?2 IS NULL OR shop = ?2)";

const HEARD: &str = "SELECT heard_at FROM endpoints WHERE endpoint = ?1";
const CALLS: &str = "SELECT COALESCE(SUM(calls), 0) FROM heard_hours WHERE endpoint = ?1 AND hour >= ?2";
const REFUSED: &str =
    "SELECT received_at, grounds FROM rejections WHERE endpoint = ?1 ORDER BY id DESC LIMIT 1";

impl Reader {
    /// What each day of a span brought; days that brought nothing are left out.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn takings_by_day(
        &self,
        from: Day,
        to: Day,
        shop: Option<&ShopId>,
    ) -> Result<Vec<DayTakings>, LedgerError> {
        let mut days = self.conn.prepare_cached(BY_DAY)?;
        let days = days.query_map(params![from, to, shop.map(ShopId::as_str)], |row| {
            Ok(DayTakings {
                day: row.get(0)?,
                voucher: row.get(1)?,
                card: row.get(2)?,
                returned: row.get(3)?,
                parts: row.get(4)?,
            })
        })?;
        Ok(days.collect::<Result<_, _>>()?)
    }

    /// How the payments stand that were first heard of in a span.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn balance(
        &self,
        from: Timestamp,
        until: Timestamp,
        shop: Option<&ShopId>,
    ) -> Result<Balance, LedgerError> {
        let mut balance = self.conn.prepare_cached(BALANCE)?;
        Ok(balance.query_row(params![from, until, shop.map(ShopId::as_str)], |row| {
            let cents = |place| row.get::<_, Option<Cents>>(place).map(Option::unwrap_or_default);
            Ok(Balance {
                payments: row.get(0)?,
                paid: cents(1)?,
                balanced: row.get(2)?,
                balanced_paid: cents(3)?,
            })
        })?)
    }

    /// What was received since a day and is not paid out yet.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn unsettled(&self, since: Day, shop: Option<&ShopId>) -> Result<Unsettled, LedgerError> {
        let mut unsettled = self.conn.prepare_cached(UNSETTLED)?;
        Ok(unsettled.query_row(params![shop.map(ShopId::as_str), since], |row| {
            let cents = |place| row.get::<_, Option<Cents>>(place).map(Option::unwrap_or_default);
            Ok(Unsettled { ancv: cents(0)?, other_voucher: cents(1)?, card: cents(2)?, since: row.get(3)? })
        })?)
    }

    /// The open discrepancies, the gravest first; all severities are there.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn open_now(&self, shop: Option<&ShopId>) -> Result<Vec<OpenNow>, LedgerError> {
        let mut open = self.conn.prepare_cached(OPEN)?;
        let mut of = |severity: Severity| {
            let row = open.query_row(params![severity.as_str(), shop.map(ShopId::as_str)], |row| {
                Ok(OpenNow { severity, count: row.get(0)?, unseen: row.get(1)?, oldest: row.get(2)? })
            })?;
            Ok(row)
        };
        [Severity::Urgent, Severity::Warning, Severity::Info].into_iter().map(&mut of).collect()
    }

    /// How an endpoint is heard, as of an instant.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn pulse(&self, endpoint: &EndpointId, now: Timestamp) -> Result<Pulse, LedgerError> {
        const HOURS: i64 = 28 * 24;
        let id = endpoint.as_str();
        let heard_at = self.conn.prepare_cached(HEARD)?.query_row([id], |row| row.get(0)).optional()?;
        let since = cvco_reconcile::hour_of(now).saturating_sub(HOURS);
        let calls = self.conn.prepare_cached(CALLS)?.query_row(params![id, since], |row| row.get(0))?;
        let refused = self
            .conn
            .prepare_cached(REFUSED)?
            .query_row([id], |row| Ok((row.get(0)?, rejections::grounds(row, 1)?)))
            .optional()?;
        Ok(Pulse { endpoint: endpoint.clone(), heard_at, calls, refused })
    }
}

#[cfg(test)]
pub(super) mod plans {
    pub(in crate::read) const ALL: [&str; 6] =
        [super::BY_DAY, super::BALANCE, super::OPEN, super::HEARD, super::CALLS, super::UNSETTLED];
}
