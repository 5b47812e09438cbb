//! When each endpoint was heard, by the hour: what its habit is read from, and when its silence will alarm.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use cvco_domain::{EndpointId, EndpointRef, Psp, ShopId, Timestamp};
use cvco_reconcile::{Heard, hour_of};

use crate::LedgerError;

/// When to look at an endpoint that is new, or was heard again after a long silence: no silence is too long sooner.
const FIRST_LOOK: Duration = Duration::from_hours(1);

/// What a call means for the watch over its endpoint.
pub(crate) enum CallSeen {
    /// Calls come as usual.
    Usual,
    /// For the first time, or after too long a silence: its silence may be too long from this instant on.
    New(Timestamp),
}

/// Records that a PSP called an endpoint.
pub(crate) fn record_call(
    conn: &Connection,
    asked: &EndpointRef,
    at: Timestamp,
) -> Result<CallSeen, LedgerError> {
    let look_at: Option<Option<String>> = conn
        .prepare_cached("SELECT look_at FROM endpoints WHERE endpoint = ?1")?
        .query_row([asked.endpoint.as_str()], |row| row.get(0))
        .optional()?;
    // One that is watched is looked at when that comes due, and not with every call.
    let soon = at.after(FIRST_LOOK);
    conn.prepare_cached(
        "INSERT INTO endpoints (endpoint, shop, psp, first_heard_at, heard_at, look_at)
         VALUES (?1, ?2, ?3, ?4, ?4, ?5)
         ON CONFLICT (endpoint) DO UPDATE SET heard_at = ?4, look_at = COALESCE(look_at, ?5)",
    )?
    .execute(params![asked.endpoint.as_str(), asked.shop.as_str(), asked.psp.as_str(), at, soon])?;
    hear(conn, &asked.endpoint, hour_of(at), 1)?;
    Ok(if look_at.flatten().is_some() { CallSeen::Usual } else { CallSeen::New(soon) })
}

/// Calls to endpoints that are watched already: counted here, and written down together.
#[derive(Default)]
pub(crate) struct Calls(BTreeMap<EndpointId, Count>);

#[derive(Default)]
struct Count {
    last_at: Option<Timestamp>,
    by_hour: BTreeMap<i64, u32>,
}

impl Calls {
    /// From now on calls to this endpoint are counted.
    pub(crate) fn watch(&mut self, endpoint: &EndpointId) {
        self.0.entry(endpoint.clone()).or_default();
    }

    /// Counts a call; whether its endpoint is one of which calls are counted.
    pub(crate) fn count(&mut self, endpoint: &EndpointId, at: Timestamp) -> bool {
        let Some(count) = self.0.get_mut(endpoint) else { return false };
        count.last_at = Some(at);
        let calls = count.by_hour.entry(hour_of(at)).or_default();
        *calls = calls.saturating_add(1);
        true
    }

    /// Calls to this endpoint are no longer counted, and those that were are nobody's habit.
    pub(crate) fn forget(&mut self, endpoint: &EndpointId) {
        self.0.remove(endpoint);
    }

    /// Writes down what was counted.
    pub(crate) fn write(&mut self, conn: &Connection) -> Result<(), LedgerError> {
        for (endpoint, count) in &mut self.0 {
            let Count { last_at: Some(last_at), by_hour } = std::mem::take(count) else { continue };
            conn.prepare_cached("UPDATE endpoints SET heard_at = ?2 WHERE endpoint = ?1")?
                .execute(params![endpoint.as_str(), last_at])?;
            for (hour, calls) in by_hour {
                hear(conn, endpoint, hour, calls)?;
            }
        }
        Ok(())
    }
}

fn hear(conn: &Connection, endpoint: &EndpointId, hour: i64, calls: u32) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "INSERT INTO heard_hours (endpoint, hour, calls) VALUES (?1, ?2, ?3)
         ON CONFLICT (endpoint, hour) DO UPDATE SET calls = calls + ?3",
    )?
    .execute(params![endpoint.as_str(), hour, calls])?;
    Ok(())
}

/// An endpoint whose silence may be too long now.
pub(crate) struct Due {
    pub(crate) endpoint: EndpointId,
    pub(crate) at: Timestamp,
}

