//! What people say of discrepancies: seen, noted, put aside until a date, taken back.
//!
//! An act names its discrepancy by what makes it the one that it is ([`Identity`]), so that a fold that numbers
//! discrepancies otherwise finds it all the same.

use cvco_domain::{CallNumber, EndpointId, Kind, OrderKey, Psp, ShopId, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params};

use super::entry::{About, Acknowledgement, Act, Identity};
use super::{LedgerError, orders, outbox};

/// The act as it goes into the log, with the identity of the discrepancy that has its number now. A snooze must be
/// of an open one, and end in the future of the ledger, which is ahead of the clock's if that was put back.
pub(super) fn identified(
    conn: &Connection,
    ack: Acknowledgement,
    at: Timestamp,
) -> Result<Acknowledgement, LedgerError> {
    let id = ack.discrepancy;
    let (of, is_open) = identity(conn, id)?.ok_or(LedgerError::NoDiscrepancy(id))?;
    match ack.act {
        Act::Snoozed { .. } if !is_open => Err(LedgerError::HasClosed(id)),
        Act::Snoozed { until } if until <= at => Err(LedgerError::NotAhead { until, at }),
        Act::Acknowledged | Act::Noted | Act::Snoozed { .. } | Act::Withdrawn => {
            Ok(Acknowledgement { of: Some(of), ..ack })
        }
    }
}

/// What makes the discrepancy of this number the one that it is, and whether it is open.
fn identity(conn: &Connection, id: i64) -> Result<Option<(Identity, bool)>, LedgerError> {
    struct Found {
        kind: Kind,
        shop: ShopId,
        order_id: Option<i64>,
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
        (None, None) => About::Statement,
    };
    Ok(Some((Identity { kind, shop, about, record, subject, opened_at }, is_open)))
}

/// The discrepancy that an act concerns. By its identity, where the act has one; `None` if the rules of today never
/// raised it. By its number in what version 0.2 wrote.
pub(super) fn find(conn: &Connection, ack: &Acknowledgement) -> Result<Option<i64>, LedgerError> {
    let Some(of) = &ack.of else {
        let known = conn
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM discrepancies WHERE id = ?1)")?
            .query_row([ack.discrepancy], |row| row.get(0))?;
        return if known {
            Ok(Some(ack.discrepancy))
        } else {
            Err(LedgerError::NoDiscrepancy(ack.discrepancy))
        };
    };
    let of_order = |key: OrderKey| -> Result<_, LedgerError> {
        Ok(orders::find(conn, &key)?.map(|order_id| ("order_id = ?1", Value::from(order_id))))
    };
    let place = match &of.about {
        About::Order(reference) => of_order(OrderKey::Reference(of.shop.clone(), reference.clone()))?,
        About::Payment(psp, call) => of_order(OrderKey::Call(of.shop.clone(), *psp, call.clone()))?,
        About::Endpoint(endpoint) => {
            Some(("order_id IS NULL AND endpoint = ?1", Value::from(endpoint.to_string())))
        }
        About::Statement => Some(("order_id IS NULL AND endpoint IS ?1", Value::Null)),
    };
    let Some((about, place)) = place else { return Ok(None) };
    let (psp, call) = of.record.as_ref().map(|(psp, call)| (psp.as_str(), call.as_str())).unzip();
    // The one that opened then; of several, the one of that number. Else the one open now, or the latest.
    Ok(conn
        .prepare_cached(&format!(
            "SELECT id FROM discrepancies
             WHERE {about} AND shop = ?2 AND kind = ?3 AND subject = ?4
               AND call_number IS ?6 AND (?6 IS NULL OR psp = ?5)
             ORDER BY opened_at = ?7 DESC, opened_at = ?7 AND id = ?8 DESC, closed_at IS NULL DESC, id DESC LIMIT 1"
        ))?
        .query_row(
            params![place, of.shop.as_str(), of.kind.as_str(), of.subject, psp, call, of.opened_at, ack.discrepancy],
            |row| row.get(0),
        )
        .optional()?)
}

/// Keeps an act of the log with its discrepancy, and does what it says.
pub(super) fn keep(
    conn: &Connection,
    (seq, at): (i64, Timestamp),
    id: Option<i64>,
    ack: &Acknowledgement,
) -> Result<(), LedgerError> {
    conn.prepare_cached("INSERT INTO acts (seq, discrepancy_id) VALUES (?1, ?2)")?
        .execute(params![seq, id])?;
    let Some(id) = id else { return Ok(()) };
    match ack.act {
        Act::Acknowledged => {
            conn.prepare_cached(
                "UPDATE discrepancies SET acked_at = ?2, acked_by = ?3, acked_note = ?4 WHERE id = ?1",
            )?
            .execute(params![id, at, ack.by, ack.note])?;
        }
        Act::Noted => {}
        Act::Snoozed { until } => {
            conn.prepare_cached(
                "UPDATE discrepancies SET snoozed_until = ?2 WHERE id = ?1 AND closed_at IS NULL AND ?2 > ?3",
            )?
            .execute(params![id, until, at])?;
            outbox::forget_reminder(conn, id, at)?;
        }
        Act::Withdrawn => {
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
pub(super) fn remind(conn: &Connection, id: i64, at: Timestamp) -> Result<(), LedgerError> {
    conn.prepare_cached("UPDATE discrepancies SET snoozed_until = NULL WHERE id = ?1")?.execute([id])?;
    outbox::owe_reminder(conn, id, at)
}

/// The snooze that ends next, if that is at `until` or before.
pub(super) fn next_to_remind_of(
    conn: &Connection,
    until: Timestamp,
) -> Result<Option<(i64, Timestamp)>, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT id, snoozed_until FROM discrepancies WHERE snoozed_until <= ?1
             ORDER BY snoozed_until, id LIMIT 1",
        )?
        .query_row([until], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// When the next snooze ends.
pub(super) fn next_look(conn: &Connection) -> Result<Option<Timestamp>, LedgerError> {
    Ok(conn
        .prepare_cached("SELECT MIN(snoozed_until) FROM discrepancies WHERE snoozed_until IS NOT NULL")?
        .query_row([], |row| row.get(0))?)
}
