//! What became of the calls that go on to shops' handlers.

use std::fmt;
use std::str::FromStr;

use cvco_domain::{CallNumber, EndpointId, OrderRef, Psp, RelayTarget, Seq, ShopId, Timestamp, UnknownWord};
use cvco_log::entry::Replayed;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Row, params};
use serde::Serialize;

use super::Reader;
use crate::LedgerError;
use crate::tables::relays;

/// Where a call's way to a handler stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RelayState {
    /// The handler has not taken it yet.
    Owed,
    /// It has.
    Delivered,
    /// It has the call, and does not want it.
    Refused,
    /// It was tried for as long as makes sense.
    Parked,
    /// A person gave it up.
    Dropped,
}

impl RelayState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Owed, Self::Delivered, Self::Refused, Self::Parked, Self::Dropped];

    /// The states of calls that no handler took, and that nobody gave up.
    pub const IN_VAIN: [Self; 3] = [Self::Owed, Self::Refused, Self::Parked];

    /// The name in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owed => "owed",
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Parked => "parked",
            Self::Dropped => "dropped",
        }
    }
}

impl fmt::Display for RelayState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RelayState {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let known = Self::ALL.into_iter().find(|state| state.as_str() == text);
        known.ok_or_else(|| UnknownWord::new(text, "owed, delivered, refused, parked, dropped"))
    }
}

impl FromSql for RelayState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map_err(|error: UnknownWord| FromSqlError::Other(Box::new(error)))
    }
}

/// Which relays to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayFilter {
    /// Only those in these states.
    pub states: Vec<RelayState>,
    /// Only those of this endpoint.
    pub endpoint: Option<EndpointId>,
    /// Only those that come after this place in the list.
    pub after: Option<RelayPlace>,
    /// No more than so many, the latest first.
    pub limit: u32,
}

/// A place in the list of relays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayPlace {
    number: Seq,
    target: RelayTarget,
}

/// A call's way to one handler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RelayRow {
    /// The notification's number in the log.
    pub number: Seq,
    /// Which of the endpoint's handlers.
    pub target: RelayTarget,
    /// Whose order it is about.
    pub shop: ShopId,
    /// Where it came in.
    pub endpoint: EndpointId,
    /// Who sent it.
    pub psp: Psp,
    /// The order that it is about.
    pub order_ref: Option<OrderRef>,
    /// The payment that it is about.
    pub call_number: Option<CallNumber>,
    /// When it came in.
    pub received_at: Timestamp,
    /// Since when it is owed; a person may have asked for it later than it came.
    pub owed_at: Timestamp,
    /// Where it stands.
    pub state: RelayState,
    /// When it ended.
    pub done_at: Option<Timestamp>,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, if it is owed and was tried.
    pub next_attempt_at: Option<Timestamp>,
    /// What the handler answered at the end.
    pub status: Option<u16>,
    /// Why it ended so, or what went wrong last; in English.
    pub reason: Option<String>,
}

impl RelayRow {
    /// Its place in the list.
    #[must_use]
    pub fn place(&self) -> RelayPlace {
        RelayPlace { number: self.number, target: self.target.clone() }
    }

    /// The handler's last word, in a short line.
    #[must_use]
    pub fn answer(&self) -> String {
        match (&self.reason, self.status) {
            (Some(reason), Some(status)) => format!("{reason} ({status})"),
            (Some(reason), None) => reason.clone(),
            (None, Some(status)) => status.to_string(),
            (None, None) => String::new(),
        }
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get("seq")?,
            target: row.get("target")?,
            shop: row.get("shop")?,
            endpoint: row.get("endpoint")?,
            psp: row.get("psp")?,
            order_ref: row.get("order_ref")?,
            call_number: row.get("call_number")?,
            received_at: row.get("received_at")?,
            owed_at: row.get("owed_at")?,
            state: row.get("state")?,
            done_at: row.get("done_at")?,
            attempts: row.get("tried")?,
            next_attempt_at: row.get("attempt_at")?,
            status: row.get("status")?,
            reason: row.get("said")?,
        })
    }
}

const COLUMNS: &str =
    "SELECT r.*, n.received_at, COALESCE(r.attempts, 0) + COALESCE(a.attempts, 0) AS tried, a.attempt_at,
        COALESCE(r.reason, a.last_error) AS said";
const BESIDE: &str = "CROSS JOIN notifications n ON n.seq = r.seq
 LEFT JOIN attempts a ON a.what = 'relay ' || r.seq || ' ' || r.target";

/// The query of a list. What no handler took lies in an index of its own; what was delivered is most of the table.
fn query(states: &[RelayState]) -> String {
    let in_vain = !states.contains(&RelayState::Delivered);
    let (table, only) = if in_vain {
        ("relays r INDEXED BY relays_in_vain", "r.state <> 'delivered' AND ")
    } else {
        ("relays r", "")
    };
    let states: Vec<_> = states.iter().map(|state| format!("'{state}'")).collect();
    format!(
        "{COLUMNS} FROM {table} {BESIDE} WHERE {only}r.state IN ({}) AND (?1 IS NULL OR r.endpoint = ?1)
           AND (?2 IS NULL OR r.seq < ?2 OR (r.seq = ?2 AND r.target > ?3))
         ORDER BY r.seq DESC, r.target LIMIT ?4",
        states.join(", ")
    )
}

impl Reader {
    /// Calls to shops' handlers, the latest first.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn relays(&self, filter: &RelayFilter) -> Result<Vec<RelayRow>, LedgerError> {
        let RelayFilter { states, endpoint, after, limit } = filter;
        let mut rows = self.conn.prepare(&query(states))?;
        let endpoint = endpoint.as_ref().map(EndpointId::as_str);
        let (number, target) =
            (after.as_ref().map(|place| place.number), after.as_ref().map(|place| place.target.as_str()));
        let values = params![endpoint, number, target, limit];
        Ok(rows.query_map(values, RelayRow::read)?.collect::<Result<_, _>>()?)
    }

    /// One call's way to each of its handlers; none, if it is not relayed.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn relays_of(&self, notification: Seq) -> Result<Vec<RelayRow>, LedgerError> {
        let mut rows = self
            .conn
            .prepare(&format!("{COLUMNS} FROM relays r {BESIDE} WHERE r.seq = ?1 ORDER BY r.target"))?;
        Ok(rows.query_map([notification], RelayRow::read)?.collect::<Result<_, _>>()?)
    }

    /// Whether a call is owed to a handler and was not tried yet.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn is_untried(&self, notification: Seq, target: &RelayTarget) -> Result<bool, LedgerError> {
        let untried = self.relays_of(notification)?;
        Ok(untried
            .iter()
            .any(|row| row.target == *target && row.state == RelayState::Owed && row.attempts == 0))
    }

    /// How many calls would be sent again.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn count_replayed(&self, which: &Replayed) -> Result<usize, LedgerError> {
        Ok(relays::replayed(&self.conn, which)?.len())
    }
}

#[cfg(test)]
pub(super) mod plans {
    pub(in crate::read) fn all() -> Vec<String> {
        vec![super::query(&super::RelayState::IN_VAIN)]
    }
}
