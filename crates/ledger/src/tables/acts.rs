//! What people do about discrepancies: see, note, put aside until a date, take back.
//!
//! An act names its discrepancy by what makes it the one that it is ([`Identity`]), so that a fold that numbers
//! discrepancies otherwise finds it all the same.

use cvco_domain::{
    About, CallNumber, DiscrepancyId, EndpointId, Identity, Kind, OrderKey, Psp, Reminder, Seq, ShopId,
    Timestamp,
};
use cvco_log::entry::{Act, Deed};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params};

use super::ids::OrderId;
use super::orders;
use super::prepared::Prepared;
use crate::{LedgerError, owed};

/// What makes the discrepancy of this number the one that it is, and whether it is open.
pub(crate) fn identity(
    conn: &Connection,
    id: DiscrepancyId,
) -> Result<Option<(Identity, bool)>, LedgerError> {
    struct Found {
        kind: Kind,
        shop: Option<ShopId>,
        order_id: Option<OrderId>,
        endpoint: Option<EndpointId>,
        record: Option<(Psp, CallNumber)>,
        subject: String,
        opened_at: Timestamp,
        is_open: bool,
    }
    let found = conn
        .prepare_cached(
            "SELECT kind, shop, order_id, endpoint, psp, call_number, subject, opened_at, closed_at IS NULL AS is_open
             FROM discrepancies WHERE id = ?1",
        )?
        .query_row([id], |row| {
            let (psp, call): (Option<Psp>, Option<CallNumber>) = (row.get("psp")?, row.get("call_number")?);
            Ok(Found {
                kind: row.get("kind")?,
                shop: row.get("shop")?,
                order_id: row.get("order_id")?,
                endpoint: row.get("endpoint")?,
                record: psp.zip(call),
                subject: row.get("subject")?,
                opened_at: row.get("opened_at")?,
                is_open: row.get("is_open")?,
            })
        })
        .optional()?;
    let Some(Found { kind, shop, order_id, endpoint, record, subject, opened_at, is_open }) = found else {
        return Ok(None);
    };
    let about = match (order_id.map(|order_id| orders::key(conn, order_id)).transpose()?, endpoint) {
        (Some(OrderKey::Reference(_, reference)), _) => About::Order(reference),
        (Some(OrderKey::Call(_, psp, call)), _) => About::Payment(psp, call),
        (None, Some(endpoint)) => About::Endpoint(endpoint),
        (None, None) if shop.is_none() => About::Daemon,
        (None, None) => About::Statement,
    };
    Ok(Some((Identity { kind, shop, about, record, subject, opened_at }, is_open)))
}

/// The discrepancy of an identity; `None` if the rules of today never raised it. `number` decides where several would do.
pub(crate) fn find(
    conn: &Connection,
    of: &Identity,
    number: DiscrepancyId,
) -> Result<Option<DiscrepancyId>, LedgerError> {
    let of_order = |key: OrderKey| -> Result<_, LedgerError> {
        Ok(orders::find(&Prepared::new(conn), &key)?
            .map(|order_id| ("order_id = ?1", Value::from(order_id.get()))))
    };
    let place = match (&of.about, &of.shop) {
        (About::Order(reference), Some(shop)) => {
            of_order(OrderKey::Reference(shop.clone(), reference.clone()))?
        }
        (About::Payment(psp, call), Some(shop)) => {
            of_order(OrderKey::Call(shop.clone(), *psp, call.clone()))?
        }
        (About::Endpoint(endpoint), _) => {
            Some(("order_id IS NULL AND endpoint = ?1", Value::from(endpoint.to_string())))
        }
        (About::Statement | About::Daemon, _) => Some(("order_id IS NULL AND endpoint IS ?1", Value::Null)),
        (About::Order(_) | About::Payment(..), None) => None,
    };
    let Some((about, place)) = place else { return Ok(None) };
    let (psp, call) = of.record.as_ref().map(|(psp, call)| (psp.as_str(), call.as_str())).unzip();
    // The one that opened then; of several, the one of that number. Else the one open now, or the latest.
    Ok(conn
        .prepare_cached(&format!(
            "SELECT id FROM discrepancies
             WHERE {about} AND shop IS ?2 AND kind = ?3 AND ?4 IN (subject, former_subject)
               AND call_number IS ?6 AND (?6 IS NULL OR psp = ?5)
             ORDER BY opened_at = ?7 DESC, opened_at = ?7 AND id = ?8 DESC, closed_at IS NULL DESC, id DESC LIMIT 1"
        ))?
        .query_row(
            params![
                place,
                of.shop.as_ref().map(ShopId::as_str),
                of.kind.as_str(),
                of.subject,
                psp,
                call,
                of.opened_at,
                number
            ],
            |row| row.get(0),
        )
        .optional()?)
}

