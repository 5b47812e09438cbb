//! From what a person types to the orders that are meant: a reference or its beginning, a number, a transaction, an amount
//! that was paid, is expected or lacks.

use std::collections::BTreeSet;

use cvco_domain::{Cents, ShopId};
use rusqlite::{ToSql, params};

use super::Reader;
use crate::LedgerError;

/// More orders than this no person looks through.
const MOST: i64 = 500;

/// What a person looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    /// As it was typed.
    pub text: String,
    /// The amount that it may be.
    pub amount: Option<Cents>,
}

/// The orders that a search found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    orders: BTreeSet<i64>,
}

impl Found {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    /// Whether there may be more.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        i64::try_from(self.orders.len()).is_ok_and(|found| found >= MOST)
    }

    pub(super) fn as_json(&self) -> String {
        let ids: Vec<_> = self.orders.iter().map(ToString::to_string).collect();
        format!("[{}]", ids.join(","))
    }
}

const BY_CALL: &str = "SELECT order_id FROM records WHERE call_number = ?1 LIMIT ?2";
const BY_TRANSACTION: &str = "SELECT order_id FROM tenders WHERE tender_id = ?1 LIMIT ?2";
/// Month by month, the latest first: so the index of a table's amounts is sorted.
macro_rules! by_amount {
    ($table:literal, $amount:literal) => {
        concat!(
            "WITH RECURSIVE months (month) AS (
               SELECT MAX(substr(first_seen_at, 1, 7)) FROM ",
            $table,
            "
               UNION ALL
               SELECT (SELECT MAX(substr(first_seen_at, 1, 7)) FROM ",
            $table,
            "
                        WHERE substr(first_seen_at, 1, 7) < month)
               FROM months WHERE month IS NOT NULL)
             SELECT order_id FROM months CROSS JOIN ",
            $table,
            "
             WHERE substr(first_seen_at, 1, 7) = month AND ",
            $amount,
            " = ?1 LIMIT ?2"
        )
    };
}
const BY_PAID: &str = by_amount!("records", "paid_cents");
const BY_PART: &str = by_amount!("tenders", "amount_cents");
/// Of orders of which nothing is paid only the latest are looked through: some shops register all, however they are paid.
const BY_TOTAL: &str = "
  SELECT o.order_id
  FROM (SELECT order_id FROM orders WHERE awaited_since IS NOT NULL ORDER BY awaited_since DESC LIMIT 20000) o
  WHERE (SELECT v.total_cents FROM order_versions v WHERE v.order_id = o.order_id ORDER BY v.version DESC LIMIT 1) = ?1
  LIMIT ?2";
/// What an order that was not paid whole should come to, or lacks: of the latest too.
const BY_LACK: &str = "
  SELECT o.order_id
  FROM (SELECT order_id, gap_cents FROM orders WHERE state IN ('part_paid', 'unbalanced')
        ORDER BY order_id DESC LIMIT 20000) o
  WHERE ABS(o.gap_cents) = ?1
     OR (SELECT v.total_cents FROM order_versions v WHERE v.order_id = o.order_id ORDER BY v.version DESC LIMIT 1) = ?1
     OR EXISTS (SELECT 1 FROM records r WHERE r.order_id = o.order_id
                  AND ?1 IN (r.expected_cents, ABS(r.paid_cents - r.expected_cents)))
  LIMIT ?2";
const BY_REFERENCE: &str =
    "SELECT order_id FROM orders WHERE shop = ?1 AND reference >= ?2 AND reference < ?3
     ORDER BY reference LIMIT ?4";

impl Reader {
    /// The orders that a person may mean.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn search(&self, sought: &Sought, shops: &[ShopId]) -> Result<Found, LedgerError> {
        let mut found = Found::default();
        let text = sought.text.as_str();
        for query in [BY_CALL, BY_TRANSACTION] {
            self.gather(query, params![text, MOST], &mut found)?;
        }
        // The last character there is comes after every reference that begins so.
        let end = format!("{text}\u{10ffff}");
        for shop in shops {
            self.gather(BY_REFERENCE, params![shop.as_str(), text, end, MOST], &mut found)?;
        }
        if let Some(amount) = sought.amount {
            for query in [BY_PAID, BY_PART, BY_TOTAL, BY_LACK] {
                self.gather(query, params![amount, MOST], &mut found)?;
            }
        }
        while i64::try_from(found.orders.len()).is_ok_and(|count| count > MOST) {
            found.orders.pop_first();
        }
        Ok(found)
    }

    fn gather(&self, query: &str, values: &[&dyn ToSql], found: &mut Found) -> Result<(), LedgerError> {
        let mut statement = self.conn.prepare_cached(query)?;
        let mut rows = statement.query(values)?;
        while let Some(row) = rows.next()? {
            found.orders.insert(row.get(0)?);
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod plans {
    use super::{BY_CALL, BY_LACK, BY_PAID, BY_PART, BY_REFERENCE, BY_TOTAL, BY_TRANSACTION};

    pub(in crate::read) const ALL: [&str; 7] =
        [BY_CALL, BY_TRANSACTION, BY_PAID, BY_PART, BY_TOTAL, BY_LACK, BY_REFERENCE];
}
