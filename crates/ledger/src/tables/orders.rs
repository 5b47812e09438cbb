//! Orders, and the versions that their shops registered.

use rusqlite::{Connection, OptionalExtension, Row, params};

use cvco_domain::{
    CallNumber, Cents, Instalment, Order, OrderKey, OrderRef, OrderVersion, RecordState, Seq, ShopId,
    Timestamp,
};
use cvco_log::entry::OrderRegistration;
use cvco_reconcile::Assessment;

use super::ids::OrderId;
use super::prepared::Prepared;
use crate::LedgerError;

/// An order's row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entered {
    pub(crate) id: OrderId,
    /// It has just been made: nothing is known of the order.
    pub(crate) is_new: bool,
}

/// The row of an order, made if need be.
pub(crate) fn find_or_create(db: &Prepared<'_>, key: &OrderKey) -> Result<Entered, LedgerError> {
    if let Some(id) = find(db, key)? {
        return Ok(Entered { id, is_new: false });
    }
    let (psp, call) = match key {
        OrderKey::Reference(..) => (None, None),
        OrderKey::Call(_, psp, call) => (Some(psp.as_str()), Some(call.as_str())),
    };
    db.execute(
        "INSERT INTO orders (shop, reference, ancv_prefix, psp, call_number, state)
         VALUES (?1, ?2, ?3, ?4, ?5, 'unpaid')",
        params![
            key.shop().as_str(),
            key.reference().map(OrderRef::as_str),
            key.reference().map(OrderRef::ancv_prefix),
            psp,
            call
        ],
    )?;
    Ok(Entered { id: OrderId::new(db.last_insert_rowid()), is_new: true })
}

/// The row of an order, if there is one.
pub(crate) fn find(db: &Prepared<'_>, key: &OrderKey) -> Result<Option<OrderId>, LedgerError> {
    match key {
        OrderKey::Reference(shop, reference) => find_by_reference(db, shop, reference.as_str()),
        OrderKey::Call(shop, psp, call) => Ok(db.first(
            "SELECT order_id FROM orders
             WHERE shop = ?1 AND psp = ?2 AND call_number = ?3 AND reference IS NULL",
            params![shop.as_str(), psp.as_str(), call.as_str()],
            |row| row.get(0),
        )?),
    }
}

/// The row of an order, if there is one of this reference.
pub(crate) fn find_by_reference(
    db: &Prepared<'_>,
    shop: &ShopId,
    reference: &str,
) -> Result<Option<OrderId>, LedgerError> {
    let by_reference = "SELECT order_id FROM orders WHERE shop = ?1 AND reference = ?2";
    Ok(db.first(by_reference, params![shop.as_str(), reference], |row| row.get(0))?)
}

/// What an order's row stands for.
pub(crate) fn key(conn: &Connection, order_id: OrderId) -> Result<OrderKey, LedgerError> {
    let (shop, reference, psp, call): (String, Option<String>, Option<String>, Option<String>) = conn
        .prepare_cached("SELECT shop, reference, psp, call_number FROM orders WHERE order_id = ?1")?
        .query_row([order_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let corrupt = || LedgerError::CorruptRow { table: "orders", id: order_id.get() };
    let shop = ShopId::new(shop).map_err(|_| corrupt())?;
    Ok(match (reference, psp, call) {
        (Some(reference), _, _) => {
            OrderKey::Reference(shop, OrderRef::new(reference).map_err(|_| corrupt())?)
        }
        (None, Some(psp), Some(call)) => OrderKey::Call(
            shop,
            psp.parse().map_err(|_| corrupt())?,
            CallNumber::new(call).map_err(|_| corrupt())?,
        ),
        (None, _, _) => return Err(corrupt()),
    })
}

/// The order as its shop registered it, without what PSPs answered about it and without the lines of statements.
pub(crate) fn registered(db: &Prepared<'_>, order_id: OrderId, key: &OrderKey) -> Result<Order, LedgerError> {
    let versions = db.all(
        "SELECT total_cents, currency, due, instalments, registered_at FROM order_versions
         WHERE order_id = ?1 ORDER BY version",
        [order_id],
        version,
    )?;
    let shares_prefix_with =
        if versions.is_empty() { None } else { earlier_with_same_prefix(db, order_id, key)? };
    Ok(Order { versions, shares_prefix_with, ..Order::default() })
}

/// One registration, of a row with its columns.
pub(crate) fn version(row: &Row<'_>) -> rusqlite::Result<OrderVersion> {
    Ok(OrderVersion {
        total: row.get("total_cents")?,
        currency: row.get("currency")?,
        due: row.get("due")?,
        instalments: plan(row)?,
        registered_at: row.get("registered_at")?,
    })
}

/// The plan; `NULL` for none.
fn plan(row: &Row<'_>) -> rusqlite::Result<Vec<Instalment>> {
    let column = row.as_ref().column_index("instalments")?;
    let Some(text) = row.get::<_, Option<String>>(column)? else { return Ok(Vec::new()) };
    serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error.into())
    })
}

