//! Notifications that are owed to the shop's own handlers, and what became of them.

use std::str::FromStr;

use cvco_domain::{
    CallNumber, EndpointId, EndpointRef, Mode, OrderRef, Psp, RelayTarget, Seq, Timestamp, UnknownWord,
};
use cvco_log::entry::{RelayOutcome, Relayed, Replayed};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};

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
    /// Real payments or trials.
    pub mode: Mode,
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
    /// When a person last asked for it.
    pub asked_at: Option<Timestamp>,
    /// How often it was tried.
    pub attempts: u32,
    /// Not to be tried before.
    pub not_before: Option<Timestamp>,
    /// What went wrong last.
    pub last_error: Option<String>,
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
        "INSERT INTO relays (seq, target, shop, endpoint, psp, mode, order_ref, call_number, lane, part,
             payload_sha256, owed_at, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 'owed')",
    )?
    .execute(params![
        seq,
        owed.target.as_str(),
        endpoint.shop.as_str(),
        endpoint.endpoint.as_str(),
        endpoint.psp.as_str(),
        endpoint.mode.as_str(),
        owed.order_ref.map(OrderRef::as_str),
        owed.call_number.map(CallNumber::as_str),
        owed.lane(),
        owed.part.map(RelayPart::as_str),
        owed.payload_sha256,
        at,
    ])?;
    Ok(())
}

/// A relay is at an end; the endpoint that it came in at. One that is not owed stays as it is.
pub(crate) fn end(
    conn: &Connection,
    relayed: &Relayed,
    at: Timestamp,
) -> Result<Option<EndpointRef>, LedgerError> {
    let (status, reason) = match &relayed.outcome {
        RelayOutcome::Delivered { status } => (Some(*status), None),
        RelayOutcome::Refused { status, why, .. } => (Some(*status), Some(why.clone())),
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
    let ended = conn
        .prepare_cached(&format!(
            "UPDATE relays SET state = ?3, done_at = ?4, attempts = COALESCE(attempts, 0) + ?5, status = ?6, reason = ?7
             WHERE seq = ?1 AND target = ?2 AND {ends} RETURNING shop, endpoint, psp, mode"
        ))?
        .query_row(
            params![
                relayed.notification,
                relayed.target.as_str(),
                relayed.outcome.as_str(),
                at,
                relayed.attempts,
                status,
                reason,
            ],
            endpoint_of,
        )
        .optional()?;
    attempts::forget(conn, &attempts::of_relay(relayed.notification, &relayed.target))?;
    if ended.is_some() {
        wait_no_more(conn, relayed)?;
    }
    Ok(ended)
}

/// A complement that came before its voucher need not wait for it once that has come to its end.
fn wait_no_more(conn: &Connection, relayed: &Relayed) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "UPDATE relays SET part = NULL WHERE (seq, target) IN (
           SELECT c.seq, c.target FROM relays v JOIN relays c INDEXED BY relays_awaiting
              ON c.target = v.target AND c.endpoint = v.endpoint AND c.call_number = v.call_number
           WHERE v.seq = ?1 AND v.target = ?2 AND v.part = 'voucher' AND c.part = 'complement' AND c.state = 'owed')",
    )?
    .execute(params![relayed.notification, relayed.target.as_str()])?;
    Ok(())
}

fn endpoint_of(row: &Row<'_>) -> rusqlite::Result<EndpointRef> {
    Ok(EndpointRef {
        shop: row.get("shop")?,
        endpoint: row.get("endpoint")?,
        psp: row.get("psp")?,
        mode: row.get("mode")?,
    })
}

/// Calls to one handler that did not get through.
pub(crate) struct InVain {
    pub(crate) endpoint: EndpointRef,
    pub(crate) calls: u32,
    /// How many of them are no longer tried.
    pub(crate) parked: u32,
    /// Since when the first waits, or stands refused.
    pub(crate) since: Timestamp,
    /// The first orders that they are about.
    pub(crate) orders: Vec<OrderRef>,
}

/// So many orders are named.
const NAMED_ORDERS: u32 = 8;

/// What a handler has not taken; `None` if it has taken everything.
pub(crate) fn not_taken(
    conn: &Connection,
    endpoint: &EndpointId,
    target: &RelayTarget,
) -> Result<Option<InVain>, LedgerError> {
    in_vain(conn, endpoint, target, "state IN ('owed', 'parked')", "owed_at")
}

/// What a handler has refused, and nobody has dealt with; `None` if there is nothing.
pub(crate) fn refused(
    conn: &Connection,
    endpoint: &EndpointId,
    target: &RelayTarget,
) -> Result<Option<InVain>, LedgerError> {
    in_vain(conn, endpoint, target, "state = 'refused'", "done_at")
}

