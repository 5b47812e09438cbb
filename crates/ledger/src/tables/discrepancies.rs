//! Discrepancies on disk: opened, kept up to date, closed; each opening and closing owes an e-mail.

use std::collections::BTreeSet;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use cvco_domain::{
    Detail, DiscrepancyId, EndpointId, EndpointRef, Kind, RelayTarget, Reminder, Severity, Timestamp,
};

use crate::{LedgerError, owed};

pub(super) fn last_inserted(conn: &Connection) -> DiscrepancyId {
    DiscrepancyId::new(conn.last_insert_rowid())
}

pub(crate) fn close(conn: &Connection, id: DiscrepancyId, at: Timestamp) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "UPDATE discrepancies SET closed_at = ?2, snoozed_until = NULL, escalate_at = NULL WHERE id = ?1",
    )?
    .execute(params![id, at])?;
    owed::owe_closing(conn, id, at)
}

/// The amount in question: the size of the gap, else the one amount that is known. Where less was given back than may be as
/// a whole, it is what was.
const AT_STAKE: &str = "ABS(COALESCE(
  IIF(kind = 'refund_not_allowed' AND actual_cents <= expected_cents, NULL, actual_cents - expected_cents),
  actual_cents, expected_cents))";

/// The same where it is in euros, as its payment is or else its order: only such amounts can be added up.
pub(crate) fn at_stake_in_euros() -> String {
    format!(
        "CASE WHEN COALESCE(
            (SELECT r.currency FROM records r WHERE r.order_id = discrepancies.order_id
              AND r.psp = discrepancies.psp AND r.call_number = discrepancies.call_number),
            (SELECT v.currency FROM order_versions v WHERE v.order_id = discrepancies.order_id
              ORDER BY v.version DESC LIMIT 1),
            'EUR') = 'EUR' THEN {AT_STAKE} END"
    )
}

/// What is wrong at an endpoint.
pub(crate) struct Trouble<'a> {
    pub(crate) kind: Kind,
    pub(crate) severity: Severity,
    /// What tells two of one kind at one endpoint apart; else empty.
    pub(crate) subject: &'a str,
    pub(crate) detail: &'a Detail,
    /// When time alone closes it.
    pub(crate) closes_at: Option<Timestamp>,
}

impl<'a> Trouble<'a> {
    /// The only one of its kind, for as long as something else does not close it.
    pub(crate) const fn of(kind: Kind, detail: &'a Detail) -> Self {
        Self { kind, severity: kind.severity(), subject: "", detail, closes_at: None }
    }
}

/// Opens the discrepancy of an endpoint, or brings the open one up to date.
pub(crate) fn open_of_endpoint(
    conn: &Connection,
    endpoint: &EndpointRef,
    trouble: &Trouble<'_>,
    at: Timestamp,
) -> Result<(), LedgerError> {
    let Trouble { kind, severity, subject, detail, closes_at } = *trouble;
    if let Some(open) = find_of_endpoint(conn, &endpoint.endpoint, kind, subject)? {
        let OpenOfEndpoint { id, severity: known, .. } = open;
        conn.prepare_cached(
            "UPDATE discrepancies SET detail_json = ?2, detail = ?3, severity = ?4, closes_at = ?5 WHERE id = ?1",
        )?
        .execute(params![id, detail, detail.to_string(), known.max(severity).as_str(), closes_at])?;
        return if severity > known {
            conn.prepare_cached("UPDATE discrepancies SET reminded_for = ?2 WHERE id = ?1")?
                .execute(params![id, Reminder::Graver.as_str()])?;
            owed::owe_worsening(conn, id, Some(&endpoint.shop), severity, at)
        } else {
            Ok(())
        };
    }
    conn.prepare_cached(
        "INSERT INTO discrepancies (kind, severity, shop, endpoint, psp, subject, detail_json, detail, opened_at,
             closes_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        kind.as_str(),
        severity.as_str(),
        endpoint.shop.as_str(),
        endpoint.endpoint.as_str(),
        endpoint.psp.as_str(),
        subject,
        detail,
        detail.to_string(),
        at,
        closes_at
    ])?;
    let is_burst = matches!(kind, Kind::CallsRefused | Kind::SignatureFailures);
    let told_from = if is_burst { at.after(BURST_IS_KNOWN) } else { at };
    owed::owe_opening(conn, last_inserted(conn), Some(&endpoint.shop), severity, told_from)
}