/// The endpoint whose silence may be too long next, if that is at `until` or before.
pub(crate) fn next_due(conn: &Connection, until: Timestamp) -> Result<Option<Due>, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT endpoint, look_at FROM endpoints WHERE look_at <= ?1 ORDER BY look_at, endpoint LIMIT 1",
        )?
        .query_row([until], |row| Ok(Due { endpoint: row.get(0)?, at: row.get(1)? }))
        .optional()?)
}

/// When a silence may next be too long.
pub(crate) fn next_deadline(conn: &Connection) -> Result<Option<Timestamp>, LedgerError> {
    Ok(conn
        .prepare_cached("SELECT MIN(look_at) FROM endpoints WHERE look_at IS NOT NULL")?
        .query_row([], |row| row.get(0))?)
}

/// An endpoint with its habit.
pub(crate) struct Watched {
    pub(crate) shop: ShopId,
    pub(crate) psp: Psp,
    pub(crate) heard: Heard,
}

/// When an endpoint was heard, as far back as matters; what is older is forgotten.
pub(crate) fn watched(conn: &Connection, due: &Due) -> Result<Watched, LedgerError> {
    // The habit reaches back from the last call, not from now: it does not fade while it is waited out.
    conn.prepare_cached(
        "DELETE FROM heard_hours WHERE endpoint = ?1
           AND hour < (SELECT MAX(hour) FROM heard_hours WHERE endpoint = ?1) - ?2",
    )?
    .execute(params![due.endpoint.as_str(), Heard::REACH])?;
    let mut statement =
        conn.prepare_cached("SELECT hour, calls FROM heard_hours WHERE endpoint = ?1 ORDER BY hour")?;
    let hours = statement
        .query_map([due.endpoint.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    Ok(conn
        .prepare_cached("SELECT shop, psp, first_heard_at, heard_at FROM endpoints WHERE endpoint = ?1")?
        .query_row([due.endpoint.as_str()], |row| {
            let heard = Heard { first_at: row.get(2)?, last_at: row.get(3)?, hours };
            Ok(Watched { shop: row.get(0)?, psp: row.get(1)?, heard })
        })?)
}

/// Notes when to look at an endpoint next; `None`: not before it is heard again.
pub(crate) fn check_at(
    conn: &Connection,
    endpoint: &EndpointId,
    at: Option<Timestamp>,
) -> Result<(), LedgerError> {
    conn.prepare_cached("UPDATE endpoints SET look_at = ?2 WHERE endpoint = ?1")?
        .execute(params![endpoint.as_str(), at])?;
    Ok(())
}

/// Every endpoint that was ever heard.
pub(crate) fn known(conn: &Connection) -> Result<Vec<EndpointId>, LedgerError> {
    let mut statement = conn.prepare_cached("SELECT endpoint FROM endpoints ORDER BY endpoint")?;
    let endpoints = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(endpoints)
}

/// Forgets an endpoint and its habit; whether there was one.
pub(crate) fn forget(conn: &Connection, endpoint: &EndpointId) -> Result<bool, LedgerError> {
    let known: bool = conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM endpoints WHERE endpoint = ?1)")?
        .query_row([endpoint.as_str()], |row| row.get(0))?;
    if known {
        conn.prepare_cached("DELETE FROM heard_hours WHERE endpoint = ?1")?.execute([endpoint.as_str()])?;
        conn.prepare_cached("DELETE FROM endpoints WHERE endpoint = ?1")?.execute([endpoint.as_str()])?;
    }
    Ok(known)
}

/// After a clock that had run ahead was put right: what was heard in the future is no habit.
pub(crate) fn correct_clock(conn: &Connection, at: Timestamp) -> Result<(), LedgerError> {
    conn.prepare_cached("DELETE FROM heard_hours WHERE hour > ?1")?.execute([hour_of(at)])?;
    conn.prepare_cached(
        "UPDATE endpoints SET first_heard_at = MIN(first_heard_at, ?1), heard_at = MIN(heard_at, ?1),
             look_at = MIN(look_at, ?2) WHERE first_heard_at > ?1 OR heard_at > ?1 OR look_at > ?2",
    )?
    .execute(params![at, at.after(FIRST_LOOK)])?;
    Ok(())
}