/// That there is a reference must be said: else `orders_by_prefix` is of no use, and all orders are looked through.
pub(crate) const EARLIER_WITH_SAME_PREFIX: &str = "SELECT o.reference FROM orders o
     WHERE o.shop = ?1 AND o.ancv_prefix = ?2 AND o.reference IS NOT NULL AND o.order_id <> ?3 AND o.state <> 'refunded'
       AND (SELECT MIN(seq) FROM order_versions v WHERE v.order_id = o.order_id)
         < (SELECT MIN(seq) FROM order_versions v WHERE v.order_id = ?3)
     ORDER BY o.order_id DESC LIMIT 1";

/// The last registered order before this one that ANCV cannot tell from it.
fn earlier_with_same_prefix(
    db: &Prepared<'_>,
    order_id: OrderId,
    key: &OrderKey,
) -> Result<Option<OrderRef>, LedgerError> {
    let Some(reference) = key.reference() else { return Ok(None) };
    let other: Option<String> = db.first(
        EARLIER_WITH_SAME_PREFIX,
        params![key.shop().as_str(), reference.ancv_prefix(), order_id],
        |row| row.get(0),
    )?;
    Ok(other.and_then(|text| OrderRef::new(text).ok()))
}

/// The orders that were found to collide with this one.
pub(crate) fn colliding_with(conn: &Connection, order_id: OrderId) -> Result<Vec<OrderId>, LedgerError> {
    let mut statement = conn.prepare_cached(
        "SELECT o.order_id FROM orders this JOIN orders o ON o.shop = this.shop AND o.reference IS NOT NULL
           AND o.ancv_prefix = this.ancv_prefix
         WHERE this.order_id = ?1 AND EXISTS (SELECT 1 FROM discrepancies d
           WHERE d.order_id = o.order_id AND d.closed_at IS NULL AND d.kind = 'reference_collision'
             AND d.detail_json ->> '$.order' = this.reference)
         ORDER BY o.order_id",
    )?;
    let ids = statement.query_map([order_id], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(ids)
}

/// The registered orders after this one that ANCV cannot tell from it.
pub(crate) fn later_with_same_prefix(
    conn: &Connection,
    order_id: OrderId,
) -> Result<Vec<OrderId>, LedgerError> {
    let mut statement = conn.prepare_cached(
        "SELECT o.order_id FROM orders o JOIN orders this ON this.order_id = ?1
         WHERE o.shop = this.shop AND o.reference IS NOT NULL AND o.ancv_prefix = this.ancv_prefix
           AND (SELECT MIN(seq) FROM order_versions v WHERE v.order_id = o.order_id)
             > (SELECT MIN(seq) FROM order_versions v WHERE v.order_id = ?1)
         ORDER BY o.order_id",
    )?;
    let ids = statement.query_map([order_id], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(ids)
}

/// Whether an order stands as given back wholly.
pub(crate) fn is_refunded(db: &Prepared<'_>, order_id: OrderId) -> Result<bool, LedgerError> {
    let state = "SELECT state = 'refunded' FROM orders WHERE order_id = ?1";
    Ok(db.first(state, [order_id], |row| row.get(0))?.ok_or(rusqlite::Error::QueryReturnedNoRows)?)
}

/// Whether a registration says nothing new.
pub(crate) fn is_current(
    conn: &Connection,
    order_id: OrderId,
    order: &OrderRegistration,
) -> Result<bool, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT total_cents = ?2 AND currency = ?3 AND due IS ?4 AND instalments IS ?5 FROM order_versions
             WHERE order_id = ?1 ORDER BY version DESC LIMIT 1",
        )?
        .query_row(
            params![order_id, order.total, order.currency.as_str(), order.due, plan_of(order)?],
            |row| row.get(0),
        )
        .optional()?
        .unwrap_or(false))
}