/// Calls that are refused come in bursts, and the first is noted at once: by then it is known how many there are.
const BURST_IS_KNOWN: Duration = Duration::from_mins(1);

/// The endpoints that have an open discrepancy of their own.
pub(crate) fn troubled_endpoints(conn: &Connection) -> Result<BTreeSet<EndpointId>, LedgerError> {
    let mut endpoints = conn.prepare_cached(
        "SELECT DISTINCT endpoint FROM discrepancies
         WHERE closed_at IS NULL AND order_id IS NULL AND endpoint IS NOT NULL",
    )?;
    Ok(endpoints.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// Closes the discrepancy of an endpoint, if it has one of this kind that time alone does not close.
pub(crate) fn close_of_endpoint(
    conn: &Connection,
    endpoint: &EndpointId,
    kind: Kind,
    at: Timestamp,
) -> Result<(), LedgerError> {
    let id: Option<DiscrepancyId> = conn
        .prepare_cached(
            "SELECT id FROM discrepancies WHERE endpoint = ?1 AND kind = ?2 AND closed_at IS NULL AND order_id IS NULL
               AND closes_at IS NULL",
        )?
        .query_row([endpoint.as_str(), kind.as_str()], |row| row.get(0))
        .optional()?;
    match id {
        Some(id) => close(conn, id, at),
        None => Ok(()),
    }
}

/// Closes the discrepancy of an endpoint, if it has one of this kind that is open since an instant or longer.
pub(crate) fn close_old_of_endpoint(
    conn: &Connection,
    endpoint: &EndpointId,
    kind: Kind,
    opened_until: Timestamp,
    at: Timestamp,
) -> Result<(), LedgerError> {
    match find_of_endpoint(conn, endpoint, kind, "")? {
        Some(open) if open.opened_at <= opened_until => close(conn, open.id, at),
        Some(_) | None => Ok(()),
    }
}

/// An open discrepancy of an endpoint.
pub(crate) struct OpenOfEndpoint {
    pub(crate) id: DiscrepancyId,
    pub(crate) severity: Severity,
    pub(crate) opened_at: Timestamp,
    /// A person has acknowledged or snoozed it.
    pub(crate) is_seen: bool,
    /// What is known of it.
    pub(crate) detail: Detail,
}

/// The open discrepancy of an endpoint about a subject.
pub(crate) fn find_of_endpoint(
    conn: &Connection,
    endpoint: &EndpointId,
    kind: Kind,
    subject: &str,
) -> Result<Option<OpenOfEndpoint>, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT id, severity, opened_at, acked_at IS NOT NULL OR snoozed_until IS NOT NULL AS is_seen, detail_json
             FROM discrepancies WHERE endpoint = ?1 AND kind = ?2 AND subject = ?3 AND closed_at IS NULL AND order_id IS NULL",
        )?
        .query_row(params![endpoint.as_str(), kind.as_str(), subject], |row| {
            Ok(OpenOfEndpoint {
                id: row.get("id")?,
                severity: row.get("severity")?,
                opened_at: row.get("opened_at")?,
                is_seen: row.get("is_seen")?,
                detail: row.get("detail_json")?,
            })
        })
        .optional()?)
}

/// A handler that a person was told does not take its calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldUnreached {
    /// The endpoint that it belongs to.
    pub endpoint: EndpointId,
    /// Which of the endpoint's handlers.
    pub target: RelayTarget,
    /// How fast the person should look.
    pub severity: Severity,
    /// How many calls waited by then.
    pub calls: u32,
}

/// The handlers of which a person knows that they do not take their calls.
pub(crate) fn told_unreached(conn: &Connection) -> Result<Vec<ToldUnreached>, LedgerError> {
    let mut open = conn.prepare_cached(
        "SELECT endpoint, subject, severity, detail_json FROM discrepancies
         WHERE kind = ?1 AND closed_at IS NULL AND order_id IS NULL AND endpoint IS NOT NULL",
    )?;
    let rows = open.query_map([Kind::RelayFailing.as_str()], |row| {
        let detail: Detail = row.get(3)?;
        let calls = if let Detail::NotTaken(calls) = detail { calls.calls } else { 0 };
        Ok(ToldUnreached { endpoint: row.get(0)?, target: row.get(1)?, severity: row.get(2)?, calls })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The open discrepancy of a kind that concerns the daemon as a whole.
pub(crate) fn find_of_daemon(conn: &Connection, kind: Kind) -> Result<Option<DiscrepancyId>, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT id FROM discrepancies
             WHERE kind = ?1 AND closed_at IS NULL AND shop IS NULL AND endpoint IS NULL AND order_id IS NULL",
        )?
        .query_row([kind.as_str()], |row| row.get(0))
        .optional()?)
}

