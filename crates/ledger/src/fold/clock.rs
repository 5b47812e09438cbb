//! A clock that had run ahead and was put right. What was received meanwhile is dated in the future, and no grace that began
//! there would ever end: so nothing in the ledger stays dated after the correction.

use std::time::Duration;

use cvco_domain::{Kind, Timestamp};
use cvco_log::entry::ClockCorrection;
use rusqlite::params;

use super::Fold;
use crate::LedgerError;
use crate::tables::ids::OrderId;
use crate::tables::{discrepancies, endpoints, orders, questions};

/// A person is told of a corrected clock for this long.
const TOLD_FOR: Duration = Duration::from_hours(24);

/// Dates of the fold that a wrong clock gave. What people or PSPs state (a snooze, a date of payment) is none of them.
const DATES: [(&str, &str); 10] = [
    ("facts", "received_at"),
    ("order_versions", "registered_at"),
    ("discrepancies", "opened_at"),
    ("discrepancies", "closed_at"),
    ("discrepancies", "acked_at"),
    ("questions", "answered_at"),
    ("questions", "settled_at"),
    ("owed", "owed_at"),
    ("owed", "done_at"),
    ("mails", "intended_at"),
];

impl Fold<'_> {
    pub(super) fn correct_clock(
        &mut self,
        correction: ClockCorrection,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let mut affected = self.orders_dated_after(at)?;
        for (table, column) in DATES {
            self.conn
                .prepare_cached(&format!("UPDATE {table} SET {column} = ?1 WHERE {column} > ?1"))?
                .execute([at])?;
        }
        questions::correct_clock(self.conn, at)?;
        endpoints::correct_clock(self.conn, at)?;
        self.progress.hold = None;
        self.progress.news.1 = self.progress.news.1.min(at);
        self.flags.no_deadline_before.set(Timestamp::from_millis(0));
        self.flags.next_midnight.set(Timestamp::from_millis(0));
        affected.extend(orders::open(self.conn)?);
        affected.sort_unstable();
        affected.dedup();
        for order_id in affected {
            self.reassess(order_id, at)?;
        }
        let detail = format!("{} {at}", correction.from);
        let closes_at = at.after(TOLD_FOR);
        discrepancies::open_of_daemon(self.conn, Kind::ClockStepped, &detail, at, Some(closes_at))?;
        self.schedule(Some(closes_at));
        self.apply_deadlines(at)
    }

    fn orders_dated_after(&self, at: Timestamp) -> Result<Vec<OrderId>, LedgerError> {
        let mut ids = self.conn.prepare_cached(
            "SELECT order_id FROM facts WHERE received_at > ?1
             UNION SELECT order_id FROM order_versions WHERE registered_at > ?1 ORDER BY 1",
        )?;
        Ok(ids.query_map(params![at], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }
}
