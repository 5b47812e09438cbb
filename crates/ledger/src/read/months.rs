//! What the accounting pages show: months that were closed, statements with what they were found to be about, and what issuers
//! still owe, by age.

use cvco_domain::{Cents, DateError, Day, Issuer, OrderRef, Period, ShopId, StatementNumber, Timestamp};
use rusqlite::params;

use super::Reader;
use crate::LedgerError;

/// A month that was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedMonth {
    /// The month.
    pub period: Period,
    /// When.
    pub at: Timestamp,
    /// Who closed it.
    pub by: String,
    /// How many entries it has.
    pub entries: i64,
    /// How many lines.
    pub lines: i64,
}

/// A statement that was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedRow {
    /// Its number in the ledger.
    pub id: i64,
    /// Whose it is.
    pub shop: ShopId,
    /// Who sent it.
    pub issuer: Issuer,
    /// Its number.
    pub number: StatementNumber,
    /// When the money came.
    pub paid_on: Day,
    /// Who imported it.
    pub by: String,
    /// Its lines.
    pub lines: i64,
    /// Those that no payment explains.
    pub unknown: i64,
    /// What they come to, before commission.
    pub amount: Cents,
    /// What the issuer kept.
    pub commission: Cents,
}

/// A line of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineRow {
    /// Its place.
    pub position: i64,
    /// What it says of the order.
    pub reference: Option<String>,
    /// What it says of the transaction.
    pub transaction: Option<String>,
    /// The amount, before commission.
    pub amount: Cents,
    /// What the issuer kept.
    pub commission: Cents,
    /// By what it was found to be an order's; `None` of one that no payment explains.
    pub matched_by: Option<String>,
    /// That order.
    pub order_ref: Option<OrderRef>,
}

/// What was received and not paid out, of one age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aged {
    /// The place of the age: 0-7, 8-15, 16-30, 31-60 days, more; the last is of what is to be taken back.
    pub bucket: i64,
    /// Parts.
    pub parts: i64,
    /// Owed for vouchers.
    pub voucher: Cents,
    /// Owed by the bank.
    pub card: Cents,
}

/// A place in the list of statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatementPlace {
    paid_on: Day,
    id: i64,
}

impl ImportedRow {
    /// Its place in the list.
    #[must_use]
    pub const fn place(&self) -> StatementPlace {
        StatementPlace { paid_on: self.paid_on, id: self.id }
    }
}

const CLOSED: &str = "SELECT period, json_extract(manifest, '$.entries'), json_extract(manifest, '$.lines'), closed_at, closed_by
     FROM closings ORDER BY period DESC LIMIT ?1";
const IMPORTED: &str = "SELECT s.statement_id, s.shop, s.issuer, s.number, s.paid_on,
            (SELECT COUNT(*) FROM statement_lines l WHERE l.statement_id = s.statement_id),
            (SELECT COUNT(*) FROM statement_lines l WHERE l.statement_id = s.statement_id AND l.order_id IS NULL),
            (SELECT COALESCE(SUM(l.amount_cents), 0) FROM statement_lines l WHERE l.statement_id = s.statement_id),
            (SELECT COALESCE(SUM(l.commission_cents), 0) FROM statement_lines l WHERE l.statement_id = s.statement_id),
            s.imported_by
     FROM statements s";
const LISTED: &str =
    "WHERE (s.paid_on, s.statement_id) < (?1, ?2) ORDER BY s.paid_on DESC, s.statement_id DESC LIMIT ?3";
const LINES: &str = "SELECT l.position, l.reference, l.transaction_id, l.amount_cents, l.commission_cents, l.matched_by, o.reference
     FROM statement_lines l LEFT JOIN orders o ON o.order_id = l.order_id WHERE l.statement_id = ?1";
const UNKNOWN_FIRST: &str = "ORDER BY l.order_id IS NOT NULL, l.position LIMIT ?2";
const IN_ORDER: &str = "AND l.position > ?2 ORDER BY l.position LIMIT ?3";
const AGED: &str = "
  SELECT CASE WHEN owed < 0 THEN 5 WHEN days <= 7 THEN 0 WHEN days <= 15 THEN 1 WHEN days <= 30 THEN 2 WHEN days <= 60 THEN 3 ELSE 4 END,
         COUNT(*), SUM(IIF(issuer = 'bank', 0, owed)), SUM(IIF(issuer = 'bank', owed, 0))
  FROM (SELECT CAST(julianday(?1) - julianday(t.received_on) AS INTEGER) AS days, t.issuer,
               t.amount_cents - t.settled_cents
                 - COALESCE((SELECT SUM(b.amount_cents) FROM returns b WHERE b.order_id = t.order_id AND b.psp = t.psp
                               AND b.call_number = t.call_number AND b.position = t.position), 0) AS owed
        FROM tenders t CROSS JOIN records r ON r.order_id = t.order_id AND r.psp = t.psp AND r.call_number = t.call_number
        WHERE t.received_on >= ?2 AND t.amount_cents - t.refunded_cents <> t.settled_cents
          AND r.mode = 'production' AND t.currency = 'EUR')
  WHERE owed <> 0 GROUP BY 1 ORDER BY 1";

