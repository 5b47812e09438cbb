//! Payments that several orders of a shop claim.

use std::collections::BTreeSet;

use cvco_domain::{Psp, ShopId};
use rusqlite::{Connection, params};

use super::ids::OrderId;
use super::prepared::Prepared;
use crate::LedgerError;

/// A payment, by the number that names it at its PSP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payment {
    pub(crate) psp: Psp,
    pub(crate) number: String,
}

/// Whether there are any.
pub(crate) fn any(conn: &Connection) -> Result<bool, LedgerError> {
    Ok(conn.query_row("SELECT EXISTS (SELECT 1 FROM claims)", [], |row| row.get(0))?)
}

/// The other orders of the shop that have such a payment.
pub(crate) fn holding(
    db: &Prepared<'_>,
    shop: &ShopId,
    psp: Psp,
    number: &str,
    order_id: OrderId,
) -> Result<BTreeSet<OrderId>, LedgerError> {
    // A PSP that numbers what is done to a payment later names the payment by its call number alone.
    let by_number = if psp.terms().numbers_operations {
        "SELECT o.order_id FROM records r JOIN orders o USING (order_id)
         WHERE r.call_number = ?1 AND r.psp = ?2 AND o.shop = ?3 AND o.order_id <> ?4"
    } else {
        "SELECT o.order_id FROM tenders t JOIN orders o USING (order_id)
         WHERE t.tender_id = ?1 AND t.psp = ?2 AND o.shop = ?3 AND o.order_id <> ?4"
    };
    let found =
        db.all(by_number, params![number, psp.as_str(), shop.as_str(), order_id], |row| row.get(0))?;
    Ok(found.into_iter().collect())
}

/// The other orders of the shop that claim such a payment.
pub(crate) fn claiming(
    conn: &Connection,
    shop: &ShopId,
    psp: Psp,
    number: &str,
    order_id: OrderId,
) -> Result<BTreeSet<OrderId>, LedgerError> {
    let mut by_claim = conn.prepare_cached(
        "SELECT o.order_id FROM claims c JOIN orders o USING (order_id)
         WHERE c.psp = ?2 AND c.payment = ?1 AND o.shop = ?3 AND o.order_id <> ?4",
    )?;
    let found =
        by_claim.query_map(params![number, psp.as_str(), shop.as_str(), order_id], |row| row.get(0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Notes that an order claims a payment.
pub(crate) fn insert(
    conn: &Connection,
    psp: Psp,
    number: &str,
    order_id: OrderId,
) -> Result<(), LedgerError> {
    conn.prepare_cached("INSERT OR IGNORE INTO claims (psp, payment, order_id) VALUES (?1, ?2, ?3)")?
        .execute(params![psp.as_str(), number, order_id])?;
    Ok(())
}

/// What an order claims that others claim as well.
pub(crate) fn of_order(conn: &Connection, order_id: OrderId) -> Result<Vec<Payment>, LedgerError> {
    let mut statement =
        conn.prepare_cached("SELECT psp, payment FROM claims WHERE order_id = ?1 ORDER BY psp, payment")?;
    let payments =
        statement.query_map([order_id], |row| Ok(Payment { psp: row.get(0)?, number: row.get(1)? }))?;
    Ok(payments.collect::<Result<_, _>>()?)
}
