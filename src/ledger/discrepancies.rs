//! Discrepancies on disk: opened, kept up to date, closed; each opening and closing owes an e-mail.

use cvco_domain::{Cents, EndpointId, Finding, Kind, ShopId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::questions::Asked;
use super::{LedgerError, acknowledgements, outbox};

/// An open discrepancy of an order: what identifies one, and what a person knows of it.
struct Open {
    id: i64,
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
}

fn record_of(finding: &Finding) -> (Option<&str>, Option<&str>) {
    match &finding.record {
        Some((psp, call)) => (Some(psp.as_str()), Some(call.as_str())),
        None => (None, None),
    }
}

/// Brings an order's open discrepancies into line with the rules that it breaks now.
pub(super) fn settle(
    conn: &Connection,
    (order_id, shop): (i64, &ShopId),
    findings: &[Finding],
    at: Timestamp,
) -> Result<(), LedgerError> {
    let open = open_of_order(conn, order_id)?;
    bring_into_line(conn, (Some(order_id), shop), &open, findings, at)
}

/// Brings the open discrepancies of a statement into line with the rules that it breaks now: their subject is the
/// statement, or one of its lines.
pub(super) fn settle_statement(
    conn: &Connection,
    shop: &ShopId,
    statement: &str,
    findings: &[Finding],
    at: Timestamp,
) -> Result<(), LedgerError> {
    let open = open_of_statement(conn, shop, statement)?;
    bring_into_line(conn, (None, shop), &open, findings, at)
}

fn bring_into_line(
    conn: &Connection,
    (order_id, shop): (Option<i64>, &ShopId),
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
                    "UPDATE discrepancies SET expected_cents = ?2, actual_cents = ?3, detail = ?4
                     WHERE id = ?1 AND (expected_cents IS NOT ?2 OR actual_cents IS NOT ?3 OR detail <> ?4)",
                )?
                .execute(params![
                    known.id,
                    finding.expected,
                    finding.actual,
                    finding.detail
                ])?;
                // What the person saw was something else.
                if known.is_seen && known.amounts != (finding.expected, finding.actual) {
                    acknowledgements::remind(conn, known.id, at)?;
                }
            }
            None => insert(conn, (order_id, shop), finding, at)?,
        }
    }
    Ok(())
}

const OPEN: &str = "SELECT id, kind, psp, call_number, subject, expected_cents, actual_cents,
        acked_at IS NOT NULL OR snoozed_until IS NOT NULL
 FROM discrepancies WHERE closed_at IS NULL AND";

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

fn open_of_order(conn: &Connection, order_id: i64) -> Result<Vec<Open>, LedgerError> {
    let mut statement = conn.prepare_cached(&format!("{OPEN} order_id = ?1 ORDER BY id"))?;
    Ok(statement.query_map([order_id], Open::read)?.collect::<Result<_, _>>()?)
}

fn open_of_statement(conn: &Connection, shop: &ShopId, statement: &str) -> Result<Vec<Open>, LedgerError> {
    let mut open = conn.prepare_cached(&format!(
        "{OPEN} order_id IS NULL AND endpoint IS NULL AND shop = ?1
           AND (subject = ?2 OR substr(subject, 1, length(?2) + 2) = ?2 || ' #') ORDER BY id"
    ))?;
    Ok(open.query_map(params![shop.as_str(), statement], Open::read)?.collect::<Result<_, _>>()?)
}

fn insert(
    conn: &Connection,
    (order_id, shop): (Option<i64>, &ShopId),
    finding: &Finding,
    at: Timestamp,
) -> Result<(), LedgerError> {
    let (psp, call) = record_of(finding);
    let severity = finding.kind.severity();
    conn.prepare_cached(
        "INSERT INTO discrepancies (kind, severity, shop, order_id, psp, call_number, subject,
             expected_cents, actual_cents, detail, opened_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        finding.kind.as_str(),
        severity.as_str(),
        shop.as_str(),
        order_id,
        psp,
        call,
        finding.subject,
        finding.expected,
        finding.actual,
        finding.detail,
        at
    ])?;
    outbox::owe_opening(conn, conn.last_insert_rowid(), shop.as_str(), severity, at)
}

fn close(conn: &Connection, id: i64, at: Timestamp) -> Result<(), LedgerError> {
    conn.prepare_cached("UPDATE discrepancies SET closed_at = ?2, snoozed_until = NULL WHERE id = ?1")?
        .execute(params![id, at])?;
    outbox::owe_closing(conn, id, at)
}

/// Opens the discrepancy of an endpoint, or brings the open one up to date.
pub(super) fn open_of_endpoint(
    conn: &Connection,
    Asked { shop, endpoint, psp }: Asked<'_>,
    (kind, detail): (Kind, &str),
    at: Timestamp,
) -> Result<(), LedgerError> {
    if let Some(id) = find_of_endpoint(conn, endpoint, kind)? {
        conn.prepare_cached("UPDATE discrepancies SET detail = ?2 WHERE id = ?1")?
            .execute(params![id, detail])?;
        return Ok(());
    }
    conn.prepare_cached(
        "INSERT INTO discrepancies (kind, severity, shop, endpoint, psp, subject, detail, opened_at)
         VALUES (?1, ?2, ?3, ?4, ?5, '', ?6, ?7)",
    )?
    .execute(params![
        kind.as_str(),
        kind.severity().as_str(),
        shop.as_str(),
        endpoint.as_str(),
        psp.as_str(),
        detail,
        at
    ])?;
    outbox::owe_opening(conn, conn.last_insert_rowid(), shop.as_str(), kind.severity(), at)
}

/// Closes the discrepancy of an endpoint, if it has one of this kind.
pub(super) fn close_of_endpoint(
    conn: &Connection,
    endpoint: &EndpointId,
    kind: Kind,
    at: Timestamp,
) -> Result<(), LedgerError> {
    match find_of_endpoint(conn, endpoint, kind)? {
        Some(id) => close(conn, id, at),
        None => Ok(()),
    }
}

/// Closes the discrepancy of an endpoint, if it has one of this kind that is open since an instant or longer.
pub(super) fn close_old_of_endpoint(
    conn: &Connection,
    endpoint: &EndpointId,
    (kind, opened_until): (Kind, Timestamp),
    at: Timestamp,
) -> Result<(), LedgerError> {
    let Some(id) = find_of_endpoint(conn, endpoint, kind)? else { return Ok(()) };
    let is_old: bool = conn
        .prepare_cached("SELECT opened_at <= ?2 FROM discrepancies WHERE id = ?1")?
        .query_row(params![id, opened_until], |row| row.get(0))?;
    if is_old { close(conn, id, at) } else { Ok(()) }
}

fn find_of_endpoint(
    conn: &Connection,
    endpoint: &EndpointId,
    kind: Kind,
) -> Result<Option<i64>, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT id FROM discrepancies
             WHERE endpoint = ?1 AND kind = ?2 AND closed_at IS NULL AND order_id IS NULL",
        )?
        .query_row(params![endpoint.as_str(), kind.as_str()], |row| row.get(0))
        .optional()?)
}
