//! Discrepancies on disk: opened, kept up to date, closed; each opening and closing owes an e-mail.

use std::collections::BTreeSet;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};

use cvco_domain::{
    Cents, Detail, DiscrepancyId, EndpointId, EndpointRef, Finding, Kind, RelayTarget, Reminder, Severity,
    ShopId, Timestamp,
};

use super::acts;
use super::ids::OrderId;
use super::prepared::Prepared;
use crate::{LedgerError, owed};

/// An open discrepancy of an order: what identifies one, and what a person knows of it.
struct Open {
    id: DiscrepancyId,
    kind: String,
    psp: Option<String>,
    call_number: Option<String>,
    subject: String,
    amounts: (Option<Cents>, Option<Cents>),
    /// A person has acknowledged or snoozed it.
    is_seen: bool,
}

impl Open {
    fn is(&self, finding: &Finding) -> bool {
        let (psp, call) = record_of(finding);
        self.kind == finding.kind.as_str()
            && self.psp.as_deref() == psp
            && self.call_number.as_deref() == call
            && self.subject == finding.subject
    }

    /// Whether more is to be done about it than before, or the contrary. What becomes less needs no message.
    fn grows_to(&self, finding: &Finding) -> bool {
        let (before, now) = (gap(self.amounts.0, self.amounts.1), gap(finding.expected, finding.actual));
        now.abs() > before.abs() || now.is_positive() != before.is_positive()
    }
}

/// By how much too much was paid; negative for too little. Where one amount alone is known, it is that one.
fn gap(expected: Option<Cents>, actual: Option<Cents>) -> Cents {
    match (expected, actual) {
        (Some(expected), Some(actual)) => actual.minus(expected),
        (known, None) | (None, known) => known.unwrap_or_default(),
    }
}

fn record_of(finding: &Finding) -> (Option<&str>, Option<&str>) {
    match &finding.record {
        Some((psp, call)) => (Some(psp.as_str()), Some(call.as_str())),
        None => (None, None),
    }
}

/// Brings an order's open discrepancies into line with the rules that it breaks now. `is_new`: the order has none yet.
pub(crate) fn sync_order(
    db: &Prepared<'_>,
    order_id: OrderId,
    shop: &ShopId,
    findings: &[Finding],
    at: Timestamp,
    is_new: bool,
) -> Result<(), LedgerError> {
    let open = if is_new { Vec::new() } else { open_of_order(db, order_id)? };
    sync(db.connection(), &Owner { order_id: Some(order_id), shop }, &open, findings, at)
}

/// Brings the open discrepancies of a statement into line with the rules that it breaks now: their subject is the
/// statement, or one of its lines.
pub(crate) fn sync_statement(
    conn: &Connection,
    shop: &ShopId,
    statement: &str,
    findings: &[Finding],
    at: Timestamp,
) -> Result<(), LedgerError> {
    let open = open_of_statement(conn, shop, statement)?;
    sync(conn, &Owner { order_id: None, shop }, &open, findings, at)
}

/// Whose discrepancies are brought into line.
struct Owner<'a> {
    order_id: Option<OrderId>,
    shop: &'a ShopId,
}

fn sync(
    conn: &Connection,
    owner: &Owner<'_>,
    open: &[Open],
    findings: &[Finding],
    at: Timestamp,
) -> Result<(), LedgerError> {
    for known in open {
        if !findings.iter().any(|finding| known.is(finding)) {
            close(conn, known.id, at)?;
        }
    }
    for finding in findings {
        match open.iter().find(|known| known.is(finding)) {
            Some(known) => {
                conn.prepare_cached(
                    "UPDATE discrepancies SET expected_cents = ?2, actual_cents = ?3, detail_json = ?4, detail = ?5
                     WHERE id = ?1 AND (expected_cents IS NOT ?2 OR actual_cents IS NOT ?3 OR detail_json <> ?4)",
                )?
                .execute(params![
                    known.id,
                    finding.expected,
                    finding.actual,
                    finding.detail,
                    finding.detail.to_string()
                ])?;
                if known.amounts == (finding.expected, finding.actual) {
                    continue;
                }
                // What the person saw was something else.
                if known.is_seen {
                    acts::remind(conn, known.id, Reminder::FiguresChanged, at)?;
                } else if known.grows_to(finding) {
                    acts::tell_growth(conn, known.id, at)?;
                }
            }
            None => insert(conn, owner, finding, at)?,
        }
    }
    Ok(())
}

/// What identifies an open discrepancy, and what a person knows of it.
macro_rules! open_where {
    ($condition:literal) => {
        concat!(
            "SELECT id, kind, psp, call_number, subject, expected_cents, actual_cents,
                    acked_at IS NOT NULL OR snoozed_until IS NOT NULL
             FROM discrepancies WHERE closed_at IS NULL AND ",
            $condition,
            " ORDER BY id"
        )
    };
}

impl Open {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            kind: row.get(1)?,
            psp: row.get(2)?,
            call_number: row.get(3)?,
            subject: row.get(4)?,
            amounts: (row.get(5)?, row.get(6)?),
            is_seen: row.get(7)?,
        })
    }
}

fn open_of_order(db: &Prepared<'_>, order_id: OrderId) -> Result<Vec<Open>, LedgerError> {
    Ok(db.all(open_where!("order_id = ?1"), [order_id], Open::read)?)
}

fn open_of_statement(conn: &Connection, shop: &ShopId, statement: &str) -> Result<Vec<Open>, LedgerError> {
    let mut open = conn.prepare_cached(open_where!(
        "order_id IS NULL AND endpoint IS NULL AND shop = ?1
         AND (subject = ?2 OR substr(subject, 1, length(?2) + 2) = ?2 || ' #')"
    ))?;
    Ok(open.query_map(params![shop.as_str(), statement], Open::read)?.collect::<Result<_, _>>()?)
}

fn insert(conn: &Connection, owner: &Owner<'_>, finding: &Finding, at: Timestamp) -> Result<(), LedgerError> {
    let (psp, call) = record_of(finding);
    let severity = finding.kind.severity();
    conn.prepare_cached(
        "INSERT INTO discrepancies (kind, severity, shop, order_id, psp, call_number, subject,
             expected_cents, actual_cents, opened_expected_cents, opened_actual_cents, detail_json, detail, opened_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        finding.kind.as_str(),
        severity.as_str(),
        owner.shop.as_str(),
        owner.order_id,
        psp,
        call,
        finding.subject,
        finding.expected,
        finding.actual,
        finding.detail,
        finding.detail.to_string(),
        at
    ])?;
    owed::owe_opening(conn, last_inserted(conn), Some(owner.shop), severity, at)
}

fn last_inserted(conn: &Connection) -> DiscrepancyId {
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
