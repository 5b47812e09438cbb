//! What a line of a statement pays out of each part of its order.

use rusqlite::{Connection, OptionalExtension, params};

use cvco_domain::{CallNumber, Cents, LineId, Psp, ShopId, spread};

use crate::LedgerError;
use crate::tables::ids::{OrderId, StatementId};

/// A part of an order, and what a line pays out of it.
pub(crate) struct PaidPart<'a> {
    pub(crate) psp: Psp,
    pub(crate) call_number: &'a CallNumber,
    pub(crate) position: u32,
    pub(crate) amount: Cents,
}

/// Notes which parts of its order a line pays out; each bears its share of what the issuer kept of the line.
pub(crate) fn note_parts(
    conn: &Connection,
    shop: &ShopId,
    order_id: OrderId,
    id: &LineId,
    parts: &[PaidPart<'_>],
) -> Result<(), LedgerError> {
    let line: Option<(StatementId, Cents)> = conn
        .prepare_cached(
            "SELECT l.statement_id, l.commission_cents FROM statement_lines l JOIN statements s USING (statement_id)
             WHERE s.shop = ?1 AND s.issuer = ?2 AND s.number = ?3 AND l.position = ?4 AND l.order_id = ?5",
        )?
        .query_row(
            params![shop.as_str(), id.issuer.as_str(), id.statement.as_str(), id.position, order_id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((statement_id, commission)) = line else { return Ok(()) };
    for part in parts {
        conn.prepare_cached(
            "INSERT INTO payout_shares (statement_id, position, order_id, psp, call_number, tender_position,
                 amount_cents, commission_cents)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)",
        )?
        .execute(params![
            statement_id,
            id.position,
            order_id,
            part.psp.as_str(),
            part.call_number.as_str(),
            part.position,
            part.amount
        ])?;
    }
    spread_over_parts(conn, statement_id, id.position, commission)
}

/// Forgets which parts of an order its lines pay out, before they are worked out again.
pub(crate) fn forget_parts(conn: &Connection, order_id: OrderId) -> Result<(), LedgerError> {
    conn.prepare_cached("DELETE FROM payout_shares WHERE order_id = ?1")?.execute([order_id])?;
    Ok(())
}

/// Shares out over the parts that a line pays out what the issuer kept of it.
pub(super) fn spread_over_parts(
    conn: &Connection,
    statement_id: StatementId,
    position: u32,
    commission: Cents,
) -> Result<(), LedgerError> {
    let parts: Vec<(String, String, u32, Cents)> = conn
        .prepare_cached(
            "SELECT psp, call_number, tender_position, amount_cents FROM payout_shares
             WHERE statement_id = ?1 AND position = ?2 ORDER BY psp, call_number, tender_position",
        )?
        .query_map(params![statement_id, position], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?
        .collect::<Result<_, _>>()?;
    let amounts: Vec<Cents> = parts.iter().map(|(.., amount)| *amount).collect();
    for ((psp, call_number, tender, _), share) in parts.iter().zip(spread(commission, &amounts)) {
        conn.prepare_cached(
            "UPDATE payout_shares SET commission_cents = ?6 WHERE statement_id = ?1 AND position = ?2 AND psp = ?3
                AND call_number = ?4 AND tender_position = ?5",
        )?
        .execute(params![statement_id, position, psp, call_number, tender, share])?;
    }
    Ok(())
}
