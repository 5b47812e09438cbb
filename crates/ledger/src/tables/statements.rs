//! Statements on disk: their lines, the order that each line is about, and the lines that nobody can explain.

mod matching;
mod news;
mod shares;

use std::collections::BTreeSet;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};

use cvco_domain::{
    Cents, CommissionRates, Day, Detail, Finding, Issuer, Kind, LineId, OrderRef, Payout, Seq, ShopId,
    Statement, StatementLine, StatementNumber, Timestamp, spread,
};

use cvco_log::entry::ImportedStatement;

use super::findings;
use super::ids::{OrderId, StatementId};
use crate::LedgerError;

pub(crate) use matching::{any_unknown, explained_by, match_lines};
pub use news::Restated;
pub(crate) use news::{Corrected, Fresh, News, contradiction, news};
pub(crate) use shares::{PaidPart, forget_parts, note_parts};

/// A line of a statement as it is stored.
struct Stored {
    statement_id: StatementId,
    position: u32,
    issuer: Issuer,
    paid_on: Day,
    line: StatementLine,
}

impl Stored {
    const COLUMNS: &'static str = "l.statement_id, l.position, l.issuer, l.paid_on, l.transaction_id, l.reference, \
         l.authorisation, l.contract, l.amount_cents, l.stated_commission_cents, l.dated, s.number, l.shop";

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            statement_id: row.get(0)?,
            position: row.get(1)?,
            issuer: row.get(2)?,
            paid_on: row.get(3)?,
            line: StatementLine {
                transaction: row.get(4)?,
                reference: row.get(5)?,
                authorisation: row.get(6)?,
                contract: row.get(7)?,
                amount: row.get(8)?,
                commission: row.get(9)?,
                dated: row.get(10)?,
            },
        })
    }

    fn prefix(&self) -> Option<String> {
        self.line.reference.as_ref().map(OrderRef::ancv_prefix)
    }
}

/// The row of a statement's number, and its day.
fn known(conn: &Connection, statement: &Statement) -> Result<Option<(StatementId, Day)>, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT statement_id, paid_on FROM statements WHERE shop = ?1 AND issuer = ?2 AND number = ?3",
        )?
        .query_row(
            params![statement.shop.as_str(), statement.issuer.as_str(), statement.number.as_str()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?)
}

/// Two statements of one number that lie closer together are one, of which a date is wrong.
const APART: Duration = Duration::from_hours(90 * 24);

/// The number with its year, of a statement whose number is known of another year.
pub(crate) fn number_of_its_year(
    conn: &Connection,
    statement: &Statement,
) -> Result<Option<StatementNumber>, LedgerError> {
    let Some((_, other)) = known(conn, statement)? else { return Ok(None) };
    let day = statement.paid_on;
    let apart = day.start().since(other.start()).max(other.start().since(day.start()));
    if day.year() == other.year() || apart < APART {
        return Ok(None);
    }
    Ok(StatementNumber::new(format!("{}/{}", statement.number, day.year())).ok())
}

/// Writes what is new of a statement down, and returns its row.
pub(crate) fn insert(
    conn: &Connection,
    seq: Seq,
    ImportedStatement { statement, file_sha256, by }: &ImportedStatement,
    Fresh { known, new, corrected, total, .. }: &Fresh,
    rates: &CommissionRates,
) -> Result<StatementId, LedgerError> {
    let statement_id = if let Some(id) = *known {
        if let Some(total) = total {
            conn.prepare_cached("UPDATE statements SET commission_cents = ?2 WHERE statement_id = ?1")?
                .execute(params![id, total])?;
        }
        for Corrected { position, commission } in corrected {
            conn.prepare_cached(
                "UPDATE statement_lines SET stated_commission_cents = ?3 WHERE statement_id = ?1 AND position = ?2",
            )?
            .execute(params![id, position, commission])?;
        }
        id
    } else {
        conn.prepare_cached(
            "INSERT INTO statements (shop, issuer, number, paid_on, commission_cents, file_sha256, imported_by)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            statement.shop.as_str(),
            statement.issuer.as_str(),
            statement.number.as_str(),
            statement.paid_on,
            statement.commission,
            file_sha256,
            by,
        ])?;
        StatementId::new(conn.last_insert_rowid())
    };
    let first: u32 = conn
        .prepare_cached("SELECT COALESCE(MAX(position), 0) + 1 FROM statement_lines WHERE statement_id = ?1")?
        .query_row([statement_id], |row| row.get(0))?;
    for (position, line) in (first..).zip(new) {
        conn.prepare_cached(
            "INSERT INTO statement_lines (statement_id, position, seq, shop, issuer, paid_on, transaction_id, reference,
                 ancv_prefix, authorisation, contract, dated, amount_cents, stated_commission_cents, commission_cents)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 0)",
        )?
        .execute(params![
            statement_id,
            position,
            seq,
            statement.shop.as_str(),
            statement.issuer.as_str(),
            statement.paid_on,
            line.transaction.as_ref().map(cvco_domain::TenderId::as_str),
            line.reference.as_ref().map(OrderRef::as_str),
            line.reference.as_ref().map(OrderRef::ancv_prefix),
            line.authorisation.as_ref().map(cvco_domain::AuthorisationNumber::as_str),
            line.contract.as_ref().map(cvco_domain::Contract::as_str),
            line.dated,
            line.amount,
            line.commission,
        ])?;
    }
    share_commission(conn, statement_id, rates)?;
    Ok(statement_id)
}

