//! Notifications that are owed to the shop's own handlers, and what became of them.

use std::str::FromStr;

use cvco_domain::{CallNumber, EndpointId, OrderRef, Psp, RelayTarget, Seq, Timestamp, UnknownWord};
use cvco_log::entry::{RelayOutcome, Relayed, Replayed};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, Row, params};

use super::attempts;
use super::notifications::Notified;
use crate::LedgerError;

/// The part of a payment that a notification tells, where the order of arrival at the handler matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayPart {
    /// The voucher.
    Voucher,
    /// A card part that came before its voucher.
    Complement,
}

impl RelayPart {
    const ALL: [Self; 2] = [Self::Voucher, Self::Complement];

    /// The name in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Voucher => "voucher",
            Self::Complement => "complement",
        }
    }
}

impl FromStr for RelayPart {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let known = Self::ALL.into_iter().find(|part| part.as_str() == text);
        known.ok_or_else(|| UnknownWord::new(text, "voucher, complement"))
    }
}

impl FromSql for RelayPart {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map_err(|error: UnknownWord| FromSqlError::Other(Box::new(error)))
    }
}

/// A notification that a handler waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingRelay {
    /// The notification's number in the log.
    pub notification: Seq,
    /// Which of the endpoint's handlers.
    pub target: RelayTarget,
    /// Where it came in.
    pub endpoint: EndpointId,
    /// Who sent it.
    pub psp: Psp,
    /// What is delivered one after the other.
    pub lane: String,
    /// The payment that it is about.
    pub call_number: Option<CallNumber>,
    /// The part that it tells, where that matters.
    pub part: Option<RelayPart>,
    /// SHA-256 of the bytes that carry the message.
    pub payload_sha256: String,
    /// Since when it is owed.
    pub owed_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// Not to be tried before.
    pub not_before: Option<Timestamp>,
}

/// A notification and a handler.
pub(crate) struct OwedRelay<'a> {
    pub(crate) notified: &'a Notified<'a>,
    pub(crate) target: &'a RelayTarget,
    pub(crate) order_ref: Option<&'a OrderRef>,
    pub(crate) call_number: Option<&'a CallNumber>,
    pub(crate) part: Option<RelayPart>,
    pub(crate) payload_sha256: &'a str,
}

impl OwedRelay<'_> {
    /// What is delivered in order: an order, else a payment. Of what is about neither each is a lane of its own.
    fn lane(&self) -> String {
        match (self.order_ref, self.call_number) {
            (Some(order), _) => format!("order {order}"),
            (None, Some(call)) => format!("payment {call}"),
            (None, None) => format!("entry {}", self.notified.seq),
        }
    }
}

/// Whether the handler was owed the very same bytes before.
pub(crate) fn is_known(conn: &Connection, owed: &OwedRelay<'_>) -> Result<bool, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM relays WHERE endpoint = ?1 AND payload_sha256 = ?2 AND target = ?3)",
        )?
        .query_row(
            params![owed.notified.endpoint.endpoint.as_str(), owed.payload_sha256, owed.target.as_str()],
            |row| row.get(0),
        )?)
}

/// A handler is owed a notification.
pub(crate) fn owe(conn: &Connection, owed: &OwedRelay<'_>) -> Result<(), LedgerError> {
    let Notified { seq, at, endpoint, .. } = *owed.notified;
    conn.prepare_cached(
        "INSERT INTO relays (seq, target, shop, endpoint, psp, order_ref, call_number, lane, part, payload_sha256,
             owed_at, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'owed')",
    )?
    .execute(params![
        seq,
        owed.target.as_str(),
        endpoint.shop.as_str(),
        endpoint.endpoint.as_str(),
        endpoint.psp.as_str(),
        owed.order_ref.map(OrderRef::as_str),
        owed.call_number.map(CallNumber::as_str),
        owed.lane(),
        owed.part.map(RelayPart::as_str),
        owed.payload_sha256,
        at,
    ])?;
    Ok(())
}