fn in_vain(
    conn: &Connection,
    endpoint: &EndpointId,
    target: &RelayTarget,
    which: &str,
    since: &str,
) -> Result<Option<InVain>, LedgerError> {
    let of_handler = format!("endpoint = ?1 AND target = ?2 AND state <> 'delivered' AND {which}");
    let keys = [endpoint.as_str(), target.as_str()];
    let found = conn
        .prepare_cached(&format!(
            "SELECT shop, endpoint, psp, mode, COUNT(*) AS calls, SUM(state = 'parked') AS parked,
                    MIN({since}) AS since
             FROM relays WHERE {of_handler} GROUP BY endpoint"
        ))?
        .query_row(keys, |row| {
            let orders = Vec::new();
            let (calls, parked, since) = (row.get("calls")?, row.get("parked")?, row.get("since")?);
            Ok(InVain { endpoint: endpoint_of(row)?, calls, parked, since, orders })
        })
        .optional()?;
    let Some(mut found) = found else { return Ok(None) };
    let mut orders = conn.prepare_cached(&format!(
        "SELECT order_ref FROM relays WHERE {of_handler} AND order_ref IS NOT NULL
         GROUP BY order_ref ORDER BY MIN(seq) LIMIT {NAMED_ORDERS}"
    ))?;
    found.orders = orders.query_map(keys, |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(Some(found))
}

/// Whether a handler has refused a call that nobody has dealt with, or is asked for it once more.
pub(crate) fn is_any_refused(
    conn: &Connection,
    endpoint: &EndpointId,
    target: &RelayTarget,
) -> Result<bool, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM relays WHERE endpoint = ?1 AND target = ?2 AND state <> 'delivered'
               AND (state = 'refused' OR state = 'owed' AND asked_at IS NOT NULL))",
        )?
        .query_row([endpoint.as_str(), target.as_str()], |row| row.get(0))?)
}

/// Whether a handler is owed a call since an instant or longer, or one was given up.
pub(crate) fn is_waiting_since(
    conn: &Connection,
    endpoint: &EndpointId,
    target: &RelayTarget,
    until: Timestamp,
) -> Result<bool, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM relays WHERE endpoint = ?1 AND target = ?2 AND state <> 'delivered'
               AND state = 'parked')
               OR EXISTS (SELECT 1 FROM relays WHERE endpoint = ?1 AND target = ?2 AND state <> 'delivered'
               AND state = 'owed' AND owed_at <= ?3)",
        )?
        .query_row(params![endpoint.as_str(), target.as_str(), until], |row| row.get(0))?)
}

/// Relays are owed once more; those that still are, at once.
pub(crate) fn owe_again(conn: &Connection, which: &Replayed, at: Timestamp) -> Result<(), LedgerError> {
    for Key { seq, target } in replayed(conn, which)? {
        conn.prepare_cached(
            "UPDATE relays SET state = 'owed', owed_at = IIF(state = 'owed', owed_at, ?3), asked_at = ?3,
                 done_at = NULL, status = NULL, reason = NULL
             WHERE seq = ?1 AND target = ?2",
        )?
        .execute(params![seq, target.as_str(), at])?;
        attempts::forget(conn, &attempts::of_relay(seq, &target))?;
    }
    Ok(())
}

/// What names a relay.
pub(crate) struct Key {
    seq: Seq,
    target: RelayTarget,
}

fn key(row: &Row<'_>) -> rusqlite::Result<Key> {
    Ok(Key { seq: row.get(0)?, target: row.get(1)? })
}

/// The relays that a person wants once more.
pub(crate) fn replayed(conn: &Connection, which: &Replayed) -> Result<Vec<Key>, LedgerError> {
    Ok(match which {
        Replayed::One { notification, target } => conn
            .prepare_cached(
                "SELECT seq, target FROM relays
                 WHERE seq = ?1 AND (target = ?2 OR (?2 IS NULL AND state <> 'delivered')) ORDER BY target",
            )?
            .query_map(params![notification, target.as_ref().map(RelayTarget::as_str)], key)?
            .collect::<Result<_, _>>()?,
        Replayed::Between { from, to, failed, endpoint } => conn
            .prepare_cached(
                "SELECT r.seq, r.target FROM relays r JOIN notifications n ON n.seq = r.seq
                 WHERE n.received_at >= ?1 AND n.received_at < ?2
                   AND (NOT ?3 OR r.state IN ('owed', 'refused', 'parked')) AND (?4 IS NULL OR r.endpoint = ?4)
                 ORDER BY r.seq, r.target",
            )?
            .query_map(params![from, to, failed, endpoint.as_ref().map(EndpointId::as_str)], key)?
            .collect::<Result<_, _>>()?,
    })
}

/// So many relays are looked at together.
const AT_A_TIME: u32 = 5000;

/// What handlers wait for, oldest first.
pub(crate) fn pending(conn: &Connection) -> Result<Vec<PendingRelay>, LedgerError> {
    let mut pending = conn.prepare_cached(
        "SELECT r.seq, r.target, r.endpoint, r.psp, r.mode, r.lane, r.call_number, r.part, r.payload_sha256,
                r.owed_at, COALESCE(a.attempts, 0), a.attempt_at, a.last_error,
                r.asked_at
         FROM relays r LEFT JOIN attempts a ON a.what = 'relay ' || r.seq || ' ' || r.target
         WHERE r.state = 'owed' ORDER BY r.seq, r.target LIMIT ?1",
    )?;
    let rows = pending.query_map([AT_A_TIME], |row| {
        Ok(PendingRelay {
            notification: row.get(0)?,
            target: row.get(1)?,
            endpoint: row.get(2)?,
            psp: row.get(3)?,
            mode: row.get(4)?,
            lane: row.get(5)?,
            call_number: row.get(6)?,
            part: row.get(7)?,
            payload_sha256: row.get(8)?,
            owed_at: row.get(9)?,
            attempts: row.get(10)?,
            not_before: row.get(11)?,
            last_error: row.get(12)?,
            asked_at: row.get(13)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