/// Shares out what the issuer kept: line by line where it says so, else its total, else what the rate of the day makes of
/// the whole; to the cent, by largest remainder. An issuer that says so line by line, and of an amount taken back says
/// nothing, returned nothing.
fn share_commission(
    conn: &Connection,
    statement_id: StatementId,
    rates: &CommissionRates,
) -> Result<(), LedgerError> {
    let lines = lines_of(conn, statement_id)?;
    let stated = stated_commission(conn, statement_id)?;
    let says_line_by_line = stated.is_none() && lines.iter().any(|stored| stored.line.commission.is_some());
    let is_silent =
        |line: &StatementLine| line.commission.is_none() && !(says_line_by_line && line.amount < Cents::ZERO);
    let silent: Vec<&Stored> = lines.iter().filter(|stored| is_silent(&stored.line)).collect();
    let told: Cents = lines.iter().filter_map(|stored| stored.line.commission).sum();
    let amounts: Vec<Cents> = silent.iter().map(|stored| stored.line.amount).collect();
    let by_rate = || {
        let first = lines.first()?;
        rates.commission(first.issuer, first.paid_on, amounts.iter().copied().sum())
    };
    let rest = stated.map(|stated| stated.minus(told)).or_else(by_rate).unwrap_or_default();
    let mut shares = spread(rest, &amounts).into_iter();
    for stored in &lines {
        let share = match stored.line.commission {
            None if is_silent(&stored.line) => shares.next().unwrap_or_default(),
            stated => stated.unwrap_or_default(),
        };
        conn.prepare_cached(
            "UPDATE statement_lines SET commission_cents = ?3 WHERE statement_id = ?1 AND position = ?2",
        )?
        .execute(params![statement_id, stored.position, share])?;
        shares::spread_over_parts(conn, statement_id, stored.position, share)?;
    }
    Ok(())
}

/// The orders that corrected lines of a statement are about.
pub(crate) fn orders_of_corrected(
    conn: &Connection,
    statement_id: StatementId,
    corrected: &[Corrected],
) -> Result<BTreeSet<OrderId>, LedgerError> {
    let mut order = conn.prepare_cached(
        "SELECT order_id FROM statement_lines WHERE statement_id = ?1 AND position = ?2 AND order_id IS NOT NULL",
    )?;
    let mut orders = BTreeSet::new();
    for Corrected { position, .. } in corrected {
        let found: Option<OrderId> =
            order.query_row(params![statement_id, position], |row| row.get(0)).optional()?;
        orders.extend(found);
    }
    Ok(orders)
}

/// The commission that a statement states of its whole.
fn stated_commission(conn: &Connection, statement_id: StatementId) -> Result<Option<Cents>, LedgerError> {
    Ok(conn
        .prepare_cached("SELECT commission_cents FROM statements WHERE statement_id = ?1")?
        .query_row([statement_id], |row| row.get(0))?)
}

fn lines_of(conn: &Connection, statement_id: StatementId) -> Result<Vec<Stored>, LedgerError> {
    let mut lines = conn.prepare_cached(&format!(
        "SELECT {} FROM statement_lines l JOIN statements s USING (statement_id)
         WHERE l.statement_id = ?1 ORDER BY l.position",
        Stored::COLUMNS
    ))?;
    Ok(lines.query_map([statement_id], Stored::read)?.collect::<Result<_, _>>()?)
}

/// Whether there are lines of statements.
pub(crate) fn any(conn: &Connection) -> Result<bool, LedgerError> {
    Ok(conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM statement_lines)")?
        .query_row([], |row| row.get(0))?)
}

/// The lines that are about an order.
pub(crate) fn of_order(conn: &Connection, order_id: OrderId) -> Result<Vec<Payout>, LedgerError> {
    let mut lines = conn.prepare_cached(&format!(
        "SELECT {} FROM statement_lines l JOIN statements s USING (statement_id)
         WHERE l.order_id = ?1 ORDER BY l.statement_id, l.position",
        Stored::COLUMNS
    ))?;
    let payout = |row: &Row<'_>| {
        let Stored { position, issuer, paid_on, line, .. } = Stored::read(row)?;
        Ok(Payout { id: LineId { issuer, statement: row.get(11)?, position }, paid_on, line })
    };
    Ok(lines.query_map([order_id], payout)?.collect::<Result<_, _>>()?)
}