/// A relay is at an end. One that is not owed stays as it is.
pub(crate) fn end(conn: &Connection, relayed: &Relayed, at: Timestamp) -> Result<(), LedgerError> {
    let (status, reason) = match &relayed.outcome {
        RelayOutcome::Delivered { status } => (Some(*status), None),
        RelayOutcome::Refused { status, why } => (Some(*status), Some(why.clone())),
        RelayOutcome::Parked { why } => (None, Some(why.clone())),
        RelayOutcome::Dropped { by, note } => {
            let note = note.as_deref().map(|note| format!(": {note}")).unwrap_or_default();
            (None, Some(format!("by {by}{note}")))
        }
    };
    let ends = match relayed.outcome {
        // A person may drop what was refused or parked, too.
        RelayOutcome::Dropped { .. } => "state IN ('owed', 'refused', 'parked')",
        RelayOutcome::Delivered { .. } | RelayOutcome::Refused { .. } | RelayOutcome::Parked { .. } => {
            "state = 'owed'"
        }
    };
    conn.prepare_cached(&format!(
        "UPDATE relays SET state = ?3, done_at = ?4, attempts = ?5, status = ?6, reason = ?7
         WHERE seq = ?1 AND target = ?2 AND {ends}"
    ))?
    .execute(params![
        relayed.notification,
        relayed.target.as_str(),
        relayed.outcome.as_str(),
        at,
        relayed.attempts,
        status,
        reason,
    ])?;
    attempts::forget(conn, &attempts::of_relay(relayed.notification, &relayed.target))
}

/// Relays are owed once more; those that still are, at once.
pub(crate) fn owe_again(conn: &Connection, which: Replayed, at: Timestamp) -> Result<(), LedgerError> {
    let (from, to, failed) = match which {
        Replayed::One(seq) => {
            let mut known = conn.prepare_cached("SELECT seq, target FROM relays WHERE seq = ?1")?;
            let keys = known.query_map([seq], key)?.collect::<Result<Vec<_>, _>>()?;
            return owe_these_again(conn, &keys, at);
        }
        Replayed::Between { from, to, failed } => (from, to, failed),
    };
    let mut known = conn.prepare_cached(
        "SELECT r.seq, r.target FROM relays r JOIN notifications n ON n.seq = r.seq
         WHERE n.received_at >= ?1 AND n.received_at < ?2 AND (NOT ?3 OR r.state IN ('refused', 'parked'))
         ORDER BY r.seq, r.target",
    )?;
    let keys = known.query_map(params![from, to, failed], key)?.collect::<Result<Vec<_>, _>>()?;
    owe_these_again(conn, &keys, at)
}

/// What names a relay.
struct Key {
    seq: Seq,
    target: RelayTarget,
}

fn key(row: &Row<'_>) -> rusqlite::Result<Key> {
    Ok(Key { seq: row.get(0)?, target: row.get(1)? })
}

fn owe_these_again(conn: &Connection, keys: &[Key], at: Timestamp) -> Result<(), LedgerError> {
    for Key { seq, target } in keys {
        conn.prepare_cached(
            "UPDATE relays SET state = 'owed', owed_at = ?3, done_at = NULL, attempts = NULL, status = NULL,
                 reason = NULL
             WHERE seq = ?1 AND target = ?2 AND state <> 'owed'",
        )?
        .execute(params![seq, target.as_str(), at])?;
        attempts::forget(conn, &attempts::of_relay(*seq, target))?;
    }
    Ok(())
}

/// So many relays are looked at together.
const AT_A_TIME: u32 = 5000;

/// What handlers wait for, oldest first.
pub(crate) fn pending(conn: &Connection) -> Result<Vec<PendingRelay>, LedgerError> {
    let mut pending = conn.prepare_cached(
        "SELECT r.seq, r.target, r.endpoint, r.psp, r.lane, r.call_number, r.part, r.payload_sha256, r.owed_at,
                COALESCE(a.attempts, 0), a.attempt_at
         FROM relays r LEFT JOIN attempts a ON a.what = 'relay ' || r.seq || ' ' || r.target
         WHERE r.state = 'owed' ORDER BY r.seq, r.target LIMIT ?1",
    )?;
    let rows = pending.query_map([AT_A_TIME], |row| {
        Ok(PendingRelay {
            notification: row.get(0)?,
            target: row.get(1)?,
            endpoint: row.get(2)?,
            psp: row.get(3)?,
            lane: row.get(4)?,
            call_number: row.get(5)?,
            part: row.get(6)?,
            payload_sha256: row.get(7)?,
            owed_at: row.get(8)?,
            attempts: row.get(9)?,
            not_before: row.get(10)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
