//! What the rules find of an order or a statement, brought into line with the discrepancies that are open.

use rusqlite::{Connection, Row, params};

use cvco_domain::{Cents, DiscrepancyId, Finding, Reminder, ShopId, Timestamp};

use super::acts;
use super::discrepancies::{close, last_inserted};
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
        self.is_akin(finding) && self.subject == finding.subject
    }

    /// Of the same kind, about the same payment.
    fn is_akin(&self, finding: &Finding) -> bool {
        let (psp, call) = record_of(finding);
        self.kind == finding.kind.as_str()
            && self.psp.as_deref() == psp
            && self.call_number.as_deref() == call
    }

    fn has_kind_and_record_of(&self, other: &Self) -> bool {
        (&self.kind, &self.psp, &self.call_number) == (&other.kind, &other.psp, &other.call_number)
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
    let told: Vec<Option<&Finding>> = open.iter().map(|known| told_again(known, open, findings)).collect();
    for (known, finding) in open.iter().zip(&told) {
        let Some(finding) = finding else {
            close(conn, known.id, at)?;
            continue;
        };
        if known.subject != finding.subject {
            conn.prepare_cached(
                "UPDATE discrepancies SET former_subject = subject, subject = ?2 WHERE id = ?1",
            )?
            .execute(params![known.id, finding.subject])?;
        }
    }
    for finding in findings {
        let is_it = |again: Option<&Finding>| again.is_some_and(|again| std::ptr::eq(again, finding));
        match open.iter().zip(&told).find(|(_, again)| is_it(**again)) {
            Some((known, _)) => {
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

/// The finding that an open discrepancy is about. Its part may go by another name since: a capture has a number of its own, and
/// what is told of a payment before the payment itself has none. The only one of its kind of a payment is the same, if its figures
/// are.
fn told_again<'f>(known: &Open, open: &[Open], findings: &'f [Finding]) -> Option<&'f Finding> {
    if let Some(same) = findings.iter().find(|finding| known.is(finding)) {
        return Some(same);
    }
    let is_news = |finding: &&Finding| {
        finding.record.is_some() && known.is_akin(finding) && !open.iter().any(|other| other.is(finding))
    };
    let is_left = |other: &&Open| {
        other.has_kind_and_record_of(known) && !findings.iter().any(|finding| other.is(finding))
    };
    let mut news = findings.iter().filter(is_news);
    let only = news.next().filter(|only| known.amounts == (only.expected, only.actual))?;
    (news.next().is_none() && open.iter().filter(is_left).count() == 1).then_some(only)
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