impl Reader {
    /// The months that were closed, the latest first.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn closed_months(&self, at_most: u32) -> Result<Vec<ClosedMonth>, LedgerError> {
        let mut months = self.conn.prepare_cached(CLOSED)?;
        let months = months.query_map([at_most], |row| {
            let (entries, lines): (Option<i64>, Option<i64>) = (row.get(1)?, row.get(2)?);
            let (entries, lines) = (entries.unwrap_or_default(), lines.unwrap_or_default());
            let period: String = row.get(0)?;
            let period = period.parse().map_err(|error: DateError| {
                rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into())
            })?;
            Ok(ClosedMonth { period, at: row.get(3)?, by: row.get(4)?, entries, lines })
        })?;
        Ok(months.collect::<Result<_, _>>()?)
    }

    /// The statements that were imported, the latest first; after a place, if one is given.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn imported_statements(
        &self,
        after: Option<StatementPlace>,
        at_most: u32,
    ) -> Result<Vec<ImportedRow>, LedgerError> {
        let mut rows = self.conn.prepare_cached(&format!("{IMPORTED} {LISTED}"))?;
        // Every date comes before a letter.
        let day = after.map_or_else(|| "end".to_owned(), |place| place.paid_on.to_string());
        let values = params![day, after.map_or(0, |place| place.id), at_most];
        Ok(rows.query_map(values, imported)?.collect::<Result<_, _>>()?)
    }

    /// One statement, with its lines; those that no payment explains come first.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn imported_statement(
        &self,
        id: i64,
        at_most: u32,
    ) -> Result<Option<(ImportedRow, Vec<LineRow>)>, LedgerError> {
        let mut rows = self.conn.prepare_cached(&format!("{IMPORTED} WHERE s.statement_id = ?1"))?;
        let Some(row) = rows.query_map([id], imported)?.next().transpose()? else { return Ok(None) };
        let mut lines = self.conn.prepare_cached(&format!("{LINES} {UNKNOWN_FIRST}"))?;
        let lines = lines.query_map(params![id, at_most], line)?;
        Ok(Some((row, lines.collect::<Result<_, _>>()?)))
    }

    /// The lines of a statement as they stand in it, after one of them.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn lines_of_statement(&self, id: i64, after: i64, at_most: u32) -> Result<Vec<LineRow>, LedgerError> {
        let mut lines = self.conn.prepare_cached(&format!("{LINES} {IN_ORDER}"))?;
        Ok(lines.query_map(params![id, after, at_most], line)?.collect::<Result<_, _>>()?)
    }

    /// What was received since a day and not paid out on another, by age.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn aged(&self, since: Day, on: Day) -> Result<Vec<Aged>, LedgerError> {
        let mut rows = self.conn.prepare_cached(AGED)?;
        let rows = rows.query_map([on, since], |row| {
            Ok(Aged { bucket: row.get(0)?, parts: row.get(1)?, voucher: row.get(2)?, card: row.get(3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn imported(row: &rusqlite::Row<'_>) -> rusqlite::Result<ImportedRow> {
    Ok(ImportedRow {
        id: row.get(0)?,
        shop: row.get(1)?,
        issuer: row.get(2)?,
        number: row.get(3)?,
        paid_on: row.get(4)?,
        lines: row.get(5)?,
        unknown: row.get(6)?,
        amount: row.get(7)?,
        commission: row.get(8)?,
        by: row.get(9)?,
    })
}

fn line(row: &rusqlite::Row<'_>) -> rusqlite::Result<LineRow> {
    Ok(LineRow {
        position: row.get(0)?,
        reference: row.get(1)?,
        transaction: row.get(2)?,
        amount: row.get(3)?,
        commission: row.get(4)?,
        matched_by: row.get(5)?,
        order_ref: row.get(6)?,
    })
}

#[cfg(test)]
pub(super) mod plans {
    /// `AGED` runs over all that is not paid out: it is added up beside the calls of people.
    pub(in crate::read) fn all() -> Vec<String> {
        let (imported, lines) = (super::IMPORTED, super::LINES);
        vec![
            super::CLOSED.to_owned(),
            format!("{lines} {}", super::UNKNOWN_FIRST),
            format!("{lines} {}", super::IN_ORDER),
            format!("{imported} {}", super::LISTED),
        ]
    }
}
