//! Which order a line of a statement is about: by the issuer's own number, then by what ANCV keeps of a reference with the
//! exact amount, then by that alone. Where several would do, none is chosen.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::Stored;
use crate::LedgerError;
use crate::tables::ids::{OrderId, StatementId};
use cvco_domain::{Cents, LineSays, OrderRef, StatementLine};

/// How a line was found to be about its order, best first (accounting practice: the issuer's own number, then what ANCV
/// keeps of a reference with the exact amount, then that alone).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MatchedBy {
    Transaction,
    ReferenceAndAmount,
    Reference,
}

impl MatchedBy {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::ReferenceAndAmount => "reference_and_amount",
            Self::Reference => "reference",
        }
    }
}

/// Whether there are lines of which nobody knows what they are about.
pub(crate) fn any_unknown(conn: &Connection) -> Result<bool, LedgerError> {
    Ok(conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM statement_lines WHERE order_id IS NULL)")?
        .query_row([], |row| row.get(0))?)
}

/// The statements with unknown lines that an order may explain: by its reference, or by a transaction.
pub(crate) fn explained_by(conn: &Connection, order_id: OrderId) -> Result<Vec<StatementId>, LedgerError> {
    let mut statements = conn.prepare_cached(
        "SELECT l.statement_id FROM statement_lines l JOIN orders o ON o.shop = l.shop AND o.ancv_prefix = l.ancv_prefix
         WHERE o.order_id = ?1 AND o.reference IS NOT NULL AND l.order_id IS NULL
         UNION
         SELECT l.statement_id FROM statement_lines l JOIN tenders t ON t.tender_id = l.transaction_id
         WHERE t.order_id = ?1 AND l.order_id IS NULL AND l.transaction_id IS NOT NULL
         ORDER BY 1",
    )?;
    Ok(statements.query_map([order_id], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// Looks for the orders that a statement's unknown lines are about; those that were found.
pub(crate) fn match_lines(conn: &Connection, statement_id: StatementId) -> Result<Vec<OrderId>, LedgerError> {
    let unknown: Vec<Stored> = {
        let mut lines = conn.prepare_cached(&format!(
            "SELECT {} FROM statement_lines l JOIN statements s USING (statement_id)
             WHERE l.statement_id = ?1 AND l.order_id IS NULL ORDER BY l.position",
            Stored::COLUMNS
        ))?;
        lines.query_map([statement_id], Stored::read)?.collect::<Result<_, _>>()?
    };
    let mut found = Vec::new();
    let mut groups: BTreeMap<(String, Cents), Vec<Stored>> = BTreeMap::new();
    for stored in unknown {
        if let Some(order_id) = by_transaction(conn, &stored)? {
            belongs_to(conn, &stored, order_id, MatchedBy::Transaction, &mut found)?;
        } else if let Some(prefix) = stored.prefix() {
            groups.entry((prefix, stored.line.amount)).or_default().push(stored);
        }
    }
    for ((prefix, _), lines) in groups {
        by_reference(conn, &prefix, &lines, &mut found)?;
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn belongs_to(
    conn: &Connection,
    stored: &Stored,
    order_id: OrderId,
    matched_by: MatchedBy,
    found: &mut Vec<OrderId>,
) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "UPDATE statement_lines SET order_id = ?3, matched_by = ?4 WHERE statement_id = ?1 AND position = ?2",
    )?
    .execute(params![stored.statement_id, stored.position, order_id, matched_by.as_str()])?;
    found.push(order_id);
    Ok(())
}

/// The one order with a part of this transaction.
fn by_transaction(conn: &Connection, stored: &Stored) -> Result<Option<OrderId>, LedgerError> {
    let Some(transaction) = &stored.line.transaction else { return Ok(None) };
    let mut orders = conn.prepare_cached(
        "SELECT DISTINCT t.order_id FROM tenders t JOIN orders o USING (order_id)
         JOIN statement_lines l ON l.statement_id = ?3 AND l.position = ?4 AND l.shop = o.shop
         WHERE t.tender_id = ?1 AND t.issuer = ?2 AND t.received_on IS NOT NULL LIMIT 2",
    )?;
    let orders: Vec<OrderId> = orders
        .query_map(
            params![transaction.as_str(), stored.issuer.as_str(), stored.statement_id, stored.position],
            |row| row.get(0),
        )?
        .collect::<Result<_, _>>()?;
    Ok(if let [order_id] = orders.as_slice() { Some(*order_id) } else { None })
}

/// An order whose reference begins like a line's, and of which something was received that the issuer pays out.
struct Candidate {
    order_id: OrderId,
    reference: String,
    /// A part, or all parts, come to exactly the line's amount.
    exact: bool,
    /// Nothing of it was paid out yet.
    unsettled: bool,
}

const CANDIDATES: &str = "
  SELECT o.order_id, o.reference,
         EXISTS (SELECT 1 FROM tenders t WHERE t.order_id = o.order_id AND t.issuer = ?4 AND t.received_on IS NOT NULL
                   AND ?3 IN (t.amount_cents, t.amount_cents - t.refunded_cents))
         OR ?3 = COALESCE((SELECT SUM(t.amount_cents) FROM tenders t
              WHERE t.order_id = o.order_id AND t.issuer = ?4 AND t.received_on IS NOT NULL), 0)
         OR EXISTS (SELECT 1 FROM returns b JOIN tenders t USING (order_id, psp, call_number, position)
                     WHERE b.order_id = o.order_id AND t.issuer = ?4 AND b.amount_cents = -?3),
         NOT EXISTS (SELECT 1 FROM tenders t
                      WHERE t.order_id = o.order_id AND t.issuer = ?4 AND t.settled_cents <> 0)
  FROM orders o WHERE o.shop = (SELECT shop FROM statements WHERE statement_id = ?1) AND o.ancv_prefix = ?2
    AND o.reference IS NOT NULL AND EXISTS (SELECT 1 FROM tenders t
          WHERE t.order_id = o.order_id AND t.issuer = ?4 AND t.received_on IS NOT NULL)
  ORDER BY o.order_id LIMIT 100";

/// Finds the orders of lines with one reference and one amount. Where several orders would do, none is chosen, unless
/// there is a line for each of them.
fn by_reference(
    conn: &Connection,
    prefix: &str,
    lines: &[Stored],
    found: &mut Vec<OrderId>,
) -> Result<(), LedgerError> {
    let Some(first) = lines.first() else { return Ok(()) };
    let candidates: Vec<Candidate> = conn
        .prepare_cached(CANDIDATES)?
        .query_map(params![first.statement_id, prefix, first.line.amount, first.issuer.as_str()], |row| {
            Ok(Candidate {
                order_id: row.get(0)?,
                reference: row.get(1)?,
                exact: row.get(2)?,
                unsettled: row.get(3)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    let whole = first.line.reference.as_ref().map(OrderRef::as_str);
    // A reference of more than 20 characters was not cut: it means one order.
    let uncut = |candidate: &&Candidate| {
        prefix.len() < whole.unwrap_or_default().len() && whole == Some(&candidate.reference)
    };
    if let Some(one) = candidates.iter().find(uncut) {
        let matched_by = if one.exact { MatchedBy::ReferenceAndAmount } else { MatchedBy::Reference };
        return lines.iter().try_for_each(|line| belongs_to(conn, line, one.order_id, matched_by, found));
    }
    let exact: Vec<&Candidate> = candidates.iter().filter(|candidate| candidate.exact).collect();
    let open: Vec<&Candidate> = exact.iter().copied().filter(|candidate| candidate.unsettled).collect();
    let chosen = if open.is_empty() { &exact } else { &open };
    match (chosen.as_slice(), candidates.as_slice()) {
        ([], [one]) => lines
            .iter()
            .try_for_each(|line| belongs_to(conn, line, one.order_id, MatchedBy::Reference, found)),
        ([one], _) => lines
            .iter()
            .try_for_each(|line| belongs_to(conn, line, one.order_id, MatchedBy::ReferenceAndAmount, found)),
        (several, _) if !several.is_empty() && several.len() <= lines.len() => {
            lines.iter().zip(several).try_for_each(|(line, one)| {
                belongs_to(conn, line, one.order_id, MatchedBy::ReferenceAndAmount, found)
            })
        }
        _ => Ok(()),
    }
}

/// What a line says to be found by.
pub(super) fn said(line: &StatementLine) -> LineSays {
    LineSays {
        reference: line.reference.clone(),
        transaction: line.transaction.clone(),
        authorisation: line.authorisation.clone(),
        dated: line.dated,
    }
}

/// So many orders that a line could mean are named.
const NAMED: u32 = 12;

/// Which orders a line could mean that names none: those of which just this is still to be paid out, the nearest day first.
pub(super) fn alike(conn: &Connection, stored: &Stored) -> Result<Vec<String>, LedgerError> {
    let line = &stored.line;
    let day = line.dated.unwrap_or(stored.paid_on);
    let mut alike = conn.prepare_cached(
        "SELECT COALESCE(o.reference, t.call_number) FROM tenders t JOIN orders o USING (order_id)
         WHERE t.received_on BETWEEN ?1 AND ?2 AND t.issuer = ?3 AND t.amount_cents = ?4 AND t.settled_cents = 0
           AND t.refunded_cents = 0 AND t.state IN ('authorised', 'captured')
           AND o.shop = (SELECT shop FROM statements WHERE statement_id = ?5)
         GROUP BY 1 ORDER BY MIN(ABS(julianday(t.received_on) - julianday(?6))), MIN(o.order_id) LIMIT ?7",
    )?;
    let values = params![
        day.plus(-3),
        day.plus(3),
        stored.issuer.as_str(),
        line.amount,
        stored.statement_id,
        day,
        NAMED.saturating_add(1)
    ];
    let mut alike: Vec<String> = alike.query_map(values, |row| row.get(0))?.collect::<Result<_, _>>()?;
    let named = usize::try_from(NAMED).unwrap_or(usize::MAX);
    if alike.len() > named {
        alike.truncate(named);
        alike.push("…".to_owned());
    }
    Ok(alike)
}
