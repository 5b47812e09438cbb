//! A clock that had run ahead and was put right. What was received meanwhile is dated in the future, and no grace that began
//! there would ever end. So these dates move back, all by as much as the clock was ahead, and keep their order.

use std::time::Duration;

use cvco_domain::{Detail, Kind, Timestamp};
use cvco_log::entry::ClockCorrection;
use rusqlite::{Connection, params};

use super::Fold;
use crate::LedgerError;
use crate::tables::ids::OrderId;
use crate::tables::{attempts, discrepancies, endpoints, orders, questions, weeks};

/// A person is told of a corrected clock for this long.
const TOLD_FOR: Duration = Duration::from_hours(24);

/// Dates of the fold that a wrong clock gave. What people or PSPs state (a snooze, a date of payment) is none of them.
const DATES: [(&str, &str); 13] = [
    ("facts", "received_at"),
    ("order_versions", "registered_at"),
    ("discrepancies", "opened_at"),
    ("discrepancies", "closed_at"),
    ("discrepancies", "acked_at"),
    ("discrepancies", "escalate_at"),
    ("discrepancies", "escalated_at"),
    ("questions", "answered_at"),
    ("questions", "settled_at"),
    ("owed", "owed_at"),
    ("owed", "done_at"),
    ("mails", "intended_at"),
    ("mails", "told_at"),
];

impl Fold<'_> {
    pub(super) fn correct_clock(
        &mut self,
        correction: ClockCorrection,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        self.write_calls()?;
        let mut affected = self.orders_dated_after(at)?;
        let shift = Shift::of(self.conn, correction, at)?;
        for (table, column) in DATES {
            shift.apply(self.conn, table, column)?;
        }
        attempts::correct_clock(self.conn, at)?;
        questions::correct_clock(self.conn, at)?;
        endpoints::correct_clock(self.conn, at)?;
        weeks::correct_clock(self.conn, self.progress.policy.weekly, at)?;
        self.progress.hold = None;
        self.progress.news.1 = self.progress.news.1.min(at);
        self.flags.no_deadline_before.set(Timestamp::from_millis(0));
        self.flags.next_midnight.set(Timestamp::from_millis(0));
        self.flags.next_week.set(Timestamp::from_millis(0));
        affected.extend(orders::open(self.conn)?);
        affected.sort_unstable();
        affected.dedup();
        for order_id in affected {
            self.reassess(order_id, at)?;
        }
        let detail = Detail::Clock { from: correction.from, to: at };
        let closes_at = at.after(TOLD_FOR);
        discrepancies::open_of_daemon(self.conn, Kind::ClockStepped, &detail, at, Some(closes_at))?;
        self.schedule(Some(closes_at));
        self.apply_deadlines(at)
    }

    /// The orders of which something was dated ahead.
    fn orders_dated_after(&self, at: Timestamp) -> Result<Vec<OrderId>, LedgerError> {
        let mut ids = self.conn.prepare_cached(
            "SELECT order_id FROM facts WHERE received_at > ?1
             UNION SELECT order_id FROM order_versions WHERE registered_at > ?1 ORDER BY 1",
        )?;
        Ok(ids.query_map(params![at], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }
}

/// How dates move that a wrong clock gave.
struct Shift {
    /// Dates after this instant are wrong.
    after: Timestamp,
    /// The last date before the clock was wrong, as far as orders have one: no date moves to before it.
    not_before: Timestamp,
    /// For SQLite: how far they move back.
    modifier: String,
}

impl Shift {
    fn of(conn: &Connection, correction: ClockCorrection, at: Timestamp) -> Result<Self, LedgerError> {
        let last_right: Option<Timestamp> = conn
            .prepare_cached(
                "SELECT MAX(at) FROM (SELECT MAX(received_at) AS at FROM facts WHERE received_at <= ?1
                   UNION ALL SELECT MAX(registered_at) FROM order_versions WHERE registered_at <= ?1)",
            )?
            .query_row([at], |row| row.get(0))?;
        let ahead = correction.from.since(at);
        let modifier = format!("-{}.{:03} seconds", ahead.as_secs(), ahead.subsec_millis());
        Ok(Self { after: at, not_before: last_right.unwrap_or(Timestamp::from_millis(0)), modifier })
    }

    fn apply(&self, conn: &Connection, table: &str, column: &str) -> Result<(), LedgerError> {
        conn.prepare_cached(&format!(
            "UPDATE {table} SET {column} = MIN(?1, MAX(?2, strftime('%Y-%m-%dT%H:%M:%fZ', {column}, ?3)))
             WHERE {column} > ?1"
        ))?
        .execute(params![self.after, self.not_before, self.modifier])?;
        Ok(())
    }
}