/// Opens a discrepancy that concerns the daemon as a whole, or brings the open one up to date. `closes_at`: when time
/// alone closes it.
pub(crate) fn open_of_daemon(
    conn: &Connection,
    kind: Kind,
    detail: &Detail,
    at: Timestamp,
    closes_at: Option<Timestamp>,
) -> Result<(), LedgerError> {
    if let Some(id) = find_of_daemon(conn, kind)? {
        conn.prepare_cached(
            "UPDATE discrepancies SET detail_json = ?2, detail = ?3, closes_at = ?4 WHERE id = ?1",
        )?
        .execute(params![id, detail, detail.to_string(), closes_at])?;
        return Ok(());
    }
    conn.prepare_cached(
        "INSERT INTO discrepancies (kind, severity, subject, detail_json, detail, opened_at, closes_at)
         VALUES (?1, ?2, '', ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        kind.as_str(),
        kind.severity().as_str(),
        detail,
        detail.to_string(),
        at,
        closes_at
    ])?;
    owed::owe_opening(conn, last_inserted(conn), None, kind.severity(), at)
}

/// Gives a deadline to urgent discrepancies that were told, that nobody has seen, and that have none; whether there were any. The
/// time to look at one begins when its message has left: it may wait for the morning, or for a mail server.
pub(crate) fn watch_unseen(conn: &Connection, deadline: Timestamp) -> Result<bool, LedgerError> {
    let watched = conn
        .prepare_cached(
            "UPDATE discrepancies SET escalate_at = ?1 WHERE severity = 'urgent' AND closed_at IS NULL
               AND acked_at IS NULL AND snoozed_until IS NULL AND escalate_at IS NULL AND escalated_at IS NULL
               AND EXISTS (SELECT 1 FROM owed o WHERE o.discrepancy_id = discrepancies.id AND o.news <> 'escalated'
                             AND o.urgent AND o.outcome = 'sent')",
        )?
        .execute([deadline])?;
    Ok(watched > 0)
}

/// No discrepancy has a deadline any more: how long it is has changed, or nobody else is to be told.
pub(crate) fn forget_escalations(conn: &Connection) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "UPDATE discrepancies SET escalate_at = NULL WHERE escalate_at IS NOT NULL AND escalated_at IS NULL",
    )?
    .execute([])?;
    Ok(())
}

/// Nobody has seen it in time: others are told.
pub(crate) fn escalate(conn: &Connection, id: DiscrepancyId, at: Timestamp) -> Result<(), LedgerError> {
    conn.prepare_cached("UPDATE discrepancies SET escalate_at = NULL, escalated_at = ?2 WHERE id = ?1")?
        .execute(params![id, at])?;
    owed::owe_escalation(conn, id, at)
}

/// The discrepancy that others are told of next, if that is at `until` or before.
pub(crate) fn next_escalation(
    conn: &Connection,
    until: Timestamp,
) -> Result<Option<(DiscrepancyId, Timestamp)>, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT id, escalate_at FROM discrepancies
             WHERE escalate_at <= ?1 AND escalate_at IS NOT NULL AND escalated_at IS NULL
             ORDER BY escalate_at, id LIMIT 1",
        )?
        .query_row([until], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// When others are told next of a discrepancy.
pub(crate) fn next_escalation_at(conn: &Connection) -> Result<Option<Timestamp>, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT MIN(escalate_at) FROM discrepancies WHERE escalate_at IS NOT NULL AND escalated_at IS NULL",
        )?
        .query_row([], |row| row.get(0))?)
}

/// The discrepancy that time alone closes next, if that is at `until` or before.
pub(crate) fn next_due(
    conn: &Connection,
    until: Timestamp,
) -> Result<Option<(DiscrepancyId, Timestamp)>, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT id, closes_at FROM discrepancies WHERE closes_at <= ?1 AND closed_at IS NULL
             ORDER BY closes_at, id LIMIT 1",
        )?
        .query_row([until], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// When time alone next closes a discrepancy.
pub(crate) fn next_deadline(conn: &Connection) -> Result<Option<Timestamp>, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT MIN(closes_at) FROM discrepancies WHERE closes_at IS NOT NULL AND closed_at IS NULL",
        )?
        .query_row([], |row| row.get(0))?)
}