/// The plan of an order as its row has it; `NULL` for none.
fn plan_of(order: &OrderRegistration) -> Result<Option<String>, LedgerError> {
    let has_plan = !order.instalments.is_empty();
    Ok(has_plan.then(|| serde_json::to_string(&order.instalments)).transpose()?)
}

/// The total that is registered last.
pub(crate) fn current_total(conn: &Connection, order_id: OrderId) -> Result<Option<Cents>, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT total_cents FROM order_versions WHERE order_id = ?1 ORDER BY version DESC LIMIT 1",
        )?
        .query_row([order_id], |row| row.get(0))
        .optional()?)
}

/// Keeps a registration as the order's newest version.
pub(crate) fn add_version(
    db: &Prepared<'_>,
    order_id: OrderId,
    seq: Seq,
    order: &OrderRegistration,
    at: Timestamp,
) -> Result<(), LedgerError> {
    db.execute(
        "INSERT INTO order_versions (order_id, version, seq, total_cents, currency, due, instalments, registered_at)
         SELECT ?1, COALESCE(MAX(version), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7
         FROM order_versions WHERE order_id = ?1",
        params![order_id, seq, order.total, order.currency.as_str(), order.due, plan_of(order)?, at],
    )?;
    Ok(())
}

/// Writes down where an order stands and when to look again.
pub(crate) fn note_state(
    db: &Prepared<'_>,
    order_id: OrderId,
    assessment: &Assessment,
) -> Result<(), LedgerError> {
    // An order of nothing is paid as it is.
    let lacks_nothing = assessment.gap == Some(Cents::ZERO);
    let unpaid = if lacks_nothing { RecordState::Balanced.as_str() } else { "unpaid" };
    let state = assessment.order_state.map_or(unpaid, RecordState::as_str);
    db.execute(
        "UPDATE orders SET state = ?2, gap_cents = ?3, next_check_at = ?4,
                awaited_since = IIF(?5, (SELECT MIN(registered_at) FROM order_versions WHERE order_id = ?1), NULL)
         WHERE order_id = ?1",
        params![
            order_id,
            state,
            assessment.gap,
            assessment.look_again_at,
            assessment.records.is_empty() && !lacks_nothing
        ],
    )?;
    Ok(())
}

/// The order whose assessment time changes next, if that is at `until` or before.
pub(crate) fn next_due(
    conn: &Connection,
    until: Timestamp,
) -> Result<Option<(OrderId, Timestamp)>, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT order_id, next_check_at FROM orders WHERE next_check_at <= ?1
             ORDER BY next_check_at, order_id LIMIT 1",
        )?
        .query_row([until], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// Time no longer changes the assessment of an order that cannot be read.
pub(crate) fn stop_checking(conn: &Connection, order_id: OrderId) -> Result<(), LedgerError> {
    conn.prepare_cached("UPDATE orders SET next_check_at = NULL WHERE order_id = ?1")?.execute([order_id])?;
    Ok(())
}

/// When time next changes the assessment of any order.
pub(crate) fn next_deadline(conn: &Connection) -> Result<Option<Timestamp>, LedgerError> {
    Ok(conn
        .prepare_cached("SELECT MIN(next_check_at) FROM orders WHERE next_check_at IS NOT NULL")?
        .query_row([], |row| row.get(0))?)
}

/// Every order that waits for time or has an open discrepancy.
pub(crate) fn open(conn: &Connection) -> Result<Vec<OrderId>, LedgerError> {
    let mut statement = conn.prepare_cached(
        "SELECT order_id FROM orders WHERE next_check_at IS NOT NULL
         UNION SELECT order_id FROM discrepancies WHERE closed_at IS NULL AND order_id IS NOT NULL
         ORDER BY 1",
    )?;
    let ids = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(ids)
}