/// Keeps an act with its discrepancy, and does what it says.
pub(crate) fn insert(
    conn: &Connection,
    seq: Seq,
    at: Timestamp,
    id: Option<DiscrepancyId>,
    act: &Act,
) -> Result<(), LedgerError> {
    let until = match act.deed {
        Deed::Snoozed { until } => Some(until),
        Deed::Acknowledged | Deed::Noted | Deed::Withdrawn => None,
    };
    conn.prepare_cached(
        "INSERT INTO acts (seq, at, discrepancy_id, act, by, note, until) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![seq, at, id, act.deed.as_str(), act.by, act.note, until])?;
    let Some(id) = id else { return Ok(()) };
    match act.deed {
        Deed::Acknowledged => {
            conn.prepare_cached(
                "UPDATE discrepancies SET acked_at = ?2, acked_by = ?3, acked_note = ?4, escalate_at = NULL WHERE id = ?1",
            )?
            .execute(params![id, at, act.by, act.note])?;
        }
        Deed::Noted => {}
        Deed::Snoozed { until } => {
            conn.prepare_cached(
                "UPDATE discrepancies SET snoozed_until = ?2, escalate_at = NULL
                 WHERE id = ?1 AND closed_at IS NULL AND ?2 > ?3",
            )?
            .execute(params![id, until, at])?;
            owed::forget_reminder(conn, id, at)?;
        }
        Deed::Withdrawn => {
            conn.prepare_cached(
                "UPDATE discrepancies SET acked_at = NULL, acked_by = NULL, acked_note = NULL, snoozed_until = NULL
                 WHERE id = ?1",
            )?
            .execute([id])?;
        }
    }
    Ok(())
}

/// Ends a snooze, if there is one, and owes the e-mail that reminds of the discrepancy.
pub(crate) fn remind(
    conn: &Connection,
    id: DiscrepancyId,
    why: Reminder,
    at: Timestamp,
) -> Result<(), LedgerError> {
    conn.prepare_cached("UPDATE discrepancies SET snoozed_until = NULL, reminded_for = ?2 WHERE id = ?1")?
        .execute(params![id, why.as_str()])?;
    owed::owe_reminder(conn, id, at)
}

/// Owes the e-mail that tells of a discrepancy that has grown. Where its opening has not left yet, that one will have the new
/// figures.
pub(crate) fn tell_growth(conn: &Connection, id: DiscrepancyId, at: Timestamp) -> Result<(), LedgerError> {
    conn.prepare_cached("UPDATE discrepancies SET reminded_for = ?2 WHERE id = ?1")?
        .execute(params![id, Reminder::FiguresChanged.as_str()])?;
    owed::owe_growth(conn, id, at)
}

/// Tells that more of what is open came: whoever dealt with it dealt with less.
pub(crate) fn tell_more(conn: &Connection, id: DiscrepancyId, at: Timestamp) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "UPDATE discrepancies SET acked_at = NULL, acked_by = NULL, acked_note = NULL, snoozed_until = NULL,
             reminded_for = ?2 WHERE id = ?1",
    )?
    .execute(params![id, Reminder::FiguresChanged.as_str()])?;
    owed::owe_more(conn, id, at)
}

/// The snooze that ends next, if that is at `until` or before.
pub(crate) fn next_due(
    conn: &Connection,
    until: Timestamp,
) -> Result<Option<(DiscrepancyId, Timestamp)>, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT id, snoozed_until FROM discrepancies WHERE snoozed_until <= ?1
             ORDER BY snoozed_until, id LIMIT 1",
        )?
        .query_row([until], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// When the next snooze ends.
pub(crate) fn next_deadline(conn: &Connection) -> Result<Option<Timestamp>, LedgerError> {
    Ok(conn
        .prepare_cached("SELECT MIN(snoozed_until) FROM discrepancies WHERE snoozed_until IS NOT NULL")?
        .query_row([], |row| row.get(0))?)
}
