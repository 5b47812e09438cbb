//! Weeks that people want summed up: each ends on Monday morning in Paris, before the office opens.

use std::collections::BTreeMap;

use cvco_domain::{ShopId, Timestamp};
use rusqlite::{Connection, params};

use crate::LedgerError;

/// The hour in Paris at which a week ends.
const HOUR: u32 = 7;

/// In the place of a shop: from this instant on weeks are summed up.
const BEGINNING: &str = "";

/// From now on weeks are summed up, or no more: then what no e-mail carries yet is forgotten.
pub(crate) fn begin_or_end(conn: &Connection, wanted: bool, at: Timestamp) -> Result<(), LedgerError> {
    if wanted {
        conn.prepare_cached("INSERT OR IGNORE INTO weeks (until_at, shop) VALUES (?1, ?2)")?
            .execute(params![at, BEGINNING])?;
    } else {
        conn.prepare_cached("DELETE FROM weeks WHERE message_id IS NULL")?.execute([])?;
    }
    Ok(())
}

/// Owes the summary of the last week that ended by an instant, forevery shop that has orders.
pub(crate) fn create_if_due(conn: &Connection, at: Timestamp) -> Result<(), LedgerError> {
    let Some(mut until) = next_deadline(conn)?.filter(|until| *until <= at) else { return Ok(()) };
    while until.next_paris_monday(HOUR) <= at {
        until = until.next_paris_monday(HOUR);
    }
    conn.prepare_cached(
        "INSERT OR IGNORE INTO weeks (until_at, shop) SELECT ?1, ?2 UNION ALL SELECT DISTINCT ?1, shop FROM orders",
    )?
    .execute(params![until, BEGINNING])?;
    Ok(())
}

/// When the next week ends.
pub(crate) fn next_deadline(conn: &Connection) -> Result<Option<Timestamp>, LedgerError> {
    let last: Option<Timestamp> =
        conn.prepare_cached("SELECT MAX(until_at) FROM weeks")?.query_row([], |row| row.get(0))?;
    Ok(last.map(|last| last.next_paris_monday(HOUR)))
}

/// After a clock that had run ahead was put right: weeks that have not ended are none.
pub(crate) fn correct_clock(conn: &Connection, wanted: bool, at: Timestamp) -> Result<(), LedgerError> {
    conn.prepare_cached("DELETE FROM weeks WHERE until_at > ?1")?.execute([at])?;
    if wanted { begin_or_end(conn, true, at) } else { Ok(()) }
}

/// Notes the e-mail that sums up a week; whether it is the first that does for one of the shops.
pub(crate) fn mail_intended(
    conn: &Connection,
    until: Timestamp,
    shops: &[ShopId],
    message_id: &str,
) -> Result<bool, LedgerError> {
    let mut noted = 0;
    for shop in shops {
        noted += conn
            .prepare_cached(
                "UPDATE weeks SET message_id = ?3 WHERE until_at = ?1 AND shop = ?2 AND message_id IS NULL",
            )?
            .execute(params![until, shop.as_str(), message_id])?;
    }
    Ok(noted > 0)
}

/// The shops whose week no e-mail sums up yet, or whose e-mail is this one; the last week of each.
pub(crate) fn owed(
    conn: &Connection,
    message_id: Option<&str>,
) -> Result<BTreeMap<Timestamp, Vec<ShopId>>, LedgerError> {
    let mut rows = conn.prepare_cached(
        "SELECT until_at, shop FROM weeks WHERE message_id IS ?1 AND shop <> '' ORDER BY until_at, shop",
    )?;
    let mut owed: BTreeMap<Timestamp, Vec<ShopId>> = BTreeMap::new();
    let found = rows.query_map([message_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for row in found {
        let (until, shop) = row?;
        owed.entry(until).or_default().push(shop);
    }
    Ok(owed)
}