/// Brings the discrepancies of a statement into line: its unknown lines, and a commission that is stated of the whole.
pub(crate) fn refresh_findings(
    conn: &Connection,
    statement_id: StatementId,
    rates: &CommissionRates,
    at: Timestamp,
) -> Result<(), LedgerError> {
    let (shop, issuer, number, paid_on, commission): (ShopId, Issuer, _, Day, Option<Cents>) = conn
        .prepare_cached(
            "SELECT shop, issuer, number, paid_on, commission_cents FROM statements WHERE statement_id = ?1",
        )?
        .query_row([statement_id], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })?;
    let id = |position| LineId { issuer, statement: StatementNumber::clone(&number), position };
    let mut unknown = conn.prepare_cached(&format!(
        "SELECT {} FROM statement_lines l JOIN statements s USING (statement_id)
         WHERE l.statement_id = ?1 AND l.order_id IS NULL ORDER BY l.position",
        Stored::COLUMNS
    ))?;
    let unknown: Vec<Stored> = unknown.query_map([statement_id], Stored::read)?.collect::<Result<_, _>>()?;
    let mut findings = Vec::new();
    for stored in &unknown {
        let line = id(stored.position);
        let (says, perhaps) = (matching::said(&stored.line), matching::alike(conn, stored)?);
        findings.push(Finding {
            kind: Kind::StatementLineUnknown,
            record: None,
            subject: line.to_string(),
            detail: Detail::Line { line, says, perhaps },
            expected: None,
            actual: Some(stored.line.amount),
        });
    }
    let lines = lines_of(conn, statement_id)?;
    let amounts: Vec<Cents> = lines.iter().map(|stored| stored.line.amount).collect();
    findings.extend(commission.and_then(|kept| {
        let of = |amount| rates.commission(issuer, paid_on, amount);
        let whole = of(amounts.iter().copied().sum())?;
        let by_line: Cents = amounts.iter().filter_map(|amount| of(*amount)).sum();
        // Who takes back what was paid out may keep the commission of it.
        let paid_out = || amounts.iter().copied().filter(|amount| amount.is_positive());
        let of_paid_out = of(paid_out().sum()).unwrap_or(whole);
        let by_line_of_paid_out: Cents = paid_out().filter_map(of).sum();
        // Rounded once or line by line, and a cent of leeway.
        let fits = [whole, by_line, of_paid_out, by_line_of_paid_out]
            .iter()
            .any(|expected| kept.minus(*expected).abs() <= Cents::new(1));
        (!fits).then(|| Finding {
            kind: Kind::CommissionMismatch,
            record: None,
            subject: format!("{issuer} {number}"),
            expected: Some(whole),
            actual: Some(kept),
            detail: Detail::Statement { issuer, number: number.clone() },
        })
    }));
    findings::sync_statement(conn, &shop, &format!("{issuer} {number}"), &findings, at)
}

/// Every statement.
pub(crate) fn all(conn: &Connection) -> Result<Vec<StatementId>, LedgerError> {
    let mut ids = conn.prepare_cached("SELECT statement_id FROM statements ORDER BY statement_id")?;
    Ok(ids.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// When a statement paid.
pub(crate) fn paid_on(conn: &Connection, statement_id: StatementId) -> Result<Option<Day>, LedgerError> {
    Ok(conn
        .prepare_cached("SELECT paid_on FROM statements WHERE statement_id = ?1")?
        .query_row([statement_id], |row| row.get(0))
        .optional()?)
}

/// How many lines the ledger has of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineCount {
    /// All of them.
    pub lines: i64,
    /// Those that belong to no payment that is known.
    pub unknown: i64,
}

pub(crate) fn count(
    conn: &Connection,
    shop: &ShopId,
    issuer: Issuer,
    number: &StatementNumber,
) -> Result<LineCount, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT COUNT(*), COUNT(*) FILTER (WHERE order_id IS NULL) FROM statement_lines WHERE statement_id =
               (SELECT statement_id FROM statements WHERE shop = ?1 AND issuer = ?2 AND number = ?3)",
        )?
        .query_row(params![shop.as_str(), issuer.as_str(), number.as_str()], |row| {
            Ok(LineCount { lines: row.get(0)?, unknown: row.get(1)? })
        })?)
}

/// The lines of a statement that belong to no payment that is known.
pub(crate) fn unknown_lines(
    conn: &Connection,
    shop: &ShopId,
    issuer: Issuer,
    number: &StatementNumber,
) -> Result<Vec<StatementLine>, LedgerError> {
    let mut lines = conn.prepare_cached(&format!(
        "SELECT {} FROM statement_lines l JOIN statements s USING (statement_id)
         WHERE s.shop = ?1 AND s.issuer = ?2 AND s.number = ?3 AND l.order_id IS NULL ORDER BY l.position",
        Stored::COLUMNS
    ))?;
    let line = |row: &Row<'_>| Stored::read(row).map(|stored| stored.line);
    Ok(lines
        .query_map(params![shop.as_str(), issuer.as_str(), number.as_str()], line)?
        .collect::<Result<_, _>>()?)
}

/// Whether a file was imported, under whatever name.
pub(crate) fn is_known(conn: &Connection, file_sha256: &str) -> Result<bool, LedgerError> {
    Ok(conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM statements WHERE file_sha256 = ?1)")?
        .query_row([file_sha256], |row| row.get(0))?)
}
